"""What history holds, turned back into what a column takes."""

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date
from sqlalchemy.types import JSON

from db.types import Choice, Instant


def from_history(column: Column[Any], raw: Any) -> Any:
    """The Python value of a column from its JSON value in `change.before` or `change.after`, whichever engine wrote it.

    SQLite writes instants as epoch seconds, truth as 0 or 1 and documents as text; PostgreSQL as ISO text, true or
    false, and as they are. Days are ISO text on both.
    """
    if raw is None:
        return None
    kind = column.type
    if isinstance(kind, Instant):
        return datetime.fromtimestamp(raw, UTC) if isinstance(raw, int) else datetime.fromisoformat(raw).astimezone(UTC)
    if isinstance(kind, Choice):
        return kind.words(raw)
    if isinstance(kind, Date):
        return date.fromisoformat(raw)
    if isinstance(kind, Boolean):
        return bool(raw)
    if isinstance(kind, JSON) and isinstance(raw, str):  # documents of the portal are never a mere text
        return json.loads(raw)
    return raw

"""The tables, one file an area. Importing this package registers them all."""

from db.models import (
    access,
    afterwards,
    availability,
    billing,
    feeds,
    history,
    learning,
    notices,
    people,
    programmes,
    series,
    sessions,
    structure,
)

__all__ = [
    "access", "afterwards", "availability", "billing", "feeds", "history", "learning", "notices", "people",
    "programmes", "series", "sessions", "structure",
]

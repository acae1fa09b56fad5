"""The tables, one file an area. Importing this package registers them all."""

from db.models import (
    access,
    availability,
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
    "access", "availability", "feeds", "history", "learning", "notices", "people", "programmes", "series", "sessions",
    "structure",
]

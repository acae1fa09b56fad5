"""The vocabulary of the tables, for those who know the core and not the database."""

from db.words import (
    EnrolmentStatus,
    Every,
    Kind,
    LineKind,
    LinkPurpose,
    Method,
    NoteKind,
    Origin,
    Outcome,
    RateUnit,
    Role,
    Side,
    Status,
    Step,
    Tie,
    TimetableKind,
    Wish,
)

__all__ = [
    "EnrolmentStatus", "Every", "Kind", "LineKind", "LinkPurpose", "Method", "NoteKind", "Origin", "Outcome",
    "RateUnit", "Role", "Side", "Status", "Step", "Tie", "TimetableKind", "Wish",
]

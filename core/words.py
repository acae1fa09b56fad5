"""The vocabulary of the tables, for those who know the core and not the database."""

from db.words import (
    DocumentKind,
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
    TotalOf,
    Wish,
)

__all__ = [
    "DocumentKind", "EnrolmentStatus", "Every", "Kind", "LineKind", "LinkPurpose", "Method", "NoteKind", "Origin",
    "Outcome", "RateUnit", "Role", "Side", "Status", "Step", "Tie", "TimetableKind", "TotalOf", "Wish",
]

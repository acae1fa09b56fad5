"""The vocabulary of the tables, for those who know the core and not the database."""

from db.words import Every, Kind, LinkPurpose, Method, Origin, Outcome, Role, Status, Tie, TimetableKind

__all__ = ["Every", "Kind", "LinkPurpose", "Method", "Origin", "Outcome", "Role", "Status", "Tie", "TimetableKind"]

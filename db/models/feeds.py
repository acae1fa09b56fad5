"""Addresses under which calendar programs read sessions. Their tokens are secrets, so history records none of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import words


class Feed(Numbered, Base):
    """One calendar address of a person: of their own sessions, or of those under a timetable that they may see."""

    __tablename__ = "feed"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    timetable_id: Mapped[int | None] = mapped_column(ForeignKey("timetable.id"))
    token_hash: Mapped[str] = words(64, 64, unique=True)
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


# One address of a kind works at a time: a new one ends the old one.
Index("ix_feed_works", Feed.person_id, text("coalesce(timetable_id, 0)"), unique=True,
      sqlite_where=Feed.revoked_at.is_(None), postgresql_where=Feed.revoked_at.is_(None))
Index("ix_feed_timetable_id", Feed.timetable_id)

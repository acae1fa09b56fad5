"""The rules that made repeated sessions."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import Json, choice, words
from db.words import Every


class Series(Numbered, Base):
    """When its sessions come: local days by a rule, at one wall-clock time, until a day or a count (C10, X3)."""

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("from_minute BETWEEN 0 AND 1439", name="from_minute"),
        CheckConstraint("minutes BETWEEN 15 AND 1440", name="minutes"),
        CheckConstraint("(until_day IS NULL) <> (times IS NULL)", name="one_end"),
        CheckConstraint("times BETWEEN 1 AND 520", name="times"),
        CheckConstraint("until_day >= first_day", name="forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    every: Mapped[Every] = choice(Every)
    weekdays: Mapped[list[int]] = mapped_column(Json, doc="0 is Monday; monthly ones have none")
    nth: Mapped[int | None] = mapped_column(doc="monthly on that one of the weekday, -1 the last; else by date")
    first_day: Mapped[date]
    until_day: Mapped[date | None]
    times: Mapped[int | None]
    from_minute: Mapped[int] = mapped_column(doc="after local midnight")
    minutes: Mapped[int] = mapped_column(doc="how long each takes")
    zone: Mapped[str] = words(64, 1)
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class SeriesSkip(Numbered, Base):
    """A day that a series leaves out, and why."""

    __tablename__ = "series_skip"
    __table_args__ = (UniqueConstraint("series_id", "day"),)

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    day: Mapped[date]
    reason: Mapped[str] = words(300, 1)

"""What sessions are linked to: courses, rooms, timetables."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import choice, words
from db.words import TimetableKind


class Course(Numbered, Base):
    """What sessions are linked to; learners are enrolled in it."""

    __tablename__ = "course"
    __table_args__ = (
        UniqueConstraint("programme_id", "name"),
        CheckConstraint("off_job_minutes >= 0", name="off_job_minutes"),
        CheckConstraint("weeks BETWEEN 1 AND 520", name="weeks"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)
    retired_at: Mapped[datetime | None]
    off_job_minutes: Mapped[int | None] = mapped_column(doc="off-the-job time that its learners are to reach")
    weeks: Mapped[int | None] = mapped_column(doc="how long it is planned to take")


class Room(Numbered, Base):
    """A place that takes one session at a time."""

    __tablename__ = "room"
    __table_args__ = (
        UniqueConstraint("programme_id", "name"),
        CheckConstraint("capacity > 0", name="capacity_positive"),
        CheckConstraint("smart OR NOT records", name="smart_records"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)
    capacity: Mapped[int]
    retired_at: Mapped[datetime | None]
    smart: Mapped[bool] = mapped_column(default=False, server_default=text("false"), doc="virtual, from a pool")
    records: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class Timetable(Numbered, Base):
    """Regular: a fixed weekly schedule with a roster. Custom: owned by exactly one practitioner."""

    __tablename__ = "timetable"
    __table_args__ = (
        UniqueConstraint("programme_id", "name"),
        CheckConstraint("(kind = 'custom') = (owner_id IS NOT NULL)", name="custom_has_owner"),
        CheckConstraint("slot_minutes BETWEEN 15 AND 1440 AND slot_minutes % 5 = 0", name="slot_minutes"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)
    kind: Mapped[TimetableKind] = choice(TimetableKind)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    retired_at: Mapped[datetime | None]
    slot_minutes: Mapped[int | None] = mapped_column(doc="how long its slots are; else as long as usual")


Index("ix_timetable_owner_id", Timetable.owner_id)

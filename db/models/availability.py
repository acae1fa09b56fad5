"""When people can be booked: weekly hours, exceptions, time off, closures, rosters, limits of one's own."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import words

WINDOW = (
    "from_minute >= 0 AND from_minute < until_minute AND until_minute <= 1440"
    " AND from_minute % 5 = 0 AND until_minute % 5 = 0"
)
"""Minutes after local midnight, in steps of five; the last minute of a day is its next midnight."""


class WeeklyWindow(Numbered, Base):
    """A stretch of a local weekday, every week from a day until a day (both counted).

    A person alone: their general hours. A person and a timetable: hours reserved for that custom timetable of theirs.
    A timetable alone: the schedule of a regular one.
    """

    __tablename__ = "weekly_window"
    __table_args__ = (
        CheckConstraint("person_id IS NOT NULL OR timetable_id IS NOT NULL", name="somebodys"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(WINDOW, name="window"),
        CheckConstraint("until_day >= from_day", name="days_forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    timetable_id: Mapped[int | None] = mapped_column(ForeignKey("timetable.id"))
    weekday: Mapped[int]
    from_minute: Mapped[int]
    until_minute: Mapped[int]
    zone: Mapped[str] = words(64, 1)
    from_day: Mapped[date]
    until_day: Mapped[date | None]


class DatedWindow(Numbered, Base):
    """An exception: the rows of a day replace its weekly windows. One without minutes says that there is nothing."""

    __tablename__ = "dated_window"
    __table_args__ = (
        CheckConstraint("(from_minute IS NULL) = (until_minute IS NULL)", name="whole"),
        CheckConstraint(WINDOW, name="window"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    timetable_id: Mapped[int | None] = mapped_column(ForeignKey("timetable.id"))
    day: Mapped[date]
    from_minute: Mapped[int | None]
    until_minute: Mapped[int | None]
    zone: Mapped[str] = words(64, 1)


class TimeOff(Numbered, Base):
    """When somebody cannot be booked in any programme."""

    __tablename__ = "time_off"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="forward"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None] = words(200)


class Closure(Numbered, Base):
    """Whole local days (both counted) on which a programme is closed."""

    __tablename__ = "closure"
    __table_args__ = (CheckConstraint("last_day >= first_day", name="forward"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    name: Mapped[str] = words(120, 1)


class Roster(Numbered, Base):
    """A practitioner who can be booked through a regular timetable."""

    __tablename__ = "roster"
    __table_args__ = (UniqueConstraint("timetable_id", "person_id"),)

    timetable_id: Mapped[int] = mapped_column(ForeignKey("timetable.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class OwnLimits(Numbered, Base):
    """What holds for one practitioner instead of the policy's buffers and limits; what is empty is the policy's."""

    __tablename__ = "own_limits"
    __table_args__ = (
        UniqueConstraint("programme_id", "person_id"),
        CheckConstraint(
            "buffer_before BETWEEN 0 AND 240 AND buffer_before % 5 = 0", name="buffer_before"),
        CheckConstraint("buffer_after BETWEEN 0 AND 240 AND buffer_after % 5 = 0", name="buffer_after"),
        CheckConstraint("most_a_day > 0", name="most_a_day"),
        CheckConstraint("most_a_week > 0", name="most_a_week"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    buffer_before: Mapped[int | None]
    buffer_after: Mapped[int | None]
    most_a_day: Mapped[int | None]
    most_a_week: Mapped[int | None]


Index("ix_weekly_window_person_id", WeeklyWindow.person_id, WeeklyWindow.programme_id)
Index("ix_weekly_window_timetable_id", WeeklyWindow.timetable_id)
Index("ix_weekly_window_programme_id", WeeklyWindow.programme_id)
Index("ix_dated_window_person_id", DatedWindow.person_id, DatedWindow.programme_id, DatedWindow.day)
Index("ix_dated_window_timetable_id", DatedWindow.timetable_id)
Index("ix_time_off_person_id", TimeOff.person_id, TimeOff.ends_at)
Index("ix_closure_programme_id", Closure.programme_id, Closure.last_day)

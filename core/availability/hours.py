"""What was said of when people can be booked, for the forms that change it, and who still has to say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, or_, select

from core.availability.commands import (
    LIMITS,
    Whose,
    Window,
    require_hours_of,
    require_time_off_of,
    rows_of,
)
from core.errors import NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.structure.queries import visible_timetables
from core.work import Work
from db.models.availability import Closure, DatedWindow, OwnLimits, Roster, TimeOff, WeeklyWindow
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.structure import Timetable
from db.words import Role


@dataclass(frozen=True)
class Kept:
    """One weekly window with its id."""

    id: int
    window: Window


@dataclass(frozen=True)
class Exceptional:
    """What one day has instead of its weekly hours, in minutes after local midnight; empty is nothing."""

    day: date
    zone: str
    hours: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Off:
    """A stretch of time off."""

    id: int
    person_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True)
class ClosedDays:
    """A closure; both days counted."""

    id: int
    name: str
    first_day: date
    last_day: date


def weekly_hours(work: Work, whose: Whose) -> list[Kept]:
    """All weekly windows of one owner, from Monday on. Raises NotFound, NotAllowed."""
    programme_of(work, whose.programme_id)
    require_hours_of(work, whose)
    names = list(Window.__dataclass_fields__)
    rows = work.tx.execute(
        select(WeeklyWindow.id, *(getattr(WeeklyWindow, name) for name in names)).where(*rows_of(WeeklyWindow, whose))
        .order_by(WeeklyWindow.weekday, WeeklyWindow.from_minute, WeeklyWindow.id)
    )
    return [Kept(row[0], Window(*row[1:])) for row in rows]


def exceptions(work: Work, whose: Whose, since: date) -> list[Exceptional]:
    """The days from one on that have hours of their own. Raises NotFound, NotAllowed."""
    programme_of(work, whose.programme_id)
    require_hours_of(work, whose)
    rows = work.tx.execute(
        select(DatedWindow.day, DatedWindow.zone, DatedWindow.from_minute, DatedWindow.until_minute)
        .where(*rows_of(DatedWindow, whose), DatedWindow.day >= since)
        .order_by(DatedWindow.day, DatedWindow.from_minute)
    )
    found: dict[tuple[date, str], list[tuple[int, int]]] = {}
    for day, zone, start, end in rows:
        listed = found.setdefault((day, zone), [])
        if start is not None and end is not None:
            listed.append((start, end))
    return [Exceptional(day, zone, tuple(hours)) for (day, zone), hours in found.items()]


def time_off(work: Work, person_id: int, since: datetime) -> list[Off]:
    """Somebody's time off that ends after an instant. Raises NotFound, NotAllowed."""
    require_time_off_of(work, [person_id])
    rows = work.tx.execute(
        select(TimeOff.id, TimeOff.person_id, TimeOff.starts_at, TimeOff.ends_at, TimeOff.reason)
        .where(TimeOff.person_id == person_id, TimeOff.ends_at > since).order_by(TimeOff.starts_at, TimeOff.id)
    )
    return [Off(*row[:4], row[4] or "") for row in rows]


def closures(work: Work, programme_id: int, since: date) -> list[ClosedDays]:
    """A programme's closures that end on a day or later; everybody in it may know. Raises NotFound."""
    programme_of(work, programme_id)
    rows = work.tx.execute(
        select(Closure.id, Closure.name, Closure.first_day, Closure.last_day)
        .where(Closure.programme_id == programme_id, Closure.last_day >= since)
        .order_by(Closure.first_day, Closure.id)
    )
    return [ClosedDays(*row) for row in rows]


def roster(work: Work, timetable_id: int) -> list[tuple[int, str]]:
    """Who can be booked through a regular timetable: ids and names. Raises NotFound."""
    programme_id = work.tx.scalar(select(Timetable.programme_id).where(Timetable.id == timetable_id))
    if programme_id is None or work.tx.scalar(select(Timetable.id).where(
            Timetable.id == timetable_id, visible_timetables(work, programme_id))) is None:
        raise NotFound
    rows = work.tx.execute(
        select(Person.id, Person.name).join(Roster, Roster.person_id == Person.id)
        .where(Roster.timetable_id == timetable_id).order_by(Person.name, Person.id)
    )
    return [(row.id, row.name) for row in rows]


def own_limits(work: Work, programme_id: int, person_id: int) -> dict[str, int | None]:
    """What holds for one practitioner instead of the policy's. Raises NotFound, NotAllowed."""
    require_hours_of(work, Whose(programme_id, person_id))
    row: Sequence[Any] | None = work.tx.execute(
        select(*(getattr(OwnLimits, name) for name in LIMITS))
        .where(OwnLimits.programme_id == programme_id, OwnLimits.person_id == person_id)
    ).first()
    return dict(zip(LIMITS, row or (None,) * len(LIMITS), strict=True))


def not_bookable(work: Work, programme_id: int) -> list[tuple[int, str]]:
    """The practitioners without any hours from today on, whom nobody can book: ids and names, for staff.

    Raises NotFound, NotAllowed.
    """
    require(work, Action.AVAILABILITY_EDIT, programme_id)
    today = work.now.astimezone(programme_of(work, programme_id).zone).date()
    weekly = exists().where(
        WeeklyWindow.person_id == Person.id, WeeklyWindow.programme_id == programme_id,
        or_(WeeklyWindow.until_day.is_(None), WeeklyWindow.until_day >= today))
    dated = exists().where(
        DatedWindow.person_id == Person.id, DatedWindow.programme_id == programme_id, DatedWindow.day >= today,
        DatedWindow.from_minute.is_not(None))
    rows = work.tx.execute(
        select(Person.id, Person.name).join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.programme_id == programme_id, RoleGrant.role == Role.PRACTITIONER,
               Person.disabled_at.is_(None), ~weekly, ~dated)
        .order_by(Person.name, Person.id)
    )
    return [(row.id, row.name) for row in rows]

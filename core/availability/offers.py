"""What the form for a time offers before it is sent: how free each day is, and who else is free at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.availability.queries import Ask, free_times, practitioners
from core.availability.rules import CELL, FreeTime, Span, hours_bits
from core.clock import day_start
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.sessions import Session, SessionCourse

STEP = timedelta(seconds=CELL)


class Mark(StrEnum):
    """How much of a day is left for those concerned, within all hours that hold."""

    FREE = "free"
    PARTLY = "partly taken"
    FULL = "fully taken"
    CLOSED = "closed"


def day_marks(free: FreeTime, days: Iterable[date], length: timedelta, zone: ZoneInfo) -> dict[date, Mark]:
    """How free each day (of the zone that times are shown in) is for something of that length (C6).

    The length is a multiple of five minutes, and the days lie within what was looked at.
    """
    starts, left = free.start_bits(length, STEP), free.free
    marks: dict[date, Mark] = {}
    for day in days:
        within = free.frame.touched([_day(day, zone)])
        taken = free.open & ~left & within
        if starts & within:
            marks[day] = Mark.PARTLY if taken else Mark.FREE
        else:
            marks[day] = Mark.FULL if taken else Mark.CLOSED
    return marks


def open_spans(free: FreeTime, day: date, zone: ZoneInfo) -> list[Span]:
    """When the programme is open on a day; epoch seconds."""
    return list(free.frame.runs(free.house.bits(free.frame) & free.frame.touched([_day(day, zone)])))


def hours_spans(free: FreeTime, day: date, zone: ZoneInfo) -> list[Span]:
    """When the practitioner has hours on a day, what is taken aside; epoch seconds."""
    bits = hours_bits(free.frame, free.leader, free.way) if free.leader is not None else 0
    bits &= ~free.frame.touched(free.leader.off if free.leader is not None else ())
    return list(free.frame.runs(bits & free.frame.touched([_day(day, zone)])))


def _day(day: date, zone: ZoneInfo) -> Span:
    return (int(day_start(day, zone).timestamp()), int(day_start(day + timedelta(days=1), zone).timestamp()))


@dataclass(frozen=True)
class Candidate:
    """A practitioner who can be booked at a time; `led`: they led one of the courses asked about before."""

    id: int
    name: str
    led: bool


def free_then(
    work: Work, programme_id: int, starts_at: datetime, ends_at: datetime, *, people: Collection[int] = (),
    room_id: int | None = None, timetable_id: int | None = None, course_ids: Collection[int] = (),
    but: int | None = None, skill: str = "",
) -> list[Candidate]:
    """Whoever can be booked then, with those people and in that room: who led these courses first, then by name.

    With a skill, of those whose profile says it. Nobody where those people or the room are not to be had, and nobody
    but its owner through a custom timetable. Raises NotFound.
    """
    without = () if but is None else (but,)
    together = Ask(starts_at, ends_at, None, frozenset(people), room_id)
    asks = [Ask(starts_at, ends_at, person, timetable_id=timetable_id)
            for person in sorted(practitioners(work, programme_id, skill=skill) - set(people))]
    first, *others = free_times(work, programme_id, [together, *asks], without)
    if first.problem(starts_at, ends_at) is not None:
        return []
    leaders = [free.leader for free in others if free.leader is not None
               and (free.way is None or free.way.owner_id in (None, free.leader.id))
               and free.problem(starts_at, ends_at) is None]
    led = _led(work, programme_id, {leader.id for leader in leaders}, course_ids)
    found = [Candidate(leader.id, leader.name, leader.id in led) for leader in leaders]
    return sorted(found, key=lambda one: (not one.led, one.name.casefold(), one.id))


def _led(work: Work, programme_id: int, people: Collection[int], course_ids: Collection[int]) -> set[int]:
    """Those who led sessions on any of these courses, as far as the viewer may see."""
    if not people or not course_ids:
        return set()
    return {person for person in work.tx.scalars(
        select(Session.practitioner_id).join(SessionCourse, SessionCourse.session_id == Session.id).where(
            visible_sessions(work, programme_id), Session.practitioner_id.in_(people), Session.cancelled_at.is_(None),
            SessionCourse.course_id.in_(course_ids)).distinct()) if person is not None}

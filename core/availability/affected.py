"""What a change of hours would leave outside them, to be shown before it is saved (B13)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from core.availability.facts import facts_about
from core.availability.queries import Placed, near_each_other
from core.availability.rules import FAR_AHEAD, Closed, Dated, Frame, FreeTime, House, Leader, Week, Weekly, Windows
from core.clock import day_start
from core.programmes.queries import programme_of
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.sessions import Session
from db.words import Status

ASSESSED_AT_MOST = 5_000
"""Sessions ahead that the effect of a change is worked out for."""


@dataclass(frozen=True)
class Change:
    """A change that is meant, in one programme; what is not named stays as it is."""

    programme_id: int
    person_id: int | None = None
    timetable_id: int | None = None
    weekly: tuple[Weekly, ...] | None = None
    """All weekly windows of the person (in that own timetable, if one is named), or the timetable's schedule."""
    day: date | None = None
    dated: tuple[Dated, ...] = ()
    """What that day has from now on; nothing gives it back its weekly windows."""
    off: tuple[datetime, datetime] | None = None
    """More time off of the person's."""
    closed: Closed | None = None
    """One more closure."""
    roster: frozenset[int] | None = None
    """Everybody on the timetable's roster."""


@dataclass(frozen=True)
class Affected:
    """A session ahead that would lie outside, and why."""

    session_id: int
    number: int
    programme_id: int
    practitioner_id: int | None
    starts_at: datetime
    ends_at: datetime
    why: str


@dataclass(frozen=True)
class _Ahead(Placed):
    number: int = 0


def affected(work: Work, change: Change) -> list[Affected]:
    """The sessions ahead, of those that the viewer may see, that are within hours now and would not be any more.

    Time off counts in every programme. They stay booked whatever is saved. Raises NotFound.
    """
    programme_of(work, change.programme_id)
    programmes = [change.programme_id]
    if change.off is not None:
        programmes = sorted({*work.actor.programmes(), change.programme_id})
    return sorted((one for id_ in programmes for one in _here(work, replace(change, programme_id=id_))),
                  key=lambda one: (one.starts_at, one.session_id))


def _here(work: Work, change: Change) -> list[Affected]:
    ahead = _ahead(work, change)
    if not ahead:
        return []
    programme = programme_of(work, change.programme_id)
    since, until = (int(at.timestamp()) for at in (ahead[0].starts_at, max(one.ends_at for one in ahead)))
    facts = facts_about(
        work, programme.id, {one.practitioner_id for one in ahead if one.practitioner_id is not None},
        {one.timetable_id for one in ahead if one.timetable_id is not None}, since, until,
    )
    house = House(programme.policy, programme.zone_name, FAR_AHEAD, facts.closures)
    found = []
    for group in near_each_other(ahead, programme.zone_name):
        frame = Frame.of(group[0].starts_at, max(one.ends_at for one in group))
        for one in group:
            known = facts.leaders.get(one.practitioner_id or 0)
            before = FreeTime(frame, house, _only_hours(known), facts.ways.get(one.timetable_id or 0))
            if before.problem(one.starts_at, one.ends_at) is not None:
                continue
            problem = _changed(before, change).problem(one.starts_at, one.ends_at)
            if problem is not None:
                found.append(Affected(one.item, one.number, programme.id, one.practitioner_id, one.starts_at,
                                      one.ends_at, problem.sentence))
    return found


def _only_hours(leader: Leader | None) -> Leader | None:
    """Neither buffers nor limits, which a change of hours does not touch."""
    return None if leader is None else Leader(leader.id, leader.name, leader.general, leader.own, leader.off)


def _changed(free: FreeTime, change: Change) -> FreeTime:
    """The same as if the change had been saved."""
    house, leader, way = free.house, free.leader, free.way
    if change.closed is not None:
        house = House(house.policy, house.zone, house.now, [*house.closures, change.closed])
    if leader is not None and leader.id == change.person_id:
        general, own = leader.general, dict(leader.own)
        if change.timetable_id is not None:
            own[change.timetable_id] = _windows(own.get(change.timetable_id, Windows()), change)
        else:
            general = _windows(general, change)
        off = [(int(change.off[0].timestamp()), int(change.off[1].timestamp()))] if change.off else []
        leader = Leader(leader.id, leader.name, general, own, [*leader.off, *off])
    if way is not None and way.id == change.timetable_id and change.person_id is None:
        schedule = way.schedule if change.weekly is None else Windows(Week(change.weekly))
        way = replace(way, schedule=schedule, roster=way.roster if change.roster is None else change.roster)
    return FreeTime(free.frame, house, leader, way)


def _windows(known: Windows, change: Change) -> Windows:
    weekly = known.weekly if change.weekly is None else Week(change.weekly)
    dated = known.dated
    if change.day is not None:
        dated = [each for each in dated if each.day != change.day.toordinal()] + [*change.dated]
    return Windows(weekly, dated)


def _ahead(work: Work, change: Change) -> list[_Ahead]:
    """Sessions ahead that the change can touch at all."""
    programme = programme_of(work, change.programme_id)
    where: list[ColumnElement[bool]] = [
        visible_sessions(work, programme.id), Session.starts_at >= work.now, Session.status != Status.CANCELLED,
    ]
    if change.person_id is not None:
        where.append(Session.practitioner_id == change.person_id)
    elif change.timetable_id is not None:
        where.append(Session.timetable_id == change.timetable_id)
    for since, until in _when(change, work):
        where += [Session.starts_at < until, Session.ends_at > since]
    rows: Sequence[Any] = work.tx.execute(
        select(Session.id, Session.practitioner_id, Session.timetable_id, Session.starts_at, Session.ends_at,
               Session.number)
        .where(*where).order_by(Session.starts_at, Session.id).limit(ASSESSED_AT_MOST)
    ).all()
    return [_Ahead(row.id, row.practitioner_id, row.timetable_id, row.starts_at, row.ends_at, number=row.number)
            for row in rows]


def _when(change: Change, work: Work) -> Collection[tuple[datetime, datetime]]:
    zone = programme_of(work, change.programme_id).zone
    if change.off is not None:
        return [change.off]
    if change.closed is not None:
        return [(day_start(date.fromordinal(change.closed.first), zone),
                 day_start(date.fromordinal(change.closed.last + 1), zone))]
    return []

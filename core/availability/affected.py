"""What a change of hours, limits or policy would leave outside, to be shown before it is saved (B12, B13).

Of too many in a day or a week it is the later ones that lie outside. Notice is for what is booked, not for what is.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from core.availability.facts import Facts, facts_about, taken_of
from core.availability.queries import APART, Placed, near_each_other
from core.availability.rules import (
    FAR_AHEAD,
    Calendar,
    Closed,
    Dated,
    Frame,
    FreeTime,
    House,
    Leader,
    Limits,
    Week,
    Weekly,
    Windows,
)
from core.clock import day_start
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Policy
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.availability import OwnLimits
from db.models.sessions import Session
from db.words import Status

ASSESSED_AT_MOST = 5_000
"""Sessions ahead that the effect of a change is worked out for."""


OwnOnes = tuple[int | None, int | None, int | None, int | None]
"""Minutes free before and after each session, most a day and a week, of one person; None is the policy's."""


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
    limits: OwnOnes | None = None
    """The person's own buffers and limits."""
    policy: Policy | None = None
    """The whole policy of the programme."""


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
    programme = programme_of(work, change.programme_id)
    new = change.policy or programme.policy
    hours = change.limits is None and (change.policy is None or _hours(new) != _hours(programme.policy))
    limits = change.limits is not None or Limits.of(new) != Limits.of(programme.policy)
    ahead = _ahead(work, change) if hours or limits else []
    if not ahead:
        return []
    since, until = (int(at.timestamp()) for at in (ahead[0].starts_at, max(one.ends_at for one in ahead)))
    facts = facts_about(
        work, programme.id, {one.practitioner_id for one in ahead if one.practitioner_id is not None},
        {one.timetable_id for one in ahead if one.timetable_id is not None}, since, until,
    )
    found: dict[int, tuple[_Ahead, str]] = {}
    if limits:
        found |= {one.item: (one, why) for one, why in _against_limits(work, programme, change, ahead, facts)}
    if hours:
        found |= {one.item: (one, why) for one, why in _outside_hours(programme, change, ahead, facts)}
    return [Affected(one.item, one.number, programme.id, one.practitioner_id, one.starts_at, one.ends_at, why)
            for one, why in found.values()]


def _hours(policy: Policy) -> tuple[object, ...]:
    """What of a policy says when it is open."""
    return policy.open_hours, policy.holidays_country, policy.holidays_region


def _outside_hours(
    programme: ProgrammeView, change: Change, ahead: Sequence[_Ahead], facts: Facts
) -> Iterator[tuple[_Ahead, str]]:
    house = House(programme.policy, programme.zone_name, FAR_AHEAD, facts.closures)
    then = _house_then(house, change)
    for group in near_each_other(ahead, programme.zone_name):
        frame = Frame.of(group[0].starts_at, max(one.ends_at for one in group))
        for one in group:
            known = facts.leaders.get(one.practitioner_id or 0)
            before = FreeTime(frame, house, _only_hours(known), facts.ways.get(one.timetable_id or 0))
            if before.problem(one.starts_at, one.ends_at) is not None:
                continue
            problem = _changed(before, then, change).problem(one.starts_at, one.ends_at)
            if problem is not None:
                yield one, problem.sentence


def _only_hours(leader: Leader | None) -> Leader | None:
    """Neither buffers nor limits, which a change of hours does not touch."""
    return None if leader is None else Leader(leader.id, leader.name, leader.general, leader.own, leader.off)


def _house_then(house: House, change: Change) -> House:
    closed = [] if change.closed is None else [change.closed]
    return House(change.policy or house.policy, house.zone, house.now, [*house.closures, *closed])


def _changed(free: FreeTime, house: House, change: Change) -> FreeTime:
    """The same as if the change had been saved, which makes the programme's house this one."""
    leader, way = free.leader, free.way
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


def _against_limits(
    work: Work, programme: ProgrammeView, change: Change, ahead: Sequence[_Ahead], facts: Facts
) -> Iterator[tuple[_Ahead, str]]:
    """Those that buffers or limits stand against then, and do not now."""
    then = _limits_then(work, programme, change, facts)
    different = {id_ for id_, limits in then.items() if limits != facts.leaders[id_].limits}
    led = [one for one in ahead if one.practitioner_id in different]
    groups = near_each_other(led, programme.zone_name)
    asked = [(number, group[0].practitioner_id or 0, int(group[0].starts_at.timestamp()) - APART,
              int(max(one.ends_at for one in group).timestamp()) + APART) for number, group in enumerate(groups)]
    taken = {number: calendar for number, _, calendar in taken_of(work, "person_id", asked)}
    starts = _starts(work, programme.id, led)
    zone = programme.zone_name
    always = Windows(Week(Weekly(day, 0, 24 * 60, zone) for day in range(7)))
    house = House(change.policy or programme.policy, zone, FAR_AHEAD).at_any_time
    for number, group in enumerate(groups):
        who = group[0].practitioner_id or 0
        leader = Leader(who, facts.leaders[who].name, always, taken=taken.get(number, Calendar()))
        for one in group:
            frame, at = Frame.of(one.starts_at, one.ends_at), int(one.starts_at.timestamp())
            earlier = starts[who][bisect_left(starts[who], at - APART):bisect_left(starts[who], at)]
            now, problem = (
                FreeTime(frame, house, replace(leader, limits=limits, led=earlier))
                .problem(one.starts_at, one.ends_at, overlaps=False)
                for limits in (facts.leaders[who].limits, then[who]))
            if now is None and problem is not None:
                yield one, problem.sentence


def _limits_then(work: Work, programme: ProgrammeView, change: Change, facts: Facts) -> Mapping[int, Limits]:
    policy = change.policy or programme.policy
    own = {row[0]: row[1:] for row in work.tx.execute(
        select(OwnLimits.person_id, OwnLimits.buffer_before, OwnLimits.buffer_after, OwnLimits.most_a_day,
               OwnLimits.most_a_week).where(OwnLimits.programme_id == programme.id))}
    if change.limits is not None and change.person_id is not None:
        own[change.person_id] = change.limits
    return {id_: Limits.of(policy, *own.get(id_, ())) for id_ in facts.leaders}


def _starts(work: Work, programme_id: int, led: Sequence[_Ahead]) -> Mapping[int, list[int]]:
    """When the sessions that limits count begin, by practitioner, from the days before the first of these on."""
    if not led:
        return {}
    first, last = (pick(one.starts_at for one in led) for pick in (min, max))
    found: dict[int, list[int]] = {}
    rows: Sequence[Any] = work.tx.execute(
        select(Session.practitioner_id, Session.starts_at).where(
            Session.practitioner_id.in_({one.practitioner_id for one in led}), Session.programme_id == programme_id,
            Session.starts_at > first - timedelta(seconds=APART), Session.starts_at <= last,
            Session.cancelled_at.is_(None),
        ).order_by(Session.starts_at)
    ).all()
    for person, at in rows:
        found.setdefault(person, []).append(int(at.timestamp()))
    return found


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

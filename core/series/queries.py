"""How the dates of a series stand before they are booked, and a booked series as its sessions show it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.availability.offers import Candidate
from core.availability.queries import OFFER_STEP, Ask, Placed, free_times, hours_problems, practitioners
from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Invalid, NotFound
from core.permissions import OPEN, Action, allows, may, require
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import STEP
from core.series.rules import KEEP, Choice, Occurrence, Rule, Scope, State, What, occurrences
from core.sessions.booking import LIES_BEHIND, check_own, with_owner
from core.sessions.busy import Wanted, clash_sentence, clashes_with
from core.sessions.checks import check_references, learners_of
from core.sessions.fixes import Fix, FixKind, FixRow
from core.sessions.fixes import preview as fix_preview
from core.sessions.pool import Sought, allot, pool
from core.sessions.rules import Booking, Clash
from core.sessions.visible import facts_of, one_case, visible_sessions
from core.work import Work
from db.models.series import Series, SeriesSkip
from db.models.sessions import Session
from db.words import Method, Role

AROUND = timedelta(days=3)
"""So far from a date another time is offered for it."""
MOST_OTHERS = 25
"""Dates for which somebody else is looked for at once."""


@dataclass(frozen=True)
class Planned:
    """One date of a series that is to be booked, as it stands with what was decided about it."""

    day: date
    starts_at: datetime
    ends_at: datetime
    choice: Choice
    state: State
    why: str = ""
    remark: str | None = None
    offered: datetime | None = None
    """The nearest time that would do, where this one does not."""
    others: tuple[Candidate, ...] = ()
    """Who could lead it at its time instead."""
    overridable: bool = False
    """Nothing but hours stand against it, and the viewer may book all the same, with a reason."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide about it."""
        return self.state in (State.OK, State.SKIPPED) and not self.choice.problems()


# Before it is booked -------------------------------------------------------------------------------------------------


def plan(
    work: Work, booking: Booking, rule: Rule, choices: Mapping[date, Choice] | None = None,
    others_for: Collection[date] | None = None,
) -> list[Planned]:
    """Every date of a series, by the checks of a booking (X1), with what else would do where it does not (C10).

    Somebody else is looked for on the days `others_for`, or on the first MOST_OTHERS that need it. As many statements
    for one date as for all. Raises NotAllowed, NotFound, Invalid for what no date could have.
    """
    programme = programme_of(work, booking.programme_id)
    listed = series_bookings(work, booking, rule, choices or {})
    client = not may(work, Action.SESSION_BOOK, programme.id, but=Role.LEARNER)
    going = {n: each for n, (_, choice, each) in enumerate(listed) if choice.what is not What.SKIP}
    learners = dict(zip(going, learners_of(work, programme, list(going.values())), strict=True))
    if client:
        check_own(work, learners.values())
    check_references(work, programme, list(going), list(going.values()), list(learners.values()))
    wanted = {n: _wanted(n, each, learners[n]) for n, each in going.items()}
    clashes: dict[int, list[Clash]] = {}
    for clash in clashes_with(work, programme.id, list(wanted.values())):
        clashes.setdefault(clash.item, []).append(clash)
    hours = hours_problems(work, programme.id, [
        Placed(n, each.practitioner_id, each.timetable_id, each.starts_at, each.ends_at)
        for n, each in going.items() if each.starts_at is not None and each.ends_at is not None
    ])
    seeking = [Sought(n, len(learners[n]), each.records, wanted[n]) for n, each in going.items()
               if each.method == Method.SMART and each.room_id is None]
    rooms = pool(work, programme.id) if seeking else ()
    housed = allot(work, rooms, seeking).keys() if seeking else set[int]()
    unhoused = {one.item for one in seeking} - housed
    overrides = may(work, Action.HOURS_OVERRIDE, programme.id)
    found = []
    for n, (one, choice, each) in enumerate(listed):
        starts_at = each.starts_at or one.starts_at
        state, why = (State.SKIPPED, choice.reason) if n not in going else (State.OK, "")
        if client and n in going and starts_at < work.now:
            state, why = State.CLOSED, LIES_BEHIND
        elif n in clashes:
            rooms_alone = all(not clash.person_id for clash in clashes[n])
            state = State.NO_ROOM if rooms_alone else State.CLASH
            why = clash_sentence(work, programme.id, clashes[n])
        elif n in unhoused:
            state, why = State.NO_ROOM, "No smart room is free then."
        elif n in hours and not (choice.what is What.ANYWAY and overrides):
            state, why = State.CLOSED, hours[n].sentence
        found.append(Planned(
            one.day, starts_at, each.ends_at or one.ends_at, choice, state, why,
            one.remark if choice.what is not What.MOVE else None,
            overridable=overrides and n in hours and n not in clashes and n not in unhoused))
    fitting = {one.item: tuple(room.id for room in rooms if one.fits(room)) for one in seeking}
    found = _with_times(work, programme, found, wanted, fitting)
    return _with_others(work, programme, found, wanted, clashes, others_for)


def series_bookings(
    work: Work, booking: Booking, rule: Rule, choices: Mapping[date, Choice]
) -> list[tuple[Occurrence, Choice, Booking]]:
    """Every day of a rule with what was decided and what would be booked. Raises NotAllowed, Invalid."""
    require(work, Action.SESSION_BOOK, booking.programme_id)
    programme = programme_of(work, booking.programme_id)
    found = rule.problems()
    if booking.number is not None:
        found["number"] = "Leave it empty: each of them takes the next free number."
    days = [] if found else occurrences(rule)
    whole = with_owner(work, programme, replace(booking, minutes=rule.minutes, number=None))
    if days or not found:
        found.update(replace(whole, starts_at=days[0].starts_at).problems(programme.policy))
    if found:
        raise Invalid(found)
    listed = []
    for one in days:
        choice = choices.get(one.day, KEEP)
        listed.append((one, choice, replace(
            whole, series_day=one.day,
            starts_at=(choice.starts_at if choice.what is What.MOVE else None) or one.starts_at,
            practitioner_id=choice.practitioner_id if choice.what is What.OTHER else whole.practitioner_id,
            reason=choice.reason.strip() if choice.what is What.ANYWAY else None,
        )))
    return listed


def _wanted(n: int, booking: Booking, learners: Sequence[int]) -> Wanted:
    assert booking.starts_at is not None  # every date of a series has one
    assert booking.ends_at is not None
    leader = () if booking.practitioner_id is None else (booking.practitioner_id,)
    return Wanted(n, frozenset((*learners, *leader)), booking.room_id, booking.starts_at, booking.ends_at,
                  practitioner_id=booking.practitioner_id, timetable_id=booking.timetable_id)


def _with_times(
    work: Work, programme: ProgrammeView, rows: Sequence[Planned], wanted: Mapping[int, Wanted],
    fitting: Mapping[int, tuple[int, ...]],
) -> list[Planned]:
    """The same with the nearest free time beside each date that cannot be, none that another of them has.

    Where one of several rooms will do, `fitting` says which.
    """
    open_ = [n for n, row in enumerate(rows) if row.state not in (State.OK, State.SKIPPED)]
    asked: list[int] = []
    asks = []
    for n in open_:
        one = wanted[n]
        minute = one.starts_at.replace(minute=one.starts_at.minute // STEP * STEP, second=0, microsecond=0)
        for room_id in fitting.get(n, (one.room_id,)):
            asked.append(n)
            asks.append(Ask(minute - AROUND, minute + AROUND + (one.ends_at - one.starts_at), one.practitioner_id,
                            one.people - {one.practitioner_id}, room_id, one.timetable_id))
    free: dict[int, set[datetime]] = {n: set() for n in open_}
    for n, each in zip(asked, free_times(work, programme.id, asks), strict=True):
        free[n].update(each.starts(wanted[n].ends_at - wanted[n].starts_at, OFFER_STEP))
    found = list(rows)
    taken = {n: (row.starts_at, row.ends_at) for n, row in enumerate(rows) if row.state is State.OK}
    for n in open_:
        row, length = rows[n], wanted[n].ends_at - wanted[n].starts_at
        near = [span for span in taken.values() if abs(span[0] - row.starts_at) <= AROUND + timedelta(days=1)]
        times = [
            at for at in free[n]
            if at >= min(work.now, row.starts_at) and FIRST_DAY <= at.date() <= LAST_DAY
            and not any(a < at + length and at < b for a, b in near)
        ]
        if times:
            at = min(times, key=lambda at: (abs(at - row.starts_at), at < row.starts_at))
            taken[n] = (at, at + length)
            found[n] = replace(row, offered=at)
    return found


def _with_others(
    work: Work, programme: ProgrammeView, rows: Sequence[Planned], wanted: Mapping[int, Wanted],
    clashes: Mapping[int, Sequence[Clash]], others_for: Collection[date] | None,
) -> list[Planned]:
    """The same with whoever else could lead, where nobody stands against it but who leads."""
    open_ = [
        n for n, row in enumerate(rows)
        if (row.state in (State.CLASH, State.CLOSED) or row.choice.what is What.OTHER) and n in wanted
        and wanted[n].practitioner_id is not None
        and all(clash.person_id == wanted[n].practitioner_id for clash in clashes.get(n, ()))
        and (others_for is None or row.day in others_for)
    ][:MOST_OTHERS]
    found = list(rows)
    if not open_:
        return found
    everybody = sorted(practitioners(work, programme.id))
    asks = [
        Ask(wanted[n].starts_at, wanted[n].ends_at, person, timetable_id=wanted[n].timetable_id)
        for n in open_ for person in everybody
    ]
    free = free_times(work, programme.id, asks)
    for place, n in enumerate(open_):
        one, theirs = wanted[n], free[place * len(everybody):(place + 1) * len(everybody)]
        able = [
            Candidate(each.leader.id, each.leader.name, led=False) for each in theirs
            if each.leader is not None and each.leader.id not in one.people - {rows[n].choice.practitioner_id}
            and (each.way is None or each.way.owner_id in (None, each.leader.id))
            and each.problem(one.starts_at, one.ends_at) is None
        ]
        found[n] = replace(rows[n], others=tuple(sorted(able, key=lambda each: (each.name.casefold(), each.id))))
    return found


# As it was booked ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SeriesView:
    """A session's place in its series, as far as the viewer may see. Neighbours are ids, by the days of the series."""

    series_id: int
    position: int
    count: int
    earlier: int | None
    later: int | None
    skipped: tuple[tuple[date, str], ...]
    """Days left out, and why; nothing for those who may not read what sessions are about."""
    may_book: bool


def series_of(work: Work, session_id: int) -> SeriesView | None:
    """The series that a session is part of, or nothing. Raises NotFound where the session is not there (X6)."""
    case = one_case(work, session_id)
    series_id = work.tx.scalar(select(Session.series_id).where(Session.id == session_id))
    if series_id is None:
        return None
    ids = list(work.tx.scalars(select(Session.id).where(
        visible_sessions(work, case.programme_id), Session.series_id == series_id).order_by(Session.series_day)))
    at = ids.index(session_id)
    told = allows(work.actor, Action.SESSION_DESCRIBE, case)
    skipped = work.tx.execute(
        select(SeriesSkip.day, SeriesSkip.reason).where(SeriesSkip.series_id == series_id).order_by(SeriesSkip.day)
    ).all() if told else []
    return SeriesView(
        series_id, at + 1, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None,
        tuple((row.day, row.reason) for row in skipped), may(work, Action.SESSION_BOOK, case.programme_id))


def in_scope(work: Work, session_id: int, scope: Scope) -> tuple[list[int], dict[int, str]]:
    """The sessions that a change reaches, by the days of the series, and why some of them stay as they are (C10).

    What has started, has come to something or was changed by hand stays. Raises NotFound, Invalid.
    """
    case = one_case(work, session_id)
    at = work.tx.execute(select(Session.series_id, Session.series_day).where(Session.id == session_id)).one()
    if at.series_id is None:
        raise Invalid({"scope": "It is not part of a series."})
    reached = {Scope.THIS: Session.id == session_id, Scope.FOLLOWING: Session.series_day >= at.series_day,
               Scope.ALL: Session.series_id == at.series_id}[scope]
    rows = work.tx.execute(select(Session.id, Session.moved_at, Session.joined_at).where(
        visible_sessions(work, case.programme_id), Session.series_id == at.series_id, reached
    ).order_by(Session.series_day)).all()
    facts = {one.id: one for one in facts_of(work, [row.id for row in rows])}
    stays: dict[int, str] = {}
    for row in rows:
        one = facts[row.id]
        if one.status not in OPEN:
            stays[row.id] = f"It is {one.status}."
        elif row.joined_at is not None or (one.starts_at is not None and one.starts_at <= work.now):
            stays[row.id] = "It has started."
        elif row.moved_at is not None and scope is not Scope.THIS:
            stays[row.id] = "It was changed by hand."
    return [row.id for row in rows], stays


def preview_change(
    work: Work, session_id: int, scope: Scope, fix: Fix, zone: ZoneInfo | None = None
) -> list[FixRow]:
    """Before and after of every session that a change of the series reaches, or why it stays. Raises NotFound, Invalid.

    `fix` says what changes: see `moved_like` for another time.
    """
    ids, stays = in_scope(work, session_id, scope)
    return fix_preview(work, fix, ids, zone=zone, stays=stays)


def moved_like(before: datetime, after: datetime, minutes: int, zone: ZoneInfo, reason: str = "") -> Fix:
    """What moves the others of a series as one of them is moved: so many days on, and to the same time on the wall."""
    old, new = before.astimezone(zone), after.astimezone(zone)
    return Fix(FixKind.SHIFT, days=(new.date() - old.date()).days, clock=new.time().replace(tzinfo=None),
               length=minutes, reason=reason)


def visible_series(work: Work, series_id: int) -> Series:
    """A series of which the viewer may see a session. Raises NotFound."""
    series = work.tx.get(Series, series_id)
    if series is None or not (work.actor.everything or series.programme_id in work.actor.roles):
        raise NotFound
    if work.tx.scalar(select(Session.id).where(
            visible_sessions(work, series.programme_id), Session.series_id == series_id).limit(1)) is None:
        raise NotFound
    return series


__all__ = [
    "Planned", "SeriesView", "in_scope", "moved_like", "plan", "preview_change", "series_bookings", "series_of",
    "visible_series",
]

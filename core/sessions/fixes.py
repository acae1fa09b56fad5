"""Quick fixes: one change to many sessions, shown row by row before it is made, and made as one act.

Offering and making are planned by the same function, so that what the preview calls fine is what is done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from core.availability.queries import Placed, hours_problems, keeps_apart
from core.clock import resolve, when_words
from core.errors import Conflict, Invalid, NotFound
from core.permissions import Action, Case, allows, may, too_late, why_not
from core.programmes.queries import ProgrammeView, policy_of, programme_of
from core.programmes.rules import BookingField
from core.sessions.busy import Overlap, Wanted, clash_sentence, lock, named, overlaps
from core.sessions.changing import (
    NO_LONGER_THEIRS,
    ROOM_RETIRED,
    Move,
    Reassign,
    Venue,
    change_venue,
    reassign_sessions,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.checks import Place, holding, misfits, rooms_of, wrong_room
from core.sessions.ending import WHOSE_WISH, LateChange, asks_wish, cancel_sessions
from core.sessions.pool import Sought, allot, pool
from core.sessions.rules import Clash, text_problems, time_problems
from core.sessions.visible import cases_for, facts_of, seen
from core.work import Work
from db.models.people import Person, Team
from db.models.programmes import RoleGrant
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.models.structure import Room, Timetable
from db.words import Method, Role, Status

MOST = 520
"""Sessions in one quick fix; as many as the longest series has."""
FARTHEST = timedelta(days=366)


class FixKind(StrEnum):
    """What a quick fix changes."""

    REASSIGN = "reassign"
    SHIFT = "shift in time"
    VENUE = "change venue"
    OFF = "take off the calendar"
    CANCEL = "cancel"


NEEDS = {
    FixKind.REASSIGN: Action.SESSION_REASSIGN, FixKind.SHIFT: Action.SESSION_RESCHEDULE,
    FixKind.VENUE: Action.SESSION_RESCHEDULE, FixKind.OFF: Action.SESSION_RESCHEDULE,
    FixKind.CANCEL: Action.SESSION_CANCEL,
}
FREES = frozenset({FixKind.OFF, FixKind.CANCEL})
"""What takes nobody's time, but gives it back."""


@dataclass(frozen=True)
class Fix:
    """One change, meant for many. Days are shifted by the clock on the wall, hours and minutes by elapsed time."""

    kind: FixKind
    practitioner_id: int | None = None
    """None takes the present one off (A11)."""
    days: int = 0
    hours: int = 0
    minutes: int = 0
    clock: time | None = None
    """The time on the wall that each gets, whatever it has."""
    length: int | None = None
    """How many minutes each takes from then on; else as many as before."""
    room_id: int | None = None
    location: str = ""
    reason: str = ""
    """Why they are cancelled, or why hours do not hold their new time."""
    late: LateChange | None = None
    """Whose wish it is, for those that begin inside the notice (E8)."""


@dataclass(frozen=True)
class FixRow:
    """What a fix does to one session, in words; `refused` says why it does nothing to it."""

    session_id: int
    number: int
    version: int
    who: str
    """Who leads it, and the team or learners: 'Tom Brady with The Bakers'."""
    before: str
    after: str
    refused: str | None
    asks_reason: bool = False
    """With a reason it would not be refused."""
    asks_wish: bool = False
    """It begins inside the notice, and takes a meeting from learners (E8)."""
    starts_at: datetime | None = None
    """When it takes place before the change."""


@dataclass
class _Plan:
    """One session with what is wanted of it."""

    session: Any
    learners: tuple[int, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    practitioner_id: int | None
    room_id: int | None
    who: str
    place: Place | None = None
    """The room as it would be taken."""
    location: str | None = None
    """Where it takes place now, as far as the viewer may read that (D7)."""
    before: str = ""
    after: str = ""
    refused: str | None = None
    asks_reason: bool = False
    asks_wish: bool = False
    clashes: list[Overlap] = field(default_factory=list)

    @property
    def people(self) -> frozenset[int]:
        return frozenset(self.learners) | ({self.practitioner_id} if self.practitioner_id is not None else set())


def kinds_for(work: Work, programme_id: int) -> tuple[FixKind, ...]:
    """What the viewer may do at all with open sessions of theirs."""
    case = Case(
        programme_id, policy_of(work, programme_id).who_books, Status.SCHEDULED, leads=True, created=True,
        ticked=work.actor.ticked.get(programme_id, frozenset()),
    )
    return tuple(kind for kind in FixKind if allows(work.actor, NEEDS[kind], case))


def preview(
    work: Work, fix: Fix, ids: Sequence[int], versions: Mapping[int, int] | None = None, zone: ZoneInfo | None = None,
    stays: Mapping[int, str] | None = None,
) -> list[FixRow]:
    """What a fix would do, row by row; times in `zone`, or the programme's own. Raises NotFound, Invalid.

    `stays` says why some of them are left as they are whatever is asked.
    """
    return [
        FixRow(plan.session.id, plan.session.number, plan.session.version, plan.who, plan.before, plan.after,
               plan.refused, plan.asks_reason, plan.asks_wish, plan.session.starts_at)
        for plan in _planned(work, fix, ids, versions or {}, zone, stays or {})
    ]


def apply_fixes(
    work: Work, fix: Fix, ids: Sequence[int], versions: Mapping[int, int] | None = None, *,
    stays: Mapping[int, str] | None = None, by_hand: bool = True,
) -> list[int]:
    """Make the change to those that it is not refused for, as one act; returns their ids.

    What is not `by_hand` is a change of their series. `stays` as in `preview`.
    Raises NotFound, Invalid, and Conflict where it is refused for every one of them.
    """
    _check(fix, ids)
    if not work.on_sqlite:  # what is planned next is what the change is made to
        work.tx.execute(select(Session.id).where(Session.id.in_(ids)).order_by(Session.id).with_for_update(key_share=True))
    plans = _planned(work, fix, ids, versions or {}, None, stays or {}, hold=True)
    fine = [plan.session for plan in plans if plan.refused is None]
    if not fine:
        raise Conflict(plans[0].refused or "There is nothing to change.")
    if fix.kind is FixKind.REASSIGN:
        reassign_sessions(
            work, [Reassign(one.id, fix.practitioner_id, reason=fix.reason or None) for one in fine], by_hand=by_hand)
    elif fix.kind is FixKind.SHIFT:
        times = {plan.session.id: plan.starts_at for plan in plans}
        reschedule_sessions(
            work, [Move(one.id, times[one.id], fix.length, reason=fix.reason or None, late=fix.late) for one in fine],
            by_hand=by_hand)
    elif fix.kind is FixKind.VENUE:
        change_venue(work, [Venue(one.id, fix.room_id, fix.location) for one in fine], by_hand=by_hand)
    elif fix.kind is FixKind.OFF:
        take_off_calendar(work, [one.id for one in fine], late=fix.late, by_hand=by_hand)
    else:
        cancel_sessions(work, [one.id for one in fine], fix.reason)
    if len(fine) < len(plans):
        left = len(plans) - len(fine)
        work.say(f"{work.said} {'One was left as it was' if left == 1 else f'{left} were left as they were'}.")
    return [one.id for one in fine]


def _check(fix: Fix, ids: Sequence[int]) -> None:
    """What stands against the fix itself, whatever it is meant for. Raises Invalid."""
    if not ids:
        raise Invalid({"session": "Choose at least one."})
    if len(ids) > MOST or len(set(ids)) != len(ids):
        raise Invalid({"session": f"Choose at most {MOST}, each once."})
    found: dict[str, str] = {}
    if fix.kind is FixKind.SHIFT:
        if any(type(part) is not int or abs(part) > 1_000_000 for part in (fix.days, fix.hours, fix.minutes)):
            found["shift"] = "Shift by whole days, hours and minutes."
        elif not (by := timedelta(days=fix.days, hours=fix.hours, minutes=fix.minutes)) and not (
                fix.days or fix.clock or fix.length):
            found["shift"] = "Say by how much to shift."
        elif abs(by) > FARTHEST:
            found["shift"] = "Shift by a year at most."
    if fix.kind is FixKind.CANCEL and not (fix.reason or "").strip():
        found["reason"] = "Give a reason; those who take part will read it."
    found.update(text_problems({"reason": fix.reason, "location": fix.location}))
    if found:
        raise Invalid(found)


def _planned(
    work: Work, fix: Fix, ids: Sequence[int], versions: Mapping[int, int], zone: ZoneInfo | None,
    stays: Mapping[int, str], hold: bool = False,
) -> list[_Plan]:
    """Every session with its new values or its refusal, planned together: they may take each other's time."""
    _check(fix, ids)
    facts = {one.id: one for one in facts_of(work, ids)}
    cases = cases_for(work, facts.values())
    if set(cases) != set(ids) or not all(allows(work.actor, Action.SESSION_SEE, case) for case in cases.values()):
        raise NotFound
    if len(programmes := {one.programme_id for one in facts.values()}) != 1:
        raise Invalid({"session": "Choose sessions of one programme."})
    programme = programme_of(work, programmes.pop())
    plans = _loaded(work, ids)
    word = programme.policy.words.session.capitalize()
    for plan in plans:
        case = cases[plan.session.id]
        plan.location = plan.session.location if allows(work.actor, Action.SESSION_DESCRIBE, case) else None
        if not allows(work.actor, NEEDS[fix.kind], case):
            plan.refused = why_not(work.actor, NEEDS[fix.kind], case, f"{word} {plan.session.number}")
        elif fix.kind in (FixKind.SHIFT, *FREES) and (
            late := too_late(work.actor, NEEDS[fix.kind], case, f"{word} {plan.session.number}")
        ):
            plan.refused = late
        elif versions.get(plan.session.id, plan.session.version) != plan.session.version:
            plan.refused = "Somebody else changed it meanwhile. Close this and look again."
        else:
            plan.refused = stays.get(plan.session.id)
    _PLANS[fix.kind](work, programme, fix, plans, zone or programme.zone)
    for plan in plans:
        after = plan.starts_at if fix.kind is FixKind.SHIFT else None
        plan.asks_wish = plan.refused is None and fix.kind in (FixKind.SHIFT, FixKind.OFF) and asks_wish(
            cases[plan.session.id], plan.learners, plan.session.starts_at, after)
        if plan.asks_wish and fix.late is None:
            plan.refused = WHOSE_WISH
    if fix.kind not in FREES:
        for plan in plans:
            taken_off = fix.kind is FixKind.REASSIGN and fix.practitioner_id is None
            if plan.refused is None and not taken_off and (found := misfits(
                programme.policy.words, plan.practitioner_id, plan.learners,
                None if fix.kind is FixKind.SHIFT and plan.session.method == Method.SMART else plan.place
            )):
                plan.refused = " ".join(found.values())
        _refuse_taken(work, programme, fix, plans, hold)
    return plans


def _refuse_taken(
    work: Work, programme: ProgrammeView, fix: Fix, plans: Sequence[_Plan], hold: bool
) -> None:
    """Refuse what hours or others stand against.

    What is refused stays where it is. Where sessions are counted or kept apart that may refuse others, so it takes
    another look until nothing changes.
    """
    hours = fix.kind is not FixKind.VENUE and not (fix.kind is FixKind.REASSIGN and fix.practitioner_id is None)
    spaced = hours and keeps_apart(work, programme.id)
    known = -1
    while (refused := sum(plan.refused is not None for plan in plans)) != known:
        if fix.kind is FixKind.SHIFT:
            _allot(work, programme, plans, hold)
        if hours:
            _refuse_outside(work, programme, fix, plans)
        _refuse_clashes(work, programme, plans, hold)
        known = refused if spaced else sum(plan.refused is not None for plan in plans)


def _allot(work: Work, programme: ProgrammeView, plans: Sequence[_Plan], hold: bool) -> None:
    """Rooms of the pool for smart sessions at their new time; refused are those for which none is left (C12)."""
    smart = {n: plan for n, plan in enumerate(plans) if plan.session.method == Method.SMART}
    if not smart:
        return
    rooms = pool(work, programme.id)
    if hold:
        lock(work, {person for plan in plans for person in plan.people}, {room.id for room in rooms})
    while going := {n: plan for n, plan in smart.items() if plan.refused is None}:
        found = allot(work, rooms, [
            Sought(n, len(plan.learners), plan.session.records, Wanted(
                n, plan.people, plan.session.room_id, plan.starts_at, plan.ends_at, plan.session.id))
            for n, plan in going.items() if plan.starts_at is not None and plan.ends_at is not None])
        for n, plan in going.items():
            plan.room_id = found.get(n)
            if plan.room_id is None:
                plan.refused = "No smart room that fits is free then."
        if len(found) == len(going):
            return


def _refuse_outside(work: Work, programme: ProgrammeView, fix: Fix, plans: Sequence[_Plan]) -> None:
    """Hours, closures, notice, limits and buffers hold, unless somebody who may says why not."""
    going = {n: plan for n, plan in enumerate(plans) if plan.refused is None}
    problems = hours_problems(
        work, programme.id, [
            Placed(n, plan.practitioner_id, plan.session.timetable_id, plan.starts_at, plan.ends_at,
                   stays=fix.kind is not FixKind.SHIFT)
            for n, plan in going.items() if plan.starts_at is not None and plan.ends_at is not None
        ],
        [plan.session.id for plan in going.values()],
    )
    overrides = may(work, Action.HOURS_OVERRIDE, programme.id)
    for n, problem in problems.items():
        if not overrides:
            plans[n].refused = problem.sentence
        elif not fix.reason.strip():
            plans[n].refused = f"{problem.sentence} Give a reason to do it all the same."
            plans[n].asks_reason = True


def _loaded(work: Work, ids: Sequence[int]) -> list[_Plan]:
    rows = {row.id: row for row in work.tx.execute(
        select(
            Session.id, Session.programme_id, Session.number, Session.version, Session.status, Session.method,
            Session.starts_at, Session.ends_at, Session.practitioner_id, Session.room_id, Session.timetable_id,
            Session.location, Session.records, Person.name.label("practitioner"), Team.name.label("team"),
            Room.name.label("room"), Room.capacity, Room.smart, Room.records.label("room_records"),
            Room.retired_at.label("room_retired_at"), Timetable.owner_id.label("owner_id"),
        )
        .outerjoin(Person, Person.id == Session.practitioner_id).outerjoin(Room, Room.id == Session.room_id)
        .outerjoin(Timetable, Timetable.id == Session.timetable_id).outerjoin(Team, Team.id == Session.team_id)
        .where(Session.id.in_(ids))
    )}
    learners: dict[int, tuple[int, ...]] = {}
    names: dict[int, tuple[str, ...]] = {}
    for session_id, learner, name in work.tx.execute(
        select(Participation.session_id, Participation.learner_id, Person.name)
        .join(Person, Person.id == Participation.learner_id).order_by(Person.name, Person.id).where(
            Participation.session_id.in_(ids),
            or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER)))
    ):
        learners[session_id] = (*learners.get(session_id, ()), learner)
        names[session_id] = (*names.get(session_id, ()), name)
    return [
        _Plan(row, learners.get(row.id, ()), row.starts_at, row.ends_at, row.practitioner_id, row.room_id,
              " with ".join(filter(None, (row.practitioner, row.team or ", ".join(names.get(row.id, ()))))),
              Place(row.room, row.capacity, row.smart, row.room_records)
              if row.room_id is not None and row.room_retired_at is None else None)
        for row in (rows[id_] for id_ in ids)
    ]


def _reassign(work: Work, programme: ProgrammeView, fix: Fix, plans: Iterable[_Plan], zone: ZoneInfo) -> None:
    words = programme.policy.words
    name = "nobody" if fix.practitioner_id is None else work.tx.scalar(
        select(Person.name).join(RoleGrant, RoleGrant.person_id == Person.id).where(
            RoleGrant.programme_id == programme.id, RoleGrant.role == Role.PRACTITIONER,
            Person.id == fix.practitioner_id, Person.disabled_at.is_(None))
    )
    if name is None:
        raise Invalid({"practitioner": f"Choose {words.a('practitioner')} of this programme."})
    for plan in plans:
        plan.before, plan.after, plan.practitioner_id = plan.session.practitioner or "nobody", name, fix.practitioner_id
        if plan.refused is not None:
            continue
        if plan.session.practitioner_id == fix.practitioner_id:
            plan.refused = f"{name.capitalize() if name == 'nobody' else name} leads it already."
        elif fix.practitioner_id in plan.learners:
            plan.refused = f"{name} attends it as {words.learner}."
        elif plan.session.owner_id is not None and fix.practitioner_id not in (plan.session.owner_id, None):
            plan.refused = f"It stands under {words.a('practitioner')}'s own timetable. Change its timetable first."


def shifted(starts_at: datetime, fix: Fix, zone: ZoneInfo) -> tuple[datetime, str]:
    """The new start, and what a change of clocks did to it: days keep the time on the wall (X3)."""
    remark = ""
    if fix.days or fix.clock is not None:
        local = starts_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=fix.days)
        moved = resolve(local if fix.clock is None else datetime.combine(local, fix.clock), zone)
        starts_at, remark = moved.at, moved.remark or ""
    return (starts_at + timedelta(hours=fix.hours, minutes=fix.minutes)).astimezone(UTC), remark


def _shift(work: Work, programme: ProgrammeView, fix: Fix, plans: Iterable[_Plan], zone: ZoneInfo) -> None:
    plans = list(plans)
    practitioners = holding(work, programme.id, Role.PRACTITIONER, {plan.practitioner_id for plan in plans})
    for plan in plans:
        if plan.starts_at is None or plan.ends_at is None:
            plan.before = "not on the calendar"
            plan.refused = plan.refused or "It has no time yet that could be shifted."
            continue
        length = plan.ends_at - plan.starts_at if fix.length is None else timedelta(minutes=fix.length)
        plan.before = when_words(plan.starts_at, zone, plan.ends_at)
        plan.starts_at, remark = shifted(plan.starts_at, fix, programme.zone)
        plan.ends_at = plan.starts_at + length
        plan.after = when_words(plan.starts_at, zone, plan.ends_at)
        if remark:
            plan.after += f" ({remark})"
        if plan.refused is not None:
            continue
        if (plan.starts_at, plan.ends_at) == (plan.session.starts_at, plan.session.ends_at):
            plan.refused = "It is at that time already."
        elif found := time_problems(plan.starts_at, round(length.total_seconds() / 60), programme.policy):
            plan.refused = " ".join(found.values())
        elif plan.practitioner_id is not None and plan.practitioner_id not in practitioners:
            plan.refused = NO_LONGER_THEIRS.format(words=programme.policy.words)
        elif plan.room_id is not None and plan.place is None and plan.session.method != Method.SMART:
            plan.refused = ROOM_RETIRED


def _venue(work: Work, programme: ProgrammeView, fix: Fix, plans: Iterable[_Plan], zone: ZoneInfo) -> None:
    place = rooms_of(work, programme.id, [fix.room_id]).get(fix.room_id or 0)
    if fix.room_id is not None and place is None:
        raise Invalid({"room": "Choose a room of this programme."})
    for plan in plans:
        plan.before = _place(plan.session.room, plan.location)
        plan.after = _place(place.name if place else None, fix.location.strip())
        if fix.room_id is not None or plan.session.method != Method.SMART:  # else it keeps its own, or is allotted one
            plan.room_id, plan.place = fix.room_id, place
        if plan.refused is not None:
            continue
        if fix.room_id is not None and plan.starts_at is None:
            plan.refused = "A room is taken from a date and time; it has none yet."
        elif found := wrong_room(place, plan.session.method, plan.session.records):
            plan.refused = " ".join(found.values())
        elif fix.room_id is None and not fix.location and BookingField.LOCATION in programme.policy.required:
            plan.refused = "Say where it takes place."
        elif plan.before == plan.after:
            plan.refused = "It takes place there already."


def _off(work: Work, programme: ProgrammeView, fix: Fix, plans: Iterable[_Plan], zone: ZoneInfo) -> None:
    for plan in plans:
        plan.before = when_words(plan.starts_at, zone, plan.ends_at) if plan.starts_at else "not on the calendar"
        plan.after = "off the calendar"
        if plan.starts_at is None:
            plan.refused = plan.refused or "It is not on the calendar."


def _cancel(work: Work, programme: ProgrammeView, fix: Fix, plans: Iterable[_Plan], zone: ZoneInfo) -> None:
    for plan in plans:
        plan.before, plan.after = str(plan.session.status), str(Status.CANCELLED)


_PLANS = {FixKind.REASSIGN: _reassign, FixKind.SHIFT: _shift, FixKind.VENUE: _venue, FixKind.OFF: _off,
          FixKind.CANCEL: _cancel}


def _place(room: str | None, location: str | None) -> str:
    return ", ".join(part for part in (room, location) if part) or "nowhere in particular"


def _refuse_clashes(work: Work, programme: ProgrammeView, plans: Sequence[_Plan], hold: bool) -> None:
    """Refuse what cannot be taken. A refused one stays where it is, which may refuse others, until nothing changes."""
    moving = {n: plan for n, plan in enumerate(plans) if plan.refused is None and plan.starts_at is not None}
    wanted = {
        n: Wanted(n, plan.people, plan.room_id, plan.starts_at, plan.ends_at, plan.session.id)
        for n, plan in moving.items() if plan.starts_at is not None and plan.ends_at is not None
    }
    if not wanted:
        return
    if hold:
        lock(work, {person for one in wanted.values() for person in one.people},
             {one.room_id for one in wanted.values() if one.room_id})
    against: dict[int, list[Overlap]] = {}
    for row in overlaps(work, list(wanted.values())):
        if row.session_id != wanted[row.item].session_id:
            against.setdefault(row.item, []).append(row)
    refused: dict[int, list[Overlap]] = {}
    while found := _first_refusals(wanted, against, refused):
        refused.update(found)
    names = named(work, list(wanted.values())) if refused else {}
    numbers = seen(work, programme.id, {row.session_id for rows in refused.values() for row in rows})
    for n, rows in refused.items():
        clashes = [
            Clash(n, names[row.person_id, row.room_id], row.starts_at, row.ends_at,
                  f"session {numbers[row.session_id]}" if row.session_id in numbers else "")
            for row in rows
        ]
        plans[n].refused = clash_sentence(work, programme.id, clashes)


def _first_refusals(
    wanted: Mapping[int, Wanted], against: Mapping[int, Sequence[Overlap]], refused: Mapping[int, Sequence[Overlap]]
) -> dict[int, list[Overlap]]:
    """Those of the rest whose time is taken by what stays; failing that, the first that two of the rest both want."""
    going = {one.session_id for n, one in wanted.items() if n not in refused}
    found = {
        n: rows for n in wanted if n not in refused
        if (rows := [row for row in against.get(n, ()) if row.session_id not in going])
    }
    if found:
        return found
    latest: dict[Whom, Wanted] = {}
    rest = sorted((one for n, one in wanted.items() if n not in refused), key=lambda one: (one.starts_at, one.item))
    for one in rest:
        for whom in _whom(one):
            before = latest.get(whom)
            if before is not None and one.starts_at < before.ends_at:
                assert before.session_id is not None  # all of these are for a session
                return {one.item: [Overlap(one.item, *whom, before.session_id, before.starts_at, before.ends_at)]}
            if before is None or one.ends_at > before.ends_at:
                latest[whom] = one
    return {}


Whom = tuple[int | None, int | None]


def _whom(one: Wanted) -> list[Whom]:
    """Every person, and the room, as the calendar of each is named."""
    people: list[Whom] = [(person, None) for person in sorted(one.people)]
    return people if one.room_id is None else [*people, (None, one.room_id)]

"""What can be done with sessions. Every command takes many, runs in one order (allowed, valid, change), all or none."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, exists, insert, or_, select, update

from core.availability.queries import Placed
from core.billing.settle import has_money, settle
from core.clock import when_words
from core.engagements.queries import Meeting, matching
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.learning.rules import moves_enrolments
from core.notifications.commands import notify
from core.permissions import RECORDED, Action, Case, allows, as_learner, may, require, require_all, too_late
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Policy
from core.sessions.busy import Wanted, lock, named, overlaps, refuse_clashes
from core.sessions.checks import (
    Place,
    check_hours,
    check_open,
    check_references,
    holding,
    learners_of,
    misfits,
    rooms_of,
    timetables_of,
    waiting_in,
    wrong_room,
)
from core.sessions.pool import Sought, allotted, housed, rooms_to_hold
from core.sessions.rules import (
    Booking,
    StaleForm,
    is_id,
    is_link,
    text_problems,
    time_problems,
)
from core.sessions.visible import cases_for, facts_of
from core.work import Work
from db.bulk import insert_many
from db.models.afterwards import Dispute, Forfeit, Message, Note
from db.models.people import Person, Team
from db.models.programmes import RoleGrant
from db.models.sessions import FREES_LEARNER, Participation, Session, SessionCourse, SessionNumber, Waiting
from db.models.structure import Course, Room, Timetable
from db.words import Method, Origin, Outcome, Role, Status, TimetableKind, Wish

TABLE, PARTS, LINKS, FORFEITS = (
    cast(Table, model.__table__) for model in (Session, Participation, SessionCourse, Forfeit))

# Booking -----------------------------------------------------------------------------------------------------------


def book_sessions(work: Work, bookings: Sequence[Booking], *, without_busy: bool = False) -> list[int]:
    """Put new sessions on the list, and on the calendar where they have a time; all or none (X1).

    With `without_busy`, learners who are busy then are left out of a group, unless nobody would remain.
    Returns their ids. Raises NotAllowed, NotFound, Invalid, PersonBusy.
    """
    for programme_id in sorted({booking.programme_id for booking in bookings}):
        require(work, Action.SESSION_BOOK, programme_id)
    made: list[int] = []
    for programme_id in sorted({booking.programme_id for booking in bookings}):
        here = [(item, booking) for item, booking in enumerate(bookings) if booking.programme_id == programme_id]
        made += _book(work, programme_of(work, programme_id), here, without_busy)
    return made


def _book(
    work: Work, programme: ProgrammeView, listed: Sequence[tuple[int, Booking]], without_busy: bool
) -> list[int]:
    items = [item for item, _ in listed]
    bookings = [with_owner(work, programme, booking) for _, booking in listed]
    for item, booking in zip(items, bookings, strict=True):
        if found := booking.problems(programme.policy):
            raise Invalid(found, item)
    learners = learners_of(work, programme, bookings)
    client = not may(work, Action.SESSION_BOOK, programme.id, but=Role.LEARNER)
    if client:  # before any look that would tell them who there is
        check_own(work, learners)
        for item, booking in zip(items, bookings, strict=True):
            if booking.starts_at is not None and booking.starts_at < work.now:
                raise Invalid({"date": LIES_BEHIND}, item)
        bookings = [replace(booking, report_required=None, places=None) for booking in bookings]  # as policy says
    learners = _held(work, programme, bookings, learners)
    check_references(work, programme, items, bookings, learners)
    check_hours(
        work, programme, [
            Placed(item, booking.practitioner_id, booking.timetable_id, booking.starts_at, booking.ends_at)
            for item, booking in zip(items, bookings, strict=True)
            if booking.starts_at is not None and booking.ends_at is not None
        ],
        {item: booking.reason for item, booking in zip(items, bookings, strict=True)},
    )
    check_open(work, programme, numbering=any(booking.number is None for booking in bookings))
    numbers = _numbers(work, programme, items, bookings, client)
    left_out = ""
    if without_busy:
        learners, left_out = _without_busy(work, items, learners, _times(items, bookings, learners))
    bookings = housed(work, programme, items, bookings, learners)
    wanted = _times(items, bookings, learners)
    refuse_clashes(work, programme.id, wanted)
    towards = matching(work, programme.id, [
        _meeting(programme, booking.practitioner_id, those, booking.team_id, booking.starts_at)
        for booking, those in zip(bookings, learners, strict=True)])
    id_of = insert_many(work.tx.connection(), TABLE, [
        {**_session_row(work, programme.policy, booking, number), "engagement_id": engagement_id}
        for booking, number, engagement_id in zip(bookings, numbers, towards, strict=True)
    ], "number")
    ids = [id_of[number] for number in numbers]
    parts = [
        {"session_id": id_, "learner_id": person}
        for id_, those in zip(ids, learners, strict=True) for person in those
    ]
    insert_many(work.tx.connection(), PARTS, parts)
    linked = [
        {"session_id": id_, "course_id": course}
        for id_, booking in zip(ids, bookings, strict=True) for course in dict.fromkeys(booking.course_ids)
    ]
    insert_many(work.tx.connection(), LINKS, linked)
    notify(work, _news(programme, ids, numbers, bookings, learners))
    one = len(ids) == 1
    booked = _named(numbers[0], bookings[0], programme) + _housed(work, bookings[0]) if one else f"{len(ids)} sessions"
    work.say(f"Booked {booked}{left_out}.")
    return ids


def _times(items: Sequence[int], bookings: Sequence[Booking], learners: Sequence[Collection[int]]) -> list[Wanted]:
    return [
        Wanted(item, those, booking.room_id, booking.starts_at, booking.ends_at, team_id=booking.team_id,
               practitioner_id=booking.practitioner_id, timetable_id=booking.timetable_id)
        for item, booking, those in zip(items, bookings, _people(bookings, learners), strict=True)
        if booking.starts_at is not None and booking.ends_at is not None
    ]


def _without_busy(
    work: Work, items: Sequence[int], learners: Sequence[tuple[int, ...]], wanted: Sequence[Wanted]
) -> tuple[list[tuple[int, ...]], str]:
    """The learners who are free then, or all of them where nobody is; and in words who is left out."""
    busy = {(row.item, row.person_id) for row in overlaps(work, wanted)}
    free = [tuple(person for person in those if (item, person) not in busy) or those
            for item, those in zip(items, learners, strict=True)]
    gone = {person for those, kept in zip(learners, free, strict=True) for person in set(those) - set(kept)}
    names = named(work, wanted)
    said = ", ".join(sorted(names[person, None] for person in gone))
    return free, f", without {said}: busy then" if gone else ""


def _news(
    programme: ProgrammeView, ids: Sequence[int], numbers: Sequence[int], bookings: Sequence[Booking],
    learners: Sequence[Collection[int]],
) -> Iterator[tuple[int | None, int, int, str]]:
    """What to tell everybody who takes part: of each session, but of a series once."""
    told: set[tuple[int, int | None]] = set()
    for id_, number, booking, those in zip(ids, numbers, bookings, learners, strict=True):
        follow = " and those of its series that follow" if booking.series_id is not None and len(ids) > 1 else ""
        said = f"Booked: {_named(number, booking, programme)}{follow}.{_recorded(booking.records)}"
        for person in (booking.practitioner_id, *those):
            if booking.series_id is None or (booking.series_id, person) not in told:
                yield person, programme.id, id_, said
            if booking.series_id is not None:
                told.add((booking.series_id, person))


def _held(
    work: Work, programme: ProgrammeView, bookings: Sequence[Booking], learners: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Hold all calendars that are wanted, and say again who takes part: a team may have changed until then."""
    everybody = frozenset[int]().union(*_people(bookings, learners))
    pool = rooms_to_hold(work, programme.id, {booking.method for booking in bookings})
    lock(work, everybody, pool | {booking.room_id for booking in bookings if booking.room_id is not None})
    if work.on_sqlite or all(booking.team_id is None for booking in bookings):
        return learners
    again = learners_of(work, programme, bookings)
    return learners if again == learners else _held(work, programme, bookings, again)


def _people(bookings: Sequence[Booking], learners: Sequence[Collection[int]]) -> list[frozenset[int]]:
    return [_everybody(booking.practitioner_id, those) for booking, those in zip(bookings, learners, strict=True)]


def _session_row(work: Work, policy: Policy, booking: Booking, number: int) -> dict[str, Any]:
    return {
        "programme_id": booking.programme_id, "number": number, "practitioner_id": booking.practitioner_id,
        "team_id": booking.team_id, "timetable_id": booking.timetable_id, "room_id": booking.room_id,
        "follows_id": booking.follows_id, "type": booking.type or policy.types[0],
        "method": booking.method, "origin": booking.origin, "description": booking.description or None,
        "location": booking.location or None, "planning_notes": booking.planning_notes or None,
        "report_required": policy.report_required if booking.report_required is None else booking.report_required,
        "places": booking.places, "records": booking.records, "starts_at": booking.starts_at,
        "ends_at": booking.ends_at, "created_by": work.me, "created_at": work.now, "version": 1,
        "series_id": booking.series_id, "series_day": booking.series_day,
    }


def _named(number: int, booking: Booking, programme: ProgrammeView) -> str:
    when = f", {when_words(booking.starts_at, programme.zone, booking.ends_at)}" if booking.starts_at else ""
    return f"{programme.policy.words.session} {number}{when}"


def _housed(work: Work, booking: Booking) -> str:
    """', in Smart room 2': which room a smart session was allotted (C12)."""
    if booking.method != Method.SMART or booking.room_id is None:
        return ""
    return f", in {rooms_of(work, booking.programme_id, [booking.room_id])[booking.room_id].name}"


def _meeting(
    programme: ProgrammeView, practitioner_id: int | None, learners: Collection[int], team_id: int | None,
    starts_at: datetime | None,
) -> Meeting:
    day = starts_at.astimezone(programme.zone).date() if starts_at is not None else None
    return Meeting(practitioner_id, tuple(learners), team_id, day)


def _recorded(records: bool) -> str:
    """What everybody is told of a session that is recorded (C5)."""
    return " It is recorded automatically." if records else ""


def _everybody(practitioner_id: int | None, learners: Iterable[int]) -> frozenset[int]:
    return frozenset(learners) | ({practitioner_id} if practitioner_id is not None else set())


def with_owner(work: Work, programme: ProgrammeView, booking: Booking) -> Booking:
    """Every session under a custom timetable is its owner's (B6): filled in where nobody is named."""
    if booking.timetable_id is None or booking.practitioner_id is not None:
        return booking
    owners: dict[int, int | None] = work.cache.setdefault(("owners", programme.id), dict(
        work.tx.execute(
            select(Timetable.id, Timetable.owner_id).where(
                Timetable.programme_id == programme.id, Timetable.kind == TimetableKind.CUSTOM)
        ).all()
    ))
    return replace(booking, practitioner_id=owners.get(booking.timetable_id))


LIES_BEHIND = "Choose a time that lies ahead."
"""Only those who log sessions put them in the past."""


def check_own(work: Work, learners: Iterable[Collection[int]]) -> None:
    """Where only being a learner allows to book, it is for oneself, with somebody to meet."""
    if any(work.actor.person_id not in those or len(those) > 1 for those in learners):
        raise NotAllowed("You may book sessions for yourself alone.")


def _numbers(
    work: Work, programme: ProgrammeView, items: Sequence[int], bookings: Sequence[Booking], client: bool
) -> list[int]:
    """The numbers asked for, and the next free ones for the rest. None is ever used again."""
    asked = [booking.number for booking in bookings if booking.number is not None]
    used = set(work.tx.scalars(
        select(SessionNumber.number).where(
            SessionNumber.programme_id == programme.id, SessionNumber.number.in_(asked))
    )) if asked else set()
    free = next_number(work, programme.id)
    seen: set[int] = set()
    for item, booking in zip(items, bookings, strict=True):
        if booking.number is not None:
            problem = _number_problem(booking.number, free, client, booking.number in used or booking.number in seen)
            if problem is not None:
                raise Invalid({"number": problem}, item)
        seen.add(booking.number or 0)
    numbers, following = [], free
    for booking in bookings:
        if booking.number is not None:
            numbers.append(booking.number)
            continue
        while following in seen:
            following += 1
        numbers.append(following)
        following += 1
    return numbers


NUMBERS_AHEAD = 10_000
"""How far a chosen number may run ahead of the next free one, so that a slip does not use them up."""


def _number_problem(number: int, free: int, client: bool, used: bool) -> str | None:
    if client:
        return "You may not choose the number; the portal gives it."
    if used:
        return f"Number {number} was given out before. The next free one is {free}."
    if number > free + NUMBERS_AHEAD:
        return f"At most {free + NUMBERS_AHEAD:,}: {NUMBERS_AHEAD:,} above {free:,}, the next free one."
    return None


def next_number(work: Work, programme_id: int) -> int:
    """The next free number of a programme: one more than the highest ever given out."""
    highest = work.tx.scalar(
        select(SessionNumber.number).where(SessionNumber.programme_id == programme_id)
        .order_by(SessionNumber.number.desc()).limit(1)
    )
    return (highest or 0) + 1


# Changing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """New values for some fields of a session. `version` is the one the form was opened with; None takes any."""

    session_id: int
    changes: Mapping[str, Any]
    version: int | None = None
    reason: str | None = None


TAKING = frozenset({"team_id", "learner_ids", "timetable_id", "method", "records"})
"""What changes whose time, or which room, a session takes."""
PRICED = frozenset({"team_id", "type", "course_ids"})
"""What rates go by."""
EDITABLE = frozenset({
    "description", "type", "planning_notes", "report_required", "number", "timetable_id", "course_ids", "team_id",
    "learner_ids", "location", "method", "records",
})


WHOSE_WISH = "It is under 24 hours ahead, or has begun: say whose wish this is."


@dataclass(frozen=True)
class LateChange:
    """Whose wish a change inside the notice is, and whether the learner's side is charged for it all the same (E8)."""

    wish: Wish
    charged: bool
    reason: str


@dataclass(frozen=True)
class Move:
    """A new place on the calendar. Without a time it leaves the calendar; `room_id` and place stay unless given."""

    session_id: int
    starts_at: datetime | None
    minutes: int | None = None
    version: int | None = None
    reason: str | None = None
    late: LateChange | None = None


@dataclass(frozen=True)
class Venue:
    """A new place: a room (or none) and words that say where."""

    session_id: int
    room_id: int | None
    location: str | None
    version: int | None = None


@dataclass(frozen=True)
class Reassign:
    """Another practitioner, or nobody for the moment (A11). `reason` says why their hours do not hold."""

    session_id: int
    practitioner_id: int | None
    version: int | None = None
    reason: str | None = None


@dataclass
class Loaded:
    """A session that an act is about, held until it ends, with how the actor stands to it."""

    session: Session
    case: Case
    learners: tuple[int, ...]
    programme: ProgrammeView
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.programme.policy.words.session.capitalize()} {self.session.number}"

    def value(self, column: str) -> Any:
        return self.values.get(column, getattr(self.session, column))

    @property
    def takes_hours(self) -> bool:
        """Whether the change is one of when, by whom or through which timetable, on the calendar."""
        return self.value("starts_at") is not None and any(
            name in self.values and self.values[name] != getattr(self.session, name)
            and not (name == "practitioner_id" and self.values[name] is None)
            for name in ("starts_at", "ends_at", "practitioner_id", "timetable_id")
        )

    def is_put_ahead(self, work: Work) -> bool:
        """Whether it gets a time and had none, or one that lies ahead."""
        new, old = self.values.get("starts_at"), self.session.starts_at
        return new is not None and (old is None or new > work.now)

    def as_client(self, work: Work) -> bool:
        """Whether nothing but being a learner lets the actor edit it."""
        return not allows(work.actor, Action.SESSION_EDIT, self.case, but=Role.LEARNER)


def load(work: Work, ids: Sequence[int], action: Action, versions: Mapping[int, int | None]) -> dict[int, Loaded]:
    """The sessions, allowed and not changed meanwhile. Raises NotFound, NotAllowed, StaleForm."""
    if not ids:
        raise Invalid({"session": "Choose at least one."})
    if len(set(ids)) != len(ids):
        raise Invalid({"session": "The same session was named twice."})
    cases = cases_for(work, facts_of(work, ids))
    if set(cases) != set(ids):
        raise NotFound
    if not work.on_sqlite:  # what is read next is what the change is made to
        work.tx.execute(select(Session.id).where(Session.id.in_(ids)).order_by(Session.id).with_for_update(key_share=True))
        cases = cases_for(work, facts_of(work, ids))
    sessions = {s.id: s for s in work.tx.scalars(
        select(Session).where(Session.id.in_(ids)).execution_options(populate_existing=True))}
    learners: dict[int, tuple[int, ...]] = {}
    for session_id, learner in work.tx.execute(
        select(Participation.session_id, Participation.learner_id).where(
            Participation.session_id.in_(ids),
            or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER)),
        ).order_by(Participation.learner_id)
    ):
        learners[session_id] = (*learners.get(session_id, ()), learner)
    loaded = {
        id_: Loaded(sessions[id_], cases[id_], learners.get(id_, ()), programme_of(work, sessions[id_].programme_id))
        for id_ in ids if id_ in sessions
    }
    if len(loaded) != len(ids):
        raise NotFound
    require_all(work.actor, action, [each.case for each in loaded.values()], [each.name for each in loaded.values()])
    for id_, each in loaded.items():
        if versions.get(id_) is not None and versions[id_] != each.session.version:
            raise StaleForm(
                f"{each.name} was changed by somebody else while you had it open.",
                as_words(work, each.session, notes=allows(work.actor, Action.SESSION_READ, each.case)),
                each.session.version,
            )
    return loaded


def held(work: Work, session_id: int, action: Action, version: int | None) -> Session:
    """One session, held until the act ends. Raises NotFound, NotAllowed, StaleForm."""
    return load(work, [session_id], action, {session_id: version})[session_id].session


def as_words(work: Work, session: Session, *, notes: bool = True) -> dict[str, str]:
    """The fields of a session as a person reads them, for showing two versions side by side."""
    programme = programme_of(work, session.programme_id)
    names: dict[str, tuple[Any, int | None]] = {
        "practitioner": (Person, session.practitioner_id), "team": (Team, session.team_id),
        "timetable": (Timetable, session.timetable_id), "room": (Room, session.room_id),
    }
    said = {
        label: (work.tx.scalar(select(model.name).where(model.id == id_)) or "") if id_ else "nobody"
        if label == "practitioner" else ""
        for label, (model, id_) in names.items()
    }
    when = "not on the calendar"
    if session.starts_at is not None:
        when = when_words(session.starts_at, programme.zone, session.ends_at)
    courses = work.tx.scalars(
        select(Course.name).join(SessionCourse, SessionCourse.course_id == Course.id)
        .where(SessionCourse.session_id == session.id).order_by(Course.name)
    ).all()
    return {
        "time": when, **said, "type": session.type, "method": session.method, "location": session.location or "",
        "description": session.description or "",
        "planning notes": (session.planning_notes or "") if notes else "", "number": str(session.number),
        programme.policy.words.many("course"): ", ".join(courses),
        "report required": "yes" if session.report_required else "no", "status": session.status,
    }


WHEN_WHO_WHERE = frozenset({"starts_at", "ends_at", "practitioner_id", "timetable_id", "room_id", "location"})


def apply(work: Work, loaded: Mapping[int, Loaded], *, by_hand: bool = True) -> None:
    """Write the new values. Where several move, they leave the calendar first, to take each other's time.

    What is changed `by_hand` no later change of its series touches (C10).
    """
    changed = [each for each in loaded.values() if each.values]
    for each in changed:
        if by_hand and each.session.series_id is not None and each.values.keys() & WHEN_WHO_WHERE:
            each.values["moved_at"] = work.now
    moving = [
        each for each in changed
        if each.values.keys() & {"starts_at", "ends_at", "practitioner_id", "room_id"} and each.session.starts_at
    ]
    if len(moving) > 1:
        work.tx.execute(
            update(TABLE).where(TABLE.c.id.in_([each.session.id for each in moving]))
            .values(starts_at=None, ends_at=None, room_id=None)
        )
        for each in moving:
            for column in ("starts_at", "ends_at", "room_id"):
                each.values.setdefault(column, getattr(each.session, column))
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for each in changed:
        columns = tuple(sorted(each.values))
        by_columns.setdefault(columns, []).append(
            {"key_": each.session.id, **{f"new_{column}": each.values[column] for column in columns}}
        )
    for columns, rows in by_columns.items():
        work.tx.connection().execute(
            update(TABLE).where(TABLE.c.id == bindparam("key_")).values(
                version=TABLE.c.version + 1, **{column: bindparam(f"new_{column}") for column in columns}
            ), rows,
        )
    work.tx.scalars(  # read again in one go, not one by one as each is looked at
        select(Session).where(Session.id.in_(loaded)).execution_options(populate_existing=True)).all()


def _wanted(loaded: Mapping[int, Loaded]) -> list[Wanted]:
    return [
        Wanted(n, _everybody(each.value("practitioner_id"), each.learners), each.value("room_id"),
               each.value("starts_at"), each.value("ends_at"), each.session.id,
               practitioner_id=each.value("practitioner_id"), timetable_id=each.value("timetable_id"))
        for n, each in enumerate(loaded.values()) if each.value("starts_at") is not None
    ]


def _retake(
    work: Work, loaded: Mapping[int, Loaded], reasons: Mapping[int, str | None] | None = None, *, by_hand: bool
) -> None:
    """Lock, look, and write a change of who, where or when. `reasons` say why hours do not hold.

    Raises Invalid, PersonBusy.
    """
    people = [_everybody(each.value("practitioner_id"), each.learners) for each in loaded.values()]
    rooms = {each.value("room_id") for each in loaded.values()} - {None}
    lock(work, frozenset[int]().union(*people), rooms | _pools(work, loaded))
    for programme_id in sorted({each.programme.id for each in loaded.values() if each.is_put_ahead(work)}):
        check_open(work, programme_of(work, programme_id))
    _house(work, loaded)
    _check_taking(work, loaded)
    _check_hours(work, loaded, reasons or {})
    refuse_clashes(work, next(iter(loaded.values())).programme.id, _wanted(loaded))
    _engage(work, loaded)
    apply(work, loaded, by_hand=by_hand)


def _engage(work: Work, loaded: Mapping[int, Loaded], joined: Collection[int] = ()) -> None:
    """Sessions of somebody else, or on another day, count towards the engagement that covers them then."""
    by_programme: dict[int, list[Loaded]] = {}
    for each in loaded.values():
        if each.values.keys() & {"starts_at", "practitioner_id"} or each.session.id in joined:
            by_programme.setdefault(each.programme.id, []).append(each)
    for programme_id, those in by_programme.items():
        found = matching(work, programme_id, [
            _meeting(each.programme, each.value("practitioner_id"), each.learners, each.value("team_id"),
                     each.value("starts_at")) for each in those])
        for each, engagement_id in zip(those, found, strict=True):
            if engagement_id != each.session.engagement_id:
                each.values["engagement_id"] = engagement_id


def _pools(work: Work, loaded: Mapping[int, Loaded]) -> set[int]:
    """Rooms that are held while smart sessions among these may be allotted another one."""
    methods: dict[int, set[str]] = {}
    for each in loaded.values():
        methods.setdefault(each.programme.id, set()).add(each.value("method"))
    return set[int]().union(*(rooms_to_hold(work, id_, those) for id_, those in methods.items()))


def _house(work: Work, loaded: Mapping[int, Loaded], growing: Collection[int] = ()) -> None:
    """Allot rooms to smart sessions that get another time, have none or grow, the one they have if it will do (C12).

    A session that is smart no more leaves its room. Raises Invalid, PersonBusy.
    """
    sought: dict[int, list[Sought]] = {}
    for item, each in enumerate(loaded.values()):
        changes = each.values.keys() & {"starts_at", "room_id", "method", "records"}
        if each.value("starts_at") is None or not (changes or each.session.id in growing):
            continue
        if each.value("method") == Method.SMART:
            chosen = each.values.get("room_id") is not None
            wanted = Wanted(
                item, _everybody(each.value("practitioner_id"), each.learners),
                each.values["room_id"] if chosen else each.session.room_id, each.value("starts_at"),
                each.value("ends_at"), each.session.id, practitioner_id=each.value("practitioner_id"),
                timetable_id=each.value("timetable_id"))
            sought.setdefault(each.programme.id, []).append(
                Sought(item, len(each.learners), each.value("records"), wanted, chosen))
        elif each.session.method == Method.SMART and "room_id" not in each.values:
            each.values["room_id"] = None
    listed = list(loaded.values())
    for programme_id, those in sought.items():
        for item, room_id in allotted(work, programme_of(work, programme_id), those).items():
            listed[item].values["room_id"] = room_id


def _check_hours(work: Work, loaded: Mapping[int, Loaded], reasons: Mapping[int, str | None]) -> None:
    """A new time, and a new practitioner or timetable at the old one, keep to the hours. Raises Invalid."""
    for programme_id in sorted({each.programme.id for each in loaded.values()}):
        here = {item: each for item, each in enumerate(loaded.values())
                if each.programme.id == programme_id and each.takes_hours}
        check_hours(
            work, programme_of(work, programme_id), [
                Placed(item, each.value("practitioner_id"), each.value("timetable_id"), each.value("starts_at"),
                       each.value("ends_at"), stays=not each.values.keys() & {"starts_at", "ends_at"})
                for item, each in here.items()
            ],
            {item: reasons.get(each.session.id) for item, each in here.items()},
            but=[each.session.id for each in here.values()],
        )


def _check_taking(work: Work, loaded: Mapping[int, Loaded]) -> None:
    """What a booking checks, of the fields that a change of who, where or when touches (X1). Raises Invalid."""
    practitioners: dict[int, set[int]] = {}
    rooms: dict[int, dict[int, Place]] = {}
    for id_ in {each.programme.id for each in loaded.values()}:
        here = [each for each in loaded.values() if each.programme.id == id_]
        practitioners[id_] = holding(work, id_, Role.PRACTITIONER, {each.value("practitioner_id") for each in here})
        rooms[id_] = rooms_of(work, id_, {each.value("room_id") for each in here})
    for item, each in enumerate(loaded.values()):
        if found := _taking_problems(each, practitioners[each.programme.id], rooms[each.programme.id]):
            raise Invalid(found, item)


def _taking_problems(each: Loaded, practitioners: Collection[int], rooms: Mapping[int, Place]) -> dict[str, str]:
    words, who, room = each.programme.policy.words, each.value("practitioner_id"), each.value("room_id")
    if each.values.keys() == {"practitioner_id"} and who is None:
        return {}  # A11: for any reason
    asked = {"starts_at": "room", "room_id": "room", "location": "location"}
    problems = _as_booking(each, each.values).problems(each.programme.policy)
    found = {name: said for name, said in problems.items() if name in {asked.get(column) for column in each.values}}
    found.update(misfits(words, who, each.learners, rooms.get(room)))
    if each.values.keys() & {"starts_at", "room_id"}:
        found.update(wrong_room(rooms.get(room), each.value("method"), each.value("records")))
    if "practitioner_id" in each.values and who not in practitioners:
        found["practitioner"] = f"Choose {words.a('practitioner')} of this programme."
    elif "starts_at" in each.values and who is not None and who not in practitioners:
        found["practitioner"] = NO_LONGER_THEIRS.format(words=words)
    if "room_id" in each.values and room is not None and room not in rooms:
        found["room"] = "Choose a room of this programme."
    elif "starts_at" in each.values and room is not None and room not in rooms:
        found["room"] = ROOM_RETIRED
    return found


NO_LONGER_THEIRS = "Its {words.practitioner} takes no sessions any more. Choose another {words.practitioner} first."
ROOM_RETIRED = "Its room is not used any more. Change the venue first."


def tell(work: Work, loaded: Mapping[int, Loaded], said: str) -> None:
    """Everybody who takes part."""
    notify(work, (
        (person, each.programme.id, each.session.id, f"{each.name}: {said}")
        for each in loaded.values() for person in (each.session.practitioner_id, *each.learners)
    ))


def _names(loaded: Mapping[int, Loaded]) -> str:
    first = next(iter(loaded.values()))
    return first.name if len(loaded) == 1 else f"{len(loaded)} {first.programme.policy.words.many('session')}"


def reschedule_sessions(work: Work, moves: Sequence[Move], *, by_hand: bool = True) -> list[int]:
    """Give sessions another time (A4), or each other's. Raises NotAllowed, Invalid, StaleForm, PersonBusy."""
    ids = [move.session_id for move in moves]
    loaded = load(work, ids, Action.SESSION_RESCHEDULE, {m.session_id: m.version for m in moves})
    _refuse_too_late(work, loaded, Action.SESSION_RESCHEDULE)
    for item, move in enumerate(moves):
        each = loaded[move.session_id]
        if move.starts_at is None:
            raise Invalid({"date": "Choose a date and a time."}, item)
        minutes = move.minutes
        if minutes is None and each.session.starts_at and each.session.ends_at:
            minutes = round((each.session.ends_at - each.session.starts_at).total_seconds() / 60)
        if found := {**time_problems(move.starts_at, minutes, each.programme.policy),
                     **text_problems({"reason": move.reason})}:
            raise Invalid(found, item)
        if move.starts_at < work.now and as_learner(work.actor, Action.SESSION_RESCHEDULE, each.case):
            raise Invalid({"date": LIES_BEHIND}, item)
        ends_at = move.starts_at + timedelta(minutes=minutes or 0)
        each.values = {"starts_at": move.starts_at, "ends_at": ends_at}
    _give_up(work, loaded, {move.session_id: move.late for move in moves})
    _retake(work, loaded, {move.session_id: move.reason for move in moves}, by_hand=by_hand)
    settle(work, _worth(work, ids))
    first, move = loaded[ids[0]], moves[0]
    assert move.starts_at is not None  # checked above
    when = when_words(move.starts_at, first.programme.zone, first.values["ends_at"])
    waiting = waiting_in(work, ids)
    notify(work, (
        (person, each.programme.id, id_, f"{each.name}: moved to {said}.")
        for id_, each in loaded.items()
        for said in (when_words(each.values["starts_at"], each.programme.zone, each.values["ends_at"]),)
        for person in (each.session.practitioner_id, *each.learners, *waiting.get(id_, ()))
    ))
    work.say(f"Moved {first.name.lower()} to {when}." if len(ids) == 1 else f"Moved {_names(loaded)}.")
    return ids


def asks_wish(case: Case, learners: Collection[int], before: datetime | None, after: datetime | None) -> bool:
    """Whether a change takes their meeting from learners inside the notice, so that it asks whose wish it is (E8)."""
    return case.late and bool(learners) and before is not None and before != after


def _give_up(work: Work, loaded: Mapping[int, Loaded], late: Mapping[int, LateChange | None]) -> None:
    """Keep the meetings that a change inside the notice takes from learners (E8), or that they had cancelled late.

    What they are charged for it stays with its day. Raises Invalid.
    """
    rows: list[dict[str, Any]] = []

    def keep(each: Loaded, learners: Iterable[int], change: LateChange, reason: str) -> None:
        rows.extend({
            "session_id": each.session.id, "learner_id": learner, "practitioner_id": each.session.practitioner_id,
            "starts_at": each.session.starts_at, "ends_at": each.session.ends_at, "wish": change.wish,
            "charged": change.charged, "reason": reason, "at": work.now, "by_id": work.me,
        } for learner in learners)

    for item, (id_, change) in enumerate(late.items()):
        each = loaded[id_]
        if asks_wish(each.case, each.learners, each.session.starts_at, each.value("starts_at")):
            if change is None:
                raise Invalid({"wish": WHOSE_WISH}, item)
            keep(each, each.learners, change, _why_late(each, change, item))
    moving = [id_ for id_, each in loaded.items() if each.session.starts_at is not None and (
        (each.session.starts_at, each.session.ends_at) != (each.value("starts_at"), each.value("ends_at")))]
    already = exists().where(
        Forfeit.session_id == Participation.session_id, Forfeit.learner_id == Participation.learner_id,
        Forfeit.at >= Participation.outcome_at)  # as `kept` of settling
    for session_id, learner in work.tx.execute(
        select(Participation.session_id, Participation.learner_id).where(
            Participation.session_id.in_(moving), Participation.outcome == Outcome.CANCELLED_LATE, ~already)
        .order_by(Participation.id)
    ).all():
        keep(loaded[session_id], [learner], LateChange(Wish.LEARNER, True, ""), "Cancelled late.")
    insert_many(work.tx.connection(), FORFEITS, rows)


def _why_late(each: Loaded, change: LateChange, item: int) -> str:
    """The reason why a late change is charged, or waived. Raises Invalid."""
    if change.wish not in {*Wish}:
        raise Invalid({"wish": "Say whose wish it is."}, item)
    if change.charged and change.wish is not Wish.LEARNER:
        raise Invalid({"wish": f"Only a change that the {each.programme.policy.words.learner} wished for is"
                               " charged."}, item)
    reason = change.reason
    if change.wish is Wish.PRACTITIONER and not (reason or "").strip():
        reason = "The practitioner's wish."  # what is never charged asks for no more
    return given(reason, "late_reason", "Say why it is charged, or waived.", item)


def _worth(work: Work, ids: Collection[int]) -> list[int]:
    """Those of which something was recorded or kept: only they can be worth anything."""
    recorded = select(Participation.session_id).where(
        Participation.session_id.in_(ids), Participation.outcome.is_not(None))
    return list(work.tx.scalars(recorded.union(select(Forfeit.session_id).where(Forfeit.session_id.in_(ids)))))


def take_off_calendar(
    work: Work, session_ids: Sequence[int], versions: Mapping[int, int] | None = None, *,
    late: LateChange | None = None, by_hand: bool = True,
) -> list[int]:
    """Free everybody's time and keep the sessions, unscheduled. Raises NotAllowed, Invalid, Conflict, StaleForm."""
    loaded = load(work, session_ids, Action.SESSION_RESCHEDULE, versions or {})
    _refuse_too_late(work, loaded, Action.SESSION_RESCHEDULE)
    for each in loaded.values():
        if each.session.starts_at is None:
            raise Conflict(f"{each.name} is not on the calendar.")
        each.values = {"starts_at": None, "ends_at": None, "room_id": None}
    _give_up(work, loaded, dict.fromkeys(session_ids, late))
    apply(work, loaded, by_hand=by_hand)
    settle(work, _worth(work, session_ids))
    tell(work, loaded, "taken off the calendar.")
    work.say(f"Took {_names(loaded).lower()} off the calendar.")
    return list(session_ids)


def change_venue(work: Work, venues: Sequence[Venue], *, by_hand: bool = True) -> list[int]:
    """Give sessions another room or place. Raises NotAllowed, Invalid, StaleForm, PersonBusy."""
    ids = [venue.session_id for venue in venues]
    loaded = load(work, ids, Action.SESSION_RESCHEDULE, {v.session_id: v.version for v in venues})
    for item, venue in enumerate(venues):
        each = loaded[venue.session_id]
        found = text_problems({"location": venue.location})
        if venue.room_id is not None and not is_id(venue.room_id):
            found["room"] = "Choose a room of this programme."
        elif venue.room_id is not None and each.session.starts_at is None:
            found["room"] = "A room is taken from a date and time; put the session on the calendar first."
        if found:
            raise Invalid(found, item)
        each.values = {"room_id": venue.room_id, "location": (venue.location or "").strip() or None}
    _retake(work, loaded, by_hand=by_hand)
    tell(work, loaded, "takes place somewhere else.")
    work.say(f"Changed the venue of {_names(loaded).lower()}.")
    return ids


def reassign_sessions(work: Work, changes: Sequence[Reassign], *, by_hand: bool = True) -> list[int]:
    """Give sessions another practitioner, or take the present one off (A11): only their own time is free at once.

    Raises NotAllowed, Invalid, StaleForm, PersonBusy.
    """
    ids = [change.session_id for change in changes]
    loaded = load(work, ids, Action.SESSION_REASSIGN, {c.session_id: c.version for c in changes})
    owners: dict[int, int | None] = {}
    for programme_id in {each.programme.id for each in loaded.values()}:
        owners.update(timetables_of(work, programme_id, {each.session.timetable_id for each in loaded.values()}))
    for item, change in enumerate(changes):
        each = loaded[change.session_id]
        words = each.programme.policy.words
        if found := text_problems({"reason": change.reason}):
            raise Invalid(found, item)
        if change.practitioner_id is not None and not is_id(change.practitioner_id):
            raise Invalid({"practitioner": f"Choose {words.a('practitioner')} of this programme."}, item)
        if change.practitioner_id is not None and change.practitioner_id in each.learners:
            raise Invalid({"practitioner": f"They attend {each.name.lower()} as {words.learner}."}, item)
        owner = owners.get(each.session.timetable_id or 0)
        if owner is not None and change.practitioner_id not in (owner, None):
            raise Invalid({"practitioner": f"{each.name} stands under {words.a('practitioner')}'s own timetable."
                                           " Change its timetable first."}, item)
        each.values = {"practitioner_id": change.practitioner_id}
    before = {id_: each.session.practitioner_id for id_, each in loaded.items()}
    _retake(work, loaded, {change.session_id: change.reason for change in changes}, by_hand=by_hand)
    settle(work, _worth(work, ids))
    notify(work, (
        (person, each.programme.id, about, f"{each.name}: {said}")
        for id_, each in loaded.items()
        for person, about, said in (
            (before[id_], None, "no longer yours."),  # nor theirs to see, so the notice stands alone
            (each.values["practitioner_id"], id_, "is yours now."),
            *((learner, id_, "has another practitioner.") for learner in each.learners),
        )
        if person is not None
    ))
    work.say(f"Reassigned {_names(loaded).lower()}.")
    return ids


def edit_sessions(work: Work, edits: Sequence[Edit]) -> list[int]:
    """Change facts of sessions, the first team or learner of an open one among them (B4).

    Replacing a team or learner once a meeting has been made is refused with the way out: `replace_participants`.
    Raises NotAllowed, Invalid, StaleForm, PersonBusy, Conflict.
    """
    ids = [edit.session_id for edit in edits]
    loaded = load(work, ids, Action.SESSION_EDIT, {e.session_id: e.version for e in edits})
    bookings: dict[int, Booking] = {}
    for item, edit in enumerate(edits):
        if strange := edit.changes.keys() - EDITABLE:
            raise Invalid(dict.fromkeys(strange, "This cannot be changed here."), item)
        each = loaded[edit.session_id]
        bookings[edit.session_id] = _as_booking(each, edit.changes)
        _check_fields(work, each, bookings[edit.session_id], edit.changes, item)
    taking = [edit.session_id for edit in edits if edit.changes.keys() & TAKING]
    _hold(work, {id_: loaded[id_] for id_ in taking}, bookings)
    joining: dict[int, tuple[int, ...]] = {}
    for item, edit in enumerate(edits):
        each, booking = loaded[edit.session_id], bookings[edit.session_id]
        changes = dict(edit.changes)
        if changes.keys() & {"team_id", "learner_ids"}:
            joining[edit.session_id] = _first_participants(work, each, booking)
            if joining[edit.session_id] and each.as_client(work):
                check_own(work, [joining[edit.session_id]])
        _check_changed(work, each, booking, changes, (*each.learners, *joining.get(edit.session_id, ())), item)
        courses = changes.pop("course_ids", None)
        changes.pop("learner_ids", None)
        if courses is not None:
            _link_courses(work, edit.session_id, courses)
        each.values = {
            name: (value.strip() or None if isinstance(value, str) and name not in ("type", "method") else value)
            for name, value in changes.items() if value != getattr(each.session, name)
        }
        each.learners = tuple(dict.fromkeys((*each.learners, *joining.get(edit.session_id, ()))))
        each.values.setdefault("description", each.session.description)
    _house(work, loaded, joining)
    if joining:
        busy_ids = {id_: each for id_, each in loaded.items() if id_ in joining}
        refuse_clashes(work, next(iter(busy_ids.values())).programme.id, _wanted(busy_ids))
    _check_hours(work, loaded, {edit.session_id: edit.reason for edit in edits})
    _engage(work, loaded, joining)
    apply(work, loaded)
    parts = [{"session_id": id_, "learner_id": person} for id_, those in joining.items() for person in those]
    if parts:
        insert_many(work.tx.connection(), PARTS, parts)
        tell(work, {id_: loaded[id_] for id_ in joining}, "you take part.")
    settle(work, [edit.session_id for edit in edits if edit.changes.keys() & PRICED], "the session was edited")
    work.say(f"Changed {_names(loaded).lower()}.")
    return ids


def _hold(work: Work, loaded: Mapping[int, Loaded], bookings: Mapping[int, Booking]) -> None:
    """Hold the calendars of everybody who takes part or is to, and the rooms, before they are looked at."""
    if work.on_sqlite:
        return
    people: set[int] = set()
    for id_, each in loaded.items():
        coming = learners_of(work, each.programme, [bookings[id_]])[0]
        people |= _everybody(each.session.practitioner_id, (*each.learners, *coming))
    for id_, each in loaded.items():
        each.values = {"method": bookings[id_].method}
    rooms = {each.session.room_id for each in loaded.values() if each.session.room_id is not None}
    lock(work, people, rooms | _pools(work, loaded))


def _as_booking(each: Loaded, changes: Mapping[str, Any]) -> Booking:
    """The session as it would be, so that a change passes the same checks as a booking (X1); courses if given."""
    def now(column: str) -> Any:
        return changes.get(column, getattr(each.session, column))

    starts_at, ends_at, team = now("starts_at"), now("ends_at"), now("team_id")
    return Booking(
        programme_id=each.programme.id, practitioner_id=now("practitioner_id"), team_id=team,
        learner_ids=changes.get("learner_ids", () if team is not None else each.learners),
        timetable_id=now("timetable_id"), room_id=now("room_id"), method=now("method"), location=now("location"),
        starts_at=starts_at, course_ids=changes.get("course_ids", ()), type=now("type"),
        minutes=round((ends_at - starts_at).total_seconds() / 60) if starts_at and ends_at else None,
        planning_notes=now("planning_notes"), description=now("description"), number=now("number"),
        report_required=now("report_required"), records=now("records"),
    )


_FIELDS = {"team_id": "who", "learner_ids": "who", "timetable_id": "timetable", "course_ids": "courses"}
"""What columns are called beside which a problem stands."""


def _check_fields(work: Work, each: Loaded, booking: Booking, changes: Mapping[str, Any], item: int) -> None:
    """What stands against the values themselves. Raises Invalid."""
    asked = {_FIELDS.get(name, name) for name in changes} | ({"room", "records"} if "method" in changes else set())
    found = {name: said for name, said in booking.problems(each.programme.policy).items() if name in asked}
    if "type" in changes and changes["type"] == each.session.type:
        found.pop("type", None)  # a type that policy no longer offers may stay
    if "type" in changes and not changes["type"]:
        found["type"] = "Choose a type."
    if each.session.status in RECORDED:
        found.update(_fixed_by_effect(each, changes))
    if "number" in changes and changes["number"] is None:
        found["number"] = "A session has a number."
    if "report_required" in changes and changes["report_required"] != each.session.report_required:
        if changes["report_required"] is None:
            found["report_required"] = "Say whether a report is required."
        elif each.session.status in RECORDED:  # A10
            found["report_required"] = f"This was fixed when it was {each.session.status}. Reopen it first."
        elif each.as_client(work):
            found["report_required"] = "You may not change whether a report is required."
    if found:
        raise Invalid(found, item)


def _fixed_by_effect(each: Loaded, changes: Mapping[str, Any]) -> dict[str, str]:
    """C7: what enrolments were moved by stays while the outcome stands."""
    policy, old = each.programme.policy, each.session.type
    new = changes.get("type") or old
    moves_now, moves_then = moves_enrolments(old, policy), moves_enrolments(new, policy)
    fixed = {name: True for name, at_stake in (("type", new != old and (moves_now or moves_then)),
                                               ("courses", "course_ids" in changes and moves_now)) if at_stake}
    return dict.fromkeys(fixed, f"This has moved enrolments, or would, since it is {each.session.status}."
                                " Reopen it first.")


def _check_changed(
    work: Work, each: Loaded, booking: Booking, changes: Mapping[str, Any], learners: Sequence[int], item: int
) -> None:
    """That what is newly named exists and fits, and the number is free. Raises Invalid."""
    who = bool(changes.keys() & {"team_id", "learner_ids"})
    check_references(work, each.programme, [item], [replace(
        booking, practitioner_id=booking.practitioner_id if "timetable_id" in changes else None,
        timetable_id=booking.timetable_id if "timetable_id" in changes else None,
        learner_ids=booking.learner_ids if "learner_ids" in changes else (),
        team_id=booking.team_id if "team_id" in changes else None, room_id=None,
        course_ids=booking.course_ids if "course_ids" in changes else (),
    )], [()])
    if who:
        rooms = rooms_of(work, each.programme.id, [booking.room_id]) if booking.method != Method.SMART else {}
        place = rooms.get(booking.room_id or 0)  # a smart session that outgrows its room is allotted another one
        if found := misfits(each.programme.policy.words, booking.practitioner_id, learners, place,
                            each.session.places):
            raise Invalid(found, item)
    number = changes.get("number", each.session.number)
    if number != each.session.number:
        given = work.tx.scalar(select(SessionNumber.session_id).where(
            SessionNumber.programme_id == each.programme.id, SessionNumber.number == number))
        problem = _number_problem(number, next_number(work, each.programme.id), each.as_client(work),
                                  given is not None and given != each.session.id)
        if problem is not None:
            raise Invalid({"number": problem}, item)


def _first_participants(work: Work, each: Loaded, booking: Booking) -> tuple[int, ...]:
    """Who joins an open session. Raises Conflict where somebody is in it already (B4)."""
    present = set(each.learners)
    coming = learners_of(work, each.programme, [booking])[0]
    met = bool(present) or each.session.status in RECORDED
    placed = met or (each.session.team_id is not None and each.session.starts_at is not None)
    others = each.session.team_id != booking.team_id or (booking.team_id is None and set(coming) != present)
    if (placed and others) or (met and not present.issuperset(coming)):
        words = each.programme.policy.words
        raise Conflict(
            f"{each.name} already has its {words.team if each.session.team_id else words.learner}. To replace them,"
            f" cancel it and make a new one linked to it: answers and notes never pass to others."
        )
    return tuple(person for person in coming if person not in present)


def _link_courses(work: Work, session_id: int, courses: Iterable[int]) -> None:
    present = set(work.tx.scalars(select(SessionCourse.course_id).where(SessionCourse.session_id == session_id)))
    wanted = set(courses)
    if gone := present - wanted:
        work.tx.execute(delete(SessionCourse).where(
            SessionCourse.session_id == session_id, SessionCourse.course_id.in_(gone)))
    if fresh := wanted - present:
        work.tx.execute(insert(SessionCourse), [
            {"session_id": session_id, "course_id": course} for course in sorted(fresh)])


def replace_participants(
    work: Work, session_id: int, *, learner_id: int | None = None, team_id: int | None = None, reason: str = "",
    version: int | None = None,
) -> list[int]:
    """B4's way out in one step: cancel, and book a linked new session, with a new number, for somebody else.

    Returns the new session's id. Raises NotAllowed, Invalid, StaleForm, PersonBusy.
    """
    each = load(work, [session_id], Action.SESSION_CANCEL, {session_id: version})[session_id]
    courses = tuple(work.tx.scalars(select(SessionCourse.course_id).where(SessionCourse.session_id == session_id)))
    booking = replace(
        _as_booking(each, {"course_ids": courses}), learner_ids=(learner_id,) if learner_id is not None else (),
        team_id=team_id,
        number=None, planning_notes=None, follows_id=session_id, origin=Origin.COPY,
        reason="as the session that it replaces",
    )
    reason = reason or "somebody else takes part"
    if learner_id is None and team_id is None:
        raise Invalid({"who": "Choose who takes part instead."})
    cancel_sessions(work, [session_id], reason, {})
    made = book_sessions(work, [booking])
    work.because(reason)
    work.say(f"Cancelled {each.name.lower()} and booked a new one in its place.")
    return made


# Ending ------------------------------------------------------------------------------------------------------------


def cancel_sessions(
    work: Work, session_ids: Sequence[int], reason: str, versions: Mapping[int, int] | None = None
) -> list[int]:
    """Cancel for good: everyone's time is free at once (B10), and every learner's outcome says whose doing it was.

    Raises NotAllowed, Invalid, StaleForm, Conflict for a learner who is not alone in it (E8).
    """
    loaded = load(work, session_ids, Action.SESSION_CANCEL, versions or {})
    _refuse_too_late(work, loaded, Action.SESSION_CANCEL)
    reason = given(reason, "reason", "Give a reason; those who take part will read it.")
    for each in loaded.values():
        if set(each.learners) - {work.actor.person_id} and as_learner(work.actor, Action.SESSION_CANCEL, each.case):
            raise Conflict(f"Others take part in {each.name.lower()}, so it stays. Cancel your own part instead.")
        each.values = {"cancelled_at": work.now, "cancel_reason": reason}
    apply(work, loaded)
    cancelled: dict[Outcome, list[int]] = {}
    for each in loaded.values():
        cancelled.setdefault(_whose_doing(work, each), []).append(each.session.id)
    for outcome, ids in cancelled.items():
        work.tx.execute(
            update(Participation).where(Participation.session_id.in_(ids), Participation.outcome.is_(None)).values(
                outcome=outcome, outcome_at=work.now,
                notice_at=None if outcome is Outcome.PRACTITIONER_CANCELLED else work.now)
        )
    work.because(reason)
    settle(work, loaded)
    tell(work, loaded, f"cancelled. {reason}")
    notify(work, (
        (person, loaded[id_].programme.id, id_, f"{loaded[id_].name}: cancelled, so nobody waits for it any more.")
        for id_, those in waiting_in(work, list(loaded)).items() for person in those
    ))
    work.say(f"Cancelled {_names(loaded).lower()}.")
    return list(session_ids)


def _whose_doing(work: Work, each: Loaded) -> Outcome:
    """The learner's side cancels late or in time (E3)."""
    if not as_learner(work.actor, Action.SESSION_CANCEL, each.case):
        return Outcome.PRACTITIONER_CANCELLED
    return Outcome.CANCELLED_LATE if each.case.late else Outcome.CANCELLED_IN_TIME


def _refuse_too_late(work: Work, loaded: Mapping[int, Loaded], action: Action) -> None:
    """Within the notice a learner neither moves nor deletes, but cancels, and that until the start (E3, E8).

    Raises Conflict.
    """
    for each in loaded.values():
        if (refused := too_late(work.actor, action, each.case, each.name)) is not None:
            raise Conflict(refused)


def given(said: str, field_: str, sentence: str, item: int = 0) -> str:
    """A text that must be there, trimmed. Raises Invalid."""
    if found := text_problems({field_: said}):
        raise Invalid(found, item)
    if not (said or "").strip():
        raise Invalid({field_: sentence}, item)
    return said.strip()


def delete_sessions(
    work: Work, session_ids: Sequence[int], versions: Mapping[int, int] | None = None, *, cancel_first: bool = False
) -> list[int]:
    """Take away sessions made by mistake (A6, B5). Their numbers are never used again.

    Refused while a meeting is active, unless `cancel_first` takes it off the calendar in the same step.
    Raises NotAllowed, Conflict, StaleForm.
    """
    loaded = load(work, session_ids, Action.SESSION_DELETE, versions or {})
    _refuse_too_late(work, loaded, Action.SESSION_DELETE)
    if cancel_first:
        active = [each for each in loaded.values() if each.session.starts_at is not None
                  and each.session.status is not Status.CANCELLED]
        require_all(work.actor, Action.SESSION_CANCEL, [each.case for each in active], [each.name for each in active])
    for each in loaded.values():
        session = each.session
        if session.starts_at is not None and session.status is not Status.CANCELLED and not cancel_first:
            raise Conflict(f"{each.name} is on the calendar. Take it off the calendar or cancel it first.")
        if session.joined_at is not None:
            raise Conflict(f"Somebody has joined {each.name.lower()}, so it stays.")
        if session.submitted_at is not None:
            raise Conflict(f"A questionnaire was submitted for {each.name.lower()}, so it stays.")
    follower = work.tx.execute(
        select(Session.number, Session.follows_id).where(
            Session.follows_id.in_(session_ids), Session.id.not_in(session_ids)).limit(1)
    ).first()
    if follower:
        raise Conflict(f"Session {follower.number} was made from this one, so it stays. Cancel it instead.")
    ids = list(session_ids)
    if (number := has_money(work, ids)) is not None:
        raise Conflict(f"Money was worked out for session {number}, so it stays. Cancel it instead.")
    for written, what in (
        (Note, "notes were written"), (Forfeit, "a late change was recorded"), (Dispute, "somebody objected"),
    ):
        if work.tx.scalar(select(written.id).where(written.session_id.in_(ids)).limit(1)) is not None:
            raise Conflict(f"After it, {what}, so it stays. Cancel it instead.")
    for model in (Participation, SessionCourse, Waiting):
        work.tx.execute(delete(model).where(model.session_id.in_(ids)))
    work.tx.execute(update(Message).where(Message.session_id.in_(ids)).values(session_id=None))
    work.tx.execute(delete(Session).where(Session.id.in_(ids)))
    tell(work, loaded, "deleted.")
    work.say(f"Deleted {_names(loaded).lower()}.")
    return ids


def add_recording(work: Work, session_id: int, url: str, version: int | None = None) -> list[int]:
    """Say where the recording of a smart session is, or with nothing take that away (C12).

    Raises NotAllowed, Invalid, StaleForm.
    """
    each = load(work, [session_id], Action.RECORDING_ADD, {session_id: version})[session_id]
    if each.session.method != Method.SMART:
        raise Conflict(f"{each.name} is not a smart one, so it has no recording.")
    if found := text_problems({"recording_url": url}):
        raise Invalid(found)
    said = (url or "").strip() or None
    if said is not None and not is_link(said):
        raise Invalid({"recording_url": "A link begins with https:// or http:// and has no spaces."})
    each.values = {"recording_url": said}
    apply(work, {session_id: each})
    if said is not None:
        tell(work, {session_id: each}, "its recording can be opened.")
    work.say(f"{'Added' if said else 'Took away'} the recording of {each.name.lower()}.")
    return [session_id]


def ask_for_another_time(work: Work, session_id: int, words: str) -> list[int]:
    """Tell whoever may reschedule that this viewer asks for another time (A4). Raises NotAllowed, Invalid."""
    each = load(work, [session_id], Action.SESSION_ASK_TIME, {})[session_id]
    said = given(words, "words", "Say which times suit you.")
    staff = work.tx.scalars(select(RoleGrant.person_id).where(
        RoleGrant.programme_id == each.programme.id, RoleGrant.role.in_((Role.MASTER_ADMIN, Role.BASIC_ADMIN))
    )).all()
    notify(work, (
        (person, each.programme.id, session_id,
         f"{work.actor.name} asks for another time for {each.name.lower()}: {said}")
        for person in {each.session.practitioner_id, *staff}
    ))
    work.say("Asked for another time. You will be told here when it moves.")
    return [session_id]


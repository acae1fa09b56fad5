"""Put new sessions on the list: who may book whom, under which number, and in which room."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select

from core.availability.queries import Placed
from core.clock import when_words
from core.engagements.queries import Meeting, matching
from core.errors import Invalid, NotAllowed
from core.notifications.commands import notify
from core.permissions import Action, may, require
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Policy
from core.sessions.busy import Wanted, lock, named, overlaps, refuse_clashes
from core.sessions.checks import check_hours, check_open, check_references, learners_of, rooms_of
from core.sessions.pool import housed, rooms_to_hold
from core.sessions.rules import Booking
from core.work import Work
from db.bulk import insert_many
from db.models.sessions import Participation, Session, SessionCourse, SessionNumber
from db.models.structure import Timetable
from db.words import Method, Role, TimetableKind

TABLE, PARTS, LINKS = (cast(Table, model.__table__) for model in (Session, Participation, SessionCourse))


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
        meeting(programme, booking.practitioner_id, those, booking.team_id, booking.starts_at)
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
    people = frozenset[int]().union(*_people(bookings, learners))
    pool = rooms_to_hold(work, programme.id, {booking.method for booking in bookings})
    lock(work, people, pool | {booking.room_id for booking in bookings if booking.room_id is not None})
    if work.on_sqlite or all(booking.team_id is None for booking in bookings):
        return learners
    again = learners_of(work, programme, bookings)
    return learners if again == learners else _held(work, programme, bookings, again)


def _people(bookings: Sequence[Booking], learners: Sequence[Collection[int]]) -> list[frozenset[int]]:
    return [everybody(booking.practitioner_id, those) for booking, those in zip(bookings, learners, strict=True)]


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


def meeting(
    programme: ProgrammeView, practitioner_id: int | None, learners: Collection[int], team_id: int | None,
    starts_at: datetime | None,
) -> Meeting:
    """What decides towards which engagement a session counts."""
    day = starts_at.astimezone(programme.zone).date() if starts_at is not None else None
    return Meeting(practitioner_id, tuple(learners), team_id, day)


def _recorded(records: bool) -> str:
    """What everybody is told of a session that is recorded (C5)."""
    return " It is recorded automatically." if records else ""


def everybody(practitioner_id: int | None, learners: Iterable[int]) -> frozenset[int]:
    """All whose time a session takes."""
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
            problem = number_problem(booking.number, free, client, booking.number in used or booking.number in seen)
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


def number_problem(number: int, free: int, client: bool, used: bool) -> str | None:
    """What stands against a number that was asked for."""
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

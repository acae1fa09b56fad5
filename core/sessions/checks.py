"""What every way of booking and changing looks at alike (X1): who and what there is, and whether it fits together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, select

from core.availability.queries import Placed, hours_problems
from core.availability.rules import Problem
from core.errors import Conflict, Invalid, NotFound
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.programmes.rules import Words
from core.sessions.rules import MOST_LEARNERS, Booking, is_id
from core.sessions.visible import visible_sessions
from core.work import Work
from db.among import among
from db.models.people import Person, Team, TeamMember
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Session, Waiting
from db.models.structure import Course, Room, Timetable
from db.words import Method, Role


class Place(NamedTuple):
    """A room that can be booked, how many people it holds, and whether it is one of the pool of smart ones."""

    name: str
    capacity: int
    smart: bool = False
    records: bool = False


def check_references(
    work: Work, programme: ProgrammeView, items: Sequence[int], bookings: Sequence[Booking],
    learners: Sequence[Collection[int]],
) -> None:
    """Everything that is named belongs to this programme and is not retired; else it does not exist (X6).

    And it fits together: who takes part in each, and in which room. Raises Invalid, NotFound.
    """
    words = programme.policy.words
    practitioners = holding(work, programme.id, Role.PRACTITIONER, {b.practitioner_id for b in bookings})
    known_learners = holding(work, programme.id, Role.LEARNER, {each for b in bookings for each in b.learner_ids})
    teams = _known(work, Team, programme.id, {b.team_id for b in bookings})
    rooms = rooms_of(work, programme.id, {b.room_id for b in bookings})
    courses = _known(work, Course, programme.id, {each for b in bookings for each in b.course_ids})
    timetables = timetables_of(work, programme.id, {b.timetable_id for b in bookings})
    follows = _seen_here(work, programme.id, {b.follows_id for b in bookings})
    for item, booking, those in zip(items, bookings, learners, strict=True):
        if booking.follows_id is not None and booking.follows_id not in follows:
            raise NotFound
        found: dict[str, str] = {}
        if booking.practitioner_id is not None and booking.practitioner_id not in practitioners:
            found["practitioner"] = f"Choose {words.a('practitioner')} of this programme."
        if not set(booking.learner_ids) <= known_learners:
            found["who"] = f"Choose {words.a('learner')} of this programme."
        if booking.team_id is not None and booking.team_id not in teams:
            found["who"] = f"Choose {words.a('team')} of this programme."
        if booking.room_id is not None and booking.room_id not in rooms:
            found["room"] = "Choose a room of this programme."
        if not set(booking.course_ids) <= courses:
            found["courses"] = f"Choose among the {words.many('course')} of this programme."
        if booking.timetable_id is not None:
            if booking.timetable_id not in timetables:
                found["timetable"] = "Choose a timetable of this programme."
            elif timetables[booking.timetable_id] not in (None, booking.practitioner_id):
                found["timetable"] = f"This timetable belongs to another {words.practitioner}."
        place = rooms.get(booking.room_id or 0)
        if found := found or misfits(
            words, booking.practitioner_id, those, place, booking.places
        ) or wrong_room(place, booking.method, booking.records):
            raise Invalid(found, item)


def misfits(
    words: Words, practitioner_id: int | None, learners: Collection[int], place: Place | None,
    places: int | None = None,
) -> dict[str, str]:
    """Why these people cannot meet like this, or not in that room; nobody overrides it (C8, X1). Pure."""
    found: dict[str, str] = {}
    if practitioner_id is not None and practitioner_id in learners:
        found["who"] = f"The same person cannot be {words.practitioner} and {words.learner} at once."
    elif len(learners) > MOST_LEARNERS:
        found["who"] = f"At most {MOST_LEARNERS} {words.many('learner')} can take part; these are {len(learners)}."
    elif places is not None and len(learners) > places:
        found["who"] = f"It has {places} {'place' if places == 1 else 'places'}; these are {len(learners)}."
    people = len(learners) + (practitioner_id is not None)
    if place is not None and people > place.capacity:
        found["room"] = f"{place.name} holds {place.capacity}; {people} take part. Choose a larger room."
    return found


def wrong_room(place: Place | None, method: str, records: bool) -> dict[str, str]:
    """Why a session of this method cannot take place in that room (C5, C12). Pure."""
    if place is None:
        return {}
    if method == Method.SMART and not place.smart:
        return {"room": f"{place.name} is no smart room. Choose one that is, or none: one is allotted then."}
    if method != Method.SMART and place.smart:
        return {"room": f"{place.name} is for smart sessions alone. Choose another room."}
    if records and not place.records:
        return {"room": f"{place.name} does not record. Choose one that does, or none: one is allotted then."}
    return {}


def holding(work: Work, programme_id: int, role: Role, ids: Iterable[int | None]) -> set[int]:
    """Those of these people who hold the role and can sign in."""
    return set(work.tx.scalars(
        select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id).where(
            RoleGrant.programme_id == programme_id, RoleGrant.role == role, among(RoleGrant.person_id, _ids(ids)),
            Person.disabled_at.is_(None),
        )
    ))


def check_open(work: Work, programme: ProgrammeView, *, numbering: bool = False) -> None:
    """Nothing new is put on the calendar of a retired programme; it stays open until the act ends. Raises Conflict.

    Asked once the people are locked. `numbering` is for whoever takes the next numbers: one at a time.
    """
    held = select(Programme.retired_at).where(Programme.id == programme.id)
    if work.tx.scalar(held.with_for_update(read=not numbering, key_share=numbering)) is not None:
        raise Conflict(f"{programme.name} is retired, so nothing is booked in it any more.")


def check_hours(
    work: Work, programme: ProgrammeView, placed: Sequence[Placed], reasons: Mapping[int, str | None],
    but: Collection[int] = (),
) -> None:
    """Hours, closures, notice, limits and buffers hold, unless somebody who may says why not (X1). Raises Invalid."""
    problems = hours_problems(work, programme.id, placed, but)
    if not problems:
        return
    overrides = may(work, Action.HOURS_OVERRIDE, programme.id)
    for item, problem in sorted(problems.items()):
        if not overrides:
            raise Invalid({"time": problem.sentence}, item)
        if not (reasons.get(item) or "").strip():
            raise Invalid({"time": problem.sentence, "reason": asked_reason(problem)}, item)
        work.because(reasons[item])


def asked_reason(problem: Problem) -> str:
    """What is asked of whoever may book then all the same."""
    return f"Give a reason to book {'outside opening hours' if problem.opening else 'it all the same'}."


def rooms_of(work: Work, programme_id: int, ids: Iterable[int | None]) -> dict[int, Place]:
    """Those of these rooms that can be booked."""
    listed = _ids(ids)
    if not listed:
        return {}
    return {row.id: Place(*row[1:]) for row in work.tx.execute(
        select(Room.id, Room.name, Room.capacity, Room.smart, Room.records).where(
            Room.programme_id == programme_id, Room.id.in_(listed), Room.retired_at.is_(None))
    )}


def timetables_of(work: Work, programme_id: int, ids: Iterable[int | None]) -> dict[int, int | None]:
    """Those of these timetables that are in use, with their owners."""
    listed = _ids(ids)
    if not listed:
        return {}
    return {row.id: row.owner_id for row in work.tx.execute(
        select(Timetable.id, Timetable.owner_id).where(
            Timetable.programme_id == programme_id, Timetable.id.in_(listed), Timetable.retired_at.is_(None))
    )}


def learners_of(work: Work, programme: ProgrammeView, bookings: Sequence[Booking]) -> list[tuple[int, ...]]:
    """Who takes part in each: the learners named, or the team's members of that day who are learners still."""
    teams = {booking.team_id for booking in bookings if booking.team_id is not None}
    members: dict[int, list[tuple[int, Any, Any]]] = {}
    if teams:
        for row in work.tx.execute(
            select(TeamMember.team_id, TeamMember.learner_id, TeamMember.from_day, TeamMember.until_day)
            .join(Person, and_(Person.id == TeamMember.learner_id, Person.disabled_at.is_(None)))
            .join(RoleGrant, and_(
                RoleGrant.person_id == TeamMember.learner_id, RoleGrant.programme_id == programme.id,
                RoleGrant.role == Role.LEARNER,
            ))
            .where(TeamMember.team_id.in_(teams)).order_by(TeamMember.learner_id)
        ):
            members.setdefault(row.team_id, []).append((row.learner_id, row.from_day, row.until_day))
    return [_learners(work, programme, booking, members) for booking in bookings]


def _learners(
    work: Work, programme: ProgrammeView, booking: Booking, members: Mapping[int, Sequence[tuple[int, Any, Any]]]
) -> tuple[int, ...]:
    if booking.team_id is None:
        return tuple(dict.fromkeys(booking.learner_ids))
    day = (booking.starts_at or work.now).astimezone(programme.zone).date()
    return tuple(dict.fromkeys(
        learner for learner, since, until in members.get(booking.team_id, ())
        if since <= day and (until is None or day <= until)
    ))


def waiting_in(work: Work, session_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Who waits for a place in each of these sessions, in order; those for which nobody waits are left out."""
    listed = sorted(session_ids)
    found: dict[int, tuple[int, ...]] = {}
    for n in range(0, len(listed), 1000):
        for session_id, learner in work.tx.execute(
            select(Waiting.session_id, Waiting.learner_id).where(Waiting.session_id.in_(listed[n:n + 1000]))
            .order_by(Waiting.id)
        ):
            found[session_id] = (*found.get(session_id, ()), learner)
    return found


def _seen_here(work: Work, programme_id: int, ids: Iterable[int | None]) -> set[int]:
    listed = _ids(ids)
    if not listed:
        return set()
    return set(work.tx.scalars(
        select(Session.id).where(visible_sessions(work, programme_id), Session.id.in_(listed))))


def _known(work: Work, model: type[Team] | type[Course], programme_id: int, ids: Iterable[int | None]) -> set[int]:
    listed = _ids(ids)
    if not listed:
        return set()
    return set(work.tx.scalars(
        select(model.id).where(model.programme_id == programme_id, model.id.in_(listed), model.retired_at.is_(None))
    ))


def _ids(ids: Iterable[int | None]) -> list[int]:
    return sorted({id_ for id_ in ids if id_ is not None and is_id(id_)})

"""Change what sessions are: when they are, with whom and where, and their facts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from core.availability.queries import Placed
from core.billing.settle import settle
from core.clock import when_words
from core.engagements.queries import matching
from core.errors import Conflict, Invalid
from core.learning.rules import moves_enrolments
from core.notifications.commands import notify
from core.permissions import RECORDED, Action, as_learner
from core.programmes.queries import programme_of
from core.sessions.booking import (
    LIES_BEHIND,
    PARTS,
    book_sessions,
    check_own,
    everybody,
    meeting,
    next_number,
    number_problem,
)
from core.sessions.busy import Wanted, lock, refuse_clashes
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
from core.sessions.ending import LateChange, cancel_sessions, give_up
from core.sessions.loaded import Loaded, apply, load, names, refuse_too_late, tell
from core.sessions.pool import Sought, allotted, rooms_to_hold
from core.sessions.rules import Booking, given, is_id, is_link, text_problems, time_problems
from core.work import Work
from db.bulk import insert_many
from db.models.afterwards import Forfeit
from db.models.programmes import RoleGrant
from db.models.sessions import Participation, SessionCourse, SessionNumber
from db.words import Method, Origin, Role


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


# When, who and where -------------------------------------------------------------------------------------------------


def _wanted(loaded: Mapping[int, Loaded]) -> list[Wanted]:
    return [
        Wanted(n, everybody(each.value("practitioner_id"), each.learners), each.value("room_id"),
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
    people = [everybody(each.value("practitioner_id"), each.learners) for each in loaded.values()]
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
            meeting(each.programme, each.value("practitioner_id"), each.learners, each.value("team_id"),
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
                item, everybody(each.value("practitioner_id"), each.learners),
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


def reschedule_sessions(work: Work, moves: Sequence[Move], *, by_hand: bool = True) -> list[int]:
    """Give sessions another time (A4), or each other's. Raises NotAllowed, Invalid, StaleForm, PersonBusy."""
    ids = [move.session_id for move in moves]
    loaded = load(work, ids, Action.SESSION_RESCHEDULE, {m.session_id: m.version for m in moves})
    refuse_too_late(work, loaded, Action.SESSION_RESCHEDULE)
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
    give_up(work, loaded, {move.session_id: move.late for move in moves})
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
    work.say(f"Moved {first.name.lower()} to {when}." if len(ids) == 1 else f"Moved {names(loaded)}.")
    return ids


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
    refuse_too_late(work, loaded, Action.SESSION_RESCHEDULE)
    for each in loaded.values():
        if each.session.starts_at is None:
            raise Conflict(f"{each.name} is not on the calendar.")
        each.values = {"starts_at": None, "ends_at": None, "room_id": None}
    give_up(work, loaded, dict.fromkeys(session_ids, late))
    apply(work, loaded, by_hand=by_hand)
    settle(work, _worth(work, session_ids))
    tell(work, loaded, "taken off the calendar.")
    work.say(f"Took {names(loaded).lower()} off the calendar.")
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
    work.say(f"Changed the venue of {names(loaded).lower()}.")
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
    work.say(f"Reassigned {names(loaded).lower()}.")
    return ids


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


# Facts and participants ----------------------------------------------------------------------------------------------


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
    work.say(f"Changed {names(loaded).lower()}.")
    return ids


def _hold(work: Work, loaded: Mapping[int, Loaded], bookings: Mapping[int, Booking]) -> None:
    """Hold the calendars of everybody who takes part or is to, and the rooms, before they are looked at."""
    if work.on_sqlite:
        return
    people: set[int] = set()
    for id_, each in loaded.items():
        coming = learners_of(work, each.programme, [bookings[id_]])[0]
        people |= everybody(each.session.practitioner_id, (*each.learners, *coming))
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
        problem = number_problem(number, next_number(work, each.programme.id), each.as_client(work),
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

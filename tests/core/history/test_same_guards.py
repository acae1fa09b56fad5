"""X1, X5: what could not be booked or changed by hand does not come back by undo either."""

from collections.abc import Callable

import pytest

from core.errors import Conflict
from core.history.commands import undo
from core.people.commands import disable_people
from core.programmes import commands as programmes
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    edit_sessions,
    reassign_sessions,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import LateChange, cancel_sessions
from core.structure.commands import edit_entry, retire_entries
from core.structure.rules import Which
from core.work import Saved
from db.models.structure import Room
from db.words import Role, Status, Wish
from tests.factories import NOON, TEN, World


def take_back(world: World, saved: Saved, by: int | None = None) -> Saved:
    return world.do(by or world.ben, undo, saved.act_id, undoes=saved.act_id)


def cancelled(world: World, **given: object) -> tuple[int, Saved]:
    session = world.book(**{"practitioner": world.tom, "learner": world.sara, "starts_at": TEN, **given})
    return session, world.do(world.ben, cancel_sessions, [session], "by mistake")


def test_c8_a_room_that_became_too_small_takes_nobody_back(world: World) -> None:
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN, room=world.room)
    saved = world.do(world.ben, take_off_calendar, [session])
    world.do(world.alice, edit_entry, Which.ROOM, world.room, {"capacity": 2})
    with pytest.raises(Conflict, match=r"any more\. Session 1: Blue room holds 2; 3 take part"):
        take_back(world, saved)
    assert world.fact(session, "starts_at") is None


@pytest.mark.parametrize(
    ("happens", "said"), [
        (lambda w: w.do(w.alice, retire_entries, Which.ROOM, [w.room]), "Its room is not used any more"),
        (lambda w: w.do(w.alice, retire_entries, Which.TIMETABLE, [w.weekly]), "Its timetable is not used any more"),
        (lambda w: w.do(w.alice, programmes.revoke_role, w.programme, w.tom, Role.PRACTITIONER), "takes no sessions"),
        (lambda w: w.do(w.alice, programmes.revoke_role, w.programme, w.sara, Role.LEARNER), "Somebody in it is no"),
        (lambda w: w.do(w.alice, disable_people, [w.tom]), "takes no sessions any more"),
        (lambda w: w.do(w.alice, programmes.retire_programme, w.programme), "Home is retired"),
    ],
)
def test_x1_a_cancelled_session_comes_back_only_to_what_is_still_there(
    world: World, happens: Callable[[World], object], said: str
) -> None:
    session, saved = cancelled(world, room=world.room, timetable=world.weekly)
    happens(world)
    with pytest.raises(Conflict, match=said):
        take_back(world, saved)
    assert world.fact(session, "status") is Status.CANCELLED


def test_b6_a_session_comes_back_under_a_timetable_of_its_practitioner_alone(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, timetable=world.toms_own)
    saved = world.do(world.ben, edit_sessions, [Edit(session, {"timetable_id": world.weekly})])
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    with pytest.raises(Conflict, match="Its timetable belongs to another"):
        take_back(world, saved)


def test_a11_a_session_that_nobody_leads_comes_back_under_its_timetable(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, timetable=world.toms_own)
    world.do(world.ben, reassign_sessions, [Reassign(session, None)])
    saved = world.do(world.ben, cancel_sessions, [session], "by mistake")
    take_back(world, saved)
    assert world.fact(session, "status") is Status.UNASSIGNED


def test_c12_a_session_is_not_smart_again_without_a_room(world: World) -> None:
    world.policy(smart_rooms=True)
    pod = world.add(Room, programme_id=world.programme, name="Pod", capacity=2, smart=True)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, method="smart")
    saved = world.do(world.ben, edit_sessions, [Edit(session, {"method": "traditional"})])
    world.do(world.alice, retire_entries, Which.ROOM, [pod])
    with pytest.raises(Conflict, match="Its room is not used any more"):
        take_back(world, saved)


def test_x1_nobody_becomes_practitioner_and_learner_of_one_session(world: World) -> None:
    world.grant(world.tess, Role.LEARNER)
    session = world.book(practitioner=world.tess, starts_at=TEN)
    saved = world.do(world.ben, reassign_sessions, [Reassign(session, world.tom)])
    world.do(world.ben, edit_sessions, [Edit(session, {"learner_ids": (world.tess,)})])
    with pytest.raises(Conflict, match="cannot be coach and member at once"):
        take_back(world, saved)


def test_x1_a_time_outside_hours_comes_back_by_those_who_may_override_alone(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    saved = world.do(world.tom, reschedule_sessions, [Move(session, NOON)])
    world.policy(open_hours=[[660, 1000]] * 7)
    with pytest.raises(Conflict, match=r"any more\. Session 1: .*11:00–16:40"):
        take_back(world, saved, world.tom)
    take_back(world, saved)
    assert world.fact(session, "starts_at") == TEN


def test_x5_bringing_back_is_not_undone_while_sessions_are_ahead(world: World) -> None:
    world.do(world.alice, programmes.retire_programme, world.programme)
    saved = world.do(world.alice, programmes.bring_back_programme, world.programme)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Conflict, match="1 session is still ahead"):
        take_back(world, saved, world.alice)


def test_x1_nothing_moves_ahead_in_a_retired_programme(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=world.now)
    world.now = TEN
    world.do(world.alice, programmes.retire_programme, world.programme)
    with pytest.raises(Conflict, match="Home is retired"):
        world.do(world.ben, reschedule_sessions, [
            Move(session, NOON, late=LateChange(Wish.PRACTITIONER, False, ""))])

"""Reschedule, venue, reassign, edit, replace (A4, A7, A11, B4, X1, X5)."""

import pytest
from sqlalchemy import select

from core.errors import Conflict, Invalid, NotAllowed
from core.history.commands import undo
from core.permissions import Action
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    Venue,
    ask_for_another_time,
    change_venue,
    edit_sessions,
    reassign_sessions,
    replace_participants,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.queries import worksheet
from core.sessions.rules import PersonBusy, StaleForm
from db.models.notices import Notice
from db.models.sessions import Occupancy, Participation, SessionCourse
from db.words import Role, Status
from tests.factories import DAY, HOUR, MINUTE, TEN, World


def taken(world: World, session: int) -> set[tuple[int | None, int | None]]:
    return set(world.all(select(Occupancy.person_id, Occupancy.room_id).where(Occupancy.session_id == session)))


def move(world: World, *moves: Move, by: int | None = None) -> None:
    world.do(by or world.ben, reschedule_sessions, list(moves))


def test_a4_its_practitioner_its_creator_and_staff_reschedule(world: World) -> None:
    session = world.book(by=world.tess, practitioner=world.tom, learner=world.sara, starts_at=TEN)
    for n, who in enumerate(("tom", "tess", "ben", "alice", "cora")):
        move(world, Move(session, TEN + n * HOUR), by=world.people[who])
        assert world.fact(session, "starts_at") == TEN + n * HOUR
        assert world.fact(session, "ends_at") == TEN + n * HOUR + HOUR
    for who in ("sara", "gus"):
        with pytest.raises(NotAllowed, match=r"You may not reschedule session 1[.]"):
            move(world, Move(session, TEN), by=world.people[who])


def test_a4_b11_where_staff_alone_book_a_practitioner_does_not(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.policy(who_books="staff")
    with pytest.raises(NotAllowed):
        move(world, Move(session, TEN + HOUR), by=world.tom)


def test_a4_off_the_calendar_keeps_the_session_and_frees_the_time(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, room=world.room, starts_at=TEN)
    world.do(world.tom, take_off_calendar, [session])
    assert world.fact(session, "status") is Status.UNSCHEDULED
    assert taken(world, session) == set()
    with pytest.raises(Conflict, match=r"not on the calendar"):
        world.do(world.tom, take_off_calendar, [session])
    move(world, Move(session, TEN + DAY, 30))
    assert world.fact(session, "status") is Status.SCHEDULED
    with pytest.raises(Invalid) as nothing:
        move(world, Move(world.book(practitioner=world.tom), TEN))
    assert set(nothing.value.problems) == {"duration"}


def test_a4_all_others_ask_for_another_time(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    for who in (world.sara, world.gus, world.tom):
        world.do(who, ask_for_another_time, session, "Any afternoon")
    told = world.all(select(Notice.person_id).where(Notice.text.like("Sara asks for another time for session 1: Any%")))
    assert set(told) == {world.tom, world.alice, world.ben}
    for who in (world.lena, world.mona):
        with pytest.raises(NotAllowed):
            world.do(who, ask_for_another_time, session, "Any afternoon")


def test_b9_two_take_each_others_time_and_many_shift_together(world: World) -> None:
    first, second, third = (
        world.book(practitioner=world.tom, learner=world.sara, room=world.room, starts_at=TEN + n * HOUR)
        for n in range(3)
    )
    move(world, Move(first, TEN + HOUR), Move(second, TEN))
    assert [world.fact(one, "starts_at") for one in (first, second)] == [TEN + HOUR, TEN]
    move(world, *(Move(one, world.fact(one, "starts_at") + 30 * MINUTE) for one in (first, second, third)))
    assert world.fact(third, "starts_at") == TEN + 2.5 * HOUR
    assert taken(world, first) == {(world.tom, None), (world.sara, None), (None, world.room)}
    with pytest.raises(PersonBusy):
        move(world, Move(first, TEN + 15 * MINUTE))


def test_b9_a_move_within_ones_own_time_is_no_clash(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    move(world, Move(session, TEN + 15 * MINUTE, 90))
    assert world.fact(session, "ends_at") == TEN + 105 * MINUTE


def test_x1_a_move_passes_the_same_checks_as_a_booking(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    for asked, fields in (
        (Move(session, None), {"date"}), (Move(session, TEN, 7), {"duration"}), (Move(session, TEN, 0), {"duration"}),
        (Move(session, TEN.replace(year=1999)), {"date"}), (Move(session, TEN.replace(hour=3)), {"time", "reason"}),
        (Move(session, TEN, reason="x" * 501), {"reason"}),
    ):
        with pytest.raises(Invalid) as refused:
            move(world, asked)
        assert set(refused.value.problems) == fields
    move(world, Move(session, TEN.replace(hour=3), reason="Night shift"))


def test_a7_venue(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.tom, change_venue, [Venue(session, world.room, " Second floor ")])
    assert (world.fact(session, "room_id"), world.fact(session, "location")) == (world.room, "Second floor")
    other = world.book(practitioner=world.tess, starts_at=TEN)
    with pytest.raises(PersonBusy, match=r"Blue room is busy .*10:00"):
        world.do(world.ben, change_venue, [Venue(other, world.room, None)])
    for room in (world.their_room, 10**6):
        with pytest.raises(Invalid, match=r"room of this programme"):
            world.do(world.ben, change_venue, [Venue(other, room, None)])
    world.do(world.ben, change_venue, [Venue(session, world.attic, None), Venue(other, world.room, None)])
    world.do(world.ben, change_venue, [Venue(session, world.room, None), Venue(other, world.attic, None)])  # a swap
    with pytest.raises(Invalid, match=r"on the calendar first"):
        world.do(world.ben, change_venue, [Venue(world.book(), world.room, None)])


def test_a11_a_practitioner_is_taken_off_and_free_at_once_while_the_learner_stays_held(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.ben, reassign_sessions, [Reassign(session, None)])
    assert world.fact(session, "status") is Status.UNASSIGNED
    assert taken(world, session) == {(world.sara, None)}
    world.book(practitioner=world.tom, starts_at=TEN)
    with pytest.raises(PersonBusy, match=r"Tom is busy"):
        world.do(world.ben, reassign_sessions, [Reassign(session, world.tom)])
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    assert taken(world, session) == {(world.sara, None), (world.tess, None)}


def test_reassigning_tells_both_and_takes_practitioners_of_the_programme_alone(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    told = dict(world.all(select(Notice.person_id, Notice.text).where(Notice.text.not_like("Booked%"))))
    assert told == {
        world.tom: "Session 1: no longer yours.", world.tess: "Session 1: is yours now.",
        world.sara: "Session 1: has another practitioner.",
    }
    world.grant(world.sara, Role.PRACTITIONER)
    for who in (world.zed, world.sam, world.sara, 10**9):
        with pytest.raises(Invalid) as refused:
            world.do(world.ben, reassign_sessions, [Reassign(session, who)])
        assert set(refused.value.problems) == {"practitioner"}


def test_b6_a_session_under_a_custom_timetable_stays_its_owners(world: World) -> None:
    session = world.book(timetable=world.toms_own, starts_at=TEN)
    with pytest.raises(Invalid, match=r"own timetable"):
        world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])


def edit(world: World, session: int, by: int | None = None, version: int | None = None, **changes: object) -> None:
    world.do(by or world.ben, edit_sessions, [Edit(session, changes, version)])


def test_facts_of_a_session_are_edited(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,))
    edit(world, session, by=world.tom, description=" Fractions ", type="review", planning_notes="Bring a ruler",
         course_ids=(world.art,), number=40, timetable_id=world.weekly, location="", report_required=True)
    found = [world.fact(session, name) for name in (
        "description", "type", "planning_notes", "number", "timetable_id", "location", "report_required", "version")]
    assert found == ["Fractions", "review", "Bring a ruler", 40, world.weekly, None, True, 2]
    assert world.all(select(SessionCourse.course_id)) == [world.art]
    edit(world, session, number=1)  # its own earlier number
    with pytest.raises(Invalid, match=r"Number 40 was given out before"):
        edit(world, world.book(), number=40)


def test_b4_giving_an_open_session_its_first_team_is_an_edit(world: World) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN)
    edit(world, session, team_id=world.comet)
    assert set(world.all(select(Participation.learner_id))) == {world.sara, world.sam}
    assert taken(world, session) == {(world.tom, None), (world.sara, None), (world.sam, None)}
    with pytest.raises(PersonBusy, match=r"Sara is busy"):
        edit(world, world.book(practitioner=world.tess, starts_at=TEN), learner_ids=(world.sara,))


@pytest.mark.parametrize("recorded", [False, True])
def test_b4_naming_the_same_team_again_adds_nobody_who_joined_it_since(world: World, recorded: bool) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    edit(world, session, team_id=world.comet)
    if recorded:
        world.held(session)
    world.join(world.comet, world.vic)
    with pytest.raises(Conflict, match="already has its team"):
        edit(world, session, team_id=world.comet)
    learners = world.all(select(Participation.learner_id).where(Participation.session_id == session))
    assert set(learners) == {world.sara, world.sam}


@pytest.mark.parametrize("change", ["learner", "team", "nobody", "fewer"])
def test_b4_replacing_is_refused_with_the_way_out(world: World, change: str) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    changes = {
        "learner": {"team_id": None, "learner_ids": (world.vic,)}, "team": {"team_id": world.team("Other", world.vic)},
        "nobody": {"team_id": None}, "fewer": {"team_id": None, "learner_ids": (world.sara,)},
    }[change]
    with pytest.raises(Conflict, match=r"already has its team. To replace them, cancel it and make a new one linked"):
        edit(world, session, **changes)


def test_b4_the_way_out_in_one_step(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, room=world.room, starts_at=TEN,
                         planning_notes="Sara's own", description="Kept", course_ids=(world.maths,))
    made = world.do(world.ben, replace_participants, session, learner_id=world.vic)
    fresh = made.result[0]
    assert world.fact(session, "status") is Status.CANCELLED
    assert [world.fact(fresh, name) for name in (
        "number", "follows_id", "starts_at", "room_id", "description", "planning_notes", "origin")
    ] == [2, session, TEN, world.room, "Kept", None, "copy"]
    assert world.all(select(Participation.learner_id).where(Participation.session_id == fresh)) == [world.vic]
    with world.reading(world.ben) as work:
        assert worksheet(work, fresh).follows == (session, 1)
    world.do(world.ben, undo, made.act_id, undoes=made.act_id)
    assert world.fact(session, "status") is Status.SCHEDULED
    assert world.fact(fresh, "id") is None


def test_b4_the_way_out_is_all_or_nothing(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    with pytest.raises(PersonBusy, match=r"Vic"):
        world.do(world.ben, replace_participants, session, learner_id=world.vic)
    with pytest.raises(Invalid):
        world.do(world.ben, replace_participants, session)
    assert world.fact(session, "status") is Status.SCHEDULED


def test_a_stale_form_shows_what_the_other_has_made_of_it_and_loses_neither(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="First")
    edit(world, session, version=1, description="Alice's words")
    with pytest.raises(StaleForm, match=r"was changed by somebody else while you had it open") as stale:
        edit(world, session, version=1, description="Ben's words")
    assert stale.value.theirs["description"] == "Alice's words"
    assert stale.value.theirs["time"] == "Tue 3 Mar 2026, 10:00–11:00"
    assert stale.value.theirs["practitioner"] == "Tom"
    assert world.fact(session, "description") == "Alice's words"
    edit(world, session, version=stale.value.version, description="Both")
    for command, given in (
        (reschedule_sessions, [Move(session, TEN + HOUR, version=1)]), (change_venue, [Venue(session, None, "x", 1)]),
        (reassign_sessions, [Reassign(session, world.tess, 1)]),
    ):
        with pytest.raises(StaleForm):
            world.do(world.ben, command, given)


def test_x6_a_stale_form_shows_no_notes_to_those_who_may_not_read_them(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, planning_notes="Between us")
    world.tick(Action.SESSION_EDIT)
    with pytest.raises(StaleForm) as stale:
        edit(world, session, by=world.cuno, version=7, description="x")
    assert stale.value.theirs["planning notes"] == ""


def test_x5_every_change_can_be_undone(world: World) -> None:
    first = world.book(practitioner=world.tom, learner=world.sara, room=world.room, starts_at=TEN)
    second = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + HOUR)
    before = [[world.fact(one, name) for name in ("starts_at", "practitioner_id", "room_id", "status", "description")]
              for one in (first, second)]
    for command, given in (
        (reschedule_sessions, [[Move(first, TEN + HOUR), Move(second, TEN)]]), (take_off_calendar, [[first, second]]),
        (reassign_sessions, [[Reassign(first, None), Reassign(second, world.tess)]]),
        (change_venue, [[Venue(first, None, "Outside"), Venue(second, world.room, None)]]),
        (edit_sessions, [[Edit(first, {"description": "x"})]]),
    ):
        saved = world.do(world.ben, command, *given)
        world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
        assert before == [
            [world.fact(one, name) for name in ("starts_at", "practitioner_id", "room_id", "status", "description")]
            for one in (first, second)
        ], command
        with pytest.raises(Conflict, match=r"undone already"):
            world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)


def test_x5_a_room_does_not_come_back_to_a_session_that_has_left_the_calendar(world: World) -> None:
    session = world.book(practitioner=world.tom, room=world.room, starts_at=TEN)
    saved = world.do(world.ben, change_venue, [Venue(session, None, "Outside")])
    world.do(world.tom, take_off_calendar, [session])
    with pytest.raises(Conflict, match=r"Tom: Took session 1 off the calendar"):
        world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)

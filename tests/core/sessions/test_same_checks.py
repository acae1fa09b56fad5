"""Every way of booking and changing looks at the same things (A10, B4, B9, C8, E3, X1, X6)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.notifications.queries import my_notices, unread_count
from core.sessions import booking
from core.sessions.booking import book_sessions
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    Venue,
    change_venue,
    edit_sessions,
    reassign_sessions,
    replace_participants,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import cancel_sessions
from core.sessions.fixes import Fix, FixKind, preview
from core.sessions.queries import Filters, session_list
from db.models.history import ChangeSet
from db.models.notices import Notice
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Participation
from db.models.structure import Room
from db.words import Method, Outcome, Role
from tests.factories import DAY, HOUR, MINUTE, NOON, TEN, World, statements

EVERYTHING = Filters()


def capacity(world: World, people: int) -> None:
    world.raw(lambda work: work.tx.execute(update(Room).where(Room.id == world.room).values(capacity=people)) and None)


def revoke(world: World, person: int) -> None:
    world.raw(lambda work: work.tx.execute(RoleGrant.__table__.delete().where(RoleGrant.person_id == person)) and None)


def problems(world: World, command: Any, *given: Any, by: int | None = None) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        world.do(by or world.ben, command, *given)
    return refused.value.problems


@pytest.mark.parametrize(("notice", "outcome"), [
    (DAY, Outcome.CANCELLED_IN_TIME), (DAY - timedelta(seconds=1), Outcome.CANCELLED_LATE),
])
def test_e3_a_client_cancels_late_or_in_time(world: World, notice: timedelta, outcome: Outcome) -> None:
    world.policy(who_books="clients too")
    session = world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=TEN)
    act = world.do(world.sara, cancel_sessions, [session], "ill", now=TEN - notice)
    assert world.all(select(Participation.outcome, Participation.notice_at)) == [(outcome, TEN - notice)]
    assert world.one(select(ChangeSet.reason).where(ChangeSet.id == act.act_id)) == "ill"


def test_x6_a_session_follows_only_one_that_the_actor_may_see(world: World) -> None:
    world.policy(who_books="clients too")
    hidden = world.book(practitioner=world.tom, learner=world.sam)
    with pytest.raises(NotFound):
        world.book(by=world.sara, practitioner=world.tom, learner=world.sara, follows=hidden)
    world.grant(world.ben, Role.BASIC_ADMIN, programme=world.elsewhere)
    with pytest.raises(NotFound):
        world.book(follows=world.elsewhere_session())
    own = world.book(by=world.sara, practitioner=world.tom, learner=world.sara)
    assert world.book(by=world.sara, practitioner=world.tom, learner=world.sara, follows=own)


@pytest.mark.parametrize("name", ["gus", "lena"])
def test_x6_other_learners_are_neither_found_nor_sorted_by(world: World, name: str) -> None:
    adam, zoltan = world.person("Adam", Role.LEARNER), world.person("Zoltan", Role.LEARNER)
    first = world.book(practitioner=world.tom, learner_ids=(world.sara, zoltan), starts_at=TEN)
    second = world.book(practitioner=world.tom, learner_ids=(world.sara, adam), starts_at=NOON)
    who = world.people[name]

    def found(filters: Filters = EVERYTHING, sort: str = "number") -> list[int]:
        with world.reading(who) as work:
            return [row.id for row in session_list(work, world.programme, filters, sort=sort, down=False).rows]

    assert found() == found(Filters(text="Sara")) == found(Filters(learners=(world.sara,))) == [first, second]
    assert found(Filters(text="Adam")) == found(Filters(learners=(adam,))) == []
    assert found(sort="team") == [first, second]
    world.grant(who, Role.PRACTITIONER)
    mine = world.book(practitioner=who, learner=adam, starts_at=TEN + DAY)
    assert found(Filters(text="Adam")) == [mine]


def test_x1_a_smart_session_comes_back_to_the_calendar_with_a_room_alone(world: World) -> None:
    world.policy(smart_rooms=True)
    pod = world.add(Room, programme_id=world.programme, name="Pod", capacity=2, smart=True)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, method=Method.SMART)
    world.do(world.ben, take_off_calendar, [session])
    world.do(world.ben, reschedule_sessions, [Move(session, NOON, 60)])
    assert world.fact(session, "room_id") == pod
    world.do(world.ben, take_off_calendar, [session])
    world.raw(lambda work: work.tx.execute(update(Room).where(Room.id == pod).values(retired_at=world.now)) and None)
    assert set(problems(world, reschedule_sessions, [Move(session, NOON, 60)])) == {"room"}


def test_x1_a_venue_that_policy_requires_stays(world: World) -> None:
    world.policy(required=["location"])
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, location="Here")
    assert set(problems(world, change_venue, [Venue(session, None, " ")])) == {"location"}
    with world.reading(world.ben) as work:
        assert preview(work, Fix(FixKind.VENUE), [session])[0].refused == "Say where it takes place."


def test_x1_the_disabled_and_the_retired_are_not_taken_again(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, room=world.room)
    world.disable(world.tom)
    assert set(problems(world, reschedule_sessions, [Move(session, NOON)])) == {"practitioner"}
    with world.reading(world.ben) as work:
        assert "takes no sessions any more" in str(preview(work, Fix(FixKind.SHIFT, days=1), [session])[0].refused)
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    world.raw(lambda work: work.tx.execute(update(Room).values(retired_at=world.now)) and None)
    assert set(problems(world, reschedule_sessions, [Move(session, NOON)])) == {"room"}


def test_x1_a_room_holds_no_more_people_than_it_can(world: World) -> None:
    capacity(world, 2)
    both = {"learner_ids": (world.sara, world.sam), "practitioner": world.tom, "starts_at": TEN}
    with pytest.raises(Invalid, match=r"Blue room holds 2; 3 take part"):
        world.book(**both, room=world.room)
    session = world.book(**both)
    assert set(problems(world, change_venue, [Venue(session, world.room, None)])) == {"room"}
    with world.reading(world.ben) as work:
        assert "holds 2" in str(preview(work, Fix(FixKind.VENUE, room_id=world.room), [session])[0].refused)
    empty = world.book(practitioner=world.tess, starts_at=NOON, room=world.room)
    assert set(problems(world, edit_sessions, [Edit(empty, {"team_id": world.comet})])) == {"room"}
    one = world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, room=world.room)
    with pytest.raises(Invalid, match=r"holds 2"):
        world.do(world.ben, replace_participants, one, team_id=world.comet)
    alone = world.book(learner_ids=(world.sara, world.sam), starts_at=NOON + HOUR, room=world.room)
    with pytest.raises(Invalid, match=r"holds 2"):
        world.do(world.ben, reassign_sessions, [Reassign(alone, world.tom)])


def test_c8_a_team_is_at_most_thirty_who_are_learners_still(world: World) -> None:
    world.disable(world.sam)
    session = world.book(practitioner=world.tom, team=world.comet)
    assert world.all(select(Participation.learner_id).where(Participation.session_id == session)) == [world.sara]
    crowd = world.team("Crowd", *(world.person(f"P{n}", Role.LEARNER) for n in range(31)))
    with pytest.raises(Invalid, match=r"At most 30"):
        world.book(practitioner=world.tom, team=crowd)
    revoke(world, world.sara)
    assert world.book(practitioner=world.tom, team=world.comet)
    assert len(world.all(select(Participation.id))) == 1


def test_b9_the_practitioner_is_not_a_member_of_the_team_too(world: World) -> None:
    world.grant(world.tom, Role.LEARNER)
    world.join(world.comet, world.tom)
    for at in (TEN, None):
        with pytest.raises(Invalid, match=r"cannot be"):
            world.book(practitioner=world.tom, team=world.comet, starts_at=at)
    session = world.book(practitioner=world.tom)
    assert set(problems(world, edit_sessions, [Edit(session, {"team_id": world.comet})])) == {"who"}
    theirs = world.book(practitioner=world.tess, team=world.comet)
    assert set(problems(world, reassign_sessions, [Reassign(theirs, world.tom)])) == {"practitioner"}


def test_nothing_new_in_a_retired_programme(world: World) -> None:
    loose = world.book(practitioner=world.tom, learner=world.sara)
    world.raw(lambda work: work.tx.execute(
        update(Programme).where(Programme.id == world.programme).values(retired_at=world.now)) and None)
    with pytest.raises(Conflict, match=r"Home is retired"):
        world.book(practitioner=world.tom)
    with pytest.raises(Conflict, match=r"Home is retired"):
        world.do(world.ben, reschedule_sessions, [Move(loose, TEN, 60)])


def test_b3_a_number_runs_ahead_only_so_far_and_clients_choose_none(world: World) -> None:
    with pytest.raises(Invalid, match=r"At most 10,001"):
        world.book(number=10_002)
    session = world.book(number=10_001)
    assert set(problems(world, edit_sessions, [Edit(session, {"number": 20_003})])) == {"number"}
    world.policy(who_books="clients too")
    with pytest.raises(Invalid, match=r"You may not choose the number"):
        world.book(by=world.sara, practitioner=world.tom, learner=world.sara, number=3)
    own = world.book(by=world.sara, practitioner=world.tom, learner=world.sara)
    for changes in ({"number": 12}, {"report_required": not world.fact(own, "report_required")}):
        assert set(problems(world, edit_sessions, [Edit(own, changes)], by=world.sara)) == set(changes)


def test_a10_a_report_is_required_or_not_as_fixed_when_held(world: World) -> None:
    session = world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN))
    changes = {"report_required": not world.fact(session, "report_required")}
    assert set(problems(world, edit_sessions, [Edit(session, changes)])) == {"report_required"}


def test_b4_a_team_without_members_is_not_replaced_once_a_meeting_is_made(world: World) -> None:
    session = world.book(practitioner=world.tom, team=world.lonely, starts_at=TEN)
    with pytest.raises(Conflict, match=r"already has its team"):
        world.do(world.ben, edit_sessions, [Edit(session, {"team_id": world.comet})])


def test_x6_a_client_does_not_learn_who_there_is(world: World) -> None:
    world.policy(who_books="clients too")
    for given in ({"learner": world.sam}, {"learner": 12345}, {"team": world.their_team}, {"team": 12345}):
        with pytest.raises(NotAllowed, match=r"yourself"):
            world.book(by=world.sara, practitioner=world.tom, **given)


def test_x6_notices_end_where_the_role_or_the_sight_of_it_ends(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    other = world.book(practitioner=world.tom, learner=world.sam, starts_at=NOON)
    world.do(world.ben, reassign_sessions, [Reassign(other, world.tess)])

    def read() -> tuple[list[str], int]:
        with world.reading(world.tom) as work:
            return [row.text for row in my_notices(work)], unread_count(work)

    assert read() == (
        ["Session 2: no longer yours.", "Booked: session 1, Tue 3 Mar 2026, 10:00–11:00."], 2)
    revoke(world, world.tom)
    world.do(world.ben, cancel_sessions, [session], "Sara is ill")
    assert read() == ([], 0)
    assert not world.all(select(Notice.id).where(Notice.person_id == world.tom, Notice.text.contains("ill")))


def test_notices_cost_the_same_for_one_and_for_many(world: World) -> None:
    def cost() -> int:
        with world.reading(world.tom) as work, statements(world.engine) as sent:
            my_notices(work)
            unread_count(work)
            return len(sent)

    world.book(practitioner=world.tom, starts_at=TEN)
    one = cost()
    world.book_many([world.booking(practitioner=world.tom, starts_at=TEN + DAY + n * 15 * MINUTE, minutes=15)
                     for n in range(12)])
    assert cost() == one


def test_x5_the_reason_for_an_override_is_kept_with_the_act(world: World) -> None:
    night = [world.booking(practitioner=world.tom, starts_at=TEN.replace(hour=3), reason="Night shift")]
    booked = world.do(world.ben, book_sessions, night)
    moved = world.do(world.ben, reschedule_sessions, [Move(booked.result[0], TEN.replace(hour=4), reason="Later")])
    told = [world.one(select(ChangeSet.reason).where(ChangeSet.id == act.act_id)) for act in (booked, moved)]
    assert told == ["Night shift", "Later"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_somebody_disabled_just_before_their_time_is_held_is_not_booked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = booking.lock

    def late(*given: Any) -> None:
        world.disable(world.tom)
        hold(*given)

    monkeypatch.setattr(booking, "lock", late)
    with pytest.raises(Invalid) as refused:
        world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert set(refused.value.problems) == {"practitioner"}

"""Groups: places, waiting lists, and who is taken in when one becomes free (C8, B4, E8, X1, X2, X5)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.history.queries import timeline
from core.programmes.rules import BookingField, WhoBooks
from core.sessions.booking import book_sessions
from core.sessions.changing import Move, reschedule_sessions
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.groups import add_learners, leave_waiting, remove_learners, set_places
from core.sessions.queries import worksheet
from core.sessions.rules import PersonBusy
from core.work import Work
from db.models.history import ChangeSet
from db.models.notices import Notice
from db.models.sessions import Participation, Waiting
from db.models.structure import Room
from db.words import Outcome, Role
from tests.factories import HOUR, TEN, World


@pytest.fixture
def people(world: World) -> list[int]:
    """Ann, Bo, Cy, Di and Ed, learners."""
    return [world.person(name, Role.LEARNER) for name in ("Ann", "Bo", "Cy", "Di", "Ed")]


@pytest.fixture
def full(world: World, people: list[int]) -> int:
    """Ann and Bo with Tom at ten, for whom there are two places; Cy and Di wait."""
    session = world.book(practitioner=world.tom, learner_ids=tuple(people[:2]), starts_at=TEN, places=2)
    world.do(world.ben, add_learners, session, people[2:4])
    return session


def inside(world: World, session: int) -> list[int]:
    return world.all(select(Participation.learner_id).where(
        Participation.session_id == session, Participation.outcome.is_(None)).order_by(Participation.id))


def waiting(world: World, session: int) -> list[int]:
    return world.all(select(Waiting.learner_id).where(Waiting.session_id == session).order_by(Waiting.id))


def told(world: World, person: int) -> list[str]:
    return world.all(select(Notice.text).where(Notice.person_id == person).order_by(Notice.id))


# Places --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [0, 31, -1, "2", True, 2.0])
def test_c8_a_number_of_learners_is_from_1_to_30(world: World, places: Any) -> None:
    with pytest.raises(Invalid, match="whole number from 1 to 30") as refused:
        world.book(practitioner=world.tom, starts_at=TEN, places=places)
    assert list(refused.value.problems) == ["places"]


def test_c8_no_more_are_booked_than_there_are_places(world: World, people: list[int]) -> None:
    with pytest.raises(Invalid, match="It has 2 places; these are 3"):
        world.book(practitioner=world.tom, learner_ids=tuple(people[:3]), starts_at=TEN, places=2)


def _one_more(world: World, session: int, learner: int) -> Callable[[Work], Any]:
    return lambda work: work.tx.execute(insert(Participation).values(session_id=session, learner_id=learner)) and None


def test_x2_the_database_itself_refuses_one_too_many(world: World, full: int, people: list[int]) -> None:
    with pytest.raises(Conflict, match="places were taken in the meantime"):
        world.raw(_one_more(world, full, people[4]))
    with pytest.raises(Conflict, match="places were taken"):
        world.set(full, places=1)
    assert len(inside(world, full)) == 2


def test_x2_an_outcome_that_takes_a_learner_back_in_needs_a_place(world: World, full: int, people: list[int]) -> None:
    def outcome(learner: int, which: Outcome | None) -> None:
        world.raw(lambda work: work.tx.execute(update(Participation).where(
            Participation.session_id == full, Participation.learner_id == learner).values(outcome=which)) and None)

    outcome(people[0], Outcome.CANCELLED_IN_TIME)
    world.raw(_one_more(world, full, people[4]))
    with pytest.raises(Conflict, match="places were taken"):
        outcome(people[0], None)
    with pytest.raises(Conflict, match="places were taken"):
        outcome(people[0], Outcome.MISSED)
    outcome(people[0], Outcome.CANCELLED_LATE)


def test_x2_many_in_one_statement_are_counted_together(world: World, people: list[int]) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN, places=3)
    rows = [{"session_id": session, "learner_id": person} for person in people]
    with pytest.raises((Conflict, IntegrityError)):
        world.raw(lambda work: work.tx.execute(insert(Participation), rows) and None)
    assert inside(world, session) == []


# Adding ------------------------------------------------------------------------------------------------------------


def test_c8_who_fits_is_in_and_the_rest_wait_in_order(world: World, people: list[int]) -> None:
    session = world.book(practitioner=world.tom, learner_ids=(people[0],), starts_at=TEN, places=3)
    saved = world.do(world.tom, add_learners, session, people[1:])
    assert saved.said == "Added Bo and Cy to session 1. Di and Ed are on the waiting list of session 1."
    assert inside(world, session) == people[:3]
    assert waiting(world, session) == people[3:]
    assert told(world, people[4]) == ["Session 1: you are on the waiting list, place 2."]
    with pytest.raises(Invalid, match="It has 3 places; these are 4"):
        world.do(world.ben, add_learners, session, [world.sara], wait=False)


def test_c8_without_a_number_of_places_thirty_take_part_at_most(world: World) -> None:
    many = [world.person(f"P{n}", Role.LEARNER) for n in range(31)]
    session = world.book(practitioner=world.tom, starts_at=TEN)
    with pytest.raises(Invalid, match="At most 30 members"):
        world.do(world.ben, add_learners, session, many)
    world.do(world.ben, add_learners, session, many[:30])
    assert len(inside(world, session)) == 30


def test_b9_who_is_busy_is_refused_or_left_out(world: World, people: list[int]) -> None:
    world.book(practitioner=world.tess, learner=people[0], starts_at=TEN)
    session = world.book(practitioner=world.tom, starts_at=TEN, places=3)
    with pytest.raises(PersonBusy, match=r"Ann is busy Tue 3 Mar 2026, 10:00–11:00 \(session 1\)") as refused:
        world.do(world.ben, add_learners, session, people[:2])
    assert [clash.person_id for clash in refused.value.clashes] == [people[0]]
    assert inside(world, session) == []
    saved = world.do(world.ben, add_learners, session, people[:2], without_busy=True)
    assert saved.said == "Added Bo to session 2. Without Ann: busy then."
    with pytest.raises(PersonBusy):
        world.do(world.ben, add_learners, session, people[:1], without_busy=True)


def test_b9_a_group_is_booked_without_those_who_are_busy_in_one_step(world: World, people: list[int]) -> None:
    world.book(practitioner=world.tess, learner=people[0], starts_at=TEN)
    group = world.booking(practitioner=world.tom, learner_ids=tuple(people[:3]), starts_at=TEN, places=3)
    with pytest.raises(PersonBusy, match="Ann is busy"):
        world.do(world.ben, book_sessions, [group])
    saved = world.do(world.ben, book_sessions, [group], without_busy=True)
    assert inside(world, saved.result[0]) == people[1:3]
    assert saved.said.endswith(", without Ann: busy then.")
    assert world.fact(saved.result[0], "places") == 3
    only = world.booking(practitioner=world.tess, learner=people[1], starts_at=TEN + HOUR / 2)
    with pytest.raises(PersonBusy):
        world.do(world.ben, book_sessions, [only], without_busy=True)


def test_who_is_in_or_waits_is_not_added_again(world: World, full: int, people: list[int]) -> None:
    with pytest.raises(Invalid, match="Ann is in it already"):
        world.do(world.ben, add_learners, full, [people[0]])
    with pytest.raises(Invalid, match="Cy is on the waiting list already"):
        world.do(world.ben, add_learners, full, [people[2]])
    with pytest.raises(Invalid, match="Choose a member"):
        world.do(world.ben, add_learners, full, [world.zoe])
    with pytest.raises(Invalid):
        world.do(world.ben, add_learners, full, [])
    with pytest.raises(Invalid):
        world.do(world.ben, add_learners, full, ["x"])


def test_b4_once_something_is_recorded_nobody_is_added(world: World, full: int, people: list[int]) -> None:
    world.held(full)
    world.now = TEN + HOUR
    for command, given in ((add_learners, [people[4]]), (remove_learners, [people[0]]), (leave_waiting, [people[2]])):
        with pytest.raises(NotAllowed, match="held"):
            world.do(world.ben, command, full, given)


def test_b11_x6_only_those_who_may_edit_it_say_who_takes_part(world: World, full: int, people: list[int]) -> None:
    for person, refusal in ((world.tess, NotFound), (people[0], NotAllowed), (people[2], NotAllowed),
                            (world.mona, NotAllowed), (world.zara, NotFound)):
        with pytest.raises(refusal):
            world.do(person, add_learners, full, [people[4]])
    world.policy(who_books=WhoBooks.STAFF)
    with pytest.raises(NotAllowed):
        world.do(world.tom, remove_learners, full, [people[0]])


# Leaving ------------------------------------------------------------------------------------------------------------


def test_e8_one_leaving_gives_the_place_to_the_first_who_is_free(world: World, full: int, people: list[int]) -> None:
    world.book(practitioner=world.tess, learner=people[2], starts_at=TEN + HOUR / 2)
    saved = world.do(world.ben, remove_learners, full, [people[0]])
    assert saved.said == "Removed Ann from session 1. Di moved up from the waiting list."
    assert inside(world, full) == [people[1], people[3]]
    assert waiting(world, full) == [people[2]]  # and keeps the place in the list
    assert "a place became free, so you take part" in told(world, people[3])[-1]
    assert told(world, people[0])[-1] == "Session 1: you do not take part any more."
    assert world.fact(full, "cancelled_at") is None


def test_e8_the_last_one_leaving_does_not_cancel_it(world: World, people: list[int]) -> None:
    session = world.book(practitioner=world.tom, learner=people[0], starts_at=TEN)
    world.do(world.ben, remove_learners, session, [people[0]])
    assert world.fact(session, "cancelled_at") is None
    world.policy(required=[BookingField.WHO])
    world.do(world.ben, add_learners, session, [people[0]])
    with pytest.raises(Conflict, match="Session 1 needs a member"):
        world.do(world.ben, remove_learners, session, [people[0]])


def test_c8_more_places_go_to_those_who_wait(world: World, full: int, people: list[int]) -> None:
    with pytest.raises(Invalid, match="2 take part already"):
        world.do(world.ben, set_places, full, 1)
    saved = world.do(world.ben, set_places, full, 3)
    assert saved.said == "Session 1 takes at most 3 members. Cy moved up from the waiting list."
    assert inside(world, full) == people[:3]
    assert waiting(world, full) == [people[3]]


def test_a_room_that_is_too_small_keeps_them_waiting(world: World, full: int, people: list[int]) -> None:
    world.set(full, room_id=world.room)
    world.raw(lambda work: work.tx.execute(update(Room).where(Room.id == world.room).values(capacity=4)) and None)
    world.do(world.ben, set_places, full, 10)
    assert inside(world, full) == people[:3]
    assert waiting(world, full) == [people[3]]


def test_taking_somebody_off_the_list(world: World, full: int, people: list[int]) -> None:
    world.do(world.ben, leave_waiting, full, [people[2]])
    assert waiting(world, full) == [people[3]]
    with pytest.raises(Conflict, match="Cy is not on the waiting list"):
        world.do(world.ben, leave_waiting, full, [people[2]])


def test_deleting_and_cancelling_a_session_for_which_some_wait(world: World, full: int, people: list[int]) -> None:
    act = world.do(world.ben, delete_sessions, [full], cancel_first=True).act_id
    assert world.one(select(func.count()).select_from(Waiting)) == 0
    world.do(world.ben, undo, act, undoes=act)
    assert (inside(world, full), waiting(world, full)) == (people[:2], people[2:4])
    world.do(world.ben, cancel_sessions, [full], "Snow")
    assert told(world, people[2])[-1] == "Session 1: cancelled, so nobody waits for it any more."


def test_who_waits_is_told_when_it_moves(world: World, full: int, people: list[int]) -> None:
    world.do(world.ben, reschedule_sessions, [Move(full, TEN + HOUR)])
    assert told(world, people[2])[-1] == "Session 1: moved to Tue 3 Mar 2026, 11:00–12:00."


def test_who_cancelled_their_part_can_be_taken_in_again(world: World, full: int, people: list[int]) -> None:
    world.raw(lambda work: work.tx.execute(update(Participation).where(
        Participation.session_id == full, Participation.learner_id == people[0]).values(
            outcome=Outcome.CANCELLED_IN_TIME)) and None)
    world.raw(lambda work: work.tx.execute(delete(Waiting)) and None)
    world.do(world.ben, add_learners, full, [people[0]])
    assert inside(world, full) == people[:2]


# Seeing --------------------------------------------------------------------------------------------------------------


def test_x6_who_waits_sees_the_session_and_their_own_place_alone(world: World, full: int, people: list[int]) -> None:
    with world.reading(people[3]) as work:
        sheet = worksheet(work, full)
    assert [(each.place, each.learner_id) for each in sheet.waiting] == [(2, people[3])]
    assert sheet.parts == ()
    with world.reading(world.tom) as work:
        assert [(each.place, each.name) for each in worksheet(work, full).waiting] == [(1, "Cy"), (2, "Di")]
    with world.reading(people[0]) as work:
        assert worksheet(work, full).waiting == ()
    with world.reading(people[4]) as work, pytest.raises(NotFound):
        worksheet(work, full)


def test_x6_the_timeline_tells_of_the_waiting_list_only_to_those_who_keep_it(
    world: World, full: int, people: list[int]
) -> None:
    world.do(world.ben, remove_learners, full, [people[1]])
    with world.reading(world.tom) as work:
        entries = timeline(work, full)
    assert [(each.did, sorted(each.lines)) for each in entries[:2]] == [
        ("People removed", ["Cy off the waiting list", "Member Bo removed", "Member Cy added"]),
        ("People added", ["Cy on the waiting list", "Di on the waiting list"]),
    ]
    with world.reading(people[0]) as work:
        assert not any("waiting" in line for each in timeline(work, full) for line in each.lines)


# Undo ---------------------------------------------------------------------------------------------------------------


def test_x5_adding_and_removing_can_be_undone(world: World, full: int, people: list[int]) -> None:
    before = (inside(world, full), waiting(world, full))
    for command, given in (
        (remove_learners, [people[0]]), (add_learners, [people[4]]), (leave_waiting, [people[2]]), (set_places, 4),
        (set_places, None),
    ):
        act = world.do(world.tom, command, full, given).act_id
        between = (sorted(inside(world, full)), waiting(world, full))
        back = world.do(world.tom, undo, act, undoes=act).act_id
        assert (sorted(inside(world, full)), waiting(world, full)) == before, command.__name__
        world.do(world.tom, undo, back, undoes=back)
        assert (sorted(inside(world, full)), waiting(world, full)) == between, command.__name__
        redone = world.one(select(func.max(ChangeSet.id)))
        world.do(world.tom, undo, redone, undoes=redone)
        assert (sorted(inside(world, full)), waiting(world, full)) == before, command.__name__


def test_x5_an_undo_that_frees_a_place_gives_it_to_who_waits(world: World, people: list[int]) -> None:
    session = world.book(practitioner=world.tom, learner_ids=tuple(people[:1]), starts_at=TEN, places=2)
    act = world.do(world.ben, add_learners, session, [people[1]]).act_id
    world.do(world.ben, add_learners, session, [people[2]])
    world.do(world.ben, undo, act, undoes=act)
    assert inside(world, session) == [people[0], people[2]]
    assert waiting(world, session) == []


def test_x5_who_was_removed_does_not_come_back_to_a_place_taken_since(world: World, people: list[int]) -> None:
    session = world.book(practitioner=world.tom, learner_ids=tuple(people[:2]), starts_at=TEN, places=2)
    act = world.do(world.ben, remove_learners, session, [people[0]]).act_id
    world.do(world.ben, add_learners, session, [people[2]])
    with pytest.raises(Conflict, match=r"cannot be undone any more\. Session 1: It has 2 places; these are 3"):
        world.do(world.ben, undo, act, undoes=act)

"""Whom a practitioner works with (D1a), and whom a client can turn to (A2)."""

import pytest
from sqlalchemy import delete

from core.errors import NotAllowed, NotFound
from core.people.members import contact_at, contacts, my_members
from core.programmes.rules import WhoBooks
from core.sessions.ending import cancel_sessions
from db.models.availability import TimeOff, WeeklyWindow
from tests.factories import DAY, HOUR, NOON, NOW, TEN, World, statements


def test_d1a_next_and_last_session_hours_and_notes(world: World) -> None:
    before = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, planning_notes="Bring it")
    world.held(before)
    following = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 7 * DAY)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 8 * DAY)
    world.book(practitioner=world.tom, learner=world.sam, starts_at=None)
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    with world.reading(world.tom, TEN + DAY) as work:
        sara, sam = my_members(work, world.programme)
    assert (sara.id, sara.teams) == (world.sara, ("Comet",))
    assert sara.next is not None
    assert sara.last is not None
    assert (sara.next.session_id, sara.next.starts_at) == (following, TEN + 7 * DAY)
    assert (sara.last.session_id, sara.last.starts_at) == (before, TEN)
    assert (sara.minutes, sara.notes) == (60, "Bring it")
    assert (sam.id, sam.next, sam.last, sam.minutes, sam.notes) == (world.sam, None, None, 0, "")


def test_d1a_what_was_cancelled_makes_nobody_a_member(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.alice, cancel_sessions, [session], "ill")
    with world.reading(world.tom) as work:
        assert my_members(work, world.programme) == []


def test_d1a_is_the_practitioners_own_list(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with world.reading(world.tess) as work:
        assert my_members(work, world.programme) == []
    with world.reading(world.sara) as work, pytest.raises(NotAllowed):
        my_members(work, world.programme)
    with world.reading(world.zed) as work, pytest.raises(NotFound):
        my_members(work, world.programme)


def test_d1a_costs_the_same_for_many(world: World) -> None:
    def asked() -> int:
        with statements(world.engine) as said, world.reading(world.tom) as work:
            my_members(work, world.programme)
        return len(said)

    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    one = asked()
    for n, learner in enumerate((world.sam, world.vic)):
        world.book(practitioner=world.tom, learner=learner, starts_at=NOON + n * HOUR)
    assert asked() == one


@pytest.fixture
def advice(world: World) -> World:
    """A programme whose clients book for themselves."""
    world.policy(who_books=WhoBooks.CLIENTS_TOO)
    return world


def test_a2_a_client_can_turn_to_who_is_free_for_them(advice: World) -> None:
    world = advice
    with world.reading(world.sara) as work:
        found = {each.id: each.free_at for each in contacts(work, world.programme)}
        assert set(found) == {world.tom, world.tess}
        assert contact_at(work, world.programme, world.tom) == found[world.tom]
        assert found[world.tom] >= NOW


def test_a2_who_is_not_available_cannot_be_contacted(advice: World) -> None:
    world = advice
    world.add(TimeOff, person_id=world.tom, starts_at=NOW, ends_at=NOW + 60 * DAY)
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.person_id == world.tess)) and None)
    with world.reading(world.sara) as work:
        assert contacts(work, world.programme) == []
        assert contact_at(work, world.programme, world.tom) is None


def test_a2_only_clients_contact_and_only_where_they_book(advice: World) -> None:
    advice.policy(who_books=WhoBooks.STAFF_AND_PRACTITIONERS)
    with advice.reading(advice.sara) as work, pytest.raises(NotAllowed):
        contacts(work, advice.programme)


def test_a2_the_first_free_time_can_be_booked(advice: World) -> None:
    world = advice
    world.add(TimeOff, person_id=world.tom, starts_at=NOW, ends_at=TEN)
    with world.reading(world.sara) as work:
        at = contact_at(work, world.programme, world.tom)
    assert at == TEN
    assert world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=at)

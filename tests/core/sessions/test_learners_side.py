"""E3, E8: a learner cancels until the start, late or in time, and no other way leads around that."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select

from core.errors import Conflict, Invalid, NotAllowed
from core.history.commands import undo
from core.history.queries import timeline
from core.sessions.booking import book_sessions
from core.sessions.changing import Move, reschedule_sessions, take_off_calendar
from core.sessions.ending import cancel_sessions, delete_sessions
from core.work import Saved
from db.models.sessions import Participation
from db.words import Kind, Outcome, Role, Status
from tests.factories import DAY, HOUR, MINUTE, NOON, TEN, World, a_world

SOON = TEN - HOUR
BEGUN = TEN + 30 * MINUTE


@pytest.fixture
def world(engine: Engine) -> World:
    """A programme in which clients book."""
    return a_world(engine, Kind.PEER_ADVICE)


@pytest.fixture
def session(world: World) -> int:
    return world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=TEN)


WAYS: dict[str, Callable[[World, int], Saved]] = {
    "move": lambda w, s: w.do(w.sara, reschedule_sessions, [Move(s, TEN + 7 * DAY)]),
    "off": lambda w, s: w.do(w.sara, take_off_calendar, [s]),
    "delete": lambda w, s: w.do(w.sara, delete_sessions, [s], cancel_first=True),
}


def cancel(world: World, session: int) -> Saved:
    return world.do(world.sara, cancel_sessions, [session], "I cannot come")


def outcome(world: World, session: int) -> Outcome | None:
    return world.one(select(Participation.outcome).where(Participation.session_id == session))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("both", [False, True])
def test_e3_within_the_notice_a_learner_cancels_and_nothing_else(
    world: World, session: int, way: str, both: bool
) -> None:
    if both:
        world.grant(world.sara, Role.PRACTITIONER)
    world.now = TEN - DAY + MINUTE
    with pytest.raises(Conflict, match="begins in less than 24 hours, so it stays; but you can cancel it"):
        WAYS[way](world, session)
    cancel(world, session)
    assert outcome(world, session) is Outcome.CANCELLED_LATE
    with pytest.raises(Conflict, match="so it stays"):
        WAYS["delete"](world, session)


@pytest.mark.parametrize("way", WAYS)
def test_e3_with_exactly_24_hours_notice_a_learner_does_as_they_like(world: World, session: int, way: str) -> None:
    world.now = TEN - DAY
    WAYS[way](world, session)


@pytest.mark.parametrize("way", [*WAYS, "cancel"])
@pytest.mark.parametrize("both", [False, True])
def test_e8_once_it_has_started_a_learner_changes_nothing(world: World, session: int, way: str, both: bool) -> None:
    if both:
        world.grant(world.sara, Role.PRACTITIONER)
    world.now = BEGUN
    with pytest.raises((NotAllowed, Conflict), match="has started, so you may not change it like this any more"):
        (WAYS | {"cancel": cancel})[way](world, session)
    assert world.fact(session, "status") is Status.SCHEDULED
    world.do(world.tom, cancel_sessions, [session], "nobody came")


@pytest.mark.parametrize("when", [SOON, NOON])
def test_e3_a_learner_undoes_a_booking_before_the_notice_alone(world: World, when: object) -> None:
    world.now = TEN - 20 * HOUR
    saved = world.do(world.sara, book_sessions, [
        world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN)])
    world.now = when  # type: ignore[assignment]  # one of two instants
    with world.reading(world.sara) as work:
        assert not any(entry.can_undo for entry in timeline(work, saved.result[0]))
    with pytest.raises(NotAllowed, match="any more, so you cannot undo it"):
        world.do(world.sara, undo, saved.act_id, undoes=saved.act_id)
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)


def test_e3_a_learner_undoes_a_move_neither_out_of_the_notice_nor_into_the_past(world: World) -> None:
    session = world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=TEN + 7 * DAY)
    nearer = world.do(world.sara, reschedule_sessions, [Move(session, TEN)])
    world.now = TEN - 10 * HOUR
    with pytest.raises(NotAllowed):
        world.do(world.sara, undo, nearer.act_id, undoes=nearer.act_id)
    other = world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)
    farther = world.do(world.sara, reschedule_sessions, [Move(other, TEN + 7 * DAY)])
    world.now = TEN + DAY + MINUTE
    with pytest.raises(NotAllowed):
        world.do(world.sara, undo, farther.act_id, undoes=farther.act_id)


def test_x5_a_learner_undoes_a_cancellation_until_the_start(world: World, session: int) -> None:
    saved = world.do(world.sara, cancel_sessions, [session], "by mistake", now=SOON)
    with pytest.raises(NotAllowed):
        world.do(world.sara, undo, saved.act_id, undoes=saved.act_id, now=BEGUN)
    world.do(world.sara, undo, saved.act_id, undoes=saved.act_id, now=SOON + MINUTE)
    assert outcome(world, session) is None


def test_x1_a_client_neither_books_nor_moves_into_the_past(world: World, session: int) -> None:
    world.now += 2 * HOUR
    with pytest.raises(Invalid, match="lies ahead"):
        world.do(world.sara, reschedule_sessions, [Move(session, world.now - HOUR)])
    with pytest.raises(Invalid, match="lies ahead"):
        world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=world.now - HOUR)
    world.book(by=world.tom, practitioner=world.tom, learner=world.sam, starts_at=world.now - HOUR)


def test_e3_who_attends_cancels_as_the_learner_whoever_else_they_are(world: World, session: int) -> None:
    world.grant(world.sara, Role.PRACTITIONER)
    world.do(world.sara, cancel_sessions, [session], "I cannot come", now=SOON)
    assert outcome(world, session) is Outcome.CANCELLED_LATE


@pytest.mark.parametrize("role", [Role.BASIC_ADMIN, Role.MASTER_ADMIN])
def test_e3_staff_who_attend_cancel_as_staff(world: World, session: int, role: Role) -> None:
    world.grant(world.sara, role)
    world.do(world.sara, cancel_sessions, [session], "the house is closed", now=SOON)
    assert outcome(world, session) is Outcome.PRACTITIONER_CANCELLED

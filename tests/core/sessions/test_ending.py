"""Cancel, delete, record what came of it, reopen (A6, B5, B10, D11)."""

import pytest
from sqlalchemy import select

from core.attending.commands import record_outcome, reopen_session
from core.attending.rules import Attendance
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.permissions import Action
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.queries import TO_LOG, Filters, session_list
from core.sessions.rules import PersonBusy
from db.models.notices import Notice
from db.models.sessions import Occupancy, Participation
from db.words import Outcome, Status
from tests.factories import DAY, HOUR, TEN, World

LATER = TEN + 2 * HOUR


@pytest.fixture
def session(world: World) -> int:
    return world.book(practitioner=world.tom, team=world.comet, room=world.room, starts_at=TEN)


def outcomes(world: World) -> dict[int, Outcome | None]:
    return dict(world.all(select(Participation.learner_id, Participation.outcome)))


def test_b10_cancelling_is_final_frees_all_and_says_whose_doing_it_was(world: World, session: int) -> None:
    world.do(world.tom, cancel_sessions, [session], " Tom is ill ")
    assert world.fact(session, "status") is Status.CANCELLED
    assert world.fact(session, "cancel_reason") == "Tom is ill"
    assert outcomes(world) == dict.fromkeys((world.sara, world.sam), Outcome.PRACTITIONER_CANCELLED)
    assert world.all(select(Occupancy.id)) == []
    told = world.all(select(Notice.person_id).where(Notice.text == "Session 1: cancelled. Tom is ill"))
    assert set(told) == {world.sara, world.sam}
    with pytest.raises(NotAllowed, match=r"Session 1 is cancelled, so it cannot be changed like this"):
        world.do(world.ben, cancel_sessions, [session], "again")


@pytest.mark.parametrize("reason", ["", "  ", None, "x" * 501, "\0"])
def test_b10_cancelling_asks_for_a_reason(world: World, session: int, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.do(world.ben, cancel_sessions, [session], reason)
    assert set(refused.value.problems) == {"reason"}


def test_b10_undoing_a_cancellation_takes_the_time_back_or_says_who_has_it(world: World, session: int) -> None:
    saved = world.do(world.ben, cancel_sessions, [session], "by mistake")
    other = world.book(practitioner=world.tom, starts_at=TEN)
    with pytest.raises(PersonBusy, match=r"Tom is busy Tue 3 Mar 2026, 10:00–11:00 .session 2"):
        world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
    world.do(world.ben, delete_sessions, [other], cancel_first=True)
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
    assert world.fact(session, "status") is Status.SCHEDULED
    assert set(outcomes(world).values()) == {None}


def test_b5_deleting_is_refused_while_a_meeting_is_active_naming_the_way_out(world: World, session: int) -> None:
    with pytest.raises(Conflict, match=r"Session 1 is on the calendar. Take it off the calendar or cancel it first."):
        world.do(world.ben, delete_sessions, [session])
    world.do(world.ben, delete_sessions, [session], cancel_first=True)  # A6: in one step
    assert world.fact(session, "id") is None
    assert world.all(select(Participation.id)) == world.all(select(Occupancy.id)) == []


def test_a6_the_creator_and_staff_delete_what_is_not_yet_held_or_missed(world: World) -> None:
    made_by_tess = world.book(by=world.tess, practitioner=world.tom, learner=world.sara)
    with pytest.raises(NotAllowed, match=r"You may not delete session 1"):
        world.do(world.tom, delete_sessions, [made_by_tess])  # leads it, did not make it
    saved = world.do(world.tess, delete_sessions, [made_by_tess])
    assert saved.said == "Deleted session 1."
    world.do(world.tess, undo, saved.act_id, undoes=saved.act_id)
    assert world.fact(made_by_tess, "number") == 1
    held = world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN))
    with pytest.raises(NotAllowed, match=r"Session 2 is held, so it cannot be changed like this. Reopen it first."):
        world.do(world.ben, delete_sessions, [held], cancel_first=True)


def test_a6_what_others_depend_on_stays(world: World, session: int) -> None:
    world.set(session, submitted_at=world.now)
    with pytest.raises(Conflict, match=r"questionnaire was submitted"):
        world.do(world.ben, delete_sessions, [session], cancel_first=True)
    world.set(session, submitted_at=None, joined_at=world.now, left_at=world.now)
    with pytest.raises(Conflict, match=r"has joined"):
        world.do(world.ben, delete_sessions, [session], cancel_first=True)
    world.set(session, joined_at=None, left_at=None)
    world.book(practitioner=world.tess, follows=session)
    with pytest.raises(Conflict, match=r"Session 2 was made from this one"):
        world.do(world.ben, delete_sessions, [session], cancel_first=True)


def record(world: World, session: int, *said: Attendance, by: int | None = None, **kw: object) -> None:
    world.do(by or world.tom, record_outcome, session, list(said), now=LATER, **kw)


A, M, P = Outcome.ATTENDED, Outcome.MISSED, Outcome.PRACTITIONER_ABSENT


@pytest.mark.parametrize(("sara", "sam", "status"), [
    (A, A, Status.HELD), (A, M, Status.HELD), (M, M, Status.MISSED), (P, P, Status.MISSED), (M, P, Status.MISSED),
])
def test_record_outcome(world: World, session: int, sara: Outcome, sam: Outcome, status: Status) -> None:
    with world.reading(world.tom, now=LATER) as work:
        assert session_list(work, world.programme, Filters(statuses=(TO_LOG,))).rows[0].to_log
    record(world, session, Attendance(world.sara, sara), Attendance(world.sam, sam))
    assert world.fact(session, "status") is status
    assert outcomes(world) == {world.sara: sara, world.sam: sam}
    with world.reading(world.tom, now=LATER) as work:
        assert session_list(work, world.programme, Filters(statuses=(TO_LOG,))).rows == []
    with pytest.raises(Conflict, match=r"recorded already. Reopen it"):
        record(world, session, Attendance(world.sara, sara), Attendance(world.sam, sam))


def test_record_outcome_refuses(world: World, session: int) -> None:
    both = [Attendance(world.sara, A), Attendance(world.sam, A)]
    with pytest.raises(NotAllowed, match=r"Session 1 has not started yet, so there is nothing to record."):
        world.do(world.tom, record_outcome, session, both)
    vic, zoe = Attendance(world.vic, A), Attendance(world.zoe, A)
    for said in ([], both[:1], [*both, vic], [both[0], both[0]], [both[0], zoe]):
        with pytest.raises(Invalid) as refused:
            record(world, session, *said)
        assert set(refused.value.problems) == {"attendance"}
    for outcome in (Outcome.CANCELLED_LATE, "nonsense", None):
        with pytest.raises(Invalid):
            record(world, session, both[0], Attendance(world.sam, outcome))
    for minutes in (0, -5, 7, 10, 95, 1800, "60"):
        with pytest.raises(Invalid) as refused:
            record(world, session, both[0], Attendance(world.sam, A, minutes))
        assert set(refused.value.problems) == {"minutes"}
    for who in (world.sara, world.gus):
        with pytest.raises(NotAllowed):
            record(world, session, *both, by=who)
    with pytest.raises(NotFound):
        record(world, session, *both, by=world.tess)
    empty = world.book(practitioner=world.tess, starts_at=TEN)
    with pytest.raises(Conflict, match=r"Nobody takes part"):
        record(world, empty, by=world.ben)
    alone = world.book(learner=world.vic, starts_at=TEN)
    with pytest.raises(Conflict, match=r"has no coach; choose one first"):
        record(world, alone, Attendance(world.vic, A), by=world.ben)


def test_b11_practitioners_record_even_where_staff_alone_book(world: World, session: int) -> None:
    world.policy(who_books="staff")
    record(world, session, Attendance(world.sara, A, 75), Attendance(world.sam, M))
    assert dict(world.all(select(Participation.learner_id, Participation.actual_minutes))) == {
        world.sara: 75, world.sam: None}


def test_d11_what_was_recorded_wrongly_is_reopened_with_a_reason(world: World, session: int) -> None:
    record(world, session, Attendance(world.sara, A), Attendance(world.sam, M))
    with pytest.raises(Invalid):
        world.do(world.tom, reopen_session, session, " ")
    world.do(world.tom, reopen_session, session, "Sam was there", now=LATER)
    assert world.fact(session, "status") is Status.SCHEDULED
    assert set(outcomes(world).values()) == {None}
    record(world, session, Attendance(world.sara, A), Attendance(world.sam, A))
    assert set(outcomes(world).values()) == {A}
    with pytest.raises(NotAllowed):
        world.do(world.sara, reopen_session, session, "I was not")
    untouched = world.book(practitioner=world.tom, starts_at=TEN + DAY)
    with pytest.raises(NotAllowed):
        world.do(world.tom, reopen_session, untouched, "For fun")


def test_a6_cancel_and_delete_in_one_step_takes_the_right_to_both(world: World, session: int) -> None:
    world.tick(Action.SESSION_DELETE)
    with pytest.raises(NotAllowed, match="may not cancel session 1"):
        world.do(world.cuno, delete_sessions, [session], cancel_first=True)
    world.tick(Action.SESSION_DELETE, Action.SESSION_CANCEL)
    world.do(world.cuno, delete_sessions, [session], cancel_first=True)

"""Guardians are reminded of the notes after every fourth attended session with notes (E6)."""

from sqlalchemy import delete, select

from core.attending.commands import Written, log_session, record_outcome, reopen_session, submit_note
from core.attending.rules import Attendance
from core.engagements.commands import add_engagement
from core.engagements.rules import NewEngagement
from core.history.commands import undo
from core.sessions.ending import delete_sessions
from db.models.afterwards import Message
from db.models.people import Relation
from db.words import Outcome, Role, Tie
from tests.core.billing.conftest import LATER, Office
from tests.factories import DAY, TEN, World

A = Outcome.ATTENDED


def reminded(world: World) -> list[int]:
    return world.all(select(Message.person_id).order_by(Message.id))


def lesson(world: World, number: int, **more: int) -> int:
    """Held, without its note."""
    session = world.book(practitioner=more.get("practitioner", world.tom), learner=more.get("learner", world.sara),
                         starts_at=TEN + number * DAY)
    world.do(more.get("practitioner", world.tom), record_outcome, session,
             [Attendance(more.get("learner", world.sara), A)], now=LATER)
    return session


def note(world: World, session: int, body: str = "Went well.", by: int | None = None) -> int:
    return world.do(by or world.tom, submit_note, session, Written(body), now=LATER).act_id


def test_e6_after_every_fourth_with_a_note_and_never_again_for_a_correction(office: Office) -> None:
    world = office.world
    second = world.person("Grace", Role.GUARDIAN)
    world.tie(Tie.GUARDIAN, second, world.sara)
    for number in range(3):
        note(world, lesson(world, number))
    fourth = lesson(world, 3)
    assert reminded(world) == []  # held, and not yet written about
    act = note(world, fourth)
    assert reminded(world) == [world.gus, second]  # and not Sara
    assert world.one(select(Message.body)) == "4 sessions of Sara have notes to read."
    note(world, fourth, "Went very well.")
    world.do(world.tom, reopen_session, fourth, "wrong minutes", now=LATER)
    world.do(world.tom, record_outcome, fourth, [Attendance(world.sara, A, 75)], now=LATER)
    assert len(reminded(world)) == 2
    for number in range(4, 8):
        assert len(reminded(world)) == 2
        note(world, lesson(world, number))
    assert len(reminded(world)) == 4
    assert act


def test_e6_undo_and_writing_it_again_sends_nothing_more(office: Office) -> None:
    world = office.world
    for number in range(3):
        note(world, lesson(world, number))
    fourth = lesson(world, 3)
    act = note(world, fourth)
    world.do(world.tom, undo, act, undoes=act, now=LATER)
    note(world, fourth)
    assert reminded(world) == [world.gus]


def test_e6_each_engagement_and_each_learner_counts_by_itself(office: Office) -> None:
    world = office.world
    world.do(world.cora, add_engagement, world.programme, NewEngagement("Art", world.tess, world.sara))
    world.tie(Tie.GUARDIAN, world.gus, world.sam)
    for number in range(3):
        note(world, lesson(world, number))
        note(world, lesson(world, number + 10, practitioner=world.tess), by=world.tess)
        note(world, lesson(world, number + 20, learner=world.sam))
    assert reminded(world) == []
    note(world, lesson(world, 13, practitioner=world.tess), by=world.tess)
    assert reminded(world) == [world.gus]


def test_e6_logging_at_once_counts_and_a_session_without_a_note_does_not(office: Office) -> None:
    world = office.world
    world.policy(remind_every=None)
    for number in range(3):
        note(world, lesson(world, number))
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * DAY)
    world.do(world.tom, log_session, session, [Attendance(world.sara, A)], [Written("Well.")], now=LATER)
    world.policy(remind_every=4)
    lesson(world, 4)  # the four before it were written about; this one has nothing to read
    assert reminded(world) == []


def test_e6_whoever_is_no_guardian_any_more_is_left_out(office: Office) -> None:
    world = office.world
    for number in range(3):
        note(world, lesson(world, number))
    world.raw(lambda work: work.tx.execute(delete(Relation).where(Relation.adult_id == world.gus)) and None)
    note(world, lesson(world, 3))
    assert reminded(world) == []


def test_a_message_outlives_the_session_it_tells_of(world: World) -> None:
    world.policy(remind_every=1)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    act = world.do(world.tom, log_session, session, [Attendance(world.sara, A)], [Written("Well.")], now=LATER).act_id
    world.do(world.tom, undo, act, undoes=act, now=LATER)
    world.do(world.ben, delete_sessions, [session], cancel_first=True, now=LATER)
    assert world.all(select(Message.session_id)) == [None]

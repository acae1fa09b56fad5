"""What is owed after sessions: on the practitioner's home page, and in the queue of staff (E1, X6)."""

import pytest
from sqlalchemy import select, update

from core.attending.commands import Written, log_session, nudge, record_outcome, submit_note
from core.attending.rules import Attendance
from core.attending.tasks import my_tasks, owners, work_queue
from core.errors import Conflict, NotAllowed, NotFound
from core.permissions import Action
from core.sessions.changing import Edit, Move, edit_sessions, reschedule_sessions
from core.sessions.ending import LateChange
from db.models.notices import Notice
from db.models.people import Person
from db.words import NoteKind, Outcome, Wish
from tests.core.billing.conftest import Office
from tests.factories import DAY, HOUR, MINUTE, TEN, World, statements

A = Outcome.ATTENDED


def owed(office: Office, who: int, now: object = TEN + MINUTE) -> list[tuple[tuple[str, ...], int | None, bool]]:
    with office.world.reading(who, now=now) as work:  # type: ignore[arg-type]
        return [(task.owed, task.blocked, task.overdue) for task in my_tasks(work, office.world.programme).rows]


def test_e1_from_the_moment_a_session_starts_until_nothing_is_owed(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert owed(office, world.tom, TEN - MINUTE) == []
    assert owed(office, world.tom, TEN) == [(("attendance", "note"), 3000, False)]
    assert owed(office, world.tom, TEN + 49 * HOUR) == [(("attendance", "note"), 3000, False)]
    assert owed(office, world.tom, TEN + 49 * HOUR + MINUTE) == [(("attendance", "note"), 3000, True)]
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, A, 75)], now=TEN + HOUR)
    assert owed(office, world.tom) == [(("note",), 3750, False)]
    world.do(world.tom, submit_note, session, Written("Fractions."), now=TEN + HOUR)
    assert owed(office, world.tom) == []


def test_e1_a_report_is_owed_where_it_is_required_and_nothing_after_a_miss(office: Office) -> None:
    world = office.world
    held, missed = (world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * DAY) for n in (0, 1))
    world.do(world.ben, edit_sessions, [Edit(held, {"report_required": True})])
    world.do(world.tom, log_session, held, [Attendance(world.sara, A)], [Written("Fractions.")], now=TEN + 2 * DAY)
    world.do(world.tom, record_outcome, missed, [Attendance(world.sara, Outcome.MISSED)], now=TEN + 2 * DAY)
    assert [one[0] for one in owed(office, world.tom, TEN + 2 * DAY)] == [("report",)]
    world.do(world.tom, submit_note, held, Written("All of it.", NoteKind.REPORT), now=TEN + 2 * DAY)
    assert owed(office, world.tom, TEN + 2 * DAY) == []


def test_e1_pay_that_waits_leaves_a_lost_meeting_aside(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.ben, reschedule_sessions, [
        Move(session, TEN + 7 * DAY, late=LateChange(Wish.LEARNER, True, "rang"))], now=TEN - HOUR)
    assert owed(office, world.tom, TEN + 7 * DAY) == [(("attendance", "note"), 3000, False)]


def test_x6_nobody_sees_what_others_owe_but_staff(office: Office) -> None:
    world = office.world
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    for name in ("tess", "sara", "gus", "lena", "mona"):
        assert owed(office, getattr(world, name)) == []
    with world.reading(world.zed, now=TEN) as work, pytest.raises(NotFound):
        my_tasks(work, world.programme)
    for name, refusal in (("tom", NotAllowed), ("lena", NotAllowed), ("mona", NotAllowed), ("cuno", NotAllowed),
                          ("zara", NotFound)):
        with world.reading(getattr(world, name), now=TEN) as work:
            for look in (work_queue, owners):
                with pytest.raises(refusal):
                    look(work, world.programme)
        with pytest.raises(refusal):
            world.do(getattr(world, name), nudge, world.programme, [world.tom], now=TEN)


def test_the_queue_is_narrowed_and_shows_pay_to_those_who_see_money(office: Office) -> None:
    world = office.world
    for who, days in ((world.tom, 0), (world.tom, 3), (world.tess, 1)):
        world.book(practitioner=who, learner=world.sara, starts_at=TEN + days * DAY)
    now = TEN + 3 * DAY + MINUTE
    with world.reading(world.alice, now=now) as work:
        whole = work_queue(work, world.programme)
        assert [(task.practitioner, task.overdue, task.blocked) for task in whole.rows] == [
            ("Tom", True, 3000), ("Tess", False, 3000), ("Tom", False, 3000)]
        assert (whole.total, whole.overdue) == (3, 1)
        assert [task.number for task in work_queue(work, world.programme, practitioner_ids=[world.tom]).rows] == [1, 2]
        assert [task.number for task in work_queue(work, world.programme, overdue_only=True).rows] == [1]
        assert [(one.name, one.tasks, one.overdue) for one in owners(work, world.programme)] == [
            ("Tom", 2, 1), ("Tess", 1, 0)]
    world.tick(Action.TASKS_SEE)
    for who in (world.ben, world.cuno):
        with world.reading(who, now=now) as work:
            assert {task.blocked for task in work_queue(work, world.programme).rows} == {None}


def test_the_queue_asks_the_same_number_of_questions(office: Office) -> None:
    world, counts = office.world, []
    for n in range(2):
        for more in range(1 + 8 * n):
            world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * DAY + more * HOUR)
        with world.reading(world.alice, now=TEN + 9 * DAY) as work, statements(world.engine) as sent:
            work_queue(work, world.programme)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_nudge_is_one_notice_for_each_who_owes(office: Office) -> None:
    world = office.world
    for who, days in ((world.tom, 0), (world.tom, 1), (world.tess, 2)):
        world.book(practitioner=who, learner=world.sara, starts_at=TEN + days * DAY)
    world.raw(lambda work: work.tx.execute(update(Notice).values(read_at=TEN)) and None)
    saved = world.do(world.ben, nudge, world.programme, [world.tom, world.tess, world.sara], now=TEN + 5 * DAY)
    assert saved.said == "Reminded 2 tutors."
    told = dict(world.all(select(Person.name, Notice.text).join(Person, Person.id == Notice.person_id)
                          .where(Notice.read_at.is_(None))))
    assert told == {"Tom": "2 sessions wait to be logged, the oldest since Tue 3 Mar 2026, 10:00.",
                    "Tess": "Session 3: please log what came of it."}
    with pytest.raises(Conflict, match="less than 12 hours ago"):
        world.do(world.ben, nudge, world.programme, [world.tom], now=TEN + 5 * DAY + 11 * HOUR)
    assert world.do(world.ben, nudge, world.programme, [world.tom], now=TEN + 6 * DAY).result == 1
    with pytest.raises(Conflict, match="Nothing is owed"):
        world.do(world.ben, nudge, world.programme, [world.sara], now=TEN + 5 * DAY)


def test_a_custom_manager_nudges_where_ticked(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.tick(Action.TASKS_SEE)
    assert world.do(world.cuno, nudge, world.programme, [world.tom], now=TEN + DAY).result == 1

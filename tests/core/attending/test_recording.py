"""What may be recorded, by whom and how: durations, notice, the protocol, reasons (E2, E3, D11)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core.attending.commands import Written as Note
from core.attending.commands import log_session, record_outcome, submit_note
from core.attending.queries import afterwards
from core.attending.rules import Attendance, Meeting, problems_of
from core.billing.queries import consequences
from core.errors import Invalid, NotAllowed
from core.history.commands import undo
from core.programmes.rules import Policy
from core.sessions.rules import StaleForm, notice_outcome
from db.models import afterwards as stored
from db.models.history import ChangeSet
from db.models.sessions import Participation
from db.words import NoteKind, Outcome
from tests.core.billing.conftest import LATER, Office
from tests.factories import DAY, HOUR, MINUTE, TEN, World

A, M = Outcome.ATTENDED, Outcome.MISSED
LATE, IN_TIME = Outcome.CANCELLED_LATE, Outcome.CANCELLED_IN_TIME
WAITS = Policy(missed_wait=15)


@pytest.mark.parametrize(("minutes", "said"), [
    (15, None), (60, None), (90, None), (None, None),
    (14, "from 15 to 90"), (10, "from 15 to 90"), (95, "from 15 to 90"), (62, "multiple of 5"), (0, "from 15"),
    (-5, "from 15"), (True, "from 15"), (60.0, "from 15"), ("60", "from 15"),
])
def test_e2_actual_duration_in_steps_of_five_up_to_thirty_over(minutes: Any, said: str | None) -> None:
    found = problems_of(Attendance(1, A, minutes), Meeting(TEN, 60, LATER), WAITS, overrules=False)
    assert (said is None) == (found == {})
    assert said is None or said in found["minutes"]


@pytest.mark.parametrize(("one", "practitioner", "admin", "with_reason"), [
    (Attendance(1, A, 62), False, False, True),
    (Attendance(1, A, 1441), False, False, False),
    (Attendance(1, M), False, False, True),
    (Attendance(1, M, waited=15, contact="rang"), True, True, True),
    (Attendance(1, M, waited=14, contact="rang"), False, False, True),
    (Attendance(1, M, waited=15, contact=" "), False, False, True),
    (Attendance(1, LATE), False, False, False),
    (Attendance(1, LATE, notice_at=TEN - 23 * HOUR), True, True, True),
    (Attendance(1, IN_TIME, notice_at=TEN - 23 * HOUR), False, False, True),
    (Attendance(1, IN_TIME, notice_at=TEN - 24 * HOUR), True, True, True),
    (Attendance(1, LATE, notice_at=TEN - 24 * HOUR), False, False, True),
    (Attendance(1, LATE, notice_at=TEN), False, False, False),
    (Attendance(1, LATE, notice_at=TEN + 9000 * HOUR), False, False, False),
])
def test_e3_d11_what_rules_allow_and_what_a_reason_mends(
    one: Attendance, practitioner: bool, admin: bool, with_reason: bool
) -> None:
    meeting = Meeting(TEN, 60, LATER)
    given = Attendance(**{**one.__dict__, "overruled": "the parent rang me"})
    assert [not problems_of(one, meeting, WAITS, overrules=False), not problems_of(one, meeting, WAITS, overrules=True),
            not problems_of(given, meeting, WAITS, overrules=True)] == [practitioner, admin, with_reason]
    assert bool(problems_of(given, meeting, WAITS, overrules=False)) is not practitioner


def test_d11_nobody_has_waited_fifteen_minutes_before_they_have_passed() -> None:
    one = Attendance(1, M, waited=15, contact="rang")
    for after, allowed in ((14 * MINUTE, False), (15 * MINUTE, True)):
        assert bool(problems_of(one, Meeting(TEN, 60, TEN + after), WAITS, overrules=False)) is not allowed


@pytest.mark.parametrize("ahead", [timedelta(hours=24), timedelta(hours=23, minutes=59)])
def test_e3_notice_is_elapsed_time_across_a_change_of_clocks(ahead: timedelta) -> None:
    spring = datetime(2026, 3, 29, 9, tzinfo=UTC)  # ten o'clock in London, on the day that lost an hour
    assert notice_outcome(spring, spring - ahead) is (IN_TIME if ahead == timedelta(hours=24) else LATE)


def test_e2_an_admin_adjusts_with_a_reason_and_a_practitioner_does_not(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    one = Attendance(world.sara, A, 120, overruled="the exam took longer")
    with pytest.raises(Invalid, match="from 15 to 90"):
        world.do(world.tom, record_outcome, session, [one], now=LATER)
    world.do(world.ben, record_outcome, session, [one], now=LATER)
    assert world.all(select(Participation.actual_minutes, Participation.overruled)) == [(120, "the exam took longer")]
    assert world.fact(session, "ends_at") == TEN + HOUR  # it never changes who was occupied


def test_e1_attendance_and_note_are_one_act_and_one_undo(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    acts = world.one(select(func.count(ChangeSet.id)))
    saved = world.do(world.tom, log_session, session, [Attendance(world.sara, A)], [Note("Fractions went well.")],
                     now=TEN + DAY)
    assert world.one(select(func.count(ChangeSet.id))) == acts + 1
    assert saved.said == "Recorded session 1 as held, and submitted its note."
    assert world.fact(session, "status") == "completed"
    world.do(world.tom, undo, saved.act_id, undoes=saved.act_id, now=TEN + DAY)
    assert world.fact(session, "status") == "scheduled"
    assert world.all(select(stored.Note.id)) == []
    assert set(office.amounts(session).values()) == {0}


def test_e1_all_or_nothing_where_the_note_is_refused(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Invalid, match="At most 8,000 characters"):
        world.do(world.tom, log_session, session, [Attendance(world.sara, A)], [Note("x" * 8001)], now=LATER)
    assert world.fact(session, "status") == "scheduled"
    assert office.lines() == []


def test_e5_a_note_is_read_on_submission_and_corrected_by_its_author_alone(office: Office) -> None:
    world = office.world
    session = office.held((world.sara, A))
    world.do(world.tom, submit_note, session, Note("Fractions.", NoteKind.SHARED, 0), now=LATER)
    for who, reads in ((world.sara, True), (world.gus, True), (world.ben, True), (world.lena, False),
                       (world.mona, False)):
        with world.reading(who, now=LATER) as work:
            assert [note.body for note in afterwards(work, session).notes] == (["Fractions."] if reads else [])
    for who in (world.ben, world.alice):
        with pytest.raises(NotAllowed, match="written by somebody else"):
            world.do(who, submit_note, session, Note("Mine."), now=LATER)
    with pytest.raises(StaleForm) as overtaken:
        world.do(world.tom, submit_note, session, Note("Decimals.", NoteKind.SHARED, 0), now=LATER)
    assert overtaken.value.theirs == {"note": "Fractions."}
    world.do(world.tom, submit_note, session, Note("Decimals.", NoteKind.SHARED, 1), now=LATER)
    assert world.all(select(stored.Note.body)) == ["Decimals."]


def test_e9_what_follows_is_known_before_it_is_recorded(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    with world.reading(world.tom, now=LATER) as work:
        found = consequences(work, session, {world.sara: (A, 75), world.sam: (IN_TIME, None)})
    assert (found.charges, found.payout, found.on_hold, found.priced) == (
        {world.sara: 6250, world.sam: 0}, 3750, True, True)


def test_d7_x6_words_about_a_part_are_for_its_own_side_staff_and_the_practitioner(world: World) -> None:
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    world.do(world.ben, record_outcome, session, [
        Attendance(world.sara, M, overruled="her mother rang"), Attendance(world.sam, A)], now=LATER)
    seen = {}
    for name in ("ben", "tom", "sara", "gus", "sam", "lena", "mona"):
        with world.reading(getattr(world, name), now=LATER) as work:
            found = afterwards(work, session).recorded.get(world.sara)
            seen[name] = bool(found and found.overruled)
    assert {name for name, told in seen.items() if told} == {"ben", "tom", "sara", "gus"}

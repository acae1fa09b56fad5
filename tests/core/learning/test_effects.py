"""C7: what a held session does to enrolments, never backwards, and back again with its undoing."""

from datetime import date

import pytest

from core.attending.commands import record_outcome, reopen_session
from core.attending.rules import Attendance
from core.errors import Conflict, Invalid, NotAllowed
from core.history.queries import timeline
from core.learning import commands
from core.learning.commands import EnrolmentEdit
from core.permissions import Action
from core.programmes.rules import PRESETS, Policy, Switchable, changed_policy
from core.sessions.changing import Edit, edit_sessions
from db.words import EnrolmentStatus as S
from db.words import Kind, Outcome
from tests.core.learning.conftest import School
from tests.factories import DAY, TEN

LATER = TEN + 90 * DAY
FORTH = [
    ("induction", None, S.IN_TRAINING, None), ("initial", None, S.ENROLLED, date(2026, 3, 3)),
    ("gateway ready", None, S.GATEWAY, None), ("EPA", None, S.ASSESSED, None),
    ("exit session", S.COMPLETED, S.COMPLETED, None), ("exit session", S.WITHDRAWN, S.WITHDRAWN, None),
    ("general", None, S.ENROLLED, None), ("out of the workplace", None, S.ENROLLED, None),
]


@pytest.mark.parametrize(("type_", "ending", "status", "first_day"), FORTH)
def test_c7_each_type_does_its_part_and_reopening_undoes_it(
    school: School, type_: str, ending: S | None, status: S, first_day: date | None
) -> None:
    session = school.held(type_, ending=ending)
    assert (school.status, school.first_day) == (status, first_day)
    changed = status != S.ENROLLED or first_day is not None
    assert [step[0] for step in school.steps] == [session] * changed
    school.world.do(school.world.tom, reopen_session, session, "wrong one", now=LATER)
    assert (school.status, school.first_day, school.steps) == (S.ENROLLED, None, [])


@pytest.mark.parametrize(("type_", "ending", "status", "first_day"), FORTH)
def test_c7_x5_undoing_the_recording_undoes_its_effect_and_undoing_that_brings_it_back(
    school: School, type_: str, ending: S | None, status: S, first_day: date | None
) -> None:
    saved = school.record(school.booked(type_), ending=ending)
    school.take_back(saved, school.world.tom)
    assert (school.status, school.first_day, school.steps) == (S.ENROLLED, None, [])
    again = school.record(saved.result[0], ending=ending)
    reopened = school.world.do(school.world.tom, reopen_session, saved.result[0], "slip", now=LATER)
    school.take_back(reopened, school.world.tom)
    assert again.result == saved.result
    assert (school.status, school.first_day) == (status, first_day)


def test_c7_never_backwards(school: School) -> None:
    school.held("EPA")
    for day, type_ in enumerate(("induction", "gateway ready"), 1):
        school.held(type_, day)
        assert school.status == S.ASSESSED
    school.held("initial", 3)
    school.held("initial", 4)
    assert school.first_day == date(2026, 3, 6)
    school.held("exit session", 5, ending=S.WITHDRAWN)
    school.held("induction", 6)
    assert school.status == S.WITHDRAWN


def test_c7_only_who_attended_and_is_enrolled_in_a_course_of_the_session(school: School) -> None:
    world = school.world
    sam, = school.enrol(world.sam)
    art, = school.enrol(world.sara, course=world.art)
    session = school.booked("induction", learner=None, learner_ids=(world.sara, world.sam, world.vic))
    world.do(world.tom, record_outcome, session, [
        Attendance(world.sara, Outcome.ATTENDED), Attendance(world.sam, Outcome.MISSED),
        Attendance(world.vic, Outcome.ATTENDED)], now=LATER)
    assert school.status == S.IN_TRAINING
    assert (school.fact("status", sam), school.fact("status", art)) == (S.ENROLLED, S.ENROLLED)


def test_c7_an_exit_has_to_say_how_it_ends_and_nothing_is_recorded_before(school: School) -> None:
    session = school.booked("exit session")
    for said in (None, S.GATEWAY):
        with pytest.raises(Invalid, match="Say of Sara whether the enrolment is completed or withdrawn"):
            school.record(session, ending=said)
    assert school.world.fact(session, "attended") == 0
    school.record(session, outcome=Outcome.MISSED)
    assert school.status == S.ENROLLED


def test_c7_an_exit_asks_nothing_where_nobody_is_enrolled(school: School) -> None:
    session = school.booked("exit session", learner=school.world.vic)
    school.record(session, learner=school.world.vic)
    assert school.steps == []


@pytest.mark.parametrize("switch", list(Switchable))
def test_c7_an_admin_switches_presets_off(school: School, switch: Switchable) -> None:
    school.world.policy(effects=sorted(set(Switchable) - {switch}))
    school.held(switch)
    assert school.status == S.ENROLLED


def test_c7_what_a_later_effect_stands_on_is_not_taken_back(school: School) -> None:
    world = school.world
    first = school.booked("induction")
    recorded = school.record(first)
    later = school.held("EPA", 1)
    with pytest.raises(Conflict, match=r"session 2 changed the status of Sara in Maths to assessed\. Reopen that"):
        world.do(world.tom, reopen_session, first, "slip", now=LATER)
    with pytest.raises(Conflict, match="Recorded session 2 as held"):
        school.take_back(recorded)
    assert school.status == S.ASSESSED
    assert world.fact(first, "attended") == 1
    world.do(world.tom, reopen_session, later, "slip", now=LATER)
    world.do(world.tom, reopen_session, first, "slip", now=LATER)
    assert school.status == S.ENROLLED


def test_c7_x6_a_later_session_that_one_may_not_see_is_not_named(school: School) -> None:
    first = school.held("induction")
    other = school.booked("EPA", 1, practitioner=school.world.tess)
    school.record(other, by=school.world.tess)
    with pytest.raises(Conflict, match="another session changed"):
        school.world.do(school.world.tom, reopen_session, first, "slip", now=LATER)


def test_c7_what_was_changed_by_hand_since_is_not_taken_back(school: School) -> None:
    world = school.world
    session = school.held("induction")
    world.do(world.ben, commands.change_enrolments,
             [EnrolmentEdit(school.enrolment, {"status": S.GATEWAY})], "as agreed", now=LATER)
    with pytest.raises(Conflict, match="Ben changed the status of Sara in Maths to gateway"):
        world.do(world.tom, reopen_session, session, "slip", now=LATER)


def test_c7_type_and_courses_of_what_moved_enrolments_stay_until_it_is_reopened(school: School) -> None:
    world = school.world
    moved, plain = school.held("induction"), school.held("general", 1)
    for session, changes in ((moved, {"type": "general"}), (moved, {"course_ids": (world.art,)}),
                             (plain, {"type": "EPA"})):
        with pytest.raises(Invalid, match="Reopen it first"):
            world.do(world.ben, edit_sessions, [Edit(session, changes)], now=LATER)
    world.do(world.ben, edit_sessions, [Edit(plain, {"type": "telephone", "course_ids": (world.art,)})], now=LATER)


def test_c7_who_may_not_record_moves_no_enrolment_by_undo(school: School) -> None:
    world = school.world
    saved = world.do(world.ben, commands.change_enrolments,
                     [EnrolmentEdit(school.enrolment, {"status": S.GATEWAY})], "as agreed")
    world.tick(Action.UNDO_ANY)
    with pytest.raises(NotAllowed, match="change enrolments"):
        school.take_back(saved, world.cuno)
    school.take_back(saved, world.ben)
    assert school.status == S.ENROLLED


def test_c7_the_timeline_of_the_session_still_tells(school: School) -> None:
    session = school.held("induction")
    with school.world.reading(school.world.tom) as work:
        assert timeline(work, session)[0].did == "Outcome recorded"


def test_c7_the_policy_says_which_presets_are_on(school: School) -> None:
    policy = PRESETS[Kind.APPRENTICESHIP]
    assert policy.effects == frozenset(Switchable)
    assert Policy.model_validate(policy.stored()) == policy
    stored = policy.stored()
    del stored["effects"]
    assert Policy.model_validate(stored).effects == frozenset(Switchable)
    assert changed_policy(policy, {"effects": ["EPA"]}).effects == {"EPA"}
    with pytest.raises(Invalid):
        changed_policy(policy, {"effects": ["lunch"]})


def test_c7_the_sessions_timeline_tells_its_effects_to_those_who_may_see_them(school: School) -> None:
    world = school.world
    session = school.held("induction")
    told = "Sara, Maths: status enrolled → in training"

    def lines(who: int) -> list[tuple[str, ...]]:
        with world.reading(who, now=LATER) as work:
            return [tuple(line for line in entry.lines if "Maths: status" in line)
                    for entry in timeline(work, session)]

    for who in (world.ben, world.tom, world.sara):
        assert lines(who) == [(told,), ()]
    world.do(world.tom, reopen_session, session, "wrong one", now=LATER)
    assert lines(world.ben) == [("Sara, Maths: status back from in training to enrolled",), (told,), ()]


def test_x6_in_a_group_a_learner_reads_of_their_own_enrolment_alone(school: School) -> None:
    world = school.world
    school.enrol(world.sam)
    session = school.booked("induction", learner=None, learner_ids=(world.sara, world.sam))
    world.do(world.tom, record_outcome, session, [
        Attendance(learner, Outcome.ATTENDED, None, None) for learner in (world.sara, world.sam)], now=LATER)
    for who, seen in ((world.ben, {"Sara", "Sam"}), (world.sam, {"Sam"})):
        with world.reading(who, now=LATER) as work:
            said = [line for entry in timeline(work, session) for line in entry.lines if "→ in training" in line]
        assert {line.split(",")[0] for line in said} == seen

"""Enrolments by hand, the learner's plan, time and evidence, and who sees what of it (C9, C11, C12, D7, X6)."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from core.learning import commands
from core.learning.commands import EnrolmentEdit
from core.learning.queries import Narrowed, Stands, enrolments, evidence, plan, rights, spent, steps
from core.learning.rules import by_course, by_month, by_week, tracker
from core.sessions.ending import cancel_sessions
from core.sessions.rules import StaleForm
from db.models.learning import Engagement, Enrolment, Evidence
from db.models.sessions import Session
from db.models.structure import Course
from db.words import EnrolmentStatus as S
from db.words import Method, Outcome, Tie
from tests.core.learning.conftest import School
from tests.factories import DAY, NOW, PERSONAS, TEN, statements

HOURS = 60


# By hand ------------------------------------------------------------------------------------------------------------


def test_many_are_enrolled_at_once_all_or_none_and_undone_as_one(school: School) -> None:
    world = school.world
    saved = world.do(world.ben, commands.enrol, world.programme, world.art, [world.sara, world.sam],
                     first_day=date(2026, 3, 2), planned_end=date(2027, 3, 1), off_job_minutes=200 * HOURS)
    assert saved.said == "Enrolled 2 learners in Art."
    with pytest.raises(Invalid, match=r"Sara \(enrolled\)"):
        school.enrol(world.vic, world.sara, course=world.art)
    count = select(func.count()).select_from(Enrolment)
    assert world.one(count) == 3
    school.take_back(saved)
    assert world.one(count) == 1


@pytest.mark.parametrize(("field", "values"), [
    ("planned_end", {"first_day": date(2026, 3, 2), "planned_end": date(2026, 3, 1)}),
    ("first_day", {"first_day": "tomorrow"}), ("off_job_minutes", {"off_job_minutes": -5}),
    ("off_job_minutes", {"off_job_minutes": True}), ("first_day", {"first_day": date(1900, 1, 1)}),
])
def test_bad_input_gets_a_sentence_beside_its_field(school: School, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        school.enrol(school.world.sam, **values)
    assert set(refused.value.problems) == {field}


def test_only_learners_and_courses_of_the_programme(school: School) -> None:
    world = school.world
    for learners, course, field in (((world.tom,), world.art, "learner"), ((world.zoe,), world.art, "learner"),
                                    ((), world.art, "learner"), ((world.sam,), world.their_course, "course")):
        with pytest.raises(Invalid) as refused:
            school.enrol(*learners, course=course)
        assert set(refused.value.problems) == {field}


def test_a_status_by_hand_takes_a_reason_and_stale_forms_are_caught(school: School) -> None:
    world = school.world

    def changed(changes: dict[str, Any], reason: str = "", version: int | None = None) -> None:
        world.do(world.ben, commands.change_enrolments, [EnrolmentEdit(school.enrolment, changes, version)], reason)

    with pytest.raises(Invalid, match="Say why"):
        changed({"status": S.WITHDRAWN})
    changed({"first_day": date(2026, 3, 9), "off_job_minutes": 60}, version=1)
    with pytest.raises(StaleForm) as stale:
        changed({"status": S.WITHDRAWN}, "left", version=1)
    assert stale.value.theirs["first day"] == "2026-03-09"
    changed({"status": S.WITHDRAWN}, "left the firm")
    assert school.status == S.WITHDRAWN
    with world.reading(world.ben) as work:
        taken = steps(work, world.programme, world.sara)[school.enrolment]
    assert [(each.after, each.reason, each.by) for each in taken] == [
        ("withdrawn", "left the firm", "Ben"), ("2026-03-09", "", "Ben")]


def test_who_may_enrol_and_change(school: School) -> None:
    world = school.world
    for name in PERSONAS:
        who, allowed = world.people[name], name in ("alice", "ben", "cora")
        for command, args in (
            (commands.enrol, (world.programme, world.art, [world.vic])),
            (commands.change_enrolments, ([EnrolmentEdit(school.enrolment, {"first_day": date(2026, 3, 9)})],)),
        ):
            if allowed:
                school.take_back(world.do(who, command, *args))
            else:
                with pytest.raises((NotAllowed, NotFound)):
                    world.do(who, command, *args)
    with pytest.raises(NotFound):
        world.do(world.zara, commands.change_enrolments, [EnrolmentEdit(school.enrolment, {})])


# Who sees what ------------------------------------------------------------------------------------------------------


def whose(school: School, name: str) -> set[str]:
    with school.world.reading(school.world.people[name]) as work:
        return {each.learner for each in enrolments(work, school.world.programme)}


def test_x6_each_sees_the_enrolments_of_their_own_learners(school: School) -> None:
    world = school.world
    school.enrol(world.sam)
    everybody = {"Sara", "Sam"}
    for name in ("alice", "ben", "cora", "mona"):
        assert whose(school, name) == everybody
    for name in ("sara", "gus", "lena"):
        assert whose(school, name) == {"Sara"}
    for name in ("tom", "tess", "cuno", "vic"):
        assert whose(school, name) == set()
    with world.reading(world.zed) as work, pytest.raises(NotFound):
        enrolments(work, world.programme)
    school.booked("general")
    world.add(Engagement, programme_id=world.programme, practitioner_id=world.tess, team_id=world.comet, name="Team",
              version=1)
    assert (whose(school, "tom"), whose(school, "tess")) == ({"Sara"}, everybody)


def test_d7_a_line_manager_reads_dates_and_hours_and_no_words(school: School) -> None:
    world = school.world
    school.booked("general", planning_notes="Bring the portfolio")
    world.do(world.sara, commands.add_evidence, world.programme, world.sara, title="Secret title", url="https://x.example")
    world.do(world.ben, commands.change_enrolments, [EnrolmentEdit(school.enrolment, {"status": S.GATEWAY})], "Secret")
    for name, reads in (("lena", False), ("mona", False), ("gus", True), ("sara", True), ("ben", True), ("tom", True)):
        with world.reading(world.people[name]) as work:
            planned = plan(work, world.programme, world.sara)
            assert [bool(each.notes) for each in planned] == [reads]
            assert [bool(each.reason) for each in steps(work, world.programme, world.sara)[school.enrolment]] == [reads]
            may = rights(work, world.programme, world.sara)
            assert (may.sees, may.reads) == (True, reads)
            if reads:
                assert [each.title for each in evidence(work, world.programme, world.sara, planned)] == ["Secret title"]
            else:
                with pytest.raises(NotFound):
                    evidence(work, world.programme, world.sara, planned)
    with pytest.raises(Refusal):
        world.do(world.lena, commands.remove_evidence, 1)


def test_x6_a_learner_whom_one_does_not_know_is_nobody(school: School) -> None:
    world = school.world
    for who, whom in ((world.sam, world.sara), (world.tess, world.sara), (world.ben, world.tom), (world.ben, 10**9)):
        with world.reading(who) as work, pytest.raises(NotFound):
            plan(work, world.programme, whom)


# Plan and time ------------------------------------------------------------------------------------------------------


def test_c11_sessions_stand_in_the_plan_in_order_of_time_planned_until_held(school: School) -> None:
    world = school.world
    later, first = school.booked("general", 2), school.booked("out of the workplace", 0)
    off, missed = school.booked("general", 3), school.booked("general", 1)
    world.do(world.ben, cancel_sessions, [off], "ill")
    school.record(first, minutes=75)
    school.record(missed, outcome=Outcome.MISSED)
    with world.reading(world.sara) as work:
        planned = plan(work, world.programme, world.sara)
        log = spent(work, world.programme, planned)
    assert [(each.row.id, each.stands) for each in planned] == [
        (first, Stands.HELD), (missed, Stands.MISSED), (later, Stands.PLANNED), (off, Stands.CANCELLED)]
    assert [(each.planned, each.actual, each.off_job) for each in log] == [(60, 75, True), (60, 0, False)]
    week, = by_week(log)
    assert (week.name, week.planned, week.on_job, week.off_job) == ("2026-03-02", 120, 0, 75)
    assert by_month(log)[0].name == "2026-03-01"
    assert [(each.name, each.actual) for each in by_course(log)] == [("Maths", 75)]


def test_c12_a_smart_session_stands_in_the_evidence_from_booking_on(school: School) -> None:
    world = school.world
    session = school.booked("general", description="Review")
    world.set(session, method=Method.SMART, room_id=world.room)
    for url in (None, "https://rec.example/1"):
        world.set(session, recording_url=url)
        with world.reading(world.sara) as work:
            piece, = evidence(work, world.programme, world.sara, plan(work, world.programme, world.sara))
        assert (piece.session_id, piece.url) == (session, url or "")


def test_evidence_is_added_changed_removed_and_undone(school: School) -> None:
    world = school.world
    school.booked("general")
    with pytest.raises(Invalid) as refused:
        world.do(world.tom, commands.add_evidence, world.programme, world.sara, title=" ", url="javascript:alert(1)")
    assert set(refused.value.problems) == {"title", "url"}
    for stranger in (world.tess, world.sam, world.gus, world.mona, world.zed):
        with pytest.raises(Refusal):
            world.do(stranger, commands.add_evidence, world.programme, world.sara, title="x")
    piece = world.do(world.tom, commands.add_evidence, world.programme, world.sara, title="Logbook").result
    world.do(world.sara, commands.edit_evidence, piece, {"url": "https://x.example/log", "note": "Signed"})
    gone = world.do(world.sara, commands.remove_evidence, piece)
    assert world.one(select(func.count()).select_from(Evidence)) == 0
    school.take_back(gone, world.ben)
    assert world.all(select(Evidence.title, Evidence.note)) == [("Logbook", "Signed")]
    again = world.do(world.sara, commands.remove_evidence, piece, now=TEN + 90 * DAY)
    school.take_back(again, world.sara)


# Off the job --------------------------------------------------------------------------------------------------------

FIRST, END = date(2026, 1, 1), date(2026, 12, 31)


@pytest.mark.parametrize(("done", "planned", "day", "status", "risk", "why"), [
    (0, 0, FIRST, S.ENROLLED, False, "On track."),
    (30, 0, FIRST + timedelta(days=182), S.IN_TRAINING, True, "20 h behind the target; 60 h of 100 h"),
    (30, 70, FIRST + timedelta(days=182), S.IN_TRAINING, False, "booked ahead"),
    (50, 0, FIRST + timedelta(days=182), S.IN_TRAINING, False, "On track."),
    (99, 0, END + timedelta(days=1), S.IN_TRAINING, True, "1 h missing"),
    (100, 0, END + timedelta(days=1), S.IN_TRAINING, False, "All required hours are done."),
    (0, 0, END, S.WITHDRAWN, False, "is withdrawn"),
])
def test_off_the_job_time_against_the_target(
    done: int, planned: int, day: date, status: S, risk: bool, why: str
) -> None:
    found = tracker(status, FIRST, END, 100 * HOURS, done * HOURS, planned * HOURS, day)
    assert found.at_risk is risk
    assert why in found.why


def test_without_hours_or_days_nothing_is_at_risk() -> None:
    for first, end, required in ((None, None, 60), (FIRST, None, 60), (None, END, 60), (FIRST, END, None)):
        assert not tracker(S.ENROLLED, first, end, required, 0, 0, END).at_risk
    assert tracker(S.ENROLLED, FIRST, FIRST, 60, 0, 0, FIRST).target == 0


def test_off_the_job_time_of_all_sessions_counts_and_the_course_says_what_is_required(school: School) -> None:
    world = school.world
    world.raw(lambda work: work.tx.execute(Course.__table__.update().where(Course.id == world.maths).values(
        off_job_minutes=6000, weeks=40)) and None)
    world.do(world.ben, commands.change_enrolments, [EnrolmentEdit(school.enrolment, {"first_day": NOW.date()})])
    school.record(school.booked("out of the workplace", minutes=90), minutes=75)
    school.booked("Out of the workplace".lower(), 200, practitioner=world.tess)
    school.held("general", 2)
    with world.reading(world.lena, now=TEN + 90 * DAY) as work:
        found, = enrolments(work, world.programme)
    assert found.planned_end == NOW.date() + timedelta(weeks=40)
    assert (found.off_job.required, found.off_job.done, found.off_job.planned) == (6000, 75, 60)
    assert found.off_job.at_risk


def test_the_list_narrows_and_those_at_risk_come_first(school: School) -> None:
    world = school.world
    school.enrol(world.vic, first_day=date(2025, 3, 1), planned_end=date(2026, 3, 1), off_job_minutes=600)
    school.enrol(world.sam, course=world.art)
    school.booked("general")
    with world.reading(world.ben) as work:
        def named(**how: Any) -> list[str]:
            return [each.learner for each in enrolments(work, world.programme, Narrowed(**how))]

        assert named() == ["Vic", "Sam", "Sara"]
        assert named(at_risk=True) == ["Vic"]
        assert named(courses=(world.art,)) == ["Sam"]
        assert named(practitioners=(world.tom,)) == ["Sara"]
        assert named(statuses=("withdrawn",)) == []
        assert named(text="sA") == ["Sam", "Sara"]


def test_queries_stay_the_same_in_number(school: School) -> None:
    world = school.world

    def counted() -> int:
        with world.reading(world.tom) as work, statements(world.engine) as sent:
            enrolments(work, world.programme)
            planned = plan(work, world.programme, world.sara)
            evidence(work, world.programme, world.sara, planned)
            steps(work, world.programme, world.sara)
        return len(sent)

    school.booked("induction")
    before = counted()
    for day in range(1, 12):
        school.booked("out of the workplace", day, learner=None, learner_ids=(world.sara, world.sam))
    school.enrol(world.sara, world.sam, course=world.art)
    assert counted() == before


def test_undone_enrolling_says_what_came_of_it_since(school: School) -> None:
    world = school.world
    saved = world.do(world.ben, commands.enrol, world.programme, world.art, [world.sara])
    school.record(school.booked("induction", course_ids=(world.art,)))
    with pytest.raises(Conflict, match="Recorded session 1"):
        school.take_back(saved)
    assert world.one(select(func.count()).select_from(Session)) == 1


def test_a_guardian_of_another_programme_sees_nothing(school: School) -> None:
    world = school.world
    world.tie(Tie.GUARDIAN, world.zed, world.sara, programme=world.elsewhere)
    with world.reading(world.zed) as work:
        assert enrolments(work, world.elsewhere) == []

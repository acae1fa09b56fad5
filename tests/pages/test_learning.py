"""The learner's page, the list of progress, enrolling, and an exit that asks how it ends (C2, C7, C9, C11, C12, D7)."""

from datetime import date

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from core.learning import commands
from core.permissions import Action
from core.structure.commands import retire_entries
from core.structure.rules import Which
from db.models.learning import Enrolment, Evidence
from db.words import EnrolmentStatus, Kind, Outcome
from tests.conftest import Databases
from tests.factories import DAY, TEN, World
from tests.pages.conftest import Opener, in_portal
from tests.pages.conftest import texts as marked


@pytest.fixture
def world(engine: Engine, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> World:
    """Sara is enrolled in Maths and meets Tom; Vic is behind in Art."""
    made = in_portal(databases.world(engine, Kind.APPRENTICESHIP), monkeypatch)
    made.do(made.ben, commands.enrol, made.programme, made.maths, [made.sara], first_day=date(2026, 2, 27),
            planned_end=date(2027, 2, 26), off_job_minutes=6000)
    made.do(made.ben, commands.enrol, made.programme, made.art, [made.vic], first_day=date(2025, 1, 5),
            planned_end=date(2026, 1, 4), off_job_minutes=600)
    made.book(practitioner=made.tom, learner=made.sara, starts_at=TEN, type="out of the workplace",
              course_ids=(made.maths,), planning_notes="Bring the portfolio")
    return made


def texts(tab: AppTest) -> str:
    """What the screen says, as it is read."""
    return marked(tab).replace("\\", "")


TABS = ("Learning plan", "Time log", "Evidence", "Enrolments", "Off the job")


@pytest.mark.parametrize(("persona", "count"), [
    ("alice", 5), ("tom", 5), ("sara", 5), ("gus", 5), ("lena", 4), ("mona", 4), ("tess", 0),
])
def test_d7_each_reads_as_much_of_a_learner_as_they_may(
    world: World, open_screen: Opener, persona: str, count: int
) -> None:
    tab = open_screen(world.people[persona], "person", person=world.sara)
    for name in TABS:
        tab.session_state[f"learning-{world.sara}"] = name
        if name == "Evidence" and count == 4:
            continue
        tab.run()
        assert not tab.exception
        assert [each.label for each in tab.tabs] == [each for each in TABS if count == 5 or each != "Evidence"][:count]
        frames = " ".join(frame.value.to_string() for frame in tab.dataframe)
        if name == "Learning plan" and count:
            assert ("portfolio" in frames) is (count == 5)
            assert "○ planned" in frames
        if name == "Time log" and count:
            assert "Week of 2 Mar 2026" in frames
        if name == "Off the job" and count:
            assert "On track" in texts(tab) or "behind the target" in texts(tab)


def test_c2_booking_from_a_learner_has_them_filled_in(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.tom, "person", person=world.sara)
    next(each for each in tab.button if each.label == "Book a session").click().run()
    assert tab.session_state["book:learner"] == world.sara
    assert tab.session_state["book:practitioner"] == world.tom


def test_a_learner_opens_their_own_from_the_menu(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.sara, "learning")
    assert not tab.exception
    assert tab.title[0].value == "My learning"
    with pytest.raises(ValueError, match="Could not find"):
        open_screen(world.tom, "learning")


def test_those_at_risk_come_first_and_a_line_leads_to_the_learner(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "progress")
    assert not tab.exception
    shown = tab.dataframe[0].value
    assert list(shown["Learner"]) == ["Vic", "Sara"]
    assert "missing" in shown["Why"][0]
    tab.selectbox(key="enrolled").set_value("Maths").run()
    assert list(tab.dataframe[0].value["Learner"]) == ["Sara"]
    tab.selectbox(key="standing").set_value("gateway").run()
    assert "Nobody matches." in texts(tab)
    next(each for each in tab.button if each.label == "Show everybody").click().run()
    tab.pills(key="risk").set_value(["yes"]).run()
    assert list(tab.dataframe[0].value["Learner"]) == ["Vic"]


@pytest.mark.parametrize(("persona", "learners"), [
    ("lena", ["Sara"]), ("gus", ["Sara"]), ("tom", ["Sara"]), ("tess", []),
])
def test_x6_progress_is_of_ones_own_learners(
    world: World, open_screen: Opener, persona: str, learners: list[str]
) -> None:
    tab = open_screen(world.people[persona], "progress")
    assert not tab.exception
    assert [name for frame in tab.dataframe for name in frame.value["Learner"]] == learners


def test_some_are_enrolled_from_the_list_of_people(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "people")
    tab.session_state["panel:open"] = ("enrol", (world.programme, world.sam, world.vic))
    tab.session_state["panel:key"] = "k"
    tab.run()
    next(each for each in tab.button if each.label == "Enrol").click().run()
    assert "Choose a course." in texts(tab)
    tab.selectbox(key="enrol:course").set_value(world.maths)
    tab.number_input(key="enrol:hours").set_value(100.5)
    next(each for each in tab.button if each.label == "Enrol").click().run()
    assert "Enrolled 2 learners in Maths." in texts(tab)
    assert world.one(select(Enrolment.off_job_minutes).where(Enrolment.learner_id == world.sam)) == 6030


def test_some_are_enrolled_from_the_list_of_courses(world: World, open_screen: Opener) -> None:
    """The course is chosen; learners are found by name, one after the other, and taken out again."""
    tab = open_screen(world.cora, "courses")
    names, actions = tab.dataframe[0].value["Name"], tab.dataframe[0].value["Change"]
    assert [list(actions[n]) for n, name in enumerate(names) if name == "Maths"] == [
        ["Edit", "Retire", "Enrol learners"]]
    tab.session_state["panel:open"] = ("enrol-in", (world.programme, world.maths))
    tab.session_state["panel:key"] = "k"
    tab.run()
    assert tab.selectbox(key="enrol-in:course").value == world.maths
    tab.button("enrol-in:save").click().run()
    assert "Choose a learner." in texts(tab)
    for name in ("Sara", "Sam", "Vic"):
        tab.text_input("enrol-in:learner:text").set_value(name).run()
        assert tab.text_input("enrol-in:learner:text").value == ""
    assert "Choose a learner." not in texts(tab)
    tab.button("enrol-in:save").click().run()
    assert "Enrolled already: Sara" in texts(tab)
    tab.button(f"enrol-in-not-{world.sara}").click().run()
    assert "Enrolled already" not in texts(tab)
    tab.button("enrol-in:save").click().run()
    assert not tab.exception
    assert "Enrolled 2 learners in Maths." in texts(tab)
    assert world.all(select(Enrolment.learner_id).where(Enrolment.course_id == world.maths)
                     .order_by(Enrolment.id)) == [world.sara, world.sam, world.vic]


def test_whoever_keeps_lists_without_enrolling_is_not_offered_it(world: World, open_screen: Opener) -> None:
    world.tick(Action.LISTS_EDIT)
    actions = open_screen(world.cuno, "courses").dataframe[0].value["Change"]
    assert {tuple(each) for each in actions} == {("Edit", "Retire")}
    world.do(world.alice, retire_entries, Which.COURSE, [world.art])
    tab = open_screen(world.alice, "courses")
    shown = tab.toggle("list-course-retired").set_value(True).run().dataframe[0].value
    assert [list(each) for each, state in zip(shown["Change"], shown["State"], strict=True) if state == "retired"] == [
        ["Edit", "Bring back"]]


def test_an_enrolment_is_changed_in_a_panel(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "person", person=world.sara)
    tab.session_state[f"learning-{world.sara}"] = "Enrolments"
    tab.run()
    tab.button(key="enrolment-edit-1").click().run()
    tab.selectbox(key="enrolment-1:status").set_value(EnrolmentStatus.WITHDRAWN)
    next(each for each in tab.button if each.label == "Save").click().run()
    assert "Say why the status changes." in texts(tab)
    tab.text_input(key="enrolment-1:reason").set_value("Left")
    next(each for each in tab.button if each.label == "Save").click().run()
    assert not tab.exception
    assert world.one(select(Enrolment.status).where(Enrolment.id == 1)) == "withdrawn"
    assert "Left" in texts(tab)


def test_evidence_is_added_and_removed(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.sara, "learning")
    tab.session_state[f"learning-{world.sara}"] = "Evidence"
    tab.run()
    next(each for each in tab.button if each.label == "Add evidence").click().run()
    form = f"evidence-new-{world.sara}"
    tab.text_input(key=f"{form}:title").set_value("Logbook")
    tab.text_input(key=f"{form}:url").set_value("javascript:x")
    next(each for each in tab.button if each.label == "Add").click().run()
    assert "begins with https" in texts(tab)
    tab.text_input(key=f"{form}:url").set_value("https://x.example/log")
    next(each for each in tab.button if each.label == "Add").click().run()
    assert not tab.exception
    assert world.all(select(Evidence.url)) == ["https://x.example/log"]
    tab.button(key="piece-remove-1").click().run()
    assert world.all(select(Evidence.url)) == []


def test_c7_recording_an_exit_asks_how_it_ends(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY, type="exit session",
                         course_ids=(world.maths,))
    world.now = TEN + 2 * DAY
    tab = open_screen(world.tom, "worksheet", session=session)
    tab.session_state["panel:open"] = ("session-record", (session,))
    tab.session_state["panel:key"] = "k"
    tab.run()
    tab.segmented_control(key=f"record-{session}:way").set_value(Outcome.ATTENDED).run()
    next(each for each in tab.button if each.label == "Record").click().run()
    assert "Say of Sara whether the enrolment is completed or withdrawn" in texts(tab)
    tab.segmented_control(key=f"record-{session}:ending-{world.sara}").set_value(EnrolmentStatus.COMPLETED)
    next(each for each in tab.button if each.label == "Record").click().run()
    assert not tab.exception
    assert world.one(select(Enrolment.status).where(Enrolment.id == 1)) == "completed"

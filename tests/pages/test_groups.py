"""Groups on screen: choosing who takes part in a second step, and the list on the worksheet (C8, B9, E8, X6)."""

from datetime import time

import pytest
from sqlalchemy import func, select

from core.sessions.groups import add_learners
from db.models.learning import Enrolment
from db.models.sessions import Participation, Session, Waiting
from db.words import Role
from tests.factories import NOW, TEN, World
from tests.pages.conftest import Opener, texts
from tests.pages.test_book import fill, press, problem, sessions, whole
from tests.pages.test_worksheet import opened, said


@pytest.fixture
def people(world: World) -> list[int]:
    """Ann, Bo, Cy and Di, learners."""
    return [world.person(name, Role.LEARNER) for name in ("Ann", "Bo", "Cy", "Di")]


@pytest.fixture
def full(world: World, people: list[int]) -> int:
    """Ann and Bo with Tom at ten, for whom there are two places; Cy and Di wait."""
    session = world.book(practitioner=world.tom, learner_ids=tuple(people[:2]), starts_at=TEN, places=2)
    world.do(world.ben, add_learners, session, people[2:])
    return session


def tick(tab, *people: int, name: str = "book", on: bool = True):  # type: ignore[no-untyped-def]
    """Tick learners of the list that is open."""
    for person in people:
        tab.checkbox(key=f"{name}:tick-{person}").set_value(on).run()
    assert not tab.exception, tab.exception
    return tab


def labels(tab) -> list[str]:  # type: ignore[no-untyped-def]
    """The learners that can be ticked, as they read."""
    return [each.label.replace("\\", "") for each in tab.checkbox if ":tick-" in str(each.key)]


def inside(world: World, session: int) -> list[int]:
    return world.all(select(Participation.learner_id).where(Participation.session_id == session).order_by(
        Participation.id))


def test_c8_from_two_on_the_next_step_asks_who_and_nothing_is_booked_before(
    world: World, open_screen: Opener, people: list[int]
) -> None:
    tab = whole(open_screen(world.alice, "book"), world, learner=None, description="Fractions")
    tab.number_input(key="book:places").set_value(3).run()
    press(tab, "book-choose")
    assert sessions(world) == 0
    assert "0 of 3 chosen" in texts(tab)
    press(tab, "book-group")
    assert problem(tab, "Tick at least one member.")
    tick(tab, *people[:2])
    assert "2 of 3 chosen" in texts(tab)
    press(tab, "book-back")
    assert tab.text_input(key="book:description").value == "Fractions"
    assert tab.text_input(key="book:time").value == "10:00"
    assert tab.number_input(key="book:places").value == 3
    assert sessions(world) == 0
    press(tab, "book-choose")
    assert "2 of 3 chosen" in texts(tab)
    press(tab, "book-group")
    session = world.one(select(Session.id))
    assert inside(world, session) == people[:2]
    assert (world.fact(session, "places"), world.fact(session, "description")) == (3, "Fractions")
    assert "2 of 3" in texts(tab)


def test_c8_what_stands_against_another_field_is_said_before(world: World, open_screen: Opener) -> None:
    tab = fill(open_screen(world.alice, "book"), practitioner=world.tom, date="no day")
    tab.number_input(key="book:places").set_value(31).run()
    press(tab, "book-choose")
    assert problem(tab, "This is no date")
    assert problem(tab, "whole number from 1 to 30")


def test_c8_no_more_are_booked_than_were_asked_for(world: World, open_screen: Opener, people: list[int]) -> None:
    tab = whole(open_screen(world.alice, "book"), world, learner=people[0])
    tab.number_input(key="book:places").set_value(2).run()
    tick(press(tab, "book-choose"), people[1], people[2])
    assert "3 of 2 chosen" in texts(tab)  # whoever was named in the first step is ticked
    press(tab, "book-group")
    assert problem(tab, "3 are chosen, and the number of members is 2")
    assert sessions(world) == 0


def test_b9_a_group_is_booked_without_who_is_busy_by_one_button(
    world: World, open_screen: Opener, people: list[int]
) -> None:
    world.book(practitioner=world.tess, learner=people[0], starts_at=TEN)
    tab = whole(open_screen(world.alice, "book"), world, learner=None)
    tab.number_input(key="book:places").set_value(3).run()
    press(tab, "book-choose")
    assert any("Ann" in each and "busy Tue 3 Mar 2026, 10:00–11:00 (session 1)" in each for each in labels(tab))
    press(tick(tab, *people[:3]), "book-group")
    assert sessions(world) == 1
    assert "Ann is busy Tue 3 Mar 2026, 10:00–11:00 (session 1). Nothing is booked yet." in said(tab)
    assert tab.button(key="book-without").label == "Book without Ann"
    tick(tab, people[0], on=False)
    assert "Nothing is booked yet" not in said(tab)
    press(tick(tab, people[0]), "book-group")
    press(tab, "book-without")
    assert inside(world, world.one(select(func.max(Session.id)))) == people[1:3]
    assert "without Ann: busy then" in said(tab)


def test_c8_the_list_is_filtered_by_course_team_practitioner_and_name(
    world: World, open_screen: Opener, people: list[int]
) -> None:
    world.add(Enrolment, programme_id=world.programme, course_id=world.maths, learner_id=people[0], created_at=NOW)
    world.book(practitioner=world.tess, learner=people[1], starts_at=TEN)
    tab = whole(open_screen(world.alice, "book"), world, learner=None, time=time(14))
    tab.number_input(key="book:places").set_value(3).run()
    press(tab, "book-choose")
    assert len(labels(tab)) == 7
    tab.selectbox(key="book:filter-course").set_value(world.maths).run()
    assert [each.split(" ")[0] for each in labels(tab)] == ["Ann"]
    tick(tab, people[0])
    tab.selectbox(key="book:filter-course").set_value(None).run()
    tab.selectbox(key="book:filter-team").set_value(world.comet).run()
    assert [each.split(" ")[0] for each in labels(tab)] == ["Ann", "Sam", "Sara"]  # who is ticked stays
    tab.selectbox(key="book:filter-team").set_value(None).run()
    tab.session_state["book:filter-leader"] = world.tess
    tab.run()
    assert [each.split(" ")[0] for each in labels(tab)] == ["Ann", "Bo"]
    tab.session_state["book:filter-leader"] = None
    tab.text_input(key="book:filter-text").set_value("Cy").run()
    assert [each.split(" ")[0] for each in labels(tab)] == ["Ann", "Cy"]


# The worksheet --------------------------------------------------------------------------------------------------------


def test_c8_the_worksheet_shows_places_and_who_waits(world: World, open_screen: Opener, full: int) -> None:
    tab = open_screen(world.tom, "worksheet", session=full)
    assert "**2 of 2** places taken" in texts(tab)
    assert "1. **Cy** since Mon 2 Mar 2026, 08:00" in said(tab)
    assert "2. **Di** since" in said(tab)


def test_e8_removing_one_moves_the_first_up(world: World, open_screen: Opener, full: int, people: list[int]) -> None:
    tab = open_screen(world.alice, "worksheet", session=full)
    tab.button(key=f"group-removed-{people[0]}").click().run()
    assert "Removed Ann from session 1. Cy moved up from the waiting list." in said(tab)
    assert inside(world, full) == people[1:3]
    tab.button(key="feedback-undo").click().run()
    assert sorted(inside(world, full)) == people[:2]


def test_taking_somebody_off_the_list_and_more_places(
    world: World, open_screen: Opener, full: int, people: list[int]
) -> None:
    tab = open_screen(world.alice, "worksheet", session=full)
    tab.button(key=f"group-off-{people[2]}").click().run()
    assert world.all(select(Waiting.learner_id)) == [people[3]]
    opened(tab, "places", full)
    tab.number_input(key=f"places-{full}:places").set_value(1).run()
    tab.button(key=f"places-{full}:send").click().run()
    assert problem(tab, "2 take part already. Remove somebody first.")
    tab.number_input(key=f"places-{full}:places").set_value(3).run()
    tab.button(key=f"places-{full}:send").click().run()
    assert inside(world, full) == [people[0], people[1], people[3]]


def test_c8_adding_learners_to_a_session(world: World, open_screen: Opener, people: list[int]) -> None:
    world.book(practitioner=world.tess, learner=people[3], starts_at=TEN)
    session = world.book(practitioner=world.tom, learner_ids=(people[0],), starts_at=TEN, places=2)
    name = f"learners-{session}"
    tab = opened(open_screen(world.tom, "worksheet", session=session), "learners", session)
    assert not any(each.startswith("Ann") for each in labels(tab))
    tab.button(key=f"{name}:send").click().run()
    assert problem(tab, "Tick at least one.")
    tick(tab, people[1], people[2], people[3], name=name)
    tab.button(key=f"{name}:send").click().run()
    assert "Di is busy" in said(tab)
    assert inside(world, session) == people[:1]
    tab.button(key=f"{name}:without").click().run()
    assert inside(world, session) == people[:2]
    assert world.all(select(Waiting.learner_id)) == [people[2]]
    assert "Cy is on the waiting list of session 2. Without Di: busy then." in said(tab)


def test_x6_who_waits_sees_their_own_place_alone(
    world: World, open_screen: Opener, full: int, people: list[int]
) -> None:
    tab = open_screen(people[3], "worksheet", session=full)
    assert "You are number 2 on the waiting list" in said(tab)
    assert not any(name in said(tab) for name in ("Ann", "Bo", "Cy"))
    assert not [each for each in tab.button if str(each.key).startswith("group-")]

"""Timetables: hours, roster, slots free and taken, booking a free one, and what a change affects (B6, B7, B11, B13)."""

from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.availability.commands import Whose, Window, save_weekly_hours, set_roster
from core.programmes.rules import WhoBooks
from db.models.availability import Roster, WeeklyWindow
from db.models.sessions import Session
from db.models.structure import Timetable
from db.words import Role
from tests.factories import HOUR, TEN, World, statements
from tests.pages.conftest import Opener, texts

LONDON = "Europe/London"


@pytest.fixture
def weekly(world: World) -> int:
    """The regular timetable: Tuesdays nine to twelve, with Tom and Tess."""
    world.do(world.alice, save_weekly_hours, Whose(world.programme, None, world.weekly),
             [Window(1, 540, 720, LONDON)])
    world.do(world.alice, set_roster, world.weekly, [world.tom, world.tess])
    return world.weekly


def said(tab: AppTest) -> str:
    """What the screen says, signs as people read them, labels of buttons and links among it."""
    links = [str(each.proto.label) for each in tab.get("page_link")]
    return "\n".join([texts(tab), *(each.label for each in tab.button), *links]).replace("\\", "")


def slots(tab: AppTest) -> list[str]:
    """The free slots that can be clicked."""
    return [each.label for each in tab.button if str(each.key).startswith("slot-")]


def opened(tab: AppTest, panel: str) -> AppTest:
    """The same with a panel open."""
    tab.button(key=f"timetable-{panel}").click().run()
    assert not tab.exception, tab.exception
    return tab


def field(tab: AppTest, name: str) -> Any:
    """A field of the panel that is open."""
    return next(each for kind in (tab.text_input, tab.number_input, tab.multiselect, tab.button) for each in kind
                if str(each.key).startswith("timetable-") and str(each.key).endswith(f":{name}"))


def sessions(world: World) -> int:
    return int(world.one(select(func.count()).select_from(Session)))


@pytest.mark.parametrize("persona", ["alice", "ben", "cora", "tom", "tess"])
def test_b7_whoever_books_sees_slots_free_and_taken(
    world: World, weekly: int, open_screen: Opener, persona: str
) -> None:
    world.book(practitioner=world.tom, learner=world.sara, timetable=weekly, starts_at=TEN)
    tab = open_screen(getattr(world, persona), "timetables", timetable=weekly)
    assert not tab.exception
    assert slots(tab) == ["09:00 · 2 free", "10:00 · 1 free", "11:00 · 2 free"]
    assert ("10:00 · No. 1" if persona != "tess" else "10:00 · 1 taken") in said(tab)
    assert "5 free, 1 taken" in said(tab)
    assert "Tue 09:00–12:00" in said(tab)


@pytest.mark.parametrize("persona", ["mona", "cuno"])
def test_those_who_only_look_have_nothing_to_click(
    world: World, weekly: int, open_screen: Opener, persona: str
) -> None:
    tab = open_screen(getattr(world, persona), "timetables", timetable=weekly)
    assert not tab.exception
    assert slots(tab) == []
    assert "09:00 · 2 free" in said(tab)
    assert not [each for each in tab.button if str(each.key).startswith("timetable-")]


@pytest.mark.parametrize("persona", ["sara", "gus", "lena", "vic"])
def test_x6_a_timetable_of_nothing_of_ones_own_does_not_exist(
    world: World, weekly: int, open_screen: Opener, persona: str
) -> None:
    tab = open_screen(getattr(world, persona), "timetables", timetable=weekly)
    assert not tab.exception
    assert "There is no timetable here for you yet." in said(tab)
    assert "Weekly" not in said(tab)


def test_b7_a_free_slot_is_booked_in_two_clicks(world: World, weekly: int, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, starts_at=TEN + HOUR, timetable=weekly)
    tab = open_screen(world.ben, "timetables", timetable=weekly)
    next(each for each in tab.button if each.label == "11:00 · 1 free").click().run()
    assert tab.title[0].value == "Book a session"
    tab.button(key="book-now").click().run()
    assert not tab.exception
    booked = world.all(select(
        Session.practitioner_id, Session.timetable_id, Session.starts_at).where(Session.number == 2))
    assert booked == [(world.tess, weekly, TEN + HOUR)]


def test_an_address_leads_to_a_timetable_of_ones_other_programme(world: World, open_screen: Opener) -> None:
    world.grant(world.ben, Role.BASIC_ADMIN, programme=world.elsewhere)
    tab = open_screen(world.ben, "timetables", programme="Home", timetable=world.their_timetable)
    assert tab.selectbox(key="timetables:which").value == world.their_timetable


def test_of_several_the_one_with_less_to_do_is_offered_first(world: World, weekly: int, open_screen: Opener) -> None:
    world.book(practitioner=world.tess, starts_at=TEN, timetable=weekly)
    tab = open_screen(world.ben, "timetables", timetable=weekly)
    next(each for each in tab.button if each.label == "11:00 · 2 free").click().run()
    assert tab.session_state["book:practitioner"] == world.tom


def test_one_of_the_roster_and_the_week_stand_in_the_address(
    world: World, weekly: int, open_screen: Opener
) -> None:
    tab = open_screen(world.ben, "timetables", timetable=weekly, whom=world.tom, week="2026-03-12")
    assert slots(tab) == ["09:00", "10:00", "11:00"]
    assert "9 – 15 March 2026" in tab.header[0].value
    tab.button(key="week-later").click().run()
    assert "16 – 22 March 2026" in tab.header[0].value
    assert tab.query_params["week"] in ("2026-03-16", ["2026-03-16"])
    tab.button(key="week-now").click().run()
    assert "2 – 8 March 2026" in tab.header[0].value


@pytest.mark.parametrize("week", ["", "x", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_week_that_is_none_is_this_week(world: World, weekly: int, open_screen: Opener, week: str) -> None:
    tab = open_screen(world.ben, "timetables", timetable=10**12, week=week, whom="x")
    assert not tab.exception
    assert "2 – 8 March 2026" in tab.header[0].value


def test_b11_where_staff_book_practitioners_look_and_keep_their_own(
    world: World, weekly: int, open_screen: Opener
) -> None:
    world.policy(who_books=WhoBooks.STAFF)
    world.book(practitioner=world.tom, timetable=weekly, starts_at=TEN)
    tab = open_screen(world.tom, "timetables", timetable=weekly)
    assert slots(tab) == []
    tab = open_screen(world.tom, "timetables", timetable=world.toms_own)
    assert "It has no hours of its own" in said(tab)
    opened(tab, "hours")
    field(tab, "day.2").set_value("14-16").run()
    field(tab, "save").click().run()
    assert world.all(select(WeeklyWindow.weekday, WeeklyWindow.from_minute).where(
        WeeklyWindow.timetable_id == world.toms_own, WeeklyWindow.person_id == world.tom)) == [(2, 840)]
    assert "Saved the hours of Tom's own." in said(tab)
    assert "14:00 free" in said(tab)


def test_b13_a_change_of_hours_shows_whom_it_affects_before_it_is_saved(
    world: World, weekly: int, open_screen: Opener
) -> None:
    world.book(practitioner=world.tom, timetable=weekly, starts_at=TEN)
    tab = opened(open_screen(world.alice, "timetables", timetable=weekly), "hours")
    assert field(tab, "day.1").value == "09:00–12:00"
    field(tab, "day.1").set_value("11-12")
    field(tab, "save").click().run()
    assert "1 session ahead will lie outside these hours. It stays booked." in said(tab)
    assert "[Tue 3 Mar 2026, 10:00–11:00](worksheet?session=1) · Tom" in said(tab)
    assert world.one(select(WeeklyWindow.from_minute).where(WeeklyWindow.timetable_id == weekly)) == 540
    field(tab, "anyway").click().run()
    assert world.one(select(func.min(WeeklyWindow.from_minute)).where(
        WeeklyWindow.timetable_id == weekly, WeeklyWindow.until_day.is_(None))) == 660
    assert "1 session ahead lies outside now" in said(tab)
    tab.button(key="feedback-undo").click().run()
    assert world.one(select(func.min(WeeklyWindow.from_minute)).where(
        WeeklyWindow.timetable_id == weekly, WeeklyWindow.until_day.is_(None))) == 540


@pytest.mark.parametrize(("name", "typed", "sentence"), [
    ("day.0", "9", "These are no hours."), ("day.0", "12-9", "Hours end after they begin"),
    ("day.0", "9:03-10", "in steps of 5 minutes"), ("day.6", "<b>", "These are no hours."),
    ("from_day", "03/04/2026", "This is no date."), ("from_day", "1066-10-14", "Choose a date from 2000 to 2099."),
])
def test_bad_hours_get_a_sentence_and_nothing_is_lost(
    world: World, weekly: int, open_screen: Opener, name: str, typed: str, sentence: str
) -> None:
    tab = opened(open_screen(world.alice, "timetables", timetable=weekly), "hours")
    field(tab, name).set_value(typed)
    field(tab, "save").click().run()
    assert sentence in said(tab)
    assert field(tab, name).value == typed
    assert world.one(select(func.count()).select_from(WeeklyWindow).where(WeeklyWindow.timetable_id == weekly)) == 1


def test_b13_a_smaller_roster_shows_whom_it_affects(world: World, weekly: int, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, timetable=weekly, starts_at=TEN)
    tab = opened(open_screen(world.cora, "timetables", timetable=weekly), "roster")
    field(tab, "people").set_value([world.tess])
    field(tab, "save").click().run()
    assert "1 session ahead will lie outside" in said(tab)
    assert len(world.all(select(Roster.person_id))) == 2
    field(tab, "anyway").click().run()
    assert world.all(select(Roster.person_id)) == [world.tess]


def test_the_length_of_slots_is_kept(world: World, weekly: int, open_screen: Opener) -> None:
    tab = opened(open_screen(world.cora, "timetables", timetable=weekly), "length")
    field(tab, "slot_minutes").set_value(7)
    field(tab, "save").click().run()
    assert "Minutes in steps of 5" in said(tab)
    field(tab, "slot_minutes").set_value(90)
    field(tab, "save").click().run()
    assert world.one(select(Timetable.slot_minutes).where(Timetable.id == weekly)) == 90
    assert slots(tab) == ["09:00 · 2 free", "10:30 · 2 free"]


def test_a_week_costs_a_fixed_number_of_statements(world: World, weekly: int, open_screen: Opener) -> None:
    def cost() -> int:
        tab = open_screen(world.ben, "timetables", timetable=weekly)
        with statements(world.engine) as sent:
            tab.run()
        return len(sent)

    few = cost()
    for minutes in (9, 10, 11):
        for who in (world.tom, world.tess):
            world.book(practitioner=who, timetable=weekly, starts_at=TEN + (minutes - 10) * HOUR)
    assert cost() == few <= 30

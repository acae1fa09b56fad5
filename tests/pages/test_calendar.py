"""The calendar: what it shows to whom, what a click, a drag and a stretch do, its address (A4, B9, B11, C2, X3, X6).

The calendar itself runs in the browser; here a test says in its stead what was done in it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core.availability.commands import add_closure
from core.sessions.ending import cancel_sessions
from db.models.availability import TimeOff
from db.models.people import Person
from tests.factories import DAY, HOUR, MINUTE, TEN, World, statements
from tests.pages.conftest import Opener, opened, texts
from ui import calendar, calendar_frame


class Frame:
    """What the calendar was given to draw; `does` says what is done in it next, `meanwhile` what others do."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.options: dict[str, Any] = {}
        self.key = ""
        self.does: dict[str, Any] | None = None
        self.meanwhile: Callable[[], Any] = lambda: None

    def draw(self, events: list[dict[str, Any]], options: dict[str, Any], key: str, acted: Callable[[], None]) -> None:
        self.events, self.options, self.key = events, options, key
        if self.does is not None:
            st.session_state[key], self.does = self.does, None
            self.meanwhile()
            acted()

    @property
    def sessions(self) -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in self.events if "id" in each}


@pytest.fixture
def frame(monkeypatch: pytest.MonkeyPatch) -> Frame:
    made = Frame()
    monkeypatch.setattr(calendar_frame, "draw", made.draw)
    return made


@pytest.fixture
def session(world: World) -> int:
    """Tom with Sara on Tuesday at ten, made by Ben."""
    return world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,),
                      timetable=world.weekly, description="about the move", planning_notes="bring the plan")


def does(tab: AppTest, frame: Frame, value: dict[str, Any]) -> AppTest:
    """Something is done in the calendar."""
    frame.does = value
    tab.run()
    assert not tab.exception, tab.exception
    return tab.run()


def said(tab: AppTest) -> tuple[str, ...]:
    """View and day in the address; what a script wrote there is no list in a test."""
    given = (tab.query_params[name] for name in ("view", "day"))
    return tuple(each if isinstance(each, str) else each[0] for each in given)


def click(session: int) -> dict[str, Any]:
    return {"callback": "eventClick", "eventClick": {"event": {"id": str(session)}}}


def drag(session: int, start: str, end: str, before: str = "2026-03-03T10:00:00Z") -> dict[str, Any]:
    return {"callback": "eventChange", "eventChange": {
        "event": {"id": str(session), "start": start, "end": end}, "oldEvent": {"id": str(session), "start": before}}}


MOVED = ("2026-03-04T11:00:00Z", "2026-03-04T12:00:00Z")


@pytest.mark.parametrize(("persona", "moves"), [
    ("alice", True), ("ben", True), ("cora", True), ("cuno", False), ("mona", False), ("tom", True), ("sara", False),
    ("gus", False), ("lena", False),
])
def test_a1_b11_everybody_sees_what_they_may_and_moves_what_they_may(
    world: World, open_screen: Opener, frame: Frame, session: int, persona: str, moves: bool
) -> None:
    tab = open_screen(world.people[persona], "calendar", view="week")
    assert not tab.exception, tab.exception
    assert frame.sessions[str(session)]["editable"] is moves
    assert frame.sessions[str(session)]["start"] == "2026-03-03T10:00:00"
    assert "Sara\nTom\nscheduled" in frame.sessions[str(session)]["title"]
    assert "1 session · times in Europe/London" in texts(tab)
    assert "◷\u00a0scheduled" in texts(tab)


@pytest.mark.parametrize("persona", ["sam", "vic", "tess"])
def test_x6_nobody_sees_more(world: World, open_screen: Opener, frame: Frame, session: int, persona: str) -> None:
    tab = open_screen(world.people[persona], "calendar", view="week")
    assert not tab.exception
    assert frame.sessions == {}
    assert "0 sessions" in texts(tab)
    does(tab, frame, click(session))
    does(tab, frame, drag(session, *MOVED))
    assert world.fact(session, "starts_at") == TEN
    assert "about the move" not in texts(tab)


def test_a7_e7_a_click_shows_facts_notes_and_what_can_be_done(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = does(open_screen(world.tom, "calendar", view="week"), frame, click(session))
    said = texts(tab).replace("\\", "")
    assert "Session 1" in said
    assert "about the move" in said
    assert "bring the plan" in [each.value for each in tab.text]
    assert "Reschedule" in {each.label for each in tab.button}


def test_d7_a_line_manager_reads_no_words(world: World, open_screen: Opener, frame: Frame, session: int) -> None:
    tab = does(open_screen(world.lena, "calendar", view="week"), frame, click(session))
    said = texts(tab) + " ".join(each.value for each in tab.text) + str(frame.events)
    assert "Session 1" in said
    assert "about the move" not in said
    assert "bring the plan" not in said


def test_a4_a_drag_moves_by_the_same_act_and_can_be_undone(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    before = frame.sessions[str(session)]["extendedProps"]
    does(tab, frame, drag(session, *MOVED))
    assert (world.fact(session, "starts_at"), world.fact(session, "ends_at")) == (TEN + 25 * HOUR, TEN + 26 * HOUR)
    assert "Moved session 1 to Wed 4 Mar 2026, 11:00–12:00" in texts(tab).replace("\\", "")
    assert frame.sessions[str(session)]["start"] == "2026-03-04T11:00:00"
    assert frame.sessions[str(session)]["extendedProps"] != before
    tab.button(key="feedback-undo").click().run()
    assert world.fact(session, "starts_at") == TEN


def test_e8_a_drag_inside_the_notice_asks_whose_wish_it_is(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    world.now = TEN - 2 * HOUR
    tab = does(open_screen(world.ben, "calendar", view="week"), frame, drag(session, *MOVED))
    assert world.fact(session, "starts_at") == TEN
    assert "This is under 24 hours ahead, or has begun." in texts(tab)
    tab.segmented_control(f"reschedule-{session}:wish").set_value("practitioner").run()
    tab.button(f"reschedule-{session}:send").click().run()
    assert world.fact(session, "starts_at") == TEN + 25 * HOUR


def test_a4_a_stretch_changes_how_long_it_takes(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="day", day="2026-03-03")
    does(tab, frame, drag(session, "2026-03-03T10:00:00Z", "2026-03-03T11:45:00Z"))
    assert (world.fact(session, "starts_at"), world.fact(session, "ends_at")) == (TEN, TEN + 105 * MINUTE)


def test_b9_a_refused_drag_says_who_and_when_and_keeps_what_was_asked_for(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    frame.meanwhile = lambda: world.book(practitioner=world.tom, learner=world.vic, starts_at=TEN + 25 * HOUR)
    does(tab, frame, drag(session, *MOVED))
    assert world.fact(session, "starts_at") == TEN
    assert frame.sessions[str(session)]["start"] == "2026-03-03T10:00:00"
    said = texts(tab).replace("\\", "")
    assert "Tom is busy Wed 4 Mar 2026, 11:00–12:00 (session 2)." in said
    assert "Nearest times" in said
    assert tab.text_input(key=f"reschedule-{session}:date").value == "2026-03-04"
    next(each for each in tab.button if f"reschedule-{session}:free-" in str(each.key)).click().run()
    tab.button(key=f"reschedule-{session}:send").click().run()
    assert world.fact(session, "starts_at") != TEN


def test_a_drag_of_what_was_changed_meanwhile_shows_both_versions(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    frame.meanwhile = lambda: world.set(session, version=2)
    does(tab, frame, drag(session, *MOVED))
    assert world.fact(session, "starts_at") == TEN
    assert "was changed by somebody else" in texts(tab)


def test_a_drag_of_what_was_cancelled_meanwhile_says_so(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    frame.meanwhile = lambda: world.do(world.alice, cancel_sessions, [session], "ill")
    does(tab, frame, drag(session, *MOVED))
    assert world.fact(session, "starts_at") == TEN
    assert "cannot be moved" in texts(tab)


def test_outside_opening_hours_a_drag_asks_for_the_reason(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    does(tab, frame, drag(session, "2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"))
    assert world.fact(session, "starts_at") == TEN
    assert "Give a reason to book outside opening hours" in texts(tab)
    tab.text_input(key=f"reschedule-{session}:reason").set_value("early birds").run()
    tab.button(key=f"reschedule-{session}:send").click().run()
    assert world.fact(session, "starts_at") == TEN + 19 * HOUR


@pytest.mark.parametrize(("day", "said"), [
    ("2026-03-29", "The clocks go forward then: 01:30 does not exist"),
    ("2026-10-25", "The clocks go back then: 01:30 comes twice"),
])
def test_x3_a_drag_into_a_change_of_clocks_says_so_before_it_is_saved(
    world: World, open_screen: Opener, frame: Frame, day: str, said: str
) -> None:
    at = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=at, reason="sunday")
    tab = open_screen(world.ben, "calendar", view="day", day=day)
    shown = frame.sessions[str(session)]["start"]
    does(tab, frame, drag(session, f"{day}T01:30:00Z", f"{day}T02:30:00Z", before=f"{shown}Z"))
    assert world.fact(session, "starts_at") == at
    assert said in texts(tab).replace("\\", "")


def test_x3_a_session_on_the_day_of_the_change_stands_at_its_wall_time(
    world: World, open_screen: Opener, frame: Frame
) -> None:
    session = world.book(practitioner=world.tom, starts_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), reason="night")
    open_screen(world.ben, "calendar", view="day", day="2026-03-29")
    shown = frame.sessions[str(session)]
    assert (shown["start"], shown["end"]) == ("2026-03-29T00:30:00", "2026-03-29T02:30:00")
    assert frame.options["slotMinTime"] == "00:00:00"


def test_c2_c3_empty_time_leads_to_the_form_filled_in(world: World, open_screen: Opener, frame: Frame) -> None:
    tab = open_screen(world.ben, "calendar", view="week", practitioner="Tom", timetable="Weekly")
    does(tab, frame, {"callback": "dateClick", "dateClick": {"date": "2026-03-05T14:30:00.000Z"}})
    assert tab.title[0].value == "Book a session"
    held = tab.session_state
    assert (held["book:date"], held["book:time"]) == ("2026-03-05", "14:30")
    assert (held["book:practitioner"], held["book:timetable"]) == (world.tom, world.weekly)


def test_c2_chosen_time_gives_the_minutes_and_a_day_of_the_month_no_time(
    world: World, open_screen: Opener, frame: Frame
) -> None:
    tab = open_screen(world.ben, "calendar", view="week")
    does(tab, frame, {"callback": "select", "select": {
        "start": "2026-03-05T14:30:00.000Z", "end": "2026-03-05T16:00:00.000Z"}})
    assert tab.session_state["book:minutes"] == 90
    tab = open_screen(world.ben, "calendar", view="month")
    does(tab, frame, {"callback": "dateClick", "dateClick": {"date": "2026-03-05T00:00:00.000Z"}})
    assert (tab.session_state["book:date"], tab.session_state["book:time"]) == ("2026-03-05", "")


def test_b11_who_may_not_book_is_led_to_the_day_instead(world: World, open_screen: Opener, frame: Frame) -> None:
    tab = open_screen(world.mona, "calendar", view="month")
    assert frame.options["selectable"] is False
    does(tab, frame, {"callback": "dateClick", "dateClick": {"date": "2026-03-05T00:00:00.000Z"}})
    assert said(tab) == ("day", "2026-03-05")


@pytest.mark.parametrize("at", ["2026-13-45T10:00", "nonsense", "2026-03-29T01:30", "9999-12-31T23:59", "2026-03-05"])
def test_an_address_with_a_strange_time_opens_the_form(world: World, open_screen: Opener, at: str) -> None:
    tab = open_screen(world.ben, "book", at=at, minutes="999999999999999999", timetable="77")
    assert not tab.exception, tab.exception


@pytest.mark.parametrize("value", [
    {}, {"callback": "eventClick"}, {"callback": "eventClick", "eventClick": {"event": {"id": "x"}}}, [], "x", 7,
    {"callback": "eventChange", "eventChange": {"event": {"id": "1", "start": "?", "end": "?"}, "oldEvent": {}}},
    drag(1, "9999-12-31T23:00:00Z", "9999-12-31T23:00:00Z"), drag(1, "2026-03-03T10:00:00Z", "9999-12-31T23:59:00Z"),
    drag(1, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), {"callback": "dateClick", "dateClick": {"date": "soon"}},
    click(10**30), drag(1, "2026-03-03T10:00:00Z", "x"),
    {"callback": "eventClick", "eventClick": {"event": {"id": "many tomorrow"}}},
])
def test_what_no_calendar_says_is_passed_over(
    world: World, open_screen: Opener, frame: Frame, session: int, value: Any
) -> None:
    does(open_screen(world.ben, "calendar", view="week"), frame, value)
    assert world.fact(session, "starts_at") == TEN


@pytest.mark.parametrize("start", ["1999-12-31T10:00:00Z", "2100-01-01T10:00:00Z"])
def test_a_drag_out_of_the_calendar_is_refused(
    world: World, open_screen: Opener, frame: Frame, session: int, start: str
) -> None:
    tab = does(open_screen(world.ben, "calendar", view="week"), frame, drag(session, start, start))
    assert "Choose a date from 2000 to 2099" in texts(tab)


def test_a_month_of_many_is_counted_and_a_day_looked_closer_at(
    world: World, open_screen: Opener, frame: Frame, session: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.book_many([world.booking(practitioner=world.tess, starts_at=TEN + n * HOUR) for n in range(3)])
    monkeypatch.setattr(calendar, "FITS", 3)
    tab = open_screen(world.ben, "calendar", view="month")
    assert "4 sessions, counted by day" in texts(tab)
    (crowd,) = frame.sessions.values()
    assert (crowd["title"], crowd["start"], crowd["editable"]) == ("4 sessions\n◷\u00a04", "2026-03-03", False)
    does(tab, frame, click(crowd["id"]))
    assert said(tab) == ("day", "2026-03-03")
    hours = {each["start"]: each["title"] for each in frame.sessions.values()}
    assert hours["2026-03-03T10:00:00"] == "2 sessions\n◷\u00a02"


def test_shut_hours_and_the_time_of_one_practitioner_are_shaded(
    world: World, open_screen: Opener, frame: Frame
) -> None:
    world.add(TimeOff, person_id=world.tom, starts_at=TEN + HOUR, ends_at=TEN + DAY)
    open_screen(world.ben, "calendar", view="day", day="2026-03-03")
    assert {each["display"] for each in frame.events} == {"inverse-background"}
    open_screen(world.ben, "calendar", view="day", day="2026-03-03", practitioner="Tom")
    free = [each for each in frame.events if each.get("classNames") == ["free"]]
    assert [(each["start"][11:], each["end"][11:]) for each in free] == [("08:00:00", "11:00:00")]


def test_c6_a_month_shades_days_that_are_shut_and_those_on_which_one_practitioner_has_hours(
    world: World, open_screen: Opener, frame: Frame
) -> None:
    world.do(world.alice, add_closure, world.programme, "Spring break", date(2026, 3, 5), date(2026, 3, 6))
    world.add(TimeOff, person_id=world.tom, starts_at=TEN - DAY, ends_at=TEN + DAY + 14 * HOUR)
    open_screen(world.ben, "calendar", view="month", day="2026-03-03", practitioner="Tom")

    def days(which: str) -> list[str]:
        return [each["start"][8:] for each in frame.events
                if each.get("classNames") == [which] and each["start"].startswith("2026-03")]

    shut = [f"{day:02}" for day in range(1, 32) if date(2026, 3, day).weekday() == 6 or day in (5, 6)]
    assert days("shut") == shut
    assert "02" in days("free")
    assert not {"03", *shut} & {*days("free")}
    assert {each["display"] for each in frame.events if each.get("allDay")} == {"background"}


@pytest.mark.parametrize(("locale", "monday", "title"), [
    ("en-GB", 1, "2–8 Mar 2026"), ("en-US", 0, "Mar 1 – 7, 2026"), ("de-DE", 1, "2.–8. März 2026"),
    ("xx-nonsense", 1, "2–8 Mar 2026"), (None, 1, "2–8 Mar 2026"),
])
def test_weeks_and_words_are_those_of_the_browser(
    world: World, open_screen: Opener, frame: Frame, monkeypatch: pytest.MonkeyPatch, locale: str | None, monday: int,
    title: str,
) -> None:
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.locale", locale)
    tab = open_screen(world.ben, "calendar", view="week", day="2026-03-04")
    assert (frame.options["firstDay"], tab.header[0].value.replace("\u2009", " ")) == (monday, title)


def test_x3_times_are_those_of_the_viewers_zone(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    world.raw(lambda work: work.tx.execute(
        update(Person).where(Person.id == world.ben).values(zone="America/New_York")) and None)
    tab = open_screen(world.ben, "calendar", view="week")
    assert frame.sessions[str(session)]["start"] == "2026-03-03T05:00:00"
    assert "America/New York (EST)" in texts(tab)
    does(tab, frame, drag(session, "2026-03-03T06:00:00Z", "2026-03-03T07:00:00Z", before="2026-03-03T05:00:00Z"))
    assert world.fact(session, "starts_at") == TEN + HOUR


def test_views_turn_and_stand_in_the_address(world: World, open_screen: Opener, frame: Frame) -> None:
    tab = open_screen(world.ben, "calendar", view="month", day="2026-01-31")
    assert frame.options["visibleRange"] == {"start": "2026-01-01", "end": "2026-02-01"}
    tab.button(key="calendar-later").click().run()
    assert said(tab) == ("month", "2026-02-01")
    tab.button_group(key="calendar-view").set_value("day").run()
    assert said(tab) == ("day", "2026-02-01")
    tab.button(key="calendar-earlier").click().run()
    assert said(tab) == ("day", "2026-01-31")
    tab.button(key="calendar-today").click().run()
    assert said(tab) == ("day", "2026-03-02")
    opened(tab, "calendar-go-to").date_input(key="calendar-day").set_value(date(2026, 5, 6)).run()
    assert frame.options["visibleRange"] == {"start": "2026-05-06", "end": "2026-05-07"}


@pytest.mark.parametrize("address", [
    {"view": "year"}, {"day": "yesterday"}, {"day": "1066-10-14"}, {"view": "month", "day": "2099-12-31"},
    {"view": "week", "day": "2000-01-01"}, {"view": "list", "day": "2099-12-31"},
    {"view": "month", "day": "9999-01-01"},
])
def test_an_address_beyond_the_calendar_opens_it(
    world: World, open_screen: Opener, frame: Frame, address: dict[str, str]
) -> None:
    tab = open_screen(world.ben, "calendar", **address)
    assert not tab.exception, tab.exception
    tab.button(key="calendar-later").click().run()
    tab.button(key="calendar-earlier").click().run()
    assert not tab.exception, tab.exception


def test_the_list_says_the_same_and_opens_it(
    world: World, open_screen: Opener, frame: Frame, session: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "LISTED", 2)
    world.book_many([world.booking(practitioner=world.tess, starts_at=TEN + (n + 1) * DAY) for n in range(3)])
    tab = open_screen(world.ben, "calendar", view="list")
    assert [each.value for each in tab.subheader] == ["Tuesday, 3 March 2026", "Wednesday, 4 March 2026"]
    assert tab.button(key=f"calendar-open-{session}").label.startswith("**10:00–11:00** Sara with Tom")
    tab.button(key="calendar-more").click().run()
    assert len(tab.subheader) == 4
    tab.button(key=f"calendar-open-{session}").click().run()
    assert "about the move" in texts(tab)
    beside = opened(open_screen(world.ben, "calendar", view="week"), "calendar-beside")
    assert beside.button(key=f"calendar-open-{session}").label.startswith("**10:00–11:00** Sara with Tom")


def test_an_empty_list_says_what_to_do(world: World, open_screen: Opener, frame: Frame) -> None:
    tab = open_screen(world.ben, "calendar", view="list", practitioner="Tom")
    assert "No sessions in these days match these filters" in texts(tab)
    tab.button(key="show-all").click().run()
    assert "No sessions in these days." in texts(tab)


def test_the_screen_asks_the_same_number_of_queries_at_1_and_at_50_sessions(
    world: World, open_screen: Opener, frame: Frame, session: int
) -> None:
    tab = open_screen(world.tom, "calendar", view="month")

    def cost() -> int:
        with statements(world.engine) as sent:
            tab.run()
        assert not tab.exception
        return len(sent)

    one = cost()
    world.book_many([
        world.booking(practitioner=world.tom, starts_at=TEN + (n // 6 + 1) * DAY + n % 6 * HOUR, reason="many")
        for n in range(49)
    ])
    assert cost() == one
    assert len(frame.sessions) == 50

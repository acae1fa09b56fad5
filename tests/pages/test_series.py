"""C10: Repeat in the booking form, the planner, and a series on the worksheet."""

from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.series.commands import book_series
from core.series.rules import Choice, Rule, What
from db.models.series import Series, SeriesSkip
from db.models.sessions import Session
from db.words import Every
from tests.factories import DAY, HOUR, TEN, World
from tests.pages.conftest import Opener, texts
from tests.pages.test_book import fill, press, problem, sessions, whole

WEEK = 7 * DAY
TUESDAY = TEN.date()


def repeated(tab: AppTest, world: World, times: int = 4, **more: Any) -> AppTest:
    """A booking of Tom with Sara, to be repeated weekly."""
    whole(tab, world)
    tab.toggle(key="book:repeat").set_value(True).run()
    tab.number_input(key="book:times").set_value(times)
    return fill(tab, **more)


def starts(world: World) -> list[Any]:
    return world.all(select(Session.starts_at).where(Session.series_id.is_not(None)).order_by(Session.series_day))


def choose(tab: AppTest, day: date, way: What) -> AppTest:
    tab.selectbox(key=f"book:plan-what-{day}").set_value(way).run()
    assert not tab.exception, tab.exception
    return tab


def test_c10_repeat_is_off_and_asks_nothing_then(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "book")
    assert not tab.toggle(key="book:repeat").value
    assert not [each for each in tab.number_input if each.key == "book:times"]


def test_c10_a_clash_is_shown_and_moved_to_the_time_offered(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + WEEK)
    tab = press(repeated(open_screen(world.ben, "book"), world), "book-plan")
    assert "**4 dates**: 3 OK, 1 clash" in texts(tab)
    assert "Tom is busy" in texts(tab)
    assert sessions(world) == 1
    assert tab.button(key="plan-book").disabled
    choose(tab, TUESDAY + WEEK, What.MOVE)
    assert "**4 dates**: 4 OK" in texts(tab)
    press(tab, "plan-book")
    assert starts(world)[:2] == [TEN, TEN + WEEK + HOUR]
    assert len(starts(world)) == 4
    assert "Booked 4 sessions, weekly on Tuesday" in texts(tab)
    assert "1 of 4" in texts(tab)


def test_c10_back_keeps_everything_typed(world: World, open_screen: Opener) -> None:
    tab = repeated(open_screen(world.ben, "book"), world, description="Fractions")
    press(press(tab, "book-plan"), "plan-back")
    assert tab.text_input(key="book:description").value == "Fractions"
    assert tab.number_input(key="book:times").value == 4
    assert tab.toggle(key="book:repeat").value
    assert tab.session_state["book:practitioner"] == world.tom


@pytest.mark.parametrize(("more", "sentence"), [
    ({"times": None}, "Say until when"), ({"times": 521}, "A number from 1 to 520."),
    ({"date": ""}, "Choose a date"), ({"time": "25:00"}, "This is no time."), ({"number": 7}, "Leave it empty"),
    ({"minutes": 10**15}, "A duration is a multiple of 5 minutes"), ({"minutes": None}, "A duration is"),
    ({"minutes": 7}, "A duration is a multiple of 5 minutes"),
])
def test_c10_what_is_missing_is_said_beside_its_field(
    world: World, open_screen: Opener, more: dict[str, Any], sentence: str
) -> None:
    times = more.pop("times", 4)
    tab = press(repeated(open_screen(world.ben, "book"), world, times, **more), "book-plan")
    assert problem(tab, sentence)
    assert tab.button(key="book-plan")


def test_c10_all_with_problems_are_skipped_in_one_click(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + WEEK)
    tab = press(repeated(open_screen(world.ben, "book"), world), "book-plan")
    press(tab, "plan-skip-all")
    assert "3 OK, 1 skipped" in texts(tab)
    press(tab, "plan-book")
    assert world.all(select(SeriesSkip.reason)) == ["Somebody is busy then."]
    assert len(starts(world)) == 3


def test_c10_somebody_else_leads_one_of_them(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + WEEK)
    tab = press(repeated(open_screen(world.ben, "book"), world), "book-plan")
    choose(tab, TUESDAY + WEEK, What.OTHER)
    press(tab, "plan-book")
    assert world.all(select(Session.practitioner_id).where(Session.series_id.is_not(None))
                     .order_by(Session.series_day)) == [world.tom, world.tess, world.tom, world.tom]


def test_c10_a_skipped_hour_is_said_in_its_row(world: World, open_screen: Opener) -> None:
    world.policy(open_hours=[(0, 1440)] * 7)
    tab = repeated(open_screen(world.ben, "book"), world, 2, date=date(2026, 3, 22), time=time(1, 30))
    press(tab, "book-plan")
    assert "does not exist that day" in texts(tab)


def test_c10_260_dates_come_in_pages(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 30 * WEEK - HOUR)
    tab = press(repeated(open_screen(world.ben, "book"), world, 260), "book-plan")
    assert "**260 dates**: 259 OK, 1 clash" in texts(tab)
    assert len([each for each in tab.selectbox if str(each.key).startswith("book:plan-what")]) == 20
    tab.toggle(key="book:plan-only").set_value(True).run()
    assert len([each for each in tab.selectbox if str(each.key).startswith("book:plan-what")]) == 1
    press(press(tab, "plan-move-all"), "plan-book")
    assert len(starts(world)) == 260


def test_c10_monthly_offers_the_date_and_the_weekday(world: World, open_screen: Opener) -> None:
    tab = repeated(open_screen(world.ben, "book"), world, 3)
    tab.segmented_control(key="book:every").set_value(Every.MONTH).run()
    tab.segmented_control(key="book:monthly").set_value(1).run()
    press(press(tab, "book-plan"), "plan-book")
    assert [at.date() for at in starts(world)] == [date(2026, 3, 3), date(2026, 4, 7), date(2026, 5, 5)]


# On the worksheet ----------------------------------------------------------------------------------------------------


def a_series(world: World, choices: Any = None) -> list[int]:
    rule = Rule(Every.WEEK, TUESDAY, time(10), 60, "Europe/London", times=4)
    booking = world.booking(practitioner=world.tom, learner=world.sara)
    return list(world.do(world.ben, book_series, booking, rule, choices).result)


def panel(tab: AppTest, which: str, session: int) -> AppTest:
    from ui import session_panels  # the menu is not driven by AppTest
    assert session_panels.PANELS[which]
    tab.session_state["panel:open"] = (f"session-{which}", (session,))
    tab.session_state["panel:key"] = "k"
    tab.run()
    assert not tab.exception, tab.exception
    return tab


def test_c10_a_skipped_day_can_be_tried_again(world: World, open_screen: Opener) -> None:
    ids = a_series(world, {TUESDAY + WEEK: Choice(What.SKIP, "trip")})
    tab = open_screen(world.sara, "worksheet", session=ids[0])
    assert "trip" in texts(tab)
    assert not [each for each in tab.button if str(each.key).startswith("series-again")]
    tab = open_screen(world.ben, "worksheet", session=ids[0])
    press(tab, f"series-again-{TUESDAY + WEEK}")
    assert len(starts(world)) == 4
    assert "1 of 4" in texts(tab)


def test_c10_cancelling_this_and_following_shows_which(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[2]), "cancel", ids[2])
    form = f"cancel-{ids[2]}"
    tab.text_area(key=f"{form}:reason").set_value("ill").run()
    tab.segmented_control(key=f"{form}:scope").set_value("this and following").run()
    assert "scheduled → cancelled" in texts(tab)
    assert tab.button(key=f"{form}:send").label == "Cancel 2 sessions"
    press(tab, f"{form}:send")
    assert [world.fact(one, "cancelled_at") is not None for one in ids] == [False, False, True, True]


def test_c10_moving_all_moves_each_by_the_clock(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[1]), "reschedule", ids[1])
    form = f"reschedule-{ids[1]}"
    tab.text_input(key=f"{form}:time").set_value("11:00").run()
    tab.segmented_control(key=f"{form}:scope").set_value("all").run()
    assert tab.button(key=f"{form}:send").label == "Move 4 sessions"
    press(tab, f"{form}:send")
    assert starts(world) == [TEN + HOUR, TEN + WEEK + HOUR, TEN + 2 * WEEK + HOUR, TEN + 3 * WEEK + HOUR]


def test_x1_moving_all_out_of_hours_asks_for_a_reason(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[1]), "reschedule", ids[1])
    form = f"reschedule-{ids[1]}"
    tab.text_input(key=f"{form}:time").set_value("05:00").run()
    tab.segmented_control(key=f"{form}:scope").set_value("all").run()
    assert tab.button(key=f"{form}:send").disabled
    tab.text_input(key=f"{form}:series-reason").set_value("exam week").run()
    press(tab, f"{form}:send")
    assert starts(world)[0] == TEN - 5 * HOUR


def test_c10_all_that_follow_are_reassigned(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[1]), "reassign", ids[1])
    form = f"reassign-{ids[1]}"
    tab.session_state[f"{form}:practitioner"] = world.tess
    tab.segmented_control(key=f"{form}:scope").set_value("this and following").run()
    assert tab.button(key=f"{form}:send").label == "Reassign 3 sessions"
    press(tab, f"{form}:send")
    assert [world.fact(one, "practitioner_id") for one in ids] == [world.tom, *[world.tess] * 3]
    assert [world.fact(one, "moved_at") for one in ids] == [None] * 4


def test_c10_one_alone_asks_no_scope(world: World, open_screen: Opener) -> None:
    alone = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = panel(open_screen(world.ben, "worksheet", session=alone), "cancel", alone)
    assert not [each for each in tab.segmented_control if str(each.key).endswith(":scope")]
    assert world.one(select(func.count()).select_from(Series)) == 0


def test_c10_all_that_follow_take_place_somewhere_else(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[1]), "venue", ids[1])
    form = f"venue-{ids[1]}"
    tab.segmented_control(key=f"{form}:scope").set_value("this and following").run()
    assert tab.button(key=f"{form}:send").disabled
    assert "It takes place there already" in texts(tab)
    tab.text_input(key=f"{form}:location").set_value("Library").run()
    assert "Tue 10 Mar 2026, 10:00 · nowhere in particular → Library" in texts(tab)
    assert tab.button(key=f"{form}:send").label == "Change 3 sessions"
    press(tab, f"{form}:send")
    assert [world.fact(one, "location") for one in ids] == [None, "Library", "Library", "Library"]


def test_c10_all_that_follow_leave_the_calendar_once_shown(world: World, open_screen: Opener) -> None:
    ids = a_series(world)
    tab = panel(open_screen(world.ben, "worksheet", session=ids[2]), "reschedule", ids[2])
    form = f"reschedule-{ids[2]}"
    tab.segmented_control(key=f"{form}:scope").set_value("this and following").run()
    press(tab, f"{form}:off")
    assert "→ off the calendar" in texts(tab)
    assert not [each for each in tab.text_input if each.key == f"{form}:date"]
    press(tab, f"{form}:back")
    assert tab.text_input(key=f"{form}:date").value == "2026-03-17"
    press(tab, f"{form}:off")
    assert tab.button(key=f"{form}:off-several").label == "Take 2 sessions off the calendar"
    press(tab, f"{form}:off-several")
    assert [world.fact(one, "starts_at") is None for one in ids] == [False, False, True, True]

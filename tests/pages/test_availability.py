"""*Availability*, closures, and whom nobody can book: who sees whose hours, every panel, and what a change affects."""

from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete
from streamlit.testing.v1 import AppTest

from core.availability.commands import Whose, Window, add_closure, save_day, save_weekly_hours
from core.availability.hours import closures, exceptions, own_limits, time_off, weekly_hours
from core.permissions import Action
from db.models.availability import WeeklyWindow
from tests.factories import DAY, HOUR, TEN, World
from tests.pages.conftest import Opener, texts

TODAY = date(2026, 3, 2)
MONDAY = (0, 9 * 60, 17 * 60)


def _said(tab: AppTest) -> str:
    tables = "\n".join(str(table.value.to_dict()) for table in tab.dataframe)
    pictures = "\n".join(str(each.proto.body) for each in tab.get("html"))
    return f"{texts(tab)}\n{tables}\n{pictures}".replace("\\", "")


def _press(tab: AppTest, key: str) -> AppTest:
    found = [each for each in tab.button if str(each.key) == key or str(each.key).endswith(f":{key}")]
    found[-1].click().run()  # panels are drawn last
    assert not tab.exception
    return tab


def _field(tab: AppTest, name: str) -> Any:
    return [each for kind in (tab.text_input, tab.selectbox, tab.radio, tab.number_input) for each in kind
            if str(each.key).endswith(f":{name}")][-1]


def _type(tab: AppTest, **said: Any) -> AppTest:
    for name, value in said.items():
        _field(tab, name.replace("__", ".")).set_value(value).run()
        assert not tab.exception
    return tab


def _hours_of(world: World, person: int, timetable: int | None = None) -> list[Window]:
    with world.reading(world.alice) as work:
        return [each.window for each in weekly_hours(work, Whose(world.programme, person, timetable))]


def _no_hours(world: World, *people: int) -> None:
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.person_id.in_(people))) and None)


def _weekdays(world: World, person: int) -> None:
    """Nine to five from Monday to Friday."""
    windows = [Window(day, 9 * 60, 17 * 60, "Europe/London") for day in range(5)]
    world.do(world.alice, save_weekly_hours, Whose(world.programme, person), windows)


def _asks(tab: AppTest) -> bool:
    return any(str(each.key).endswith(":anyway") for each in tab.button)


# Who sees what -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "has"),
    [("alice", True), ("ben", True), ("cora", True), ("tom", True), ("cuno", False), ("mona", False), ("sara", False),
     ("gus", False), ("lena", False)],
)
def test_b11_the_menu_has_it_for_those_who_keep_hours(world: World, open_screen: Opener, who: str, has: bool) -> None:
    with nullcontext() if has else pytest.raises(ValueError, match="Could not find a navigation page"):
        tab = open_screen(getattr(world, who), "availability")
        assert not tab.exception
        assert tab.title[0].value == "Availability"


def test_a_custom_manager_with_the_right_ticked_has_it_too(world: World, open_screen: Opener) -> None:
    world.tick(Action.AVAILABILITY_EDIT)
    assert "Tom" in _said(open_screen(world.cuno, "availability"))


def test_b11_a_practitioner_sees_their_own_whatever_the_address_says(world: World, open_screen: Opener) -> None:
    _weekdays(world, world.tess)
    tab = open_screen(world.tom, "availability", whose=world.tess)
    assert "00:00–24:00" in _said(tab)
    assert "Tess" not in _said(tab)
    assert not [each for each in tab.button if each.key == "hours-limits-open"]


def test_an_address_that_names_nobody_shows_everybody(world: World, open_screen: Opener) -> None:
    for whose in (world.sara, world.zed, 999_999, "x"):
        tab = open_screen(world.alice, "availability", whose=whose)
        assert not tab.exception
        assert "can be booked" in _said(tab)


def test_who_has_no_hours_is_told_plainly(world: World, open_screen: Opener) -> None:
    assert "nobody can book" not in _said(open_screen(world.alice, "availability"))
    _no_hours(world, world.tom)
    tab = open_screen(world.alice, "availability")
    assert "1 coach has no hours, so nobody can book them." in _said(tab)
    assert "not bookable" in _said(tab)
    _press(tab, f"whose-{world.tom}")
    assert "has no hours yet, so nobody can book them" in _said(tab)


def test_home_tells_those_who_can_mend_it(world: World, open_screen: Opener) -> None:
    _no_hours(world, world.tom, world.tess)
    for who in (world.alice, world.ben):
        assert "2 coaches have no hours, so nobody can book them." in _said(open_screen(who, "home"))
    said = _said(open_screen(world.tom, "home"))
    assert "You have no hours yet, so nobody can book you." in said
    assert "Tess" not in said
    for who in (world.mona, world.sara, world.gus, world.lena, world.cuno):
        assert "no hours" not in _said(open_screen(who, "home"))


# The week ----------------------------------------------------------------------------------------------------------


def test_a_week_is_typed_and_saved_and_undone(world: World, open_screen: Opener) -> None:
    _no_hours(world, world.tom)
    tab = open_screen(world.tom, "availability")
    _press(tab, "hours-week-open-0")
    _type(tab, day__0="9-12:30, 2 pm to 5 pm")
    assert _field(tab, "day.0").value == "09:00–12:30, 14:00–17:00"
    _press(tab, "copy")
    _type(tab, day__4="")
    _press(tab, "save")
    assert "Saved the hours of Tom" in _said(tab)
    listed = _hours_of(world, world.tom)
    assert {each.weekday for each in listed} == {0, 1, 2, 3}
    assert {(each.from_minute, each.until_minute) for each in listed} == {(540, 750), (840, 1020)}
    assert {(each.zone, each.from_day, each.until_day) for each in listed} == {("Europe/London", TODAY, None)}
    assert "09:00–12:30, 14:00–17:00" in _said(tab)
    _press(tab, "feedback-undo")
    assert _hours_of(world, world.tom) == []


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("nine to five", "These are no hours."), ("9", "These are no hours."), ("17-9", "Hours end after they begin"),
     ("9:02-10", "steps of 5 minutes"), ("9-25", "These are no hours."), ("9--10", "These are no hours."),
     ("<b>", "These are no hours."), ("9-12-15", "These are no hours.")],
)
def test_what_is_no_hours_stays_typed_with_its_sentence(
    world: World, open_screen: Opener, typed: str, problem: str
) -> None:
    before = _hours_of(world, world.tom)
    tab = _press(open_screen(world.tom, "availability"), "hours-week-open-0")
    _type(tab, day__2=typed)
    assert problem in _said(tab)
    _press(tab, "save")
    assert problem in _said(tab)
    assert _field(tab, "day.2").value == typed
    assert _hours_of(world, world.tom) == before


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [("from_day", "", "Choose a day."), ("from_day", "soon", "This is no date."),
     ("until_day", "2026-03-01", "The last day has to be after the first."), ("until_day", "1999-01-01", "from 2000")],
)
def test_bad_days_of_a_week(world: World, open_screen: Opener, field: str, typed: str, problem: str) -> None:
    tab = _press(open_screen(world.tom, "availability"), "hours-week-open-0")
    _type(tab, **{field: typed})
    _press(tab, "save")
    assert problem in _said(tab)
    assert len(_hours_of(world, world.tom)) == 7


def test_b13_the_sessions_outside_are_shown_before_a_week_is_saved(world: World, open_screen: Opener) -> None:
    number = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = open_screen(world.alice, "availability", whose=world.tom)
    _press(tab, "hours-week-open-0")
    _type(tab, day__1="14-17")
    _press(tab, "save")
    assert "1 session ahead will lie outside these hours. It stays booked." in _said(tab)
    assert f"[Tue 3 Mar 2026, 10:00–11:00](worksheet?session={number}) · Tom" in _said(tab)
    assert "Sara" in _said(tab)
    assert len(_hours_of(world, world.tom)) == 7
    _press(tab, "back")
    assert not _asks(tab)
    _press(tab, "save")
    _type(tab, day__1="14-18")
    assert not _asks(tab)
    _press(tab, "save")
    _press(tab, "anyway")
    assert "1 session ahead lies outside now; it stays booked." in _said(tab)
    assert [(each.from_minute, each.until_minute) for each in _hours_of(world, world.tom)
            if each.weekday == 1 and each.until_day is None] == [(14 * 60, 18 * 60)]
    _press(tab, "feedback-undo")
    assert len(_hours_of(world, world.tom)) == 7


def test_hours_from_a_day_on_leave_those_before_and_are_seen_by_turns(world: World, open_screen: Opener) -> None:
    _weekdays(world, world.tom)
    tab = _press(open_screen(world.tom, "availability"), "hours-week-open-0")
    _type(tab, day__0="10-12", from_day="1 Jun", until_day="2026-08-31")
    _press(tab, "save")
    mondays = sorted((each.from_day, each.until_day, each.from_minute) for each in _hours_of(world, world.tom)
                     if each.weekday == 0)
    assert [(until, start) for _, until, start in mondays] == [
        (date(2026, 5, 31), 540), (date(2026, 8, 31), 600), (None, 540)]
    assert len(_hours_of(world, world.tom)) == 7
    turns = tab.get("button_group")[0]
    assert [option.content for option in turns.proto.options] == [
        "Now", "From Mon 1 Jun 2026", "From Tue 1 Sep 2026"]


def test_a_week_that_somebody_else_changed_meanwhile_is_shown_side_by_side(
    world: World, open_screen: Opener
) -> None:
    tab = _press(open_screen(world.tom, "availability"), "hours-week-open-0")
    _type(tab, day__5="")
    _weekdays(world, world.tom)
    _press(tab, "save")
    assert "were changed by somebody else" in _said(tab)
    assert len(_hours_of(world, world.tom)) == 5
    _press(tab, "theirs")
    assert _field(tab, "day.0").value == "09:00–17:00"


def test_b6_the_owner_of_a_timetable_keeps_its_own_hours(world: World, open_screen: Opener) -> None:
    tab = _press(open_screen(world.tom, "availability"), f"hours-week-open-{world.toms_own}")
    _type(tab, day__2="14-16")
    _press(tab, "save")
    assert [(each.weekday, each.from_minute, each.until_minute) for each in
            _hours_of(world, world.tom, world.toms_own)] == [(2, 840, 960)]
    assert len(_hours_of(world, world.tom)) == 7
    assert "Hatched hours are booked through that timetable alone." in _said(tab)


# Other days, time off, limits --------------------------------------------------------------------------------------


def test_b13_a_day_of_its_own_and_back(world: World, open_screen: Opener) -> None:
    _weekdays(world, world.tom)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = _press(open_screen(world.alice, "availability", whose=world.tom), "hours-day-add")
    _press(tab, "save")
    assert "Choose a day." in _said(tab)
    assert "Write the hours of that day" in _said(tab)
    _type(tab, date="2026-03-03", what="No hours that day")
    _press(tab, "save")
    assert "1 session ahead will lie outside" in _said(tab)
    _press(tab, "anyway")
    assert "Tue 3 Mar 2026 has no hours for Tom" in _said(tab)
    whose = Whose(world.programme, world.tom)
    with world.reading(world.alice) as work:
        assert [(each.day, each.hours) for each in exceptions(work, whose, TODAY)] == [(date(2026, 3, 3), ())]
    _press(tab, "day-change-0-2026-03-03")
    _type(tab, what="Other hours that day")
    _type(tab, hours="8-11")
    _press(tab, "save")
    assert "08:00–11:00" in _said(tab)
    _press(tab, "day-remove-0-2026-03-03")
    with world.reading(world.alice) as work:
        assert exceptions(work, whose, TODAY) == []


def test_b13_a_day_that_was_longer_asks_before_it_is_as_usual_again(world: World, open_screen: Opener) -> None:
    _weekdays(world, world.tom)
    whose = Whose(world.programme, world.tom)
    world.do(world.tom, save_day, whose, date(2026, 3, 3), [(8 * 60, 20 * 60)])
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 8 * HOUR)
    tab = _press(open_screen(world.tom, "availability"), "day-remove-0-2026-03-03")
    assert _asks(tab)
    with world.reading(world.tom) as work:
        assert exceptions(work, whose, TODAY)
    _press(tab, "anyway")
    with world.reading(world.tom) as work:
        assert exceptions(work, whose, TODAY) == []


def test_b13_time_off_in_whole_days_or_hours(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = _press(open_screen(world.tom, "availability"), "hours-off-add")
    _press(tab, "save")
    assert "Choose a day." in _said(tab)
    _type(tab, **{"from": "3 Mar", "until": "5 Mar", "reason": "Course"})
    _press(tab, "save")
    assert "1 session ahead will lie outside" in _said(tab)
    _press(tab, "anyway")
    assert "**Tue 3 Mar 2026 – Thu 5 Mar 2026** · Course" in _said(tab)
    with world.reading(world.tom) as work:
        off = time_off(work, world.tom, world.now)[0]
    assert (off.starts_at, off.ends_at) == (TEN - 10 * HOUR, TEN - 10 * HOUR + 3 * DAY)
    _press(tab, "hours-off-add")
    _type(tab, **{"from": "2026-03-10", "from__time": "13", "until__time": "12"})
    _press(tab, "save")
    assert "The end has to be after the beginning." in _said(tab)
    _type(tab, until__time="15:30")
    _press(tab, "save")
    assert "Tue 10 Mar 2026, 13:00–15:30" in _said(tab)
    _press(tab, f"off-remove-{off.id}")
    assert "Course" not in _said(tab)


def test_b12_limits_of_ones_own_are_for_staff(world: World, open_screen: Opener) -> None:
    tab = _press(open_screen(world.alice, "availability", whose=world.tom), "hours-limits-open")
    _type(tab, buffer_after=7, most_a_day=3)
    _press(tab, "save")
    assert "A whole number in steps of 5" in _said(tab)
    _type(tab, buffer_after=10)
    _press(tab, "save")
    with world.reading(world.alice) as work:
        assert own_limits(work, world.programme, world.tom) == {
            "buffer_before": None, "buffer_after": 10, "most_a_day": 3, "most_a_week": None}
    assert "Most sessions a day: **3** (their own)" in _said(tab)


def test_b13_limits_of_ones_own_show_what_they_leave_outside(world: World, open_screen: Opener) -> None:
    for at in (TEN, TEN + 3 * HOUR):
        world.book(practitioner=world.tom, learner=world.sara, starts_at=at)
    tab = _press(open_screen(world.alice, "availability", whose=world.tom), "hours-limits-open")
    _type(tab, most_a_day=1)
    _press(tab, "save")
    assert "1 session ahead will lie outside these rules. It stays booked." in _said(tab)
    assert "at most 1 a day" in _said(tab)
    _press(tab, "anyway")
    assert "1 session ahead lies outside now; it stays booked." in _said(tab)
    assert "Most sessions a day: **1** (their own)" in _said(tab)


# Closures ----------------------------------------------------------------------------------------------------------


def test_b13_closures_are_kept_in_the_settings(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = _press(open_screen(world.alice, "programme"), "closure-add")
    _press(tab, "save")
    assert "Choose a day." in _said(tab)
    _type(tab, first_day="2026-03-03", last_day="2026-03-01")
    _press(tab, "save")
    assert "Say what it is closed for." in _said(tab)
    assert "The last day has to be after the first." in _said(tab)
    _type(tab, name="Spring break", last_day="4 Mar")
    _press(tab, "save")
    assert "1 session ahead will lie outside" in _said(tab)
    _press(tab, "anyway")
    assert "Closed for Spring break." in _said(tab)
    with world.reading(world.alice) as work:
        closed = closures(work, world.programme, TODAY)[0]
    assert (closed.first_day, closed.last_day) == (date(2026, 3, 3), date(2026, 3, 4))
    assert "Spring break" in _said(open_screen(world.tom, "availability"))
    _press(tab, "feedback-undo")
    with world.reading(world.alice) as work:
        assert closures(work, world.programme, TODAY) == []


def test_closures_are_for_whoever_runs_the_programme(world: World, open_screen: Opener) -> None:
    world.do(world.alice, add_closure, world.programme, "Spring break", TODAY, TODAY)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_screen(world.cora, "programme")
    world.policy(holidays_country="GB", holidays_region="ENG")
    assert "Boxing Day" in _said(open_screen(world.alice, "programme"))

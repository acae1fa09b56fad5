"""C10, X3: the days of a rule, against a plain way of counting them; and their instants across a change of clocks."""

from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.series.rules import LAST, MOST, Rule, nths, occurrences
from db.words import Every

DAY = timedelta(days=1)
TUESDAY = date(2026, 3, 3)


def rule(every: Every = Every.WEEK, first: date = TUESDAY, **given: Any) -> Rule:
    at = given.pop("at", time(9))
    if "until" not in given:
        given.setdefault("times", 10)
    return Rule(every, first, at, 60, given.pop("zone", "Europe/London"), **given)


def plainly(it: Rule, last: date) -> list[date]:
    """Every day from the first on, asked one by one whether it belongs."""
    first, found, day = it.first_day, [], it.first_day
    monday = first - DAY * first.weekday()
    while day <= last:
        on = it.weekdays or ((day.weekday(),) if it.every is Every.DAY else (first.weekday(),))
        if it.every is Every.MONTH:
            same = day.weekday() == first.weekday()
            belongs = day.day == first.day if it.nth is None else same and (
                (day + 7 * DAY).month != day.month if it.nth == LAST else (day.day - 1) // 7 + 1 == it.nth)
        else:
            weeks = (day - monday).days // 7
            belongs = day.weekday() in on and (it.every is not Every.FORTNIGHT or weeks % 2 == 0)
        if belongs:
            found.append(day)
        day += DAY
    return found


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(Every), st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sets(st.integers(0, 6)), st.sampled_from([None, 1, 2, 3, 4, LAST]), st.integers(0, 500), st.integers(1, 60),
)
def test_c10_the_days_are_those_that_a_plain_count_finds(
    every: Every, first: date, weekdays: set[int], nth: int | None, days: int, times: int
) -> None:
    on = () if every is Every.MONTH else tuple(weekdays)
    by_day = rule(every, first, weekdays=on, nth=nth, until=first + days * DAY)
    if expected := plainly(by_day, first + days * DAY):
        assert by_day.days() == expected
    else:
        with pytest.raises(Invalid, match="No such day"):
            by_day.days()
    by_count = rule(every, first, weekdays=on, nth=nth, times=times)
    assert by_count.days() == plainly(by_count, first + 4000 * DAY)[:times]


def test_x3_nine_o_clock_stays_nine_across_a_change_of_clocks() -> None:
    zone = ZoneInfo("Europe/London")
    found = occurrences(rule(times=8))
    assert {each.starts_at.astimezone(zone).time() for each in found} == {time(9)}
    assert {each.starts_at.utcoffset() for each in found} == {timedelta(0)}
    assert len({each.starts_at.time() for each in found}) == 2


def test_x3_an_hour_that_is_skipped_or_comes_twice_is_said_in_its_row() -> None:
    sundays = occurrences(rule(first=date(2026, 3, 22), at=time(1, 30), times=2))
    assert [each.remark is not None for each in sundays] == [False, True]
    assert "does not exist" in (sundays[1].remark or "")
    october = occurrences(rule(first=date(2026, 10, 25), at=time(1, 30), times=1))
    assert "comes twice" in (october[0].remark or "")


def test_c10_a_month_without_a_thirty_first_has_no_date_then() -> None:
    found = rule(Every.MONTH, date(2026, 1, 31), times=4).days()
    assert found == [date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31), date(2026, 7, 31)]


@pytest.mark.parametrize(("given", "field"), [
    ({"times": 0}, "times"), ({"times": MOST + 1}, "times"), ({"until": TUESDAY - DAY}, "until"),
    ({"until": TUESDAY, "times": 3}, "until"), ({"times": None}, "until"), ({"weekdays": (7,)}, "weekdays"),
    ({"every": Every.DAY, "until": TUESDAY + 600 * DAY}, "until"), ({"first": date(1999, 1, 1)}, "date"),
    ({"every": Every.MONTH, "first": date(2026, 1, 31), "times": 520}, "times"), ({"nth": 9}, "monthly"),
])
def test_c10_what_is_no_rule_is_said_beside_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rule(**given).days()
    assert list(refused.value.problems) == [field]


def test_c10_a_rule_in_words() -> None:
    assert rule(weekdays=(3, 0)).words() == "weekly on Monday and Thursday"
    assert rule(Every.MONTH).words() == "monthly on day 3"
    assert rule(Every.MONTH, nth=1).words() == "monthly on the first Tuesday"
    assert nths(date(2026, 3, 31)) == {LAST: "the last Tuesday"}
    assert nths(date(2026, 3, 24)) == {4: "the fourth Tuesday"}

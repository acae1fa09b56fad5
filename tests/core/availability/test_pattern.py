"""Hours as they are typed, and weekly hours over the course of time."""

from datetime import date

import pytest

from core.availability.commands import Window
from core.availability.pattern import holding, periods, replaced
from core.clock import hours_typed
from core.errors import Invalid

LONDON = "Europe/London"
EARLY = Window(0, 540, 720, LONDON)
LATE = Window(0, 840, 1020, LONDON)
JUNE, AUGUST = date(2026, 6, 1), date(2026, 8, 31)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("", []), ("9-12", [(540, 720)]), ("9–12:30, 14 to 17", [(540, 750), (840, 1020)]),
     ("14:00-17:00; 9am-12pm", [(540, 720), (840, 1020)]), ("9-5 pm", [(540, 1020)]), ("18-24", [(1080, 1440)]),
     ("18 until 0:00 and 9-10", [(540, 600), (1080, 1440)]), ("17-9", [(1020, 540)])],
)
def test_x3_hours_are_read_as_people_write_them(text: str, minutes: list[tuple[int, int]]) -> None:
    assert hours_typed(text) == minutes


@pytest.mark.parametrize("text", ["nine", "9", "9-12-15", "9-25", "-9", "9-", "9--10", "9:60-10", "٩-١٢", "9-12 14-17"])
def test_what_is_no_hours(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, the form has its own sentence
        hours_typed(text)


def test_hours_for_a_summer_leave_those_before_and_after() -> None:
    windows = replaced([EARLY], [LATE], JUNE, AUGUST)
    assert periods(windows, date(2026, 3, 2)) == [date(2026, 3, 2), JUNE, date(2026, 9, 1)]
    for day, minute in ((date(2026, 5, 31), 540), (JUNE, 840), (AUGUST, 840), (date(2026, 9, 1), 540)):
        assert [each.from_minute for each in holding(windows, day)] == [minute]


def test_what_goes_on_as_it_was_stays_one_window() -> None:
    assert replaced([EARLY, LATE], [EARLY], JUNE) == [EARLY, Window(0, 840, 1020, LONDON, until_day=date(2026, 5, 31))]
    summer = replaced([EARLY], [LATE], JUNE, AUGUST)
    assert replaced(summer, [EARLY], JUNE, AUGUST) == [EARLY]


def test_the_last_day_is_not_before_the_first() -> None:
    with pytest.raises(Invalid, match="after the first"):
        replaced([EARLY], [LATE], AUGUST, JUNE)

"""Weekly hours over the course of time: what holds on a day, and what replaces it from a day on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from core.availability.commands import Window
from core.clock import LAST_DAY
from core.errors import Invalid

ONE_DAY = timedelta(days=1)


def holding(windows: Iterable[Window], day: date) -> list[Window]:
    """The windows of the week that hold around a day, from Monday on."""
    found = [each for each in windows if each.from_day <= day <= _last(each)]
    return sorted(found, key=lambda each: (each.weekday, each.from_minute))


def periods(windows: Sequence[Window], today: date) -> list[date]:
    """Today, and the days after it from which other weekly hours hold."""
    edges = {each.from_day for each in windows} | {_last(each) + ONE_DAY for each in windows}
    return [today, *sorted(day for day in edges if today < day <= LAST_DAY)]


def replaced(
    windows: Iterable[Window], fresh: Iterable[Window], from_day: date, until_day: date | None = None
) -> list[Window]:
    """All windows once the `fresh` ones alone hold from a day until a day (both counted; None is for good).

    What held before, and what holds after, stays; a window that goes on as it was stays one. Raises Invalid.
    """
    if until_day is not None and until_day < from_day:
        raise Invalid({"until_day": "The last day has to be after the first."})
    end = until_day or LAST_DAY
    found = [replace(each, from_day=from_day, until_day=until_day) for each in fresh]
    for each in windows:
        if each.from_day > end or _last(each) < from_day:
            found.append(each)
            continue
        if each.from_day < from_day:
            found.append(replace(each, until_day=from_day - ONE_DAY))
        if _last(each) > end:
            found.append(replace(each, from_day=end + ONE_DAY))
    return _joined(found)


def _joined(windows: Iterable[Window]) -> list[Window]:
    """The same, with those as one that differ only in following each other."""
    joined: list[Window] = []
    for each in sorted(windows, key=lambda w: (w.weekday, w.from_minute, w.until_minute, w.zone, w.from_day)):
        last = joined[-1] if joined else None
        if last is not None and last.until_day is not None and replace(
            last, from_day=each.from_day, until_day=each.until_day
        ) == each and last.until_day + ONE_DAY >= each.from_day:
            joined[-1] = replace(last, until_day=each.until_day)
        else:
            joined.append(each)
    return joined


def _last(window: Window) -> date:
    return window.until_day or LAST_DAY

"""The days of a series, and what may be decided about each of them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, rrule, weekday

from core.clock import FIRST_DAY, LAST_DAY, at_local
from core.errors import Invalid
from core.programmes.rules import DAYS, LONGEST, SHORTEST, STEP
from db.words import Every

MOST = 520
"""Dates of one series: ten years, week by week."""
LAST = -1
"""The last such weekday of a month."""
_STEPS: dict[Every, tuple[Literal[1, 2, 3], int]] = {
    Every.DAY: (DAILY, 1), Every.WEEK: (WEEKLY, 1), Every.FORTNIGHT: (WEEKLY, 2), Every.MONTH: (MONTHLY, 1),
}
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}


@dataclass(frozen=True)
class Rule:
    """When sessions repeat: local days at one time on the wall, until a day or so many times.

    The first day sets the month's date (or its weekday, with `nth`) and the week from which fortnights count. A month
    without that date has none, as in RFC 5545.
    """

    every: Every
    first_day: date
    at: time
    minutes: int
    zone: str
    weekdays: tuple[int, ...] = ()
    """0 is Monday. None means every day where it is daily, else the first day's."""
    nth: int | None = None
    """Monthly on the n-th of the first day's weekday (LAST for the last), else by date."""
    until: date | None = None
    times: int | None = None

    def problems(self) -> dict[str, str]:
        """What keeps it from being a rule, a sentence for each field."""
        found: dict[str, str] = {}
        if not FIRST_DAY <= self.first_day <= LAST_DAY:
            found["date"] = f"Choose a date from {FIRST_DAY.year} to {LAST_DAY.year}."
        if type(self.minutes) is not int or self.minutes % STEP or not SHORTEST <= self.minutes <= LONGEST:
            found["duration"] = f"A duration is a multiple of {STEP} minutes, from {SHORTEST} to {LONGEST}."
        if any(type(day) is not int or not 0 <= day <= 6 for day in self.weekdays):
            found["weekdays"] = "Choose among the days of the week."
        if self.nth is not None and self.nth not in _NTH:
            found["monthly"] = "Choose the date, or which of the month's weeks."
        if (self.until is None) == (self.times is None):
            found["until"] = "Say until when it repeats: a date, or how many times."
        elif self.times is not None and (type(self.times) is not int or not 1 <= self.times <= MOST):
            found["times"] = f"A number from 1 to {MOST}."
        elif self.until is not None and self.until < self.first_day:
            found["until"] = "It ends before it begins."
        return found

    def days(self) -> list[date]:
        """Its days, in order; at most MOST. Raises Invalid."""
        if found := self.problems():
            raise Invalid(found)
        days = list(islice(self._days(), MOST + 1 if self.times is None else self.times))
        if not days:
            raise Invalid({"until": "No such day comes until then."})
        if len(days) > MOST:
            raise Invalid({"until": f"At most {MOST} dates, and until then there are more. Choose an earlier end."})
        if self.times is not None and len(days) < self.times:
            raise Invalid({"times": f"Only {len(days)} of them come until {LAST_DAY.year}."})
        return days

    def _days(self) -> Iterator[date]:
        step, interval = _STEPS[self.every]
        on: list[weekday] | None = [weekday(day) for day in sorted(set(self.weekdays))] or None
        if self.every is Every.MONTH:
            on = None if self.nth is None else [weekday(self.first_day.weekday(), self.nth)]
        first, last = (datetime.combine(day, time()) for day in (self.first_day, self.until or LAST_DAY))
        for each in rrule(step, first, interval, wkst=MO, byweekday=on, until=last):
            yield each.date()

    def words(self) -> str:
        """'weekly on Monday and Thursday', 'monthly on the second Tuesday'."""
        if self.every is Every.MONTH:
            which = f"day {self.first_day.day}" if self.nth is None else (
                f"the {_NTH[self.nth]} {DAYS[self.first_day.weekday()]}")
            return f"{self.every} on {which}"
        on = [DAYS[day] for day in sorted(set(self.weekdays))]
        if not on and self.every is Every.DAY:
            return str(self.every)
        on = on or [DAYS[self.first_day.weekday()]]
        return f"{self.every} on {' and '.join(filter(None, (', '.join(on[:-1]), on[-1])))}"


def nths(day: date) -> dict[int, str]:
    """Which of its month a day's weekday is, in words: 'the second Tuesday', and 'the last Tuesday' where it is."""
    n, found = (day.day - 1) // 7 + 1, {}
    if n in _NTH:
        found[n] = f"the {_NTH[n]} {DAYS[day.weekday()]}"
    if (day + timedelta(days=7)).month != day.month:
        found[LAST] = f"the last {DAYS[day.weekday()]}"
    return found


@dataclass(frozen=True)
class Occurrence:
    """One day of a series as an instant, and what a change of clocks did to it (X3)."""

    day: date
    starts_at: datetime
    ends_at: datetime
    remark: str | None


def occurrences(rule: Rule) -> list[Occurrence]:
    """Every day of a rule at its wall-clock time. Raises Invalid."""
    zone, length, found = ZoneInfo(rule.zone), timedelta(minutes=rule.minutes), []
    for day in rule.days():
        resolved = at_local(day, rule.at, zone)
        found.append(Occurrence(day, resolved.at, resolved.at + length, resolved.remark))
    return found


class What(StrEnum):
    """What to do about one date."""

    KEEP = "book it"
    SKIP = "skip it"
    MOVE = "another time"
    OTHER = "somebody else"
    ANYWAY = "book it all the same"


@dataclass(frozen=True)
class Choice:
    """What was decided about one date. `reason`: why it is skipped, or why hours do not hold."""

    what: What = What.KEEP
    reason: str = ""
    starts_at: datetime | None = None
    practitioner_id: int | None = None

    def problems(self) -> dict[str, str]:
        """What is missing in it, by field."""
        if self.what in (What.SKIP, What.ANYWAY) and not self.reason.strip():
            return {"reason": "Say why."}
        if self.what is What.MOVE and (self.starts_at is None or self.starts_at.tzinfo is None):
            return {"time": "Choose the other time."}
        if self.what is What.OTHER and self.practitioner_id is None:
            return {"practitioner": "Choose who instead."}
        return {}


KEEP = Choice()


class Scope(StrEnum):
    """How far a change of one session of a series reaches."""

    THIS = "this one"
    FOLLOWING = "this and following"
    ALL = "all"


class State(StrEnum):
    """How one date of a series stands."""

    OK = "OK"
    CLASH = "clash"
    CLOSED = "closed"
    NO_ROOM = "no room"
    SKIPPED = "skipped"

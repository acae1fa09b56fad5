"""B6, B9, B12, X3: what is offered, what is refused, and a brute-force count of minutes say the same, slot for slot."""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as some

from core.availability.rules import (
    ALWAYS,
    SHIFT,
    Calendar,
    Closed,
    Dated,
    Frame,
    FreeTime,
    House,
    Leader,
    Limits,
    Other,
    Way,
    Week,
    Weekly,
    Windows,
)
from core.clock import resolve
from core.programmes.rules import Policy
from db.words import TimetableKind

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CHANGES = {
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 30)),
    "Asia/Kathmandu": (date(2026, 5, 1), date(2026, 9, 1)),
}
"""Zones with the days on which their clocks go forward and back (in Kathmandu they never do)."""
ZONES = list(CHANGES)
OWN, OTHER = 7, 8


class Case:
    """One made-up practitioner, programme and range."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(seed)
        self.zone = rng.choice(ZONES)
        self.day = rng.choice(CHANGES[self.zone]) if rng.random() < 0.6 else date(2026, 1, 5) + rng.randrange(330) * DAY
        first = resolve(datetime.combine(self.day, time()), ZoneInfo(self.zone)).at
        first -= rng.choice((0, 0, 300, 720)) * MINUTE
        self.since, self.until = first, first + rng.choice((1440, 1500, 2000, 2880)) * MINUTE
        self.policy = Policy.model_construct(
            open_hours=[self.hours(0.9) for _ in range(7)], notice_minutes=rng.choice((0, 0, 45, 60, 1440)),
            ahead_days=rng.choice((None, None, 1, 2)), holidays_country=rng.choice((None, None, "GB")),
            holidays_region=None,
        )
        self.closures = [(self.near(), 0)] if rng.random() < 0.15 else []
        self.now = self.since + rng.randrange(-3000, 3000) * MINUTE + timedelta(seconds=rng.randrange(60))
        self.limits = Limits(
            rng.choice((0, 0, 5, 15, 60)), rng.choice((0, 0, 10, 30)), rng.choice((None, None, 1, 2)),
            rng.choice((None, None, 1, 3)),
        )
        self.general = self.windows(rng.choice((0, 3, 6, 9)), 0.3)
        self.own = {OWN: self.windows(rng.choice((0, 1, 2)), 0.2)} if rng.random() < 0.4 else {}
        self.off = [self.span(800) for _ in range(rng.choice((0, 0, 1)))]
        self.taken = self.spans(rng.choice((0, 1, 3)), 180)
        self.others = self.spans(rng.choice((0, 0, 2)), 180)
        self.led = [a for a, _ in self.taken if rng.random() < 0.8]
        self.way = self.a_way()

    def near(self) -> date:
        return self.day + self.rng.randrange(-1, 3) * DAY

    def hours(self, often: float) -> tuple[int, int] | None:
        if self.rng.random() > often:
            return None
        start = self.rng.choice((0, 0, 0, 60, 120, 480, 540)) + 5 * self.rng.randrange(3)
        until = self.rng.choice((1440, 1440, 1440, 1080, start + 5 * self.rng.randrange(1, 40)))
        return start, until

    def windows(self, many: int, exceptions: float) -> Windows:
        rng = self.rng
        weekly = []
        for _ in range(many):
            start = 5 * rng.choice((0, 12, 24, 30, rng.randrange(280)))
            until = rng.choice((1440, min(1440, start + 5 * rng.randrange(1, 150))))
            weekday = rng.choice((self.near().weekday(), self.near().weekday(), rng.randrange(7)))
            weekly.append(Weekly(
                weekday, start, until, self.zone if rng.random() < 0.7 else rng.choice(ZONES),
                self.near().toordinal() if rng.random() < 0.2 else 1,
                self.near().toordinal() if rng.random() < 0.2 else ALWAYS,
            ))
        dated = []
        if rng.random() < exceptions:
            day, zone = self.near().toordinal(), rng.choice((self.zone, rng.choice(ZONES)))
            dated = [Dated(day, None, None, zone)] if rng.random() < 0.4 else [
                Dated(day, start, start + 5 * rng.randrange(1, 50), zone) for start in (60, 600)]
        return Windows(Week(weekly), dated)

    def span(self, longest: int) -> tuple[datetime, datetime]:
        rng = self.rng
        step = 1 if rng.random() < 0.2 else 5
        start = self.since + step * rng.randrange(-600 // step, 2600 // step) * MINUTE
        return start, start + step * rng.randrange(1, longest // step) * MINUTE

    def spans(self, many: int, longest: int) -> list[tuple[datetime, datetime]]:
        return [self.span(longest) for _ in range(many)]

    def a_way(self) -> Way | None:
        rng = self.rng
        luck = rng.random()
        if luck < 0.5:
            return None
        if luck < 0.7:
            return Way(OWN, "Own", TimetableKind.CUSTOM, 1)
        roster = frozenset({1}) if rng.random() < 0.8 else frozenset({2})
        schedule = self.windows(rng.choice((0, 3, 5)), 0)
        return Way(OTHER, "Weekly", TimetableKind.REGULAR, schedule=schedule, roster=roster)

    def free_time(self) -> FreeTime:
        def seconds(spans: list[tuple[datetime, datetime]]) -> list[tuple[int, int]]:
            return [(int(a.timestamp()), int(b.timestamp())) for a, b in spans]

        house = House(self.policy, self.zone, int(self.now.timestamp()), [
            Closed(day.toordinal(), day.toordinal() + more, "Easter") for day, more in self.closures])
        leader = Leader(1, "Tom", self.general, self.own, seconds(self.off), self.limits,
                        self.told(seconds(self.taken)), led=[int(at.timestamp()) for at in self.led])
        return FreeTime(Frame.of(self.since, self.until), house, leader, self.way,
                        [Other("Sara", Calendar(seconds(self.others)))])

    def told(self, spans: list[tuple[int, int]]) -> Calendar:
        """As the tables tell it, or as it is."""
        if self.rng.random() < 0.3:
            return Calendar(spans)
        base = int(self.since.timestamp()) - 86_400
        return Calendar(told=" ".join(str((a - base << SHIFT) + b - a) for a, b in spans), base=base)

    # The oracle: minute by minute, by the words of the rules alone

    def count(self) -> None:
        """Mark every minute of the range that can be booked as far as hours go."""
        self.minutes = round((self.until - self.since) / MINUTE)
        general, reserved = self.marked(self.general), [False] * self.minutes
        for windows in self.own.values():
            reserved = [a or b for a, b in zip(reserved, self.marked(windows), strict=True)]
        hours = [a and not b for a, b in zip(general, reserved, strict=True)]
        if self.way is not None and self.own.get(self.way.id):
            hours = self.marked(self.own[self.way.id])
        elif self.way is not None and self.way.schedule:
            there = self.marked(self.way.schedule)
            hours = [a and b and 1 in self.way.roster for a, b in zip(hours, there, strict=True)]
        opened = self.marked(Windows(Week(
            Weekly(n, *each, self.zone) for n, each in enumerate(self.policy.open_hours) if each)))
        self.open = [a and b for a, b in zip(hours, opened, strict=True)]
        shut = [(day, day + more * DAY) for day, more in self.closures]
        if self.policy.holidays_country:
            shut += [(day, day) for day in (date(2026, 1, 1), date(2026, 4, 3), date(2026, 5, 4), date(2026, 5, 25),
                                            date(2026, 12, 25))]
        zone = ZoneInfo(self.zone)
        for n in range(-1, 4):
            day = self.day + n * DAY
            if any(first <= day <= last for first, last in shut):
                self.mark(self.open, [(resolve(datetime.combine(day, time()), zone).at,
                                       resolve(datetime.combine(day + DAY, time()), zone).at)], False)
        self.mark(self.open, self.off, False)

    def marked(self, windows: Windows) -> list[bool]:
        found = [False] * self.minutes
        spans = []
        for n in range(-3, 6):
            day = self.day + n * DAY
            if day.toordinal() in {each.day for each in windows.dated}:
                continue
            for each in windows.weekly:
                if each.weekday == day.weekday() and each.from_day <= day.toordinal() <= each.until_day:
                    spans.append(self.instants(day, each.from_minute, each.until_minute, each.zone))
        for dated in windows.dated:
            if dated.from_minute is not None and dated.until_minute is not None:
                spans.append(self.instants(
                    date.fromordinal(dated.day), dated.from_minute, dated.until_minute, dated.zone))
        self.mark(found, spans, True)
        return found

    @staticmethod
    def instants(day: date, start: int, end: int, zone: str) -> tuple[datetime, datetime]:
        clocks = (datetime.combine(day, time()) + minute * MINUTE for minute in (start, end))
        first, last = (resolve(clock, ZoneInfo(zone)).at for clock in clocks)
        return first, last

    def mark(self, marks: list[bool], spans: list[tuple[datetime, datetime]], value: bool) -> None:
        for start, end in spans:
            first = max(0, round((start - self.since) / MINUTE))
            last = min(self.minutes, round((end - self.since) / MINUTE))
            if first < last:
                marks[first:last] = [value] * (last - first)

    def is_free(self, start: datetime, end: datetime) -> bool:
        first, last = round((start - self.since) / MINUTE), round((end - self.since) / MINUTE)
        if first < 0 or last > self.minutes or not all(self.open[first:last]):
            return False
        before, after = self.limits.before * MINUTE, self.limits.after * MINUTE
        if any(start - before < b and a < end + after for a, b in self.taken):
            return False
        if any(start < b and a < end for a, b in self.others):
            return False
        zone = ZoneInfo(self.zone)
        day = start.astimezone(zone).date()
        if start >= self.now.replace(microsecond=0):
            if start - self.now < self.policy.notice_minutes * MINUTE:
                return False
            ahead = self.policy.ahead_days
            if ahead is not None and day > self.now.astimezone(zone).date() + ahead * DAY:
                return False
        led = [at.astimezone(zone).date() for at in self.led]
        if self.limits.a_day and led.count(day) >= self.limits.a_day:
            return False
        week = day.isocalendar()[:2]
        return not self.limits.a_week or [each.isocalendar()[:2] for each in led].count(week) < self.limits.a_week


@settings(max_examples=10_000, deadline=None, database=None)
@given(some.integers(0, 2**40))
def test_b9_offering_refusing_and_counting_minutes_are_one(seed: int) -> None:
    """Buffers, closures, time off, limits, exceptions, several zones, and clocks going forward and back among them."""
    case = Case(seed)
    free = case.free_time()
    case.count()
    rng = case.rng
    length, step = rng.choice((15, 30, 60, 90, 240)) * MINUTE, rng.choice((5, 15, 30)) * MINUTE
    steps = [case.since + n * step for n in range(-((case.since - case.until) // step))]
    offered = free.starts(length, step)
    assert offered == [at for at in steps if case.is_free(at, at + length)], seed
    assert offered == [at for at in steps if free.problem(at, at + length) is None], seed
    for _ in range(4):  # at any minute, which no form offers and an import may ask for
        at = case.since + rng.randrange(case.minutes) * MINUTE
        problem = free.problem(at, at + length)
        assert (problem is None) == case.is_free(at, at + length), (seed, at)
        assert problem is None or problem.sentence.endswith("."), seed


def test_the_cases_are_worth_counting() -> None:
    """Some are free in part, most of those with something against them."""
    shares = []
    for seed in range(300):
        case = Case(seed)
        case.count()
        shares.append(sum(case.open) / case.minutes)
    assert sum(0 < share < 1 for share in shares) > 100

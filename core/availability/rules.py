"""When somebody can be booked, as bits of five minutes: one answer for what is offered and for what is refused. Pure.

Bit n stands for the five minutes from `Frame.since + n * CELL`. Local windows become instants as `core.clock.resolve`
says; a window until 24:00 ends at the next local midnight. What was decided:

- Buffers are the practitioner's own, else the policy's, and count on both sides of the session that is to be placed;
  what its neighbours would want for themselves is not asked. Learners and rooms have none, and need no hours.
- Limits count what the practitioner leads in this programme, by the programme's local day and ISO week.
- Hours of an own (custom) timetable are taken out of general booking. A timetable without any window is a name and
  no more: it is booked within the practitioner's general hours.
- What begins in the past is logged, so notice and the furthest day ahead do not hold it; all else does.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import compress
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

from core.clock import resolve, when_words
from core.programmes.rules import Policy, Words, hours_words, minutes_words
from db.words import TimetableKind

CELL = 300
"""Seconds that a bit stands for."""
DAY = 86_400
WEEK = 7 * DAY // CELL
ALWAYS = date.max.toordinal()
FAR_AHEAD = 2**40
"""An epoch second after all others, seen from which every session is logged."""
_CELL = timedelta(seconds=CELL)
Span = tuple[int, int]
"""Epoch seconds: from, and up to but without."""


# Local days --------------------------------------------------------------------------------------------------------


@lru_cache(1 << 16)
def midnight(zone: str, day: int) -> int:
    """The epoch second at which a local day (its ordinal) begins."""
    return int(resolve(datetime.combine(date.fromordinal(day), time()), ZoneInfo(zone)).at.timestamp())


def instant(zone: str, day: int, minute: int) -> int:
    """The epoch second of a local minute of a day."""
    start, end = midnight(zone, day), midnight(zone, day + 1)
    if end - start == DAY:
        return start + minute * 60
    local = datetime.combine(date.fromordinal(day), time()) + timedelta(minutes=minute)
    return int(resolve(local, ZoneInfo(zone)).at.timestamp())


@lru_cache(1 << 12)
def _steady(zone: str, first: int, last: int) -> bool:
    """Whether no clock changes from the first of these days to the last."""
    return all(midnight(zone, day + 1) - midnight(zone, day) == DAY for day in range(first, last + 1))


def local_day(at: int, zone: str) -> int:
    """The ordinal of the local day of an instant."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).toordinal()


@lru_cache(1 << 10)
def _holidays_of(country: str, region: str | None, year: int) -> Mapping[date, str]:
    return dict(holidays.country_holidays(country, subdiv=region, years=year, language="en_US"))


def holiday(policy: Policy, day: int) -> str | None:
    """The name of the public holiday that a day is, where the programme keeps them."""
    if policy.holidays_country is None:
        return None
    when = date.fromordinal(day)
    return _holidays_of(policy.holidays_country, policy.holidays_region, when.year).get(when)


# Bits --------------------------------------------------------------------------------------------------------------


class Frame(NamedTuple):
    """The stretch of time that bits are about."""

    since: int
    cells: int

    @classmethod
    def of(cls, since: datetime, until: datetime) -> "Frame":
        """From one instant (or the five minutes that it lies in) to another."""
        first = int(since.timestamp()) // CELL * CELL
        return cls(first, max(0, -((first - int(until.timestamp())) // CELL)))

    @property
    def until(self) -> int:
        """The end, in epoch seconds."""
        return self.since + self.cells * CELL

    def days(self, zone: str) -> range:
        """Ordinals of the local days that lie in it, one more at each end."""
        return _days_of(self, zone)

    def touched(self, spans: Iterable[Span]) -> int:
        """Every bit that any of these touches."""
        since, cells, found = self.since, self.cells, 0
        for start, end in spans:
            first, last = (start - since) // CELL, -((since - end) // CELL)
            if first < 0:
                first = 0
            if last > cells:
                last = cells
            if first < last:
                found |= ((1 << (last - first)) - 1) << first
        return found

    def runs(self, bits: int) -> Iterator[Span]:
        """The stretches that bits make up, in order."""
        at = 0
        while bits:
            gap = (bits & -bits).bit_length() - 1
            bits >>= gap
            length = (~bits & (bits + 1)).bit_length() - 1
            start = self.since + (at + gap) * CELL
            yield start, start + length * CELL
            bits >>= length
            at += gap + length


@lru_cache(1 << 10)
def _days_of(frame: Frame, zone: str) -> range:
    return range(local_day(frame.since, zone) - 1, local_day(frame.until, zone) + 2)


def fitting(bits: int, cells: int) -> int:
    """Bits at which so many in a row begin."""
    have = 1
    while have < cells:
        more = min(have, cells - have)
        bits &= bits >> more
        have += more
    return bits


@lru_cache(256)
def _every(step: int, cells: int) -> int:
    """Every so manieth bit, from the first."""
    return ((1 << (-(-cells // step) * step)) - 1) // ((1 << step) - 1)


def beginnings(frame: Frame, bits: int, length: timedelta, step: timedelta) -> int:
    """Every `step` from the frame's start: bits at which something of that length can begin within these."""
    every = step // _CELL
    bits = fitting(bits, length // _CELL)
    return bits & _every(every, frame.cells) if every > 1 else bits


_AS_TRUTH = bytes.maketrans(b"01", b"\0\1")


@lru_cache(64)
def _after(weeks: int) -> list[timedelta]:
    """How long after the first each bit begins, of so many weeks."""
    return [timedelta(seconds=n * CELL) for n in range(weeks * WEEK)]


def moments(frame: Frame, bits: int) -> list[datetime]:
    """The instants at which bits begin."""
    first = datetime.fromtimestamp(frame.since, UTC)
    marks = bin(bits)[:1:-1].encode().translate(_AS_TRUTH)
    return [first + after for after in compress(_after(-(-len(marks) // WEEK)), marks)]


# Hours -------------------------------------------------------------------------------------------------------------


class Weekly(NamedTuple):
    """A window of every such weekday (Monday is 0) from a day to a day; minutes after local midnight."""

    weekday: int
    from_minute: int
    until_minute: int
    zone: str
    from_day: int = 1
    until_day: int = ALWAYS


class Dated(NamedTuple):
    """What one day has instead of its weekly windows; nothing where minutes are missing."""

    day: int
    from_minute: int | None
    until_minute: int | None
    zone: str


class Pattern(NamedTuple):
    """The weekly windows of one zone: bits of a week from Monday on, and the days between which all of them hold."""

    week: int
    from_day: int
    until_day: int
    windows: tuple[Weekly, ...]


class Week(tuple[Weekly, ...]):
    """Weekly windows. Worked out once, since hours change far less often than they are asked for."""

    @cached_property
    def patterns(self) -> dict[str, Pattern]:
        """The same by zone."""
        found = {}
        for zone in {window.zone for window in self}:
            here = tuple(window for window in self if window.zone == zone)
            week = 0
            for window in here:
                start = (window.weekday * 1440 + window.from_minute) // 5
                week |= ((1 << ((window.until_minute - window.from_minute) // 5)) - 1) << start
            found[zone] = Pattern(week, max(w.from_day for w in here), min(w.until_day for w in here), here)
        return found

    def bits(self, frame: Frame, but: Collection[int] = ()) -> int:
        """When they hold, days (ordinals) left out that have exceptions."""
        found = 0
        for zone, pattern in self.patterns.items():
            bits = _pattern_bits(frame, zone, pattern)
            if but:
                bits &= ~frame.touched((midnight(zone, day), midnight(zone, day + 1)) for day in but)
            found |= bits
        return found


NO_WEEK = Week()


@dataclass
class Windows:
    """Hours of one kind of one owner."""

    weekly: Week = NO_WEEK
    dated: Sequence[Dated] = ()

    def __bool__(self) -> bool:
        return bool(self.weekly or any(each.from_minute is not None for each in self.dated))

    def bits(self, frame: Frame) -> int:
        """When they hold."""
        if not self.dated:
            return self.weekly.bits(frame)
        return self.weekly.bits(frame, {each.day for each in self.dated}) | frame.touched(
            (instant(each.zone, each.day, each.from_minute), instant(each.zone, each.day, each.until_minute))
            for each in self.dated if each.from_minute is not None and each.until_minute is not None
        )

    def spans(self, first: int, last: int) -> list[Span]:
        """The single windows of the local days (ordinals) from the first to the last."""
        dated, days = {each.day for each in self.dated}, range(first, last + 1)
        found = [
            (instant(each.zone, day, each.from_minute), instant(each.zone, day, each.until_minute))
            for each in self.weekly for day in days
            if (day - 1) % 7 == each.weekday and each.from_day <= day <= each.until_day and day not in dated
        ]
        found += [
            (instant(each.zone, each.day, each.from_minute), instant(each.zone, each.day, each.until_minute))
            for each in self.dated
            if each.day in days and each.from_minute is not None and each.until_minute is not None
        ]
        return sorted(found)


@lru_cache(1 << 10)
def _lead(frame: Frame, zone: str) -> int | None:
    """Bits from the Monday midnight before a frame to its start; None where a clock changes in it."""
    days = frame.days(zone)
    first = days[0]
    if not _steady(zone, first, days[-1]):
        return None
    monday = midnight(zone, first) - (first - 1) % 7 * DAY  # day 1 was a Monday
    return (frame.since - monday) // CELL


def _pattern_bits(frame: Frame, zone: str, pattern: Pattern) -> int:
    days, lead = frame.days(zone), _lead(frame, zone)
    if lead is None and frame.cells > 2 * WEEK:  # most of it is steady, and that is quick
        half = frame.cells // 2
        first, rest = Frame(frame.since, half), Frame(frame.since + half * CELL, frame.cells - half)
        return _pattern_bits(first, zone, pattern) | _pattern_bits(rest, zone, pattern) << half
    if lead is None or pattern.from_day > days[0] or pattern.until_day < days[-1]:
        return frame.touched(_expanded(zone, pattern.windows, days))
    whole = 0
    for n in range(0, lead + frame.cells, WEEK):
        whole |= pattern.week << n
    return whole >> lead & (1 << frame.cells) - 1


def _expanded(zone: str, windows: Iterable[Weekly], days: range) -> Iterator[Span]:
    for window in windows:
        for day in range(days[0] + (window.weekday - (days[0] - 1)) % 7, days[-1] + 1, 7):
            if window.from_day <= day <= window.until_day:
                yield instant(zone, day, window.from_minute), instant(zone, day, window.until_minute)


SHIFT = 17
"""A stretch as one number: its start, and in so many bits its seconds."""
_SECONDS = (1 << SHIFT) - 1


class _Masks(dict[int, int]):
    """The bits that so many seconds from the beginning of one touch."""

    def __missing__(self, seconds: int) -> int:
        self[seconds] = mask = (1 << -(-seconds // CELL)) - 1
        return mask


_MASKS = _Masks()


class Calendar:
    """When somebody, or a room, is taken. Thousands are read for one screen, so they stay as told until looked at."""

    def __init__(self, spans: Iterable[Span] = (), told: str = "", base: int = 0) -> None:
        """Stretches; or told as numbers (see SHIFT) that count from `base`."""
        self._spans = list(spans)
        self._told, self._base = told, base

    def __bool__(self) -> bool:
        return bool(self._told or self._spans)

    @property
    def spans(self) -> list[Span]:
        """All of them."""
        if self._told:
            for number in map(int, self._told.split()):
                start = self._base + (number >> SHIFT)
                self._spans.append((start, start + (number & _SECONDS)))
            self._told = ""
        return self._spans

    def add(self, start: int, end: int) -> None:
        """One more."""
        self.spans.append((start, end))

    def bits(self, frame: Frame, before: int = 0, after: int = 0) -> int:
        """Where nothing can be that needs so many seconds free before and after itself."""
        if self._told:
            first = self._base - after  # nothing begins before that
            ahead = max(0, -((first - frame.since) // CELL))
            wider = (first - (frame.since - ahead * CELL) << SHIFT) + before + after
            found, masks = 0, _MASKS
            for number in map(int, self._told.split()):
                number += wider
                start = number >> SHIFT
                cell = start // CELL
                found |= masks[(number & _SECONDS) + start - cell * CELL] << cell
            return found >> ahead & (1 << frame.cells) - 1
        return frame.touched((start - after, end + before) for start, end in self._spans)


class Limits(NamedTuple):
    """What one practitioner is spared: minutes free before and after each session, sessions a day and a week."""

    before: int = 0
    after: int = 0
    a_day: int | None = None
    a_week: int | None = None

    @classmethod
    def of(cls, policy: Policy, *own: int | None) -> "Limits":
        """The policy's, where the practitioner has none of their own."""
        general = (policy.buffer_before, policy.buffer_after, policy.most_a_day, policy.most_a_week)
        if not own:
            return cls(*general)
        return cls(*(mine if mine is not None else theirs  # type: ignore[arg-type]  # buffers are never empty
                     for mine, theirs in zip(own, general, strict=True)))


NO_LIMITS = Limits()


@dataclass
class Leader:
    """A practitioner: their hours in this programme, and what takes away from them."""

    id: int
    name: str
    general: Windows = field(default_factory=Windows)
    own: dict[int, Windows] = field(default_factory=dict)
    """By custom timetable."""
    off: list[Span] = field(default_factory=list)
    limits: Limits = NO_LIMITS
    taken: Calendar = field(default_factory=Calendar)
    """When any session takes them."""
    known: bool = True
    """Leads sessions here, and can sign in."""
    led: list[int] = field(default_factory=list)
    """When those that count for the limits begin."""
    _counts: tuple[Counter[int], Counter[int]] | None = field(default=None, init=False, repr=False)

    def counts(self, zone: str) -> tuple[Counter[int], Counter[int]]:
        """How many sessions there are a local day, and a week (by its Monday); days are ordinals."""
        if self._counts is None:
            days = [local_day(at, zone) for at in self.led]
            self._counts = Counter(days), Counter(map(monday_of, days))
        return self._counts

    def take(self, start: int, end: int, zone: str) -> None:
        """Count one more session."""
        days, weeks = self.counts(zone)
        self.taken.add(start, end)
        self.led.append(start)
        day = local_day(start, zone)
        days[day] += 1
        weeks[monday_of(day)] += 1

    def reserved(self, frame: Frame) -> int:
        """Hours that only their own timetables take bookings for."""
        found = 0
        for windows in self.own.values():
            found |= windows.bits(frame)
        return found


@dataclass(frozen=True)
class Way:
    """The timetable that a booking goes through."""

    id: int
    name: str
    kind: TimetableKind
    owner_id: int | None = None
    slot_minutes: int | None = None
    schedule: Windows = field(default_factory=Windows)
    roster: frozenset[int] = frozenset()


class Closed(NamedTuple):
    """Local days (ordinals, both counted) on which a programme is closed."""

    first: int
    last: int
    name: str


@lru_cache(256)
def _opening(hours: tuple[tuple[int, int] | None, ...], zone: str) -> Week:
    return Week(Weekly(weekday, *each, zone) for weekday, each in enumerate(hours) if each)


@dataclass
class House:
    """A programme at some moment: when it is open at all."""

    policy: Policy
    zone: str
    now: int
    closures: Sequence[Closed] = ()
    _known: dict[Frame, int] = field(default_factory=dict, init=False, repr=False)
    _timely: dict[Frame, int] = field(default_factory=dict, init=False, repr=False)

    def timely(self, frame: Frame) -> int:
        """Where something may begin, as far as notice and the furthest day go."""
        if frame not in self._timely:
            bits = (1 << frame.cells) - 1
            now, soonest = (-((frame.since - at) // CELL) for at in (self.now, self.soonest))
            if soonest > now:
                bits &= ~frame.touched([(frame.since + now * CELL, frame.since + soonest * CELL)])
            if self.furthest is not None and self.furthest < frame.until:
                bits &= ~frame.touched([(max(self.furthest, frame.since + now * CELL), frame.until)])
            self._timely[frame] = bits
        return self._timely[frame]

    def bits(self, frame: Frame) -> int:
        """Opening hours without closures and public holidays."""
        if frame not in self._known:
            self._known[frame] = self.open(frame) & ~self.closed(frame)
        return self._known[frame]

    def open(self, frame: Frame) -> int:
        """Opening hours alone."""
        return _opening(tuple(self.policy.open_hours), self.zone).bits(frame)

    def closed(self, frame: Frame) -> int:
        """Closures and public holidays."""
        if not self.closures and self.policy.holidays_country is None:
            return 0
        return frame.touched(
            (midnight(self.zone, day), midnight(self.zone, day + 1))
            for day in frame.days(self.zone) if self.closed_for(day) is not None
        )

    def closed_for(self, day: int) -> str | None:
        """Why a day is none, or nothing."""
        for each in self.closures:
            if each.first <= day <= each.last:
                return each.name
        return holiday(self.policy, day)

    @cached_property
    def at_any_time(self) -> "House":
        """The same without opening hours, closures and notice: for a session that keeps the time it has."""
        always: list[tuple[int, int] | None] = [(0, 1440)] * 7
        policy = self.policy.model_copy(update={"open_hours": always, "holidays_country": None})
        return House(policy, self.zone, FAR_AHEAD)

    @cached_property
    def soonest(self) -> int:
        """What is not logged begins from here on."""
        return self.now + self.policy.notice_minutes * 60

    @cached_property
    def furthest(self) -> int | None:
        """And before this."""
        if self.policy.ahead_days is None:
            return None
        return midnight(self.zone, local_day(self.now, self.zone) + self.policy.ahead_days + 1)


def hours_bits(frame: Frame, leader: Leader, way: Way | None) -> int:
    """When a practitioner can be booked in that way, what is taken aside."""
    if way is not None and leader.own.get(way.id):
        return leader.own[way.id].bits(frame)
    bits = leader.general.bits(frame)
    if leader.own:
        bits &= ~leader.reserved(frame)
    if way is not None and way.schedule:
        bits &= way.schedule.bits(frame) if leader.id in way.roster else 0
    return bits


# One answer --------------------------------------------------------------------------------------------------------


class Problem:
    """Why a time is not to be had; the sentence is made when it is asked for."""

    def __init__(self, say: Callable[[], str], *, hard: bool = False, opening: bool = False) -> None:
        self._say = say
        self.hard = hard
        """Somebody, or the room, is taken: nobody overrides that."""
        self.opening = opening
        """Nothing but the programme's opening hours may stand against it."""

    @cached_property
    def sentence(self) -> str:
        """Who, when and why."""
        return self._say()


class Other(NamedTuple):
    """Somebody else who takes part, or the room."""

    name: str
    taken: Calendar


@dataclass
class FreeTime:
    """When a practitioner (or nobody yet), others and a room are all to be had. `starts` and `problem` never differ."""

    frame: Frame
    house: House
    leader: Leader | None = None
    way: Way | None = None
    others: Sequence[Other] = ()

    @cached_property
    def open(self) -> int:
        """Bits within hours, what is taken or off aside: those may begin at any minute."""
        bits = self.house.bits(self.frame)
        if self.leader is not None:
            bits &= hours_bits(self.frame, self.leader, self.way)
        elif self.way is not None and self.way.schedule:
            bits &= self.way.schedule.bits(self.frame)
        return bits

    @property
    def free(self) -> int:
        """Bits that are open, neither taken nor off, buffers counted."""
        bits, leader, frame = self.open, self.leader, self.frame
        if leader is not None:
            if leader.off:
                bits &= ~frame.touched(leader.off)
            if leader.taken:
                bits &= ~leader.taken.bits(frame, leader.limits.before * 60, leader.limits.after * 60)
        for each in self.others:
            bits &= ~each.taken.bits(frame)
        return bits

    def starts(self, length: timedelta, step: timedelta = timedelta(minutes=15)) -> list[datetime]:
        """When something of that length can begin, every `step` from the frame's start on."""
        return moments(self.frame, self.start_bits(length, step))

    def start_bits(self, length: timedelta, step: timedelta) -> int:
        """The same as bits. Both are multiples of five minutes."""
        return beginnings(self.frame, self.free, length, step) & self._timely()

    def problem(self, starts_at: datetime, ends_at: datetime, *, overlaps: bool = True) -> Problem | None:
        """Why this time is not to be had, or nothing; a time outside the frame is a problem, too.

        Without `overlaps` other sessions are looked at for buffers and limits alone.
        """
        start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
        frame, house = self.frame, self.house
        first, last = (start - frame.since) // CELL, -((frame.since - end) // CELL)
        if first < 0 or last > frame.cells:
            return Problem(lambda: "This lies outside the time that was looked at.")
        want = (1 << (last - first)) - 1
        if self.open >> first & want != want:
            opening = house.bits(frame) >> first & want != want
            return Problem(lambda: self._why_not_open(start, end), opening=opening)
        if start >= house.now:
            if start < house.soonest:
                notice = minutes_words(house.policy.notice_minutes)
                return Problem(lambda: f"At least {notice} ahead, that is from {self._at(house.soonest)} on.")
            if house.furthest is not None and start >= house.furthest:
                return Problem(self._too_far)
        if self.leader is not None:
            if (away := self._away(start, end)) is not None:
                return Problem(lambda: away)
            if (full := self._full(start)) is not None:
                return Problem(lambda: full)
            before, after = self.leader.limits.before * 60, self.leader.limits.after * 60
            for a, b in self.leader.taken.spans:
                if a < end and start < b:
                    if overlaps:
                        return self._busy(self.leader.name, a, b)
                elif a < end + after and start - before < b:
                    return Problem(lambda a=a, b=b: self._too_close(start, a, b))  # type: ignore[misc]
        for each in self.others if overlaps else ():
            for a, b in each.taken.spans:
                if a < end and start < b:
                    return self._busy(each.name, a, b)
        return None

    @property
    def without_hours(self) -> str | None:
        """That the practitioner has no hours at all to be booked in like this, or nothing."""
        leader, way = self.leader, self.way
        if leader is None or leader.general or (way is not None and leader.own.get(way.id)):
            return None
        return (f"{leader.name} has no hours yet, so nobody can book this {self.house.policy.words.practitioner}."
                " Add hours under Availability.")

    def take(self, starts_at: datetime, ends_at: datetime) -> None:
        """Count a session that is placed there from now on."""
        if self.leader is not None:
            self.leader.take(int(starts_at.timestamp()), int(ends_at.timestamp()), self.house.zone)

    # What the two rest on

    def _timely(self) -> int:
        """Bits at which notice, the furthest day and the limits let something begin."""
        frame, house, leader = self.frame, self.house, self.leader
        bits = house.timely(frame)
        if leader is not None and leader.led and (leader.limits.a_day or leader.limits.a_week):
            a_day, a_week, zone = leader.limits.a_day, leader.limits.a_week, house.zone
            days, weeks = leader.counts(zone)
            full = [(midnight(zone, day), midnight(zone, day + 1))
                    for day, many in days.items() if a_day and many >= a_day]
            full += [(midnight(zone, monday), midnight(zone, monday + 7))
                     for monday, many in weeks.items() if a_week and many >= a_week]
            bits &= ~frame.touched(full)
        return bits

    def _full(self, start: int) -> str | None:
        leader = self.leader
        if leader is None or not (leader.limits.a_day or leader.limits.a_week):
            return None
        days, weeks = leader.counts(self.house.zone)
        day, words = local_day(start, self.house.zone), self.house.policy.words
        week = monday_of(day)
        if leader.limits.a_day and days[day] >= leader.limits.a_day:
            return (f"{leader.name} has {_many(days[day], words)} on {_day_words(day)} already;"
                    f" at most {leader.limits.a_day} a day.")
        if leader.limits.a_week and weeks[week] >= leader.limits.a_week:
            return (f"{leader.name} has {_many(weeks[week], words)} in the week of {_day_words(week)} already;"
                    f" at most {leader.limits.a_week} a week.")
        return None

    def _too_far(self) -> str:
        assert self.house.furthest is not None  # else nothing is
        days = minutes_words((self.house.policy.ahead_days or 0) * 24 * 60)
        return f"At most {days} ahead, that is until {_day_words(local_day(self.house.furthest - 1, self.house.zone))}."

    def _away(self, start: int, end: int) -> str | None:
        if self.leader is not None:
            for a, b in self.leader.off:
                if a < end and start < b:
                    return f"{self.leader.name} is away {self._at(a, b)}."
        return None

    def _busy(self, who: str, start: int, end: int) -> Problem:
        return Problem(lambda: f"{who} is busy {self._at(start, end)}.", hard=True)

    def _too_close(self, start: int, a: int, b: int) -> str:
        assert self.leader is not None  # whose session it is
        words, limits = self.house.policy.words, self.leader.limits
        if a > start:
            return (f"{self.leader.name} keeps {limits.after} minutes free after {words.a('session')}, and the next one"
                    f" begins {self._at(a)}.")
        return (f"{self.leader.name} keeps {limits.before} minutes free before {words.a('session')}, and the one before"
                f" ends {self._at(b)}.")

    def _at(self, start: int, end: int | None = None) -> str:
        return when_words(_utc(start), ZoneInfo(self.house.zone), None if end is None else _utc(end))

    def _why_not_open(self, start: int, end: int) -> str:
        """The first thing that stands against it, from the programme down to the practitioner."""
        house, leader, way = self.house, self.leader, self.way
        frame = Frame((start - 2 * DAY) // CELL * CELL, 4 * DAY // CELL + (end - start) // CELL)
        want = frame.touched([(start, end)])

        def missing(bits: int) -> int | None:
            """The local day of the first that is missing."""
            gone = want & ~bits
            if not gone:
                return None
            return local_day(frame.since + ((gone & -gone).bit_length() - 1) * CELL, house.zone)

        if (day := missing(house.open(frame))) is not None:
            weekday = date.fromordinal(day)
            hours = house.policy.open_hours[weekday.weekday()]
            return f"Open {hours_words(hours)} on {weekday:%A}s." if hours else f"Closed on {weekday:%A}s."
        if (day := missing(~house.closed(frame))) is not None:
            return f"Closed on {_day_words(day)}: {house.closed_for(day)}."
        if leader is None:
            assert way is not None  # else there is nothing more that could stand against it
            return self._has(frame, way.name, way.schedule.bits(frame), missing(way.schedule.bits(frame)))
        if none := self.without_hours:
            return none
        own = way is not None and leader.own.get(way.id)
        if (away := self._away(start, end)) is not None:
            return away
        if way is not None and own:
            return self._has(frame, way.name, own.bits(frame), missing(own.bits(frame)))
        if way is not None and way.schedule:
            if leader.id not in way.roster:
                return f"{leader.name} is not on the roster of {way.name}."
            if (day := missing(way.schedule.bits(frame))) is not None:
                return self._has(frame, way.name, way.schedule.bits(frame), day)
        if (day := missing(leader.general.bits(frame))) is not None:
            return self._has(frame, leader.name, leader.general.bits(frame), day)
        return f"{leader.name} keeps that time for a timetable of their own."

    def _has(self, frame: Frame, name: str, bits: int, day: int | None) -> str:
        """What hours somebody, or some timetable, has on that day."""
        assert day is not None  # something is missing, so on some day
        zone = self.house.zone
        within = frame.touched([(midnight(zone, day), midnight(zone, day + 1))])
        said = [f"{_clock(a, day, zone)}–{_clock(b, day, zone)}" for a, b in frame.runs(bits & within)]
        if not said:
            return f"{name} has no hours on {_day_words(day)}."
        return f"{name} has hours on {_day_words(day)} at {' and '.join(said)} only."


def monday_of(day: int) -> int:
    """The first day of the ISO week that a day (its ordinal) is in."""
    return day - (day - 1) % 7


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _day_words(day: int) -> str:
    when = date.fromordinal(day)
    return f"{when:%a} {when.day} {when:%b %Y}"


def _clock(at: int, day: int, zone: str) -> str:
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return f"{local:%H:%M}" if local.toordinal() == day else "24:00"


def _many(count: int, words: Words) -> str:
    return f"{count} {words.session if count == 1 else words.many('session')}"

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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
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
        return range(local_day(self.since, zone) - 1, local_day(self.until, zone) + 2)

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


_AFTER = [timedelta(seconds=n * CELL) for n in range(62 * DAY // CELL)]


def moments(frame: Frame, bits: int) -> list[datetime]:
    """The instants at which bits begin."""
    first, said = datetime.fromtimestamp(frame.since, UTC), bin(bits)[:1:-1]
    found, at = [], said.find("1")
    while at >= 0:
        found.append(first + (_AFTER[at] if at < len(_AFTER) else timedelta(seconds=at * CELL)))
        at = said.find("1", at + 1)
    return found


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


@dataclass
class Windows:
    """Hours of one kind of one owner."""

    weekly: list[Weekly] = field(default_factory=list)
    dated: list[Dated] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.weekly or any(each.from_minute is not None for each in self.dated))

    def bits(self, frame: Frame) -> int:
        """When they hold."""
        found = 0
        zones = {window.zone for window in self.weekly}
        for zone in zones:
            bits = _weekly_bits(frame, zone, [window for window in self.weekly if window.zone == zone])
            if self.dated:
                bits &= ~frame.touched(
                    (midnight(zone, day), midnight(zone, day + 1)) for day in {each.day for each in self.dated})
            found |= bits
        if self.dated:
            found |= frame.touched(
                (instant(each.zone, each.day, each.from_minute), instant(each.zone, each.day, each.until_minute))
                for each in self.dated if each.from_minute is not None and each.until_minute is not None
            )
        return found


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


def _weekly_bits(frame: Frame, zone: str, windows: Sequence[Weekly]) -> int:
    days = frame.days(zone)
    first, last = days[0], days[-1]
    if not _steady(zone, first, last):
        return frame.touched(_expanded(zone, windows, days))
    week, single = 0, []
    for window in windows:
        if window.from_day <= first and window.until_day >= last:
            start = (window.weekday * 1440 + window.from_minute) // 5
            week |= ((1 << ((window.until_minute - window.from_minute) // 5)) - 1) << start
        elif window.from_day <= last and window.until_day >= first:
            single.append(window)
    monday = first - (first - 1) % 7  # day 1 was a Monday
    lead = (frame.since - (midnight(zone, first) - (first - monday) * DAY)) // CELL
    whole = 0
    for n in range((lead + frame.cells) // WEEK + 1):
        whole |= week << n * WEEK
    found = whole >> lead & (1 << frame.cells) - 1
    return found | frame.touched(_expanded(zone, single, days)) if single else found


def _expanded(zone: str, windows: Iterable[Weekly], days: range) -> Iterator[Span]:
    for window in windows:
        for day in range(days[0] + (window.weekday - (days[0] - 1)) % 7, days[-1] + 1, 7):
            if window.from_day <= day <= window.until_day:
                yield instant(zone, day, window.from_minute), instant(zone, day, window.until_minute)


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
        return cls(*(mine if mine is not None else theirs  # type: ignore[arg-type]  # buffers are never empty
                     for mine, theirs in zip(own or (None,) * 4, general, strict=True)))


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
    taken: list[Span] = field(default_factory=list)
    """When any session takes them."""
    led: list[int] = field(default_factory=list)
    """When those that count for the limits begin."""
    _days: Counter[int] = field(default_factory=Counter, init=False, repr=False)
    _weeks: Counter[int] = field(default_factory=Counter, init=False, repr=False)

    def counts(self, zone: str) -> tuple[Counter[int], Counter[int]]:
        """How many sessions there are a local day, and a week (by its Monday); days are ordinals."""
        if self.led and not self._days:
            self._days.update(local_day(at, zone) for at in self.led)
            for day, many in self._days.items():
                self._weeks[monday_of(day)] += many
        return self._days, self._weeks

    def take(self, start: int, end: int, zone: str) -> None:
        """Count one more session."""
        days, weeks = self.counts(zone)
        self.taken.append((start, end))
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


@dataclass
class House:
    """A programme at some moment: when it is open at all."""

    policy: Policy
    zone: str
    now: int
    closures: Sequence[Closed] = ()
    _known: dict[Frame, int] = field(default_factory=dict)

    def bits(self, frame: Frame) -> int:
        """Opening hours without closures and public holidays."""
        if frame not in self._known:
            self._known[frame] = self.open(frame) & ~self.closed(frame)
        return self._known[frame]

    def open(self, frame: Frame) -> int:
        """Opening hours alone."""
        return Windows([
            Weekly(weekday, *hours, self.zone) for weekday, hours in enumerate(self.policy.open_hours) if hours
        ]).bits(frame)

    def closed(self, frame: Frame) -> int:
        """Closures and public holidays."""
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


class Taken(NamedTuple):
    """Somebody who takes part, or the room, is taken then."""

    who: str
    start: int
    end: int


@dataclass
class FreeTime:
    """When a practitioner (or nobody yet), others and a room are all to be had. `starts` and `problem` never differ."""

    frame: Frame
    house: House
    leader: Leader | None = None
    way: Way | None = None
    others: Sequence[Taken] = ()

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
        bits = self.open
        if self.leader is not None and (self.leader.taken or self.leader.off):
            bits &= ~self.frame.touched((*self.leader.off, *self._widened()))
        if self.others:
            bits &= ~self.frame.touched((each.start, each.end) for each in self.others)
        return bits

    def starts(self, length: timedelta, step: timedelta = timedelta(minutes=15)) -> list[datetime]:
        """When something of that length can begin, every `step` from the frame's start on."""
        return moments(self.frame, self.start_bits(length, step))

    def start_bits(self, length: timedelta, step: timedelta) -> int:
        """The same as bits. Both are multiples of five minutes."""
        cells, every = (round(each.total_seconds()) // CELL for each in (length, step))
        bits = fitting(self.free, cells) & self._timely()
        return bits & _every(every, self.frame.cells) if every > 1 else bits

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
                last_day = house.furthest - 1
                return Problem(lambda: f"At most {house.policy.ahead_days} days ahead, that is until"
                                       f" {_day_words(local_day(last_day, house.zone))}.")
        if self.leader is not None:
            if (away := self._away(start, end)) is not None:
                return Problem(lambda: away)
            if (full := self._full(start)) is not None:
                return Problem(lambda: full)
            before, after = self.leader.limits.before * 60, self.leader.limits.after * 60
            for a, b in self.leader.taken:
                if a < end and start < b:
                    if overlaps:
                        return self._busy(self.leader.name, a, b)
                elif a < end + after and start - before < b:
                    return Problem(lambda a=a, b=b: self._too_close(start, a, b))  # type: ignore[misc]
        for each in self.others if overlaps else ():
            if each.start < end and start < each.end:
                return self._busy(*each)
        return None

    def take(self, starts_at: datetime, ends_at: datetime) -> None:
        """Count a session that is placed there from now on."""
        if self.leader is not None:
            self.leader.take(int(starts_at.timestamp()), int(ends_at.timestamp()), self.house.zone)

    # What the two rest on

    def _widened(self) -> Iterator[Span]:
        assert self.leader is not None  # asked for where there is one
        before, after = self.leader.limits.before * 60, self.leader.limits.after * 60
        return ((start - after, end + before) for start, end in self.leader.taken)

    def _timely(self) -> int:
        """Bits at which notice, the furthest day and the limits let something begin."""
        frame, house = self.frame, self.house
        bits = (1 << frame.cells) - 1
        now, soonest = (-((frame.since - at) // CELL) for at in (house.now, house.soonest))
        if soonest > now:
            bits &= ~frame.touched([(frame.since + now * CELL, frame.since + soonest * CELL)])
        if house.furthest is not None and house.furthest < frame.until:
            ahead = max(house.furthest, frame.since + now * CELL)
            bits &= ~frame.touched([(ahead, frame.until)])
        if self.leader is not None and (self.leader.limits.a_day or self.leader.limits.a_week):
            a_day, a_week, zone = self.leader.limits.a_day, self.leader.limits.a_week, house.zone
            days, weeks = self.leader.counts(zone)
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
        words = house.policy.words
        own = way is not None and leader.own.get(way.id)
        if not (own or leader.general):
            return (f"{leader.name} has no hours yet, so nobody can book this {words.practitioner}."
                    " Add hours under Availability.")
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


def hours_problem(starts_at: datetime, ends_at: datetime, policy: Policy, zone: ZoneInfo) -> str | None:
    """Why the programme's opening hours do not hold this time, or nothing."""
    opening = Policy.model_construct(open_hours=policy.open_hours, words=policy.words)
    found = FreeTime(Frame.of(starts_at, ends_at), House(opening, zone.key, 0)).problem(starts_at, ends_at)
    return None if found is None else found.sentence

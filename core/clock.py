"""Local times and instants (X3). Weekly patterns and forms speak local time; everything stored is UTC."""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""Days the portal plans in; a day outside them is a slip of the hand."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?(am|pm)?", re.ASCII)
_LISTED, _FROM_TO = re.compile(r"\s*(?:[,;&+]|\band\b)\s*"), re.compile(r"\s*(?:[-–—]|\bto\b|\buntil\b)\s*")
_MIDNIGHT, LAST_MINUTE = ("24", "24:00", "0", "00", "0:00", "00:00", "midnight"), 24 * 60
_TYPED = re.compile(r"(?:[a-z]+,?\s+)?(?:(\d{1,2})\.?\s+([a-z]{3,9})|([a-z]{3,9})\s+(\d{1,2}))\.?(?:,?\s+(\d{4}))?")


@dataclass(frozen=True)
class Resolved:
    """A local time as an instant, and what the change of clocks did to it, if anything."""

    at: datetime
    remark: str | None = None


def zone_of(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises KeyError for an unknown one."""
    if name not in available_timezones():
        raise KeyError(name)
    return ZoneInfo(name)


def resolve(local: datetime, zone: ZoneInfo) -> Resolved:
    """The instant of a naive local time: one that the clock change skips moves forward, a doubled one is its first."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None  # a zone always has an offset
    assert after is not None
    at = first.astimezone(UTC)
    if before == after:
        return Resolved(at)
    if before < after:
        moved = f"{at.astimezone(zone):%H:%M}"
        return Resolved(at, f"The clocks go forward then: {local:%H:%M} does not exist that day, so it is {moved}.")
    return Resolved(at, f"The clocks go back then: {local:%H:%M} comes twice that day; the first one is meant.")


def at_local(day: date, clock: time, zone: ZoneInfo) -> Resolved:
    """As `resolve`, from a day and a time of day."""
    return resolve(datetime.combine(day, clock), zone)


@lru_cache(4096)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return at_local(day, time(), zone).at


_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}


def day_typed(text: str, today: date, *, past: bool = False) -> date:
    """The day that somebody typed: '2026-03-04', '4 Mar', 'Wed 4 March 2026', 'today', 'tomorrow' or 'friday'.

    Without a year it is the next such day from today on; of the `past`, the last one until today. Raises ValueError
    for anything else: a form such as 03/04 means two days to two people.
    """
    said = " ".join(text.lower().split())
    if said in _NEAR:
        return today + timedelta(days=_NEAR[said])
    if said[:3] in _DAYS and said.isalpha():
        ahead = (_DAYS.index(said[:3]) - today.weekday()) % 7
        return today + timedelta(days=ahead - 7 if past and ahead else ahead)
    if found := _TYPED.fullmatch(said):
        number, name = found[1] or found[4], found[2] or found[3]
        if name[:3] not in _MONTHS:
            raise ValueError(text)
        month, ahead = _MONTHS.index(name[:3]) + 1, -1 if past else 1
        for year in [int(found[5])] if found[5] else range(today.year, today.year + 9 * ahead, ahead):
            if not found[5] and (month, int(number)) == (2, 29) and not isleap(year):
                continue
            day = date(year, month, int(number))
            if found[5] or (day <= today if past else day >= today):
                return day
    return date.fromisoformat(said)


def time_typed(text: str) -> time:
    """The time of day that somebody typed: '9', '9:30', '09.30', '0930', '9:30 pm'. Raises ValueError for all else."""
    found = _CLOCK.fullmatch("".join(text.lower().split()))
    if not found:
        raise ValueError(f"no time: {text}")
    hour, half = int(found[1]), found[3]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"no time: {text}")
        hour = hour % 12 + 12 * (half == "pm")
    return time(hour, int(found[2] or 0))


def hours_typed(text: str) -> list[tuple[int, int]]:
    """Stretches of a day that somebody typed, as '9-12:30, 14 to 17' or '9am-5pm', in minutes after local midnight.

    An end at 24 or at 0 is the midnight that follows. Raises ValueError for all else.
    """
    found = []
    for part in filter(None, _LISTED.split(text.lower().strip())):
        first, last = _FROM_TO.split(part.strip())
        start = time_typed(first)
        end = LAST_MINUTE if last.strip() in _MIDNIGHT else _minute(time_typed(last))
        found.append((_minute(start), end))
    return sorted(found)


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both counted."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def when_words(starts_at: datetime, zone: ZoneInfo, ends_at: datetime | None = None) -> str:
    """A moment, or a stretch of time, as a refusal or a notice says it: 'Tue 3 Mar 2026, 10:00–11:00'."""
    start = starts_at.astimezone(zone)
    said = f"{start:%a} {start.day} {start:%b %Y, %H:%M}"
    if ends_at is None:
        return said
    end = ends_at.astimezone(zone)
    return f"{said}–{end:%H:%M}" if end.date() == start.date() else f"{said} – {end:%a} {end.day} {end:%b, %H:%M}"

"""Events as an iCalendar file (RFC 5545). Pure: the same events make the same bytes, whatever was typed into them.

Time zones, escaping and folding are icalendar's; the lines are put together here, since making an object of each
property takes five times as long, and some properties are then left unescaped.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vText
from icalendar.parser import Contentline

LONGEST_TEXT = 2_000
"""Characters of one text in an event; longer ones end in an ellipsis."""
ASK_AGAIN = "PT1H"
"""How often a calendar program is asked to look."""
AROUND = 1
"""Years before the first event and after the last one in which a time zone's changes of clocks are told."""


class Standing(StrEnum):
    """Whether an event takes place."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Event:
    """One session as a calendar shows it. Times are aware; `zone` is the one that they are told in."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    standing: Standing
    busy: bool
    """Whether it takes the owner's own time."""
    title: str
    place: str = ""
    about: str = ""
    link: str = ""


def calendar(name: str, events: Sequence[Event]) -> bytes:
    """The events as one calendar of that name, with every time zone that they are told in."""
    called = _text(name)
    lines = [b"BEGIN:VCALENDAR\r\n", *(_line(which, value) for which, value in (
        ("VERSION", "2.0"), ("PRODID", "-//Portal//Sessions//EN"), ("CALSCALE", "GREGORIAN"), ("NAME", called),
        ("X-WR-CALNAME", called), ("REFRESH-INTERVAL;VALUE=DURATION", ASK_AGAIN), ("X-PUBLISHED-TTL", ASK_AGAIN),
    )), *_zones(events)]
    for event in events:
        lines += _event(event)
    return b"".join([*lines, b"END:VCALENDAR\r\n"])


def _event(event: Event) -> Iterable[bytes]:
    changed = _utc(event.changed_at)
    start, end = (at.astimezone(event.zone) for at in (event.starts_at, event.ends_at))
    # An hour that comes twice means its first time in iCalendar; the second can only be told in UTC.
    in_utc = start.fold or end.fold or event.zone.key == "UTC"
    title = f"Cancelled: {event.title}" if event.standing is Standing.CANCELLED else event.title
    yield b"BEGIN:VEVENT\r\n"
    yield _line("UID", event.uid)
    yield _line("DTSTAMP", changed)
    yield _line("LAST-MODIFIED", changed)
    yield _line("SEQUENCE", str(event.sequence))
    for which, at in (("DTSTART", start), ("DTEND", end)):
        yield _line(which, _utc(at)) if in_utc else _line(f"{which};TZID={event.zone.key}", f"{at:%Y%m%dT%H%M%S}")
    yield _line("STATUS", event.standing)
    yield _line("TRANSP", "OPAQUE" if event.busy and event.standing is not Standing.CANCELLED else "TRANSPARENT")
    for which, text in (("SUMMARY", title), ("LOCATION", event.place), ("DESCRIPTION", event.about)):
        if said := _text(text):
            yield _line(which, said)
    if event.link:
        yield _line("URL", event.link)
    yield b"END:VEVENT\r\n"


def _line(name: str, value: str) -> bytes:
    return bytes(Contentline(f"{name}:{value}").to_ical()) + b"\r\n"  # type: ignore[no-untyped-call]


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """The text escaped, without what no line can hold: line ends of every kind are one, other control characters go."""
    lines = "\n".join(text.splitlines())
    shown = "".join(
        letter if letter == "\n" else " " if letter == "\t" else letter
        for letter in lines[:LONGEST_TEXT + 1] if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    ).strip()
    return vText(shown if len(shown) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT - 1]}…").to_ical().decode()


def _zones(events: Iterable[Event]) -> Iterable[bytes]:
    """A VTIMEZONE for each zone, over the years of its events."""
    years: dict[ZoneInfo, tuple[int, int]] = {}
    for event in events:
        first, last = years.get(event.zone, (event.starts_at.year, event.ends_at.year))
        years[event.zone] = min(first, event.starts_at.year), max(last, event.ends_at.year)
    for zone, (first, last) in sorted(years.items(), key=lambda each: each[0].key):
        if zone.key != "UTC":
            yield _timezone(zone, first - AROUND, last + AROUND)


@lru_cache(256)
def _timezone(zone: ZoneInfo, first: int, last: int) -> bytes:
    """The changes of clocks of a zone in these years, each by itself: its onset in the local time that it ends.

    icalendar's own `from_tzinfo` tells the onset in the time that begins, an hour late in spring.
    """
    found = Timezone()
    found.add("tzid", zone.key)
    start = datetime(first, 1, 1, tzinfo=UTC)
    before = start.astimezone(zone).utcoffset() or timedelta()
    for at in (start, *_changes(zone, start, datetime(last + 1, 1, 1, tzinfo=UTC))):
        local = at.astimezone(zone)
        after = local.utcoffset() or timedelta()
        part = TimezoneDaylight() if local.dst() else TimezoneStandard()
        part.add("dtstart", (at + before).replace(tzinfo=None))
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", after)
        part.add("tzname", local.tzname() or zone.key)
        found.add_component(part)
        before = after
    return bytes(found.to_ical())


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterable[datetime]:
    """The instants, to the second, at which the offset of a zone changes."""
    day = start
    while day < end:
        following = day + timedelta(days=1)
        if (was := day.astimezone(zone).utcoffset()) != following.astimezone(zone).utcoffset():
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == was else (low, middle)
            yield high
        day = following

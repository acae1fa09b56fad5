"""The file itself: right in every zone, and whole whatever was typed."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from icalendar import Event as Parsed

from core.feeds.ical import LONGEST_TEXT, Event, Standing, calendar

LONDON = ZoneInfo("Europe/London")
ONE = Event(
    uid="20260302T080000Z-session-1@portal", sequence=3, changed_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
    starts_at=datetime(2026, 3, 3, 10, tzinfo=UTC), ends_at=datetime(2026, 3, 3, 11, tzinfo=UTC), zone=LONDON,
    standing=Standing.CONFIRMED, busy=True, title="Session 1 · Tom", place="Blue room", about="Fractions\nMaths",
    link="https://portal.example/worksheet?session=1",
)


def parsed(file: bytes) -> Calendar:
    """The file as icalendar reads it; anything that it cannot make sense of fails."""
    found = Calendar.from_ical(file)
    assert isinstance(found, Calendar)
    for part in found.walk():
        assert part.errors == []
    return found


def events_of(file: bytes) -> list[Parsed]:
    return [part for part in parsed(file).walk("VEVENT") if isinstance(part, Parsed)]


def test_an_event_says_everything_once() -> None:
    (event,) = events_of(calendar("Sessions · Tom", [ONE]))
    assert (str(event["UID"]), event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == (
        ONE.uid, 3, "CONFIRMED", "OPAQUE")
    assert (event.decoded("dtstamp"), event.decoded("last-modified")) == (ONE.changed_at, ONE.changed_at)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (ONE.starts_at, ONE.ends_at)
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert (event["SUMMARY"], event["LOCATION"], event["DESCRIPTION"], event["URL"]) == (
        ONE.title, ONE.place, ONE.about, ONE.link)
    assert not isinstance(event["SUMMARY"], list)


def test_what_does_not_take_place_takes_nobodys_time_and_says_so() -> None:
    (event,) = events_of(calendar("x", [replace(ONE, standing=Standing.CANCELLED)]))
    assert (event["STATUS"], event["TRANSP"], event["SUMMARY"]) == (
        "CANCELLED", "TRANSPARENT", "Cancelled: Session 1 · Tom")


def test_no_events_are_a_calendar_too() -> None:
    assert parsed(calendar("Nothing yet", [])).calendar_name == "Nothing yet"


def test_the_same_events_make_the_same_bytes() -> None:
    assert calendar("x", [ONE]) == calendar("x", [replace(ONE)])


@pytest.mark.parametrize("zone", [
    "Europe/London", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata",
    "Africa/Casablanca", "Europe/Dublin", "America/St_Johns", "UTC",
])
def test_x3_every_hour_of_three_years_reads_back_across_every_change_of_clocks(zone: str) -> None:
    """By VTIMEZONE alone, worked out here by the letter of RFC 5545 and not by the zone's name."""
    where = ZoneInfo(zone)
    first, hours = datetime(2025, 1, 1, tzinfo=UTC), 3 * 365 * 24
    starts = [first + timedelta(hours=n, minutes=n % 4 * 15) for n in range(hours)]
    changes = [at for at, following in pairwise(starts)
               if at.astimezone(where).utcoffset() != following.astimezone(where).utcoffset()]
    near = [at for at in starts if any(abs(at - each) < timedelta(hours=4) for each in changes)] + starts[::97]
    listed = [replace(ONE, uid=f"{at:%s}", starts_at=at, ends_at=at + timedelta(minutes=45), zone=where) for at in near]
    file = calendar("x", listed)
    told = parsed(file)
    onsets = sorted(
        (part["DTSTART"].dt - part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td)
        for zone_ in told.walk("VTIMEZONE") for part in zone_.subcomponents
    )
    for event, wanted in zip(events_of(file), listed, strict=True):
        for name, instant in (("DTSTART", wanted.starts_at), ("DTEND", wanted.ends_at)):
            said = event[name].to_ical().decode()
            local = datetime.fromisoformat(said.rstrip("Z"))
            if said.endswith("Z"):
                assert local.replace(tzinfo=UTC) == instant
                continue
            # the first reading of a local time: the last onset that it is not before, each seen in its own past
            possible = [local - offset for n, (onset, offset) in enumerate(onsets)
                        if onset <= local - offset and (n + 1 == len(onsets) or local - offset < onsets[n + 1][0])]
            assert min(possible).replace(tzinfo=UTC) == instant, (zone, said)


def test_the_second_time_of_a_doubled_hour_is_told_in_utc() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    listed = [replace(ONE, uid=str(n), starts_at=at, ends_at=at + timedelta(minutes=15))
              for n, at in enumerate((first, second))]
    one, two = events_of(calendar("x", listed))
    assert one["DTSTART"].to_ical() == b"20261025T013000"
    assert two["DTSTART"].to_ical() == b"20261025T013000Z"


HOSTILE = (
    "\r\nBEGIN:VEVENT\r\nUID:evil\r\nEND:VEVENT", "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "\n", "\r", "\r\n ", "\x0b",
    "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\x07", "\x1b[2J", "\x7f", "\x9f", "\ud800", "\udfff",
    "👩‍👩‍👧‍👦", "🇩🇪", "שלום", "\u202eابجد\u202c", "\u200f", "é" * 40, "漢字" * 30,
    "x" * 10_240, "\\n", "\\", "\\\\;", ";,:", '"', "^n^'",
    "BEGIN:VEVENT", "END:VCALENDAR", "ATTENDEE:mailto:a@b.c", "\t", " ", "%0d%0a", "&#13;", "<b>", "=1+1", "\ufeff",
    "\r\nX-A;B=\"\r\n\":1", "SUMMARY:", "\n\nRRULE:FREQ=SECONDLY", "a\u0300" * 100,
)


def test_ten_thousand_hostile_texts_leave_exactly_the_events_that_belong() -> None:
    chance = random.Random(7)

    def hostile() -> str:
        return "".join(chance.choice((*HOSTILE, "Lesson", " at ", "12", "ü")) for _ in range(chance.randrange(1, 6)))

    for batch in range(20):
        listed = [
            replace(ONE, uid=f"{batch}-{n}@portal", title=hostile(), place=hostile(), about=hostile())
            for n in range(500)
        ]
        file = calendar(hostile(), listed)
        lines = file.split(b"\r\n")
        assert lines[-1] == b""
        assert max(map(len, lines)) <= 75
        assert not any(control in line for line in lines for control in (b"\r", b"\n", b"\0", b"\x1b", b"\x85\x0a"))
        file.decode("utf-8", "strict")
        for line in lines:  # no character is cut in two
            line.decode("utf-8", "strict")
        assert [str(each["UID"]) for each in events_of(file)] == [each.uid for each in listed]
        names = {line.split(b":")[0].split(b";")[0] for line in lines if line and not line.startswith(b" ")}
        assert names <= {
            b"BEGIN", b"END", b"PRODID", b"VERSION", b"CALSCALE", b"NAME", b"X-WR-CALNAME", b"X-PUBLISHED-TTL",
            b"REFRESH-INTERVAL", b"TZID", b"DTSTART", b"DTEND", b"TZOFFSETFROM", b"TZOFFSETTO", b"TZNAME", b"UID",
            b"DTSTAMP", b"LAST-MODIFIED", b"SEQUENCE", b"STATUS", b"TRANSP", b"SUMMARY", b"LOCATION", b"DESCRIPTION",
            b"URL",
        }
        assert sum(line == b"BEGIN:VEVENT" for line in lines) == sum(line == b"END:VEVENT" for line in lines) == 500


@pytest.mark.parametrize(("typed", "read"), [
    ("Überraschung; \"so\", \\o/", "Überraschung; \"so\", \\o/"), ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
    ("\\n is no line end", "\\n is no line end"), ("a\tb\x00c", "a bc"), ("👩‍👩‍👧‍👦 שלום", "👩‍👩‍👧‍👦 שלום"),
    ("x" * 10_240, "x" * (LONGEST_TEXT - 1) + "…"), ("  ", None),
])
def test_a_text_reads_back_as_it_was_typed(typed: str, read: str | None) -> None:
    (event,) = events_of(calendar("x", [replace(ONE, about=typed)]))
    assert event.get("DESCRIPTION") == read

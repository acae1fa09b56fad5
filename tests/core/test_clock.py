"""Local times and instants across every change of clocks (X3)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.clock import MINUTE, day_typed, resolve, time_typed, when_words, zone_of

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago")


def transitions(zone: ZoneInfo, years: range) -> list[datetime]:
    """Each instant from which the zone keeps another offset, found hour by hour and then by halves."""
    found = []
    at, end = datetime(years[0], 1, 1, tzinfo=UTC), datetime(years[-1] + 1, 1, 1, tzinfo=UTC)
    while at < end:
        later = at + timedelta(hours=6)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            low, high = at, later
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                middle = middle.replace(second=0, microsecond=0)
                if low.astimezone(zone).utcoffset() == middle.astimezone(zone).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high)
        at = later
    return found


@pytest.mark.parametrize("name", ZONES)
def test_x3_every_local_time_around_every_change_resolves(name: str) -> None:
    zone = zone_of(name)
    changes = transitions(zone, range(2024, 2030))
    assert len(changes) >= 10
    for change in changes:
        before = (change - MINUTE).astimezone(zone).utcoffset()
        after = change.astimezone(zone).utcoffset()
        assert before is not None
        assert after is not None
        edge = (change + before).replace(tzinfo=None)  # the wall clock just as it jumps
        width = abs(after - before)
        for minutes in range(-150, 151, 5):
            local = edge + minutes * MINUTE
            resolved = resolve(local, zone)
            shown = resolved.at.astimezone(zone).replace(tzinfo=None)
            if after > before and edge <= local < edge + width:
                assert shown == local + width  # skipped: it moves forward, and says so
                assert f"it is {shown:%H:%M}" in (resolved.remark or "")
            else:
                assert shown == local
                doubled = after < before and edge - width <= local < edge
                assert ("comes twice" in (resolved.remark or "")) == doubled
                if doubled:  # the first of the two
                    assert (resolved.at + width).astimezone(zone).replace(tzinfo=None) == local
                else:
                    assert resolved.remark is None


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(KeyError):
            zone_of(name)


def test_x3_a_moment_in_words_is_in_the_zones_own_time() -> None:
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert when_words(at, ZoneInfo("Europe/London"), at + timedelta(minutes=20)) == "Wed 1 Jul 2026, 23:30–23:50"
    late = at + timedelta(hours=1)
    assert when_words(at, ZoneInfo("Europe/London"), late) == "Wed 1 Jul 2026, 23:30 – Thu 2 Jul, 00:30"
    assert when_words(at, ZoneInfo("Asia/Tokyo")) == "Thu 2 Jul 2026, 07:30"


@pytest.mark.parametrize(("text", "day"), [
    ("2026-03-04", date(2026, 3, 4)), (" 4 Mar ", date(2026, 3, 4)), ("Wed 4 March 2027", date(2027, 3, 4)),
    ("mar 4, 2026", date(2026, 3, 4)), ("2 Mar", date(2027, 3, 2)), ("29 feb", date(2028, 2, 29)),
    ("today", date(2026, 3, 3)), ("Tomorrow", date(2026, 3, 4)), ("tue", date(2026, 3, 3)),
    ("Monday", date(2026, 3, 9)), ("9999-12-31", date(9999, 12, 31)),
])
def test_a_typed_day_is_the_next_such_day(text: str, day: date) -> None:
    assert day_typed(text, date(2026, 3, 3)) == day


@pytest.mark.parametrize(("text", "day"), [
    ("2 mar", date(2026, 3, 2)), ("3 mar", date(2026, 3, 3)), ("4 mar", date(2025, 3, 4)), ("mon", date(2026, 3, 2)),
    ("tue", date(2026, 3, 3)), ("wed", date(2026, 2, 25)), ("yesterday", date(2026, 3, 2)),
    ("29 feb", date(2024, 2, 29)), ("4 mar 2026", date(2026, 3, 4)),
])
def test_of_the_past_a_typed_day_is_the_last_such_day(text: str, day: date) -> None:
    assert day_typed(text, date(2026, 3, 3), past=True) == day


@pytest.mark.parametrize("text", [
    "31 Feb", "29 Feb 2027", "03/04/2026", "0 mar", "4 foo", "noon", "4", "<b>", "🎉", "2026-13-01",
])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|isoformat|foo"):
        day_typed(text, date(2026, 3, 3))


@pytest.mark.parametrize(("text", "clock"), [
    ("9", time(9)), ("9:30", time(9, 30)), ("09.30", time(9, 30)), ("0930", time(9, 30)), (" 14 : 05 ", time(14, 5)),
    ("9pm", time(21)), ("12 am", time(0)), ("12:15 PM", time(12, 15)), ("00:00", time(0)), ("930", time(9, 30)),
])
def test_a_typed_time_is_the_time_of_day_meant(text: str, clock: time) -> None:
    assert time_typed(text) == clock


@pytest.mark.parametrize("text", ["24:00", "9:60", "13pm", "0 am", "1_", "nine", "9:3", "12:30:15", "<b>", "🎉", "٩"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|must be in"):
        time_typed(text)


TEN_ZONES = (*ZONES, "Europe/Berlin", "Asia/Tehran", "Pacific/Chatham", "America/St_Johns", "Asia/Kathmandu")
QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize("name", TEN_ZONES)
def test_x3_every_quarter_of_a_year_is_classified_as_counting_instants_says(name: str) -> None:
    """35,040 wall times a zone: one that no instant shows is skipped, one that two show is doubled."""
    zone, first = zone_of(name), datetime.combine(date(2026, 1, 1), time())
    shown: dict[datetime, list[datetime]] = {}
    at = datetime(2025, 12, 30, tzinfo=UTC)
    while at < datetime(2027, 1, 3, tzinfo=UTC):
        shown.setdefault(at.astimezone(zone).replace(tzinfo=None), []).append(at)
        at += QUARTER
    for n in range(365 * 96):
        local = first + n * QUARTER
        found, instants = resolve(local, zone), shown.get(local, [])
        if not instants:
            assert "does not exist" in (found.remark or ""), local
            assert found.at.astimezone(zone).replace(tzinfo=None) > local
        else:
            assert found.at == instants[0], local
            assert ("comes twice" in (found.remark or "")) == (len(instants) == 2), local

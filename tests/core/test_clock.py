"""Local times and instants across every change of clocks (X3)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.clock import MINUTE, resolve, when_words, zone_of

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

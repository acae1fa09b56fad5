"""Weekly hours keep their wall-clock time across both changes of clocks (X3)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.availability.rules import Frame, Week, Weekly, Windows


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago"])
def test_x3_a_weekly_nine_o_clock_stays_nine_o_clock(zone: str) -> None:
    window = Weekly(6, 9 * 60, 10 * 60, zone)  # Sundays, on which clocks change
    frame = Frame.of(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    spans = frame.runs(Windows(Week([window])).bits(frame))
    begun = [datetime.fromtimestamp(start, ZoneInfo(zone)) for start, _ in spans]
    sundays = [date(2026, 1, 4) + timedelta(weeks=n) for n in range(52)]
    assert [(each.date(), each.hour, each.minute) for each in begun] == [(day, 9, 0) for day in sundays]
    assert len({each.utcoffset() for each in begun}) == 2

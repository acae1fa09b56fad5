"""What takes a time away, in the words that a refusal says it with (B6, B7, B12, C6, X3)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.availability.rules import (
    FAR_AHEAD,
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
    holiday,
    instant,
)
from core.programmes.rules import Policy
from db.words import TimetableKind

LONDON, HOUR, MINUTE = "Europe/London", timedelta(hours=1), timedelta(minutes=1)
TUESDAY = date(2026, 3, 3)
TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
NINE_TO_FIVE = Week(Weekly(day, 9 * 60, 17 * 60, LONDON) for day in range(5))


def at(moment: datetime) -> int:
    return int(moment.timestamp())


def free(*, way: Way | None = None, others: tuple[Other, ...] = (), now: datetime = TEN - 24 * HOUR,
         closures: tuple[Closed, ...] = (), policy: Policy | None = None, **tom: object) -> FreeTime:
    house = House(policy or Policy(open_hours=[(8 * 60, 20 * 60)] * 6 + [None]), LONDON, at(now), closures)
    leader = Leader(1, "Tom", **{"general": Windows(NINE_TO_FIVE), **tom})  # type: ignore[arg-type]
    return FreeTime(Frame.of(TEN - 10 * HOUR, TEN + 86 * HOUR), house, leader, way, others)


def said(time: FreeTime, start: datetime = TEN, length: timedelta = HOUR) -> str:
    problem = time.problem(start, start + length)
    return problem.sentence if problem else ""


OWN = Way(7, "Tom's own", TimetableKind.CUSTOM, 1)
SCHEDULE = Windows(Week([Weekly(1, 600, 720, LONDON)]))
CLINIC = Way(8, "Clinic", TimetableKind.REGULAR, schedule=SCHEDULE, roster=frozenset({1}))


@pytest.mark.parametrize(("time", "sentence"), [
    (free(), ""),
    (free(general=Windows()),
     "Tom has no hours yet, so nobody can book this practitioner. Add hours under Availability."),
    (free(general=Windows(Week([Weekly(2, 540, 1020, LONDON)]))), "Tom has no hours on Tue 3 Mar 2026."),
    (free(general=Windows(Week([Weekly(1, 540, 630, LONDON), Weekly(1, 780, 1020, LONDON)]))),
     "Tom has hours on Tue 3 Mar 2026 at 09:00–10:30 and 13:00–17:00 only."),
    (free(general=Windows(NINE_TO_FIVE, [Dated(TUESDAY.toordinal(), None, None, LONDON)])),
     "Tom has no hours on Tue 3 Mar 2026."),
    (free(general=Windows(Week(), [Dated(TUESDAY.toordinal(), 600, 660, LONDON)])), ""),
    (free(off=[(at(TEN + 30 * MINUTE), at(TEN + 5 * HOUR))]), "Tom is away Tue 3 Mar 2026, 10:30–15:00."),
    (free(closures=(Closed(TUESDAY.toordinal() - 1, TUESDAY.toordinal(), "a move"),)),
     "Closed on Tue 3 Mar 2026: a move."),
    (free(own={7: Windows(Week([Weekly(1, 600, 660, LONDON)]))}), "Tom keeps that time for a timetable of their own."),
    (free(own={7: Windows(Week([Weekly(1, 600, 660, LONDON)]))}, way=OWN), ""),
    (free(own={7: Windows(Week([Weekly(1, 660, 720, LONDON)]))}, way=OWN),
     "Tom's own has hours on Tue 3 Mar 2026 at 11:00–12:00 only."),
    (free(way=OWN), ""),
    (free(way=CLINIC), ""),
    (free(way=Way(8, "Clinic", TimetableKind.REGULAR, schedule=SCHEDULE)), "Tom is not on the roster of Clinic."),
    (free(limits=Limits(after=15), taken=Calendar([(at(TEN + 70 * MINUTE), at(TEN + 2 * HOUR))])),
     "Tom keeps 15 minutes free after a session, and the next one begins Tue 3 Mar 2026, 11:10."),
    (free(limits=Limits(before=30), taken=Calendar([(at(TEN - 80 * MINUTE), at(TEN - 20 * MINUTE))])),
     "Tom keeps 30 minutes free before a session, and the one before ends Tue 3 Mar 2026, 09:40."),
    (free(limits=Limits(a_day=2), led=[at(TEN + 2 * HOUR), at(TEN + 4 * HOUR)]),
     "Tom has 2 sessions on Tue 3 Mar 2026 already; at most 2 a day."),
    (free(limits=Limits(a_week=1), led=[at(TEN + 72 * HOUR)]),
     "Tom has 1 session in the week of Mon 2 Mar 2026 already; at most 1 a week."),
    (free(taken=Calendar([(at(TEN + 30 * MINUTE), at(TEN + 2 * HOUR))])), "Tom is busy Tue 3 Mar 2026, 10:30–12:00."),
    (free(others=(Other("Sara", Calendar([(at(TEN), at(TEN + HOUR))])),)), "Sara is busy Tue 3 Mar 2026, 10:00–11:00."),
    (free(policy=Policy(notice_minutes=2 * 24 * 60)), "At least 2 days ahead, that is from Wed 4 Mar 2026, 10:00 on."),
    (free(policy=Policy(ahead_days=1), now=TEN - 72 * HOUR), "At most 1 day ahead, that is until Sun 1 Mar 2026."),
    (free(policy=Policy(notice_minutes=60, ahead_days=1), now=TEN + 48 * HOUR), ""),
    (free(policy=Policy(open_hours=[None] * 7)), "Closed on Tuesdays."),
])
def test_c6_a_refusal_says_who_when_and_why(time: FreeTime, sentence: str) -> None:
    """B6, B12; and what is refused is not offered."""
    assert said(time) == sentence
    assert (TEN in time.starts(HOUR)) is (not sentence)


def test_b6_a_slot_is_the_schedule_where_a_rostered_practitioner_has_hours() -> None:
    assert said(free(way=CLINIC), TEN + 2 * HOUR) == "Clinic has hours on Tue 3 Mar 2026 at 10:00–12:00 only."
    assert free(way=CLINIC).starts(HOUR, HOUR) == [TEN, TEN + HOUR]
    assert "Tom has hours" in said(free(way=CLINIC, general=Windows(Week([Weekly(1, 540, 630, LONDON)]))))


def test_x3_a_window_until_midnight_ends_at_the_next_local_one_and_meets_what_follows() -> None:
    night = Windows(Week([Weekly(1, 1320, 1440, LONDON), Weekly(2, 0, 120, LONDON)]))
    always = Policy(open_hours=[(0, 1440)] * 7)
    late = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    assert said(free(general=night, policy=always), late) == ""
    too_long = said(free(general=night, policy=always), late, 4 * HOUR)
    assert too_long == "Tom has hours on Wed 4 Mar 2026 at 00:00–02:00 only."


@pytest.mark.parametrize(("zone", "day", "minute", "moment"), [
    (LONDON, date(2026, 3, 29), 90, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # skipped: moves forward
    (LONDON, date(2026, 10, 25), 90, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # doubled: the first
    (LONDON, date(2026, 10, 25), 1440, datetime(2026, 10, 26, tzinfo=UTC)),
    ("Africa/Cairo", date(2026, 4, 24), 0, datetime(2026, 4, 23, 22, tzinfo=UTC)),  # a day that begins at one
])
def test_x3_local_minutes_become_instants(zone: str, day: date, minute: int, moment: datetime) -> None:
    assert instant(zone, day.toordinal(), minute) == at(moment)


@pytest.mark.parametrize("since", [datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 9, 1, 12, 35, tzinfo=UTC)])
def test_x3_weeks_with_a_clock_change_among_them_are_the_same_bits_as_day_by_day(since: datetime) -> None:
    frame = Frame.of(since, since + timedelta(weeks=13))
    hours = Week([*NINE_TO_FIVE, Weekly(6, 0, 1440, LONDON), Weekly(5, 60, 180, LONDON), Weekly(2, 1200, 1440, LONDON)])
    days = frame.days(LONDON)
    assert hours.bits(frame) == frame.touched(Windows(hours).spans(days[0], days[-1]))


def test_public_holidays_are_closed_where_policy_keeps_them() -> None:
    friday = date(2026, 4, 3).toordinal()
    assert holiday(Policy(holidays_country="GB", holidays_region="ENG"), friday) == "Good Friday"
    assert holiday(Policy(), friday) is None


@pytest.mark.parametrize(("start", "length", "sentence"), [
    (TEN, HOUR, None), (TEN + 9 * HOUR, 2 * HOUR, "Open 08:00–20:00 on Tuesdays."),
    (datetime(2026, 3, 8, 10, tzinfo=UTC), HOUR, "Closed on Sundays."),
])
def test_opening_hours_alone(start: datetime, length: timedelta, sentence: str | None) -> None:
    policy = Policy(open_hours=[(8 * 60, 20 * 60)] * 6 + [None], notice_minutes=60, ahead_days=1)
    found = FreeTime(Frame.of(start, start + length), House(policy, LONDON, FAR_AHEAD)).problem(start, start + length)
    assert (found and found.sentence) == sentence

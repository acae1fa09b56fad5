"""What is in view of the calendar, for whom, and how many where they are too many (A1, B2, E7, X3, X6)."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import NotFound
from core.sessions.calendar import (
    agenda,
    gathered,
    hours_shown,
    in_view,
    months_on,
    wall_times,
    week_start,
)
from core.sessions.queries import Filters
from db.words import Status
from tests.factories import DAY, HOUR, MINUTE, TEN, World, statements

LONDON = ZoneInfo("Europe/London")
SINCE, UNTIL = TEN - 10 * HOUR, TEN + 14 * HOUR
"""The Tuesday."""


def test_a1_e7_what_takes_place_is_in_view_past_or_not(world: World) -> None:
    before, within, after = (
        world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * DAY) for n in (-1, 0, 1))
    over_midnight = world.book(practitioner=world.tess, starts_at=SINCE - 30 * MINUTE, reason="late")
    world.book(practitioner=world.tess)
    world.now = TEN + 30 * DAY
    with world.reading(world.alice) as work:
        assert [row.id for row in in_view(work, world.programme, Filters(), SINCE, UNTIL).rows] == [
            over_midnight, within]
        whole = in_view(work, world.programme, Filters(), SINCE - DAY, UNTIL + DAY)
        assert [row.id for row in whole.rows] == [before, over_midnight, within, after]
        assert (whole.crowded, whole.total) == (False, 4)


@pytest.mark.parametrize(("persona", "sees"), [
    ("alice", True), ("mona", True), ("tom", True), ("sara", True), ("gus", True), ("lena", True), ("tess", False),
    ("vic", False),
])
def test_x6_what_the_viewer_may_not_see_is_not_there(world: World, persona: str, sees: bool) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="secret")
    with world.reading(world.people[persona]) as work:
        assert in_view(work, world.programme, Filters(), SINCE, UNTIL).total == sees
        assert in_view(work, world.programme, Filters(), SINCE, UNTIL, most=0).total == sees
        assert agenda(work, world.programme, Filters(), SINCE, UNTIL, most=0) == ([], int(sees))


def test_x6_a_foreign_programme_is_not_there(world: World) -> None:
    with world.reading(world.alice) as work, pytest.raises(NotFound):
        in_view(work, world.elsewhere, Filters(), SINCE, UNTIL)


def test_b2_the_same_filters_as_the_list_hold(world: World) -> None:
    one = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN, timetable=world.weekly, room=world.room,
                     course_ids=(world.maths,))
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, room=world.attic)
    for filters in (
        Filters(practitioners=(world.tom,)), Filters(learners=(world.sara,)), Filters(timetables=(world.weekly,)),
        Filters(courses=(world.maths,)), Filters(rooms=(world.room,)), Filters(teams=(world.comet,)),
    ):
        with world.reading(world.ben) as work:
            assert [row.id for row in in_view(work, world.programme, filters, SINCE, UNTIL).rows] == [one]
    with world.reading(world.ben) as work:
        held = Filters(statuses=(Status.HELD,))
        assert not in_view(work, world.programme, held, SINCE, UNTIL).total
        assert not in_view(work, world.programme, held, SINCE, UNTIL, most=0).total


def test_more_than_fit_are_counted_by_status_with_as_many_queries(world: World) -> None:
    world.book_many([
        world.booking(practitioner=world.tom, starts_at=TEN + n // 5 * DAY + n % 5 * HOUR) for n in range(10)])
    world.held(world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN + 15 * MINUTE))

    def counted(until: datetime) -> tuple[int, int]:
        with world.reading(world.alice) as work, statements(world.engine) as sent:
            return in_view(work, world.programme, Filters(), SINCE, until, most=3).total, len(sent)

    assert counted(UNTIL)[0] == 6
    assert counted(UNTIL + DAY) == (11, counted(UNTIL)[1])
    with world.reading(world.alice) as work:
        found = in_view(work, world.programme, Filters(), SINCE, UNTIL + DAY, most=3)
        rows, total = agenda(work, world.programme, Filters(), SINCE, UNTIL + DAY, most=4)
    assert found.crowded
    assert not found.rows
    assert gathered(found.counts, LONDON, hourly=False) == {
        datetime.fromisoformat("2026-03-03"): Counter(scheduled=5, held=1),
        datetime.fromisoformat("2026-03-04"): Counter(scheduled=5),
    }
    assert gathered(found.counts, LONDON, hourly=True)[datetime.fromisoformat("2026-03-03T10:00")] == {
        "scheduled": 1, "held": 1}
    assert ([row.starts_at for row in rows], total) == ([TEN, TEN + 15 * MINUTE, TEN + HOUR, TEN + 2 * HOUR], 11)


@pytest.mark.parametrize(("starts_at", "hours", "shown"), [
    (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 1, ("00:30", "02:30")),  # the hour from one to two is skipped
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1, ("01:30", "02:30")),  # it comes twice: the second half past one
    (datetime(2026, 10, 25, 0, 15, tzinfo=UTC), 0.5, ("01:15", "01:45")),
    (datetime(2026, 7, 1, 9, tzinfo=UTC), 1, ("10:00", "11:00")),
])
def test_x3_a_session_stands_at_its_wall_time(starts_at: datetime, hours: float, shown: tuple[str, str]) -> None:
    start, end = wall_times(starts_at, starts_at + hours * HOUR, LONDON)
    assert (f"{start:%H:%M}", f"{end:%H:%M}") == shown
    assert start < end


@pytest.mark.parametrize(("first", "start"), [(0, date(2026, 3, 2)), (6, date(2026, 3, 1)), (5, date(2026, 2, 28))])
def test_weeks_start_as_they_do_where_the_viewer_lives(first: int, start: date) -> None:
    assert week_start(date(2026, 3, 3), first) == start


def test_months_turn_within_the_days_that_the_portal_plans_in() -> None:
    assert months_on(date(2026, 12, 31), 2) == date(2027, 2, 1)
    assert months_on(date(2026, 1, 31), -1) == date(2025, 12, 1)
    assert months_on(date(2000, 1, 5), -3) == date(2000, 1, 1)
    assert months_on(date(2099, 12, 5), 3) == date(2099, 12, 31)


@pytest.mark.parametrize(("opened", "taken", "shown"), [
    ([], [], (8, 18)),
    ([("03T09:00", "03T17:00")], [], (9, 17)),
    ([("03T09:00", "03T17:00")], [("03T07:30", "03T08:30"), ("03T20:00", "03T20:15")], (7, 21)),
    ([("03T09:00", "03T17:00")], [("03T23:00", "04T01:00")], (0, 24)),
    ([("03T08:00", "04T00:00")], [], (8, 24)),
])
def test_hours_shown_hold_opening_hours_and_what_takes_place(opened: Any, taken: Any, shown: tuple[int, int]) -> None:
    def times(spans: Any) -> list[tuple[datetime, datetime]]:
        return [(datetime.fromisoformat(f"2026-03-{a}"), datetime.fromisoformat(f"2026-03-{b}")) for a, b in spans]

    assert hours_shown(times(opened), times(taken)) == shown

"""What a booking form knows before it is sent (C6, X3)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.programmes.rules import Policy
from core.sessions.busy import Busy
from core.sessions.planning import Mark, copy_of, day_marks, involved, next_of, open_spans
from tests.factories import DAY, HOUR, TEN, World

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
POLICY = Policy(open_hours=[(9 * 60, 12 * 60)] * 5 + [None, None])


def taken(start: int, end: int) -> Busy:
    """Somebody taken on Tuesday, 3 March 2026, between two hours."""
    starts_at, ends_at = (datetime(2026, 3, 3, hour, tzinfo=UTC) for hour in (start, end))
    return Busy("Tom", 1, None, starts_at, ends_at, "", None)


@pytest.mark.parametrize(("busy", "minutes", "mark"), [
    ([], 60, Mark.FREE), ([taken(9, 10)], 60, Mark.PARTLY), ([taken(9, 10)], 120, Mark.PARTLY),
    ([taken(9, 10)], 125, Mark.FULL), ([taken(10, 11)], 65, Mark.FULL), ([taken(8, 13)], 15, Mark.FULL),
    ([taken(9, 11), taken(10, 12)], 15, Mark.FULL),
])
def test_c6_days_are_marked(busy: list[Busy], minutes: int, mark: Mark) -> None:
    tuesday = date(2026, 3, 3)
    assert day_marks(busy, [tuesday], minutes, POLICY, LONDON, LONDON) == {tuesday: mark}


def test_c6_a_closed_day_says_so() -> None:
    assert day_marks([], [date(2026, 3, 7)], 60, POLICY, LONDON, LONDON) == {date(2026, 3, 7): Mark.CLOSED}


def test_x3_opening_hours_are_those_of_the_programmes_zone() -> None:
    since = datetime(2026, 3, 3, 5, tzinfo=UTC)
    spans = open_spans(POLICY, NEW_YORK, since, since + timedelta(days=1))
    assert spans == [(datetime(2026, 3, 3, 14, tzinfo=UTC), datetime(2026, 3, 3, 17, tzinfo=UTC))]


def test_a_team_takes_the_time_of_its_members_of_that_day(world: World) -> None:
    team = world.team("Shifting", world.sara, until=date(2026, 3, 2))
    world.join(team, world.vic, since=date(2026, 3, 3))
    with world.reading(world.ben) as work:
        assert involved(work, world.programme, (world.tom, None), team, date(2026, 3, 3)) == {world.tom, world.vic}
        assert involved(work, world.elsewhere, (), team, date(2026, 3, 3)) == frozenset()


def test_a_copy_has_no_number_and_no_time_and_is_linked(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, planning_notes="plan")
    with world.reading(world.ben) as work:
        copy = copy_of(work, session)
    assert (copy.number, copy.starts_at, copy.follows_id, copy.planning_notes) == (None, None, session, "plan")


def test_x3_the_next_one_of_an_old_session_is_the_first_still_ahead(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with world.reading(world.ben, now=TEN + 15 * DAY) as work:
        assert next_of(work, session).starts_at == TEN + 21 * DAY
    with world.reading(world.ben, now=TEN + 22 * DAY) as work:  # the clocks have changed by then
        assert next_of(work, session).starts_at == TEN + 28 * DAY - HOUR

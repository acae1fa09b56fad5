"""What a booking form knows before it is sent (X3)."""

from datetime import date

from core.sessions.planning import copy_of, involved, next_of
from tests.factories import DAY, HOUR, TEN, World


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

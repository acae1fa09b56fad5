"""Whose hours somebody keeps, and who still has none."""

import pytest
from sqlalchemy import delete

from core.availability.commands import Whose, Window, save_weekly_hours
from core.availability.hours import bookable, not_bookable, own_timetables
from core.errors import NotAllowed, NotFound
from db.models.availability import WeeklyWindow
from tests.factories import World


def test_b11_staff_keep_everybodys_hours_and_a_practitioner_their_own(world: World) -> None:
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow).where(
        WeeklyWindow.person_id.in_([world.tom, world.tess]))) and None)
    windows = [Window(day, 9 * 60, 17 * 60, "Europe/London") for day in range(5)]
    world.do(world.tess, save_weekly_hours, Whose(world.programme, world.tess), windows)
    with world.reading(world.ben) as work:
        assert [(each.id, each.minutes, each.bookable) for each in bookable(work, world.programme)] == [
            (world.tess, 2400, True), (world.tom, 0, False)]
        assert [id_ for id_, _ in not_bookable(work, world.programme)] == [world.tom]
    for who, missing in ((world.tom, [world.tom]), (world.tess, [])):
        with world.reading(who) as work:
            assert [each.id for each in bookable(work, world.programme)] == [who]
            assert [id_ for id_, _ in not_bookable(work, world.programme)] == missing


@pytest.mark.parametrize("who", ["mona", "sara", "gus", "lena", "cuno", "zed"])
def test_x6_nobody_else_learns_who_has_no_hours(world: World, who: str) -> None:
    with world.reading(getattr(world, who)) as work:
        for ask in (bookable, not_bookable):
            with pytest.raises((NotAllowed, NotFound)):
                ask(work, world.programme)


def test_b6_own_timetables_are_told_to_their_owner_and_staff(world: World) -> None:
    for who in (world.tom, world.ben):
        with world.reading(who) as work:
            assert [id_ for id_, _ in own_timetables(work, world.programme, world.tom)] == [world.toms_own]
    with world.reading(world.tess) as work, pytest.raises(NotAllowed):
        own_timetables(work, world.programme, world.tom)

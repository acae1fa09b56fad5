"""A timetable as its viewers see it (B6, B7, B11, X6)."""

import pytest
from sqlalchemy import delete

from core.availability.commands import Window, save_weekly_hours, set_roster
from core.availability.timetables import timetable
from core.errors import NotFound
from db.models.availability import WeeklyWindow
from tests.factories import World

LONDON = "Europe/London"


def test_b6_a_regular_timetable_tells_its_schedule_and_roster(world: World) -> None:
    whose = seen(world, world.alice, world.weekly).whose
    world.do(world.alice, save_weekly_hours, whose, [Window(0, 540, 720, LONDON)])
    world.do(world.alice, set_roster, world.weekly, [world.tom, world.tess])
    view = seen(world, world.ben, world.weekly)
    assert [each.window.weekday for each in view.windows] == [0]
    assert [name for _, name in view.roster] == ["Tess", "Tom"]
    assert (view.may_edit, view.keeps_hours) == (False, False)
    assert seen(world, world.cora, world.weekly).may_edit


def test_b11_a_custom_one_is_kept_by_its_owner(world: World) -> None:
    view = seen(world, world.tom, world.toms_own)
    assert (view.may_edit, view.keeps_hours, view.roster) == (False, True, ((world.tom, "Tom"),))
    assert not seen(world, world.tess, world.toms_own).keeps_hours


def test_x6_what_a_viewer_may_not_see_does_not_exist(world: World) -> None:
    world.do(world.alice, set_roster, world.weekly, [world.tom, world.tess])
    for who, which in ((world.gus, world.weekly), (world.alice, world.their_timetable), (world.alice, 10**12)):
        with pytest.raises(NotFound):
            seen(world, who, which)
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.toms_own, starts_at=None)
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.weekly, starts_at=None)
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow)) and None)
    assert [name for _, name in seen(world, world.gus, world.weekly).roster] == ["Tom"]  # not Tess, whom Sara never met


def seen(world: World, who: int, which: int):  # type: ignore[no-untyped-def]
    with world.reading(who) as work:
        return timetable(work, which)

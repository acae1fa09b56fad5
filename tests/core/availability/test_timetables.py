"""A timetable as its viewers see it, and weekly hours as they are typed and changed (B6, B7, B11, X6)."""

from datetime import date

import pytest
from sqlalchemy import delete

from core.availability.commands import Window, save_weekly_hours, set_roster
from core.availability.timetables import changed_from, hours_on, hours_typed, timetable
from core.errors import NotFound
from db.models.availability import WeeklyWindow
from tests.factories import World

LONDON = "Europe/London"
MARCH = date(2026, 3, 2)


@pytest.mark.parametrize(("typed", "hours"), [
    ("", []), ("9-12", [(540, 720)]), ("9:30 – 12, 13 to 17:15", [(570, 720), (780, 1035)]),
    ("9 am to 5 pm", [(540, 1020)]), ("22–24", [(1320, 1440)]), ("22-0:00", [(1320, 1440)]),
    ("9-10; 11-12", [(540, 600), (660, 720)]), ("9-10 and 11-12", [(540, 600), (660, 720)]),
])
def test_hours_are_typed_as_people_say_them(typed: str, hours: list[tuple[int, int]]) -> None:
    assert hours_typed(typed) == hours


@pytest.mark.parametrize("typed", ["9", "9-", "noon-1", "9-25", "9--12", "x" * 500, "9-10-11", "<b>9-10</b>"])
def test_what_is_no_hours_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"no time|unpack|hour must"):
        hours_typed(typed)


def test_hours_change_from_a_day_on_and_what_held_before_it_stays_until_then() -> None:
    monday, tuesday = (Window(day, 540, 720, LONDON) for day in (0, 1))
    later = Window(1, 600, 720, LONDON)
    changed = changed_from([monday, tuesday], MARCH, [monday, later])
    assert changed == [monday, Window(1, 540, 720, LONDON, tuesday.from_day, date(2026, 3, 1)),
                       Window(1, 600, 720, LONDON, MARCH)]
    assert hours_on(changed, date(2026, 3, 1)) == [monday, changed[1]]
    assert hours_on(changed, MARCH) == [monday, changed[2]]
    assert changed_from(changed, MARCH, [monday, later]) == [monday, changed[2], changed[1]]


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

"""Utilisation: who sees which figures, what each of them counts, and at what cost."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from core.errors import NotAllowed, NotFound
from core.insight.queries import Line, asked_for, utilisation
from core.insight.rules import MEANS, MOST_WEEKS, Figure, Minutes, total, weeks_shown
from core.permissions import Action
from core.sessions.queries import Filters
from core.settings import HOME
from db.models.availability import Closure, Roster, TimeOff, WeeklyWindow
from db.models.sessions import Participation
from db.words import Outcome, Role
from tests.factories import DAY, HOUR, LONG_AGO, TEN, World, statements

WEEK = Filters(since=date(2026, 3, 2), until=date(2026, 3, 2))
SUNDAY_NIGHT = TEN + 5 * DAY + 13 * HOUR
"""Sunday, 8 March 2026, 23:00 in London."""


@pytest.fixture
def world(world: World) -> World:
    """Opening hours hold nobody; Tom can be booked on Tuesdays from nine to five, Tess never."""
    world.policy(open_hours=[(0, 1440)] * 7)
    world.raw(lambda work: work.tx.execute(
        delete(WeeklyWindow).where(WeeklyWindow.programme_id == world.programme)) and None)
    tuesdays(world, world.tom, 9, 17)
    return world


def tuesdays(world: World, person: int | None, first: int, last: int, timetable: int | None = None) -> None:
    world.add(WeeklyWindow, programme_id=world.programme, person_id=person, timetable_id=timetable, weekday=1,
              from_minute=first * 60, until_minute=last * 60, zone="Europe/London", from_day=LONG_AGO)


def lines(world: World, who: int | None = None, filters: Filters = WEEK) -> dict[str, Line]:
    with world.reading(who or world.mona) as work:
        return {line.name: line for line in utilisation(work, world.programme, filters).lines}


def tom(world: World, filters: Filters = WEEK) -> tuple[int, int, int]:
    """Tom's figures in minutes: available, booked, delivered."""
    return tuple(lines(world, filters=filters)["Tom"].total)  # type: ignore[return-value]


# Who sees them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("persona", "sees"), [
    ("alice", {"Tom", "Tess"}), ("cora", {"Tom", "Tess"}), ("mona", {"Tom", "Tess"}), ("tom", {"Tom"}),
    ("tess", {"Tess"}),
])
def test_x6_each_sees_the_figures_of_their_role(world: World, persona: str, sees: set[str]) -> None:
    world.elsewhere_session()
    assert set(lines(world, world.people[persona])) == sees
    chosen = Filters(practitioners=(world.tom, world.zed))
    assert set(lines(world, world.people[persona], chosen)) == sees & {"Tom"}


@pytest.mark.parametrize("persona", ["ben", "cuno", "sara", "gus", "lena"])
def test_nobody_else_does(world: World, persona: str) -> None:
    with pytest.raises(NotAllowed, match="You may not see figures"):
        lines(world, world.people[persona])


def test_x6_a_foreign_programme_does_not_exist(world: World) -> None:
    for name in ("zed", "zara"):
        with pytest.raises(NotFound):
            lines(world, world.people[name])


def test_a_custom_manager_does_where_ticked(world: World) -> None:
    world.tick(Action.INSIGHT_SEE)
    assert set(lines(world, world.cuno)) == {"Tom", "Tess"}


def test_x6_an_address_tells_nothing_of_foreign_people(world: World) -> None:
    with world.reading(world.mona) as work:
        asked = asked_for(work, world.programme, {"practitioner": ["Zed", "Tom"], "status": ["held"]})
    assert asked.unknown == ("Zed",)
    assert asked.filters.statuses == ()


# What they count ---------------------------------------------------------------------------------------------------


def test_available_is_hours_less_time_off_and_closures_taken_or_not(world: World) -> None:
    assert tom(world) == (480, 0, 0)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert tom(world) == (480, 60, 0)
    world.add(TimeOff, person_id=world.tom, starts_at=TEN + 2 * HOUR, ends_at=TEN + 3 * HOUR)
    assert tom(world) == (420, 60, 0)
    world.policy(open_hours=[(0, 600)] * 7)
    assert tom(world) == (60, 60, 0)
    world.add(Closure, programme_id=world.programme, first_day=TEN.date(), last_day=TEN.date(), name="Inventory")
    assert tom(world) == (0, 60, 0)
    assert lines(world)["Tom"].total.percent is None, "neither 0 % nor without end"


def test_hours_of_an_own_timetable_are_available_too_and_by_themselves(world: World) -> None:
    tuesdays(world, world.tom, 18, 20, world.toms_own)
    assert tom(world) == (600, 0, 0)
    filters = Filters(since=WEEK.since, until=WEEK.until, timetables=(world.toms_own,))
    assert tom(world, filters) == (120, 0, 0)
    assert set(lines(world, filters=filters)) == {"Tom"}, "nobody else has anything there"


def test_b6_under_a_regular_timetable_the_roster_within_its_schedule_is_available(world: World) -> None:
    tuesdays(world, None, 12, 20, world.weekly)
    tuesdays(world, world.tess, 9, 17)
    world.add(Roster, timetable_id=world.weekly, person_id=world.tom)
    filters = Filters(since=WEEK.since, until=WEEK.until, timetables=(world.weekly,))
    assert {name: line.total.available for name, line in lines(world, filters=filters).items()} == {"Tom": 300}


def test_booked_is_what_is_on_the_calendar_and_not_cancelled(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.book(practitioner=world.tom, learner=world.sara)
    cancelled = world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 2 * HOUR)
    assert tom(world) == (480, 120, 0)
    world.set(cancelled, cancelled_at=world.now)
    assert tom(world) == (480, 60, 0)


@pytest.mark.parametrize(("minutes", "delivered"), [
    ((None, None), 60), ((45, None), 45), ((45, 75), 75), ((20, 5), 20),
])
def test_e2_delivered_is_as_long_as_recorded_else_as_planned(
    world: World, minutes: tuple[int | None, int | None], delivered: int
) -> None:
    """The longest part of a group counts, once."""
    session = world.held(world.book(practitioner=world.tom, team=world.comet, starts_at=TEN))
    for learner, actual in zip((world.sara, world.sam), minutes, strict=True):
        world.raw(lambda work, learner=learner, actual=actual: work.tx.execute(
            update(Participation).where(Participation.session_id == session, Participation.learner_id == learner)
            .values(actual_minutes=actual)) and None)
    assert tom(world) == (480, 60, delivered)


def test_a_missed_session_was_booked_and_not_delivered(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.raw(lambda work: work.tx.execute(update(Participation).where(Participation.session_id == session).values(
        outcome=Outcome.MISSED, outcome_at=world.now, actual_minutes=30)) and None)
    assert tom(world) == (480, 60, 0)


def test_x3_what_runs_over_the_end_of_a_week_counts_in_both(world: World) -> None:
    world.held(world.book(
        practitioner=world.tess, learner=world.vic, starts_at=SUNDAY_NIGHT, minutes=90, reason="late"))
    found = lines(world, filters=Filters(since=WEEK.since, until=date(2026, 3, 9)))["Tess"]
    assert found.weeks == (Minutes(0, 60, 60), Minutes(0, 30, 30))


def test_who_is_no_practitioner_any_more_still_counts(world: World) -> None:
    gone = world.person("Gone", Role.PRACTITIONER)
    world.book(practitioner=gone, learner=world.sara, starts_at=TEN)
    world.disable(gone)
    assert lines(world)["Gone"].total == Minutes(0, 60, 0)


@pytest.mark.parametrize("filters", [Filters(courses=(1,)), Filters(types=("review",))])
def test_a_course_or_a_type_narrows_the_work_and_not_the_hours(world: World, filters: Filters) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    filters = Filters(since=WEEK.since, until=WEEK.until, types=filters.types,
                      courses=(world.maths,) if filters.courses else ())
    assert tom(world, filters) == (480, 0, 0)
    wanted = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + HOUR, course_ids=(world.maths,))
    world.set(wanted, type="review")
    assert tom(world, filters) == (480, 60, 0)


@pytest.mark.parametrize(("available", "booked", "percent"), [
    (0, 60, None), (0, 0, None), (60, 0, 0), (480, 60, 13), (60, 90, 150), (1000, 5, 1), (1000, 4, 0),
])
def test_per_cent(available: int, booked: int, percent: int | None) -> None:
    assert Minutes(available, booked).percent == percent


def test_sums() -> None:
    assert total([Minutes(60, 30, 15), Minutes(60, 60, 0)]) == Minutes(120, 90, 15)
    assert total([]) == Minutes()


# Weeks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last", "names"), [
    (None, None, ("2026-W02", "2026-W14", 13)), (date(2026, 1, 1), date(2026, 1, 1), ("2026-W01", "2026-W01", 1)),
    (date(2026, 3, 8), date(2026, 3, 9), ("2026-W10", "2026-W11", 2)),
    (date(2026, 3, 9), date(2026, 3, 8), ("2026-W10", "2026-W11", 2)),
    (date(2026, 3, 2), None, ("2026-W10", "2026-W22", 13)), (None, date(2026, 3, 2), ("2025-W50", "2026-W10", 13)),
    (date(2026, 3, 2), date(2030, 1, 1), ("2026-W10", "2026-W35", MOST_WEEKS)),
    (date(2000, 1, 1), date(2000, 1, 1), ("2000-W01", "2000-W01", 1)),
    (date(2099, 12, 31), date(2099, 12, 31), ("2099-W52", "2099-W52", 1)),
])
def test_weeks_are_those_of_the_days_asked_for(
    first: date | None, last: date | None, names: tuple[str, str, int]
) -> None:
    weeks = weeks_shown(first, last, date(2026, 3, 4), ZoneInfo("Europe/London"))
    assert (weeks[0].name, weeks[-1].name, len(weeks)) == names
    assert all(a.until == b.since for a, b in pairwise(weeks))


# Cost --------------------------------------------------------------------------------------------------------------


def test_it_takes_as_many_statements_for_2_as_for_40(world: World) -> None:
    def asked() -> int:
        with world.reading(world.mona) as work, statements(world.engine) as sent:
            found = utilisation(work, world.programme, WEEK)
        assert all(line.total.available for line in found.lines if line.name != "Tess")
        return len(sent)

    few = asked()
    for n in range(38):
        world.person(f"Extra {n:02}", Role.PRACTITIONER)
    assert asked() == few
    assert few <= 5


# Words -------------------------------------------------------------------------------------------------------------


def test_the_definitions_stand_in_the_readme_word_for_word() -> None:
    said = " ".join(Path(HOME / "README.md").read_text(encoding="utf-8").split())
    for figure in Figure:
        assert MEANS[figure] in said, figure

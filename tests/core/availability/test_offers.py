"""What the form for a time offers: how free days are, and who else is free at a time (C6, B9, X3, X6)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from core.availability.offers import Mark, day_marks, free_then, hours_spans, open_spans
from core.availability.queries import any_free
from core.availability.rules import Calendar, Frame, FreeTime, House, Leader, Other, Week, Weekly, Windows
from core.programmes.rules import Policy
from core.work import Work
from db.models.availability import WeeklyWindow
from db.models.people import Person
from db.words import Role
from tests.factories import DAY, HOUR, TEN, World

LONDON, NEW_YORK = "Europe/London", "America/New_York"
POLICY = Policy(open_hours=[(9 * 60, 12 * 60)] * 5 + [None, None])
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def looked(*taken: tuple[int, int], zone: str = LONDON, leader: Leader | None = None, now: int = 0) -> FreeTime:
    """The week of 2 March 2026 with somebody taken between hours of Tuesday."""
    since = datetime.combine(MONDAY, time(), UTC)
    at = [int((since + DAY + hour * HOUR).timestamp()) for pair in taken for hour in pair]
    return FreeTime(Frame.of(since, since + 8 * DAY), House(POLICY, zone, now), leader,
                    others=[Other("Sara", Calendar(zip(at[::2], at[1::2], strict=True)))])


@pytest.mark.parametrize(("taken", "minutes", "mark"), [
    ([], 60, Mark.FREE), ([(9, 10)], 60, Mark.PARTLY), ([(9, 10)], 120, Mark.PARTLY), ([(9, 10)], 125, Mark.FULL),
    ([(10, 11)], 65, Mark.FULL), ([(8, 13)], 15, Mark.FULL), ([(9, 11), (10, 12)], 15, Mark.FULL),
    ([(13, 14)], 60, Mark.FREE),
])
def test_c6_days_are_marked(taken: list[tuple[int, int]], minutes: int, mark: Mark) -> None:
    marks = day_marks(looked(*taken), [TUESDAY], timedelta(minutes=minutes), ZoneInfo(LONDON))
    assert marks == {TUESDAY: mark}


def test_c6_a_day_without_hours_of_the_programme_or_the_practitioner_says_so() -> None:
    tom = Leader(1, "Tom", Windows(Week([Weekly(1, 600, 720, LONDON)])))
    days = [MONDAY, TUESDAY, date(2026, 3, 7)]
    marks = day_marks(looked(leader=tom), days, HOUR, ZoneInfo(LONDON))
    assert list(marks.values()) == [Mark.CLOSED, Mark.FREE, Mark.CLOSED]
    at = int((TEN).timestamp())
    assert hours_spans(looked(leader=tom), TUESDAY, ZoneInfo(LONDON)) == [(at, at + 7200)]


def test_x3_opening_hours_are_those_of_the_programmes_zone() -> None:
    at = int(datetime(2026, 3, 3, 14, tzinfo=UTC).timestamp())
    assert open_spans(looked(zone=NEW_YORK), TUESDAY, ZoneInfo(LONDON)) == [(at, at + 3 * 3600)]


def who(world: World, by: int, **asked: object) -> list[str]:
    """Who is free on Tuesday at ten."""
    with world.reading(by) as work:
        return [one.name for one in free_then(work, world.programme, TEN, TEN + HOUR, **asked)]  # type: ignore[arg-type]


def test_anyone_with_a_skill_is_whose_profile_says_each_of_its_words(world: World) -> None:
    about = update(Person).where(Person.id == world.tess).values(about="Algebra, 100% of it, and Statistics")
    world.raw(lambda work: work.tx.execute(about).rowcount)
    assert who(world, world.ben) == ["Tess", "Tom"]
    assert who(world, world.ben, skill=" statistics ALGEBRA") == who(world, world.ben, skill="100%") == ["Tess"]
    assert who(world, world.ben, skill="1_0") == who(world, world.ben, skill="history") == []
    with world.reading(world.ben) as work:
        free = any_free(work, world.programme, TEN, TEN + HOUR, skill="algebra", step=HOUR)
        assert list(free.free) == [world.tess]


def test_b9_anyone_free_then_is_whom_a_booking_would_accept(world: World) -> None:
    assert who(world, world.ben) == ["Tess", "Tom"]
    world.book(practitioner=world.tom, starts_at=TEN + HOUR / 2)
    assert who(world, world.ben) == ["Tess"]
    world.raw(lambda work: without_hours(work, world.tess))
    assert who(world, world.ben) == []


def test_b9_nobody_is_free_with_somebody_who_is_taken(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, room=world.room)
    assert who(world, world.ben, people={world.sam}) == ["Tess"]
    assert who(world, world.ben, people={world.sara}) == []
    assert who(world, world.ben, room_id=world.room) == []


def test_b6_only_its_owner_is_free_through_a_custom_timetable(world: World) -> None:
    assert who(world, world.ben, timetable_id=world.toms_own) == ["Tom"]


def test_whoever_led_the_course_comes_first(world: World) -> None:
    world.book(practitioner=world.tom, starts_at=TEN + DAY, course_ids=(world.maths,))
    assert who(world, world.ben, course_ids=[world.maths]) == ["Tom", "Tess"]
    assert who(world, world.ben, course_ids=[world.art]) == ["Tess", "Tom"]
    assert who(world, world.tess, course_ids=[world.maths]) == ["Tess", "Tom"]  # X6: it is not for Tess to know


def test_x6_nobody_foreign_is_offered(world: World) -> None:
    world.grant(world.zed, Role.LEARNER)
    assert who(world, world.ben) == ["Tess", "Tom"]
    assert who(world, world.gus) == []


def without_hours(work: Work, person: int) -> None:
    work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.person_id == person))

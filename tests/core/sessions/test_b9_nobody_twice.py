"""Nobody, and no room, is double-booked; the refusal says who, when and where else there is time (B9, B10, C6, X2)."""

from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from core.errors import Conflict
from core.sessions.busy import busy_times
from core.sessions.changing import take_off_calendar
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.rules import PersonBusy
from db.words import Role
from tests.factories import DAY, HOUR, MINUTE, NOW, TEN, World


@pytest.mark.parametrize(("start", "free"), [
    (TEN - HOUR, True), (TEN + HOUR, True),  # back to back
    (TEN - 59 * MINUTE, False), (TEN + 59 * MINUTE, False),  # one minute of overlap
    (TEN, False), (TEN + 15 * MINUTE, False), (TEN + 55 * MINUTE, False), (TEN - 2 * HOUR, True),
])
def test_b9_nobody_is_double_booked(world: World, start: datetime, free: bool) -> None:
    world.book(practitioner=world.tom, starts_at=TEN)
    with nullcontext() if free else pytest.raises(PersonBusy, match=r"^Tom is busy Tue 3 Mar 2026, 10:00–11:00"):
        world.book(practitioner=world.tom, starts_at=start)


@pytest.mark.parametrize("minutes", [15, 60, 300])
def test_b9_a_longer_or_shorter_one_around_it_clashes_too(world: World, minutes: int) -> None:
    world.book(practitioner=world.tom, starts_at=TEN + 2 * HOUR, minutes=60)
    with pytest.raises(PersonBusy):
        world.book(practitioner=world.tom, starts_at=TEN + 2.25 * HOUR - (minutes > 60) * HOUR, minutes=minutes)


def test_b9_learners_teams_and_rooms_are_not_either(world: World) -> None:
    world.book(practitioner=world.tom, team=world.comet, room=world.room, starts_at=TEN)
    for who, what in (("Sara", {"learner": world.sara}), ("Sam", {"learner": world.sam}),
                       ("Blue room", {"room": world.room}), ("Tom", {"practitioner": world.tom})):
        with pytest.raises(PersonBusy, match=rf"^{who} is busy Tue 3 Mar 2026, 10:00–11:00 .session 1.[.]$"):
            world.book(**{"practitioner": world.tess, **what}, starts_at=TEN)
    assert world.book(practitioner=world.tess, learner=world.vic, room=world.attic, starts_at=TEN)


def test_b9_practitioner_here_and_learner_there_is_one_person(world: World) -> None:
    world.grant(world.tom, Role.LEARNER, programme=world.elsewhere)
    world.elsewhere_session(learner=world.tom)
    with pytest.raises(PersonBusy) as refused:
        world.book(practitioner=world.tom, starts_at=TEN)
    assert refused.value.sentence == "Tom is busy Tue 3 Mar 2026, 10:00–11:00."  # X6: when, and nothing else
    assert refused.value.clashes[0].session_id is None


def test_b9_what_is_said_only_as_far_as_the_viewer_may_see(world: World) -> None:
    world.book(practitioner=world.tess, learner=world.sara, starts_at=TEN)
    with pytest.raises(PersonBusy) as by_tom:
        world.book(by=world.tom, practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert by_tom.value.sentence == "Sara is busy Tue 3 Mar 2026, 10:00–11:00."
    with pytest.raises(PersonBusy) as by_tess:
        world.book(by=world.tess, practitioner=world.tess, learner=world.vic, starts_at=TEN)
    assert by_tess.value.sentence == "Tess is busy Tue 3 Mar 2026, 10:00–11:00 (session 1)."


def test_c6_busy_times_are_marked_beforehand_without_more_content_than_that(world: World) -> None:
    session = world.book(practitioner=world.tess, learner=world.sara, room=world.room, starts_at=TEN)
    for who, what in ((world.ben, "session 1"), (world.tom, "")):
        with world.reading(who) as work:
            busy = busy_times(work, world.programme, [world.sara, world.tess], [world.room], TEN - DAY, TEN + DAY)
            assert busy_times(work, world.programme, [world.sara], [], TEN + HOUR, TEN + DAY) == []
            assert busy_times(work, world.programme, [world.tom], [], TEN - DAY, TEN + DAY) == []
            assert busy_times(work, world.programme, [], [], TEN - DAY, TEN + DAY) == []
        assert {(one.who, one.starts_at, one.ends_at, one.what) for one in busy} == {
            (name, TEN, TEN + HOUR, what) for name in ("Sara", "Tess", "Blue room")
        }
        assert {one.session_id for one in busy} == {session if what else None}


def test_b9_many_in_one_act_may_not_clash_among_themselves(world: World) -> None:
    with pytest.raises(PersonBusy, match=r"^Tom is busy .* 10:00–11:00 .asked for here as well") as refused:
        world.book_many([
            world.booking(practitioner=world.tom, starts_at=TEN),
            world.booking(practitioner=world.tom, starts_at=TEN + 30 * MINUTE),
        ])
    assert refused.value.clashes[0].item == 1


def test_b9_many_clashes_are_told_in_short(world: World) -> None:
    for n in range(6):
        world.book(practitioner=world.tom, starts_at=TEN + n * HOUR / 4, minutes=15)
    with pytest.raises(PersonBusy, match=r"And 2 more[.]$"):
        world.book(practitioner=world.tom, starts_at=TEN, minutes=90)


def test_b10_a_cancelled_session_frees_everyone_at_once(world: World) -> None:
    given = {"practitioner": world.tom, "team": world.comet, "room": world.room, "starts_at": TEN}
    for end, more in ((cancel_sessions, ("Nobody can",)), (take_off_calendar, ()), (delete_sessions, ())):
        session = world.book(**given)
        kw = {"cancel_first": True} if end is delete_sessions else {}
        world.do(world.ben, end, [session], *more, **kw)
    assert world.book(**given)


NEAR = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@NEAR
@given(
    taken=some.lists(
        some.tuples(some.integers(0, 4), some.integers(32, 76), some.sampled_from([15, 45, 60, 180])), max_size=8),
    asked=some.tuples(some.integers(0, 4), some.integers(32, 72), some.sampled_from([15, 60, 90])),
)
def test_b9_c6_each_time_offered_can_be_booked(world: World, taken, asked) -> None:
    midnight = NOW.replace(hour=0)

    def at(day: int, quarter: int) -> datetime:
        return midnight + timedelta(days=day + 1, minutes=15 * quarter)

    made = []
    for n, (day, quarter, minutes) in enumerate(taken):
        rivals = (
            {"practitioner": world.tom}, {"learner": world.sara}, {"practitioner": world.tess, "room": world.room})
        try:
            made.append(world.book(**rivals[n % 3], starts_at=at(day, quarter), minutes=minutes, reason="test"))
        except Conflict:
            continue
    wanted = {"practitioner": world.tom, "learner": world.sara, "room": world.room, "minutes": asked[2]}
    day = asked[0] if asked[0] < 4 else 3
    start = at(day, min(asked[1], (20 * 60 - asked[2]) // 15))
    try:
        made.append(world.book(**wanted, starts_at=start))
        free = None
    except PersonBusy as refused:
        free = refused.free
    if free is not None:
        assert 0 < len(set(free)) == len(free)
        for each in free:
            world.do(world.ben, delete_sessions, [world.book(**wanted, starts_at=each)], cancel_first=True)
    if made:
        world.do(world.ben, delete_sessions, made, cancel_first=True)


def test_b9_the_times_offered_are_the_nearest_and_not_past(world: World) -> None:
    nine = NOW + HOUR
    world.book(practitioner=world.tom, starts_at=nine)
    world.book(practitioner=world.tess, starts_at=nine + HOUR)  # somebody else's time stands in nobody's way
    with pytest.raises(PersonBusy) as refused:
        world.book(practitioner=world.tom, starts_at=nine)
    assert refused.value.free == [nine - HOUR, nine + HOUR, nine + 1.25 * HOUR, nine + 1.5 * HOUR]


def test_b9_for_a_team_the_times_offered_suit_its_members_of_that_day(world: World) -> None:
    team = world.team("Changing", world.sara, until=TEN.date())
    world.join(team, world.vic, since=TEN.date() + DAY)
    world.book(practitioner=world.tom, starts_at=TEN.replace(hour=8), minutes=480)
    world.book(practitioner=world.tom, starts_at=TEN.replace(hour=16), minutes=240)
    world.book(learner=world.vic, starts_at=(TEN + DAY).replace(hour=8), minutes=60)
    with pytest.raises(PersonBusy) as refused:
        world.book(practitioner=world.tom, team=team, starts_at=TEN.replace(hour=19))
    for each in refused.value.free:
        session = world.book(practitioner=world.tom, team=team, starts_at=each)
        world.do(world.ben, delete_sessions, [session], cancel_first=True)

"""C10, X1, X5: a series planned, booked, changed with a scope, and undone as one."""

from datetime import datetime, time
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.programmes.rules import WhoBooks
from core.series.commands import CHANGED, book_series, change_series, try_again
from core.series.queries import Planned, moved_like, plan, preview_change, series_of
from core.series.rules import Choice, Rule, Scope, State, What
from core.sessions.changing import Move, Reassign, reschedule_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.fixes import Fix, FixKind
from core.sessions.rules import PersonBusy
from core.work import Saved
from db.models.availability import Closure
from db.models.notices import Notice
from db.models.series import Series, SeriesSkip
from db.models.sessions import Occupancy, Session
from db.models.structure import Room
from db.words import Every, Method
from tests.factories import DAY, HOUR, TEN, World, statements

WEEK = 7 * DAY
TUESDAY = TEN.date()
ANY_TIME = [(0, 1440)] * 7


def weekly(times: int = 4, **given: Any) -> Rule:
    return Rule(given.pop("every", Every.WEEK), given.pop("first_day", TUESDAY), given.pop("at", time(10)), 60,
                "Europe/London", times=times, **given)


def planned(world: World, rule: Rule, choices: Any = None, by: int | None = None, **given: Any) -> list[Planned]:
    given = {"practitioner": world.tom, "learner": world.sara, **given}
    with world.reading(by or world.ben) as work:
        return plan(work, world.booking(**given), rule, choices)


def booked(world: World, rule: Rule, choices: Any = None, by: int | None = None, **given: Any) -> Saved:
    given = {"practitioner": world.tom, "learner": world.sara, **given}
    return world.do(by or world.ben, book_series, world.booking(**given), rule, choices)


def starts(world: World) -> list[Any]:
    return world.all(select(Session.starts_at).order_by(Session.series_day))


def take_back(world: World, saved: Saved, by: int | None = None) -> None:
    world.do(by or world.ben, undo, saved.act_id, undoes=saved.act_id)


def local(week: int, hour: int = 10) -> datetime:
    """That hour in London, so many weeks on: from the fourth Tuesday on an hour earlier in UTC."""
    at = TEN + week * WEEK + (hour - 10) * HOUR
    return at - HOUR if at >= datetime(2026, 3, 29, 1, tzinfo=at.tzinfo) else at


def test_c10_every_date_shows_how_it_stands_before_anything_is_saved(world: World) -> None:
    other = world.book(practitioner=world.tom, learner=world.sam, starts_at=local(1))
    world.add(Closure, programme_id=world.programme, first_day=TUESDAY + 2 * WEEK, last_day=TUESDAY + 2 * WEEK,
              name="Spring fair")
    rows = planned(world, weekly())
    assert [row.state for row in rows] == [State.OK, State.CLASH, State.CLOSED, State.OK]
    assert "Tom is busy" in rows[1].why
    assert f"session {world.fact(other, 'number')}" in rows[1].why
    assert "Spring fair" in rows[2].why
    assert rows[1].offered == local(1, 11)
    assert [one.name for one in rows[1].others] == ["Tess"]
    assert rows[2].others == ()
    assert rows[2].offered is not None
    assert rows[2].overridable
    assert world.one(select(func.count()).select_from(Session)) == 1


def test_b9_who_may_not_see_the_other_session_reads_busy_alone(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=local(1))
    rows = planned(world, weekly(), by=world.tess)
    assert "Tom is busy" in rows[1].why
    assert "session" not in rows[1].why


def test_c10_a_learner_or_room_that_is_taken_has_no_substitute(world: World) -> None:
    world.book(practitioner=world.tess, learner=world.sara, starts_at=local(1))
    world.book(practitioner=world.tess, learner=world.sam, room=world.room, starts_at=local(2))
    rows = planned(world, weekly(), room=world.room)
    assert [row.state for row in rows] == [State.OK, State.CLASH, State.NO_ROOM, State.OK]
    assert rows[1].others == rows[2].others == ()
    assert rows[2].offered == local(2, 11)


def test_c12_a_series_of_smart_sessions_says_when_no_room_is_free_and_offers_a_time_with_one(world: World) -> None:
    world.policy(smart_rooms=True)
    pod = world.add(Room, programme_id=world.programme, name="Pod", capacity=2, smart=True)
    world.book(practitioner=world.tess, learner=world.sam, starts_at=local(1), method=Method.SMART)
    rows = planned(world, weekly(), method=Method.SMART)
    assert [row.state for row in rows] == [State.OK, State.NO_ROOM, State.OK, State.OK]
    assert rows[1].offered == local(1, 11)
    choices = {TUESDAY + WEEK: Choice(What.MOVE, starts_at=rows[1].offered)}
    assert all(row.settled for row in planned(world, weekly(), choices, method=Method.SMART))
    booked(world, weekly(), choices, method=Method.SMART)
    assert set(world.all(select(Session.room_id).where(Session.series_id.is_not(None)))) == {pod}


def test_c10_dates_are_kept_skipped_moved_or_given_to_somebody_else(world: World) -> None:
    for week in (1, 2):
        world.book(practitioner=world.tom, learner=world.sam, starts_at=local(week))
    choices = {
        TUESDAY: Choice(What.SKIP, "She is on a trip"), TUESDAY + WEEK: Choice(What.MOVE, starts_at=local(1, 11)),
        TUESDAY + 2 * WEEK: Choice(What.OTHER, practitioner_id=world.tess),
    }
    assert all(row.settled for row in planned(world, weekly(), choices))
    saved = booked(world, weekly(), choices)
    assert world.all(select(Session.starts_at, Session.practitioner_id).where(Session.series_id.is_not(None))
                     .order_by(Session.series_day)) == [
        (local(1, 11), world.tom), (local(2), world.tess), (local(3), world.tom)]
    assert world.all(select(SeriesSkip.day, SeriesSkip.reason)) == [(TUESDAY, "She is on a trip")]
    assert saved.said == "Booked 3 sessions, weekly on Tuesday, one date skipped."
    take_back(world, saved)
    assert world.all(select(Series.id)) == world.all(select(SeriesSkip.id)) == []
    assert world.one(select(func.count()).select_from(Occupancy)) == 4


def test_x1_a_series_is_booked_whole_or_not_at_all(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sam, starts_at=local(1))
    with pytest.raises(PersonBusy, match="Tom is busy Tue 10 Mar"):
        booked(world, weekly())
    assert world.all(select(Series.id)) == []
    assert len(starts(world)) == 1


def test_x1_hours_are_overridden_with_the_permission_and_a_reason(world: World) -> None:
    rule = weekly(at=time(5))
    choices = {each.day: Choice(What.ANYWAY, "exam week") for each in planned(world, rule)}
    with pytest.raises(Invalid, match="Open"):
        booked(world, rule)
    with pytest.raises(Invalid, match="Open"):
        booked(world, rule, choices, by=world.tom)
    assert all(row.settled for row in planned(world, rule, choices))
    assert len(booked(world, rule, choices).result) == 4


def test_c10_dates_may_not_clash_among_themselves(world: World) -> None:
    choices = {TUESDAY: Choice(What.MOVE, starts_at=local(1))}
    rows = planned(world, weekly(), choices)
    assert [row.state for row in rows].count(State.CLASH) == 1
    daily = planned(world, weekly(every=Every.DAY), {TUESDAY: Choice(What.MOVE, starts_at=TEN + DAY)})
    assert "asked for here as well" in next(row.why for row in daily if row.state is State.CLASH)


def test_c10_what_is_missing_is_said_before_any_date_is_looked_at(world: World) -> None:
    world.policy(required=["learner or team", "practitioner"])
    with pytest.raises(Invalid) as refused:
        planned(world, weekly(times=0), practitioner=None, number=4)
    assert refused.value.problems.keys() == {"times", "number"}
    with pytest.raises(Invalid) as refused:
        planned(world, weekly(), practitioner=None)
    assert refused.value.problems.keys() == {"practitioner"}
    with pytest.raises(Invalid, match="Say why"):
        booked(world, weekly(), {TUESDAY: Choice(What.SKIP)})
    with pytest.raises(Invalid, match="nothing to book"):
        booked(world, weekly(1), {TUESDAY: Choice(What.SKIP, "no")})


def test_c1_b11_who_may_not_book_plans_nothing(world: World) -> None:
    for who in (world.mona, world.sara, world.gus):
        with pytest.raises(NotAllowed):
            planned(world, weekly(), by=who)
    world.policy(who_books=WhoBooks.CLIENTS_TOO)
    with pytest.raises(NotAllowed, match="yourself"):
        planned(world, weekly(), by=world.sara, learner=world.sam)
    assert len(booked(world, weekly(), by=world.sara).result) == 4


@pytest.mark.parametrize("number", [10, 260])
def test_c10_260_dates_cost_as_many_statements_as_ten(world: World, number: int) -> None:
    world.policy(open_hours=ANY_TIME, most_a_day=4)
    world.book(practitioner=world.tom, learner=world.sam, starts_at=local(1))
    with world.reading(world.ben) as work, statements(world.engine) as planning:
        rows = plan(work, world.booking(practitioner=world.tom, learner=world.sara), weekly(number))
    assert [row.state for row in rows].count(State.OK) == number - 1
    choices = {rows[1].day: Choice(What.MOVE, starts_at=rows[1].offered), rows[2].day: Choice(What.SKIP, "away")}
    with statements(world.engine) as booking:
        booked(world, weekly(number), choices)
    known = _COUNTS.setdefault(world.engine.dialect.name, (len(planning), len(booking)))
    assert (len(planning), len(booking)) == known
    assert max(known) < 45


_COUNTS: dict[str, tuple[int, int]] = {}


def test_x5_ones_own_series_is_undone_as_one_and_nobody_elses(world: World) -> None:
    saved = booked(world, weekly(), {TUESDAY: Choice(What.SKIP, "away")}, by=world.tom)
    for other, refusal in ((world.tess, NotFound), (world.sara, NotFound)):
        with pytest.raises(refusal):
            take_back(world, saved, other)
    world.policy(who_books=WhoBooks.STAFF)
    with pytest.raises(NotAllowed):
        take_back(world, saved, world.tom)
    world.policy(who_books=WhoBooks.STAFF_AND_PRACTITIONERS)
    take_back(world, saved, world.tom)
    assert world.all(select(Session.id)) == world.all(select(SeriesSkip.id)) == []


def test_x5_a_series_is_not_undone_while_something_depends_on_it(world: World) -> None:
    skipped = TUESDAY + WEEK
    saved = booked(world, weekly(), {skipped: Choice(What.SKIP, "away")})
    again = world.do(world.ben, try_again, world.fact(saved.result[0], "series_id"), skipped)
    with pytest.raises(Conflict, match="cannot be undone any more"):
        take_back(world, saved)
    take_back(world, again)
    take_back(world, saved)
    assert world.all(select(Series.id)) == []


# Afterwards ----------------------------------------------------------------------------------------------------------


def test_c10_a_session_knows_its_place_and_what_was_skipped(world: World) -> None:
    first, second, third = booked(world, weekly(), {TUESDAY + 2 * WEEK: Choice(What.SKIP, "Half-term")}).result
    with world.reading(world.sara) as work:
        view = series_of(work, second)
        assert view is not None
        assert (view.position, view.count, view.earlier, view.later) == (2, 3, first, third)
        assert view.skipped == ((TUESDAY + 2 * WEEK, "Half-term"),)
        assert not view.may_book
    with world.reading(world.lena) as work:  # D7: dates, and no words
        view = series_of(work, second)
        assert view is not None
        assert view.skipped == ()
    for stranger in (world.zed, world.zara):
        with world.reading(stranger) as work, pytest.raises(NotFound):
            series_of(work, second)


def test_c10_a_skipped_day_is_booked_after_all(world: World) -> None:
    skipped = TUESDAY + 3 * WEEK
    ids = booked(world, weekly(), {skipped: Choice(What.SKIP, "Half-term")}, course_ids=(world.maths,)).result
    series = world.fact(ids[0], "series_id")
    saved = world.do(world.tom, try_again, series, skipped)
    assert world.fact(saved.result[0], "starts_at") == local(3)
    assert world.fact(saved.result[0], "series_day") == skipped
    assert world.all(select(SeriesSkip.id)) == []
    with pytest.raises(Conflict, match="not left out"):
        world.do(world.tom, try_again, series, skipped)
    take_back(world, saved, world.tom)
    assert world.all(select(SeriesSkip.day)) == [skipped]
    world.book(practitioner=world.tom, starts_at=local(3))
    with pytest.raises(PersonBusy, match="Tom is busy"):
        world.do(world.ben, try_again, series, skipped)
    moved = world.do(world.ben, try_again, series, skipped, starts_at=local(3, 12))
    assert world.fact(moved.result[0], "moved_at") == world.now
    with pytest.raises(NotFound):
        world.do(world.zara, try_again, series, skipped)


def later(before: datetime, after: datetime, world: World) -> Fix:
    with world.reading(world.ben) as work:
        from core.programmes.queries import programme_of
        return moved_like(before, after, 60, programme_of(work, world.programme).zone)


def test_c10_x3_this_and_following_move_by_the_clock_on_the_wall(world: World) -> None:
    ids = booked(world, weekly(6)).result
    fix = later(local(1), local(1, 14) + DAY, world)
    saved = world.do(world.ben, change_series, ids[1], Scope.FOLLOWING, fix)
    assert starts(world) == [local(0), *(local(week, 14) + DAY for week in range(1, 6))]
    assert world.all(select(Session.moved_at).distinct()) == [None]
    take_back(world, saved)
    assert starts(world) == [local(week) for week in range(6)]


def test_c10_what_came_to_something_or_was_changed_by_hand_is_not_touched(world: World) -> None:
    ids = booked(world, weekly(6)).result
    world.do(world.ben, reschedule_sessions, [Move(ids[2], local(2, 16))])
    world.do(world.ben, cancel_sessions, [ids[3]], "ill")
    world.now = local(1) + HOUR / 2  # the second has begun
    world.held(ids[0])
    fix = Fix(FixKind.REASSIGN, practitioner_id=world.tess)
    with world.reading(world.ben) as work:
        rows = preview_change(work, ids[4], Scope.ALL, fix)
    assert [row.refused for row in rows[1:]] == [
        "It has started.", "It was changed by hand.", rows[3].refused, None, None]
    assert "held" in (rows[0].refused or "")
    assert "cancelled" in (rows[3].refused or "")
    agreed = {row.session_id: row.version for row in rows if row.refused is None}
    saved = world.do(world.ben, change_series, ids[4], Scope.ALL, fix, agreed)
    assert saved.result == ids[4:]
    assert [world.fact(one, "practitioner_id") == world.tess for one in ids] == [False] * 4 + [True] * 2
    take_back(world, saved)
    assert {world.fact(one, "practitioner_id") for one in ids} == {world.tom}


def test_c10_saving_does_what_the_preview_said_or_nothing(world: World) -> None:
    ids = booked(world, weekly()).result
    rival = world.book(practitioner=world.tess, starts_at=local(2))
    fix = Fix(FixKind.REASSIGN, practitioner_id=world.tess)
    with world.reading(world.ben) as work:
        rows = preview_change(work, ids[1], Scope.FOLLOWING, fix)
    assert [row.refused is None for row in rows] == [True, False, True]
    agreed = {row.session_id: row.version for row in rows if row.refused is None}
    world.do(world.ben, cancel_sessions, [rival], "no")  # now it could, but it was not shown so
    assert world.do(world.ben, change_series, ids[1], Scope.FOLLOWING, fix, agreed).result == [ids[1], ids[3]]
    with pytest.raises(Conflict, match="look again"):
        world.do(world.ben, change_series, ids[1], Scope.FOLLOWING, fix, agreed)
    assert "look again" in CHANGED


@pytest.mark.parametrize("kind", [FixKind.VENUE, FixKind.CANCEL, FixKind.OFF])
def test_c10_venue_cancelling_and_off_the_calendar_with_a_scope_and_back(world: World, kind: FixKind) -> None:
    ids = booked(world, weekly()).result
    fix = Fix(kind, room_id=world.room, reason="moved house") if kind is FixKind.VENUE else Fix(kind, reason="ill")
    saved = world.do(world.tom, change_series, ids[1], Scope.FOLLOWING, fix)
    column = {FixKind.VENUE: "room_id", FixKind.CANCEL: "cancelled_at", FixKind.OFF: "starts_at"}[kind]
    before = world.fact(ids[0], column) is not None
    assert [world.fact(one, column) is not None for one in ids] == [before, *[not before] * 3]
    assert not any(world.fact(one, "moved_at") for one in ids)
    take_back(world, saved, world.tom)
    assert [world.fact(one, column) is not None for one in ids] == [before] * 4


def test_c10_one_changed_by_itself_is_marked_and_only_there(world: World) -> None:
    ids = booked(world, weekly()).result
    alone = world.book(practitioner=world.tess, starts_at=TEN)
    moved = world.do(world.ben, reschedule_sessions, [Move(ids[0], local(0, 15))])
    world.do(world.ben, reschedule_sessions, [Move(alone, local(0, 15))])
    from core.sessions.changing import reassign_sessions
    world.do(world.ben, reassign_sessions, [Reassign(ids[1], world.tess)])
    assert [world.fact(one, "moved_at") is not None for one in (*ids, alone)] == [True, True, False, False, False]
    take_back(world, moved)
    assert world.fact(ids[0], "moved_at") is None


def test_c10_a_series_change_of_a_session_without_series(world: World) -> None:
    alone = world.book(practitioner=world.tess, starts_at=TEN)
    with pytest.raises(Invalid, match="not part of a series"):
        world.do(world.ben, change_series, alone, Scope.ALL, Fix(FixKind.CANCEL, reason="x"))


def test_c10_everybody_is_told_of_a_series_once(world: World) -> None:
    booked(world, weekly())
    told = world.all(select(Notice.person_id, Notice.text))
    assert sorted(person for person, _ in told) == sorted([world.tom, world.sara])
    assert told[0][1].startswith("Booked: session 1, Tue 3 Mar 2026, 10:00–11:00 and those of its series")

"""Saying when people can be booked, and what booking, moving and offering make of it, on both engines."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import delete

from core.availability import commands as say
from core.availability.affected import Change, affected
from core.availability.commands import Whose, Window
from core.availability.hours import closures, exceptions, not_bookable, own_limits, roster, time_off, weekly_hours
from core.availability.queries import any_free, free_slots, free_time, nearest_free, slots_of_timetable
from core.availability.rules import Closed, Weekly
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.programmes.rules import Policy, WhoBooks
from core.sessions.changing import Move, Reassign, reassign_sessions, reschedule_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.fixes import Fix, FixKind, preview
from core.sessions.rules import PersonBusy, StaleForm
from db.models.availability import WeeklyWindow
from tests.factories import DAY, HOUR, MINUTE, TEN, World, statements

LONDON = "Europe/London"
TUESDAY = TEN.date()


def nine_to_five(*weekdays: int) -> list[Window]:
    return [Window(day, 9 * 60, 17 * 60, LONDON) for day in weekdays or range(5)]


@pytest.fixture
def world(world: World) -> World:
    """Tom and Tess have office hours."""
    for person in (world.tom, world.tess):
        world.do(world.ben, say.save_weekly_hours, Whose(world.programme, person), nine_to_five())
    return world


def hours(world: World, person: int, **whose: Any) -> Whose:
    return Whose(world.programme, person, **whose)


def refused(world: World, match: str, **given: Any) -> None:
    with pytest.raises(Invalid, match=match):
        world.book(**{"practitioner": world.tom, "learner": world.sara, "starts_at": TEN, **given})


# Saying ------------------------------------------------------------------------------------------------------------


def test_weekly_hours_are_kept_whole_overlaps_become_one_and_what_stays_keeps_its_row(world: World) -> None:
    toms = hours(world, world.tom)
    before = world.do(world.ben, say.save_weekly_hours, toms, nine_to_five()).result
    wanted = [*nine_to_five(), Window(1, 960, 1080, LONDON), Window(5, 600, 720, LONDON)]
    saved = world.do(world.ben, say.save_weekly_hours, toms, wanted)
    assert saved.said == "Saved the hours of Tom."
    assert set(before) - set(saved.result) != set()
    with world.reading(world.tom) as work:
        kept = weekly_hours(work, toms)
    assert [(each.window.weekday, each.window.from_minute, each.window.until_minute) for each in kept] == [
        (0, 540, 1020), (1, 540, 1080), (2, 540, 1020), (3, 540, 1020), (4, 540, 1020), (5, 600, 720)]
    assert len(set(before) & {each.id for each in kept}) == 4
    assert world.do(world.ben, say.save_weekly_hours, toms, wanted).said == "Nothing was different."


@pytest.mark.parametrize(("window", "field", "sentence"), [
    (Window(7, 540, 600, LONDON), "weekday", "Choose a day of the week."),
    (Window(0, 600, 540, LONDON), "hours", "Hours end after they begin"),
    (Window(0, 541, 600, LONDON), "hours", "steps of 5 minutes"),
    (Window(0, 540, 1500, LONDON), "hours", "until 24:00 is midnight"),
    (Window(0, 540, 600, "Mars/Crater"), "zone", "Choose a time zone from the list"),
    (Window(0, 540, 600, LONDON, date(1900, 1, 1)), "from_day", "Choose a day from 2000"),
    (Window(0, 540, 600, LONDON, TUESDAY, TUESDAY - DAY), "until_day", "after the first"),
    (Window(0, "9", 600, LONDON), "hours", "Hours end after"),  # type: ignore[arg-type]  # as a crafted request may
])
def test_hours_that_are_none_are_refused_beside_their_field(
    world: World, window: Window, field: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as found:
        world.do(world.ben, say.save_weekly_hours, hours(world, world.tom), [*nine_to_five(), window])
    assert (set(found.value.problems), found.value.item) == ({field}, 5)


def test_windows_that_overlap_while_both_hold_are_refused(world: World) -> None:
    winter = Window(0, 540, 720, LONDON, date(2026, 1, 1), date(2026, 3, 31))
    with pytest.raises(Invalid, match="Mondays overlap while both hold: 09:00–12:00 and 10:00–13:00"):
        world.do(world.ben, say.save_weekly_hours, hours(world, world.tom), [
            winter, Window(0, 600, 780, LONDON, date(2026, 3, 1))])
    world.do(world.ben, say.save_weekly_hours, hours(world, world.tom), [
        winter, Window(0, 600, 780, LONDON, date(2026, 4, 1))])


def test_hours_that_somebody_else_changed_meanwhile_are_shown(world: World) -> None:
    with world.reading(world.ben) as work:
        ids = [each.id for each in weekly_hours(work, hours(world, world.tom))]
    world.do(world.tom, say.save_weekly_hours, hours(world, world.tom), nine_to_five(0), ids)
    with pytest.raises(StaleForm, match="changed by somebody else") as found:
        world.do(world.ben, say.save_weekly_hours, hours(world, world.tom), nine_to_five(1), ids)
    assert found.value.theirs == {"hours": "Mondays 09:00–17:00"}


def test_b11_practitioners_keep_their_own_hours_whoever_books_and_nobody_else_s(world: World) -> None:
    """B6: own custom timetables too; staff keep everybody's."""
    world.policy(who_books=WhoBooks.STAFF)
    own = Window(1, 600, 720, LONDON)
    world.do(world.tom, say.save_weekly_hours, hours(world, world.tom), nine_to_five(1))
    world.do(world.tom, say.save_weekly_hours, hours(world, world.tom, timetable_id=world.toms_own), [own])
    world.do(world.tom, say.save_day, hours(world, world.tom), TUESDAY, [])
    off = world.do(world.tom, say.add_time_off, world.tom, TEN, TEN + HOUR, "dentist").result
    world.do(world.tom, say.remove_time_off, [off])
    acts: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (say.save_weekly_hours, (hours(world, world.tess), [])),
        (say.save_day, (hours(world, world.tess), TUESDAY, [])),
        (say.add_time_off, (world.tess, TEN, TEN + HOUR)),
        (say.save_weekly_hours, (Whose(world.programme, timetable_id=world.weekly), [])),
        (say.set_roster, (world.weekly, [world.tom])), (say.set_slot_length, (world.weekly, 30)),
        (say.set_own_limits, (world.programme, world.tom, {"most_a_day": 99})),
        (say.add_closure, (world.programme, "Easter", TUESDAY, TUESDAY)),
    ]
    for command, given in acts:
        with pytest.raises(NotAllowed):
            world.do(world.tom, command, *given)
        for who in (world.sara, world.mona):
            with pytest.raises((NotAllowed, NotFound)):
                world.do(who, command, *given)
        with pytest.raises(NotFound):
            world.do(world.zara, command, *given)
    for command, given in acts[:3]:
        world.do(world.ben, command, *given)
    with pytest.raises(NotFound):
        world.do(world.ben, say.save_weekly_hours, hours(world, world.tess, timetable_id=world.toms_own), [own])
    with pytest.raises(NotFound):
        world.do(world.ben, say.save_weekly_hours, hours(world, world.sara), [own])


def test_x5_what_was_said_of_hours_is_undone_by_whoever_may_say_it(world: World) -> None:
    with world.reading(world.tom) as work:
        before = weekly_hours(work, hours(world, world.tom))
    changed = world.do(world.tom, say.save_weekly_hours, hours(world, world.tom), nine_to_five(3))
    off = world.do(world.tom, say.add_time_off, world.tom, TEN, TEN + HOUR)
    rostered = world.do(world.cora, say.set_roster, world.weekly, [world.tom, world.tess])
    closed = world.do(world.alice, say.add_closure, world.programme, "Easter", TUESDAY, TUESDAY)
    limits = world.do(world.ben, say.set_own_limits, world.programme, world.tom, {"most_a_day": 3})
    for saved in (changed, off):
        with pytest.raises(NotFound):
            world.do(world.tess, undo, saved.act_id, undoes=saved.act_id)
    for who, saved in ((world.tom, changed), (world.tom, off), (world.cora, rostered), (world.alice, closed),
                       (world.ben, limits)):
        world.do(who, undo, saved.act_id, undoes=saved.act_id)
    with world.reading(world.alice) as work:
        assert weekly_hours(work, hours(world, world.tom)) == before
        assert time_off(work, world.tom, TEN - DAY) == []
        assert roster(work, world.weekly) == []
        assert closures(work, world.programme, TUESDAY) == []
        assert set(own_limits(work, world.programme, world.tom).values()) == {None}


def test_what_was_said_is_there_for_forms(world: World) -> None:
    world.do(world.ben, say.save_day, hours(world, world.tom), TUESDAY, [(600, 660), (630, 720)])
    world.do(world.ben, say.save_day, hours(world, world.tom), TUESDAY + DAY, [])
    world.do(world.ben, say.add_time_off, world.tom, TEN, TEN + HOUR, "  dentist ")
    easter = world.do(world.alice, say.add_closure, world.programme, "Easter", TUESDAY, TUESDAY).result
    world.do(world.alice, say.edit_closure, easter, "Spring", TUESDAY, TUESDAY + DAY)
    world.do(world.cora, say.set_roster, world.weekly, [world.tess])
    with world.reading(world.ben) as work:
        assert [(each.day, each.hours) for each in exceptions(work, hours(world, world.tom), TUESDAY)] == [
            (TUESDAY, ((600, 720),)), (TUESDAY + DAY, ())]
        assert [each.reason for each in time_off(work, world.tom, TEN)] == ["dentist"]
        assert [(each.name, each.last_day) for each in closures(work, world.programme, TUESDAY)] == [
            ("Spring", TUESDAY + DAY)]
        assert roster(work, world.weekly) == [(world.tess, "Tess")]
    world.do(world.ben, say.save_day, hours(world, world.tom), TUESDAY, None)
    world.do(world.alice, say.remove_closures, [easter])
    with world.reading(world.ben) as work:
        assert [each.day for each in exceptions(work, hours(world, world.tom), TUESDAY)] == [TUESDAY + DAY]
        assert closures(work, world.programme, TUESDAY) == []
    with pytest.raises(NotFound):
        world.do(world.alice, say.remove_closures, [easter])


@pytest.mark.parametrize(("start", "end", "field"), [
    (TEN, TEN, "until"), (TEN, TEN + 800 * DAY, "until"), (TEN - 40_000 * DAY, TEN, "from"),
    (datetime(2026, 3, 3), TEN, "from"),  # noqa: DTZ001  # a time without a zone
])
def test_time_off_that_is_none_is_refused(world: World, start: datetime, end: datetime, field: str) -> None:
    with pytest.raises(Invalid) as found:
        world.do(world.ben, say.add_time_off, world.tom, start, end)
    assert set(found.value.problems) == {field}


# Booking -----------------------------------------------------------------------------------------------------------


def test_no_hours_at_all_is_not_bookable_and_staff_are_told_who(world: World) -> None:
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.person_id == world.tom)) and None)
    refused(world, "Tom has no hours yet, so nobody can book this coach. Add hours under Availability.")
    with world.reading(world.ben) as work:
        assert not_bookable(work, world.programme) == [(world.tom, "Tom")]
    with world.reading(world.sara) as work, pytest.raises(NotAllowed):
        not_bookable(work, world.programme)
    assert world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, reason="He said so on the phone")


def test_x1_booking_moving_reassigning_and_fixing_keep_to_the_same_hours(world: World) -> None:
    """X1: staff override with a reason, practitioners do not."""
    world.do(world.ben, say.add_time_off, world.tom, TEN + DAY, TEN + DAY + 2 * HOUR)
    away = r"Tom is away Wed 4 Mar 2026, 10:00–12:00\."
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    other = world.book(practitioner=world.tess, learner=world.sam, starts_at=TEN + DAY)
    refused(world, away, starts_at=TEN + DAY)
    with pytest.raises(Invalid, match=away):
        world.do(world.ben, reschedule_sessions, [Move(session, TEN + DAY)])
    with pytest.raises(Invalid, match=away):
        world.do(world.ben, reassign_sessions, [Reassign(other, world.tom)])
    for fix, which in ((Fix(FixKind.SHIFT, days=1), session), (Fix(FixKind.REASSIGN, world.tom), other)):
        with world.reading(world.ben) as work:
            said = preview(work, fix, [which])[0].refused or ""
        assert said.startswith("Tom is away"), fix
    with pytest.raises(Invalid, match=away):
        world.do(world.tom, reschedule_sessions, [Move(session, TEN + DAY, reason="I will be back")])
    world.do(world.ben, reassign_sessions, [Reassign(other, world.tom, reason="back early")])
    assert world.fact(other, "practitioner_id") == world.tom


def test_b6_a_custom_timetable_reserves_its_hours_and_a_regular_one_needs_schedule_roster_and_hours(
    world: World
) -> None:
    own = hours(world, world.tom, timetable_id=world.toms_own)
    world.do(world.tom, say.save_weekly_hours, own, [Window(1, 600, 720, LONDON)])
    refused(world, "keeps that time for a timetable of their own")
    refused(world, "Tom's own has hours on Tue 3 Mar 2026 at 10:00–12:00 only", starts_at=TEN + 3 * HOUR,
            timetable=world.toms_own)
    world.book(timetable=world.toms_own, learner=world.sara, starts_at=TEN)
    world.do(world.cora, say.save_weekly_hours, Whose(world.programme, timetable_id=world.weekly),
             [Window(1, 780, 900, LONDON)])
    refused(world, "Tom is not on the roster of Weekly", starts_at=TEN + 3 * HOUR, timetable=world.weekly)
    world.do(world.cora, say.set_roster, world.weekly, [world.tom])
    refused(world, "Weekly has hours on Tue 3 Mar 2026 at 13:00–15:00 only", starts_at=TEN + 5 * HOUR,
            timetable=world.weekly)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * HOUR, timetable=world.weekly)


def test_b12_limits_and_buffers_hold_within_one_act_too(world: World) -> None:
    world.policy(buffer_after=15, most_a_day=3)
    starts = [TEN, TEN + 75 * MINUTE, TEN + 150 * MINUTE, TEN + 225 * MINUTE]
    with pytest.raises(Invalid, match="Tom has 3 sessions on Tue 3 Mar 2026 already; at most 3 a day") as found:
        world.book_many([world.booking(practitioner=world.tom, starts_at=at) for at in starts])
    assert found.value.item == 3
    with pytest.raises(Invalid, match="keeps 15 minutes free after"):
        world.book_many([world.booking(practitioner=world.tom, starts_at=at) for at in (TEN + HOUR, TEN)])
    made = world.book_many([world.booking(practitioner=world.tom, starts_at=at) for at in starts[:3]])
    refused(world, "at most 3 a day", starts_at=starts[3])
    world.do(world.ben, reschedule_sessions, [Move(made[2], starts[3])])  # its own place does not count
    world.do(world.ben, say.set_own_limits, world.programme, world.tom, {"most_a_day": 4, "buffer_after": 0})
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 2 * HOUR + 15 * MINUTE)
    world.do(world.ben, cancel_sessions, [made[0]], "ill")
    world.do(world.ben, say.set_own_limits, world.programme, world.tom, {"most_a_day": 1})
    refused(world, "at most 1 a day", starts_at=TEN)
    assert world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, reason="She leaves tomorrow")


def test_notice_and_the_furthest_day_hold_but_for_what_is_logged(world: World) -> None:
    world.policy(notice_minutes=24 * 60, ahead_days=7)
    refused(world, "At least 1 day ahead, that is from Tue 3 Mar 2026, 08:00 on", starts_at=world.now + 2 * HOUR)
    refused(world, "At most 7 days ahead, that is until Mon 9 Mar 2026", starts_at=TEN + 7 * DAY)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - 4 * DAY)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)


def test_closures_are_closed_and_public_holidays_where_policy_says_so(world: World) -> None:
    world.do(world.alice, say.add_closure, world.programme, "a move", TUESDAY, TUESDAY)
    refused(world, "Closed on Tue 3 Mar 2026: a move")
    world.policy(holidays_country="GB", holidays_region="ENG")
    refused(world, "Closed on Fri 3 Apr 2026: Good Friday", starts_at=datetime(2026, 4, 3, 10, tzinfo=TEN.tzinfo))


@pytest.mark.parametrize("many", [1, 40])
def test_hours_cost_as_many_statements_for_one_as_for_many(world: World, many: int) -> None:
    world.policy(buffer_after=15, most_a_day=50)
    with statements(world.engine) as sent:
        world.book_many([
            world.booking(practitioner=(world.tom, world.tess)[n % 2], starts_at=TEN + n // 2 % 3 * 2 * HOUR
                          + n // 6 * 7 * DAY) for n in range(many)
        ])
    asked = [each for each in sent if "weekly_window" in each or "FROM occupancy" in each or "JOIN occupancy" in each]
    assert len(asked) == 3


# Offering ----------------------------------------------------------------------------------------------------------


def test_b9_every_time_that_a_refusal_offers_is_accepted(world: World) -> None:
    world.policy(buffer_before=15, buffer_after=15, most_a_day=3)
    world.do(world.ben, say.save_day, hours(world, world.tom), TUESDAY, [(540, 720)])
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN)
    with pytest.raises(PersonBusy) as found:
        world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 30 * MINUTE)
    assert found.value.free
    assert all(at.date() != TUESDAY for at in found.value.free)
    for at in found.value.free:
        session = world.book(practitioner=world.tom, learner=world.sara, starts_at=at)
        world.do(world.ben, cancel_sessions, [session], "only to see")


def test_a_practitioner_any_of_them_and_a_group_with_a_room_are_offered_what_can_be_booked(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, room=world.room, starts_at=TEN)
    since, until = TEN - HOUR, TEN + 3 * HOUR
    with world.reading(world.sara) as work:
        toms = free_slots(work, world.programme, world.tom, since, until, step=HOUR)
        both = any_free(work, world.programme, since, until, step=HOUR)
        group = free_time(work, world.programme, [world.sara, world.sam], [world.room], since, until,
                          practitioner_id=world.tess)
        assert toms == [TEN - HOUR, TEN + HOUR, TEN + 2 * HOUR] == both.of(world.tom)
        assert both.starts == [TEN - HOUR, TEN, TEN + HOUR, TEN + 2 * HOUR]
        assert both.who(TEN) == [world.tess]
        assert group.starts(HOUR, HOUR) == [TEN - HOUR, TEN + HOUR, TEN + 2 * HOUR]
        assert (group.problem(TEN, TEN + HOUR) or pytest.fail("busy")).sentence.endswith("10:00–11:00.")
        for stranger in (world.zed, world.sam):
            with pytest.raises(NotFound):
                free_slots(work, world.programme, stranger, since, until)
        with pytest.raises(NotFound):
            any_free(work, world.elsewhere, since, until)
    with world.reading(world.lena) as work, pytest.raises(NotFound):
        free_slots(work, world.programme, world.tom, since, until)


def test_b9_nearest_free_takes_whoever_leads_here_to_need_hours(world: World) -> None:
    evening = TEN + 9 * HOUR
    with world.reading(world.ben) as work:
        found = nearest_free(work, world.programme, [world.tom, world.sara], None, evening, HOUR, most=2)
        alone = nearest_free(work, world.programme, [world.sara], None, evening, HOUR, most=2)
    assert found == [TEN + 5 * HOUR + 45 * MINUTE, TEN + 6 * HOUR]
    assert alone == [evening - 30 * MINUTE, evening - 15 * MINUTE]


def test_b7_a_timetable_shows_its_slots_free_and_taken_until_the_meeting_is_cancelled(world: World) -> None:
    own = hours(world, world.tom, timetable_id=world.toms_own)
    world.do(world.tom, say.save_weekly_hours, own, [Window(1, 600, 780, LONDON)])
    session = world.book(timetable=world.toms_own, learner=world.sara, starts_at=TEN + HOUR)

    def slots(who: int) -> list[tuple[datetime, bool, int | None]]:
        with world.reading(who) as work:
            found = slots_of_timetable(work, world.toms_own, TEN - 10 * HOUR, TEN + 14 * HOUR)
        return [(each.starts_at, each.free, each.session_id) for each in found]

    taken = [(TEN, True, None), (TEN + HOUR, False, session), (TEN + 2 * HOUR, True, None)]
    assert slots(world.ben) == slots(world.tom) == taken
    world.do(world.ben, cancel_sessions, [session], "ill")
    assert [free for _, free, _ in slots(world.ben)] == [True, True, True]
    with world.reading(world.sam) as work, pytest.raises(NotFound):
        slots_of_timetable(work, world.toms_own, TEN, TEN + DAY)


def test_b6_a_regular_timetable_has_a_slot_for_each_who_is_rostered_and_there(world: World) -> None:
    world.do(world.cora, say.save_weekly_hours, Whose(world.programme, timetable_id=world.weekly),
             [Window(1, 600, 720, LONDON)])
    world.do(world.cora, say.set_roster, world.weekly, [world.tom, world.tess])
    world.do(world.cora, say.set_slot_length, world.weekly, 30)
    world.do(world.ben, say.save_day, hours(world, world.tess), TUESDAY, [(660, 720)])
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.weekly, starts_at=TEN, minutes=30)
    with world.reading(world.ben) as work:
        found = slots_of_timetable(work, world.weekly, TEN - 10 * HOUR, TEN + 14 * HOUR)
    assert [(each.practitioner, (each.starts_at - TEN) // MINUTE, each.free) for each in found] == [
        ("Tom", 0, False), ("Tom", 30, True), ("Tess", 60, True), ("Tom", 60, True), ("Tess", 90, True),
        ("Tom", 90, True)]


# Changing ----------------------------------------------------------------------------------------------------------


def test_b13_a_change_shows_the_sessions_that_it_would_leave_outside_before_it_is_saved(world: World) -> None:
    ten = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    late = world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 9 * HOUR, reason="was outside before")
    world.do(world.cora, say.save_weekly_hours, Whose(world.programme, timetable_id=world.weekly),
             [Window(1, 540, 720, LONDON)])
    world.do(world.cora, say.set_roster, world.weekly, [world.tess])
    weekly = world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, timetable=world.weekly)
    here, tuesday = world.programme, TUESDAY.toordinal()
    after_noon = (Weekly(1, 720, 1020, LONDON),)
    for change, expected in (
        (Change(here, world.tom, weekly=after_noon), [ten]), (Change(here, world.tom, day=TUESDAY), []),
        (Change(here, world.tom, off=(TEN, TEN + MINUTE)), [ten]),
        (Change(here, world.tom, world.toms_own, weekly=(Weekly(1, 600, 660, LONDON),)), [ten]),
        (Change(here, closed=Closed(tuesday, tuesday, "a move")), [ten, weekly]),
        (Change(here, timetable_id=world.weekly, roster=frozenset()), [weekly]),
        (Change(here, timetable_id=world.weekly, weekly=after_noon), [weekly]),
        (Change(here, world.tess, weekly=()), [weekly]),
    ):
        with world.reading(world.ben) as work:
            assert [each.session_id for each in affected(work, change)] == expected, change
    with world.reading(world.sara) as work:
        assert [each.session_id for each in affected(work, Change(here, closed=Closed(tuesday, tuesday, "x")))] == [ten]
    saved = world.do(world.ben, say.save_weekly_hours, hours(world, world.tom), [Window(1, 720, 1020, LONDON)])
    assert saved.said == "Saved the hours of Tom. 1 session ahead lies outside now; it stays booked."
    assert world.fact(ten, "starts_at") == TEN
    assert late


def affects(world: World, who: int, change: Change) -> list[tuple[int, str]]:
    with world.reading(who) as work:
        return [(each.session_id, each.why) for each in affected(work, change)]


def test_b13_limits_of_ones_own_show_the_later_sessions_that_are_too_many_or_too_close(world: World) -> None:
    ten, eleven, three = (
        world.book(practitioner=world.tom, learner=world.sara, starts_at=at)
        for at in (TEN, TEN + HOUR, TEN + 5 * HOUR))
    tess = world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)

    def of(*limits: int | None) -> list[int]:
        before, after, a_day, a_week = limits
        return [id_ for id_, _ in affects(world, world.ben, Change(
            world.programme, world.tom, limits=(before, after, a_day, a_week)))]

    assert of(None, None, None, None) == of(None, None, 3, 4) == []
    assert of(None, None, 2, None) == [three]
    assert of(None, None, 1, None) == [eleven, three]
    assert of(None, None, None, 2)[:1] == [three]
    assert len(of(None, None, None, 2)) == 2
    assert of(None, 10, None, None) == [ten]
    assert of(10, None, None, None) == [eleven]
    said = affects(world, world.ben, Change(world.programme, world.tom, limits=(None, None, 2, None)))[0][1]
    assert said == "Tom has 2 sessions on Tue 3 Mar 2026 already; at most 2 a day."
    saved = world.do(world.ben, say.set_own_limits, world.programme, world.tom, {"most_a_day": 2})
    assert saved.said == (
        "Tom has buffers or limits of their own now. 1 session ahead lies outside now; it stays booked.")
    assert of(None, None, 2, None) == []  # it lies outside already
    assert world.fact(three, "starts_at") == TEN + 5 * HOUR
    assert tess


def test_b13_a_policy_shows_what_its_hours_holidays_buffers_and_limits_leave_outside(world: World) -> None:
    now = world.policy()
    ten = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    eleven = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + HOUR)
    friday = world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN + 31 * DAY - HOUR)
    tess = world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    world.do(world.ben, say.set_own_limits, world.programme, world.tess, {"most_a_day": 9})

    def of(**fields: Any) -> list[int]:
        policy = Policy.model_validate({**now.model_dump(), **fields})
        return [id_ for id_, _ in affects(world, world.alice, Change(world.programme, policy=policy))]

    assert of() == of(usual_minutes=30, notice_minutes=60 * 24 * 30, ahead_days=1) == []
    assert of(open_hours=[None, None, *now.open_hours[2:]]) == [ten, tess, eleven]
    assert of(holidays_country="GB", holidays_region="ENG") == [friday]
    assert of(most_a_day=1) == [eleven]
    assert of(buffer_before=5) == [eleven]
    assert of(most_a_day=1, open_hours=[None, (12 * 60, 20 * 60), *now.open_hours[2:]]) == [ten, tess, eleven]
    world.do(world.ben, say.set_own_limits, world.programme, world.tom, {"most_a_day": 5})
    assert of(most_a_day=1) == []  # their own outranks it


def test_b13_what_was_cancelled_counts_for_no_limit(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    late = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 5 * HOUR)
    world.do(world.ben, cancel_sessions, [world.book(
        practitioner=world.tom, learner=world.sam, starts_at=TEN + 3 * HOUR)], "ill")
    change = Change(world.programme, world.tom, limits=(None, None, 2, None))
    assert affects(world, world.ben, change) == []
    assert [id_ for id_, _ in affects(world, world.ben, Change(
        world.programme, world.tom, limits=(None, None, 1, None)))] == [late]


def test_x2_hours_are_never_what_lets_two_meet_at_once(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Conflict):
        world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN, reason="never mind")


@pytest.mark.parametrize(("start", "fine"), [(TEN - 3 * HOUR, False), (TEN - HOUR, True), (TEN + 6 * HOUR, True),
                                             (TEN + 6 * HOUR + 5 * MINUTE, False)])
def test_hours_begin_and_end_to_the_minute(world: World, start: datetime, fine: bool) -> None:
    with nullcontext() if fine else pytest.raises(Invalid):
        world.book(practitioner=world.tom, learner=world.sara, starts_at=start)

"""X5: an act can be undone as one, through the same guards, unless something later depends on it."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from core.attending import commands as attending
from core.attending.rules import Attendance
from core.errors import Conflict, NotAllowed, NotFound
from core.history import commands as history
from core.history.commands import undo
from core.history.queries import timeline
from core.people import commands as people
from core.people.commands import PersonEdit
from core.programmes.commands import edit_programme
from core.sessions.booking import book_sessions
from core.sessions.changing import Edit, Move, Reassign, edit_sessions, reassign_sessions, reschedule_sessions
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.queries import worksheet
from core.sessions.rules import PersonBusy
from core.work import Saved
from db.models.notices import Notice
from db.models.people import Person
from db.models.sessions import Occupancy, Participation, Session
from db.words import Outcome
from tests.factories import DAY, HOUR, NOON, TEN, World


def take_back(world: World, saved: Saved, by: int | None = None, **kw: object) -> Saved:
    return world.do(by or world.ben, undo, saved.act_id, undoes=saved.act_id, **kw)


def booked(world: World, **given: object) -> Saved:
    given = {"practitioner": world.tom, "learner": world.sara, "starts_at": TEN, **given}
    return world.do(world.ben, book_sessions, [world.booking(**given)])


def taken(world: World) -> int:
    return world.one(select(func.count()).select_from(Occupancy))


def test_x5_a_booking_undone_is_gone_and_its_number_is_never_used_again(world: World) -> None:
    saved = booked(world)
    take_back(world, saved)
    assert world.one(select(func.count()).select_from(Session)) == 0
    assert taken(world) == 0
    again = booked(world)
    assert world.fact(again.result[0], "number") == 2


def test_x5_a_deleted_session_comes_back_whole_with_its_id(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,),
                         description="Fractions <b>&</b> 🎉")
    before = world.all(select(Session.__table__).where(Session.id == session))
    saved = world.do(world.ben, delete_sessions, [session], cancel_first=True)
    assert taken(world) == 0
    take_back(world, saved)
    after = world.all(select(Session.__table__).where(Session.id == session))
    names = [column.name for column in Session.__table__.columns]
    differ = {n for n, old, new in zip(names, before[0], after[0], strict=True) if old != new}
    assert differ == {"version"}
    assert taken(world) == 2


def test_x5_moves_that_took_each_others_time_are_put_back_as_one(world: World) -> None:
    first = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    second = world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + HOUR)
    saved = world.do(world.ben, reschedule_sessions, [Move(first, TEN + HOUR), Move(second, TEN)])
    take_back(world, saved)
    assert world.fact(first, "starts_at") == TEN
    assert world.fact(second, "starts_at") == TEN + HOUR


def test_x5_undo_is_refused_with_who_and_when_where_the_time_was_taken(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    saved = world.do(world.ben, reschedule_sessions, [Move(session, NOON)])
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN)
    with pytest.raises(PersonBusy, match=r"Tom is busy Tue 3 Mar 2026, 10:00–11:00 \(session 2\)"):
        take_back(world, saved)
    assert world.fact(session, "starts_at") == NOON


def test_x5_what_came_later_stands_in_the_way_and_is_named(world: World) -> None:
    saved = booked(world)
    session = saved.result[0]
    world.do(world.alice, edit_sessions, [Edit(session, {"description": "Vectors"})])
    with pytest.raises(Conflict, match=r"Later, .* Alice: Changed session 1\."):
        take_back(world, saved)


def test_x5_an_act_and_its_own_undo_cancel_out(world: World) -> None:
    saved = booked(world)
    edited = world.do(world.alice, edit_sessions, [Edit(saved.result[0], {"description": "Vectors"})])
    take_back(world, edited)
    take_back(world, saved)
    assert world.one(select(func.count()).select_from(Session)) == 0


def test_x5_an_undo_can_be_undone_and_nothing_twice(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    moved = world.do(world.ben, reschedule_sessions, [Move(session, NOON)])
    undone = take_back(world, moved)
    with pytest.raises(Conflict, match="undone already"):
        take_back(world, moved)
    take_back(world, undone)
    assert world.fact(session, "starts_at") == NOON


def test_x5_something_made_later_for_a_session_keeps_its_booking(world: World) -> None:
    saved = booked(world)
    world.do(world.ben, edit_sessions, [Edit(saved.result[0], {"course_ids": (world.maths,)})])
    with pytest.raises(Conflict, match="Later"):
        take_back(world, saved)


def test_x5_ones_own_for_24_hours_staff_any(world: World) -> None:
    saved = world.do(world.tom, book_sessions,
                     [world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * DAY)])
    with pytest.raises(NotFound):
        take_back(world, saved, by=world.tess)
    with pytest.raises(NotAllowed, match="24 hours"):
        take_back(world, saved, by=world.tom, now=world.now + timedelta(hours=24, seconds=1))
    with pytest.raises(NotFound):
        take_back(world, saved, by=world.zara)
    take_back(world, saved, by=world.alice, now=world.now + timedelta(days=3))


def test_x5_cancelling_undone_takes_everybodys_time_back(world: World) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, room=world.room, starts_at=TEN)
    saved = world.do(world.ben, cancel_sessions, [session], "ill")
    assert taken(world) == 0
    take_back(world, saved)
    assert world.fact(session, "status") == "scheduled"
    assert taken(world) == 4
    assert world.all(select(Participation.outcome)) == [None, None]


def test_x5_an_outcome_undone_opens_the_session_again(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - 7 * DAY)
    saved = world.do(world.tom, attending.record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)])
    assert world.fact(session, "status") == "held"
    take_back(world, saved, by=world.tom)
    assert world.fact(session, "status") == "scheduled"


def test_x5_a_stale_form_stays_stale_after_an_undo(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    moved = world.do(world.ben, reschedule_sessions, [Move(session, NOON)])
    seen = world.fact(session, "version")
    take_back(world, moved)
    assert world.fact(session, "version") > seen


def test_timeline_says_every_change_in_words_with_undo(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Fractions",
                         planning_notes="bring a ruler")
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    with world.reading(world.ben) as work:
        latest, first = timeline(work, session)
    assert (latest.who, latest.did, latest.lines) == ("Ben", "Reassigned", ("Coach: Tom → Tess",))
    assert latest.can_undo
    assert "Description: Fractions" in first.lines
    assert "Member Sara added" in first.lines
    assert any(line.startswith("Start: Tue 3 Mar 2026, 10:00") for line in first.lines)


def test_d7_a_line_manager_reads_no_words_in_the_timeline(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Fractions",
                         planning_notes="bring a ruler", location="Room by the river")
    world.do(world.ben, cancel_sessions, [session], "Sara has the flu")
    with world.reading(world.lena) as work:
        said = repr(timeline(work, session))
    for words in ("Fractions", "ruler", "river", "flu"):
        assert words not in said
    assert "Tue 3 Mar 2026" in said
    with world.reading(world.zed) as work, pytest.raises(NotFound):
        timeline(work, session)


def test_x6_a_line_manager_sees_nothing_of_other_learners_in_a_team(world: World) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN - 7 * DAY)
    world.do(world.tom, attending.record_outcome, session,
             [Attendance(world.sara, Outcome.ATTENDED), Attendance(world.sam, Outcome.MISSED)])
    with world.reading(world.lena) as work:
        sheet, told = worksheet(work, session), repr(timeline(work, session))
    assert [part.name for part in sheet.parts] == ["Sara"]
    assert sheet.row.learners == ("Sara",)
    assert "Sam" not in told
    assert "missed" not in told
    assert "attended" in told
    with world.reading(world.sara) as work:
        assert [part.name for part in worksheet(work, session).parts] == ["Sam", "Sara"]


# What depends on it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    lambda _, session: (reschedule_sessions, [Move(session, TEN)]),
    lambda world, session: (reassign_sessions, [Reassign(session, world.tess)]),
])
def test_x5_who_and_when_stay_once_an_outcome_was_recorded(world: World, change: Any) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    saved = world.do(world.ben, *change(world, session))
    later = NOON + HOUR
    recorded = world.do(world.ben, attending.record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)],
                        now=later)
    with pytest.raises(Conflict, match=r"Later, .* Ben: "):
        take_back(world, saved, now=later)
    assert world.fact(session, "status") == "held"
    take_back(world, recorded, now=later)
    take_back(world, saved, now=later)
    assert (world.fact(session, "practitioner_id"), world.fact(session, "starts_at")) == (world.tom, NOON)


@pytest.mark.parametrize("fact", ["joined_at", "submitted_at", "report_published_at"])
def test_x5_who_and_when_stay_once_somebody_joined_or_submitted(world: World, fact: str) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    moved = world.do(world.ben, reschedule_sessions, [Move(session, TEN)])
    world.set(session, **{fact: TEN})
    with pytest.raises(Conflict, match="cannot be undone any more"):
        take_back(world, moved)
    world.set(session, **{fact: None})
    take_back(world, moved)


def test_x5_a_move_stays_once_the_session_was_cancelled(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    moved = world.do(world.ben, reschedule_sessions, [Move(session, TEN)])
    cancelled = world.do(world.ben, cancel_sessions, [session], "ill")
    with pytest.raises(Conflict, match="Cancelled session 1"):
        take_back(world, moved)
    take_back(world, cancelled)
    take_back(world, moved)


def test_x5_an_outcome_stays_once_it_was_reported_on(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - 7 * DAY)
    recorded = world.do(world.tom, attending.record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)])
    world.set(session, report_published_at=world.now)
    with pytest.raises(Conflict, match="cannot be undone any more"):
        take_back(world, recorded)
    assert world.fact(session, "attended") == 1


def test_x5_what_is_changed_meanwhile_waits_and_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = world.do(world.alice, people.edit_people, [PersonEdit(world.sara, {"phone": "11111"})])
    real, threads = history._put_back, []

    def slowly(*args: Any) -> None:
        threads.append(Thread(target=lambda: world.do(
            world.ben, people.edit_people, [PersonEdit(world.sara, {"phone": "22222"})])))
        threads[0].start()
        threads[0].join(0.4)
        assert threads[0].is_alive()
        real(*args)

    monkeypatch.setattr(history, "_put_back", slowly)
    take_back(world, saved, by=world.alice)
    threads[0].join(20)
    assert world.one(select(Person.phone).where(Person.id == world.sara)) == "22222"


# Who is told -------------------------------------------------------------------------------------------------------


def told(world: World, saved: Saved) -> list[Any]:
    return sorted(world.all(select(Notice.person_id, Notice.text).where(Notice.change_set_id == saved.act_id)))


def test_x7_a_booking_undone_is_told_to_everybody_in_it(world: World) -> None:
    undone = take_back(world, booked(world))
    said = "Session 1: its booking was undone, so it does not take place."
    assert told(world, undone) == [(world.tom, said), (world.sara, said)]


def test_x7_whoever_loses_a_session_by_undo_is_told(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    saved = world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    assert {person for person, _ in told(world, take_back(world, saved))} == {world.tom, world.tess, world.sara}


def test_x6_a_name_taken_by_a_foreign_programme_says_no_more_than_that(world: World) -> None:
    saved = world.do(world.alice, edit_programme, world.programme, {"name": "Home two"})
    world.do(world.zara, edit_programme, world.elsewhere, {"name": "Home"})
    with pytest.raises(Conflict) as refused:
        take_back(world, saved, by=world.alice)
    assert str(refused.value) == "This cannot be undone any more: the name belongs to another programme now."


def test_x5_an_act_in_force_again_is_not_shown_as_undone(world: World) -> None:
    session = booked(world).result[0]
    moved = world.do(world.ben, reschedule_sessions, [Move(session, NOON)])
    acts = [moved]
    for undone in ([True], [False, True], [True, False, True]):  # of the move and its undos, the last aside
        acts.append(take_back(world, acts[-1]))
        with world.reading(world.ben) as work:
            shown = {entry.act_id: entry for entry in timeline(work, session)}
        assert [shown[act.act_id].undone for act in acts[:-1]] == undone
        assert [shown[act.act_id].can_undo for act in acts] == [False] * (len(acts) - 1) + [True]

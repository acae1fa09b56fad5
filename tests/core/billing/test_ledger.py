"""The ledger follows the facts, by reversal and a new line, and can say why (X4, E3, E9)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.attending.commands import cancel_parts, charge_late_change, record_outcome, reopen_session
from core.attending.rules import Attendance
from core.billing.queries import Filters, lines
from core.billing.settle import settle
from core.errors import Conflict, Invalid, NotAllowed
from core.history.commands import undo
from core.sessions.changing import Move, Reassign, reassign_sessions, reschedule_sessions, take_off_calendar
from core.sessions.ending import LateChange, cancel_sessions, delete_sessions
from core.sessions.fixes import Fix, FixKind, apply_fixes, preview
from core.sessions.groups import add_learners
from db.models.afterwards import Forfeit
from db.words import LineKind, Outcome, Wish
from tests.core.billing.conftest import LATER, Office
from tests.factories import DAY, HOUR, TEN

CHARGE, PAYOUT = LineKind.CHARGE, LineKind.PAYOUT


def test_e3_attended_is_billed_and_paid(office: Office) -> None:
    session = office.held((office.world.sara, Outcome.ATTENDED), minutes=90)
    charge, payout = office.lines(session)
    assert (charge.kind, charge.amount, charge.learner_id, charge.payer_id, charge.minutes) == (
        CHARGE, 7500, office.world.sara, office.payer, 90)
    assert (payout.kind, payout.amount, payout.practitioner_id) == (PAYOUT, 4500, office.world.tom)


def test_e4_nothing_is_paid_before_attendance(office: Office) -> None:
    office.world.book(practitioner=office.world.tom, learner=office.world.sara, starts_at=TEN)
    assert office.lines() == []


def test_x4_a_correction_is_a_reversal_and_a_new_line(office: Office) -> None:
    world = office.world
    session = office.held((world.sara, Outcome.ATTENDED))
    world.do(world.tom, reopen_session, session, "it took longer", now=LATER)
    assert office.amounts(session) == {CHARGE: 0, PAYOUT: 0}
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED, 75)], now=LATER)
    assert office.amounts(session) == {CHARGE: 6250, PAYOUT: 3750}
    told = [(line.amount, line.turn, line.reason) for line in office.lines(session, CHARGE, standing=False)]
    assert told == [(5000, 1, None), (-5000, 2, "it took longer"), (6250, 3, None)]


def test_x5_undo_takes_the_money_back_and_settling_again_writes_nothing(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    saved = world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)], now=LATER)
    assert world.do(world.alice, settle, [session]).result == 0
    world.do(world.tom, undo, saved.act_id, undoes=saved.act_id, now=LATER)
    assert office.amounts(session) == {CHARGE: 0, PAYOUT: 0}
    with pytest.raises(Conflict, match="Money was worked out"):
        world.do(world.alice, delete_sessions, [session], cancel_first=True)


def test_x4_the_database_refuses_to_change_or_delete_a_line(office: Office) -> None:
    world = office.world
    office.held((world.sara, Outcome.ATTENDED))
    for statement in ("UPDATE ledger_line SET amount = 1", "DELETE FROM ledger_line"):
        with pytest.raises(IntegrityError, match="append-only"):
            world.raw(lambda work, said=statement: work.tx.connection().exec_driver_sql(said))


def test_e9_in_a_group_each_is_charged_and_the_practitioner_is_paid_once_at_the_best(office: Office) -> None:
    world = office.world
    session = office.held(
        Attendance(world.sara, Outcome.ATTENDED, 75), (world.sam, Outcome.MISSED),
        (world.vic, Outcome.PRACTITIONER_ABSENT))
    assert [(line.learner_id, line.amount) for line in office.lines(session, CHARGE)] == [
        (world.sara, 6250), (world.sam, 5000)]
    assert [line.amount for line in office.lines(session, PAYOUT)] == [3750]


def test_e8_cancelling_ones_part_late_is_charged_and_in_time_is_not(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    world.do(world.sara, cancel_parts, session, [world.sara], "ill", now=TEN - timedelta(hours=24))
    assert office.lines(session) == []
    world.do(world.sam, cancel_parts, session, [world.sam], "ill", now=TEN - timedelta(hours=23))
    assert office.amounts(session) == {CHARGE: 5000, PAYOUT: 3000}
    assert world.fact(session, "status") == "cancelled"


def test_e8_a_change_inside_the_notice_is_charged_or_waived_with_a_reason(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    move = Move(session, TEN + 7 * DAY, late=LateChange(Wish.LEARNER, True, ""))
    with pytest.raises(Invalid, match="charged, or waived"):
        world.do(world.ben, reschedule_sessions, [move], now=TEN - HOUR)
    world.do(world.ben, reschedule_sessions, [
        Move(session, TEN + 7 * DAY, late=LateChange(Wish.LEARNER, True, "rang at nine"))], now=TEN - HOUR)
    assert office.amounts(session) == {CHARGE: 5000, PAYOUT: 3000}
    assert {line.outcome for line in office.lines(session)} == {Outcome.CANCELLED_LATE}
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)], now=LATER)
    assert office.amounts(session) == {CHARGE: 10000, PAYOUT: 6000}


def test_e8_whose_wish_it_is_is_asked_by_the_command_itself(office: Office) -> None:
    world, before, week = office.world, TEN - HOUR, TEN + 7 * DAY
    first = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    far = world.book(practitioner=world.tom, learner=world.sara, starts_at=week)
    for command, *what in ((reschedule_sessions, [Move(first, week)]), (take_off_calendar, [first])):
        with pytest.raises(Invalid, match="whose wish") as refused:
            world.do(world.ben, command, *what, now=before)
        assert refused.value.problems.keys() == {"wish"}
    world.do(world.ben, reschedule_sessions, [Move(first, TEN, 90)], now=before)  # that takes no meeting away
    shift = Fix(FixKind.SHIFT, hours=2)
    with world.reading(world.ben, now=before) as work:
        assert [(row.asks_wish, row.refused is None) for row in preview(work, shift, [first, far])] == [
            (True, False), (False, True)]
    wish = LateChange(Wish.LEARNER, True, "rang")
    world.do(world.ben, apply_fixes, replace(shift, late=wish), [first, far], now=before)
    assert office.amounts() == {CHARGE: 7500, PAYOUT: 4500}
    assert len(world.all(select(Forfeit.id))) == 1


@pytest.mark.parametrize("late", [LateChange(Wish.LEARNER, True, "rang"), LateChange(Wish.PRACTITIONER, False, "")])
def test_e3_a_late_cancellation_stays_with_the_meeting_that_was_cancelled(office: Office, late: LateChange) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN, minutes=60)
    world.do(world.sara, cancel_parts, session, [world.sara], "ill", now=TEN - 2 * HOUR)
    once = [(world.sara, TEN.date(), 5000)]

    def charged() -> list[tuple[int | None, date, int]]:
        return [(line.learner_id, line.day, line.amount) for line in office.lines(session, CHARGE)]

    assert charged() == once
    lost = [*once, (world.sam, TEN.date(), 5000)] if late.charged else once
    world.do(world.ben, reschedule_sessions, [Move(session, TEN + 7 * DAY, 120, late=late)], now=TEN - HOUR)
    assert sorted(charged()) == sorted(lost)
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)], now=TEN)
    world.do(world.ben, reschedule_sessions, [Move(session, TEN + 8 * DAY)], now=TEN)
    world.do(world.ben, take_off_calendar, [session], now=TEN)
    assert sorted(charged()) == sorted(lost)
    assert {line.practitioner_id for line in office.lines(session)} == {world.tom}
    assert len(world.all(select(Forfeit.id))) == len(lost) + (not late.charged)


def test_e3_each_meeting_cancelled_late_is_kept_and_charged_once(office: Office) -> None:
    """Whoever takes part again and cancels late again has lost another meeting; the first stays as it was."""
    world, week = office.world, 7 * DAY
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    waived = LateChange(Wish.PRACTITIONER, False, "")
    charged = []
    for n, at in enumerate((TEN, TEN + week), start=1):
        world.do(world.sara, cancel_parts, session, [world.sara], "ill", now=at - HOUR)
        for to in (at + week, at + week + DAY, at + week):
            world.do(world.ben, reschedule_sessions, [Move(session, to, late=waived)], now=at - HOUR)
            world.do(world.ben, reassign_sessions, [Reassign(session, world.tom)], now=at - HOUR)
        charged.append((at.date(), 5000))
        assert sorted((line.day, line.amount) for line in office.lines(session, CHARGE)) == charged
        assert len(world.all(select(Forfeit.id).where(Forfeit.learner_id == world.sara))) == n
        world.do(world.ben, add_learners, session, [world.sara], now=at)
    assert sorted((line.day, line.amount) for line in office.lines(session, CHARGE)) == charged


def test_e8_a_late_change_is_waived_or_charged_after_all(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.tom, reschedule_sessions, [
        Move(session, TEN + 7 * DAY, late=LateChange(Wish.LEARNER, True, "rang"))], now=TEN - HOUR)
    forfeit = world.one(select(Forfeit.id))
    for who in (world.tom, world.sara, world.mona):
        with pytest.raises(NotAllowed):
            world.do(who, charge_late_change, forfeit, False, "no")
    with pytest.raises(Invalid, match="Say why"):
        world.do(world.ben, charge_late_change, forfeit, False, " ")
    waived = world.do(world.ben, charge_late_change, forfeit, False, "was in hospital")
    assert (waived.said, office.amounts(session)) == ("Waived the late change of session 1.", {CHARGE: 0, PAYOUT: 0})
    with pytest.raises(Conflict, match="waived already"):
        world.do(world.ben, charge_late_change, forfeit, False, "again")
    world.do(world.ben, undo, waived.act_id, undoes=waived.act_id)
    assert office.amounts(session) == {CHARGE: 5000, PAYOUT: 3000}


def test_e3_a_practitioners_cancelling_costs_nothing(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.ben, cancel_sessions, [session], "snow", now=TEN - HOUR)
    assert office.lines(session) == []


def test_e9_each_viewer_sees_their_own_lines_and_why(office: Office) -> None:
    world = office.world
    office.held((world.sara, Outcome.ATTENDED), minutes=90)
    seen = {}
    for who in (world.alice, world.tom, world.sara, world.gus, world.sam, world.lena):
        with world.reading(who) as work:
            seen[who] = [(line.kind, line.amount) for line in lines(work, world.programme, Filters()).rows]
    assert seen[world.alice] == [(PAYOUT, 4500), (CHARGE, 7500)]
    assert seen[world.tom] == [(PAYOUT, 4500)]
    assert seen[world.sara] == seen[world.gus] == [(CHARGE, 7500)]
    assert seen[world.sam] == seen[world.lena] == []
    with world.reading(world.alice) as work:
        why = lines(work, world.programme, Filters(kind=CHARGE)).rows[0].why
    assert why.startswith("Attended: 90 minutes at £50.00 an hour, by the programme's rate in force on")


def test_x5_a_late_change_undone_costs_nothing(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    moved = world.do(world.tom, reschedule_sessions, [
        Move(session, TEN + 7 * DAY, late=LateChange(Wish.LEARNER, True, "rang"))], now=TEN - HOUR)
    world.do(world.tom, undo, moved.act_id, undoes=moved.act_id, now=TEN - HOUR)
    assert office.amounts(session) == {CHARGE: 0, PAYOUT: 0}
    assert world.all(select(Forfeit.id)) == []
    world.do(world.sara, cancel_parts, session, [world.sara], "ill", now=TEN - HOUR)
    assert office.amounts(session) == {CHARGE: 5000, PAYOUT: 3000}

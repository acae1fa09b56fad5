"""X4, E3: whatever is done, in whatever order, the ledger is what the facts say, to the last unit.

`PORTAL_BALANCE_ACTS=20000` runs so many acts on each engine; as it is, few enough for every run.
"""

import os
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from core.attending.commands import cancel_parts, charge_late_change, record_outcome, reopen_session
from core.attending.rules import Attendance
from core.billing.closing import close_period, credit_invoice
from core.billing.commands import (
    NewRate,
    add_payer,
    add_rate,
    change_rate,
    end_rate,
    remove_rate,
    set_biller,
    set_matrix,
    set_payer,
)
from core.billing.documents import Chosen, Left, documents, matches, theirs
from core.billing.payments import give_back, mark_paid, set_off, set_off_all
from core.billing.totals import fold, recomputed, sums
from core.errors import Refusal
from core.history.commands import undo
from core.sessions.booking import book_sessions
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    edit_sessions,
    reassign_sessions,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import LateChange, cancel_sessions
from core.work import Saved
from db.engine import reading as connected
from db.models.billing import Document, DocumentLine, LedgerLine, Payment
from db.words import DocumentKind, Kind, Outcome, RateUnit, Side, TotalOf, Wish
from tests.conftest import Databases
from tests.factories import DAY, HOUR, TEN, World, a_world

ACTS = int(os.environ.get("PORTAL_BALANCE_ACTS", "160"))
STEPS = 20
LONDON = ZoneInfo("Europe/London")
TYPES = ("lesson", "trial lesson")
SHARES = [Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1)]
Owed = dict[tuple[str, int, int], int]
"""By kind, learner or team (0 for a payout) and meeting: minor units."""


# The same, worked out plainly ----------------------------------------------------------------------------------------


def rows(world: World, statement: Any) -> list[Any]:
    """Rows whose columns have names."""
    with connected(world.engine) as connection:
        return list(connection.execute(statement))


def owed(world: World, session: int) -> Owed:
    """What a session's facts come to, from its rows alone."""
    (one,) = rows(world, select(_SESSION).where(_SESSION.c.id == session))
    courses = set(world.all(select(_LINK.c.course_id).where(_LINK.c.session_id == session)))
    lost = rows(world, select(_FORFEIT).where(_FORFEIT.c.session_id == session).order_by(_FORFEIT.c.id))
    found: Owed = {}
    if one.starts_at is not None:
        _meeting(world, one, courses, one, [
            (part.learner_id, part.outcome, part.actual_minutes if part.outcome is Outcome.ATTENDED else None, 0)
            for part in rows(world, select(_PART).where(_PART.c.session_id == session, _PART.c.outcome.is_not(None)))
            if part.outcome is not Outcome.CANCELLED_LATE or not any(  # that meeting was kept when its time was lost
                row.learner_id == part.learner_id and row.at >= part.outcome_at for row in lost)
        ], found)
    meetings: dict[Any, list[Any]] = {}
    for row in lost:
        if row.charged:
            meetings.setdefault((row.starts_at, row.practitioner_id), []).append(row)
    for those in meetings.values():
        _meeting(world, one, courses, those[0], [
            (row.learner_id, Outcome.CANCELLED_LATE, None, row.id) for row in those], found)
    return {key: amount for key, amount in found.items() if amount}


def _meeting(
    world: World, one: Any, courses: set[int], when: Any, parts: list[tuple[int, Outcome, int | None, int]],
    found: Owed,
) -> None:
    day, planned = when.starts_at.astimezone(LONDON).date(), (when.ends_at - when.starts_at) // timedelta(minutes=1)
    matrix = rows(world, select(_MATRIX).where(_MATRIX.c.programme_id == one.programme_id, _MATRIX.c.from_day <= day)
                  .order_by(_MATRIX.c.from_day.desc()).limit(1))
    in_full = (Outcome.ATTENDED, Outcome.MISSED, Outcome.CANCELLED_LATE)
    shares = matrix[0].shares if matrix else dict.fromkeys(in_full, ("1", "1"))
    for n, side in enumerate(("billed", "paid")):
        rate = _rate(world, one, courses, side, when.practitioner_id, day)
        best = 0
        for learner, outcome, minutes, forfeit in parts if rate is not None else ():
            size = Fraction(minutes or planned, 60) if rate.unit is RateUnit.HOUR else Fraction(1)
            exact = rate.amount * size * Fraction(shares.get(outcome, ("0", "0"))[n])
            amount = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
            best = max(best, amount)
            if side == "billed":
                found["charge", learner, forfeit] = amount
        if side == "paid" and parts and when.practitioner_id is not None:
            found["payout", 0, min(part[3] for part in parts)] = best


def _rate(world: World, one: Any, courses: set[int], side: str, leads: int | None, day: date) -> Any:
    best, score = None, (-1, 0, 0)
    for rate in rows(world, select(_RATE).where(_RATE.c.programme_id == one.programme_id, _RATE.c.side == side)):
        fits = (
            rate.from_day <= day and (rate.until_day is None or rate.until_day >= day)
            and rate.course_id in (None, *courses) and rate.type in (None, one.type)
            and rate.practitioner_id in (None, leads) and rate.engagement_id in (None, one.engagement_id))
        narrow = (8 * (rate.engagement_id is not None) + 4 * (rate.practitioner_id is not None)
                  + 2 * (rate.course_id is not None) + (rate.type is not None))
        if fits and (narrow, -(rate.course_id or 0), -rate.id) > score:
            best, score = rate, (narrow, -(rate.course_id or 0), -rate.id)
    return best


# The machine ---------------------------------------------------------------------------------------------------------


def machine(kind: str, databases: Databases) -> type[RuleBasedStateMachine]:
    """One of the engines, on a database that all sequences share."""
    world = a_world(databases.clean(kind), Kind.TUTORING, open_hours=[(0, 1440)] * 7, most_a_day=None, missed_wait=0)
    one, two = (int(world.do(world.alice, add_payer, world.programme, {"name": name}).result)
                for name in ("One", "Two"))
    world.do(world.alice, set_payer, one, date(2020, 1, 1), [world.sara, world.sam])
    world.do(world.alice, set_biller, world.programme, {"name": "Us", "tax_rate": 1900, "prefix": ""})
    for side, amount in ((Side.BILLED, 3333), (Side.PAID, 2000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, date(2020, 1, 1)))
    learners = [world.sara, world.sam, world.vic]
    outcomes = st.lists(st.sampled_from(Outcome), min_size=1, max_size=3)

    class Balance(RuleBasedStateMachine):
        acts, clock = 0, TEN
        sequences = 0
        closed: dict[int, list[Any]] = {}  # noqa: RUF012  # of the whole run, on purpose

        @initialize()
        def begin(self) -> None:
            self.sessions: list[int] = []
            self.saved: list[Saved] = []
            type(self).sequences += 1

        def act(self, who: int, command: Callable[..., Any], *args: Any, **kw: Any) -> Any:
            """One act, a minute later than the last; what is refused leaves no trace."""
            cls = type(self)
            cls.acts += 1
            cls.clock += timedelta(minutes=1)
            try:
                saved = world.do(who, command, *args, now=cls.clock, **kw)
            except Refusal:
                return None
            self.saved.append(saved)
            return saved.result

        def booked(self, count: int, minutes: int, kind: int, course: bool, leads: int) -> int | None:
            made = self.act(world.ben, book_sessions, [world.booking(
                practitioner=(world.tom, world.tess)[leads], learner_ids=tuple(learners[:count]), minutes=minutes,
                starts_at=(type(self).clock + 2 * DAY).replace(second=0, microsecond=0), type=TYPES[kind],
                course_ids=(world.maths,) if course else ())])
            if made is None:
                return None
            self.sessions.append(made[0])
            return int(made[0])

        def said(self, session: int, came: list[Outcome], minutes: int) -> list[Attendance]:
            start = world.fact(session, "starts_at") or type(self).clock
            notice = {Outcome.CANCELLED_LATE: start - HOUR, Outcome.CANCELLED_IN_TIME: start - DAY}
            return [Attendance(learner, outcome, minutes if outcome is Outcome.ATTENDED else None,
                               notice_at=notice.get(outcome), overruled="so it was")
                    for learner, outcome in zip(learners, came, strict=False)]

        @rule(came=outcomes, minutes=st.sampled_from([30, 45, 60]), actual=st.sampled_from([7, 25, 30, 60]),
              kind=st.integers(0, 1), course=st.booleans(), leads=st.integers(0, 1))
        def meet(self, came: list[Outcome], minutes: int, actual: int, kind: int, course: bool, leads: int) -> None:
            if (session := self.booked(len(came), minutes, kind, course, leads)) is not None:
                type(self).clock = world.fact(session, "ends_at")
                self.act(world.ben, record_outcome, session, self.said(session, came, actual))

        @rule(at=st.integers(0, 99), came=outcomes, actual=st.sampled_from([15, 40, 90]))
        def correct(self, at: int, came: list[Outcome], actual: int) -> None:
            if self.sessions:
                session = self.sessions[at % len(self.sessions)]
                self.act(world.ben, reopen_session, session, "wrong")
                count = len(world.all(select(_PART.c.id).where(_PART.c.session_id == session)))
                self.act(world.ben, record_outcome, session, self.said(session, (came * 3)[:count], actual))

        @rule(at=st.integers(0, 99), kind=st.integers(0, 1), course=st.booleans())
        def edit(self, at: int, kind: int, course: bool) -> None:
            if self.sessions:
                self.act(world.ben, edit_sessions, [Edit(self.sessions[at % len(self.sessions)], {
                    "type": TYPES[kind], "course_ids": (world.maths,) if course else ()})])

        @rule(count=st.integers(1, 3), hours=st.sampled_from([1, 23, 24, 30]), who=st.integers(0, 2))
        def leave(self, count: int, hours: int, who: int) -> None:
            if (session := self.booked(count, 60, 0, False, 0)) is not None:
                type(self).clock = world.fact(session, "starts_at") - timedelta(hours=hours)
                if who == 2:
                    self.act(world.ben, cancel_sessions, [session], "snow")
                else:
                    self.act((world.sara, world.gus)[who], cancel_parts, session, [world.sara], "ill")

        @rule(hours=st.sampled_from([1, 23, 30]), then=st.lists(st.integers(0, 3), min_size=1, max_size=3))
        def leave_and_go_on(self, hours: int, then: list[int]) -> None:
            if (session := self.booked(3, 60, 0, False, 0)) is not None:
                type(self).clock = world.fact(session, "starts_at") - timedelta(hours=hours)
                self.act(world.sara, cancel_parts, session, [world.sara], "ill")
                late = LateChange(Wish.PRACTITIONER, False, "")
                for what in then:
                    if what == 0:
                        self.act(world.ben, reassign_sessions, [Reassign(session, world.tess)])
                    elif what == 1:
                        self.act(world.ben, take_off_calendar, [session], late=late)
                    else:
                        at = (type(self).clock + what * DAY).replace(second=0, microsecond=0)
                        self.act(world.ben, reschedule_sessions, [Move(session, at, 30 * what, late=late)])

        @rule(at=st.integers(0, 9), charged=st.booleans())
        def charge_or_waive(self, at: int, charged: bool) -> None:
            if kept := world.all(select(_FORFEIT.c.id).order_by(_FORFEIT.c.id.desc()).limit(10)):
                self.act(world.ben, charge_late_change, kept[at % len(kept)], charged, "seen to")

        @rule(count=st.integers(1, 2), charged=st.booleans(), course=st.booleans())
        def move_late(self, count: int, charged: bool, course: bool) -> None:
            if (session := self.booked(count, 45, 0, course, 0)) is not None:
                start = world.fact(session, "starts_at")
                type(self).clock = start - HOUR
                self.act(world.ben, reschedule_sessions, [
                    Move(session, start + 3 * DAY, late=LateChange(Wish.LEARNER, charged, "rang"))])

        @rule(back=st.integers(1, 4))
        def take_back(self, back: int) -> None:
            if len(self.saved) >= back:
                saved = self.saved[-back]
                self.act(world.alice, undo, saved.act_id, undoes=saved.act_id)
                self.sessions = [each for each in self.sessions if world.all(
                    select(_SESSION.c.id).where(_SESSION.c.id == each))]

        @rule(side=st.sampled_from(Side), unit=st.sampled_from(RateUnit), amount=st.integers(0, 9999),
              narrow=st.integers(0, 7), days=st.integers(-1, 3))
        def price(self, side: Side, unit: RateUnit, amount: int, narrow: int, days: int) -> None:
            self.act(world.alice, add_rate, world.programme, NewRate(
                side, unit, amount, self.day(days), course_id=world.maths if narrow & 1 else None,
                type=TYPES[0] if narrow & 2 else None, practitioner_id=world.tom if narrow & 4 else None))

        @rule(at=st.integers(0, 99), amount=st.integers(0, 9999), days=st.integers(-2, 3), how=st.integers(0, 3))
        def change_price(self, at: int, amount: int, days: int, how: int) -> None:
            rates = world.all(select(_RATE.c.id).order_by(_RATE.c.id.desc()).limit(8))
            if not rates:  # all were taken back, or removed
                return
            rate = rates[at % len(rates)]
            if how < 2:
                self.act(world.alice, change_rate, rate, amount, self.day(days))
            elif how == 2 and len(rates) > 2:
                self.act(world.alice, end_rate, rate, self.day(days))
            else:
                self.act(world.alice, remove_rate, rate)

        @rule(shares=st.lists(st.sampled_from(SHARES), min_size=12, max_size=12), days=st.integers(-1, 2))
        def matrix(self, shares: list[Fraction], days: int) -> None:
            self.act(world.alice, set_matrix, world.programme, self.day(days), {
                outcome: (shares[2 * n], shares[2 * n + 1]) for n, outcome in enumerate(Outcome)})

        @rule(payer=st.sampled_from([one, two]), learner=st.sampled_from(learners), days=st.integers(-9, 1))
        def payer(self, payer: int, learner: int, days: int) -> None:
            self.act(world.alice, set_payer, payer, self.day(days), [learner])

        @rule()
        def close(self) -> None:
            period = self.act(world.alice, close_period, world.programme, self.day(-1))
            if period is not None:
                self.closed[period] = _on_paper(world, period)

        @rule(at=st.integers(0, 99))
        def credit(self, at: int) -> None:
            invoices = world.all(select(_DOCUMENT.c.id).where(_DOCUMENT.c.kind == DocumentKind.INVOICE))
            if invoices:
                self.act(world.alice, credit_invoice, invoices[at % len(invoices)], "wrong address")
                self.act(world.alice, mark_paid, invoices[:2], self.day(0))

        @rule(at=st.integers(0, 99), back=st.booleans(), whole=st.booleans())
        def settle(self, at: int, back: bool, whole: bool) -> None:
            with world.reading(world.alice) as work:
                favours = documents(work, world.programme, Chosen(left=Left.TO_SET_OFF), every=True)[0]
                if not favours:
                    return
                favour = favours[at % len(favours)]
                against = [each.id for each in theirs(work, favour.id, Left.OPEN)]
                shown = [each.pair for each in matches(work, world.programme)]
            if against and whole:
                assert self.act(world.alice, set_off_all, world.programme, shown), "what is offered can be done"
            elif against:
                off = self.act(world.alice, set_off, favour.id, against[:2])
                assert off, "what is offered can be done"
            if back:
                self.act(world.alice, give_back, favour.id, self.day(0), 1)

        @rule()
        def sum_up(self) -> None:
            self.act(world.alice, fold)

        def day(self, days: int) -> date:
            return (type(self).clock.astimezone(LONDON) + timedelta(days=days)).date()

        @invariant()
        def what_stands_is_what_the_facts_say(self) -> None:
            if getattr(self, "sessions", None):
                for session in self.sessions[-3:]:
                    assert _stands(world, session) == owed(world, session), session

        def teardown(self) -> None:
            for session in getattr(self, "sessions", ()):
                assert _stands(world, session) == owed(world, session), session
            if self.sequences % 10 == 0:
                check_all(world, self.closed)

    return Balance


def check_all(world: World, closed: dict[int, list[Any]]) -> None:
    """Totals are sums of lines, closed periods stay, numbers have no gaps, and no line stands twice on paper."""
    with world.reading(world.alice) as work:
        for by in TotalOf:
            told = [one for one in sums(work, [world.programme], by) if one[4:] != (0, 0, 0)]
            assert told == [one for one in recomputed(work, [world.programme], by) if one[4:] != (0, 0, 0)]
    for period, paper in closed.items():
        assert _on_paper(world, period) == paper
    for kind in DocumentKind:
        numbers = world.all(select(_DOCUMENT.c.number).where(_DOCUMENT.c.kind == kind).order_by(_DOCUMENT.c.number))
        assert numbers == list(range(1, len(numbers) + 1))
    off = select(func.coalesce(func.sum(Payment.amount), 0)).where(Payment.against_id.is_not(None))
    assert world.one(off) == 0, "no money moved"
    with world.reading(world.alice) as work:
        for one in documents(work, world.programme, every=True)[0]:
            assert one.left <= 0 or one.gross > 0, one
    for id_, net in world.all(select(_DOCUMENT.c.id, _DOCUMENT.c.net)):
        assert net == sum(world.all(select(LedgerLine.amount).join(DocumentLine, DocumentLine.line_id == LedgerLine.id)
                                    .where(DocumentLine.document_id == id_)))


def _stands(world: World, session: int) -> Owed:
    """What the ledger comes to, line by line, reversals taken off."""
    found: Owed = {}
    for line in rows(world, select(_LINE).where(_LINE.c.session_id == session)):
        key = (str(line.kind), line.part, line.forfeit_part)
        found[key] = found.get(key, 0) + line.amount
    return {key: amount for key, amount in found.items() if amount}


def _on_paper(world: World, period: int) -> list[Any]:
    return world.all(
        select(_DOCUMENT.c.id, _DOCUMENT.c.kind, _DOCUMENT.c.number, _DOCUMENT.c.gross,
               func.count(DocumentLine.id), func.sum(LedgerLine.amount))
        .join(DocumentLine, DocumentLine.document_id == _DOCUMENT.c.id)
        .join(LedgerLine, LedgerLine.id == DocumentLine.line_id).where(_DOCUMENT.c.period_id == period)
        .group_by(_DOCUMENT.c.id, _DOCUMENT.c.kind, _DOCUMENT.c.number, _DOCUMENT.c.gross).order_by(_DOCUMENT.c.id))


_TABLES = Document.metadata.tables
_SESSION, _PART, _LINK, _FORFEIT, _RATE, _MATRIX, _LINE, _DOCUMENT = (_TABLES[name] for name in (
    "session", "participation", "session_course", "forfeit", "rate", "outcome_matrix", "ledger_line", "document"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_x4_whatever_is_done_the_ledger_is_what_the_facts_say(kind: str, databases: Databases) -> None:
    balance = machine(kind, databases)
    run_state_machine_as_test(balance, settings=settings(
        max_examples=max(1, ACTS // STEPS), stateful_step_count=STEPS, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate]))  # sequences share a database
    assert balance.acts >= ACTS // 2  # type: ignore[attr-defined]  # of the class made above

"""Closing a period puts what is owed and earned onto numbered documents, once and for good (E1, E4, X4)."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from core.attending.commands import Written, record_outcome, reopen_session, submit_note
from core.attending.rules import Attendance
from core.billing import closing
from core.billing.closing import (
    close_period,
    credit_invoice,
    preview,
    tax_of,
)
from core.billing.commands import add_payer, edit_payer, set_payer
from core.billing.documents import (
    Chosen,
    Entry,
    Left,
    State,
    Sums,
    Whole,
    ageing,
    closed_periods,
    document,
    documents,
    matches,
    set_against,
    sums,
    theirs,
)
from core.billing.payments import (
    enter_payment,
    give_back,
    mark_paid,
    set_off,
    set_off_all,
    take_back_entered,
    take_back_payment,
)
from core.billing.queries import earned_months, earnings
from core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from core.history.commands import undo
from core.permissions import Action, may
from db.models.billing import Document, DocumentLine, LedgerLine, PaidBy, Payment, Period
from db.models.people import Person
from db.words import DocumentKind, LineKind, Outcome, Role
from tests.core.billing.conftest import LATER, LONG_AGO, Office
from tests.factories import DAY, TEN, World

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)
INVOICE, CREDIT, STATEMENT = DocumentKind
MUCH_LATER = LATER + 120 * DAY
CAME = Outcome.ATTENDED


@pytest.fixture(autouse=True)
def no_notes(request: pytest.FixtureRequest, office: Office) -> None:
    """Pay waits for no note, except where a test is about that."""
    office.world.policy(notes_required=False)


def close(office: Office, until: date = MARCH, **kw: Any) -> int:
    world = office.world
    kw.setdefault("now", LATER)
    return int(world.do(world.alice, close_period, world.programme, until, **kw).result)


def listed(office: Office, *kinds: DocumentKind, who: int | None = None) -> list[Entry]:
    """Documents, the oldest first."""
    world = office.world
    with world.reading(who or world.alice, LATER) as work:
        return documents(work, world.programme, Chosen(kinds))[0][::-1]


def whole(office: Office, document_id: int, who: int | None = None) -> Whole:
    with office.world.reading(who or office.world.alice, LATER) as work:
        return document(work, document_id)


def corrected(office: Office, session: int, minutes: int, learner: int) -> None:
    """Somebody puts the minutes of a session right afterwards."""
    world = office.world
    world.do(world.alice, reopen_session, session, "it took longer", now=LATER)
    world.do(world.alice, record_outcome, session, [Attendance(learner, CAME, minutes)], now=LATER)


def sums_up(world: World) -> None:
    """Whatever was done: documents are the sums of their lines, numbered without gaps, and no line stands on two."""
    for row in world.all(
        select(Document.id, Document.net, Document.tax, Document.gross, Document.tax_rate,
               func.coalesce(func.sum(LedgerLine.amount), 0))
        .outerjoin(DocumentLine, DocumentLine.document_id == Document.id)
        .outerjoin(LedgerLine, LedgerLine.id == DocumentLine.line_id).group_by(Document.id)
    ):
        _, net, tax, gross, rate, lines = row
        assert net == lines
        assert (tax, gross) == (tax_of(net, rate), net + tax)
    for kind in DocumentKind:
        numbers = world.all(select(Document.number).where(Document.kind == kind).order_by(Document.number))
        assert numbers == list(range(1, len(numbers) + 1))
    with world.reading(world.alice, LATER) as work:
        for found, out in zip(sums(work, world.programme, Chosen()), (False, True), strict=True):
            those = [one for one in documents(work, world.programme, every=True)[0] if (one.kind is STATEMENT) is out]
            added = Sums(*(sum(getattr(one, name) for one in those) for name in ("gross", "open", "over")))
            assert found == (added if those else None)


def test_x4_closing_makes_one_document_for_each_payer_and_practitioner(office: Office) -> None:
    world = office.world
    office.held((world.sara, CAME), minutes=90)
    office.held((world.sam, CAME), (world.vic, Outcome.PRACTITIONER_ABSENT), at=TEN + DAY)
    with world.reading(world.alice, LATER) as work:
        seen = preview(work, world.programme, MARCH)
    assert [(bill.kind, bill.whom, bill.lines, bill.net, bill.tax) for bill in seen.bills] == [
        (INVOICE, "Gus Grey", 2, 12500, 2875), (STATEMENT, "Tom", 2, 7500, 0)]
    close(office)
    invoice, statement = listed(office, INVOICE)[0], listed(office, STATEMENT)[0]
    assert (invoice.label, invoice.net, invoice.tax, invoice.gross, invoice.whom, invoice.period) == (
        "LT-1", 12500, 2875, 15375, "Gus Grey", "3 – 31 Mar 2026")
    assert (statement.label, statement.gross, statement.tax, statement.whom) == ("LT-P1", 7500, 0, "Tom")
    assert invoice.due_on - invoice.issued_on == timedelta(days=14)
    with world.reading(world.mona) as work:
        (period,) = closed_periods(work, world.programme)
    assert (period.invoices, period.net, period.gross, period.statements, period.paid_out, period.closed_by) == (
        1, 12500, 15375, 1, 7500, "Alice")
    sums_up(world)


def test_x4_a_closed_period_never_changes_and_what_is_late_is_an_adjustment_in_the_next(office: Office) -> None:
    world = office.world
    session = office.held((world.sara, CAME))
    close(office)
    before = [whole(office, one.id) for one in listed(office)]
    corrected(office, session, 75, world.sara)
    late = office.held((world.sam, CAME), at=TEN + 2 * DAY)
    office.held((world.sara, CAME), at=TEN + 40 * DAY)
    assert [(one.entry, one.header) for one in before] == [
        (now.entry, now.header) for one in before for now in (whole(office, one.entry.id),)]
    with world.reading(world.alice, LATER) as work:
        bills = {bill.kind: bill for bill in preview(work, world.programme, APRIL).bills}
    assert (bills[INVOICE].lines, bills[INVOICE].adjustments, bills[INVOICE].net) == (4, 3, 1250 + 5000 + 5000)
    close(office, APRIL)
    second = whole(office, listed(office, INVOICE)[-1].id)
    assert [(line.session_id, line.amount, line.reverses) for line in second.lines][:3] == [
        (session, -5000, True), (session, 6250, False), (late, 5000, False)]
    assert "it took longer" in second.lines[0].why
    sums_up(world)
    for statement in ("UPDATE period SET until_day = from_day", "DELETE FROM document_line", "DELETE FROM document",
                      "UPDATE document SET net = 0, gross = tax"):
        with pytest.raises(IntegrityError, match="append-only"):
            world.raw(lambda work, said=statement: work.tx.connection().exec_driver_sql(said) and None)


def test_x4_what_cancels_out_before_any_document_stays_off_it(office: Office) -> None:
    world = office.world
    session = office.held((world.sara, CAME))
    corrected(office, session, 75, world.sara)
    assert len(office.lines(session, standing=False)) == 6
    close(office)
    assert [line.amount for one in listed(office) for line in whole(office, one.id).lines] == [3750, 6250]
    world.do(world.alice, reopen_session, session, "it never was", now=LATER)
    office.held((world.sam, CAME), at=TEN + 40 * DAY, minutes=30)
    close(office, APRIL)
    note = whole(office, listed(office, CREDIT)[0].id)
    assert (note.entry.label, note.entry.net, note.entry.tax) == ("LT-C1", 2500 - 6250, -863), "a half, away from zero"
    assert (note.entry.state(APRIL), note.entry.over) == (State.TO_SET_OFF, 4613)
    assert listed(office, STATEMENT)[-1].net == 1500 - 3750
    sums_up(world)


def test_e1_pay_waits_for_its_note_and_goes_onto_the_next_statement(office: Office) -> None:
    world = office.world
    world.policy(notes_required=True)
    session = office.held((world.sara, CAME))
    office.held((world.sam, Outcome.MISSED), at=TEN + DAY)
    with world.reading(world.alice, LATER) as work:
        seen = preview(work, world.programme, MARCH)
    assert (seen.held, seen.held_amount) == (1, 3000)
    close(office)
    assert [one.net for one in listed(office, INVOICE, STATEMENT)] == [3000, 10000], "nobody came: there is no note"
    with world.reading(world.tom, LATER) as work:
        mine = earnings(work, world.programme)
        assert (mine.on_hold, mine.ready, mine.stated, mine.paid) == (3000, 0, 3000, 0)
        (month,) = earned_months(work, world.programme)
        assert (month.month, month.lines, month.amount, month.on_hold, month.ready, month.stated) == (
            date(2026, 3, 1), 2, 6000, 3000, 0, 3000)
    world.do(world.tom, submit_note, session, Written("We read."), now=LATER)
    close(office, APRIL)
    assert [one.net for one in listed(office, STATEMENT)] == [3000, 3000]


def test_e4_what_nobody_pays_waits(office: Office) -> None:
    world = office.world
    zoe = world.person("Zoe", Role.LEARNER)
    office.held((zoe, CAME))
    office.held((world.sara, CAME), at=TEN + DAY)
    with world.reading(world.alice, LATER) as work:
        found = {(one.what, one.number) for one in preview(work, world.programme, MARCH).anomalies}
    assert found == {("no payer", 1)}
    close(office)
    assert [one.net for one in listed(office, INVOICE)] == [5000]
    world.do(world.alice, set_payer, office.payer, LONG_AGO, [zoe], now=LATER)
    close(office, APRIL)
    assert [one.net for one in listed(office, INVOICE)] == [5000, 5000]
    assert world.one(select(func.count()).select_from(PaidBy)) == 4


@pytest.mark.parametrize(("until", "match"), [
    (date(2026, 5, 2), "a day that is over"), (date(2026, 3, 31), "Closed until 31 Mar"), (date(2026, 3, 1), "Closed"),
])
def test_x4_only_days_that_are_over_and_not_closed_yet(office: Office, until: date, match: str) -> None:
    close(office)
    with pytest.raises(Invalid, match=match) as refused:
        close(office, until, now=LATER)
    assert set(refused.value.problems) == {"until_day"}


@pytest.mark.parametrize(("net", "rate", "tax"), [
    (12500, 2300, 2875), (1, 5000, 1), (-1, 5000, -1), (333, 1350, 45), (-3750, 2300, -863), (0, 2300, 0), (999, 0, 0),
])
def test_x4_tax_is_rounded_once(net: int, rate: int, tax: int) -> None:
    assert tax_of(net, rate) == tax


def test_x4_a_credit_note_takes_an_invoice_back_and_what_is_owed_is_written_anew(office: Office) -> None:
    world = office.world
    office.held((world.sara, CAME))
    close(office)
    (invoice,) = listed(office, INVOICE)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid) as refused:
            world.do(world.alice, credit_invoice, invoice.id, reason, now=LATER)
        assert set(refused.value.problems) == {"reason"}
    world.do(world.alice, enter_payment, invoice.id, MARCH, 2000, now=LATER)
    made = world.do(world.alice, credit_invoice, invoice.id, "made out to the wrong firm", now=LATER).result
    note = whole(office, made)
    assert (note.entry.label, note.entry.gross, note.cancels, note.reason) == (
        "LT-C1", -6150, "LT-1", "made out to the wrong firm")
    after = whole(office, invoice.id)
    assert (after.entry.state(LATER.date()), after.entry.open, after.entry.over) == (State.TO_SET_OFF, 0, 2000)
    assert after.credited_by == (made, "LT-C1")
    with pytest.raises(Conflict, match="credited already"):
        world.do(world.alice, credit_invoice, invoice.id, "again", now=LATER)
    for other in (made, listed(office, STATEMENT)[0].id):
        with pytest.raises(Conflict, match="Only an invoice"):
            world.do(world.alice, credit_invoice, other, "no", now=LATER)
    assert office.amounts() == {LineKind.CHARGE: 5000, LineKind.PAYOUT: 3000}, "the ledger says the same as before"
    world.do(world.alice, edit_payer, office.payer, {"name": "Grey & Daughters"}, now=LATER)
    world.raw(lambda work: work.tx.execute(update(Person).where(Person.id == world.sara).values(name="New")).rowcount)
    assert [line.whom for line in whole(office, invoice.id).lines] == ["Sara"], "as it was handed out"
    close(office, APRIL)
    again = listed(office, INVOICE)[-1]
    assert (again.label, again.net, again.whom, whole(office, invoice.id).header["to"]["name"]) == (
        "LT-2", 5000, "Grey & Daughters", "Gus Grey")
    sums_up(world)


def test_x4_payments_are_entered_and_taken_back_by_another_entry(office: Office) -> None:
    world = office.world
    office.held((world.sara, CAME))
    close(office)
    invoice, statement = listed(office, INVOICE)[0], listed(office, STATEMENT)[0]
    for amount, day, field in ((0, MARCH, "amount"), (-5, MARCH, "amount"), (1.5, MARCH, "amount"),
                               (10**12, MARCH, "amount"), (5, LATER.date() + DAY, "day")):
        with pytest.raises(Invalid) as refused:
            world.do(world.alice, enter_payment, invoice.id, day, amount, now=LATER)
        assert set(refused.value.problems) == {field}
    first = world.do(world.alice, enter_payment, invoice.id, MARCH, 2000, "RF 7", now=LATER)
    assert [(one.paid, one.open, one.state(LATER.date())) for one in listed(office, INVOICE)] == [
        (2000, 4150, State.OPEN)]
    assert listed(office, INVOICE)[0].state(LATER.date() + 15 * DAY) is State.OVERDUE
    with pytest.raises(NotFound):
        world.do(world.alice, undo, first.act_id, undoes=first.act_id, now=LATER)
    assert world.do(world.alice, mark_paid, [invoice.id, statement.id], MARCH, now=LATER).result == 2
    assert {one.state(LATER.date()) for one in listed(office)} == {State.PAID}
    with world.reading(world.tom, LATER) as work:
        assert (earnings(work, world.programme).stated, earnings(work, world.programme).paid) == (0, 3000)
    world.do(world.alice, take_back_payment, first.result, now=LATER)
    with pytest.raises(Conflict, match="taken back already"):
        world.do(world.alice, take_back_payment, first.result, now=LATER)
    after = whole(office, invoice.id)
    assert (after.entry.paid, after.entry.open) == (4150, 2000)
    assert [(one.amount, one.taken_back) for one in after.payments if not one.reverses] == [(2000, True), (4150, False)]
    world.do(world.alice, enter_payment, invoice.id, MARCH, 3000, now=LATER)
    assert whole(office, invoice.id).entry.over == 1000


def test_x6_who_sees_closes_and_pays(office: Office) -> None:
    world = office.world
    world.do(world.alice, edit_payer, office.payer, {"name": "Gus Grey", "person_id": world.gus})
    office.held((world.sara, CAME))
    period = close(office)
    invoice, statement = listed(office, INVOICE)[0], listed(office, STATEMENT)[0]
    sees = {"alice": {INVOICE, STATEMENT}, "cora": {INVOICE, STATEMENT}, "mona": {INVOICE, STATEMENT},
            "tom": {STATEMENT}, "gus": {INVOICE}}
    for name in ("alice", "ben", "cora", "cuno", "mona", "tom", "tess", "sara", "gus", "lena"):
        assert {one.kind for one in listed(office, who=world.people[name])} == sees.get(name, set()), name
    for who, hidden in ((world.tom, invoice), (world.gus, statement), (world.sara, invoice), (world.zed, invoice),
                        (world.zara, statement), (world.ben, invoice)):
        with pytest.raises(NotFound):
            whole(office, hidden.id, who)
    for who in (world.ben, world.mona, world.tom, world.gus):
        for act in ((close_period, world.programme, APRIL), (enter_payment, invoice.id, MARCH, 5),
                    (credit_invoice, invoice.id, "no"), (mark_paid, [invoice.id], MARCH)):
            with pytest.raises(NotAllowed):
                world.do(who, *act, now=LATER)
    with pytest.raises(NotFound):
        world.do(world.zara, enter_payment, invoice.id, MARCH, 5, now=LATER)
    for who, pays in ((world.gus, True), (world.sara, False), (world.lena, False), (world.tom, False)):
        with world.reading(who) as work:
            assert may(work, Action.INVOICES_OWN, world.programme) is pays
    assert not whole(office, invoice.id, world.gus).may_change
    assert period == world.one(select(Period.id))


def test_x4_what_goes_back_is_taxed_as_it_was(office: Office) -> None:
    world = office.world
    first = office.held((world.sara, CAME))
    close(office)
    world.do(world.alice, edit_payer, office.payer, {"name": "Gus Grey", "tax_rate": 1000}, now=LATER)
    corrected(office, first, 30, world.sara)
    close(office, APRIL)
    assert sorted((one.net, one.tax) for one in listed(office, INVOICE, CREDIT)) == [
        (-5000, -1150), (2500, 250), (5000, 1150)]
    sums_up(world)


def test_x4_what_a_credit_note_leaves_of_an_invoice_stays_open(office: Office) -> None:
    world = office.world
    first = office.held((world.sara, CAME))
    office.held((world.sara, CAME), at=TEN + DAY, minutes=120)
    close(office)
    (invoice,) = listed(office, INVOICE)
    corrected(office, first, 15, world.sara)  # 50.00 go back by the next one: this one still asks for them
    world.do(world.alice, credit_invoice, invoice.id, "wrong firm", now=LATER)
    after = listed(office, INVOICE)[0]
    assert (after.gross, after.credit, after.open, after.state(MARCH)) == (18450, -12300, 6150, State.OPEN)
    with world.reading(world.alice, LATER) as work:
        assert ageing(work, world.programme).count == 1
        assert [one.id for one in documents(work, world.programme, Chosen(left=Left.OPEN, kinds=(INVOICE,)))[0]] == [
            invoice.id]
    assert world.do(world.alice, mark_paid, [invoice.id], MARCH, now=LATER).said == "Marked 1 document as paid."
    assert (listed(office, INVOICE)[0].open, listed(office, INVOICE)[0].state(MARCH)) == (0, State.CREDITED)
    with pytest.raises(Invalid, match="was credited"):
        world.do(world.alice, enter_payment, invoice.id, MARCH, 5, now=LATER)


def favoured(office: Office) -> tuple[Entry, Entry, Entry]:
    """A credit note over 61.50 that a closing made, and two invoices of the same payer: of 123.00 and of 30.75."""
    world = office.world
    first = office.held((world.sara, CAME))
    close(office)
    world.do(world.alice, mark_paid, [listed(office, INVOICE)[0].id, listed(office, STATEMENT)[0].id], MARCH, now=LATER)
    world.do(world.alice, reopen_session, first, "it never was", now=LATER)
    close(office, APRIL)
    for n, minutes in enumerate((120, 30)):
        office.held((world.sara, CAME), at=TEN + (41 + n) * DAY, minutes=minutes)
        close(office, date(2026, 5 + n, 31 - n), now=MUCH_LATER)
    (note,) = listed(office, CREDIT)
    return note, *listed(office, INVOICE)[1:]


def test_x4_what_is_in_favour_of_a_payer_is_set_off_and_can_be_taken_back_on_both(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, small = favoured(office)
    assert (note.over, large.open, small.open, note.credits) == (6150, 12300, 3075, False)
    with world.reading(world.alice, MUCH_LATER) as work:
        assert [one.id for one in theirs(work, note.id, Left.OPEN)] == [large.id, small.id]
        assert [one.id for one in document(work, small.id).favours] == [note.id]
        assert (ageing(work, world.programme).count, ageing(work, world.programme).over) == (2, 6150)
    first = act(set_off, note.id, [small.id])
    assert (first.said, whole(office, note.id).entry.over, whole(office, small.id).entry.open) == (
        "Set off £30.75.", 3075, 0)
    assert [(one.amount, one.against) for one in whole(office, note.id).payments] == [(-3075, (small.id, small.label))]
    assert act(set_off, note.id, [small.id, large.id]).result == 3075
    after = whole(office, note.id)
    assert (after.entry.left, after.entry.state(MARCH), after.favours) == (0, State.SETTLED, ())
    assert (whole(office, large.id).entry.open, whole(office, small.id).entry.state(MARCH)) == (9225, State.PAID)
    with pytest.raises(Invalid, match="Nothing is left on it") as refused:
        act(set_off, note.id, [large.id])
    assert set(refused.value.problems) == {"against"}

    payment = next(one for one in whole(office, small.id).payments if one.against)
    assert act(take_back_payment, payment.id).said == "What was set off stands open again."
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, -3075, 9225, 3075]
    with pytest.raises(Conflict, match="taken back already"):
        act(take_back_payment, payment.id)
    again = act(set_off, note.id, [small.id])
    act(take_back_entered, again.act_id)
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, -3075, 9225, 3075]
    sums_up(world)


def test_x4_whatever_is_in_favour_is_set_off_for_all_at_once(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, small = favoured(office)
    negative, *others = sorted((one for one in listed(office, STATEMENT) if one.left), key=lambda one: one.left)
    shown = offered(office)
    assert shown == [(note.id, large.id, 6150), (negative.id, min(one.id for one in others), 3000)]
    for other in (shown[:1], [(note.id, large.id, 6149), shown[1]], []):
        with pytest.raises(Conflict, match="has changed meanwhile"):
            act(set_off_all, world.programme, other)
    for who in (world.ben, world.mona, world.tom):
        with pytest.raises(NotAllowed):
            world.do(who, set_off_all, world.programme, shown, now=MUCH_LATER)
    made = act(set_off_all, world.programme, shown)
    assert (made.said, made.result) == ("Set off £61.50 and £30.00 on 2 documents.", 2)
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, 0, 6150, 3075]
    for nothing in (shown, []):
        with pytest.raises(Conflict, match="has changed meanwhile"):
            act(set_off_all, world.programme, nothing)
    one = next(entry for entry in whole(office, large.id).payments if entry.against)
    act(take_back_payment, one.id)
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, -6150, 12300, 3075]
    assert whole(office, negative.id).entry.left == 0, "the other pair stands"
    act(take_back_entered, made.act_id)
    assert offered(office) == shown
    act(enter_payment, small.id, MARCH, 10000)
    assert act(set_off_all, world.programme, offered(office)).said == "Set off £123.00 and £30.00 on 2 documents."
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, 0, 0, -775], "the oldest was used first"
    sums_up(world)


def offered(office: Office) -> list[tuple[int, int, int]]:
    """What the panel shows."""
    with office.world.reading(office.world.alice, MUCH_LATER) as work:
        return [each.pair for each in matches(work, office.world.programme)]


def test_x4_nothing_of_one_payer_is_used_for_another(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, small = favoured(office)
    firm = act(add_payer, world.programme, {"name": "Another Ltd", "address": "9 Mall"}).result
    act(set_payer, firm, LONG_AGO, [world.sam])
    ours = [pair for pair in offered(office) if pair[0] == note.id]
    made = list[int]()
    for day, until in ((44, date(2026, 7, 31)), (45, date(2026, 8, 1))):
        office.held((world.sam, CAME), at=TEN + day * DAY)
        close(office, until, now=MUCH_LATER)
        made.append(listed(office, INVOICE)[-1].id)
        act(enter_payment, made[0], MARCH, 5000)
    first, second = (whole(office, id_).entry for id_ in made)
    assert (first.over, second.open, small.open) == (3850, 6150, 3075)
    assert [pair for pair in offered(office) if pair[0] in (note.id, first.id)] == [*ours, (first.id, second.id, 3850)]
    act(set_off_all, world.programme, offered(office))
    one, other = aliased(Document), aliased(Document)
    for pair in world.all(
            select(one.payer_id == other.payer_id, one.practitioner_id == other.practitioner_id,
                   one.currency == other.currency).select_from(Payment).join(one, one.id == Payment.document_id)
            .join(other, other.id == Payment.against_id)):
        assert pair in ((True, None, True), (None, True, True))
    assert large.open


def test_x4_two_who_set_off_for_all_at_once_use_it_once(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, _, _ = favoured(office)
    shown, refused = offered(office), list[Refusal]()

    def one(*what: Any) -> None:
        try:
            act(*what)
        except Refusal as refusal:
            refused.append(refusal)

    run(partial(one, set_off_all, world.programme, shown), partial(one, set_off_all, world.programme, shown),
        partial(one, give_back, note.id, MARCH, 6150))
    assert len(refused) == 2
    assert whole(office, note.id).entry.left == 0
    sums_up(world)


@given(over=st.lists(st.integers(1, 9), max_size=5), due=st.lists(st.integers(1, 9), max_size=5))
def test_x4_what_is_over_is_used_as_far_as_it_goes_and_never_twice(over: list[int], due: list[int]) -> None:
    found = set_against(enumerate(over), enumerate(due))
    assert sum(part for *_, part in found) == min(sum(over), sum(due))
    assert all(part > 0 for *_, part in found)
    assert len({pair[:2] for pair in found}) == len(found)
    for side, amounts in enumerate((over, due)):
        used = Counter[int]()
        for pair in found:
            used[pair[side]] += pair[2]
        assert all(used[at] <= amount for at, amount in enumerate(amounts))


def test_x4_what_is_in_favour_is_given_back_and_never_more(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, _ = favoured(office)
    negative = next(one for one in listed(office, STATEMENT) if one.gross < 0)
    for document_id, amount in (
        *((note.id, amount) for amount in (6151, 0, -5, 2.5, None)), (large.id, 5),
    ):
        with pytest.raises(Invalid) as refused:
            act(give_back, document_id, MARCH, amount)
        assert set(refused.value.problems) == {"amount"}
    with pytest.raises(Invalid) as refused:
        act(give_back, note.id, MUCH_LATER.date() + DAY, 5, "x" * 201)
    assert set(refused.value.problems) == {"day", "reference"}
    for document_id in (note.id, negative.id):
        with pytest.raises(Invalid, match="Nothing is to be paid on it"):
            act(enter_payment, document_id, MARCH, 5)
    made = act(give_back, note.id, MARCH, 6150, "RF 9")
    assert whole(office, note.id).entry.state(MARCH) is State.SETTLED
    act(take_back_payment, made.result)
    assert whole(office, note.id).entry.over == 6150
    assert act(mark_paid, [note.id, negative.id], MARCH).result == 0, "it would be money the wrong way"

    act(set_off, negative.id, [one.id for one in listed(office, STATEMENT) if one.open])
    with world.reading(world.tom, MUCH_LATER) as work:
        mine = earnings(work, world.programme)
    assert (mine.paid, mine.stated) == (3000, 4500), "30.00 moved and 45.00 are still to"
    act(enter_payment, large.id, MARCH, 20000)
    assert whole(office, large.id).entry.state(MARCH) is State.TO_SET_OFF
    sums_up(world)


def test_x4_what_was_used_since_is_taken_back_first(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, small = favoured(office)
    paid = act(enter_payment, small.id, MARCH, 10000)
    assert whole(office, small.id).entry.over == 6925
    first = act(set_off, small.id, [large.id], 6925)
    for back in (partial(act, take_back_payment, paid.result), partial(act, take_back_entered, paid.act_id)):
        with pytest.raises(Conflict, match="rests on it"):
            back()
    act(credit_invoice, large.id, "wrong firm")
    returned = act(give_back, large.id, MARCH, 6925)
    with pytest.raises(Conflict, match="rests on it"):
        act(take_back_entered, first.act_id)
    assert act(take_back_payment, returned.result).said == "Took back that it was given back."
    act(take_back_entered, first.act_id)
    assert act(take_back_payment, paid.result).said == "Took the payment back."
    assert [one.left for one in listed(office, INVOICE, CREDIT)] == [0, -6150, 0, 3075, 0]
    with pytest.raises(Conflict, match=r"It would be £30\.75 by now"):
        act(set_off, note.id, [small.id], 6150)
    assert whole(office, note.id).entry.over == 6150, "nothing was done"
    sums_up(world)


def test_x4_taking_back_while_it_is_set_off_leaves_nothing_used_twice(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    _, large, small = favoured(office)
    paid = act(enter_payment, small.id, MARCH, 10000)
    refused: list[Refusal] = []

    def one(*what: Any) -> None:
        try:
            act(*what)
        except Refusal as refusal:
            refused.append(refusal)

    run(partial(one, set_off, small.id, [large.id], 6925), partial(one, take_back_payment, paid.result),
        partial(one, credit_invoice, small.id, "wrong firm"))
    assert len(refused) == 1, "what was used cannot be taken back, and what was taken back cannot be used"
    after = whole(office, small.id)
    assert after.entry.credited
    assert after.entry.left in (-3075, 0)
    assert after.entry.left + whole(office, large.id).entry.left in (12300 - 10000, 12300)
    sums_up(world)


def test_x4_nothing_is_set_off_for_another_or_by_whoever_may_not(office: Office) -> None:
    world, act = office.world, partial(office.world.do, office.world.alice, now=MUCH_LATER)
    note, large, _ = favoured(office)
    statement = next(one for one in listed(office, STATEMENT) if one.open)
    for against, said in (([], "Choose at least one"), ([statement.id], "same programme, currency and name"),
                          ([large.id, 10**9], "same programme"), ([note.id], "Nothing is open"),
                          ([listed(office, INVOICE)[0].id], "Nothing is open")):
        with pytest.raises(Invalid, match=said):
            act(set_off, note.id, against)
    for who in (world.ben, world.mona, world.tom):
        with pytest.raises(NotAllowed):
            world.do(who, set_off, note.id, [large.id], now=MUCH_LATER)
        with pytest.raises(NotAllowed):
            world.do(who, give_back, note.id, MARCH, 5, now=MUCH_LATER)
    with pytest.raises(NotFound):
        world.do(world.zara, set_off, note.id, [large.id], now=MUCH_LATER)


def test_x4_two_who_set_off_at_once_use_it_once(office: Office) -> None:
    world = office.world
    note, large, small = favoured(office)
    refused: list[Refusal] = []

    def one(against: int) -> None:
        try:
            world.do(world.alice, set_off, note.id, [against], now=MUCH_LATER)
        except Refusal as refusal:
            refused.append(refusal)

    run(*(partial(one, each.id) for each in (large, large, small, small)))
    left = {entry.id: entry.left for entry in listed(office, INVOICE, CREDIT)}
    assert left[note.id] == 0
    assert refused, "one of them came too late"
    assert left[large.id] + left[small.id] == 12300 + 3075 - 6150


def run(*acts: Callable[[], Any]) -> None:
    threads = [Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_x4_two_who_close_at_once_leave_no_gap_and_no_line_twice(office: Office) -> None:
    world = office.world
    for n in range(6):
        office.held((world.sara, CAME), at=TEN + n * 9 * DAY)
    refused: list[Refusal] = []

    def act(until: date) -> None:
        try:
            close(office, until)
        except Refusal as refusal:
            refused.append(refusal)

    days = (MARCH, APRIL, MARCH, date(2026, 4, 15), APRIL)
    run(*(lambda day=day: act(day) for day in days))  # type: ignore[misc]
    assert world.one(select(func.count()).select_from(Period)) + len(refused) == len(days)
    assert all(isinstance(each, Invalid) for each in refused)
    close(office, date(2026, 5, 1))
    sums_up(world)
    assert sum(one.net for one in listed(office, INVOICE)) == 6 * 5000


def test_x4_what_is_recorded_while_a_period_closes_is_on_none_or_whole(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = office.world
    if world.engine.dialect.name == "sqlite":
        pytest.skip("there others wait until it is closed")
    office.held((world.sara, CAME))
    corrected_one = office.held((world.sam, CAME), at=TEN + DAY)
    booked = world.book(practitioner=world.tom, learner=world.vic, starts_at=TEN + 2 * DAY)
    bills = closing._bills

    def meanwhile(*args: Any) -> Any:
        run(lambda: world.do(world.tom, record_outcome, booked, [Attendance(world.vic, CAME)], now=LATER),
            lambda: corrected(office, corrected_one, 75, world.sam))
        return bills(*args)

    monkeypatch.setattr(closing, "_bills", meanwhile)
    close(office)
    monkeypatch.undo()
    assert [one.net for one in listed(office, INVOICE)] == [10000]
    close(office, APRIL)
    assert [one.net for one in listed(office, INVOICE)] == [10000, 5000 - 5000 + 6250]
    sums_up(world)


KILLED = """
import os, signal, sys
from datetime import date
from core.billing import closing
from core.work import commit
from db.engine import make_engine
from tests.core.billing.conftest import LATER

insert_many = closing.insert_many

def dies(*args):
    insert_many(*args)
    os.kill(os.getpid(), signal.SIGKILL)

closing.insert_many = dies
engine = make_engine(sys.argv[1])
commit(engine, int(sys.argv[2]), closing.close_period, int(sys.argv[3]), date(2026, 3, 31), now=LATER)
"""


def test_x4_a_process_killed_while_closing_leaves_nothing(office: Office) -> None:
    world = office.world
    office.held((world.sara, CAME))
    url = world.engine.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", KILLED, url, str(world.alice), str(world.programme)],
                          env={**os.environ, "PYTHONPATH": str(Path.cwd())}, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    for model in (Period, Document, DocumentLine):
        assert world.one(select(func.count()).select_from(model)) == 0
    close(office)
    assert [one.label for one in listed(office)] == ["LT-P1", "LT-1"]
    sums_up(world)

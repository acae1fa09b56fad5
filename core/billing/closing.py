"""Close a period: what is owed and earned until a day goes onto numbered documents, once and for good (E4, X4).

Looking comes first and may take its time; closing itself is one short act. What comes late goes into the next period.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Table, case, exists, func, insert, or_, select
from sqlalchemy.orm import aliased

from core.billing.commands import FULL_TAX
from core.billing.money import rounded
from core.billing.payments import held_document, hold
from core.billing.queries import number_words, on_hold, stands
from core.billing.rules import Facts, matrix_of, rate_for
from core.billing.settle import facts_of, settle, terms_of
from core.billing.simulate import recorded_sessions
from core.clock import day_start
from core.errors import Conflict, Invalid
from core.permissions import Action, require
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.rules import notice_outcome
from core.work import Work
from db.among import among
from db.bulk import insert_many
from db.models.billing import (
    Biller,
    Document,
    DocumentLine,
    LedgerLine,
    Payer,
    Period,
)
from db.models.people import Person, Team
from db.models.sessions import Participation, Session
from db.models.structure import Course
from db.words import DocumentKind, LineKind, Outcome, Side

LINES, DOCUMENTS, ON_DOCUMENTS = (cast(Table, model.__table__) for model in (LedgerLine, Document, DocumentLine))
UNUSUAL = 4 * 60
"""Minutes from which a session is unusually long."""
Progress = Callable[[float, str], None]


# Looking -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bill:
    """One document as it would be, or was; amounts in minor units."""

    kind: DocumentKind
    whom_id: int
    whom: str
    owed: tuple["_Owed", ...] = field(repr=False)
    adjustments: int
    """Lines of days before the period."""
    net: int
    tax_rate: int
    tax: int

    @property
    def lines(self) -> int:
        """How many stand on it."""
        return len(self.owed)

    @property
    def gross(self) -> int:
        """Net and tax."""
        return self.net + self.tax


@dataclass(frozen=True)
class Anomaly:
    """Something to look at before a period is closed."""

    what: str
    session_id: int
    number: int
    day: date | None
    said: str


@dataclass(frozen=True)
class Preview:
    """What closing would bring about."""

    from_day: date
    until_day: date
    currency: str
    bills: tuple[Bill, ...]
    held: int
    """Payouts that wait for a note, and so for the next period."""
    held_amount: int
    anomalies: tuple[Anomaly, ...]


def preview(work: Work, programme_id: int, until_day: date, progress: Progress | None = None) -> Preview:
    """What closing until a day (local, included) would bring about, and what looks wrong.

    Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.MONEY_SEE, programme_id)
    programme = programme_of(work, programme_id)
    from_day = _from_day(work, programme, until_day)
    tell = progress or _silent
    tell(0.1, "Adding up")
    bills = _bills(work, programme, from_day, _owed(work, programme, until_day))
    held, amount = work.tx.execute(
        select(func.count(), func.coalesce(func.sum(LedgerLine.amount), 0)).select_from(LedgerLine)
        .join(Session, Session.id == LedgerLine.session_id)
        .where(LedgerLine.programme_id == programme_id, LedgerLine.day <= until_day, on_hold(programme), stands(),
               _unwritten())).one()
    found = tuple(anomalies(work, programme_id, from_day, until_day, tell))
    tell(1.0, "Done")
    return Preview(from_day, until_day, programme.currency, bills, held, int(amount), found)


def _silent(part: float, said: str) -> None:
    pass


def last_period(work: Work, programme_id: int) -> Period | None:
    """The one that was closed last."""
    return work.tx.scalar(select(Period).where(Period.programme_id == programme_id)
                          .order_by(Period.until_day.desc()).limit(1))


def _from_day(work: Work, programme: ProgrammeView, until_day: date) -> date:
    if type(until_day) is not date:
        raise Invalid({"until_day": "Choose a day."})
    last = last_period(work, programme.id)
    if last is not None and until_day <= last.until_day:
        raise Invalid({"until_day": f"Closed until {last.until_day.day} {last.until_day:%b %Y} already. What comes late"
                                    " goes into the next period, so choose a later day."})
    if until_day >= work.now.astimezone(programme.zone).date():
        raise Invalid({"until_day": "Choose a day that is over."})
    if last is not None:
        return last.until_day + timedelta(days=1)
    first = work.tx.scalar(select(func.min(LedgerLine.day)).where(LedgerLine.programme_id == programme.id))
    return min(first or until_day, until_day)


def _unwritten() -> ColumnElement[bool]:
    return ~exists().where(DocumentLine.line_id == LedgerLine.id)


class _Owed(NamedTuple):
    """A line that goes onto a document; `whom_id` is a payer, or a practitioner."""

    id: int
    kind: LineKind
    whom_id: int
    day: date
    amount: int
    tax_rate: int | None
    """Of the document that it takes back from; a rate that changed since is for what is new."""
    learner_id: int | None
    team_id: int | None
    course_id: int | None


def _owed(work: Work, programme: ProgrammeView, until_day: date) -> list[_Owed]:
    """Lines that go onto a document: on none yet, not taken back before they ever were on one, and not on hold.

    They are looked at once. What others write from then on is for the next period, so that sums are those of the lines.
    """
    other = aliased(LedgerLine)
    written = exists().where(DocumentLine.line_id == LedgerLine.reverses_id)
    taxed = select(Document.tax_rate).join(DocumentLine, DocumentLine.document_id == Document.id).where(
        DocumentLine.line_id == LedgerLine.reverses_id).scalar_subquery()
    held = exists().where(Session.id == LedgerLine.session_id, on_hold(programme))
    whom = case((LedgerLine.kind == LineKind.CHARGE, LedgerLine.payer_id), else_=LedgerLine.practitioner_id)
    return [_Owed(*row) for row in work.tx.execute(
        select(LedgerLine.id, LedgerLine.kind, whom, LedgerLine.day, LedgerLine.amount,
               case((LedgerLine.reverses_id.is_not(None), taxed)), LedgerLine.learner_id, LedgerLine.team_id,
               LedgerLine.course_id).where(
            LedgerLine.programme_id == programme.id, LedgerLine.day <= until_day, _unwritten(), whom.is_not(None),
            ~exists().where(other.reverses_id == LedgerLine.id), or_(LedgerLine.reverses_id.is_(None), written),
            or_(LedgerLine.reverses_id.is_not(None), ~held))
        .order_by(LedgerLine.id))]


def _bills(work: Work, programme: ProgrammeView, from_day: date, owed: Sequence[_Owed]) -> tuple[Bill, ...]:
    header = work.tx.scalar(select(Biller).where(Biller.programme_id == programme.id))
    usual = header.tax_rate if header is not None else 0
    payers = {row.id: row for row in work.tx.execute(
        select(Payer.id, Payer.name, Payer.tax_rate).where(Payer.programme_id == programme.id))}
    rates = {id_: row.tax_rate if row.tax_rate is not None else usual for id_, row in payers.items()}
    sums: dict[_Paper, list[_Owed]] = {}
    for line in owed:
        sums.setdefault(_paper(line, rates), []).append(line)
    paid = [paper.whom_id for paper in sums if paper.kind is LineKind.PAYOUT]
    names: dict[int, str] = dict(work.tx.execute(select(Person.id, Person.name).where(among(Person.id, paid))).all())
    found: list[Bill] = []
    for paper, lines in sums.items():
        net, late = sum(line.amount for line in lines), sum(line.day < from_day for line in lines)
        kind, whom = DocumentKind.STATEMENT, names.get(paper.whom_id, "")
        if paper.kind is LineKind.CHARGE:
            kind, whom = DocumentKind.CREDIT_NOTE if net < 0 else DocumentKind.INVOICE, payers[paper.whom_id].name
        found.append(Bill(kind, paper.whom_id, whom, tuple(lines), late, net, paper.tax_rate,
                          tax_of(net, paper.tax_rate)))
    return tuple(sorted(found, key=lambda one: (one.kind, one.whom.casefold(), one.whom_id, -one.net)))


class _Paper(NamedTuple):
    """Lines of the same stand on one document: it has one rate of tax."""

    kind: LineKind
    whom_id: int
    tax_rate: int


def _paper(line: _Owed, rates: Mapping[int, int]) -> _Paper:
    """The document that a line goes onto; `rates` are what payers are taxed at now."""
    if line.kind is LineKind.PAYOUT:
        return _Paper(line.kind, line.whom_id, 0)
    return _Paper(line.kind, line.whom_id, rates[line.whom_id] if line.tax_rate is None else line.tax_rate)


def tax_of(net: int, rate: int) -> int:
    """The tax on an amount; the rate in hundredths of a percent."""
    return rounded(Fraction(net * rate, FULL_TAX))


def anomalies(
    work: Work, programme_id: int, from_day: date, until_day: date, progress: Progress = _silent
) -> list[Anomaly]:
    """What looks wrong: no rate, no payer, attendance missing, doubled, unusually long, against the calendar."""
    programme = programme_of(work, programme_id)
    found = [*_unrecorded(work, programme, from_day, until_day), *_no_payer(work, programme, until_day)]
    terms = terms_of(work, programme_id)
    ids = recorded_sessions(work, programme_id, from_day, until_day)
    seen: dict[tuple[int, int | None, date | None], int] = {}
    for n in range(0, len(ids), 1000):
        progress(0.2 + 0.7 * n / max(1, len(ids)), f"Looking at {len(ids):,} {programme.policy.words.many('session')}")
        some = ids[n:n + 1000]
        numbers: dict[int, Any] = {row.id: row for row in work.tx.execute(
            select(Session.id, Session.number, Session.starts_at).where(Session.id.in_(some)))}
        notices: dict[int, list[Any]] = {}
        for row in work.tx.execute(
            select(Participation.session_id, Participation.outcome, Participation.notice_at).where(
                Participation.session_id.in_(some), Participation.notice_at.is_not(None))
        ):
            notices.setdefault(row.session_id, []).append(row)
        for facts in facts_of(work, some):
            number = numbers[facts.session_id].number
            for what, said in _strange(facts, terms.rates, terms.matrices, seen, number):
                found.append(Anomaly(what, facts.session_id, number, facts.day, said))
            starts_at = numbers[facts.session_id].starts_at
            for row in notices.get(facts.session_id, ()):
                if starts_at is not None and row.outcome in (Outcome.CANCELLED_LATE, Outcome.CANCELLED_IN_TIME) and (
                        notice_outcome(starts_at, row.notice_at) is not row.outcome):
                    found.append(Anomaly("outcome against the calendar", facts.session_id, number, facts.day,
                                         f"Recorded as {row.outcome}, though notice was given otherwise."))
    return found


def _strange(
    facts: Facts, rates: Sequence[Any], matrices: Sequence[Any],
    seen: dict[tuple[int, int | None, date | None], int], number: int,
) -> Iterable[tuple[str, str]]:
    if facts.day is None:
        return
    matrix = matrix_of(matrices, facts.day)
    for side, what in ((Side.BILLED, "billed"), (Side.PAID, "paid")):
        counts = any(part.outcome is not None and matrix.share(part.outcome, side) for part in facts.parts)
        if counts and rate_for(rates, side, facts, facts.practitioner_id, facts.day) is None:
            yield "no rate", f"There is no rate by which it would be {what}."
    for part in facts.parts:
        if part.outcome is not Outcome.ATTENDED:
            continue
        if (part.minutes or facts.planned) >= UNUSUAL or (part.minutes or 0) > facts.planned + 30:
            yield "unusually long", f"{part.minutes or facts.planned} minutes, {facts.planned} planned."
        key = (part.learner_id, facts.practitioner_id, facts.day)
        if (other := seen.setdefault(key, number)) != number:
            yield "doubled", f"The same people met the same day: number {other}."


def _unrecorded(work: Work, programme: ProgrammeView, from_day: date, until_day: date) -> list[Anomaly]:
    zone = programme.zone
    missing = exists().where(Participation.session_id == Session.id, Participation.outcome.is_(None))
    rows = work.tx.execute(
        select(Session.id, Session.number, Session.starts_at).where(
            Session.programme_id == programme.id, Session.cancelled_at.is_(None),
            Session.starts_at >= day_start(from_day, zone),
            Session.starts_at < day_start(until_day + timedelta(days=1), zone), missing).order_by(Session.starts_at))
    return [Anomaly("attendance missing", row.id, row.number, row.starts_at.astimezone(zone).date(),
                    "Nothing is recorded yet, so nothing is billed or paid.") for row in rows]


def _no_payer(work: Work, programme: ProgrammeView, until_day: date) -> list[Anomaly]:
    rows = work.tx.execute(
        select(Session.id, Session.number, LedgerLine.day, Person.name)
        .join(Session, Session.id == LedgerLine.session_id).outerjoin(Person, Person.id == LedgerLine.learner_id)
        .where(LedgerLine.programme_id == programme.id, LedgerLine.day <= until_day,
               LedgerLine.kind == LineKind.CHARGE, LedgerLine.payer_id.is_(None), stands())
        .order_by(LedgerLine.day, LedgerLine.id))
    return [Anomaly("no payer", row[0], row[1], row[2], f"Nobody is named who pays for {row[3] or 'the team'}.")
            for row in rows]


# Closing -------------------------------------------------------------------------------------------------------------


def close_period(work: Work, programme_id: int, until_day: date) -> int:
    """Put everything owed and earned until a day onto numbered documents; it is never opened again.

    Returns the period's id. Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    require(work, Action.MONEY_CLOSE, programme_id)
    programme = programme_of(work, programme_id)
    hold(work, programme_id)
    header = work.tx.scalar(select(Biller).where(Biller.programme_id == programme_id))
    if header is None:
        raise Conflict("Say first what stands on top of invoices: name, address, tax number.")
    from_day = _from_day(work, programme, until_day)
    bills = _bills(work, programme, from_day, _owed(work, programme, until_day))
    period = Period(programme_id=programme_id, from_day=from_day, until_day=until_day, closed_at=work.now,
                    closed_by=work.me, change_set_id=work.act_id)
    work.tx.add(period)
    work.tx.flush()
    _write(work, programme, header, period.id, bills)
    made = [f"{count:,} {kind if count == 1 else f'{kind}s'}" for kind in DocumentKind
            if (count := sum(bill.kind is kind for bill in bills))]
    work.say(f"Closed {from_day.day} {from_day:%b %Y} to {until_day.day} {until_day:%b %Y}:"
             f" {', '.join(made) or 'nothing was owed or earned'}.")
    return int(period.id)


def _write(
    work: Work, programme: ProgrammeView, header: Biller, period_id: int, bills: Sequence[Bill]
) -> None:
    today = work.now.astimezone(programme.zone).date()
    payers = {one.id: one for one in work.tx.scalars(select(Payer).where(Payer.programme_id == programme.id))}
    numbers = _numbers(work, programme.id)
    rows: list[dict[str, Any]] = []
    for bill, names in zip(bills, _names(work, bills), strict=True):
        numbers[bill.kind] = numbers.get(bill.kind, 0) + 1
        charged = bill.kind is not DocumentKind.STATEMENT
        rows.append({
            "programme_id": programme.id, "period_id": period_id, "kind": bill.kind, "number": numbers[bill.kind],
            "payer_id": bill.whom_id if charged else None, "practitioner_id": None if charged else bill.whom_id,
            "issued_on": today, "due_on": today + timedelta(days=header.terms_days), "currency": programme.currency,
            "net": bill.net, "tax_rate": bill.tax_rate, "tax": bill.tax, "gross": bill.gross,
            "header": _header(header, payers.get(bill.whom_id) if charged else None, bill.whom) | {"names": names},
            "change_set_id": work.act_id,
        })
    insert_many(work.tx.connection(), DOCUMENTS, rows)
    of = {(kind, number): id_ for id_, kind, number in work.tx.execute(
        select(Document.id, Document.kind, Document.number).where(Document.period_id == period_id))}
    insert_many(work.tx.connection(), ON_DOCUMENTS, [  # SQLite, left to join them, tries every pair
        {"document_id": of[row["kind"], row["number"]], "line_id": line.id}
        for row, bill in zip(rows, bills, strict=True) for line in bill.owed], "line_id")


_NAMED: Mapping[str, type[Person | Team | Course]] = {"learner_id": Person, "team_id": Team, "course_id": Course}


def _names(work: Work, bills: Sequence[Bill]) -> list[dict[str, dict[str, str]]]:
    """The names that stand on each document, as they are today: whoever is renamed keeps the old name there."""
    ids = {column: {id_ for bill in bills for line in bill.owed if (id_ := getattr(line, column)) is not None}
           for column in _NAMED}
    said = {column: dict(work.tx.execute(select(model.id, model.name).where(among(model.id, ids[column]))).all())
            for column, model in _NAMED.items()}
    return [{column: {str(id_): said[column][id_] for line in bill.owed
                      if (id_ := getattr(line, column)) is not None} for column in _NAMED} for bill in bills]


def _numbers(work: Work, programme_id: int) -> dict[DocumentKind, int]:
    """The last number of each kind; the programme is held, so none is given twice and none left out."""
    return dict(work.tx.execute(select(Document.kind, func.max(Document.number)).where(
        Document.programme_id == programme_id).group_by(Document.kind)).all())


def _header(header: Biller, payer: Payer | None, whom: str) -> dict[str, Any]:
    """What stands on top of a document, as it is today."""
    to = {"name": whom} if payer is None else {
        "name": payer.name, "address": payer.address, "email": payer.email, "tax_number": payer.tax_number}
    return {
        "from": {"name": header.name, "address": header.address, "tax_number": header.tax_number, "bank": header.bank},
        "to": to, "prefix": header.prefix,
    }


def credit_invoice(work: Work, document_id: int, reason: str) -> int:
    """Take an invoice back by a credit note; what is still owed by the facts goes onto the next invoice.

    Returns the credit note's id. Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    one = held_document(work, document_id)
    if one.kind is not DocumentKind.INVOICE:
        raise Conflict("Only an invoice can be credited.")
    if not (reason or "").strip():
        raise Invalid({"reason": "Say why; it stands on the credit note."})
    if len(reason) > 500:
        raise Invalid({"reason": "At most 500 characters."})
    if work.tx.scalar(select(Document.id).where(Document.cancels_id == document_id)) is not None:
        raise Conflict("This invoice was credited already.")
    programme = programme_of(work, one.programme_id)
    listed = work.tx.scalars(select(LedgerLine).join(DocumentLine, DocumentLine.line_id == LedgerLine.id)
                             .where(DocumentLine.document_id == document_id, stands()).order_by(LedgerLine.id)).all()
    net = -sum(line.amount for line in listed)
    if not listed or net >= 0:
        raise Conflict("Everything on it was taken back already; the next invoice says so.")
    today = work.now.astimezone(programme.zone).date()
    made = work.tx.execute(insert(Document).returning(Document.id), {
        "programme_id": programme.id, "period_id": None, "kind": DocumentKind.CREDIT_NOTE,
        "number": _numbers(work, programme.id).get(DocumentKind.CREDIT_NOTE, 0) + 1, "payer_id": one.payer_id,
        "practitioner_id": None, "cancels_id": document_id, "issued_on": today, "due_on": today,
        "currency": one.currency, "net": net, "tax_rate": one.tax_rate, "tax": tax_of(net, one.tax_rate),
        "gross": net + tax_of(net, one.tax_rate), "header": one.header, "reason": reason.strip(),
        "change_set_id": work.act_id}).scalar_one()
    copied = [column.name for column in LINES.columns if column.name not in (
        "id", "change_set_id", "at", "turn", "amount", "reverses_id", "reason")]
    turns = {(row[0], row[1], row[2], row[3]): row[4] for row in work.tx.execute(
        select(LedgerLine.session_id, LedgerLine.kind, LedgerLine.part, LedgerLine.forfeit_part,
               func.max(LedgerLine.turn)).where(LedgerLine.session_id.in_({line.session_id for line in listed}))
        .group_by(LedgerLine.session_id, LedgerLine.kind, LedgerLine.part, LedgerLine.forfeit_part))}
    written = insert_many(work.tx.connection(), LINES, [
        {**{name: getattr(line, name) for name in copied}, "change_set_id": work.act_id, "at": work.now,
         "turn": turns[line.session_id, line.kind, line.part, line.forfeit_part] + 1, "amount": -line.amount,
         "reverses_id": line.id, "reason": reason.strip()} for line in listed], "reverses_id")
    work.tx.execute(insert(DocumentLine), [{"document_id": made, "line_id": id_} for id_ in written.values()])
    settle(work, {line.session_id for line in listed}, "the invoice was credited")
    work.because(reason)
    work.say(f"Credited invoice {number_words(one.header, one.kind, one.number)}.")
    return int(made)


__all__ = [
    "Anomaly", "Bill", "Preview", "anomalies", "close_period", "credit_invoice", "last_period", "preview", "tax_of",
]

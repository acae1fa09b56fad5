"""Invoices, credit notes and payout statements as they were handed out, what was paid, and what is still open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from core.billing.queries import Line, lines_by_id
from core.errors import NotFound
from core.permissions import Action, may
from core.programmes.queries import programme_of
from core.work import Work
from db.models.billing import Document, DocumentLine, LedgerLine, Payer, Payment, Period
from db.models.people import Person
from db.words import DocumentKind, Role

PAGE = 50
AGES = (0, 30, 60, 90)
"""Days past due from which an open invoice falls into the next bracket."""


@dataclass(frozen=True)
class Entry:
    """One document in the list; amounts in minor units."""

    id: int
    kind: DocumentKind
    label: str
    """Its number as it is printed."""
    whom: str
    period: str
    issued_on: date
    due_on: date
    currency: str
    net: int
    tax: int
    gross: int
    paid: int
    credited: bool

    @property
    def open(self) -> int:
        """What is still to be paid; a credited invoice, or a credit note, is nothing."""
        return 0 if self.credited or self.kind is DocumentKind.CREDIT_NOTE else self.gross - self.paid


@dataclass(frozen=True)
class Chosen:
    """Which documents are asked for."""

    kinds: tuple[DocumentKind, ...] = ()
    payer_ids: tuple[int, ...] = ()
    practitioner_ids: tuple[int, ...] = ()
    period_id: int | None = None
    only_open: bool = False
    text: str = ""


@dataclass(frozen=True)
class Payments:
    """One payment of a document."""

    id: int
    day: date
    amount: int
    reference: str
    taken_back: bool


@dataclass(frozen=True)
class Whole:
    """A document with what stands on it."""

    entry: Entry
    header: Mapping[str, Any]
    tax_rate: int
    reason: str
    lines: Sequence[Line]
    payments: Sequence[Payments]
    cancels: str
    may_change: bool


def visible_documents(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Documents that exist for the viewer: staff see all, others those made out to them."""
    here = Document.programme_id == programme_id
    if work.actor.everything or may(work, Action.MONEY_SEE, programme_id):
        return here
    me, ways = work.actor.person_id, list[ColumnElement[bool]]()
    if work.actor.holds(programme_id, Role.PRACTITIONER):
        ways.append(Document.practitioner_id == me)
    mine = select(Payer.id).where(Payer.programme_id == programme_id, Payer.person_id == me)
    ways.append(Document.payer_id.in_(mine))
    return and_(here, or_(*ways)) if programme_id in work.actor.roles else false()


def documents(
    work: Work, programme_id: int, chosen: Chosen | None = None, *, number: int = 1
) -> tuple[list[Entry], int]:
    """A page of documents, the latest first, and how many there are in all. Raises NotFound."""
    programme_of(work, programme_id)
    chosen = chosen or Chosen()
    where = [visible_documents(work, programme_id)]
    if chosen.kinds:
        where.append(Document.kind.in_(chosen.kinds))
    if chosen.payer_ids:
        where.append(Document.payer_id.in_(chosen.payer_ids))
    if chosen.practitioner_ids:
        where.append(Document.practitioner_id.in_(chosen.practitioner_ids))
    if chosen.period_id is not None:
        where.append(Document.period_id == chosen.period_id)
    if chosen.only_open:
        where.append(_is_open())
    if said := chosen.text.strip().replace("\0", "").lower():
        named = [select(model.id).where(func.lower(model.name).contains(said, autoescape=True))
                 for model in (Payer, Person)]
        whom = or_(Document.payer_id.in_(named[0]), Document.practitioner_id.in_(named[1]))
        where.append(or_(whom, Document.number == int(said)) if said.isdecimal() and len(said) < 10 else whom)
    total = work.tx.scalar(select(func.count()).select_from(Document).where(*where)) or 0
    ids = list(work.tx.scalars(
        select(Document.id).where(*where).order_by(Document.issued_on.desc(), Document.kind, Document.number.desc())
        .limit(PAGE).offset((max(1, number) - 1) * PAGE)))
    return _entries(work, ids), total


def document(work: Work, document_id: int) -> Whole:
    """One document with its lines and payments. Raises NotFound."""
    one = work.tx.get(Document, document_id)
    if one is None or work.tx.scalar(select(Document.id).where(
            Document.id == document_id, visible_documents(work, one.programme_id))) is None:
        raise NotFound
    programme = programme_of(work, one.programme_id)
    ids = list(work.tx.scalars(
        select(LedgerLine.id).join(DocumentLine, DocumentLine.line_id == LedgerLine.id)
        .where(DocumentLine.document_id == document_id).order_by(LedgerLine.day, LedgerLine.id)))
    later = aliased(Payment)
    payments = [
        Payments(row.id, row.day, row.amount, row.reference or "", row.reverses_id is not None or gone)
        for row, gone in work.tx.execute(select(Payment, exists().where(later.reverses_id == Payment.id))
                                         .where(Payment.document_id == document_id).order_by(Payment.day, Payment.id))
    ]
    cancels = _entries(work, [one.cancels_id]) if one.cancels_id is not None else []
    return Whole(
        _entries(work, [document_id])[0], one.header, one.tax_rate, one.reason or "", lines_by_id(work, programme, ids),
        payments, cancels[0].label if cancels else "", may(work, Action.MONEY_CLOSE, programme.id))


def _paid() -> Any:
    return select(func.coalesce(func.sum(Payment.amount), 0)).where(
        Payment.document_id == Document.id).correlate(Document).scalar_subquery()


def _is_credited() -> ColumnElement[bool]:
    other = aliased(Document)
    return exists().where(other.cancels_id == Document.id)


def _is_open() -> ColumnElement[bool]:
    return and_(Document.kind != DocumentKind.CREDIT_NOTE, Document.gross > _paid(), ~_is_credited())


def _entries(work: Work, ids: Sequence[int]) -> list[Entry]:
    rows = work.tx.execute(
        select(Document, Payer.name, Person.name, Period.from_day, Period.until_day, _paid(), _is_credited())
        .outerjoin(Payer, Payer.id == Document.payer_id).outerjoin(Person, Person.id == Document.practitioner_id)
        .outerjoin(Period, Period.id == Document.period_id).where(Document.id.in_(ids)))
    found = {
        one.id: Entry(
            one.id, one.kind, f"{one.header.get('prefix', '')}{one.number}",
            one.header["to"]["name"] or payer or person,
            f"{since:%d %b %Y} – {until:%d %b %Y}" if since else "", one.issued_on, one.due_on, one.currency, one.net,
            one.tax, one.gross, int(paid), bool(credited))
        for one, payer, person, since, until, paid, credited in rows
    }
    return [found[id_] for id_ in ids if id_ in found]


@dataclass(frozen=True)
class Ageing:
    """What is open on invoices, by how long it is past due; minor units."""

    currency: str
    not_due: int
    brackets: tuple[int, ...]
    """From 1 day past due, from 31, from 61, and more than 90."""
    count: int


def ageing(work: Work, programme_id: int) -> Ageing:
    """Open invoices by age. Raises NotFound."""
    programme = programme_of(work, programme_id)
    today = work.now.astimezone(programme.zone).date()
    not_due, brackets, count = 0, [0] * len(AGES), 0
    for due_on, gross, paid in work.tx.execute(
        select(Document.due_on, Document.gross, _paid()).where(
            visible_documents(work, programme_id), Document.kind == DocumentKind.INVOICE, _is_open())
    ):
        late, left = (today - due_on).days, gross - int(paid)
        count += 1
        if late <= 0:
            not_due += left
        else:
            brackets[sum(late > days for days in AGES) - 1] += left
    return Ageing(programme.currency, not_due, tuple(brackets), count)


def periods(work: Work, programme_id: int) -> list[Period]:
    """The closed periods of a programme, the latest first; none for whoever may not see money."""
    if not may(work, Action.MONEY_SEE, programme_id):
        return []
    return list(work.tx.scalars(select(Period).where(Period.programme_id == programme_id)
                                .order_by(Period.until_day.desc())))

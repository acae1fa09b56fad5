"""Invoices, credit notes and payout statements as they were handed out, what was paid, and what is still open."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import compress
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from core.billing.money import words
from core.billing.queries import Line, lines_by_id, number_words
from core.errors import NotFound
from core.permissions import Action, may, require
from core.programmes.queries import programme_of
from core.work import Work
from db.models.billing import Document, DocumentLine, LedgerLine, Payer, Payment, Period
from db.models.people import Person
from db.words import DocumentKind, Role

PAGE = 50
NARROWS = ("paper", "whom", "period", "open", "due_from", "due_until", "page")
"""Parameters of the address: the kind, part of a name or the number, the period, *yes* for what is open and *over* for
what is to be set off, from when and until when it is due, the page."""
AGES = (0, 30, 60, 90)
"""Days past due from which an open invoice falls into the next bracket."""


class State(StrEnum):
    """How a document stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    CREDITED = "credited"
    TO_SET_OFF = "to set off"
    """Something is over: more was paid or taken back than is owed."""
    SETTLED = "settled"
    NOTHING = "nothing to pay"


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
    credit: int = 0
    """What the note that credits it comes to; no more than 0."""
    credits: bool = False
    """Whether it is such a note: it counts on the invoice that it credits."""

    @property
    def left(self) -> int:
        """What is left: to pay or, below 0, to set off or give back."""
        return 0 if self.credits else self.gross + self.credit - self.paid

    @property
    def open(self) -> int:
        """What is still to be paid: of a credited invoice, what its note leaves."""
        return max(0, self.left)

    @property
    def over(self) -> int:
        """What is over: paid too much, or more taken back than was owed."""
        return max(0, -self.left)

    def state(self, today: date) -> State:
        """How it stands on a day."""
        if self.open:
            return State.OVERDUE if self.due_on < today else State.OPEN
        if self.over:
            return State.TO_SET_OFF
        if self.credits or not self.gross:
            return State.NOTHING
        if self.gross < 0:
            return State.SETTLED
        return State.CREDITED if self.credited else State.PAID


class Left(StrEnum):
    """Which documents are asked for by what is left on them."""

    OPEN = "yes"
    TO_SET_OFF = "over"


@dataclass(frozen=True)
class Chosen:
    """Which documents are asked for."""

    kinds: tuple[DocumentKind, ...] = ()
    payer_ids: tuple[int, ...] = ()
    practitioner_ids: tuple[int, ...] = ()
    period_id: int | None = None
    left: Left | None = None
    text: str = ""
    ids: tuple[int, ...] | None = None
    mine: bool = False
    """Made out to the viewer, whatever else they may see."""
    due_from: date | None = None
    due_until: date | None = None


@dataclass(frozen=True)
class Payments:
    """One payment of a document."""

    id: int
    day: date
    amount: int
    reference: str
    taken_back: bool
    reverses: bool = False
    """Whether it is the entry that takes another back."""
    against: tuple[int, str] | None = None
    """The document that it was set off against: its id and number."""


@dataclass(frozen=True)
class Whole:
    """A document with what stands on it."""

    entry: Entry
    programme_id: int
    header: Mapping[str, Any]
    tax_rate: int
    reason: str
    lines: Sequence[Line]
    payments: Sequence[Payments]
    cancels: str
    """The number of the invoice that it credits."""
    cancels_id: int | None
    credited_by: tuple[int, str] | None
    """The note that credits it: its id and number."""
    favours: Sequence[Entry]
    """Others of theirs of which something could be set off against it."""
    may_change: bool


def narrowed(said: Mapping[str, Sequence[str]]) -> Chosen:
    """What the address narrows the list to; what means nothing narrows nothing."""
    period = "".join(said.get("period", ())[:1])
    return Chosen(
        tuple(kind for kind in DocumentKind if kind in said.get("paper", ())),
        period_id=int(period) if period.isascii() and period.isdecimal() and len(period) < 19 else None,
        left=next((one for one in Left if one in said.get("open", ())), None),
        text=" ".join(said.get("whom", ()))[:200],
        due_from=_day(said.get("due_from", ())), due_until=_day(said.get("due_until", ())))


def _day(said: Sequence[str]) -> date | None:
    try:
        return date.fromisoformat(said[0]) if said else None
    except ValueError:
        return None


def visible_documents(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Documents that exist for the viewer: staff see all, others those made out to them."""
    here = Document.programme_id == programme_id
    if work.actor.everything or may(work, Action.MONEY_SEE, programme_id):
        return here
    return and_(here, _mine(work, programme_id)) if programme_id in work.actor.roles else false()


def _mine(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Documents made out to the viewer, as a practitioner or as a payer."""
    me = work.actor.person_id
    paid = Document.payer_id.in_(select(Payer.id).where(Payer.programme_id == programme_id, Payer.person_id == me))
    return or_(paid, Document.practitioner_id == me) if work.actor.holds(programme_id, Role.PRACTITIONER) else paid


def documents(
    work: Work, programme_id: int, chosen: Chosen | None = None, *, number: int = 1, every: bool = False
) -> tuple[list[Entry], int]:
    """A page of documents (or every one), the latest first, and how many there are in all. Raises NotFound."""
    where = _where(work, programme_id, chosen or Chosen())
    total = work.tx.scalar(select(func.count()).select_from(Document).where(*where)) or 0
    statement = _ordered(where)
    if not every:
        statement = statement.limit(PAGE).offset((page_of(number, total) - 1) * PAGE)
    return _entries(work, list(work.tx.scalars(statement))), total


def document_ids(work: Work, programme_id: int, chosen: Chosen) -> list[int]:
    """Every document that is asked for, in the order of the list. Raises NotFound."""
    return list(work.tx.scalars(_ordered(_where(work, programme_id, chosen))))


@dataclass(frozen=True)
class Sums:
    """What documents of one way come to; minor units."""

    gross: int
    """With tax, less credit notes."""
    open: int
    over: int
    """To be set off or given back."""


def sums(work: Work, programme_id: int, chosen: Chosen) -> tuple[Sums | None, Sums | None]:
    """What comes in and what goes out by all that is asked for; None where nothing does. Raises NotFound."""
    each = select(
        (Document.kind == DocumentKind.STATEMENT).label("out"), Document.gross,
        left_to_pay().label("left"),
    ).where(*_where(work, programme_id, chosen)).subquery()
    found = {bool(row[0]): Sums(*map(int, row[1:])) for row in work.tx.execute(
        select(each.c.out, func.sum(each.c.gross), func.sum(case((each.c.left > 0, each.c.left), else_=0)),
               func.sum(case((each.c.left < 0, -each.c.left), else_=0))).group_by(each.c.out))}
    return found.get(False), found.get(True)


def documents_by_id(work: Work, programme_id: int, ids: Sequence[int]) -> list[Entry]:
    """These documents in this order, as far as they exist for the viewer. Raises NotFound."""
    found = {one.id: one for one in documents(work, programme_id, Chosen(ids=tuple(ids)), every=True)[0]}
    return [found[id_] for id_ in ids if id_ in found]


def _ordered(where: Sequence[ColumnElement[bool]]) -> Select[int]:
    return select(Document.id).where(*where).order_by(
        Document.issued_on.desc(), Document.kind, Document.number.desc())


def _where(work: Work, programme_id: int, chosen: Chosen) -> list[ColumnElement[bool]]:
    programme_of(work, programme_id)
    where = [visible_documents(work, programme_id)]
    if chosen.kinds:
        where.append(Document.kind.in_(chosen.kinds))
    if chosen.payer_ids:
        where.append(Document.payer_id.in_(chosen.payer_ids))
    if chosen.practitioner_ids:
        where.append(Document.practitioner_id.in_(chosen.practitioner_ids))
    if chosen.period_id is not None:
        where.append(Document.period_id == chosen.period_id)
    if chosen.left is not None:
        where.append(left_to_pay() > 0 if chosen.left is Left.OPEN else left_to_pay() < 0)
    if chosen.due_from is not None:
        where.append(Document.due_on >= chosen.due_from)
    if chosen.due_until is not None:
        where.append(Document.due_on <= chosen.due_until)
    if chosen.ids is not None:
        where.append(Document.id.in_(chosen.ids))
    if chosen.mine:
        where.append(_mine(work, programme_id))
    if said := chosen.text.strip().replace("\0", "").lower():
        named = [select(model.id).where(func.lower(model.name).contains(said, autoescape=True))
                 for model in (Payer, Person)]
        whom = or_(Document.payer_id.in_(named[0]), Document.practitioner_id.in_(named[1]))
        number_of = re.fullmatch(r"[^0-9]{0,14}([0-9]{1,9})", said)
        where.append(or_(whom, Document.number == int(number_of[1])) if number_of else whom)
    return where


def page_of(number: int, total: int) -> int:
    """The page that is shown where this one is asked for."""
    return min(max(1, number), max(1, -(-total // PAGE)))


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
    entered = work.tx.execute(select(Payment, exists().where(later.reverses_id == Payment.id)).where(
        Payment.document_id == document_id).order_by(Payment.day, Payment.id)).all()
    others: dict[int | None, tuple[int, str]] = {each.id: (each.id, each.label) for each in _entries(
        work, list({row.against_id for row, _ in entered if row.against_id is not None}))}
    payments = [
        Payments(row.id, row.day, row.amount, row.reference or "", row.reverses_id is not None or gone,
                 row.reverses_id is not None, others.get(row.against_id))
        for row, gone in entered
    ]
    entry = _entries(work, [document_id])[0]
    cancels = _entries(work, [one.cancels_id]) if one.cancels_id is not None else []
    by = _entries(work, list(work.tx.scalars(select(Document.id).where(Document.cancels_id == document_id))))
    changes = may(work, Action.MONEY_CLOSE, programme.id)
    return Whole(
        entry, one.programme_id, one.header, one.tax_rate, one.reason or "",
        lines_by_id(work, programme, ids, names=one.header.get("names")), payments, cancels[0].label if cancels else "",
        one.cancels_id, (by[0].id, by[0].label) if by else None,
        theirs(work, entry.id, Left.TO_SET_OFF) if changes and entry.open else (), changes)


def theirs(work: Work, document_id: int, left: Left) -> list[Entry]:
    """Documents made out to the same as this one on which that is left, the first due first. Raises NotFound."""
    one = work.tx.get(Document, document_id)
    if one is None:
        raise NotFound
    chosen = Chosen(left=left, **({"payer_ids": (one.payer_id,)} if one.payer_id else {
        "practitioner_ids": (one.practitioner_id,)}))
    where = [*_where(work, one.programme_id, chosen), Document.currency == one.currency]
    return _entries(work, list(work.tx.scalars(
        select(Document.id).where(*where).order_by(Document.due_on, Document.id))))


@dataclass(frozen=True)
class Match:
    """What is over on one document and is used for another that is open; in minor units."""

    over: Entry
    open: Entry
    amount: int

    @property
    def pair(self) -> tuple[int, int, int]:
        """From which document, to which, how much."""
        return self.over.id, self.open.id, self.amount


def matches(work: Work, programme_id: int) -> list[Match]:
    """Whatever is over in a programme against what is open of the same name and currency (X4).

    What was issued first is used first, for what is due first. Raises NotFound.
    """
    over, due = (_by_name(work, programme_id, left) for left in (Left.TO_SET_OFF, Left.OPEN))
    pairs = [pair for whose, those in over.items() for pair in set_against(those, due.get(whose, []))]
    entries = {one.id: one for one in _entries(work, list({id_ for *both, _ in pairs for id_ in both}))}
    return [Match(entries[from_id], entries[to_id], amount) for from_id, to_id, amount in pairs]


def set_against(over: Iterable[tuple[int, int]], due: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """What is over used for what is due, each in its order: (from, to, amount), as far as it goes."""
    found, rest = list[tuple[int, int, int]](), [list(each) for each in due]
    for from_id, amount in over:
        for each in rest:
            if (part := min(amount, each[1])) > 0:
                found.append((from_id, each[0], part))
                amount, each[1] = amount - part, each[1] - part
    return found


def both_ways(listed: Sequence[tuple[Entry, int]]) -> list[str]:
    """What these amounts come to, in words: what comes in and what goes out are never one sum."""
    out, amounts = [each.kind is DocumentKind.STATEMENT for each, _ in listed], [amount for _, amount in listed]
    return [words(sum(compress(amounts, those)), listed[0][0].currency)
            for those in ([not each for each in out], out) if any(those)]


def _by_name(work: Work, programme_id: int, left: Left) -> dict[tuple[Any, ...], list[tuple[int, int]]]:
    """What is left on documents, without its sign, by whom they are made out to and currency."""
    order = (Document.due_on if left is Left.OPEN else Document.issued_on, Document.id)
    whose = (Document.payer_id, Document.practitioner_id, Document.currency)
    found: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for id_, amount, *name in work.tx.execute(
            select(Document.id, left_to_pay(), *whose).where(*_where(work, programme_id, Chosen(left=left)))
            .order_by(*order)):
        found.setdefault(tuple(name), []).append((id_, abs(int(amount))))
    return found


def _paid() -> Any:
    return select(func.coalesce(func.sum(Payment.amount), 0)).where(
        Payment.document_id == Document.id).correlate(Document).scalar_subquery()


def _is_credited() -> ColumnElement[bool]:
    other = aliased(Document)
    return exists().where(other.cancels_id == Document.id)


def _credit() -> Any:
    other = aliased(Document)
    return select(func.coalesce(func.sum(other.gross), 0)).where(
        other.cancels_id == Document.id).correlate(Document).scalar_subquery()


def left_to_pay() -> Any:
    """As `Entry.left`, in SQL."""
    return case((Document.cancels_id.is_not(None), 0), else_=Document.gross + _credit() - _paid())


def _entries(work: Work, ids: Sequence[int]) -> list[Entry]:
    rows = work.tx.execute(
        select(Document, Payer.name, Person.name, Period.from_day, Period.until_day, _paid(), _is_credited(),
               _credit())
        .outerjoin(Payer, Payer.id == Document.payer_id).outerjoin(Person, Person.id == Document.practitioner_id)
        .outerjoin(Period, Period.id == Document.period_id).where(Document.id.in_(ids)))
    found = {
        one.id: Entry(
            one.id, one.kind, number_words(one.header, one.kind, one.number),
            one.header["to"]["name"] or payer or person,
            span(since, until) if since else "", one.issued_on, one.due_on, one.currency, one.net,
            one.tax, one.gross, int(paid), bool(credited), int(credit), one.cancels_id is not None)
        for one, payer, person, since, until, paid, credited, credit in rows
    }
    return [found[id_] for id_ in ids if id_ in found]


def span(since: date, until: date) -> str:
    """'1 – 31 Oct 2026', '15 Sep – 31 Oct 2026'."""
    first = f"{since.day}" if (since.year, since.month) == (until.year, until.month) else \
        f"{since.day} {since:%b}" if since.year == until.year else f"{since.day} {since:%b %Y}"
    return f"{first} – {until.day} {until:%b %Y}" if since != until else f"{until.day} {until:%b %Y}"


@dataclass(frozen=True)
class Ageing:
    """What is open on invoices, by how long it is past due; minor units."""

    currency: str
    not_due: int
    brackets: tuple[int, ...]
    """From 1 day past due, from 31, from 61, and more than 90."""
    count: int
    over: int
    """In favour of payers: to be set off against what is open, or given back."""


def ageing(work: Work, programme_id: int) -> Ageing:
    """Open invoices by age. Raises NotFound."""
    programme = programme_of(work, programme_id)
    today = work.now.astimezone(programme.zone).date()
    not_due, brackets, count, over = 0, [0] * len(AGES), 0, 0
    each = select(Document.due_on, left_to_pay().label("left")).where(
        visible_documents(work, programme_id), Document.kind != DocumentKind.STATEMENT).subquery()
    for due_on, amount in work.tx.execute(select(each).where(each.c.left != 0)):
        late, left = (today - due_on).days, int(amount)
        if left < 0:
            over -= left
            continue
        count += 1
        if late <= 0:
            not_due += left
        else:
            brackets[sum(late > days for days in AGES) - 1] += left
    return Ageing(programme.currency, not_due, tuple(brackets), count, over)


def periods(work: Work, programme_id: int) -> list[Period]:
    """The closed periods of a programme, the latest first; none for whoever may not see money."""
    if not may(work, Action.MONEY_SEE, programme_id):
        return []
    return list(work.tx.scalars(select(Period).where(Period.programme_id == programme_id)
                                .order_by(Period.until_day.desc())))


@dataclass(frozen=True)
class Closed:
    """A closed period with what its documents come to; amounts in minor units."""

    id: int
    from_day: date
    until_day: date
    closed_at: datetime
    closed_by: str
    currency: str
    invoices: int
    credit_notes: int
    net: int
    """Of its invoices, less its credit notes."""
    tax: int
    gross: int
    statements: int
    paid_out: int


def closed_periods(work: Work, programme_id: int) -> list[Closed]:
    """The closed periods with their sums, the latest first. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    programme = programme_of(work, programme_id)
    sums: dict[tuple[int, DocumentKind], Any] = {
        (row.period_id, row.kind): row for row in work.tx.execute(
            select(Document.period_id, Document.kind, func.count().label("count"), func.sum(Document.net).label("net"),
                   func.sum(Document.tax).label("tax"), func.sum(Document.gross).label("gross"))
            .where(Document.programme_id == programme_id, Document.period_id.is_not(None))
            .group_by(Document.period_id, Document.kind))}

    def total(period_id: int, name: str, *kinds: DocumentKind) -> int:
        return sum(int(getattr(sums[period_id, kind], name)) for kind in kinds if (period_id, kind) in sums)

    charged = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
    return [
        Closed(
            one.id, one.from_day, one.until_day, one.closed_at, name, programme.currency,
            total(one.id, "count", DocumentKind.INVOICE), total(one.id, "count", DocumentKind.CREDIT_NOTE),
            total(one.id, "net", *charged), total(one.id, "tax", *charged), total(one.id, "gross", *charged),
            total(one.id, "count", DocumentKind.STATEMENT), total(one.id, "gross", DocumentKind.STATEMENT))
        for one, name in work.tx.execute(
            select(Period, Person.name).join(Person, Person.id == Period.closed_by)
            .where(Period.programme_id == programme_id).order_by(Period.until_day.desc()))
    ]

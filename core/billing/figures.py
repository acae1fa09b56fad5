"""What the figures of billing are, in one place for the screen, its file and the tests: from the ledger's totals.

What was decided:

- Billed and paid are by the day of the session, local to the programme, whenever the line was written; what was taken
  back is taken off. Amounts are without tax.
- Outstanding and on hold are as of now, whatever the months.
- Totals are kept by one thing at a time. Of one practitioner, who has not so many, lines are added up one by one;
  of one course alone, nothing is told but months. Invoices are not by practitioner or course, so nothing is said
  of what is outstanding then.
- More than three years are told by year.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from core.billing.address import COURSE, MOST_CHOSEN, PRACTITIONER, address
from core.billing.documents import AGES, Ageing, Left, ageing
from core.billing.money import decimal
from core.billing.queries import Filters, on_hold, stands
from core.billing.totals import NOTHING, Sum, next_month, sums
from core.clock import FIRST_DAY, LAST_DAY
from core.permissions import Action, may, require
from core.programmes.queries import ProgrammeView, my_programmes, programme_of
from core.sessions.export import Cell
from core.work import Work
from db.among import among
from db.models.billing import LedgerLine, Payer
from db.models.people import Person
from db.models.sessions import Session
from db.models.structure import Course
from db.words import DocumentKind, LineKind, Outcome, Status, TotalOf

SPAN, FIRST, LAST = "span", "first", "last"
NARROWS = (SPAN, FIRST, LAST, PRACTITIONER, COURSE)
"""Parameters of the address: how many months, or the first and the last one (2026-03), and whom and what."""
SPANS = {"1": "This month", "3": "Last 3 months", "12": "Last 12 months", "all": "All"}
USUAL = "12"
MOST_MONTHS = 36
TOP = 15
HELD_AGES = (0, 8, 31, 61, 91)
"""Days since the session from which pay on hold falls into the next bracket."""
LOST = (Outcome.CANCELLED_LATE, Outcome.MISSED)

MEANS = {
    "Billed": "What payers owe for the sessions of these months, without tax; what was taken back is taken off.",
    "Paid": "What practitioners earn for the same sessions, whether it was paid out already or not.",
    "Margin": "Billed less paid.",
    "Outstanding": "What is open on all invoices as of today, with tax, less what was received or set off.",
    "On hold": "Pay as of today that waits for a note or a report, of sessions whenever they were.",
}
"""The definitions, as they stand beside the figures."""

Address = Mapping[str, Sequence[str]]
Link = dict[str, list[str]]
"""Parameters of a list's address."""


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    span: str = USUAL
    first: date | None = None
    last: date | None = None
    practitioner_id: int | None = None
    course_id: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it is of somebody or something alone."""
        return self.practitioner_id is not None or self.course_id is not None

    @property
    def months_alone(self) -> bool:
        """Whether the totals tell nothing but months."""
        return self.course_id is not None and self.practitioner_id is None


@dataclass(frozen=True)
class Row:
    """What one month, person, course, payer, outcome or programme comes to; amounts in minor units."""

    name: str
    billed: int = 0
    paid: int = 0
    charges: int = 0
    payouts: int = 0
    billed_at: Link | None = None
    """The list of the lines behind it, where there is one."""
    paid_at: Link | None = None
    rest: bool = False
    """Whether it is all those that come to less, together."""

    @property
    def margin(self) -> int:
        """Billed less paid."""
        return self.billed - self.paid


@dataclass(frozen=True)
class Bracket:
    """Money of one age."""

    name: str
    amount: int
    at: Link
    count: int | None = None


@dataclass(frozen=True)
class Beside:
    """One of the viewer's programmes, next to the others."""

    name: str
    currency: str
    row: Row


@dataclass(frozen=True)
class Billing:
    """All that the screen shows."""

    currency: str
    first: date
    last: date
    total: Row
    months: tuple[Row, ...]
    by: Mapping[TotalOf, tuple[Row, ...]]
    """Empty where months alone are told; each is added up when it is asked for, while the look lasts."""
    held: tuple[Bracket, ...]
    open: tuple[Bracket, ...]
    """Empty where the figures are narrowed."""
    invoices: int
    over: Bracket | None
    """In favour of payers, where anything is."""
    beside: tuple[Beside, ...] = field(default=())

    @property
    def outstanding(self) -> int:
        """Open on invoices."""
        return sum(each.amount for each in self.open)

    @property
    def on_hold(self) -> int:
        """Pay that waits."""
        return sum(each.amount for each in self.held)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (any(any((row.billed, row.paid, row.charges, row.payouts)) for row in self.months)
                    or self.outstanding or self.on_hold or self.over)


def asked_for(said: Address) -> Asked:
    """What the address asks for; what means nothing asks for nothing."""
    span = next(iter(said.get(SPAN, ())), USUAL)
    first, last = (_month(next(iter(said.get(name, ())), "")) for name in (FIRST, LAST))
    if first and last and last < first:
        first, last = last, first
    return Asked(span if span in SPANS else USUAL, first, last, _id(said.get(PRACTITIONER, ())),
                 _id(said.get(COURSE, ())))


def _month(said: str) -> date | None:
    try:
        month = date.fromisoformat(f"{said}-01")
    except ValueError:
        return None
    return month if FIRST_DAY < month < LAST_DAY - timedelta(days=62) else None


def _id(said: Sequence[str]) -> int | None:
    word = next(iter(said), "")
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 19 else None


def months_of(work: Work, programme: ProgrammeView, asked: Asked) -> tuple[date, date]:
    """The first days of the first and the last month that are asked for."""
    this = work.now.astimezone(programme.zone).date().replace(day=1)
    if asked.first or asked.last:
        return (asked.first or min(this, asked.last or this)), (asked.last or max(this, asked.first or this))
    if asked.span != "all":
        first = this
        for _ in range(int(asked.span) - 1):
            first = (first - timedelta(days=1)).replace(day=1)
        return first, this
    lines = work.tx.execute(select(func.min(LedgerLine.day), func.max(LedgerLine.day)).where(
        LedgerLine.programme_id == programme.id)).one()
    return ((lines[0] or this).replace(day=1), max(this, (lines[1] or this).replace(day=1)))


def billing(work: Work, programme_id: int, asked: Asked) -> Billing:
    """The figures of a programme. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    programme = programme_of(work, programme_id)
    first, last = months_of(work, programme, asked)
    look = _Look(work, programme, asked, first, last)
    by_month = look.by_month()
    aged = None if asked.narrowed else ageing(work, programme_id)
    return Billing(
        programme.currency, first, last, look.row("All together", by_month, look.filters()),
        tuple(look.months(by_month)), {} if asked.months_alone else _Parts(look, by_month),
        look.held(), () if aged is None else _open(work, programme, aged), 0 if aged is None else aged.count,
        None if aged is None or not aged.over else _to_set_off(aged),
        _beside(work, first, last))


@dataclass(frozen=True)
class _Look:
    """One look at the figures, with what it is narrowed to."""

    work: Work
    programme: ProgrammeView
    asked: Asked
    first: date
    last: date

    def sums(self, by: TotalOf, *, together: bool = False) -> list[Sum]:
        """What the ledger comes to."""
        only: list[ColumnElement[bool]] = []
        if self.asked.practitioner_id is not None:
            only.append(LedgerLine.practitioner_id == self.asked.practitioner_id)
        if self.asked.course_id is not None:
            only.append(LedgerLine.course_id == self.asked.course_id)
        return sums(self.work, [self.programme.id], by, self.first, self.last, only=only, together=together)

    def by_month(self) -> list[Sum]:
        """Enough to tell months by; of no course alone, outcomes as well."""
        if not self.asked.months_alone:
            return self.sums(TotalOf.OUTCOME)
        every = sums(self.work, [self.programme.id], TotalOf.COURSE, self.first, self.last)
        return [each for each in every if each.what == str(self.asked.course_id)]

    def filters(self, **more: Any) -> Filters:
        """The ledger of these months, as it is narrowed; `more` narrows it further."""
        asked = self.asked
        narrowed: dict[str, Any] = {
            "from_day": self.first, "until_day": next_month(self.last) - timedelta(days=1),
            "practitioner_ids": (asked.practitioner_id,) if asked.practitioner_id is not None else (),
            "course_ids": (asked.course_id,) if asked.course_id is not None else (),
        }
        return Filters(**{**narrowed, **more})

    def row(self, name: str, found: Iterable[Sum], behind: Filters | None) -> Row:
        """Charges and payouts of some sums, each with the way to its lines."""
        amounts = dict.fromkeys(LineKind, 0)
        counts = dict.fromkeys(LineKind, 0)
        for each in found:
            amounts[each.kind] += each.amount
            counts[each.kind] += each.lines

        def link(kind: LineKind) -> Link | None:
            if behind is None or not (amounts[kind] or counts[kind]):
                return None
            kinds = {} if behind.without_payer else {"kind": kind}
            return address(Filters(**{**vars(behind), **kinds}))

        return Row(name, amounts[LineKind.CHARGE], amounts[LineKind.PAYOUT], counts[LineKind.CHARGE],
                   counts[LineKind.PAYOUT], link(LineKind.CHARGE), link(LineKind.PAYOUT))

    def months(self, found: Sequence[Sum]) -> Iterable[Row]:
        """Each month, or each year where there are many."""
        size = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        yearly = size > MOST_MONTHS
        parts: dict[date, list[Sum]] = {}
        for each in found:
            parts.setdefault(each.month.replace(month=1) if yearly else each.month, []).append(each)
        begins = self.first
        while begins <= self.last:
            ends = next_month(begins.replace(month=12) if yearly else begins)
            until = min(ends, next_month(self.last)) - timedelta(days=1)
            of = parts.get(begins.replace(month=1) if yearly else begins, [])
            yield self.row(f"{begins.year}" if yearly else f"{begins:%b %Y}", of,
                           self.filters(from_day=begins, until_day=until))
            begins = ends

    def outcomes(self, found: Sequence[Sum]) -> tuple[Row, ...]:
        """Each outcome that cost or brought something."""
        said = self.programme.policy.words
        rows = [self.row(said.outcome(outcome), [each for each in found if each.what == outcome],
                         self.filters(outcomes=(outcome,))) for outcome in Outcome]
        return tuple(row for row in rows if row.charges or row.payouts or row.billed or row.paid)

    def top(self, by: TotalOf) -> tuple[Row, ...]:
        """Those that come to most, and the others together."""
        parts: dict[str, list[Sum]] = {}
        for each in self.sums(by, together=True):
            if each.kind is LineKind.CHARGE or by is not TotalOf.PAYER:
                parts.setdefault(each.what, []).append(each)
        nothing = parts.pop(NOTHING, [])
        order = sorted(parts, key=lambda what: (
            *(-sum(each.amount for each in parts[what] if each.kind is kind) for kind in LineKind), int(what)))
        shown, others = order[:TOP], order[TOP:]
        names = self._names(by, [int(what) for what in shown])
        rows = [self.row(names.get(int(what), f"Number {what}"), parts[what], self._behind(by, [int(what)]))
                for what in shown]
        if others:
            ids = [int(what) for what in others]
            rest = self.row(f"{len(others):,} others", [each for what in others for each in parts[what]],
                            self._behind(by, ids) if len(ids) <= MOST_CHOSEN else None)
            rows.append(replace(rest, rest=True))
        if any(each.amount or each.lines for each in nothing):
            payer = by is TotalOf.PAYER
            rows.append(self.row("Nobody yet" if payer else f"No {self.programme.policy.words.course}", nothing,
                                 self.filters(without_payer=True) if payer else None))
        return tuple(rows)

    def _behind(self, by: TotalOf, ids: Sequence[int]) -> Filters:
        name = {TotalOf.PRACTITIONER: "practitioner_ids", TotalOf.COURSE: "course_ids", TotalOf.PAYER: "payer_ids"}[by]
        return self.filters(**{name: tuple(ids)})

    def _names(self, by: TotalOf, ids: Sequence[int]) -> dict[int, str]:
        model: Any = {TotalOf.PRACTITIONER: Person, TotalOf.COURSE: Course, TotalOf.PAYER: Payer}[by]
        return {row[0]: row[1] for row in self.work.tx.execute(
            select(model.id, model.name).where(among(model.id, ids)))}

    def held(self) -> tuple[Bracket, ...]:
        """Pay that waits for a note, by how long ago its session was."""
        programme = self.programme
        today = self.work.now.astimezone(programme.zone).date()
        narrowed = self.filters(from_day=None, until_day=None)
        where = [LedgerLine.programme_id == programme.id, Session.programme_id == programme.id, _may_wait(programme),
                 on_hold(programme), stands()]
        if narrowed.practitioner_ids:
            where.append(LedgerLine.practitioner_id.in_(narrowed.practitioner_ids))
        if narrowed.course_ids:
            where.append(LedgerLine.course_id.in_(narrowed.course_ids))
        found = self.work.tx.execute(
            select(LedgerLine.day, func.sum(LedgerLine.amount), func.count())
            .join(Session, Session.id == LedgerLine.session_id).where(*where).group_by(LedgerLine.day)).all()
        brackets = []
        for n, since in enumerate(HELD_AGES):
            until = HELD_AGES[n + 1] - 1 if n + 1 < len(HELD_AGES) else None
            latest = None if n == 0 else today - timedelta(days=since)
            earliest = None if until is None else today - timedelta(days=until)
            those = [row for row in found if (latest is None or row[0] <= latest)
                     and (earliest is None or row[0] >= earliest)]
            link = address(Filters(**{**vars(narrowed), "only_held": True, "from_day": earliest, "until_day": latest}))
            name = f"over {since - 1} days" if until is None else f"{since}–{until} days" if since else \
                f"up to {until} days"
            brackets.append(Bracket(name, sum(int(row[1]) for row in those), link, sum(row[2] for row in those)))
        return tuple(brackets)


class _Parts(Mapping[TotalOf, tuple[Row, ...]]):
    """Each part of the figures, added up when it is first asked for: a screen shows one at a time."""

    def __init__(self, look: _Look, by_month: Sequence[Sum]) -> None:
        self._make: dict[TotalOf, Callable[[], tuple[Row, ...]]] = {
            **{by: partial(look.top, by) for by in (TotalOf.PRACTITIONER, TotalOf.COURSE, TotalOf.PAYER)},
            TotalOf.OUTCOME: partial(look.outcomes, by_month)}
        self._made: dict[TotalOf, tuple[Row, ...]] = {}

    def __getitem__(self, by: TotalOf) -> tuple[Row, ...]:
        if by not in self._made:
            self._made[by] = self._make[by]()
        return self._made[by]

    def __contains__(self, by: object) -> bool:
        return by in self._make  # without making it

    def __iter__(self) -> Iterator[TotalOf]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


def _may_wait(programme: ProgrammeView) -> ColumnElement[bool]:
    """What pay on hold has of its session, told by the status, by which sessions are found quickly."""
    if not programme.policy.notes_required:  # one that lacks its report is not complete
        return Session.status == Status.HELD
    return or_(Session.status == Status.HELD, and_(Session.status == Status.COMPLETED, Session.comments_at.is_(None)))


def _open(work: Work, programme: ProgrammeView, aged: Ageing) -> tuple[Bracket, ...]:
    """Open invoices by age, with the list of each."""
    today = work.now.astimezone(programme.zone).date()
    invoices = {"paper": [str(DocumentKind.INVOICE)], "open": [str(Left.OPEN)]}
    found = [Bracket("not due yet", aged.not_due, {**invoices, "due_from": [today.isoformat()]})]
    for n, days in enumerate(AGES):
        later = AGES[n + 1] if n + 1 < len(AGES) else None
        name = f"{days + 1}–{later} days late" if later is not None else f"over {days} days late"
        until = {"due_until": [(today - timedelta(days=days + 1)).isoformat()]}
        since = {"due_from": [(today - timedelta(days=later)).isoformat()]} if later is not None else {}
        found.append(Bracket(name, aged.brackets[n], {**invoices, **since, **until}))
    return tuple(found)


def _to_set_off(aged: Ageing) -> Bracket:
    """What payers have to their credit, with the list of it."""
    charged = [str(kind) for kind in DocumentKind if kind is not DocumentKind.STATEMENT]
    return Bracket("to set off", aged.over, {"paper": charged, "open": [str(Left.TO_SET_OFF)]})


def _beside(work: Work, first: date, last: date) -> tuple[Beside, ...]:
    """The viewer's programmes with money side by side, where there are several; by currency, then by name."""
    seen = [each for each in my_programmes(work) if may(work, Action.MONEY_SEE, each.id)]
    if len(seen) < 2:
        return ()
    parts: dict[int, list[Sum]] = {}
    for one in sums(work, [each.id for each in seen], TotalOf.OUTCOME, first, last, together=True):
        parts.setdefault(one.programme_id, []).append(one)
    found = []
    for each in seen:
        look = _Look(work, each, Asked(), first, last)
        if each.id in parts:
            found.append(Beside(each.name, each.currency, look.row(each.name, parts[each.id], look.filters())))
    return tuple(sorted(found, key=lambda one: (one.currency, one.name.casefold()))) if len(found) > 1 else ()


# The same as a file --------------------------------------------------------------------------------------------------


def headings(programme: ProgrammeView) -> list[str]:
    """The headings of the file; days are local to the zone (X3)."""
    return ["Programme", "Figures", "What", f"First month ({programme.zone_name})", "Last month", "Billed", "Paid",
            "Margin", "Charges", "Payouts", "Open", "On hold", "Currency"]


def titles(programme: ProgrammeView) -> dict[TotalOf, str]:
    """What each part is called."""
    words = programme.policy.words
    return {TotalOf.PRACTITIONER: f"By {words.practitioner}", TotalOf.COURSE: f"By {words.course}",
            TotalOf.PAYER: "By payer", TotalOf.OUTCOME: "Outcomes"}


def lines(programme: ProgrammeView, found: Billing) -> list[list[Cell]]:
    """Every figure that the screen shows."""
    months: list[Cell] = [f"{found.first:%Y-%m}", f"{found.last:%Y-%m}"]

    def told(part: str, row: Row, name: str = programme.name, currency: str = found.currency) -> list[Cell]:
        amounts: list[Cell] = [decimal(amount, currency) for amount in (row.billed, row.paid, row.margin)]
        return [name, part, row.name, *months, *amounts, row.charges, row.payouts, None, None, currency]

    def aged(part: str, each: Bracket, place: Callable[[Cell], list[Cell]]) -> list[Cell]:
        return [programme.name, part, each.name, None, None, None, None, None, None, each.count,
                *place(decimal(each.amount, found.currency)), found.currency]

    listed = [told("All together", found.total), *(told("By month", row) for row in found.months)]
    for by, title in titles(programme).items():
        listed += [told(title, row) for row in found.by.get(by, ())]
    listed += [aged("Pay on hold, by age", each, lambda amount: [None, amount]) for each in found.held]
    listed += [aged("Open invoices, by age", each, lambda amount: [amount, None]) for each in found.open]
    if found.over is not None:
        listed.append(aged("To set off", found.over, lambda amount: [amount, None]))
    return [*listed, *(told("Programmes side by side", each.row, each.name, each.currency) for each in found.beside)]


__all__ = [
    "MEANS", "NARROWS", "SPANS", "Asked", "Beside", "Billing", "Bracket", "Row", "asked_for", "billing", "headings",
    "lines", "months_of", "titles",
]

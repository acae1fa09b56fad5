"""Sums of the ledger by month, kept up to a line and completed by those that came since (idea 6 of the design).

The ledger only grows, so its lines are the deltas: folding adds what is new to the totals and moves the mark.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Date,
    Engine,
    FromClause,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from core.permissions import Action, require
from core.work import THE_PORTAL, Work, commit, reading
from db.models.billing import LedgerFold, LedgerLine, LedgerTotal
from db.triggers import LINES_COME
from db.words import LineKind, TotalOf

NOTHING = "0"
"""What stands for no course, or no payer."""
KEY = ("programme_id", "month", "kind", "by", "what")
SUMS = ("amount", "minutes", "lines")
AT_ONCE = 100_000
"""Lines folded in one act: who writes lines waits for it."""


class Sum(NamedTuple):
    """What one thing came to in one month; the amount in minor units."""

    programme_id: int
    month: date
    kind: LineKind
    what: str
    amount: int
    minutes: int
    lines: int


def fold(work: Work, most: int = AT_ONCE) -> int:
    """Add the lines since the last time to the totals, the oldest `most` of them. Returns up to how many.

    Any number of processes may do it.
    """
    if not work.on_sqlite:  # whoever still writes lines is waited for, so that none with a lower id comes after
        work.tx.execute(text(f"SELECT pg_advisory_xact_lock({LINES_COME})"))
    mark = work.tx.scalar(select(LedgerFold.line_id).with_for_update()) or 0
    newest = min(work.tx.scalar(select(func.max(LedgerLine.id))) or 0, mark + most)
    if newest <= mark:
        return 0
    insert: Any = (sqlite.insert if work.on_sqlite else postgresql.insert)(LedgerTotal)
    for by in TotalOf:
        fresh = _grouped(work, by, LedgerLine.id > mark, LedgerLine.id <= newest)
        statement = insert.from_select([*KEY, *SUMS], fresh)
        work.tx.execute(statement.on_conflict_do_update(
            index_elements=list(KEY),
            set_={name: getattr(LedgerTotal, name) + statement.excluded[name] for name in SUMS}))
    work.tx.execute(update(LedgerFold).values(line_id=newest))
    work.say("Summed up the ledger.")
    return newest - mark


def is_due(work: Work) -> bool:
    """Whether lines have come since the last time."""
    newest = select(func.max(LedgerLine.id)).scalar_subquery()
    return bool(work.tx.scalar(select(LedgerFold.one).where(LedgerFold.line_id < newest)))


def fold_all(engine: Engine, most: int = AT_ONCE) -> int:
    """Fold what there is in short acts, and make none where there is nothing. Returns how many lines."""
    folded = 0
    while True:
        with reading(engine, THE_PORTAL) as work:
            if not is_due(work):
                return folded
        folded += int(commit(engine, THE_PORTAL, fold, most, source="portal").result)


def sums(
    work: Work, programme_ids: Collection[int], by: TotalOf, from_month: date | None = None,
    until_month: date | None = None, *, only: Sequence[ColumnElement[bool]] = (), together: bool = False,
) -> list[Sum]:
    """What the ledger comes to by month, kind of line and one thing. Raises NotFound, NotAllowed.

    `only` narrows the lines, which then are added up one by one; `together` takes all months as one, the first.
    """
    for programme_id in programme_ids:
        require(work, Action.MONEY_SEE, programme_id)
    here = sorted(programme_ids)
    programme = LedgerLine.programme_id if only else LedgerLine.programme_id + 0  # so that new lines are found by id
    tail = [programme.in_(here), *only]
    folded = [LedgerTotal.programme_id.in_(here), LedgerTotal.by == by]
    if from_month is not None:
        tail.append(LedgerLine.day >= from_month)
        folded.append(LedgerTotal.month >= from_month)
    if until_month is not None:
        tail.append(LedgerLine.day < next_month(until_month))
        folded.append(LedgerTotal.month <= until_month)
    if only:
        return _read(work, _grouped(work, by, *tail).subquery(), together=together)
    both = union_all(
        select(*(getattr(LedgerTotal, name) for name in (*KEY, *SUMS))).where(*folded),
        _grouped(work, by, *_unfolded(work), *tail))
    return _read(work, both.subquery(), together=together)


def _unfolded(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Lines since the mark, as it is to the statement itself; an earlier mark tells the planner that they are few."""
    if LedgerFold not in work.cache:
        work.cache[LedgerFold] = work.tx.scalar(select(LedgerFold.line_id)) or 0
    since: ColumnElement[bool] = LedgerLine.id > work.cache[LedgerFold]
    if work.on_sqlite:  # it would look for them day by day in an index
        since = func.likelihood(since, literal_column("0.0001"), type_=Boolean())
    return since, LedgerLine.id > select(LedgerFold.line_id).scalar_subquery()


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _read(work: Work, both: FromClause, *, together: bool = False) -> list[Sum]:
    named = [both.c[name] for name in ("programme_id", "kind", "what")]
    month: ColumnElement[Any] = func.min(both.c.month) if together else both.c.month
    columns = named if together else [named[0], both.c.month, *named[1:]]
    amounts = [func.sum(both.c[name]) for name in SUMS]
    rows = work.tx.execute(select(named[0], month, *named[1:], *amounts).group_by(*columns).order_by(*columns))
    return [Sum(row[0], row[1], row[2], row[3], *(int(each) for each in row[4:])) for row in rows]


def _grouped(work: Work, by: TotalOf, *where: ColumnElement[bool]) -> Any:
    month: ColumnElement[Any] = (
        func.date(LedgerLine.day, literal_column("'start of month'"), type_=Date()) if work.on_sqlite
        else cast(func.date_trunc("month", LedgerLine.day), Date))
    what: dict[TotalOf, ColumnElement[Any]] = {
        TotalOf.OUTCOME: cast(LedgerLine.outcome, String), TotalOf.PRACTITIONER: _number(LedgerLine.practitioner_id),
        TotalOf.COURSE: _number(LedgerLine.course_id), TotalOf.PAYER: _number(LedgerLine.payer_id),
    }
    named = [LedgerLine.programme_id, month.label("month"), LedgerLine.kind,
             literal(by, LedgerTotal.by.type).label("by"), what[by].label("what")]
    counts = case((LedgerLine.reverses_id.is_(None), 1), else_=-1)
    minutes, counted = func.sum(counts * LedgerLine.minutes), func.sum(counts)
    return select(*named, func.sum(LedgerLine.amount).label("amount"), minutes.label("minutes"),
                  counted.label("lines")).where(*where).group_by(*(
                      LedgerLine.programme_id, month, LedgerLine.kind, what[by]))


def _number(column: Any) -> ColumnElement[Any]:
    return cast(func.coalesce(column, 0), String)


def recomputed(work: Work, programme_ids: Collection[int], by: TotalOf) -> list[Sum]:
    """The same from every line, for proof."""
    every = _grouped(work, by, LedgerLine.programme_id.in_(sorted(programme_ids))).subquery()
    return _read(work, every)

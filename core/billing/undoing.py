"""What undo sees to where terms are put back: the past stays as it was worked out, and payers are those named (X5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select

from core.billing.settle import Terms, charged_from, settle, terms_of
from core.billing.simulate import reaches
from core.errors import Conflict
from core.history.rows import RowChange
from core.programmes.queries import programme_of
from core.work import Work
from db.among import among
from db.models.billing import LedgerLine, PaidBy
from db.models.sessions import Session

TERMS = ("rate", "outcome_matrix")
NOT_ANY_MORE = "This cannot be undone any more: "


@dataclass(frozen=True)
class Put:
    """What is being put back in one programme."""

    terms: Terms
    """As they were until then."""
    from_day: date
    rates: frozenset[int]


def terms_until_now(
    work: Work, changes: Sequence[RowChange], programmes: Mapping[tuple[str, int], int]
) -> dict[int, Put]:
    """The terms of each programme whose rates or matrix are about to be put back."""
    touched: dict[int, list[RowChange]] = {}
    for change in changes:
        if change.table.name in TERMS:
            touched.setdefault(programmes[change.table.name, change.row_id], []).append(change)
    return {
        programme_id: Put(
            terms_of(work, programme_id), min(_first_day(work, change) for change in listed),
            frozenset(change.row_id for change in listed if change.table.name == "rate"))
        for programme_id, listed in touched.items()
    }


def _first_day(work: Work, change: RowChange) -> date:
    """The first day on which it makes a difference."""
    before, after = change.before or {}, change.after or {}
    if "until_day" in before and "until_day" in after:
        ends: list[date] = [day for day in (before["until_day"], after["until_day"]) if day is not None]
        return min(ends) + timedelta(days=1)
    column = change.table.c.from_day
    found: date = {**before, **after}.get("from_day") or work.tx.execute(
        select(column).where(change.table.c.id == change.row_id)).scalar_one()
    return found


def keep_the_past(work: Work, put: Mapping[int, Put]) -> None:
    """Once terms were put back: refuse what changes the past, and fill gaps. Raises Conflict."""
    for programme_id, one in put.items():
        now = terms_of(work, programme_id)
        for rate in (rate for rate in now.rates if rate.id in one.rates):
            if any(other.id != rate.id and rate.overlaps(other) for other in now.rates):
                raise Conflict(f"{NOT_ANY_MORE}another rate for the same holds on these days now.")
        changed, added = reaches(work, programme_id, one.terms, now, one.from_day)
        if changed:
            raise Conflict(f"{NOT_ANY_MORE}{_named(work, changed)} were worked out by what holds now.")
        settle(work, added, "undone")


def settle_payers(work: Work, changes: Sequence[RowChange], programmes: Mapping[tuple[str, int], int]) -> None:
    """Once it was put back who pays, charges go to them."""
    for change in changes:
        if change.table.name == PaidBy.__tablename__:
            row = {**(change.before or {}), **(change.after or {})}
            if "from_day" not in row:  # another payer was named for the same day
                one = work.tx.get_one(PaidBy, change.row_id)
                row = {"learner_id": one.learner_id, "team_id": one.team_id, "from_day": one.from_day}
            learners, teams = ([row[name]] if row.get(name) else [] for name in ("learner_id", "team_id"))
            programme_id = programmes[change.table.name, change.row_id]
            settle(work, charged_from(work, programme_id, row["from_day"], learners, teams), "undone")


def what_rests_on(work: Work, held: ColumnElement[bool]) -> str:
    """Why something cannot go: the sessions of the ledger's lines that rest on it."""
    ids = work.tx.scalars(select(LedgerLine.session_id).where(held).distinct()).all()
    return f"{NOT_ANY_MORE}{_named(work, ids)} rest on it, and the ledger keeps that."


def _named(work: Work, ids: Collection[int]) -> str:
    """'the amounts of lesson 3 and 2 more'."""
    number, programme_id = work.tx.execute(
        select(func.min(Session.number), func.min(Session.programme_id)).where(among(Session.id, ids))).one()
    word = programme_of(work, programme_id).policy.words.session
    more = f" and {len(ids) - 1:,} more" if len(ids) > 1 else ""
    return f"the amounts of {word} {number}{more}"

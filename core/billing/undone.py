"""What undoing an act means for money: nothing that was worked out may come to rest on other terms (X5, E3)."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import or_, select

from core.billing.settle import settle, terms_of
from core.billing.simulate import reaches
from core.errors import Conflict
from core.history.rows import RowChange
from core.work import Work
from db.models.billing import LedgerLine, PaidBy
from db.words import LineKind

TERMS = ("rate", "outcome_matrix")
UNDONE = "undone"


def follow_undo(work: Work, changes: Sequence[RowChange], programmes: Mapping[tuple[str, int], int]) -> None:
    """Settle what an undo changed the facts of. Raises Conflict where lines rest on rates or a matrix it takes away."""
    settle(work, {change.session_id for change in changes if change.session_id is not None}, UNDONE)
    since: dict[int, date] = {}
    for change in changes:
        if change.table.name in TERMS:
            programme_id = programmes[change.table.name, change.row_id]
            since[programme_id] = min(_from_day(work, change), since.get(programme_id, date.max))
    for programme_id, day in since.items():
        changed, added = reaches(work, programme_id, terms_of(work, programme_id), day)
        if changed:
            raise Conflict("This cannot be undone any more: amounts were worked out by it.")
        settle(work, added, UNDONE)
    if payers := [change for change in changes if change.table is PaidBy.__table__]:
        _settle_payers(work, payers)


def _from_day(work: Work, change: RowChange) -> date:
    """The earlier of the days from which it held and holds again."""
    said = [values["from_day"] for values in (change.before, change.after) if values and "from_day" in values]
    there = work.tx.scalar(select(change.table.c.from_day).where(change.table.c.id == change.row_id))
    return min([*said, *([there] if there is not None else [])], default=date.min)


def _settle_payers(work: Work, changes: Sequence[RowChange]) -> None:
    whom: dict[str, set[int]] = {"learner_id": set(), "team_id": set()}
    for change in changes:
        there = work.tx.execute(select(change.table.c.learner_id, change.table.c.team_id).where(
            change.table.c.id == change.row_id)).mappings().first()
        for values in (there or {}, change.before or {}, change.after or {}):
            for name, ids in whom.items():
                if values.get(name) is not None:
                    ids.add(values[name])
    settle(work, work.tx.scalars(
        select(LedgerLine.session_id).where(LedgerLine.kind == LineKind.CHARGE, or_(
            LedgerLine.learner_id.in_(whom["learner_id"]), LedgerLine.team_id.in_(whom["team_id"]))).distinct()).all(),
        "somebody else pays")

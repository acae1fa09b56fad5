"""What one act changed, row by row, as values rather than as the JSON of history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select

from core.work import Work
from db.base import Base
from db.models.history import Change
from db.values import from_history


@dataclass
class RowChange:
    """The net change of one row in one act. Without a before it is new, without an after it is gone."""

    table: Table
    row_id: int
    session_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_gone(self) -> bool:
        return self.after is None


def changes_of(work: Work, act_id: int) -> list[RowChange]:
    """What an act changed, in the order in which it first touched each row; several touches of a row are one."""
    rows = work.tx.execute(
        select(Change.table_name, Change.row_id, Change.session_id, Change.before, Change.after)
        .where(Change.change_set_id == act_id).order_by(Change.id)
    ).all()
    return net(rows)


def net(rows: Sequence[Any]) -> list[RowChange]:
    """Rows of history of one act, a row of a table once. One that came and went is left out."""
    found: dict[tuple[str, int], RowChange] = {}
    for row in rows:
        table = Base.metadata.tables[row.table_name]
        before, after = (_values(table, raw) for raw in (row.before, row.after))
        key = (row.table_name, row.row_id)
        known = found.get(key)
        if known is None:
            found[key] = RowChange(table, row.row_id, row.session_id, before, after)
        elif after is None:
            if known.is_new:
                del found[key]
            else:
                known.before = {**(before or {}), **(known.before or {})}
                known.after = None
        else:
            if known.before is not None and before is not None:
                known.before = {**before, **known.before}
            known.after = {**(known.after or {}), **after}
    for change in found.values():
        if change.before is not None and change.after is not None:  # what went and came back did not change
            same = [name for name, value in change.before.items() if change.after.get(name) == value]
            for name in same:
                del change.before[name]
                change.after.pop(name, None)
    return [change for change in found.values() if change.is_new or change.is_gone or change.after]


def _values(table: Table, raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    return {name: from_history(table.c[name], value) for name, value in raw.items() if name in table.c}

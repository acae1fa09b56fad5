"""Many rows in one statement that stays small: they travel as one value, and triggers fire once."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Dialect, Table, Text, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str = "id"
) -> dict[Any, int]:
    """Insert rows that all name the same columns. Returns each new row's id by the value of its `key` column."""
    if not rows:
        return {}
    columns = tuple(rows[0])
    ready = [_processor(table, name, connection.dialect) for name in columns]
    values = [[process(row[name]) for process, name in zip(ready, columns, strict=True)] for row in rows]
    given = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=str)
    found = connection.execute(_statement(table, columns, key, connection.dialect.name), {"rows": given})
    return {row[0]: row[1] for row in found.all()}


def _processor(table: Table, column: str, dialect: Dialect) -> Any:
    return table.c[column].type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


@cache
def _statement(table: Table, columns: tuple[str, ...], key: str, dialect: str) -> TextClause:
    names = ", ".join(f'"{name}"' for name in columns)
    if dialect == "sqlite":
        picked = ", ".join(f"value->>{n}" for n in range(len(columns)))
        source = "json_each(:rows)"
    else:
        kinds = [table.c[name].type.compile(postgresql.dialect()) for name in columns]  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        picked = ", ".join(f"CAST(value->>{n} AS {kind})" for n, kind in enumerate(kinds))
        source = "jsonb_array_elements(CAST(:rows AS jsonb)) AS each(value)"
    return text(f'INSERT INTO {table.name} ({names}) SELECT {picked} FROM {source} RETURNING "{key}", id')


class _Ids(TypeDecorator[Collection[int]]):
    """Ids as one text: a list in JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> str:
        listed = ",".join(map(str, value or ()))
        return f"[{listed}]" if dialect.name == "sqlite" else f"{{{listed}}}"


class _Among(ColumnElement[bool]):
    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  # declared by SQLAlchemy as an attribute of instances
        ("column", InternalTraversal.dp_clauseelement), ("ids", InternalTraversal.dp_clauseelement)]

    def __init__(self, column: InstrumentedAttribute[Any], ids: Iterable[int]) -> None:
        self.column = column.__clause_element__()
        self.ids = bindparam(None, sorted(set(ids)), type_=_Ids(), unique=True)


@compiles(_Among, "sqlite")
def _listed(element: Any, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN (SELECT value FROM json_each({compiler.process(element.ids)}))"


@compiles(_Among, "postgresql")
def _arrayed(element: Any, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY (CAST({compiler.process(element.ids)} AS bigint[]))"


def among(column: InstrumentedAttribute[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """That an id is one of these, however many they are: they travel as one value, so the statement stays the same."""
    return _Among(column, ids)

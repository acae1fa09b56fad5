"""Many rows in one statement that stays small: the rows travel as one JSON value, and triggers fire once."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import JSON, Connection, Dialect, Table, TextClause, text
from sqlalchemy.dialects import postgresql


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str = "id"
) -> dict[Any, int]:
    """Insert rows that all name the same columns. Returns each new row's id by the value of its `key` column."""
    if not rows:
        return {}
    columns = tuple(rows[0])
    values = zip(*(_column(table, name, rows, connection.dialect) for name in columns), strict=True)
    given = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"), default=str)
    found = connection.execute(_statement(table, columns, key, connection.dialect.name), {"rows": given})
    return {row[0]: row[1] for row in found.all()}


def _column(table: Table, name: str, rows: Sequence[Mapping[str, Any]], dialect: Dialect) -> list[Any]:
    """One column of all rows, as the driver takes it: column by column is quicker than row by row."""
    kind, values = table.c[name].type, [row[name] for row in rows]
    if isinstance(kind, JSON) and dialect.name == "postgresql":
        return values  # a document inside the document that all rows travel as
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else list(map(process, values))


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

"""Whether a number is among many that travel as one value: the statement stays the same however many they are."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class Numbers(TypeDecorator[Sequence[int]]):
    """A list of numbers: a JSON text on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(BigInteger))

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        return json.dumps(list(value or ())) if dialect.name == "sqlite" else list(value or ())


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True  # else SQLite is sent `(…) = 1`, for which it uses no index


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: Any, **kw: Any) -> str:
    column, numbers = (compiler.process(each, **kw) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: Any, **kw: Any) -> str:
    column, numbers = (compiler.process(each, **kw) for each in element.clauses)
    return f"{column} = ANY({numbers})"


def among(column: Any, numbers: str | Iterable[int]) -> ColumnElement[bool]:
    """Whether `column` is among these numbers, or those given under that name when the statement runs."""
    if isinstance(numbers, str):
        return _Among(column, bindparam(numbers, type_=Numbers()))
    return _Among(column, bindparam(None, sorted(set(numbers)), type_=Numbers(), unique=True))

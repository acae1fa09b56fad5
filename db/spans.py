"""How long one stretch of time reaches into another, the same on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class seconds_within(FunctionElement[int]):  # noqa: N801  # stands where a function of SQL does
    """Seconds of `starts` to `ends` that lie between `since` and `until`; none where they do not meet."""

    type = BigInteger()
    inherit_cache = True
    name = "seconds_within"


class minutes_after(FunctionElement[Any]):  # noqa: N801
    """The instant so many minutes after another."""

    inherit_cache = True
    name = "minutes_after"


@compiles(seconds_within, "sqlite")
def _numbers(element: Any, compiler: Any, **kw: Any) -> str:
    starts, ends, since, until = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"max(0, min({ends}, {until}) - max({starts}, {since}))"


@compiles(seconds_within, "postgresql")
def _instants(element: Any, compiler: Any, **kw: Any) -> str:
    starts, ends, since, until = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"greatest(0, extract(epoch FROM least({ends}, {until}) - greatest({starts}, {since})))::bigint"


@compiles(minutes_after, "sqlite")
def _number(element: Any, compiler: Any, **kw: Any) -> str:
    start, minutes = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({start} + 60 * {minutes})"


@compiles(minutes_after, "postgresql")
def _instant(element: Any, compiler: Any, **kw: Any) -> str:
    start, minutes = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({start} + interval '1 minute' * {minutes})"


__all__ = ["minutes_after", "seconds_within"]

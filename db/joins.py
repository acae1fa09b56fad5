"""A join whose order is meant: what is sorted by leads, so that the first rows come without sorting the rest."""

import re
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Join
from sqlalchemy.ext.compiler import compiles


class Led(Join):
    """A join that SQLite starts from its left side; PostgreSQL sees by itself that this is quickest."""

    inherit_cache = True


@compiles(Led, "sqlite")
def _crossed(join: Led, compiler: Any, **kw: Any) -> str:
    return re.sub(r"(?<!CROSS) JOIN ", " CROSS JOIN ", compiler.visit_join(join, **kw))


def led(left: FromClause, right: FromClause, on: ColumnElement[bool]) -> Led:
    """`left` joined with `right`, in this order."""
    return Led(left, right, on)

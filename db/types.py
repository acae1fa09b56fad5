"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import JSON, BigInteger, Boolean, Computed, Date, DateTime, Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

E = TypeVar("E", bound=StrEnum)
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC, to the second: epoch seconds on SQLite, timestamptz on PostgreSQL."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone; instants are aware")
        return int(value.timestamp()) if dialect.name == "sqlite" else value.replace(microsecond=0)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """One call a value: lists read thousands of these."""
        if dialect.name == "sqlite":
            return lambda value: None if value is None else datetime.fromtimestamp(value, UTC)
        return lambda value: None if value is None else value.astimezone(UTC)


class Choice(TypeDecorator[E], Generic[E]):
    """One word out of an enumeration, stored as that word."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        self.words = words
        super().__init__()

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], E | None]:
        """A look into a dictionary: lists read thousands of these."""
        return {word.value: word for word in self.words}.get


# STRICT tables on SQLite know five type names only.
@compiles(Boolean, "sqlite")
@compiles(BigInteger, "sqlite")
def _integer(kind: Any, compiler: Any, **kw: Any) -> str:
    return "INTEGER"


@compiles(JSON, "sqlite")
@compiles(Date, "sqlite")
def _text(kind: Any, compiler: Any, **kw: Any) -> str:
    return "TEXT"


# PostgreSQL indexes a computed column only where it is stored.
@compiles(Computed, "postgresql")
def _stored(computed: Computed, compiler: Any, **kw: Any) -> str:
    return f"GENERATED ALWAYS AS ({computed.sqltext}) STORED"


def words(most: int, least: int = 0, name: str = "length", **kw: Any) -> MappedColumn[Any]:
    """A text column whose length the database itself bounds."""
    column = mapped_column(Text, **kw)
    column.column.info["bounds"] = (least, most)
    return column


def choice(kind: type[StrEnum], **kw: Any) -> MappedColumn[Any]:
    """A column holding one word of `kind`; the database refuses any other."""
    column = mapped_column(Choice(kind), **kw)
    column.column.info["choice"] = [word.value for word in kind]
    return column


__all__ = ["Choice", "Instant", "Json", "choice", "words"]

"""The declarative base: how tables are named, keyed and checked."""

from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, CheckConstraint, Identity, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import Instant

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the portal."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant, int: BigInteger}
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012  # declared by SQLAlchemy as an attribute of instances

    def __init_subclass__(cls, **kw: Any) -> None:
        """Turn what a column says of itself (bounds, choice) into checks that the database holds."""
        super().__init_subclass__(**kw)
        table = cast(Table, cls.__table__)
        table.dialect_options["sqlite"].update(strict=True, autoincrement=True)
        for column in table.columns:
            if "bounds" in column.info:
                least, most = column.info["bounds"]
                rule = f"length({column.name}) BETWEEN {least} AND {most}"
            elif "choice" in column.info:
                rule = f"{column.name} IN ({', '.join(repr(word) for word in column.info['choice'])})"
            else:
                continue
            table.append_constraint(CheckConstraint(rule, name=column.name))


class Numbered:
    """A table whose rows carry an id that is never used again."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-1)

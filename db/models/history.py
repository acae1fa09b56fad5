"""Change sets and what they changed. Both are append-only; history is written by triggers alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import Json, words


class ChangeSet(Numbered, Base):
    """One committed act: who, when, from where, why. Its key makes a double click one act."""

    __tablename__ = "change_set"

    key: Mapped[str] = words(80, 1, unique=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    source: Mapped[str] = words(40, 1)
    command: Mapped[str] = words(80, 1)
    reason: Mapped[str | None] = words(500)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("change_set.id"))
    said: Mapped[str | None] = words(2000)
    result: Mapped[Any | None] = mapped_column(Json)
    digest: Mapped[str | None] = words(64)
    """Of what was asked for, where the key was given: the same key with something else asked is no double click."""


Index("ix_change_set_actor_id_at", ChangeSet.actor_id, ChangeSet.at)
Index("ix_change_set_undoes_id", ChangeSet.undoes_id, unique=True)


class Change(Numbered, Base):
    """Before and after of one row in one act. `before` is empty for a new row, `after` for a deleted one."""

    __tablename__ = "change"

    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))
    table_name: Mapped[str] = words(40, 1)
    row_id: Mapped[int]
    session_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)


Index("ix_change_change_set_id", Change.change_set_id, Change.id)
Index("ix_change_row", Change.table_name, Change.row_id, Change.id)
Index("ix_change_session_id", Change.session_id, Change.id)


class CurrentAct(Base):
    """SQLite's way to name the act under way; empty between acts, so a write outside one is refused."""

    __tablename__ = "current_act"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    change_set_id: Mapped[int | None] = mapped_column(ForeignKey("change_set.id"))

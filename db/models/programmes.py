"""Programmes and the roles held in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import Json, choice, words
from db.words import Kind, Role


class Programme(Numbered, Base):
    """A body of work with its own policy, time zone and currency."""

    __tablename__ = "programme"

    name: Mapped[str] = words(120, 1, unique=True)
    kind: Mapped[Kind] = choice(Kind)
    zone: Mapped[str] = words(64, 1)
    currency: Mapped[str] = words(3, 3)
    policy: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class RoleGrant(Numbered, Base):
    """One role of one person in one programme; a custom manager's says what is ticked."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("programme_id", "role", "person_id"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = choice(Role)
    permissions: Mapped[list[str] | None] = mapped_column(Json)

"""What the portal tells a person, and the views a person keeps."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import words


class Notice(Numbered, Base):
    """One in-app notice to one person, queued in the act that it tells of."""

    __tablename__ = "notice"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("programme.id"))
    session_id: Mapped[int | None]
    change_set_id: Mapped[int | None]
    text: Mapped[str] = words(500, 1)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


Index("ix_notice_person_id", Notice.person_id, Notice.read_at, Notice.id)


class SavedView(Numbered, Base):
    """A person's filters of a list, kept by name."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("person_id", "programme_id", "screen", "name"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    screen: Mapped[str] = words(40, 1)
    name: Mapped[str] = words(60, 1)
    address: Mapped[str] = words(4000)

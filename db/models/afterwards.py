"""What follows a session: notes, disputes, what was charged for a late change, messages to be sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import choice, words
from db.words import NoteKind, Wish


class Note(Numbered, Base):
    """What the practitioner wrote after a session; the other side reads it once it is submitted."""

    __tablename__ = "note"
    __table_args__ = (UniqueConstraint("session_id", "kind"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[NoteKind] = choice(NoteKind)
    body: Mapped[str] = words(8000, 1)
    submitted_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Dispute(Numbered, Base):
    """What a learner's side says against a recorded outcome, and what it was answered."""

    __tablename__ = "dispute"
    __table_args__ = (CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answer_whole"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    claim: Mapped[str] = words(1000, 1)
    at: Mapped[datetime]
    answer: Mapped[str | None] = words(1000, 1)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answered_at: Mapped[datetime | None]


class Forfeit(Numbered, Base):
    """A meeting that a learner lost to a move inside the notice: charged, or waived, with a reason (E8)."""

    __tablename__ = "forfeit"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="forward"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    wish: Mapped[Wish] = choice(Wish)
    charged: Mapped[bool]
    reason: Mapped[str] = words(500, 1)
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Message(Numbered, Base):
    """Something to be sent to a person, queued in the act that it tells of (X7). Its key sends it once."""

    __tablename__ = "message"

    key: Mapped[str] = words(120, 1, unique=True)
    kind: Mapped[str] = words(40, 1)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"))
    subject: Mapped[str] = words(200, 1)
    body: Mapped[str] = words(4000, 1)
    queued_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))


Index("ix_message_person_id", Message.person_id, Message.id)

"""How people come in: secrets live here, apart from what history records. Tokens are stored hashed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import choice, words
from db.words import LinkPurpose


class Account(Base):
    """A person's local sign-in."""

    __tablename__ = "account"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    password_hash: Mapped[str | None] = words(300)
    changed_at: Mapped[datetime]


class SignIn(Numbered, Base):
    """One signed-in browser. Ended by signing out, signing out everywhere, or its age."""

    __tablename__ = "sign_in"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = words(64, 64, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str | None] = words(200)


class OneTimeLink(Numbered, Base):
    """A single-use link: an invitation, or a forgotten password."""

    __tablename__ = "one_time_link"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[LinkPurpose] = choice(LinkPurpose)
    token_hash: Mapped[str] = words(64, 64, unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Numbered, Base):
    """A failed sign-in, counted by account and by address (both hashed) to slow guessing down."""

    __tablename__ = "sign_in_attempt"

    account_hash: Mapped[str] = words(64, 64)
    address_hash: Mapped[str] = words(64, 64)
    at: Mapped[datetime]


Index("ix_sign_in_attempt_account_hash_at", SignInAttempt.account_hash, SignInAttempt.at)
Index("ix_sign_in_attempt_address_hash_at", SignInAttempt.address_hash, SignInAttempt.at)


class Installation(Base):
    """What this database is, said once: `demo` marks one that holds nothing but made-up people."""

    __tablename__ = "installation"

    key: Mapped[str] = words(40, 1, primary_key=True)
    value: Mapped[str] = words(200)

"""People, and who is tied to whom."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import choice, words
from db.words import Tie


class Person(Numbered, Base):
    """Anyone known to the portal; may hold several roles, in several programmes."""

    __tablename__ = "person"

    name: Mapped[str] = words(120, 1)
    email: Mapped[str | None] = words(254, 3, unique=True)
    phone: Mapped[str | None] = words(40)
    about: Mapped[str | None] = words(4000)
    zone: Mapped[str | None] = words(64, 1)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


Index("ix_person_name", Person.name, Person.id)
Index("ix_person_email_lower", func.lower(Person.email))


class Relation(Numbered, Base):
    """A guardian or line manager tied to a learner, in one programme."""

    __tablename__ = "relation"
    __table_args__ = (UniqueConstraint("programme_id", "tie", "adult_id", "learner_id"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    tie: Mapped[Tie] = choice(Tie)
    adult_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class Team(Numbered, Base):
    """Learners working together on an idea."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)
    idea: Mapped[str | None] = words(300)
    retired_at: Mapped[datetime | None]


Index("ix_team_programme_id_idea", Team.programme_id, Team.idea, Team.id, postgresql_ops={"idea": "NULLS FIRST"})


class TeamMember(Numbered, Base):
    """A learner in a team, from a day until a day (both counted, in the programme's zone)."""

    __tablename__ = "team_member"
    __table_args__ = (UniqueConstraint("team_id", "learner_id", "from_day"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    from_day: Mapped[date]
    until_day: Mapped[date | None]


class Group(Numbered, Base):
    """People who may be granted sight of each other's completed sessions, without notes."""

    __tablename__ = "people_group"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)


class GroupMember(Numbered, Base):
    """One person in a group; `granted` lets the others see this person's completed sessions."""

    __tablename__ = "group_member"
    __table_args__ = (UniqueConstraint("group_id", "person_id"),)

    group_id: Mapped[int] = mapped_column(ForeignKey("people_group.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    granted: Mapped[bool] = mapped_column(default=False)

"""What learners are enrolled in, how far they are, with whom they stand, and what proves it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import choice, words
from db.words import EnrolmentStatus, Step


class Enrolment(Numbered, Base):
    """A learner in a course, and how far they are."""

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("course_id", "learner_id"),
        CheckConstraint("off_job_minutes >= 0", name="off_job_minutes"),
        CheckConstraint("planned_end >= first_day", name="forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    status: Mapped[EnrolmentStatus] = choice(EnrolmentStatus, default=EnrolmentStatus.ENROLLED)
    first_day: Mapped[date | None] = mapped_column(doc="of learning, local")
    planned_end: Mapped[date | None]
    off_job_minutes: Mapped[int | None] = mapped_column(doc="to reach; else the course's")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class EnrolmentStep(Numbered, Base):
    """One change of an enrolment, by hand or by what a session brought about; values as words or ISO days."""

    __tablename__ = "enrolment_step"

    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"), index=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"), index=True)
    what: Mapped[Step] = choice(Step)
    before: Mapped[str | None] = words(60)
    after: Mapped[str | None] = words(60)
    reason: Mapped[str | None] = words(500)
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Engagement(Numbered, Base):
    """The standing pairing of a practitioner with a learner or a team, perhaps for so many agreed minutes."""

    __tablename__ = "engagement"
    __table_args__ = (
        CheckConstraint("(learner_id IS NULL) <> (team_id IS NULL)", name="learner_or_team"),
        CheckConstraint("agreed_minutes > 0", name="agreed_minutes"),
        CheckConstraint("until_day >= from_day", name="forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    learner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    name: Mapped[str] = words(120, 1)
    agreed_minutes: Mapped[int | None]
    from_day: Mapped[date | None]
    until_day: Mapped[date | None]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Evidence(Numbered, Base):
    """Something that proves learning: a link with words, perhaps from a session."""

    __tablename__ = "evidence"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("course.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"))
    title: Mapped[str] = words(200, 1)
    url: Mapped[str | None] = words(2000)
    note: Mapped[str | None] = words(4000)
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


Index("ix_evidence_learner_id", Evidence.learner_id, Evidence.programme_id)

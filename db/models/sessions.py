"""Sessions, who takes part, and when people and rooms are taken."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import Choice, choice, words
from db.words import Method, Origin, Outcome, Status

LONGEST_SESSION = 24 * 60 * 60
"""Seconds. The guard on SQLite looks back this far, so no session may be longer."""


def at_most_a_day() -> tuple[CheckConstraint, CheckConstraint]:
    """The bound that the guard's look-back rests on, in each engine's own arithmetic."""
    name = "at_most_a_day"
    seconds = CheckConstraint(f"ends_at - starts_at <= {LONGEST_SESSION}", name=name)
    interval = CheckConstraint(f"ends_at - starts_at <= interval '{LONGEST_SESSION} seconds'", name=name)
    return seconds.ddl_if(dialect="sqlite"), interval.ddl_if(dialect="postgresql")


def nobody_twice() -> tuple[ExcludeConstraint, ...]:
    """X2 on PostgreSQL. SQLite has the same as triggers (db/triggers.py)."""
    return tuple(
        ExcludeConstraint(
            (text(stretch(whom)), "&&"), using="gist", where=text(f"{whom} IS NOT NULL"), name=f"ex_occupancy_{whom}",
        ).ddl_if(dialect="postgresql")
        for whom in ("person_id", "room_id")
    )


def stretch(whom: str) -> str:
    """Whose time, from when to when, as a line on a plane: three times quicker to guard than two ranges.

    Boxes that touch overlap, so it ends a microsecond early; whole numbers of them are exact until the year 2255.
    """
    starts, ends = (f"extract(epoch FROM {at} AT TIME ZONE 'UTC') * 1000000" for at in ("starts_at", "ends_at"))
    return f"box(point({whom}, {starts}), point({whom}, {ends} - 1))"


# Facts on the session's own row, no subquery, no clock; the first that holds, top down.
STATUS = """CASE
 WHEN cancelled_at IS NOT NULL THEN 'cancelled'
 WHEN attended > 0 AND told_at IS NOT NULL
  AND CASE WHEN report_required THEN report_published_at ELSE comments_at END IS NOT NULL THEN 'completed'
 WHEN attended > 0 THEN 'held'
 WHEN missed > 0 THEN 'missed'
 WHEN practitioner_id IS NULL THEN 'unassigned'
 WHEN access_asked_at IS NOT NULL AND access_granted_at IS NULL THEN 'pending'
 WHEN joined_at IS NOT NULL AND left_at IS NULL THEN 'live'
 WHEN submitted_at IS NOT NULL THEN 'submitted'
 WHEN starts_at IS NULL THEN 'unscheduled'
 ELSE 'scheduled' END"""


class Session(Numbered, Base):
    """One numbered piece of work: who, what, and (once on the calendar) when.

    Its active meeting is `starts_at` to `ends_at` with place and room; earlier ones are in its history.
    `attended` and `missed` count its participations by outcome and are kept, and guarded, by the database.
    """

    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("programme_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="meeting_whole"),
        CheckConstraint("ends_at > starts_at", name="meeting_forward"),
        CheckConstraint("starts_at IS NOT NULL OR room_id IS NULL", name="room_needs_meeting"),
        CheckConstraint("places BETWEEN 1 AND 30", name="places"),
        CheckConstraint("(series_id IS NULL) = (series_day IS NULL)", name="series_whole"),
        UniqueConstraint("series_id", "series_day"),
        *at_most_a_day(),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    number: Mapped[int]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    timetable_id: Mapped[int | None] = mapped_column(ForeignKey("timetable.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"), doc="the session it was made from")
    type: Mapped[str] = words(60, 1)
    method: Mapped[Method] = choice(Method)
    origin: Mapped[Origin] = choice(Origin)
    description: Mapped[str | None] = words(300)
    location: Mapped[str | None] = words(200)
    planning_notes: Mapped[str | None] = words(4000)
    report_required: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]

    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = words(500)
    access_asked_at: Mapped[datetime | None]
    access_granted_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    report_published_at: Mapped[datetime | None]
    comments_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    attended: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    missed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    status: Mapped[Status] = mapped_column(Choice(Status), Computed(STATUS))

    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    series_day: Mapped[date | None] = mapped_column(doc="the local day that the series gave it")
    moved_at: Mapped[datetime | None] = mapped_column(doc="since when it differs from its series by hand")
    engagement_id: Mapped[int | None] = mapped_column(ForeignKey("engagement.id"))
    places: Mapped[int | None] = mapped_column(doc="how many learners it takes at most; the database holds it")
    records: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    recording_url: Mapped[str | None] = words(2000)


# Lists sort what is empty before the rest on both engines; SQLite does so by itself.
EMPTY_FIRST = {"starts_at": "NULLS FIRST", "description": "NULLS FIRST"}

Index("ix_session_programme_id_starts_at", Session.programme_id, Session.starts_at, Session.id,
      postgresql_ops=EMPTY_FIRST)
Index("ix_session_programme_id_status", Session.programme_id, Session.status, Session.starts_at, Session.id,
      postgresql_ops=EMPTY_FIRST)
Index("ix_session_programme_id_description", Session.programme_id, Session.description, Session.id,
      postgresql_ops=EMPTY_FIRST)
Index("ix_session_practitioner_id", Session.practitioner_id, Session.starts_at, Session.id)
Index("ix_session_team_id", Session.team_id, Session.starts_at, Session.id)
Index("ix_session_timetable_id", Session.timetable_id, Session.starts_at, Session.id)
Index("ix_session_engagement_id", Session.engagement_id, postgresql_where=Session.engagement_id.is_not(None),
      sqlite_where=Session.engagement_id.is_not(None))
Index("ix_session_created_by", Session.created_by, Session.programme_id)
Index("ix_session_room_id", Session.room_id, Session.starts_at, postgresql_where=Session.room_id.is_not(None),
      sqlite_where=Session.room_id.is_not(None))


class SessionNumber(Base):
    """Every number ever given out in a programme; kept by the database, so none is used again."""

    __tablename__ = "session_number"

    programme_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int]


class SessionCourse(Numbered, Base):
    """A course that a session is linked to."""

    __tablename__ = "session_course"
    __table_args__ = (UniqueConstraint("session_id", "course_id"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))


class Participation(Numbered, Base):
    """One learner in one session, with an outcome of its own."""

    __tablename__ = "participation"
    __table_args__ = (
        UniqueConstraint("session_id", "learner_id"),
        CheckConstraint("actual_minutes BETWEEN 1 AND 1440", name="actual_minutes"),
        CheckConstraint("waited_minutes BETWEEN 0 AND 1440", name="waited_minutes"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[Outcome | None] = choice(Outcome)
    outcome_at: Mapped[datetime | None]
    notice_at: Mapped[datetime | None]
    actual_minutes: Mapped[int | None]
    waited_minutes: Mapped[int | None] = mapped_column(doc="for a learner who missed it (D11)")
    contact: Mapped[str | None] = words(300)
    overruled: Mapped[str | None] = words(500)
    """Why it is recorded otherwise than the rules say."""


class Waiting(Numbered, Base):
    """A learner who waits for a place in a full session; the lowest id is the next."""

    __tablename__ = "waiting"
    __table_args__ = (UniqueConstraint("session_id", "learner_id"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    since: Mapped[datetime]
    added_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Occupancy(Numbered, Base):
    """Who, or which room, is taken from when to when, by which session. Derived: only triggers write it."""

    __tablename__ = "occupancy"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (room_id IS NULL)", name="person_or_room"),
        UniqueConstraint("session_id", "person_id"),
        UniqueConstraint("session_id", "room_id"),
        *at_most_a_day(),
        *nobody_twice(),
    )

    session_id: Mapped[int]
    person_id: Mapped[int | None]
    room_id: Mapped[int | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


Index("ix_session_course_course_id", SessionCourse.course_id, SessionCourse.session_id)
Index("ix_participation_learner_id", Participation.learner_id, Participation.session_id)
Index("ix_occupancy_person_id", Occupancy.person_id, Occupancy.starts_at, Occupancy.ends_at)
Index("ix_occupancy_room_id", Occupancy.room_id, Occupancy.starts_at, Occupancy.ends_at)

FREES_LEARNER = (
    Outcome.CANCELLED_LATE, Outcome.CANCELLED_IN_TIME, Outcome.PRACTITIONER_CANCELLED,
)
COUNTS_AS_MISSED = (Outcome.MISSED, Outcome.PRACTITIONER_ABSENT)
__all__ = [
    "COUNTS_AS_MISSED", "FREES_LEARNER", "LONGEST_SESSION", "STATUS", "Occupancy", "Participation", "Session",
    "SessionCourse", "SessionNumber", "Waiting",
]

"""How learners come along: enrolments with off-the-job time, the learning plan, the time log, evidence."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select

from core.errors import NotFound
from core.learning.rules import OFF_JOB_TYPES, Spent, Tracker, is_off_job, tracker
from core.learning.visible import (
    led_by,
    sees_learner,
    visible_enrolments,
    visible_evidence,
    worded_enrolments,
)
from core.permissions import Action, may
from core.programmes.queries import programme_of
from core.sessions.queries import Row, attended_by, rows_of
from core.sessions.visible import seen, visible_sessions
from core.work import Work
from db.models.learning import Enrolment, EnrolmentStep, Evidence
from db.models.people import Person
from db.models.sessions import COUNTS_AS_MISSED, FREES_LEARNER, Participation, Session, SessionCourse
from db.models.structure import Course
from db.spans import seconds_within
from db.words import EnrolmentStatus, Method, Outcome, Status, Step

MINUTES = seconds_within(Session.starts_at, Session.ends_at, Session.starts_at, Session.ends_at) / 60


@dataclass(frozen=True)
class Enrolled:
    """One learner in one course, and how off-the-job time stands."""

    id: int
    learner_id: int
    learner: str
    course_id: int
    course: str
    status: EnrolmentStatus
    first_day: date | None
    planned_end: date | None
    """As planned by hand, else as long after the first day as the course takes."""
    own_end: date | None
    own_minutes: int | None
    version: int
    off_job: Tracker


@dataclass(frozen=True)
class Narrowed:
    """What the list of progress is narrowed to; everything empty shows all."""

    text: str = ""
    courses: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    practitioners: tuple[int, ...] = ()
    at_risk: bool = False
    learner_id: int | None = None


def enrolments(work: Work, programme_id: int, narrowed: Narrowed = Narrowed()) -> list[Enrolled]:
    """The enrolments that the viewer may see, those at risk first, then by name. Raises NotFound."""
    programme = programme_of(work, programme_id)
    where = [visible_enrolments(work, programme_id)]
    if narrowed.text.strip():
        where.append(func.lower(Person.name).contains(narrowed.text.strip().lower(), autoescape=True))
    if narrowed.courses:
        where.append(Enrolment.course_id.in_(narrowed.courses))
    if narrowed.statuses:
        where.append(Enrolment.status.in_([each for each in narrowed.statuses if each in {*EnrolmentStatus}]))
    if narrowed.practitioners:
        where.append(Enrolment.learner_id.in_(led_by(programme_id, narrowed.practitioners)))
    if narrowed.learner_id is not None:
        where.append(Enrolment.learner_id == narrowed.learner_id)
    rows = work.tx.execute(
        select(Enrolment.id, Enrolment.learner_id, Person.name, Enrolment.course_id, Course.name.label("course"),
               Enrolment.status, Enrolment.first_day, Enrolment.planned_end, Enrolment.off_job_minutes,
               Enrolment.version, Course.off_job_minutes.label("usual_minutes"), Course.weeks)
        .join(Person, Person.id == Enrolment.learner_id).join(Course, Course.id == Enrolment.course_id).where(*where)
    ).all()
    spent = _off_job(work, programme_id, {row.learner_id for row in rows})
    today = work.now.astimezone(programme.zone).date()
    found = [_enrolled(row, *spent.get((row.learner_id, row.course_id), (0, 0)), today) for row in rows]
    return sorted(
        (each for each in found if each.off_job.at_risk or not narrowed.at_risk),
        key=lambda each: (not each.off_job.at_risk, each.learner.casefold(), each.learner_id, each.course.casefold()),
    )


def _enrolled(row: Any, done: int, planned: int, today: date) -> Enrolled:
    end = row.planned_end
    if end is None and row.first_day is not None and row.weeks is not None:
        end = row.first_day + timedelta(weeks=row.weeks)
    required = row.usual_minutes if row.off_job_minutes is None else row.off_job_minutes
    return Enrolled(
        row.id, row.learner_id, row.name, row.course_id, row.course, row.status, row.first_day, end, row.planned_end,
        row.off_job_minutes, row.version, tracker(row.status, row.first_day, end, required, done, planned, today),
    )


FEW = 500
"""Up to so many learners are looked up one by one; for more, the whole programme's sessions are gone through."""


def _off_job(work: Work, programme_id: int, learners: Collection[int]) -> dict[tuple[int, int], tuple[int, int]]:
    """Off-the-job minutes done, and booked ahead, by learner and course, whoever led the sessions.

    A session linked to several courses counts in each.
    """
    done = case((Participation.outcome == Outcome.ATTENDED, func.coalesce(Participation.actual_minutes, MINUTES)),
                else_=0)
    ahead = case((Participation.outcome.is_(None) & (Session.starts_at > work.now), MINUTES), else_=0)
    statement = (
        select(Participation.learner_id, SessionCourse.course_id, func.sum(done), func.sum(ahead))
        .join(Session, Session.id == Participation.session_id)
        .join(SessionCourse, SessionCourse.session_id == Session.id)
        .where(Session.programme_id == programme_id, func.lower(Session.type).in_(OFF_JOB_TYPES),
               Session.cancelled_at.is_(None))
        .group_by(Participation.learner_id, SessionCourse.course_id)
    )
    if len(learners) <= FEW:
        statement = statement.where(Participation.learner_id.in_(sorted(learners)))
    return {(row[0], row[1]): (round(row[2] or 0), round(row[3] or 0)) for row in work.tx.execute(statement)}


# One learner --------------------------------------------------------------------------------------------------------


class Stands(StrEnum):
    """How one session stands in a learner's plan."""

    PLANNED = "planned"
    HELD = "held"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Planned:
    """One session in a learner's plan. Notes and recording are empty where the viewer may not read them."""

    row: Row
    stands: Stands
    off_job: bool
    planned: int
    actual: int
    """Minutes; none before it is held."""
    notes: str
    recording_url: str


def plan(work: Work, programme_id: int, learner_id: int) -> list[Planned]:
    """Everything the learner has or had on, in order of time, as far as the viewer sees it (C9, C11).

    What has no time yet comes last. Raises NotFound.
    """
    if not sees_learner(work, programme_id, learner_id):
        raise NotFound
    rows = work.tx.execute(
        select(Session.id, Session.starts_at, Session.planning_notes, Session.recording_url, Participation.outcome,
               Participation.actual_minutes)
        .join(Participation, Participation.session_id == Session.id)
        .where(visible_sessions(work, programme_id), Participation.learner_id == learner_id,
               Session.id.in_(attended_by(work, programme_id, (learner_id,))))
    ).all()
    told = {row.id: row for row in rows}
    order = sorted(told, key=lambda id_: (told[id_].starts_at is None, told[id_].starts_at or work.now, id_))
    found: list[Planned] = []
    for n in range(0, len(order), 500):
        found += [_planned(row, told[row.id]) for row in rows_of(work, order[n:n + 500])]
    return found


def _planned(row: Row, told: Any) -> Planned:
    reads = Action.SESSION_READ in row.may
    minutes = round((row.ends_at - row.starts_at).total_seconds() / 60) if row.starts_at and row.ends_at else 0
    stands = _stands(row.status, told.outcome)
    return Planned(
        row, stands, is_off_job(row.type), minutes,
        (told.actual_minutes or minutes) if stands is Stands.HELD else 0,
        (told.planning_notes or "") if reads else "", (told.recording_url or "") if reads else "",
    )


def _stands(status: Status, outcome: Outcome | None) -> Stands:
    if outcome is Outcome.ATTENDED:
        return Stands.HELD
    if outcome in COUNTS_AS_MISSED:
        return Stands.MISSED
    return Stands.CANCELLED if status is Status.CANCELLED or outcome in FREES_LEARNER else Stands.PLANNED


def spent(work: Work, programme_id: int, planned: Collection[Planned]) -> list[Spent]:
    """What the time log counts of a plan: sessions with a time that were neither missed nor cancelled."""
    zone = programme_of(work, programme_id).zone
    return [
        Spent(each.row.starts_at.astimezone(zone).date(), each.row.courses, each.off_job, each.planned, each.actual)
        for each in planned
        if each.row.starts_at is not None and each.stands in (Stands.PLANNED, Stands.HELD)
    ]


@dataclass(frozen=True)
class Piece:
    """A piece of evidence: an added one, or (with a session) what a smart session leaves behind (C12)."""

    id: int | None
    title: str
    url: str
    note: str
    at: datetime
    by: str
    course: str
    session_id: int | None = None


def evidence(work: Work, programme_id: int, learner_id: int, planned: Collection[Planned]) -> list[Piece]:
    """The learner's evidence, the latest first, with the smart sessions of that plan. Raises NotFound (D7)."""
    if not sees_learner(work, programme_id, learner_id, words=True):
        raise NotFound
    word = programme_of(work, programme_id).policy.words.session
    rows = work.tx.execute(
        select(Evidence.id, Evidence.title, Evidence.url, Evidence.note, Evidence.at, Person.name,
               Course.name.label("course"))
        .join(Person, Person.id == Evidence.by_id).outerjoin(Course, Course.id == Evidence.course_id)
        .where(visible_evidence(work, programme_id), Evidence.learner_id == learner_id)
    )
    found = [Piece(r.id, r.title, r.url or "", r.note or "", r.at, r.name, r.course or "") for r in rows]
    found += [
        Piece(None, f"Smart {word} {each.row.number}: {each.row.type}", each.recording_url, "", each.row.starts_at,
              each.row.practitioner, ", ".join(each.row.courses), each.row.id)
        for each in planned
        if each.row.method is Method.SMART and each.row.starts_at is not None and each.stands is not Stands.CANCELLED
        and Action.SESSION_READ in each.row.may
    ]
    return sorted(found, key=lambda piece: (piece.at, piece.title), reverse=True)


@dataclass(frozen=True)
class StepTaken:
    """One change of an enrolment; `session` is its number where the viewer may see it."""

    at: datetime
    what: Step
    before: str
    after: str
    by: str
    reason: str
    session_id: int | None
    session: int | None
    by_session: bool


def steps(work: Work, programme_id: int, learner_id: int) -> dict[int, list[StepTaken]]:
    """What changed the learner's enrolments, by enrolment, the latest first."""
    rows = work.tx.execute(
        select(EnrolmentStep.enrolment_id, EnrolmentStep.at, EnrolmentStep.what, EnrolmentStep.before,
               EnrolmentStep.after, Person.name, EnrolmentStep.reason, EnrolmentStep.session_id,
               worded_enrolments(work, programme_id).label("worded"))
        .join(Enrolment, Enrolment.id == EnrolmentStep.enrolment_id).join(Person, Person.id == EnrolmentStep.by_id)
        .where(visible_enrolments(work, programme_id), Enrolment.learner_id == learner_id)
        .order_by(EnrolmentStep.id.desc())
    ).all()
    numbers: Mapping[int, int] = seen(work, programme_id, {row.session_id for row in rows if row.session_id})
    found: dict[int, list[StepTaken]] = {}
    for row in rows:
        found.setdefault(row.enrolment_id, []).append(StepTaken(
            row.at, row.what, row.before or "", row.after or "", row.name, (row.reason or "") if row.worded else "",
            row.session_id if row.session_id in numbers else None, numbers.get(row.session_id or 0),
            row.session_id is not None))
    return found


@dataclass(frozen=True)
class Rights:
    """What the viewer may see and do of one learner's learning in a programme."""

    sees: bool
    reads: bool
    """What was written, too: evidence, notes, reasons (D7)."""
    edits: bool
    keeps: bool
    """Evidence."""


def rights(work: Work, programme_id: int, learner_id: int) -> Rights:
    """Asked once for a learner's page."""
    sees, reads = (sees_learner(work, programme_id, learner_id, words=words) for words in (False, True))
    return Rights(sees, reads, sees and may(work, Action.LEARNING_EDIT, programme_id),
                  reads and may(work, Action.EVIDENCE_KEEP, programme_id))

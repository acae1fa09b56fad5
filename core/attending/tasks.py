"""What is owed after sessions: attendance, notes, reports. A query over sessions that have started (E1)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from core.attending.queries import Objection, objections_where
from core.billing.queries import waits_for_notes
from core.billing.rules import positions
from core.billing.settle import facts_of, standing_of, terms_of
from core.permissions import Action, may, require
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.visible import visible_sessions
from core.work import Work
from db.among import among
from db.models.afterwards import Dispute
from db.models.learning import Engagement
from db.models.people import Person, Team
from db.models.sessions import Participation, Session
from db.words import LineKind, Outcome, Status

PAGE = 50
UNTOUCHED = (Status.SCHEDULED, Status.SUBMITTED, Status.LIVE, Status.PENDING)
"""Statuses of a session that began and of which nothing is recorded."""


@dataclass(frozen=True)
class Task:
    """What one session still needs from its practitioner; `blocked` is the pay that waits on it, in minor units.

    It is None for those who may not see it.
    """

    session_id: int
    programme_id: int
    number: int
    starts_at: datetime
    ends_at: datetime
    practitioner_id: int
    practitioner: str
    whom: str
    engagement: str
    attendance: bool
    note: bool
    report: bool
    due_at: datetime
    overdue: bool
    blocked: int | None
    currency: str

    @property
    def owed(self) -> tuple[str, ...]:
        """In words, in the order in which it is done."""
        words = (("attendance", self.attendance), ("note", self.note), ("report", self.report))
        return tuple(word for word, is_owed in words if is_owed)


@dataclass(frozen=True)
class Queue:
    """A page of what everybody owes, and sums over all of it."""

    rows: list[Task]
    total: int
    number: int
    overdue: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def owes(work: Work, programme: ProgrammeView) -> ColumnElement[bool]:
    """Whether a session of the programme has started and still lacks something."""
    unrecorded = and_(
        Session.status.in_(UNTOUCHED), Session.starts_at <= work.now,
        exists().where(Participation.session_id == Session.id, Participation.outcome.is_(None)))
    unwritten = and_(Session.status == Status.HELD, waits_for_notes(programme))
    return and_(Session.programme_id == programme.id, Session.practitioner_id.is_not(None),
                or_(unrecorded, unwritten))


def my_tasks(work: Work, programme_id: int, *, most: int = PAGE) -> Queue:
    """What the viewer owes as a practitioner, what is overdue first. Raises NotFound."""
    programme = programme_of(work, programme_id)
    mine = (visible_sessions(work, programme_id), owes(work, programme), Session.practitioner_id == work.me)
    return _queue(work, programme, mine, 1, most, money=True)


def work_queue(
    work: Work, programme_id: int, *, practitioner_ids: Collection[int] = (), overdue_only: bool = False,
    number: int = 1,
) -> Queue:
    """What everybody owes, oldest first; the pay that waits, for those who see money. Raises NotFound, NotAllowed."""
    require(work, Action.TASKS_SEE, programme_id)
    programme = programme_of(work, programme_id)
    where = [owes(work, programme)]
    if practitioner_ids:
        where.append(Session.practitioner_id.in_(sorted(practitioner_ids)))
    if overdue_only:
        where.append(_overdue(work, programme))
    return _queue(work, programme, where, number, PAGE, money=may(work, Action.MONEY_SEE, programme_id))


@dataclass(frozen=True)
class Owner:
    """What one practitioner owes in all."""

    person_id: int
    name: str
    tasks: int
    overdue: int
    oldest: date


def owners(work: Work, programme_id: int) -> list[Owner]:
    """Who owes how much, most overdue first. Raises NotFound, NotAllowed."""
    require(work, Action.TASKS_SEE, programme_id)
    programme = programme_of(work, programme_id)
    late = func.count().filter(_overdue(work, programme))
    rows = work.tx.execute(
        select(Person.id, Person.name, func.count(), late, func.min(Session.starts_at))
        .join(Person, Person.id == Session.practitioner_id).where(owes(work, programme))
        .group_by(Person.id, Person.name).order_by(late.desc(), func.min(Session.starts_at)))
    return [Owner(id_, name, count, overdue, oldest.astimezone(programme.zone).date())
            for id_, name, count, overdue, oldest in rows if oldest is not None]


def _overdue(work: Work, programme: ProgrammeView) -> ColumnElement[bool]:
    return Session.ends_at < work.now - timedelta(hours=programme.policy.log_hours)


def _queue(
    work: Work, programme: ProgrammeView, where: Sequence[ColumnElement[bool]], number: int, most: int, *, money: bool
) -> Queue:
    total, overdue = work.tx.execute(
        select(func.count(), func.count().filter(_overdue(work, programme))).select_from(Session).where(*where)).one()
    number = min(max(1, number), max(1, -(-total // PAGE)))
    rows = work.tx.execute(
        select(Session.id, Session.number, Session.starts_at, Session.ends_at, Session.practitioner_id, Person.name,
               Team.name, Engagement.name, Session.status, Session.attended, Session.report_required,
               Session.report_published_at, Session.comments_at)
        .join(Person, Person.id == Session.practitioner_id).outerjoin(Team, Team.id == Session.team_id)
        .outerjoin(Engagement, Engagement.id == Session.engagement_id).where(*where)
        .order_by(Session.starts_at, Session.id).limit(most).offset((number - 1) * PAGE)).all()
    ids = [row.id for row in rows]
    learners: dict[int, list[str]] = {}
    for session_id, name in work.tx.execute(
        select(Participation.session_id, Person.name).join(Person, Person.id == Participation.learner_id)
        .where(among(Participation.session_id, ids)).order_by(Person.name)
    ):
        learners.setdefault(session_id, []).append(name)
    blocked = _blocked(work, programme, ids) if money else {}
    notes = programme.policy.notes_required
    tasks = []
    for row in rows:
        due = row.ends_at + timedelta(hours=programme.policy.log_hours)
        tasks.append(Task(
            row.id, programme.id, row.number, row.starts_at, row.ends_at, row.practitioner_id, row[5],
            row[6] or _named(learners.get(row.id, ())), row[7] or "", row.attended == 0,
            notes and row.comments_at is None, row.report_required and row.report_published_at is None,
            due, due < work.now, blocked.get(row.id, 0) if money else None, programme.currency))
    return Queue(tasks, total, number, overdue)


def _named(names: Sequence[str]) -> str:
    """'Ann Lee, Bo Day +28'."""
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def _blocked(work: Work, programme: ProgrammeView, ids: Sequence[int]) -> dict[int, int]:
    """The pay that waits: of lines on hold where something was recorded, else of what attending would earn."""
    terms, standing = terms_of(work, programme.id), standing_of(work, ids)
    found: dict[int, int] = {}
    for facts in facts_of(work, ids):
        if any(part.outcome is Outcome.ATTENDED for part in facts.parts):
            lines = standing.get(facts.session_id, ())
        else:
            attended = tuple(part._replace(outcome=part.outcome or Outcome.ATTENDED) for part in facts.parts)
            implied = positions(facts.attended_by(attended), terms.rates, terms.matrices)
            lines = tuple(one for one in implied if not one.forfeit_part)
        found[facts.session_id] = sum(one.amount for one in lines if one.kind is LineKind.PAYOUT)
    return found


def objections(work: Work, programme_id: int) -> list[Objection]:
    """Objections that wait for an answer, oldest first. Raises NotFound, NotAllowed."""
    require(work, Action.DISPUTE_ANSWER, programme_id)
    return objections_where(work, Session.programme_id == programme_id, Dispute.answered_at.is_(None))

"""Engagements as far as the viewer may see, with their hours; and which one a session belongs to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from core.engagements.rules import Hours
from core.permissions import Action, require
from core.sessions.visible import sees_all
from core.work import Work
from db.models.learning import Engagement
from db.models.people import Person, Relation, Team, TeamMember
from db.models.sessions import Participation, Session
from db.words import Outcome, Role, Status, Tie

PAGE = 50
HELD = (Status.HELD, Status.COMPLETED)


@dataclass(frozen=True)
class Row:
    """One engagement with the hours that it used."""

    id: int
    programme_id: int
    name: str
    practitioner_id: int
    practitioner: str
    learner_id: int | None
    team_id: int | None
    whom: str
    from_day: date | None
    until_day: date | None
    retired: bool
    version: int
    hours: Hours


@dataclass(frozen=True)
class Page:
    """One page of the list, and how many there are in all."""

    rows: list[Row]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def visible_engagements(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Those that exist for the viewer: staff see all, others their own and guardians their learners' (X6)."""
    here = Engagement.programme_id == programme_id
    if sees_all(work, programme_id):
        return here
    me, roles = work.actor.person_id, work.actor.roles.get(programme_id, frozenset())
    ways: list[ColumnElement[bool]] = []
    if Role.PRACTITIONER in roles:
        ways.append(Engagement.practitioner_id == me)
    if Role.LEARNER in roles:
        ways.append(Engagement.learner_id == me)
        ways.append(Engagement.team_id.in_(select(TeamMember.team_id).where(TeamMember.learner_id == me)))
    if Role.GUARDIAN in roles:
        ways.append(Engagement.learner_id.in_(select(Relation.learner_id).where(
            Relation.programme_id == programme_id, Relation.tie == Tie.GUARDIAN, Relation.adult_id == me)))
    return and_(here, or_(*ways)) if ways else false()


def engagement_page(
    work: Work, programme_id: int, *, text: str = "", retired: bool = False, number: int = 1
) -> Page:
    """The list, for those who keep it, by name; found by its name or anybody's in it. Raises NotFound, NotAllowed."""
    require(work, Action.LISTS_EDIT, programme_id)
    where, said = [Engagement.programme_id == programme_id], text.strip().replace("\0", "").lower()
    if not retired:
        where.append(Engagement.retired_at.is_(None))
    if said:
        people = select(Person.id).where(func.lower(Person.name).contains(said, autoescape=True))
        teams = select(Team.id).where(
            Team.programme_id == programme_id, func.lower(Team.name).contains(said, autoescape=True))
        where.append(or_(
            func.lower(Engagement.name).contains(said, autoescape=True), Engagement.practitioner_id.in_(people),
            Engagement.learner_id.in_(people), Engagement.team_id.in_(teams)))
    total = work.tx.scalar(select(func.count()).select_from(Engagement).where(*where)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    ids = work.tx.scalars(
        select(Engagement.id).where(*where)
        .order_by(Engagement.retired_at.is_not(None), func.lower(Engagement.name), Engagement.id)
        .limit(PAGE).offset((number - 1) * PAGE)).all()
    return Page(_rows(work, Engagement.id.in_(ids)), total, number)


def engagement(work: Work, programme_id: int, engagement_id: int | None) -> Row | None:
    """One of them, where it exists for the viewer."""
    if engagement_id is None:
        return None
    found = _rows(work, and_(visible_engagements(work, programme_id), Engagement.id == engagement_id))
    return found[0] if found else None


def engagements_of(work: Work, programme_id: int, person_id: int) -> list[Row]:
    """Those in use of a person, as practitioner, learner or member of a team, that exist for the viewer."""
    teams = select(TeamMember.team_id).where(TeamMember.learner_id == person_id, TeamMember.until_day.is_(None))
    return _rows(work, and_(visible_engagements(work, programme_id), Engagement.retired_at.is_(None), or_(
        Engagement.practitioner_id == person_id, Engagement.learner_id == person_id, Engagement.team_id.in_(teams))))


def _rows(work: Work, where: ColumnElement[bool]) -> list[Row]:
    leader, learner = aliased(Person), aliased(Person)
    rows = work.tx.execute(
        select(Engagement, leader.name, learner.name, Team.name).join(leader, leader.id == Engagement.practitioner_id)
        .outerjoin(learner, learner.id == Engagement.learner_id).outerjoin(Team, Team.id == Engagement.team_id)
        .where(where).order_by(Engagement.retired_at.is_not(None), func.lower(Engagement.name), Engagement.id)
    ).all()
    counted = hours_of(work, [row[0].id for row in rows])
    return [
        Row(one.id, one.programme_id, one.name, one.practitioner_id, practitioner, one.learner_id, one.team_id,
            whom or team or "", one.from_day, one.until_day, one.retired_at is not None, one.version,
            Hours(*counted.get(one.id, (0, 0)), one.agreed_minutes))
        for one, practitioner, whom, team in rows
    ]


def hours_of(work: Work, ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Minutes held (actual where said, else planned) and booked and not yet recorded, of each of these."""
    if not ids:
        return {}
    found: dict[int, tuple[int, int]] = {}
    for row in work.tx.execute(
        select(Session.engagement_id, Session.status, Session.starts_at, Session.ends_at,
               func.max(Participation.actual_minutes).label("actual"))
        .outerjoin(Participation, and_(
            Participation.session_id == Session.id, Participation.outcome == Outcome.ATTENDED))
        .where(Session.engagement_id.in_(ids), Session.starts_at.is_not(None), Session.cancelled_at.is_(None),
               Session.status != Status.MISSED)
        .group_by(Session.id)
    ):
        used, booked = found.get(row.engagement_id, (0, 0))
        planned = round((row.ends_at - row.starts_at).total_seconds() / 60)
        if row.status in HELD:
            used += row.actual or planned
        else:
            booked += planned
        found[row.engagement_id] = (used, booked)
    return found


@dataclass(frozen=True)
class Meeting:
    """Who meets whom on which local day."""

    practitioner_id: int | None
    learners: tuple[int, ...]
    team_id: int | None
    day: date | None


def matching(work: Work, programme_id: int, meetings: Sequence[Meeting]) -> list[int | None]:
    """The only engagement in use that covers each, if it is the only one. One statement, however many."""
    leaders = sorted({one.practitioner_id for one in meetings if one.practitioner_id is not None})
    if not leaders:
        return [None] * len(meetings)
    known: dict[tuple[int, int | None, int | None], list[Engagement]] = {}
    rows = work.tx.execute(
        select(Engagement.id, Engagement.practitioner_id, Engagement.learner_id, Engagement.team_id,
               Engagement.from_day, Engagement.until_day)
        .where(Engagement.programme_id == programme_id, Engagement.retired_at.is_(None),
               Engagement.practitioner_id.in_(leaders) if len(leaders) <= 500 else Engagement.id.is_not(None)))
    for row in rows:
        known.setdefault((row.practitioner_id, row.learner_id, row.team_id), []).append(row)  # type: ignore[arg-type]
    return [_only(one, known) for one in meetings]


def _only(one: Meeting, known: dict[tuple[int, int | None, int | None], list[Engagement]]) -> int | None:
    learner = one.learners[0] if one.team_id is None and len(one.learners) == 1 else None
    if one.practitioner_id is None or one.day is None or (learner is None and one.team_id is None):
        return None
    found = [each for each in known.get((one.practitioner_id, learner, one.team_id), [])
             if (each.from_day is None or each.from_day <= one.day)
             and (each.until_day is None or one.day <= each.until_day)]
    return found[0].id if len(found) == 1 else None

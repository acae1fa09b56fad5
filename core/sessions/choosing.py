"""Whom a group can be made of: learners by course, team, whom they met before, and name; and who is busy then."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from core.clock import when_words
from core.people.queries import Match, pick
from core.programmes.queries import programme_of
from core.sessions.busy import busy_times
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.learning import Enrolment
from db.models.people import TeamMember
from db.models.sessions import Participation, Session
from db.words import Role


class Among(NamedTuple):
    """What the learners offered are narrowed to; everything empty offers all whom the viewer may see."""

    text: str = ""
    course_id: int | None = None
    team_id: int | None = None
    led_by: int | None = None


def offered(work: Work, programme_id: int, among: Among, most: int) -> list[Match]:
    """Learners by name, at most so many: in that course, in that team today, led before by that practitioner."""
    ways = []
    if among.course_id is not None:
        ways.append(select(Enrolment.learner_id).where(
            Enrolment.course_id == among.course_id, Enrolment.programme_id == programme_id))
    if among.team_id is not None:
        today = work.now.astimezone(programme_of(work, programme_id).zone).date()
        ways.append(select(TeamMember.learner_id).where(
            TeamMember.team_id == among.team_id, TeamMember.from_day <= today,
            or_(TeamMember.until_day.is_(None), TeamMember.until_day >= today)))
    if among.led_by is not None:
        ways.append(select(Participation.learner_id).join(Session, and_(
            Session.id == Participation.session_id, Session.practitioner_id == among.led_by,
            visible_sessions(work, programme_id))))
    return pick(work, programme_id, Role.LEARNER, among.text, most, among=ways)


def busy_then(
    work: Work, programme_id: int, people: Collection[int], starts_at: datetime | None, ends_at: datetime | None,
    but: int | None = None,
) -> dict[int, str]:
    """Who of them is taken then, in words: when, and with what as far as the viewer may see; another session aside."""
    if starts_at is None or ends_at is None or not people:
        return {}
    zone = programme_of(work, programme_id).zone
    found: dict[int, str] = {}
    for one in busy_times(work, programme_id, people, (), starts_at, ends_at):
        if one.person_id is not None and (but is None or one.session_id != but):
            what = f" ({one.what})" if one.what else ""
            found.setdefault(one.person_id, f"busy {when_words(one.starts_at, zone, one.ends_at)}{what}")
    return found

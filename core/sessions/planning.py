"""What a booking form knows before it is sent: whose time it takes, and what a copy starts from."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import and_, or_, select

from core.clock import FIRST_DAY, LAST_DAY, resolve
from core.programmes.queries import programme_of
from core.sessions.queries import Worksheet, worksheet
from core.sessions.rules import Booking
from core.work import Work
from db.models.people import Person, Team, TeamMember
from db.models.programmes import RoleGrant
from db.words import Origin, Role


def involved(
    work: Work, programme_id: int, people: Iterable[int | None], team_id: int | None, day: date
) -> frozenset[int]:
    """Whose time a booking takes: these people, and the team's members of that day who are learners still."""
    found = {person for person in people if person is not None}
    if team_id is not None:
        found.update(work.tx.scalars(
            select(TeamMember.learner_id).join(Team, Team.id == TeamMember.team_id)
            .join(Person, and_(Person.id == TeamMember.learner_id, Person.disabled_at.is_(None)))
            .join(RoleGrant, and_(RoleGrant.person_id == Person.id, RoleGrant.role == Role.LEARNER))
            .where(
                Team.id == team_id, Team.programme_id == programme_id, RoleGrant.programme_id == programme_id,
                TeamMember.from_day <= day, or_(TeamMember.until_day.is_(None), TeamMember.until_day >= day),
            )
        ))
    return frozenset(found)


def copy_of(work: Work, session_id: int) -> Booking:
    """A booking with everything of a session but its number and time, linked to it. Raises NotFound."""
    return _like(worksheet(work, session_id))


def next_of(work: Work, session_id: int) -> Booking:
    """The same a week later at the same wall-clock time of the programme, or on the next day that is open after that.

    Of an old session, the first such week still ahead. Raises NotFound.
    """
    sheet = worksheet(work, session_id)
    booking, before = _like(sheet), sheet.row.starts_at
    if before is None:
        return booking
    programme = programme_of(work, sheet.programme_id)
    local = before.astimezone(programme.zone).replace(tzinfo=None)
    weeks = max(1, (work.now - before) // timedelta(weeks=1) + 1)
    wanted = [local + timedelta(weeks=weeks, days=days) for days in range(7)]
    opened = [at for at in wanted if programme.policy.open_hours[at.weekday()] is not None]
    at = (opened or wanted)[0]
    if not FIRST_DAY <= at.date() <= LAST_DAY:
        return booking
    return Booking(**{**booking.__dict__, "starts_at": resolve(at, programme.zone).at})


def _like(sheet: Worksheet) -> Booking:
    row = sheet.row
    return Booking(
        programme_id=sheet.programme_id, practitioner_id=row.practitioner_id, team_id=sheet.team_id,
        learner_ids=() if sheet.team_id is not None else tuple(part.learner_id for part in sheet.parts),
        timetable_id=sheet.timetable_id, room_id=sheet.room_id, method=row.method, location=row.location or None,
        minutes=sheet.minutes, course_ids=sheet.course_ids, type=row.type,
        planning_notes=sheet.planning_notes or None, description=row.description or None,
        report_required=sheet.report_required, places=sheet.places, records=sheet.records, follows_id=row.id,
        origin=Origin.COPY,
    )

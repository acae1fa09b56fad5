"""Hours for the people of the demo, so that a timetable has slots: known ones, whatever the demo itself says."""

from datetime import date
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from core.work import THE_PORTAL, Work, commit
from db.models.availability import Roster, WeeklyWindow
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.models.structure import Timetable
from db.words import Role
from tests.browser.conftest import PROGRAMME

TIMETABLE = "Weekday mentoring"
ZONE = "Europe/Berlin"


def give_hours(engine: Engine) -> None:
    """Mentors have weekdays from eight to eight; three of them, Tom among them, are booked through the timetable."""
    commit(engine, THE_PORTAL, _give)


def _give(work: Work) -> None:
    tx = work.tx
    here = tx.scalar(select(Programme.id).where(Programme.name == PROGRAMME))
    mentors: Any = tx.scalars(select(Person.id).join(RoleGrant, RoleGrant.person_id == Person.id).where(
        RoleGrant.programme_id == here, RoleGrant.role == Role.PRACTITIONER, Person.disabled_at.is_(None),
    ).order_by(Person.name != "Tom Brady", Person.id)).all()
    timetable = tx.scalar(select(Timetable.id).where(Timetable.programme_id == here, Timetable.name == TIMETABLE))
    own = tx.scalar(select(Timetable.id).where(Timetable.programme_id == here, Timetable.owner_id == mentors[0]))
    tx.execute(delete(WeeklyWindow).where(WeeklyWindow.programme_id == here))
    tx.execute(delete(Roster).where(Roster.timetable_id == timetable))
    rows: list[tuple[Any, ...]] = [(person, None, day, 8 * 60, 20 * 60) for person in mentors for day in range(5)]
    rows += [(None, timetable, day, *hours) for day in range(5) for hours in ((540, 720), (840, 1020))]
    if own is not None:
        rows.append((mentors[0], own, 2, 17 * 60, 19 * 60))
    tx.execute(insert(WeeklyWindow), [
        {"programme_id": here, "person_id": person, "timetable_id": through, "weekday": day, "from_minute": start,
         "until_minute": end, "zone": ZONE, "from_day": date(2020, 1, 1)}
        for person, through, day, start, end in rows
    ])
    tx.execute(insert(Roster), [{"timetable_id": timetable, "person_id": person} for person in mentors[:3]])

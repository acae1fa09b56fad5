"""One series of the demo, booked as Tom would book it: a date is left out, and what does not suit is moved."""

from datetime import date, time, timedelta

from sqlalchemy import Engine, select

from core.demo.accounts import SARA, TOM
from core.programmes.queries import programme_of
from core.series.commands import book_series
from core.series.queries import Planned, plan
from core.series.rules import KEEP, Choice, Rule, What
from core.sessions.rules import Booking
from core.work import THE_PORTAL, commit, load_actor, reading
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.words import Every, Role

TIMES, LEFT_OUT = 10, 3


def book_the_example(engine: Engine, today: date) -> None:
    """Tom's lessons with Sara, weekly from next week on."""
    with reading(engine, THE_PORTAL) as work:
        tom, sara = (work.tx.scalars(select(Person.id).where(Person.name == each.name)).first() for each in (TOM, SARA))
        assert tom is not None  # the demo has just been made up
        assert sara is not None
        taught = select(RoleGrant.programme_id).where(RoleGrant.person_id == sara, RoleGrant.role == Role.LEARNER)
        leads = select(RoleGrant.programme_id).where(RoleGrant.person_id == tom, RoleGrant.role == Role.PRACTITIONER)
        here = work.tx.scalars(leads.where(RoleGrant.programme_id.in_(taught))).first()
        assert here is not None
        work.actor = load_actor(work.tx, tom)
        programme = programme_of(work, here)
        policy = programme.policy
        booking = Booking(here, tom, (sara,), type=policy.types[0], description="Towards the summer exams")
        monday = today + timedelta(days=7 - today.weekday())
        rule = Rule(Every.WEEK, monday, time(17), policy.usual_minutes, programme.zone_name, times=TIMES)
        choices = {row.day: _suiting(n, row) for n, row in enumerate(plan(work, booking, rule))}
        choices = {row.day: row.choice if row.settled else Choice(What.SKIP, "Tom is taken that week")
                   for row in plan(work, booking, rule, choices)}
    commit(engine, tom, book_series, booking, rule, choices, source="terminal")


def _suiting(n: int, row: Planned) -> Choice:
    if n == LEFT_OUT:
        return Choice(What.SKIP, "Sara is on a school trip")
    return KEEP if row.settled or row.offered is None else Choice(What.MOVE, starts_at=row.offered)

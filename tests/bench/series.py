"""A series of 260 dates over five years: planned and booked, against fetching and inserting the same rows barely."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import time, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from core.programmes.queries import policy_of, programme_of
from core.series.commands import book_series
from core.series.queries import plan
from core.series.rules import Choice, Rule, What
from core.sessions.booking import PARTS, TABLE
from core.sessions.rules import Booking
from core.work import THE_PORTAL, Work, commit, now_utc, reading
from db.bulk import insert_many
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.sessions import Occupancy, Session
from db.models.structure import Course
from db.words import Every, Method, Origin, Role
from tests.bench.timing import Bar, bar

DATES = 260
PLANNING = BOOKING = 4
ROUNDS = 15


class RolledBack(Exception):
    """Nothing that is measured here is kept."""


def bars(engine: Engine) -> Iterator[Bar]:
    """Planning, and booking."""
    with reading(engine, THE_PORTAL) as work:
        wanted, admin = _wanted(work)
        zone = programme_of(work, wanted.programme_id).zone_name
    first = now_utc().date() + timedelta(days=7 - now_utc().weekday())
    rule = Rule(Every.WEEK, first, time(10), 60, zone, times=DATES)
    with reading(engine, admin) as work:
        rows = plan(work, wanted, rule)
    open_ = [row for row in rows if not row.settled]
    print(f"     {len(rows)} dates, {len(open_)} to settle")
    choices = {row.day: Choice(What.SKIP, "measured") for row in open_}
    kept = [row for row in rows if row.settled]

    def planned() -> None:
        with reading(engine, admin) as work:
            plan(work, wanted, rule)

    def bare(work: Work) -> None:
        people = [wanted.practitioner_id, *wanted.learner_ids]
        work.tx.execute(select(Occupancy.person_id, Occupancy.starts_at, Occupancy.ends_at).where(
            Occupancy.person_id.in_(people), Occupancy.starts_at >= rows[0].starts_at,
            Occupancy.starts_at < rows[-1].ends_at)).all()
        number = work.tx.scalar(select(func.max(Session.number)).where(
            Session.programme_id == wanted.programme_id)) or 0
        ids = insert_many(work.tx.connection(), TABLE, [
            {"programme_id": wanted.programme_id, "number": number + 1 + n, "practitioner_id": wanted.practitioner_id,
             "type": wanted.type, "method": Method.TRADITIONAL, "origin": Origin.BOOKING, "report_required": False,
             "starts_at": row.starts_at, "ends_at": row.ends_at, "created_by": admin, "created_at": work.now,
             "version": 1}
            for n, row in enumerate(kept)
        ], "number")
        insert_many(work.tx.connection(), PARTS, [
            {"session_id": id_, "learner_id": person} for id_ in ids.values() for person in wanted.learner_ids])

    name = engine.dialect.name
    against = "fetching and inserting the same rows"
    yield bar(f"planning {DATES} dates", name, planned, _undone(engine, admin, bare), PLANNING, against, ROUNDS)
    yield bar(f"booking {len(kept)} of them", name, _undone(engine, admin, book_series, wanted, rule, choices),
              _undone(engine, admin, bare), BOOKING, against, ROUNDS)


def _undone(engine: Engine, admin: int, command: Callable[..., Any], *args: Any) -> Callable[[], None]:
    """The command as an act that is rolled back at its end."""
    def act(work: Work) -> None:
        command(work, *args)
        raise RolledBack

    def run() -> None:
        with suppress(RolledBack):
            commit(engine, admin, act, key=secrets.token_urlsafe(8))

    return run


def _wanted(work: Work) -> tuple[Booking, int]:
    """A practitioner of the largest programme that may be booked years ahead, with a learner."""
    programme = next(each for each in work.tx.scalars(
        select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()))
        if policy_of(work, each).ahead_days is None)

    def some(role: Role) -> list[int]:
        return list(work.tx.scalars(
            select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id).where(
                RoleGrant.programme_id == programme, RoleGrant.role == role, Person.disabled_at.is_(None))
            .order_by(RoleGrant.person_id).limit(2)))

    course = work.tx.scalar(select(Course.id).where(Course.programme_id == programme, Course.retired_at.is_(None)))
    booking = Booking(programme, some(Role.PRACTITIONER)[0], (some(Role.LEARNER)[1],), minutes=60,
                      type=policy_of(work, programme).types[0], course_ids=(course or 0,))
    return booking, some(Role.MASTER_ADMIN)[0]

"""Free slots at a million sessions, against the bare fetch of the rows that they are worked out from."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from core.availability.queries import any_free, free_slots
from core.work import THE_PORTAL, Work, now_utc, reading
from db.models.availability import WeeklyWindow
from db.models.programmes import RoleGrant
from db.models.sessions import LONGEST_SESSION, Session
from db.words import Role
from tests.bench.bare import Bare
from tests.bench.timing import Bar, bar

ONE = {"sqlite": 6, "postgresql": 3}
ANY = 2
MANY = 200
DAY = timedelta(days=1)
TAKEN = """SELECT person_id, starts_at, ends_at FROM occupancy
 WHERE person_id {ids} AND starts_at < ? AND starts_at > ? AND ends_at > ?"""
HOURS = (
    """SELECT g.person_id, p.name, l.buffer_before, l.buffer_after, l.most_a_day, l.most_a_week
 FROM role_grant g JOIN person p ON p.id = g.person_id AND p.disabled_at IS NULL
 LEFT JOIN own_limits l ON l.programme_id = g.programme_id AND l.person_id = g.person_id
 WHERE g.programme_id = ? AND g.role = 'practitioner' AND g.person_id {ids}""",
    """SELECT w.person_id, w.timetable_id, w.weekday, w.from_minute, w.until_minute, w.zone, w.from_day, w.until_day
 FROM weekly_window w LEFT JOIN timetable t ON t.id = w.timetable_id
 WHERE w.programme_id = ? AND w.person_id {ids} AND (w.timetable_id IS NULL OR t.retired_at IS NULL)""",
    """SELECT w.person_id, w.timetable_id, w.day, w.from_minute, w.until_minute, w.zone FROM dated_window w
 WHERE w.programme_id = ? AND w.person_id {ids} AND w.day BETWEEN ? AND ?""",
    "SELECT person_id, starts_at, ends_at FROM time_off WHERE person_id {ids} AND ends_at > ? AND starts_at < ?",
    "SELECT name, first_day, last_day FROM closure WHERE programme_id = ? AND last_day >= ? AND first_day <= ?",
)
"""One statement a table: who leads here and their limits, hours, exceptions, time off, closures."""


def bars(million: Engine) -> Iterator[Bar]:
    """One practitioner over 30 days, and any of 200 over 14."""
    engine = million.dialect.name
    bare = Bare(million)
    with reading(million, THE_PORTAL, now=now_utc()) as work:
        programme, leaders = _busiest(work)
        since = work.now.replace(minute=0, second=0)

        def rows(people: list[int], days: int) -> list[list[tuple[Any, ...]]]:
            until, back = since + days * DAY, since - timedelta(seconds=LONGEST_SESSION)
            at = [int(each.timestamp()) if bare.on_sqlite else each for each in (until, back, since)]
            first, last = since.date().isoformat(), until.date().isoformat()
            if bare.on_sqlite:
                ids, whom = f"IN ({', '.join('?' * len(people))})", people
            else:
                ids, whom = "= ANY(?)", [people]  # type: ignore[list-item]  # one value there
            given = (
                (programme, *whom), (programme, *whom), (programme, *whom, first, last), (*whom, at[2], at[0]),
                (programme, first, last),
            )
            found = [bare.rows(sql.format(ids=ids), each) for sql, each in zip(HOURS, given, strict=True)]
            return [*found, bare.rows(TAKEN.format(ids=ids), (*whom, *at))]

        one = leaders[:1]
        assert free_slots(work, programme, one[0], since, since + 30 * DAY)
        yield bar(
            "free slots, one practitioner, 30 days", engine,
            lambda: free_slots(work, programme, one[0], since, since + 30 * DAY), lambda: rows(one, 30), ONE[engine],
            "fetching the same rows", 200,
        )
        assert any_free(work, programme, since, since + 14 * DAY, among=leaders).starts
        yield bar(
            "free slots, any of 200, 14 days", engine,
            lambda: any_free(work, programme, since, since + 14 * DAY, among=leaders).starts,
            lambda: rows(leaders, 14), ANY, "fetching the same rows", 60,
        )


def _busiest(work: Work) -> tuple[int, list[int]]:
    """The largest programme, and 200 of its practitioners who have hours, those with most sessions ahead first."""
    programme = work.tx.scalar(
        select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1))
    assert programme is not None
    leaders = list(work.tx.scalars(
        select(RoleGrant.person_id).join(WeeklyWindow, WeeklyWindow.person_id == RoleGrant.person_id)
        .where(RoleGrant.programme_id == programme, RoleGrant.role == Role.PRACTITIONER)
        .group_by(RoleGrant.person_id).order_by(
            select(func.count()).where(
                Session.practitioner_id == RoleGrant.person_id, Session.starts_at > work.now,
                Session.starts_at < work.now + 14 * DAY,
            ).scalar_subquery().desc(), RoleGrant.person_id,
        ).limit(MANY)))
    return programme, leaders

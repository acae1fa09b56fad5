"""Free slots at a million sessions, against the bare fetch of the rows of occupancy that they are worked out from."""

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


def bars(million: Engine) -> Iterator[Bar]:
    """One practitioner over 30 days, and any of 200 over 14."""
    engine = million.dialect.name
    bare = Bare(million)
    with reading(million, THE_PORTAL, now=now_utc()) as work:
        programme, leaders = _busiest(work)
        since = work.now.replace(minute=0, second=0)

        def taken(people: list[int], days: int) -> list[tuple[Any, ...]]:
            until, back = since + days * DAY, since - timedelta(seconds=LONGEST_SESSION)
            at = [int(each.timestamp()) if bare.on_sqlite else each for each in (until, back, since)]
            if bare.on_sqlite:
                marks = ", ".join("?" * len(people))
                return bare.rows(TAKEN.format(ids=f"IN ({marks})"), (*people, *at))
            return bare.rows(TAKEN.format(ids="= ANY(?)"), (people, *at))

        one = leaders[:1]
        assert free_slots(work, programme, one[0], since, since + 30 * DAY)
        yield bar(
            "free slots, one practitioner, 30 days", engine,
            lambda: free_slots(work, programme, one[0], since, since + 30 * DAY), lambda: taken(one, 30), ONE[engine],
            "fetching the same occupancy", 200,
        )
        assert any_free(work, programme, since, since + 14 * DAY, among=leaders).starts
        yield bar(
            "free slots, any of 200, 14 days", engine,
            lambda: any_free(work, programme, since, since + 14 * DAY, among=leaders).starts,
            lambda: taken(leaders, 14), ANY, "fetching the same occupancy", 60,
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

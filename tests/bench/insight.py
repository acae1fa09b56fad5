"""Utilisation of a quarter at a million sessions."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, func, select

from core.insight.queries import utilisation
from core.programmes.queries import programme_of
from core.sessions.queries import Filters
from core.work import THE_PORTAL, reading
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.words import Role
from tests.bench.bare import Bare
from tests.bench.timing import Bar, bar

PRACTITIONERS = 200


def bars(million: Engine) -> Iterator[Bar]:
    """The figures of some practitioners, against adding up the planned hours of their sessions."""
    bare = Bare(million)
    with reading(million, THE_PORTAL) as work:
        here = work.tx.scalar(
            select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1)) or 0
        ids = tuple(work.tx.scalars(
            select(RoleGrant.person_id).where(RoleGrant.programme_id == here, RoleGrant.role == Role.PRACTITIONER)
            .order_by(RoleGrant.person_id).limit(PRACTITIONERS)))
        programme_of(work, here)
        weeks = utilisation(work, here, Filters(practitioners=ids)).weeks
        since, until = (int(at.timestamp()) if bare.on_sqlite else at for at in (weeks[0].since, weeks[-1].until))
        long = "s.ends_at - s.starts_at" if bare.on_sqlite else "extract(epoch FROM s.ends_at - s.starts_at)"
        week = "s.starts_at / 604800" if bare.on_sqlite else "date_trunc('week', s.starts_at)"
        sums = (
            f"SELECT s.practitioner_id, {week}, sum({long}) FROM session s WHERE s.programme_id = {here}"
            f" AND s.starts_at >= ? AND s.starts_at < ? AND s.cancelled_at IS NULL AND s.practitioner_id IN"
            f" ({', '.join(map(str, ids))}) GROUP BY 1, 2"
        )
        given: tuple[Any, ...] = (since, until)
        yield bar(
            f"utilisation, a quarter of {len(ids)}", million.dialect.name,
            lambda: utilisation(work, here, Filters(practitioners=ids)), lambda: bare.rows(sums, given), 6,
            "a plain sum of the same sessions", 10,
        )

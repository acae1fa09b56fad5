"""The session list at a million sessions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, func, select

from core.clock import day_start
from core.programmes.queries import programme_of
from core.sessions.order import SORTS
from core.sessions.queries import Filters, Row, session_list
from core.work import THE_PORTAL, reading
from db.models.sessions import Session
from tests.bench.bare import Bare
from tests.bench.timing import Bar, bar, interleaved

EVERYTHING = Filters()


def bars(million: Engine, tenth: Engine) -> Iterator[Bar]:
    """Every bar of the list on one engine."""
    engine = million.dialect.name
    bare, small = Bare(million), Bare(tenth)
    with reading(million, THE_PORTAL) as work, reading(tenth, THE_PORTAL) as less:
        here, there = _largest(work), _largest(less)
        zone = programme_of(work, here).zone
        programme_of(less, there)

        def list_bar(name: str, where: str, given: tuple[Any, ...], filters: Filters = EVERYTHING, **how: Any) -> Bar:
            ours = session_list(work, here, filters, **how)
            assert [_plain(row) for row in ours.rows] == [_told(row) for row in bare.page(where, given, **how)], name
            return bar(
                name, engine, lambda: session_list(work, here, filters, **how), lambda: bare.page(where, given, **how),
                3, "hand-written SQL, same rows",
            )

        in_it = "s.programme_id = ?"
        yield list_bar("list, first view", in_it, (here,))
        who, month = _busiest(work, here)
        first, last = month.replace(day=1), date(month.year + month.month // 12, month.month % 12 + 1, 1)
        since, until = day_start(first, zone), day_start(last, zone)
        among = (here, who, *(int(at.timestamp()) if bare.on_sqlite else at for at in (since, until)))
        yield list_bar(
            "list, practitioner and month",
            f"{in_it} AND s.practitioner_id = ? AND s.starts_at >= ? AND s.starts_at < ?",
            among, Filters(practitioners=(who,), since=first, until=date.fromordinal(last.toordinal() - 1)),
        )
        yield list_bar("list, page 500", in_it, (here,), page=500)
        for sort in SORTS:
            for down in (True, False):
                yield list_bar(f"list, by {sort} {'down' if down else 'up'}", in_it, (here,), sort=sort, down=down)
        measured, reference = interleaved(lambda: session_list(work, here), lambda: session_list(less, there))
        yield Bar("list without filter, 1,000,000 to 100,000", engine, measured, reference, measured / reference, 1.5,
                  "the same list at 100,000")
        nothing = Filters(text="zyzzyva qwxyz")
        assert not session_list(work, here, nothing).rows
        like = ("(description LIKE '%zyzzyva%' AND description LIKE '%qwxyz%') OR location LIKE '%zyzzyva%'"
                if bare.on_sqlite else
                "(description ILIKE '%%zyzzyva%%' AND description ILIKE '%%qwxyz%%') OR location ILIKE '%%zyzzyva%%'")
        yield bar(
            "search without a hit", engine, lambda: session_list(work, here, nothing),
            lambda: bare.rows(f"SELECT id FROM session WHERE programme_id = {here} AND ({like})"), 0.02,
            "a scan for the same words",
        )
    del small


def _largest(work: Any) -> int:
    return int(work.tx.scalar(
        select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1)))


def _busiest(work: Any, programme: int) -> tuple[int, date]:
    row = work.tx.execute(
        select(Session.practitioner_id, func.max(Session.starts_at))
        .where(Session.programme_id == programme, Session.practitioner_id.is_not(None), Session.starts_at < work.now)
        .group_by(Session.practitioner_id).order_by(func.count().desc()).limit(1)
    ).one()
    return row[0], row[1].date()


def _plain(row: Row) -> tuple[Any, ...]:
    return (
        row.id, row.number, str(row.status), row.starts_at, row.ends_at, row.practitioner, row.team, row.idea,
        row.timetable, row.type, str(row.method), row.room, row.location, row.description, row.learners, row.courses,
    )


def _told(line: tuple[Any, ...]) -> tuple[Any, ...]:
    at = [datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value for value in line[3:5]]
    texts = [value or "" for value in line[5:14]]
    return (*line[:3], *at, *texts, *line[14:])

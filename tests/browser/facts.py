"""What tests need to know of the demo, asked of its database rather than of the screens."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.work import now_utc
from tests.browser.conftest import PROGRAMME
from tests.portal import Portal

BERLIN = ZoneInfo("Europe/Berlin")


class Known(NamedTuple):
    """A session."""

    id: int
    number: int
    practitioner: str
    starts_at: datetime
    programme: str


def value(portal: Portal, sql: str, *given: object) -> Any:
    """The only value that a statement finds."""
    return values(portal, sql, *given)[0]


def values(portal: Portal, sql: str, *given: object) -> list[Any]:
    """The first column of what a statement finds."""
    with portal.engine.connect() as connection:
        return list(connection.exec_driver_sql(sql, given).scalars())


def session(portal: Portal, where: str, *given: object, nth: int = 0) -> Known:
    """A session `s` of practitioner `p` in programme `g`, the earliest first."""
    with portal.engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT s.id, s.number, p.name, s.starts_at, g.name FROM session s"
            " JOIN person p ON p.id = s.practitioner_id JOIN programme g ON g.id = s.programme_id"
            f" WHERE {where} ORDER BY s.starts_at LIMIT 1 OFFSET {nth}", given,
        ).one()
    return Known(row[0], row[1], row[2], datetime.fromtimestamp(row[3], BERLIN), row[4])


def ahead(portal: Portal, nth: int = 0) -> Known:
    """A team's session that lies ahead; tests that change one take different ones."""
    return session(portal, "g.name = ? AND s.status = 'scheduled' AND s.team_id IS NOT NULL AND s.starts_at > ?",
                   PROGRAMME, now() + 90_000, nth=nth)  # beyond the notice, however long a test takes


def learner(portal: Portal) -> str:
    """Somebody who takes part in the programme, with a name of their own."""
    return str(value(
        portal,
        "SELECT p.name FROM person p JOIN role_grant r ON r.person_id = p.id JOIN programme g ON g.id = r.programme_id"
        " WHERE g.name = ? AND r.role = 'learner' AND p.disabled_at IS NULL AND p.name <> 'Sara Byrne'"
        " AND (SELECT count(*) FROM person q WHERE q.name = p.name) = 1 ORDER BY p.id LIMIT 1", PROGRAMME))


def person(portal: Portal, name: str) -> int:
    """Somebody's id."""
    return int(value(portal, "SELECT id FROM person WHERE name = ?", name))


def sessions(portal: Portal) -> int:
    """How many there are."""
    return int(value(portal, "SELECT count(*) FROM session"))


def now() -> int:
    """This moment as the database keeps it."""
    return int(now_utc().timestamp())


def a_free_day(weeks: int, hour: int = 12) -> datetime:
    """Noon on a Wednesday beyond what the demo has."""
    day = datetime.now(BERLIN) + timedelta(days=70)
    return (day + timedelta(days=(2 - day.weekday()) % 7 + 7 * weeks)).replace(
        hour=hour, minute=0, second=0, microsecond=0, tzinfo=None)

"""Rows by the thousand through the driver, and a database without guards to put them in."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from db import triggers
from db.base import Base
from db.models.sessions import FREES_LEARNER
from db.types import Choice, Instant
from db.words import Outcome

LARGE = ("session", "session_number", "session_course", "participation", "occupancy", "change", "ledger_line")
"""Tables that are filled before anything but their primary key stands on them."""
_DAYS: dict[int, str] = {}


def copy_in(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]], into: str = ""
) -> None:
    """Put rows, given in these columns of a table, into it or into one like it. Instants are epoch seconds."""
    names = ", ".join(columns)
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {into or table} ({names}) VALUES ({marks})", rows)
    else:
        known = Base.metadata.tables[table].columns
        instants = [n for n, name in enumerate(columns) if name in known and isinstance(known[name].type, Instant)]
        choices = [n for n, name in enumerate(columns) if name in known and isinstance(known[name].type, Choice)]
        with cursor.copy(f"COPY {into or table} ({names}) FROM STDIN") as copy:
            for row in rows:
                values = list(row)
                for n in instants:
                    if values[n] is not None:
                        values[n] = _said(values[n])
                for n in choices:
                    if values[n] is not None:
                        values[n] = str(values[n])
                copy.write_row(values)
    cursor.close()


def _said(epoch: int) -> str:
    day, second = divmod(epoch, 86_400)
    if day not in _DAYS:
        _DAYS[day] = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    return f"{_DAYS[day]} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00"


def count_on(connection: Connection) -> None:
    """Let the next ids follow those that were given by hand."""
    if connection.dialect.name == "sqlite":
        return  # AUTOINCREMENT looks at the highest id itself
    for name, table in Base.metadata.tables.items():
        if "id" in table.columns and table.columns["id"].identity is not None:
            connection.execute(text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                f" WHERE EXISTS (SELECT 1 FROM {name})"
            ))


@contextmanager
def without_guards(engine: Engine) -> Iterator[Connection]:
    """One transaction on a database without triggers, foreign keys, and indexes of the large tables.

    They are all back when it ends, or nothing has happened: nobody ever finds the database without them.
    """
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection:
        sqlite = engine.dialect.name == "sqlite"
        cursor = connection.connection.cursor()  # beside SQLAlchemy, which would open a transaction first
        if sqlite:
            for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-262144"):
                cursor.execute(f"PRAGMA {pragma}")
        try:
            with connection.begin():
                if not sqlite:
                    for setting in ("maintenance_work_mem = '512MB'", "work_mem = '128MB'", "jit = off"):
                        connection.exec_driver_sql(f"SET LOCAL {setting}")
                triggers.remove(connection)
                again = _strip(connection)
                yield connection
                for statement in again:
                    connection.exec_driver_sql(statement)
                triggers.install(connection)
        finally:
            if sqlite:
                for pragma in ("foreign_keys=ON", "synchronous=FULL", "cache_size=-65536"):
                    cursor.execute(f"PRAGMA {pragma}")
            cursor.close()


def _strip(connection: Connection) -> list[str]:
    """Drop secondary indexes and constraints of the large tables; returns what puts them back."""
    names = ", ".join(f"'{name}'" for name in LARGE)
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
            " ORDER BY name"
        )).all()
        for row in rows:
            connection.exec_driver_sql(f"DROP INDEX {row.name}")
        return [row.sql for row in rows]
    again = []
    for row in connection.execute(text(
        "SELECT conname, conrelid::regclass::text AS tbl, pg_get_constraintdef(oid) AS said FROM pg_constraint"
        f" WHERE contype IN ('f', 'x', 'u') AND conrelid::regclass::text IN ({names})"
        " ORDER BY contype = 'f', contype = 'x', conname"
    )).all():
        connection.exec_driver_sql(f"ALTER TABLE {row.tbl} DROP CONSTRAINT {row.conname}")
        again.append(f"ALTER TABLE {row.tbl} ADD CONSTRAINT {row.conname} {row.said}")
    for row in connection.execute(text(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS said FROM pg_index"
        f" WHERE indrelid::regclass::text IN ({names}) AND NOT indisprimary ORDER BY 1"
    )).all():
        connection.exec_driver_sql(f"DROP INDEX {row.name}")
        again.append(row.said)
    return [statement.replace("%", "%%") for statement in again]


def derive(connection: Connection) -> None:
    """Fill what the triggers would have: numbers given out, who and what is taken, each session's first history."""
    freed = ", ".join(f"'{outcome}'" for outcome in FREES_LEARNER)
    on = "s.starts_at IS NOT NULL AND s.cancelled_at IS NULL"
    numbers = (
        "INSERT INTO session_number (programme_id, number, session_id)"
        " SELECT programme_id, number, id FROM session ORDER BY programme_id, number"
    )
    taken = (
        "INSERT INTO occupancy (session_id, person_id, room_id, starts_at, ends_at)"
        f" SELECT s.id, s.practitioner_id, NULL, s.starts_at, s.ends_at FROM session s"
        f" WHERE s.practitioner_id IS NOT NULL AND {on}"
        f" UNION ALL SELECT s.id, NULL, s.room_id, s.starts_at, s.ends_at FROM session s"
        f" WHERE s.room_id IS NOT NULL AND {on}"
        f" UNION ALL SELECT s.id, p.learner_id, NULL, s.starts_at, s.ends_at FROM participation p"
        f" JOIN session s ON s.id = p.session_id WHERE {on} AND (p.outcome IS NULL OR p.outcome NOT IN ({freed}))"
    )
    for statement in (numbers, taken, _history(connection.dialect.name)):
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "sqlite":
        for table in triggers.SEARCHED:
            connection.exec_driver_sql(f"INSERT INTO {table}_words ({table}_words) VALUES ('rebuild')")


def _history(dialect: str) -> str:
    derived = triggers.DERIVED["session"]
    if dialect == "sqlite":
        kept = [column.name for column in Base.metadata.tables["session"].columns if column.name not in derived]
        after = "json_patch('{}', json_object(" + ", ".join(f"'{name}', s.{name}" for name in kept) + "))"
    else:
        after = "jsonb_strip_nulls(to_jsonb(s)) - ARRAY[" + ", ".join(f"'{name}'" for name in derived) + "]"
    return (
        "INSERT INTO change (change_set_id, table_name, row_id, session_id, before, after)"
        f" SELECT c.id, 'session', s.id, s.id, NULL, {after} FROM session s"
        " JOIN change_set c ON c.actor_id = s.created_by AND c.at = s.created_at"
    )


def problems(connection: Connection) -> list[str]:
    """What is wrong with the data, by questions of its own and not by the guards: empty when they would have held."""
    missed = f"'{Outcome.MISSED}', '{Outcome.PRACTITIONER_ABSENT}'"
    freed = ", ".join(f"'{outcome}'" for outcome in FREES_LEARNER)
    on_calendar = "s.cancelled_at IS NULL AND s.starts_at IS NOT NULL"
    asked = {
        f"{whom} taken twice": (
            f"SELECT count(*) FROM (SELECT starts_at, max(ends_at) OVER (PARTITION BY {whom}_id ORDER BY starts_at,"
            " ends_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until FROM occupancy"
            f" WHERE {whom}_id IS NOT NULL) x WHERE starts_at < busy_until"
        )
        for whom in ("person", "room")
    }
    asked |= {
        "occupancy without a fact": (
            "SELECT count(*) FROM occupancy o LEFT JOIN session s ON s.id = o.session_id"
            " LEFT JOIN participation p ON p.session_id = o.session_id AND p.learner_id = o.person_id"
            f" AND (p.outcome IS NULL OR p.outcome NOT IN ({freed}))"
            f" WHERE s.id IS NULL OR NOT ({on_calendar}) OR s.starts_at <> o.starts_at OR s.ends_at <> o.ends_at"
            " OR (o.room_id IS NOT NULL AND s.room_id <> o.room_id)"
            " OR (o.person_id IS NOT NULL AND p.id IS NULL AND (s.practitioner_id IS NULL"
            " OR s.practitioner_id <> o.person_id))"
        ),
        "a fact without occupancy": (
            f"SELECT (SELECT count(practitioner_id) + count(room_id) FROM session s WHERE {on_calendar})"
            f" + (SELECT count(*) FROM participation p JOIN session s ON s.id = p.session_id WHERE {on_calendar}"
            f" AND (p.outcome IS NULL OR p.outcome NOT IN ({freed}))) - (SELECT count(*) FROM occupancy)"
        ),
        "attendance miscounted": (
            "SELECT count(*) FROM session s LEFT JOIN (SELECT session_id,"
            f" sum(CASE WHEN outcome = '{Outcome.ATTENDED}' THEN 1 ELSE 0 END) AS a,"
            f" sum(CASE WHEN outcome IN ({missed}) THEN 1 ELSE 0 END) AS m FROM participation GROUP BY session_id) p"
            " ON p.session_id = s.id WHERE s.attended <> coalesce(p.a, 0) OR s.missed <> coalesce(p.m, 0)"
        ),
        "a session without its number": (
            "SELECT count(*) FROM session s LEFT JOIN session_number n ON n.programme_id = s.programme_id"
            " AND n.number = s.number AND n.session_id = s.id WHERE n.number IS NULL"
        ),
        "a session without history": (
            "SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.session_id = s.id"
            " AND c.table_name = 'session' AND c.before IS NULL)"
        ),
    }
    found = [f"{what}: {many}" for what, sql in asked.items() if (many := connection.execute(text(sql)).scalar())]
    if connection.dialect.name == "sqlite":  # PostgreSQL has looked when the foreign keys were put back
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check")
        found += [f"points nowhere: {row[0]} {row[1]}" for row in broken]
    return found[:20]


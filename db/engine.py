"""One engine a process, set up for what each database needs to be safe and quick."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import QueuePool

import db.models
from db import triggers
from db.base import Base

SAFE_SQLITE = (3, 51, 3)
"""Before this release a WAL reset could lose a commit; `pysqlite3` carries a newer one."""

assert db.models  # imported for the tables it registers


def make_engine(url: str, **kw: Any) -> Engine:
    """An engine for `url` (sqlite:///… or postgresql+psycopg://…)."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, **kw)
    return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, **kw)


@cache
def engine_for(url: str) -> Engine:
    """The one engine of this process for `url`."""
    return make_engine(url)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write. On SQLite it holds the one write lock from its start."""
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for looking up: no transaction is held open."""
    options: dict[str, Any] = {"begin": None} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def create_schema(connection: Connection) -> None:
    """Everything the models say, in an empty database. Installations are made by migrating instead."""
    Base.metadata.create_all(connection)
    for statement in triggers.search_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    triggers.install(connection)
    connection.execute(text("INSERT INTO current_act (one) VALUES (1)"))
    connection.execute(text("INSERT INTO ledger_fold (one, line_id) VALUES (1, 0)"))


def _sqlite(url: str, **kw: Any) -> Engine:
    module: ModuleType = sqlite3
    if sqlite3.sqlite_version_info < SAFE_SQLITE:
        import pysqlite3

        module = pysqlite3
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    kw.setdefault("poolclass", QueuePool)
    engine = create_engine(
        url, module=module, connect_args={"isolation_level": None, "timeout": 30, "check_same_thread": False},
        json_serializer=lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        pool_size=10, max_overflow=20, **kw,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "busy_timeout=30000",
            "cache_size=-65536", "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("begin", "BEGIN")
        if statement:
            connection.exec_driver_sql(statement)

    return engine

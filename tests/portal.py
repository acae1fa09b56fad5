"""The portal as a process of its own, for tests that come in from outside: HTTP, websocket, browser.

    with Portal(tmp_path) as portal:
        zed = portal.person("Zed Stranger", "zed@example.test")
        requests.get(portal.url, headers=portal.cookie(zed))

A database that is there already is named with `url`; `demo=True` offers one-click sign-ins where it is a demo's.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher
from sqlalchemy import Engine

from core.access import commands, rules
from core.programmes.rules import PRESETS
from core.work import THE_PORTAL, Work, commit, now_utc
from db.engine import make_engine
from db.migrate import migrate
from db.models.access import Account
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.words import Kind, Role

HOME = Path(__file__).resolve().parent.parent
PASSWORD = "seven quiet herons"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD_HASH = CHEAP.hash(PASSWORD)
STARTS_WITHIN = 60.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def add_person(work: Work, name: str, email: str | None, *roles: tuple[int, Role], password: str | None = None) -> int:
    """A person with roles (programme, role) and, where a password is given, an account. Returns the id."""
    person = Person(name=name, email=email, created_at=work.now)
    work.tx.add(person)
    work.tx.flush()
    work.tx.add_all([RoleGrant(programme_id=p, person_id=person.id, role=role) for p, role in roles])
    if password is not None:
        hashed = PASSWORD_HASH if password == PASSWORD else rules.hash_password(password)
        work.tx.add(Account(person_id=person.id, password_hash=hashed, changed_at=work.now))
    return person.id


def add_programme(work: Work, name: str, kind: Kind) -> int:
    """A programme in London. Returns the id."""
    programme = Programme(name=name, kind=kind, zone="Europe/London", currency="GBP", policy=PRESETS[kind].stored(),
                          created_at=work.now)
    work.tx.add(programme)
    work.tx.flush()
    return programme.id


class Portal:
    """A running portal with a database of its own; closed, and all it started ended, on leaving the `with`."""

    def __init__(self, home: Path, *, url: str | None = None, port: int | None = None, demo: bool = False,
                 env: Mapping[str, str] | None = None, cwd: Path | None = None,
                 command: list[str] | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = url or f"sqlite:///{home / 'portal.db'}"
        self.engine: Engine = make_engine(self.database_url)
        migrate(self.engine)
        self.log = home / "portal.log"
        self.cwd = cwd or home
        self.command = command or [sys.executable, str(HOME / "app.py")]
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "STREAMLIT_"))},
            "PORTAL_DATABASE_URL": self.database_url, "PORTAL_PORT": str(self.port), "PORTAL_DEMO": str(int(demo)),
            "STREAMLIT_SERVER_HEADLESS": "true", **(env or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start, and wait until it answers."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        until = time.monotonic() + STARTS_WITHIN
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise RuntimeError(f"the portal did not start:\n{self.said()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and let go of the database."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.engine.dispose()

    def answers(self) -> bool:
        """Whether the portal says that it is well."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def said(self) -> str:
        """What it has logged."""
        return self.log.read_text(errors="replace")

    def person(self, name: str, email: str | None, *roles: tuple[int, Role], password: str | None = PASSWORD) -> int:
        """Somebody new."""
        return int(commit(self.engine, THE_PORTAL, add_person, name, email, *roles, password=password).result)

    def programme(self, name: str, kind: Kind = Kind.COACHING) -> int:
        """A programme with what its kind presets."""
        return int(commit(self.engine, THE_PORTAL, add_programme, name, kind).result)

    def token(self, person_id: int) -> str:
        """A sign-in of this person."""
        return commands.begin_sign_in(self.engine, person_id, browser="test", now=now_utc())

    def cookie(self, person_id: int) -> dict[str, str]:
        """The same as a header for HTTP clients."""
        return {"Cookie": f"portal={self.token(person_id)}"}

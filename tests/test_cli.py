"""The first administrator of an installation, from a terminal."""

import os
import subprocess
import sys
from pathlib import Path

from core.access import queries
from core.work import now_utc
from db.engine import make_engine
from tests.portal import HOME

ANSWERS = ("--name", "Ada First", "--email", "Ada@example.test", "--programme", "First", "--kind", "coaching",
           "--zone", "Europe/London", "--currency", "gbp")


def terminal(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PORTAL_DATABASE_URL": f"sqlite:///{home / 'p.db'}"}
    return subprocess.run([sys.executable, str(HOME / "cli.py"), *words], cwd=home, env=env, capture_output=True,
                          text=True, timeout=60)


def test_init_prints_a_link_and_works_once(tmp_path: Path) -> None:
    first = terminal(tmp_path, "init", *ANSWERS, "--password", "")
    assert first.returncode == 0, first.stderr
    token = first.stdout.strip().rpartition("/link/")[2]
    engine = make_engine(f"sqlite:///{tmp_path / 'p.db'}")
    link = queries.open_link(engine, token, now_utc())
    engine.dispose()
    assert link is not None
    assert link.email == "ada@example.test"
    again = terminal(tmp_path, "init", *ANSWERS, "--password", "eleven loud geese")
    assert again.returncode == 1
    assert "has people already" in again.stderr


def test_init_refuses_what_it_cannot_use_and_keeps_nothing(tmp_path: Path) -> None:
    for wrong, says in (("--zone=Moon/Base", "time zone is not known"), ("--email=nobody", "not an e-mail"),
                        ("--currency=pounds", "three letters"), ("--password=password123", "others would guess")):
        done = terminal(tmp_path, "init", *ANSWERS, *([] if "password" in wrong else ["--password", ""]), wrong)
        assert done.returncode == 1
        assert says in done.stderr
    engine = make_engine(f"sqlite:///{tmp_path / 'p.db'}")
    assert not queries.has_people(engine)
    engine.dispose()


def test_a_link_is_printed_for_somebody_known(tmp_path: Path) -> None:
    terminal(tmp_path, "init", *ANSWERS, "--password", "eleven loud geese")
    assert "/link/" in terminal(tmp_path, "link", "ADA@example.test").stdout
    assert "Nobody here" in terminal(tmp_path, "link", "nobody@example.test").stderr

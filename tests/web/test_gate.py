"""Strangers get nothing, over HTTP or websocket; whoever is signed in is who they are, and nobody else."""

import asyncio
import inspect
import re
import time
from functools import partial
from types import SimpleNamespace
from typing import cast
from urllib.parse import quote

import pytest
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette import starlette_app
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.access import commands
from core.work import THE_PORTAL, commit, now_utc
from tests.portal import Portal
from tests.web import asgi
from web import door, gate
from web.gate import page_policy

STREAMLITS = (
    "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/stream", "/_stcore/script-health-check",
    "/_stcore/upload_file/a/b", "/_stcore/bidi-components/x/y.js", "/_stcore/agent/openapi.json",
    "/_stcore/agent/interact", "/_stcore/agent/mcp", "/media/abc.csv", "/component/x/index.html", "/app/static/x.png",
    "/auth/login", "/auth/logout", "/oauth2callback", "/healthz", "/index.html", "/", "/sessions", "/manifest.json",
    "//evil.example/x", "/static/../index.html", "/static/%2e%2e/index.html", "/signin/../sessions", "/link", "/Signin",
    "/_stcore%2fhealth", "/favicon.png/../sessions", "/service-worker.js", "/robots.txt",
)
PRIVATE = ("streamlit", "noscript", "stcore")


def ask(portal: Portal, path: str, method: str = "GET", **headers: str) -> requests.Response:
    """A request whose path is sent as it stands."""
    with requests.Session() as session:
        request = session.prepare_request(requests.Request(method, portal.url, headers=headers))
        request.url = portal.url + path
        return session.send(request, allow_redirects=False, timeout=20)


def wire(portal: Portal, *, session: str = "", origin: str | None = "own", **headers: str) -> ClientConnection:
    """A raw websocket, as Streamlit's page opens it."""
    return connect(
        portal.url.replace("http", "ws") + "/_stcore/stream", origin=portal.url if origin == "own" else origin,  # type: ignore[arg-type]
        additional_headers=headers, subprotocols=["streamlit", "unused", session] if session else ["streamlit"],  # type: ignore[list-item]
        open_timeout=20,
    )


def rerun(socket: ClientConnection) -> None:
    """What a click sends."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    socket.send(message.SerializeToString())


def answers(socket: ClientConnection, seconds: float = 20) -> list[ForwardMsg]:
    """Everything that comes until the script has finished, or the wire is cut."""
    said: list[ForwardMsg] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            data = socket.recv(timeout=max(0.1, until - time.monotonic()))
        except (TimeoutError, ConnectionClosed):
            break
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        said.append(message)
        if message.WhichOneof("type") == "script_finished":
            break
    return said


def session_of(said: list[ForwardMsg]) -> str:
    return next(m.new_session.initialize.session_id for m in said if m.WhichOneof("type") == "new_session")


def away(said: list[ForwardMsg]) -> list[str]:
    return [m.auth_redirect.url for m in said if m.WhichOneof("type") == "auth_redirect"]


@pytest.mark.parametrize("path", STREAMLITS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_stranger_gets_nothing_of_streamlits(portal: Portal, path: str, method: str) -> None:
    for origin in ("", portal.url):
        answer = ask(portal, path, method, **({"Origin": origin} if origin else {}))
        assert answer.status_code in (303, 400, 401, 403, 404, 405), answer.text[:200]
        assert not any(word in answer.text.lower() for word in PRIVATE)
        if answer.status_code == 303:
            assert answer.headers["Location"].startswith("/signin")


def test_every_route_of_the_app_is_behind_the_gate() -> None:
    """So that a route which a new release of Streamlit adds is known to this test before it is served."""
    source = inspect.getsource(starlette_app.create_streamlit_routes)
    made = set(re.findall(r"routes\.extend\((create_\w+)", source))
    assert made == {
        "create_health_routes", "create_metrics_routes", "create_host_config_routes", "create_media_routes",
        "create_upload_routes", "create_component_routes", "create_bidi_component_routes", "create_websocket_routes",
        "create_auth_routes", "create_agent_routes", "create_app_static_serving_routes", "create_script_health_routes",
        "create_streamlit_static_assets_routes",
    }


def test_open_to_everybody_are_sign_in_health_and_static_files(portal: Portal) -> None:
    assert ask(portal, "/signin").status_code == 200
    assert ask(portal, "/forgotten").status_code == 200
    assert ask(portal, "/link/made-up").status_code == 410
    assert ask(portal, "/favicon.png").headers["Content-Type"] == "image/png"
    health = ask(portal, "/health")
    assert health.json()["status"] == "ok"
    assert health.json()["schema"] == health.json()["schema_needed"]


@pytest.mark.parametrize("token", ["", "made-up", "x" * 5000, "'; --", "é"])
def test_a_made_up_token_is_a_stranger(portal: Portal, token: str) -> None:
    cookie = {"Cookie": f"portal={token}".encode().decode("latin-1")}
    assert ask(portal, "/", **cookie).status_code in (303, 400)
    with pytest.raises(InvalidStatus) as refused:
        wire(portal, **cookie)
    assert refused.value.response.status_code in (400, 403)


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_websocket_from_another_site_is_refused_even_with_the_cookie(portal: Portal, origin: str | None) -> None:
    person = portal.person("Ori Origin", f"ori{len(origin or '')}@example.test")
    with pytest.raises(InvalidStatus) as refused:
        wire(portal, origin=origin, **portal.cookie(person))
    assert refused.value.response.status_code == 403


def test_a_stranger_opens_no_websocket_whatever_it_says_of_itself(portal: Portal) -> None:
    person = portal.person("Via Victim", "via@example.test")
    portal.token(person)
    for claim in ({}, {"X-Portal-Person": str(person), "X-Portal-Sign-In": "1"}):
        with pytest.raises(InvalidStatus) as refused:
            wire(portal, **claim)
        assert refused.value.response.status_code == 403


def test_the_identity_header_cannot_be_sent_by_a_browser(portal: Portal) -> None:
    """However it is spelt: whoever is signed in is shown as themselves."""
    zed, victim = portal.person("Zed Stranger", "zed@example.test"), portal.person("Vic Victim", "vic@example.test")
    portal.token(victim)
    for name in ("X-Portal-Sign-In", "x-portal-sign-in", "X_Portal_Sign_In"):
        with wire(portal, **portal.cookie(zed), **{name: "1", "X-Portal-Person": str(victim)}) as socket:
            rerun(socket)
            seen = " ".join(str(message) for message in answers(socket))
        assert "Zed Stranger" in seen
        assert "Vic Victim" not in seen


def test_a_known_session_id_opens_nothing_for_somebody_else(portal: Portal) -> None:
    """Nor for the same person's other browser: a session belongs to the sign-in that it began with."""
    victim, zed = portal.person("Vera Victim", "vera@example.test"), portal.person("Zoe Thief", "zoe@example.test")
    cookie = portal.cookie(victim)
    with wire(portal, **cookie) as socket:
        rerun(socket)
        stolen = session_of(answers(socket))
        for other in (portal.cookie(zed), portal.cookie(victim)):
            with wire(portal, session=stolen, **other) as thief:
                rerun(thief)
                said = answers(thief)
                assert session_of(said) != stolen
        rerun(socket)
        assert "Vera Victim" in " ".join(map(str, answers(socket))), "and the owner's goes on undisturbed"
    with wire(portal, session=stolen, **portal.cookie(zed)) as thief:  # now that the owner has left it
        rerun(thief)
        assert session_of(answers(thief)) != stolen
    with wire(portal, session=stolen, **cookie) as again:
        rerun(again)
        assert session_of(answers(again)) == stolen


@pytest.mark.parametrize("how", ["disabled", "signed out", "signed out everywhere"])
def test_whoever_is_sent_away_is_cut_off_at_the_next_click(portal: Portal, how: str) -> None:
    person = portal.person("Cut Off", f"{how.replace(' ', '.')}@example.test")
    token = portal.token(person)
    with wire(portal, Cookie=f"portal={token}") as socket:
        rerun(socket)
        assert "Cut Off" in " ".join(map(str, answers(socket)))
        end(portal, how, person, token)
        rerun(socket)
        said = answers(socket)
        assert "Cut Off" not in " ".join(map(str, said))
        assert away(said)[0].startswith("/signin?said=ended")
        assert not answers(socket), "and closed"
        assert socket.close_code == 1008
    assert ask(portal, "/", Cookie=f"portal={token}").status_code == 303


def test_whoever_is_sent_away_is_cut_off_within_seconds_without_a_click(portal: Portal) -> None:
    person = portal.person("Idle Ida", "ida@example.test")
    token = portal.token(person)
    with wire(portal, Cookie=f"portal={token}") as socket:
        rerun(socket)
        answers(socket)
        end(portal, "disabled", person, token)
        began = time.monotonic()
        assert away(answers(socket, seconds=10))
        assert time.monotonic() - began < 6


def end(portal: Portal, how: str, person: int, token: str) -> None:
    if how == "disabled":
        commit(portal.engine, THE_PORTAL, commands.disable, [person])
    elif how == "signed out":
        commands.sign_out(portal.engine, token, now_utc())
    else:
        commit(portal.engine, THE_PORTAL, commands.sign_out_everywhere, [person])


def test_what_streamlit_serves_beside_the_screens_is_closed_to_all(portal: Portal) -> None:
    cookie = portal.cookie(portal.person("Meg Metrics", "meg@example.test"))
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/auth/login", "/oauth2callback",
                 "/_stcore/upload_file/a/b"):
        assert ask(portal, path, **cookie).status_code == 404
    own = {"Origin": portal.url, **cookie}
    sent = requests.put(f"{portal.url}/_stcore/upload_file/a/b", headers=own, files={"f": b"x"}, timeout=20)
    assert sent.status_code == 404, "no screen takes files, so nobody fills the memory with them"


def test_every_answer_carries_the_security_headers(portal: Portal) -> None:
    cookie = portal.cookie(portal.person("Hed Headers", "hed@example.test"))
    for path, who in (("/signin", {}), ("/", {}), ("/", cookie), ("/health", {}), ("/_stcore/health", {})):
        headers = ask(portal, path, **who).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "'sha256-" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_the_policy_knows_the_scripts_inside_the_page() -> None:
    policy = page_policy("<script>\n one()\n</script><script type=module src=x></script><script>two()</script>")
    assert policy.count("'sha256-") == 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8501", "", "[::1", "user@evil.example"])
def test_another_name_pointed_at_the_portal_is_refused(portal: Portal, host: str) -> None:
    assert ask(portal, "/signin", Host=host).status_code == 400


@pytest.mark.parametrize("wanted", [
    "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
    "/a\r\nSet-Cookie: x=y", "/signin?next=/", "", None, "/ /evil", "/" + "x" * 5000, "/\x00",
])
def test_nobody_is_sent_elsewhere_after_signing_in(wanted: str | None) -> None:
    assert door.safe_next(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/sessions", "/sessions?status=held&page=2", "/a/b?c=d%20e"])
def test_a_deep_link_survives_the_way_in(portal: Portal, wanted: str) -> None:
    answer = ask(portal, wanted)
    assert answer.headers["Location"] == f"/signin?next={quote(wanted, safe='/')}"
    page = requests.get(portal.url + answer.headers["Location"], timeout=20).text
    assert wanted.replace("&", "&amp;") in page




def test_nobody_is_cut_off_who_came_while_it_was_looked_who_is_still_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off by mistake, a browser that is signed in lands on the home page, whatever it had opened."""
    cut: list[int] = []

    async def a_while() -> None:
        watch = gate.Watch(cast("door.Door", SimpleNamespace(engine=None)))
        loop = asyncio.get_running_loop()

        def looked(engine: object, asked: list[int], now: object) -> set[int]:
            loop.call_soon_threadsafe(watch.add, 3, partial(cut.append, 3))
            time.sleep(0.05)
            return set(asked) - {2}

        monkeypatch.setattr(gate, "still_signed_in", looked)
        for sign_in in (1, 2):
            watch.add(sign_in, partial(cut.append, sign_in))
        async with asyncio.timeout(30):
            while not cut:
                await asyncio.sleep(0.02)
        assert watch.task is not None
        watch.task.cancel()

    monkeypatch.setattr(gate, "LOOKS_EVERY", 0.01)
    monkeypatch.setattr(gate, "FAREWELL", 0.0)
    asgi.run(a_while)
    assert set(cut) == {2}

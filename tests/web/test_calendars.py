"""Calendar addresses over HTTP: for whoever has one, and nobody else; and as calendar programs read them."""

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import caldav
import pytest
import radicale
import radicale.config
from icalendar import Calendar
from sqlalchemy import Engine, delete, select
from starlette.applications import Starlette

from core.access.rules import new_token
from core.errors import Refusal
from core.feeds.commands import make_address, revoke_address
from core.sessions.changing import Move, reschedule_sessions, take_off_calendar
from core.sessions.ending import cancel_sessions, delete_sessions
from core.settings import Settings
from core.work import commit
from db.models.history import ChangeSet
from db.models.programmes import RoleGrant
from db.words import Role
from tests.conftest import Databases
from tests.factories import DAY, HOUR, MINUTE, TEN, World, a_world
from tests.portal import Portal
from tests.web import asgi
from tests.web.test_gate import ask
from web import calendars
from web.calendars import KEPT, NOTHING
from web.door import Door


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    made = databases.clean("sqlite")
    yield made
    databases.drop(made)


@pytest.fixture
def world(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    world = a_world(engine)
    monkeypatch.setattr("core.work.now_utc", lambda: world.now)
    return world


class Program(asgi.Visitor):
    """A calendar program: it asks an address, and may say what it has already."""

    def __init__(self, world: World) -> None:
        super().__init__(
            Starlette(routes=calendars.routes(Door(world.engine, Settings(public_url="https://portal.example")))))

    def get(self, path: str, *, person: int | None = None, method: str = "GET", **has: str) -> bytes:
        return self.ask(path, person=person, method=method, **has)


@pytest.fixture
def program(world: World) -> Program:
    return Program(world)


def address(world: World, person: int, timetable: int | None = None) -> str:
    token = new_token()
    world.do(person, make_address, token, timetable)
    return f"/feed/{token}.ics"


def test_an_address_answers_with_a_calendar(world: World, program: Program) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Überraschung")
    body = program.get(address(world, world.tom))
    assert program.status == 200
    assert program.headers["content-type"] == "text/calendar; charset=utf-8"
    assert program.headers["content-disposition"] == 'inline; filename="sessions.ics"'
    assert program.headers["cache-control"] == KEPT
    assert "Überraschung" in body.decode()
    assert [str(event["UID"]) for event in Calendar.from_ical(body).walk("VEVENT")]


def test_unknown_revoked_disabled_and_forbidden_answer_alike(world: World, program: Program) -> None:
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.weekly, starts_at=TEN)
    toms, saras, of_timetable = (
        address(world, world.tom), address(world, world.sara), address(world, world.cora, world.weekly))
    assert (program.get(of_timetable), program.status)[1] == 200
    old, new = toms, address(world, world.tom)
    world.do(world.sara, revoke_address, 2)
    world.disable(world.tom)
    world.raw(lambda work: work.tx.execute(delete(RoleGrant).where(RoleGrant.person_id == world.cora)) and None)
    unknown = f"/feed/{new_token()}.ics"
    answers = set()
    for path in (old, new, saras, of_timetable, unknown, "/feed/x.ics", f"/feed/{'x' * 5000}.ics",
                 "/feed/\x00.ics", "/feed/ü.ics"):
        answers.add((program.get(path), program.status, tuple(sorted(program.headers.items()))))
    assert {(body, status) for body, status, _ in answers} == {(NOTHING.encode(), 404)}
    assert len(answers) == 1


def test_what_is_known_already_is_not_sent_again(world: World, program: Program) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    path = address(world, world.tom)
    world.now += MINUTE
    program.get(path)
    tag, changed = program.headers["etag"], program.headers["last-modified"]
    assert changed == format_datetime(world.now - MINUTE, usegmt=True)
    for has in ({"if_none_match": tag}, {"if_none_match": f'"other", W/{tag}'}, {"if_none_match": "*"},
                {"if_modified_since": changed}):
        assert program.get(path, **has) == b""
        assert (program.status, program.headers["cache-control"]) == (304, KEPT)
    for has in ({"if_none_match": '"other"'}, {"if_none_match": '"other"', "if_modified_since": changed},
                {"if_modified_since": "yesterday"}, {"if_modified_since": "Mon, 02 Mar 2026 07:00:00 GMT"},
                {"if_modified_since": "Mon, 02 Mar 2026 07:00:00 -0000"}):
        assert program.get(path, **has)
        assert (program.status, program.headers["etag"]) == (200, tag)
    world.do(world.ben, reschedule_sessions, [Move(session, TEN + DAY)])
    world.now += MINUTE
    for has in ({"if_none_match": tag}, {"if_modified_since": changed}):
        assert program.get(path, **has)
        assert (program.status, program.headers["etag"] != tag) == (200, True)


def test_a_date_is_not_trusted_within_the_second_of_a_change_nor_over_midnight(world: World, program: Program) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    path = address(world, world.tom)
    program.get(path)
    assert "last-modified" not in program.headers
    assert program.get(path, if_modified_since=format_datetime(world.now, usegmt=True))
    world.now += DAY
    assert program.get(path, if_modified_since=format_datetime(world.now - timedelta(hours=12), usegmt=True))
    assert program.headers["last-modified"] == "Tue, 03 Mar 2026 00:00:00 GMT"


def test_reading_writes_nothing(world: World, program: Program) -> None:
    path = address(world, world.tom)
    before = Path(world.engine.url.database or "").stat()
    acts = world.all(select(ChangeSet.id))
    program.get(path)
    assert world.all(select(ChangeSet.id)) == acts
    assert Path(world.engine.url.database or "").stat().st_mtime == before.st_mtime


def test_x6_one_session_for_those_who_may_see_it(world: World, program: Program) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Secret")
    body = program.get(f"/export/session/{session}.ics", person=world.tom)
    assert (program.status, program.headers["content-disposition"]) == (200, 'attachment; filename="Session-1.ics"')
    assert b"Secret" in body
    assert f"https://portal.example/worksheet?session={session}".encode() in body.replace(b"\r\n ", b"")
    assert b"Secret" not in program.get(f"/export/session/{session}.ics", person=world.lena)
    assert program.status == 200
    off = world.book(practitioner=world.tom)
    for which, person in ((session, world.vic), (session, world.zed), (session, None), (session, 10**12),
                          (off, world.tom), (10**18, world.tom), ("9" * 500, world.tom), ("x", world.tom),
                          ("²", world.tom)):
        assert program.get(f"/export/session/{which}.ics", person=person) == NOTHING.encode()
        assert program.status == 404


def test_through_the_gate_without_signing_in(portal: Portal) -> None:
    programme = portal.programme("Feeds")
    tom = portal.person("Tom Feed", "tom.feed@example.test", (programme, Role.PRACTITIONER))
    token = new_token()
    commit(portal.engine, tom, make_address, token)
    answer = ask(portal, f"/feed/{token}.ics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == KEPT
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    head = ask(portal, f"/feed/{token}.ics", "HEAD")
    assert (head.status_code, head.content, head.headers["ETag"], head.headers["Content-Length"]) == (
        200, b"", answer.headers["ETag"], str(len(answer.content)))
    assert ask(portal, f"/feed/{token}.ics", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    missing = ask(portal, f"/feed/{new_token()}.ics")
    assert (missing.status_code, missing.headers["Cache-Control"], missing.text) == (404, "no-store", NOTHING)
    assert ask(portal, f"/feed/{token}.ics", "POST").status_code == 403
    for path in ("/feed/", "/feed", f"/feed/{token}", f"/feed/{token}.ics/", f"/feed/{token}.ics/_stcore/health",
                 "/feed/_stcore/host-config", "/feed/_stcore/upload_file/x.ics", f"/feed/../feed/{token}.icsx"):
        stranger = ask(portal, path)
        assert stranger.status_code in (303, 401, 404)
        assert "streamlit" not in stranger.text.lower()
    for headers in ({}, {"X-Portal-Person": str(tom)}):
        assert ask(portal, "/export/session/1.ics", **headers).status_code == 303
    assert token not in portal.said(), "no log names it"
    signed_in = ask(portal, "/export/session/1.ics", **portal.cookie(tom))
    assert (signed_in.status_code, signed_in.headers["Cache-Control"]) == (404, "no-store")


# A calendar server -------------------------------------------------------------------------------------------------


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Any]:
    """An empty calendar on a real CalDAV server, as a real client sees it."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    settings = radicale.config.load()
    settings.update({
        "storage": {"filesystem_folder": str(tmp_path)}, "auth": {"type": "none"}, "rights": {"type": "authenticated"},
    }, "test", privileged=True)
    server = make_server("127.0.0.1", 0, radicale.Application(settings), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with caldav.DAVClient(f"http://127.0.0.1:{server.server_port}/", username="tom", password="x") as client:
        yield client.principal().make_calendar("Sessions")
    server.shutdown()
    server.server_close()
    thread.join()


Told = dict[str, tuple[Any, Any, str, int, str]]


def told(files: list[bytes]) -> Told:
    """What calendars say of each event, by UID; one told twice fails."""
    found: Told = {}
    for file in files:
        for event in Calendar.from_ical(file).walk("VEVENT"):
            uid = str(event["UID"])
            assert uid not in found
            found[uid] = (event.decoded("dtstart").timestamp(), event.decoded("dtend").timestamp(),
                          str(event["STATUS"]), int(event["SEQUENCE"]), str(event["SUMMARY"]))
    return found


def pushed(collection: Any, feed: bytes, known: Told) -> Told:
    """Send a calendar server what is new in a feed, event by event, as a program that keeps both in step does."""
    now, whole = told([feed]), Calendar.from_ical(feed)
    for event in whole.walk("VEVENT"):
        uid = str(event["UID"])
        if known.get(uid) != now[uid]:
            assert uid not in known or now[uid][3] > known[uid][3], "what changed has a higher SEQUENCE"
            alone = Calendar()
            alone.add("version", "2.0")
            alone.add("prodid", "-//Test//EN")
            for zone in whole.walk("VTIMEZONE"):
                alone.add_component(zone)
            alone.add_component(event)
            # not `save_event`, which would count SEQUENCE up by itself
            answer = collection.client.put(
                collection.url.join(f"{uid}.ics"), alone.to_ical().decode(), {"Content-Type": "text/calendar"})
            assert answer.status == (204 if uid in known else 201)
    for uid in known.keys() - now.keys():
        collection.event_by_uid(uid).delete()
    return now


def test_fifty_random_changes_survive_a_calendar_server(world: World, program: Program, collection: Any) -> None:
    chance = random.Random(11)
    sessions = [
        world.book(practitioner=world.tom, learner=chance.choice((world.sara, world.vic)), starts_at=TEN + n * 2 * HOUR,
                   reason="any hour", description=f"Überraschung, {n}; 👩‍👩‍👧‍👦") for n in range(8)
    ]
    path, known, changes = address(world, world.tom), dict[str, Any](), 0
    while changes < 50:
        world.now += MINUTE
        session, at = chance.choice(sessions), TEN + chance.randrange(40 * 24) * HOUR  # over the change of clocks
        kind = chance.choices(("move", "off", "cancel", "delete", "book"), (70, 12, 6, 2, 10))[0]
        try:
            if kind == "move":
                world.do(world.ben, reschedule_sessions, [Move(session, at, minutes=45, reason="any hour")])
            elif kind == "off":
                world.do(world.ben, take_off_calendar, [session])
            elif kind == "cancel":
                world.do(world.ben, cancel_sessions, [session], "ill")
            elif kind == "delete":
                world.do(world.ben, delete_sessions, [session], cancel_first=True)
                sessions.remove(session)
            else:
                sessions.append(world.book(practitioner=world.tom, starts_at=at, reason="any hour"))
        except Refusal:
            continue
        changes += 1
        known = pushed(collection, program.get(path), known)
    there = told([event.data.encode() for event in collection.events()])
    assert there == told([program.get(path)])
    assert len(collection.events()) == len(there) == len(sessions)
    assert {each[2] for each in there.values()} == {"CONFIRMED", "CANCELLED"}

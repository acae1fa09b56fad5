"""The one door for every write: one key is one act, a refusal leaves nothing, what was lost runs again (X5)."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.sessions.booking import book_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.rules import PersonBusy
from core.work import TRIES, Work
from db.models.history import Change, ChangeSet
from db.models.people import Team
from db.models.sessions import Session
from tests.factories import NOW, TEN, World


def rows(world: World, model: Any) -> int:
    return int(world.one(select(func.count()).select_from(model)))


def asked(world: World) -> list[Any]:
    return [world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN)]


def test_x5_an_act_says_who_when_from_where_and_why(world: World) -> None:
    saved = world.do(world.ben, book_sessions, asked(world), key="k", reason="asked by phone", source="import")
    row = world.all(select(
        ChangeSet.key, ChangeSet.actor_id, ChangeSet.at, ChangeSet.source, ChangeSet.command, ChangeSet.reason,
        ChangeSet.said, ChangeSet.result,
    ).where(ChangeSet.id == saved.act_id))[0]
    said = "Booked session 1, Tue 3 Mar 2026, 10:00–11:00."
    assert row == (f"{world.ben}:k", world.ben, NOW, "import", "book_sessions", "asked by phone", said, saved.result)
    assert rows(world, Session) == 1
    assert set(world.all(select(Change.table_name).where(Change.change_set_id == saved.act_id))) == {
        "session", "participation"}


def test_a_double_click_is_one_act_and_told_the_same(world: World) -> None:
    first = world.do(world.ben, book_sessions, asked(world), key="form")
    again = world.do(world.ben, book_sessions, asked(world), key="form")
    assert (again.act_id, again.result, again.said) == (first.act_id, first.result, first.said)
    assert (first.replayed, again.replayed) == (False, True)
    assert rows(world, Session) == 1


def test_the_same_key_of_somebody_else_is_another_act(world: World) -> None:
    world.do(world.ben, book_sessions, asked(world), key="form")
    with pytest.raises(PersonBusy):
        world.do(world.alice, book_sessions, asked(world), key="form")


def test_a_key_serves_one_command(world: World) -> None:
    session = world.do(world.ben, book_sessions, asked(world), key="form").result
    with pytest.raises(Conflict, match=r"open it again"):
        world.do(world.ben, cancel_sessions, session, "why", key="form")


def test_a_key_serves_one_thing_asked(world: World) -> None:
    world.do(world.ben, book_sessions, asked(world), key="form")
    other = world.booking(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    with pytest.raises(Conflict, match=r"open it again"):
        world.do(world.ben, book_sessions, [other], key="form")
    assert rows(world, Session) == 1


def test_what_is_asked_for_has_the_same_digest_in_any_process() -> None:
    code = "from core.work import _digest; print(_digest((({'b', 'a', 'c'}, {'y': frozenset('xyz'), 'x': 1}), {})))"
    said = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ".", "PYTHONHASHSEED": seed}, check=True,
                       capture_output=True, text=True).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_six_clients_with_one_key_at_once(world: World) -> None:
    told: list[Any] = []
    ready = threading.Barrier(6)

    def client() -> None:
        ready.wait()
        try:
            saved = world.do(world.ben, book_sessions, asked(world), key="form")
            told.append((saved.act_id, saved.result, saved.said))
        except Exception as problem:
            told.append(problem)

    threads = [threading.Thread(target=client) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 6
    assert all(each == told[0] for each in told), told
    assert rows(world, Session) == 1


@pytest.fixture
def lost_replies(engine: Engine) -> Iterator[list[int]]:
    """Each commit goes through and its connection is lost at once; the list says how many are still to be lost."""
    left = [0]
    plain = engine.dialect.do_commit

    def lossy(connection: Any) -> None:
        plain(connection)
        if left[0]:
            left[0] -= 1
            bare = connection.driver_connection
            if engine.dialect.name == "sqlite":
                raise engine.dialect.dbapi.OperationalError("database is locked")
            bare.close()
            raise engine.dialect.dbapi.OperationalError("server closed the connection unexpectedly")

    engine.dialect.do_commit = lossy
    yield left
    engine.dialect.do_commit = plain


def test_a_lost_reply_is_asked_for_again_and_is_one_act(world: World, lost_replies: list[int]) -> None:
    lost_replies[0] = 1
    saved = world.do(world.ben, book_sessions, asked(world))
    assert saved.replayed
    assert saved.said == "Booked session 1, Tue 3 Mar 2026, 10:00–11:00."
    assert rows(world, Session) == 1


def make_team(work: Work, programme: int) -> None:
    """A command that says nothing."""
    work.tx.execute(insert(Team).values(programme_id=programme, name="Fresh"))


def test_whoever_says_nothing_tells_the_same_twice(world: World) -> None:
    first, again = (world.do(world.ben, make_team, world.programme, key="k") for _ in range(2))
    assert first.said == again.said == "Saved."
    assert first.result is again.result is None


def test_a_refusal_leaves_nothing(world: World) -> None:
    acts = rows(world, ChangeSet)

    def half_way(work: Work) -> None:
        make_team(work, world.programme)
        raise Invalid({"name": "No."})

    with pytest.raises(Invalid):
        world.do(world.ben, half_way, key="k")
    assert (rows(world, ChangeSet), world.all(select(Team.id).where(Team.name == "Fresh"))) == (acts, [])
    world.do(world.ben, make_team, world.programme, key="k")  # so the key is free again


def _lost(world: World) -> DBAPIError:
    if world.engine.dialect.name == "sqlite":
        return DBAPIError("x", {}, Exception("database is locked"))
    gone = Exception("deadlock detected")
    gone.sqlstate = "40P01"  # type: ignore[attr-defined]
    return DBAPIError("x", {}, gone)


def test_a_lost_lock_or_deadlock_runs_the_whole_command_again(world: World) -> None:
    tries: list[int] = []

    def flaky(work: Work) -> int:
        make_team(work, world.programme)
        tries.append(work.act_id or 0)
        if len(tries) < 4:
            raise _lost(world)
        return len(tries)

    assert world.do(world.ben, flaky).result == 4
    assert world.one(select(func.count()).select_from(Team).where(Team.name == "Fresh")) == 1


def test_a_lock_that_never_comes_is_a_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.work.time.sleep", lambda _: None)
    tries: list[int] = []

    def never(work: Work) -> None:
        tries.append(1)
        raise _lost(world)

    with pytest.raises(Conflict, match=r"very busy at the moment. Nothing was saved"):
        world.do(world.ben, never)
    assert len(tries) == TRIES


def test_x2_a_guard_that_refuses_once_lets_the_commands_own_look_name_the_rival(world: World) -> None:
    world.book(practitioner=world.tom, starts_at=TEN)
    looks: list[int] = []

    def blind_once(work: Work, bookings: list[Any]) -> list[int]:
        looks.append(1)
        if len(looks) > 1:
            return book_sessions(work, bookings)
        work.tx.execute(insert(Session).values(
            programme_id=world.programme, number=50, practitioner_id=world.tom, type="x", method="traditional",
            origin="booking", starts_at=TEN, ends_at=TEN.replace(hour=11), created_by=world.ben, created_at=NOW,
        ))
        return []

    with pytest.raises(PersonBusy, match=r"Tom is busy Tue 3 Mar 2026, 10:00–11:00"):
        world.do(world.ben, blind_once, asked(world))
    assert len(looks) == 2


@pytest.mark.parametrize(("given", "said"), [
    ({"practitioner_id": "tom"},
     "Somebody who takes part was booked for that time in the meantime. Nothing was saved."),
    ({"room_id": "room"}, "The room was taken for that time in the meantime. Nothing was saved."),
    ({"number": 1}, "That number was given to another session in the meantime. Nothing was saved."),
])
def test_x2_a_guard_that_refuses_again_is_told_in_words(world: World, given: dict[str, Any], said: str) -> None:
    world.book(practitioner=world.tom, room=world.room, starts_at=TEN)
    values = {name: getattr(world, value) if isinstance(value, str) else value for name, value in given.items()}

    def blind(work: Work) -> None:
        work.tx.execute(insert(Session).values({
            "programme_id": world.programme, "number": 50, "type": "x", "method": "traditional", "origin": "booking",
            "starts_at": TEN, "ends_at": TEN.replace(hour=11), "created_by": world.ben, "created_at": NOW, **values,
        }))

    with pytest.raises(Conflict) as refused:
        world.do(world.ben, blind)
    assert refused.value.sentence == said


def test_anything_else_that_the_database_refuses_stays_a_bug(world: World) -> None:
    def broken(work: Work) -> None:
        make_team(work, 10**9)

    with pytest.raises(IntegrityError):
        world.do(world.ben, broken)


def test_the_disabled_and_the_unknown_are_cut_off(world: World) -> None:
    world.disable(world.ben)
    for who in (world.ben, 10**9):
        with pytest.raises(NotAllowed, match=r"switched off"):
            world.do(who, book_sessions, asked(world))
        with pytest.raises(NotAllowed), world.reading(who):
            pass


def test_x5_undo_of_nothing_and_twice_is_a_sentence(world: World) -> None:
    with pytest.raises(NotFound, match=r"nothing to undo"):
        world.do(world.ben, undo, 10**6, undoes=10**6)
    saved = world.do(world.ben, book_sessions, asked(world))
    first = world.do(world.ben, undo, saved.act_id, undoes=saved.act_id, key="u")
    again = world.do(world.ben, undo, saved.act_id, undoes=saved.act_id, key="u")
    assert (first.act_id, again.replayed) == (again.act_id, True)
    with pytest.raises(Conflict, match=r"undone already"):
        world.do(world.alice, undo, saved.act_id, undoes=saved.act_id)


def test_x5_nothing_is_written_outside_an_act(world: World) -> None:
    from db.engine import writing

    with pytest.raises(DBAPIError, match=r"outside an act"), writing(world.engine) as connection:
        connection.execute(text("UPDATE team SET idea = 'x'"))


def test_looking_up_keeps_nothing(world: World) -> None:
    with pytest.raises(DBAPIError), world.reading(world.ben) as work:
        make_team(work, world.programme)

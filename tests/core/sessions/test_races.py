"""X1, X2: what is looked at is held until the act ends, so that nothing slips in between the look and the change."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from core.errors import Invalid, Refusal
from core.people.commands import join_team
from core.programmes import commands as programmes
from core.sessions import booking, changing
from core.sessions.changing import Edit, Move, edit_sessions, reschedule_sessions
from core.structure.commands import edit_entry
from core.structure.rules import Which
from db.models.sessions import Participation
from tests.factories import NOON, TEN, World


class Rival:
    """An act that begins when a function is about to run, and must wait for the act that runs it."""

    def __init__(self, patch: pytest.MonkeyPatch, module: Any, function: str, act: Callable[[], object]) -> None:
        self.refusal: Refusal | None = None
        self.thread = Thread(target=self._run, args=(act,))
        real = getattr(module, function)

        def slowly(*args: Any, **kw: Any) -> Any:
            if not self.thread.ident:
                self.thread.start()
                self.thread.join(0.4)
                assert self.thread.is_alive(), "it did not wait"
            return real(*args, **kw)

        patch.setattr(module, function, slowly)

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Refusal as refusal:
            self.refusal = refusal

    def done(self) -> Refusal | None:
        """What it was refused with, if it was."""
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.refusal


def retire(world: World) -> object:
    return world.do(world.alice, programmes.retire_programme, world.programme)


def test_x1_a_programme_is_not_retired_under_a_booking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rival = Rival(monkeypatch, booking, "_numbers", lambda: retire(world))
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, number=7)
    assert "still ahead" in str(rival.done())


def test_x1_a_programme_is_not_retired_under_a_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara)
    rival = Rival(monkeypatch, changing, "apply", lambda: retire(world))
    world.do(world.ben, reschedule_sessions, [Move(session, TEN, 60)])
    assert "still ahead" in str(rival.done())


def test_x1_nothing_is_booked_in_a_programme_retired_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rival = Rival(monkeypatch, programmes, "refuse_sessions_ahead",
                  lambda: world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN))
    retire(world)
    assert "Home is retired" in str(rival.done())


def test_c8_a_room_does_not_shrink_under_those_who_join(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN, room=world.room)
    rival = Rival(monkeypatch, changing, "_check_changed",
                  lambda: world.do(world.alice, edit_entry, Which.ROOM, world.room, {"capacity": 1}))
    world.do(world.ben, edit_sessions, [Edit(session, {"learner_ids": (world.sara,)})])
    assert rival.done() is None
    with pytest.raises(Invalid, match="Blue room holds 1; 2 take part"):
        world.do(world.ben, reschedule_sessions, [Move(session, NOON)])


def test_b9_who_joins_is_not_booked_elsewhere_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN)
    rival = Rival(monkeypatch, changing, "_check_changed",
                  lambda: world.book(practitioner=world.tess, learner=world.sara, starts_at=TEN))
    world.do(world.ben, edit_sessions, [Edit(session, {"learner_ids": (world.sara,)})])
    assert "Sara is busy" in str(rival.done())


def test_x1_a_team_that_changed_before_its_calendar_was_held_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("one act writes at a time")
    real, joined = booking.lock, list[object]()

    def lock(*args: Any) -> None:
        if not joined:
            joined.append(world.do(world.ben, join_team, world.comet, [world.vic]))
        real(*args)

    monkeypatch.setattr(booking, "lock", lock)
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    learners = world.all(select(Participation.learner_id).where(Participation.session_id == session))
    assert set(learners) == {world.sara, world.sam, world.vic}

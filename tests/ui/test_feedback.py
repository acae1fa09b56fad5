"""The line that says what happened: its *Undo* does it once, and never says so where nothing was done (X5)."""

from typing import Any

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from core.history.commands import undo
from core.sessions.booking import book_sessions
from core.work import Saved
from db.models.history import ChangeSet
from db.models.sessions import Session
from tests.conftest import Databases
from tests.factories import TEN, World, a_world
from ui import runtime


@pytest.fixture
def engine(databases: Databases) -> Engine:
    return databases.clean("sqlite")


def pressed(saved: Saved, shown: str) -> AppTest:
    """A browser in which *Undo* was pressed in a line of that name."""

    def script() -> None:
        from ui import feedback

        feedback.show()

    tab = AppTest.from_function(script, default_timeout=20)
    tab.session_state["feedback:said"] = (saved.said, saved.act_id, False)
    tab.session_state["feedback:shown"] = shown
    return tab.run().button("feedback-undo").click().run()


def test_x5_a_double_click_undoes_once_and_a_later_one_is_told_the_truth(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    world: World = a_world(engine)

    def by_ben(command: Any, *args: Any, **kw: Any) -> Saved:
        return world.do(world.ben, command, *args, **kw)

    monkeypatch.setattr(runtime, "commit", by_ben)
    saved = by_ben(book_sessions, [world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN)])
    for _ in range(2):
        assert pressed(saved, "first").success[0].value.startswith("Undid")
        assert world.all(select(Session.id)) == []
    undone = world.one(select(ChangeSet.id).where(ChangeSet.undoes_id == saved.act_id))
    by_ben(undo, undone, undoes=undone)
    assert "undone already" in pressed(saved, "second").error[0].value
    assert world.all(select(Session.id)) == saved.result

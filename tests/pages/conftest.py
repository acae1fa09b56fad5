"""What tests of screens share: a world on SQLite, and a tab of the portal that somebody is signed in with.

    tab = open_screen(world.alice, "book", practitioner=world.tom)
    tab.button("book-now").click().run()
    assert "Choose the coach." in texts(tab)
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from core.access.commands import begin_sign_in
from db.models.access import SignIn
from tests.conftest import Databases
from tests.factories import World
from ui import navigation, runtime

SHELL = Path(__file__).parents[2] / "ui" / "shell.py"
Opener = Callable[..., AppTest]


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Screens ask the core alone, whose tests run on both kinds; here SQLite does."""
    made = databases.clean("sqlite")
    yield made
    databases.drop(made)


@pytest.fixture
def world(engine: Engine, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> World:
    """The small world, with the portal at its time and on its database. Tests may build their own with `a_world`."""
    return in_portal(databases.world(engine), monkeypatch)


def in_portal(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Let screens run on this world: its database, and its clock."""
    monkeypatch.setattr(runtime, "engine", lambda: world.engine)
    monkeypatch.setattr("core.work.now_utc", lambda: world.now)
    return world


@pytest.fixture
def open_screen(engine: Engine, world: World) -> Opener:
    """Open a screen as somebody, with parameters of its address: `open_screen(world.tom, "worksheet", session=7)`."""

    def open_one(person: int, screen: str, /, **parameters: Any) -> AppTest:
        return a_tab(world, person, screen, **parameters)

    return open_one


def a_tab(world: World, person: int, screen: str, /, **parameters: Any) -> AppTest:
    """A new tab of the portal, signed in, on that screen."""
    begin_sign_in(world.engine, person, browser="test", now=world.now)
    sign_in = world.one(select(SignIn.id).where(SignIn.person_id == person).order_by(SignIn.id.desc()).limit(1))
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    tab.user = {"sign_in": str(sign_in)}
    tab.run()
    tab.query_params = {name: str(value) for name, value in parameters.items()}
    if screen != "home":
        tab.switch_page(f"../pages/{navigation.BY_NAME[screen].path}").run()
    return tab


def opened(tab: AppTest, menu: str) -> AppTest:
    """The same tab with a menu open whose content is drawn only then."""
    tab.session_state[menu] = True
    return tab.run()


def texts(tab: AppTest) -> str:
    """Everything that the screen says, in one text."""
    said: list[str] = []
    for kind in ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success"):
        said += [str(getattr(each, "value", "")) for each in tab.get(kind)]
    return "\n".join(said)

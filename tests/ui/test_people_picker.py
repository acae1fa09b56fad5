"""The picker: type, then choose among the matches; it shows and keeps who is chosen."""

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from db.words import Role
from tests.conftest import Databases
from tests.factories import World, a_world
from ui import runtime


@pytest.fixture
def engine(databases: Databases) -> Engine:
    return databases.clean("sqlite")


@pytest.fixture
def tab(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[World, AppTest]:
    world = a_world(engine)
    for name in ("Ann Lee", "Ann Day", "Bo Day"):
        world.person(name, Role.LEARNER)
    monkeypatch.setattr(runtime, "reading", lambda: world.reading(world.ben))

    def script(programme: int) -> None:
        import streamlit as st

        from core.words import Role
        from ui import people_picker, runtime

        with runtime.reading() as work:
            st.text(str(people_picker.person(work, programme, Role.LEARNER, "Learner", "who")))

    return world, AppTest.from_function(script, args=(world.programme,), default_timeout=20).run()


def test_one_match_is_chosen_and_shown(tab: tuple[World, AppTest]) -> None:
    world, screen = tab
    screen.text_input[0].set_value("sar").run()
    assert (screen.text_input[0].value, screen.text[0].value) == ("Sara", str(world.sara))


def test_several_matches_are_offered(tab: tuple[World, AppTest]) -> None:
    screen = tab[1]
    screen.text_input[0].set_value("ann").run()
    assert screen.text[0].value == "None"
    assert screen.button_group[0].options == ["Ann Day", "Ann Lee"]
    screen.button_group[0].set_value("Ann Lee").run()
    assert screen.text_input[0].value == "Ann Lee"
    assert screen.text[0].value != "None"


def test_nobody_by_that_name(tab: tuple[World, AppTest]) -> None:
    screen = tab[1]
    for said in ("zzz", "Zed", "Tom", "<qq>", "x" * 5000):
        screen.text_input[0].set_value(said).run()
        assert not screen.exception
        assert screen.text[0].value == "None"
        assert "Nobody found" in screen.caption[0].value


def test_emptied_it_lets_go(tab: tuple[World, AppTest]) -> None:
    screen = tab[1]
    screen.text_input[0].set_value("sara").run()
    screen.text_input[0].set_value("").run()
    assert screen.text[0].value == "None"


def test_a_preset_is_shown(tab: tuple[World, AppTest]) -> None:
    world, screen = tab
    screen.session_state["who"] = world.sam
    screen.run()
    assert screen.text_input[0].value == "Sam"


def test_namesakes_of_one_team_can_each_be_chosen(tab: tuple[World, AppTest]) -> None:
    world, screen = tab
    both = [world.person("Sam Lee", Role.LEARNER) for _ in range(2)]
    for person in both:
        world.join(world.comet, person)
    chosen = []
    for n in range(2):
        screen.text_input[0].set_value("sam lee").run()
        group = screen.button_group[0]
        assert len(set(group.options)) == 2
        group.set_value(group.options[n]).run()
        chosen.append(int(screen.text[0].value))
    assert sorted(chosen) == both


def test_names_are_no_markdown(tab: tuple[World, AppTest]) -> None:
    world, screen = tab
    for n in range(2):
        world.person(f"[Zora](https://example.org/{n})", Role.LEARNER)
    screen.text_input[0].set_value("Zora").run()
    assert all(option.startswith(r"\[Zora\]\(") for option in screen.button_group[0].options)

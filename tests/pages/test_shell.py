"""The frame: what each role finds in the menu, quick search, and screens that nobody reaches by address."""

import pytest
from streamlit.testing.v1 import AppTest

from core.people.commands import disable_people
from tests.factories import TEN, World
from tests.pages.conftest import Opener, texts
from ui import navigation

ALL = ("alice", "ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena")
MAY_OPEN = {"book": ("alice", "ben", "cora", "tom"), "people": ("alice", "ben", "cora", "mona", "tom"),
            "groups": ("alice", "ben", "cora"), "programme": ("alice",), **dict.fromkeys(
                ("courses", "teams", "engagements", "rooms", "timetable-list"), ("alice", "cora"))}


@pytest.mark.parametrize("persona", ALL)
@pytest.mark.parametrize("screen", [*MAY_OPEN, "account", "person"])
def test_forbidden_screens_are_not_there_by_address_either(
    world: World, open_screen: Opener, persona: str, screen: str
) -> None:
    person = getattr(world, persona)
    if persona in MAY_OPEN.get(screen, ALL):
        assert not open_screen(person, screen).exception
        return
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_screen(person, screen)


def _search(tab: AppTest, text: str) -> AppTest:
    tab.text_input("quick-search").set_value(text).run()
    assert not tab.exception
    return tab


def _hits(tab: AppTest) -> list[str]:
    return [str(link.label) for link in tab.sidebar.get("page_link") if "**" in str(link.label)]


def test_quick_search_finds_people_numbers_teams_and_courses(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, number=41)
    tab = open_screen(world.alice, "home")
    assert any("Sara" in hit for hit in _hits(_search(tab, "sar")))
    assert any("Session 41" in hit for hit in _hits(_search(tab, "41")))
    assert any("Comet" in hit for hit in _hits(_search(tab, "comet")))
    assert any("Maths" in hit for hit in _hits(_search(tab, "math")))


def test_x6_quick_search_finds_nothing_that_is_not_seen(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, number=41)
    tab = open_screen(world.sara, "home")
    for text in ("vic", "41", "zed", "theirs", "ben@example.org"):
        assert not _hits(_search(tab, text))
        assert "Nothing found" in texts(tab)


@pytest.mark.parametrize("text", ["   ", "<i>", "';--", "🙂", "x" * 500, "*", "0", "9" * 40])
def test_quick_search_stays_calm(world: World, open_screen: Opener, text: str) -> None:
    assert not _hits(_search(open_screen(world.alice, "home"), text))


def test_whoever_is_switched_off_is_out_at_the_next_click(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.tom, "home")
    world.do(world.alice, disable_people, [world.tom])
    tab.run()
    assert not tab.title


def test_the_menu_has_every_screen_once() -> None:
    assert len({screen.name for screen in navigation.SCREENS}) == len(navigation.SCREENS)


def test_unread_notices_are_counted(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = open_screen(world.sara, "account")
    assert any("1 new notice" in str(link.label) for link in tab.sidebar.get("page_link"))

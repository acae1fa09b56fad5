"""My members (D1a), and finding somebody to contact (A2)."""

import pytest

from core.programmes.rules import WhoBooks
from db.models.availability import TimeOff
from tests.factories import DAY, NOW, TEN, World
from tests.pages.conftest import Opener, texts


@pytest.fixture
def advice(world: World) -> World:
    """A programme whose clients book for themselves."""
    world.policy(who_books=WhoBooks.CLIENTS_TOO)
    return world


def test_d1a_a_practitioner_finds_next_and_last_session(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, planning_notes="Bring the letter")
    tab = open_screen(world.tom, "members")
    assert not tab.exception
    said = texts(tab)
    assert tab.title[0].value == "My members"
    assert {"**Sara**", "Tomorrow, 10:00"} <= {each.proto.label for each in tab.get("page_link")}
    assert "Bring the letter" in said
    tab.text_input(key="named").set_value("zed").run()
    assert "Nobody is called that." in texts(tab)


def test_d1a_nobody_yet_says_what_comes(world: World, open_screen: Opener) -> None:
    assert "As soon as you lead a session with somebody" in texts(open_screen(world.tess, "members"))


@pytest.mark.parametrize(("persona", "screen"), [
    ("alice", "members"), ("sara", "members"), ("gus", "members"), ("sara", "contacts"), ("tom", "contacts"),
])
def test_others_have_no_such_screen(world: World, open_screen: Opener, persona: str, screen: str) -> None:
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_screen(world.people[persona], screen)


def test_a2_a_client_contacts_from_the_list_and_from_a_profile(advice: World, open_screen: Opener) -> None:
    tab = open_screen(advice.sara, "contacts")
    assert tab.title[0].value == "Find a coach"
    tab.button(key=f"contact-now-{advice.tom}").click().run()
    assert not tab.exception
    assert tab.session_state["book:practitioner"] == advice.tom
    tab = open_screen(advice.sara, "person", person=advice.tom)
    assert "Contact" in [each.label for each in tab.button]


def test_a2_who_is_not_available_has_no_contact_button(advice: World, open_screen: Opener) -> None:
    advice.add(TimeOff, person_id=advice.tom, starts_at=NOW, ends_at=NOW + 60 * DAY)
    tab = open_screen(advice.sara, "person", person=advice.tom)
    assert "Contact" not in [each.label for each in tab.button]
    assert "Not available at present." in texts(tab)



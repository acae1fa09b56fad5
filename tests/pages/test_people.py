"""People: the list for each role, its filters, adding and inviting."""

from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.people.commands import NewPerson, add_people, disable_people
from db.models.access import OneTimeLink
from db.models.people import Person, TeamMember
from db.models.programmes import RoleGrant
from db.words import Role
from tests.factories import TEN, World, statements
from tests.pages.conftest import Opener, texts


def _names(tab: AppTest) -> list[str]:
    return list(tab.dataframe[0].value["Name"]) if tab.dataframe else []


@pytest.mark.parametrize(
    ("persona", "sees", "contacts", "adds"),
    [("alice", 12, True, True), ("ben", 12, True, True), ("cora", 12, True, True), ("mona", 12, False, False),
     ("tom", 9, False, False)],
)
def test_each_sees_the_people_of_their_role(
    world: World, open_screen: Opener, persona: str, sees: int, contacts: bool, adds: bool
) -> None:
    tab = open_screen(getattr(world, persona), "people")
    assert not tab.exception
    assert len(_names(tab)) == sees
    assert ("E-mail" in tab.dataframe[0].value) is contacts
    assert ("Account" in tab.dataframe[0].value) is contacts
    assert any(button.label == "Add person" for button in tab.button) is adds


def test_it_is_found_by_text_role_and_state(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "people")
    tab.text_input("find").set_value("sar").run()
    assert _names(tab) == ["Sara"]
    tab.text_input("find").set_value("").run()
    tab.selectbox("role").set_value("Coach").run()
    assert _names(tab) == ["Tess", "Tom"]
    world.do(world.alice, disable_people, [world.tess])
    tab.selectbox("account").set_value("Switched off").run()
    assert _names(tab) == ["Tess"]
    tab.text_input("find").set_value("nobody like that").run()
    assert "Nobody matches." in texts(tab)
    next(button for button in tab.button if button.label == "Show everybody").click().run()
    assert len(_names(tab)) == 11


def test_the_address_keeps_the_filters(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "people", find="sam", role="Member")
    assert _names(tab) == ["Sam"]


@pytest.mark.parametrize("address", [{"role": "<b>"}, {"at": "-1"}, {"at": "9" * 30}, {"at": "x"}, {"account": "?"}])
def test_a_strange_address_is_no_mishap(world: World, open_screen: Opener, address: dict[str, str]) -> None:
    tab = open_screen(world.alice, "people", **address)
    assert not tab.exception


def test_the_list_asks_the_same_number_of_questions_at_1_row_and_at_50(world: World, open_screen: Opener) -> None:
    def asked(**address: str) -> int:
        with statements(world.engine) as sent:
            tab = open_screen(world.alice, "people", **address)
        assert not tab.exception
        return len(sent)

    for number in range(45):
        world.person(f"Extra {number:02}", Role.LEARNER, email=f"extra{number}@example.org")
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert len(_names(open_screen(world.alice, "people"))) == 50
    assert asked(find="sara") == asked()


def test_fifty_are_on_a_page(world: World, open_screen: Opener) -> None:
    for number in range(60):
        world.person(f"Extra {number:02}", Role.LEARNER)
    tab = open_screen(world.alice, "people")
    assert len(_names(tab)) == 50
    assert "72 people" in texts(tab)
    assert len(_names(open_screen(world.alice, "people", at="2"))) == 22


# Adding ------------------------------------------------------------------------------------------------------------


def _panel(open_screen: Opener, person: int) -> AppTest:
    tab = open_screen(person, "people")
    next(button for button in tab.button if button.label == "Add person").click().run()
    assert not tab.exception
    return tab


def _fill(tab: AppTest, **said: Any) -> AppTest:
    for name, value in said.items():
        if name == "roles":
            tab.button_group("person-new:roles").set_value(value)
        else:
            tab.text_input(f"person-new:{name}").set_value(value)
    tab.run()
    return tab


def _add(tab: AppTest) -> AppTest:
    tab.button("person-new:save").click().run()
    assert not tab.exception
    return tab


def test_somebody_is_added(world: World, open_screen: Opener) -> None:
    tab = _panel(open_screen, world.ben)
    _add(_fill(tab, name="Nia New", email="Nia@Example.org", phone="+44 20 7946 0000", roles=[Role.LEARNER]))
    nia = world.one(select(Person.id).where(Person.email == "nia@example.org"))
    assert world.all(select(RoleGrant.role).where(RoleGrant.person_id == nia)) == [Role.LEARNER]
    assert "Added Nia New" in texts(tab)
    assert "Nia New" in _names(tab)
    tab.button("feedback-undo").click().run()
    assert "Nia New" not in _names(tab)


def test_a_learner_joins_a_team_at_once(world: World, open_screen: Opener) -> None:
    tab = _fill(_panel(open_screen, world.ben), name="Nia", roles=[Role.LEARNER])
    tab.text_input("person-new:team:text").set_value("Lone").run()
    _add(tab)
    assert world.one(select(func.count()).select_from(TeamMember).where(TeamMember.team_id == world.lonely)) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "Write the name."),
        ({"name": "   "}, "Write the name."),
        ({"name": "x" * 121}, "At most 120 characters"),
        ({"name": "Nia"}, "Choose at least one role."),
        ({"name": "Nia", "email": "nia"}, "This is not an e-mail address"),
        ({"name": "Nia", "email": "x" * 260 + "@example.org"}, "At most 254 characters"),
        ({"name": "Nia", "email": "<b>@example.org"}, "This is not an e-mail address"),
        ({"name": "Nia", "phone": "call me"}, "A phone number is digits"),
        ({"name": "Nia", "phone": "1" * 41}, "At most 40 characters"),
        ({"name": "Sara", "email": "sara@example.org", "roles": [Role.LEARNER]}, "is in this programme already"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_lost(
    world: World, open_screen: Opener, said: dict[str, Any], problem: str
) -> None:
    people = world.one(select(func.count()).select_from(Person))
    tab = _add(_fill(_panel(open_screen, world.ben), **said))
    assert problem in texts(tab).replace("\\", "")
    for name, value in said.items():
        if name != "roles":
            assert tab.text_input(f"person-new:{name}").value == value
    assert world.one(select(func.count()).select_from(Person)) == people


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "🙂 Ann", "**Bold** [x](y)", "'; DROP TABLE person;--"])
def test_strange_names_are_only_names(world: World, open_screen: Opener, name: str) -> None:
    tab = _add(_fill(_panel(open_screen, world.ben), name=name, roles=[Role.LEARNER]))
    assert name in _names(tab)


def test_a_double_click_adds_one(world: World, open_screen: Opener) -> None:
    tab = _fill(_panel(open_screen, world.ben), name="Nia", email="nia@example.org", roles=[Role.LEARNER])
    key = tab.session_state["form:person-new"]["key"]
    _add(tab)
    saved = world.do(world.ben, add_people, world.programme, [NewPerson("Nia", (Role.LEARNER,), "nia@example.org")],
                     key=key)
    assert saved.replayed
    assert world.one(select(func.count()).select_from(Person).where(Person.name == "Nia")) == 1


def test_only_a_master_admin_is_offered_the_roles_that_run_a_programme(world: World, open_screen: Opener) -> None:
    assert "Basic admin" in _options(_panel(open_screen, world.alice))
    assert "Basic admin" not in _options(_panel(open_screen, world.ben))


def _options(tab: AppTest) -> list[str]:
    return [str(getattr(option, "content", option)) for option in tab.button_group("person-new:roles").options]


# Inviting ----------------------------------------------------------------------------------------------------------


def test_links_are_shown_once_to_be_handed_over(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "people")
    tab.session_state["panel:open"] = ("invite", (world.sara, world.sam))
    tab.session_state["panel:key"] = "invite-once"
    tab.run()
    assert not tab.exception
    assert not world.one(select(func.count()).select_from(OneTimeLink)), "opening the panel ends no older link"
    tab.button("links-make").click().run()
    links = [code.value for code in tab.code]
    assert len(links) == 3, "one for each, and all of them as one text"
    assert all("/link/" in link for link in links)
    assert [link in links[2] for link in links[:2]] == [True, True]
    tab.run()
    assert [code.value for code in tab.code] == links
    assert world.one(select(func.count()).select_from(OneTimeLink)) == 2


def test_x6_nobody_else_can_be_invited_by_their_id(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "people")
    for stranger in (world.zed, world.alice, 999_999):
        tab.session_state["panel:open"] = ("invite", (stranger,))
        tab.session_state["panel:key"] = f"invite-{stranger}"
        tab.run().button("links-make").click().run()
        assert not tab.exception
        assert not tab.code
    assert not world.one(select(func.count()).select_from(OneTimeLink))


def test_a_sentence_beside_a_field_goes_when_the_field_is_changed(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "people")
    tab.session_state["panel:open"] = ("person-new", (world.programme,))
    tab.run()
    tab.text_input("person-new:name").set_value("Zoe Hill")
    tab.text_input("person-new:email").set_value("zoe at home")
    tab.button("person-new:save").click().run()
    assert "not an e\\-mail address" in texts(tab)
    assert "Choose at least one role" in texts(tab)
    tab.text_input("person-new:email").set_value("zoe@example.test").run()
    assert "not an e\\-mail address" not in texts(tab)
    assert "Choose at least one role" in texts(tab)
    tab.button_group("person-new:roles").set_value(["learner"]).run()
    assert "Choose at least one role" not in texts(tab)
    tab.button("person-new:save").click().run()
    assert "Added Zoe Hill" in texts(tab).replace("\\", "")
    assert "Open profile" in [link.label for link in tab.get("page_link")]  # type: ignore[attr-defined]


def test_a_green_line_goes_along_to_one_other_screen(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "people")
    tab.session_state["panel:open"] = ("person-new", (world.programme,))
    tab.run()
    tab.text_input("person-new:name").set_value("Zoe Hill")
    tab.button_group("person-new:roles").set_value(["learner"])
    tab.button("person-new:save").click().run()
    shown = [len(tab.success)]
    for screen in ("work/sessions", "work/book"):
        shown.append(len(tab.switch_page(f"../pages/{screen}.py").run().success))
    assert shown == [1, 1, 0]


def test_a_panel_put_away_is_closed(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "people")
    tab.session_state["panel:open"] = ("person-new", (world.programme,))
    tab.run().text_input("person-new:name").set_value("Zoe").run()
    tab.button("panel-close").click().run()
    assert not [each for each in tab.text_input if each.key == "person-new:name"]

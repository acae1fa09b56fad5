"""One person's profile: what each role may read of it, and what may be done there."""

from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.people.commands import PersonEdit, edit_people
from db.models.access import OneTimeLink, SignIn
from db.models.people import Person, Relation, TeamMember
from db.models.programmes import RoleGrant
from db.words import Role, Tie
from tests.factories import DAY, TEN, World
from tests.pages.conftest import Opener, texts


def _shown(tab: AppTest) -> str:
    tables = "\n".join(str(table.value.to_dict()) for table in tab.table)
    links = "\n".join(str(link.label) for link in tab.get("page_link"))
    return f"{texts(tab)}\n{tables}\n{links}".replace("\\", "")


def _buttons(tab: AppTest) -> set[str]:
    return {button.label for button in tab.button}


@pytest.mark.parametrize(
    ("persona", "sees", "email"),
    [("alice", True, True), ("ben", True, True), ("cora", True, True), ("mona", True, False), ("tom", True, False),
     ("sara", True, True), ("gus", True, True), ("lena", True, False), ("sam", False, False), ("zed", False, False)],
)
def test_x6_what_the_viewer_may_not_see_is_not_there(
    world: World, open_screen: Opener, persona: str, sees: bool, email: bool
) -> None:
    tab = open_screen(getattr(world, persona), "person", person=world.sara)
    assert not tab.exception
    assert tab.title[0].value == ("Sara" if sees else "Nobody here")
    assert ("sara@example.org" in _shown(tab)) is email


@pytest.mark.parametrize("asked", ["0", "-1", "x", "9" * 30, "999999", "<b>"])
def test_a_strange_address_shows_nobody_else(world: World, open_screen: Opener, asked: str) -> None:
    tab = open_screen(world.tom, "person", person=asked)
    assert not tab.exception
    assert tab.title[0].value in ("Nobody here", "Tom")


def test_foreign_people_answer_as_if_they_did_not_exist(world: World, open_screen: Opener) -> None:
    said = {_shown(open_screen(world.alice, "person", person=who)) for who in (world.zed, world.zoe, 999_999)}
    assert len(said) == 1


def test_the_actions_are_those_of_the_role(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "person", person=world.sara)
    assert {"Edit", "Tie to somebody", "Book a session"} <= _buttons(tab)
    for persona in ("mona", "lena", "gus"):
        tab = open_screen(getattr(world, persona), "person", person=world.sara)
        assert not {"Edit", "Tie to somebody", "Book a session"} & _buttons(tab)
    tab = open_screen(world.sara, "person", person=world.sara)
    assert "Edit" in _buttons(tab)
    assert "Book a session" not in _buttons(tab)


def test_relations_teams_and_sessions_are_there(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)
    world.now = TEN + DAY / 2
    said = _shown(open_screen(world.ben, "person", person=world.sara))
    for expected in ("Gus", "guardian", "Lena", "line manager", "Comet", "Tue 3 Mar 2026, 10:00", "Wed 4 Mar 2026"):
        assert expected in said
    assert "Gus" not in _shown(open_screen(world.tom, "person", person=world.sara))


def _open(world: World, open_screen: Opener, persona: int, panel: str, about: int) -> AppTest:
    tab = open_screen(persona, "person", person=about)
    tab.session_state["panel:open"] = (panel, (about,))
    tab.session_state["panel:key"] = f"key-{panel}"
    tab.run()
    assert not tab.exception
    return tab


def test_staff_edit_and_undo(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "person", person=world.sara)
    next(button for button in tab.button if button.label == "Edit").click().run()
    form = f"person-edit-{world.sara}"
    tab.text_input(f"{form}:name").set_value("Sara Byrne")
    tab.text_area(f"{form}:about").set_value("Likes *maths*")
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert tab.title[0].value == "Sara Byrne"
    assert "Likes *maths*" in _shown(tab)
    tab.button("feedback-undo").click().run()
    assert tab.title[0].value == "Sara"


def test_own_profile_is_edited_but_for_the_address(world: World, open_screen: Opener) -> None:
    tab = _open(world, open_screen, world.sara, "person-edit", world.sara)
    form = f"person-edit-{world.sara}"
    assert not [field for field in tab.text_input if field.key == f"{form}:email"]
    tab.text_input(f"{form}:phone").set_value("+44 20 7946 0000")
    tab.selectbox(f"{form}:zone").set_value("Europe/Berlin")
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert world.one(select(Person.zone).where(Person.id == world.sara)) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [("name", "", "Write the name."), ("name", "x" * 121, "At most 120"), ("email", "no", "not an e-mail address"),
     ("email", "tom@example.org", "belongs to another person"), ("phone", "me", "A phone number"),
     ("about", "x" * 4001, "At most 4,000")],
)
def test_bad_input_is_told_and_kept(
    world: World, open_screen: Opener, field: str, value: str, problem: str
) -> None:
    tab = _open(world, open_screen, world.ben, "person-edit", world.sara)
    key = f"person-edit-{world.sara}"
    widget = (tab.text_area if field == "about" else tab.text_input)(f"{key}:{field}")
    widget.set_value(value)
    tab.button(f"{key}:save").click().run()
    assert not tab.exception
    assert problem in _shown(tab)
    assert (tab.text_area if field == "about" else tab.text_input)(f"{key}:{field}").value == value
    assert world.one(select(Person.name).where(Person.id == world.sara)) == "Sara"


@pytest.mark.parametrize(("choice", "name"), [("mine", "Mine"), ("theirs", "Theirs")])
def test_a_stale_form_shows_both_versions_and_loses_neither(
    world: World, open_screen: Opener, choice: str, name: str
) -> None:
    tab = _open(world, open_screen, world.ben, "person-edit", world.sara)
    form = f"person-edit-{world.sara}"
    tab.text_input(f"{form}:name").set_value("Mine").run()
    world.do(world.alice, edit_people, [PersonEdit(world.sara, {"name": "Theirs"})])
    tab.button(f"{form}:save").click().run()
    assert "Mine" in _shown(tab)
    assert "Theirs" in _shown(tab)
    tab.button(f"{form}:{choice}").click().run()
    assert not tab.exception
    assert world.one(select(Person.name).where(Person.id == world.sara)) == name


def test_ties_are_made_and_removed(world: World, open_screen: Opener) -> None:
    tab = _open(world, open_screen, world.ben, "person-tie", world.vic)
    form = f"person-tie-{world.vic}"
    tab.button(f"{form}:save").click().run()
    assert "choose who it is" in _shown(tab)
    tab.text_input(f"{form}:other:text").set_value("Gus").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    tie = world.one(select(Relation.id).where(Relation.learner_id == world.vic, Relation.adult_id == world.gus,
                                              Relation.tie == Tie.GUARDIAN))
    assert tie
    tab.button(f"untie-{tie}").click().run()
    assert not world.one(select(Relation.id).where(Relation.id == tie))


def test_a_learner_joins_and_leaves_a_team(world: World, open_screen: Opener) -> None:
    tab = _open(world, open_screen, world.ben, "person-team", world.vic)
    form = f"person-team-{world.vic}"
    tab.text_input(f"{form}:team-{world.programme}:text").set_value("Lone").run()
    tab.button(f"{form}:save").click().run()
    stay = world.one(select(TeamMember.id).where(TeamMember.learner_id == world.vic))
    assert stay
    tab.button(f"leave-{stay}").click().run()
    assert not tab.exception
    assert world.one(select(TeamMember.until_day).where(TeamMember.id == stay)) is not None


def test_roles_are_given_and_taken(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.ben, "person", person=world.vic)
    pills = next(each for each in tab.button_group if str(each.key).startswith("roles-"))
    pills.set_value([Role.LEARNER, Role.PRACTITIONER]).run()
    assert not tab.exception
    held = set(world.all(select(RoleGrant.role).where(RoleGrant.person_id == world.vic)))
    assert held == {Role.LEARNER, Role.PRACTITIONER}
    assert "is coach now" in _shown(tab)


def test_an_account_is_switched_off_and_on(world: World, open_screen: Opener) -> None:
    tab = _open(world, open_screen, world.ben, "person-off", world.vic)
    tab.button(f"person-off-{world.vic}:save").click().run()
    assert not tab.exception
    assert world.one(select(Person.disabled_at).where(Person.id == world.vic)) is not None
    assert "switched off" in _shown(tab)
    tab.button("feedback-undo").click().run()
    assert world.one(select(Person.disabled_at).where(Person.id == world.vic)) is None


@pytest.mark.parametrize(("panel", "about"), [("person-link", "sara"), ("person-invite", "sara")])
def test_a_link_is_shown_to_be_handed_over(world: World, open_screen: Opener, panel: str, about: str) -> None:
    tab = _open(world, open_screen, world.ben, panel, getattr(world, about))
    tab.button("links-make").click().run()
    assert "/link/" in tab.code[0].value
    assert world.one(select(func.count()).select_from(OneTimeLink)) == 1


@pytest.mark.parametrize("panel", ["person-edit", "person-tie", "person-team", "person-link", "person-off"])
@pytest.mark.parametrize("persona", ["tom", "gus", "lena", "mona"])
def test_forbidden_panels_do_nothing(world: World, open_screen: Opener, panel: str, persona: str) -> None:
    before = _everything(world)
    tab = _open(world, open_screen, getattr(world, persona), panel, world.sara)
    for button in tab.button:
        if str(button.key) == "links-make" or (
            str(button.key).startswith(f"{panel}-") and str(button.key).endswith(":save")
        ):
            button.click().run()
            assert not tab.exception
    assert _everything(world) == before


def _everything(world: World) -> list[Any]:
    return [world.one(select(func.count()).select_from(model)) for model in (Relation, TeamMember, OneTimeLink)] + [
        world.one(select(Person.version).where(Person.id == world.sara)),
        world.one(select(func.count()).select_from(SignIn).where(SignIn.ended_at.is_not(None))),
    ]

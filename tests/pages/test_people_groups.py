"""Groups on screen (A1): their list, their names and who is in them."""

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from db.models.people import Group, GroupMember
from tests.factories import World
from tests.pages.conftest import Opener
from tests.pages.conftest import texts as written


def texts(tab: AppTest) -> str:
    """What the screen says, without what keeps it from being read as Markdown."""
    return written(tab).replace("\\", "")


def opened(tab: AppTest, panel: str, *about: int) -> AppTest:
    """The same tab with a side panel open."""
    tab.session_state["panel:open"], tab.session_state["panel:key"] = (panel, about), "key"
    return tab.run()


def test_a1_groups_are_added_renamed_and_found(world: World, open_screen: Opener) -> None:
    tab, form = open_screen(world.ben, "groups"), f"people-group-new-{world.programme}"
    assert "There is no group yet" in texts(tab)
    tab.button("people-group-add").click().run()
    tab.button(f"{form}:save").click().run()
    assert "Give the group a name." in texts(tab)
    tab.text_input(f"{form}:name").set_value("Peers")
    tab.button(f"{form}:save").click().run()
    assert "Added the group Peers." in texts(tab)
    group = world.one(select(Group.id))
    opened(tab, "people-group-rename", world.programme, group)
    tab.text_input(f"people-group-rename-{group}:name").set_value("Friends")
    tab.button(f"people-group-rename-{group}:save").click().run()
    assert list(tab.dataframe[0].value["Name"]) == ["Friends"]
    tab.text_input("groups-text").set_value("zyzzyva").run()
    assert not tab.exception
    assert "No group is called like that" in texts(tab)


def test_a1_members_join_are_ticked_and_taken_out(world: World, open_screen: Opener) -> None:
    group = world.group("Peers", {world.sara: False})
    member = world.one(select(GroupMember.id))
    form = f"people-group-members-{group}"
    tab = opened(open_screen(world.ben, "groups"), "people-group-members", world.programme, group)
    tab.button(f"{form}:save").click().run()
    assert "Type a name and choose the one that is meant." in texts(tab)
    tab.text_input(f"{form}:person:text").set_value("Vic").run()
    tab.checkbox(f"{form}:granted").check()
    tab.button(f"{form}:save").click().run()
    assert "Vic joined Peers, and shares completed sessions." in texts(tab)
    tab.checkbox(f"people-group-grants-{member}").check().run()
    assert "Sara shares completed sessions with Peers." in texts(tab)
    assert world.all(select(GroupMember.person_id, GroupMember.granted).order_by(GroupMember.id)) == [
        (world.sara, True), (world.vic, True)]
    tab.button("feedback-undo").click().run()
    assert tab.checkbox(f"people-group-grants-{member}").value is False
    tab.button(f"people-group-leave-{member}").click().run()
    assert not tab.exception
    assert world.all(select(GroupMember.person_id)) == [world.vic]
    assert [list(tab.dataframe[0].value[name]) for name in ("Members", "Sharing")] == [[1], [1]]


def test_a1_only_an_empty_group_offers_to_be_deleted(world: World, open_screen: Opener) -> None:
    world.group("Empty", {})
    world.group("Peers", {world.sara: True})
    tab = open_screen(world.cora, "groups")
    assert [list(each) for each in tab.dataframe[0].value["Change"]] == [
        ["Members", "Rename", "Delete"], ["Members", "Rename"]]

"""Calendar addresses on screen: made, shown once, made anew, revoked; for oneself and for timetables."""

from typing import Any

import pytest
from sqlalchemy import delete, select
from streamlit.testing.v1 import AppTest

from core.feeds.queries import Behind, behind
from db.models.feeds import Feed
from db.models.programmes import RoleGrant
from tests.factories import TEN, World
from tests.pages.conftest import Opener, texts


def press(tab: AppTest, key: str) -> AppTest:
    tab.button(key).click().run()
    assert not tab.exception, tab.exception
    return tab


def shown(tab: AppTest) -> list[str]:
    """Tokens of the addresses on the screen."""
    return [str(each.value).rpartition("/")[2].removesuffix(".ics") for each in tab.code]


def buttons(tab: AppTest) -> set[str]:
    return {each.key for each in tab.button if each.key and each.key.startswith("address-")}


@pytest.mark.parametrize("persona", ["alice", "mona", "tom", "sara", "gus", "lena"])
def test_everybody_makes_an_address_and_sees_it_once(world: World, open_screen: Opener, persona: str) -> None:
    tab = open_screen(world.people[persona], "account")
    assert buttons(tab) == {"address-own-make"}
    press(tab, "address-own-make")
    (token,) = shown(tab)
    assert behind(world.engine, token) == Behind(world.people[persona], None)
    assert "Copy it now" in texts(tab)
    assert tab.code[0].value.startswith("http")
    press(tab, "address-own-done")
    assert shown(tab) == []
    assert token not in repr(tab.session_state)
    assert shown(open_screen(world.people[persona], "account")) == []


def test_a_new_address_takes_the_place_of_the_old(world: World, open_screen: Opener) -> None:
    tab = press(open_screen(world.tom, "account"), "address-own-make")
    (old,) = shown(tab)
    (new,) = shown(press(tab, "address-own-make"))
    assert "The one before has stopped working" in texts(tab)
    assert (behind(world.engine, old), behind(world.engine, new)) == (None, Behind(world.tom, None))


def test_a_revoked_address_is_gone_from_the_screen_too(world: World, open_screen: Opener) -> None:
    tab = press(open_screen(world.tom, "account"), "address-own-make")
    (token,) = shown(tab)
    press(tab, "address-own-revoke")
    assert "It has stopped working" in texts(tab)
    assert (shown(tab), buttons(tab), behind(world.engine, token)) == ([], {"address-own-make"}, None)
    assert "feedback-undo" not in {each.key for each in tab.button}


def test_going_elsewhere_hides_an_address(world: World, open_screen: Opener) -> None:
    tab = press(open_screen(world.tom, "account"), "address-own-make")
    tab.switch_page("../pages/work/sessions.py").run()
    tab.switch_page("../pages/settings/account.py").run()
    assert shown(tab) == []
    assert buttons(tab) == {"address-own-make", "address-own-revoke"}


def test_x6_a_timetable_can_be_followed_by_those_who_may_see_it(world: World, open_screen: Opener) -> None:
    assert not [each for each in open_screen(world.sara, "account").selectbox if each.key == "address-timetable"]
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.weekly, starts_at=TEN)
    tab = open_screen(world.sara, "account")
    assert tab.selectbox("address-timetable").options == ["Weekly · Home"]
    tab.selectbox("address-timetable").set_value(world.weekly).run()
    press(tab, f"address-{world.weekly}-make")
    (token,) = shown(tab)
    assert behind(world.engine, token) == Behind(world.sara, world.weekly)
    assert not [each for each in tab.selectbox if each.key == "address-timetable"]


def test_an_address_whose_timetable_is_out_of_sight_can_still_be_revoked(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.cora, "account")
    tab.selectbox("address-timetable").set_value(world.weekly).run()
    press(tab, f"address-{world.weekly}-make")
    world.raw(lambda work: work.tx.execute(delete(RoleGrant).where(RoleGrant.person_id == world.cora)) and None)
    tab = open_screen(world.cora, "account")
    assert "A timetable that you may not see any more" in texts(tab)
    assert "Weekly" not in texts(tab)
    assert buttons(tab) == {"address-own-make", f"address-{world.weekly}-revoke"}
    press(tab, f"address-{world.weekly}-revoke")
    assert world.one(select(Feed.revoked_at)) is not None


def test_the_list_of_timetables_leads_to_the_same(world: World, open_screen: Opener) -> None:
    tab: Any = open_screen(world.cora, "timetable-list")
    tab.session_state["panel:open"] = ("entry-calendar", (world.weekly,))
    tab.run()
    assert not tab.exception
    press(tab, f"address-{world.weekly}-make")
    (token,) = shown(tab)
    assert behind(world.engine, token) == Behind(world.cora, world.weekly)
    tab.session_state["panel:open"] = ("entry-calendar", (world.their_timetable,))
    tab.run()
    assert "This is not in the list any more." in texts(tab)


@pytest.mark.parametrize("persona", ["alice", "tom", "sara", "gus", "lena"])
def test_whoever_sees_a_session_can_take_it_along(world: World, open_screen: Opener, persona: str) -> None:
    ahead = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    without = world.book(practitioner=world.tom, learner=world.sara)
    for session, links in ((ahead, [f"/export/session/{ahead}.ics"]), (without, [])):
        tab = open_screen(world.people[persona], "worksheet", session=session)
        assert not tab.exception
        assert [each.proto.url for each in tab.get("link_button")] == links

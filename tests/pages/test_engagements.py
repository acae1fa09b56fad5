"""Engagements on screen: their list, and what is left of them where it is needed."""

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.engagements.commands import add_engagement
from core.engagements.rules import NewEngagement
from db.models.learning import Engagement
from tests.factories import TEN, World
from tests.pages.conftest import Opener
from tests.pages.conftest import texts as written


def texts(tab: AppTest) -> str:
    """What the screen says, without what keeps it from being read as Markdown."""
    return written(tab).replace("\\", "")


def test_they_are_added_listed_and_edited(world: World, open_screen: Opener) -> None:
    tab, form = open_screen(world.cora, "engagements"), f"engagement-new-{world.programme}"
    tab.button("engagement-add").click().run()
    tab.button(f"{form}:save").click().run()
    assert "Give the engagement a name." in texts(tab)
    tab.text_input(f"{form}:name").set_value("Maths until May")
    tab.number_input(f"{form}:hours").set_value(10.0)
    tab.text_input(f"{form}:practitioner:text").set_value("Tom").run()
    tab.text_input(f"{form}:learner:text").set_value("Sara").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert world.all(select(Engagement.practitioner_id, Engagement.learner_id, Engagement.agreed_minutes)) == [
        (world.tom, world.sara, 600)]
    assert list(tab.dataframe[0].value["Left"]) == ["10 hours"]
    id_ = world.one(select(Engagement.id))
    tab.session_state["panel:open"] = ("engagement-edit", (world.programme, id_))
    tab.session_state["panel:key"] = "edit-key"
    tab.run()
    tab.number_input(f"engagement-edit-{id_}:hours").set_value(12.5)
    tab.button(f"engagement-edit-{id_}:save").click().run()
    assert not tab.exception
    assert world.one(select(Engagement.agreed_minutes)) == 750


def test_what_is_left_stands_where_it_is_needed(world: World, open_screen: Opener) -> None:
    world.do(world.alice, add_engagement, world.programme, NewEngagement(
        "Maths until May", world.tom, world.sara, agreed_minutes=90))
    tab = open_screen(world.alice, "book", practitioner=world.tom, learner=world.sara)
    assert "Maths until May: 1.5 of 1.5 hours left" in texts(tab)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert "Maths until May: 0.5 of 1.5 hours left" in texts(open_screen(world.sara, "worksheet", session=session))
    assert "it can be booked all the same" in texts(
        open_screen(world.alice, "book", practitioner=world.tom, learner=world.sara))
    assert "0.5 of 1.5 hours left" in texts(open_screen(world.tom, "person", person=world.sara))
    assert "Maths until May" not in texts(open_screen(world.lena, "worksheet", session=session))

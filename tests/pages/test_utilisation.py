"""Utilisation on screen: for each role, its filters, its figures with what they mean, and the way behind them."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete
from streamlit.testing.v1 import AppTest

from core.insight.rules import MEANS, Figure
from core.permissions import Action
from core.sessions.address import listing
from core.sessions.queries import session_count
from db.models.availability import WeeklyWindow
from db.words import Role
from tests.factories import DAY, HOUR, LONG_AGO, TEN, World, statements
from tests.pages.conftest import Opener, texts

LINK = re.compile(r'<a href="([^"]*)" title="([^"]*)">([^<]*)</a>')
MONDAY = "2026-03-02"


@pytest.fixture(autouse=True)
def hours(world: World) -> None:
    """Tom can be booked on Tuesdays from nine to five, Tess not at all; two hours of Tom's are booked, one is held."""
    world.raw(lambda work: work.tx.execute(
        delete(WeeklyWindow).where(WeeklyWindow.programme_id == world.programme)) and None)
    world.add(WeeklyWindow, programme_id=world.programme, person_id=world.tom, weekday=1, from_minute=540,
              until_minute=1020, zone="Europe/London", from_day=LONG_AGO)
    world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN))
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 2 * HOUR)


def html(tab: AppTest) -> str:
    return "".join(str(each.value) for each in tab.get("html") if "figures" in str(each.value))


def figures(tab: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in tab.metric}


def test_figures_stand_with_what_they_mean(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.mona, "utilisation", **{"from": MONDAY, "to": MONDAY})
    assert not tab.exception
    assert figures(tab) == {"Available": "8 h", "Booked": "2 h", "Delivered": "1 h", "Utilisation": "25%"}
    assert {each.label.lower(): each.help for each in tab.metric} == {str(each): MEANS[each] for each in Figure}
    assert "Weeks from Mon 2 Mar 2026 to Sun 8 Mar 2026 · Europe/London (GMT)" in texts(tab)


@pytest.mark.parametrize("persona", ["alice", "cora", "mona", "tom"])
def test_those_who_see_figures_find_the_screen(world: World, open_screen: Opener, persona: str) -> None:
    tab = open_screen(world.people[persona], "utilisation")
    assert not tab.exception
    assert tab.title[0].value == "Utilisation"
    assert ("Tess" in html(tab)) is (persona != "tom"), "a practitioner sees their own alone"
    assert any(each.label == "Coach" for each in tab.multiselect) is (persona != "tom")


@pytest.mark.parametrize("persona", ["ben", "cuno", "sara", "gus", "lena", "zed"])
def test_x6_nobody_else_does(world: World, open_screen: Opener, persona: str) -> None:
    if persona == "zed":
        assert "Tom" not in html(open_screen(world.zed, "utilisation"))
        return
    with pytest.raises(ValueError, match="utilisation"):
        open_screen(world.people[persona], "utilisation")


def test_a_custom_manager_does_where_ticked(world: World, open_screen: Opener) -> None:
    world.tick(Action.INSIGHT_SEE)
    tab = open_screen(world.cuno, "utilisation")
    assert not tab.exception
    assert "Tom" in html(tab)


def test_no_hours_are_said_and_are_no_zero(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.mona, "utilisation", practitioner="Tess")
    assert "Nobody has hours or sessions in these weeks." in texts(tab)
    assert not tab.get("plotly_chart"), "no empty chart"
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, reason="asked for")
    tab = open_screen(world.mona, "utilisation", practitioner="Tess")
    assert figures(tab)["Utilisation"] == "no hours"
    assert "no hours: 1 h booked of 0 h available, 0 h delivered" in html(tab)


def test_every_link_leads_to_exactly_the_sessions_that_it_counts(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN + 7 * DAY, reason="asked for")
    cancelled = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 4 * HOUR)
    world.set(cancelled, cancelled_at=world.now)
    found = {}
    for where, title, said in LINK.findall(html(open_screen(world.mona, "utilisation"))):
        asked = parse_qs(urlsplit(where.replace("&amp;", "&")).query)
        assert urlsplit(where).path == "/sessions"
        assert asked["programme"] == ["Home"]
        with world.reading(world.mona) as work:
            count = session_count(work, world.programme, listing(work, world.programme, asked).filters)
        found[title.split(":")[0]] = (said, count)
    assert found == {
        "Tom, week of Mon 2 Mar 2026": ("25%", 2), "Tess, week of Mon 9 Mar 2026": ("1 h", 1),
        "Tom, booked in all weeks": ("2 h", 2), "Tom, delivered in all weeks": ("1 h", 1),
        "Tess, booked in all weeks": ("1 h", 1), "Together, week of Mon 2 Mar 2026": ("25%", 2),
        "Together, week of Mon 9 Mar 2026": ("13%", 1), "Together, booked in all weeks": ("3 h", 3),
        "Together, delivered in all weeks": ("1 h", 1),
    }


@pytest.mark.parametrize(("address", "booked"), [
    ({"course": "Maths"}, "3 h"), ({"type": "coaching"}, "5 h"), ({"timetable": "Tom's own"}, "3 h"),
    ({"practitioner": "Tess"}, "no charts"), ({"from": "2026-03-09"}, "0 h"), ({"practitioner": "Nobody"}, "no charts"),
])
def test_filters_narrow_the_figures(world: World, open_screen: Opener, address: dict[str, str], booked: str) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 4 * HOUR, minutes=180,
               course_ids=(world.maths,), timetable=world.toms_own)
    tab = open_screen(world.mona, "utilisation", **address)
    assert not tab.exception
    if booked == "no charts":
        assert not tab.metric
    else:
        assert figures(tab)["Booked"] == booked
    assert ("Not known here: Nobody" in texts(tab)) is (address.get("practitioner") == "Nobody")


def test_choosing_puts_it_into_the_address(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.mona, "utilisation")
    tab.multiselect("filter:practitioner").set_value(["Tom"]).run()
    tab.selectbox("utilisation:order").set_value("most").run()
    assert tab.query_params["practitioner"] in ("Tom", ["Tom"])
    assert tab.query_params["sort"] in ("most", ["most"])
    assert "Tess" not in html(tab)


@pytest.mark.parametrize("address", [
    {"from": "9999-99-99"}, {"from": "2099-12-31"}, {"to": "2000-01-01"}, {"from": "2000-01-01"}, {"page": "-1"},
    {"page": "9" * 30}, {"page": "²"}, {"page": "0"}, {"sort": "<b>"}, {"type": "x" * 500}, {"practitioner": "\0"},
    {"from": "2026-03-30", "to": "2026-03-01"},
])
def test_a_strange_address_is_no_mishap(world: World, open_screen: Opener, address: dict[str, str]) -> None:
    assert not open_screen(world.alice, "utilisation", **address).exception


def test_more_weeks_than_are_shown_are_told(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.mona, "utilisation", **{"from": MONDAY, "to": "2027-03-01"})
    assert "At most 26 weeks are shown at once" in texts(tab)


def test_strange_names_are_only_names(world: World, open_screen: Opener) -> None:
    name = "<img src=x onerror=alert(1)> \"Bo\""
    bo = world.person(name, Role.PRACTITIONER)
    world.book(practitioner=bo, learner=world.vic, starts_at=TEN)
    assert "<img" not in html(open_screen(world.mona, "utilisation"))


def test_it_asks_the_same_number_of_questions_for_2_and_for_30(world: World, open_screen: Opener) -> None:
    def asked() -> tuple[int, Any]:
        with statements(world.engine) as sent:
            tab = open_screen(world.mona, "utilisation")
        assert not tab.exception
        return len(sent), tab

    few, _ = asked()
    for n in range(30):
        world.book(practitioner=world.person(f"Extra {n:02}", Role.PRACTITIONER), learner=world.sara,
                   starts_at=TEN + DAY + n * HOUR, reason="asked for")
    many, tab = asked()
    assert few == many
    assert html(tab).count("<tr>") == 27, "25 on a page, the heading, and all together"
    tab.query_params["page"] = "2"
    assert html(tab.run()).count("<tr>") == 9

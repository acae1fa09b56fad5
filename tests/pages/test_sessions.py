"""Sessions: the list for every role, its filters in the address, sorting, pages and quick fixes (A1, A3-A8, B1)."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.sessions.address import Listing
from core.sessions.queries import Filters
from db.words import Status
from tests.factories import DAY, HOUR, TEN, World, statements
from tests.pages.conftest import Opener, opened, texts
from ui import table
from ui.format import STATUS

LIST = Listing(Filters())


@pytest.fixture
def session(world: World) -> int:
    """Tom with Sara on Tuesday at ten, made by Ben."""
    return world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,),
                      timetable=world.weekly, description="about the move")


def shown(tab: AppTest) -> Any:
    """The table."""
    assert not tab.exception, tab.exception
    return tab.dataframe[0].value


def numbers(tab: AppTest) -> list[int]:
    """Numbers of the sessions shown, from top to bottom."""
    return [int(number) for number in shown(tab)["number"]] if tab.dataframe else []


@pytest.mark.parametrize("persona", ["alice", "ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena"])
def test_a1_everybody_sees_what_they_may(world: World, open_screen: Opener, session: int, persona: str) -> None:
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    tab = open_screen(world.people[persona], "sessions")
    staff = persona in ("alice", "ben", "cora", "cuno", "mona")
    assert numbers(tab) == ([1, 2] if staff else [1])
    row = shown(tab).iloc[0]
    assert (row["status"], row["time"], row["practitioner"], row["team"], row["timetable"], row["course"]) == (
        "◷\u00a0scheduled", "Tue 3 Mar, 10:00–11:00", "Tom", "Sara", "Weekly", "Maths")
    assert "Europe/London" in texts(tab)


@pytest.mark.parametrize("persona", ["sam", "vic", "tess"])
def test_a1_nobody_sees_more(world: World, open_screen: Opener, session: int, persona: str) -> None:
    tab = open_screen(world.people[persona], "sessions")
    assert not tab.exception
    assert numbers(tab) == []
    assert "There are no sessions yet" in texts(tab)


def test_d7_a_line_manager_reads_no_words(world: World, open_screen: Opener, session: int) -> None:
    frame = shown(open_screen(world.lena, "sessions"))
    assert "about the move" not in frame.to_csv()
    assert "about the move" in shown(open_screen(world.tom, "sessions")).to_csv()


@pytest.mark.parametrize(("persona", "labels"), [
    ("alice", {table.MOVE, table.DUPLICATE, table.NEXT, table.CANCEL, table.DELETE}),
    ("tom", {table.MOVE, table.DUPLICATE, table.NEXT, table.CANCEL}), ("mona", set()), ("sara", set()), ("lena", set()),
])
def test_a6_the_menu_of_a_row_offers_what_is_allowed(
    world: World, open_screen: Opener, session: int, persona: str, labels: set[str]
) -> None:
    menu = set(shown(open_screen(world.people[persona], "sessions")).iloc[0]["actions"])
    assert menu == ({table.OPEN, *labels} if labels else {":material/open_in_new:"})


def test_a3_labels_stand_beside_the_status(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - DAY - 5 * HOUR, reason="early")
    world.book(practitioner=world.tom)
    world.now = TEN
    frame = shown(open_screen(world.alice, "sessions"))
    assert set(frame["status"]) == {"◷\u00a0scheduled ✎\u00a0to\u00a0log", "○\u00a0unscheduled +\u00a0to\u00a0place"}
    assert "no time yet" in set(frame["time"])


def test_every_status_has_a_sign_and_a_colour() -> None:
    assert set(table.SIGNS) == set(STATUS) == {*Status, "to log", "to place"}


@pytest.mark.parametrize(("address", "found"), [
    ({"practitioner": "Tom"}, [1]), ({"status": "to place"}, [2]), ({"text": "move"}, [1]), ({"team": "Comet"}, []),
    ({"sort": "number", "order": "up"}, [1, 2]), ({"sort": "number"}, [2, 1]), ({"practitioner": "Zed"}, []),
    ({"from": "2026-03-03", "to": "2026-03-03"}, [1]), ({"page": "99", "sort": "number"}, [2, 1]),
])
def test_the_address_says_what_is_listed(
    world: World, open_screen: Opener, session: int, address: dict[str, str], found: list[int]
) -> None:
    world.book(practitioner=world.tess)
    tab = open_screen(world.alice, "sessions", **address)
    assert numbers(tab) == found
    if address.get("practitioner") == "Zed":
        assert "Not known here: Zed" in texts(tab)


def test_afresh_it_shows_what_is_ahead_and_earlier_ones_are_a_click_away(
    world: World, open_screen: Opener, session: int
) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 5 * DAY, reason="a Sunday")
    world.now = TEN + DAY
    tab = open_screen(world.alice, "sessions")
    assert numbers(tab) == [2]
    assert tab.query_params["from"] in ("2026-03-04", ["2026-03-04"])
    tab.button(key="earlier").click().run()
    assert numbers(tab) == [2, 1]
    tab.button(key="today").click().run()
    assert numbers(tab) == [2]
    world.now = TEN + 9 * DAY
    assert numbers(open_screen(world.alice, "sessions")) == [2, 1], "with nothing ahead, all of them"


def test_filters_are_written_into_the_address_and_cleared(world: World, open_screen: Opener, session: int) -> None:
    tab = open_screen(world.alice, "sessions", page="1")
    tab.multiselect(key="filter:status").set_value(["held", "missed"]).run()
    assert tab.query_params["status"] == ["held", "missed"]
    assert "No sessions match" in texts(tab)
    tab.text_input(key="filter:text").set_value("move").run()
    assert tab.query_params["text"] in ("move", ["move"])
    tab.button(key="filter:clear").click().run()
    assert numbers(tab) == [1]
    assert not {"status", "text"} & set(tab.query_params)
    assert next(each for each in tab.text_input if each.label == "Find").value == ""


def test_x6_filters_offer_only_what_the_viewer_may_see(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.sara, "sessions"), "filter:more")
    offered = {each.key: each.options for each in tab.multiselect}
    assert offered["filter:course"] == ["Maths"]
    assert "Tom's own" not in offered["filter:timetable"]
    assert "filter:learner" not in offered


def test_a_view_is_kept_and_opened(world: World, open_screen: Opener, session: int) -> None:
    tab = open_screen(world.alice, "sessions", status="held")
    tab.text_input(key="view:name").set_value("Held ones").run()
    tab.button(key="view-save").click().run()
    assert not tab.exception
    assert "Saved the view" in texts(tab)
    assert tab.text_input(key="view:name").value == ""
    tab.button(key="filter:clear").click().run()
    kept = next(each for each in tab.button if str(each.key).startswith("view-open-"))
    kept.click().run()
    assert tab.query_params["status"] in ("held", ["held"])
    shown = next(each for each in tab.multiselect if each.label == "Status")
    assert shown.value == ["held"]
    assert shown.key != "filter:status", "a browser that still speaks for the old field is not heard"


def test_a_view_without_a_name_is_refused_beside_the_field(world: World, open_screen: Opener, session: int) -> None:
    tab = open_screen(world.alice, "sessions")
    tab.button(key="view-save").click().run()
    assert "Give the view a name" in texts(tab)


def test_a_quick_fix_is_previewed_and_made_once(world: World, open_screen: Opener, session: int) -> None:
    held = world.held(world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN))
    tab = open_screen(world.alice, "sessions")
    tab.session_state["panel:open"] = ("fix", ("shift in time", session, held))
    tab.run()
    tab.number_input(key="fix:days").set_value(1).run()
    said = texts(tab).replace("\\", "")
    assert "Tue 3 Mar 2026, 10:00–11:00 → Wed 4 Mar 2026, 10:00–11:00" in said
    assert "1 of 2 cannot be changed" in said
    send = tab.button(key="fix-send")
    assert send.label == "Change 1 session"
    send.click().run()
    assert world.fact(session, "starts_at") == TEN + DAY
    assert world.fact(held, "starts_at") == TEN
    assert "Undo" in {each.label for each in tab.button}


def test_pages_turn(world: World, open_screen: Opener) -> None:
    world.book_many([
        world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + n // 6 * DAY + n % 6 * HOUR,
                      reason="many") for n in range(51)
    ])
    tab = open_screen(world.alice, "sessions", sort="number", order="up")
    assert numbers(tab) == list(range(1, 51))
    assert "1–50 of 51" in texts(tab)
    tab.button(key="page-right").click().run()
    assert numbers(tab) == [51]
    assert tab.button(key="page-right").disabled
    tab.button(key="page-left").click().run()
    assert numbers(tab) == list(range(1, 51))
    assert numbers(open_screen(world.alice, "sessions", sort="number", order="up", page="2")) == [51]


@pytest.mark.parametrize("persona", ["alice", "tom", "sara", "lena"])
def test_the_screen_asks_the_same_number_of_queries_at_1_and_at_50_rows(
    world: World, open_screen: Opener, persona: str
) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,))
    tab = open_screen(world.people[persona], "sessions")

    def cost() -> int:
        with statements(world.engine) as sent:
            tab.run()
        assert not tab.exception
        return len(sent)

    one = cost()
    world.book_many([
        world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + (n // 6 + 1) * DAY + n % 6 * HOUR,
                      reason="many") for n in range(49)
    ])
    assert cost() == one
    assert len(numbers(tab)) == 50


def test_cards_say_the_same(world: World, open_screen: Opener, session: int) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY, location="The cellar")
    tab = open_screen(world.alice, "sessions")
    assert list(shown(tab)["where"]) == ["", "The cellar"]
    tab.session_state["look"] = "cards"
    tab.run()
    assert not tab.exception
    assert "The cellar" in texts(tab)
    said = texts(tab).replace("\\", "")
    assert "Tue 3 Mar, 10:00–11:00" in said
    assert "Tom · Sara · Weekly" in said


def test_a8_a_heading_says_how_the_list_is_sorted() -> None:
    up = Listing(Filters(), "number", down=False)
    assert (table.heading("Time", "time", LIST), table.heading("No.", "number", up)) == ("Time ↓", "No. ↑")
    assert table.heading("No.", "number", LIST) == "No."

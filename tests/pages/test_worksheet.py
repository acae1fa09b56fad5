"""Worksheet: one session whole, as far as each viewer may see, and what can be done (A4-A7, B4, B5, B10, D7)."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.people.queries import profile
from core.programmes.rules import WhoBooks
from core.sessions.changing import Edit, edit_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.queries import worksheet
from db.models.sessions import Participation, Session
from db.words import Method, Status
from tests.factories import DAY, HOUR, TEN, World
from tests.pages.conftest import Opener, texts

WORDS: dict[str, Any] = {"description": "about the move", "location": "Room four", "planning_notes": "bring the plan"}


@pytest.fixture
def session(world: World) -> int:
    """Tom with Sara on Tuesday at ten, made by Ben."""
    return world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, **WORDS)


def said(tab: AppTest) -> str:
    """What the screen says, its links among it, without the signs that keep it from being Markdown."""
    return "\n".join([texts(tab), *(link.label for link in tab.get("page_link"))]).replace("\\", "")


def buttons(tab: AppTest) -> set[str]:
    """What can be pressed on the screen, the menu's entries among it."""
    found = {each.label for each in tab.button}
    for menu in tab.get("menu_button"):
        found.update(option.split(": ", 1)[-1] for option in getattr(menu, "options", ()))
    return {label.rsplit(": ", 1)[-1].strip() for label in found}


def opened(tab: AppTest, which: str, session: int) -> AppTest:
    """One of the panels, opened as the menu does."""
    tab.session_state["panel:open"] = (f"session-{which}", (session,))
    tab.run()
    assert not tab.exception, tab.exception
    return tab


def press(tab: AppTest, which: str, session: int, button: str = "send") -> AppTest:
    """Press a button of a panel."""
    tab.button(key=f"{which}-{session}:{button}").click().run()
    assert not tab.exception, tab.exception
    return tab


EVERYONE = ("alice", "ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena")


@pytest.mark.parametrize("persona", EVERYONE)
def test_a1_whoever_may_see_it_sees_who_and_when(
    world: World, open_screen: Opener, session: int, persona: str
) -> None:
    tab = open_screen(getattr(world, persona), "worksheet", session=session)
    assert not tab.exception, tab.exception
    assert "Session 1" in said(tab)
    assert "Tue 3 Mar 2026, 10:00–11:00" in said(tab)
    assert "Europe/London (GMT)" in said(tab)
    assert "scheduled" in said(tab)
    assert "Sara" in said(tab)


@pytest.mark.parametrize("persona", ["tess", "sam", "vic", "zed", "zara"])
def test_x6_to_all_others_it_does_not_exist(world: World, open_screen: Opener, session: int, persona: str) -> None:
    tab = open_screen(getattr(world, persona), "worksheet", session=session)
    assert not tab.exception, tab.exception
    assert "This does not exist, or you may not see it." in said(tab)
    assert "Sara" not in said(tab)
    assert "Session 1" not in said(tab)


@pytest.mark.parametrize("named", ["0", "99999", "-1", "x", "9" * 30, "1; drop table session", ""])
def test_an_unknown_id_is_not_found(world: World, open_screen: Opener, named: str) -> None:
    tab = open_screen(world.alice, "worksheet", session=named)
    assert not tab.exception, tab.exception
    assert "This does not exist, or you may not see it." in said(tab)


def test_d7_a_line_manager_sees_no_words(world: World, open_screen: Opener, session: int) -> None:
    world.do(world.ben, cancel_sessions, [session], "she is ill")
    tab = open_screen(world.lena, "worksheet", session=session)
    assert "cancelled" in said(tab)
    for word in (*WORDS.values(), "she is ill"):
        assert word not in said(tab)


def test_a4_who_may_reschedule_and_who_asks(world: World, open_screen: Opener, session: int) -> None:
    for persona in ("alice", "ben", "tom"):
        assert "Reschedule" in buttons(open_screen(getattr(world, persona), "worksheet", session=session))
    for persona in ("sara", "gus"):
        assert "Ask for another time" in buttons(open_screen(getattr(world, persona), "worksheet", session=session))
    for persona in ("mona", "lena"):
        assert buttons(open_screen(getattr(world, persona), "worksheet", session=session)) <= {"Sign out"}


def test_b11_practitioners_ask_where_staff_book(world: World, open_screen: Opener, session: int) -> None:
    world.policy(who_books=WhoBooks.STAFF)
    shown = buttons(open_screen(world.tom, "worksheet", session=session))
    assert "Ask for another time" in shown
    assert not shown & {"Reschedule", "Edit", "Cancel", "Delete", "Reassign", "Book next", "Duplicate"}


def test_the_first_action_follows_the_state(world: World, open_screen: Opener, session: int) -> None:
    def first() -> str:
        return str(open_screen(world.alice, "worksheet", session=session).button(key="worksheet-first").label)

    assert first() == "Reschedule"
    world.now = TEN + 2 * HOUR
    assert first() == "Record outcome"
    world.set(session, starts_at=None, ends_at=None)
    assert first() == "Put on the calendar"
    world.set(session, practitioner_id=None)
    assert first() == "Choose a coach"


def test_a4_reschedules(world: World, open_screen: Opener, session: int) -> None:
    tab = open_screen(world.alice, "worksheet", session=session)
    tab.button(key="worksheet-first").click().run()
    assert "Everybody who takes part is told" in said(tab)
    name = f"reschedule-{session}"
    assert tab.session_state[f"{name}:time"] == "10:00"
    tab.text_input(key=f"{name}:time").set_value("12:00").run()
    press(tab, "reschedule", session)
    assert world.fact(session, "starts_at") == TEN + 2 * HOUR
    assert "Moved session 1 to Tue 3 Mar 2026, 12:00–13:00." in said(tab)
    assert "Undo" in buttons(tab)


@pytest.mark.parametrize(("field", "value", "sentence"), [
    ("date", "31 Feb", "This is no date."),
    ("date", "0001-01-01", "Choose a date from 2000 to 2099."),
    ("date", "9999-12-31", "Choose a date from 2000 to 2099."),
    ("date", "", "Choose a date as well, or clear the time."),
    ("time", "", "Choose a time as well, or clear the date."),
    ("minutes", 7, "A duration is a multiple of 5 minutes, from 15."),
    ("minutes", 0, "A duration is a multiple of 5 minutes, from 15."),
    ("minutes", -5, "A duration is a multiple of 5 minutes, from 15."),
    ("minutes", 1800, "At most 480 minutes in this programme."),
    ("time", "1_", "This is no time. Write it like 14:30 or 2:30 pm."),
    ("time", "23:00", "Give a reason to book outside opening hours."),
])
def test_a_bad_time_is_refused_beside_its_field_and_stays(
    world: World, open_screen: Opener, session: int, field: str, value: Any, sentence: str
) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "reschedule", session)
    kind = {"date": tab.text_input, "time": tab.text_input, "minutes": tab.number_input}[field]
    kind(key=f"reschedule-{session}:{field}").set_value(value).run()
    press(tab, "reschedule", session)
    assert sentence in said(tab)
    assert tab.session_state[f"reschedule-{session}:{field}"] == value
    assert world.fact(session, "starts_at") == TEN


def test_b9_a_clash_offers_free_times(world: World, open_screen: Opener, session: int) -> None:
    world.book(practitioner=world.tom, starts_at=TEN + 2 * HOUR)
    tab = opened(open_screen(world.alice, "worksheet", session=session), "reschedule", session)
    tab.text_input(key=f"reschedule-{session}:time").set_value("12").run()
    press(tab, "reschedule", session)
    assert "Tom is busy Tue 3 Mar 2026, 12:00–13:00 (session 2)." in said(tab)
    next(each for each in tab.button if "free-" in str(each.key)).click().run()
    press(tab, "reschedule", session)
    assert world.fact(session, "starts_at") != TEN


def test_a4_off_the_calendar(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.tom, "worksheet", session=session), "reschedule", session)
    press(tab, "reschedule", session, "off")
    assert world.fact(session, "status") is Status.UNSCHEDULED
    assert "unscheduled" in said(tab)


def test_a_stale_form_shows_both_versions_and_loses_neither(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "edit", session)
    tab.text_input(key=f"edit-{session}:description").set_value("mine").run()
    world.do(world.ben, edit_sessions, [Edit(session, {"description": "theirs"})])
    press(tab, "edit", session)
    assert "was changed by somebody else" in said(tab)
    shown = tab.table[0].value.to_string()
    assert "mine" in shown
    assert "theirs" in shown
    assert tab.session_state[f"edit-{session}:description"] == "mine"
    press(tab, "edit", session, "mine")
    assert world.fact(session, "description") == "mine"


def test_theirs_can_be_taken(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "edit", session)
    tab.text_input(key=f"edit-{session}:description").set_value("mine").run()
    world.do(world.ben, edit_sessions, [Edit(session, {"description": "theirs"})])
    press(press(tab, "edit", session), "edit", session, "theirs")
    assert tab.session_state[f"edit-{session}:description"] == "theirs"
    assert world.fact(session, "description") == "theirs"


EDITS: list[tuple[str, Any, str]] = [
    ("description", "x" * 301, "At most 300 characters; this has 301."),
    ("location", "🎉" * 201, "At most 200 characters; this has 201."),
    ("planning_notes", "<i>" * 1400, "At most 4,000 characters; this has 4,200."),
    ("number", 0, "A number is between 1 and 999,999,999."), ("number", -1, "A number is between 1 and 999,999,999."),
    ("number", 10**15, "A number is between 1 and 999,999,999."), ("number", None, "A session has a number."),
    ("type", None, "Choose a type."),
]


@pytest.mark.parametrize(("field", "value", "sentence"), EDITS)
def test_a_bad_edit_is_refused_beside_its_field_and_stays(
    world: World, open_screen: Opener, session: int, field: str, value: Any, sentence: str
) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "edit", session)
    kinds = {"number": tab.number_input, "planning_notes": tab.text_area, "type": tab.selectbox}
    kinds.get(field, tab.text_input)(key=f"edit-{session}:{field}").set_value(value).run()
    before = world.fact(session, field)
    press(tab, "edit", session)
    assert sentence in said(tab), said(tab)
    assert tab.session_state[f"edit-{session}:{field}"] == value
    assert world.fact(session, field) == before


def test_html_and_markdown_stay_text(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "edit", session)
    tab.text_input(key=f"edit-{session}:description").set_value("<script>x</script> **b** 🎉").run()
    press(tab, "edit", session)
    assert world.fact(session, "description") == "<script>x</script> **b** 🎉"
    assert "\\<script\\>x\\<\\/script\\> \\*\\*b\\*\\* 🎉" in texts(tab) or "<script>x</script> **b** 🎉" in said(tab)


def test_b4_an_open_session_gets_its_first_team(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN)
    tab = open_screen(world.alice, "worksheet", session=session)
    assert tab.button(key="worksheet-first").label == "Choose who takes part"
    opened(tab, "edit", session)
    tab.segmented_control(key=f"edit-{session}:way").set_value("team").run()
    tab.session_state[f"edit-{session}:team"] = world.comet
    press(tab.run(), "edit", session)
    assert set(world.all(select(Participation.learner_id))) == {world.sara, world.sam}


def test_b4_replacing_cancels_and_books_a_linked_one(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "replace", session)
    tab.session_state[f"replace-{session}:learner"] = world.vic
    press(tab.run(), "replace", session)
    made = world.one(select(func.max(Session.id)))
    assert world.fact(session, "status") is Status.CANCELLED
    assert world.fact(made, "follows_id") == session
    assert world.fact(made, "planning_notes") is None
    assert "Session 2" in said(tab)


def test_b5_deleting_names_the_way_out_and_takes_it_in_one_step(
    world: World, open_screen: Opener, session: int
) -> None:
    tab = opened(open_screen(world.ben, "worksheet", session=session), "delete", session)
    assert "It is on the calendar." in said(tab)
    assert "Cancel and delete" in buttons(tab)
    press(tab, "delete", session)
    assert world.fact(session, "id") is None
    assert "Deleted session 1" in said(tab)


def test_b10_cancels_with_a_reason(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.tom, "worksheet", session=session), "cancel", session)
    press(tab, "cancel", session)
    assert "Give a reason" in said(tab)
    assert world.fact(session, "status") is Status.SCHEDULED
    tab.text_area(key=f"cancel-{session}:reason").set_value("snow").run()
    press(tab, "cancel", session)
    assert world.fact(session, "status") is Status.CANCELLED
    assert "Cancelled: snow" in said(tab)


def test_reopens_with_a_reason(world: World, open_screen: Opener, session: int) -> None:
    world.now = TEN + DAY
    world.held(session)
    tab = opened(open_screen(world.tom, "worksheet", session=session), "reopen", session)
    press(tab, "reopen", session)
    assert "Say why it is reopened." in said(tab)
    tab.text_input(key=f"reopen-{session}:reason").set_value("wrong day").run()
    press(tab, "reopen", session)
    assert world.fact(session, "status") is Status.SCHEDULED


def test_changes_venue_reassigns_and_asks(world: World, open_screen: Opener, session: int) -> None:
    tab = opened(open_screen(world.alice, "worksheet", session=session), "venue", session)
    tab.selectbox(key=f"venue-{session}:room").set_value(world.attic).run()
    press(tab, "venue", session)
    assert world.fact(session, "room_id") == world.attic
    opened(tab, "reassign", session)
    press(tab, "reassign", session)
    assert "Choose the coach." in said(tab)
    tab.session_state[f"reassign-{session}:practitioner"] = world.tess
    press(tab.run(), "reassign", session)
    assert world.fact(session, "practitioner_id") == world.tess
    asking = opened(open_screen(world.sara, "worksheet", session=session), "ask", session)
    press(asking, "ask", session)
    assert "Say which times suit you." in said(asking)
    asking.text_area(key=f"ask-{session}:words").set_value("Fridays").run()
    press(asking, "ask", session)
    assert "Asked for another time" in said(asking)


def test_b4_a_panel_opened_by_hand_changes_nothing_for_those_who_may_not(
    world: World, open_screen: Opener, session: int
) -> None:
    tab = opened(open_screen(world.sara, "worksheet", session=session), "cancel", session)
    tab.text_area(key=f"cancel-{session}:reason").set_value("mine").run()
    press(tab, "cancel", session)
    assert "You may not cancel session 1." in said(tab)
    assert world.fact(session, "status") is Status.SCHEDULED


def test_x5_the_timeline_says_what_happened_and_undoes_it(world: World, open_screen: Opener, session: int) -> None:
    world.do(world.ben, edit_sessions, [Edit(session, {"description": "changed"})])
    tab = open_screen(world.alice, "worksheet", session=session)
    assert "Description: about the move → changed" in said(tab)
    next(each for each in tab.button if str(each.key).startswith("worksheet-undo-")).click().run()
    assert world.fact(session, "description") == "about the move"
    assert "undone" in said(tab)


def test_a_copy_leads_to_what_it_was_made_from(world: World, open_screen: Opener, session: int) -> None:
    copy = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY, follows=session)
    assert any("Made from session 1" in str(each.proto) for each in
               open_screen(world.alice, "worksheet", session=copy).get("page_link"))
    assert world.fact(copy, "method") is Method.TRADITIONAL


def test_book_next_and_duplicate_lead_to_the_form(world: World, open_screen: Opener, session: int) -> None:
    tab = open_screen(world.alice, "worksheet", session=session)
    tab.session_state["worksheet:go"] = "next"
    tab.run()
    assert tab.session_state["book:date"] == str(date(2026, 3, 10))


def test_x6_names_lead_to_the_profiles_that_the_viewer_may_open(
    world: World, open_screen: Opener, session: int
) -> None:
    def led(who: int) -> list[str]:
        return [link.label for link in open_screen(who, "worksheet", session=session).get("page_link")]

    assert led(world.ben) == ["Sessions", "Tom", "Sara", "**Sara**"]
    zed = world.person("Zed the newcomer")
    with world.reading(world.tom) as work:
        assert zed not in worksheet(work, session).known
    with world.reading(world.lena) as work:
        sheet = worksheet(work, session)
        for person in sheet.known:
            assert profile(work, person).id == person


def test_a_team_leads_to_its_sessions(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    tab = open_screen(world.ben, "worksheet", session=session)
    assert not tab.exception, tab.exception
    assert "Comet" in [link.label for link in tab.get("page_link")]


def test_the_sessions_before_and_after_of_the_same_two_are_one_click_away(
    world: World, open_screen: Opener, session: int
) -> None:
    before = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - DAY)
    after = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 2 * DAY)
    world.do(world.ben, cancel_sessions, [world.book(
        practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)], "ill")
    world.book(practitioner=world.tess, learner=world.sara, starts_at=TEN + HOUR)
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 2 * HOUR)
    numbers = [world.fact(id_, "number") for id_ in (before, session, after)]
    for id_, expected in ((session, {f"Previous: session {numbers[0]}", f"Next: session {numbers[2]}"}),
                          (before, {f"Next: session {numbers[1]}"}), (after, {f"Previous: session {numbers[1]}"})):
        for who in (world.ben, world.tom, world.sara, world.gus):
            tab = open_screen(who, "worksheet", session=id_)
            labels = {link.label for link in tab.get("page_link")}
            assert {label for label in labels if label.startswith(("Previous", "Next"))} == expected

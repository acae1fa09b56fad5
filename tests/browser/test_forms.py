"""Forms lose nothing and do nothing twice: two tabs, a reload, the menu, a slip, a rival, bad input (B9, X5)."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PROGRAMME, Enter, Tab
from tests.browser.facts import a_free_day, ahead, learner, sessions, value, values
from tests.portal import Portal

NUMBERED = re.compile(r"^Session \d+")
TITLES = {"Book": re.compile("^Book a"), "People": "People", "Programme settings": "Programme settings"}


def fill(tab: Tab, portal: Portal, weeks: int) -> Tab:
    """Everything that a booking needs."""
    tab.find_person("Mentor", ahead(portal).practitioner)
    tab.find_person("Participant", learner(portal))
    tab.put_time(a_free_day(weeks))
    tab.choose("Timetable", "Weekday mentoring")
    return tab


def test_the_same_form_in_two_tabs_books_once(portal: Portal, enter: Enter) -> None:
    before = sessions(portal)
    first = enter("Alice Moran", "/book")
    first.page.wait_for_url(re.compile("form="))
    address = urlsplit(first.page.url)
    second = fill(first.another(f"/book?{address.query}"), portal, 3)
    first.page.bring_to_front()  # a tab behind another is drawn too seldom to be clicked on
    fill(first, portal, 3).press("Book")
    first.titled(NUMBERED)
    title = first.main.get_by_role("heading", level=1).inner_text()
    second.page.bring_to_front()
    second.press("Book")
    second.titled(title)
    assert sessions(portal) == before + 1


def test_a_page_loaded_again_tells_what_it_has_booked(portal: Portal, enter: Enter) -> None:
    before = sessions(portal)
    alice = enter("Alice Moran", "/book")
    alice.page.wait_for_url(re.compile("form="))
    key = parse_qs(urlsplit(alice.page.url).query)["form"]
    alice.page.reload()
    alice.settled()
    assert parse_qs(urlsplit(alice.page.url).query)["form"] == key
    address = urlsplit(alice.page.url)
    fill(alice, portal, 4).press("Book")
    alice.titled(NUMBERED)
    alice.go(f"{address.path}?{address.query}")
    alice.says(re.compile("^Booked"))
    assert sessions(portal) == before + 1


def test_a_stale_form_shows_both_versions_and_loses_neither(portal: Portal, enter: Enter) -> None:
    known = ahead(portal, 5)
    alice, ben = (enter(name, f"/worksheet?session={known.id}") for name in ("Alice Moran", "Ben Adler"))
    for tab in (alice, ben):
        tab.press("More")
        tab.page.get_by_role("menuitem", name="Edit").click()
        expect(tab.panel.get_by_role("textbox", name="Description")).to_be_visible()
    alice.panel.get_by_role("textbox", name="Description").fill("Numbers for the bank")
    alice.press("Save", within=alice.panel)
    expect(alice.panel).to_have_count(0)
    ben.panel.get_by_role("textbox", name="Description").fill("A letter to the jury")
    ben.press("Save", within=ben.panel)
    both = ben.panel.get_by_role("table")
    expect(both).to_contain_text("Numbers for the bank")
    expect(both).to_contain_text("A letter to the jury")
    expect(ben.panel.get_by_role("textbox", name="Description")).to_have_value("A letter to the jury")
    saved = "SELECT description FROM session WHERE id = ?"
    assert value(portal, saved, known.id) == "Numbers for the bank"
    ben.press("Save mine over it", within=ben.panel)
    expect(ben.panel).to_have_count(0)
    ben.says(re.compile("Numbers for the bank → A letter to the jury"))
    assert value(portal, saved, known.id) == "A letter to the jury"


BAD = (
    ("spinbutton", "Minutes", "7", "multiple of 5"),
    ("spinbutton", "Minutes", "-30", "multiple of 5|at least"),
    ("spinbutton", "Minutes", "1800", "At most|multiple"),
    ("spinbutton", "Number", "-4", "number"),
    ("spinbutton", "Number", "99999999999", "number"),
    ("textbox", "Time", "1_:__", "no time"),
    ("textbox", "Description", "<b>x</b>" * 500, "characters"),
    ("textbox", "Location", "🏠" * 900, "characters"),
)


def test_bad_input_has_a_sentence_beside_its_field(portal: Portal, enter: Enter) -> None:
    before = sessions(portal)
    alice = fill(enter("Alice Moran", "/book"), portal, 6)
    for kind, label, typed, sentence in BAD:
        named = re.compile(rf"^{label}( \*)?$")
        field = alice.main.get_by_role(kind, name=named).first  # type: ignore[arg-type]  # one of two roles
        well = field.input_value()
        field.fill(typed)
        field.press("Tab")
        alice.settled().press("Book")
        alice.says("Not booked yet: one field needs your attention above.")
        said = alice.main.get_by_test_id("stMarkdownContainer").filter(
            has=alice.page.get_by_text("error", exact=True), has_text=re.compile(sentence)).first  # the icon is a word
        expect(said, label).to_be_visible()
        there, box = said.bounding_box(), field.bounding_box()
        assert there is not None
        assert box is not None
        assert 0 < there["y"] - box["y"] < 220, f"the sentence stands under {label}"
        expect(field, label).to_have_value(typed)
        expect(alice.main.get_by_role("textbox", name="Mentor")).to_have_value(ahead(portal).practitioner)
        field.fill(well)
        field.press("Tab")
        alice.settled()
        expect(said, f"{label}, put right").to_be_hidden()
    assert sessions(portal) == before


def test_nothing_filled_in_names_every_field_that_is_missing(portal: Portal, enter: Enter) -> None:
    before = sessions(portal)
    alice = enter("Alice Moran", "/book")
    alice.press("Book")
    alice.says(re.compile("Not booked yet"))
    expect(alice.main.get_by_text(re.compile("^.*Choose the mentor"))).to_be_visible()
    assert sessions(portal) == before


def test_a_form_left_by_the_menu_is_found_as_it_was(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", "/book")
    menu = alice.page.get_by_test_id("stSidebarNav")

    def leave_and_come_back(to: str) -> None:
        for link in ("People", to):
            menu.get_by_role("link", name=link).click(delay=150)  # as a finger does: a field is sent when it is left
            alice.titled(TITLES[link])

    typed = {"Description": "Numbers for the bank", "Location": "Library", "Planning notes": "Bring the plan"}
    for label, text in typed.items():
        alice.main.get_by_role("textbox", name=label).fill(text)
        alice.settled()
    leave_and_come_back("Book")
    for label, text in typed.items():
        expect(alice.main.get_by_role("textbox", name=label)).to_have_value(text)
    alice.go("/programme?tab=Words")
    alice.main.get_by_role("textbox", name="What they do together").fill("gathering")
    leave_and_come_back("Programme settings")
    alice.main.get_by_role("tab", name="Words").click()
    expect(alice.main.get_by_role("textbox", name="What they do together")).to_have_value("gathering")
    alice.press("Discard")
    expect(alice.main.get_by_role("textbox", name="What they do together")).to_have_value("session")


@pytest.mark.parametrize("browser_says", ["when it rests", "nothing of it"])
def test_a_click_that_overtakes_the_field_just_left_loses_nothing(
    portal: Portal, enter: Enter, browser_says: str
) -> None:
    """On a slow machine the browser has not yet sent what was typed when the menu is clicked."""
    alice = enter("Alice Moran", "/book")
    if browser_says == "nothing of it":  # as Safari
        alice = alice.another("/")
        alice.page.add_init_script("delete window.requestIdleCallback")
        alice.go("/book")
    field = alice.main.get_by_role("textbox", name="Description")
    menu = alice.page.get_by_test_id("stSidebarNav")
    for text, leave in (("Numbers for the bank", "document.activeElement.blur();"), ("And for the landlord", "")):
        field.fill(text)
        menu.get_by_role("link", name="People").evaluate(f"link => {{ {leave} link.click(); link.click(); }}")
        alice.titled("People")
        menu.get_by_role("link", name="Book").click()
        alice.titled(TITLES["Book"])
        expect(field).to_have_value(text)


def test_a_slip_does_not_put_a_panel_away(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", f"/worksheet?session={ahead(portal, 9).id}")
    for _ in range(2):
        alice.press("More")
        alice.page.get_by_role("menuitem", name="Edit").click()
        field = alice.panel.get_by_role("textbox", name="Description")
        expect(field, "what was put away is not taken for what was saved").not_to_have_value("Half a thought")
        field.fill("Half a thought")
        alice.page.keyboard.press("Escape")
        alice.page.mouse.click(300, 400)
        alice.settled()
        expect(field).to_have_value("Half a thought")
        alice.press("Close", within=alice.panel)
        expect(alice.panel).to_have_count(0)


def walk(tab: Tab, to: Locator, key: str = "Tab") -> None:
    """On by Tab, or back by Shift and Tab, as far as that place."""
    tab.settled()
    for _ in range(150):
        if to.evaluate("place => place === document.activeElement"):
            return
        tab.page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {to}")


def test_a_session_is_booked_by_keyboard_alone(portal: Portal, enter: Enter) -> None:
    """C4: every field by Tab, typing and Enter; refused on the way, nothing typed is lost."""
    before, at, leader, who = sessions(portal), a_free_day(11), ahead(portal).practitioner, learner(portal)
    number = value(portal, "SELECT max(number) FROM session") + 7
    room, course, other = (value(portal, f"SELECT name FROM {table} WHERE programme_id = (SELECT id FROM programme"
                                 f" WHERE name = ?) ORDER BY id {way} LIMIT 1", PROGRAMME)
                           for table, way in (("room", ""), ("course", ""), ("course", "DESC")))
    alice = enter("Alice Moran", "/book")
    keys, main = alice.page.keyboard, alice.main
    book = main.get_by_role("button", name="Book", exact=True)
    minutes = main.get_by_role("spinbutton", name="Minutes")
    report = main.get_by_role("checkbox", name="A report is required")
    wanted = not report.is_checked()

    def field(name: str) -> Locator:
        return main.get_by_role("textbox", name=re.compile(rf"^{name}( \*)?$"))

    def listed(name: str) -> Locator:
        return main.get_by_role("combobox", name=re.compile(rf"^{name}( \*)?$"))

    def type_in(place: Locator, text: str, key: str = "Tab") -> None:
        walk(alice, place, key)
        keys.press("Control+a")
        keys.type(text)

    def pick(name: str, *texts: str) -> None:
        walk(alice, listed(name))
        for text in texts:
            keys.press("ArrowDown")
            keys.type(text)
            expect(alice.page.get_by_role("option", name=re.compile(text)).first).to_be_visible()
            keys.press("Enter")
        if len(texts) > 1:
            keys.press("Escape")  # a list of several stays open

    for name, text in (("Mentor", leader), ("Participant", who), ("Date", f"{at:%Y-%m-%d}"), ("Time", "14:00")):
        type_in(field(name), text)
        keys.press("Enter")
    type_in(minutes, "7")
    pick("Room", room)
    type_in(field("Location"), "Library")
    pick("Type", "Pitch")
    pick("Tracks", course, other)
    pick("Timetable", "Weekday mentoring")
    type_in(main.get_by_role("spinbutton", name=re.compile("^Number( \\*)?$")), str(number))
    walk(alice, report)
    keys.press("Space")
    type_in(field("Description"), "Numbers for the bank")
    type_in(field("Planning notes"), "Bring the plan")
    walk(alice, book)
    keys.press("Enter")
    alice.says("Not booked yet: one field needs your attention above.")
    for name, text in (("Mentor", leader), ("Participant", who), ("Location", "Library"),
                       ("Description", "Numbers for the bank"), ("Planning notes", "Bring the plan")):
        expect(field(name)).to_have_value(text)
    for name, text in (("Room", room), ("Timetable", "Weekday mentoring")):
        expect(listed(name)).to_have_value(text)
    expect(report).to_be_checked(checked=wanted)
    type_in(minutes, "50", "Shift+Tab")
    walk(alice, book)
    keys.press("Enter")
    alice.titled(NUMBERED)
    assert sessions(portal) == before + 1
    newest = value(portal, "SELECT max(id) FROM session")
    saved = ("SELECT location || ', ' || planning_notes || ', ' || (ends_at - starts_at) || ', ' || number || ', '"
             " || report_required || ', ' || type || ', ' || r.name FROM session s JOIN room r ON r.id = s.room_id"
             " WHERE s.id = ?")
    assert value(portal, saved, newest) == (
        f"Library, Bring the plan, 3000, {number}, {int(wanted)}, pitch practice, {room}")
    taught = "SELECT c.name FROM session_course l JOIN course c ON c.id = l.course_id WHERE l.session_id = ?"
    assert set(values(portal, taught, newest)) == {course, other}

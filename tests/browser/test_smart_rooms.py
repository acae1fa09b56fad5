"""C5, C12: a smart session is booked without choosing its room, and its recording is added."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.facts import value
from tests.portal import Portal

PROGRAMME = "Northfield Apprenticeships"


def test_c12_a_smart_session_gets_its_room_when_booked(portal: Portal, enter: Enter) -> None:
    before = value(
        portal, "SELECT s.id FROM session s JOIN programme g ON g.id = s.programme_id WHERE g.name = ?"
        " AND s.method = 'smart' AND s.status = 'scheduled' ORDER BY s.starts_at DESC LIMIT 1", PROGRAMME)
    alice = enter("Alice Moran", f"/book?programme={PROGRAMME}&next={before}")
    alice.says(re.compile(r"^For \d+ people: a room is allotted when you book"))
    alice.main.get_by_text("Record automatically", exact=True).click()
    alice.settled()
    alice.press("Book")
    alice.titled(re.compile(r"^Session \d+"))
    alice.says(re.compile("^Booked session"))
    room = value(
        portal, "SELECT r.name FROM session s JOIN room r ON r.id = s.room_id"
        " WHERE s.records ORDER BY s.id DESC LIMIT 1")
    expect(alice.main).to_contain_text(room)
    alice.press("More")
    alice.page.get_by_role("menuitem", name="Add recording link").click()
    alice.panel.get_by_role("textbox", name="Link to the recording").fill("https://video.example.org/r/7")
    alice.press("Save", within=alice.panel)
    expect(alice.main.get_by_role("link", name="Open the recording")).to_have_attribute(
        "href", "https://video.example.org/r/7")

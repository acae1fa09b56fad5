"""A group in Chromium: three chosen by keyboard, one of them busy, booked without them by one button (C8, B9)."""

import re
from datetime import UTC

from playwright.sync_api import expect

from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import commit
from tests.browser.conftest import PROGRAMME, Enter, Tab
from tests.browser.facts import BERLIN, a_free_day, ahead, person, sessions, value, values
from tests.portal import Portal

LEARNERS = (
    "SELECT p.name FROM person p JOIN role_grant r ON r.person_id = p.id JOIN programme g ON g.id = r.programme_id"
    " WHERE g.name = ? AND r.role = 'learner' AND p.disabled_at IS NULL"
    " AND (SELECT count(*) FROM person q WHERE q.name = p.name) = 1 ORDER BY p.name LIMIT 4"
)


def tick(tab: Tab, name: str) -> None:
    """Tick somebody by keyboard, once the filter has brought them up."""
    field = tab.main.get_by_role("textbox", name="Name", exact=True)
    field.fill(name)
    field.press("Enter")
    tab.settled()
    box = tab.main.get_by_role("checkbox", name=re.compile(f"^{re.escape(name)}"))
    box.focus()
    tab.page.keyboard.press("Space")
    tab.settled()
    expect(box).to_be_checked()


def test_a_group_of_three_is_booked_without_who_is_busy(portal: Portal, enter: Enter) -> None:
    ann, bo, cy, di = values(portal, LEARNERS, PROGRAMME)
    noon, leader = a_free_day(6), ahead(portal).practitioner
    programme = value(portal, "SELECT id FROM programme WHERE name = ?", PROGRAMME)
    weekly = value(portal, "SELECT id FROM timetable WHERE programme_id = ? AND name = 'Weekday mentoring'", programme)
    other = value(
        portal, "SELECT person_id FROM roster WHERE timetable_id = ? AND person_id <> ? ORDER BY person_id LIMIT 1",
        weekly, person(portal, leader))
    commit(portal.engine, person(portal, "Alice Moran"), book_sessions, [Booking(
        programme, practitioner_id=other, timetable_id=weekly, learner_ids=(person(portal, ann),), minutes=60,
        starts_at=noon.replace(tzinfo=BERLIN).astimezone(UTC), description="Elsewhere",
        reason="as a test needs it")])
    before = sessions(portal)
    alice = enter("Alice Moran", "/book")
    alice.find_person("Mentor", leader)
    alice.put_time(noon)
    alice.choose("Timetable", "Weekday mentoring")
    count = alice.main.get_by_role("spinbutton", name="Number of participants")
    count.fill("3")
    count.press("Enter")
    alice.settled()
    alice.press("Choose participants")
    alice.says("0 of 3 chosen")
    for name in (ann, bo, cy):
        tick(alice, name)
    alice.says("3 of 3 chosen")
    expect(alice.main.get_by_role("checkbox", name=re.compile(f"^{re.escape(ann)}.*busy"))).to_be_checked()
    alice.press("Continue")
    alice.says(re.compile(f"{re.escape(ann)} is busy .* Nothing is booked yet"))
    assert sessions(portal) == before
    alice.press(f"Book without {ann}")
    alice.titled(re.compile(r"^Session \d+"))
    alice.says("2 of 3")
    assert sessions(portal) == before + 1
    _add_and_remove(alice, bo, di)


def _add_and_remove(tab: Tab, bo: str, di: str) -> None:
    tab.press("Add participants")
    field = tab.panel.get_by_role("textbox", name="Name", exact=True)
    field.fill(di)
    field.press("Enter")
    tab.panel.get_by_role("checkbox", name=re.compile(f"^{re.escape(di)}")).focus()
    tab.page.keyboard.press("Space")
    expect(tab.panel.get_by_text("1 chosen")).to_be_visible()
    tab.press("Add participants", within=tab.panel)
    expect(tab.panel).to_have_count(0)
    tab.says("3 of 3")
    tab.main.get_by_role("button", name="Remove…").first.click()
    tab.page.get_by_role("button", name=f"Remove {bo}", exact=True).or_(
        tab.page.get_by_role("button", name=re.compile("^Remove [^…]+$"))).first.click()
    tab.says("2 of 3")

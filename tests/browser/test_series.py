"""C10: a weekly series is planned and booked, one clash moved to the time offered; then changed from one on."""

import os
import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Enter, Tab
from tests.browser.facts import a_free_day, ahead, learner, values
from tests.portal import Portal

WEEK = timedelta(weeks=1)
LOOKS = os.environ.get("PORTAL_LOOKS")
"""A folder for pictures of the planner, for whoever wants to look at it."""


def filled(portal: Portal, tab: Tab, weeks: int) -> Tab:
    tab.find_person("Mentor", ahead(portal).practitioner)
    tab.find_person("Participant", learner(portal))
    tab.put_time(a_free_day(weeks))
    tab.choose("Timetable", "Weekday mentoring")
    return tab


def picture(tab: Tab, name: str) -> None:
    if not LOOKS:
        return
    for which, width, colours in (("wide", 1440, "light"), ("dark", 1440, "dark"), ("phone", 390, "light")):
        tab.page.set_viewport_size({"width": width, "height": 1100})
        tab.page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        tab.page.wait_for_timeout(800)
        tab.page.screenshot(path=Path(LOOKS) / f"{name}-{which}.png")
    tab.page.set_viewport_size({"width": 1440, "height": 900})
    tab.settled()


def test_c10_a_weekly_series_with_one_clash_moved_to_the_time_offered(portal: Portal, enter: Enter) -> None:
    alice = filled(portal, enter("Alice Moran", "/book"), 9)
    alice.press("Book")
    alice.titled(re.compile(r"^Session \d+"))
    filled(portal, alice.go("/book"), 8)
    alice.main.get_by_text("Repeat", exact=True).click()
    times = alice.main.get_by_role("spinbutton", name="How many dates")
    times.fill("4")
    times.press("Enter")
    alice.settled()
    picture(alice, "form")
    alice.press("Plan the dates")
    alice.says(re.compile("3 OK, 1 clash"))
    expect(alice.main.get_by_role("button", name=re.compile("^Book 4"))).to_be_disabled()
    picture(alice, "planner")
    clash = a_free_day(9)
    what = alice.main.get_by_role("combobox", name=re.compile(rf"What to do on \w+ {clash.day} {clash:%b}"))
    what.focus()  # by keyboard alone
    what.press("ArrowDown")
    what.press_sequentially("Move to")
    expect(alice.page.get_by_role("option")).to_have_count(1)
    what.press("Enter")
    alice.says(re.compile(r"4 dates: 4 OK|: 4 OK"))
    alice.press(re.compile("^Book 4"), exact=False)
    alice.titled(re.compile(r"^Session \d+"))
    alice.says(re.compile("1 of 4"))
    picture(alice, "worksheet")
    found = values(portal, "SELECT starts_at FROM session WHERE series_id IS NOT NULL ORDER BY series_day")
    assert len(found) == 4
    assert found[1] - found[0] != WEEK.total_seconds()
    assert found[2] - found[0] == 2 * WEEK.total_seconds()
    _reaching_further(portal, alice)


def _reaching_further(portal: Portal, tab: Tab) -> None:
    """From the third on: another place; then off the calendar, looked at beforehand, and back by one undo."""
    series = "FROM session WHERE series_id IS NOT NULL ORDER BY series_day"
    numbers = values(portal, f"SELECT number {series}")
    for place in ("2 of 4", "3 of 4"):
        tab.main.get_by_role("link", name=re.compile("Next session")).click()
        tab.says(place)
        tab.settled()
    tab.press("More")
    tab.page.get_by_role("menuitem", name="Change the venue").click()
    tab.panel.get_by_text("This and following", exact=True).click()
    tab.says("It takes place there already")
    location = tab.panel.get_by_role("textbox", name="Location")
    location.fill("Library")
    location.press("Tab")
    for number in numbers[2:]:
        expect(tab.panel.get_by_text(re.compile(rf"{number}\b.* → .*Library"))).to_be_visible()
    picture(tab, "venue")
    tab.press("Change 2 sessions", within=tab.panel)
    expect(tab.panel).to_have_count(0)
    assert values(portal, f"SELECT location {series}") == [None, None, "Library", "Library"]

    tab.settled().press("Reschedule")
    tab.panel.get_by_text("This and following", exact=True).click()
    tab.settled().press("Off the calendar", within=tab.panel)
    for number in numbers[2:]:
        expect(tab.panel.get_by_text(re.compile(rf"{number}\b.* → off the calendar"))).to_be_visible()
    picture(tab, "off")
    tab.press("Take 2 sessions off the calendar", within=tab.panel)
    expect(tab.panel).to_have_count(0)
    assert [at is None for at in values(portal, f"SELECT starts_at {series}")] == [False, False, True, True]
    tab.settled().press("Undo")
    tab.says(re.compile("^Undid"))
    assert None not in values(portal, f"SELECT starts_at {series}")

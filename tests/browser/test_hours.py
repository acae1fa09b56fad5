"""Hours in Chromium: a tutor keeps their week, an admin single days; effects are shown first (B13)."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Enter, Tab

LIFFEY = "programme=Liffey+Tutors"


def _type(tab: Tab, **said: str) -> None:
    for label, text in said.items():
        field = tab.panel.get_by_role("textbox", name=label.replace("_", " "))
        field.fill(text)
        field.press("Enter")
        tab.settled()


def test_a_tutor_says_when_they_can_be_booked(enter: Enter) -> None:
    tom = enter("Tom Brady", f"/?{LIFFEY}")
    tom.go(f"/availability?{LIFFEY}")
    tom.press("Change weekly hours")
    _type(tom, Monday="9-12:30, 2 pm to 5 pm")
    expect(tom.panel.get_by_role("textbox", name="Monday")).to_have_value("09:00–12:30, 14:00–17:00")
    tom.press("Copy Monday to Tuesday–Friday", within=tom.panel)
    expect(tom.panel.get_by_role("textbox", name="Friday")).to_have_value("09:00–12:30, 14:00–17:00")
    _type(tom, Tuesday="noon")
    tom.press("Save", within=tom.panel)
    expect(tom.panel.get_by_text("These are no hours.")).to_be_visible()
    expect(tom.panel.get_by_role("textbox", name="Tuesday")).to_have_value("noon")
    _type(tom, Tuesday="")
    tom.press("Save", within=tom.panel)
    expect(tom.panel.get_by_text(re.compile(r"ahead will lie outside these hours"))).to_be_visible()
    tom.press("Save anyway", within=tom.panel)
    tom.says("Saved the hours of Tom Brady.")
    expect(tom.main.get_by_text("09:00–12:30, 14:00–17:00")).to_have_count(4)
    tom.press("Add time off")
    _type(tom, **{"From_(day)": "24 Dec", "Until_(day)": "31 Dec", "Reason": "Away"})
    tom.press("Save", within=tom.panel)
    expect(tom.panel.get_by_role("button", name="Save anyway").or_(tom.page.get_by_text("Tom Brady is away")).first
           ).to_be_visible()


def test_an_admin_finds_somebody_and_says_that_a_day_has_no_hours(enter: Enter) -> None:
    alice = enter("Alice Moran", f"/availability?{LIFFEY}")
    alice.find_person("Whose hours (tutor)", "Tom Brady")
    alice.settled()
    expect(alice.main.get_by_role("heading", name="Tom Brady")).to_be_visible()
    alice.press("Add a day")
    _type(alice, Day="3 Mar 2030")
    alice.panel.get_by_text("No hours that day").click()
    alice.settled()
    alice.press("Save", within=alice.panel)
    alice.says("has no hours for Tom Brady")

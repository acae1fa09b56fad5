"""A day with timetables in a browser: a slot booked in two clicks, hours changed and undone (B6, B7, B9, B13)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.work import now_utc
from tests.browser.conftest import Enter, a_portal
from tests.browser.facts import BERLIN, value
from tests.browser.hours import TIMETABLE, give_hours
from tests.portal import Portal

SLOT = re.compile(r"^\d\d:\d\d · \d free$")


@pytest.fixture(scope="module")
def portal(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal whose mentors have hours, and a timetable slots."""
    with a_portal(demo, tmp_path_factory.mktemp("timetables")) as running:
        give_hours(running.engine)
        yield running


def address(portal: Portal) -> str:
    """The timetable in a week that is free."""
    monday = now_utc().astimezone(BERLIN).date() + timedelta(days=350)
    which = value(portal, "SELECT id FROM timetable WHERE name = ?", TIMETABLE)
    return f"/timetables?timetable={which}&week={monday}"



def sessions(portal: Portal) -> int:
    return int(value(portal, "SELECT count(*) FROM session"))


def test_b7_an_admin_books_a_slot_in_two_clicks(portal: Portal, enter: Enter) -> None:
    before = sessions(portal)
    ben = enter("Alice Moran", address(portal))
    ben.says(re.compile(r"^180 free, 0 taken"))
    ben.main.get_by_role("button", name=SLOT).nth(4).click()
    ben.titled(re.compile("^Book"))
    ben.press("Book")
    ben.says(re.compile("^Booked session"))
    assert sessions(portal) == before + 1
    ben.go(address(portal))
    ben.says(re.compile(r"^179 free, 1 taken"))
    expect(ben.main.get_by_role("link", name=re.compile(r"\d\d:\d\d · No\. \d+"))).to_have_count(1)


def test_somebody_else_who_is_free_is_taken_by_one_click(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", address(portal))
    alice.main.get_by_role("button", name=SLOT).last.click()
    alice.titled(re.compile("^Book"))
    field = alice.main.get_by_role("textbox", name="Mentor")
    before = field.input_value()
    alice.main.get_by_text("Anyone free then").click()
    others = alice.main.get_by_test_id("stButtonGroup").filter(has_text="Free then").locator("button[data-variant]")
    expect(others).to_have_count(3)
    others.filter(has_not_text=before).first.click()
    expect(field).not_to_have_value(before)
    alice.settled()


def test_the_week_is_turned_and_stays_in_the_address(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", address(portal))
    title = alice.main.get_by_role("heading", level=2)
    first = title.inner_text()
    alice.main.locator(".st-key-week-later button").first.click()
    expect(title).not_to_have_text(first)
    alice.settled()
    second = title.inner_text()
    alice.page.reload()
    alice.settled()
    expect(title).to_have_text(second)
    alice.main.locator(".st-key-week-earlier button").first.click()
    expect(title).to_have_text(first)


def test_b13_hours_are_changed_with_their_effects_shown_and_undone(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", address(portal))
    alice.says(re.compile("Mon–Fri 09:00–12:00, 14:00–17:00"))
    alice.press(re.compile("Change hours$"))
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        field = alice.panel.get_by_role("textbox", name=day)
        field.fill("19-20")
        field.press("Enter")
        alice.settled()
    alice.press("Save", within=alice.panel)
    alice.says(re.compile("ahead will lie outside"))
    alice.press("Save anyway", within=alice.panel)
    alice.says(re.compile("^Saved the hours of"))
    alice.says(re.compile("Mon–Fri 19:00–20:00"))
    alice.press(re.compile("Undo$"))
    alice.says(re.compile("Mon–Fri 09:00–12:00, 14:00–17:00"))


def test_b6_a_practitioner_keeps_their_own_timetable_and_sees_it_fill(portal: Portal, enter: Enter) -> None:
    tom = enter("Tom Brady", "/timetables")
    tom.says(re.compile("Custom timetable"))
    tom.press(re.compile("Change hours$"))
    field = tom.panel.get_by_role("textbox", name="Wednesday")
    field.fill("5 pm to 8 pm")
    field.press("Enter")
    tom.settled()
    tom.press(re.compile("^Save"), within=tom.panel)
    tom.says(re.compile("^Saved the hours of"))
    tom.says(re.compile("Wed 17:00–20:00"))

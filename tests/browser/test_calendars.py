"""Calendar addresses in a browser: made, copied, read by a program, revoked; and one session taken along."""

import re
from contextlib import suppress
from pathlib import Path

import requests
from playwright.sync_api import TimeoutError as TimedOut
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.facts import now, session
from tests.portal import Portal

MADE = re.compile("^(refresh|add_link)?\\s*Make an? (new )?address$")


def test_an_address_is_made_copied_read_and_revoked(portal: Portal, enter: Enter) -> None:
    tom = enter("Tom Brady", "/account", permissions=["clipboard-read", "clipboard-write"])
    card = tom.main.locator(".st-key-address-own")
    tom.press(MADE, within=card)
    shown = card.get_by_test_id("stCode").locator("code")
    expect(shown).to_contain_text("/feed/")
    address = shown.inner_text().strip()
    card.get_by_test_id("stCode").hover()
    card.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).click()
    assert tom.page.evaluate("navigator.clipboard.readText()") == address
    answer = requests.get(address, timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.text.count("BEGIN:VEVENT") > 5
    tom.press(re.compile("Revoke$"), within=card)
    tom.says("It has stopped working")
    assert requests.get(address, timeout=20).status_code == 404
    expect(card.get_by_test_id("stCode")).to_have_count(0)


def test_a_timetables_address_is_made_from_the_list(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", "/timetable-list")
    for _ in range(5):  # what is redrawn meanwhile closes the menu
        alice.settled().main.locator(".dvn-scroller").first.click(position={"x": 1008, "y": 116})
        with suppress(TimedOut):
            alice.page.get_by_text("Calendar address", exact=True).last.click(timeout=4_000)
            break
    alice.press(MADE, within=alice.panel)
    shown = alice.panel.get_by_test_id("stCode").locator("code")
    expect(shown).to_contain_text("/feed/")
    assert "BEGIN:VEVENT" in requests.get(shown.inner_text().strip(), timeout=20).text


def test_a_session_is_taken_along(portal: Portal, enter: Enter) -> None:
    ahead = session(portal, "p.name = 'Tom Brady' AND s.starts_at > ? AND s.status = 'scheduled'", now())
    tom = enter("Tom Brady", f"/worksheet?session={ahead.id}")
    with tom.page.expect_download() as taken:
        tom.main.get_by_role("link", name="Add to calendar").click()
    file = Path(taken.value.path()).read_text()
    assert file.count("BEGIN:VEVENT") == 1
    assert taken.value.suggested_filename.endswith(".ics")

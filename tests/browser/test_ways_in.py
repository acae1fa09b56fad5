"""Coming in, finding one's way, and being sent away."""

import re

from playwright.sync_api import expect

from core.access import commands
from core.demo import PASSWORD
from core.work import commit
from tests.browser.conftest import Enter, Tab
from tests.browser.facts import ahead, person
from tests.portal import Portal


def test_a_deep_link_survives_signing_in(portal: Portal, enter: Enter) -> None:
    known = ahead(portal)
    enter("Alice Moran", f"/worksheet?session={known.id}").titled(re.compile(rf"\b{known.number}$"))


def test_a_password_opens_the_portal_and_a_wrong_one_does_not(portal: Portal, page) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{portal.url}/account")
    for password in ("not this one", PASSWORD):
        page.get_by_label("E-mail address").fill("ben@demo.invalid")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        if password != PASSWORD:
            expect(page.locator(".wrong")).to_be_visible()
            expect(page.get_by_label("E-mail address")).to_have_value("ben@demo.invalid")
    Tab(portal, page).titled("My account")


def test_quick_search_leads_to_people_and_sessions(portal: Portal, enter: Enter) -> None:
    known = ahead(portal)
    alice = enter("Alice Moran", "/sessions")
    for asked, title in ((known.practitioner, known.practitioner), (str(known.number), rf"\b{known.number}$")):
        alice.page.get_by_role("searchbox", name="Quick search").or_(
            alice.page.get_by_role("textbox", name="Quick search")).fill(asked)
        sidebar = alice.page.get_by_test_id("stSidebarUserContent")
        sidebar.get_by_role("link", name=re.compile(rf"\b{re.escape(asked)}\b")).first.click()
        alice.titled(re.compile(title))


def test_whoever_is_switched_off_is_cut_off_at_the_next_click(portal: Portal, enter: Enter) -> None:
    max_ = enter("Max Lindner", "/sessions")
    commit(portal.engine, person(portal, "Alice Moran"), commands.disable, [person(portal, "Max Lindner")])
    max_.page.get_by_role("link", name="Home", exact=True).click()
    max_.page.wait_for_url(re.compile("/signin"))


def test_signing_out_everywhere_ends_every_browser(enter: Enter) -> None:
    one, other = enter("Cleo Hart", "/account"), enter("Cleo Hart", "/sessions")
    one.press("Sign out everywhere")
    one.page.wait_for_url(re.compile("/signin"))
    one.says("You are signed out everywhere.")
    other.page.wait_for_url(re.compile("/signin"))
    expect(other.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_menu_works_by_keyboard(enter: Enter) -> None:
    alice = enter("Alice Moran")
    alice.page.get_by_role("link", name="Sessions", exact=True).focus()
    alice.page.keyboard.press("Enter")
    alice.titled("Sessions")

"""Every screen, wide and narrow, light and dark: nothing breaks, nothing is cut off, nothing is raw."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.browser.conftest import MAIN, Tab, a_portal, sign_in
from tests.portal import Portal

LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
SCREENS = {
    "home": "/", "sessions": "/sessions", "nothing-found": "/sessions?text=zyzzyva", "book": "/book",
    "worksheet": "/worksheet?session={held}", "worksheet-ahead": "/worksheet?session={ahead}", "people": "/people",
    "person": "/person?person={tom}", "policy": "/programme", "words": "/programme?tab=Words",
    "lists": "/programme?tab=Lists", "roles": "/programme?tab=Roles", "programme": "/programme?tab=Programme",
    "new-programme": "/programme?tab=New+programme", "account": "/account", "gone": "/worksheet?session=999999999",
}
OTHERS = ("Ben Adler", "Mona Reyes", "Tom Brady", "Sara Byrne", "Gus Byrne", "Lena Fox")
RAW = re.compile(
    r"\bNone\b|\bnan\b|\bNaN\b|\bNaT\b|\bundefined\b|\bnull\b|\[object|Traceback|Error:|</?[a-z]+|&[a-z]+;|\b\w+_id\b"
    r"|:material|\\[-.()]|\{\w*\}|0x[0-9a-f]{6}"
)
VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
SCROLLS_WITHIN = f"""() => {{
  const main = document.querySelector('{MAIN}');
  return [...main.querySelectorAll('*')].filter(one => {{
    const style = getComputedStyle(one);
    return ['auto', 'scroll'].includes(style.overflowY) && one.scrollHeight > one.clientHeight + 1
      && one.clientHeight > 0 && one.getClientRects().length;
  }}).map(one => `${{one.tagName}} ${{one.dataset.testid || one.className}} ${{one.scrollHeight}}>${{one.clientHeight}}`);
}}"""
TOO_WIDE = f"""() => {{
  const main = document.querySelector('{MAIN}') || document.documentElement;
  return main.scrollWidth - main.clientWidth + document.documentElement.scrollWidth - innerWidth;
}}"""


@pytest.fixture(scope="module")
def portal(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal with the blank screen; nothing is written here."""
    command = [sys.executable, str(Path(__file__).with_name("with_blank.py"))]
    with a_portal(demo, tmp_path_factory.mktemp("looks"), command) as running:
        yield running


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> tuple[int, Any]:
    width, theme = request.param
    return width, theme


class Watched:
    """A tab that remembers what went wrong in the browser's console."""

    def __init__(self, portal: Portal, browser: Browser, name: str, look: tuple[int, Any]) -> None:
        width, theme = look
        self.context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900}, color_scheme=theme, locale="en-GB",
            is_mobile=width < 500, has_touch=width < 500, **({"user_agent": PHONE} if width < 500 else {}),
        )
        self.context.add_init_script(VIOLATIONS)
        self.said: list[str] = []
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda problem: self.said.append(str(problem)))
        self.tab = sign_in(portal, page, name)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.said.append(message.text)

    def opened(self, path: str) -> Tab:
        self.said.clear()
        self.tab.go(path)
        expect(self.tab.page.get_by_test_id("stSkeleton")).to_have_count(0)
        return self.tab


PHONE = ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile"
         " Safari/537.36")


@pytest.fixture(scope="module")
def alice(portal: Portal, browser: Browser, look: tuple[int, Any]) -> Iterator[Watched]:
    watched = Watched(portal, browser, "Alice Moran", look)
    yield watched
    watched.context.close()


@pytest.fixture(scope="module")
def blank(alice: Watched) -> set[str]:
    """Ids of what axe finds on an empty page of the same shell."""
    return set(violations(alice.opened("/blank")))


@pytest.fixture(scope="module")
def places(portal: Portal) -> dict[str, int]:
    """What the addresses are about."""
    asked = {
        "held": "SELECT s.id FROM session s JOIN programme p ON p.id = s.programme_id"
                " WHERE p.name = 'Elbe Founders Challenge' AND s.status IN ('held', 'completed') LIMIT 1",
        "ahead": "SELECT s.id FROM session s JOIN programme p ON p.id = s.programme_id"
                 " WHERE p.name = 'Elbe Founders Challenge' AND s.status = 'scheduled' ORDER BY starts_at DESC LIMIT 1",
        "tom": "SELECT id FROM person WHERE name = 'Tom Brady'",
    }
    with portal.engine.connect() as connection:
        return {name: int(connection.exec_driver_sql(sql).scalar_one()) for name, sql in asked.items()}


def violations(tab: Tab) -> dict[str, str]:
    """What axe finds, by rule, with where."""
    found = Axe().run(tab.page).response["violations"]
    return {
        each["id"]: "; ".join(f"{node['target']}: {node['html'][:140]}" for node in each["nodes"][:3]) for each in found
    }


def problems(watched: Watched, *, wide: bool) -> list[str]:
    """What is wrong with the screen that is open."""
    tab = watched.tab
    page = tab.page
    found = [f"console: {said}" for said in watched.said]
    if (over := page.evaluate(TOO_WIDE)) > 0:
        found.append(f"{over} pixels too wide")
    found += [f"scrolls within: {one}" for one in page.evaluate(SCROLLS_WITHIN)]
    primary = tab.main.locator('button[kind^="primary"]:visible').count()
    if primary > 1:
        found.append(f"{primary} primary actions")
    found += [f"raw: {text[max(0, hit.start() - 30):hit.end() + 30]!r}"
              for text in [re.sub(r":material/[^,]*", "", tab.text())] for hit in RAW.finditer(text)][:5]
    if tab.main.get_by_role("heading", level=1).count() != 1:
        found.append("not one title")
    if tab.page.get_by_test_id("stException").count():
        found.append("an exception")
    return found


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_whole(
    alice: Watched, blank: set[str], places: dict[str, int], look: tuple[int, Any], screen: str
) -> None:
    tab = alice.opened(SCREENS[screen].format(**places))
    found = problems(alice, wide=look[0] > 500)
    found += [f"axe: {rule}: {where}" for rule, where in violations(tab).items() if rule not in blank]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", OTHERS)
def test_a_persona_finds_every_screen_whole(
    portal: Portal, browser: Browser, alice: Watched, blank: set[str], look: tuple[int, Any], name: str
) -> None:
    if look[1] == "dark":
        pytest.skip("the same as in the light")
    watched = Watched(portal, browser, name, look)
    found = []
    for path in ("/", "/sessions", "/account"):
        tab = watched.opened(path)
        found += [f"{path} {one}" for one in problems(watched, wide=look[0] > 500)]
        found += [f"{path} axe: {rule}: {where}" for rule, where in violations(tab).items() if rule not in blank]
    watched.context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/signin", "/forgotten", "/link/nothing-here"])
def test_the_pages_for_strangers_are_whole(portal: Portal, browser: Browser, look: tuple[int, Any], path: str) -> None:
    width, theme = look
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    context.add_init_script(VIOLATIONS)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(portal.url + path)
    found = [one for one in said if "410" not in one]
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wrong = Axe().run(page).response["violations"]
    context.close()
    assert (found, max(over, 0), [each["id"] for each in wrong]) == ([], 0, [])

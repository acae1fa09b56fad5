"""Every screen, wide (light and dark) and narrow: nothing breaks, nothing is cut off, nothing is raw.

What Streamlit itself says in the console, and what axe finds on a blank screen of the same shell, is measured in the
same run and left out.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import MAIN, Tab, a_portal, sign_in
from tests.browser.hours import TIMETABLE, give_hours
from tests.portal import Portal

WIDE, NARROW = 1440, 390
SCREENS = {
    "home": "/", "sessions": "/sessions", "pages": "/sessions?sort=number", "nothing-found": "/sessions?text=zyzzyva",
    "book": "/book",
    "calendar": "/calendar?view=week", "calendar-month": "/calendar?view=month", "calendar-list": "/calendar?view=list",
    "queue": "/queue?programme=Liffey+Tutors", "timetables": "/timetables",
    "timetable": "/timetables?timetable={weekdays}&week=2030-01-07",
    "worksheet-held": "/worksheet?session={held}", "worksheet-ahead": "/worksheet?session={ahead}",
    "utilisation": "/utilisation", "no-figures": "/utilisation?practitioner=Nobody",
    "people": "/people", "person": "/person?person={tom}", "policy": "/programme", "words": "/programme?tab=Words",
    "courses": "/courses", "teams": "/teams", "rooms": "/rooms", "engagements": "/engagements",
    "billing": "/billing?programme=Liffey+Tutors", "no-billing": "/billing?programme=Open+Door+Peer+Advice",
    "ledger": "/ledger?programme=Liffey+Tutors", "rates": "/rates?programme=Liffey+Tutors",
    "outcomes": "/rates?terms=Outcomes", "payers": "/payers?programme=Liffey+Tutors",
    "invoice-header": "/payers?billing=Invoice+header",
    "documents": "/documents?programme=Liffey+Tutors", "no-documents": "/documents?whom=zyzzyva",
    "document": "/document?document={invoice}&programme=Liffey+Tutors", "no-document": "/document?document=999999999",
    "periods": "/periods?programme=Liffey+Tutors", "closing": "/closing?programme=Liffey+Tutors",
    "groups": "/groups?programme=Open+Door+Peer+Advice",
    "timetable-list": "/timetable-list",
    "closures": "/programme?tab=Closures",
    "availability": "/availability", "availability-of": "/availability?programme=Liffey+Tutors&whose={tom}",
    "roles": "/programme?tab=Roles", "programme": "/programme?tab=Programme",
    "new-programme": "/programme?tab=New+programme", "account": "/account", "gone": "/worksheet?session=999999999",
}
OTHERS = ("Ben Adler", "Mona Reyes", "Tom Brady", "Sara Byrne", "Gus Byrne", "Lena Fox")
OWN = {"Tom Brady": ("/members", "/contacts?programme=Open+Door+Peer+Advice", "/earnings?programme=Liffey+Tutors"),
       "Gus Byrne": ("/invoices",)}
"""Screens that Alice has not, looked at wide and narrow."""
PHONE = ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile"
         " Safari/537.36")
RAW = re.compile(
    r"\bNone\b|\bnan\b|\bNaN\b|\bNaT\b|\bundefined\b|\bnull\b|\[object|Traceback|Error:|<[/a-z]|&[a-z]+;|\b\w+_id\b"
    r"|:material|\\[-.()]|\{\w*\}|0x[0-9a-f]{6}"
)
VIOLATIONS = (
    "addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`))"
)
SCROLLS_WITHIN = f"""() => [...document.querySelectorAll('{MAIN} *')].filter(one =>
  ['auto', 'scroll'].includes(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1
  && one.clientHeight > 0 && one.getClientRects().length
).map(one => `${{one.dataset.testid || one.tagName}} ${{one.scrollHeight}} in ${{one.clientHeight}}`)"""
TOO_WIDE = f"""() => [document.documentElement, document.querySelector('{MAIN}') || document.body]
  .map(one => Math.max(0, one.scrollWidth - one.clientWidth)).reduce((a, b) => a + b)"""


@pytest.fixture(scope="module")
def portal(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal with the blank screen, and hours; nothing else is written here."""
    command = [sys.executable, str(Path(__file__).with_name("with_blank.py"))]
    with a_portal(demo, tmp_path_factory.mktemp("looks"), command) as running:
        give_hours(running.engine)
        yield running


class Watched:
    """A window, with what the browser's console says; `usual` is what a blank screen has as well."""

    def __init__(self, portal: Portal, browser: Browser, width: int) -> None:
        phone: dict[str, Any] = {"is_mobile": True, "has_touch": True, "user_agent": PHONE} if width < 500 else {}
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="light", locale="en-GB", **phone)
        self.context.add_init_script(VIOLATIONS)
        self.said: list[str] = []
        self.portal, self.wide = portal, width == WIDE
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda problem: self.said.append(str(problem)))
        self.tab, self.name = Tab(portal, page), ""
        self.usual: set[str] = set()
        self.usual = {one.split(" at ")[0] for one in self.of("Alice Moran").wrong_with("/blank")}

    def of(self, name: str) -> "Watched":
        """It is this person's."""
        if name != self.name:
            self.context.clear_cookies()
            sign_in(self.portal, self.tab.page, name)
            self.name = name
        return self

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            address = message.location.get("url", "").removeprefix(self.portal.url)
            self.said.append(f"{message.text} {re.sub('^/[a-z-]+(?=/_stcore/)', '', address)}")

    def wrong_with(self, path: str) -> list[str]:
        """Everything that is wrong with a screen; colours in the dark are those of the wide one."""
        page = self.tab.page
        page.emulate_media(color_scheme="light")
        self.said.clear()
        self.tab.go(path)
        if page.locator('[data-testid="stDataFrame"]:visible').count():
            self.tab.headings()
        found = self._wrong() + [f"axe {one}" for one in axe(page)]
        if self.wide:
            found += [f"axe in the dark {one}" for one in self._dim(path)]
        found += [f"console {said}" for said in self.said]
        return [one for one in found if one.split(" at ")[0] not in self.usual]

    def _dim(self, path: str) -> list[str]:
        """What cannot be read in the dark."""
        self.tab.page.emulate_media(color_scheme="dark")
        self.tab.settled()
        if dim := axe(self.tab.page, runOnly=["color-contrast"]):
            self.tab.go(path)  # the shell chooses its style for the dark when it is drawn
            dim = axe(self.tab.page, runOnly=["color-contrast"])
        return dim

    def _wrong(self) -> list[str]:
        tab, found = self.tab, []
        if over := tab.page.evaluate(TOO_WIDE):
            found.append(f"{over} pixels too wide")
        found += [f"scrolls within itself: {one}" for one in tab.page.evaluate(SCROLLS_WITHIN)]
        if (primary := tab.main.locator('button[kind^="primary"]:visible').count()) > 1:
            found.append(f"{primary} primary actions")
        if tab.main.get_by_role("heading", level=1).count() != 1:
            found.append("not one title")
        if tab.page.get_by_test_id("stException").count():
            found.append("an exception")
        text = re.sub(r":material/\w+:", "", tab.text())  # Streamlit reads icons of a button in a table out so
        return found + [
            f"raw text: {text[max(0, hit.start() - 30):hit.end() + 30]!r}" for hit in list(RAW.finditer(text))[:5]
        ]


@pytest.fixture(scope="module")
def watch(portal: Portal, browser: Browser) -> Iterator[Callable[[str, int], Watched]]:
    """Somebody's window of some width."""
    windows: dict[int, Watched] = {}

    def watched(name: str, width: int) -> Watched:
        if width not in windows:
            windows[width] = Watched(portal, browser, width)
        return windows[width].of(name)

    yield watched
    for each in windows.values():
        each.context.close()


@pytest.fixture(scope="module")
def places(portal: Portal) -> dict[str, int]:
    """What the addresses are about."""
    here = "SELECT s.id FROM session s JOIN programme p ON p.id = s.programme_id WHERE p.name LIKE 'Elbe%' AND s.status"
    asked = {
        "held": f"{here} IN ('held', 'completed') LIMIT 1",
        "ahead": f"{here} = 'scheduled' ORDER BY s.starts_at DESC LIMIT 1",
        "weekdays": f"SELECT id FROM timetable WHERE name = '{TIMETABLE}'",
        "tom": "SELECT id FROM person WHERE name = 'Tom Brady'",
        "invoice": "SELECT d.id FROM document d JOIN programme p ON p.id = d.programme_id WHERE p.name LIKE 'Liffey%'"
                   " AND d.kind = 'invoice' ORDER BY d.id DESC LIMIT 1",
    }
    with portal.engine.connect() as connection:
        return {name: int(connection.exec_driver_sql(sql).scalar_one()) for name, sql in asked.items()}


def axe(page: Page, **options: Any) -> list[str]:
    """What axe finds, by rule, with where."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{each['id']} at " + "; ".join(f"{node['html'][:150]} {node['failureSummary'][-160:]}"
                                        for node in each["nodes"][:4]) for each in found
    ]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_whole(
    watch: Callable[[str, int], Watched], places: dict[str, int], screen: str, width: int
) -> None:
    found = watch("Alice Moran", width).wrong_with(SCREENS[screen].format(**places))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", OTHERS)
def test_everybody_finds_their_own_screens_whole(watch: Callable[[str, int], Watched], name: str) -> None:
    width = NARROW if name in ("Sara Byrne", "Gus Byrne", "Tom Brady") else WIDE
    looked_at = [*((path, width) for path in ("/", "/sessions", "/calendar")),
                 *((path, each) for each in (WIDE, NARROW) for path in OWN.get(name, ()))]
    found = [f"{path} at {width}: {one}" for path, width in looked_at for one in watch(name, width).wrong_with(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/signin", "/forgotten", "/link/nothing-here"])
def test_the_pages_for_strangers_are_whole(portal: Portal, browser: Browser, path: str) -> None:
    context = browser.new_context(viewport={"width": NARROW, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto(portal.url + path)
    found = axe(page)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.emulate_media(color_scheme="dark")
    found += axe(page, runOnly=["color-contrast"])
    context.close()
    assert (over, found) == (0, [])



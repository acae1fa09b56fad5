"""Real Chromium on a portal with made-up people: one small demo for all, copied for each module that writes.

    def test_something(enter):
        alice = enter("Alice Moran", "/sessions")
        alice.open_row(0)
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as TimedOut
from sqlalchemy import delete, select

from core.demo import build
from core.work import THE_PORTAL, Work, commit, now_utc
from db.engine import make_engine
from db.migrate import migrate
from db.models.availability import Closure, DatedWindow, TimeOff, WeeklyWindow
from db.models.programmes import Programme, RoleGrant
from db.words import Role
from tests.factories import around_the_clock
from tests.portal import Portal
from ui.table import LINE, WIDTHS

SESSIONS = 600
CHROMIUM = next(filter(None, (
    os.environ.get("PORTAL_CHROMIUM"), *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))), None)
UNUSED = (
    # what every new window would draw beside the page, at three quarters of a second of the processor's time
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "AimEnabled", "LensOverlay", "MediaRouter",
    # named once more, as they are Playwright's own and the last list counts
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "PaintHolding", "ThirdPartyStoragePartitioning", "OptimizationHints",
    "NetworkTimeServiceQuerying",
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--disable-features={','.join(UNUSED)}"]
PROGRAMME = "Elbe Founders Challenge"
HEADER, ACTIONS = 34, 42
"""Pixels of the table: its heading, a line, and the last column."""
LAPTOP: ViewportSize = {"width": 1440, "height": 900}
MAIN = '[data-testid="stMain"]'
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives Chromium."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of this machine."""
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A laptop's window, unless a test says otherwise."""
    return {**browser_context_args, "viewport": LAPTOP, "locale": "en-GB"}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo database, made once however many processes test."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    path, ready = shared / "browser-demo.db", shared / "browser-demo.ready"
    with (shared / "browser-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            engine = make_engine(f"sqlite:///{path}")
            migrate(engine)
            build(engine, sessions=SESSIONS, today=now_utc().date())
            engine.dispose()
            ready.touch()
    return path


@pytest.fixture(scope="module")
def portal(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A running portal on this module's own copy of the demo."""
    with a_portal(demo, tmp_path_factory.mktemp("browser")) as running:
        commit(running.engine, THE_PORTAL, _open_always)
        yield running


def _open_always(work: Work) -> None:
    """Mentors of the programme that tests are about can be booked around the clock, whatever the demo says."""
    here = work.tx.scalar(select(Programme.id).where(Programme.name == PROGRAMME)) or 0
    mentors = list(work.tx.scalars(select(RoleGrant.person_id).where(
        RoleGrant.programme_id == here, RoleGrant.role == Role.PRACTITIONER)))
    for model in (WeeklyWindow, DatedWindow, Closure):
        work.tx.execute(delete(model).where(model.programme_id == here))
    work.tx.execute(delete(TimeOff).where(TimeOff.person_id.in_(mentors)))
    around_the_clock(work.tx, here, mentors, "Europe/Berlin")


def a_portal(demo: Path, home: Path, command: list[str] | None = None) -> Portal:
    """A portal on a copy of the demo, with one-click sign-ins; to be entered."""
    shutil.copyfile(demo, home / "portal.db")
    return Portal(home, demo=True, command=command)


Enter = Callable[..., "Tab"]


@pytest.fixture(scope="module")
def kept(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """A window that has read Streamlit's scripts already, which takes a new one two seconds of the processor."""
    with browser.new_context(accept_downloads=True, **browser_context_args) as context:
        yield context.new_page()


@pytest.fixture
def enter(portal: Portal, kept: Page, new_context: Callable[..., BrowserContext]) -> Enter:
    """Somebody of the demo signs in by one click, in a browser of their own: `enter("Tom Brady", "/sessions")`."""
    free = [kept]

    def entered(name: str, path: str = "/", **how: Any) -> Tab:
        page = as_new(portal, free.pop()) if free and not how else new_context(accept_downloads=True, **how).new_page()
        return sign_in(portal, page, name, path)

    return entered


def as_new(portal: Portal, page: Page) -> Page:
    """Nobody is signed in there, nothing is kept, and the window is as it was opened."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.goto(f"{portal.url}/health")
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.set_viewport_size(LAPTOP)
    page.emulate_media(color_scheme="light")
    return page


def sign_in(portal: Portal, page: Page, name: str, path: str = "/") -> "Tab":
    """One click on the name; the screen that was asked for opens."""
    page.goto(portal.url + path)
    page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}")).click()
    return Tab(portal, page).settled()


class Tab:
    """One tab of somebody signed in."""

    def __init__(self, portal: Portal, page: Page) -> None:
        self.portal, self.page, self.main = portal, page, page.locator(MAIN)

    def settled(self) -> "Tab":
        """Wait until the screen has been drawn and the script rests."""
        expect(self.main.get_by_role("heading", level=1).first).to_be_visible()
        expect(self.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(self.page.locator('[data-stale="true"]')).to_have_count(0)
        return self

    def answered(self) -> "Tab":
        """As `settled`, for what is sent by Enter: the script begins a moment later."""
        self.page.wait_for_timeout(250)
        return self.settled()

    def go(self, path: str) -> "Tab":
        """Open an address."""
        self.page.goto(self.portal.url + path)
        return self.settled()

    def another(self, path: str) -> "Tab":
        """A second tab of the same browser."""
        return Tab(self.portal, self.page.context.new_page()).go(path)

    def titled(self, title: str | re.Pattern[str]) -> "Tab":
        """Wait for the screen of that name."""
        expect(self.main.get_by_role("heading", level=1, name=title)).to_be_visible()
        return self.settled()

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None, exact: bool = True) -> None:
        """Click a button."""
        (within or self.main).get_by_role("button", name=name, exact=exact).first.click()

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the screen says so."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    @property
    def panel(self) -> Locator:
        """The side panel."""
        return self.page.get_by_role("dialog")

    def text(self) -> str:
        """All that the screen says, the cells of its tables among it."""
        cells = " ".join(self.main.locator("td, th").all_text_contents())
        return f"{self.page.locator('body').inner_text()}\n{cells}"

    # The list ----------------------------------------------------------------------------------------------------

    @property
    def grid(self) -> Locator:
        """The table as it is read out."""
        return self.main.get_by_test_id("stDataFrame").locator("table")

    def counts(self, words: str | re.Pattern[str]) -> None:
        """Wait for '1–50 of 108' above the list."""
        expect(self.main.get_by_text(words).first).to_be_visible()
        self.settled()

    def total(self) -> int:
        """How many the list says there are."""
        said = self.main.get_by_text(re.compile(r"^\d+–\d+ of ")).inner_text()
        return int(re.findall(r"of ([\d,]+)", said)[0].replace(",", ""))

    def headings(self) -> list[str]:
        """The columns shown. A table is read out a fifth of a second after it is drawn."""
        expect(self.grid.locator("th").first).to_be_attached()
        self.page.wait_for_timeout(300)
        return self.grid.locator("th").all_text_contents()

    def column(self, name: str) -> list[str]:
        """One column from top to bottom, by the beginning of its heading."""
        at = next(n for n, heading in enumerate(self.headings()) if heading.startswith(name))
        return self.grid.locator(f"tbody td:nth-child({at + 1})").all_text_contents()

    def until_column(self, name: str, holds: Callable[[list[str]], bool]) -> list[str]:
        """Wait until a column looks so."""
        for _ in range(40):
            if holds(found := self.column(name)):
                return found
        raise AssertionError(f"{name}: {found}")

    def cell(self, text: str | re.Pattern[str]) -> Locator:
        """Cells that say so."""
        return self.grid.locator("td", has_text=text)

    def _x(self, name: str) -> float:
        """The middle of a column, from the left edge of the table."""
        listed = {"time": "Time", "number": "No.", "status": "Status"}
        if name == "tick":
            return 16.0
        width = (self.main.get_by_test_id("data-grid-canvas").bounding_box() or {"width": 0.0})["width"]
        shown = [WIDTHS[each] for each in ("status", "time", "practitioner", "team", "timetable", "course",
                                           "description", "number")]
        left = self._ticks()
        wider = (width - left - sum(shown) - ACTIONS) / (len(shown) + 1)  # what is free goes to all alike
        assert 0 <= wider < 20, f"not a table of all columns: {self.headings()}"
        if name == "actions":
            return width - (ACTIONS + wider) / 2
        edges = [left]
        for each in shown:
            edges.append(edges[-1] + each + wider)
        return dict(zip(WIDTHS, (sum(pair) / 2 for pair in pairwise(edges)), strict=False))[
            {label: each for each, label in listed.items()}.get(name, name)]

    def _ticks(self) -> float:
        """How wide the column to tick is, where there is one."""
        return 33.0 if "Quick fix" in self.main.inner_text() else 0.0

    def click_cell(self, row: int, name: str) -> None:
        """Click into a line, counted from 0; -1 is the heading."""
        y = HEADER / 2 if row < 0 else HEADER + LINE * row + LINE / 2
        self._grid_click(self._x(name), y)

    def open_row(self, row: int) -> None:
        """Click a line where it opens for everybody: on its status."""
        self._grid_click(self._ticks() + 30, HEADER + LINE * row + LINE / 2)

    def _grid_click(self, x: float, y: float) -> None:
        self.settled()
        self.main.locator(".dvn-scroller").first.click(position={"x": x, "y": y})

    # Widgets -----------------------------------------------------------------------------------------------------

    def choose_several(self, label: str, *values: str, within: Locator | None = None) -> None:
        """Tick values of a field that takes several."""
        field = (within or self.main).get_by_role("combobox", name=label)
        for value in values:
            field.click()
            field.fill(value)
            self.page.get_by_role("option", name=value, exact=True).click()
        self.page.keyboard.press("Escape")
        expect((within or self.main).get_by_role("button", name=f"Remove {values[-1]}")).to_be_visible()
        self.settled()

    def choose(self, label: str, value: str, within: Locator | None = None) -> None:
        """Choose one out of a list. What is redrawn meanwhile closes it: then it is opened again."""
        field = (within or self.main).get_by_role("combobox", name=label)
        option = self.page.get_by_role("option", name=value).first
        for _ in range(5):
            self.settled()
            field.click()
            field.fill(value)
            try:
                option.click(timeout=4_000)
                break
            except TimedOut:
                self.page.keyboard.press("Escape")  # while a list is open, the rest of the screen is hidden
        expect(field).to_have_value(re.compile(re.escape(value)))
        self.settled()

    def find_person(self, label: str, name: str, within: Locator | None = None) -> None:
        """Type a name and choose who is meant."""
        field = (within or self.main).get_by_role("textbox", name=label)
        field.fill(name)
        field.press("Enter")
        self.answered()

    def put_time(self, at: datetime, within: Locator | None = None) -> None:
        """Type a local date and time."""
        place = within or self.main
        for name, typed in (("Date", f"{at:%Y-%m-%d}"), ("Time", f"{at:%H:%M}")):
            field = place.get_by_role("textbox", name=re.compile(f"^{name}"))
            field.fill(typed)
            field.press("Enter")
            self.answered()

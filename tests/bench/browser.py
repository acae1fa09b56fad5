"""The list in Chromium at a million sessions, against a page of the same shell that only writes one line.

From the release of the mouse to the last of 50 new lines drawn: the numbers that the list must show are known from the
core, and the canvas tells what it draws. 300 ms between clicks, since back-to-back reruns hide what a page costs.
"""

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright
from sqlalchemy import Engine, func, select

from core.programmes.queries import programme_of
from core.sessions.queries import PAGE, Filters, session_list
from core.work import THE_PORTAL, Work, reading
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.words import Role, Status
from tests.bench.timing import ROUNDS, Bar
from tests.browser.conftest import ARGUMENTS, CHROMIUM, MAIN, Tab
from tests.portal import Portal

WITH_BLANK = Path(__file__).parents[1] / "browser" / "with_blank.py"
BETWEEN = 300
CHOSEN = (Status.HELD, Status.COMPLETED, Status.MISSED)
"""Statuses filtered by in turn, in the whole past."""
CLOCK = """
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  if (window.drew) window.drew(String(text));
  return fill.call(this, text, ...place);
};
window.clock = (line, cells) => new Promise((done, fail) => {
  setTimeout(() => fail(new Error(`not on screen: ${line}, ${[...missing]}`)), 60000);
  const missing = new Set(cells);
  let since = 0;
  const look = () => {
    if (!since || missing.size) return;
    const lines = document.querySelectorAll('MAIN p');
    if (![...lines].some(one => one.textContent.includes(line))) return;
    watcher.disconnect();
    window.drew = null;
    done(performance.now() - since);
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, {childList: true, subtree: true, characterData: true});
  window.drew = text => { if (since && missing.delete(text)) look(); };
  addEventListener('pointerup', click => { since = click.timeStamp; }, {capture: true, once: true});
});
""".replace("MAIN", MAIN)


def bars(million: Engine) -> Iterator[Bar]:
    """A click on a status of the filter."""
    with reading(million, THE_PORTAL) as work:
        here = _largest(work)
        name = programme_of(work, here).name
        admin = work.tx.scalar(select(RoleGrant.person_id).where(
            RoleGrant.programme_id == here, RoleGrant.role == Role.MASTER_ADMIN).limit(1))
        past = Filters(until=work.now.date())
        shown = {
            status: [str(row.number) for row in session_list(work, here, replace(past, statuses=(status,))).rows]
            for status in CHOSEN
        }
    assert admin is not None
    assert all(len(numbers) == PAGE for numbers in shown.values())
    url = million.url.render_as_string(hide_password=False)
    with (
        TemporaryDirectory() as home, Portal(Path(home), url=url, command=[sys.executable, str(WITH_BLANK)]) as portal,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "portal", "value": portal.token(admin), "url": portal.url}])
        context.add_init_script(CLOCK)
        listed = _tab(portal, context, f"/sessions?programme={name}&to={past.until}")
        blank = _tab(portal, context, f"/blank?line=1&programme={name}")
        pairs = [
            (_filtered(listed, CHOSEN[n % len(CHOSEN)], shown), _another_line(blank, n + 2)) for n in range(ROUNDS + 2)
        ][2:]
        browser.close()
    measured, reference = (statistics.median(side) for side in zip(*pairs, strict=True))
    yield Bar("list in Chromium, filter click to 50 new rows", million.dialect.name, measured, reference,
              measured / reference, 3, "a page that writes one line")


def _largest(work: Work) -> int:
    return int(work.tx.execute(
        select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1)
    ).scalar_one())


def _tab(portal: Portal, context: BrowserContext, path: str) -> Tab:
    return Tab(portal, context.new_page()).go(path)


def _filtered(tab: Tab, status: Status, shown: dict[Status, list[str]]) -> float:
    """Milliseconds from choosing a status to its 50 rows; none is chosen before and after."""
    tab.page.bring_to_front()
    tab.main.get_by_role("combobox", name="Status").click()
    option = tab.page.get_by_role("option", name=status, exact=True)
    option.wait_for()
    took = _clocked(tab.page, option, f"1–{PAGE} of ", shown[status])
    tab.page.keyboard.press("Escape")
    tab.settled()
    tab.main.get_by_role("combobox", name="Status").press("Backspace")
    tab.page.wait_for_url(lambda address: "status=" not in address)
    tab.settled()
    tab.page.wait_for_timeout(BETWEEN)
    return took


def _another_line(tab: Tab, number: int) -> float:
    """Milliseconds from pressing the button to the line."""
    tab.page.bring_to_front()
    took = _clocked(tab.page, tab.main.get_by_role("button", name="Another line"), f"Line {number}", ())
    tab.settled()
    tab.page.wait_for_timeout(BETWEEN)
    return took


def _clocked(page: Page, target: Locator, line: str, cells: Sequence[str]) -> float:
    page.evaluate("([line, cells]) => { window.took = window.clock(line, cells); }", [line, list(cells)])
    target.click()
    return float(page.evaluate("window.took"))

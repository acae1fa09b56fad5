"""What billing comes to, from totals against adding up every line; its screen in Chromium against one of one line."""

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from sqlalchemy import Engine, func, select

from core.billing.totals import fold_all, sums
from core.programmes.queries import programme_of
from core.work import THE_PORTAL, reading
from db.models.billing import LedgerLine
from db.models.programmes import RoleGrant
from db.words import LineKind, Outcome, Role, TotalOf
from tests.bench.bare import Bare
from tests.bench.browser import WITH_BLANK
from tests.bench.timing import Bar, bar
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Tab
from tests.portal import Portal

FROM_TOTALS, FIRST_VIEW = 0.03, 5
ROUNDS, BETWEEN = 12, 300
CLOCK = """
window.clock = wanted => new Promise((done, fail) => {
  setTimeout(() => fail(new Error(`not on screen: ${wanted}`)), 60000);
  let since = 0;
  const there = () => {
    if (wanted === 'Blank') return [...document.querySelectorAll('h1')].some(one => one.textContent === wanted);
    const plot = document.querySelector('.js-plotly-plot');
    return document.querySelectorAll('[data-testid="stMetricValue"]').length >= 5
      && plot && plot.querySelectorAll('.bars .point path').length > 0;
  };
  const look = () => requestAnimationFrame(there() ? () => done(performance.now() - since) : look);
  addEventListener('pointerup', click => { since = click.timeStamp; requestAnimationFrame(look); },
    {capture: true, once: true});
});
"""


def bars(million: Engine) -> Iterator[Bar]:
    """The sums, and the first view of the screen."""
    fold_all(million)
    bare, engine = Bare(million), million.dialect.name
    with reading(million, THE_PORTAL) as work:
        here, lines = work.tx.execute(
            select(LedgerLine.programme_id, func.count()).group_by(LedgerLine.programme_id)
            .order_by(func.count().desc()).limit(1)).one()
        name = programme_of(work, here).name
        admin = work.tx.scalar(select(RoleGrant.person_id).where(
            RoleGrant.programme_id == here, RoleGrant.role == Role.MASTER_ADMIN).limit(1))
        month = "date(day, 'start of month')" if bare.on_sqlite else "date_trunc('month', day)::date"
        live = (f"SELECT {month}, kind, outcome, sum(amount), sum(minutes), count(*) FROM ledger_line"
                " WHERE programme_id = ? GROUP BY 1, 2, 3")
        ours = {(str(one.month), one.kind, one.what): one.amount for one in sums(work, [here], TotalOf.OUTCOME)}
        assert ours == {
            (str(row[0]), LineKind(row[1]), Outcome(row[2])): row[3] for row in bare.rows(live, (here,))}
        yield bar(f"billing by month and outcome, {lines:,} lines", engine,
                  lambda: sums(work, [here], TotalOf.OUTCOME), lambda: bare.rows(live, (here,)), FROM_TOTALS,
                  "the same query over the lines", 15)
    assert admin is not None
    measured, reference = _in_chromium(million, admin, name)
    yield Bar("billing in Chromium, menu to figures and chart", engine, measured, reference, measured / reference,
              FIRST_VIEW, "a page that writes one line")


def _in_chromium(million: Engine, admin: int, programme: str) -> tuple[float, float]:
    """Median milliseconds from the menu to the figures and the chart in view, and to a page of one line."""
    url = million.url.render_as_string(hide_password=False)
    with (
        TemporaryDirectory() as home, Portal(Path(home), url=url, command=[sys.executable, str(WITH_BLANK)]) as portal,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "portal", "value": portal.token(admin), "url": portal.url}])
        context.add_init_script(CLOCK)
        tab = Tab(portal, context.new_page()).go(f"/blank?programme={programme}")
        pairs = [(_led_to(tab, "Billing"), _led_to(tab, "Blank")) for _ in range(ROUNDS + 2)][2:]
        browser.close()
    measured, reference = (statistics.median(side) for side in zip(*pairs, strict=True))
    return measured, reference


def _led_to(tab: Tab, screen: str) -> float:
    """Milliseconds from a click in the menu to the screen."""
    tab.settled()
    tab.page.wait_for_timeout(BETWEEN)
    tab.page.evaluate("wanted => { window.took = window.clock(wanted); }", screen)
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name=screen, exact=True).click()
    took = float(tab.page.evaluate("window.took"))
    tab.settled()
    return took

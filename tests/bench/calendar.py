"""The calendar in Chromium: a month of five thousand sessions and more against one of two hundred.

From the release of the mouse on *Later* to the next month drawn inside the frame, turn by turn.
"""

import statistics
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, sync_playwright
from sqlalchemy import Engine, func, select

from core.clock import day_start
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.address import person_words
from core.sessions.calendar import FITS, in_view, months_on
from core.sessions.queries import Filters
from core.work import THE_PORTAL, Work, reading
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.words import Role
from tests.bench.timing import Bar
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Tab
from tests.portal import Portal

MANY, FEW = 5_000, 200
ROUNDS, BETWEEN = 16, 300
CLOCK = """
window.clock = day => new Promise((done, fail) => {
  setTimeout(() => fail(new Error(`not on screen: ${day}`)), 60000);
  let since = 0;
  const look = () => {
    const frame = document.querySelector('iframe[title*=calendar]')?.contentDocument;
    if (frame?.querySelector(`td[data-date="${day}"]:not(.fc-day-other)`) && frame.querySelector('a.one'))
      requestAnimationFrame(() => done(performance.now() - since));
    else requestAnimationFrame(look);
  };
  addEventListener('pointerup', click => { since = click.timeStamp; requestAnimationFrame(look); },
    {capture: true, once: true});
});
"""


def bars(million: Engine) -> Iterator[Bar]:
    """Turning the month, on one engine."""
    with reading(million, THE_PORTAL) as work:
        here = int(work.tx.execute(
            select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1)
        ).scalar_one())
        programme, month = programme_of(work, here), _busy_month(work, here)
        few = _some_practitioners(work, programme, month)
        admin = work.tx.scalar(select(RoleGrant.person_id).where(
            RoleGrant.programme_id == here, RoleGrant.role == Role.MASTER_ADMIN).limit(1))
    assert admin is not None
    url = million.url.render_as_string(hide_password=False)
    with TemporaryDirectory() as home, Portal(Path(home), url=url) as portal, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 1200})
        context.add_cookies([{"name": "portal", "value": portal.token(admin), "url": portal.url}])
        context.add_init_script(CLOCK)
        shown = {"programme": programme.name, "view": "month", "day": months_on(month, -1).isoformat()}
        many = _tab(portal, context, urlencode(shown))
        less = _tab(portal, context, urlencode({**shown, "practitioner": few}, doseq=True))
        pairs = [(_turned(many, month), _turned(less, month)) for _ in range(ROUNDS + 2)][2:]
        browser.close()
    measured, reference = (statistics.median(side) for side in zip(*pairs, strict=True))
    yield Bar(f"calendar, a month of {MANY:,} and more", million.dialect.name, measured, reference,
              measured / reference, 2, f"a month of about {FEW}, each drawn")


def _busy_month(work: Work, programme_id: int) -> date:
    """The first of a month before this one, with more than enough sessions in it."""
    month = months_on(work.now.date(), -1)
    assert _in_month(work, programme_of(work, programme_id), month, Filters()) >= MANY
    return month


def _some_practitioners(work: Work, programme: ProgrammeView, month: date) -> list[str]:
    """As many of them, as the address names them, as have about two hundred sessions in that month."""
    chosen: list[int] = []
    for id_ in work.tx.scalars(select(RoleGrant.person_id).where(
        RoleGrant.programme_id == programme.id, RoleGrant.role == Role.PRACTITIONER).order_by(RoleGrant.person_id)
    ):
        total = _in_month(work, programme, month, Filters(practitioners=(*chosen, id_)))
        if total <= FITS:
            chosen.append(id_)
        if total >= FEW and chosen:
            break
    assert _in_month(work, programme, month, Filters(practitioners=tuple(chosen))) >= FEW / 2
    return list(person_words(work, programme.id, chosen).values())


def _in_month(work: Work, programme: ProgrammeView, month: date, filters: Filters) -> int:
    since, until = (day_start(day, programme.zone) for day in (month, months_on(month, 1) + timedelta(days=7)))
    return in_view(work, programme.id, filters, since, until).total


def _tab(portal: Portal, context: BrowserContext, query: str) -> Tab:
    return Tab(portal, context.new_page()).go(f"/calendar?{query}")


def _turned(tab: Tab, month: date) -> float:
    """Milliseconds from pressing *Later* to that month; back at the month before afterwards."""
    tab.page.bring_to_front()
    tab.settled()
    tab.page.evaluate("day => { window.took = window.clock(day); }", month.isoformat())
    tab.press("Later")
    took = float(tab.page.evaluate("window.took"))
    tab.settled()
    tab.press("Earlier")
    tab.page.wait_for_url(lambda address: f"day={months_on(month, -1)}" in address)
    tab.settled()
    tab.page.wait_for_timeout(BETWEEN)
    return took

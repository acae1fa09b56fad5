"""The calendar in Chromium: open, drag, stretch, refuse, undo, book, keyboard, address (A4, B9, B11, E7, X5)."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import commit
from tests.browser.conftest import PROGRAMME, Enter, Tab
from tests.browser.facts import BERLIN, Known, ahead, now, person, session, value
from tests.browser.on_calendar import GRIP, frame, slot
from tests.portal import Portal


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A window in which the whole calendar is in sight, so that a drag needs no scrolling."""
    return {**browser_context_args, "viewport": {"width": 1440, "height": 1200}}


def week_of(one: Known) -> str:
    """The week of a session, with nothing but that session in it."""
    return f"/calendar?view=week&day={one.starts_at:%Y-%m-%d}&text={one.number}&programme={one.programme}"


def event(tab: Tab, at: datetime | None = None) -> Locator:
    """The only session shown; with a time, where it stands there."""
    shown = frame(tab).locator("a.one")
    if at is None:
        return shown
    return frame(tab).locator(f'td[data-date="{at:%Y-%m-%d}"] a.one', has_text=f"{at:%H:%M}")


def drag(tab: Tab, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = tab.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(start[0] + 8, start[1] + 8, steps=3)
    mouse.move(*end, steps=12)
    tab.page.wait_for_timeout(150)
    mouse.up()


def drag_to(tab: Tab, at: datetime) -> None:
    box = event(tab).bounding_box()
    assert box
    x, y = slot(tab, at)
    drag(tab, (box["x"] + 30, box["y"] + GRIP), (x, y + GRIP))


def free_place(one: Known) -> datetime:
    """Another time of the same week that nobody needs."""
    days = 1 if one.starts_at.weekday() < 6 else -1
    return (one.starts_at + timedelta(days=days)).replace(hour=9, minute=0, tzinfo=None)


def starts(portal: Portal, one: Known) -> datetime:
    at = value(portal, "SELECT starts_at FROM session WHERE id = ?", one.id)
    return datetime.fromtimestamp(at, BERLIN)


def test_a7_e7_a_click_opens_a_session_each_time(portal: Portal, enter: Enter) -> None:
    past = session(portal, "g.name = ? AND s.status = 'completed' AND s.planning_notes > ''", PROGRAMME)
    notes = value(portal, "SELECT planning_notes FROM session WHERE id = ?", past.id)
    alice = enter("Alice Moran", week_of(past))
    for _ in range(2):
        event(alice).click()
        expect(alice.panel.get_by_text(f"Session {past.number}")).to_be_visible()
        expect(alice.panel.get_by_text(notes[:30])).to_be_visible()
        alice.press("Close", within=alice.panel)
        expect(alice.panel).to_have_count(0)
        alice.settled()


def test_a4_x5_a_drag_moves_and_undo_puts_it_back(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 0)
    alice = enter("Alice Moran", week_of(one))
    expect(event(alice, one.starts_at)).to_be_visible()
    there = free_place(one)
    drag_to(alice, there)
    alice.says(f"Moved session {one.number} to")
    assert starts(portal, one).replace(tzinfo=None) == there
    expect(event(alice, there)).to_be_visible()
    alice.settled().press("Undo")
    alice.says(re.compile("^Undid"))
    assert starts(portal, one) == one.starts_at
    expect(event(alice, one.starts_at)).to_be_visible()
    alice.settled()
    drag_to(alice, there)  # the very same drag once more
    expect(alice.main.get_by_text(re.compile(f"^Moved session {one.number} to"))).to_be_visible()
    assert starts(portal, one).replace(tzinfo=None) == there


def test_a4_a_stretch_changes_how_long_it_takes(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 1)
    before = value(portal, "SELECT ends_at - starts_at FROM session WHERE id = ?", one.id)
    alice = enter("Alice Moran", week_of(one))
    event(alice).hover()
    grip = event(alice).locator(".fc-event-resizer-end").bounding_box()
    assert grip
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    _, top = slot(alice, one.starts_at.replace(minute=0))
    _, later = slot(alice, one.starts_at.replace(minute=30))
    drag(alice, (x, y), (x, y + later - top))
    alice.says(f"Moved session {one.number} to")
    after = value(portal, "SELECT ends_at - starts_at FROM session WHERE id = ?", one.id)
    assert (after, starts(portal, one)) == (before + 1800, one.starts_at)


def test_b9_a_drag_onto_time_taken_meanwhile_snaps_back_and_says_who_and_when(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 2)
    alice = enter("Alice Moran", week_of(one))
    expect(event(alice, one.starts_at)).to_be_visible()
    there, programme = free_place(one), value(portal, "SELECT programme_id FROM session WHERE id = ?", one.id)
    commit(portal.engine, person(portal, "Ben Adler"), book_sessions, [Booking(
        programme, practitioner_id=person(portal, one.practitioner), starts_at=there.replace(tzinfo=BERLIN), minutes=60,
        timetable_id=value(portal, "SELECT timetable_id FROM session WHERE id = ?", one.id))])
    drag_to(alice, there)
    expect(alice.panel.get_by_text(re.compile(f"{one.practitioner} is busy .*{there:%H:%M}"))).to_be_visible()
    expect(alice.panel.get_by_role("button", name=re.compile(r"^\w{3} \d+ \w+ \d{4}")).first).to_be_visible()
    expect(event(alice, one.starts_at)).to_be_visible()
    expect(event(alice)).to_have_count(1)
    assert starts(portal, one) == one.starts_at
    alice.panel.get_by_role("button", name=re.compile(r"^\w{3} \d+ \w+ \d{4}")).last.click()
    alice.settled()
    alice.press("Move", within=alice.panel)
    alice.says(f"Moved session {one.number} to")
    assert starts(portal, one) != one.starts_at


def test_c2_empty_time_leads_to_the_booking_form(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 3)
    alice = enter("Alice Moran", f"{week_of(one)}&practitioner={one.practitioner}")
    expect(event(alice)).to_be_visible()
    there = free_place(one)
    x, y = slot(alice, there)
    alice.page.mouse.click(x, y + GRIP)
    alice.titled("Book a session")
    expect(alice.main.get_by_role("textbox", name=re.compile("^Date"))).to_have_value(f"{there:%Y-%m-%d}")
    expect(alice.main.get_by_role("textbox", name=re.compile("^Time"))).to_have_value(f"{there:%H:%M}")
    expect(alice.main.get_by_role("textbox", name="Mentor")).to_have_value(one.practitioner)

    alice.go(f"{week_of(one)}&practitioner={one.practitioner}")
    expect(event(alice)).to_be_visible()
    x, y = slot(alice, there)
    _, later = slot(alice, there + timedelta(minutes=90))
    drag(alice, (x, y + GRIP), (x, later - GRIP))
    alice.titled("Book a session")
    expect(alice.main.get_by_role("spinbutton", name="Minutes")).to_have_value("90")


@pytest.mark.parametrize("name", ["Mona Reyes", "Lena Fox"])
def test_b11_who_may_not_move_cannot_drag(portal: Portal, enter: Enter, name: str) -> None:
    one = session(
        portal, "s.status = 'scheduled' AND s.starts_at > ? AND EXISTS (SELECT 1 FROM participation a JOIN role_grant r"
        " ON r.programme_id = s.programme_id AND r.person_id = ? LEFT JOIN relation t ON t.adult_id = r.person_id"
        " AND t.learner_id = a.learner_id AND t.programme_id = s.programme_id WHERE a.session_id = s.id"
        " AND (r.role = 'insight viewer' OR t.id IS NOT NULL))", now(), person(portal, name))
    viewer = enter(name, week_of(one))
    expect(event(viewer)).to_be_visible()
    expect(frame(viewer).locator(".fc-event-draggable, .fc-event-resizable")).to_have_count(0)
    event(viewer).click()
    expect(viewer.panel).to_be_visible()


def test_the_address_says_what_is_shown(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 4)
    next_month = datetime.now(BERLIN).replace(day=1) + timedelta(days=32)
    alice = enter("Alice Moran", "/calendar")
    alice.main.get_by_role("radio", name="Month").click()
    alice.page.wait_for_url(re.compile("view=month"))
    alice.settled().press("Later")
    alice.page.wait_for_url(re.compile("day="))
    title = f"{next_month:%B %Y}"
    expect(alice.main.get_by_role("heading", level=2)).to_have_text(title)
    alice.choose_several("Mentor", one.practitioner)
    alice.page.wait_for_url(re.compile("practitioner="))
    alice.settled().page.reload()
    alice.settled()
    expect(alice.main.get_by_role("heading", level=2)).to_have_text(title)
    said = parse_qs(urlsplit(alice.page.url).query)
    assert (said["view"], said["practitioner"]) == (["month"], [one.practitioner])
    expect(frame(alice).locator("td.fc-daygrid-day").first).to_be_visible()

    alice.page.get_by_role("link", name="Sessions", exact=True).click()
    alice.titled("Sessions")
    assert "view=" not in alice.page.url
    alice.page.get_by_role("link", name="Calendar", exact=True).click()
    alice.titled("Calendar")
    alice.page.wait_for_url(re.compile("view=month"))
    expect(alice.main.get_by_role("heading", level=2)).to_have_text(title)


def test_turning_the_week_changes_it_in_place(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", "/calendar?view=week&day=2026-03-02")
    expect(frame(alice).locator('td[data-date="2026-03-02"]')).to_be_visible()
    frames = alice.page.evaluate("() => { window.one = document.querySelector('iframe[title*=calendar]'); }")
    alice.press("Later")
    expect(frame(alice).locator('td[data-date="2026-03-09"]')).to_be_visible()
    assert alice.page.evaluate("() => window.one === document.querySelector('iframe[title*=calendar]')"), frames


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_axe_finds_nothing_within_the_frame(enter: Enter, view: str, scheme: str) -> None:
    alice = enter("Alice Moran", f"/calendar?view={view}", color_scheme=scheme)
    expect(frame(alice).locator(".fc-scrollgrid").first).to_be_visible()
    inside = next(each for each in alice.page.frames if "/component/" in each.url)
    found = Axe().run(inside, options={"resultTypes": ["violations"], "rules": {  # type: ignore[arg-type]
        # a frame is no page of its own: the page around it has the title, the language and the landmarks
        name: {"enabled": False} for name in ("region", "page-has-heading-one", "landmark-one-main", "bypass")}})
    assert [f"{each['id']} {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}"
            for each in found.response["violations"]] == []


def test_a_session_is_opened_by_keyboard_in_the_calendar_itself(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 6)
    alice = enter("Alice Moran", week_of(one))
    event(alice).focus()
    alice.page.keyboard.press("Enter")
    expect(alice.panel.get_by_text(f"Session {one.number}")).to_be_visible()


def test_the_frame_is_loaded_once_and_for_the_portal_alone(enter: Enter) -> None:
    alice = enter("Alice Moran", "/calendar?view=month")
    expect(frame(alice).locator(".fc-daygrid-day").first).to_be_visible()
    place = next(each.url for each in alice.page.frames if "/component/" in each.url).partition("/index.html")[0]
    script = frame(alice).locator("script").first.get_attribute("src") or ""
    page, kept = (alice.page.request.get(f"{place}/{path}").headers for path in ("index.html", script))
    assert "frame-ancestors 'self'" in page["content-security-policy"]
    assert (page["cache-control"], kept["cache-control"]) == ("no-store", "public")


def test_the_list_beside_it_is_reached_by_keyboard(portal: Portal, enter: Enter) -> None:
    one = ahead(portal, 5)
    alice = enter("Alice Moran", week_of(one))
    alice.main.locator("summary", has_text="The same sessions as a list").focus()
    alice.page.keyboard.press("Enter")
    listed = alice.main.get_by_role("button", name=re.compile(f"{one.starts_at:%H:%M}.*{one.practitioner}"))
    expect(listed).to_be_visible()
    alice.settled()
    for _ in range(4):
        alice.page.keyboard.press("Tab")
        if listed.evaluate("one => one === document.activeElement"):
            break
    alice.page.keyboard.press("Enter")
    expect(alice.panel.get_by_text(f"Session {one.number}")).to_be_visible()

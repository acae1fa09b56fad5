"""A manager's look at utilisation: charts that can be clicked, links that work by keyboard, a file to take along."""

import csv
import io
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as TimedOut

from tests.browser.conftest import Enter, Tab

MONA = "Mona Reyes"


@pytest.fixture
def mona(enter: Enter) -> Tab:
    tab = enter(MONA, "/utilisation").titled("Utilisation")
    expect(cells(tab).first).to_be_visible()
    return tab


def cells(tab: Tab) -> Locator:
    return tab.main.locator(".st-key-utilisation-heatmap .scatterlayer .point")


def click(tab: Tab, mark: Locator) -> None:
    """Charts take a click where the mouse is, whatever lies on top, and only of what they have just told about.

    Drawn anew between measuring and pointing, a chart has moved: then it tells nothing, and is pointed at again.
    """
    told = tab.main.locator(".hoverlayer .hovertext")
    for _ in range(10):
        mark.scroll_into_view_if_needed()
        box = mark.bounding_box()
        assert box is not None
        tab.page.mouse.move(0, 0)
        tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        with suppress(TimedOut):
            told.first.wait_for(timeout=2_000)
            if mark.bounding_box() == box:
                break
    tab.page.mouse.down()
    tab.page.mouse.up()


def first_link(tab: Tab) -> Locator:
    return tab.main.locator("table.figures tbody tr").first.locator("a").first


def asked(tab: Tab) -> dict[str, list[str]]:
    return {name: values for name, values in parse_qs(urlsplit(tab.page.url).query).items() if name != "programme"}


def test_a_click_on_a_cell_opens_what_its_link_opens(mona: Tab) -> None:
    link = first_link(mona)
    number = link.evaluate("one => one.closest('td').cellIndex") - 1
    where = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    click(mona, cells(mona).nth(number))
    mona.titled("Sessions")
    assert asked(mona) == {name: values for name, values in where.items() if name != "programme"}
    assert mona.total() >= 1
    mona.page.go_back()
    mona.titled("Utilisation")
    expect(cells(mona).first).to_be_visible()
    assert asked(mona) == {}, "Back finds it as it was left"


def test_a_click_on_a_bar_opens_the_sessions_of_its_week(mona: Tab) -> None:
    booked = mona.main.locator(".st-key-utilisation-bars .barlayer .trace").nth(1).locator("path")
    heights = booked.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    click(mona, booked.nth(heights.index(max(heights))))
    mona.titled("Sessions")
    assert "practitioner" not in asked(mona)
    assert mona.total() >= 1


def test_a_link_works_by_keyboard(mona: Tab) -> None:
    link = first_link(mona)
    link.focus()
    mona.page.keyboard.press("Enter")
    mona.titled("Sessions")
    assert mona.total() >= 1


def test_what_is_shown_is_what_the_file_says(mona: Tab) -> None:
    name = mona.main.locator("table.figures tbody th").first.inner_text()
    mona.choose_several("Mentor", name)
    expect(mona.main.locator("table.figures tbody tr")).to_have_count(1)
    assert asked(mona) == {"practitioner": [name]}
    shown = mona.main.locator("table.figures tbody td").all_inner_texts()
    mona.press("Export")
    with mona.page.expect_download() as kept:
        mona.page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(kept.value.path()).read_text("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {name}
    assert [f"{row[-1]}%" for row in rows[1:]] == shown[:-4]

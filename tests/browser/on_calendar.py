"""Where things stand in the calendar's frame."""

from datetime import datetime

from playwright.sync_api import FrameLocator

from tests.browser.conftest import Tab

GRIP = 5
"""Pixels below the top of a session, or of empty time, at which it is taken hold of."""


def frame(tab: Tab) -> FrameLocator:
    """The calendar itself."""
    return tab.main.frame_locator('iframe[title*="calendar"]')


def slot(tab: Tab, at: datetime) -> tuple[float, float]:
    """Where a local time stands on the screen."""
    column = frame(tab).locator(f'td.fc-timegrid-col[data-date="{at:%Y-%m-%d}"]').bounding_box()
    lane = frame(tab).locator(f'td.fc-timegrid-slot-lane[data-time="{at:%H:%M}:00"]').bounding_box()
    assert column
    assert lane
    return column["x"] + column["width"] / 2, lane["y"]

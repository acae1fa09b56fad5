"""The calendar: what takes place when, to be opened, moved and booked."""

from ui import calendar, here, runtime

with runtime.reading() as work:
    calendar.screen(work, here.programme(work))

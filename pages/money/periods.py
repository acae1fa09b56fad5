"""Closed periods with what their documents come to."""

from ui import here, periods, runtime

with runtime.reading() as work:
    periods.screen(work, here.programme(work))

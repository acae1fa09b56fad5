"""Timetables: their hours and who is booked through them, and their slots, free and taken, week by week."""

from ui import here, runtime, timetables

with runtime.reading() as work:
    timetables.screen(work, here.programme(work))
timetables.panels()

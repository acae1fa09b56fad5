"""What a practitioner earns: expected, on hold, ready, stated, paid, and the lines behind it."""

from ui import earnings, here, runtime

with runtime.reading() as work:
    earnings.screen(work, here.programme(work))

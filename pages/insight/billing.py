"""What was billed and paid, and what is open: by month, by whom, for what."""

from ui import billing, here, runtime

with runtime.reading() as work:
    billing.screen(work, here.programme(work))

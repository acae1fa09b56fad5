"""One invoice, credit note or payout statement: its lines, its payments, and what can be done to it."""

from ui import document, here, runtime

with runtime.reading() as work:
    document.screen(work, here.programme(work))

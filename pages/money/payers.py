"""Who is billed, for whom they pay, and what stands on top of their invoices."""

from ui import here, payers, runtime

with runtime.reading() as work:
    programme = here.programme(work)

payers.screen(programme)

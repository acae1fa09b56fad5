"""What an hour or a session costs and earns, and what share of it each outcome is billed and paid."""

from ui import here, rates, runtime

with runtime.reading() as work:
    programme = here.programme(work)

rates.screen(programme)

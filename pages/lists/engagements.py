"""Engagements of a programme: who works with whom for how many hours, and what is left of them."""

from ui import engagements, here, runtime

with runtime.reading() as work:
    programme = here.programme(work)

engagements.screen(programme)

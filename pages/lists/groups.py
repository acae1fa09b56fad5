"""Groups of a programme: who is in them, and who lets the others see their completed sessions."""

from ui import here, people_groups, runtime

with runtime.reading() as work:
    programme = here.programme(work)

people_groups.screen(programme)

"""Close a period: look at what it would bring about, and at what looks wrong, before it is done for good."""

from ui import closing, here, runtime

with runtime.reading() as work:
    programme = here.programme(work)

closing.screen(programme)

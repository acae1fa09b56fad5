"""The list of sessions: find them, sort them, mend many at once."""

from ui import here, runtime, sessions

with runtime.reading() as work:
    sessions.screen(work, here.programme(work))

"""The work queue: what everybody still owes after sessions, and objections that wait for an answer."""

from ui import here, queue, runtime

with runtime.reading() as work:
    queue.screen(work, here.programme(work))

"""Everybody enrolled, and how they come along."""

from ui import here, progress, runtime

with runtime.reading() as work:
    progress.screen(work, here.programme(work))

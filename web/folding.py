"""The sums of the ledger, kept up to date beside the portal's own work."""

import logging
import threading

from sqlalchemy import Engine

from core.billing.totals import fold_all

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two looks; until then figures add up what is new themselves."""


class Folding:
    """A thread that folds what has come, at once and then every so often, until it is told to stop."""

    def __init__(self, engine: Engine, every: float = EVERY) -> None:
        self.engine, self.every = engine, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folding", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Come to an end, after what is under way."""
        self._over.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                fold_all(self.engine)
            except Exception:  # figures stay right without it, only slower
                log.exception("the ledger could not be summed up; the next try is in %.0f seconds", self.every)
            self._over.wait(self.every)

"""Measuring two things against each other on a noisy machine: turn by turn, and by the median."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ROUNDS = 30
FEWEST, LONG = 9, 40.0
"""Some references take seconds a page: after so many rounds, those that have run for so many seconds are enough."""

LARGE = 100_000
"""Bytes that are more than small to the C library."""


@dataclass(frozen=True)
class Bar:
    """One promise of speed: what was measured, against what, and how much it may be. Milliseconds."""

    name: str
    engine: str
    measured: float
    reference: float
    ratio: float
    allowed: float
    against: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return self.ratio >= self.allowed if self.at_least else self.ratio <= self.allowed

    def line(self) -> str:
        """One line of the report."""
        sign = "≥" if self.at_least else "≤"
        return (
            f"{'ok  ' if self.kept else 'MISS'} {self.engine:<11} {self.name:<44} {self.measured:>10.2f}"
            f" {self.reference:>10.2f}  {self.ratio:>8.3f} {sign} {self.allowed:g}  {self.against}"
        )

    def stored(self) -> dict[str, Any]:
        """For var/bench.json."""
        return {**asdict(self), "kept": self.kept}


def timed(act: Callable[[], Any]) -> float:
    """Milliseconds that it takes once, tidying up included.

    The C library puts together what was freed when something large is asked for: after a long statement of SQLite's
    that takes 80 ms, which would be taken for the next one's.
    """
    start = time.perf_counter()
    act()
    bytearray(LARGE)
    return (time.perf_counter() - start) * 1000


def interleaved(ours: Callable[[], Any], bare: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median milliseconds of both, measured turn by turn after one warm-up each."""
    ours()
    bare()
    until, pairs = time.monotonic() + LONG, []
    while len(pairs) < rounds and (len(pairs) < FEWEST or time.monotonic() < until):
        pairs.append((timed(ours), timed(bare)))
    return statistics.median(first for first, _ in pairs), statistics.median(second for _, second in pairs)


def bar(
    name: str, engine: str, ours: Callable[[], Any], bare: Callable[[], Any], allowed: float, against: str,
    rounds: int = ROUNDS,
) -> Bar:
    """Measure one bar."""
    measured, reference = interleaved(ours, bare, rounds)
    return Bar(name, engine, measured, reference, measured / reference, allowed, against)

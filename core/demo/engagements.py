"""Engagements of the demo: those who meet often one to one agreed on hours, and their sessions count towards them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.demo.world import Place, World
from db.words import Kind

ENGAGEMENT = ("id", "programme_id", "practitioner_id", "learner_id", "name", "agreed_minutes", "from_day", "until_day",
              "retired_at", "version")
KINDS = (Kind.TUTORING, Kind.COACHING)
OFTEN = 6
"""Sessions of two people that are planned one to one."""
OVER = timedelta(days=28)
"""Those who have not met for so long, and do not meet again, are done with each other."""

Pair = tuple[int, int]
"""A practitioner and a learner."""


def often(place: Place, planned: Iterable[tuple[int | None, tuple[int, ...], int]]) -> dict[Pair, int]:
    """Who of these meet often, numbered as they come: practitioners, learners, and how many sessions of theirs."""
    if place.material.kind not in KINDS:
        return {}
    many = Counter[Pair]()
    for practitioner, learners, sessions in planned:
        if practitioner is not None and len(learners) == 1:
            many[practitioner, learners[0]] += sessions
    return {pair: n for n, pair in enumerate(pair for pair in many if many[pair] >= OFTEN)}


@dataclass
class _Engagement:
    id: int
    programme: int
    pair: Pair
    nth: int
    name: str
    zone: ZoneInfo
    first: int
    last: int
    minutes: int = 0

    def row(self, world: World) -> tuple[Any, ...]:
        """As the table takes it."""
        last = datetime.fromtimestamp(self.last, UTC)
        over = last.date() + OVER < world.today
        return (
            self.id, self.programme, *self.pair, self.name, self._agreed(over), self._day(self.first).isoformat(),
            self._day(self.last).isoformat() if over else None,
            self.last + int(OVER.total_seconds()) // 2 if over else None, 1,
        )

    def _agreed(self, over: bool) -> int | None:
        """Whole fives for what is over or nearly used up, whole tens with some to spare, or none."""
        if self.nth % 5 == 2:
            return None
        if over or self.nth % 3 == 0:
            return max(1, -(-self.minutes // 300)) * 300
        return -(-(self.minutes + 600) // 600) * 600

    def _day(self, at: int) -> date:
        return datetime.fromtimestamp(at, self.zone).date()


@dataclass
class Engagements:
    """Those found so far, as sessions come in order of time."""

    world: World
    _known: dict[tuple[int, Pair], _Engagement] = field(default_factory=dict)

    def of(self, place: Place, pair: Pair, nth: int, course: int, starts_at: int, minutes: int) -> int:
        """The engagement that a session of these two counts towards, with so many minutes."""
        found = self._known.get((place.id, pair))
        if found is None:
            first_name = self.world.rows["person"][pair[1] - 1][1].split()[0]
            found = self._known[place.id, pair] = _Engagement(
                len(self._known) + 1, place.id, pair, nth, f"{self.world.rows['course'][course - 1][2]}: {first_name}",
                ZoneInfo(place.material.zone), starts_at, starts_at)
        found.last = starts_at
        found.minutes += minutes
        return found.id

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """All of them, once every session has come."""
        return (each.row(self.world) for each in self._known.values())

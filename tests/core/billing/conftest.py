"""A tutoring programme with rates and payers, for tests about money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.billing.commands import NewRate, add_payer, add_rate, set_biller, set_payer
from core.billing.settle import standing_lines
from db.models.billing import LedgerLine
from db.words import Kind, LineKind, Outcome, RateUnit, Side
from tests.factories import DAY, TEN, World, a_world

LATER = TEN + 60 * DAY
LONG_AGO = date(2020, 1, 1)


@dataclass
class Office:
    """The world with money: an hour is billed 50.00 and paid 30.00."""

    world: World
    payer: int
    rates: dict[Side, int]

    def rate(
        self, side: Side, amount: int, unit: RateUnit = RateUnit.HOUR, from_day: date = LONG_AGO, **more: Any
    ) -> int:
        """Add a rate, and return its id."""
        new = NewRate(side, unit, amount, from_day, **more)
        return int(self.world.do(self.world.alice, add_rate, self.world.programme, new).result)

    def held(
        self, *came: tuple[int, Outcome] | Attendance, at: datetime = TEN, minutes: int = 60, by: int | None = None,
        **more: Any,
    ) -> int:
        """A session with Tom that was recorded; returns its id."""
        said = [one if isinstance(one, Attendance) else Attendance(*one) for one in came]
        session = self.world.book(
            practitioner=self.world.tom, learner_ids=tuple(one.learner_id for one in said), starts_at=at,
            minutes=minutes, **more)
        self.world.do(by or self.world.tom, record_outcome, session, said, now=LATER)
        return session

    def lines(
        self, session: int | None = None, kind: LineKind | None = None, *, standing: bool = True
    ) -> list[LedgerLine]:
        """Lines of the ledger, in order."""
        statement = standing_lines() if standing else select(LedgerLine)
        if session is not None:
            statement = statement.where(LedgerLine.session_id == session)
        if kind is not None:
            statement = statement.where(LedgerLine.kind == kind)
        with self.world.reading(self.world.alice) as work:
            found: Sequence[LedgerLine] = work.tx.scalars(statement.order_by(LedgerLine.id)).all()
            work.tx.expunge_all()
        return list(found)

    def amounts(self, session: int | None = None) -> dict[LineKind, int]:
        """What stands, by kind."""
        found: dict[LineKind, int] = {}
        for line in self.lines(session, standing=False):
            found[line.kind] = found.get(line.kind, 0) + line.amount
        return found


@pytest.fixture
def office(engine: Engine) -> Office:
    world = a_world(engine, Kind.TUTORING)
    payer = world.do(world.alice, add_payer, world.programme, {"name": "Gus Grey", "address": "1 Road"}).result
    world.do(world.alice, set_biller, world.programme, {
        "name": "Liffey Tutors Ltd", "address": "2 Quay", "tax_number": "IE1", "tax_rate": 2300, "prefix": "LT-"})
    world.do(world.alice, set_payer, payer, LONG_AGO, [world.sara, world.sam, world.vic])
    made = Office(world, payer, {})
    made.rates = {Side.BILLED: made.rate(Side.BILLED, 5000), Side.PAID: made.rate(Side.PAID, 3000)}
    return made


def weeks(count: int) -> timedelta:
    """So many weeks."""
    return timedelta(weeks=count)

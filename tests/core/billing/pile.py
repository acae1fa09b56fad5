"""A ledger of random lines, for tests of what they come to."""

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from core.billing.settle import LINES
from core.work import THE_PORTAL, Work, commit
from db.bulk import insert_many
from db.models.billing import LedgerLine
from db.words import LineKind, Outcome, RateUnit, Side
from tests.core.billing.conftest import LONG_AGO, Office
from tests.factories import TEN

PARTS = count(1)


@dataclass
class Ledger(Office):
    """An office whose lines all belong to one session."""

    session: int = 0


def write(office: Ledger, rng: random.Random, many: int) -> None:
    """Some lines that could be, in one act: of any month, outcome, practitioner, course and payer; some take back."""
    def some_lines(work: Work) -> None:
        write_in(office, rng, many, work)

    commit(office.world.engine, THE_PORTAL, some_lines)


def write_in(office: Ledger, rng: random.Random, many: int, work: Work) -> None:
    """The same in an act that is under way."""
    world, session = office.world, office.session
    rows: list[dict[str, Any]] = []
    for _ in range(many):
        kind = rng.choice([*LineKind])
        rows.append({
            "change_set_id": work.act_id, "at": work.now, "programme_id": world.programme, "kind": kind,
            "session_id": session, "part": next(PARTS), "forfeit_part": 0, "turn": 1, "learner_id": None,
            "team_id": None, "course_id": rng.choice([None, world.maths, world.art]),
            "payer_id": rng.choice([None, office.payer]) if kind is LineKind.CHARGE else None,
            "practitioner_id": rng.choice([world.tom, world.tess]), "outcome": rng.choice([*Outcome]),
            "day": LONG_AGO + timedelta(days=rng.randrange(4000)), "minutes": rng.randrange(0, 180),
            "unit": RateUnit.HOUR, "unit_amount": 5000, "share": "1", "rate_id": office.rates[Side.BILLED],
            "matrix_id": None, "amount": rng.randrange(-9000, 9000), "currency": "GBP", "reverses_id": None,
            "reason": None,
        })
    insert_many(work.tx.connection(), LINES, rows)
    if rng.random() < 0.5:
        last = work.tx.execute(select(LedgerLine).where(
            LedgerLine.change_set_id == work.act_id).order_by(LedgerLine.id.desc()).limit(1)).scalar_one()
        insert_many(work.tx.connection(), LINES, [
            {**rows[-1], "turn": 2, "amount": -last.amount, "reverses_id": last.id, "reason": "taken back"}])


def pile(office: Office) -> Ledger:
    """An office with a session that lines can be of."""
    session = office.world.book(practitioner=office.world.tom, learner=office.world.sara, starts_at=TEN)
    return Ledger(office.world, office.payer, office.rates, session)

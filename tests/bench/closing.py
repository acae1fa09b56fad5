"""Closing a month of 50,000 lines, and how long whoever records something meanwhile has to wait for it."""

import secrets
import time
from collections.abc import Iterator
from datetime import date
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine, insert, literal, or_, select

from core.billing.closing import close_period, preview
from core.programmes.rules import PRESETS
from core.work import THE_PORTAL, Actor, Work, commit, reading
from db.models.billing import Biller, LedgerLine, Payer, Rate
from db.models.people import Person
from db.models.programmes import Programme
from db.models.sessions import Session
from db.words import Kind, LineKind, Outcome, RateUnit, Side
from tests.bench.timing import Bar

LINES, PAYERS = 50_000, 1_000
LONGEST = 5_000.0
"""Milliseconds that nobody may have to wait for longer."""
MONTH, UNTIL = date(2026, 1, 15), date(2026, 1, 31)
Month = dict[str, int]


def bars(engine: Engine) -> Iterator[Bar]:
    """A programme of its own each time, since what was closed stays closed; its sessions are those that are there."""
    month: Month = commit(engine, THE_PORTAL, _a_month).result
    closer = Actor(month["person"], "Bench", everything=True)
    start = time.perf_counter()
    with reading(engine, closer) as work:
        lines = sum(bill.lines for bill in preview(work, month["programme"], UNTIL).bills)
    print(f"     {lines:,} lines, looked at in {time.perf_counter() - start:.1f} s")
    waits, ready, over = list[float](), Event(), Event()
    writer = Thread(target=_records, args=(engine, month, waits, ready, over))
    writer.start()
    ready.wait()
    start = time.perf_counter()
    commit(engine, closer, close_period, month["programme"], UNTIL)
    took = (time.perf_counter() - start) * 1000
    over.set()
    writer.join()
    print(f"     closed in {took / 1000:.1f} s; meanwhile {len(waits)} others recorded something")
    yield Bar("closing 50,000 lines: the longest wait", engine.dialect.name, max(waits), LONGEST, max(waits) / LONGEST,
              1, "five seconds")


def _records(engine: Engine, month: Month, waits: list[float], ready: Event, over: Event) -> None:
    """Record something in the same programme again and again, and note how long each took."""
    turn = 1
    while not over.is_set():
        turn += 1
        start = time.perf_counter()
        commit(engine, THE_PORTAL, _one_more, month, turn)
        if turn > 5:  # the first ones warm up
            ready.set()
            waits.append((time.perf_counter() - start) * 1000)
        time.sleep(0.01)


def _one_more(work: Work, month: Month, turn: int) -> None:
    work.tx.execute(insert(LedgerLine), {
        "change_set_id": work.act_id, "at": work.now, "programme_id": month["programme"], "kind": LineKind.PAYOUT,
        "session_id": month["session"], "part": -month["programme"], "forfeit_part": 0, "turn": turn,
        "practitioner_id": month["person"], "day": date(2026, 2, 1), "outcome": Outcome.ATTENDED, "minutes": 60,
        "unit": RateUnit.HOUR, "unit_amount": 3000, "share": "1", "rate_id": month["rate"], "amount": 3000,
        "currency": "EUR"})


def _a_month(work: Work) -> Month:
    """A programme with payers, and a charge and a payout for each of 25,000 sessions that were held."""
    person = work.tx.scalar(select(Session.practitioner_id).where(Session.practitioner_id.is_not(None)).limit(1)) or 0
    assert work.tx.scalar(select(Person.id).where(Person.id == person))
    programme = _made(work, Programme, name=f"Closing {secrets.token_hex(4)}", kind=Kind.TUTORING, zone="Europe/Dublin",
                      currency="EUR", policy=PRESETS[Kind.TUTORING].stored(), created_at=work.now, version=1)
    rate = _made(work, Rate, programme_id=programme, side=Side.BILLED, unit=RateUnit.HOUR, amount=5000,
                 from_day=date(2020, 1, 1), version=1)
    _made(work, Biller, programme_id=programme, name="Bench", tax_rate=2300, terms_days=14, prefix="B-", version=1)
    first = _made(work, Payer, programme_id=programme, name="Payer 0", version=1)
    work.tx.execute(insert(Payer), [
        {"programme_id": programme, "name": f"Payer {n}", "version": 1} for n in range(1, PAYERS)])
    payers = list(work.tx.scalars(select(Payer.id).where(Payer.programme_id == programme).order_by(Payer.id)))
    assert payers == list(range(first, first + PAYERS))
    held = select(Session.id).where(
        Session.practitioner_id.is_not(None), Session.attended > 0, Session.comments_at.is_not(None),
        or_(~Session.report_required, Session.report_published_at.is_not(None))).limit(LINES // 2)
    for kind, amount in ((LineKind.CHARGE, 5000), (LineKind.PAYOUT, 3000)):
        _write(work, programme, rate, kind, amount, first, held)
    session = work.tx.scalar(held.limit(1)) or 0
    return {"programme": programme, "rate": rate, "person": person, "session": session}


def _made(work: Work, model: Any, **values: Any) -> int:
    return int(work.tx.scalar(insert(model).returning(model.id), values) or 0)


def _write(work: Work, programme: int, rate: int, kind: LineKind, amount: int, first: int, held: Any) -> None:
    charged = kind is LineKind.CHARGE
    same: dict[str, Any] = {
        "change_set_id": work.act_id, "at": work.now, "programme_id": programme, "kind": kind, "part": -programme,
        "forfeit_part": 0, "turn": 1, "day": MONTH, "outcome": Outcome.ATTENDED, "minutes": 60, "unit": RateUnit.HOUR,
        "unit_amount": amount, "share": "1", "rate_id": rate, "amount": amount, "currency": "EUR"}
    columns = {name: literal(value, getattr(LedgerLine, name).type) for name, value in same.items()}
    whom = {"payer_id": first + Session.id % PAYERS} if charged else {"practitioner_id": Session.practitioner_id}
    work.tx.execute(insert(LedgerLine).from_select(
        [*columns, "session_id", *whom],
        select(*columns.values(), Session.id, *whom.values()).where(Session.id.in_(held))))



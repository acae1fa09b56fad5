"""Totals and the lines that came since are what every line comes to, however often and by whomever they are folded."""

import logging
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from core.billing import totals
from core.billing.totals import fold, fold_all, is_due, recomputed, sums
from core.errors import NotAllowed, NotFound
from core.work import THE_PORTAL, Work, commit
from db.models.billing import LedgerFold, LedgerLine, LedgerTotal
from db.models.history import ChangeSet
from db.words import TotalOf
from tests.core.billing.conftest import Office
from tests.core.billing.pile import Ledger, pile, write, write_in
from web.folding import Folding


@pytest.fixture
def ledger(office: Office) -> Ledger:
    return pile(office)


def agree(office: Ledger) -> None:
    here = [office.world.programme, office.world.elsewhere]
    with office.world.reading(THE_PORTAL) as work:
        for by in TotalOf:
            assert sums(work, here, by) == recomputed(work, here, by)


def test_totals_and_what_came_since_are_what_the_lines_come_to(ledger: Ledger) -> None:
    rng = random.Random(7)
    agree(ledger)
    for _ in range(12):
        write(ledger, rng, rng.randrange(1, 30))
        agree(ledger)
        if rng.random() < 0.6:
            commit(ledger.world.engine, THE_PORTAL, fold, rng.choice([3, 20, 1000]))
            agree(ledger)
    fold_all(ledger.world.engine, 10)
    agree(ledger)
    with ledger.world.reading(THE_PORTAL) as work:
        assert not is_due(work)
        lines = work.tx.scalar(select(func.count()).select_from(LedgerLine).where(LedgerLine.reverses_id.is_(None)))
        for by in TotalOf:
            counted = work.tx.scalar(select(func.sum(LedgerTotal.lines)).where(LedgerTotal.by == by))
            assert counted == 2 * (lines or 0) - work.tx.scalar(select(func.count()).select_from(LedgerLine))  # type: ignore[operator]


def test_no_act_is_made_where_there_is_nothing_to_fold(ledger: Ledger) -> None:
    write(ledger, random.Random(1), 4)
    assert fold_all(ledger.world.engine) >= 4
    before = ledger.world.one(select(LedgerFold.line_id))
    acts = ledger.world.one(select(func.count()).select_from(ChangeSet))
    assert fold_all(ledger.world.engine) == 0
    assert ledger.world.one(select(LedgerFold.line_id)) == before
    assert ledger.world.one(select(func.count()).select_from(ChangeSet)) == acts


def test_folding_beside_writers_loses_no_line_and_counts_none_twice(ledger: Ledger) -> None:
    """Lines whose acts commit in another order than their ids were given are waited for."""
    engine, over = ledger.world.engine, threading.Event()

    def writes(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            write(ledger, rng, rng.randrange(1, 6))

    def folds(_: int) -> None:
        while not over.is_set():
            fold_all(engine, 9)

    with ThreadPoolExecutor(6) as pool:
        folding: Sequence[Any] = [pool.submit(folds, n) for n in range(2)]
        for each in [pool.submit(writes, n) for n in range(4)]:
            each.result(timeout=120)
        over.set()
        for each in folding:
            each.result(timeout=60)
    fold_all(engine)
    agree(ledger)
    with ledger.world.reading(THE_PORTAL) as work:
        assert not is_due(work)


def test_an_act_under_way_is_waited_for(ledger: Ledger) -> None:
    """Its lines have lower ids than those of an act that was quicker."""
    engine = ledger.world.engine
    if engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    wrote, go_on = threading.Event(), threading.Event()

    def slowly(work: Work) -> None:
        write_in(ledger, random.Random(5), 5, work)
        wrote.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(commit, engine, THE_PORTAL, slowly)
        assert wrote.wait(30)
        write(ledger, random.Random(6), 5)
        folding = pool.submit(fold_all, engine)
        with pytest.raises(TimeoutError):
            folding.result(timeout=0.5)
        go_on.set()
        slow.result(timeout=30)
        folding.result(timeout=30)
    fold_all(engine)
    agree(ledger)


def test_the_portal_folds_by_itself_and_survives_what_goes_wrong(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(ledger, random.Random(3), 10)
    failed, folded = threading.Event(), threading.Event()
    real = totals.fold_all

    def once_wrong(engine: Any) -> int:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("out of luck")
        done = real(engine)
        folded.set()
        return done

    monkeypatch.setattr("web.folding.fold_all", once_wrong)
    folding = Folding(ledger.world.engine, every=0.01)
    with caplog.at_level(logging.ERROR):
        folding.start()
        assert folded.wait(30)
        folding.stop()
    assert "could not be summed up" in caplog.text
    with ledger.world.reading(THE_PORTAL) as work:
        assert not is_due(work)
    agree(ledger)


@pytest.mark.parametrize("persona", ["ben", "tom", "sara", "gus", "lena", "zed"])
def test_x6_sums_are_for_whoever_sees_money(ledger: Ledger, persona: str) -> None:
    world = ledger.world
    with world.reading(world.people[persona]) as work, pytest.raises((NotAllowed, NotFound)):
        sums(work, [world.programme], TotalOf.OUTCOME)

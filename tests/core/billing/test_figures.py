"""The figures of billing are what pandas makes of the bare tables, and each leads to just the lines that it sums up."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, select, text

from core.billing import figures
from core.billing.address import read
from core.billing.closing import close_period
from core.billing.documents import documents, narrowed
from core.billing.figures import Asked, Billing, Row, billing
from core.billing.payments import enter_payment
from core.billing.queries import lines
from core.billing.totals import fold
from core.demo import build
from core.errors import NotAllowed, NotFound
from core.programmes.queries import programme_of
from core.work import THE_PORTAL, Work, commit, reading
from db.models.billing import Document
from db.models.programmes import Programme
from db.words import DocumentKind, Kind, Outcome, TotalOf
from tests.core.billing.conftest import LATER, Office
from tests.core.billing.pile import Ledger, pile, write
from tests.factories import DAY, TEN

COLUMNS = {TotalOf.PRACTITIONER: "practitioner_id", TotalOf.COURSE: "course_id", TotalOf.PAYER: "payer_id",
           TotalOf.OUTCOME: "outcome"}


def frame(engine: Engine, programme: int) -> pd.DataFrame:
    """Every line of a programme."""
    with engine.connect() as connection:
        found = pd.read_sql(text("SELECT * FROM ledger_line WHERE programme_id = :p"), connection, params={
            "p": programme})
    found["month"] = pd.to_datetime(found["day"]).dt.to_period("M")
    return found


def told(row: Row) -> tuple[int, int]:
    return row.billed, row.paid


def counted(some: pd.DataFrame) -> tuple[int, int]:
    return int(some[some.kind == "charge"].amount.sum()), int(some[some.kind == "payout"].amount.sum())


def agrees(found: Billing, every: pd.DataFrame, asked: Asked) -> None:
    """Against a sum of the lines that knows nothing of totals."""
    some = every[(every.month >= pd.Period(found.first, "M")) & (every.month <= pd.Period(found.last, "M"))]
    for column, wanted in (("practitioner_id", asked.practitioner_id), ("course_id", asked.course_id)):
        if wanted is not None:
            some = some[some[column] == wanted]
    assert told(found.total) == counted(some)
    for row in found.months:
        size = "Y" if row.name.isdecimal() else "M"
        at = pd.Period(row.name, size)
        assert told(row) == counted(some[some.month.dt.asfreq(size) == at]), row.name
    assert (found.by == {}) is asked.months_alone
    for by, column in COLUMNS.items() if found.by else ():
        of = some if by is not TotalOf.PAYER else some[some.kind == "charge"]
        sums = sorted(counted(each) for _, each in of.groupby(column, dropna=False) if len(each))
        rows = [row for row in found.by[by] if "others" not in row.name]
        others = [row for row in found.by[by] if "others" in row.name]
        assert all(told(row) in sums for row in rows)
        assert tuple(map(sum, zip(*map(told, found.by[by]), strict=True)) if found.by[by] else (0, 0)) == counted(of)
        if not others:
            assert sorted(told(row) for row in rows if any(told(row))) == [each for each in sums if any(each)]


def leads(work: Work, programme: int, found: Billing) -> int:
    """Each figure to the lines behind it. Returns how many ways there are."""
    ways = 0
    for row in [found.total, *found.months, *(row for rows in found.by.values() for row in rows)]:
        for at, amount, side in ((row.billed_at, row.billed, "charged"), (row.paid_at, row.paid, "paid")):
            if at is not None:
                ways += 1
                assert getattr(lines(work, programme, read(at)), side) == amount, (row, at)
    for each in found.held:
        page = lines(work, programme, read(each.at))
        assert (page.paid, page.total) == (each.amount, each.count)
    for each in found.open:
        listed, _ = documents(work, programme, narrowed(each.at), every=True)
        assert sum(entry.open for entry in listed) == each.amount
    return ways


@pytest.fixture(scope="module")
def demo(databases: Any) -> Iterator[Engine]:
    engine = databases.clean("sqlite")
    build(engine, sessions=1_500, today=date(2026, 3, 11))
    yield engine
    databases.drop(engine)


@pytest.mark.parametrize("span", ["3", "all"])
def test_on_the_demo(demo: Engine, span: str) -> None:
    asked = Asked(span)
    with reading(demo, THE_PORTAL, now=pd.Timestamp("2026-03-11 12:00Z").to_pydatetime()) as work:
        for programme in work.tx.scalars(select(Programme.id).where(Programme.kind != Kind.PEER_ADVICE)).all():
            every = frame(demo, programme)
            found = billing(work, programme, asked)
            agrees(found, every, asked)
            if span == "3" and programme_of(work, programme).policy.notes_required:
                assert leads(work, programme, found) > 10
            one = Asked(span, practitioner_id=int(every.practitioner_id.mode()[0]))
            agrees(billing(work, programme, one), every, one)
            course = Asked(span, course_id=int(every.course_id.mode()[0]))
            agrees(billing(work, programme, course), every, course)
            unpaid = text("SELECT coalesce(sum(gross - paid), 0) FROM (SELECT d.gross, (SELECT coalesce(sum(amount), 0)"
                          " FROM payment p WHERE p.document_id = d.id) AS paid FROM document d WHERE programme_id = :p"
                          " AND kind = 'invoice' AND NOT EXISTS (SELECT 1 FROM document c WHERE c.cancels_id = d.id))"
                          " x WHERE gross > paid")
            assert found.outstanding == work.tx.execute(unpaid, {"p": programme}).scalar()
            seen = [each.row for each in found.beside if each.name == programme_of(work, programme).name]
            assert [told(row) for row in seen] == [told(found.total)]


@pytest.fixture
def ledger(office: Office) -> Ledger:
    return pile(office)


@pytest.mark.parametrize("seed", range(2))
def test_on_random_lines_of_ten_years_folded_in_part(ledger: Ledger, seed: int) -> None:
    world, rng = ledger.world, random.Random(seed)
    for _ in range(3):
        write(ledger, rng, 30)
        commit(world.engine, THE_PORTAL, fold, rng.choice([1, 25, 1000]))
    write(ledger, rng, 10)
    every = frame(world.engine, world.programme)
    for asked in (Asked("all"), Asked("3"), Asked(first=date(2024, 3, 1), last=date(2025, 1, 1)),
                  Asked("all", practitioner_id=world.tom), Asked("all", course_id=world.maths),
                  Asked("all", practitioner_id=world.tess, course_id=world.art)):
        with world.reading(world.alice) as work:
            found = billing(work, world.programme, asked)
            agrees(found, every, asked)
            if asked.span == "3" or asked.course_id == world.art:
                leads(work, world.programme, found)
            file = figures.lines(programme_of(work, world.programme), found)
            assert [line[2] for line in file if line[1] == "By month"] == [row.name for row in found.months]


def test_on_hold_and_outstanding_by_age(office: Office) -> None:
    """E1: pay waits for its note; an invoice is open until it is paid."""
    world = office.world
    sessions = [office.held((world.sara, Outcome.ATTENDED), at=TEN + n * 20 * DAY) for n in range(3)]
    world.set(sessions[0], comments_at=LATER, told_at=LATER)
    with world.reading(world.alice, LATER) as work:
        found = billing(work, world.programme, Asked())
    assert [each.amount for each in found.held] == [0, 3000, 3000, 0, 0]
    assert (found.outstanding, found.invoices) == (0, 0)
    closed = LATER + DAY
    period = world.do(world.alice, close_period, world.programme, LATER.date(), now=closed).result
    invoice = world.one(select(Document.id).where(Document.period_id == period, Document.kind == DocumentKind.INVOICE))
    world.do(world.alice, enter_payment, invoice, closed.date(), 1000, now=closed)
    for days, bracket in ((0, 0), (14, 0), (15, 1), (44, 1), (45, 2), (75, 3), (105, 4)):
        with world.reading(world.alice, closed + days * DAY) as work:
            found = billing(work, world.programme, Asked())
            leads(work, world.programme, found)
        assert [n for n, each in enumerate(found.open) if each.amount] == [bracket]
        assert found.outstanding == 3 * 5000 * 123 // 100 - 1000


def test_by_year_beyond_three_years(ledger: Ledger) -> None:
    write(ledger, random.Random(1), 40)
    with ledger.world.reading(ledger.world.alice) as work:
        years = billing(work, ledger.world.programme, Asked(first=date(2022, 5, 1), last=date(2025, 6, 1))).months
        months = billing(work, ledger.world.programme, Asked(first=date(2022, 5, 1), last=date(2025, 4, 1))).months
    assert [row.name for row in years] == ["2022", "2023", "2024", "2025"]
    assert len(months) == 36


@pytest.mark.parametrize(("said", "asked"), [
    ({}, Asked()), ({"span": ["3"]}, Asked("3")), ({"span": ["x"]}, Asked()), ({"first": ["2026-13"]}, Asked()),
    ({"first": ["2026-05"], "last": ["2026-01"]}, Asked(first=date(2026, 1, 1), last=date(2026, 5, 1))),
    ({"practitioner": ["²"], "course": ["-1"]}, Asked()), ({"last": ["9999-12"]}, Asked()),
    ({"course": ["7"]}, Asked(course_id=7)), ({"first": ["0001-01"]}, Asked()),
])
def test_what_an_address_asks_for(said: dict[str, list[str]], asked: Asked) -> None:
    assert figures.asked_for(said) == asked


@pytest.mark.parametrize("persona", ["ben", "cuno", "tom", "sara", "gus", "lena", "zed"])
def test_x6_nobody_else_sees_any_of_it(office: Office, persona: str) -> None:
    world = office.world
    office.held((world.sara, Outcome.ATTENDED))
    with world.reading(world.people[persona]) as work, pytest.raises((NotAllowed, NotFound)):
        billing(work, world.programme, Asked())


def test_x6_beside_stand_only_programmes_of_which_one_sees_money(office: Office, engine: Engine) -> None:
    world = office.world
    office.held((world.sara, Outcome.ATTENDED))
    with world.reading(world.mona) as work:
        assert billing(work, world.programme, Asked()).beside == ()

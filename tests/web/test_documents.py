"""Documents as files: each viewer downloads those made out to them, whole and typed, and nobody any other."""

import csv
import io
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.billing.closing import close_period
from core.billing.commands import NewRate, add_payer, add_rate, set_biller, set_payer
from core.billing.documents import Chosen, documents
from core.settings import Settings
from db.words import DocumentKind, Kind, Outcome, RateUnit, Side
from tests.conftest import Databases
from tests.factories import DAY, LONG_AGO, TEN, World, a_world
from tests.web import asgi
from web import downloads
from web.door import Door

LATER = TEN + 45 * DAY
INVOICE, STATEMENT = DocumentKind.INVOICE, DocumentKind.STATEMENT


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    made = databases.clean("sqlite")
    yield made
    databases.drop(made)


@pytest.fixture
def world(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    world = a_world(engine, Kind.TUTORING, notes_required=False)
    monkeypatch.setattr("core.work.now_utc", lambda: LATER)
    payer = world.do(world.alice, add_payer, world.programme, {"name": "=Gus & Söhne", "person_id": world.gus}).result
    world.do(world.alice, set_payer, payer, LONG_AGO, [world.sara])
    world.do(world.alice, set_biller, world.programme, {"name": "Liffey", "tax_rate": 2300, "prefix": "L/"})
    for side, amount in ((Side.BILLED, 5000), (Side.PAID, 3000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, LONG_AGO))
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)], now=LATER)
    world.do(world.alice, close_period, world.programme, date(2026, 3, 31), now=LATER)
    return world


@pytest.fixture
def ids(world: World) -> dict[DocumentKind, int]:
    with world.reading(world.alice) as work:
        return {one.kind: one.id for one in documents(work, world.programme, Chosen())[0]}


@pytest.fixture
def visitor(world: World) -> asgi.Visitor:
    return asgi.Visitor(Starlette(routes=downloads.routes(Door(world.engine, Settings()))))


@pytest.mark.parametrize(("persona", "kinds"), [
    ("alice", (INVOICE, STATEMENT)), ("mona", (INVOICE, STATEMENT)), ("tom", (STATEMENT,)), ("gus", (INVOICE,)),
    ("ben", ()), ("tess", ()), ("sara", ()), ("lena", ()), ("zed", ()), ("zara", ()), (None, ()),
])
def test_x6_each_downloads_their_own_and_no_other(
    world: World, visitor: asgi.Visitor, ids: dict[DocumentKind, int], persona: str | None,
    kinds: tuple[DocumentKind, ...],
) -> None:
    person = getattr(world, persona) if persona else None
    for kind, id_ in ids.items():
        for ending, starts in (("pdf", b"%PDF"), ("xlsx", b"PK")):
            made = visitor.ask(f"/export/document/{id_}.{ending}", person=person)
            assert visitor.status == (200 if kind in kinds else 404)
            assert made.startswith(starts) is (kind in kinds)


@pytest.mark.parametrize("id_", ["0", "999", "9" * 30, "x", "-1", "1.5"])
def test_what_is_no_document_is_not_there(world: World, visitor: asgi.Visitor, id_: str) -> None:
    visitor.ask(f"/export/document/{id_}.pdf", person=world.alice)
    assert visitor.status == 404


def test_the_files_are_called_by_their_number_and_typed(
    world: World, visitor: asgi.Visitor, ids: dict[DocumentKind, int]
) -> None:
    visitor.ask(f"/export/document/{ids[INVOICE]}.pdf", person=world.gus)
    assert visitor.headers["content-type"] == "application/pdf"
    assert visitor.headers["content-disposition"] == 'attachment; filename="invoice-L-1.pdf"'
    made = visitor.ask(f"/export/document/{ids[INVOICE]}.xlsx", person=world.gus)
    book = openpyxl.load_workbook(io.BytesIO(made))
    heads, row = ([cell.value for cell in line] for line in book["Lines"].iter_rows())
    found = dict(zip(heads, row, strict=True))
    assert (f"{found['Date']}", found["Minutes"], found["Amount (GBP)"], found["Rate (GBP)"]) == (
        "2026-03-03 00:00:00", 60, 50, 50)
    top = {str(name.value): value for name, value in book["Document"].iter_rows()}
    assert (top["Total"].value, top["Tax rate (%)"].value, f"{top['Issued'].value:%Y-%m-%d}") == (
        61.5, 23, "2026-04-17")
    assert (top["To"].value, top["To"].data_type) == ("=Gus & Söhne", "s"), "a text, and no formula"


def test_the_list_is_a_file_of_exactly_what_is_filtered(world: World, visitor: asgi.Visitor) -> None:
    said = visitor.ask("/export/documents.csv", "paper=invoice&page=9", person=world.mona).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(said, newline="")))[1:] == [[
        "L/1", "Invoice", "'=Gus & Söhne", "open", "3 – 31 Mar 2026", "2026-04-17", "2026-05-01", "50.00", "11.50",
        "61.50", "0.00", "61.50", "GBP"]]
    for asked, count in (("", 2), ("open=yes", 2), ("whom=tom", 1), ("period=999", 0), ("due_until=2026-01-01", 0)):
        made = openpyxl.load_workbook(io.BytesIO(visitor.ask("/export/documents.xlsx", asked, person=world.alice)))
        assert made["Documents"].max_row == count + 1, asked
    assert (made["Documents"]["A1"].value, visitor.headers["content-disposition"][-5:]) == ("Number", 'xlsx"')
    for persona in ("ben", "cuno", "tom", "sara", "gus", "lena", "zed"):
        assert b"Gus" not in visitor.ask("/export/documents.csv", person=world.people[persona])
        assert visitor.status == 404

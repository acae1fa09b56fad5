"""Exports: exactly what is filtered and may be seen, typed, safe to open, and only for those signed in."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import openpyxl
import pytest
from sqlalchemy import Engine, delete, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from core.attending.commands import record_outcome, reopen_session
from core.attending.rules import Attendance
from core.billing import figures, trial
from core.billing.commands import NewRate, add_rate
from core.errors import NotAllowed, NotFound
from core.learning.commands import enrol
from core.programmes.queries import programme_of
from core.sessions.export import harmless
from core.settings import Settings
from db.models.availability import WeeklyWindow
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.words import Outcome, RateUnit, Role, Side
from tests.conftest import Databases
from tests.factories import DAY, HOUR, LONG_AGO, TEN, World, a_world, statements
from tests.web import asgi
from web import downloads
from web.door import Door
from web.downloads import ALL_BUSY, AT_ONCE, BUSY, Downloads

NAMES = ["Status", "Starts (Europe/London)", "Ends (Europe/London)", "Coach", "Member or team", "Idea", "Timetable",
         "Themes", "Type", "Where", "Description", "Number"]


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    made = databases.clean("sqlite")
    yield made
    databases.drop(made)


@pytest.fixture
def world(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    world = a_world(engine)
    monkeypatch.setattr("core.work.now_utc", lambda: world.now)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="=HYPERLINK(\"http://x\")",
               course_ids=(world.maths,))
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN + DAY, description="Überraschung; \"so\"")
    return world


class Visitor(asgi.Visitor):
    """Asks for downloads."""

    def __init__(self, world: World) -> None:
        super().__init__(Starlette(routes=downloads.routes(Door(world.engine, Settings()))))

    def get(self, person: int | None, ending: str, query: str = "", what: str = "sessions") -> bytes:
        return self.ask(f"/export/{what}.{ending}", query, person=person)

    def rows(self, person: int, query: str = "") -> list[list[str]]:
        text = self.get(person, "csv", query).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world)


def test_the_csv_has_the_columns_of_the_screen_and_the_zone(world: World, visitor: Visitor) -> None:
    rows = visitor.rows(world.alice)
    assert rows[0] == NAMES
    assert rows[2] == ["scheduled", "2026-03-03 10:00", "2026-03-03 11:00", "Tom", "Sara", "", "", "Maths", "coaching",
                       "", "'=HYPERLINK(\"http://x\")", "1"]
    assert rows[1][-2] == 'Überraschung; "so"'
    assert visitor.headers["content-disposition"].startswith('attachment; filename="sessions-')


@pytest.mark.parametrize(("query", "numbers"), [
    ("", ["2", "1"]), ("sort=number&order=up", ["1", "2"]), ("practitioner=Tom", ["1"]), ("text=2", ["2"]),
    ("from=2026-03-04", ["2"]), ("team=Theirs", []), ("page=7", ["2", "1"]),
])
def test_exactly_what_is_filtered(world: World, visitor: Visitor, query: str, numbers: list[str]) -> None:
    assert [row[-1] for row in visitor.rows(world.alice, query)[1:]] == numbers


@pytest.mark.parametrize(("persona", "numbers"), [
    ("alice", ["2", "1"]), ("mona", ["2", "1"]), ("tom", ["1"]), ("sara", ["1"]), ("gus", ["1"]), ("lena", ["1"]),
    ("tess", ["2"]), ("sam", []),
])
def test_x6_everybody_gets_what_they_may_see(world: World, visitor: Visitor, persona: str, numbers: list[str]) -> None:
    assert [row[-1] for row in visitor.rows(world.people[persona])[1:]] == numbers


def test_d7_a_line_manager_gets_no_words(world: World, visitor: Visitor) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 2 * DAY, location="Secret cellar")
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * DAY, room=world.room)
    lines = visitor.rows(world.lena)[1:]
    assert [line[-2] for line in lines] == [""] * 3
    assert [bool(line[-3]) for line in lines] == [True, False, False], "a room is no words, a place is"
    assert "Secret cellar" in [line[-3] for line in visitor.rows(world.tom)]
    assert b"HYPERLINK" not in visitor.get(world.lena, "csv")
    assert b"HYPERLINK" not in b"".join(_parts(visitor.get(world.lena, "xlsx")).values())
    assert b"HYPERLINK" in b"".join(_parts(visitor.get(world.tom, "xlsx")).values())


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_x6_strangers_and_foreign_programmes_get_nothing(world: World, visitor: Visitor, ending: str) -> None:
    for person, query in ((None, ""), (world.zed, "programme=Home"), (10**9, ""), (world.alice, "programme=Elsewhere")):
        said = visitor.get(person, ending, query)
        assert visitor.status == 404
        assert len(said) < 100


def test_a_switched_off_account_gets_nothing(world: World, visitor: Visitor) -> None:
    world.disable(world.tom)
    visitor.get(world.tom, "csv")
    assert visitor.status == 404


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_the_xlsx_is_typed_and_has_no_formula(world: World, visitor: Visitor) -> None:
    sheet = _parts(visitor.get(world.alice, "xlsx"))["xl/worksheets/sheet1.xml"]
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    tree = ElementTree.fromstring(sheet)
    assert tree.find(".//x:f", space) is None
    cells = {cell.get("r"): cell for cell in tree.iterfind(".//x:c", space)}
    assert cells["B3"].get("t") is None
    day = float(cells["B3"].findtext("x:v", "", space))
    assert day == pytest.approx((datetime(2026, 3, 3, 10, tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / DAY)
    assert cells["L3"].get("t") is None
    assert cells["L3"].findtext("x:v", "", space) == "1"
    assert "".join(cells["K3"].itertext()) == '=HYPERLINK("http://x")'


@pytest.mark.parametrize("text", [
    "=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u3000=1", "\ufeff=1", "\u2028\u200b\u00ad=1", "\x0b=1", "＝1", "﹢1",
    "＠x",
])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(("text", "safe"), [
    ("a;=1", "a;'=1"), ("a; \ufeff=1;-2", "a;' \ufeff=1;'-2"), ("\t=1", "\t'=1"), ("a\r\n=1", "a\r\n'=1"),
    (";=1", ";'=1"),
])
def test_nor_does_a_part_of_it_where_semicolons_part_cells(text: str, safe: str) -> None:
    assert harmless(text) == safe


def test_every_cell_is_quoted(world: World, visitor: Visitor) -> None:
    for line in visitor.get(world.alice, "csv").decode("utf-8-sig").splitlines():
        assert line.startswith('"')
        assert line.endswith('"')


@pytest.mark.parametrize("text", ["Tom", "a=b", "3 Mar", "", "Überraschung", "a; b", "Comet (Sara, Sam)"])
def test_other_text_stays(text: str) -> None:
    assert harmless(text) == text


def test_a_slow_reader_holds_no_connection_and_stops_seeing_what_is_no_longer_theirs(world: World) -> None:
    world.book_many([
        world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + (n // 6 + 2) * DAY + n % 6 * HOUR,
                      reason="many") for n in range(600)
    ])
    request = Request({"type": "http", "query_string": b"", "headers": [], "method": "GET", "path": "/"})
    for_tom = Downloads(Door(world.engine, Settings()))._open(request, world.tom)
    for_sara = Downloads(Door(world.engine, Settings()))._open(request, world.sara)
    bites, others = for_tom.as_csv(), for_sara.as_csv()
    next(bites), next(bites), next(others), next(others)
    assert world.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    world.disable(world.tom)
    with pytest.raises(NotAllowed):
        next(bites)
    world.raw(lambda work: work.tx.execute(delete(RoleGrant).where(RoleGrant.person_id == world.sara)) and None)
    with pytest.raises(NotFound):
        next(others)


def test_one_export_at_a_time_for_each_and_few_for_all(world: World) -> None:
    files = Downloads(Door(world.engine, Settings()))

    def asks(person: int) -> Request:
        return Request({"type": "http", "query_string": b"", "method": "GET", "path": "/",
                        "headers": [(b"x-portal-person", str(person).encode())]})

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise OSError("the reader has gone")

    async def go() -> None:
        first = await files.as_xlsx(asks(world.alice))
        again = await files.as_csv(asks(world.alice))
        assert isinstance(again, PlainTextResponse)
        assert (again.status_code, bytes(again.body).decode()) == (429, BUSY)
        files.busy.update(range(-AT_ONCE, 0))
        full = await files.as_csv(asks(world.tom))
        assert isinstance(full, PlainTextResponse)
        assert bytes(full.body).decode() == ALL_BUSY
        files.busy -= set(range(-AT_ONCE, 0))
        with suppress(Exception):
            await first({"type": "http", "method": "GET", "headers": []}, receive, send)
        assert files.busy == set(), "given up, the place is free again"

    before = set(Path(tempfile.gettempdir()).glob("portal-export-*"))
    asgi.run(go)
    assert set(Path(tempfile.gettempdir()).glob("portal-export-*")) <= before, "and the file is gone"


def test_many_lines_come_in_order_and_in_few_queries(world: World, visitor: Visitor) -> None:
    world.book_many([
        world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + (n // 6 + 2) * DAY + n % 6 * HOUR,
                      reason="many", description=f"no. {n}") for n in range(1100)
    ])
    with statements(world.engine) as sent:
        rows = visitor.rows(world.alice, "sort=number&order=up")
    assert [row[-1] for row in rows[1:]] == [str(n) for n in range(1, 1103)]
    assert len(sent) < 40


# Learning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_x6_learning_is_of_ones_own_learners(world: World, visitor: Visitor, ending: str) -> None:
    world.do(world.ben, enrol, world.programme, world.maths, [world.sara, world.vic], off_job_minutes=90)

    def lines(who: int | None, query: str = "") -> list[list[str]]:
        said = visitor.get(who, ending, query, "learning")
        if visitor.status != 200:
            return []
        if ending == "csv":
            return list(csv.reader(io.StringIO(said.decode("utf-8-sig"), newline="")))[1:]
        return [list(map(str, row)) for row in openpyxl.load_workbook(io.BytesIO(said))["Learning"].values][1:]

    for persona, learners in (("mona", ["Sara", "Vic"]), ("lena", ["Sara"]), ("gus", ["Sara"])):
        assert [line[0] for line in lines(world.people[persona])] == learners
    assert [line[:3] for line in lines(world.ben, "named=vi&enrolled=Maths&standing=enrolled")] == [
        ["Vic", "Maths", "enrolled"]]
    assert lines(world.ben, "led=Nobody") == []
    for who in (None, world.cuno, world.sara, 10**9):
        assert (lines(who), visitor.status) == ([], 404)


# Utilisation -------------------------------------------------------------------------------------------------------


def test_figures_are_a_line_for_each_practitioner_and_week(world: World, visitor: Visitor) -> None:
    asked = "from=2026-03-02&to=2026-03-09&practitioner=Tom"
    said = visitor.get(world.mona, "csv", asked, "utilisation").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(said, newline=""))) == [
        ["Coach", "Week", "Monday (Europe/London)", "Available hours", "Booked hours", "Delivered hours",
         "Utilisation (%)"],
        ["Tom", "2026-W10", "2026-03-02", "68.0", "1.0", "0.0", "1"],
        ["Tom", "2026-W11", "2026-03-09", "68.0", "0.0", "0.0", "0"],
    ]
    assert visitor.headers["content-disposition"] == 'attachment; filename="utilisation-2026-03-02.csv"'


def test_figures_are_numbers_in_a_sheet_and_names_no_formulas(world: World, visitor: Visitor) -> None:
    evil = world.person("=1+1", Role.PRACTITIONER)
    world.book(practitioner=evil, learner=world.sam, starts_at=TEN + 2 * DAY)
    world.raw(lambda work: work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.person_id == evil)) and None)
    asked = "from=2026-03-02&to=2026-03-02"
    assert "\"'=1+1\"" in visitor.get(world.mona, "csv", asked, "utilisation").decode()
    book = openpyxl.load_workbook(io.BytesIO(visitor.get(world.mona, "xlsx", asked, "utilisation")))
    rows = list(book["Utilisation"].values)
    assert rows[1] == ("=1+1", "2026-W10", "2026-03-02", 0, 1, 0, "no hours")
    assert book["Utilisation"]["A2"].data_type == "s"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_x6_figures_are_for_those_who_see_them(world: World, visitor: Visitor, ending: str) -> None:
    for persona in ("ben", "cuno", "sara", "gus", "lena"):
        assert b"You may not see figures" in visitor.get(world.people[persona], ending, "", "utilisation")
        assert visitor.status == 404
    for person, query in ((None, ""), (world.zed, "programme=Home"), (10**9, ""), (world.mona, "programme=Elsewhere")):
        assert len(visitor.get(person, ending, query, "utilisation")) < 100
        assert visitor.status == 404
    assert b"Tess" not in visitor.get(world.tom, "csv", "", "utilisation"), "a practitioner's own alone"


# Money -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def billed(world: World) -> World:
    """Tom and Sara, an hour at 33.33 an hour, recorded; Tess with a strange name and Vic, half an hour."""
    world.do(world.alice, add_rate, world.programme, NewRate(Side.BILLED, RateUnit.HOUR, 3333, LONG_AGO))
    world.raw(lambda work: work.tx.execute(update(Person).where(Person.id == world.vic).values(name="=1+1")) and None)
    for session, learner, leader in ((1, world.sara, world.tom), (2, world.vic, world.tess)):
        world.do(leader, record_outcome, session, [Attendance(learner, Outcome.ATTENDED)], now=TEN + 3 * DAY)
    world.do(world.tess, reopen_session, 2, "by mistake", now=TEN + 3 * DAY)
    return world


def test_x4_the_ledger_is_typed_and_safe_and_exactly_what_is_filtered(billed: World, visitor: Visitor) -> None:
    said = visitor.get(billed.mona, "csv", "from=2026-03-04", "ledger").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    assert [(row["Day"], row["Member or team"], row["Amount"], row["Note"]) for row in rows] == [
        ("2026-03-04", "'=1+1", "-33.33", "takes back an earlier line"),
        ("2026-03-04", "'=1+1", "33.33", "taken back later")]
    assert "Reason: by mistake" in rows[0]["Why this amount"]
    sheet = openpyxl.load_workbook(io.BytesIO(visitor.get(billed.mona, "xlsx", "held=x&learner=999", "ledger")))
    assert sheet["Ledger"].max_row == 1
    sheet = openpyxl.load_workbook(io.BytesIO(visitor.get(billed.mona, "xlsx", f"learner={billed.vic}", "ledger")))
    day, number, _, whom, *_, amount = [cell.value for cell in sheet["Ledger"][2]][:10]
    assert (day, number, whom, amount) == (datetime(2026, 3, 4), 2, "=1+1", -33.33)  # noqa: DTZ001  # a sheet has no zone
    assert sheet["Ledger"]["D2"].data_type == "s"


def test_e3_a_simulation_is_a_file_as_well(billed: World, visitor: Visitor) -> None:
    asked = trial.address(trial.Trial(rate_id=1, amount=5000), TEN.date(), TEN.date())
    said = visitor.get(billed.mona, "csv", urlencode(asked), "simulation").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(said, newline="")))[1:] == [
        ["2026-03-03", "1", "billed", "Sara", "attended", "33.33", "50.00", "16.67", "GBP"]]
    visitor.get(billed.mona, "csv", urlencode({**asked, "rate": "999"}), "simulation")
    assert visitor.status == 404


def test_the_figures_of_billing_are_those_that_are_shown(billed: World, visitor: Visitor) -> None:
    said = visitor.get(billed.mona, "csv", f"span=1&practitioner={billed.tom}", "billing").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    told = [(row["Figures"], row["What"], row["Billed"], row["Charges"]) for row in rows if row["Billed"]]
    assert told == [("All together", "All together", "33.33", "1"), ("By month", "Mar 2026", "33.33", "1"),
                    ("By coach", "Tom", "33.33", "1"), ("By theme", "Maths", "33.33", "1"),
                    ("By payer", "Nobody yet", "33.33", "1"), ("Outcomes", "attended", "33.33", "1")]
    with billed.reading(billed.mona) as work:
        found = figures.billing(work, billed.programme, figures.asked_for({}))
        shown = figures.lines(programme_of(work, billed.programme), found)
    sheet = openpyxl.load_workbook(io.BytesIO(visitor.get(billed.mona, "xlsx", "", "billing")))["Billing"]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells == [[float(cell) if isinstance(cell, Decimal) else cell for cell in line] for line in shown]


@pytest.mark.parametrize("what", ["ledger", "simulation", "billing"])
def test_x6_money_is_for_those_who_see_it(billed: World, visitor: Visitor, what: str) -> None:
    asked = urlencode(trial.address(trial.Trial(rate_id=1), TEN.date(), TEN.date()))
    for person in (None, billed.ben, billed.cuno, billed.tom, billed.sara, billed.gus, billed.lena, 10**9):
        for ending in ("csv", "xlsx"):
            assert b"Sara" not in visitor.get(person, ending, asked, what)
            assert visitor.status == 404
    for person, query in ((billed.zed, "programme=Home&"), (billed.mona, "programme=Elsewhere&")):
        visitor.get(person, "csv", query + asked, what)
        assert visitor.status == 404

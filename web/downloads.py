"""Files made for whoever asks, of what they may see: sessions, figures, the ledger as CSV or XLSX; documents as PDF."""

import csv
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

import xlsxwriter
from anyio import move_on_after, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.billing import address as ledger_address
from core.billing import export as billing
from core.billing import figures, trial
from core.billing import sheet as document_sheet
from core.billing.documents import NARROWS as DOCUMENTS
from core.billing.documents import Whole, document, document_ids, documents_by_id, narrowed
from core.billing.paper import paper
from core.billing.queries import line_ids, lines_by_id
from core.errors import NotFound, Refusal
from core.insight import export as insight
from core.insight import queries as utilisation
from core.learning import export as learning
from core.learning.queries import enrolments
from core.permissions import Action, require
from core.programmes.queries import ProgrammeView, my_programmes, programme_of
from core.sessions.address import NARROWS, ORDER, listing
from core.sessions.export import Cell, harmless, headings, lines
from core.sessions.queries import all_ids
from core.work import Work, reading
from web.door import Door
from web.gate import PERSON_HEADER

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_LINES = 1_048_575
"""What a sheet of XLSX holds below its headings."""
LINES_A_BITE = 500
AT_ONCE = 6
"""Exports under way in this process, and never two of one person."""
LONGEST = 600.0
"""Seconds that an export may take, however slowly it is read."""
BUSY = "Your last export is still under way. Wait until it is there, then ask again."
ALL_BUSY = "Many exports are being made at the moment. Please try again in a minute."


def routes(door: Door) -> list[Route]:
    """The exports; the gate lets nobody in who is not signed in, and says who it is."""
    files = Downloads(door)
    return [
        Route("/export/sessions.csv", files.as_csv), Route("/export/sessions.xlsx", files.as_xlsx),
        Route("/export/utilisation.csv", files.figures_as_csv),
        Route("/export/utilisation.xlsx", files.figures_as_xlsx),
        Route("/export/learning.csv", files.progress_as_csv), Route("/export/learning.xlsx", files.progress_as_xlsx),
        Route("/export/document/{id:int}.pdf", files.document_as_pdf),
        Route("/export/document/{id:int}.xlsx", files.document_as_xlsx),
        Route("/export/documents.csv", files.documents_as_csv),
        Route("/export/documents.xlsx", files.documents_as_xlsx),
        Route("/export/billing.csv", files.billing_as_csv), Route("/export/billing.xlsx", files.billing_as_xlsx),
        Route("/export/ledger.csv", files.ledger_as_csv), Route("/export/ledger.xlsx", files.ledger_as_xlsx),
        Route("/export/simulation.csv", files.trial_as_csv), Route("/export/simulation.xlsx", files.trial_as_xlsx),
    ]


class Downloads:
    """The exports of one portal."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.busy: set[int] = set()
        """Those whose exports are under way."""

    async def as_csv(self, request: Request) -> ASGIApp:
        """Streamed as it is read, holding no connection while the reader takes its time."""
        return await self._answer(request, partial(self._csv, self._open))

    async def as_xlsx(self, request: Request) -> ASGIApp:
        """Written to a temporary file, a line at a time, and sent from there."""
        return await self._answer(request, partial(self._xlsx, self._open))

    async def figures_as_csv(self, request: Request) -> ASGIApp:
        """Utilisation, as it is filtered."""
        return await self._answer(request, partial(self._csv, self._figures))

    async def figures_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._figures))

    async def progress_as_csv(self, request: Request) -> ASGIApp:
        """Enrolments and off-the-job hours, as they are filtered."""
        return await self._answer(request, partial(self._csv, self._progress))

    async def progress_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._progress))

    async def document_as_pdf(self, request: Request) -> ASGIApp:
        """An invoice, a credit note or a payout statement, to be printed and sent."""
        return await self._answer(request, self._pdf)

    async def document_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._document))

    def _pdf(self, request: Request, who: int, after: ExitStack) -> Response:
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            whole = document(work, _id(request))
            words, now = programme_of(work, whole.programme_id).policy.words, work.now
        made = paper(whole, words, now)
        return Response(made, media_type="application/pdf", headers=attached(f"{_called(whole)}.pdf"))

    async def documents_as_csv(self, request: Request) -> ASGIApp:
        """The list of invoices, credit notes and payout statements, as it is filtered."""
        return await self._answer(request, partial(self._csv, self._documents))

    async def documents_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._documents))

    async def billing_as_csv(self, request: Request) -> ASGIApp:
        """The figures of billing, as they are filtered."""
        return await self._answer(request, partial(self._csv, self._billing))

    async def billing_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._billing))

    async def ledger_as_csv(self, request: Request) -> ASGIApp:
        """Lines of the ledger, as they are filtered."""
        return await self._answer(request, partial(self._csv, self._ledger))

    async def ledger_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._ledger))

    async def trial_as_csv(self, request: Request) -> ASGIApp:
        """What other terms would have made of some days."""
        return await self._answer(request, partial(self._csv, self._trial))

    async def trial_as_xlsx(self, request: Request) -> ASGIApp:
        """The same as a spreadsheet."""
        return await self._answer(request, partial(self._xlsx, self._trial))

    def _csv(self, opened: "Opened", request: Request, who: int, after: ExitStack) -> Response:
        export = opened(request, who)
        return StreamingResponse(
            export.as_csv(), media_type="text/csv; charset=utf-8", headers=export.named("csv"))

    def _xlsx(self, opened: "Opened", request: Request, who: int, after: ExitStack) -> Response:
        export = opened(request, who)
        path = export.as_xlsx()
        after.callback(os.unlink, path)
        return FileResponse(path, media_type=XLSX, headers=export.named("xlsx"))

    async def _answer(self, request: Request, make: Callable[[Request, int, ExitStack], Response]) -> ASGIApp:
        """The file, made and sent in one of the few places that there are; a sentence where it cannot be."""
        said = request.headers.get(PERSON_HEADER.decode(), "")
        who = int(said) if said.isdecimal() else 0
        if who in self.busy or len(self.busy) >= AT_ONCE:
            return PlainTextResponse(BUSY if who in self.busy else ALL_BUSY, 429, {"Retry-After": "30"})
        self.busy.add(who)
        after = ExitStack()
        after.callback(self.busy.discard, who)
        try:
            response = await to_thread.run_sync(make, request, who, after)
        except Refusal as refusal:
            after.close()
            return PlainTextResponse(refusal.sentence, 404)
        except BaseException:
            after.close()
            raise
        return _Sent(response, after)

    def _open(self, request: Request, who: int) -> "Export":
        """What is asked for, as the person whom the gate named. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            said = {name: request.query_params.getlist(name) for name in (*NARROWS, *ORDER)}
            asked = listing(work, programme.id, said)
            ids = all_ids(work, programme.id, asked.filters, sort=asked.sort, down=asked.down)
            chosen = work.actor.zone
            zone = ZoneInfo(chosen) if chosen in available_timezones() and chosen else programme.zone
            return Export(programme, zone, work.now, headings(work, programme.id, zone), self.door.engine, who, ids)

    def _figures(self, request: Request, who: int) -> "Figures":
        """Utilisation as it is asked for, as the person whom the gate named. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            said = {name: request.query_params.getlist(name) for name in utilisation.NARROWS}
            found = utilisation.utilisation(work, programme.id, utilisation.asked_for(work, programme.id, said).filters)
            return Figures(programme, programme.zone, work.now, insight.headings(work, programme.id),
                           insight.lines(found))

    def _billing(self, request: Request, who: int) -> "Billing":
        """The figures of billing as they are asked for, for whoever sees money. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            said = {name: request.query_params.getlist(name) for name in figures.NARROWS}
            found = figures.billing(work, programme.id, figures.asked_for(said))
            return Billing(programme, programme.zone, work.now, figures.headings(programme),
                           figures.lines(programme, found))

    def _document(self, request: Request, who: int) -> "Sheet":
        """One document, as the person whom the gate named. Raises NotFound."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            whole = document(work, _id(request))
            programme = programme_of(work, whole.programme_id)
            words = programme.policy.words
            return Sheet(programme, programme.zone, work.now, document_sheet.headings(whole, words),
                         document_sheet.lines(whole, words), whole)

    def _documents(self, request: Request, who: int) -> "Documents":
        """Documents as they are asked for, for whoever sees money. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            require(work, Action.MONEY_SEE, programme.id)
            said = {name: request.query_params.getlist(name) for name in DOCUMENTS}
            ids = document_ids(work, programme.id, narrowed(said))
            return Documents(programme, programme.zone, work.now, billing.DOCUMENTS, self.door.engine, who, ids)

    def _progress(self, request: Request, who: int) -> "Progress":
        """Enrolments as they are asked for, as the person whom the gate named. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            require(work, Action.LEARNING_SEE, programme.id)
            said = {name: request.query_params.getlist(name) for name in learning.NARROWS}
            found = enrolments(work, programme.id, learning.narrowed(work, programme.id, said))
            return Progress(programme, programme.zone, work.now, learning.headings(work, programme.id),
                            learning.lines(found))

    def _ledger(self, request: Request, who: int) -> "Ledger":
        """Lines of the ledger as they are asked for, for whoever sees money. Raises NotFound, NotAllowed."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            require(work, Action.MONEY_SEE, programme.id)
            said = {name: request.query_params.getlist(name) for name in ledger_address.NARROWS}
            ids = line_ids(work, programme.id, ledger_address.read(said))
            return Ledger(programme, programme.zone, work.now, billing.headings(programme), self.door.engine, who, ids)

    def _trial(self, request: Request, who: int) -> "Tried":
        """What was simulated, once more, for whoever sees money. Raises NotFound, NotAllowed, Invalid."""
        if not who:
            raise NotFound
        with reading(self.door.engine, who) as work:
            programme = _programme(work, request.query_params.get("programme"))
            tried, from_day, until_day = trial.read(request.query_params)
            found = trial.simulate(work, programme.id, tried, from_day, until_day)
            return Tried(programme, programme.zone, work.now, billing.tried_headings(programme),
                         billing.tried_lines(programme, trial.in_words(work, found.changed)))


class _Sent:
    """A response, and what is to be done once it is sent or given up."""

    def __init__(self, response: Response, after: ExitStack) -> None:
        self.response, self.after = response, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, for as long as that may take."""
        with self.after, move_on_after(LONGEST) as limit:
            await self.response(scope, receive, send)
        if limit.cancelled_caught:
            raise TimeoutError("an export was read too slowly")  # the server cuts it off, so it is not taken for whole


def attached(name: str) -> dict[str, str]:
    """The headers that make a browser keep a file, under that name as far as every system takes it."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-.") else "-" for letter in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}


def _id(request: Request) -> int:
    """The document that the address names. Raises NotFound for a number that none can have."""
    id_: int = request.path_params["id"]
    if id_ >= 2**63:
        raise NotFound
    return id_


def _called(whole: Whole) -> str:
    """'invoice-LT-7'."""
    return f"{whole.entry.kind}-{whole.entry.label}"


def _programme(work: Work, name: str | None) -> ProgrammeView:
    """The programme named, or the first of those that the person is in. Raises NotFound."""
    for programme in my_programmes(work):
        if name in (None, programme.name):
            return programme
    raise NotFound


@dataclass(frozen=True)
class File:
    """Lines on their way into a file."""

    programme: ProgrammeView
    zone: ZoneInfo
    now: datetime
    headings: Sequence[str]

    sheet: ClassVar[str]

    @property
    def title(self) -> str:
        """What the file is called."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def bites(self) -> Iterator[list[list[Cell]]]:
        """The lines, some at a time."""
        raise NotImplementedError

    def named(self, ending: str) -> dict[str, str]:
        """The headers that make a browser keep it as a file."""
        day = self.now.astimezone(self.zone).date()
        return attached(f"{self.title}-{day}.{ending}")

    def more(self, book: xlsxwriter.Workbook) -> None:
        """Further sheets."""

    def as_csv(self) -> Iterator[bytes]:
        """The file in bites. Raises NotAllowed or NotFound, and so breaks off, for who may not read on meanwhile."""
        yield "\ufeff".encode() + _csv([self.headings])  # tells spreadsheets that it is UTF-8
        for bite in self.bites():
            yield _csv(bite)

    def as_xlsx(self) -> str:
        """The path of the file. Raises NotFound for more lines than a sheet holds."""
        if len(self) > MOST_LINES:
            raise NotFound(f"A sheet holds {MOST_LINES:,} lines at most. Filter the list, or take the CSV.")
        handle, path = tempfile.mkstemp(suffix=".xlsx", prefix="portal-export-")
        os.close(handle)
        try:
            self._write(path)
        except BaseException:
            os.unlink(path)  # noqa: PTH108
            raise
        return path

    def _write(self, path: str) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                   "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd hh:mm"}
        with xlsxwriter.Workbook(path, options) as book:
            sheet, bold = book.add_worksheet(self.sheet), book.add_format({"bold": True})
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(self.headings) - 1, 20)
            for column, heading in enumerate(self.headings):
                sheet.write_string(0, column, heading, bold)
            for row, line in enumerate(chain.from_iterable(self.bites()), 1):
                for column, cell in enumerate(line):
                    _write_cell(sheet, row, column, cell, day)
            self.more(book)


@dataclass(frozen=True)
class Export(File):
    """A list of sessions: which, for whom. Their lines are read bite by bite."""

    engine: Engine
    who: int
    ids: Sequence[int]
    sheet = "Sessions"

    @property
    def title(self) -> str:
        return self.programme.policy.words.many("session")

    def __len__(self) -> int:
        return len(self.ids)

    def bites(self) -> Iterator[list[list[Cell]]]:
        """The lines, some at a time; whether the person may still see them is asked each time."""
        for n in range(0, len(self.ids), LINES_A_BITE):
            with reading(self.engine, self.who) as work:
                found = lines(work, self.ids[n:n + LINES_A_BITE], self.zone)
            yield found


@dataclass(frozen=True)
class Ledger(Export):
    """Lines of the ledger, read bite by bite."""

    sheet = "Ledger"

    @property
    def title(self) -> str:
        return "ledger"

    def bites(self) -> Iterator[list[list[Cell]]]:
        """The lines, some at a time; whether the person may still see money is asked each time."""
        for n in range(0, len(self.ids), LINES_A_BITE):
            with reading(self.engine, self.who) as work:
                require(work, Action.MONEY_SEE, self.programme.id)
                found = lines_by_id(work, self.programme, self.ids[n:n + LINES_A_BITE])
            yield billing.lines(self.programme, found)


@dataclass(frozen=True)
class Documents(Export):
    """Invoices, credit notes and payout statements, read bite by bite."""

    sheet = "Documents"

    @property
    def title(self) -> str:
        return "invoices-and-payouts"

    def bites(self) -> Iterator[list[list[Cell]]]:
        """The lines, some at a time; whether the person may still see money is asked each time."""
        today = self.now.astimezone(self.zone).date()
        for n in range(0, len(self.ids), LINES_A_BITE):
            with reading(self.engine, self.who) as work:
                require(work, Action.MONEY_SEE, self.programme.id)
                found = documents_by_id(work, self.programme.id, self.ids[n:n + LINES_A_BITE])
            yield billing.document_lines(found, today)


@dataclass(frozen=True)
class Figures(File):
    """Figures of utilisation, summed up already."""

    lines: Sequence[list[Cell]]
    sheet = "Utilisation"

    @property
    def title(self) -> str:
        return "utilisation"

    def __len__(self) -> int:
        return len(self.lines)

    def bites(self) -> Iterator[list[list[Cell]]]:
        """All lines at once."""
        yield list(self.lines)


@dataclass(frozen=True)
class Billing(Figures):
    """What was billed and paid, added up already."""

    sheet = "Billing"

    @property
    def title(self) -> str:
        return "billing"


@dataclass(frozen=True)
class Progress(Figures):
    """How learners come along."""

    sheet = "Learning"

    @property
    def title(self) -> str:
        return "learning"


@dataclass(frozen=True)
class Sheet(Figures):
    """A document with its lines; what stands on top of it is a sheet of its own."""

    whole: Whole
    sheet = "Lines"

    @property
    def title(self) -> str:
        return _called(self.whole)

    def named(self, ending: str) -> dict[str, str]:
        """A document is called by its number, whenever the file is made."""
        return attached(f"{self.title}.{ending}")

    def more(self, book: xlsxwriter.Workbook) -> None:
        sheet, bold = book.add_worksheet("Document"), book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 1, 48)
        for row, (name, value) in enumerate(document_sheet.facts(self.whole)):
            sheet.write_string(row, 0, name, bold)
            _write_cell(sheet, row, 1, value, day)


@dataclass(frozen=True)
class Tried(Figures):
    """What other terms would have made of some days."""

    sheet = "Simulation"

    @property
    def title(self) -> str:
        return "simulation"


Opened = Callable[[Request, int], File]
"""What finds out what is to be written, for whom."""


def _write_cell(sheet: Any, row: int, column: int, cell: Cell, day: Any) -> None:
    """A cell by its type; nothing for nothing."""
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell)
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, day)
    elif cell is not None:
        sheet.write_number(row, column, cell)


def _csv(listed: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([_csv_cell(cell) for cell in line] for line in listed)
    return text.getvalue().encode()


def _csv_cell(cell: Cell) -> str | float | Decimal | date:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell

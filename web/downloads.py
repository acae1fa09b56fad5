"""Files made for whoever asks, of what they may see: the list of sessions as CSV or XLSX."""

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import xlsxwriter
from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import NotFound, Refusal
from core.programmes.queries import ProgrammeView, my_programmes
from core.sessions.address import NARROWS, ORDER, Listing, listing
from core.sessions.export import Cell, harmless, headings, lines
from core.work import Work, reading
from web.door import Door
from web.gate import PERSON_HEADER

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_LINES = 1_048_575
"""What a sheet of XLSX holds below its headings."""
LINES_A_BITE = 500


def routes(door: Door) -> list[Route]:
    """The exports; the gate lets nobody in who is not signed in, and says who it is."""
    files = Downloads(door)
    return [Route("/export/sessions.csv", files.as_csv), Route("/export/sessions.xlsx", files.as_xlsx)]


class Downloads:
    """The exports of one portal."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def as_csv(self, request: Request) -> Response:
        """Streamed as it is read, so that a million lines need no memory."""
        work = ExitStack()
        try:
            export = await to_thread.run_sync(self._open, request, work)
        except Refusal as refusal:
            work.close()
            return PlainTextResponse(refusal.sentence, 404)
        return StreamingResponse(
            export.as_csv(work), media_type="text/csv; charset=utf-8", headers=export.named("csv"))

    async def as_xlsx(self, request: Request) -> Response:
        """Written to a temporary file, a line at a time, and sent from there."""
        def write() -> tuple[str, dict[str, str]]:
            with ExitStack() as work:
                export = self._open(request, work)
                return export.as_xlsx(), export.named("xlsx")

        try:
            path, headers = await to_thread.run_sync(write)
        except Refusal as refusal:
            return PlainTextResponse(refusal.sentence, 404)
        return FileResponse(path, media_type=XLSX, headers=headers, background=BackgroundTask(os.unlink, path))

    def _open(self, request: Request, until: ExitStack) -> "Export":
        """What is asked for, as the person whom the gate named. Raises NotFound, NotAllowed."""
        who = request.headers.get(PERSON_HEADER.decode(), "")
        if not who.isdecimal():
            raise NotFound
        work = until.enter_context(reading(self.door.engine, int(who)))
        programme = _programme(work, request.query_params.get("programme"))
        said = {name: request.query_params.getlist(name) for name in (*NARROWS, *ORDER)}
        return Export(work, programme, listing(work, programme.id, said))


def _programme(work: Work, name: str | None) -> ProgrammeView:
    """The programme named, or the first of those that the person is in. Raises NotFound."""
    for programme in my_programmes(work):
        if name in (None, programme.name):
            return programme
    raise NotFound


class Export:
    """One list on its way into a file."""

    def __init__(self, work: Work, programme: ProgrammeView, asked: Listing) -> None:
        self.work, self.programme, self.asked = work, programme, asked
        chosen = work.actor.zone
        self.zone = ZoneInfo(chosen) if chosen in available_timezones() and chosen else programme.zone

    def named(self, ending: str) -> dict[str, str]:
        """The headers that make a browser keep it as a file."""
        day = self.work.now.astimezone(self.zone).date()
        name = f"{self.programme.policy.words.many('session')}-{day}.{ending}"
        safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-.") else "-" for letter in name)
        return {"Content-Disposition": f'attachment; filename="{safe}"'}

    def _headings(self) -> list[str]:
        return headings(self.work, self.programme.id, self.zone)

    def _lines(self) -> Iterator[list[Cell]]:
        return lines(self.work, self.programme.id, self.asked, self.zone)

    def as_csv(self, until: ExitStack) -> Iterator[bytes]:
        """The file in bites; it lets go of the database when it is done or given up."""
        with until:
            text = io.StringIO()
            writer = csv.writer(text)
            text.write("\ufeff")  # tells spreadsheets that it is UTF-8
            writer.writerow([harmless(heading) for heading in self._headings()])
            for n, line in enumerate(self._lines(), 1):
                writer.writerow([_csv_cell(cell) for cell in line])
                if n % LINES_A_BITE == 0:
                    yield text.getvalue().encode()
                    text.seek(0)
                    text.truncate()
            yield text.getvalue().encode()

    def as_xlsx(self) -> str:
        """The path of the file. Raises NotFound for more lines than a sheet holds."""
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
            sheet, bold = book.add_worksheet("Sessions"), book.add_format({"bold": True})
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(self._headings()) - 1, 20)
            for column, heading in enumerate(self._headings()):
                sheet.write_string(0, column, heading, bold)
            for row, line in enumerate(self._lines(), 1):
                if row > MOST_LINES:
                    raise NotFound(f"A sheet holds {MOST_LINES:,} lines at most. Filter the list, or take the CSV.")
                for column, cell in enumerate(line):
                    if isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif isinstance(cell, datetime):
                        sheet.write_datetime(row, column, cell)
                    elif cell is not None:
                        sheet.write_number(row, column, cell)


def _csv_cell(cell: Cell) -> str | int:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell

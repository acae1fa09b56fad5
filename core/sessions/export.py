"""The list of sessions as a file: what is filtered, all of it, in the columns of the screen, typed."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.permissions import Action
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.sessions.queries import TO_LOG, TO_PLACE, Row, rows_of
from core.work import Work

Cell = str | int | float | Decimal | date | datetime | None


@dataclass(frozen=True)
class Column:
    """One column of the list: its name (which it is sorted by), its heading, and what a row says in it."""

    name: str
    heading: Callable[[Words], str]
    text: Callable[[Row], str | int]


def people(row: Row) -> str:
    """The learners, with the team's name where there is one (A5)."""
    names = ", ".join(row.learners)
    return f"{row.team} ({names})" if row.team and names else row.team or names


def where(row: Row) -> str:
    """The room, else the place."""
    return row.room or row.location


def labels(row: Row) -> tuple[str, ...]:
    """The status of a row, and the labels that hold besides."""
    return (row.status, *((TO_LOG,) if row.to_log else ()), *((TO_PLACE,) if row.to_place else ()))


COLUMNS = (
    Column("status", lambda _: "Status", lambda row: ", ".join(labels(row))),
    Column("time", lambda _: "Time", lambda _: ""),
    Column("practitioner", lambda words: _capital(words.practitioner), lambda row: row.practitioner),
    Column("team", lambda words: f"{_capital(words.learner)} or {words.team}", people),
    Column("idea", lambda _: "Idea", lambda row: row.idea),
    Column("timetable", lambda _: "Timetable", lambda row: row.timetable),
    Column("course", lambda words: _capital(words.many("course")), lambda row: ", ".join(row.courses)),
    Column("type", lambda _: "Type", lambda row: row.type),
    Column("where", lambda _: "Where", where),
    Column("description", lambda _: "Description", lambda row: row.description),
    Column("number", lambda _: "Number", lambda row: row.number),
)
"""What the list shows, in order (A3–A6, B1). `time` is two typed cells in a file."""


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def headings(work: Work, programme_id: int, zone: ZoneInfo) -> list[str]:
    """The headings of the file; those of times name their zone (X3)."""
    words = programme_of(work, programme_id).policy.words
    found: list[str] = []
    for column in COLUMNS:
        found += [f"Starts ({zone})", f"Ends ({zone})"] if column.name == "time" else [column.heading(words)]
    return found


def lines(work: Work, ids: Sequence[int], zone: ZoneInfo) -> list[list[Cell]]:
    """The lines of these sessions, less those not to be seen any more; times are local and naive.

    Words only for those who may read them (D7).
    """
    return [_line(row, zone) for row in rows_of(work, ids)]


def _line(row: Row, zone: ZoneInfo) -> list[Cell]:
    found: list[Cell] = []
    for column in COLUMNS:
        if column.name == "time":
            found += [_local(row.starts_at, zone), _local(row.ends_at, zone)]
        elif column.name == "description" and Action.SESSION_DESCRIBE not in row.may:
            found.append("")
        else:
            found.append(column.text(row))
    return found


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone).replace(tzinfo=None) if at else None


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula when it opens a CSV, nor any part of it where `;` parts cells."""
    return "".join(
        f"'{part}" if number % 2 == 0 and _is_formula(part) else part
        for number, part in enumerate(_PARTS.split(text))
    )


_PARTS = re.compile(r"([;\t\r\n]+)")


def _is_formula(text: str) -> bool:
    """Whether the first letter that shows, in whatever width, is one that formulas begin with."""
    for letter in text:
        if not (letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")):
            return unicodedata.normalize("NFKC", letter)[:1] in ("=", "+", "-", "@")
    return False

"""The ledger, documents, and what was simulated, as files: typed, in the words of the programme."""

from collections.abc import Sequence
from datetime import date

from core.billing.documents import Entry
from core.billing.money import decimal
from core.billing.queries import Line
from core.billing.trial import InWords
from core.programmes.queries import ProgrammeView
from core.sessions.export import Cell
from db.words import LineKind

BILLED, PAID = "billed", "paid"
REVERSAL, TAKEN_BACK, ON_HOLD = "takes back an earlier line", "taken back later", "on hold"


def side_words(kind: LineKind) -> str:
    """Which way the money goes."""
    return BILLED if kind is LineKind.CHARGE else PAID


def note_of(line: Line) -> str:
    """What is special about a line, in words."""
    if line.reverses:
        return REVERSAL
    return TAKEN_BACK if line.taken_back else ON_HOLD if line.held else ""


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def headings(programme: ProgrammeView) -> list[str]:
    """The headings of the ledger's file."""
    words = programme.policy.words
    return ["Day", f"{_capital(words.session)} number", "Side", f"{_capital(words.learner)} or {words.team}",
            _capital(words.practitioner), "Payer", _capital(words.course), "Outcome", "Minutes", "Amount", "Currency",
            "Note", "Document", "Why this amount", f"Written ({programme.zone_name})"]


def lines(programme: ProgrammeView, listed: Sequence[Line]) -> list[list[Cell]]:
    """A line for each."""
    words = programme.policy.words
    return [
        [line.day, line.number, side_words(line.kind), line.whom if line.kind is LineKind.CHARGE else "",
         line.practitioner, line.payer, line.course, words.outcome(line.outcome), line.minutes,
         decimal(line.amount, line.currency), line.currency, note_of(line), line.document, line.why,
         line.at.astimezone(programme.zone).replace(tzinfo=None)]
        for line in listed
    ]


DOCUMENTS = ("Number", "Kind", "Whom", "State", "Period", "Issued", "Due", "Net", "Tax", "Total", "Paid", "Left",
             "Currency")
"""The headings of the file of documents."""


def document_lines(listed: Sequence[Entry], today: date) -> list[list[Cell]]:
    """A line for each document as it stands on that day; where nothing is to be paid, nothing is due."""
    return [
        [one.label, _capital(one.kind), one.whom, one.state(today), one.period, one.issued_on,
         one.due_on if one.gross > 0 else None,
         *(decimal(amount, one.currency) for amount in (one.net, one.tax, one.gross, one.paid, one.left)),
         one.currency]
        for one in listed
    ]


def tried_headings(programme: ProgrammeView) -> list[str]:
    """The headings of a simulation's file."""
    words = programme.policy.words
    return ["Day", f"{_capital(words.session)} number", "Side", "Whom", "Outcome", "Now", "Then", "Difference",
            "Currency"]


def tried_lines(programme: ProgrammeView, listed: Sequence[InWords]) -> list[list[Cell]]:
    """A line for each that would have been another."""
    words, currency = programme.policy.words, programme.currency
    return [
        [one.line.day, one.number, side_words(one.line.kind), one.whom, words.outcome(one.line.outcome),
         *(decimal(amount, currency) for amount in (one.line.now, one.line.then, one.line.then - one.line.now)),
         currency]
        for one in listed
    ]

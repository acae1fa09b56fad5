"""A document as a spreadsheet: its lines, and what stands on top of it."""

from collections.abc import Sequence
from datetime import date, datetime, time

from core.billing.documents import Whole
from core.billing.money import decimal, places, share_words
from core.billing.paper import title
from core.programmes.rules import Words
from core.sessions.export import Cell
from db.words import RateUnit


def headings(whole: Whole, said: Words) -> list[str]:
    """The headings of the lines."""
    currency = whole.entry.currency
    return ["Document", "Date", said.session.capitalize(), "For", said.course.capitalize(), "Outcome", "Minutes",
            f"Rate ({currency})", "Per", "Share", f"Amount ({currency})", "Why"]


def lines(whole: Whole, said: Words) -> list[list[Cell]]:
    """Each line, typed."""
    return [
        [whole.entry.label, _day(line.day), line.number, line.whom, line.course, said.outcome(line.outcome),
         line.minutes, amount(line.unit_amount, line.currency),
         "hour" if line.unit is RateUnit.HOUR else said.session, share_words(line.share),
         amount(line.amount, line.currency), line.why]
        for line in whole.lines
    ]


def facts(whole: Whole) -> list[tuple[str, Cell]]:
    """What stands on top of the document and below it."""
    entry, header = whole.entry, whole.header
    found: Sequence[tuple[str, Cell]] = (
        ("Kind", title(entry.kind)), ("Number", entry.label), ("From", header["from"]["name"]),
        ("Address", header["from"].get("address")), ("Tax number", header["from"].get("tax_number")),
        ("To", header["to"]["name"]), ("Their address", header["to"].get("address")),
        ("Their tax number", header["to"].get("tax_number")), ("Period", entry.period),
        ("Issued", _day(entry.issued_on)), ("Due", _day(entry.due_on)), ("Credits", whole.cancels),
        ("Reason", whole.reason), ("Currency", entry.currency), ("Net", amount(entry.net, entry.currency)),
        ("Tax rate (%)", whole.tax_rate / 100), ("Tax", amount(entry.tax, entry.currency)),
        ("Total", amount(entry.gross, entry.currency)), ("Paid", amount(entry.paid, entry.currency)),
        ("Open", amount(entry.open, entry.currency)),
    )
    return [(name, value) for name, value in found if value not in (None, "")]


def amount(minor: int, currency: str) -> float:
    """An amount as a spreadsheet holds it, rounded to the currency's places."""
    return round(float(decimal(minor, currency)), places(currency))


def _day(day: date) -> datetime:
    return datetime.combine(day, time())

"""A document as a spreadsheet: its lines, and what stands on top of it."""

from collections.abc import Sequence

from core.billing.documents import Whole
from core.billing.money import decimal, share_words
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
        [whole.entry.label, line.day, line.number, line.whom, line.course, said.outcome(line.outcome),
         line.minutes, decimal(line.unit_amount, line.currency),
         "hour" if line.unit is RateUnit.HOUR else said.session, share_words(line.share),
         decimal(line.amount, line.currency), line.on_paper]
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
        ("Issued", entry.issued_on), ("Due", entry.due_on), ("Credits", whole.cancels),
        ("Reason", whole.reason), ("Currency", entry.currency), ("Net", decimal(entry.net, entry.currency)),
        ("Tax rate (%)", whole.tax_rate / 100), ("Tax", decimal(entry.tax, entry.currency)),
        ("Total", decimal(entry.gross, entry.currency)), ("Paid", decimal(entry.paid, entry.currency)),
        ("Left", decimal(entry.left, entry.currency)),
    )
    return [(name, value) for name, value in found if value not in (None, "")]

"""Documents on paper: whole for one line and for hundreds, whatever script, with each currency's places."""

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from core.billing import paper as set_in_type
from core.billing.documents import Entry, Whole, span
from core.billing.paper import paper
from core.billing.queries import Line
from core.billing.sheet import facts, headings, lines
from core.programmes.rules import Words
from db.words import DocumentKind, LineKind, Outcome, RateUnit

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
NAMES = ("Sara Byrne", "Ольга Петрова", "محمد الفاتح", "שרה כהן", "Nguyễn Thị Hồng", "Վարդան", "ქეთევანი", "山田太郎",
         "Maximiliana Oluwaseun-Featherstonehaugh de la Fuente y Bustamante", "<b>&\u202e\x00\ud800")


def line(n: int, currency: str = "GBP", **more: Any) -> Line:
    given = {
        "id": n, "at": NOW, "day": date(2026, 10, 1) + timedelta(days=n % 31), "session_id": n, "number": 40 + n,
        "kind": LineKind.CHARGE, "whom": NAMES[n % len(NAMES)], "practitioner": "Tom", "payer": "Gus",
        "course": "Maths", "outcome": Outcome.ATTENDED, "minutes": 60, "amount": 5000, "currency": currency,
        "reverses": False, "taken_back": False, "held": False, "document": "", "why": "Attended.",
        "unit": RateUnit.HOUR, "unit_amount": 5000, "share": Fraction(1), **more}
    return Line(**given)


def whole(kind: DocumentKind, listed: list[Line], currency: str = "GBP", **more: Any) -> Whole:
    net = sum(one.amount for one in listed)
    tax = 0 if kind is DocumentKind.STATEMENT else round(net * 0.23)
    entry = Entry(1, kind, "LT-7", "Gus", "1 – 31 Oct 2026", date(2026, 11, 2), date(2026, 11, 16), currency, net, tax,
                  net + tax, 0, False, credits="cancels" in more)
    header = {"from": {"name": "Liffey Tutors", "address": "2 Quay\nDublin", "tax_number": "IE1", "bank": "IBAN IE12"},
              "to": {"name": NAMES[2]}, "prefix": "LT-"}
    return Whole(**{"entry": entry, "programme_id": 1, "header": header, "tax_rate": 2300, "reason": "",
                    "lines": listed, "payments": [], "cancels": "", "cancels_id": None,
                    "credited_by": None, "favours": (), "may_change": False, **more})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is set, in order; of a document that was set twice, those of the second time."""
    found: list[str] = []
    say, begin = set_in_type._Sheet._say, set_in_type._Sheet.draw

    def noted(sheet: Any, text: str, *args: Any, **kw: Any) -> None:
        found.append(text)
        say(sheet, text, *args, **kw)

    def anew(sheet: Any) -> None:
        found.clear()
        begin(sheet)

    monkeypatch.setattr(set_in_type._Sheet, "_say", noted)
    monkeypatch.setattr(set_in_type._Sheet, "draw", anew)
    return found


def pages(made: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", made))


def test_one_line_is_one_page_that_says_everything(said: list[str]) -> None:
    made = paper(whole(DocumentKind.INVOICE, [line(0)]), Words(), NOW)
    assert made.startswith(b"%PDF")
    assert pages(made) == 1
    for text in ("Invoice", "LT-7", "Liffey Tutors", "Dublin", "Tax no. IE1", NAMES[2], "2 Nov 2026", "16 Nov 2026",
                 "1 – 31 Oct 2026", "Sara Byrne · Maths · attended · session\u00a040", "50.00 an hour", "100 %",
                 "£50.00", "Tax 23 %", "£11.50", "£61.50", "Please pay £61.50 by 16 Nov 2026", "IBAN IE12",
                 "Reference: LT-7", "Page 1 of 1"):
        assert text in said, text


def test_four_hundred_lines_break_with_the_head_again_and_the_sum_is_not_alone(said: list[str]) -> None:
    made = paper(whole(DocumentKind.INVOICE, [line(n) for n in range(400)]), Words(), NOW)
    count = pages(made)
    assert 8 < count < 25
    assert said.count("Amount") == said.count("Date") == count, "the head stands on each page"
    assert [text for text in said if text.startswith("Page")] == [f"Page {n} of {count}" for n in range(1, count + 1)]
    assert sum("session\u00a0" in text for text in said) == 400
    at = said.index("Total")
    assert "Amount" in said[at - 30:at] or any("session\u00a0" in text for text in said[at - 12:at])


@pytest.mark.parametrize(("currency", "amount", "shown"), [
    ("JPY", 5000, "¥5,000"), ("GBP", 5000, "£50.00"), ("KWD", 5000, "KWD 5.000"), ("GBP", -5000, "−£50.00"),
])
def test_x4_amounts_have_the_currencys_places(said: list[str], currency: str, amount: int, shown: str) -> None:
    paper(whole(DocumentKind.CREDIT_NOTE if amount < 0 else DocumentKind.INVOICE, [
        line(0, currency, amount=amount)], currency), Words(), NOW)
    assert shown in said


def test_a_credit_note_says_what_it_credits_and_why_and_a_statement_asks_nobody_to_pay(said: list[str]) -> None:
    back = [line(0, amount=-5000, reverses=True, on_paper="Takes back: …")]
    paper(whole(DocumentKind.CREDIT_NOTE, back, cancels="LT-3", reason="wrong firm"), Words(), NOW)
    assert "Credits invoice LT-3: wrong firm" in said
    assert not any(text.startswith(("Please pay", "Takes back")) or "set off" in text for text in said)
    paper(whole(DocumentKind.INVOICE, [*back, line(1)]), Words(), NOW)
    assert "Takes back: …" in said, "an adjustment says so in its line"
    paper(whole(DocumentKind.STATEMENT, [line(0, kind=LineKind.PAYOUT)]), Words(session="lesson"), NOW)
    assert "Maths · attended · lesson\u00a040" in said
    assert "Net" not in said
    assert not any(text.startswith("Please pay") for text in said)
    for kind, told in ((DocumentKind.CREDIT_NOTE, "£61.50 is set off against other invoices, or given back."),
                       (DocumentKind.STATEMENT, "£50.00 is set off against other payout statements, or paid back.")):
        paper(whole(kind, back), Words(), NOW)
        assert told in said


def test_the_sheet_is_typed() -> None:
    found = whole(DocumentKind.INVOICE, [line(0)])
    (row,) = lines(found, Words())
    kinds = {heading: type(cell).__name__ for heading, cell in zip(headings(found, Words()), row, strict=True)}
    assert (kinds["Date"], kinds["Minutes"], kinds["Amount (GBP)"]) == ("date", "int", "Decimal")
    assert dict(facts(found))["Tax rate (%)"] == 23


@pytest.mark.parametrize(("since", "until", "words"), [
    (date(2026, 10, 1), date(2026, 10, 31), "1 – 31 Oct 2026"), (date(2026, 9, 30), date(2026, 10, 31),
     "30 Sep – 31 Oct 2026"), (date(2025, 12, 1), date(2026, 1, 31), "1 Dec 2025 – 31 Jan 2026"),
    (date(2026, 10, 1), date(2026, 10, 1), "1 Oct 2026"),
])
def test_a_span_in_words(since: date, until: date, words: str) -> None:
    assert span(since, until) == words

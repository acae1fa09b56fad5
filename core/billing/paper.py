"""Invoices, credit notes and payout statements as PDF: one line or hundreds, whatever script a name is in."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF, XPos, YPos
from fpdf.fonts import TTFFont

from core.billing.documents import Whole
from core.billing.money import number_words, share_words, tax_words, words
from core.billing.queries import Line
from core.programmes.rules import Words
from db.words import DocumentKind, LineKind, RateUnit

FONTS = Path(__file__).parent / "fonts"
FACE, OTHER_SCRIPTS = "Noto Sans", "DejaVu Sans Condensed"
LEFT, RIGHT, TOP, BOTTOM = 22.0, 22.0, 20.0, 24.0
"""Millimetres of A4 that stay free."""
WIDE = 210 - LEFT - RIGHT
INK, SOFT, RULE, ACCENT = (28, 33, 40), (106, 114, 125), (222, 226, 231), (15, 92, 92)
_TURNED = {"R", "AL", "AN"}
"""Directions of letters that are written from right to left."""


@dataclass(frozen=True)
class _Column:
    heading: str
    wide: float
    right: bool
    text: Callable[[Line], str]


def paper(whole: Whole, said: Words, made_at: datetime) -> bytes:
    """The document as PDF, in the words of its programme; `made_at` is when the file is made."""
    sheet = _Sheet(whole, said, made_at, 1)
    sheet.draw()
    if sheet.page > 1:  # only now is it known how many there are
        sheet = _Sheet(whole, said, made_at, sheet.page)
        sheet.draw()
    return bytes(sheet.output())


def title(kind: DocumentKind) -> str:
    """'Invoice', 'Credit note', 'Payout statement'."""
    return str(kind).capitalize()


def day_words(day: date) -> str:
    """'3 Mar 2026'."""
    return f"{day.day} {day:%b %Y}"


def what(line: Line, said: Words) -> str:
    """What a line is for: 'Sara Byrne · Maths · attended · session 41'; on a statement it is clear who earns it."""
    parts = [line.whom if line.kind is LineKind.CHARGE else "", line.course, said.outcome(line.outcome),
             f"{said.session}\u00a0{line.number}"]
    text = " · ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def below(line: Line, whole: Whole) -> str:
    """What is to be said besides: that it takes something back; a credit note says so as a whole."""
    return line.on_paper if line.reverses and not whole.cancels else ""


def price(line: Line) -> str:
    """'50.00 an hour', in the document's currency."""
    return f"{number_words(line.unit_amount, line.currency)} {per(line)}"


def per(line: Line) -> str:
    """What its rate is for."""
    return "an hour" if line.unit is RateUnit.HOUR else "flat"


def money(amount: int, currency: str) -> str:
    """The amount with the sign that printers use."""
    return words(amount, currency).replace("-", "−")


class _Sheet(FPDF):
    """A4 pages with the same foot, and the head of the table again on each."""

    def __init__(self, whole: Whole, said: Words, made_at: datetime, pages: int) -> None:
        super().__init__(format="A4")
        self.whole, self.said, self.pages_in_all = whole, said, pages
        self.c_margin = 0
        self.widths: dict[tuple[str, float, bool], float] = {}
        entry = whole.entry
        self.name = f"{title(entry.kind)} {entry.label}"
        self.columns = self._columns()
        self.set_margins(LEFT, TOP, RIGHT)
        self.set_auto_page_break(False)
        self.add_font(FACE, "", FONTS / "NotoSans-Regular.ttf")
        self.add_font(FACE, "B", FONTS / "NotoSans-Bold.ttf")
        self.add_font(OTHER_SCRIPTS, "", FONTS / "DejaVuSansCondensed.ttf")
        self.set_fallback_fonts([OTHER_SCRIPTS], exact_match=False)
        self.set_title(self.name)
        self.set_author(whole.header["from"]["name"])
        self.set_lang("en-GB")
        self.set_creation_date(made_at)
        self.known = {letter for font in self.fonts.values()
                      if isinstance(font, TTFFont) for letter in font.cmap}

    def _columns(self) -> list[_Column]:
        taken = 20 + 13 + 27 + 14 + 23
        return [
            _Column("Date", 20, False, lambda line: day_words(line.day)),
            _Column("What", WIDE - taken, False, lambda line: what(line, self.said)),
            _Column("Minutes", 13, True, lambda line: str(line.minutes)),
            _Column("Rate", 27, True, price),
            _Column("Share", 14, True, lambda line: share_words(line.share)),
            _Column("Amount", 23, True, lambda line: money(line.amount, line.currency)),
        ]

    # What it is made of -----------------------------------------------------------------------------------------------

    def footer(self) -> None:
        """Who it is from, and which page of how many."""
        sender = self.whole.header["from"]
        self.set_y(-15)
        self._rule(self.get_y() - 3)
        self._say(" · ".join(filter(None, (sender["name"], _tax_number(sender), self.name))), WIDE - 30, 7.5, SOFT)
        self.set_xy(LEFT + WIDE - 30, self.get_y())
        self._say(f"Page {self.page_no()} of {self.pages_in_all}", 30, 7.5, SOFT, align="R")

    def draw(self) -> None:
        """The whole document."""
        self.add_page()
        self._head()
        self._table()
        self._totals()
        self._payment()

    def _head(self) -> None:
        entry, header = self.whole.entry, self.whole.header
        sender, to = header["from"], header["to"]
        self.set_fill_color(*ACCENT)
        self.rect(LEFT, TOP, 12, 1.2, style="F")
        self.set_xy(LEFT, TOP + 5)
        self._say(title(entry.kind), 100, 24, INK, bold=True, high=11)
        self.set_xy(LEFT, TOP + 17)
        self._say(entry.label, 100, 11, SOFT, high=6)
        after = self._address(LEFT + WIDE - 68, TOP + 5, "", sender, align="R")
        top = max(after + 8, TOP + 36)
        label = "Paid to" if entry.kind is DocumentKind.STATEMENT else "Billed to"
        left = self._address(LEFT, top, label, to)
        right = self._facts(LEFT + WIDE - 68, top)
        self.set_y(max(left, right) + 9)
        if self.whole.reason:
            self._note(f"Credits invoice {self.whole.cancels}: {self.whole.reason}" if self.whole.cancels
                       else self.whole.reason)

    def _address(self, x: float, y: float, label: str, who: dict[str, Any], align: str = "L") -> float:
        """Name, address, tax number, from a place down; returns how far."""
        wide = 68.0 if align == "R" else 84.0
        if label:
            self.set_xy(x, y)
            self._say(label, wide, 8, SOFT, high=5.5)
            y += 5.5
        for n, line in enumerate([who["name"], *_lines(who.get("address")), _tax_number(who), who.get("email") or ""]):
            for part in self._broken(line, wide, 9.5 if n == 0 else 9, bold=n == 0):
                self.set_xy(x, y)
                self._say(part, wide, 9.5 if n == 0 else 9, INK if n == 0 else SOFT, bold=n == 0, align=align, high=4.7)
                y += 4.7
        return y

    def _facts(self, x: float, y: float) -> float:
        entry = self.whole.entry
        facts = [("Issued", day_words(entry.issued_on)), ("Period", entry.period),
                 ("Due" if self._owed else "", day_words(entry.due_on)), ("Credits", self.whole.cancels)]
        for label, said in facts:
            if not label or not said:
                continue
            self.set_xy(x, y)
            self._say(label, 20, 9, SOFT, high=5.2)
            self.set_xy(x + 20, y)
            self._say(said, 48, 9, INK, align="R", high=5.2)
            y += 5.2
        return y

    def _note(self, said: str) -> None:
        for part in self._broken(said, WIDE, 9):
            self.set_x(LEFT)
            self._say(part, WIDE, 9, INK, high=5)
            self.set_y(self.get_y() + 5)
        self.set_y(self.get_y() + 4)

    def _table_head(self) -> None:
        y, x = self.get_y(), LEFT
        for column in self.columns:
            self.set_xy(x, y)
            self._say(column.heading, column.wide, 8, SOFT, align="R" if column.right else "L", high=5)
            x += column.wide
        self.set_draw_color(*INK)
        self.set_line_width(0.3)
        self.line(LEFT, y + 6, LEFT + WIDE, y + 6)
        self.set_y(y + 7.5)

    def _table(self) -> None:
        self._table_head()
        for left, line in zip(range(len(self.whole.lines) - 1, -1, -1), self.whole.lines, strict=True):
            texts = [[column.text(line)] for column in self.columns]
            texts[1] = self._broken(texts[1][0], self.columns[1].wide - 3, 8.5)
            more = self._broken(below(line, self.whole), self.columns[1].wide + 14, 7.5)
            high = 4.5 * max(map(len, texts)) + 3.6 * len(more) + 2.6
            self._make_room(high if left else high + self._end)
            y, x = self.get_y(), LEFT
            for column, parts in zip(self.columns, texts, strict=True):
                for n, part in enumerate(parts):
                    self.set_xy(x, y + 4.5 * n)
                    self._say(part, column.wide, 8.5, INK, align="R" if column.right else "L", high=4.5)
                x += column.wide
            for n, part in enumerate(more):
                self.set_xy(LEFT + 20, y + 4.5 * len(texts[1]) + 3.6 * n)
                self._say(part, self.columns[1].wide + 14, 7.5, SOFT, high=3.6)
            self._rule(y + high - 1.3)
            self.set_y(y + high)

    @property
    def _end(self) -> float:
        """How much room the sums and the way to pay take; the last line stays with them."""
        return 36 + (15 + 4.7 * len(_lines(self.whole.header["from"].get("bank"))) if self._owed else 0)

    @property
    def _owed(self) -> bool:
        return self.whole.entry.kind is DocumentKind.INVOICE and self.whole.entry.gross > 0

    def _make_room(self, high: float) -> None:
        """Turn to a new page, with the head of the table again, where so much does not fit any more."""
        if self.get_y() + high > self.h - BOTTOM:
            self.add_page()
            self.set_xy(LEFT, TOP - 6)
            self._say(f"{self.name}, continued", WIDE, 8, SOFT, high=5)
            self.set_y(TOP + 2)
            self._table_head()

    def _totals(self) -> None:
        entry, currency = self.whole.entry, self.whole.entry.currency
        rows = [("Net", money(entry.net, currency)),
                (f"Tax {tax_words(self.whole.tax_rate)}", money(entry.tax, currency))]
        if entry.kind is DocumentKind.STATEMENT and not entry.tax:
            rows = []
        whole = {DocumentKind.INVOICE: "Total", DocumentKind.CREDIT_NOTE: "Total credited",
                 DocumentKind.STATEMENT: "Total payout"}[entry.kind]
        y, x, wide = self.get_y() + 3, LEFT + WIDE - 76, 76.0
        for label, said in rows:
            self.set_xy(x, y)
            self._say(label, 36, 9, SOFT, high=5.5)
            self.set_xy(x + 36, y)
            self._say(said, wide - 36, 9, INK, align="R", high=5.5)
            y += 5.5
        self.set_draw_color(*INK)
        self.set_line_width(0.3)
        self.line(x, y + 1.2, LEFT + WIDE, y + 1.2)
        self.set_xy(x, y + 3)
        self._say(whole, 36, 11, INK, bold=True, high=7)
        self.set_xy(x + 36, y + 3)
        self._say(money(entry.gross, currency), wide - 36, 11, INK, bold=True, align="R", high=7)
        self.set_y(y + 16)

    def _payment(self) -> None:
        entry, sender = self.whole.entry, self.whole.header["from"]
        y = self.get_y()
        self.set_xy(LEFT, y)
        if entry.gross < 0 and not entry.credits:
            other = "payout statements" if entry.kind is DocumentKind.STATEMENT else "invoices"
            back = "paid" if entry.kind is DocumentKind.STATEMENT else "given"
            self._say(f"{money(-entry.gross, entry.currency)} is set off against other {other}, or {back} back.",
                      WIDE, 9.5, INK, bold=True, high=6)
        if not self._owed:
            return
        self._say(f"Please pay {money(entry.gross, entry.currency)} by {day_words(entry.due_on)}", WIDE, 9.5, INK,
                  bold=True, high=6)
        y += 6
        for line in [*_lines(sender.get("bank")), f"Reference: {entry.label}"]:
            for part in self._broken(line, WIDE, 9):
                self.set_xy(LEFT, y)
                self._say(part, WIDE, 9, SOFT, high=4.7)
                y += 4.7

    # How it is set ----------------------------------------------------------------------------------------------------

    def _say(
        self, said: str, wide: float, size: float, ink: tuple[int, int, int], *, bold: bool = False, align: str = "L",
        high: float = 4.5,
    ) -> None:
        """One line of text in a box, cut where it does not fit."""
        said = "".join(letter if ord(letter) in self.known else "□" for letter in said)
        self._face(said, size, bold=bold)
        self.set_text_color(*ink)
        if self.get_string_width(said) > wide:
            while said and self.get_string_width(f"{said}…") > wide:
                said = said[:-1]
            said = f"{said}…"
        self.cell(wide, high, said, align=align, new_x=XPos.LEFT, new_y=YPos.TOP)

    def _face(self, said: str, size: float, *, bold: bool = False) -> None:
        self.set_font(FACE, "B" if bold else "", size)
        turned = any(unicodedata.bidirectional(letter) in _TURNED for letter in said)
        self.set_text_shaping(turned, direction="ltr")  # joined letters need it; all else is quicker without

    def _rule(self, y: float) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(LEFT, y, LEFT + WIDE, y)

    def _broken(self, said: str, wide: float, size: float, *, bold: bool = False) -> list[str]:
        """A text in lines that fit, broken between words; nothing for nothing."""
        if not said:
            return []
        lines, taken, gap = list[str](), wide, self._width(" ", size, bold)
        for word in filter(None, said.split(" ")):
            long = self._width(word, size, bold)
            if taken + gap + long <= wide:
                lines[-1], taken = f"{lines[-1]} {word}", taken + gap + long
            else:
                lines.append(word)
                taken = long
        return lines

    def _width(self, word: str, size: float, bold: bool) -> float:
        """How wide a word is; most come again and again."""
        if (known := self.widths.get((word, size, bold))) is None:
            self._face(word, size, bold=bold)
            known = self.widths[word, size, bold] = self.get_string_width(word)
        return known


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _tax_number(who: dict[str, Any]) -> str:
    return f"Tax no. {who['tax_number']}" if who.get("tax_number") else ""

"""The screen of billing put together: months, figures with what they mean, charts, each with the same as a table."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.billing.address import COURSE, PRACTITIONER
from core.billing.documents import Left
from core.billing.figures import (
    FIRST,
    LAST,
    LOST,
    MEANS,
    NARROWS,
    SPAN,
    SPANS,
    USUAL,
    Asked,
    Beside,
    Billing,
    Bracket,
    Row,
    asked_for,
    billing,
    titles,
)
from core.billing.money import decimal, words
from core.people.queries import names, pick_among_few
from core.programmes.queries import ProgrammeView
from core.structure.queries import options
from core.words import Role, TotalOf
from core.work import Work
from ui import charts, exporting, filters, navigation, panel, people_picker
from ui.format import capital, plain, zone_words

FEW = 60
"""Up to so many practitioners are offered as a list; more are typed for."""
WIDE = 155
OWN = "own"
NOTHING = "Nothing was billed or paid in these months."
_KEPT, _SPAN = "billing:kept", "billing:span"
_LEDGER, _DOCUMENTS = "ledger", "documents"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    _arrive(programme)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Billing", width="content")
        exporting.offer("billing", {"programme": [programme.name], **_said()},
                        "Exactly the figures that are shown, every table of them.")
    asked = asked_for(_said())
    _filters(work, programme, asked)
    st.session_state[_KEPT] = (programme.id, _said())
    with st.spinner("Adding up…"):
        found = billing(work, programme.id, asked)
    _months(work, programme, found, asked)
    if found.empty:
        with st.container(border=True):
            st.markdown(
                "Nothing was billed or paid in these months. Choose other months"
                + (", or clear the filters." if asked.narrowed else "; figures come once"
                   f" {programme.policy.words.many('session')} are recorded and rates hold for them."))
    _Drawn(programme, found).show()


def _said() -> dict[str, list[str]]:
    return {name: values for name in NARROWS if (values := st.query_params.get_all(name))}


def _arrive(programme: ProgrammeView) -> None:
    """Coming back finds the screen as it was left; another programme starts afresh, a link says itself what it is."""
    left_in, kept = st.session_state.get(_KEPT, (programme.id, {}))
    if left_in != programme.id:
        filters.write(**dict.fromkeys((PRACTITIONER, COURSE)))
    elif panel.just_came() and not _said():
        filters.write(**kept)


# Filters -------------------------------------------------------------------------------------------------------------


def _filters(work: Work, programme: ProgrammeView, asked: Asked) -> None:
    said = programme.policy.words
    own = asked.first is not None or asked.last is not None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        _span(OWN if own else asked.span)
        if own or st.session_state[_SPAN] == OWN:
            for name, label, value in ((FIRST, "First month", asked.first), (LAST, "Last month", asked.last)):
                key = filters.seeded(f"billing-{name}", f"{value:%Y-%m}" if value else "")
                st.text_input(label, key=key, on_change=_writes(name, key), width=120, placeholder="2026-03",
                              autocomplete="off")
        _practitioner(work, programme, asked, capital(said.practitioner))
        offered = {str(one.id): one.name for one in options(work, programme.id).courses}
        if offered:
            key = filters.seeded("billing-course", str(asked.course_id) if str(asked.course_id) in offered else None)
            st.selectbox(capital(said.course), list(offered), index=None, key=key, placeholder="All",
                         format_func=lambda id_: offered.get(id_, ""), on_change=_writes(COURSE, key), width=WIDE)
        if asked != Asked():
            st.button("Clear", type="tertiary", key="filter:clear", on_click=_clear)


def _clear() -> None:
    filters.write(**dict.fromkeys(NARROWS))
    st.session_state[_SPAN] = USUAL


def _span(chosen: str) -> None:
    if chosen == OWN or _SPAN not in st.session_state or st.session_state[_SPAN] != OWN:
        st.session_state[_SPAN] = chosen

    def changed() -> None:
        picked = st.session_state[_SPAN]
        filters.write(**{FIRST: None, LAST: None, SPAN: None if picked in (OWN, USUAL) else picked})

    st.selectbox("Months", [*SPANS, OWN], key=_SPAN, on_change=changed, width=WIDE,
                 format_func=lambda word: SPANS.get(word, "From and until"))


def _writes(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        filters.write(**{name: str(value) if value else None})

    return changed


def _practitioner(work: Work, programme: ProgrammeView, asked: Asked, label: str) -> None:
    """A list where there are few to choose among, else a field to type in."""
    few = pick_among_few(work, programme.id, Role.PRACTITIONER, FEW)
    if few is None:
        key = filters.seeded("billing-practitioner", asked.practitioner_id)
        with st.container(width=2 * WIDE, gap=None):
            people_picker.person(work, programme.id, Role.PRACTITIONER, label, key, most=8,
                                 on_change=_writes(PRACTITIONER, key))
        return
    offered = {str(one.id): one.name for one in few}
    if asked.practitioner_id is not None:  # perhaps no longer one
        offered |= {str(id_): name for id_, name in names(work, programme.id, [asked.practitioner_id]).items()}
    chosen = str(asked.practitioner_id) if str(asked.practitioner_id) in offered else None
    key = filters.seeded("billing-practitioner", chosen)
    st.selectbox(label, list(offered), index=None, key=key, format_func=lambda id_: offered.get(id_, ""),
                 placeholder="All", on_change=_writes(PRACTITIONER, key), width=WIDE)


def _months(work: Work, programme: ProgrammeView, found: Billing, asked: Asked) -> None:
    first, last = f"{found.first:%b %Y}", f"{found.last:%b %Y}"
    span = first if first == last else f"{first} – {last}"
    said = programme.policy.words
    left_out = f" · of {said.a('course')} alone, sums are kept by month; the ledger has its lines" \
        if asked.months_alone else " · invoices are of the whole programme" if asked.narrowed else ""
    st.caption(f"{capital(said.many('session'))} of {span}, days in {zone_words(programme.zone, work.now)}"
               f" · amounts in {found.currency}, without tax{left_out}")


# What is shown -------------------------------------------------------------------------------------------------------


class _Drawn:
    """The figures as they are drawn, with a way to what is behind each."""

    def __init__(self, programme: ProgrammeView, found: Billing) -> None:
        self.programme, self.found, self.currency = programme, found, found.currency
        self.words = programme.policy.words

    def show(self) -> None:
        """Figures, then one chart with its table at a time: the one that is open is drawn, and so is there at once."""
        if not self.found.empty:
            self._totals()
        parts = self._parts()
        tabs = st.tabs(list(parts), key="billing-parts", on_change="rerun") if parts else []
        for draw, tab in zip(parts.values(), tabs, strict=True):
            if tab.open:
                with tab:
                    draw()

    def _parts(self) -> dict[str, Callable[[], None]]:
        """What there is to look at, by what its tab is called."""
        found, called, words_ = self.found, titles(self.programme), self.words
        beside: dict[str, Callable[[], None]] = {"Side by side": self._side_by_side} if found.beside else {}
        if found.empty:
            return beside
        parts: dict[str, Callable[[], None]] = {"Over time": self._by_month}
        for by, what in ((TotalOf.PRACTITIONER, words_.practitioner), (TotalOf.COURSE, words_.course),
                         (TotalOf.PAYER, "payer")):
            if by in found.by:
                parts[called[by]] = partial(self._ranked, by, what)
        if TotalOf.OUTCOME in found.by:
            parts[called[TotalOf.OUTCOME]] = self._outcomes
        parts["On hold"] = partial(
            self._aged, "Pay on hold, by age", "held", found.held, _LEDGER,
            f"By days since the {words_.session}, as of today. It is paid out once the note or the report is there.",
            f"No pay waits for a note or a report of {words_.a('practitioner')}.")
        if found.open:
            parts["Open invoices"] = self._open_invoices
        return parts | beside

    def _totals(self) -> None:
        found, whole = self.found, self.found.total
        listed: list[tuple[str, int, Callable[[], None] | None, str]] = [
            ("Billed", whole.billed, self._to(_LEDGER, whole.billed_at), "Lines"),
            ("Paid", whole.paid, self._to(_LEDGER, whole.paid_at), "Lines"),
            ("Margin", whole.margin, self._to(_LEDGER, _both(whole)), "Lines"),
        ]
        if found.open:
            listed.append(("Outstanding", found.outstanding, self._to(_DOCUMENTS, {
                "paper": ["invoice"], "open": [str(Left.OPEN)]} if found.invoices else None), "Invoices"))
        every = {name: values for name, values in found.held[0].at.items() if name not in ("from", "until")}
        listed.append(("On hold", found.on_hold, self._to(_LEDGER, every if found.on_hold else None), "Lines"))
        with st.container(horizontal=True, gap="medium", key="figures"):
            for label, amount, lead, what in listed:
                with st.container(width="content", gap=None, key=f"figure-{label}"):
                    said = f"{label} ({share})" if label == "Margin" and (share := self._share(whole)) else label
                    st.metric(said, words(amount, self.currency), help=MEANS[label], width="content")
                    if lead is not None and st.button(
                            what, key=f"behind-{label}", type="tertiary", icon=":material/arrow_forward:",
                            help=f"What is behind: {label.lower()}"):
                        lead()

    @staticmethod
    def _share(whole: Row) -> str | None:
        return f"{100 * whole.margin / whole.billed:.0f}%" if whole.billed > 0 else None

    def _to(self, where: str, at: Mapping[str, list[str]] | None) -> Callable[[], None] | None:
        if at is None:
            return None
        return lambda: navigation.go(where, **dict(at))

    def _by_month(self) -> None:
        rows = self.found.months
        what = "Year" if rows[0].name.isdecimal() else "Month"
        st.caption(f"What each {what.lower()}'s {self.words.many('session')} come to.", help=_means())
        if not any(row.billed or row.paid for row in rows):
            st.caption(NOTHING)
            return
        columns = [row.name for row in rows]
        figure = charts.columns_and_line(
            columns, {"Billed": self._amounts(row.billed for row in rows),
                      "Paid": self._amounts(row.paid for row in rows)},
            ("Margin", self._amounts(row.margin for row in rows)),
            [self._told(rows, "billed"), self._told(rows, "paid"), self._told(rows, "margin")], self._sign())
        self._beside(figure, "month", rows, what)

    def _ranked(self, by: TotalOf, what: str) -> None:
        rows, paid = self.found.by[by], by is not TotalOf.PAYER
        if not rows:
            st.caption(NOTHING)
            return
        drawn = [row for row in rows if not row.rest]  # all the others together would dwarf each that has a name
        st.caption("Those that come to most" + ("; the others together are in the table." if len(drawn) < len(rows)
                                                else " stand on top."), help=_means())
        series = {"Billed": self._amounts(row.billed for row in drawn)}
        told = [self._told(drawn, "billed")]
        if paid:
            series["Paid"] = self._amounts(row.paid for row in drawn)
            told.append(self._told(drawn, "paid"))
        figure = charts.rows([row.name for row in drawn], series, told, self._sign())
        self._beside(figure, str(by), rows, what, drawn=drawn, paid=paid)

    def _outcomes(self) -> None:
        rows = self.found.by[TotalOf.OUTCOME]
        if not rows:
            st.caption(NOTHING)
            return
        st.caption("Charges that each outcome brought about, and what they come to. What is neither billed nor paid"
                   " leaves no line, and is not counted.")
        lost = [row for row in rows if row.name in {self.words.outcome(each) for each in LOST}]
        if lost:
            st.caption(" ".join(
                f"{capital(row.name)}: {row.charges:,} billed for {words(row.billed, self.currency)},"
                f" {words(row.paid, self.currency)} paid, so"
                f" {'they brought' if row.margin >= 0 else 'they cost'} {words(abs(row.margin), self.currency)}."
                for row in lost))
        figure = charts.rows(
            [capital(row.name) for row in rows],
            {"Billed": self._amounts(row.billed for row in rows), "Paid": self._amounts(row.paid for row in rows)},
            [self._told(rows, "billed"), self._told(rows, "paid")], self._sign())
        self._beside(figure, "outcome", rows, "Outcome", counts=True)

    def _beside(
        self, figure: Any, key: str, rows: Sequence[Row], what: str, *, drawn: Sequence[Row] | None = None,
        paid: bool = True, counts: bool = False,
    ) -> None:
        """A chart, and the same as a table of links, for keyboards and for those who have figures read out."""
        bars = rows if drawn is None else drawn

        def clicked(series: int, row: int) -> None:
            at = (bars[row].paid_at if series else bars[row].billed_at) if row < len(bars) else None
            if at is not None:
                navigation.go(_LEDGER, **dict(at))

        left, right = st.columns([3, 2], gap="medium")
        with left:
            charts.show(figure, f"billing-{key}", clicked)
        with right:
            st.html(self._table(what, rows, paid=paid, counts=counts))

    def _table(self, what: str, rows: Sequence[Row], *, paid: bool, counts: bool) -> str:
        heads = [capital(what), *(["Charges"] if counts else []), "Billed", *(["Paid", "Margin"] if paid else [])]
        lines = []
        for row in rows:
            cells = [f"<td>{row.charges:,}</td>"] if counts else []
            cells.append(self._cell(row.name, "billed", row.billed, row.billed_at, _LEDGER))
            if paid:
                cells += [self._cell(row.name, "paid", row.paid, row.paid_at, _LEDGER),
                          self._cell(row.name, "margin", row.margin, _both(row), _LEDGER)]
            lines.append(f'<tr><th scope="row">{escape(capital(row.name))}</th>{"".join(cells)}</tr>')
        return _html(f"Billing by {what}", heads, lines)

    def _cell(self, name: str, side: str, amount: int, at: Mapping[str, list[str]] | None, where: str) -> str:
        said = escape(words(amount, self.currency))
        if at is None:
            return f"<td>{said}</td>"
        query = escape(f"/{where}?{urlencode({'programme': [self.programme.name], **at}, doseq=True)}")
        return f'<td><a href="{query}" title="{escape(f"{name}, {side}")}">{said}</a></td>'

    def _aged(
        self, title: str, key: str, brackets: Sequence[Bracket], where: str, told: str, none: str
    ) -> None:
        st.caption(told if any(each.amount for each in brackets) else none)
        if not any(each.amount for each in brackets):
            return

        def clicked(_: int, row: int) -> None:
            if row < len(brackets) and brackets[row].amount:
                navigation.go(where, **brackets[row].at)

        figure = charts.rows(
            [capital(each.name) for each in brackets], {"Amount": self._amounts(each.amount for each in brackets)},
            [[f"{capital(each.name)}: {words(each.amount, self.currency)}" for each in brackets]], self._sign())
        left, right = st.columns([3, 2], gap="medium")
        with left:
            charts.show(figure, f"billing-{key}", clicked)
        with right:
            lines = [
                f'<tr><th scope="row">{escape(capital(each.name))}</th>'
                + self._cell(each.name, title, each.amount, each.at if each.amount else None, where) + "</tr>"
                for each in brackets]
            st.html(_html(title, ["Age", "Amount"], lines))

    def _open_invoices(self) -> None:
        found = self.found
        self._aged("Open invoices, by age", "open", found.open, _DOCUMENTS,
                   f"By age as of today, with tax: {found.invoices:,} open in all.", "No invoice is open.")
        if found.over is not None and st.button(
                f"{plain(words(found.over.amount, self.currency))} in favour of payers, to be set off or given back",
                key="behind-over", type="tertiary", icon=":material/arrow_forward:"):
            navigation.go(_DOCUMENTS, **found.over.at)

    def _side_by_side(self) -> None:
        """The viewer's programmes, each in its currency; charts only of those in one."""
        beside = self.found.beside
        st.caption("The same months in every programme that you see money of, each in its own currency.", help=_means())
        for currency in dict.fromkeys(each.currency for each in beside):
            those = [each for each in beside if each.currency == currency]
            left, right = st.columns([3, 2], gap="medium")
            with left:
                charts.show(self._programmes(those, currency), f"billing-beside-{currency}", _open_programme(those))
            with right:
                st.html(_html(
                    f"Programmes in {currency}", [f"Programme ({currency})", "Billed", "Paid", "Margin"],
                    [f'<tr><th scope="row">{escape(each.name)}</th>'
                     + "".join(f"<td>{_linked(each, amount, at)}</td>" for amount, at in (
                         (each.row.billed, each.row.billed_at), (each.row.paid, each.row.paid_at),
                         (each.row.margin, None))) + "</tr>" for each in those]))

    @staticmethod
    def _programmes(those: Sequence[Beside], currency: str) -> Any:
        amounts = {"Billed": [float(decimal(each.row.billed, currency)) for each in those],
                   "Paid": [float(decimal(each.row.paid, currency)) for each in those]}
        told = [[f"{charts.plain(each.name)}: {words(getattr(each.row, side), currency)} {side}" for each in those]
                for side in ("billed", "paid")]
        return charts.rows([each.name for each in those], amounts, told, _sign(currency))

    def _amounts(self, amounts: Any) -> list[float]:
        return [float(decimal(amount, self.currency)) for amount in amounts]

    def _told(self, rows: Sequence[Row], side: str) -> list[str]:
        return [f"{charts.plain(capital(row.name))}: {words(getattr(row, side), self.currency)} {side}"
                for row in rows]

    def _sign(self) -> str:
        return _sign(self.currency)


def _sign(currency: str) -> str:
    return re.sub(r"[\d.,\s]", "", words(0, currency))


def _both(whole: Row) -> Mapping[str, list[str]] | None:
    """The list of the lines of both sides, where there are some."""
    at = whole.billed_at or whole.paid_at
    return None if at is None else {name: values for name, values in at.items() if name != "kind"}


def _means() -> str:
    return " ".join(f"{label}: {MEANS[label]}" for label in ("Billed", "Paid", "Margin"))


def _linked(each: Beside, amount: int, at: Mapping[str, list[str]] | None) -> str:
    said = escape(words(amount, each.currency))
    if at is None:
        return said
    query = escape(f"/ledger?{urlencode({'programme': [each.name], **at}, doseq=True)}")
    return f'<a href="{query}" title="{escape(each.name)}">{said}</a>'


def _open_programme(those: Sequence[Beside]) -> Callable[[int, int], None]:
    def clicked(series: int, row: int) -> None:
        at = (those[row].row.paid_at if series else those[row].row.billed_at) if row < len(those) else None
        if at is not None:
            navigation.go(_LEDGER, programme=those[row].name, **dict(at))

    return clicked


def _html(caption: str, heads: Sequence[str], lines: Sequence[str]) -> str:
    said = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (f'<div class="figures-scroll"><table class="figures"><caption>{escape(caption)}</caption>'
            f'<thead><tr>{said}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>')



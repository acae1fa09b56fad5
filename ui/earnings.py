"""What a practitioner earns, on screen: figures with what they mean, months with their lines, payout statements."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.documents import Chosen, documents
from core.billing.money import words
from core.billing.queries import MEANS, EarnedMonth, Filters, Line, LinePage, earned_months, earnings, lines
from core.programmes.queries import ProgrammeView
from core.sessions.queries import rows_of
from core.words import DocumentKind, LineKind
from core.work import Work
from ui import filters, navigation
from ui.documents import WHY_HIGH, WHY_WIDE, day_words
from ui.format import capital, plain, who, zone_words
from ui.invoices import papers, turned

FIGURES = {"expected": "Expected", "on_hold": "On hold", "ready": "Ready", "stated": "On a statement", "paid": "Paid"}
SHOWN = 10
_TURNED = "earnings:page"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    st.title("My earnings")
    st.caption(f"Amounts in {programme.currency}, all months together. Days in {zone_words(programme.zone, work.now)}.")
    found = earnings(work, programme.id)
    with st.container(horizontal=True, gap="medium", key="figures"):
        for name, label in FIGURES.items():
            st.metric(label, words(getattr(found, name), found.currency), help=MEANS[name], width="content")
    _waiting(work, programme)
    months = earned_months(work, programme.id)
    if not months:
        st.info("Nothing is earned yet. Lines come when what came of a"
                f" {programme.policy.words.session} is recorded.", icon=":material/savings:")
    else:
        _months(programme, months)
        _lines(work, programme, months)
    listed, total = documents(work, programme.id, Chosen((DocumentKind.STATEMENT,), mine=True), number=turned())
    if total:
        st.header("Payout statements")
        papers(work, programme, listed, total)


def _waiting(work: Work, programme: ProgrammeView) -> None:
    """What is on hold, each with the way to what is owed."""
    held = lines(work, programme.id, Filters(kind=LineKind.PAYOUT, practitioner_ids=(work.me,), only_held=True))
    if not held.rows:
        return
    with st.container(border=True, gap="xsmall", key="on-hold"):
        st.markdown(f":material/hourglass_top: **{held.total:,} {'payout waits' if held.total == 1 else 'payouts wait'}"
                    " for a note or a report.** Write it, and the payout is ready.")
        name, people = capital(programme.policy.words.session), _people(work, held.rows[:SHOWN])
        st.markdown("\n".join(" · ".join(filter(None, (
            f"- [{plain(name)} {line.number}](worksheet?session={line.session_id})",
            plain(people.get(line.session_id, "")), day_words(line.day), plain(words(line.amount, line.currency)))))
            for line in held.rows[:SHOWN]))
        if held.total > SHOWN:
            st.caption(f"And {held.total - SHOWN:,} more.")


def _people(work: Work, rows: Sequence[Line]) -> dict[int, str]:
    """Whom each of the sessions was with, as far as the viewer still may see it."""
    return {row.id: who(row) for row in rows_of(work, list({line.session_id for line in rows}))}


def _months(programme: ProgrammeView, months: Sequence[EarnedMonth]) -> None:
    st.header("By month")
    st.caption(f"Of the month in which the {programme.policy.words.session} was. Click a month for its lines.")
    currency = programme.currency
    amounts = {"Earned": "amount", "On hold": "on_hold", "Ready": "ready", "Stated or paid": "stated"}
    frame: dict[str, list[Any]] = {
        "Month": [f"{each.month:%B %Y}" for each in months], "Lines": [each.lines for each in months],
        **{label: [words(getattr(each, name), currency) for each in months] for label, name in amounts.items()}}
    picked = st.dataframe(
        pd.DataFrame(frame), hide_index=True, height="content", key="earned-months", selection_mode="single-cell",
        on_select="rerun", placeholder="", alt="Earnings by month",
        column_config={name: st.column_config.TextColumn(alignment="right") for name in amounts})
    for line, _ in picked.selection.cells:
        if line < len(months) and _chosen(months) != months[line].month:
            filters.write(month=f"{months[line].month:%Y-%m}")
            st.rerun()


def _chosen(months: Sequence[EarnedMonth]) -> date:
    """The month that the address names, else the latest."""
    said = st.query_params.get("month", "")
    return next((each.month for each in months if f"{each.month:%Y-%m}" == said), months[0].month)


def _lines(work: Work, programme: ProgrammeView, months: Sequence[EarnedMonth]) -> None:
    month, said = _chosen(months), programme.policy.words
    at = st.query_params.get("page", "1")
    page = lines(work, programme.id, Filters(
        kind=LineKind.PAYOUT, practitioner_ids=(work.me,), months=(month,)),
        number=int(at) if at.isdecimal() and at.isascii() and len(at) < 9 else 1)
    st.subheader(f"{month:%B %Y}")
    _turn(page)
    notes = ["on hold" if line.held else "takes back an earlier one" if line.reverses else
             "taken back" if line.taken_back else "" for line in page.rows]
    people = _people(work, page.rows)
    frame: dict[str, list[Any]] = {
        "Day": [line.day for line in page.rows],
        "Amount": [words(line.amount, line.currency) for line in page.rows],
        "With": [people.get(line.session_id, "") for line in page.rows], "Note": notes,
        "Outcome": [said.outcome(line.outcome) for line in page.rows],
        capital(said.course): [line.course for line in page.rows],
        "Minutes": [line.minutes for line in page.rows], "No.": [line.number for line in page.rows],
        "Statement": [line.document for line in page.rows],
        "Why this amount": [line.why for line in page.rows],
    }
    picked = st.dataframe(
        pd.DataFrame({name: values for name, values in frame.items() if any(values)}), hide_index=True,
        height="content", row_height=WHY_HIGH, key="earned-lines", selection_mode="single-cell", on_select="rerun",
        placeholder="",
        alt=f"Lines of {month:%B %Y}", column_config={
            "Day": st.column_config.DateColumn(format="D MMM YYYY", width=95),
            "No.": st.column_config.NumberColumn(format="%d", width=55, help=f"Number of the {said.session}"),
            "Minutes": st.column_config.NumberColumn(format="%d", width=70),
            "Amount": st.column_config.TextColumn(alignment="right", width=90),
            "Why this amount": st.column_config.TextColumn(width=WHY_WIDE)})
    for line, _ in picked.selection.cells:
        if line < len(page.rows):
            navigation.open_session(page.rows[line].session_id)


def _turn(page: LinePage) -> None:
    if st.session_state.get(_TURNED) != page.number:
        st.session_state[_TURNED] = page.number
    if page.pages == 1:
        return

    def turned() -> None:
        filters.write(page=str(st.session_state[_TURNED]))

    st.pagination(page.pages, key=_TURNED, on_change=turned, width=400)

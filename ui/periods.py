"""Closed periods on screen: what each came to, with the way to its documents."""

from typing import Any

import pandas as pd
import streamlit as st

from core.billing.documents import Closed, Left, both_ways, closed_periods, matches, span
from core.billing.money import words
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.work import Work
from ui import navigation, runtime
from ui.format import plain


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    closes = may(work, Action.MONEY_CLOSE, programme.id)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Periods", width="content")
        if closes and st.button("Close a period", type="primary", icon=":material/lock:", key="period-close"):
            navigation.go("closing")
    listed = closed_periods(work, programme.id)
    if not listed:
        way = " Close the first one: invoices and payout statements are made from it." if closes else ""
        st.info(f"No period is closed yet.{way}", icon=":material/event_repeat:")
        return
    st.caption("A closed period never changes. What comes late goes into the next one as an adjustment. Click a period"
               " for its documents.")
    if closes and (found := matches(work, programme.id)):
        amounts = " and ".join(both_ways([(each.open, each.amount) for each in found]))
        st.page_link(navigation.BY_NAME["documents"].page(), icon=":material/currency_exchange:",
                     query_params={"open": Left.TO_SET_OFF},
                     label=plain(f"{amounts} can be set off"),
                     help="What is in favour of payers or of those who are paid, against what is open of theirs.")
    _table(programme, listed)


def _table(programme: ProgrammeView, listed: list[Closed]) -> None:
    zone = runtime.zone(programme.zone_name)
    closed_at = f"Closed ({zone})".replace("_", " ")
    taxed = any(each.tax for each in listed)
    found: dict[str, list[Any]] = {
        "Period": [span(each.from_day, each.until_day) for each in listed],
        "Invoices": [each.invoices for each in listed], "Credit notes": [each.credit_notes for each in listed],
        "Net": [words(each.net, each.currency) for each in listed if taxed],
        "Tax": [words(each.tax, each.currency) for each in listed if taxed],
        "Total billed": [words(each.gross, each.currency) for each in listed],
        "Payout statements": [each.statements for each in listed],
        "To pay out": [words(each.paid_out, each.currency) for each in listed],
        "Closed by": [each.closed_by for each in listed],
        closed_at: [f"{(at := each.closed_at.astimezone(zone)).day} {at:%b %Y, %H:%M}" for each in listed],
    }
    told = {"Net": None, "Tax": None, "Total billed": "Of its invoices, less its credit notes.",
            "To pay out": "Of its payout statements."}
    picked = st.dataframe(
        pd.DataFrame({name: values for name, values in found.items() if values}), hide_index=True, height="content",
        key="periods", selection_mode="single-cell", on_select="rerun", placeholder="",
        alt=f"Closed periods of {programme.name}", column_config={
            name: st.column_config.TextColumn(alignment="right", help=said) for name, said in told.items()})
    for line, _ in picked.selection.cells:
        if line < len(listed):
            navigation.go("documents", period=listed[line].id)

"""Closing a period on screen: the last day, what it would bring about, what looks wrong, and the confirmation."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core.billing.address import HELD, UNTIL, YES
from core.billing.closing import Anomaly, Preview, close_period, preview
from core.billing.documents import span
from core.billing.money import words
from core.billing.queries import biller
from core.clock import FIRST_DAY
from core.errors import Invalid
from core.programmes.queries import ProgrammeView
from core.words import DocumentKind
from ui import feedback, navigation, runtime
from ui.documents import day_words
from ui.format import capital, plain
from ui.forms import Form
from ui.turning import Turned

_SEEN = "closing:seen"
PAGE = 50
SHOWN = 12
"""Anomalies of one sort listed one by one."""
MEANS = {
    "attendance missing": ("Nothing recorded yet", "Record what came of each, or it is neither billed nor paid now."),
    "no rate": ("No rate", "Add a rate that holds that day, or leave it: it then costs nothing."),
    "no payer": ("Nobody pays", "Name a payer. Until then the charge waits, and is on no invoice."),
    "doubled": ("Met twice on one day", "Look whether one of the two was recorded by mistake."),
    "unusually long": ("Unusually long", "Look whether the minutes are right."),
    "outcome against the calendar": ("Outcome against the notice given",
                                     "Reopen it and record what holds, or leave it as was decided."),
}
"""What each sort of anomaly is called, and what to do about it."""
WAYS = {"no rate": "rates", "no payer": "payers"}
"""Where that is done, of what is not done at the session itself."""


def screen(programme: ProgrammeView) -> None:
    """The whole screen."""
    form = Form(f"closing-{programme.id}")
    if saved := form.done():
        st.session_state.pop(_SEEN, None)
        feedback.note(saved.said)
        navigation.go("periods")
    st.title("Close a period")
    st.caption("Everything owed and earned until a day goes onto numbered invoices and payout statements. Look first;"
               " nothing is made before you confirm.")
    with runtime.reading() as work:
        known, today = biller(work, programme.id), work.now.astimezone(programme.zone).date()
    if known is None:
        st.info("Say first what stands on top of invoices: name, address, tax number.", icon=":material/receipt_long:")
        st.page_link(navigation.BY_NAME["payers"].page(), label="Invoice header", icon=":material/receipt_long:",
                     query_params={"billing": "Invoice header"})
        return
    form.preset("until", today.replace(day=1) - timedelta(days=1))
    seen = _looked(programme, form)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.date_input("Last day", key=form.field("until"), format="YYYY-MM-DD", min_value=FIRST_DAY, width=180)
        st.button("Look again" if seen else "Look", type="secondary" if seen else "primary", key="closing-look",
                  icon=":material/visibility:", on_click=_ask, args=(form,))
    form.problem("until_day", "until")
    if form.state.get("asked") and not seen:
        seen = _look(programme, form)
    if seen:
        _shown(programme, seen)
        _confirm(programme, form, seen)


def _ask(form: Form) -> None:
    st.session_state.pop(_SEEN, None)
    form.state.pop("problems", None)
    form.state["asked"] = form.value("until")


def _looked(programme: ProgrammeView, form: Form) -> Preview | None:
    """What was seen, as long as the day is still the same."""
    kept: tuple[int, date, Preview] | None = st.session_state.get(_SEEN)
    if kept is None or kept[:2] != (programme.id, form.value("until")):
        return None
    return kept[2]


def _look(programme: ProgrammeView, form: Form) -> Preview | None:
    until = form.value("until")
    if form.state.pop("asked") != until or until is None:
        if until is None:
            form.holds_now({"until_day": "Choose the last day of the period."})
            st.rerun()
        return None
    bar = st.progress(0.0, "Adding up")

    def tell(part: float, said: str) -> None:
        bar.progress(part, said)

    try:
        with runtime.reading() as work:
            seen = preview(work, programme.id, until, tell)
    except Invalid as refusal:
        form.holds_now(refusal.problems)
        st.rerun()
    bar.empty()
    st.session_state[_SEEN] = (programme.id, until, seen)
    st.rerun()


# What it would bring about -------------------------------------------------------------------------------------------


def _shown(programme: ProgrammeView, seen: Preview) -> None:
    charged = [bill for bill in seen.bills if bill.kind is not DocumentKind.STATEMENT]
    paid = [bill for bill in seen.bills if bill.kind is DocumentKind.STATEMENT]
    st.header(span(seen.from_day, seen.until_day))
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, said, told in (
            ("Invoices", f"{sum(bill.kind is DocumentKind.INVOICE for bill in charged):,}", "One for each payer."),
            ("Billed", words(sum(bill.net for bill in charged), seen.currency), "Net, less credit notes."),
            ("Payout statements", f"{len(paid):,}", f"One for each {programme.policy.words.practitioner}."),
            ("To pay out", words(sum(bill.net for bill in paid), seen.currency), "The sum of the statements."),
            ("On hold", words(seen.held_amount, seen.currency),
             f"{seen.held:,} payouts wait for a note or a report, and so for a later period."),
        ):
            st.metric(label, said, help=told, width="content")
    if seen.held:
        query = urlencode({"programme": programme.name, HELD: YES, UNTIL: seen.until_day.isoformat()})
        lines = "1 line" if seen.held == 1 else f"{seen.held:,} lines"
        st.markdown(f"On hold and not on any of them: [{lines} of the ledger](ledger?{query}).")
    _anomalies(programme, seen.anomalies)
    st.subheader("Documents")
    if not seen.bills:
        st.info("Nothing is owed or earned in this period. It can be closed all the same.", icon=":material/inbox:")
        return
    late, taxed = (any(getattr(bill, name) for bill in seen.bills) for name in ("adjustments", "tax"))
    page = Turned(seen.bills, PAGE, "closing:page")
    bills = page.shown
    if page.pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{page.first + 1:,}–{page.first + len(bills):,} of {len(seen.bills):,}", width="content")
            page.turn()
    found: dict[str, list[Any]] = {
        "Document": [capital(bill.kind) for bill in bills], "Whom": [bill.whom for bill in bills],
        "Total": [words(bill.gross, seen.currency) for bill in bills],
        "Net": [words(bill.net, seen.currency) for bill in bills if taxed],
        "Tax": [words(bill.tax, seen.currency) for bill in bills if taxed],
        "Lines": [bill.lines for bill in bills],
        "Adjustments": [bill.adjustments for bill in bills] if late else [],
    }
    st.dataframe(
        pd.DataFrame({name: values for name, values in found.items() if values}), hide_index=True, key="closing-bills",
        height="content", alt="Documents that closing would make", column_config={
            "Adjustments": st.column_config.NumberColumn(help="Lines of days before this period: what came late."),
            **{name: st.column_config.TextColumn(alignment="right") for name in ("Net", "Tax", "Total")}})


def _anomalies(programme: ProgrammeView, found: Sequence[Anomaly]) -> None:
    if not found:
        st.success("Nothing looks wrong.", icon=":material/check_circle:")
        return
    count = f"{len(found):,} {'thing' if len(found) == 1 else 'things'}"
    here = urlencode({"programme": programme.name})
    st.subheader(f"Look at {count} first")
    for what, (label, todo) in MEANS.items():
        those = [one for one in found if one.what == what]
        if not those:
            continue
        with st.expander(f"**{label}** · {len(those):,}", icon=":material/report:"):
            there = navigation.BY_NAME[WAYS[what]] if what in WAYS else None
            st.markdown(plain(todo) + (f" [{there.title}]({there.name}?{here})" if there else ""))
            st.markdown("\n".join(_told(programme, one) for one in those[:SHOWN]))
            if len(those) > SHOWN:
                st.caption(f"And {len(those) - SHOWN:,} more. They move up as these are seen to.")


def _told(programme: ProgrammeView, one: Anomaly) -> str:
    """A line with a link to the session, in a tab of its own, so that the look is kept."""
    day = f" · {day_words(one.day)}" if one.day else ""
    name = f"{capital(programme.policy.words.session)} {one.number}"
    return f"- [{plain(name)}](worksheet?session={one.session_id}){day} · {plain(one.said)}"


def _confirm(programme: ProgrammeView, form: Form, seen: Preview) -> None:
    with st.container(border=True, gap="small", key="closing-confirm"):
        st.markdown("**A closed period is never opened again.** Its documents get the next numbers, without gaps. What"
                    " comes late goes into the next period as an adjustment.")
        sure = st.checkbox("I have looked, and want to close it for good", key=form.field("sure"))
        form.show_refusal()
        st.button(f"Close {span(seen.from_day, seen.until_day)}", type="primary", icon=":material/lock:",
                  key=form.field("save"), disabled=not sure, on_click=_close, args=(form, programme.id, seen.until_day))


def _close(form: Form, programme_id: int, until_day: date) -> None:
    with st.spinner("Closing the period…"):
        form.send(close_period, programme_id, until_day)

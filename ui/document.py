"""One document on screen: who to whom, sums, lines with why, payments, and what can be done to it."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.closing import credit_invoice
from core.billing.documents import Entry, Left, Payments, State, Whole, document, set_against, theirs
from core.billing.money import number_words, share_words, tax_words, typed, words
from core.billing.paper import per, title
from core.billing.payments import enter_payment, give_back, set_off, take_back_entered, take_back_payment
from core.errors import NotFound
from core.programmes.queries import ProgrammeView
from core.words import DocumentKind, LineKind
from core.work import Work
from ui import feedback, here, navigation, panel, runtime
from ui.documents import WHY_HIGH, WHY_WIDE, badge, day_words, finish
from ui.format import capital, plain
from ui.forms import Form
from ui.turning import Turned

PAGE = 50


def screen(work: Work, programme: ProgrammeView) -> None:
    """The document that the address names."""
    id_ = navigation.asked_id("document")
    try:
        if id_ is None:
            raise NotFound
        whole = document(work, id_)
    except NotFound as refusal:
        st.title("Document")
        st.info(plain(refusal.sentence), icon=":material/search_off:")
        return
    here.switch_to(work, whole.programme_id)
    today = work.now.astimezone(programme.zone).date()
    _head(whole)
    state = whole.entry.state(today)
    about = [whole.entry.whom, whole.entry.period, f"issued {day_words(whole.entry.issued_on)}"]
    st.markdown(" · ".join([badge(state), *(plain(part) for part in about if part)]))
    _told(whole)
    _figures(whole, state)
    _sides(whole)
    _lines(programme, whole)
    if not whole.entry.credits:
        _payments(whole)
    panel.show("document-pay", "Enter a payment", _pay)
    panel.show("document-back", f"Enter what was {_went_back(whole.entry)}", _give_back)
    panel.show("document-off", "Set off", _set_off)
    panel.show("document-credit", "Credit this invoice", _credit)


def _head(whole: Whole) -> None:
    entry = whole.entry
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(f"{title(entry.kind)} {plain(entry.label)}", width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            if whole.may_change and entry.kind is DocumentKind.INVOICE and not entry.credited:
                st.button("Credit…", icon=":material/undo:", key="document-credit-open", on_click=panel.open_,
                          args=("document-credit", entry.id), help="Take the invoice back by a credit note.")
            st.link_button("Excel", f"/export/document/{entry.id}.xlsx", icon=":material/table_view:")
            pays = whole.may_change and bool(entry.left)
            st.link_button("PDF", f"/export/document/{entry.id}.pdf", icon=":material/picture_as_pdf:",
                           type="secondary" if pays else "primary")
            if pays and entry.over:
                st.button(f"{capital(_went_back(entry))}…", icon=":material/payments:", key="document-back-open",
                          on_click=panel.open_, args=("document-back", entry.id), help="Enter money that went back.")
                st.button("Set off…", type="primary", icon=":material/currency_exchange:", key="document-off-open",
                          on_click=panel.open_, args=("document-off", entry.id),
                          help="Use it for what else is open of theirs.")
            elif pays:
                st.button("Enter payment", type="primary", icon=":material/payments:", key="document-pay-open",
                          on_click=panel.open_, args=("document-pay", entry.id))


def _told(whole: Whole) -> None:
    """What else came of it, and what is to be seen to."""
    entry = whole.entry
    if whole.credited_by is not None:
        id_, label = whole.credited_by
        st.info(f"Credited by [{plain(label)}](document?document={id_}). What is still owed goes onto the next"
                " invoice.", icon=":material/undo:")
    if whole.cancels:
        st.info(f"Credits invoice [{plain(whole.cancels)}](document?document={whole.cancels_id}):"
                f" {plain(whole.reason)}", icon=":material/undo:")
    if entry.over:
        st.info(f"**{plain(words(entry.over, entry.currency))}** {_in_favour(whole)}",
                icon=":material/currency_exchange:")
    for other in whole.favours:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"favour-{other.id}"):
            st.markdown(f":material/currency_exchange: **{plain(words(other.over, other.currency))}** of"
                        f" [{plain(other.label)}](document?document={other.id}) can be set off against it.",
                        width="content")
            st.button("Set off…", key=f"document-off-{other.id}", on_click=panel.open_,
                      args=("document-off", other.id, entry.id))


def _went_back(entry: Entry) -> str:
    """Practitioners pay back; payers are given back."""
    return "paid back" if entry.kind is DocumentKind.STATEMENT else "given back"


def _in_favour(whole: Whole) -> str:
    """What is to become of what is over, in words for whoever reads it."""
    out = whole.entry.kind is DocumentKind.STATEMENT
    others = "payout statements" if out else "invoices"
    why = "was paid too much" if whole.entry.gross > 0 else "was paid out and taken back since" if out else (
        "is in favour of whoever is billed")
    return f"{why}. It is set off against other {others}, or {_went_back(whole.entry)}."


def _figures(whole: Whole, state: State) -> None:
    entry = whole.entry
    figures = [("Net", entry.net), (f"Tax {tax_words(whole.tax_rate)}", entry.tax)] if entry.tax else []
    figures += [("Total", entry.gross)]
    if not entry.credits:
        figures += [("Credited", entry.credit)] if entry.credit else []
        figures += [("Settled" if entry.gross < 0 else "Paid", entry.paid)]
        figures += [("To set off", entry.over)] if entry.over else [("Open", entry.open)]
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, amount in figures:
            st.metric(label, words(amount, entry.currency), width="content")
        if state in (State.OPEN, State.OVERDUE):
            st.metric("Due", day_words(entry.due_on), width="content")


def _sides(whole: Whole) -> None:
    sender, to = whole.header["from"], whole.header["to"]
    label = "Paid to" if whole.entry.kind is DocumentKind.STATEMENT else "Billed to"
    with st.container(horizontal=True, gap="large", key="document-sides"):
        for said, who in (("From", sender), (label, to)):
            with st.container(width=260, gap="xsmall"):
                st.caption(said)
                st.markdown(_address(who))


def _address(who: Mapping[str, Any]) -> str:
    number = f"Tax no. {who['tax_number']}" if who.get("tax_number") else ""
    lines = [*(who.get("address") or "").splitlines(), number, who.get("email") or ""]
    return "  \n".join([f"**{plain(who['name'])}**", *(plain(line) for line in lines if line)])


def _lines(programme: ProgrammeView, whole: Whole) -> None:
    said, page = programme.policy.words, Turned(whole.lines, PAGE, f"document:page-{whole.entry.id}")
    shown = page.shown
    st.header("Lines")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(whole.lines):,} {'line' if len(whole.lines) == 1 else 'lines'} · click one for its"
                   f" {said.session}", width="content")
        page.turn()
    found: dict[str, list[Any]] = {
        "Date": [line.day for line in shown],
        "For": [line.whom if line.kind is LineKind.CHARGE else "" for line in shown],
        "Amount": [words(line.amount, line.currency) for line in shown],
        "Outcome": [said.outcome(line.outcome) for line in shown],
        capital(said.course): [line.course for line in shown], "No.": [line.number for line in shown],
        "Minutes": [line.minutes for line in shown],
        "Rate": [f"{words(line.unit_amount, line.currency)} {per(line)}" for line in shown],
        "Share": [share_words(line.share) for line in shown],
        "Why this amount": [line.why for line in shown],
    }
    picked = st.dataframe(
        pd.DataFrame({name: values for name, values in found.items() if any(values)}), hide_index=True,
        height="content", row_height=WHY_HIGH, key="document-lines", selection_mode="single-cell", on_select="rerun",
        placeholder="",
        alt=f"Lines of {whole.entry.label}", column_config={
            "Date": st.column_config.DateColumn(format="D MMM YYYY", width=95),
            "No.": st.column_config.NumberColumn(format="%d", width=55, help=f"Number of the {said.session}"),
            "Minutes": st.column_config.NumberColumn(format="%d", width=70),
            "Amount": st.column_config.TextColumn(alignment="right", width=90),
            "Rate": st.column_config.TextColumn(alignment="right"),
            "Share": st.column_config.TextColumn(alignment="right", width=65),
            "Why this amount": st.column_config.TextColumn(width=WHY_WIDE),
        })
    for line, _ in picked.selection.cells:
        if line < len(shown):
            navigation.open_session(shown[line].session_id)


# Payments ------------------------------------------------------------------------------------------------------------


def _payments(whole: Whole) -> None:
    st.header("Payments")
    kept = [each for each in whole.payments if not each.reverses]
    if not kept:
        st.caption("No payment yet.")
    for each in kept:
        _payment(whole, each)


def _payment(whole: Whole, each: Payments) -> None:
    amount = plain(words(each.amount, whole.entry.currency))
    reference = f" · {plain(each.reference)}" if each.reference else ""
    if each.against is not None:
        id_, label = each.against
        reference = f" · set off against [{plain(label)}](document?document={id_})"
    elif each.amount < 0:
        reference = f" · {_went_back(whole.entry)}{reference}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"payment-{each.id}"):
        if each.taken_back:
            st.markdown(f":gray[~~{day_words(each.day)} · {amount}~~{reference} · taken back]", width="content")
            return
        st.markdown(f"{day_words(each.day)} · **{amount}**{reference}", width="content")
        if whole.may_change:
            st.button("Take back", key=f"payment-back-{each.id}", type="tertiary", icon=":material/undo:",
                      help="It was entered by mistake." if each.against is None else
                      "On both documents.", on_click=_back, args=(each.id,))


def _back(payment_id: int) -> None:
    feedback.act(take_back_payment, payment_id, final=True)


def _known(document_id: int) -> Whole:
    with runtime.reading() as work:
        return document(work, document_id)


def _pay(document_id: int) -> None:
    form = Form(f"document-pay-{document_id}")
    finish(form, take_back_entered)
    entry = _known(document_id).entry
    st.markdown(f"**{plain(entry.label)}** · {plain(entry.whom)} · {plain(words(entry.open, entry.currency))} open")
    _money(form, enter_payment, document_id, entry.open, entry.currency, ("Paid on", "Enter payment"))


def _give_back(document_id: int) -> None:
    form = Form(f"document-back-{document_id}")
    finish(form, take_back_entered)
    entry = _known(document_id).entry
    st.markdown(f"**{plain(entry.label)}** · {plain(entry.whom)} · up to {plain(words(entry.over, entry.currency))}")
    back = _went_back(entry)
    _money(form, give_back, document_id, entry.over, entry.currency, (f"{capital(back)} on", f"Enter as {back}"))


def _money(
    form: Form, command: Callable[..., Any], document_id: int, usual: int, currency: str, said: tuple[str, str]
) -> None:
    """An amount, its day and its reference, for money that moved; `said` are the words of the day and the button."""
    with runtime.reading() as work:
        today = work.now.astimezone(here.programme(work).zone).date()
    form.preset("amount", number_words(usual, currency))
    form.preset("day", today)
    st.text_input(f"Amount ({currency})", key=form.field("amount"), autocomplete="off")
    form.problem("amount")
    st.date_input(said[0], key=form.field("day"), format="YYYY-MM-DD")
    form.problem("day")
    st.text_input("Reference (optional)", key=form.field("reference"), autocomplete="off",
                  placeholder="As the bank shows it")
    form.problem("reference")
    form.show_refusal()
    st.button(said[1], type="primary", key=form.field("save"), on_click=_send_money,
              args=(form, command, document_id, currency))


def _send_money(form: Form, command: Callable[..., Any], document_id: int, currency: str) -> None:
    problems: dict[str, str] = {}
    amount = 0
    try:
        amount = typed(form.value("amount") or "", currency)
    except ValueError as problem:
        problems["amount"] = str(problem)
    if (day := form.value("day")) is None:
        problems["day"] = "Choose the day."
    if problems:
        form.fail(problems)
    else:
        form.send(command, document_id, day, amount, form.value("reference") or "")


def _set_off(document_id: int, against_id: int | None = None) -> None:
    form = Form(f"document-off-{document_id}")
    finish(form, take_back_entered)
    with runtime.reading() as work:
        entry = document(work, document_id).entry
        listed = {each.id: each for each in theirs(work, document_id, Left.OPEN)}
    over = plain(words(entry.over, entry.currency))
    st.markdown(f"**{plain(entry.label)}** · {plain(entry.whom)} · {over} to set off")
    if not listed:
        st.info("Nothing of theirs is open. What comes next can be set off as soon as it stands here; until then it"
                " can be given back.", icon=":material/hourglass_empty:")
        return
    enough = set_against([(document_id, entry.over)], [(each.id, each.open) for each in listed.values()])
    form.preset("against", [against_id] if against_id in listed else [to_id for _, to_id, _ in enough])
    st.multiselect("Against", list(listed), key=form.field("against"), placeholder="Choose what is open",
                   format_func=lambda id_: _open_words(listed[id_]), help="In this order, as far as it goes.")
    form.problem("against")
    chosen = [listed[id_] for id_ in form.value("against") or () if id_ in listed]
    amount = min(entry.over, sum(each.open for each in chosen))
    if chosen and amount < entry.over:
        st.caption(f"{plain(words(entry.over - amount, entry.currency))} of it stays for later.")
    form.show_refusal()
    st.button(f"Set off {plain(words(amount, entry.currency))}" if chosen else "Set off", type="primary",
              key=form.field("save"), on_click=_send_set_off, args=(form, document_id, amount))


def _open_words(each: Entry) -> str:
    return f"{each.label}, {words(each.open, each.currency)} open, due {day_words(each.due_on)}"


def _send_set_off(form: Form, document_id: int, amount: int) -> None:
    form.send(set_off, document_id, form.value("against") or [], amount)


def _credit(document_id: int) -> None:
    form = Form(f"document-credit-{document_id}")
    finish(form)
    entry = _known(document_id).entry
    st.markdown(f"A credit note takes back **{plain(entry.label)}** of {plain(entry.whom)} over"
                f" **{plain(words(entry.gross, entry.currency))}**. Both stay in the list. What is owed by what is"
                " recorded goes onto the next invoice.")
    st.text_area("Why", key=form.field("reason"), max_chars=500, placeholder="It stands on the credit note.")
    form.problem("reason")
    form.show_refusal()
    st.button("Credit the invoice", type="primary", key=form.field("save"), on_click=_send_credit,
              args=(form, document_id))


def _send_credit(form: Form, document_id: int) -> None:
    form.send(credit_invoice, document_id, form.value("reason") or "")

"""The legal header on screen: what stands on top of a programme's invoices and payout statements."""

from typing import Any

import streamlit as st

from core.billing.commands import set_biller
from core.billing.money import tax_typed, tax_words
from core.billing.queries import biller
from core.programmes.queries import ProgrammeView
from ui import feedback, runtime, stale
from ui.format import plain
from ui.forms import Form

_TEXTS = ("name", "address", "tax_number", "bank", "prefix")
_WIDE = 480


def show(programme: ProgrammeView, edits: bool) -> None:
    """The header: a form for those who may change it, else what it says."""
    with runtime.reading() as work:
        known = biller(work, programme.id)
        version = known.version if known else 0
        said: dict[str, Any] = {name: (getattr(known, name) or "") if known else "" for name in _TEXTS}
        said |= {"tax_rate": tax_words(known.tax_rate if known else 0), "terms_days": known.terms_days if known else 14}
    st.caption("It stands on top of every invoice and payout statement from now on; what was handed out stays as it"
               " was.")
    if edits:
        _form(programme, said, version)
    elif known is None:
        st.info("Nothing is set yet.", icon=":material/receipt_long:")
    else:
        _read(said)


def _read(said: dict[str, Any]) -> None:
    days = "due at once" if not said["terms_days"] else f"due after {said['terms_days']} days"
    for line in (*said["name"].splitlines(), *said["address"].splitlines(), said["tax_number"],
                 *said["bank"].splitlines(), f"Tax {said['tax_rate']}, {days}, numbers begin with {said['prefix']}"
                 if said["prefix"] else f"Tax {said['tax_rate']}, {days}"):
        if line:
            st.markdown(plain(line))


def _form(programme: ProgrammeView, said: dict[str, Any], version: int) -> None:
    form = Form(f"biller-{programme.id}")
    if saved := form.done():
        feedback.tell(saved)
        st.rerun()
    form.begun_from(version)
    for name, value in said.items():
        form.preset(name, value)
    stale.both(form, {"name": form.value("name") or ""}, mine_over_it=lambda: _send(form, programme.id),
               take_theirs=form.clear)
    st.text_input("Name", key=form.field("name"), autocomplete="off", width=_WIDE, persist_state="session")
    form.problem("name")
    st.text_area("Address", key=form.field("address"), width=_WIDE, height=100, persist_state="session")
    form.problem("address")
    st.text_input("Tax number", key=form.field("tax_number"), autocomplete="off", width=_WIDE, persist_state="session")
    form.problem("tax_number")
    st.text_area("Bank details", key=form.field("bank"), width=_WIDE, height=100, persist_state="session")
    form.problem("bank")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Tax rate", key=form.field("tax_rate"), autocomplete="off", width=130, persist_state="session")
        st.number_input("Due after, in days", key=form.field("terms_days"), step=1, width=158, persist_state="session")
        st.text_input("Numbers begin with", key=form.field("prefix"), autocomplete="off", width=158,
                      persist_state="session", placeholder="Such as LT-")
    form.problem("tax_rate", "terms_days", "prefix")
    if form.stale is None:
        form.show_refusal()
    with st.container(horizontal=True):
        st.button("Save", type="primary", key=form.field("save"), on_click=_send, args=(form, programme.id))
        if form.touched:
            st.button("Discard", key=form.field("discard"), on_click=form.clear)


def _send(form: Form, programme_id: int) -> None:
    try:
        rate = tax_typed(form.value("tax_rate") or "0")
    except ValueError as problem:
        form.fail({"tax_rate": str(problem)})
        return
    said = {name: form.value(name) or "" for name in _TEXTS}
    form.send(set_biller, programme_id, {**said, "tax_rate": rate, "terms_days": form.value("terms_days")},
              form.state["version"])

"""The forms for a programme's name, zone and currency, and for a new programme."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.fields import CURRENCIES
from core.programmes.commands import bring_back_programme, create_programme, edit_programme, retire_programme
from core.programmes.queries import ProgrammeView
from core.programmes.rules import EFFECTS, PRESETS
from core.words import Kind
from ui import feedback, fields, panel, policy_form, stale
from ui.format import capital, plain
from ui.forms import Form

_TOLD_OF_KIND = ("who_books", "required", "usual_minutes", "report_required")
_EXPLAINED = {
    Kind.PEER_ADVICE: "Clients contact a peer from their profile, and get a report.",
    Kind.EVENT_MENTORING: "Mentors meet teams with an idea; staff place everybody.",
    Kind.APPRENTICESHIP: "Assessors see learners through their courses, with typed sessions.",
    Kind.COACHING: "Coaches and members meet regularly, often by video.",
    Kind.TUTORING: "Tutors teach students, whose guardians read along.",
}


def name_of(programme: ProgrammeView) -> str:
    """The name, as text and never as Markdown."""
    return plain(programme.name)


def edit(programme: ProgrammeView) -> None:
    """Name, time zone, currency; and closing it."""
    form = policy_form.opened("programme", programme)
    form.preset("name", programme.name)
    form.preset("zone", programme.zone_name)
    form.preset("currency", programme.currency)
    said = _said(form)
    stale.both(form, {"name": said["name"], "time zone": said["zone"], "currency": said["currency"]},
               mine_over_it=lambda: _send_edit(form, programme.id), take_theirs=form.clear)
    _fields(form)
    if form.stale is None:
        form.show_refusal()
    st.caption("Time zone and currency stay as they are once there are sessions.")
    with st.container(horizontal=True):
        st.button("Save", type="primary", key=form.field("save"), on_click=_send_edit, args=(form, programme.id))
        if form.touched:
            st.button("Discard", key=form.field("discard"), on_click=form.clear)
    st.divider()
    if programme.retired:
        st.markdown("This programme is retired. It can be looked at, and nothing new is booked in it.")
        st.button("Bring it back", icon=":material/unarchive:", key="programme-back", on_click=feedback.act,
                  args=(bring_back_programme, programme.id))
    else:
        st.markdown("A programme that has ended is retired: it can still be looked at. Nothing is deleted.")
        st.button("Retire this programme", icon=":material/archive:", key="programme-retire", on_click=panel.open_,
                  args=("programme-retire", programme.id))


def new(programme: ProgrammeView) -> None:
    """A new programme; whoever makes it becomes its master admin."""
    form = Form("programme-new")
    if saved := form.done():
        feedback.tell(saved)
        st.session_state["switch"] = form.state["made"]
        st.rerun()
    form.begun_from(programme.id)  # whose zone and currency it starts with
    form.preset("kind", next(iter(Kind)))
    form.preset("zone", programme.zone_name)
    form.preset("currency", programme.currency)
    st.text_input("Name", key=form.field("name"), persist_state="session", autocomplete="off", width=480)
    form.problem("name")
    st.radio("Kind", list(Kind), key=form.field("kind"), persist_state="session", format_func=capital,
             captions=[_EXPLAINED[kind] for kind in Kind])
    form.problem("kind")
    preset = PRESETS[form.value("kind") or next(iter(Kind))]
    with st.container(border=True):
        st.markdown(f"**It starts out like this**, and every part can be changed in its settings: it calls"
                    f" people {preset.words.many('practitioner')} and {preset.words.many('learner')}.")
        st.markdown("\n".join(f"- {EFFECTS[name](preset)}" for name in _TOLD_OF_KIND))
    fields.zone("Time zone", form.field("zone"), width=480)
    form.problem("zone")
    _currency(form)
    form.show_refusal()
    st.button("Make the programme", type="primary", key=form.field("save"), on_click=_send_new)


def panels(programme: ProgrammeView) -> None:
    """Whatever is open over these forms."""
    panel.show("programme-retire", "Retire this programme", _retire)


def _fields(form: Form) -> None:
    st.text_input("Name", key=form.field("name"), persist_state="session", autocomplete="off", width=480)
    form.problem("name")
    fields.zone("Time zone", form.field("zone"), width=480)
    form.problem("zone")
    _currency(form)


def _currency(form: Form) -> None:
    st.selectbox("Currency", sorted(CURRENCIES), index=None, key=form.field("currency"), width=200,
                 persist_state="session")
    form.problem("currency")


def _said(form: Form) -> dict[str, Any]:
    return {name: form.value(name) or "" for name in ("name", "zone", "currency")}


def _send_edit(form: Form, programme_id: int) -> None:
    form.send(edit_programme, programme_id, _said(form), form.state["version"])


def _send_new() -> None:
    form = Form("programme-new")
    said = _said(form)
    form.state["made"] = str(said["name"]).strip()
    form.send(create_programme, said["name"], form.value("kind"), said["zone"], said["currency"])


def _retire(programme_id: int) -> None:
    form = Form(f"programme-retire-{programme_id}")
    panel.finish(form)
    st.markdown("Nothing new is booked in it from then on, and everybody keeps seeing what they see now. It can be"
                " brought back at any time.")
    form.show_refusal()
    send: Callable[[], None] = lambda: form.send(retire_programme, programme_id)  # noqa: E731
    st.button("Retire", type="primary", key=form.field("save"), on_click=send)

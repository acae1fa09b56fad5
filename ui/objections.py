"""*Something wrong?* of a learner's side, and the answers of staff."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.commands import answer_dispute, dispute_outcome
from core.attending.queries import Objection, afterwards
from core.permissions import Action
from ui.format import ago, plain
from ui.forms import Form
from ui.session_panel import About


def object_(about: About) -> None:
    """The form in which a learner or a guardian says what is wrong."""
    form, may_object = about.form, afterwards(about.work, about.id).may_object
    if not may_object:
        st.caption("There is nothing to object to, or you have objected already.")
        return
    if len(may_object) > 1:
        st.segmented_control("About whom?", list(may_object), key=form.field("who"), wrap=True,
                             format_func=lambda id_: may_object.get(id_, ""))
        form.problem("who")
    st.caption("Staff and whoever led it read what you write. You are told here when it is answered.")
    st.text_area("What is wrong?", key=form.field("claim"), on_change="ignore", height=110)
    form.problem("claim")

    def send() -> None:
        now = Form(form.name)
        whom = next(iter(may_object)) if len(may_object) == 1 else now.value("who")
        if whom is None:
            now.fail({"who": "Choose whom it is about."})
        else:
            now.send(dispute_outcome, about.id, whom, now.value("claim") or "")

    st.button("Send", type="primary", key=form.field("send"), on_click=send)


def answer(about: About) -> None:
    """The form in which staff answer the oldest objection to a session that is open."""
    form = about.form
    waiting = [one for one in afterwards(about.work, about.id).objections if not one.answer]
    if Action.DISPUTE_ANSWER not in about.sheet.may or not waiting:
        st.caption("No objection waits for an answer.")
        return
    one = waiting[0]
    st.markdown(f"**{plain(one.by)}**, about {plain(one.learner)}: {plain(one.claim)}")
    st.caption("Where it is right, reopen the session and record it anew; answer all the same.")
    st.text_area("Answer", key=form.field("answer"), on_change="ignore", height=110)
    form.problem("answer")

    def send() -> None:
        now = Form(form.name)
        now.send(answer_dispute, one.id, now.value("answer") or "")

    st.button("Answer", type="primary", key=form.field("send"), on_click=send)


def listed(objections: Sequence[Objection], zone: ZoneInfo, now: datetime) -> None:
    """Each with its answer, where there is one."""
    for one in objections:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f":material/feedback: **{plain(one.by)}**, about {plain(one.learner)} ·"
                        f" :gray[{ago(one.at, now, zone)}]")
            st.markdown(plain(one.claim))
            st.markdown(f"**Answer:** {plain(one.answer)}" if one.answer else ":orange[Waits for an answer.]")


__all__ = ["answer", "listed", "object_"]

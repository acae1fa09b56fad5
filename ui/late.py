"""Whose wish a change inside the notice is, and whether it is charged (E8): asked wherever sessions lose their time."""

import streamlit as st

from core.programmes.rules import Words
from core.sessions.ending import LateChange
from core.words import Wish
from ui.format import capital
from ui.forms import Form


def ask(form: Form, words: Words, *, several: bool = False) -> bool | None:
    """Draw the questions. Returns whether it is charged, as far as that was answered."""
    called = {Wish.LEARNER: f"the {words.learner}'s", Wish.PRACTITIONER: f"the {words.practitioner}'s or ours"}
    which = f"Some of these {words.many('session')} are under 24 hours ahead, or have begun." if several else (
        "This is under 24 hours ahead, or has begun.")
    with st.container(border=True, gap="small"):
        st.markdown(f":orange[:material/schedule: {which}]")
        wish = st.segmented_control("Whose wish is it?", list(called), key=form.field("wish"), wrap=True,
                                    format_func=lambda each: capital(called[each]) if each in called else "")
        form.problem("wish")
        if wish != Wish.LEARNER:
            return None
        ways = {True: "Charge it", False: "Waive it"}
        charged = st.segmented_control("Is it charged as cancelled late?", list(ways), key=form.field("charged"),
                                       format_func=lambda each: ways.get(each, ""))
        form.problem("charged")
        st.text_input("Why", key=form.field("late_reason"), on_change="ignore", autocomplete="off",
                      placeholder="Rang at nine: ill")
        form.problem("late_reason")
        return charged


def missing(form: Form) -> dict[str, str]:
    """What is not answered yet."""
    if form.value("wish") is None:
        return {"wish": "Say whose wish it is."}
    if form.value("wish") == Wish.LEARNER and form.value("charged") is None:
        return {"charged": "Say whether it is charged."}
    return {}


def answered(form: Form) -> LateChange | None:
    """What was answered, once it was."""
    if missing(form):
        return None
    if form.value("wish") != Wish.LEARNER:
        return LateChange(Wish.PRACTITIONER, False, "")
    return LateChange(Wish.LEARNER, form.value("charged"), form.value("late_reason") or "")

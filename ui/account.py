"""The parts of *My account*."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from core.access.queries import Browser
from core.access.rules import ADVICE
from core.errors import Invalid, Refusal
from core.people.commands import OWN_FIELDS, edit_own_profile
from core.people.queries import Profile
from ui import feedback, fields, navigation, runtime, stale
from ui.format import ago, plain
from ui.forms import Form

_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux"))
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
"""What a browser says of itself, most telling word first, and what people call it."""


def own_profile(me: Profile) -> None:
    """What others read of one, to be changed by oneself."""
    form = Form("account")
    if saved := form.done():
        feedback.tell(saved)
        st.rerun()
    form.begun_from(me.version)
    for name in OWN_FIELDS:
        form.preset(name, getattr(me, name) or (None if name == "zone" else ""))
    st.title("My account")
    with st.container(width=640):
        stale.both(form, _typed(form), mine_over_it=lambda: _send(form), take_theirs=form.clear)
        st.text_input("Name", key=form.field("name"), persist_state="session", autocomplete="name")
        form.problem("name")
        st.text_input("E-mail", me.email, disabled=True, help="You sign in with it. An admin can change it.",
                      key="account-email")
        st.text_input("Phone", key=form.field("phone"), persist_state="session", autocomplete="tel")
        form.problem("phone")
        fields.zone("Show times in", form.field("zone"), "Each programme's own time zone")
        form.problem("zone")
        st.text_area("About you", key=form.field("about"), persist_state="session", height=110,
                     help="Those who may see your profile read it; line managers do not.")
        form.problem("about")
        if form.stale is None:
            form.show_refusal()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Save", type="primary", key=form.field("save"), on_click=_send, args=(form,))
            if form.touched:
                st.button("Discard", key=form.field("discard"), on_click=form.clear)
            st.page_link(navigation.BY_NAME["person"].page(), query_params={"person": str(me.id)},
                         label="See your profile as it stands", icon=":material/person:")


def _typed(form: Form) -> dict[str, Any]:
    return {name: form.value(name) or "" for name in OWN_FIELDS}


def _send(form: Form) -> None:
    changes: dict[str, Any] = {name: value or None for name, value in _typed(form).items()}
    form.send(edit_own_profile, {**changes, "name": changes["name"] or ""}, form.state["version"])


def password() -> None:
    """Choosing a new password by the old one."""
    form = Form("password")
    st.header("Password")
    with st.form(form.field("form"), border=False, width=640):
        st.text_input("Password now", type="password", key=form.field("old"), autocomplete="current-password")
        form.problem("old")
        st.text_input("New password", type="password", key=form.field("new"), autocomplete="new-password")
        form.problem("new")
        st.caption(ADVICE)
        st.form_submit_button("Change password", on_click=_change_password, args=(form,))
    form.show_refusal()


def _change_password(form: Form) -> None:
    form.fail({})
    try:
        saved = runtime.change_password(form.value("old") or "", form.value("new") or "")
    except Invalid as refusal:
        form.fail(refusal.problems)
    except Refusal as refusal:
        form.state["refusal"] = refusal
    else:
        form.clear()
        feedback.note(saved.said)


def signed_in(browsers: Sequence[Browser], now: datetime) -> None:
    """Where one is signed in, and the way out of all of it."""
    st.header("Where you are signed in")
    zone = runtime.zone()
    for browser in browsers:
        here = " · :green-badge[this browser]" if runtime.is_this_browser(browser.sign_in_id) else ""
        st.markdown(f":material/devices: {plain(browser_words(browser.agent))} · since"
                    f" {plain(ago(browser.since, now, zone))}{here}")
    st.caption("Something here is not yours? Change your password: it signs you out everywhere else.")
    if st.button("Sign out everywhere", icon=":material/logout:", key="out-everywhere"):
        runtime.sign_out(everywhere=True)


def browser_words(agent: str) -> str:
    """'Firefox on Windows', as far as it can be told."""
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    browser = next((name for sign, name in _BROWSERS if sign in agent), "A browser")
    return f"{browser} on {system}" if system else browser

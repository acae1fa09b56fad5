"""The sessions that a change of hours leaves outside, shown before it is saved (B13)."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.availability.affected import Change, affected
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.sessions.queries import Row, rows_of
from ui import runtime
from ui.format import plain, when, who
from ui.forms import Form

MOST = 20
"""Sessions listed one by one."""


def ask(form: Form, change: Change, save: Callable[[], None]) -> None:
    """Save at once what affects nothing; what affects sessions is shown first. For a button's `on_click`."""
    form.state.pop("problems", None)
    with runtime.reading() as work:
        if affected(work, change):
            form.state["asked"] = change
        else:
            save()


def finish(form: Form, change: Change | None, save: Callable[[bool], None]) -> None:
    """The button that saves; once it has asked, what lies outside and *Save anyway*. Another change asks again.

    `change` is what the form says now, None where that is nothing; `save` is told whether one is sure.
    """
    if change is not None and form.state.get("asked") == change:
        _show(form, change, partial(save, True))
    else:
        st.button("Save", type="primary", key=form.field("save"), on_click=save, args=(False,))


def _show(form: Form, change: Change, save: Callable[[], None]) -> None:
    """Which sessions they are, why, and the choice."""
    with runtime.reading() as work:
        found = affected(work, change)
        rows = {row.id: row for row in rows_of(work, [one.session_id for one in found[:MOST]])}
        programme = programme_of(work, change.programme_id)
    zone, words = runtime.zone(programme.zone_name), programme.policy.words
    with st.container(border=True, key=form.field("affected"), gap="small"):
        st.markdown(f"**{_count(len(found), words)}**")
        st.caption("Whoever takes part is not told. Move or cancel what cannot stay; each opens in a tab of its own.")
        for one in found[:MOST]:
            title = when(one.starts_at, one.ends_at, zone)
            st.markdown(f"[{plain(title)}](worksheet?session={one.session_id}){_about(rows.get(one.session_id))}  \n"
                        f":small[{plain(one.why)}]")
        if len(found) > MOST:
            st.caption(f"And {len(found) - MOST:,} more, later than these.")
        with st.container(horizontal=True):
            st.button("Save anyway", type="primary", key=form.field("anyway"), on_click=save)
            st.button("Back", key=form.field("back"), on_click=form.state.pop, args=("asked", None))


def _count(count: int, words: Words) -> str:
    if count == 1:
        return f"1 {words.session} ahead will lie outside these hours. It stays booked."
    return f"{count:,} {words.many('session')} ahead will lie outside these hours. They stay booked."


def _about(row: Row | None) -> str:
    """Who and what, as far as the viewer sees them."""
    if row is None:
        return ""
    said = [" with ".join(filter(None, (row.practitioner, who(row)))), ", ".join(row.courses), row.room or row.location]
    return "".join(f" · {plain(each)}" for each in said if each)

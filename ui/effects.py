"""The sessions that a change of hours, limits or policy leaves outside, shown before it is saved (B12, B13)."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import streamlit as st

from core.availability.affected import Change, affected
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.sessions.queries import Row, rows_of
from core.work import Work
from ui import runtime
from ui.format import plain, when, who
from ui.forms import Form

MOST = 20
"""Sessions listed one by one."""


T = TypeVar("T")
Problems = dict[str, str]


def finish(
    form: Form, read: Callable[[Form], T | Problems], change: Callable[[T], Change | None],
    send: Callable[[Form, T], None],
) -> None:
    """The button that saves what the form says; what affects sessions is shown first, with *Save anyway*.

    `read` takes it from the fields, or says what is wrong with them; `change` is what it means for sessions ahead
    (None: it is refused anyway), and `send` saves it. Whatever is changed after asking is asked about again.
    """
    def save(sure: bool) -> None:
        now = Form(form.name)
        wanted = read(now)
        if isinstance(wanted, dict):
            now.fail(wanted)
        elif sure or (meant := change(wanted)) is None:
            send(now, wanted)
        else:
            _ask(now, meant, partial(send, now, wanted))

    wanted = read(form)
    asked = None if isinstance(wanted, dict) else change(wanted)
    if asked is not None and form.state.get("asked") == asked:
        _show(form, asked, partial(save, True))
    else:
        st.button("Save", type="primary", key=form.field("save"), on_click=save, args=(False,))


def _ask(form: Form, change: Change, save: Callable[[], None]) -> None:
    """Save at once what affects nothing; what affects sessions is shown first."""
    form.state.pop("problems", None)
    with runtime.reading() as work:
        outside = affected(work, change)
    if outside:
        form.state["asked"] = change
    else:
        save()


def _show(form: Form, change: Change, save: Callable[[], None]) -> None:
    """Which sessions they are, why, and the choice."""
    with st.container(border=True, key=form.field("affected"), gap="small"):
        with runtime.reading() as work:
            listed(work, change)
        with st.container(horizontal=True):
            st.button("Save anyway", type="primary", key=form.field("anyway"), on_click=save)
            st.button("Back", key=form.field("back"), on_click=form.state.pop, args=("asked", None))


def listed(work: Work, change: Change) -> None:
    """The sessions that a change leaves outside, each with a link and why; nothing where there are none."""
    with st.spinner("Looking at what is ahead…"):  # a second or two where thousands are
        found = affected(work, change)
    if not found:
        return
    rows = {row.id: row for row in rows_of(work, [one.session_id for one in found[:MOST]])}
    programme = programme_of(work, change.programme_id)
    zone, words = runtime.zone(programme.zone_name), programme.policy.words
    st.markdown(f"**{_count(len(found), words, change)}**")
    st.caption("Whoever takes part is not told. Move or cancel what cannot stay; each opens in a tab of its own.")
    for one in found[:MOST]:
        title = when(one.starts_at, one.ends_at, zone)
        st.markdown(f"[{plain(title)}](worksheet?session={one.session_id}){_about(rows.get(one.session_id))}  \n"
                    f":small[{plain(one.why)}]")
    if len(found) > MOST:
        st.caption(f"And {len(found) - MOST:,} more, later than these.")


def _count(count: int, words: Words, change: Change) -> str:
    what = "these hours" if change.policy is None and change.limits is None else "these rules"
    if count == 1:
        return f"1 {words.session} ahead will lie outside {what}. It stays booked."
    return f"{count:,} {words.many('session')} ahead will lie outside {what}. They stay booked."


def _about(row: Row | None) -> str:
    """Who and what, as far as the viewer sees them."""
    if row is None:
        return ""
    said = [" with ".join(filter(None, (row.practitioner, who(row)))), ", ".join(row.courses), row.room or row.location]
    return "".join(f" · {plain(each)}" for each in said if each)

"""What happened, in a line with *Undo*, and refusals as sentences (never a traceback)."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from core.errors import Refusal
from core.history.commands import undo
from core.work import Saved
from ui import here, navigation, runtime
from ui.format import plain

_SAID = "feedback:said"
_WHERE, _MOVES, _PERSON, _BACK = "feedback:where", "feedback:moves", "feedback:person", "feedback:back"
_SHOWN = "feedback:shown"
"""Names the line shown now, so that a double click on its *Undo* is one act, and a later one is not taken for it."""


def tell(saved: Saved, *, person_id: int | None = None, back: Callable[..., Any] | None = None) -> None:
    """Remember what an act did, to be shown on top of the next screen with *Undo*, and the way to a profile.

    `back` takes an act's id and puts right what is never undone, such as payments, by another entry.
    """
    _say(saved.said, saved.act_id)
    st.session_state[_PERSON] = person_id
    st.session_state[_BACK] = back
    st.session_state[_SHOWN] = secrets.token_urlsafe(9)


def note(sentence: str) -> None:
    """As `tell`, for something that cannot be undone."""
    _say(sentence)


def refuse(refusal: Refusal) -> None:
    """Remember why an act was refused, to be shown where what happened is shown."""
    _say(refusal.sentence, refused=True)


def _say(sentence: str, act_id: int | None = None, *, refused: bool = False) -> None:
    _close()
    st.session_state[_SAID] = (sentence, act_id, refused)


def moved() -> None:
    """The viewer has come to another screen: the line goes along once, and no further."""
    st.session_state[_MOVES] = st.session_state.get(_MOVES, 0) + 1
    if st.session_state[_MOVES] > 1:
        _close()


def act(command: Callable[..., Any], *args: Any, final: bool = False, **kw: Any) -> None:
    """One click, one act: for a button's `on_click`. With `final`, no *Undo* is offered."""
    try:
        saved = runtime.commit(command, *args, **kw)
    except Refusal as refusal:
        refuse(refusal)
    else:
        if final:
            note(saved.said)
        else:
            tell(saved)


def show() -> None:
    """The line on top of a screen: what happened last, with *Undo* and a way to put it away, in its programme."""
    if _SAID in st.session_state and st.session_state.setdefault(_WHERE, here.current()) != here.current():
        _close()
    if _SAID not in st.session_state:
        return
    said, act_id, refused = st.session_state[_SAID]
    with st.container(horizontal=True, vertical_alignment="center", key="feedback"):
        if refused:
            st.error(plain(said), icon=":material/block:")
        else:
            st.success(plain(said), icon=":material/check_circle:")
        if act_id is not None:
            back = st.session_state.get(_BACK)
            st.button("Undo", icon=":material/undo:", key="feedback-undo",
                      on_click=undo_act, args=(act_id, st.session_state[_SHOWN], back))
        if person_id := st.session_state.get(_PERSON):
            st.page_link(navigation.BY_NAME["person"].page(), query_params={"person": str(person_id)},
                         label="Open profile", icon=":material/person:")
        st.button("Close", icon=":material/close:", type="tertiary", key="feedback-close", on_click=_close)


def _close() -> None:
    for kept in (_SAID, _WHERE, _MOVES, _PERSON, _BACK):
        st.session_state.pop(kept, None)


def undo_act(act_id: int, shown: str, back: Callable[..., Any] | None = None) -> None:
    """Undo an act and tell what came of it; for a button's `on_click`. `shown` names the line that it stands in."""
    key = f"undo-{act_id}-{shown}"
    try:
        saved = runtime.commit(undo, act_id, undoes=act_id, key=key) if back is None else (
            runtime.commit(back, act_id, key=key))
    except Refusal as refusal:
        refuse(refusal)
    else:
        note(saved.said)


@contextmanager
def refusals() -> Iterator[None]:
    """Show a refusal as its sentence, and go on with the rest of the screen."""
    try:
        yield
    except Refusal as refusal:
        st.error(plain(refusal.sentence), icon=":material/block:")

"""A form that somebody else overtook: both versions side by side, and the choice between them."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ui.format import plain
from ui.forms import Form


def both(
    form: Form, mine: Mapping[str, str], *, mine_over_it: Callable[[], Any], take_theirs: Callable[[], Any]
) -> None:
    """Show where both versions differ, once the form was overtaken. Nothing typed is lost until one is chosen."""
    refusal = form.stale
    if refusal is None:
        return
    with st.container(border=True, key=form.field("stale")):
        st.warning(plain(refusal.sentence), icon=":material/sync_problem:")
        said = {name: (yours, str(theirs)) for name, theirs in refusal.theirs.items()
                if (yours := str(mine.get(name, ""))) != str(theirs)}
        if not said:
            st.caption("Both say the same; only the version has moved on.")
        else:
            _table(said)
        with st.container(horizontal=True):
            st.button("Save mine over it", key=form.field("mine"), on_click=_mine, args=(form, mine_over_it))
            st.button("Take theirs", key=form.field("theirs"), on_click=take_theirs)


def _table(said: Mapping[str, tuple[str, str]]) -> None:
    st.table(
        {
            "": [name.replace("_", " ").capitalize() for name in said],
            "What you typed": [plain(yours) or "nothing" for yours, _ in said.values()],
            "What is there now": [plain(theirs) or "nothing" for _, theirs in said.values()],
        },
        border="horizontal", hide_index=True, alt="Both versions, field by field",
    )


def _mine(form: Form, again: Callable[[], Any]) -> None:
    if form.stale is not None:
        form.state["version"] = form.stale.version
    again()

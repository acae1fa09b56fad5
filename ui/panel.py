"""Side panels: short forms over a screen, one at a time, that stay open until they are done or put away.

Neither Escape nor a click beside them puts them away, so that nothing typed is lost by a slip.
"""

import secrets
from collections.abc import Callable, Sequence

import streamlit as st

from ui import feedback
from ui.forms import Form

_OPEN, _PLACE, _KEY, _CAME = "panel:open", "panel:place", "panel:key", "panel:came"


def open_(name: str, *about: int | str) -> None:
    """Open a panel, with what it is about; for a button's `on_click`. Its forms, named after it, are new ones."""
    for known in [str(key) for key in st.session_state if str(key).startswith(f"form:{name}")]:
        Form(known.removeprefix("form:")).clear()
    st.session_state[_OPEN] = (name, about)
    st.session_state[_KEY] = secrets.token_urlsafe(12)


def key() -> str:
    """One opening of the panel, one act."""
    return str(st.session_state[_KEY])


def close() -> None:
    """Put the panel away. What was typed in it is forgotten with its widgets."""
    st.session_state.pop(_OPEN, None)


def is_open(name: str) -> bool:
    """Whether this is the panel that is open."""
    return bool(st.session_state.get(_OPEN, ("", ()))[0] == name)


def show(name: str, title: str, body: Callable[..., None]) -> None:
    """Draw this panel, if it is the one that is open."""
    opened, about = st.session_state.get(_OPEN, ("", ()))
    if opened == name:
        st.dialog(title, position="right", width="medium", dismissible=False)(_closable(body))(*about)


def _closable(body: Callable[..., None]) -> Callable[..., None]:
    def drawn(*about: int | str) -> None:
        body(*about)
        if st.button("Close", icon=":material/close:", type="tertiary", key="panel-close"):
            close()
            st.rerun()

    return drawn


def lines(said: Sequence[str], name: str = "all") -> None:
    """What changes, a line each; one that takes two stays apart from the next."""
    with st.container(key=f"lines-{name}"):
        st.markdown("\n\n".join(said))


def finish(form: Form) -> None:
    """Close the panel once its form was saved, and say what happened."""
    if saved := form.done():
        feedback.tell(saved)
        close()
        st.rerun()


def moved_to(place: str) -> bool:
    """Whether this is another place than the last run's."""
    st.session_state[_CAME] = st.session_state.get(_PLACE) != place
    st.session_state[_PLACE] = place
    return just_came()


def just_came() -> bool:
    """Whether the viewer was somewhere else until now."""
    return bool(st.session_state.get(_CAME))

"""The programme in which the viewer works: chosen in the sidebar, kept in the address."""

import streamlit as st

from core.errors import NotFound
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, my_programmes
from core.work import Work

_KEY = "programme"


def choose(work: Work) -> ProgrammeView | None:
    """The sidebar's switch between programmes; nothing to switch where there is only one."""
    listed = my_programmes(work)
    if not listed:
        return None
    by_name = {programme.name: programme for programme in listed}
    if len(listed) == 1:
        st.session_state.pop(_KEY, None)
        st.sidebar.caption(listed[0].name)
        chosen = listed[0]
    else:
        name = st.sidebar.selectbox("Programme", list(by_name), key=_KEY, bind="query-params")
        chosen = by_name.get(name, listed[0])
    st.session_state["here"] = chosen.id
    return chosen


def current() -> int | None:
    """The programme chosen, without asking whether it still is there."""
    chosen: int | None = st.session_state.get("here")
    return chosen


def listed(work: Work) -> list[ProgrammeView]:
    """Every programme that the viewer may work in."""
    return my_programmes(work)


def programme(work: Work) -> ProgrammeView:
    """The programme that the viewer works in. Raises NotFound for somebody who is in none."""
    for view in my_programmes(work):
        if view.id == st.session_state.get("here"):
            return view
    raise NotFound("You are not in any programme yet. A programme admin can add you.")


def switch_to(work: Work, programme_id: int) -> None:
    """Work in another programme from the next run on; used where a link leads into it."""
    for view in my_programmes(work):
        if view.id == programme_id and st.session_state.get("here") != programme_id:
            st.session_state["switch"] = view.name
            st.rerun()


def apply_switch() -> None:
    """Carry out `switch_to` before the sidebar's switch is drawn."""
    if "switch" in st.session_state:
        st.session_state[_KEY] = st.session_state.pop("switch")


def can(work: Work, action: Action) -> bool:
    """Whether the viewer may do this in the programme at large."""
    return may(work, action, programme(work).id)

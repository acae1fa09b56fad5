"""Quick search in the sidebar: people, session numbers, teams, courses that the viewer may see."""

from itertools import groupby

import streamlit as st

from core.programmes.queries import ProgrammeView
from core.quick import Found, Hit, quick_search
from ui import navigation, runtime
from ui.format import capital, plain

_KEY = "quick-search"
_ICONS = {
    Found.PERSON: ":material/person:", Found.SESSION: ":material/description:", Found.TEAM: ":material/groups:",
    Found.COURSE: ":material/school:",
}
_LEADS_TO = {
    Found.PERSON: ("person", "person", True), Found.SESSION: ("worksheet", "session", True),
    Found.TEAM: ("sessions", "team", False), Found.COURSE: ("sessions", "course", False),
}
"""Screen, what its address calls the thing, and whether it stands there by its id or by its name."""


def search(programme: ProgrammeView) -> None:
    """The search field and what it found, each leading to its screen."""
    with st.sidebar:
        _search(programme)


def forget() -> None:
    """An empty field, for when a hit has been followed. Before the field is drawn."""
    st.session_state[_KEY] = ""


@st.fragment
def _search(programme: ProgrammeView) -> None:
    words = programme.policy.words
    said = st.text_input(
        "Quick search", key=_KEY, type="search", live="300ms", icon=":material/search:", autocomplete="off",
        placeholder=f"Name, {words.session} number, {words.team}…",
    )
    if not (said or "").strip():
        return
    with runtime.reading() as work:
        hits = quick_search(work, programme.id, said or "")
    if not hits:
        st.caption("Nothing found. Try the beginning of a name, or a number.")
    titles = {
        Found.PERSON: "People", Found.SESSION: capital(words.many("session")), Found.TEAM: capital(words.many("team")),
        Found.COURSE: capital(words.many("course")),
    }
    for kind, of_kind in groupby(hits, key=lambda hit: hit.kind):
        st.caption(titles[kind])
        for hit in of_kind:
            _link(hit)


def _link(hit: Hit) -> None:
    screen, name, by_id = _LEADS_TO[hit.kind]
    more = f" · {plain(hit.subtitle)}" if hit.subtitle else ""
    st.page_link(
        navigation.BY_NAME[screen].page(), query_params={name: str(hit.id) if by_id else hit.title},
        label=f"**{plain(hit.title)}**{more}", icon=_ICONS[hit.kind],
    )

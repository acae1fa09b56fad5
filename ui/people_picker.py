"""Choose a person or a team out of any number: type, then choose among at most 20 matches. Works by keyboard."""

from collections.abc import Callable, Sequence
from typing import Protocol

import streamlit as st

from core.people.queries import names, pick, pick_teams
from core.words import Role
from core.work import Work
from ui import runtime
from ui.format import plain

MOST = 20
LONGEST = 120
"""Letters of a search that count."""


class Match(Protocol):
    """Somebody, or some team; the hint tells namesakes apart."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def hint(self) -> str: ...


Find = Callable[[Work, str, int], Sequence[Match]]
"""Matches of a text, at most so many; all in order of name for no text."""


def person(
    work: Work, programme_id: int, role: Role | None, label: str, key: str, *, help: str | None = None,
    most: int = MOST, on_change: Callable[[], None] | None = None,
) -> int | None:
    """One person with that role (or any). What is chosen is kept in `st.session_state[key]`, which may be preset."""
    return choose(
        work, label, key, lambda asked, text, n: pick(asked, programme_id, role, text, n),
        lambda id_: names(work, programme_id, [id_]).get(id_), help=help, most=most, on_change=on_change,
    )


def team(
    work: Work, programme_id: int, label: str, key: str, *, help: str | None = None, most: int = MOST,
    on_change: Callable[[], None] | None = None,
) -> int | None:
    """As `person`, for one team; found by its name or idea."""
    return choose(
        work, label, key, lambda asked, text, n: pick_teams(asked, programme_id, text, n),
        lambda id_: next((one.name for one in pick_teams(work, programme_id, "", 10_000) if one.id == id_), None),
        help=help, most=most, on_change=on_change,
    )


def choose(
    work: Work, label: str, key: str, find: Find, name_of: Callable[[int], str | None], *, help: str | None = None,
    most: int = MOST, on_change: Callable[[], None] | None = None,
) -> int | None:
    """A text field that shows who is chosen; what is typed instead brings up the matches under it."""
    typed, offered, named = f"{key}:text", f"{key}:match", f"{key}:named"
    chosen: int | None = st.session_state.get(key)
    if st.session_state.get(named) != chosen or typed not in st.session_state:
        name = name_of(chosen) if chosen is not None else None
        if chosen is not None and name is None:
            chosen = st.session_state[key] = None
        if chosen is not None or st.session_state.get(named) is not None or typed not in st.session_state:
            st.session_state[typed] = name or ""
        st.session_state[named] = chosen

    def settle(match: Match | None) -> None:
        st.session_state[key] = st.session_state[named] = match.id if match else None
        if match:
            st.session_state[typed] = match.name
        if on_change:
            on_change()

    def asked() -> None:
        if typed not in st.session_state:
            return  # the form was sent, and emptied, while this was on its way
        text = str(st.session_state[typed]).strip()[:LONGEST]
        st.session_state.pop(offered, None)
        with runtime.reading() as look:
            found = find(look, text, 2) if text else []
        settle(found[0] if len(found) == 1 else None)

    st.text_input(
        label, key=typed, on_change=asked, help=help, placeholder="Type a name, then Enter", icon=":material/search:",
        autocomplete="off",
    )
    text = str(st.session_state[typed]).strip()[:LONGEST]
    if chosen is not None or not text:
        return chosen
    found = list(find(work, text, most + 1))
    by_label = dict(zip(labels(found[:most]), found[:most], strict=True))
    if not found:
        st.caption("Nobody found by that name.")
        return None

    def picked() -> None:
        settle(by_label.get(str(st.session_state.get(offered))))

    more = " of the first; type more to narrow it down" if len(found) > most else ""
    st.pills(f"Choose one{more}", list(by_label), key=offered, on_change=picked, format_func=plain)
    return None


def labels(matches: Sequence[Match]) -> list[str]:
    """Their names, with the hint where another has the same name, and numbers for those still alike."""
    names_ = [match.name for match in matches]
    hinted = [f"{match.name} ({match.hint})" if match.hint and names_.count(match.name) > 1 else match.name
              for match in matches]
    return [f"{label} – {hinted[:n + 1].count(label)}" if hinted.count(label) > 1 else label
            for n, label in enumerate(hinted)]

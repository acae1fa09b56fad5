"""The list of sessions: a table, or cards for narrow screens. A heading sorts, a time reschedules, a row opens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.sessions.address import Listing
from core.sessions.export import COLUMNS, labels, people, where
from core.sessions.order import SORTS
from core.sessions.queries import PAGE, TO_LOG, TO_PLACE, Page, Row
from core.structure.queries import Options
from core.words import Status
from core.work import Work
from ui import filters, navigation, session_panel
from ui.format import capital, names, plain, status_badge

KEY, CLICK = "sessions", "sessions:click"
_SHOWN, _TICKED, _GO = "sessions:shown", "sessions:ticked", "sessions:go"
_FLIP = "sessions:flip"
_MODES: list[Any] = ["multi-row", "single-column", "single-cell"]
SIGNS = {
    Status.CANCELLED: "✕", Status.COMPLETED: "✔", Status.HELD: "✓", Status.MISSED: "⊘", Status.UNASSIGNED: "?",
    Status.PENDING: "…", Status.LIVE: "●", Status.SUBMITTED: "✉", Status.UNSCHEDULED: "○", Status.SCHEDULED: "◷",
    TO_LOG: "✎", TO_PLACE: "+",
}
"""Table cells draw text and no icons."""
WIDTHS = {
    "status": 111, "time": 128, "practitioner": 96, "team": 152, "timetable": 98, "course": 114, "description": 142,
    "number": 50, "type": 90, "where": 110,
}
"""Pixels; together they fit a laptop, and where there is more room all are widened."""
LINE = 62
"""Pixels of a row: three lines of text. From four rem on Streamlit wraps."""
LETTER, EDGES, LINES = 6.1, 16, 3
"""Pixels of a usual letter and of a cell's edges; what takes more lines than a row has ends in dots."""
ASIDE = ("type", "where")
"""Columns that are not shown until the viewer asks for them in the table's own menu."""
OPEN, DUPLICATE, NEXT, MOVE, CANCEL, RECORD, DELETE = (
    ":material/open_in_new: Open", ":material/content_copy: Duplicate", ":material/redo: Book next",
    ":material/edit_calendar: Reschedule", ":material/event_busy: Cancel…",
    ":material/edit_note: Record outcome", ":material/delete: Delete…",
)
_PANELS = {MOVE: "reschedule", CANCEL: "cancel", RECORD: "record", DELETE: "delete"}


def asked_to_go() -> None:
    """Follow the click that the last run was made for, before anything is drawn."""
    match st.session_state.pop(_GO, None):
        case ("open", id_):
            navigation.open_session(id_)
        case ("copy" | "next" as what, id_):
            navigation.go("book", **{what: id_})


def ticked() -> list[int]:
    """Ids of the ticked rows, in the order shown."""
    kept = st.session_state.get(_TICKED, set())
    return [id_ for id_ in st.session_state.get(_SHOWN, ()) if id_ in kept]


def untick() -> None:
    """Nothing is ticked any more."""
    st.session_state[_TICKED] = set()


def when(row: Row, zone: ZoneInfo, now: datetime) -> str:
    """'Tue 3 Mar, 10:00–11:00', with the year where it is another one than now."""
    if row.starts_at is None or row.ends_at is None:
        return "no time yet"
    start, end = row.starts_at.astimezone(zone), row.ends_at.astimezone(zone)
    year = "" if start.year == now.astimezone(zone).year else f" {start.year}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %H:%M}"
    return f"{start:%a} {start.day} {start:%b}{year}, {start:%H:%M}–{until}"


def _signed(words: Sequence[str]) -> str:
    """Each label with its sign, kept together where the line breaks."""
    return " ".join(f"{SIGNS[word]} {word}".replace(" ", "\u00a0") for word in words)


@lru_cache(1 << 12)
def _fit(said: str | int, name: str) -> str | int:
    """As much of a text as its column holds; the whole stands on the worksheet."""
    wide = int((WIDTHS[name] - EDGES) / LETTER)
    if isinstance(said, int) or len(said) <= wide:
        return said
    return " ".join(wrap(said, wide, max_lines=LINES, placeholder=" …"))


def show(
    work: Work, programme: ProgrammeView, page: Page, asked: Listing, offered: Options, zone: ZoneInfo, *, ticks: bool
) -> None:
    """One page as a table; with `ticks`, rows can be ticked for quick fixes."""
    books = may(work, Action.SESSION_BOOK, programme.id)
    words = programme.policy.words
    shown = {column.name: column.heading(words) for column in COLUMNS if column.name in _columns(programme, offered)}
    if not any(Action.SESSION_DESCRIBE in row.may for row in page.rows):
        shown.pop("description")
    frame: dict[str, list[Any]] = {
        "status": [_signed(labels(row)) for row in page.rows],
        "time": [when(row, zone, work.now) for row in page.rows],
        "team": [_fit(" · ".join(part for part in (row.team or names(row.learners), row.idea) if part), "team")
                 for row in page.rows],
        **{column.name: [_fit(column.text(row), column.name) for row in page.rows] for column in COLUMNS
           if column.name in shown and column.name not in ("status", "time", "team")},
        "actions": [_short(actions(row, books)) for row in page.rows],
    }
    config: dict[str, Any] = {
        name: st.column_config.Column(heading(label, name, asked), width=WIDTHS[name]) for name, label in shown.items()
    }
    config["time"] = st.column_config.Column(
        heading("Time", "time", asked), width=WIDTHS["time"], help="Click a time to reschedule, where you may.")
    config["number"] = st.column_config.NumberColumn(
        heading("No.", "number", asked), width=WIDTHS["number"], format="%d", help="Number")
    config["actions"] = st.column_config.ButtonColumn(
        "Do", width=42, type="tertiary", key=CLICK, on_click=_acted, args=(page.rows,), help="What you can do")
    _keep_ticks([row.id for row in page.rows])
    st.dataframe(
        pd.DataFrame(frame), key=KEY, hide_index=True, height="content", row_height=LINE, column_config=config,
        column_order=[*(name for name in shown if name not in ASIDE), "actions"], placeholder="",
        on_select=lambda: _selected(page.rows, asked), selection_mode=_MODES if ticks else _MODES[1:],
        alt=f"{capital(words.many('session'))}, page {page.number}",
    )


def _columns(programme: ProgrammeView, offered: Options) -> set[str]:
    """Columns that this programme has a use for."""
    found = {column.name for column in COLUMNS} - {"idea"}  # it stands beside its team
    for name, used in (
        ("timetable", bool(offered.timetables)), ("course", bool(offered.courses)),
        ("type", len(programme.policy.types) > 1),
    ):
        if not used:
            found.discard(name)
    return found


def heading(label: str, name: str, asked: Listing) -> str:
    """The heading, with an arrow where the list is sorted by it (A8)."""
    return f"{label} {'↓' if asked.down else '↑'}" if asked.sort == name else label


def sort_by(name: str, asked: Listing) -> None:
    """Sort the whole result by a column; by the present one again, the other way round (A8)."""
    down = not asked.down if asked.sort == name else name == "time"
    filters.write(sort=name, order=None if down else "up")
    untick()


def actions(row: Row, books: bool) -> list[str]:
    """What the viewer may do with a row (A6)."""
    return [OPEN, *(label for label, offered in (
        (MOVE, Action.SESSION_RESCHEDULE in row.may), (RECORD, Action.OUTCOME_RECORD in row.may and not _recorded(row)),
        (DUPLICATE, books), (NEXT, books), (CANCEL, Action.SESSION_CANCEL in row.may),
        (DELETE, Action.SESSION_DELETE in row.may),
    ) if offered)]


def _short(labels_: list[str]) -> list[str]:
    """A single action as its icon alone; several stand behind three dots."""
    return labels_ if len(labels_) > 1 else [label.split(" ")[0] for label in labels_]


def _recorded(row: Row) -> bool:
    return row.status in (Status.HELD, Status.MISSED, Status.COMPLETED)


def act(label: str, row: Row) -> None:
    """Carry out an entry of a row's menu."""
    if label in _PANELS:
        session_panel.open_(_PANELS[label], row.id)
    elif label in (DUPLICATE, NEXT):
        st.session_state[_GO] = ("copy" if label == DUPLICATE else "next", row.id)
    else:
        st.session_state[_GO] = ("open", row.id)


def _acted(rows: Sequence[Row]) -> None:
    click: Mapping[str, Any] | None = st.session_state.get(CLICK)
    if click and click["row"] < len(rows):
        act(click["label"], rows[click["row"]])


def _selected(rows: Sequence[Row], asked: Listing) -> None:
    """A heading, a cell or ticks; `rows` are those that were on screen."""
    picked = st.session_state[KEY]["selection"]
    before: set[int] = st.session_state.get(_TICKED, set())
    st.session_state[_TICKED] = {rows[n].id for n in picked["rows"] if n < len(rows)}
    if picked["cells"]:
        n, name = picked["cells"][0]
        _select(picked["rows"])
        if n < len(rows) and name != "actions":
            act(MOVE if name == "time" and Action.SESSION_RESCHEDULE in rows[n].may else OPEN, rows[n])
    elif st.session_state[_TICKED] == before:
        name = next(iter(picked["columns"]), "")
        _select([])
        if name in SORTS:
            sort_by(name, asked)


def _select(rows: list[int]) -> None:
    """Tick these lines and let go of any heading and cell, so that the same one can be clicked again.

    A browser takes a selection over only where it differs from the one it was given last; a column that is not shown
    makes it so.
    """
    st.session_state[_FLIP] = flip = not st.session_state.get(_FLIP)
    st.session_state[KEY] = {"selection": {"rows": rows, "columns": [ASIDE[-1]] if flip else [], "cells": []}}


def _keep_ticks(ids: list[int]) -> None:
    """Ticks follow the session and not the line; what is not on this page is not ticked."""
    kept = st.session_state.setdefault(_TICKED, set()) & set(ids)
    st.session_state[_TICKED], st.session_state[_SHOWN] = kept, ids
    wanted = [n for n, id_ in enumerate(ids) if id_ in kept]
    picked = st.session_state.get(KEY)
    if picked is not None and sorted(picked["selection"]["rows"]) != wanted:
        _select(wanted)


def cards(work: Work, programme: ProgrammeView, page: Page, zone: ZoneInfo) -> None:
    """The same page as cards: for narrow screens, and for keyboards."""
    books = may(work, Action.SESSION_BOOK, programme.id)
    for row in page.rows:
        with st.container(border=True, gap="xsmall", key=f"card-{row.id}"):
            st.markdown(" ".join(status_badge(label) for label in labels(row)) + f" :gray[{row.number}]")
            st.markdown(f"**{plain(when(row, zone, work.now))}**")
            said = " · ".join(part for part in (row.practitioner, people(row), row.idea, row.timetable) if part)
            more = " · ".join(part for part in (where(row), ", ".join(row.courses), row.type, row.description) if part)
            if said:
                st.markdown(plain(said))
            if more:
                st.caption(plain(more))
            with st.container(horizontal=True, gap="small", key=f"card-do-{row.id}"):
                st.button("Open", key=f"card-open-{row.id}", on_click=act, args=(OPEN, row))
                if rest := actions(row, books)[1:]:
                    picked = st.menu_button("More", rest, key=f"card-menu-{row.id}", type="tertiary")
                    if picked:
                        act(picked, row)
                        asked_to_go()


def total_words(page: Page) -> str:
    """'1–50 of 6,012'."""
    first = (page.number - 1) * PAGE + 1
    last = first + len(page.rows) - 1
    return f"{first:,}–{last:,} of {page.total:,}{'+' if page.total_is_more else ''}"

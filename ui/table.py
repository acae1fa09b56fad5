"""The list of sessions: a table, or cards for narrow screens. A heading sorts, a time reschedules, a row opens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.sessions.address import Listing
from core.sessions.export import COLUMNS, labels, people
from core.sessions.queries import PAGE, SORTS, TO_LOG, TO_PLACE, Page, Row
from core.structure.queries import Options
from core.words import Status
from core.work import Work
from ui import filters, navigation, session_panel
from ui.format import STATUS, capital, names, plain, status_badge

KEY, CLICK = "sessions", "sessions:click"
_SHOWN, _TICKED, _GO = "sessions:shown", "sessions:ticked", "sessions:go"
_COLOURS = {"gray": "gray", "green": "green", "red": "red", "orange": "orange", "violet": "violet", "blue": "blue"}
SIGNS = {
    Status.CANCELLED: "✕", Status.COMPLETED: "✔", Status.HELD: "✓", Status.MISSED: "⊘", Status.UNASSIGNED: "?",
    Status.PENDING: "…", Status.LIVE: "●", Status.SUBMITTED: "✉", Status.UNSCHEDULED: "○", Status.SCHEDULED: "◷",
    TO_LOG: "✎", TO_PLACE: "+",
}
"""Table cells draw text and no icons; the word beside it alone suffices."""
WIDTHS = {
    "status": 135, "time": 185, "practitioner": 130, "team": 150, "idea": 130, "timetable": 120, "course": 120,
    "type": 100, "description": 170, "number": 75,
}
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


def show(work: Work, programme: ProgrammeView, page: Page, asked: Listing, offered: Options, zone: ZoneInfo) -> None:
    """One page as a table."""
    books = may(work, Action.SESSION_BOOK, programme.id)
    shown = [column for column in COLUMNS if column.name in _columns(programme, offered)]
    frame: dict[str, list[Any]] = {
        column.name: [_cell(column.name, row, zone, work.now) or column.text(row) for row in page.rows]
        for column in shown
    }
    frame["actions"] = [actions(row, books) for row in page.rows]
    config: dict[str, Any] = {
        column.name: st.column_config.Column(
            heading(column.heading(programme.policy.words), column.name, asked), width=WIDTHS[column.name],
            help="Click a time to reschedule." if column.name == "time" else None,
        )
        for column in shown
    }
    config["status"] = st.column_config.MultiselectColumn(
        heading("Status", "status", asked), width=WIDTHS["status"], options=list(SIGNS),
        color=[_COLOURS[STATUS[word][0]] for word in SIGNS], format_func=lambda word: f"{SIGNS[word]} {word}",
    )
    config["number"] = st.column_config.NumberColumn(
        heading("Number", "number", asked), width=WIDTHS["number"], format="%d")
    config["actions"] = st.column_config.ButtonColumn(
        "Do", width=60, type="tertiary", key=CLICK, on_click=_acted, args=(page.rows,))
    _keep_ticks([row.id for row in page.rows])
    st.dataframe(
        pd.DataFrame(frame), key=KEY, hide_index=True, height="content", column_config=config,
        on_select=lambda: _selected(page.rows, asked), selection_mode=["multi-row", "single-column", "single-cell"],
        alt=f"{capital(programme.policy.words.many('session'))}, page {page.number}",
    )


def _columns(programme: ProgrammeView, offered: Options) -> set[str]:
    """Columns that this programme has a use for."""
    found = {column.name for column in COLUMNS}
    for name, used in (
        ("idea", any(team.idea for team in offered.teams)), ("timetable", bool(offered.timetables)),
        ("course", bool(offered.courses)), ("type", len(programme.policy.types) > 1),
    ):
        if not used:
            found.discard(name)
    return found


def _cell(name: str, row: Row, zone: ZoneInfo, now: datetime) -> Any:
    if name == "status":
        return list(labels(row))
    if name == "time":
        return when(row, zone, now)
    if name == "team":
        return row.team or names(row.learners)
    return None


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
        st.session_state[KEY] = {"selection": {**picked, "cells": []}}  # the same cell may be clicked again
        if n < len(rows) and name != "actions":
            act(MOVE if name == "time" and Action.SESSION_RESCHEDULE in rows[n].may else OPEN, rows[n])
    elif st.session_state[_TICKED] == before:
        name = next(iter(picked["columns"]), asked.sort)  # clicked again, a heading is let go of
        if name in SORTS:
            sort_by(name, asked)


def _keep_ticks(ids: list[int]) -> None:
    """Ticks follow the session and not the line; what is not on this page is not ticked."""
    kept = st.session_state.setdefault(_TICKED, set()) & set(ids)
    st.session_state[_TICKED], st.session_state[_SHOWN] = kept, ids
    wanted = [n for n, id_ in enumerate(ids) if id_ in kept]
    picked = st.session_state.get(KEY)
    if picked is not None and sorted(picked["selection"]["rows"]) != wanted:
        st.session_state[KEY] = {"selection": {**picked["selection"], "rows": wanted}}


def cards(work: Work, programme: ProgrammeView, page: Page, zone: ZoneInfo) -> None:
    """The same page as cards: for narrow screens, and for keyboards."""
    books = may(work, Action.SESSION_BOOK, programme.id)
    for row in page.rows:
        with st.container(border=True, gap="xsmall", key=f"card-{row.id}"):
            st.markdown(" ".join(status_badge(label) for label in labels(row)) + f" :gray[{row.number}]")
            st.markdown(f"**{plain(when(row, zone, work.now))}**")
            said = " · ".join(part for part in (row.practitioner, people(row), row.idea, row.timetable) if part)
            more = " · ".join(part for part in (", ".join(row.courses), row.type, row.description) if part)
            if said:
                st.markdown(plain(said))
            if more:
                st.caption(plain(more))
            with st.container(horizontal=True, gap="small", key=f"card-do-{row.id}"):
                st.button("Open", key=f"card-open-{row.id}", on_click=act, args=(OPEN, row))
                if rest := actions(row, books)[1:]:
                    key = f"card-menu-{row.id}"
                    st.menu_button("More", rest, key=key, type="tertiary", on_click=_card_acted, args=(key, row))


def _card_acted(key: str, row: Row) -> None:
    act(st.session_state[key], row)


def total_words(page: Page) -> str:
    """'1–50 of 6,012'."""
    first = (page.number - 1) * PAGE + 1
    last = first + len(page.rows) - 1
    return f"{first:,}–{last:,} of {page.total:,}{'+' if page.total_is_more else ''}"

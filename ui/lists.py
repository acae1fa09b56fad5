"""The lists of a programme: courses, rooms, timetables and teams."""

from typing import Any

import pandas as pd
import streamlit as st

from core.feeds.queries import my_addresses, my_timetables
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.structure.commands import add_entries, bring_back_entries, edit_entry, retire_entries
from core.structure.queries import Listed, entries
from core.structure.rules import FIELDS, Entry, Which, an_entry, called
from core.words import Role, TimetableKind
from ui import addresses, feedback, panel, people_picker, runtime
from ui.format import capital
from ui.forms import Form

_EDIT, _RETIRE, _BACK, _CALENDAR = "Edit", "Retire", "Bring back", "Calendar address"
SMART = {(False, False): "", (True, False): "smart", (True, True): "smart, records"}
"""What a room is, by whether it is smart and records."""
SHOWN_WHOLE = 50
"""Rows; a longer list scrolls within itself."""


def show(programme: ProgrammeView) -> None:
    """One of the four lists, with what can be done to each entry."""
    words = programme.policy.words
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        which = Which(st.segmented_control(
            "List", list(Which), default=Which.COURSE, key="list", required=True,
            format_func=lambda each: capital(called(each, words, many=True)),
        ) or Which.COURSE)
        st.button(f"Add {an_entry(which, words)}", type="primary", icon=":material/add:", key="entry-add",
                  on_click=panel.open_, args=("entry-new", programme.id, which))
    with runtime.reading() as work:
        listed = entries(work, programme.id, which)
    if not listed:
        st.info(f"There is no {called(which, words)} yet. Add the first one.", icon=":material/playlist_add:")
        return
    st.caption(f"What is retired is no longer offered in forms; {words.many('session')} that use it keep it.")
    st.dataframe(
        _frame(listed, which, words), hide_index=True, height="content" if len(listed) <= SHOWN_WHOLE else 1200,
        alt=f"{capital(called(which, words, many=True))} of {programme.name}", key=f"list-{which}",
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Used by": st.column_config.NumberColumn(capital(words.many("session")), format="%d"),
            "Change": st.column_config.ButtonColumn(
                "Change", key="entry-action", on_click=_clicked, args=(programme.id, which, [
                    (each.entry.id, each.entry.retired) for each in listed])),
        },
    )


def _frame(listed: list[Listed], which: Which, words: Words) -> pd.DataFrame:
    found = [each.entry for each in listed]
    columns: dict[str, list[Any]] = {"Name": [entry.name for entry in found]}
    if which is Which.ROOM:
        columns["People"] = [entry.capacity for entry in found]
        columns["Smart"] = [SMART[entry.smart, entry.records] for entry in found]
    elif which is Which.COURSE:
        columns["Weeks"] = [entry.weeks for entry in found]
        columns["Off-the-job hours"] = [
            None if entry.off_job_minutes is None else entry.off_job_minutes / 60 for entry in found]
    elif which is Which.TIMETABLE:
        columns["Kind"] = [capital(str(entry.kind)) for entry in found]
        columns["Owner"] = [entry.owner for entry in found]
    elif which is Which.TEAM:
        columns["Idea"] = [entry.idea for entry in found]
    columns["Used by"] = [each.uses for each in listed]
    columns["State"] = ["retired" if entry.retired else "in use" for entry in found]
    more = [_CALENDAR] if which is Which.TIMETABLE else []
    columns["Change"] = [[_EDIT, _BACK if entry.retired else _RETIRE, *more] for entry in found]
    return pd.DataFrame(columns)


def _clicked(programme_id: int, which: Which, listed: list[tuple[int, bool]]) -> None:
    click = st.session_state["entry-action"]
    entry_id, _ = listed[click["row"]]
    if click["label"] == _EDIT:
        panel.open_("entry-edit", programme_id, which, entry_id)
    elif click["label"] == _CALENDAR:
        addresses.forget()
        panel.open_("entry-calendar", entry_id)
    elif click["label"] == _RETIRE:
        feedback.act(retire_entries, which, [entry_id])
    else:
        feedback.act(bring_back_entries, which, [entry_id])


def panels(programme: ProgrammeView) -> None:
    """Whatever is open over the lists."""
    panel.show("entry-new", "Add to the list", _new)
    panel.show("entry-edit", "Edit", _edit)
    panel.show("entry-calendar", "Calendar address", _calendar)


def _new(programme_id: int, which: Which) -> None:
    form = Form(f"entry-new-{which}-{programme_id}")
    panel.finish(form)
    _fields(form, programme_id, which)
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_new, args=(form, programme_id, which))


def _edit(programme_id: int, which: Which, entry_id: int) -> None:
    form = Form(f"entry-edit-{which}-{entry_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = next((each.entry for each in entries(work, programme_id, which) if each.entry.id == entry_id), None)
    if known is None:
        st.info("This is not in the list any more.")
        return
    form.opened_with(panel.key(), {name: getattr(known, name) for name in FIELDS[which]})
    if known.off_job_minutes is not None:
        form.preset("hours", known.off_job_minutes / 60)
    _fields(form, programme_id, which)
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_edit, args=(form, which, entry_id))


def _calendar(timetable_id: int) -> None:
    with runtime.reading() as work:
        timetable = next((each for each in my_timetables(work) if each.id == timetable_id), None)
        address = next((each for each in my_addresses(work) if each.timetable_id == timetable_id), None)
        now = work.now
    if timetable is None:
        st.info("This is not in the list any more.")
        return
    addresses.of_timetable(timetable, address, now)


def _fields(form: Form, programme_id: int, which: Which) -> None:
    with runtime.reading() as work:
        if not may(work, Action.LISTS_EDIT, programme_id):
            return
        words = programme_of(work, programme_id).policy.words
        st.text_input("Name", key=form.field("name"), autocomplete="off")
        form.problem("name")
        if which is Which.ROOM:
            st.number_input("How many people fit in", key=form.field("capacity"), step=1, value=None)
            form.problem("capacity")
            st.checkbox("A smart room: virtual, allotted to smart sessions as they are booked", key=form.field("smart"))
            form.problem("smart")
            if form.value("smart"):
                st.checkbox("It records", key=form.field("records"))
            form.problem("records")
        if which is Which.COURSE:
            st.number_input("Planned weeks (optional)", key=form.field("weeks"), step=1, value=None)
            form.problem("weeks")
            st.number_input("Required off-the-job hours (optional)", key=form.field("hours"), step=0.5, value=None)
            form.problem("off_job_minutes")
        if which is Which.TEAM:
            st.text_input("Idea (optional)", key=form.field("idea"), autocomplete="off")
            form.problem("idea")
        if which is Which.TIMETABLE:
            form.preset("kind", TimetableKind.REGULAR)
            st.radio("Kind", list(TimetableKind), key=form.field("kind"), format_func=capital, captions=[
                "Open to general booking", f"Owned by one {words.practitioner}, reserved for booking through it"])
            form.problem("kind")
            if form.value("kind") == TimetableKind.CUSTOM:
                people_picker.person(work, programme_id, Role.PRACTITIONER, "Owner", form.field("owner_id"))
            form.problem("owner_id")
    form.show_refusal()


def _said(form: Form, which: Which) -> dict[str, Any]:
    said = {name: form.value(name) for name in FIELDS[which]}
    if which is Which.ROOM:
        said["smart"] = bool(said["smart"])
        said["records"] = said["smart"] and bool(said["records"])
    if which is Which.COURSE:
        hours = form.value("hours")
        said["off_job_minutes"] = None if hours is None else round(hours * 60)
    if said.get("kind") == TimetableKind.REGULAR:
        said["owner_id"] = None
    return said


def _send_new(form: Form, programme_id: int, which: Which) -> None:
    form.send(add_entries, programme_id, which, [Entry(**{**_said(form, which), "name": form.value("name") or ""})])


def _send_edit(form: Form, which: Which, entry_id: int) -> None:
    form.send(edit_entry, which, entry_id, form.changed(_said(form, which)))

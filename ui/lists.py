"""The lists of a programme: courses, rooms, timetables and teams."""

from typing import Any

import pandas as pd
import streamlit as st

from core.clock import FIRST_DAY, LAST_DAY
from core.feeds.queries import my_addresses, my_timetables
from core.people.commands import join_team, leave_team
from core.people.queries import Member, team_members
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.structure.commands import add_entries, bring_back_entries, edit_entry, retire_entries
from core.structure.queries import PAGE, Listed, ListPage, entries, entries_page
from core.structure.rules import FIELDS, Entry, Which, an_entry, called
from core.words import Role, TimetableKind
from ui import addresses, enrolling, feedback, panel, people_picker, runtime
from ui.format import capital, plain
from ui.forms import Form

_EDIT, _RETIRE, _BACK, _CALENDAR, _MEMBERS = "Edit", "Retire", "Bring back", "Calendar address", "Members"
_ENROL = "Enrol"
"""Begins the action: whom is the programme's word."""
SMART = {(False, False): "", (True, False): "smart", (True, True): "smart, records"}
"""What a room is, by whether it is smart and records."""
SHOWN_WHOLE = 50
"""Rows; a longer list scrolls within itself."""


def screen(programme: ProgrammeView, which: Which) -> None:
    """One of the lists, with what can be done to each entry."""
    words, many = programme.policy.words, called(which, programme.policy.words, many=True)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(capital(many), width="content")
        st.button(f"Add {an_entry(which, words)}", type="primary", icon=":material/add:", key="entry-add",
                  on_click=panel.open_, args=("entry-new", programme.id, which))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key=f"list-{which}-text", placeholder="Part of a name", autocomplete="off",
                             width=320)
        retired = st.toggle("Show retired", key=f"list-{which}-retired")
    asked = (text, retired)
    if st.session_state.get(f"list-{which}-asked") != asked:  # another list begins at its first page
        st.session_state[f"list-{which}-asked"], st.session_state[f"list-{which}-page"] = asked, 1
    with runtime.reading() as work:
        page = entries_page(work, programme.id, which, text=text, retired=retired,
                            number=st.session_state[f"list-{which}-page"])
        enrols = which is Which.COURSE and not programme.retired and may(work, Action.LEARNING_EDIT, programme.id)
    if page.rows:
        _table(programme, which, page, enrols)
    elif text:
        st.info(f"No {called(which, words)} is called like that.", icon=":material/search_off:")
    else:
        st.info(f"There is no {called(which, words)} yet. Add the first one.", icon=":material/playlist_add:")
    panels()


def _table(programme: ProgrammeView, which: Which, page: ListPage, enrols: bool) -> None:
    words, listed = programme.policy.words, page.rows
    first = (page.number - 1) * PAGE + 1
    st.caption(f"{first}–{first + len(listed) - 1} of {page.total:,}. What is retired is no longer offered in forms;"
               f" {words.many('session')} that use it keep it.")
    if page.pages > 1:
        st.pagination(page.pages, key=f"list-{which}-page", width=400)
    st.dataframe(
        _frame(listed, which, words, enrols), hide_index=True, height="content",
        alt=f"{capital(called(which, words, many=True))} of {programme.name}", key=f"list-{which}",
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Used by": st.column_config.NumberColumn(capital(words.many("session")), format="%d"),
            "Change": st.column_config.ButtonColumn(
                "Change", key="entry-action", on_click=_clicked, args=(programme.id, which, [
                    (each.entry.id, each.entry.retired) for each in listed])),
        },
    )


def _frame(listed: list[Listed], which: Which, words: Words, enrols: bool) -> pd.DataFrame:
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
    more = {Which.TIMETABLE: [_CALENDAR], Which.TEAM: [_MEMBERS]}.get(which, [])
    enrol = [f"{_ENROL} {words.many('learner')}"] if enrols else []
    columns["Change"] = [[_EDIT, _BACK, *more] if entry.retired else [_EDIT, _RETIRE, *more, *enrol] for entry in found]
    return pd.DataFrame(columns)


def _clicked(programme_id: int, which: Which, listed: list[tuple[int, bool]]) -> None:
    click = st.session_state["entry-action"]
    entry_id, _ = listed[click["row"]]
    if click["label"] == _EDIT:
        panel.open_("entry-edit", programme_id, which, entry_id)
    elif click["label"] == _MEMBERS:
        panel.open_("entry-members", programme_id, entry_id)
    elif click["label"].startswith(_ENROL):
        panel.open_("enrol-in", programme_id, entry_id)
    elif click["label"] == _CALENDAR:
        addresses.forget()
        panel.open_("entry-calendar", entry_id)
    elif click["label"] == _RETIRE:
        feedback.act(retire_entries, which, [entry_id])
    else:
        feedback.act(bring_back_entries, which, [entry_id])


def panels() -> None:
    """Whatever is open over the lists."""
    panel.show("entry-new", "Add to the list", _new)
    panel.show("entry-edit", "Edit", _edit)
    panel.show("entry-calendar", "Calendar address", _calendar)
    panel.show("entry-members", "Members", _members)
    enrolling.panels()


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


def _members(programme_id: int, team_id: int) -> None:
    form = Form(f"entry-members-{team_id}")
    if saved := form.done():  # the panel stays for the next one
        feedback.tell(saved)
        st.rerun()
    with runtime.reading() as work:
        words = programme_of(work, programme_id).policy.words
        keeps = may(work, Action.PEOPLE_EDIT, programme_id)
        listed = team_members(work, programme_id, team_id)
        for one in listed:
            _member(one, keeps)
        if not listed:
            st.caption("Nobody is in it yet.")
        if not keeps:
            return
        st.subheader(f"Add {words.a('learner')}")
        people_picker.person(work, programme_id, Role.LEARNER, capital(words.learner), form.field("learner"))
        form.problem("learner")
        left, right = st.columns(2)
        for place, name, label, hint in (
            (left, "from_day", "First day", "today"), (right, "until_day", "Last day (optional)", "open")
        ):
            with place:
                st.date_input(label, value=None, key=form.field(name), min_value=FIRST_DAY, max_value=LAST_DAY,
                              format="YYYY-MM-DD", help=f"Without one: {hint}.")
                form.problem(name)
    form.show_refusal()
    st.button("Add to the team", type="primary", key=form.field("save"), on_click=_send_member, args=(form, team_id))


def _member(one: Member, keeps: bool) -> None:
    until = f" until {one.until_day:%-d %b %Y}" if one.until_day else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{plain(one.name)}** · from {one.from_day:%-d %b %Y}{until}", width="content")
        if keeps and one.until_day is None:
            st.button("Take out", key=f"leave-{one.membership_id}", type="tertiary", icon=":material/logout:",
                      help="Today is the last day in the team.", on_click=feedback.act,
                      args=(leave_team, one.membership_id))


def _send_member(form: Form, team_id: int) -> None:
    if (learner := form.value("learner")) is None:
        form.fail({"learner": "Type a name and choose the one that is meant."})
    else:
        form.send(join_team, team_id, [learner], form.value("from_day"), form.value("until_day"))


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

"""Side panels about one session, for the list and the worksheet: each a short form that does one thing."""

from typing import Any, Literal

import streamlit as st

from core.attending.commands import reopen_session
from core.people.queries import names as names_of
from core.permissions import Action
from core.series.commands import change_series
from core.series.rules import Scope
from core.sessions.changing import (
    Edit,
    Reassign,
    Venue,
    add_recording,
    ask_for_another_time,
    change_venue,
    edit_sessions,
    reassign_sessions,
    replace_participants,
)
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.fixes import Fix, FixKind
from core.structure.queries import Option, Options, options
from core.words import Method, Role, Status, TimetableKind
from ui import attendance, group, leaving, objections, panel, people_picker, reschedule, series
from ui.format import capital, plain
from ui.forms import Form
from ui.session_panel import About, Draw, body, both_versions, open_, refused_busy

# Who ----------------------------------------------------------------------------------------------------------------


def _reassign(about: About) -> None:
    words, form = about.programme.policy.words, about.form
    chosen = people_picker.person(
        about.work, about.programme.id, Role.PRACTITIONER, f"New {words.practitioner}", form.field("practitioner"))
    form.problem("practitioner")
    st.caption(f"The old and the new {words.practitioner} are told, and everybody who takes part.")
    name = names_of(about.work, about.programme.id, [chosen]).get(chosen, "") if chosen else ""
    reach, agreed = series.scope(about), dict[int, int]()
    fix = Fix(FixKind.REASSIGN, practitioner_id=chosen)
    if reach is not Scope.THIS and chosen is not None:
        fix, agreed = series.preview(about, reach, fix)

    def send(nobody: bool = False) -> None:
        now = Form(form.name)
        who_now = None if nobody else now.value("practitioner")
        if who_now is None and not nobody:
            now.fail({"practitioner": f"Choose the {words.practitioner}."})
        elif reach is not Scope.THIS:
            now.send(change_series, about.id, reach, fix, agreed)
        else:
            now.send(reassign_sessions, [Reassign(about.id, who_now, now.state["version"])])

    both_versions(about, {"practitioner": name}, send)
    refused_busy(form)
    with st.container(horizontal=True):
        st.button(series.called(about, "Reassign", "Reassign", reach if chosen else Scope.THIS, agreed), type="primary",
                  key=form.field("send"), on_click=send,
                  disabled=reach is not Scope.THIS and chosen is not None and not agreed)
        if about.sheet.row.practitioner_id is not None and reach is Scope.THIS:
            st.button(f"Take {plain(about.sheet.row.practitioner)} off", key=form.field("off"), on_click=send,
                      args=(True,),
                      help=f"Their time is free at once. {capital(words.a('practitioner'))} can be chosen later.")


def _replace(about: About) -> None:
    form, words = about.form, about.programme.policy.words
    st.info(
        f"Answers and notes never pass to somebody else. So {about.name} is cancelled, and a new {words.session} with a"
        " number of its own is booked at the same time and place, linked to it.", icon=":material/info:",
    )
    way = _who(about, "Instead")
    st.text_input("Reason", key=form.field("reason"), on_change="ignore",
                  help=f"Those who took part in {about.name} read it.")
    form.problem("reason")

    def send() -> None:
        now = Form(form.name)
        now.send(
            replace_participants, about.id, learner_id=now.value("learner") if way == words.learner else None,
            team_id=now.value("team") if way == words.team else None, reason=now.value("reason") or "",
            version=now.state["version"],
        )

    both_versions(about, {}, send)
    refused_busy(form)
    st.button(f"Cancel it and book a new {words.session}", type="primary", key=form.field("send"), on_click=send)


def _who(about: About, label: str) -> str:
    """A learner or a team to choose; returns the word for which of them."""
    form, words = about.form, about.programme.policy.words
    form.preset("way", words.learner)
    way = st.segmented_control(label, [words.learner, words.team], format_func=capital, key=form.field("way"),
                               required=True)
    if way == words.learner:
        people_picker.person(
            about.work, about.programme.id, Role.LEARNER, capital(words.learner), form.field("learner"))
    else:
        people_picker.team(about.work, about.programme.id, capital(words.team), form.field("team"))
    form.problem("who")
    return way or words.learner


# Where --------------------------------------------------------------------------------------------------------------


def _venue(about: About) -> None:
    form, lists = about.form, options(about.work, about.programme.id).open
    smart = about.sheet.row.method is Method.SMART
    rooms = {room.id: room.name for room in lists.rooms if room.smart is smart}
    form.preset("room", about.sheet.room_id if about.sheet.room_id in rooms else None)
    form.preset("location", about.sheet.row.location)
    nothing = "Allot any that fits" if smart else "No room"
    # Of a series, what is chosen is shown at once.
    change: Literal["ignore", "rerun"] = "ignore" if about.sheet.series_id is None else "rerun"
    st.selectbox("Room", list(rooms), index=None, format_func=lambda id_: rooms.get(id_, ""), placeholder=nothing,
                 key=form.field("room"), on_change=change)
    form.problem("room")
    st.text_input("Location", key=form.field("location"), on_change=change)
    form.problem("location")
    reach, agreed = series.scope(about), dict[int, int]()

    def wanted() -> Fix:
        now = Form(form.name)
        return Fix(FixKind.VENUE, room_id=now.value("room"), location=now.value("location") or "")

    if reach is not Scope.THIS:
        _, agreed = series.preview(about, reach, wanted())

    def send() -> None:
        now = Form(form.name)
        if reach is Scope.THIS:
            now.send(change_venue, [Venue(about.id, now.value("room"), now.value("location"), now.state["version"])])
        else:
            now.send(change_series, about.id, reach, wanted(), agreed)

    both_versions(
        about, {"room": rooms.get(form.value("room"), ""), "location": form.value("location") or ""}, send)
    refused_busy(form)
    st.button(series.called(about, "Change", "Change the venue", reach, agreed), type="primary",
              key=form.field("send"), on_click=send, disabled=reach is not Scope.THIS and not agreed)


# Ending -------------------------------------------------------------------------------------------------------------


def _cancel(about: About) -> None:
    form = about.form
    st.caption("Everybody's time is free at once, and everybody who takes part is told why. Undo brings it back"
               " while nobody has taken it. To keep it for later, take it off the calendar instead.")
    st.text_area("Reason", key=form.field("reason"), on_change="ignore", height=110)
    form.problem("reason")
    reach, agreed = series.scope(about), dict[int, int]()
    if reach is not Scope.THIS:  # whatever the reason is, it changes the same ones
        _, agreed = series.preview(about, reach, Fix(FixKind.CANCEL, reason="shown beforehand"))

    def send() -> None:
        now = Form(form.name)
        reason = now.value("reason") or ""
        if reach is Scope.THIS:
            now.send(cancel_sessions, [about.id], reason, {about.id: now.state["version"]})
        else:
            now.send(change_series, about.id, reach, Fix(FixKind.CANCEL, reason=reason), agreed)

    both_versions(about, {"status": "cancelled"}, send)
    st.button(series.called(about, "Cancel", f"Cancel {about.name}", reach, agreed), type="primary",
              key=form.field("send"), on_click=send, disabled=reach is not Scope.THIS and not agreed)


def _delete(about: About) -> None:
    form, row = about.form, about.sheet.row
    active = row.starts_at is not None and row.status != Status.CANCELLED

    def send() -> None:
        now = Form(form.name)
        now.send(delete_sessions, [about.id], {about.id: now.state["version"]}, cancel_first=active)

    st.markdown(f"Delete {about.name}? Deleting is for mistakes: its number is never used again.")
    if active:
        st.warning("It is on the calendar. Deleting it cancels that meeting first, and everybody's time is free.",
                   icon=":material/event_busy:")
    both_versions(about, {}, send)
    with st.container(horizontal=True):
        st.button("Cancel and delete" if active else "Delete", type="primary", key=form.field("send"), on_click=send)
        if active and Action.SESSION_CANCEL in about.sheet.may:
            st.button("Only cancel it", key=form.field("cancel"), on_click=open_, args=("cancel", about.id))


def _reopen(about: About) -> None:
    form = about.form
    st.caption("What was recorded is taken back, so that it can be recorded anew.")
    st.text_input("Reason", key=form.field("reason"), on_change="ignore")
    form.problem("reason")

    def send() -> None:
        now = Form(form.name)
        now.send(reopen_session, about.id, now.value("reason") or "", now.state["version"])

    both_versions(about, {}, send)
    st.button("Reopen", type="primary", key=form.field("send"), on_click=send)


def _recording(about: About) -> None:
    form = about.form
    form.preset("recording_url", about.sheet.recording_url)
    st.caption("Everybody who takes part can open it; line managers cannot.")
    st.text_input("Link to the recording", key=form.field("recording_url"), placeholder="https://", autocomplete="off",
                  on_change="ignore")
    form.problem("recording_url")

    def send() -> None:
        now = Form(form.name)
        now.send(add_recording, about.id, now.value("recording_url") or "", now.state["version"])

    both_versions(about, {}, send)
    st.button("Save", type="primary", key=form.field("send"), on_click=send)


def _ask(about: About) -> None:
    form, words = about.form, about.programme.policy.words
    st.caption(f"Whoever can move this {words.session} is told what you write. Until then it stays where it is.")
    st.text_area("Which times suit you?", key=form.field("words"), on_change="ignore", height=110)
    form.problem("words")

    def send() -> None:
        now = Form(form.name)
        now.send(ask_for_another_time, about.id, now.value("words") or "")

    st.button("Ask for another time", type="primary", key=form.field("send"), on_click=send)


# Facts --------------------------------------------------------------------------------------------------------------


def _edit(about: About) -> None:
    form, sheet = about.form, about.sheet
    lists, policy, words = options(about.work, about.programme.id), about.programme.policy, about.programme.policy.words
    reads, is_open = Action.SESSION_READ in sheet.may, not sheet.parts and sheet.team_id is None
    if "values" not in form.state:
        form.state["values"] = {
            "description": sheet.row.description, "type": sheet.row.type, "course_ids": list(sheet.course_ids),
            "timetable_id": sheet.timetable_id, "location": sheet.row.location,
            "report_required": sheet.report_required, "number": sheet.row.number,
            **({"planning_notes": sheet.planning_notes} if reads else {}),
        }
    for name, value in form.state["values"].items():
        form.preset(name, value)
    both_versions(about, _edited(form, lists, words.many("course")), lambda: _send_edit(form.name, about.id))
    if is_open:
        _who(about, f"Who takes part in this {words.session}")
    st.text_input("Description", key=form.field("description"), on_change="ignore")
    form.problem("description")
    types = list(dict.fromkeys((*policy.types, sheet.row.type)))
    st.selectbox("Type", types, index=None, format_func=capital, key=form.field("type"), on_change="ignore")
    form.problem("type")
    courses = _named(lists.courses, sheet.course_ids)
    st.multiselect(capital(words.many("course")), list(courses), format_func=lambda id_: courses.get(id_, ""),
                   key=form.field("course_ids"), placeholder=f"Choose {words.many('course')}", on_change="ignore")
    form.problem("courses")
    timetables = _named(lists.timetables, (sheet.timetable_id,))
    st.selectbox("Timetable", list(timetables), index=None, format_func=lambda id_: timetables.get(id_, ""),
                 key=form.field("timetable_id"), placeholder="No timetable", on_change="ignore")
    form.problem("timetable")
    st.text_input("Location", key=form.field("location"), on_change="ignore")
    form.problem("location")
    if reads:
        st.text_area("Planning notes", key=form.field("planning_notes"), height=140, on_change="ignore",
                     help=f"Everybody in the {words.session} reads them.")
        form.problem("planning_notes")
    st.number_input("Number", value=None, step=1, key=form.field("number"), on_change="ignore")
    form.problem("number")
    st.checkbox("A report is required", key=form.field("report_required"), on_change="ignore")
    form.problem("report_required")
    refused_busy(form)
    st.button("Save", type="primary", key=form.field("send"), on_click=_send_edit, args=(form.name, about.id))


def _named(listed: tuple[Option, ...], used: tuple[int | None, ...]) -> dict[int, str]:
    """Names by id of what may be chosen, what is used already among it even if retired."""
    return {
        each.id: f"{each.name} ({each.owner})" if each.kind is TimetableKind.CUSTOM else each.name
        for each in listed if not each.retired or each.id in used
    }


def _edited(form: Form, lists: Options, courses: str) -> dict[str, str]:
    """What was typed, in the words of the other version."""
    timetables = {each.id: each.name for each in lists.timetables}
    named = [each.name for each in lists.courses if each.id in (form.value("course_ids") or ())]
    return {
        "description": form.value("description") or "", "type": form.value("type") or "",
        "timetable": timetables.get(form.value("timetable_id"), ""), "location": form.value("location") or "",
        "number": str(form.value("number") or ""), courses: ", ".join(sorted(named)),
        "report required": "yes" if form.value("report_required") else "no",
        **({"planning notes": form.value("planning_notes") or ""} if "planning_notes" in form.state["values"] else {}),
    }


def _send_edit(form_name: str, session_id: int) -> None:
    """Send what was changed and nothing else, so that nobody's other change is overwritten."""
    form = Form(form_name)
    changes: dict[str, Any] = {
        name: form.value(name) for name, value in form.state["values"].items() if form.value(name) != value
    }
    if "course_ids" in changes:
        changes["course_ids"] = tuple(changes["course_ids"])
    if form.value("learner") is not None and form.value("team") is None:
        changes["learner_ids"] = (form.value("learner"),)
    elif form.value("team") is not None:
        changes["team_id"] = form.value("team")
    form.send(edit_sessions, [Edit(session_id, changes, form.state["version"])])


PANELS: dict[str, tuple[str, Draw]] = {
    "reschedule": ("Reschedule", reschedule.draw),
    "edit": ("Edit", _edit), "venue": ("Change the venue", _venue), "reassign": ("Reassign", _reassign),
    "recording": ("Recording", _recording),
    "replace": ("Replace who takes part", _replace), "cancel": ("Cancel", _cancel), "delete": ("Delete", _delete),
    "learners": ("Who takes part", group.add), "places": ("Places", group.places),
    "record": ("Record what came of it", attendance.draw), "note": ("Note", attendance.note),
    "report": ("Report", attendance.report), "leave": ("Cancel taking part", leaving.draw),
    "dispute": ("Something wrong?", objections.object_), "answer": ("Answer an objection", objections.answer),
    "reopen": ("Reopen", _reopen), "ask": ("Ask for another time", _ask),
}


def show() -> None:
    """Draw the panel that is open, if it is one of a session's. Screens that open them call this at their end."""
    for which, (title, draw) in PANELS.items():
        panel.show(f"session-{which}", title, body(which, draw))


__all__ = ["PANELS", "open_", "show"]

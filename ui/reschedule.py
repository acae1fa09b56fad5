"""The panel that gives a session another time or takes it off the calendar (A4), for the list and the worksheet."""

import streamlit as st

from core.clock import when_words
from core.permissions import Action
from core.sessions.commands import Move, reschedule_sessions, take_off_calendar
from core.words import Outcome
from ui import booking, runtime
from ui.forms import Form
from ui.session_panel import About, both_versions, open_

FREED = (Outcome.CANCELLED_LATE, Outcome.CANCELLED_IN_TIME, Outcome.PRACTITIONER_CANCELLED)


def panel(session_id: int) -> None:
    """Open it; the screen draws it with `session_panels.show`. For a button's `on_click`."""
    open_("reschedule", session_id)


def draw(about: About) -> None:
    """The form inside the panel."""
    form, sheet, programme = about.form, about.sheet, about.programme
    if Action.SESSION_RESCHEDULE not in sheet.may:
        st.caption("It cannot be moved by you, or not any more.")
        return
    zone = runtime.zone(programme.zone_name)
    if "filled" not in form.state:
        form.state["filled"] = True
        booking.put_time(form, sheet.row.starts_at, zone)
        form.preset("minutes", sheet.minutes or programme.policy.usual_minutes)
    st.caption(
        "Choose a day and a time; days and hours that are taken are marked. Everybody who takes part is told."
        + (" To keep it for later, take it off the calendar." if sheet.row.starts_at else "")
    )
    chosen = booking.time_fields(form, programme, zone, required=True)
    people = {part.learner_id for part in sheet.parts if part.outcome not in FREED}
    if sheet.row.practitioner_id is not None:
        people.add(sheet.row.practitioner_id)
    rooms = [sheet.room_id] if sheet.room_id is not None else []
    booking.availability(form, about.work, programme, zone, booking.look(
        form, about.work, programme, zone, people, rooms, practitioner_id=sheet.row.practitioner_id,
        timetable_id=sheet.timetable_id, but=about.id))

    def move() -> None:
        now = Form(form.name)
        at = booking.chosen(now, zone)
        if at.problems:
            now.fail(at.problems)
        else:
            now.send(reschedule_sessions, [Move(
                about.id, at.starts_at, at.minutes, now.state["version"], (now.value("reason") or "").strip() or None)])

    def take_off() -> None:
        now = Form(form.name)
        now.send(take_off_calendar, [about.id], {about.id: now.state["version"]})

    mine = when_words(chosen.starts_at, programme.zone, chosen.ends_at) if chosen.starts_at else ""
    both_versions(about, {"time": mine}, move)
    with st.container(horizontal=True):
        st.button("Move" if sheet.row.starts_at else "Put on the calendar", type="primary", key=form.field("send"),
                  icon=":material/event_available:", on_click=move)
        if sheet.row.starts_at is not None:
            st.button("Off the calendar", key=form.field("off"), icon=":material/event_busy:", on_click=take_off)

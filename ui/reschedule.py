"""The panel that gives a session another time or takes it off the calendar (A4), for the list and the worksheet."""

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.rules import FREED
from core.billing.queries import consequences
from core.clock import when_words
from core.permissions import Action, may
from core.series.commands import change_series
from core.series.queries import moved_like
from core.series.rules import Scope
from core.sessions.changing import Move, reschedule_sessions, take_off_calendar
from core.sessions.fixes import Fix, FixKind
from core.sessions.rules import NOTICE
from core.words import Outcome
from ui import attendance, booking, feedback, late, runtime, series
from ui import panel as side
from ui.forms import Form
from ui.session_panel import About, both_versions, open_


def panel(session_id: int) -> None:
    """Open it; the screen draws it with `session_panels.show`. For a button's `on_click`."""
    open_("reschedule", session_id)


def dropped(
    session_id: int, version: int, local: datetime, minutes: int, zone: ZoneInfo, *, asks: bool = False
) -> None:
    """What a drag in the calendar asks for: the form, filled in and sent at once.

    Refused, where the clocks change under it, or where it `asks` whose wish it is (E8), the form opens, filled in.
    """
    Form(f"reschedule-{session_id}").clear()
    form = Form(f"reschedule-{session_id}")
    form.state.update(filled=True, version=version)
    booking.put_local(form, local.date(), local.time())
    form.preset("minutes", minutes)
    at = booking.chosen(form, zone)
    if at.problems:
        form.fail(at.problems)
    elif at.remark is None and not asks and (
        saved := form.submit(reschedule_sessions, [Move(session_id, at.starts_at, minutes, version)])
    ):
        form.clear()
        feedback.tell(saved)
        return
    side.open_("session-reschedule", session_id)


def draw(about: About) -> None:
    """The form inside the panel."""
    form, sheet, programme = about.form, about.sheet, about.programme
    if Action.SESSION_RESCHEDULE not in sheet.may:
        st.caption("It cannot be moved by you, or not any more.")
        return
    zone = runtime.zone(programme.zone_name)
    if form.state.get("leaving") and form.value("scope", Scope.THIS) != Scope.THIS:
        _several_off(about)
        return
    form.state.pop("leaving", None)
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

    before, reach, agreed, fix = sheet.row.starts_at, series.scope(about), dict[int, int](), None
    if reach is not Scope.THIS and before is not None and chosen.starts_at is not None and chosen.minutes:
        fix = moved_like(before, chosen.starts_at, chosen.minutes, programme.zone, form.value("reason") or "")
        fix, agreed = series.preview(about, reach, fix)

    asks = reach is Scope.THIS and _is_late(about)
    if asks:
        _whose_wish(about)

    def move() -> None:
        now = Form(form.name)
        at = booking.chosen(now, zone)
        if problems := at.problems or (late.missing(now) if asks and at.starts_at != before else {}):
            now.fail(problems)
        elif fix is not None:
            now.send(change_series, about.id, reach, fix, agreed)
        else:
            now.send(reschedule_sessions, [Move(
                about.id, at.starts_at, at.minutes, now.state["version"], (now.value("reason") or "").strip() or None,
                late.answered(now))])

    def take_off() -> None:
        now = Form(form.name)
        if reach is not Scope.THIS:
            now.state["leaving"] = True
            return
        if asks and (problems := late.missing(now)):
            now.fail(problems)
        else:
            now.send(take_off_calendar, [about.id], {about.id: now.state["version"]}, late=late.answered(now))

    mine = when_words(chosen.starts_at, programme.zone, chosen.ends_at) if chosen.starts_at else ""
    both_versions(about, {"time": mine}, move)
    with st.container(horizontal=True):
        alone = "Move" if sheet.row.starts_at else "Put on the calendar"
        st.button(series.called(about, "Move", alone, reach, agreed), type="primary", key=form.field("send"),
                  icon=":material/event_available:", on_click=move, disabled=reach is not Scope.THIS and not agreed)
        if sheet.row.starts_at is not None:
            st.button("Off the calendar", key=form.field("off"), icon=":material/event_busy:", on_click=take_off)


def _is_late(about: About) -> bool:
    """Whether somebody's meeting is changed inside the notice (E8)."""
    starts_at = about.sheet.row.starts_at
    return starts_at is not None and starts_at - about.work.now < NOTICE and any(
        part.outcome not in FREED for part in about.sheet.parts)


def _whose_wish(about: About) -> None:
    """The questions, and what a charge comes to."""
    words = about.programme.policy.words
    charged = late.ask(about.form, words)
    if charged is None:
        return
    people = {part.learner_id: part.name for part in about.sheet.parts if part.outcome is None}
    found = consequences(about.work, about.id, dict.fromkeys(people, (Outcome.CANCELLED_LATE, None)))
    if found.priced:
        whole = may(about.work, Action.MONEY_SEE, about.programme.id)
        said = " ".join(attendance.billed(found, people, words, amounts=whole))
        st.caption(said if charged else "Nobody is billed for the time that is given up.")


def _several_off(about: About) -> None:
    """Which of the series leave the calendar, shown before they do (C10); in place of the form for another time."""
    form, reach = about.form, series.scope(about)
    st.caption("Everybody's time is free at once, and everybody who takes part is told. They can be put on the calendar"
               " again.")
    fix, agreed = series.preview(about, reach, Fix(FixKind.OFF))

    def send() -> None:
        Form(form.name).send(change_series, about.id, reach, fix, agreed)

    both_versions(about, {"time": "off the calendar"}, send)
    with st.container(horizontal=True):
        st.button(f"{series.called(about, 'Take', 'Take', reach, agreed)} off the calendar", type="primary",
                  key=form.field("off-several"), icon=":material/event_busy:", on_click=send, disabled=not agreed)
        st.button("Back", key=form.field("back"), icon=":material/arrow_back:", on_click=form.state.pop,
                  args=("leaving", None))

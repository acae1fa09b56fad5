"""The side panels in which hours are kept: the week, single days, time off, and limits of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Change, OwnOnes, affected
from core.availability.commands import (
    LIMITS,
    Whose,
    add_time_off,
    limits_problems,
    own_ones,
    save_day,
    set_own_limits,
)
from core.availability.hours import Bookable, bookable, exceptions, own_limits, own_timetables, weekly_hours
from core.availability.rules import Dated
from core.clock import at_local, day_start, zone_of
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.work import Work
from ui import effects, feedback, panel, runtime, typed, weekly
from ui.format import plain
from ui.forms import Form

OTHER, NOTHING, USUAL = "Other hours that day", "No hours that day", "As usual again"
GENERAL = "General hours"


@dataclass(frozen=True)
class About:
    """Whose hours a panel is about, and where."""

    programme: ProgrammeView
    person: Bookable

    @property
    def zone(self) -> ZoneInfo:
        """In which they are meant unless said otherwise."""
        return zone_of(self.person.zone)


def panels() -> None:
    """Whatever is open over the screen."""
    panel.show("hours-week", "Weekly hours", _week)
    panel.show("hours-day", "Hours of one day", _day)
    panel.show("hours-off", "Time off", _off)
    panel.show("hours-limits", "Buffers and limits", _limits)


def limit_labels(words: Words) -> Mapping[str, str]:
    """What each of the limits is called."""
    return {
        "buffer_before": f"Minutes free before each {words.session}",
        "buffer_after": f"Minutes free after each {words.session}",
        "most_a_day": f"Most {words.many('session')} a day", "most_a_week": f"Most {words.many('session')} a week",
    }


def _about(work: Work, programme_id: int, person_id: int) -> About | None:
    """None, said on the screen, for somebody whose hours the viewer does not keep, or not any more."""
    person = next((each for each in bookable(work, programme_id) if each.id == person_id), None)
    if person is None:
        st.info("These hours are not kept here any more.")
        return None
    return About(programme_of(work, programme_id), person)


# The week ----------------------------------------------------------------------------------------------------------


def _week(programme_id: int, person_id: int, timetable_id: int, day: str) -> None:
    form = Form(f"hours-week-{panel.key()}")
    panel.finish(form)
    whose = Whose(programme_id, person_id, timetable_id or None)
    with runtime.reading() as work:
        about = _about(work, programme_id, person_id)
        if about is None:
            return
        known = weekly_hours(work, whose)
        timetable = dict(own_timetables(work, programme_id, person_id)).get(timetable_id, "")
    st.caption(f"For bookings of {plain(about.person.name)} through {plain(timetable)} alone: nothing else is booked"
               " then." if timetable else f"When {plain(about.person.name)} can be booked, week by week.")
    weekly.editor(form, whose, known, date.fromisoformat(day), about.zone, until=True)


# One day -----------------------------------------------------------------------------------------------------------


def _day(programme_id: int, person_id: int, timetable_id: int, day: str) -> None:
    """Another day than usual; an empty `day` is a new one."""
    form = Form(f"hours-day-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        about = _about(work, programme_id, person_id)
        if about is None:
            return
        own = {0: GENERAL, **dict(own_timetables(work, programme_id, person_id))}
        today = work.now.astimezone(about.zone).date()
        whose = Whose(programme_id, person_id, timetable_id or None)
        known = next((each for each in exceptions(work, whose, today) if each.day.isoformat() == day), None)
    form.preset("date", day)
    form.preset("what", NOTHING if known and not known.hours else OTHER)
    form.preset("hours", typed.words(known.hours) if known else "")
    form.preset("timetable", timetable_id)
    if day:
        st.markdown(f"**{date.fromisoformat(day):%A, %-d %B %Y}**" + (f" · {plain(own.get(timetable_id, ''))}"
                                                                     if len(own) > 1 else ""))
    else:
        typed.day("Day", form, "date", about.zone)
        if len(own) > 1:
            st.selectbox("Which hours", list(own), key=form.field("timetable"), format_func=lambda id_: own[id_])
    form.problem("day")
    st.radio("That day", [OTHER, NOTHING, *([USUAL] if known else [])], key=form.field("what"),
             label_visibility="collapsed")
    zone = known.zone if known else about.person.zone
    if form.value("what") == OTHER:
        typed.hours("Hours", form, "hours")
        st.caption(f"Write them like 9–12:30, 14–17. Times in {zone.replace('_', ' ')}. They stand in place of the"
                   " weekly hours of that day.")
    form.show_refusal()
    effects.finish(form, lambda now: _wanted_day(now, about), lambda wanted: day_change(*wanted, zone),
                   lambda now, wanted: now.send(save_day, *wanted, zone))


WantedDay = tuple[Whose, date, list[tuple[int, int]] | None]


def _wanted_day(form: Form, about: About) -> WantedDay | dict[str, str]:
    """Whose day, which, and its hours (None is as usual), or what is wrong with what was typed."""
    day, what = typed.day_of(form, "date", about.zone), form.value("what")
    hours = typed.hours_of(form, "hours") if what == OTHER else ()
    problems: dict[str, str] = {}
    if not isinstance(day, date):
        problems["date"] = day or typed.NO_DAY
    if isinstance(hours, str):
        problems["hours"] = hours
    elif what == OTHER and not hours:
        problems["hours"] = "Write the hours of that day, or choose that there are none."
    if problems or isinstance(hours, str) or not isinstance(day, date):
        return problems
    whose = Whose(about.programme.id, about.person.id, form.value("timetable") or None)
    return whose, day, None if what == USUAL else list(hours)


def day_change(whose: Whose, day: date, hours: list[tuple[int, int]] | None, zone: str) -> Change:
    """What a day of its own means for the sessions ahead."""
    spans: list[tuple[int | None, int | None]] = [] if hours is None else [*hours] or [(None, None)]
    dated = tuple(Dated(day.toordinal(), start, end, zone) for start, end in spans)
    return Change(whose.programme_id, whose.person_id, whose.timetable_id, day=day, dated=dated)


def give_back(whose: Whose, day: date) -> None:
    """Let a day be as usual again; sessions that this leaves outside are shown first. For a button's `on_click`."""
    assert whose.person_id is not None  # schedules have no exceptions
    change = day_change(whose, day, None, "")
    with runtime.reading() as work:
        outside = affected(work, change)
    if not outside:
        feedback.act(save_day, whose, day, None)
        return
    panel.open_("hours-day", whose.programme_id, whose.person_id, whose.timetable_id or 0, day.isoformat())
    form = Form(f"hours-day-{panel.key()}")
    form.preset("what", USUAL)
    form.state["asked"] = change


# Time off ----------------------------------------------------------------------------------------------------------


def _off(programme_id: int, person_id: int) -> None:
    form = Form(f"hours-off-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        about = _about(work, programme_id, person_id)
    if about is None:
        return
    st.caption(f"{plain(about.person.name)} cannot be booked in that time, in any programme. Without times, whole days"
               " are meant.")
    for label, which, empty in (("From", "from", "Midnight"), ("Until", "until", "End of day")):
        left, right = st.columns([3, 2], gap="small")
        with left:
            typed.day(f"{label} (day)", form, which, about.zone, placeholder="Same day" if which == "until" else "")
        with right:
            typed.clock(f"{label} (time)", form, f"{which}.time", placeholder=empty)
    st.text_input("Reason (optional)", key=form.field("reason"), autocomplete="off",
                  help="You and the staff of this programme read it.")
    form.problem("reason")
    st.caption(f"Times in {about.person.zone.replace('_', ' ')}.")
    form.show_refusal()
    effects.finish(
        form, lambda now: _wanted_off(now, about), lambda wanted: Change(programme_id, person_id, off=wanted),
        lambda now, wanted: now.send(add_time_off, person_id, *wanted, (now.value("reason") or "").strip() or None))


def _wanted_off(form: Form, about: About) -> tuple[datetime, datetime] | dict[str, str]:
    """From when until when, or what is wrong with what was typed."""
    first, last = (typed.day_of(form, which, about.zone) for which in ("from", "until"))
    start, end = (typed.clock_of(form, f"{which}.time") for which in ("from", "until"))
    said = {"from": first or typed.NO_DAY, "until": last, "from.time": start, "until.time": end}
    if problems := {name: found for name, found in said.items() if isinstance(found, str)}:
        return problems
    assert isinstance(first, date)  # else it is among the problems
    until = last if isinstance(last, date) else first
    starts_at = day_start(first, about.zone) if not start or isinstance(start, str) else at_local(
        first, start, about.zone).at
    ends_at = day_start(until + timedelta(days=1), about.zone) if end is None or isinstance(end, str) else at_local(
        until, end, about.zone).at
    return starts_at, ends_at


# Limits ------------------------------------------------------------------------------------------------------------


def _limits(programme_id: int, person_id: int) -> None:
    form = Form(f"hours-limits-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        about = _about(work, programme_id, person_id)
        if about is None:
            return
        known = own_limits(work, programme_id, person_id)
    st.caption(f"What holds for {plain(about.person.name)} alone. An empty field is what holds for everybody here.")
    for name, label in limit_labels(about.programme.policy.words).items():
        form.preset(name, known[name])
        general = getattr(about.programme.policy, name)
        st.number_input(label, key=form.field(name), step=5 if name.startswith("buffer") else 1,
                        placeholder="No limit" if general is None else f"{general}, as for everybody")
        form.problem(name)
    form.show_refusal()
    effects.finish(form, _wanted_limits,
                   lambda wanted: Change(programme_id, person_id, limits=wanted),
                   lambda now, wanted: now.send(
                       set_own_limits, programme_id, person_id, dict(zip(LIMITS, wanted, strict=True))))


def _wanted_limits(form: Form) -> OwnOnes | dict[str, str]:
    """Buffers and limits as they would be, or what is wrong with them."""
    said = {name: form.value(name) for name in LIMITS}
    return limits_problems(said) or own_ones(said)

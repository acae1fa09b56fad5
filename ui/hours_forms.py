"""The side panels in which hours are kept: the week, single days, time off, and limits of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Change, affected
from core.availability.commands import (
    LIMITS,
    Whose,
    Window,
    add_time_off,
    as_weekly,
    save_day,
    save_weekly_hours,
    set_own_limits,
    weekly_words,
)
from core.availability.hours import Bookable, bookable, exceptions, own_limits, own_timetables, weekly_hours
from core.availability.pattern import holding, replaced
from core.availability.rules import Dated
from core.clock import at_local, day_start, zone_of
from core.errors import Invalid
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import DAYS, Words
from core.work import Work
from ui import effects, feedback, fields, panel, runtime, stale, typed
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
    windows = [each.window for each in known]
    now = holding(windows, date.fromisoformat(day))
    form.state.setdefault("opened_with", [each.id for each in known])
    _preset_week(form, now, day, about)
    st.caption(f"For bookings of {plain(about.person.name)} through {plain(timetable)} alone: nothing else is booked"
               " then." if timetable else f"When {plain(about.person.name)} can be booked, week by week.")
    for number, name in enumerate(DAYS):
        typed.hours(name, form, f"day.{number}")
        if number == 0:
            st.button("Copy Monday to Tuesday–Friday", type="tertiary", icon=":material/content_copy:",
                      key=form.field("copy"), on_click=_copy_monday, args=(form,))
    st.caption("Write hours like 9–12:30, 14–17; an end at 24:00 is midnight.")
    if len({each.zone for each in now}) > 1:
        st.info("Some of these hours are meant in another time zone; saving means all of them in the one below.")
    fields.zone("Time zone of these hours", form.field("zone"))
    left, right = st.columns(2)
    with left:
        typed.day("They hold from", form, "from_day", about.zone)
    with right:
        typed.day("Until (optional)", form, "until_day", about.zone, placeholder="For good")
    form.problem("hours", "weekday", "zone")
    wanted, _ = _wanted_week(form, windows, about.zone)
    change = None if wanted is None else Change(
        programme_id, person_id, whose.timetable_id, weekly=tuple(map(as_weekly, wanted)))

    def save(opened_with: list[int] | None, sure: bool) -> None:
        now = Form(form.name)
        fresh, problems = _wanted_week(now, windows, about.zone)
        if fresh is None:
            now.fail(problems)
            return
        send = partial(now.send, save_weekly_hours, whose, fresh, opened_with)
        if sure:
            send()
        else:
            effects.ask(now, Change(programme_id, person_id, whose.timetable_id,
                                    weekly=tuple(map(as_weekly, fresh))), send)

    mine = {"hours": weekly_words(wanted or [])}
    stale.both(form, mine, mine_over_it=lambda: save(None, True), take_theirs=form.clear)
    if form.stale is not None:
        return
    form.show_refusal()
    effects.finish(form, change, lambda sure: save(form.state["opened_with"], sure))


def _preset_week(form: Form, now: list[Window], day: str, about: About) -> None:
    for number in range(len(DAYS)):
        hours = [(each.from_minute, each.until_minute) for each in now if each.weekday == number]
        form.preset(f"day.{number}", typed.words(hours))
    form.preset("zone", now[0].zone if now else about.person.zone)
    form.preset("from_day", day)
    form.preset("until_day", "")


def _copy_monday(form: Form) -> None:
    for number in range(1, 5):
        st.session_state[form.field(f"day.{number}")] = form.value("day.0")
        form.state.get("problems", {}).pop(f"day.{number}", None)


def _wanted_week(
    form: Form, windows: list[Window], zone: ZoneInfo
) -> tuple[list[Window] | None, dict[str, str]]:
    """All windows as they would be, or what is wrong with what was typed."""
    hours = {number: typed.hours_of(form, f"day.{number}") for number in range(len(DAYS))}
    problems = {f"day.{number}": found for number, found in hours.items() if isinstance(found, str)}
    from_day, until_day = (typed.day_of(form, name, zone) for name in ("from_day", "until_day"))
    for name, found in (("from_day", from_day or typed.NO_DAY), ("until_day", until_day)):
        if isinstance(found, str):
            problems[name] = found
    if not form.value("zone"):
        problems["zone"] = "Choose a time zone."
    if problems or not isinstance(from_day, date) or isinstance(until_day, str):
        return None, problems
    fresh = [Window(number, start, end, form.value("zone"))
             for number, spans in hours.items() if not isinstance(spans, str) for start, end in spans]
    try:
        return replaced(windows, fresh, from_day, until_day), {}
    except Invalid as refusal:
        return None, refusal.problems


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
    found = _wanted_day(form, about)

    def save(sure: bool) -> None:
        now = Form(form.name)
        wanted = _wanted_day(now, about)
        if isinstance(wanted, dict):
            now.fail(wanted)
            return
        send = partial(now.send, save_day, *wanted, zone)
        if sure:
            send()
        else:
            effects.ask(now, day_change(*wanted, zone), send)

    form.show_refusal()
    effects.finish(form, None if isinstance(found, dict) else day_change(*found, zone), save)


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
    found = _wanted_off(form, about)

    def save(sure: bool) -> None:
        now = Form(form.name)
        wanted = _wanted_off(now, about)
        if isinstance(wanted, dict):
            now.fail(wanted)
            return
        send = partial(now.send, add_time_off, person_id, *wanted, (now.value("reason") or "").strip() or None)
        if sure:
            send()
        else:
            effects.ask(now, Change(programme_id, person_id, off=wanted), send)

    form.show_refusal()
    effects.finish(form, None if isinstance(found, dict) else Change(programme_id, person_id, off=found), save)


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

    def save() -> None:
        now = Form(form.name)
        now.send(set_own_limits, programme_id, person_id, {name: now.value(name) for name in LIMITS})

    st.button("Save", type="primary", key=form.field("save"), on_click=save)

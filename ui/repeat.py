"""*Repeat* in the booking form: how often, on which days, until when (C10)."""

from datetime import date, time
from zoneinfo import ZoneInfo

import streamlit as st

from core.programmes.rules import DAYS
from core.series.rules import MOST, Rule, nths
from core.words import Every
from ui import booking
from ui.format import capital
from ui.forms import Form

BY_DATE = 0
TIMES, UNTIL = "times", "until"
_ENDS = {TIMES: "After so many", UNTIL: "On a date"}
USUAL_TIMES = 10


def is_on(form: Form) -> bool:
    """Whether the booking is to be repeated."""
    return bool(form.value("repeat"))


def fields(form: Form, zone: ZoneInfo) -> None:
    """The switch, and what it asks for when it is on."""
    if not st.toggle("Repeat", key=form.field("repeat"), persist_state="session",
                     help="Book a series: every date is shown, and can be skipped or moved, before anything is saved."):
        return
    day = booking.day_chosen(form, zone)
    for name, value in (("every", Every.WEEK), ("ends", TIMES), ("times", USUAL_TIMES), ("monthly", BY_DATE)):
        form.preset(name, value)
    every = st.segmented_control("How often", list(Every), format_func=capital, key=form.field("every"), required=True,
                                 persist_state="session")
    if every == Every.MONTH:
        ways = {BY_DATE: f"on day {day.day}" if day else "on that date", **(nths(day) if day else {})}
        if form.value("monthly") not in ways:
            st.session_state[form.field("monthly")] = BY_DATE
        st.segmented_control("In the month", list(ways), format_func=lambda way: ways.get(way, ""), required=True,
                             key=form.field("monthly"), persist_state="session")
        form.problem("monthly")
    else:
        usual = "every day" if every == Every.DAY else DAYS[day.weekday()] if day else "the first date's day"
        st.pills("On", range(7), selection_mode="multi", format_func=lambda each: DAYS[each][:3], wrap=True,
                 key=form.field("weekdays"), persist_state="session", help=f"Without any it is {usual}.")
        form.problem("weekdays")
    ends = st.segmented_control("It ends", list(_ENDS), format_func=lambda way: _ENDS.get(way, ""), required=True,
                                key=form.field("ends"), persist_state="session")
    if ends == UNTIL:
        st.text_input("Last date", key=form.field("until"), persist_state="session", autocomplete="off",
                      help="Like 2026-12-03 or 3 Dec; that day may be one of them.")
    else:
        st.number_input("How many dates", value=None, step=1, key=form.field("times"), persist_state="session",
                        help=f"From 1 to {MOST}, the first one counted.")
    form.problem("until", "times")


def rule(form: Form, zone: ZoneInfo) -> Rule | dict[str, str]:
    """What is asked for, or what keeps it from being a rule, by field."""
    day, clock = booking.day_or_problem(form, zone), booking.clock_or_problem(form)
    monthly, ends = form.value("every") == Every.MONTH, form.value("ends", TIMES)
    until = booking.day_or_problem(form, zone, "until") if ends == UNTIL else None
    read = (("date", day), ("time", clock), ("until", until))
    found = {name: value for name, value in read if isinstance(value, str)}
    if not found and (day is None or clock is None):
        found["date"] = "Choose a date and a time."
    if found:
        return found
    assert isinstance(day, date)  # else there was something to say
    assert isinstance(clock, time)
    return Rule(
        form.value("every", Every.WEEK), day, clock, form.value("minutes") or 0, zone.key,
        weekdays=() if monthly else tuple(sorted(form.value("weekdays") or ())),
        nth=(form.value("monthly") or None) if monthly else None,
        until=until if isinstance(until, date) else None, times=form.value("times") if ends == TIMES else None,
    )

"""Weekly hours: in words, and typed day by day, with what a change affects shown before."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Change
from core.availability.commands import Whose, Window, as_weekly, save_weekly_hours, weekly_words
from core.availability.hours import Kept
from core.availability.pattern import holding, replaced
from core.errors import Invalid
from core.programmes.rules import DAYS, hours_words
from ui import effects, fields, stale, typed
from ui.forms import Form


def editor(
    form: Form, whose: Whose, kept: Sequence[Kept], day: date, zone: ZoneInfo, *, until: bool = False
) -> None:
    """The fields with the hours that hold on a day, and the button that saves; it asks first about sessions (B13).

    Hours are meant in the zone unless they say another. With `until` they may hold for a while only.
    """
    windows = [each.window for each in kept]
    now = holding(windows, day)
    form.state.setdefault("opened_with", [each.id for each in kept])
    for number in range(len(DAYS)):
        form.preset(f"day.{number}", typed.words(
            (each.from_minute, each.until_minute) for each in now if each.weekday == number))
    form.preset("zone", now[0].zone if now else zone.key)
    form.preset("from_day", day.isoformat())
    form.preset("until_day", "")
    for number, name in enumerate(DAYS):
        typed.hours(name, form, f"day.{number}")
        if number == 0:
            st.button("Copy Monday to Tuesday–Friday", type="tertiary", icon=":material/content_copy:",
                      key=form.field("copy"), on_click=_copy_monday, args=(form,))
    st.caption("Write hours like 9–12:30, 14–17; an end at 24:00 is midnight.")
    if len({each.zone for each in now}) > 1:
        st.info("Some of these hours are meant in another time zone; saving means all of them in the one below.")
    fields.zone("Time zone of these hours", form.field("zone"))
    left, right = st.columns(2) if until else (st.container(), None)
    with left:
        typed.day("They hold from", form, "from_day", zone)
    if right is not None:
        with right:
            typed.day("Until (optional)", form, "until_day", zone, placeholder="For good")
    form.problem("hours", "weekday", "zone")

    def read(form: Form) -> list[Window] | dict[str, str]:
        return _wanted(form, windows, zone)

    def save(form: Form, wanted: list[Window]) -> None:
        form.send(save_weekly_hours, whose, wanted, form.state["opened_with"])

    def mine_over_it() -> None:
        wanted = read(again := Form(form.name))
        if isinstance(wanted, dict):
            again.fail(wanted)
        else:
            again.send(save_weekly_hours, whose, wanted, None)

    wanted = read(form)
    stale.both(form, {"hours": weekly_words(wanted if isinstance(wanted, list) else [])}, mine_over_it=mine_over_it,
               take_theirs=form.clear)
    if form.stale is None:
        form.show_refusal()
        effects.finish(form, read, lambda wanted: Change(
            whose.programme_id, whose.person_id, whose.timetable_id, weekly=tuple(map(as_weekly, wanted))), save)


def in_words(windows: Sequence[Window], zone: ZoneInfo) -> list[str]:
    """Days with the same hours together: 'Mon–Fri 09:00–12:00, 13:00–17:00', with the zone where it is another."""
    by_day: dict[int, list[str]] = {}
    for each in sorted(windows, key=lambda each: (each.weekday, each.from_minute)):
        elsewhere = "" if each.zone == zone.key else f" ({each.zone.replace('_', ' ')})"
        by_day.setdefault(each.weekday, []).append(hours_words((each.from_minute, each.until_minute)) + elsewhere)
    runs: list[tuple[int, int, list[str]]] = []
    for weekday, hours in by_day.items():
        if runs and runs[-1][1:] == (weekday - 1, hours):
            runs[-1] = (runs[-1][0], weekday, hours)
        else:
            runs.append((weekday, weekday, hours))
    return [f"{_days(first, last)} {', '.join(hours)}" for first, last, hours in runs]


def _days(first: int, last: int) -> str:
    return DAYS[first][:3] if first == last else f"{DAYS[first][:3]}–{DAYS[last][:3]}"


def _wanted(form: Form, windows: Sequence[Window], zone: ZoneInfo) -> list[Window] | dict[str, str]:
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
        return problems
    fresh = [Window(number, start, end, form.value("zone"))
             for number, spans in hours.items() if not isinstance(spans, str) for start, end in spans]
    try:
        return replaced(windows, fresh, from_day, until_day)
    except Invalid as refusal:
        return refusal.problems


def _copy_monday(form: Form) -> None:
    for number in range(1, 5):
        st.session_state[form.field(f"day.{number}")] = form.value("day.0")
        form.state.get("problems", {}).pop(f"day.{number}", None)

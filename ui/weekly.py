"""The weekly hours of a timetable: in words, and typed day by day, with what a change affects shown before."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Change
from core.availability.commands import Whose, Window, as_weekly, save_weekly_hours, weekly_words
from core.availability.hours import Kept
from core.availability.pattern import holding, replaced
from core.programmes.queries import ProgrammeView
from core.programmes.rules import DAYS, hours_words
from ui import effects, fields, stale, typed
from ui.forms import Form


def editor(form: Form, programme: ProgrammeView, whose: Whose, kept: Sequence[Kept], today: date) -> None:
    """The fields, and the button that saves them; it asks first where sessions would lie outside (B13)."""
    windows = [each.window for each in kept]
    _preset(form, programme, kept, holding(windows, today), today)
    for number, name in enumerate(DAYS):
        typed.hours(name, form, f"day.{number}")
        if number == 0:
            st.button("Copy Monday to Tuesday–Friday", type="tertiary", icon=":material/content_copy:",
                      key=form.field("copy"), on_click=_copy_monday, args=(form,))
    st.caption("Write hours like 9–12:30, 14–17; an end at 24:00 is midnight.")
    if len({each.zone for each in holding(windows, today)}) > 1:
        st.info("Some of these hours are meant in another time zone; saving means all of them in the one below.")
    fields.zone("Time zone of these hours", form.field("zone"))
    typed.day("They hold from", form, "from_day", programme.zone)
    form.problem("hours", "zone")

    def change_to(wanted: Sequence[Window]) -> Change:
        return Change(programme.id, whose.person_id, whose.timetable_id, weekly=tuple(map(as_weekly, wanted)))

    def save(opened_with: list[int] | None, sure: bool) -> None:
        now = Form(form.name)
        fresh, problems = _wanted(now, windows, programme.zone)
        if fresh is None:
            now.fail(problems)
            return
        send = partial(now.send, save_weekly_hours, whose, fresh, opened_with)
        if sure:
            send()
        else:
            effects.ask(now, change_to(fresh), send)

    wanted, _ = _wanted(form, windows, programme.zone)
    stale.both(form, {"hours": weekly_words(wanted or [])}, mine_over_it=lambda: save(None, True),
               take_theirs=form.clear)
    if form.stale is None:
        form.show_refusal()
        effects.finish(form, None if wanted is None else change_to(wanted),
                       lambda sure: save(form.state["opened_with"], sure))


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


def _preset(
    form: Form, programme: ProgrammeView, kept: Sequence[Kept], now: Sequence[Window], today: date
) -> None:
    form.state.setdefault("opened_with", [each.id for each in kept])
    for number in range(len(DAYS)):
        form.preset(f"day.{number}", typed.words(
            (each.from_minute, each.until_minute) for each in now if each.weekday == number))
    form.preset("zone", now[0].zone if now else programme.zone_name)
    form.preset("from_day", today.isoformat())


def _wanted(
    form: Form, windows: Sequence[Window], zone: ZoneInfo
) -> tuple[list[Window] | None, dict[str, str]]:
    """All windows as the fields say, or by field what keeps them from being hours."""
    problems: dict[str, str] = {}
    chosen = form.value("zone") or ""
    if not chosen:
        problems["zone"] = "Choose a time zone."
    day = typed.day_of(form, "from_day", zone)
    if not isinstance(day, date):
        problems["from_day"] = day or typed.NO_DAY
    fresh: list[Window] = []
    for number in range(len(DAYS)):
        hours = typed.hours_of(form, f"day.{number}")
        if isinstance(hours, str):
            problems[f"day.{number}"] = hours
        else:
            fresh += [Window(number, *pair, chosen) for pair in hours]
    if problems or not isinstance(day, date):
        return None, problems
    return replaced(windows, fresh, day), {}


def _copy_monday(form: Form) -> None:
    for number in range(1, 5):
        st.session_state[form.field(f"day.{number}")] = form.value("day.0")
        form.state.get("problems", {}).pop(f"day.{number}", None)

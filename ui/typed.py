"""Days, times and hours as somebody types them, shown as they were understood; what is none stays as typed."""

from collections.abc import Callable, Iterable
from datetime import date, time
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.commands import minutes_problem
from core.clock import hours_typed
from core.programmes.rules import hours_words
from ui.booking import clock_or_problem, day_or_problem
from ui.forms import Form

DAY_HELP = "Like 2026-12-03, 3 Dec, Friday or tomorrow."
PAST_HELP = "Like 2026-12-03, 3 Dec, Friday or yesterday."
TIME_HELP = "Like 14:30, 9 or 2:30 pm."
NO_DAY = "Choose a day."
NO_HOURS = "These are no hours. Write them like 9–12:30, 14–17."

Hours = tuple[tuple[int, int], ...]
"""Minutes after local midnight, from and until."""


def day(
    label: str, form: Form, name: str, zone: ZoneInfo, *, placeholder: str = "", past: bool = False
) -> None:
    """A field for a day, one of the `past` perhaps."""
    _field(label, form, name, lambda: day_of(form, name, zone, past=past), PAST_HELP if past else DAY_HELP, placeholder)


def clock(label: str, form: Form, name: str, *, placeholder: str = "") -> None:
    """A field for a time of day."""
    _field(label, form, name, lambda: clock_or_problem(form, name), TIME_HELP, placeholder)


def hours(label: str, form: Form, name: str) -> None:
    """A field for the hours of one day."""
    _field(label, form, name, lambda: hours_of(form, name), None, "No hours")


def day_of(form: Form, name: str, zone: ZoneInfo, *, past: bool = False) -> date | str | None:
    """The day in a field, None where it is empty, or the sentence about what keeps it from being one."""
    return day_or_problem(form, zone, name, past=past)


def clock_of(form: Form, name: str) -> time | str | None:
    """The time of day in a field, None where it is empty, or the sentence about what keeps it from being one."""
    return clock_or_problem(form, name)


def hours_of(form: Form, name: str) -> Hours | str:
    """The hours in a field, empty where there are none, or the sentence about what keeps them from being hours."""
    try:
        found = tuple(hours_typed(form.value(name) or ""))
    except ValueError:
        return NO_HOURS
    problems = [problem for start, end in found if (problem := minutes_problem(start, end))]
    return problems[0] if problems else found


def words(hours: Iterable[tuple[int, int]]) -> str:
    """Hours on one line: '09:00–12:00, 13:00–17:00'; nothing for none."""
    return ", ".join(map(hours_words, hours))


def _field(
    label: str, form: Form, name: str, read: Callable[[], object], help: str | None, placeholder: str
) -> None:

    def settle() -> None:
        problems: dict[str, str] = form.state.setdefault("problems", {})
        problems.pop(name, None)
        found = read()
        if isinstance(found, str):
            problems[name] = found
        elif found is not None:
            st.session_state[form.field(name)] = _shown(found)

    st.text_input(label, key=form.field(name), autocomplete="off", help=help, placeholder=placeholder, on_change=settle)
    form.problem(name)


def _shown(found: object) -> str:
    if isinstance(found, tuple):
        return words(found)
    return f"{found:%H:%M}" if isinstance(found, time) else str(found)

"""Weekly hours as typed text, from a day on; the sessions that a change affects are shown before saving (B13)."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Affected, Change, affected
from core.availability.commands import Whose, Window, as_weekly, save_weekly_hours
from core.availability.hours import Kept
from core.availability.timetables import changed_from, hours_on, hours_typed
from core.clock import FIRST_DAY, LAST_DAY, day_typed, when_words
from core.people.queries import names
from core.programmes.queries import ProgrammeView
from core.programmes.rules import DAYS, STEP, Words, hours_words
from core.work import Work
from ui import fields, navigation, runtime
from ui.format import plain
from ui.forms import Form

NO_HOURS = "These are no hours. Write them like 9–12, 13:30–17."
SHOWN = 12
"""Sessions that a change affects, named one by one."""


def editor(form: Form, work: Work, programme: ProgrammeView, whose: Whose, kept: Sequence[Kept]) -> None:
    """The fields, what the change would affect, and the button that saves it."""
    today = work.now.astimezone(programme.zone).date()
    _preset(form, programme, kept, today)
    wanted, problems = _read(form, kept, today)
    if problems:
        form.state["problems"] = problems
    elif form.refused() is None:
        form.state.pop("problems", None)
    st.caption("Hours like 9–12, 13:30–17; a day without any stays empty.")
    for number, day in enumerate(DAYS):
        st.text_input(day, key=form.field(f"day{number}"), placeholder="none", autocomplete="off")
        form.problem(f"day{number}")
        if number == 0:
            st.button("Monday's hours on all weekdays", type="tertiary", icon=":material/content_copy:",
                      key=form.field("copy"), on_click=_copy, args=(form,))
    fields.zone("Time zone", form.field("zone"))
    form.problem("zone")
    st.text_input("From which day on", key=form.field("from"), autocomplete="off",
                  help="Until then, what held before goes on. Like 2026-12-03, 3 Dec, Monday or today.")
    form.problem("from", "hours")
    if later := [each for each in kept if each.window.from_day > today]:
        st.caption(f"{len(later)} windows planned for later days give way to these.")
    form.show_refusal()
    if form.stale is not None:
        st.button("Show what is there now", key=form.field("theirs"), on_click=form.clear)
    found: list[Affected] = []
    if wanted is not None:
        found = affected(work, Change(programme.id, whose.person_id, whose.timetable_id,
                                      weekly=tuple(map(as_weekly, wanted))))
        effects(work, programme, found)
        form.state["told"] = wanted
    st.button("Save anyway" if found else "Save", type="primary", key=form.field("save"), disabled=wanted is None,
              on_click=_save, args=(form, whose, kept, today))


def effects(work: Work, programme: ProgrammeView, found: Sequence[Affected]) -> None:
    """The sessions ahead that would lie outside: how many, and when, with whom and why."""
    if not found:
        st.caption(f"No {programme.policy.words.session} ahead is affected.")
        return
    zone = runtime.zone(programme.zone_name)
    st.warning(plain(affected_words(len(found), programme.policy.words)), icon=":material/event_busy:")
    who = names(work, programme.id, {each.practitioner_id for each in found if each.practitioner_id is not None})
    for each in found[:SHOWN]:
        with st.container(gap=None):
            st.page_link(
                navigation.BY_NAME["worksheet"].page(), query_params={"session": str(each.session_id)},
                label=plain(f"{when_words(each.starts_at, zone, each.ends_at)} · {each.number}"
                            f" · {who.get(each.practitioner_id or 0, '')}"))
            st.caption(plain(each.why))
    if len(found) > SHOWN:
        st.caption(f"And {len(found) - SHOWN} more.")


def affected_words(count: int, words: Words) -> str:
    """How many would lie outside."""
    if count == 1:
        return f"1 {words.session} ahead would lie outside. It stays booked."
    return f"{count} {words.many('session')} ahead would lie outside. They stay booked."


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


def _preset(form: Form, programme: ProgrammeView, kept: Sequence[Kept], today: date) -> None:
    form.state.setdefault("opened", [each.id for each in kept])
    now = hours_on([each.window for each in kept], today) or [each.window for each in kept]
    form.preset("zone", now[0].zone if now else programme.zone_name)
    form.preset("from", today.isoformat())
    for number in range(7):
        form.preset(f"day{number}", ", ".join(
            hours_words((each.from_minute, each.until_minute)) for each in now if each.weekday == number))


def _read(form: Form, kept: Sequence[Kept], today: date) -> tuple[list[Window] | None, dict[str, str]]:
    """All windows as the fields say, or by field what keeps it from being hours."""
    problems: dict[str, str] = {}
    zone, wanted = form.value("zone") or "", []
    day = today
    try:
        day = day_typed((form.value("from") or "").strip(), today)
    except ValueError:
        problems["from"] = "This is no date. Write it like 2026-12-03 or 3 Dec 2026."
    if not FIRST_DAY < day < LAST_DAY:
        problems["from"] = f"Choose a date from {FIRST_DAY.year} to {LAST_DAY.year}."
    if not zone:
        problems["zone"] = "Choose a time zone."
    for number in range(7):
        try:
            hours = hours_typed(form.value(f"day{number}") or "")
        except ValueError:
            problems[f"day{number}"] = NO_HOURS
            continue
        if any(start >= end for start, end in hours):
            problems[f"day{number}"] = "Hours end after they begin; until 24:00 is midnight."
        elif any(minute % STEP for pair in hours for minute in pair):
            problems[f"day{number}"] = f"Hours begin and end in steps of {STEP} minutes."
        else:
            wanted += [Window(number, *pair, zone) for pair in hours]
    if problems:
        return None, problems
    return changed_from([each.window for each in kept], day, wanted), {}


def _copy(form: Form) -> None:
    for number in range(1, 5):
        st.session_state[form.field(f"day{number}")] = form.value("day0")


def _save(form: Form, whose: Whose, kept: Sequence[Kept], today: date) -> None:
    """Save it, unless it affects sessions that were not shown yet: then they are shown first (B13)."""
    wanted, _ = _read(form, kept, today)
    if wanted is None:
        return
    if form.state.get("told") != wanted:
        with runtime.reading() as work:
            if affected(work, Change(whose.programme_id, whose.person_id, whose.timetable_id,
                                     weekly=tuple(map(as_weekly, wanted)))):
                return
    form.send(save_weekly_hours, whose, wanted, form.state["opened"])

"""The parts of *Availability*: whom nobody can book, everybody's hours at a glance, and one person's in full."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.availability import hours
from core.availability.commands import Whose, Window, remove_time_off
from core.availability.hours import Bookable, Off
from core.availability.pattern import holding, periods
from core.clock import day_start, zone_of
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.work import Work
from ui import closures, feedback, navigation, panel, people_picker, typed, week
from ui.format import capital, minutes_words, plain, when, zone_words
from ui.hours_forms import GENERAL, give_back, limit_labels
from ui.lists import SHOWN_WHOLE

NAMED = 12
"""Of those without hours."""
_WHOSE = "availability-whose"


def head(work: Work, programme: ProgrammeView, people: Sequence[Bookable]) -> Bookable | None:
    """The title, and whose hours are looked at: those of somebody chosen, or one's own for a practitioner."""
    words = programme.policy.words
    st.title("Availability")
    st.caption(f"When {words.many('practitioner')} of {plain(programme.name)} can be booked")
    if not may(work, Action.AVAILABILITY_EDIT, programme.id):
        return people[0] if people else None
    by_id = {person.id: person for person in people}
    asked = navigation.asked_id("whose")
    st.session_state[_WHOSE] = asked if asked in by_id else None

    def find(_: Work, text: str, most: int) -> list[Bookable]:
        return [each for each in people if text.casefold() in each.name.casefold()][:most]

    with st.container(width=480):
        people_picker.choose(
            work, f"Whose hours ({words.practitioner})", _WHOSE, find, lambda id_: by_id[id_].name,
            on_change=lambda: look_at(st.session_state[_WHOSE]))
    return by_id.get(asked or 0)


def look_at(person_id: int | None) -> None:
    """Show somebody's hours, or everybody's; for a button's `on_click`."""
    if person_id is None:
        st.query_params.pop("whose", None)
    else:
        st.query_params["whose"] = str(person_id)


def everybody(programme: ProgrammeView, people: Sequence[Bookable]) -> None:
    """All at a glance; those whom nobody can book come first, and are told of."""
    words = programme.policy.words
    if not people:
        st.info(f"There is no {words.practitioner} yet. Add the first one under People.", icon=":material/group_add:")
        return
    missing = [each for each in people if not each.bookable]
    if missing:
        st.warning(f"{missing_words(programme, len(missing))} Give them hours:", icon=":material/event_busy:")
        with st.container(horizontal=True, gap="xsmall"):
            for each in missing[:NAMED]:
                st.button(plain(each.name), key=f"whose-{each.id}", on_click=look_at, args=(each.id,))
    listed = [*missing, *(each for each in people if each.bookable)]
    frame = pd.DataFrame({
        "Name": [each.name for each in listed],
        "Hours a week": [minutes_words(each.minutes) or "none" for each in listed],
        "Open": [["Hours"]] * len(listed),  # before what a phone has no room for
        "State": ["can be booked" if each.bookable else "not bookable" for each in listed],
    })
    st.dataframe(
        frame, hide_index=True, height="content" if len(listed) <= SHOWN_WHOLE else 1200, key="availability-list",
        alt=f"Hours of the {words.many('practitioner')} of {programme.name}",
        column_config={
            "Name": st.column_config.TextColumn(capital(words.practitioner), width="medium"),
            "Open": st.column_config.ButtonColumn(
                "Open", key="availability-open", on_click=_open, args=([each.id for each in listed],)),
        },
    )


def _open(ids: list[int]) -> None:
    look_at(ids[st.session_state["availability-open"]["row"]])


def missing_words(programme: ProgrammeView, count: int) -> str:
    """That so many cannot be booked."""
    words = programme.policy.words
    return (f"1 {words.practitioner} has no hours, so nobody can book them." if count == 1 else
            f"{count:,} {words.many('practitioner')} have no hours, so nobody can book them.")


# One person --------------------------------------------------------------------------------------------------------


def one(work: Work, programme: ProgrammeView, person: Bookable) -> None:
    """Everything about when somebody can be booked, and the ways to change it."""
    zone = zone_of(person.zone)
    own = person.id == work.actor.person_id
    if not person.bookable:
        who = "You have" if own else f"{plain(person.name)} has"
        st.warning(f"{who} no hours yet, so nobody can book {'you' if own else 'them'}. Start with the weekly hours.",
                   icon=":material/event_busy:")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(plain(person.name), width="content")
        if may(work, Action.AVAILABILITY_EDIT, programme.id):
            st.button(f"All {programme.policy.words.many('practitioner')}", icon=":material/arrow_back:",
                      type="tertiary", on_click=look_at, args=(None,), key="availability-all")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _week(work, programme, person, zone)
    with right:
        _days(work, programme, person, zone)
        _time_off(work, programme, person, zone)
        _limits(work, programme, person)
        _closed(work, programme)


def _week(work: Work, programme: ProgrammeView, person: Bookable, zone: ZoneInfo) -> None:
    timetables = [(0, GENERAL), *hours.own_timetables(work, programme.id, person.id)]
    windows = {
        id_: [each.window for each in hours.weekly_hours(work, Whose(programme.id, person.id, id_ or None))]
        for id_, _ in timetables
    }
    today = work.now.astimezone(zone).date()
    days = periods([each for listed in windows.values() for each in listed], today)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Weekly hours", width="content")
        day = today
        if len(days) > 1:
            day = st.segmented_control(
                "From when", days, default=today, key=f"availability-from-{person.id}", required=True,
                label_visibility="collapsed", width="content",
                format_func=lambda each: "Now" if each == today else f"From {_day(each)}") or today
    now = {id_: holding(listed, day) for id_, listed in windows.items()}
    with st.container(border=True):
        week.draw(now[0], {name: now[id_] for id_, name in timetables[1:]})
        hatched = any(now[id_] for id_, _ in timetables if id_)
        st.caption(_zones(work, [each for listed in now.values() for each in listed], zone)
                   + (" Hatched hours are booked through that timetable alone." if hatched else ""))
    with st.container(horizontal=True):
        for id_, name in timetables:
            st.button(f"Change hours of {plain(name)}" if id_ else "Change weekly hours", key=f"hours-week-open-{id_}",
                      type="secondary" if id_ else "primary", icon=":material/edit:", on_click=panel.open_,
                      args=("hours-week", programme.id, person.id, id_, day.isoformat()))


def _zones(work: Work, windows: Iterable[Window], zone: ZoneInfo) -> str:
    names = sorted({each.zone for each in windows}) or [str(zone)]
    return f"Local times in {' and '.join(zone_words(zone_of(name), work.now) for name in names)}."


def _days(work: Work, programme: ProgrammeView, person: Bookable, zone: ZoneInfo) -> None:
    """Days to come with hours of their own, in the general hours and in each timetable."""
    today, listed = work.now.astimezone(zone).date(), []
    for id_, name in [(0, ""), *hours.own_timetables(work, programme.id, person.id)]:
        whose = Whose(programme.id, person.id, id_ or None)
        listed += [(each, whose, name) for each in hours.exceptions(work, whose, today)]
    _titled("Other days", "Add a day", "hours-day-add", ("hours-day", programme.id, person.id, 0, ""))
    if not listed:
        st.caption("Every day is as its week says.")
    for each, whose, name in sorted(listed, key=lambda item: (item[0].day, item[2])):
        key = f"{whose.timetable_id or 0}-{each.day}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            said = typed.words(each.hours) or "no hours"
            elsewhere = f" ({each.zone.replace('_', ' ')})" if each.zone != str(zone) and each.hours else ""
            st.markdown(f"**{_day(each.day)}** · {said}{elsewhere}" + (f" · {plain(name)}" if name else ""))
            st.button("Change", type="tertiary", key=f"day-change-{key}", on_click=panel.open_,
                      args=("hours-day", programme.id, person.id, whose.timetable_id or 0, each.day.isoformat()))
            st.button("Remove", type="tertiary", key=f"day-remove-{key}", on_click=give_back, args=(whose, each.day))


def _time_off(work: Work, programme: ProgrammeView, person: Bookable, zone: ZoneInfo) -> None:
    _titled("Time off", "Add time off", "hours-off-add", ("hours-off", programme.id, person.id))
    listed = hours.time_off(work, person.id, work.now)
    if not listed:
        st.caption("No time off is planned.")
    for each in listed:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{off_words(each, zone)}**" + (f" · {plain(each.reason)}" if each.reason else ""))
            st.button("Remove", type="tertiary", key=f"off-remove-{each.id}", on_click=feedback.act,
                      args=(remove_time_off, [each.id]))


def off_words(off: Off, zone: ZoneInfo) -> str:
    """Whole days as days, else with the times."""
    first, last = off.starts_at.astimezone(zone).date(), (off.ends_at - timedelta(minutes=1)).astimezone(zone).date()
    if (off.starts_at, off.ends_at) != (day_start(first, zone), day_start(last + timedelta(days=1), zone)):
        return when(off.starts_at, off.ends_at, zone)
    return _day(first) if first == last else f"{_day(first)} – {_day(last)}"


def _limits(work: Work, programme: ProgrammeView, person: Bookable) -> None:
    known = hours.own_limits(work, programme.id, person.id)
    if may(work, Action.AVAILABILITY_EDIT, programme.id):
        _titled("Buffers and limits", "Change", "hours-limits-open", ("hours-limits", programme.id, person.id))
    else:
        st.subheader("Buffers and limits")
    lines = []
    for name, label in limit_labels(programme.policy.words).items():
        own, general = known[name], getattr(programme.policy, name)
        value = general if own is None else own
        said = "any number" if value is None else f"{value}"
        lines.append(f"- {label}: **{said}**" + ("" if own is None else " (their own)"))
    st.markdown("\n".join(lines))


def _closed(work: Work, programme: ProgrammeView) -> None:
    """The days on which nobody here can be booked."""
    said = closures.coming(work, programme)
    if said:
        st.subheader("Closed for everybody")
        st.markdown("\n".join(f"- {line}" for line in said))


def _titled(title: str, button: str, key: str, opens: tuple[str | int, ...]) -> None:
    """A heading with what can be done about it."""
    name, *about = opens
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, width="content")
        st.button(button, key=key, icon=":material/add:" if button.startswith("Add") else ":material/edit:",
                  on_click=partial(panel.open_, str(name), *about))


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"

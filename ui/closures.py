"""Closures of a programme and its public holidays: shown to everybody, kept in *Programme settings*."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from core.availability.affected import Change
from core.availability.commands import add_closure, edit_closure, remove_closures
from core.availability.hours import ClosedDays
from core.availability.hours import closures as closures_of
from core.availability.rules import Closed, holiday
from core.clock import FIRST_DAY
from core.programmes.queries import ProgrammeView, programme_of
from core.work import Work
from ui import effects, feedback, panel, runtime, typed
from ui.format import plain
from ui.forms import Form
from ui.lists import SHOWN_WHOLE

_EDIT, _REMOVE = "Edit", "Remove"
AHEAD = 365
"""Days."""


def coming(work: Work, programme: ProgrammeView, most: int = 5) -> list[str]:
    """The next closures and public holidays, each a line of Markdown with its days."""
    today = work.now.astimezone(programme.zone).date()
    listed = [(each.first_day, days_words(each), each.name) for each in closures_of(work, programme.id, today)]
    listed += [(day, _day(day), name) for day, name in _holidays(programme, today)]
    return [f"**{days}** · {plain(name)}" for _, days, name in sorted(listed)[:most]]


def days_words(closed: ClosedDays) -> str:
    """Its days, both counted."""
    if closed.first_day == closed.last_day:
        return _day(closed.first_day)
    return f"{_day(closed.first_day)} – {_day(closed.last_day)}"


def _short(closed: ClosedDays) -> str:
    """The same, as short as can be, for a phone."""
    first, last = closed.first_day, closed.last_day
    until = f"{last.day} {last:%b %Y}"
    if first == last:
        return until
    if first.year != last.year:
        return f"{first.day} {first:%b %Y}–{until}"
    return f"{first.day}–{until}" if first.month == last.month else f"{first.day} {first:%b}–{until}"


def _holidays(programme: ProgrammeView, today: date) -> list[tuple[date, str]]:
    if programme.policy.holidays_country is None:
        return []
    days = (today + timedelta(days=n) for n in range(AHEAD))
    return [(day, name) for day in days if (name := holiday(programme.policy, day.toordinal()))]


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


# Kept in the settings ----------------------------------------------------------------------------------------------


def show(programme: ProgrammeView) -> None:
    """All closures with what can be done to each, and the public holidays that close besides."""
    words = programme.policy.words
    with runtime.reading() as work:
        listed = closures_of(work, programme.id, FIRST_DAY)
        today = work.now.astimezone(programme.zone).date()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"On these days nobody can be booked, unless staff give a reason. What is booked stays booked."
                   f" Whole days in {programme.zone_name.replace('_', ' ')}.", width="content")
        st.button("Add a closure", type="primary", icon=":material/add:", key="closure-add", on_click=panel.open_,
                  args=("closure", programme.id, 0))
    if listed:
        frame = pd.DataFrame({
            "For": [each.name for each in listed], "Days": [_short(each) for each in listed],
            "Change": [[_EDIT, _REMOVE]] * len(listed),
            "State": ["past" if each.last_day < today else "closed now" if each.first_day <= today else "ahead"
                      for each in listed],
        })
        st.dataframe(
            frame, hide_index=True, height="content" if len(listed) <= SHOWN_WHOLE else 1200, key="closures",
            alt=f"Closures of {programme.name}",
            column_config={
                "For": st.column_config.TextColumn(width=100), "Days": st.column_config.TextColumn(width=180),
                "Change": st.column_config.ButtonColumn(
                    "Change", width=75, key="closure-action", on_click=_clicked,
                    args=(programme.id, [each.id for each in listed])),
            },
        )
    else:
        st.info(f"No closures yet. Add the days on which no {words.session} takes place.", icon=":material/event_busy:")
    _holidays_shown(programme, today)


def _holidays_shown(programme: ProgrammeView, today: date) -> None:
    st.header("Public holidays")
    policy = programme.policy
    if policy.holidays_country is None:
        st.caption("They are days like any other. To close on them, name the country under *Policy*, and the region"
                   " where it has holidays of its own.")
        return
    place = "-".join(filter(None, (policy.holidays_country, policy.holidays_region)))
    st.caption(f"Closed on the public holidays of {place}; the place is changed under *Policy*. The coming year:")
    st.markdown("\n".join(f"- **{_day(day)}** · {plain(name)}" for day, name in _holidays(programme, today)))


def _clicked(programme_id: int, ids: list[int]) -> None:
    click = st.session_state["closure-action"]
    if click["label"] == _EDIT:
        panel.open_("closure", programme_id, ids[click["row"]])
    else:
        feedback.act(remove_closures, [ids[click["row"]]])


def panels(programme: ProgrammeView) -> None:
    """Whatever is open over them."""
    panel.show("closure", "Closure", _edit)


def _edit(programme_id: int, closure_id: int) -> None:
    """A closure; 0 is a new one."""
    form = Form(f"closure-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        programme = programme_of(work, programme_id)
        known = next((each for each in closures_of(work, programme_id, FIRST_DAY) if each.id == closure_id), None)
    if closure_id and known is None:
        st.info("This closure is not there any more.")
        return
    form.preset("name", known.name if known else "")
    form.preset("first_day", known.first_day.isoformat() if known else "")
    form.preset("last_day", known.last_day.isoformat() if known else "")
    st.text_input("What for", key=form.field("name"), autocomplete="off", placeholder="Such as Winter break")
    form.problem("name")
    left, right = st.columns(2, gap="small")
    with left:
        typed.day("First day", form, "first_day", programme.zone)
    with right:
        typed.day("Last day", form, "last_day", programme.zone, placeholder="Same day")

    def send(now: Form, wanted: Closed) -> None:
        days = (date.fromordinal(wanted.first), date.fromordinal(wanted.last))
        if closure_id:
            now.send(edit_closure, closure_id, wanted.name, *days)
        else:
            now.send(add_closure, programme_id, wanted.name, *days)

    form.show_refusal()
    effects.finish(form, lambda now: _wanted(now, programme),
                   lambda wanted: Change(programme_id, closed=wanted) if wanted.name else None, send)


def _wanted(form: Form, programme: ProgrammeView) -> Closed | dict[str, str]:
    """The days as the rules take them, or what is wrong with what was typed."""
    first, last = (typed.day_of(form, name, programme.zone) for name in ("first_day", "last_day"))
    said = {"first_day": first or typed.NO_DAY, "last_day": last}
    if problems := {name: found for name, found in said.items() if isinstance(found, str)}:
        return problems
    assert isinstance(first, date)  # else it is among the problems
    name = (form.value("name") or "").strip()
    return Closed(first.toordinal(), (last if isinstance(last, date) else first).toordinal(), name)

"""The planner of a series: how every date stands, what to do about it, and booking what is left (C10)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.clock import when_words
from core.errors import Invalid, Refusal
from core.people.queries import names
from core.series.commands import book_series
from core.series.queries import Planned, plan
from core.series.rules import KEEP, Choice, Rule, State, What
from core.sessions.rules import Booking
from core.work import Work
from ui import book_form, repeat, runtime
from ui.book_form import Setting
from ui.format import capital, plain, zone_words
from ui.format import names as listed_names
from ui.forms import Form
from ui.turning import Turned

PAGE = 20
MARKS = {
    State.OK: ":green[:material/check_circle: OK]", State.CLASH: ":red[:material/event_busy: Clash]",
    State.CLOSED: ":orange[:material/lock_clock: Closed]", State.NO_ROOM: ":red[:material/meeting_room: No room]",
    State.SKIPPED: ":gray[:material/do_not_disturb_on: Skipped]",
}
WHY = {State.CLASH: "Somebody is busy then.", State.NO_ROOM: "The room is taken then."}
"""What is filled in as the reason to skip a date; whoever takes part reads it."""


def is_open(form: Form) -> bool:
    """Whether the dates are shown in place of the form."""
    return "planning" in form.state


def begin(form: Form, about: Setting) -> None:
    """On to the dates, once nothing stands against all of them. For a button's `on_click`."""
    wanted, rule = book_form.told(form, about), repeat.rule(form, about.zone)
    problems = dict(form.state.get("problems", {})) if wanted is None else {}
    if isinstance(rule, dict):
        problems.update(rule)
    if wanted is not None and isinstance(rule, Rule):
        try:
            with runtime.reading() as work:
                plan(work, wanted, rule, others_for=())
        except Invalid as refusal:
            problems = refusal.problems
        except Refusal as refusal:
            form.state["refusal"] = refusal
            return
        if not problems:
            form.state.update(planning=(wanted, rule), problems={})
            form.state.pop("refusal", None)
            form.state.setdefault("choices", {})
            return
    form.fail(problems)


def back(form: Form) -> None:
    """To the form, with everything as it was typed. For a button's `on_click`."""
    form.state.pop("planning", None)
    form.state.pop("refusal", None)


def draw(work: Work, form: Form, about: Setting) -> None:
    """The dates with what to do about each, and the ways on and back."""
    wanted, rule = form.state["planning"]
    choices: dict[date, Choice] = form.state["choices"]
    rows = plan(work, wanted, rule, choices, ())
    open_ = [row for row in rows if not row.settled]
    words = about.programme.policy.words
    st.subheader(capital(rule.words()), anchor=False)
    st.markdown(f"{_totals(rows)} · {_whom(work, about, wanted)}")
    if refusal := form.refused():
        st.error(plain(refusal.sentence), icon=":material/block:")
    with st.container(horizontal=True):
        st.button("Skip all with problems", icon=":material/do_not_disturb_on:", key="plan-skip-all",
                  disabled=not open_, on_click=_skip_all, args=(form, open_))
        st.button("Move all to the times offered", icon=":material/event_repeat:", key="plan-move-all",
                  disabled=not any(row.offered for row in open_), on_click=_move_all, args=(form, open_))
    _grid(work, form, about, wanted, rule, rows)
    going = sum(1 for row in rows if row.state is not State.SKIPPED)
    with st.container(horizontal=True, vertical_alignment="center"):
        many = words.session if going == 1 else words.many("session")
        st.button(f"Book {going} {many}", type="primary", icon=":material/event_available:", key="plan-book",
                  disabled=bool(open_) or not going, on_click=_send, args=(form, wanted, rule, rows))
        st.button("Back", key="plan-back", icon=":material/arrow_back:", on_click=back, args=(form,))
        if open_:
            st.caption(f"{_counted(len(open_), 'date')} left to settle: skip, move or change who leads.")


def _whom(work: Work, about: Setting, wanted: Booking) -> str:
    """'Tom Brady with The Bakers'."""
    ids = [each for each in (wanted.practitioner_id, *wanted.learner_ids) if each is not None]
    named = names(work, wanted.programme_id, ids)
    learners = [named[each] for each in wanted.learner_ids if each in named]
    team = next((each.name for each in about.lists.teams if each.id == wanted.team_id), "")
    leads = named.get(wanted.practitioner_id or 0, f"no {about.programme.policy.words.practitioner} yet")
    return " with ".join(plain(each) for each in (leads, listed_names(learners, 3) or team) if each)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _totals(rows: Sequence[Planned]) -> str:
    counts = Counter(row.state for row in rows)
    said = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return f"**{_counted(len(rows), 'date')}**: {said}"


def _send(form: Form, wanted: Booking, rule: Rule, rows: Sequence[Planned]) -> None:
    """Book what is shown, as one act however often it is pressed."""
    form.state["stay"] = False
    form.send(book_series, wanted, rule, {row.day: row.choice for row in rows if row.choice != KEEP})


def _skip(row: Planned) -> Choice:
    return Choice(What.SKIP, WHY.get(row.state, row.why))


def _skip_all(form: Form, rows: Sequence[Planned]) -> None:
    form.state["choices"].update({row.day: _skip(row) for row in rows})


def _move_all(form: Form, rows: Sequence[Planned]) -> None:
    form.state["choices"].update({row.day: Choice(What.MOVE, starts_at=row.offered) for row in rows if row.offered})


def _grid(
    work: Work, form: Form, about: Setting, wanted: Booking, rule: Rule, rows: Sequence[Planned]
) -> None:
    """So many dates at a time, all or those that need something."""
    turned = form.field("plan-page")
    listed = list(rows)
    if len(rows) > PAGE:
        only = st.toggle("Only dates that do not go as planned", key=form.field("plan-only"),
                         on_change=lambda: st.session_state.pop(turned, None))
        listed = [row for row in rows if not row.settled or row.choice != KEEP] if only else listed
    page = Turned(listed, PAGE, turned)
    shown = {row.day for row in page.shown}
    if any(row.day in shown and (not row.settled or row.choice.what is What.OTHER) for row in rows):
        rows = plan(work, wanted, rule, form.state["choices"], shown)
    for row in rows:
        if row.day in shown:
            _row(form, row, about.zone)
    if not listed:
        st.caption("Every date goes as planned.")
    page.turn()
    if rows:
        st.caption(f"Times are in {zone_words(about.zone, rows[0].starts_at)}.")


def _row(form: Form, row: Planned, zone: ZoneInfo) -> None:
    with st.container(border=True, key=f"plan-{row.day}"):
        when, how, what, more = st.columns([4, 5, 4, 4], gap="small", vertical_alignment="center")
        said = when_words(row.starts_at, zone, row.ends_at)
        with when:
            st.markdown(f"~~{said}~~" if row.state is State.SKIPPED else f"**{said}**")
        with how:
            remark = f"  \n:blue[:material/schedule: {plain(row.remark)}]" if row.remark else ""
            why = f"  \n{plain(row.why)}" if row.why and row.state is not State.SKIPPED else ""
            st.markdown(f"{MARKS[row.state]}{why}{remark}")
        with what:
            _what(form, row, said, zone)
        with more:
            _more(form, row, said)


def _what(form: Form, row: Planned, said: str, zone: ZoneInfo) -> None:
    """The list of what can be done about a date."""
    chosen = row.choice
    at = chosen.starts_at if chosen.what is What.MOVE else row.offered
    ways: dict[What, str] = {What.KEEP: "Book it" if row.settled or chosen.what is not What.KEEP else "Choose…"}
    if at is not None:
        ways[What.MOVE] = f"Move to {when_words(at, zone)}"
    if row.others or chosen.what is What.OTHER:
        ways[What.OTHER] = "Somebody else leads"
    if row.overridable or chosen.what is What.ANYWAY:
        ways[What.ANYWAY] = "Book it all the same"
    ways[What.SKIP] = "Skip it"
    key = form.field(f"plan-what-{row.day}")
    st.session_state[key] = chosen.what

    def choose() -> None:
        picked = st.session_state[key]
        made: Mapping[What, Choice] = {
            What.MOVE: Choice(What.MOVE, starts_at=at), What.SKIP: _skip(row), What.ANYWAY: Choice(What.ANYWAY),
            What.OTHER: Choice(What.OTHER, practitioner_id=row.others[0].id if row.others else None),
        }
        form.state["choices"][row.day] = made.get(picked, KEEP)

    st.selectbox(f"What to do on {said}", list(ways), format_func=lambda way: ways.get(way, ""), key=key,
                 on_change=choose, label_visibility="collapsed", required=True)


def _more(form: Form, row: Planned, said: str) -> None:
    """Why, or who instead, where what was chosen asks for it."""
    chosen, key = row.choice, form.field(f"plan-more-{row.day}")

    def keep(**changed: Any) -> None:
        form.state["choices"][row.day] = Choice(
            **{"what": chosen.what, "reason": chosen.reason, "practitioner_id": chosen.practitioner_id, **changed})

    if chosen.what in (What.SKIP, What.ANYWAY):
        st.session_state[key] = chosen.reason
        st.text_input(f"Reason for {said}", key=key, placeholder="Why? *", label_visibility="collapsed", max_chars=300,
                      on_change=lambda: keep(reason=st.session_state[key]))
    elif chosen.what is What.OTHER:
        people = {each.id: each.name for each in row.others}
        if chosen.practitioner_id is not None:
            people.setdefault(chosen.practitioner_id, "chosen before")
        key = f"{key}-who"
        st.session_state[key] = chosen.practitioner_id
        st.selectbox(f"Who leads on {said}", list(people), format_func=lambda id_: people.get(id_, ""), key=key,
                     label_visibility="collapsed", on_change=lambda: keep(practitioner_id=st.session_state[key]))

"""The forms for a programme's policy and words, with what a change would bring about before it is saved."""

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

import streamlit as st

from core.availability.affected import Change
from core.errors import Invalid
from core.programmes.commands import change_policy, policy_effects, policy_words
from core.programmes.queries import ProgrammeView
from core.programmes.rules import (
    DAYS,
    LONGEST,
    NUMBERS,
    BookingField,
    Policy,
    Switchable,
    WhoBooks,
    Words,
    changed_policy,
    who_books_words,
)
from ui import effects, feedback, runtime, stale
from ui.format import capital, plain
from ui.forms import Form

_SAID_OF_WORDS = {
    "practitioner": "Who leads", "learner": "Who attends", "session": "What they do together",
    "team": "Learners together", "course": "What it is about",
}


def policy(programme: ProgrammeView) -> None:
    """Everything but the words."""
    form = opened("policy", programme)
    _preset_policy(form, programme.policy)
    new, problems = _read(form, programme, _said_policy)
    form.holds_now(problems)
    words = programme.policy.words

    st.header("Booking")
    st.radio(
        "Who books", list(WhoBooks), key=form.field("who_books"), persist_state="session",
        format_func=lambda way: capital(_way(way, words)),
        captions=[who_books_words(programme.policy.model_copy(update={"who_books": way})) for way in WhoBooks],
    )
    st.pills(
        "A booking cannot be saved without", list(BookingField), selection_mode="multi", wrap=True,
        key=form.field("required"), persist_state="session",
        format_func=lambda field: capital(words.asked(field)),
    )
    form.problem("required")
    st.multiselect(
        f"Types of {words.session}", list(dict.fromkeys([*programme.policy.types, *(form.value("types") or ())])),
        key=form.field("types"), accept_new_options=True, placeholder="Type a new one, then Enter",
        persist_state="session",
    )
    form.problem("types")
    if {each.casefold() for each in form.value("types") or ()} & {each.casefold() for each in Switchable}:
        st.pills(
            "Change enrolments when held", list(Switchable), selection_mode="multi", wrap=True,
            key=form.field("effects"), persist_state="session", format_func=capital,
            help="Induction, initial and out of the workplace always do their part.",
        )
        form.problem("effects")
    left, right = st.columns(2)
    for column, name, label in ((left, "usual_minutes", "Usual length, in minutes"),
                                (right, "longest_minutes", "Longest length, in minutes")):
        with column:
            st.number_input(label, key=form.field(name), persist_state="session", step=5, value=None)
            form.problem(name)
    st.toggle("Smart rooms: virtual rooms that may record", key=form.field("smart_rooms"), persist_state="session")
    st.toggle(f"A new {words.session} asks for a report before it is complete", key=form.field("report_required"),
              persist_state="session")

    st.header(f"After the {words.session}")
    st.toggle(f"Each {words.session} held needs a note; its pay waits for it", key=form.field("notes_required"),
              persist_state="session")
    for row in (
        (("log_hours", "Hours until it is to be logged", 1),
         ("missed_wait", f"Minutes to wait for a missing {words.learner}", 5)),
        (("remind_every", f"Guardians are reminded of notes every so many {words.many('session')}", 1),),
    ):
        for column, (name, label, step) in zip(st.columns(2), row, strict=False):
            with column:
                st.number_input(label, key=form.field(name), persist_state="session", step=step, value=None)
                form.problem(name)
    st.caption("Waiting 0 minutes asks for no protocol. Without a number guardians are not reminded.")

    st.header("Opening hours")
    st.caption(f"In {programme.zone_name.replace('_', ' ')}. Outside them, staff need to give a reason. An end at 00:00"
               " is midnight.")
    for number, day in enumerate(DAYS):
        _day(form, number, day)

    st.header("How sessions are placed")
    for row in (
        (("buffer_before", "Minutes free before each", 5), ("buffer_after", "Minutes free after each", 5)),
        (("notice_minutes", "Notice, in minutes", 5), ("ahead_days", "Days ahead at most", 1)),
        (("most_a_day", f"Most a day for one {words.practitioner}", 1),
         ("most_a_week", f"Most a week for one {words.practitioner}", 1)),
    ):
        for column, (name, label, step) in zip(st.columns(2), row, strict=True):
            with column:
                st.number_input(label, key=form.field(name), persist_state="session", step=step, value=None)
                form.problem(name)
    st.caption("Days ahead and limits may stay empty: then there is none.")
    left, right = st.columns(2)
    with left:
        st.text_input("Closed on the public holidays of", key=form.field("holidays_country"), max_chars=2,
                      persist_state="session", placeholder="Country, such as GB")
        form.problem("holidays_country")
    with right:
        st.text_input("Region", key=form.field("holidays_region"), max_chars=10, persist_state="session",
                      placeholder="Such as ENG, or nothing")
        form.problem("holidays_region")
    _save(form, programme, new, _said_policy)


def words(programme: ProgrammeView) -> None:
    """What people and things are called."""
    form = opened("words", programme)
    for name in Words.model_fields:
        form.preset(f"words.{name}", getattr(programme.policy.words, name))
    new, problems = _read(form, programme, _said_words)
    form.holds_now(problems)
    st.caption("In the singular, lower case, as in the middle of a sentence. Screens take them up at the next click.")
    for name, label in _SAID_OF_WORDS.items():
        st.text_input(label, key=form.field(f"words.{name}"), persist_state="session", width=400)
        form.problem(f"words.{name}")
    if new is not None:
        said = new.words
        st.info(
            f"Screens will say: “{capital(plain(said.practitioner))} Ann meets the {plain(said.learner)} Bo, or a whole"
            f" {plain(said.team)}, for {plain(said.a('session'))} on {plain(said.a('course'))}. All"
            f" {plain(said.many('session'))} of all {plain(said.many('practitioner'))} and"
            f" {plain(said.many('learner'))} are in one list.”", icon=":material/chat:",
        )
    _save(form, programme, new, _said_words)


# Parts -------------------------------------------------------------------------------------------------------------


def opened(name: str, programme: ProgrammeView) -> Form:
    """One of the forms that change the programme as a whole, carrying the version it was opened with."""
    form = Form(f"{name}-{programme.id}")
    if saved := form.done():
        feedback.tell(saved)
        _own_change(programme)
        st.rerun()
    form.begun_from(programme.version)
    return form


def _own_change(programme: ProgrammeView) -> None:
    """One's other forms of this programme do not take one's own change for somebody else's."""
    for name in ("policy", "words", "programme"):
        state = st.session_state.get(f"form:{name}-{programme.id}")
        if state and state.get("version") == programme.version - 1:
            state["version"] = programme.version


def _preset_policy(form: Form, known: Policy) -> None:
    for name in ("who_books", "usual_minutes", "longest_minutes", "smart_rooms", "report_required",
                 "notes_required", *NUMBERS):
        form.preset(name, getattr(known, name))
    for name in ("holidays_country", "holidays_region"):
        form.preset(name, getattr(known, name) or "")
    form.preset("required", [field for field in BookingField if field in known.required])
    form.preset("types", list(known.types))
    form.preset("effects", [each for each in Switchable if each in known.effects])
    for number, hours in enumerate(known.open_hours):
        start, end = hours or (9 * 60, 17 * 60)
        form.preset(f"open.{number}", hours is not None)
        form.preset(f"from.{number}", time(start // 60, start % 60))
        form.preset(f"to.{number}", time(end // 60 % 24, end % 60))


def _day(form: Form, number: int, day: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        is_open = st.checkbox(day, key=form.field(f"open.{number}"), persist_state="session", width=110)
        if is_open:
            st.time_input(f"{day} from", key=form.field(f"from.{number}"), label_visibility="collapsed", width=95,
                          persist_state="session")
            st.markdown("–", width="content")
            st.time_input(f"{day} to", key=form.field(f"to.{number}"), label_visibility="collapsed", width=95,
                          persist_state="session")
        else:
            st.caption("closed", width="content")
    form.problem(f"hours.{number}")


def _said_policy(form: Form) -> dict[str, Any]:
    said = {name: form.value(name) for name in (
        "who_books", "required", "types", "effects", "usual_minutes", "longest_minutes", "smart_rooms",
        "report_required", "notes_required", *NUMBERS, "holidays_country", "holidays_region")}
    for number in range(len(DAYS)):
        said[f"hours.{number}"] = _hours(form, number)
    return said


def _hours(form: Form, number: int) -> tuple[int, int] | None:
    """Minutes after midnight; what a day had while it was open is kept for when it is open again."""
    if not form.value(f"open.{number}"):
        return None
    kept = form.state.setdefault("hours", {})
    start, end = (form.value(f"{which}.{number}") or kept.get((which, number)) for which in ("from", "to"))
    if start is None or end is None:
        return (0, 0)
    return (start.hour * 60 + start.minute, (end.hour * 60 + end.minute) or LONGEST)


def _said_words(form: Form) -> dict[str, Any]:
    return {f"words.{name}": form.value(f"words.{name}") for name in Words.model_fields}


def _read(
    form: Form, programme: ProgrammeView, said: Callable[[Form], Mapping[str, Any]]
) -> tuple[Policy | None, dict[str, str]]:
    """The policy as the form has it, or what is wrong with it."""
    try:
        return changed_policy(programme.policy, said(form)), {}
    except Invalid as problem:
        return None, problem.problems


def _save(
    form: Form, programme: ProgrammeView, new: Policy | None, said: Callable[[Form], Mapping[str, Any]]
) -> None:
    """What would change, and the button that does it."""
    stale.both(form, policy_words(new) if new else {}, mine_over_it=lambda: _send(form, programme, said),
               take_theirs=form.clear)
    changed = new is not None and new != programme.policy
    if new is not None and changed:
        with st.container(border=True, key=form.field("effects")), runtime.reading() as work:
            st.markdown("**What changes when you save**")
            st.markdown("\n".join(f"- {plain(said)}" for said in policy_effects(work, programme.id, new)))
            effects.listed(work, Change(programme.id, policy=new))
    if form.stale is None:
        form.show_refusal()
    with st.container(horizontal=True):
        st.button("Save", type="primary", key=form.field("save"), disabled=not changed, on_click=_send,
                  args=(form, programme, said))
        if changed or new is None:
            st.button("Discard", key=form.field("discard"), on_click=form.clear)


def _send(form: Form, programme: ProgrammeView, said: Callable[[Form], Mapping[str, Any]]) -> None:
    new, problems = _read(form, programme, said)
    if new is None:
        form.fail(problems)
    else:
        form.send(change_policy, programme.id, new, form.state["version"])


def _way(way: WhoBooks, words: Words) -> str:
    return {
        WhoBooks.STAFF: "staff only", WhoBooks.STAFF_AND_PRACTITIONERS: f"staff and {words.many('practitioner')}",
        WhoBooks.CLIENTS_TOO: f"staff, {words.many('practitioner')} and {words.many('learner')}",
    }[way]

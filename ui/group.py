"""Who takes part in a group: ticking learners, adding them, its places, and who waits."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.permissions import Action
from core.programmes.queries import ProgrammeView
from core.programmes.rules import Words
from core.sessions.choosing import Among, busy_then, offered
from core.sessions.groups import add_learners, leave_waiting, remove_learners, set_places
from core.sessions.queries import Part, Worksheet
from core.sessions.rules import MOST_LEARNERS
from core.structure.queries import Option, options
from core.words import Role
from core.work import Work
from ui import feedback, people_picker, runtime, session_panel
from ui.format import capital, plain, when
from ui.forms import Form
from ui.session_panel import About

MOST_SHOWN = 30
"""Learners offered at once; filters bring up the others."""


# Ticking -----------------------------------------------------------------------------------------------------------


def chosen(form: Form) -> dict[int, str]:
    """Who is ticked, by id, in the order of ticking."""
    found: dict[int, str] = form.state.setdefault("chosen", {})
    return found


def pick(
    work: Work, form: Form, programme: ProgrammeView, at: tuple[datetime | None, datetime | None], *,
    leave_out: Collection[int] = (), but: int | None = None,
) -> None:
    """Filters, and a tick for each learner found; who is busy then is marked. What is ticked stays so, shown or not."""
    ticked = chosen(form)
    found = [one for one in offered(work, programme.id, _among(work, form, programme), MOST_SHOWN + 1 + len(leave_out))
             if one.id not in leave_out]
    shown = dict(zip((one.id for one in found[:MOST_SHOWN]), people_picker.labels(found[:MOST_SHOWN]), strict=True))
    besides = {id_: name for id_, name in ticked.items() if id_ not in shown}
    busy = busy_then(work, programme.id, [*shown, *besides], *at, but)
    for listed in (besides, shown):
        for id_, label in listed.items():
            _tick(form, id_, label, busy.get(id_))
    if len(found) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} by name. Filters bring up the others.")
    elif not found:
        st.caption(f"No other {programme.policy.words.learner} like that.")


def _tick(form: Form, id_: int, label: str, busy: str | None) -> None:
    key = form.field(f"tick-{id_}")
    st.session_state[key] = id_ in chosen(form)

    def turn() -> None:
        now = Form(form.name)
        if st.session_state[key]:
            chosen(now)[id_] = label
        else:
            chosen(now).pop(id_, None)
        now.state.pop("refusal", None)  # it was about others
        now.state.get("problems", {}).pop("who", None)

    said = f" — :orange[:material/event_busy: {plain(busy)}]" if busy else ""
    st.checkbox(plain(label) + said, key=key, on_change=turn)


def _among(work: Work, form: Form, programme: ProgrammeView) -> Among:
    words, lists = programme.policy.words, options(work, programme.id).open
    first, second, third, fourth = st.columns(4)
    with first:
        text = st.text_input("Name", key=form.field("filter-text"), persist_state="session", autocomplete="off",
                             icon=":material/search:")
    with second:
        course = _choice(capital(words.course), lists.courses, form.field("filter-course"))
    with third:
        team = _choice(capital(words.team), lists.teams, form.field("filter-team"))
    with fourth:
        leader = people_picker.person(
            work, programme.id, Role.PRACTITIONER, "Led before by", form.field("filter-leader"))
    return Among(text or "", course, team, leader)


def _choice(label: str, listed: Sequence[Option], key: str) -> int | None:
    names = {each.id: each.name for each in listed}
    return st.selectbox(label, list(names), index=None, format_func=lambda id_: names.get(id_, ""), key=key,
                        placeholder="Any", persist_state="session")


def without(form: Form, ticked: Collection[int]) -> list[str]:
    """Names of those who stood against it by being busy, where it can be done without them."""
    busy = form.busy
    if busy is None or not busy.clashes:
        return []
    people = {clash.person_id: clash.who for clash in busy.clashes}
    return sorted(people.values()) if set(ticked) > people.keys() else []


# Panels of a worksheet ------------------------------------------------------------------------------------------------


def add(about: About) -> None:
    """Take learners in, or put them on the waiting list."""
    form, sheet, words = about.form, about.sheet, about.programme.policy.words
    taken = sum(1 for part in sheet.parts if part.takes_place)
    if sheet.places is not None:
        st.caption(f"{taken} of {sheet.places} places are taken. Whoever finds none goes on the waiting list, in the"
                   " order of ticking.")
    pick(about.work, form, about.programme, (sheet.row.starts_at, sheet.row.ends_at), but=about.id,
         leave_out={*(part.learner_id for part in sheet.parts if part.takes_place),
                    *(waits.learner_id for waits in sheet.waiting)})
    form.problem("who", "room")

    def send(without_busy: bool = False) -> None:
        now = Form(form.name)
        if not chosen(now):
            now.fail({"who": "Tick at least one."})
        else:
            now.send(add_learners, about.id, list(chosen(now)), without_busy=without_busy,
                     version=now.state["version"])

    session_panel.both_versions(about, {}, send)
    session_panel.refused_busy(form)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Add {words.many('learner')}", type="primary", key=form.field("send"), on_click=send)
        if names := without(form, chosen(form)):
            st.button(f"Add without {plain(and_(names))}", key=form.field("without"), on_click=send, args=(True,))
        st.markdown(f"{len(chosen(form))} chosen", width="content")


def places(about: About) -> None:
    """How many learners it takes."""
    form, words = about.form, about.programme.policy.words
    form.preset("places", about.sheet.places)
    st.number_input("Places", value=None, step=1, key=form.field("places"), on_change="ignore",
                    placeholder="No set number",
                    help=f"How many {words.many('learner')} take part at most, up to {MOST_LEARNERS}. New places go to"
                         " the waiting list, in order.")
    form.problem("places")

    def send() -> None:
        now = Form(form.name)
        now.send(set_places, about.id, now.value("places"), version=now.state["version"])

    session_panel.both_versions(about, {}, send)
    st.button("Save", type="primary", key=form.field("send"), on_click=send)


# The worksheet --------------------------------------------------------------------------------------------------------


def head(sheet: Worksheet, words: Words, acting: bool) -> None:
    """How many places are taken, and what can be done about that."""
    taken = sum(1 for part in sheet.parts if part.takes_place)
    with st.container(horizontal=True, vertical_alignment="center"):
        if sheet.places is not None:
            st.markdown(f"**{taken} of {sheet.places}** places taken", width="content")
        if acting:
            st.button(f"Add {words.many('learner')}", icon=":material/group_add:", key="group-add",
                      on_click=session_panel.open_, args=("learners", sheet.row.id))
            st.button("Places", icon=":material/event_seat:", key="group-places",
                      on_click=session_panel.open_, args=("places", sheet.row.id))


def removing(sheet: Worksheet, part: Part) -> None:
    """*Remove…* beside a learner; it asks once."""
    with st.popover("Remove…", type="tertiary", key=f"group-remove-{part.learner_id}"):
        st.markdown(f"{plain(part.name)} is told. The place goes to whoever waits first.")
        st.button(f"Remove {plain(part.name)}", type="primary", key=f"group-removed-{part.learner_id}",
                  on_click=feedback.act, args=(remove_learners, sheet.row.id, [part.learner_id]))


def waiting(sheet: Worksheet, zone: ZoneInfo, acting: bool) -> None:
    """The waiting list in order; whoever waits sees their own place alone."""
    if not sheet.waiting:
        return
    if Action.SESSION_FILL not in sheet.may and len(sheet.waiting) == 1:
        one = sheet.waiting[0]
        mine = one.learner_id == runtime.who()
        said = "You are" if mine else f"{plain(one.name)} is"
        st.info(f"{said} number {one.place} on the waiting list, since {when(one.since, None, zone)}."
                " You are told here as soon as there is a place.", icon=":material/hourglass_top:")
        return
    st.subheader("Waiting list", anchor=False)
    for one in sheet.waiting:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{one.place}\\. **{plain(one.name)}** since {when(one.since, None, zone)}", width="content")
            if acting:
                st.button("Take off the list", type="tertiary", key=f"group-off-{one.learner_id}",
                          on_click=feedback.act, args=(leave_waiting, sheet.row.id, [one.learner_id]))


def and_(names: Sequence[str]) -> str:
    """'Ann, Bo and Cy'."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


__all__ = ["add", "and_", "chosen", "head", "pick", "places", "removing", "waiting", "without"]

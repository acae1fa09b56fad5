"""Engagements: their list and forms, and the lines about them on a worksheet, a profile and in the booking form."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.clock import FIRST_DAY, LAST_DAY
from core.engagements.commands import add_engagement, bring_back_engagement, edit_engagement, retire_engagement
from core.engagements.queries import PAGE, Meeting, Page, Row, engagement, engagement_page, engagements_of, matching
from core.engagements.rules import FIELDS, NewEngagement, hours
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.queries import Worksheet
from core.words import Role
from core.work import Work
from ui import feedback, panel, people_picker, runtime
from ui.format import capital, plain
from ui.forms import Form

_EDIT, _RETIRE, _BACK = "Edit", "Retire", "Bring back"
_AT, _ASKED = "engagements-page", "engagements-asked"


def screen(programme: ProgrammeView) -> None:
    """The list, with what can be done to each."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Engagements", width="content")
        st.button("Add an engagement", type="primary", icon=":material/add:", key="engagement-add",
                  on_click=panel.open_, args=("engagement-new", programme.id))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="engagements-text", placeholder="Its name, or somebody's in it",
                             autocomplete="off", width=320)
        retired = st.toggle("Show retired", key="engagements-retired")
    if st.session_state.get(_ASKED) != (text, retired):  # another list begins at its first page
        st.session_state[_ASKED], st.session_state[_AT] = (text, retired), 1
    with runtime.reading() as work:
        page = engagement_page(work, programme.id, text=text, retired=retired, number=st.session_state[_AT])
    if page.rows:
        _table(programme, page)
    elif text:
        st.info("No engagement is called like that.", icon=":material/search_off:")
    else:
        st.info("There is no engagement yet. Add the first one.", icon=":material/playlist_add:")
    panel.show("engagement-new", "Add an engagement", _new)
    panel.show("engagement-edit", "Edit", _edit)


def _table(programme: ProgrammeView, page: Page) -> None:
    words, first = programme.policy.words, (page.number - 1) * PAGE + 1
    st.caption(f"{first}–{first + len(page.rows) - 1} of {page.total:,}. {capital(words.many('session'))} count towards"
               " the one engagement that covers their day when they are booked.")
    if page.pages > 1:
        st.pagination(page.pages, key=_AT, width=400)
    st.dataframe(
        _frame(page.rows, programme), hide_index=True, height="content", key="engagements-table",
        alt=f"Engagements of {programme.name}", column_config={
            "Change": st.column_config.ButtonColumn("Change", key="engagement-action", on_click=_clicked, args=(
                programme.id, [each.id for each in page.rows]))},
    )


def _frame(rows: list[Row], programme: ProgrammeView) -> pd.DataFrame:
    words = programme.policy.words
    columns: dict[str, list[Any]] = {
        "Name": [each.name for each in rows], capital(words.practitioner): [each.practitioner for each in rows],
        f"{capital(words.learner)} or {words.team}": [each.whom for each in rows],
        "Agreed": [hours(each.hours.agreed) if each.hours.agreed is not None else "" for each in rows],
        "Held": [hours(each.hours.used) for each in rows], "Booked": [hours(each.hours.booked) for each in rows],
        "Left": [hours(each.hours.left) if each.hours.left is not None else "" for each in rows],
        "Days": [days(each) for each in rows], "State": ["retired" if each.retired else "in use" for each in rows],
        "Change": [[_EDIT, _BACK if each.retired else _RETIRE] for each in rows],
    }
    return pd.DataFrame(columns)


def days(each: Row) -> str:
    """'from 2 Mar 2026 until 3 May 2026', as far as it says so."""
    said = [f"{word} {day:%-d %b %Y}" for word, day in (("from", each.from_day), ("until", each.until_day)) if day]
    return " ".join(said)


def _clicked(programme_id: int, ids: list[int]) -> None:
    click = st.session_state["engagement-action"]
    id_ = ids[click["row"]]
    if click["label"] == _EDIT:
        panel.open_("engagement-edit", programme_id, id_)
    else:
        feedback.act(retire_engagement if click["label"] == _RETIRE else bring_back_engagement, id_)


def _new(programme_id: int) -> None:
    form = Form(f"engagement-new-{programme_id}")
    panel.finish(form)
    with runtime.reading() as work:
        if not may(work, Action.LISTS_EDIT, programme_id):
            return
        words = programme_of(work, programme_id).policy.words
        people_picker.person(work, programme_id, Role.PRACTITIONER, capital(words.practitioner),
                             form.field("practitioner"))
        form.problem("practitioner")
        form.preset("with", words.learner)
        way = st.segmented_control("With", [words.learner, words.team], format_func=capital, key=form.field("with"),
                                   required=True)
        if way == words.team:
            people_picker.team(work, programme_id, capital(words.team), form.field("team"))
        else:
            people_picker.person(work, programme_id, Role.LEARNER, capital(words.learner), form.field("learner"))
        form.problem("who")
    _fields(form)
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_new,
              args=(form, programme_id, way == words.team))


def _edit(programme_id: int, engagement_id: int) -> None:
    form = Form(f"engagement-edit-{engagement_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = engagement(work, programme_id, engagement_id)
    if known is None:
        st.info("This is not in the list any more.")
        return
    form.state.setdefault("version", known.version)
    form.preset("name", known.name)
    form.preset("hours", None if known.hours.agreed is None else known.hours.agreed / 60)
    form.preset("from_day", known.from_day)
    form.preset("until_day", known.until_day)
    st.markdown(f"**{plain(known.practitioner)}** with **{plain(known.whom)}** · {known.hours.sentence}")
    _fields(form)
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_edit, args=(form, engagement_id))


def _fields(form: Form) -> None:
    st.text_input("Name", key=form.field("name"), autocomplete="off")
    form.problem("name")
    st.number_input("Agreed hours (optional)", key=form.field("hours"), step=0.5, value=None)
    form.problem("agreed_minutes")
    left, right = st.columns(2)
    for place, name, label in ((left, "from_day", "First day (optional)"), (right, "until_day", "Last day (optional)")):
        with place:
            st.date_input(label, value=None, key=form.field(name), min_value=FIRST_DAY, max_value=LAST_DAY,
                          format="YYYY-MM-DD")
            form.problem(name)
    form.show_refusal()


def _said(form: Form) -> dict[str, Any]:
    agreed = form.value("hours")
    said = {name: form.value(name) for name in FIELDS}
    return {**said, "name": said["name"] or "", "agreed_minutes": None if agreed is None else round(agreed * 60)}


def _send_new(form: Form, programme_id: int, with_team: bool) -> None:
    form.send(add_engagement, programme_id, NewEngagement(
        practitioner_id=form.value("practitioner"), learner_id=None if with_team else form.value("learner"),
        team_id=form.value("team") if with_team else None, **_said(form)))


def _send_edit(form: Form, engagement_id: int) -> None:
    form.send(edit_engagement, engagement_id, _said(form), form.state["version"])


# Elsewhere ----------------------------------------------------------------------------------------------------------


def of_session(work: Work, sheet: Worksheet) -> str:
    """What a session counts towards, and what is left of it; empty where it counts towards nothing in sight."""
    found = engagement(work, sheet.programme_id, sheet.engagement_id)
    return f"{found.name}: {found.hours.sentence}" if found is not None else ""


def before_booking(
    work: Work, programme: ProgrammeView, practitioner_id: int | None, learners: tuple[int, ...], team_id: int | None,
    day: date | None, minutes: int | None,
) -> None:
    """How much is left of what a booking would count towards; a warning, and no refusal, where it goes beyond."""
    id_ = matching(work, programme.id, [Meeting(practitioner_id, learners, team_id, day)])[0]
    found = engagement(work, programme.id, id_)
    if found is None:
        return
    left, name = found.hours.left, plain(found.name)
    if left is not None and minutes is not None and minutes > left:
        st.warning(f"{name}: {found.hours.sentence}. This goes beyond what was agreed; it can be booked all the same.",
                   icon=":material/hourglass_bottom:")
    else:
        st.caption(f":material/hourglass_top: {name}: {found.hours.sentence}.")


def of_person(person_id: int, programmes: Mapping[int, ProgrammeView]) -> None:
    """A person's engagements, as far as the viewer may see."""
    with runtime.reading() as work:
        listed = [each for id_ in programmes for each in engagements_of(work, id_, person_id)]
    if not listed:
        return
    st.header("Engagements")
    for each in listed:
        when = f" · {days(each)}" if days(each) else ""
        st.markdown(f"**{plain(each.name)}** · {plain(each.practitioner)} with {plain(each.whom)}"
                    f" · {each.hours.sentence}{when}")

"""The panels that enrol learners, change one enrolment, and keep evidence."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.learning.commands import (
    EnrolmentEdit,
    add_evidence,
    change_enrolments,
    edit_evidence,
    enrol,
)
from core.learning.queries import Narrowed, enrolments, evidence
from core.people.queries import names
from core.programmes.queries import programme_of
from core.structure.queries import options
from core.words import EnrolmentStatus, Role
from ui import panel, people_picker, runtime, stale
from ui.format import capital, plain
from ui.forms import Form

_SHOWN = 8
"""Names told one by one."""


def panels() -> None:
    """Whatever is open of them."""
    panel.show("enrol", "Enrol", _enrol)
    panel.show("enrol-in", "Enrol", _enrol_in)
    panel.show("enrolment", "Change the enrolment", _change)
    panel.show("evidence-new", "Add evidence", _add)
    panel.show("evidence-edit", "Edit evidence", _edit)


def _enrol(programme_id: int, *learners: int) -> None:
    form = Form("enrol")
    panel.finish(form)
    with runtime.reading() as work:
        named = list(names(work, programme_id, learners).values())
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    st.markdown(f"**{plain(', '.join(named[:_SHOWN]))}{more}**")
    form.problem("learner")
    _into_a_course(form, programme_id, learners)


def _enrol_in(programme_id: int, course_id: int) -> None:
    """As `_enrol`, the other way round: the course is known, and learners are chosen by name, one after the other."""
    form = Form("enrol-in")
    panel.finish(form)
    form.preset("course", course_id)
    chosen: list[int] = form.state.setdefault("chosen", [])

    def add() -> None:
        learner = st.session_state[form.field("learner")]
        if learner is not None:
            st.session_state[form.field("learner")] = None  # the field is there for the next one
            change(learner, chosen=True)

    def change(learner: int, *, chosen: bool) -> None:
        now = Form(form.name).state
        now["chosen"] = [each for each in now["chosen"] if each != learner] + [learner] * chosen
        now.get("problems", {}).pop("learner", None)  # it was about others

    with runtime.reading() as work:
        words = programme_of(work, programme_id).policy.words
        people_picker.person(work, programme_id, Role.LEARNER, capital(words.many("learner")), form.field("learner"),
                             on_change=add)
        named = names(work, programme_id, chosen)
    form.problem("learner")
    for learner in chosen:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(named.get(learner, ''))}**", width="content")
            st.button("Take out", key=f"enrol-in-not-{learner}", type="tertiary", icon=":material/close:",
                      on_click=change, args=(learner,), kwargs={"chosen": False})
    _into_a_course(form, programme_id, chosen)


def _into_a_course(form: Form, programme_id: int, learners: Sequence[int]) -> None:
    with runtime.reading() as work:
        words = programme_of(work, programme_id).policy.words
        courses = {each.id: each.name for each in options(work, programme_id).open.courses}
    st.selectbox(capital(words.course), list(courses), index=None, format_func=lambda id_: courses.get(id_, ""),
                 key=form.field("course"), placeholder=f"Choose {words.a('course')}")
    form.problem("course")
    _days_and_hours(form)
    form.show_refusal()

    def send() -> None:
        now = Form(form.name)
        now.send(enrol, programme_id, now.value("course") or 0, list(learners), **_said(now))

    st.button("Enrol", type="primary", key=form.field("save"), on_click=send)


def _days_and_hours(form: Form) -> None:
    st.date_input("First day of learning", value=None, key=form.field("first_day"), format="YYYY-MM-DD",
                  help="Left empty, an initial session sets it when it is held.")
    form.problem("first_day")
    st.date_input("Planned end", value=None, key=form.field("planned_end"), format="YYYY-MM-DD")
    form.problem("planned_end")
    st.number_input("Required off-the-job hours", value=None, min_value=0.0, step=1.0, key=form.field("hours"),
                    help="Left empty, as many as the course asks for.")
    form.problem("off_job_minutes")


def _said(form: Form) -> dict[str, Any]:
    hours = form.value("hours")
    return {"first_day": form.value("first_day"), "planned_end": form.value("planned_end"),
            "off_job_minutes": None if hours is None else round(hours * 60)}


def _change(programme_id: int, learner_id: int, enrolment_id: int) -> None:
    form = Form(f"enrolment-{enrolment_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = next((each for each in enrolments(work, programme_id, Narrowed(learner_id=learner_id))
                      if each.id == enrolment_id), None)
    if known is None:
        st.info("This enrolment is not there any more.")
        return
    form.state.setdefault("version", known.version)
    form.opened_with(panel.key(), {
        "status": known.status, "first_day": known.first_day, "planned_end": known.own_end,
        "hours": None if known.own_minutes is None else known.own_minutes / 60})
    st.markdown(f"**{plain(known.learner)}** in **{plain(known.course)}**")

    def send() -> None:
        now = Form(form.name)
        now.send(change_enrolments, [EnrolmentEdit(
            enrolment_id, {"status": now.value("status"), **_said(now)}, now.state["version"])],
            now.value("reason") or "")

    said = {"status": str(form.value("status") or ""), "first day": str(form.value("first_day") or ""),
            "planned end": str(form.value("planned_end") or ""),
            "off-the-job hours": "" if form.value("hours") is None else f"{form.value('hours'):g}"}
    stale.both(form, said, mine_over_it=send, take_theirs=form.clear)
    st.selectbox("Status", list(EnrolmentStatus), key=form.field("status"), format_func=capital,
                 help="To leave the course is the status withdrawn.")
    form.problem("status")
    st.text_input("Reason for another status", key=form.field("reason"))
    form.problem("reason")
    _days_and_hours(form)
    if form.stale is None:
        form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=send)


def _add(programme_id: int, learner_id: int) -> None:
    form = Form(f"evidence-new-{learner_id}")
    panel.finish(form)
    _piece(form)
    st.button("Add", type="primary", key=form.field("save"), on_click=lambda: form.send(
        add_evidence, programme_id, learner_id, **_words(form)))


def _edit(programme_id: int, learner_id: int, evidence_id: int) -> None:
    form = Form(f"evidence-edit-{evidence_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = next((each for each in evidence(work, programme_id, learner_id, ()) if each.id == evidence_id), None)
    if known is None:
        st.info("This is not in the evidence any more.")
        return
    form.opened_with(panel.key(), {"title": known.title, "url": known.url, "note": known.note})
    _piece(form)
    st.button("Save", type="primary", key=form.field("save"), on_click=lambda: form.send(
        edit_evidence, evidence_id, form.changed(_words(form))))


def _piece(form: Form) -> None:
    st.text_input("Title", key=form.field("title"), autocomplete="off")
    form.problem("title")
    st.text_input("Link", key=form.field("url"), autocomplete="off", placeholder="https://…")
    form.problem("url")
    st.text_area("Note", key=form.field("note"), height=120)
    form.problem("note")
    form.show_refusal()


def _words(form: Form) -> dict[str, str]:
    return {name: form.value(name) or "" for name in ("title", "url", "note")}

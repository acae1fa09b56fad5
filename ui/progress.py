"""Everybody enrolled and how they come along, those at risk first: filters, table, export."""


import pandas as pd
import streamlit as st

from core.learning.export import NARROWS, narrowed
from core.learning.queries import Enrolled, enrolments
from core.learning.rules import ENDS
from core.people.queries import pick_among_few
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.structure.queries import options
from core.words import EnrolmentStatus, Role
from core.work import Work
from ui import exporting, navigation
from ui.format import capital
from ui.turning import Turned

PAGE = 50
FEW = 60
"""Up to so many practitioners are offered as a list."""
_TURNED = "turned"
_RISK = "yes"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Learning progress", width="content")
        exports = st.container(width="content")
    _filters(work, programme)
    said = {name: [str(value)] for name in NARROWS if (value := st.session_state.get(name))}
    found = enrolments(work, programme.id, narrowed(work, programme.id, said))
    with exports:
        exporting.offer("learning", {"programme": [programme.name], **said}, "Exactly what is filtered.")
    if not found:
        _nobody(work, programme, bool(said))
        return
    page = Turned(found, PAGE, _TURNED)
    _table(programme, page.shown)
    risk = sum(each.off_job.at_risk for each in found)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(found):,} {'enrolment' if len(found) == 1 else 'enrolments'}, {risk:,} at risk · click a line"
                   " for the learning plan", width="content")
        page.turn()


def _filters(work: Work, programme: ProgrammeView) -> None:
    words = programme.policy.words
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        st.text_input("Find", key="named", bind="query-params", icon=":material/search:", placeholder="Name", width=180,
                      autocomplete="off", on_change=_first_page)
        courses = [each.name for each in options(work, programme.id).courses]
        st.selectbox(capital(words.course), courses, index=None, key="enrolled", bind="query-params",
                     placeholder="Any", width=180, on_change=_first_page)
        st.selectbox("Status", [str(each) for each in EnrolmentStatus], index=None, key="standing",
                     bind="query-params", placeholder="Any", width=150, on_change=_first_page)
        few = pick_among_few(work, programme.id, Role.PRACTITIONER, FEW)
        if few is not None and len(few) > 1:
            names = [one.name for one in few]
            st.selectbox(capital(words.practitioner), [
                one.name if names.count(one.name) == 1 else f"{one.name} ~{one.id}" for one in few
            ], index=None, key="led", bind="query-params", placeholder="Any", width=180, on_change=_first_page)
        st.pills("At risk", [_RISK], key="risk", bind="query-params", format_func=lambda _: "Only at risk",
                 label_visibility="collapsed", on_change=_first_page)


def _first_page() -> None:
    st.session_state[_TURNED] = 1


def _nobody(work: Work, programme: ProgrammeView, filtered: bool) -> None:
    if filtered:
        with st.container(border=True):
            st.markdown("Nobody matches.")
            st.button("Show everybody", icon=":material/filter_alt_off:", on_click=_clear)
        return
    way = " Tick some in the list of people and choose *Enrol*." if may(
        work, Action.LEARNING_EDIT, programme.id) else ""
    st.info(f"No {programme.policy.words.learner} whom you may see is enrolled yet.{way}", icon=":material/school:")


def _clear() -> None:
    st.session_state.update(dict.fromkeys(NARROWS), named="", turned=1)


def _off_job(each: Enrolled) -> str:
    if each.off_job.at_risk:
        return "⚠ at risk"
    return "✓ on track" if each.off_job.required and each.status not in ENDS else "–"


def _table(programme: ProgrammeView, rows: list[Enrolled]) -> None:
    words = programme.policy.words

    def hours(field: str) -> list[float | None]:
        return [None if each.off_job.required is None else round(getattr(each.off_job, field) / 60, 1) for each in rows]

    picked = st.dataframe(
        pd.DataFrame({
            capital(words.learner): [each.learner for each in rows],
            "Off the job": [_off_job(each) for each in rows],
            capital(words.course): [each.course for each in rows], "Status": [str(each.status) for each in rows],
            "First day": [each.first_day for each in rows], "Planned end": [each.planned_end for each in rows],
            "Required (h)": hours("required"), "Target (h)": hours("target"), "Done (h)": hours("done"),
            "Forecast (h)": hours("forecast"),
            "Why": [each.off_job.why if each.off_job.at_risk else "" for each in rows],
        }), hide_index=True, height="content", selection_mode="single-cell", on_select="rerun", key="progress",
        placeholder="",
        alt=f"Enrolments of {programme.name}",
        column_config={
            **{name: st.column_config.DateColumn(format="D MMM YYYY") for name in ("First day", "Planned end")},
            "Why": st.column_config.TextColumn(width="large"),
        },
    )
    for line, _ in picked.selection.cells:
        if line < len(rows):
            navigation.open_person(rows[line].learner_id)

"""How one learner comes along: learning plan, time log, evidence, enrolments, off-the-job time."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.learning import queries
from core.learning.commands import remove_evidence
from core.learning.queries import Enrolled, Narrowed, Piece, Planned, Rights, Stands, StepTaken
from core.learning.rules import ENDS, Sum, by_course, by_month, by_week, hours
from core.people.queries import Profile
from core.programmes.queries import ProgrammeView
from core.words import EnrolmentStatus, Role
from core.work import Work
from ui import enrolling, feedback, navigation, panel, runtime
from ui.format import capital, plain, when, zone_words

TABS = ("Learning plan", "Time log", "Evidence", "Enrolments", "Off the job")
STANDS = {
    Stands.PLANNED: "○ planned", Stands.HELD: "✓ held", Stands.MISSED: "⊘ missed", Stands.CANCELLED: "✕ cancelled",
}
STATUS = {
    EnrolmentStatus.ENROLLED: ("gray", ":material/how_to_reg:"),
    EnrolmentStatus.IN_TRAINING: ("blue", ":material/school:"),
    EnrolmentStatus.GATEWAY: ("violet", ":material/meeting_room:"),
    EnrolmentStatus.ASSESSED: ("violet", ":material/fact_check:"),
    EnrolmentStatus.COMPLETED: ("green", ":material/task_alt:"),
    EnrolmentStatus.WITHDRAWN: ("gray", ":material/logout:"),
}
AT_RISK = ":red-badge[:material/warning: at risk]"
ON_TRACK = ":green-badge[:material/check: on track]"
_AHEAD, _PAST, _ALL = "Ahead", "Past", "All"
SHOWN_WHOLE = 14
"""Rows; a longer table scrolls within itself."""


def of_person(shown: Profile, programmes: Mapping[int, ProgrammeView]) -> None:
    """The tabs on a profile, for the programme one works in, else the first where this person learns."""
    learns = [each.programme_id for each in shown.roles
              if Role.LEARNER in each.roles and each.programme_id in programmes]
    if not learns:
        return
    here = st.session_state.get("here")
    show(programmes[here if here in learns else learns[0]], shown.id, len(learns) > 1)


def show(programme: ProgrammeView, learner_id: int, several: bool = False) -> None:
    """The tabs; nothing where this person's learning is not for the viewer to see."""
    with runtime.reading() as work:
        may_do = queries.rights(work, programme.id, learner_id)
        if not may_do.sees:
            return
        if several:
            st.caption(f"Learning in {plain(programme.name)}")
        names = [name for name in TABS if may_do.reads or name != "Evidence"]
        for name, tab in zip(names, st.tabs(names, key=f"learning-{learner_id}", on_change="rerun"), strict=True):
            if tab.open:
                with tab:
                    _Tab(work, programme, learner_id, may_do).show(name)
    enrolling.panels()


class _Tab:
    """One of the tabs, which reads no more than it shows."""

    def __init__(self, work: Work, programme: ProgrammeView, learner_id: int, may_do: Rights) -> None:
        self.work, self.programme, self.learner_id, self.may = work, programme, learner_id, may_do
        self.words, self.zone = programme.policy.words, runtime.zone(programme.zone_name, work)

    def show(self, name: str) -> None:
        {"Learning plan": self._plan, "Time log": self._log, "Evidence": self._evidence,
         "Enrolments": self._enrolments, "Off the job": self._off_job}[name]()

    def _planned(self) -> list[Planned]:
        return queries.plan(self.work, self.programme.id, self.learner_id)

    def _enrolled(self) -> list[Enrolled]:
        return queries.enrolments(self.work, self.programme.id, Narrowed(learner_id=self.learner_id))

    # The plan -------------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        planned, many = self._planned(), self.words.many("session")
        if not planned:
            st.info(f"No {many} yet.", icon=":material/event_busy:")
            return
        ahead = [each for each in planned if each.row.starts_at is None or each.row.starts_at > self.work.now]
        past = [each for each in planned if each not in ahead]
        ways = {_AHEAD: ahead, _PAST: past, _ALL: planned}
        chosen = st.segmented_control("Show", list(ways), default=_AHEAD if ahead else _ALL, required=True,
                                      key=f"plan-{self.learner_id}", label_visibility="collapsed")
        listed = ways[chosen or _ALL]
        if not listed:
            st.caption(f"No {many} there.")
            return
        columns: dict[str, list[Any]] = {
            "Time": [when(each.row.starts_at, each.row.ends_at, self.zone) for each in listed],
            "Stands": [STANDS[each.stands] for each in listed],
            "Type": [capital(each.row.type) for each in listed],
            capital(self.words.practitioner): [each.row.practitioner for each in listed],
            capital(self.words.many("course")): [", ".join(each.row.courses) for each in listed],
        }
        if any(each.notes for each in listed):
            columns["Planning notes"] = [each.notes for each in listed]
        picked = st.dataframe(
            pd.DataFrame(columns), hide_index=True, selection_mode="single-cell", on_select="rerun",
            height="content" if len(listed) <= SHOWN_WHOLE else 520, key=f"plan-table-{self.learner_id}-{chosen}",
            alt="The learning plan", column_config={"Planning notes": st.column_config.TextColumn(width="large")},
        )
        st.caption(f"In order of time · click one to open it · {zone_words(self.zone, self.work.now)}")
        for line, _ in picked.selection.cells:
            if line < len(listed):
                navigation.open_session(listed[line].row.id)

    # Time -----------------------------------------------------------------------------------------------------------

    def _log(self) -> None:
        spent = queries.spent(self.work, self.programme.id, self._planned())
        if not spent:
            st.info(f"No time yet: a {self.words.session} counts as planned from booking on, and with its actual"
                    " minutes once it is held.", icon=":material/timer:")
            return
        with st.container(horizontal=True, gap="medium"):
            for label, minutes in (
                ("Planned", sum(each.planned for each in spent)), ("Actual", sum(each.actual for each in spent)),
                ("On the job", sum(each.actual for each in spent if not each.off_job)),
                ("Off the job", sum(each.actual for each in spent if each.off_job)),
            ):
                st.metric(label, hours(minutes), width="content")
        ways = {"By week": by_week, "By month": by_month, f"By {self.words.course}": by_course}
        way = st.segmented_control("Totals", list(ways), default="By week", required=True,
                                   key=f"log-{self.learner_id}", label_visibility="collapsed") or "By week"
        sums = ways[way](spent)
        named = [each.name or f"no {self.words.course}" for each in sums] if ways[way] is by_course else [
            _period(each, month=ways[way] is by_month) for each in sums]
        st.dataframe(
            pd.DataFrame({
                way.removeprefix("By ").capitalize(): named,
                **{label: [round(getattr(each, field) / 60, 2) for each in sums] for label, field in (
                    ("Planned (h)", "planned"), ("Actual (h)", "actual"), ("On the job (h)", "on_job"),
                    ("Off the job (h)", "off_job"))},
            }), hide_index=True, height="content" if len(sums) <= SHOWN_WHOLE else 520, alt="The time log",
        )
        st.caption(f"Actual minutes are of {self.words.many('session')} that were held; what was missed or cancelled"
                   f" counts nowhere. Of the {self.words.many('session')} that you may see.")

    # Evidence -------------------------------------------------------------------------------------------------------

    def _evidence(self) -> None:
        pieces = queries.evidence(self.work, self.programme.id, self.learner_id, self._planned())
        if self.may.keeps:
            st.button("Add evidence", icon=":material/add_link:", on_click=panel.open_,
                      args=("evidence-new", self.programme.id, self.learner_id))
        if not pieces:
            st.info("No evidence yet. Links are added by hand; smart sessions stand here from booking on.",
                    icon=":material/folder_open:")
        for piece in pieces:
            self._piece(piece)

    def _piece(self, piece: Piece) -> None:
        with st.container(border=True, gap="xsmall", key=f"piece-{piece.id or 'of'}-{piece.session_id or 0}"):
            icon = ":material/desktop_windows:" if piece.session_id else ":material/link:"
            st.markdown(f"{icon} **{plain(piece.title)}**")
            if piece.note:
                st.text(piece.note)
            facts = [when(piece.at, None, self.zone), piece.by, piece.course]
            st.caption(plain(" · ".join(filter(None, facts))))
            with st.container(horizontal=True, gap="small"):
                if piece.url:
                    label = "Recording" if piece.session_id else "Open"
                    st.link_button(label, piece.url, icon=":material/open_in_new:")
                if piece.session_id:
                    st.page_link(navigation.BY_NAME["worksheet"].page(), label=f"To the {self.words.session}",
                                 query_params={"session": str(piece.session_id)}, icon=":material/description:")
                    if not piece.url:
                        st.caption("No recording yet.")
                elif self.may.keeps and piece.id is not None:
                    st.button("Edit", icon=":material/edit:", type="tertiary", key=f"piece-edit-{piece.id}",
                              on_click=panel.open_,
                              args=("evidence-edit", self.programme.id, self.learner_id, piece.id))
                    st.button("Remove", icon=":material/delete:", type="tertiary", key=f"piece-remove-{piece.id}",
                              on_click=feedback.act, args=(remove_evidence, piece.id))

    # Enrolments -----------------------------------------------------------------------------------------------------

    def _enrolments(self) -> None:
        listed = self._enrolled()
        if self.may.edits:
            st.button("Enrol", icon=":material/how_to_reg:", on_click=panel.open_, key="enrol-one",
                      args=("enrol", self.programme.id, self.learner_id))
        if not listed:
            st.info(f"Not enrolled in any {self.words.course} yet.", icon=":material/how_to_reg:")
            return
        taken = queries.steps(self.work, self.programme.id, self.learner_id)
        for each in listed:
            with st.container(border=True, gap="xsmall", key=f"enrolment-{each.id}"):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(f"**{plain(each.course)}** {status_badge(each.status)}")
                    if self.may.edits:
                        st.button("Change", icon=":material/edit:", type="tertiary", key=f"enrolment-edit-{each.id}",
                                  on_click=panel.open_, args=("enrolment", self.programme.id, self.learner_id, each.id))
                required = each.off_job.required
                st.caption(f"First day {day(each.first_day)} · planned end {day(each.planned_end)} · off the job"
                           f" {hours(required) + ' required' if required else 'nothing required'}")
                for step in taken.get(each.id, ()):
                    self._step(step)

    def _step(self, step: StepTaken) -> None:
        came_of = f"{self.words.session} {step.session}" if step.session else f"a {self.words.session}"
        how = f"by {came_of}, recorded by {step.by}" if step.by_session else f"by {step.by}"
        was = f"{step.before} → " if step.before else ""
        reason = f": {step.reason}" if step.reason else ""
        said = f"{when(step.at, None, self.zone)} · {step.what}: {was}{step.after}, {how}{reason}"
        st.markdown(f":small[{plain(said)}]")

    # Off the job ----------------------------------------------------------------------------------------------------

    def _off_job(self) -> None:
        listed = self._enrolled()
        if not listed:
            st.info(f"Not enrolled in any {self.words.course} yet, so nothing is required.",
                    icon=":material/directions_walk:")
        for each in listed:
            off = each.off_job
            with st.container(border=True, gap="small", key=f"off-job-{each.id}"):
                badge = AT_RISK if off.at_risk else ON_TRACK if off.required and each.status not in ENDS else ""
                st.markdown(f"**{plain(each.course)}** {badge}")
                st.markdown(plain(off.why))
                with st.container(horizontal=True, gap="medium"):
                    for label, minutes in (("Required", off.required), ("Target to date", off.target),
                                           ("Done", off.done), ("Booked ahead", off.planned),
                                           ("Forecast", off.forecast)):
                        st.metric(label, "–" if minutes is None else hours(minutes), width="content")
                if off.required:
                    st.progress(min(1.0, off.done / off.required),
                                text=f"{round(100 * off.done / off.required)}% of what is required is done")
        if listed:
            st.caption("Target: what is required, spread evenly from the first day to the planned end. Forecast: what"
                       " is done, and what is booked ahead or would come at the pace so far, whichever is more. Counts"
                       f" every {self.words.session} out of the workplace, whoever led it.")


def status_badge(status: EnrolmentStatus) -> str:
    """The status of an enrolment as a badge: icon and word."""
    colour, icon = STATUS[status]
    return f":{colour}-badge[{icon} {status}]"


def day(at: date | None) -> str:
    """'3 Mar 2026', or that there is none."""
    return f"{at.day} {at:%b %Y}" if at else "open"


def _period(each: Sum, *, month: bool) -> str:
    first = date.fromisoformat(each.name)
    return f"{first:%B %Y}" if month else f"Week of {day(first)}"


"""The work queue of staff: what everybody still owes after sessions, who owes most, and objections to answer."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.attending.commands import nudge
from core.attending.queries import Objection
from core.attending.tasks import PAGE, Owner, Queue, Task, objections, owners, work_queue
from core.billing.money import words as money
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.words import Role
from core.work import Work
from ui import feedback, navigation, people_picker, runtime, session_panels, ticks
from ui import objections as objecting
from ui.format import capital, when, zone_words

ASKS = ("whose", "overdue", "page")
MOST_OWNERS = 20
"""Practitioners listed at once, the most overdue first."""
_WHOSE, _OVERDUE, _PAGE, _TICKED = "queue-whose", "queue-overdue", "queue-page", "queue-owners"
_GO, _READ = "queue:go", "queue:read"
_OPEN, _REMIND = "Open", "Remind"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    if session_id := st.session_state.pop(_GO, None):
        navigation.open_session(session_id)
    _from_address(programme)
    owing = owners(work, programme.id)
    late = [one.person_id for one in owing if one.overdue]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Work queue", width="content")
        if late:
            st.button(f"Remind all who are overdue ({len(late):,})", type="primary", icon=":material/notifications:",
                      key="queue-remind-late", on_click=_remind, args=(programme.id, late))
    if may(work, Action.DISPUTE_ANSWER, programme.id):
        _objections(work, programme, objections(work, programme.id))
    whose, overdue = _filters(work, programme)
    found = work_queue(work, programme.id, practitioner_ids=[whose] if whose else (), overdue_only=overdue,
                       number=_page())
    if not found.total:
        narrowed = whose is not None or overdue
        st.success("Nothing like that is owed." if narrowed else "Nothing is owed: every session is logged.",
                   icon=":material/check_circle:")
    else:
        _table(work, programme, found)
    if owing and whose is None:
        _owners(programme, owing)
    session_panels.show()


# Filters, kept in the address -----------------------------------------------------------------------------------------


def _from_address(programme: ProgrammeView) -> None:
    """An address that says something else than the last one, or another programme, sets the filters."""
    whose, overdue = (st.query_params.get(name, "") for name in ASKS[:2])
    said = (programme.id, whose, overdue)
    if st.session_state.get(_READ) == said:
        return
    st.session_state[_WHOSE] = int(whose) if whose.isdecimal() and len(whose) < 19 else None
    st.session_state[_OVERDUE] = overdue == "yes"
    st.session_state[_READ] = said


def _filters(work: Work, programme: ProgrammeView) -> tuple[int | None, bool]:
    def changed() -> None:
        for name, value in (("whose", str(st.session_state.get(_WHOSE) or "")),
                            ("overdue", "yes" if st.session_state[_OVERDUE] else ""), ("page", "")):
            if value:
                st.query_params[name] = value
            elif name in st.query_params:
                del st.query_params[name]
        st.session_state[_READ] = (programme.id, *(st.query_params.get(name, "") for name in ASKS[:2]))  # own doing

    with st.container(horizontal=True, vertical_alignment="bottom", key="queue-filters"):
        with st.container(width=320, gap=None):
            whose = people_picker.person(work, programme.id, Role.PRACTITIONER,
                                         capital(programme.policy.words.practitioner), _WHOSE, on_change=changed)
        overdue = st.toggle("Overdue only", key=_OVERDUE, on_change=changed)
    return whose, overdue


def _page() -> int:
    said = st.query_params.get("page", "1")
    return int(said) if said.isdecimal() and len(said) < 9 else 1


# The parts ------------------------------------------------------------------------------------------------------------


def _objections(work: Work, programme: ProgrammeView, waiting: Sequence[Objection]) -> None:
    if not waiting:
        return
    st.header(f"Objections to answer :orange-badge[{len(waiting)}]")
    for one in waiting[:10]:
        objecting.listed([one], runtime.zone(programme.zone_name, work), work.now)
        with st.container(horizontal=True):
            st.button("Answer", key=f"answer-{one.id}", on_click=session_panels.open_,
                      args=("answer", one.session_id))
            st.button(f"{capital(programme.policy.words.session)} {one.number}", type="tertiary", key=f"look-{one.id}",
                      icon=":material/arrow_forward:", on_click=_go, args=(one.session_id,))


def _go(session_id: int) -> None:
    st.session_state[_GO] = session_id


def _remind(programme_id: int, people: Sequence[int]) -> None:
    feedback.act(nudge, programme_id, list(people), final=True)


def _table(work: Work, programme: ProgrammeView, found: Queue) -> None:
    words, first = programme.policy.words, (found.number - 1) * PAGE + 1
    zone = runtime.zone(programme.zone_name, work)
    many = words.session if found.total == 1 else words.many("session")
    st.caption(f"{first:,}–{first + len(found.rows) - 1:,} of {found.total:,} {many}, the oldest first ·"
               f" {found.overdue:,} overdue · times in {zone_words(zone, work.now)}")
    if found.pages > 1:
        def turned() -> None:
            st.query_params["page"] = str(st.session_state[_PAGE])

        if st.session_state.get(_PAGE) != found.number:
            st.session_state[_PAGE] = found.number
        st.pagination(found.pages, key=_PAGE, on_change=turned, width=400)
    st.dataframe(
        _frame(found.rows, programme, zone), hide_index=True, height="content",
        key="queue-table", alt=f"What is owed in {programme.name}", column_config={
            "Actions": st.column_config.ButtonColumn("Actions", key="queue-action", on_click=_clicked, args=(
                programme.id, [(task.session_id, task.practitioner_id) for task in found.rows]))})


def _frame(tasks: Sequence[Task], programme: ProgrammeView, zone: ZoneInfo) -> pd.DataFrame:
    words = programme.policy.words
    columns: dict[str, list[Any]] = {
        capital(words.session): [f"{task.number} · {when(task.starts_at, None, zone)}" for task in tasks],
        capital(words.practitioner): [task.practitioner for task in tasks],
        "With": [task.whom for task in tasks],
        "Owed": [", ".join(task.owed) for task in tasks],
        "Due": [f"{'⚠ overdue, ' if task.overdue else ''}{when(task.due_at, None, zone)}" for task in tasks],
        "Engagement": [task.engagement for task in tasks],
    }
    if any(task.blocked for task in tasks):
        columns["Pay that waits"] = [money(task.blocked, task.currency) if task.blocked else "" for task in tasks]
    columns["Actions"] = [[_OPEN, _REMIND] for _ in tasks]
    return pd.DataFrame(columns)


def _clicked(programme_id: int, rows: list[tuple[int, int]]) -> None:
    click = st.session_state["queue-action"]
    session_id, person_id = rows[click["row"]]
    if click["label"] == _OPEN:
        _go(session_id)
    else:
        _remind(programme_id, [person_id])


def _owners(programme: ProgrammeView, owing: Sequence[Owner]) -> None:
    """Who owes how much, to be ticked and reminded."""
    words, shown = programme.policy.words, owing[:MOST_OWNERS]
    st.header(f"By {words.practitioner}")
    if len(owing) > len(shown):
        st.caption(f"The {len(shown)} most overdue of {len(owing):,}. Others are found by name above.")
    picked = st.dataframe(
        pd.DataFrame({
            capital(words.practitioner): [one.name for one in shown], "Owed": [one.tasks for one in shown],
            "Overdue": [one.overdue for one in shown],
            "Oldest": [f"{one.oldest.day} {one.oldest:%b %Y}" for one in shown],
        }), hide_index=True, height="content", on_select="rerun", selection_mode="multi-row",
        key=ticks.key(_TICKED, [one.person_id for one in shown]),
        alt=f"Who owes how much in {programme.name}")
    ticked = [shown[row].person_id for row in picked.selection.rows if row < len(shown)]
    if ticked:
        st.button(f"Remind {len(ticked)} {words.practitioner if len(ticked) == 1 else words.many('practitioner')}",
                  key="queue-remind", icon=":material/notifications:", on_click=_remind,
                  args=(programme.id, ticked))


__all__ = ["ASKS", "screen"]

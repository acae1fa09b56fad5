"""What a worksheet says of what came after: notes, what was recorded of each learner, objections, and money."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.queries import Afterwards, Recorded
from core.billing.money import words as money
from core.billing.queries import Line, lines_of_session
from core.programmes.queries import ProgrammeView
from core.sessions.queries import Worksheet
from core.words import LineKind, NoteKind, Wish
from core.work import Work
from ui import objections
from ui.attendance import WHAT
from ui.format import capital, minutes_words, plain, when
from ui.session_panel import open_


def notes(sheet: Worksheet, after: Afterwards, zone: ZoneInfo) -> None:
    """The note and the report, for those who may read them; corrected by their author."""
    for note in after.notes:
        what = WHAT[note.kind]
        with st.container(border=True, gap="small", key=f"note-{what}"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.header(capital(what), anchor=False, width="content")
                if note.mine and after.may_write:
                    st.button("Correct", icon=":material/edit:", type="tertiary", key=f"correct-{what}",
                              on_click=open_, args=(panel_of(note.kind), sheet.row.id))
            st.text(note.body, width="stretch")
            st.caption(f"{plain(note.author)}, {when(note.submitted_at, None, zone)}")


def panel_of(kind: NoteKind) -> str:
    """The panel in which it is written."""
    return WHAT[kind]


def told(recorded: Recorded | None, zone: ZoneInfo) -> str:
    """What was said with an outcome, in one line; nothing where nothing was."""
    if recorded is None:
        return ""
    said = [
        f"notice given {when(recorded.notice_at, None, zone)}" if recorded.notice_at else "",
        f"waited {minutes_words(recorded.waited)}" if recorded.waited else "", recorded.contact,
        f"reason: {recorded.overruled}" if recorded.overruled else "",
    ]
    return plain(" · ".join(filter(None, said)))


def disputes(work: Work, sheet: Worksheet, after: Afterwards, zone: ZoneInfo) -> None:
    """Objections as far as the viewer sees them, and the way to one of their own."""
    if after.objections:
        st.header("Objections", anchor=False)
        objections.listed(after.objections, zone, work.now)
    if after.may_object:
        st.button("Something wrong?", icon=":material/feedback:", type="tertiary", key="object",
                  on_click=open_, args=("dispute", sheet.row.id))


def ledger(work: Work, sheet: Worksheet, after: Afterwards, programme: ProgrammeView, zone: ZoneInfo) -> None:
    """The lines of the ledger that the viewer may see, each with why, and what was lost to late changes."""
    lines = lines_of_session(work, sheet.row.id)
    if not lines and not after.lost:
        return
    with st.container(border=True, gap="small", key="ledger"):
        st.header("Money", anchor=False)
        for one in after.lost:
            wish = programme.policy.words.learner if one.wish is Wish.LEARNER else programme.policy.words.practitioner
            charged = "charged" if one.charged else "not charged"
            st.caption(f"{plain(one.learner)} lost {when(one.starts_at, None, zone)}, by the {wish}'s wish: {charged}."
                       f" {plain(one.reason)}")
        for line in lines:
            _line(line)


def _line(line: Line) -> None:
    side = "Charge" if line.kind is LineKind.CHARGE else "Pay"
    marks = [
        ":orange-badge[:material/pause: on hold]" if line.held else "",
        ":gray-badge[takes back]" if line.reverses else ":gray-badge[taken back]" if line.taken_back else "",
        f":gray-badge[{plain(line.document)}]" if line.document else "",
    ]
    payer = f", billed to {plain(line.payer)}" if line.payer and line.payer != line.whom else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"line-{line.id}"):
        st.markdown(f"**{plain(money(line.amount, line.currency))}** {side} · {plain(line.whom)}{payer}"
                    f" {' '.join(filter(None, marks))}", width="content")
        with st.popover("Why this amount?", type="tertiary", key=f"why-{line.id}"):
            st.markdown(plain(line.why))


__all__ = ["disputes", "ledger", "notes", "panel_of", "told"]

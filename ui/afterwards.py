"""What a worksheet says of what came after: notes, what was recorded of each learner, objections, and money."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.commands import charge_late_change
from core.attending.queries import Afterwards, Lost, Recorded
from core.billing.money import words as money
from core.billing.queries import Line, lines_of_session
from core.permissions import Action
from core.programmes.queries import ProgrammeView
from core.sessions.queries import Worksheet
from core.words import LineKind, NoteKind, Wish
from core.work import Work
from ui import feedback, objections
from ui.attendance import WHAT
from ui.format import capital, minutes_words, plain, when
from ui.forms import Form
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
            _lost(one, programme, zone, may_change=Action.OUTCOME_OVERRULE in sheet.may)
        for line in lines:
            _line(line)


def _lost(one: Lost, programme: ProgrammeView, zone: ZoneInfo, *, may_change: bool) -> None:
    words = programme.policy.words
    wish = words.learner if one.wish is Wish.LEARNER else words.practitioner
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"lost-{one.id}"):
        st.caption(f"{plain(one.learner)} lost {when(one.starts_at, None, zone)}, by the {wish}'s wish:"
                   f" {'charged' if one.charged else 'not charged'}. {plain(one.reason)}", width="content")
        if may_change and one.wish is Wish.LEARNER:
            verb, form = "Waive" if one.charged else "Charge", Form(f"lost-{one.id}")
            if saved := form.done():
                feedback.tell(saved)
                st.rerun()
            with st.popover(f"{verb}…", type="tertiary", key=f"change-lost-{one.id}"):
                st.text_input("Why", key=form.field("late_reason"), on_change="ignore", autocomplete="off")
                form.problem("late_reason")
                form.show_refusal()
                st.button(f"{verb} it", type="primary", key=form.field("send"), on_click=_change, args=(one,))


def _change(one: Lost) -> None:
    form = Form(f"lost-{one.id}")
    form.send(charge_late_change, one.id, not one.charged, form.value("late_reason") or "")


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

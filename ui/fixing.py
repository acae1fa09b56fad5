"""Quick fixes on ticked sessions: choose the change, see row by row what it does, make it as one act."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import Invalid, Refusal
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.fixes import Fix, FixKind, FixRow, apply_fixes, preview
from core.structure.queries import options
from core.words import Role
from core.work import Work
from ui import feedback, here, late, panel, people_picker, runtime, session_panels, table
from ui.format import capital, plain
from ui.forms import Form

LABELS = {
    FixKind.REASSIGN: ":material/swap_horiz: Reassign", FixKind.SHIFT: ":material/schedule: Shift in time",
    FixKind.VENUE: ":material/meeting_room: Change venue",
    FixKind.OFF: ":material/event_note: Take off the calendar", FixKind.CANCEL: ":material/event_busy: Cancel",
}
DOES = {FixKind.CANCEL: "Cancel", FixKind.OFF: "Take off"}
"""What the button says it does, where that is not *Change*."""
_PANEL = "fix"


def menu(programme: ProgrammeView, kinds: Sequence[FixKind]) -> None:
    """The button above the list; it says how many are ticked."""
    count = len(table.ticked())
    kind = st.menu_button(
        f"Quick fix ({count})" if count else "Quick fix", list(kinds), format_func=LABELS.__getitem__, key="quick-fix",
        icon=":material/build:", disabled=not count,
        help=None if count else f"Tick {programme.policy.words.many('session')} to change many at once.",
    )
    if kind and count:
        Form(_PANEL).clear()
        panel.open_(_PANEL, str(kind), *table.ticked())


def panels() -> None:
    """Draw the panel that is open, if any."""
    panel.show(_PANEL, "Quick fix", _body)
    session_panels.show()


def _body(kind_: str, *ids: int) -> None:
    form, kind = Form(_PANEL), FixKind(kind_)
    if saved := form.done():
        feedback.tell(saved)
        table.untick()
        panel.close()
        st.rerun()
    with runtime.reading() as work:
        programme = programme_of(work, here.programme(work).id)
        words = programme.policy.words
        st.markdown(f"**{LABELS[kind]}** · {len(ids)} {words.session if len(ids) == 1 else words.many('session')}")
        _FIELDS[kind](form, work, programme)
        try:
            zone = runtime.zone(programme.zone_name, work)
            rows = preview(work, _fix(form, kind), ids, form.state.get("versions"), zone)
        except Invalid as refusal:
            if not form.refused():
                st.caption(plain(refusal.sentence))
            rows = []
        except Refusal as refusal:
            st.error(plain(refusal.sentence), icon=":material/block:")
            return
    if rows:
        form.state["versions"] = form.state.get("versions") or {row.session_id: row.version for row in rows}
        if any(row.asks_wish for row in rows):
            late.ask(form, words, several=True)
        _show(rows)
    form.show_refusal()
    fine = sum(1 for row in rows if row.refused is None)

    def send() -> None:
        now = Form(_PANEL)
        now.send(apply_fixes, _fix(now, kind), list(ids), now.state.get("versions"))

    st.button(
        f"{DOES.get(kind, 'Change')} {fine} {words.session if fine == 1 else words.many('session')}", type="primary",
        key="fix-send", on_click=send, disabled=not fine,
    )


def _show(rows: Sequence[FixRow]) -> None:
    """What changes, and what is refused and why, a line each."""
    refused = sum(1 for row in rows if row.refused)
    if refused:
        st.warning(f"{refused} of {len(rows)} cannot be changed and will stay as they are.", icon=":material/block:")
    panel.lines([
        f":red[:material/block:] **{row.number}** {_named(row)}{plain(row.before)}: {plain(row.refused)}"
        if row.refused else
        f":green[:material/check:] **{row.number}** {_named(row)}{plain(row.before)} → {plain(row.after)}"
        for row in sorted(rows, key=lambda row: row.refused is None)
    ])


def _named(row: FixRow) -> str:
    return f"{plain(row.who)} · " if row.who else ""


def _reassign(form: Form, work: Work, programme: ProgrammeView) -> None:
    words = programme.policy.words
    st.checkbox(f"Nobody for the moment: take the present {words.practitioner} off", key=form.field("nobody"))
    if not form.value("nobody"):
        people_picker.person(
            work, programme.id, Role.PRACTITIONER, f"New {words.practitioner}", form.field("practitioner"))
    form.problem("practitioner")


def _shift(form: Form, work: Work, programme: ProgrammeView) -> None:
    st.caption("Days keep the time on the clock, also across a change of clocks. Less than zero is earlier.")
    with st.container(horizontal=True):
        for name in ("days", "hours", "minutes"):
            st.number_input(capital(name), -366 * 24 * 60, 366 * 24 * 60, 0, key=form.field(name), width=150,
                            step=5 if name == "minutes" else 1)
    st.text_input("Reason, where opening hours do not hold", key=form.field("reason"), max_chars=500)
    form.problem("shift", "reason")


def _venue(form: Form, work: Work, programme: ProgrammeView) -> None:
    rooms = {room.id: room.name for room in options(work, programme.id).open.rooms}
    st.selectbox("Room", list(rooms), index=None, format_func=lambda id_: rooms.get(id_, ""), key=form.field("room"),
                 placeholder="No room")
    form.problem("room")
    st.text_input("Location", key=form.field("location"), max_chars=200)
    form.problem("location")


def _off(form: Form, work: Work, programme: ProgrammeView) -> None:
    st.caption("Everybody's time is free at once, and everybody who takes part is told. They can be put on the calendar"
               " again.")


def _cancel(form: Form, work: Work, programme: ProgrammeView) -> None:
    st.caption("Everybody's time is free at once, and everybody who takes part is told why. Undo brings it back"
               " while nobody has taken it.")
    st.text_area("Reason", key=form.field("reason"), max_chars=500, height=110)
    form.problem("reason")


_FIELDS = {FixKind.REASSIGN: _reassign, FixKind.SHIFT: _shift, FixKind.VENUE: _venue, FixKind.OFF: _off,
           FixKind.CANCEL: _cancel}


def _fix(form: Form, kind: FixKind) -> Fix:
    def said(name: str, default: Any) -> Any:
        return form.value(name) or default

    if kind is FixKind.REASSIGN and not form.value("nobody") and form.value("practitioner") is None:
        return Fix(kind, practitioner_id=0)
    return Fix(
        kind, practitioner_id=None if form.value("nobody") else form.value("practitioner"), days=said("days", 0),
        hours=said("hours", 0), minutes=said("minutes", 0), room_id=form.value("room"), location=said("location", ""),
        reason=said("reason", ""), late=late.answered(form),
    )

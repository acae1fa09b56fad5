"""What the side panels about one session share: what they start from, and how they open, end and show a stale form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.clock import when_words
from core.errors import NotFound
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.queries import Worksheet, worksheet
from core.work import Work
from ui import feedback, navigation, panel, runtime, stale
from ui.format import capital, plain, when, who
from ui.forms import Form


@dataclass(frozen=True)
class About:
    """What every panel starts from."""

    work: Work
    form: Form
    sheet: Worksheet
    programme: ProgrammeView

    @property
    def id(self) -> int:
        """The session."""
        return self.sheet.row.id

    @property
    def name(self) -> str:
        """'session 12'."""
        return f"{self.programme.policy.words.session} {self.sheet.row.number}"

    @property
    def version(self) -> int:
        """The version that the panel was opened with."""
        return int(self.form.state["version"])


Draw = Callable[[About], None]


def open_(which: str, session_id: int) -> None:
    """Open one of the panels; for a button's `on_click`."""
    Form(f"{which}-{session_id}").clear()
    panel.open_(f"session-{which}", session_id)


def body(which: str, draw: Draw) -> Callable[[int], None]:
    """What a panel shows: which session it is about, and the form that `draw` draws."""
    def drawn(session_id: int) -> None:
        if not panel.is_open(f"session-{which}"):
            st.rerun()  # another one was opened from inside it
        form = Form(f"{which}-{session_id}")
        _finish(which, form, session_id)
        try:
            with runtime.reading() as work:
                sheet = worksheet(work, session_id)
                about = About(work, form, sheet, programme_of(work, sheet.programme_id))
                form.state.setdefault("version", sheet.row.version)
                form.state.setdefault("before", as_words(about))
                zone = runtime.zone(about.programme.zone_name)
                people = " with ".join(plain(each) for each in (sheet.row.practitioner, who(sheet.row)) if each)
                ahead = sheet.row.starts_at is not None and sheet.row.starts_at > work.now
                calendar = f" · [Add to calendar](/export/session/{session_id}.ics)" if ahead else ""
                st.markdown(f"**{capital(about.name)}** · {when(sheet.row.starts_at, sheet.row.ends_at, zone)}"
                            + (f" · {people}" if people else "") + calendar)
                draw(about)
                if form.stale is None and form.busy is None:
                    form.show_refusal()
        except NotFound as refusal:
            st.warning(refusal.sentence)

    return drawn


def _finish(which: str, form: Form, session_id: int) -> None:
    """Close the panel once it is done; where the session is gone or another one stands in its place, lead there."""
    saved = form.done()
    if saved is None:
        return
    feedback.tell(saved)
    panel.close()
    if which == "replace":
        navigation.open_session(saved.result[0])
    if which == "delete" and navigation.asked_id("session") == session_id:
        navigation.go("sessions")
    st.rerun()


def as_words(about: About) -> dict[str, str]:
    """The session as the panel was opened with it, to stand beside somebody else's version."""
    row = about.sheet.row
    return {
        "time": when_words(row.starts_at, about.programme.zone, row.ends_at) if row.starts_at else
        "not on the calendar", "practitioner": row.practitioner or "nobody", "team": row.team,
        "timetable": row.timetable, "room": row.room, "type": row.type, "method": row.method, "location": row.location,
        "description": row.description, "planning notes": about.sheet.planning_notes, "number": str(row.number),
        about.programme.policy.words.many("course"): ", ".join(row.courses),
        "report required": "yes" if about.sheet.report_required else "no", "status": row.status,
    }


def both_versions(about: About, mine: Mapping[str, str], again: Callable[[], Any]) -> None:
    """Where somebody else was quicker: their version beside this one, and which of them shall hold."""
    stale.both(about.form, {**about.form.state["before"], **mine}, mine_over_it=again, take_theirs=about.form.clear)


def refused_busy(form: Form) -> None:
    """Who is taken then, where that stood against it (B9)."""
    if form.busy:
        st.error(plain(form.busy.sentence), icon=":material/event_busy:")

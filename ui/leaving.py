"""*Cancel my part*: a learner leaves a session that goes on for others, told beforehand whether it is billed (E8)."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.commands import cancel_parts
from core.attending.queries import own_parts
from core.billing.queries import consequences
from core.clock import at_local
from core.permissions import Action, may
from core.sessions.queries import Worksheet
from core.sessions.rules import notice_outcome
from core.words import Outcome
from core.work import Work
from ui import attendance, runtime, typed
from ui.format import capital, names, plain
from ui.forms import Form
from ui.session_panel import About, both_versions


def label(work: Work, sheet: Worksheet, own: Mapping[int, str], word: str) -> str | None:
    """What the action is called to this viewer, with their `own_parts`; None where there is nobody to cancel for."""
    if Action.PART_CANCEL not in sheet.may or _has_begun(work, sheet):
        return None
    if own:
        return called(work, own)
    return f"Cancel for {word}" if any(part.outcome is None for part in sheet.parts) else None


def leaves_nobody(sheet: Worksheet, own: Collection[int]) -> bool:
    """Whether the viewer's own parts are all that are left, so that leaving is cancelling it."""
    return bool(own) and {part.learner_id for part in sheet.parts if part.outcome is None} <= set(own)


def called(work: Work, own: Mapping[int, str]) -> str:
    """'Cancel my part', or for whom."""
    return "Cancel my part" if work.actor.person_id in own else f"Cancel for {names(list(own.values()))}"


def _has_begun(work: Work, sheet: Worksheet) -> bool:
    return sheet.row.starts_at is not None and sheet.row.starts_at <= work.now


def draw(about: About) -> None:
    """The form inside the panel."""
    form, sheet, words = about.form, about.sheet, about.programme.policy.words
    own = own_parts(about.work, [about.id]).get(about.id, {})
    open_ = own or {part.learner_id: part.name for part in sheet.parts if part.outcome is None}
    if Action.PART_CANCEL not in sheet.may or not open_ or _has_begun(about.work, sheet):
        st.caption("There is nothing to cancel here, or not any more.")
        return
    asks_notice = not own
    zone = runtime.zone(about.programme.zone_name, about.work)
    if len(open_) > 1:
        st.pills("Who cancels?", list(open_), selection_mode="multi", format_func=lambda id_: open_.get(id_, ""),
                 key=form.field("who"), wrap=True)
        form.problem("who")
    leaving = _leaving(form, open_)
    notice: datetime | str | None = about.work.now
    if asks_notice:
        st.caption("When was notice given? Nothing means now.")
        left, right = st.columns(2)
        with left:
            typed.day("Day of notice", form, "notice-day", zone, placeholder="Today", past=True)
        with right:
            typed.clock("Time of notice", form, "notice-time", placeholder="Now")
        form.problem("notice_at")
        notice = _notice(form, zone, about.work.now)
    if leaving and isinstance(notice, datetime):
        _told(about, leaving, open_, notice, own)
    st.text_input("Reason", key=form.field("reason"), on_change="ignore", autocomplete="off",
                  help=f"Whoever leads the {words.session} reads it.")
    form.problem("reason")

    def send() -> None:
        now = Form(form.name)
        given = _notice(now, zone, None) if asks_notice else None
        if isinstance(given, str):
            now.fail({"notice_at": given})
        else:
            now.send(cancel_parts, about.id, _leaving(now, open_), now.value("reason") or "", notice_at=given,
                     version=now.state["version"])

    both_versions(about, {}, send)
    who = "my part" if about.work.actor.person_id in own else f"for {plain(names([open_[id_] for id_ in leaving]))}"
    st.button(f"Cancel {who}" if leaving else "Cancel", type="primary", key=form.field("send"), on_click=send)


def _leaving(form: Form, open_: Mapping[int, str]) -> list[int]:
    """Those who are chosen; the only one without being asked."""
    return list(open_) if len(open_) == 1 else [id_ for id_ in form.value("who") or () if id_ in open_]


def _notice(form: Form, zone: ZoneInfo, now: datetime | None) -> datetime | str | None:
    """When notice was given: `now` where nothing is typed, or the sentence about what is wrong."""
    day, clock = typed.day_of(form, "notice-day", zone, past=True), typed.clock_of(form, "notice-time")
    for said in (day, clock):
        if isinstance(said, str):
            return said
    if day is None and clock is None:
        return now
    if not isinstance(clock, time):
        return "Say at what time as well."
    return at_local(day if isinstance(day, date) else runtime.today(zone), clock, zone).at


def _told(
    about: About, leaving: Collection[int], people: Mapping[int, str], notice: datetime, own: Collection[int]
) -> None:
    """What it comes to: late or in time, billed or not, and whether anybody is left."""
    sheet, words = about.sheet, about.programme.policy.words
    starts_at = sheet.row.starts_at
    outcome = Outcome.CANCELLED_IN_TIME if starts_at is None else notice_outcome(starts_at, notice)
    late = outcome is Outcome.CANCELLED_LATE
    found = consequences(about.work, about.id, dict.fromkeys(leaving, (outcome, None)))
    said = ["Under 24 hours ahead, so it counts as cancelled late." if late else "It is cancelled in time."]
    if found.priced:
        amounts = bool(own) or may(about.work, Action.MONEY_SEE, about.programme.id)
        me = {id_: "Your part" if id_ == about.work.actor.person_id else name for id_, name in people.items()}
        said += attendance.billed(found, me, words, amounts=amounts)
    elif not late:
        said.append("Nothing is billed for it.")
    if not {part.learner_id for part in sheet.parts if part.outcome is None} - set(leaving):
        said.append(f"Nobody else takes part, so the {words.session} is cancelled.")
    else:
        said.append(f"{capital(words.session)} {sheet.row.number} goes on for the others.")
    (st.warning if late else st.info)("  \n".join(said), icon=":material/schedule:" if late else ":material/check:")


__all__ = ["called", "draw", "label", "leaves_nobody"]

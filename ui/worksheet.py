"""The parts of a worksheet: head, actions, facts, who takes part, and what happened."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.queries import Afterwards, own_parts
from core.history.queries import Entry, timeline
from core.permissions import RECORDED, Action
from core.programmes.queries import ProgrammeView
from core.sessions.queries import Worksheet, neighbours
from core.words import Method, NoteKind, Status
from core.work import Work
from ui import afterwards, engagements, feedback, group, leaving, navigation, session_panels
from ui.format import capital, labels, minutes_words, plain, status_badge, when, who, zone_words

OUTCOME_ICONS = {"attended": ":material/check:", "missed": ":material/person_off:"}


def head(
    work: Work, sheet: Worksheet, programme: ProgrammeView, zone: ZoneInfo, after: Afterwards
) -> None:
    """Number, status, time and people; the one thing to do now, and the rest in a menu."""
    row, words = sheet.row, programme.policy.words
    st.page_link(navigation.BY_NAME["sessions"].page(), label=capital(words.many("session")),
                 icon=":material/arrow_back:", width="content")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.title(f"{capital(words.session)} {row.number}", width="content")
            st.markdown(" ".join(status_badge(each) for each in labels(row)), width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if row.starts_at is not None:
                st.link_button("Add to calendar", f"/export/session/{row.id}.ics", icon=":material/calendar_add_on:")
            buttons(work, sheet, programme, after)
    st.markdown(f"**{when(row.starts_at, row.ends_at, zone)}**"
                + (f" · {minutes_words(sheet.minutes)} · {zone_words(zone, row.starts_at)}" if row.starts_at else ""))
    if row.status is Status.CANCELLED and sheet.cancel_reason:
        st.info(f"Cancelled: {plain(sheet.cancel_reason)}", icon=":material/cancel:")


Act = tuple[str, str, Callable[[], None]]
"""Label, icon, and what pressing it does."""


def actions(work: Work, sheet: Worksheet, programme: ProgrammeView, after: Afterwards) -> list[Act]:
    """What the viewer can do with the session, the most pressing first; nothing that is refused anyway."""
    row, may, words, id_ = sheet.row, sheet.may, programme.policy.words, sheet.row.id

    def panel(which: str) -> Callable[[], None]:
        return lambda: session_panels.open_(which, id_)

    def book(way: str) -> Callable[[], None]:
        return lambda: st.session_state.update({"worksheet:go": way})

    nothing_yet = row.status not in (*RECORDED, Status.CANCELLED)
    can_record = Action.OUTCOME_RECORD in may and nothing_yet and row.practitioner_id is not None and bool(sheet.parts)
    can_move, can_edit = Action.SESSION_RESCHEDULE in may, Action.SESSION_EDIT in may
    owes = after.may_write and row.status in RECORDED
    own = own_parts(work, [id_])
    leaves = leaving.label(work, sheet, own.get(id_, {}), words.a("learner"))
    # to the learner's side, leaving as the last one is the way to cancel, told beforehand what it costs
    cancels = Action.SESSION_CANCEL in may and not (
        leaving.leaves_nobody(sheet, own.get(id_, {})) and Action.SESSION_REASSIGN not in may)
    listed: list[tuple[bool, Act]] = [
        (row.status is Status.UNASSIGNED and Action.SESSION_REASSIGN in may,
         (f"Choose {words.a('practitioner')}", ":material/person_search:", panel("reassign"))),
        (can_edit and row.to_place,
         ("Choose who takes part", ":material/group_add:", panel("edit"))),
        (can_record, ("Record outcome", ":material/edit_note:", panel("record"))),
        (owes and after.note_owed and after.note(NoteKind.SHARED) is None,
         ("Write the note", ":material/edit_note:", panel("note"))),
        (owes and after.report_owed and after.note(NoteKind.REPORT) is None,
         ("Write the report", ":material/edit_note:", panel("report"))),
        (Action.DISPUTE_ANSWER in may and any(not one.answer for one in after.objections),
         ("Answer the objection", ":material/feedback:", panel("answer"))),
        (can_move, ("Reschedule" if row.starts_at else "Put on the calendar", ":material/event_available:",
                    panel("reschedule"))),
        (not can_move and Action.SESSION_ASK_TIME in may,
         ("Ask for another time", ":material/forward_to_inbox:", panel("ask"))),
        (can_edit, ("Edit", ":material/edit:", panel("edit"))),
        (can_move, ("Change the venue", ":material/location_on:", panel("venue"))),
        (row.status is not Status.UNASSIGNED and Action.SESSION_REASSIGN in may,
         ("Reassign", ":material/swap_horiz:", panel("reassign"))),
        (Action.SESSION_CANCEL in may and Action.SESSION_BOOK in may and not row.to_place,
         ("Replace who takes part", ":material/group:", panel("replace"))),
        (Action.RECORDING_ADD in may and row.method is Method.SMART,
         ("Change the recording link" if sheet.recording_url else "Add recording link", ":material/video_library:",
          panel("recording"))),
        (Action.SESSION_BOOK in may, ("Book next", ":material/event_repeat:", book("next"))),
        (Action.SESSION_BOOK in may, ("Duplicate", ":material/content_copy:", book("copy"))),
        (owes and not after.note_owed and after.note(NoteKind.SHARED) is None,
         ("Write a note", ":material/edit_note:", panel("note"))),
        (leaves is not None, (leaves or "", ":material/person_remove:", panel("leave"))),
        (Action.OUTCOME_REOPEN in may, ("Reopen", ":material/lock_open:", panel("reopen"))),
        (cancels, ("Cancel", ":material/cancel:", panel("cancel"))),
        (Action.SESSION_DELETE in may, ("Delete", ":material/delete:", panel("delete"))),
    ]
    return [act for holds, act in listed if holds]


def buttons(
    work: Work, sheet: Worksheet, programme: ProgrammeView, after: Afterwards, name: str = "worksheet"
) -> None:
    """The first of the actions as a button, the rest in a menu; `name` tells them from those of another place."""
    if way := st.session_state.pop("worksheet:go", None):
        navigation.go("book", **{way: sheet.row.id})
    possible = actions(work, sheet, programme, after)
    if not possible:
        return
    label, icon, run = possible[0]
    st.button(label, type="primary", icon=icon, on_click=run, key=f"{name}-first")
    others = {label: (icon, run) for label, icon, run in possible[1:]}
    if not others:
        return

    def chosen() -> None:
        picked = st.session_state[f"{name}-more"]
        if picked in others:
            others[picked][1]()

    st.menu_button("More", list(others), key=f"{name}-more", on_click=chosen,
                   format_func=lambda each: f"{others[each][0]} {each}" if each in others else str(each))


def facts(work: Work, sheet: Worksheet, programme: ProgrammeView) -> None:
    """Everything that is known of it, as far as the viewer may see (D7)."""
    row, words = sheet.row, programme.policy.words
    told = Action.SESSION_DESCRIBE in sheet.may
    shown: list[tuple[str, str]] = [
        *([("Idea", row.idea)] if row.idea else []),
        ("Type", capital(row.type)),
        (capital(words.many("course")), ", ".join(row.courses) or "none"),
        ("Timetable", row.timetable or "none"),
        *([("Method", capital(row.method))] if programme.policy.smart_rooms or row.method is Method.SMART else []),
        *([("Room", row.room)] if row.room else []),
        *([("Recorded", "automatically" if sheet.records else "no")] if told and row.method is Method.SMART else []),
        *([("Location", row.location or "none")] if told else []),
        *([("Engagement", said)] if (said := engagements.of_session(work, sheet)) else []),
        ("Report", "required" if sheet.report_required else "not required"),
    ]
    if told and row.description:
        st.markdown(plain(row.description))
    with st.grid("auto", min_column_width=130, gap="small"):
        with st.container(gap=None):
            st.markdown(f":gray[{capital(words.practitioner)}]")
            _person(sheet, row.practitioner_id, plain(row.practitioner or "nobody yet"))
        with st.container(gap=None):
            st.markdown(f":gray[{capital(words.team if row.team else words.learner)}]")
            if row.team:
                st.page_link(navigation.BY_NAME["sessions"].page(), query_params={"team": row.team}, icon="",
                             label=plain(row.team), help=f"All {words.many('session')} of this {words.team}")
            else:
                only = sheet.parts[0].learner_id if len(sheet.parts) == 1 else None
                _person(sheet, only, plain(who(row) or "nobody yet"))
        for label, value in shown:
            st.markdown(f":gray[{label}]  \n{plain(value)}")
    if sheet.recording_url:
        st.link_button("Open the recording", sheet.recording_url, icon=":material/video_library:")
    if Action.SESSION_READ in sheet.may and sheet.planning_notes:
        st.markdown(":gray[Planning notes]")
        st.text(sheet.planning_notes, width="stretch")


def participants(
    sheet: Worksheet, programme: ProgrammeView, zone: ZoneInfo, after: Afterwards, *, acting: bool = True
) -> None:
    """Each learner with what came of it, the places, and who waits for one; with `acting`, to be changed there."""
    words = programme.policy.words
    acting = acting and Action.SESSION_FILL in sheet.may
    st.header("Who takes part", anchor=False)
    group.head(sheet, words, acting)
    if not sheet.parts:
        st.caption(f"Nobody yet: this is an open {words.session}.")
    for part in sheet.parts:
        outcome = words.outcome(part.outcome) if part.outcome else "nothing recorded yet"
        minutes = f", {minutes_words(part.actual_minutes)}" if part.actual_minutes else ""
        icon = OUTCOME_ICONS.get(outcome, ":material/person:")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(icon, width="content")
            _person(sheet, part.learner_id, f"**{plain(part.name)}**")
            st.markdown(f"{outcome}{minutes}", width="content")
            if acting and part.outcome is None:
                group.removing(sheet, part)
        if said := afterwards.told(after.recorded.get(part.learner_id), zone):
            st.caption(said)
    group.waiting(sheet, zone, acting)


def _person(sheet: Worksheet, person_id: int | None, label: str) -> None:
    """A name, leading to the profile where the viewer may open it."""
    if person_id in sheet.known:
        st.page_link(navigation.BY_NAME["person"].page(), query_params={"person": str(person_id)}, icon="",
                     label=label, width="content")
    else:
        st.markdown(label, width="content")


def origin(sheet: Worksheet, programme: ProgrammeView, zone: ZoneInfo) -> None:
    """Who made it and when, and the session that it was made from."""
    made = f"{plain(sheet.created_by)}, {when(sheet.created_at, None, zone)}"
    st.caption(f"Made by {made}.")
    if sheet.follows:
        session_id, number = sheet.follows
        st.page_link(
            navigation.BY_NAME["worksheet"].page(), query_params={"session": str(session_id)}, icon=":material/link:",
            label=f"Made from {programme.policy.words.session} {number}",
        )


def beside(work: Work, sheet: Worksheet, programme: ProgrammeView) -> None:
    """The ways to the sessions before and after, with the same people."""
    words, found = programme.policy.words, neighbours(work, sheet)
    if found == (None, None):
        return
    with st.container(horizontal=True, gap="medium", key="beside"):
        for near, label, icon in ((found.before, "Previous", ":material/chevron_left:"),
                                  (found.after, "Next", ":material/chevron_right:")):
            if near is not None:
                st.page_link(
                    navigation.BY_NAME["worksheet"].page(), query_params={"session": str(near[0])}, icon=icon,
                    label=f"{label}: {words.session} {near[1]}", width="content",
                    help=f"Of the same {words.practitioner} and {words.team if sheet.team_id else words.learner}")


def history(work: Work, sheet: Worksheet, zone: ZoneInfo) -> None:
    """What happened to it, latest first, with *Undo* where that is possible (X5)."""
    if Action.HISTORY_SEE not in sheet.may:
        return
    st.header("What happened", anchor=False)
    entries = timeline(work, sheet.row.id)
    for entry in entries:
        _entry(entry, zone, shown=str(entries[0].act_id))


def _entry(entry: Entry, zone: ZoneInfo, *, shown: str) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            undone = " · :gray-badge[:material/undo: undone]" if entry.undone else ""
            st.markdown(f"**{entry.did}** · {plain(entry.who)} · {when(entry.at, None, zone)}{undone}", width="content")
            if entry.can_undo:
                st.button("Undo", icon=":material/undo:", type="tertiary", key=f"worksheet-undo-{entry.act_id}",
                          on_click=feedback.undo_act, args=(entry.act_id, shown))
        if entry.reason:
            st.caption(f"Reason: {plain(entry.reason)}")
        if entry.lines:
            st.caption("  \n".join(plain(line) for line in entry.lines))

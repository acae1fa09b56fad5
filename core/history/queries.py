"""The timeline of a session: every change in words, as far as the viewer may read them (D7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.attending.queries import on_whose_side
from core.clock import when_words
from core.errors import NotFound
from core.history.rights import OWN_FOR, may_repeat
from core.history.rows import RowChange, net
from core.learning.visible import visible_enrolments
from core.permissions import Action, Case, allows, may
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.sessions.visible import keeps_waiting_list, one_case, sees_all, shown_learners
from core.work import SAVED, Saved, Work
from db.models.afterwards import Dispute
from db.models.history import Change, ChangeSet
from db.models.learning import Engagement, Enrolment
from db.models.people import Person, Team
from db.models.sessions import Participation, Session
from db.models.structure import Course, Room, Timetable

DID = {
    "book_sessions": "Booked", "reschedule_sessions": "Rescheduled", "take_off_calendar": "Taken off the calendar",
    "change_venue": "Venue changed", "reassign_sessions": "Reassigned", "edit_sessions": "Edited",
    "replace_participants": "Replaced", "cancel_sessions": "Cancelled", "delete_sessions": "Deleted",
    "record_outcome": "Outcome recorded", "log_session": "Logged",
    "add_recording": "Recording added", "reopen_session": "Reopened",
    "cancel_parts": "Cancelled for somebody", "dispute_outcome": "Objection", "answer_dispute": "Objection answered",
    "charge_late_change": "Late change", "submit_note": "Note submitted", "undo": "Change undone",
    "apply_fixes": "Quick fix", "book_series": "Booked in a series",
    "change_series": "Series changed", "try_again": "Booked after all", "add_learners": "People added",
    "add_engagement": "Counted towards an engagement", "edit_engagement": "Counted towards an engagement",
    "remove_learners": "People removed", "set_places": "Places changed", "leave_waiting": "Waiting list changed",
}
LABELS = {
    "practitioner_id": "practitioner", "team_id": "team", "timetable_id": "timetable", "room_id": "room",
    "starts_at": "start", "ends_at": "end", "planning_notes": "planning notes",
    "report_required": "report required", "learner_id": "learner", "course_id": "course",
    "actual_minutes": "actual minutes",
    "comments_at": "note submitted", "records": "recorded", "recording_url": "link to the recording",
    "engagement_id": "engagement",
}
LEFT_OUT = frozenset({
    "id", "programme_id", "version", "created_by", "created_at", "session_id", "outcome_at", "origin", "follows_id",
    "cancelled_at", "cancel_reason", "notice_at", "series_id", "series_day", "moved_at",
})
NAMED = {
    "practitioner_id": Person, "learner_id": Person, "team_id": Team, "timetable_id": Timetable, "room_id": Room,
    "course_id": Course, "engagement_id": Engagement,
}
LATELY = timedelta(hours=1)
"""For so long it is told, when a form that was sent is opened again, what it did."""
WORDS = frozenset({"description", "location"})
NOTES = frozenset({"planning_notes", "recording_url", "engagement_id"})
NOTHING = "nothing"
FIRST = ("number", "practitioner_id", "team_id", "starts_at", "ends_at")
"""Columns in the order in which a booking is told; the others follow by name."""


@dataclass(frozen=True)
class Entry:
    """One act in the timeline. `lines` say what changed, a sentence each."""

    act_id: int
    at: datetime
    who: str
    did: str
    lines: tuple[str, ...]
    reason: str
    can_undo: bool
    undone: bool


def timeline(work: Work, session_id: int, *, most: int = 100) -> list[Entry]:
    """What happened to a session, latest first. Raises NotFound where the viewer may not see it."""
    case = one_case(work, session_id)
    if not allows(work.actor, Action.HISTORY_SEE, case):
        raise NotFound
    hidden = set(LEFT_OUT)
    reads = allows(work.actor, Action.SESSION_READ, case)
    if not reads:
        hidden |= NOTES
    if not allows(work.actor, Action.SESSION_DESCRIBE, case):
        hidden |= WORDS
    rows = work.tx.execute(
        select(Change.change_set_id, Change.table_name, Change.row_id, Change.session_id, Change.before, Change.after)
        .where(Change.session_id == session_id).order_by(Change.id.desc()).limit(most * 10)
    ).all()
    by_act: dict[int, list[Any]] = {}
    for row in reversed(rows):
        by_act.setdefault(row.change_set_id, []).append(row)
    changes = {act_id: net(listed) for act_id, listed in by_act.items()}
    bare = {act_id for act_id, listed in changes.items() if not listed}
    learners = _learners(work, session_id, changes)
    acts = {act.id: act for act in work.tx.scalars(select(ChangeSet).where(ChangeSet.id.in_(by_act)))}
    shown = shown_learners(work, case)
    private = _about_others(work, case, acts, changes, learners, shown or frozenset())
    if shown is not None:
        changes = {act_id: [c for c in listed if c.table.name != "participation" or learners.get(c.row_id) in shown]
                   for act_id, listed in changes.items() if act_id not in private}
    changes = _without_the_private(work, session_id, case, changes, reads=reads)
    if not keeps_waiting_list(work, case):
        changes = {act_id: [c for c in listed if c.table.name != "waiting"] for act_id, listed in changes.items()}
    undone_by = {act_id: by for act_id, by in work.tx.execute(
        select(ChangeSet.undoes_id, ChangeSet.id).where(ChangeSet.undoes_id.in_(by_act))) if act_id is not None}
    undone: set[int] = set()
    for act_id in sorted(undone_by, reverse=True):  # what undid it is later, and may have been undone in its turn
        if undone_by[act_id] not in undone:
            undone.add(act_id)
    programme = programme_of(work, case.programme_id)
    if not programme.policy.smart_rooms:
        hidden.update(("method", "records"))
    staff = may(work, Action.UNDO_ANY, programme.id)
    names = _names(work, (change for listed in changes.values() for change in listed), learners.values())
    people = dict(work.tx.execute(
        select(Person.id, Person.name).where(Person.id.in_({act.actor_id for act in acts.values() if act.actor_id}))
    ).all())
    labels = {**LABELS, **{f"{which}_id": getattr(programme.policy.words, which)
                           for which in ("practitioner", "learner", "team", "course")}}
    effects = _effects(work, programme.id, session_id, by_act)
    entries = [
        Entry(
            act_id, acts[act_id].at, people.get(acts[act_id].actor_id or 0, "The portal"),
            _did(acts[act_id], acts),
            (*_lines(listed, hidden, labels, names, learners, programme.zone, programme.policy.words),
             *effects.get(act_id, ())),
            (acts[act_id].reason or "") if reads and act_id not in private else "",
            act_id not in undone_by and acts[act_id].actor_id is not None and (
                staff or _own_lately(work, acts[act_id], listed, case)), act_id in undone,
        )
        for act_id, listed in sorted(changes.items(), reverse=True) if listed or act_id in undone & bare
    ]
    return entries[:most]


def _about_others(
    work: Work, case: Case, acts: Mapping[int, ChangeSet], changes: Mapping[int, list[RowChange]],
    learners: Mapping[int, int], shown: frozenset[int],
) -> set[int]:
    """Acts by which other learners alone left: why they did is not for the rest of the group to read."""
    if case.leads or sees_all(work, case.programme_id):
        return set()
    side = on_whose_side(work, case.programme_id) | shown
    return {
        act_id for act_id, listed in changes.items() if acts[act_id].command == "cancel_parts"
        and not any(c.table.name == "participation" and learners.get(c.row_id) in side for c in listed)
    }


def _without_the_private(
    work: Work, session_id: int, case: Case, changes: Mapping[int, list[RowChange]], *, reads: bool
) -> dict[int, list[RowChange]]:
    """Notes are for those who read them, and objections for staff, the practitioner and whose they are (X6)."""
    hidden = set() if reads else {"note", "forfeit", "dispute"}
    own: set[int] | None = None
    if not (case.leads or allows(work.actor, Action.DISPUTE_ANSWER, case)):
        own = set(work.tx.scalars(select(Dispute.id).where(
            Dispute.session_id == session_id, Dispute.learner_id.in_(on_whose_side(work, case.programme_id)))))
    return {
        act_id: [c for c in listed if c.table.name not in hidden
                 and (c.table.name != "dispute" or own is None or c.row_id in own)]
        for act_id, listed in changes.items()
    }


def _effects(work: Work, programme_id: int, session_id: int, acts: Iterable[int]) -> dict[int, list[str]]:
    """What the session did to enrolments and what was taken back, by act, for those who may see them (C7)."""
    rows = work.tx.execute(
        select(Change.change_set_id, Change.before, Change.after)
        .where(Change.change_set_id.in_(list(acts)), Change.table_name == "enrolment_step").order_by(Change.id)
    ).all()
    steps = [(row.change_set_id, row.after is not None, row.after or row.before) for row in rows]
    steps = [each for each in steps if each[2].get("session_id") == session_id]
    if not steps:
        return {}
    named = {row.id: f"{row.learner}, {row.course}" for row in work.tx.execute(
        select(Enrolment.id, Person.name.label("learner"), Course.name.label("course"))
        .join(Person, Person.id == Enrolment.learner_id).join(Course, Course.id == Enrolment.course_id)
        .where(visible_enrolments(work, programme_id), Enrolment.id.in_({each["enrolment_id"] for *_, each in steps})))}
    found: dict[int, list[str]] = {}
    for act_id, done, step in steps:
        if (whose := named.get(step["enrolment_id"])) is not None:
            before, after = step.get("before") or NOTHING, step["after"]
            found.setdefault(act_id, []).append(
                f"{whose}: {step['what']} {before} → {after}" if done else
                f"{whose}: {step['what']} back from {after} to {before}")
    return found


def _did(act: ChangeSet, acts: Mapping[int, ChangeSet]) -> str:
    """What somebody did, and of an undo, what it undid."""
    undone = acts.get(act.undoes_id or 0)
    return f"Undid: {_did(undone, acts).lower()}" if undone is not None else DID.get(act.command, "Changed")


def _own_lately(work: Work, act: ChangeSet, changes: Sequence[RowChange], case: Case) -> bool:
    mine = act.actor_id == work.actor.person_id and work.now - act.at <= OWN_FOR
    return mine and may_repeat(work, act, changes, case)


def _learners(work: Work, session_id: int, changes: Mapping[int, list[RowChange]]) -> dict[int, int]:
    """Whose each part in a session is or was."""
    learners = {row.id: row.learner_id for row in work.tx.execute(
        select(Participation.id, Participation.learner_id).where(Participation.session_id == session_id))}
    for listed in changes.values():
        for change in listed:
            values = {**(change.before or {}), **(change.after or {})}
            if change.table.name == "participation" and "learner_id" in values:
                learners.setdefault(change.row_id, values["learner_id"])
    return learners


def _names(
    work: Work, changes: Iterable[RowChange], learners: Iterable[int]
) -> dict[tuple[str, int], str]:
    ids: dict[str, set[int]] = {"learner_id": set(learners)}
    for change in changes:
        for values in (change.before, change.after):
            for column in NAMED.keys() & (values or {}).keys():
                if values and values[column] is not None:
                    ids.setdefault(column, set()).add(values[column])
    names: dict[tuple[str, int], str] = {}
    for column, wanted in ids.items():
        model = NAMED[column]
        for id_, name in work.tx.execute(select(model.id, model.name).where(model.id.in_(sorted(wanted)))):  # type: ignore[attr-defined]  # each has both
            names[column, id_] = name
    return names


def _lines(
    changes: Sequence[RowChange], hidden: set[str], labels: Mapping[str, str], names: Mapping[tuple[str, int], str],
    learners: Mapping[int, int], zone: ZoneInfo, words: Words,
) -> tuple[str, ...]:
    def said(column: str, value: Any) -> str:
        if value is None or value == "":
            return NOTHING
        if isinstance(value, datetime):
            return when_words(value, zone)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return names.get((column, value), "") if column in NAMED else str(value)

    found: list[str] = []
    for change in changes:
        before, after = change.before or {}, change.after or {}
        if change.table.name in ("participation", "session_course"):
            column = "learner_id" if change.table.name == "participation" else "course_id"
            whom = said(column, (after or before).get(column)) if column in (after or before) else ""
            if change.is_new or change.is_gone:
                found.append(f"{labels[column]} {whom} {'added' if change.is_new else 'removed'}")
            elif change.table.name == "participation":
                found.append(_came_of(names.get(("learner_id", learners[change.row_id]), ""), before, after, words))
            continue
        if change.table.name == "waiting":
            whom = said("learner_id", (after or before).get("learner_id"))
            found.append(f"{whom} {'on' if change.is_new else 'off'} the waiting list")
            continue
        if change.table is not Session.__table__:
            continue
        if change.is_gone:
            found.append("deleted")
            continue
        for column in sorted((after.keys() | before.keys()) - hidden, key=_told):
            if change.is_new and after.get(column) is None:
                continue
            label = labels.get(column, column.replace("_at", "").replace("_", " "))
            old, new = said(column, before.get(column)), said(column, after.get(column))
            found.append(f"{label}: {new}" if change.is_new or old == NOTHING else f"{label}: {old} → {new}")
    return tuple(dict.fromkeys(line[:1].upper() + line[1:] for line in found if line))


def _came_of(whom: str, before: Mapping[str, Any], after: Mapping[str, Any], words: Words) -> str:
    """'Sara: attended, 45 min', or what was taken back."""
    old, new = (words.outcome(values["outcome"]) if values.get("outcome") else "" for values in (before, after))
    if old and "outcome" in after and not new:
        return f"{whom}: {old} taken back"
    minutes = after.get("actual_minutes")
    told = [*([f"{old} → {new}" if old else new] if new else []), *([f"{minutes} min"] if minutes else [])]
    return f"{whom}: {', '.join(told)}" if told else ""


def _told(column: str) -> tuple[int, str]:
    return (FIRST.index(column) if column in FIRST else len(FIRST), column)


def act_of(work: Work, act_id: int) -> str:
    """What an act said, for its own actor. Raises NotFound."""
    act = work.tx.get(ChangeSet, act_id)
    if act is None or act.actor_id != work.actor.person_id:
        raise NotFound
    return act.said or ""


def act_by_key(work: Work, key: str) -> tuple[Saved, bool] | None:
    """What the viewer's form with this key has done already, and whether lately, so that it is not used twice."""
    act = work.tx.execute(
        select(ChangeSet.id, ChangeSet.result, ChangeSet.said, ChangeSet.at)
        .where(ChangeSet.key == f"{work.actor.person_id or 0}:{key}")
    ).first()
    return (Saved(act.id, act.result, act.said or SAVED, replayed=True), act.at > work.now - LATELY) if act else None

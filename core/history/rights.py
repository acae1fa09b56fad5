"""Who may undo an act: whoever may see to it now by the command that did it, or as staff by the opposite one (X5)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select

from core.access.commands import looked_after
from core.availability.commands import Whose, require_hours_of, require_time_off_of
from core.errors import Conflict, NotAllowed, NotFound
from core.history.rows import RowChange
from core.people.commands import OWN_FIELDS
from core.permissions import Action, Case, allows, as_learner, may, require
from core.programmes.commands import ORDINARY, refuse_own_gain
from core.programmes.queries import policy_of
from core.sessions.visible import cases_for, facts_of
from core.work import Work
from db.base import Base
from db.models.history import Change, ChangeSet
from db.models.programmes import RoleGrant
from db.models.sessions import Session, SessionNumber
from db.values import from_history
from db.words import Role, Status

OWN_FOR = timedelta(hours=24)
"""One's own acts can be undone for so long; staff can undo any (X5)."""
NOTHING = "There is nothing to undo, or it is not yours to undo."
OF_SESSIONS = frozenset({"session", "participation", "session_course", "waiting", "note", "dispute", "forfeit"})
NEEDS = {
    "programme": Action.PROGRAMME_EDIT,
    "closure": Action.PROGRAMME_EDIT,
    "own_limits": Action.AVAILABILITY_EDIT,
    **dict.fromkeys(("course", "room", "timetable", "team", "roster", "engagement"), Action.LISTS_EDIT),
    **dict.fromkeys(("series", "series_skip"), Action.SESSION_BOOK),
    **dict.fromkeys(("enrolment", "enrolment_step"), Action.LEARNING_EDIT),
    "evidence": Action.EVIDENCE_KEEP,
    **dict.fromkeys(("rate", "outcome_matrix", "biller", "payer", "paid_by"), Action.MONEY_EDIT),
    **dict.fromkeys(("relation", "team_member", "people_group", "group_member"), Action.PEOPLE_EDIT),
}
"""What it takes to change a row of these by hand."""
DONE_BY = {
    "book_sessions": Action.SESSION_BOOK, "reschedule_sessions": Action.SESSION_RESCHEDULE,
    "take_off_calendar": Action.SESSION_RESCHEDULE, "change_venue": Action.SESSION_RESCHEDULE,
    "reassign_sessions": Action.SESSION_REASSIGN, "edit_sessions": Action.SESSION_EDIT,
    "replace_participants": Action.SESSION_CANCEL, "cancel_sessions": Action.SESSION_CANCEL,
    "delete_sessions": Action.SESSION_DELETE, "record_outcome": Action.OUTCOME_RECORD,
    "log_session": Action.OUTCOME_RECORD,
    "reopen_session": Action.OUTCOME_REOPEN, "add_recording": Action.RECORDING_ADD,
    "cancel_parts": Action.PART_CANCEL, "dispute_outcome": Action.OUTCOME_DISPUTE,
    "answer_dispute": Action.DISPUTE_ANSWER, "charge_late_change": Action.OUTCOME_OVERRULE,
    "submit_note": Action.NOTE_WRITE,
    "book_series": Action.SESSION_BOOK, "try_again": Action.SESSION_BOOK,
    **dict.fromkeys(("add_learners", "remove_learners", "set_places", "leave_waiting"), Action.SESSION_FILL),
}
"""What it takes to give each command about sessions."""
HANGS_ON = {
    "team_member": ("team_id", "team"), "group_member": ("group_id", "people_group"),
    "roster": ("timetable_id", "timetable"), "series_skip": ("series_id", "series"),
    "enrolment_step": ("enrolment_id", "enrolment"),
}
OF_PEOPLE = ("person", "time_off")
"""Rows that belong to a person, and to no programme."""
HOURS = ("weekly_window", "dated_window")
MOVED_BY_SESSIONS = frozenset({"enrolment", "enrolment_step"})
"""What a session brings about is taken back by whoever may take back its outcome (C7)."""
AT_ONCE = 500

Row = tuple[str, int]


# Where a row belongs -----------------------------------------------------------------------------------------------


def programmes_of(work: Work, changes: Sequence[RowChange]) -> dict[Row, int]:
    """The programme of each row that was changed; a person has none."""
    by_table: dict[str, list[RowChange]] = {}
    for change in changes:
        by_table.setdefault("session" if change.table.name in OF_SESSIONS else change.table.name, []).append(change)
    found: dict[Row, int] = {}
    for name, listed in by_table.items():
        if name == "programme":
            found.update({(name, change.row_id): change.row_id for change in listed})
        elif name == "session":
            sessions = _programmes_of_sessions(work, {c.session_id for c in listed if c.session_id is not None})
            found.update({(c.table.name, c.row_id): sessions[c.session_id] for c in listed if c.session_id in sessions})
        elif name in HANGS_ON:
            column, parent = HANGS_ON[name]
            parents = column_of(work, name, column, listed)
            theirs = _looked_up(work, parent, "programme_id", set(parents.values()))
            found.update({(name, id_): theirs[of] for id_, of in parents.items() if of in theirs})
        elif name not in OF_PEOPLE:
            found.update({(name, id_): each for id_, each in column_of(work, name, "programme_id", listed).items()})
    return found


def column_of(work: Work, name: str, column: str, changes: Iterable[RowChange]) -> dict[int, Any]:
    """A column of changed rows that never changes: history of an update holds no more than what changed."""
    found = {c.row_id: {**(c.before or {}), **(c.after or {})}.get(column) for c in changes}
    missing = {id_ for id_, value in found.items() if value is None}
    return {id_: value for id_, value in found.items() if value is not None} | _looked_up(work, name, column, missing)


def _looked_up(work: Work, name: str, column: str, ids: Collection[int]) -> dict[int, Any]:
    """The same of rows by id: as they are, or as they were when they went."""
    table = Base.metadata.tables[name]
    found: dict[int, Any] = {}
    for some in portions(ids):
        found.update(_pairs(work, select(table.c.id, table.c[column]).where(table.c.id.in_(some))))
    for some in portions(set(ids) - found.keys()):
        gone = select(Change.row_id, Change.before).where(
            Change.table_name == name, Change.row_id.in_(some), Change.after.is_(None)).order_by(Change.id)
        found.update({row.row_id: from_history(table.c[column], row.before[column])
                      for row in work.tx.execute(gone) if row.before and row.before.get(column) is not None})
    return found


def _programmes_of_sessions(work: Work, ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for model, key in ((Session, Session.id), (SessionNumber, SessionNumber.session_id)):  # numbers outlive sessions
        for some in portions(set(ids) - found.keys()):
            found.update(_pairs(work, select(key, model.programme_id).where(key.in_(some))))
    return found


def _pairs(work: Work, statement: Select[int, Any]) -> dict[int, Any]:
    return {row[0]: row[1] for row in work.tx.execute(statement)}


def portions(ids: Collection[int]) -> list[list[int]]:
    """The same in order, and few enough at a time for one statement."""
    listed = sorted(ids)
    return [listed[n:n + AT_ONCE] for n in range(0, len(listed), AT_ONCE)]


# Who may -----------------------------------------------------------------------------------------------------------


def require_undo(work: Work, act: ChangeSet, changes: Sequence[RowChange], programmes: Mapping[Row, int]) -> None:
    """Raises NotFound where the act is not the actor's to undo, NotAllowed where it takes more than they may do now."""
    if work.actor.everything:
        return
    mine = act.actor_id is not None and act.actor_id == work.actor.person_id
    staff = _undoes_any(work, changes, set(programmes.values()))
    if not (mine or staff):
        raise NotFound(NOTHING)
    if not staff and work.now - act.at > OWN_FOR:
        raise NotAllowed("This is more than 24 hours ago; ask a programme admin to undo it.")
    for change in changes:
        if change.table.name == "person":
            _require_person(work, change, mine, bool(programmes))
        elif change.table.name == "time_off":
            require_time_off_of(work, column_of(work, "time_off", "person_id", [change]).values())
        elif (change.table.name, change.row_id) not in programmes:
            raise NotFound(NOTHING)
    _require_tables(work, changes, programmes)
    _require_sessions(work, act, changes, programmes)


def _undoes_any(work: Work, changes: Sequence[RowChange], programmes: set[int]) -> bool:
    if programmes:
        return all(may(work, Action.UNDO_ANY, programme_id) for programme_id in programmes)
    people = {change.row_id for change in changes if change.table.name == "person"}
    people.update(column_of(work, "time_off", "person_id", [c for c in changes if c.table.name == "time_off"]).values())
    theirs = work.tx.scalars(select(RoleGrant.programme_id).where(RoleGrant.person_id.in_(people)).distinct()).all()
    return any(may(work, Action.UNDO_ANY, programme_id) for programme_id in theirs)


def _require_person(work: Work, change: RowChange, mine: bool, elsewhere: bool) -> None:
    if change.is_gone:  # who comes back does so with the roles, and those are asked for
        if not elsewhere:
            raise NotFound(NOTHING)
        return
    columns = (change.before or {}).keys() - {"version"}
    if mine and not change.is_new and change.row_id == work.actor.person_id and columns <= set(OWN_FIELDS):
        return
    looked_after(work, [change.row_id], Action.PERSON_DISABLE if columns == {"disabled_at"} else Action.PEOPLE_EDIT)
    if "disabled_at" in columns and change.row_id == work.actor.person_id:
        raise Conflict("You cannot switch your own account off.")


def _require_tables(work: Work, changes: Sequence[RowChange], programmes: Mapping[Row, int]) -> None:
    grants = [change for change in changes if change.table.name == "role_grant"]
    roles: dict[int, Role] = column_of(work, "role_grant", "role", grants) if grants else {}
    of_session = any(change.table.name in OF_SESSIONS for change in changes)
    needed = {(NEEDS[c.table.name], programmes[c.table.name, c.row_id]) for c in changes
              if c.table.name in NEEDS and not (of_session and c.table.name in MOVED_BY_SESSIONS)}
    needed |= {
        (Action.PEOPLE_EDIT if roles[change.row_id] in ORDINARY else Action.ROLES_GRANT,
         programmes["role_grant", change.row_id])
        for change in grants
    }
    for action, programme_id in sorted(needed):
        require(work, action, programme_id)
    for name in HOURS:
        kept = [change for change in changes if change.table.name == name]
        people = column_of(work, name, "person_id", kept)
        for row_id in {change.row_id for change in kept}:
            require_hours_of(work, Whose(programmes[name, row_id], people.get(row_id)))
    back = [change for change in grants if not change.is_new]
    for row_id, person_id in column_of(work, "role_grant", "person_id", back).items():
        refuse_own_gain(work, programmes["role_grant", row_id], [person_id])
    for change in changes:
        if change.table.name == "relation" and change.before is not None:
            tied = [change.before["adult_id"], change.before["learner_id"]]
            refuse_own_gain(work, programmes["relation", change.row_id], tied)


def _require_sessions(
    work: Work, act: ChangeSet, changes: Sequence[RowChange], programmes: Mapping[Row, int]
) -> None:
    """Staff undo what anybody did; others what they did themselves, and would be allowed to do now."""
    by_session: dict[int, list[RowChange]] = {}
    for change in changes:
        if change.session_id is not None and change.table.name in OF_SESSIONS:
            if may(work, Action.UNDO_ANY, programmes[change.table.name, change.row_id]):
                continue
            by_session.setdefault(change.session_id, []).append(change)
    cases = {case_id: case for some in portions(by_session) for case_id, case in
             cases_for(work, facts_of(work, some)).items()}
    for session_id, listed in by_session.items():
        programme_id = programmes[listed[0].table.name, listed[0].row_id]
        if programme_id not in work.actor.roles:
            raise NotFound(NOTHING)
        case = cases.get(session_id) or _gone(work, programme_id, listed)
        if not allows(work.actor, Action.SESSION_SEE, case):
            raise NotFound(NOTHING)
        if not may_repeat(work, act, listed, case):
            raise NotAllowed("You may not do this to this session any more, so you cannot undo it either.")


def may_repeat(work: Work, act: ChangeSet, changes: Sequence[RowChange], case: Case) -> bool:
    """Whether the actor may do now to a session what an act did to it, its own effect on the session's state aside."""
    action = _done_by(work, act, changes)
    if action is None:
        return False
    if any("cancelled_at" in (c.before or {}) or "outcome" in (c.before or {}) for c in changes):
        status = Status.HELD if action is Action.OUTCOME_REOPEN else Status.SCHEDULED
        case = case._replace(status=status, started=case.started or action is Action.OUTCOME_RECORD)
    return allows(work.actor, action, case) and not _comes_too_late(work, changes, action, case)


def _comes_too_late(work: Work, changes: Sequence[RowChange], action: Action, case: Case) -> bool:
    """What the learner's side may not do so late, undo may not either: a booking undone is gone, a move is a move."""
    if not as_learner(work.actor, action, case):
        return False
    for change in (change for change in changes if change.table.name == "session"):
        before = change.before or {}
        if change.is_new or ("starts_at" in before and not change.is_gone):
            ended = case.late
        else:
            ended = case.started and "cancelled_at" in before
        if ended or (before.get("starts_at") is not None and before["starts_at"] <= work.now):
            return True
    return False


def _done_by(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> Action | None:
    command, undoes = act.command, act.undoes_id
    while command == "undo" and undoes is not None:
        command, undoes = work.tx.execute(
            select(ChangeSet.command, ChangeSet.undoes_id).where(ChangeSet.id == undoes)).one()
    if command in ("apply_fixes", "change_series"):
        columns = {name for change in changes for name in (change.before or {})}
        if "cancelled_at" in columns:
            return Action.SESSION_CANCEL
        return Action.SESSION_REASSIGN if "practitioner_id" in columns else Action.SESSION_RESCHEDULE
    return DONE_BY.get(command)


def _gone(work: Work, programme_id: int, changes: Sequence[RowChange]) -> Case:
    """How the actor would stand to a deleted session that comes back."""
    me = work.actor.person_id
    session: dict[str, Any] = next((c.before or {} for c in changes if c.table.name == "session"), {})
    return Case(
        programme_id, policy_of(work, programme_id).who_books,
        Status.CANCELLED if session.get("cancelled_at") else Status.SCHEDULED,
        leads=session.get("practitioner_id") == me, created=session.get("created_by") == me,
        attends=any((c.before or {}).get("learner_id") == me for c in changes),
        ticked=work.actor.ticked.get(programme_id, frozenset()),
    )

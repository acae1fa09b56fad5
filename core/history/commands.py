"""Undo: put the before values of an act back through the same guards, as one act (X5)."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, insert, select, update

from core.clock import when_words
from core.errors import Conflict, NotAllowed, NotFound
from core.history.rows import RowChange, changes_of
from core.notifications.commands import notify
from core.permissions import Action, may
from core.programmes.queries import programme_of
from core.sessions.busy import Wanted, lock, refuse_clashes
from core.work import Work
from db.base import Base
from db.models.history import Change, ChangeSet
from db.models.people import Group, Person, Team
from db.models.programmes import RoleGrant
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.triggers import DERIVED

OWN_FOR = timedelta(hours=24)
"""One's own acts can be undone for so long; staff can undo any (X5)."""
NOT_COMPARED = {"version"}
TABLE: Table = Base.metadata.tables["session"]
PARTS: Table = Base.metadata.tables["participation"]


def undo(work: Work, act_id: int) -> list[int]:
    """Put back what an act changed. Returns the sessions concerned. Run it with `undoes=act_id`.

    Raises NotFound for an act the actor may not see, NotAllowed after 24 hours, PersonBusy where the time was taken,
    Conflict where something later depends on it, naming that.
    """
    act = work.tx.get(ChangeSet, act_id)
    changes = changes_of(work, act_id) if act is not None else []
    programmes = programmes_of(work, changes)
    if act is None or not changes or not _may_undo(work, act, programmes):
        raise NotFound("There is nothing to undo, or it is not yours to undo.")
    mine = act.actor_id == work.actor.person_id
    if mine and work.now - act.at > OWN_FOR and not _is_staff(work, programmes):
        raise NotAllowed("This is more than 24 hours ago; ask a programme admin to undo it.")
    if work.tx.scalar(select(ChangeSet.id).where(ChangeSet.undoes_id == act_id, ChangeSet.id != work.act_id)):
        raise Conflict("This was undone already.")
    _lock_sessions(work, changes)
    for change in changes:
        _refuse_if_later(work, act, change)
    _refuse_dependants(work, act, changes)
    _put_back(work, changes)
    sessions = sorted({change.session_id for change in changes if change.session_id is not None})
    _tell(work, changes)
    work.say(f"Undone: {act.said}")
    return sessions


def programmes_of(work: Work, changes: Sequence[RowChange]) -> set[int]:
    """The programmes that an act touched."""
    found = {
        values["programme_id"] for change in changes for values in (change.before, change.after)
        if values and values.get("programme_id") is not None
    }
    found.update(change.row_id for change in changes if change.table.name == "programme")
    sessions = {change.session_id for change in changes if change.session_id is not None}
    if sessions:
        found.update(work.tx.scalars(select(Session.programme_id).where(Session.id.in_(sessions)).distinct()))
    for name, column in (("team_member", "team_id"), ("group_member", "group_id")):
        model = Team if name == "team_member" else Group
        ids = {(c.before or {}).get(column) or (c.after or {}).get(column) for c in changes if c.table.name == name}
        if ids - {None}:
            found.update(work.tx.scalars(select(model.programme_id).where(model.id.in_(ids - {None}))))
    people = {change.row_id for change in changes if change.table.name == "person"}
    if people and not found:
        found.update(work.tx.scalars(
            select(RoleGrant.programme_id).where(RoleGrant.person_id.in_(people)).distinct()))
    return found


def _is_staff(work: Work, programmes: Iterable[int]) -> bool:
    programmes = set(programmes)
    return work.actor.everything or (bool(programmes) and all(may(work, Action.UNDO_ANY, p) for p in programmes))


def _may_undo(work: Work, act: ChangeSet, programmes: set[int]) -> bool:
    if _is_staff(work, programmes):
        return True
    return act.actor_id == work.actor.person_id and programmes <= set(work.actor.roles)


def _lock_sessions(work: Work, changes: Sequence[RowChange]) -> None:
    ids = sorted({change.session_id for change in changes if change.session_id is not None})
    if ids and not work.on_sqlite:
        work.tx.execute(select(Session.id).where(Session.id.in_(ids)).order_by(Session.id).with_for_update())


def _refuse_if_later(work: Work, act: ChangeSet, change: RowChange) -> None:
    """What the act left must still be there; an act and its own undo in between cancel out by themselves."""
    table = change.table
    row = work.tx.execute(select(table).where(table.c.id == change.row_id)).mappings().first()
    left = dict(change.after or {})
    if change.is_new:  # history leaves out what is empty in a new row
        left = {column.name: left.get(column.name) for column in table.columns
                if column.name not in DERIVED.get(table.name, ())}
    if change.is_gone:
        changed = row is not None
    else:
        changed = row is None or any(row[name] != value for name, value in left.items() if name not in NOT_COMPARED)
        changed = changed or _room_without_time(change, row or {})
    if changed:
        raise Conflict(_what_came_later(work, act, Change.row_id == change.row_id, Change.table_name == table.name))


def _room_without_time(change: RowChange, row: Any) -> bool:
    """A room cannot come back to a session that has left the calendar since."""
    before = change.before or {}
    return before.get("room_id") is not None and before.get("starts_at", row.get("starts_at")) is None


def _refuse_dependants(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> None:
    """Rows that this act made cannot go while others, made later, point at them."""
    going: dict[str, set[int]] = {}
    for change in changes:
        if change.is_new:
            going.setdefault(change.table.name, set()).add(change.row_id)
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            ids = going.get(key.column.table.name)
            if not ids:
                continue
            held: ColumnElement[bool] = key.parent.in_(sorted(ids))
            if "id" in table.c and going.get(table.name):
                held &= table.c.id.not_in(sorted(going[table.name]))
            if work.tx.execute(select(key.parent).where(held).limit(1)).first():
                sessions = {c.session_id for c in changes if c.session_id is not None}
                raise Conflict(_what_came_later(work, act, Change.session_id.in_(sessions)))


def _what_came_later(work: Work, act: ChangeSet, *where: Any) -> str:
    later = work.tx.execute(
        select(ChangeSet.at, Person.name, ChangeSet.said).join(Change, Change.change_set_id == ChangeSet.id)
        .outerjoin(Person, Person.id == ChangeSet.actor_id)
        .where(*where, ChangeSet.id > act.id, ChangeSet.id != (work.act_id or 0)).order_by(ChangeSet.id.desc()).limit(1)
    ).first()
    if later is None:
        return "This cannot be undone any more: something else depends on it now."
    programme = next(iter(programmes_of(work, changes_of(work, act.id))), None)
    zone = programme_of(work, programme).zone if programme is not None else None
    when = when_words(later.at, zone) if zone else f"{later.at:%d %b %Y, %H:%M} UTC"
    return f"This cannot be undone any more. Later, {when}, {later.name or 'the portal'}: {later.said}"


def _put_back(work: Work, changes: Sequence[RowChange]) -> None:
    _release(work, changes)
    _refuse_taken(work, changes)
    for table in Base.metadata.sorted_tables:
        gone = [c for c in changes if c.table is table and c.is_gone]
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for change in gone:
            values = dict(change.before or {})
            if "version" in values:
                values["version"] += 1
            by_columns.setdefault(tuple(sorted(values)), []).append(values)
        for rows in by_columns.values():
            work.tx.connection().execute(insert(table), rows)
    for table in Base.metadata.sorted_tables:
        _restore_values(work, table, [c for c in changes if c.table is table and not c.is_gone and not c.is_new])
    for table in reversed(Base.metadata.sorted_tables):
        made = [c.row_id for c in changes if c.table is table and c.is_new]
        for n in range(0, len(made), 500):
            work.tx.execute(delete(table).where(table.c.id.in_(made[n:n + 500])))
    work.tx.expire_all()


def _restore_values(work: Work, table: Table, changes: Sequence[RowChange]) -> None:
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for change in changes:
        columns = tuple(sorted((change.before or {}).keys() - NOT_COMPARED))
        if columns:
            values = {f"old_{name}": (change.before or {})[name] for name in columns}
            by_columns.setdefault(columns, []).append({"key_": change.row_id, **values})
    for columns, rows in by_columns.items():
        values = {name: bindparam(f"old_{name}", type_=table.c[name].type) for name in columns}
        if "version" in table.c:
            values["version"] = table.c.version + 1
        work.tx.connection().execute(update(table).where(table.c.id == bindparam("key_")).values(values), rows)


def _release(work: Work, changes: Sequence[RowChange]) -> None:
    """Take the sessions concerned off the calendar, so that they may take each other's time back."""
    places = {"starts_at", "ends_at", "room_id", "practitioner_id", "cancelled_at"}
    ids = [
        c.row_id for c in changes
        if c.table is TABLE and not c.is_gone and (c.is_new or places & (c.before or {}).keys())
    ]
    for change in changes:
        if change.row_id in ids and change.table is TABLE and not change.is_new:
            now = work.tx.execute(
                select(TABLE.c.starts_at, TABLE.c.ends_at, TABLE.c.room_id).where(TABLE.c.id == change.row_id)
            ).mappings().one()
            change.before = {**now, **(change.before or {})}
    if ids:
        work.tx.execute(update(TABLE).where(TABLE.c.id.in_(ids), TABLE.c.starts_at.is_not(None))
                        .values(starts_at=None, ends_at=None, room_id=None))


def _refuse_taken(work: Work, changes: Sequence[RowChange]) -> None:
    """Look before the guards do, so that a refusal says who and when."""
    ids = sorted({c.session_id for c in changes if c.session_id is not None})
    if not ids:
        return
    sessions: dict[int, dict[str, Any]] = {
        row["id"]: dict(row) for row in work.tx.execute(select(TABLE).where(TABLE.c.id.in_(ids))).mappings()
    }
    parts: dict[int, tuple[int, int, Any]] = {
        row.id: (row.session_id, row.learner_id, row.outcome)
        for row in work.tx.execute(
            select(PARTS.c.id, PARTS.c.session_id, PARTS.c.learner_id, PARTS.c.outcome)
            .where(PARTS.c.session_id.in_(ids)))
    }
    for change in changes:
        before = change.before or {}
        if change.table is TABLE:
            if change.is_new:
                sessions.pop(change.row_id, None)
            else:
                sessions[change.row_id] = {**sessions.get(change.row_id, {}), **before}
        elif change.table is PARTS:
            if change.is_new:
                parts.pop(change.row_id, None)
            else:
                there = parts.get(change.row_id, (0, 0, None))
                parts[change.row_id] = (
                    before.get("session_id", there[0]), before.get("learner_id", there[1]),
                    before.get("outcome") if "outcome" in before or change.is_gone else there[2],
                )
    people: dict[int, set[int]] = {}
    for session_id, learner, outcome in parts.values():
        if outcome not in FREES_LEARNER:
            people.setdefault(session_id, set()).add(learner)
    by_programme: dict[int, list[Wanted]] = {}
    for n, (id_, row) in enumerate(sorted(sessions.items())):
        if row.get("starts_at") is not None and row.get("cancelled_at") is None:
            everybody = people.get(id_, set()) | ({row["practitioner_id"]} if row.get("practitioner_id") else set())
            by_programme.setdefault(row["programme_id"], []).append(
                Wanted(n, frozenset(everybody), row.get("room_id"), row["starts_at"], row["ends_at"], id_))
    wanted = [one for listed in by_programme.values() for one in listed]
    lock(work, {person for one in wanted for person in one.people}, {one.room_id for one in wanted if one.room_id})
    for programme_id, listed in by_programme.items():
        refuse_clashes(work, programme_id, listed)


def _tell(work: Work, changes: Sequence[RowChange]) -> None:
    ids = sorted({c.session_id for c in changes if c.session_id is not None})[:200]
    rows = work.tx.execute(
        select(Session.id, Session.programme_id, Session.number, Session.practitioner_id).where(Session.id.in_(ids))
    ).all()
    learners: dict[int, list[int]] = {}
    for session_id, learner in work.tx.execute(
        select(Participation.session_id, Participation.learner_id).where(Participation.session_id.in_(ids))
    ):
        learners.setdefault(session_id, []).append(learner)
    notify(work, (
        (person, row.programme_id, row.id,
         f"{programme_of(work, row.programme_id).policy.words.session.capitalize()} {row.number}: a change was undone.")
        for row in rows for person in (row.practitioner_id, *learners.get(row.id, ()))
    ))

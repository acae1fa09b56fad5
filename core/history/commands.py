"""Undo: put the before values of an act back through the same guards, as one act (X5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from core.access.commands import sign_out_everywhere
from core.billing.settle import settle
from core.billing.undoing import keep_the_past, settle_payers, terms_until_now, what_rests_on
from core.clock import when_words
from core.errors import Conflict, NotFound
from core.history.rights import HANGS_ON, NOTHING, OF_SESSIONS, Row, portions, programmes_of, require_undo
from core.history.rows import RowChange, changes_of
from core.history.standing import Standing, house_again, refuse_misplaced, standings
from core.notifications.commands import notify
from core.people.visible import everywhere
from core.programmes.commands import keep_a_master_admin, refuse_sessions_ahead
from core.programmes.queries import programme_of
from core.sessions.busy import Wanted, refuse_clashes
from core.sessions.groups import fill_places
from core.work import ALREADY, Work
from db.base import Base
from db.models.afterwards import Dispute, Forfeit
from db.models.billing import LedgerLine
from db.models.history import Change, ChangeSet
from db.models.people import Person
from db.models.sessions import Participation, Session
from db.triggers import DERIVED

NOT_COMPARED = {"version"}
TABLE: Table = Base.metadata.tables["session"]
PARTS: Table = Base.metadata.tables["participation"]
SHAPE = frozenset({
    "practitioner_id", "team_id", "room_id", "location", "method", "starts_at", "ends_at", "cancelled_at",
})
"""Who meets when and where, which stays once something came of it."""
REPORTED = frozenset({"report_published_at", "comments_at", "told_at"})
CAME_OF_IT = frozenset({"cancelled_at", "submitted_at", "joined_at", "outcome", *REPORTED})
ONES_OWN = {"dispute": Dispute.by_id, "forfeit": Forfeit.learner_id}
"""What the rest of a group is not told of, and whom it is told instead."""
FIRST_LOCKED = ("programme", "session", "person", "room")


def undo(work: Work, act_id: int) -> list[int]:
    """Put back what an act changed. Returns the sessions concerned. Run it with `undoes=act_id`.

    It takes the right to do the opposite by hand. Raises NotFound for an act the actor may not see, NotAllowed (also
    after 24 hours), PersonBusy where the time was taken, Conflict where something later depends on it, naming that.
    """
    act = work.tx.get(ChangeSet, act_id)
    changes = changes_of(work, act_id) if act is not None else []
    if act is None or not changes:
        raise NotFound(NOTHING)
    programmes = programmes_of(work, changes)
    require_undo(work, act, changes, programmes)
    if work.tx.scalar(select(ChangeSet.id).where(ChangeSet.undoes_id == act_id, ChangeSet.id != work.act_id)):
        raise Conflict(ALREADY)
    _lock(work, changes, set(programmes.values()))
    for change in changes:
        _refuse_if_later(work, act, change)
    _refuse_what_came_of_it(work, act, changes)
    _refuse_dependants(work, act, changes)
    _refuse_parts_of_what_is_gone(work, act, changes)
    _refuse_in_use(work, changes)
    _refuse_taken_keys(work, act, changes)
    sessions = sorted({change.session_id for change in changes if change.session_id is not None})
    told, terms = _concerned(work, sessions, changes), terms_until_now(work, changes, programmes)
    _put_back(work, changes)
    _look_after(work, changes, programmes)
    fill_places(work, sessions)
    keep_the_past(work, terms)
    settle_payers(work, changes, programmes)
    settle(work, sessions, "undone")
    _tell(work, told, _concerned(work, sessions, changes))
    work.say(f"Undid: {act.said}")
    return sessions


def _lock(work: Work, changes: Sequence[RowChange], programmes: set[int]) -> None:
    """Hold every row that is put back until the act ends, in the order in which everybody does."""
    if work.on_sqlite:
        return
    ids: dict[str, set[int]] = {}
    for change in changes:
        ids.setdefault(change.table.name, set()).add(change.row_id)
        if change.session_id is not None:
            ids.setdefault("session", set()).add(change.session_id)
    if ids.keys() - OF_SESSIONS:  # lists and roles change only while their programme is held
        ids.setdefault("programme", set()).update(programmes)
    for name in (*FIRST_LOCKED, *sorted(ids.keys() - {*FIRST_LOCKED})):
        table = Base.metadata.tables[name]
        for some in portions(ids.get(name, ())):
            work.tx.execute(select(table.c.id).where(table.c.id.in_(some)).order_by(table.c.id)
                            .with_for_update(key_share=name not in OF_SESSIONS))


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


def _refuse_what_came_of_it(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> None:
    """Who met when and where stays once something came of it, and so does an outcome that was reported on.

    What is empty again by now, because it was undone or reopened, is nothing.
    """
    watched: dict[int, frozenset[str]] = {}
    for change in changes:
        if change.session_id is None:
            continue
        columns = (change.before or {}).keys() | (change.after or {}).keys()
        parts = change.table is PARTS
        if columns & SHAPE if not parts else change.is_new or change.is_gone or "learner_id" in columns:
            watched[change.session_id] = CAME_OF_IT
        elif parts and "outcome" in columns:
            watched[change.session_id] = watched.get(change.session_id, REPORTED)
    first: dict[tuple[Table, int, str], Any] = {}
    last: dict[tuple[Table, int, str], tuple[Any, int]] = {}
    for some in portions(watched):
        rows = work.tx.execute(
            select(Change).where(
                Change.session_id.in_(some), Change.table_name.in_((TABLE.name, PARTS.name)),
                Change.change_set_id > act.id, Change.change_set_id != (work.act_id or 0),
            ).order_by(Change.id)
        ).scalars().all()
        for row in rows:
            before, after = row.before or {}, row.after or {}
            for name in (before.keys() | after.keys()) & watched[row.session_id or 0]:
                key = (Base.metadata.tables[row.table_name], row.row_id, name)
                first.setdefault(key, before.get(name))
                last[key] = (after.get(name), row.change_set_id)
    stands = [act_id for key, (value, act_id) in last.items() if value != first[key]]
    if stands:
        raise Conflict(_what_came_later(work, act, ChangeSet.id == max(stands)))


def _refuse_in_use(work: Work, changes: Sequence[RowChange]) -> None:
    """What the forms keep as it is once there are sessions stays so here too (B6)."""
    for name, columns, held in (
        ("programme", {"zone", "currency"}, Session.programme_id),
        ("timetable", {"kind", "owner_id"}, Session.timetable_id),
    ):
        ids = [c.row_id for c in changes if c.table.name == name and not c.is_new and columns & (c.before or {}).keys()]
        if ids and work.tx.scalar(select(Session.id).where(held.in_(ids)).limit(1)) is not None:
            raise Conflict("This cannot be undone any more: there are sessions that it is part of.")
    for change in changes:
        if change.table.name == "programme" and (change.before or {}).get("retired_at") is not None:
            refuse_sessions_ahead(work, change.row_id)


def _refuse_taken_keys(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> None:
    """What only one may have, such as a name in a list, was perhaps given to another since."""
    ours: dict[str, set[int]] = {}
    for change in changes:
        ours.setdefault(change.table.name, set()).add(change.row_id)
    for change in changes:
        for constraint in change.table.constraints:
            if change.before is None or not isinstance(constraint, UniqueConstraint):
                continue
            columns = list(constraint.columns)
            if not (change.is_gone or {column.name for column in columns} & change.before.keys()):
                continue
            there = work.tx.execute(select(*columns).where(change.table.c.id == change.row_id)).mappings().first()
            values = {**(there or {}), **change.before}
            if any(values.get(column.name) is None for column in columns):
                continue
            taken = work.tx.scalar(
                select(change.table.c.id).where(
                    change.table.c.id.not_in(sorted(ours[change.table.name])),
                    *(_same(column, values[column.name]) for column in columns),
                ).limit(1)
            )
            if taken is not None:
                raise Conflict(_who_took_it(work, act, change.table, taken))


def _same(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """Names and addresses are compared as the forms do, whatever the case of their letters."""
    same: ColumnElement[bool] = column == value
    return or_(same, func.lower(column) == func.lower(value)) if isinstance(column.type, Text) else same


def _who_took_it(work: Work, act: ChangeSet, table: Table, row_id: int) -> str:
    if table.name == "person" and not work.tx.scalar(select(Person.id).where(Person.id == row_id, everywhere(work))):
        return "This cannot be undone any more: the e-mail address belongs to another person now."
    if table.name == "programme" and not work.actor.everything and row_id not in work.actor.roles:
        return "This cannot be undone any more: the name belongs to another programme now."
    return _what_came_later(work, act, Change.row_id == row_id, Change.table_name == table.name)


def _room_without_time(change: RowChange, row: Any) -> bool:
    """A room cannot come back to a session that has left the calendar since."""
    before = change.before or {}
    return before.get("room_id") is not None and before.get("starts_at", row.get("starts_at")) is None


def _refuse_dependants(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> None:
    """Rows that this act made cannot go while others point at them, but those that it turned to them itself."""
    going: dict[str, set[int]] = {}
    turned: dict[Any, set[int]] = {}
    for change in changes:
        for column in change.before or {} if not change.is_gone else ():
            turned.setdefault(change.table.c[column], set()).add(change.row_id)
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
            if back := turned.get(key.parent):
                held &= table.c.id.not_in(sorted(back))
            if work.tx.execute(select(key.parent).where(held).limit(1)).first():
                if table.name == LedgerLine.__tablename__:
                    raise Conflict(what_rests_on(work, held))
                sessions = {c.session_id for c in changes if c.session_id is not None}
                raise Conflict(_what_came_later(work, act, Change.session_id.in_(sessions)))


def _refuse_parts_of_what_is_gone(work: Work, act: ChangeSet, changes: Sequence[RowChange]) -> None:
    """What hangs on another row, such as a member on a group, comes back with it or while it is there."""
    back = {(change.table.name, change.row_id) for change in changes if change.is_gone}
    for name, (column, parent) in HANGS_ON.items():
        ids = {(c.before or {})[column] for c in changes if c.table.name == name and c.is_gone}
        table = Base.metadata.tables[parent]
        for some in portions({id_ for id_ in ids if (parent, id_) not in back}):
            there = set(work.tx.scalars(select(table.c.id).where(table.c.id.in_(some))))
            if gone := set(some) - there:
                raise Conflict(_what_came_later(work, act, Change.table_name == parent, Change.row_id.in_(gone)))


def _what_came_later(work: Work, act: ChangeSet, *where: Any) -> str:
    later = work.tx.execute(
        select(ChangeSet.at, Person.name, ChangeSet.said).join(Change, Change.change_set_id == ChangeSet.id)
        .outerjoin(Person, Person.id == ChangeSet.actor_id)
        .where(*where, ChangeSet.id > act.id, ChangeSet.id != (work.act_id or 0)).order_by(ChangeSet.id.desc()).limit(1)
    ).first()
    if later is None:
        return "This cannot be undone any more: something else depends on it now."
    programmes = set(programmes_of(work, changes_of(work, act.id)).values())
    zone = next((programme_of(work, each).zone for each in sorted(programmes)), None)
    when = when_words(later.at, zone) if zone else f"{later.at:%d %b %Y, %H:%M} UTC"
    return f"This cannot be undone any more. Later, {when}, {later.name or 'the portal'}: {later.said}"


def _put_back(work: Work, changes: Sequence[RowChange]) -> None:
    house_again(work, changes)
    standing = standings(work, changes)
    refuse_misplaced(work, standing)
    _release(work, changes)
    _refuse_taken(work, standing)
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
    """Take the sessions concerned off the calendar, so that they may take each other's time back.

    Likewise learners whom the act took in leave their places, and a number of places is none until all are back.
    """
    made = [c.row_id for c in changes if c.table is PARTS and c.is_new]
    for some in portions(made):
        work.tx.execute(delete(PARTS).where(PARTS.c.id.in_(some)))
    limited = [c.row_id for c in changes if c.table is TABLE and "places" in (c.before or {}) and not c.is_gone]
    for some in portions(limited):
        work.tx.execute(update(TABLE).where(TABLE.c.id.in_(some)).values(places=None))
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


def _refuse_taken(work: Work, standing: Sequence[Standing]) -> None:
    """Look before the guards do, so that a refusal says who and when."""
    by_programme: dict[int, list[Wanted]] = {}
    for item, one in enumerate(standing):
        if one.then["starts_at"] is not None:
            by_programme.setdefault(one.then["programme_id"], []).append(one.wanted(item))
    for programme_id, listed in by_programme.items():
        refuse_clashes(work, programme_id, listed)


def _look_after(work: Work, changes: Sequence[RowChange], programmes: Mapping[Row, int]) -> None:
    """What the opposite command would see to besides: a master admin left, and nobody signed in who is switched off."""
    work.cache.pop("programmes", None)
    made = {change.row_id for change in changes if change.table.name == "programme" and change.is_new}
    grants = {programmes["role_grant", c.row_id] for c in changes if c.table.name == "role_grant" and not c.is_gone}
    switched = [c for c in changes if c.table.name == "person" and c.before and "disabled_at" in c.before]
    keep_a_master_admin(work, [change.row_id for change in switched], sorted(grants - made))
    if off := [change.row_id for change in switched if (change.before or {})["disabled_at"] is not None]:
        sign_out_everywhere(work, off)


@dataclass
class _Told:
    """Whom to tell of a session."""

    programme_id: int
    number: int
    people: set[int]


def _concerned(work: Work, sessions: Sequence[int], changes: Sequence[RowChange]) -> dict[int, _Told]:
    """Whoever takes part; where nothing changed but what is one family's, no other learner."""
    found: dict[int, _Told] = {}
    for some in portions(sessions):
        for row in work.tx.execute(
            select(Session.id, Session.programme_id, Session.number, Session.practitioner_id)
            .where(Session.id.in_(some))
        ):
            found[row.id] = _Told(row.programme_id, row.number, {row.practitioner_id} - {None})
    shared = {id_ for change in changes if change.table.name not in ONES_OWN and (id_ := change.session_id) is not None}
    for some in portions(shared):
        for session_id, learner in work.tx.execute(
            select(Participation.session_id, Participation.learner_id).where(Participation.session_id.in_(some))
        ):
            found[session_id].people.add(learner)
    for name, whose in ONES_OWN.items():
        for some in portions({change.row_id for change in changes if change.table.name == name}):
            for session_id, person in work.tx.execute(
                select(whose.class_.session_id, whose).where(whose.class_.id.in_(some))
            ):
                found[session_id].people.add(person)
    return found


def _tell(work: Work, before: Mapping[int, _Told], after: Mapping[int, _Told]) -> None:
    """Everybody who takes part, or did until now."""
    notices = []
    for session_id, told in {**before, **after}.items():
        word = programme_of(work, told.programme_id).policy.words.session.capitalize()
        said = "a change was undone." if session_id in after else "its booking was undone, so it does not take place."
        people = told.people | (before[session_id].people if session_id in before else set())
        notices += [(person, told.programme_id, session_id, f"{word} {told.number}: {said}")
                    for person in sorted(people)]
    notify(work, notices)

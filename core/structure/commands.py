"""Keep the lists of a programme: add, edit, retire, bring back. Nothing is deleted, since sessions refer to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select

from core.errors import Conflict, Invalid, NotFound
from core.permissions import Action, require
from core.programmes.commands import lock_programmes
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.structure.queries import uses_of
from core.structure.rules import FIELDS, MODELS, Entry, Which, called, checked_entry
from core.work import Work
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.models.structure import Room, Timetable
from db.words import Role, TimetableKind


def add_entries(work: Work, programme_id: int, which: Which, entries: Sequence[Entry]) -> list[int]:
    """Add to one of the lists. Returns ids, in order. Raises NotFound, NotAllowed, Invalid."""
    require(work, Action.LISTS_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    words = programme_of(work, programme_id).policy.words
    taken = _names(work, programme_id, which)
    rows = []
    for item, entry in enumerate(entries):
        checked = checked_entry(which, {name: getattr(entry, name) for name in FIELDS[which]}, words)
        found = checked.problems
        if "name" not in found and checked.values["name"].casefold() in taken:
            found["name"] = _taken(which, words)
        if which is Which.ROOM:
            found.update(_room_problems(checked.values))
        if which is Which.TIMETABLE:
            found.update(_owner_problems(work, programme_id, checked.values, found))
        if found:
            raise Invalid(found, item)
        taken[checked.values["name"].casefold()] = 0
        rows.append({**checked.values, "programme_id": programme_id})
    ids = list(work.tx.scalars(
        insert(MODELS[which]).returning(MODELS[which].id, sort_by_parameter_order=True), rows)) if rows else []
    word, many = called(which, words), called(which, words, many=True)
    work.say(f"Added the {word} {rows[0]['name']}." if len(rows) == 1 else f"Added {len(rows)} {many}.")
    return ids


def edit_entry(work: Work, which: Which, entry_id: int, changes: Mapping[str, Any]) -> int:
    """Change some fields of an entry. A timetable with sessions keeps its kind and its owner (B6).

    Raises NotFound, NotAllowed, Invalid.
    """
    entry = _load(work, which, [entry_id])[0]
    words = programme_of(work, entry.programme_id).policy.words
    checked = checked_entry(which, changes, words)
    found = checked.problems
    taken = _names(work, entry.programme_id, which)
    name = checked.values.get("name")
    if name and "name" not in found and taken.get(name.casefold(), entry_id) != entry_id:
        found["name"] = _taken(which, words)
    if isinstance(entry, Room) and not found:
        found.update(_room_problems({**vars(entry), **checked.values}) or _rooms_sessions(work, entry, checked.values))
    if isinstance(entry, Timetable):
        found.update(_timetable_problems(work, entry, checked.values, found))
    if found:
        raise Invalid(found)
    before = entry.name
    changed = {field: value for field, value in checked.values.items() if value != getattr(entry, field)}
    for field, value in changed.items():
        setattr(entry, field, value)
    if entry.name != before:
        work.say(f"Renamed {before} to {entry.name}.")
    else:
        work.say(f"Changed {entry.name}." if changed else "Nothing was different.")
    return entry_id


def retire_entries(work: Work, which: Which, entry_ids: Sequence[int]) -> list[int]:
    """Offer these no more in forms; the sessions that use them keep them. Raises NotFound, NotAllowed."""
    loaded = _load(work, which, entry_ids)
    for entry in loaded:
        entry.retired_at = entry.retired_at or work.now
    uses = sum(uses_of(work, which, entry_ids).values())
    words = programme_of(work, loaded[0].programme_id).policy.words
    kept = f" {_uses(uses, words)} {'keeps' if uses == 1 else 'keep'} it." if uses else ""
    work.say(f"Retired {_said(loaded, which, words)}.{kept}")
    return list(entry_ids)


def bring_back_entries(work: Work, which: Which, entry_ids: Sequence[int]) -> list[int]:
    """Offer retired ones again; a custom timetable's owner must still be there.

    Raises NotFound, NotAllowed, Conflict.
    """
    loaded = _load(work, which, entry_ids)
    words = programme_of(work, loaded[0].programme_id).policy.words
    for entry in loaded:
        owner = getattr(entry, "owner_id", None)
        if owner is not None and not _leads_here(work, entry.programme_id, owner):
            raise Conflict(f"The owner of {entry.name} takes no {words.many('session')} here any more,"
                           " so it stays retired.")
        entry.retired_at = None
    work.say(f"Brought {_said(loaded, which, words)} back.")
    return list(entry_ids)


def _load(work: Work, which: Which, ids: Sequence[int]) -> list[Any]:
    """These entries, all of whose lists the actor keeps, locked. Raises NotFound, NotAllowed."""
    model = MODELS[which]
    programmes = set(work.tx.scalars(select(model.programme_id).where(model.id.in_(ids))))
    for programme_id in sorted(programmes):
        require(work, Action.LISTS_EDIT, programme_id)
    lock_programmes(work, programmes)
    listed: list[Any] = list(work.tx.scalars(
        select(model).where(model.id.in_(ids)).execution_options(populate_existing=True)))
    found = {entry.id: entry for entry in listed}
    if not ids or set(found) != set(ids):
        raise NotFound
    return [found[id_] for id_ in ids]


def _said(loaded: Sequence[Any], which: Which, words: Words) -> str:
    if len(loaded) == 1:
        return f"the {called(which, words)} {loaded[0].name}"
    return f"{len(loaded)} {called(which, words, many=True)}"


def _taken(which: Which, words: Words) -> str:
    return f"Another {called(which, words)} of this programme has this name."


def _uses(count: int, words: Words) -> str:
    return f"1 {words.session}" if count == 1 else f"{count} {words.many('session')}"


def _names(work: Work, programme_id: int, which: Which) -> dict[str, int]:
    """Names in use, retired ones too, as they are compared."""
    model = MODELS[which]
    return {row.name.casefold(): row.id for row in work.tx.execute(
        select(model.id, model.name).where(model.programme_id == programme_id))}


def _room_problems(values: Mapping[str, Any]) -> dict[str, str]:
    if values["records"] and not values["smart"]:
        return {"records": "Only a smart room records."}
    return {}


def _rooms_sessions(work: Work, entry: Room, values: Mapping[str, Any]) -> dict[str, str]:
    """A room stays what the sessions ahead in it need (C12)."""
    found: dict[str, str] = {}
    for name, needed in (("smart", Session.id.is_not(None)), ("records", Session.records)):
        if values.get(name, getattr(entry, name)) == getattr(entry, name) or (name == "records" and values[name]):
            continue
        ahead = work.tx.scalar(select(func.count()).where(
            Session.room_id == entry.id, Session.starts_at > work.now, Session.cancelled_at.is_(None), needed)) or 0
        if ahead:
            words = programme_of(work, entry.programme_id).policy.words
            said = f"{_uses(ahead, words)} ahead {'needs' if ahead == 1 else 'need'} it as it is."
            found[name] = f"{said} Give them another room first, or retire this one and make a new one."
    return found


def _timetable_problems(
    work: Work, entry: Timetable, values: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, str]:
    wanted = {"kind": values.get("kind", entry.kind), "owner_id": values.get("owner_id", entry.owner_id)}
    changed = [name for name, value in wanted.items() if value != getattr(entry, name)]
    if not changed:
        return {}
    if uses := uses_of(work, Which.TIMETABLE, [entry.id]).get(entry.id, 0):
        words = programme_of(work, entry.programme_id).policy.words
        under = f"{_uses(uses, words)} {'stands' if uses == 1 else 'stand'}"
        return dict.fromkeys(changed, f"{under} under this timetable, so this stays. Make a new timetable instead.")
    return _owner_problems(work, entry.programme_id, wanted, known)


def _owner_problems(
    work: Work, programme_id: int, values: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, str]:
    """B6: a custom timetable has exactly one owner, who leads sessions here; a regular one has none."""
    if "kind" in known:
        return {}
    owner, words = values["owner_id"], programme_of(work, programme_id).policy.words
    if values["kind"] == TimetableKind.REGULAR:
        return {"owner_id": "A regular timetable has no owner."} if owner is not None else {}
    if owner is None:
        return {"owner_id": f"Choose the {words.practitioner} whose timetable it is."}
    if not isinstance(owner, int) or not _leads_here(work, programme_id, owner):
        return {"owner_id": f"Choose {words.a('practitioner')} of this programme."}
    return {}


def _leads_here(work: Work, programme_id: int, person_id: int) -> bool:
    return work.tx.scalar(
        select(RoleGrant.id).join(Person, Person.id == RoleGrant.person_id).where(
            RoleGrant.programme_id == programme_id, RoleGrant.role == Role.PRACTITIONER,
            RoleGrant.person_id == person_id, Person.disabled_at.is_(None))
    ) is not None

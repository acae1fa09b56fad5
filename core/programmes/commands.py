"""Make programmes, change how they work, and grant roles in them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, func, or_, select

from core.access.commands import lately_left, run_by_actor
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.fields import Checked
from core.notifications.commands import notify
from core.people.visible import known_here
from core.permissions import TICKABLE, Action, may, require
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import EFFECTS, PRESETS, Policy, WhoBooks, effects
from core.sessions.rules import StaleForm
from core.work import Work
from db.models.people import Person, Relation
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Participation, Session
from db.words import Kind, Method, Role, Status

ORDINARY = (Role.PRACTITIONER, Role.LEARNER, Role.GUARDIAN, Role.LINE_MANAGER)
"""Roles that whoever edits people gives and takes."""


def create_programme(work: Work, name: str, kind: Kind, zone: str, currency: str) -> int:
    """A new programme with its kind's policy; whoever makes it becomes its master admin.

    For master admins of any programme, and the installation itself. Raises NotAllowed, Invalid.
    """
    if not (work.actor.everything or work.actor.programmes(Role.MASTER_ADMIN)):
        raise NotAllowed("Only a master admin can make a programme.")
    checked = _checked(work, {"name": name, "zone": zone, "currency": currency})
    if kind not in {*Kind}:
        checked.problems["kind"] = "Choose one of the kinds."
    if checked.problems:
        raise Invalid(checked.problems)
    programme = Programme(
        **checked.values, kind=Kind(kind), policy=PRESETS[Kind(kind)].stored(), created_at=work.now, version=1)
    work.tx.add(programme)
    work.tx.flush()
    if work.actor.person_id is not None:
        work.tx.add(RoleGrant(programme_id=programme.id, person_id=work.actor.person_id, role=Role.MASTER_ADMIN))
    work.say(f"Made the programme {programme.name}.")
    return programme.id


def edit_programme(work: Work, programme_id: int, changes: Mapping[str, Any], version: int | None = None) -> int:
    """Change name, zone or currency; the last two only while there are no sessions.

    Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    programme = _mine(work, programme_id, version)
    checked = _checked(work, changes, programme)
    changed = {name: value for name, value in checked.values.items() if value != getattr(programme, name)}
    if changed.keys() & {"zone", "currency"} and _has_sessions(work, programme_id):
        checked.problems.update({
            name: f"There are sessions already, and the {said} is part of what was agreed for them."
            for name, said in (("zone", "time zone"), ("currency", "currency")) if name in changed
        })
    if checked.problems:
        raise Invalid(checked.problems)
    for name, value in changed.items():
        setattr(programme, name, value)
    programme.version += bool(changed)
    work.say(f"Changed {programme.name}." if changed else "Nothing was different.")
    return programme_id


def change_policy(work: Work, programme_id: int, policy: Policy, version: int | None = None) -> int:
    """Replace how a programme works. Sessions already booked stay as they are.

    Raises NotFound, NotAllowed, StaleForm.
    """
    programme = _mine(work, programme_id, version)
    checked = Policy.model_validate(policy.model_dump())
    said = effects(Policy.model_validate(programme.policy), checked)
    if said:
        programme.policy = checked.stored()
        programme.version += 1
    work.say(" ".join(said) or "Nothing was different.")
    return programme_id


def retire_programme(work: Work, programme_id: int, version: int | None = None) -> int:
    """Close a programme; it can still be looked at. Refused while sessions are ahead.

    Raises NotFound, NotAllowed, Conflict, StaleForm.
    """
    programme = _mine(work, programme_id, version)
    refuse_sessions_ahead(work, programme_id)
    programme.retired_at = programme.retired_at or work.now
    programme.version += 1
    work.say(f"Retired {programme.name}.")
    return programme_id


def refuse_sessions_ahead(work: Work, programme_id: int) -> None:
    """A programme closes only when nothing lies ahead in it. Raises Conflict."""
    if ahead := _count(work, programme_id):
        raise Conflict(f"{_sessions(ahead)} still ahead. Cancel or move them to another programme first.")


def bring_back_programme(work: Work, programme_id: int, version: int | None = None) -> int:
    """Open a retired programme again. Raises NotFound, NotAllowed, StaleForm."""
    programme = _mine(work, programme_id, version)
    programme.retired_at = None
    programme.version += 1
    work.say(f"Brought {programme.name} back.")
    return programme_id


def _mine(work: Work, programme_id: int, version: int | None) -> Programme:
    """A programme that the actor may change, locked. Raises NotFound, NotAllowed, StaleForm."""
    require(work, Action.PROGRAMME_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    programme = work.tx.get(Programme, programme_id, populate_existing=True)
    if programme is None:
        raise NotFound
    if version is not None and version != programme.version:
        raise StaleForm(
            f"{programme.name} was changed by somebody else while you had it open.",
            {"name": programme.name, "time zone": programme.zone, "currency": programme.currency,
             **policy_words(Policy.model_validate(programme.policy))},
            programme.version,
        )
    work.cache.pop("programmes", None)
    return programme


def policy_words(policy: Policy) -> dict[str, str]:
    """What each field of a policy brings about, for showing two versions side by side."""
    return {name.replace("_", " "): said(policy) for name, said in EFFECTS.items()}


def _checked(work: Work, said: Mapping[str, Any], programme: Programme | None = None) -> Checked:
    checked = Checked()
    for name, value in said.items():
        if name == "name":
            checked.line(name, value, 120, "Give the programme a name.")
        elif name == "zone":
            checked.zone(name, value, "Choose a time zone.")
        elif name == "currency":
            checked.currency(name, value)
        else:
            checked.problems[name] = "This cannot be changed here."
    wanted = checked.values.get("name")
    if wanted and "name" not in checked.problems:
        taken = work.tx.execute(select(Programme.id, Programme.name)).all()
        if any(row.name.casefold() == wanted.casefold() and (programme is None or row.id != programme.id)
               for row in taken):
            checked.problems["name"] = "This name is taken. Choose another one."
    return checked


# Effects -----------------------------------------------------------------------------------------------------------


def policy_effects(work: Work, programme_id: int, new: Policy) -> list[str]:
    """What a new policy would change, in words and with counts, before it is saved. Raises NotFound, NotAllowed.

    Which sessions ahead it would leave outside, `core.availability.affected` tells.
    """
    require(work, Action.PROGRAMME_EDIT, programme_id)
    old = programme_of(work, programme_id).policy
    said = effects(old, new)
    dropped = [type_ for type_ in old.types if type_ not in new.types]
    if dropped and (kept := _count(work, programme_id, Session.type.in_(dropped))):
        said.append(f"{_sessions(kept)} ahead of a type that is no longer offered; they keep it.")
    if old.smart_rooms and not new.smart_rooms:
        smart = _count(work, programme_id, Session.method == Method.SMART)
        said += [f"{_sessions(smart)} ahead in a smart room; they stay so."] if smart else []
    if old.who_books is not new.who_books:
        said += _booking_people(work, programme_id, old, new)
    return said


def _booking_people(work: Work, programme_id: int, old: Policy, new: Policy) -> list[str]:
    order = list(WhoBooks)
    loses = order.index(new.who_books) < order.index(old.who_books)
    found = []
    for role, since in ((Role.PRACTITIONER, WhoBooks.STAFF_AND_PRACTITIONERS), (Role.LEARNER, WhoBooks.CLIENTS_TOO)):
        now_may, may_then = (order.index(p.who_books) >= order.index(since) for p in (old, new))
        if now_may is may_then:
            continue
        count = work.tx.scalar(select(func.count()).select_from(RoleGrant).where(
            RoleGrant.programme_id == programme_id, RoleGrant.role == role)) or 0
        words = new.words.many(role.value) if count != 1 else str(getattr(new.words, role.value))
        found.append(f"{count} {words} can {'no longer book' if loses else 'book from now on'}.")
    return found


def _lies_ahead(work: Work, programme_id: int) -> tuple[Any, ...]:
    return (Session.programme_id == programme_id, Session.starts_at > work.now, Session.status != Status.CANCELLED)


def _count(work: Work, programme_id: int, *where: Any) -> int:
    return work.tx.scalar(
        select(func.count()).select_from(Session).where(*_lies_ahead(work, programme_id), *where)) or 0


def _sessions(count: int) -> str:
    return "1 session is" if count == 1 else f"{count} sessions are"


def _has_sessions(work: Work, programme_id: int) -> bool:
    return bool(work.tx.scalar(select(exists().where(Session.programme_id == programme_id))))


# Roles -------------------------------------------------------------------------------------------------------------


def grant_role(
    work: Work, programme_id: int, person_id: int, role: Role, permissions: Collection[str] | None = None,
    was: Collection[str] | None = None,
) -> int:
    """Give a person a role, or a custom manager other permissions. It holds from their next click.

    It is for people of this programme, or of no other that the actor does not run: others are added by their address.
    `permissions` are names of `core.permissions.TICKABLE`; `was`, those the form was opened with.
    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    if role not in {*Role}:
        require(work, Action.PEOPLE_EDIT, programme_id)
        raise Invalid({"role": "Choose one of the roles."})
    require(work, Action.PEOPLE_EDIT if role in ORDINARY else Action.ROLES_GRANT, programme_id)
    refuse_own_gain(work, programme_id, [person_id])
    name = _seen_name(work, person_id)
    if not _is_here(work, programme_id, person_id):
        raise Conflict(f"{name} is not in this programme. Add them by their e-mail address first.")
    ticked = _ticked(role, permissions)
    lock_programmes(work, [programme_id])
    grant = work.tx.scalar(select(RoleGrant).where(
        RoleGrant.programme_id == programme_id, RoleGrant.person_id == person_id, RoleGrant.role == role))
    programme = programme_of(work, programme_id)
    if was is not None and (grant is None or set(was) != set(grant.permissions or ())):
        raise Conflict(f"What {name} may do was changed by somebody else while you had it open. Close this and look"
                       " again.")
    if grant is not None and grant.permissions == ticked:
        raise Conflict(f"{name} is {called(programme, role)} already.")
    if grant is None:
        grant = RoleGrant(programme_id=programme_id, person_id=person_id, role=Role(role), permissions=ticked)
        work.tx.add(grant)
    grant.permissions = ticked
    work.tx.flush()
    notify(work, [(person_id, programme_id, None, f"You are {called(programme, role)} in {programme.name} now.")])
    work.say(f"{name} is {called(programme, role)} now.")
    return grant.id


def revoke_role(work: Work, programme_id: int, person_id: int, role: Role) -> int:
    """Take a role away; what it opened is closed at once. Sessions stay as booked. Never the last master admin.

    Raises NotFound, NotAllowed, Conflict.
    """
    require(work, Action.PEOPLE_EDIT if role in ORDINARY else Action.ROLES_GRANT, programme_id)
    name = _seen_name(work, person_id)
    gone = work.tx.scalar(delete(RoleGrant).where(
        RoleGrant.programme_id == programme_id, RoleGrant.person_id == person_id, RoleGrant.role == role
    ).returning(RoleGrant.id))
    if gone is None:
        raise NotFound
    if role == Role.MASTER_ADMIN:
        keep_a_master_admin(work, [], [programme_id])
    programme = programme_of(work, programme_id)
    ahead = 0
    if role == Role.PRACTITIONER:
        ahead = _count(work, programme_id, Session.practitioner_id == person_id)
    elif role == Role.LEARNER:
        attends = select(Participation.session_id).where(Participation.learner_id == person_id)
        ahead = _count(work, programme_id, Session.id.in_(attends))
    rest = f" {_sessions(ahead)} still ahead with them." if ahead else ""
    work.say(f"{name} is no longer {called(programme, role)}.{rest}")
    return person_id


def refuse_own_gain(work: Work, programme_id: int, person_ids: Collection[int]) -> None:
    """Nobody gives themselves a role or a tie but who grants all roles anyway. Raises NotAllowed."""
    if work.actor.person_id in person_ids and not may(work, Action.ROLES_GRANT, programme_id):
        raise NotAllowed("You cannot give yourself a role. Ask a master admin.")


def called(programme: ProgrammeView, role: Role) -> str:
    """A role in the programme's own word."""
    words = programme.policy.words
    return {Role.PRACTITIONER: words.practitioner, Role.LEARNER: words.learner}.get(role, str(role))


def _ticked(role: Role, permissions: Collection[str] | None) -> list[str] | None:
    if role != Role.CUSTOM_MANAGER:
        if permissions:
            raise Invalid({"permissions": "Only a custom manager's permissions are ticked."})
        return None
    names = {action.name for action in TICKABLE}
    if not permissions:
        raise Invalid({"permissions": "Tick at least one thing that this person may do."})
    if not names.issuperset(permissions):
        raise Invalid({"permissions": "Tick only what is offered."})
    return [action.name for action in TICKABLE if action.name in permissions]


def _seen_name(work: Work, person_id: int) -> str:
    """The name of somebody whom the actor sees in any programme, or saw there until now. Raises NotFound."""
    name = work.tx.scalar(select(Person.name).where(Person.id == person_id, known_here(work, [person_id])))
    if name is None:
        raise NotFound
    return name


def _is_here(work: Work, programme_id: int, person_id: int) -> bool:
    """Whether somebody has to do with a programme, or with others only that the actor runs, or did so last."""
    return work.actor.everything or bool(work.tx.scalar(select(or_(
        exists().where(RoleGrant.programme_id == programme_id, RoleGrant.person_id == person_id),
        exists().where(Relation.programme_id == programme_id,
                       or_(Relation.adult_id == person_id, Relation.learner_id == person_id)),
    ))) or run_by_actor(work, [person_id], Action.PEOPLE_EDIT) or lately_left(work, [person_id]))


def lock_programmes(work: Work, programme_ids: Collection[int]) -> None:
    """Let nobody else change these programmes, their roles or their lists until this act is done."""
    if not work.on_sqlite:  # there one act writes at a time
        work.tx.execute(
            select(Programme.id).where(Programme.id.in_(programme_ids)).order_by(Programme.id)
            .with_for_update(key_share=True)
        )


def keep_a_master_admin(
    work: Work, person_ids: Sequence[int], programme_ids: Sequence[int] = ()
) -> None:
    """Make sure that these programmes, and those that these people run, still have a master admin who can sign in.

    Called after the change, which is undone by the refusal. Raises Conflict.
    """
    run = set(work.tx.scalars(select(RoleGrant.programme_id).where(
        RoleGrant.role == Role.MASTER_ADMIN, RoleGrant.person_id.in_(person_ids)))) | set(programme_ids)
    if not run:
        return
    lock_programmes(work, run)
    left = set(work.tx.scalars(
        select(RoleGrant.programme_id).join(Person, Person.id == RoleGrant.person_id).where(
            RoleGrant.role == Role.MASTER_ADMIN, RoleGrant.programme_id.in_(run), Person.disabled_at.is_(None))
    ))
    if run - left:
        name = work.tx.scalar(select(Programme.name).where(Programme.id == min(run - left)))
        raise Conflict(f"{name} would be left without a master admin. Make somebody else master admin first.")

"""Add people and keep their data, ties and teams. Every command is all or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, insert, or_, select

from core.access import commands as access
from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Conflict, Invalid, NotFound
from core.fields import Checked
from core.notifications.commands import notify
from core.people.visible import holding, known_here
from core.permissions import Action, may, require
from core.programmes.commands import keep_a_master_admin, refuse_own_gain
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.rules import StaleForm
from core.work import Work
from db.models.people import Person, Relation, Team, TeamMember
from db.models.programmes import RoleGrant
from db.words import Role, Tie

LONGEST_NAME, LONGEST_ABOUT = 120, 4000
COMMON_ROLES = frozenset({Role.PRACTITIONER, Role.LEARNER, Role.GUARDIAN, Role.LINE_MANAGER})
"""Roles that whoever adds people gives; the others are granted."""
TIE_ROLE = {Tie.GUARDIAN: Role.GUARDIAN, Tie.LINE_MANAGER: Role.LINE_MANAGER}
FIELDS = ("name", "email", "phone", "about", "zone")
OWN_FIELDS = ("name", "phone", "about", "zone")
"""One's own e-mail address is how others know one, and changed by them."""


@dataclass(frozen=True)
class NewPerson:
    """Somebody to add to a programme. Without a zone the programme's holds."""

    name: str
    roles: tuple[Role, ...]
    email: str | None = None
    phone: str | None = None
    about: str | None = None
    zone: str | None = None
    team_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class PersonEdit:
    """New values for some fields of a person. `version` is the one the form was opened with; None takes any."""

    person_id: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None


def _checked(said: Mapping[str, Any]) -> Checked:
    checked = Checked()
    for name, value in said.items():
        if name == "name":
            checked.line(name, value, LONGEST_NAME, "Write the name.")
        elif name == "email":
            checked.email(name, value)
        elif name == "phone":
            checked.phone(name, value)
        elif name == "about":
            checked.lines(name, value, LONGEST_ABOUT)
        elif name == "zone":
            checked.zone(name, value)
        else:
            checked.problems[name] = "This cannot be changed here."
    return checked


# Adding ------------------------------------------------------------------------------------------------------------


def add_people(work: Work, programme_id: int, people: Sequence[NewPerson]) -> list[int]:
    """Add people to a programme; one whose e-mail address is known gets the roles instead of becoming a second person.

    Returns their ids, in order. Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.PEOPLE_EDIT, programme_id)
    programme = programme_of(work, programme_id)
    tidied = [_new(work, programme, item, person) for item, person in enumerate(people)]
    known = _by_email(work, [values["email"] for values in tidied if values["email"]])
    refuse_own_gain(work, programme_id, [row.id for row in known.values()])
    _refuse_repeats(work, programme, people, tidied, known)
    fresh = [values for values in tidied if values["email"] not in known]
    made = iter(work.tx.scalars(
        insert(Person).returning(Person.id, sort_by_parameter_order=True),
        [{**values, "created_at": work.now, "version": 1} for values in fresh],
    ).all() if fresh else [])
    ids = [known[values["email"]].id if values["email"] in known else next(made) for values in tidied]
    present = _grants(work, programme_id, [row.id for row in known.values()])
    grants = [
        {"programme_id": programme_id, "person_id": person_id, "role": role, "permissions": None}
        for person_id, person in zip(ids, people, strict=True) for role in dict.fromkeys(person.roles)
        if (person_id, role) not in present
    ]
    if grants:
        work.tx.execute(insert(RoleGrant), grants)
    _into_teams(work, programme, ids, people)
    notify(work, ((row.id, programme_id, None, f"You were added to {programme.name}.") for row in known.values()))
    said = f"Added {tidied[0]['name']}." if len(ids) == 1 else f"Added {len(ids)} people."
    if len(ids) == 1 and known:
        said += " The e-mail address belongs to a person already known here, who keeps the name and data they have."
    work.say(said)
    return ids


def _new(work: Work, programme: ProgrammeView, item: int, person: NewPerson) -> dict[str, Any]:
    checked, words = _checked({name: getattr(person, name) for name in FIELDS}), programme.policy.words
    if not person.roles or any(role not in {*Role} for role in person.roles):
        checked.problems["roles"] = "Choose at least one role."
    elif not COMMON_ROLES.issuperset(person.roles) and not may(work, Action.ROLES_GRANT, programme.id):
        checked.problems["roles"] = "Only a master admin can give this role."
    elif Role.CUSTOM_MANAGER in person.roles:
        checked.problems["roles"] = "Grant the role of custom manager in the settings, with what it allows."
    if person.team_ids and Role.LEARNER not in person.roles:
        checked.problems["teams"] = f"Only {words.a('learner')} is in {words.a('team')}."
    elif person.team_ids and len(_open_teams(work, programme.id, person.team_ids)) < len(set(person.team_ids)):
        checked.problems["teams"] = f"Choose {words.a('team')} of this programme."
    if checked.problems:
        raise Invalid(checked.problems, item)
    return checked.values


def _open_teams(work: Work, programme_id: int, ids: Sequence[int]) -> set[int]:
    known: dict[int, bool] | None = work.cache.get(("open teams", programme_id))
    if known is None:
        known = dict.fromkeys(work.tx.scalars(
            select(Team.id).where(Team.programme_id == programme_id, Team.retired_at.is_(None))), True)
        work.cache["open teams", programme_id] = known
    return {id_ for id_ in ids if id_ in known}


def _by_email(work: Work, emails: Sequence[str]) -> dict[str, Person]:
    found: dict[str, Person] = {}
    for n in range(0, len(emails), 500):
        for person in work.tx.scalars(
            select(Person).where(func.lower(Person.email).in_(emails[n:n + 500])).order_by(Person.id.desc())
        ):
            found[(person.email or "").lower()] = person
    return found


def _grants(work: Work, programme_id: int, ids: Sequence[int]) -> set[tuple[int, Role]]:
    found: set[tuple[int, Role]] = set()
    for n in range(0, len(ids), 1000):
        found.update((row.person_id, row.role) for row in work.tx.execute(
            select(RoleGrant.person_id, RoleGrant.role).where(
                RoleGrant.programme_id == programme_id, RoleGrant.person_id.in_(ids[n:n + 1000]))
        ))
    return found


def _refuse_repeats(
    work: Work, programme: ProgrammeView, people: Sequence[NewPerson], tidied: Sequence[Mapping[str, Any]],
    known: Mapping[str, Person],
) -> None:
    present = _grants(work, programme.id, [row.id for row in known.values()])
    seen: set[str] = set()
    for item, (person, values) in enumerate(zip(people, tidied, strict=True)):
        email = values["email"]
        if not email:
            continue
        if email in seen:
            raise Invalid({"email": "This e-mail address stands twice among those to add."}, item)
        seen.add(email)
        if email in known and all((known[email].id, role) in present for role in person.roles):
            raise Invalid({"email": "Somebody with this e-mail address is in this programme already."}, item)


def _into_teams(work: Work, programme: ProgrammeView, ids: Sequence[int], people: Sequence[NewPerson]) -> None:
    today = work.now.astimezone(programme.zone).date()
    for person_id, person in zip(ids, people, strict=True):
        for team_id in dict.fromkeys(person.team_ids):
            if not _in_team(work, team_id, person_id, today, None):
                work.tx.add(TeamMember(team_id=team_id, learner_id=person_id, from_day=today))


# Editing -----------------------------------------------------------------------------------------------------------


def edit_people(work: Work, edits: Sequence[PersonEdit]) -> list[int]:
    """Change the data of people in every programme of whom the actor edits people.

    Raises NotFound, NotAllowed, Invalid, StaleForm (which carries what is there now).
    """
    ids = [edit.person_id for edit in edits]
    if len(set(ids)) != len(ids):
        raise Invalid({"person": "The same person was named twice."})
    people = _existing(work, ids)
    access.looked_after(work, ids, Action.PEOPLE_EDIT)
    for item, edit in enumerate(edits):
        _change(work, people[edit.person_id], edit, item)
    names = [people[id_].name for id_ in ids]
    work.say(f"Changed {names[0]}." if len(names) == 1 else f"Changed {len(names)} people.")
    return ids


def edit_own_profile(work: Work, changes: Mapping[str, Any], version: int | None = None) -> int:
    """Change one's own name, phone, words or zone. Raises Invalid, StaleForm."""
    if unknown := [name for name in changes if name not in OWN_FIELDS]:
        raise Invalid(dict.fromkeys(unknown, "Ask an admin to change this."))
    _change(work, _existing(work, [work.me])[work.me], PersonEdit(work.me, changes, version), 0)
    work.say("Changed your profile.")
    return work.me


def _existing(work: Work, ids: Sequence[int]) -> dict[int, Person]:
    """These people, whom the actor sees, locked. Raises NotFound."""
    if not work.on_sqlite:
        work.tx.execute(select(Person.id).where(Person.id.in_(ids)).order_by(Person.id).with_for_update(key_share=True))
    found = {person.id: person for person in work.tx.scalars(
        select(Person).where(Person.id.in_(ids), known_here(work, ids)).execution_options(populate_existing=True))}
    if set(found) != set(ids):
        raise NotFound
    return found


def _change(work: Work, person: Person, edit: PersonEdit, item: int) -> None:
    if edit.version is not None and edit.version != person.version:
        raise StaleForm(
            f"{person.name} was changed by somebody else while you had it open.",
            {name: getattr(person, name) or "" for name in FIELDS if name in edit.changes}, person.version,
        )
    checked = _checked(edit.changes)
    email = checked.values.get("email")
    if email and email != person.email and "email" not in checked.problems:
        known = _by_email(work, [email]).get(email)
        if known is not None and known.id != person.id:
            checked.problems["email"] = "This e-mail address belongs to another person."
    if checked.problems:
        raise Invalid(checked.problems, item)
    changed = {name: value for name, value in checked.values.items() if value != getattr(person, name)}
    if changed:
        for name, value in changed.items():
            setattr(person, name, value)
        person.version += 1
        work.tx.flush()


# Switching off -----------------------------------------------------------------------------------------------------


def disable_people(work: Work, person_ids: Sequence[int]) -> list[int]:
    """Switch accounts off: signed out at once. Never one's own, nor a programme's last master admin.

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    _existing(work, person_ids)
    access.disable(work, person_ids)
    keep_a_master_admin(work, person_ids)
    return list(person_ids)


def enable_people(work: Work, person_ids: Sequence[int]) -> list[int]:
    """Switch accounts on again. Raises NotFound, NotAllowed."""
    _existing(work, person_ids)
    return access.enable(work, person_ids)


# Ties --------------------------------------------------------------------------------------------------------------


def relate(work: Work, programme_id: int, tie: Tie, adult_id: int, learner_id: int) -> int:
    """Tie a guardian or line manager of the programme to a learner; the adult gets the role that goes with it.

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    require(work, Action.PEOPLE_EDIT, programme_id)
    refuse_own_gain(work, programme_id, [adult_id, learner_id])
    programme = programme_of(work, programme_id)
    words = programme.policy.words
    people = {person.id: person for person in work.tx.scalars(
        select(Person).where(Person.id.in_((adult_id, learner_id)), Person.id.in_(holding(programme_id))))}
    held = _grants(work, programme_id, [adult_id, learner_id])
    found: dict[str, str] = {}
    if tie not in {*Tie}:
        found["tie"] = "Choose guardian or line manager."
    if adult_id not in people:
        found["adult"] = "Choose somebody of this programme."
    if (learner_id, Role.LEARNER) not in held:
        found["learner"] = f"Choose {words.a('learner')} of this programme."
    elif adult_id == learner_id:
        found["adult"] = "Nobody is their own guardian or line manager."
    if found:
        raise Invalid(found)
    adult, learner = people[adult_id], people[learner_id]
    same = (Relation.programme_id == programme_id, Relation.tie == tie, Relation.adult_id == adult_id,
            Relation.learner_id == learner_id)
    if work.tx.scalar(select(Relation.id).where(*same)) is not None:
        raise Conflict(f"{adult.name} is {Tie(tie)} of {learner.name} already.")
    role = TIE_ROLE[Tie(tie)]
    if (adult_id, role) not in held:
        work.tx.execute(insert(RoleGrant).values(
            programme_id=programme_id, person_id=adult_id, role=role, permissions=None))
    relation = Relation(programme_id=programme_id, tie=Tie(tie), adult_id=adult_id, learner_id=learner_id)
    work.tx.add(relation)
    work.tx.flush()
    notify(work, [(adult_id, programme_id, None, f"You are {Tie(tie)} of {learner.name} in {programme.name} now.")])
    work.say(f"{adult.name} is {Tie(tie)} of {learner.name} now.")
    return relation.id


def unrelate(work: Work, relation_id: int) -> int:
    """Untie an adult from a learner: what they saw by it, they see no more. Raises NotFound, NotAllowed."""
    relation = work.tx.get(Relation, relation_id)
    if relation is None:
        raise NotFound
    require(work, Action.PEOPLE_EDIT, relation.programme_id)
    names = {row.id: row.name for row in work.tx.execute(
        select(Person.id, Person.name).where(Person.id.in_((relation.adult_id, relation.learner_id))))}
    work.tx.delete(relation)
    work.say(f"{names[relation.adult_id]} is no longer {relation.tie} of {names[relation.learner_id]}.")
    return relation_id


# Teams -------------------------------------------------------------------------------------------------------------


def join_team(
    work: Work, team_id: int, learner_ids: Sequence[int], from_day: date | None = None, until_day: date | None = None
) -> list[int]:
    """Put learners into a team, from a day (today, in the programme's zone) until a day, both counted.

    Sessions booked before keep those who take part. Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    team, programme = _team(work, team_id)
    words = programme.policy.words
    since = from_day or work.now.astimezone(programme.zone).date()
    if found := _day_problems(since, until_day):
        raise Invalid(found)
    if team.retired_at is not None:
        raise Conflict(f"{team.name} is retired. Bring it back first.")
    people = {person.id: person for person in work.tx.scalars(select(Person).where(
        Person.id.in_(learner_ids), Person.id.in_(holding(programme.id, Role.LEARNER)), Person.disabled_at.is_(None)))}
    if not learner_ids or set(people) != set(learner_ids):
        raise Invalid({"learner": f"Choose {words.a('learner')} of this programme."})
    made = []
    for person_id in dict.fromkeys(learner_ids):
        if _in_team(work, team_id, person_id, since, until_day):
            raise Conflict(f"{people[person_id].name} is in {team.name} then already.")
        made.append(TeamMember(team_id=team_id, learner_id=person_id, from_day=since, until_day=until_day))
    work.tx.add_all(made)
    work.tx.flush()
    who = people[learner_ids[0]].name if len(made) == 1 else f"{len(made)} {words.many('learner')}"
    work.say(f"{who} joined {team.name}. Sessions booked before keep those who take part.")
    return [membership.id for membership in made]


def leave_team(work: Work, membership_id: int, until_day: date | None = None) -> int:
    """Say a learner's last day in a team: today, in the programme's zone, unless given.

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    membership = work.tx.get(TeamMember, membership_id)
    if membership is None:
        raise NotFound
    team, programme = _team(work, membership.team_id)
    last = until_day or work.now.astimezone(programme.zone).date()
    if found := _day_problems(membership.from_day, last):
        raise Invalid(found)
    if _in_team(work, team.id, membership.learner_id, membership.from_day, last, but=membership.id):
        raise Conflict(f"Another stay in {team.name} begins before that day.")
    membership.until_day = last
    name = work.tx.scalar(select(Person.name).where(Person.id == membership.learner_id))
    work.say(f"The last day of {name} in {team.name} is {last.day} {last:%b %Y}.")
    return membership_id


def _team(work: Work, team_id: int) -> tuple[Team, ProgrammeView]:
    """A team whose members the actor may change, locked. Raises NotFound, NotAllowed."""
    if not work.on_sqlite:
        work.tx.execute(select(Team.id).where(Team.id == team_id).with_for_update(key_share=True))
    team = work.tx.get(Team, team_id)
    if team is None:
        raise NotFound
    require(work, Action.PEOPLE_EDIT, team.programme_id)
    return team, programme_of(work, team.programme_id)


def _day_problems(since: date, until: date | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, day in (("from_day", since), ("until_day", until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            found[name] = f"Choose a day from {FIRST_DAY.year} to {LAST_DAY.year}."
    if until is not None and until < since:
        found["until_day"] = f"The last day cannot be before the first, {since.day} {since:%b %Y}."
    return found


def _in_team(work: Work, team_id: int, learner_id: int, since: date, until: date | None, but: int = 0) -> bool:
    where = [TeamMember.team_id == team_id, TeamMember.learner_id == learner_id, TeamMember.id != but,
             or_(TeamMember.until_day.is_(None), TeamMember.until_day >= since)]
    if until is not None:
        where.append(TeamMember.from_day <= until)
    return work.tx.scalar(select(TeamMember.id).where(*where).limit(1)) is not None

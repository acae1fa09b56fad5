"""People as far as the viewer may see them: a list, one person whole, and matches to pick from."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, false, func, or_, select

from core.access.commands import let_in, looked_after
from core.errors import NotFound, Refusal
from core.people.visible import (
    everywhere,
    holding,
    known_here,
    may_edit,
    reads_contacts,
    roles_seen,
    sees_everybody,
    tied_to,
    visible_people,
    visible_teams,
)
from core.permissions import Action, may
from core.programmes.queries import programme_of
from core.search import fits, matching_ids, search_words
from core.sessions.queries import Row, attended_by, rows_of
from core.sessions.visible import shown_parts, visible_sessions
from core.work import Work
from db.models.access import Account
from db.models.people import Group, GroupMember, Person, Relation, Team, TeamMember
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Occupancy, Session
from db.words import Role, Status, Tie

Rows = Select[*tuple[Any, ...]]
PAGE = 50
SHOWN_SESSIONS = 8


class PersonState(StrEnum):
    """How a person's account stands."""

    ACTIVE = "active"
    INVITED = "invited"
    """No password has been chosen yet."""
    OFF = "switched off"


@dataclass(frozen=True)
class PersonRow:
    """One line of the list of people. Contact data and state are empty where the viewer may not read them."""

    id: int
    name: str
    roles: tuple[Role, ...]
    teams: tuple[str, ...]
    email: str
    phone: str
    state: PersonState | None
    next_at: datetime | None
    """The start of their next session that the viewer may see."""
    version: int


@dataclass(frozen=True)
class PeoplePage:
    """One page of people."""

    rows: list[PersonRow]
    number: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE))


SORTS: dict[str, Callable[[], SQLColumnExpression[Any]]] = {
    "name": lambda: Person.name,
    "email": lambda: Person.email,
    "added": lambda: Person.created_at,
}
"""What each heading sorts by; `email` only for those who may read it."""


def people_list(
    work: Work, programme_id: int, *, text: str = "", role: Role | None = None, state: PersonState | None = None,
    sort: str = "name", down: bool = False, page: int = 1,
) -> PeoplePage:
    """One page of the people whom the viewer may see; without a `state`, all but those switched off.

    Who may not read accounts may not ask for their state. Raises NotFound.
    """
    programme_of(work, programme_id)
    contacts = reads_contacts(work, programme_id)
    where = _where(work, programme_id, text, role)
    where += _state_is(state if contacts else None)
    key = SORTS[sort]() if sort in SORTS and (contacts or sort != "email") else Person.name
    if sort == "email":
        key = func.coalesce(key, "")
    page = max(1, page)
    people = work.tx.execute(
        select(Person.id, Person.name, Person.email, Person.phone, Person.disabled_at, Person.version)
        .where(*where)
        .order_by(*((key.desc(), Person.id.desc()) if down else (key.asc(), Person.id.asc())))
        .limit(PAGE).offset((page - 1) * PAGE)
    ).all()
    total = work.tx.scalar(select(func.count()).select_from(Person).where(*where)) or 0
    ids = [person.id for person in people]
    roles, teams = _roles(work, programme_id, ids), learners_teams(work, programme_id, ids)
    upcoming, states = _next_sessions(work, programme_id, ids), _with_password(work, ids)
    return PeoplePage([
        PersonRow(
            person.id, person.name, roles.get(person.id, ()), teams.get(person.id, ()),
            email=(person.email or "") if contacts or person.id == work.actor.person_id else "",
            phone=(person.phone or "") if contacts or person.id == work.actor.person_id else "",
            state=_state(person.disabled_at, person.id in states) if contacts else None,
            next_at=upcoming.get(person.id), version=person.version,
        )
        for person in people
    ], page, total)


def _where(work: Work, programme_id: int, text: str, role: Role | None) -> list[ColumnElement[bool]]:
    where = [visible_people(work, programme_id)]
    if role is not None:
        here: ColumnElement[bool] = Person.id.in_(holding(programme_id, role))
        if role not in roles_seen(work, programme_id):
            here = and_(here, Person.id == work.actor.person_id)
        where.append(here)
    if text.strip():
        words = search_words(text)
        within = None if reads_contacts(work, programme_id) else "name"
        where.append(Person.id.in_(matching_ids(work, "person", words, within)) if words else false())
    return where


def _state_is(state: PersonState | None) -> list[ColumnElement[bool]]:
    if state is PersonState.OFF:
        return [Person.disabled_at.is_not(None)]
    where: list[ColumnElement[bool]] = [Person.disabled_at.is_(None)]
    if state is not None:
        chosen = Person.id.in_(select(Account.person_id).where(Account.password_hash.is_not(None)))
        where.append(chosen if state is PersonState.ACTIVE else ~chosen)
    return where


def _roles(work: Work, programme_id: int, ids: Sequence[int]) -> dict[int, tuple[Role, ...]]:
    seen, found = roles_seen(work, programme_id), dict[int, tuple[Role, ...]]()
    for person_id, role in work.tx.execute(
        select(RoleGrant.person_id, RoleGrant.role)
        .where(RoleGrant.programme_id == programme_id, RoleGrant.person_id.in_(ids))
    ):
        if role in seen or person_id == work.actor.person_id:
            found[person_id] = (*found.get(person_id, ()), role)
    order = list(Role)
    return {person_id: tuple(sorted(roles, key=order.index)) for person_id, roles in found.items()}


def _next_sessions(work: Work, programme_id: int, ids: Sequence[int]) -> dict[int, datetime]:
    shown = shown_parts(work, programme_id, cast(Any, Occupancy.person_id), Occupancy.session_id)  # never empty here
    rows = work.tx.execute(
        select(Occupancy.person_id, func.min(Occupancy.starts_at, type_=Occupancy.starts_at.type))
        .join(Session, Session.id == Occupancy.session_id)
        .where(Occupancy.person_id.in_(ids), Occupancy.starts_at > work.now, visible_sessions(work, programme_id),
               *([or_(Session.practitioner_id == Occupancy.person_id, *shown)] if shown else []))
        .group_by(Occupancy.person_id)
    )
    return {person_id: starts_at for person_id, starts_at in rows if person_id is not None}


def _with_password(work: Work, ids: Sequence[int]) -> set[int]:
    return set(work.tx.scalars(
        select(Account.person_id).where(Account.person_id.in_(ids), Account.password_hash.is_not(None))))


def _state(disabled_at: datetime | None, has_password: bool) -> PersonState:
    if disabled_at is not None:
        return PersonState.OFF
    return PersonState.ACTIVE if has_password else PersonState.INVITED


# One person --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InProgramme:
    """What a person is in one programme, as far as the viewer may know."""

    programme_id: int
    programme: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Tied:
    """A relation seen from one person: the other one, and whether that one is the learner."""

    relation_id: int
    programme_id: int
    tie: Tie
    other_id: int
    other: str
    other_is_learner: bool


@dataclass(frozen=True)
class InTeam:
    """A membership in a team, from a day until a day (both counted)."""

    membership_id: int
    programme_id: int
    team_id: int
    team: str
    idea: str
    from_day: date
    until_day: date | None


@dataclass(frozen=True)
class InGroup:
    """A group, and whether the person lets the others see their completed sessions."""

    group_id: int
    programme_id: int
    group: str
    granted: bool


@dataclass(frozen=True)
class Profile:
    """One person as far as the viewer may see. What may not be read is empty."""

    id: int
    name: str
    about: str
    reads_contacts: bool
    """Whether e-mail, phone, zone and state are shown at all."""
    email: str
    phone: str
    zone: str
    state: PersonState | None
    created_at: datetime | None
    version: int
    roles: tuple[InProgramme, ...]
    relations: tuple[Tied, ...]
    teams: tuple[InTeam, ...]
    groups: tuple[InGroup, ...]
    upcoming: list[Row]
    recent: list[Row]
    may: frozenset[Action]
    is_me: bool


def profile(work: Work, person_id: int) -> Profile:
    """Everything about one person that the viewer may see, over all programmes of the viewer. Raises NotFound (X6)."""
    person = work.tx.scalar(select(Person).where(Person.id == person_id, known_here(work, [person_id])))
    if person is None:
        raise NotFound
    is_me = person_id == work.actor.person_id
    programmes = _common_programmes(work, person_id)
    staff = is_me or work.actor.everything or any(reads_contacts(work, each) for each in programmes)
    contacts = staff or _guards(work, person_id)
    told = contacts or work.tx.scalar(
        select(Person.id).where(Person.id == person_id, everywhere(work, but=Role.LINE_MANAGER))) is not None
    has_password = bool(_with_password(work, [person_id]))
    return Profile(
        person.id, person.name, about=(person.about or "") if told else "", reads_contacts=contacts,
        email=(person.email or "") if contacts else "", phone=(person.phone or "") if contacts else "",
        zone=(person.zone or "") if contacts else "",
        state=_state(person.disabled_at, has_password) if contacts else None,
        created_at=person.created_at if contacts else None, version=person.version,
        roles=tuple(
            InProgramme(each, programme_of(work, each).name, roles)
            for each in programmes if (roles := _roles(work, each, [person_id]).get(person_id, ()))
        ),
        relations=_relations(work, person_id, programmes, is_me),
        teams=_teams(work, person_id, programmes) if told else (),
        groups=_groups(work, person_id, [each for each in programmes if is_me or reads_contacts(work, each)]),
        upcoming=_sessions(work, person_id, programmes, ahead=True),
        recent=_sessions(work, person_id, programmes, ahead=False),
        may=_may(work, person_id, programmes), is_me=is_me,
    )


def _common_programmes(work: Work, person_id: int) -> list[int]:
    """Programmes in which the viewer sees this person (of the viewer's own self: all), by name."""
    mine = list(work.tx.scalars(select(Programme.id))) if work.actor.everything else work.actor.programmes()
    seen = [
        each for each in mine
        if work.tx.scalar(select(Person.id).where(Person.id == person_id, visible_people(work, each))) is not None
    ]
    return sorted(seen, key=lambda each: programme_of(work, each).name.casefold())


def _guards(work: Work, person_id: int) -> bool:
    return any(
        work.tx.scalar(tied_to(work, each, Tie.GUARDIAN).where(Relation.learner_id == person_id)) is not None
        for each in work.actor.programmes(Role.GUARDIAN)
    )


def _relations(work: Work, person_id: int, programmes: Sequence[int], is_me: bool) -> tuple[Tied, ...]:
    """Ties both ways; whoever does not see everybody learns of their own alone."""
    found: list[Tied] = []
    for own, others, is_learner in (
        (Relation.learner_id, Relation.adult_id, False), (Relation.adult_id, Relation.learner_id, True),
    ):
        known = [Relation.programme_id == each if is_me or sees_everybody(work, each)
                 else and_(Relation.programme_id == each, others == work.actor.person_id) for each in programmes]
        rows = work.tx.execute(
            select(Relation.id, Relation.programme_id, Relation.tie, Person.id, Person.name)
            .join(Person, Person.id == others).where(own == person_id, or_(false(), *known))
            .order_by(Relation.tie, Person.name, Person.id)
        )
        found += [Tied(*row, is_learner) for row in rows]
    return tuple(found)


def _teams(work: Work, person_id: int, programmes: Sequence[int]) -> tuple[InTeam, ...]:
    if not programmes:
        return ()
    rows = work.tx.execute(
        select(TeamMember.id, Team.programme_id, Team.id, Team.name, func.coalesce(Team.idea, ""), TeamMember.from_day,
               TeamMember.until_day)
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.learner_id == person_id, or_(*(visible_teams(work, each) for each in programmes)))
        .order_by(TeamMember.from_day.desc(), Team.name)
    )
    return tuple(InTeam(*row) for row in rows)


def _groups(work: Work, person_id: int, programmes: Sequence[int]) -> tuple[InGroup, ...]:
    rows = work.tx.execute(
        select(Group.id, Group.programme_id, Group.name, GroupMember.granted)
        .join(GroupMember, GroupMember.group_id == Group.id)
        .where(GroupMember.person_id == person_id, Group.programme_id.in_(programmes)).order_by(Group.name)
    )
    return tuple(InGroup(*row) for row in rows)


def _sessions(work: Work, person_id: int, programmes: Sequence[int], ahead: bool) -> list[Row]:
    """The next, or the latest, sessions that this person leads or attends, as far as the viewer may see that."""
    if not programmes:
        return []
    statement = select(Session.id).where(or_(*(
        and_(visible_sessions(work, each), or_(
            Session.practitioner_id == person_id, Session.id.in_(attended_by(work, each, [person_id]))))
        for each in programmes
    )))
    if ahead:
        statement = statement.where(Session.starts_at > work.now, Session.status != Status.CANCELLED).order_by(
            Session.starts_at, Session.id)
    else:
        statement = statement.where(Session.starts_at <= work.now).order_by(
            Session.starts_at.desc(), Session.id.desc())
    return rows_of(work, work.tx.scalars(statement.limit(SHOWN_SESSIONS)).all())


def _may(work: Work, person_id: int, programmes: Sequence[int]) -> frozenset[Action]:
    found = {
        action for action in (Action.ROLES_GRANT, Action.SESSION_BOOK)
        if any(may(work, action, each) for each in programmes)
    }
    if may_edit(work, person_id):
        found.add(Action.PEOPLE_EDIT)
    with suppress(Refusal):
        let_in(work, [person_id])
        found.add(Action.PERSON_INVITE)
    with suppress(Refusal):
        looked_after(work, [person_id], Action.PERSON_DISABLE)
        found.add(Action.PERSON_DISABLE)
    return frozenset(found)


# Picking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """Somebody, or some team, to pick; `hint` tells namesakes apart."""

    id: int
    name: str
    hint: str


def pick(
    work: Work, programme_id: int, role: Role | None, text: str, most: int = 20, *,
    among: Iterable[Select[int]] = (),
) -> list[Match]:
    """People with that role (or any) whose name begins with the words typed, in each of these sets. Raises NotFound."""
    programme_of(work, programme_id)
    people = work.tx.execute(
        select(Person.id, Person.name, Person.email)
        .where(*_where(work, programme_id, text, role), Person.disabled_at.is_(None),
               *(Person.id.in_(ids) for ids in among))
        .order_by(Person.name, Person.id).limit(most)
    ).all()
    if reads_contacts(work, programme_id):
        return [Match(person.id, person.name, person.email or "") for person in people]
    teams = learners_teams(work, programme_id, [person.id for person in people])
    return [Match(person.id, person.name, ", ".join(teams.get(person.id, ()))) for person in people]


def pick_among_few(work: Work, programme_id: int, role: Role, most: int) -> list[Match] | None:
    """All with that role, by name, where they are at most so many, else None. Raises NotFound."""
    if sees_everybody(work, programme_id):  # counted without sorting: there may be a hundred thousand of them
        held = work.tx.scalars(
            select(RoleGrant.id).where(RoleGrant.programme_id == programme_id, RoleGrant.role == role).limit(most + 1))
        if len(held.all()) > most:
            return None
    found = pick(work, programme_id, role, "", most + 1)
    return found if len(found) <= most else None


def names(work: Work, programme_id: int, ids: Collection[int]) -> dict[int, str]:
    """Names by id, of those whom the viewer may see."""
    listed = sorted(set(ids))
    found: dict[int, str] = {}
    for n in range(0, len(listed), 1000):
        found.update((row.id, row.name) for row in work.tx.execute(
            select(Person.id, Person.name).where(
                Person.id.in_(listed[n:n + 1000]), visible_people(work, programme_id))
        ))
    return found


def pick_teams(work: Work, programme_id: int, text: str, most: int = 20) -> list[Match]:
    """Teams whose name or idea has words that begin like those typed; the idea is the hint. Raises NotFound."""
    programme_of(work, programme_id)
    asked = search_words(text)
    rows = work.tx.execute(
        select(Team.id, Team.name, Team.idea)
        .where(visible_teams(work, programme_id), Team.retired_at.is_(None)).order_by(Team.name, Team.id)
    )
    return [Match(row.id, row.name, row.idea or "") for row in rows if fits(asked, row.name, row.idea)][:most]


def learners_teams(work: Work, programme_id: int, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The teams, by name, that these people are in today and the viewer may see."""
    today = work.now.astimezone(programme_of(work, programme_id).zone).date()
    found: dict[int, tuple[str, ...]] = {}
    for person_id, name in work.tx.execute(
        select(TeamMember.learner_id, Team.name).join(Team, Team.id == TeamMember.team_id).where(
            TeamMember.learner_id.in_(sorted(ids)), visible_teams(work, programme_id), Team.retired_at.is_(None),
            TeamMember.from_day <= today,
            or_(TeamMember.until_day.is_(None), TeamMember.until_day >= today),
        ).order_by(Team.name)
    ):
        found[person_id] = (*found.get(person_id, ()), name)
    return found


@dataclass(frozen=True)
class Member:
    """One membership of a team, from a day until a day (both counted)."""

    membership_id: int
    learner_id: int
    name: str
    from_day: date
    until_day: date | None


def team_members(work: Work, programme_id: int, team_id: int) -> list[Member]:
    """Who is, was and will be in a team, as far as the viewer may see. Raises NotFound."""
    known = work.tx.scalar(select(Team.id).where(Team.id == team_id, visible_teams(work, programme_id)))
    if known is None:
        raise NotFound
    rows = work.tx.execute(
        select(TeamMember.id, Person.id, Person.name, TeamMember.from_day, TeamMember.until_day)
        .join(Person, Person.id == TeamMember.learner_id)
        .where(TeamMember.team_id == team_id, visible_people(work, programme_id))
        .order_by(Person.name, TeamMember.from_day)
    )
    return [Member(*row) for row in rows]


__all__ = [
    "PAGE", "SORTS", "InGroup", "InProgramme", "InTeam", "Match", "Member", "PeoplePage", "PersonRow", "PersonState",
    "Profile", "Tied", "learners_teams", "names", "people_list", "pick", "pick_teams", "profile", "team_members",
    "visible_people", "visible_teams",
]

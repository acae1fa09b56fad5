"""The only way in to people: who exists for the actor (X6), as what, and whose contact data the actor may read."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true, union

from core.access.commands import lately_left, run_by_actor
from core.permissions import RULES, STAFF, Action, Case
from core.programmes.queries import policy_of
from core.programmes.rules import WhoBooks
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.people import Person, Relation, Team, TeamMember
from db.models.programmes import RoleGrant
from db.models.sessions import Participation, Session
from db.words import Role, Tie

Rows = Select[*tuple[Any, ...]]
PARTS = (Role.PRACTITIONER, Role.LEARNER)
"""Those whom sessions bring together; whoever sees every session sees their names."""


def sees_everybody(work: Work, programme_id: int) -> bool:
    """Whether everybody in the programme exists for the actor."""
    return work.actor.everything or _as_staff(work, programme_id, (*STAFF, Role.INSIGHT_VIEWER))


def reads_contacts(work: Work, programme_id: int) -> bool:
    """Whether the actor, as staff, reads addresses, accounts and relations of everybody in the programme."""
    return work.actor.everything or _as_staff(work, programme_id, STAFF)


def _as_staff(work: Work, programme_id: int, among: Sequence[Role]) -> bool:
    """Seeing people as those who run the programme do; a practitioner who may see people sees fewer."""
    rules = RULES[Action.PEOPLE_SEE]
    held = work.actor.roles.get(programme_id, frozenset())
    if held.isdisjoint(among):
        return False
    case = Case(programme_id, WhoBooks.STAFF, ticked=work.actor.ticked.get(programme_id, frozenset()))
    return any(role in rules and rules[role].test(case) for role in held if role in among)


def visible_people(work: Work, programme_id: int, but: Role | None = None) -> ColumnElement[bool]:
    """The people of a programme who exist for the actor, by whatever role but that one; nobody in a foreign one."""
    ways = _ways(work, programme_id, but)
    if not ways:
        return false()
    return Person.id.in_(union(*ways) if len(ways) > 1 else ways[0])


def roles_seen(work: Work, programme_id: int) -> frozenset[Role]:
    """The roles that the actor may know of in others."""
    if sees_everybody(work, programme_id):
        return frozenset(Role)
    found: set[Role] = set()
    for role in work.actor.roles.get(programme_id, ()):
        found.update(_SEEN.get(role, ()))
    return frozenset(found)


_SEEN: dict[Role, tuple[Role, ...]] = {
    Role.CUSTOM_MANAGER: PARTS, Role.PRACTITIONER: (*STAFF, *PARTS), Role.LEARNER: (Role.PRACTITIONER,),
    Role.GUARDIAN: PARTS, Role.LINE_MANAGER: (Role.LEARNER,),
}


def holding(programme_id: int, *roles: Role) -> Rows:
    """Ids of those who hold one of these roles (or any) in a programme."""
    statement = select(RoleGrant.person_id).where(RoleGrant.programme_id == programme_id)
    return statement.where(RoleGrant.role.in_(roles)) if roles else statement


def tied_to(work: Work, programme_id: int, tie: Tie) -> Rows:
    """Ids of the learners whom the actor is tied to."""
    return select(Relation.learner_id).where(
        Relation.adult_id == work.actor.person_id, Relation.tie == tie, Relation.programme_id == programme_id
    )


def _ways(work: Work, programme_id: int, but: Role | None) -> list[Rows]:
    """One select of person ids for each role held."""
    if work.actor.everything or sees_everybody(work, programme_id):
        return [holding(programme_id)]
    roles, me = work.actor.roles.get(programme_id, frozenset()) - {but}, work.actor.person_id
    if not roles:
        return []
    ways: list[Rows] = [select(RoleGrant.person_id).where(
        RoleGrant.programme_id == programme_id, RoleGrant.person_id == me)]
    if Role.CUSTOM_MANAGER in roles:
        ways.append(holding(programme_id, *PARTS))
    if Role.PRACTITIONER in roles:
        ways.append(holding(programme_id, Role.PRACTITIONER, *STAFF))
        if policy_of(work, programme_id).who_books is WhoBooks.STAFF:
            mine = select(Session.id).where(
                Session.programme_id == programme_id, or_(Session.practitioner_id == me, Session.created_by == me))
            ways.append(select(Participation.learner_id).where(Participation.session_id.in_(mine)))
        else:
            ways.append(holding(programme_id, Role.LEARNER))
    if Role.LEARNER in roles:
        ways.append(holding(programme_id, Role.PRACTITIONER))
    if Role.GUARDIAN in roles:
        learners = tied_to(work, programme_id, Tie.GUARDIAN)
        ways.append(learners)
        ways.append(
            select(Session.practitioner_id).join(Participation, Participation.session_id == Session.id).where(
                Session.programme_id == programme_id, Session.practitioner_id.is_not(None),
                Participation.learner_id.in_(learners))
        )
    if Role.LINE_MANAGER in roles:
        ways.append(tied_to(work, programme_id, Tie.LINE_MANAGER))
    return ways


def visible_teams(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The teams of a programme that exist for the actor: one's own, those of one's sessions, or all to book for."""
    here = Team.programme_id == programme_id
    held = work.actor.roles.get(programme_id, frozenset())
    if work.actor.everything or not held.isdisjoint((*STAFF, Role.INSIGHT_VIEWER)):
        return here
    if not held:
        return false()
    if Role.PRACTITIONER in held and policy_of(work, programme_id).who_books is not WhoBooks.STAFF:
        return here
    own = select(TeamMember.team_id).where(TeamMember.learner_id == work.actor.person_id)
    met = select(Session.team_id).where(visible_sessions(work, programme_id), Session.team_id.is_not(None))
    return and_(here, or_(Team.id.in_(own), Team.id.in_(met)))


def everywhere(work: Work, but: Role | None = None) -> ColumnElement[bool]:
    """Everybody who exists for the actor in any programme, and the actor."""
    if work.actor.everything:
        return true()
    return or_(Person.id == work.actor.person_id, *(
        visible_people(work, programme_id, but) for programme_id in work.actor.programmes()))


def known_here(work: Work, ids: Collection[int]) -> ColumnElement[bool]:
    """Those of these people who exist for the actor, or did until their last role was taken in the actor's programme.

    For one person's page and for commands, so that a slip can be put right; lists and searches do not show them.
    """
    left = lately_left(work, ids)
    return or_(everywhere(work), Person.id.in_(left)) if left else everywhere(work)


def editable(work: Work, ids: Collection[int]) -> set[int]:
    """Those of these people whose data the actor may edit: the actor edits people in every programme they are in."""
    return run_by_actor(work, ids, Action.PEOPLE_EDIT)


def may_edit(work: Work, person_id: int) -> bool:
    """Whether the actor may edit this person's data."""
    return person_id in editable(work, [person_id])

"""Who runs a programme, for those who grant its roles."""

from dataclasses import dataclass

from sqlalchemy import select

from core.permissions import Action, require
from core.work import Work
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.words import Role


@dataclass(frozen=True)
class GrantRow:
    """One role of one person, for the settings screen."""

    id: int
    person_id: int
    name: str
    email: str | None
    role: Role
    permissions: tuple[str, ...]


def staff_grants(work: Work, programme_id: int) -> list[GrantRow]:
    """Who runs a programme: every grant but those of practitioners, learners and their adults.

    For those who grant roles. Raises NotFound, NotAllowed.
    """
    require(work, Action.ROLES_GRANT, programme_id)
    many = (Role.PRACTITIONER, Role.LEARNER, Role.GUARDIAN, Role.LINE_MANAGER)
    rows = work.tx.execute(
        select(RoleGrant.id, Person.id, Person.name, Person.email, RoleGrant.role, RoleGrant.permissions)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.programme_id == programme_id, RoleGrant.role.not_in(many))
        .order_by(Person.name, Person.id)
    )
    return [GrantRow(*row[:5], tuple(row[5] or ())) for row in rows]

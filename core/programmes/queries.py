"""Programmes that the actor may see, and their policy."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from core.errors import NotFound
from core.programmes.rules import Policy
from core.work import Work
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Session
from db.words import Kind, Role


@dataclass(frozen=True)
class ProgrammeView:
    """A programme as screens need it."""

    id: int
    name: str
    kind: Kind
    zone_name: str
    currency: str
    policy: Policy
    version: int
    retired: bool

    @property
    def zone(self) -> ZoneInfo:
        """The programme's own zone."""
        return ZoneInfo(self.zone_name)


def programme_of(work: Work, programme_id: int) -> ProgrammeView:
    """A programme, looked up once in a work. Raises NotFound for an unknown or foreign one."""
    known: dict[int, ProgrammeView] = work.cache.setdefault("programmes", {})
    if not known:
        statement = select(Programme)
        if not work.actor.everything:
            statement = statement.where(Programme.id.in_(work.actor.roles))
        known.update({row.id: _view(row) for row in work.tx.execute(statement).scalars()})
    if programme_id not in known:
        raise NotFound
    return known[programme_id]


def _view(row: Programme) -> ProgrammeView:
    return ProgrammeView(
        row.id, row.name, row.kind, row.zone, row.currency, Policy.model_validate(row.policy), row.version,
        row.retired_at is not None,
    )


def policy_of(work: Work, programme_id: int) -> Policy:
    """The policy of a programme that the actor holds a role in. Raises NotFound."""
    return programme_of(work, programme_id).policy


def my_programmes(work: Work) -> list[ProgrammeView]:
    """Every programme that the actor holds a role in, by name; retired ones last."""
    ids = work.actor.programmes() if not work.actor.everything else work.tx.scalars(select(Programme.id)).all()
    views = [programme_of(work, programme_id) for programme_id in ids]
    return sorted(views, key=lambda view: (view.retired, view.name.casefold()))


@dataclass(frozen=True)
class FirstSteps:
    """What a new programme has of what it takes to begin."""

    has_practitioners: bool
    has_learners: bool
    has_sessions: bool


def first_steps(work: Work, programme_id: int) -> FirstSteps:
    """How far a programme has been set up. Raises NotFound."""
    programme_of(work, programme_id)
    held = exists().where(RoleGrant.programme_id == programme_id)
    row = work.tx.execute(select(
        held.where(RoleGrant.role == Role.PRACTITIONER), held.where(RoleGrant.role == Role.LEARNER),
        exists().where(Session.programme_id == programme_id),
    )).one()
    return FirstSteps(*map(bool, row))

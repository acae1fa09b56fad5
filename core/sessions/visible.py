"""The only way in to sessions: which of them exist for the actor (A1, X6), and how the actor stands to each."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, false, or_, select, true, union

from core.errors import NotFound
from core.permissions import STAFF, Action, Case, allows
from core.programmes.queries import policy_of
from core.sessions.rules import NOTICE, is_id
from core.work import Work
from db.models.people import Group, GroupMember, Relation
from db.models.sessions import Participation, Session, Waiting
from db.words import Role, Status, Tie

Rows = Select[*tuple[Any, ...]]
TIES = ((Role.GUARDIAN, Tie.GUARDIAN), (Role.LINE_MANAGER, Tie.LINE_MANAGER))
"""A tie counts for as long as its role is held."""
SEES_ALL = (*STAFF, Role.INSIGHT_VIEWER)


def visible_sessions(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The sessions of a programme that exist for the actor; none in a foreign one."""
    return _limited(work, programme_id, _seen_ways(work, programme_id))


def describable_sessions(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Those whose words the actor may read, so that a search never finds by words that are not shown (D7)."""
    return _limited(work, programme_id, _seen_ways(work, programme_id, Role.LINE_MANAGER))


def sees_all(work: Work, programme_id: int) -> bool:
    """Whether every session of the programme exists for the actor."""
    return work.actor.everything or work.actor.holds(programme_id, *SEES_ALL)


def _limited(work: Work, programme_id: int, ways: Sequence[Rows]) -> ColumnElement[bool]:
    here = Session.programme_id == programme_id
    if sees_all(work, programme_id):
        return here
    if not ways:
        return false()
    return and_(here, Session.id.in_(union(*ways) if len(ways) > 1 else ways[0]))


def _seen_ways(work: Work, programme_id: int, *but: Role) -> list[Rows]:
    """One select of session ids for each role held, just as the table of rules says."""
    me, roles = work.actor.person_id, work.actor.roles.get(programme_id, frozenset()) - set(but)
    ways: list[Rows] = []
    if Role.PRACTITIONER in roles:
        ways.append(select(Session.id).where(Session.practitioner_id == me))
    if Role.LEARNER in roles:
        ways.append(select(Participation.session_id).where(Participation.learner_id == me))
        ways.append(select(Waiting.session_id).where(Waiting.learner_id == me))
    if roles & {Role.PRACTITIONER, Role.LEARNER}:
        ways.append(select(Session.id).where(Session.created_by == me))
        ways += _shared_ways(work, programme_id)
    for role, tie in TIES:
        if role in roles:
            learners = select(Relation.learner_id).where(
                Relation.adult_id == me, Relation.tie == tie, Relation.programme_id == programme_id
            )
            ways.append(select(Participation.session_id).where(Participation.learner_id.in_(learners)))
    return ways


def _shared_ways(work: Work, programme_id: int) -> list[Rows]:
    mine = select(GroupMember.group_id).join(Group, Group.id == GroupMember.group_id).where(
        GroupMember.person_id == work.actor.person_id, Group.programme_id == programme_id
    )
    granting = select(GroupMember.person_id).where(
        GroupMember.group_id.in_(mine), GroupMember.granted.is_(true()),
        GroupMember.person_id != work.actor.person_id,
    )
    completed = Session.status == Status.COMPLETED
    return [
        select(Session.id).where(Session.practitioner_id.in_(granting), completed),
        select(Session.id).join(Participation, Participation.session_id == Session.id)
        .where(Participation.learner_id.in_(granting), completed),
    ]


def seen(work: Work, programme_id: int, ids: Collection[int]) -> dict[int, int]:
    """Of these sessions, of whatever programme, those that the actor may see: id to number."""
    if not ids:
        return {}
    programmes = work.actor.programmes() if not work.actor.everything else [programme_id]
    ways = [visible_sessions(work, each) for each in programmes] or [false()]
    found: dict[int, int] = {}
    listed = sorted(ids)
    for n in range(0, len(listed), 1000):
        rows = work.tx.execute(
            select(Session.id, Session.number).where(Session.id.in_(listed[n:n + 1000]), or_(*ways))
        )
        found.update({row.id: row.number for row in rows})
    return found


class Facts(NamedTuple):
    """What a session's case is made from."""

    id: int
    programme_id: int
    number: int
    status: Status
    practitioner_id: int | None
    created_by: int
    starts_at: datetime | None


def cases_for(work: Work, sessions: Iterable[Facts]) -> dict[int, Case]:
    """How the actor stands to each of these sessions, in a fixed number of queries."""
    listed = list(sessions)
    ids = [one.id for one in listed]
    me = work.actor.person_id
    attends, waits, guards, manages, shared = set[int](), set[int](), set[int](), set[int](), set[int]()
    programmes = {one.programme_id for one in listed}
    roles = {role for programme in programmes for role in work.actor.roles.get(programme, ())}
    if Role.LEARNER in roles:
        attends.update(work.tx.scalars(select(Participation.session_id).where(
            Participation.session_id.in_(ids), Participation.learner_id == me)))
        waits.update(work.tx.scalars(select(Waiting.session_id).where(
            Waiting.session_id.in_(ids), Waiting.learner_id == me)))
    for (role, tie), found in zip(TIES, (guards, manages), strict=True):
        if role in roles:
            found.update(work.tx.scalars(_tied(ids, me, tie)))
    if roles & {Role.PRACTITIONER, Role.LEARNER} and any(one.status is Status.COMPLETED for one in listed):
        for programme in programmes:
            for way in _shared_ways(work, programme):
                shared.update(work.tx.scalars(way.where(Session.id.in_(ids), Session.programme_id == programme)))
    who_books = {programme: policy_of(work, programme).who_books for programme in programmes}
    ticked = {programme: work.actor.ticked.get(programme, frozenset[str]()) for programme in programmes}
    return {
        one.id: Case(
            one.programme_id, who_books[one.programme_id], one.status,
            leads=me is not None and one.practitioner_id == me, attends=one.id in attends, waits=one.id in waits,
            created=me is not None and one.created_by == me, guards=one.id in guards, manages=one.id in manages,
            shared=one.id in shared, started=one.starts_at is not None and one.starts_at <= work.now,
            late=one.starts_at is not None and one.starts_at - work.now < NOTICE,
            ticked=ticked[one.programme_id],
        )
        for one in listed
    }


def _tied(ids: Collection[int], adult: int | None, tie: Tie) -> Rows:
    """Those of the sessions in which a learner takes part whom this adult is tied to."""
    return (
        select(Participation.session_id).join(Relation, Relation.learner_id == Participation.learner_id)
        .join(Session, and_(Session.id == Participation.session_id, Session.programme_id == Relation.programme_id))
        .where(Participation.session_id.in_(ids), Relation.adult_id == adult, Relation.tie == tie)
    )


def shown_learners(work: Work, case: Case) -> frozenset[int] | None:
    """Whose part in a session the actor may see: everybody's (None), or only those whom the actor is tied to."""
    if sees_all(work, case.programme_id) or case.leads or case.attends or case.created or case.shared:
        return None
    return tied_learners(work, case.programme_id)


def keeps_waiting_list(work: Work, case: Case) -> bool:
    """Whether the actor sees everybody who waits for a place in a session, and not only themselves."""
    return sees_all(work, case.programme_id) or case.leads or allows(work.actor, Action.SESSION_FILL, case)


def shown_parts(
    work: Work, programme_id: int, learner_id: SQLColumnExpression[int], session_id: SQLColumnExpression[int]
) -> tuple[ColumnElement[bool], ...]:
    """What a part (its two columns) must fulfil to be searched and sorted by: that `shown_learners` shows it.

    Nothing for those who see every part of what they see.
    """
    if sees_all(work, programme_id) or not work.actor.holds(programme_id, *TIED):
        return ()
    ways = [learner_id.in_(tied_learners(work, programme_id))]
    ways += [session_id.in_(way.correlate(None)) for way in _seen_ways(work, programme_id, *TIED)]
    return (or_(*ways),)


TIED = tuple(role for role, _ in TIES)
"""Those who see a session for the sake of somebody in it."""


def tied_learners(work: Work, programme_id: int) -> frozenset[int]:
    """Those whom the actor is tied to in a programme, by the roles held."""
    known: dict[int, frozenset[int]] = work.cache.setdefault("tied", {})
    if programme_id not in known:
        known[programme_id] = frozenset(work.tx.scalars(select(Relation.learner_id).where(
            Relation.adult_id == work.actor.person_id, Relation.programme_id == programme_id,
            Relation.tie.in_([tie for role, tie in TIES if work.actor.holds(programme_id, role)]))))
    return known[programme_id]


def facts_of(work: Work, ids: Collection[int]) -> list[Facts]:
    """Facts of sessions in programmes where the actor holds a role, by id; what is seen is still to be asked."""
    listed = sorted({id_ for id_ in ids if is_id(id_)})
    mine = true() if work.actor.everything else Session.programme_id.in_(work.actor.programmes())
    found: list[Facts] = []
    for n in range(0, len(listed), 1000):
        found += [
            Facts(*row) for row in work.tx.execute(
                select(Session.id, Session.programme_id, Session.number, Session.status, Session.practitioner_id,
                       Session.created_by, Session.starts_at)
                .where(Session.id.in_(listed[n:n + 1000]), mine).order_by(Session.id)
            )
        ]
    return found


def one_case(work: Work, session_id: int) -> Case:
    """How the actor stands to one session. Raises NotFound where it does not exist for the actor."""
    facts = facts_of(work, [session_id])
    case = cases_for(work, facts).get(session_id)
    if case is None or not allows(work.actor, Action.SESSION_SEE, case):
        raise NotFound
    return case


__all__ = [
    "Facts", "cases_for", "describable_sessions", "facts_of", "keeps_waiting_list", "one_case", "seen", "sees_all",
    "shown_learners", "shown_parts", "tied_learners", "visible_sessions",
]

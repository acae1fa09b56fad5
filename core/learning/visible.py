"""The only way in to enrolments and evidence: whose exist for the actor (X6, D7)."""

from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, false, or_, select

from core.people.visible import tied_to
from core.permissions import ADMINS, Action
from core.work import Work
from db.models.learning import Engagement, Enrolment, Evidence
from db.models.people import TeamMember
from db.models.programmes import RoleGrant
from db.models.sessions import Participation, Session
from db.words import Role, Tie

Rows = Select[*tuple[Any, ...]]
NO_WORDS = (Role.LINE_MANAGER, Role.INSIGHT_VIEWER)
"""They see figures and dates, and nothing that somebody wrote."""


def visible_enrolments(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The enrolments of a programme that exist for the actor."""
    return and_(Enrolment.programme_id == programme_id, _of_learners(work, programme_id, Enrolment.learner_id))


def worded_enrolments(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Those of them whose reasons the actor may read."""
    return and_(Enrolment.programme_id == programme_id,
                _of_learners(work, programme_id, Enrolment.learner_id, *NO_WORDS))


def visible_evidence(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The pieces of evidence of a programme that exist for the actor: none for those who read no words."""
    return and_(Evidence.programme_id == programme_id,
                _of_learners(work, programme_id, Evidence.learner_id, *NO_WORDS))


def sees_learner(work: Work, programme_id: int, learner_id: int, *, words: bool = False) -> bool:
    """Whether this person's learning exists for the actor; with `words`, what was written of it, too."""
    but = NO_WORDS if words else ()
    return work.tx.scalar(
        select(RoleGrant.id).where(
            RoleGrant.programme_id == programme_id, RoleGrant.role == Role.LEARNER, RoleGrant.person_id == learner_id,
            _of_learners(work, programme_id, RoleGrant.person_id, *but))
    ) is not None


def _of_learners(
    work: Work, programme_id: int, learner_id: SQLColumnExpression[int], *but: Role
) -> ColumnElement[bool]:
    """Everybody's, or those of whoever one leads, led, is engaged with, is tied to, or is."""
    actor, me = work.actor, work.actor.person_id
    roles = actor.roles.get(programme_id, frozenset()) - set(but)
    everybody = {*ADMINS, Role.INSIGHT_VIEWER}
    if Action.LEARNING_SEE.name in actor.ticked.get(programme_id, ()):
        everybody.add(Role.CUSTOM_MANAGER)
    if actor.everything or not roles.isdisjoint(everybody):
        return learner_id.is_not(None)
    ways: list[ColumnElement[bool]] = []
    if Role.LEARNER in roles:
        ways.append(learner_id == me)
    if Role.PRACTITIONER in roles:
        engaged = (Engagement.programme_id == programme_id, Engagement.practitioner_id == me)
        ways += [learner_id.in_(some) for some in (
            led_by(programme_id, (me,)),
            select(Engagement.learner_id).where(*engaged, Engagement.learner_id.is_not(None)),
            select(TeamMember.learner_id).join(Engagement, Engagement.team_id == TeamMember.team_id).where(*engaged),
        )]
    for role, tie in ((Role.GUARDIAN, Tie.GUARDIAN), (Role.LINE_MANAGER, Tie.LINE_MANAGER)):
        if role in roles:
            ways.append(learner_id.in_(tied_to(work, programme_id, tie)))
    return or_(*ways) if ways else false()


def led_by(programme_id: int, practitioners: Any) -> Rows:
    """Learners whom one of these practitioners leads or led."""
    return select(Participation.learner_id).join(Session, Session.id == Participation.session_id).where(
        Session.programme_id == programme_id, Session.practitioner_id.in_(practitioners))

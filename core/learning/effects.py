"""What a held session does to enrolments, and taking it back (C7). Run within the act that records or reopens it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from core.errors import Conflict, Invalid
from core.learning.rules import Effect, effect_of, moved
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.visible import seen
from core.work import Work
from db.models.learning import Enrolment, EnrolmentStep
from db.models.people import Person
from db.models.sessions import Session, SessionCourse
from db.models.structure import Course
from db.words import EnrolmentStatus, Step


def apply_effects(work: Work, session: Session, endings: Mapping[int, EnrolmentStatus | None]) -> None:
    """Move the enrolments of those who attended, each with what was said of how it ends. Raises Invalid."""
    programme = programme_of(work, session.programme_id)
    effect = effect_of(session.type, programme.policy)
    if effect is None or not endings or not (effect.moves_to or effect.sets_first_day):
        return
    for enrolment in _enrolments(work, session.id, endings):
        if effect.moves_to:
            to = _ending(work, effect, enrolment, endings)
            change(work, enrolment, Step.STATUS, moved(enrolment.status, to), session.id)
        if effect.sets_first_day and session.starts_at is not None and enrolment.first_day is None:
            day = session.starts_at.astimezone(programme.zone).date()
            if enrolment.planned_end is None or day <= enrolment.planned_end:
                change(work, enrolment, Step.FIRST_DAY, day, session.id)


def _enrolments(work: Work, session_id: int, learners: Mapping[int, Any]) -> Sequence[Enrolment]:
    """Those of these learners in the session's courses, held until the act ends."""
    courses = select(SessionCourse.course_id).where(SessionCourse.session_id == session_id)
    return work.tx.scalars(
        select(Enrolment).where(Enrolment.course_id.in_(courses), Enrolment.learner_id.in_(learners))
        .order_by(Enrolment.id).with_for_update().execution_options(populate_existing=True)
    ).all()


def asked_of(work: Work, session_id: int) -> frozenset[int]:
    """The learners of whom whoever records the session has to say whether they completed or withdrew."""
    session = work.tx.get(Session, session_id)
    if session is None:
        return frozenset()
    effect = effect_of(session.type, programme_of(work, session.programme_id).policy)
    if effect is None or not effect.asks:
        return frozenset()
    courses = select(SessionCourse.course_id).where(SessionCourse.session_id == session_id)
    return frozenset(work.tx.scalars(select(Enrolment.learner_id).where(
        Enrolment.course_id.in_(courses), Enrolment.status.not_in(effect.moves_to))))


def _ending(
    work: Work, effect: Effect, enrolment: Enrolment, endings: Mapping[int, EnrolmentStatus | None]
) -> EnrolmentStatus:
    if not effect.asks or enrolment.status in effect.moves_to:
        return effect.moves_to[0]
    said = endings[enrolment.learner_id]
    if said not in effect.moves_to:
        name = work.tx.scalar(select(Person.name).where(Person.id == enrolment.learner_id))
        raise Invalid({"ending": f"Say of {name} whether the enrolment is {effect.moves_to[0]} or"
                                 f" {effect.moves_to[1]}."})
    return said


def change(
    work: Work, enrolment: Enrolment, what: Step, to: Any, session_id: int | None = None, reason: str | None = None
) -> None:
    """Put a new status or first day into an enrolment, with the step that says what it came of."""
    column = "status" if what is Step.STATUS else "first_day"
    before = getattr(enrolment, column)
    if before == to:
        return
    setattr(enrolment, column, to)
    enrolment.version += 1
    work.tx.add(EnrolmentStep(
        enrolment_id=enrolment.id, session_id=session_id, what=what, before=_said(before), after=_said(to),
        reason=reason, at=work.now, by_id=work.me,
    ))
    work.tx.flush()


def take_back(work: Work, session: Session) -> None:
    """Undo what the session did to enrolments. Raises Conflict, naming it, where a later effect stands on that."""
    steps = work.tx.scalars(
        select(EnrolmentStep).where(EnrolmentStep.session_id == session.id).order_by(EnrolmentStep.id.desc())).all()
    if not steps:
        return
    ids = {step.enrolment_id for step in steps}
    enrolments = {each.id: each for each in work.tx.scalars(
        select(Enrolment).where(Enrolment.id.in_(ids)).order_by(Enrolment.id).with_for_update()
        .execution_options(populate_existing=True))}
    later = work.tx.scalars(
        select(EnrolmentStep).where(EnrolmentStep.enrolment_id.in_(ids), EnrolmentStep.id > steps[-1].id)
        .order_by(EnrolmentStep.id.desc())
    ).all()
    for step in steps:
        stands = [each for each in later if each.enrolment_id == step.enrolment_id and each.what is step.what
                  and each.id > step.id and each.session_id != session.id]
        if stands:
            raise Conflict(_stands(work, programme_of(work, session.programme_id), enrolments[step.enrolment_id],
                                   stands[0]))
    for step in steps:
        enrolment = enrolments[step.enrolment_id]
        if step.what is Step.STATUS:
            enrolment.status = EnrolmentStatus(step.before or EnrolmentStatus.ENROLLED)
        else:
            enrolment.first_day = date.fromisoformat(step.before) if step.before else None
        enrolment.version += 1
        work.tx.delete(step)
    work.tx.flush()


def _stands(work: Work, programme: ProgrammeView, enrolment: Enrolment, step: EnrolmentStep) -> str:
    """Which later effect it is, as far as the actor may know of it (X6)."""
    learner = work.tx.scalar(select(Person.name).where(Person.id == enrolment.learner_id))
    course = work.tx.scalar(select(Course.name).where(Course.id == enrolment.course_id))
    word = programme.policy.words.session
    if step.session_id is None:
        by = work.tx.scalar(select(Person.name).where(Person.id == step.by_id))
        what, way_out = f"{by} changed", "Change the enrolment back first."
    elif numbers := seen(work, programme.id, [step.session_id]):
        what, way_out = f"{word} {numbers[step.session_id]} changed", f"Reopen that {word} first."
    else:
        what, way_out = f"another {word} changed", f"That {word} has to be reopened first."
    return (f"This cannot be taken back: later, {what} the {step.what} of {learner} in {course} to {step.after}."
            f" {way_out}")


def _said(value: Any) -> str | None:
    return None if value is None else str(value)

"""Reminders of notes to guardians, queued once for every so many sessions (E6)."""

from sqlalchemy import and_, func, select

from core.notifications.commands import notify
from core.programmes.queries import programme_of
from core.sessions.busy import lock
from core.work import Work
from db.models.afterwards import Message, Note
from db.models.people import Person, Relation
from db.models.sessions import Participation, Session
from db.words import NoteKind, Outcome, Tie

KIND = "guardian reminder"


def remind_guardians(work: Work, session: Session) -> None:
    """Queue a message to each guardian of a learner for whom this was the 4th (8th, …) attended session with notes.

    Counted by learner and engagement, or practitioner where there is none. A correction never sends it again.
    """
    programme = programme_of(work, session.programme_id)
    every = programme.policy.remind_every
    if every is None:
        return
    attended = work.tx.scalars(  # of a session without a note there is nothing to read
        select(Participation.learner_id).join(Note, Note.session_id == Participation.session_id).where(
            Participation.session_id == session.id, Participation.outcome == Outcome.ATTENDED,
            Note.kind == NoteKind.SHARED)).all()
    lock(work, attended)  # of two sessions that are logged at once, the second counts the first
    same = Session.engagement_id == session.engagement_id if session.engagement_id is not None else and_(
        Session.engagement_id.is_(None), Session.practitioner_id == session.practitioner_id)
    counts: dict[int, int] = {row[0]: row[1] for row in work.tx.execute(
        select(Participation.learner_id, func.count()).join(Session, Session.id == Participation.session_id)
        .join(Note, and_(Note.session_id == Session.id, Note.kind == NoteKind.SHARED))
        .where(Participation.learner_id.in_(attended), Participation.outcome == Outcome.ATTENDED,
               Session.programme_id == session.programme_id, same).group_by(Participation.learner_id))}
    due = {learner: count for learner, count in counts.items() if count % every == 0}
    if not due:
        return
    of = f"e{session.engagement_id}" if session.engagement_id is not None else f"p{session.practitioner_id}"
    messages: dict[str, Message] = {}
    for learner_id, learner, guardian in work.tx.execute(
        select(Relation.learner_id, Person.name, Relation.adult_id).join(Person, Person.id == Relation.learner_id)
        .where(Relation.programme_id == programme.id, Relation.tie == Tie.GUARDIAN, Relation.learner_id.in_(due))
        .order_by(Relation.learner_id, Relation.adult_id)
    ):
        key = f"{KIND}:{programme.id}:{of}:{learner_id}:{due[learner_id]}:{guardian}"
        messages[key] = Message(
            key=key, kind=KIND, person_id=guardian, programme_id=programme.id, session_id=session.id,
            subject=f"Notes of {learner}"[:200], queued_at=work.now, change_set_id=work.act_id,
            body=f"{due[learner_id]} {programme.policy.words.many('session')} of {learner} have notes to read.")
    sent = set(work.tx.scalars(select(Message.key).where(Message.key.in_(messages))))
    fresh = [message for key, message in messages.items() if key not in sent]
    work.tx.add_all(fresh)
    notify(work, [(one.person_id, programme.id, session.id, one.body) for one in fresh])
    work.tx.flush()

"""Reminders of notes to guardians, queued once for every so many sessions (E6)."""

from sqlalchemy import and_, func, select

from core.notifications.commands import notify
from core.programmes.queries import programme_of
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
    words = programme.policy.words
    for learner_id in attended:
        same = Session.engagement_id == session.engagement_id if session.engagement_id is not None else and_(
            Session.engagement_id.is_(None), Session.practitioner_id == session.practitioner_id)
        count = work.tx.scalar(
            select(func.count()).select_from(Participation).join(Session, Session.id == Participation.session_id)
            .join(Note, and_(Note.session_id == Session.id, Note.kind == NoteKind.SHARED))
            .where(Participation.learner_id == learner_id, Participation.outcome == Outcome.ATTENDED,
                   Session.programme_id == session.programme_id, same)) or 0
        if not count or count % every:
            continue
        learner = work.tx.scalar(select(Person.name).where(Person.id == learner_id))
        of = f"e{session.engagement_id}" if session.engagement_id is not None else f"p{session.practitioner_id}"
        for guardian in work.tx.scalars(select(Relation.adult_id).where(
                Relation.programme_id == programme.id, Relation.tie == Tie.GUARDIAN,
                Relation.learner_id == learner_id).order_by(Relation.adult_id)).all():
            key = f"{KIND}:{programme.id}:{of}:{learner_id}:{count}:{guardian}"
            if work.tx.scalar(select(Message.id).where(Message.key == key)) is not None:
                continue
            said = f"{count} {words.many('session')} of {learner} have notes to read."
            work.tx.add(Message(
                key=key, kind=KIND, person_id=guardian, programme_id=programme.id, session_id=session.id,
                subject=f"Notes of {learner}"[:200], body=said, queued_at=work.now, change_set_id=work.act_id))
            notify(work, [(guardian, programme.id, session.id, said)])
    work.tx.flush()

"""What stands recorded and written after a session, as far as the viewer may see it (D7, X6)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.permissions import RECORDED, Action, Case, allows
from core.programmes.queries import programme_of
from core.sessions.visible import one_case, sees_all, shown_learners
from core.work import Work
from db.among import among
from db.models.afterwards import Dispute, Forfeit, Note
from db.models.people import Person, Relation
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.words import NoteKind, Role, Status, Tie, Wish


@dataclass(frozen=True)
class NoteView:
    """What was written after a session."""

    kind: NoteKind
    body: str
    author: str
    submitted_at: datetime
    version: int
    mine: bool


@dataclass(frozen=True)
class Recorded:
    """What was said with one learner's outcome; the words are empty for those who may not read them."""

    notice_at: datetime | None
    waited: int | None
    contact: str
    overruled: str


@dataclass(frozen=True)
class Objection:
    """What a learner's side objects to, and the answer."""

    id: int
    session_id: int
    number: int
    learner_id: int
    learner: str
    by: str
    claim: str
    at: datetime
    answer: str


@dataclass(frozen=True)
class Lost:
    """A meeting that a learner lost to a late change, and whether it is charged (E8)."""

    id: int
    learner: str
    starts_at: datetime
    wish: Wish
    charged: bool
    reason: str


@dataclass(frozen=True)
class Afterwards:
    """All of it for one session."""

    notes: tuple[NoteView, ...] = ()
    recorded: Mapping[int, Recorded] = field(default_factory=dict)
    """By learner."""
    objections: tuple[Objection, ...] = ()
    lost: tuple[Lost, ...] = ()
    note_owed: bool = False
    report_owed: bool = False
    """Whether it still lacks them; of a session of which nothing is recorded yet, whether it will."""
    may_write: bool = False
    may_object: Mapping[int, str] = field(default_factory=dict)
    """Those for whom the viewer may object to what is recorded, by id."""

    def note(self, kind: NoteKind) -> NoteView | None:
        """The note of a kind."""
        return next((note for note in self.notes if note.kind is kind), None)


def afterwards(work: Work, session_id: int) -> Afterwards:
    """What stands recorded and written after a session. Raises NotFound."""
    case = one_case(work, session_id)
    session = work.tx.get_one(Session, session_id)
    reads, side = allows(work.actor, Action.SESSION_READ, case), on_whose_side(work, case.programme_id)
    near = case.leads or sees_all(work, case.programme_id)
    writes, objects = (allows(work.actor, action, case) for action in (Action.NOTE_WRITE, Action.OUTCOME_DISPUTE))
    parts = work.tx.execute(
        select(Participation.learner_id, Person.name, Participation.outcome, Participation.notice_at,
               Participation.waited_minutes, Participation.contact, Participation.overruled)
        .join(Person, Person.id == Participation.learner_id)
        .where(Participation.session_id == session_id).order_by(Person.name, Person.id)).all()
    own = [part.outcome for part in parts if part.learner_id in side]
    left = bool(own) and all(outcome in FREES_LEARNER for outcome in own) and not (near or case.created)
    shown = shown_learners(work, case)
    recorded = {}
    for part in parts:
        if part.outcome is not None and (shown is None or part.learner_id in shown):
            told = reads and (near or part.learner_id in side)
            recorded[part.learner_id] = Recorded(
                part.notice_at, part.waited_minutes if told else None, (part.contact or "") if told else "",
                (part.overruled or "") if told else "")
    objections = _visible_objections(work, session_id, case, side)
    waiting = {one.learner_id for one in objections if not one.answer}
    owing = session.status not in (Status.CANCELLED, Status.MISSED)
    return Afterwards(
        tuple(_notes(work, session_id)) if reads and not left else (), recorded, tuple(objections),
        tuple(_lost(work, session_id)) if near and reads else (),
        owing and programme_of(work, case.programme_id).policy.notes_required and session.comments_at is None,
        owing and session.report_required and session.report_published_at is None, writes,
        {part.learner_id: part.name for part in parts
         if objects and part.learner_id in side and part.outcome is not None and part.learner_id not in waiting},
    )


def _notes(work: Work, session_id: int) -> list[NoteView]:
    rows = work.tx.execute(
        select(Note, Person.name).join(Person, Person.id == Note.author_id).where(Note.session_id == session_id)
        .order_by(Note.kind.desc()))
    return [NoteView(note.kind, note.body, author, note.submitted_at, note.version,
                     note.author_id == work.actor.person_id) for note, author in rows]


def _lost(work: Work, session_id: int) -> list[Lost]:
    rows = work.tx.execute(
        select(Forfeit.id, Person.name, Forfeit.starts_at, Forfeit.wish, Forfeit.charged, Forfeit.reason)
        .join(Person, Person.id == Forfeit.learner_id).where(Forfeit.session_id == session_id).order_by(Forfeit.id))
    return [Lost(*row) for row in rows]


def _visible_objections(work: Work, session_id: int, case: Case, side: Collection[int]) -> list[Objection]:
    """All of them for whoever leads the session or answers them, else those of one's own side."""
    if case.leads or allows(work.actor, Action.DISPUTE_ANSWER, case):
        return objections_where(work, Dispute.session_id == session_id)
    return objections_where(work, Dispute.session_id == session_id, among(Dispute.learner_id, side)) if side else []


def objections_where(work: Work, *where: object) -> list[Objection]:
    """Objections in order of time; whoever calls this has seen to who may read them."""
    learner, by = aliased(Person), aliased(Person)
    rows = work.tx.execute(
        select(Dispute, Session.number, learner.name, by.name).join(Session, Session.id == Dispute.session_id)
        .join(learner, learner.id == Dispute.learner_id).join(by, by.id == Dispute.by_id)
        .where(*where).order_by(Dispute.at, Dispute.id))  # type: ignore[arg-type]  # conditions, all of them
    return [Objection(one.id, one.session_id, number, one.learner_id, whom, who, one.claim, one.at, one.answer or "")
            for one, number, whom, who in rows]


# The learner's side --------------------------------------------------------------------------------------------------


def on_whose_side(work: Work, programme_id: int) -> frozenset[int]:
    """The learners for whom the viewer speaks in a programme: themselves, and those they are guardian of."""
    known: dict[int, frozenset[int]] = work.cache.setdefault("side", {})
    if programme_id not in known:
        found: set[int] = set()
        if work.actor.person_id is not None and work.actor.holds(programme_id, Role.LEARNER):
            found.add(work.actor.person_id)
        if work.actor.holds(programme_id, Role.GUARDIAN):
            found.update(work.tx.scalars(select(Relation.learner_id).where(
                Relation.programme_id == programme_id, Relation.tie == Tie.GUARDIAN,
                Relation.adult_id == work.actor.person_id)))
        known[programme_id] = frozenset(found)
    return known[programme_id]


def own_parts(work: Work, session_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """For each of these sessions, whom of their own side the viewer can cancel for: learner and name (E8)."""
    side = {learner for programme_id in work.actor.programmes() for learner in on_whose_side(work, programme_id)}
    found: dict[int, dict[int, str]] = {}
    if not side or not session_ids:
        return found
    rows = work.tx.execute(
        select(Participation.session_id, Session.programme_id, Participation.learner_id, Person.name)
        .join(Session, Session.id == Participation.session_id).join(Person, Person.id == Participation.learner_id)
        .where(among(Participation.session_id, session_ids), among(Participation.learner_id, side),
               Participation.outcome.is_(None), Session.cancelled_at.is_(None), Session.status.not_in(RECORDED),
               Session.starts_at.is_(None) | (Session.starts_at > work.now))
        .order_by(Person.name))
    for session_id, programme_id, learner_id, name in rows:
        if learner_id in on_whose_side(work, programme_id):
            found.setdefault(session_id, {})[learner_id] = name
    return found


__all__ = [
    "Afterwards", "Lost", "NoteView", "Objection", "Recorded", "afterwards", "objections_where", "on_whose_side",
    "own_parts",
]

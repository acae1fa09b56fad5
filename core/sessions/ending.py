"""Take meetings from those who had them: by a late change, by cancelling, by deleting."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, select, update

from core.billing.settle import KEPT, has_money, settle
from core.errors import Conflict, Invalid
from core.notifications.commands import notify
from core.permissions import Action, Case, as_learner, require_all
from core.sessions.checks import waiting_in
from core.sessions.loaded import Loaded, apply, load, names, refuse_too_late, tell
from core.sessions.rules import given
from core.work import Work
from db.bulk import insert_many
from db.models.afterwards import Dispute, Forfeit, Message, Note
from db.models.sessions import Participation, Session, SessionCourse, Waiting
from db.words import Outcome, Status, Wish

FORFEITS = cast(Table, Forfeit.__table__)

# Late changes --------------------------------------------------------------------------------------------------------


WHOSE_WISH = "It is under 24 hours ahead, or has begun: say whose wish this is."


@dataclass(frozen=True)
class LateChange:
    """Whose wish a change inside the notice is, and whether the learner's side is charged for it all the same (E8)."""

    wish: Wish
    charged: bool
    reason: str


def asks_wish(case: Case, learners: Collection[int], before: datetime | None, after: datetime | None) -> bool:
    """Whether a change takes their meeting from learners inside the notice, so that it asks whose wish it is (E8)."""
    return case.late and bool(learners) and before is not None and before != after


def give_up(work: Work, loaded: Mapping[int, Loaded], late: Mapping[int, LateChange | None]) -> None:
    """Keep the meetings that a change inside the notice takes from learners (E8), or that they had cancelled late.

    What they are charged for it stays with its day. Raises Invalid.
    """
    rows: list[dict[str, Any]] = []

    def keep(each: Loaded, learners: Iterable[int], change: LateChange, reason: str) -> None:
        rows.extend({
            "session_id": each.session.id, "learner_id": learner, "practitioner_id": each.session.practitioner_id,
            "starts_at": each.session.starts_at, "ends_at": each.session.ends_at, "wish": change.wish,
            "charged": change.charged, "reason": reason, "at": work.now, "by_id": work.me,
        } for learner in learners)

    for item, (id_, change) in enumerate(late.items()):
        each = loaded[id_]
        if asks_wish(each.case, each.learners, each.session.starts_at, each.value("starts_at")):
            if change is None:
                raise Invalid({"wish": WHOSE_WISH}, item)
            keep(each, each.learners, change, _why_late(each, change, item))
    moving = [id_ for id_, each in loaded.items() if each.session.starts_at is not None and (
        (each.session.starts_at, each.session.ends_at) != (each.value("starts_at"), each.value("ends_at")))]
    for session_id, learner in work.tx.execute(
        select(Participation.session_id, Participation.learner_id).where(
            Participation.session_id.in_(moving), Participation.outcome == Outcome.CANCELLED_LATE, ~KEPT)
        .order_by(Participation.id)
    ).all():
        keep(loaded[session_id], [learner], LateChange(Wish.LEARNER, True, ""), "Cancelled late.")
    insert_many(work.tx.connection(), FORFEITS, rows)


def _why_late(each: Loaded, change: LateChange, item: int) -> str:
    """The reason why a late change is charged, or waived. Raises Invalid."""
    if change.wish not in {*Wish}:
        raise Invalid({"wish": "Say whose wish it is."}, item)
    if change.charged and change.wish is not Wish.LEARNER:
        raise Invalid({"wish": f"Only a change that the {each.programme.policy.words.learner} wished for is"
                               " charged."}, item)
    reason = change.reason
    if change.wish is Wish.PRACTITIONER and not (reason or "").strip():
        reason = "The practitioner's wish."  # what is never charged asks for no more
    return given(reason, "late_reason", "Say why it is charged, or waived.", item)


# Cancelling and deleting ---------------------------------------------------------------------------------------------


def cancel_sessions(
    work: Work, session_ids: Sequence[int], reason: str, versions: Mapping[int, int] | None = None
) -> list[int]:
    """Cancel for good: everyone's time is free at once (B10), and every learner's outcome says whose doing it was.

    Raises NotAllowed, Invalid, StaleForm, Conflict for a learner who is not alone in it (E8).
    """
    loaded = load(work, session_ids, Action.SESSION_CANCEL, versions or {})
    refuse_too_late(work, loaded, Action.SESSION_CANCEL)
    reason = given(reason, "reason", "Give a reason; those who take part will read it.")
    for each in loaded.values():
        if set(each.learners) - {work.actor.person_id} and as_learner(work.actor, Action.SESSION_CANCEL, each.case):
            raise Conflict(f"Others take part in {each.name.lower()}, so it stays. Cancel your own part instead.")
        each.values = {"cancelled_at": work.now, "cancel_reason": reason}
    apply(work, loaded)
    cancelled: dict[Outcome, list[int]] = {}
    for each in loaded.values():
        cancelled.setdefault(_whose_doing(work, each), []).append(each.session.id)
    for outcome, ids in cancelled.items():
        work.tx.execute(
            update(Participation).where(Participation.session_id.in_(ids), Participation.outcome.is_(None)).values(
                outcome=outcome, outcome_at=work.now,
                notice_at=None if outcome is Outcome.PRACTITIONER_CANCELLED else work.now)
        )
    work.because(reason)
    settle(work, loaded)
    tell(work, loaded, f"cancelled. {reason}")
    notify(work, (
        (person, loaded[id_].programme.id, id_, f"{loaded[id_].name}: cancelled, so nobody waits for it any more.")
        for id_, those in waiting_in(work, list(loaded)).items() for person in those
    ))
    work.say(f"Cancelled {names(loaded).lower()}.")
    return list(session_ids)


def _whose_doing(work: Work, each: Loaded) -> Outcome:
    """The learner's side cancels late or in time (E3)."""
    if not as_learner(work.actor, Action.SESSION_CANCEL, each.case):
        return Outcome.PRACTITIONER_CANCELLED
    return Outcome.CANCELLED_LATE if each.case.late else Outcome.CANCELLED_IN_TIME


def delete_sessions(
    work: Work, session_ids: Sequence[int], versions: Mapping[int, int] | None = None, *, cancel_first: bool = False
) -> list[int]:
    """Take away sessions made by mistake (A6, B5). Their numbers are never used again.

    Refused while a meeting is active, unless `cancel_first` takes it off the calendar in the same step.
    Raises NotAllowed, Conflict, StaleForm.
    """
    loaded = load(work, session_ids, Action.SESSION_DELETE, versions or {})
    refuse_too_late(work, loaded, Action.SESSION_DELETE)
    if cancel_first:
        active = [each for each in loaded.values() if each.session.starts_at is not None
                  and each.session.status is not Status.CANCELLED]
        require_all(work.actor, Action.SESSION_CANCEL, [each.case for each in active], [each.name for each in active])
    for each in loaded.values():
        session = each.session
        if session.starts_at is not None and session.status is not Status.CANCELLED and not cancel_first:
            raise Conflict(f"{each.name} is on the calendar. Take it off the calendar or cancel it first.")
        if session.joined_at is not None:
            raise Conflict(f"Somebody has joined {each.name.lower()}, so it stays.")
        if session.submitted_at is not None:
            raise Conflict(f"A questionnaire was submitted for {each.name.lower()}, so it stays.")
    follower = work.tx.execute(
        select(Session.number, Session.follows_id).where(
            Session.follows_id.in_(session_ids), Session.id.not_in(session_ids)).limit(1)
    ).first()
    if follower:
        raise Conflict(f"Session {follower.number} was made from this one, so it stays. Cancel it instead.")
    ids = list(session_ids)
    if (number := has_money(work, ids)) is not None:
        raise Conflict(f"Money was worked out for session {number}, so it stays. Cancel it instead.")
    for written, what in (
        (Note, "notes were written"), (Forfeit, "a late change was recorded"), (Dispute, "somebody objected"),
    ):
        if work.tx.scalar(select(written.id).where(written.session_id.in_(ids)).limit(1)) is not None:
            raise Conflict(f"After it, {what}, so it stays. Cancel it instead.")
    for model in (Participation, SessionCourse, Waiting):
        work.tx.execute(delete(model).where(model.session_id.in_(ids)))
    work.tx.execute(update(Message).where(Message.session_id.in_(ids)).values(session_id=None))
    work.tx.execute(delete(Session).where(Session.id.in_(ids)))
    tell(work, loaded, "deleted.")
    work.say(f"Deleted {names(loaded).lower()}.")
    return ids

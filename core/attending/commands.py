"""Record what came of a session, take it back, leave it, object to it, and write its note."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from core.attending.queries import on_whose_side
from core.attending.reminders import remind_guardians
from core.attending.rules import NOTICED, Attendance, Meeting, problems_of
from core.attending.tasks import owes
from core.billing.settle import settle
from core.clock import when_words
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.learning.effects import apply_effects, take_back
from core.notifications.commands import notify
from core.permissions import RECORDED, Action, allows, as_staff, require
from core.programmes.queries import programme_of
from core.sessions.groups import fill_places
from core.sessions.loaded import Loaded, apply, load, tell
from core.sessions.rules import StaleForm, given, notice_outcome, text_problems
from core.work import Work
from db.among import among
from db.models.afterwards import Dispute, Forfeit, Note
from db.models.history import ChangeSet
from db.models.notices import Notice
from db.models.people import Person, Relation
from db.models.programmes import RoleGrant
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.words import NoteKind, Outcome, Role, Tie, Wish

PARTS = cast(Table, Participation.__table__)
NOBODY_LEFT = "Nobody is left in it."
TAKEN_BACK = (Outcome.ATTENDED, Outcome.MISSED, Outcome.PRACTITIONER_ABSENT)
"""What reopening takes back, besides a cancelling that was recorded after the start."""


# Attendance ----------------------------------------------------------------------------------------------------------


def record_outcome(
    work: Work, session_id: int, attendance: Sequence[Attendance], version: int | None = None
) -> list[int]:
    """Record for every learner what came of it; the one command that does so (E2, E3, D11).

    The type's effect on the enrolments of those who attended is part of it (C7), and so is what it costs and earns.
    Raises NotAllowed, Invalid (with the place in `attendance` it concerns), Conflict, StaleForm.
    """
    each = load(work, [session_id], Action.OUTCOME_RECORD, {session_id: version})[session_id]
    present = {part.learner_id: part for part in work.tx.scalars(
        select(Participation).where(Participation.session_id == session_id))}
    if not present:
        raise Conflict(f"Nobody takes part in {each.name.lower()} yet, so there is nothing to record.")
    if each.session.practitioner_id is None:
        raise Conflict(f"{each.name} has no {each.programme.policy.words.practitioner}; choose one first.")
    if each.session.status in RECORDED:
        raise Conflict(f"{each.name} was recorded already. Reopen it to change that.")
    named = [one.learner_id for one in attendance]
    open_ones = {id_ for id_, part in present.items() if part.outcome is None}
    if len(set(named)) != len(named) or set(named) != open_ones:
        raise Invalid({"attendance": f"Say for each {each.programme.policy.words.learner} what came of it."})
    meeting = Meeting(each.session.starts_at, _planned(each.session), work.now)
    overrules = allows(work.actor, Action.OUTCOME_OVERRULE, each.case)
    attendance = [one if overrules else replace(one, overruled="") for one in attendance]
    for item, one in enumerate(attendance):
        if found := problems_of(one, meeting, each.programme.policy, overrules=overrules):
            raise Invalid(found, item)
    work.tx.connection().execute(
        update(PARTS).where(PARTS.c.session_id == session_id, PARTS.c.learner_id == bindparam("who")).values(
            {name: bindparam(f"new_{name}", type_=PARTS.c[name].type) for name in _RECORDED}),
        [{"who": one.learner_id, **{f"new_{name}": value for name, value in _values(work, one, meeting).items()}}
         for one in attendance])
    held = any(one.outcome is Outcome.ATTENDED for one in attendance)
    each.values = _session_values(work, each, attendance)
    apply(work, {session_id: each})
    apply_effects(work, each.session, {
        one.learner_id: one.ending for one in attendance if one.outcome is Outcome.ATTENDED})
    settle(work, [session_id])
    remind_guardians(work, each.session)
    if "cancelled_at" in each.values:
        work.say(f"Recorded {each.name.lower()} as cancelled: nobody was left in it.")
    else:
        work.say(f"Recorded {each.name.lower()} as {'held' if held else 'missed'}.")
    return [session_id]


_RECORDED = ("outcome", "outcome_at", "actual_minutes", "notice_at", "waited_minutes", "contact", "overruled")


def log_session(
    work: Work, session_id: int, attendance: Sequence[Attendance], written: Sequence["Written"] = (),
    version: int | None = None,
) -> list[int]:
    """Record what came of a session and submit what was written of it, as one act that is undone as one (E1).

    Raises as `record_outcome` and `submit_note` do.
    """
    record_outcome(work, session_id, attendance, version)
    said = work.said
    for one in written:
        submit_note(work, session_id, one)
    if written:
        kinds = " and ".join(_called(one.kind) for one in written)
        work.say(f"{said.removesuffix('.')}, and submitted its {kinds}.")
    return [session_id]


def _values(work: Work, one: Attendance, meeting: Meeting) -> dict[str, Any]:
    attended, missed = one.outcome is Outcome.ATTENDED, one.outcome is Outcome.MISSED
    return {
        "outcome": one.outcome, "outcome_at": work.now,
        "actual_minutes": (one.minutes or meeting.planned or None) if attended else None,
        "notice_at": one.notice_at if one.outcome in NOTICED else None,
        "waited_minutes": one.waited if missed else None,
        "contact": (one.contact.strip() or None) if missed else None, "overruled": one.overruled.strip() or None,
    }


def _session_values(work: Work, each: Loaded, attendance: Sequence[Attendance]) -> dict[str, Any]:
    """A note or report written before counts again; where nobody was left, the session is cancelled."""
    if all(one.outcome in FREES_LEARNER for one in attendance):
        parts = work.tx.scalars(select(Participation.outcome).where(Participation.session_id == each.session.id)).all()
        if all(outcome in FREES_LEARNER for outcome in parts):
            return {"cancelled_at": work.now, "cancel_reason": NOBODY_LEFT}
    written = {row.kind: row.submitted_at for row in work.tx.execute(
        select(Note.kind, Note.submitted_at).where(Note.session_id == each.session.id))}
    values: dict[str, Any] = {"description": each.session.description}
    if written:
        values |= {"comments_at": written.get(NoteKind.SHARED), "report_published_at": written.get(NoteKind.REPORT),
                   "told_at": max(written.values())}
    return values


def _planned(session: Session) -> int:
    if session.starts_at is None or session.ends_at is None:
        return 0
    return round((session.ends_at - session.starts_at).total_seconds() / 60)


def reopen_session(work: Work, session_id: int, reason: str, version: int | None = None) -> list[int]:
    """Take back what was recorded, its effect on enrolments and what it cost, with a reason (C7, D11).

    Raises NotAllowed, Invalid, StaleForm, Conflict where a later effect stands on this one.
    """
    each = load(work, [session_id], Action.OUTCOME_REOPEN, {session_id: version})[session_id]
    reason = given(reason, "reason", "Say why it is reopened.")
    work.because(reason)
    take_back(work, each.session)
    after = Participation.outcome_at >= each.session.starts_at
    work.tx.execute(
        update(Participation).where(
            Participation.session_id == session_id,
            Participation.outcome.in_(TAKEN_BACK) | (Participation.outcome.in_(NOTICED) & after)
            | ((Participation.outcome == Outcome.PRACTITIONER_CANCELLED) & after),
        ).values(dict.fromkeys(_RECORDED))
    )
    each.values = {"report_published_at": None, "comments_at": None, "told_at": None}
    apply(work, {session_id: each})
    settle(work, [session_id])
    tell(work, {session_id: each}, f"reopened. {reason}")
    work.say(f"Reopened {each.name.lower()}: {reason}")
    return [session_id]


# Leaving -------------------------------------------------------------------------------------------------------------


def cancel_parts(
    work: Work, session_id: int, learner_ids: Sequence[int], reason: str, *, notice_at: datetime | None = None,
    version: int | None = None,
) -> list[int]:
    """Learners leave a session that goes on for the others; when the last one leaves, it is cancelled (E8).

    Notice is given now, unless staff or the practitioner say when it was. Raises NotAllowed, NotFound, Invalid,
    Conflict, StaleForm.
    """
    each = load(work, [session_id], Action.PART_CANCEL, {session_id: version})[session_id]
    _refuse_others(work, each, learner_ids)
    reason = given(reason, "reason", "Give a reason; whoever leads the session will read it.")
    notice = work.now if notice_at is None or _as_own_side(work, each) else notice_at
    starts_at = each.session.starts_at
    if type(notice) is not datetime or notice.tzinfo is None or notice > work.now:
        raise Invalid({"notice_at": "Notice cannot lie ahead."})
    if starts_at is not None and notice >= starts_at:
        raise Conflict(f"{each.name} has started. Record what came of it instead.")
    outcome = Outcome.CANCELLED_IN_TIME if starts_at is None else notice_outcome(starts_at, notice)
    left = set(work.tx.scalars(
        update(Participation).where(
            Participation.session_id == session_id, Participation.learner_id.in_(learner_ids),
            Participation.outcome.is_(None))
        .values(outcome=outcome, outcome_at=work.now, notice_at=notice).returning(Participation.learner_id)))
    if left != set(learner_ids):
        raise Conflict(f"They do not take part in {each.name.lower()} any more.")
    work.because(reason)
    fill_places(work, [session_id])
    staying = work.tx.scalars(select(Participation.learner_id).where(
        Participation.session_id == session_id, Participation.outcome.is_(None))).all()
    each.values = {"description": each.session.description}
    if not staying:
        each.values = {"cancelled_at": work.now, "cancel_reason": reason}
    apply(work, {session_id: each})
    settle(work, [session_id])
    names = ", ".join(sorted(work.tx.scalars(select(Person.name).where(Person.id.in_(left)))))
    said = f"{names} cancelled ({outcome.removeprefix('cancelled ')}). {reason}"
    people = [each.session.practitioner_id, *left]
    if not staying:
        said += " Nobody is left in it, so it is cancelled."
    notify(work, ((person, each.programme.id, session_id, f"{each.name}: {said}") for person in people))
    work.say(f"Cancelled for {names}, {outcome.removeprefix('cancelled ')}: {each.name.lower()}"
             f"{' is cancelled' if not staying else ' goes on for the others'}.")
    return [session_id]


def _as_own_side(work: Work, each: Loaded) -> bool:
    """Whether only the learner's side lets the actor do it."""
    made = each.case.created and not each.case.attends and work.actor.holds(each.programme.id, Role.PRACTITIONER)
    return not (each.case.leads or made or as_staff(work.actor, Action.PART_CANCEL, each.case))


def _refuse_others(work: Work, each: Loaded, learner_ids: Collection[int]) -> None:
    """A learner leaves for themselves, a guardian for those in their care. Raises Invalid, NotAllowed."""
    if not learner_ids:
        raise Invalid({"who": "Choose at least one."})
    if not _as_own_side(work, each):
        return
    if not set(learner_ids) <= on_whose_side(work, each.programme.id):
        raise NotAllowed("You may cancel for yourself, or for those in your care, alone.")


def charge_late_change(work: Work, forfeit_id: int, charged: bool, reason: str) -> list[int]:
    """Charge, or waive, a late change after all, with a reason (E8).

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    one = work.tx.scalar(select(Forfeit).where(Forfeit.id == forfeit_id).with_for_update())
    if one is None:
        raise NotFound
    each = load(work, [one.session_id], Action.OUTCOME_OVERRULE, {})[one.session_id]
    if type(charged) is not bool or (charged and one.wish is not Wish.LEARNER):
        raise Invalid({"late_reason": f"Only a change that the {each.programme.policy.words.learner} wished for is"
                                      " charged."})
    reason = given(reason, "late_reason", "Say why it is charged, or waived.")
    if one.charged is charged:
        raise Conflict(f"It is {'charged' if charged else 'waived'} already.")
    one.charged, one.reason = charged, reason
    work.because(reason)
    work.tx.flush()
    settle(work, [one.session_id])
    work.say(f"{'Charged' if charged else 'Waived'} the late change of {each.name.lower()}.")
    return [one.session_id]


# Disputes ------------------------------------------------------------------------------------------------------------


def dispute_outcome(work: Work, session_id: int, learner_id: int, claim: str) -> int:
    """Object to what was recorded, in words (by the learner or a guardian). Returns its id.

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    each = load(work, [session_id], Action.OUTCOME_DISPUTE, {})[session_id]
    if learner_id not in on_whose_side(work, each.programme.id) or work.tx.scalar(select(Participation.id).where(
            Participation.session_id == session_id, Participation.learner_id == learner_id)) is None:
        raise NotFound
    claim = given(claim, "claim", "Say what is wrong.")
    if work.tx.scalar(select(Dispute.id).where(Dispute.session_id == session_id, Dispute.learner_id == learner_id,
                                               Dispute.answered_at.is_(None))):
        raise Conflict("You objected already; it has not been answered yet.")
    dispute = Dispute(session_id=session_id, learner_id=learner_id, by_id=work.me, claim=claim, at=work.now)
    work.tx.add(dispute)
    work.tx.flush()
    staff = work.tx.scalars(select(RoleGrant.person_id).where(
        RoleGrant.programme_id == each.programme.id, RoleGrant.role.in_((Role.MASTER_ADMIN, Role.BASIC_ADMIN)))).all()
    notify(work, ((person, each.programme.id, session_id, f"{each.name}: {work.actor.name} objects. {claim}")
                  for person in {each.session.practitioner_id, *staff}))
    work.say("Your objection was sent. You will be told here when it is answered.")
    return int(dispute.id)


def answer_dispute(work: Work, dispute_id: int, answer: str) -> list[int]:
    """Answer an objection; what was recorded is changed by reopening it.

    Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    dispute = work.tx.scalar(select(Dispute).where(Dispute.id == dispute_id).with_for_update())
    if dispute is None:
        raise NotFound
    each = load(work, [dispute.session_id], Action.DISPUTE_ANSWER, {})[dispute.session_id]
    if dispute.answered_at is not None:
        raise Conflict("It was answered already.")
    dispute.answer = given(answer, "answer", "Write an answer.")
    dispute.answered_at, dispute.answered_by = work.now, work.me
    notify(work, [(dispute.by_id, each.programme.id, each.session.id, f"{each.name}: {dispute.answer}")])
    work.say(f"Answered the objection to {each.name.lower()}.")
    return [dispute.session_id]


# Notes ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """What was written; `version` is the one that the form was opened with, 0 where there was none."""

    body: str
    kind: NoteKind = NoteKind.SHARED
    version: int | None = None


def submit_note(work: Work, session_id: int, written: Written) -> list[int]:
    """Submit the note or the report of a session; the other side can read it from now on, and is told once (E5, A10).

    Raises NotAllowed, Invalid, StaleForm.
    """
    each = load(work, [session_id], Action.NOTE_WRITE, {})[session_id]
    if written.kind not in {*NoteKind}:
        raise Invalid({"kind": "Choose a note or a report."})
    if found := text_problems({"body": written.body}):
        raise Invalid(found)
    body = given(written.body, "body", "Write something first.")
    note = work.tx.scalar(select(Note).where(Note.session_id == session_id, Note.kind == written.kind)
                          .with_for_update().execution_options(populate_existing=True))
    what = _called(written.kind)
    if note is not None and note.author_id != work.actor.person_id:
        raise NotAllowed(f"The {what} of {each.name.lower()} was written by somebody else, who alone corrects it.")
    if written.version is not None and written.version != (note.version if note else 0):
        raise StaleForm("The note was changed by somebody else while you had it open.",
                        {"note": note.body if note else ""}, note.version if note else 0)
    first = note is None
    if note is None:
        work.tx.add(Note(session_id=session_id, author_id=work.me, kind=written.kind, body=body,
                         submitted_at=work.now, version=1))
    else:
        note.body, note.version = body, note.version + 1
    work.tx.flush()
    column = "report_published_at" if written.kind is NoteKind.REPORT else "comments_at"
    if getattr(each.session, column) is None:
        each.values = {column: work.now, "told_at": each.session.told_at or work.now}
        apply(work, {session_id: each})
    if first:
        _tell_readers(work, each, f"its {what} can be read.")
        remind_guardians(work, each.session)
    work.say(f"{'Submitted' if first else 'Corrected'} the {what} of {each.name.lower()}.")
    return [session_id]


def _tell_readers(work: Work, each: Loaded, said: str) -> None:
    """Learners who did not cancel, and their guardians."""
    guardians = work.tx.scalars(select(Relation.adult_id).where(
        Relation.programme_id == each.programme.id, Relation.tie == Tie.GUARDIAN,
        Relation.learner_id.in_(each.learners)))
    notify(work, ((person, each.programme.id, each.session.id, f"{each.name}: {said}")
                  for person in {*each.learners, *guardians}))


def _called(kind: NoteKind) -> str:
    return "report" if kind is NoteKind.REPORT else "note"


# Reminding -----------------------------------------------------------------------------------------------------------


LEFT_ALONE = timedelta(hours=12)
"""For so long nobody is reminded again."""


def nudge(work: Work, programme_id: int, practitioner_ids: Collection[int]) -> int:
    """Remind practitioners of all that they still owe, each in one notice. Returns how many were told.

    Whoever was reminded in the last 12 hours is left alone. Raises NotFound, NotAllowed, and Conflict where nobody is
    left to be reminded.
    """
    require(work, Action.TASKS_SEE, programme_id)
    programme = programme_of(work, programme_id)
    rows = work.tx.execute(
        select(Session.practitioner_id, Session.id, Session.number, Session.starts_at)
        .where(owes(work, programme), among(Session.practitioner_id, practitioner_ids))
        .order_by(Session.starts_at, Session.id)).all()
    owed: dict[int, list[Any]] = {}
    for row in rows:
        owed.setdefault(row.practitioner_id, []).append(row)
    if not owed:
        raise Conflict("Nothing is owed any more.")
    lately = set(work.tx.scalars(
        select(Notice.person_id).join(ChangeSet, ChangeSet.id == Notice.change_set_id).where(
            ChangeSet.command == nudge.__name__, Notice.programme_id == programme_id,
            Notice.created_at > work.now - LEFT_ALONE, among(Notice.person_id, owed))))
    owed = {person: those for person, those in owed.items() if person not in lately}
    if not owed:
        raise Conflict("They were reminded less than 12 hours ago.")
    words = programme.policy.words
    notify(work, (
        (person, programme_id, those[0].id,
         f"{words.session.capitalize()} {those[0].number}: please log what came of it." if len(those) == 1 else
         f"{len(those)} {words.many('session')} wait to be logged, the oldest since"
         f" {when_words(those[0].starts_at, programme.zone)}.")
        for person, those in owed.items()))
    already = f" {len(lately)} had been, less than 12 hours ago." if lately else ""
    work.say(f"Reminded {len(owed)} {words.practitioner if len(owed) == 1 else words.many('practitioner')}.{already}")
    return len(owed)


__all__ = [
    "NOBODY_LEFT", "Attendance", "Written", "answer_dispute", "cancel_parts", "charge_late_change", "dispute_outcome",
    "log_session", "nudge", "record_outcome", "reopen_session", "submit_note",
]

"""Keep the engagements of a programme: add, edit, retire, bring back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, exists, insert, or_, select, update

from core.billing.settle import settle
from core.engagements.queries import Meeting, matching
from core.engagements.rules import FIELDS, NewEngagement, checked
from core.errors import Invalid, NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.sessions.checks import holding
from core.sessions.rules import StaleForm
from core.work import Work
from db.models.billing import LedgerLine
from db.models.learning import Engagement
from db.models.people import Team
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.words import Role


def add_engagement(work: Work, programme_id: int, new: NewEngagement) -> int:
    """Tie a practitioner to a learner or a team, and to it what was booked before. Returns its id.

    Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.LISTS_EDIT, programme_id)
    words = programme_of(work, programme_id).policy.words
    tidy = checked({name: getattr(new, name) for name in FIELDS}, words)
    found = tidy.problems
    if not holding(work, programme_id, Role.PRACTITIONER, [new.practitioner_id]):
        found["practitioner"] = f"Choose {words.a('practitioner')} of this programme."
    known_learner = bool(holding(work, programme_id, Role.LEARNER, [new.learner_id]))
    known_team = new.team_id is not None and work.tx.scalar(select(Team.id).where(
        Team.id == new.team_id, Team.programme_id == programme_id, Team.retired_at.is_(None))) is not None
    if (new.learner_id is None) == (new.team_id is None) or not (known_learner or known_team):
        found["who"] = f"Choose {words.a('learner')} or {words.a('team')} of this programme."
    elif new.learner_id is not None and new.learner_id == new.practitioner_id:
        found["who"] = f"The same person cannot be {words.practitioner} and {words.learner} at once."
    found.update(_backwards(tidy.values, found))
    if found:
        raise Invalid(found)
    id_: int | None = work.tx.scalar(insert(Engagement).returning(Engagement.id), {
        **tidy.values, "programme_id": programme_id, "practitioner_id": new.practitioner_id,
        "learner_id": new.learner_id, "team_id": new.team_id, "version": 1})
    tied = _tie(work, _load(work, int(id_ or 0)))
    work.say(f"Added the engagement {tidy.values['name']}.{tied}")
    return int(id_ or 0)


def edit_engagement(work: Work, engagement_id: int, changes: Mapping[str, Any], version: int | None = None) -> int:
    """Change its name, hours or days; whom it ties stays. What it covers now and counted nowhere counts from then on.

    Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    one = _load(work, engagement_id)
    if version is not None and version != one.version:
        raise StaleForm(f"{one.name} was changed by somebody else while you had it open.", {}, one.version)
    tidy = checked(changes, programme_of(work, one.programme_id).policy.words)
    found = {**tidy.problems, **_backwards({**vars(one), **tidy.values}, tidy.problems)}
    if found:
        raise Invalid(found)
    for name, value in tidy.values.items():
        setattr(one, name, value)
    one.version += 1
    work.tx.flush()
    work.say(f"Changed the engagement {one.name}.{_tie(work, one)}")
    return engagement_id


def retire_engagement(work: Work, engagement_id: int) -> int:
    """No new session counts towards it; those that do keep it. Raises NotFound, NotAllowed."""
    one = _load(work, engagement_id)
    one.retired_at = one.retired_at or work.now
    work.say(f"Retired the engagement {one.name}. What counts towards it stays so.")
    return engagement_id


def bring_back_engagement(work: Work, engagement_id: int) -> int:
    """Let new sessions count towards it again. Raises NotFound, NotAllowed."""
    one = _load(work, engagement_id)
    one.retired_at = None
    work.say(f"Brought the engagement {one.name} back.")
    return engagement_id


def _tie(work: Work, one: Engagement) -> str:
    """Let sessions that count nowhere yet count towards it, where no other covers them, too. Says how many."""
    if one.retired_at is not None:
        return ""
    programme = programme_of(work, one.programme_id)
    with_them = Session.team_id == one.team_id if one.learner_id is None else and_(
        Session.team_id.is_(None), Session.id.in_(
            select(Participation.session_id).where(Participation.learner_id == one.learner_id)))
    rows = work.tx.execute(select(Session.id, Session.starts_at).where(
        Session.programme_id == one.programme_id, Session.practitioner_id == one.practitioner_id,
        Session.engagement_id.is_(None), Session.starts_at.is_not(None), Session.cancelled_at.is_(None), with_them,
        ~exists().where(LedgerLine.session_id == Session.id),  # what was worked out stays as it was
    ).order_by(Session.id).with_for_update()).all()
    learners: dict[int, list[int]] = {}
    for session_id, learner in work.tx.execute(select(Participation.session_id, Participation.learner_id).where(
            Participation.session_id.in_([row.id for row in rows]),
            or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER)))):
        learners.setdefault(session_id, []).append(learner)
    found = matching(work, one.programme_id, [
        Meeting(one.practitioner_id, tuple(learners.get(row.id, ())), one.team_id,
                row.starts_at.astimezone(programme.zone).date()) for row in rows])
    ids = [row.id for row, engagement_id in zip(rows, found, strict=True) if engagement_id == one.id]
    if not ids:
        return ""
    work.tx.execute(update(Session).where(Session.id.in_(ids)).values(engagement_id=one.id))
    settle(work, ids, "it counts towards an engagement")
    words = programme.policy.words
    if len(ids) == 1:
        return f" One {words.session} counts towards it now."
    return f" {len(ids):,} {words.many('session')} count towards it now."


def _load(work: Work, engagement_id: int) -> Engagement:
    one = work.tx.scalar(select(Engagement).where(Engagement.id == engagement_id).with_for_update())
    if one is None:
        raise NotFound
    require(work, Action.LISTS_EDIT, one.programme_id)
    return one


def _backwards(values: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    since, until = values.get("from_day"), values.get("until_day")
    if known.keys() & {"from_day", "until_day"} or since is None or until is None or since <= until:
        return {}
    return {"until_day": "The last day lies before the first one."}

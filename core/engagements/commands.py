"""Keep the engagements of a programme: add, edit, retire, bring back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from core.engagements.rules import FIELDS, NewEngagement, checked
from core.errors import Invalid, NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.sessions.checks import holding
from core.sessions.rules import StaleForm
from core.work import Work
from db.models.learning import Engagement
from db.models.people import Team
from db.words import Role


def add_engagement(work: Work, programme_id: int, new: NewEngagement) -> int:
    """Tie a practitioner to a learner or a team. Returns its id. Raises NotFound, NotAllowed, Invalid."""
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
    work.say(f"Added the engagement {tidy.values['name']}.")
    return int(id_ or 0)


def edit_engagement(work: Work, engagement_id: int, changes: Mapping[str, Any], version: int | None = None) -> int:
    """Change its name, hours or days; whom it ties stays. Raises NotFound, NotAllowed, Invalid, StaleForm."""
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
    work.say(f"Changed the engagement {one.name}.")
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

"""Whom a practitioner works with (D1a), and whom a client can turn to (A2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from core.availability.queries import OFFER_STEP, any_free
from core.people.queries import learners_teams
from core.permissions import Action, require
from core.work import Work
from db.models.people import Person
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.words import Outcome

LOOK_AHEAD = timedelta(days=28)
"""How far ahead a free time makes somebody available."""


@dataclass(frozen=True)
class Place:
    """One session of somebody, by where it stands in time."""

    session_id: int
    starts_at: datetime


@dataclass(frozen=True)
class Member:
    """Somebody whom the viewer leads sessions with."""

    id: int
    name: str
    teams: tuple[str, ...]
    next: Place | None
    last: Place | None
    minutes: int
    """Of the sessions that they attended: actual ones where they are known, else planned ones."""
    notes: str
    """What was noted for planning the next session, else the last."""


@dataclass(frozen=True)
class Contact:
    """A practitioner whom the viewer can turn to, and from when."""

    id: int
    name: str
    about: str
    free_at: datetime


def my_members(work: Work, programme_id: int) -> list[Member]:
    """Everybody whom the viewer leads sessions with, those with the nearest next one first (D1a).

    Raises NotFound, NotAllowed.
    """
    require(work, Action.MEMBERS_SEE, programme_id)
    rows = work.tx.execute(
        select(Participation.learner_id, Session.id, Session.starts_at, Session.ends_at, Participation.outcome,
               Participation.actual_minutes)
        .join(Session, Session.id == Participation.session_id)
        .where(
            Session.programme_id == programme_id, Session.practitioner_id == work.me, Session.cancelled_at.is_(None),
            or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER)),
        )
        .order_by(Session.starts_at, Session.id)
    ).all()
    following, before, minutes = dict[int, Place](), dict[int, Place](), dict[int, int]()
    for row in rows:
        minutes.setdefault(row.learner_id, 0)
        if row.outcome is Outcome.ATTENDED:
            minutes[row.learner_id] += row.actual_minutes or _minutes(row.starts_at, row.ends_at)
        if row.starts_at is None:
            continue
        if row.starts_at > work.now:
            following.setdefault(row.learner_id, Place(row.id, row.starts_at))
        else:
            before[row.learner_id] = Place(row.id, row.starts_at)
    notes = _planning_notes(work, [each.session_id for each in (*following.values(), *before.values())])
    teams = learners_teams(work, programme_id, list(minutes))
    found = []
    for id_, name in work.tx.execute(select(Person.id, Person.name).where(Person.id.in_(minutes))):
        places = following.get(id_), before.get(id_)
        said = next((notes[each.session_id] for each in places if each and each.session_id in notes), "")
        found.append(Member(id_, name, tuple(teams.get(id_, ())), *places, minutes[id_], said))
    return sorted(found, key=lambda each: (
        each.next is None, each.next.starts_at if each.next else work.now, each.name.casefold(), each.id))


def _minutes(starts_at: datetime | None, ends_at: datetime | None) -> int:
    return round((ends_at - starts_at).total_seconds() / 60) if starts_at and ends_at else 0


def _planning_notes(work: Work, ids: Iterable[int]) -> dict[int, str]:
    return {row.id: row.planning_notes or "" for row in work.tx.execute(
        select(Session.id, Session.planning_notes).where(Session.id.in_(set(ids)), Session.planning_notes.is_not(None))
    )}


def contacts(work: Work, programme_id: int) -> list[Contact]:
    """Practitioners with a time at which the viewer, too, is free in the next four weeks; the soonest first (A2).

    Raises NotFound, NotAllowed.
    """
    require(work, Action.CONTACT, programme_id)
    free = _free_for_me(work, programme_id)
    people = work.tx.execute(select(Person.id, Person.name, Person.about).where(Person.id.in_(free)))
    found = [Contact(row.id, row.name, row.about or "", free[row.id]) for row in people]
    return sorted(found, key=lambda each: (each.free_at, each.name.casefold(), each.id))


def contact_at(work: Work, programme_id: int, practitioner_id: int) -> datetime | None:
    """From when the viewer can turn to this practitioner; None for one who is not available to them (A2).

    Raises NotFound, NotAllowed.
    """
    require(work, Action.CONTACT, programme_id)
    return _free_for_me(work, programme_id, (practitioner_id,)).get(practitioner_id)


def _free_for_me(work: Work, programme_id: int, among: tuple[int, ...] | None = None) -> dict[int, datetime]:
    me, hour = work.me, work.now.replace(minute=0, second=0)
    since = hour + -((hour - work.now) // OFFER_STEP) * OFFER_STEP  # on the quarter, as times are offered everywhere
    free = any_free(work, programme_id, since, since + LOOK_AHEAD, among=among, people=(me,))
    first = {id_: free.first(id_) for id_ in free.free if id_ != me}
    return {id_: at for id_, at in first.items() if at is not None}

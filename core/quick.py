"""Quick search: people, session numbers and words, teams and courses, as far as the viewer may see them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from core.clock import when_words
from core.people.queries import pick, pick_teams
from core.programmes.queries import ProgrammeView, programme_of
from core.search import fits, matching_ids, search_words
from core.sessions.visible import describable_sessions, visible_sessions
from core.structure.queries import visible_courses
from core.work import Work
from db.models.people import Person
from db.models.sessions import Session
from db.models.structure import Course

MOST = 12
MOST_OF_A_KIND = 5
NEWEST = 2_000
"""Of the sessions in which a word is found, those looked through."""


class Found(StrEnum):
    """What a hit is."""

    PERSON = "person"
    SESSION = "session"
    TEAM = "team"
    COURSE = "course"


@dataclass(frozen=True)
class Hit:
    """One thing found."""

    kind: Found
    id: int
    title: str
    subtitle: str


def quick_search(work: Work, programme_id: int, text: str) -> list[Hit]:
    """At most 12 hits in a programme: a session of that number first. Raises NotFound."""
    programme = programme_of(work, programme_id)
    words = search_words(text[:200])
    if not words:
        return []
    said = " ".join(words)
    hits = _sessions(work, programme, said, words)
    hits += [Hit(Found.PERSON, each.id, each.name, each.hint)
             for each in pick(work, programme_id, None, said, MOST_OF_A_KIND)]
    hits += [Hit(Found.TEAM, each.id, each.name, each.hint)
             for each in pick_teams(work, programme_id, said, MOST_OF_A_KIND)]
    courses = work.tx.execute(
        select(Course.id, Course.name).where(visible_courses(work, programme_id), Course.retired_at.is_(None))
        .order_by(Course.name)
    )
    hits += [Hit(Found.COURSE, row.id, row.name, "") for row in courses if fits(words, row.name)][:MOST_OF_A_KIND]
    return hits[:MOST]


def _sessions(work: Work, programme: ProgrammeView, said: str, words: list[str]) -> list[Hit]:
    """The session of that number; or the latest whose words begin like these, where the viewer may read them."""
    if said.isdecimal():
        where: ColumnElement[bool] = and_(
            visible_sessions(work, programme.id), Session.number == min(int(said), 2**62))
    else:
        matching: Any = matching_ids(work, "session", words)
        newest = matching.order_by(matching.selected_columns[0].desc()).limit(NEWEST)
        where = and_(describable_sessions(work, programme.id), Session.id.in_(newest))
    rows = work.tx.execute(
        select(Session.id, Session.number, Session.starts_at, Session.status, Person.name)
        .outerjoin(Person, Person.id == Session.practitioner_id).where(where)
        .order_by(Session.starts_at.desc(), Session.id.desc()).limit(MOST_OF_A_KIND)
    )
    word = programme.policy.words.session.capitalize()
    return [
        Hit(Found.SESSION, row.id, f"{word} {row.number}", " · ".join(filter(None, (
            when_words(row.starts_at, programme.zone) if row.starts_at else str(row.status), row.name))))
        for row in rows
    ]

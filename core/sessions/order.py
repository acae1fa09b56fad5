"""What each heading sorts by (A8): over the whole result, and quick however long it is.

A short result is sorted as it is. A long one, sorted by a name that stands in another table, is walked along that
table's index instead, so that one page costs no more than its rows. Empty names come last, both ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, or_, select, union_all

from core.sessions.visible import describable_sessions, sees_all, shown_parts
from core.work import Work
from db.joins import led
from db.models.people import Person, Team
from db.models.sessions import Participation, Session, SessionCourse
from db.models.structure import Course, Timetable

Rows = Select[*tuple[Any, ...]]
Column = ColumnElement[Any]


def _table(model: Any, name: str | None = None) -> Any:
    table = cast(FromClause, model.__table__)
    return table.alias(name) if name else table


SESSION = _table(Session)
PERSON, TEAM, TIMETABLE, COURSE = (_table(m, f"by_{m.__tablename__}") for m in (Person, Team, Timetable, Course))
PART, LINK = _table(Participation, "by_part"), _table(SessionCourse, "by_link")


@dataclass(frozen=True)
class Walk:
    """A way along the index of names: from the names, to their sessions."""

    key: Column
    along: FromClause
    only: tuple[ColumnElement[bool], ...] = ()
    here: Column | None = None
    """The programme of the names, where they belong to one."""


@dataclass(frozen=True)
class Sort:
    """`keys` of a session's own row, or a `name` with the walks that reach it; `tie` orders what is alike."""

    keys: tuple[Any, ...] = ()
    name: Column | None = None
    walks: tuple[Walk, ...] = ()
    tie: tuple[Any, ...] = ()


def _name_of(table: Any, key: Column) -> Column:
    return select(table.c.name).where(table.c.id == key).scalar_subquery()


def _first(table: Any, link: Any, column: str, *only: ColumnElement[bool]) -> Column:
    """The first of the names that a session is linked to."""
    return (
        select(func.min(table.c.name)).join(link, link.c[column] == table.c.id)
        .where(link.c.session_id == SESSION.c.id, *only).correlate(SESSION).scalar_subquery()
    )


def _none_before(table: Any, link: Any, column: str) -> ColumnElement[bool]:
    """Whether no other link of the session has an earlier name."""
    other, its = table.element.alias("other"), link.element.alias("its")
    return ~exists().where(
        its.c.session_id == SESSION.c.id, other.c.id == its.c[column],
        or_(other.c.name < table.c.name, and_(other.c.name == table.c.name, other.c.id < table.c.id)),
    )


def _to_session(table: Any, column: str) -> FromClause:
    return led(table, SESSION, SESSION.c[column] == table.c.id)


def _through(table: Any, link: Any, column: str) -> FromClause:
    return led(led(table, link, link.c[column] == table.c.id), SESSION, SESSION.c.id == link.c.session_id)


_by_time = (SESSION.c.starts_at, SESSION.c.id)
_by_id = (SESSION.c.id,)
SORTS: dict[str, Sort] = {
    "status": Sort((SESSION.c.status, *_by_time)),
    "time": Sort(_by_time),
    "number": Sort((SESSION.c.number,)),
    "description": Sort((SESSION.c.description, SESSION.c.id)),
    "type": Sort((SESSION.c.type, *_by_time)),
    "practitioner": Sort(
        name=_name_of(PERSON, SESSION.c.practitioner_id), tie=_by_time,
        walks=(Walk(PERSON.c.name, _to_session(PERSON, "practitioner_id")),),
    ),
    "team": Sort(
        name=func.coalesce(_name_of(TEAM, SESSION.c.team_id), _first(PERSON, PART, "learner_id")), tie=_by_id,
        walks=(
            Walk(TEAM.c.name, _to_session(TEAM, "team_id"), here=TEAM.c.programme_id),
            Walk(
                PERSON.c.name, _through(PERSON, PART, "learner_id"),
                (SESSION.c.team_id.is_(None), _none_before(PERSON, PART, "learner_id")),
            ),
        ),
    ),
    "idea": Sort(
        name=select(TEAM.c.idea).where(TEAM.c.id == SESSION.c.team_id).scalar_subquery(), tie=_by_id,
        walks=(Walk(TEAM.c.idea, _to_session(TEAM, "team_id"), (TEAM.c.idea.is_not(None),), TEAM.c.programme_id),),
    ),
    "timetable": Sort(
        name=_name_of(TIMETABLE, SESSION.c.timetable_id), tie=_by_time,
        walks=(Walk(TIMETABLE.c.name, _to_session(TIMETABLE, "timetable_id"), here=TIMETABLE.c.programme_id),),
    ),
    "course": Sort(
        name=_first(COURSE, LINK, "course_id"), tie=_by_id,
        walks=(Walk(
            COURSE.c.name, _through(COURSE, LINK, "course_id"), (_none_before(COURSE, LINK, "course_id"),),
            COURSE.c.programme_id,
        ),),
    ),
}


WALKED = frozenset(name for name, sort in SORTS.items() if sort.walks)
"""Headings that a long result is walked along for."""


def _sort(work: Work, programme_id: int, sort: str) -> Sort:
    """What the heading sorts by; for those who see some of the learners only, by these (X6), without a walk."""
    hidden = shown_parts(work, programme_id, PART.c.learner_id, PART.c.session_id) if sort == "team" else ()
    if not hidden:
        return SORTS.get(sort, SORTS["time"])
    name = func.coalesce(_name_of(TEAM, SESSION.c.team_id), _first(PERSON, PART, "learner_id", *hidden))
    return Sort(name=name, tie=_by_id)


def ordered(work: Work, programme_id: int, where: Sequence[ColumnElement[bool]], sort: str, down: bool) -> Rows:
    """Ids of sessions, sorted as a whole."""
    chosen = _sort(work, programme_id, sort)
    statement = select(SESSION.c.id).where(*where)
    if chosen.name is not None:
        return statement.order_by(chosen.name.is_(None), *(_way(key, down) for key in (chosen.name, *chosen.tie)))
    keys = chosen.keys
    if sort == "description" and not sees_all(work, programme_id):
        keys = (case((describable_sessions(work, programme_id), SESSION.c.description)), SESSION.c.id)
    return statement.order_by(*(_way(key, down) for key in keys))


def walked(
    work: Work, programme_id: int, where: Sequence[ColumnElement[bool]], sort: str, down: bool, start: int, most: int
) -> list[int] | None:
    """One stretch of a long result along the index of names; nothing where this sort has no such walk."""
    chosen = _sort(work, programme_id, sort)
    if not chosen.walks:
        return None
    ids = list(work.tx.scalars(_merged(chosen, programme_id, where, down, start + most).offset(start).limit(most)))
    if len(ids) < most:  # the named ones end here; those without a name follow
        named = work.tx.scalar(select(func.count()).select_from(
            _merged(chosen, programme_id, where, down, None).subquery())) or 0
        assert chosen.name is not None  # walks come with a name
        rest = select(SESSION.c.id).where(*where, chosen.name.is_(None)).order_by(*(_way(k, down) for k in chosen.tie))
        ids += work.tx.scalars(rest.offset(max(0, start - named)).limit(most - len(ids)))
    return ids


def _merged(
    sort: Sort, programme_id: int, where: Sequence[ColumnElement[bool]], down: bool, most: int | None
) -> Rows:
    """Ids along all walks, each only as far as needed, merged into one order."""
    ways = []
    for walk in sort.walks:
        tied = [column.label(f"tie_{n}") for n, column in enumerate(sort.tie)]
        way = select(walk.key.label("name"), SESSION.c.id.label("found"), *tied).select_from(walk.along)
        way = way.where(*where, *walk.only)
        if walk.here is not None:
            way = way.where(walk.here == programme_id)
        if most is not None:
            way = way.order_by(*(_way(key, down) for key in (walk.key, *sort.tie))).limit(most)
        ways.append(way.subquery())
    whole = ways[0] if len(ways) == 1 else union_all(*(select(way) for way in ways)).subquery()
    ties = [whole.c[f"tie_{n}"] for n in range(len(sort.tie))]
    return select(whole.c.found).order_by(*(_way(key, down) for key in (whole.c.name, *ties)))


def _way(key: Any, down: bool) -> Any:
    """Empty first upwards and last downwards, alike on both engines and as the indexes stand."""
    way = key.desc() if down else key.asc()
    if not getattr(key, "nullable", True):
        return way
    return way.nulls_last() if down else way.nulls_first()

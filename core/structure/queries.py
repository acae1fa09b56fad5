"""The lists of a programme: for those who keep them, and as options for filters and forms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from core.people.visible import visible_teams
from core.permissions import Action, may, require
from core.programmes.queries import programme_of
from core.sessions.visible import sees_all, visible_sessions
from core.structure.rules import MODELS, Which
from core.work import Work
from db.models.people import Person, Team
from db.models.sessions import Session, SessionCourse
from db.models.structure import Course, Room, Timetable
from db.words import Role, TimetableKind

PAGE = 50
"""Entries on one page of a list."""
Rows = Select[*tuple[Any, ...]]


class Option(NamedTuple):
    """An entry of a list. Fields that its list does not have are empty; `owner` is the owner's name."""

    id: int
    name: str
    retired: bool
    capacity: int | None = None
    kind: TimetableKind | None = None
    owner_id: int | None = None
    owner: str = ""
    idea: str = ""
    smart: bool = False
    records: bool = False
    off_job_minutes: int | None = None
    weeks: int | None = None


@dataclass(frozen=True)
class Listed:
    """An entry as those see it who keep the list: with the number of sessions that use it."""

    entry: Option
    uses: int


class Options:
    """What filters and forms of a programme offer the viewer; read when first looked at, since no screen needs all.

    Retired entries are for filters alone.
    """

    def __init__(self, types: tuple[str, ...], read: Callable[[Which], tuple[Option, ...]]) -> None:
        self.types = types
        self._read = read

    @cached_property
    def courses(self) -> tuple[Option, ...]:
        """By name, like the others."""
        return self._read(Which.COURSE)

    @cached_property
    def rooms(self) -> tuple[Option, ...]:
        """With their capacity."""
        return self._read(Which.ROOM)

    @cached_property
    def timetables(self) -> tuple[Option, ...]:
        """With their kind and owner."""
        return self._read(Which.TIMETABLE)

    @cached_property
    def teams(self) -> tuple[Option, ...]:
        """With their idea."""
        return self._read(Which.TEAM)

    @property
    def open(self) -> "Options":
        """The same without what is retired: for forms."""
        return Options(self.types, lambda which: tuple(each for each in self._read(which) if not each.retired))


_USED_BY: dict[Which, InstrumentedAttribute[Any]] = {
    Which.COURSE: SessionCourse.course_id, Which.ROOM: Session.room_id, Which.TIMETABLE: Session.timetable_id,
    Which.TEAM: Session.team_id,
}


def entries(work: Work, programme_id: int, which: Which, *, retired: bool | None = None) -> list[Listed]:
    """One list whole, by name, for those who keep it; `retired` narrows it down. Raises NotFound, NotAllowed."""
    require(work, Action.LISTS_EDIT, programme_id)
    found = _options(work, which, MODELS[which].programme_id == programme_id)
    if retired is not None:
        found = tuple(option for option in found if option.retired is retired)
    uses = uses_of(work, which, [option.id for option in found])
    return [Listed(option, uses.get(option.id, 0)) for option in found]


@dataclass(frozen=True)
class ListPage:
    """One page of a list, and how many entries the whole has."""

    rows: list[Listed]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def entries_page(
    work: Work, programme_id: int, which: Which, *, text: str = "", retired: bool = False, number: int = 1
) -> ListPage:
    """A page of a list by name, the retired ones last if wanted, for those who keep it. Raises NotFound, NotAllowed."""
    require(work, Action.LISTS_EDIT, programme_id)
    model, said = MODELS[which], text.strip().replace("\0", "").lower()
    where = [model.programme_id == programme_id]
    if not retired:
        where.append(model.retired_at.is_(None))
    if said:
        where.append(func.lower(model.name).contains(said, autoescape=True))
    total = work.tx.scalar(select(func.count()).select_from(model).where(*where)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    ids = work.tx.scalars(
        select(model.id).where(*where).order_by(model.retired_at.is_not(None), func.lower(model.name), model.id)
        .limit(PAGE).offset((number - 1) * PAGE)).all()
    found, uses = _options(work, which, model.id.in_(ids)), uses_of(work, which, ids)
    return ListPage([Listed(option, uses.get(option.id, 0)) for option in found], total, number)


def uses_of(work: Work, which: Which, ids: Iterable[int]) -> dict[int, int]:
    """How many sessions use each of these entries."""
    used = _USED_BY[which]
    return {row[0]: row[1] for row in work.tx.execute(
        select(used, func.count()).where(used.in_(list(ids))).group_by(used))}


def options(work: Work, programme_id: int) -> Options:
    """What the viewer may choose among: staff all of it; others what their sessions use, and what booking needs.

    Raises NotFound.
    """
    programme = programme_of(work, programme_id)
    return Options(programme.policy.types, lambda which: _options(
        work, which, visible_teams(work, programme_id) if which is Which.TEAM else _seen(work, programme_id, which)))


def visible_courses(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The courses of a programme that exist for the viewer."""
    return _seen(work, programme_id, Which.COURSE)


def visible_timetables(work: Work, programme_id: int) -> ColumnElement[bool]:
    """The timetables of a programme that exist for the viewer."""
    return _seen(work, programme_id, Which.TIMETABLE)


def _seen(work: Work, programme_id: int, which: Which) -> ColumnElement[bool]:
    if not work.actor.everything and programme_id not in work.actor.roles:
        return false()
    model = MODELS[which]
    here = model.programme_id == programme_id
    if sees_all(work, programme_id):
        return here
    if which is Which.COURSE:
        used: Rows = select(SessionCourse.course_id).join(Session, Session.id == SessionCourse.session_id)
    else:
        used = select(_USED_BY[which]).where(_USED_BY[which].is_not(None))
    ways: list[ColumnElement[bool]] = [model.id.in_(used.where(visible_sessions(work, programme_id)))]
    if may(work, Action.SESSION_BOOK, programme_id):
        ways.append(model.retired_at.is_(None))
    if which is Which.TIMETABLE and work.actor.holds(programme_id, Role.PRACTITIONER):
        ways.append(Timetable.owner_id == work.actor.person_id)
    return and_(here, or_(*ways))


def _options(work: Work, which: Which, where: ColumnElement[bool]) -> tuple[Option, ...]:
    if which is Which.TIMETABLE:
        rows = work.tx.execute(
            select(Timetable.id, Timetable.name, Timetable.retired_at, Timetable.kind, Timetable.owner_id,
                   Person.name.label("owner"))
            .outerjoin(Person, Person.id == Timetable.owner_id).where(where)
        )
        found = [Option(r.id, r.name, r.retired_at is not None, kind=r.kind, owner_id=r.owner_id, owner=r.owner or "")
                 for r in rows]
    elif which is Which.ROOM:
        rows = work.tx.execute(select(
            Room.id, Room.name, Room.retired_at, Room.capacity, Room.smart, Room.records).where(where))
        found = [Option(r.id, r.name, r.retired_at is not None, capacity=r.capacity, smart=r.smart, records=r.records)
                 for r in rows]
    elif which is Which.TEAM:
        rows = work.tx.execute(select(Team.id, Team.name, Team.retired_at, Team.idea).where(where))
        found = [Option(r.id, r.name, r.retired_at is not None, idea=r.idea or "") for r in rows]
    else:
        rows = work.tx.execute(
            select(Course.id, Course.name, Course.retired_at, Course.off_job_minutes, Course.weeks).where(where))
        found = [Option(r.id, r.name, r.retired_at is not None, off_job_minutes=r.off_job_minutes, weeks=r.weeks)
                 for r in rows]
    return tuple(sorted(found, key=lambda option: (option.retired, option.name.casefold(), option.id)))

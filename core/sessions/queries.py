"""The list of sessions, and one session whole: as far as the viewer may see."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import False_

from core.clock import day_start
from core.errors import NotFound
from core.people.visible import visible_people
from core.permissions import Action, Case, allows
from core.programmes.queries import programme_of
from core.search import matching_ids, search_words
from core.sessions.order import WALKED, ordered, walked
from core.sessions.visible import (
    Facts,
    cases_for,
    describable_sessions,
    facts_of,
    keeps_waiting_list,
    sees_all,
    shown_learners,
    shown_parts,
    tied_learners,
    visible_sessions,
)
from core.work import Work
from db.among import among
from db.models.people import Person, Team
from db.models.programmes import RoleGrant
from db.models.sessions import FREES_LEARNER, Participation, Session, SessionCourse, Waiting
from db.models.structure import Course, Room, Timetable
from db.words import Method, Origin, Outcome, Status

Rows = Select[*tuple[Any, ...]]
PAGE = 50
COUNT_AT_MOST = 10_000

TO_LOG, TO_PLACE = "to log", "to place"
LABELS = (TO_LOG, TO_PLACE)
"""Not statuses: the end has passed and nothing is recorded; nobody is in it yet."""


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; everything empty shows all. Days are local days of the programme, both counted."""

    practitioners: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    timetables: tuple[int, ...] = ()
    courses: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    """Statuses, and the labels *to log* and *to place*."""
    types: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    text: str = ""


class Row(NamedTuple):
    """One line of the list."""

    id: int
    number: int
    version: int
    status: Status
    to_log: bool
    to_place: bool
    starts_at: datetime | None
    ends_at: datetime | None
    practitioner_id: int | None
    practitioner: str
    learners: tuple[str, ...]
    team: str
    idea: str
    timetable: str
    courses: tuple[str, ...]
    type: str
    method: Method
    room: str
    location: str
    description: str
    may: frozenset[Action]
    """Which row actions the viewer has."""


@dataclass(frozen=True)
class Page:
    """One page of a list. `total` stops counting at COUNT_AT_MOST where `total_is_more` says so."""

    rows: list[Row]
    number: int
    total: int
    total_is_more: bool

    @property
    def pages(self) -> int:
        """How many pages there are, as far as counted."""
        return max(1, -(-self.total // PAGE))


ROW_ACTIONS = (
    Action.SESSION_RESCHEDULE, Action.SESSION_EDIT, Action.SESSION_REASSIGN, Action.SESSION_CANCEL,
    Action.SESSION_DELETE, Action.OUTCOME_RECORD, Action.OUTCOME_REOPEN, Action.SESSION_ASK_TIME,
    Action.SESSION_DESCRIBE, Action.SESSION_READ,
)

_practitioner = aliased(Person, name="practitioner")
# Built once: putting a statement together costs as much as running it.
_LINE = (
    select(
        Session.id, Session.programme_id, Session.number, Session.status, Session.practitioner_id, Session.created_by,
        Session.starts_at,  # up to here as `Facts`
        Session.ends_at, Session.version, Session.team_id, _practitioner.name.label("practitioner"),
        Team.name.label("team"), Team.idea, Timetable.name.label("timetable"), Session.type, Session.method,
        Room.name.label("room"), Session.location, Session.description,
    )
    .outerjoin(_practitioner, _practitioner.id == Session.practitioner_id)
    .outerjoin(Team, Team.id == Session.team_id)
    .outerjoin(Timetable, Timetable.id == Session.timetable_id)
    .outerjoin(Room, Room.id == Session.room_id)
    .where(among(Session.id, "ids"))
)
_LEARNER, _COURSE = 1, 2
_NAMES: CompoundSelect[int, int, str, int] = union_all(
    select(literal_column(str(_LEARNER)), Participation.session_id, Person.name, Participation.learner_id)
    .join(Person, Person.id == Participation.learner_id).where(among(Participation.session_id, "ids")),
    select(literal_column(str(_COURSE)), SessionCourse.session_id, Course.name, Course.id)
    .join(Course, Course.id == SessionCourse.course_id).where(among(SessionCourse.session_id, "ids")),
).order_by(text("3, 4"))


def session_list(
    work: Work, programme_id: int, filters: Filters = Filters(), *, sort: str = "time", down: bool = True, page: int = 1
) -> Page:
    """One page of the sessions that the viewer may see, filtered and sorted (A1, A8). Raises NotFound."""
    programme_of(work, programme_id)
    page = max(1, page)
    where, start = narrowed_to(work, programme_id, filters), (page - 1) * PAGE
    if any(isinstance(condition, False_) for condition in where):
        return Page([], page, 0, False)
    most = max(COUNT_AT_MOST, start + PAGE)
    some: Rows = select(literal_column("1")).select_from(Session).where(*where).limit(most + 1)
    count = select(func.count()).select_from(some.subquery()).scalar_subquery()
    listed = ordered(work, programme_id, where, sort, down).limit(PAGE).offset(start)
    connection = work.tx.connection()
    total, ids = 0, None
    if sort in WALKED and (total := connection.scalar(select(count)) or 0) > most:
        ids = walked(work, programme_id, where, sort, down, start, PAGE)
    if ids is None:
        found = connection.execute(listed.add_columns(count)).all()
        ids, total = [row[0] for row in found], found[0][1] if found else 0
    if not ids and start:  # past the end there is no line to carry the count
        total = connection.scalar(select(count)) or 0
    return Page(rows_of(work, ids), page, min(total, most), total > most)


def all_ids(work: Work, programme_id: int, filters: Filters, *, sort: str = "time", down: bool = True) -> list[int]:
    """Every session of the filtered list, in its order: what an export writes."""
    return list(work.tx.scalars(ordered(work, programme_id, narrowed_to(work, programme_id, filters), sort, down)))


def page_of_day(work: Work, programme_id: int, filters: Filters, day: date, *, down: bool = True) -> int:
    """The page, sorted by time, on which the first session of a local day (or what follows it) stands."""
    zone = programme_of(work, programme_id).zone
    edge = day_start(day + timedelta(days=1) if down else day, zone)
    ahead = Session.starts_at >= edge if down else Session.starts_at < edge
    where = narrowed_to(work, programme_id, filters)
    count = work.tx.scalar(select(func.count()).select_from(Session).where(*where, ahead))
    if not down:  # those without a time come first
        count = (count or 0) + (work.tx.scalar(select(func.count()).select_from(Session).where(
            *where, Session.starts_at.is_(None))) or 0)
    return (count or 0) // PAGE + 1


def rows_of(work: Work, ids: Sequence[int]) -> list[Row]:
    """Lines of the list for these sessions, in this order; those the viewer may not see are left out."""
    if not ids:
        return []
    connection, given = work.tx.connection(), {"ids": ids}
    lines = {line[0]: line for line in connection.execute(_LINE, given).all()}
    cases = cases_for(work, [Facts(*line[:7]) for line in lines.values()])
    learners, courses = _names_by_session(connection, given)
    sights: dict[Case, _Sight] = {}  # many lines stand to the viewer alike
    rows = []
    for id_ in ids:
        if id_ not in lines:
            continue
        case_ = cases[id_]
        if (sight := sights.get(case_)) is None:
            sight = sights[case_] = _sight(work, case_)
        if sight.exists:
            rows.append(_row(work, lines[id_], sight, learners.get(id_, ()), courses.get(id_, ())))
    return rows


Named = tuple[tuple[str, int], ...]


class _Sight(NamedTuple):
    """How much of a session the viewer sees. `shown`: the learners shown; None for all."""

    exists: bool
    words: bool
    may: frozenset[Action]
    shown: frozenset[int] | None


def _sight(work: Work, case_: Case) -> _Sight:
    may = frozenset(action for action in (Action.SESSION_SEE, *ROW_ACTIONS) if allows(work.actor, action, case_))
    return _Sight(Action.SESSION_SEE in may, Action.SESSION_DESCRIBE in may, may, shown_learners(work, case_))


def _row(work: Work, line: Any, sight: _Sight, learners: Named, courses: Named) -> Row:
    (id_, _, number, status, practitioner_id, _, starts_at, ends_at, version, team_id, practitioner, team, idea,
     timetable, type_, method, room, location, description) = line
    open_ = status not in (Status.CANCELLED, Status.COMPLETED, Status.HELD, Status.MISSED)
    shown = sight.shown
    return Row(
        id_, number, version, status, open_ and ends_at is not None and ends_at <= work.now,
        open_ and team_id is None and not learners, starts_at, ends_at, practitioner_id, practitioner or "",
        tuple([name for name, person in learners if shown is None or person in shown]), team or "", idea or "",
        timetable or "", tuple([name for name, _ in courses]), type_, method, room or "",
        (location or "") if sight.words else "", (description or "") if sight.words else "", sight.may,
    )


def _names_by_session(
    connection: Connection, given: dict[str, Sequence[int]]
) -> tuple[dict[int, Named], dict[int, Named]]:
    """Learners and courses of each, by name."""
    found: dict[int, dict[int, list[tuple[str, int]]]] = {_LEARNER: {}, _COURSE: {}}
    for which, session_id, name, id_ in connection.execute(_NAMES, given).all():
        found[which].setdefault(session_id, []).append((name, id_))
    learners, courses = ({id_: tuple(named) for id_, named in each.items()} for each in found.values())
    return learners, courses


def session_count(work: Work, programme_id: int, filters: Filters = Filters()) -> int:
    """How many sessions the filtered list has, exactly."""
    where = narrowed_to(work, programme_id, filters)
    return work.tx.scalar(select(func.count()).select_from(Session).where(*where)) or 0


def narrowed_to(work: Work, programme_id: int, filters: Filters) -> list[ColumnElement[bool]]:
    """What a session must fulfil to be on the filtered list: that it exists for the viewer comes first (X6)."""
    zone = programme_of(work, programme_id).zone
    where = [visible_sessions(work, programme_id)]
    for column, chosen in (
        (Session.practitioner_id, filters.practitioners), (Session.team_id, filters.teams),
        (Session.timetable_id, filters.timetables), (Session.room_id, filters.rooms), (Session.type, filters.types),
        (Session.method, filters.methods),
    ):
        if chosen:
            where.append(column.in_(chosen))
    if filters.learners:
        where.append(Session.id.in_(attended_by(work, programme_id, filters.learners)))
    if filters.courses:
        where.append(exists().where(
            SessionCourse.session_id == Session.id, SessionCourse.course_id.in_(filters.courses)
        ))
    if filters.statuses:
        where.append(_status_is(work, filters.statuses))
    if filters.since:
        where.append(Session.starts_at >= day_start(filters.since, zone))
    if filters.until:
        where.append(Session.starts_at < day_start(filters.until + timedelta(days=1), zone))
    if filters.text.strip():
        said = filters.text.encode(errors="ignore").decode().replace("\0", "").strip()  # no database takes the rest
        where.append(_said(work, programme_id, said) if said else false())
    return where


NOTHING_YET = (
    Status.UNASSIGNED, Status.PENDING, Status.LIVE, Status.SUBMITTED, Status.UNSCHEDULED, Status.SCHEDULED,
)


def to_log(work: Work) -> ColumnElement[bool]:
    """The end has passed and nothing is recorded."""
    return and_(Session.ends_at <= work.now, Session.status.in_(NOTHING_YET))


def to_place() -> ColumnElement[bool]:
    """An open session: no team, and no learner yet."""
    return and_(
        Session.team_id.is_(None), Session.status.in_(NOTHING_YET),
        ~exists().where(Participation.session_id == Session.id),
    )


def _status_is(work: Work, chosen: Collection[str]) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = []
    statuses = [word for word in chosen if word in {*Status}]
    if statuses:
        ways.append(Session.status.in_(statuses))
    if TO_LOG in chosen:
        ways.append(to_log(work))
    if TO_PLACE in chosen:
        ways.append(to_place())
    return or_(*ways) if ways else false()


def _said(work: Work, programme_id: int, said: str) -> ColumnElement[bool]:
    """By number, by words of description and place, or by the name of somebody or some team in it."""
    ways: list[ColumnElement[bool]] = []
    if said.strip().lstrip("#").isdecimal():
        ways.append(Session.number == min(int(said.strip().lstrip("#")), 2**62))
    words = search_words(said)
    if words:
        if (found := _few(work, matching_ids(work, "session", words))) is not None:
            worded: ColumnElement[bool] = Session.id.in_(found)
            ways.append(worded if sees_all(work, programme_id) else and_(
                worded, describable_sessions(work, programme_id)))
        here = select(RoleGrant.person_id).where(
            RoleGrant.programme_id == programme_id,
            RoleGrant.person_id.in_(matching_ids(work, "person", words, within="name")),
        )
        if (people := _few(work, here)) is not None:
            ways.append(Session.practitioner_id.in_(people))
            ways.append(Session.id.in_(attended_by(work, programme_id, people)))
        teams = work.tx.scalars(select(Team.id).where(
            Team.programme_id == programme_id, func.lower(Team.name).contains(said.strip().lower(), autoescape=True)
        ).limit(200)).all()
        if teams:
            ways.append(Session.team_id.in_(teams))
    return or_(*ways) if ways else false()


def attended_by(work: Work, programme_id: int, people: Any) -> Rows:
    """Sessions in which one of them takes part, where the viewer may know of that part (X6)."""
    return select(Participation.session_id).where(
        Participation.learner_id.in_(people),
        *shown_parts(work, programme_id, Participation.learner_id, Participation.session_id),
    )


def _few(work: Work, found: Rows, most: int = 500) -> Any:
    """What was found, for `in_`: the ids themselves where they are few, so that an index serves; nothing for none."""
    ids = work.tx.scalars(found.limit(most + 1)).all()
    return (found if len(ids) > most else ids) if ids else None


@dataclass(frozen=True)
class Part:
    """One learner's part in a session."""

    id: int
    learner_id: int
    name: str
    outcome: Outcome | None
    actual_minutes: int | None

    @property
    def takes_place(self) -> bool:
        """Whether it takes the learner's time, and one of the session's places."""
        return self.outcome not in FREES_LEARNER


@dataclass(frozen=True)
class Waits:
    """Somebody on the waiting list; the first to be taken in has place 1."""

    place: int
    learner_id: int
    name: str
    since: datetime


@dataclass(frozen=True)
class Worksheet:
    """One session whole, as far as the viewer may see."""

    row: Row
    programme_id: int
    team_id: int | None
    timetable_id: int | None
    room_id: int | None
    course_ids: tuple[int, ...]
    parts: tuple[Part, ...]
    planning_notes: str
    cancel_reason: str
    report_required: bool
    origin: Origin
    created_by: str
    created_at: datetime
    follows: tuple[int, int] | None
    """Id and number of the session it was made from, where the viewer may see that."""
    known: frozenset[int]
    """Those of its people whose profile the viewer may open."""
    engagement_id: int | None = None
    records: bool = False
    """It is recorded automatically."""
    recording_url: str = ""
    """Where its recording is, for those who may read the session (D7)."""
    may: frozenset[Action] = field(default=frozenset())
    places: int | None = None
    """How many learners it takes at most."""
    waiting: tuple[Waits, ...] = ()
    """Those on the waiting list whom the viewer may see there."""
    series_id: int | None = None

    @property
    def minutes(self) -> int | None:
        """Planned length."""
        if self.row.starts_at is None or self.row.ends_at is None:
            return None
        return round((self.row.ends_at - self.row.starts_at).total_seconds() / 60)


def worksheet(work: Work, session_id: int) -> Worksheet:
    """Everything about one session. Raises NotFound where it does not exist for the viewer (X6)."""
    found = facts_of(work, [session_id])
    rows = rows_of(work, [session_id]) if found else []
    if not rows:
        raise NotFound
    row = rows[0]
    session = work.tx.get_one(Session, session_id)
    case_ = cases_for(work, found)[session_id]
    shown = shown_learners(work, case_)
    parts = tuple(
        Part(*each) for each in work.tx.execute(
            select(Participation.id, Participation.learner_id, Person.name, Participation.outcome,
                   Participation.actual_minutes)
            .join(Person, Person.id == Participation.learner_id)
            .where(Participation.session_id == session_id).order_by(Person.name, Person.id)
        ) if shown is None or each.learner_id in shown
    )
    reads = Action.SESSION_READ in row.may
    follows = None
    if session.follows_id is not None and (origin := rows_of(work, [session.follows_id])):
        follows = (origin[0].id, origin[0].number)
    return Worksheet(
        row=row, programme_id=session.programme_id, team_id=session.team_id, timetable_id=session.timetable_id,
        room_id=session.room_id,
        course_ids=tuple(work.tx.scalars(
            select(SessionCourse.course_id).where(SessionCourse.session_id == session_id)
            .order_by(SessionCourse.course_id)
        )),
        parts=parts, planning_notes=(session.planning_notes or "") if reads else "",
        cancel_reason=(session.cancel_reason or "") if reads else "", report_required=session.report_required,
        origin=session.origin,
        created_by=work.tx.scalar(select(Person.name).where(Person.id == session.created_by)) or "",
        created_at=session.created_at, follows=follows,
        known=frozenset(work.tx.scalars(select(Person.id).where(
            Person.id.in_({row.practitioner_id or 0, *(part.learner_id for part in parts)}),
            visible_people(work, session.programme_id),
        ))),
        engagement_id=session.engagement_id, records=session.records,
        recording_url=(session.recording_url or "") if reads else "",
        may=frozenset(action for action in Action if allows(work.actor, action, case_)),
        places=session.places, waiting=_waiting(work, session_id, case_), series_id=session.series_id,
    )


def _waiting(work: Work, session_id: int, case: Case) -> tuple[Waits, ...]:
    """The waiting list, for those who keep it; of others only themselves, and whom they are tied to (X6)."""
    rows = work.tx.execute(
        select(Waiting.learner_id, Person.name, Waiting.since).join(Person, Person.id == Waiting.learner_id)
        .where(Waiting.session_id == session_id).order_by(Waiting.id)
    ).all()
    listed = [Waits(place, *row) for place, row in enumerate(rows, start=1)]
    if keeps_waiting_list(work, case):
        return tuple(listed)
    shown = {work.actor.person_id, *tied_learners(work, case.programme_id)}
    return tuple(each for each in listed if each.learner_id in shown)


class Neighbours(NamedTuple):
    """Id and number of the sessions that come before and after another."""

    before: tuple[int, int] | None
    after: tuple[int, int] | None


def neighbours(work: Work, sheet: Worksheet) -> Neighbours:
    """The sessions next to one in time, of the same practitioner with the same team or learner, that the viewer sees.

    None of what is cancelled, and none of a session of several learners that are no team.
    """
    row = sheet.row
    alone = (sheet.parts[0].learner_id,) if len(sheet.parts) == 1 else ()
    if row.starts_at is None or row.practitioner_id is None or not (sheet.team_id or alone):
        return Neighbours(None, None)
    same = Filters(practitioners=(row.practitioner_id,), teams=(sheet.team_id,) if sheet.team_id else (),
                   learners=() if sheet.team_id else alone)
    where = (*narrowed_to(work, sheet.programme_id, same), Session.status != Status.CANCELLED)
    found = (
        work.tx.execute(
            select(Session.id, Session.number).where(*where, side).order_by(order).limit(1)
        ).first()
        for side, order in ((Session.starts_at < row.starts_at, Session.starts_at.desc()),
                            (Session.starts_at > row.starts_at, Session.starts_at.asc()))
    )
    return Neighbours(*(None if each is None else (each.id, each.number) for each in found))


def find_number(work: Work, programme_id: int, number: int) -> int | None:
    """The id of a session by its number, where the viewer may see it."""
    return work.tx.scalar(
        select(Session.id).where(visible_sessions(work, programme_id), Session.number == number)
    )


def next_sessions(work: Work, *, days: int = 14, most: int = 8) -> list[tuple[int, Row]]:
    """What the actor leads or attends next, over all programmes, with the programme's id."""
    mine = select(Participation.session_id).where(Participation.learner_id == work.actor.person_id)
    ids = work.tx.scalars(
        select(Session.id).where(
            or_(Session.practitioner_id == work.actor.person_id, Session.id.in_(mine)),
            Session.programme_id.in_(work.actor.programmes()), Session.ends_at > work.now,
            Session.starts_at < work.now + timedelta(days=days), Session.status != Status.CANCELLED,
        ).order_by(Session.starts_at, Session.id).limit(most)
    ).all()
    return _with_programme(work, ids)


def upcoming(work: Work, programme_id: int, *, most: int = 8) -> list[Row]:
    """The next sessions of a programme that the viewer may see, soonest first."""
    ids = work.tx.scalars(
        select(Session.id).where(
            visible_sessions(work, programme_id), Session.starts_at > work.now, Session.status != Status.CANCELLED
        ).order_by(Session.starts_at, Session.id).limit(most)
    ).all()
    return rows_of(work, ids)


def _with_programme(work: Work, ids: Iterable[int]) -> list[tuple[int, Row]]:
    ids = list(ids)
    programmes = {fact.id: fact.programme_id for fact in facts_of(work, ids)}
    return [(programmes[row.id], row) for row in rows_of(work, ids)]


def needs_me(work: Work, programme_id: int) -> dict[str, int]:
    """How many sessions wait for the viewer, by label or status; what each count links to is the filtered list."""
    counts: dict[str, int] = {}
    asked: dict[str, ColumnElement[bool]] = {
        TO_LOG: to_log(work), TO_PLACE: to_place(), Status.UNASSIGNED: Session.status == Status.UNASSIGNED,
        Status.UNSCHEDULED: Session.status == Status.UNSCHEDULED,
    }
    roles_that_act = sees_all(work, programme_id)
    for label, condition in asked.items():
        where = [visible_sessions(work, programme_id), condition]
        if not roles_that_act:
            where.append(Session.practitioner_id == work.actor.person_id)
        some: Rows = select(literal_column("1")).select_from(Session).where(*where).limit(COUNT_AT_MOST)
        counts[label] = work.tx.scalar(select(func.count()).select_from(some.subquery())) or 0
    return counts


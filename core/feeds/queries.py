"""What stands behind a calendar address: sessions as events, as far as its owner may see them now (X6, D7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Select, func, or_, select, union

from core.access.rules import digest
from core.errors import NotFound
from core.feeds.ical import Event, Standing
from core.programmes.queries import ProgrammeView, my_programmes, programme_of
from core.sessions.queries import Row, rows_of
from core.sessions.rules import is_id
from core.sessions.visible import one_case, visible_sessions
from core.structure.queries import visible_timetables
from core.work import Work
from db.among import among
from db.base import Base
from db.engine import reading
from db.models.feeds import Feed
from db.models.history import Change, ChangeSet
from db.models.people import Person, Relation
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.models.structure import Timetable
from db.values import from_history
from db.words import Status

Rows = Select[*tuple[Any, ...]]
BACK, AHEAD = timedelta(days=365), timedelta(days=2 * 365)
"""How far a calendar reaches, from the day on which it is read."""
MOST = 2_000
"""Events of one calendar: what is to come first, then what was last."""
MOST_OFF = 1_000
"""Sessions without a time that are looked through for an earlier meeting, latest made first."""
NAMED = 3
"""Learners whom a title names."""


class Behind(NamedTuple):
    """Whose eyes an address looks with, and at what: a timetable, or their own sessions."""

    person_id: int
    timetable_id: int | None


@dataclass(frozen=True)
class Address:
    """One working address of the viewer. Of a timetable that they may not see any more, the name is empty."""

    id: int
    timetable_id: int | None
    timetable: str
    made_at: datetime


@dataclass(frozen=True)
class Offered:
    """A timetable of which the viewer may make an address."""

    id: int
    name: str
    programme: str


class _Found(NamedTuple):
    """A session of a calendar, with its meeting: the one that stands, or the one that was taken off."""

    id: int
    programme_id: int
    created_at: datetime
    starts_at: datetime
    ends_at: datetime


# Addresses ---------------------------------------------------------------------------------------------------------


def behind(engine: Engine, token: str) -> Behind | None:
    """What an address leads to, in one indexed look-up. None where it is unknown or ended, or its owner off."""
    with reading(engine) as connection:
        row = connection.execute(
            select(Feed.person_id, Feed.timetable_id).join(Person, Person.id == Feed.person_id)
            .where(Feed.token_hash == digest(token), Feed.revoked_at.is_(None), Person.disabled_at.is_(None))
        ).one_or_none()
    return Behind(*row) if row else None


def address_of(base_url: str, token: str) -> str:
    """The address that a calendar program is given."""
    return f"{base_url}/feed/{token}.ics"


def my_addresses(work: Work) -> list[Address]:
    """The viewer's working addresses, that of their own sessions first."""
    rows = work.tx.execute(
        select(Feed.id, Feed.timetable_id, Feed.made_at).where(Feed.person_id == work.me, Feed.revoked_at.is_(None))
    ).all()
    names = {each.id: each.name for each in my_timetables(work)} if any(row.timetable_id for row in rows) else {}
    found = [Address(row.id, row.timetable_id, names.get(row.timetable_id or 0, ""), row.made_at) for row in rows]
    return sorted(found, key=lambda each: (each.timetable_id is not None, each.timetable.casefold(), each.id))


def my_timetables(work: Work) -> list[Offered]:
    """Every timetable that exists for the viewer, by name."""
    programmes = {each.id: each.name for each in my_programmes(work)}
    ways = [visible_timetables(work, id_) for id_ in programmes]
    rows = work.tx.execute(
        select(Timetable.id, Timetable.name, Timetable.programme_id).where(or_(*ways))
    ).all() if ways else []
    found = [Offered(row.id, row.name, programmes[row.programme_id]) for row in rows]
    return sorted(found, key=lambda each: (each.name.casefold(), each.programme.casefold(), each.id))


def require_timetable(work: Work, timetable_id: int) -> tuple[str, int]:
    """The name and the programme of a timetable. Raises NotFound where it does not exist for the actor."""
    if not is_id(timetable_id):
        raise NotFound
    programme_id = work.tx.scalar(select(Timetable.programme_id).where(Timetable.id == timetable_id)) or 0
    name = work.tx.scalar(
        select(Timetable.name).where(Timetable.id == timetable_id, visible_timetables(work, programme_id)))
    if name is None:
        raise NotFound
    return name, programme_id


def last_act(work: Work) -> datetime | None:
    """When anything at all was changed last: a calendar read since then is as it was, but for the day."""
    return work.tx.scalar(select(ChangeSet.at).order_by(ChangeSet.id.desc()).limit(1))


# Calendars ---------------------------------------------------------------------------------------------------------


def whole_calendar(work: Work, timetable_id: int | None, base_url: str) -> tuple[str, list[Event]]:
    """The name and the events of a calendar, a year back and two ahead. Raises NotFound for a timetable not to be seen.

    One's own holds what one leads or attends, and what learners attend to whom one is tied as guardian or line
    manager. A number of statements that does not grow with them.
    """
    if timetable_id is not None:
        name, programme_id = require_timetable(work, timetable_id)
        shown = visible_sessions(work, programme_id) & (Session.timetable_id == timetable_id)
        events = _events(work, _found(work, shown), base_url, own=False)
        return f"{name} · {programme_of(work, programme_id).name}", events
    name, visible = f"Sessions · {work.actor.name}", [visible_sessions(work, each.id) for each in my_programmes(work)]
    if not visible:
        return name, []
    return name, _events(work, _found(work, or_(*visible) & Session.id.in_(_of_mine(work))), base_url, own=True)


def one_event(work: Work, session_id: int, base_url: str) -> Event:
    """One session as an event. Raises NotFound where the viewer may not see it, or it never had a time."""
    one_case(work, session_id)
    this = Session.id == session_id
    found = [_Found(*row) for row in work.tx.execute(_MEETINGS.where(this, Session.starts_at.is_not(None)))]
    events = _events(work, found or _taken_off(work, this), base_url, own=True)
    if not events:
        raise NotFound("This is not on the calendar.")
    return events[0]


def _of_mine(work: Work) -> Any:
    """Sessions that concern the actor: led, attended, or attended by a learner whom they are tied to."""
    return union(
        select(Session.id).where(Session.practitioner_id == work.me),
        select(Participation.session_id).where(Participation.learner_id == work.me),
        select(Participation.session_id).join(Relation, Relation.learner_id == Participation.learner_id)
        .join(Session, Session.id == Participation.session_id)
        .where(Relation.adult_id == work.me, Relation.programme_id == Session.programme_id),
    )


_MEETINGS: Rows = select(Session.id, Session.programme_id, Session.created_at, Session.starts_at, Session.ends_at)


def _found(work: Work, shown: ColumnElement[bool]) -> list[_Found]:
    """The sessions of a calendar by time; of more than MOST, the nearest."""
    today = work.now.replace(hour=0, minute=0, second=0)
    at = Session.starts_at
    ahead = _MEETINGS.where(shown, at >= today, at < today + AHEAD).order_by(at, Session.id)
    found = [_Found(*row) for row in work.tx.execute(ahead.limit(MOST))]
    back = _MEETINGS.where(shown, at >= today - BACK, at < today).order_by(at.desc(), Session.id.desc())
    found += [_Found(*row) for row in work.tx.execute(back.limit(MOST - len(found)))]
    found += [each for each in _taken_off(work, shown) if today - BACK <= each.starts_at < today + AHEAD]
    return sorted(found, key=lambda each: (each.starts_at, each.id))


def _taken_off(work: Work, shown: ColumnElement[bool]) -> list[_Found]:
    """Sessions off the calendar, with the last meeting that their history tells of."""
    off = select(Session.id).where(shown, Session.starts_at.is_(None)).order_by(Session.id.desc()).limit(MOST_OFF)
    rows = work.tx.execute(
        select(Session.id, Session.programme_id, Session.created_at, Change.before)
        .join(Change, Change.session_id == Session.id)
        .where(
            Session.id.in_(off.subquery().select()), Change.table_name == "session",
            Change.before["starts_at"].as_string().is_not(None), Change.after["starts_at"].as_string().is_(None),
        ).order_by(Change.id)
    )
    columns = Base.metadata.tables["session"].c
    last = {row.id: _Found(row.id, row.programme_id, row.created_at, *(
        from_history(columns[name], row.before[name]) for name in ("starts_at", "ends_at"))) for row in rows}
    return list(last.values())


_LAST = (
    select(Change.session_id, func.max(Change.id).label("id")).where(among(Change.session_id, "ids"))
    .group_by(Change.session_id).subquery()
)
_CHANGED_AT: Rows = (
    select(_LAST.c.session_id, ChangeSet.at).join(Change, Change.id == _LAST.c.id)
    .join(ChangeSet, ChangeSet.id == Change.change_set_id)
)


def _events(work: Work, found: Sequence[_Found], base_url: str, *, own: bool) -> list[Event]:
    """These as events, those not to be seen left out; words and names only as the list itself shows them.

    In one's `own` calendar a session goes on only as long as oneself, or a learner one is tied to, takes part.
    """
    ids = [each.id for each in found]
    rows = {row.id: row for row in rows_of(work, ids)}
    changed = {row.session_id: row.at for row in work.tx.execute(_CHANGED_AT, {"ids": ids})}
    mine = _parts_of_mine(work, ids) if own else {}
    return [
        _event(work, each, rows[each.id], programme_of(work, each.programme_id), changed.get(each.id, each.created_at),
               mine.get(each.id, {}), base_url)
        for each in found if each.id in rows
    ]


def _parts_of_mine(work: Work, ids: Sequence[int]) -> dict[int, dict[int, bool]]:
    """By session, whether the actor, and each learner they are tied to, still takes part."""
    tied = select(Relation.learner_id).where(Relation.adult_id == work.me)
    found: dict[int, dict[int, bool]] = {}
    for session_id, learner_id, outcome in work.tx.execute(
        select(Participation.session_id, Participation.learner_id, Participation.outcome).where(
            among(Participation.session_id, "ids"),
            or_(Participation.learner_id == work.me, Participation.learner_id.in_(tied)),
        ), {"ids": ids}
    ):
        found.setdefault(session_id, {})[learner_id] = outcome not in FREES_LEARNER
    return found


def _event(
    work: Work, found: _Found, row: Row, programme: ProgrammeView, changed_at: datetime, mine: Mapping[int, bool],
    base_url: str,
) -> Event:
    leads = row.practitioner_id == work.me
    out_of_it = bool(mine) and not leads and not any(mine.values())
    if row.starts_at is None or row.status is Status.CANCELLED or out_of_it:
        standing = Standing.CANCELLED
    else:
        standing = Standing.TENTATIVE if row.status in (Status.PENDING, Status.UNASSIGNED) else Standing.CONFIRMED
    words, link = programme.policy.words, f"{base_url}/worksheet?session={row.id}"
    title = f"{words.session[:1].upper()}{words.session[1:]} {row.number}"
    people = ", ".join(_people(row, leads, work.actor.name if work.me in mine else None))
    return Event(
        uid=f"{found.created_at:%Y%m%dT%H%M%SZ}-session-{found.id}@portal",  # ids are never used again
        sequence=row.version, changed_at=changed_at, starts_at=found.starts_at, ends_at=found.ends_at,
        zone=programme.zone, standing=standing, busy=leads or mine.get(work.me, False),
        title=f"{title} · {people}" if people else title,
        place=", ".join(each for each in (row.room, row.location) if each),
        about="\n".join(each for each in (
            row.description, row.type, ", ".join(row.courses), row.idea, row.timetable, programme.name, link) if each),
        link=link,
    )


def _people(row: Row, leads: bool, me: str | None) -> Iterable[str]:
    """Whom the viewer meets, or who meets whom."""
    if row.practitioner and not leads:
        yield row.practitioner
    others = [name for name in row.learners if name != me]
    if row.team:
        yield row.team
    elif len(others) > NAMED:
        yield from (*others[:NAMED], f"{len(others) - NAMED} more")
    else:
        yield from others

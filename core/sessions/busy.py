"""Who is taken when, and when everybody is free (B9, C6). Offering and refusing look at the same rows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import column, or_, select, text

from core.availability.queries import nearest_free
from core.clock import when_words
from core.programmes.queries import programme_of
from core.sessions.rules import Clash, PersonBusy
from core.sessions.visible import seen
from core.work import Work
from db.among import among
from db.models.people import Person, TeamMember
from db.models.sessions import LONGEST_SESSION, Occupancy
from db.models.structure import Room

LOOK_BACK = timedelta(seconds=LONGEST_SESSION)


@dataclass(frozen=True)
class Wanted:
    """A time that some people, and perhaps a room, are wanted for. `item` says by which of many."""

    item: int
    people: frozenset[int]
    room_id: int | None
    starts_at: datetime
    ends_at: datetime
    session_id: int | None = None
    """The session it is for, whose own time does not stand in its way."""
    team_id: int | None = None
    """The team whose members of that day these people are; on another day they may be others."""
    practitioner_id: int | None = None
    """Who of them leads, and through which timetable: what is offered instead is within those hours."""
    timetable_id: int | None = None
    any_of: tuple[int, ...] = ()
    """Rooms of which another would do as well: the pool that the room was allotted from (C12)."""


@dataclass(frozen=True)
class Busy:
    """A stretch of time in which somebody is taken, as far as the viewer may see."""

    who: str
    person_id: int | None
    room_id: int | None
    starts_at: datetime
    ends_at: datetime
    what: str
    session_id: int | None


def lock(work: Work, people: Iterable[int], rooms: Iterable[int] = ()) -> None:
    """Hold the calendars of these people and rooms until the act ends, in one order, so that nobody deadlocks."""
    if work.on_sqlite:
        return  # the write lock is held since the act began
    for model, ids in ((Person, sorted(set(people))), (Room, sorted(set(rooms)))):
        if ids:
            work.tx.execute(
                select(model.id).where(among(model.id, ids)).order_by(model.id).with_for_update(key_share=True)
            )


def clashes_with(work: Work, programme_id: int, wanted: Sequence[Wanted]) -> list[Clash]:
    """Everything that stands against these times: other sessions, and the wanted ones among themselves."""
    moved = {one.session_id for one in wanted if one.session_id is not None}
    rows = [row for row in overlaps(work, wanted) if row.session_id not in moved]
    names = named(work, wanted)
    visible = seen(work, programme_id, {row.session_id for row in rows})
    found = []
    for row in rows:
        number = visible.get(row.session_id)
        found.append(Clash(
            row.item, names[row.person_id, row.room_id], row.starts_at, row.ends_at,
            f"session {number}" if number else "", row.session_id if number else None, row.person_id,
        ))
    return found + _among_themselves(wanted, names)


def refuse_clashes(work: Work, programme_id: int, wanted: Sequence[Wanted]) -> None:
    """Raises PersonBusy with who, when, and the nearest free times for the first one that clashes."""
    clashes = clashes_with(work, programme_id, wanted)
    if not clashes:
        return
    first = clashes[0]
    one = next(each for each in wanted if each.item == first.item)
    people = one.people
    if one.team_id is not None:  # whoever is in the team on whichever day is offered
        people |= set(work.tx.scalars(select(TeamMember.learner_id).where(TeamMember.team_id == one.team_id)))
    free = nearest_free(
        work, programme_id, people, None if one.any_of else one.room_id, one.starts_at, one.ends_at - one.starts_at,
        practitioner_id=one.practitioner_id, timetable_id=one.timetable_id, but=one.session_id, any_of=one.any_of,
    )
    raise PersonBusy(clashes, clash_sentence(work, programme_id, clashes), free)


def clash_sentence(work: Work, programme_id: int, clashes: Sequence[Clash]) -> str:
    """Who is busy and when, as people say it: Tom is busy Tue 3 Mar 2026, 10:00–11:00 (session 12)."""
    zone = programme_of(work, programme_id).zone
    said = []
    for clash in clashes[:4]:
        what = f" ({clash.what})" if clash.what else ""
        said.append(f"{clash.who} is busy {when_words(clash.starts_at, zone, clash.ends_at)}{what}.")
    if len(clashes) > len(said):
        said.append(f"And {len(clashes) - len(said)} more.")
    return " ".join(said)


def busy_times(
    work: Work, programme_id: int, people: Iterable[int], rooms: Iterable[int], since: datetime, until: datetime
) -> list[Busy]:
    """When these people and rooms are taken between two instants, with no more content than the viewer may see."""
    people, rooms = list(people), list(rooms)
    rows = work.tx.execute(
        select(Occupancy.person_id, Occupancy.room_id, Occupancy.starts_at, Occupancy.ends_at, Occupancy.session_id)
        .where(
            or_(Occupancy.person_id.in_(people), Occupancy.room_id.in_(rooms)),
            Occupancy.starts_at < until, Occupancy.starts_at > since - LOOK_BACK, Occupancy.ends_at > since,
        )
        .order_by(Occupancy.starts_at, Occupancy.id)
    ).all()
    names = _names_of(work, people, rooms)
    visible = seen(work, programme_id, {row.session_id for row in rows})
    return [
        Busy(
            names.get((row.person_id, row.room_id), ""), row.person_id, row.room_id, row.starts_at, row.ends_at,
            f"session {visible[row.session_id]}" if row.session_id in visible else "",
            row.session_id if row.session_id in visible else None,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Overlap:
    """Somebody, or a room, taken when one of several times was wanted."""

    item: int
    person_id: int | None
    room_id: int | None
    session_id: int
    starts_at: datetime
    ends_at: datetime


_ROW = ("person_id", "room_id", "session_id", "starts_at", "ends_at")
_ON_SQLITE = """
WITH w AS (SELECT value->>0 AS item, value->>1 AS whom, value->>2 AS s, value->>3 AS e FROM json_each(:wanted))
SELECT w.item, o.person_id, o.room_id, o.session_id, o.starts_at, o.ends_at
 FROM w CROSS JOIN occupancy o ON o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - :back AND o.ends_at > w.s"""
_ON_POSTGRESQL = """
WITH w AS MATERIALIZED (SELECT (v->>0)::bigint AS item, (v->>1)::bigint AS whom, to_timestamp((v->>2)::bigint) AS s,
 to_timestamp((v->>3)::bigint) AS e FROM jsonb_array_elements(CAST(:wanted AS jsonb)) v)
SELECT w.item, o.person_id, o.room_id, o.session_id, o.starts_at, o.ends_at
 FROM w CROSS JOIN LATERAL (SELECT * FROM occupancy o WHERE o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - make_interval(secs => :back) AND o.ends_at > w.s OFFSET 0) o"""


def overlaps(work: Work, wanted: Sequence[Wanted]) -> list[Overlap]:
    """The rows of occupancy that overlap what is wanted: one bounded look for each person and room, all in one go."""
    statement = _ON_SQLITE if work.on_sqlite else _ON_POSTGRESQL
    found: list[Overlap] = []
    for whom, listed in (
        ("person_id", [(one, person) for one in wanted for person in sorted(one.people)]),
        ("room_id", [(one, one.room_id) for one in wanted if one.room_id is not None]),
    ):
        if not listed:
            continue
        asked = [[one.item, id_, int(one.starts_at.timestamp()), int(one.ends_at.timestamp())] for one, id_ in listed]
        rows = text(statement.format(whom=whom)).columns(
            column("item"), *(column(name, Occupancy.__table__.c[name].type) for name in _ROW))
        given = {"wanted": json.dumps(asked), "back": LONGEST_SESSION}
        found += [Overlap(*row) for row in work.tx.execute(rows, given)]
    return sorted(found, key=lambda row: (row.item, row.starts_at))


def _among_themselves(wanted: Sequence[Wanted], names: dict[tuple[int | None, int | None], str]) -> list[Clash]:
    by_whom: dict[tuple[int | None, int | None], list[Wanted]] = {}
    for one in wanted:
        for person in one.people:
            by_whom.setdefault((person, None), []).append(one)
        if one.room_id is not None:
            by_whom.setdefault((None, one.room_id), []).append(one)
    found = []
    for whom, several in by_whom.items():
        several.sort(key=lambda one: (one.starts_at, one.item))
        longest = several[0]
        for one in several[1:]:
            if one.starts_at < longest.ends_at:
                found.append(Clash(one.item, names[whom], longest.starts_at, longest.ends_at, "asked for here as well",
                                   person_id=whom[0]))
            if one.ends_at > longest.ends_at:
                longest = one
    return found


def named(work: Work, wanted: Sequence[Wanted]) -> dict[tuple[int | None, int | None], str]:
    """Names of everybody, and every room, that is wanted."""
    people = {person for one in wanted for person in one.people}
    return _names_of(work, people, {one.room_id for one in wanted if one.room_id is not None})


def _names_of(work: Work, people: Iterable[int], rooms: Iterable[int]) -> dict[tuple[int | None, int | None], str]:
    names: dict[tuple[int | None, int | None], str] = {}
    for model, ids in ((Person, sorted(set(people))), (Room, sorted(set(rooms)))):
        if ids:
            for id_, name in work.tx.execute(select(model.id, model.name).where(among(model.id, ids))):
                names[(id_, None) if model is Person else (None, id_)] = name
    return names

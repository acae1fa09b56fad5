"""What stands in the tables about when people can be booked: two statements, however many people are asked about."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from core.availability.rules import ALWAYS, DAY, Closed, Dated, Leader, Limits, Way, Weekly, Windows
from core.programmes.queries import ProgrammeView, programme_of
from core.work import Work
from db.models.sessions import LONGEST_SESSION
from db.words import TimetableKind

EDGE = 3
"""Days of facts around what is asked about, so that a refusal can tell of the whole day."""


@dataclass
class Facts:
    """What stands in the tables of a programme about some practitioners and timetables."""

    leaders: dict[int, Leader] = field(default_factory=dict)
    """Practitioners of the programme who can sign in."""
    ways: dict[int, Way] = field(default_factory=dict)
    closures: list[Closed] = field(default_factory=list)


_FACTS = """
SELECT 'p', g.person_id, NULL, l.buffer_before, l.buffer_after, l.most_a_day, l.most_a_week, p.name, NULL, NULL
 FROM role_grant g JOIN person p ON p.id = g.person_id AND p.disabled_at IS NULL
 LEFT JOIN own_limits l ON l.programme_id = g.programme_id AND l.person_id = g.person_id
 WHERE g.programme_id = :programme AND g.role = 'practitioner' AND g.person_id {people}
UNION ALL SELECT 't', t.owner_id, t.id, t.slot_minutes, NULL, NULL, NULL, t.name, t.kind, NULL
 FROM timetable t WHERE t.programme_id = :programme AND t.id {timetables}
UNION ALL SELECT 'r', r.person_id, r.timetable_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL
 FROM roster r WHERE r.timetable_id {timetables}
UNION ALL SELECT 'w', w.person_id, w.timetable_id, w.weekday, w.from_minute, w.until_minute, NULL, w.zone,
 {from_day}, {until_day} FROM weekly_window w LEFT JOIN timetable t ON t.id = w.timetable_id
 WHERE w.programme_id = :programme AND w.person_id {people}
 AND (w.timetable_id IS NULL OR (t.owner_id = w.person_id AND t.retired_at IS NULL))
UNION ALL SELECT 'w', NULL, w.timetable_id, w.weekday, w.from_minute, w.until_minute, NULL, w.zone,
 {from_day}, {until_day} FROM weekly_window w WHERE w.timetable_id {timetables} AND w.person_id IS NULL
UNION ALL SELECT 'd', w.person_id, w.timetable_id, w.from_minute, w.until_minute, NULL, NULL, w.zone, {day}, NULL
 FROM dated_window w LEFT JOIN timetable t ON t.id = w.timetable_id
 WHERE w.programme_id = :programme AND w.person_id {people} AND w.day BETWEEN {first} AND {last}
 AND (w.timetable_id IS NULL OR (t.owner_id = w.person_id AND t.retired_at IS NULL))
UNION ALL SELECT 'o', o.person_id, NULL, {starts_at}, {ends_at}, NULL, NULL, NULL, NULL, NULL
 FROM time_off o WHERE o.person_id {people} AND o.ends_at > {since} AND o.starts_at < {until}
UNION ALL SELECT 'c', NULL, NULL, NULL, NULL, NULL, NULL, c.name, {first_day}, {last_day}
 FROM closure c WHERE c.programme_id = :programme AND c.last_day >= {first} AND c.first_day <= {last}"""
_TAKEN_ON_SQLITE = """
WITH w AS (SELECT value->>0 AS ask, value->>1 AS whom, value->>2 AS s, value->>3 AS e FROM json_each(:asked))
SELECT w.ask, w.whom, o.starts_at, o.ends_at FROM w CROSS JOIN occupancy o ON o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - :back AND o.ends_at > w.s{but}"""
_TAKEN_ON_POSTGRESQL = """
WITH w AS MATERIALIZED (SELECT (v->>0)::bigint AS ask, (v->>1)::bigint AS whom, to_timestamp((v->>2)::bigint) AS s,
 to_timestamp((v->>3)::bigint) AS e FROM jsonb_array_elements(CAST(:asked AS jsonb)) v)
SELECT w.ask, w.whom, extract(epoch FROM o.starts_at)::bigint, extract(epoch FROM o.ends_at)::bigint
 FROM w CROSS JOIN LATERAL (SELECT * FROM occupancy o WHERE o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - make_interval(secs => :back) AND o.ends_at > w.s{but} OFFSET 0) o"""


def _many(name: str, on_sqlite: bool) -> str:
    """Membership in a list that travels as one value."""
    return f"IN (SELECT value FROM json_each(:{name}))" if on_sqlite else f"= ANY(CAST(:{name} AS bigint[]))"


def _facts_sql(on_sqlite: bool) -> str:
    def day(column: str) -> str:
        return column if on_sqlite else f"{column}::text"

    def epoch(column: str) -> str:
        return column if on_sqlite else f"extract(epoch FROM {column})::bigint"

    return _FACTS.format(
        people=_many("people", on_sqlite), timetables=_many("timetables", on_sqlite), from_day=day("w.from_day"),
        until_day=day("w.until_day"), day=day("w.day"), starts_at=epoch("o.starts_at"), ends_at=epoch("o.ends_at"),
        first_day=day("c.first_day"), last_day=day("c.last_day"),
        **{name: f":{name}" if on_sqlite else f"CAST(:{name} AS date)" for name in ("first", "last")},
        **{name: f":{name}" if on_sqlite else f"to_timestamp(:{name})" for name in ("since", "until")},
    )


def _for_psycopg(sql: str) -> str:
    """The driver's own way to name values: only ours have a colon of their own."""
    parts = sql.replace("%", "%%").replace("::", "\0").split(":")
    said = [parts[0]]
    for part in parts[1:]:
        name = part[:next((n for n, letter in enumerate(part) if not letter.isidentifier()), len(part))]
        said.append(f"%({name})s{part[len(name):]}")
    return "".join(said).replace("\0", "::")


_FACTS_SQL = {True: _facts_sql(True), False: _for_psycopg(_facts_sql(False))}
_TAKEN_SQL = {
    (on_sqlite, whom, but): sql if on_sqlite else _for_psycopg(sql)
    for on_sqlite, template in ((True, _TAKEN_ON_SQLITE), (False, _TAKEN_ON_POSTGRESQL))
    for whom in ("person_id", "room_id") for but in (False, True)
    for sql in (template.format(whom=whom, but=f" AND NOT o.session_id {_many('but', on_sqlite)}" if but else ""),)
}


def facts_about(
    work: Work, programme_id: int, people: Iterable[int], timetables: Iterable[int], since: int, until: int
) -> Facts:
    """Hours, exceptions, time off, rosters and limits of these; epoch seconds, some days more at each end."""
    listed = [sorted(set(ids)) for ids in (people, timetables)]
    first, last = (datetime.fromtimestamp(at, UTC).date() for at in (since - EDGE * DAY, until + EDGE * DAY))
    given = {
        "programme": programme_id, "people": listed[0], "timetables": listed[1], "first": first.isoformat(),
        "last": last.isoformat(), "since": since - EDGE * DAY, "until": until + EDGE * DAY,
    }
    if work.on_sqlite:
        given |= {name: json.dumps(given[name]) for name in ("people", "timetables")}
    rows = work.tx.connection().exec_driver_sql(_FACTS_SQL[work.on_sqlite], given).all()
    return _facts(rows, programme_of(work, programme_id))


def _facts(rows: Sequence[Any], programme: ProgrammeView) -> Facts:
    found = Facts()
    policy = programme.policy
    schedules: dict[int, Windows] = {}
    rosters: dict[int, set[int]] = {}
    ways: list[tuple[int, str, TimetableKind, int | None, int | None]] = []

    def windows_of(person: int | None, timetable: int | None) -> Windows | None:
        if person is None:
            assert timetable is not None  # a window is somebody's
            return schedules.setdefault(timetable, Windows())
        leader = found.leaders.get(person)
        if leader is None or timetable is None:
            return leader.general if leader else None
        return leader.own.setdefault(timetable, Windows())

    for kind, person, timetable, a, b, c, d, said, when, until in sorted(rows, key=_people_first):
        if kind == "p":
            found.leaders[person] = Leader(person, said, limits=Limits.of(policy, a, b, c, d))
        elif kind == "w":
            if (windows := windows_of(person, timetable)) is not None:
                windows.weekly.append(Weekly(
                    a, b, c, said, _ordinal(when), ALWAYS if until is None else _ordinal(until)))
        elif kind == "d":
            if (windows := windows_of(person, timetable)) is not None:
                windows.dated.append(Dated(_ordinal(when), a, b, said))
        elif kind == "o":
            if person in found.leaders:
                found.leaders[person].off.append((a, b))
        elif kind == "c":
            found.closures.append(Closed(_ordinal(when), _ordinal(until), said))
        elif kind == "r":
            rosters.setdefault(timetable, set()).add(person)
        else:
            ways.append((timetable, said, TimetableKind(when), person, a))
    for id_, name, sort, owner, minutes in ways:
        found.ways[id_] = Way(
            id_, name, sort, owner, minutes, schedules.get(id_, Windows()), frozenset(rosters.get(id_, ())))
    return found


def _people_first(row: Any) -> bool:
    return bool(row[0] != "p")


_ORDINALS: dict[str, int] = {}


def _ordinal(day: str) -> int:
    """Days repeat: most hours hold from the same few on."""
    if day not in _ORDINALS:
        if len(_ORDINALS) > 50_000:
            _ORDINALS.clear()
        _ORDINALS[day] = date.fromisoformat(day).toordinal()
    return _ORDINALS[day]


def taken_of(
    work: Work, whom: str, asked: Sequence[tuple[int, int, int, int]], but: Collection[int] = ()
) -> Sequence[Any]:
    """What takes a person (`person_id`) or a room (`room_id`): rows of ask, id, start and end for rows of the same."""
    if not asked:
        return ()
    given: dict[str, Any] = {"asked": json.dumps(asked), "back": LONGEST_SESSION}
    if but:
        given["but"] = json.dumps(sorted(but)) if work.on_sqlite else sorted(but)
    return work.tx.connection().exec_driver_sql(_TAKEN_SQL[work.on_sqlite, whom, bool(but)], given).all()

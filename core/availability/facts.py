"""What stands in the tables about when people can be booked: two statements, however many people are asked about."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from core.availability.rules import (
    ALWAYS,
    DAY,
    NO_WEEK,
    Calendar,
    Closed,
    Dated,
    Leader,
    Limits,
    Span,
    Way,
    Week,
    Weekly,
    Windows,
)
from core.programmes.queries import programme_of
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


# A practitioner's, a timetable's or a closure's row; what a row has many of comes as one text, a line for each.
_HOURS = """(SELECT {concat}((((coalesce(w.timetable_id, 0) * 7 + w.weekday) * 1441 + w.from_minute) * 1441
 + w.until_minute) || ' ' || w.zone || ' ' || w.from_day || ' ' || coalesce({until_day}, '-'), {newline})
 FROM weekly_window w LEFT JOIN timetable t ON t.id = w.timetable_id WHERE {whose})"""
_OF_PERSON = """w.programme_id = g.programme_id AND w.person_id = g.person_id
 AND (w.timetable_id IS NULL OR (t.owner_id = w.person_id AND t.retired_at IS NULL))"""
_PEOPLE = """
SELECT 1, g.person_id, p.name, l.buffer_before, l.buffer_after, l.most_a_day, l.most_a_week, {hours},
 (SELECT {concat}(coalesce(w.timetable_id, 0) || ' ' || w.day || ' ' || coalesce(w.from_minute, -1) || ' '
 || coalesce(w.until_minute, -1) || ' ' || w.zone, {newline})
 FROM dated_window w LEFT JOIN timetable t ON t.id = w.timetable_id
 WHERE {of_person} AND w.day BETWEEN {first} AND {last}),
 (SELECT {concat}({off_from} || ' ' || {off_until}, {newline}) FROM time_off o
 WHERE o.person_id = g.person_id AND o.ends_at > {since} AND o.starts_at < {until})
 FROM role_grant g JOIN person p ON p.id = g.person_id AND p.disabled_at IS NULL
 LEFT JOIN own_limits l ON l.programme_id = g.programme_id AND l.person_id = g.person_id
 WHERE g.programme_id = :programme AND g.role = 'practitioner' AND g.person_id {people}"""
_CLOSURES = """
SELECT 0, NULL, c.name, NULL, NULL, NULL, NULL, {first_day}, {last_day}, NULL
 FROM closure c WHERE c.programme_id = :programme AND c.last_day >= {first} AND c.first_day <= {last}"""
_TIMETABLES = """
SELECT 2, x.id, x.name, x.owner_id, x.slot_minutes, NULL, NULL, {hours},
 (SELECT {concat}({person}, {newline}) FROM roster r WHERE r.timetable_id = x.id), x.kind
 FROM timetable x WHERE x.programme_id = :programme AND x.id {timetables}"""
_TAKEN_ON_SQLITE = """
SELECT o.{whom}, group_concat(((o.starts_at - :base) << 17) + o.ends_at - o.starts_at, ' ')
 FROM occupancy o WHERE o.{whom} IN (SELECT value FROM json_each(:asked))
 AND o.starts_at < :until AND o.starts_at > :base AND o.ends_at > :since{but} GROUP BY o.{whom}"""
_TAKEN_ON_POSTGRESQL = """
SELECT w, (SELECT string_agg((((extract(epoch FROM o.starts_at)::bigint - :base) << 17)
 + extract(epoch FROM o.ends_at - o.starts_at)::bigint)::text, ' ') FROM occupancy o WHERE o.{whom} = w
 AND o.starts_at < to_timestamp(:until) AND o.starts_at > to_timestamp(:base) AND o.ends_at > to_timestamp(:since){but})
 FROM unnest(CAST(:asked AS bigint[])) w"""
_SCATTERED_ON_SQLITE = """
WITH w AS MATERIALIZED (SELECT CAST(value->>0 AS INTEGER) AS ask, CAST(value->>1 AS INTEGER) AS whom,
 CAST(value->>2 AS INTEGER) AS s, CAST(value->>3 AS INTEGER) AS e FROM json_each(:asked))
SELECT w.ask, w.whom, o.starts_at, o.ends_at FROM w CROSS JOIN occupancy o ON o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - :back AND o.ends_at > w.s{but}"""
_SCATTERED_ON_POSTGRESQL = """
WITH w AS MATERIALIZED (SELECT (v->>0)::bigint AS ask, (v->>1)::bigint AS whom, to_timestamp((v->>2)::bigint) AS s,
 to_timestamp((v->>3)::bigint) AS e FROM jsonb_array_elements(CAST(:asked AS jsonb)) v)
SELECT w.ask, w.whom, extract(epoch FROM o.starts_at)::bigint, extract(epoch FROM o.ends_at)::bigint
 FROM w CROSS JOIN LATERAL (SELECT * FROM occupancy o WHERE o.{whom} = w.whom
 AND o.starts_at < w.e AND o.starts_at > w.s - make_interval(secs => :back) AND o.ends_at > w.s{but} OFFSET 0) o"""


def _many(name: str, on_sqlite: bool) -> str:
    """Membership in a list that travels as one value."""
    return f"IN (SELECT value FROM json_each(:{name}))" if on_sqlite else f"= ANY(CAST(:{name} AS bigint[]))"


def _facts_sql(on_sqlite: bool, *parts: str) -> str:
    def text(column: str) -> str:
        return column if on_sqlite else f"{column}::text"

    def epoch(column: str) -> str:
        return column if on_sqlite else f"extract(epoch FROM {column})::bigint"

    given = {
        "concat": "group_concat" if on_sqlite else "string_agg", "newline": "char(10)" if on_sqlite else "chr(10)",
        "until_day": text("w.until_day"), "of_person": _OF_PERSON, "off_from": epoch("o.starts_at"),
        "off_until": epoch("o.ends_at"), "first_day": text("c.first_day"), "last_day": text("c.last_day"),
        "person": text("r.person_id"), "people": _many("people", on_sqlite),
        "timetables": _many("timetables", on_sqlite),
        **{name: f":{name}" if on_sqlite else f"CAST(:{name} AS date)" for name in ("first", "last")},
        **{name: f":{name}" if on_sqlite else f"to_timestamp(:{name})" for name in ("since", "until")},
    }
    whose = {_PEOPLE: _OF_PERSON, _TIMETABLES: "w.timetable_id = x.id AND w.person_id IS NULL"}
    return " UNION ALL ".join(
        part.format(hours=_HOURS.format(whose=whose.get(part, ""), **given), **given) for part in parts)


def _for_psycopg(sql: str) -> str:
    """The driver's own way to name values: only ours have a single colon."""
    return re.sub(r"(?<!:):([a-z]+)", r"%(\1)s", sql.replace("%", "%%"))


_FACTS_SQL = {
    (on_sqlite, timetables): sql if on_sqlite else _for_psycopg(sql)
    for on_sqlite in (True, False) for timetables in (True, False)
    for sql in (_facts_sql(on_sqlite, _PEOPLE, _CLOSURES, *([_TIMETABLES] if timetables else [])),)
}
_TAKEN_SQL = {
    (on_sqlite, scattered, whom, but): sql if on_sqlite else _for_psycopg(sql)
    for on_sqlite, scattered, template in (
        (True, False, _TAKEN_ON_SQLITE), (False, False, _TAKEN_ON_POSTGRESQL),
        (True, True, _SCATTERED_ON_SQLITE), (False, True, _SCATTERED_ON_POSTGRESQL),
    )
    for whom in ("person_id", "room_id") for but in (False, True)
    for sql in (template.format(whom=whom, but=f" AND NOT o.session_id {_many('but', on_sqlite)}" if but else ""),)
}


def facts_about(
    work: Work, programme_id: int, people: Collection[int], timetables: Collection[int], since: int, until: int
) -> Facts:
    """Hours, exceptions, time off, rosters and limits of these; epoch seconds, some days more at each end."""
    since, until = since - EDGE * DAY, until + EDGE * DAY
    given: dict[str, Any] = {
        "programme": programme_id, "people": sorted(people), "first": _day(since), "last": _day(until), "since": since,
        "until": until,
    }
    if timetables:
        given["timetables"] = sorted(timetables)
    if work.on_sqlite:
        given |= {name: json.dumps(given[name]) for name in ("people", "timetables") if name in given}
    rows = work.tx.connection().exec_driver_sql(_FACTS_SQL[work.on_sqlite, bool(timetables)], given).all()
    policy, found = programme_of(work, programme_id).policy, Facts()
    general = Limits.of(policy)
    for kind, id_, name, a, b, c, d, first, second, third in rows:
        if kind == 1:
            limits = general if a is b is c is d is None else Limits.of(policy, a, b, c, d)
            found.leaders[id_] = leader = Leader(id_, name, limits=limits)
            if first or second:
                _set_hours(leader, _weeks(first or ""), _dated(second))
            if third:
                leader.off = _spans(third)
        elif kind == 0:
            found.closures.append(Closed(_ordinal(first), _ordinal(second), name))
        else:
            schedule = Windows(_weeks(first).get(id_, NO_WEEK)) if first else Windows()
            found.ways[id_] = Way(
                id_, name, TimetableKind(third), a, b, schedule, frozenset(map(int, (second or "").split())))
    return found


def _set_hours(leader: Leader, weeks: dict[int, Week], dated: dict[int, list[Dated]]) -> None:
    leader.general = Windows(weeks.get(0, NO_WEEK), dated.get(0, ()))
    for way in weeks.keys() | dated.keys():
        if way:
            leader.own[way] = Windows(weeks.get(way, NO_WEEK), dated.get(way, ()))


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


@lru_cache(1 << 14)
def _weeks(told: str) -> dict[int, Week]:
    """Weekly windows by timetable (0 is none). The same text is the same hours, so it is read once."""
    found: dict[int, list[Weekly]] = {}
    for line in told.split("\n") if told else ():
        number, zone, first, last = line.split(" ")
        (way, weekday), start, end = divmod(int(number) // 1441**2, 7), int(number) // 1441 % 1441, int(number) % 1441
        found.setdefault(way, []).append(Weekly(
            weekday, start, end, zone, _ordinal(first), ALWAYS if last == "-" else _ordinal(last)))
    return {way: Week(windows) for way, windows in found.items()}


def _dated(told: str | None) -> dict[int, list[Dated]]:
    """Exceptions by timetable (0 is none)."""
    found: dict[int, list[Dated]] = {}
    for line in told.split("\n") if told else ():
        way, day, start, end, zone = line.split(" ")
        nothing = start == "-1"
        found.setdefault(int(way), []).append(
            Dated(_ordinal(day), None if nothing else int(start), None if nothing else int(end), zone))
    return found


def _spans(told: str) -> list[Span]:
    numbers = [int(number) for number in told.split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


Asked = tuple[int, int, int, int]
"""Which ask, whom it is about, and between which epoch seconds."""


def taken_of(
    work: Work, whom: str, asked: Sequence[Asked], but: Collection[int] = ()
) -> Iterator[tuple[int, int, Calendar]]:
    """What takes people (`person_id`) or rooms (`room_id`): ask, whom, and when, in one statement."""
    if not asked:
        return
    (_, _, since, until), *rest = asked
    given: dict[str, Any] = {}
    if but:
        given["but"] = json.dumps(sorted(but)) if work.on_sqlite else sorted(but)
    scattered = any(each[2] != since or each[3] != until for each in rest)
    statement = _TAKEN_SQL[work.on_sqlite, scattered, whom, bool(but)]
    connection = work.tx.connection()
    if scattered:
        given |= {"asked": json.dumps(asked), "back": LONGEST_SESSION}
        found: dict[tuple[int, int], Calendar] = {}
        for ask, id_, start, end in connection.exec_driver_sql(statement, given):
            found.setdefault((ask, id_), Calendar()).add(start, end)
        yield from ((ask, id_, taken) for (ask, id_), taken in found.items())
        return
    ids = sorted({each[1] for each in asked})
    base = since - LONGEST_SESSION
    given |= {"asked": json.dumps(ids) if work.on_sqlite else ids, "since": since, "until": until, "base": base}
    told = {id_: said for id_, said in connection.exec_driver_sql(statement, given) if said}
    for ask, id_, _, _ in asked:
        if id_ in told:
            yield ask, id_, Calendar(told=told[id_], base=base)

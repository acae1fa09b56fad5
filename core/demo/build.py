"""Fill an empty, migrated database with the demo: through the guards where it is small, proven where it is large."""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, bindparam, func, insert, select, text, update

from core.access.commands import mark_as_demo
from core.access.rules import hash_password
from core.billing.totals import fold_all
from core.clock import when_words
from core.demo import accounts, afterwards, hours, learning, load
from core.demo.afterwards import NOTE
from core.demo.engagements import ENGAGEMENT
from core.demo.life import (
    CAME_OF_IT,
    COUNTS,
    DAY,
    EPOCH,
    HOUR,
    LINKED,
    PART,
    PART_CAME_OF_IT,
    SESSION,
    Act,
    Batch,
    Life,
    Told,
)
from core.demo.money import LINE, Money
from core.demo.texts import AWAY_FOR
from core.demo.world import AT_SCALE, COLUMNS, World, make_world
from core.errors import Invalid
from core.programmes.rules import PRESETS
from core.sessions.groups import add_learners, set_places
from core.sessions.queries import TO_LOG
from core.sessions.rules import PersonBusy
from core.work import THE_PORTAL, Work, commit
from db.engine import reading
from db.models.history import ChangeSet, CurrentAct
from db.models.notices import Notice, SavedView
from db.models.people import Person
from db.models.sessions import Participation, Session
from db.words import Kind, Status

SEED = 2026
THE_LEDGERS = 1
"""The act that wrote the ledger at scale."""
ACT = ("id", "key", "at", "actor_id", "source", "command", "said")


@dataclass(frozen=True)
class Summary:
    """How much was made."""

    sessions: int
    people: int
    programmes: int

    @property
    def sentence(self) -> str:
        """The same in words."""
        return f"{self.sessions:,} sessions of {self.people:,} people in {self.programmes} programmes."


def build(engine: Engine, *, sessions: int = 6000, seed: int = SEED, today: date) -> Summary:
    """Make the demo up, around `today`: all of it or nothing. Raises Invalid where there are people already."""
    if sessions < 200:
        raise Invalid({"sessions": "A demo has at least 200 sessions."})
    with reading(engine) as connection:
        if connection.scalar(select(Person.id).limit(1)) is not None:
            raise Invalid({"database": "This database has people in it already. A demo needs an empty one."})
    world = make_world(sessions, seed, today, hash_password(accounts.PASSWORD))
    if sessions < AT_SCALE:
        commit(engine, THE_PORTAL, settle_in, world, source="terminal", now=_instant(world.founded))
        _queue(engine, world)
    else:
        _settle_in_at_scale(engine, world)
    _analyse(engine)
    return Summary(sessions, len(world.rows["person"]), len(world.places))


def _queue(engine: Engine, world: World) -> None:
    """A few groups ahead are full, and somebody waits for a place in them."""
    now = _instant(world.moment)
    for place in world.places.values():
        with reading(engine) as connection:
            groups = connection.execute(
                select(Session.id, func.count()).join(Participation, Participation.session_id == Session.id)
                .where(Session.programme_id == place.id, Session.team_id.is_(None), Session.starts_at > now,
                       Session.status == Status.SCHEDULED)
                .group_by(Session.id, Session.starts_at).having(func.count() > 2)
                .order_by(Session.starts_at, Session.id).limit(2)
            ).all()
        for session, learners in groups:
            with reading(engine) as connection:
                inside = set(connection.scalars(
                    select(Participation.learner_id).where(Participation.session_id == session)))
            others = [learner for learner in place.learners if learner not in inside][:3]
            commit(engine, place.coordinators[0], set_places, session, learners, now=now)
            with suppress(PersonBusy):  # then nobody waits
                commit(engine, place.coordinators[0], add_learners, session, others, without_busy=True, now=now)


def settle_in(work: Work, world: World) -> None:
    """Enter everybody and, act by act as it happened, every session. The guards are on."""
    connection = work.tx.connection()
    _enter(connection, world)
    stream = Life(world)
    whole = Batch([], [], [], [])
    for batch in stream.batches():
        for known, more in zip(whole, batch, strict=True):
            known.extend(more)
    load.copy_in(connection, "engagement", ENGAGEMENT, stream.engagements.rows())
    _relive(work, connection, whole, afterwards.notes(world, whole.sessions))
    _take_off(connection, world, stream)
    learning.enrol(connection, world)
    money = Money(world)
    money.meet(stream.engagements.rows())
    money.enter(connection)
    afterwards.object_to_some(connection, world)
    mark_as_demo(work, _offered(world))
    _tell(connection, world, stream.heard)
    assert work.act_id is not None  # commit has opened this act
    load.copy_in(connection, "ledger_line", LINE, money.lines(whole, work.act_id))
    load.count_on(connection)
    afterwards.keep_the_ledger(work, world)
    work.say("Made the demo up.")


def _take_off(connection: Connection, world: World, stream: Life) -> None:
    """Some are away for two days ahead, and some have a day of their own, where neither takes a session away."""
    off: list[tuple[Any, ...]] = []
    dated: list[tuple[Any, ...]] = []
    rng = random.Random(f"off {world.seed}")  # noqa: S311 - made-up data
    for place in world.places.values():
        for n, person in enumerate(sorted(stream.ahead.keys() & set(place.practitioners))):
            days = hours.away(world.today, stream.ahead[person], rng)
            if days is None:
                continue
            first, last = ((day.toordinal() - EPOCH) * DAY for day in days)
            if n % 2:
                off.append((len(off) + 1, person, first, last + DAY, rng.choice(AWAY_FOR)))
            else:
                zone, day = place.material.zone, days[0].isoformat()
                dated.append((len(dated) + 1, place.id, person, day, None, None, zone))
                dated.append((len(dated) + 1, place.id, person, days[1].isoformat(), 10 * 60, 13 * 60, zone))
    load.copy_in(connection, "time_off", ("id", "person_id", "starts_at", "ends_at", "reason"), off)
    load.copy_in(
        connection, "dated_window",
        ("id", "programme_id", "person_id", "day", "from_minute", "until_minute", "zone"), dated)


def _enter(connection: Connection, world: World) -> None:
    for table, columns in COLUMNS.items():
        load.copy_in(connection, table, columns, world.rows[table])


def _relive(work: Work, connection: Connection, whole: Batch, notes: list[tuple[Any, ...]]) -> None:
    """Every act in order of time, each with its own change set."""
    first = (work.act_id or 0) + 1
    counts = Counter(act for pair in whole.acts for act in pair if act)
    ids = {act: first + n for n, act in enumerate(sorted(counts, key=lambda act: (act.at, act.command, act.actor)))}
    rows = [_change_set(ids[act], act, counts[act]) for act in ids]
    load.copy_in(connection, "change_set", ACT[:-1], [row[:-1] for row in rows])
    _stage(connection, whole, ids, notes)
    if work.on_sqlite:
        for act, id_ in ids.items():
            _name_act(work, connection, id_)
            for statement in _MAKE if act.command == "book_sessions" else _SETTLE:
                connection.execute(text(statement), {"act": id_})
    else:
        connection.exec_driver_sql(_loop(first))
    connection.execute(
        update(ChangeSet).where(ChangeSet.id == bindparam("act")).values(said=bindparam("words")),
        [{"act": row[0], "words": row[-1]} for row in rows],
    )
    assert work.act_id is not None  # commit has opened this act
    _name_act(work, connection, work.act_id)
    for table in ("session", "participation", "session_course", "note"):
        connection.exec_driver_sql(f"DROP TABLE staged_{table}")


def _stage(connection: Connection, whole: Batch, ids: dict[Act, int], notes: list[tuple[Any, ...]]) -> None:
    acts = [(ids[made], ids[closed] if closed else None) for made, closed in whole.acts]
    columns = (*SESSION, *CAME_OF_IT)
    many = len(columns)
    staged: tuple[tuple[str, tuple[str, ...], list[tuple[Any, ...]], tuple[str, ...]], ...] = (
        ("session", columns, [(*row[:many], *act) for row, act in zip(whole.sessions, acts, strict=True)],
         ("made_in", "closed_in")),
        ("participation", (*PART, *PART_CAME_OF_IT), whole.parts, ()),
        ("session_course", LINKED, whole.links, ()), ("note", NOTE, notes, ()),
    )
    for table, names, rows, more in staged:
        extra = "".join(f", CAST(NULL AS bigint) AS {name}" for name in more)
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE staged_{table} AS SELECT {', '.join(names)}{extra} FROM {table} WHERE 1 = 0"
        )
        load.copy_in(connection, table, (*names, *more), rows, into=f"staged_{table}")
        for key in more or ("session_id",):
            connection.exec_driver_sql(f"CREATE INDEX ix_staged_{table}_{key} ON staged_{table} ({key})")
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ANALYZE staged_{table}")


def _insert(table: str, columns: tuple[str, ...], act: str = "made_in") -> str:
    names = ", ".join(columns)
    if table == "session":
        return f"INSERT INTO session ({names}) SELECT {names} FROM staged_session WHERE made_in = :act"
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(f'x.{name}' for name in columns)} FROM staged_session s"
        f" JOIN staged_{table} x ON x.session_id = s.id WHERE s.{act} = :act ORDER BY x.id"
    )


_MAKE = (_insert("session", SESSION), _insert("participation", PART), _insert("session_course", LINKED))
_SETTLE = (
    (
        f"UPDATE session SET {', '.join(f'{name} = x.{name}' for name in CAME_OF_IT)}, version = session.version + 1"
        " FROM staged_session x WHERE x.id = session.id AND x.closed_in = :act"
    ),
    (
        f"UPDATE participation SET {', '.join(f'{name} = x.{name}' for name in PART_CAME_OF_IT)}"
        " FROM staged_participation x JOIN staged_session s ON s.id = x.session_id"
        " WHERE x.id = participation.id AND s.closed_in = :act AND x.outcome IS NOT NULL"
    ),
    _insert("note", NOTE, "closed_in"),
)


def _loop(first: int) -> str:
    """The same on PostgreSQL in one round trip instead of thousands.

    The tables begin empty: once there is something in them, the triggers' statements are planned anew.
    """
    make, settle = ("; ".join(part).replace(":act", "act.id") for part in (_MAKE, _SETTLE))
    return f"""DO $$ DECLARE act record; BEGIN
      FOR act IN SELECT id, command FROM change_set WHERE id >= {first} ORDER BY id LOOP
        IF act.id IN ({first + 30}, {first + 300}) THEN
          ANALYZE session, participation, occupancy, session_number;
        END IF;
        PERFORM set_config('portal.act', act.id::text, true);
        IF act.command = 'book_sessions' THEN {make}; ELSE {settle}; END IF;
      END LOOP; END $$"""


_SAID = {
    "book_sessions": "Booked {many}.", "cancel_sessions": "Cancelled {many}.",
    "record_outcome": "Recorded what came of {many}.", "submit_questionnaire": "Submitted the questionnaire.",
    "join_session": "Joined {many}.",
}


def _change_set(id_: int, act: Act, many: int) -> tuple[Any, ...]:
    said = _SAID[act.command].format(many="a session" if many == 1 else f"{many} sessions")
    return id_, f"demo:{id_}", act.at, act.actor, "screen", act.command, said


def _name_act(work: Work, connection: Connection, act_id: int) -> None:
    if work.on_sqlite:
        connection.execute(update(CurrentAct).values(change_set_id=act_id))
    else:
        connection.exec_driver_sql(f"SELECT set_config('portal.act', '{act_id}', true)")


# At scale ----------------------------------------------------------------------------------------------------------


def _settle_in_at_scale(engine: Engine, world: World) -> None:
    """The same rows without guards, which come back once what they keep is filled in; then the data is proven.

    A session's history begins, and ends, with how it stands.
    """
    stream, money = Life(world), Money(world)
    with load.without_guards(engine) as connection:
        _enter(connection, world)
        made: Counter[Act] = Counter()
        for batch in stream.batches():
            load.copy_in(connection, "session", (*SESSION, *CAME_OF_IT, *COUNTS), batch.sessions)
            load.copy_in(connection, "participation", (*PART, *PART_CAME_OF_IT), batch.parts)
            load.copy_in(connection, "session_course", LINKED, batch.links)
            made.update(act for act, _ in batch.acts)
            money.meet(stream.engagements.rows())
            load.copy_in(connection, "ledger_line", LINE, money.lines(batch, THE_LEDGERS))
        load.copy_in(connection, "engagement", ENGAGEMENT, stream.engagements.rows())
        money.enter(connection)
        acts = sorted(made, key=lambda act: (act.at, act.actor))
        load.copy_in(connection, "change_set", ACT, [
            (THE_LEDGERS, "demo:ledger", world.moment, None, "terminal", "settle", "Worked out what sessions cost."),
            *(_change_set(n, act, made[act]) for n, act in enumerate(acts, start=THE_LEDGERS + 1)),
        ])
        load.derive(connection)
        _take_off(connection, world, stream)
        learning.enrol(connection, world)
        afterwards.write_notes(connection, world)
        afterwards.object_to_some(connection, world)
        _tell(connection, world, stream.heard)
        load.count_on(connection)
    with reading(engine) as connection:
        if found := load.problems(connection):
            raise RuntimeError("The demo data does not hold: " + "; ".join(found))
    commit(engine, THE_PORTAL, afterwards.close_some, world, source="terminal")
    fold_all(engine)
    commit(engine, THE_PORTAL, mark_as_demo, _offered(world), source="terminal")


# What the demo accounts find ---------------------------------------------------------------------------------------


def _offered(world: World) -> list[int]:
    return [world.cast[who.name] for who in accounts.DEMO_ACCOUNTS]


def _tell(connection: Connection, world: World, heard: list[Told]) -> None:
    """A handful of notices for the demo accounts, and Alice's saved views."""
    rows: list[dict[str, Any]] = []
    known: Counter[int] = Counter()
    materials = {place.id: place.material for place in world.places.values()}
    gus, sara, tutors = world.cast["Gus Byrne"], world.cast["Sara Byrne"], world.places[Kind.TUTORING].id
    of_sara = [replace(one, person=gus) for one in heard if (one.person, one.programme) == (sara, tutors)]
    for one in heard + of_sara:
        if known[one.person] >= 4:
            continue
        material = materials[one.programme]
        known[one.person] += 1
        when = when_words(_instant(one.starts_at), ZoneInfo(material.zone), _instant(one.ends_at))
        name = f"{PRESETS[material.kind].words.session} {one.number}, {when}"
        rows.append({
            "person_id": one.person, "programme_id": one.programme, "session_id": one.session,
            "text": f"{name.capitalize()}: cancelled." if one.cancelled else f"Booked: {name}.",
            "created_at": _instant(world.moment - (30 + 7 * known[one.person]) * HOUR),
        })
    for name in ("Alice Moran", "Ben Adler"):
        rows.append({
            "person_id": world.cast[name], "programme_id": world.places[Kind.EVENT_MENTORING].id, "session_id": None,
            "text": "Teams asked for mentors this week. The list of unassigned sessions has them.",
            "created_at": _instant(world.moment - 20 * HOUR),
        })
    connection.execute(insert(Notice), rows)
    connection.execute(insert(SavedView), [
        {"person_id": world.cast["Alice Moran"], "programme_id": place.id, "screen": "sessions", "name": name,
         "address": urlencode({"programme": place.material.name, "status": status})}
        for place in world.places.values() for name, status in (("To log", TO_LOG), ("Nobody assigned", "unassigned"))
    ])


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _analyse(engine: Engine) -> None:
    """Tell the planner what is there."""
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")


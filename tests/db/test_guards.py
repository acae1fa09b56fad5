"""What the database refuses and keeps by itself, whatever statement comes in (X2, X5)."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from db import triggers
from db.base import Base
from db.engine import writing
from db.models.history import Change, ChangeSet
from db.models.people import Person
from db.models.sessions import FREES_LEARNER, Occupancy, Participation, Session, stretch
from db.values import from_history
from db.words import Outcome
from tests.db.raw import (
    ANNEX,
    DAY,
    HOUR,
    MINUTE,
    ROOM,
    SAM,
    SARA,
    SECOND,
    TEN,
    TINA,
    TOM,
    acting,
    book,
    facts,
    one_of_each,
    open_act,
    people_and_rooms,
    rows_before_and_after,
)

NOON = TEN + 2 * HOUR
BUSY = r"portal: (person|room) busy|ex_occupancy_(person|room)_id|uq_occupancy_session_id_person_id"
FORGED = (
    r"derived by the database|append-only|the row exists|ids never change|number used before|no open act|uq_|pk_"
)


@pytest.fixture
def db(engine: Engine) -> Engine:
    """Tom teaches Sara in the room from ten to eleven (number 1); Tina teaches Sam at noon (number 2)."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        book(connection, 1, SARA, room_id=ROOM)
        book(connection, 2, SAM, practitioner_id=TINA, starts_at=NOON, ends_at=NOON + HOUR, room_id=ANNEX)
    return engine


def at(engine: Engine, moment: datetime) -> str:
    """A moment as SQL."""
    return str(int(moment.timestamp())) if engine.dialect.name == "sqlite" else f"'{moment.isoformat()}'::timestamptz"


def new_session(engine: Engine, number: int, way: str = "INSERT", **given: Any) -> str:
    """The statement that inserts a session, as somebody would type it into a shell."""
    row = {"id": number, **facts(number, report_required=False, version=1, **given)}
    values = {
        name: at(engine, value) if isinstance(value, datetime)
        else str(value).lower() if isinstance(value, bool) and engine.dialect.name != "sqlite"
        else "NULL" if value is None else repr(int(value)) if isinstance(value, int) else f"'{value}'"
        for name, value in row.items()
    }
    return f"{way} INTO session ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def variants(engine: Engine, statement: str) -> list[str]:
    """The same statement with every clause that might get it past a guard."""
    if engine.dialect.name == "postgresql":
        return [statement, *([f"{statement} ON CONFLICT DO NOTHING"] if statement.startswith("INSERT") else [])]
    verb = statement.split()[0]
    ways = ("REPLACE", "IGNORE", "FAIL") if verb != "DELETE" else ()
    return [statement, *(statement.replace(verb, f"{verb} OR {way}", 1) for way in ways if " OR " not in statement)]


def is_refused(engine: Engine, *statements: str, why: str, act: bool = True) -> None:
    """The last statement, after the others, is refused in each of its variants. Nothing of it is kept."""
    for last in variants(engine, statements[-1]):
        with writing(engine) as connection:
            if act:
                open_act(connection)
            for statement in statements[:-1]:
                connection.exec_driver_sql(statement)
            try:
                done = connection.exec_driver_sql(last).rowcount
            except DBAPIError as problem:
                said = str(problem.orig)
            else:
                said = why if done == 0 else f"went through: {last}"  # OR IGNORE may just do nothing
            assert re.search(why, said) or said == why, last
            connection.rollback()


def ways_to_double_book(engine: Engine) -> dict[str, list[str]]:
    """Statements of which the last would take Tom, Sara or the room twice, from ten to eleven."""
    later = {"starts_at": TEN + 30 * MINUTE, "ends_at": TEN + 90 * MINUTE}
    ten, eleven = at(engine, TEN), at(engine, TEN + HOUR)
    move = f"UPDATE session SET starts_at = {at(engine, later['starts_at'])}, ends_at = {at(engine, later['ends_at'])}"
    second = new_session(engine, 3, practitioner_id=None, **later)
    sara = "INSERT INTO participation (session_id, learner_id)"
    return {
        "insert for the practitioner": [new_session(engine, 3, **later)],
        "insert for a learner as practitioner": [new_session(engine, 3, **(later | {"practitioner_id": SARA}))],
        "insert for the room": [new_session(engine, 3, **(later | {"practitioner_id": TINA, "room_id": ROOM}))],
        "insert a participation": [second, f"{sara} VALUES (3, {SARA})"],
        "the practitioner as a learner": [second, f"{sara} VALUES (3, {TOM})"],
        "the practitioner as a learner of the same": [f"{sara} VALUES (1, {TOM})"],
        "reassign": [second, f"UPDATE session SET practitioner_id = {TOM} WHERE id = 3"],
        "change the room": [second, f"UPDATE session SET room_id = {ROOM} WHERE id = 3"],
        "move the practitioner's other session": [
            new_session(engine, 3, starts_at=NOON, ends_at=NOON + HOUR), f"{move} WHERE id = 3"],
        "move a learner's other session": [f"{sara} VALUES (2, {SARA})", f"{move} WHERE id = 2"],
        "make longer": [
            new_session(engine, 3, starts_at=TEN - HOUR, ends_at=TEN),
            f"UPDATE session SET ends_at = {at(engine, TEN + SECOND)} WHERE id = 3"],
        "move a participation": [second, f"{sara} VALUES (2, {SARA})",
                                 "UPDATE participation SET session_id = 3 WHERE session_id = 2 AND learner_id = 3"],
        "change the learner": [second, f"{sara} VALUES (3, {SAM})",
                               f"UPDATE participation SET learner_id = {SARA} WHERE session_id = 3"],
        "un-cancel": [new_session(engine, 3, cancelled_at=TEN, **later),
                      "UPDATE session SET cancelled_at = NULL WHERE id = 3"],
        "un-cancel for a learner": [
            new_session(engine, 3, cancelled_at=TEN, **(later | {"practitioner_id": TINA})),
            f"{sara} VALUES (3, {SARA})", "UPDATE session SET cancelled_at = NULL WHERE id = 3"],
        "swap the outcome back": [
            "UPDATE participation SET outcome = 'cancelled in time' WHERE session_id = 1", second,
            f"{sara} VALUES (3, {SARA})", "UPDATE participation SET outcome = NULL WHERE session_id = 1"],
        "swap to another outcome": [
            "UPDATE participation SET outcome = 'cancelled late' WHERE session_id = 1", second,
            f"{sara} VALUES (3, {SARA})",
            "UPDATE participation SET outcome = 'practitioner absent' WHERE session_id = 1"],
        "two in one statement": [
            new_session(engine, 3, starts_at=NOON, ends_at=NOON + HOUR),
            f"UPDATE session SET starts_at = {ten}, ends_at = {eleven}, room_id = NULL WHERE id IN (1, 3)"],
    }


def test_x2_nobody_and_no_room_is_taken_twice(db: Engine) -> None:
    """X2 B9: insert, update, move, OR REPLACE, OR IGNORE, un-cancel, an outcome swapped back: each is refused."""
    for statements in ways_to_double_book(db).values():
        is_refused(db, *statements, why=BUSY)


def test_x2_the_shell_of_the_database_refuses_too(db: Engine) -> None:
    """X2: the same through `sqlite3` (foreign keys and recursive triggers off) and `psql`."""
    shell = "sqlite3" if db.dialect.name == "sqlite" else "psql"
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    url = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [shell, str(db.url.database)] if shell == "sqlite3" else [shell, "-X", "-q", url]
    values = f"('{{}}', {at(db, TEN)}, 'shell', 'typed')"
    insert_act = f"INSERT INTO change_set (key, at, source, command) VALUES {values}"
    named = (
        f"{insert_act}; UPDATE current_act SET change_set_id = last_insert_rowid();" if shell == "sqlite3"
        else f"{insert_act} RETURNING set_config('portal.act', id::text, true);"
    )
    for key, (name, statements) in enumerate(ways_to_double_book(db).items()):
        for last in variants(db, statements[-1]):
            script = ";\n".join((f"BEGIN; {named.format(key)}", *statements[:-1], last, "ROLLBACK;"))
            done = subprocess.run(command, input=script.replace(";;", ";"), capture_output=True, text=True, check=False)
            assert re.search(BUSY, done.stderr), f"{name}: {last}: {done.stdout} {done.stderr}"
    with db.connect() as connection:
        assert connection.execute(select(Session.number).order_by(Session.number)).scalars().all() == [1, 2]


@pytest.mark.parametrize(("start", "length", "free"), [
    (TEN - HOUR, HOUR, True),
    (TEN + HOUR, HOUR, True),
    (TEN - HOUR, HOUR + SECOND, False),
    (TEN + HOUR - SECOND, HOUR, False),
    (TEN + 10 * MINUTE, MINUTE, False),
    (TEN - HOUR, 3 * HOUR, False),
])
def test_b9_back_to_back_is_free_and_a_second_of_overlap_is_not(
    db: Engine, start: datetime, length: timedelta, free: bool
) -> None:
    with nullcontext() if free else pytest.raises(IntegrityError, match=BUSY), acting(db) as connection:
        book(connection, 3, starts_at=start, ends_at=start + length)


@pytest.mark.parametrize(("start", "free"), [(TEN + DAY - SECOND, False), (TEN + DAY, True), (TEN + 2 * HOUR, False)])
def test_b9_the_longest_session_is_seen_from_its_last_second(engine: Engine, start: datetime, free: bool) -> None:
    people_and_rooms(engine)
    with acting(engine) as connection:
        book(connection, 1, starts_at=TEN, ends_at=TEN + DAY)
    with nullcontext() if free else pytest.raises(IntegrityError, match=BUSY), acting(engine) as connection:
        book(connection, 2, starts_at=start, ends_at=start + HOUR)
    with pytest.raises(IntegrityError, match="at_most_a_day"), acting(engine) as connection:
        book(connection, 3, practitioner_id=TINA, starts_at=TEN, ends_at=TEN + DAY + SECOND)


def test_b9_what_postgresql_compares_is_exact(engine: Engine) -> None:
    """To the microsecond, though instants are whole seconds; and neighbours are two people."""
    if engine.dialect.name == "sqlite":
        pytest.skip("triggers compare whole numbers there")
    tick = timedelta(microseconds=1)
    one, other = (
        f"(SELECT {stretch('whom')} FROM (SELECT CAST(:whom_{n} AS bigint) AS whom, s AS starts_at,"
        f" s + interval '1 hour' AS ends_at FROM (SELECT CAST(:at_{n} AS timestamptz) AS s) y) x)" for n in "ab"
    )
    with engine.connect() as connection:
        for at in (datetime(2000, 1, 1, tzinfo=UTC), TEN, datetime(2099, 12, 31, 23, tzinfo=UTC)):
            for who in (1, 2**52):
                for whom, when, meets in (
                    (who, at, True), (who, at + HOUR - tick, True), (who, at + HOUR, False),
                    (who, at - HOUR + tick, True), (who, at - HOUR, False), (who + 1, at, False), (who - 1, at, False),
                ):
                    values = {"whom_a": who, "at_a": at, "whom_b": whom, "at_b": when}
                    found = connection.execute(text(f"SELECT {one} && {other}"), values).scalar_one()
                    assert found == meets, values


def test_b10_a_cancelled_session_frees_everyone_at_once(db: Engine) -> None:
    with acting(db) as connection:
        connection.execute(update(Session).where(Session.id == 1).values(cancelled_at=TEN))
        book(connection, 3, SARA, room_id=ROOM)
    with acting(db) as connection:
        connection.execute(update(Session).where(Session.id == 3).values(starts_at=None, ends_at=None, room_id=None))
        connection.execute(update(Session).where(Session.id == 1).values(cancelled_at=None))


def forgeries(engine: Engine) -> list[list[str]]:
    """Statements of which the last would forge what the database derives, or lose what it keeps."""
    sqlite = engine.dialect.name == "sqlite"
    ten, eleven = at(engine, TEN), at(engine, TEN + HOUR)
    other = {"id": 9, "starts_at": None, "ends_at": None}
    gone = ["DELETE FROM participation WHERE session_id = 2", "DELETE FROM session WHERE id = 2"]
    taken = "INSERT INTO occupancy (session_id, person_id, starts_at, ends_at) VALUES"
    change = "INSERT INTO change (id, change_set_id, table_name, row_id) VALUES"
    keys = "INSERT INTO change_set (id, key, at, source, command) VALUES"
    found = [
        [new_session(engine, 2, **other)],
        [*gone, new_session(engine, 2, **other)],
        ["UPDATE session SET number = 1 WHERE id = 2"],
        [*gone, "UPDATE session SET number = 2 WHERE id = 1"],
        ["UPDATE session SET number = 9 WHERE id = 1", "UPDATE session SET number = 1 WHERE id = 2"],
        ["UPDATE session SET number = 9 WHERE id = 1", new_session(engine, 1, **other)],
        ["UPDATE session_number SET session_id = 2 WHERE number = 1"],
        ["DELETE FROM session_number WHERE number = 1"],
        [*gone, "INSERT INTO session_number (programme_id, number, session_id) VALUES (1, 2, 9)"],
        ["UPDATE session SET id = 9 WHERE id = 1"],
        ["UPDATE participation SET id = 9 WHERE id = 1"],
        ["UPDATE session SET attended = 1 WHERE id = 1"],
        ["UPDATE session SET missed = 1 WHERE id = 1"],
        ["UPDATE participation SET outcome = 'missed'", "UPDATE session SET missed = 0 WHERE id = 1"],
        [new_session(engine, 3, starts_at=None, ends_at=None, attended=1)],
        ["DELETE FROM occupancy"],
        ["DELETE FROM occupancy WHERE session_id = 1"],
        [f"UPDATE occupancy SET ends_at = {at(engine, TEN + MINUTE)}"],
        [f"{taken} (1, {SAM}, {ten}, {eleven})"],
        [f"{taken} (99, {SAM}, {ten}, {eleven})"],
        [f"{taken} (1, {TOM}, {ten}, {eleven})"],
        ["UPDATE change SET after = NULL"],
        ["DELETE FROM change"],
        [f"{change} (1, 1, 'session', 1)"],
        [f"{change} (9999, 1, 'session', 1)"],
        ["UPDATE change_set SET reason = 'another' WHERE id = 1"],
        ["UPDATE change_set SET said = 'another' WHERE id = 1"],
        ["DELETE FROM change_set WHERE id = 1"],
        [f"{keys} (1, 'other', {ten}, 'x', 'y')"],
    ]
    if sqlite:
        found += [[f"UPDATE session SET {name} = 9 WHERE id = 1"] for name in ("rowid", "oid", "_rowid_", '"ID"')]
        found += [
            ["UPDATE current_act SET change_set_id = 1"],
            ["UPDATE current_act SET change_set_id = 9999"],
            ["INSERT OR REPLACE INTO current_act (one, change_set_id) VALUES (1, 1)"],
            [new_session(engine, 3, **(other | {"id": 1}))],
            [new_session(engine, 3, **other).replace("(id,", "(rowid,").replace("(9,", "(1,")],
            [f"INSERT INTO person (name, email, created_at, version) VALUES ('T', 'Tom@example.org', {ten}, 1)"],
            [f"INSERT INTO participation (session_id, learner_id) VALUES (1, {SARA})"],
        ]
    else:
        found += [[f"TRUNCATE {name} CASCADE"] for name in (*triggers.HISTORY, "occupancy", "change", "session_number")]
    return found


def test_x5_what_the_database_derives_cannot_be_forged(db: Engine) -> None:
    """X5: numbers, ids, counts, occupancy, history and acts, each with every clause that might get past a guard."""
    for statements in forgeries(db):
        is_refused(db, *statements, why=f"{FORGED}|{BUSY}")
    for variant in ("INSERT", "UPDATE"):
        verb = new_session(db, 3, status="held") if variant == "INSERT" else "UPDATE session SET status = 'held'"
        is_refused(db, verb, why="generated column|non-DEFAULT value|can only be updated to DEFAULT")


def test_x5_the_same_key_is_the_same_act_even_where_it_would_replace_one(db: Engine) -> None:
    clause = "INSERT OR REPLACE" if db.dialect.name == "sqlite" else "INSERT"
    tail = "" if db.dialect.name == "sqlite" else " ON CONFLICT DO NOTHING"
    with writing(db) as connection:
        key, first = connection.execute(select(ChangeSet.key, ChangeSet.at).where(ChangeSet.id == 1)).one()
        connection.exec_driver_sql(
            f"{clause} INTO change_set (key, at, source, command) VALUES ('{key}', {at(db, NOON)}, 'x', 'y'){tail}")
    with db.connect() as connection:
        kept = connection.execute(select(ChangeSet.id, ChangeSet.at).where(ChangeSet.key == key)).all()
    assert [tuple(row) for row in kept] == [(1, first)]


def test_x5_nothing_is_written_outside_an_act(db: Engine) -> None:
    """X5: of each table with a history, nor in an act that is closed."""
    with acting(db) as connection:
        one_of_each(connection)
    for name in triggers.HISTORY:
        why = f"(?i){triggers.NO_ACT}|{triggers.NO_SESSION}|foreign key"
        is_refused(db, f"DELETE FROM {name}", why=why, act=False)
    for statement in (new_session(db, 9, starts_at=None, ends_at=None), "UPDATE session SET location = 'Moon'",
                      "UPDATE participation SET outcome = 'attended'", "DELETE FROM participation"):
        is_refused(db, statement, why=triggers.NO_ACT, act=False)
    if db.dialect.name == "postgresql":
        is_refused(db, "SELECT set_config('portal.act', '1', true)", "DELETE FROM participation", why=triggers.NO_ACT)


def history_of(connection: Connection, table: Table, act: int) -> list[tuple[dict[str, Any] | None, ...]]:
    """Before and after of what an act did in one table, as values."""
    rows = connection.execute(
        select(Change.before, Change.after).where(Change.change_set_id == act, Change.table_name == table.name)
        .order_by(Change.id)
    ).all()
    return [
        tuple(raw and {name: from_history(table.c[name], value) for name, value in raw.items()} for raw in row)
        for row in rows
    ]


def whole_row(connection: Connection, table: Table, row_id: int) -> dict[str, Any]:
    """A row without what the database derives."""
    row = connection.execute(select(table).where(table.c.id == row_id)).mappings().one()
    return {name: value for name, value in row.items() if name not in triggers.DERIVED.get(table.name, ())}


def test_x5_history_holds_before_and_after_of_every_column(engine: Engine) -> None:
    """X5: and a deleted row can be put back from it exactly."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        ids = one_of_each(connection)
        rows = rows_before_and_after(ids["session"] - 1)
        act = connection.execute(select(func.max(ChangeSet.id))).scalar_one()
        for name, row_id in ids.items():
            table = Base.metadata.tables[name]
            there = whole_row(connection, table, row_id)
            assert history_of(connection, table, act)[-1] == (
                None, {column: value for column, value in there.items() if value is not None})
    for name in ids:
        table, row_id = Base.metadata.tables[name], ids[name]
        with acting(engine) as connection:
            act = connection.execute(select(func.max(ChangeSet.id))).scalar_one()
            before = whole_row(connection, table, row_id)
            connection.execute(update(table).where(table.c.id == row_id).values(rows[name][1]))
            after = whole_row(connection, table, row_id)
            changed = set(rows[name][1])
            assert changed | {"id"} >= set(before), "the test changes every column"
            (was, now), = history_of(connection, table, act)
            differ = {column for column in before if before[column] != after[column]}
            assert was == {column: before[column] for column in differ}
            assert now == {column: after[column] for column in differ}
            assert not history_of(connection, table, act)[1:]
            connection.execute(update(table).where(table.c.id == row_id).values(rows[name][1]))
            assert len(history_of(connection, table, act)) == 1, "nothing changed, so nothing to tell"
    for name in ("participation", "session_course", "group_member", "team_member", "relation", "role_grant"):
        table, row_id = Base.metadata.tables[name], ids[name]
        with acting(engine) as connection:
            act = connection.execute(select(func.max(ChangeSet.id))).scalar_one()
            before = whole_row(connection, table, row_id)
            connection.execute(delete(table).where(table.c.id == row_id))
            (was, now), = history_of(connection, table, act)
            assert now is None
            assert was is not None
            connection.execute(insert(table).values(was))
            assert whole_row(connection, table, row_id) == before


def test_x5_history_knows_the_session_of_each_change(db: Engine) -> None:
    with acting(db) as connection:
        connection.execute(text("INSERT INTO session_course (session_id, course_id) VALUES (2, 1)"))
        act = connection.execute(select(func.max(ChangeSet.id))).scalar_one()
        connection.execute(update(Person).values(phone="1"))
        connection.execute(update(Session).where(Session.id == 1).values(location="here"))
        connection.execute(delete(Participation).where(Participation.session_id == 2))
        found = connection.execute(
            select(Change.table_name, Change.session_id).where(Change.change_set_id == act).order_by(Change.id)).all()
    assert [tuple(row) for row in found] == [
        ("session_course", 2), *[("person", None)] * 4, ("session", 1), ("participation", 2)]


def test_x2_many_rows_of_one_statement_keep_their_occupancy(db: Engine) -> None:
    """Also after a plan was made for one row."""
    with acting(db) as connection:
        connection.execute(update(Session).where(Session.id == 1).values(starts_at=TEN - HOUR))
        connection.execute(insert(Session), [
            facts(n, starts_at=TEN + n * HOUR, ends_at=TEN + n * HOUR + 30 * MINUTE) for n in range(10, 60)])
        connection.execute(insert(Participation), [{"session_id": n, "learner_id": SARA} for n in range(3, 53)])
        connection.execute(update(Session).values(cancelled_at=TEN))
        assert taken(connection) == implied(connection) == set()
        connection.execute(update(Session).values(cancelled_at=None))
        connection.execute(update(Participation).values(outcome=Outcome.ATTENDED))
        assert taken(connection) == implied(connection)
        assert len(taken(connection)) == 6 + 100
        assert set(connection.execute(select(Session.attended))) == {(1,)}


def taken(connection: Connection) -> set[tuple[Any, ...]]:
    """What the database keeps as occupancy."""
    columns = (Occupancy.session_id, Occupancy.person_id, Occupancy.room_id, Occupancy.starts_at, Occupancy.ends_at)
    rows = [tuple(row) for row in connection.execute(select(*columns))]
    assert len(rows) == len(set(rows))
    return set(rows)


def implied(connection: Connection) -> set[tuple[Any, ...]]:
    """The same, from the facts."""
    found = set()
    for s in connection.execute(select(Session)).mappings().all():
        if s["starts_at"] is None or s["cancelled_at"] is not None:
            continue
        learners = connection.execute(
            select(Participation.learner_id, Participation.outcome).where(Participation.session_id == s["id"])).all()
        people = {s["practitioner_id"], *(p.learner_id for p in learners if p.outcome not in FREES_LEARNER)} - {None}
        found |= {(s["id"], person, None, s["starts_at"], s["ends_at"]) for person in people}
        if s["room_id"]:
            found.add((s["id"], None, s["room_id"], s["starts_at"], s["ends_at"]))
    return found


def overlaps(rows: set[tuple[Any, ...]]) -> list[Any]:
    """Pairs in which one person or room is taken twice at a time."""
    return [
        (a, b) for a in rows for b in rows
        if a[0] != b[0] and a[1:3] == b[1:3] and a[3] < b[4] and b[3] < a[4]
    ]


who = st.sampled_from([None, TOM, TINA, SARA])
learner = st.sampled_from([TOM, SARA, SAM])
slot = st.one_of(st.none(), st.integers(0, 5))
row = st.integers(0, 5)
outcome = st.sampled_from([None, *Outcome])
steps = st.one_of(
    st.tuples(st.just("book"), who, slot, st.integers(1, 3)),
    st.tuples(st.just("join"), row, learner, outcome),
    st.tuples(st.just("record"), row, outcome),
    st.tuples(st.just("move"), row, slot, st.integers(1, 3)),
    st.tuples(st.just("shift"), st.integers(-2, 2)),
    st.tuples(st.just("reassign"), row, who),
    st.tuples(st.just("room"), row, st.sampled_from([None, ROOM, ANNEX])),
    st.tuples(st.just("cancel"), row, st.booleans()),
    st.tuples(st.just("replace"), row, learner),
    st.tuples(st.just("carry"), row, row),
    st.tuples(st.just("leave"), row),
    st.tuples(st.just("delete"), row),
)


def times(slot: int | None, length: int = 1) -> dict[str, datetime | None]:
    """A meeting in half hours from ten o'clock, or none."""
    if slot is None:
        return {"starts_at": None, "ends_at": None, "room_id": None}
    return {"starts_at": TEN + slot * 30 * MINUTE, "ends_at": TEN + (slot + length) * 30 * MINUTE}


def statement_of(connection: Connection, number: int, step: tuple[Any, ...]) -> Any:
    """One step as a statement; rows are meant by their order."""
    def nth(table: type[Session | Participation], n: int) -> int:
        ids = connection.execute(select(table.id).order_by(table.id)).scalars().all()
        return ids[n % len(ids)] if ids else -1

    match step:
        case ("book", person, slot, length):
            return insert(Session).values(facts(number, practitioner_id=person, **times(slot, length)))
        case ("join", n, person, outcome):
            values = {"session_id": nth(Session, n), "learner_id": person, "outcome": outcome}
            return insert(Participation).values(values)
        case ("record", n, outcome):
            its = Participation.id == nth(Participation, n)
            return update(Participation).where(its).values(outcome=outcome)
        case ("move", n, slot, length):
            return update(Session).where(Session.id == nth(Session, n)).values(**times(slot, length))
        case ("shift", hours):
            by = hours * 3600 if connection.dialect.name == "sqlite" else f"interval '{hours} hours'"
            return text(f"UPDATE session SET starts_at = starts_at + {by}, ends_at = ends_at + {by}")
        case ("reassign", n, person):
            return update(Session).where(Session.id == nth(Session, n)).values(practitioner_id=person)
        case ("room", n, room):
            return update(Session).where(Session.id == nth(Session, n)).values(room_id=room)
        case ("cancel", n, yes):
            return update(Session).where(Session.id == nth(Session, n)).values(cancelled_at=TEN if yes else None)
        case ("replace", n, person):
            its = Participation.id == nth(Participation, n)
            return update(Participation).where(its).values(learner_id=person)
        case ("carry", n, session):
            its = Participation.id == nth(Participation, n)
            return update(Participation).where(its).values(session_id=nth(Session, session))
        case ("leave", n):
            return delete(Participation).where(Participation.id == nth(Participation, n))
        case ("delete", n):
            return delete(Session).where(Session.id == nth(Session, n))
    raise AssertionError(step)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(steps, min_size=4, max_size=16))
def test_x2_occupancy_is_what_the_facts_imply_whatever_happened(db: Engine, plan: list[tuple[Any, ...]]) -> None:
    with writing(db) as connection:
        open_act(connection)
        for number, step in enumerate(plan, start=10):
            statement = statement_of(connection, number, step)
            try:
                with connection.begin_nested():
                    connection.execute(statement)
            except IntegrityError:
                continue
            finally:
                assert taken(connection) == implied(connection), step
            assert not overlaps(taken(connection)), step
            counted = connection.execute(text(
                "SELECT count(*) FROM session s WHERE (attended, missed) <> (SELECT"
                " count(CASE outcome WHEN 'attended' THEN 1 END),"
                " count(CASE WHEN outcome IN ('missed', 'practitioner absent') THEN 1 END)"
                " FROM participation p WHERE p.session_id = s.id)")).scalar_one()
            assert counted == 0, step
        connection.rollback()


def test_x2_acts_at_the_same_time_leave_facts_and_occupancy_agreeing(db: Engine) -> None:
    """PostgreSQL: a learner joins while the session is moved; two outcomes of one session are recorded at once."""
    if db.dialect.name == "sqlite":
        pytest.skip("one writer at a time")

    def race(first: str, second: str) -> None:
        with writing(db) as one, ThreadPoolExecutor() as pool:
            open_act(one)
            one.exec_driver_sql(first)

            def other() -> None:
                with acting(db) as two:
                    two.exec_driver_sql(second)

            waiting = pool.submit(other)
            with suppress(TimeoutError):
                waiting.result(0.3)
            one.commit()
            waiting.result(10)
        with db.connect() as connection:
            assert taken(connection) == implied(connection)
            came = select(func.count()).where(Participation.session_id == 1, Participation.outcome == Outcome.ATTENDED)
            counted = connection.execute(select(Session.attended).where(Session.id == 1)).scalar_one()
            assert counted == connection.execute(came).scalar_one()

    join = f"INSERT INTO participation (session_id, learner_id) VALUES (1, {SAM})"
    move = f"UPDATE session SET starts_at = {at(db, TEN - HOUR)}, ends_at = {at(db, TEN)} WHERE id = 1"
    race(join, move)
    race("DELETE FROM participation WHERE session_id = 1 AND learner_id = 4", move.replace("09:", "08:"))
    race("UPDATE session SET ends_at = ends_at + interval '1 minute' WHERE id = 1", join)
    race(*(f"UPDATE participation SET outcome = 'attended' WHERE session_id = 1 AND learner_id = {n}" for n in (3, 4)))


def test_words_are_found_after_any_change(engine: Engine) -> None:
    """The index of words on SQLite stays in step, also with rows that have no words at first or at last."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        first = book(connection, 1, starts_at=None, ends_at=None)
        second = book(connection, 2, description="Über Brüche")
        for session, words in ((first, "Algebra"), (second, None), (first, None), (second, "Algebra's end")):
            connection.execute(update(Session).where(Session.id == session).values(description=words))
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("INSERT INTO session_words (session_words, rank) VALUES ('integrity-check', 0)")
            query = "SELECT rowid FROM session_words WHERE session_words MATCH 'alg*'"
        else:
            said = triggers.words_expression("session")
            query = f"SELECT id FROM session WHERE {said} @@ to_tsquery('simple', 'alg:*')"
        assert connection.exec_driver_sql(query).scalars().all() == [second]

"""What the database keeps by itself, generated from the models for both engines (X2, X5).

*History*: before and after of every changed column, into the act under way; a write outside an act is refused.
*Occupancy*: who and which room is taken, kept in step with sessions and participations; overlaps are refused.
*Places*: no session takes more learners than it has places for, where it says how many.
*Counts*: how many attended or missed, from which the session's status is computed; any other value is refused.
*Numbers*: each one given out is remembered, so none is used again.
*Append-only*: what has been written there stays as it was: history, and all that is money.

SQLite works row by row and has no notion of a trigger's caller, so there each guard checks what it protects against
the facts. PostgreSQL works a statement at a time, and refuses whoever is not one of these triggers.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Table, UniqueConstraint, text

from db.base import Base
from db.models.sessions import COUNTS_AS_MISSED, FREES_LEARNER, LONGEST_SESSION
from db.words import Outcome

HISTORY = (
    "programme", "role_grant", "person", "relation", "team", "team_member", "people_group", "group_member",
    "course", "room", "timetable", "session", "session_course", "participation",
    "weekly_window", "dated_window", "time_off", "closure", "roster", "own_limits",
    "series", "series_skip", "waiting", "enrolment", "enrolment_step", "engagement", "evidence",
    "note", "dispute", "forfeit", "rate", "outcome_matrix", "biller", "payer", "paid_by",
)
MONEY = ("ledger_line", "period", "document", "document_line", "payment")
"""Tables that only grow: what stands there stays as it is (X4)."""
DERIVED = {"session": ("status", "attended", "missed")}
"""Columns that history leaves out, since the database works them out again."""

SEARCHED = {"session": ("description", "location"), "person": ("name", "email")}
"""Text that is found by words and by their beginnings."""

NO_ACT = "portal: written outside an act"
PERSON_BUSY = "portal: person busy"
ROOM_BUSY = "portal: room busy"
SESSION_FULL = "portal: session full"
DERIVED_ONLY = "portal: derived by the database"
APPEND_ONLY = "portal: append-only"
NUMBER_USED = "portal: number used before"
ID_FIXED = "portal: ids never change"
NOT_TWICE = "portal: the row exists"
NO_SESSION = "portal: participation without its session"
NOT_OPEN = "portal: no open act"
LINES_COME = 7_067_219
"""The advisory lock that writers of ledger lines share on PostgreSQL."""

_FREED = ", ".join(f"'{outcome}'" for outcome in FREES_LEARNER)
_MISSED = ", ".join(f"'{outcome}'" for outcome in COUNTS_AS_MISSED)
_ATTENDED = f"'{Outcome.ATTENDED}'"
_OVERFULL = (
    "s.places IS NOT NULL AND s.places < (SELECT count(*) FROM participation p WHERE p.session_id = s.id"
    f" AND (p.outcome IS NULL OR p.outcome NOT IN ({_FREED})))"
)
"""Whether more learners are in the session `s` than it has places; what has no number is not counted."""
_PUNCTUATION = "!\"#$%%&''()*+,-./:;<=>?@[\\]^_`{|}~"  # % is doubled for psycopg


def install(connection: Connection) -> None:
    """Create every trigger (and, on PostgreSQL, every function) of the portal."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def remove(connection: Connection) -> None:
    """Drop every trigger and function that `install` makes, however old."""
    if connection.dialect.name == "sqlite":
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        return
    rows = connection.execute(text(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace"
    )).all()
    for name, table in rows:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}" ON {table}')
    functions = connection.execute(text(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND proname LIKE 'portal\\_%' AND prorettype = 'trigger'::regtype"
    )).scalars().all()
    for signature in functions:
        connection.exec_driver_sql(f"DROP FUNCTION {signature}")


def search_statements(dialect: str) -> Iterator[str]:
    """What finds words: FTS5 tables on SQLite, one immutable function and GIN indexes on PostgreSQL."""
    if dialect == "sqlite":
        for table, columns in SEARCHED.items():
            yield (
                f"CREATE VIRTUAL TABLE {table}_words USING fts5({', '.join(columns)}, content='{table}',"
                " content_rowid='id', prefix='2 3', tokenize='unicode61 remove_diacritics 0')"
            )
        return
    yield (
        "CREATE FUNCTION portal_words(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
        f" SELECT to_tsvector('simple', translate(said, '{_PUNCTUATION}', repeat(' ', 32))) $$"
    )
    for table in SEARCHED:
        yield f"CREATE INDEX ix_{table}_words ON {table} USING gin ({words_expression(table)})"


def words_expression(table: str) -> str:
    """The indexed expression on PostgreSQL: the searched columns of a table as words."""
    said = " || ' ' || ".join(f"coalesce({column}, '')" for column in SEARCHED[table])
    return f"portal_words({said})"


def _statements(dialect: str) -> Iterator[str]:
    make = _sqlite if dialect == "sqlite" else _postgresql
    yield from make()


def _kept_columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in DERIVED.get(table.name, ())]


def _session_of(table: Table, row: str) -> str:
    if table.name == "session":
        return f"{row}.id"
    return f"{row}.session_id" if "session_id" in table.columns else "NULL"


# SQLite ------------------------------------------------------------------------------------------------------------


def _sqlite() -> Iterator[str]:
    for name in HISTORY:
        yield from _sqlite_history(Base.metadata.tables[name])
    yield from _sqlite_occupancy()
    yield from _sqlite_places()
    yield from _sqlite_counts()
    yield from _sqlite_numbers()
    yield from _sqlite_append_only()
    yield from _sqlite_replace()
    yield from _sqlite_search()


def _trigger(name: str, when: str, *body: str, only: str = "") -> str:
    condition = f" WHEN {only}" if only else ""
    return f"CREATE TRIGGER {name} {when}{condition} BEGIN {' '.join(statement + ';' for statement in body)} END"


def _refuse(name: str, when: str, why: str, only: str = "") -> str:
    return _trigger(name, when, f"SELECT RAISE(ABORT, '{why}')", only=only)


def _sqlite_history(table: Table) -> Iterator[str]:
    columns = _kept_columns(table)
    insert = "INSERT INTO change (change_set_id, table_name, row_id, session_id, before, after)"
    act = "(SELECT change_set_id FROM current_act)"

    def whole(row: str) -> str:
        pairs = ", ".join(f"'{column}', {row}.{column}" for column in columns)
        return f"json_patch('{{}}', json_object({pairs}))"

    def head(row: str) -> str:
        return f"{act}, '{table.name}', {row}.id, {_session_of(table, row)}"

    outside = f"SELECT RAISE(ABORT, '{NO_ACT}') WHERE {act} IS NULL"
    pairs = " UNION ALL ".join(f"SELECT '{c}' AS c, OLD.{c} AS b, NEW.{c} AS a" for c in columns)
    yield _trigger(
        f"history_{table.name}_insert", f"AFTER INSERT ON {table.name}", outside,
        f"{insert} VALUES ({head('NEW')}, NULL, {whole('NEW')})",
    )
    yield _trigger(
        f"history_{table.name}_update", f"AFTER UPDATE ON {table.name}", outside,
        f"{insert} SELECT {head('NEW')}, json_group_object(c, b), json_group_object(c, a)"
        f" FROM ({pairs}) WHERE +b IS NOT +a HAVING count(*) > 0",  # + leaves text text: '007' is not '7'
        only=" OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in columns),
    )
    yield _trigger(
        f"history_{table.name}_delete", f"AFTER DELETE ON {table.name}", outside,
        f"{insert} VALUES ({head('OLD')}, {whole('OLD')}, NULL)",
    )


def _sqlite_occupancy() -> Iterator[str]:
    def implied(row: str) -> str:
        """True where the facts say that this person or room is taken then by that session."""
        return (
            f"EXISTS (SELECT 1 FROM session s WHERE s.id = {row}.session_id AND s.cancelled_at IS NULL"
            f" AND s.starts_at = {row}.starts_at AND s.ends_at = {row}.ends_at"
            f" AND (s.practitioner_id = {row}.person_id OR s.room_id = {row}.room_id"
            f" OR EXISTS (SELECT 1 FROM participation p WHERE p.session_id = s.id AND p.learner_id = {row}.person_id"
            f" AND (p.outcome IS NULL OR p.outcome NOT IN ({_FREED})))))"
        )

    def busy(whom: str) -> str:
        return (
            f"NEW.{whom} IS NOT NULL AND EXISTS (SELECT 1 FROM occupancy o WHERE o.{whom} = NEW.{whom}"
            f" AND o.starts_at < NEW.ends_at AND o.starts_at > NEW.starts_at - {LONGEST_SESSION}"
            f" AND o.ends_at > NEW.starts_at)"
        )

    yield _trigger(
        "occupancy_guard", "BEFORE INSERT ON occupancy",
        f"SELECT RAISE(ABORT, '{DERIVED_ONLY}') WHERE NOT {implied('NEW')}"
        f" OR (NEW.ends_at - NEW.starts_at BETWEEN 1 AND {LONGEST_SESSION}) IS NOT TRUE",  # a shell may ignore checks
        f"SELECT RAISE(ABORT, '{PERSON_BUSY}') WHERE {busy('person_id')}",
        f"SELECT RAISE(ABORT, '{ROOM_BUSY}') WHERE {busy('room_id')}",
    )
    yield _refuse("occupancy_fixed", "BEFORE UPDATE ON occupancy", DERIVED_ONLY)
    yield _refuse("occupancy_kept", "BEFORE DELETE ON occupancy", DERIVED_ONLY, only=implied("OLD"))

    take = "INSERT INTO occupancy (session_id, person_id, room_id, starts_at, ends_at)"
    at = "NEW.starts_at, NEW.ends_at"
    on = "NEW.starts_at IS NOT NULL AND NEW.cancelled_at IS NULL"
    missing = "NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.session_id = NEW.id AND o.{0} = {1})"
    practitioner = f"{take} SELECT NEW.id, NEW.practitioner_id, NULL, {at} WHERE NEW.practitioner_id IS NOT NULL"
    room = f"{take} SELECT NEW.id, NULL, NEW.room_id, {at} WHERE NEW.room_id IS NOT NULL"
    yield _trigger("occupancy_session_insert", "AFTER INSERT ON session", practitioner, room, only=on)
    changed = " OR ".join(
        f"OLD.{c} IS NOT NEW.{c}" for c in ("practitioner_id", "room_id", "starts_at", "ends_at", "cancelled_at")
    )
    yield _trigger(
        "occupancy_session_update", "AFTER UPDATE ON session",
        f"DELETE FROM occupancy WHERE session_id = NEW.id AND NOT {implied('occupancy')}",
        f"{practitioner} AND {on} AND {missing.format('person_id', 'NEW.practitioner_id')}",
        f"{room} AND {on} AND {missing.format('room_id', 'NEW.room_id')}",
        f"{take} SELECT NEW.id, p.learner_id, NULL, {at} FROM participation p WHERE p.session_id = NEW.id"
        f" AND (p.outcome IS NULL OR p.outcome NOT IN ({_FREED})) AND {on}"
        f" AND {missing.format('person_id', 'p.learner_id')}",
        only=changed,
    )
    yield _trigger(
        "occupancy_session_delete", "AFTER DELETE ON session", "DELETE FROM occupancy WHERE session_id = OLD.id"
    )
    learner = (
        f"{take} SELECT s.id, NEW.learner_id, NULL, s.starts_at, s.ends_at FROM session s"
        " WHERE s.id = NEW.session_id AND s.starts_at IS NOT NULL AND s.cancelled_at IS NULL"
        f" AND (NEW.outcome IS NULL OR NEW.outcome NOT IN ({_FREED}))"
    )
    there = "NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.session_id = s.id AND o.person_id = NEW.learner_id)"
    gone = "DELETE FROM occupancy WHERE session_id = OLD.session_id AND person_id = OLD.learner_id"
    yield _trigger("occupancy_participation_insert", "AFTER INSERT ON participation", learner)
    yield _trigger(
        "occupancy_participation_update", "AFTER UPDATE ON participation",
        f"{gone} AND NOT {implied('occupancy')}", f"{learner} AND {there}",
        only="OLD.session_id IS NOT NEW.session_id OR OLD.learner_id IS NOT NEW.learner_id"
             " OR OLD.outcome IS NOT NEW.outcome",
    )
    yield _trigger(
        "occupancy_participation_delete", "AFTER DELETE ON participation", f"{gone} AND NOT {implied('occupancy')}"
    )

    # A shell has foreign keys off: a participation without its session would be nobody's time.
    lost = "NOT EXISTS (SELECT 1 FROM session s WHERE s.id = NEW.session_id)"
    yield _refuse("session_of_participation_insert", "BEFORE INSERT ON participation", NO_SESSION, only=lost)
    yield _refuse(
        "session_of_participation_update", "BEFORE UPDATE ON participation", NO_SESSION,
        only=f"OLD.session_id IS NOT NEW.session_id AND {lost}",
    )
    yield _refuse(
        "session_of_participation_delete", "BEFORE DELETE ON session", NO_SESSION,
        only="EXISTS (SELECT 1 FROM participation p WHERE p.session_id = OLD.id)",
    )


def _sqlite_places() -> Iterator[str]:
    def full(session: str) -> str:
        return f"SELECT RAISE(ABORT, '{SESSION_FULL}') FROM session s WHERE s.id = {session} AND {_OVERFULL}"

    yield _trigger("places_participation_insert", "AFTER INSERT ON participation", full("NEW.session_id"))
    yield _trigger(
        "places_participation_update", "AFTER UPDATE ON participation", full("NEW.session_id"),
        only="OLD.session_id IS NOT NEW.session_id OR OLD.outcome IS NOT NEW.outcome",
    )
    yield _trigger(
        "places_session_update", "AFTER UPDATE ON session", full("NEW.id"), only="OLD.places IS NOT NEW.places"
    )


def _sqlite_counts() -> Iterator[str]:
    def count(words: str, session: str) -> str:
        return f"(SELECT count(*) FROM participation p WHERE p.session_id = {session} AND p.outcome IN ({words}))"

    def recount(row: str) -> str:
        return (
            f"UPDATE session SET attended = {count(_ATTENDED, f'{row}.session_id')},"
            f" missed = {count(_MISSED, f'{row}.session_id')} WHERE id = {row}.session_id"
        )

    given = "NEW.attended <> 0 OR NEW.missed <> 0"
    yield _refuse("counts_insert", "BEFORE INSERT ON session", DERIVED_ONLY, only=given)
    yield _refuse(
        "counts_update", "BEFORE UPDATE ON session", DERIVED_ONLY,
        only="(NEW.attended IS NOT OLD.attended OR NEW.missed IS NOT OLD.missed) AND"
             f" (NEW.attended <> {count(_ATTENDED, 'NEW.id')} OR NEW.missed <> {count(_MISSED, 'NEW.id')})",
    )
    yield _trigger(
        "counts_participation_insert", "AFTER INSERT ON participation", recount("NEW"), only="NEW.outcome IS NOT NULL"
    )
    yield _trigger(
        "counts_participation_update", "AFTER UPDATE ON participation", recount("OLD"), recount("NEW"),
        only="OLD.outcome IS NOT NEW.outcome OR OLD.session_id IS NOT NEW.session_id",
    )
    yield _trigger(
        "counts_participation_delete", "AFTER DELETE ON participation", recount("OLD"), only="OLD.outcome IS NOT NULL"
    )


def _sqlite_numbers() -> Iterator[str]:
    give = "INSERT OR IGNORE INTO session_number (programme_id, number, session_id)"
    used = (
        f"SELECT RAISE(ABORT, '{NUMBER_USED}') FROM session_number n"
        " WHERE n.programme_id = NEW.programme_id AND n.number = NEW.number AND n.session_id <> NEW.id"
    )
    fresh = (
        "SELECT NEW.programme_id, NEW.number, NEW.id WHERE NOT EXISTS (SELECT 1 FROM session_number n"
        " WHERE n.programme_id = NEW.programme_id AND n.number = NEW.number)"
    )
    yield _trigger("number_insert", "AFTER INSERT ON session", used, f"{give} {fresh}")
    yield _trigger(
        "number_update", "AFTER UPDATE ON session", used, f"{give} {fresh}",
        only="OLD.number IS NOT NEW.number OR OLD.programme_id IS NOT NEW.programme_id",
    )


def _sqlite_append_only() -> Iterator[str]:
    for table in ("change", "session_number"):
        yield _refuse(f"{table}_fixed", f"BEFORE UPDATE ON {table}", APPEND_ONLY)
    for table in ("change", "session_number", "change_set"):
        yield _refuse(f"{table}_kept", f"BEFORE DELETE ON {table}", APPEND_ONLY)
    yield _refuse("change_set_fixed", "BEFORE UPDATE ON change_set", APPEND_ONLY, only=_ACT_CLOSED_SQLITE)
    yield _refuse(
        "change_forged", "BEFORE INSERT ON change", APPEND_ONLY,
        only="NEW.change_set_id IS NOT (SELECT change_set_id FROM current_act)"
             " OR EXISTS (SELECT 1 FROM change x WHERE x.id = NEW.id)",
    )
    yield _refuse(
        "session_number_forged", "BEFORE INSERT ON session_number", APPEND_ONLY,
        only="EXISTS (SELECT 1 FROM session_number x WHERE x.programme_id = NEW.programme_id AND x.number = NEW.number)"
             " OR NOT EXISTS (SELECT 1 FROM session s WHERE s.id = NEW.session_id"
             " AND s.programme_id = NEW.programme_id AND s.number = NEW.number)",
    )
    yield _trigger(
        "change_set_twice", "BEFORE INSERT ON change_set",
        "SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM change_set x WHERE x.key = NEW.key)",  # the same act again
        f"SELECT RAISE(ABORT, '{NOT_TWICE} UNIQUE change_set') WHERE EXISTS (SELECT 1 FROM change_set x"
        " WHERE x.id = NEW.id OR x.undoes_id = NEW.undoes_id)",
    )
    not_open = (
        "NEW.change_set_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM change_set x WHERE x.id = NEW.change_set_id AND x.said IS NULL)"
    )
    for event in ("INSERT", "UPDATE"):
        yield _refuse(f"current_act_{event.lower()}", f"BEFORE {event} ON current_act", NOT_OPEN, only=not_open)
    for table in MONEY:
        yield _refuse(f"{table}_fixed", f"BEFORE UPDATE ON {table}", APPEND_ONLY)
        yield _refuse(f"{table}_kept", f"BEFORE DELETE ON {table}", APPEND_ONLY)
        if "change_set_id" in Base.metadata.tables[table].columns:
            yield _refuse(f"{table}_forged", f"BEFORE INSERT ON {table}", NO_ACT,
                          only="NEW.change_set_id IS NOT (SELECT change_set_id FROM current_act)")


def _same(columns: list[str], differ: str) -> str:
    return " OR ".join(f"OLD.{column} {differ} NEW.{column}" for column in columns)


_ACT_COLUMNS = ["id", "key", "at", "actor_id", "source", "command", "undoes_id"]
"""Fixed from the start; the reason, like what is said, until the act is closed."""
_ACT_CLOSED_SQLITE = f"OLD.said IS NOT NULL OR OLD.result IS NOT NULL OR {_same(_ACT_COLUMNS, 'IS NOT')}"


def _sqlite_replace() -> Iterator[str]:
    """`INSERT OR REPLACE` deletes rows without their delete triggers, so it may not find any to replace."""
    for name in (*HISTORY, *MONEY):
        table = Base.metadata.tables[name]
        keys = [["id"], *sorted(
            [column.name for column in constraint.columns]
            for constraint in table.constraints if isinstance(constraint, UniqueConstraint)
        )]
        same = [" AND ".join(f"x.{column} = NEW.{column}" for column in columns) for columns in keys]
        exists = " OR ".join(f"EXISTS (SELECT 1 FROM {name} x WHERE {match})" for match in same)
        yield _refuse(f"replace_{name}_insert", f"BEFORE INSERT ON {name}", f"{NOT_TWICE} UNIQUE {name}", only=exists)
        if name in MONEY:
            continue
        # not `UPDATE OF id`, which does not see the same column set by its other names, such as rowid
        yield _refuse(f"replace_{name}_id", f"BEFORE UPDATE ON {name}", ID_FIXED, only="OLD.id IS NOT NEW.id")
        for columns, match in list(zip(keys, same, strict=True))[1:]:
            yield _refuse(
                f"replace_{name}_{'_'.join(columns)}", f"BEFORE UPDATE OF {', '.join(columns)} ON {name}",
                f"{NOT_TWICE} UNIQUE {name}", only=f"EXISTS (SELECT 1 FROM {name} x WHERE {match} AND x.id <> NEW.id)",
            )


def _sqlite_search() -> Iterator[str]:
    for table, columns in SEARCHED.items():
        names = ", ".join(columns)
        old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
        said = " OR ".join(f"NEW.{column} IS NOT NULL" for column in columns)
        was = " OR ".join(f"OLD.{column} IS NOT NULL" for column in columns)
        add = f"INSERT INTO {table}_words (rowid, {names}) SELECT NEW.id, {new} WHERE {said}"
        drop = f"INSERT INTO {table}_words ({table}_words, rowid, {names}) SELECT 'delete', OLD.id, {old} WHERE {was}"
        yield _trigger(f"words_{table}_insert", f"AFTER INSERT ON {table}", add, only=said)
        yield _trigger(f"words_{table}_delete", f"AFTER DELETE ON {table}", drop, only=was)
        yield _trigger(
            f"words_{table}_update", f"AFTER UPDATE ON {table}", drop, add, only=_same(list(columns), "IS NOT")
        )


# PostgreSQL --------------------------------------------------------------------------------------------------------

_EVENTS = {
    "insert": "REFERENCING NEW TABLE AS fresh",
    "update": "REFERENCING OLD TABLE AS gone NEW TABLE AS fresh",
    "delete": "REFERENCING OLD TABLE AS gone",
}


def _function(name: str, body: str, *settings: str) -> str:
    """A trigger's function. It looks in `public` first, so that no temporary table can stand in for one of ours.

    Its plans are kept for as long as the connection: one made while a table was small must do when it has grown.
    """
    settings = ("search_path = public, pg_temp", "enable_seqscan = off", *settings)
    given = " ".join(f"SET {setting}" for setting in settings)
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {given} AS $${body}$$"


def _after(name: str, table: str, event: str, function: str, *arguments: str) -> str:
    given = ", ".join(f"'{argument}'" for argument in arguments)
    return (
        f"CREATE TRIGGER {name}_{table}_{event} AFTER {event.upper()} ON {table} {_EVENTS[event]}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({given})"
    )


def _postgresql() -> Iterator[str]:
    yield _function(
        "portal_refuse",
        " BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation'; END ",
    )
    yield from _postgresql_history()
    yield from _postgresql_occupancy()
    yield from _postgresql_counts()
    yield from _postgresql_numbers()
    yield from _postgresql_guards()


def _postgresql_history() -> Iterator[str]:
    def act(name: str, select: str, *settings: str) -> str:
        return _function(f"portal_history_{name}", f"""DECLARE act bigint := (SELECT id FROM change_set
          WHERE id = nullif(current_setting('portal.act', true), '')::bigint AND said IS NULL);
        BEGIN IF act IS NULL THEN
          RAISE EXCEPTION USING MESSAGE = '{NO_ACT}', ERRCODE = 'integrity_constraint_violation'; END IF;
          INSERT INTO change (change_set_id, table_name, row_id, session_id, before, after)
          SELECT act, TG_TABLE_NAME, {select}; RETURN NULL; END""", *settings)

    # An argument is a derived column to leave out; the session's id is found in the row itself.
    session = "CASE WHEN TG_TABLE_NAME = 'session' THEN (r->>'id')::bigint ELSE (r->>'session_id')::bigint END"
    yield act(
        "update",
        f"""(r->>'id')::bigint, {session}, b, a
        FROM (SELECT to_jsonb(fresh) AS r, to_jsonb(gone) AS o FROM fresh JOIN gone USING (id) OFFSET 0) x, LATERAL
         (SELECT jsonb_object_agg(n.key, o->n.key) AS b, jsonb_object_agg(n.key, n.value) AS a
          FROM jsonb_each(r - TG_ARGV::text[]) n WHERE n.value IS DISTINCT FROM o->n.key) y
        WHERE a IS NOT NULL ORDER BY (r->>'id')::bigint""",
        "enable_nestloop = off",  # the plan made for one row is kept, and would be quadratic for a thousand
    )
    for name in HISTORY:
        table = Base.metadata.tables[name]
        pairs = ", ".join(f"'{column}': x.{column}" for column in _kept_columns(table))
        # without its empty columns, but with what is empty inside a document; a quarter of to_jsonb and taking apart
        row = f"json_object({pairs} ABSENT ON NULL RETURNING jsonb)"
        of = f"x.id, {_session_of(table, 'x')}"
        yield act(f"{name}_insert", f"{of}, NULL, {row} FROM fresh x ORDER BY x.id")
        yield act(f"{name}_delete", f"{of}, {row}, NULL FROM gone x ORDER BY x.id")
        left_out = DERIVED.get(name, ("-",))  # never none: without arguments TG_ARGV is NULL; and no column's name
        for event in ("insert", "delete"):
            yield _after("history", name, event, f"portal_history_{name}_{event}")
        yield _after("history", name, "update", "portal_history_update", *left_out)


def _postgresql_occupancy() -> Iterator[str]:
    take = "INSERT INTO occupancy (session_id, person_id, room_id, starts_at, ends_at) "
    on = "s.starts_at IS NOT NULL AND s.cancelled_at IS NULL"
    learns = f"(p.outcome IS NULL OR p.outcome NOT IN ({_FREED}))"

    def all_of(sessions: str) -> str:
        return (
            f"{take} SELECT s.id, s.practitioner_id, NULL::bigint, s.starts_at, s.ends_at FROM {sessions} s"
            f" WHERE s.practitioner_id IS NOT NULL AND {on}"
            f" UNION ALL SELECT s.id, NULL, s.room_id, s.starts_at, s.ends_at FROM {sessions} s"
            f" WHERE s.room_id IS NOT NULL AND {on}"
        )

    learners = "SELECT s.id, p.learner_id, NULL, s.starts_at, s.ends_at FROM {0} p JOIN {1} s ON s.id = p.session_id"
    yield _function("portal_occupancy_session_insert", f" BEGIN {all_of('fresh')}; RETURN NULL; END ")
    when = "id, practitioner_id, room_id, starts_at, ends_at, cancelled_at"
    moved = f"(SELECT {when} FROM fresh EXCEPT SELECT {when} FROM gone)"
    yield _function(
        "portal_occupancy_session_update",
        f""" BEGIN
        DELETE FROM occupancy o USING {moved} s WHERE o.session_id = s.id;
        {all_of(moved)} UNION ALL {learners.format('participation', moved)} WHERE {on} AND {learns};
        RETURN NULL; END """,
    )
    yield _function(
        "portal_occupancy_session_delete",
        " BEGIN DELETE FROM occupancy o USING gone WHERE o.session_id = gone.id; RETURN NULL; END ",
    )
    part = "id, session_id, learner_id, outcome"
    joined, left = (
        f"(SELECT {part} FROM {one} EXCEPT SELECT {part} FROM {other})"
        for one, other in (("fresh", "gone"), ("gone", "fresh"))
    )
    for event, come, go in (("insert", "fresh", ""), ("update", joined, left), ("delete", "", "gone")):
        body = _lock_sessions(f"SELECT session_id FROM {rows} x" for rows in (come, go) if rows)
        if go:
            body += (
                f"DELETE FROM occupancy o USING {go} p WHERE o.session_id = p.session_id AND o.person_id = p.learner_id"
                " AND NOT EXISTS (SELECT FROM session s WHERE s.id = p.session_id AND s.practitioner_id = o.person_id);"
            )
        if come:
            body += _refuse_overfull(f"s.id IN (SELECT session_id FROM {come} x)")
            body += f"{take} {learners.format(come, 'session')} WHERE {on} AND {learns};"
        yield _function(f"portal_occupancy_participation_{event}", f" BEGIN {body} RETURN NULL; END ")
    yield _function("portal_places", f" BEGIN {_refuse_overfull('s.id = NEW.id')} RETURN NULL; END ")
    yield (
        "CREATE TRIGGER places_session_update AFTER UPDATE OF places ON session FOR EACH ROW"
        " WHEN (OLD.places IS DISTINCT FROM NEW.places) EXECUTE FUNCTION portal_places()"
    )
    for table in ("session", "participation"):
        for event in _EVENTS:
            yield _after("occupancy", table, event, f"portal_occupancy_{table}_{event}")


def _refuse_overfull(which: str) -> str:
    return (
        f"IF EXISTS (SELECT FROM session s WHERE {which} AND {_OVERFULL}) THEN RAISE EXCEPTION"
        f" USING MESSAGE = '{SESSION_FULL}', ERRCODE = 'integrity_constraint_violation'; END IF;"
    )


def _lock_sessions(rows: Iterable[str]) -> str:
    """Wait for whoever changes these sessions now; the statements after it see what came of that."""
    return f"PERFORM FROM session WHERE id IN ({' UNION '.join(rows)}) ORDER BY id FOR NO KEY UPDATE;"


def _postgresql_counts() -> Iterator[str]:
    counts = (
        f"count(*) FILTER (WHERE p.outcome = {_ATTENDED}) AS a, count(*) FILTER (WHERE p.outcome IN ({_MISSED})) AS m"
    )

    def recount(rows: str) -> str:
        return f""" BEGIN
        {_lock_sessions([rows])}
        UPDATE session s SET attended = c.a, missed = c.m
        FROM (SELECT x.session_id, {counts} FROM ({rows}) x LEFT JOIN participation p USING (session_id)
              GROUP BY x.session_id) c
        WHERE s.id = c.session_id AND (s.attended, s.missed) IS DISTINCT FROM (c.a, c.m);
        RETURN NULL; END """

    recorded = "SELECT DISTINCT session_id FROM {0} WHERE outcome IS NOT NULL"
    part = "id, session_id, outcome"
    changed = " UNION ".join(
        f"SELECT session_id FROM (SELECT {part} FROM {one} EXCEPT SELECT {part} FROM {other}) y"
        for one, other in (("fresh", "gone"), ("gone", "fresh"))
    )
    for event, rows in (
        ("insert", recorded.format("fresh")), ("update", changed), ("delete", recorded.format("gone"))
    ):
        yield _function(f"portal_counts_{event}", recount(rows))
        yield _after("counts", "participation", event, f"portal_counts_{event}")
    yield _function(
        "portal_counts_guard",
        f""" BEGIN IF (NEW.attended, NEW.missed) IS DISTINCT FROM
          (SELECT (x.a, x.m) FROM (SELECT {counts} FROM participation p WHERE p.session_id = NEW.id) x)
        THEN RAISE EXCEPTION USING MESSAGE = '{DERIVED_ONLY}', ERRCODE = 'integrity_constraint_violation'; END IF;
        RETURN NEW; END """,
    )
    yield (
        "CREATE TRIGGER counts_guard BEFORE UPDATE ON session FOR EACH ROW"
        " WHEN (NEW.attended <> OLD.attended OR NEW.missed <> OLD.missed) EXECUTE FUNCTION portal_counts_guard()"
    )
    yield (
        "CREATE TRIGGER counts_insert BEFORE INSERT ON session FOR EACH ROW"
        f" WHEN (NEW.attended <> 0 OR NEW.missed <> 0) EXECUTE FUNCTION portal_refuse('{DERIVED_ONLY}')"
    )


def _postgresql_numbers() -> Iterator[str]:
    yield _function(
        "portal_number",
        f""" BEGIN
        INSERT INTO session_number (programme_id, number, session_id) SELECT programme_id, number, id FROM fresh
          ON CONFLICT DO NOTHING;
        IF EXISTS (SELECT 1 FROM fresh f JOIN session_number n USING (programme_id, number) WHERE n.session_id <> f.id)
        THEN RAISE EXCEPTION USING MESSAGE = '{NUMBER_USED}', ERRCODE = 'integrity_constraint_violation'; END IF;
        RETURN NULL; END """,
    )
    yield _after("number", "session", "insert", "portal_number")
    yield _function(
        "portal_number_changed",
        f""" BEGIN
        IF (NEW.programme_id, NEW.number) IS NOT DISTINCT FROM (OLD.programme_id, OLD.number) THEN RETURN NULL; END IF;
        INSERT INTO session_number (programme_id, number, session_id) VALUES (NEW.programme_id, NEW.number, NEW.id)
          ON CONFLICT DO NOTHING;
        IF EXISTS (SELECT 1 FROM session_number n WHERE n.programme_id = NEW.programme_id AND n.number = NEW.number
                   AND n.session_id <> NEW.id)
        THEN RAISE EXCEPTION USING MESSAGE = '{NUMBER_USED}', ERRCODE = 'integrity_constraint_violation'; END IF;
        RETURN NULL; END """,
    )
    yield (
        "CREATE TRIGGER number_session_update AFTER UPDATE OF number, programme_id ON session FOR EACH ROW"
        " EXECUTE FUNCTION portal_number_changed()"
    )


def _postgresql_guards() -> Iterator[str]:
    direct = "WHEN (pg_trigger_depth() = 0)"
    yield (
        "CREATE TRIGGER occupancy_guard BEFORE INSERT OR UPDATE OR DELETE ON occupancy FOR EACH STATEMENT"
        f" {direct} EXECUTE FUNCTION portal_refuse('{DERIVED_ONLY}')"
    )
    yield (
        "CREATE TRIGGER change_guard BEFORE INSERT OR UPDATE OR DELETE ON change FOR EACH STATEMENT"
        f" {direct} EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
    )
    yield (
        "CREATE TRIGGER session_number_guard BEFORE INSERT OR UPDATE OR DELETE ON session_number FOR EACH STATEMENT"
        f" {direct} EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
    )
    yield (
        "CREATE TRIGGER change_set_kept BEFORE DELETE ON change_set FOR EACH STATEMENT"
        f" EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
    )
    yield (
        "CREATE TRIGGER change_set_fixed BEFORE UPDATE ON change_set FOR EACH ROW WHEN (OLD.said IS NOT NULL"
        f" OR OLD.result IS NOT NULL OR {_same(_ACT_COLUMNS, 'IS DISTINCT FROM')})"
        f" EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
    )
    yield from _postgresql_money()
    for name in (*HISTORY, *MONEY, "occupancy", "change", "change_set", "session_number"):
        yield (
            f"CREATE TRIGGER truncate_{name} BEFORE TRUNCATE ON {name} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
        )
    for name in HISTORY:
        yield (
            f"CREATE TRIGGER id_{name} BEFORE UPDATE OF id ON {name} FOR EACH ROW WHEN (OLD.id <> NEW.id)"
            f" EXECUTE FUNCTION portal_refuse('{ID_FIXED}')"
        )


def _postgresql_money() -> Iterator[str]:
    yield _function(
        "portal_within_act",
        f""" BEGIN
        IF NEW.change_set_id IS DISTINCT FROM (SELECT id FROM change_set
          WHERE id = nullif(current_setting('portal.act', true), '')::bigint AND said IS NULL)
        THEN RAISE EXCEPTION USING MESSAGE = '{NO_ACT}', ERRCODE = 'integrity_constraint_violation'; END IF;
        RETURN NEW; END """,
    )
    # Who folds lines into totals waits for those still being written, so that none with a lower id comes after.
    yield _function(
        "portal_lines_come", f" BEGIN PERFORM pg_advisory_xact_lock_shared({LINES_COME}); RETURN NULL; END ")
    yield ("CREATE TRIGGER lines_come BEFORE INSERT ON ledger_line FOR EACH STATEMENT"
           " EXECUTE FUNCTION portal_lines_come()")
    for table in MONEY:
        yield (
            f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE ON {table} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION portal_refuse('{APPEND_ONLY}')"
        )
        if "change_set_id" in Base.metadata.tables[table].columns:
            yield (f"CREATE TRIGGER {table}_within_act BEFORE INSERT ON {table} FOR EACH ROW"
                   " EXECUTE FUNCTION portal_within_act()")

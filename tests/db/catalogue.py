"""The schema of a database as its own catalogue tells it, as lines that can be compared and read."""

import re

from sqlalchemy import Connection

_POSTGRESQL = {
    "table": "SELECT relname, relkind, relpersistence FROM pg_class WHERE relnamespace = 'public'::regnamespace"
             " AND relkind IN ('r', 'v', 'm', 'S', 'p')",
    "column": "SELECT attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,"
              " attgenerated, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
              " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
              " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped",
    "constraint": "SELECT conrelid::regclass, conname, contype, condeferrable, convalidated, pg_get_constraintdef(oid)"
                  " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "index": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "trigger": "SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger"
               " JOIN pg_class ON pg_class.oid = tgrelid"
               " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace",
    "function": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "extension": "SELECT extname FROM pg_extension",
}


def schema_of(connection: Connection) -> list[str]:
    """Tables, columns, defaults, constraints, indexes, triggers, functions; not what Alembic and the planner keep."""
    if connection.dialect.name == "sqlite":
        lines = _sqlite(connection)
    else:
        lines = [
            f"{kind}: {' | '.join(map(str, row))}"
            for kind, query in _POSTGRESQL.items() for row in connection.exec_driver_sql(query)
        ]
    return sorted(line for line in lines if "alembic_version" not in line and "sqlite_stat" not in line)


def _sqlite(connection: Connection) -> list[str]:
    """SQLite keeps each object's own words, so those are compared: part by part, whatever the order of a table's parts.

    The order of columns counts all the same.
    """
    lines = []
    objects = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master").all()
    for kind, name, table, sql in objects:
        if kind == "table" and sql and not sql.startswith("CREATE VIRTUAL") and "_words_" not in name:
            inside, after = sql[sql.index("(") + 1:sql.rindex(")")], sql[sql.rindex(")") + 1:]
            lines += [f"table: {name} | {_plain(part)}" for part in _parts(inside)]
            lines.append(f"table: {name} | {_plain(after)}")
            columns = connection.exec_driver_sql(f"PRAGMA table_xinfo({name})").all()
            lines += [f"column: {name} | {' | '.join(map(str, column))}" for column in columns]
            lines += [
                f"foreign key: {name} | {' | '.join(map(str, key[1:]))}"
                for key in connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})").all()
            ]
            lines += [
                f"options: {name} | {' | '.join(map(str, row[2:]))}"
                for row in connection.exec_driver_sql("PRAGMA table_list").all() if row[1] == name
            ]
        else:
            lines.append(f"{kind}: {name if sql else table} | {_plain(sql or '')}")
    lines.append(f"counted: {sum('AUTOINCREMENT' in (sql or '') for *_, sql in objects)}")
    return lines


def _plain(sql: str) -> str:
    """Without quotes around names and differences in white space."""
    return re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql.replace('"', ""))).strip()


def _parts(inside: str) -> list[str]:
    """Columns and constraints of a table: what stands between commas outside brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in inside:
        quoted ^= letter == "'"
        depth += (letter == "(") - (letter == ")") if not quoted else 0
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts

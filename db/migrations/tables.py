"""How a migration changes a table that already has rows."""

import re
from collections.abc import Callable

from alembic import op


def rebuild(name: str, change: Callable[[str], str] = str) -> None:
    """Make a table anew on SQLite by its own words, as `change` rewrites them; nothing on PostgreSQL, which alters.

    For what SQLite cannot alter: checks, keys, what may be empty. Columns come and go, and are renamed, by ALTER on
    both. Alembic's own way reads the table first and forgets what it cannot read: computed columns, indexes on
    expressions, and the counter of ids, so that one would be given out again.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    words = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL"
    made = connection.exec_driver_sql(words, ("table", name)).scalar_one()
    indexes = connection.exec_driver_sql(words, ("index", name)).scalars().all()
    counter = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).scalar()

    body = re.sub(r'^CREATE TABLE "?\w+"?', "", made)
    connection.exec_driver_sql(f'CREATE TABLE "{name}_new"{change(body)}')
    stored = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0"
    old, new = (connection.exec_driver_sql(stored, (table,)).scalars().all() for table in (name, f"{name}_new"))
    columns = ", ".join(f'"{column}"' for column in new if column in old)
    connection.exec_driver_sql(f'INSERT INTO "{name}_new" ({columns}) SELECT {columns} FROM "{name}"')
    connection.exec_driver_sql(f'DROP TABLE "{name}"')
    connection.exec_driver_sql(f'ALTER TABLE "{name}_new" RENAME TO "{name}"')
    for index in indexes:
        connection.exec_driver_sql(index)
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
    if counter is not None:
        connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, counter))

"""How a migration changes a table that already has rows."""

import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from db.types import Instant


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


def more(
    table: str, columns: list[sa.Column[object]], rules: dict[str, str], keys: dict[str, str] | None = None,
    unique: tuple[str, ...] = (),
) -> None:
    """More columns of a table, with what holds for them."""
    others = keys or {}
    for column in columns:
        op.add_column(table, column)
    said = [f"CONSTRAINT ck_{table}_{name} CHECK ({rule})" for name, rule in rules.items()]
    said += [f"CONSTRAINT fk_{table}_{name} FOREIGN KEY({name}) REFERENCES {other} (id)"
             for name, other in others.items()]
    if unique:
        said.append(f"CONSTRAINT uq_{table}_{'_'.join(unique)} UNIQUE ({', '.join(unique)})")
    rebuild(table, _with(said))
    if op.get_bind().dialect.name == "postgresql":
        for words in said:
            op.execute(f"ALTER TABLE {table} ADD {words}")


def _with(said: list[str]) -> Callable[[str], str]:
    def changed(words: str) -> str:
        inside, _, after = words.rpartition(")")
        return f"{inside}, {', '.join(said)}){after}"

    return changed


def id_column() -> sa.Column[object]:
    """The key."""
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def number(name: str, empty: bool = False) -> sa.Column[object]:
    """A whole number."""
    return sa.Column(name, sa.BigInteger(), nullable=empty)


def no(name: str) -> sa.Column[object]:
    """Yes or no; no unless said."""
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def text(name: str, empty: bool = False) -> sa.Column[object]:
    """A text."""
    return sa.Column(name, sa.Text(), nullable=empty)


def day(name: str, empty: bool = True) -> sa.Column[object]:
    """A local day."""
    return sa.Column(name, sa.Date(), nullable=empty)


def instant(name: str, empty: bool = False) -> sa.Column[object]:
    """A moment."""
    return sa.Column(name, Instant(), nullable=empty)


def checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    """Rules by their short names."""
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in rules.items()]


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    """What only one row may have."""
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def keys(table: str, **others: str) -> list[sa.Constraint]:
    """The key, and what points to other tables."""
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))
          for name, other in others.items()),
    ]

"""Migrating makes what the models say, and loses no row on the way."""

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, select, text

from db.base import Base
from db.engine import create_schema, make_engine, writing
from db.migrate import head, migrate, revision
from db.models.feeds import Feed
from db.models.sessions import Participation, Session
from db.words import Outcome, Status
from tests.conftest import Databases
from tests.db.catalogue import schema_of
from tests.db.raw import HOUR, ROOM, SAM, SARA, TEN, acting, book, one_of_each, people_and_rooms

LATER = '''
"""A later change, for tests alone."""

import sqlalchemy as sa
from alembic import op

from db.migrations.tables import rebuild

revision = "later"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rebuild("session")
    rebuild("person")
    {more}
'''


def schema(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return schema_of(connection)


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, history and occupancy among them."""
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
            for table in Base.metadata.sorted_tables
        }


def fill(engine: Engine) -> None:
    """A row or more in every table that people write in, with one session held."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        one_of_each(connection)
        held = book(connection, 1, SARA, SAM, room_id=ROOM, description="Fractions", comments_at=TEN, told_at=TEN)
        its = Participation.session_id == held
        connection.execute(Participation.__table__.update().where(its).values(outcome=Outcome.ATTENDED))
        connection.execute(insert(Feed).values(person_id=SARA, token_hash="0" * 64, made_at=TEN))
        gone = book(connection, 2, starts_at=None, ends_at=None)
        connection.execute(Session.__table__.delete().where(Session.id == gone))


def later(folder: Path, more: str = "") -> Path:
    """A folder with one more migration, which rebuilds two tables on SQLite."""
    (folder / "later.py").write_text(LATER.format(more=more, head=head()).lstrip())
    return folder


def test_migrating_makes_exactly_what_the_models_say(empty_engine: Engine, databases: Databases) -> None:
    """Triggers, functions, checks, exclusions, generated expressions, STRICT and words included."""
    other = databases.empty(empty_engine.dialect.name)
    with writing(other) as connection:
        create_schema(connection)
    assert revision(empty_engine) is None
    assert migrate(empty_engine) == head() == revision(empty_engine)
    migrated, made = schema(empty_engine), schema(other)
    assert [line for line in migrated if line not in made] == []
    assert [line for line in made if line not in migrated] == []
    assert migrated == made
    assert rows(empty_engine) == rows(other)
    databases.drop(other)


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    fill(engine)
    before, as_is = rows(engine), schema(engine)
    assert migrate(engine) == head()
    assert (rows(engine), schema(engine)) == (before, as_is)


def test_a_migration_keeps_every_row(engine: Engine, tmp_path: Path) -> None:
    """A rebuild on SQLite keeps participations, occupancy, history, status, triggers, words and the counter of ids."""
    fill(engine)
    before, as_is = rows(engine), schema(engine)
    assert before["participation"]
    assert before["occupancy"]
    assert migrate(engine, more=later(tmp_path)) == "later"
    assert rows(engine) == before
    assert schema(engine) == as_is
    with acting(engine) as connection:
        session = book(connection, 3, SARA, starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR)
        assert session == 1 + max(int(str(row[2])) for row in before["session_number"]), "ids are never used again"
        found = connection.execute(select(Session.status).where(Session.number.in_((1, 3))).order_by(Session.number))
        assert found.scalars().all() == [Status.COMPLETED, Status.SCHEDULED]


def test_a_migration_that_changes_columns_keeps_every_row(engine: Engine, tmp_path: Path) -> None:
    """A rule is rewritten, a column added, another renamed; what was computed still is."""
    fill(engine)
    before = rows(engine)
    migrate(engine, more=later(tmp_path, """
    op.add_column("session", sa.Column("colour", sa.Text(), server_default="grey", nullable=False))
    op.execute("ALTER TABLE person RENAME COLUMN about TO portrait")
    rebuild("room", lambda words: words.replace("CHECK (capacity > 0)", "CHECK (capacity >= 0)"))
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ck_room_capacity_positive", "room")
        op.create_check_constraint("capacity_positive", "room", "capacity >= 0")
    """))
    with acting(engine) as connection:
        assert set(connection.execute(text("SELECT colour FROM session")).scalars()) == {"grey"}
        connection.execute(text("SELECT portrait FROM person"))
        connection.execute(text("UPDATE room SET capacity = 0"))
        there = {table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()
                 for table in Base.metadata.sorted_tables if table.name not in ("change_set", "change")}
        found = connection.execute(select(Session.status).order_by(Session.id)).scalars().all()
    assert there.items() <= {name: len(found) for name, found in before.items()}.items()
    assert Status.COMPLETED in found


def test_a_migration_that_fails_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before, as_is = rows(engine), schema(engine)
    more = later(tmp_path, """
    op.execute("UPDATE person SET name = 'X'")
    raise ValueError("enough")
    """)
    with pytest.raises(ValueError, match="enough"):
        migrate(engine, more=more)
    assert (rows(engine), schema(engine), revision(engine)) == (before, as_is, head())


def test_a_migration_that_leaves_rows_pointing_nowhere_is_refused(databases: Databases, tmp_path: Path) -> None:
    """On SQLite, where foreign keys are off meanwhile; and they are on again afterwards."""
    engine = databases.clean("sqlite")
    fill(engine)
    before = rows(engine)
    with pytest.raises(RuntimeError, match="point nowhere"):
        migrate(engine, more=later(tmp_path, 'op.execute("DELETE FROM person WHERE id = 1")'))
    assert rows(engine) == before
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    databases.drop(engine)


def _migrate_there(url: str) -> str:
    engine = make_engine(url)
    try:
        return migrate(engine)
    finally:
        engine.dispose()


def test_several_processes_may_start_at_once(empty_engine: Engine) -> None:
    url = empty_engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert set(pool.map(_migrate_there, [url] * 4)) == {head()}
    assert revision(empty_engine) == head()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_constraints_are_named_by_convention(engine: Engine) -> None:
    names = re.compile(r"(pk|fk|uq|ck|ex)_[a-z_]+$")
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        found = [
            inspector.get_pk_constraint(table.name), *inspector.get_foreign_keys(table.name),
            *inspector.get_unique_constraints(table.name), *inspector.get_check_constraints(table.name),
        ]
        for constraint in found:
            name = constraint["name"]
            if name is None and constraint.get("constrained_columns") in (["id"], ["one"]):
                continue  # SQLite gives ids out only where the key stands in the column itself
            assert name is not None, (table.name, constraint)
            assert names.match(name), (table.name, constraint)
            assert name.split("_", 1)[1].startswith(table.name), (table.name, constraint)
        for index in inspector.get_indexes(table.name):
            if "duplicates_constraint" not in index:
                assert str(index["name"]).startswith((f"ix_{table.name}", f"ex_{table.name}")), index

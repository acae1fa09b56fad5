"""When people can be booked: weekly hours, exceptions, time off, closures, rosters, limits of one's own."""

import sqlalchemy as sa
from alembic import op

from db.migrations.tables import rebuild
from db.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KIND = {"sqlite_strict": True, "sqlite_autoincrement": True}
WINDOW = (
    "from_minute >= 0 AND from_minute < until_minute AND until_minute <= 1440"
    " AND from_minute % 5 = 0 AND until_minute % 5 = 0"
)
SLOT = "slot_minutes BETWEEN 15 AND 1440 AND slot_minutes % 5 = 0"


def upgrade() -> None:
    """Make the tables, and say how long a timetable's slots are."""
    op.create_table(
        "weekly_window", _id(), _to("programme"), _to("person", True), _to("timetable", True),
        *_numbers("weekday", "from_minute", "until_minute"), _zone(),
        sa.Column("from_day", sa.Date(), nullable=False), sa.Column("until_day", sa.Date()),
        *_checks(
            "weekly_window", somebodys="person_id IS NOT NULL OR timetable_id IS NOT NULL",
            weekday="weekday BETWEEN 0 AND 6", window=WINDOW, days_forward="until_day >= from_day",
            zone="length(zone) BETWEEN 1 AND 64",
        ),
        *_keys("weekly_window", "programme", "person", "timetable"), **KIND,
    )
    op.create_index("ix_weekly_window_person_id", "weekly_window", ["person_id", "programme_id"])
    op.create_index("ix_weekly_window_timetable_id", "weekly_window", ["timetable_id"])
    op.create_index("ix_weekly_window_programme_id", "weekly_window", ["programme_id"])
    op.create_table(
        "dated_window", _id(), _to("programme"), _to("person"), _to("timetable", True),
        sa.Column("day", sa.Date(), nullable=False), *_numbers("from_minute", "until_minute", empty=True), _zone(),
        *_checks(
            "dated_window", whole="(from_minute IS NULL) = (until_minute IS NULL)", window=WINDOW,
            zone="length(zone) BETWEEN 1 AND 64",
        ),
        *_keys("dated_window", "programme", "person", "timetable"), **KIND,
    )
    op.create_index("ix_dated_window_person_id", "dated_window", ["person_id", "programme_id", "day"])
    op.create_index("ix_dated_window_timetable_id", "dated_window", ["timetable_id"])
    op.create_table(
        "time_off", _id(), _to("person"), sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False), sa.Column("reason", sa.Text()),
        *_checks("time_off", forward="ends_at > starts_at", reason="length(reason) BETWEEN 0 AND 200"),
        *_keys("time_off", "person"), **KIND,
    )
    op.create_index("ix_time_off_person_id", "time_off", ["person_id", "ends_at"])
    op.create_table(
        "closure", _id(), _to("programme"), sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False), sa.Column("name", sa.Text(), nullable=False),
        *_checks("closure", forward="last_day >= first_day", name="length(name) BETWEEN 1 AND 120"),
        *_keys("closure", "programme"), **KIND,
    )
    op.create_index("ix_closure_programme_id", "closure", ["programme_id", "last_day"])
    op.create_table(
        "roster", _id(), _to("timetable"), _to("person"), *_keys("roster", "timetable", "person"),
        sa.UniqueConstraint("timetable_id", "person_id", name=op.f("uq_roster_timetable_id_person_id")), **KIND,
    )
    op.create_index("ix_roster_person_id", "roster", ["person_id"])
    op.create_table(
        "own_limits", _id(), _to("programme"), _to("person"),
        *_numbers("buffer_before", "buffer_after", "most_a_day", "most_a_week", empty=True),
        *_checks(
            "own_limits", buffer_before="buffer_before BETWEEN 0 AND 240 AND buffer_before % 5 = 0",
            buffer_after="buffer_after BETWEEN 0 AND 240 AND buffer_after % 5 = 0", most_a_day="most_a_day > 0",
            most_a_week="most_a_week > 0",
        ),
        *_keys("own_limits", "programme", "person"),
        sa.UniqueConstraint("programme_id", "person_id", name=op.f("uq_own_limits_programme_id_person_id")), **KIND,
    )
    op.create_index("ix_own_limits_person_id", "own_limits", ["person_id"])

    op.add_column("timetable", sa.Column("slot_minutes", sa.BigInteger()))
    rebuild("timetable", _with_check)
    if op.get_bind().dialect.name == "postgresql":
        op.create_check_constraint(op.f("ck_timetable_slot_minutes"), "timetable", SLOT)


def _with_check(words: str) -> str:
    inside, _, after = words.rpartition(")")
    return f"{inside}, CONSTRAINT ck_timetable_slot_minutes CHECK ({SLOT})){after}"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _to(table: str, empty: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.BigInteger(), nullable=empty)


def _numbers(*names: str, empty: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=empty) for name in names]


def _zone() -> sa.Column[str]:
    return sa.Column("zone", sa.Text(), nullable=False)


def _checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in rules.items()]


def _keys(table: str, *others: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(sa.ForeignKeyConstraint([f"{other}_id"], [f"{other}.id"], name=op.f(f"fk_{table}_{other}_id"))
          for other in others),
    ]

"""Series, places and waiting lists, smart rooms, enrolments, engagements, evidence."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from db.migrations.tables import rebuild
from db.types import Instant, Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KIND = {"sqlite_strict": True, "sqlite_autoincrement": True}
STATUSES = "'enrolled', 'in training', 'gateway', 'assessed', 'completed', 'withdrawn'"


def upgrade() -> None:
    """Make the tables, then the columns that point to them."""
    op.create_table(
        "series", _id(), _number("programme_id"), _text("every"), sa.Column("weekdays", Json, nullable=False),
        _number("nth", empty=True), _day("first_day", empty=False), _day("until_day"), _number("times", empty=True),
        _number("from_minute"), _number("minutes"), _text("zone"), _number("created_by"), _instant("created_at"),
        _number("version"),
        *_checks(
            "series", from_minute="from_minute BETWEEN 0 AND 1439", minutes="minutes BETWEEN 15 AND 1440",
            one_end="(until_day IS NULL) <> (times IS NULL)", times="times BETWEEN 1 AND 520",
            forward="until_day >= first_day", every="every IN ('daily', 'weekly', 'fortnightly', 'monthly')",
            zone="length(zone) BETWEEN 1 AND 64",
        ),
        *_keys("series", programme_id="programme", created_by="person"), **KIND,
    )
    op.create_index("ix_series_programme_id", "series", ["programme_id"])
    op.create_table(
        "series_skip", _id(), _number("series_id"), _day("day", empty=False), _text("reason"),
        *_checks("series_skip", reason="length(reason) BETWEEN 1 AND 300"),
        *_keys("series_skip", series_id="series"), _unique("series_skip", "series_id", "day"), **KIND,
    )
    op.create_table(
        "waiting", _id(), _number("session_id"), _number("learner_id"), _instant("since"), _number("added_by"),
        *_keys("waiting", session_id="session", learner_id="person", added_by="person"),
        _unique("waiting", "session_id", "learner_id"), **KIND,
    )
    op.create_index("ix_waiting_learner_id", "waiting", ["learner_id"])
    op.create_table(
        "enrolment", _id(), *(_number(f"{name}_id") for name in ("programme", "course", "learner")), _text("status"),
        _day("first_day"), _day("planned_end"), _number("off_job_minutes", empty=True), _instant("created_at"),
        _number("version"),
        *_checks(
            "enrolment", off_job_minutes="off_job_minutes >= 0", forward="planned_end >= first_day",
            status=f"status IN ({STATUSES})",
        ),
        *_keys("enrolment", programme_id="programme", course_id="course", learner_id="person"),
        _unique("enrolment", "course_id", "learner_id"), **KIND,
    )
    op.create_index("ix_enrolment_programme_id", "enrolment", ["programme_id"])
    op.create_index("ix_enrolment_learner_id", "enrolment", ["learner_id"])
    op.create_table(
        "enrolment_step", _id(), _number("enrolment_id"), _number("session_id", empty=True), _text("what"),
        _text("before", empty=True), _text("after", empty=True), _text("reason", empty=True), _instant("at"),
        _number("by_id"),
        *_checks(
            "enrolment_step", what="what IN ('status', 'first day of learning')",
            before="length(before) BETWEEN 0 AND 60", after="length(after) BETWEEN 0 AND 60",
            reason="length(reason) BETWEEN 0 AND 500",
        ),
        *_keys("enrolment_step", enrolment_id="enrolment", session_id="session", by_id="person"), **KIND,
    )
    op.create_index("ix_enrolment_step_enrolment_id", "enrolment_step", ["enrolment_id"])
    op.create_index("ix_enrolment_step_session_id", "enrolment_step", ["session_id"])
    op.create_table(
        "engagement", _id(), _number("programme_id"), _number("practitioner_id"), _number("learner_id", empty=True),
        _number("team_id", empty=True), _text("name"), _number("agreed_minutes", empty=True), _day("from_day"),
        _day("until_day"), _instant("retired_at", empty=True), _number("version"),
        *_checks(
            "engagement", learner_or_team="(learner_id IS NULL) <> (team_id IS NULL)",
            agreed_minutes="agreed_minutes > 0", forward="until_day >= from_day", name="length(name) BETWEEN 1 AND 120",
        ),
        *_keys("engagement", programme_id="programme", practitioner_id="person", learner_id="person", team_id="team"),
        **KIND,
    )
    for name in ("programme_id", "practitioner_id", "learner_id", "team_id"):
        op.create_index(f"ix_engagement_{name}", "engagement", [name])
    op.create_table(
        "evidence", _id(), _number("programme_id"), _number("learner_id"), _number("course_id", empty=True),
        _number("session_id", empty=True), _text("title"), _text("url", empty=True), _text("note", empty=True),
        _instant("at"), _number("by_id"),
        *_checks(
            "evidence", title="length(title) BETWEEN 1 AND 200", url="length(url) BETWEEN 0 AND 2000",
            note="length(note) BETWEEN 0 AND 4000",
        ),
        *_keys("evidence", programme_id="programme", learner_id="person", course_id="course", session_id="session",
               by_id="person"),
        **KIND,
    )
    op.create_index("ix_evidence_learner_id", "evidence", ["learner_id", "programme_id"])

    _more("course", [_number("off_job_minutes", empty=True), _number("weeks", empty=True)], {
        "off_job_minutes": "off_job_minutes >= 0", "weeks": "weeks BETWEEN 1 AND 520"})
    _more("room", [_no("smart"), _no("records")], {"smart_records": "smart OR NOT records"})
    _more(
        "session",
        [_number("series_id", empty=True), _day("series_day"), _instant("moved_at", empty=True),
         _number("engagement_id", empty=True), _number("places", empty=True), _no("records"),
         _text("recording_url", empty=True)],
        {"places": "places BETWEEN 1 AND 30", "series_whole": "(series_id IS NULL) = (series_day IS NULL)",
         "recording_url": "length(recording_url) BETWEEN 0 AND 2000"},
        {"series_id": "series", "engagement_id": "engagement"}, ("series_id", "series_day"),
    )
    op.create_index(
        "ix_session_engagement_id", "session", ["engagement_id"],
        sqlite_where=sa.text("engagement_id IS NOT NULL"), postgresql_where=sa.text("engagement_id IS NOT NULL"),
    )


def _more(
    table: str, columns: list[sa.Column[object]], rules: dict[str, str], keys: dict[str, str] | None = None,
    unique: tuple[str, ...] = (),
) -> None:
    """More columns of a table, with what holds for them."""
    keys = keys or {}
    for column in columns:
        op.add_column(table, column)
    said = [f"CONSTRAINT ck_{table}_{name} CHECK ({rule})" for name, rule in rules.items()]
    said += [f"CONSTRAINT fk_{table}_{name} FOREIGN KEY({name}) REFERENCES {other} (id)"
             for name, other in keys.items()]
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


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=empty)


def _no(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def _text(name: str, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=empty)


def _day(name: str, empty: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=empty)


def _instant(name: str, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, Instant(), nullable=empty)


def _checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in rules.items()]


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _keys(table: str, **others: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))
          for name, other in others.items()),
    ]

"""Notes, disputes, late changes, messages; rates, the outcome matrix, payers, the ledger, documents, payments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from db.migrations.tables import checks, day, id_column, instant, keys, more, number, text, unique
from db.types import Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KIND = {"sqlite_strict": True, "sqlite_autoincrement": True}
OUTCOMES = ("outcome IN ('attended', 'missed', 'cancelled late', 'cancelled in time', 'practitioner cancelled',"
            " 'practitioner absent')")
SIDES, UNITS, KINDS = "side IN ('billed', 'paid')", "unit IN ('hour', 'session')", "kind IN ('charge', 'payout')"
PEOPLE = {f"{name}_id": "person" for name in ("learner", "practitioner", "by", "author", "person")} | {
    "closed_by": "person", "answered_by": "person"}
OTHERS = {f"{name}_id": name for name in (
    "programme", "session", "course", "engagement", "team", "payer", "rate", "period", "document",
    "change_set")} | {"matrix_id": "outcome_matrix", "line_id": "ledger_line"} | PEOPLE


def upgrade() -> None:
    """Make the tables, then the columns of participations."""
    _notes()
    _rates()
    _ledger()
    _documents()
    more(
        "participation",
        [number("waited_minutes", empty=True), text("contact", empty=True), text("overruled", empty=True)],
        {"waited_minutes": "waited_minutes BETWEEN 0 AND 1440", "contact": _length("contact", 0, 300),
         "overruled": _length("overruled", 0, 500)},
    )


def _notes() -> None:
    _table(
        "note", number("session_id"), number("author_id"), text("kind"), text("body"), instant("submitted_at"),
        number("version"), rules={"kind": "kind IN ('shared', 'report')", "body": _length("body", 1, 8000)},
        only=[("session_id", "kind")],
    )
    _table(
        "dispute", number("session_id"), number("learner_id"), number("by_id"), text("claim"), instant("at"),
        text("answer", empty=True), number("answered_by", empty=True), instant("answered_at", empty=True),
        rules={"answer_whole": "(answered_at IS NULL) = (answer IS NULL)", "claim": _length("claim", 1, 1000),
               "answer": _length("answer", 1, 1000)},
        indexes=["session_id"],
    )
    _table(
        "forfeit", number("session_id"), number("learner_id"), number("practitioner_id", empty=True),
        instant("starts_at"), instant("ends_at"), text("wish"), sa.Column("charged", sa.Boolean(), nullable=False),
        text("reason"), instant("at"), number("by_id"),
        rules={"forward": "ends_at > starts_at", "wish": "wish IN ('learner', 'practitioner')",
               "reason": _length("reason", 1, 500)},
        indexes=["session_id"],
    )
    _table(
        "message", text("key"), text("kind"), number("person_id"), number("programme_id"),
        number("session_id", empty=True), text("subject"), text("body"), instant("queued_at"),
        instant("sent_at", empty=True), number("change_set_id"),
        rules={"key": _length("key", 1, 120), "kind": _length("kind", 1, 40), "subject": _length("subject", 1, 200),
               "body": _length("body", 1, 4000)},
        only=[("key",)],
    )
    op.create_index("ix_message_person_id", "message", ["person_id", "id"])


def _rates() -> None:
    _table(
        "rate", number("programme_id"), text("side"), text("unit"), number("amount"), number("course_id", empty=True),
        text("type", empty=True), number("practitioner_id", empty=True), number("engagement_id", empty=True),
        day("from_day", empty=False), day("until_day"), number("version"),
        rules={"amount": "amount >= 0", "forward": "until_day >= from_day", "side": SIDES, "unit": UNITS,
               "type": _length("type", 1, 60)},
        indexes=["programme_id", "engagement_id"],
    )
    _table(
        "outcome_matrix", number("programme_id"), day("from_day", empty=False),
        sa.Column("shares", Json, nullable=False), sa.Column("team_once", sa.Boolean(), nullable=False),
        number("version"), only=[("programme_id", "from_day")],
    )
    _table(
        "biller", number("programme_id"), text("name"), text("address", empty=True), text("tax_number", empty=True),
        number("tax_rate"), text("bank", empty=True), number("terms_days"), text("prefix"), number("version"),
        rules={"terms_days": "terms_days BETWEEN 0 AND 365", "tax_rate": "tax_rate BETWEEN 0 AND 10000",
               "name": _length("name", 1, 120), "address": _length("address", 0, 500),
               "tax_number": _length("tax_number", 0, 40), "bank": _length("bank", 0, 500),
               "prefix": _length("prefix", 0, 12)},
        only=[("programme_id",)],
    )
    _table(
        "payer", number("programme_id"), number("person_id", empty=True), text("name"), text("address", empty=True),
        text("email", empty=True), text("tax_number", empty=True), number("tax_rate", empty=True),
        instant("retired_at", empty=True), number("version"),
        rules={"tax_rate": "tax_rate BETWEEN 0 AND 10000", "name": _length("name", 1, 120),
               "address": _length("address", 0, 500), "email": _length("email", 0, 254),
               "tax_number": _length("tax_number", 0, 40)},
        indexes=["programme_id", "person_id"],
    )
    _table(
        "paid_by", number("programme_id"), number("payer_id"), number("learner_id", empty=True),
        number("team_id", empty=True), day("from_day", empty=False), number("version"),
        rules={"learner_or_team": "(learner_id IS NULL) <> (team_id IS NULL)"}, indexes=["payer_id"],
        only=[("programme_id", "learner_id", "from_day"), ("team_id", "from_day")],
    )


def _ledger() -> None:
    _table(
        "ledger_line", number("change_set_id"), instant("at"), number("programme_id"), text("kind"),
        *(number(name) for name in ("session_id", "part", "forfeit_part", "turn")),
        *(number(f"{name}_id", empty=True) for name in (
            "learner", "team", "payer", "practitioner", "course")),
        day("day", empty=False), text("outcome"), number("minutes"), text("unit"), number("unit_amount"),
        text("share"), number("rate_id"), number("matrix_id", empty=True), number("amount"), text("currency"),
        number("reverses_id", empty=True), text("reason", empty=True),
        rules={"minutes": "minutes >= 0", "turn": "turn > 0", "kind": KINDS, "outcome": OUTCOMES, "unit": UNITS,
               "share": _length("share", 1, 20), "currency": _length("currency", 3, 3),
               "reason": _length("reason", 0, 500)},
        only=[("session_id", "kind", "part", "forfeit_part", "turn"), ("reverses_id",)],
        points={"reverses_id": "ledger_line"},
    )
    op.create_index("ix_ledger_line_programme_id", "ledger_line", ["programme_id", "day", "id"])
    op.create_index("ix_ledger_line_payer_id", "ledger_line", ["payer_id", "id"])
    op.create_index("ix_ledger_line_practitioner_id", "ledger_line", ["practitioner_id", "day", "id"])
    op.create_index("ix_ledger_line_learner_id", "ledger_line", ["learner_id", "day", "id"])
    op.create_index("ix_ledger_line_team_id", "ledger_line", ["team_id", "day", "id"])
    op.create_index("ix_ledger_line_rate_id", "ledger_line", ["rate_id"])
    key = ("programme_id", "month", "kind", "by", "what")
    op.create_table(
        "ledger_total", number("programme_id"), day("month", empty=False), text("kind"), text("by"), text("what"),
        number("amount"), number("minutes"), number("lines"),
        *checks("ledger_total", kind=KINDS, by="by IN ('outcome', 'practitioner', 'course', 'payer')",
                what=_length("what", 1, 40)),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_ledger_total")), **KIND,
    )
    op.create_index("ix_ledger_total_by", "ledger_total", ["by", "programme_id", "month", "kind", "what"])
    op.create_table(
        "ledger_fold", sa.Column("one", sa.BigInteger(), autoincrement=False, nullable=False), number("line_id"),
        *checks("ledger_fold", one_row="one = 1"),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_ledger_fold")), **KIND,
    )
    op.execute("INSERT INTO ledger_fold (one, line_id) VALUES (1, 0)")


def _documents() -> None:
    _table(
        "period", number("programme_id"), day("from_day", empty=False), day("until_day", empty=False),
        instant("closed_at"), number("closed_by"), number("change_set_id"),
        rules={"forward": "until_day >= from_day"}, only=[("programme_id", "until_day")],
    )
    _table(
        "document", number("programme_id"), number("period_id", empty=True), text("kind"), number("number"),
        number("payer_id", empty=True), number("practitioner_id", empty=True), number("cancels_id", empty=True),
        day("issued_on", empty=False), day("due_on", empty=False), text("currency"),
        *(number(name) for name in ("net", "tax_rate", "tax", "gross")),
        sa.Column("header", Json, nullable=False), text("reason", empty=True), number("change_set_id"),
        rules={"number": "number > 0", "one_side": "(payer_id IS NULL) <> (practitioner_id IS NULL)",
               "sums_up": "gross = net + tax", "kind": "kind IN ('invoice', 'credit note', 'payout statement')",
               "currency": _length("currency", 3, 3), "reason": _length("reason", 0, 500)},
        only=[("programme_id", "kind", "number"), ("cancels_id",)], points={"cancels_id": "document"},
        indexes=["period_id", "payer_id", "practitioner_id"],
    )
    op.create_index("ix_document_programme_id", "document", ["programme_id", "issued_on"])
    _table("document_line", number("document_id"), number("line_id"), only=[("line_id",)], indexes=["document_id"])
    _table(
        "payment", number("document_id"), day("day", empty=False), number("amount"), text("reference", empty=True),
        number("reverses_id", empty=True), instant("at"), number("change_set_id"),
        rules={"amount": "amount <> 0", "reference": _length("reference", 0, 200)}, only=[("reverses_id",)],
        indexes=["document_id"], points={"reverses_id": "payment"},
    )


def _table(
    name: str, *columns: sa.Column[object], rules: dict[str, str] | None = None,
    only: Sequence[tuple[str, ...]] = (), indexes: Sequence[str] = (), points: dict[str, str] | None = None,
) -> None:
    """A table with an id, and keys to whatever its columns are named after."""
    others = {**OTHERS, **(points or {})}
    op.create_table(
        name, id_column(), *columns, *checks(name, **(rules or {})),
        *keys(name, **{column.name: others[column.name] for column in columns if column.name in others}),
        *(unique(name, *those) for those in only), **KIND,
    )
    for column in indexes:
        op.create_index(f"ix_{name}_{column}", name, [column])


def _length(column: str, least: int, most: int) -> str:
    return f"length({column}) BETWEEN {least} AND {most}"

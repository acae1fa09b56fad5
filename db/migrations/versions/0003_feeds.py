"""Calendar addresses."""

import sqlalchemy as sa
from alembic import op

from db.types import Instant

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of addresses."""
    op.create_table(
        "feed",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("timetable_id", sa.BigInteger()),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant()),
        sa.CheckConstraint("length(token_hash) BETWEEN 64 AND 64", name=op.f("ck_feed_token_hash")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_feed_person_id")),
        sa.ForeignKeyConstraint(["timetable_id"], ["timetable.id"], name=op.f("fk_feed_timetable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_feed_token_hash")),
        sqlite_strict=True, sqlite_autoincrement=True,
    )
    op.create_index("ix_feed_timetable_id", "feed", ["timetable_id"])
    op.create_index(
        "ix_feed_works", "feed", ["person_id", sa.text("coalesce(timetable_id, 0)")], unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"), postgresql_where=sa.text("revoked_at IS NULL"),
    )

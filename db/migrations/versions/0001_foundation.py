"""The foundation: people, programmes, sessions with their guards, history, sign-in, notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.types import Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KIND = {"sqlite_strict": True, "sqlite_autoincrement": True}
STATUS = """CASE
 WHEN cancelled_at IS NOT NULL THEN 'cancelled'
 WHEN attended > 0 AND told_at IS NOT NULL
  AND CASE WHEN report_required THEN report_published_at ELSE comments_at END IS NOT NULL THEN 'completed'
 WHEN attended > 0 THEN 'held'
 WHEN missed > 0 THEN 'missed'
 WHEN practitioner_id IS NULL THEN 'unassigned'
 WHEN access_asked_at IS NOT NULL AND access_granted_at IS NULL THEN 'pending'
 WHEN joined_at IS NOT NULL AND left_at IS NULL THEN 'live'
 WHEN submitted_at IS NOT NULL THEN 'submitted'
 WHEN starts_at IS NULL THEN 'unscheduled'
 ELSE 'scheduled' END"""
SEARCHED = {"session": ("description", "location"), "person": ("name", "email")}
PUNCTUATION = "!\"#$%%&''()*+,-./:;<=>?@[\\]^_`{|}~"  # % is doubled for psycopg
FUNCTION = (
    "LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    f" SELECT to_tsvector('simple', translate(said, '{PUNCTUATION}', repeat(' ', 32))) $$"
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def upgrade() -> None:
    """Make every table, and what finds words in them."""
    op.create_table(
        "installation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 40", name=op.f("ck_installation_key")),
        sa.CheckConstraint("length(value) BETWEEN 0 AND 200", name=op.f("ck_installation_value")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_installation")),
        **KIND,
    )
    op.create_table(
        "occupancy",
        _id(),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger()),
        sa.Column("room_id", sa.BigInteger()),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(person_id, person_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("person_id IS NOT NULL"),
            using="gist",
            name="ex_occupancy_person_id",
        ).ddl_if(dialect="postgresql"),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(room_id, room_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("room_id IS NOT NULL"),
            using="gist",
            name="ex_occupancy_room_id",
        ).ddl_if(dialect="postgresql"),
        sa.CheckConstraint(
            "ends_at - starts_at <= interval '86400 seconds'", name=op.f("ck_occupancy_at_most_a_day")
        ).ddl_if(dialect="postgresql"),
        sa.CheckConstraint("(person_id IS NULL) <> (room_id IS NULL)", name=op.f("ck_occupancy_person_or_room")),
        sa.CheckConstraint("ends_at - starts_at <= 86400", name=op.f("ck_occupancy_at_most_a_day")).ddl_if(
            dialect="sqlite"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occupancy")),
        sa.UniqueConstraint("session_id", "person_id", name=op.f("uq_occupancy_session_id_person_id")),
        sa.UniqueConstraint("session_id", "room_id", name=op.f("uq_occupancy_session_id_room_id")),
        **KIND,
    )
    op.create_index("ix_occupancy_person_id", "occupancy", ["person_id", "starts_at", "ends_at"])
    op.create_index("ix_occupancy_room_id", "occupancy", ["room_id", "starts_at", "ends_at"])
    op.create_table(
        "person",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("about", sa.Text()),
        sa.Column("zone", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(about) BETWEEN 0 AND 4000", name=op.f("ck_person_about")),
        sa.CheckConstraint("length(email) BETWEEN 3 AND 254", name=op.f("ck_person_email")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_person_name")),
        sa.CheckConstraint("length(phone) BETWEEN 0 AND 40", name=op.f("ck_person_phone")),
        sa.CheckConstraint("length(zone) BETWEEN 1 AND 64", name=op.f("ck_person_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
        **KIND,
    )
    op.create_index("ix_person_email_lower", "person", [sa.literal_column("lower(email)")])
    op.create_index("ix_person_name", "person", ["name", "id"])
    op.create_table(
        "programme",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("policy", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('peer advice', 'event mentoring', 'apprenticeship', 'coaching', 'tutoring')",
            name=op.f("ck_programme_kind"),
        ),
        sa.CheckConstraint("length(currency) BETWEEN 3 AND 3", name=op.f("ck_programme_currency")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_programme_name")),
        sa.CheckConstraint("length(zone) BETWEEN 1 AND 64", name=op.f("ck_programme_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("name", name=op.f("uq_programme_name")),
        **KIND,
    )
    op.create_table(
        "session_number",
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "number", name=op.f("pk_session_number")),
        **KIND,
    )
    op.create_table(
        "sign_in_attempt",
        _id(),
        sa.Column("account_hash", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.CheckConstraint("length(account_hash) BETWEEN 64 AND 64", name=op.f("ck_sign_in_attempt_account_hash")),
        sa.CheckConstraint("length(address_hash) BETWEEN 64 AND 64", name=op.f("ck_sign_in_attempt_address_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
        **KIND,
    )
    op.create_index("ix_sign_in_attempt_account_hash_at", "sign_in_attempt", ["account_hash", "at"])
    op.create_index("ix_sign_in_attempt_address_hash_at", "sign_in_attempt", ["address_hash", "at"])
    op.create_table(
        "account",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.CheckConstraint("length(password_hash) BETWEEN 0 AND 300", name=op.f("ck_account_password_hash")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_account")),
        **KIND,
    )
    op.create_table(
        "change_set",
        _id(),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("undoes_id", sa.BigInteger()),
        sa.Column("said", sa.Text()),
        sa.Column("result", Json),
        sa.Column("digest", sa.Text()),
        sa.CheckConstraint("length(command) BETWEEN 1 AND 80", name=op.f("ck_change_set_command")),
        sa.CheckConstraint("length(digest) BETWEEN 0 AND 64", name=op.f("ck_change_set_digest")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 80", name=op.f("ck_change_set_key")),
        sa.CheckConstraint("length(reason) BETWEEN 0 AND 500", name=op.f("ck_change_set_reason")),
        sa.CheckConstraint("length(said) BETWEEN 0 AND 2000", name=op.f("ck_change_set_said")),
        sa.CheckConstraint("length(source) BETWEEN 1 AND 40", name=op.f("ck_change_set_source")),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_change_set_actor_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["change_set.id"], name=op.f("fk_change_set_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_set")),
        sa.UniqueConstraint("key", name=op.f("uq_change_set_key")),
        **KIND,
    )
    op.create_index("ix_change_set_actor_id_at", "change_set", ["actor_id", "at"])
    op.create_index("ix_change_set_undoes_id", "change_set", ["undoes_id"], unique=True)
    op.create_table(
        "course",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("retired_at", Instant()),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_course_name")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_course_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_course_programme_id_name")),
        **KIND,
    )
    op.create_table(
        "notice",
        _id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.BigInteger()),
        sa.Column("session_id", sa.BigInteger()),
        sa.Column("change_set_id", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("read_at", Instant()),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 500", name=op.f("ck_notice_text")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_notice_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        **KIND,
    )
    op.create_index("ix_notice_person_id", "notice", ["person_id", "read_at", "id"])
    op.create_table(
        "one_time_link",
        _id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.CheckConstraint("purpose IN ('invitation', 'password')", name=op.f("ck_one_time_link_purpose")),
        sa.CheckConstraint("length(token_hash) BETWEEN 64 AND 64", name=op.f("ck_one_time_link_token_hash")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_one_time_link_created_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_one_time_link_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
        **KIND,
    )
    op.create_index(op.f("ix_one_time_link_person_id"), "one_time_link", ["person_id"])
    op.create_table(
        "people_group",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_people_group_name")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_people_group_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_group")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_people_group_programme_id_name")),
        **KIND,
    )
    op.create_table(
        "relation",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("tie", sa.Text(), nullable=False),
        sa.Column("adult_id", sa.BigInteger(), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("tie IN ('guardian', 'line manager')", name=op.f("ck_relation_tie")),
        sa.ForeignKeyConstraint(["adult_id"], ["person.id"], name=op.f("fk_relation_adult_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["person.id"], name=op.f("fk_relation_learner_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_relation_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation")),
        sa.UniqueConstraint(
            "programme_id",
            "tie",
            "adult_id",
            "learner_id",
            name=op.f("uq_relation_programme_id_tie_adult_id_learner_id"),
        ),
        **KIND,
    )
    op.create_index(op.f("ix_relation_adult_id"), "relation", ["adult_id"])
    op.create_index(op.f("ix_relation_learner_id"), "relation", ["learner_id"])
    op.create_table(
        "role_grant",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("permissions", Json),
        sa.CheckConstraint(
            "role IN ('master admin', 'basic admin', 'curriculum manager', 'custom manager',"
            " 'insight viewer', 'practitioner', 'learner', 'guardian', 'line manager')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_role_grant_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "programme_id", "role", "person_id", name=op.f("uq_role_grant_programme_id_role_person_id")
        ),
        **KIND,
    )
    op.create_index(op.f("ix_role_grant_person_id"), "role_grant", ["person_id"])
    op.create_table(
        "room",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", Instant()),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_room_capacity_positive")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_room_name")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_room_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_room_programme_id_name")),
        **KIND,
    )
    op.create_table(
        "saved_view",
        _id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("screen", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.CheckConstraint("length(address) BETWEEN 0 AND 4000", name=op.f("ck_saved_view_address")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 60", name=op.f("ck_saved_view_name")),
        sa.CheckConstraint("length(screen) BETWEEN 1 AND 40", name=op.f("ck_saved_view_screen")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_saved_view_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "person_id", "programme_id", "screen", "name", name=op.f("uq_saved_view_person_id_programme_id_screen_name")
        ),
        **KIND,
    )
    op.create_table(
        "sign_in",
        _id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.Column("browser", sa.Text()),
        sa.CheckConstraint("length(browser) BETWEEN 0 AND 200", name=op.f("ck_sign_in_browser")),
        sa.CheckConstraint("length(token_hash) BETWEEN 64 AND 64", name=op.f("ck_sign_in_token_hash")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
        **KIND,
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"])
    op.create_table(
        "team",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("idea", sa.Text()),
        sa.Column("retired_at", Instant()),
        sa.CheckConstraint("length(idea) BETWEEN 0 AND 300", name=op.f("ck_team_idea")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_team_name")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_team_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_team_programme_id_name")),
        **KIND,
    )
    op.create_index(
        "ix_team_programme_id_idea", "team", ["programme_id", "idea", "id"], postgresql_ops={"idea": "NULLS FIRST"}
    )
    op.create_table(
        "timetable",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column("retired_at", Instant()),
        sa.CheckConstraint("(kind = 'custom') = (owner_id IS NOT NULL)", name=op.f("ck_timetable_custom_has_owner")),
        sa.CheckConstraint("kind IN ('regular', 'custom')", name=op.f("ck_timetable_kind")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_timetable_name")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_timetable_owner_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_timetable_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timetable")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_timetable_programme_id_name")),
        **KIND,
    )
    op.create_index("ix_timetable_owner_id", "timetable", ["owner_id"])
    op.create_table(
        "change",
        _id(),
        sa.Column("change_set_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger()),
        sa.Column("before", Json),
        sa.Column("after", Json),
        sa.CheckConstraint("length(table_name) BETWEEN 1 AND 40", name=op.f("ck_change_table_name")),
        sa.ForeignKeyConstraint(["change_set_id"], ["change_set.id"], name=op.f("fk_change_change_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        **KIND,
    )
    op.create_index("ix_change_change_set_id", "change", ["change_set_id", "id"])
    op.create_index("ix_change_row", "change", ["table_name", "row_id", "id"])
    op.create_index("ix_change_session_id", "change", ["session_id", "id"])
    op.create_table(
        "current_act",
        sa.Column("one", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_set_id", sa.BigInteger()),
        sa.CheckConstraint("one = 1", name=op.f("ck_current_act_one_row")),
        sa.ForeignKeyConstraint(["change_set_id"], ["change_set.id"], name=op.f("fk_current_act_change_set_id")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_current_act")),
        **KIND,
    )
    op.create_table(
        "group_member",
        _id(),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["people_group.id"], name=op.f("fk_group_member_group_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_group_member_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_member")),
        sa.UniqueConstraint("group_id", "person_id", name=op.f("uq_group_member_group_id_person_id")),
        **KIND,
    )
    op.create_index(op.f("ix_group_member_person_id"), "group_member", ["person_id"])
    op.create_table(
        "session",
        _id(),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger()),
        sa.Column("team_id", sa.BigInteger()),
        sa.Column("timetable_id", sa.BigInteger()),
        sa.Column("room_id", sa.BigInteger()),
        sa.Column("follows_id", sa.BigInteger()),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("location", sa.Text()),
        sa.Column("planning_notes", sa.Text()),
        sa.Column("report_required", sa.Boolean(), nullable=False),
        sa.Column("starts_at", Instant()),
        sa.Column("ends_at", Instant()),
        sa.Column("cancelled_at", Instant()),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("access_asked_at", Instant()),
        sa.Column("access_granted_at", Instant()),
        sa.Column("submitted_at", Instant()),
        sa.Column("joined_at", Instant()),
        sa.Column("left_at", Instant()),
        sa.Column("report_published_at", Instant()),
        sa.Column("comments_at", Instant()),
        sa.Column("told_at", Instant()),
        sa.Column("attended", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("missed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), sa.Computed(STATUS), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "ends_at - starts_at <= interval '86400 seconds'", name=op.f("ck_session_at_most_a_day")
        ).ddl_if(dialect="postgresql"),
        sa.CheckConstraint("method IN ('traditional', 'smart')", name=op.f("ck_session_method")),
        sa.CheckConstraint("origin IN ('booking', 'request', 'copy', 'import')", name=op.f("ck_session_origin")),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_session_meeting_whole")),
        sa.CheckConstraint("ends_at - starts_at <= 86400", name=op.f("ck_session_at_most_a_day")).ddl_if(
            dialect="sqlite"
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_session_meeting_forward")),
        sa.CheckConstraint("length(cancel_reason) BETWEEN 0 AND 500", name=op.f("ck_session_cancel_reason")),
        sa.CheckConstraint("length(description) BETWEEN 0 AND 300", name=op.f("ck_session_description")),
        sa.CheckConstraint("length(location) BETWEEN 0 AND 200", name=op.f("ck_session_location")),
        sa.CheckConstraint("length(planning_notes) BETWEEN 0 AND 4000", name=op.f("ck_session_planning_notes")),
        sa.CheckConstraint("length(type) BETWEEN 1 AND 60", name=op.f("ck_session_type")),
        sa.CheckConstraint("number > 0", name=op.f("ck_session_number_positive")),
        sa.CheckConstraint("starts_at IS NOT NULL OR room_id IS NULL", name=op.f("ck_session_room_needs_meeting")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_session_created_by")),
        sa.ForeignKeyConstraint(["follows_id"], ["session.id"], name=op.f("fk_session_follows_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["person.id"], name=op.f("fk_session_practitioner_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_session_programme_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_session_room_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_session_team_id")),
        sa.ForeignKeyConstraint(["timetable_id"], ["timetable.id"], name=op.f("fk_session_timetable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("programme_id", "number", name=op.f("uq_session_programme_id_number")),
        **KIND,
    )
    op.create_index("ix_session_created_by", "session", ["created_by", "programme_id"])
    op.create_index("ix_session_practitioner_id", "session", ["practitioner_id", "starts_at", "id"])
    op.create_index(
        "ix_session_programme_id_description", "session", ["programme_id", "description", "id"],
        postgresql_ops={"description": "NULLS FIRST"},
    )
    op.create_index(
        "ix_session_programme_id_starts_at", "session", ["programme_id", "starts_at", "id"],
        postgresql_ops={"starts_at": "NULLS FIRST"},
    )
    op.create_index(
        "ix_session_programme_id_status", "session", ["programme_id", "status", "starts_at", "id"],
        postgresql_ops={"starts_at": "NULLS FIRST"},
    )
    op.create_index(
        "ix_session_room_id",
        "session",
        ["room_id", "starts_at"],
        postgresql_where=sa.text("room_id IS NOT NULL"),
        sqlite_where=sa.text("room_id IS NOT NULL"),
    )
    op.create_index("ix_session_team_id", "session", ["team_id", "starts_at", "id"])
    op.create_index("ix_session_timetable_id", "session", ["timetable_id", "starts_at", "id"])
    op.create_table(
        "team_member",
        _id(),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date()),
        sa.ForeignKeyConstraint(["learner_id"], ["person.id"], name=op.f("fk_team_member_learner_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
        sa.UniqueConstraint(
            "team_id", "learner_id", "from_day", name=op.f("uq_team_member_team_id_learner_id_from_day")
        ),
        **KIND,
    )
    op.create_index(op.f("ix_team_member_learner_id"), "team_member", ["learner_id"])
    op.create_table(
        "participation",
        _id(),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("outcome_at", Instant()),
        sa.Column("notice_at", Instant()),
        sa.Column("actual_minutes", sa.BigInteger()),
        sa.CheckConstraint(
            "outcome IN ('attended', 'missed', 'cancelled late', 'cancelled in time',"
            " 'practitioner cancelled', 'practitioner absent')",
            name=op.f("ck_participation_outcome"),
        ),
        sa.CheckConstraint("actual_minutes BETWEEN 1 AND 1440", name=op.f("ck_participation_actual_minutes")),
        sa.ForeignKeyConstraint(["learner_id"], ["person.id"], name=op.f("fk_participation_learner_id")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_participation_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
        sa.UniqueConstraint("session_id", "learner_id", name=op.f("uq_participation_session_id_learner_id")),
        **KIND,
    )
    op.create_index("ix_participation_learner_id", "participation", ["learner_id", "session_id"])
    op.create_table(
        "session_course",
        _id(),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_session_course_course_id")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_session_course_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_course")),
        sa.UniqueConstraint("session_id", "course_id", name=op.f("uq_session_course_session_id_course_id")),
        **KIND,
    )
    op.create_index("ix_session_course_course_id", "session_course", ["course_id", "session_id"])

    op.execute("INSERT INTO current_act (one) VALUES (1)")
    connection = op.get_bind()
    for statement in _search(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _search(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE VIRTUAL TABLE {table}_words USING fts5({', '.join(columns)}, content='{table}',"
            " content_rowid='id', prefix='2 3', tokenize='unicode61 remove_diacritics 0')"
            for table, columns in SEARCHED.items()
        ]
    said = {
        table: " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
        for table, columns in SEARCHED.items()
    }
    return [
        f"CREATE FUNCTION portal_words(said text) RETURNS tsvector {FUNCTION}",
        *(f"CREATE INDEX ix_{table}_words ON {table} USING gin (portal_words({said[table]}))" for table in SEARCHED),
    ]

"""Series, places and waiting lists, smart rooms, enrolments, engagements, evidence."""

import sqlalchemy as sa
from alembic import op

from db.migrations.tables import checks, day, id_column, instant, keys, more, no, number, text, unique
from db.types import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KIND = {"sqlite_strict": True, "sqlite_autoincrement": True}
STATUSES = "'enrolled', 'in training', 'gateway', 'assessed', 'completed', 'withdrawn'"


def upgrade() -> None:
    """Make the tables, then the columns that point to them."""
    op.create_table(
        "series", id_column(), number("programme_id"), text("every"), sa.Column("weekdays", Json, nullable=False),
        number("nth", empty=True), day("first_day", empty=False), day("until_day"), number("times", empty=True),
        number("from_minute"), number("minutes"), text("zone"), number("created_by"), instant("created_at"),
        number("version"),
        *checks(
            "series", from_minute="from_minute BETWEEN 0 AND 1439", minutes="minutes BETWEEN 15 AND 1440",
            one_end="(until_day IS NULL) <> (times IS NULL)", times="times BETWEEN 1 AND 520",
            forward="until_day >= first_day", every="every IN ('daily', 'weekly', 'fortnightly', 'monthly')",
            zone="length(zone) BETWEEN 1 AND 64",
        ),
        *keys("series", programme_id="programme", created_by="person"), **KIND,
    )
    op.create_index("ix_series_programme_id", "series", ["programme_id"])
    op.create_table(
        "series_skip", id_column(), number("series_id"), day("day", empty=False), text("reason"),
        *checks("series_skip", reason="length(reason) BETWEEN 1 AND 300"),
        *keys("series_skip", series_id="series"), unique("series_skip", "series_id", "day"), **KIND,
    )
    op.create_table(
        "waiting", id_column(), number("session_id"), number("learner_id"), instant("since"), number("added_by"),
        *keys("waiting", session_id="session", learner_id="person", added_by="person"),
        unique("waiting", "session_id", "learner_id"), **KIND,
    )
    op.create_index("ix_waiting_learner_id", "waiting", ["learner_id"])
    op.create_table(
        "enrolment", id_column(), *(number(f"{name}_id") for name in ("programme", "course", "learner")),
        text("status"), day("first_day"), day("planned_end"), number("off_job_minutes", empty=True),
        instant("created_at"),
        number("version"),
        *checks(
            "enrolment", off_job_minutes="off_job_minutes >= 0", forward="planned_end >= first_day",
            status=f"status IN ({STATUSES})",
        ),
        *keys("enrolment", programme_id="programme", course_id="course", learner_id="person"),
        unique("enrolment", "course_id", "learner_id"), **KIND,
    )
    op.create_index("ix_enrolment_programme_id", "enrolment", ["programme_id"])
    op.create_index("ix_enrolment_learner_id", "enrolment", ["learner_id"])
    op.create_table(
        "enrolment_step", id_column(), number("enrolment_id"), number("session_id", empty=True), text("what"),
        text("before", empty=True), text("after", empty=True), text("reason", empty=True), instant("at"),
        number("by_id"),
        *checks(
            "enrolment_step", what="what IN ('status', 'first day of learning')",
            before="length(before) BETWEEN 0 AND 60", after="length(after) BETWEEN 0 AND 60",
            reason="length(reason) BETWEEN 0 AND 500",
        ),
        *keys("enrolment_step", enrolment_id="enrolment", session_id="session", by_id="person"), **KIND,
    )
    op.create_index("ix_enrolment_step_enrolment_id", "enrolment_step", ["enrolment_id"])
    op.create_index("ix_enrolment_step_session_id", "enrolment_step", ["session_id"])
    op.create_table(
        "engagement", id_column(), number("programme_id"), number("practitioner_id"), number("learner_id", empty=True),
        number("team_id", empty=True), text("name"), number("agreed_minutes", empty=True), day("from_day"),
        day("until_day"), instant("retired_at", empty=True), number("version"),
        *checks(
            "engagement", learner_or_team="(learner_id IS NULL) <> (team_id IS NULL)",
            agreed_minutes="agreed_minutes > 0", forward="until_day >= from_day", name="length(name) BETWEEN 1 AND 120",
        ),
        *keys("engagement", programme_id="programme", practitioner_id="person", learner_id="person", team_id="team"),
        **KIND,
    )
    for name in ("programme_id", "practitioner_id", "learner_id", "team_id"):
        op.create_index(f"ix_engagement_{name}", "engagement", [name])
    op.create_table(
        "evidence", id_column(), number("programme_id"), number("learner_id"), number("course_id", empty=True),
        number("session_id", empty=True), text("title"), text("url", empty=True), text("note", empty=True),
        instant("at"), number("by_id"),
        *checks(
            "evidence", title="length(title) BETWEEN 1 AND 200", url="length(url) BETWEEN 0 AND 2000",
            note="length(note) BETWEEN 0 AND 4000",
        ),
        *keys("evidence", programme_id="programme", learner_id="person", course_id="course", session_id="session",
               by_id="person"),
        **KIND,
    )
    op.create_index("ix_evidence_learner_id", "evidence", ["learner_id", "programme_id"])

    more("course", [number("off_job_minutes", empty=True), number("weeks", empty=True)], {
        "off_job_minutes": "off_job_minutes >= 0", "weeks": "weeks BETWEEN 1 AND 520"})
    more("room", [no("smart"), no("records")], {"smart_records": "smart OR NOT records"})
    more(
        "session",
        [number("series_id", empty=True), day("series_day"), instant("moved_at", empty=True),
         number("engagement_id", empty=True), number("places", empty=True), no("records"),
         text("recording_url", empty=True)],
        {"places": "places BETWEEN 1 AND 30", "series_whole": "(series_id IS NULL) = (series_day IS NULL)",
         "recording_url": "length(recording_url) BETWEEN 0 AND 2000"},
        {"series_id": "series", "engagement_id": "engagement"}, ("series_id", "series_day"),
    )
    op.create_index(
        "ix_session_engagement_id", "session", ["engagement_id"],
        sqlite_where=sa.text("engagement_id IS NOT NULL"), postgresql_where=sa.text("engagement_id IS NOT NULL"),
    )

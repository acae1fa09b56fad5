"""Plain SQL for tests of the database alone: an act, a few people, and sessions, all without the core."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, insert, text, update

from db.base import Base
from db.engine import writing
from db.models.history import ChangeSet, CurrentAct
from db.models.people import Person
from db.models.programmes import Programme
from db.models.sessions import Participation, Session
from db.models.structure import Course, Room
from db.words import (
    EnrolmentStatus,
    Every,
    Kind,
    Method,
    NoteKind,
    Origin,
    Outcome,
    RateUnit,
    Role,
    Side,
    Step,
    Tie,
    TimetableKind,
    Wish,
)

TEN = datetime(2030, 3, 4, 10, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PROGRAMME, TOM, TINA, SARA, SAM, COURSE, ROOM, ANNEX = 1, 1, 2, 3, 4, 1, 1, 2
_keys = count(1)


def open_act(connection: Connection, **facts: Any) -> int:
    """Name the act that the statements to come belong to."""
    values = {"key": f"raw {next(_keys)}", "at": TEN, "source": "test", "command": "raw", **facts}
    act = int(connection.execute(insert(ChangeSet).values(values).returning(ChangeSet.id)).scalar_one())
    if connection.dialect.name == "sqlite":
        connection.execute(update(CurrentAct).values(change_set_id=act))
    else:
        connection.execute(text("SELECT set_config('portal.act', :act, true)"), {"act": str(act)})
    return act


def close_act(connection: Connection, act: int) -> None:
    """Say that it is done; nothing can be added to it any more."""
    connection.execute(update(ChangeSet).where(ChangeSet.id == act).values(said="Done."))
    if connection.dialect.name == "sqlite":
        connection.execute(update(CurrentAct).values(change_set_id=None))


@contextmanager
def acting(engine: Engine) -> Iterator[Connection]:
    """A transaction with an act, closed and committed in the end."""
    with writing(engine) as connection:
        act = open_act(connection)
        yield connection
        close_act(connection, act)


def people_and_rooms(engine: Engine) -> None:
    """One programme, two practitioners (Tom, Tina), two learners (Sara, Sam), a course and two rooms."""
    with acting(engine) as connection:
        connection.execute(insert(Programme).values(
            name="Coaching", kind=Kind.COACHING, zone="Europe/Berlin", currency="EUR", policy={}, created_at=TEN))
        connection.execute(insert(Person), [
            {"name": name, "email": f"{name}@example.org", "created_at": TEN} for name in ("Tom", "Tina", "Sara", "Sam")
        ])
        connection.execute(insert(Course).values(programme_id=PROGRAMME, name="Maths"))
        connection.execute(insert(Room), [
            {"programme_id": PROGRAMME, "name": name, "capacity": 2} for name in ("Room", "Annex")
        ])


def facts(number: int, **given: Any) -> dict[str, Any]:
    """The columns of a session led by Tom from ten to eleven, unless told otherwise."""
    return {
        "programme_id": PROGRAMME, "number": number, "practitioner_id": TOM, "type": "general",
        "origin": Origin.BOOKING, "method": Method.TRADITIONAL, "created_by": TOM, "created_at": TEN,
        "starts_at": TEN, "ends_at": TEN + HOUR, **given,
    }


def book(connection: Connection, number: int, *learners: int, **given: Any) -> int:
    """Insert a session and its participations; returns the session's id."""
    session = insert(Session).values(facts(number, **given)).returning(Session.id)
    session_id = int(connection.execute(session).scalar_one())
    for learner in learners:
        connection.execute(insert(Participation).values(session_id=session_id, learner_id=learner))
    return session_id


def rows_before_and_after(session_id: int) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """A row of each table with a history, and what every column of it changes to."""
    document = {"empty": None, "list": [1, 2.5, None, "é 'quoted' \\ "], "deep": {"empty": None}}
    day, later = date(2030, 3, 4), TEN + HOUR
    session = facts(77, starts_at=TEN + 400 * HOUR, ends_at=TEN + 401 * HOUR, description="007", version=1)
    moments = ("cancelled_at", "access_asked_at", "access_granted_at", "submitted_at", "joined_at", "left_at",
               "report_published_at", "comments_at", "told_at")
    return {
        "programme": (
            {"name": "Advice", "kind": Kind.PEER_ADVICE, "zone": "Europe/Berlin", "currency": "EUR", "policy": document,
             "created_at": TEN, "version": 1},
            {"name": "Tutoring", "kind": Kind.TUTORING, "zone": "Asia/Tokyo", "currency": "JPY", "policy": {"a": None},
             "created_at": later, "retired_at": later, "version": 2}),
        "role_grant": (
            {"programme_id": 1, "person_id": TOM, "role": Role.PRACTITIONER},
            {"programme_id": 2, "person_id": TINA, "role": Role.CUSTOM_MANAGER, "permissions": ["SESSION_BOOK"]}),
        "person": (
            {"name": "Ö", "email": "o@example.org", "phone": "007", "created_at": TEN, "version": 1},
            {"name": "007", "email": "7@example.org", "phone": "7", "about": "<b>'x'</b> 😀\n", "zone": "Asia/Tokyo",
             "created_at": later, "disabled_at": later, "version": 2}),
        "relation": (
            {"programme_id": 1, "tie": Tie.GUARDIAN, "adult_id": TOM, "learner_id": SARA},
            {"programme_id": 2, "tie": Tie.LINE_MANAGER, "adult_id": TINA, "learner_id": SAM}),
        "team": (
            {"programme_id": 1, "name": "1.0"},
            {"programme_id": 2, "name": "1", "idea": "A boat", "retired_at": TEN}),
        "team_member": (
            {"team_id": 1, "learner_id": SARA, "from_day": day},
            {"team_id": 1, "learner_id": SAM, "from_day": date(2030, 1, 1), "until_day": day}),
        "people_group": ({"programme_id": 1, "name": "Peers"}, {"programme_id": 2, "name": "Friends"}),
        "group_member": (
            {"group_id": 1, "person_id": SARA, "granted": False}, {"group_id": 1, "person_id": SAM, "granted": True}),
        "course": (
            {"programme_id": 1, "name": "Physics"},
            {"programme_id": 2, "name": "Music", "retired_at": TEN, "off_job_minutes": 6000, "weeks": 52}),
        "room": (
            {"programme_id": 1, "name": "Attic", "capacity": 2, "smart": False, "records": False},
            {"programme_id": 2, "name": "Hall", "capacity": 20, "retired_at": TEN, "smart": True, "records": True}),
        "timetable": (
            {"programme_id": 1, "name": "Week", "kind": TimetableKind.REGULAR},
            {"programme_id": 2, "name": "Own", "kind": TimetableKind.CUSTOM, "owner_id": TOM, "retired_at": TEN,
             "slot_minutes": 45}),
        "weekly_window": (
            {"programme_id": 1, "person_id": TOM, "weekday": 0, "from_minute": 540, "until_minute": 720,
             "zone": "Europe/Berlin", "from_day": day},
            {"programme_id": 2, "person_id": TINA, "timetable_id": 1, "weekday": 6, "from_minute": 0,
             "until_minute": 1440, "zone": "Asia/Tokyo", "from_day": date(2030, 1, 1), "until_day": day}),
        "dated_window": (
            {"programme_id": 1, "person_id": TOM, "day": day, "zone": "Europe/Berlin"},
            {"programme_id": 2, "person_id": TINA, "timetable_id": 1, "day": date(2030, 1, 1), "from_minute": 60,
             "until_minute": 65, "zone": "Asia/Tokyo"}),
        "time_off": (
            {"person_id": TOM, "starts_at": TEN, "ends_at": later},
            {"person_id": TINA, "starts_at": TEN + 2 * HOUR, "ends_at": TEN + 3 * HOUR, "reason": "007"}),
        "closure": (
            {"programme_id": 1, "first_day": day, "last_day": day, "name": "1.0"},
            {"programme_id": 2, "first_day": date(2030, 1, 1), "last_day": date(2030, 1, 2), "name": "1"}),
        "roster": ({"timetable_id": 1, "person_id": TOM}, {"timetable_id": 1, "person_id": TINA}),
        "own_limits": (
            {"programme_id": 1, "person_id": TOM},
            {"programme_id": 2, "person_id": TINA, "buffer_before": 5, "buffer_after": 10, "most_a_day": 3,
             "most_a_week": 9}),
        "series": (
            {"programme_id": 1, "every": Every.WEEK, "weekdays": [0, 2], "first_day": day, "times": 10,
             "from_minute": 540, "minutes": 60, "zone": "Europe/Berlin", "created_by": TOM, "created_at": TEN,
             "version": 1},
            {"programme_id": 2, "every": Every.MONTH, "weekdays": [], "nth": -1, "first_day": date(2030, 1, 1),
             "until_day": day, "times": None, "from_minute": 0, "minutes": 15, "zone": "Asia/Tokyo",
             "created_by": TINA, "created_at": later, "version": 2}),
        "series_skip": (
            {"series_id": 1, "day": day, "reason": "007"},
            {"series_id": 1, "day": date(2030, 1, 1), "reason": "7"}),
        "enrolment": (
            {"programme_id": 1, "course_id": 1, "learner_id": SARA, "status": EnrolmentStatus.ENROLLED,
             "created_at": TEN, "version": 1},
            {"programme_id": 2, "course_id": 2, "learner_id": SAM, "status": EnrolmentStatus.GATEWAY,
             "first_day": date(2030, 1, 1), "planned_end": day, "off_job_minutes": 600, "created_at": later,
             "version": 2}),
        "enrolment_step": (
            {"enrolment_id": 1, "what": Step.STATUS, "at": TEN, "by_id": TOM},
            {"enrolment_id": 1, "session_id": session_id, "what": Step.FIRST_DAY, "before": "1.0", "after": "1",
             "reason": "007", "at": later, "by_id": TINA}),
        "engagement": (
            {"programme_id": 1, "practitioner_id": TOM, "learner_id": SARA, "name": "1.0", "version": 1},
            {"programme_id": 2, "practitioner_id": TINA, "learner_id": None, "team_id": 1, "name": "1",
             "agreed_minutes": 600, "from_day": date(2030, 1, 1), "until_day": day, "retired_at": TEN, "version": 2}),
        "evidence": (
            {"programme_id": 1, "learner_id": SARA, "title": "Proof", "at": TEN, "by_id": TOM},
            {"programme_id": 2, "learner_id": SAM, "course_id": 1, "session_id": session_id, "title": "007",
             "url": "https://example.org/?a='b'", "note": "😀", "at": later, "by_id": TINA}),
        "waiting": (
            {"session_id": session_id, "learner_id": SARA, "since": TEN, "added_by": TOM},
            {"session_id": session_id + 1, "learner_id": SAM, "since": later, "added_by": TINA}),
        "session": (
            {**session, "report_required": False, "records": False},
            {**dict.fromkeys(moments, later), "programme_id": 2, "number": 78, "practitioner_id": TINA, "team_id": 1,
             "timetable_id": 1, "room_id": ROOM, "follows_id": session_id, "type": "exit", "method": Method.SMART,
             "origin": Origin.COPY, "description": "7", "location": "1e3", "planning_notes": "notes",
             "report_required": True, "starts_at": TEN + 500 * HOUR, "ends_at": TEN + 502 * HOUR,
             "cancel_reason": "ill", "created_by": TINA, "created_at": later, "version": 2, "series_id": 1,
             "series_day": day, "moved_at": TEN, "engagement_id": 1, "places": 3, "records": True,
             "recording_url": "https://example.org"}),
        "session_course": ({"session_id": session_id, "course_id": 1}, {"session_id": session_id + 1, "course_id": 2}),
        "participation": (
            {"session_id": session_id, "learner_id": SARA},
            {"session_id": session_id + 1, "learner_id": SAM, "outcome": Outcome.ATTENDED, "outcome_at": TEN,
             "notice_at": TEN, "actual_minutes": 55, "waited_minutes": 15, "contact": "rang twice",
             "overruled": "007"}),
        **_afterwards(session_id), **_money(),
    }


def _afterwards(session_id: int) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    later = TEN + HOUR
    return {
        "note": (
            {"session_id": session_id, "author_id": TOM, "kind": NoteKind.SHARED, "body": "1.0", "submitted_at": TEN,
             "version": 1},
            {"session_id": session_id + 1, "author_id": TINA, "kind": NoteKind.REPORT, "body": "1",
             "submitted_at": later, "version": 2}),
        "dispute": (
            {"session_id": session_id, "learner_id": SARA, "by_id": SARA, "claim": "I was there", "at": TEN},
            {"session_id": session_id + 1, "learner_id": SAM, "by_id": SAM, "claim": "007", "at": later,
             "answer": "7", "answered_by": TINA, "answered_at": later}),
        "forfeit": (
            {"session_id": session_id, "learner_id": SARA, "practitioner_id": TOM, "starts_at": TEN, "ends_at": later,
             "wish": Wish.LEARNER, "charged": True, "reason": "ill", "at": TEN, "by_id": TOM},
            {"session_id": session_id + 1, "learner_id": SAM, "practitioner_id": TINA, "starts_at": later,
             "ends_at": later + HOUR, "wish": Wish.PRACTITIONER, "charged": False, "reason": "7", "at": later,
             "by_id": TINA}),
    }


def _money() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    day, first = date(2030, 3, 4), date(2030, 1, 1)
    return {
        "rate": (
            {"programme_id": 1, "side": Side.BILLED, "unit": RateUnit.HOUR, "amount": 3333, "from_day": day,
             "version": 1},
            {"programme_id": 2, "side": Side.PAID, "unit": RateUnit.SESSION, "amount": 0, "course_id": 1,
             "type": "exit", "practitioner_id": TOM, "engagement_id": 1, "from_day": first, "until_day": day,
             "version": 2}),
        "outcome_matrix": (
            {"programme_id": 1, "from_day": day, "shares": {"missed": ["1", "1/3"]}, "team_once": False, "version": 1},
            {"programme_id": 2, "from_day": first, "shares": {"missed": ["0", None]}, "team_once": True,
             "version": 2}),
        "biller": (
            {"programme_id": 1, "name": "Ö", "tax_rate": 1900, "terms_days": 14, "prefix": "R", "version": 1},
            {"programme_id": 2, "name": "007", "address": "1\n2", "tax_number": "7", "tax_rate": 0, "bank": "IBAN",
             "terms_days": 0, "prefix": "", "version": 2}),
        "payer": (
            {"programme_id": 1, "name": "Gus", "version": 1},
            {"programme_id": 2, "person_id": SARA, "name": "007", "address": "1\n2", "email": "a@example.org",
             "tax_number": "7", "tax_rate": 700, "retired_at": TEN, "version": 2}),
        "paid_by": (
            {"programme_id": 1, "payer_id": 1, "learner_id": SARA, "from_day": day, "version": 1},
            {"programme_id": 2, "payer_id": 1, "learner_id": None, "team_id": 1, "from_day": first, "version": 2}),
    }


def one_of_each(connection: Connection) -> dict[str, int]:
    """A row in each table with a history, and the id of each."""
    session_id = book(connection, 76, starts_at=TEN + 300 * HOUR, ends_at=TEN + 301 * HOUR)
    made = {}
    for name, (row, _) in rows_before_and_after(session_id).items():
        table = Base.metadata.tables[name]
        made[name] = int(connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one())
    return made

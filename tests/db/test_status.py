"""The status of a session, derived from the facts of its row, against the table of the rulebook."""

from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from db.models.sessions import Participation, Session
from db.words import Outcome, Status
from tests.db.raw import HOUR, SARA, TEN, acting, book, people_and_rooms

ATTENDED, MISSED, ABSENT = Outcome.ATTENDED, Outcome.MISSED, Outcome.PRACTITIONER_ABSENT
ASKED = {"access_asked_at": TEN}
LIVE = {"joined_at": TEN}
SUBMITTED = {"submitted_at": TEN}
OFF = {"starts_at": None, "ends_at": None}
NOBODY = {"practitioner_id": None}
TOLD = {"told_at": TEN}
REPORT = {"report_required": True, "report_published_at": TEN}
COMMENTS = {"comments_at": TEN}
CANCELLED = {"cancelled_at": TEN}

TABLE: list[tuple[Status, dict[str, Any], Outcome | None]] = [
    (Status.SCHEDULED, {}, None),
    (Status.UNSCHEDULED, OFF, None),
    (Status.SUBMITTED, SUBMITTED, None),
    (Status.SUBMITTED, SUBMITTED | OFF, None),
    (Status.LIVE, LIVE, None),
    (Status.LIVE, LIVE | SUBMITTED, None),
    (Status.SCHEDULED, LIVE | {"left_at": TEN}, None),
    (Status.SUBMITTED, LIVE | {"left_at": TEN} | SUBMITTED, None),
    (Status.PENDING, ASKED, None),
    (Status.PENDING, ASKED | LIVE | SUBMITTED | OFF, None),
    (Status.SCHEDULED, ASKED | {"access_granted_at": TEN}, None),
    (Status.UNASSIGNED, NOBODY, None),
    (Status.UNASSIGNED, NOBODY | ASKED | LIVE | SUBMITTED | OFF, None),
    (Status.MISSED, {}, MISSED),
    (Status.MISSED, {}, ABSENT),
    (Status.MISSED, NOBODY | ASKED | LIVE | SUBMITTED | OFF | TOLD | COMMENTS, MISSED),
    (Status.SCHEDULED, {}, Outcome.CANCELLED_LATE),
    (Status.SCHEDULED, {}, Outcome.CANCELLED_IN_TIME),
    (Status.SCHEDULED, {}, Outcome.PRACTITIONER_CANCELLED),
    (Status.HELD, {}, ATTENDED),
    (Status.HELD, NOBODY | ASKED | LIVE | SUBMITTED | OFF, ATTENDED),
    (Status.HELD, TOLD, ATTENDED),
    (Status.HELD, COMMENTS, ATTENDED),
    (Status.HELD, REPORT, ATTENDED),
    (Status.HELD, TOLD | COMMENTS | {"report_required": True}, ATTENDED),
    (Status.HELD, TOLD | {"report_published_at": TEN}, ATTENDED),
    (Status.COMPLETED, TOLD | COMMENTS, ATTENDED),
    (Status.COMPLETED, TOLD | REPORT, ATTENDED),
    (Status.COMPLETED, TOLD | REPORT | NOBODY | ASKED | LIVE | OFF, ATTENDED),
    (Status.CANCELLED, CANCELLED, None),
    (Status.CANCELLED, CANCELLED | NOBODY | ASKED | LIVE | SUBMITTED | OFF, None),
    (Status.CANCELLED, CANCELLED, MISSED),
    (Status.CANCELLED, CANCELLED | TOLD | COMMENTS, ATTENDED),
]


def test_the_status_of_a_session_is_the_first_that_holds(engine: Engine) -> None:
    """Status of a session: every line of the rulebook's table, and that it outranks the lines below it."""
    people_and_rooms(engine)
    found, wanted = [], []
    for number, (status, facts, outcome) in enumerate(TABLE, start=1):
        with acting(engine) as connection:
            start = TEN.replace(year=2030 + number)
            session = book(connection, number, SARA, **({"starts_at": start, "ends_at": start + HOUR} | facts))
            if outcome:
                its = Participation.session_id == session
                connection.execute(update(Participation).where(its).values(outcome=outcome))
            found.append(connection.execute(select(Session.status).where(Session.id == session)).scalar_one())
            wanted.append(status)
    assert found == wanted
    assert set(found) == set(Status)


def test_the_status_of_a_session_with_several_learners(engine: Engine) -> None:
    """Status of a session: held where one of several attended; missed where nobody did; open again when reopened."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        session = book(connection, 1, 3, 4)

        def record(learner: int, outcome: Outcome | None) -> Status:
            connection.execute(update(Participation).values(outcome=outcome).where(Participation.learner_id == learner))
            return Status(connection.execute(select(Session.status).where(Session.id == session)).scalar_one())

        assert record(3, Outcome.MISSED) is Status.MISSED
        assert record(4, Outcome.ATTENDED) is Status.HELD
        assert record(4, Outcome.CANCELLED_LATE) is Status.MISSED
        assert record(3, None) is Status.SCHEDULED
        connection.execute(Participation.__table__.delete().where(Participation.learner_id == 4))
        assert record(3, Outcome.ATTENDED) is Status.HELD
        connection.execute(Participation.__table__.delete())
        assert connection.execute(select(Session.status)).scalar_one() is Status.SCHEDULED


@pytest.mark.parametrize("forgery", ["status = 'held'", "attended = 1", "missed = 1", "attended = 1, missed = 1"])
def test_the_status_of_a_session_cannot_be_set(engine: Engine, forgery: str) -> None:
    """Status of a session: neither it nor the counts that it is computed from can be written."""
    people_and_rooms(engine)
    with acting(engine) as connection:
        book(connection, 1, SARA)
    refused = r"generated column|derived by the database|can only be updated to DEFAULT"
    with pytest.raises(DBAPIError, match=refused), acting(engine) as connection:
        connection.exec_driver_sql(f"UPDATE session SET {forgery}")

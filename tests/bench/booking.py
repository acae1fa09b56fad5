"""Booking through `commit` at a million sessions, against the driver issuing the same statements."""

import json
import re
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, func, select

from core.programmes.queries import policy_of
from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import THE_PORTAL, commit, now_utc, reading
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.models.structure import Course
from db.words import Role
from tests.bench.timing import ROUNDS, Bar, timed

ONE_BY_ONE = {"sqlite": 10, "postgresql": 4}
MANY = 1000
A_SECOND = 2000


def bars(million: Engine) -> Iterator[Bar]:
    """One session, and a thousand in one act."""
    engine = million.dialect.name
    with reading(million, THE_PORTAL) as work:
        programme = work.tx.scalar(
            select(Session.programme_id).group_by(Session.programme_id).order_by(func.count().desc()).limit(1))
        assert programme is not None
        admin = work.tx.scalar(select(RoleGrant.person_id).where(
            RoleGrant.programme_id == programme, RoleGrant.role == Role.MASTER_ADMIN).limit(1))

        def some(role: Role, most: int) -> list[int]:
            return list(work.tx.scalars(
                select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id).where(
                    RoleGrant.programme_id == programme, RoleGrant.role == role, Person.disabled_at.is_(None))
                .order_by(RoleGrant.person_id).limit(most)))

        course = work.tx.scalar(select(Course.id).where(
            Course.programme_id == programme, Course.retired_at.is_(None)).limit(1))
        kind = policy_of(work, programme).types[0]
        leaders, learners = some(Role.PRACTITIONER, 100), some(Role.LEARNER, 1000)
    assert admin is not None
    assert course is not None
    learners = [person for person in learners if person not in leaders]
    last = int(time.time()) % 10_000_000
    start = now_utc().replace(minute=0, second=0) + timedelta(days=400 + last % 5000)

    def bookings(n: int, hour: int) -> list[Booking]:
        return [
            Booking(
                programme, leaders[i % len(leaders)], (learners[i % len(learners)],), minutes=60,
                starts_at=start + timedelta(hours=hour + i // min(len(leaders), len(learners))), type=kind,
                course_ids=(course,), reason="measured", description="A measured session",
            )
            for i in range(n)
        ]

    ours, bare = [], []
    for n in range(ROUNDS + 1):
        booking = bookings(1, n)
        with Recorded(million) as sent:
            before = time.perf_counter()
            saved = commit(million, admin, book_sessions, booking)
            ours.append((time.perf_counter() - before) * 1000)
        with reading(million, THE_PORTAL) as work:
            number = work.tx.scalar(select(Session.number).where(Session.id == saved.result[0]))
        assert number is not None
        bare.append(sent.again({saved.act_id: 0, saved.result[0]: 0, number: number + 1}))
    measured, reference = statistics.median(ours[1:]), statistics.median(bare[1:])
    yield Bar("booking one", engine, measured, reference, measured / reference, ONE_BY_ONE[engine],
              "the driver, same statements")
    many = [
        timed(lambda n=n: commit(million, admin, book_sessions, bookings(MANY, 100 + n * 20)))  # type: ignore[misc]
        for n in range(4)
    ]
    took = statistics.median(many[1:])
    rate = MANY / took * 1000
    yield Bar("booking 1,000 in one act, a second", engine, took, 0, rate, A_SECOND, "sessions a second", at_least=True)


MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00")
YEARS = timedelta(days=3650)
"""So much later is the session that the driver books, since two cannot be at the same time."""


class Recorded:
    """The statements that an act sends, to be sent again by the bare driver for a like session ten years on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements: list[tuple[str, Any, bool]] = []

    def __enter__(self) -> "Recorded":
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *problem: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(self, _: Any, __: Any, statement: str, given: Any, ___: Any, many: bool) -> None:
        self.statements.append((statement, given, many))

    def again(self, numbers: dict[int, int]) -> float:
        """Milliseconds from begin to commit. `numbers`: act, session and number, and what stands for them now."""
        act, session, number = numbers
        given_out = {number: numbers.pop(number)}
        raw = self.engine.raw_connection()
        connection: Any = raw.driver_connection
        cursor = connection.cursor()
        start = time.perf_counter()
        for statement, given, many in self.statements:
            known = given_out if statement.startswith("INSERT INTO session ") else numbers
            (cursor.executemany if many else cursor.execute)(statement, _later(given, known))
            found = cursor.fetchall() if cursor.description else []
            if statement.startswith("INSERT INTO change_set"):
                numbers[act] = found[0][0]
            elif statement.startswith("INSERT INTO session "):
                numbers[session] = found[0][1]
        if self.engine.dialect.name == "sqlite":
            cursor.execute("COMMIT")
        else:
            connection.commit()
        took = (time.perf_counter() - start) * 1000
        cursor.close()
        raw.close()
        return took


def _later(given: Any, numbers: dict[int, int]) -> Any:
    """The same values for a session ten years on."""
    if isinstance(given, dict):
        return {name: _later(value, numbers) for name, value in given.items()}
    if isinstance(given, (list, tuple)):
        return type(given)(_later(value, numbers) for value in given)
    if isinstance(given, datetime):
        return given + YEARS if given > now_utc() + timedelta(days=200) else given
    if isinstance(given, int) and given > 1_000_000_000:
        return given + int(YEARS.total_seconds()) if given > time.time() + 200 * 86400 else given
    if isinstance(given, int):
        return numbers.get(given, given)
    if isinstance(given, str) and given.startswith("[["):
        return json.dumps(_later(json.loads(given), numbers))
    if isinstance(given, str) and MOMENT.fullmatch(given):
        return str(_later(datetime.fromisoformat(given), numbers))
    if isinstance(given, str) and len(given) > 20 and given.split(":")[0].isdecimal():
        return given + "-again"
    return given

"""Utilisation is what a recount with pandas says: on 200 made-up programmes, and on the demo data."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from core.demo import build
from core.insight.queries import utilisation
from core.programmes.rules import PRESETS
from core.sessions.queries import Filters
from core.work import THE_PORTAL, Work, commit, reading
from db.models.availability import Closure, DatedWindow, TimeOff, WeeklyWindow
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Participation, Session
from db.models.structure import Timetable
from db.words import Kind, Method, Origin, Outcome, Role, TimetableKind
from tests.conftest import Databases
from tests.core.insight.recount import Counted, recount, tables_of
from tests.factories import LONG_AGO, around_the_clock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CHANGES = {
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 30)),
    "Asia/Kathmandu": (date(2026, 1, 1), date(2026, 12, 31)),
}
"""Zones with the days on which their clocks change (in Kathmandu they never do, but a year ends)."""
ZONES = list(CHANGES)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
COUNTED: dict[str, Counted] = {}
"""What a recount says of each made-up programme: made from the same seeds, it is one on every kind of database."""


class Made:
    """One made-up programme with up to three practitioners and a few weeks of work."""

    def __init__(self, work: Work, seed: int) -> None:
        rng, self.tx = random.Random(seed), work.tx
        self.rng, self.name = rng, f"Made {seed}"
        self.zone = rng.choice(ZONES)
        self.day = rng.choice(CHANGES[self.zone]) + rng.randrange(-3, 4) * DAY
        policy = PRESETS[Kind.COACHING].stored() | {
            "open_hours": [rng.choice((None, (0, 1440), (480, 1200), (540, 1020))) for _ in range(7)],
            "holidays_country": rng.choice((None, None, "GB", "US")),
        }
        self.id = self.row(Programme, name=self.name, kind=Kind.COACHING, zone=self.zone, currency="GBP", policy=policy,
                           created_at=NOW, version=1)
        self.numbers = iter(range(1, 1000))
        for n in range(rng.randrange(1, 4)):
            self.practitioner(f"Somebody {seed}-{n}")
        if rng.random() < 0.3:
            first = self.near()
            last = first + rng.randrange(3) * DAY
            self.row(Closure, programme_id=self.id, first_day=first, last_day=last, name="Shut")

    def row(self, model: Any, **values: Any) -> int:
        return int(self.tx.scalar(insert(model).returning(model.id), values) or 0)

    def near(self) -> date:
        return self.day + self.rng.randrange(-12, 12) * DAY

    def person(self, name: str, role: Role) -> int:
        person = self.row(Person, name=name, created_at=NOW, version=1)
        self.row(RoleGrant, programme_id=self.id, person_id=person, role=role)
        return person

    def practitioner(self, name: str) -> None:
        rng, person = self.rng, self.person(name, Role.PRACTITIONER)
        self.learners = [self.person(f"{name}'s {n}", Role.LEARNER) for n in range(2)]
        own = self.row(Timetable, programme_id=self.id, name=f"{name}'s", kind=TimetableKind.CUSTOM, owner_id=person)
        self.windows(person, None, rng.randrange(0, 6))
        self.windows(person, own, rng.choice((0, 0, 1, 2)))
        for _ in range(rng.choice((0, 0, 1, 2))):
            start = self.at(1)
            self.row(TimeOff, person_id=person, starts_at=start, ends_at=start + rng.randrange(1, 4000) * MINUTE)
        at = self.at(5) - 9 * DAY
        for _ in range(rng.randrange(0, 12)):
            at += rng.choice((0, 5, 30, 600, 2000)) * MINUTE
            end = at + 5 * rng.randrange(3, 100) * MINUTE
            self.session(person, at, end)
            at = end
        if rng.random() < 0.1:
            self.tx.execute(update(Person).where(Person.id == person).values(disabled_at=NOW))

    def at(self, step: int) -> datetime:
        noon = datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)
        return noon + step * self.rng.randrange(-12_000 // step, 12_000 // step) * MINUTE

    def windows(self, person: int, timetable: int | None, many: int) -> None:
        rng, about = self.rng, {"programme_id": self.id, "person_id": person, "timetable_id": timetable}

        def hours() -> dict[str, Any]:
            start = 5 * rng.choice((0, 12, 24, 30, 108, rng.randrange(280)))
            until = rng.choice((1440, min(1440, start + 5 * rng.randrange(1, 150))))
            zone = self.zone if rng.random() < 0.7 else rng.choice(ZONES)
            return {"from_minute": start, "until_minute": until, "zone": zone}

        for _ in range(many):
            until = self.near() if rng.random() < 0.2 else None
            since = min(self.near(), until or date.max) if rng.random() < 0.3 else LONG_AGO
            self.row(WeeklyWindow, **about, **hours(), weekday=rng.randrange(7), from_day=since, until_day=until)
        if many and rng.random() < 0.3:
            nothing = {"from_minute": None, "until_minute": None}
            self.row(DatedWindow, **about, day=self.near(), **(hours() | (nothing if rng.random() < 0.5 else {})))

    def session(self, person: int, at: datetime, end: datetime) -> None:
        rng = self.rng
        cancelled = NOW if rng.random() < 0.15 else None
        session = self.row(
            Session, programme_id=self.id, number=next(self.numbers), practitioner_id=person, type="coaching",
            method=Method.TRADITIONAL, origin=Origin.BOOKING, starts_at=at, ends_at=end, cancelled_at=cancelled,
            created_by=person, created_at=NOW, version=1)
        if cancelled is None and rng.random() < 0.7:
            for learner in self.learners[:rng.randrange(1, 3)]:
                outcome = rng.choice((None, Outcome.ATTENDED, Outcome.ATTENDED, Outcome.MISSED))
                actual = rng.choice((None, 5 * rng.randrange(3, 200)))
                self.row(Participation, session_id=session, learner_id=learner, outcome=outcome,
                         outcome_at=NOW if outcome else None, actual_minutes=actual)


def told(work: Work, programme_id: int, first: date, last: date) -> Counted:
    found = utilisation(work, programme_id, Filters(since=first, until=last))
    return {
        (line.name, week.name): tuple(figures) for line in found.lines
        for week, figures in zip(found.weeks, line.weeks, strict=True) if any(figures)
    }


def test_it_is_what_a_recount_says_of_200_made_up_programmes(engine: Engine) -> None:
    """X3, X6: zones and changes of clocks; exceptions, own timetables, closures, time off; all in one database."""
    def make(work: Work) -> list[tuple[int, str, str]]:
        made = [Made(work, seed) for seed in range(200)]
        return [(one.id, one.name, one.day.isoformat()) for one in made]

    made, counts = commit(engine, THE_PORTAL, make, now=NOW).result, 0
    tables = tables_of(engine)
    for id_, name, day in made:
        middle = date.fromisoformat(day)
        first, last = middle - 9 * DAY, middle + 9 * DAY
        expected = COUNTED.get(name)
        if expected is None:
            expected = COUNTED[name] = recount(tables, id_, first, last)
        with reading(engine, THE_PORTAL, now=NOW) as work:
            assert told(work, id_, first, last) == expected, name
        counts += sum(all(figures) for figures in expected.values())
    assert counts > 100, "many have hours, something booked and something held in the same week"


@pytest.fixture(scope="module")
def demo(databases: Databases) -> Any:
    engine = databases.clean("sqlite")
    build(engine, sessions=600, today=NOW.date())
    yield engine
    databases.drop(engine)


def test_it_is_what_a_recount_says_of_the_demo_data(demo: Engine) -> None:
    with reading(demo, THE_PORTAL) as work:
        programmes = work.tx.execute(select(Programme.id, Programme.zone)).all()
    for id_, zone in programmes:
        with reading(demo, THE_PORTAL, now=NOW) as work:
            without = work.tx.scalars(select(RoleGrant.person_id).where(
                RoleGrant.programme_id == id_, RoleGrant.role == Role.PRACTITIONER,
                RoleGrant.person_id.not_in(select(WeeklyWindow.person_id).where(
                    WeeklyWindow.programme_id == id_, WeeklyWindow.person_id.is_not(None))))).all()

        def fill(work: Work, id_: int = id_, zone: str = zone, without: Any = without) -> None:
            if without:
                around_the_clock(work.tx, id_, without, zone)

        commit(demo, THE_PORTAL, fill, now=NOW)
        first, last = NOW.date() - 56 * DAY, NOW.date() + 28 * DAY
        expected = recount(tables_of(demo), id_, first, last)
        assert len(expected) > 20
        with reading(demo, THE_PORTAL, now=NOW) as work:
            assert told(work, id_, first, last) == expected

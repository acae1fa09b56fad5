"""A small world for tests: two programmes, everyone the rulebook speaks of, and verbs that read like it.

    world = a_world(engine, Kind.COACHING)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(PersonBusy, match="Tom"):
        world.book(practitioner=world.tom, starts_at=TEN + 55 * MINUTE)

People, teams and the rest are their ids. It is Monday, 2 March 2026, 08:00 in London; TEN is ten o'clock next day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, insert, select, update

from core.programmes.rules import PRESETS, Policy
from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import THE_PORTAL, Saved, Work, commit
from core.work import reading as look
from db.engine import reading as connected
from db.models.availability import WeeklyWindow
from db.models.people import Group, GroupMember, Person, Relation, Team, TeamMember
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Participation, Session
from db.models.structure import Course, Room, Timetable
from db.words import Kind, Outcome, Role, Tie, TimetableKind

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
NOON = TEN + 2 * HOUR
LONG_AGO = date(2020, 1, 1)

PERSONAS: dict[str, tuple[Role, ...]] = {
    "alice": (Role.MASTER_ADMIN,),
    "ben": (Role.BASIC_ADMIN,),
    "cora": (Role.CURRICULUM_MANAGER,),
    "cuno": (Role.CUSTOM_MANAGER,),
    "mona": (Role.INSIGHT_VIEWER,),
    "tom": (Role.PRACTITIONER,),
    "tess": (Role.PRACTITIONER,),
    "sara": (Role.LEARNER,),
    "sam": (Role.LEARNER,),
    "vic": (Role.LEARNER,),
    "gus": (Role.GUARDIAN,),
    "lena": (Role.LINE_MANAGER,),
}
"""Everyone of the home programme. Gus and Lena are tied to Sara; Sara and Sam are the team Comet."""

STRANGERS: dict[str, tuple[Role, ...]] = {
    "zed": (Role.PRACTITIONER, Role.LEARNER), "zoe": (Role.LEARNER,), "zara": (Role.MASTER_ADMIN,),
}
"""Everyone of the other programme."""


@dataclass
class World:
    """Two programmes with their people, and what can be done in them."""

    engine: Engine
    now: datetime = NOW
    programme: int = 0
    elsewhere: int = 0
    people: dict[str, int] = field(default_factory=dict)
    comet: int = 0
    """A team: Sara and Sam."""
    lonely: int = 0
    """A team without members."""
    maths: int = 0
    art: int = 0
    room: int = 0
    attic: int = 0
    weekly: int = 0
    """A regular timetable."""
    toms_own: int = 0
    """A custom timetable, Tom's."""
    their_team: int = 0
    their_course: int = 0
    their_room: int = 0
    their_timetable: int = 0

    def __getattr__(self, name: str) -> int:
        """Somebody's id, by first name."""
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    # Acting and looking

    def do(self, who: int | Any, command: Callable[..., Any], *args: Any, **kw: Any) -> Saved:
        """Commit one act as somebody, at the world's own time."""
        kw.setdefault("now", self.now)
        return commit(self.engine, who, command, *args, **kw)

    def reading(self, who: int | Any, now: datetime | None = None) -> AbstractContextManager[Work]:
        """Look things up as somebody."""
        return look(self.engine, who, now=now or self.now)

    def raw(self, change: Callable[[Work], Any]) -> Any:
        """Change the tables directly, as the installation itself."""

        def by_the_portal(work: Work) -> Any:
            return change(work)

        return self.do(THE_PORTAL, by_the_portal).result

    def add(self, model: Any, **values: Any) -> int:
        """One more row of a table; returns its id."""
        return self.raw(lambda work: work.tx.scalar(insert(model).returning(model.id), values))  # type: ignore[no-any-return]

    # People and structure

    def person(self, name: str, *roles: Role, programme: int | None = None, **values: Any) -> int:
        """Somebody new, with roles in a programme (the home one, unless named)."""
        id_ = self.add(Person, name=name, created_at=self.now, **values)
        for role in roles:
            self.grant(id_, role, programme=programme)
        return id_

    def grant(
        self, person: int, role: Role, *, programme: int | None = None, permissions: Iterable[str] | None = None
    ) -> int:
        """One more role for somebody; a practitioner can be booked around the clock."""
        if role is Role.PRACTITIONER:
            self.raw(lambda work: around_the_clock(
                work.tx, programme or self.programme, [person], "Europe/London"))
        return self.add(
            RoleGrant, programme_id=programme or self.programme, person_id=person, role=role,
            permissions=None if permissions is None else sorted(permissions),
        )

    def tick(self, *actions: Any) -> None:
        """What Cuno, the custom manager, may do from now on."""
        self.raw(lambda work: work.tx.execute(
            update(RoleGrant).where(RoleGrant.person_id == self.cuno).values(permissions=[a.name for a in actions])
        ) and None)

    def tie(self, tie: Tie, adult: int, learner: int, programme: int | None = None) -> int:
        """Tie an adult to a learner."""
        return self.add(Relation, programme_id=programme or self.programme, tie=tie, adult_id=adult, learner_id=learner)

    def team(self, name: str, *members: int, since: date = LONG_AGO, until: date | None = None, **values: Any) -> int:
        """A team with these members, from a day until a day."""
        team = self.add(Team, programme_id=self.programme, name=name, **values)
        for member in members:
            self.join(team, member, since=since, until=until)
        return team

    def join(self, team: int, member: int, *, since: date = LONG_AGO, until: date | None = None) -> int:
        """One more member."""
        return self.add(TeamMember, team_id=team, learner_id=member, from_day=since, until_day=until)

    def group(self, name: str, granted: Mapping[int, bool]) -> int:
        """A group: who is in it, and whether the others may see their completed sessions."""
        group = self.add(Group, programme_id=self.programme, name=name)
        for person, sees in granted.items():
            self.add(GroupMember, group_id=group, person_id=person, granted=sees)
        return group

    def disable(self, person: int) -> None:
        """Switch somebody's account off."""
        self.raw(lambda work: work.tx.execute(
            update(Person).where(Person.id == person).values(disabled_at=self.now)) and None)

    def policy(self, **changes: Any) -> Policy:
        """Change the home programme's policy, and return it."""
        with self.reading(THE_PORTAL) as work:
            stored = work.tx.scalar(select(Programme.policy).where(Programme.id == self.programme))
        policy = Policy.model_validate({**(stored or {}), **changes})
        self.raw(lambda work: work.tx.execute(
            update(Programme).where(Programme.id == self.programme).values(policy=policy.stored())) and None)
        return policy

    # Sessions

    def booking(self, **given: Any) -> Booking:
        """A booking of the home programme: `learner=` for one learner, `team=`, an hour long if it has a time."""
        given.setdefault("programme_id", self.programme)
        if (learner := given.pop("learner", None)) is not None:
            given["learner_ids"] = (learner,)
        for short in ("practitioner", "team", "timetable", "room", "follows"):
            if short in given:
                given[f"{short}_id"] = given.pop(short)
        if given.get("starts_at") is not None:
            given.setdefault("minutes", 60)
        return Booking(**given)

    def book(self, *, by: int | None = None, key: str | None = None, now: datetime | None = None, **given: Any) -> int:
        """Book one session (as Ben, unless `by` somebody else) and return its id."""
        booking = self.booking(**given)
        return int(self.book_many([booking], by=by, key=key, now=now)[0])

    def book_many(self, bookings: Iterable[Booking], *, by: int | None = None, **kw: Any) -> list[int]:
        """Book many sessions in one act."""
        if kw.get("now") is None:
            kw.pop("now", None)
        return list(self.do(by or self.ben, book_sessions, list(bookings), **kw).result)

    def elsewhere_session(self, **given: Any) -> int:
        """A session of the other programme: Zed with Zoe."""
        given = {"practitioner": self.zed, "learner": self.zoe, "starts_at": TEN, **given}
        return self.book(by=self.zara, programme_id=self.elsewhere, **given)

    def held(self, session: int, *, completed: bool = False) -> int:
        """Mark every learner of a session as attended, and with `completed` everything owed as done."""
        def change(work: Work) -> None:
            work.tx.execute(update(Participation).where(Participation.session_id == session).values(
                outcome=Outcome.ATTENDED, outcome_at=self.now))
            if completed:
                work.tx.execute(update(Session).where(Session.id == session).values(
                    report_published_at=self.now, comments_at=self.now, told_at=self.now))

        self.raw(change)
        return session

    def set(self, session: int, **values: Any) -> int:
        """Change facts of a session directly."""
        self.raw(lambda work: work.tx.execute(update(Session).where(Session.id == session).values(**values)) and None)
        return session

    def fact(self, session: int, column: str) -> Any:
        """What the session's row says; nothing where there is none."""
        return self.one(select(getattr(Session, column)).where(Session.id == session))

    def one(self, statement: Any) -> Any:
        """The single value that a select finds."""
        with connected(self.engine) as connection:
            return connection.execute(statement).scalar()

    def all(self, statement: Any) -> list[Any]:
        """The rows that a select finds; bare values where it asks for one column."""
        with connected(self.engine) as connection:
            rows = connection.execute(statement).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def a_world(engine: Engine, kind: Kind = Kind.COACHING, **policy: Any) -> World:
    """The world on a clean database. `policy` replaces fields of the preset; nothing is required unless named."""
    world = World(engine)

    def build(work: Work) -> None:
        tx = work.tx
        chosen = PRESETS[kind].model_copy(update={"required": frozenset(), "missed_wait": 0})
        chosen = Policy.model_validate({**chosen.stored(), **policy})

        def row(model: Any, **values: Any) -> int:
            return int(tx.scalar(insert(model).returning(model.id), values) or 0)

        def programme(name: str, which: Policy, of: Kind) -> int:
            return row(Programme, name=name, kind=of, zone="Europe/London", currency="GBP", policy=which.stored(),
                       created_at=NOW, version=1)

        world.programme = programme("Home", chosen, kind)
        world.elsewhere = programme(
            "Elsewhere", PRESETS[Kind.COACHING].model_copy(update={"required": frozenset()}), Kind.COACHING)
        for where, everyone in ((world.programme, PERSONAS), (world.elsewhere, STRANGERS)):
            for name, roles in everyone.items():
                person = row(Person, name=name.capitalize(), email=f"{name}@example.org", created_at=NOW, version=1)
                world.people[name] = person
                for role in roles:
                    row(RoleGrant, programme_id=where, person_id=person, role=role,
                        permissions=[] if role is Role.CUSTOM_MANAGER else None)
        for tie, adult in ((Tie.GUARDIAN, world.gus), (Tie.LINE_MANAGER, world.lena)):
            row(Relation, programme_id=world.programme, tie=tie, adult_id=adult, learner_id=world.sara)
        here = {"programme_id": world.programme}
        world.comet = row(Team, **here, name="Comet", idea="Bikes that fly")
        world.lonely = row(Team, **here, name="Lonely")
        for member in (world.sara, world.sam):
            row(TeamMember, team_id=world.comet, learner_id=member, from_day=LONG_AGO)
        world.maths, world.art = row(Course, **here, name="Maths"), row(Course, **here, name="Art")
        world.room, world.attic = (row(Room, **here, name=name, capacity=8) for name in ("Blue room", "Attic"))
        world.weekly = row(Timetable, **here, name="Weekly", kind=TimetableKind.REGULAR)
        world.toms_own = row(Timetable, **here, name="Tom's own", kind=TimetableKind.CUSTOM, owner_id=world.tom)
        around_the_clock(tx, here["programme_id"], (world.tom, world.tess), "Europe/London")
        around_the_clock(tx, world.elsewhere, (world.zed,), "Europe/London")
        there = {"programme_id": world.elsewhere}
        world.their_team = row(Team, **there, name="Theirs")
        row(TeamMember, team_id=world.their_team, learner_id=world.zoe, from_day=LONG_AGO)
        world.their_course = row(Course, **there, name="Their course")
        world.their_room = row(Room, **there, name="Their room", capacity=8)
        world.their_timetable = row(Timetable, **there, name="Their timetable", kind=TimetableKind.REGULAR)

    world.raw(build)
    return world


def around_the_clock(tx: Any, programme: int, people: Iterable[int], zone: str) -> None:
    """Hours that hold always, so that nothing but what a test is about stands in its way."""
    tx.execute(insert(WeeklyWindow), [
        {"programme_id": programme, "person_id": person, "weekday": weekday, "from_minute": 0, "until_minute": 1440,
         "zone": zone, "from_day": LONG_AGO}
        for person in people for weekday in range(7)
    ])


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every statement that is sent to the database meanwhile; one list to count."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


__all__ = [
    "DAY", "HOUR", "LONG_AGO", "MINUTE", "NOON", "NOW", "PERSONAS", "STRANGERS", "TEN", "World", "a_world",
    "around_the_clock", "statements",
]

"""The sessions of the demo, day by day: regulars and one-offs, holidays, what came of them, and what is still open.

Nobody is planned twice: practitioners and learners each have a grid of weekly slots, and an arrangement takes weeks of
a slot that are free for all of its people. Only those who take part in several programmes are looked at by the clock.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.demo import hours
from core.demo.engagements import Engagements, often
from core.demo.prices import CONTACTS
from core.demo.texts import CANCEL_REASONS
from core.demo.world import DAYS_AHEAD, DAYS_BACK, Place, World
from core.learning.rules import OFF_JOB_TYPES
from core.programmes.rules import PRESETS, WhoBooks
from db.words import Kind, Method, Origin, Outcome

SESSION = (
    "id", "programme_id", "number", "practitioner_id", "team_id", "timetable_id", "room_id", "type", "method",
    "origin", "description", "location", "planning_notes", "report_required", "starts_at", "ends_at",
    "access_asked_at", "access_granted_at", "engagement_id", "created_by", "created_at", "version",
)
CAME_OF_IT = (
    "cancelled_at", "cancel_reason", "submitted_at", "joined_at", "left_at", "report_published_at", "comments_at",
    "told_at",
)
"""Facts of a session that are not there when it is booked."""
COUNTS = ("attended", "missed")
PART = ("id", "session_id", "learner_id")
PART_CAME_OF_IT = ("outcome", "outcome_at", "notice_at", "actual_minutes", "waited_minutes", "contact")
LINKED = ("id", "session_id", "course_id")

MINUTE, HOUR, DAY = 60, 3600, 86_400
EPOCH = date(1970, 1, 1).toordinal()
UNPLANNED = 0.04
"""Part of a programme's sessions that have no time (yet)."""
BATCH = 5_000
CLOSED_DAYS = ((12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (5, 1))


class Act(NamedTuple):
    """Who did something to sessions, and when (epoch second)."""

    actor: int
    at: int
    command: str


class Batch(NamedTuple):
    """Some sessions whole, and the acts that made them and settled what came of them."""

    sessions: list[tuple[Any, ...]]
    parts: list[tuple[Any, ...]]
    links: list[tuple[Any, ...]]
    acts: list[tuple[Act, Act | None]]


class Arrangement(NamedTuple):
    """Who meets whom in which weekly slot; `weeks` is a bit for each week counted from the first."""

    practitioner: int | None
    learners: tuple[int, ...]
    team: int | None
    weekday: int
    slot: int
    weeks: int
    course: int
    regular: bool
    by_staff: bool


@dataclass
class Told:
    """A session that a demo account will have heard of."""

    person: int
    programme: int
    session: int
    number: int
    starts_at: int
    ends_at: int
    cancelled: bool


@dataclass
class Life:
    """The stream of sessions, in order of time."""

    world: World
    heard: list[Told] = field(default_factory=list)
    ahead: dict[int, set[int]] = field(default_factory=dict)
    """Days (ordinals, in UTC) from today on that take some practitioners."""
    engagements: Engagements = field(init=False)
    _ids: int = 0
    _part_ids: int = 0
    _link_ids: int = 0
    _taken: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engagements = Engagements(self.world)

    def batches(self) -> Iterator[Batch]:
        """Every session, once."""
        world = self.world
        first = world.today - timedelta(days=DAYS_BACK)
        monday = first - timedelta(days=first.weekday())
        plans = [_Plan(world, place, monday) for place in world.places.values()]
        batch = Batch([], [], [], [])
        for n in range(DAYS_BACK + DAYS_AHEAD + 1):
            for plan in plans:
                for made in plan.day(first + timedelta(days=n)):
                    self._enter(batch, plan, made)
                    if len(batch.sessions) >= BATCH:
                        yield batch
                        batch = Batch([], [], [], [])
        for plan in plans:
            for made in plan.unplanned():
                self._enter(batch, plan, made)
                if len(batch.sessions) >= BATCH:
                    yield batch
                    batch = Batch([], [], [], [])
        yield batch

    def _enter(self, batch: Batch, plan: "_Plan", made: "_Made") -> None:
        if made.starts_at is not None and not self._free(made):
            return
        plan.entered += 1
        self._ids += 1
        place, id_ = plan.place, self._ids
        batch.sessions.append((
            id_, place.id, plan.entered, made.practitioner, made.team, made.timetable, made.room, made.type,
            made.method, made.origin, made.description, made.location, made.notes, made.report_required,
            made.starts_at, made.ends_at, made.asked_at, made.granted_at, self._engagement(plan, made),
            made.made_by.actor, made.made_by.at, 1, *made.facts,
            sum(1 for part in made.parts if part[1] is Outcome.ATTENDED),
            sum(1 for part in made.parts if part[1] in (Outcome.MISSED, Outcome.PRACTITIONER_ABSENT)),
        ))
        for part in made.parts:
            self._part_ids += 1
            batch.parts.append((self._part_ids, id_, *part, *plan.protocol(id_, part[1])))
        if made.course is not None:
            self._link_ids += 1
            batch.links.append((self._link_ids, id_, made.course))
        batch.acts.append((made.made_by, made.closed_by))
        if made.starts_at is not None and made.starts_at > self.world.moment - DAY and made.practitioner is not None \
                and made.practitioner % 6 == 1:
            self.ahead.setdefault(made.practitioner, set()).add(EPOCH + made.starts_at // DAY)
        if made.starts_at is not None and made.ends_at is not None and made.starts_at > self.world.moment:
            for person in (made.practitioner, *(part[0] for part in made.parts)):
                if person in plan.cast:
                    self.heard.append(Told(
                        person, place.id, id_, plan.entered, made.starts_at, made.ends_at, made.facts[0] is not None
                    ))

    def _engagement(self, plan: "_Plan", made: "_Made") -> int | None:
        """The one that it counts towards: cancelled or missed with no minutes, else with those held or planned."""
        if made.practitioner is None or made.course is None or made.starts_at is None or made.ends_at is None \
                or len(made.parts) != 1:
            return None
        (learner, outcome, _, _, actual), = made.parts
        pair = made.practitioner, learner
        if (nth := plan.often.get(pair)) is None:
            return None
        lost = made.facts[0] is not None or outcome not in (None, Outcome.ATTENDED)
        minutes = 0 if lost else actual or (made.ends_at - made.starts_at) // MINUTE
        return self.engagements.of(plan.place, pair, nth, made.course, made.starts_at, minutes)

    def _free(self, made: "_Made") -> bool:
        """Whether those who take part in several programmes have this time free; it is theirs from now on."""
        assert made.starts_at is not None  # asked for sessions with a time
        assert made.ends_at is not None
        known = [
            person for person in (made.practitioner, *(part[0] for part in made.parts))
            if person in self.world.shared
        ]
        for person in known:
            if any(start < made.ends_at and made.starts_at < end for start, end in self._taken.get(person, ())):
                return False
        for person in known:
            taken = self._taken.setdefault(person, [])
            taken.append((made.starts_at, made.ends_at))
            del taken[:-30]  # days come in order, so what is longer ago cannot overlap any more
        return True


class _Made(NamedTuple):
    practitioner: int | None
    team: int | None
    timetable: int | None
    room: int | None
    type: str
    method: str
    origin: str
    description: str | None
    location: str | None
    notes: str | None
    report_required: bool
    starts_at: int | None
    ends_at: int | None
    asked_at: int | None
    granted_at: int | None
    facts: tuple[Any, ...]
    parts: list[tuple[Any, ...]]
    course: int | None
    made_by: Act
    closed_by: Act | None


NOTHING = (None,) * len(CAME_OF_IT)


class _Plan:
    """One programme's arrangements, made so that they come to its share of sessions."""

    def __init__(self, world: World, place: Place, monday: date) -> None:
        self.world, self.place, self.monday = world, place, monday
        self.rng = random.Random(f"{place.material.name} {world.seed}")  # noqa: S311 - made-up data
        self.zone = ZoneInfo(place.material.zone)
        self.policy = PRESETS[place.material.kind]
        self.entered = 0
        self.cast = frozenset(world.cast.values())
        self.by_day: list[list[Arrangement]] = [[] for _ in range(7)]
        self.weeks = (DAYS_BACK + DAYS_AHEAD) // 7 + 2
        self._grid: dict[int, int] = {}
        self._days = list(accumulate(place.material.days))
        self._open = [self._open_weeks(weekday) for weekday in range(7)]
        self._arrange()
        today = world.today.weekday()  # first, so that it is the same every day who of the cast has hours to spare
        self.often = often(place, (
            (each.practitioner, each.learners, each.weeks.bit_count())
            for day in self.by_day[today:] + self.by_day[:today] for each in day))

    # Arrangements ---------------------------------------------------------------------------------------------------

    def _open_weeks(self, weekday: int) -> list[tuple[int, float]]:
        """Weeks in which that weekday is planned in, each with how full it is."""
        world = self.world
        found = []
        for week in range(self.weeks):
            day = self.monday + timedelta(days=7 * week + weekday)
            if -DAYS_BACK <= (day - world.today).days <= DAYS_AHEAD and (day.month, day.day) not in CLOSED_DAYS:
                found.append((week, _fullness(day, (day - world.today).days // 7)))
        return found

    def _arrange(self) -> None:
        rng, place = self.rng, self.place
        wanted = round(place.quota * (1 - UNPLANNED))
        count = self._arrange_cast() if place.material.kind is Kind.TUTORING else 0
        clients: list[tuple[int | None, tuple[int, ...]]] = [(team, members) for team, members in place.teams] or [
            (None, (learner,)) for learner in place.learners
        ]
        groups = place.material.kind is Kind.APPRENTICESHIP
        n = 0
        while count < wanted:
            team, learners = clients[n % len(clients)]
            round_, n = n // len(clients), n + 1
            practitioner = place.practitioners[(n * 7 + round_) % len(place.practitioners)]
            if rng.random() < 0.05 and place.material.kind is Kind.EVENT_MENTORING:
                team, learners = None, ()
            elif groups and rng.random() < 0.3:
                start = rng.randrange(len(place.learners))
                learners = tuple(place.learners[start:start + rng.randint(2, 6)])
            regular = rng.random() < (0.45 if learners else 0)
            count += self._add(practitioner, learners, team, regular, wanted - count)

    def _arrange_cast(self) -> int:
        """Tom's week: five regulars, three of them today; Sara the second, her brother on another day."""
        tom, today = self.world.cast["Tom Brady"], self.world.today.weekday()
        learners = [self.place.learners[n] for n in (2, 0, 3, 1, 4)]
        slots = self.place.material.slots
        there = range(len(slots[today]))
        at = [(today, n) for n in (there[1], there[len(there) // 2], there[-1])]
        at += [((today + back) % 7, 1) for back in (3, 5)]
        made = 0
        for learner, (weekday, slot) in zip(learners, at, strict=True):
            weeks = sum(1 << week for week, full in self._open[weekday] if full > 0.3)
            made += self._keep(tom, (learner,), None, weekday, slot, weeks, regular=True)
        return made

    def _add(
        self, practitioner: int, learners: tuple[int, ...], team: int | None, regular: bool, most: int
    ) -> int:
        rng, slots = self.rng, self.place.material.slots
        for _ in range(8):
            weekday = bisect(self._days, rng.random() * self._days[-1])
            if not self._open[weekday] or not slots[weekday]:
                continue
            slot = rng.randrange(len(slots[weekday]))
            weeks = self._regular_weeks(weekday) if regular else self._one_week(weekday, bool(learners))
            weeks &= ~self._grid.get(_key(practitioner, weekday, slot), 0)
            for learner in learners:
                weeks &= ~self._grid.get(_key(learner, weekday, slot), 0)
            while weeks.bit_count() > most:
                weeks &= weeks - 1
            if weeks:
                return self._keep(practitioner, learners, team, weekday, slot, weeks, regular)
        return 0

    def _regular_weeks(self, weekday: int) -> int:
        rng = self.rng
        every = rng.choice((1, 1, 2, 2, 2, 4))
        first = rng.randrange(self.weeks // 2) if rng.random() < 0.5 else 0
        last = self.weeks if rng.random() < 0.6 else first + rng.randint(6, 20)
        phase = rng.randrange(every)
        return sum(
            1 << week for week, full in self._open[weekday]
            if week % every == phase and first <= week <= last and rng.random() < full
        )

    def _one_week(self, weekday: int, with_somebody: bool) -> int:
        rng, weeks = self.rng, self._open[weekday]
        for _ in range(6):
            week, full = weeks[rng.randrange(len(weeks))] if with_somebody else rng.choice(weeks[-8:])
            if rng.random() < full:
                return 1 << week
        return 0

    def _keep(
        self, practitioner: int, learners: tuple[int, ...], team: int | None, weekday: int, slot: int, weeks: int,
        regular: bool,
    ) -> int:
        for person in (practitioner, *learners):
            key = _key(person, weekday, slot)
            self._grid[key] = self._grid.get(key, 0) | weeks
        by_staff = self.policy.who_books is WhoBooks.STAFF or self.rng.random() < 0.3
        self.by_day[weekday].append(Arrangement(
            practitioner, learners, team, weekday, slot, weeks, self.rng.randrange(len(self.place.courses)), regular,
            by_staff,
        ))
        return weeks.bit_count()

    # Sessions -------------------------------------------------------------------------------------------------------

    def day(self, day: date) -> Iterator[_Made]:
        """What is planned in on one day."""
        week, weekday = (day - self.monday).days // 7, day.weekday()
        bit, rooms = 1 << week, [0] * 32
        noon = datetime.combine(day, time(12), self.zone).timestamp()
        midnight = int(noon) - 12 * HOUR  # the clocks change before anybody is up
        for each in self.by_day[weekday]:
            if each.weeks & bit and self.entered < self.place.quota:
                start = midnight + self.place.material.slots[weekday][each.slot] * MINUTE
                yield self._session(each, week, start, rooms)

    def _session(self, each: Arrangement, week: int, start: int, rooms: list[int]) -> _Made:
        rng, place, material, moment = self.rng, self.place, self.place.material, self.world.moment
        longest = 60 if each.slot == 4 else 90
        end = start + min(rng.choice(material.minutes), longest) * MINUTE
        course, subjects = place.courses[each.course]
        made_by = self._made_by(each, week, start)
        luck = rng.random()
        practitioner, asked, granted, origin = each.practitioner, None, None, Origin.BOOKING
        if start > moment and each.learners and practitioner not in self.cast:
            if luck > 0.985:
                practitioner, origin = None, rng.choice((Origin.BOOKING, Origin.REQUEST))
            elif luck > 0.97 and material.kind in (Kind.PEER_ADVICE, Kind.COACHING):
                asked = min(made_by.at + HOUR, moment)
        elif luck > 0.9 and material.kind in (Kind.PEER_ADVICE, Kind.COACHING):
            asked, granted = made_by.at, made_by.at + 5 * HOUR
        room, method, location = self._venue(each.slot, rooms)
        facts, parts, closed_by = self._came_of(each, practitioner, start, end, made_by)
        return _Made(
            practitioner, each.team, self._timetable(practitioner, each, (end - start) // MINUTE), room,
            self._type(each), method, origin,
            f"{rng.choice(subjects)}: {rng.choice(material.aspects)}" if rng.random() < 0.93 else None,
            location, rng.choice(material.notes) if rng.random() < 0.35 else None,
            self.policy.report_required, start, end, asked, granted, facts, parts, course, made_by, closed_by,
        )

    def _made_by(self, each: Arrangement, week: int, start: int) -> Act:
        """Regulars are booked some weeks at a time, the rest in the week before; never later than yesterday."""
        actor = each.practitioner
        if each.by_staff or actor is None:
            actor = self.place.coordinators[each.slot % 2]
        elif self.policy.who_books is WhoBooks.CLIENTS_TOO and not each.regular and len(each.learners) == 1:
            actor = each.learners[0]
        first = week // 5 * 5 if each.regular else week
        eight = datetime.combine(self.monday + timedelta(days=7 * first - 4), time(8), UTC)
        at = int(eight.timestamp()) + actor % 480 * MINUTE
        return Act(actor, min(at, start - DAY, self.world.moment - DAY - actor % 600 * MINUTE), "book_sessions")

    def _venue(self, slot: int, rooms: list[int]) -> tuple[int | None, Method, str | None]:
        """The next room that is free in this slot of the day, or some other place."""
        place, rng = self.place, self.rng
        if rng.random() < 0.3 and rooms[slot] < len(place.rooms):
            room, smart = place.rooms[rooms[slot]]
            rooms[slot] += 1
            return room, Method.SMART if smart else Method.TRADITIONAL, None
        return None, Method.TRADITIONAL, rng.choice(place.material.places)

    def _timetable(self, practitioner: int | None, each: Arrangement, minutes: int) -> int | None:
        """The practitioner's own where the time is reserved for it, else perhaps a regular one that is held then."""
        place, material, rng = self.place, self.place.material, self.rng
        minute = material.slots[each.weekday][each.slot]
        own = place.own_timetable.get(practitioner) if practitioner is not None else None
        if own is not None and hours.is_own(material, each.weekday, minute):
            return own
        if material.kind is Kind.EVENT_MENTORING or rng.random() < 0.3:
            there = hours.holding(material.timetables, each.weekday, minute, minutes)
            return place.timetables[rng.choice(there)] if there else None
        return None

    def _some_timetable(self, practitioner: int | None) -> int | None:
        """That of a session without a time."""
        place, rng = self.place, self.rng
        own = place.own_timetable.get(practitioner) if practitioner is not None else None
        if own is not None and rng.random() < 0.6:
            return own
        if place.material.kind is Kind.EVENT_MENTORING or rng.random() < 0.3:
            return rng.choice(place.timetables)
        return None

    def _type(self, each: Arrangement) -> str:
        types = self.policy.types
        if each.regular and self.rng.random() < 0.85:
            apprentices = self.place.material.kind is Kind.APPRENTICESHIP
            return OFF_JOB_TYPES[0] if apprentices and (each.weekday + each.slot) % 3 == 0 else types[0]
        return self.rng.choice(types)

    def _came_of(
        self, each: Arrangement, practitioner: int | None, start: int, end: int, made_by: Act
    ) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], Act | None]:
        rng, moment = self.rng, self.world.moment
        plain = [(learner, None, None, None, None) for learner in each.learners]
        luck = rng.random()
        if practitioner is None or not each.learners:
            return NOTHING, plain, None
        if luck < (0.07 if start < moment else 0.025) and not (practitioner in self.cast and start > moment):
            return self._cancelled(each, practitioner, start, made_by, luck)
        if start > moment:
            if luck > 0.93 and made_by.at < moment - 2 * HOUR:
                at = moment - HOUR - each.learners[0] % 60 * MINUTE
                return (None, None, at, *NOTHING[3:]), plain, Act(each.learners[0], at, "submit_questionnaire")
            return NOTHING, plain, None
        days = (moment - end) / DAY
        if end > moment - HOUR or (days < 6 and (luck > 0.9 or practitioner in self.cast)) or luck > 0.997:
            joined = start - 3 * MINUTE if end > moment - 3 * DAY and luck > 0.97 else None
            if joined is None or joined > moment:
                return NOTHING, plain, None
            return (*NOTHING[:3], joined, *NOTHING[4:]), plain, Act(practitioner, joined, "join_session")
        return self._recorded(each, practitioner, start, end, luck)

    def _cancelled(
        self, each: Arrangement, practitioner: int, start: int, made_by: Act, luck: float
    ) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], Act]:
        actor = practitioner if self.policy.who_books is not WhoBooks.STAFF else self.place.coordinators[0]
        day = start // DAY * DAY
        at = max(made_by.at + HOUR, min(day + 6 * HOUR - int(luck * 400 % 4) * DAY, self.world.moment - 2 * HOUR))
        at = min(at, start - HOUR)
        outcome = Outcome.CANCELLED_LATE if start - at < DAY else Outcome.CANCELLED_IN_TIME
        if luck * 1000 % 1 < 0.3:
            outcome = Outcome.PRACTITIONER_CANCELLED
        facts = (at, self.rng.choice(CANCEL_REASONS), *NOTHING[2:])
        notice = at if outcome is not Outcome.PRACTITIONER_CANCELLED else None
        return facts, [(each_, outcome, at, notice, None) for each_ in each.learners], Act(actor, at, "cancel_sessions")

    def _recorded(
        self, each: Arrangement, practitioner: int, start: int, end: int, luck: float
    ) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], Act]:
        """What the practitioner wrote down, a week at a time."""
        rng, moment = self.rng, self.world.moment
        days = (start // DAY - 4) % 7  # epoch day 4 was a Monday
        monday = start // DAY * DAY + (7 - days) * DAY
        at = max(end, min(monday + 7 * HOUR + practitioner % 120 * MINUTE, moment - HOUR))
        act = Act(practitioner, at, "record_outcome")
        minutes = (end - start) // MINUTE
        if luck < 0.11:
            outcome = Outcome.PRACTITIONER_ABSENT if luck < 0.075 else Outcome.MISSED
            return NOTHING, [(learner, outcome, at, None, None) for learner in each.learners], act
        parts: list[tuple[Any, ...]] = []
        for n, learner in enumerate(each.learners):
            other = rng.random() if n else 1.0
            if other < 0.1:
                outcome = Outcome.MISSED if other < 0.06 else Outcome.CANCELLED_IN_TIME
                parts.append((learner, outcome, at, start - 2 * DAY if other >= 0.06 else None, None))
            else:
                parts.append((learner, Outcome.ATTENDED, at, None, minutes + (5 if luck * 100 % 1 < 0.1 else 0)))
        owed = luck > (0.8 if at > moment - 14 * DAY else 0.99)
        report = at if self.policy.report_required and not owed else None
        comments = at if not owed else None
        joined = (start - 2 * MINUTE, end) if luck * 10 % 1 < 0.5 else (None, None)
        return (None, None, None, *joined, report, comments, None if owed else at), parts, act

    def protocol(self, session: int, outcome: Outcome | None) -> tuple[int | None, str | None]:
        """How long was waited for somebody who missed it, and how contact was tried, where policy asks (D11)."""
        if outcome is not Outcome.MISSED or not self.policy.missed_wait:
            return None, None
        return self.policy.missed_wait + session % 3 * 5, CONTACTS[session % len(CONTACTS)]

    def unplanned(self) -> Iterator[_Made]:
        """Sessions without a time: taken off the calendar, requested, asked for, or open; as many as are left."""
        rng, place, material, moment = self.rng, self.place, self.place.material, self.world.moment
        while self.entered < place.quota:
            course, subjects = rng.choice(place.courses)
            luck = rng.random()
            team, learners = rng.choice(place.teams) if place.teams else (None, (rng.choice(place.learners),))
            practitioner: int | None = rng.choice(place.practitioners)
            origin, asked = Origin.BOOKING, None
            if luck < 0.35:
                practitioner, origin = None, Origin.REQUEST
            elif luck < 0.5 and material.kind is Kind.EVENT_MENTORING:
                team, learners = None, ()
            at = moment - rng.randint(1, 45 * 24) * HOUR
            if 0.35 <= luck < 0.5 and material.kind in (Kind.PEER_ADVICE, Kind.COACHING):
                asked = at
            actor = learners[0] if origin is Origin.REQUEST and learners else place.coordinators[0]
            yield _Made(
                practitioner, team, self._some_timetable(practitioner), None, self.policy.types[0], Method.TRADITIONAL,
                origin, f"{rng.choice(subjects)}: {rng.choice(material.aspects)}", None,
                rng.choice(material.notes) if luck > 0.6 else None, self.policy.report_required, None, None, asked,
                None, NOTHING, [(learner, None, None, None, None) for learner in learners], course,
                Act(actor, at, "book_sessions"), None,
            )


def _key(person: int, weekday: int, slot: int) -> int:
    return (person * 7 + weekday) * 64 + slot


def _fullness(day: date, weeks_ahead: int) -> float:
    """How much of the usual goes on: holidays are quiet, and the further ahead, the less is booked."""
    if (day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 3):
        return 0.08
    full = 0.95
    if day.month == 8:
        full = 0.5
    elif (day.month == 4 and day.day <= 14) or (day.month == 10 and day.day >= 25) or (day.month == 7 and day.day > 15):
        full = 0.6
    return full if weeks_ahead < 3 else full * (0.7 if weeks_ahead < 5 else 0.45)

"""The people of the demo, what they hold, and what their programmes consist of: rows by table, ids already given."""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.demo import accounts, hours
from core.demo.texts import FIRST_NAMES, GROUPS, LAST_NAMES, MATERIALS, TEAMS, Material
from core.permissions import Action
from core.programmes.rules import PRESETS
from db.words import Kind, Role, Tie, TimetableKind

DAYS_BACK, DAYS_AHEAD = 182, 61
AT_SCALE = 20_000
"""From this many sessions on, one programme holds most of them."""
ABROAD = 0.04
"""Part of a programme's practitioners who are also learners in another one."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "programme": ("id", "name", "kind", "zone", "currency", "policy", "created_at", "version"),
    "person": ("id", "name", "email", "phone", "about", "created_at", "version"),
    "account": ("person_id", "password_hash", "changed_at"),
    "role_grant": ("id", "programme_id", "person_id", "role", "permissions"),
    "relation": ("id", "programme_id", "tie", "adult_id", "learner_id"),
    "team": ("id", "programme_id", "name", "idea"),
    "team_member": ("id", "team_id", "learner_id", "from_day"),
    "people_group": ("id", "programme_id", "name"),
    "group_member": ("id", "group_id", "person_id", "granted"),
    "course": ("id", "programme_id", "name"),
    "room": ("id", "programme_id", "name", "capacity", "smart", "records"),
    "timetable": ("id", "programme_id", "name", "kind", "owner_id", "slot_minutes"),
    "weekly_window": (
        "id", "programme_id", "person_id", "timetable_id", "weekday", "from_minute", "until_minute", "zone", "from_day",
    ),
    "closure": ("id", "programme_id", "first_day", "last_day", "name"),
    "roster": ("id", "timetable_id", "person_id"),
    "own_limits": ("id", "programme_id", "person_id", "buffer_after", "most_a_day"),
}
"""What is filled in of each table, in an order that foreign keys allow. Instants are epoch seconds here."""


@dataclass
class Place:
    """One programme as the life in it needs it."""

    id: int
    material: Material
    quota: int
    coordinators: list[int]
    practitioners: list[int] = field(default_factory=list)
    learners: list[int] = field(default_factory=list)
    teams: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    courses: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    rooms: list[tuple[int, bool]] = field(default_factory=list)
    """Each with whether it is a smart one."""
    timetables: list[int] = field(default_factory=list)
    own_timetable: dict[int, int] = field(default_factory=dict)


@dataclass
class World:
    """Everything but the sessions."""

    today: date
    seed: int
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    places: dict[Kind, Place] = field(default_factory=dict)
    cast: dict[str, int] = field(default_factory=dict)
    """Demo accounts by name, to their ids."""
    shared: set[int] = field(default_factory=set)
    """People who take part in more than one programme."""

    @property
    def moment(self) -> int:
        """Epoch second up to which the past goes: the first of `today`, in UTC."""
        return int(datetime.combine(self.today, datetime.min.time(), UTC).timestamp())

    @property
    def founded(self) -> int:
        """When programmes and people were entered."""
        return self.moment - (DAYS_BACK + 40) * 86_400

    def add(self, table: str, *values: Any) -> int:
        """A row with the next id of its table; returns the id."""
        rows = self.rows[table]
        rows.append((len(rows) + 1, *values))
        return len(rows)


def make_world(sessions: int, seed: int, today: date, password_hash: str) -> World:
    """People, roles, relations, teams, groups, courses, rooms and timetables for that many sessions."""
    world = World(today, seed)
    rng = random.Random(f"world {seed}")  # noqa: S311 - made-up data, the same for the same seed
    practitioners = _scaled(40, sessions, 0.81)
    learners = _scaled(400, sessions, 0.98)
    for who in accounts.DEMO_ACCOUNTS:
        world.cast[who.name] = _person(world, rng, who.name, who.email, who.about)
        world.rows["account"].append((world.cast[who.name], password_hash, world.founded))
    for material in MATERIALS:
        share = material.share_at_scale if sessions >= AT_SCALE else material.share
        place = _place(world, rng, material, round(sessions * share))
        _people(world, rng, place, max(3, round(practitioners * share)), max(12, round(learners * share)))
        world.places[material.kind] = place
    world.places[Kind.TUTORING].quota += sessions - sum(place.quota for place in world.places.values())
    _cast(world)
    _meet_elsewhere(world)
    for place in world.places.values():
        _structure(world, rng, place)
        _hours(world, place)
    _new_tutor(world, rng)
    _families(world, rng)
    _line_managers(world, rng)
    _groups(world, rng)
    return world


def _scaled(usual: int, sessions: int, power: float) -> int:
    return round(usual * math.pow(sessions / 6000, power))


def _place(world: World, rng: random.Random, material: Material, quota: int) -> Place:
    policy = PRESETS[material.kind]
    if material.kind is Kind.APPRENTICESHIP:
        policy = policy.model_copy(update={"smart_rooms": True})
    programme_id = world.add(
        "programme", material.name, material.kind, material.zone, material.currency,
        json.dumps(policy.stored(), separators=(",", ":")), world.founded, 1,
    )
    cast = world.cast
    for name, role in (("Alice Moran", Role.MASTER_ADMIN), ("Ben Adler", Role.BASIC_ADMIN),
                       ("Mona Reyes", Role.INSIGHT_VIEWER)):
        world.add("role_grant", programme_id, cast[name], role, None)
    coordinator = _stranger(world, rng)
    world.add("role_grant", programme_id, coordinator, Role.BASIC_ADMIN, None)
    return Place(programme_id, material, quota, [cast["Ben Adler"], coordinator])


def _people(world: World, rng: random.Random, place: Place, practitioners: int, learners: int) -> None:
    for many, role, known in (
        (practitioners, Role.PRACTITIONER, place.practitioners), (learners, Role.LEARNER, place.learners)
    ):
        for n in range(many):
            about = _profile(place.material, n) if role is Role.PRACTITIONER else None
            known.append(_stranger(world, rng, about=about))
            world.add("role_grant", place.id, known[-1], role, None)


def _profile(material: Material, n: int) -> str:
    """What a practitioner is good at: two of the programme's courses, and what they take up in them."""
    courses = list(material.courses)
    first, second = courses[n % len(courses)], courses[(n // 2 + 1 + n) % len(courses)]
    both = list(dict.fromkeys((first, second)))
    topics = [material.courses[course][n % len(material.courses[course])] for course in both]
    return f"{' and '.join(both)}: {'; '.join(topics)}. Also {material.aspects[n % len(material.aspects)]}."


def _stranger(world: World, rng: random.Random, last: str | None = None, about: str | None = None) -> int:
    first, last = rng.choice(FIRST_NAMES), last or rng.choice(LAST_NAMES)
    email = f"{first}.{last}.{len(world.rows['person']) + 1}@demo.invalid".lower()
    return _person(world, rng, f"{first} {last}", email, about)


def _person(world: World, rng: random.Random, name: str, email: str, about: str | None = None) -> int:
    phone = f"+44 7700 900{rng.randrange(1000):03}" if rng.random() < 0.6 else None  # numbers kept free for fiction
    return world.add("person", name, email, phone, about, world.founded, 1)


def _cast(world: World) -> None:
    """Put the demo accounts where they belong."""
    cast, places = world.cast, world.places
    peers, challenge = places[Kind.PEER_ADVICE], places[Kind.EVENT_MENTORING]
    northfield, tutors = places[Kind.APPRENTICESHIP], places[Kind.TUTORING]
    for place in (northfield, tutors):
        world.add("role_grant", place.id, cast["Cleo Hart"], Role.CURRICULUM_MANAGER, None)
    ticked = [
        action.name for action in (
            Action.SESSION_READ, Action.SESSION_BOOK, Action.SESSION_EDIT, Action.SESSION_RESCHEDULE,
            Action.SESSION_REASSIGN, Action.SESSION_CANCEL, Action.HISTORY_SEE, Action.PEOPLE_SEE,
        )
    ]
    world.add("role_grant", challenge.id, cast["Max Lindner"], Role.CUSTOM_MANAGER, json.dumps(ticked))
    for name, place, role in (
        ("Tom Brady", tutors, Role.PRACTITIONER), ("Tom Brady", peers, Role.LEARNER),
        ("Sara Byrne", tutors, Role.LEARNER), ("Sara Byrne", challenge, Role.LEARNER),
    ):
        (place.practitioners if role is Role.PRACTITIONER else place.learners).insert(0, cast[name])
        world.add("role_grant", place.id, cast[name], role, None)
    jonas = world.add("person", "Jonas Byrne", None, None, None, world.founded, 1)
    world.add("role_grant", tutors.id, jonas, Role.LEARNER, None)
    tutors.learners.insert(1, jonas)
    world.shared.update((cast["Tom Brady"], cast["Sara Byrne"]))


def _meet_elsewhere(world: World) -> None:
    """Some practitioners are learners in the next programme: assessors are coached, mentors ask for advice."""
    kinds = list(world.places)
    for kind, other in zip(kinds, kinds[2:] + kinds[:2], strict=True):
        here, there = world.places[kind], world.places[other]
        many = max(1, round(len(here.practitioners) * ABROAD))
        for person in here.practitioners[-many:]:
            there.learners.append(person)
            world.shared.add(person)
            world.add("role_grant", there.id, person, Role.LEARNER, None)


def _structure(world: World, rng: random.Random, place: Place) -> None:
    material, scale = place.material, max(1, place.quota // 12_000)
    for name, subjects in material.courses.items():
        place.courses.append((world.add("course", place.id, name), subjects))
    for floor in range(scale):
        for name in material.rooms:
            said = name if floor == 0 else f"{name}, house {floor + 1}"
            smart, capacity = name.startswith("Smart"), rng.choice((4, 8, 12))
            room = world.add("room", place.id, said, capacity, int(smart), int(name == "Smart room 1"))
            place.rooms.append((room, smart))
    for name in material.timetables:
        place.timetables.append(world.add(
            "timetable", place.id, name, TimetableKind.REGULAR, None, hours.SLOTS.get(name)))
    names, known = world.rows["person"], set[str]()
    for n, person in enumerate(place.practitioners):
        if n % 4 == 0:
            said = f"{names[person - 1][1]}, own hours"
            said = f"{said} {person}" if said in known else said  # two may have the same name
            known.add(said)
            place.own_timetable[person] = world.add("timetable", place.id, said, TimetableKind.CUSTOM, person, None)
    if material.kind is Kind.EVENT_MENTORING:
        _teams(world, rng, place)


def _hours(world: World, place: Place) -> None:
    """When everybody can be booked, through what, and when the programme is closed."""
    material, since = place.material, (world.today - timedelta(days=DAYS_BACK + 30)).isoformat()
    rng = random.Random(f"hours {material.name} {world.seed}")  # noqa: S311 - made-up data

    def window(person: int | None, timetable: int | None, weekday: int, start: int, end: int) -> None:
        world.add("weekly_window", place.id, person, timetable, weekday, start, end, material.zone, since)

    for n, person in enumerate(place.practitioners):
        for weekday, start, end in hours.weekly(material, rng):
            window(person, None, weekday, start, end)
        if (own := place.own_timetable.get(person)) is not None:
            for weekday, start, end in hours.own_windows(material):
                window(person, own, weekday, start, end)
        if n % 7 == 5:
            world.add("own_limits", place.id, person, None, 30)
    for name, timetable in zip(material.timetables, place.timetables, strict=True):
        days, (start, end) = hours.SCHEDULES[name]
        for weekday in days:
            window(None, timetable, weekday, start, end)
        for person in place.practitioners:
            world.add("roster", timetable, person)
    first, last = (world.today + timedelta(days=days) for days in (-DAYS_BACK, DAYS_AHEAD + 300))
    for row in hours.closures(first, last):
        world.add("closure", place.id, *row)


def _new_tutor(world: World, rng: random.Random) -> None:
    """Somebody who has just joined and not said yet when they can be booked."""
    world.add("role_grant", world.places[Kind.TUTORING].id, _stranger(world, rng), Role.PRACTITIONER, None)


def _teams(world: World, rng: random.Random, place: Place) -> None:
    ideas, since = list(TEAMS.items()), (world.today - timedelta(days=DAYS_BACK + 30)).isoformat()
    start = 0
    while start < len(place.learners):
        members = tuple(place.learners[start:start + rng.choice((3, 4, 4, 5))])
        number, (name, idea) = len(place.teams), ideas[len(place.teams) % len(ideas)]
        team = world.add("team", place.id, name if number < len(ideas) else f"{name} {number // len(ideas) + 1}", idea)
        for learner in members:
            world.add("team_member", team, learner, since)
        place.teams.append((team, members))
        start += len(members)


def _families(world: World, rng: random.Random) -> None:
    """Each student has a guardian of the same name; some guardians have two children."""
    place, people = world.places[Kind.TUTORING], world.rows["person"]
    children = [learner for learner in place.learners if learner not in world.shared]
    gus, sara = world.cast["Gus Byrne"], world.cast["Sara Byrne"]
    children.remove(place.learners[1])
    _tie(world, place, Tie.GUARDIAN, gus, (sara, place.learners[1]))
    while children:
        first = children.pop()
        last = people[first - 1][1].split()[-1]
        siblings = [first]
        if children and rng.random() < 0.25:
            siblings.append(children.pop())
            row = people[siblings[1] - 1]
            people[siblings[1] - 1] = (row[0], f"{row[1].split()[0]} {last}", *row[2:])
        _tie(world, place, Tie.GUARDIAN, _stranger(world, rng, last), tuple(siblings))


def _tie(world: World, place: Place, tie: Tie, adult: int, learners: tuple[int, ...]) -> None:
    world.add("role_grant", place.id, adult, Role(tie.value), None)
    for learner in learners:
        world.add("relation", place.id, tie, adult, learner)


def _line_managers(world: World, rng: random.Random) -> None:
    lena = world.cast["Lena Fox"]
    for kind in (Kind.APPRENTICESHIP, Kind.COACHING):
        place = world.places[kind]
        manager = lena
        for some in _by(place.learners, 6 if kind is Kind.APPRENTICESHIP else 4):
            _tie(world, place, Tie.LINE_MANAGER, manager, tuple(some))
            manager = _stranger(world, rng)


def _by(listed: list[int], many: int) -> Iterator[list[int]]:
    for start in range(0, len(listed) - many + 1, many):
        yield listed[start:start + many]


def _groups(world: World, rng: random.Random) -> None:
    place = world.places[Kind.PEER_ADVICE]
    for name, some in zip(GROUPS, _by(place.learners, 4), strict=False):
        group = world.add("people_group", place.id, name)
        for person in [*some, rng.choice(place.practitioners)]:
            world.add("group_member", group, person, rng.random() < 0.6)

"""Who can be booked when, asked of the tables: the slots to offer, the times to refuse, what a change would affect.

Facts of everybody concerned come in one statement and what is taken in another (and one for rooms), however many
they are; `core.availability.rules` does the rest.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from sqlalchemy import exists, select

from core.availability.facts import Facts, facts_about, taken_of
from core.availability.rules import (
    CELL,
    DAY,
    NO_LIMITS,
    Calendar,
    Frame,
    FreeTime,
    House,
    Leader,
    Limits,
    Other,
    Problem,
    Span,
    Windows,
    beginnings,
    local_day,
    midnight,
    moments,
    monday_of,
)
from core.clock import FIRST_DAY, LAST_DAY
from core.errors import NotFound
from core.people.visible import sees_everybody, visible_people
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.visible import visible_sessions
from core.structure.queries import visible_timetables
from core.work import Work
from db.models.availability import OwnLimits, Roster
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.models.structure import Room, Timetable
from db.words import Role

LOOK_AROUND = timedelta(days=14)
OFFER_STEP = timedelta(minutes=15)
APART = 2 * DAY
"""Sessions in different weeks and farther apart than this share neither a day, a week nor a buffer."""


class Ask(NamedTuple):
    """Who and what is wanted together at some time between two instants."""

    since: datetime
    until: datetime
    practitioner_id: int | None = None
    people: frozenset[int] = frozenset()
    """Everybody else: of them only what takes their time is looked at."""
    room_id: int | None = None
    timetable_id: int | None = None
    stays: bool = False
    """It keeps the time it has: only the practitioner's side of it is asked about."""


# Free time ---------------------------------------------------------------------------------------------------------


def free_times(
    work: Work, programme_id: int, asks: Sequence[Ask], but: Collection[int] = (), *, coming: int = 0,
    overlaps: bool = True,
) -> list[FreeTime]:
    """When each of these can be booked. The sessions `but` do not stand in the way; `coming` says how many are placed.

    Without `overlaps` what is taken is looked at where buffers or limits ask for it. Raises NotFound.
    """
    programme = programme_of(work, programme_id)
    if not asks:
        return []
    frames = _frames(asks)
    facts = facts_about(
        work, programme_id, {ask.practitioner_id for ask in asks if ask.practitioner_id is not None},
        {ask.timetable_id for ask in asks if ask.timetable_id is not None},
        min(frame.since for frame in frames), max(frame.until for frame in frames),
    )
    house = House(programme.policy, programme.zone_name, int(work.now.timestamp()), facts.closures)
    leaders = _leaders(facts, asks)
    free = [
        FreeTime(frame, house.at_any_time if ask.stays else house, leader, facts.ways.get(ask.timetable_id or 0))
        for ask, frame, leader in zip(asks, frames, leaders, strict=True)
    ]
    _fill(work, programme, asks, free, but, coming, overlaps)
    return free


def _frames(asks: Sequence[Ask]) -> list[Frame]:
    """Most asks are about the same time."""
    found: list[Frame] = []
    for n, ask in enumerate(asks):
        same = n and ask.since is asks[n - 1].since and ask.until is asks[n - 1].until
        found.append(found[-1] if same else Frame.of(ask.since, ask.until))
    return found


def _leaders(facts: Facts, asks: Sequence[Ask]) -> list[Leader | None]:
    """Whoever is asked about twice has the same hours, and each time a calendar of its own to fill."""
    found: list[Leader | None] = []
    once: set[int] = set()
    for ask in asks:
        id_ = ask.practitioner_id
        known = None if id_ is None else facts.leaders.get(id_) or Leader(id_, "This person", known=False)
        if known is not None and id_ in once:
            known = Leader(known.id, known.name, known.general, known.own, known.off, known.limits, known=known.known)
        if id_ is not None:
            once.add(id_)
        found.append(known)
    return found


def _fill(
    work: Work, programme: ProgrammeView, asks: Sequence[Ask], free: Sequence[FreeTime], but: Collection[int],
    coming: int, overlaps: bool,
) -> None:
    """Enter what is taken."""
    people, rooms = [], []
    for n, (ask, each) in enumerate(zip(asks, free, strict=True)):
        frame, leader = each.frame, each.leader
        if leader is not None and (overlaps or leader.limits != NO_LIMITS):
            people.append((n, leader.id, *_span(frame, leader.limits, programme.zone_name)))
        if overlaps:
            people += [(n, person, frame.since, frame.until) for person in ask.people - {ask.practitioner_id}]
            if ask.room_id is not None:
                rooms.append((n, ask.room_id, frame.since, frame.until))
    others: dict[int, list[tuple[str, int, Calendar]]] = {}
    for n, person, taken in taken_of(work, "person_id", people, but):
        leader = free[n].leader
        if leader is not None and leader.id == person:
            leader.taken = taken
        else:
            others.setdefault(n, []).append(("person", person, taken))
    for n, room, taken in taken_of(work, "room_id", rooms, but):
        others.setdefault(n, []).append(("room", room, taken))
    if others:
        names = _names(work, others.values())
        for n, listed in others.items():
            free[n].others = [Other(names.get((kind, id_), ""), taken) for kind, id_, taken in listed]
    _count(work, programme, free, but, coming)


@lru_cache(256)
def _span(frame: Frame, limits: Limits, zone: str) -> Span:
    """How far to look for what stands near: buffers, and the whole days or weeks that a limit counts."""
    since, until = frame.since - limits.after * 60, frame.until + limits.before * 60
    if limits.a_day is not None or limits.a_week is not None:
        first, last = local_day(frame.since, zone), local_day(frame.until, zone)
        if limits.a_week is not None:
            first, last = monday_of(first), monday_of(last) + 6
        since, until = min(since, midnight(zone, first)), max(until, midnight(zone, last + 1))
    return since, until


def _names(work: Work, taken: Iterable[Sequence[tuple[str, int, Calendar]]]) -> dict[tuple[str, int], str]:
    ids: dict[str, set[int]] = {"person": set(), "room": set()}
    for listed in taken:
        for kind, id_, _ in listed:
            ids[kind].add(id_)
    found: dict[tuple[str, int], str] = {}
    for kind, model in (("person", Person), ("room", Room)):
        if ids[kind]:
            rows = work.tx.execute(select(model.id, model.name).where(model.id.in_(ids[kind])))
            found |= {(kind, row.id): row.name for row in rows}
    return found


def _count(
    work: Work, programme: ProgrammeView, free: Sequence[FreeTime], but: Collection[int], coming: int
) -> None:
    """What counts for the limits. All that takes a practitioner is at least that, and mostly few enough."""
    near: list[Leader] = []
    spans: list[Span] = []
    for each in free:
        leader = each.leader
        if leader is None or not leader.taken or (leader.limits.a_day is None and leader.limits.a_week is None):
            continue
        leader.led = [start for start, _ in leader.taken.spans]
        if _may_be_full(leader, coming):
            near.append(leader)
            spans.append(_span(each.frame, leader.limits, programme.zone_name))
    if not near:
        return
    first, last = (datetime.fromtimestamp(at, UTC) for at in (min(a for a, _ in spans), max(b for _, b in spans)))
    led: dict[int, list[int]] = {}
    for person, at in work.tx.execute(
        select(Session.practitioner_id, Session.starts_at).where(
            Session.practitioner_id.in_({leader.id for leader in near}), Session.programme_id == programme.id,
            Session.starts_at >= first, Session.starts_at < last, Session.cancelled_at.is_(None),
            Session.id.not_in(sorted(but)),
        )
    ):
        assert person is not None  # asked for by it
        assert at is not None
        led.setdefault(person, []).append(int(at.timestamp()))
    for leader, (start, end) in zip(near, spans, strict=True):
        leader.led = [at for at in led.get(leader.id, ()) if start <= at < end]


def _may_be_full(leader: Leader, coming: int) -> bool:
    """Whether a limit can be reached at all: so many within so long."""
    starts = sorted(leader.led)
    for most, long in ((leader.limits.a_day, DAY + 7200), (leader.limits.a_week, 7 * DAY + 7200)):
        if most is None:
            continue
        need = max(1, most - coming)
        if any(later - earlier < long for earlier, later in zip(starts, starts[need - 1:], strict=False)):
            return True
    return False


def free_time(
    work: Work, programme_id: int, people: Collection[int], rooms: Collection[int], since: datetime, until: datetime,
    *, practitioner_id: int | None = None, timetable_id: int | None = None, but: int | None = None,
) -> FreeTime:
    """When a practitioner (or nobody yet), others and a room are all to be had, for any length. Raises NotFound."""
    ask = Ask(since, until, practitioner_id, frozenset(people), next(iter(rooms), None), timetable_id)
    return free_times(work, programme_id, [ask], () if but is None else (but,))[0]


def bookable_hours(
    work: Work, programme_id: int, practitioner_id: int | None, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """When a practitioner can be booked between two instants, whatever is taken; for nobody, when it is open at all.

    Raises NotFound.
    """
    if practitioner_id is not None and not practitioners(work, programme_id, [practitioner_id]):
        raise NotFound
    free = free_times(work, programme_id, [Ask(since, until, practitioner_id)], overlaps=False)[0]
    away = free.frame.touched(free.leader.off) if free.leader is not None else 0
    return [(_utc(start), _utc(end)) for start, end in free.frame.runs(free.open & ~away)]


def free_slots(
    work: Work, programme_id: int, practitioner_id: int, since: datetime, until: datetime, *,
    length: timedelta | None = None, step: timedelta = OFFER_STEP, timetable_id: int | None = None,
    people: Collection[int] = (), room_id: int | None = None, but: int | None = None,
) -> list[datetime]:
    """When a practitioner can be booked, perhaps with others and a room; of the usual length unless named.

    Raises NotFound for somebody who is no practitioner here, or not for the viewer.
    """
    if not sees_everybody(work, programme_id) and not practitioners(work, programme_id, [practitioner_id]):
        raise NotFound
    ask = Ask(since, until, practitioner_id, frozenset(people), room_id, timetable_id)
    free = free_times(work, programme_id, [ask], () if but is None else (but,))[0]
    if free.leader is None or not free.leader.known:
        raise NotFound
    return free.starts(length or _usual(work, programme_id), step)


@dataclass
class AnyFree:
    """When any of several practitioners can be booked."""

    frame: Frame
    free: dict[int, FreeTime]
    """By practitioner."""
    length: timedelta
    step: timedelta
    together: int = -1
    """Bits at which everybody else and the room can be had."""

    def bits(self, practitioner_id: int) -> int:
        """When something can begin with one of them."""
        free = self.free.get(practitioner_id)
        return 0 if free is None else free.start_bits(self.length, self.step) & self.together

    @property
    def starts(self) -> list[datetime]:
        """When at least one of them can; asked of no more of them than it takes to know."""
        hours, found = 0, 0
        for free in self.free.values():
            hours |= free.open
        most = beginnings(self.frame, hours, self.length, self.step) & self.together
        for person, free in self.free.items():
            most &= free.house.timely(self.frame)
            if found == most:
                break
            found |= self.bits(person)
        return moments(self.frame, found)

    def who(self, at: datetime) -> list[int]:
        """Those who can then."""
        cell = (int(at.timestamp()) - self.frame.since) // CELL
        return [person for person in self.free if self.bits(person) >> cell & 1]

    def first(self, practitioner_id: int) -> datetime | None:
        """The first time at which one of them can."""
        bits = self.bits(practitioner_id)
        return next(iter(moments(self.frame, bits & -bits)), None)

    def of(self, practitioner_id: int) -> list[datetime]:
        """When one of them can."""
        return moments(self.frame, self.bits(practitioner_id))


def any_free(
    work: Work, programme_id: int, since: datetime, until: datetime, *, among: Collection[int] | None = None,
    skill: str = "", length: timedelta | None = None, step: timedelta = OFFER_STEP, people: Collection[int] = (),
    room_id: int | None = None, timetable_id: int | None = None,
) -> AnyFree:
    """When any practitioner of a programme, of those named or with a skill can be booked; none hidden from the viewer.

    Raises NotFound.
    """
    known = among if among is not None and not skill and sees_everybody(work, programme_id) else practitioners(
        work, programme_id, among, skill)
    ids, others = sorted(set(known)), frozenset(people)
    asks = [Ask(since, until, person, frozenset(), None, timetable_id) for person in ids]
    free = free_times(work, programme_id, asks)
    length = length or _usual(work, programme_id)
    found = AnyFree(Frame.of(since, until), {
        each.leader.id: each for each in free if each.leader is not None and each.leader.known}, length, step)
    if others or room_id is not None:
        all_of_them = free_times(work, programme_id, [Ask(since, until, None, others, room_id)])[0]
        found.together = all_of_them.start_bits(length, step)
    return found


def practitioners(
    work: Work, programme_id: int, among: Collection[int] | None = None, skill: str = ""
) -> set[int]:
    """The practitioners of a programme who exist for the viewer and can sign in. Raises NotFound.

    With a skill, those whose profile says each of its words.
    """
    programme_of(work, programme_id)
    where = [RoleGrant.programme_id == programme_id, RoleGrant.role == Role.PRACTITIONER, Person.disabled_at.is_(None)]
    if not sees_everybody(work, programme_id):
        where.append(visible_people(work, programme_id))
    if among is not None:
        where.append(Person.id.in_(among))
    where += [Person.about.icontains(word, autoescape=True) for word in skill.split()]
    return set(work.tx.scalars(select(Person.id).join(RoleGrant, RoleGrant.person_id == Person.id).where(*where)))


def _usual(work: Work, programme_id: int) -> timedelta:
    return timedelta(minutes=programme_of(work, programme_id).policy.usual_minutes)


def nearest_free(
    work: Work, programme_id: int, people: Iterable[int], room_id: int | None, around: datetime, length: timedelta, *,
    practitioner_id: int | None = None, timetable_id: int | None = None, but: int | Collection[int] | None = None,
    most: int = 4, any_of: Collection[int] = (),
) -> list[datetime]:
    """Times nearest to `around` that would be accepted; none before now unless asked about then.

    `any_of` are rooms of which any will do; the first time after `around` is then among what is found.
    Where nobody is named as the practitioner, everybody here who is one needs to have hours.
    """
    everybody = frozenset(people)
    ids = {practitioner_id} if practitioner_id is not None else _leading(work, programme_id, everybody)
    minute = around.replace(minute=around.minute // 5 * 5, second=0, microsecond=0)
    since, until = minute - LOOK_AROUND, minute + LOOK_AROUND + length
    without = () if but is None else (but,) if isinstance(but, int) else but
    leaders: list[int | None] = [*sorted(ids)] or [None]
    asks = [Ask(since, until, leader, everybody, room_id, timetable_id) for leader in leaders]
    asks += [Ask(since, until, None, frozenset(), room) for room in sorted(any_of)]
    bits, pool = ~0, 0
    for n, free in enumerate(free_times(work, programme_id, asks, without)):
        if n < len(leaders):
            bits &= free.start_bits(length, OFFER_STEP)
        else:
            pool |= free.start_bits(length, OFFER_STEP)
    bits &= pool if any_of else ~0
    earliest = work.now if around >= work.now else since
    found = [
        at for at in moments(Frame.of(since, until), bits)
        if at >= earliest and at != minute and at < around + LOOK_AROUND and FIRST_DAY <= at.date() <= LAST_DAY
    ]
    nearest = sorted(found, key=lambda at: (abs(at - minute), at < minute))[:most]
    following = [at for at in found if at > minute][:1] if any_of else []
    return sorted({*nearest, *following})


def _leading(work: Work, programme_id: int, people: frozenset[int]) -> set[int]:
    if not people:
        return set()
    return set(work.tx.scalars(select(RoleGrant.person_id).where(
        RoleGrant.programme_id == programme_id, RoleGrant.role == Role.PRACTITIONER, RoleGrant.person_id.in_(people))))


# Slots of a timetable -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """A bookable interval of a timetable, free or taken (B7)."""

    starts_at: datetime
    ends_at: datetime
    practitioner_id: int
    practitioner: str
    taken: bool
    session_id: int | None = None
    """What takes it, where the viewer may see that, and its number."""
    number: int | None = None
    note: str = ""
    """Why it cannot be booked although it is not taken."""

    @property
    def free(self) -> bool:
        """Whether it can be booked."""
        return not self.taken and not self.note


def slots_of_timetable(work: Work, timetable_id: int, since: datetime, until: datetime) -> list[Slot]:
    """Its slots that begin between two instants, one for each practitioner and time, and what else is booked under it.

    Raises NotFound.
    """
    row = work.tx.execute(
        select(Timetable.programme_id, Timetable.owner_id).where(Timetable.id == timetable_id)).first()
    if row is None or work.tx.scalar(select(Timetable.id).where(
            Timetable.id == timetable_id, visible_timetables(work, row.programme_id))) is None:
        raise NotFound
    leaders = {row.owner_id} if row.owner_id is not None else set(work.tx.scalars(
        select(Roster.person_id).where(Roster.timetable_id == timetable_id)))
    ids = sorted(practitioners(work, row.programme_id, leaders))
    usual = programme_of(work, row.programme_id).policy.usual_minutes
    around = (since - timedelta(days=1), until + timedelta(days=2))
    found: list[Slot] = []
    taking = _sessions_taking(work, row.programme_id, ids, timetable_id, *around)
    for free in free_times(work, row.programme_id, [Ask(*around, person, timetable_id=timetable_id) for person in ids]):
        assert free.leader is not None  # asked for with one
        assert free.way is not None  # it is there
        length = (free.way.slot_minutes or usual) * 60
        theirs = taking.get(free.leader.id, {})
        shown: set[Span] = set()
        for start, end in _tiles(free, timetable_id, length):
            if not since <= _utc(start) < until:
                continue
            over = next((span for span in free.leader.taken.spans if span[0] < end and start < span[1]), None)
            problem = None if over else free.problem(_utc(start), _utc(end))
            if over is None and problem is not None and not free.open >> (start - free.frame.since) // CELL & 1:
                continue  # no slot at all, for want of hours
            shown.update([over] if over else [])
            id_, number, _ = theirs.get(over, (None, None, False)) if over else (None, None, False)
            found.append(Slot(
                _utc(start), _utc(end), free.leader.id, free.leader.name, over is not None, id_, number,
                problem.sentence if problem else "",
            ))
        found += [
            Slot(_utc(span[0]), _utc(span[1]), free.leader.id, free.leader.name, True, session, its)
            for span, (session, its, under) in theirs.items()
            if under and span not in shown and since <= _utc(span[0]) < until
        ]
    return sorted(found, key=lambda slot: (slot.starts_at, slot.practitioner, slot.practitioner_id))


def _tiles(free: FreeTime, timetable_id: int, length: int) -> Iterator[Span]:
    """The windows of a timetable, cut into slots from the beginning of each."""
    assert free.way is not None  # asked for with one
    assert free.leader is not None
    windows = free.leader.own.get(timetable_id, Windows()) if free.way.owner_id is not None else free.way.schedule
    days = free.frame.days(free.house.zone)
    for start, end in windows.spans(days[0], days[-1]):
        for at in range(start, end - length + 1, length):
            if free.frame.since <= at and at + length <= free.frame.until:
                yield at, at + length


def _sessions_taking(
    work: Work, programme_id: int, people: Collection[int], timetable_id: int, since: datetime, until: datetime
) -> dict[int, dict[Span, tuple[int, int, bool]]]:
    """Sessions that the viewer may see, by practitioner and time: id, number, whether under this timetable."""
    found: dict[int, dict[Span, tuple[int, int, bool]]] = {}
    for row in work.tx.execute(
        select(Session.id, Session.number, Session.practitioner_id, Session.starts_at, Session.ends_at,
               Session.timetable_id)
        .where(visible_sessions(work, programme_id), Session.practitioner_id.in_(people), Session.starts_at < until,
               Session.starts_at > since - timedelta(days=1), Session.cancelled_at.is_(None))
    ):
        span = (int(row.starts_at.timestamp()), int(row.ends_at.timestamp()))
        found.setdefault(row.practitioner_id, {})[span] = (row.id, row.number, row.timetable_id == timetable_id)
    return found


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


# Checking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """A session at the time that it is to have. `item` says which of many."""

    item: int
    practitioner_id: int | None
    timetable_id: int | None
    starts_at: datetime
    ends_at: datetime
    stays: bool = False
    """It has that time already: opening hours, closures and notice were asked about then."""


P = TypeVar("P", bound=Placed)


def hours_problems(
    work: Work, programme_id: int, placed: Sequence[Placed], but: Collection[int] = ()
) -> dict[int, Problem]:
    """What stands against each of these times, other sessions' own time aside: one after another, in order (X1, B12).

    The sessions `but` are those that are placed, and stand in nobody's way where they are now.
    """
    if not placed:
        return {}
    groups = near_each_other(placed, programme_of(work, programme_id).zone_name)
    keys: dict[tuple[int, int | None, bool], int] = {}
    asks: list[Ask] = []
    of_item: dict[int, int] = {}
    for number, group in enumerate(groups):
        since, until = min(one.starts_at for one in group), max(one.ends_at for one in group)
        for one in group:
            key = (number, one.timetable_id, one.stays)
            if key not in keys:
                keys[key] = len(asks)
                asks.append(Ask(since, until, one.practitioner_id, timetable_id=one.timetable_id, stays=one.stays))
            of_item[one.item] = keys[key]
    free = free_times(work, programme_id, asks, but, coming=max(map(len, groups)), overlaps=False)
    first: dict[int, Leader] = {}
    for (number, *_), n in keys.items():  # one calendar for whoever is booked in several ways
        if (leader := free[n].leader) is not None:
            free[n].leader = first.setdefault(number, leader)
    found: dict[int, Problem] = {}
    for one in placed:
        each = free[of_item[one.item]]
        if (problem := each.problem(one.starts_at, one.ends_at, overlaps=False)) is not None:
            found[one.item] = problem
        each.take(one.starts_at, one.ends_at)
    return found


def keeps_apart(work: Work, programme_id: int) -> bool:
    """Whether any buffer or limit holds in a programme, so that one session may stand in another's way unmet."""
    return Limits.of(programme_of(work, programme_id).policy) != NO_LIMITS or bool(work.tx.scalar(
        select(exists().where(OwnLimits.programme_id == programme_id))))


def near_each_other(placed: Sequence[P], zone: str) -> list[list[P]]:
    """The same by practitioner, and by stretches of time that have nothing to do with each other in that zone."""
    groups: list[list[P]] = []
    latest: tuple[int | None, int, int] | None = None
    for one in sorted(placed, key=lambda one: (one.practitioner_id or 0, one.starts_at)):
        start = int(one.starts_at.timestamp())
        week = monday_of(local_day(start, zone))
        if latest is None or latest[0] != one.practitioner_id or (start - latest[1] > APART and week != latest[2]):
            groups.append([])
        groups[-1].append(one)
        latest = (one.practitioner_id, start, week)
    return groups

"""Smart rooms: a pool from which each smart session is allotted the smallest that fits and is free (C5, C12)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from core.availability.queries import nearest_free
from core.clock import when_words
from core.errors import Invalid
from core.programmes.queries import ProgrammeView
from core.sessions.busy import Wanted, overlaps
from core.sessions.rules import Booking, Clash, NoRoomFree
from core.work import Work
from db.models.structure import Room
from db.words import Method

FEWEST = 2
"""People in a smart session of whom nobody knows yet who they are (C8)."""


class SmartRoom(NamedTuple):
    """One of the pool."""

    id: int
    capacity: int
    records: bool


@dataclass(frozen=True)
class Sought:
    """A smart session that needs a room at some time. `item` says which of many."""

    item: int
    learners: int
    records: bool
    wanted: Wanted
    """Whom it takes and when; its room is the one that it has, which it keeps if it can."""
    chosen: bool = False
    """It is to be that room and no other."""

    def fits(self, room: SmartRoom) -> bool:
        """Whether the room holds these people, and records where that is wanted."""
        return room.capacity >= people_in(self.learners) and (room.records or not self.records)


def people_in(learners: int) -> int:
    """People in the virtual room: learners and whoever leads (C8)."""
    return max(FEWEST, learners + 1)


def pool(work: Work, programme_id: int) -> tuple[SmartRoom, ...]:
    """The smart rooms of a programme, the smallest first, and of those alike the ones that do not record."""
    return tuple(SmartRoom(*row) for row in work.tx.execute(
        select(Room.id, Room.capacity, Room.records)
        .where(Room.programme_id == programme_id, Room.smart, Room.retired_at.is_(None))
        .order_by(Room.capacity, Room.records, Room.id)))


def rooms_to_hold(work: Work, programme_id: int, methods: Iterable[str]) -> set[int]:
    """The rooms whose calendars are held while one of them is allotted: the pool, where any session is smart."""
    return {room.id for room in pool(work, programme_id)} if Method.SMART in methods else set()


def allot(work: Work, rooms: Sequence[SmartRoom], sought: Sequence[Sought]) -> dict[int, int]:
    """A room for each item, in order of time; one that is missing found none. Costs one statement, however many."""
    leaving = {one.wanted.session_id for one in sought if one.wanted.session_id is not None}
    open_ones = [one for one in sought if not one.chosen]
    taken = {
        (row.item, row.room_id) for row in overlaps(work, [
            replace(one.wanted, item=one.item, people=frozenset(), room_id=room.id)
            for one in open_ones for room in rooms if one.fits(room)])
        if row.session_id not in leaving
    }
    given: dict[int | None, list[tuple[datetime, datetime]]] = {}
    for one in sought:
        if one.chosen:
            given.setdefault(one.wanted.room_id, []).append((one.wanted.starts_at, one.wanted.ends_at))
    until: dict[int, datetime] = {}
    found: dict[int, int] = {}
    for one in sorted(open_ones, key=lambda one: (one.wanted.starts_at, -one.learners, one.item)):
        since, end = one.wanted.starts_at, one.wanted.ends_at
        for room in sorted(rooms, key=lambda room: room.id != one.wanted.room_id):
            if one.fits(room) and (one.item, room.id) not in taken and not (
                room.id in until and since < until[room.id]
            ) and not any(since < b and a < end for a, b in given.get(room.id, ())):
                found[one.item], until[room.id] = room.id, end
                break
    return found


def allotted(work: Work, programme: ProgrammeView, sought: Sequence[Sought]) -> dict[int, int]:
    """A room for each item that did not choose one. Raises Invalid where none is large enough, NoRoomFree.

    The calendars of `rooms_to_hold` are held.
    """
    if not sought:
        return {}
    rooms = pool(work, programme.id)
    found = allot(work, rooms, sought)
    for one in sought:
        if not one.chosen and one.item not in found:
            _refuse(work, programme, rooms, one)
    return found


def _refuse(work: Work, programme: ProgrammeView, rooms: Sequence[SmartRoom], one: Sought) -> None:
    fitting = [room.id for room in rooms if one.fits(room)]
    recording = " that records" if one.records else ""
    people = people_in(one.learners)
    if not fitting:
        raise Invalid({"room": f"This programme has no smart room{recording} for {people} people."}, one.item)
    wanted = one.wanted
    free = nearest_free(
        work, programme.id, wanted.people, None, wanted.starts_at, wanted.ends_at - wanted.starts_at,
        practitioner_id=wanted.practitioner_id, timetable_id=wanted.timetable_id, but=wanted.session_id, any_of=fitting,
    )
    after = next((at for at in free if at > wanted.starts_at), None)
    when = when_words(wanted.starts_at, programme.zone, wanted.ends_at)
    said = f"The next time one is free is {when_words(after, programme.zone)}." if after else \
        "None is within two weeks after that."
    raise NoRoomFree(
        [Clash(one.item, "Every smart room", wanted.starts_at, wanted.ends_at)],
        f"No smart room{recording} for {people} people is free {when}. {said}", free)


def housed(
    work: Work, programme: ProgrammeView, items: Sequence[int], bookings: Sequence[Booking],
    learners: Sequence[Collection[int]],
) -> list[Booking]:
    """The same with a room for each smart one that has a time and chose none. Raises Invalid, NoRoomFree."""
    found = allotted(work, programme, [
        Sought(item, len(those), booking.records, Wanted(
            item, frozenset({*those, *_leader(booking)}), booking.room_id, booking.starts_at, booking.ends_at,
            practitioner_id=booking.practitioner_id, timetable_id=booking.timetable_id,
        ), chosen=booking.room_id is not None)
        for item, booking, those in zip(items, bookings, learners, strict=True)
        if booking.method == Method.SMART and booking.starts_at is not None and booking.ends_at is not None
    ])
    return [replace(booking, room_id=found[item]) if item in found else booking
            for item, booking in zip(items, bookings, strict=True)]


def _leader(booking: Booking) -> tuple[int, ...]:
    return () if booking.practitioner_id is None else (booking.practitioner_id,)


def any_records(work: Work, programme_id: int, learners: int) -> bool:
    """Whether a recording room holds that many learners and whoever leads."""
    return any(room.records and room.capacity >= people_in(learners) for room in pool(work, programme_id))


"""How sessions will stand once an act is undone, and whether that keeps to what every booking keeps to (X1, X5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, select

from core.availability.queries import Placed
from core.errors import Conflict, Invalid
from core.history.rights import portions
from core.history.rows import RowChange
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.busy import Wanted, lock
from core.sessions.checks import Place, check_hours, check_open, holding, misfits, rooms_of, timetables_of, wrong_room
from core.sessions.pool import Sought, allot, pool, rooms_to_hold
from core.work import Work
from db.models.sessions import FREES_LEARNER, Participation, Session
from db.words import Method, Role

TABLE, PARTS = (cast(Table, model.__table__) for model in (Session, Participation))
TAKES_HOURS = frozenset({"starts_at", "ends_at", "practitioner_id", "timetable_id"})
PLACED = TAKES_HOURS | {"room_id", "method"}
AS_BEFORE = "as it was before"
"""Why hours do not hold for whoever may override them: it was booked like that once."""


@dataclass(frozen=True)
class Standing:
    """One session, not cancelled, as it is now (nothing for one that is gone) and as it will be."""

    now: Mapping[str, Any] | None
    then: Mapping[str, Any]
    learners: frozenset[int]
    joining: frozenset[int]
    """Those of the learners whose time it does not take now."""

    @property
    def comes_back(self) -> bool:
        """Whether it was deleted or cancelled."""
        return self.now is None or self.now["cancelled_at"] is not None

    @property
    def changed(self) -> frozenset[str]:
        """The columns that will be different: all of them where it comes back."""
        if self.now is None or self.comes_back:
            return frozenset(self.then)
        return frozenset(name for name, value in self.then.items() if value != self.now[name])

    @property
    def placed_anew(self) -> bool:
        """Whether it will be on the calendar and is not now."""
        return self.then["starts_at"] is not None and (
            self.now is None or self.comes_back or self.now["starts_at"] is None)

    def wanted(self, item: int) -> Wanted:
        """What it takes on the calendar."""
        then = self.then
        everybody = self.learners | ({then["practitioner_id"]} - {None})
        return Wanted(item, everybody, then["room_id"], then["starts_at"], then["ends_at"], then["id"],
                      practitioner_id=then["practitioner_id"], timetable_id=then["timetable_id"])


def standings(work: Work, changes: Sequence[RowChange]) -> list[Standing]:
    """How the sessions that an act concerns will stand, those aside that go or are cancelled."""
    ids = {change.session_id for change in changes if change.session_id is not None}
    now: dict[int, Mapping[str, Any]] = {}
    parts_now: dict[int, tuple[int, int, Any]] = {}
    for some in portions(ids):
        now.update({row["id"]: row for row in work.tx.execute(select(TABLE).where(TABLE.c.id.in_(some))).mappings()})
        parts_now.update({row.id: (row.session_id, row.learner_id, row.outcome) for row in work.tx.execute(
            select(PARTS.c.id, PARTS.c.session_id, PARTS.c.learner_id, PARTS.c.outcome)
            .where(PARTS.c.session_id.in_(some)))})
    then, parts = dict(now), dict(parts_now)
    for change in changes:
        before = change.before or {}
        if change.table is TABLE:
            if change.is_new:
                then.pop(change.row_id, None)
            else:
                then[change.row_id] = {**dict.fromkeys(TABLE.c.keys()), **then.get(change.row_id, {}), **before}
        elif change.table is PARTS:
            if change.is_new:
                parts.pop(change.row_id, None)
            else:
                there = parts.get(change.row_id, (0, 0, None))
                parts[change.row_id] = (
                    before.get("session_id", there[0]), before.get("learner_id", there[1]),
                    before.get("outcome") if "outcome" in before or change.is_gone else there[2],
                )
    taken, will_be = _whom(parts_now), _whom(parts)
    return [
        Standing(now.get(id_), row, will_be.get(id_, frozenset()),
                 will_be.get(id_, frozenset()) - taken.get(id_, frozenset()))
        for id_, row in sorted(then.items()) if row["cancelled_at"] is None
    ]


def _whom(parts: Mapping[int, tuple[int, int, Any]]) -> dict[int, frozenset[int]]:
    """Whose time each session takes, of its learners."""
    found: dict[int, set[int]] = {}
    for session_id, learner, outcome in parts.values():
        if outcome not in FREES_LEARNER:
            found.setdefault(session_id, set()).add(learner)
    return {id_: frozenset(those) for id_, those in found.items()}


def house_again(work: Work, changes: Sequence[RowChange]) -> None:
    """Smart sessions that come back to the calendar, or to another time of it, take what is free of the pool (C12)."""
    standing = standings(work, changes)
    rows = {change.row_id: change.before for change in changes if change.table is TABLE and change.before is not None}
    for programme_id in sorted({one.then["programme_id"] for one in standing}):
        sought = [
            Sought(one.then["id"], len(one.learners), one.then["records"], one.wanted(0)) for one in standing
            if one.then["programme_id"] == programme_id and one.then["method"] == Method.SMART
            and one.then["starts_at"] is not None and one.changed & PLACED and one.then["id"] in rows]
        if not sought:
            continue
        people = {person for one in sought for person in one.wanted.people}
        lock(work, people, rooms_to_hold(work, programme_id, [Method.SMART]))
        for id_, room_id in allot(work, pool(work, programme_id), sought).items():
            if room_id != next(one.then["room_id"] for one in standing if one.then["id"] == id_):
                rows[id_]["room_id"] = room_id


def refuse_misplaced(work: Work, standing: Sequence[Standing]) -> None:
    """Hold everybody's calendar, and refuse what could not be booked or changed like this by hand. Raises Conflict."""
    wanted = [one.wanted(item) for item, one in enumerate(standing) if one.then["starts_at"] is not None]
    lock(work, {person for one in wanted for person in one.people}, {one.room_id for one in wanted if one.room_id})
    for programme_id in sorted({one.then["programme_id"] for one in standing}):
        programme = programme_of(work, programme_id)
        here = [one for one in standing if one.then["programme_id"] == programme_id]
        if any(one.comes_back or one.placed_anew for one in here):
            check_open(work, programme)
        _refuse_unfit(work, programme, here)
        timed = [one for one in here if one.then["starts_at"] is not None and one.changed & TAKES_HOURS]
        try:
            check_hours(
                work, programme, [
                    Placed(item, one.then["practitioner_id"], one.then["timetable_id"], one.then["starts_at"],
                           one.then["ends_at"], stays=not one.changed & {"starts_at", "ends_at"})
                    for item, one in enumerate(timed)
                ],
                dict.fromkeys(range(len(timed)), AS_BEFORE), but=[one.then["id"] for one in timed],
            )
        except Invalid as refused:
            raise Conflict(_why(programme, timed[refused.item or 0], refused.problems["time"])) from refused


def _refuse_unfit(work: Work, programme: ProgrammeView, standing: Sequence[Standing]) -> None:
    practitioners = holding(work, programme.id, Role.PRACTITIONER, {one.then["practitioner_id"] for one in standing})
    learners = holding(work, programme.id, Role.LEARNER, {each for one in standing for each in one.joining})
    rooms = rooms_of(work, programme.id, {one.then["room_id"] for one in standing})
    owners = timetables_of(work, programme.id, {one.then["timetable_id"] for one in standing})
    for one in standing:
        found = _gone(programme, one, practitioners, learners, rooms, owners)
        if one.joining or one.changed & (PLACED | {"places"}):
            place = rooms.get(one.then["room_id"] or 0)
            found += misfits(programme.policy.words, one.then["practitioner_id"], one.learners, place,
                              one.then["places"]).values()
        if one.changed & {"room_id", "method", "starts_at"}:
            place = rooms.get(one.then["room_id"] or 0)
            found += wrong_room(place, one.then["method"], one.then["records"]).values()
        if found:
            raise Conflict(_why(programme, one, found[0]))


def _gone(
    programme: ProgrammeView, one: Standing, practitioners: set[int], learners: set[int],
    rooms: Mapping[int, Place], owners: Mapping[int, int | None],
) -> list[str]:
    """What it would take and is not to be had any more, a sentence each."""
    words, then = programme.policy.words, one.then
    found: list[str] = []
    who, room, timetable = then["practitioner_id"], then["room_id"], then["timetable_id"]
    if who is not None and one.changed & PLACED and who not in practitioners:
        found.append(f"Its {words.practitioner} takes no sessions any more.")
    if not one.joining <= learners:
        found.append(f"Somebody in it is no {words.learner} of this programme any more.")
    if room is not None and one.changed & PLACED and room not in rooms:
        found.append("Its room is not used any more.")
    if timetable is not None and who is not None and one.changed & {"timetable_id", "practitioner_id"}:
        if timetable not in owners:
            found.append("Its timetable is not used any more.")
        elif owners[timetable] not in (None, who):
            found.append(f"Its timetable belongs to another {words.practitioner}.")
    if then["method"] == Method.SMART and then["starts_at"] is not None and room is None and one.changed & PLACED:
        found.append("A smart session needs a room.")
    return found


def _why(programme: ProgrammeView, one: Standing, sentence: str) -> str:
    name = f"{programme.policy.words.session.capitalize()} {one.then['number']}"
    return f"This cannot be undone any more. {name}: {sentence}"

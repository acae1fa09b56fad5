"""Who takes part in a group, how many at most, and who waits for a place (C8, B4, E8).

The database holds the number of places (db/triggers.py). Whoever waits moves up in order, as soon as there is a place
and they are free then; whoever is not keeps their place in the list.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import Table, delete, or_, select, update

from core.billing.settle import settle
from core.clock import when_words
from core.errors import Conflict, Invalid
from core.notifications.commands import notify
from core.permissions import RECORDED, Action
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import BookingField
from core.sessions.busy import Wanted, clash_sentence, clashes_with, lock
from core.sessions.checks import Place, holding, misfits, rooms_of, waiting_in
from core.sessions.loaded import held
from core.sessions.pool import Sought, allot, allotted, pool, rooms_to_hold
from core.sessions.rules import MOST_LEARNERS, PersonBusy, is_id, places_problem
from core.work import Work
from db.bulk import insert_many
from db.models.people import Person
from db.models.sessions import FREES_LEARNER, Participation, Session, Waiting
from db.words import Method, Role, Status

PARTS, QUEUE = (cast(Table, model.__table__) for model in (Participation, Waiting))


@dataclass
class Group:
    """A session with those who are in it, and those who wait, in order."""

    session: Session
    programme: ProgrammeView
    learners: list[int]
    waiting: list[int]
    place: Place | None

    @property
    def name(self) -> str:
        return f"{self.programme.policy.words.session.capitalize()} {self.session.number}"

    @property
    def room_left(self) -> int:
        """How many more learners it takes: by its places, and by what its room holds."""
        limits = [self.session.places or MOST_LEARNERS]
        if self.place is not None:
            limits.append(self.place.capacity - (self.session.practitioner_id is not None))
        return min(limits) - len(self.learners)

    def wanted(self, people: Iterable[int]) -> list[Wanted]:
        """The time that these people are wanted for; nothing while it is not on the calendar."""
        starts_at, ends_at = self.session.starts_at, self.session.ends_at
        if starts_at is None or ends_at is None:
            return []
        return [Wanted(0, frozenset(people), None, starts_at, ends_at, self.session.id)]


# Commands ----------------------------------------------------------------------------------------------------------


def add_learners(
    work: Work, session_id: int, learner_ids: Sequence[int], *, without_busy: bool = False, wait: bool = True,
    version: int | None = None,
) -> list[int]:
    """Take in as many as there are places for; the rest wait in the order given, or are refused without `wait`.

    Whoever is busy then is refused, or with `without_busy` left out. A smart session that outgrows its room gets a
    larger one that is free then. Raises NotAllowed, Invalid, Conflict, StaleForm, PersonBusy, NoRoomFree.
    """
    asked = _ids(learner_ids)
    group = _group(work, session_id, version, asked)
    _check_joining(work, group, asked)
    left_out = _left_out(work, group, asked, without_busy)
    coming = [person for person in asked if person not in left_out]
    all_of_them = group.session.places is None or not wait
    another = _take_larger_room(work, group, len(coming), all_of_them=all_of_them)
    moved = _move_up(work, group)
    free = max(0, group.room_left)
    if all_of_them:
        _refuse_too_many(group, coming)
        free = len(coming)
    joining, queued = coming[:free], coming[free:]
    _take_in(work, group, joining)
    insert_many(work.tx.connection(), QUEUE, [
        {"session_id": session_id, "learner_id": person, "since": work.now, "added_by": work.me} for person in queued])
    _touch(work, group)
    _tell(work, group, joining, "you take part.")
    notify(work, (
        (person, group.programme.id, session_id, f"{group.name}: you are on the waiting list, place {place}.")
        for place, person in enumerate(queued, start=len(group.waiting) + 1)
    ))
    names = _Names(work, [*moved, *asked])
    named = group.name.lower()
    work.say(" ".join(filter(None, (
        names.sentence(moved, "moved up from the waiting list."),
        f"Added {names.listed(joining)} to {named}." if joining else "",
        names.sentence(queued, f"on the waiting list of {named}."),
        f"Without {names.listed(left_out)}: busy then." if left_out else "",
        another,
    ))))
    return [session_id]


def remove_learners(
    work: Work, session_id: int, learner_ids: Sequence[int], *, version: int | None = None
) -> list[int]:
    """Take learners out of a session for which nothing was recorded; it stays, and who waits moves up (E8).

    Raises NotAllowed, Invalid, Conflict, StaleForm.
    """
    asked = _ids(learner_ids)
    group = _group(work, session_id, version)
    words = group.programme.policy.words
    names = _Names(work, [*asked, *group.waiting])
    if missing := [person for person in asked if person not in group.learners]:
        raise Conflict(f"{names.sentence(missing, 'not in')} {group.name.lower()} any more.")
    work.tx.execute(delete(Participation).where(
        Participation.session_id == session_id, Participation.learner_id.in_(asked), Participation.outcome.is_(None)))
    group.learners = [person for person in group.learners if person not in asked]
    moved = _move_up(work, group)
    if not group.learners and BookingField.WHO in group.programme.policy.required:
        raise Conflict(f"{group.name} needs {words.a('learner')}. To end it, cancel it.")
    _touch(work, group)
    notify(work, (  # no longer theirs to see, so the notice stands alone
        (person, group.programme.id, None, f"{group.name}: you do not take part any more.") for person in asked))
    notify(work, [(group.session.practitioner_id, group.programme.id, session_id,
                   f"{group.name}: {names.listed(asked)} no longer in it.")])
    work.say(" ".join(filter(None, (
        f"Removed {names.listed(asked)} from {group.name.lower()}.",
        names.sentence(moved, "moved up from the waiting list."),
    ))))
    return [session_id]


def set_places(work: Work, session_id: int, places: int | None, *, version: int | None = None) -> list[int]:
    """How many learners it takes at most (C8); None: as many as a group may have. New places go to those who wait.

    Raises NotAllowed, Invalid, StaleForm.
    """
    group = _group(work, session_id, version)
    words = group.programme.policy.words
    if (problem := places_problem(places, words)) is not None:
        raise Invalid({"places": problem})
    if places is not None and places < len(group.learners):
        raise Invalid({"places": f"{len(group.learners)} take part already. Remove somebody first."})
    work.tx.execute(update(Session).where(Session.id == session_id).values(places=places))
    work.tx.refresh(group.session)
    another = _take_larger_room(work, group, 0)
    moved = _move_up(work, group)
    _touch(work, group)
    said = f"{group.name} takes at most {places} {words.learner if places == 1 else words.many('learner')}."
    if places is None:
        said = f"{group.name} has no set number of places any more."
    work.say(" ".join(filter(None, (said, _Names(work, moved).sentence(moved, "moved up from the waiting list."),
                                 another))))
    return [session_id]


def leave_waiting(
    work: Work, session_id: int, learner_ids: Sequence[int], *, version: int | None = None
) -> list[int]:
    """Take learners off the waiting list. Raises NotAllowed, Invalid, Conflict, StaleForm."""
    asked = _ids(learner_ids)
    group = _group(work, session_id, version)
    names = _Names(work, asked)
    if missing := [person for person in asked if person not in group.waiting]:
        raise Conflict(f"{names.sentence(missing, 'not on the waiting list of')} {group.name.lower()} any more.")
    work.tx.execute(delete(Waiting).where(Waiting.session_id == session_id, Waiting.learner_id.in_(asked)))
    _touch(work, group)
    notify(work, (
        (person, group.programme.id, None, f"{group.name}: you are not on the waiting list any more.")
        for person in asked))
    work.say(f"Took {names.listed(asked)} off the waiting list of {group.name.lower()}.")
    return [session_id]


def fill_places(work: Work, session_ids: Collection[int]) -> None:
    """Give what places are free in these sessions to those who wait; for whatever else frees some, such as undo.

    The sessions are held by whoever calls this.
    """
    for session_id in sorted(waiting_in(work, session_ids)):
        session = work.tx.get_one(Session, session_id, populate_existing=True)
        if session.status is Status.CANCELLED or session.status in RECORDED:
            continue
        group = _whole(work, session, programme_of(work, session.programme_id))
        lock(work, _everybody(group))
        if _move_up(work, group):
            _touch(work, group)


# What they share ---------------------------------------------------------------------------------------------------


def _ids(learner_ids: Sequence[int]) -> list[int]:
    """Each once, in order. Raises Invalid."""
    listed = list(dict.fromkeys(learner_ids))
    if not listed:
        raise Invalid({"who": "Choose at least one."})
    if not all(is_id(each) for each in listed):
        raise Invalid({"who": "This is none of the choices."})
    return listed


def _group(work: Work, session_id: int, version: int | None, coming: Iterable[int] = ()) -> Group:
    """The session, allowed and not changed meanwhile, held with the calendars of all whom the act may concern."""
    session = held(work, session_id, Action.SESSION_FILL, version)
    group = _whole(work, session, programme_of(work, session.programme_id))
    lock(work, {*_everybody(group), *coming}, rooms_to_hold(work, group.programme.id, [session.method]))
    return group


def _whole(work: Work, session: Session, programme: ProgrammeView) -> Group:
    takes_place = or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER))
    return Group(
        session, programme,
        list(work.tx.scalars(select(Participation.learner_id).where(
            Participation.session_id == session.id, takes_place).order_by(Participation.id))),
        list(waiting_in(work, [session.id]).get(session.id, ())),
        rooms_of(work, programme.id, [session.room_id]).get(session.room_id or 0),
    )


def _everybody(group: Group) -> set[int]:
    return {person for person in (group.session.practitioner_id, *group.learners, *group.waiting) if person is not None}


def _check_joining(work: Work, group: Group, asked: Sequence[int]) -> None:
    """They are learners of this programme, and neither in it nor waiting. Raises Invalid."""
    words = group.programme.policy.words
    if set(asked) - holding(work, group.programme.id, Role.LEARNER, asked):
        raise Invalid({"who": f"Choose {words.a('learner')} of this programme."})
    if group.session.practitioner_id in asked:
        raise Invalid({"who": f"The same person cannot be {words.practitioner} and {words.learner} at once."})
    for there, where in ((group.learners, "in it"), (group.waiting, "on the waiting list")):
        if again := [person for person in asked if person in there]:
            raise Invalid({"who": f"{_Names(work, again).sentence(again, where)} already."})


def _refuse_too_many(group: Group, coming: Sequence[int]) -> None:
    session = group.session
    if found := misfits(group.programme.policy.words, session.practitioner_id, [*group.learners, *coming], group.place,
                        session.places):
        raise Invalid(found)


def _left_out(work: Work, group: Group, asked: Sequence[int], without_busy: bool) -> list[int]:
    """Those who are busy then, where they may be left out. Raises PersonBusy where not, or nobody would remain."""
    clashes = clashes_with(work, group.programme.id, group.wanted(asked))
    busy = {clash.person_id for clash in clashes}
    if busy and (not without_busy or busy.issuperset(asked)):
        raise PersonBusy(clashes, clash_sentence(work, group.programme.id, clashes))
    return [person for person in asked if person in busy]


def _take_larger_room(work: Work, group: Group, coming: int, *, all_of_them: bool = False) -> str:
    """Where a smart session outgrows its room, give it a free one for as many of them as can be (C8, C12).

    Returns what to say of it. With `all_of_them` raises Invalid where no room is large enough, NoRoomFree.
    """
    session = group.session
    if session.method != Method.SMART or session.starts_at is None or session.starts_at <= work.now:
        return ""  # once it has begun, nobody is sent to another room
    fit = len(group.learners) + group.room_left
    most = min(len(group.learners) + len(_able(work, group)) + coming, session.places or MOST_LEARNERS)
    if most <= fit:
        return ""
    sought = [
        Sought(most - learners, learners, session.records, replace(
            one, item=most - learners, practitioner_id=session.practitioner_id, timetable_id=session.timetable_id))
        for one in group.wanted(_everybody(group)) for learners in range(most, fit, -1)]
    found = allotted(work, group.programme, sought[:1]) if all_of_them else allot(
        work, pool(work, group.programme.id), sought)
    if not found:
        return f"{group.place.name} holds {group.place.capacity}; no larger room is free then." if group.place else ""
    work.tx.execute(update(Session).where(Session.id == session.id).values(room_id=found[min(found)]))
    work.tx.refresh(session)
    group.place = rooms_of(work, group.programme.id, [session.room_id])[session.room_id or 0]
    notify(work, ((person, group.programme.id, session.id, f"{group.name}: takes place in {group.place.name} now.")
                  for person in (session.practitioner_id, *group.learners)))
    return f"It takes place in {group.place.name} now, which holds {group.place.capacity}."


def _able(work: Work, group: Group) -> list[int]:
    """Those who wait and can come, in order."""
    if not group.waiting:
        return []
    able = holding(work, group.programme.id, Role.LEARNER, group.waiting)
    able -= {group.session.practitioner_id, *group.learners}
    busy = {clash.person_id for clash in clashes_with(work, group.programme.id, group.wanted(able))}
    return [person for person in group.waiting if person in able - busy]


def _move_up(work: Work, group: Group) -> list[int]:
    """Give free places to those who wait and can come, in order, and tell them. Returns who they are."""
    session = group.session
    begun = session.starts_at is not None and session.starts_at <= work.now
    if group.room_left <= 0 or begun:
        return []
    moved = _able(work, group)[:group.room_left]
    if moved:
        work.tx.execute(delete(Waiting).where(Waiting.session_id == session.id, Waiting.learner_id.in_(moved)))
        group.waiting = [person for person in group.waiting if person not in moved]
        _take_in(work, group, moved)
        when = f", {when_words(session.starts_at, group.programme.zone, session.ends_at)}" if session.starts_at else ""
        _tell(work, group, moved, f"a place became free, so you take part{when}.")
    return moved


def _take_in(work: Work, group: Group, people: Sequence[int]) -> None:
    """A part for each; whoever had cancelled theirs takes it up again."""
    back = set(work.tx.scalars(
        update(Participation).where(
            Participation.session_id == group.session.id, Participation.learner_id.in_(people),
            Participation.outcome.in_(FREES_LEARNER))
        .values(outcome=None, outcome_at=None, notice_at=None).returning(Participation.learner_id)
    )) if people else set()
    insert_many(work.tx.connection(), PARTS, [
        {"session_id": group.session.id, "learner_id": person} for person in people if person not in back])
    group.learners += people
    if back:
        settle(work, [group.session.id], "takes part again")


def _touch(work: Work, group: Group) -> None:
    """Whoever has the session open in a form is told that it was changed."""
    work.tx.execute(update(Session).where(Session.id == group.session.id).values(version=Session.version + 1))


def _tell(work: Work, group: Group, people: Sequence[int], said: str) -> None:
    """Each of them, and whoever leads it."""
    notify(work, ((person, group.programme.id, group.session.id, f"{group.name}: {said}") for person in people))
    if people:
        named = _Names(work, people).sentence(people, "in it now.")
        notify(work, [(group.session.practitioner_id, group.programme.id, group.session.id, f"{group.name}: {named}")])


class _Names:
    """People by name, as a sentence says them."""

    MOST = 5

    def __init__(self, work: Work, ids: Collection[int]) -> None:
        self.by_id: dict[int, str] = dict(
            work.tx.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all()) if ids else {}

    def listed(self, ids: Sequence[int]) -> str:
        """'Ann, Bo and Cy', or the first of them 'and 7 more'."""
        said = [self.by_id.get(each, "somebody") for each in ids[:self.MOST]]
        if len(ids) > self.MOST:
            said.append(f"{len(ids) - self.MOST} more")
        return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))

    def sentence(self, ids: Sequence[int], rest: str) -> str:
        """'Ann is …' or 'Ann and Bo are …'; nothing for nobody."""
        if not ids:
            return ""
        verb = "" if rest.startswith("moved") else "is " if len(ids) == 1 else "are "
        return f"{self.listed(ids)} {verb}{rest}"


__all__ = ["Group", "add_learners", "fill_places", "leave_waiting", "remove_learners", "set_places"]

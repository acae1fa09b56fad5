"""Say when people can be booked. Staff do so for everybody, practitioners for themselves (B6, B11)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from core.availability.affected import Change, OwnOnes, affected
from core.availability.rules import ALWAYS, Closed, Dated, Weekly
from core.clock import FIRST_DAY, LAST_DAY, when_words
from core.errors import Invalid, NotFound
from core.fields import Checked
from core.permissions import Action, may, require
from core.programmes.commands import lock_programmes
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import DAYS, LONGEST, NUMBERS, SHORTEST, STEP, hours_words, number_problem
from core.sessions.busy import lock
from core.sessions.rules import StaleForm, is_id
from core.work import Work
from db.models.availability import Closure, DatedWindow, OwnLimits, Roster, TimeOff, WeeklyWindow
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.structure import Timetable
from db.words import Role, TimetableKind

MOST_WINDOWS = 200
"""Weekly windows of one kind of one owner."""
LONGEST_OFF = timedelta(days=730)
LIMITS = ("buffer_before", "buffer_after", "most_a_day", "most_a_week")


@dataclass(frozen=True)
class Window:
    """A weekly window as it is said: Monday is 0, minutes after local midnight, days both counted."""

    weekday: int
    from_minute: int
    until_minute: int
    zone: str
    from_day: date = FIRST_DAY
    until_day: date | None = None


@dataclass(frozen=True)
class Whose:
    """Whose hours: a practitioner's general ones, those of an own timetable, or a regular timetable's schedule."""

    programme_id: int
    person_id: int | None = None
    timetable_id: int | None = None


@dataclass(frozen=True)
class _Owner:
    programme: ProgrammeView
    name: str
    zone: str


# Weekly hours and exceptions ---------------------------------------------------------------------------------------


def save_weekly_hours(
    work: Work, whose: Whose, windows: Sequence[Window], opened_with: Collection[int] | None = None
) -> list[int]:
    """Replace all weekly windows of one owner; overlapping ones become one. Sessions already booked stay.

    `opened_with` are the ids that the form showed. Returns the ids there are now. Raises NotFound, NotAllowed,
    Invalid, StaleForm.
    """
    owner = _owner(work, whose)
    wanted = _merged(windows)
    rows = {row.id: row for row in work.tx.execute(
        select(WeeklyWindow.id, *(getattr(WeeklyWindow, name) for name in Window.__dataclass_fields__))
        .where(*rows_of(WeeklyWindow, whose)).order_by(WeeklyWindow.id))}
    known = {id_: Window(*row[1:]) for id_, row in rows.items()}
    if opened_with is not None and set(opened_with) != known.keys():
        raise StaleForm(f"The hours of {owner.name} were changed by somebody else while you had them open.",
                        {"hours": weekly_words(known.values())}, 0)
    outside = affected(work, Change(
        whose.programme_id, whose.person_id, whose.timetable_id, weekly=tuple(map(as_weekly, wanted))))
    kept: dict[Window, int] = {}
    for id_, window in known.items():
        kept.setdefault(window, id_)
    stays = {window: id_ for window, id_ in kept.items() if window in set(wanted)}
    gone = known.keys() - set(stays.values())
    if gone:
        work.tx.execute(delete(WeeklyWindow).where(WeeklyWindow.id.in_(gone)))
    fresh = [window for window in wanted if window not in stays]
    made = list(work.tx.scalars(insert(WeeklyWindow).returning(WeeklyWindow.id, sort_by_parameter_order=True), [
        {**whose.__dict__, **window.__dict__} for window in fresh])) if fresh else []
    if not (gone or made):
        work.say("Nothing was different.")
    else:
        work.say(f"Saved the hours of {owner.name}.{_stay(owner.programme, len(outside))}")
    return sorted([*stays.values(), *made])


def save_day(
    work: Work, whose: Whose, day: date, hours: Sequence[tuple[int, int]] | None, zone: str | None = None
) -> list[int]:
    """Say what one day has instead of its weekly hours: none with an empty list, as usual again with None.

    Raises NotFound, NotAllowed, Invalid.
    """
    if whose.person_id is None:
        raise Invalid({"day": "A schedule has no exceptions; close the day instead."})
    owner = _owner(work, whose)
    zone = zone or owner.zone
    found: dict[str, str] = {}
    _check_day("day", day, found)
    _check_zone(zone, found)
    wanted: list[tuple[int | None, int | None]] = []
    for pair in sorted(hours or ()):
        if problem := minutes_problem(*pair):
            found["hours"] = problem
        elif wanted and (wanted[-1][1] or 0) > pair[0]:
            wanted[-1] = (wanted[-1][0], max(wanted[-1][1] or 0, pair[1]))
        else:
            wanted.append(pair)
    if found:
        raise Invalid(found)
    if hours is not None and not wanted:
        wanted = [(None, None)]
    dated = tuple(Dated(day.toordinal(), *pair, zone) for pair in wanted)
    outside = affected(work, Change(
        whose.programme_id, whose.person_id, whose.timetable_id, day=day, dated=dated))
    work.tx.execute(delete(DatedWindow).where(*rows_of(DatedWindow, whose), DatedWindow.day == day))
    made = list(work.tx.scalars(insert(DatedWindow).returning(DatedWindow.id, sort_by_parameter_order=True), [
        {**whose.__dict__, "day": day, "from_minute": start, "until_minute": end, "zone": zone}
        for start, end in wanted])) if wanted else []
    when = f"{day:%a} {day.day} {day:%b %Y}"
    said = "is as usual again" if hours is None else "has hours of its own" if hours else "has no hours"
    work.say(f"{when} {said} for {owner.name}.{_stay(owner.programme, len(outside))}")
    return made


def weekly_words(windows: Iterable[Window]) -> str:
    """Weekly hours on one line: 'Mondays 09:00–12:00, Tuesdays 13:00–17:00'."""
    said = [f"{DAYS[each.weekday]}s {hours_words((each.from_minute, each.until_minute))}"
            for each in sorted(windows, key=lambda each: (each.weekday, each.from_minute))]
    return ", ".join(said) or "none"


def as_weekly(window: Window) -> Weekly:
    """The same as the rules take it."""
    return Weekly(
        window.weekday, window.from_minute, window.until_minute, window.zone, window.from_day.toordinal(),
        ALWAYS if window.until_day is None else window.until_day.toordinal(),
    )


def rows_of(model: type[WeeklyWindow] | type[DatedWindow], whose: Whose) -> list[Any]:
    """What the rows of one owner fulfil."""
    return [model.programme_id == whose.programme_id, model.person_id.is_not_distinct_from(whose.person_id),
            model.timetable_id.is_not_distinct_from(whose.timetable_id)]


def _merged(windows: Sequence[Window]) -> list[Window]:
    """The same in order, those that overlap as one. Raises Invalid."""
    if len(windows) > MOST_WINDOWS:
        raise Invalid({"hours": f"At most {MOST_WINDOWS} windows."})
    for item, each in enumerate(windows):
        found: dict[str, str] = {}
        if type(each.weekday) is not int or not 0 <= each.weekday <= 6:
            found["weekday"] = "Choose a day of the week."
        if problem := minutes_problem(each.from_minute, each.until_minute):
            found["hours"] = problem
        _check_zone(each.zone, found)
        _check_day("from_day", each.from_day, found)
        if each.until_day is not None:
            _check_day("until_day", each.until_day, found)
            if not found and each.until_day < each.from_day:
                found["until_day"] = "The last day has to be after the first."
        if found:
            raise Invalid(found, item)
    merged: list[Window] = []
    for each in sorted(windows, key=lambda w: (w.weekday, w.zone, w.from_day, w.until_day or LAST_DAY, w.from_minute)):
        last = merged[-1] if merged else None
        if last is not None and _same_days(last, each) and each.from_minute < last.until_minute:
            merged[-1] = Window(
                last.weekday, last.from_minute, max(last.until_minute, each.until_minute), last.zone, last.from_day,
                last.until_day)
        else:
            merged.append(each)
    for n, one in enumerate(merged):
        for other in merged[n + 1:]:
            if _overlap(one, other):
                said = " and ".join(hours_words((w.from_minute, w.until_minute)) for w in (one, other))
                raise Invalid({"hours": f"Two windows on {DAYS[one.weekday]}s overlap while both hold: {said}."
                                        " Let one end before the other begins."})
    return merged


def _same_days(one: Window, other: Window) -> bool:
    return (one.weekday, one.zone, one.from_day, one.until_day) == (
        other.weekday, other.zone, other.from_day, other.until_day)


def _overlap(one: Window, other: Window) -> bool:
    return (
        (one.weekday, one.zone) == (other.weekday, other.zone)
        and one.from_minute < other.until_minute and other.from_minute < one.until_minute
        and one.from_day <= (other.until_day or LAST_DAY) and other.from_day <= (one.until_day or LAST_DAY)
    )


def minutes_problem(start: object, end: object) -> str | None:
    """Why these minutes after midnight are no window, or nothing."""
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= 24 * 60:
        return "Hours end after they begin, within one day; until 24:00 is midnight."
    return f"Hours begin and end in steps of {STEP} minutes." if start % STEP or end % STEP else None


def _check_zone(zone: object, found: dict[str, str]) -> None:
    checked = Checked()
    checked.zone("zone", zone, "Choose a time zone.")
    found.update(checked.problems)


def _check_day(name: str, day: object, found: dict[str, str]) -> None:
    if type(day) is not date or not FIRST_DAY <= day <= LAST_DAY:
        found[name] = f"Choose a day from {FIRST_DAY.year} to {LAST_DAY.year}."


# Time off ----------------------------------------------------------------------------------------------------------


def add_time_off(
    work: Work, person_id: int, starts_at: datetime, ends_at: datetime, reason: str | None = None
) -> int:
    """Let nobody book somebody between two instants, in any programme. Sessions already booked stay.

    Raises NotFound, NotAllowed, Invalid.
    """
    require_time_off_of(work, [person_id])
    checked = Checked()
    checked.line("reason", reason, 200)
    found = checked.problems
    if not all(isinstance(at, datetime) and at.tzinfo is not None for at in (starts_at, ends_at)):
        raise Invalid({"from": "Choose from when until when."})
    starts_at, ends_at = (at.astimezone(UTC).replace(second=0, microsecond=0) for at in (starts_at, ends_at))
    if not all(FIRST_DAY <= at.date() <= LAST_DAY for at in (starts_at, ends_at)):
        found["from"] = f"Choose days from {FIRST_DAY.year} to {LAST_DAY.year}."
    elif ends_at <= starts_at:
        found["until"] = "The end has to be after the beginning."
    elif ends_at - starts_at > LONGEST_OFF:
        found["until"] = f"At most {LONGEST_OFF.days} days at once."
    if found:
        raise Invalid(found)
    lock(work, [person_id])
    theirs = _leads_in(work, person_id)
    outside = affected(work, Change(theirs[0], person_id, off=(starts_at, ends_at)))
    row = TimeOff(person_id=person_id, starts_at=starts_at, ends_at=ends_at, reason=checked.values["reason"])
    work.tx.add(row)
    work.tx.flush()
    programme = programme_of(work, theirs[0])
    name = work.tx.scalar(select(Person.name).where(Person.id == person_id))
    work.say(f"{name} is away {when_words(starts_at, programme.zone, ends_at)}.{_stay(programme, len(outside))}")
    return row.id


def remove_time_off(work: Work, ids: Sequence[int]) -> list[int]:
    """Let people be booked then again. Raises NotFound, NotAllowed."""
    rows = work.tx.execute(select(TimeOff.id, TimeOff.person_id).where(TimeOff.id.in_(list(ids)))).all()
    if not ids or {row.id for row in rows} != set(ids):
        raise NotFound
    require_time_off_of(work, {row.person_id for row in rows})
    work.tx.execute(delete(TimeOff).where(TimeOff.id.in_(list(ids))))
    work.say("Took the time off away again.")
    return list(ids)


def require_time_off_of(work: Work, people: Collection[int]) -> None:
    """Everybody keeps their own; staff that of those who lead sessions with them. Raises NotFound, NotAllowed."""
    for person_id in sorted(people):
        theirs = _leads_in(work, person_id)
        if work.actor.everything and theirs:
            continue
        here = [id_ for id_ in theirs if id_ in work.actor.roles]
        own = person_id == work.actor.person_id
        if not here:
            raise NotFound
        if not any(may(work, Action.AVAILABILITY_OWN if own else Action.AVAILABILITY_EDIT, id_)
                   or may(work, Action.AVAILABILITY_EDIT, id_) for id_ in here):
            require(work, Action.AVAILABILITY_EDIT, here[0])


def _leads_in(work: Work, person_id: int) -> list[int]:
    """The programmes somebody leads sessions in, those of the actor first."""
    ids = work.tx.scalars(select(RoleGrant.programme_id).where(
        RoleGrant.person_id == person_id, RoleGrant.role == Role.PRACTITIONER)).all()
    return sorted(ids, key=lambda id_: (id_ not in work.actor.roles, id_))


# Closures ----------------------------------------------------------------------------------------------------------


def add_closure(work: Work, programme_id: int, name: str, first_day: date, last_day: date) -> int:
    """Close a programme for whole days. Sessions already booked stay. Raises NotFound, NotAllowed, Invalid."""
    programme, values = _closure(work, programme_id, name, first_day, last_day)
    outside = _closes(work, programme_id, values)
    row = Closure(programme_id=programme_id, **values)
    work.tx.add(row)
    work.tx.flush()
    work.say(f"Closed for {values['name']}.{_stay(programme, outside)}")
    return row.id


def edit_closure(work: Work, closure_id: int, name: str, first_day: date, last_day: date) -> int:
    """Change a closure. Raises NotFound, NotAllowed, Invalid."""
    row = work.tx.get(Closure, closure_id, populate_existing=True)
    if row is None:
        raise NotFound
    programme, values = _closure(work, row.programme_id, name, first_day, last_day)
    outside = _closes(work, row.programme_id, values)
    for column, value in values.items():
        setattr(row, column, value)
    work.say(f"Changed the closure {values['name']}.{_stay(programme, outside)}")
    return closure_id


def remove_closures(work: Work, ids: Sequence[int]) -> list[int]:
    """Open on those days again. Raises NotFound, NotAllowed."""
    rows = work.tx.execute(select(Closure.id, Closure.programme_id).where(Closure.id.in_(list(ids)))).all()
    if not ids or {row.id for row in rows} != set(ids):
        raise NotFound
    for programme_id in sorted({row.programme_id for row in rows}):
        require(work, Action.PROGRAMME_EDIT, programme_id)
    work.tx.execute(delete(Closure).where(Closure.id.in_(list(ids))))
    work.say("Removed a closure." if len(ids) == 1 else f"Removed {len(ids)} closures.")
    return list(ids)


def _closure(
    work: Work, programme_id: int, name: str, first_day: date, last_day: date
) -> tuple[ProgrammeView, dict[str, Any]]:
    require(work, Action.PROGRAMME_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    checked = Checked()
    checked.line("name", name, 120, "Say what it is closed for.")
    found = checked.problems
    _check_day("first_day", first_day, found)
    _check_day("last_day", last_day, found)
    if not found.keys() & {"first_day", "last_day"} and last_day < first_day:
        found["last_day"] = "The last day has to be after the first."
    if found:
        raise Invalid(found)
    values = {"name": checked.values["name"], "first_day": first_day, "last_day": last_day}
    return programme_of(work, programme_id), values


def _closes(work: Work, programme_id: int, values: Mapping[str, Any]) -> int:
    closed = Closed(values["first_day"].toordinal(), values["last_day"].toordinal(), values["name"])
    return len(affected(work, Change(programme_id, closed=closed)))


# Rosters and limits ------------------------------------------------------------------------------------------------


def set_roster(
    work: Work, timetable_id: int, people: Collection[int], opened_with: Collection[int] | None = None
) -> list[int]:
    """Say who can be booked through a regular timetable. Raises NotFound, NotAllowed, Invalid, StaleForm."""
    row = _timetable(work, timetable_id)
    programme = programme_of(work, row.programme_id)
    if row.kind is not TimetableKind.REGULAR:
        raise Invalid({"roster": "A custom timetable has its owner, and no roster."})
    known = set(work.tx.scalars(select(Roster.person_id).where(Roster.timetable_id == timetable_id)))
    wanted = set(people)
    if opened_with is not None and set(opened_with) != known:
        names = work.tx.scalars(select(Person.name).where(Person.id.in_(known)).order_by(Person.name)).all()
        raise StaleForm(f"The roster of {row.name} was changed by somebody else while you had it open.",
                        {"roster": ", ".join(names) or "nobody"}, 0)
    if fresh := wanted - known:
        there = set(work.tx.scalars(_practitioners(row.programme_id, fresh))) if all(map(is_id, fresh)) else set()
        if there != fresh:
            raise Invalid({"roster": f"Choose among the {programme.policy.words.many('practitioner')}"
                                     " of this programme."})
    outside = affected(work, Change(row.programme_id, timetable_id=timetable_id, roster=frozenset(wanted)))
    if gone := known - wanted:
        work.tx.execute(delete(Roster).where(Roster.timetable_id == timetable_id, Roster.person_id.in_(gone)))
    if fresh:
        work.tx.execute(insert(Roster), [
            {"timetable_id": timetable_id, "person_id": person} for person in sorted(fresh)])
    work.say(f"Changed the roster of {row.name}.{_stay(programme, len(outside))}" if fresh or gone
             else "Nothing was different.")
    return sorted(wanted)


def set_slot_length(work: Work, timetable_id: int, minutes: int | None) -> int:
    """Say how long the slots of a timetable are; None is as long as usual. Raises NotFound, NotAllowed, Invalid."""
    row = _timetable(work, timetable_id)
    if minutes is not None and (type(minutes) is not int or minutes % STEP or not SHORTEST <= minutes <= LONGEST):
        raise Invalid({"slot_minutes": f"Minutes in steps of {STEP}, from {SHORTEST} to {LONGEST:,}, or nothing."})
    row.slot_minutes = minutes
    work.say(f"Slots of {row.name} are {f'{minutes} minutes' if minutes else 'as long as usual'} now.")
    return timetable_id


def _timetable(work: Work, timetable_id: int) -> Timetable:
    """A timetable that the actor may edit, held until the act ends. Raises NotFound, NotAllowed."""
    programme_id = work.tx.scalar(select(Timetable.programme_id).where(Timetable.id == timetable_id))
    if programme_id is None:
        raise NotFound
    require(work, Action.LISTS_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    return work.tx.get_one(Timetable, timetable_id, populate_existing=True)


def set_own_limits(work: Work, programme_id: int, person_id: int, limits: Mapping[str, int | None]) -> int:
    """Give a practitioner buffers and limits other than the policy's; what is None, or not said, is the policy's.

    For staff. Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.AVAILABILITY_EDIT, programme_id)
    name = _practitioner(work, programme_id, person_id)
    if found := limits_problems(limits):
        raise Invalid(found)
    lock(work, [person_id])
    outside = affected(work, Change(programme_id, person_id, limits=own_ones(limits)))
    stay = _stay(programme_of(work, programme_id), len(outside))
    row = work.tx.scalar(select(OwnLimits).where(
        OwnLimits.programme_id == programme_id, OwnLimits.person_id == person_id))
    values = {key: limits.get(key) for key in LIMITS}
    if all(value is None for value in values.values()):
        if row is not None:
            work.tx.delete(row)
        work.say(f"{name} keeps to what holds for everybody.{stay}")
        return person_id
    if row is None:
        row = OwnLimits(programme_id=programme_id, person_id=person_id)
        work.tx.add(row)
    for key, value in values.items():
        setattr(row, key, value)
    work.say(f"{name} has buffers or limits of their own now.{stay}")
    return person_id


def limits_problems(limits: Mapping[str, int | None]) -> dict[str, str]:
    """What is wrong with buffers and limits of one's own, by field."""
    found = dict.fromkeys(limits.keys() - set(LIMITS), "This cannot be changed here.")
    for key in LIMITS:
        value = limits.get(key)
        if value is not None and (problem := number_problem(NUMBERS[key], value)):
            found[key] = problem
    return found


def own_ones(limits: Mapping[str, int | None]) -> OwnOnes:
    """The same in the order in which a change says them."""
    before, after, a_day, a_week = (limits.get(key) for key in LIMITS)
    return before, after, a_day, a_week


# Who may -----------------------------------------------------------------------------------------------------------


def require_hours_of(work: Work, whose: Whose) -> None:
    """Staff keep everybody's hours, practitioners their own, and whoever edits timetables the regular ones.

    Raises NotFound, NotAllowed.
    """
    if whose.person_id is None:
        require(work, Action.LISTS_EDIT, whose.programme_id)
    elif whose.person_id != work.actor.person_id or not may(work, Action.AVAILABILITY_OWN, whose.programme_id):
        require(work, Action.AVAILABILITY_EDIT, whose.programme_id)


def _owner(work: Work, whose: Whose) -> _Owner:
    """Whose hours they are, held until the act ends. Raises NotFound, NotAllowed."""
    programme = programme_of(work, whose.programme_id)
    require_hours_of(work, whose)
    name, zone = "", programme.zone_name
    if whose.person_id is not None:
        name = _practitioner(work, programme.id, whose.person_id)
        zone = work.tx.scalar(select(Person.zone).where(Person.id == whose.person_id)) or zone
        lock(work, [whose.person_id])
    else:
        lock_programmes(work, [programme.id])
    if whose.timetable_id is not None:
        row = work.tx.execute(
            select(Timetable.name, Timetable.owner_id).where(
                Timetable.id == whose.timetable_id, Timetable.programme_id == programme.id)
        ).first()
        if row is None or row.owner_id != whose.person_id:
            raise NotFound
        name = row.name
    elif whose.person_id is None:
        raise NotFound
    return _Owner(programme, name, zone)


def _practitioner(work: Work, programme_id: int, person_id: int) -> str:
    """The name of a practitioner of a programme. Raises NotFound."""
    there = _practitioners(programme_id, [person_id] if is_id(person_id) else [])
    name = work.tx.scalar(select(Person.name).where(Person.id.in_(there)))
    if name is None:
        raise NotFound
    return name


def _practitioners(programme_id: int, ids: Collection[int]) -> Any:
    return select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id).where(
        RoleGrant.programme_id == programme_id, RoleGrant.role == Role.PRACTITIONER, RoleGrant.person_id.in_(ids),
        Person.disabled_at.is_(None))


def _stay(programme: ProgrammeView, count: int) -> str:
    """What becomes of sessions that lie outside now."""
    words = programme.policy.words
    if not count:
        return ""
    return (f" 1 {words.session} ahead lies outside now; it stays booked." if count == 1 else
            f" {count} {words.many('session')} ahead lie outside now; they stay booked.")

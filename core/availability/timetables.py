"""A timetable as whoever may see it sees it, and its weekly hours as they are typed and changed from a day on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from core.availability.commands import Whose, Window, rows_of
from core.availability.hours import Kept, roster
from core.clock import time_typed
from core.errors import NotFound
from core.permissions import Action, may
from core.structure.queries import visible_timetables
from core.work import Work
from db.models.availability import WeeklyWindow
from db.models.people import Person
from db.models.structure import Timetable
from db.words import TimetableKind

Hours = tuple[int, int]
"""From and until, in minutes after local midnight."""
_UNTIL = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b)\s*")
MIDNIGHT = 24 * 60


@dataclass(frozen=True)
class TimetableView:
    """A timetable with its hours, who is booked through it, and what the viewer may change."""

    id: int
    programme_id: int
    name: str
    kind: TimetableKind
    retired: bool
    owner_id: int | None
    owner: str
    slot_minutes: int | None
    """None is as long as usual."""
    windows: tuple[Kept, ...]
    roster: tuple[tuple[int, str], ...]
    """Ids and names; the owner of a custom one."""
    may_edit: bool
    """Roster and slot length."""
    keeps_hours: bool

    @property
    def whose(self) -> Whose:
        """Whose hours its weekly hours are."""
        return Whose(self.programme_id, self.owner_id, self.id)


def timetable(work: Work, timetable_id: int) -> TimetableView:
    """One timetable. Raises NotFound."""
    programme_id = work.tx.scalar(select(Timetable.programme_id).where(Timetable.id == timetable_id))
    row = None if programme_id is None else work.tx.execute(
        select(Timetable, Person.name).outerjoin(Person, Person.id == Timetable.owner_id)
        .where(Timetable.id == timetable_id, visible_timetables(work, programme_id))
    ).first()
    if row is None or programme_id is None:
        raise NotFound
    found, owner = row
    whose = Whose(programme_id, found.owner_id, timetable_id)
    names = list(Window.__dataclass_fields__)
    windows = work.tx.execute(
        select(WeeklyWindow.id, *(getattr(WeeklyWindow, name) for name in names)).where(*rows_of(WeeklyWindow, whose))
        .order_by(WeeklyWindow.weekday, WeeklyWindow.from_minute, WeeklyWindow.id)
    )
    lists = may(work, Action.LISTS_EDIT, programme_id)
    own = found.owner_id is not None and (
        may(work, Action.AVAILABILITY_EDIT, programme_id)
        or (found.owner_id == work.actor.person_id and may(work, Action.AVAILABILITY_OWN, programme_id)))
    return TimetableView(
        timetable_id, programme_id, found.name, found.kind, found.retired_at is not None, found.owner_id, owner or "",
        found.slot_minutes, tuple(Kept(each[0], Window(*each[1:])) for each in windows),
        ((found.owner_id, owner),) if found.owner_id is not None else tuple(roster(work, timetable_id)), lists,
        lists if found.owner_id is None else own,
    )


# Weekly hours from a day on ----------------------------------------------------------------------------------------


def hours_on(windows: Iterable[Window], day: date) -> list[Window]:
    """Those that hold in the week from a day on, as far as that day can tell."""
    return [each for each in windows
            if each.from_day <= day and (each.until_day is None or each.until_day >= day)]


def changed_from(windows: Sequence[Window], day: date, wanted: Sequence[Window]) -> list[Window]:
    """What there is once these hold from a day on, and what held before it until then."""
    asked = set(map(_said, wanted))
    same = [each for each in windows if each.from_day <= day and each.until_day is None and _said(each) in asked]
    there = set(map(_said, same))
    ended = [replace(each, until_day=min(each.until_day or day, day - timedelta(days=1)))
             for each in windows if each.from_day < day and each not in same]
    fresh = [replace(each, from_day=day, until_day=None) for each in wanted if _said(each) not in there]
    return [*same, *ended, *fresh]


def _said(window: Window) -> tuple[int, int, int, str]:
    return window.weekday, window.from_minute, window.until_minute, window.zone


def hours_typed(text: str) -> list[Hours]:
    """The hours of a day as somebody typed them: '9-12, 13:30–17' or '9 am to 5 pm'; nothing is none.

    Raises ValueError for anything else.
    """
    found = []
    for part in filter(None, (each.strip() for each in re.split(r"[,;]|\band\b", text.lower()))):
        start, end = _UNTIL.split(part)
        found.append((_minute(start), (_minute(end) or MIDNIGHT) if end not in ("24", "24:00") else MIDNIGHT))
    return found


def _minute(text: str) -> int:
    at = time_typed(text)
    return at.hour * 60 + at.minute

"""A timetable as whoever may see it sees it."""

from dataclasses import dataclass

from sqlalchemy import select

from core.availability.commands import Whose, Window, rows_of
from core.availability.hours import Kept, roster
from core.errors import NotFound
from core.permissions import Action, may
from core.structure.queries import visible_timetables
from core.work import Work
from db.models.availability import WeeklyWindow
from db.models.people import Person
from db.models.structure import Timetable
from db.words import TimetableKind


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


"""What a calendar shows between two instants: the sessions themselves, or how many where there are too many to draw."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from core.clock import FIRST_DAY, LAST_DAY
from core.programmes.queries import programme_of
from core.sessions.busy import LOOK_BACK
from core.sessions.queries import Filters, Row, narrowed_to, rows_of
from core.work import Work
from db.models.sessions import Session

FITS = 250
"""Up to so many sessions are drawn one by one; more are counted."""
WEEK = timedelta(days=7)
Counts = dict[datetime, Counter[str]]
"""How many sessions of each status start at an instant."""


@dataclass(frozen=True)
class InView:
    """What a calendar shows: every session, or, where they are more than fit, how many start when."""

    rows: list[Row] = field(default_factory=list)
    counts: Counts = field(default_factory=dict)

    @property
    def crowded(self) -> bool:
        """Whether they are counted and not shown one by one."""
        return bool(self.counts)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(each.total() for each in self.counts.values()) if self.counts else len(self.rows)


def in_view(
    work: Work, programme_id: int, filters: Filters, since: datetime, until: datetime, *, most: int = FITS
) -> InView:
    """The sessions that take place between two instants, as far as the viewer may see, past ones too (E7)."""
    programme_of(work, programme_id)
    ids = list(work.tx.scalars(
        select(Session.id).where(*_between(work, programme_id, filters, since, until))
        .order_by(Session.starts_at, Session.id).limit(most + 1)
    ))
    if len(ids) <= most:
        return InView(rows_of(work, ids))
    counts: Counts = {}
    for at, status, count in work.tx.execute(
        select(Session.starts_at, Session.status, func.count())
        .where(*_between(work, programme_id, filters, since, until)).group_by(Session.starts_at, Session.status)
    ):
        assert at is not None  # it lies between two instants
        counts.setdefault(max(at, since), Counter())[status] += count
    return InView(counts=counts)


def agenda(
    work: Work, programme_id: int, filters: Filters, since: datetime, until: datetime, *, most: int
) -> tuple[list[Row], int]:
    """The first of the same sessions in order of time, and how many there are in all."""
    where = _between(work, programme_id, filters, since, until)
    ids = list(work.tx.scalars(
        select(Session.id).where(*where).order_by(Session.starts_at, Session.id).limit(most + 1)))
    total = len(ids)
    if total > most:
        total = work.tx.scalar(select(func.count()).select_from(Session).where(*where)) or 0
    return rows_of(work, ids[:most]), total


def _between(
    work: Work, programme_id: int, filters: Filters, since: datetime, until: datetime
) -> list[ColumnElement[bool]]:
    return [
        *narrowed_to(work, programme_id, filters), Session.starts_at < until, Session.starts_at > since - LOOK_BACK,
        Session.ends_at > since,
    ]


def gathered(counts: Counts, zone: ZoneInfo, *, hourly: bool) -> Counts:
    """The counts by local day, or by local hour. Their keys are naive local times."""
    found: Counts = {}
    for at, by_status in counts.items():
        local = at.astimezone(zone).replace(tzinfo=None, minute=0, second=0)
        found.setdefault(local if hourly else local.replace(hour=0), Counter()).update(by_status)
    return dict(sorted(found.items()))


def week_start(day: date, first: int) -> date:
    """The day on which the week of that day starts; weeks start on weekday `first`, Monday being 0."""
    return max(FIRST_DAY, day - timedelta(days=(day.weekday() - first) % 7))


def months_on(day: date, months: int) -> date:
    """The first day of the month that many months later, kept within the days the portal plans in."""
    number = day.year * 12 + day.month - 1 + months
    return min(max(FIRST_DAY, date(number // 12, number % 12 + 1, 1)), LAST_DAY)


def wall_times(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A session's naive local times as a clock on the wall shows them (X3).

    Where the clocks go back under it, it would end before it starts; then it is drawn as long as it takes.
    """
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (starts_at, ends_at))
    return start, end if end > start else start + (ends_at - starts_at)


def hours_shown(opened: list[tuple[datetime, datetime]], taken: list[tuple[datetime, datetime]]) -> tuple[int, int]:
    """First and last whole hour (naive local times) that hold opening hours and everything that takes place."""
    first, last = 24, 0
    for start, end in (*opened, *taken):
        midnight = datetime.combine(start.date() + timedelta(days=1), time())
        first = min(first, start.hour if end <= midnight else 0)
        last = max(last, 24 if end >= midnight else end.hour + (end.time() > time(end.hour)))
    return (first, last) if first < last else (8, 18)

"""What each figure of utilisation means, in one place for the screen, its help and the tests. Pure.

What was decided:

- Weeks are ISO weeks in the programme's zone. What runs over midnight of a Sunday counts in both weeks, each its part.
- Available time is in steps of five minutes, as everything that is offered for booking: general hours and those of
  one's own timetables together. What is taken, here or elsewhere, buffers, limits and notice do not lessen it.
- Under a timetable only the hours in which somebody can be booked through it are available. A course or a type narrows
  what is booked and delivered alone, since nobody has hours for one of them: the share is then that of all hours.
- A group session counts once. Where its learners' actual minutes differ, the longest part is how long it was held, from
  its beginning on.
- Who has sessions counts even without hours, being no longer a practitioner here, say; sessions without a practitioner
  are nobody's, and count nowhere.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.availability.rules import CELL, Frame, House, Leader, Way, hours_bits
from core.clock import FIRST_DAY, LAST_DAY, day_start
from core.words import Status

MOST_WEEKS = 26
BEFORE, AFTER = 8, 4
"""Weeks around the present one that are shown unless others are asked for: a quarter."""
WEEK = timedelta(days=7)
BOOKED_AS = tuple(status for status in Status if status not in (
    Status.CANCELLED, Status.UNASSIGNED, Status.UNSCHEDULED))
DELIVERED_AS = (Status.HELD, Status.COMPLETED)
"""What the sessions behind a figure can be, so that a list of them can be shown."""


class Figure(StrEnum):
    """What is told of a practitioner and a week."""

    AVAILABLE = "available"
    BOOKED = "booked"
    DELIVERED = "delivered"
    UTILISATION = "utilisation"


MEANS = {
    Figure.AVAILABLE: "Hours in which somebody can be booked in this programme, taken or not: their hours and"
                      " exceptions within the opening hours, less closures, public holidays and time off.",
    Figure.BOOKED: "Planned hours of the sessions on the calendar that are not cancelled.",
    Figure.DELIVERED: "Hours of the sessions held: as long as recorded, else as planned.",
    Figure.UTILISATION: "Booked hours as a share of available hours. Where there are none, it says so instead.",
}
"""The definitions, as they stand beside the figures."""
NO_HOURS = "no hours"


class Minutes(NamedTuple):
    """The figures of somebody, or of all together, in some stretch of time."""

    available: int = 0
    booked: int = 0
    delivered: int = 0

    @property
    def utilisation(self) -> float | None:
        """Booked as a share of available; nothing where nothing is available."""
        return self.booked / self.available if self.available else None

    @property
    def percent(self) -> int | None:
        """The same in whole per cent, a half upwards."""
        return (200 * self.booked + self.available) // (2 * self.available) if self.available else None


def total(listed: Iterable[Minutes]) -> Minutes:
    """All of them together."""
    sums = [sum(column) for column in zip(*listed, strict=True)]
    return Minutes(*sums)


@dataclass(frozen=True)
class Week:
    """An ISO week of a zone; it ends with `until`, which is not in it."""

    monday: date
    since: datetime
    until: datetime

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + WEEK - timedelta(days=1)

    @property
    def name(self) -> str:
        """'2026-W10'."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"


def weeks_shown(first: date | None, last: date | None, today: date, zone: ZoneInfo) -> tuple[Week, ...]:
    """The weeks from that of one day to that of another, in either order; without them, a quarter around today.

    At most MOST_WEEKS, the later ones left out; none beyond what the portal plans in.
    """
    if first and last and last < first:
        first, last = last, first
    quarter = (BEFORE + AFTER) * WEEK
    if first is None:
        first = last - quarter if last else today - BEFORE * WEEK
    if last is None:
        last = first + quarter
    start, end = (_monday(min(max(day, FIRST_DAY + WEEK), LAST_DAY - WEEK)) for day in (first, last))
    mondays = [start + n * WEEK for n in range(min((end - start) // WEEK + 1, MOST_WEEKS))]
    return tuple(Week(monday, day_start(monday, zone), day_start(monday + WEEK, zone)) for monday in mondays)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def available_minutes(weeks: tuple[Week, ...], house: House, leader: Leader, ways: Collection[Way] = ()) -> list[int]:
    """Minutes of each week in which somebody can be booked, taken or not; through these timetables if any are named."""
    frame = Frame.of(weeks[0].since, weeks[-1].until)
    if ways:
        bits = 0
        for way in ways:
            if way.owner_id in (None, leader.id):
                bits |= hours_bits(frame, leader, way)
    else:
        bits = hours_bits(frame, leader, None) | leader.reserved(frame)
    bits &= house.bits(frame) & ~frame.touched(leader.off)
    found = []
    for week in weeks:
        first, last = ((int(at.timestamp()) - frame.since) // CELL for at in (week.since, week.until))
        found.append((bits >> first & (1 << last - first) - 1).bit_count() * CELL // 60)
    return found

"""When the made-up practitioners can be booked, so that every made-up session lies within it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from core.demo.texts import Material
from core.programmes.rules import PRESETS

Minutes = tuple[int, int]
LONGEST = 60
"""Minutes that a session in the last slot of a day may take."""
OWN_DAYS = (1, 3)
"""On Tuesday and Thursday afternoons, whoever has a timetable of their own takes bookings through it alone."""
WEEKDAYS, WEEKEND = range(5), (5, 6)
SCHEDULES: dict[str, tuple[Sequence[int], Minutes]] = {
    "Weekday drop-in": (WEEKDAYS, (9 * 60, 19 * 60)), "Saturday advice": ((5,), (9 * 60, 16 * 60)),
    "Weekday mentoring": (WEEKDAYS, (10 * 60, 17 * 60)), "Weekend clinic": (WEEKEND, (10 * 60, 19 * 60)),
    "Pitch practice evenings": (WEEKDAYS, (17 * 60, 21 * 60)), "Centre days": ((0, 2, 4), (9 * 60, 18 * 60)),
    "Workplace visits": ((1, 3), (9 * 60, 18 * 60)), "Mornings": (WEEKDAYS, (8 * 60, 12 * 60)),
    "After work": (WEEKDAYS, (17 * 60, 20 * 60)), "After school": (WEEKDAYS, (15 * 60, 20 * 60)),
    "Saturday school": ((5,), (9 * 60, 17 * 60)),
}
"""Of the regular timetables: on which days, from when until when."""
SLOTS = {"Weekday mentoring": 30, "Weekend clinic": 30, "Pitch practice evenings": 30}
"""How long slots are where they are not as long as usual."""
CLOSURES = (("Christmas", (12, 24), (12, 26)), ("New Year", (12, 31), (1, 1)), ("May Day", (5, 1), (5, 1)))


def weekly(material: Material, rng: random.Random) -> Iterator[tuple[int, int, int]]:
    """One practitioner's general hours: weekday, from and until. Some have a break where no session falls."""
    early, late, with_break = rng.choice((0, 0, 30, 60)), rng.choice((0, 0, 30)), rng.random() < 0.5
    for weekday, slots in enumerate(material.slots):
        opened = PRESETS[material.kind].open_hours[weekday]
        if not slots or opened is None:
            continue
        start, end = max(opened[0], slots[0] - early), min(opened[1], slots[-1] + LONGEST + late)
        gap = _break(material, slots) if with_break else None
        if gap is None:
            yield weekday, start, end
        else:
            yield weekday, start, gap[0]
            yield weekday, gap[1], end


def _break(material: Material, slots: Sequence[int]) -> Minutes | None:
    """The time around one o'clock that no session of any length reaches into."""
    longest = max(material.minutes)
    gaps = [(one + longest, other) for one, other in pairwise(slots) if other - one - longest >= 30]
    return min(gaps, key=lambda gap: abs(gap[0] - 13 * 60), default=None)


def own_windows(material: Material) -> Iterator[tuple[int, int, int]]:
    """Hours of a custom timetable."""
    for weekday in OWN_DAYS:
        if slots := material.slots[weekday]:
            yield weekday, slots[len(slots) // 2], slots[-1] + LONGEST


def is_own(material: Material, weekday: int, minute: int) -> bool:
    """Whether a session that begins then belongs to the practitioner's own timetable."""
    return any(day == weekday and start <= minute < end for day, start, end in own_windows(material))


def holding(names: Iterable[str], weekday: int, minute: int, minutes: int) -> list[int]:
    """Which of these regular timetables, by their place in the list, take place then."""
    found = []
    for n, name in enumerate(names):
        days, (start, end) = SCHEDULES[name]
        if weekday in days and start <= minute and minute + minutes <= end:
            found.append(n)
    return found


def closures(first: date, last: date) -> Iterator[tuple[str, str, str]]:
    """First day, last day and name of each closure between two days."""
    for year in range(first.year - 1, last.year + 1):
        for name, begins, ends in CLOSURES:
            since, until = date(year, *begins), date(year + (ends < begins), *ends)
            if since <= last and until >= first:
                yield since.isoformat(), until.isoformat(), name


def away(today: date, taken: set[int], rng: random.Random) -> tuple[date, date] | None:
    """Two days some weeks ahead (first and last) on which somebody has no session; days taken are ordinals."""
    start = today.toordinal() + rng.randrange(8, 40)
    for day in range(start, start + 20):
        if not {day, day + 1} & taken:
            return date.fromordinal(day), date.fromordinal(day + 1)
    return None

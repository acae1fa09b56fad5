"""Courses, rooms, timetables and teams of a programme: one small mechanism for the four lists. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.fields import Checked
from core.programmes.rules import Words
from db.models.people import Team
from db.models.structure import Course, Room, Timetable
from db.words import TimetableKind

LARGEST_ROOM, MOST_HOURS, MOST_WEEKS = 10_000, 10_000, 520


class Which(StrEnum):
    """The four lists."""

    COURSE = "course"
    ROOM = "room"
    TIMETABLE = "timetable"
    TEAM = "team"


Listed = type[Course] | type[Room] | type[Timetable] | type[Team]
MODELS: dict[Which, Listed] = {
    Which.COURSE: Course, Which.ROOM: Room, Which.TIMETABLE: Timetable, Which.TEAM: Team,
}
FIELDS: dict[Which, tuple[str, ...]] = {
    Which.COURSE: ("name", "off_job_minutes", "weeks"), Which.ROOM: ("name", "capacity", "smart", "records"),
    Which.TIMETABLE: ("name", "kind", "owner_id"),
    Which.TEAM: ("name", "idea"),
}
"""What an entry of each list has."""


@dataclass(frozen=True)
class Entry:
    """What is said of an entry of one of the lists; fields that its list does not have stay empty."""

    name: str
    capacity: int | None = None
    kind: TimetableKind | None = None
    owner_id: int | None = None
    idea: str | None = None
    smart: bool = False
    """A virtual room from the pool, which may record (C5)."""
    records: bool = False
    off_job_minutes: int | None = None
    """Off-the-job time that learners of a course are to reach."""
    weeks: int | None = None
    """How long a course is planned to take."""


def called(which: Which, words: Words, *, many: bool = False) -> str:
    """An entry of this list, or the list, in the words of the programme."""
    if which in (Which.COURSE, Which.TEAM):
        return words.many(which.value) if many else str(getattr(words, which.value))
    return f"{which}s" if many else str(which)


def an_entry(which: Which, words: Words) -> str:
    """One entry with its article: 'a room', 'a track'."""
    return words.a(which.value) if which in (Which.COURSE, Which.TEAM) else f"a {which}"


def checked_entry(which: Which, said: Mapping[str, Any], words: Words) -> Checked:
    """The fields given, tidied, with a sentence for each that cannot be taken."""
    checked = Checked()
    for name, value in said.items():
        if name not in FIELDS[which]:
            checked.problems[name] = "This cannot be changed here."
        elif name == "name":
            checked.line(name, value, 120, f"Give the {called(which, words)} a name.")
        elif name == "idea":
            checked.line(name, value, 300)
        elif name == "capacity":
            checked.values[name] = value
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_ROOM:
                checked.problems[name] = f"How many people fit in, from 1 to {LARGEST_ROOM:,}."
        elif name in ("smart", "records"):
            checked.values[name] = value
            if value not in (True, False):
                checked.problems[name] = "Say yes or no."
        elif name == "off_job_minutes":
            checked.values[name] = value
            if value is not None and (type(value) is not int or not 0 <= value <= MOST_HOURS * 60):
                checked.problems[name] = f"Hours from 0 to {MOST_HOURS:,}, or none."
        elif name == "weeks":
            checked.values[name] = value
            if value is not None and (type(value) is not int or not 1 <= value <= MOST_WEEKS):
                checked.problems[name] = f"Weeks from 1 to {MOST_WEEKS}, or none."
        elif name == "kind":
            checked.values[name] = value
            if value not in {*TimetableKind}:
                checked.problems[name] = "Choose regular or custom."
        else:
            checked.values[name] = value
    return checked

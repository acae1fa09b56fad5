"""What makes a booking whole, and which states allow what. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Conflict, Invalid
from core.programmes.rules import SHORTEST, STEP, BookingField, Policy, Words
from db.words import Method, Origin, Outcome

MOST_LEARNERS = 30
NOTICE = timedelta(hours=24)
"""From here on, by elapsed time, a learner cancels in time (E3)."""
BOUNDS = {
    "description": 300, "location": 200, "planning_notes": 4000, "reason": 500, "type": 60, "method": 60, "words": 300,
    "recording_url": 2000, "late_reason": 500, "claim": 1000, "answer": 1000, "body": 8000, "contact": 300,
    "overruled": 500,
}
"""Longest texts, in characters."""
HIGHEST_NUMBER = 999_999_999
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Booking:
    """What is asked for when a session is booked. Times are aware; a booking without one is not on the calendar."""

    programme_id: int
    practitioner_id: int | None = None
    learner_ids: tuple[int, ...] = ()
    team_id: int | None = None
    timetable_id: int | None = None
    room_id: int | None = None
    method: str = Method.TRADITIONAL
    location: str | None = None
    starts_at: datetime | None = None
    minutes: int | None = None
    course_ids: tuple[int, ...] = ()
    type: str | None = None
    planning_notes: str | None = None
    description: str | None = None
    number: int | None = None
    report_required: bool | None = None
    places: int | None = None
    """How many learners it takes at most; None: those named, and up to 30 later."""
    records: bool = False
    """Recorded automatically, in a smart room that does so (C5)."""
    follows_id: int | None = None
    origin: Origin = Origin.BOOKING
    reason: str | None = None
    """Why hours, notice and limits do not hold this time."""
    series_id: int | None = None
    """The series that it is part of, and the local day that the series gave it; `core.series` alone says so."""
    series_day: date | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When the session ends, where it has a time."""
        if self.starts_at is None or self.minutes is None:
            return None
        return self.starts_at + timedelta(minutes=self.minutes)

    def problems(self, policy: Policy) -> dict[str, str]:
        """What is missing or out of bounds, a sentence for each field (B3, C4). Empty when whole."""
        if found := self._strange():
            return found
        found = self._missing(policy)
        found.update(text_problems(
            {"description": self.description, "location": self.location, "planning_notes": self.planning_notes,
             "reason": self.reason}
        ))
        if self.type and self.type not in policy.types:
            found["type"] = "Choose one of the types of this programme."
        if self.method not in {*Method} or (self.method == Method.SMART and not policy.smart_rooms):
            found["method"] = "Choose one of the methods of this programme."
        if self.records and self.method != Method.SMART:
            found["records"] = "Only a smart session is recorded automatically."
        if self.number is not None and not 1 <= self.number <= HIGHEST_NUMBER:
            found["number"] = f"A number is between 1 and {HIGHEST_NUMBER:,}."
        if self.team_id is not None and self.learner_ids:
            found["who"] = f"Choose either one {policy.words.learner} or a {policy.words.team}."
        if len(self.learner_ids) > MOST_LEARNERS:
            found["who"] = f"At most {MOST_LEARNERS} {policy.words.many('learner')} can take part."
        if (problem := places_problem(self.places, policy.words)) is not None:
            found["places"] = problem
        if self.practitioner_id is not None and self.practitioner_id in self.learner_ids:
            found["who"] = f"The same person cannot be {policy.words.practitioner} and {policy.words.learner} at once."
        if self.starts_at is None and self.room_id is not None and "date" not in found:
            found["date"] = "A room is taken from a date and time; choose them, or no room."
        if self.starts_at is not None:
            found.update(time_problems(self.starts_at, self.minutes, policy))
        return found

    def _strange(self) -> dict[str, str]:
        """Fields that hold what no form sends; an import, a feed or a crafted request may."""
        found = {
            name: "This is none of the choices." for name, ids in (
                ("practitioner", (self.practitioner_id,)), ("who", (self.team_id, *_listed(self.learner_ids))),
                ("timetable", (self.timetable_id,)), ("room", (self.room_id,)), ("courses", _listed(self.course_ids)),
                ("follows", (self.follows_id,)),
            ) if not all(id_ is None or is_id(id_) for id_ in ids)
        }
        if self.number is not None and type(self.number) is not int:
            found["number"] = "A number is a whole number."
        if self.report_required not in (None, True, False):
            found["report_required"] = "Say whether a report is required."
        if self.records not in (True, False):
            found["records"] = "Say whether it is recorded."
        found.update(text_problems({"type": self.type, "method": self.method}))
        return found

    def _missing(self, policy: Policy) -> dict[str, str]:
        words, field = policy.words, BookingField
        found: dict[str, str] = {}
        asked: dict[BookingField, tuple[str, bool, str]] = {
            field.PRACTITIONER: ("practitioner", self.practitioner_id is None, f"Choose the {words.practitioner}."),
            field.WHO: (
                "who", not self.learner_ids and self.team_id is None,
                f"Choose {words.a('learner')} or {words.a('team')}."
            ),
            field.TIMETABLE: ("timetable", self.timetable_id is None, "Choose a timetable."),
            field.METHOD: ("method", not self.method, "Choose a method."),
            field.LOCATION: ("location", not self.location and self.room_id is None, "Say where it takes place."),
            field.WHEN: ("date", self.starts_at is None, "Choose a date and a time."),
            field.COURSES: ("courses", not self.course_ids, f"Choose at least one {words.course}."),
            field.TYPE: ("type", not self.type, "Choose a type."),
            field.PLANNING_NOTES: ("planning_notes", not self.planning_notes, "Write planning notes."),
            field.DESCRIPTION: ("description", not self.description, "Write a description."),
        }
        for required in policy.required:
            name, missing, sentence = asked.get(required, ("", False, ""))
            if missing:
                found[name] = sentence
        return found


def places_problem(places: object, words: Words) -> str | None:
    """What keeps this from being a number of learners (C8)."""
    if places is None or (type(places) is int and 1 <= places <= MOST_LEARNERS):
        return None
    return f"The number of {words.many('learner')} is a whole number from 1 to {MOST_LEARNERS}."


def is_id(value: object) -> bool:
    """Whether this can be the id of a row at all."""
    return type(value) is int and 0 < value < 2**63


def is_link(said: str) -> bool:
    """Whether this is an address of the web that a browser may be led to."""
    try:
        parts = urlsplit(said)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s<>\"`\\]", said)
    except ValueError:
        return False


def _listed(ids: object) -> tuple[object, ...]:
    return tuple(ids) if isinstance(ids, tuple | list) else ("",)


def text_problems(texts: Mapping[str, object]) -> dict[str, str]:
    """Texts that are too long, or are none, by field."""
    found = {}
    for name, said in texts.items():
        if said is None:
            continue
        if not isinstance(said, str):
            found[name] = "This is not a text."
        elif len(said) > BOUNDS[name]:
            found[name] = f"At most {BOUNDS[name]:,} characters; this has {len(said):,}."
        elif _NO_CHARACTER.search(said):
            found[name] = "This holds a character that is none. Please type it again."
    return found


def given(said: str, field_: str, sentence: str, item: int = 0) -> str:
    """A text that must be there, trimmed. Raises Invalid."""
    if found := text_problems({field_: said}):
        raise Invalid(found, item)
    if not (said or "").strip():
        raise Invalid({field_: sentence}, item)
    return said.strip()


def time_problems(starts_at: datetime, minutes: int | None, policy: Policy) -> dict[str, str]:
    """Whether a time can be on the calendar at all (C4): durations in steps of 5 minutes from 15."""
    if not isinstance(starts_at, datetime) or starts_at.tzinfo is None:
        return {"date": "Choose a date and a time."}
    found: dict[str, str] = {}
    if not FIRST_DAY <= starts_at.date() <= LAST_DAY:
        found["date"] = f"Choose a date from {FIRST_DAY.year} to {LAST_DAY.year}."
    if type(minutes) is not int:
        found["duration"] = "Choose how long it takes."
    elif minutes < SHORTEST or minutes % STEP:
        found["duration"] = f"A duration is a multiple of {STEP} minutes, from {SHORTEST}."
    elif minutes > policy.longest_minutes:
        found["duration"] = f"At most {policy.longest_minutes} minutes in this programme."
    if starts_at.second or starts_at.microsecond:
        found["time"] = "Times are whole minutes."
    return found


@dataclass(frozen=True)
class Clash:
    """Somebody, or a room, who is taken. `what` is empty where the viewer may not see the other session (B9)."""

    item: int
    who: str
    starts_at: datetime
    ends_at: datetime
    what: str = ""
    session_id: int | None = None
    """The other session, where the viewer may see it."""
    person_id: int | None = None
    """Who is taken; nobody where it is a room."""


class PersonBusy(Conflict):
    """Somebody, or some room, already has a session then (B9). Carries the nearest free times."""

    def __init__(self, clashes: Iterable[Clash], sentence: str, free: Iterable[datetime] = ()) -> None:
        self.clashes = list(clashes)
        self.free = list(free)
        super().__init__(sentence)


class NoRoomFree(PersonBusy):
    """Every smart room that would do is taken then (C12). Carries the nearest times at which one is free."""


class StaleForm(Conflict):
    """Somebody else changed it meanwhile: both versions, by field, in words, so that neither is lost."""

    def __init__(self, sentence: str, theirs: Mapping[str, str], version: int) -> None:
        self.theirs = dict(theirs)
        self.version = version
        super().__init__(sentence)


def notice_outcome(starts_at: datetime, notice_at: datetime) -> Outcome:
    """Whether notice was given late, under 24 hours ahead by elapsed time; exactly 24 is in time (E3)."""
    return Outcome.CANCELLED_LATE if starts_at - notice_at < NOTICE else Outcome.CANCELLED_IN_TIME

"""A programme's policy and words. A kind only presets them; code asks the policy, never the kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

from holidays import list_supported_countries
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import Invalid
from core.fields import Checked
from db.words import Kind


class WhoBooks(StrEnum):
    """Who may book (B11, C1)."""

    STAFF = "staff"
    STAFF_AND_PRACTITIONERS = "staff and practitioners"
    CLIENTS_TOO = "clients too"


class BookingField(StrEnum):
    """What a booking form asks for; policy says which of it is required."""

    PRACTITIONER = "practitioner"
    WHO = "learner or team"
    TIMETABLE = "timetable"
    METHOD = "method"
    LOCATION = "location"
    WHEN = "date and time"
    COURSES = "courses"
    TYPE = "type"
    PLANNING_NOTES = "planning notes"
    DESCRIPTION = "description"
    NUMBER = "number"


class Switchable(StrEnum):
    """Types of session whose effect on enrolments an admin can switch off (C7)."""

    GATEWAY_READY = "gateway ready"
    EPA = "EPA"
    EXIT = "exit session"


class Words(BaseModel):
    """What people and things are called in a programme, in the singular, lower case."""

    model_config = ConfigDict(frozen=True)

    practitioner: Annotated[str, Field(min_length=1, max_length=40)] = "practitioner"
    learner: Annotated[str, Field(min_length=1, max_length=40)] = "learner"
    session: Annotated[str, Field(min_length=1, max_length=40)] = "session"
    team: Annotated[str, Field(min_length=1, max_length=40)] = "team"
    course: Annotated[str, Field(min_length=1, max_length=40)] = "course"

    def many(self, which: str) -> str:
        """The plural of one of the words, by the rule that fits English nouns of this field."""
        word = str(getattr(self, which))
        if word.endswith("y") and word[-2:-1] not in set("aeiou"):
            return word[:-1] + "ies"
        return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")

    def a(self, which: str) -> str:
        """One of the words with its article: 'a coach', 'an assessor'."""
        word = str(getattr(self, which))
        return f"{'an' if word[:1].lower() in set('aeiou') else 'a'} {word}"

    def asked(self, field: BookingField) -> str:
        """What a booking form asks for."""
        return {
            BookingField.PRACTITIONER: self.practitioner, BookingField.WHO: f"{self.learner} or {self.team}",
            BookingField.COURSES: self.many("course"),
        }.get(field, str(field))

    def outcome(self, outcome: str) -> str:
        """What came of it: 'coach cancelled'."""
        return outcome.replace("practitioner", self.practitioner)


OpenHours = Annotated[list[tuple[int, int] | None], Field(min_length=7, max_length=7)]
"""Monday to Sunday: opening and closing in minutes after local midnight, or closed."""

SHORTEST = 15
STEP = 5
LONGEST = 24 * 60
"""Minutes (C4)."""
MOST_TYPES = 60
MOST_BUFFER = 240
"""Minutes kept free around a session."""
MOST_NOTICE = 60 * 24 * 60
"""Minutes."""
MOST_AHEAD = 3660
"""Days."""
MOST_SESSIONS = 1000
Buffer = Annotated[int, Field(ge=0, le=MOST_BUFFER, multiple_of=STEP)]
Most = Annotated[int, Field(ge=1, le=MOST_SESSIONS)] | None
"""None is no limit."""
MOST_LOG_HOURS, MOST_WAIT, MOST_REMIND = 90 * 24, 120, 100
"""Hours until what came of a session is due, minutes waited for a learner, sessions between two reminders."""


def holiday_problems(country: Any, region: Any) -> dict[str, str]:
    """Why these are not a country, and a region of it, whose public holidays are known."""
    if country is None:  # what most programmes say, and no reason to load the rest
        return {} if region is None else {"holidays_region": "Choose the country first."}
    regions = holiday_places().get(country) if isinstance(country, str) else None
    if regions is None:
        return {"holidays_country": "Write the country's two letters, such as GB, DE or US."}
    if region is None or region in regions:
        return {}
    if not regions:
        return {"holidays_region": f"{country} has no regions with holidays of their own; leave this empty."}
    return {"holidays_region": f"Write one of the regions of {country}, or nothing: {', '.join(regions)}."}


@cache
def holiday_places() -> dict[str, tuple[str, ...]]:
    """Countries whose public holidays are known, by their two letters, each with its regions."""
    return {
        code: tuple(region for region in regions if region.isupper() or region.isdecimal())
        for code, regions in list_supported_countries().items() if len(code) == 2
    }


class Policy(BaseModel):
    """How one programme works. Frozen: a change makes a new one."""

    model_config = ConfigDict(frozen=True)

    who_books: WhoBooks = WhoBooks.STAFF_AND_PRACTITIONERS
    required: frozenset[BookingField] = frozenset()
    types: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(("general",), min_length=1)
    usual_minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST, multiple_of=STEP)] = 60
    longest_minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST, multiple_of=STEP)] = 8 * 60
    effects: frozenset[Switchable] = frozenset(Switchable)
    """Types named otherwise have none, whatever is said here."""
    smart_rooms: bool = False
    report_required: bool = False
    notes_required: bool = False
    log_hours: Annotated[int, Field(ge=1, le=MOST_LOG_HOURS)] = 48
    missed_wait: Annotated[int, Field(ge=0, le=MOST_WAIT)] = 0
    remind_every: Annotated[int, Field(ge=1, le=MOST_REMIND)] | None = None
    open_hours: OpenHours = [(9 * 60, 18 * 60)] * 5 + [None, None]
    buffer_before: Buffer = 0
    buffer_after: Buffer = 0
    notice_minutes: Annotated[int, Field(ge=0, le=MOST_NOTICE)] = 0
    ahead_days: Annotated[int, Field(ge=1, le=MOST_AHEAD)] | None = None
    most_a_day: Most = None
    most_a_week: Most = None
    holidays_country: str | None = None
    holidays_region: str | None = None
    words: Words = Words()

    @model_validator(mode="after")
    def _hours_run_forward(self) -> "Policy":
        for hours in self.open_hours:
            if hours and not 0 <= hours[0] < hours[1] <= LONGEST:
                raise ValueError("Opening hours must end after they begin, within one day.")
        if self.usual_minutes > self.longest_minutes:
            raise ValueError("The usual length cannot be more than the longest one.")
        if found := holiday_problems(self.holidays_country, self.holidays_region):
            raise ValueError(" ".join(found.values()))
        return self

    def stored(self) -> dict[str, Any]:
        """What goes into the programme's row."""
        said = self.model_dump(mode="json")
        return {**said, "required": sorted(said["required"]), "effects": sorted(said["effects"])}


_ALL_DAY = [(8 * 60, 20 * 60)] * 5 + [(9 * 60, 17 * 60), None]
_C_TYPES = (
    "general", "induction", "formal review", "telephone", "exit session", "out of the workplace", "tests/exams",
    "learner support", "initial", "gateway ready", "EPA",
)
F = BookingField

PRESETS: dict[Kind, Policy] = {
    Kind.PEER_ADVICE: Policy(
        who_books=WhoBooks.CLIENTS_TOO, required=frozenset({F.PRACTITIONER, F.WHO}), report_required=True,
        types=("advice", "follow-up"), usual_minutes=60, open_hours=_ALL_DAY, ahead_days=183, most_a_day=12,
        words=Words(practitioner="peer", learner="client", course="topic"),
    ),
    Kind.EVENT_MENTORING: Policy(
        who_books=WhoBooks.STAFF, required=frozenset({F.PRACTITIONER, F.TIMETABLE, F.NUMBER}),
        types=("mentoring", "pitch practice"), usual_minutes=30, open_hours=[(8 * 60, 22 * 60)] * 7,
        most_a_day=24,
        words=Words(practitioner="mentor", learner="participant", course="track"),
    ),
    Kind.APPRENTICESHIP: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.METHOD, F.WHEN, F.COURSES, F.TYPE}), types=_C_TYPES,
        usual_minutes=60, ahead_days=730, words=Words(practitioner="assessor"),
    ),
    Kind.COACHING: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.WHEN}), types=("coaching", "kick-off", "review"),
        usual_minutes=60, open_hours=_ALL_DAY, missed_wait=15,
        words=Words(practitioner="coach", learner="member", course="theme"),
    ),
    Kind.TUTORING: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.WHEN}), types=("lesson", "trial lesson", "exam preparation"),
        usual_minutes=60, open_hours=[(8 * 60, 21 * 60)] * 6 + [(10 * 60, 18 * 60)], most_a_day=12,
        notes_required=True, remind_every=4, words=Words(practitioner="tutor", learner="student", course="subject"),
    ),
}

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hours_words(hours: tuple[int, int] | None) -> str:
    """'09:00–18:00', or 'closed'."""
    if hours is None:
        return "closed"
    return "–".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in hours)


def who_books_words(policy: Policy) -> str:
    """Who books, and what that leaves to the others, in a sentence or two."""
    people, learners = policy.words.many("practitioner"), policy.words.many("learner")
    return {
        WhoBooks.STAFF: f"Only staff book, move, cancel and delete. {people.capitalize()} attend and record outcomes.",
        WhoBooks.STAFF_AND_PRACTITIONERS: f"Staff and {people} book; {people} change the sessions that they lead.",
        WhoBooks.CLIENTS_TOO: f"Staff, {people} and {learners} book; {learners} change what they made themselves.",
    }[policy.who_books]


def _hours_effect(policy: Policy) -> str:
    said = ", ".join(f"{day} {hours_words(h)}" for day, h in zip(DAYS, policy.open_hours, strict=True))
    return f"Sessions are offered and booked within: {said}. Outside them, staff need to give a reason."


def _counted(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count:,} {word}s"


def minutes_words(minutes: int) -> str:
    """'90 minutes', '2 hours', '3 days'."""
    for size, word in ((24 * 60, "day"), (60, "hour")):
        if minutes and minutes % size == 0:
            return _counted(minutes // size, word)
    return _counted(minutes, "minute")


def _one(words: Words) -> str:
    said = words.a("practitioner")
    return said[0].upper() + said[1:]


def _buffer_effect(policy: Policy, minutes: int, side: str) -> str:
    words = policy.words
    if not minutes:
        return f"{_one(words)} can be booked right {side} another {words.session}."
    return f"{_one(words)} keeps {minutes} minutes free {side} each {words.session}."


def _most_effect(policy: Policy, most: int | None, period: str) -> str:
    words = policy.words
    if most is None:
        return f"{_one(words)} takes any number of {words.many('session')} a {period}."
    many = words.session if most == 1 else words.many("session")
    return f"{_one(words)} takes at most {most} {many} a {period}. Beyond that, staff need to give a reason."


def _holidays_effect(policy: Policy) -> str:
    if policy.holidays_country is None:
        return "Public holidays are days like any other."
    place = "-".join(filter(None, (policy.holidays_country, policy.holidays_region)))
    return f"Closed on the public holidays of {place}. On them, staff need to give a reason."


SWITCHED = {
    Switchable.GATEWAY_READY: "gateway ready moves the enrolment to gateway",
    Switchable.EPA: "EPA moves it to assessed",
    Switchable.EXIT: "exit session asks whether it is completed or withdrawn",
}
"""What each does to the enrolments of those who attended, once it is held."""


def _effects_effect(policy: Policy) -> str:
    said = ", ".join(words for each, words in SWITCHED.items() if each in policy.effects)
    return f"From now on, when held: {said}." if said else \
        "From now on, gateway ready, EPA and exit session change no enrolment."


EFFECTS: dict[str, Callable[[Policy], str]] = {
    "who_books": who_books_words,
    "required": lambda p: "A booking cannot be saved without: "
    + (", ".join(p.words.asked(field) for field in BookingField if field in p.required) or "nothing") + ".",
    "types": lambda p: f"Types to choose from: {', '.join(p.types)}. Sessions booked earlier keep theirs.",
    "usual_minutes": lambda p: f"A new booking starts out with {p.usual_minutes} minutes.",
    "longest_minutes": lambda p: f"No session can be longer than {p.longest_minutes} minutes.",
    "effects": _effects_effect,
    "smart_rooms": lambda p: "Sessions can be smart, in a virtual room."
    if p.smart_rooms else "Sessions cannot be smart any more; those booked stay so.",
    "report_required": lambda p: "New sessions ask for a report before they are complete."
    if p.report_required else "New sessions are complete with closing comments; no report is asked for.",
    "notes_required": lambda p: f"Each {p.words.session} held needs a note; until it is submitted, its pay is on hold."
    if p.notes_required else "No note is needed, and no pay waits for one.",
    "log_hours": lambda p: f"What came of {p.words.a('session')} is due {_counted(p.log_hours, 'hour')} after it ends.",
    "missed_wait": lambda p: f"To record that {p.words.a('learner')} missed it, {p.words.a('practitioner')} waits"
    f" {minutes_words(p.missed_wait)} and tries to make contact." if p.missed_wait
    else "Missed is recorded without waiting first.",
    "remind_every": lambda p: "Guardians are reminded of the notes after every"
    f" {_counted(p.remind_every, p.words.session)} with a note." if p.remind_every
    else "Guardians are not reminded of notes.",
    "open_hours": _hours_effect,
    "buffer_before": lambda p: _buffer_effect(p, p.buffer_before, "before"),
    "buffer_after": lambda p: _buffer_effect(p, p.buffer_after, "after"),
    "notice_minutes": lambda p: f"A time is booked at least {minutes_words(p.notice_minutes)} ahead."
    if p.notice_minutes else "A time can be booked until it begins.",
    "ahead_days": lambda p: f"A time is booked at most {_counted(p.ahead_days, 'day')} ahead."
    if p.ahead_days else "A time can be booked however far ahead.",
    "most_a_day": lambda p: _most_effect(p, p.most_a_day, "day"),
    "most_a_week": lambda p: _most_effect(p, p.most_a_week, "week"),
    "holidays_country": _holidays_effect,
    "holidays_region": _holidays_effect,
    "words": lambda p: f"Screens say {p.words.practitioner}, {p.words.learner}, {p.words.session},"
    f" {p.words.team} and {p.words.course}.",
}
"""What each field of the policy brings about, in words, shown before a change of it is saved."""


def effects(old: Policy, new: Policy) -> list[str]:
    """What changes for people when a policy is replaced, one sentence for each field that differs."""
    found = [said(new) for name, said in EFFECTS.items() if getattr(old, name) != getattr(new, name)]
    return list(dict.fromkeys(found))


def changed_policy(policy: Policy, said: Mapping[str, Any]) -> Policy:
    """The policy with these fields replaced by what was said of them. Raises Invalid, with a sentence for each field.

    Words are given by name, as `words.learner`; opening hours by day, as `hours.0` for Monday.
    """
    values = {name: getattr(policy, name) for name in Policy.model_fields}
    words, hours = values["words"].model_dump(), list(policy.open_hours)
    found: dict[str, str] = {}
    for name, value in said.items():
        part, _, which = name.partition(".")
        if part == "words":
            words[which] = _line(name, value, 40, found)
        elif part == "hours":
            hours[int(which)] = value
            if value is not None and not 0 <= value[0] < value[1] <= LONGEST:
                found[name] = "The end has to be after the beginning."
        elif part == "types":
            values[name] = _types(value, found)
        elif part in ("usual_minutes", "longest_minutes"):
            values[name] = _minutes(name, value, found)
        elif part in NUMBERS:
            values[name] = _number(NUMBERS[part], name, value, found)
        elif part in ("holidays_country", "holidays_region"):
            values[name] = value.strip().upper() or None if isinstance(value, str) else value
        else:
            values[name] = value
    if not found and values["usual_minutes"] > values["longest_minutes"]:
        found["usual_minutes"] = "The usual length cannot be more than the longest one."
    for name in ("required", "effects"):
        if not isinstance(values[name], frozenset):
            values[name] = frozenset(values[name] or ())
    if values["who_books"] not in {*WhoBooks}:
        found["who_books"] = "Choose who books."
    if not {*BookingField}.issuperset(values["required"]):
        found["required"] = "Choose among the fields that are offered."
    if not {*Switchable}.issuperset(values["effects"]):
        found["effects"] = "Choose among the types that are offered."
    found.update(holiday_problems(values["holidays_country"], values["holidays_region"]))
    if found:
        raise Invalid(found)
    return Policy.model_validate({**values, "words": Words(**words), "open_hours": hours})


@dataclass(frozen=True)
class Number:
    """What a number of the policy may be."""

    least: int
    most: int
    step: int = 1
    may_be_empty: bool = False


NUMBERS: dict[str, Number] = {
    "buffer_before": Number(0, MOST_BUFFER, STEP), "buffer_after": Number(0, MOST_BUFFER, STEP),
    "notice_minutes": Number(0, MOST_NOTICE), "ahead_days": Number(1, MOST_AHEAD, may_be_empty=True),
    "most_a_day": Number(1, MOST_SESSIONS, may_be_empty=True),
    "most_a_week": Number(1, MOST_SESSIONS, may_be_empty=True),
    "log_hours": Number(1, MOST_LOG_HOURS), "missed_wait": Number(0, MOST_WAIT),
    "remind_every": Number(1, MOST_REMIND, may_be_empty=True),
}


def number_problem(number: Number, said: Any) -> str | None:
    """Why this cannot be taken, or nothing."""
    if said is None and number.may_be_empty:
        return None
    if type(said) is int and number.least <= said <= number.most and said % number.step == 0:
        return None
    steps = f" in steps of {number.step}" if number.step > 1 else ""
    empty = ", or nothing for no limit" if number.may_be_empty else ""
    return f"A whole number{steps} from {number.least} to {number.most:,}{empty}."


def _number(number: Number, name: str, said: Any, found: dict[str, str]) -> int | None:
    if problem := number_problem(number, said):
        found[name] = problem
        return None
    return said  # type: ignore[no-any-return]  # a number, or nothing, as was just seen


def _line(name: str, said: Any, most: int, found: dict[str, str]) -> str:
    checked = Checked()
    checked.line(name, said, most, "Write a word.")
    found.update(checked.problems)
    return checked.values[name] or ""


def _types(said: Any, found: dict[str, str]) -> tuple[str, ...]:
    types = tuple(dict.fromkeys(_line("types", each, 60, found) for each in said or ()))
    if not types:
        found["types"] = "At least one type is needed."
    elif len({each.casefold() for each in types}) < len(types):
        found["types"] = "Two types have the same name."
    elif len(types) > MOST_TYPES:
        found["types"] = f"At most {MOST_TYPES} types."
    return types


def _minutes(name: str, said: Any, found: dict[str, str]) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or said % STEP or not SHORTEST <= said <= LONGEST:
        found[name] = f"Minutes in steps of {STEP}, from {SHORTEST} to {LONGEST:,} (a whole day)."
        return SHORTEST
    return said

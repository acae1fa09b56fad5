"""A programme's policy and words. A kind only presets them; code asks the policy, never the kind."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

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


OpenHours = Annotated[list[tuple[int, int] | None], Field(min_length=7, max_length=7)]
"""Monday to Sunday: opening and closing in minutes after local midnight, or closed."""

SHORTEST = 15
STEP = 5
LONGEST = 24 * 60
"""Minutes (C4)."""
MOST_TYPES = 60


class Policy(BaseModel):
    """How one programme works. Frozen: a change makes a new one."""

    model_config = ConfigDict(frozen=True)

    who_books: WhoBooks = WhoBooks.STAFF_AND_PRACTITIONERS
    required: frozenset[BookingField] = frozenset()
    types: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(("general",), min_length=1)
    usual_minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST, multiple_of=STEP)] = 60
    longest_minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST, multiple_of=STEP)] = 8 * 60
    smart_rooms: bool = False
    report_required: bool = False
    open_hours: OpenHours = [(9 * 60, 18 * 60)] * 5 + [None, None]
    words: Words = Words()

    @model_validator(mode="after")
    def _hours_run_forward(self) -> "Policy":
        for hours in self.open_hours:
            if hours and not 0 <= hours[0] < hours[1] <= LONGEST:
                raise ValueError("Opening hours must end after they begin, within one day.")
        if self.usual_minutes > self.longest_minutes:
            raise ValueError("The usual length cannot be more than the longest one.")
        return self

    def stored(self) -> dict[str, Any]:
        """What goes into the programme's row."""
        said = self.model_dump(mode="json")
        return {**said, "required": sorted(said["required"])}


_ALL_DAY = [(8 * 60, 20 * 60)] * 5 + [(9 * 60, 17 * 60), None]
_C_TYPES = (
    "general", "induction", "formal review", "telephone", "exit session", "out of the workplace", "tests/exams",
    "learner support", "initial", "gateway ready", "EPA",
)
F = BookingField

PRESETS: dict[Kind, Policy] = {
    Kind.PEER_ADVICE: Policy(
        who_books=WhoBooks.CLIENTS_TOO, required=frozenset({F.PRACTITIONER, F.WHO}), report_required=True,
        types=("advice", "follow-up"), usual_minutes=60, open_hours=_ALL_DAY,
        words=Words(practitioner="peer", learner="client", course="topic"),
    ),
    Kind.EVENT_MENTORING: Policy(
        who_books=WhoBooks.STAFF, required=frozenset({F.PRACTITIONER, F.TIMETABLE, F.NUMBER}),
        types=("mentoring", "pitch practice"), usual_minutes=30, open_hours=[(8 * 60, 22 * 60)] * 7,
        words=Words(practitioner="mentor", learner="participant", course="track"),
    ),
    Kind.APPRENTICESHIP: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.METHOD, F.WHEN, F.COURSES, F.TYPE}), types=_C_TYPES,
        usual_minutes=60, words=Words(practitioner="assessor"),
    ),
    Kind.COACHING: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.WHEN}), types=("coaching", "kick-off", "review"),
        usual_minutes=60, open_hours=_ALL_DAY, words=Words(practitioner="coach", learner="member", course="theme"),
    ),
    Kind.TUTORING: Policy(
        required=frozenset({F.PRACTITIONER, F.WHO, F.WHEN}), types=("lesson", "trial lesson", "exam preparation"),
        usual_minutes=60, open_hours=[(8 * 60, 21 * 60)] * 6 + [(10 * 60, 18 * 60)],
        words=Words(practitioner="tutor", learner="student", course="subject"),
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


EFFECTS: dict[str, Callable[[Policy], str]] = {
    "who_books": who_books_words,
    "required": lambda p: "A booking cannot be saved without: " + (", ".join(sorted(p.required)) or "nothing") + ".",
    "types": lambda p: f"Types to choose from: {', '.join(p.types)}. Sessions booked earlier keep theirs.",
    "usual_minutes": lambda p: f"A new booking starts out with {p.usual_minutes} minutes.",
    "longest_minutes": lambda p: f"No session can be longer than {p.longest_minutes} minutes.",
    "smart_rooms": lambda p: "Sessions can be smart, in a virtual room."
    if p.smart_rooms else "Sessions cannot be smart any more; those booked stay so.",
    "report_required": lambda p: "New sessions ask for a report before they are complete."
    if p.report_required else "New sessions are complete with closing comments; no report is asked for.",
    "open_hours": _hours_effect,
    "words": lambda p: f"Screens say {p.words.practitioner}, {p.words.learner}, {p.words.session},"
    f" {p.words.team} and {p.words.course}.",
}
"""What each field of the policy brings about, in words, shown before a change of it is saved."""


def effects(old: Policy, new: Policy) -> list[str]:
    """What changes for people when a policy is replaced, one sentence for each field that differs."""
    return [said(new) for name, said in EFFECTS.items() if getattr(old, name) != getattr(new, name)]


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
        else:
            values[name] = value
    if not found and values["usual_minutes"] > values["longest_minutes"]:
        found["usual_minutes"] = "The usual length cannot be more than the longest one."
    if not isinstance(values["required"], frozenset):
        values["required"] = frozenset(values["required"] or ())
    if values["who_books"] not in {*WhoBooks}:
        found["who_books"] = "Choose who books."
    if not {*BookingField}.issuperset(values["required"]):
        found["required"] = "Choose among the fields that are offered."
    if found:
        raise Invalid(found)
    return Policy.model_validate({**values, "words": Words(**words), "open_hours": hours})


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

"""What makes an engagement whole, and how many of its hours are left. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.clock import FIRST_DAY, LAST_DAY
from core.fields import Checked
from core.programmes.rules import Words

MOST_HOURS = 10_000
FIELDS = ("name", "agreed_minutes", "from_day", "until_day")
"""What can be changed of one; whom it ties stays."""


@dataclass(frozen=True)
class NewEngagement:
    """What is said of a new one: with a learner or a team. Days are local, both counted."""

    name: str
    practitioner_id: int | None
    learner_id: int | None = None
    team_id: int | None = None
    agreed_minutes: int | None = None
    from_day: date | None = None
    until_day: date | None = None


@dataclass(frozen=True)
class Hours:
    """Minutes of an engagement: held, booked and not yet held, and agreed, if any were."""

    used: int = 0
    booked: int = 0
    agreed: int | None = None

    @property
    def left(self) -> int | None:
        """What is neither used nor booked; below zero where more was booked than agreed."""
        return None if self.agreed is None else self.agreed - self.used - self.booked

    @property
    def sentence(self) -> str:
        """'6 of 10 hours left', or how many were used where none were agreed."""
        if self.agreed is None or self.left is None:
            return f"{hours(self.used)} held, {hours(self.booked)} booked"
        if self.left < 0:
            return f"{hours(-self.left)} more than the {hours(self.agreed)} agreed"
        return f"{round(self.left / 60, 2):g} of {hours(self.agreed)} left"


def hours(minutes: int) -> str:
    """'1 hour', '6.5 hours'."""
    return "1 hour" if minutes == 60 else f"{round(minutes / 60, 2):g} hours"


def checked(said: Mapping[str, Any], words: Words) -> Checked:
    """The fields given, tidied, with a sentence for each that cannot be taken."""
    found = Checked()
    for name, value in said.items():
        if name not in FIELDS:
            found.problems[name] = "This cannot be changed here."
        elif name == "name":
            found.line(name, value, 120, "Give the engagement a name.")
        elif name == "agreed_minutes":
            found.values[name] = value
            if value is not None and (type(value) is not int or not 0 < value <= MOST_HOURS * 60):
                found.problems[name] = f"Agreed hours are more than none and at most {MOST_HOURS:,}."
        else:
            found.values[name] = value
            if value is not None and (not isinstance(value, date) or not FIRST_DAY <= value <= LAST_DAY):
                found.problems[name] = f"Choose a day from {FIRST_DAY.year} to {LAST_DAY.year}."
    return found

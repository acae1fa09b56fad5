"""Progress as a file, narrowed as the screen's address says it."""

from collections.abc import Mapping, Sequence

from core.learning.queries import Enrolled, Narrowed
from core.programmes.queries import programme_of
from core.sessions.address import listing
from core.sessions.export import Cell
from core.work import Work

NARROWS = ("named", "enrolled", "standing", "led", "risk")
"""Parameters of the address: part of a name, course, status, practitioner, and *yes* for those at risk alone."""


def narrowed(work: Work, programme_id: int, said: Mapping[str, Sequence[str]]) -> Narrowed:
    """What the address narrows the list to; a name that means nothing to the viewer finds nobody (X6)."""
    found = listing(work, programme_id, {
        "course": said.get("enrolled", ()), "practitioner": said.get("led", ())}).filters
    return Narrowed(
        " ".join(said.get("named", ()))[:200], found.courses, tuple(said.get("standing", ())), found.practitioners,
        "yes" in said.get("risk", ()),
    )


def headings(work: Work, programme_id: int) -> list[str]:
    """The headings of the file."""
    words = programme_of(work, programme_id).policy.words
    return [words.learner.capitalize(), words.course.capitalize(), "Status", "First day", "Planned end",
            "Required off-the-job hours", "Target to date", "Done", "Booked ahead", "Forecast", "At risk", "Why"]


def lines(found: Sequence[Enrolled]) -> list[list[Cell]]:
    """A line for each enrolment."""
    return [
        [each.learner, each.course, str(each.status), _day(each.first_day), _day(each.planned_end),
         None if each.off_job.required is None else _hours(each.off_job.required),
         *(_hours(minutes) for minutes in (each.off_job.target, each.off_job.done, each.off_job.planned,
                                           each.off_job.forecast)),
         "yes" if each.off_job.at_risk else "no", each.off_job.why]
        for each in found
    ]


def _day(day: object) -> str:
    return str(day or "")


def _hours(minutes: int) -> float:
    return round(minutes / 60, 2)

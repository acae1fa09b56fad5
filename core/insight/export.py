"""Utilisation as a file, and as lists of the sessions behind each figure."""

from collections.abc import Mapping, Sequence

from core.insight.queries import Utilisation
from core.insight.rules import BOOKED_AS, DELIVERED_AS, NO_HOURS, Figure, Minutes, Week
from core.programmes.queries import programme_of
from core.sessions.export import Cell
from core.work import Work

Behind = dict[str, str | list[str]]
"""A list of sessions as parameters of its address."""


def headings(work: Work, programme_id: int) -> list[str]:
    """The headings of the file; weeks name their zone (X3)."""
    programme = programme_of(work, programme_id)
    return [programme.policy.words.practitioner.capitalize(), "Week", f"Monday ({programme.zone_name})",
            "Available hours", "Booked hours", "Delivered hours", "Utilisation (%)"]


def lines(found: Utilisation) -> list[list[Cell]]:
    """A line for each practitioner and week."""
    return [
        [line.name, week.name, week.monday.isoformat(), *_figures(figures)]
        for line in found.lines for week, figures in zip(found.weeks, line.weeks, strict=True)
    ]


def _figures(figures: Minutes) -> list[Cell]:
    hours: list[Cell] = [round(minutes / 60, 2) for minutes in figures]
    return [*hours, NO_HOURS if figures.percent is None else figures.percent]


def behind(
    figure: Figure, weeks: Sequence[Week], practitioners: Sequence[str], narrowed: Mapping[str, list[str]]
) -> Behind:
    """The list of the sessions that a figure counts; those that begin in one of these weeks.

    `practitioners` as the address names them; `narrowed` is what else the figures are narrowed to.
    """
    status = DELIVERED_AS if figure is Figure.DELIVERED else BOOKED_AS
    return {
        **narrowed, **({"practitioner": list(practitioners)} if practitioners else {}),
        "status": [str(each) for each in status],
        "from": weeks[0].monday.isoformat(), "to": weeks[-1].sunday.isoformat(),
    }

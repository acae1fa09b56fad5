"""Booked and delivered hours against available hours, per practitioner and week: as far as the viewer may see.

Three statements whatever the number of practitioners: the sums, who is there, and when they can be booked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Integer, Values, case, column, func, select, values

from core.availability.facts import facts_about
from core.availability.queries import practitioners
from core.availability.rules import House, Leader
from core.insight.rules import Minutes, Week, available_minutes, total, weeks_shown
from core.permissions import Action, may, require
from core.programmes.queries import programme_of
from core.sessions.address import NOBODY, Address, Listing, listing
from core.sessions.queries import Filters, narrowed_to
from core.structure.queries import Options
from core.work import Work
from db.among import among
from db.models.people import Person
from db.models.sessions import LONGEST_SESSION, Participation, Session
from db.spans import minutes_after, seconds_within
from db.types import Instant
from db.words import Outcome

NARROWS = ("practitioner", "timetable", "course", "type", "from", "to")
"""Parameters of the address that narrow the figures; `from` and `to` are any days of the first and last week."""


@dataclass(frozen=True)
class Line:
    """One practitioner with their figures, week by week."""

    person_id: int
    name: str
    weeks: tuple[Minutes, ...]

    @property
    def total(self) -> Minutes:
        """All weeks together."""
        return total(self.weeks)


@dataclass(frozen=True)
class Utilisation:
    """The figures of some weeks, by practitioner in order of name."""

    weeks: tuple[Week, ...]
    lines: tuple[Line, ...]

    @property
    def by_week(self) -> tuple[Minutes, ...]:
        """All practitioners together, week by week."""
        return tuple(total(line.weeks[n] for line in self.lines) for n in range(len(self.weeks)))


def asked_for(work: Work, programme_id: int, said: Address, offered: Options | None = None) -> Listing:
    """What an address asks for, as for the list of sessions. Raises NotFound."""
    return listing(work, programme_id, {name: said[name] for name in NARROWS if name in said}, offered)


def utilisation(work: Work, programme_id: int, filters: Filters) -> Utilisation:
    """Everybody's figures for those who see figures, a practitioner's own for them. Raises NotFound, NotAllowed."""
    require(work, Action.INSIGHT_OWN, programme_id)
    programme = programme_of(work, programme_id)
    weeks = weeks_shown(filters.since, filters.until, work.now.astimezone(programme.zone).date(), programme.zone)
    if not may(work, Action.INSIGHT_SEE, programme_id):
        mine = not filters.practitioners or work.me in filters.practitioners
        filters = replace(filters, practitioners=(work.me if mine else NOBODY,))
    worked = _worked(work, programme_id, filters, weeks)
    able = _available(work, programme_id, filters, weeks)
    names = _names(work, {*able, *worked})
    lines = []
    for person, name in sorted(names.items(), key=lambda one: (one[1].casefold(), one[0])):
        hours, sums = able.get(person, [0] * len(weeks)), worked.get(person, {})
        figures = tuple(Minutes(hours[n], *sums.get(n, (0, 0))) for n in range(len(weeks)))
        if not filters.timetables or any(any(week) for week in figures):
            lines.append(Line(person, name, figures))
    return Utilisation(weeks, tuple(lines))


def _worked(
    work: Work, programme_id: int, filters: Filters, weeks: Sequence[Week]
) -> Mapping[int, Mapping[int, tuple[int, int]]]:
    """Minutes booked and delivered, by practitioner and number of the week."""
    week = _as_table(weeks).cte("week")
    where = narrowed_to(work, programme_id, replace(filters, since=None, until=None))
    longest = (
        select(func.max(Participation.actual_minutes))
        .where(Participation.session_id == Session.id, Participation.outcome == Outcome.ATTENDED).scalar_subquery()
    )
    held_until = func.coalesce(minutes_after(Session.starts_at, longest), Session.ends_at)
    booked = seconds_within(Session.starts_at, Session.ends_at, week.c.since, week.c.until)
    delivered = seconds_within(Session.starts_at, held_until, week.c.since, week.c.until)
    rows = work.tx.execute(
        select(Session.practitioner_id, week.c.number, func.sum(booked),
               func.sum(case((Session.attended > 0, delivered), else_=0)))
        .join_from(week, Session, (Session.starts_at > week.c.back) & (Session.starts_at < week.c.until))
        .where(*where, Session.practitioner_id.is_not(None), Session.cancelled_at.is_(None))
        .group_by(Session.practitioner_id, week.c.number)
    )
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for person, number, planned, held in rows:
        if planned or held:
            found.setdefault(person, {})[number] = (int(planned) // 60, int(held) // 60)
    return found


def _as_table(weeks: Sequence[Week]) -> Values:
    """The weeks for a statement; `back` is the earliest that a session begins which reaches into one."""
    longest = timedelta(seconds=LONGEST_SESSION)
    return values(
        column("number", Integer), *(column(name, Instant()) for name in ("back", "since", "until")), name="week",
    ).data([(number, week.since - longest, week.since, week.until) for number, week in enumerate(weeks)])


def _available(
    work: Work, programme_id: int, filters: Filters, weeks: tuple[Week, ...]
) -> dict[int, list[int]]:
    """Minutes in which each practitioner can be booked, week by week."""
    programme = programme_of(work, programme_id)
    ids = practitioners(work, programme_id, filters.practitioners or None)
    facts = facts_about(
        work, programme_id, ids, filters.timetables,
        *(int(at.timestamp()) for at in (weeks[0].since, weeks[-1].until)))
    house = House(programme.policy, programme.zone_name, int(work.now.timestamp()), facts.closures)
    if filters.timetables and not facts.ways:
        return {}
    return {
        id_: available_minutes(weeks, house, facts.leaders.get(id_, Leader(id_, "")), tuple(facts.ways.values()))
        for id_ in ids
    }


_NAMES = select(Person.id, Person.name).where(among(Person.id, "ids"))


def _names(work: Work, ids: set[int]) -> dict[int, str]:
    """Names of practitioners, and of those who led what the viewer sees."""
    rows: Any = work.tx.connection().execute(_NAMES, {"ids": sorted(ids)})
    return {row.id: row.name for row in rows}

"""Try other terms before they are saved: what they would have made of days that are over, line by line (E3).

They are tried as if they had held on those days, whatever day they are meant to begin.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import select

from core.billing.commands import NewRate
from core.billing.rules import Matrix, RateRow
from core.billing.settle import Terms, terms_of
from core.billing.simulate import Difference, differences_of, portions, recorded_sessions
from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Invalid, NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.work import Work
from db.among import among
from db.models.people import Person, Team
from db.models.sessions import Session
from db.words import LineKind, Outcome, RateUnit, Side

MOST_DAYS = 366
Shares = Mapping[Outcome, tuple[Fraction, Fraction]]
Tell = Callable[[float], None]
"""Told how far it has come, from 0 to 1."""


@dataclass(frozen=True)
class Trial:
    """What is tried: a new rate, another amount of a rate, a rate that ends (no amount), or another matrix."""

    rate: NewRate | None = None
    rate_id: int | None = None
    amount: int | None = None
    shares: Shares | None = None
    team_once: bool = False


class Changed(NamedTuple):
    """One line before and after, in minor units; 0 where there is none."""

    session_id: int
    day: date
    kind: LineKind
    learner_id: int | None
    team_id: int | None
    practitioner_id: int | None
    outcome: Outcome
    now: int
    then: int


@dataclass(frozen=True)
class Simulated:
    """What would have been different, and what all lines of these days come to."""

    from_day: date
    until_day: date
    currency: str
    looked_at: int
    """Sessions."""
    changed: tuple[Changed, ...]
    now: Mapping[LineKind, int]
    then: Mapping[LineKind, int]


class InWords(NamedTuple):
    """A changed line with the session's number and whom it concerns."""

    line: Changed
    number: int
    whom: str


def as_if(terms: Terms, trial: Trial) -> Terms:
    """The terms with what is tried, as if it had always held. Raises NotFound for a rate that is not there."""
    if trial.shares is not None:
        return replace(terms, matrices=(Matrix(0, date.min, trial.shares, trial.team_once),))
    if trial.rate is not None:
        tried: RateRow = RateRow(0, **vars(trial.rate))
    else:
        found = next((one for one in terms.rates if one.id == trial.rate_id), None)
        if found is None:
            raise NotFound
        tried = found if trial.amount is None else found._replace(amount=trial.amount)
    others = tuple(one for one in terms.rates if one.named != tried.named)
    ends = trial.rate is None and trial.amount is None
    return replace(terms, rates=others if ends else (*others, tried._replace(from_day=date.min, until_day=None)))


def simulate(
    work: Work, programme_id: int, trial: Trial, from_day: date, until_day: date, tell: Tell | None = None
) -> Simulated:
    """What these terms would have made of these local days. Raises NotFound, NotAllowed, Invalid."""
    require(work, Action.MONEY_SEE, programme_id)
    if until_day < from_day:
        raise Invalid({"tried_until": "The last day lies before the first one."})
    if (until_day - from_day).days >= MOST_DAYS:
        raise Invalid({"tried_until": "Choose at most a year."})
    terms = as_if(terms_of(work, programme_id), trial)
    ids = recorded_sessions(work, programme_id, from_day, until_day)
    changed: list[Changed] = []
    now, then = dict.fromkeys(LineKind, 0), dict.fromkeys(LineKind, 0)
    for done, some in enumerate(portions(ids), 1):
        for difference in differences_of(work, some, terms):
            for line in _lines(difference):
                if from_day <= line.day <= until_day:
                    now[line.kind] += line.now
                    then[line.kind] += line.then
                    changed += [line] if line.now != line.then else []
        if tell:
            tell(min(1.0, done * len(some) / len(ids)))
    return Simulated(from_day, until_day, programme_of(work, programme_id).currency, len(ids),
                     tuple(sorted(changed, key=lambda line: (line.day, line.session_id))), now, then)


def _lines(one: Difference) -> Iterator[Changed]:
    """Each line of a session before and after."""
    now, then = ({position.key: position for position in those} for those in (one.now, one.then))
    for key in dict.fromkeys((*now, *then)):
        shown = then.get(key) or now[key]
        yield Changed(
            one.facts.session_id, shown.day, shown.kind, shown.learner_id, shown.team_id, shown.practitioner_id,
            shown.outcome, now[key].amount if key in now else 0, then[key].amount if key in then else 0)


def in_words(work: Work, lines: Sequence[Changed]) -> list[InWords]:
    """These lines as they are shown; whoever calls this has seen to who may see them."""
    sessions: dict[int, int] = {row[0]: row[1] for row in work.tx.execute(
        select(Session.id, Session.number).where(among(Session.id, [line.session_id for line in lines])))}
    ids = {id_ for line in lines for id_ in (line.learner_id, line.practitioner_id) if id_}
    people: dict[int, str] = {row[0]: row[1] for row in work.tx.execute(
        select(Person.id, Person.name).where(among(Person.id, ids)))}
    teams: dict[int, str] = {row[0]: row[1] for row in work.tx.execute(
        select(Team.id, Team.name).where(among(Team.id, {line.team_id for line in lines if line.team_id})))}
    return [
        InWords(line, sessions.get(line.session_id, 0),
                people.get((line.learner_id if line.kind is LineKind.CHARGE else line.practitioner_id) or 0)
                or teams.get(line.team_id or 0, ""))
        for line in lines
    ]


# As an address says it -----------------------------------------------------------------------------------------------

_NEW = ("course_id", "type", "practitioner_id", "engagement_id")
NAMES = ("from", "until", "side", "unit", "amount", "rate", "once", *_NEW, *(str(outcome) for outcome in Outcome))
"""Parameters of the address that name what is tried, on which days."""


def address(trial: Trial, from_day: date, until_day: date) -> dict[str, str]:
    """What is tried, and on which days, as parameters."""
    found: dict[str, Any] = {"from": from_day.isoformat(), "until": until_day.isoformat(), "rate": trial.rate_id,
                             "amount": trial.amount}
    if trial.rate is not None:
        found |= {"side": trial.rate.side, "unit": trial.rate.unit, "amount": trial.rate.amount}
        found |= {name: getattr(trial.rate, name) for name in _NEW}
    if trial.shares is not None:
        found |= {str(outcome): f"{billed} {paid}" for outcome, (billed, paid) in trial.shares.items()}
        found["once"] = "yes" if trial.team_once else "no"
    return {name: str(value) for name, value in found.items() if value is not None}


def read(said: Mapping[str, str]) -> tuple[Trial, date, date]:
    """The opposite. Raises NotFound for what nobody tried."""
    try:
        days = [date.fromisoformat(said[name]) for name in ("from", "until")]
        if not all(FIRST_DAY <= day <= LAST_DAY for day in days):
            raise NotFound
        return _trial(said), days[0], days[1]
    except (ValueError, KeyError, ZeroDivisionError) as problem:
        raise NotFound from problem


def _trial(said: Mapping[str, str]) -> Trial:
    if "once" in said:
        pairs = {outcome: said[str(outcome)].split(" ") for outcome in Outcome}
        shares = {outcome: (Fraction(pair[0]), Fraction(pair[1])) for outcome, pair in pairs.items()}
        return Trial(shares=shares, team_once=said["once"] == "yes")
    amount = _number(said["amount"]) if "amount" in said else None
    if "rate" in said:
        return Trial(rate_id=_number(said["rate"]), amount=amount)
    course, practitioner, engagement = (
        _number(said[name]) if name in said else None for name in ("course_id", "practitioner_id", "engagement_id"))
    return Trial(NewRate(Side(said["side"]), RateUnit(said["unit"]), amount or 0, date.min, None, course,
                         said.get("type"), practitioner, engagement))


def _number(said: str) -> int:
    """Digits, and not too many of them. Raises ValueError."""
    if not (said.isascii() and said.isdecimal() and len(said) < 19):
        raise ValueError
    return int(said)

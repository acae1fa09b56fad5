"""What other rates or another matrix would have made of sessions that are over, line by line (E3).

By the same look a change is refused that reaches what was worked out already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select, true

from core.billing.rules import Facts, Matrix, PayerOf, Position, RateRow, positions, worked_out
from core.billing.settle import Terms, facts_of, standing_of
from core.clock import day_start
from core.programmes.queries import programme_of
from core.work import Work
from db.models.afterwards import Forfeit
from db.models.billing import LedgerLine
from db.models.sessions import Participation, Session

AT_ONCE = 1000


@dataclass(frozen=True)
class Difference:
    """What one session costs and earns now, and would under other terms."""

    facts: Facts
    now: tuple[Position, ...]
    then: tuple[Position, ...]

    @property
    def changes(self) -> bool:
        """Whether a line that stands would be another."""
        after = set(self.then)
        return any(position not in after for position in self.now)

    @property
    def adds(self) -> bool:
        """Whether there would be lines where there are none."""
        keys = {position.key for position in self.now}
        return any(position.key not in keys for position in self.then)


def with_rate(terms: Terms, rate: RateRow, *, instead_of: int | None = None) -> Terms:
    """The same with one rate more, which may take the place of another."""
    return replace(terms, rates=(*(one for one in terms.rates if one.id != instead_of), rate))


def without_rate(terms: Terms, rate_id: int) -> Terms:
    """The same without one rate."""
    return replace(terms, rates=tuple(one for one in terms.rates if one.id != rate_id))


def with_matrix(terms: Terms, matrix: Matrix) -> Terms:
    """The same with another matrix from its day on."""
    return replace(terms, matrices=(*(one for one in terms.matrices if one.from_day != matrix.from_day), matrix))


def without_matrix(terms: Terms, matrix_id: int) -> Terms:
    """The same without one matrix: the one before it goes on."""
    return replace(terms, matrices=tuple(one for one in terms.matrices if one.id != matrix_id))


def differences(
    work: Work, programme_id: int, terms: Terms, from_day: date, until_day: date | None = None
) -> Iterator[Difference]:
    """Each session of these days (local) of which something was recorded, as it stands and as it would be."""
    for ids in portions(recorded_sessions(work, programme_id, from_day, until_day)):
        yield from differences_of(work, ids, terms)


def differences_of(work: Work, ids: Sequence[int], terms: Terms) -> Iterator[Difference]:
    """The same of these sessions, few enough for one look."""
    standing = standing_of(work, ids)
    for facts in facts_of(work, ids):
        there = standing.get(facts.session_id, ())
        then = positions(facts, terms.rates, terms.matrices, _kept(there, terms))
        yield Difference(facts, tuple(there), tuple(then))


def _kept(there: Sequence[Position], terms: Terms) -> PayerOf:
    """Whoever pays goes on paying: that is not what other terms are about."""
    kept = {(one.learner_id, one.team_id, one.day): one.payer_id for one in there if one.payer_id is not None}
    return lambda learner, team, day: kept.get((learner, team, day)) or terms.payer_of(learner, team, day)


def reaches(
    work: Work, programme_id: int, before: Terms, after: Terms, from_day: date
) -> tuple[list[int], list[int]]:
    """The sessions, worked out already, that other terms would change; and those where they fill a gap.

    What came to nothing by a rate or a share of 0 was worked out, and is no gap.
    """
    changed, added = [], []
    for one in differences(work, programme_id, after, from_day):
        if one.changes or (one.adds and _was_free(one, before)):
            changed.append(one.facts.session_id)
        elif one.adds:
            added.append(one.facts.session_id)
    return changed, added


def _was_free(one: Difference, before: Terms) -> bool:
    """Whether a line would come where the terms until now make none, though there is a rate."""
    free = {position.key for position in worked_out(one.facts, before.rates, before.matrices) if not position.amount}
    return any(position.key in free for position in one.then)


def recorded_sessions(work: Work, programme_id: int, from_day: date, until_day: date | None = None) -> list[int]:
    """Sessions of these local days of which something was recorded, or that have lines."""
    zone = programme_of(work, programme_id).zone
    when = [Session.starts_at >= day_start(from_day, zone)]
    lined = [LedgerLine.programme_id == programme_id, LedgerLine.day >= from_day]
    if until_day is not None:
        when.append(Session.starts_at < day_start(until_day + timedelta(days=1), zone))
        lined.append(LedgerLine.day <= until_day)
    recorded = select(Session.id).where(
        Session.programme_id == programme_id, *when,
        select(Participation.id).where(Participation.session_id == Session.id, Participation.outcome.is_not(None))
        .exists())
    with_lines = select(LedgerLine.session_id).where(*lined).distinct()
    lost = select(Forfeit.session_id).join(Session, Session.id == Forfeit.session_id).where(
        Session.programme_id == programme_id, Forfeit.charged == true(), Forfeit.starts_at >= day_start(from_day, zone))
    return sorted({*work.tx.scalars(recorded), *work.tx.scalars(with_lines), *work.tx.scalars(lost)})


def portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The same, as many at a time as one look takes."""
    for n in range(0, len(ids), AT_ONCE):
        yield ids[n:n + AT_ONCE]

"""What the facts of a session imply in money, by the rates and the outcome matrix of its day (E3, E4, E9). Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from core.billing.money import rounded
from db.words import LineKind, Outcome, RateUnit, Side

FREE = (Fraction(0), Fraction(0))
WHOLE = (Fraction(1), Fraction(1))
PRESET: Mapping[Outcome, tuple[Fraction, Fraction]] = {
    Outcome.ATTENDED: WHOLE, Outcome.MISSED: WHOLE, Outcome.CANCELLED_LATE: WHOLE,
    Outcome.CANCELLED_IN_TIME: FREE, Outcome.PRACTITIONER_CANCELLED: FREE, Outcome.PRACTITIONER_ABSENT: FREE,
}
"""E3: the share that is billed and the share that is paid, until a programme says otherwise."""


@dataclass(frozen=True)
class Matrix:
    """What share of the rate each outcome is billed and paid, from a day on; `id` is None for the preset."""

    id: int | None
    from_day: date
    shares: Mapping[Outcome, tuple[Fraction, Fraction]]
    team_once: bool = False

    def share(self, outcome: Outcome, side: Side) -> Fraction:
        """The share of one side."""
        return self.shares.get(outcome, FREE)[side is Side.PAID]


THE_PRESET = Matrix(None, date.min, PRESET)


def stored_shares(shares: Mapping[Outcome, tuple[Fraction, Fraction]]) -> dict[str, list[str]]:
    """As the matrix's row keeps them."""
    return {str(outcome): [str(billed), str(paid)] for outcome, (billed, paid) in shares.items()}


def read_shares(stored: Mapping[str, Any]) -> dict[Outcome, tuple[Fraction, Fraction]]:
    """From the matrix's row."""
    return {Outcome(outcome): (Fraction(pair[0]), Fraction(pair[1])) for outcome, pair in stored.items()}


class RateRow(NamedTuple):
    """One rate; amounts in minor units."""

    id: int
    side: Side
    unit: RateUnit
    amount: int
    course_id: int | None
    type: str | None
    practitioner_id: int | None
    engagement_id: int | None
    from_day: date
    until_day: date | None

    @property
    def narrowness(self) -> int:
        """An engagement outweighs a practitioner, that one a course, and that a type."""
        named = (self.type, self.course_id, self.practitioner_id, self.engagement_id)
        return sum(2**weight for weight, value in enumerate(named) if value is not None)

    @property
    def named(self) -> tuple[Any, ...]:
        """What it is for; two rates for the same may not overlap in time."""
        return (self.side, self.course_id, self.type, self.practitioner_id, self.engagement_id)

    def overlaps(self, other: "RateRow") -> bool:
        """Whether both are for the same and hold on a common day."""
        return self.named == other.named and (other.until_day is None or other.until_day >= self.from_day) and (
            self.until_day is None or self.until_day >= other.from_day)

    def holds_on(self, day: date) -> bool:
        """Whether it is in force that day."""
        return self.from_day <= day and (self.until_day is None or day <= self.until_day)


class Part(NamedTuple):
    """One learner's part; `minutes` is the actual duration where it was said."""

    learner_id: int
    outcome: Outcome | None
    minutes: int | None


class Lost(NamedTuple):
    """A meeting that a learner lost to a change inside the notice, and is charged for (E8)."""

    id: int
    learner_id: int
    practitioner_id: int | None
    starts_at: datetime
    ends_at: datetime
    day: date


@dataclass(frozen=True)
class Facts:
    """What a session is worth is worked out from this alone."""

    session_id: int
    programme_id: int
    practitioner_id: int | None
    team_id: int | None
    type: str
    engagement_id: int | None
    course_ids: tuple[int, ...]
    day: date | None
    planned: int
    """Minutes."""
    parts: tuple[Part, ...]
    lost: tuple[Lost, ...] = ()

    def attended_by(self, parts: tuple[Part, ...]) -> "Facts":
        """The same session with other outcomes."""
        return replace(self, parts=parts)


class Position(NamedTuple):
    """One line as the facts imply it; amounts in minor units."""

    kind: LineKind
    part: int
    forfeit_part: int
    learner_id: int | None
    team_id: int | None
    payer_id: int | None
    practitioner_id: int | None
    course_id: int | None
    day: date
    outcome: Outcome
    minutes: int
    unit: RateUnit
    unit_amount: int
    share: str
    rate_id: int
    matrix_id: int | None
    amount: int

    @property
    def key(self) -> tuple[LineKind, int, int]:
        """Which line of the session it is: the next one of the same key replaces it."""
        return (self.kind, self.part, self.forfeit_part)


PayerOf = Callable[[int | None, int | None, date], int | None]
"""Who pays for a learner or a team on a day."""


def matrix_of(matrices: Sequence[Matrix], day: date) -> Matrix:
    """The one in force that day."""
    return max((one for one in matrices if one.from_day <= day), key=lambda one: one.from_day, default=THE_PRESET)


def rate_for(
    rates: Iterable[RateRow], side: Side, facts: Facts, practitioner_id: int | None, day: date
) -> RateRow | None:
    """The narrowest rate that fits; of several courses, the one that was added first."""
    fitting = [
        rate for rate in rates
        if rate.side is side and rate.holds_on(day)
        and (rate.type is None or rate.type == facts.type)
        and (rate.course_id is None or rate.course_id in facts.course_ids)
        and (rate.practitioner_id is None or rate.practitioner_id == practitioner_id)
        and (rate.engagement_id is None or rate.engagement_id == facts.engagement_id)
    ]
    return min(fitting, key=lambda rate: (-rate.narrowness, rate.course_id or 0, rate.id), default=None)


def amount_of(rate: RateRow, minutes: int, share: Fraction) -> int:
    """The rate's amount for so many minutes, times the share, rounded once."""
    size = Fraction(minutes, 60) if rate.unit is RateUnit.HOUR else Fraction(1)
    return rounded(rate.amount * size * share)


def positions(
    facts: Facts, rates: Sequence[RateRow], matrices: Sequence[Matrix], payer_of: PayerOf = lambda *_: None
) -> list[Position]:
    """Every line that the facts of a session imply. What has no rate, or costs nothing, has none."""
    return [one for one in worked_out(facts, rates, matrices, payer_of) if one.amount]


def worked_out(
    facts: Facts, rates: Sequence[RateRow], matrices: Sequence[Matrix], payer_of: PayerOf = lambda *_: None
) -> list[Position]:
    """The same with what comes to nothing, by a rate of 0 or a share of 0: that is no gap, it is free."""
    found: list[Position] = []
    if facts.day is not None:
        parts = [(part.learner_id, part.outcome, part.minutes if part.outcome is Outcome.ATTENDED else None)
                 for part in facts.parts if part.outcome is not None]
        found += _meeting(facts, rates, matrix_of(matrices, facts.day), payer_of, facts.practitioner_id, facts.day,
                          [(learner, outcome, minutes or facts.planned) for learner, outcome, minutes in parts], {})
    meetings: dict[tuple[datetime, int | None], list[Lost]] = {}
    for one in facts.lost:
        meetings.setdefault((one.starts_at, one.practitioner_id), []).append(one)
    for (_, practitioner_id), those in meetings.items():
        first = min(those, key=lambda one: one.id)
        minutes = round((first.ends_at - first.starts_at).total_seconds() / 60)
        found += _meeting(
            facts, rates, matrix_of(matrices, first.day), payer_of, practitioner_id, first.day,
            [(one.learner_id, Outcome.CANCELLED_LATE, minutes) for one in those],
            {one.learner_id: one.id for one in those})
    return found


def _meeting(
    facts: Facts, rates: Sequence[RateRow], matrix: Matrix, payer_of: PayerOf, practitioner_id: int | None, day: date,
    parts: Sequence[tuple[int, Outcome, int]], forfeits: Mapping[int, int],
) -> list[Position]:
    """The charges of one meeting, and the one payout for it, at the best-paid outcome (E9)."""
    def position(side: Side, rate: RateRow, learner: int, outcome: Outcome, minutes: int) -> Position:
        share = matrix.share(outcome, side)
        charged = side is Side.BILLED
        return Position(
            LineKind.CHARGE if charged else LineKind.PAYOUT, learner if charged else 0,
            forfeits.get(learner, 0) if charged else min(forfeits.values(), default=0),
            learner if charged else None, None, payer_of(learner, None, day) if charged else None,
            practitioner_id, rate.course_id or min(facts.course_ids, default=None), day, outcome, minutes, rate.unit,
            rate.amount, str(share), rate.id, matrix.id, amount_of(rate, minutes, share))

    found: list[Position] = []
    if (rate := rate_for(rates, Side.BILLED, facts, practitioner_id, day)) is not None:
        charges = [position(Side.BILLED, rate, *part) for part in parts]
        if matrix.team_once and facts.team_id is not None and charges:
            dearest = max(charges, key=lambda one: (one.amount, one.outcome is Outcome.ATTENDED, -one.part))
            charges = [dearest._replace(part=facts.team_id, learner_id=None, team_id=facts.team_id,
                                        payer_id=payer_of(None, facts.team_id, day))]
        found += charges
    rate = rate_for(rates, Side.PAID, facts, practitioner_id, day)
    if rate is not None and practitioner_id is not None and parts:
        payouts = [position(Side.PAID, rate, *part) for part in parts]
        found.append(max(payouts, key=lambda one: (one.amount, one.outcome is Outcome.ATTENDED, one.minutes)))
    return found

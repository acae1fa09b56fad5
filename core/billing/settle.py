"""Bring the ledger in step with the facts: the difference is written, and nothing that stands is changed (X4)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Select, Table, exists, func, or_, select
from sqlalchemy.orm import aliased

from core.billing.rules import (
    Facts,
    Lost,
    Matrix,
    Part,
    PayerOf,
    Position,
    RateRow,
    positions,
    read_shares,
)
from core.programmes.queries import programme_of
from core.work import Work
from db.among import among
from db.bulk import insert_many
from db.models.afterwards import Forfeit
from db.models.billing import DocumentLine, LedgerLine, OutcomeMatrix, PaidBy, Rate
from db.models.programmes import Programme
from db.models.sessions import Participation, Session, SessionCourse
from db.words import LineKind, Outcome

LINES = cast(Table, LedgerLine.__table__)
AT_ONCE = 1000
CONTENT = Position._fields
PAYER = CONTENT.index("payer_id")
KEPT = exists().where(
    Forfeit.session_id == Participation.session_id, Forfeit.learner_id == Participation.learner_id,
    Participation.outcome == Outcome.CANCELLED_LATE, Forfeit.at >= Participation.outcome_at)
"""Whether the meeting that a learner cancelled late was kept when the session lost its time: that alone is charged."""


@dataclass(frozen=True)
class Terms:
    """Rates, matrices and payers of a programme, as they are at this moment."""

    rates: tuple[RateRow, ...]
    matrices: tuple[Matrix, ...]
    payers: Mapping[tuple[int | None, int | None], Sequence[tuple[date, int]]]

    def payer_of(self, learner_id: int | None, team_id: int | None, day: date) -> int | None:
        """Who pays on that day: the last that was named until then."""
        named = [one for one in self.payers.get((learner_id, team_id), ()) if one[0] <= day]
        return max(named)[1] if named else None


def terms_of(work: Work, programme_id: int) -> Terms:
    """What holds in a programme."""
    rates = tuple(RateRow(*row) for row in work.tx.execute(
        select(*(getattr(Rate, name) for name in RateRow._fields)).where(Rate.programme_id == programme_id)
        .order_by(Rate.id)))
    matrices = tuple(
        Matrix(row.id, row.from_day, read_shares(row.shares), row.team_once)
        for row in work.tx.execute(select(OutcomeMatrix.id, OutcomeMatrix.from_day, OutcomeMatrix.shares,
                                          OutcomeMatrix.team_once).where(OutcomeMatrix.programme_id == programme_id)))
    payers: dict[tuple[int | None, int | None], list[tuple[date, int]]] = {}
    for row in work.tx.execute(select(PaidBy.learner_id, PaidBy.team_id, PaidBy.from_day, PaidBy.payer_id)
                               .where(PaidBy.programme_id == programme_id)):
        payers.setdefault((row.learner_id, row.team_id), []).append((row.from_day, row.payer_id))
    return Terms(rates, matrices, payers)


def settle(work: Work, session_ids: Iterable[int], reason: str | None = None) -> int:
    """Write the difference between what the facts of these sessions imply and what the ledger says of them.

    Settling again writes nothing. Returns how many lines were written. `reason` stands on corrections.
    """
    listed = sorted(set(session_ids))
    written = 0
    for n in range(0, len(listed), AT_ONCE):
        written += _settle(work, listed[n:n + AT_ONCE], reason)
    return written


def _settle(work: Work, ids: Sequence[int], reason: str | None) -> int:
    if not work.on_sqlite:  # two that settle the same session do it one after the other, and no terms change meanwhile
        held = work.tx.execute(select(Session.programme_id).where(among(Session.id, ids)).order_by(Session.id)
                               .with_for_update(key_share=True)).scalars().all()
        work.tx.execute(select(Programme.id).where(Programme.id.in_(set(held))).order_by(Programme.id)
                        .with_for_update(read=True))
    standing, turns = _standing(work, ids)
    by_programme: dict[int, list[Facts]] = {}
    for one in facts_of(work, ids):
        by_programme.setdefault(one.programme_id, []).append(one)
    rows: list[dict[str, Any]] = []
    for programme_id, those in by_programme.items():
        terms = terms_of(work, programme_id)
        if not terms.rates and not any(one.session_id in standing for one in those):
            continue
        for one in those:
            there = standing.get(one.session_id, {})
            implied = {position.key: position for position in positions(
                one, terms.rates, terms.matrices, _sticking(terms.payer_of, there))}
            rows += _difference(work, one, there, implied, turns, reason)
    insert_many(work.tx.connection(), LINES, rows)
    return len(rows)


@dataclass(frozen=True)
class _Line:
    """A line that stands."""

    id: int
    currency: str
    billed: bool
    """Whether it is on a document."""
    position: Position


_Key = tuple[LineKind, int, int]


def _standing(work: Work, ids: Sequence[int]) -> tuple[dict[int, dict[_Key, _Line]], dict[tuple[int, _Key], int]]:
    """The lines of these sessions that were not reversed, and how many lines each part has had."""
    later = aliased(LedgerLine)
    content = [getattr(LedgerLine, name) for name in CONTENT]
    reversed_ = exists().where(later.reverses_id == LedgerLine.id)
    on_document = exists().where(DocumentLine.line_id == LedgerLine.id)
    found: dict[int, dict[_Key, _Line]] = {}
    turns: dict[tuple[int, _Key], int] = {}
    for row in work.tx.execute(
        select(LedgerLine.id, LedgerLine.session_id, LedgerLine.turn, LedgerLine.currency, LedgerLine.reverses_id,
               reversed_, on_document, *content).where(among(LedgerLine.session_id, ids))
    ):
        position = Position(*row[7:])
        at = (row.session_id, position.key)
        turns[at] = max(turns.get(at, 0), row.turn)
        if row.reverses_id is None and not row[5]:
            found.setdefault(row.session_id, {})[position.key] = _Line(row.id, row.currency, row[6], position)
    return found, turns


def _sticking(payer_of: PayerOf, there: Mapping[_Key, _Line]) -> PayerOf:
    """Whoever was sent an invoice stays the payer of it."""
    stays = {(line.position.learner_id, line.position.team_id, line.position.day): line.position.payer_id
             for line in there.values() if line.billed and line.position.kind is LineKind.CHARGE}
    return lambda learner, team, day: (
        stays[learner, team, day] if (learner, team, day) in stays else payer_of(learner, team, day))


def _difference(
    work: Work, facts: Facts, there: Mapping[_Key, _Line], implied: Mapping[_Key, Position],
    turns: dict[tuple[int, _Key], int], reason: str | None,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def write(position: Position, amount: int, currency: str, reverses: int | None) -> None:
        at = (facts.session_id, position.key)
        turns[at] = turns.get(at, 0) + 1
        rows.append({
            "change_set_id": work.act_id, "at": work.now, "programme_id": facts.programme_id,
            "session_id": facts.session_id, "turn": turns[at], **position._asdict(), "amount": amount,
            "currency": currency, "reverses_id": reverses,
            "reason": reason or work.reason if reverses is not None or turns[at] > 1 else None,
        })

    for key, line in there.items():
        if implied.get(key) != line.position:
            write(line.position, -line.position.amount, line.currency, line.id)
    currency = programme_of(work, facts.programme_id).currency
    for key, position in implied.items():
        if key not in there or there[key].position != position:
            write(position, position.amount, currency, None)
    return rows


def facts_of(work: Work, ids: Collection[int]) -> list[Facts]:
    """What money is worked out from, of these sessions."""
    lost: dict[int, list[Forfeit]] = {}
    for one in work.tx.scalars(select(Forfeit).where(among(Forfeit.session_id, ids)).order_by(Forfeit.id)):
        lost.setdefault(one.session_id, []).append(one)
    parts: dict[int, list[Part]] = {}
    for row in work.tx.execute(
        select(Participation.session_id, Participation.learner_id, Participation.outcome, Participation.actual_minutes)
        .where(among(Participation.session_id, ids), ~KEPT).order_by(Participation.id)
    ):
        parts.setdefault(row.session_id, []).append(Part(row.learner_id, row.outcome, row.actual_minutes))
    courses: dict[int, list[int]] = {}
    for session_id, course_id in work.tx.execute(
        select(SessionCourse.session_id, SessionCourse.course_id).where(among(SessionCourse.session_id, ids))
        .order_by(SessionCourse.course_id)
    ):
        courses.setdefault(session_id, []).append(course_id)
    return [
        Facts(
            row.id, row.programme_id, row.practitioner_id, row.team_id, row.type, row.engagement_id,
            tuple(courses.get(row.id, ())), row.starts_at.astimezone(zone).date() if row.starts_at else None,
            round((row.ends_at - row.starts_at).total_seconds() / 60) if row.starts_at else 0,
            tuple(parts.get(row.id, ())),
            tuple(Lost(one.id, one.learner_id, one.practitioner_id, one.starts_at, one.ends_at,
                       one.starts_at.astimezone(zone).date()) for one in lost.get(row.id, ()) if one.charged),
        )
        for row in work.tx.execute(
            select(Session.id, Session.programme_id, Session.practitioner_id, Session.team_id, Session.type,
                   Session.engagement_id, Session.starts_at, Session.ends_at)
            .where(among(Session.id, ids)).order_by(Session.id))
        for zone in (programme_of(work, row.programme_id).zone,)
    ]


def standing_lines() -> Select[Any]:
    """Lines that neither reverse another nor were reversed."""
    later = aliased(LedgerLine)
    return select(LedgerLine).where(
        LedgerLine.reverses_id.is_(None), ~exists().where(later.reverses_id == LedgerLine.id))


def charged_from(
    work: Work, programme_id: int, from_day: date, learner_ids: Collection[int], team_ids: Collection[int]
) -> list[int]:
    """The sessions from a day on that these learners or teams were charged for."""
    return list(work.tx.scalars(
        select(LedgerLine.session_id).where(
            LedgerLine.programme_id == programme_id, LedgerLine.day >= from_day, LedgerLine.kind == LineKind.CHARGE,
            or_(among(LedgerLine.learner_id, learner_ids), among(LedgerLine.team_id, team_ids))).distinct()))


def has_money(work: Work, session_ids: Collection[int]) -> int | None:
    """The number of one of these sessions for which money was ever worked out, if there is one."""
    return work.tx.scalar(
        select(func.min(Session.number)).join(LedgerLine, LedgerLine.session_id == Session.id)
        .where(among(Session.id, session_ids)))


def standing_of(work: Work, ids: Collection[int]) -> dict[int, tuple[Position, ...]]:
    """The lines of these sessions that stand, as positions."""
    found, _ = _standing(work, sorted(ids))
    return {id_: tuple(line.position for line in lines.values()) for id_, lines in found.items()}

"""The ledger as far as the viewer may see it: lines, why each has its amount, and what an outcome would bring about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from core.billing.money import share_words, words
from core.billing.rules import Facts, Part, Position, matrix_of, positions, rate_for
from core.billing.settle import Terms, facts_of, standing_of, terms_of
from core.permissions import Action, may, require
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.visible import one_case
from core.work import Work
from db.among import among
from db.models.billing import (
    Biller,
    Document,
    DocumentLine,
    LedgerLine,
    OutcomeMatrix,
    PaidBy,
    Payer,
    Payment,
    Rate,
)
from db.models.learning import Engagement
from db.models.people import Person, Relation, Team
from db.models.sessions import Participation, Session
from db.models.structure import Course
from db.words import DocumentKind, LineKind, Outcome, RateUnit, Role, Side, Status, Tie

PAGE = 50
_LETTERS = {DocumentKind.INVOICE: "", DocumentKind.CREDIT_NOTE: "C", DocumentKind.STATEMENT: "P"}
"""Each kind is numbered by itself; a letter tells them apart."""


def visible_lines(work: Work, programme_id: int) -> ColumnElement[bool]:
    """Lines that exist for the viewer: for staff all, for practitioners their payouts, for learners their charges."""
    here = LedgerLine.programme_id == programme_id
    if work.actor.everything or may(work, Action.MONEY_SEE, programme_id):
        return here
    me, roles = work.actor.person_id, work.actor.roles.get(programme_id, frozenset())
    charge = LedgerLine.kind == LineKind.CHARGE
    ways: list[ColumnElement[bool]] = []
    if Role.PRACTITIONER in roles:
        ways.append(and_(LedgerLine.kind == LineKind.PAYOUT, LedgerLine.practitioner_id == me))
    if Role.LEARNER in roles:
        ways.append(and_(charge, LedgerLine.learner_id == me))
    if Role.GUARDIAN in roles:
        ways.append(and_(charge, LedgerLine.learner_id.in_(select(Relation.learner_id).where(
            Relation.programme_id == programme_id, Relation.tie == Tie.GUARDIAN, Relation.adult_id == me))))
    return and_(here, or_(*ways)) if ways else false()


def waits_for_notes(programme: ProgrammeView) -> ColumnElement[bool]:
    """Whether a held session still lacks the note or the report that its pay waits for (E1)."""
    report = and_(Session.report_required, Session.report_published_at.is_(None))
    return or_(report, Session.comments_at.is_(None)) if programme.policy.notes_required else report


def on_hold(programme: ProgrammeView) -> ColumnElement[bool]:
    """A payout of a session that was held and still lacks a required note or report."""
    return and_(LedgerLine.kind == LineKind.PAYOUT, Session.attended > 0, waits_for_notes(programme))


@dataclass(frozen=True)
class Filters:
    """Which lines are asked for; days are local days of the session, both included."""

    from_day: date | None = None
    until_day: date | None = None
    kind: LineKind | None = None
    practitioner_ids: tuple[int, ...] = ()
    payer_ids: tuple[int, ...] = ()
    learner_ids: tuple[int, ...] = ()
    course_ids: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    session_id: int | None = None
    months: tuple[date, ...] = ()
    """First days of months, for what a chart leads to."""
    only_held: bool = False
    without_payer: bool = False
    """Charges that stand, and that nobody is named to pay."""


@dataclass(frozen=True)
class Line:
    """One line of the ledger, in words where the screen needs them; the amount in minor units."""

    id: int
    at: datetime
    day: date
    session_id: int
    number: int
    kind: LineKind
    whom: str
    """The learner or team that is charged; of a payout, the practitioner."""
    practitioner: str
    payer: str
    course: str
    outcome: Outcome
    minutes: int
    amount: int
    currency: str
    reverses: bool
    taken_back: bool
    held: bool
    document: str
    why: str
    unit: RateUnit
    unit_amount: int
    share: Fraction
    on_paper: str = ""
    """`why` without the words that somebody gave as a reason: they are for staff (D7)."""


@dataclass(frozen=True)
class LinePage:
    """A page of lines, with what all that match come to."""

    rows: list[Line]
    total: int
    number: int
    charged: int
    paid: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def lines(work: Work, programme_id: int, chosen: Filters, *, number: int = 1, all_of_them: bool = False) -> LinePage:
    """Ledger lines, latest session day first. Raises NotFound."""
    programme = programme_of(work, programme_id)
    where = _where(work, programme, chosen)
    counted = work.tx.execute(
        select(LedgerLine.kind, func.count(), func.sum(LedgerLine.amount))
        .join(Session, Session.id == LedgerLine.session_id).where(*where).group_by(LedgerLine.kind)).all()
    total = sum(row[1] for row in counted)
    sums = {row[0]: int(row[2]) for row in counted}
    number = min(max(1, number), max(1, -(-total // PAGE)))
    statement = _in_order(where)
    if not all_of_them:
        statement = statement.limit(PAGE).offset((number - 1) * PAGE)
    ids = list(work.tx.scalars(statement))
    return LinePage(lines_by_id(work, programme, ids), total, number, sums.get(LineKind.CHARGE, 0),
                    sums.get(LineKind.PAYOUT, 0))


def line_ids(work: Work, programme_id: int, chosen: Filters) -> list[int]:
    """All that match, in the order of the list. Raises NotFound."""
    return list(work.tx.scalars(_in_order(_where(work, programme_of(work, programme_id), chosen))))


def _in_order(where: Sequence[ColumnElement[bool]]) -> Select[int]:
    return (select(LedgerLine.id).join(Session, Session.id == LedgerLine.session_id).where(*where)
            .order_by(LedgerLine.day.desc(), LedgerLine.id.desc()))


def lines_of_session(work: Work, session_id: int) -> list[Line]:
    """Every line of a session that the viewer may see, in order. Raises NotFound."""
    case = one_case(work, session_id)
    programme = programme_of(work, case.programme_id)
    ids = list(work.tx.scalars(select(LedgerLine.id).where(
        visible_lines(work, programme.id), LedgerLine.session_id == session_id).order_by(LedgerLine.id)))
    return sorted(lines_by_id(work, programme, ids), key=lambda line: line.id)


def _where(work: Work, programme: ProgrammeView, chosen: Filters) -> list[ColumnElement[bool]]:
    where = [visible_lines(work, programme.id)]
    if chosen.from_day is not None:
        where.append(LedgerLine.day >= chosen.from_day)
    if chosen.until_day is not None:
        where.append(LedgerLine.day <= chosen.until_day)
    if chosen.months:
        where.append(or_(*(and_(LedgerLine.day >= month, LedgerLine.day < _next(month)) for month in chosen.months)))
    if chosen.kind is not None:
        where.append(LedgerLine.kind == chosen.kind)
    for ids, column in ((chosen.practitioner_ids, LedgerLine.practitioner_id), (chosen.payer_ids, LedgerLine.payer_id),
                        (chosen.learner_ids, LedgerLine.learner_id), (chosen.course_ids, LedgerLine.course_id)):
        if ids:
            where.append(column.in_(ids))
    if chosen.outcomes:
        where.append(LedgerLine.outcome.in_(chosen.outcomes))
    if chosen.session_id is not None:
        where.append(LedgerLine.session_id == chosen.session_id)
    if chosen.without_payer:
        where += [LedgerLine.kind == LineKind.CHARGE, LedgerLine.payer_id.is_(None), stands()]
    if chosen.only_held:
        where += [on_hold(programme), stands()]
    return where


def _next(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def stands() -> ColumnElement[bool]:
    """Neither reverses another line, nor was reversed."""
    later = aliased(LedgerLine)
    return and_(LedgerLine.reverses_id.is_(None), ~exists().where(later.reverses_id == LedgerLine.id))


def lines_by_id(
    work: Work, programme: ProgrammeView, ids: Sequence[int], *, names: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Line]:
    """These lines in this order; whoever calls this has seen to who may see them.

    `names` of learners, teams and courses are those that a document was handed out with.
    """
    names = names or {}
    learner, practitioner, later = aliased(Person), aliased(Person), aliased(LedgerLine)
    reasons = work.actor.everything or may(work, Action.MONEY_SEE, programme.id)
    found: dict[int, Line] = {}
    for n in range(0, len(ids), 5000):
        for row in work.tx.execute(
            select(
                LedgerLine, Session.number, learner.name, practitioner.name, Team.name, Payer.name, Course.name,
                on_hold(programme), exists().where(later.reverses_id == LedgerLine.id), Document.kind, Document.number,
                Document.header, Rate,
            ).join(Session, Session.id == LedgerLine.session_id).join(Rate, Rate.id == LedgerLine.rate_id)
            .outerjoin(learner, learner.id == LedgerLine.learner_id)
            .outerjoin(practitioner, practitioner.id == LedgerLine.practitioner_id)
            .outerjoin(Team, Team.id == LedgerLine.team_id).outerjoin(Payer, Payer.id == LedgerLine.payer_id)
            .outerjoin(Course, Course.id == LedgerLine.course_id)
            .outerjoin(DocumentLine, DocumentLine.line_id == LedgerLine.id)
            .outerjoin(Document, Document.id == DocumentLine.document_id)
            .where(LedgerLine.id.in_(ids[n:n + 5000]))
        ):
            one: LedgerLine = row[0]
            charge = one.kind is LineKind.CHARGE
            document = number_words(row[11], row[9], row[10]) if row[9] is not None else ""
            learner_name, team_name, course_name = (
                names.get(column, {}).get(str(getattr(one, column)), live)
                for column, live in (("learner_id", row[2]), ("team_id", row[4]), ("course_id", row[6])))
            found[one.id] = Line(
                one.id, one.at, one.day, one.session_id, row[1], one.kind,
                (learner_name or team_name or "") if charge else row[3] or "", row[3] or "", row[5] or "",
                course_name or "", one.outcome, one.minutes, one.amount, one.currency, one.reverses_id is not None,
                row[8], bool(row[7]) and one.reverses_id is None and not row[8], document,
                why(programme, one, row[12], course_name, reasons=reasons), one.unit, one.unit_amount,
                Fraction(one.share), why(programme, one, row[12], course_name, reasons=False))
    return [found[id_] for id_ in ids if id_ in found]


def number_words(header: Mapping[str, Any], kind: DocumentKind, number: int) -> str:
    """A document's number as it is printed: 'LT-7', 'LT-C2' for a credit note, 'LT-P12' for a payout statement."""
    return f"{header.get('prefix', '')}{_LETTERS[kind]}{number}"


def why(programme: ProgrammeView, line: LedgerLine, rate: Rate, course: str | None, *, reasons: bool) -> str:
    """In a sentence, why a line has its amount; with the `reasons` that were given for a correction."""
    said = programme.policy.words
    share = Fraction(line.share)
    price = words(line.unit_amount, line.currency)
    size = f"{line.minutes} minutes at {price} an hour" if line.unit is RateUnit.HOUR else f"{price} a {said.session}"
    narrowed = [word for word, value in (
        ("this engagement", rate.engagement_id), (f"this {said.practitioner}", rate.practitioner_id),
        (course or f"this {said.course}", rate.course_id), (f"the type {rate.type}", rate.type)) if value is not None]
    rule = f"the rate for {' and '.join(narrowed)}" if narrowed else "the programme's rate"
    verb = "billed" if line.kind is LineKind.CHARGE else "paid"
    part = "" if share == 1 else f", {share_words(share)} of it {verb}"
    lost = " for a meeting that was given up" if line.forfeit_part else ""
    sentence = (f"{said.outcome(line.outcome).capitalize()}{lost}: {size}, by {rule} in force on"
                f" {line.day.day} {line.day:%b %Y}{part}.")
    reason = line.reason if reasons else None
    if line.reverses_id is not None:
        return f"Takes back: {sentence}{f' Reason: {reason}' if reason else ''}"
    return f"{sentence}{f' Written anew: {reason}' if reason else ''}"


# What follows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Consequence:
    """What recording outcomes would bring about; amounts in minor units, None where there is no rate for it."""

    currency: str
    charges: Mapping[int, int | None] = field(default_factory=dict)
    """By learner (0: the team, charged once); 0 is not billed."""
    payout: int | None = None
    on_hold: bool = False
    priced: bool = False
    """Whether there is a rate by which it is billed or paid at all."""


def consequences(
    work: Work, session_id: int, outcomes: Mapping[int, tuple[Outcome, int | None]]
) -> Consequence:
    """What follows where these outcomes (and actual minutes) are recorded for these learners (E2, E3).

    For whoever may see it; screens show each viewer their own part. Raises NotFound.
    """
    case = one_case(work, session_id)
    programme = programme_of(work, case.programme_id)
    (facts,) = facts_of(work, [session_id])
    parts = tuple(
        Part(part.learner_id, *outcomes[part.learner_id]) if part.learner_id in outcomes else part
        for part in facts.parts)
    return _consequence(work, programme, facts.attended_by(parts), set(outcomes))


def _consequence(work: Work, programme: ProgrammeView, facts: Facts, about: Collection[int]) -> Consequence:
    if facts.day is None:
        return Consequence(programme.currency)
    terms = terms_of(work, programme.id)
    implied = positions(facts, terms.rates, terms.matrices)
    billed = rate_for(terms.rates, Side.BILLED, facts, facts.practitioner_id, facts.day)
    paid = rate_for(terms.rates, Side.PAID, facts, facts.practitioner_id, facts.day)
    matrix = matrix_of(terms.matrices, facts.day)
    charges: dict[int, int | None] = {}
    if matrix.team_once and facts.team_id is not None:
        charges[0] = None if billed is None else sum(
            one.amount for one in implied if one.kind is LineKind.CHARGE and one.team_id is not None)
    else:
        for part in facts.parts:
            if part.learner_id in about and part.outcome is not None:
                free = not matrix.share(part.outcome, Side.BILLED)
                charges[part.learner_id] = 0 if free else None if billed is None else _charged(implied, part.learner_id)
    free = not any(part.outcome is not None and matrix.share(part.outcome, Side.PAID) for part in facts.parts)
    payout = 0 if free else None if paid is None else sum(
        one.amount for one in implied if one.kind is LineKind.PAYOUT and not one.forfeit_part)
    held = any(part.outcome is Outcome.ATTENDED for part in facts.parts)
    owed = work.tx.scalar(select(Session.id).where(Session.id == facts.session_id, waits_for_notes(programme)))
    return Consequence(programme.currency, charges, payout, held and owed is not None, bool(billed or paid))


def _charged(implied: Sequence[Position], learner_id: int) -> int:
    return sum(one.amount for one in implied
               if one.kind is LineKind.CHARGE and one.learner_id == learner_id and not one.forfeit_part)


# What is set ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RateView:
    """A rate for the list, with what it is for in words; the amount in minor units."""

    id: int
    side: Side
    unit: RateUnit
    amount: int
    course_id: int | None
    course: str
    type: str
    practitioner_id: int | None
    practitioner: str
    engagement_id: int | None
    engagement: str
    from_day: date
    until_day: date | None
    version: int
    used: bool

    def holds_on(self, day: date) -> bool:
        """Whether it is in force that day."""
        return self.from_day <= day and (self.until_day is None or day <= self.until_day)


def rates(work: Work, programme_id: int) -> list[RateView]:
    """Every rate of a programme, what is billed first, the latest first. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    used = exists().where(LedgerLine.rate_id == Rate.id)
    rows = work.tx.execute(
        select(Rate, Course.name, Person.name, Engagement.name, used)
        .outerjoin(Course, Course.id == Rate.course_id).outerjoin(Person, Person.id == Rate.practitioner_id)
        .outerjoin(Engagement, Engagement.id == Rate.engagement_id)
        .where(Rate.programme_id == programme_id).order_by(Rate.side, Rate.from_day.desc(), Rate.id.desc()))
    return [
        RateView(one.id, one.side, one.unit, one.amount, one.course_id, course or "", one.type or "",
                 one.practitioner_id, person or "", one.engagement_id, engagement or "", one.from_day, one.until_day,
                 one.version, bool(is_used))
        for one, course, person, engagement, is_used in rows
    ]


@dataclass(frozen=True)
class PayerView:
    """A payer with those they pay for."""

    id: int
    name: str
    address: str
    email: str
    tax_number: str
    tax_rate: int | None
    person_id: int | None
    retired: bool
    version: int
    pays_for: tuple[str, ...]


def payers(
    work: Work, programme_id: int, *, retired: bool = False, ids: Collection[int] | None = None
) -> list[PayerView]:
    """Everybody who is billed in a programme (or those of them), by name. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    today = work.now.astimezone(programme_of(work, programme_id).zone).date()
    where = [Payer.programme_id == programme_id]
    if ids is not None:
        where.append(among(Payer.id, ids))
    if not retired:
        where.append(Payer.retired_at.is_(None))
    learner, later = aliased(Person), aliased(PaidBy)
    followed = exists().where(
        later.programme_id == PaidBy.programme_id, later.from_day > PaidBy.from_day, later.from_day <= today,
        or_(later.learner_id == PaidBy.learner_id, later.team_id == PaidBy.team_id))
    named: dict[int, list[str]] = {}
    for payer_id, from_day, name in work.tx.execute(
        select(PaidBy.payer_id, PaidBy.from_day, func.coalesce(learner.name, Team.name))
        .outerjoin(learner, learner.id == PaidBy.learner_id).outerjoin(Team, Team.id == PaidBy.team_id)
        .where(PaidBy.payer_id.in_(select(Payer.id).where(*where)), ~followed)
    ):
        ahead = f" (from {from_day.day} {from_day:%b %Y})" if from_day > today else ""
        named.setdefault(payer_id, []).append(f"{name}{ahead}")
    return [
        PayerView(one.id, one.name, one.address or "", one.email or "", one.tax_number or "", one.tax_rate,
                  one.person_id, one.retired_at is not None, one.version, tuple(sorted(named.get(one.id, ()))))
        for one in work.tx.scalars(
            select(Payer).where(*where).order_by(Payer.retired_at.is_not(None), func.lower(Payer.name), Payer.id))
    ]


def biller(work: Work, programme_id: int) -> Biller | None:
    """The legal header of a programme. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    return work.tx.scalar(select(Biller).where(Biller.programme_id == programme_id))


def matrices(work: Work, programme_id: int) -> list[OutcomeMatrix]:
    """The outcome matrices of a programme, the latest first. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    return list(work.tx.scalars(select(OutcomeMatrix).where(OutcomeMatrix.programme_id == programme_id)
                                .order_by(OutcomeMatrix.from_day.desc())))


# What a practitioner earns -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Earnings:
    """Minor units of the programme's currency; `expected` supposes that everybody attends what is booked."""

    currency: str
    expected: int
    on_hold: int
    ready: int
    stated: int
    """On a payout statement that is not paid yet."""
    paid: int


MEANS = {
    "expected": "What the sessions that are booked, or not recorded yet, will earn if everybody comes.",
    "on_hold": "Earned, and waiting for a note or a report that is still owed. Write it, and it is ready.",
    "ready": "Earned, with nothing owed. It goes onto the next payout statement.",
    "stated": "On a payout statement, and not paid yet.",
    "paid": "Paid out on statements.",
}
"""What each figure of `Earnings` counts."""


def earnings(work: Work, programme_id: int) -> Earnings:
    """What the viewer earns as a practitioner of a programme. Raises NotFound, NotAllowed."""
    require(work, Action.EARNINGS_SEE, programme_id)
    programme = programme_of(work, programme_id)
    mine = and_(LedgerLine.programme_id == programme_id, LedgerLine.kind == LineKind.PAYOUT,
                LedgerLine.practitioner_id == work.me)
    no_document = ~exists().where(DocumentLine.line_id == LedgerLine.id)
    each = (select(and_(on_hold(programme), stands()).label("held"), LedgerLine.amount)
            .join(Session, Session.id == LedgerLine.session_id).where(mine, no_document)).subquery()
    rows = work.tx.execute(select(each.c.held, func.sum(each.c.amount)).group_by(each.c.held)).all()
    waiting = {bool(row[0]): int(row[1]) for row in rows}
    stated, paid = _paid_out(work, programme_id, work.me)
    return Earnings(programme.currency, expected_pay(work, programme, work.me), waiting.get(True, 0),
                    waiting.get(False, 0), stated, paid)


@dataclass(frozen=True)
class EarnedMonth:
    """What a month's sessions earned; minor units. `on_hold` and `ready` are not on a statement yet."""

    month: date
    """Its first day."""
    lines: int
    amount: int
    on_hold: int
    ready: int
    stated: int
    """On a payout statement, paid or not."""


def earned_months(work: Work, programme_id: int) -> list[EarnedMonth]:
    """What the viewer earned as a practitioner, month by month, the latest first. Raises NotFound, NotAllowed."""
    require(work, Action.EARNINGS_SEE, programme_id)
    programme = programme_of(work, programme_id)
    held, written = and_(on_hold(programme), stands()), exists().where(DocumentLine.line_id == LedgerLine.id)
    found: dict[date, list[int]] = {}
    each = (select(LedgerLine.day, held.label("held"), written.label("written"), LedgerLine.amount)
            .join(Session, Session.id == LedgerLine.session_id)
            .where(LedgerLine.programme_id == programme_id, LedgerLine.kind == LineKind.PAYOUT,
                   LedgerLine.practitioner_id == work.me)).subquery()
    by = (each.c.day, each.c.held, each.c.written)
    for day, is_held, is_written, count, amount in work.tx.execute(
        select(*by, func.count(), func.sum(each.c.amount)).group_by(*by)
    ):
        sums = found.setdefault(day.replace(day=1), [0, 0, 0, 0, 0])
        for at in (1, 4 if is_written else 2 if is_held else 3):
            sums[at] += int(amount)
        sums[0] += count
    return [EarnedMonth(month, *found[month]) for month in sorted(found, reverse=True)]


def _paid_out(work: Work, programme_id: int, practitioner_id: int) -> tuple[int, int]:
    """What stands on a practitioner's statements and is not paid yet, and what was paid."""
    mine = (Document.programme_id == programme_id, Document.practitioner_id == practitioner_id)
    stated = work.tx.scalar(select(func.coalesce(func.sum(Document.gross), 0)).where(*mine)) or 0
    paid = work.tx.scalar(select(func.coalesce(func.sum(Payment.amount), 0))
                          .join(Document, Document.id == Payment.document_id).where(*mine)) or 0
    return int(stated) - int(paid), int(paid)


def expected_pay(work: Work, programme: ProgrammeView, practitioner_id: int) -> int:
    """What the sessions on the calendar that are not recorded yet would earn if everybody attended."""
    ids = list(work.tx.scalars(
        select(Session.id).where(
            Session.programme_id == programme.id, Session.practitioner_id == practitioner_id,
            Session.starts_at.is_not(None), Session.cancelled_at.is_(None), Session.attended == 0, Session.missed == 0,
            Session.status != Status.PENDING,
            exists().where(Participation.session_id == Session.id, Participation.outcome.is_(None)))))
    terms, total = terms_of(work, programme.id), 0
    for n in range(0, len(ids), 1000):
        for facts in facts_of(work, ids[n:n + 1000]):
            attended = tuple(part._replace(outcome=part.outcome or Outcome.ATTENDED) for part in facts.parts)
            total += sum(one.amount for one in positions(facts.attended_by(attended), terms.rates, terms.matrices)
                         if one.kind is LineKind.PAYOUT and not one.forfeit_part)
    return total


__all__ = [
    "MEANS", "Consequence", "EarnedMonth", "Earnings", "Filters", "Line", "LinePage", "PayerView", "RateView",
    "Terms", "biller", "consequences", "earned_months", "earnings", "expected_pay", "lines", "lines_of_session",
    "matrices", "number_words", "on_hold", "payers", "rates", "standing_of", "stands", "visible_lines",
    "waits_for_notes", "why",
]

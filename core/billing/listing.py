"""What the screens of rates and payers list: rates narrowed, which one wins and why, payers by page, who has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select

from core.billing.queries import PayerView, RateView, payers, rates
from core.billing.rules import Facts, RateRow, rate_for
from core.billing.settle import terms_of
from core.people.queries import Match
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.programmes.rules import Words
from core.work import Work
from db.among import among
from db.models.billing import LedgerLine, PaidBy, Payer
from db.models.learning import Engagement
from db.models.people import Person, Relation, Team
from db.models.programmes import RoleGrant
from db.words import LineKind, Role, Side, Tie

PAGE = 50
FORCE, AHEAD, ENDED = "in force", "ahead", "ended"


def state_of(from_day: date, until_day: date | None, today: date) -> str:
    """How something dated stands today."""
    if from_day > today:
        return AHEAD
    return ENDED if until_day is not None and until_day < today else FORCE


def today_of(work: Work, programme_id: int) -> date:
    """The day that it is in a programme."""
    return work.now.astimezone(programme_of(work, programme_id).zone).date()


def for_what(rate: RateView, words: Words) -> str:
    """What a rate is for: 'Maths · Tom', or everything."""
    named = [rate.engagement, rate.practitioner, rate.course, rate.type]
    return " · ".join(filter(None, named)) or f"every {words.session}"


def rates_narrowed(
    work: Work, programme_id: int, *, side: Side | None = None, practitioner_id: int | None = None,
    course_id: int | None = None, on: date | None = None,
) -> list[RateView]:
    """Rates that name these, in force that day; those in force first, then those ahead. Raises NotFound, NotAllowed."""
    today, order = today_of(work, programme_id), (FORCE, AHEAD, ENDED)
    found = [
        one for one in rates(work, programme_id)
        if (side is None or one.side is side) and (practitioner_id is None or one.practitioner_id == practitioner_id)
        and (course_id is None or one.course_id == course_id) and (on is None or one.holds_on(on))
    ]
    return sorted(found, key=lambda one: (order.index(state_of(one.from_day, one.until_day, today)), one.side))


@dataclass(frozen=True)
class Winner:
    """Which rate holds, and which others would, were it not there: the narrowest first."""

    rate: RateView | None
    others: tuple[RateView, ...]


def which_rate(
    work: Work, programme_id: int, day: date, *, practitioner_id: int | None = None, course_ids: Sequence[int] = (),
    type: str = "", engagement_id: int | None = None,
) -> dict[Side, Winner]:
    """The rate that wins for such a session, on each side. Raises NotFound, NotAllowed."""
    by_id = {one.id: one for one in rates(work, programme_id)}
    facts = Facts(0, programme_id, practitioner_id, None, type, engagement_id, tuple(course_ids), day, 0, ())
    found: dict[Side, Winner] = {}
    for side in Side:
        left: list[RateRow] = list(terms_of(work, programme_id).rates)
        listed: list[RateView] = []
        while (best := rate_for(left, side, facts, practitioner_id, day)) is not None:
            listed.append(by_id[best.id])
            left.remove(best)
        found[side] = Winner(listed[0] if listed else None, tuple(listed[1:]))
    return found


# Payers --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PayerPage:
    """One page of payers."""

    rows: list[PayerView]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def payer_page(
    work: Work, programme_id: int, *, text: str = "", retired: bool = False, number: int = 1
) -> PayerPage:
    """Payers by name, found by their name or that of whom they pay for. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    where = [Payer.programme_id == programme_id]
    if not retired:
        where.append(Payer.retired_at.is_(None))
    if said := text.strip().replace("\0", "").lower():
        people = select(Person.id).where(func.lower(Person.name).contains(said, autoescape=True))
        teams = select(Team.id).where(func.lower(Team.name).contains(said, autoescape=True))
        where.append(or_(
            func.lower(Payer.name).contains(said, autoescape=True),
            Payer.id.in_(select(PaidBy.payer_id).where(PaidBy.programme_id == programme_id, or_(
                PaidBy.learner_id.in_(people), PaidBy.team_id.in_(teams))))))
    total = work.tx.scalar(select(func.count()).select_from(Payer).where(*where)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    ids = work.tx.scalars(
        select(Payer.id).where(*where).order_by(Payer.retired_at.is_not(None), func.lower(Payer.name), Payer.id)
        .limit(PAGE).offset((number - 1) * PAGE)).all()
    return PayerPage(payers(work, programme_id, retired=retired, ids=ids), total, number)


@dataclass(frozen=True)
class PaidFor:
    """A learner or team that somebody pays for, from a day to a day."""

    name: str
    from_day: date
    until_day: date | None


def paid_for(work: Work, programme_id: int, payer_id: int) -> list[PaidFor]:
    """Whom a payer pays for, or did, by name. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    mine = PaidBy.programme_id == programme_id, PaidBy.payer_id == payer_id
    learners, teams = (select(column).where(*mine, column.is_not(None)) for column in (
        PaidBy.learner_id, PaidBy.team_id))
    found: list[PaidFor] = []
    ends: dict[tuple[int | None, int | None], date] = {}
    for row in work.tx.execute(
        select(PaidBy.learner_id, PaidBy.team_id, PaidBy.from_day, PaidBy.payer_id, Person.name, Team.name)
        .outerjoin(Person, Person.id == PaidBy.learner_id).outerjoin(Team, Team.id == PaidBy.team_id)
        .where(PaidBy.programme_id == programme_id, or_(
            PaidBy.learner_id.in_(learners), PaidBy.team_id.in_(teams))).order_by(PaidBy.from_day.desc())
    ):
        whom = (row[0], row[1])
        if row[3] == payer_id:
            until = ends[whom] - timedelta(days=1) if whom in ends else None
            found.append(PaidFor(row[4] or row[5], row[2], until))
        ends[whom] = row[2]
    return sorted(found, key=lambda one: (one.until_day is not None, one.name.casefold(), one.from_day))


@dataclass(frozen=True)
class Unpaid:
    """A learner, or a team that was charged once, for whom nobody pays; `open` is charged already, in minor units."""

    learner_id: int | None
    team_id: int | None
    name: str
    open: int
    guardians: tuple[tuple[int, str], ...]


def without_payer(work: Work, programme_id: int, most: int = 20) -> tuple[list[Unpaid], int]:
    """Those for whom nobody pays, what is open first, and how many there are. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    total = func.sum(LedgerLine.amount)
    charged: dict[tuple[int | None, int | None], int] = {
        (row[0], row[1]): int(row[2]) for row in work.tx.execute(
            select(LedgerLine.learner_id, LedgerLine.team_id, total).where(
                LedgerLine.programme_id == programme_id, LedgerLine.kind == LineKind.CHARGE,
                LedgerLine.payer_id.is_(None))
            .group_by(LedgerLine.learner_id, LedgerLine.team_id).having(total != 0).order_by(total.desc()))}
    paid = select(PaidBy.learner_id).where(
        PaidBy.programme_id == programme_id, PaidBy.learner_id.is_not(None),
        PaidBy.from_day <= today_of(work, programme_id))
    lacking = (
        select(Person.id).join(RoleGrant, RoleGrant.person_id == Person.id).where(
            RoleGrant.programme_id == programme_id, RoleGrant.role == Role.LEARNER, Person.disabled_at.is_(None),
            Person.id.not_in(paid), ~among(Person.id, [learner for learner, _ in charged if learner])))
    count = work.tx.scalar(select(func.count()).select_from(lacking.subquery())) or 0
    shown = [*charged][:most]
    shown += [(id_, None) for id_ in work.tx.scalars(
        lacking.order_by(func.lower(Person.name), Person.id).limit(max(0, most - len(shown))))]
    guardians = _guardians(work, programme_id, [learner for learner, _ in shown if learner])
    names: dict[tuple[int | None, int | None], str] = {(row[0], None): row[1] for row in work.tx.execute(
        select(Person.id, Person.name).where(among(Person.id, [learner for learner, _ in shown if learner])))}
    names.update({(None, row[0]): row[1] for row in work.tx.execute(
        select(Team.id, Team.name).where(among(Team.id, [team for _, team in shown if team])))})
    return [
        Unpaid(*whom, names[whom], charged.get(whom, 0), guardians.get(whom[0] or 0, ())) for whom in shown
    ], count + len(charged)


def _guardians(work: Work, programme_id: int, learners: Sequence[int]) -> Mapping[int, tuple[tuple[int, str], ...]]:
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    for learner, adult, name in work.tx.execute(
        select(Relation.learner_id, Person.id, Person.name).join(Person, Person.id == Relation.adult_id).where(
            Relation.programme_id == programme_id, Relation.tie == Tie.GUARDIAN, among(Relation.learner_id, learners))
        .order_by(Person.name, Person.id)
    ):
        found[learner] = (*found.get(learner, ()), (adult, name))
    return found


def find_engagements(work: Work, programme_id: int, text: str, most: int = 20) -> list[Match]:
    """Engagements in use whose name holds the text, by name. Raises NotFound, NotAllowed."""
    require(work, Action.MONEY_SEE, programme_id)
    said = text.strip().replace("\0", "").lower()
    return [Match(row[0], row[1], "") for row in work.tx.execute(
        select(Engagement.id, Engagement.name).where(
            Engagement.programme_id == programme_id, Engagement.retired_at.is_(None),
            func.lower(Engagement.name).contains(said, autoescape=True))
        .order_by(func.lower(Engagement.name), Engagement.id).limit(most))]

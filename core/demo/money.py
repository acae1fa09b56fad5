"""What is set in the demo about money: rates, matrices, payers, headers; and the lines that follow from it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from core.billing.rules import PRESET, Facts, Matrix, Part, PayerOf, RateRow, positions, read_shares, stored_shares
from core.demo import load
from core.demo.life import PART, PART_CAME_OF_IT, SESSION, Batch
from core.demo.prices import EMPLOYERS, MONEY, SPONSORS, Price
from core.demo.world import DAYS_BACK, Place, World
from db.words import Kind, Outcome, RateUnit, Side, Tie

RATE = ("id", "programme_id", *RateRow._fields[1:], "version")
MATRIX = ("id", "programme_id", "from_day", "shares", "team_once", "version")
BILLER = ("id", "programme_id", "name", "address", "tax_number", "tax_rate", "bank", "terms_days", "prefix", "version")
PAYER = ("id", "programme_id", "person_id", "name", "address", "email", "tax_number", "tax_rate", "version")
PAID_BY = ("id", "programme_id", "payer_id", "learner_id", "team_id", "from_day", "version")
SET = {"rate": RATE, "outcome_matrix": MATRIX, "biller": BILLER, "payer": PAYER, "paid_by": PAID_BY}
LINE = (
    "change_set_id", "at", "programme_id", "kind", "session_id", "part", "forfeit_part", "turn", "learner_id",
    "team_id", "payer_id", "practitioner_id", "course_id", "day", "outcome", "minutes", "unit", "unit_amount", "share",
    "rate_id", "matrix_id", "amount", "currency",
)
OLD_FRIENDS = 11
"""One engagement in so many has a rate of its own."""
UNNAMED = 5
"""The student, by place in the list, for whom nobody pays so far: the first whom no demo account teaches."""
A_STAFF = 18
"""Learners of one employer."""
ID, PROGRAMME, PRACTITIONER, TEAM, TYPE, STARTS, ENDS, ENGAGED = (SESSION.index(name) for name in (
    "id", "programme_id", "practitioner_id", "team_id", "type", "starts_at", "ends_at", "engagement_id"))
WHOSE, LEARNER = (PART.index(name) for name in ("session_id", "learner_id"))
OUTCOME, RECORDED, MINUTES = (len(PART) + PART_CAME_OF_IT.index(name) for name in (
    "outcome", "outcome_at", "actual_minutes"))


class Terms(NamedTuple):
    """What holds in one programme, for lines that are worked out without a look at the database."""

    zone: ZoneInfo
    currency: str
    rates: list[RateRow]
    matrices: list[Matrix]
    payer_of: PayerOf


@dataclass
class Money:
    """What was set in each programme that has money; the rows are entered once the people are."""

    world: World
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in SET})
    _payers: dict[int, dict[tuple[int | None, int | None], int]] = field(default_factory=lambda: defaultdict(dict))
    _seen: int = 0

    def __post_init__(self) -> None:
        for kind, said in MONEY.items():
            place = self.world.places[kind]
            for price in said.prices:
                self._rate(place, price)
            if said.shares or said.team_once:
                self._add("outcome_matrix", place.id, self._since, _json(said.shares), int(said.team_once), 1)
            self._add("biller", place.id, *said.header, 1)
        self._guardians(self.world.places[Kind.TUTORING])
        self._members(self.world.places[Kind.COACHING])
        self._employers(self.world.places[Kind.APPRENTICESHIP])
        self._sponsors(self.world.places[Kind.EVENT_MENTORING])

    @property
    def _since(self) -> str:
        return (self.world.today - timedelta(days=DAYS_BACK + 40)).isoformat()

    def _add(self, table: str, *values: Any) -> int:
        rows = self.rows[table]
        rows.append((len(rows) + 1, *values))
        return len(rows)

    def _rate(self, place: Place, price: Price, engagement: int | None = None) -> None:
        course = place.courses[price.course][0] if price.course is not None else None
        whom = place.practitioners[price.practitioner] if price.practitioner is not None else None
        changed = self.changed_on
        named = (course, price.type, whom, engagement)
        if price.before is not None:
            self._add("rate", place.id, price.side, price.unit, price.before, *named, self._since,
                      (changed - timedelta(days=1)).isoformat(), 1)
        since = self._since if price.before is None else changed.isoformat()
        self._add("rate", place.id, price.side, price.unit, price.amount, *named, since, None, 1)

    @property
    def changed_on(self) -> date:
        """The day from which some rates are higher: the first of a month, some three months ago."""
        return (self.world.today - timedelta(days=80)).replace(day=1)

    def meet(self, engagements: Iterable[tuple[Any, ...]]) -> None:
        """Some who have worked together for long agreed on a price of their own."""
        tutors = self.world.places[Kind.TUTORING]
        for row in engagements:
            if row[0] > self._seen:
                self._seen = row[0]
                if row[1] == tutors.id and row[0] % OLD_FRIENDS == 0:
                    self._rate(tutors, Price(Side.BILLED, RateUnit.HOUR, 4400), row[0])

    # Payers ----------------------------------------------------------------------------------------------------------

    def _payer(
        self, place: Place, name: str, address: str, person: int | None = None, email: str | None = None,
        tax_number: str | None = None, tax_rate: int | None = None,
    ) -> int:
        return self._add("payer", place.id, person, name, address, email, tax_number, tax_rate, 1)

    def _pays(self, place: Place, payer: int, learner: int | None = None, team: int | None = None) -> None:
        if (learner, team) not in self._payers[place.id]:
            self._payers[place.id][learner, team] = payer
            self._add("paid_by", place.id, payer, learner, team, self._since, 1)

    def _person(self, place: Place, person: int, street: str) -> int:
        row = self.world.rows["person"][person - 1]
        return self._payer(place, row[1], f"{person % 180 + 1} {street}", person, row[2])

    def _guardians(self, place: Place) -> None:
        """Of siblings one guardian is billed; for one student nobody is named yet."""
        payers: dict[int, int] = {}
        unnamed = place.learners[UNNAMED]
        for _, programme, tie, adult, learner in self.world.rows["relation"]:
            if programme == place.id and tie is Tie.GUARDIAN and learner != unnamed:
                if adult not in payers:
                    payers[adult] = self._person(place, adult, "Rathgar Road, Dublin 6")
                self._pays(place, payers[adult], learner)
        for learner in dict.fromkeys(place.learners):
            if learner != unnamed and (learner, None) not in self._payers[place.id]:
                self._pays(place, self._person(place, learner, "Ranelagh, Dublin 6"), learner)

    def _members(self, place: Place) -> None:
        for learner in dict.fromkeys(place.learners):
            self._pays(place, self._person(place, learner, "Harbor Street, New York, NY 10004"), learner)

    def _employers(self, place: Place) -> None:
        learners = list(dict.fromkeys(place.learners))
        for n in range(0, len(learners), A_STAFF):
            nth = n // A_STAFF
            name, town = EMPLOYERS[nth % len(EMPLOYERS)]
            branch = "" if nth < len(EMPLOYERS) else f", branch {nth // len(EMPLOYERS) + 1}"
            payer = self._payer(place, f"{name}{branch}", f"Accounts payable\n{town}",
                                email=f"accounts.{nth + 1}@demo.invalid", tax_number=f"GB {280_114_000 + nth}",
                                tax_rate=0 if nth % 7 == 3 else None)
            for learner in learners[n:n + A_STAFF]:
                self._pays(place, payer, learner)

    def _sponsors(self, place: Place) -> None:
        """Each team is charged once, and its sponsor pays."""
        payers = [self._payer(place, name, address, email=f"sponsor.{n + 1}@demo.invalid")
                  for n, (name, address) in enumerate(SPONSORS)]
        for n, (team, _) in enumerate(place.teams):
            self._pays(place, payers[n % len(payers)], team=team)

    # Rows ------------------------------------------------------------------------------------------------------------

    def enter(self, connection: Connection) -> None:
        """Everything that is set."""
        for table, columns in SET.items():
            load.copy_in(connection, table, columns, self.rows[table])

    def terms(self) -> dict[int, Terms]:
        """What holds, by programme."""
        found = {}
        for kind in MONEY:
            place = self.world.places[kind]
            found[place.id] = Terms(
                ZoneInfo(place.material.zone), place.material.currency,
                [RateRow._make((row[0], *row[2:9], date.fromisoformat(row[9]), _day(row[10])))
                 for row in self.rows["rate"] if row[1] == place.id],
                [Matrix(row[0], date.fromisoformat(row[2]), read_shares(_read(row[3])), bool(row[4]))
                 for row in self.rows["outcome_matrix"] if row[1] == place.id],
                _among(self._payers[place.id]),
            )
        return found

    def lines(self, batch: Batch, act_id: int) -> Iterator[tuple[Any, ...]]:
        """The ledger lines of some sessions, worked out as `settle` does."""
        terms = self.terms()
        parts: dict[int, list[tuple[Any, ...]]] = {}
        for part in batch.parts:
            if part[OUTCOME] is not None:
                parts.setdefault(part[WHOSE], []).append(part)
        courses = {session: course for _, session, course in batch.links}
        for row in batch.sessions:
            here, came = terms.get(row[PROGRAMME]), parts.get(row[ID])
            if here is None or came is None or row[STARTS] is None:
                continue
            course = courses.get(row[ID])
            facts = Facts(
                row[ID], row[PROGRAMME], row[PRACTITIONER], row[TEAM], row[TYPE], row[ENGAGED],
                () if course is None else (course,), datetime.fromtimestamp(row[STARTS], here.zone).date(),
                (row[ENDS] - row[STARTS]) // 60,
                tuple(Part(part[LEARNER], part[OUTCOME], part[MINUTES]) for part in came))
            at = max(part[RECORDED] for part in came)
            for one in positions(facts, here.rates, here.matrices, here.payer_of):
                yield (
                    act_id, at, row[PROGRAMME], one.kind, row[ID], one.part, 0, 1, one.learner_id, one.team_id,
                    one.payer_id, one.practitioner_id, one.course_id, one.day.isoformat(), one.outcome, one.minutes,
                    one.unit, one.unit_amount, one.share, one.rate_id, one.matrix_id, one.amount, here.currency,
                )


def _json(shares: Mapping[Outcome, tuple[Any, Any]]) -> str:
    return json.dumps(stored_shares({**PRESET, **shares}))


def _among(known: Mapping[tuple[int | None, int | None], int]) -> PayerOf:
    return lambda learner, team, _: known.get((learner, team))


def _read(stored: str) -> Any:
    return json.loads(stored)


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)

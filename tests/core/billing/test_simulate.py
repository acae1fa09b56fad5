"""Other terms are tried on days that are over before they are saved, and nothing is written (E3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.billing.commands import NewRate, set_matrix
from core.billing.rules import PRESET
from core.billing.trial import Simulated, Trial, address, in_words, read, simulate
from core.errors import Invalid, NotAllowed, NotFound
from db.words import LineKind, Outcome, RateUnit, Side
from tests.core.billing.conftest import LATER, Office
from tests.factories import DAY, TEN

CHARGE, PAYOUT = LineKind.CHARGE, LineKind.PAYOUT
DAYS = (TEN.date(), TEN.date() + timedelta(days=6))
THIRD = Fraction(1, 3)
NEW = NewRate(Side.BILLED, RateUnit.SESSION, 9000, date(2030, 1, 1))


@pytest.fixture
def taught(office: Office) -> Office:
    """Sara and Sam in one session, Sam missed it; Sara alone the next day; one that lies outside the days."""
    world = office.world
    office.held((world.sara, Outcome.ATTENDED), (world.sam, Outcome.MISSED), minutes=90)
    office.held((world.sara, Outcome.ATTENDED), at=TEN + DAY)
    office.held((world.vic, Outcome.ATTENDED), at=TEN + 9 * DAY)
    return office


def tried(office: Office, trial: Trial) -> Simulated:
    with office.world.reading(office.world.mona) as work:
        return simulate(work, office.world.programme, trial, *DAYS)


CASES: dict[str, tuple[Callable[[Office], Trial], list[tuple[str, int, int]]]] = {
    "a new rate": (lambda _: Trial(NEW), [("Sara", 7500, 9000), ("Sam", 7500, 9000), ("Sara", 5000, 9000)]),
    "one for nobody here": (lambda office: Trial(replace(NEW, practitioner_id=office.world.tess)), []),
    "a narrower one": (lambda office: Trial(replace(NEW, side=Side.PAID, practitioner_id=office.world.tom)),
                       [("Tom", 4500, 9000), ("Tom", 3000, 9000)]),
    "another amount": (lambda office: Trial(rate_id=office.rates[Side.PAID], amount=3600),
                       [("Tom", 4500, 5400), ("Tom", 3000, 3600)]),
    "a rate that ends": (lambda office: Trial(rate_id=office.rates[Side.PAID]), [("Tom", 4500, 0), ("Tom", 3000, 0)]),
    "another matrix": (lambda _: Trial(shares={**PRESET, Outcome.MISSED: (THIRD, THIRD)}), [("Sam", 7500, 2500)]),
}


@pytest.mark.parametrize("case", CASES)
def test_e3_the_difference_is_told_line_by_line(taught: Office, case: str) -> None:
    make, expected = CASES[case]
    before = [(line.id, line.amount) for line in taught.lines(standing=False)]
    found = tried(taught, make(taught))
    with taught.world.reading(taught.world.mona) as work:
        said = [(one.whom, one.line.now, one.line.then) for one in in_words(work, found.changed)]
    assert sorted(said) == sorted(expected)
    assert (found.looked_at, found.now) == (2, {CHARGE: 20000, PAYOUT: 7500})
    for kind in LineKind:
        assert found.then[kind] - found.now[kind] == sum(
            line.then - line.now for line in found.changed if line.kind is kind)
    assert [(line.id, line.amount) for line in taught.lines(standing=False)] == before


def test_e3_what_was_simulated_is_what_comes_of_it(taught: Office) -> None:
    """The same session held under the terms that were tried has exactly the lines that were told."""
    world = taught.world
    shares = {**PRESET, Outcome.ATTENDED: (Fraction(1), THIRD), Outcome.MISSED: (THIRD, THIRD)}
    then = tried(taught, Trial(shares=shares)).then
    later = TEN + 14 * DAY
    world.do(world.alice, set_matrix, world.programme, later.date(), shares)
    again = [
        taught.held((world.sara, Outcome.ATTENDED), (world.sam, Outcome.MISSED), at=later, minutes=90),
        taught.held((world.sara, Outcome.ATTENDED), at=later + DAY),
    ]
    assert {kind: sum(taught.amounts(one)[kind] for one in again) for kind in LineKind} == then


def test_e9_a_team_charged_once_is_one_line_instead_of_two(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    world.do(world.tom, record_outcome, session, [
        Attendance(one, Outcome.ATTENDED) for one in (world.sara, world.sam)], now=LATER)
    found = tried(office, Trial(shares=PRESET, team_once=True))
    with world.reading(world.mona) as work:
        assert sorted((one.whom, one.line.then - one.line.now) for one in in_words(work, found.changed)) == [
            ("Comet", 5000), ("Sam", -5000), ("Sara", -5000)]


def test_it_says_how_far_it_has_come(taught: Office) -> None:
    told: list[float] = []
    with taught.world.reading(taught.world.alice) as work:
        simulate(work, taught.world.programme, Trial(NEW), *DAYS, told.append)
    assert told == [1.0]


@pytest.mark.parametrize("trial", [
    Trial(replace(NEW, from_day=date.min, type="lesson", practitioner_id=3)), Trial(rate_id=4, amount=0),
    Trial(rate_id=4), Trial(shares={**PRESET, Outcome.MISSED: (THIRD, Fraction(0))}, team_once=True),
])
def test_what_is_tried_stands_in_an_address(trial: Trial) -> None:
    assert read(address(trial, *DAYS)) == (trial, *DAYS)


@pytest.mark.parametrize("change", [
    {"from": "x"}, {"until": "0001-01-01"}, {"side": "both"}, {"amount": "-1"}, {"amount": "1" * 99}, {"once": "no"},
    {"course_id": "²"},
])
def test_a_strange_address_is_nothing(change: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        read({**address(Trial(NEW), *DAYS), **change})


def test_x6_only_whoever_sees_money_simulates(taught: Office) -> None:
    world = taught.world
    for who, refusal in ((world.ben, NotAllowed), (world.tom, NotAllowed), (world.zed, NotFound)):
        with world.reading(who) as work, pytest.raises(refusal):
            simulate(work, world.programme, Trial(NEW), *DAYS)
    with world.reading(world.alice) as work:
        for days in ((DAYS[1], DAYS[0]), (date(2024, 1, 1), date(2025, 1, 1))):
            with pytest.raises(Invalid):
                simulate(work, world.programme, Trial(NEW), *days)
        with pytest.raises(NotFound):
            simulate(work, world.programme, Trial(rate_id=10**9), *DAYS)

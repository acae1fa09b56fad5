"""Rates and the outcome matrix: the narrowest wins, dated, and the past stays as it was worked out (E3, E9)."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.attending.rules import Attendance
from core.billing.commands import (
    NewRate,
    add_payer,
    add_rate,
    change_rate,
    edit_payer,
    end_rate,
    name_payers,
    remove_matrix,
    remove_rate,
    retire_payer,
    set_biller,
    set_matrix,
    set_payer,
)
from core.billing.listing import without_payer
from core.billing.queries import Filters, lines, matrices
from core.billing.rules import PRESET, Facts, RateRow, rate_for
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.sessions.rules import StaleForm
from db.words import LineKind, Outcome, RateUnit, Role, Side
from tests.core.billing.conftest import LONG_AGO, Office
from tests.factories import DAY, TEN

TODAY = TEN.date()
HALF = Fraction(1, 2)
FACTS = Facts(1, 1, 11, None, "lesson", 21, (31, 32), TODAY, 60, ())


def a_rate(id_: int, course: int | None, type_: str | None, practitioner: int | None, engagement: int | None,
           days: tuple[int, int | None] = (-9, None)) -> RateRow:
    until = None if days[1] is None else TODAY + timedelta(days=days[1])
    return RateRow(id_, Side.BILLED, RateUnit.HOUR, 100 + id_, course, type_, practitioner, engagement,
                   TODAY + timedelta(days=days[0]), until)


PARTS = some.tuples(
    some.sampled_from([None, 31, 32, 33]), some.sampled_from([None, "lesson", "trial lesson"]),
    some.sampled_from([None, 11, 12]), some.sampled_from([None, 21, 22]),
    some.sampled_from([(-9, None), (-9, 0), (0, None), (1, None), (-9, -1)]))


@given(some.lists(PARTS, max_size=12, unique_by=lambda one: one[:4]))
def test_e3_the_narrowest_wins_as_a_plain_model_says(parts: list[Any]) -> None:
    rates = [a_rate(n, *one) for n, one in enumerate(parts, 1)]

    def fits(one: RateRow) -> bool:
        return (one.course_id in (None, 31, 32) and one.type in (None, "lesson") and one.practitioner_id in (None, 11)
                and one.engagement_id in (None, 21) and one.from_day <= TODAY <= (one.until_day or date.max))

    def rank(one: RateRow) -> tuple[bool, bool, bool, bool, int]:
        """Engagement before practitioner before course before type; of two courses, the one that was added first."""
        return (one.engagement_id is None, one.practitioner_id is None, one.course_id is None, one.type is None,
                one.course_id or 0)

    best = min(filter(fits, rates), key=rank, default=None)
    assert rate_for(rates, Side.BILLED, FACTS, 11, TODAY) == best
    assert rate_for(rates, Side.PAID, FACTS, 11, TODAY) is None


def test_e3_a_new_amount_holds_from_its_day_on(office: Office) -> None:
    world = office.world
    world.do(world.alice, change_rate, office.rates[Side.BILLED], 6000, TODAY + timedelta(days=1))
    before = office.held((world.sara, Outcome.ATTENDED))
    after = office.held((world.sara, Outcome.ATTENDED), at=TEN + DAY)
    assert [office.amounts(one)[LineKind.CHARGE] for one in (before, after)] == [5000, 6000]
    with world.reading(world.alice) as work:
        whys = [line.why for line in lines(work, world.programme, Filters(kind=LineKind.CHARGE)).rows]
    assert [why.split(",")[0] for why in whys] == [
        "Attended: 60 minutes at £60.00 an hour", "Attended: 60 minutes at £50.00 an hour"]


def narrower(office: Office) -> Any:
    return office.rate(Side.BILLED, 9000, practitioner_id=office.world.tom)


def another_matrix(office: Office) -> Any:
    return office.world.do(office.world.alice, set_matrix, office.world.programme, LONG_AGO,
                           {**PRESET, Outcome.ATTENDED: (HALF, HALF)})


def free_before_now_charged(office: Office) -> Any:
    """A share of 0 was worked out: it is no gap."""
    return office.world.do(office.world.alice, set_matrix, office.world.programme, LONG_AGO,
                           {**PRESET, Outcome.CANCELLED_IN_TIME: (HALF, Fraction(0))})


def dearer(office: Office) -> Any:
    return office.world.do(office.world.alice, change_rate, office.rates[Side.BILLED], 9000, TODAY)


def ended(office: Office) -> Any:
    return office.world.do(office.world.alice, end_rate, office.rates[Side.PAID], TODAY - timedelta(days=1))


@pytest.mark.parametrize("change", [narrower, another_matrix, free_before_now_charged, dearer, ended])
def test_e3_what_reaches_the_past_is_refused(office: Office, change: Callable[[Office], Any]) -> None:
    world = office.world
    office.held(Attendance(world.sara, Outcome.ATTENDED),
                Attendance(world.sam, Outcome.CANCELLED_IN_TIME, notice_at=TEN - 3 * DAY))
    before = [(line.id, line.amount) for line in office.lines(standing=False)]
    with pytest.raises(Invalid, match="would change 1 session that amounts were worked out for already"):
        change(office)
    assert [(line.id, line.amount) for line in office.lines(standing=False)] == before


def test_e3_a_rate_of_nothing_was_worked_out_as_well(office: Office) -> None:
    world = office.world
    free = office.rate(Side.BILLED, 0, practitioner_id=world.tom)
    session = office.held((world.sara, Outcome.ATTENDED))
    assert office.lines(session, LineKind.CHARGE) == []
    with pytest.raises(Conflict, match="End it instead"):
        world.do(world.alice, remove_rate, free)
    with pytest.raises(Invalid, match="would change 1 session"):
        world.do(world.alice, end_rate, free, TODAY - timedelta(days=1))


def test_e3_a_gap_is_filled_and_settled_and_undo_names_what_rests_on_it(office: Office) -> None:
    world = office.world
    world.do(world.alice, end_rate, office.rates[Side.BILLED], TODAY - timedelta(days=1))
    session = office.held((world.sara, Outcome.ATTENDED))
    assert office.lines(session, LineKind.CHARGE) == []
    saved = world.do(world.alice, add_rate, world.programme, NewRate(Side.BILLED, RateUnit.SESSION, 4000, TODAY))
    assert office.amounts(session)[LineKind.CHARGE] == 4000
    with pytest.raises(Conflict, match="the amounts of session 1 rest on it, and the ledger keeps that"):
        world.do(world.alice, undo, saved.act_id, undoes=saved.act_id)


def test_x5_undo_never_changes_the_past_either(office: Office) -> None:
    world = office.world
    ending = world.do(world.alice, change_rate, office.rates[Side.BILLED], 6000, TODAY + timedelta(days=7))
    free = world.do(world.alice, end_rate, office.rates[Side.PAID], TODAY + timedelta(days=1))
    office.held((world.sara, Outcome.ATTENDED), at=TEN + 7 * DAY)
    with pytest.raises(Conflict, match="the amounts of session 1 rest on it"):
        world.do(world.alice, undo, ending.act_id, undoes=ending.act_id)
    world.do(world.alice, undo, free.act_id, undoes=free.act_id)
    assert office.amounts()[LineKind.PAYOUT] == 3000, "a gap is filled by undo, too"


def test_x5_an_edited_matrix_does_not_come_back_over_what_it_decided(office: Office) -> None:
    world = office.world
    matrix = world.do(world.alice, set_matrix, world.programme, TODAY, {**PRESET, Outcome.MISSED: (HALF, HALF)}).result
    edited = world.do(world.alice, set_matrix, world.programme, TODAY, PRESET)
    assert edited.result == matrix
    office.held((world.sara, Outcome.MISSED))
    with pytest.raises(Conflict, match="worked out by what holds now"):
        world.do(world.alice, undo, edited.act_id, undoes=edited.act_id)


def test_e3_shares_ahead_are_removed_and_those_that_decided_something_stay(office: Office) -> None:
    world = office.world
    halves = {**PRESET, Outcome.MISSED: (HALF, HALF)}
    now, ahead = (world.do(world.alice, set_matrix, world.programme, day, halves).result
                  for day in (TODAY, TODAY + timedelta(days=30)))
    office.held((world.sara, Outcome.MISSED))
    with pytest.raises(Conflict, match="worked out by these shares"):
        world.do(world.alice, remove_matrix, now)
    with pytest.raises(NotAllowed):
        world.do(world.mona, remove_matrix, ahead)
    gone = world.do(world.alice, remove_matrix, ahead)
    with world.reading(world.alice) as work:
        assert [one.id for one in matrices(work, world.programme)] == [now]
    world.do(world.alice, undo, gone.act_id, undoes=gone.act_id)
    with pytest.raises(NotFound):
        world.do(world.alice, remove_matrix, ahead + 99)
    with world.reading(world.alice) as work:
        assert [one.id for one in matrices(work, world.programme)] == [ahead, now]


def test_e3_two_rates_for_the_same_do_not_overlap_not_even_by_undo(office: Office) -> None:
    world = office.world
    with pytest.raises(Invalid, match=r"£50.00 an hour is set for the same from 1 Jan 2020 on") as refused:
        office.rate(Side.BILLED, 1)
    assert set(refused.value.problems) == {"from_day"}
    assert office.rate(Side.BILLED, 1, type="lesson")
    gone = world.do(world.alice, remove_rate, office.rates[Side.BILLED])
    office.rate(Side.BILLED, 4000)
    with pytest.raises(Conflict, match="another rate for the same holds"):
        world.do(world.alice, undo, gone.act_id, undoes=gone.act_id)


@pytest.mark.parametrize(("field", "more"), [
    ("amount", {"amount": -1}), ("amount", {"amount": 10**12}), ("until_day", {"until_day": date(2019, 1, 1)}),
    ("type", {"type": "yoga"}), ("course", {"course_id": 10**9}), ("practitioner", {"practitioner_id": 10**9}),
    ("engagement", {"engagement_id": 10**9}), ("from_day", {"from_day": None}),
    ("from_day", {"from_day": date(1900, 1, 1)}),
])
def test_a_rate_is_refused_beside_its_field(office: Office, field: str, more: dict[str, Any]) -> None:
    asked = {"side": Side.PAID, "unit": RateUnit.HOUR, "amount": 1, "from_day": date(2030, 1, 1), **more}
    with pytest.raises(Invalid) as refused:
        office.world.do(office.world.alice, add_rate, office.world.programme, NewRate(**asked))
    assert set(refused.value.problems) == {field}


def test_somebody_elses_change_is_not_overwritten(office: Office) -> None:
    world, rate = office.world, office.rates[Side.PAID]
    world.do(world.alice, end_rate, rate, TODAY + timedelta(days=9), 1)
    with pytest.raises(StaleForm, match="changed by somebody else"):
        world.do(world.alice, change_rate, rate, 1, TODAY + timedelta(days=1), 1)


@pytest.mark.parametrize("who", ["ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena", "zed"])
def test_x6_only_a_master_admin_changes_terms(office: Office, who: str) -> None:
    world, refusal = office.world, NotFound if who == "zed" else NotAllowed
    for command, args in (
        (add_rate, (world.programme, NewRate(Side.PAID, RateUnit.HOUR, 1, TODAY))),
        (change_rate, (office.rates[Side.PAID], 1, TODAY)), (end_rate, (office.rates[Side.PAID], TODAY)),
        (remove_rate, (office.rates[Side.PAID],)), (set_matrix, (world.programme, TODAY, PRESET)),
        (set_payer, (office.payer, TODAY, [world.sara])), (retire_payer, (office.payer,)),
        (edit_payer, (office.payer, {"name": "Me"})), (name_payers, (world.programme, [(world.sara, world.gus)])),
        (set_biller, (world.programme, {"name": "Me"})),
    ):
        with pytest.raises(refusal):
            world.do(world.people[who], command, *args)


# Payers --------------------------------------------------------------------------------------------------------------


def test_e9_a_guardian_becomes_the_payer_in_one_act_for_all_that_nobody_pays(office: Office) -> None:
    world = office.world
    nia = world.person("Nia", Role.LEARNER)
    early, session = (office.held((nia, Outcome.ATTENDED), at=at) for at in (TEN, TEN + DAY))
    with world.reading(world.mona) as work:
        unpaid, total = without_payer(work, world.programme)
    assert ([(one.name, one.open, one.guardians) for one in unpaid], total) == ([("Nia", 10000, ())], 1)
    with pytest.raises(Invalid, match="Choose a guardian of the student, or the student"):
        world.do(world.alice, name_payers, world.programme, [(nia, world.gus)])
    world.do(world.alice, name_payers, world.programme, [(nia, nia)])
    assert {line.payer_id for one in (early, session) for line in office.lines(one, LineKind.CHARGE)} != {None}
    assert office.amounts(session) == {LineKind.CHARGE: 5000, LineKind.PAYOUT: 3000}
    with world.reading(world.mona) as work:
        assert without_payer(work, world.programme) == ([], 0)
        assert lines(work, world.programme, Filters(without_payer=True)).total == 0, "what was taken back is not open"


def test_x5_undoing_who_pays_moves_the_charges_back(office: Office) -> None:
    world = office.world
    session = office.held((world.sara, Outcome.ATTENDED))
    made = world.do(world.alice, add_payer, world.programme, {"name": "School"})
    named = world.do(world.alice, set_payer, made.result, TODAY, [world.sara])
    assert [line.payer_id for line in office.lines(session, LineKind.CHARGE)] == [made.result]
    world.do(world.alice, undo, named.act_id, undoes=named.act_id)
    assert [line.payer_id for line in office.lines(session, LineKind.CHARGE)] == [office.payer]
    with pytest.raises(Conflict, match="rest on it, and the ledger keeps that"):
        world.do(world.alice, undo, made.act_id, undoes=made.act_id)


def test_a_retired_payer_is_named_for_nobody_and_strangers_are_no_payers(office: Office) -> None:
    world = office.world
    world.do(world.alice, retire_payer, office.payer)
    with pytest.raises(Conflict, match="is retired"):
        world.do(world.alice, set_payer, office.payer, TODAY, [world.sara])
    with pytest.raises(Invalid, match="Choose a person of this programme"):
        world.do(world.alice, edit_payer, office.payer, {"name": "Zed", "person_id": world.zed})

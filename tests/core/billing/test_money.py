"""Money is exact until it is rounded once, in its currency's own places (X4)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.billing.money import (
    decimal,
    number_words,
    places,
    rounded,
    share_typed,
    share_words,
    tax_typed,
    tax_words,
    typed,
    words,
)
from core.billing.rules import PRESET, Facts, Matrix, Part, RateRow, amount_of, positions
from db.words import LineKind, Outcome, RateUnit, Side

DAY = date(2026, 3, 3)
THIRD = Fraction(1, 3)


def hourly(amount: int, side: Side = Side.BILLED) -> RateRow:
    return RateRow(1, side, RateUnit.HOUR, amount, None, None, None, None, DAY, None)


@pytest.mark.parametrize(("currency", "said", "minutes", "share", "shown"), [
    ("JPY", "33", 25, 1, "¥14"), ("JPY", "33", 7, 1, "¥4"), ("JPY", "3333", 25, 1, "¥1,389"),
    ("EUR", "33.33", 25, 1, "€13.89"), ("EUR", "33.33", 7, 1, "€3.89"), ("EUR", "33.33", 25, THIRD, "€4.63"),
    ("EUR", "33.33", 7, THIRD, "€1.30"), ("EUR", "100", 60, THIRD, "€33.33"),
    ("KWD", "33.330", 25, 1, "KWD 13.888"), ("KWD", "33.33", 7, 1, "KWD 3.889"),
    ("KWD", "33.333", 7, THIRD, "KWD 1.296"),
])
def test_x4_an_hour_by_the_minute_in_each_currency(
    currency: str, said: str, minutes: int, share: Fraction | int, shown: str
) -> None:
    assert words(amount_of(hourly(typed(said, currency)), minutes, Fraction(share)), currency) == shown


@pytest.mark.parametrize(("said", "currency", "minor"), [
    ("33.33", "EUR", 3333), ("1,234.50", "EUR", 123450), ("12", "EUR", 1200), ("12,5", "EUR", 1250), (".5", "EUR", 50),
    ("1'234.50", "CHF", 123450), (" 7 ", "JPY", 7), ("1,234", "JPY", 1234), ("0.125", "KWD", 125), ("0", "EUR", 0),
])
def test_amounts_as_they_are_typed(said: str, currency: str, minor: int) -> None:
    assert typed(said, currency) == minor


@pytest.mark.parametrize(("said", "currency", "why"), [
    ("", "EUR", "such as 33.50"), ("ten", "EUR", "as a number"), ("-5", "EUR", "as a number"), ("1e5", "EUR", "num"),
    ("nan", "EUR", "number"), ("1.2.3", "EUR", "number"), ("33.333", "EUR", "EUR has 2 decimals"),
    ("0.5", "JPY", "JPY has no decimals"), ("0.0001", "KWD", "KWD has 3 decimals"), ("9" * 30, "EUR", "more than can"),
    ("", "JPY", "such as 3350"), ("£5", "GBP", "number"),
])
def test_what_is_no_amount_says_so(said: str, currency: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        typed(said, currency)


@given(some.integers(-10**12, 10**12), some.sampled_from(["JPY", "EUR", "KWD"]))
def test_what_is_shown_is_what_it_is(amount: int, currency: str) -> None:
    assert decimal(amount, currency) * 10**places(currency) == amount
    assert Decimal(words(abs(amount), currency).strip("¥€KWD \xa0").replace(",", "")) == decimal(abs(amount), currency)
    if 0 <= amount < 10**12:
        assert typed(number_words(amount, currency), currency) == amount


@given(some.fractions(max_denominator=10**6))
def test_half_goes_away_from_zero(exact: Fraction) -> None:
    assert abs(rounded(exact) - exact) <= Fraction(1, 2)
    assert rounded(-exact) == -rounded(exact)
    assert [rounded(Fraction(n, 2)) for n in (1, -1, 3, -3)] == [1, -1, 2, -2]


@pytest.mark.parametrize(("said", "share", "shown"), [
    ("1/3", THIRD, "1/3"), ("50 %", Fraction(1, 2), "50 %"), ("100", Fraction(1), "100 %"), ("0", Fraction(0), "0 %"),
    ("33.33 %", Fraction(3333, 10000), "33.33 %"), ("12,5", Fraction(1, 8), "12.5 %"),
])
def test_shares_as_they_are_typed(said: str, share: Fraction, shown: str) -> None:
    assert share_typed(said) == share
    assert share_words(share) == shown


@pytest.mark.parametrize("said", ["", "101", "3/2", "1/0", "-1", "half", "1/3 %", "1e2"])
def test_what_is_no_share_says_so(said: str) -> None:
    with pytest.raises(ValueError, match="Write a share such as"):
        share_typed(said)


@pytest.mark.parametrize(("said", "rate", "shown"), [
    ("23", 2300, "23 %"), ("13.5 %", 1350, "13.5 %"), ("0", 0, "0 %"), ("8,875", None, ""), ("7.25", 725, "7.25 %"),
    ("", None, ""), ("101", None, ""),
])
def test_tax_rates_as_they_are_typed(said: str, rate: int | None, shown: str) -> None:
    if rate is None:
        with pytest.raises(ValueError, match="Write a rate such as 20 %"):
            tax_typed(said)
    else:
        assert (tax_typed(said), tax_words(rate)) == (rate, shown)


PART = some.tuples(some.sampled_from([*Outcome]), some.sampled_from([None, 7, 25, 60, 95]))


@given(some.lists(PART, min_size=1, max_size=30), some.integers(0, 10**6), some.sampled_from([THIRD, Fraction(2, 3)]))
def test_x4_lines_add_up_to_their_totals(parts: list[tuple[Outcome, int | None]], rate: int, share: Fraction) -> None:
    """Each line is rounded by itself, so that a total is the sum of what is shown, and never off by a cent."""
    facts = Facts(1, 1, 2, None, "lesson", None, (), DAY, 60,
                  tuple(Part(100 + n, *part) for n, part in enumerate(parts)))
    matrix = Matrix(1, DAY, {**PRESET, Outcome.MISSED: (share, share)})
    found = positions(facts, [hourly(rate), hourly(rate, Side.PAID)], [matrix])
    charges = [one for one in found if one.kind is LineKind.CHARGE]
    assert sum(one.amount for one in charges) == sum(
        rounded(Fraction(rate * (minutes if outcome is Outcome.ATTENDED and minutes else 60), 60)
                * matrix.share(outcome, Side.BILLED)) for outcome, minutes in parts)
    assert all(type(one.amount) is int and one.amount > 0 for one in found)
    assert sum(one.kind is LineKind.PAYOUT for one in found) <= 1

"""Money as whole minor units of a currency, exact until it is rounded once (X4). Pure."""

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache

from babel.numbers import format_currency, get_currency_precision

MOST = 10**12
"""No single amount is as much as this, in minor units; more is a slip of the hand."""
_CODE_BEFORE = re.compile(r"([A-Za-z])(\d)")
_SPACES = re.compile(r"[\s'’]")


@cache
def places(currency: str) -> int:
    """How many decimals the currency has: EUR 2, JPY 0, KWD 3."""
    return get_currency_precision(currency)


@cache
def words(amount: int, currency: str) -> str:
    """'€1,234.50', '-¥120', 'KWD 1.250'; always with all of the currency's decimals."""
    said = format_currency(Decimal(amount).scaleb(-places(currency)), currency, locale="en").replace("\xa0", " ")
    return _CODE_BEFORE.sub(r"\1 \2", said)


def decimal(amount: int, currency: str) -> Decimal:
    """The amount in the currency itself, for spreadsheets and charts."""
    return Decimal(amount).scaleb(-places(currency))


def number_words(amount: int, currency: str) -> str:
    """'1234.50', as one types it."""
    return f"{decimal(amount, currency):f}"


def typed(said: str, currency: str) -> int:
    """The minor units of what somebody typed: '33.33', '1,234.50', '12'. Raises ValueError with a sentence."""
    text = _SPACES.sub("", said or "")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"\d+,\d{1,2}", text):
        text = text.replace(",", ".")
    try:
        exact = Decimal(text) if re.fullmatch(r"\d*\.?\d+|\d+\.", text) else Decimal("nan")
    except InvalidOperation:
        exact = Decimal("nan")
    if exact.is_nan():
        example = number_words(3350, currency) if places(currency) else "3350"
        raise ValueError(f"Write an amount as a number, such as {example}.")
    minor = exact.scaleb(places(currency))
    if minor != minor.to_integral_value():
        decimals = places(currency)
        raise ValueError(f"{currency} has {decimals} decimals." if decimals else f"{currency} has no decimals.")
    if minor >= MOST:
        raise ValueError("This is more than can be meant.")
    return int(minor)


def rounded(exact: Fraction) -> int:
    """The nearest whole unit; a half goes away from zero."""
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    nearest = whole + (2 * rest >= exact.denominator)
    return nearest if exact >= 0 else -nearest


def share_typed(said: str) -> Fraction:
    """What part of the whole is meant: '1/3', '50 %', '0', '100'. Raises ValueError with a sentence."""
    text = _SPACES.sub("", said or "")
    sentence = "Write a share such as 100 %, 50 % or 1/3; nothing is 0."
    try:
        if "/" in text:
            share = Fraction(text) if re.fullmatch(r"\d{1,4}/\d{1,4}", text) else Fraction(-1)
        else:
            number = text.removesuffix("%").replace(",", ".")
            share = Fraction(number) / 100 if re.fullmatch(r"\d{1,3}(\.\d{1,4})?", number) else Fraction(-1)
    except ZeroDivisionError as problem:
        raise ValueError(sentence) from problem
    if not 0 <= share <= 1:
        raise ValueError(sentence)
    return share


def share_words(share: Fraction) -> str:
    """'100 %', '50 %', '1/3'."""
    percent = share * 100
    return f"{percent} %" if percent.denominator == 1 else \
        f"{float(percent):g} %" if 10_000 % percent.denominator == 0 else str(share)


def tax_typed(said: str) -> int:
    """The hundredths of a percent of a tax rate: '23', '13.5 %'. Raises ValueError with a sentence."""
    number = _SPACES.sub("", said or "").removesuffix("%").replace(",", ".")
    rate = Fraction(number) * 100 if re.fullmatch(r"\d{1,3}(\.\d{1,2})?", number) else Fraction(-1)
    if not 0 <= rate <= 10_000:
        raise ValueError("Write a rate such as 20 % or 13.5 %; none is 0.")
    return int(rate)


def tax_words(rate: int) -> str:
    """'23 %', '13.5 %'."""
    return f"{rate / 100:g} %"

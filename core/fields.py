"""What people type, checked and tidied: the same bounds and sentences on every form. Pure."""

import re
import unicodedata
from typing import Any

from core.clock import zone_of

_EMAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[^@\s<>\"(),:;\\\[\]]+\.[^@\s<>\"(),:;.\\\[\]]{2,}")
_PHONE = re.compile(r"\+?[0-9 ()./-]+(?: ?(?:x|ext\.?) ?[0-9]+)?")
_TURNS_TEXT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a name read as another one."""

CURRENCIES = frozenset({
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD",
    "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD",
    "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD",
    "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SYP", "SZL",
    "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VES",
    "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
})
"""Codes of ISO 4217 that money is kept in."""


class Checked:
    """Collects tidied values and, for each field that cannot be taken, one sentence."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.problems: dict[str, str] = {}

    def line(self, field: str, said: Any, most: int, missing: str = "") -> None:
        """One line of text; with `missing` given it is required, and empty text becomes None where it is not."""
        text = self._text(field, said, most, missing)
        if text is not None and any(letter in "\n\t" for letter in text):
            self.problems[field] = "Write this on one line."

    def lines(self, field: str, said: Any, most: int) -> None:
        """Text of any number of lines."""
        self._text(field, said, most, "")

    def email(self, field: str, said: Any) -> None:
        """An e-mail address, kept in lower case; or none."""
        text = self._text(field, said, 254, "")
        if text is None:
            return
        self.values[field] = text.lower()
        if not _EMAIL.fullmatch(text.lower()) or ".." in text or len(text.lower()) > 254:
            self.problems[field] = "This is not an e-mail address; one looks like name@example.org."

    def phone(self, field: str, said: Any) -> None:
        """A phone number as people write it; or none."""
        text = self._text(field, said, 40, "")
        if text is not None and not (_PHONE.fullmatch(text) and sum(letter.isdigit() for letter in text) >= 3):
            self.problems[field] = "A phone number is digits, spaces and + ( ) - . / only."

    def zone(self, field: str, said: Any, missing: str = "") -> None:
        """A time zone by its IANA name."""
        text = self._text(field, said, 64, missing)
        if text is None:
            return
        try:
            zone_of(text)
        except KeyError:
            self.problems[field] = "Choose a time zone from the list, such as Europe/London."

    def currency(self, field: str, said: Any) -> None:
        """A currency by its code of three letters."""
        text = self._text(field, said, 3, "Choose a currency.")
        if text is not None:
            self.values[field] = text.upper()
            if text.upper() not in CURRENCIES:
                self.problems[field] = "Choose a currency by its code, such as EUR."

    def _text(self, field: str, said: Any, most: int, missing: str) -> str | None:
        """The text where it can be taken, and is not empty."""
        self.values[field] = None
        if said is not None and not isinstance(said, str):
            self.problems[field] = "Write this as text."
            return None
        text = unicodedata.normalize("NFC", (said or "").replace("\r\n", "\n").replace("\r", "\n")).strip()
        if not any(unicodedata.category(letter) not in ("Cf", "Zs", "Cc") for letter in text):
            text = ""
        if not text:
            if missing:
                self.problems[field] = missing
            return None
        if any(not _may_be_kept(letter) for letter in text):
            self.problems[field] = "This has characters that cannot be shown. Please type it again."
            return None
        if len(text) > most:
            self.problems[field] = f"At most {most:,} characters; this has {len(text):,}."
            return None
        self.values[field] = text
        return text


def _may_be_kept(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return letter in "\n\t" or (kind not in ("Cc", "Cs", "Zl", "Zp") and letter not in _TURNS_TEXT)

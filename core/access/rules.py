"""Passwords, tokens and back-off: pure, without a database."""

import hashlib
import ipaddress
import itertools
import secrets
import unicodedata
from datetime import timedelta

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from core.errors import Refusal

SHORTEST, LONGEST = 10, 200
COUNTED = timedelta(hours=1)
"""How long a failed sign-in counts."""
INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(hours=24)

REFUSED = "This e-mail address and password do not go together."
USED_UP = "This link was used already, or is too old. Ask for a new one."
ADVICE = f"At least {SHORTEST} characters. A few words that only you would put together work well."

_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1, type=Type.ID)
_NOBODY = _HASHER.hash(secrets.token_urlsafe(24))
"""What an unknown account's password is compared with, so that it takes as long as any other."""

_COMMON = """
    password passwort motdepasse contrasena contraseña qwerty qwertyuiop qwertz qwertzuiop azerty azertyuiop
    asdfghjkl zxcvbnm 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc abc abcd abcde abcdef abcdefg abcdefgh abcdefghij
    iloveyou letmein welcome willkommen bienvenue administrator admin changeme secret trustno sunshine princess
    football baseball monkey dragon superman batman master michael jordan shadow starwars whatever computer
    internet samsung liverpool chelsea arsenal portal session mentor student teacher tutor coach summer winter
    spring autumn january february march april june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday correcthorsebatterystaple
"""


class TooSoon(Refusal):
    """A sign-in that has to wait; the same for accounts that exist and for those that do not."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        wait = "1 second" if seconds == 1 else f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"
        super().__init__(f"Too many tries. Please wait {wait}, then try again.")


def hash_password(password: str) -> str:
    """What is stored instead of the password. Takes a tenth of a second by design."""
    return _HASHER.hash(_plain(password))


def is_password(password: str, stored: str | None) -> bool:
    """Whether this is the password. With nothing stored it is not, and finding out takes just as long."""
    try:
        right = _HASHER.verify(stored or _NOBODY, _plain(password)[:LONGEST])
    except InvalidHashError:
        return is_password(password, None)
    except Argon2Error:
        return False
    return right and stored is not None and len(_plain(password)) <= LONGEST


def is_outdated(stored: str) -> bool:
    """Whether a stored hash was made at another cost than today's."""
    return _HASHER.check_needs_rehash(stored)


def typed_email(said: str) -> str:
    """An address as it is looked up."""
    return said.replace("\0", "").strip().lower()[:254]


def password_problem(password: str, name: str, email: str | None) -> str | None:
    """Why a password cannot be taken, in a sentence; None where it can."""
    plain = _plain(password)
    said = plain.casefold()
    if len(plain) < SHORTEST:
        return f"Choose at least {SHORTEST} characters."
    if len(plain) > LONGEST:
        return f"Choose at most {LONGEST} characters."
    if len(set(said)) < 5:
        return "Choose something with more different characters."
    letters = _letters(said)
    own = {_letters(word.casefold()) for word in (name, email or "", (email or "").partition("@")[0])}
    if said in {name.casefold(), (email or "").casefold()} or (letters and letters in own):
        return "Choose something other than your name or e-mail address."
    if letters in _COMMON.split() or (not letters and _in_a_row(said)):
        return "This is among the first that others would guess. Choose something else."
    return None


def new_token() -> str:
    """A secret that nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored instead of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def place(address: str) -> str:
    """The address that tries are counted by: a whole /64 for IPv6, which one household or server has to itself."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def wait_by_account(failures: int) -> timedelta:
    """How long after its last failure an account is tried again: five are free, then 2, 4, 8 … seconds to 5 minutes."""
    return _back_off(failures, free=5, most=300)


def wait_by_address(failures: int) -> timedelta:
    """The same for an address, which many people may share: twenty are free, and four seconds are the most."""
    return _back_off(failures, free=20, most=4)


def link_to(base_url: str, token: str) -> str:
    """The address that a single-use link is handed over as."""
    return f"{base_url}/link/{token}"


def _back_off(failures: int, free: int, most: int) -> timedelta:
    return timedelta(seconds=0 if failures < free else min(most, 2 ** min(failures - free + 1, 20)))


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _letters(said: str) -> str:
    return "".join(letter for letter in said if letter.isalpha())


def _in_a_row(said: str) -> bool:
    digits = [int(letter) for letter in said if letter.isdecimal()]
    return len({(b - a) % 10 for a, b in itertools.pairwise(digits)}) <= 1

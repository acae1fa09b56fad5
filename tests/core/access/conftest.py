"""People with accounts."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from core.access import rules
from core.work import THE_PORTAL, commit
from db.words import Role
from tests.factories import World
from tests.portal import CHEAP, PASSWORD, add_person


@pytest.fixture
def person(world: World) -> Callable[..., int]:
    """`person("Nia New", "nia@example.test", (programme, role))` has an account, unless password=None."""

    def make(name: str, email: str | None, *roles: tuple[int, Role], password: str | None = PASSWORD) -> int:
        made = commit(world.engine, THE_PORTAL, add_person, name, email, *roles, password=password)
        return int(made.result)

    return make


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Hashing that costs next to nothing."""
    monkeypatch.setattr(rules, "_HASHER", CHEAP)
    monkeypatch.setattr(rules, "_NOBODY", CHEAP.hash("nobody"))
    return CHEAP

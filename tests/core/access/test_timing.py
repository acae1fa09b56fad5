"""How long a refusal takes tells nobody whether there is such an account."""

import statistics
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from core.access import commands, rules
from core.errors import NotAllowed
from core.work import THE_PORTAL, commit, now_utc
from tests.factories import World

REAL = "nine patient otters"  # hashed at the portal's own cost


def test_an_unknown_account_takes_as_long_as_a_known_one(world: World, person: Any, monkeypatch: Any) -> None:
    person("Nia New", "nia@example.test", password=REAL)
    off = person("Dan Disabled", "dan@example.test", password=REAL)
    person("Nina None", "none@example.test", password=None)
    commit(world.engine, THE_PORTAL, commands.disable, [off])
    monkeypatch.setattr(rules, "wait_by_account", lambda _: timedelta())
    monkeypatch.setattr(rules, "wait_by_address", lambda _: timedelta())
    kinds = ("nia", "nobody", "dan", "none")
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    medians: dict[str, float] = {}
    for _ in range(4):  # more where the machine is busy with something else
        for turn in range(12):
            for kind in kinds[turn % 4 :] + kinds[: turn % 4]:
                began = time.perf_counter()
                with suppress(NotAllowed):
                    commands.sign_in(world.engine, f"{kind}@example.test", "not that one at all",
                                     address="203.0.113.1", browser="test", now=now_utc())
                took[kind].append(time.perf_counter() - began)
        medians = {kind: statistics.median(times) for kind, times in took.items()}
        if max(medians.values()) <= 1.1 * min(medians.values()):
            return
    pytest.fail(f"the medians differ by more than a tenth: {medians}")

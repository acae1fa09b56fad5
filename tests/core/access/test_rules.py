"""Passwords and back-off, without a database."""

from datetime import timedelta

import pytest

from core.access import rules


@pytest.mark.parametrize(("password", "says"), [
    ("short one", "at least 10"),
    ("x" * 9 + "ab" * 100, "at most 200"),
    ("\ufdfa" * 14 + "abcdef", "at most 200"),
    ("aaaaaaaaaaaa", "different characters"),
    ("Sara Lindqvist", "name or e-mail"),
    ("sara.lindqvist@example.test", "name or e-mail"),
    ("saralindqvist1", "name or e-mail"),
    ("Password123!", "first that others would guess"),
    ("qwertyuiop12", "first that others would guess"),
    ("1234567890", "first that others would guess"),
    ("correcthorsebatterystaple", "first that others would guess"),
])
def test_a_weak_password_is_refused_in_a_sentence(password: str, says: str) -> None:
    problem = rules.password_problem(password, "Sara Lindqvist", "sara.lindqvist@example.test")
    assert problem is not None
    assert says in problem


@pytest.mark.parametrize("password", ["seven quiet herons", "Türkçe şifre örneği", "8301746529 4", "🦉🌲 a lake or so"])
def test_a_good_password_is_taken_whatever_its_script(password: str) -> None:
    assert rules.password_problem(password, "Sara Lindqvist", "sara@example.test") is None
    assert rules.is_password(password, rules.hash_password(password))


def test_the_hash_is_argon2id_and_salted() -> None:
    one, two = rules.hash_password("seven quiet herons"), rules.hash_password("seven quiet herons")
    assert one.startswith("$argon2id$")
    assert one != two
    assert not rules.is_password("seven quiet heron", one)
    assert not rules.is_password("anything", None)
    assert not rules.is_password("anything", "no hash at all")


def test_back_off_grows_and_never_locks_out_for_good() -> None:
    account = [rules.wait_by_account(failures).total_seconds() for failures in range(40)]
    assert account[:8] == [0, 0, 0, 0, 0, 2, 4, 8]
    assert account == sorted(account)
    assert max(account) == 300
    assert rules.wait_by_account(10**9) == timedelta(seconds=300)
    assert rules.wait_by_address(19) == timedelta(0)
    assert rules.wait_by_address(10**9) == timedelta(seconds=4)


@pytest.mark.parametrize(("address", "counted_as"), [
    ("203.0.113.9", "203.0.113.9"),
    ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"), ("::ffff:203.0.113.9", "203.0.113.9"),
    ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient"),
])
def test_tries_are_counted_by_household(address: str, counted_as: str) -> None:
    assert rules.place(address) == counted_as

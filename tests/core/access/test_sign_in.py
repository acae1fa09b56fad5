"""Coming in and being sent away: sign-ins, throttling, links, and who may change whose account."""

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text, update

from core.access import commands, queries, rules
from core.errors import Invalid, NotAllowed, NotFound, Refusal
from core.work import THE_PORTAL, Work, commit, now_utc
from core.work import reading as look
from db.engine import reading, writing
from db.models.access import OneTimeLink, SignIn, SignInAttempt
from db.models.history import Change, ChangeSet
from db.models.notices import Notice
from db.models.people import Person
from db.words import Kind, Role
from tests.factories import World
from tests.portal import PASSWORD

NOW = now_utc()
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _cheap(cheap_passwords: None) -> None:
    """What hashing costs is proved elsewhere."""


def enter(engine: Engine, email: str, password: str = PASSWORD, *, address: str = "203.0.113.1",
          known: str | None = None, now: Any = NOW) -> str:
    return commands.sign_in(engine, email, password, address=address, browser="test", now=now, known=known)


def link(world: World, person_id: int, by: int | None = None,
         command: Any = commands.make_password_link, now: Any = NOW) -> str:
    token = rules.new_token()
    commit(world.engine, by or THE_PORTAL, command, {person_id: token}, now=now)
    return token


def use(world: World, token: str, password: str = "eleven loud geese", now: Any = NOW) -> str:
    return commands.use_link(world.engine, token, password, browser="test", now=now)


def test_a_sign_in_holds_until_it_expires_ends_or_its_person_is_switched_off(world: World, person: Any) -> None:
    who = person("Nia New", "Nia@Example.test")
    token = enter(world.engine, " nia@example.TEST ")
    assert queries.who_is(world.engine, token, NOW) == who
    assert queries.who_is(world.engine, token, NOW + 14 * DAY) is None
    assert queries.who_is(world.engine, "made up", NOW) is None
    other = enter(world.engine, "nia@example.test")
    commands.sign_out(world.engine, token, NOW)
    assert queries.who_is(world.engine, token, NOW) is None
    assert queries.who_is(world.engine, other, NOW) == who
    commit(world.engine, THE_PORTAL, commands.disable, [who])
    assert queries.who_is(world.engine, other, NOW) is None
    commit(world.engine, THE_PORTAL, commands.enable, [who])
    assert queries.who_is(world.engine, other, NOW) is None, "switched on again, one signs in afresh"
    assert enter(world.engine, "nia@example.test")


def test_tokens_are_random_and_stored_hashed(world: World, person: Any) -> None:
    person("Nia New", "nia@example.test")
    tokens = {enter(world.engine, "nia@example.test") for _ in range(3)}
    assert len(tokens) == 3
    with reading(world.engine) as connection:
        stored = set(connection.scalars(select(SignIn.token_hash)))
    assert {rules.digest(token) for token in tokens} <= stored
    assert tokens.isdisjoint(stored)


def test_looking_who_it_is_takes_one_indexed_query(world: World, person: Any) -> None:
    person("Nia New", "nia@example.test")
    token, said = enter(world.engine, "nia@example.test"), []

    @event.listens_for(world.engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    queries.who_is(world.engine, token, NOW)
    event.remove(world.engine, "before_cursor_execute", note)
    assert len(said) == 1
    if world.engine.dialect.name == "sqlite":
        with reading(world.engine) as connection:
            statement = queries._standing_sign_ins(NOW).where(SignIn.token_hash == "x" * 64)
            sql = str(statement.compile(world.engine, compile_kwargs={"literal_binds": True}))
            plan = " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
        assert "token_hash=?" in plan
        assert "SCAN" not in plan


@pytest.mark.parametrize("whose", ["unknown", "no password yet", "disabled", "wrong password"])
def test_every_failure_gets_the_same_answer(world: World, person: Any, whose: str) -> None:
    person("Wim Wrong", "wrong password@example.test")
    person("Nina None", "no password yet@example.test", password=None)
    off = person("Dan Disabled", "disabled@example.test")
    commit(world.engine, THE_PORTAL, commands.disable, [off])
    password = "not that one at all" if whose == "wrong password" else PASSWORD
    with pytest.raises(NotAllowed) as refused:
        enter(world.engine, f"{whose}@example.test", password)
    assert refused.value.sentence == rules.REFUSED


@pytest.mark.parametrize("hostile", [
    "", "\0", "a\0b@example.test", "x" * 5000, "'; DROP TABLE person; --", "İ@ß.test", "😀",
])
def test_hostile_input_is_refused_like_any_other(world: World, hostile: str) -> None:
    with pytest.raises(NotAllowed, match="do not go together"):
        enter(world.engine, hostile, hostile)


def test_guessing_at_one_account_is_slowed_down_and_never_for_good(world: World, person: Any) -> None:
    person("Nia New", "nia@example.test")
    for number in range(5):
        with pytest.raises(NotAllowed):
            enter(world.engine, "nia@example.test", "wrong wrong", address=f"203.0.113.{number}")
    with pytest.raises(rules.TooSoon, match="wait 2 seconds"):
        enter(world.engine, "nia@example.test", address="203.0.113.77")
    with pytest.raises(rules.TooSoon, match="wait 1 second,"):
        enter(world.engine, "nia@example.test", address="203.0.113.77", now=NOW + 1.5 * SECOND)
    assert enter(world.engine, "nia@example.test", address="203.0.113.77", now=NOW + 2 * SECOND)
    assert enter(world.engine, "nia@example.test", "seven quiet herons"), "success clears the account's count"


def test_an_account_that_does_not_exist_is_slowed_down_just_the_same(world: World) -> None:
    for number in range(5):
        with pytest.raises(NotAllowed):
            enter(world.engine, "nobody@example.test", address=f"203.0.113.{number}")
    with pytest.raises(rules.TooSoon, match="wait 2 seconds"):
        enter(world.engine, "nobody@example.test", address="203.0.113.99")


def test_whoever_guesses_cannot_keep_the_owner_out(world: World, person: Any) -> None:
    """The owner's own browser is counted apart, so a day of guessing from everywhere does not touch it."""
    who = person("Nia New", "nia@example.test")
    earlier = enter(world.engine, "nia@example.test")
    commands.sign_out(world.engine, earlier, NOW)
    now = NOW
    for number in range(60):
        with suppress(NotAllowed, rules.TooSoon):
            enter(world.engine, "nia@example.test", "wrong wrong", address=f"203.0.{number}.1", now=now)
        now += 10 * SECOND
    with pytest.raises(rules.TooSoon):
        enter(world.engine, "nia@example.test", now=now)
    token = enter(world.engine, "nia@example.test", known=earlier, now=now)
    assert queries.who_is(world.engine, token, now) == who
    with pytest.raises(rules.TooSoon):
        enter(world.engine, "nia@example.test", known="made up", now=now)
    assert enter(world.engine, "nia@example.test", now=now + 5 * 60 * SECOND), "five minutes of quiet open it for all"


def test_guessing_at_many_accounts_from_one_address_is_slowed_down(world: World, person: Any) -> None:
    person("Nia New", "nia@example.test")
    for number in range(20):
        with pytest.raises(NotAllowed):
            enter(world.engine, f"guess{number}@example.test", "wrong wrong")
    with pytest.raises(rules.TooSoon):
        enter(world.engine, "nia@example.test")
    assert enter(world.engine, "nia@example.test", address="203.0.113.200"), "others are not touched"
    assert enter(world.engine, "nia@example.test", now=NOW + 2 * SECOND)
    later = NOW
    for number in range(60):
        later += 10 * SECOND
        with suppress(NotAllowed, rules.TooSoon):
            enter(world.engine, f"more{number}@example.test", "wrong wrong", now=later)
    with pytest.raises(rules.TooSoon, match="wait 4 seconds"):
        enter(world.engine, "nia@example.test", now=later)
    assert enter(world.engine, "nia@example.test", now=later + 4 * SECOND), "however long it went on"


def test_many_guesses_at_once_gain_nothing(world: World, person: Any) -> None:
    person("Nia New", "nia@example.test")
    compared: list[str] = []

    def guess(number: int) -> None:
        try:
            enter(world.engine, "nia@example.test", f"wrong wrong {number}", address=f"203.0.113.{number}")
        except rules.TooSoon:
            return
        except NotAllowed:
            compared.append("one")

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compared) == 5


def test_old_attempts_are_forgotten(world: World) -> None:
    for when in (NOW, NOW + 2 * 3600 * SECOND):
        with pytest.raises(NotAllowed):
            enter(world.engine, "nobody@example.test", now=when)
    with reading(world.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(SignInAttempt)) == 1


def test_a_link_works_once_and_ends_every_other_sign_in(world: World, person: Any) -> None:
    who = person("Nia New", "nia@example.test")
    before = enter(world.engine, "nia@example.test")
    token = link(world, who)
    assert queries.open_link(world.engine, token, NOW) is not None
    assert queries.open_link(world.engine, token, NOW) is not None, "looking does not use it"
    now = use(world, token)
    assert queries.who_is(world.engine, now, NOW) == who
    assert queries.who_is(world.engine, before, NOW) is None
    with pytest.raises(NotFound, match="used already"):
        use(world, token, "another good password")
    with pytest.raises(NotAllowed):
        enter(world.engine, "nia@example.test")
    assert enter(world.engine, "nia@example.test", "eleven loud geese")


def test_a_link_used_by_many_at_once_works_for_one(world: World, person: Any) -> None:
    who, said = person("Nia New", "nia@example.test"), []
    token = link(world, who)

    def take(number: int) -> None:
        try:
            use(world, token, f"eleven loud geese {number}")
            said.append("in")
        except Refusal:
            said.append("refused")

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["in"] + ["refused"] * 5


@pytest.mark.parametrize(("command", "lasts"), [(commands.invite, 7), (commands.make_password_link, 1)])
def test_a_link_expires_and_a_new_one_replaces_it(world: World, person: Any, command: Any, lasts: int) -> None:
    who = person("Nia New", "nia@example.test", password=None)
    first = link(world, who, command=command)
    assert queries.open_link(world.engine, first, NOW + lasts * DAY - SECOND)
    assert queries.open_link(world.engine, first, NOW + lasts * DAY) is None
    with pytest.raises(NotFound):
        use(world, first, now=NOW + lasts * DAY)
    second = link(world, who, command=command)
    with pytest.raises(NotFound):
        use(world, first)
    assert use(world, second)


def test_a_link_of_somebody_switched_off_opens_nothing(world: World, person: Any) -> None:
    who = person("Nia New", "nia@example.test")
    token = link(world, who)
    with writing(world.engine) as connection:  # as if it had been made a moment too late
        connection.execute(update(OneTimeLink).values(used_at=None))
    commit(world.engine, THE_PORTAL, commands.disable, [who])
    with writing(world.engine) as connection:
        connection.execute(update(OneTimeLink).values(used_at=None))
    assert queries.open_link(world.engine, token, NOW) is None
    with pytest.raises(NotFound):
        use(world, token)


def test_a_weak_password_does_not_use_the_link_up(world: World, person: Any) -> None:
    token = link(world, person("Nia New", "nia@example.test"))
    with pytest.raises(Invalid) as refused:
        use(world, token, "password1234")
    assert "password" in refused.value.problems
    assert use(world, token)


def test_secrets_never_enter_a_change_set(world: World, person: Any) -> None:
    who = person("Nia New", "nia@example.test")
    token = link(world, who)
    use(world, token)
    with reading(world.engine) as connection:
        everything = str(connection.execute(select(ChangeSet)).all()) + str(connection.execute(select(Change)).all())
    for secret in (token, rules.digest(token), "argon2", "eleven loud geese", PASSWORD):
        assert secret not in everything
    assert "Made a password link for Nia New." in everything


def test_asking_for_a_password_tells_those_who_look_after_the_account_once(world: World, person: Any) -> None:
    home = world.programme
    person("Nia New", "nia@example.test", (home, Role.LEARNER))
    for _ in range(3):
        commit(world.engine, THE_PORTAL, commands.request_password, "NIA@example.test", source="sign-in")
    commit(world.engine, THE_PORTAL, commands.request_password, "nobody@example.test", source="sign-in")
    with reading(world.engine) as connection:
        told = list(connection.execute(select(Notice.person_id, Notice.text).where(Notice.text.contains("password"))))
    assert {row.person_id for row in told} == {world.alice, world.ben, world.cora}
    assert len(told) == 3
    assert "Nia New asks for a new password." in told[0].text


def test_signing_out_everywhere_ends_every_browser(world: World, person: Any) -> None:
    who = person("Nia New", "nia@example.test", (world.programme, Role.LEARNER))
    tokens = [enter(world.engine, "nia@example.test") for _ in range(3)]
    commit(world.engine, who, commands.sign_out_everywhere, [who])
    assert [queries.who_is(world.engine, token, NOW) for token in tokens] == [None] * 3
    token = enter(world.engine, "nia@example.test")
    commit(world.engine, world.ben, commands.sign_out_everywhere, [who])
    assert queries.who_is(world.engine, token, NOW) is None


ACTS = (commands.invite, commands.make_password_link, commands.sign_out_everywhere, commands.disable, commands.enable)


LINKS = (commands.invite, commands.make_password_link)
"""For somebody whom nobody looks after alone, they come from where this person was first."""


def act(world: World, by: int, command: Any, whose: int) -> None:
    commit(world.engine, by, command, {whose: rules.new_token()} if command in LINKS else [whose])


@pytest.mark.parametrize("command", ACTS)
def test_who_may_change_whose_account(world: World, person: Any, command: Any) -> None:
    """An account opens all that its owner takes part in: nobody comes to more than they run (X6)."""
    home, away = world.programme, world.elsewhere
    learner = person("Nia New", "nia@example.test", (home, Role.LEARNER))
    both = person("Bo Both", "bo@example.test", (home, Role.PRACTITIONER), (away, Role.LEARNER))
    act(world, world.alice, command, learner)
    act(world, world.ben, command, learner)
    act(world, world.alice, command, world.ben)
    with pytest.raises(NotAllowed):
        act(world, world.ben, command, world.alice)
    for nobody in (world.tom, world.sara, world.mona, world.gus, world.lena, world.cuno):
        with pytest.raises(NotAllowed):
            act(world, nobody, command, learner)
    with pytest.raises(NotAllowed, match="also takes part where you do not run things"):
        act(world, world.zara if command in LINKS else world.alice, command, both)
    for unknown in (world.zed, 10**12):
        with pytest.raises(NotFound):
            act(world, world.alice, command, unknown)


def test_nobody_switches_their_own_account_off(world: World) -> None:
    with pytest.raises(Invalid, match="your own account"):
        commit(world.engine, world.alice, commands.disable, [world.alice])


def test_nobody_without_an_address_or_switched_off_is_invited(world: World, person: Any) -> None:
    silent = person("Sil Silent", None, (world.programme, Role.LEARNER), password=None)
    with pytest.raises(Invalid, match="no e-mail address"):
        act(world, world.alice, commands.invite, silent)
    off = person("Dan Off", "off@example.test", (world.programme, Role.LEARNER))
    act(world, world.alice, commands.disable, off)
    with pytest.raises(Invalid, match="switched off"):
        act(world, world.alice, commands.invite, off)


def test_switching_off_stands_in_history_and_how_an_account_stands_can_be_seen(world: World, person: Any) -> None:
    who = person("Nia New", "nia@example.test", (world.programme, Role.LEARNER))
    enter(world.engine, "nia@example.test")
    link(world, who)

    def stands(work: Work) -> Any:
        return queries.standing(work, who)

    with look(world.engine, world.alice) as work:
        before = stands(work)
    assert (before.has_password, before.signed_in, before.disabled_at) == (True, 1, None)
    act(world, world.alice, commands.disable, who)
    with look(world.engine, world.alice) as work:
        after = stands(work)
    assert after.signed_in == 0
    assert after.disabled_at is not None
    assert after.open_link is None
    with reading(world.engine) as connection:
        change = connection.execute(select(Change).where(Change.row_id == who, Change.table_name == "person")
                                    .order_by(Change.id.desc())).first()
    assert change is not None
    assert "disabled_at" in change.after


def test_the_first_administrator_is_made_only_where_nobody_is(engine: Engine, world: World) -> None:
    words = ("Ada First", "ada@example.test", None, "First", Kind.COACHING, "Europe/London", "GBP")
    with pytest.raises(Invalid, match="has people already"):
        commit(world.engine, THE_PORTAL, commands.set_up, *words)
    with pytest.raises(NotAllowed):
        commit(world.engine, world.alice, commands.set_up, *words)


def test_a_new_installation_gets_its_first_administrator(engine: Engine) -> None:
    saved = commit(engine, THE_PORTAL, commands.set_up, "Ada First", "ada@example.test",
                   rules.hash_password(PASSWORD), "First", Kind.COACHING, "Europe/London", "GBP")
    token = enter(engine, "ada@example.test")
    assert queries.who_is(engine, token, NOW) == saved.result
    with look(engine, saved.result) as work:
        assert work.actor.programmes(Role.MASTER_ADMIN)
        assert work.tx.scalar(select(Person.name)) == "Ada First"

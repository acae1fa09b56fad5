"""X6: whoever is in two programmes that nobody runs alike is neither shut out nor taken over by one of them."""

import pytest
from sqlalchemy import select

from core.access.commands import invite, make_password_link, request_password
from core.errors import Conflict, NotAllowed, Refusal
from core.people.commands import NewPerson, add_people, disable_people
from core.people.queries import profile
from core.permissions import Action
from core.programmes.commands import create_programme, grant_role, revoke_role
from core.work import THE_PORTAL
from db.models.notices import Notice
from db.models.people import Person
from db.words import Kind, Role
from tests.factories import World

TOKEN = "t" * 43


@pytest.fixture
def zoe(world: World) -> int:
    """A learner elsewhere whom Ben added here by her e-mail address."""
    world.do(world.ben, add_people, world.programme, [NewPerson("X", (Role.LEARNER,), "zoe@example.org")])
    return world.zoe


def asked(world: World) -> set[int]:
    world.do(THE_PORTAL, request_password, "zoe@example.org")
    return set(world.all(select(Notice.person_id).where(Notice.text.contains("asks for a new password"))))


def test_x6_master_admins_of_where_somebody_was_first_are_asked_and_make_the_link(world: World, zoe: int) -> None:
    assert asked(world) == {world.zara}
    world.do(world.zara, make_password_link, {zoe: TOKEN})
    world.do(world.zara, invite, {zoe: TOKEN[:-1] + "u"})
    with world.reading(world.zara) as work:
        assert profile(work, zoe).may & {Action.PERSON_INVITE, Action.PERSON_DISABLE} == {Action.PERSON_INVITE}


@pytest.mark.parametrize("who", ["alice", "ben"])
def test_x6_whoever_adds_somebody_does_not_come_by_their_account(world: World, zoe: int, who: str) -> None:
    for command in (make_password_link, invite):
        with pytest.raises(NotAllowed):
            world.do(world.people[who], command, {zoe: TOKEN})


def test_x6_the_account_of_those_who_run_another_programme_opens_for_nobody(world: World, zoe: int) -> None:
    world.grant(zoe, Role.CURRICULUM_MANAGER)
    assert asked(world) == set()
    with pytest.raises(NotAllowed):
        world.do(world.zara, make_password_link, {zoe: TOKEN})


def test_x6_who_runs_both_programmes_stands_before_those_who_run_one(world: World, zoe: int) -> None:
    world.grant(world.alice, Role.MASTER_ADMIN, programme=world.elsewhere)
    assert asked(world) == {world.alice}
    with pytest.raises(NotAllowed):
        world.do(world.zara, make_password_link, {zoe: TOKEN})


def test_x6_nobody_draws_into_a_programme_whom_they_only_meet_elsewhere(world: World) -> None:
    world.grant(world.ben, Role.LEARNER, programme=world.elsewhere)
    with pytest.raises(Conflict, match=r"Zed is not in this programme\. Add them by their e-mail address first"):
        world.do(world.ben, grant_role, world.programme, world.zed, Role.LEARNER)
    world.do(world.zara, disable_people, [world.zed])
    assert world.one(select(Person.disabled_at).where(Person.id == world.zed)) is not None


def test_x6_roles_are_granted_to_those_who_are_here_or_in_programmes_of_ones_own(world: World) -> None:
    world.do(world.ben, grant_role, world.programme, world.vic, Role.PRACTITIONER)
    new = world.do(world.alice, create_programme, "New", Kind.COACHING, "Europe/London", "GBP").result
    world.do(world.alice, grant_role, new, world.ben, Role.MASTER_ADMIN)
    world.do(world.ben, revoke_role, world.programme, world.sam, Role.LEARNER)
    world.do(world.ben, grant_role, world.programme, world.sam, Role.LEARNER)
    with pytest.raises(Refusal):
        world.do(world.ben, grant_role, new, world.zoe, Role.LEARNER)

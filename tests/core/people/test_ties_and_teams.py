"""Guardians and line managers, and who is in a team from when until when."""

from datetime import date

import pytest
from sqlalchemy import select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.people.commands import join_team, leave_team, relate, unrelate
from core.people.queries import learners_teams, team_members, visible_people
from db.models.people import Person, Relation, TeamMember
from db.models.programmes import RoleGrant
from db.words import Role, Tie
from tests.factories import World

TODAY = date(2026, 3, 2)


def tie(world: World, adult: int, learner: int, kind: Tie = Tie.GUARDIAN, by: int | None = None) -> int:
    return int(world.do(by or world.ben, relate, world.programme, kind, adult, learner).result)


def test_a_tie_gives_the_role_and_the_sight_and_untying_takes_the_sight(world):
    def sees() -> set[int]:
        with world.reading(world.tess) as work:
            return set(work.tx.scalars(select(Person.id).where(
                visible_people(work, world.programme), Person.id == world.vic)))

    world.policy(who_books="staff")
    assert not sees()
    relation = tie(world, world.tess, world.vic)
    assert world.one(select(RoleGrant.id).where(
        RoleGrant.person_id == world.tess, RoleGrant.role == Role.GUARDIAN)) is not None
    assert sees()
    world.do(world.ben, unrelate, relation)
    assert not sees()


def test_ties_that_make_no_sense(world):
    for adult, learner, field in ((world.sara, world.sara, "adult"), (world.gus, world.tom, "learner"),
                                  (world.zed, world.sara, "adult"), (world.gus, world.zoe, "learner"),
                                  (99_999, 99_998, "adult")):
        with pytest.raises(Invalid) as refused:
            tie(world, adult, learner)
        assert field in refused.value.problems
    with pytest.raises(Conflict, match="already"):
        tie(world, world.gus, world.sara)


@pytest.mark.parametrize("who", ["mona", "tom", "sara", "gus", "lena", "cuno"])
def test_who_may_not_tie_or_change_teams(world, who):
    actor = getattr(world, who)
    relation = world.one(select(Relation.id).limit(1))
    membership = world.one(select(TeamMember.id).where(TeamMember.team_id == world.comet).limit(1))
    for act in ((relate, world.programme, Tie.GUARDIAN, world.gus, world.vic), (unrelate, relation),
                (join_team, world.comet, [world.vic]), (leave_team, membership)):
        with pytest.raises(NotAllowed):
            world.do(actor, *act)


def test_x6_ids_of_a_foreign_programme_do_not_exist(world):
    membership = world.one(select(TeamMember.id).where(TeamMember.team_id == world.their_team))
    relation = world.one(select(Relation.id).limit(1))
    for act in ((world.ben, join_team, world.their_team, [world.sara]), (world.ben, leave_team, membership),
                (world.zara, unrelate, relation), (world.ben, unrelate, 99_999), (world.ben, leave_team, 99_999)):
        with pytest.raises(NotFound):
            world.do(*act)
    with pytest.raises(Invalid, match="Choose a member of this programme"):
        world.do(world.ben, join_team, world.comet, [world.zoe])


def test_joining_and_leaving(world):
    (membership,) = world.do(world.ben, join_team, world.lonely, [world.vic], None, date(2026, 3, 9)).result
    with world.reading(world.ben) as work:
        assert learners_teams(work, world.programme, [world.vic]) == {world.vic: ("Lonely",)}
        assert [each.name for each in team_members(work, world.programme, world.lonely)] == ["Vic"]
    with pytest.raises(Conflict, match="Vic is in Lonely then already"):
        world.do(world.ben, join_team, world.lonely, [world.vic], date(2026, 3, 9))
    world.do(world.ben, join_team, world.lonely, [world.vic], date(2026, 3, 10))
    with pytest.raises(Conflict, match="Another stay"):
        world.do(world.ben, leave_team, membership, date(2026, 3, 10))
    world.do(world.ben, leave_team, membership)
    assert world.one(select(TeamMember.until_day).where(TeamMember.id == membership)) == TODAY


@pytest.mark.parametrize(("since", "until", "field"), [
    (date(1, 1, 1), None, "from_day"), (date(9999, 12, 31), None, "from_day"), (TODAY, date(9999, 12, 31), "until_day"),
    (TODAY, date(2026, 3, 1), "until_day"),
])
def test_days_that_cannot_be(world, since, until, field):
    with pytest.raises(Invalid) as refused:
        world.do(world.ben, join_team, world.lonely, [world.vic], since, until)
    assert set(refused.value.problems) == {field}


def test_retired_teams_and_nobody(world):
    old = world.team("Old", retired_at=world.now)
    with pytest.raises(Conflict, match="retired"):
        world.do(world.ben, join_team, old, [world.vic])
    for nobody in ([], [world.tom], [99_999]):
        with pytest.raises(Invalid):
            world.do(world.ben, join_team, world.lonely, nobody)

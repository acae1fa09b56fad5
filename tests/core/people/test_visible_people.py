"""X6: who exists for whom, and what of them may be read."""

import pytest
from sqlalchemy import select

from core.errors import NotFound
from core.people.queries import (
    PersonState,
    names,
    people_list,
    pick,
    pick_teams,
    profile,
    visible_people,
)
from core.permissions import Action
from core.sessions.queries import worksheet
from db.models.access import Account
from db.models.people import Group, GroupMember, Person
from db.words import Role, Tie
from tests.factories import NOON, PERSONAS, TEN, World, a_world, statements

EVERYBODY = set(PERSONAS)


def seen(world: World, who: str, programme: int | None = None) -> set[str]:
    with world.reading(getattr(world, who)) as work:
        return {name.lower() for name in work.tx.scalars(
            select(Person.name).where(visible_people(work, programme or world.programme)))}


@pytest.mark.parametrize(("who", "expected"), [
    ("alice", EVERYBODY), ("ben", EVERYBODY), ("cora", EVERYBODY), ("mona", EVERYBODY),
    ("tom", {"alice", "ben", "cora", "cuno", "tom", "tess", "sara"}),
    ("tess", {"alice", "ben", "cora", "cuno", "tom", "tess"}),
    ("sara", {"sara", "tom", "tess"}), ("gus", {"gus", "sara", "tom"}), ("lena", {"lena", "sara"}),
    ("cuno", {"cuno", "tom", "tess", "sara", "sam", "vic"}), ("zed", set()), ("zara", set()),
])
def test_who_exists_for_whom(world, who, expected):
    world.policy(who_books="staff")
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert seen(world, who) == expected
    if who not in ("zed", "zara"):
        assert seen(world, who, world.elsewhere) == set()


def test_where_practitioners_book_they_see_every_learner(world):
    assert {"sara", "sam", "vic"} <= seen(world, "tess")
    assert not {"gus", "lena", "mona"} & seen(world, "tess")


def test_a_custom_manager_sees_everybody_where_ticked(world):
    world.tick(Action.PEOPLE_SEE)
    assert seen(world, "cuno") == EVERYBODY


def test_the_list_is_searched_filtered_sorted_and_counted(world):
    with world.reading(world.ben) as work:
        page = people_list(work, world.programme, text="sA")
        assert [row.name for row in page.rows] == ["Sam", "Sara"]
        assert [row.name for row in people_list(work, world.programme, text="example to").rows] == ["Tom"]
        assert people_list(work, world.programme, text="nobody").total == 0
        assert people_list(work, world.programme, text="?!").total == 0
        learners = people_list(work, world.programme, role=Role.LEARNER, down=True)
        assert [row.name for row in learners.rows] == ["Vic", "Sara", "Sam"]
        assert people_list(work, world.programme, sort="email").rows[0].name == "Alice"
        assert people_list(work, world.programme, page=99).rows == []
        sara = people_list(work, world.programme, text="sara").rows[0]
        assert (sara.roles, sara.teams, sara.email) == ((Role.LEARNER,), ("Comet",), "sara@example.org")


def test_state_and_next_session(world):
    world.raw(lambda work: work.tx.add(Account(person_id=world.sara, password_hash="x", changed_at=world.now)))
    world.disable(world.vic)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with world.reading(world.ben) as work:
        rows = {row.name: row for row in people_list(work, world.programme).rows}
        assert "Vic" not in rows
        assert (rows["Sara"].state, rows["Sara"].next_at) == (PersonState.ACTIVE, TEN)
        assert (rows["Sam"].state, rows["Sam"].next_at) == (PersonState.INVITED, None)
        assert [row.name for row in people_list(work, world.programme, state=PersonState.OFF).rows] == ["Vic"]
        assert people_list(work, world.programme, state=PersonState.OFF).rows[0].state is PersonState.OFF


@pytest.mark.parametrize("who", ["tom", "sara", "lena", "mona"])
def test_contact_data_is_for_staff_alone_and_not_found_by_search(world, who):
    with world.reading(getattr(world, who)) as work:
        for row in people_list(work, world.programme).rows:
            mine = row.id == work.me
            assert (bool(row.email), row.state) == (mine, None)
        assert people_list(work, world.programme, text="example").total == 0
        assert people_list(work, world.programme, text=who).total == 1
        assert pick(work, world.programme, None, "example") == []


def test_roles_that_one_may_not_know_of_are_neither_shown_nor_found(world):
    world.grant(world.tom, Role.GUARDIAN)
    world.grant(world.tom, Role.LEARNER)
    with world.reading(world.sara) as work:
        tom = next(row for row in people_list(work, world.programme).rows if row.name == "Tom")
        assert tom.roles == (Role.PRACTITIONER,)
        assert people_list(work, world.programme, role=Role.GUARDIAN).total == 0
        assert [each.name for each in pick(work, world.programme, Role.LEARNER, "")] == ["Sara"]
        assert [each.roles for each in profile(work, world.tom).roles] == [(Role.PRACTITIONER,)]


def test_profile_for_staff_and_for_oneself(world):
    world.grant(world.sara, Role.PRACTITIONER, programme=world.elsewhere)
    booked = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with world.reading(world.ben) as work:
        sara = profile(work, world.sara)
        assert (sara.email, sara.state, sara.is_me) == ("sara@example.org", PersonState.INVITED, False)
        assert [each.programme for each in sara.roles] == ["Home"], "what she does elsewhere is not Ben's business"
        assert {(tied.other, tied.tie, tied.other_is_learner) for tied in sara.relations} == {
            ("Gus", "guardian", False), ("Lena", "line manager", False)}
        assert [(each.team, each.idea) for each in sara.teams] == [("Comet", "Bikes that fly")]
        assert [row.id for row in sara.upcoming] == [booked]
        assert not {Action.PEOPLE_EDIT, Action.PERSON_DISABLE} & sara.may, "she belongs to another programme too"
        assert Action.PEOPLE_EDIT in profile(work, world.sam).may
        assert [tied.other for tied in profile(work, world.gus).relations] == ["Sara"]
    with world.reading(world.sara) as work:
        me = profile(work, world.sara)
        assert me.is_me
        assert {each.programme for each in me.roles} == {"Home", "Elsewhere"}
        assert len(me.relations) == 2
        assert Action.PEOPLE_EDIT not in me.may


def test_profile_for_others(world):
    world.raw(lambda work: work.tx.get_one(Person, world.sara).__setattr__("about", "Shy"))
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with world.reading(world.gus) as work:
        sara = profile(work, world.sara)
        assert (sara.email, sara.about) == ("sara@example.org", "Shy")
        assert [tied.other for tied in sara.relations] == ["Gus"], "another adult is not shown"
        assert profile(work, world.tom).email == ""
    with world.reading(world.lena) as work:
        sara = profile(work, world.sara)
        assert (sara.email, sara.about, sara.teams, len(sara.upcoming)) == ("", "", (), 1), "D7: no words"
        assert [tied.other for tied in sara.relations] == ["Lena"]
    with world.reading(world.tom) as work:
        sara = profile(work, world.sara)
        assert (sara.email, sara.about, sara.relations, sara.state) == ("", "Shy", (), None)


@pytest.mark.parametrize(("who", "whom"), [
    ("ben", "zoe"), ("zara", "sara"), ("sara", "sam"), ("sara", "gus"), ("gus", "sam"), ("lena", "tom"),
    ("sara", "alice"), ("zed", "tom"),
])
def test_x6_profiles_of_strangers_do_not_exist(world, who, whom):
    with world.reading(getattr(world, who)) as work, pytest.raises(NotFound):
        profile(work, getattr(world, whom))


def test_x6_a_foreign_programme_does_not_exist(world):
    with world.reading(world.ben) as work:
        for ask in (people_list, lambda w, p: pick(w, p, None, ""), lambda w, p: pick_teams(w, p, "")):
            with pytest.raises(NotFound):
                ask(work, world.elsewhere)
        assert names(work, world.elsewhere, [world.zed]) == {}
        assert names(work, world.programme, [world.zed, world.tom, 99_999]) == {world.tom: "Tom"}


def test_picking(world):
    world.person("Sara", Role.LEARNER, email="sara.two@example.org")
    world.disable(world.vic)
    with world.reading(world.ben) as work:
        assert [(each.name, each.hint) for each in pick(work, world.programme, Role.LEARNER, "sar")] == [
            ("Sara", "sara@example.org"), ("Sara", "sara.two@example.org")]
        assert len(pick(work, world.programme, Role.LEARNER, "")) == 3, "not those switched off"
        assert len(pick(work, world.programme, None, "", most=2)) == 2
        assert [(each.name, each.hint) for each in pick_teams(work, world.programme, "bik")] == [
            ("Comet", "Bikes that fly")]
        assert pick_teams(work, world.programme, "theirs") == []
    with world.reading(world.tom) as work:
        assert [each.hint for each in pick(work, world.programme, Role.LEARNER, "sar")] == ["Comet", ""]


def test_teams_that_exist_for_whom(world):
    world.policy(who_books="staff")
    world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    expected = {"ben": 2, "mona": 2, "tom": 1, "tess": 0, "sara": 1, "vic": 0, "gus": 1, "zed": None}
    for who, count in expected.items():
        with world.reading(getattr(world, who)) as work:
            if count is None:
                with pytest.raises(NotFound):
                    pick_teams(work, world.programme, "")
            else:
                assert len(pick_teams(work, world.programme, "")) == count, who


@pytest.mark.parametrize("who", ["ben", "tom", "sara", "gus", "lena"])
def test_the_same_number_of_queries_at_any_length(engine, who):
    world = a_world(engine, who_books="clients too")

    def count() -> int:
        with world.reading(getattr(world, who)) as work, statements(engine) as sent:
            people_list(work, world.programme)
        return len(sent)

    few = count()
    for n in range(45):
        world.person(f"Learner {n:02}", Role.LEARNER, Role.PRACTITIONER)
    assert count() == few
    assert few <= 9


def test_x6_that_somebody_hidden_takes_part_shows_neither_on_a_profile_nor_in_a_list(world):
    """Gus sees the session for Sara's sake, and Tess because she leads another one; not that she attends this one."""
    world.grant(world.tess, Role.LEARNER)
    attended = world.book(practitioner=world.tom, learner_ids=(world.sara, world.tess), starts_at=TEN)
    led = world.book(practitioner=world.tess, learner=world.sara, starts_at=NOON)
    for who, seen in ((world.gus, [led]), (world.ben, [attended, led]), (world.tess, [attended, led])):
        with world.reading(who) as work:
            assert [row.id for row in profile(work, world.tess).upcoming] == seen
            listed = {row.id: row.next_at for row in people_list(work, world.programme).rows}
            assert listed[world.tess] == (NOON if who == world.gus else TEN)


def test_x6_groups_show_in_programmes_that_one_runs_alone(world):
    for who in (world.ben, world.tom):
        world.grant(who, Role.PRACTITIONER, programme=world.elsewhere)
    for programme, name in ((world.programme, "Here"), (world.elsewhere, "There")):
        group = world.add(Group, programme_id=programme, name=name)
        world.add(GroupMember, group_id=group, person_id=world.tom, granted=True)
    for who, groups in (
        (world.ben, ["Here"]), (world.tom, ["Here", "There"]), (world.zara, ["There"]), (world.tess, []),
    ):
        with world.reading(who) as work:
            assert [each.group for each in profile(work, world.tom).groups] == groups


def test_x6_a_tie_counts_for_as_long_as_its_role_is_held(world):
    world.tie(Tie.LINE_MANAGER, world.gus, world.sam)
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    with world.reading(world.gus) as work:
        assert [part.name for part in worksheet(work, session).parts] == ["Sara"]
    world.grant(world.gus, Role.LINE_MANAGER)
    with world.reading(world.gus) as work:
        assert [part.name for part in worksheet(work, session).parts] == ["Sam", "Sara"]

"""Adding people, and every field of the form with what does not belong there."""

import pytest
from sqlalchemy import func, select

from core.errors import Invalid, NotAllowed, NotFound
from core.people.commands import NewPerson, add_people
from core.permissions import Action
from core.work import THE_PORTAL
from db.models.people import Person, TeamMember
from db.models.programmes import RoleGrant
from db.words import Role
from tests.core.bad_input import BLANK, CONTROL, EMOJI, HTML, SURROGATE, TURNED, WRONG_TYPE
from tests.factories import World

LEARNER = (Role.LEARNER,)


def add(world: World, *people: NewPerson, by: int | None = None) -> list[int]:
    return list(world.do(by or world.ben, add_people, world.programme, list(people)).result)


def roles(world: World, person: int, programme: int) -> set[Role]:
    return set(world.all(select(RoleGrant.role).where(
        RoleGrant.person_id == person, RoleGrant.programme_id == programme)))


def test_adds_with_role_team_and_tidied_data(world):
    (nina,) = add(world, NewPerson("  Nina  ", LEARNER, "Nina@Example.ORG ", "+44 20 7946 0958", "Hi\r\nthere",
                                   "Europe/Paris", (world.comet,)))
    assert world.all(select(Person.name, Person.email, Person.phone, Person.about, Person.zone).where(
        Person.id == nina)) == [("Nina", "nina@example.org", "+44 20 7946 0958", "Hi\nthere", "Europe/Paris")]
    assert roles(world, nina, world.programme) == {Role.LEARNER}
    assert world.one(select(TeamMember.team_id).where(TeamMember.learner_id == nina)) == world.comet


def test_many_are_all_or_none(world):
    before = world.one(select(func.count()).select_from(Person))
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("Nina", LEARNER), NewPerson("", LEARNER))
    assert (refused.value.item, set(refused.value.problems)) == (1, {"name"})
    assert world.one(select(func.count()).select_from(Person)) == before
    assert len(add(world, *(NewPerson(f"Learner {n}", LEARNER) for n in range(40)))) == 40


@pytest.mark.parametrize("name", [*BLANK, *WRONG_TYPE, "x" * 121, CONTROL, TURNED, SURROGATE, "two\nlines"])
def test_a_name_that_cannot_be_taken(world, name):
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson(name, LEARNER))
    assert set(refused.value.problems) == {"name"}


@pytest.mark.parametrize("name", [EMOJI, HTML, "x" * 120, "O'Brien-Smith", "李小龍"])
def test_html_and_emoji_are_just_text(world, name):
    (made,) = add(world, NewPerson(name, LEARNER, about=f"{name}\n\n{name}"))
    assert world.one(select(Person.name).where(Person.id == made)) == name


@pytest.mark.parametrize(("field", "value"), [
    *(("email", bad) for bad in ("sara", "sara@", "@x.org", "a@b", "a b@x.org", "a@x..org", "<a@x.org>",
                                 "a@x.org,b@x.org",
                                 "x" * 65 + "@x.org", "a@" + "x" * 250 + ".org", CONTROL, SURROGATE, 7)),
    *(("phone", bad) for bad in ("call me", "+", "1" * 41, "12\n34", HTML, EMOJI, 7, "٣٤٥")),
    *(("zone", bad) for bad in ("Mars/Base", "../../etc/passwd", "europe", "x" * 65, 7, CONTROL)),
    *(("about", bad) for bad in ("x" * 4001, CONTROL, SURROGATE, 7)),
])
def test_each_field_is_refused_beside_itself(world, field, value):
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("Nina", LEARNER, **{field: value}))
    assert set(refused.value.problems) == {field}
    assert refused.value.problems[field].endswith((".", "Europe/London."))


@pytest.mark.parametrize("given", [(), ("king",)])
def test_a_role_is_needed(world, given):
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("Nina", given))
    assert set(refused.value.problems) == {"roles"}


@pytest.mark.parametrize("team", ["their_team", "retired", "nowhere"])
def test_x6_teams_of_other_programmes_do_not_exist(world, team):
    id_ = {"their_team": world.their_team, "retired": world.team("Old", retired_at=world.now), "nowhere": 99_999}[team]
    with pytest.raises(Invalid, match="Choose a team of this programme") as refused:
        add(world, NewPerson("Nina", LEARNER, team_ids=(id_,)))
    assert set(refused.value.problems) == {"teams"}


def test_only_learners_are_in_teams(world):
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("Nina", (Role.GUARDIAN,), team_ids=(world.comet,)))
    assert set(refused.value.problems) == {"teams"}


def test_roles_that_run_a_programme_take_a_master_admin(world):
    with pytest.raises(Invalid, match="Only a master admin"):
        add(world, NewPerson("Nina", (Role.MASTER_ADMIN,)))
    (nina,) = add(world, NewPerson("Nina", (Role.BASIC_ADMIN,)), by=world.alice)
    assert roles(world, nina, world.programme) == {Role.BASIC_ADMIN}
    with pytest.raises(Invalid, match="settings"):
        add(world, NewPerson("Nick", (Role.CUSTOM_MANAGER,)), by=world.alice)


def test_a_known_address_adds_the_role_and_makes_nobody_twice(world):
    before = world.one(select(func.count()).select_from(Person))
    saved = world.do(world.ben, add_people, world.programme, [NewPerson("Somebody", LEARNER, " ZOE@example.org")])
    assert saved.result == [world.zoe]
    assert "already known here" in saved.said
    assert "Elsewhere" not in saved.said
    assert roles(world, world.zoe, world.programme) == {Role.LEARNER}
    assert roles(world, world.zoe, world.elsewhere) == {Role.LEARNER}
    assert world.one(select(Person.name).where(Person.id == world.zoe)) == "Zoe"
    assert world.one(select(func.count()).select_from(Person)) == before


def test_who_has_the_role_already_is_not_added_again(world):
    with pytest.raises(Invalid, match="in this programme already") as refused:
        add(world, NewPerson("Sara", LEARNER, "sara@example.org"))
    assert set(refused.value.problems) == {"email"}
    add(world, NewPerson("Sara", (Role.PRACTITIONER,), "sara@example.org"))
    assert roles(world, world.sara, world.programme) == {Role.LEARNER, Role.PRACTITIONER}


def test_an_address_twice_in_one_act(world):
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("A", LEARNER, "new@x.org"), NewPerson("B", LEARNER, "NEW@x.org"))
    assert (refused.value.item, set(refused.value.problems)) == (1, {"email"})


@pytest.mark.parametrize("who", ["mona", "tom", "sara", "gus", "lena", "cuno"])
def test_who_may_not_add_people(world, who):
    with pytest.raises(NotAllowed):
        add(world, NewPerson("Nina", LEARNER), by=getattr(world, who))


@pytest.mark.parametrize("who", ["zed", "zoe", "zara"])
def test_x6_a_foreign_programme_does_not_exist(world, who):
    with pytest.raises(NotFound):
        add(world, NewPerson("Nina", LEARNER), by=getattr(world, who))


def test_the_installation_adds_people(world):
    assert world.do(THE_PORTAL, add_people, world.programme, [NewPerson("Nina", LEARNER)]).said == "Added Nina."


def test_a_guessed_address_tells_nothing_that_was_not_typed(world):
    said = world.do(world.ben, add_people, world.programme, [NewPerson("Somebody", LEARNER, "zara@example.org")]).said
    assert "Zara" not in said
    with pytest.raises(Invalid) as refused:
        add(world, NewPerson("Nobody", LEARNER, "sara@example.org"))
    assert "Sara" not in str(refused.value)


def test_nobody_adds_themselves_but_who_grants_roles(world):
    world.tick(Action.PEOPLE_EDIT)
    for who, name in ((world.cuno, "cuno"), (world.ben, "ben")):
        with pytest.raises(NotAllowed, match="give yourself"):
            add(world, NewPerson("Me", (Role.PRACTITIONER,), f"{name}@example.org"), by=who)
    add(world, NewPerson("Me", (Role.PRACTITIONER,), "alice@example.org"), by=world.alice)
    assert Role.PRACTITIONER in roles(world, world.alice, world.programme)

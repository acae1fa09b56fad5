"""Editing people, one's own profile, and accounts."""

import pytest
from sqlalchemy import insert, select

from core.access.commands import make_password_link
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.people.commands import PersonEdit, disable_people, edit_own_profile, edit_people, enable_people, relate
from core.people.queries import profile
from core.permissions import Action
from core.programmes.commands import grant_role, revoke_role
from core.programmes.staff import staff_grants
from core.sessions.rules import StaleForm
from core.work import THE_PORTAL
from db.models.access import SignIn
from db.models.people import Person
from db.words import Role, Tie
from tests.core.bad_input import BLANK, EMOJI, HTML, WRONG_TYPE
from tests.factories import DAY, World


def edit(world: World, who: int, person: int, version: int | None = None, **changes: object) -> object:
    return world.do(who, edit_people, [PersonEdit(person, changes, version)]).result


def row(world: World, person: int) -> Person:
    with world.reading(THE_PORTAL) as work:
        found = work.tx.get_one(Person, person)
        work.tx.expunge(found)
        return found


def test_changes_what_is_given_and_counts_versions(world):
    edit(world, world.ben, world.sara, 1, name=HTML, phone="123 456", about=EMOJI)
    sara = row(world, world.sara)
    assert (sara.name, sara.phone, sara.about, sara.email, sara.version) == (
        HTML, "123 456", EMOJI, "sara@example.org", 2)
    edit(world, world.ben, world.sara, 2, phone="")
    assert row(world, world.sara).phone is None
    edit(world, world.ben, world.sara, 3, phone=None)
    assert row(world, world.sara).version == 3, "nothing was different"


def test_a_stale_form_shows_both_versions_and_loses_neither(world):
    edit(world, world.ben, world.sara, 1, name="Sarah", phone="111 111")
    with pytest.raises(StaleForm, match="somebody else") as refused:
        edit(world, world.alice, world.sara, 1, name="Sally")
    assert (refused.value.theirs, refused.value.version) == ({"name": "Sarah"}, 2)
    assert row(world, world.sara).name == "Sarah"


@pytest.mark.parametrize(("field", "value"), [
    *(("name", bad) for bad in (*BLANK, *WRONG_TYPE, "x" * 121)), ("email", "tom@example.org"), ("email", "nobody"),
    ("phone", "x"), ("zone", "Nowhere"), ("about", "x" * 4001), ("disabled_at", None), ("id", 7),
])
def test_each_field_is_refused_beside_itself(world, field, value):
    with pytest.raises(Invalid) as refused:
        edit(world, world.ben, world.sara, **{field: value})
    assert set(refused.value.problems) == {field}


def test_many_are_all_or_none(world):
    with pytest.raises(Invalid) as refused:
        world.do(world.ben, edit_people, [PersonEdit(world.sara, {"name": "S"}), PersonEdit(world.sam, {"name": ""})])
    assert refused.value.item == 1
    assert row(world, world.sara).name == "Sara"
    with pytest.raises(Invalid, match="twice"):
        world.do(world.ben, edit_people, [PersonEdit(world.sara, {}), PersonEdit(world.sara, {})])


@pytest.mark.parametrize("who", ["mona", "tom", "sara", "gus", "lena"])
def test_who_may_not_edit_others(world, who):
    world.policy(who_books="clients too")
    target = world.sam if who == "tom" else world.tom if who == "sara" else world.sara
    with pytest.raises(NotAllowed):
        edit(world, getattr(world, who), target, name="X")


def test_x6_strangers_do_not_exist(world):
    for who, target in ((world.ben, world.zoe), (world.zara, world.sara), (world.gus, world.sam), (world.ben, 99_999)):
        with pytest.raises(NotFound):
            edit(world, who, target, name="X")
        with pytest.raises(NotFound):
            world.do(who, disable_people, [target])
        with pytest.raises(NotFound):
            world.do(who, enable_people, [target])


def test_those_who_run_a_programme_are_edited_by_its_master_admins(world):
    with pytest.raises(NotAllowed):
        edit(world, world.ben, world.alice, name="X")
    edit(world, world.alice, world.ben, name="Benjamin")


@pytest.mark.parametrize("changes", [{"name": "Zedd"}, {"phone": "123 456"}, {"email": "ben+zed@example.org"}])
def test_who_takes_part_elsewhere_too_is_edited_by_who_runs_all_of_it(world, changes):
    world.grant(world.zed, Role.LEARNER)
    with pytest.raises(NotAllowed, match="do not run"):
        edit(world, world.ben, world.zed, **changes)
    with world.reading(world.ben) as work:
        shown = profile(work, world.zed)
    assert (shown.name, shown.email, Action.PEOPLE_EDIT in shown.may) == ("Zed", "zed@example.org", False)
    world.grant(world.ben, Role.MASTER_ADMIN, programme=world.elsewhere)
    edit(world, world.ben, world.zed, **changes)


def test_who_lost_everything_is_looked_after_where_that_was(world):
    """A role taken by mistake can be given back from the profile; admins of elsewhere get nowhere."""
    world.do(world.ben, revoke_role, world.programme, world.vic, Role.LEARNER)
    for stranger in (world.zara, world.tom):
        with pytest.raises(NotFound):
            world.do(stranger, make_password_link, {world.vic: "t" * 40})
        with pytest.raises(NotFound), world.reading(stranger) as work:
            profile(work, world.vic)
    with pytest.raises(NotFound):
        world.do(world.zara, grant_role, world.elsewhere, world.vic, Role.LEARNER)
    with world.reading(world.ben) as work:
        assert profile(work, world.vic).name == "Vic"
    world.do(world.ben, make_password_link, {world.vic: "t" * 40})
    world.do(world.ben, grant_role, world.programme, world.vic, Role.LEARNER)
    with pytest.raises(NotFound):
        world.do(world.zara, make_password_link, {world.person("Never"): "u" * 40})


def test_nobody_gives_themselves_a_role_but_who_grants_them_all(world):
    world.tick(Action.PEOPLE_EDIT)
    for who in (world.cuno, world.ben):
        for role in (Role.PRACTITIONER, Role.LEARNER):
            with pytest.raises(NotAllowed, match="give yourself"):
                world.do(who, grant_role, world.programme, who, role)
        for adult, learner in ((who, world.sara), (world.gus, who)):
            with pytest.raises(NotAllowed, match="give yourself"):
                world.do(who, relate, world.programme, Tie.GUARDIAN, adult, learner)
    world.do(world.alice, grant_role, world.programme, world.alice, Role.PRACTITIONER)


@pytest.mark.parametrize("who", ["ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena"])
def test_who_runs_a_programme_is_for_those_who_grant_roles(world, who):
    with pytest.raises(NotAllowed), world.reading(getattr(world, who)) as work:
        staff_grants(work, world.programme)
    with pytest.raises(NotFound), world.reading(world.zara) as work:
        staff_grants(work, world.programme)
    with world.reading(world.alice) as work:
        assert {grant.name for grant in staff_grants(work, world.programme)} == {"Alice", "Ben", "Cora", "Cuno", "Mona"}


def test_ones_own_profile(world):
    world.do(world.lena, edit_own_profile, {"name": "Lena B", "zone": "Asia/Tokyo", "phone": "", "about": "Hi"}, 1)
    lena = row(world, world.lena)
    assert (lena.name, lena.zone, lena.about, lena.version) == ("Lena B", "Asia/Tokyo", "Hi", 2)
    with pytest.raises(StaleForm):
        world.do(world.lena, edit_own_profile, {"name": "Lena C"}, 1)
    with pytest.raises(Invalid) as refused:
        world.do(world.lena, edit_own_profile, {"email": "lena@x.org", "disabled_at": None})
    assert set(refused.value.problems) == {"email", "disabled_at"}


def test_switching_off_signs_out_and_on_again(world):
    def came_in(work: object) -> None:
        work.tx.execute(insert(SignIn).values(
            person_id=world.sara, token_hash="a" * 64, created_at=world.now, expires_at=world.now + DAY))

    world.raw(came_in)
    world.do(world.ben, disable_people, [world.sara])
    assert row(world, world.sara).disabled_at == world.now
    assert world.one(select(SignIn.ended_at).where(SignIn.person_id == world.sara)) == world.now
    with pytest.raises(NotAllowed, match="switched off"), world.reading(world.sara):
        pass
    world.do(world.ben, enable_people, [world.sara])
    assert row(world, world.sara).disabled_at is None


def test_nobody_switches_themselves_or_the_last_master_admin_off(world):
    with pytest.raises(Invalid, match="your own"):
        world.do(world.alice, disable_people, [world.alice])
    second = world.person("Abel", Role.MASTER_ADMIN)
    world.do(second, disable_people, [world.alice])
    world.do(second, enable_people, [world.alice])
    with pytest.raises(NotAllowed):
        world.do(world.ben, disable_people, [world.alice])


def test_the_installation_cannot_take_the_last_master_admin_either(world):
    with pytest.raises(Conflict, match="Home would be left without a master admin"):
        world.do(THE_PORTAL, disable_people, [world.alice])
    assert row(world, world.alice).disabled_at is None


@pytest.mark.parametrize("who", ["mona", "tom", "gus", "lena"])
def test_who_may_not_switch_off(world, who):
    with pytest.raises((NotAllowed, NotFound)):
        world.do(getattr(world, who), disable_people, [world.sara])

"""Making programmes, changing how they work, and granting roles."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.permissions import Action
from core.programmes.commands import (
    bring_back_programme,
    change_policy,
    create_programme,
    edit_programme,
    grant_role,
    policy_effects,
    retire_programme,
    revoke_role,
)
from core.programmes.rules import EFFECTS, PRESETS, Policy
from core.sessions.rules import StaleForm
from core.work import THE_PORTAL
from db.models.programmes import Programme, RoleGrant
from db.words import Kind, Outcome, Role
from tests.core.bad_input import BLANK, CONTROL, EMOJI, HTML, SURROGATE, WRONG_TYPE
from tests.factories import DAY, TEN, World

NOT_MASTERS = ["ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena"]


def create(world: World, by: object, name: object = "New", kind: object = Kind.TUTORING, zone: object = "Europe/Paris",
           currency: object = "eur") -> int:
    return int(world.do(by, create_programme, name, kind, zone, currency).result)


def policy_of(world: World) -> Policy:
    return Policy.model_validate(world.one(select(Programme.policy).where(Programme.id == world.programme)))


def held(world: World, person: int) -> set[Role]:
    return set(world.all(select(RoleGrant.role).where(
        RoleGrant.person_id == person, RoleGrant.programme_id == world.programme)))


def test_who_makes_it_runs_it(world):
    made = create(world, world.alice, HTML)
    assert world.all(select(Programme.name, Programme.currency).where(Programme.id == made)) == [(HTML, "EUR")]
    with world.reading(world.alice) as work:
        assert work.actor.holds(made, Role.MASTER_ADMIN)
    create(world, THE_PORTAL, EMOJI)


@pytest.mark.parametrize("who", NOT_MASTERS)
def test_who_may_not_make_or_change_a_programme(world, who):
    actor = getattr(world, who)
    new = policy_of(world).model_copy(update={"usual_minutes": 30})
    for act in ((create_programme, "New", Kind.COACHING, "Europe/Paris", "EUR"),
                (change_policy, world.programme, new), (edit_programme, world.programme, {"name": "X"}),
                (retire_programme, world.programme), (bring_back_programme, world.programme),
                (grant_role, world.programme, world.tom, Role.BASIC_ADMIN),
                (revoke_role, world.programme, world.ben, Role.BASIC_ADMIN)):
        with pytest.raises(NotAllowed):
            world.do(actor, *act)
    with world.reading(actor) as work, pytest.raises(NotAllowed):
        policy_effects(work, world.programme, new)


def test_x6_a_foreign_programme_does_not_exist(world):
    new = PRESETS[Kind.COACHING]
    for programme in (world.elsewhere, 99_999):
        for act in ((change_policy, programme, new), (edit_programme, programme, {"name": "X"}),
                    (retire_programme, programme), (bring_back_programme, programme),
                    (grant_role, programme, world.tom, Role.LEARNER), (grant_role, programme, world.tom, "king"),
                    (revoke_role, programme, world.zed, Role.PRACTITIONER)):
            with pytest.raises(NotFound):
                world.do(world.alice, *act)
        with world.reading(world.alice) as work, pytest.raises(NotFound):
            policy_effects(work, programme, new)
    for stranger in (world.zed, 99_999):
        with pytest.raises(NotFound):
            world.do(world.alice, grant_role, world.programme, stranger, Role.LEARNER)


@pytest.mark.parametrize(("field", "value"), [
    *(("name", bad) for bad in (*BLANK, *WRONG_TYPE, "x" * 121, CONTROL, SURROGATE, "Home", "hOME", "elsewhere")),
    *(("zone", bad) for bad in ("", None, "Nowhere", 7)), *(("currency", bad) for bad in ("", None, "XXX", "EURO", 7)),
    *(("kind", bad) for bad in ("dating", None, "")),
])
def test_each_field_is_refused_beside_itself(world, field, value):
    with pytest.raises(Invalid) as refused:
        create(world, world.alice, **{field: value})
    assert set(refused.value.problems) == {field}
    if field != "kind" and value != "Home" and value != "hOME":
        with pytest.raises(Invalid) as refused:
            world.do(world.alice, edit_programme, world.programme, {field: value})
        assert set(refused.value.problems) == {field}


def test_zone_and_currency_stay_once_there_are_sessions(world):
    world.do(world.alice, edit_programme, world.programme, {"zone": "Asia/Tokyo", "currency": "JPY"}, 1)
    with pytest.raises(StaleForm) as refused:
        world.do(world.alice, edit_programme, world.programme, {"name": "X"}, 1)
    assert (refused.value.theirs["time zone"], refused.value.version) == ("Asia/Tokyo", 2)
    world.book(practitioner=world.tom, learner=world.sara)
    with pytest.raises(Invalid, match="There are sessions already") as problem:
        world.do(world.alice, edit_programme, world.programme, {"zone": "Europe/Rome", "currency": "EUR"})
    assert set(problem.value.problems) == {"zone", "currency"}
    world.do(world.alice, edit_programme, world.programme, {"name": "HOME", "zone": "Asia/Tokyo", "currency": "jpy"})


def test_a_policy_is_replaced_with_its_effect_in_words(world):
    new = policy_of(world).model_copy(update={"usual_minutes": 45})
    saved = world.do(world.alice, change_policy, world.programme, new, 1)
    assert saved.said == "A new booking starts out with 45 minutes."
    assert policy_of(world) == new
    with pytest.raises(StaleForm) as refused:
        world.do(world.alice, change_policy, world.programme, new, 1)
    assert "45" in refused.value.theirs["usual minutes"]
    broken = new.model_copy(update={"usual_minutes": 7})
    with pytest.raises(ValueError, match="usual_minutes"):
        world.do(world.alice, change_policy, world.programme, broken)


def test_effects_are_told_with_counts_before_saving(world):
    old = world.policy(who_books="clients too", types=("coaching", "review"))
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, type="review")
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)
    new = old.model_copy(update={
        "who_books": "staff", "types": ("coaching",),
        "open_hours": [None, None, *old.open_hours[2:]], "usual_minutes": 60,
    })
    with world.reading(world.alice) as work:
        said = policy_effects(work, world.programme, Policy.model_validate(new.model_dump()))
        assert policy_effects(work, world.programme, old) == []
    text = " ".join(said)
    assert "1 session is ahead of a type" in text or "1 session ahead" in text
    assert "2 coaches can no longer book." in text
    assert "3 members can no longer book." in text


def test_a_programme_with_sessions_ahead_is_not_retired(world):
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Conflict, match="1 session is still ahead"):
        world.do(world.alice, retire_programme, world.programme)
    world.do(world.alice, retire_programme, world.programme, now=TEN + timedelta(days=2))
    assert world.one(select(Programme.retired_at).where(Programme.id == world.programme)) is not None
    world.do(world.alice, bring_back_programme, world.programme)
    assert world.one(select(Programme.retired_at).where(Programme.id == world.programme)) is None


def test_roles_are_granted_and_revoked_with_effect_at_once(world):
    world.do(world.alice, grant_role, world.programme, world.ben, Role.MASTER_ADMIN)
    world.do(world.ben, edit_programme, world.programme, {"name": "Ours"})
    world.do(world.alice, revoke_role, world.programme, world.ben, Role.MASTER_ADMIN)
    with pytest.raises(NotAllowed):
        world.do(world.ben, edit_programme, world.programme, {"name": "Mine"})
    with pytest.raises(NotFound):
        world.do(world.alice, revoke_role, world.programme, world.ben, Role.MASTER_ADMIN)
    with pytest.raises(Conflict, match="already"):
        world.do(world.alice, grant_role, world.programme, world.ben, Role.BASIC_ADMIN)


def test_those_who_edit_people_give_ordinary_roles_alone(world):
    world.do(world.ben, grant_role, world.programme, world.tess, Role.LEARNER)
    world.do(world.ben, revoke_role, world.programme, world.tess, Role.LEARNER)
    assert held(world, world.tess) == {Role.PRACTITIONER}
    with pytest.raises(Invalid, match="one of the roles"):
        world.do(world.ben, grant_role, world.programme, world.tess, "king")


def test_never_the_last_master_admin(world):
    with pytest.raises(Conflict, match="Home would be left without a master admin"):
        world.do(world.alice, revoke_role, world.programme, world.alice, Role.MASTER_ADMIN)
    off = world.person("Abel", Role.MASTER_ADMIN)
    world.disable(off)
    with pytest.raises(Conflict):
        world.do(world.alice, revoke_role, world.programme, world.alice, Role.MASTER_ADMIN)
    assert held(world, world.alice) == {Role.MASTER_ADMIN}


def test_what_is_ticked_for_a_custom_manager(world):
    for wrong in (None, [], ["EVERYTHING"], ["ROLES_GRANT"], ["PROGRAMME_EDIT"], ["SESSION_SEE"]):
        with pytest.raises(Invalid) as refused:
            world.do(world.alice, grant_role, world.programme, world.cuno, Role.CUSTOM_MANAGER, wrong)
        assert set(refused.value.problems) == {"permissions"}
    world.do(world.alice, grant_role, world.programme, world.cuno, Role.CUSTOM_MANAGER, ["PEOPLE_EDIT", "LISTS_EDIT"])
    with world.reading(world.cuno) as work:
        assert work.actor.ticked[world.programme] == {Action.PEOPLE_EDIT.name, Action.LISTS_EDIT.name}
    with pytest.raises(Invalid):
        world.do(world.alice, grant_role, world.programme, world.tom, Role.BASIC_ADMIN, ["PEOPLE_EDIT"])


def test_revoking_says_what_is_still_ahead(world):
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert "1 session is still ahead" in world.do(
        world.ben, revoke_role, world.programme, world.tom, Role.PRACTITIONER).said
    assert "1 session is still ahead" in world.do(
        world.ben, revoke_role, world.programme, world.sara, Role.LEARNER).said


def test_x5_ticks_changed_meanwhile_are_not_overwritten(world: World) -> None:
    def tick(*names: str, was: tuple[str, ...]) -> None:
        world.do(world.alice, grant_role, world.programme, world.cuno, Role.CUSTOM_MANAGER, list(names), was)

    tick("INSIGHT_SEE", was=())
    with pytest.raises(Conflict, match="What Cuno may do was changed by somebody else"):
        tick("PEOPLE_SEE", was=())
    tick("PEOPLE_SEE", was=("INSIGHT_SEE",))


def test_sentences_keep_to_the_words_of_the_programme() -> None:
    policy = PRESETS[Kind.APPRENTICESHIP]
    assert policy.words.a("practitioner") == "an assessor"
    assert policy.words.a("learner") == "a learner"
    assert policy.words.outcome(Outcome.PRACTITIONER_CANCELLED) == "assessor cancelled"
    assert "practitioner" not in EFFECTS["required"](policy)
    assert EFFECTS["most_a_day"](policy).startswith("An assessor takes")

"""X5: undoing takes the right to do the opposite by hand, at this moment, and answers nobody else."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from core.attending import commands as attending
from core.attending.rules import Attendance
from core.errors import Conflict, NotAllowed, NotFound, Refusal
from core.history.commands import undo
from core.history.queries import timeline
from core.people import commands as people
from core.people.commands import NewPerson, PersonEdit
from core.permissions import Action
from core.programmes import commands as programmes
from core.programmes.queries import programme_of
from core.programmes.rules import WhoBooks
from core.sessions.booking import book_sessions
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    edit_sessions,
    reassign_sessions,
    replace_participants,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import cancel_sessions, delete_sessions
from core.structure.commands import add_entries, edit_entry, retire_entries
from core.structure.rules import Entry, Which
from core.work import Saved
from db.models.history import ChangeSet
from db.models.people import Group, GroupMember, Person, Relation, TeamMember
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.models.structure import Course
from db.words import Outcome, Role, Tie
from tests.factories import DAY, NOON, TEN, World


def take_back(world: World, saved: Saved, by: int, **kw: object) -> Saved:
    return world.do(by, undo, saved.act_id, undoes=saved.act_id, **kw)


def roles(world: World, who: int) -> set[Role]:
    return set(world.all(select(RoleGrant.role).where(
        RoleGrant.person_id == who, RoleGrant.programme_id == world.programme)))


# Staff: the right of the opposite act ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ben", "cuno"])
def test_x5_undo_makes_nobody_master_admin_again(world: World, name: str) -> None:
    world.tick(Action.UNDO_ANY)
    who = world.people[name]
    world.grant(who, Role.MASTER_ADMIN)
    saved = world.do(world.alice, programmes.revoke_role, world.programme, who, Role.MASTER_ADMIN)
    with pytest.raises(NotAllowed, match="grant roles"):
        take_back(world, saved, who)
    assert Role.MASTER_ADMIN not in roles(world, who)
    take_back(world, saved, world.alice)
    assert Role.MASTER_ADMIN in roles(world, who)


def test_x5_undo_any_alone_changes_neither_roles_nor_people_nor_lists(world: World) -> None:
    world.tick(Action.UNDO_ANY)
    acts = [
        world.do(world.alice, programmes.grant_role, world.programme, world.tess, Role.LEARNER),
        world.do(world.alice, programmes.revoke_role, world.programme, world.tess, Role.LEARNER),
        world.do(world.alice, people.relate, world.programme, Tie.GUARDIAN, world.gus, world.sam),
        world.do(world.alice, people.join_team, world.lonely, [world.sam]),
        world.do(world.alice, people.edit_people, [PersonEdit(world.sara, {"phone": "12345"})]),
        world.do(world.alice, edit_entry, Which.ROOM, world.room, {"name": "Red room"}),
        world.do(world.alice, people.add_people, world.programme, [NewPerson("New", (Role.LEARNER,))]),
    ]
    for saved in acts:
        with pytest.raises(Refusal):
            take_back(world, saved, world.cuno)


def test_x5_undoing_a_policy_takes_the_right_to_change_it(world: World) -> None:
    with world.reading(world.alice) as work:
        policy = programme_of(work, world.programme).policy
    changed = policy.model_copy(update={"who_books": WhoBooks.STAFF})
    saved = world.do(world.alice, programmes.change_policy, world.programme, changed)
    with pytest.raises(NotAllowed, match="settings"):
        take_back(world, saved, world.ben)
    take_back(world, saved, world.alice)


def test_x5_a_master_admin_switched_off_comes_back_by_master_admins_alone(world: World) -> None:
    max_ = world.person("Max", Role.MASTER_ADMIN)
    saved = world.do(world.alice, people.disable_people, [max_])
    with pytest.raises(NotAllowed):
        take_back(world, saved, world.ben)
    take_back(world, saved, world.alice)
    assert world.one(select(Person.disabled_at).where(Person.id == max_)) is None


def test_x5_undo_leaves_a_master_admin(world: World) -> None:
    granted = world.do(world.alice, programmes.grant_role, world.programme, world.ben, Role.MASTER_ADMIN)
    world.do(world.ben, programmes.revoke_role, world.programme, world.alice, Role.MASTER_ADMIN)
    with pytest.raises(Conflict, match="left without a master admin"):
        take_back(world, granted, world.ben)
    assert Role.MASTER_ADMIN in roles(world, world.ben)


def test_x5_undoing_a_switch_on_keeps_a_master_admin_and_oneself(world: World) -> None:
    world.disable(world.ben)
    on = world.do(world.alice, people.enable_people, [world.ben])
    world.grant(world.ben, Role.MASTER_ADMIN)
    with pytest.raises(Conflict, match="your own account"):
        take_back(world, on, world.ben)
    world.do(world.ben, programmes.revoke_role, world.programme, world.alice, Role.MASTER_ADMIN)
    world.grant(world.tess, Role.MASTER_ADMIN)
    take_back(world, on, world.tess)
    assert world.one(select(Person.disabled_at).where(Person.id == world.ben)) is not None


def test_x5_nobody_gives_themselves_a_role_by_undo(world: World) -> None:
    world.tick(Action.UNDO_ANY, Action.PEOPLE_EDIT)
    world.grant(world.cuno, Role.PRACTITIONER)
    saved = world.do(world.alice, programmes.revoke_role, world.programme, world.cuno, Role.PRACTITIONER)
    with pytest.raises(NotAllowed, match="yourself"):
        take_back(world, saved, world.cuno)


def test_x5_staff_undo_what_names_no_programme(world: World) -> None:
    """History of an update holds no more than what changed."""
    group = world.group("Peers", {world.tom: False, world.tess: False})
    acts = [
        world.do(world.cora, edit_entry, Which.COURSE, world.maths, {"name": "Algebra"}),
        world.do(world.cora, retire_entries, Which.ROOM, [world.room]),
        world.do(world.cora, edit_entry, Which.TIMETABLE, world.weekly, {"name": "Fortnightly"}),
        world.do(world.cora, edit_entry, Which.TEAM, world.comet, {"idea": "Boats that fly"}),
        world.do(world.ben, people.leave_team, world.one(
            select(TeamMember.id).where(TeamMember.learner_id == world.sara))),
        world.do(world.alice, programmes.grant_role, world.programme, world.cuno, Role.CUSTOM_MANAGER,
                 [Action.INSIGHT_SEE.name]),
    ]

    def grants_sight(work):  # type: ignore[no-untyped-def]  # a command
        member = work.tx.scalar(select(GroupMember).where(GroupMember.person_id == world.tom))
        member.granted = True

    def renames(work):  # type: ignore[no-untyped-def]  # a command
        work.tx.get(Group, group).name = "Others"

    acts += [world.do(world.ben, grants_sight), world.do(world.ben, renames)]
    for saved in acts:
        with pytest.raises(NotFound):
            take_back(world, saved, world.zara)
        take_back(world, saved, world.alice)
    assert world.one(select(Course.name).where(Course.id == world.maths)) == "Maths"
    assert world.all(select(GroupMember.granted).where(GroupMember.group_id == group)) == [False, False]


# One's own: what one may do now ------------------------------------------------------------------------------------


def test_x5_own_undo_takes_the_right_that_one_has_now(world: World) -> None:
    saved = world.do(world.ben, programmes.revoke_role, world.programme, world.tess, Role.PRACTITIONER)
    world.grant(world.ben, Role.LEARNER)
    world.do(world.alice, programmes.revoke_role, world.programme, world.ben, Role.BASIC_ADMIN)
    with pytest.raises(NotAllowed):
        take_back(world, saved, world.ben)


def test_x5_own_undo_without_any_role_left(world: World) -> None:
    world.grant(world.ben, Role.MASTER_ADMIN)
    ticks = world.do(world.ben, programmes.grant_role, world.programme, world.cuno, Role.CUSTOM_MANAGER,
                     [Action.INSIGHT_SEE.name])
    own = world.do(world.ben, people.edit_own_profile, {"phone": "12345"})
    for role in (Role.MASTER_ADMIN, Role.BASIC_ADMIN):
        world.do(world.alice, programmes.revoke_role, world.programme, world.ben, role)
    with pytest.raises(NotFound):
        take_back(world, ticks, world.ben)
    take_back(world, own, world.ben)
    assert world.one(select(Person.phone).where(Person.id == world.ben)) is None


def test_x5_own_undo_on_a_session_that_is_no_longer_ones_own(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    edited = world.do(world.tom, edit_sessions, [Edit(session, {"description": "x"})])
    world.do(world.ben, reassign_sessions, [Reassign(session, world.tess)])
    with pytest.raises(NotFound):
        take_back(world, edited, world.tom)
    assert world.fact(session, "description") == "x"


def test_b11_own_undo_follows_who_books(world: World) -> None:
    saved = world.do(world.tom, book_sessions,
                     [world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN)])
    session = saved.result[0]
    with world.reading(world.tom) as work:
        assert timeline(work, session)[0].can_undo
    world.policy(who_books="staff")
    with world.reading(world.tom) as work:
        assert not timeline(work, session)[0].can_undo
    with pytest.raises(NotAllowed):
        take_back(world, saved, world.tom)
    assert world.one(select(Session.id)) == session


def test_x5_own_acts_of_every_kind_can_be_undone_and_done_again(world: World) -> None:
    def fresh(starts_at: datetime = TEN) -> int:
        return world.book(by=world.tom, practitioner=world.tom, learner=world.sara, starts_at=starts_at)

    acts: list[Callable[[int], Saved]] = [
        lambda s: world.do(world.tom, reschedule_sessions, [Move(s, NOON)]),
        lambda s: world.do(world.tom, take_off_calendar, [s]),
        lambda s: world.do(world.tom, cancel_sessions, [s], "ill"),
        lambda s: world.do(world.tom, delete_sessions, [s], cancel_first=True),
        lambda s: world.do(world.tom, replace_participants, s, learner_id=world.sam),
    ]
    for act in acts:
        session = fresh()
        undone = take_back(world, act(session), world.tom)
        assert world.fact(session, "status") == "scheduled"
        again = take_back(world, undone, world.tom)
        take_back(world, again, world.tom)
        world.do(world.ben, delete_sessions, [session], cancel_first=True)
    past = fresh(TEN - 7 * DAY)
    recorded = world.do(world.tom, attending.record_outcome, past, [Attendance(world.sara, Outcome.ATTENDED)])
    reopened = world.do(world.tom, attending.reopen_session, past, "wrong day")
    take_back(world, reopened, world.tom)
    assert world.fact(past, "status") == "held"
    take_back(world, recorded, world.tom)
    assert world.fact(past, "status") == "scheduled"


def test_x6_whether_an_act_was_undone_is_not_for_strangers(world: World) -> None:
    saved = world.do(world.ben, book_sessions,
                     [world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN)])
    take_back(world, saved, world.ben)
    said = set()
    for act in (saved.act_id, 10**6):
        with pytest.raises(NotFound) as refused:
            world.do(world.zara, undo, act, undoes=act)
        said.add(refused.value.sentence)
    assert len(said) == 1
    with pytest.raises(Conflict, match="undone already"):
        take_back(world, saved, world.alice)


def test_x5_undo_keeps_what_the_forms_keep_once_there_are_sessions(world: World) -> None:
    """The zone of a programme is part of what was agreed; a custom timetable's sessions are its owner's (B6)."""
    zone = world.do(world.alice, programmes.edit_programme, world.programme, {"zone": "Europe/Paris"})
    owner = world.do(world.alice, edit_entry, Which.TIMETABLE, world.toms_own, {"owner_id": world.tess})
    world.book(practitioner=world.tess, learner=world.sara, timetable=world.toms_own, starts_at=TEN)
    for saved in (zone, owner):
        with pytest.raises(Conflict, match="sessions"):
            take_back(world, saved, world.alice)


# Unique values -----------------------------------------------------------------------------------------------------


def test_x5_a_name_that_was_taken_again(world: World) -> None:
    renamed = world.do(world.alice, edit_entry, Which.COURSE, world.maths, {"name": "Algebra"})
    world.do(world.alice, add_entries, world.programme, Which.COURSE, [Entry("MATHS")])
    with pytest.raises(Conflict, match=r"Later, .* Alice: Added the .* MATHS"):
        take_back(world, renamed, world.alice)


def test_x5_a_role_or_tie_that_was_given_again(world: World) -> None:
    world.grant(world.tess, Role.LEARNER)
    revoked = world.do(world.alice, programmes.revoke_role, world.programme, world.tess, Role.PRACTITIONER)
    world.do(world.alice, programmes.grant_role, world.programme, world.tess, Role.PRACTITIONER)
    tie = world.one(select(Relation.id).where(Relation.tie == Tie.GUARDIAN))
    untied = world.do(world.alice, people.unrelate, tie)
    world.do(world.alice, people.relate, world.programme, Tie.GUARDIAN, world.gus, world.sara)
    for saved, later in ((revoked, "Tess is coach now"), (untied, "Gus is guardian of Sara now")):
        with pytest.raises(Conflict, match=later):
            take_back(world, saved, world.alice)


def test_x5_an_address_that_was_given_to_another(world: World) -> None:
    changed = world.do(world.alice, people.edit_people, [PersonEdit(world.sara, {"email": "new@example.org"})])
    world.do(world.alice, people.edit_people, [PersonEdit(world.sam, {"email": "sara@example.org"})])
    with pytest.raises(Conflict, match="Changed Sam"):
        take_back(world, changed, world.alice)


def test_x6_an_address_that_was_given_to_a_stranger(world: World) -> None:
    changed = world.do(world.alice, people.edit_people, [PersonEdit(world.sara, {"email": "new@example.org"})])
    world.do(world.zara, people.edit_people, [PersonEdit(world.zoe, {"email": "sara@example.org"})])
    with pytest.raises(Conflict, match="belongs to another person") as refused:
        take_back(world, changed, world.alice)
    assert "Zoe" not in refused.value.sentence


# Why ---------------------------------------------------------------------------------------------------------------


def test_x5_the_reason_that_a_command_is_given_is_kept(world: World) -> None:
    def explains(work, why):  # type: ignore[no-untyped-def]  # a command
        work.because(why)

    for why, given, kept in (
        ("It rains.", None, "It rains."), ("", "On paper", "On paper"), ("x" * 900, None, "x" * 500), ("", None, None),
    ):
        saved = world.do(world.ben, explains, why, reason=given)
        assert world.one(select(ChangeSet.reason).where(ChangeSet.id == saved.act_id)) == kept



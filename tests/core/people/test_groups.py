"""A1: groups, whose members may be granted sight of each other's completed sessions."""

from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.people.groups import (
    PAGE,
    Row,
    add_group,
    delete_group,
    grant_sight,
    group_members,
    group_page,
    join_group,
    leave_group,
    rename_group,
)
from core.sessions.visible import seen
from core.work import Saved
from db.models.people import Group, GroupMember
from db.models.programmes import RoleGrant
from tests.factories import NOON, TEN, World


def add(world: World, name: str = "Peers") -> int:
    return int(world.do(world.ben, add_group, world.programme, name).result)


def join(world: World, group: int, person: int, granted: bool = False, by: int | None = None) -> int:
    return int(world.do(by or world.ben, join_group, group, person, granted).result)


def listed(world: World, text: str = "", by: int | None = None) -> list[Row]:
    with world.reading(by or world.ben) as work:
        return group_page(work, world.programme, text=text).rows


def inside(world: World, group: int) -> list[tuple[str, bool]]:
    with world.reading(world.ben) as work:
        return [(one.name, one.granted) for one in group_members(work, world.programme, group)]


def sees(world: World, who: int, session: int) -> bool:
    with world.reading(who) as work:
        return session in seen(work, world.programme, [session])


def take_back(world: World, saved: Saved, by: int | None = None) -> None:
    world.do(by or world.ben, undo, saved.act_id, undoes=saved.act_id)


def test_a1_whoever_is_ticked_lets_the_others_see_completed_sessions_and_no_others(world: World) -> None:
    done = world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN), completed=True)
    ahead = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    group = add(world)
    sara = join(world, group, world.sara)
    vic = join(world, group, world.vic)
    assert not sees(world, world.vic, done)
    ticked = world.do(world.ben, grant_sight, sara, True)
    assert ticked.said == "Sara shares completed sessions with Peers."
    assert sees(world, world.vic, done)
    assert not sees(world, world.vic, ahead)
    assert not sees(world, world.sam, done)
    take_back(world, ticked)
    assert not sees(world, world.vic, done)
    world.do(world.ben, grant_sight, sara, True)
    left = world.do(world.ben, leave_group, vic)
    assert not sees(world, world.vic, done)
    take_back(world, left)
    assert sees(world, world.vic, done)


def test_a1_groups_are_listed_with_their_members_and_found_by_name_or_member(world: World) -> None:
    peers, _ = add(world), add(world, "Empty")
    join(world, peers, world.sara, True)
    join(world, peers, world.tom)
    assert [(row.name, row.members, row.granting) for row in listed(world)] == [("Empty", 0, 0), ("Peers", 2, 1)]
    assert inside(world, peers) == [("Sara", True), ("Tom", False)]
    for text, found in (("peer", ["Peers"]), ("SAR", ["Peers"]), ("%", []), ("zoe", []), ("\0", ["Empty", "Peers"])):
        assert [row.name for row in listed(world, text)] == found


def test_a1_the_list_comes_in_pages(world: World) -> None:
    world.raw(lambda work: work.tx.add_all(
        Group(programme_id=world.programme, name=f"Group {n:03}") for n in range(PAGE + 1)) or None)
    with world.reading(world.ben) as work:
        last = group_page(work, world.programme, number=9)
    assert (last.total, last.pages, last.number, [row.name for row in last.rows]) == (51, 2, 2, ["Group 050"])


def test_a1_a_group_is_added_renamed_deleted_and_each_of_it_undone(world: World) -> None:
    added = world.do(world.ben, add_group, world.programme, "  Peers ")
    group = int(added.result)
    renamed = world.do(world.ben, rename_group, group, "Friends")
    assert (added.said, renamed.said) == ("Added the group Peers.", "Renamed Peers to Friends.")
    take_back(world, renamed)
    assert [row.name for row in listed(world)] == ["Peers"]
    deleted = world.do(world.ben, delete_group, group)
    assert not listed(world)
    take_back(world, deleted)
    assert [row.id for row in listed(world)] == [group]
    take_back(world, added)
    assert not listed(world)


def test_a1_nobody_is_lost_with_a_group(world: World) -> None:
    group = add(world)
    joined = world.do(world.ben, join_group, group, world.sara)
    with pytest.raises(Conflict, match="Somebody is in Peers"):
        world.do(world.ben, delete_group, group)
    take_back(world, joined)
    world.do(world.ben, delete_group, group)
    assert world.one(select(func.count()).select_from(Group)) == 0


def test_x5_a_member_does_not_come_back_to_a_group_that_is_gone(world: World) -> None:
    group = add(world)
    left = world.do(world.ben, leave_group, join(world, group, world.sara))
    world.do(world.ben, delete_group, group)
    with pytest.raises(Conflict, match=r"Later, .*Deleted the group Peers"):
        take_back(world, left)


def test_x5_a_name_that_another_has_by_now_does_not_come_back(world: World) -> None:
    group = add(world)
    renamed = world.do(world.ben, rename_group, group, "Friends")
    add(world, "peers")
    with pytest.raises(Conflict, match="Added the group peers"):
        take_back(world, renamed)


def test_a1_bad_input_gets_a_sentence(world: World) -> None:
    group, other = add(world), add(world, "Others")
    for name, said in (("", "Give the group a name"), ("PEERS", "Another group"), ("x" * 121, "At most 120"),
                       ("two\nlines", "one line"), (7, "as text")):
        for command, about in ((add_group, world.programme), (rename_group, other)):
            with pytest.raises(Invalid, match=said):
                world.do(world.ben, command, about, name)
    assert world.do(world.ben, rename_group, group, "peers").said == "Renamed Peers to peers."
    world.disable(world.tess)
    for nobody in (None, world.zoe, world.tess, 999_999):
        with pytest.raises(Invalid, match="Choose somebody of this programme"):
            world.do(world.ben, join_group, group, nobody)
    join(world, group, world.sara)
    with pytest.raises(Conflict, match="Sara is in peers already"):
        join(world, group, world.sara)
    for command, about in ((rename_group, ("x",)), (delete_group, ()), (join_group, (world.sara,)),
                           (leave_group, ()), (grant_sight, (True,))):
        with pytest.raises(NotFound):
            world.do(world.ben, command, 999_999, *about)


def test_a1_somebody_who_left_the_programme_can_still_be_taken_out(world: World) -> None:
    group = add(world)
    member = join(world, group, world.sam, True)
    world.raw(lambda work: [work.tx.delete(one) for one in work.tx.scalars(
        select(RoleGrant).where(RoleGrant.person_id == world.sam))] and None)
    assert inside(world, group) == [("Sam", True)]
    world.do(world.ben, leave_group, member)
    assert inside(world, group) == []


@pytest.mark.parametrize("who", ["mona", "tom", "sara", "gus", "lena", "cuno", "zara"])
def test_x6_who_may_not_keep_groups(world: World, who: str) -> None:
    group = add(world)
    member, actor = join(world, group, world.sara), getattr(world, who)
    acts: list[tuple[Any, ...]] = [
        (add_group, world.programme, "Mine"), (rename_group, group, "Mine"), (delete_group, group),
        (join_group, group, world.vic), (leave_group, member), (grant_sight, member, True)]
    for act in acts:
        with pytest.raises((NotAllowed, NotFound)):
            world.do(actor, *act)
    with pytest.raises((NotAllowed, NotFound)), world.reading(actor) as work:
        group_page(work, world.programme)
    with pytest.raises((NotAllowed, NotFound)), world.reading(actor) as work:
        group_members(work, world.programme, group)
    assert world.all(select(GroupMember.person_id, GroupMember.granted)) == [(world.sara, False)]


def test_x6_nobody_sees_into_a_group_of_another_programme(world: World) -> None:
    group = add(world)
    with pytest.raises(NotFound), world.reading(world.zara) as work:
        group_members(work, world.elsewhere, group)

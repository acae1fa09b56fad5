"""Groups: people who may be granted sight of each other's completed sessions, without notes (A1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, insert, or_, select

from core.errors import Conflict, Invalid, NotFound
from core.fields import Checked
from core.people.visible import holding, visible_people
from core.permissions import Action, require
from core.programmes.commands import lock_programmes
from core.programmes.queries import programme_of
from core.work import Work
from db.models.people import Group, GroupMember, Person

PAGE = 50
LONGEST_NAME = 120


# Looking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One group: how many are in it, and how many of them let the others see their completed sessions."""

    id: int
    name: str
    members: int
    granting: int


@dataclass(frozen=True)
class Page:
    """One page of the list, and how many there are in all."""

    rows: list[Row]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class InIt:
    """One member; `granted` lets the others see this person's completed sessions."""

    membership_id: int
    name: str
    granted: bool


def group_page(work: Work, programme_id: int, *, text: str = "", number: int = 1) -> Page:
    """The list, for those who keep it, by name; found by its name or anybody's in it. Raises NotFound, NotAllowed."""
    require(work, Action.PEOPLE_EDIT, programme_id)
    where, said = [Group.programme_id == programme_id], text.strip().replace("\0", "").lower()
    if said:
        among = select(GroupMember.group_id).join(Person, Person.id == GroupMember.person_id).where(
            func.lower(Person.name).contains(said, autoescape=True))
        where.append(or_(func.lower(Group.name).contains(said, autoescape=True), Group.id.in_(among)))
    total = work.tx.scalar(select(func.count()).select_from(Group).where(*where)) or 0
    number = min(max(1, number), max(1, -(-total // PAGE)))
    return Page(_rows(work, where, PAGE, (number - 1) * PAGE), total, number)


def group(work: Work, programme_id: int, group_id: int) -> Row | None:
    """One of them, for those who keep them. Raises NotFound, NotAllowed."""
    require(work, Action.PEOPLE_EDIT, programme_id)
    return next(iter(_rows(work, [Group.id == group_id, Group.programme_id == programme_id], 1, 0)), None)


def group_members(work: Work, programme_id: int, group_id: int) -> list[InIt]:
    """Everybody in a group by name, those too who have left the programme, so that they can be taken out.

    Raises NotFound, NotAllowed.
    """
    if group(work, programme_id, group_id) is None:
        raise NotFound
    rows = work.tx.execute(
        select(GroupMember.id, Person.name, GroupMember.granted).join(Person, Person.id == GroupMember.person_id)
        .where(GroupMember.group_id == group_id).order_by(func.lower(Person.name), GroupMember.id))
    return [InIt(*row) for row in rows]


def _rows(work: Work, where: Sequence[ColumnElement[bool]], most: int, after: int) -> list[Row]:
    granting = func.count(GroupMember.id).filter(GroupMember.granted)
    rows = work.tx.execute(
        select(Group.id, Group.name, func.count(GroupMember.id), granting)
        .outerjoin(GroupMember, GroupMember.group_id == Group.id).where(*where).group_by(Group.id, Group.name)
        .order_by(func.lower(Group.name), Group.id).limit(most).offset(after))
    return [Row(*row) for row in rows]


# Keeping -----------------------------------------------------------------------------------------------------------


def add_group(work: Work, programme_id: int, name: str) -> int:
    """Add a group without members. Returns its id. Raises NotFound, NotAllowed, Invalid."""
    require(work, Action.PEOPLE_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    tidy = _tidy(work, programme_id, name)
    id_: int | None = work.tx.scalar(insert(Group).returning(Group.id), {"programme_id": programme_id, "name": tidy})
    work.say(f"Added the group {tidy}.")
    return int(id_ or 0)


def rename_group(work: Work, group_id: int, name: str) -> int:
    """Give a group another name. Raises NotFound, NotAllowed, Invalid."""
    one = _load(work, group_id)
    before, one.name = one.name, _tidy(work, one.programme_id, name, but=group_id)
    work.say(f"Renamed {before} to {one.name}." if one.name != before else "Nothing was different.")
    return group_id


def delete_group(work: Work, group_id: int) -> int:
    """Delete a group in which nobody is. Raises NotFound, NotAllowed, Conflict."""
    one = _load(work, group_id)
    if work.tx.scalar(select(exists().where(GroupMember.group_id == group_id))):
        raise Conflict(f"Somebody is in {one.name}. Take everybody out of it first.")
    work.tx.delete(one)
    work.say(f"Deleted the group {one.name}.")
    return group_id


def join_group(work: Work, group_id: int, person_id: int | None, granted: bool = False) -> int:
    """Put somebody of the programme into a group: they see the completed sessions of those who grant it (A1).

    `granted` lets the others see theirs. Returns the membership. Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    one = _load(work, group_id)
    name = work.tx.scalar(select(Person.name).where(
        Person.id == person_id, Person.id.in_(holding(one.programme_id)), Person.disabled_at.is_(None),
        visible_people(work, one.programme_id)))
    if person_id is None or name is None:
        raise Invalid({"person": "Choose somebody of this programme."})
    if work.tx.scalar(select(exists().where(GroupMember.group_id == group_id, GroupMember.person_id == person_id))):
        raise Conflict(f"{name} is in {one.name} already.")
    member = GroupMember(group_id=group_id, person_id=person_id, granted=granted)
    work.tx.add(member)
    work.tx.flush()
    work.say(f"{name} joined {one.name}, and {_shares(work, one, granted)}.")
    return member.id


def leave_group(work: Work, membership_id: int) -> int:
    """Take somebody out: neither they nor the others see by this group any more. Raises NotFound, NotAllowed."""
    member, one = _membership(work, membership_id)
    name = work.tx.scalar(select(Person.name).where(Person.id == member.person_id))
    work.tx.delete(member)
    work.say(f"{name} is no longer in {one.name}.")
    return membership_id


def grant_sight(work: Work, membership_id: int, granted: bool) -> int:
    """Say whether the others may see this member's completed sessions (A1). Raises NotFound, NotAllowed."""
    member, one = _membership(work, membership_id)
    member.granted = granted
    name = work.tx.scalar(select(Person.name).where(Person.id == member.person_id))
    work.say(f"{name} {_shares(work, one, granted)} with {one.name}.")
    return membership_id


def _load(work: Work, group_id: int) -> Group:
    """A group that the actor keeps, held until the act ends. Raises NotFound, NotAllowed."""
    programme_id = work.tx.scalar(select(Group.programme_id).where(Group.id == group_id))
    if programme_id is None:
        raise NotFound
    require(work, Action.PEOPLE_EDIT, programme_id)
    lock_programmes(work, [programme_id])
    one = work.tx.scalar(select(Group).where(Group.id == group_id))
    if one is None:
        raise NotFound
    return one


def _membership(work: Work, membership_id: int) -> tuple[GroupMember, Group]:
    group_id = work.tx.scalar(select(GroupMember.group_id).where(GroupMember.id == membership_id))
    if group_id is None:
        raise NotFound
    one = _load(work, group_id)
    member = work.tx.scalar(select(GroupMember).where(GroupMember.id == membership_id))
    if member is None:
        raise NotFound
    return member, one


def _tidy(work: Work, programme_id: int, name: str, but: int = 0) -> str:
    """The name as it is kept. Raises Invalid where it is none, or another group's."""
    checked = Checked()
    checked.line("name", name, LONGEST_NAME, "Give the group a name.")
    tidy = str(checked.values["name"])
    taken = work.tx.scalars(select(Group.name).where(Group.programme_id == programme_id, Group.id != but))
    if not checked.problems and tidy.casefold() in {each.casefold() for each in taken}:
        checked.problems["name"] = "Another group of this programme has this name."
    if checked.problems:
        raise Invalid(checked.problems)
    return tidy


def _shares(work: Work, one: Group, granted: bool) -> str:
    words = programme_of(work, one.programme_id).policy.words
    return f"shares completed {words.many('session')}" if granted else "shares nothing"

"""Courses, rooms, timetables and teams: the lists that a programme keeps."""

import pytest

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.permissions import Action
from core.structure.commands import add_entries, bring_back_entries, edit_entry, retire_entries
from core.structure.queries import entries, options
from core.structure.rules import MODELS, Entry, Which
from db.words import TimetableKind
from tests.core.bad_input import BLANK, CONTROL, EMOJI, HTML, SURROGATE, TURNED, WRONG_TYPE
from tests.factories import TEN, World, a_world, statements

ALL = list(Which)


def entry(which: Which, name: object = "New", **more: object) -> Entry:
    basis = {Which.ROOM: {"capacity": 5}, Which.TIMETABLE: {"kind": TimetableKind.REGULAR}}.get(which, {})
    return Entry(name=name, **{**basis, **more})


def add(world: World, which: Which, *made: Entry, by: int | None = None) -> list[int]:
    return list(world.do(by or world.alice, add_entries, world.programme, which, list(made)).result)


def known(world: World, which: Which) -> int:
    return {Which.COURSE: world.maths, Which.ROOM: world.room, Which.TIMETABLE: world.weekly,
            Which.TEAM: world.comet}[which]


def foreign(world: World, which: Which) -> int:
    return {Which.COURSE: world.their_course, Which.ROOM: world.their_room, Which.TIMETABLE: world.their_timetable,
            Which.TEAM: world.their_team}[which]


def row(world: World, which: Which, id_: int) -> object:
    with world.reading(world.alice) as work:
        found = work.tx.get_one(MODELS[which], id_)
        work.tx.expunge(found)
        return found


@pytest.mark.parametrize("which", ALL)
def test_add_rename_retire_and_bring_back(world, which):
    (made,) = add(world, which, entry(which, HTML))
    world.do(world.alice, edit_entry, which, made, {"name": EMOJI})
    assert row(world, which, made).name == EMOJI
    world.do(world.cora, retire_entries, which, [made])
    with world.reading(world.cora) as work:
        assert [each.entry.id for each in entries(work, world.programme, which, retired=True)] == [made]
        assert made not in [each.entry.id for each in entries(work, world.programme, which, retired=False)]
    world.do(world.cora, bring_back_entries, which, [made])
    assert row(world, which, made).retired_at is None


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("name", [*BLANK, *WRONG_TYPE, "x" * 121, CONTROL, TURNED, SURROGATE, "two\nlines"])
def test_a_name_that_cannot_be_taken(world, which, name):
    with pytest.raises(Invalid) as refused:
        add(world, which, entry(which, name))
    assert set(refused.value.problems) == {"name"}
    with pytest.raises(Invalid):
        world.do(world.alice, edit_entry, which, known(world, which), {"name": name})


@pytest.mark.parametrize("which", ALL)
def test_names_are_unique_in_a_programme_whatever_their_case(world, which):
    taken = row(world, which, known(world, which)).name
    for same in (taken, taken.upper(), f"  {taken.lower()} "):
        with pytest.raises(Invalid, match="has this name") as refused:
            add(world, which, entry(which), entry(which, same))
        assert refused.value.item == 1
    add(world, which, entry(which, "ÄRZTE"), entry(which, row(world, which, foreign(world, which)).name))
    with pytest.raises(Invalid):
        add(world, which, entry(which, "ärzte"))
    with pytest.raises(Invalid):
        add(world, which, entry(which, "Twice"), entry(which, "twice"))
    world.do(world.alice, edit_entry, which, known(world, which), {"name": taken.upper()})


@pytest.mark.parametrize("capacity", [None, 0, -1, 10_001, 10**30, "8", 2.5, True])
def test_room_capacity(world, capacity):
    with pytest.raises(Invalid) as refused:
        add(world, Which.ROOM, entry(Which.ROOM, capacity=capacity))
    assert set(refused.value.problems) == {"capacity"}
    add(world, Which.ROOM, entry(Which.ROOM, "Nook", capacity=1), entry(Which.ROOM, "Arena", capacity=10_000))


def test_an_idea_too_long(world):
    with pytest.raises(Invalid) as refused:
        add(world, Which.TEAM, entry(Which.TEAM, idea="x" * 301))
    assert set(refused.value.problems) == {"idea"}


def test_fields_of_another_list(world):
    with pytest.raises(Invalid) as refused:
        world.do(world.alice, edit_entry, Which.COURSE, world.maths, {"programme_id": world.elsewhere, "capacity": 5})
    assert set(refused.value.problems) == {"programme_id", "capacity"}


def test_b6_a_custom_timetable_has_one_owner_and_a_regular_one_none(world):
    custom, regular = TimetableKind.CUSTOM, TimetableKind.REGULAR
    add(world, Which.TIMETABLE, entry(Which.TIMETABLE, kind=custom, owner_id=world.tess))
    for kind, owner, field in (
        (custom, None, "owner_id"), (custom, world.sara, "owner_id"), (custom, world.zed, "owner_id"),
        (custom, "Tom", "owner_id"), (regular, world.tom, "owner_id"), ("weird", None, "kind"), (None, None, "kind"),
    ):
        with pytest.raises(Invalid) as refused:
            add(world, Which.TIMETABLE, entry(Which.TIMETABLE, "Other", kind=kind, owner_id=owner))
        assert set(refused.value.problems) == {field}


def test_b6_the_owner_stays_once_there_are_sessions(world):
    world.do(world.alice, edit_entry, Which.TIMETABLE, world.toms_own, {"owner_id": world.tess})
    world.do(world.alice, edit_entry, Which.TIMETABLE, world.toms_own, {"owner_id": world.tom})
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.toms_own, starts_at=TEN)
    for change in ({"owner_id": world.tess}, {"kind": TimetableKind.REGULAR, "owner_id": None}):
        with pytest.raises(Invalid, match="1 session stands under this timetable") as refused:
            world.do(world.alice, edit_entry, Which.TIMETABLE, world.toms_own, change)
        assert set(refused.value.problems) == set(change)
    world.do(world.alice, edit_entry, Which.TIMETABLE, world.toms_own, {"name": "Toms", "owner_id": world.tom})


def test_a_retired_timetable_whose_owner_left_stays_retired(world):
    world.do(world.alice, retire_entries, Which.TIMETABLE, [world.toms_own])
    world.disable(world.tom)
    with pytest.raises(Conflict, match="stays retired"):
        world.do(world.alice, bring_back_entries, Which.TIMETABLE, [world.toms_own])


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("who", ["ben", "cuno", "mona", "tom", "sara", "gus", "lena"])
def test_who_may_not_keep_the_lists(world, which, who):
    actor, id_ = getattr(world, who), known(world, which)
    for act in ((add_entries, world.programme, which, [entry(which)]), (edit_entry, which, id_, {"name": "X"}),
                (retire_entries, which, [id_]), (bring_back_entries, which, [id_])):
        with pytest.raises(NotAllowed):
            world.do(actor, *act)
    with world.reading(actor) as work, pytest.raises(NotAllowed):
        entries(work, world.programme, which)


@pytest.mark.parametrize("which", ALL)
def test_x6_foreign_ids_do_not_exist(world, which):
    for id_ in (foreign(world, which), 99_999):
        for act in ((edit_entry, which, id_, {"name": "X"}), (retire_entries, which, [known(world, which), id_]),
                    (bring_back_entries, which, [id_]), (retire_entries, which, [])):
            with pytest.raises(NotFound):
                world.do(world.alice, *act)
    with pytest.raises(NotFound):
        world.do(world.alice, add_entries, world.elsewhere, which, [entry(which)])
    assert row(world, which, known(world, which)).retired_at is None


def test_where_ticked_a_custom_manager_keeps_them(world):
    world.tick(Action.LISTS_EDIT)
    add(world, Which.COURSE, entry(Which.COURSE), by=world.cuno)


def test_uses_are_counted(world):
    world.book(practitioner=world.tom, team=world.comet, timetable=world.weekly, room=world.room, starts_at=TEN,
               course_ids=(world.maths,))
    with world.reading(world.alice) as work:
        for which in ALL:
            uses = {each.entry.id: each.uses for each in entries(work, world.programme, which)}
            assert uses[known(world, which)] == 1
            assert sum(uses.values()) == 1
    assert "1 session keeps it" in world.do(world.alice, retire_entries, Which.ROOM, [world.room]).said


@pytest.mark.parametrize(("who", "policy", "expected"), [
    ("ben", "staff", (2, 2, 2, 2)), ("mona", "staff", (2, 2, 2, 2)), ("tom", "staff", (1, 1, 2, 1)),
    ("tess", "staff", (0, 0, 0, 0)), ("tess", "staff and practitioners", (2, 2, 2, 2)),
    ("sara", "staff", (1, 1, 1, 1)), ("sara", "clients too", (2, 2, 2, 1)), ("vic", "staff", (0, 0, 0, 0)),
    ("gus", "clients too", (1, 1, 1, 1)), ("lena", "clients too", (1, 1, 1, 1)),
])
def test_x6_options_are_what_the_viewer_may_see_or_needs_to_book(world, who, policy, expected):
    world.policy(who_books=policy)
    world.book(practitioner=world.tom, team=world.comet, timetable=world.weekly, room=world.room, starts_at=TEN,
               course_ids=(world.maths,))
    with world.reading(getattr(world, who)) as work:
        found = options(work, world.programme)
        assert tuple(map(len, (found.courses, found.rooms, found.timetables, found.teams))) == expected
        with pytest.raises(NotFound):
            options(work, world.elsewhere)


def test_options_tell_retired_ones_apart_and_name_owners(world):
    world.do(world.alice, retire_entries, Which.COURSE, [world.art])
    with world.reading(world.ben) as work:
        found = options(work, world.programme)
    assert [(each.name, each.retired) for each in found.courses] == [("Maths", False), ("Art", True)]
    assert [each.name for each in found.open.courses] == ["Maths"]
    assert {each.name: each.owner for each in found.timetables} == {"Weekly": "", "Tom's own": "Tom"}
    assert {each.name: each.idea for each in found.teams} == {"Comet": "Bikes that fly", "Lonely": ""}
    assert found.types == world.policy().types


def test_options_take_a_fixed_number_of_queries(engine):
    world = a_world(engine, who_books="staff")
    for who in ("ben", "tom", "sara"):
        with world.reading(getattr(world, who)) as work, statements(engine) as sent:
            offered = options(work, world.programme)
            assert len(sent) == 1, "the programme alone, until a list is looked at"
            for listed in (offered.courses, offered.rooms, offered.timetables, offered.teams, offered.courses):
                assert isinstance(listed, tuple)
        assert len(sent) == 5, who

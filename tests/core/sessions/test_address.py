"""The address of a list: readable, the same for whoever may see the same, and silent on what may not be seen (X6)."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.errors import NotFound
from core.sessions.address import Listing, listing, person_words
from core.sessions.queries import session_list
from db.words import Role
from tests.factories import DAY, TEN, World


def asked(world: World, who: int, said: str) -> Listing:
    with world.reading(who) as work:
        return listing(work, world.programme, parse_qs(said))


def found(world: World, who: int, said: str) -> list[int]:
    with world.reading(who) as work:
        chosen = listing(work, world.programme, parse_qs(said))
        return [row.number for row in session_list(work, world.programme, chosen.filters, sort=chosen.sort,
                                                   down=chosen.down, page=chosen.page).rows]


@pytest.fixture
def three(world: World) -> None:
    """1: Tom and Sara, maths, room, weekly · 2: Tess and the team · 3: Tom's open one, without a time."""
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, course_ids=(world.maths,), room=world.room,
               timetable=world.weekly, description="fractions")
    world.book(practitioner=world.tess, team=world.comet, starts_at=TEN + DAY)
    world.book(practitioner=world.tom)


@pytest.mark.parametrize(("said", "numbers"), [
    ("", {1, 2, 3}), ("practitioner=Tom", {1, 3}), ("learner=Sara", {1, 2}), ("team=Comet", {2}),
    ("timetable=Weekly", {1}), ("course=Maths", {1}), ("room=Blue+room", {1}), ("status=scheduled", {1, 2}),
    ("status=to+place", {3}), ("status=to+place&status=scheduled", {1, 2, 3}), ("method=traditional", {1, 2, 3}),
    ("type=coaching", {1, 2, 3}), ("type=review", set()), ("from=2026-03-04", {2}), ("to=2026-03-03", {1}),
    ("text=fractions", {1}), ("text=2", {2}), ("practitioner=Tom&status=scheduled", {1}),
    ("practitioner=Tom&practitioner=Tess&learner=Sara", {1, 2}), ("practitioner=Tom&team=Comet", set()),
])
def test_b2_filters_alone_and_together(world: World, three: None, said: str, numbers: set[int]) -> None:
    assert set(found(world, world.alice, said)) == numbers


@pytest.mark.parametrize("said", [
    "practitioner=Zed", "team=Theirs", "course=Their+course", "room=Their+room", "timetable=Their+timetable",
    "practitioner=%00", "status=nonsense", "learner=" + "x" * 5000,
])
def test_x6_what_the_viewer_does_not_know_finds_nothing_and_says_no_more(world: World, three: None, said: str) -> None:
    chosen = asked(world, world.alice, said)
    assert len(chosen.unknown) == 1
    assert found(world, world.alice, said) == [] or said.startswith("status")


@pytest.mark.parametrize("said", [
    "page=-1", "page=0", "page=x", "page=%C2%B2", "page=99999999999999999999", "from=yesterday", "from=0001-01-01",
    "to=9999-12-31", "sort=nonsense&order=sideways", "text=" + "x" * 10_000, "text=%22%27%3B--", "text=%00", "type=%00",
])
def test_whatever_the_address_says_the_list_comes(world: World, three: None, said: str) -> None:
    assert asked(world, world.alice, said).page >= 0
    found(world, world.alice, said)


def test_sorting_and_days(world: World) -> None:
    chosen = asked(world, world.alice, "sort=number&order=up&from=2026-03-01&to=2026-03-31&page=4")
    assert (chosen.sort, chosen.down, chosen.page) == ("number", False, 4)
    assert (chosen.filters.since, chosen.filters.until) == (date(2026, 3, 1), date(2026, 3, 31))


def test_namesakes_are_told_apart(world: World) -> None:
    other = world.person("Sara", Role.LEARNER)
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.book(practitioner=world.tess, learner=other, starts_at=TEN)
    with world.reading(world.alice) as work:
        words: dict[int, Any] = person_words(work, world.programme, [world.sara, other, world.tom, world.zed])
    assert words == {world.sara: f"Sara ~{world.sara}", other: f"Sara ~{other}", world.tom: "Tom"}
    assert set(found(world, world.alice, "learner=Sara")) == {1, 2}
    assert found(world, world.alice, f"learner=Sara+~{other}") == [2]


def test_x6_a_foreign_programme_has_no_list(world: World) -> None:
    with world.reading(world.zed) as work, pytest.raises(NotFound):
        listing(work, world.programme, {})


def test_every_sort_is_steady_both_ways(world: World, three: None) -> None:
    for sort in ("status", "time", "number", "description", "practitioner", "team", "idea", "timetable", "course",
                 "type"):
        assert sorted(found(world, world.alice, f"sort={sort}")) == [1, 2, 3]
        assert sorted(found(world, world.alice, f"sort={sort}&order=up")) == [1, 2, 3]

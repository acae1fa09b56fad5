"""Quick search finds what the viewer may see, and nothing else (X6, D7)."""

import pytest

from core.errors import NotFound
from core.quick import Found, quick_search
from db.words import Role
from tests.factories import NOON, TEN, World, a_world, statements


def found(world: World, who: str, text: str, programme: int = 0) -> list[tuple[Found, str]]:
    with world.reading(getattr(world, who)) as work:
        return [(hit.kind, hit.title) for hit in quick_search(work, programme or world.programme, text)]


def test_people_numbers_words_teams_and_courses(world):
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, number=17, description="Fear of flying")
    world.book(practitioner=world.tom, learner=world.vic, starts_at=NOON, number=18, description="Maths, flying start")
    assert found(world, "ben", "sar") == [(Found.PERSON, "Sara")]
    assert found(world, "ben", " #17 ") == [(Found.SESSION, "Session 17")]
    assert found(world, "ben", "FLY") == [
        (Found.SESSION, "Session 18"), (Found.SESSION, "Session 17"), (Found.TEAM, "Comet")]
    assert found(world, "ben", "math") == [(Found.SESSION, "Session 18"), (Found.COURSE, "Maths")]
    with world.reading(world.ben) as work:
        assert quick_search(work, world.programme, "17")[0].subtitle == "Tue 3 Mar 2026, 10:00 · Tom"


@pytest.mark.parametrize("nothing", ["", "   ", "!?", "'\"*()", "\x00", "zzz", "9" * 40, "x" * 10_000, "١٧"])
def test_nothing_is_found_by_nothing(world, nothing):
    assert found(world, "ben", nothing) == []


def test_x6_what_one_may_not_see_is_not_found(world):
    world.policy(who_books="staff")
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, number=17, description="Fear of flying",
               course_ids=(world.maths,))
    world.elsewhere_session(number=40, description="Elsewhere")
    assert found(world, "ben", "40") == found(world, "ben", "zoe") == found(world, "ben", "their") == []
    assert found(world, "vic", "17") == found(world, "vic", "fly") == found(world, "vic", "maths") == []
    assert found(world, "sara", "maths") == [(Found.COURSE, "Maths")]
    assert found(world, "lena", "17") == [(Found.SESSION, "Session 17")]
    assert found(world, "lena", "fear") == [], "D7: a line manager never finds by words"
    with pytest.raises(NotFound):
        found(world, "ben", "x", world.elsewhere)


def test_at_most_twelve_hits_in_six_queries(engine):
    world = a_world(engine)
    for n in range(9):
        world.person(f"Fly {n}", Role.LEARNER)
        world.team(f"Fly {n}")
        world.book(practitioner=world.tom, learner=world.sara, description=f"fly {n}")
    for who in ("ben", "tom", "sara", "gus"):
        with world.reading(getattr(world, who)) as work, statements(engine) as sent:
            assert len(quick_search(work, world.programme, "fly")) <= 12
        assert len(sent) <= 6, who

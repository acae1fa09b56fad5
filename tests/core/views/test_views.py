"""Saved views: one's own, by name."""

import pytest

from core.errors import Conflict, Invalid, NotFound
from core.views import commands
from core.views.commands import delete_view, save_view
from core.views.queries import saved_views
from tests.core.bad_input import BLANK, CONTROL, HTML, SURROGATE, WRONG_TYPE
from tests.factories import World


def save(world: World, who: int, name: object = "Mine", address: object = "?status=held", programme: int = 0) -> int:
    return int(world.do(who, save_view, programme or world.programme, "sessions", name, address).result)


def kept(world: World, who: int) -> list[tuple[str, str]]:
    with world.reading(who) as work:
        return [(view.name, view.address) for view in saved_views(work, world.programme, "sessions")]


def test_the_same_name_replaces(world):
    first = save(world, world.tom, HTML)
    save(world, world.tom, "a list", "")
    assert save(world, world.tom, HTML, "?status=missed") == first
    assert kept(world, world.tom) == [(HTML, "?status=missed"), ("a list", "")]


def test_x6_views_of_others_do_not_exist(world):
    view = save(world, world.tom)
    assert kept(world, world.ben) == []
    with pytest.raises(NotFound):
        world.do(world.ben, delete_view, view)
    with pytest.raises(NotFound):
        save(world, world.tom, programme=world.elsewhere)
    with world.reading(world.tom) as work, pytest.raises(NotFound):
        saved_views(work, world.elsewhere, "sessions")
    world.do(world.tom, delete_view, view)
    assert kept(world, world.tom) == []


@pytest.mark.parametrize(("field", "value"), [
    *(("name", bad) for bad in (*BLANK, *WRONG_TYPE, "x" * 61, CONTROL, SURROGATE)),
    *(("address", bad) for bad in ("x" * 4001, CONTROL, "two\nlines", 7)),
])
def test_each_field_is_refused_beside_itself(world, field, value):
    with pytest.raises(Invalid) as refused:
        save(world, world.tom, **{field: value})
    assert set(refused.value.problems) == {field}


def test_there_is_an_end_to_them(world, monkeypatch):
    monkeypatch.setattr(commands, "MOST_VIEWS", 2)
    save(world, world.tom, "1")
    save(world, world.tom, "2")
    with pytest.raises(Conflict, match="Delete one"):
        save(world, world.tom, "3")
    save(world, world.tom, "2", "?again")

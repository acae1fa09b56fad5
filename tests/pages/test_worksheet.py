"""Worksheet: one session whole, as far as each viewer may see, and everything that can be done with it (A4-A7, B4, B5)."""

from tests.factories import TEN, World
from tests.pages.conftest import Opener, texts


def test_opens(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = open_screen(world.alice, "worksheet", session=session)
    assert not tab.exception, tab.exception
    print(texts(tab))
    for b in tab.button: print(b.key, b.label)
    tab.button("worksheet-first").click().run()
    assert not tab.exception, tab.exception
    print(texts(tab))

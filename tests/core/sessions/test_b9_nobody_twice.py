import pytest
from core.sessions.rules import PersonBusy
from tests.factories import TEN, HOUR, MINUTE
def test_first(world):
    s = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert world.fact(s, "status") == "scheduled"
    with pytest.raises(PersonBusy, match="Tom is busy Tue 3 Mar 2026, 10:00–11:00 .session 1."):
        world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN + 55*MINUTE)

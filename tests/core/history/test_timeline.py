"""A session's timeline in words (X5)."""

from core.attending import commands as attending
from core.attending.rules import Attendance
from core.history.queries import timeline
from core.sessions.ending import cancel_sessions
from db.words import Outcome
from tests.factories import DAY, TEN, World


def told(world: World, session: int, who: int) -> tuple[str, ...]:
    with world.reading(who) as work:
        return timeline(work, session)[0].lines


def test_x5_an_outcome_says_whose_it_is(world: World) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    world.now = TEN + DAY
    came = [Attendance(world.sara, Outcome.ATTENDED, 45), Attendance(world.sam, Outcome.MISSED)]
    world.do(world.tom, attending.record_outcome, session, came)
    assert set(told(world, session, world.alice)) >= {"Sara: attended, 45 min", "Sam: missed"}
    assert not [line for line in told(world, session, world.gus) if "Sam" in line]
    world.do(world.tom, attending.reopen_session, session, "the wrong one")
    assert set(told(world, session, world.alice)) >= {"Sara: attended taken back", "Sam: missed taken back"}


def test_x5_a_reason_is_told_once(world: World) -> None:
    session = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    world.do(world.alice, cancel_sessions, [session], "ill")
    with world.reading(world.alice) as work:
        latest = timeline(work, session)[0]
    assert latest.reason == "ill"
    assert "ill" not in " ".join(latest.lines)
    assert "Sara: coach cancelled" in latest.lines

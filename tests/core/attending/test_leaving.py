"""Leaving a session, objecting to what was recorded, and whose wish a late change was (E8, D11, X6)."""

import pytest
from sqlalchemy import select

from core.attending.commands import Written, answer_dispute, cancel_parts, dispute_outcome, record_outcome, submit_note
from core.attending.queries import afterwards, own_parts
from core.attending.rules import Attendance
from core.attending.tasks import objections
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.history.commands import undo
from core.history.queries import timeline
from core.sessions.changing import Move, reschedule_sessions
from core.sessions.ending import LateChange, cancel_sessions
from db.models.afterwards import Dispute, Forfeit
from db.models.notices import Notice
from db.models.sessions import Participation
from db.words import Outcome, Wish
from tests.core.billing.conftest import LATER, Office
from tests.factories import DAY, HOUR, TEN, World


@pytest.fixture
def group(world: World) -> int:
    """Tom with Sara, Sam and Vic; Gus is Sara's guardian, and Lena her line manager."""
    return world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam, world.vic), starts_at=TEN)


def outcome(world: World, session: int, learner: int) -> Outcome | None:
    return world.one(select(Participation.outcome).where(  # type: ignore[no-any-return]
        Participation.session_id == session, Participation.learner_id == learner))


def test_e8_in_a_group_only_theirs_and_the_last_one_cancels_it(world: World, group: int) -> None:
    world.do(world.gus, cancel_parts, group, [world.sara], "ill", now=TEN - HOUR)
    assert outcome(world, group, world.sara) is Outcome.CANCELLED_LATE
    assert world.fact(group, "status") == "scheduled"
    world.do(world.sam, cancel_parts, group, [world.sam], "ill", now=TEN - 24 * HOUR)
    assert outcome(world, group, world.sam) is Outcome.CANCELLED_IN_TIME
    world.do(world.ben, cancel_parts, group, [world.vic], "rang", notice_at=TEN - 30 * HOUR, now=TEN - HOUR)
    assert outcome(world, group, world.vic) is Outcome.CANCELLED_IN_TIME
    assert world.fact(group, "status") == "cancelled"


def test_e8_until_the_start_and_for_nobody_else(world: World, group: int) -> None:
    for who, whom, refusal in ((world.sam, world.sara, NotAllowed), (world.gus, world.sam, NotAllowed),
                               (world.lena, world.sara, NotAllowed), (world.mona, world.sara, NotAllowed),
                               (world.tess, world.sara, NotFound), (world.zed, world.sara, NotFound)):
        with pytest.raises(refusal):
            world.do(who, cancel_parts, group, [whom], "ill")
    for who in (world.sara, world.gus):
        with pytest.raises(NotAllowed, match="has started"):
            world.do(who, cancel_parts, group, [world.sara], "ill", now=TEN)
    with pytest.raises(Invalid, match="Give a reason"):
        world.do(world.sara, cancel_parts, group, [world.sara], " ")
    with pytest.raises(Invalid, match="lie ahead"):
        world.do(world.ben, cancel_parts, group, [world.sara], "ill", notice_at=TEN + DAY)
    # a learner cannot say that notice was given earlier
    world.do(world.sara, cancel_parts, group, [world.sara], "ill", notice_at=TEN - 9 * DAY, now=TEN - HOUR)
    assert outcome(world, group, world.sara) is Outcome.CANCELLED_LATE


def test_e8_each_is_offered_their_own_until_the_start(world: World, group: int) -> None:
    for who, offered in ((world.sara, {world.sara}), (world.gus, {world.sara}), (world.sam, {world.sam}),
                         (world.tom, set()), (world.lena, set()), (world.ben, set()), (world.zed, set())):
        with world.reading(who) as work:
            assert set(own_parts(work, [group]).get(group, {})) == offered
    with world.reading(world.sara, now=TEN) as work:
        assert own_parts(work, [group]) == {}
    world.do(world.sara, cancel_parts, group, [world.sara], "ill")
    with world.reading(world.gus) as work:
        assert own_parts(work, [group]) == {}


def test_x6_why_somebody_left_is_not_for_the_rest_of_the_group(world: World, group: int) -> None:
    world.do(world.sam, cancel_parts, group, [world.sam], "a private matter")
    for name, reads in (("ben", True), ("tom", True), ("sam", True), ("sara", False), ("vic", False), ("gus", False),
                        ("lena", False)):
        with world.reading(getattr(world, name)) as work:
            entries = timeline(work, group)
        assert any("private matter" in entry.reason for entry in entries) is reads, name
        if name in ("gus", "lena"):
            assert "Cancelled for somebody" not in [entry.did for entry in entries]
    world.do(world.gus, cancel_parts, group, [world.sara], "hers")
    with world.reading(world.lena) as work:
        latest = timeline(work, group)[0]
    assert (latest.did, latest.lines, latest.reason) == ("Cancelled for somebody", ("Sara: cancelled in time",), "")


def test_d11_an_objection_is_heard_by_staff_and_practitioner_and_answered(world: World, group: int) -> None:
    with pytest.raises(NotAllowed):
        world.do(world.sara, dispute_outcome, group, world.sara, "nothing came of it yet")
    world.do(world.ben, cancel_sessions, [group], "snow")
    made = world.do(world.gus, dispute_outcome, group, world.sara, "She was there.", now=LATER).result
    with pytest.raises(Conflict, match="objected already"):
        world.do(world.sara, dispute_outcome, group, world.sara, "I was there.", now=LATER)
    for who, whom in ((world.sam, world.sara), (world.lena, world.sara), (world.gus, world.sam),
                      (world.tom, world.sara), (world.sara, world.lena)):
        with pytest.raises((NotFound, NotAllowed)):
            world.do(who, dispute_outcome, group, whom, "hm", now=LATER)
    told = world.all(select(Notice.person_id).where(Notice.text.contains("She was there.")))
    assert set(told) == {world.tom, world.alice, world.ben}
    for name, sees in (("ben", True), ("tom", True), ("sara", True), ("gus", True), ("sam", False), ("lena", False),
                       ("mona", False)):
        with world.reading(getattr(world, name), now=LATER) as work:
            assert bool(afterwards(work, group).objections) is sees, name
            if name != "mona":  # who sees no history at all
                assert any(entry.did == "Objection" for entry in timeline(work, group)) is sees, name
    with world.reading(world.tom) as work, pytest.raises(NotAllowed):
        objections(work, world.programme)
    for who in (world.tom, world.gus, world.zara):
        with pytest.raises((NotFound, NotAllowed)):
            world.do(who, answer_dispute, made, "no", now=LATER)
    answered = world.do(world.ben, answer_dispute, made, "You are right.", now=LATER)
    assert world.all(select(Dispute.answer, Dispute.answered_by)) == [("You are right.", world.ben)]
    assert world.gus in world.all(select(Notice.person_id).where(Notice.text.contains("You are right.")))
    with world.reading(world.ben) as work:
        assert objections(work, world.programme) == []
    world.do(world.ben, undo, answered.act_id, undoes=answered.act_id, now=LATER)
    undone = world.all(select(Notice.person_id).where(Notice.text.contains("was undone")))
    assert set(undone) == {world.tom, world.gus}, "the rest of the group never heard of it"


def test_e8_a_practitioners_wish_is_never_charged_and_asks_for_no_more(office: Office) -> None:
    world = office.world
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Invalid, match="Only a change that the student wished for"):
        world.do(world.tom, reschedule_sessions, [
            Move(session, TEN + 7 * DAY, late=LateChange(Wish.PRACTITIONER, True, ""))], now=TEN - HOUR)
    world.do(world.tom, reschedule_sessions, [
        Move(session, TEN + 7 * DAY, late=LateChange(Wish.PRACTITIONER, False, ""))], now=TEN - HOUR)
    assert world.all(select(Forfeit.wish, Forfeit.charged)) == [(Wish.PRACTITIONER, False)]
    assert office.lines() == []


def test_e5_whoever_left_reads_no_notes_of_it(world: World, group: int) -> None:
    world.do(world.sam, cancel_parts, group, [world.sam], "ill", now=TEN - HOUR)
    world.do(world.tom, record_outcome, group, [
        Attendance(world.sara, Outcome.ATTENDED), Attendance(world.vic, Outcome.ATTENDED)], now=LATER)
    world.do(world.tom, submit_note, group, Written("Fractions went well."), now=LATER)
    for name, reads in (("sara", True), ("gus", True), ("sam", False), ("tom", True), ("ben", True)):
        with world.reading(getattr(world, name), now=LATER) as work:
            assert bool(afterwards(work, group).notes) is reads, name

"""Engagements: agreed hours of a practitioner with a learner or team, and the sessions that count towards them."""

from datetime import date
from typing import Any

import pytest

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.engagements.commands import add_engagement, bring_back_engagement, edit_engagement, retire_engagement
from core.engagements.queries import Row, engagement, engagement_page, engagements_of
from core.engagements.rules import NewEngagement
from core.errors import Invalid, NotAllowed
from core.history.commands import undo
from core.sessions.changing import Edit, Move, Reassign, edit_sessions, reassign_sessions, reschedule_sessions
from db.words import Outcome
from tests.factories import DAY, HOUR, NOON, TEN, World, statements


def add(world: World, **given: Any) -> int:
    values = {"name": "Maths with Sara", "practitioner_id": world.tom, "learner_id": world.sara,
              "agreed_minutes": 600, **given}
    return int(world.do(world.alice, add_engagement, world.programme, NewEngagement(**values)).result)


def look(world: World, id_: int, who: int | None = None) -> Row | None:
    with world.reading(who or world.alice) as work:
        return engagement(work, world.programme, id_)


def counts(world: World, session: int) -> int | None:
    found: int | None = world.fact(session, "engagement_id")
    return found


def test_a_session_counts_towards_the_only_engagement_that_covers_it(world: World) -> None:
    id_ = add(world, from_day=TEN.date(), until_day=TEN.date())
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert counts(world, session) == id_
    assert counts(world, world.book(practitioner=world.tom, learner=world.sam, starts_at=NOON)) is None
    assert counts(world, world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY)) is None
    world.do(world.ben, reschedule_sessions, [Move(session, TEN + 2 * DAY)])
    assert counts(world, session) is None
    add(world, name="Again")
    add(world, name="And again")
    assert counts(world, world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * DAY)) is None


def test_it_follows_who_leads_and_who_takes_part(world: World) -> None:
    toms, tess = add(world), add(world, practitioner_id=world.tess, learner_id=None, team_id=world.comet)
    session = world.book(practitioner=world.tess, starts_at=TEN)
    assert counts(world, session) is None
    world.do(world.ben, edit_sessions, [Edit(session, {"team_id": world.comet})])
    assert counts(world, session) == tess
    other = world.book(practitioner=world.tess, learner=world.sara, starts_at=NOON)
    saved = world.do(world.ben, reassign_sessions, [Reassign(other, world.tom)])
    assert counts(world, other) == toms
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
    assert counts(world, other) is None


def test_hours_are_used_booked_and_left(world: World) -> None:
    id_ = add(world, agreed_minutes=300)
    held = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - 7 * DAY)
    world.do(world.tom, record_outcome, held, [Attendance(world.sara, Outcome.ATTENDED, 75)])
    missed = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - 6 * DAY)
    world.do(world.tom, record_outcome, missed, [Attendance(world.sara, Outcome.MISSED)])
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, minutes=120)
    found = look(world, id_)
    assert found is not None
    assert (found.hours.used, found.hours.booked, found.hours.left) == (75, 120, 105)
    assert found.hours.sentence == "1.75 of 5 hours left"
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + DAY, minutes=120)
    beyond = look(world, id_)
    assert beyond is not None
    assert beyond.hours.sentence == "0.25 hours more than the 5 hours agreed"


def test_x6_everybody_sees_their_own(world: World) -> None:
    id_ = add(world)
    for who in ("alice", "ben", "tom", "sara", "gus"):
        assert look(world, id_, world.people[who]), who
    for who in ("tess", "sam", "lena", "zara"):
        assert look(world, id_, world.people[who]) is None, who
    with world.reading(world.tom) as work, pytest.raises(NotAllowed):
        engagement_page(work, world.programme)
    with world.reading(world.tom) as work:
        assert [one.id for one in engagements_of(work, world.programme, world.sara)] == [id_]


def test_bad_input_is_told_beside_its_field(world: World) -> None:
    for field, given in (
        ("name", {"name": " "}), ("agreed_minutes", {"agreed_minutes": 0}), ("who", {"learner_id": None}),
        ("who", {"team_id": world.comet}), ("who", {"learner_id": world.zoe}),
        ("practitioner", {"practitioner_id": None}), ("practitioner", {"practitioner_id": world.sam}),
        ("until_day", {"from_day": date(2026, 3, 2), "until_day": date(2026, 3, 1)}),
    ):
        with pytest.raises(Invalid) as refused:
            add(world, **given)
        assert set(refused.value.problems) == {field}, given


def test_it_is_edited_retired_brought_back_and_that_undone(world: World) -> None:
    id_ = add(world)
    saved = world.do(world.alice, edit_engagement, id_, {"agreed_minutes": None}, 1)
    assert look(world, id_).hours.agreed is None  # type: ignore[union-attr]
    world.do(world.alice, undo, saved.act_id, undoes=saved.act_id)
    assert look(world, id_).hours.agreed == 600  # type: ignore[union-attr]
    world.do(world.alice, retire_engagement, id_)
    assert counts(world, world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)) is None
    with world.reading(world.alice) as work:
        assert engagement_page(work, world.programme).total == 0
        assert engagement_page(work, world.programme, text="SARA", retired=True).total == 1
    world.do(world.alice, bring_back_engagement, id_)
    assert counts(world, world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)) == id_


def test_many_bookings_cost_as_many_statements_as_one(world: World) -> None:
    add(world)
    sent = []
    for count, day in ((1, 1), (8, 2)):
        with statements(world.engine) as each:
            world.book_many([
                world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + day * DAY + n * HOUR)
                for n in range(count)])
        sent.append(len(each))
    assert sent[0] == sent[1]


def test_what_was_booked_before_counts_once_it_is_covered_and_no_more_when_undone(world: World) -> None:
    mine = [world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * DAY) for n in range(3)]
    others = [world.book(practitioner=world.tom, learner=world.sam, starts_at=NOON),
              world.book(practitioner=world.tess, learner=world.sara, starts_at=NOON)]
    new = NewEngagement(name="Maths", practitioner_id=world.tom, learner_id=world.sara, agreed_minutes=600,
                        from_day=TEN.date(), until_day=TEN.date())
    added = world.do(world.alice, add_engagement, world.programme, new)
    assert [counts(world, one) for one in (*mine, *others)] == [added.result, *[None] * 4]
    assert "One session counts towards it now" in added.said
    edited = world.do(world.alice, edit_engagement, added.result, {"until_day": (TEN + 7 * DAY).date()})
    assert [counts(world, one) for one in (*mine, *others)] == [added.result] * 3 + [None] * 2
    assert "2 sessions count towards it now" in edited.said
    world.do(world.alice, undo, edited.act_id, undoes=edited.act_id)
    assert [counts(world, one) for one in mine] == [added.result, None, None]
    world.do(world.alice, undo, added.act_id, undoes=added.act_id)
    assert [counts(world, one) for one in mine] == [None] * 3
    assert look(world, added.result) is None


def test_a_teams_session_counts_once_its_engagement_is_there_and_two_that_cover_it_are_none(world: World) -> None:
    team = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    id_ = add(world, learner_id=None, team_id=world.comet)
    assert counts(world, team) == id_
    add(world, name="One")
    ambiguous = add(world, name="The other", from_day=TEN.date())
    both = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON)
    assert counts(world, both) is None
    world.do(world.alice, edit_engagement, ambiguous, {"name": "Still two"})
    assert counts(world, both) is None

"""Quick fixes: one change to many sessions, planned together, shown row by row, made as one act (X1, X5, B9, B11)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from core.errors import Conflict, Invalid, NotFound
from core.history.commands import undo
from core.programmes.rules import WhoBooks
from core.sessions.fixes import Fix, FixKind, FixRow, apply_fixes, kinds_for, preview, shifted
from db.models.sessions import Session
from db.words import Role, Status
from tests.factories import DAY, HOUR, MINUTE, NOON, TEN, World, statements

SHIFT_A_DAY, SHIFT_AN_HOUR = Fix(FixKind.SHIFT, days=1), Fix(FixKind.SHIFT, hours=1)


def shown(world: World, fix: Fix, *ids: int, who: int | None = None) -> list[FixRow]:
    with world.reading(who or world.ben) as work:
        return preview(work, fix, ids)


def refused(rows: list[FixRow]) -> dict[int, str]:
    return {row.session_id: row.refused for row in rows if row.refused}


def test_each_row_says_what_changes(world: World) -> None:
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, room=world.room)
    assert [(row.before, row.after) for row in shown(world, SHIFT_A_DAY, one)] == [
        ("Tue 3 Mar 2026, 10:00–11:00", "Wed 4 Mar 2026, 10:00–11:00")]
    reassign = Fix(FixKind.REASSIGN, world.tess)
    assert [(row.before, row.after) for row in shown(world, reassign, one)] == [("Tom", "Tess")]
    venue = Fix(FixKind.VENUE, room_id=world.attic, location="upstairs")
    assert [(row.before, row.after) for row in shown(world, venue, one)] == [("Blue room", "Attic, upstairs")]
    cancel = Fix(FixKind.CANCEL, reason="ill")
    assert [(row.before, row.after) for row in shown(world, cancel, one)] == [("scheduled", "cancelled")]
    assert world.fact(one, "starts_at") == TEN


def test_b9_sessions_take_each_others_time(world: World) -> None:
    row = [world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * HOUR) for n in range(4)]
    assert not refused(shown(world, SHIFT_AN_HOUR, *row))
    world.do(world.ben, apply_fixes, SHIFT_AN_HOUR, row)
    assert [world.fact(id_, "starts_at") for id_ in row] == [TEN + (n + 1) * HOUR for n in range(4)]


def test_b9_one_that_must_stay_stands_in_the_way_of_the_others(world: World) -> None:
    """Noon is taken by somebody else's session, so eleven stays, so ten stays; two o'clock is free to move."""
    first, second = (world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * HOUR) for n in range(2))
    later = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 4 * HOUR)
    world.book(practitioner=world.tom, learner=world.sam, starts_at=NOON)
    rows = refused(shown(world, SHIFT_AN_HOUR, first, second, later))
    assert set(rows) == {first, second}
    assert "Tom is busy Tue 3 Mar 2026, 12:00–13:00 (session 4)" in rows[second]
    assert "Tom is busy Tue 3 Mar 2026, 11:00–12:00 (session 2)" in rows[first]
    saved = world.do(world.ben, apply_fixes, SHIFT_AN_HOUR, [first, second, later])
    assert saved.result == [later]
    assert "2 were left as they were" in saved.said
    assert world.fact(first, "starts_at") == TEN


def test_b9_two_that_want_the_same_person_at_once(world: World) -> None:
    toms = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tess_ = world.book(practitioner=world.tess, learner=world.sam, starts_at=TEN + 30 * MINUTE)
    una = world.person("Una", Role.PRACTITIONER)
    rows = refused(shown(world, Fix(FixKind.REASSIGN, una), toms, tess_))
    assert list(rows) == [tess_]
    assert "Una is busy" in rows[tess_]


def test_x5_one_act_and_one_undo(world: World) -> None:
    ids = [world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * HOUR) for n in range(3)]
    saved = world.do(world.ben, apply_fixes, SHIFT_A_DAY, ids, key="once")
    again = world.do(world.ben, apply_fixes, SHIFT_A_DAY, ids, key="once")
    assert again.replayed
    assert again.act_id == saved.act_id
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
    assert [world.fact(id_, "starts_at") for id_ in ids] == [TEN + n * HOUR for n in range(3)]


def test_x3_days_keep_the_time_on_the_wall_across_a_change_of_clocks(world: World) -> None:
    """The clocks of London go forward on 29 March 2026."""
    saturday = datetime(2026, 3, 27, 10, tzinfo=UTC)
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=saturday)
    world.do(world.ben, apply_fixes, Fix(FixKind.SHIFT, days=3), [one])
    assert world.fact(one, "starts_at") == datetime(2026, 3, 30, 9, tzinfo=UTC)


def test_x3_a_time_that_the_clocks_skip_says_so(world: World) -> None:
    at, remark = shifted(datetime(2026, 3, 28, 1, 30, tzinfo=UTC), SHIFT_A_DAY, ZoneInfo("Europe/London"))
    assert at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert "clocks go forward" in remark


@pytest.mark.parametrize(("persona", "kinds"), [
    ("alice", 5), ("ben", 5), ("mona", 0), ("tom", 5), ("sara", 0), ("gus", 0), ("lena", 0), ("cuno", 0),
])
def test_x6_who_may_fix(world: World, persona: str, kinds: int) -> None:
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    who = world.people[persona]
    with world.reading(who) as work:
        assert len(kinds_for(work, world.programme)) == kinds
    rows = refused(shown(world, SHIFT_A_DAY, one, who=who))
    assert bool(rows) is (kinds == 0)
    if not kinds:
        with pytest.raises(Conflict, match="may not"):
            world.do(who, apply_fixes, SHIFT_A_DAY, [one])


def test_b11_practitioners_fix_nothing_where_staff_book(world: World) -> None:
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.policy(who_books=WhoBooks.STAFF)
    assert refused(shown(world, SHIFT_A_DAY, one, who=world.tom))


def test_x6_what_is_foreign_does_not_exist(world: World) -> None:
    theirs = world.elsewhere_session()
    with pytest.raises(NotFound):
        shown(world, SHIFT_A_DAY, theirs)


def test_a_refusal_names_what_is_not_to_be_seen_only_as_busy(world: World) -> None:
    world.grant(world.tom, Role.PRACTITIONER, programme=world.elsewhere)
    world.elsewhere_session(practitioner=world.tom, starts_at=TEN + HOUR)
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    assert refused(shown(world, SHIFT_AN_HOUR, one))[one] == "Tom is busy Tue 3 Mar 2026, 11:00–12:00."


@pytest.mark.parametrize("fix", [
    Fix(FixKind.SHIFT), Fix(FixKind.SHIFT, days=4000), Fix(FixKind.SHIFT, days=10**9), Fix(FixKind.CANCEL),
    Fix(FixKind.CANCEL, reason="x" * 501), Fix(FixKind.REASSIGN, 10**9), Fix(FixKind.VENUE, room_id=10**9),
    Fix(FixKind.VENUE, location="x" * 201),
])
def test_bad_input_is_refused_beside_its_field(world: World, fix: Fix) -> None:
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    with pytest.raises(Invalid):
        shown(world, fix, one)
    with pytest.raises(Invalid):
        world.do(world.ben, apply_fixes, fix, [one])


def test_x1_opening_hours_take_a_reason(world: World) -> None:
    one = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    night = Fix(FixKind.SHIFT, hours=12)
    assert "Give a reason" in refused(shown(world, night, one))[one]
    assert not refused(shown(world, Fix(FixKind.SHIFT, hours=12, reason="night shift"), one))
    assert "reason" not in refused(shown(world, night, one, who=world.tom))[one]


def test_what_has_no_time_or_is_over_stays(world: World) -> None:
    loose = world.book(practitioner=world.tom, learner=world.sara)
    held = world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN))
    rows = refused(shown(world, SHIFT_A_DAY, loose, held))
    assert "no time yet" in rows[loose]
    assert "held" in rows[held]


def test_what_somebody_changed_meanwhile_is_left(world: World) -> None:
    one, two = (world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * HOUR) for n in range(2))
    versions = {row.session_id: row.version for row in shown(world, SHIFT_A_DAY, one, two)}
    world.raw(lambda work: work.tx.execute(
        update(Session).where(Session.id == one).values(version=Session.version + 1)) and None)
    assert world.do(world.ben, apply_fixes, SHIFT_A_DAY, [one, two], versions).result == [two]


def test_cancelling_many_frees_everybody(world: World) -> None:
    ids = [world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * HOUR) for n in range(2)]
    world.do(world.ben, apply_fixes, Fix(FixKind.CANCEL, reason="strike"), ids)
    assert {world.fact(id_, "status") for id_ in ids} == {Status.CANCELLED}
    world.book(practitioner=world.tom, learner=world.sam, starts_at=TEN)


@pytest.mark.parametrize("fix", [
    SHIFT_AN_HOUR, Fix(FixKind.OFF), Fix(FixKind.CANCEL, reason="ill"), Fix(FixKind.VENUE, location="there"),
])
def test_the_preview_costs_the_same_for_one_and_for_many(world: World, fix: Fix) -> None:
    ids = [world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + n * DAY + n * timedelta(minutes=5))
           for n in range(3)]
    blocked = [world.book(practitioner=world.tess, learner=world.sam, starts_at=TEN + n * 7 * DAY) for n in range(2)]
    for n in range(2):
        world.book(practitioner=world.tess, learner=world.sam, starts_at=TEN + n * 7 * DAY + HOUR)

    def cost(*which: int) -> int:
        with world.reading(world.ben) as work, statements(world.engine) as sent:
            preview(work, fix, which)
            return len(sent)

    assert cost(blocked[0]) == cost(*ids, *blocked)


def test_d7_a_line_manager_who_also_practises_does_not_read_where_it_takes_place(world: World) -> None:
    world.grant(world.lena, Role.PRACTITIONER)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, location="Ward 7")
    venue = Fix(FixKind.VENUE, location="Ward 7")
    row = shown(world, venue, session, who=world.lena)[0]
    assert "Ward" not in row.before
    assert "You may not" in (row.refused or "")
    assert shown(world, venue, session)[0].refused == "It takes place there already."


def test_e3_a_quick_fix_refuses_row_by_row_what_a_learner_may_not_move_any_more(world: World) -> None:
    world.policy(who_books=WhoBooks.CLIENTS_TOO)
    soon, later = (world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=at)
                   for at in (TEN, TEN + 7 * DAY))
    world.now = TEN - HOUR
    assert "you can cancel it" in refused(shown(world, SHIFT_AN_HOUR, soon, later, who=world.sara))[soon]
    assert world.do(world.sara, apply_fixes, SHIFT_AN_HOUR, [soon, later]).result == [later]

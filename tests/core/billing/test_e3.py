"""E3 as a table: outcomes, notice to the second, whose wish, alone or in a group, over the change of clocks."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from core.attending.commands import cancel_parts, record_outcome
from core.attending.rules import Attendance
from core.errors import Invalid
from core.sessions.ending import cancel_sessions
from db.words import LineKind, Outcome, Role
from tests.core.billing.conftest import Office
from tests.factories import DAY, HOUR

SECOND, SLOT = timedelta(seconds=1), timedelta(minutes=30)
WHEN = pytest.mark.parametrize("night", [
    datetime(2026, 3, 3, 3, tzinfo=UTC), datetime(2026, 3, 29, 3, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC),
], ids=["usual", "spring", "autumn"])
"""The night before, the clocks in London stay, go forward, or go back: a day before is 24, 23 or 25 hours before."""
NOTICES = ((DAY - SECOND, True), (DAY, False), (DAY + SECOND, False))
IN_FULL = {Outcome.ATTENDED, Outcome.MISSED, Outcome.CANCELLED_LATE}


class Table:
    """Sessions of half an hour one after the other, alone or for a group of five."""

    def __init__(self, office: Office, night: datetime) -> None:
        world = office.world
        self.office, self.world, self.next = office, world, night
        more = [world.person(name, Role.LEARNER) for name in ("Ida", "Jo")]
        self.learners = [world.sara, world.sam, world.vic, *more]

    def book(self, group: int) -> tuple[int, datetime]:
        at, self.next = self.next, self.next + SLOT
        session = self.world.book(practitioner=self.world.tom, learner_ids=tuple(self.learners[:group]), starts_at=at,
                                  minutes=30, reason="any hour", now=at - 30 * DAY)
        return session, at

    def amounts(self, session: int, kind: LineKind) -> list[int]:
        return [line.amount for line in self.office.lines(session, kind)]


@WHEN
def test_e3_each_outcome_recorded(office: Office, night: datetime) -> None:
    """E3, E9: each learner is charged in full or not at all; the practitioner is paid once, or not at all."""
    table = Table(office, night)
    for outcome, group in product(Outcome, (1, 5)):
        session, at = table.book(group)
        notice = {Outcome.CANCELLED_LATE: at - HOUR, Outcome.CANCELLED_IN_TIME: at - 2 * DAY}.get(outcome)
        table.world.do(table.world.tom, record_outcome, session, [
            Attendance(learner, outcome, notice_at=notice) for learner in table.learners[:group]], now=at + DAY)
        whole = outcome in IN_FULL
        assert table.amounts(session, LineKind.CHARGE) == [2500] * group * whole, (outcome, group)
        assert table.amounts(session, LineKind.PAYOUT) == [1500] * whole, (outcome, group)


@WHEN
def test_e3_notice_to_the_second(office: Office, night: datetime) -> None:
    """E3, E8: under 24 elapsed hours is late, exactly 24 in time, whatever the clocks on the wall did meanwhile."""
    table, world = Table(office, night), office.world
    for (ahead, late), group, by in product(NOTICES, (1, 5), ("learner", "guardian", "staff", "practitioner")):
        session, at = table.book(group)
        if by == "practitioner":
            world.do(world.ben, cancel_sessions, [session], "snow", now=at - ahead)
            assert office.lines(session) == [], (ahead, group)
            continue
        who, now, notice = {
            "learner": (world.sara, at - ahead, None), "guardian": (world.gus, at - ahead, None),
            "staff": (world.ben, at - SECOND, at - ahead)}[by]
        world.do(who, cancel_parts, session, [world.sara], "ill", now=now, notice_at=notice)
        assert table.amounts(session, LineKind.CHARGE) == [2500] * late, (ahead, group, by)
        assert [line.outcome for line in office.lines(session, LineKind.PAYOUT)] == [Outcome.CANCELLED_LATE] * late
        assert (world.fact(session, "status") == "cancelled") == (group == 1), (ahead, group, by)


@WHEN
def test_e3_notice_that_was_given_is_asked_for_and_can_be_overruled(office: Office, night: datetime) -> None:
    """E3: late or in time is worked out from when notice was given; staff overrule it with a reason."""
    table, world = Table(office, night), office.world
    for ahead, late in NOTICES:
        session, at = table.book(1)
        wrong = Outcome.CANCELLED_IN_TIME if late else Outcome.CANCELLED_LATE

        def record(who: int, reason: str = "", *, session: int = session, wrong: Outcome = wrong,
                   notice: datetime = at - ahead, now: datetime = at + HOUR) -> None:
            said = Attendance(world.sara, wrong, notice_at=notice, overruled=reason)
            world.do(who, record_outcome, session, [said], now=now)

        for who, reason in ((world.tom, ""), (world.tom, "a favour"), (world.ben, "")):
            with pytest.raises(Invalid, match="hours ahead, so it is"):
                record(who, reason)
        record(world.ben, "a favour")
        assert [line.outcome for line in office.lines(session)] == ([] if late else [Outcome.CANCELLED_LATE] * 2)

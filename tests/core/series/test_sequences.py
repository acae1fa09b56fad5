"""C10, X5: whatever is done to a series, in whatever order, its sessions are those of a plain model.

`PORTAL_SERIES_SEQUENCES=2000` runs so many sequences on SQLite; as it is, few enough for every run.
"""

import os
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from core.errors import Conflict
from core.history.commands import undo
from core.series.commands import book_series, change_series
from core.series.queries import moved_like
from core.series.rules import Choice, Rule, Scope, What
from core.sessions.changing import Move, Reassign, reassign_sessions, reschedule_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.fixes import Fix, FixKind
from core.work import Saved
from db.models.sessions import Occupancy, Session
from db.words import Every
from tests.conftest import Databases
from tests.factories import TEN, a_world

SEQUENCES = int(os.environ.get("PORTAL_SERIES_SEQUENCES", "12"))
STEPS = int(os.environ.get("PORTAL_SERIES_STEPS", "10"))
LONDON = ZoneInfo("Europe/London")
TUESDAY = TEN.date()
DATES = 6
SCOPES = st.sampled_from([Scope.FOLLOWING, Scope.ALL])
Model = dict[int, tuple[datetime, int, bool, bool]]
"""By place in the series: local start, who leads, cancelled, changed by hand."""


def machine(kind: str, databases: Databases) -> type[RuleBasedStateMachine]:
    """The same on one of the engines, on a database that all sequences share: each has a series of its own."""
    world = a_world(databases.clean(kind), open_hours=[(0, 1440)] * 7, buffer_before=0, buffer_after=0)

    class Sequences(RuleBasedStateMachine):
        years = 0

        @initialize(skipped=st.sets(st.integers(1, DATES - 1), max_size=2))
        def book(self, skipped: set[int]) -> None:
            """A new series far from all others, across the change of clocks in spring."""
            type(self).years += 1
            first = TUESDAY.replace(year=2027 + self.years % 60)
            days = [first + timedelta(weeks=n) for n in range(DATES)]
            self.tom, self.tess = world.tom, world.tess
            self.clear(first.year)
            choices = {days[n]: Choice(What.SKIP, "away") for n in skipped}
            series = Rule(Every.WEEK, first, time(10), 60, "Europe/London", times=DATES)
            booking = world.booking(practitioner=self.tom, learner=world.sara)
            self.ids = list(world.do(world.ben, book_series, booking, series, choices).result)
            kept = [day for n, day in enumerate(days) if n not in skipped]
            self.model: Model = {
                n: (datetime.combine(day, time(10)), self.tom, False, False) for n, day in enumerate(kept)}
            self.undone: list[tuple[Saved, Model]] = []

        def clear(self, year: int) -> None:
            """Years come again: what an earlier sequence left there is cancelled."""
            left = world.all(select(Session.id).where(
                Session.starts_at >= datetime(year, 1, 1, tzinfo=LONDON), Session.cancelled_at.is_(None),
                Session.starts_at < datetime(year + 1, 1, 1, tzinfo=LONDON)))
            if left:
                world.do(world.ben, cancel_sessions, left, "over")

        def done(self, saved: Saved, after: Model) -> None:
            self.undone.append((saved, self.model))
            self.model = after

        @rule(at=st.integers(0, DATES), hour=st.sampled_from([8, 12, 15]))
        def move_one(self, at: int, hour: int) -> None:
            n = at % len(self.ids)
            local, who, cancelled, _ = self.model[n]
            if cancelled:
                return
            to = local.replace(hour=hour)
            saved = world.do(world.ben, reschedule_sessions, [Move(self.ids[n], to.replace(tzinfo=LONDON))])
            self.done(saved, {**self.model, n: (to, who, False, True)})

        @rule(at=st.integers(0, DATES))
        def reassign_one(self, at: int) -> None:
            n = at % len(self.ids)
            local, who, cancelled, _ = self.model[n]
            if cancelled:
                return
            other = self.tess if who == self.tom else self.tom
            saved = world.do(world.ben, reassign_sessions, [Reassign(self.ids[n], other)])
            self.done(saved, {**self.model, n: (local, other, False, True)})

        @rule(at=st.integers(0, DATES))
        def cancel_one(self, at: int) -> None:
            n = at % len(self.ids)
            local, who, cancelled, by_hand = self.model[n]
            if not cancelled:
                saved = world.do(world.ben, cancel_sessions, [self.ids[n]], "ill")
                self.done(saved, {**self.model, n: (local, who, True, by_hand)})

        @rule(at=st.integers(0, DATES), scope=SCOPES, days=st.integers(-1, 1), hour=st.sampled_from([9, 11, 17]))
        def move_many(self, at: int, scope: Scope, days: int, hour: int) -> None:
            n = at % len(self.ids)
            local, _, cancelled, _ = self.model[n]
            if cancelled:
                return
            to = (local + timedelta(days=days)).replace(hour=hour)
            fix = moved_like(local.replace(tzinfo=LONDON), to.replace(tzinfo=LONDON), 60, LONDON)
            self.many(n, scope, fix, lambda it: ((it[0] + timedelta(days=days)).replace(hour=hour), it[1], *it[2:]))

        @rule(at=st.integers(0, DATES), scope=SCOPES)
        def reassign_many(self, at: int, scope: Scope) -> None:
            fix = Fix(FixKind.REASSIGN, practitioner_id=self.tess)
            self.many(at % len(self.ids), scope, fix, lambda it: (it[0], self.tess, *it[2:]))

        @rule(at=st.integers(0, DATES), scope=SCOPES)
        def cancel_many(self, at: int, scope: Scope) -> None:
            fix = Fix(FixKind.CANCEL, reason="ill")
            self.many(at % len(self.ids), scope, fix, lambda it: (it[0], it[1], True, it[3]))

        def many(self, n: int, scope: Scope, fix: Fix, change: object) -> None:
            reached = [m for m, it in self.model.items() if (scope is Scope.ALL or m >= n) and not it[2] and not it[3]]
            after = {**self.model, **{m: change(self.model[m]) for m in reached}}  # type: ignore[operator]
            if any(after[m] != self.model[m] for m in reached):
                self.done(world.do(world.ben, change_series, self.ids[n], scope, fix), after)
            else:
                with pytest.raises(Conflict):
                    world.do(world.ben, change_series, self.ids[n], scope, fix)

        @precondition(lambda self: self.undone)
        @rule()
        def restore(self) -> None:
            saved, before = self.undone.pop()
            world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
            self.model = before

        @invariant()
        def the_sessions_are_those_of_the_model(self) -> None:
            if not hasattr(self, "ids"):
                return
            rows = world.all(select(
                Session.id, Session.starts_at, Session.practitioner_id, Session.cancelled_at, Session.moved_at
            ).where(Session.id.in_(self.ids)).order_by(Session.series_day))
            assert [row[0] for row in rows] == self.ids
            assert {n: (row[1].astimezone(LONDON).replace(tzinfo=None), row[2], row[3] is not None, row[4] is not None)
                    for n, row in enumerate(rows)} == self.model
            taken = world.all(select(Occupancy.id).where(Occupancy.session_id.in_(self.ids)))
            assert len(taken) == 2 * sum(not it[2] for it in self.model.values())

    return Sequences


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_c10_whatever_is_done_to_a_series_its_sessions_are_the_models(kind: str, databases: Databases) -> None:
    run_state_machine_as_test(machine(kind, databases), settings=settings(
        max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck)))

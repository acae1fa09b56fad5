"""An apprenticeship programme with somebody enrolled, and verbs that read like it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.history.commands import undo
from core.learning import commands
from core.work import Saved
from db.models.learning import Enrolment, EnrolmentStep
from db.words import EnrolmentStatus, Kind, Outcome
from tests.conftest import Databases
from tests.factories import DAY, TEN, World


@dataclass
class School:
    """The small world with Sara in Maths."""

    world: World
    enrolment: int

    def enrol(self, *learners: int, course: int = 0, **values: Any) -> list[int]:
        """More of them."""
        saved = self.world.do(self.world.ben, commands.enrol, self.world.programme, course or self.world.maths,
                              learners, **values)
        return list(saved.result)

    def booked(self, type_: str, day: int = 0, **given: Any) -> int:
        """A session of that type for Sara in Maths, at ten, so many days on."""
        given = {"practitioner": self.world.tom, "learner": self.world.sara, "course_ids": (self.world.maths,),
                 "reason": "as agreed", **given}
        return self.world.book(type=type_, starts_at=TEN + day * DAY, **given)

    def record(self, session: int, *, by: int | None = None, ending: EnrolmentStatus | None = None,
               outcome: Outcome = Outcome.ATTENDED, learner: int | None = None, minutes: int | None = None) -> Saved:
        """What came of a session, as its practitioner."""
        return self.world.do(by or self.world.tom, record_outcome, session, [
            Attendance(learner or self.world.sara, outcome, minutes, ending)], now=TEN + 90 * DAY)

    def held(self, type_: str, day: int = 0, **how: Any) -> int:
        """A session booked and held."""
        session = self.booked(type_, day)
        self.record(session, **how)
        return session

    def take_back(self, saved: Saved, by: int | None = None) -> None:
        """Undo an act."""
        self.world.do(by or self.world.ben, undo, saved.act_id, undoes=saved.act_id, now=TEN + 90 * DAY)

    def fact(self, column: str, enrolment: int = 0) -> Any:
        """What the enrolment's row says."""
        return self.world.one(select(getattr(Enrolment, column)).where(Enrolment.id == (enrolment or self.enrolment)))

    @property
    def status(self) -> EnrolmentStatus:
        """Sara's, in Maths."""
        return self.fact("status")  # type: ignore[no-any-return]

    @property
    def first_day(self) -> date | None:
        """Sara's, in Maths."""
        return self.fact("first_day")  # type: ignore[no-any-return]

    @property
    def steps(self) -> list[Any]:
        """Session, before and after of each step, in order."""
        return self.world.all(select(EnrolmentStep.session_id, EnrolmentStep.before, EnrolmentStep.after)
                              .order_by(EnrolmentStep.id))


@pytest.fixture
def school(engine: Engine, databases: Databases) -> School:
    """Sara is enrolled in Maths."""
    world = databases.world(engine, Kind.APPRENTICESHIP)
    made = School(world, 0)
    made.enrolment = made.enrol(world.sara)[0]
    return made

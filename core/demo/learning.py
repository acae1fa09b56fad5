"""Who is enrolled in the demo's apprenticeship programme, what their held sessions brought about, and some evidence."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from core.demo import load
from core.demo.world import Place, World
from core.learning.rules import EFFECTS, ENDS, OFF_JOB_TYPES, moved
from db.models.sessions import Participation, Session, SessionCourse
from db.words import EnrolmentStatus, Kind, Outcome, Step

ENROLMENT = ("id", "programme_id", "course_id", "learner_id", "status", "first_day", "planned_end", "off_job_minutes",
             "created_at", "version")
STEP = ("id", "enrolment_id", "session_id", "what", "before", "after", "reason", "at", "by_id")
BY_HAND = "Started before sessions were kept here"
EVIDENCE = ("id", "programme_id", "learner_id", "course_id", "title", "url", "note", "at", "by_id")
PIECES = (
    ("Photo report from the workshop", "https://example.org/evidence/report", "Shows safe use of the lathe."),
    ("Witness statement of the supervisor", None, "Signed on site; the original is in the folder."),
    ("Project plan, second version", "https://example.org/evidence/plan", None),
)
AT_RISK, FAR = 9, 4
"""One learner in so many is behind with off-the-job time; one in so many gets further than training."""


class _Held(NamedTuple):
    """The first held session of a type for a learner in a course, and how many minutes there were of it."""

    session_id: int
    day: date
    at: int
    minutes: int
    many: int


Held = dict[int, dict[int, dict[str, _Held]]]
"""By learner, course and type."""


def enrol(connection: Connection, world: World) -> None:
    """Everybody in the course that they meet for most; status and first day came of the sessions that were held."""
    place = world.places[Kind.APPRENTICESHIP]
    held = _held(connection, place)
    rows: list[tuple[Any, ...]] = []
    steps: list[tuple[Any, ...]] = []
    for n, learner in enumerate(dict.fromkeys(place.learners)):
        courses = held.get(learner, {})
        course = max(courses, key=lambda id_: sum(each.many for each in courses[id_].values()), default=0)
        known = courses.get(course, {})
        status, first, taken = _came_of(n, known)
        if status is EnrolmentStatus.ENROLLED and known:
            status = EnrolmentStatus.IN_TRAINING
            steps.append((len(steps) + 1, len(rows) + 1, None, Step.STATUS, EnrolmentStatus.ENROLLED, status, BY_HAND,
                          world.founded, place.coordinators[0]))
        first_day = first or world.today - timedelta(days=40 + n * 17 % 140)
        end = first_day + timedelta(days=(365, 455, 546)[n % 3])
        id_ = len(rows) + 1
        rows.append((
            id_, place.id, course or place.courses[n % len(place.courses)][0], learner, status, first_day.isoformat(),
            end.isoformat(), _required(n, known, (world.today - first_day).days / (end - first_day).days),
            world.founded, 1,
        ))
        for what, before, after, came in taken:
            steps.append((len(steps) + 1, id_, came.session_id, what, before, after, None, came.at,
                          place.coordinators[0]))
    load.copy_in(connection, "enrolment", ENROLMENT, rows)
    load.copy_in(connection, "enrolment_step", STEP, steps)
    load.copy_in(connection, "evidence", EVIDENCE, _evidence(world, place, rows))


def _held(connection: Connection, place: Place) -> Held:
    found: Held = {}
    for learner, course, type_, first, at, minutes, count in connection.execute(
        select(Participation.learner_id, SessionCourse.course_id, Session.type, func.min(Session.id),
               func.min(Session.ends_at), func.sum(Participation.actual_minutes), func.count())
        .join(Session, Session.id == Participation.session_id)
        .join(SessionCourse, SessionCourse.session_id == Session.id)
        .where(Session.programme_id == place.id, Participation.outcome == Outcome.ATTENDED)
        .group_by(Participation.learner_id, SessionCourse.course_id, Session.type)
    ):
        assert at is not None  # what was held had a time
        found.setdefault(learner, {}).setdefault(course, {})[type_] = _Held(
            first, at.date(), int(at.timestamp()), round(minutes or 0), count)
    return found


def _came_of(
    n: int, known: dict[str, _Held]
) -> tuple[EnrolmentStatus, date | None, list[tuple[Step, str | None, str, _Held]]]:
    """How far this learner has come: most no further than training, however many sessions there were."""
    status, first, taken = EnrolmentStatus.ENROLLED, None, list[tuple[Step, str | None, str, _Held]]()
    effects = [effect for effect in EFFECTS if effect.type in known and (n % FAR == 0 or effect.switch is None)]
    for effect in sorted(effects, key=lambda effect: known[effect.type].at):
        came = known[effect.type]
        if effect.sets_first_day:
            first = came.day
            taken.append((Step.FIRST_DAY, None, first.isoformat(), came))
        if effect.moves_to:
            after = moved(status, ENDS[n // FAR % 5 == 0] if effect.asks else effect.moves_to[0])
            if after is not status:
                taken.append((Step.STATUS, status, after, came))
                status = after
    return status, first, taken


def _required(n: int, known: dict[str, _Held], passed: float) -> int | None:
    """Whole hours in minutes, about what the pace so far leads to; for some a good deal more."""
    done = sum(known[type_].minutes for type_ in OFF_JOB_TYPES if type_ in known)
    if not done or passed <= 0:
        return 60 * 60 if n % AT_RISK == 0 else None
    return max(1, round(done / min(passed, 1) / 60 * (1.6 if n % AT_RISK == 0 else 0.9))) * 60


def _evidence(world: World, place: Place, enrolments: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for n, row in enumerate(enrolments[:60]):
        title, url, note = PIECES[n % len(PIECES)]
        at = world.moment - (n + 2) * 86_400
        yield n + 1, place.id, row[3], row[2], title, url, note, at, place.coordinators[0]

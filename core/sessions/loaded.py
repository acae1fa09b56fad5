"""The sessions that an act is about: loaded and held until it ends, written, and told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, bindparam, or_, select, update

from core.clock import when_words
from core.errors import Conflict, Invalid, NotFound
from core.notifications.commands import notify
from core.permissions import Action, Case, allows, require_all, too_late
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.rules import StaleForm
from core.sessions.visible import cases_for, facts_of
from core.work import Work
from db.models.people import Person, Team
from db.models.sessions import FREES_LEARNER, Participation, Session, SessionCourse
from db.models.structure import Course, Room, Timetable
from db.words import Role

TABLE = cast(Table, Session.__table__)


@dataclass
class Loaded:
    """A session that an act is about, held until it ends, with how the actor stands to it."""

    session: Session
    case: Case
    learners: tuple[int, ...]
    programme: ProgrammeView
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.programme.policy.words.session.capitalize()} {self.session.number}"

    def value(self, column: str) -> Any:
        return self.values.get(column, getattr(self.session, column))

    @property
    def takes_hours(self) -> bool:
        """Whether the change is one of when, by whom or through which timetable, on the calendar."""
        return self.value("starts_at") is not None and any(
            name in self.values and self.values[name] != getattr(self.session, name)
            and not (name == "practitioner_id" and self.values[name] is None)
            for name in ("starts_at", "ends_at", "practitioner_id", "timetable_id")
        )

    def is_put_ahead(self, work: Work) -> bool:
        """Whether it gets a time and had none, or one that lies ahead."""
        new, old = self.values.get("starts_at"), self.session.starts_at
        return new is not None and (old is None or new > work.now)

    def as_client(self, work: Work) -> bool:
        """Whether nothing but being a learner lets the actor edit it."""
        return not allows(work.actor, Action.SESSION_EDIT, self.case, but=Role.LEARNER)


def load(work: Work, ids: Sequence[int], action: Action, versions: Mapping[int, int | None]) -> dict[int, Loaded]:
    """The sessions, allowed and not changed meanwhile. Raises NotFound, NotAllowed, StaleForm."""
    if not ids:
        raise Invalid({"session": "Choose at least one."})
    if len(set(ids)) != len(ids):
        raise Invalid({"session": "The same session was named twice."})
    cases = cases_for(work, facts_of(work, ids))
    if set(cases) != set(ids):
        raise NotFound
    if not work.on_sqlite:  # what is read next is what the change is made to
        work.tx.execute(select(Session.id).where(Session.id.in_(ids)).order_by(Session.id).with_for_update(key_share=True))
        cases = cases_for(work, facts_of(work, ids))
    sessions = {s.id: s for s in work.tx.scalars(
        select(Session).where(Session.id.in_(ids)).execution_options(populate_existing=True))}
    learners: dict[int, tuple[int, ...]] = {}
    for session_id, learner in work.tx.execute(
        select(Participation.session_id, Participation.learner_id).where(
            Participation.session_id.in_(ids),
            or_(Participation.outcome.is_(None), Participation.outcome.not_in(FREES_LEARNER)),
        ).order_by(Participation.learner_id)
    ):
        learners[session_id] = (*learners.get(session_id, ()), learner)
    loaded = {
        id_: Loaded(sessions[id_], cases[id_], learners.get(id_, ()), programme_of(work, sessions[id_].programme_id))
        for id_ in ids if id_ in sessions
    }
    if len(loaded) != len(ids):
        raise NotFound
    require_all(work.actor, action, [each.case for each in loaded.values()], [each.name for each in loaded.values()])
    for id_, each in loaded.items():
        if versions.get(id_) is not None and versions[id_] != each.session.version:
            raise StaleForm(
                f"{each.name} was changed by somebody else while you had it open.",
                as_words(work, each.session, notes=allows(work.actor, Action.SESSION_READ, each.case)),
                each.session.version,
            )
    return loaded


def held(work: Work, session_id: int, action: Action, version: int | None) -> Session:
    """One session, held until the act ends. Raises NotFound, NotAllowed, StaleForm."""
    return load(work, [session_id], action, {session_id: version})[session_id].session


def as_words(work: Work, session: Session, *, notes: bool = True) -> dict[str, str]:
    """The fields of a session as a person reads them, for showing two versions side by side."""
    programme = programme_of(work, session.programme_id)
    named: dict[str, tuple[Any, int | None]] = {
        "practitioner": (Person, session.practitioner_id), "team": (Team, session.team_id),
        "timetable": (Timetable, session.timetable_id), "room": (Room, session.room_id),
    }
    said = {
        label: (work.tx.scalar(select(model.name).where(model.id == id_)) or "") if id_ else "nobody"
        if label == "practitioner" else ""
        for label, (model, id_) in named.items()
    }
    when = "not on the calendar"
    if session.starts_at is not None:
        when = when_words(session.starts_at, programme.zone, session.ends_at)
    courses = work.tx.scalars(
        select(Course.name).join(SessionCourse, SessionCourse.course_id == Course.id)
        .where(SessionCourse.session_id == session.id).order_by(Course.name)
    ).all()
    return {
        "time": when, **said, "type": session.type, "method": session.method, "location": session.location or "",
        "description": session.description or "",
        "planning notes": (session.planning_notes or "") if notes else "", "number": str(session.number),
        programme.policy.words.many("course"): ", ".join(courses),
        "report required": "yes" if session.report_required else "no", "status": session.status,
    }


WHEN_WHO_WHERE = frozenset({"starts_at", "ends_at", "practitioner_id", "timetable_id", "room_id", "location"})



def apply(work: Work, loaded: Mapping[int, Loaded], *, by_hand: bool = True) -> None:
    """Write the new values. Where several move, they leave the calendar first, to take each other's time.

    What is changed `by_hand` no later change of its series touches (C10).
    """
    changed = [each for each in loaded.values() if each.values]
    for each in changed:
        if by_hand and each.session.series_id is not None and each.values.keys() & WHEN_WHO_WHERE:
            each.values["moved_at"] = work.now
    moving = [
        each for each in changed
        if each.values.keys() & {"starts_at", "ends_at", "practitioner_id", "room_id"} and each.session.starts_at
    ]
    if len(moving) > 1:
        work.tx.execute(
            update(TABLE).where(TABLE.c.id.in_([each.session.id for each in moving]))
            .values(starts_at=None, ends_at=None, room_id=None)
        )
        for each in moving:
            for column in ("starts_at", "ends_at", "room_id"):
                each.values.setdefault(column, getattr(each.session, column))
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for each in changed:
        columns = tuple(sorted(each.values))
        by_columns.setdefault(columns, []).append(
            {"key_": each.session.id, **{f"new_{column}": each.values[column] for column in columns}}
        )
    for columns, rows in by_columns.items():
        work.tx.connection().execute(
            update(TABLE).where(TABLE.c.id == bindparam("key_")).values(
                version=TABLE.c.version + 1, **{column: bindparam(f"new_{column}") for column in columns}
            ), rows,
        )
    work.tx.scalars(  # read again in one go, not one by one as each is looked at
        select(Session).where(Session.id.in_(loaded)).execution_options(populate_existing=True)).all()


def tell(work: Work, loaded: Mapping[int, Loaded], said: str) -> None:
    """Everybody who takes part."""
    notify(work, (
        (person, each.programme.id, each.session.id, f"{each.name}: {said}")
        for each in loaded.values() for person in (each.session.practitioner_id, *each.learners)
    ))


def names(loaded: Mapping[int, Loaded]) -> str:
    """The one session by name, several by how many they are."""
    first = next(iter(loaded.values()))
    return first.name if len(loaded) == 1 else f"{len(loaded)} {first.programme.policy.words.many('session')}"


def refuse_too_late(work: Work, loaded: Mapping[int, Loaded], action: Action) -> None:
    """Within the notice a learner neither moves nor deletes, but cancels, and that until the start (E3, E8).

    Raises Conflict.
    """
    for each in loaded.values():
        if (refused := too_late(work.actor, action, each.case, each.name)) is not None:
            raise Conflict(refused)

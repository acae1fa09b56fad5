"""Enrol learners, change enrolments by hand, and keep evidence of learning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, select

from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Invalid, NotFound
from core.fields import Checked
from core.learning.effects import change
from core.learning.rules import LONGEST_OFF_JOB
from core.learning.visible import sees_learner, visible_enrolments, visible_evidence
from core.people.visible import holding, visible_people
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.sessions.rules import StaleForm, is_id
from core.work import Work
from db.models.learning import Enrolment, Evidence
from db.models.people import Person
from db.models.structure import Course
from db.words import EnrolmentStatus, Role, Step

MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class EnrolmentEdit:
    """New values for fields of an enrolment. `version` is the one the form was opened with; None takes any."""

    enrolment_id: int
    changes: Mapping[str, Any]
    version: int | None = None


EDITABLE = ("status", "first_day", "planned_end", "off_job_minutes")


def enrol(
    work: Work, programme_id: int, course_id: int, learner_ids: Sequence[int], *, first_day: date | None = None,
    planned_end: date | None = None, off_job_minutes: int | None = None,
) -> list[int]:
    """Put learners into a course, all or none. Days are local; minutes None take the course's.

    Returns the enrolments' ids. Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.LEARNING_EDIT, programme_id)
    words = programme_of(work, programme_id).policy.words
    values = {"first_day": first_day, "planned_end": planned_end, "off_job_minutes": off_job_minutes}
    found = _problems(values)
    course = work.tx.scalar(select(Course.name).where(
        Course.id == course_id, Course.programme_id == programme_id, Course.retired_at.is_(None))) \
        if is_id(course_id) else None
    if course is None:
        found["course"] = f"Choose {words.a('course')}."
    learners = list(dict.fromkeys(learner_ids))
    names = _learners(work, programme_id, learners)
    if not learners:
        found["learner"] = f"Choose {words.a('learner')}."
    elif len(learners) > MOST_AT_ONCE:
        found["learner"] = f"At most {MOST_AT_ONCE:,} at once."
    elif len(names) != len(learners):
        found["learner"] = f"Choose {words.many('learner')} of this programme."
    elif course is not None and (known := work.tx.execute(
        select(Enrolment.learner_id, Enrolment.status).where(
            Enrolment.course_id == course_id, Enrolment.learner_id.in_(learners)).order_by(Enrolment.id)
    ).all()):
        listed = ", ".join(f"{names[row.learner_id]} ({row.status})" for row in known[:5])
        found["learner"] = f"Enrolled already: {listed}{' and more' if len(known) > 5 else ''}. Change that instead."
    if found:
        raise Invalid(found)
    ids = list(work.tx.scalars(
        insert(Enrolment).returning(Enrolment.id, sort_by_parameter_order=True), [
            {"programme_id": programme_id, "course_id": course_id, "learner_id": learner,
             "status": EnrolmentStatus.ENROLLED, "created_at": work.now, "version": 1, **values}
            for learner in learners
        ]))
    whom = names[learners[0]] if len(learners) == 1 else f"{len(learners)} {words.many('learner')}"
    work.say(f"Enrolled {whom} in {course}.")
    return ids


def _learners(work: Work, programme_id: int, ids: Sequence[int]) -> dict[int, str]:
    """Names of those of these people who learn here and exist for the actor."""
    return {row.id: row.name for row in work.tx.execute(select(Person.id, Person.name).where(
        Person.id.in_([id_ for id_ in ids if is_id(id_)][:MOST_AT_ONCE]), visible_people(work, programme_id),
        Person.id.in_(holding(programme_id, Role.LEARNER))))}


def change_enrolments(work: Work, edits: Sequence[EnrolmentEdit], reason: str | None = None) -> list[int]:
    """Change status (which takes a reason), first day, planned end or required minutes of enrolments, all or none.

    To leave a course is the status *withdrawn*. Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    ids = [edit.enrolment_id for edit in edits]
    if not ids or len(set(ids)) != len(ids):
        raise Invalid({"enrolment": "Choose each enrolment once."})
    loaded = _enrolments(work, ids)
    said = Checked()
    said.lines("reason", reason, 500)
    for item, edit in enumerate(edits):
        enrolment = loaded[edit.enrolment_id]
        if edit.version is not None and edit.version != enrolment.version:
            raise StaleForm("This enrolment was changed by somebody else while you had it open.",
                            as_words(enrolment), enrolment.version)
        if unknown := [name for name in edit.changes if name not in EDITABLE]:
            raise Invalid(dict.fromkeys(unknown, "This cannot be changed."), item)
        whole = {name: edit.changes.get(name, getattr(enrolment, name)) for name in EDITABLE}
        found = {**said.problems, **_problems(whole)}
        if whole["status"] != enrolment.status and "reason" not in found and not said.values["reason"]:
            found["reason"] = "Say why the status changes."
        if found:
            raise Invalid(found, item)
    changed = sum(_put(work, loaded[edit.enrolment_id], edit.changes, said.values["reason"]) for edit in edits)
    work.because(said.values["reason"])
    work.say("Nothing was different." if not changed else
             f"Changed {'the enrolment' if changed == 1 else f'{changed} enrolments'}.")
    return ids


def _enrolments(work: Work, ids: Sequence[int]) -> dict[int, Enrolment]:
    """These, all of which the actor may see and change, held until the act ends. Raises NotFound, NotAllowed."""
    known = [id_ for id_ in ids if is_id(id_)]
    found = {each.id: each for each in work.tx.scalars(
        select(Enrolment).where(Enrolment.id.in_(known)).order_by(Enrolment.id).with_for_update()
        .execution_options(populate_existing=True))}
    if set(found) != set(ids):
        raise NotFound
    for programme_id in sorted({each.programme_id for each in found.values()}):
        here = [each.id for each in found.values() if each.programme_id == programme_id]
        seen = work.tx.scalars(select(Enrolment.id).where(
            Enrolment.id.in_(here), visible_enrolments(work, programme_id))).all()
        if set(seen) != set(here):
            raise NotFound
        require(work, Action.LEARNING_EDIT, programme_id)
    return found


def _put(work: Work, enrolment: Enrolment, changes: Mapping[str, Any], reason: str | None) -> bool:
    changed = {name: value for name, value in changes.items() if value != getattr(enrolment, name)}
    for name in ("planned_end", "off_job_minutes"):
        if name in changed:
            setattr(enrolment, name, changed[name])
    for name, what in (("first_day", Step.FIRST_DAY), ("status", Step.STATUS)):
        if name in changed:
            value = EnrolmentStatus(changed[name]) if what is Step.STATUS else changed[name]
            change(work, enrolment, what, value, reason=reason)
    if changed.keys() & {"planned_end", "off_job_minutes"}:
        enrolment.version += 1
    return bool(changed)


def _problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What stands against these values, by field."""
    found: dict[str, str] = {}
    for name in ("first_day", "planned_end"):
        day = values.get(name)
        if day is not None and not (type(day) is date and FIRST_DAY <= day <= LAST_DAY):
            found[name] = f"Choose a day from {FIRST_DAY.year} to {LAST_DAY.year}."
    first, end = values.get("first_day"), values.get("planned_end")
    if not found and first is not None and end is not None and end < first:
        found["planned_end"] = "The planned end comes after the first day."
    minutes = values.get("off_job_minutes")
    if minutes is not None and not (type(minutes) is int and 0 <= minutes <= LONGEST_OFF_JOB):
        found["off_job_minutes"] = f"Hours from 0 to {LONGEST_OFF_JOB // 60:,}, or nothing for the course's."
    if "status" in values and values["status"] not in {*EnrolmentStatus}:
        found["status"] = "Choose a status."
    return found


def as_words(enrolment: Enrolment) -> dict[str, str]:
    """An enrolment as a person reads it, to stand beside another version."""
    minutes = enrolment.off_job_minutes
    return {"status": enrolment.status, "first day": str(enrolment.first_day or ""),
            "planned end": str(enrolment.planned_end or ""),
            "off-the-job hours": "" if minutes is None else f"{minutes / 60:g}"}


# Evidence -----------------------------------------------------------------------------------------------------------


def add_evidence(
    work: Work, programme_id: int, learner_id: int, *, title: str, url: str | None = None, note: str | None = None,
    course_id: int | None = None,
) -> int:
    """Add a link, or words, to a learner's evidence. Returns its id. Raises NotFound, NotAllowed, Invalid."""
    require(work, Action.EVIDENCE_KEEP, programme_id)
    if not is_id(learner_id) or not sees_learner(work, programme_id, learner_id, words=True):
        raise NotFound
    checked = _evidence({"title": title, "url": url, "note": note})
    if course_id is not None and (not is_id(course_id) or work.tx.scalar(select(Course.id).where(
            Course.id == course_id, Course.programme_id == programme_id)) is None):
        checked.problems["course"] = "Choose one that is listed."
    if checked.problems:
        raise Invalid(checked.problems)
    piece = Evidence(programme_id=programme_id, learner_id=learner_id, course_id=course_id, at=work.now,
                     by_id=work.me, **checked.values)
    work.tx.add(piece)
    work.tx.flush()
    work.say(f"Added {piece.title} to the evidence.")
    return piece.id


def edit_evidence(work: Work, evidence_id: int, changes: Mapping[str, Any]) -> int:
    """Change title, link or note of a piece. Raises NotFound, NotAllowed, Invalid."""
    piece = _piece(work, evidence_id)
    if unknown := [name for name in changes if name not in ("title", "url", "note")]:
        raise Invalid(dict.fromkeys(unknown, "This cannot be changed."))
    checked = _evidence({name: changes.get(name, getattr(piece, name)) for name in ("title", "url", "note")})
    if checked.problems:
        raise Invalid(checked.problems)
    for name in changes:
        setattr(piece, name, checked.values[name])
    work.say(f"Changed {piece.title}.")
    return evidence_id


def remove_evidence(work: Work, evidence_id: int) -> int:
    """Take a piece out of the evidence. Raises NotFound, NotAllowed."""
    piece = _piece(work, evidence_id)
    work.tx.delete(piece)
    work.say(f"Removed {piece.title} from the evidence.")
    return evidence_id


def _piece(work: Work, evidence_id: int) -> Evidence:
    piece = work.tx.get(Evidence, evidence_id) if is_id(evidence_id) else None
    if piece is None or work.tx.scalar(select(Evidence.id).where(
            Evidence.id == evidence_id, visible_evidence(work, piece.programme_id))) is None:
        raise NotFound
    require(work, Action.EVIDENCE_KEEP, piece.programme_id)
    return piece


def _evidence(values: Mapping[str, Any]) -> Checked:
    checked = Checked()
    checked.line("title", values["title"], 200, "Give it a title.")
    checked.line("url", values["url"], 2000)
    checked.lines("note", values["note"], 4000)
    url = checked.values["url"]
    if url and (not url.lower().startswith(("https://", "http://")) or " " in url or len(url) < 12):
        checked.problems["url"] = "A link begins with https:// or http://."
    return checked

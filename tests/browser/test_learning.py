"""An assessor's day and an admin's day in a real browser: from a learner, a calendar and a list to what was held."""

import re
from datetime import UTC, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, expect
from sqlalchemy import insert, select, update

from core.sessions.commands import book_sessions
from core.sessions.rules import Booking
from core.work import THE_PORTAL, Work, commit
from db.models.learning import Engagement, Enrolment
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Session
from db.models.structure import Course
from db.words import EnrolmentStatus, Kind, Role
from tests.browser.conftest import Enter, Tab
from tests.browser.facts import a_free_day, person, sessions, value
from tests.factories import around_the_clock
from tests.portal import Portal

LONDON = ZoneInfo("Europe/London")
LATEST = "SELECT max(id) FROM session"
NOTES = "Bring the signed agreement"


class Known(NamedTuple):
    """Where Tom assesses, whom, in which course, and who else assesses there."""

    programme_id: int
    programme: str
    learner_id: int
    learner: str
    second: str
    course: str
    other: str


def _assess(work: Work) -> Known:
    """Tom becomes an assessor, engaged with a learner who has just been enrolled in a course."""
    programme = work.tx.scalars(select(Programme).where(Programme.kind == Kind.APPRENTICESHIP)).one()
    tom = work.tx.scalar(select(Person.id).where(Person.name == "Tom Brady")) or 0
    first, second = work.tx.execute(
        select(Person.id, Person.name).join(Enrolment, Enrolment.learner_id == Person.id)
        .where(Person.disabled_at.is_(None)).group_by(Person.name).order_by(Person.id).limit(2)).all()
    known = select(Enrolment.course_id).where(Enrolment.learner_id == first.id)
    course = work.tx.execute(select(Course.id, Course.name).where(
        Course.programme_id == programme.id, Course.retired_at.is_(None), Course.id.not_in(known)).limit(1)).one()
    leads = select(RoleGrant.person_id).where(
        RoleGrant.programme_id == programme.id, RoleGrant.role == Role.PRACTITIONER)
    other = work.tx.execute(select(Person.id, Person.name).where(
        Person.id.in_(leads), Person.disabled_at.is_(None)).order_by(Person.id).limit(1)).one()
    work.tx.execute(insert(RoleGrant), {"programme_id": programme.id, "person_id": tom, "role": Role.PRACTITIONER})
    around_the_clock(work.tx, programme.id, [tom], programme.zone)
    work.tx.execute(insert(Engagement), {"programme_id": programme.id, "practitioner_id": tom, "learner_id": first.id,
                                         "name": "Assessing", "version": 1})
    work.tx.execute(insert(Enrolment), {
        "programme_id": programme.id, "course_id": course.id, "learner_id": first.id,
        "status": EnrolmentStatus.ENROLLED, "created_at": work.now, "version": 1})
    return Known(programme.id, programme.name, first.id, first.name, second.name, course.name, other.name)


def _has_begun(work: Work, session_id: int) -> None:
    """Put a session two hours back, as if its time had come."""
    work.tx.execute(update(Session).where(Session.id == session_id).values(
        starts_at=work.now - timedelta(hours=2), ends_at=work.now - timedelta(hours=1)))


def _learning(tab: Tab, known: Known, name: str) -> Locator:
    """One of the tabs of the learner's page."""
    tab.go(f"/person?{urlencode({'programme': known.programme, 'person': known.learner_id})}").titled(known.learner)
    tab.page.get_by_role("tab", name=name).click()
    expect(tab.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    tab.settled()
    return tab.main


def test_an_assessors_day(portal: Portal, enter: Enter) -> None:
    """C2, C3, C4, C6, C7, C9, C11: from the plan to a booking, a clash avoided, held, and taken back."""
    known = commit(portal.engine, THE_PORTAL, _assess).result
    noon = a_free_day(2)
    commit(portal.engine, person(portal, "Alice Moran"), book_sessions, [Booking(
        known.programme_id, practitioner_id=person(portal, "Tom Brady"), learner_ids=(person(portal, known.second),),
        minutes=60, starts_at=noon.replace(tzinfo=LONDON).astimezone(UTC), type="general", method="traditional",
        course_ids=(value(portal, "SELECT id FROM course WHERE name = ?", known.course),), reason="for a test")])
    before = sessions(portal)
    tom = enter("Tom Brady", f"/progress?{urlencode({'programme': known.programme})}")
    tom.titled("Learning progress")
    assert known.learner in tom.column("Learner")
    _learning(tom, known, "Learning plan")
    tom.press(re.compile("^.*Book a session$"))
    tom.titled(re.compile("^Book"))
    expect(tom.page.get_by_label("Learner", exact=True)).to_have_value(known.learner)
    expect(tom.main.get_by_role("textbox", name="Assessor")).to_have_value("Tom Brady")
    tom.find_person("Assessor", known.other)
    expect(tom.main.get_by_role("textbox", name="Assessor")).to_have_value(known.other)
    tom.find_person("Assessor", "Tom Brady")
    tom.main.get_by_role("textbox", name="Planning notes").fill(NOTES)
    tom.settled()
    tom.press("Book")
    tom.says(re.compile("Not booked yet: 3 fields need"))
    for sentence in ("Choose a date and a time.", "Choose at least one course.", "Choose a type."):
        expect(tom.main.get_by_test_id("stMarkdownContainer").filter(
            has=tom.page.get_by_text("error", exact=True), has_text=sentence).first).to_be_visible()
    tom.choose("Type", "Induction")
    tom.choose_several("Courses", known.course)
    tom.put_time(noon)
    tom.says(re.compile("Tom Brady is busy"))
    tom.press("Book")
    tom.says(re.compile("Not booked yet: somebody is taken"))
    assert sessions(portal) == before
    expect(tom.main.get_by_role("textbox", name="Planning notes")).to_have_value(NOTES)
    tom.main.get_by_role("button", name=re.compile(rf"{noon:%b}.*\d\d:\d\d")).first.click()
    tom.settled()
    tom.press("Book")
    tom.titled(re.compile(r"^Session \d+"))
    assert sessions(portal) == before + 1
    booked = value(portal, LATEST)
    expect(_learning(tom, known, "Learning plan").locator("td", has_text=NOTES)).to_have_count(1)
    _held_and_reopened(portal, tom, known, booked)


def _held_and_reopened(portal: Portal, tab: Tab, known: Known, session_id: int) -> None:
    status = "SELECT status FROM enrolment WHERE learner_id = ? ORDER BY id DESC LIMIT 1"
    actual = _actual(tab, known)
    commit(portal.engine, THE_PORTAL, _has_begun, session_id)
    tab.go(f"/worksheet?session={session_id}")
    tab.press("Record outcome")
    tab.panel.get_by_role("radio", name="Attended").or_(tab.panel.get_by_role("button", name="Attended")).first.click()
    expect(tab.panel.get_by_role("spinbutton", name="Actual minutes")).to_have_value("60")
    tab.press("Record", within=tab.panel)
    expect(tab.panel).to_have_count(0)
    assert value(portal, status, known.learner_id) == "in training"
    assert _actual(tab, known) == actual + 1
    number = value(portal, "SELECT number FROM session WHERE id = ?", session_id)
    step = re.compile(f"enrolled → in training, by session {number}")
    expect(_learning(tab, known, "Enrolments").get_by_text(step)).to_be_visible()
    tab.go(f"/worksheet?session={session_id}")
    tab.press("More")
    tab.page.get_by_role("menuitem", name="Reopen").click()
    tab.panel.get_by_role("textbox", name="Reason").fill("The wrong learner")
    tab.press("Reopen", within=tab.panel)
    expect(tab.panel).to_have_count(0)
    assert value(portal, status, known.learner_id) == "enrolled"
    assert _actual(tab, known) == actual


def _actual(tab: Tab, known: Known) -> float:
    """The hours that the time log counts as held."""
    said = _learning(tab, known, "Time log").get_by_test_id("stMetric").filter(has_text="Actual").inner_text()
    return float(re.findall(r"([\d.]+) h", said.replace(",", ""))[0])

"""An assessor's day and an admin's day in a real browser: from a learner, a calendar and a list to what was held."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, expect
from sqlalchemy import insert, select, update

from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import THE_PORTAL, Work, commit
from db.models.learning import Engagement, Enrolment
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Occupancy, Session
from db.models.structure import Course, Room
from db.words import EnrolmentStatus, Kind, Role
from tests.browser.conftest import Enter, Tab
from tests.browser.facts import a_free_day, person, sessions, value
from tests.browser.on_calendar import GRIP, frame, slot
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
    """Put a session two hours back, as if its time had come; further, where its people were busy then."""
    theirs = select(Occupancy.person_id).where(Occupancy.session_id == session_id)
    busy = work.tx.execute(select(Occupancy.starts_at, Occupancy.ends_at).where(
        Occupancy.person_id.in_(theirs), Occupancy.session_id != session_id)).all()
    hour = timedelta(hours=1)
    start = next(at for at in (work.now - hours * hour for hours in count(2))
                 if not any(since < at + hour and at < until for since, until in busy))
    work.tx.execute(update(Session).where(Session.id == session_id).values(starts_at=start, ends_at=start + hour))


def _learning(tab: Tab, known: "Known | School", name: str, learner: tuple[int, str] | None = None) -> Locator:
    """One of the tabs of a learner's page."""
    id_, called = learner or (known.learner_id, known.learner)
    tab.go(f"/person?{urlencode({'programme': known.programme, 'person': id_})}").titled(called)
    return _turn_to(tab, name)


def _turn_to(tab: Tab, name: str) -> Locator:
    """Another tab of that page."""
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
    expect(tom.main.get_by_role("textbox", name=re.compile("^Time"))).not_to_have_value(f"{noon:%H:%M}")
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


class School(NamedTuple):
    """Where an admin books: two assessors, and learners of one course, whom nothing keeps from meeting at noon."""

    programme: str
    course: str
    first: str
    second: str
    learners: list[str]


def _school(work: Work) -> School:
    """A course of Sara and four others; both assessors can be booked around the clock; two smart rooms, for 8 and 4."""
    here = work.tx.scalars(select(Programme).where(Programme.kind == Kind.APPRENTICESHIP)).one()
    names = (select(Person.id, Person.name).join(RoleGrant, RoleGrant.person_id == Person.id)
             .where(RoleGrant.programme_id == here.id, Person.disabled_at.is_(None)).order_by(Person.id))
    (one, first), (two, second) = work.tx.execute(names.where(
        RoleGrant.role == Role.PRACTITIONER, Person.name != "Tom Brady").limit(2)).all()
    around_the_clock(work.tx, here.id, [one, two], here.zone)
    sara = work.tx.scalar(select(Person.id).where(Person.name == "Sara Byrne")) or 0
    others = work.tx.execute(names.where(RoleGrant.role == Role.LEARNER).limit(4)).all()
    work.tx.execute(insert(RoleGrant), {"programme_id": here.id, "person_id": sara, "role": Role.LEARNER})
    course = work.tx.scalar(insert(Course).returning(Course.id), {"programme_id": here.id, "name": "Warehousing"})
    work.tx.execute(insert(Enrolment), [
        {"programme_id": here.id, "course_id": course, "learner_id": learner, "status": EnrolmentStatus.ENROLLED,
         "created_at": work.now, "version": 1} for learner in (sara, *(id_ for id_, _ in others))])
    for room, capacity in (("Smart room 1", 8), ("Smart room 2", 4)):
        work.tx.execute(update(Room).where(Room.programme_id == here.id, Room.name == room).values(capacity=capacity))
    return School(here.name, "Warehousing", first, second, [name for _, name in others])


def _smart(tab: Tab, type_: str, course: str) -> None:
    """A smart session of that type, in that course."""
    tab.main.get_by_role("radiogroup", name="Method").get_by_text("Smart", exact=True).click()
    tab.settled()
    tab.choose("Type", type_)
    tab.choose_several("Courses", course)


def _room(portal: Portal) -> str:
    """That of the newest session."""
    return str(value(portal, "SELECT r.name FROM session s JOIN room r ON r.id = s.room_id ORDER BY s.id DESC LIMIT 1"))


def test_an_admins_day_of_smart_sessions(portal: Portal, enter: Enter) -> None:
    """C1, C2, C3, C5, C8, C9, C11, C12: a group that outgrows its room, and one for whom no room is left."""
    known, noon, before = commit(portal.engine, THE_PORTAL, _school).result, a_free_day(4), sessions(portal)
    cleo = enter("Cleo Hart", "/calendar?" + urlencode({
        "programme": known.programme, "view": "week", "day": f"{noon:%Y-%m-%d}", "practitioner": known.first}))
    cleo.page.set_viewport_size({"width": 1440, "height": 1200})  # noon is in sight
    expect(frame(cleo).locator(".fc-timegrid-slot-lane").first).to_be_visible()
    x, y = slot(cleo, noon)
    cleo.page.mouse.click(x, y + GRIP)
    cleo.titled("Book a session")
    expect(cleo.main.get_by_role("textbox", name="Assessor")).to_have_value(known.first)
    expect(cleo.main.get_by_role("textbox", name=re.compile("^Time"))).to_have_value("12:00")
    _smart(cleo, "General", known.course)
    count = cleo.main.get_by_role("spinbutton", name="Number of learners")
    count.fill("6")
    count.press("Enter")
    cleo.says("For 7 people: a room is allotted when you book.")
    cleo.main.get_by_role("textbox", name="Planning notes").fill(NOTES)
    cleo.settled().press("Choose learners")
    cleo.says("0 of 6 chosen")
    cleo.choose("Course", known.course)
    expect(cleo.main.get_by_role("checkbox")).to_have_count(5)
    for name in known.learners[:2]:
        cleo.main.get_by_text(name).click()
        cleo.settled()
    cleo.says("2 of 6 chosen")
    assert sessions(portal) == before
    cleo.press("Continue")
    cleo.titled(re.compile(r"^Session \d+"))
    cleo.says(re.compile("^Booked session .*, in Smart room 2"))
    assert _room(portal) == "Smart room 2"
    cleo.press("Add learners")
    cleo.choose("Course", known.course, cleo.panel)
    for name in known.learners[2:]:
        cleo.panel.get_by_text(name).click()
        cleo.settled()
    cleo.press("Add learners", within=cleo.panel)
    cleo.says(re.compile("It takes place in Smart room 1 now, which holds 8."))
    assert _room(portal) == "Smart room 1"
    _no_room_then(portal, cleo.settled(), known, noon)
    sara = enter("Sara Byrne", f"/?{urlencode({'programme': known.programme})}")
    sara.says(re.compile("It is recorded automatically"))
    sara.page.get_by_role("link", name="My learning").click()
    sara.titled("My learning")
    expect(sara.main.locator("td", has_text=NOTES)).to_have_count(1)
    late = known.learners[-1]  # whoever joined later reads them as well
    plan = _learning(cleo, known, "Learning plan", (person(portal, late), late))
    expect(plan.locator("td", has_text=NOTES)).to_have_count(1)


def _no_room_then(portal: Portal, tab: Tab, known: School, noon: datetime) -> None:
    """From the learning plan of Sara, at the same time, recorded: refused, and one click takes the next free time."""
    sara, before = (person(portal, "Sara Byrne"), "Sara Byrne"), sessions(portal)
    _learning(tab, known, "Learning plan", sara)
    tab.press(re.compile("^.*Book a session$"))
    tab.titled("Book a session")
    expect(tab.page.get_by_label("Learner", exact=True)).to_have_value("Sara Byrne")
    tab.find_person("Assessor", known.second)
    tab.put_time(noon)
    _smart(tab, "General", known.course)
    tab.main.get_by_text("Record automatically", exact=True).click()
    tab.main.get_by_role("textbox", name="Planning notes").fill(NOTES)
    tab.settled().press("Book")
    tab.says(re.compile(r"No smart room that records for 2 people is free .*12:00–13:00.* is .*13:00"))
    tab.says("Not booked yet: no smart room is free at that time, see above.")
    assert sessions(portal) == before
    tab.press(re.compile(rf"{noon:%b}.* 13:00"))
    expect(tab.main.get_by_role("textbox", name=re.compile("^Time"))).to_have_value("13:00")
    tab.settled().press("Book")
    tab.titled(re.compile(r"^Session \d+"))
    assert (sessions(portal), _room(portal)) == (before + 1, "Smart room 1")
    evidence = _learning(tab, known, "Evidence", sara)
    expect(evidence.get_by_text("No recording yet.")).to_be_visible()
    expect(evidence.get_by_text("desktop_windows")).to_be_visible()  # an icon is a word
    planned = _turn_to(tab, "Time log").get_by_test_id("stMetric").filter(has_text="Planned")
    expect(planned).to_contain_text("1 h")

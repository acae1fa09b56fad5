"""An assessor's way from a learner to a booking, in a real browser (C2, C11)."""

import re
from urllib.parse import urlencode

from playwright.sync_api import expect
from sqlalchemy import insert, select

from core.work import THE_PORTAL, Work, commit
from db.models.learning import Engagement, Enrolment
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.words import Kind, Role
from tests.browser.conftest import Enter
from tests.factories import around_the_clock
from tests.portal import Portal


def _assess(work: Work) -> list[str | int]:
    """Tom becomes an assessor, engaged with the first learner enrolled. Returns the programme and the learner."""
    programme = work.tx.scalars(select(Programme).where(Programme.kind == Kind.APPRENTICESHIP)).one()
    tom = work.tx.scalar(select(Person.id).where(Person.name == "Tom Brady")) or 0
    learner = work.tx.scalars(select(Enrolment.learner_id).order_by(Enrolment.id)).first() or 0
    work.tx.execute(insert(RoleGrant), {"programme_id": programme.id, "person_id": tom, "role": Role.PRACTITIONER})
    around_the_clock(work.tx, programme.id, [tom], programme.zone)
    work.tx.execute(insert(Engagement), {"programme_id": programme.id, "practitioner_id": tom, "learner_id": learner,
                                         "name": "Assessing", "version": 1})
    return [programme.name, learner, work.tx.scalar(select(Person.name).where(Person.id == learner)) or ""]


def test_c2_c11_an_assessor_opens_a_learner_sees_the_plan_and_books_from_it(portal: Portal, enter: Enter) -> None:
    programme, learner, name = commit(portal.engine, THE_PORTAL, _assess).result
    tom = enter("Tom Brady", f"/progress?{urlencode({'programme': programme})}")
    tom.titled("Learning progress")
    assert name in tom.column("Learner")
    tom.go(f"/person?{urlencode({'programme': programme, 'person': learner})}")
    tom.titled(str(name))
    for tab in ("Time log", "Evidence", "Enrolments", "Off the job", "Learning plan"):
        tom.page.get_by_role("tab", name=tab).click()
        tom.settled()
        expect(tom.page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    tom.press(re.compile("^.*Book a session$"))
    tom.titled(re.compile("^Book"))
    expect(tom.page.get_by_label("Learner", exact=True)).to_have_value(str(name))

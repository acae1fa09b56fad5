"""Logging takes few clicks: at most 4 for one learner, at most 8 for a group of 30 with two absentees (E1, E2, D11).

Every press of a mouse or a finger counts, the one that puts the cursor into a field too; typing does not.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from playwright.sync_api import ViewportSize, expect
from sqlalchemy import delete, select, update

from core.people.commands import NewPerson, add_people
from core.sessions.booking import book_sessions
from core.sessions.rules import Booking
from core.work import THE_PORTAL, Work, commit, now_utc
from db.models.afterwards import Note
from db.models.programmes import Programme
from db.models.sessions import Participation, Session
from db.words import Role
from tests.browser.conftest import Enter, Tab
from tests.browser.facts import person, value, values
from tests.portal import Portal

HERE = "Liffey Tutors"
PHONE: ViewportSize = {"width": 390, "height": 844}
COUNTER = """() => {
  window.pressed = 0;
  document.addEventListener('click', event => { window.pressed += event.detail > 0 ? 1 : 0; }, true);
}"""


def with_terms(work: Work) -> int:
    """The programme asks for the protocol, and has nothing of Tom's left to log."""
    id_, policy = work.tx.execute(select(Programme.id, Programme.policy).where(Programme.name == HERE)).one()
    work.tx.execute(update(Programme).where(Programme.id == id_).values(policy={**policy, "missed_wait": 15}))
    work.tx.execute(update(Session).where(
        Session.programme_id == id_, Session.starts_at < work.now, Session.cancelled_at.is_(None)).values(
            cancelled_at=work.now, cancel_reason="before the test"))
    return int(id_)


@pytest.fixture(scope="module")
def lessons(portal: Portal) -> tuple[int, int]:
    """Two lessons of Tom's that have begun: with one learner, and with thirty."""
    programme = commit(portal.engine, THE_PORTAL, with_terms).result
    alice, tom = person(portal, "Alice Moran"), person(portal, "Tom Brady")
    people = [NewPerson(f"Pupil {number:02}", (Role.LEARNER,)) for number in range(31)]
    commit(portal.engine, alice, add_people, programme, people)
    pupils = values(portal, "SELECT id FROM person WHERE name LIKE 'Pupil %' ORDER BY name")

    def booked(learners: Sequence[int], days: int) -> int:
        at = now_utc().replace(hour=12, minute=0, second=0) - timedelta(days=days)
        return int(commit(portal.engine, alice, book_sessions, [Booking(
            programme, tom, tuple(learners), starts_at=at, minutes=60, reason="of the test")]).result[0])

    return booked(pupils[30:], 1), booked(pupils[:30], 2)


def clicks(tab: Tab) -> int:
    """How often was pressed since counting began."""
    return int(tab.page.evaluate("window.pressed"))


def write(tab: Tab, label: str, text: str) -> None:
    """Into a field, as a person does: one press puts the cursor there."""
    field = tab.panel.get_by_role("textbox", name=label).or_(tab.panel.get_by_role("spinbutton", name=label))
    field.click()
    tab.page.keyboard.type(text)


@pytest.mark.parametrize("on_phone", [False, True], ids=["laptop", "phone"])
def test_e1_one_learner_in_four_clicks_and_thirty_in_eight(
    portal: Portal, enter: Enter, lessons: tuple[int, int], on_phone: bool
) -> None:
    if on_phone:  # the laptop has logged them; a phone does it again
        commit(portal.engine, THE_PORTAL, _again, list(lessons))
    one, group = lessons
    tom = enter("Tom Brady", f"/?programme={HERE.replace(' ', '+')}")
    if on_phone:
        tom.page.set_viewport_size(PHONE)
        tom.settled()

    tom.page.evaluate(COUNTER)
    tom.main.get_by_role("button", name="Pupil 30").click()
    tom.panel.get_by_role("radio", name="Attended").or_(
        tom.panel.get_by_role("button", name="Attended", exact=True)).first.click()
    tom.settled()
    expect(tom.panel.get_by_text(re.compile(
        r"You earn €[\d.]+, on hold until the note is submitted\."))).to_be_visible()
    write(tom, "Note", "Fractions went well.")
    tom.panel.get_by_role("button", name="Record", exact=True).click()
    expect(tom.panel).to_have_count(0)
    assert clicks(tom) <= 4
    assert value(portal, "SELECT status FROM session WHERE id = ?", one) == "completed"
    tom.settled()

    tom.page.evaluate("window.pressed = 0")
    tom.main.get_by_role("button", name="Pupil 00, Pupil 01").click()
    tom.panel.get_by_text("All attended", exact=True).click()
    tom.settled()
    for name in ("Pupil 03", "Pupil 17"):
        tom.panel.get_by_role("radiogroup", name=name).or_(tom.panel.get_by_label(name)).first.get_by_text(
            "Missed", exact=True).click()
        tom.settled()
    write(tom, "Minutes waited", "15")
    write(tom, "How you tried to make contact", "Rang both")
    write(tom, "Note", "All of them read aloud.")
    tom.panel.get_by_role("button", name="Record", exact=True).click()
    expect(tom.panel).to_have_count(0)
    assert clicks(tom) <= 8
    assert value(portal, "SELECT attended FROM session WHERE id = ?", group) == 28
    assert values(portal, "SELECT contact FROM participation WHERE session_id = ? AND outcome = 'missed'", group) == [
        "Rang both", "Rang both"]
    tom.says("Nothing waits for you.")


def _again(work: Work, ids: list[int]) -> None:
    """Nothing was recorded of these sessions, nor written."""
    work.tx.execute(delete(Note).where(Note.session_id.in_(ids)))
    work.tx.execute(update(Session).where(Session.id.in_(ids)).values(
        comments_at=None, report_published_at=None, told_at=None))
    work.tx.execute(update(Participation).where(Participation.session_id.in_(ids)).values(
        outcome=None, outcome_at=None, actual_minutes=None, waited_minutes=None, contact=None))

"""The days of those who are no admins: each sees what is theirs, and can do what is theirs to do (A1, A4, D7, X6)."""

import re

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import Enter, Tab
from tests.browser.facts import now, person, session, value, values
from tests.portal import Portal

CHANGES = re.compile(
    r"^(Book|Add|Edit|Reschedule|Move|Put on|Cancel|Delete|Record|Reopen|Reassign|Replace|Change|Invite|Switch|Undo"
    r"|Duplicate|Quick fix|Choose|Off the calendar|Ask)\b"
)
THEIRS = (
    "SELECT count(DISTINCT s.id) FROM session s JOIN participation a ON a.session_id = s.id"
    " JOIN programme g ON g.id = s.programme_id WHERE g.name = ? AND a.learner_id IN ({who})"
)
TIED = "SELECT learner_id FROM relation WHERE adult_id = ? AND programme_id = g.id AND tie = '{tie}'"


def buttons(tab: Tab) -> list[str]:
    """What can be pressed, menus opened."""
    found = tab.main.get_by_role("button").all_inner_texts()
    for menu in tab.main.get_by_role("button", name="More", exact=True).all()[:1]:
        menu.click()
        found += tab.page.get_by_role("menuitem").all_inner_texts()
        tab.page.keyboard.press("Escape")
    return [one.strip().splitlines()[-1] for one in found if one.strip()]


def test_a_practitioner_records_an_outcome_and_reopens_it(portal: Portal, enter: Enter) -> None:
    logs = session(portal, "p.name = 'Tom Brady' AND s.ends_at < ? AND s.status IN ('scheduled', 'submitted')", now())
    tom = enter("Tom Brady", f"/worksheet?session={logs.id}")
    tom.press("Record outcome")
    tom.panel.get_by_text("Attended", exact=True).click()
    tom.settled().press("Record", within=tom.panel)
    expect(tom.panel).to_have_count(0)
    expect(tom.main.get_by_text(re.compile("attended")).first).to_be_visible()
    tom.settled()
    if "Reopen" in tom.main.get_by_role("button").all_inner_texts():
        tom.press("Reopen")
    else:
        tom.press("More")
        tom.page.get_by_role("menuitem", name="Reopen").click()
    tom.panel.get_by_role("textbox", name="Reason").fill("The wrong pupil")
    tom.press("Reopen", within=tom.panel)
    expect(tom.panel).to_have_count(0)
    expect(tom.main.get_by_role("button", name="Record outcome")).to_be_visible()
    tom.says("Reason: The wrong pupil")


def test_a1_a4_a_learner_sees_their_own_and_asks_for_another_time(portal: Portal, enter: Enter) -> None:
    me = person(portal, "Sara Byrne")
    lesson = session(
        portal, "s.status = 'scheduled' AND s.starts_at > ? AND s.team_id IS NULL"
        " AND s.id IN (SELECT session_id FROM participation WHERE learner_id = ?)", now() + 86400, me)
    sara = enter("Sara Byrne", f"/sessions?programme={lesson.programme}&sort=time")
    assert sara.total() == value(portal, THEIRS.format(who="?"), lesson.programme, me)
    foreign = session(portal, "g.name = ? AND s.id NOT IN (SELECT session_id FROM participation WHERE learner_id = ?)",
                      lesson.programme, me)
    sara.go(f"/worksheet?session={foreign.id}").titled("Not found")
    sara.go(f"/worksheet?session={lesson.id}").titled(re.compile(rf"\b{lesson.number}$"))
    sara.press("Ask for another time")
    sara.panel.get_by_role("textbox").fill("Thursday after four would suit me")
    sara.press("Ask for another time", within=sara.panel)
    expect(sara.panel).to_have_count(0)
    tom = enter(lesson.practitioner)
    tom.says(re.compile("Thursday after four"))


def test_a1_a_guardian_sees_their_learners(portal: Portal, enter: Enter) -> None:
    me = person(portal, "Gus Byrne")
    programme = value(portal, "SELECT g.name FROM programme g JOIN relation r ON r.programme_id = g.id"
                              " WHERE r.adult_id = ? AND r.tie = 'guardian'", me)
    gus = enter("Gus Byrne", f"/sessions?programme={programme}&sort=time")
    assert gus.total() == value(portal, THEIRS.format(who=TIED.format(tie="guardian")), programme, me)
    gus.open_row(0)
    gus.page.wait_for_url(re.compile("/worksheet"))
    gus.settled()
    assert not [one for one in buttons(gus) if re.match("Edit|Reschedule|Delete|Record|Reassign|Book", one)]


def test_d7_a_line_manager_finds_no_words(portal: Portal, enter: Enter) -> None:
    me = person(portal, "Lena Fox")
    programmes = values(portal, "SELECT DISTINCT g.name FROM programme g JOIN relation r ON r.programme_id = g.id"
                                " WHERE r.adult_id = ?", me)
    lena = enter("Lena Fox")
    read = lena.text()
    for programme in programmes:
        lena.go(f"/sessions?programme={programme}")
        assert lena.total() > 0
        read += lena.text()
        cookies = {each["name"]: each["value"] for each in lena.page.context.cookies()}
        for ending in ("csv", "xlsx"):
            answer = requests.get(f"{portal.url}/export/sessions.{ending}", {"programme": programme}, cookies=cookies,
                                  timeout=30)
            assert answer.ok
            read += answer.content.decode("utf-8", "ignore")
    seen = values(portal, "SELECT s.id FROM session s JOIN participation a ON a.session_id = s.id JOIN relation r"
                          " ON r.learner_id = a.learner_id AND r.programme_id = s.programme_id WHERE r.adult_id = ?"
                          " AND s.planning_notes IS NOT NULL ORDER BY s.starts_at DESC LIMIT 3", me)
    for id_ in seen:
        read += lena.go(f"/worksheet?session={id_}").text()
    for learner in values(portal, "SELECT DISTINCT learner_id FROM relation WHERE adult_id = ? LIMIT 1", me):
        read += lena.go(f"/person?person={learner}").text()
    words = values(portal, "SELECT DISTINCT description FROM session WHERE description > ''"
                           " UNION SELECT DISTINCT planning_notes FROM session WHERE planning_notes > ''"
                           " UNION SELECT DISTINCT cancel_reason FROM session WHERE cancel_reason > ''")
    assert len(words) > 50
    assert [word for word in words if len(word) > 12 and word in read] == []


@pytest.mark.parametrize("path", ["/", "/sessions", "/worksheet?session={id}", "/people", "/person?person={tom}"])
def test_an_insight_viewer_changes_nothing(portal: Portal, enter: Enter, path: str) -> None:
    known = session(portal, "g.name LIKE 'Elbe%' AND s.status = 'scheduled' AND s.starts_at > ?", now())
    mona = enter("Mona Reyes", path.format(id=known.id, tom=person(portal, known.practitioner)))
    assert [one for one in buttons(mona) if CHANGES.match(one)] == []


def test_an_insight_viewer_is_not_led_to_booking(enter: Enter) -> None:
    mona = enter("Mona Reyes")
    expect(mona.page.get_by_role("link", name="Sessions", exact=True)).to_be_visible()
    expect(mona.page.get_by_role("link", name="Book", exact=True)).to_have_count(0)

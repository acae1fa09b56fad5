"""An admin's day: find, sort, move, mend many, export, book, edit, cancel, delete (A3-A8, B1-B9, C6, X5)."""

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import openpyxl
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.facts import a_free_day, ahead, learner, sessions, value
from tests.portal import Portal

NUMBERED = re.compile(r"^Session \d+")


def test_a3_b2_filters_stand_in_the_address(portal: Portal, enter: Enter) -> None:
    who = ahead(portal).practitioner
    alice = enter("Alice Moran", "/sessions?sort=time")
    everything = alice.total()
    alice.choose_several("Status", "completed")
    alice.page.wait_for_url(re.compile("status=completed"))
    alice.choose_several("Mentor", who)
    alice.page.wait_for_url(re.compile("practitioner="))
    alice.until_column("Mentor", lambda names: set(names) == {who})
    assert set(alice.column("Status")) == {"✔\u00a0completed"}
    found = alice.total()
    assert 0 < found < everything

    alice.page.reload()
    alice.settled()
    assert alice.total() == found
    address = urlsplit(alice.page.url)
    other = alice.another(f"{address.path}?{address.query}")
    assert (other.total(), other.column("No.")) == (found, alice.column("No."))


def test_a8_a_heading_sorts_the_whole_result(enter: Enter) -> None:
    alice = enter("Alice Moran", "/sessions")
    before = alice.total()
    for arrow, way in (("↑", False), ("↓", True)):
        alice.click_cell(-1, "practitioner")
        expect(alice.grid.locator("th", has_text=f"Mentor {arrow}")).to_have_count(1)
        alice.settled()
        names = [name for name in alice.column("Mentor") if name]
        assert names == sorted(names, reverse=way)
    assert alice.total() == before


def test_a7_a_row_opens_its_worksheet(enter: Enter) -> None:
    alice = enter("Alice Moran", "/sessions?status=completed")
    number = alice.column("No.")[2]
    alice.click_cell(2, "practitioner")
    alice.titled(re.compile(f"^Session {number}"))
    alice.page.go_back()
    alice.titled("Sessions")
    assert parse_qs(urlsplit(alice.page.url).query)["status"] == ["completed"]


def test_a4_x5_a_time_reschedules_and_undo_puts_it_back(portal: Portal, enter: Enter) -> None:
    session = ahead(portal, 0)
    alice = enter("Alice Moran", f"/sessions?status=scheduled&text={session.number}")
    row = alice.column("No.").index(str(session.number))
    before = alice.column("Time")[row]
    alice.click_cell(row, "time")
    expect(alice.panel.get_by_text(f"Session {session.number}")).to_be_visible()
    alice.put_time(a_free_day(0), alice.panel)
    alice.press("Move", within=alice.panel)
    alice.says(f"Moved session {session.number} to")
    expect(alice.panel).to_have_count(0)
    alice.settled()
    expect(alice.cell(before)).to_have_count(0)
    alice.press("Undo")
    alice.says(re.compile("^Undid"))
    expect(alice.cell(before)).to_have_count(1)


def test_x5_a_quick_fix_is_shown_row_by_row_and_undone_as_one(portal: Portal, enter: Enter) -> None:
    alice = enter("Alice Moran", "/sessions?status=scheduled")
    before, numbers = alice.column("Time")[:2], alice.column("No.")[:2]
    alice.click_cell(0, "tick")
    alice.click_cell(1, "tick")
    alice.press("Quick fix (2)")
    alice.page.get_by_role("menuitem", name="Shift in time").click()
    alice.panel.get_by_role("spinbutton", name="Days").fill("70")
    alice.page.keyboard.press("Enter")
    for number in numbers:
        expect(alice.panel.get_by_text(re.compile(rf"{number}\b.*→"))).to_be_visible()
    alice.press("Change 2 sessions", within=alice.panel)
    expect(alice.panel).to_have_count(0)
    alice.says(re.compile(r"\b2 sessions"))
    alice.settled()
    alice.until_column("Time", lambda times: not set(before) & set(times))
    alice.press("Undo")
    alice.says(re.compile("^Undid"))
    for time in before:
        expect(alice.cell(time)).not_to_have_count(0)


def test_a_view_is_kept_by_name(enter: Enter) -> None:
    alice = enter("Alice Moran", "/sessions?status=missed&sort=practitioner")
    found = alice.total()
    alice.press("Views")
    alice.page.get_by_role("textbox", name="Name of the present view").fill("Who did not come")
    alice.page.get_by_role("button", name="Save this view").click()
    alice.says(re.compile("Who did not come"))
    other = alice.another("/sessions")
    assert other.total() > found
    other.press("Views")
    other.page.get_by_role("button", name="Who did not come", exact=True).click()
    other.page.wait_for_url(re.compile("status=missed"))
    other.counts(re.compile(f" of {found} "))
    expect(other.grid.locator("th", has_text=re.compile("^Mentor [↓↑]"))).to_have_count(1)


def test_an_export_is_exactly_what_is_filtered(enter: Enter) -> None:
    alice = enter("Alice Moran", "/sessions?status=completed")
    found = alice.total()
    shown = alice.column("No.")
    alice.press("Export")
    with alice.page.expect_download() as kept:
        alice.page.get_by_role("link", name="CSV").click()
    lines = list(csv.reader(io.StringIO(kept.value.path().read_text("utf-8-sig"))))
    number, status = lines[0].index("No.") if "No." in lines[0] else lines[0].index("Number"), lines[0].index("Status")
    assert len(lines) - 1 == found
    assert {line[status] for line in lines[1:]} == {"completed"}
    assert [line[number] for line in lines[1:]][: len(shown)] == shown
    with alice.page.expect_download() as kept:
        alice.page.get_by_role("link", name="Excel").click()
    sheet = list(openpyxl.load_workbook(io.BytesIO(kept.value.path().read_bytes())).worksheets[0].values)
    assert [str(row[number]) for row in sheet] == [line[number] for line in lines]


def test_b9_a_clash_offers_free_times_and_a_double_click_books_once(portal: Portal, enter: Enter) -> None:
    session, who = ahead(portal, 1), learner(portal)
    before = sessions(portal)
    alice = enter("Alice Moran", "/sessions")
    alice.press("Book a session")  # C2: from the list
    alice.titled("Book a session")
    alice.find_person("Mentor", session.practitioner)
    alice.find_person("Participant", who)
    alice.put_time(session.starts_at)
    alice.choose("Timetable", "Weekday mentoring")
    alice.press("Book")
    alice.says(re.compile(f"{session.practitioner} is busy"))
    alice.says(re.compile("Not booked yet"))
    assert sessions(portal) == before
    free = alice.main.get_by_role("button", name=re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ \w+ \d{4}"))
    free.first.click()
    expect(alice.main.get_by_text("Not booked yet")).to_have_count(0)
    alice.settled()
    alice.main.get_by_role("button", name="Book", exact=True).dblclick()
    alice.titled(NUMBERED)
    alice.says(re.compile("^Booked"))
    expect(alice.main.get_by_text(who).first).to_be_visible()
    assert sessions(portal) == before + 1


def test_a_session_is_duplicated(portal: Portal, enter: Enter) -> None:
    session = ahead(portal, 2)
    alice = enter("Alice Moran", f"/worksheet?session={session.id}")
    alice.press("More")
    alice.page.get_by_role("menuitem", name="Duplicate").click()
    alice.titled("Book a session")
    expect(alice.main.get_by_role("textbox", name="Mentor")).to_have_value(session.practitioner)
    alice.put_time(a_free_day(2))
    alice.press("Book")
    alice.titled(NUMBERED)
    alice.says(f"Made from session {session.number}")


def test_a_session_is_edited_cancelled_and_deleted(portal: Portal, enter: Enter) -> None:
    session = ahead(portal, 3)
    alice = enter("Alice Moran", f"/worksheet?session={session.id}")
    alice.press("More")
    alice.page.get_by_role("menuitem", name="Edit").click()
    alice.panel.get_by_role("textbox", name="Description").fill("Bring <b>both</b> *drafts*")
    alice.press("Save", within=alice.panel)
    expect(alice.panel).to_have_count(0)
    alice.says("Bring <b>both</b> *drafts*")

    alice.settled().press("More")
    alice.page.get_by_role("menuitem", name=re.compile("Cancel$")).click()
    alice.press(f"Cancel session {session.number}", within=alice.panel)
    expect(alice.panel.get_by_text(re.compile("reason|why", re.I)).last).to_be_visible()
    alice.panel.get_by_role("textbox", name="Reason").fill("The speaker is ill")
    alice.press(f"Cancel session {session.number}", within=alice.panel)
    alice.says("Cancelled: The speaker is ill")
    assert value(portal, "SELECT status FROM session WHERE id = ?", session.id) == "cancelled"


def test_b5_deleting_names_the_way_out_and_can_be_undone(portal: Portal, enter: Enter) -> None:
    session = ahead(portal, 4)
    alice = enter("Alice Moran", f"/worksheet?session={session.id}")
    alice.press("More")
    alice.page.get_by_role("menuitem", name="Delete").click()
    expect(alice.panel.get_by_text(re.compile("on the calendar"))).to_be_visible()
    alice.press("Cancel and delete", within=alice.panel)
    alice.titled("Sessions")
    alice.says(re.compile("^Deleted|^Cancelled and deleted"))
    alice.press("Undo")
    alice.says(re.compile("^Undid"))
    alice.go(f"/worksheet?session={session.id}").titled(re.compile(f"Session {session.number}"))

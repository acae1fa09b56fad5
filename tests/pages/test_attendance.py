"""Logging a session: from the home page, alone or a whole group in one go, with note, notice, protocol and reasons.

What follows is said beforehand: to a practitioner no amount but their own pay (E1, E2, E3, D11, E9).
"""

from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.attending.commands import Written as Note
from core.attending.commands import record_outcome, submit_note
from core.attending.rules import Attendance
from core.billing.commands import NewRate, add_rate
from db.models import afterwards
from db.models.sessions import Participation
from db.words import Outcome, RateUnit, Side, Status
from tests.factories import DAY, HOUR, LONG_AGO, MINUTE, TEN, World
from tests.pages.conftest import Opener, texts

A, M, ABSENT = Outcome.ATTENDED, Outcome.MISSED, Outcome.PRACTITIONER_ABSENT


def said(tab: AppTest) -> str:
    """What the screen says, without the signs that keep it from being Markdown."""
    return texts(tab).replace("\\", "")


class Panel:
    """The attendance form of a session, opened over the worksheet, or from home by a click."""

    def __init__(self, tab: AppTest, session: int) -> None:
        self.tab, self.name, self.session = tab, f"record-{session}", session

    def choose(self, field: str, value: Any) -> "Panel":
        self.tab.segmented_control(key=f"{self.name}:{field}").set_value(value).run()
        assert not self.tab.exception, self.tab.exception
        return self

    def fill(self, **values: Any) -> "Panel":
        for field, value in values.items():
            name = f"{self.name}:{field.replace('__', '-')}"
            kind = self.tab.number_input if isinstance(value, int) else self.tab.text_input
            if field in ("shared", "report"):
                kind = self.tab.text_area
            kind(key=name).set_value(value).run()
        assert not self.tab.exception, self.tab.exception
        return self

    def send(self) -> str:
        self.tab.button(key=f"{self.name}:send").click().run()
        assert not self.tab.exception, self.tab.exception
        return said(self.tab)


def record(open_screen: Opener, who: int, session: int) -> Panel:
    tab = open_screen(who, "worksheet", session=session)
    tab.session_state["panel:open"] = ("session-record", (session,))
    tab.run()
    assert not tab.exception, tab.exception
    return Panel(tab, session)


def rates(world: World) -> None:
    for side, amount in ((Side.BILLED, 5000), (Side.PAID, 3000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, LONG_AGO))


@pytest.fixture
def session(world: World) -> int:
    """Tom with Sara on Tuesday at ten, which has passed."""
    made = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.now = TEN + DAY
    return made


@pytest.mark.parametrize(("way", "status"), [(A, Status.HELD), (M, Status.MISSED), (ABSENT, Status.MISSED)])
def test_records_what_came_of_it(
    world: World, open_screen: Opener, session: int, way: Outcome, status: Status
) -> None:
    panel = record(open_screen, world.tom, session)
    assert "Choose what came of it." in panel.send()
    panel.choose("way", way).send()
    assert world.fact(session, "status") is status


def test_e1_from_home_in_one_click_with_the_note_as_one_act(world: World, open_screen: Opener, session: int) -> None:
    world.policy(notes_required=True)
    rates(world)
    tab = open_screen(world.tom, "home")
    assert "Attendance and note · due Thu 5 Mar 2026, 11:00 · £30.00 waits for it" in said(tab)
    tab.button(f"log-{session}").click().run()
    panel = Panel(tab, session).choose("way", A)
    assert "You earn £30.00, on hold until the note is submitted." in said(tab)
    panel.fill(shared="Fractions went well.")
    assert "Recorded session 1 as held, and submitted its note." in panel.send()
    assert world.fact(session, "status") is Status.COMPLETED
    assert world.all(select(afterwards.Note.body)) == ["Fractions went well."]
    assert "Nothing waits for you." in said(tab)
    tab.button("feedback-undo").click().run()
    assert world.fact(session, "status") is Status.SCHEDULED
    assert "£30.00 waits for it" in said(tab)


def test_e9_a_practitioner_reads_no_amount_but_their_own_and_staff_the_whole(
    world: World, open_screen: Opener
) -> None:
    rates(world)
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    world.now = TEN + DAY
    panel = record(open_screen, world.tom, session).choose("way", A)
    assert "Sam, Sara are billed." in said(panel.tab)
    assert "You earn £30.00." in said(panel.tab)
    assert "50.00" not in said(panel.tab)
    panel = record(open_screen, world.alice, session).choose("way", A)
    assert "Sam, Sara are billed £50.00 each." in said(panel.tab)
    assert "Tom earns £30.00." in said(panel.tab)
    panel = record(open_screen, world.ben, session).choose("way", A)
    assert "Sam, Sara are billed." in said(panel.tab)
    assert "£" not in said(panel.tab)
    panel.choose("way", ABSENT)
    assert "Sam, Sara are not billed." in said(panel.tab)


def test_e2_a_group_in_one_go_with_exceptions_and_minutes_of_some(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam, world.vic), starts_at=TEN)
    world.now = TEN + DAY
    panel = record(open_screen, world.tom, session).choose("way", A).choose(f"row-{world.sam}", M)
    panel.fill(minutes=62)
    assert "Actual minutes are a multiple of 5, from 15 to 90." in panel.send()
    panel.fill(minutes=75)
    panel.tab.toggle(key=f"{panel.name}:differs").set_value(True).run()
    panel.fill(**{f"minutes__{world.vic}": 95})
    assert "from 15 to 90" in panel.send()
    panel.fill(**{f"minutes__{world.vic}": 45}).send()
    found = {learner: (outcome, minutes) for learner, outcome, minutes in world.all(select(
        Participation.learner_id, Participation.outcome, Participation.actual_minutes))}
    assert found == {world.sara: (A, 75), world.sam: (M, None), world.vic: (A, 45)}


@pytest.mark.parametrize(("clock", "words", "outcome"), [
    ("10:00", "24 hours ahead or more: **cancelled in time**", Outcome.CANCELLED_IN_TIME),
    ("10:01", "Under 24 hours ahead: **cancelled late**", Outcome.CANCELLED_LATE),
])
def test_e3_notice_is_asked_for_and_worked_out(
    world: World, open_screen: Opener, session: int, clock: str, words: str, outcome: Outcome
) -> None:
    panel = record(open_screen, world.tom, session).choose("way", "cancelled")
    assert "Say when notice was given." in panel.send()
    panel.fill(**{f"notice__day__{world.sara}": "2 Mar", f"notice__time__{world.sara}": clock})
    assert words in said(panel.tab)
    assert not panel.tab.checkbox
    assert "as cancelled: nobody was left in it" in panel.send()
    assert world.all(select(Participation.outcome)) == [outcome]
    assert "notice given Mon 2 Mar 2026" in said(open_screen(world.sara, "worksheet", session=session))


@pytest.mark.parametrize(("day", "clock", "sentence"), [
    ("31 Feb", "10:00", "This is no date."), ("2 Mar", "25:00", "This is no time."), ("2 Mar", "", "Say when notice"),
    ("2026-03-09", "10:00", "Notice cannot lie ahead."),
    ("3 Mar", "10:30", "after the beginning, so it counts as missed"),
])
def test_bad_notice_is_refused_beside_its_field_and_stays(
    world: World, open_screen: Opener, session: int, day: str, clock: str, sentence: str
) -> None:
    panel = record(open_screen, world.tom, session).choose("way", "cancelled")
    panel.fill(**{f"notice__day__{world.sara}": day, f"notice__time__{world.sara}": clock})
    assert sentence in panel.send()
    assert world.fact(session, "status") is Status.SCHEDULED


def test_e3_d11_staff_record_otherwise_with_a_reason(world: World, open_screen: Opener, session: int) -> None:
    world.policy(missed_wait=15)
    panel = record(open_screen, world.tom, session).choose("way", M)
    told = panel.send()
    assert "Wait 15 minutes first, and say how long you waited." in told
    assert "Say how you tried to make contact." in told
    assert "recorded otherwise" not in "".join(each.label for each in panel.tab.text_input)
    panel = record(open_screen, world.ben, session).choose("way", "cancelled")
    panel.fill(**{f"notice__day__{world.sara}": "3 Mar", f"notice__time__{world.sara}": "9"})
    panel.tab.checkbox(key=f"{panel.name}:otherwise-{world.sara}").set_value(True).run()
    assert "Otherwise give a reason." in panel.send()
    panel.fill(overruled="the school was closed").send()
    assert world.all(select(Participation.outcome, Participation.overruled)) == [
        (Outcome.CANCELLED_IN_TIME, "the school was closed")]
    assert "the school was closed" in said(open_screen(world.ben, "worksheet", session=session))
    assert "the school was closed" not in said(open_screen(world.lena, "worksheet", session=session))


def test_d11_the_protocol_is_recorded(world: World, open_screen: Opener, session: int) -> None:
    world.policy(missed_wait=15)
    world.now = TEN + 10 * MINUTE
    panel = record(open_screen, world.tom, session).choose("way", M).fill(waited=15, contact="rang twice")
    assert "It began less than 15 minutes ago." in panel.send()
    world.now = TEN + 20 * MINUTE
    panel.send()
    assert world.all(select(Participation.waited_minutes, Participation.contact)) == [(15, "rang twice")]


def test_e5_a_note_owed_later_is_written_and_corrected_by_its_author(
    world: World, open_screen: Opener, session: int
) -> None:
    world.policy(notes_required=True)
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, A)])
    tab = open_screen(world.tom, "home")
    tab.button(f"log-{session}").click().run()
    tab.button(f"note-{session}:send").click().run()
    assert "Write something first." in said(tab)
    tab.text_area(f"note-{session}:shared").set_value("<b>Fractions</b>").run()
    tab.button(f"note-{session}:send").click().run()
    assert "Submitted the note of session 1." in said(tab)
    for who, reads, corrects in ((world.tom, True, True), (world.sara, True, False), (world.gus, True, False),
                                 (world.ben, True, False), (world.lena, False, False), (world.mona, False, False)):
        tab = open_screen(who, "worksheet", session=session)
        assert ("<b>Fractions</b>" in [each.value for each in tab.text]) is reads
        assert ("correct-note" in [each.key for each in tab.button]) is corrects


def test_e7_the_calendar_shows_the_notes_of_past_sessions(world: World, open_screen: Opener, session: int) -> None:
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, A)])
    world.do(world.tom, submit_note, session, Note("Fractions."))
    for who, reads in ((world.sara, True), (world.gus, True), (world.lena, False)):
        tab = open_screen(who, "calendar", view="week", day="2026-03-03")
        tab.session_state["panel:open"] = ("session-look", (session,))
        tab.run()
        assert not tab.exception, tab.exception
        assert ("Fractions." in [each.value for each in tab.text]) is reads


def test_a_note_that_was_corrected_meanwhile_is_not_lost(world: World, open_screen: Opener, session: int) -> None:
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, A)])
    world.do(world.tom, submit_note, session, Note("First."))
    tab = open_screen(world.tom, "worksheet", session=session)
    tab.button("correct-note").click().run()
    tab.text_area(f"note-{session}:shared").set_value("Mine.").run()
    world.do(world.tom, submit_note, session, Note("From the other tab."))
    tab.button(f"note-{session}:send").click().run()
    assert "was changed by somebody else" in said(tab)
    tab.button(f"note-{session}:mine").click().run()
    assert world.all(select(afterwards.Note.body)) == ["Mine."]


def test_x6_a_panel_opened_by_hand_records_nothing(world: World, open_screen: Opener, session: int) -> None:
    for who in (world.sara, world.gus, world.lena, world.mona):
        tab = open_screen(who, "worksheet", session=session)
        for which in ("record", "note", "report", "answer"):
            tab.session_state["panel:open"] = (f"session-{which}", (session,))
            tab.run()
            assert not tab.exception, tab.exception
            assert f"{which}-{session}:send" not in [each.key for each in tab.button]


def test_the_worksheet_tells_each_their_own_money_and_why(world: World, open_screen: Opener, session: int) -> None:
    rates(world)
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, A, 90)])
    for who, reads, reads_not in ((world.alice, ("£75.00", "£45.00"), ()), (world.tom, ("£45.00",), ("£75.00",)),
                                  (world.sara, ("£75.00",), ("£45.00",)), (world.gus, ("£75.00",), ("£45.00",)),
                                  (world.lena, (), ("£",)), (world.ben, (), ("£",))):
        told = said(open_screen(who, "worksheet", session=session))
        assert all(amount in told for amount in reads), who
        assert not any(amount in told for amount in reads_not), who
    assert "Attended: 90 minutes at £30.00 an hour" in said(open_screen(world.tom, "worksheet", session=session))


# Leaving, objecting, late changes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "words"), [
    (23 * HOUR, "Under 24 hours ahead, so it counts as cancelled late.  \nYour part is billed £50.00."),
    (24 * HOUR, "It is cancelled in time.  \nYour part is not billed."),
])
def test_e8_a_learner_cancels_told_beforehand_what_it_costs(
    world: World, open_screen: Opener, ahead: Any, words: str
) -> None:
    rates(world)
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    world.now = TEN - ahead
    tab = open_screen(world.sara, "home")
    tab.button(f"leave-{session}").click().run()
    assert words in said(tab)
    assert "Session 1 goes on for the others." in said(tab)
    tab.button(f"leave-{session}:send").click().run()
    assert "Give a reason" in said(tab)
    tab.text_input(f"leave-{session}:reason").set_value("ill").run()
    tab.button(f"leave-{session}:send").click().run()
    assert "Cancelled for Sara" in said(tab)
    assert dict(world.all(select(Participation.learner_id, Participation.outcome)))[world.sam] is None
    assert f"leave-{session}" not in [each.key for each in tab.button]


def test_e8_guardians_cancel_for_theirs_and_staff_say_when_notice_was(world: World, open_screen: Opener) -> None:
    rates(world)
    session = world.book(practitioner=world.tom, learner_ids=(world.sara, world.sam), starts_at=TEN)
    world.now = TEN - HOUR
    tab = open_screen(world.gus, "worksheet", session=session)
    assert tab.button(key="worksheet-first").label == "Ask for another time"
    tab.session_state["panel:open"] = ("session-leave", (session,))
    tab.run()
    assert "Sara is billed £50.00." in said(tab)
    assert "Sam" not in "".join(each.label for each in tab.button)
    tab = open_screen(world.tom, "worksheet", session=session)
    tab.session_state["panel:open"] = ("session-leave", (session,))
    tab.run()
    tab.get("pills")[0].set_value([world.sara]).run()
    tab.text_input(f"leave-{session}:notice-day").set_value("1 Mar").run()
    tab.text_input(f"leave-{session}:notice-time").set_value("9").run()
    assert "It is cancelled in time.  \nSara is not billed." in said(tab)
    tab.text_input(f"leave-{session}:reason").set_value("rang").run()
    tab.button(f"leave-{session}:send").click().run()
    assert dict(world.all(select(Participation.learner_id, Participation.outcome)))[
        world.sara] is Outcome.CANCELLED_IN_TIME


def test_something_wrong_is_said_and_answered(world: World, open_screen: Opener, session: int) -> None:
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, M)])
    tab = open_screen(world.gus, "worksheet", session=session)
    tab.button("object").click().run()
    tab.button(f"dispute-{session}:send").click().run()
    assert "Say what is wrong." in said(tab)
    tab.text_area(f"dispute-{session}:claim").set_value("She was there.").run()
    tab.button(f"dispute-{session}:send").click().run()
    assert "She was there." in said(tab)
    assert "object" not in [each.key for each in tab.button]
    assert "She was there." in said(open_screen(world.tom, "worksheet", session=session))
    assert "She was there." not in said(open_screen(world.lena, "worksheet", session=session))
    tab = open_screen(world.ben, "worksheet", session=session)
    assert tab.button(key="worksheet-first").label == "Answer the objection"
    tab.button(key="worksheet-first").click().run()
    tab.text_area(f"answer-{session}:answer").set_value("Corrected.").run()
    tab.button(f"answer-{session}:send").click().run()
    assert "Answer:** Corrected." in said(tab)


def test_e8_moving_late_asks_whose_wish_it_was(world: World, open_screen: Opener, session: int) -> None:
    rates(world)
    world.now = TEN - HOUR
    tab, name = open_screen(world.alice, "worksheet", session=session), f"reschedule-{session}"
    tab.button(key="worksheet-first").click().run()
    tab.text_input(f"{name}:date").set_value("10 Mar").run()
    tab.button(f"{name}:send").click().run()
    assert "Say whose wish it is." in said(tab)
    tab.segmented_control(f"{name}:wish").set_value("learner").run()
    tab.button(f"{name}:send").click().run()
    assert "Say whether it is charged." in said(tab)
    tab.segmented_control(f"{name}:charged").set_value(True).run()
    assert "Sara is billed £50.00." in said(tab)
    tab.button(f"{name}:send").click().run()
    assert "Say why it is charged, or waived." in said(tab)
    assert world.fact(session, "starts_at") == TEN
    tab.text_input(f"{name}:late_reason").set_value("rang at nine").run()
    tab.button(f"{name}:send").click().run()
    assert not tab.exception
    assert world.fact(session, "starts_at") == TEN + 7 * DAY
    assert "Sara lost Tue 3 Mar 2026, 10:00, by the member's wish: charged. rang at nine" in said(tab)
    assert "£50.00" in said(open_screen(world.sara, "worksheet", session=session))

    late = f"lost-{world.one(select(afterwards.Forfeit.id))}"
    tab = open_screen(world.tom, "worksheet", session=session)
    assert not [each for each in tab.button if each.key == f"{late}:send"]
    tab = open_screen(world.ben, "worksheet", session=session)
    tab.button(f"{late}:send").click().run()
    assert "Say why it is charged, or waived." in said(tab)
    tab.text_input(f"{late}:late_reason").set_value("was in hospital").run()
    tab.button(f"{late}:send").click().run()
    assert not tab.exception
    assert "by the member's wish: not charged. was in hospital" in said(tab)
    assert tab.button(f"{late}:send").label == "Charge it"
    tab.button("feedback-undo").click().run()
    assert "by the member's wish: charged. rang at nine" in said(tab)


def test_e8_taking_it_off_late_asks_too(world: World, open_screen: Opener, session: int) -> None:
    world.now = TEN - HOUR
    tab, name = open_screen(world.tom, "worksheet", session=session), f"reschedule-{session}"
    tab.button(key="worksheet-first").click().run()
    tab.button(f"{name}:off").click().run()
    assert "Say whose wish it is." in said(tab)
    tab.segmented_control(f"{name}:wish").set_value("practitioner").run()
    tab.button(f"{name}:off").click().run()
    assert world.fact(session, "status") is Status.UNSCHEDULED
    assert world.all(select(afterwards.Forfeit.charged)) == [False]

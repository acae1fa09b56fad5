"""Book: what is asked for, refused beside its field, and booked once (B3, B4, B9, C3-C6, X1)."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from streamlit.testing.v1 import AppTest

from core.availability.commands import Whose, Window, save_weekly_hours
from core.programmes.rules import BookingField, WhoBooks
from db.models.sessions import Participation, Session
from db.models.structure import Room
from db.words import Outcome
from tests.factories import DAY, HOUR, NOON, TEN, World
from tests.pages.conftest import Opener, texts

TUESDAY = TEN.date()


def sessions(world: World) -> int:
    """How many sessions there are."""
    return int(world.one(select(func.count()).select_from(Session)))


def fill(tab: AppTest, **values: Any) -> AppTest:
    """Put values into fields of the form; what is not named keeps what it holds."""
    kinds: dict[str, Callable[..., Any]] = {
        "date": tab.text_input, "time": tab.text_input, "minutes": tab.number_input, "number": tab.number_input,
        "type": tab.selectbox, "room": tab.selectbox, "timetable": tab.selectbox, "courses": tab.multiselect,
        "description": tab.text_input, "location": tab.text_input, "reason": tab.text_input,
        "planning_notes": tab.text_area, "with": tab.segmented_control,
    }
    for name, value in values.items():
        if name in kinds:
            typed = f"{value:%H:%M}" if isinstance(value, time) else str(value) if isinstance(value, date) else value
            kinds[name](key=f"book:{name}").set_value(typed)
        else:
            tab.session_state[f"book:{name}"] = value
    return tab.run()


def press(tab: AppTest, key: str = "book-now") -> AppTest:
    """Press a button and let everything that follows happen."""
    tab.button(key=key).click().run()
    assert not tab.exception, tab.exception
    return tab


def whole(tab: AppTest, world: World, **more: Any) -> AppTest:
    """A booking that nothing stands against: Tom with Sara on Tuesday at ten."""
    given = {"practitioner": world.tom, "learner": world.sara, "date": TUESDAY, "time": time(10), "minutes": 60}
    return fill(tab, **{**given, **more})


def problem(tab: AppTest, sentence: str) -> bool:
    """Whether that sentence stands beside a field."""
    return any(":red[:material/error:" in each.value and sentence in each.value.replace("\\", "")
               for each in tab.markdown)


def test_books_and_opens_the_worksheet(world: World, open_screen: Opener) -> None:
    tab = press(whole(open_screen(world.alice, "book"), world, description="<b>Hi</b> *x* 🎉", location="Café"))
    assert sessions(world) == 1
    session = world.one(select(Session.id))
    assert world.fact(session, "starts_at") == TEN
    assert world.fact(session, "description") == "<b>Hi</b> *x* 🎉"
    assert world.all(select(Participation.learner_id)) == [world.sara]
    assert "Session 1" in texts(tab)
    assert "Booked session 1" in texts(tab)


@pytest.mark.parametrize("persona", ["alice", "ben", "cora", "tom", "tess"])
def test_c1_staff_and_practitioners_book(world: World, open_screen: Opener, persona: str) -> None:
    tab = open_screen(getattr(world, persona), "book")
    assert not tab.exception
    assert "Book a session" in texts(tab)
    press(whole(tab, world))
    assert sessions(world) == 1


@pytest.mark.parametrize("persona", ["mona", "cuno", "sara", "gus", "lena"])
def test_c1_nobody_else_has_the_screen(world: World, open_screen: Opener, persona: str) -> None:
    with pytest.raises(ValueError, match="book"):
        open_screen(getattr(world, persona), "book")


def test_b11_practitioners_do_not_book_where_staff_do(world: World, open_screen: Opener) -> None:
    world.policy(who_books=WhoBooks.STAFF)
    with pytest.raises(ValueError, match="book"):
        open_screen(world.tom, "book")


def test_c3_ones_own_name_is_filled_in_and_can_be_changed(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.tom, "book")
    assert tab.session_state["book:practitioner"] == world.tom
    press(whole(tab, world, practitioner=world.tess))
    assert world.all(select(Session.practitioner_id)) == [world.tess]


def test_clients_book_for_themselves_where_policy_lets_them(world: World, open_screen: Opener) -> None:
    world.policy(who_books=WhoBooks.CLIENTS_TOO)
    tab = open_screen(world.sara, "book", practitioner=world.tom)
    assert tab.session_state["book:practitioner"] == world.tom
    assert "**Sara**" in texts(tab)
    assert "book:number" not in tab.session_state or not [n for n in tab.number_input if n.key == "book:number"]
    fill(tab, date=TUESDAY, time=time(10))
    tab.session_state["book:learner"] = world.sam  # no such field for a client, so it counts for nothing
    press(tab)
    assert world.all(select(Participation.learner_id)) == [world.sara]


REQUIRED = {
    BookingField.PRACTITIONER: "Choose the coach.", BookingField.WHO: "Choose a member or a team.",
    BookingField.TIMETABLE: "Choose a timetable.", BookingField.LOCATION: "Say where it takes place.",
    BookingField.WHEN: "Choose a date and a time.", BookingField.COURSES: "Choose at least one theme.",
    BookingField.TYPE: "Choose a type.", BookingField.PLANNING_NOTES: "Write planning notes.",
    BookingField.DESCRIPTION: "Write a description.",
}


def test_c4_each_missing_field_is_named_beside_itself(world: World, open_screen: Opener) -> None:
    world.policy(required=sorted(BookingField))
    tab = press(open_screen(world.alice, "book"))
    for sentence in REQUIRED.values():
        assert problem(tab, sentence), sentence
    assert sessions(world) == 0


def test_b3_with_nothing_required_an_open_session_is_made(world: World, open_screen: Opener) -> None:
    tab = press(fill(open_screen(world.alice, "book"), **{"with": "nobody"}))
    assert sessions(world) == 1
    assert "to place" in texts(tab)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"minutes": 0}, "A duration is a multiple of 5 minutes, from 15."),
    ({"minutes": -30}, "A duration is a multiple of 5 minutes, from 15."),
    ({"minutes": 7}, "A duration is a multiple of 5 minutes, from 15."),
    ({"minutes": 30 * 60}, "At most 480 minutes in this programme."),
    ({"minutes": 10**15}, "At most 480 minutes in this programme."),
    ({"minutes": None}, "Choose how long it takes."),
    ({"date": "31 Feb"}, "This is no date."),
    ({"date": "03/04/2026"}, "This is no date."),
    ({"date": "<b>x</b> 🎉"}, "This is no date."),
    ({"date": "0001-01-01"}, "Choose a date from 2000 to 2099."),
    ({"date": "9999-12-31"}, "Choose a date from 2000 to 2099."),
    ({"date": ""}, "Choose a date as well, or clear the time."),
    ({"time": "25:00"}, "This is no time. Write it like 14:30 or 2:30 pm."),
    ({"time": ""}, "Choose a time as well, or clear the date."),
    ({"number": 0}, "A number is between 1 and 999,999,999."),
    ({"number": -4}, "A number is between 1 and 999,999,999."),
    ({"number": 10**15}, "A number is between 1 and 999,999,999."),
    ({"description": "x" * 301}, "At most 300 characters; this has 301."),
    ({"location": "🎉" * 201}, "At most 200 characters; this has 201."),
    ({"planning_notes": "<b>" * 1400}, "At most 4,000 characters; this has 4,200."),
    ({"time": "23:00"}, "Give a reason to book outside opening hours."),
]


BAD_IDS = [f"{name}-{str(value)[:12]}" for row, _ in BAD for name, value in row.items()]


@pytest.mark.parametrize(("bad", "sentence"), BAD, ids=BAD_IDS)
def test_bad_input_is_refused_beside_its_field_and_stays(
    world: World, open_screen: Opener, bad: dict[str, Any], sentence: str
) -> None:
    tab = press(whole(open_screen(world.alice, "book"), world, **bad))
    assert problem(tab, sentence), texts(tab)
    assert sessions(world) == 0
    for name, value in {"practitioner": world.tom, "learner": world.sara, "minutes": 60, **bad}.items():
        assert tab.session_state[f"book:{name}"] == value


def test_the_year_9999_is_stopped_by_the_field_itself(world: World, open_screen: Opener) -> None:
    press(whole(open_screen(world.alice, "book"), world, date=date(9999, 12, 31)))
    assert sessions(world) == 0


@pytest.mark.parametrize(("field", "theirs"), [
    ("practitioner", "zed"), ("learner", "zoe"), ("team", "their_team"), ("practitioner", "vic"), ("learner", "tess"),
])
def test_x6_other_peoples_ids_are_nobody(world: World, open_screen: Opener, field: str, theirs: str) -> None:
    world.policy(required=[BookingField.PRACTITIONER, BookingField.WHO])
    given: dict[str, Any] = {field: getattr(world, theirs)}
    if field == "team":
        given["with"] = "team"
    tab = press(whole(open_screen(world.alice, "book"), world, **given))
    assert sessions(world) == 0
    assert "Zed" not in texts(tab)
    assert any(problem(tab, word) for word in ("Choose the coach", "Choose a coach", "Choose a member"))


def test_x6_an_address_that_names_what_is_foreign_fills_nothing_in(world: World, open_screen: Opener) -> None:
    foreign = world.elsewhere_session(description="secret")
    tab = open_screen(
        world.alice, "book", copy=foreign, practitioner=world.zed, learner=world.zoe, team=world.their_team)
    assert not tab.exception
    assert tab.session_state["book:practitioner"] is None
    assert tab.session_state["book:learner"] is None
    assert tab.session_state["book:team"] is None
    assert "secret" not in texts(tab)


def test_b9_a_clash_says_who_and_when_and_one_click_takes_a_free_time(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.vic, starts_at=TEN)
    tab = press(whole(open_screen(world.alice, "book"), world, description="kept"))
    assert sessions(world) == 1
    said = texts(tab).replace("\\", "")
    assert "Tom is busy Tue 3 Mar 2026, 10:00–11:00 (session 1)." in said
    free = next(each for each in tab.button if str(each.key).startswith("book:free-"))
    free.click().run()
    assert tab.session_state["book:description"] == "kept"
    press(tab)
    assert sessions(world) == 2


def test_b9_what_the_viewer_may_not_see_is_busy_and_no_more(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tess, learner=world.sara, starts_at=TEN, description="secret")
    tab = whole(open_screen(world.tom, "book"), world)
    said = texts(tab).replace("\\", "")
    assert "Sara is busy Tue 3 Mar 2026, 10:00–11:00." in said
    assert "Sara: 10:00–11:00 busy" in said
    assert "secret" not in said
    assert "Tess" not in said


def test_c6_taken_days_are_marked_before_choosing(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, starts_at=TEN)
    tab = fill(open_screen(world.alice, "book"), practitioner=world.tom)
    days = {label.split(" ")[1]: label[-1] for label in getattr(tab.get("button_group")[-1], "options", ())}
    assert (days["2"], days["3"], days["8"]) == ("○", "◐", "–")


def test_c6_the_days_shown_turn_by_two_weeks_until_another_day_is_chosen(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "book")
    shown = tab.button_group(key="book:day").options
    tab.button(key="book:later").click().run()
    assert not set(shown) & set(tab.button_group(key="book:day").options)
    tab.button(key="book:earlier").click().run()
    assert tab.button_group(key="book:day").options == shown
    tab.button(key="book:later").click().run()
    tab.text_input(key="book:date").set_value("tomorrow").run()
    assert tab.button_group(key="book:day").options == shown, "those around the day that was chosen"


def test_x1_outside_hours_with_a_reason(world: World, open_screen: Opener) -> None:
    tab = whole(open_screen(world.alice, "book"), world, time=time(22))
    assert "Open 08:00–20:00 on Tuesdays" in texts(tab).replace("\\", "")
    press(fill(tab, reason="The client works late"))
    assert sessions(world) == 1


def test_x1_practitioners_are_told_the_opening_hours(world: World, open_screen: Opener) -> None:
    tab = press(whole(open_screen(world.tom, "book"), world, time=time(22)))
    assert problem(tab, "Open 08:00–20:00 on Tuesdays.")
    assert sessions(world) == 0


def test_x3_a_skipped_hour_says_so_before_saving(world: World, open_screen: Opener) -> None:
    tab = whole(open_screen(world.alice, "book"), world, date=date(2026, 3, 29), time=time(1, 30))
    assert "01:30 does not exist that day, so it is 02:30" in texts(tab)


def test_pressing_twice_books_once(world: World, open_screen: Opener) -> None:
    tab = whole(open_screen(world.alice, "book"), world)
    key = tab.session_state["form:book"]["key"]
    press(tab)
    other = whole(open_screen(world.alice, "book", form=key), world, date=TUESDAY + timedelta(days=1))
    assert sessions(world) == 1
    assert "Booked session 1" in texts(other)
    assert other.session_state["form:book"]["key"] != key


def test_an_old_address_books_what_is_asked_for_now(world: World, open_screen: Opener) -> None:
    world.book(by=world.alice, key="abcdefgh1234", practitioner=world.tess, learner=world.vic, starts_at=TEN,
               now=world.now - 2 * HOUR)
    tab = whole(open_screen(world.alice, "book", form="abcdefgh1234"), world)
    assert tab.session_state["form:book"]["key"] != "abcdefgh1234"
    assert "Booked session 1" not in texts(tab)
    press(tab)
    assert sessions(world) == 2


def test_a_page_loaded_again_before_the_reply_sends_the_same_act(world: World, open_screen: Opener) -> None:
    one, two = (whole(open_screen(world.alice, "book", form="abcdefgh1234"), world) for _ in range(2))
    press(one)
    press(two)
    assert sessions(world) == 1
    assert "Booked session 1" in texts(two)


def test_stays_for_another_like_it(world: World, open_screen: Opener) -> None:
    tab = press(whole(open_screen(world.alice, "book"), world, description="weekly"), "book-on")
    assert "Book a session" in texts(tab)
    assert tab.session_state["book:description"] == "weekly"
    assert tab.session_state["book:date"] == ""
    press(fill(tab, date=TUESDAY + timedelta(days=1), time=time(9)))
    assert sessions(world) == 2


def test_duplicate_keeps_everything_but_number_and_time(world: World, open_screen: Opener) -> None:
    first = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN, minutes=45, description="pitch",
                       location="Hall", course_ids=(world.maths,), planning_notes="plan", timetable=world.weekly)
    tab = open_screen(world.alice, "book", copy=first)
    assert tab.session_state["book:date"] == ""
    press(fill(tab, date=TUESDAY, time=time(15)))
    made = world.one(select(func.max(Session.id)))
    for column, value in (("follows_id", first), ("description", "pitch"), ("team_id", world.comet), ("number", 2),
                          ("planning_notes", "plan"), ("timetable_id", world.weekly), ("location", "Hall")):
        assert world.fact(made, column) == value
    assert world.fact(made, "starts_at") == TEN + 5 * HOUR


@pytest.mark.parametrize(("hours", "expected"), [
    ([(8 * 60, 20 * 60)] * 7, TEN + 7 * DAY), ([(8 * 60, 20 * 60), None] + [(8 * 60, 20 * 60)] * 5, TEN + 8 * DAY),
])
def test_book_next_is_a_week_later_or_the_next_open_day(
    world: World, open_screen: Opener, hours: list[Any], expected: Any
) -> None:
    first = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.policy(open_hours=hours)
    press(open_screen(world.alice, "book", next=first))
    assert world.all(select(Session.starts_at).order_by(Session.id.desc()))[0] == expected


def test_book_next_keeps_the_wall_clock_across_the_change(world: World, open_screen: Opener) -> None:
    first = world.book(practitioner=world.tom, learner=world.sara, starts_at=NOON + 20 * DAY)  # Monday before it
    tab = open_screen(world.alice, "book", next=first)
    assert tab.session_state["book:time"] == "12:00"
    assert tab.session_state["book:date"] == str(date(2026, 3, 30))


def test_somebody_whose_part_was_freed_is_not_in_the_way(world: World, open_screen: Opener) -> None:
    first = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.raw(lambda work: work.tx.execute(
        update(Participation).where(Participation.session_id == first)
        .values(outcome=Outcome.CANCELLED_IN_TIME, outcome_at=world.now)) and None)
    press(whole(open_screen(world.alice, "book"), world, practitioner=world.tess))
    assert sessions(world) == 2


def hours(world: World, person: int, *windows: tuple[int, int, int]) -> None:
    """Weekly hours of somebody, instead of those around the clock."""
    world.do(world.alice, save_weekly_hours, Whose(world.programme, person),
             [Window(*window, "Europe/London") for window in windows])


def test_a_practitioner_without_hours_is_told_beside_the_field_at_once(world: World, open_screen: Opener) -> None:
    hours(world, world.tom)
    tab = fill(open_screen(world.alice, "book"), practitioner=world.tom)
    assert "Tom has no hours yet, so nobody can book this coach." in texts(tab).replace("\\", "")
    tab = fill(tab, practitioner=world.tess)
    assert "has no hours yet" not in texts(tab)


def test_c6_days_and_words_follow_the_practitioners_hours(world: World, open_screen: Opener) -> None:
    hours(world, world.tom, (1, 9 * 60, 12 * 60))
    tab = fill(open_screen(world.alice, "book"), practitioner=world.tom, date=TUESDAY)
    days = {label.split(" ")[1]: label[-1] for label in tab.button_group(key="book:day").options}
    assert (days["2"], days["3"], days["4"]) == ("–", "○", "–")
    assert "Hours of Tom: 09:00–12:00" in texts(tab)


def test_x1_out_of_the_practitioners_hours_the_nearest_times_are_offered(world: World, open_screen: Opener) -> None:
    hours(world, world.tom, (1, 9 * 60, 12 * 60))
    tab = whole(open_screen(world.tess, "book"), world, time=time(14))
    assert "Tom has hours on Tue 3 Mar 2026 at 09:00–12:00 only." in texts(tab).replace("\\", "")
    press(tab)
    assert sessions(world) == 0
    next(each for each in tab.button if str(each.key).startswith("book:free-")).click().run()
    press(tab)
    assert sessions(world) == 1


def test_x1_staff_book_out_of_somebodys_hours_with_a_reason(world: World, open_screen: Opener) -> None:
    hours(world, world.tom, (1, 9 * 60, 12 * 60))
    tab = press(whole(open_screen(world.alice, "book"), world, time=time(14)))
    assert problem(tab, "Give a reason to book it all the same.")
    press(fill(tab, reason="He agreed"))
    assert sessions(world) == 1


def test_b9_anyone_free_then_is_chosen_by_one_click(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.vic, starts_at=TEN)
    tab = whole(open_screen(world.alice, "book"), world)
    tab.toggle(key="book:anyone").set_value(True).run()
    offered = tab.button_group(key="book:anyone-picked")
    assert offered.options == ["Tess"]
    tab.text_input(key="book:skill").set_value("no such skill").run()
    assert "No coach who is free then says so in their profile." in texts(tab)
    tab.text_input(key="book:skill").set_value("").run()
    offered = tab.button_group(key="book:anyone-picked")
    offered.set_value(world.tess).run()
    assert tab.session_state["book:practitioner"] == world.tess
    assert tab.text_input(key="book:practitioner:text").value == "Tess"
    press(tab)
    assert world.all(select(Session.practitioner_id).order_by(Session.id)) == [world.tom, world.tess]


def test_b9_where_nobody_is_free_it_says_so(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab = whole(open_screen(world.alice, "book"), world)
    tab.toggle(key="book:anyone").set_value(True).run()
    assert "No coach is free then, or those who take part are not." in texts(tab)


@pytest.mark.parametrize("at", ["", "x", "0001-01-01T00:00Z", "9999-12-31T23:59Z"])
def test_an_address_that_names_no_time_fills_none_in(world: World, open_screen: Opener, at: str) -> None:
    tab = open_screen(world.alice, "book", at=at, minutes=10**17, timetable=world.their_timetable)
    assert not tab.exception
    assert tab.number_input(key="book:minutes").value == 60
    assert (tab.text_input(key="book:date").value, tab.text_input(key="book:time").value) == ("", "")
    assert tab.session_state["book:timetable"] is None


def test_b6_only_timetables_that_can_be_booked_are_offered(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "book", practitioner=world.tom)
    assert tab.selectbox("book:timetable").options == ["Tom's own (Tom)", "Weekly"]
    tab.selectbox("book:timetable").set_value(world.toms_own).run()
    tab.text_input("book:practitioner:text").set_value("Tess").run()
    assert tab.selectbox("book:timetable").options == ["Weekly"]
    assert tab.selectbox("book:timetable").value is None


def test_what_is_typed_stays_while_other_screens_are_open(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.alice, "book")
    tab.text_input("book:description").set_value("Numbers for the bank")
    tab.text_area("book:planning_notes").set_value("Bring the plan").run()
    tab.switch_page("../pages/people/people.py").run()
    tab.switch_page("../pages/work/book.py").run()
    assert tab.text_input("book:description").value == "Numbers for the bank"
    assert tab.text_area("book:planning_notes").value == "Bring the plan"


def smart_room(world: World, name: str, capacity: int, **values: Any) -> int:
    world.policy(smart_rooms=True)
    return world.add(Room, programme_id=world.programme, name=name, capacity=capacity, smart=True, **values)


def test_c5_a_smart_session_is_allotted_its_room_and_recorded(world: World, open_screen: Opener) -> None:
    hall = smart_room(world, "Hall", 8, records=True)
    smart_room(world, "Pod", 2)
    tab = whole(open_screen(world.alice, "book"), world)
    assert not [box for box in tab.checkbox if box.key == "book:records"]
    assert tab.selectbox("book:room").options == ["Attic", "Blue room"]
    tab.segmented_control("book:method").set_value("smart").run()
    assert "For 2 people: a room is allotted when you book." in texts(tab)
    assert tab.selectbox("book:room").options == ["Hall", "Pod"]
    tab.checkbox("book:records").set_value(True).run()
    tab = press(tab)
    assert world.all(select(Session.room_id, Session.records)) == [(hall, True)]
    assert "Recorded" in texts(tab)
    assert ", in Hall" in texts(tab)
    session = world.one(select(Session.id))
    form, tab = f"recording-{session}", open_screen(world.alice, "worksheet", session=session)
    tab.session_state["panel:open"], tab.session_state["panel:key"] = ("session-recording", (session,)), "recording-key"
    tab.run()
    tab.text_input(f"{form}:recording_url").set_value("ftp://example.org")
    press(tab, f"{form}:send")
    assert "A link begins with https" in texts(tab)
    tab.text_input(f"{form}:recording_url").set_value("https://example.org/r/1")
    press(tab, f"{form}:send")
    assert world.one(select(Session.recording_url)) == "https://example.org/r/1"


def test_c12_no_free_smart_room_offers_the_next_time_which_is_booked_then(world: World, open_screen: Opener) -> None:
    pod = smart_room(world, "Pod", 2)
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN, method="smart")
    tab = whole(open_screen(world.alice, "book"), world)
    tab.segmented_control("book:method").set_value("smart").run()
    press(tab)
    assert "No smart room for 2 people is free" in texts(tab)
    assert sessions(world) == 1
    press(tab, f"book:free-{(TEN + HOUR).timestamp():.0f}")
    press(tab)
    assert world.all(select(Session.starts_at, Session.room_id).order_by(Session.id))[1] == (TEN + HOUR, pod)

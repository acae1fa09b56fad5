"""Booking in all its forms: required fields, teams, timetables, hours, numbers (A2, B3, B6, B7, C1, C3, C4, X1)."""

from datetime import date

import pytest
from sqlalchemy import func, select

from core.errors import Invalid, NotAllowed, NotFound
from core.programmes.rules import PRESETS, BookingField
from core.sessions.booking import book_sessions, next_number
from core.sessions.ending import delete_sessions
from db.models.notices import Notice
from db.models.sessions import Participation, Session, SessionCourse
from db.words import Kind, Method, Status
from tests.factories import DAY, HOUR, NOW, TEN, World, a_world


def test_b3_everything_that_a_booking_says_is_kept(world: World) -> None:
    session = world.book(
        practitioner=world.tom, learner=world.sara, timetable=world.weekly, room=world.room, location="Upstairs",
        starts_at=TEN, minutes=45, course_ids=(world.maths, world.art), type="review", planning_notes="Bring a pen",
        description="First steps", number=77, report_required=True,
    )
    row = world.all(select(
        Session.practitioner_id, Session.timetable_id, Session.room_id, Session.location, Session.starts_at,
        Session.ends_at, Session.type, Session.planning_notes, Session.description, Session.number,
        Session.report_required, Session.status, Session.created_by, Session.method,
    ).where(Session.id == session))[0]
    assert row == (
        world.tom, world.weekly, world.room, "Upstairs", TEN, TEN + 0.75 * HOUR, "review", "Bring a pen", "First steps",
        77, True, Status.SCHEDULED, world.ben, Method.TRADITIONAL,
    )
    assert set(world.all(select(SessionCourse.course_id))) == {world.maths, world.art}
    assert world.all(select(Participation.learner_id)) == [world.sara]


def test_b3_an_open_session_stands_as_to_place_without_learner(world: World) -> None:
    world.policy(required=["practitioner", "timetable", "number"])
    with pytest.raises(Invalid) as refused:
        world.book(practitioner=world.tom)
    assert set(refused.value.problems) == {"timetable"}  # a number is proposed where none is given
    session = world.book(practitioner=world.tom, timetable=world.weekly, starts_at=TEN)
    assert world.fact(session, "status") is Status.SCHEDULED
    assert world.all(select(Participation.id)) == []


def test_without_a_practitioner_it_is_unassigned_and_without_a_time_unscheduled(world: World) -> None:
    assert world.fact(world.book(learner=world.sara, starts_at=TEN), "status") is Status.UNASSIGNED
    assert world.fact(world.book(practitioner=world.tom, learner=world.sara), "status") is Status.UNSCHEDULED


FIELD = {
    BookingField.PRACTITIONER: "practitioner", BookingField.WHO: "who", BookingField.TIMETABLE: "timetable",
    BookingField.METHOD: "method", BookingField.LOCATION: "location", BookingField.WHEN: "date",
    BookingField.COURSES: "courses", BookingField.TYPE: "type", BookingField.PLANNING_NOTES: "planning_notes",
    BookingField.DESCRIPTION: "description",
}


@pytest.mark.parametrize("kind", Kind)
def test_c4_each_missing_field_is_named_beside_itself(kind: Kind) -> None:
    from core.sessions.rules import Booking

    asked = PRESETS[kind].required
    found = Booking(1, method="").problems(PRESETS[kind])
    assert set(found) - {"method"} == {FIELD[each] for each in asked if each in FIELD} - {"method"}
    assert ("method" in found)  # an empty method is none at all
    assert all(said.endswith(".") and len(said) > 10 for said in found.values())


@pytest.mark.parametrize("field", [field for field in BookingField if field in FIELD])
def test_c4_policy_decides_what_is_required(field: BookingField) -> None:
    from core.sessions.rules import Booking

    policy = PRESETS[Kind.COACHING].model_copy(update={"required": frozenset({field})})
    assert FIELD[field] in Booking(1, method="").problems(policy)


def test_c1_who_books_is_policy(engine: object, world: World) -> None:
    staff = {"alice", "ben", "cora"}
    for who_books, may in (
        ("staff", staff), ("staff and practitioners", staff | {"tom", "tess"}),
        ("clients too", staff | {"tom", "tess", "sara"}),
    ):
        world.policy(who_books=who_books)
        for n, name in enumerate(world.people):
            at = TEN + n * DAY / 96  # all at different times, one weekday
            booking = world.booking(practitioner=world.tess, learner=world.sara, starts_at=at, minutes=15)
            if name in may:
                session = world.book_many([booking], by=world.people[name])
                world.do(world.ben, delete_sessions, session, cancel_first=True)
            else:
                with pytest.raises(NotFound if name in ("zed", "zoe", "zara") else NotAllowed):
                    world.book_many([booking], by=world.people[name])


def test_c1_a_custom_manager_books_where_ticked(world: World) -> None:
    from core.permissions import Action

    with pytest.raises(NotAllowed):
        world.book(by=world.cuno, practitioner=world.tom)
    world.tick(Action.SESSION_BOOK)
    assert world.book(by=world.cuno, practitioner=world.tom)


def test_a2_a_client_books_for_themselves_alone(world: World) -> None:
    world.policy(who_books="clients too")
    assert world.book(by=world.sara, practitioner=world.tom, learner=world.sara, starts_at=TEN)
    for given in ({"learner": world.sam}, {"team": world.comet}, {}, {"learner_ids": (world.sara, world.sam)}):
        with pytest.raises(NotAllowed, match=r"yourself"):
            world.book(by=world.sara, practitioner=world.tom, starts_at=TEN + DAY, **given)


def test_a2_a_custom_manager_without_the_tick_books_as_the_client_they_also_are(world: World) -> None:
    from db.words import Role

    world.policy(who_books="clients too")
    world.grant(world.cuno, Role.LEARNER)
    with pytest.raises(NotAllowed, match=r"yourself"):
        world.book(by=world.cuno, practitioner=world.tom, learner=world.sara)


def test_a10_whether_a_report_is_required_is_not_the_clients_choice(world: World) -> None:
    world.policy(who_books="clients too", report_required=True)
    session = world.book(by=world.sara, practitioner=world.tom, learner=world.sara, report_required=False)
    assert world.fact(session, "report_required") is True
    assert world.fact(world.book(practitioner=world.tom, report_required=False), "report_required") is False


def test_c4_a_course_named_twice_is_one(world: World) -> None:
    session = world.book(practitioner=world.tom, course_ids=(world.maths, world.maths, world.art))
    linked = world.all(select(SessionCourse.course_id).where(SessionCourse.session_id == session))
    assert sorted(linked) == sorted((world.maths, world.art))


def test_c3_a_practitioner_may_name_another(world: World) -> None:
    assert world.fact(world.book(by=world.tom, practitioner=world.tess), "practitioner_id") == world.tess


def test_b6_a_team_is_its_members_of_that_day(world: World) -> None:
    team = world.team("Later", world.sara, until=date(2026, 3, 3))
    world.join(team, world.vic, since=date(2026, 3, 4))
    tuesday = world.book(practitioner=world.tom, team=team, starts_at=TEN)
    wednesday = world.book(practitioner=world.tom, team=team, starts_at=TEN + DAY)
    both = world.book(practitioner=world.tess, team=world.comet, starts_at=TEN + 3 * HOUR)
    at = {
        session: world.all(select(Participation.learner_id).where(Participation.session_id == session))
        for session in (tuesday, wednesday, both)
    }
    assert at == {tuesday: [world.sara], wednesday: [world.vic], both: [world.sara, world.sam]}


def test_b6_every_session_under_a_custom_timetable_is_its_owners(world: World) -> None:
    assert world.fact(world.book(timetable=world.toms_own, starts_at=TEN), "practitioner_id") == world.tom
    with pytest.raises(Invalid) as refused:
        world.book(timetable=world.toms_own, practitioner=world.tess)
    assert set(refused.value.problems) == {"timetable"}


@pytest.mark.parametrize(("starts_at", "minutes", "said"), [
    (TEN.replace(hour=7), 60, "Open 08:00–20:00 on Tuesdays."),
    (TEN.replace(hour=19), 90, "Open 08:00–20:00 on Tuesdays."),
    (TEN + 5 * DAY, 60, "Closed on Sundays."),
])
def test_x1_opening_hours_hold_unless_somebody_who_may_says_why(world: World, starts_at, minutes, said) -> None:
    asked = {"practitioner": world.tom, "learner": world.sara, "starts_at": starts_at, "minutes": minutes}
    with pytest.raises(Invalid) as by_tom:
        world.book(by=world.tom, reason="Only then", **asked)
    assert by_tom.value.problems == {"time": said}
    with pytest.raises(Invalid) as by_ben:
        world.book(by=world.ben, **asked)
    assert by_ben.value.problems["time"] == said
    assert "reason" in by_ben.value.problems["reason"]
    assert world.book(by=world.ben, reason="Only then", **asked)


def test_b3_the_next_free_number_is_proposed_and_none_is_used_again(world: World) -> None:
    first = world.book(practitioner=world.tom)
    assert world.fact(first, "number") == 1
    assert world.fact(world.book(practitioner=world.tom, number=10), "number") == 10
    assert world.fact(world.book(practitioner=world.tom), "number") == 11
    world.do(world.ben, delete_sessions, [first])
    with pytest.raises(Invalid, match=r"Number 1 was given out before. The next free one is 12."):
        world.book(practitioner=world.tom, number=1)
    with pytest.raises(Invalid, match=r"Number 10 was given out"):
        world.book(practitioner=world.tom, number=10)
    numbers = [world.fact(id_, "number") for id_ in world.book_many(
        [world.booking(), world.booking(number=13), world.booking(), world.booking()])]
    assert numbers == [12, 13, 14, 15]
    with pytest.raises(Invalid) as twice:
        world.book_many([world.booking(number=50), world.booking(number=50)])
    assert twice.value.item == 1
    with world.reading(world.ben) as work:
        assert next_number(work, world.programme) == 16
        assert next_number(work, world.elsewhere) == 1


def test_x1_many_are_booked_all_or_none_and_the_refusal_says_which(world: World) -> None:
    whole = [world.booking(practitioner=world.tom, starts_at=TEN + n * HOUR) for n in range(3)]
    with pytest.raises(Invalid) as refused:
        world.book_many([*whole, world.booking(type="no such type")])
    assert refused.value.item == 3
    assert world.one(select(func.count()).select_from(Session)) == 0
    assert len(world.book_many(whole)) == 3


def test_those_concerned_are_told_and_the_actor_is_not(world: World) -> None:
    world.book(by=world.tom, practitioner=world.tom, team=world.comet, starts_at=TEN)
    told = world.all(select(Notice.person_id, Notice.text).order_by(Notice.person_id))
    assert told == [(who, "Booked: session 1, Tue 3 Mar 2026, 10:00–11:00.") for who in (world.sara, world.sam)]


def test_x6_what_belongs_to_another_programme_or_is_retired_is_no_choice(world: World) -> None:
    from sqlalchemy import update

    from db.models.structure import Course

    theirs = world.elsewhere_session()
    retire = update(Course).where(Course.id == world.art).values(retired_at=NOW)
    world.raw(lambda work: work.tx.execute(retire) and None)
    for given, field in (
        ({"practitioner": world.zed}, "practitioner"), ({"practitioner": world.sara}, "practitioner"),
        ({"learner": world.zoe}, "who"), ({"learner": world.tom}, "who"), ({"team": world.their_team}, "who"),
        ({"room": world.their_room, "starts_at": TEN}, "room"), ({"course_ids": (world.their_course,)}, "courses"),
        ({"course_ids": (world.art,)}, "courses"), ({"timetable": world.their_timetable}, "timetable"),
    ):
        with pytest.raises(Invalid) as refused:
            world.book(**given)
        assert set(refused.value.problems) == {field}
    with pytest.raises(NotFound):
        world.book(follows=theirs)
    with pytest.raises(NotFound):
        world.book(programme_id=world.elsewhere)


def test_the_disabled_are_no_choice(world: World) -> None:
    world.disable(world.tom)
    with pytest.raises(Invalid):
        world.book(practitioner=world.tom)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_kind_is_a_preset_of_policy(engine) -> None:
    world = a_world(engine, Kind.EVENT_MENTORING)
    with pytest.raises(NotAllowed):  # B11: staff alone book there
        world.do(world.tom, book_sessions, [world.booking(practitioner=world.tom)])

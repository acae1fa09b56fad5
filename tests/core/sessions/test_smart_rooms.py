"""C5, C12: smart sessions are allotted a room from the pool, the smallest that fits and is free."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from core.errors import Conflict, Invalid, NotAllowed, Refusal
from core.history.commands import undo
from core.programmes.rules import WhoBooks
from core.sessions.changing import Edit, Move, Venue, add_recording, change_venue, edit_sessions, reschedule_sessions
from core.sessions.ending import cancel_sessions
from core.sessions.fixes import Fix, FixKind, apply_fixes, preview
from core.sessions.groups import add_learners, set_places
from core.sessions.queries import worksheet
from core.sessions.rules import NoRoomFree
from core.structure.commands import add_entries, edit_entry
from core.structure.rules import Entry, Which
from core.work import Saved
from db.models.notices import Notice
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.models.sessions import Session
from db.models.structure import Room
from db.words import Method, Role
from tests.factories import DAY, HOUR, NOON, TEN, World, around_the_clock, statements

ELEVEN = TEN + HOUR


@pytest.fixture
def pod(world: World) -> int:
    """A smart room for two."""
    world.policy(smart_rooms=True)
    return smart(world, "Pod", 2)


@pytest.fixture
def hall(world: World, pod: int) -> int:
    """A smart room for eight, which records."""
    return smart(world, "Hall", 8, records=True)


def smart(world: World, name: str, capacity: int, **values: Any) -> int:
    return world.add(Room, programme_id=world.programme, name=name, capacity=capacity, smart=True, **values)


def book(world: World, **given: Any) -> int:
    return world.book(**{"practitioner": world.tom, "learner": world.sara, "starts_at": TEN, "method": Method.SMART,
                         **given})


def elsewhere(world: World, starts_at: Any = TEN, **given: Any) -> int:
    """The same with other people."""
    return book(world, **{"practitioner": world.tess, "learner": world.vic, "starts_at": starts_at, **given})


def room_of(world: World, session: int) -> int | None:
    found: int | None = world.fact(session, "room_id")
    return found


def test_c12_the_smallest_that_fits_and_is_free_is_allotted(world: World, pod: int, hall: int) -> None:
    assert room_of(world, book(world)) == pod
    assert room_of(world, elsewhere(world)) == hall
    assert room_of(world, book(world, starts_at=NOON, learner_ids=(world.sara, world.sam), learner=None)) == hall
    assert room_of(world, elsewhere(world, NOON)) == pod


def test_c12_one_that_was_chosen_is_taken_or_refused(world: World, pod: int, hall: int) -> None:
    assert room_of(world, book(world, room=hall)) == hall
    with pytest.raises(Conflict, match="Hall is busy"):
        elsewhere(world, room=hall)
    with pytest.raises(Invalid, match="Pod holds 2; 3 take part"):
        book(world, starts_at=NOON, learner_ids=(world.sara, world.sam), learner=None, room=pod)


def test_c12_plain_rooms_are_for_traditional_sessions_and_smart_ones_for_smart_ones(world: World, pod: int) -> None:
    with pytest.raises(Invalid, match="Blue room is no smart room"):
        book(world, room=world.room)
    with pytest.raises(Invalid, match="Pod is for smart sessions alone"):
        book(world, room=pod, method=Method.TRADITIONAL)


def test_c12_the_refusal_names_the_next_free_time_which_can_be_booked(world: World, pod: int) -> None:
    book(world)
    with pytest.raises(NoRoomFree, match=r"No smart room for 2 people is free .*10:00–11:00.*next .* is .*11:00") as it:
        elsewhere(world)
    following = next(at for at in it.value.free if at > TEN)
    assert following == ELEVEN
    assert room_of(world, elsewhere(world, following)) == pod


def test_c12_the_next_time_is_one_at_which_everybody_is_free_too(world: World, pod: int) -> None:
    book(world)
    world.book(practitioner=world.tess, starts_at=ELEVEN)
    with pytest.raises(NoRoomFree, match="12:00") as refused:
        elsewhere(world)
    elsewhere(world, next(at for at in refused.value.free if at > TEN))


def test_c12_a_room_too_small_or_none_at_all_is_said_so(world: World, pod: int) -> None:
    with pytest.raises(Invalid, match="no smart room for 3 people"):
        book(world, learner_ids=(world.sara, world.sam), learner=None)
    with pytest.raises(Invalid, match="no smart room that records for 2 people"):
        book(world, records=True)


def test_c5_a_recorded_session_gets_a_room_that_records_and_all_are_told(world: World, pod: int, hall: int) -> None:
    session = book(world, records=True)
    assert room_of(world, session) == hall
    told = world.all(select(Notice.person_id, Notice.text).where(Notice.session_id == session))
    assert {person for person, _ in told} == {world.tom, world.sara}
    assert all("recorded automatically" in said for _, said in told)
    with pytest.raises(Invalid, match="Pod does not record"):
        world.do(world.ben, change_venue, [Venue(session, pod, None)])
    with pytest.raises(Invalid, match="Only a smart session"):
        world.book(practitioner=world.tom, starts_at=NOON, records=True)


def test_c12_many_are_allotted_among_themselves_in_a_fixed_number_of_statements(
    world: World, pod: int, hall: int
) -> None:
    def many(count: int, day: int) -> list[Any]:
        return [world.booking(practitioner=who, learner=whom, starts_at=TEN + day * DAY + n * HOUR, method="smart")
                for n in range(count) for who, whom in ((world.tom, world.sara), (world.tess, world.vic))]

    counts = []
    for count, day in ((1, 1), (10, 2)):
        with statements(world.engine) as sent:
            ids = world.book_many(many(count, day))
        counts.append(len(sent))
        assert [room_of(world, id_) for id_ in ids] == [pod, hall] * count
    assert counts[0] == counts[1]


def test_c12_a_move_keeps_the_room_or_takes_another(world: World, pod: int, hall: int) -> None:
    first = book(world, room=hall)
    world.do(world.ben, reschedule_sessions, [Move(first, NOON)])
    assert room_of(world, first) == hall
    elsewhere(world, TEN, room=hall)
    world.do(world.ben, reschedule_sessions, [Move(first, TEN)])
    assert room_of(world, first) == pod
    third = world.book(practitioner=world.people["zed"], starts_at=NOON, programme_id=world.elsewhere, by=world.zara)
    assert room_of(world, third) is None
    world.do(world.ben, cancel_sessions, [first], "ill")


def test_c12_a_move_to_where_none_is_free_is_refused(world: World, pod: int) -> None:
    first, other = book(world), elsewhere(world, NOON)
    with pytest.raises(NoRoomFree, match="No smart room"):
        world.do(world.ben, reschedule_sessions, [Move(other, TEN)])
    world.do(world.ben, reschedule_sessions, [Move(first, NOON), Move(other, TEN)])
    assert room_of(world, first) == room_of(world, other) == pod


def test_c12_a_smart_session_without_a_venue_is_allotted_one(world: World, pod: int, hall: int) -> None:
    session = book(world)
    world.do(world.ben, change_venue, [Venue(session, None, "Online")])
    assert room_of(world, session) == pod
    world.do(world.ben, change_venue, [Venue(session, hall, None)])
    assert room_of(world, session) == hall


def test_c12_the_method_changes_and_the_room_with_it(world: World, pod: int) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, room=world.room)
    saved = world.do(world.ben, edit_sessions, [Edit(session, {"method": "smart"})])
    assert room_of(world, session) == pod
    take_back(world, saved)
    assert room_of(world, session) == world.room
    world.do(world.ben, edit_sessions, [Edit(session, {"method": "smart"})])
    world.do(world.ben, edit_sessions, [Edit(session, {"method": "traditional"})])
    assert room_of(world, session) is None


def test_c12_those_who_join_may_take_a_larger_room(world: World, pod: int, hall: int) -> None:
    session = book(world, learner=None)
    assert room_of(world, session) == pod
    world.do(world.ben, edit_sessions, [Edit(session, {"learner_ids": (world.sara, world.sam)})])
    assert room_of(world, session) == hall


def test_c8_a_group_that_outgrows_its_room_gets_a_larger_one_free_then(world: World, pod: int, hall: int) -> None:
    session = book(world, places=4)
    saved = world.do(world.ben, add_learners, session, [world.sam, world.vic])
    assert saved.said == "Added Sam and Vic to session 1. It takes place in Hall now, which holds 8."
    assert room_of(world, session) == hall
    assert "takes place in Hall" in world.all(select(Notice.text).where(
        Notice.person_id == world.sara).order_by(Notice.id))[-1]
    take_back(world, saved)
    assert room_of(world, session) == pod
    elsewhere(world, room=hall)
    saved = world.do(world.ben, add_learners, session, [world.sam])
    assert saved.said == "Sam is on the waiting list of session 1. Pod holds 2; no larger room is free then."
    assert room_of(world, session) == pod


def test_c8_more_places_bring_a_larger_room_for_as_many_as_can_be(world: World, pod: int) -> None:
    people = [world.person(name, Role.LEARNER) for name in ("Ann", "Bo", "Cy", "Di")]
    session, den = book(world, places=1), smart(world, "Den", 4)
    world.do(world.ben, add_learners, session, people)
    assert room_of(world, session) == pod
    saved = world.do(world.ben, set_places, session, 9)
    assert "Ann and Bo moved up from the waiting list. It takes place in Den now" in saved.said
    assert room_of(world, session) == den


def test_c8_without_places_a_group_is_refused_where_no_room_holds_it(world: World, pod: int, hall: int) -> None:
    session = book(world)
    elsewhere(world, room=hall)
    with pytest.raises(NoRoomFree, match=r"No smart room for 3 people is free .* The next time one is free is .*11:00"):
        world.do(world.ben, add_learners, session, [world.sam])
    people = [world.person(f"Learner {n}", Role.LEARNER) for n in range(8)]
    with pytest.raises(Invalid, match="no smart room for 10 people"):
        world.do(world.ben, add_learners, session, people)


def take_back(world: World, saved: Saved) -> None:
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)


def test_c12_what_is_undone_takes_what_is_free_of_the_pool(world: World, pod: int, hall: int) -> None:
    session = book(world)
    saved = world.do(world.ben, cancel_sessions, [session], "by mistake")
    elsewhere(world)
    take_back(world, saved)
    assert room_of(world, session) == hall


def test_c12_undo_is_refused_where_none_is_free(world: World, pod: int) -> None:
    session = book(world)
    saved = world.do(world.ben, reschedule_sessions, [Move(session, NOON)])
    elsewhere(world)
    with pytest.raises(Conflict, match="Pod is busy"):
        take_back(world, saved)


def test_c12_a_quick_fix_shows_and_takes_another_room(world: World, pod: int, hall: int) -> None:
    first, other = book(world), elsewhere(world, TEN + DAY)
    fix = Fix(FixKind.SHIFT, days=1)
    with world.reading(world.ben) as work:
        assert preview(work, fix, [first])[0].refused is None
    world.do(world.ben, apply_fixes, fix, [first])
    assert (room_of(world, first), room_of(world, other)) == (hall, pod)
    with world.reading(world.ben) as work:
        refused = preview(work, Fix(FixKind.VENUE, room_id=world.room), [first])[0].refused
    assert "no smart room" in str(refused)


def test_c12_a_quick_fix_refuses_those_for_whom_none_is_left(world: World, pod: int) -> None:
    first, _ = book(world), elsewhere(world, TEN + DAY)
    with world.reading(world.ben) as work:
        rows = preview(work, Fix(FixKind.SHIFT, days=1), [first])
    assert rows[0].refused == "No smart room that fits is free then."


def test_x2_of_many_who_want_the_last_rooms_at_once_as_many_get_one_as_there_are(
    world: World, pod: int, hall: int
) -> None:
    people = []
    for n in range(6):
        pair = (world.add(Person, name=f"Coach {n}", created_at=world.now), world.add(
            Person, name=f"Member {n}", created_at=world.now))
        people.append(pair)
        world.raw(lambda work, pair=pair: work.tx.execute(insert(RoleGrant), [
            {"programme_id": world.programme, "person_id": who, "role": role}
            for who, role in zip(pair, (Role.PRACTITIONER, Role.LEARNER), strict=True)]) and None)
    world.raw(lambda work: around_the_clock(work.tx, world.programme, [one for one, _ in people], "Europe/London"))
    gate, made, refused = Barrier(len(people)), list[int](), list[Refusal]()

    def act(coach: int, member: int) -> None:
        gate.wait(10)
        try:
            made.append(book(world, practitioner=coach, learner=member))
        except Refusal as refusal:
            refused.append(refusal)

    run([lambda pair=pair: act(*pair) for pair in people])  # type: ignore[misc]
    assert {room_of(world, session) for session in made} == {pod, hall}
    assert len(made) == 2
    assert all(isinstance(each, NoRoomFree) for each in refused)


def run(acts: list[Callable[[], None]]) -> None:
    threads = [Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_c12_the_link_of_a_recording_is_for_those_who_may_read_the_session(world: World, pod: int) -> None:
    session, url = book(world), "https://video.example.org/r/7?x=1"
    with pytest.raises(Invalid, match="begins with https"):
        world.do(world.ben, add_recording, session, "javascript:alert(1)")
    with pytest.raises(NotAllowed):
        world.do(world.sara, add_recording, session, url)
    saved = world.do(world.ben, add_recording, session, url)
    for who, sees in ((world.tom, url), (world.sara, url), (world.gus, url), (world.lena, "")):
        with world.reading(who) as work:
            assert worksheet(work, session).recording_url == sees
    take_back(world, saved)
    assert world.fact(session, "recording_url") is None
    plain = world.book(practitioner=world.tom, starts_at=NOON)
    with pytest.raises(Conflict, match="no recording"):
        world.do(world.ben, add_recording, plain, url)


def test_c12_its_practitioner_adds_the_recording_once_it_was_held(world: World, pod: int) -> None:
    session = world.held(book(world))
    world.do(world.tom, add_recording, session, "http://video.example.org")
    assert world.fact(session, "recording_url") == "http://video.example.org"


def test_c5_a_room_is_kept_as_it_is_while_sessions_ahead_need_it(world: World, pod: int, hall: int) -> None:
    session = book(world, records=True)
    for change in ({"smart": False, "records": False}, {"records": False}):
        with pytest.raises(Invalid, match="1 session ahead needs it"):
            world.do(world.alice, edit_entry, Which.ROOM, hall, change)
    world.do(world.ben, cancel_sessions, [session], "ill")
    world.do(world.alice, edit_entry, Which.ROOM, hall, {"records": False})
    with pytest.raises(Invalid, match="Only a smart room records"):
        world.do(world.alice, add_entries, world.programme, Which.ROOM, [Entry("Attic 2", 3, records=True)])


def test_c12_a_retired_room_is_allotted_no_more(world: World, pod: int, hall: int) -> None:
    world.raw(lambda work: work.tx.execute(update(Room).where(Room.id == pod).values(retired_at=world.now)) and None)
    assert room_of(world, book(world)) == hall


def test_c12_clients_are_allotted_rooms_as_well(world: World, pod: int) -> None:
    world.policy(smart_rooms=True, who_books=WhoBooks.CLIENTS_TOO)
    assert room_of(world, book(world, by=world.sara)) == pod
    assert world.one(select(Session.records)) is False

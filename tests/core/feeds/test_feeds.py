"""Calendar addresses: whose they are, what they show and to whom, and how they end."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from core.access.rules import digest, new_token
from core.errors import NotFound
from core.feeds.commands import make_address, revoke_address
from core.feeds.ical import Event, Standing, calendar
from core.feeds.queries import Behind, behind, my_addresses, my_timetables, one_event, whole_calendar
from core.history.commands import undo
from core.sessions.changing import Move, Reassign, reassign_sessions, reschedule_sessions, take_off_calendar
from core.sessions.ending import cancel_sessions, delete_sessions
from db.models.feeds import Feed
from db.models.history import Change, ChangeSet
from db.models.people import Person, Relation
from db.models.programmes import RoleGrant
from db.models.sessions import Participation
from db.words import Outcome, Role, Tie
from tests.factories import DAY, HOUR, MINUTE, NOON, TEN, World, statements

BASE = "https://portal.example"


def shown(world: World, person: int, timetable: int | None = None) -> list[Event]:
    with world.reading(person) as work:
        return whole_calendar(work, timetable, BASE)[1]


def numbers(events: Iterable[Event]) -> list[int]:
    return [int(event.title.removeprefix("Cancelled: ").split()[1]) for event in events]


def only(events: list[Event]) -> Event:
    (event,) = events
    return event


def address(world: World, person: int, timetable: int | None = None) -> str:
    token = new_token()
    world.do(person, make_address, token, timetable)
    return token


# Addresses ---------------------------------------------------------------------------------------------------------


def test_an_address_leads_to_its_owner_until_a_new_one_is_made(world: World) -> None:
    first = address(world, world.tom)
    assert behind(world.engine, first) == Behind(world.tom, None)
    second = address(world, world.tom)
    assert behind(world.engine, first) is None
    assert behind(world.engine, second) == Behind(world.tom, None)
    of_timetable = address(world, world.tom, world.weekly)
    assert behind(world.engine, of_timetable) == Behind(world.tom, world.weekly)
    assert behind(world.engine, second) is not None
    for wrong in ("", "x", second[:-1], f"{second}=", digest(second), "\0", "ü"):
        assert behind(world.engine, wrong) is None


def test_a_revoked_address_is_gone_at_once_and_nobody_elses_is(world: World) -> None:
    toms, saras = address(world, world.tom), address(world, world.sara)
    with world.reading(world.tom) as work:
        (mine,) = (each.id for each in my_addresses(work))
    with pytest.raises(NotFound):
        world.do(world.sara, revoke_address, mine)
    world.do(world.tom, revoke_address, mine)
    assert behind(world.engine, toms) is None
    assert behind(world.engine, saras) is not None
    with pytest.raises(NotFound):
        world.do(world.tom, revoke_address, mine)


@pytest.mark.parametrize("strange", ["1", "x", 0, -1, 2**63, 10**30, True, 1.0, [1]])
def test_ids_that_are_none_are_not_found(world: World, strange: Any) -> None:
    address(world, world.tom, world.weekly)
    for command, given in ((make_address, (new_token(), strange)), (revoke_address, (strange,))):
        with pytest.raises(NotFound):
            world.do(world.tom, command, *given)


def test_a_switched_off_person_has_none(world: World) -> None:
    token = address(world, world.tom)
    world.disable(world.tom)
    assert behind(world.engine, token) is None


def test_the_token_is_stored_hashed_and_in_no_history(world: World) -> None:
    token = address(world, world.tom)
    assert world.all(select(Feed.token_hash)) == [digest(token)]
    said = str(world.all(select(ChangeSet.said, ChangeSet.result, ChangeSet.digest, ChangeSet.key)))
    kept = said + str(world.all(select(Change.before, Change.after)))
    assert token not in kept
    assert digest(token) not in kept


def test_pressed_twice_the_same_address(world: World) -> None:
    token = new_token()
    for _ in range(2):
        world.do(world.tom, make_address, token, key="once")
    assert world.one(select(func.count()).select_from(Feed)) == 1
    assert behind(world.engine, token) is not None


def test_x6_a_timetable_has_addresses_for_those_who_may_see_it(world: World) -> None:
    world.book(practitioner=world.tom, learner=world.sara, timetable=world.weekly, starts_at=TEN)
    for person in (world.alice, world.mona, world.tom, world.sara, world.gus, world.lena):
        address(world, person, world.weekly)
    for person, which in ((world.zed, world.weekly), (world.sam, world.weekly), (world.sara, world.toms_own),
                          (world.alice, world.their_timetable), (world.alice, 10**12)):
        with pytest.raises(NotFound):
            world.do(person, make_address, new_token(), which)
    with world.reading(world.sara) as work:
        assert [each.name for each in my_timetables(work)] == ["Weekly"]


# What is shown -----------------------------------------------------------------------------------------------------


def test_a_session_is_an_event_in_the_words_of_the_viewer(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Fractions",
                         room=world.room, location="2nd floor", course_ids=(world.maths,))
    event = only(shown(world, world.tom))
    assert (event.title, event.place, event.standing, event.busy) == (
        "Session 1 · Sara", "Blue room, 2nd floor", Standing.CONFIRMED, True)
    assert (event.starts_at, event.ends_at, event.zone.key) == (TEN, TEN + HOUR, "Europe/London")
    assert event.about.split("\n") == ["Fractions", "coaching", "Maths", "Home", event.link]
    assert event.link == f"{BASE}/worksheet?session={session}"
    assert only(shown(world, world.sara)).title == "Session 1 · Tom"


def test_the_same_session_has_one_uid_for_everybody_and_ever(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    first = only(shown(world, world.tom))
    seen = [first]
    for n in range(1, 4):
        world.now += MINUTE
        world.do(world.ben, reschedule_sessions, [Move(session, TEN + n * DAY)])
        seen.append(only(shown(world, world.tom)))
        assert seen[-1].starts_at == TEN + n * DAY
    world.now += MINUTE
    world.do(world.ben, take_off_calendar, [session])
    seen.append(only(shown(world, world.tom)))
    world.now += MINUTE
    saved = world.do(world.ben, cancel_sessions, [session], "ill")
    seen.append(only(shown(world, world.tom)))
    world.now += MINUTE
    world.do(world.ben, undo, saved.act_id, undoes=saved.act_id)
    seen.append(only(shown(world, world.tom)))
    assert {event.uid for event in seen} == {first.uid} == {only(shown(world, world.sara)).uid}
    assert [e.sequence for e in seen] == sorted({e.sequence for e in seen}), "it grows with each change"
    assert [e.changed_at for e in seen] == sorted({e.changed_at for e in seen})


def test_what_is_cancelled_or_off_the_calendar_stays_as_cancelled_where_it_was(world: World) -> None:
    gone, off, never = (world.book(practitioner=world.tom, learner=world.sara, starts_at=at)
                        for at in (TEN, NOON, None))
    world.do(world.ben, cancel_sessions, [gone], "ill")
    world.do(world.ben, reschedule_sessions, [Move(off, NOON + DAY)])
    world.do(world.ben, take_off_calendar, [off])
    events = shown(world, world.sara)
    assert [(e.standing, e.starts_at) for e in events] == [
        (Standing.CANCELLED, TEN), (Standing.CANCELLED, NOON + DAY)]
    assert never
    world.do(world.ben, reschedule_sessions, [Move(off, NOON, minutes=60)])
    assert [(e.standing, e.starts_at) for e in shown(world, world.sara)] == [
        (Standing.CANCELLED, TEN), (Standing.CONFIRMED, NOON)]
    world.do(world.ben, delete_sessions, [gone])
    assert numbers(shown(world, world.sara)) == [2]


def test_a11_without_a_practitioner_it_is_tentative_and_no_longer_theirs(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.do(world.ben, reassign_sessions, [Reassign(session, None)])
    assert only(shown(world, world.sara)).standing is Standing.TENTATIVE
    assert shown(world, world.tom) == []


def test_e8_whose_part_is_cancelled_reads_so_and_the_others_do_not(world: World) -> None:
    world.book(practitioner=world.tom, team=world.comet, starts_at=TEN)
    world.raw(lambda work: work.tx.execute(update(Participation).where(Participation.learner_id == world.sara).values(
        outcome=Outcome.CANCELLED_IN_TIME)) and None)
    assert [only(shown(world, person)).standing for person in (world.sara, world.gus, world.lena)] == [
        Standing.CANCELLED] * 3
    assert [only(shown(world, person)).standing for person in (world.sam, world.tom)] == [Standing.CONFIRMED] * 2


def test_one_year_back_and_two_ahead(world: World) -> None:
    midnight = world.now.replace(hour=0)
    edges = {midnight - 365 * DAY: True, midnight - 365 * DAY - MINUTE: False, midnight + 730 * DAY - MINUTE: True,
             midnight + 730 * DAY: False}
    for n, at in enumerate(edges):
        world.set(world.book(practitioner=world.tom, starts_at=TEN + n * HOUR), starts_at=at, ends_at=at + MINUTE)
    inside = sorted(at for at, is_inside in edges.items() if is_inside)
    assert [event.starts_at for event in shown(world, world.tom)] == inside


def test_of_too_many_the_nearest_are_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.feeds.queries.MOST", 3)
    for n in range(1, 5):
        world.set(world.book(practitioner=world.tom, starts_at=TEN + n * HOUR),
                  starts_at=TEN - n * DAY, ends_at=TEN - n * DAY + HOUR)
    world.book(practitioner=world.tom, starts_at=TEN)
    assert [event.starts_at for event in shown(world, world.tom)] == [TEN - 2 * DAY, TEN - DAY, TEN]


def test_the_number_of_statements_does_not_grow(world: World) -> None:
    counts = []
    for many in (1, 60):
        world.book_many([
            world.booking(practitioner=world.tom, learner=world.sara, timetable=world.weekly,
                          starts_at=TEN + (many + n // 6) * DAY + n % 6 * HOUR, reason="many") for n in range(many)
        ])
        for person, timetable in ((world.tom, None), (world.lena, None), (world.mona, world.weekly)):
            with world.reading(person) as work, statements(world.engine) as sent:
                whole_calendar(work, timetable, BASE)
            counts.append((len(sent), person))
    assert counts[:3] == counts[3:]
    assert max(count for count, _ in counts) <= 14


# Who sees what -----------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(world: World) -> World:
    """Sara alone, Sara with Vic, Vic alone, and one in the other programme; each with words of its own."""
    for n, learners in enumerate(((world.sara,), (world.sara, world.vic), (world.vic,))):
        world.book(practitioner=world.tom, learner_ids=learners, starts_at=TEN + n * DAY, timetable=world.weekly,
                   description=f"Secret words {n}", location=f"Secret street {n}", planning_notes=f"Secret notes {n}")
    world.elsewhere_session(description="Foreign words")
    return world


@pytest.mark.parametrize(("persona", "expected"), [
    ("tom", [1, 2, 3]), ("sara", [1, 2]), ("vic", [2, 3]), ("gus", [1, 2]), ("lena", [1, 2]), ("sam", []),
    ("alice", []), ("mona", []), ("tess", []),
])
def test_x6_each_sees_their_own(busy: World, persona: str, expected: list[int]) -> None:
    assert numbers(shown(busy, busy.people[persona])) == expected


def test_d7_a_line_manager_reads_no_word_and_no_other_name(busy: World) -> None:
    busy.do(busy.ben, cancel_sessions, [busy.book(practitioner=busy.tom, learner=busy.sara, starts_at=NOON,
                                                  description="Secret")], "Secret reason")
    file = calendar("x", shown(busy, busy.lena)).decode()
    assert "Secret" not in file
    assert "Vic" not in file
    assert "Sara" in file
    assert only_title(busy, busy.lena, 2) == "Session 2 · Tom, Sara"


def only_title(world: World, person: int, number: int) -> str:
    return next(event.title for event in shown(world, person) if numbers([event]) == [number])


def test_x6_a_guardian_reads_the_words_but_no_other_familys_name_and_no_notes(busy: World) -> None:
    file = calendar("x", shown(busy, busy.gus)).decode()
    assert "Secret words 1" in file
    assert "Secret street 1" in file
    for hidden in ("Vic", "Secret words 2", "Secret notes", "Foreign", "example.org"):
        assert hidden not in file


def test_x6_a_learner_reads_their_own_and_nobody_reads_notes(busy: World) -> None:
    for person in ("sara", "vic", "tom"):
        file = calendar("x", shown(busy, busy.people[person])).decode()
        assert "Secret notes" not in file
        assert "Foreign" not in file
    assert "Secret words 2" not in calendar("x", shown(busy, busy.sara)).decode()


def test_x6_rights_are_read_afresh(busy: World) -> None:
    busy.raw(lambda work: work.tx.execute(delete(Relation).where(Relation.adult_id == busy.gus)) and None)
    assert shown(busy, busy.gus) == []
    busy.raw(lambda work: work.tx.execute(delete(RoleGrant).where(RoleGrant.person_id == busy.sara)) and None)
    assert shown(busy, busy.sara) == []


def test_a_tie_in_one_programme_shows_nothing_of_another(busy: World) -> None:
    busy.grant(busy.zoe, Role.LEARNER)
    busy.tie(Tie.GUARDIAN, busy.gus, busy.zoe)
    busy.grant(busy.gus, Role.MASTER_ADMIN, programme=busy.elsewhere)
    assert numbers(shown(busy, busy.gus)) == [1, 2]


def test_x6_a_timetables_address_shows_what_its_maker_may_see_and_ends_with_their_rights(busy: World) -> None:
    assert numbers(shown(busy, busy.alice, busy.weekly)) == [1, 2, 3]
    assert numbers(shown(busy, busy.sara, busy.weekly)) == [1, 2]
    assert "Vic" not in calendar("x", shown(busy, busy.lena, busy.weekly)).decode()
    assert not any(event.busy for event in shown(busy, busy.alice, busy.weekly))
    assert shown(busy, busy.alice, busy.toms_own) == []
    busy.raw(lambda work: work.tx.execute(delete(RoleGrant).where(RoleGrant.person_id == busy.alice)) and None)
    with pytest.raises(NotFound):
        shown(busy, busy.alice, busy.weekly)
    with pytest.raises(NotFound):
        shown(busy, busy.zed, busy.weekly)


def test_a_timetable_says_what_takes_place_whoever_looks(world: World) -> None:
    """Gus runs the programme too; that Sara is out of it does not end the team's session."""
    world.grant(world.gus, Role.BASIC_ADMIN)
    world.book(practitioner=world.tom, team=world.comet, timetable=world.weekly, starts_at=TEN)
    world.raw(lambda work: work.tx.execute(update(Participation).where(Participation.learner_id == world.sara).values(
        outcome=Outcome.CANCELLED_IN_TIME)) and None)
    assert only(shown(world, world.gus, world.weekly)).standing is Standing.CONFIRMED
    assert only(shown(world, world.gus)).standing is Standing.CANCELLED


def test_one_session_for_those_who_may_see_it(busy: World) -> None:
    third = shown(busy, busy.vic)[1]
    with busy.reading(busy.alice) as work:
        assert one_event(work, int(third.link.rsplit("=")[-1]), BASE).uid == third.uid
    for person in (busy.sara, busy.gus, busy.lena, busy.zed):
        with busy.reading(person) as work, pytest.raises(NotFound):
            one_event(work, int(third.link.rsplit("=")[-1]), BASE)
    never = busy.book(practitioner=busy.tom)
    with busy.reading(busy.alice) as work, pytest.raises(NotFound, match="not on the calendar"):
        one_event(work, never, BASE)


def test_somebody_in_no_programme_has_an_empty_calendar(world: World) -> None:
    assert shown(world, world.add(Person, name="New", created_at=world.now)) == []


def test_an_address_made_while_another_is_made_leaves_one(world: World) -> None:
    for _ in range(3):
        address(world, world.tom)
    assert world.one(select(func.count()).select_from(Feed).where(Feed.revoked_at.is_(None))) == 1
    world.now += timedelta(days=1)
    with world.reading(world.tom) as work:
        assert [each.timetable_id for each in my_addresses(work)] == [None]

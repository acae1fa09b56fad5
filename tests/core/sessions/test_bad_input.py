"""Every field with nothing, too much, the wrong kind, other people's ids, HTML, emoji, years 1 and 9999 (C4, X1)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import Invalid, NotFound
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    Venue,
    ask_for_another_time,
    change_venue,
    edit_sessions,
    reassign_sessions,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.queries import worksheet
from db.models.history import ChangeSet
from db.models.sessions import Session
from tests.factories import TEN, World

SURROGATE = "\ud800"
WRONG_IDS: tuple[Any, ...] = ("abc", 1.5, -1, 0, 2**63, 2**70, True, [1], {})
BAD: list[tuple[str, str, Any]] = [
    *[(name, field, value) for name, field in (
        ("practitioner_id", "practitioner"), ("team_id", "who"), ("timetable_id", "timetable"), ("room_id", "room"),
        ("follows_id", "follows")) for value in WRONG_IDS],
    *[(name, field, value) for name, field in (("learner_ids", "who"), ("course_ids", "courses"))
      for value in ("abc", 7, ("abc",), (2**70,), (None,) if name == "x" else (0,), {1: 2}, ([1],))],
    *[(name, name, value) for name, longest in (
        ("description", 300), ("location", 200), ("planning_notes", 4000), ("reason", 500))
      for value in ("x" * (longest + 1), "🙂" * (longest + 1), 7, b"bytes", ["x"], "nul\0", SURROGATE)],
    *[("type", "type", value) for value in ("no such type", "x" * 5000, 7, "nul\0", "<b>coaching</b>")],
    *[("method", "method", value) for value in ("", None, "by owl", "smart", 7, "x" * 5000)],
    *[("number", "number", value) for value in (0, -5, 10**9, 2**70, "12", 1.5, True)],
    *[("report_required", "report_required", value) for value in ("yes", 2, [])],
    *[("minutes", "duration", value) for value in (None, 0, -5, 7, 10, 17, 30 * 60, 10**15, "60", 60.0, True)],
    *[("starts_at", "date", value) for value in (
        datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1999, 12, 31, 12, tzinfo=UTC),
        datetime(2100, 1, 1, 12, tzinfo=UTC), "2026-03-03", 5, datetime(2026, 3, 3, 10), TEN.date())],  # noqa: DTZ001
    ("starts_at", "time", TEN.replace(second=30)),
    ("learner_ids", "who", tuple(range(1, 40))),
]


def saved(world: World) -> tuple[int, int, int]:
    """Sessions, acts, and the sum of versions: what changes if anything does."""
    return tuple(world.one(one) for one in (  # type: ignore[return-value]
        select(func.count()).select_from(Session), select(func.count()).select_from(ChangeSet),
        select(func.coalesce(func.sum(Session.version), 0))))


def test_a_bad_booking_gets_a_sentence_beside_its_field_and_nothing_is_saved(world: World) -> None:
    before = saved(world)
    for name, field, value in BAD:
        given = {"practitioner": world.tom, "starts_at": TEN, "minutes": 60}
        given.pop({"practitioner_id": "practitioner"}.get(name, ""), None)
        with pytest.raises(Invalid) as refused:
            world.book(**{**given, name: value})
        assert field in refused.value.problems, (name, value, refused.value.problems)
        assert all(len(said) > 8 and said.endswith(".") for said in refused.value.problems.values())
    assert saved(world) == before


EDITED = {"team_id", "timetable_id", "learner_ids", "course_ids", "description", "location", "planning_notes", "type",
          "method", "number", "report_required"}


def test_a_bad_edit_gets_the_same_sentence(world: World) -> None:
    session = world.book(practitioner=world.tom, starts_at=TEN)
    before = saved(world)
    more = [("type", "type", ""), ("type", "type", None), ("number", "number", None),
            ("report_required", "report_required", None)]
    for name, field, value in [*BAD, *more]:
        if name in EDITED:
            with pytest.raises(Invalid) as refused:
                world.do(world.ben, edit_sessions, [Edit(session, {name: value})])
            assert field in refused.value.problems, (name, value, refused.value.problems)
    with pytest.raises(Invalid):
        world.do(world.ben, edit_sessions, [Edit(session, {"status": "completed", "attended": 3})])
    assert saved(world) == before


def test_a_bad_move_venue_or_practitioner_too(world: World) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    before = saved(world)
    asked: list[tuple[Callable[..., Any], Any, set[str]]] = [
        *[(reschedule_sessions, Move(session, value), {"date"}) for name, _, value in BAD
          if name == "starts_at" and not (isinstance(value, datetime) and value.second)],
        *[(reschedule_sessions, Move(session, TEN, value), {"duration"}) for name, _, value in BAD
          if name == "minutes" and value is not None],
        *[(change_venue, Venue(session, None, value), {"location"}) for name, _, value in BAD
          if name == "location"],
        *[(change_venue, Venue(session, value, None), {"room"}) for value in ("abc", 0, 2**70, 10**9)],
        *[(reassign_sessions, Reassign(session, value), {"practitioner"}) for value in ("abc", 0, 2**70)],
    ]
    for command, given, fields in asked:
        with pytest.raises(Invalid) as refused:
            world.do(world.ben, command, [given])
        assert set(refused.value.problems) == fields, (given, refused.value.problems)
    for command, *more in (
        (reschedule_sessions,), (change_venue,), (reassign_sessions,),
        (edit_sessions,), (take_off_calendar,), (cancel_sessions, "why"),
        (delete_sessions,),
    ):
        with pytest.raises(Invalid):
            world.do(world.ben, command, [], *more)
    for words in ("", "  ", None, "x" * 301, 7, "nul\0"):
        with pytest.raises(Invalid) as refused:
            world.do(world.sara, ask_for_another_time, session, words)
        assert set(refused.value.problems) == {"words"}
    assert saved(world) == before


@pytest.mark.parametrize("id_", ["1", "abc", None, 0, -1, 2**63, 2**70, 1.0])
def test_what_is_no_id_does_not_exist(world: World, id_: Any) -> None:
    world.book(practitioner=world.tom)
    with pytest.raises(NotFound):
        world.do(world.ben, cancel_sessions, [id_], "why")
    with world.reading(world.ben) as work, pytest.raises(NotFound):
        worksheet(work, id_)


@pytest.mark.parametrize("said", [
    "<script>alert(1)</script>", "🙂 👩‍👩‍👧", "Łódź naïve ß", "'; DROP TABLE session; --", "=cmd|' /C calc'!A0", "a\nb",
])
def test_strange_but_honest_texts_are_kept_as_they_are(world: World, said: str) -> None:
    session = world.book(practitioner=world.tom, description=said, location=said, planning_notes=said)
    with world.reading(world.ben) as work:
        sheet = worksheet(work, session)
    assert (sheet.row.description, sheet.row.location, sheet.planning_notes) == (said, said, said)

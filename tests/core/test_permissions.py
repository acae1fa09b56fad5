"""Who may do what: the matrix as a golden file, and every forbidden act refused in the core (A4, A6, B11, C1, X6)."""

import hashlib
import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from core.attending import commands as attending
from core.attending.rules import Attendance
from core.errors import NotAllowed, NotFound, Refusal
from core.permissions import RULES, TICKABLE, Action, Case, allows
from core.programmes.rules import WhoBooks
from core.sessions import groups
from core.sessions.booking import book_sessions
from core.sessions.changing import (
    Edit,
    Move,
    Reassign,
    Venue,
    ask_for_another_time,
    change_venue,
    edit_sessions,
    reassign_sessions,
    replace_participants,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.queries import worksheet
from core.sessions.visible import cases_for, facts_of
from core.work import Actor
from db.words import Outcome, Role, Status
from tests.factories import DAY, HOUR, PERSONAS, STRANGERS, TEN, World

GOLDEN = Path(__file__).parents[1] / "golden" / "permissions.md"
FLAGS = ("leads", "attends", "created", "guards", "manages", "shared", "started")


def expansion() -> str:
    """One character for each role, action, ownership, status, policy and tick: may, or may not."""
    everything = frozenset(action.name for action in Action)
    cases = [
        Case(1, who_books, status, **dict(zip(FLAGS, flags, strict=True)), ticked=ticked)
        for status, who_books, *flags in itertools.product((None, *Status), WhoBooks, *[(False, True)] * len(FLAGS))
        for ticked in (frozenset(), everything)
    ]
    bits = []
    for role, action in itertools.product(Role, Action):
        actor = Actor(1, "x", roles={1: frozenset({role})})
        bits += ["1" if allows(actor, action, case) else "0" for case in cases]
    return "".join(bits)


def matrix() -> str:
    """The golden file."""
    lines = [
        "# Who may do what", "",
        "Written by `UPDATE_GOLDEN=1 pytest tests/core/test_permissions.py`. A changed line changes rights.",
        "A role holds in one programme; whoever holds several may what any of them may. The rest is forbidden.",
        "",
    ]
    for role in Role:
        lines += [f"## {role.capitalize()}", "", "| may | condition |", "| --- | --- |"]
        may = [(action, RULES[action][role]) for action in Action if role in RULES[action]]
        lines += [f"| {action} | {condition.words} |" for action, condition in may] + [""]
    lines += ["## The full expansion", ""]
    lines += ["Role × action × status × who books × how one stands to the session × ticked:", ""]
    said = expansion()
    digest = hashlib.sha256(said.encode()).hexdigest()
    lines += [f"{len(said):,} answers, {said.count('1'):,} of them yes, sha256 `{digest}`"]
    return "\n".join(lines) + "\n"


def test_the_matrix_is_the_one_that_was_agreed() -> None:
    said = matrix()
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == said, "rights changed: look at the difference, then UPDATE_GOLDEN=1"


def test_whoever_may_do_something_to_a_session_may_see_it() -> None:
    session_acts = [action for action in Action if action.name.startswith(("SESSION", "OUTCOME"))]
    for role, action in itertools.product(Role, session_acts):
        actor = Actor(1, "x", roles={1: frozenset({role})})
        for status, who_books, *flags in itertools.product(Status, WhoBooks, *[(False, True)] * len(FLAGS)):
            case = Case(1, who_books, status, **dict(zip(FLAGS, flags, strict=True)))
            if action is not Action.SESSION_BOOK and allows(actor, action, case):
                assert allows(actor, Action.SESSION_SEE, case), (role, action, case)


def test_b11_outranks_a4_and_a6_for_practitioners_and_learners() -> None:
    changes = (Action.SESSION_BOOK, Action.SESSION_EDIT, Action.SESSION_FILL, Action.SESSION_RESCHEDULE,
               Action.SESSION_REASSIGN, Action.SESSION_CANCEL, Action.SESSION_DELETE)
    for role, action in itertools.product((Role.PRACTITIONER, Role.LEARNER), changes):
        actor = Actor(1, "x", roles={1: frozenset({role})})
        for status, *flags in itertools.product(Status, *[(False, True)] * len(FLAGS)):
            assert not allows(actor, action, Case(1, WhoBooks.STAFF, status, **dict(zip(FLAGS, flags, strict=True))))


def test_d7_no_rule_lets_a_line_manager_read_words() -> None:
    for action in (Action.SESSION_DESCRIBE, Action.SESSION_READ):
        assert Role.LINE_MANAGER not in RULES[action]


def test_a_custom_manager_may_what_is_ticked_and_nothing_else() -> None:
    for action in TICKABLE:
        actor = Actor(1, "x", roles={1: frozenset({Role.CUSTOM_MANAGER})})
        for status in (None, *Status):
            assert not allows(actor, action, Case(1, WhoBooks.CLIENTS_TOO, status, started=True))
    assert Action.ROLES_GRANT not in TICKABLE
    assert Action.PROGRAMME_EDIT not in TICKABLE


ACTS: dict[str, tuple[Action, Any]] = {
    "edit": (Action.SESSION_EDIT, lambda s, _: (edit_sessions, [Edit(s, {"description": "New"})])),
    "fill": (Action.SESSION_FILL, lambda s, w: (groups.add_learners, s, [w.vic])),
    "reschedule": (Action.SESSION_RESCHEDULE, lambda s, _: (reschedule_sessions, [Move(s, TEN + DAY)])),
    "off": (Action.SESSION_RESCHEDULE, lambda s, _: (take_off_calendar, [s])),
    "venue": (Action.SESSION_RESCHEDULE, lambda s, _: (change_venue, [Venue(s, None, "There")])),
    "reassign": (Action.SESSION_REASSIGN, lambda s, _: (reassign_sessions, [Reassign(s, None)])),
    "cancel": (Action.SESSION_CANCEL, lambda s, _: (cancel_sessions, [s], "why")),
    "delete": (Action.SESSION_DELETE, lambda s, _: (delete_sessions, [s])),
    "record": (Action.OUTCOME_RECORD, lambda s, w: (
        attending.record_outcome, s, [Attendance(w.sara, Outcome.ATTENDED)])),
    "reopen": (Action.OUTCOME_REOPEN, lambda s, _: (attending.reopen_session, s, "why")),
    "ask": (Action.SESSION_ASK_TIME, lambda s, _: (ask_for_another_time, s, "later")),
    "replace": (Action.SESSION_CANCEL, None),
}


class Rollback(Exception):
    """Takes back what was allowed, so that the next act finds the same session."""


def attempt(world: World, who: int, command: Any, *given: Any, **kw: Any) -> Refusal | None:
    """What the core answers when called directly; nothing that it did stays."""

    def act(work: Any) -> None:
        command(work, *given, **kw)
        raise Rollback

    try:
        world.do(who, act, now=TEN + 2 * HOUR)
    except Rollback:
        return None
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize(("engine", "who_books"), [  # what is refused is decided above the database
    *(("sqlite", each) for each in WhoBooks), ("postgresql", WhoBooks.CLIENTS_TOO)], indirect=["engine"])
def test_every_forbidden_act_is_refused_in_the_core_when_called_directly(world: World, who_books: WhoBooks) -> None:
    world.policy(who_books=who_books)
    planned = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    by_tess = world.book(practitioner=world.tom, learner=world.sara)
    world.set(by_tess, created_by=world.tess)
    held = world.held(world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN - DAY, reason="x"))
    cancelled = world.book(practitioner=world.tom, learner=world.sara)
    world.do(world.ben, cancel_sessions, [cancelled], "why")
    refused = allowed = 0
    for name, session in itertools.product((*PERSONAS, *STRANGERS), (planned, by_tess, held, cancelled)):
        who = world.people[name]
        with world.reading(who, now=TEN + 2 * HOUR) as work:
            case = cases_for(work, facts_of(work, [session])).get(session)
            sees = case is not None and allows(work.actor, Action.SESSION_SEE, case)
            may = {action for action in Action if case is not None and allows(work.actor, action, case)}
        for action, made in ACTS.values():
            answer = (
                attempt(world, who, *made(session, world)) if made
                else attempt(world, who, replace_participants, session, learner_id=world.sam)
            )
            if not sees:
                assert type(answer) is NotFound, (name, action, answer)
            elif action not in may:
                assert type(answer) is NotAllowed, (name, action, answer)
                refused += 1
            else:
                assert not isinstance(answer, NotFound), (name, action, answer)
                allowed += 1
    assert refused > 100
    assert allowed > 50


def test_x6_a_foreign_id_answers_exactly_as_one_that_does_not_exist(world: World) -> None:
    theirs, nowhere = world.elsewhere_session(), 10**9
    for name in (*PERSONAS, "zoe"):
        who = world.people[name]
        foreign = theirs if name != "zoe" else world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
        for action, made in ACTS.values():
            answers = [
                attempt(world, who, *made(id_, world)) if made
                else attempt(world, who, replace_participants, id_, learner_id=world.sam)
                for id_ in (foreign, nowhere)
            ]
            assert [type(each) for each in answers] == [NotFound, NotFound], (name, action)
            assert answers[0].sentence == answers[1].sentence
        for id_ in (foreign, nowhere, "1", None, -1, 2**70):
            with world.reading(who) as work, pytest.raises(NotFound):
                worksheet(work, id_)
        for programme in (world.elsewhere if name != "zoe" else world.programme, nowhere):
            answer = attempt(world, who, book_sessions, [world.booking(programme_id=programme)])
            assert (type(answer), answer.sentence) == (NotFound, NotFound().sentence)


def test_x6_a_foreign_id_in_a_booking_is_told_as_one_that_does_not_exist(world: World) -> None:
    theirs, nowhere = world.elsewhere_session(), 10**9
    for field, foreign in {
        "practitioner": world.zed, "learner": world.zoe, "team": world.their_team, "timetable": world.their_timetable,
        "follows": theirs,
    }.items():
        one, other = (
            attempt(world, world.ben, book_sessions, [world.booking(**{field: id_})])
            for id_ in (foreign, nowhere)
        )
        assert one is not None
        assert (type(one), one.sentence) == (type(other), other.sentence if other else "")

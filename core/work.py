"""Work: one transaction with who does it, when, and from where. `commit` is the one door for every write (X5)."""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Engine, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session as Transaction

from core.errors import Conflict, NotAllowed
from db import triggers
from db.models.history import ChangeSet, CurrentAct
from db.models.people import Person
from db.models.programmes import RoleGrant
from db.words import Role

log = logging.getLogger(__name__)

TRIES = 12
SAVED = "Saved."
"""What is told of an act that says nothing of itself."""
ALREADY = "This was undone already."
_AGAIN = {"40001", "40P01", "55P03", "57P01", "08000", "08003", "08006"}
"""PostgreSQL: serialization, deadlock, lock, shut down, lost connection: nothing was done, so it may be done again."""


@dataclass(frozen=True)
class Actor:
    """Who does it, with the roles held at this moment, programme by programme."""

    person_id: int | None
    name: str
    zone: str | None = None
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    ticked: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """What a custom manager may do, by programme."""
    everything: bool = False
    """The installation itself: migrations, demo data, the terminal."""

    def holds(self, programme_id: int, *roles: Role) -> bool:
        """Whether any of these roles is held in that programme."""
        return not self.roles.get(programme_id, frozenset()).isdisjoint(roles)

    def programmes(self, *roles: Role) -> list[int]:
        """Programmes in which any of these roles (or, with none named, any at all) is held."""
        return sorted(p for p, held in self.roles.items() if not roles or not held.isdisjoint(roles))


THE_PORTAL = Actor(None, "The portal", everything=True)


@dataclass
class Work:
    """What a query or a command works with."""

    tx: Transaction
    actor: Actor
    now: datetime
    source: str = "screen"
    act_id: int | None = None
    said: str = ""
    reason: str | None = None
    cache: dict[Any, Any] = field(default_factory=dict)
    """What was looked up in this work already, such as policies."""

    @property
    def on_sqlite(self) -> bool:
        """Which of the two engines this is."""
        return self.tx.get_bind().dialect.name == "sqlite"

    def say(self, sentence: str) -> None:
        """Put in words what this act did; the person reads it, and so does history."""
        self.said = sentence[:2000]

    def because(self, reason: str | None) -> None:
        """Keep the reason given with this act; nothing given leaves it as it was."""
        self.reason = (reason or "").strip()[:500] or self.reason

    @property
    def me(self) -> int:
        """The actor's own person id. Raises NotAllowed for the installation itself."""
        if self.actor.person_id is None:
            raise NotAllowed("Only a person can do this.")
        return self.actor.person_id


@dataclass(frozen=True)
class Saved:
    """A committed act: what the command returned, what to tell, and the change set that *Undo* takes."""

    act_id: int
    result: Any
    said: str
    replayed: bool = False


def now_utc() -> datetime:
    """The present second, in UTC. Commands take `work.now` instead."""
    return datetime.now(UTC).replace(microsecond=0)


def load_actor(tx: Transaction, person_id: int) -> Actor:
    """The person with the roles held right now. Raises NotAllowed for a disabled or unknown person."""
    rows = tx.execute(
        select(Person.name, Person.zone, RoleGrant.programme_id, RoleGrant.role, RoleGrant.permissions)
        .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
        .where(Person.id == person_id, Person.disabled_at.is_(None))
    ).all()
    if not rows:
        raise NotAllowed("Your account is switched off.")
    roles: dict[int, set[Role]] = {}
    ticked: dict[int, set[str]] = {}
    for row in rows:
        if row.programme_id is not None:
            roles.setdefault(row.programme_id, set()).add(row.role)
            ticked.setdefault(row.programme_id, set()).update(row.permissions or ())
    return Actor(
        person_id, rows[0].name, rows[0].zone,
        {p: frozenset(held) for p, held in roles.items()}, {p: frozenset(may) for p, may in ticked.items()},
    )


@contextmanager
def reading(engine: Engine, who: int | Actor, *, now: datetime | None = None) -> Iterator[Work]:
    """Look things up as `who`. Nothing written here is kept."""
    options: dict[str, Any] = {"begin": None} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with Transaction(engine.execution_options(**options), autoflush=False) as tx:
        actor = who if isinstance(who, Actor) else load_actor(tx, who)
        yield Work(tx, actor, now or now_utc())
        tx.rollback()


def commit(
    engine: Engine,
    who: int | Actor,
    command: Callable[..., Any],
    *args: Any,
    key: str | None = None,
    reason: str | None = None,
    source: str = "screen",
    now: datetime | None = None,
    undoes: int | None = None,
    **kw: Any,
) -> Saved:
    """Run a command as one act: all of it, or nothing and a Refusal.

    The same key from the same person is the same act: it runs once, and whoever sends it again is told the same; with
    anything else asked for, it is a Conflict. On a
    lost lock or connection, and once when a guard of the database refused, the whole command runs again, so that its
    own look sees the rival and names it. What the command returns must be plain (numbers, texts, lists of them).
    """
    actor_id = who.person_id if isinstance(who, Actor) else who
    full_key = f"{actor_id or 0}:{key or secrets.token_urlsafe(18)}"
    asked = None if key is None else _digest((args, kw))
    refused = False
    for attempt in range(TRIES):
        try:
            with Transaction(engine.execution_options(begin="BEGIN IMMEDIATE"), autoflush=True) as tx, tx.begin():
                actor = who if isinstance(who, Actor) else load_actor(tx, who)
                work = Work(tx, actor, now or now_utc(), source)
                work.because(reason)
                free = undoes is None or _is_free(work, full_key, undoes)
                known = _open_act(work, full_key, command.__name__, undoes if free else None, asked)
                if known is not None:
                    return known
                result = command(work, *args, **kw)
                if not free:  # said last, since it is not for everybody to know
                    raise Conflict(ALREADY)
                assert work.act_id is not None  # _open_act has just set it
                tx.flush()
                _close_act(work, result)
                return Saved(work.act_id, result, work.said or SAVED)
        except IntegrityError as problem:
            if refused:
                raise _told(problem) from problem
            refused = True
        except DBAPIError as problem:
            if not _may_run_again(problem):
                raise
            time.sleep(min(0.4, 0.005 * 2**attempt) * (0.5 + secrets.randbelow(100) / 100))
    raise Conflict("The portal is very busy at the moment. Nothing was saved; please try again.")


def _open_act(work: Work, key: str, command: str, undoes: int | None, asked: str | None) -> Saved | None:
    insert = sqlite.insert if work.on_sqlite else postgresql.insert
    statement = (
        insert(ChangeSet)
        .values(key=key, at=work.now, actor_id=work.actor.person_id, source=work.source, command=command,
                reason=work.reason, undoes_id=undoes, digest=asked)
        .on_conflict_do_nothing(index_elements=["key"])
    )
    if work.on_sqlite:
        work.act_id = work.tx.execute(statement.returning(ChangeSet.id)).scalar()
    else:  # named in the same round trip
        named: ColumnElement[str] = literal_column("set_config('portal.act', change_set.id::text, true)")
        work.act_id = work.tx.execute(statement.returning(ChangeSet.id, named)).scalar()
    if work.act_id is None:
        row = work.tx.execute(
            select(ChangeSet.id, ChangeSet.result, ChangeSet.said, ChangeSet.command, ChangeSet.digest)
            .where(ChangeSet.key == key)
        ).one()
        if row.command != command or row.digest != asked:
            raise Conflict("This form was already used for something else. Please open it again.")
        return Saved(row.id, row.result, row.said or "", replayed=True)
    if work.on_sqlite:
        work.tx.execute(update(CurrentAct).values(change_set_id=work.act_id))
    return None


def _digest(asked: Any) -> str:
    """The same for the same arguments, in any process."""
    return hashlib.sha256(repr(_in_order(asked)).encode(errors="surrogatepass")).hexdigest()


def _in_order(value: Any) -> Any:
    """Arguments as something whose repr says it all, sets and mappings in an order that does not change."""
    if isinstance(value, BaseModel):
        return _in_order(dict(value))
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_in_order(getattr(value, each.name)) for each in fields(value))]
    if isinstance(value, Mapping):
        return sorted(((repr(key), _in_order(each)) for key, each in value.items()), key=repr)
    if isinstance(value, Set):
        return sorted((_in_order(each) for each in value), key=repr)
    return [_in_order(each) for each in value] if isinstance(value, (list, tuple)) else value


def _is_free(work: Work, key: str, act_id: int) -> bool:
    """Whether an act is there and not undone by another; the table itself refuses what is not."""
    undone = select(ChangeSet.id).where(ChangeSet.undoes_id == act_id, ChangeSet.key != key).exists()
    return work.tx.scalar(select(ChangeSet.id).where(ChangeSet.id == act_id, ~undone)) is not None


def _close_act(work: Work, result: Any) -> None:
    work.tx.execute(
        update(ChangeSet).where(ChangeSet.id == work.act_id)
        .values(said=work.said or SAVED, result=result, reason=work.reason)
    )
    if work.on_sqlite:
        work.tx.execute(update(CurrentAct).values(change_set_id=None))


def _may_run_again(problem: DBAPIError) -> bool:
    code = getattr(problem.orig, "sqlstate", None)
    return code in _AGAIN or problem.connection_invalidated or "database is locked" in str(problem.orig)


def _told(problem: IntegrityError) -> Exception:
    """A guard of the database in words; anything unknown stays the bug that it is."""
    said = str(problem.orig)
    if triggers.PERSON_BUSY in said or "ex_occupancy_person_id" in said:
        return Conflict("Somebody who takes part was booked for that time in the meantime. Nothing was saved.")
    if triggers.ROOM_BUSY in said or "ex_occupancy_room_id" in said:
        return Conflict("The room was taken for that time in the meantime. Nothing was saved.")
    if triggers.SESSION_FULL in said:
        return Conflict("The last places were taken in the meantime. Nothing was saved.")
    number_given = triggers.NUMBER_USED in said or said == f"{triggers.NOT_TWICE} UNIQUE session"
    if number_given or "session_programme_id_number" in said:
        return Conflict("That number was given to another session in the meantime. Nothing was saved.")
    return problem

"""What follows sessions in the demo: notes, objections, and the ledger with its closed months and payments."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from core.billing.closing import close_period, credit_invoice
from core.billing.settle import settle
from core.billing.totals import fold
from core.demo import load
from core.demo.life import CAME_OF_IT, DAY, SESSION
from core.demo.prices import CLAIMS, CREDITED, CUT_SHORT, MONEY, NOTES
from core.demo.world import DAYS_BACK, World
from core.work import Work, load_actor
from db.models.billing import Document, DocumentLine, LedgerLine, Period
from db.models.people import Relation
from db.models.sessions import Participation, Session
from db.words import DocumentKind, Kind, LineKind, NoteKind, Outcome, Tie

NOTE = ("id", "session_id", "author_id", "kind", "body", "submitted_at", "version")
DISPUTE = ("id", "session_id", "learner_id", "by_id", "claim", "at", "answer", "answered_by", "answered_at")
PAYMENT = ("document_id", "day", "amount", "reference", "at", "change_set_id")
CLOSED_ON = 8
"""Day of the next month on which one is closed."""
MOST_NOTES = 20_000
"""At scale the latest sessions alone have theirs."""


# Notes and objections ------------------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """What a note is written from; moments are epoch seconds."""

    id: int
    programme_id: int
    practitioner_id: int | None
    description: str | None
    report_published_at: int | None
    comments_at: int | None


def notes(world: World, sessions: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """A note or a report of each session that has closing words, by whoever led it."""
    at = [(*SESSION, *CAME_OF_IT).index(name) for name in Ended._fields]
    return list(_notes(world, (Ended(*(row[place] for place in at)) for row in sessions)))


def write_notes(connection: Connection, world: World) -> None:
    """The same of the latest sessions, which are stored already."""
    rows = connection.execute(
        select(*(getattr(Session, name) for name in Ended._fields))
        .where(Session.comments_at.is_not(None), Session.practitioner_id.is_not(None))
        .order_by(Session.comments_at.desc(), Session.id).limit(MOST_NOTES))
    load.copy_in(connection, "note", NOTE, _notes(world, (
        Ended(*row[:4], *(at and int(at.timestamp()) for at in row[4:])) for row in rows)))


def _notes(world: World, sessions: Iterable[Ended]) -> Iterator[tuple[Any, ...]]:
    kinds, n = {place.id: kind for kind, place in world.places.items()}, 0
    for one in sessions:
        if one.comments_at is None or one.practitioner_id is None:
            continue
        rng = random.Random(one.id)  # noqa: S311 - made-up data
        done, went, ahead = (rng.choice(some) for some in NOTES[kinds[one.programme_id]])
        about = f"{one.description}. " if one.description else ""
        body = f"{about}{done} {went}\n\n{ahead}"
        for kind, at in ((NoteKind.REPORT, one.report_published_at), (NoteKind.SHARED, one.comments_at)):
            if at is not None and not (kind is NoteKind.SHARED and one.report_published_at is not None):
                n += 1
                yield n, one.id, one.practitioner_id, kind, body, at, 1


def object_to_some(connection: Connection, world: World) -> None:
    """Guardians of students object to some outcomes of late; some have an answer."""
    place = world.places[Kind.TUTORING]
    rows = connection.execute(
        select(Participation.session_id, Participation.learner_id, Relation.adult_id, Participation.outcome_at)
        .join(Session, Session.id == Participation.session_id)
        .join(Relation, (Relation.learner_id == Participation.learner_id) & (Relation.programme_id == place.id)
              & (Relation.tie == Tie.GUARDIAN))
        .where(Session.programme_id == place.id, Session.starts_at < _at(world.moment),
               Participation.outcome.in_((Outcome.MISSED, Outcome.CANCELLED_LATE)))
        .order_by(Participation.outcome_at.desc(), Participation.id).limit(len(CLAIMS))).all()
    found: list[tuple[Any, ...]] = []
    for n, (row, (claim, answer)) in enumerate(zip(rows, CLAIMS, strict=False)):
        at = min(int(row.outcome_at.timestamp()) + 5 * 3600, world.moment - 2 * 3600)
        told = (None, None, None) if answer is None else (answer, place.coordinators[0], min(
            at + DAY, world.moment - 3600))
        found.append((n + 1, row.session_id, row.learner_id, row.adult_id, claim, at, *told))
    load.copy_in(connection, "dispute", DISPUTE, found)


# Money ---------------------------------------------------------------------------------------------------------------


def keep_the_ledger(work: Work, world: World) -> None:
    """Months that are closed, with some corrections; payments; the totals. The lines are there already."""
    ends = months_to_close(world.today)
    close(work, world, ends[:-1])
    _correct(work, world)
    close(work, world, ends[-1:])
    _credit_one(work, world)
    pay(work, world)
    fold(work)


def close_some(work: Work, world: World) -> None:
    """At scale, the first two months alone are closed and mostly paid."""
    close(work, world, months_to_close(world.today)[:2])
    pay(work, world)
    work.say("Closed two months.")


def months_to_close(today: date) -> list[date]:
    """The last days of the months that are over and whole, but the last one."""
    last = today.replace(day=1) - timedelta(days=1)
    month = (today - timedelta(days=DAYS_BACK)).replace(day=1) + timedelta(days=62)
    found = []
    while (end := month.replace(day=1) - timedelta(days=1)) < last:
        found.append(end)
        month = month.replace(day=1) + timedelta(days=32)
    return found


def close(work: Work, world: World, ends: Sequence[date]) -> None:
    """Close months in every programme that has money, as Alice, some days into the next one."""
    alice = load_actor(work.tx, world.cast["Alice Moran"])
    for end in ends:
        now = datetime.combine(end + timedelta(days=CLOSED_ON), time(15), UTC)
        for kind in MONEY:
            close_period(replace(work, actor=alice, now=now), world.places[kind].id, end)


def _correct(work: Work, world: World) -> None:
    """A few lessons were shorter than recorded: what is on an invoice is taken back, and written anew."""
    here = world.places[Kind.TUTORING].id
    rows = work.tx.execute(
        select(LedgerLine.session_id).join(DocumentLine, DocumentLine.line_id == LedgerLine.id)
        .where(LedgerLine.programme_id == here, LedgerLine.kind == LineKind.CHARGE, LedgerLine.minutes == 60,
               LedgerLine.outcome == Outcome.ATTENDED)
        .order_by(LedgerLine.day.desc(), LedgerLine.id).limit(3)).all()
    ids = [row.session_id for row in rows]
    if ids:
        work.tx.execute(update(Participation).where(Participation.session_id.in_(ids)).values(actual_minutes=45))
        latest = work.tx.scalar(select(func.max(Period.closed_at)))
        settle(replace(work, now=(latest or work.now) + timedelta(days=2)), ids, CUT_SHORT)


def _credit_one(work: Work, world: World) -> None:
    alice = load_actor(work.tx, world.cast["Alice Moran"])
    row = work.tx.execute(
        select(Document.id, Period.closed_at).join(Period, Period.id == Document.period_id).where(
            Document.programme_id == world.places[Kind.TUTORING].id, Document.kind == DocumentKind.INVOICE,
            Document.gross > 0)
        .order_by(Document.period_id.desc(), Document.number).limit(1)).first()
    if row is not None:
        credit_invoice(replace(work, actor=alice, now=row.closed_at + timedelta(days=3)), row.id, CREDITED)


def pay(work: Work, world: World) -> None:
    """Most invoices are paid, some late, some in part, a few twice, some not at all; nearly all statements are."""
    credited = select(Document.cancels_id).where(Document.cancels_id.is_not(None))
    rows = work.tx.execute(
        select(Document.id, Document.kind, Document.number, Document.gross, Document.issued_on, Document.due_on)
        .where(Document.kind != DocumentKind.CREDIT_NOTE, Document.gross > 0, Document.id.not_in(credited))
        .order_by(Document.id)).all()
    load.copy_in(work.tx.connection(), "payment", PAYMENT, _payments(work, world, rows))


def _payments(work: Work, world: World, rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        rng = random.Random(row.id)  # noqa: S311 - made-up data
        luck, invoice = rng.random(), row.kind is DocumentKind.INVOICE
        if luck > (0.9 if invoice else 0.97):
            continue
        day = row.due_on + timedelta(days=rng.randint(-8, 3)) if invoice else row.issued_on + timedelta(days=4)
        if day >= world.today:
            continue
        amount = row.gross // 2 if invoice and luck < 0.04 and row.gross > 1 else row.gross
        if invoice and 0.04 <= luck < 0.05:
            amount *= 2
        at = int(datetime.combine(day, time(12), UTC).timestamp())
        yield row.id, day.isoformat(), amount, f"Transfer {day:%d%m}-{row.number}", at, work.act_id


def _at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)

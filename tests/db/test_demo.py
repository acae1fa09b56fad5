"""The made-up portal: the same every time, through the guards, full of life, and proven where it is large."""

import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from core.access.queries import demo_accounts
from core.access.rules import is_password
from core.availability.hours import not_bookable
from core.availability.queries import Placed, hours_problems
from core.billing.queries import Filters as LineFilters
from core.billing.queries import lines
from core.billing.settle import settle
from core.billing.totals import recomputed, sums
from core.demo import DEMO_ACCOUNTS, PASSWORD, build, load
from core.demo.life import Life
from core.demo.series import book_the_example
from core.demo.world import make_world
from core.engagements.queries import engagement_page, engagements_of
from core.errors import Invalid
from core.notifications.queries import unread_count
from core.programmes.queries import my_programmes
from core.sessions.queries import Filters, session_count, session_list
from core.work import THE_PORTAL, commit, reading
from db.models.access import Account
from db.models.afterwards import Dispute, Note
from db.models.availability import Closure, DatedWindow, OwnLimits, Roster, TimeOff, WeeklyWindow
from db.models.billing import Document, LedgerLine, OutcomeMatrix, Payment, Period, Rate
from db.models.learning import Engagement
from db.models.people import Person
from db.models.programmes import Programme, RoleGrant
from db.models.sessions import Participation, Session
from db.words import (
    DocumentKind,
    Kind,
    LineKind,
    NoteKind,
    Outcome,
    RateUnit,
    Role,
    Side,
    Status,
    TotalOf,
)
from tests.conftest import Databases

TODAY = date(2026, 3, 11)
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
SMALL, SCALE = 1_500, 3_000


def everything(sessions: int, seed: int = 1) -> list[object]:
    world = make_world(sessions, seed, TODAY, "hash")
    return [world.rows, list(Life(world).batches())]


def test_the_same_seed_and_day_make_the_same_rows() -> None:
    assert everything(SMALL) == everything(SMALL)
    assert everything(SMALL) != everything(SMALL, seed=2)


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 3, 29), date(2026, 8, 2), date(2028, 2, 29)])
@pytest.mark.parametrize("sessions", [200, 3_000])
def test_any_day_makes_as_many_as_asked_and_nobody_is_taken_twice(today: date, sessions: int) -> None:
    """B9: planned without the guards; days on which clocks change among them."""
    world = make_world(sessions, 3, today, "hash")
    whole = list(Life(world).batches())
    made = [row for batch in whole for row in batch.sessions]
    assert len(made) == sessions
    people = {row[0]: [row[3]] for row in made}
    for batch in whole:
        for part in batch.parts:
            people[part[1]].append(part[2])
    taken: dict[int, list[tuple[int, int]]] = {}
    for row in made:
        assert (row[14] is None) == (row[15] is None)
        if row[14] is not None:
            for person in people[row[0]]:
                taken.setdefault(person, []).append((row[14], row[15]))
    taken.pop(None, None)  # type: ignore[call-overload]  # unassigned
    for times in taken.values():
        times.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))


@pytest.fixture(scope="module")
def seconds() -> list[float]:
    """Processor time that building took: other tests may run beside this one."""
    return []


@pytest.fixture(scope="module")
def demo(databases: Databases, seconds: list[float]) -> Iterator[Engine]:
    """6,000 sessions on SQLite, built once for the tests that only look."""
    engine = databases.clean("sqlite")
    began = time.process_time()
    summary = build(engine, today=TODAY)
    seconds.append(time.process_time() - began)
    assert (summary.sessions, summary.programmes) == (6_000, 5)
    yield engine
    databases.drop(engine)


def test_six_thousand_are_built_in_seconds(demo: Engine, seconds: list[float]) -> None:
    assert seconds[0] < 18


def test_there_are_about_as_many_of_everybody_as_asked(demo: Engine) -> None:
    with demo.connect() as connection:
        roles = Counter(connection.scalars(select(RoleGrant.role)))
        assert connection.scalar(select(func.count()).select_from(Session)) == 6_000
    assert 36 <= roles[Role.PRACTITIONER] <= 44
    assert 380 <= roles[Role.LEARNER] <= 440
    assert roles.keys() == {*Role}


def test_every_status_occurs_and_most_of_the_past_is_recorded(demo: Engine) -> None:
    with demo.connect() as connection:
        statuses = Counter(connection.scalars(select(Session.status)))
        past = Counter(connection.scalars(select(Session.status).where(Session.ends_at < NOON - timedelta(days=7))))
    assert statuses.keys() == {*Status}
    assert past[Status.COMPLETED] > 0.8 * past.total()


def test_each_demo_account_sees_sessions_and_signs_in(demo: Engine) -> None:
    shown = demo_accounts(demo)
    assert [(each.name, each.email, each.about) for each in shown] == [
        (each.name, each.email, each.about) for each in DEMO_ACCOUNTS
    ]
    for account, told in zip(shown, DEMO_ACCOUNTS, strict=True):
        with reading(demo, account.person_id, now=NOON) as work:
            mine = my_programmes(work)
            assert any(work.actor.holds(programme.id, told.role) for programme in mine)
            assert all(session_list(work, programme.id).rows for programme in mine)
            stored = work.tx.scalar(select(Account.password_hash).where(Account.person_id == account.person_id))
        assert is_password(PASSWORD, stored)


def test_toms_day_is_full(demo: Engine) -> None:
    """Lessons today and this week, some to log, some notices."""
    tom = next(each for each in demo_accounts(demo) if each.name.startswith("Tom"))
    with reading(demo, tom.person_id, now=NOON) as work:
        tutoring = next(p.id for p in my_programmes(work) if work.actor.holds(p.id, Role.PRACTITIONER))
        assert session_count(work, tutoring, Filters(since=TODAY, until=TODAY)) >= 3
        assert session_count(work, tutoring, Filters(since=TODAY, until=TODAY + timedelta(days=6))) >= 5
        assert session_count(work, tutoring, Filters(statuses=("to log",))) >= 2
        assert unread_count(work) >= 3


def test_b6_every_session_lies_within_hours_and_one_tutor_has_none(demo: Engine) -> None:
    """Closures, time off, exceptions, timetables and limits among them."""
    with reading(demo, THE_PORTAL, now=NOON) as work:
        kinds = {model: work.tx.scalar(select(func.count()).select_from(model)) or 0
                 for model in (WeeklyWindow, DatedWindow, TimeOff, Closure, Roster, OwnLimits)}
        assert min(kinds.values()) >= 2, kinds
        without = [name for programme in my_programmes(work) for name in not_bookable(work, programme.id)]
        for programme in my_programmes(work):
            rows = work.tx.execute(
                select(Session.id, Session.practitioner_id, Session.timetable_id, Session.starts_at, Session.ends_at)
                .where(Session.programme_id == programme.id, Session.starts_at.is_not(None),
                       Session.cancelled_at.is_(None), Session.practitioner_id.is_not(None))).all()
            found = hours_problems(work, programme.id, [Placed(*row) for row in rows], [row.id for row in rows])
            assert [problem.sentence for problem in found.values()][:5] == [], programme.name
    assert len(without) == 1


def test_somebody_is_practitioner_here_and_learner_there(demo: Engine) -> None:
    with demo.connect() as connection:
        both = connection.scalars(
            select(RoleGrant.person_id).where(RoleGrant.role.in_((Role.PRACTITIONER, Role.LEARNER)))
            .group_by(RoleGrant.person_id).having(func.count(RoleGrant.role.distinct()) == 2)
        ).all()
    assert len(both) >= 5


def test_those_who_meet_often_have_engagements_of_every_sort(demo: Engine) -> None:
    """In tutoring and coaching: without agreed hours, nearly used up, with hours to spare, and retired."""
    with reading(demo, THE_PORTAL, now=NOON) as work:
        kinds = {*work.tx.scalars(select(Programme.kind).join(Engagement, Engagement.programme_id == Programme.id))}
        assert kinds == {Kind.TUTORING, Kind.COACHING}
        for programme in work.tx.scalars(select(Engagement.programme_id).distinct()):
            rows = engagement_page(work, programme, retired=True).rows
            rows += engagement_page(work, programme, retired=True, number=2).rows
            sorts = Counter("retired" if each.retired else "open" if each.hours.left is None else
                            "nearly used up" if each.hours.left <= 300 else "to spare" for each in rows)
            assert len(sorts) == 4, sorts
            assert min(sorts.values()) >= 3, sorts
            assert all(each.hours.left is None or each.hours.left >= 0 for each in rows)
            assert sum(each.hours.used > 0 for each in rows) > 0.9 * len(rows)
            assert any(each.hours.booked for each in rows)


def engagements_hold(engine: Engine) -> None:
    """A session counts towards one of just those who meet in it, within its days; every one has sessions."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(Session.id, Session.starts_at, Session.practitioner_id, Session.programme_id,
                   Participation.learner_id, Engagement)
            .join(Engagement, Engagement.id == Session.engagement_id)
            .join(Participation, Participation.session_id == Session.id)).all()
        ids = {*connection.scalars(select(Engagement.id))}
    assert len({row.id for row in rows}) == len(rows) > len(ids)
    assert {row.id_1 for row in rows} == ids
    for row in rows:
        assert (row.practitioner_id, row.learner_id, row.programme_id) == (
            row.practitioner_id_1, row.learner_id_1, row.programme_id_1)
        assert row.starts_at is not None
        assert row.from_day <= row.starts_at.date() + timedelta(days=1)
        assert row.until_day is None or row.starts_at.date() <= row.until_day + timedelta(days=1)
        assert (row.until_day is None) == (row.retired_at is None)


@pytest.mark.parametrize("day", range(7))
def test_toms_series_with_sara_leaves_hours_of_theirs(databases: Databases, day: int) -> None:
    """Whatever weekday it is, what is booked on top counts, and is within what they agreed on."""
    engine, today = databases.clean("sqlite"), TODAY + timedelta(days=day)
    build(engine, sessions=SMALL, today=today)
    people = {each.name.split()[0]: each.person_id for each in demo_accounts(engine)}

    def theirs() -> tuple[int, int]:
        with reading(engine, people["Tom"], now=NOON) as work:
            tutoring = next(p.id for p in my_programmes(work) if work.actor.holds(p.id, Role.PRACTITIONER))
            found, = [each for each in engagements_of(work, tutoring, people["Sara"])
                      if each.practitioner_id == people["Tom"]]
            assert found.hours.left is not None
            return found.hours.booked, found.hours.left

    before = theirs()
    book_the_example(engine, today)
    after = theirs()
    databases.drop(engine)
    assert after[0] > before[0]
    assert 0 < after[1] < before[1]


def test_a_demo_is_not_put_among_people(demo: Engine) -> None:
    with pytest.raises(Invalid, match="people in it already"):
        build(demo, today=TODAY)


def schema_of(engine: Engine) -> list[tuple[str, ...]]:
    asked = {
        "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2",
        "postgresql": (
            "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT 'trigger', tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid)"
            " FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
        ),
    }
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(asked[engine.dialect.name]))]


@pytest.fixture
def at_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is otherwise done from 20,000 sessions on is done for a few."""
    for name in ("build", "world"):
        monkeypatch.setattr(sys.modules[f"core.demo.{name}"], "AT_SCALE", SCALE)


@pytest.mark.parametrize("sessions", [SMALL, SCALE])
@pytest.mark.usefixtures("at_scale")
def test_the_data_holds_and_the_guards_are_on(engine: Engine, sessions: int) -> None:
    """X2, X5: through the guards, and at scale before they are put on."""
    before = schema_of(engine)
    build(engine, sessions=sessions, today=TODAY)
    assert schema_of(engine) == before
    engagements_hold(engine)
    with engine.connect() as connection:
        assert load.problems(connection) == []
        assert connection.scalar(select(func.count()).select_from(Session)) == sessions
        connection.rollback()
        with pytest.raises(IntegrityError, match="portal: "):
            connection.execute(text("UPDATE session SET number = number + 1000000 WHERE id = 1"))
        connection.rollback()
        with pytest.raises(IntegrityError):
            connection.execute(text("UPDATE occupancy SET ends_at = starts_at"))
        connection.rollback()
    with reading(engine, demo_accounts(engine)[0].person_id, now=NOON) as work:
        assert any(session_count(work, each.id, Filters(text="evidence review")) for each in my_programmes(work))
    the_ledger_holds(engine)


def the_ledger_holds(engine: Engine) -> None:
    """X4: what was filled in is what settling says, the totals are those of the lines, and whole months are closed."""
    with reading(engine, THE_PORTAL, now=NOON) as work:
        recorded = list(work.tx.scalars(select(Participation.session_id).where(Participation.outcome.is_not(None))))
        programmes = set(work.tx.scalars(select(LedgerLine.programme_id)))
        assert len(programmes) == 4
        for by in TotalOf:
            assert sums(work, programmes, by) == recomputed(work, programmes, by) != []
        for programme in programmes:
            days = list(work.tx.scalars(
                select(Period.until_day).where(Period.programme_id == programme).order_by(Period.until_day)))
            assert all((day + timedelta(days=1)).day == 1 for day in days)
            assert len(days) >= 2
            assert max(days) < TODAY - timedelta(days=TODAY.day)  # the last whole month is left to be closed
    assert commit(engine, THE_PORTAL, settle, recorded[::len(recorded) // 1_000]).result == 0


def test_there_is_money_of_every_sort(demo: Engine) -> None:
    """Rates of both units and sides, one that was raised; documents of every kind, some overdue, some paid in part."""
    with reading(demo, THE_PORTAL, now=NOON) as work:
        tx = work.tx
        assert {*tx.execute(select(Rate.side, Rate.unit))} == {(side, unit) for side in Side for unit in RateUnit}
        assert min(tx.execute(select(*(func.count(getattr(Rate, name)) for name in (
            "course_id", "type", "practitioner_id", "engagement_id", "until_day")))).one()) > 0
        assert tx.scalar(select(func.count()).select_from(OutcomeMatrix)) == 2
        documents = Counter(tx.scalars(select(Document.kind)))
        assert documents.keys() == {*DocumentKind}
        paid = select(func.coalesce(func.sum(Payment.amount), 0)).where(
            Payment.document_id == Document.id).scalar_subquery()
        open_ = tx.execute(select(Document.gross, paid).where(
            Document.kind == DocumentKind.INVOICE, Document.gross > paid, Document.due_on < TODAY)).all()
        assert 0 < len(open_) < documents[DocumentKind.INVOICE] / 4
        assert any(row[1] > 0 for row in open_)
        reversals = tx.scalars(select(LedgerLine.reason).where(LedgerLine.reverses_id.is_not(None))).all()
        assert len(reversals) >= 6
        assert all(reversals)
        assert tx.scalar(select(LedgerLine.id).where(
            LedgerLine.kind == LineKind.CHARGE, LedgerLine.payer_id.is_(None)).limit(1))
        notes = tx.execute(select(Note.author_id, Session.practitioner_id).join(
            Session, Session.id == Note.session_id).where(Note.kind == NoteKind.SHARED)).all()
        assert len(notes) > 2_000
        assert all(author == leads for author, leads in notes)
        assert {*tx.scalars(select(Dispute.answered_at.is_(None)))} == {True, False}
        for programme in my_programmes(work):
            asked = select(Participation.waited_minutes).join(Session, Session.id == Participation.session_id).where(
                Session.programme_id == programme.id, Participation.outcome == Outcome.MISSED)
            wait = programme.policy.missed_wait
            assert all((minutes or 0) >= wait for minutes in tx.scalars(asked))
        tutoring = next(each for each in my_programmes(work) if each.policy.notes_required)
        held = lines(work, tutoring.id, LineFilters(only_held=True))
        assert held.total > 0


@pytest.mark.usefixtures("at_scale")
def test_at_scale_nothing_is_left_when_it_fails(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody ever finds a database without its guards."""
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(load, "derive", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        build(engine, sessions=SCALE, today=TODAY)
    monkeypatch.undo()
    with engine.connect() as connection:
        assert connection.scalar(select(Person.id)) is None
        connection.rollback()
        with pytest.raises(IntegrityError, match="portal: "):
            connection.execute(insert(Person).values(name="Zed", created_at=NOON))

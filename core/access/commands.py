"""Sign in and out, invite, set a password, switch an account off.

What changes how a person stands goes through `commit` and so is in history. Sign-ins and their attempts are not acts,
and secrets never reach history: whoever makes a link brings its token along, and keeps it.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, insert, or_, select, text, update

from core.access import rules
from core.access.rules import TooSoon
from core.errors import Invalid, NotAllowed, NotFound
from core.permissions import Action, Case, allows, may
from core.programmes.rules import PRESETS, WhoBooks
from core.work import Actor, Saved, Work, commit, load_actor
from db.engine import reading, writing
from db.models.access import Account, Installation, OneTimeLink, SignIn, SignInAttempt
from db.models.history import Change
from db.models.notices import Notice
from db.models.people import Person, Relation
from db.models.programmes import Programme, RoleGrant
from db.words import Kind, LinkPurpose, Role

RUNS_A_PROGRAMME = frozenset({
    Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.CURRICULUM_MANAGER, Role.CUSTOM_MANAGER, Role.INSIGHT_VIEWER,
})
"""Whoever holds one of these in a programme is looked after by its master admins alone."""


# Signing in and out ------------------------------------------------------------------------------------------------


def sign_in(
    engine: Engine, email: str, password: str, *, address: str, browser: str, now: datetime,
    known: str | None = None, lasts: timedelta = timedelta(days=14),
) -> str:
    """A new token for a browser. Raises NotAllowed (one sentence, whatever was wrong) and TooSoon.

    `known` is a token that this browser held before: whoever guesses from elsewhere cannot slow its owner down.
    """
    email = rules.typed_email(email)
    person = _by_email(engine, email)
    counter = _counter(engine, email, person, known)
    attempt = _begin_attempt(engine, counter, address, now, own=counter.startswith("known"))
    right = rules.is_password(password, person.password_hash if person else None)
    if not right or person is None or person.disabled_at is not None:
        raise NotAllowed(rules.REFUSED)
    with writing(engine) as connection:
        connection.execute(
            delete(SignInAttempt).where(
                or_(SignInAttempt.id == attempt, SignInAttempt.account_hash == rules.digest(counter))
            )
        )
        if rules.is_outdated(person.password_hash):
            connection.execute(
                update(Account).where(Account.person_id == person.id)
                .values(password_hash=rules.hash_password(password))
            )
        return _begin(connection, person.id, browser, now, lasts)


def begin_sign_in(
    engine: Engine, person_id: int, *, browser: str, now: datetime, lasts: timedelta = timedelta(days=14)
) -> str:
    """A token for somebody whose identity is beyond doubt: they used a link, or the portal is a demo."""
    with writing(engine) as connection:
        return _begin(connection, person_id, browser, now, lasts)


def sign_out(engine: Engine, token: str, now: datetime) -> None:
    """End the one sign-in behind this token."""
    with writing(engine) as connection:
        connection.execute(
            update(SignIn).where(SignIn.token_hash == rules.digest(token), SignIn.ended_at.is_(None))
            .values(ended_at=now)
        )


def end_sign_in(engine: Engine, sign_in_id: int, now: datetime) -> None:
    """The same for a sign-in known by its id."""
    with writing(engine) as connection:
        connection.execute(
            update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now)
        )


def may_ask(engine: Engine, email: str, address: str, now: datetime) -> None:
    """Count one request for a password link. Raises TooSoon."""
    _begin_attempt(engine, f"asks {rules.typed_email(email)}", f"asks {rules.place(address)}", now)


def use_link(
    engine: Engine, token: str, password: str, *, browser: str, now: datetime, lasts: timedelta = timedelta(days=14)
) -> str:
    """Set a password by a single-use link and sign in; every other sign-in ends. Raises Invalid, NotFound."""
    with reading(engine) as connection:
        person = connection.execute(
            select(Person.id, Person.name, Person.email)
            .join(OneTimeLink, OneTimeLink.person_id == Person.id)
            .where(_link_works(rules.digest(token), now), Person.disabled_at.is_(None))
        ).one_or_none()
    if person is None:
        raise NotFound(rules.USED_UP)
    if problem := rules.password_problem(password, person.name, person.email):
        raise Invalid({"password": problem})
    commit(
        engine, person.id, set_password_by_link, rules.digest(token), rules.hash_password(password),
        source="sign-in", now=now,
    )
    return begin_sign_in(engine, person.id, browser=browser, now=now, lasts=lasts)


def change_password(engine: Engine, person_id: int, old: str, new: str, *, keep: int, now: datetime) -> Saved:
    """Choose a new password by the old one; every sign-in but `keep` ends. Raises Invalid, TooSoon."""
    with reading(engine) as connection:
        person = connection.execute(
            select(Person.name, Person.email, Account.password_hash)
            .outerjoin(Account, Account.person_id == Person.id).where(Person.id == person_id)
        ).one()
    if problem := rules.password_problem(new, person.name, person.email):
        raise Invalid({"new": problem})
    attempt = _begin_attempt(engine, f"own {person_id}", f"own {person_id}", now, own=True)
    if not rules.is_password(old, person.password_hash):
        raise Invalid({"old": "This is not your password."})
    with writing(engine) as connection:
        connection.execute(delete(SignInAttempt).where(SignInAttempt.id == attempt))
    return commit(engine, person_id, set_own_password, rules.hash_password(new), keep, now=now)


# Acts --------------------------------------------------------------------------------------------------------------


def set_password_by_link(work: Work, token_hash: str, password_hash: str) -> int:
    """Use a link up for a new password (given hashed) and end every sign-in. Raises NotFound for a used or old one."""
    person_id: int | None = work.tx.scalar(
        update(OneTimeLink).where(_link_works(token_hash, work.now)).values(used_at=work.now)
        .returning(OneTimeLink.person_id)
    )
    if person_id is None or person_id != work.me:
        raise NotFound(rules.USED_UP)
    _set_password(work, person_id, password_hash)
    _end_all(work, [person_id])
    _void_links(work, [person_id])
    work.say("Chose a password.")
    return person_id


def set_own_password(work: Work, password_hash: str, keep: int) -> int:
    """Take a new password (given hashed, the old one proved) and end every sign-in but one."""
    _set_password(work, work.me, password_hash)
    work.tx.execute(
        update(SignIn).where(SignIn.person_id == work.me, SignIn.id != keep, SignIn.ended_at.is_(None))
        .values(ended_at=work.now)
    )
    _void_links(work, [work.me])
    work.say("Changed your password, and signed you out everywhere else.")
    return work.me


def invite(work: Work, tokens: Mapping[int, str]) -> list[int]:
    """Single-use links by which these people (id: token) choose their first password; earlier links stop working.

    Raises NotFound, NotAllowed, Invalid for somebody without an e-mail address or switched off.
    """
    people = let_in(work, list(tokens))
    return _make_links(work, people, tokens, LinkPurpose.INVITATION)


def make_password_link(work: Work, tokens: Mapping[int, str]) -> list[int]:
    """The same for people who have forgotten their password. Raises NotFound, NotAllowed, Invalid."""
    people = let_in(work, list(tokens))
    return _make_links(work, people, tokens, LinkPurpose.PASSWORD)


def sign_out_everywhere(work: Work, person_ids: Sequence[int]) -> list[int]:
    """End every sign-in of these people: one's own, or theirs whose account one looks after.

    Raises NotFound, NotAllowed.
    """
    others = [person_id for person_id in person_ids if person_id != work.actor.person_id]
    people = looked_after(work, others, Action.PERSON_DISABLE)
    _end_all(work, person_ids)
    names = [person.name for person in people] + ([work.actor.name] if len(others) < len(person_ids) else [])
    work.say(f"Signed {_named(names)} out everywhere.")
    return list(person_ids)


def disable(work: Work, person_ids: Sequence[int]) -> list[int]:
    """Switch accounts off: their people are signed out and cannot come in. Raises NotFound, NotAllowed, Invalid."""
    if work.actor.person_id in person_ids:
        raise Invalid({"person": "You cannot switch your own account off."})
    people = looked_after(work, person_ids, Action.PERSON_DISABLE)
    work.tx.execute(
        update(Person).where(Person.id.in_(person_ids), Person.disabled_at.is_(None))
        .values(disabled_at=work.now, version=Person.version + 1)
    )
    _end_all(work, person_ids)
    _void_links(work, person_ids)
    work.say(f"Switched off: {_named([person.name for person in people])}.")
    return list(person_ids)


def enable(work: Work, person_ids: Sequence[int]) -> list[int]:
    """Switch accounts on again; their people sign in afresh. Raises NotFound, NotAllowed."""
    people = looked_after(work, person_ids, Action.PERSON_DISABLE)
    work.tx.execute(
        update(Person).where(Person.id.in_(person_ids), Person.disabled_at.is_not(None))
        .values(disabled_at=None, version=Person.version + 1)
    )
    work.say(f"Switched on: {_named([person.name for person in people])}.")
    return list(person_ids)


def request_password(work: Work, email: str) -> None:
    """Tell those who look after this account that its owner asks for a new password. Says nothing to the one asking.

    Once a day is enough: a request that an admin has not read yet is not repeated.
    """
    work.say("Asked for a new password.")
    person = work.tx.execute(
        select(Person.id, Person.name)
        .where(func.lower(Person.email) == func.lower(rules.typed_email(email)), Person.disabled_at.is_(None))
    ).first()
    if person is None:
        return
    said = f"{person.name} asks for a new password. Make a link on their page and hand it over."
    for admin_id, programme_id in _who_lets_in(work, person.id):
        known = work.tx.scalar(
            select(Notice.id).where(
                Notice.person_id == admin_id, Notice.read_at.is_(None), Notice.text == said,
                Notice.created_at > work.now - timedelta(days=1),
            ).limit(1)
        )
        if known is None:
            work.tx.add(Notice(
                person_id=admin_id, programme_id=programme_id, text=said, created_at=work.now,
                change_set_id=work.act_id,
            ))


def set_up(work: Work, name: str, email: str, password_hash: str | None, programme: str, kind: Kind, zone: str,
           currency: str) -> int:
    """The first administrator of an empty installation, with a first programme. Raises Invalid where it is not empty.

    Only the terminal may do this.
    """
    if not work.actor.everything:
        raise NotAllowed("Only the terminal can set the portal up.")
    if work.tx.scalar(select(Person.id).limit(1)) is not None:
        raise Invalid({"database": "This portal has people already. Ask one of its admins for an invitation."})
    person = Person(name=name, email=rules.typed_email(email), zone=zone, created_at=work.now)
    first = Programme(
        name=programme, kind=kind, zone=zone, currency=currency, policy=PRESETS[kind].stored(), created_at=work.now
    )
    work.tx.add_all([person, first])
    work.tx.flush()
    work.tx.add(RoleGrant(programme_id=first.id, person_id=person.id, role=Role.MASTER_ADMIN))
    if password_hash:
        _set_password(work, person.id, password_hash)
    work.say(f"Set the portal up for {name}.")
    return person.id


def mark_as_demo(work: Work, person_ids: Sequence[int]) -> None:
    """Say of this database that everybody in it is made up, and whom one click may sign in as, in that order."""
    if not work.actor.everything:
        raise NotAllowed("Only the terminal can make a demo.")
    work.tx.add(Installation(key="demo", value=" ".join(map(str, person_ids))))


# Parts -------------------------------------------------------------------------------------------------------------


def _by_email(engine: Engine, email: str) -> Row[int, datetime | None, str | None] | None:
    with reading(engine) as connection:
        return connection.execute(
            select(Person.id, Person.disabled_at, Account.password_hash)
            .outerjoin(Account, Account.person_id == Person.id)
            .where(func.lower(Person.email) == func.lower(email)).order_by(Person.id).limit(1)
        ).one_or_none()


def _counter(engine: Engine, email: str, person: Row[int, datetime | None, str | None] | None,
             known: str | None) -> str:
    """Whose failures count: those of a browser that was signed in as this person before, or everybody's."""
    if known:
        with reading(engine) as connection:
            owner = connection.scalar(select(SignIn.person_id).where(SignIn.token_hash == rules.digest(known)))
        if owner is not None and person is not None and owner == person.id:
            return f"known {known}"
    return f"account {email}"


def _begin_attempt(engine: Engine, counter: str, address: str, now: datetime, own: bool = False) -> int:
    """Count a try before it is made, so that many at once gain nothing. Raises TooSoon, which is not counted."""
    account, place = rules.digest(counter), rules.digest(f"address {rules.place(address)}")
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # one try of an account, or from an address, at a time
            for lock in sorted(_lock_number(key) for key in (account, place)):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        connection.execute(delete(SignInAttempt).where(SignInAttempt.at < now - rules.COUNTED))
        waits = [_left(connection, SignInAttempt.account_hash == account, rules.wait_by_account, now)]
        if not own:
            waits.append(_left(connection, SignInAttempt.address_hash == place, rules.wait_by_address, now))
        if (wait := max(waits)) > 0:
            raise TooSoon(wait)
        return connection.execute(
            insert(SignInAttempt).values(account_hash=account, address_hash=place, at=now).returning(SignInAttempt.id)
        ).scalar_one()


def _left(connection: Connection, whose: ColumnElement[bool], wait: Callable[[int], timedelta], now: datetime) -> int:
    failures, last = connection.execute(select(func.count(), func.max(SignInAttempt.at)).where(whose)).one()
    return math.ceil((last + wait(failures) - now).total_seconds()) if failures else 0


def _lock_number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"sign-in {key}".encode()).digest()[:8], signed=True)


def _begin(connection: Connection, person_id: int, browser: str, now: datetime, lasts: timedelta) -> str:
    token = rules.new_token()
    connection.execute(
        insert(SignIn).values(
            person_id=person_id, token_hash=rules.digest(token), created_at=now, expires_at=now + lasts,
            browser=browser.replace("\0", "")[:200],
        )
    )
    return token


def _link_works(token_hash: str, now: datetime) -> ColumnElement[bool]:
    return and_(OneTimeLink.token_hash == token_hash, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now)


def _set_password(work: Work, person_id: int, password_hash: str) -> None:
    account = work.tx.get(Account, person_id) or Account(person_id=person_id)
    account.password_hash, account.changed_at = password_hash, work.now
    work.tx.add(account)


def _end_all(work: Work, person_ids: Sequence[int]) -> None:
    work.tx.execute(
        update(SignIn).where(SignIn.person_id.in_(person_ids), SignIn.ended_at.is_(None)).values(ended_at=work.now)
    )


def _void_links(work: Work, person_ids: Sequence[int]) -> None:
    work.tx.execute(
        update(OneTimeLink).where(OneTimeLink.person_id.in_(person_ids), OneTimeLink.used_at.is_(None))
        .values(used_at=work.now)
    )


def _make_links(work: Work, people: Sequence[Person], tokens: Mapping[int, str], purpose: LinkPurpose) -> list[int]:
    for number, person in enumerate(people):
        if not person.email:
            raise Invalid({"email": f"{person.name} has no e-mail address to sign in with. Add one first."}, number)
        if person.disabled_at is not None:
            raise Invalid({"person": f"{person.name}'s account is switched off. Switch it on first."}, number)
    lasts = rules.INVITATION_LASTS if purpose is LinkPurpose.INVITATION else rules.PASSWORD_LINK_LASTS
    _void_links(work, list(tokens))
    work.tx.add_all([
        OneTimeLink(
            person_id=person.id, purpose=purpose, token_hash=rules.digest(tokens[person.id]), created_at=work.now,
            created_by=work.actor.person_id, expires_at=work.now + lasts,
        )
        for person in people
    ])
    names = _named([person.name for person in people])
    work.say(f"Invited {names}." if purpose is LinkPurpose.INVITATION else f"Made a password link for {names}.")
    return [person.id for person in people]


def _named(names: Sequence[str]) -> str:
    first = ", ".join(names[:5])
    return first if len(names) <= 5 else f"{first} and {len(names) - 5} more"


Standing = dict[int, set[Role]]
"""The programmes that a person has to do with, and as what."""


def _standings(work: Work, person_ids: Collection[int]) -> dict[int, Standing]:
    found: dict[int, Standing] = {person_id: {} for person_id in person_ids}
    for person_id, programme_id, role in work.tx.execute(
        select(RoleGrant.person_id, RoleGrant.programme_id, RoleGrant.role).where(RoleGrant.person_id.in_(person_ids))
    ):
        found[person_id].setdefault(programme_id, set()).add(role)
    for tied in (Relation.adult_id, Relation.learner_id):
        for person_id, programme_id in work.tx.execute(
            select(tied, Relation.programme_id).where(tied.in_(person_ids)).distinct()
        ):
            found[person_id].setdefault(programme_id, set())
    return found


def _last_standing(work: Work, person_id: int) -> Standing:
    """What somebody with nothing left had to do with last, by history: with the act that took it, all that it took."""
    of_person = or_(*(Change.before[column].as_integer() == person_id
                      for column in ("person_id", "adult_id", "learner_id")))
    last: Standing = {}
    act_id = None
    for change in work.tx.execute(
        select(Change.change_set_id, Change.before)
        .where(Change.table_name.in_(("role_grant", "relation")), Change.after.is_(None), of_person)
        .order_by(Change.id.desc())
    ):
        act_id = act_id or change.change_set_id
        if change.change_set_id != act_id:
            break
        roles = last.setdefault(change.before["programme_id"], set())
        if "role" in change.before:
            roles.add(Role(change.before["role"]))
    return last


def lately_left(work: Work, person_ids: Collection[int]) -> list[int]:
    """Those of these people who have nothing left to do with any programme, and were last in one that the actor runs.

    What was taken by mistake can so be given back.
    """
    if not any(may(work, Action.PEOPLE_EDIT, programme_id) for programme_id in work.actor.roles):
        return []
    found = []
    for person_id in (id_ for id_, standing in _standings(work, person_ids).items() if not standing):
        last = _last_standing(work, person_id)
        if last and all(_runs(work.actor, id_, roles, Action.PEOPLE_EDIT) for id_, roles in last.items()):
            found.append(person_id)
    return found


def run_by_actor(work: Work, person_ids: Collection[int], action: Action) -> set[int]:
    """Those of these people who are in programmes of the actor alone, as far as this goes: see `looked_after`."""
    if work.actor.everything:
        return set(person_ids)
    return {
        person_id for person_id, standing in _standings(work, person_ids).items()
        if standing and all(_runs(work.actor, id_, roles, action) for id_, roles in standing.items())
    }


def _runs(actor: Actor, programme_id: int, roles: set[Role], action: Action) -> bool:
    if not roles.isdisjoint(RUNS_A_PROGRAMME) and not actor.everything:
        return actor.holds(programme_id, Role.MASTER_ADMIN)
    ticked = actor.ticked.get(programme_id, frozenset())
    return allows(actor, action, Case(programme_id, WhoBooks.STAFF, ticked=ticked))


def looked_after(work: Work, person_ids: Sequence[int], action: Action) -> list[Person]:
    """These people, if the actor may do this to their accounts. Raises NotFound, NotAllowed.

    An account opens every programme that its owner has to do with, so the actor has to run all of them; and whoever
    runs one is looked after by its master admins alone. Who has left everything is looked after where they were last.
    """
    people = {person.id: person for person in work.tx.scalars(select(Person).where(Person.id.in_(person_ids)))}
    standings = _standings(work, people)
    gone = {id_: _last_standing(work, id_) for id_, standing in standings.items() if not standing}
    standings.update(gone)
    for person_id in person_ids:
        if person_id not in people:
            raise NotFound
        name, standing = people[person_id].name, standings[person_id]
        if work.actor.everything:
            continue
        if standing.keys().isdisjoint(work.actor.roles):
            raise NotFound
        runs = [_runs(work.actor, programme_id, roles, action) for programme_id, roles in standing.items()]
        if person_id in gone and not all(runs):
            raise NotFound
        if not any(runs):
            raise NotAllowed(f"You may not {action} here, or not {name}: ask a master admin.")
        if not all(runs):
            raise NotAllowed(
                f"{name} also takes part where you do not run things, so their account is not yours to change."
                " Ask somebody who runs all of it."
            )
    return [people[person_id] for person_id in person_ids]


def let_in(work: Work, person_ids: Sequence[int]) -> list[Person]:
    """These people, if the actor may make links for them. Raises NotFound, NotAllowed.

    Besides those who look after them: of somebody whom nobody does, the master admins of where they were first.
    """
    run = run_by_actor(work, person_ids, Action.PERSON_INVITE)
    looked_after(work, [
        person_id for person_id in person_ids if person_id not in run
        and work.actor.person_id not in {admin_id for admin_id, _ in _who_lets_in(work, person_id)}
    ], Action.PERSON_INVITE)
    people = {person.id: person for person in work.tx.scalars(select(Person).where(Person.id.in_(person_ids)))}
    return [people[person_id] for person_id in person_ids]


def _who_lets_in(work: Work, person_id: int) -> list[tuple[int | None, int]]:
    """Those who may make a link for this person, each with a programme in which they meet.

    Somebody in programmes that nobody runs alike is not shut out for good: the master admins of where they were first
    see to it. Whoever adds them to another programme so does not come by their account, nor does anybody by the
    account of those who run a programme of others.
    """
    standing = _standings(work, [person_id])[person_id]
    staff = [load_actor(work.tx, admin_id) for admin_id in work.tx.scalars(
        select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.programme_id.in_(standing), RoleGrant.role.in_(RUNS_A_PROGRAMME), Person.disabled_at.is_(None),
            RoleGrant.person_id != person_id,
        ).distinct()
    ).all()]
    if alone := [admin for admin in staff if all(
        _runs(admin, programme_id, roles, Action.PERSON_INVITE) for programme_id, roles in standing.items()
    )]:
        return [(admin.person_id, min(standing)) for admin in alone]
    first = work.tx.scalar(
        select(RoleGrant.programme_id).where(RoleGrant.person_id == person_id).order_by(RoleGrant.id).limit(1))
    if first is None:
        return []
    theirs = {first, *(programme_id for programme_id, roles in standing.items() if roles & RUNS_A_PROGRAMME)}
    return [(admin.person_id, first) for admin in staff
            if all(admin.holds(programme_id, Role.MASTER_ADMIN) for programme_id in theirs)]

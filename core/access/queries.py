"""Who is behind a token, and what a link is good for. Each one is a single indexed look-up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Select, func, select

from core.access import rules
from core.work import Work
from db.engine import reading
from db.models.access import Account, Installation, OneTimeLink, SignIn
from db.models.people import Person
from db.words import LinkPurpose


@dataclass(frozen=True)
class SignedIn:
    """One browser that somebody is signed in with."""

    sign_in_id: int
    person_id: int


@dataclass(frozen=True)
class OpenLink:
    """A single-use link that still works."""

    person_id: int
    name: str
    email: str
    purpose: LinkPurpose


@dataclass(frozen=True)
class Standing:
    """How a person's account stands, for those who look after it."""

    has_password: bool
    disabled_at: datetime | None
    signed_in: int
    open_link: LinkPurpose | None
    open_link_until: datetime | None


@dataclass(frozen=True)
class Browser:
    """One browser that the viewer is signed in with; `agent` is what it says of itself."""

    sign_in_id: int
    agent: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class DemoAccount:
    """Somebody made up, whom one click signs in as."""

    person_id: int
    name: str
    email: str
    about: str


def _standing_sign_ins(now: datetime) -> Select[int, int]:
    return (
        select(SignIn.id, SignIn.person_id)
        .join(Person, Person.id == SignIn.person_id)
        .where(SignIn.ended_at.is_(None), SignIn.expires_at > now, Person.disabled_at.is_(None))
    )


def signed_in(engine: Engine, token: str, now: datetime) -> SignedIn | None:
    """Whom a browser's token stands for; None where it has expired or ended, or the person is switched off."""
    with reading(engine) as connection:
        row = connection.execute(_standing_sign_ins(now).where(SignIn.token_hash == rules.digest(token))).one_or_none()
    return SignedIn(row.id, row.person_id) if row else None


def who_is(engine: Engine, token: str, now: datetime) -> int | None:
    """The person behind a browser's token, or None."""
    known = signed_in(engine, token, now)
    return known.person_id if known else None


def still_signed_in(engine: Engine, sign_in_ids: Collection[int], now: datetime) -> dict[int, int]:
    """Those of these sign-ins that still hold, each with its person."""
    ids, found = sorted(sign_in_ids), {}
    with reading(engine) as connection:
        for start in range(0, len(ids), 500):
            rows = connection.execute(_standing_sign_ins(now).where(SignIn.id.in_(ids[start : start + 500])))
            found.update({row.id: row.person_id for row in rows})
    return found


def open_link(engine: Engine, token: str, now: datetime) -> OpenLink | None:
    """What a single-use link is good for; None once it is used or too old. Looking does not use it."""
    with reading(engine) as connection:
        row = connection.execute(
            select(Person.id, Person.name, Person.email, OneTimeLink.purpose)
            .join(OneTimeLink, OneTimeLink.person_id == Person.id)
            .where(
                OneTimeLink.token_hash == rules.digest(token), OneTimeLink.used_at.is_(None),
                OneTimeLink.expires_at > now, Person.disabled_at.is_(None),
            )
        ).one_or_none()
    return OpenLink(row.id, row.name, row.email or "", row.purpose) if row else None


def is_known(engine: Engine, email: str) -> bool:
    """Whether somebody who may come in has this address: asked before an act is opened, and never told."""
    with reading(engine) as connection:
        return connection.scalar(select(Person.id).where(
            func.lower(Person.email) == func.lower(rules.typed_email(email)), Person.disabled_at.is_(None)).limit(1)
        ) is not None


def is_demo(engine: Engine) -> bool:
    """Whether the database says of itself that everybody in it is made up."""
    with reading(engine) as connection:
        return connection.scalar(select(Installation.value).where(Installation.key == "demo")) is not None


def demo_accounts(engine: Engine) -> list[DemoAccount]:
    """Whom the demo offers for one click, in its own order: the marker names them. Empty on any other database."""
    with reading(engine) as connection:
        named = connection.scalar(select(Installation.value).where(Installation.key == "demo"))
        if named is None:
            return []
        ids = [int(word) for word in named.split() if word.isdecimal()]
        rows = connection.execute(
            select(Person.id, Person.name, Person.email, Person.about)
            .where(Person.id.in_(ids), Person.disabled_at.is_(None))
        ).all()
    found = {row.id: DemoAccount(row.id, row.name, row.email or "", row.about or "") for row in rows}
    return [found[number] for number in ids if number in found]


def has_people(engine: Engine) -> bool:
    """Whether anybody is known here yet."""
    with reading(engine) as connection:
        return connection.scalar(select(Person.id).limit(1)) is not None


def person_by_email(engine: Engine, email: str) -> int | None:
    """Whose e-mail address this is. For the terminal: on the way in, nobody is told."""
    known = select(Person.id).where(func.lower(Person.email) == func.lower(email.strip())).limit(1)
    with reading(engine) as connection:
        return connection.scalar(known)


def standing(work: Work, person_id: int) -> Standing:
    """How this person's account stands. Whoever asks has been allowed to see the person."""
    row = work.tx.execute(
        select(
            Account.password_hash, Person.disabled_at,
            select(func.count()).select_from(SignIn).where(
                SignIn.person_id == Person.id, SignIn.ended_at.is_(None), SignIn.expires_at > work.now
            ).scalar_subquery(),
        )
        .select_from(Person).outerjoin(Account, Account.person_id == Person.id).where(Person.id == person_id)
    ).one()
    link = work.tx.execute(
        select(OneTimeLink.purpose, OneTimeLink.expires_at)
        .where(OneTimeLink.person_id == person_id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > work.now)
        .order_by(OneTimeLink.id.desc()).limit(1)
    ).one_or_none()
    return Standing(
        row[0] is not None, row[1], row[2], link.purpose if link else None, link.expires_at if link else None
    )


def my_sign_ins(work: Work, *, most: int = 20) -> list[Browser]:
    """Where the viewer is signed in, latest first."""
    rows = work.tx.execute(
        select(SignIn.id, SignIn.browser, SignIn.created_at, SignIn.expires_at)
        .where(SignIn.person_id == work.me, SignIn.ended_at.is_(None), SignIn.expires_at > work.now)
        .order_by(SignIn.id.desc()).limit(most)
    )
    return [Browser(row.id, row.browser or "", row.created_at, row.expires_at) for row in rows]

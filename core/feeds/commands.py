"""Make a calendar address, and end one. The token comes along from whoever asked, who alone keeps it."""

from sqlalchemy import select, update

from core.access.rules import digest
from core.errors import NotFound
from core.feeds.queries import require_timetable
from core.sessions.rules import is_id
from core.work import Work
from db.models.feeds import Feed
from db.models.people import Person


def make_address(work: Work, token: str, timetable_id: int | None = None) -> int:
    """A new address of one's own sessions, or of a timetable's; the one before stops working at once.

    Raises NotFound for a timetable that does not exist for the actor.
    """
    if timetable_id is not None:
        require_timetable(work, timetable_id)
    if not work.on_sqlite:  # two at once would each miss the other's
        work.tx.execute(select(Person.id).where(Person.id == work.me).with_for_update(key_share=True))
    ended = work.tx.scalars(
        update(Feed).where(
            Feed.person_id == work.me, Feed.timetable_id.is_not_distinct_from(timetable_id), Feed.revoked_at.is_(None)
        ).values(revoked_at=work.now).returning(Feed.id)
    ).all()
    feed = Feed(person_id=work.me, timetable_id=timetable_id, token_hash=digest(token), made_at=work.now)
    work.tx.add(feed)
    work.tx.flush()
    work.say(f"Made a calendar address.{' The one before has stopped working.' if ended else ''}")
    return feed.id


def revoke_address(work: Work, feed_id: int) -> int:
    """End one of one's own addresses: whoever asks there finds nothing from now on. Raises NotFound."""
    ended = None if not is_id(feed_id) else work.tx.scalar(
        update(Feed).where(Feed.id == feed_id, Feed.person_id == work.me, Feed.revoked_at.is_(None))
        .values(revoked_at=work.now).returning(Feed.id)
    )
    if ended is None:
        raise NotFound
    work.say("Revoked the calendar address. It has stopped working.")
    return feed_id

"""What the portal told the viewer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.sessions.visible import facts_of
from core.work import Work
from db.models.notices import Notice


@dataclass(frozen=True)
class NoticeRow:
    """One notice. `session_id` is empty where there is none, or none any more."""

    id: int
    text: str
    created_at: datetime
    read: bool
    programme_id: int | None
    session_id: int | None


def unread_count(work: Work) -> int:
    """How many notices the viewer has not read; counts to 100 at most."""
    some = select(Notice.id).where(Notice.person_id == work.me, Notice.read_at.is_(None)).limit(100)
    return work.tx.scalar(select(func.count()).select_from(some.subquery())) or 0


def my_notices(work: Work, *, most: int = 20) -> list[NoticeRow]:
    """The viewer's latest notices, unread ones first."""
    rows = work.tx.scalars(
        select(Notice).where(Notice.person_id == work.me)
        .order_by(Notice.read_at.is_not(None), Notice.id.desc()).limit(most)
    ).all()
    there = {fact.id for fact in facts_of(work, [row.session_id for row in rows if row.session_id])}
    return [
        NoticeRow(row.id, row.text, row.created_at, row.read_at is not None, row.programme_id,
                  row.session_id if row.session_id in there else None)
        for row in rows
    ]

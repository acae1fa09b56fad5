"""What the portal told the viewer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select

from core.sessions.queries import Row, rows_of
from core.sessions.visible import visible_sessions
from core.work import Work
from db.models.notices import Notice
from db.models.sessions import Session

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class NoticeRow:
    """One notice. `session_id` is empty where there is none, or none any more; `session` is as the viewer sees it."""

    id: int
    text: str
    created_at: datetime
    read: bool
    programme_id: int | None
    session_id: int | None
    session: Row | None


def unread_count(work: Work) -> int:
    """How many notices the viewer has not read; counts to 100 at most."""
    some = _mine(work, Notice.id).where(Notice.read_at.is_(None)).limit(100)
    return work.tx.scalar(select(func.count()).select_from(some.subquery())) or 0


def my_notices(work: Work, *, most: int = 20) -> list[NoticeRow]:
    """The viewer's latest notices, unread ones first."""
    rows = work.tx.execute(
        _mine(work, Notice.id, Notice.text, Notice.created_at, Notice.read_at, Notice.programme_id, Session.id)
        .order_by(Notice.read_at.is_not(None), Notice.id.desc()).limit(most)
    ).all()
    sessions = {row.id: row for row in rows_of(work, sorted({row[-1] for row in rows if row[-1] is not None}))}
    return [NoticeRow(id_, said, at, read_at is not None, programme_id, session_id, sessions.get(session_id))
            for id_, said, at, read_at, programme_id, session_id in rows]


def _mine(work: Work, *columns: Any) -> Rows:
    """The viewer's notices, with their sessions; without those of what the viewer may not see any more (X6)."""
    programmes = work.actor.programmes()
    visible = [visible_sessions(work, programme_id) for programme_id in programmes]
    return (
        select(*columns).select_from(Notice).outerjoin(Session, Session.id == Notice.session_id).where(
            Notice.person_id == work.me,
            or_(Notice.programme_id.is_(None), Notice.programme_id.in_(programmes)),
            or_(Session.id.is_(None), *visible),
        )
    )

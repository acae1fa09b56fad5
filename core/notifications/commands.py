"""Queue notices in the act that they tell of (X7), and mark them read."""

from collections.abc import Iterable

from sqlalchemy import insert, update

from core.work import Work
from db.models.notices import Notice


def notify(work: Work, notices: Iterable[tuple[int | None, int, int | None, str]]) -> None:
    """Tell people: (person, programme, session, sentence) each. Nobody is told of their own act, nor the same twice."""
    rows = {
        (person, programme, session, said[:500]): None
        for person, programme, session, said in notices
        if person is not None and person != work.actor.person_id
    }
    if rows:
        work.tx.execute(insert(Notice), [
            {"person_id": person, "programme_id": programme, "session_id": session, "text": said,
             "created_at": work.now, "change_set_id": work.act_id}
            for person, programme, session, said in rows
        ])


def mark_read(work: Work, notice_ids: Iterable[int] | None = None) -> int:
    """Mark these notices of the actor (or, with none named, all) as read. Returns how many were not."""
    statement = update(Notice).where(Notice.person_id == work.me, Notice.read_at.is_(None)).values(read_at=work.now)
    if notice_ids is not None:
        statement = statement.where(Notice.id.in_(list(notice_ids)))
    done = work.tx.execute(statement.returning(Notice.id)).scalars().all()
    work.say("Marked as read.")
    return len(done)

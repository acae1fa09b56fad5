"""Queue notices in the act that they tell of (X7), and mark them read."""

from collections.abc import Iterable
from typing import cast

from sqlalchemy import Table, select, update

from core.work import Work
from db.among import among
from db.bulk import insert_many
from db.models.notices import Notice
from db.models.programmes import RoleGrant

NOTICES = cast(Table, Notice.__table__)


def notify(work: Work, notices: Iterable[tuple[int | None, int, int | None, str]]) -> None:
    """Tell people: (person, programme, session, sentence) each. Nobody is told of their own act, nor the same twice.

    Nor is anybody who holds no role in that programme any more.
    """
    rows = {
        (person, programme, session, said[:500]): None
        for person, programme, session, said in notices
        if person is not None and person != work.actor.person_id
    }
    here = _holders(work, {programme for _, programme, _, _ in rows}, {person for person, _, _, _ in rows})
    insert_many(work.tx.connection(), NOTICES, [
        {"person_id": person, "programme_id": programme, "session_id": session, "text": said,
         "created_at": work.now, "change_set_id": work.act_id}
        for person, programme, session, said in rows if (person, programme) in here
    ])


def _holders(work: Work, programmes: Iterable[int], people: Iterable[int]) -> set[tuple[int, int]]:
    """Who of these people holds a role in which of these programmes."""
    rows = work.tx.execute(
        select(RoleGrant.person_id, RoleGrant.programme_id).distinct().where(
            among(RoleGrant.person_id, people), RoleGrant.programme_id.in_(sorted(programmes))))
    return {(person, programme) for person, programme in rows}


def mark_read(work: Work, notice_ids: Iterable[int] | None = None) -> int:
    """Mark these notices of the actor (or, with none named, all) as read. Returns how many were not."""
    statement = update(Notice).where(Notice.person_id == work.me, Notice.read_at.is_(None)).values(read_at=work.now)
    if notice_ids is not None:
        statement = statement.where(Notice.id.in_(list(notice_ids)))
    done = work.tx.execute(statement.returning(Notice.id)).scalars().all()
    work.say("Marked as read.")
    return len(done)

"""The views that the viewer has kept."""

from dataclasses import dataclass

from sqlalchemy import func, select

from core.programmes.queries import programme_of
from core.work import Work
from db.models.notices import SavedView


@dataclass(frozen=True)
class View:
    """One saved view: what the list's address said when it was kept."""

    id: int
    name: str
    address: str


def saved_views(work: Work, programme_id: int, screen: str) -> list[View]:
    """The viewer's own views of one screen, by name. Raises NotFound for a foreign programme."""
    programme_of(work, programme_id)
    rows = work.tx.execute(
        select(SavedView.id, SavedView.name, SavedView.address)
        .where(SavedView.person_id == work.me, SavedView.programme_id == programme_id, SavedView.screen == screen)
        .order_by(func.lower(SavedView.name), SavedView.id)
    )
    return [View(*row) for row in rows]

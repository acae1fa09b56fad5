"""Keep a list's filters by name, and let go of them."""

from sqlalchemy import delete, func, select

from core.errors import Conflict, Invalid, NotFound
from core.fields import Checked
from core.programmes.queries import programme_of
from core.work import Work
from db.models.notices import SavedView

MOST_VIEWS = 50
"""On one screen, for one person."""


def save_view(work: Work, programme_id: int, screen: str, name: str, address: str) -> int:
    """Keep a list as it stands; one of the same name is replaced. Raises NotFound, Invalid, Conflict."""
    programme_of(work, programme_id)
    checked = Checked()
    checked.line("name", name, 60, "Give the view a name.")
    checked.line("address", address, 4000)
    checked.line("screen", screen, 40, "Say which screen it is for.")
    if checked.problems:
        raise Invalid(checked.problems)
    mine = (SavedView.person_id == work.me, SavedView.programme_id == programme_id,
            SavedView.screen == checked.values["screen"])
    view = work.tx.scalar(select(SavedView).where(*mine, SavedView.name == checked.values["name"]))
    if view is None:
        if (work.tx.scalar(select(func.count()).select_from(SavedView).where(*mine)) or 0) >= MOST_VIEWS:
            raise Conflict(f"You have {MOST_VIEWS} views here already. Delete one first.")
        view = SavedView(person_id=work.me, programme_id=programme_id, screen=checked.values["screen"],
                         name=checked.values["name"], address="")
        work.tx.add(view)
    view.address = checked.values["address"] or ""
    work.tx.flush()
    work.say(f"Saved the view “{view.name}”.")
    return view.id


def delete_view(work: Work, view_id: int) -> int:
    """Let go of one's own view. Raises NotFound."""
    name = work.tx.scalar(
        delete(SavedView).where(SavedView.id == view_id, SavedView.person_id == work.me).returning(SavedView.name)
    )
    if name is None:
        raise NotFound
    work.say(f"Deleted the view “{name}”.")
    return view_id

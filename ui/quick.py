"""Quick search in the sidebar: people, session numbers, teams, courses that the viewer may see."""

from core.work import Work


def search(work: Work, programme_id: int) -> None:
    """The search field and what it found, each leading to its screen."""

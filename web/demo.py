"""Made-up people whom one click signs in as: only with PORTAL_DEMO, on a demo database, reached from this machine."""

from sqlalchemy import Engine

from core.access.queries import is_demo
from core.settings import LOOPBACK, Settings


def refusal(settings: Settings, bound_to: str, engine: Engine) -> str | None:
    """Why the portal cannot start as a demo; None where it can, or is not asked to."""
    if not settings.demo:
        return None
    if bound_to not in LOOPBACK or not settings.on_loopback:
        return (
            f"PORTAL_DEMO lets anybody sign in with one click, but the portal would listen on {bound_to}, which others"
            " can reach. Take PORTAL_DEMO away, or listen on 127.0.0.1."
        )
    if not is_demo(engine):
        return (
            "PORTAL_DEMO lets anybody sign in with one click, but this database does not say that everybody in it is"
            " made up. Take PORTAL_DEMO away, or name a demo database in PORTAL_DATABASE_URL."
        )
    return None

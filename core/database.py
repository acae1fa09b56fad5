"""The database of this process."""

from sqlalchemy import Engine

from core.settings import settings
from db.engine import engine_for


def the_engine() -> Engine:
    """The one engine for the database that PORTAL_DATABASE_URL names."""
    return engine_for(settings().database_url)

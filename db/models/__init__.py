"""The tables, one file an area. Importing this package registers them all."""

from db.models import access, feeds, history, notices, people, programmes, sessions, structure

__all__ = ["access", "feeds", "history", "notices", "people", "programmes", "sessions", "structure"]

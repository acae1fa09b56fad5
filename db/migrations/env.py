"""Run by Alembic for `db.migrate`: one transaction, without triggers while tables change, with them afterwards."""

from alembic import context
from sqlalchemy import Connection

from db import triggers
from db.base import Base

connection: Connection = context.config.attributes["connection"]
context.configure(connection, target_metadata=Base.metadata, transactional_ddl=True)
triggers.remove(connection)  # SQLite cannot rebuild a table that triggers speak of, and rows are copied, not changed
context.run_migrations()
triggers.install(connection)

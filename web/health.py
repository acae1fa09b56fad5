"""`GET /health`: whether the portal can work, for whoever watches over it."""

import logging

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from db import migrate
from web.door import Door

log = logging.getLogger(__name__)
PATIENCE = 5.0
"""Seconds after which a database counts as not answering."""


def routes(door: Door) -> list[Route]:
    """The health route."""

    async def health(_: Request) -> JSONResponse:
        found: str | None = None
        database, needed = "no answer", migrate.head()
        try:
            with anyio.fail_after(PATIENCE):
                found = await to_thread.run_sync(migrate.revision, door.engine, abandon_on_cancel=True)
            database = "ok" if found == needed else "schema differs from what this version needs"
        except Exception:
            log.exception("the database does not answer")
        fine = database == "ok"
        said = {"status": "ok" if fine else "failing", "database": database, "engine": door.engine.dialect.name,
                "schema": found, "schema_needed": needed}
        return JSONResponse(said, 200 if fine else 503)

    return [Route("/health", health)]

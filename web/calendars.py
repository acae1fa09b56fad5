"""Calendars for calendar programs: by a private address, without signing in; and one session for who is signed in."""

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.errors import NotFound, Refusal
from core.feeds import queries
from core.feeds.ical import calendar
from core.work import reading
from web.door import Door
from web.downloads import attached
from web.gate import PERSON_HEADER

AT_ONCE = 4
"""Calendars made at the same time in this process; more wait."""
NOTHING = "There is nothing here."
KEPT = "private, no-cache"
"""Kept by whoever asked and nobody in between, and asked about each time."""


def routes(door: Door) -> list[Route]:
    """Calendars by address, which the gate lets through, and one session, for which it asks who comes."""
    files = Calendars(door)
    return [Route("/feed/{token}.ics", files.by_address), Route("/export/session/{id}.ics", files.one_session)]


class Calendars:
    """The calendars of one portal."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.making = CapacityLimiter(AT_ONCE)

    async def by_address(self, request: Request) -> Response:
        """A whole calendar. Unknown, ended and forbidden addresses are answered alike."""
        return await self._answer(self._by_address, request)

    async def one_session(self, request: Request) -> Response:
        """One session as a file, for those who may see it."""
        return await self._answer(self._one_session, request)

    async def _answer(self, make: Callable[[Request], Response], request: Request) -> Response:
        try:
            return await to_thread.run_sync(make, request, limiter=self.making)
        except Refusal:
            return PlainTextResponse(NOTHING, 404, {"Cache-Control": "no-store"})

    def _by_address(self, request: Request) -> Response:
        token = str(request.path_params["token"])
        address = queries.behind(self.door.engine, token) if len(token) <= 200 else None
        if address is None:
            raise NotFound
        with reading(self.door.engine, address.person_id) as work:
            headers = {"Cache-Control": KEPT, "Content-Disposition": 'inline; filename="sessions.ics"'}
            changed = max(queries.last_act(work) or work.now, work.now.replace(hour=0, minute=0, second=0))
            if changed < work.now:  # within the same second it might change again
                headers["Last-Modified"] = format_datetime(changed, usegmt=True)
            if address.timetable_id is not None:
                queries.require_timetable(work, address.timetable_id)
            if "if-none-match" not in request.headers and changed < work.now and _known_since(request, changed):
                return Response(status_code=304, headers=headers)
            name, events = queries.whole_calendar(work, address.timetable_id, self.door.settings.base_url)
        body = calendar(name, events)
        headers["ETag"] = f'"{sha256(body).hexdigest()[:32]}"'
        if _has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="text/calendar", headers=headers)

    def _one_session(self, request: Request) -> Response:
        who, which = request.headers.get(PERSON_HEADER.decode(), ""), str(request.path_params["id"])
        if not (who.isdecimal() and which.isdecimal() and len(which) < 19):
            raise NotFound
        with reading(self.door.engine, int(who)) as work:
            event = queries.one_event(work, int(which), self.door.settings.base_url)
        headers = attached(f"{event.title.partition(' · ')[0]}.ics")
        return Response(calendar(event.title, [event]), media_type="text/calendar", headers=headers)


def _has(request: Request, tag: str) -> bool:
    """Whether the asker says that it has this very calendar."""
    said = request.headers.get("if-none-match", "")
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in said.split(","))


def _known_since(request: Request, changed: datetime) -> bool:
    """Whether the asker has read it since it was changed; a date that is none counts as never."""
    try:
        return changed <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):
        return False

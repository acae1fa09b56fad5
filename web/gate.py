"""Stands before HTTP and websocket: strangers get the sign-in pages, health, static files, and nothing else.

A calendar is open to whoever has its address, which is a secret of its own.

Everybody else's requests reach Streamlit with the identity that the gate has found, which no browser can send itself.
Streamlit keeps a session to the identity it began with, so knowing another's session id opens nothing.
"""

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import Callable
from pathlib import Path

import streamlit
from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.access.queries import SignedIn, signed_in, still_signed_in
from core.work import now_utc
from web.door import Door, safe_next, way_in, without

log = logging.getLogger(__name__)

OURS = b"x-portal-"
PERSON_HEADER, SIGN_IN_HEADER = b"x-portal-person", b"x-portal-sign-in"
OPEN = ("/signin", "/signin/demo", "/signout", "/forgotten", "/health", "/favicon.png")
OPEN_BELOW = ("/static/", "/link/")
FEED = re.compile(r"/feed/[^/]+\.ics")
"""A calendar, which its address alone opens: this very shape, and nothing that Streamlit would answer below it."""
CLOSED = (
    "/_stcore/agent", "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/upload_file", "/auth/",
    "/oauth2callback",
)
"""What Streamlit serves and the portal does not use."""
MACHINERY = ("/_stcore/", "/media/", "/component/", "/app/")
"""Asked for by pages, not by people: a stranger is refused here rather than shown the way in."""
STREAM = "/_stcore/stream"
OWN_SCRIPT = Path(__file__).parents[1] / "ui" / "assets" / "leaving.js"
LOOKS_EVERY = 2.0
"""Seconds after which a sign-in that has ended is cut off, even when nothing is clicked."""
FAREWELL = 0.5
"""Seconds left to the screen on which somebody signed out to say so itself."""


def page_policy(index: str) -> str:
    """The content security policy for a page, allowing the scripts written inside it and no others."""
    inside = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inside
    )
    return (
        f"default-src 'self'; script-src 'self' blob: {hashes}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:;"
        " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class Gate:
    """ASGI middleware around the whole portal."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door
        index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
        self.policy = page_policy(f"{index}<script>{OWN_SCRIPT.read_text('utf-8')}</script>")
        self.watch = Watch(door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, turn away, or show the way in."""
        if scope["type"] == "http":
            await self._http(scope, receive, self._guarded(scope["path"], send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, path = HTTPConnection(scope), scope["path"]
        if refusal := self._refusal(request):
            await refusal(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self.door.own_origin(request.headers):
            said = "This was sent from another site, so nothing was done. Open the portal itself and try again."
            await PlainTextResponse(said, 403)(scope, receive, send)
            return
        if path.startswith(CLOSED):
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
            return
        if path in OPEN or path.startswith(OPEN_BELOW) or FEED.fullmatch(path):
            await self.app(_as(scope, None), receive, send)
            return
        known = await self._known(request)
        if known is None:
            await _stranger(scope)(scope, receive, send)
            return
        await self.app(_as(scope, known), receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        fine = scope["path"] == STREAM and not self._refusal(request) and self.door.own_origin(request.headers)
        known = await self._known(request) if fine else None
        if known is None:
            await receive()  # the handshake that is being refused
            await send({"type": "websocket.close", "code": 1008})
            return
        await Wire(self, known, receive, send).carry(self.app, _as(scope, known))

    def _refusal(self, request: HTTPConnection) -> Response | None:
        if not self.door.knows_host(request.headers.get("host")):
            return PlainTextResponse("The portal is not known by this address. Set PORTAL_PUBLIC_URL to it.", 400)
        if self.door.demo and not self.door.reaches_demo(request):
            return PlainTextResponse("A demo answers only on the machine that it runs on.", 403)
        return None

    async def _known(self, request: HTTPConnection) -> SignedIn | None:
        token = request.cookies.get(self.door.cookie)
        if not token or len(token) > 200:
            return None
        return await to_thread.run_sync(signed_in, self.door.engine, token, now_utc())

    def _guarded(self, path: str, send: Send) -> Send:
        framed = path.startswith("/component/")  # Streamlit shows components in frames of its own

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = (
                    self.policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'") if framed else self.policy
                )
                headers["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"  # with less, browsers send no Origin along with a form
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "geolocation=(), payment=(), usb=(), camera=(self), microphone=(self)"
                if self.door.secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                if not (path.startswith("/static/") or FEED.fullmatch(path) or (framed and "/static/" in path)):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return guarded


class Watch:
    """Looks after open websockets: whose sign-in has ended is cut off, within seconds and whatever they do."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.open: dict[int, set[Callable[[], None]]] = {}
        self.task: asyncio.Task[None] | None = None

    def add(self, sign_in_id: int, cut: Callable[[], None]) -> None:
        """Call `cut` once this sign-in no longer holds."""
        self.open.setdefault(sign_in_id, set()).add(cut)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._look())

    def remove(self, sign_in_id: int, cut: Callable[[], None]) -> None:
        """The websocket is closed."""
        cuts = self.open.get(sign_in_id, set())
        cuts.discard(cut)
        if not cuts:
            self.open.pop(sign_in_id, None)

    async def _look(self) -> None:
        while self.open:
            await asyncio.sleep(LOOKS_EVERY)
            asked = list(self.open)  # who comes while the answer is on its way was not asked about
            try:
                good = await to_thread.run_sync(still_signed_in, self.door.engine, asked, now_utc())
            except Exception:
                log.exception("could not look who is still signed in; trying again")
                continue
            ended = [cut for sign_in_id in asked if sign_in_id not in good for cut in self.open.get(sign_in_id, ())]
            if ended:
                await asyncio.sleep(FAREWELL)
            for cut in ended:
                cut()


class Wire:
    """One websocket of one sign-in: each message is let through only while the sign-in holds."""

    def __init__(self, gate: Gate, known: SignedIn, receive: Receive, send: Send) -> None:
        self.gate, self.known = gate, known
        self.receive, self.send = receive, send
        self.ended = asyncio.Event()
        self.opened = self.closed = False
        self.coming: asyncio.Task[Message] | None = None

    async def carry(self, app: ASGIApp, scope: Scope) -> None:
        """Run the portal on this wire until either side, or the gate, ends it."""
        self.gate.watch.add(self.known.sign_in_id, self.ended.set)
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.gate.watch.remove(self.known.sign_in_id, self.ended.set)
            if self.coming:
                self.coming.cancel()

    async def _receive(self) -> Message:
        if self.closed:
            return {"type": "websocket.disconnect", "code": 1008}
        self.coming = self.coming or asyncio.ensure_future(self.receive())
        ended = asyncio.ensure_future(self.ended.wait())
        await asyncio.wait({self.coming, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if self.ended.is_set():
            return await self._cut()
        message, self.coming = self.coming.result(), None
        if message["type"] == "websocket.receive" and not await self._still():
            return await self._cut()
        return message

    async def _still(self) -> bool:
        ids = [self.known.sign_in_id]
        return bool(await to_thread.run_sync(still_signed_in, self.gate.door.engine, ids, now_utc()))

    async def _send(self, message: Message) -> None:
        if self.closed:
            return
        self.opened = self.opened or message["type"] == "websocket.accept"
        self.closed = message["type"] == "websocket.close"
        await self.send(message)

    async def _cut(self) -> Message:
        """Send the browser to the sign-in page, then close."""
        if self.opened and not self.closed:
            away = ForwardMsg()
            away.auth_redirect.url = "/signin?said=ended"
            self.closed = True
            await self.send({"type": "websocket.send", "bytes": away.SerializeToString()})
            await self.send({"type": "websocket.close", "code": 1008})
        self.closed = True
        return {"type": "websocket.disconnect", "code": 1008}


def _as(scope: Scope, known: SignedIn | None) -> Scope:
    """The request with whom it comes from; what a browser said about that itself is gone."""
    headers = without(scope["headers"], OURS)
    if known is not None:
        headers += [
            (PERSON_HEADER, str(known.person_id).encode()), (SIGN_IN_HEADER, str(known.sign_in_id).encode()),
        ]
    return {**scope, "headers": headers}


def _stranger(scope: Scope) -> Response:
    if scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(MACHINERY):
        return PlainTextResponse("Please sign in.", 401)
    query = scope["query_string"].decode("latin-1")
    wanted = safe_next(scope["path"] + (f"?{query}" if query else ""))
    return RedirectResponse(way_in(wanted), 303)

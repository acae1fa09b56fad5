"""What the gate and the sign-in pages share: whom a request comes from, where it may come from, and its cookies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.settings import LOOPBACK, Settings

YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Door:
    """The portal seen from outside."""

    engine: Engine
    settings: Settings
    demo: bool = False

    @property
    def secure(self) -> bool:
        """Whether people reach the portal over https alone."""
        return self.settings.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The cookie that holds the sign-in's token."""
        return "__Host-portal" if self.secure else "portal"

    @property
    def known_cookie(self) -> str:
        """The cookie that tells a browser which was signed in before from one that guesses."""
        return f"{self.cookie}-known"

    @property
    def lasts(self) -> timedelta:
        """How long a sign-in holds."""
        return timedelta(days=self.settings.sign_in_days)

    def knows_host(self, host: str | None) -> bool:
        """Whether a request was sent to a name of this portal, and not to one that somebody else pointed at it."""
        name = _name(host)
        if name is None:
            return False
        public = urlsplit(self.settings.public_url).hostname
        if name == public or name in LOOPBACK:
            return True
        return not public and not self.settings.on_loopback

    def own_origin(self, headers: Headers) -> bool:
        """Whether a page of this portal sent the request, and no other site."""
        origin = headers.get("origin")
        if not origin or origin == "null":
            return False
        sent = urlsplit(origin)
        public = urlsplit(self.settings.public_url)
        return sent.netloc == headers.get("host") or (
            bool(public.netloc) and (sent.scheme, sent.netloc) == (public.scheme, public.netloc)
        )

    def reaches_demo(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from this very machine, with nothing in between."""
        server = connection.scope.get("server")
        here = server is None or server[0] in LOOPBACK or server[0].startswith("127.")
        between = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}
        return here and _name(connection.headers.get("host")) in LOOPBACK and between.isdisjoint(connection.headers)

    def let_in(self, response: Response, token: str) -> None:
        """Give a browser its token."""
        kept = {"path": "/", "httponly": True, "samesite": "lax", "secure": self.secure}
        response.set_cookie(self.cookie, token, max_age=int(self.lasts.total_seconds()), **kept)  # type: ignore[arg-type]
        response.set_cookie(self.known_cookie, token, max_age=YEAR, **kept)  # type: ignore[arg-type]

    def see_out(self, response: Response) -> None:
        """Take the token from a browser."""
        response.delete_cookie(self.cookie, path="/", httponly=True, samesite="lax", secure=self.secure)


def safe_next(wanted: str | None) -> str:
    """Where to go after signing in: a page of this portal, or home."""
    if (
        not wanted or len(wanted) > 4000 or not wanted.startswith("/") or wanted.startswith(("//", "/signin", "/link"))
        or "\\" in wanted or any(ord(letter) < 33 or ord(letter) == 127 for letter in wanted)
    ):
        return "/"
    sent = urlsplit(wanted)
    return wanted if not sent.scheme and not sent.netloc else "/"


def way_in(wanted: str) -> str:
    """The sign-in page, with the way back to what was asked for."""
    wanted = safe_next(wanted)
    return "/signin" if wanted == "/" else f"/signin?next={quote(wanted, safe='/')}"


def without(headers: Iterable[tuple[bytes, bytes]], prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Headers less those that only the gate may set. Proxies may write _ for -, so both are taken out."""
    return [(name, value) for name, value in headers if not name.lower().replace(b"_", b"-").startswith(prefix)]


def _name(host: str | None) -> str | None:
    try:
        name = urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return None
    return name.rstrip(".") if name else None

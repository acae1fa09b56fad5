"""Sign in, sign out, forgotten password, single-use links: pages drawn here, without Streamlit or any script."""

import logging
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TypeVar

import streamlit
from anyio import CapacityLimiter, to_thread
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.access import commands, queries, rules
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.work import THE_PORTAL, commit, now_utc
from db.words import LinkPurpose
from web.door import Door, safe_next
from web.page import field, form, notice, page

log = logging.getLogger(__name__)
T = TypeVar("T")

AT_ONCE = 4
"""Passwords compared at the same time: each takes 64 MB and a core for a moment."""
SAID = {"out": "You are signed out.", "ended": "You were signed out. Sign in to go on.",
        "everywhere": "You are signed out everywhere."}
ASKED = (
    "If this address belongs to an account, those who run its programme have been told. They will hand you a link to"
    " choose a new password."
)


def routes(door: Door) -> list[Route]:
    """The pages a stranger may open."""
    pages = Pages(door)
    return [
        Route("/signin", pages.sign_in, methods=["GET", "POST"]),
        Route("/signin/demo", pages.demo, methods=["POST"]),
        Route("/signout", pages.sign_out, methods=["GET", "POST"]),
        Route("/forgotten", pages.forgotten, methods=["GET", "POST"]),
        Route("/link/{token}", pages.link, methods=["GET", "POST"]),
    ]


class Pages:
    """The sign-in pages of one portal."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.hashing = CapacityLimiter(AT_ONCE)
        media = Path(streamlit.__file__).parent / "static" / "static" / "media"
        self.font = next((file.name for file in media.glob("SourceSansVF-Upright*.woff2")), "")

    async def sign_in(self, request: Request) -> Response:
        """E-mail and password, and in a demo the people to choose from."""
        wanted = safe_next(request.query_params.get("next"))
        if request.method != "POST":
            if await self._signed_in(request):
                return RedirectResponse(wanted, 303)
            return await self._sign_in_page(wanted, told=SAID.get(request.query_params.get("said", ""), ""))
        typed = await _typed(request)
        email, password = _said(typed, "email"), _said(typed, "password")
        wanted = safe_next(_said(typed, "next"))
        missing = {name: f"Enter your {words}." for name, words, said in (
            ("email", "e-mail address", email.strip()), ("password", "password", password)) if not said}
        if missing:
            return await self._sign_in_page(wanted, email=email, wrong=missing, status=422)
        try:
            token = await self._slowly(lambda: commands.sign_in(
                self.door.engine, email, password, address=_address(request), browser=_browser(request),
                now=now_utc(), known=request.cookies.get(self.door.known_cookie), lasts=self.door.lasts,
            ))
        except NotAllowed as problem:
            return await self._sign_in_page(wanted, email=email, wrong={"password": problem.sentence}, status=401)
        except rules.TooSoon as problem:
            answer = await self._sign_in_page(wanted, email=email, wrong={"password": problem.sentence}, status=429)
            answer.headers["Retry-After"] = str(problem.seconds)
            return answer
        return self._let_in(token, wanted)

    async def demo(self, request: Request) -> Response:
        """One click, in a demo."""
        typed = await _typed(request)
        people = await to_thread.run_sync(queries.demo_accounts, self.door.engine) if self.door.demo else []
        chosen = [who.person_id for who in people if str(who.person_id) == _said(typed, "person")]
        if not chosen:
            raise HTTPException(404)
        token = await self._quickly(lambda: commands.begin_sign_in(
            self.door.engine, chosen[0], browser=_browser(request), now=now_utc(), lasts=self.door.lasts
        ))
        return self._let_in(token, safe_next(_said(typed, "next")))

    async def sign_out(self, request: Request) -> Response:
        """Asked by a link, done by a button: no other site can sign anybody out."""
        if request.method != "POST":
            if not await self._signed_in(request):
                return RedirectResponse("/signin", 303)
            back = '<p class="below"><a href="/">Stay signed in</a></p>'
            return self._page("Sign out?", "<p>This browser will need your password again.</p>"
                              + form("/signout", "", "Sign out") + back)
        if token := request.cookies.get(self.door.cookie):
            await self._quickly(lambda: commands.sign_out(self.door.engine, token, now_utc()))
        answer = RedirectResponse("/signin?said=out", 303)
        self.door.see_out(answer)
        return answer

    async def forgotten(self, request: Request) -> Response:
        """The answer is the same whether or not there is such an account, and given before anybody looks."""
        email, wrong, status = "", "", 200
        if request.method == "POST":
            email, asked_from = _said(await _typed(request), "email"), _address(request)
            try:
                if "@" not in email.strip()[1:-1]:
                    raise Invalid({"email": "Enter the e-mail address that you sign in with."})
                await self._quickly(lambda: commands.may_ask(self.door.engine, email, asked_from, now_utc()))
                answer = self._page("Forgotten password", notice(ASKED) + _back())
                answer.background = BackgroundTask(self._tell_admins, email)
                return answer
            except Invalid as problem:
                wrong, status = problem.sentence, 422
            except rules.TooSoon as problem:
                wrong, status = problem.sentence, 429
        inside = field("email", "E-mail address", kind="email", value=email, auto="username", wrong=wrong, focus=True)
        lead = '<p class="quiet">Those who run your programme will be told, and hand you a link.</p>'
        return self._page("Forgotten password", lead + form("/forgotten", inside, "Ask for a link") + _back(),
                          status=status)

    async def link(self, request: Request) -> Response:
        """Choose a password by a single-use link. Looking at it does not use it up."""
        token = str(request.path_params["token"])[:200]
        link = await self._quickly(lambda: queries.open_link(self.door.engine, token, now_utc()))
        wrong: dict[str, str] = {}
        if link and request.method == "POST":
            typed = await _typed(request)
            password, again = _said(typed, "password"), _said(typed, "again")
            try:
                if problem := rules.password_problem(password, link.name, link.email):
                    raise Invalid({"password": problem})
                if password != again:
                    raise Invalid({"again": "This is not the same as above. Type it once more."})
                made = await self._slowly(lambda: commands.use_link(
                    self.door.engine, token, password, browser=_browser(request), now=now_utc(),
                    lasts=self.door.lasts,
                ))
                return self._let_in(made, "/")
            except Invalid as refused:
                wrong = refused.problems
            except (NotFound, NotAllowed, Conflict):
                link = None
        if link is None:
            return self._page("This link no longer works", notice(rules.USED_UP, bad=True) + _back(), status=410)
        first = link.purpose is LinkPurpose.INVITATION
        greeting = f"{'Welcome' if first else 'Hello'}, {link.name}. You sign in as {link.email}."
        lead = f'<p class="quiet">{escape(greeting)}</p>'
        if not first:
            lead += '<p class="quiet">Every browser that you are signed in with now will be signed out.</p>'
        inside = field("password", "New password", kind="password", auto="new-password", hint=rules.ADVICE,
                       wrong=wrong.get("password", ""), most=400, focus=True)
        inside += field("again", "The same again", kind="password", auto="new-password",
                        wrong=wrong.get("again", ""), most=400)
        return self._page("Choose a password", lead + form(f"/link/{token}", inside, "Save and sign in"),
                          status=422 if wrong else 200)

    async def _sign_in_page(self, wanted: str, *, email: str = "", wrong: dict[str, str] | None = None,
                            told: str = "", status: int = 200) -> HTMLResponse:
        wrong = wrong or {}
        inside = field("email", "E-mail address", kind="email", value=email, auto="username",
                       wrong=wrong.get("email", ""), focus=not email)
        inside += field("password", "Password", kind="password", auto="current-password",
                        wrong=wrong.get("password", ""), most=400, focus=bool(email))
        body = (notice(told) if told else "") + form("/signin", inside, "Sign in", hidden=wanted)
        body += '<p class="below"><a href="/forgotten">Forgotten your password?</a></p>'
        if self.door.demo:
            body += await self._demo_people(wanted)
        return self._page("Sign in", body, status=status)

    async def _demo_people(self, wanted: str) -> str:
        people = await to_thread.run_sync(queries.demo_accounts, self.door.engine)
        buttons = "".join(
            f'<button type="submit" name="person" value="{who.person_id}">{escape(who.name)}'
            f"<span>{escape(who.about)}</span></button>" for who in people
        )
        return (
            '<h2>Demo: look around as</h2><form class="demo" method="post" action="/signin/demo">'
            f'<input type="hidden" name="next" value="{escape(wanted)}">{buttons}</form>'
        )

    def _page(self, title: str, body: str, status: int = 200) -> HTMLResponse:
        return page(title, body, font=self.font, status=status)

    def _let_in(self, token: str, wanted: str) -> Response:
        answer = RedirectResponse(wanted, 303)
        self.door.let_in(answer, token)
        return answer

    def _tell_admins(self, email: str) -> None:
        """Run once the answer has gone, so that how long it takes tells nobody whether there is such an account."""
        if queries.is_known(self.door.engine, email):
            commit(self.door.engine, THE_PORTAL, commands.request_password, email, source="sign-in")

    async def _signed_in(self, request: Request) -> bool:
        token = request.cookies.get(self.door.cookie)
        if not token:
            return False
        return await self._quickly(lambda: queries.who_is(self.door.engine, token, now_utc())) is not None

    async def _quickly(self, ask: Callable[[], T]) -> T:
        return await to_thread.run_sync(ask)

    async def _slowly(self, ask: Callable[[], T]) -> T:
        return await to_thread.run_sync(ask, limiter=self.hashing)


async def _typed(request: Request) -> FormData:
    """What a small form sent. Raises 413 for more than a form of these pages can hold."""
    if int(request.headers.get("content-length") or 0) > 20_000 or "content-length" not in request.headers:
        raise HTTPException(413)
    return await request.form(max_files=0, max_fields=10)


def _said(typed: FormData, name: str) -> str:
    value = typed.get(name)
    return value if isinstance(value, str) else ""


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]


def _back() -> str:
    return '<p class="below"><a href="/signin">Back to sign in</a></p>'

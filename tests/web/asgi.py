"""An ASGI application asked from a test, without a server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from starlette.types import ASGIApp


def run(function: Callable[..., Any], *given: Any) -> None:
    """Run it in a thread of its own, for the test's may hold the loop that drives a browser."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, function, *given).result()


class Visitor:
    """Asks as the gate would, with the name of whoever is signed in; remembers what was answered last."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.status, self.headers = app, 0, dict[str, str]()

    def ask(self, path: str, query: str = "", *, person: int | None = None, method: str = "GET", **has: str) -> bytes:
        """The body of the answer; `has` are headers."""
        sent: list[Any] = []
        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in has.items()]
        headers += [] if person is None else [(b"x-portal-person", str(person).encode())]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "query_string": query.encode(), "root_path": "", "headers": headers,
            "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }

        async def receive() -> dict[str, Any]:
            await anyio.sleep_forever()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        run(self.app, scope, receive, send)
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return b"".join(message.get("body", b"") for message in sent[1:])

"""An ASGI application asked from a test, without a server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio


def run(function: Callable[..., Any], *given: Any) -> None:
    """Run it in a thread of its own, for the test's may hold the loop that drives a browser."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, function, *given).result()

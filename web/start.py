"""What has to be true before the portal answers anybody. Each refusal is a sentence that says what to do."""

import gc
import importlib
import ipaddress
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from streamlit import config

from core.database import the_engine
from core.settings import HOME, LOOPBACK, Settings, settings
from db import migrate
from db.engine import engine_for
from web import demo
from web.door import Door
from web.folding import Folding

log = logging.getLogger(__name__)

SAFE = {
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.corsAllowedOrigins": [],
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.trustedUserHeaders": {"X-Portal-Person": "person", "X-Portal-Sign-In": "sign_in"},
    "server.baseUrlPath": "",
    "server.maxMessageSize": 8,
    "client.showErrorDetails": "none",
    "client.disableDataExport": True,
    "browser.gatherUsageStats": False,
    "global.developmentMode": False,
}
"""Options of .streamlit/config.toml without which the portal would not be safe."""

HEAVY = (
    "pandas", "pyarrow", "altair", "babel.dates", "plotly.graph_objs._figure", "streamlit.elements.arrow",
    "streamlit.elements.plotly_chart", "streamlit.elements.vega_charts",
)


def prepare() -> Door:
    """Check the surroundings, bring the schema up to date, and return the door. Ends the process with a sentence."""
    chosen = settings()
    logging.basicConfig(level=chosen.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if wrong := unsafe_options():
        refuse(
            f"these options do not hold: {'; '.join(wrong)}. They stand in {HOME / '.streamlit' / 'config.toml'};"
            " nothing in the environment or on the command line may change them."
        )
    bound_to = _bound_to(chosen)
    if bound_to != chosen.address and not {bound_to, chosen.address} <= LOOPBACK:
        refuse(
            f"it was told to listen on {bound_to}, but PORTAL_ADDRESS says {chosen.address}."
            " Set PORTAL_ADDRESS and start with `python app.py`, or give both the same address."
        )
    shown = make_url(chosen.database_url).render_as_string(hide_password=True)
    engine = engine_for(chosen.database_url)
    try:
        migrate.migrate(engine)
    except (SQLAlchemyError, OSError) as problem:
        log.debug("cannot use the database", exc_info=problem)
        refuse(f"the database {shown} cannot be used: {str(problem).splitlines()[0]}")
    if said := demo.refusal(chosen, bound_to, engine):
        refuse(said)
    return Door(engine, chosen, demo=chosen.demo)


def unsafe_options() -> list[str]:
    """Options that do not read back as they must."""
    return [f"{name} must be {wanted!r}" for name, wanted in SAFE.items() if config.get_option(name) != wanted]


def proxies() -> str:
    """The proxies whose word on where a request comes from is taken: those of the settings and no others.

    What uvicorn itself believes unasked, everything on this machine, is switched off. An unknown word ends the process.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    named = settings().trusted_proxies
    for name in filter(None, (word.strip() for word in named.split(","))):
        try:
            ipaddress.ip_network(name)
        except ValueError:
            refuse(f"PORTAL_TRUSTED_PROXIES takes addresses and networks with commas between them, not {name!r}.")
    return named


def server_options() -> dict[str, Any]:
    """What `python app.py` asks of Streamlit's server."""
    chosen = settings()
    return {"server.address": chosen.address, "server.port": chosen.port, "server.headless": not _has_display()}


@asynccontextmanager
async def lifespan(_: streamlit.starlette.App) -> AsyncIterator[None]:
    """Load what every screen needs before the first click, keep it out of later garbage collections, and sum up."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    folding = Folding(the_engine())
    folding.start()
    yield
    folding.stop()
    gc.unfreeze()


def refuse(why: str) -> None:
    """End the process, saying why."""
    raise SystemExit(f"The portal does not start: {why}")


def _bound_to(chosen: Settings) -> str:
    """The address that will be listened on, as far as the way of starting tells."""
    program = os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119
    if "uvicorn" in program or "uvicorn" in sys.argv[:1]:
        return _argument("--host") or os.environ.get("UVICORN_HOST") or "127.0.0.1"
    if config._server_mode is None and program == "app.py":
        return chosen.address  # server_options() will say so
    return config.get_option("server.address") or "0.0.0.0"  # noqa: S104


def _argument(name: str) -> str | None:
    for place, word in enumerate(sys.argv):
        if word == name and place + 1 < len(sys.argv):
            return sys.argv[place + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

"""The portal: `python app.py`, `streamlit run app.py`, or any ASGI server with `app:app`."""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
os.chdir(HOME)  # Streamlit reads .streamlit/config.toml, and with it the security options, from here
sys.path[:0] = [] if str(HOME) in sys.path else [str(HOME)]

from starlette.middleware import Middleware  # noqa: E402
from streamlit.starlette import App  # noqa: E402
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402

from ui import mishaps  # noqa: E402
from web import calendars, downloads, health, signin, start  # noqa: E402
from web.gate import Gate  # noqa: E402

door = start.prepare()
app = App(
    HOME / "ui" / "shell.py",
    lifespan=start.lifespan,
    middleware=[Middleware(ProxyHeadersMiddleware, trusted_hosts=start.proxies()), Middleware(Gate, door=door)],
    routes=[*signin.routes(door), *health.routes(door), *downloads.routes(door), *calendars.routes(door)],
    on_script_error=mishaps.tell,
)

if __name__ == "__main__":
    app.run(config=start.server_options())

"""How a screen reaches the portal: who looks, look-ups, acts, and the zone that times are shown in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import work as core_work
from core.access import commands as access
from core.access import queries as access_queries
from core.access import rules as access_rules
from core.database import the_engine as engine
from core.settings import settings
from core.work import Saved, Work

_SAVED = "portal saved in run"
_ZONES = available_timezones()  # it looks through folders, which takes longer than a query


def who() -> int:
    """The person looking, asked anew on every run: whoever was signed out or switched off is sent away."""
    sign_in_id = _sign_in_id()
    person_id = access_queries.still_signed_in(engine(), [sign_in_id], core_work.now_utc()).get(sign_in_id)
    if person_id is None:
        _send_away("ended")
    return person_id


def sign_out(everywhere: bool = False) -> None:
    """Sign this browser out (or every browser of this person) and show the sign-in page."""
    if everywhere:
        commit(access.sign_out_everywhere, [who()])
    else:
        access.end_sign_in(engine(), _sign_in_id(), core_work.now_utc())
    _send_away("everywhere" if everywhere else "out")


def change_password(old: str, new: str) -> Saved:
    """Choose a new password by the old one; this browser alone stays signed in. Raises Invalid, TooSoon."""
    return access.change_password(engine(), who(), old, new, keep=_sign_in_id(), now=core_work.now_utc())


def is_this_browser(sign_in_id: int) -> bool:
    """Whether that sign-in is the one that the person looks with."""
    return sign_in_id == _sign_in_id()


@contextmanager
def reading() -> Iterator[Work]:
    """Look things up as the person looking."""
    with core_work.reading(engine(), who()) as work:
        yield work


def commit(
    command: Callable[..., Any], *args: Any, key: str | None = None, reason: str | None = None,
    undoes: int | None = None, **kw: Any,
) -> Saved:
    """One act of the person looking: all of it, or nothing and a Refusal. The same `key` again is the same act."""
    saved = core_work.commit(engine(), who(), command, *args, key=key, reason=reason, undoes=undoes, **kw)
    context = get_script_run_ctx()
    if context is not None:
        st.session_state[_SAVED] = context.cursors  # a new one for every run, and for every run of a fragment
    return saved


def saved_in_this_run() -> bool:
    """Whether an act was committed since the last click."""
    context = get_script_run_ctx()
    return context is not None and st.session_state.get(_SAVED) is context.cursors


def one_time_links(
    command: Callable[[Work, Mapping[int, str]], list[int]], person_ids: Sequence[int], *, key: str
) -> dict[int, str]:
    """Run `invite` or `make_password_link` and return each person's link. Pressed twice, the same links."""
    tokens: dict[int, str] = st.session_state.setdefault(
        f"portal links {key}", {person_id: access_rules.new_token() for person_id in person_ids}
    )
    commit(command, tokens, key=key)
    return {person_id: access_rules.link_to(settings().base_url, token) for person_id, token in tokens.items()}


def zone(programme: str | None = None, work: Work | None = None) -> ZoneInfo:
    """The zone that times are shown in: what the person chose, else the programme's, else the browser's."""
    if work is None:
        with reading() as work:
            return zone(programme, work)
    chosen = work.actor.zone
    for name in (chosen, programme, st.context.timezone):
        if name in _ZONES:
            return ZoneInfo(name)
    return ZoneInfo("UTC")


def now() -> datetime:
    """The present moment."""
    return core_work.now_utc()


def today(where: ZoneInfo) -> date:
    """The day that it is there now."""
    return core_work.now_utc().astimezone(where).date()


def _sign_in_id() -> int:
    """The sign-in that the gate has named in its own header; 0, which none has, where there is no gate."""
    said = str(st.user.get("sign_in"))
    return int(said) if said.isdecimal() else 0


def _send_away(why: str) -> NoReturn:
    """Show the sign-in page, with the way back to this screen where the sign-in merely ended."""
    there = f"/signin?said={why}"
    if why == "ended" and st.context.url:
        page = urlsplit(st.context.url)
        there += f"&next={quote(page.path + (f'?{page.query}' if page.query else ''), safe='/')}"
    context = get_script_run_ctx()
    if context is not None:
        away = ForwardMsg()
        away.auth_redirect.url = there
        context.enqueue(away)
    st.stop()

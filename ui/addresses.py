"""Calendar addresses: make one, copy it, make a new one, revoke it."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.access.rules import new_token
from core.feeds.commands import make_address, revoke_address
from core.feeds.queries import Address, Offered, address_of
from core.settings import settings
from ui import feedback, runtime
from ui.format import ago, plain
from ui.forms import Form

_SHOWN = "addresses:shown"
"""What an address just made is of, and the address: shown until the viewer is done with it, or goes elsewhere."""
HOW_TO = """
**Google Calendar** — on a computer, beside *Other calendars*, press *+* and *From URL*, and paste the address. Your
phone shows it by itself.

**Apple** — on a Mac, in *Calendar*: *File*, *New Calendar Subscription*. On an iPhone or iPad, in *Calendar*:
*Calendars*, *Add Calendar*, *Add Subscription Calendar*.

**Outlook** — in *Calendar*: *Add calendar*, *Subscribe from web*. Paste the address, and give the calendar a name.

Each program looks for changes by itself, some every hour, Google about once a day.
"""


def own(addresses: Sequence[Address], timetables: Sequence[Offered], now: datetime) -> None:
    """The part of *My account*: one's own sessions, and the timetables that one follows."""
    named = {each.id: _named(each) for each in timetables}
    by_timetable = {each.timetable_id: each for each in addresses}
    st.header("Calendar address")
    with st.container(width=640):
        st.markdown("See your sessions in the calendar that you use anyway: it reads them from a private address.")
        _address("Your sessions", None, by_timetable.get(None), now)
        for each in addresses:
            if each.timetable_id in named:
                _address(named[each.timetable_id], each.timetable_id, each, now)
            elif each.timetable_id is not None:
                _address("A timetable that you may not see any more", each.timetable_id, each, now, may_make=False)
        others = {id_: label for id_, label in named.items() if id_ not in by_timetable}
        if others:
            chosen = st.selectbox("Follow a timetable, too", list(others), index=None, key="address-timetable",
                                  format_func=lambda id_: others.get(id_, ""), placeholder="Choose a timetable")
            if chosen in others:
                _address(others[chosen], chosen, None, now)
        _advice()


def of_timetable(timetable: Offered, address: Address | None, now: datetime) -> None:
    """The same for one timetable, in a panel beside the list of them."""
    st.markdown("What stands under this timetable, as far as you may see it, in the calendar that you use anyway. The"
                " address is yours alone; all of yours are in *My account*.")
    _address(_named(timetable), timetable.id, address, now)
    _advice()


def forget() -> None:
    """Show no address any more, for when the viewer goes elsewhere."""
    st.session_state.pop(_SHOWN, None)


def _named(timetable: Offered) -> str:
    return f"{timetable.name} · {timetable.programme}"


def _address(
    label: str, timetable_id: int | None, address: Address | None, now: datetime, *, may_make: bool = True
) -> None:
    """One address, or the way to make it."""
    name = f"address-{timetable_id or 'own'}"
    with st.container(border=True, key=name, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            made = f"  \n:gray[made {plain(ago(address.made_at, now, runtime.zone()))}]" if address else ""
            st.markdown(f"**{plain(label)}**{made}", width="content")
            with st.container(horizontal=True, width="content"):
                if may_make:
                    st.button("Make a new address" if address else "Make an address", key=f"{name}-make",
                              icon=":material/refresh:" if address else ":material/add_link:", on_click=_make,
                              args=(name, timetable_id))
                if address:
                    st.button("Revoke", key=f"{name}-revoke", icon=":material/link_off:", on_click=_revoke,
                              args=(address.id,))
        of, shown = st.session_state.get(_SHOWN, ("", ""))
        if of == name and address:
            st.code(shown, language=None, wrap_lines=True)
            st.caption("Copy it now: it is shown this once. Whoever has it can read this calendar without signing in,"
                       " so keep it to yourself.")
            st.button("Done", key=f"{name}-done", on_click=forget)


def _make(name: str, timetable_id: int | None) -> None:
    form = Form(name)
    token: str = form.state.setdefault("token", new_token())
    saved = form.submit(make_address, token, timetable_id)
    if saved is not None:
        st.session_state[_SHOWN] = (name, address_of(settings().base_url, token))
        feedback.note(saved.said)
    elif refusal := form.refused():
        feedback.refuse(refusal)
    form.clear()


def _revoke(address_id: int) -> None:
    forget()
    feedback.act(revoke_address, address_id, final=True)


def _advice() -> None:
    with st.expander("How to add it to your calendar", icon=":material/help:"):
        st.markdown(HOW_TO)

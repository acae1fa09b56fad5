"""Lists of people for those who meet them: whom a practitioner works with (D1a), whom a client can turn to (A2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import streamlit as st

from core.people.members import Contact, Member, Place
from core.programmes.queries import ProgrammeView
from core.work import Work
from ui import navigation
from ui.format import day_words, minutes_words, plain, zone_words
from ui.turning import Turned

PAGE = 25
P = TypeVar("P", Member, Contact)


def page(listed: Sequence[P], text: str) -> Turned[P]:
    """Those who are found by name, or by what they say they do, a page at a time."""
    found = [each for each in listed if all(word in _said(each) for word in text.casefold().split())]
    return Turned(found, PAGE, "turned")


def _said(each: Member | Contact) -> str:
    return f"{each.name} {each.about if isinstance(each, Contact) else ''}".casefold()


def find(placeholder: str = "Name") -> str:
    """The field to find somebody, kept in the address."""
    return st.text_input("Find", key="named", bind="query-params", icon=":material/search:", placeholder=placeholder,
                         width=320, autocomplete="off") or ""


def member(each: Member, programme: ProgrammeView, zone: ZoneInfo, work: Work) -> None:
    """One of those whom the viewer works with."""
    words = programme.policy.words
    with st.container(border=True, gap="xsmall", key=f"member-{each.id}"):
        name, following, before, hours = st.columns([5, 5, 5, 3], gap="small", vertical_alignment="top")
        with name:
            st.page_link(navigation.BY_NAME["person"].page(), label=f"**{plain(each.name)}**",
                         query_params={"person": str(each.id)})
            if each.teams:
                st.caption(plain(", ".join(each.teams)))
        with following:
            _place(f"Next {words.session}", each.next, zone, work.now)
        with before:
            _place(f"Last {words.session}", each.last, zone, work.now)
        with hours:
            st.caption("Hours held")
            st.markdown(minutes_words(each.minutes) if each.minutes else "none yet")
        if each.notes:
            st.caption(f":material/sticky_note_2: {plain(each.notes)}")


def _place(label: str, place: Place | None, zone: ZoneInfo, now: datetime) -> None:
    st.caption(label)
    if place is None:
        st.markdown("none")
        return
    st.page_link(
        navigation.BY_NAME["worksheet"].page(), query_params={"session": str(place.session_id)},
        label=f"{day_words(place.starts_at, zone, now)}, {place.starts_at.astimezone(zone):%H:%M}",
    )


def contact(each: Contact, programme: ProgrammeView, zone: ZoneInfo, work: Work) -> None:
    """One of those whom the viewer can turn to."""
    with st.container(border=True, gap="xsmall", key=f"contact-{each.id}"):
        left, right = st.columns([5, 2], gap="small", vertical_alignment="center")
        with left:
            st.page_link(navigation.BY_NAME["person"].page(), label=f"**{plain(each.name)}**",
                         query_params={"person": str(each.id)})
            st.caption(f"First free: {free_words(each.free_at, zone, work.now)}")
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Contact", icon=":material/forum:", key=f"contact-now-{each.id}"):
                navigation.go("book", practitioner=each.id)
        if each.about:
            st.markdown(plain(each.about))


def free_words(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """When somebody is free first: 'Tue 3 Mar, 10:00 (GMT)'."""
    return f"{day_words(at, zone, now)}, {at.astimezone(zone):%H:%M} · {zone_words(zone, at)}"


def zone_line(zone: ZoneInfo, now: datetime) -> None:
    """In which zone times are."""
    st.caption(f"Times in {zone_words(zone, now)}")


def nobody(text: str, what: str) -> None:
    """Nothing to list, and what to do about it."""
    st.info("Nobody is called that." if text.strip() else what, icon=":material/person_search:")

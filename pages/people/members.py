"""The people whom a practitioner works with: next and last session, hours, notes (D1a)."""

import streamlit as st

from core.people.members import my_members
from ui import here, members, navigation, runtime
from ui.format import plain

with runtime.reading() as work:
    programme = here.programme(work)
    st.title(plain(navigation.BY_NAME["members"].called(programme.policy.words)))
    listed = my_members(work, programme.id)
    text = members.find() if listed else ""
    page = members.page(listed, text)
    if not page.shown:
        members.nobody(text, f"Nobody yet. As soon as you lead a {programme.policy.words.session} with somebody, "
                             "they stand here.")
    zone = runtime.zone(programme.zone_name, work)
    if page.shown:
        members.zone_line(zone, work.now)
    for each in page.shown:
        members.member(each, programme, zone, work)
    page.turn()

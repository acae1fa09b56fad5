"""The practitioners whom a client can turn to, those free soonest first (A2)."""

import streamlit as st

from core.people.members import contacts
from ui import here, members, navigation, runtime
from ui.format import plain

with runtime.reading() as work:
    programme = here.programme(work)
    st.title(plain(navigation.BY_NAME["contacts"].called(programme.policy.words)))
    listed = contacts(work, programme.id)
    text = members.find("Name or skill") if listed else ""
    page = members.page(listed, text)
    if not page.shown:
        members.nobody(text, f"No {programme.policy.words.practitioner} is free in the next four weeks. "
                             "Look again tomorrow, or ask those who run the programme.")
    zone = runtime.zone(programme.zone_name, work)
    for each in page.shown:
        members.contact(each, programme, zone, work)
    page.turn()

"""The frame around every screen: the menu, the programme, quick search, notices, signing out."""

import streamlit as st

from core.notifications.queries import unread_count
from core.permissions import may
from ui import feedback, here, navigation, quick, runtime

st.set_page_config(page_title="Portal", page_icon="🗓️", layout="wide")
here.apply_switch()
with runtime.reading() as work:
    programme = here.choose(work)
    sections: dict[str, list[st.Page]] = {}
    for screen in navigation.SCREENS:
        if screen.needs is None or (programme is not None and may(work, screen.needs, programme.id)):
            sections.setdefault(screen.section, []).append(screen.page())
    page = st.navigation(sections, expanded=True)
    if programme is not None:
        quick.search(work, programme.id)
    unread = unread_count(work)
    name = work.actor.name

with st.sidebar:
    with st.container(key="who"):
        st.caption(name + (f" · {unread} new {'notice' if unread == 1 else 'notices'}" if unread else ""))
        if st.button("Sign out", icon=":material/logout:", type="tertiary"):
            runtime.sign_out()

feedback.show()
page.run()

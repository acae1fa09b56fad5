"""The frame around every screen: the menu, the programme, quick search, notices, signing out."""

from pathlib import Path

import streamlit as st

from core.notifications.queries import unread_count
from core.permissions import may
from ui import addresses, feedback, here, navigation, panel, quick, runtime
from ui.format import plain

ASSETS = Path(__file__).parent / "assets"

st.set_page_config(page_icon="🗓️", layout="wide")
here.apply_switch()
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(ASSETS / f"logo-{theme}.svg", size="large", icon_image=ASSETS / f"mark-{theme}.svg")
st.html(ASSETS / "portal.css")
with runtime.reading() as work:
    programme = here.choose(work)
    words = programme.policy.words if programme is not None else navigation.USUAL
    sections: dict[str, list[st.Page]] = {}
    for screen in navigation.SCREENS:
        if screen.open_to(lambda action: programme is not None and may(work, action, programme.id)):
            sections.setdefault(screen.section, []).append(screen.page(words))
    page = st.navigation(sections, expanded=True)
    unread = unread_count(work)
    name = work.actor.name

st.set_page_config(page_title=f"{page.title} · Portal")
navigation.tidy(page)
if panel.moved_to(navigation.place(page)):
    panel.close()
    feedback.moved()
    quick.forget()
    addresses.forget()
if programme is not None:
    quick.search(programme)
with st.sidebar.container(key="who", gap="xsmall"):
    if unread and page.url_path:  # the home page shows them itself
        st.page_link(
            navigation.BY_NAME["home"].page(), icon=":material/notifications:",
            label=f"{unread if unread < 100 else 'More than 99'} new {'notice' if unread == 1 else 'notices'}",
        )
    st.caption(f"Signed in as {plain(name)}")
    if st.button("Sign out", icon=":material/logout:", type="tertiary"):
        runtime.sign_out()
    st.html(f"<script>{navigation.LEAVING}</script>", unsafe_allow_javascript=True)

feedback.show()
page.run()

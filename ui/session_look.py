"""The panel that shows one session over a screen: its facts, notes, who takes part, and what can be done."""

import streamlit as st

from core.attending.queries import afterwards
from ui import navigation, panel, runtime, worksheet
from ui.afterwards import notes
from ui.format import labels, status_badge
from ui.session_panel import About, body, open_

NAME = "look"


def open_look(session_id: int) -> None:
    """Open it; for a button's `on_click`."""
    open_(NAME, session_id)


def _draw(about: About) -> None:
    sheet, programme = about.sheet, about.programme
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(" ".join(status_badge(each) for each in labels(sheet.row)), width="content")
        st.page_link(navigation.BY_NAME["worksheet"].page(), query_params={"session": str(about.id)},
                     label="Worksheet", icon=":material/open_in_new:", width="content")
    after = afterwards(about.work, about.id)
    with st.container(horizontal=True):
        worksheet.buttons(about.work, sheet, programme, after, NAME)
    zone = runtime.zone(programme.zone_name, about.work)
    worksheet.facts(about.work, sheet, programme)
    notes(sheet, after, zone)
    worksheet.participants(sheet, programme, zone, after, acting=False)


def show(title: str) -> None:
    """Draw the panel, if it is open. Screens that open it call this at their end."""
    panel.show(f"session-{NAME}", title, body(NAME, _draw))

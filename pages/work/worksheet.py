"""One session whole: what it is, who takes part, what can be done with it, and what happened to it."""

import streamlit as st

from core.attending import queries as attending
from core.errors import NotFound
from core.programmes.queries import programme_of
from core.sessions import queries
from ui import afterwards, here, navigation, runtime, series, session_panels, worksheet

session_id = navigation.asked_id("session")
with runtime.reading() as work:
    try:
        sheet = queries.worksheet(work, session_id or 0)
    except NotFound as refusal:
        st.title("Not found")
        st.info(refusal.sentence)
        session_panels.show()  # the one that has just deleted it leads away from here
        st.stop()
    here.switch_to(work, sheet.programme_id)
    programme = programme_of(work, sheet.programme_id)
    zone = runtime.zone(programme.zone_name, work)
    after = attending.afterwards(work, sheet.row.id)
    worksheet.head(work, sheet, programme, zone, after)
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(border=True):
            worksheet.facts(work, sheet, programme)
        afterwards.notes(sheet, after, zone)
        series.strip(work, sheet, programme)
        worksheet.participants(sheet, programme, zone, after)
        afterwards.disputes(work, sheet, after, zone)
        afterwards.ledger(work, sheet, after, programme, zone)
        worksheet.beside(work, sheet, programme)
        worksheet.origin(sheet, programme, zone)
    with right:
        worksheet.history(work, sheet, zone)
session_panels.show()

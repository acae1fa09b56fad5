"""The viewer's own learning: plan, time, evidence, enrolments, off-the-job time."""

import streamlit as st

from ui import here, learning, runtime

st.title("My learning")
with runtime.reading() as work:
    programme, me = here.programme(work), work.me
learning.show(programme, me)

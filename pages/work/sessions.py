"""sessions."""

import streamlit as st

st.title("sessions")

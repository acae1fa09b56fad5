"""worksheet."""

import streamlit as st

st.title("worksheet")

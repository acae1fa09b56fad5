"""programme."""

import streamlit as st

st.title("programme")

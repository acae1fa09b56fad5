"""book."""

import streamlit as st

st.title("book")

"""A screen that writes one line: what Streamlit and the shell cost and cause by themselves."""

import streamlit as st


def another() -> None:
    st.session_state["line"] = st.session_state.get("line", 1) + 1


st.title("Blank")
if st.query_params.get("line"):
    st.button("Another line", on_click=another)
    st.markdown(f"Line {st.session_state.get('line', 1)}")

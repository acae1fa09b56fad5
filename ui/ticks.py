"""Ticks in a table belong to its lines, not to what stands there: where others come to stand, it is another table."""

from collections.abc import Sequence

import streamlit as st


def key(name: str, ids: Sequence[int]) -> str:
    """The key of a table of these things; a new one, with nothing ticked, as soon as they are others."""
    shown, times = st.session_state.get(f"ticks:{name}", (None, 0))
    if shown != tuple(ids):
        times += 1
        st.session_state[f"ticks:{name}"] = (tuple(ids), times)
    return f"{name}-{times}"

"""Fields that several forms have."""

from typing import Literal
from zoneinfo import available_timezones

import streamlit as st

ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
"""Time zones by place; the others are old names of these."""


def zone(label: str, key: str, otherwise: str = "", *, width: int | Literal["stretch"] = "stretch") -> str | None:
    """A time zone, found by typing; `otherwise` says what holds without one."""
    known = st.session_state.get(key)
    options = ZONES if known in ZONES or known is None else [known, *ZONES]
    return st.selectbox(
        label, options, index=None, key=key, persist_state="session", placeholder=otherwise or "Choose a time zone",
        format_func=lambda name: name.replace("_", " "), width=width,
    )

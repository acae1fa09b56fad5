"""The button by which a list is taken as a file."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

KINDS = {"csv": "CSV", "xlsx": "Excel (XLSX)"}


def offer(
    name: str, said: str | Mapping[str, str | Sequence[str]], caption: str = "", *, key: str = "export"
) -> None:
    """Each kind of file of what is called `name`, narrowed by what the address says."""
    query = said if isinstance(said, str) else urlencode(said, doseq=True)
    with st.popover("Export", icon=":material/download:", key=key, width="content"):
        if caption:
            st.caption(caption)
        for ending, label in KINDS.items():
            st.link_button(label, f"/export/{name}.{ending}?{query}", width="stretch")

"""A list that is at hand whole, shown a page at a time."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import streamlit as st

T = TypeVar("T")


class Turned(Generic[T]):
    """The page that the viewer has turned to, kept under `key`; the last one of a list that has become shorter."""

    def __init__(self, listed: Sequence[T], size: int, key: str) -> None:
        self.key, self.pages = key, max(1, -(-len(listed) // size))
        self.number = min(max(1, int(st.session_state.get(key) or 1)), self.pages)
        self.first = (self.number - 1) * size
        self.shown = list(listed[self.first:self.first + size])

    def turn(self) -> None:
        """The way to the other pages, where there are any."""
        if self.pages > 1:
            if self.key in st.session_state:
                st.session_state[self.key] = self.number
            st.pagination(self.pages, key=self.key, width=400)

"""What a person sees when a screen stops: a refusal as its own sentence, a bug as a reference to report."""

import logging
import secrets

import streamlit as st

from core.errors import Refusal
from ui import runtime

log = logging.getLogger(__name__)


def tell(problem: Exception) -> bool:
    """Say it on the screen; a bug goes to the log with the id that the person is shown."""
    if isinstance(problem, Refusal):
        st.warning(problem.sentence)
        return True
    reference = secrets.token_hex(3).upper()
    log.error("reference %s", reference, exc_info=problem)
    saved = "What you did before was saved." if runtime.saved_in_this_run() else "Nothing was saved."
    st.error(f"Something went wrong (reference {reference}). {saved}")
    return True

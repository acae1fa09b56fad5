"""Book a session: who, when, where and what, with everybody's busy times shown before choosing."""

import streamlit as st

from ui import book_form, book_group, planner, repeat, runtime
from ui.format import capital

with runtime.reading() as reading:
    words = book_form.setting(reading).programme.policy.words
st.title(f"Book {words.a('session')}")


@st.fragment
def form() -> None:
    """Reruns by itself, so that choosing people and times is quick."""
    with runtime.reading() as work:
        about = book_form.setting(work)
        filled = book_form.begin(work, about)
        book_form.finish(filled, about)
        if planner.is_open(filled):
            planner.draw(work, filled, about)
            return
        if book_group.is_open(filled, about):
            book_group.draw(work, filled, about)
            return
        book_form.draw(work, filled, about)
    with st.container(horizontal=True):
        if book_form.is_group(filled, about):
            st.button(f"Choose {words.many('learner')}", type="primary", icon=":material/group_add:", key="book-choose",
                      on_click=book_form.choose, args=(filled, about))
        elif repeat.is_on(filled):
            st.button("Plan the dates", type="primary", icon=":material/event_repeat:", key="book-plan",
                      on_click=planner.begin, args=(filled, about))
        else:
            st.button("Book", type="primary", icon=":material/event_available:", key="book-now",
                      on_click=book_form.send, args=(filled, about, False))
            st.button(f"Book, then another {words.session} like it", key="book-on",
                      on_click=book_form.send, args=(filled, about, True))
        st.button("Start over", type="tertiary", key="book-clear", on_click=filled.clear)
    st.caption(f"Fields with * are required. {capital(words.session)} times are in {about.zone}.")


form()

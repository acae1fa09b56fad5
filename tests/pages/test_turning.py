"""Lists shown a page at a time."""

from streamlit.testing.v1 import AppTest


def test_a_list_that_became_shorter_stands_at_its_last_page_and_says_so() -> None:
    def screen() -> None:
        import streamlit as st

        from ui.turning import Turned

        page = Turned(range(st.session_state["many"]), 2, "at")
        st.text(f"{page.shown} of {page.pages}")
        page.turn()

    tab = AppTest.from_function(screen)
    tab.session_state["many"] = 5
    for turned, many, said in ((3, 5, "[4] of 3"), (3, 3, "[2] of 2"), (9, 1, "[0] of 1"), (1, 0, "[] of 1")):
        tab.session_state["at"], tab.session_state["many"] = turned, many
        tab.run()
        assert not tab.exception
        assert tab.text[0].value == said
        if many == 3:
            assert tab.session_state["at"] == 2

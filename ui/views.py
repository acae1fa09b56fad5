"""Saved views: a list kept by name, to be opened with one click."""

import streamlit as st

from core.errors import Refusal
from core.programmes.queries import ProgrammeView
from core.views.commands import delete_view, save_view
from core.views.queries import saved_views
from core.work import Work
from ui import feedback, filters, runtime
from ui.format import plain
from ui.forms import Form

SCREEN = "sessions"


def menu(work: Work, programme: ProgrammeView) -> None:
    """A popover with the viewer's views of this list, and a line to keep the present one."""
    form = Form("view")
    with st.popover("Views", icon=":material/bookmark:", key="views"):
        kept = saved_views(work, programme.id, SCREEN)
        if not kept:
            st.caption("Keep the list as you have filtered and sorted it, and open it again with one click.")
        for view in kept:
            with st.container(horizontal=True, vertical_alignment="center", key=f"view-{view.id}"):
                st.button(
                    plain(view.name), key=f"view-open-{view.id}", type="tertiary", icon=":material/filter_list:",
                    on_click=filters.open_address, args=(view.address,), width="stretch",
                )
                st.button(
                    "Delete", help=f"Delete the view {plain(view.name)}", key=f"view-delete-{view.id}", type="tertiary",
                    icon=":material/delete:", on_click=_delete, args=(view.id,),
                )

        def keep() -> None:
            form.send(save_view, programme.id, SCREEN, form.value("name", ""), filters.address(programme))
            if saved := form.done():
                st.session_state[form.field("name")] = ""  # else the browser keeps what it shows
                feedback.tell(saved)

        st.text_input("Name of the present view", key=form.field("name"), max_chars=60, autocomplete="off")
        form.problem("name", "address")
        form.show_refusal()
        st.button("Save this view", icon=":material/bookmark_add:", key="view-save", on_click=keep)


def _delete(view_id: int) -> None:
    try:
        feedback.tell(runtime.commit(delete_view, view_id))
    except Refusal as refusal:
        feedback.note(refusal.sentence)

"""The second step of booking a group: who takes part (C8). Nothing is booked before it is done."""

import streamlit as st

from core.errors import Invalid
from core.work import Work
from ui import book_form, booking, group, planner, repeat
from ui.format import plain, when
from ui.forms import Form


def is_open(form: Form, about: book_form.Setting) -> bool:
    """Whether the form is at this step; what stands against another field leads back to that field."""
    if isinstance(form.refused(), Invalid) and form.state.get("problems", {}).keys() - {"who"}:
        back(form)
    return form.state.get("step") == "who" and book_form.is_group(form, about)


def back(form: Form) -> None:
    """To the first step, with everything typed and ticked. For a button's `on_click`."""
    form.state.pop("step", None)


def draw(work: Work, form: Form, about: book_form.Setting) -> None:
    """Learners to tick, how many are, and what to do next."""
    words, at = about.programme.policy.words, booking.chosen(form, about.zone)
    ticked, most = group.chosen(form), int(form.value("places"))
    st.markdown(f"**Who takes part?** {when(at.starts_at, at.ends_at, about.zone)}")
    with st.container(border=True):
        group.pick(work, form, about.programme, (at.starts_at, at.ends_at))
    if form.busy is not None:
        st.error(f"{plain(form.busy.sentence)} Nothing is booked yet.", icon=":material/event_busy:")
    else:
        form.show_refusal()
    form.problem("who")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Plan the dates" if repeat.is_on(form) else "Continue", type="primary",
                  icon=":material/event_available:", key="book-group", on_click=_continue, args=(form, about))
        if names := group.without(form, ticked):
            st.button(f"Book without {plain(group.and_(names))}", key="book-without",
                      on_click=_continue, args=(form, about, True))
        st.button("Back", icon=":material/arrow_back:", key="book-back", on_click=back, args=(form,))
        st.markdown(f"{len(ticked)} of {most} chosen", width="content")
    if not repeat.is_on(form):
        st.caption(f"*Continue* books the {words.session}. Places left over can be given later.")


def _continue(form: Form, about: book_form.Setting, without_busy: bool = False) -> None:
    words, ticked, most = about.programme.policy.words, group.chosen(form), int(form.value("places"))
    if not ticked:
        form.fail({"who": f"Tick at least one {words.learner}."})
    elif len(ticked) > most:
        form.fail({"who": f"{len(ticked)} are chosen, and the number of {words.many('learner')} is {most}. Untick some,"
                          " or go back and raise the number."})
    elif repeat.is_on(form):
        planner.begin(form, about)
    else:
        book_form.send(form, about, stay=False, without_busy=without_busy)

"""Groups, whose members may be granted sight of each other's completed sessions: their list, forms and members."""

import pandas as pd
import streamlit as st

from core.people.groups import (
    PAGE,
    InIt,
    Page,
    add_group,
    delete_group,
    grant_sight,
    group,
    group_members,
    group_page,
    join_group,
    leave_group,
    rename_group,
)
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from ui import feedback, panel, people_picker, runtime
from ui.format import plain
from ui.forms import Form

_RENAME, _MEMBERS, _DELETE = "Rename", "Members", "Delete"
_AT, _ASKED, _ACTED = "groups-page", "groups-asked", "groups-acted"


def screen(programme: ProgrammeView) -> None:
    """The list, with what can be done to each."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Groups", width="content")
        st.button("Add a group", type="primary", icon=":material/add:", key="people-group-add",
                  on_click=panel.open_, args=("people-group-new", programme.id))
    text = st.text_input("Search", key="groups-text", placeholder="Its name, or somebody's in it", autocomplete="off",
                         width=320)
    if st.session_state.get(_ASKED) != text:  # another list begins at its first page
        st.session_state[_ASKED], st.session_state[_AT] = text, 1
    with runtime.reading() as work:
        page = group_page(work, programme.id, text=text, number=st.session_state[_AT])
    if page.rows:
        _table(programme, page)
    elif text:
        st.info("No group is called like that, and nobody in one.", icon=":material/search_off:")
    else:
        st.info("There is no group yet. Add the first one.", icon=":material/playlist_add:")
    panel.show("people-group-new", "Add a group", _new)
    panel.show("people-group-rename", "Rename", _rename)
    panel.show("people-group-members", "Members", _members)


def _table(programme: ProgrammeView, page: Page) -> None:
    sessions, first = programme.policy.words.many("session"), (page.number - 1) * PAGE + 1
    st.caption(f"{first}–{first + len(page.rows) - 1} of {page.total:,}. Members see the completed {sessions}, without"
               " notes, of those in their group who share them. A group can be deleted once nobody is in it.")
    if page.pages > 1:
        st.pagination(page.pages, key=_AT, width=400)
    frame = pd.DataFrame({
        "Name": [each.name for each in page.rows], "Members": [each.members for each in page.rows],
        "Sharing": [each.granting for each in page.rows],
        "Change": [[_MEMBERS, _RENAME, *([] if each.members else [_DELETE])] for each in page.rows],
    })
    st.dataframe(
        frame, hide_index=True, height="content", key="groups-table", alt=f"Groups of {programme.name}",
        column_config={
            "Sharing": st.column_config.NumberColumn(
                help=f"How many of them let the others see their completed {sessions}"),
            "Change": st.column_config.ButtonColumn("Change", key="people-group-action", on_click=_clicked, args=(
                programme.id, [each.id for each in page.rows])),
        },
    )


def _clicked(programme_id: int, ids: list[int]) -> None:
    click = st.session_state["people-group-action"]
    id_ = ids[click["row"]]
    if click["label"] == _DELETE:
        feedback.act(delete_group, id_)
    else:
        name = "people-group-members" if click["label"] == _MEMBERS else "people-group-rename"
        panel.open_(name, programme_id, id_)


def _new(programme_id: int) -> None:
    form = Form(f"people-group-new-{programme_id}")
    panel.finish(form)
    _name(form)
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_new, args=(form, programme_id))


def _rename(programme_id: int, group_id: int) -> None:
    form = Form(f"people-group-rename-{group_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = group(work, programme_id, group_id)
    if known is None:
        st.info("This is not in the list any more.")
        return
    form.preset("name", known.name)
    _name(form)
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_name, args=(form, group_id))


def _name(form: Form) -> None:
    st.text_input("Name", key=form.field("name"), autocomplete="off")
    form.problem("name")
    form.show_refusal()


def _send_new(form: Form, programme_id: int) -> None:
    form.send(add_group, programme_id, form.value("name") or "")


def _send_name(form: Form, group_id: int) -> None:
    form.send(rename_group, group_id, form.value("name") or "")


# Members -----------------------------------------------------------------------------------------------------------


def _members(programme_id: int, group_id: int) -> None:
    form = Form(f"people-group-members-{group_id}")
    if saved := form.done():  # the panel stays for the next one
        feedback.tell(saved)
        st.rerun()
    if st.session_state.pop(_ACTED, False):
        st.rerun()
    with runtime.reading() as work:
        known = group(work, programme_id, group_id) if may(work, Action.PEOPLE_EDIT, programme_id) else None
        if known is None:
            st.info("This is not in the list any more.")
            return
        sessions = programme_of(work, programme_id).policy.words.many("session")
        listed = group_members(work, programme_id, group_id)
        st.subheader(plain(known.name))
        st.caption(f"Whoever is ticked lets the others see their completed {sessions}, without notes." if listed
                   else "Nobody is in it yet.")
        for one in listed:
            _member(one)
        st.subheader("Add somebody")
        people_picker.person(work, programme_id, None, "Person", form.field("person"))
        form.problem("person")
    st.checkbox(f"The others may see this person's completed {sessions}", key=form.field("granted"))
    form.show_refusal()
    st.button("Add to the group", type="primary", key=form.field("save"), on_click=_send_member, args=(form, group_id))


def _member(one: InIt) -> None:
    key = f"people-group-grants-{one.membership_id}"
    st.session_state[key] = one.granted  # what is stored, also where a tick was refused or undone
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.checkbox(f"**{plain(one.name)}** shares", key=key, width="content", on_change=_ticked,
                    args=(one.membership_id, not one.granted))
        st.button("Take out", key=f"people-group-leave-{one.membership_id}", type="tertiary", icon=":material/logout:",
                  on_click=_taken_out, args=(one.membership_id,))


def _ticked(membership_id: int, granted: bool) -> None:
    st.session_state[_ACTED] = True
    feedback.act(grant_sight, membership_id, granted)


def _taken_out(membership_id: int) -> None:
    st.session_state[_ACTED] = True
    feedback.act(leave_group, membership_id)


def _send_member(form: Form, group_id: int) -> None:
    if (person := form.value("person")) is None:
        form.fail({"person": "Type a name and choose the one that is meant."})
    else:
        form.send(join_group, group_id, person, bool(form.value("granted")))

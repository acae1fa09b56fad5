"""Who runs a programme: granting, changing and revoking roles."""

import streamlit as st

from core.permissions import TICKABLE, Action
from core.programmes.commands import grant_role, revoke_role
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.programmes.staff import GrantRow, staff_grants
from core.words import Role
from ui import feedback, navigation, panel, people_picker, runtime
from ui.format import capital, plain
from ui.forms import Form

EXPLAINED = {
    Role.MASTER_ADMIN: "Everything in the programme, its policy and roles.",
    Role.BASIC_ADMIN: "Sessions and people.",
    Role.CURRICULUM_MANAGER: "As basic admin, and courses, timetables, rooms and teams, and figures.",
    Role.CUSTOM_MANAGER: "Sees the sessions, and does what you tick.",
    Role.INSIGHT_VIEWER: "Figures and the lists behind them; changes nothing.",
}
"""Roles of those who run a programme, and what each may do."""


def show(programme: ProgrammeView) -> None:
    """Everybody who runs the programme, by role."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header("Who runs the programme", width="content")
        st.button("Grant a role", type="primary", icon=":material/add_moderator:", key="role-grant",
                  on_click=panel.open_, args=("role-new", programme.id))
    with runtime.reading() as work:
        grants = staff_grants(work, programme.id)
    for role, explained in EXPLAINED.items():
        held = [grant for grant in grants if grant.role is role]
        with st.container(border=True, gap="xsmall", key=f"role-{role.replace(' ', '-')}"):
            st.markdown(f"**{capital(role)}**")
            st.caption(_in_words(explained, programme.policy.words))
            if not held:
                st.caption("Nobody.")
            for grant in held:
                _grant(programme, grant)


def _grant(programme: ProgrammeView, grant: GrantRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(navigation.BY_NAME["person"].page(), query_params={"person": str(grant.person_id)},
                     label=plain(grant.name), icon=":material/person:")
        st.markdown(plain(grant.email or "no e-mail address"), width="content")
        if grant.role is Role.CUSTOM_MANAGER:
            st.button("Change what is ticked", type="tertiary", icon=":material/checklist:",
                      key=f"ticks-{grant.id}", on_click=panel.open_, args=("role-ticks", programme.id, grant.person_id))
        st.button("Revoke", type="tertiary", icon=":material/remove_moderator:", key=f"revoke-{grant.id}",
                  on_click=feedback.act, args=(revoke_role, programme.id, grant.person_id, grant.role))
    if grant.role is Role.CUSTOM_MANAGER:
        ticked = [_in_words(str(action), programme.policy.words)
                  for action in TICKABLE if action.name in grant.permissions]
        st.caption("May " + (", ".join(ticked) if ticked else "do nothing yet"))


def panels(programme: ProgrammeView) -> None:
    """Whatever is open over the roles."""
    panel.show("role-new", "Grant a role", _new)
    panel.show("role-ticks", "What a custom manager may do", _change_ticks)


def _in_words(said: str, words: Words) -> str:
    """What is said of sessions, teams and courses, in the programme's own words."""
    for which in ("session", "team", "course"):
        for usual, own in ((f"{which}s", words.many(which)), (f"{which}s".capitalize(), capital(words.many(which)))):
            said = said.replace(usual, own)
    return said


def _new(programme_id: int) -> None:
    form = Form(f"role-new-{programme_id}")
    panel.finish(form)
    with runtime.reading() as work:
        people_picker.person(work, programme_id, None, "Who", form.field("person"))
        words = programme_of(work, programme_id).policy.words
    form.problem("person")
    st.caption("Somebody who is not in the programme yet is added under People first.")
    form.preset("role", Role.BASIC_ADMIN)
    st.radio("Role", list(EXPLAINED), key=form.field("role"), format_func=capital,
             captions=[_in_words(each, words) for each in EXPLAINED.values()])
    form.problem("role")
    if form.value("role") == Role.CUSTOM_MANAGER:
        _ticks(form, words)
    form.show_refusal()
    st.button("Grant", type="primary", key=form.field("save"), on_click=_send, args=(form, programme_id))


def _change_ticks(programme_id: int, person_id: int) -> None:
    form = Form(f"role-ticks-{programme_id}-{person_id}")
    panel.finish(form)
    with runtime.reading() as work:
        words = programme_of(work, programme_id).policy.words
        grant = next((each for each in staff_grants(work, programme_id)
                      if each.person_id == person_id and each.role is Role.CUSTOM_MANAGER), None)
    if grant is None:
        st.info("This person is not custom manager any more.")
        return
    st.markdown(f"**{plain(grant.name)}** sees the sessions of the programme, and may:")
    form.opened_with(panel.key(), {action.name: action.name in grant.permissions for action in TICKABLE})
    form.preset("role", Role.CUSTOM_MANAGER)
    form.preset("person", person_id)
    _ticks(form, words)
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send, args=(form, programme_id))


def _ticks(form: Form, words: Words) -> None:
    for action in TICKABLE:
        st.checkbox(_in_words(_plainly(action), words), key=form.field(action.name))
    form.problem("permissions")


def _plainly(action: Action) -> str:
    return capital(str(action).replace("this session", "sessions").replace("this programme", "the programme"))


def _send(form: Form, programme_id: int) -> None:
    person_id, role = form.value("person"), form.value("role")
    if person_id is None:
        form.fail({"person": "Type a name and choose who it is."})
        return
    ticked = [action.name for action in TICKABLE if form.value(action.name)] if role == Role.CUSTOM_MANAGER else None
    was = None if form.opened is None else [name for name, on in form.opened.items() if on]
    form.send(grant_role, programme_id, person_id, role, ticked, was)

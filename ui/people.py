"""The list of people: its filters, its table, and the panels for adding and inviting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core.access.commands import invite
from core.access.rules import INVITATION_LASTS, PASSWORD_LINK_LASTS
from core.clock import when_words
from core.people.commands import NewPerson, add_people
from core.people.queries import PeoplePage, PersonRow, PersonState, names
from core.people.visible import reads_contacts, roles_seen
from core.permissions import Action, may
from core.programmes.commands import ORDINARY, called
from core.programmes.queries import ProgrammeView, programme_of
from core.words import Role
from core.work import Work
from ui import enrolling, feedback, fields, here, navigation, panel, people_picker, runtime, ticks
from ui.format import capital, plain
from ui.forms import Form

_TABLE, _LEFT = "people-table", "people:left"
_ASKED = ("find", "role", "account")
"""Filters, as the address calls them."""
_ORDER = ("sort", "order")
_HEADING = "people:heading"
_SORTED_BY = {"Name": "name", "E-mail": "email"}
"""Headings that sort, over everybody and not the page shown."""
STATE_WORDS = {
    PersonState.ACTIVE: "active", PersonState.INVITED: "no password yet", PersonState.OFF: "switched off",
}


GRANTED = (Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.CURRICULUM_MANAGER, Role.INSIGHT_VIEWER)
"""Roles that a master admin gives; a custom manager's comes with ticks, in the settings."""


@dataclass(frozen=True)
class Rights:
    """What the viewer may do with the people of a programme."""

    reads_contacts: bool
    edits: bool
    invites: bool
    enrols: bool = False


def rights(work: Work, programme: ProgrammeView) -> Rights:
    """Asked once for the whole screen."""
    return Rights(
        reads_contacts(work, programme.id),
        may(work, Action.PEOPLE_EDIT, programme.id) and not programme.retired,
        may(work, Action.PERSON_INVITE, programme.id) and reads_contacts(work, programme.id),
        may(work, Action.LEARNING_EDIT, programme.id) and not programme.retired,
    )


def head(programme: ProgrammeView, may_do: Rights) -> None:
    """Title left, *Add person* right."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("People", width="content")
        if may_do.edits:
            st.button("Add person", type="primary", icon=":material/person_add:", on_click=panel.open_,
                      args=("person-new", programme.id))


def filters(work: Work, programme: ProgrammeView, may_do: Rights) -> dict[str, Any]:
    """A row of filters, kept in the address."""
    _as_it_was_left(programme)
    seen = roles_seen(work, programme.id)
    roles = {capital(called(programme, role)): role for role in Role if role in seen}
    states = {capital(words): state for state, words in STATE_WORDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find", key="find", type="search", bind="query-params", on_change=_first_page, icon=":material/search:",
            placeholder="Name, e-mail or phone" if may_do.reads_contacts else "Name", width=320,
        )
        role = st.selectbox("Role", list(roles), index=None, key="role", bind="query-params",
                            on_change=_first_page, placeholder="Any role", width=200)
        state = st.selectbox(
            "Account", list(states), index=None, key="account", bind="query-params",
            on_change=_first_page, placeholder="All but switched off", width=220,
        ) if may_do.reads_contacts else None
    st.session_state[_LEFT] = (
        programme.id, {name: st.session_state.get(name) for name in (*_ASKED, "at")},
        {name: st.query_params[name] for name in _ORDER if name in st.query_params},
    )
    return {"text": text or "", "role": roles.get(role or ""), "state": states.get(state or "")}


def _as_it_was_left(programme: ProgrammeView) -> None:
    """Coming back finds the list as it was left; another programme starts afresh, and a link says itself what it is."""
    left, asked, order = st.session_state.get(_LEFT, (0, {}, {}))
    if "find" in st.session_state or left != programme.id or any(
        name in st.query_params for name in (*_ASKED, *_ORDER, "at")
    ):
        return
    st.query_params.update(order)
    for name, value in asked.items():
        if value is not None:
            st.session_state[name] = value


def order() -> dict[str, Any]:
    """What the list is sorted by."""
    sort = st.query_params.get("sort", "name")
    return {"sort": sort if sort in _SORTED_BY.values() else "name", "down": st.query_params.get("order") == "down"}


def page_number() -> int:
    """The page that the address asks for."""
    said = st.session_state.get("at", st.query_params.get("at", "1"))
    return max(1, min(int(said), 1_000_000)) if str(said).isdecimal() and len(str(said)) < 9 else 1


def _first_page() -> None:
    st.session_state["at"] = 1


def table(page: PeoplePage, programme: ProgrammeView, may_do: Rights) -> list[PersonRow]:
    """The rows of a page; a click on one opens the profile. Returns those that are ticked."""
    if not page.rows:
        _nobody(may_do)
        return []
    zone = runtime.zone(programme.zone_name)
    columns: dict[str, list[Any]] = {
        "Name": [row.name for row in page.rows],
        "Roles": [[capital(called(programme, role)) for role in row.roles] for row in page.rows],
    }
    if any(row.teams for row in page.rows):
        columns[capital(programme.policy.words.team)] = [", ".join(row.teams) for row in page.rows]
    if may_do.reads_contacts:
        columns["E-mail"] = [row.email for row in page.rows]
        columns["Account"] = [STATE_WORDS[row.state] if row.state else "" for row in page.rows]
    columns[f"Next {programme.policy.words.session}"] = [
        when_words(row.next_at, zone) if row.next_at else "" for row in page.rows
    ]
    modes: list[Any] = ["single-column", "single-cell"]
    key = ticks.key(f"{_TABLE}-{st.session_state.setdefault(_HEADING, 0)}", [row.id for row in page.rows])
    chosen = st.dataframe(
        pd.DataFrame(columns), hide_index=True, height="content", key=key, on_select=lambda: _sort(key),
        selection_mode=["multi-row", *modes] if may_do.invites or may_do.enrols else modes,
        alt=f"People of {programme.name}, page {page.number} of {page.pages}",
        column_config={
            "Name": st.column_config.TextColumn(_arrowed("Name"), width="medium"),
            "E-mail": st.column_config.TextColumn(_arrowed("E-mail")),
            "Roles": st.column_config.ListColumn(width="medium"),
        },
    )
    for line, _ in chosen.selection.cells:
        if line < len(page.rows):
            navigation.open_person(page.rows[line].id)
    return [page.rows[line] for line in chosen.selection.rows if line < len(page.rows)]


def _arrowed(heading: str) -> str:
    """The heading, with an arrow where the list is sorted by it."""
    asked = order()
    return f"{heading} {'↓' if asked['down'] else '↑'}" if asked["sort"] == _SORTED_BY[heading] else heading


def _sort(key: str) -> None:
    """Sort by the heading that was clicked; by the present one again, the other way round."""
    heading = next(iter(st.session_state[key]["selection"]["columns"]), None)
    if heading is None:
        return
    st.session_state[_HEADING] += 1  # another table, in which no heading is selected
    if by := _SORTED_BY.get(heading):
        asked = order()
        down = asked["sort"] == by and not asked["down"]
        for name, value, usual in (("sort", by, "name"), ("order", "down" if down else "up", "up")):
            if value != usual:
                st.query_params[name] = value
            else:
                st.query_params.pop(name, None)
        _first_page()


def _nobody(may_do: Rights) -> None:
    if any(st.session_state.get(key) for key in _ASKED):
        with st.container(border=True):
            st.markdown("Nobody matches.")
            st.button("Show everybody", icon=":material/filter_alt_off:", on_click=_no_filters)
    elif page_number() > 1:
        st.info("There is no such page any more.", icon=":material/info:")
        st.button("First page", on_click=_first_page)
    else:
        st.info("Nobody is here yet." + (" Start with *Add person*." if may_do.edits else ""), icon=":material/group:")


def _no_filters() -> None:
    st.session_state.update({"find": "", "role": None, "account": None, "at": 1})


def ticked(picked: Sequence[PersonRow], programme: ProgrammeView, may_do: Rights) -> None:
    """What can be done with those ticked."""
    if not picked:
        return
    learners = [row.id for row in picked if Role.LEARNER in row.roles]
    if may_do.enrols and learners:
        st.button(f"Enrol {len(learners)} selected", icon=":material/how_to_reg:", on_click=panel.open_,
                  args=("enrol", programme.id, *learners))
    if not may_do.invites:
        return
    waiting = [row for row in picked if row.state is PersonState.INVITED and row.email]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Invite {len(waiting)} selected", icon=":material/mail:", on_click=panel.open_,
            args=("invite", *(row.id for row in waiting)), disabled=not waiting,
        )
        if left := len(picked) - len(waiting):
            st.caption(f"{left} of those ticked {'has' if left == 1 else 'have'} a password already, no e-mail"
                       " address, or a switched-off account.")


def below(page: PeoplePage, may_do: Rights) -> None:
    """How many there are, and the pages."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        count = f"{page.total:,} {'person' if page.total == 1 else 'people'}"
        hint = " · click a name for the profile" if page.rows else ""
        ways = " or ".join(way for way, may in (("invite", may_do.invites), ("enrol", may_do.enrols)) if may)
        ticks = f", tick to {ways}" if page.rows and ways else ""
        st.caption(count + hint + ticks, width="content")
        if page.pages > 1:
            st.pagination(page.pages, key="at", bind="query-params", width=320)


def panels(programme: ProgrammeView) -> None:
    """Whatever is open over the list."""
    panel.show("person-new", "Add person", _add)
    panel.show("invite", "Invitations", show_links)
    enrolling.panels()


def _add(programme_id: int) -> None:
    form = Form("person-new")
    if saved := form.done():
        feedback.tell(saved, person_id=saved.result[0])
        panel.close()
        st.rerun()
    with runtime.reading() as work:
        programme = programme_of(work, programme_id)
        words = programme.policy.words
        st.text_input("Name", key=form.field("name"), autocomplete="off")
        form.problem("name")
        st.text_input("E-mail", key=form.field("email"), autocomplete="off",
                      help="Needed to sign in. Leave it empty for somebody who never will.")
        form.problem("email")
        st.text_input("Phone", key=form.field("phone"), autocomplete="off")
        form.problem("phone")
        known = [*ORDINARY, *(GRANTED if may(work, Action.ROLES_GRANT, programme_id) else ())]
        st.pills("Roles", known, selection_mode="multi", key=form.field("roles"), wrap=True,
                 format_func=lambda role: capital(called(programme, role)))
        form.problem("roles")
        if Role.LEARNER in (form.value("roles") or ()):
            people_picker.team(work, programme_id, f"{capital(words.team)} (optional)", form.field("team"))
            form.problem("teams")
        fields.zone("Time zone", form.field("zone"), f"As the programme: {programme.zone_name}")
        form.problem("zone")
    form.show_refusal()
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_add, args=(programme_id,))
    st.caption("Nobody is told yet. Invite people from the list when you are ready.")


def _send_add(programme_id: int) -> None:
    form = Form("person-new")
    team = form.value("team")
    roles = tuple(form.value("roles") or ())
    form.send(add_people, programme_id, [NewPerson(
        name=form.value("name", ""), email=form.value("email") or None, phone=form.value("phone") or None,
        zone=form.value("zone"), roles=roles,
        team_ids=(team,) if team is not None and Role.LEARNER in roles else (),
    )])


def show_links(*person_ids: int, command: Callable[..., list[int]] = invite) -> None:
    """Make invitations (or password links) once that is confirmed, and show each once, to be handed over."""
    wanted = f"links-wanted-{panel.key()}"
    if wanted not in st.session_state:
        one = len(person_ids) == 1
        st.markdown(f"{'A link' if one else 'Links'} to choose a password, for you to hand over. Nobody is written to."
                    f" {'An older one stops' if one else 'Older ones stop'} working at once.")
        st.button("Make 1 link" if one else f"Make {len(person_ids)} links", type="primary", key="links-make",
                  on_click=lambda: st.session_state.update({wanted: True}))
        return
    links: dict[int, str] = {}
    with feedback.refusals():
        links = runtime.one_time_links(command, person_ids, key=panel.key())
    if not links:
        return
    with runtime.reading() as work:
        named = names(work, here.programme(work).id, person_ids)
    st.markdown(
        f"Hand {'this link' if len(links) == 1 else 'each link'} over yourself, by mail or message. It works once,"
        f" for {_lasts(command)}, to choose a password. It is shown only here; making a new one ends it."
    )
    for id_, link in links.items():
        st.markdown(f"**{plain(named.get(id_, ''))}**")
        st.code(link, language=None, wrap_lines=True)
    if len(links) > 1:
        st.markdown("**All of them, to copy at once**")
        st.code("\n".join(f"{named.get(id_, '')}: {link}" for id_, link in links.items()), language=None)
    st.button("Done", type="primary", on_click=panel.close)


def _lasts(command: Callable[..., list[int]]) -> str:
    if command is invite:
        return f"{INVITATION_LASTS.days} days"
    return f"{PASSWORD_LINK_LASTS // timedelta(hours=1)} hours"

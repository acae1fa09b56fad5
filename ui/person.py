"""The parts of a profile: facts, ties, sessions, and the panels that change them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.access.commands import make_password_link, sign_out_everywhere
from core.people.commands import (
    FIELDS,
    OWN_FIELDS,
    PersonEdit,
    disable_people,
    edit_own_profile,
    edit_people,
    enable_people,
    join_team,
    leave_team,
    relate,
    unrelate,
)
from core.people.members import contact_at
from core.people.queries import PersonState, Profile, Tied, profile
from core.permissions import Action, may
from core.programmes.commands import ORDINARY, called, grant_role, revoke_role
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.queries import Row
from core.words import Role, Tie
from ui import feedback, fields, navigation, panel, people, people_picker, runtime, stale
from ui.format import capital, labels, plain, status_badge, when, who, zone_words
from ui.forms import Form

Programmes = Mapping[int, ProgrammeView]


def nobody() -> None:
    """For an address that leads to nobody the viewer may see."""
    st.title("Nobody here")
    st.info("This person does not exist, or you may not see them.", icon=":material/person_off:")
    st.page_link(navigation.BY_NAME["home"].page(), label="To the home page", icon=":material/home:")


# What is shown -----------------------------------------------------------------------------------------------------


def head(shown: Profile, programmes: Programmes) -> None:
    """The name with the roles, and what can be done, *Book* first."""
    off = shown.state is PersonState.OFF
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(plain(shown.name), width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            _actions(shown)
            if not (off or shown.is_me):
                _book(shown, programmes)
    badges = [
        f":gray-badge[{plain(capital(called(programmes[each.programme_id], role)))}]"
        + (f" in {plain(each.programme)}" if len(programmes) > 1 else "")
        for each in shown.roles if each.programme_id in programmes for role in each.roles
    ]
    if off:
        badges.append(":red-badge[:material/block: switched off]")
    st.markdown(" ".join(badges) if badges else "No role here.")


def _book(shown: Profile, programmes: Programmes) -> None:
    """*Book*, or for a client *Contact*, which somebody who is not available to them has not (A2)."""
    booked = _booked_as(shown, programmes)
    if booked is None:
        return
    programme, field, is_client = booked
    if not is_client:
        label = f"Book {programme.policy.words.a('session')}"
    else:
        with runtime.reading() as work:
            free_at = contact_at(work, programme.id, shown.id)
        if free_at is None:
            st.caption("Not available at present.")
            return
        label = "Contact"
    if st.button(label, type="primary", icon=":material/forum:" if is_client else ":material/event_available:"):
        st.session_state["switch"] = programme.name
        asked: dict[str, str | int] = {field: shown.id}
        navigation.go("book", **asked)


def _booked_as(shown: Profile, programmes: Programmes) -> tuple[ProgrammeView, str, bool] | None:
    """In which programme and as what the viewer can book this person, and whether for themself alone.

    Where the viewer works now, if possible.
    """
    here = st.session_state.get("here")
    mine = [each for each in sorted(shown.roles, key=lambda each: each.programme_id != here)
            if each.programme_id in programmes and not programmes[each.programme_id].retired]
    with runtime.reading() as work:
        for each in mine:
            if may(work, Action.SESSION_BOOK, each.programme_id, but=Role.LEARNER):
                for role in (Role.LEARNER, Role.PRACTITIONER):
                    if role in each.roles:
                        return programmes[each.programme_id], role.value, False
            elif Role.PRACTITIONER in each.roles and may(work, Action.CONTACT, each.programme_id):
                return programmes[each.programme_id], "practitioner", True
    return None


def _actions(shown: Profile) -> None:
    options: dict[str, Callable[[], None]] = {}
    if shown.is_me or Action.PEOPLE_EDIT in shown.may:
        st.button("Edit", icon=":material/edit:", on_click=panel.open_, args=("person-edit", shown.id))
    if shown.is_me:
        return
    if Action.PERSON_INVITE in shown.may and shown.email and shown.state is not PersonState.OFF:
        if shown.state is PersonState.INVITED:
            options["Invite"] = lambda: panel.open_("person-invite", shown.id)
        else:
            options["Make a password link"] = lambda: panel.open_("person-link", shown.id)
    if Action.PERSON_DISABLE in shown.may:
        if shown.state is PersonState.OFF:
            options["Switch the account on"] = lambda: feedback.act(enable_people, [shown.id])
        else:
            options["Sign out everywhere"] = lambda: feedback.act(sign_out_everywhere, [shown.id], final=True)
            options["Switch the account off"] = lambda: panel.open_("person-off", shown.id)
    if options:
        def chosen() -> None:
            word = st.session_state.get("person-account")
            if word in options:
                options[word]()

        st.menu_button("Account", list(options), key="person-account", icon=":material/manage_accounts:",
                       on_click=chosen)


def facts(shown: Profile, programmes: Programmes) -> None:
    """What is known of the person, as far as the viewer may read it."""
    said: dict[str, str] = {}
    if shown.reads_contacts:
        said["E-mail"] = plain(shown.email) or "none: cannot sign in"
        said["Phone"] = plain(shown.phone) or "none"
        said["Time zone"] = plain(shown.zone.replace("_", " ")) or "that of each programme"
        said["Account"] = people.STATE_WORDS[shown.state] if shown.state else ""
        if shown.created_at:
            said["Known since"] = f"{shown.created_at:%-d %B %Y}"
    if shown.about:
        said["About"] = plain(shown.about)
    if said:
        st.table(said, border="horizontal", width="content", alt=f"Facts about {shown.name}")


def ties(shown: Profile, programmes: Programmes) -> None:
    """Roles, adults, learners, teams and groups, programme by programme, with what may be changed."""
    with runtime.reading() as work:
        keeps = [each for each in programmes.values()
                 if may(work, Action.PEOPLE_EDIT, each.id) and each.id in {role.programme_id for role in shown.roles}
                 and not each.retired]
    kept = {each.id for each in keeps}
    if not (shown.relations or shown.teams or shown.groups or keeps):
        return
    left, right = st.columns(2, gap="large")
    with left:
        _relations(shown, programmes, kept)
    with right:
        _teams(shown, programmes, kept)
        if kept:
            _roles(shown, programmes, kept)


def _relations(shown: Profile, programmes: Programmes, kept: set[int]) -> None:
    if shown.relations or kept:
        st.header("Tied to")
    if kept and not shown.relations:
        st.caption("No guardian, line manager, or anybody to look after.")
    for tied in shown.relations:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                navigation.BY_NAME["person"].page(), query_params={"person": str(tied.other_id)},
                label=plain(tied.other), icon=":material/person:",
            )
            st.caption(_tie_words(tied, programmes), width="content")
            if tied.programme_id in kept:
                st.button("Remove", type="tertiary", key=f"untie-{tied.relation_id}", icon=":material/link_off:",
                          on_click=feedback.act, args=(unrelate, tied.relation_id))
    if kept and any(set(each.roles) & {Role.LEARNER, Role.GUARDIAN, Role.LINE_MANAGER} for each in shown.roles):
        st.button("Tie to somebody", icon=":material/link:", on_click=panel.open_, args=("person-tie", shown.id))


def _tie_words(tied: Tied, programmes: Programmes) -> str:
    programme = programmes.get(tied.programme_id)
    learner = programme.policy.words.learner if programme else "learner"
    said = f"{learner} whose {tied.tie} this is" if tied.other_is_learner else str(tied.tie)
    return said + (f" · {plain(programme.name)}" if programme and len(programmes) > 1 else "")


def _teams(shown: Profile, programmes: Programmes, kept: set[int]) -> None:
    learns = {each.programme_id for each in shown.roles if Role.LEARNER in each.roles} & kept
    if shown.teams or shown.groups or learns:
        st.header("Teams and groups" if shown.groups else "Teams")
    if learns and not shown.teams:
        st.caption("In no team.")
    for team in shown.teams:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            until = f" until {team.until_day:%-d %b %Y}" if team.until_day else ""
            st.page_link(navigation.BY_NAME["sessions"].page(), query_params={"team": team.team},
                         label=plain(team.team), icon=":material/groups:")
            st.caption(f"since {team.from_day:%-d %b %Y}{until}", width="content")
            if team.programme_id in kept and team.until_day is None:
                st.button("Leave" if shown.is_me else "Take out of the team", type="tertiary",
                          key=f"leave-{team.membership_id}", icon=":material/logout:",
                          help="Today is the last day. Sessions booked before stay.", on_click=feedback.act,
                          args=(leave_team, team.membership_id))
    for group in shown.groups:
        shares = "shares completed sessions with it" if group.granted else "shares nothing with it"
        st.caption(f":material/diversity_3: {plain(group.group)}: {shares}")
    if learns:
        st.button("Add to a team", icon=":material/group_add:", on_click=panel.open_,
                  args=("person-team", shown.id))


def _roles(shown: Profile, programmes: Programmes, kept: set[int]) -> None:
    st.header("Roles")
    for each in shown.roles:
        if each.programme_id not in kept:
            continue
        programme = programmes[each.programme_id]
        st.pills(
            f"In {plain(programme.name)}", ORDINARY, selection_mode="multi", wrap=True,
            key=f"roles-{shown.id}-{programme.id}-{'.'.join(sorted(each.roles))}",
            default=[role for role in ORDINARY if role in each.roles],
            format_func=_called_in(programme),
            on_change=_change_roles, args=(shown.id, programme.id, each.roles),
        )
    st.caption("A click gives or takes a role; who runs a programme is chosen in its settings.")


def _called_in(programme: ProgrammeView) -> Callable[[Role], str]:
    return lambda role: capital(called(programme, role))


def _change_roles(person_id: int, programme_id: int, held: Sequence[Role]) -> None:
    key = f"roles-{person_id}-{programme_id}-{'.'.join(sorted(held))}"
    wanted = set(st.session_state[key])
    for role in ORDINARY:
        if role in wanted and role not in held:
            feedback.act(grant_role, programme_id, person_id, role)
        elif role in held and role not in wanted:
            feedback.act(revoke_role, programme_id, person_id, role)
    st.session_state.pop(key, None)


def sessions(shown: Profile, programmes: Programmes) -> None:
    """What lies ahead and what was, as far as the viewer sees it."""
    left, right = st.columns(2, gap="large")
    here = programmes.get(st.session_state.get("here", 0))
    zone = runtime.zone(here.zone_name if here else None)
    with runtime.reading() as work:
        said = zone_words(zone, work.now)
    for column, title, rows, empty in (
        (left, "Coming up", shown.upcoming, "Nothing on the calendar."),
        (right, "Lately", shown.recent, "Nothing yet."),
    ):
        with column:
            st.header(title)
            if not rows:
                st.caption(empty)
            for row in rows:
                _session(row, zone)
    if shown.upcoming or shown.recent:
        st.caption(f"Times in {said}")


def _session(row: Row, zone: Any) -> None:
    with st.container(border=True, gap=None, key=f"of-person-{row.id}"):
        st.page_link(
            navigation.BY_NAME["worksheet"].page(), query_params={"session": str(row.id)}, icon="",
            label=f"**{when(row.starts_at, row.ends_at, zone)}**",
        )
        between = " with ".join(filter(None, (row.practitioner, who(row))))
        badges = " ".join(status_badge(label) for label in labels(row))
        st.markdown(f"{badges} :small[{plain(' · '.join(filter(None, (between, row.type))))}]")


# What is changed ---------------------------------------------------------------------------------------------------


def panels(shown: Profile) -> None:
    """Whatever is open over the profile."""
    panel.show("person-edit", "Edit profile" if shown.is_me else f"Edit {plain(shown.name)}", _edit)
    panel.show("person-tie", "Tie to somebody", _tie)
    panel.show("person-team", "Add to a team", _join)
    panel.show("person-invite", "Invitation", people.show_links)
    panel.show("person-link", "Password link", _password_link)
    panel.show("person-off", f"Switch off {plain(shown.name)}'s account", _switch_off)


def _edit(person_id: int) -> None:
    form = Form(f"person-edit-{person_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = profile(work, person_id)
    whole = Action.PEOPLE_EDIT in known.may
    form.state.setdefault("version", known.version)
    form.state.setdefault("fields", FIELDS if whole else OWN_FIELDS)
    for name in form.state["fields"]:
        form.preset(name, getattr(known, name) or (None if name == "zone" else ""))
    stale.both(form, _typed(form), mine_over_it=lambda: _send_edit(person_id), take_theirs=form.clear)
    st.text_input("Name", key=form.field("name"), autocomplete="off")
    form.problem("name")
    if whole:
        st.text_input("E-mail", key=form.field("email"), autocomplete="off", help="What one signs in with.")
        form.problem("email")
    else:
        st.caption("An admin can change your e-mail address.")
    st.text_input("Phone", key=form.field("phone"), autocomplete="off")
    form.problem("phone")
    fields.zone("Time zone", form.field("zone"), "That of each programme")
    form.problem("zone")
    st.text_area("About", key=form.field("about"), height=140,
                 help="Whoever sees this profile can read it, line managers apart.")
    form.problem("about")
    if form.stale is None:
        form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_edit, args=(person_id,))


def _typed(form: Form) -> dict[str, Any]:
    return {name: form.value(name) or "" for name in form.state["fields"]}


def _send_edit(person_id: int) -> None:
    form = Form(f"person-edit-{person_id}")
    changes: dict[str, Any] = {name: value or None for name, value in _typed(form).items()}
    changes["name"] = changes["name"] or ""
    if "email" in changes:
        form.send(edit_people, [PersonEdit(person_id, changes, form.state["version"])])
    else:
        form.send(edit_own_profile, changes, form.state["version"])


def _tie(person_id: int) -> None:
    form = Form(f"person-tie-{person_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = profile(work, person_id)
        ways = _tie_ways(work, known)
        if not ways:
            st.info("There is nothing to tie this person to in your programmes.")
            return
        chosen = st.selectbox("As", list(ways), key=form.field("way"))
        programme_id, _, is_learner = ways[chosen]
        programme = programme_of(work, programme_id)
        label = "Adult" if is_learner else capital(programme.policy.words.learner)
        people_picker.person(work, programme_id, None if is_learner else Role.LEARNER, label, form.field("other"))
        form.problem("adult" if is_learner else "learner", "learner" if is_learner else "adult")
    form.show_refusal()
    st.caption("A guardian reads, and a line manager sees dates, status and outcomes, of those tied to them.")
    st.button("Tie", type="primary", key=form.field("save"), on_click=_send_tie, args=(person_id, ways))


def _tie_ways(work: Any, known: Profile) -> dict[str, tuple[int, Tie, bool]]:
    """What this person can be tied as: words, with programme, tie, and whether they are the learner."""
    ways: dict[str, tuple[int, Tie, bool]] = {}
    for each in known.roles:
        if not may(work, Action.PEOPLE_EDIT, each.programme_id):
            continue
        where = f" in {each.programme}" if len(known.roles) > 1 else ""
        learner = programme_of(work, each.programme_id).policy.words.learner
        for tie in Tie:
            if Role.LEARNER in each.roles:
                ways[f"{capital(learner)} with a {tie}{where}"] = (each.programme_id, tie, True)
            ways[f"{capital(tie)} of a {learner}{where}"] = (each.programme_id, tie, False)
    return ways


def _send_tie(person_id: int, ways: Mapping[str, tuple[int, Tie, bool]]) -> None:
    form = Form(f"person-tie-{person_id}")
    programme_id, tie, is_learner = ways[form.value("way")]
    other = form.value("other")
    if other is None:
        form.fail({"adult" if is_learner else "learner": "Type a name and choose who it is."})
        return
    adult, learner = (other, person_id) if is_learner else (person_id, other)
    form.send(relate, programme_id, tie, adult, learner)


def _join(person_id: int) -> None:
    form = Form(f"person-team-{person_id}")
    panel.finish(form)
    with runtime.reading() as work:
        known = profile(work, person_id)
        found = [programme_of(work, each.programme_id) for each in known.roles
                 if Role.LEARNER in each.roles and may(work, Action.PEOPLE_EDIT, each.programme_id)]
        if not found:
            st.info("This person is in no programme whose teams you keep.")
            return
        programme = found[0]
        if len(found) > 1:
            by_name = {each.name: each for each in found}
            programme = by_name[st.selectbox("Programme", list(by_name), key=form.field("where"))]
        people_picker.team(work, programme.id, capital(programme.policy.words.team),
                           form.field(f"team-{programme.id}"))
        form.problem("learner", "team", "from_day", "until_day")
    form.show_refusal()
    st.caption("From today on. Sessions booked before keep those who take part.")
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_join, args=(person_id, programme.id))


def _send_join(person_id: int, programme_id: int) -> None:
    form = Form(f"person-team-{person_id}")
    team_id = form.value(f"team-{programme_id}")
    if team_id is None:
        form.fail({"team": "Type a name and choose the one that is meant."})
    else:
        form.send(join_team, team_id, [person_id])


def _password_link(person_id: int) -> None:
    people.show_links(person_id, command=make_password_link)


def _switch_off(person_id: int) -> None:
    form = Form(f"person-off-{person_id}")
    panel.finish(form)
    st.markdown("They are signed out at once and cannot come in. Sessions stay as booked; nothing is deleted, and the"
                " account can be switched on again at any time.")
    form.show_refusal()
    form.problem("person")
    st.button("Switch off", type="primary", key=form.field("save"),
              on_click=lambda: form.send(disable_people, [person_id]))

"""The parts of the home page."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.queries import own_parts
from core.attending.tasks import Task, my_tasks
from core.availability.hours import not_bookable
from core.billing.money import words as money
from core.notifications.commands import mark_read
from core.notifications.queries import NoticeRow, my_notices
from core.permissions import Action, may
from core.programmes import queries as programmes
from core.programmes.queries import ProgrammeView
from core.programmes.rules import Words
from core.sessions.queries import TO_LOG, TO_PLACE, Row, needs_me, next_sessions, upcoming
from core.words import Role, Status
from core.work import Work
from ui import availability, feedback, leaving, navigation, runtime, session_panels
from ui.format import ago, capital, day_words, labels, names, plain, status_badge, when, who, zone_words

AT_WORK = (Role.PRACTITIONER, Role.LEARNER)
"""Roles whose sessions are one's own."""
TASKS = 6
"""Tasks shown before *Show more*."""
_TASKS = "home:tasks"


def nowhere(work: Work) -> None:
    """For somebody whom no programme knows yet."""
    st.title(f"Welcome, {plain(work.actor.name)}")
    st.info(
        "You are not in any programme yet. Ask whoever invited you to add you to one; it appears here at your next"
        " click.", icon=":material/hourglass_top:",
    )


def head(work: Work, programme: ProgrammeView) -> None:
    """The title with today's date, and the one thing that is done most."""
    zone = runtime.zone(programme.zone_name, work)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Home", width="content")
        if may(work, Action.SESSION_BOOK, programme.id) and not programme.retired and st.button(
            f"Book {programme.policy.words.a('session')}", type="primary", icon=navigation.BY_NAME["book"].icon,
        ):
            navigation.go("book")
    st.caption(f"{work.now.astimezone(zone):%A, %-d %B %Y} · times in {zone_words(zone, work.now)}")


def first_steps(work: Work, programme: ProgrammeView) -> None:
    """What to do next in a programme that has nothing in it yet; for those who can do it."""
    if programme.retired or not may(work, Action.PEOPLE_EDIT, programme.id):
        return
    done = programmes.first_steps(work, programme.id)
    if done.has_sessions:
        return
    words = programme.policy.words
    steps: list[tuple[bool, str, str, str, dict[str, str]]] = [
        (done.has_practitioners and done.has_learners,
         f"Add {words.many('practitioner')} and {words.many('learner')}",
         "Invite them when you are ready; until then nobody is told anything.", "people", {}),
        (False, f"Book the first {words.session}", "It appears here, and for everybody who takes part.", "book", {}),
    ]
    if may(work, Action.PROGRAMME_EDIT, programme.id):
        steps.insert(0, (False, "Look over how the programme works",
                         "Who books, opening hours, what things are called. It works as it stands, too.",
                         "programme", {}))
    with st.container(border=True, key="first-steps"):
        st.header(f"Getting {plain(programme.name)} started")
        for number, (is_done, title, why, screen, query) in enumerate(steps, 1):
            st.page_link(
                navigation.BY_NAME[screen].page(), query_params=query, label=f"{number}. {title}",
                icon=":material/check_circle:" if is_done else ":material/arrow_forward:",
            )
            st.caption(why)


def without_hours(work: Work, programme: ProgrammeView) -> None:
    """Whom nobody can book for want of hours; for those who can mend it."""
    may_mend = any(may(work, action, programme.id) for action in (Action.AVAILABILITY_EDIT, Action.AVAILABILITY_OWN))
    if programme.retired or not may_mend:
        return
    missing = not_bookable(work, programme.id)
    if not missing:
        return
    own = [person for person, _ in missing] == [work.actor.person_id]
    with st.container(border=True, key="without-hours", gap="small"):
        st.markdown(":material/event_busy: " + ("You have no hours yet, so nobody can book you." if own else
                                                availability.missing_words(programme, len(missing))))
        if not own:
            st.caption(plain(names([name for _, name in missing], 5)))
        st.page_link(
            navigation.BY_NAME["availability"].page(), icon=":material/arrow_forward:",
            label="Say when you can be booked" if own else "Say when they can be booked",
            query_params={"whose": str(missing[0][0])} if len(missing) == 1 else {})


def tasks(work: Work, programme: ProgrammeView) -> bool:
    """What the viewer owes for sessions that have begun, in any programme, what is overdue first; one click opens it.

    Returns whether there is anything (E1).
    """
    queues = {each.id: (each, my_tasks(work, each.id)) for each in programmes.my_programmes(work)
              if work.actor.holds(each.id, Role.PRACTITIONER)}
    owed = sorted((task for _, queue in queues.values() for task in queue.rows),
                  key=lambda task: (not task.overdue, task.due_at, task.session_id))
    total, overdue = (sum(getattr(queue, name) for _, queue in queues.values()) for name in ("total", "overdue"))
    if not total:
        return False
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header("To log", width="content")
        st.markdown(f":blue-badge[{total:,}]" + (f" :red-badge[{overdue:,} overdue]" if overdue else ""),
                    width="content")
    with st.container(border=True, gap="small", key="tasks"):
        for task in owed[:_more()]:
            there, _ = queues[task.programme_id]
            _task(work, task, runtime.zone(there.zone_name, work), "" if task.programme_id == programme.id
                  else there.name)
        if len(owed) > _more():
            st.button(f"Show more of {total:,}", key="tasks-more", type="tertiary", icon=":material/expand_more:",
                      on_click=lambda: st.session_state.update({_TASKS: _more() + TASKS}))
    return True


def _more() -> int:
    return int(st.session_state.get(_TASKS, TASKS))


def _task(work: Work, task: Task, zone: ZoneInfo, where: str) -> None:
    """One session: what is owed, until when, and the pay that waits."""
    which = "record" if task.attendance else "note" if task.note else "report"
    clock = task.starts_at.astimezone(zone)
    with st.container(gap=None, key=f"task-{task.session_id}"):
        st.button(f"**{day_words(task.starts_at, zone, work.now)}, {clock:%H:%M}** {plain(task.whom)}",
                  key=f"log-{task.session_id}", type="tertiary", icon=":material/edit_note:",
                  on_click=session_panels.open_, args=(which, task.session_id))
        due = f"due {when(task.due_at, None, zone)}"
        waits = f"{money(task.blocked, task.currency)} waits for it" if task.blocked else ""
        badge = ":red-badge[:material/priority_high: overdue] " if task.overdue else ""
        said = [capital(" and ".join(filter(None, (", ".join(task.owed[:-1]), task.owed[-1])))), due, waits,
                task.engagement, where]
        st.markdown(f"{badge}:small[{plain(' · '.join(filter(None, said)))}]")


def needs(work: Work, programme: ProgrammeView) -> None:
    """What waits for the viewer: what they owe themselves, and how many sessions, each number leading to the list."""
    owes = tasks(work, programme)
    counts = {label: count for label, count in needs_me(work, programme.id).items()
              if count and not (label == TO_LOG and owes and not _whole(work, programme.id))}
    if not counts:
        if not owes and work.actor.holds(programme.id, Role.PRACTITIONER):
            st.success("Nothing waits for you.", icon=":material/check_circle:")
        return
    st.header("Waiting for you" if not _whole(work, programme.id) else f"Waiting in {plain(programme.name)}")
    acts = _mends(work, programme.id)
    with st.grid(4, min_column_width=220, gap="small"):
        for label, count in counts.items():
            with st.container(border=True, gap="xsmall", key=f"needs-{label.replace(' ', '-')}"):
                st.markdown(f"**{count:,}** {status_badge(label)}")
                st.page_link(
                    navigation.BY_NAME["sessions"].page(), query_params={"status": label},
                    label=_waits(label, programme.policy.words) if acts else "See them",
                    icon=":material/arrow_forward:",
                )


def _waits(label: str, words: Words) -> str:
    return {
        TO_LOG: "Record what came of them",
        TO_PLACE: f"Choose {words.a('learner')} or {words.team}",
        Status.UNASSIGNED: f"Choose {words.a('practitioner')}",
        Status.UNSCHEDULED: "Choose a time",
    }.get(label, "Open the list")


def _mends(work: Work, programme_id: int) -> bool:
    """Whether the viewer does something about what waits, and does not merely look on."""
    return work.actor.holds(programme_id, Role.PRACTITIONER) or may(work, Action.SESSION_BOOK, programme_id)


def _whole(work: Work, programme_id: int) -> bool:
    """Whether the viewer looks at a programme as a whole."""
    return may(work, Action.PEOPLE_SEE, programme_id) and not work.actor.holds(programme_id, Role.PRACTITIONER)


def sessions_and_notices(work: Work, programme: ProgrammeView) -> None:
    """What comes next, beside what was told."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        _next(work, programme)
    with right:
        _notices(work, my_notices(work), runtime.zone(programme.zone_name, work))


def _next(work: Work, programme: ProgrammeView) -> None:
    roles = work.actor.roles.get(programme.id, frozenset())
    everywhere = set().union(*work.actor.roles.values()) if work.actor.roles else set()
    mine = next_sessions(work) if not everywhere.isdisjoint(AT_WORK) else []
    words, zone = programme.policy.words, runtime.zone(programme.zone_name, work)
    if not everywhere.isdisjoint(AT_WORK):
        st.header(f"Your next {words.many('session')}")
        names = {each.id: each.name for each in programmes.my_programmes(work)}
        several = len({programme_id for programme_id, _ in mine} | {programme.id}) > 1
        if mine:
            _listed([(row, names.get(programme_id, "") if several else "") for programme_id, row in mine], zone, work)
        else:
            st.caption(f"You have no {words.session} in the next two weeks.")
    if roles - set(AT_WORK):
        st.header(_others_title(roles, programme))
        ahead = upcoming(work, programme.id)
        shown = {row.id for _, row in mine}
        ahead = [row for row in ahead if row.id not in shown] if mine else ahead
        if ahead:
            _listed([(row, "") for row in ahead], zone, work)
        else:
            st.caption(f"Nothing is on the calendar. {capital(words.many('session'))} that lie ahead appear here.")
        st.page_link(navigation.BY_NAME["sessions"].page(), label=f"All {words.many('session')}",
                     icon=":material/list_alt:")


def _others_title(roles: frozenset[Role], programme: ProgrammeView) -> str:
    if roles & {*Role} - {*AT_WORK, Role.GUARDIAN, Role.LINE_MANAGER}:
        return f"Coming up in {plain(programme.name)}"
    if Role.GUARDIAN in roles:
        return "Coming up for those you look after"
    return "Coming up for those you manage"


def _listed(rows: Sequence[tuple[Row, str]], zone: ZoneInfo, work: Work) -> None:
    """Sessions by day, each a link to its page."""
    leaves = own_parts(work, [row.id for row, _ in rows])

    def day(item: tuple[Row, str]) -> str:
        return day_words(item[0].starts_at, zone, work.now) if item[0].starts_at else ""

    for title, of_day in groupby(rows, key=day):
        with st.container(border=True, gap="small"):
            st.markdown(f"**{title}**")
            for row, where in of_day:
                with st.container(gap=None, key=f"next-{row.id}"):
                    st.page_link(
                        navigation.BY_NAME["worksheet"].page(), query_params={"session": str(row.id)}, icon="",
                        label=f"**{_clock(row, zone)}** {plain(_between(row, work))}",
                    )
                    details = [row.type, row.room or row.location, ", ".join(row.courses), row.description, where]
                    badges = " ".join(status_badge(label) for label in labels(row))
                    st.markdown(f"{badges} :small[{plain(' · '.join(filter(None, details)))}]")
                    if own := leaves.get(row.id):
                        st.button(leaving.called(work, own), key=f"leave-{row.id}", type="tertiary",
                                  icon=":material/person_remove:", on_click=session_panels.open_,
                                  args=("leave", row.id))


def _clock(row: Row, zone: ZoneInfo) -> str:
    if row.starts_at is None or row.ends_at is None:
        return ""
    return f"{row.starts_at.astimezone(zone):%H:%M}–{row.ends_at.astimezone(zone):%H:%M}"


def _between(row: Row, work: Work) -> str:
    """Whom the viewer meets: the other side, or both where the viewer is on neither."""
    if row.practitioner_id == work.actor.person_id:
        return who(row) or "nobody yet"
    if work.actor.name in row.learners and len(row.learners) == 1 and not row.team:
        return row.practitioner or "nobody yet"
    return " with ".join(filter(None, (row.practitioner, who(row)))) or "nobody yet"


def _notices(work: Work, notices: Sequence[NoticeRow], zone: ZoneInfo) -> None:
    unread = [notice for notice in notices if not notice.read]
    mine = {each.id: each.name for each in programmes.my_programmes(work)}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header("Notices" + (f" :blue-badge[{len(unread)} new]" if unread else ""), width="content")
        if unread:
            st.button("Mark all as read", type="tertiary", icon=":material/done_all:", on_click=_read,
                      key="read-all")
    if not notices:
        st.caption("Nothing yet. When something that concerns you is booked, moved or cancelled, you are told here.")
    for notice in notices:
        with st.container(border=not notice.read, gap=None, key=f"notice-{notice.id}"):
            st.markdown(plain(notice.text) if notice.read else f"**{plain(notice.text)}**")
            if about := _about(work, notice, mine if len(mine) > 1 else {}):
                st.markdown(f":small[{plain(about)}]")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(ago(notice.created_at, work.now, zone), width="content")
                if notice.session_id is not None:
                    _open_button(notice)
                if not notice.read:
                    st.button("Mark as read", type="tertiary", key=f"read-{notice.id}", on_click=_read,
                              args=(notice.id,))


def _about(work: Work, notice: NoticeRow, programmes_: Mapping[int, str]) -> str:
    """Who is concerned, as far as the viewer sees it (X6), and in which of several programmes."""
    between = _between(notice.session, work) if notice.session is not None else ""
    return " · ".join(filter(None, (between, programmes_.get(notice.programme_id or 0, ""))))


def _open_button(notice: NoticeRow) -> None:
    """Opening what a notice tells of is reading it."""
    if st.button("Open", type="tertiary", icon=":material/arrow_forward:", key=f"open-{notice.id}"):
        if not notice.read:
            _read(notice.id)
        navigation.open_session(notice.session_id or 0)


def _read(*ids: int) -> None:
    with feedback.refusals():
        runtime.commit(mark_read, ids or None)

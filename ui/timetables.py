"""The screen of timetables: one of them with its hours, and its slots of a week, free ones to be booked."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.affected import Change
from core.availability.commands import set_roster, set_slot_length
from core.availability.hours import not_bookable
from core.availability.queries import Slot, practitioners, slots_of_timetable
from core.availability.timetables import TimetableView, timetable
from core.clock import FIRST_DAY, LAST_DAY, day_start
from core.errors import NotFound
from core.people.queries import names
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.structure.queries import Option, options
from core.words import TimetableKind
from core.work import Work
from ui import effects, here, navigation, panel, runtime, weekly
from ui.format import capital, plain, zone_words
from ui.format import names as listed_names
from ui.forms import Form

WEEK = timedelta(days=7)
SLOT = 112
"""Pixels: one in a day's column of a laptop, three in a row of a phone."""
_WHICH, _WHOM = "timetables:which", "timetables:whom"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    st.title("Timetables")
    listed = sorted(options(work, programme.id).timetables, key=lambda each: (
        each.retired, each.owner_id != work.actor.person_id, each.kind is TimetableKind.CUSTOM))
    _elsewhere(work, programme, listed)
    if not listed:
        how = " Add the first one in the list of all timetables." if may(
            work, Action.LISTS_EDIT, programme.id) else ""
        st.info(f"There is no timetable here for you yet.{how}", icon=":material/calendar_view_week:")
        return
    zone = runtime.zone(programme.zone_name, work)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = timetable(work, _which(listed))
        whom = _whom(view, programme.policy.words)
        if view.keeps_hours:
            st.button("Change hours", icon=":material/schedule:", key="timetable-hours", on_click=panel.open_,
                      args=("timetable-hours", view.id))
        if view.may_edit and view.kind is TimetableKind.REGULAR:
            st.button("Roster", icon=":material/group:", key="timetable-roster", on_click=panel.open_,
                      args=("timetable-roster", view.id))
        if view.may_edit:
            st.button("Slot length", icon=":material/timer:", key="timetable-length", on_click=panel.open_,
                      args=("timetable-length", view.id))
    monday = _monday(work.now.astimezone(zone).date())
    _about(work, programme, view, monday)
    if view.windows and view.roster:
        _week(work, programme, view, whom, monday, zone)


# Which, whom and when -----------------------------------------------------------------------------------------------


def _elsewhere(work: Work, programme: ProgrammeView, listed: Sequence[Option]) -> None:
    """An address may lead to a timetable of another programme of the viewer's."""
    asked = navigation.asked_id("timetable")
    if asked is None or any(each.id == asked for each in listed):
        return
    with suppress(NotFound):
        here.switch_to(work, timetable(work, asked).programme_id)


def _which(listed: Sequence[Option]) -> int:
    """The timetable in the address, else the first: one's own, or a regular one."""
    by_id = {each.id: _called(each) for each in listed}
    asked = navigation.asked_id("timetable")
    st.session_state[_WHICH] = asked if asked in by_id else listed[0].id

    def choose() -> None:
        st.query_params["timetable"] = str(st.session_state[_WHICH])
        st.query_params.pop("whom", None)

    st.selectbox("Timetable", list(by_id), format_func=lambda id_: by_id.get(id_, ""), key=_WHICH, on_change=choose,
                 width=320)
    return int(st.session_state[_WHICH])


def _called(each: Option) -> str:
    return each.name + (f" ({each.owner})" if each.owner else "") + (", retired" if each.retired else "")


def _whom(view: TimetableView, words: Words) -> int | None:
    """One of its roster, or everybody."""
    by_id = dict(view.roster)
    if len(by_id) < 2:
        return None
    asked = navigation.asked_id("whom")
    st.session_state[_WHOM] = asked if asked in by_id else None

    def choose() -> None:
        if st.session_state[_WHOM] is None:
            st.query_params.pop("whom", None)
        else:
            st.query_params["whom"] = str(st.session_state[_WHOM])

    st.selectbox(capital(words.practitioner), list(by_id), index=None, format_func=lambda id_: by_id.get(id_, ""),
                 key=_WHOM, on_change=choose, placeholder="Anybody", width=240)
    return st.session_state[_WHOM]  # type: ignore[no-any-return]


def _monday(today: date) -> date:
    """The Monday of the week in the address, else of this one."""
    day = today
    try:
        asked = date.fromisoformat(st.query_params.get("week", ""))
    except ValueError:
        asked = today
    if FIRST_DAY + WEEK < asked < LAST_DAY - 2 * WEEK:
        day = asked
    return day - timedelta(days=day.weekday())


def _turn(monday: date) -> None:
    """Turn the week; it stands in the address."""

    def turn(to: date | None) -> None:
        if to is None:
            st.query_params.pop("week", None)
        else:
            st.query_params["week"] = to.isoformat()

    sunday = monday + timedelta(days=6)
    first = f"{monday.day}" if monday.month == sunday.month else f"{monday.day} {monday:%B}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("", icon=":material/chevron_left:", key="week-earlier", help="A week earlier", on_click=turn,
                  args=(monday - WEEK,))
        st.button("This week", key="week-now", on_click=turn, args=(None,))
        st.button("", icon=":material/chevron_right:", key="week-later", help="A week later", on_click=turn,
                  args=(monday + WEEK,))
        st.header(f"{first} – {sunday.day} {sunday:%B %Y}", width="content", anchor=False)


def _about(work: Work, programme: ProgrammeView, view: TimetableView, monday: date) -> None:
    """Its kind, its hours in that week, how long its slots are, and with whom they are."""
    words, zone = programme.policy.words, programme.zone
    minutes = view.slot_minutes or programme.policy.usual_minutes
    who = f"{capital(words.practitioner)}: {view.owner}" if view.owner_id is not None else (
        f"Roster: {listed_names([name for _, name in view.roster], 6) or 'nobody yet'}")
    sunday = monday + timedelta(days=6)
    held = [each.window for each in view.windows if each.window.from_day <= sunday
            and (each.window.until_day is None or each.window.until_day >= monday)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(plain(f"{capital(view.kind)} timetable · slots of {minutes} minutes · {who}"), width="content")
        st.page_link(navigation.BY_NAME["sessions"].page(), query_params={"timetable": str(view.id)},
                     label=f"{capital(words.many('session'))} under it", icon=":material/list_alt:")
    if held:
        st.caption(plain(" · ".join(weekly.in_words(held, zone)) + f" · {zone_words(zone, work.now)}"))
    if view.retired:
        st.info("It is retired: nothing new is booked through it.", icon=":material/inventory_2:")
    elif not view.windows:
        hours = "the owner's own hours" if view.owner_id is not None else (
            f"each {words.practitioner}'s own hours")
        st.info(f"It has no hours of its own, so it has no slots: {words.many('session')} are booked within {hours}.",
                icon=":material/schedule:")
    elif not view.roster:
        st.info("Nobody is on its roster yet, so nothing can be booked.", icon=":material/group:")
    elif view.owner_id is None and may(work, Action.AVAILABILITY_EDIT, programme.id):
        without = [name for id_, name in not_bookable(work, programme.id) if id_ in dict(view.roster)]
        if without:
            st.warning(plain(f"Without hours of their own, and so never free: {listed_names(without, 10)}."),
                       icon=":material/event_busy:")


# The week -----------------------------------------------------------------------------------------------------------


def _week(
    work: Work, programme: ProgrammeView, view: TimetableView, whom: int | None, monday: date, zone: ZoneInfo
) -> None:
    """The slots of a week; a click on a free one goes on to the booking form with all that it says filled in."""
    _turn(monday)
    slots = [each for each in slots_of_timetable(
        work, view.id, day_start(monday, zone), day_start(monday + WEEK, zone)) if whom in (None, each.practitioner_id)]
    free, taken = sum(each.free for each in slots), sum(each.taken for each in slots)
    st.caption(f"{free} free, {taken} taken · times in {zone_words(zone, day_start(monday, zone))}")
    books = not view.retired and may(work, Action.SESSION_BOOK, programme.id)
    alone = whom is not None or len(view.roster) == 1
    if picked := _grid(slots, monday, zone, work.now if books else None, alone=alone):
        navigation.go("book", timetable=view.id, practitioner=picked.practitioner_id,
                      at=navigation.moment(picked.starts_at),
                      minutes=(picked.ends_at - picked.starts_at) // timedelta(minutes=1))


def _grid(
    slots: Sequence[Slot], monday: date, zone: ZoneInfo, from_then: datetime | None, *, alone: bool
) -> Slot | None:
    """A column for each day, on narrow screens one under the other. Returns the free slot that was clicked.

    Slots from that moment on can be clicked. Of several who are free, it is one with the fewest taken slots that week.
    """
    load = Counter(each.practitioner_id for each in slots if each.taken)
    picked: Slot | None = None
    for number, column in enumerate(st.columns(7, gap="small")):
        day = monday + timedelta(days=number)
        by_time: dict[datetime, list[Slot]] = {}
        for each in slots:
            if each.starts_at.astimezone(zone).date() == day:
                by_time.setdefault(each.starts_at, []).append(each)
        with column:
            st.markdown(f"**{day:%a} {day.day} {day:%b}**" + ("" if by_time else " · no slots"))
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"slots-{number}"):
                for at, those in by_time.items():
                    clock = f"{at.astimezone(zone):%H:%M}"
                    if _free(clock, those, from_then is not None and at >= from_then, alone=alone):
                        picked = min((each for each in those if each.free),
                                     key=lambda each: (load[each.practitioner_id], each.practitioner))
                    _not_free(clock, those)
    return picked


def _free(clock: str, those: Sequence[Slot], clickable: bool, *, alone: bool) -> bool:
    """How many are free at a time, as a button or in words; returns whether it was clicked."""
    free = [each for each in those if each.free]
    said = f"{clock} free" if alone else f"{clock} · {len(free)} free"
    if not free:
        return False
    if not clickable:
        st.caption(said, width=SLOT)
        return False
    who = plain(listed_names([each.practitioner for each in free], 12))
    return st.button(clock if alone else said, width=SLOT, key=f"slot-{free[0].starts_at.timestamp():.0f}",
                     help=None if alone else f"Free: {who}")


def _not_free(clock: str, those: Sequence[Slot]) -> None:
    """What is taken at a time, and what nobody can be booked for although nothing takes it."""
    seen = [each for each in those if each.session_id is not None]
    for each in seen:
        st.page_link(navigation.BY_NAME["worksheet"].page(), query_params={"session": str(each.session_id)},
                     label=f"{clock} · No. {each.number}", width="content", help=plain(each.practitioner))
    if unseen := sum(each.taken for each in those) - len(seen):
        st.caption(f"{clock} taken" if len(those) == 1 else f"{clock} · {unseen} taken", width=SLOT)
    if all(each.note for each in those):
        st.caption(f"{clock} not bookable", help=plain(those[0].note), width=SLOT)


# Panels -------------------------------------------------------------------------------------------------------------


def panels() -> None:
    """Whatever is open over the screen."""
    panel.show("timetable-hours", "Weekly hours", _hours_panel)
    panel.show("timetable-roster", "Roster", _roster_panel)
    panel.show("timetable-length", "Slot length", _length_panel)


def _known(work: Work, timetable_id: int) -> TimetableView | None:
    try:
        return timetable(work, timetable_id)
    except NotFound:
        st.info("This timetable is not there any more.")
        return None


def _hours_panel(timetable_id: int) -> None:
    form = Form(f"timetable-hours-{timetable_id}-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        if (view := _known(work, timetable_id)) is None or not view.keeps_hours:
            return
        programme = programme_of(work, view.programme_id)
        today = work.now.astimezone(programme.zone).date()
    st.markdown(f"**{plain(view.name)}**")
    weekly.editor(form, view.whose, view.windows, today, programme.zone)


def _roster_panel(timetable_id: int) -> None:
    form = Form(f"timetable-roster-{timetable_id}-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        if (view := _known(work, timetable_id)) is None or not view.may_edit:
            return
        programme = programme_of(work, view.programme_id)
        words = programme.policy.words
        there = dict(view.roster)
        listed = {**names(work, programme.id, practitioners(work, programme.id)), **there}
    opened: list[int] = form.state.setdefault("opened", sorted(there))
    form.preset("people", opened)
    st.markdown(f"**{plain(view.name)}**")
    st.multiselect(
        f"{capital(words.many('practitioner'))} who can be booked through it",
        sorted(listed, key=lambda id_: (listed[id_].casefold(), id_)), format_func=lambda id_: listed.get(id_, ""),
        key=form.field("people"), placeholder="Choose by name")
    form.problem("roster")
    form.show_refusal()

    def people(now: Form) -> frozenset[int] | dict[str, str]:
        return frozenset(now.value("people") or ())

    effects.finish(
        form, people, lambda wanted: Change(programme.id, timetable_id=timetable_id, roster=wanted),
        lambda now, wanted: now.send(set_roster, timetable_id, sorted(wanted), opened))


def _length_panel(timetable_id: int) -> None:
    form = Form(f"timetable-length-{timetable_id}-{panel.key()}")
    panel.finish(form)
    with runtime.reading() as work:
        if (view := _known(work, timetable_id)) is None or not view.may_edit:
            return
        usual = programme_of(work, view.programme_id).policy.usual_minutes
    form.preset("slot_minutes", view.slot_minutes)
    st.markdown(f"**{plain(view.name)}**")
    st.number_input("Minutes of a slot", value=None, step=5, key=form.field("slot_minutes"),
                    placeholder=f"{usual}, as long as usual", help="What is booked already keeps its length.")
    form.problem("slot_minutes")
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_save_length, args=(form, view.id))


def _save_length(form: Form, timetable_id: int) -> None:
    form.send(set_slot_length, timetable_id, form.value("slot_minutes"))

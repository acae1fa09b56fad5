"""The calendar put together: title, filters, which stretch of time, the calendar itself and the same as a list."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton

from core.clock import FIRST_DAY, LAST_DAY, day_start, resolve
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.sessions.address import WHICH, Listing
from core.sessions.calendar import FITS, InView, agenda, in_view, months_on, week_start
from core.sessions.queries import Row
from core.sessions.rules import NOTICE
from core.structure.queries import options
from core.work import Work
from ui import calendar_frame, filters, navigation, reschedule, runtime, session_look, session_panels
from ui.calendar_frame import DAY, LIST, MONTH, WEEK, Shown
from ui.format import capital, labels, plain, status_badge, who, zone_words

VIEWS = {
    MONTH: ":material/calendar_view_month: Month", WEEK: ":material/calendar_view_week: Week",
    DAY: ":material/calendar_view_day: Day", LIST: ":material/view_agenda: List",
}
A_DAY = timedelta(days=1)
DAYS_LISTED = 7
LISTED = 100
"""Sessions in the list before *Show more*."""
_GO, _MORE, _TURN = "calendar:go", "calendar:more", "calendar:turn"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    if asked_to_go := st.session_state.pop(_GO, None):
        navigation.go("book", **asked_to_go)
    words, zone = programme.policy.words, runtime.zone(programme.zone_name, work)
    books = may(work, Action.SESSION_BOOK, programme.id)
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        st.title("Calendar", width="stretch")
        if books and st.button(
            f"Book {words.a('session')}", type="primary", icon=navigation.BY_NAME["book"].icon, key="book"
        ):
            navigation.go("book")
    today = work.now.astimezone(zone).date()
    offered = options(work, programme.id)
    asked = filters.bar(work, programme, offered, today, "calendar")
    shown = _shown(today, zone)
    _toolbar(shown, today)
    since, until = (day_start(day, zone) for day in (shown.first, shown.last + A_DAY))
    if shown.view == LIST:
        _list(work, programme, asked, shown, since, until)
    else:
        most = 0 if shown.view == MONTH and shown.narrow else FITS
        found = in_view(work, programme.id, asked.filters, since, until, most=most)
        _say(programme, found, work, shown)
        _draw(work, programme, asked, shown, found, books)
        if found.total and not (found.crowded and shown.narrow):
            st.caption(plain(calendar_frame.legend(found)))
        _beside(work, programme, asked, shown, found)
    session_look.show(capital(words.session))
    session_panels.show()


# Which stretch of time ----------------------------------------------------------------------------------------------


def _shown(today: date, zone: ZoneInfo) -> Shown:
    """What the address asks for; on a phone a list unless it says otherwise."""
    view, narrow = st.query_params.get("view", ""), "Mobi" in (st.context.headers.get("User-Agent") or "")
    if view not in VIEWS:
        view = LIST if narrow else WEEK
    try:
        day = date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        day = today
    return stretch(view, min(max(day, FIRST_DAY), LAST_DAY), _locale(), zone, narrow=narrow)


def stretch(view: str, day: date, locale: Locale, zone: ZoneInfo, *, narrow: bool = False) -> Shown:
    """The days that a view of some day shows; weeks start as they do where the viewer lives."""
    if view == MONTH:
        begin, end = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
        first, last = week_start(begin, locale.first_week_day), week_start(end, locale.first_week_day) + 6 * A_DAY
        return Shown(view, day, begin, end, first, min(last, LAST_DAY), locale, zone, narrow)
    first = week_start(day, locale.first_week_day) if view == WEEK else day
    last = min(first + timedelta(days={DAY: 1, WEEK: 7, LIST: DAYS_LISTED}[view] - 1), LAST_DAY)
    return Shown(view, day, first, last, first, last, locale, zone, narrow)


def _locale() -> Locale:
    """The language and habits that the browser is set to."""
    try:
        return Locale.parse(st.context.locale or "en-GB", sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en", "GB")


def title(shown: Shown) -> str:
    """'March 2026', '2–8 Mar 2026' or 'Tuesday 3 March 2026', in the viewer's language."""
    if shown.view == MONTH:
        return str(format_skeleton("yMMMM", shown.day, locale=shown.locale))
    if shown.view == DAY:
        return str(format_date(shown.day, "full", locale=shown.locale))
    return str(format_interval(shown.first, shown.last, "yMMMd", locale=shown.locale))


def _turned(shown: Shown, way: int) -> date:
    """The day to turn to: a month, a week or a day on or back."""
    if shown.view == MONTH:
        return months_on(shown.day, way)
    return shown.day + timedelta(days=way * (1 if shown.view == DAY else 7))


def go_to(day: date, view: str | None = None) -> None:
    """Show another day, or the same one in another way; for a button's `on_click`."""
    st.query_params["day"] = min(max(day, FIRST_DAY), LAST_DAY).isoformat()
    if view is not None:
        st.query_params["view"] = view
    st.session_state.pop(_MORE, None)


def _toolbar(shown: Shown, today: date) -> None:
    def to_day() -> None:
        if day := st.session_state["calendar-day"]:
            go_to(day)
            st.session_state["calendar-day"] = None

    def look() -> None:
        go_to(shown.day, st.session_state["calendar-view"])

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
        for name, icon, way in (("Earlier", "left", -1), ("Later", "right", 1)):
            st.button(name, icon=f":material/chevron_{icon}:", key=f"calendar-{name.lower()}", on_click=go_to,
                      args=(_turned(shown, way),))
        st.button("Today", icon=":material/today:", key="calendar-today", on_click=go_to, args=(today,))
        place = st.popover("Go to", icon=":material/keyboard_tab:", key="calendar-go-to", on_change="rerun")
        if place.open:
            with place:
                st.date_input("Day", value=None, key="calendar-day", on_change=to_day, min_value=FIRST_DAY,
                              max_value=LAST_DAY, format="YYYY-MM-DD")
        st.header(title(shown), anchor=False)
        st.session_state["calendar-view"] = shown.view
        st.segmented_control(
            "View", list(VIEWS), format_func=VIEWS.__getitem__, key="calendar-view", on_change=look, required=True,
            label_visibility="collapsed", width="content",
        )


# The calendar itself ------------------------------------------------------------------------------------------------


def _say(programme: ProgrammeView, found: InView, work: Work, shown: Shown) -> None:
    words = programme.policy.words
    count = f"{found.total:,} {words.session if found.total == 1 else words.many('session')}"
    unit = "day" if shown.view == MONTH else "hour"
    crowd = f", counted by {unit}: click one to look closer" if found.crowded else ""
    st.caption(f"{count}{crowd} · times in {zone_words(shown.zone, work.now)}")


def _draw(
    work: Work, programme: ProgrammeView, asked: Listing, shown: Shown, found: InView, books: bool
) -> None:
    turn = st.session_state.setdefault(_TURN, 0)
    key = f"calendar-{shown.view}"
    by_id = {row.id: row for row in found.rows}

    def acted() -> None:
        """Each value that the browser sends is acted upon once; what it shows is drawn anew then, moved or not."""
        st.session_state[_TURN] = turn + 1
        _act(calendar_frame.said(st.session_state[key]), by_id, asked, shown, books)

    calendar_frame.draw(
        [*calendar_frame.events(found, programme, shown, turn), *_shades(work, programme, asked, shown)],
        calendar_frame.settings(found, programme, shown, work, books=books), key, acted,
    )


def _shades(work: Work, programme: ProgrammeView, asked: Listing, shown: Shown) -> list[dict[str, Any]]:
    chosen = asked.filters.practitioners
    return calendar_frame.shades(work, programme, shown, chosen[0] if len(chosen) == 1 else None)


def _act(
    said: calendar_frame.Said | None, by_id: Mapping[int, Row], asked: Listing, shown: Shown, books: bool
) -> None:
    match said:
        case calendar_frame.Opened(id_) if id_ in by_id:
            session_look.open_look(id_)
        case calendar_frame.Crowd(day):
            go_to(day, LIST if shown.view == DAY else DAY)
        case calendar_frame.Empty(at, minutes) if books:
            st.session_state[_GO] = _booking(asked, at, minutes, whole_day=shown.view == MONTH)
        case calendar_frame.Empty(at, _):
            go_to(at.date(), DAY)
        case calendar_frame.Moved(id_, start, end, stretched) if id_ in by_id:
            _move(by_id[id_], start, end, stretched, shown.zone)


def _move(row: Row, start: datetime, end: datetime, stretched: bool, zone: ZoneInfo) -> None:
    """A drag keeps how long it takes, whatever the clocks do meanwhile; stretching keeps when it starts."""
    if row.starts_at is None or row.ends_at is None:
        return
    until = resolve(end, zone).at if stretched else row.ends_at
    asks = not stretched and row.starts_at - runtime.now() < NOTICE and bool(row.learners)
    reschedule.dropped(
        row.id, row.version, start, round((until - row.starts_at).total_seconds() / 60), zone, asks=asks)


def _booking(asked: Listing, at: datetime, minutes: int | None, *, whole_day: bool) -> dict[str, str | int]:
    """What the booking form starts from: the time clicked, and whoever the calendar is narrowed to."""
    chosen = {
        "practitioner": asked.filters.practitioners, "learner": asked.filters.learners, "team": asked.filters.teams,
        "timetable": asked.filters.timetables,
    }
    found: dict[str, str | int] = {name: ids[0] for name, ids in chosen.items() if len(ids) == 1 and ids[0]}
    found["at"] = at.date().isoformat() if whole_day else at.isoformat(timespec="minutes")
    return found | ({"minutes": minutes} if minutes else {})


# The same as a list -------------------------------------------------------------------------------------------------


def _beside(work: Work, programme: ProgrammeView, asked: Listing, shown: Shown, found: InView) -> None:
    """What the calendar shows, once more for keyboards and screen readers; drawn when it is opened."""
    if not found.total:
        return
    many = programme.policy.words.many("session")
    place = st.expander(f"The same {many} as a list", icon=":material/view_agenda:", key="calendar-beside",
                        on_change="rerun")
    if place.open:
        with place:
            since, until = (day_start(day, shown.zone) for day in (shown.first, shown.last + A_DAY))
            rows, total = (found.rows, found.total) if not found.crowded else agenda(
                work, programme.id, asked.filters, since, until, most=_most())
            _days(rows[:_most()], total, shown)


def _list(
    work: Work, programme: ProgrammeView, asked: Listing, shown: Shown, since: datetime, until: datetime
) -> None:
    words = programme.policy.words
    rows, total = agenda(work, programme.id, asked.filters, since, until, most=_most())
    st.caption(f"{total:,} {words.session if total == 1 else words.many('session')}"
               f" · times in {zone_words(shown.zone, work.now)}")
    if rows:
        _days(rows, total, shown)
        return
    with st.container(border=True, horizontal_alignment="center", key="nothing"):
        narrowed = any(name in filters.said() for name in WHICH)
        st.markdown(f"No {words.many('session')} in these days" + (" match these filters." if narrowed else "."))
        if narrowed:
            st.button("Show all", key="show-all", icon=":material/filter_alt_off:", on_click=filters.clear)


def _most() -> int:
    return int(st.session_state.get(_MORE, LISTED))


def _days(rows: list[Row], total: int, shown: Shown) -> None:
    """Sessions day by day, each a button that opens it."""
    for day, those in groupby(rows, lambda row: _local_day(row, shown.zone)):
        with st.container(gap=None, key=f"calendar-day-{day}"):
            st.subheader(format_date(day, "full", locale=shown.locale), anchor=False)
            for row in those:
                people = " with ".join(plain(each) for each in (who(row), row.practitioner) if each)
                said = " ".join(status_badge(each) for each in labels(row))
                st.button(f"**{_clock(row.starts_at, shown.zone)}–{_clock(row.ends_at, shown.zone)}** {people} {said}",
                          key=f"calendar-open-{row.id}", type="tertiary", on_click=session_look.open_look,
                          args=(row.id,))
    if total > len(rows):
        st.button(f"Show {min(LISTED, total - len(rows))} more of {total:,}", key="calendar-more",
                  icon=":material/expand_more:", on_click=_show_more)


def _local_day(row: Row, zone: ZoneInfo) -> date:
    assert row.starts_at is not None  # what is on the calendar has a time
    return row.starts_at.astimezone(zone).date()


def _clock(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}" if at else ""


def _show_more() -> None:
    st.session_state[_MORE] = _most() + LISTED

"""The screen of sessions put together: title, filters, toolbar, table, pages."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import streamlit as st

from core.clock import FIRST_DAY, LAST_DAY
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.sessions.address import NARROWS, ORDER, Listing
from core.sessions.fixes import kinds_for
from core.sessions.queries import PAGE, Page, session_count, session_list
from core.structure.queries import options
from core.work import Work
from ui import exporting, filters, fixing, navigation, runtime, table, views
from ui.format import capital, zone_words

LOOKS = {"table": ":material/table_rows: Table", "cards": ":material/view_agenda: Cards"}


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    table.asked_to_go()
    words, zone = programme.policy.words, runtime.zone(programme.zone_name, work)
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        st.title(capital(words.many("session")), width="stretch", anchor="top")
        if may(work, Action.SESSION_BOOK, programme.id) and st.button(
            f"Book {words.a('session')}", type="primary", icon=navigation.BY_NAME["book"].icon, key="book"
        ):
            navigation.go("book")
    offered = options(work, programme.id)
    asked = filters.bar(work, programme, offered, work.now.astimezone(zone).date())
    page = _page(work, programme, asked)
    look = _toolbar(work, programme, page, asked, zone)
    if not page.rows:
        _nothing(programme, asked)
    elif look == "cards":
        table.cards(work, programme, page, zone)
    else:
        table.show(work, programme, page, asked, offered, zone, ticks=bool(kinds_for(work, programme.id)))
    _pages(programme, asked, page)
    fixing.panels()


def _page(work: Work, programme: ProgrammeView, asked: Listing) -> Page:
    """The page asked for, or the last one where there are not so many."""
    page = session_list(work, programme.id, asked.filters, sort=asked.sort, down=asked.down, page=asked.page)
    if page.rows or asked.page == 1:
        return page
    last = max(1, -(-session_count(work, programme.id, asked.filters) // PAGE))
    return session_list(work, programme.id, asked.filters, sort=asked.sort, down=asked.down, page=last)


def _toolbar(work: Work, programme: ProgrammeView, page: Page, asked: Listing, zone: ZoneInfo) -> str:
    today = work.now.astimezone(zone).date()

    def earlier() -> None:
        filters.write(**{"from": None, "sort": None, "order": None})
        filters.turn_to(programme, Listing(replace(asked.filters, since=None)), today)

    if "look" not in st.session_state:
        narrow = "Mobi" in st.context.headers.get("User-Agent", "")
        st.session_state["look"] = "cards" if narrow else "table"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="toolbar"):
        if st.session_state["look"] == "table" and (kinds := kinds_for(work, programme.id)):
            fixing.menu(programme, kinds)
        st.button("From today", icon=":material/today:", key="today", on_click=filters.from_day, args=(today,))
        if asked.filters.since is not None:
            st.button("Earlier too", icon=":material/history:", key="earlier", on_click=earlier)
        views.menu(work, programme)
        exporting.offer("sessions", filters.address(programme), "Exactly what is filtered, all pages.")
        look = st.segmented_control(
            "Look", list(LOOKS), format_func=LOOKS.__getitem__, key="look", label_visibility="collapsed", required=True,
            persist_state="session",
        )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="count"):
        st.caption(f"{table.total_words(page)} · times in {zone_words(zone, work.now)}" if page.rows else "",
                   width="content")
        _pager(page)
    return str(look)


def _nothing(programme: ProgrammeView, asked: Listing) -> None:
    many = programme.policy.words.many("session")
    narrowed = any(name in filters.said() for name in NARROWS)
    with st.container(border=True, horizontal_alignment="center", key="nothing"):
        if narrowed:
            st.markdown(f"No {many} match these filters.")
            st.button("Show all", key="show-all", icon=":material/filter_alt_off:", on_click=filters.write,
                      kwargs=dict.fromkeys((*NARROWS, *ORDER)))
        else:
            st.markdown(f"There are no {many} yet. Those that you lead, attend or look after will stand here.")


def _pager(page: Page) -> None:
    """The pages to click, where there are several: above the table, so that the next one is read from its beginning."""
    def turned() -> None:
        filters.write(page=str(st.session_state["page"]))

    if page.pages > 1 or page.number > 1:
        if st.session_state.get("page") != page.number:
            st.session_state["page"] = page.number
        st.pagination(max(page.pages, page.number), key="page", on_change=turned, width=400)


def _pages(programme: ProgrammeView, asked: Listing, page: Page) -> None:
    """The page before and the next one, a jump to any page or day, and the way up.

    The pages to click stand above: Streamlit names each such row alike, and two could not be told apart by ear.
    """
    if page.pages == 1 and page.number == 1:
        return

    def jumped() -> None:
        filters.write(page=str(st.session_state["page-number"]))

    def to_day() -> None:
        if day := st.session_state["page-day"]:
            filters.turn_to(programme, asked, day)
            st.session_state["page-day"] = None

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pages"):
        for name, icon, number in (("Previous page", "left", page.number - 1), ("Next page", "right", page.number + 1)):
            st.button(name, icon=f":material/chevron_{icon}:", key=f"page-{icon}", on_click=filters.write,
                      kwargs={"page": str(number)}, disabled=not 1 <= number <= page.pages + page.total_is_more)
        st.markdown("[To the top](#top)", width="content")
        place = st.popover("Go to", icon=":material/keyboard_tab:", key="go-to", on_change="rerun")
        if place.open:
            with place:
                st.session_state["page-number"] = page.number
                st.number_input("Page", 1, None, key="page-number", on_change=jumped)
                st.date_input("Day", value=None, key="page-day", on_change=to_day, min_value=FIRST_DAY,
                              max_value=LAST_DAY, format="YYYY-MM-DD")

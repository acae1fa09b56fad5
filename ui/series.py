"""A session's place in its series, and how far a change of it reaches, shown before it is saved (C10)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import streamlit as st

from core.clock import when_words
from core.errors import Invalid, Refusal
from core.programmes.queries import ProgrammeView
from core.series.commands import try_again
from core.series.queries import preview_change, series_of
from core.series.rules import Scope
from core.sessions.fixes import Fix, FixKind, FixRow
from core.sessions.queries import Worksheet
from core.work import Work
from ui import feedback, late, navigation, panel, runtime
from ui.format import capital, plain
from ui.session_panel import About

_OPEN = 8
"""So many rows are shown at once; the rest stands in a fold."""


def strip(work: Work, sheet: Worksheet, programme: ProgrammeView) -> None:
    """'Part of a series: 3 of 10', the ways to its neighbours, and the days left out."""
    view = series_of(work, sheet.row.id) if sheet.series_id is not None else None
    if view is None:
        return
    word = programme.policy.words.session
    with st.container(border=True, key="series", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/event_repeat: Part of a series: **{view.position} of {view.count}**",
                        width="content")
            ways = ((view.earlier, f"Earlier {word}", "back"), (view.later, f"Next {word}", "forward"))
            for id_, label, icon in ways:
                if id_ is not None:
                    st.page_link(navigation.BY_NAME["worksheet"].page(), query_params={"session": str(id_)},
                                 label=label, icon=f":material/arrow_{icon}:", width="content")
        for day, reason in view.skipped:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":gray[:material/do_not_disturb_on: {_day(day)} was skipped: {plain(reason)}]",
                            width="content")
                if view.may_book:
                    st.button("Try again", key=f"series-again-{day}", type="tertiary", on_click=feedback.act,
                              args=(try_again, view.series_id, day), help=f"Book this day's {word} after all.")


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def scope(about: About) -> Scope:
    """How far the change in a panel reaches: asked where the session is part of a series."""
    if about.sheet.series_id is None or about.sheet.row.starts_at is None:
        return Scope.THIS
    about.form.preset("scope", Scope.THIS)
    chosen = st.segmented_control("Which of the series", list(Scope), format_func=capital, required=True,
                                  key=about.form.field("scope"))
    about.form.problem("scope")
    return Scope(chosen or Scope.THIS)


def preview(about: About, reach: Scope, fix: Fix) -> tuple[Fix, dict[int, int]]:
    """Before and after of each session that it reaches; a reason where hours ask for one, and whose wish it is (E8).

    Returns what to do with it, and the versions of those that will change.
    """
    zone, key = runtime.zone(about.programme.zone_name, about.work), about.form.field("series-reason")
    if why := (st.session_state.get(key) or "").strip():
        fix = replace(fix, reason=why)
    fix = replace(fix, late=late.answered(about.form))
    try:
        rows = preview_change(about.work, about.id, reach, fix, zone)
    except Invalid as refusal:
        st.caption(plain(refusal.sentence))
        return fix, {}
    except Refusal as refusal:
        st.error(plain(refusal.sentence), icon=":material/block:")
        return fix, {}
    lines = [
        f":gray[:material/block:] {_named(row, fix, zone)} stays: {plain(row.refused)}" if row.refused else
        f":green[:material/check:] {_named(row, fix, zone)} → {plain(row.after)}" for row in rows
    ]
    panel.lines(lines[:_OPEN])
    if len(lines) > _OPEN:
        with st.expander(f"{len(lines) - _OPEN} more"):
            panel.lines(lines[_OPEN:], "more")
    if why or any(row.asks_reason for row in rows):
        st.text_input("Reason, where hours do not hold", key=key, max_chars=500)
    if any(row.asks_wish for row in rows):
        late.ask(about.form, about.programme.policy.words, several=True)
    return fix, {row.session_id: row.version for row in rows if row.refused is None}


def _named(row: FixRow, fix: Fix, zone: ZoneInfo) -> str:
    """Its number, when it takes place where the change is not about that, and how it is before the change."""
    said = [plain(row.before)]
    if row.starts_at is not None and fix.kind not in (FixKind.SHIFT, FixKind.OFF):
        said.insert(0, when_words(row.starts_at, zone))
    return f"**{row.number}** {' · '.join(said)}"


def called(about: About, verb: str, alone: str, reach: Scope, agreed: Mapping[int, int]) -> str:
    """What the button says: 'Move 7 sessions'."""
    words = about.programme.policy.words
    if reach is Scope.THIS:
        return alone
    return f"{verb} {len(agreed)} {words.session if len(agreed) == 1 else words.many('session')}"


__all__ = ["called", "preview", "scope", "strip"]

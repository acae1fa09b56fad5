"""Invoices, credit notes and payout statements as a list: filters in the address, how each stands, marking as paid."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.documents import (
    NARROWS,
    PAGE,
    Chosen,
    Entry,
    Left,
    State,
    Sums,
    both_ways,
    documents,
    matches,
    narrowed,
    page_of,
    periods,
    span,
    sums,
)
from core.billing.money import words
from core.billing.payments import mark_paid, set_off_all, take_back_entered
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.words import DocumentKind
from core.work import Work
from ui import exporting, feedback, filters, here, navigation, panel, runtime, ticks
from ui.format import capital, plain
from ui.forms import Form

LOOKS = {
    State.OPEN: ("blue", ":material/schedule:", "◷"), State.OVERDUE: ("red", ":material/warning:", "⚠"),
    State.PAID: ("green", ":material/check:", "✓"), State.CREDITED: ("gray", ":material/undo:", "↩"),
    State.TO_SET_OFF: ("orange", ":material/currency_exchange:", "⇄"),
    State.SETTLED: ("green", ":material/check:", "✓"), State.NOTHING: ("gray", ":material/remove:", "–"),
}
"""Colour, icon and, for cells of a table, a sign; the word alone suffices."""
_LEFT = {Left.OPEN: "Still to pay", Left.TO_SET_OFF: "To set off"}
WIDE = 170
WHY_WIDE, WHY_HIGH = 380, 62
"""Pixels of the column that says why an amount is what it is, and of lines that say it whole."""
_KEPT, _TURNED, _LIST, _TICKED = "documents:kept", "documents:page", "documents-list", "documents:ticked"


def badge(state: State) -> str:
    """How a document stands as a Markdown badge: icon and word."""
    colour, icon, _ = LOOKS[state]
    return f":{colour}-badge[{icon} {state}]"


def sign(state: State) -> str:
    """The same for a cell of a table."""
    return f"{LOOKS[state][2]} {state}"


def day_words(day: date) -> str:
    """'3 Mar 2026'."""
    return f"{day.day} {day:%b %Y}"


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    _arrive(programme)
    closes = may(work, Action.MONEY_CLOSE, programme.id)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Invoices and payouts", width="content")
        action = st.container(horizontal=True, width="content", gap="small")
    with action:
        exporting.offer("documents", {"programme": [programme.name], **_said()}, "Exactly what is filtered, all of it.")
    chosen = narrowed(_said())
    _filters(work, programme, chosen)
    st.session_state[_KEPT] = (programme.id, _said())
    listed, total = documents(work, programme.id, chosen, number=_number())
    if not listed:
        _nothing(closes, chosen)
    else:
        _sums(programme, *sums(work, programme.id, chosen))
        ticked = _table(work, programme, listed, total, closes)
        if closes:
            with action:
                if _is_over(work, programme):
                    st.button("Set off…", icon=":material/currency_exchange:", key="set-off", on_click=panel.open_,
                              args=("set-off", programme.id), help="Use what is in favour of somebody for what is open"
                              " of theirs, for everybody at once, whatever the list is filtered by.")
                _marking(programme, ticked)
    panel.show("mark-paid", "Mark as paid", _mark)
    panel.show("set-off", "Set off", _set_off)


def _said() -> dict[str, list[str]]:
    return {name: values for name in NARROWS if (values := st.query_params.get_all(name))}


def _number() -> int:
    said = st.query_params.get("page", "1")
    return max(1, int(said)) if said.isdecimal() and said.isascii() and len(said) < 9 else 1


def _arrive(programme: ProgrammeView) -> None:
    """Coming back finds the list as it was left; another programme starts afresh, a link says itself what it is."""
    left_in, kept = st.session_state.get(_KEPT, (programme.id, {}))
    if left_in != programme.id:
        _clear()
    elif panel.just_came() and not _said():
        filters.write(**kept)


def _clear() -> None:
    filters.write(**dict.fromkeys(NARROWS))


def _nothing(closes: bool, chosen: Chosen) -> None:
    if chosen != Chosen():
        with st.container(border=True):
            st.markdown("Nothing matches.")
            st.button("Show everything", icon=":material/filter_alt_off:", on_click=_clear)
        return
    way = " Close the first period, and its documents stand here." if closes else \
        " They come when a period is closed."
    st.info(f"There are no invoices and payout statements yet.{way}", icon=":material/request_quote:")
    if closes:
        st.page_link(navigation.BY_NAME["closing"].page(), label="Close a period", icon=":material/lock:")


# Filters -------------------------------------------------------------------------------------------------------------


def _filters(work: Work, programme: ProgrammeView, chosen: Chosen) -> None:
    closed = {str(one.id): span(one.from_day, one.until_day) for one in periods(work, programme.id)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        key = filters.seeded("documents-whom", chosen.text)
        st.text_input("Find", key=key, on_change=_writes("whom", key), width=WIDE, icon=":material/search:",
                      placeholder="Name or number", autocomplete="off")
        key = filters.seeded("documents-paper", list(chosen.kinds))
        st.multiselect("Kind", list(DocumentKind), key=key, format_func=capital, placeholder="All",
                       on_change=_writes("paper", key), width=WIDE + 40)
        if closed:
            period = str(chosen.period_id) if str(chosen.period_id) in closed else None
            key = filters.seeded("documents-period", period)
            st.selectbox("Period", list(closed), index=None, key=key, format_func=lambda id_: closed.get(id_, ""),
                         placeholder="All", on_change=_writes("period", key), width=WIDE)
        key = filters.seeded("documents-open", chosen.left)
        st.selectbox("Left", list(Left), index=None, key=key, format_func=_LEFT.__getitem__, placeholder="All",
                     on_change=_writes("open", key), width=WIDE)
        if chosen != Chosen():
            st.button("Clear", type="tertiary", key="filter:clear", on_click=_clear)
    due = [f"{word} {day_words(day)}" for word, day in (("from", chosen.due_from), ("until", chosen.due_until)) if day]
    if due:
        st.caption(f":material/tune: Due {' '.join(due)}")


def _writes(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        filters.write(**{name: value if isinstance(value, list) else str(value).strip() if value else None})

    return changed


# What is shown -------------------------------------------------------------------------------------------------------


_COMING = {
    "gross": ("Invoices", "What all of these come to with tax, less credit notes."),
    "open": ("Still to come in", "What is open on these invoices as of today."),
    "over": ("To set off", ("In favour of payers: taken back after it was billed, or paid too much."
                            " It is set off against open invoices, or given back.")),
}
_GOING = {
    "gross": ("Payouts", "What all of these payout statements come to."),
    "open": ("Still to pay out", "What is open on these payout statements as of today."),
    "over": ("To be paid back", ("Paid too much, or taken back since. It is set off against other statements, or paid"
                                 " back.")),
}


def _sums(programme: ProgrammeView, coming: Sums | None, going: Sums | None) -> None:
    """What all that match come to, each way by itself."""
    with st.container(horizontal=True, gap="medium", key="figures"):
        for found, called in ((coming, _COMING), (going, _GOING)):
            for name, (label, told) in called.items() if found is not None else ():
                if (amount := getattr(found, name)) or name != "over":
                    st.metric(label, words(amount, programme.currency), help=told, width="content")


def _table(
    work: Work, programme: ProgrammeView, listed: Sequence[Entry], total: int, closes: bool
) -> list[Entry]:
    """The page; returns what is ticked on it."""
    today, number = work.now.astimezone(programme.zone).date(), page_of(_number(), total)
    first = (number - 1) * PAGE + 1
    how = "tick what was paid, click another cell to open one" if closes else "click a line to open it"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{first:,}–{first + len(listed) - 1:,} of {total:,} · {how}", width="content")
        _turn(number, -(-total // PAGE))
    modes: list[Any] = ["multi-row", "single-cell"] if closes else ["single-cell"]
    picked = st.dataframe(
        pd.DataFrame(_columns(listed, today)), hide_index=True, height="content",
        key=ticks.key(_LIST, [each.id for each in listed]), selection_mode=modes, on_select="rerun",
        placeholder="", alt=f"Invoices and payouts of {programme.name}", column_config={
            "Kind": st.column_config.TextColumn(width=125),
            **{name: st.column_config.DateColumn(format="D MMM YYYY") for name in ("Issued", "Due")},
            **{name: st.column_config.TextColumn(alignment="right") for name in AMOUNTS},
        })
    for line, _ in picked.selection.cells:
        if line < len(listed):
            navigation.open_document(listed[line].id)
    return [listed[line] for line in picked.selection.rows if line < len(listed)]


AMOUNTS = ("Net", "Tax", "Total", "Paid", "Left")


def _columns(listed: Sequence[Entry], today: date) -> dict[str, list[Any]]:
    """Documents as columns of a table; without tax, net and total are the same."""
    found: Mapping[str, list[Any]] = {
        "Number": [each.label for each in listed], "Whom": [each.whom for each in listed],
        "State": [sign(each.state(today)) for each in listed],
        "Left": [words(each.left, each.currency) for each in listed],
        "Kind": [capital(each.kind) for each in listed],
        "Period": [each.period for each in listed], "Issued": [each.issued_on for each in listed],
        "Due": [each.due_on if each.gross > 0 else None for each in listed],
        "Net": [words(each.net, each.currency) for each in listed],
        "Tax": [words(each.tax, each.currency) for each in listed],
        "Total": [words(each.gross, each.currency) for each in listed],
        "Paid": [words(each.paid, each.currency) for each in listed],
    }
    taxed = any(each.tax for each in listed)
    return {name: values for name, values in found.items() if taxed or name not in ("Net", "Tax")}


def _turn(number: int, pages: int) -> None:
    if st.session_state.get(_TURNED) != number:
        st.session_state[_TURNED] = number
    if pages == 1:
        return

    def turned() -> None:
        filters.write(page=str(st.session_state[_TURNED]))

    st.pagination(pages, key=_TURNED, on_change=turned, width=400)


# Marking several as paid ---------------------------------------------------------------------------------------------


def _marking(programme: ProgrammeView, ticked: Sequence[Entry]) -> None:
    due = [each for each in ticked if each.open]
    st.session_state[_TICKED] = [each.id for each in due]
    label = f"Mark {len(due)} as paid" if due else "Mark as paid"
    st.button(label, type="primary", icon=":material/done_all:", key="mark-paid", disabled=not due,
              help=None if due else "Tick documents that are open first.", on_click=panel.open_,
              args=("mark-paid", programme.id))


def _mark(programme_id: int) -> None:
    form = Form(f"mark-paid-{programme_id}")
    finish(form, take_back_entered)
    with runtime.reading() as work:
        listed = [each for each in _chosen(work, programme_id) if each.open]
        today = work.now.astimezone(here.programme(work).zone).date()
    if not listed:
        st.info("Nothing that is open is ticked.")
        return
    _first_of([f"**{plain(each.label)}** · {plain(each.whom)} · {plain(words(each.open, each.currency))}"
               for each in listed])
    form.preset("day", today)
    st.date_input("Paid on", key=form.field("day"), format="YYYY-MM-DD", width=WIDE)
    form.problem("day")
    form.problem("document")
    form.show_refusal()
    sums = both_ways([(each, each.open) for each in listed])
    st.button(plain(f"{sums[0]} was paid" if len(sums) == 1 else f"{sums[0]} came in and {sums[1]} went out"),
              type="primary", key=form.field("save"), on_click=_send_mark, args=(form, [each.id for each in listed]))


def _first_of(lines: Sequence[str]) -> None:
    for line in lines[:20]:
        st.markdown(line)
    if len(lines) > 20:
        st.caption(f"And {len(lines) - 20:,} more.")


def finish(form: Form, back: Callable[..., Any] | None = None) -> None:
    """Close the panel once it was saved; money is put right by another entry, which `back` makes."""
    if saved := form.done():
        if back is None:
            feedback.note(saved.said)
        else:
            feedback.tell(saved, back=back)
        panel.close()
        st.rerun()


def _chosen(work: Work, programme_id: int) -> list[Entry]:
    return documents(work, programme_id, Chosen(ids=tuple(st.session_state.get(_TICKED, ()))))[0]


def _send_mark(form: Form, ids: list[int]) -> None:
    if (day := form.value("day")) is None:
        form.fail({"day": "Choose the day on which it was paid."})
    else:
        form.send(mark_paid, ids, day)


# Setting off ---------------------------------------------------------------------------------------------------------


def _is_over(work: Work, programme: ProgrammeView) -> bool:
    return any(sums(work, programme.id, Chosen(left=Left.TO_SET_OFF)))


def _set_off(programme_id: int) -> None:
    form = Form(f"set-off-{programme_id}")
    finish(form, take_back_entered)
    form.show_refusal()
    with runtime.reading() as work:
        found, programme = matches(work, programme_id), programme_of(work, programme_id)
        over = bool(found) or _is_over(work, programme)
    if not found:
        st.info("Nothing is open of those in whose favour something is. What comes next can be set off as soon as it"
                " stands here; until then it can be given back." if over else "Nothing is in anybody's favour by now.",
                icon=":material/hourglass_empty:")
        return
    st.markdown(f"Whatever is in favour of anybody in {plain(programme.name)} is used for what is open of theirs, the"
                " first due first.")
    _first_of([f"**{plain(each.open.label)}** · {plain(each.open.whom)} ·"
               f" {plain(words(each.amount, each.open.currency))} from {plain(each.over.label)}" for each in found])
    amounts = both_ways([(each.open, each.amount) for each in found])
    st.button(plain(f"Set off {' and '.join(amounts)}"), type="primary", key=form.field("save"), on_click=form.send,
              args=(set_off_all, programme_id, [each.pair for each in found]))

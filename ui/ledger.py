"""The ledger on screen: filters that stand in the address, sums, each line with why it has its amount, export."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.address import (
    COURSE,
    FROM,
    HELD,
    KIND,
    LEARNER,
    NARROWS,
    NOPAYER,
    OUTCOME,
    PAYER,
    PRACTITIONER,
    UNTIL,
    YES,
    address,
    read,
)
from core.billing.export import note_of, side_words
from core.billing.money import words
from core.billing.queries import PAGE, Filters, Line, LinePage, lines, payers
from core.clock import FIRST_DAY, LAST_DAY
from core.people.queries import names, pick_among_few
from core.programmes.queries import ProgrammeView
from core.structure.queries import options
from core.words import LineKind, Outcome, Role
from core.work import Work
from ui import exporting, filters, navigation, people_picker
from ui.documents import WHY_HIGH, WHY_WIDE
from ui.format import capital, plain

FEW = 60
"""Up to so many are offered as a list; more are typed for."""
WIDE = 155
_KEPT, _TURNED, _MORE = "ledger:kept", "ledger:page", "ledger:more"
_SIGNS = {True: "↩ ", False: ""}
_SIDES = {LineKind.CHARGE: "Billed", LineKind.PAYOUT: "Paid"}
Given = Mapping[str, list[str]]


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    _arrive(programme)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Ledger", width="content")
        exporting.offer("ledger", {"programme": [programme.name], **_said()}, "Exactly what is filtered, all of it.")
    chosen = read(_said())
    _filters(work, programme, chosen)
    st.session_state[_KEPT] = (programme.id, _said())
    page = lines(work, programme.id, chosen, number=_number())
    _sums(programme, chosen, page)
    if page.rows:
        _table(programme, page)
    elif chosen == Filters():
        st.info(f"Nothing was worked out yet. Lines come when {programme.policy.words.many('session')} are recorded and"
                " a rate holds for them.", icon=":material/receipt_long:")
    else:
        with st.container(border=True):
            st.markdown("No line matches.")
            st.button("Show all lines", icon=":material/filter_alt_off:", on_click=_clear)


def _said() -> dict[str, list[str]]:
    return {name: values for name in NARROWS if (values := st.query_params.get_all(name))}


def _number() -> int:
    said = st.query_params.get("page", "1")
    return int(said) if said.isdecimal() and said.isascii() and len(said) < 9 else 1


def _arrive(programme: ProgrammeView) -> None:
    """Coming back finds the ledger as it was left; another programme starts afresh, a link says itself what it is."""
    left_in, kept = st.session_state.get(_KEPT, (programme.id, {}))
    if left_in != programme.id:
        _clear()
    elif _MORE not in st.session_state and not _said():
        filters.write(**kept)


def _clear() -> None:
    filters.write(**dict.fromkeys(NARROWS))


# Filters -------------------------------------------------------------------------------------------------------------


def _filters(work: Work, programme: ProgrammeView, chosen: Filters) -> None:
    said, given = programme.policy.words, address(chosen)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        _day(FROM, "From", chosen.from_day)
        _day(UNTIL, "Until", chosen.until_day)
        _one(KIND, "Side", {str(kind): label for kind, label in _SIDES.items()}, given)
        _people(work, programme, PRACTITIONER, capital(said.practitioner), Role.PRACTITIONER, given)
        more = st.popover("More filters", icon=":material/tune:", key=_MORE, width="content",
                          on_change="rerun")
        if more.open:
            with more, st.container(width=270):
                _more(work, programme, given)
        if given:
            st.button("Clear", type="tertiary", key="filter:clear", on_click=_clear)
    _behind(work, programme, chosen)


def _more(work: Work, programme: ProgrammeView, given: Given) -> None:
    said = programme.policy.words
    billed = {str(one.id): one.name for one in payers(work, programme.id, retired=True)}
    _several(PAYER, "Payer", billed, given)
    _people(work, programme, LEARNER, capital(said.learner), Role.LEARNER, given)
    _several(COURSE, capital(said.course), {str(one.id): one.name for one in options(work, programme.id).courses},
             given)
    _several(OUTCOME, "Outcome", {str(one): capital(said.outcome(one)) for one in Outcome}, given)
    for name, label in ((HELD, "Pay on hold"), (NOPAYER, "Charges nobody pays")):
        key = filters.seeded(f"ledger-{name}", name in given)
        st.checkbox(label, key=key, on_change=_writes(name, key))


def _writes(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        if isinstance(value, list):
            filters.write(**{name: [str(each) for each in value]})
        else:
            filters.write(**{name: YES if value is True else str(value) if value else None})

    return changed


def _day(name: str, label: str, value: date | None) -> None:
    key = filters.seeded(f"ledger-{name}", value)
    st.date_input(label, value=None, key=key, on_change=_writes(name, key), width=WIDE, min_value=FIRST_DAY,
                  max_value=LAST_DAY, format="YYYY-MM-DD")


def _one(name: str, label: str, offered: Mapping[str, str], given: Given) -> None:
    key = filters.seeded(f"ledger-{name}", next(iter(given.get(name, ())), None))
    st.selectbox(label, list(offered), index=None, key=key, format_func=lambda word: offered.get(word, word),
                 placeholder="Billed and paid", on_change=_writes(name, key), width=WIDE)


def _several(name: str, label: str, offered: Mapping[str, str], given: Given) -> None:
    chosen = [word for word in given.get(name, ()) if word in offered]
    if offered:
        key = filters.seeded(f"ledger-{name}", chosen)
        st.multiselect(label, list(offered), key=key, format_func=lambda word: offered.get(word, word),
                       placeholder="Any", on_change=_writes(name, key))


def _people(work: Work, programme: ProgrammeView, name: str, label: str, role: Role, given: Given) -> None:
    """A list where there are few to choose among, else a field to type in."""
    few = pick_among_few(work, programme.id, role, FEW)
    if few is not None:
        called = [one.name for one in few]
        offered = {str(one.id): one.name if called.count(one.name) == 1 else f"{one.name} ~{one.id}" for one in few}
        with st.container(width=WIDE if name == PRACTITIONER else "stretch"):
            _several(name, label, offered, given)
        return
    ids = [int(word) for word in given.get(name, ())]
    key = filters.seeded(f"ledger-{name}", ids[0] if ids else None)
    with st.container(width=2 * WIDE if name == PRACTITIONER else "stretch", gap=None):
        people_picker.person(work, programme.id, role, label, key, most=8, on_change=_writes(name, key))


def _behind(work: Work, programme: ProgrammeView, chosen: Filters) -> None:
    """What the filters that are not in sight narrow the ledger to."""
    said = programme.policy.words
    listed: list[tuple[str, Sequence[str]]] = []
    if chosen.payer_ids:
        listed.append(("Payer", [one.name for one in payers(work, programme.id, retired=True, ids=chosen.payer_ids)]))
    if chosen.learner_ids:
        listed.append((capital(said.learner), sorted(names(work, programme.id, chosen.learner_ids).values())))
    if chosen.course_ids:
        listed.append((capital(said.course), [
            one.name for one in options(work, programme.id).courses if one.id in chosen.course_ids]))
    listed.append(("Outcome", [said.outcome(one) for one in chosen.outcomes]))
    listed.append(("Month", [f"{month:%b %Y}" for month in chosen.months]))
    told = [f"{label}: {', '.join(plain(one) for one in those) or 'unknown'}" for label, those in listed
            if those or label not in ("Outcome", "Month")]
    told += ["only pay on hold"] if chosen.only_held else []
    told += ["only charges that nobody pays"] if chosen.without_payer else []
    if told:
        st.caption(f":material/tune: {' · '.join(told)}")


# What is shown -------------------------------------------------------------------------------------------------------


def _sums(programme: ProgrammeView, chosen: Filters, page: LinePage) -> None:
    """What the lines come to; a margin only where both sides of it are among them."""
    if not page.total:
        return
    charges = chosen.kind is LineKind.CHARGE or chosen.learner_ids or chosen.payer_ids or chosen.without_payer
    payouts = chosen.kind is LineKind.PAYOUT or chosen.only_held
    people = programme.policy.words.many("practitioner")
    with st.container(horizontal=True, gap="medium", key="figures"):
        for shown, label, amount, told in (
            (not payouts, "Billed", page.charged, "What payers owe by these lines; what was taken back cancels out."),
            (not charges, "Paid", page.paid, f"What {people} earn by these lines; what was taken back cancels out."),
            (not (charges or payouts), "Margin", page.charged - page.paid, "Billed less paid."),
        ):
            if shown:
                st.metric(label, words(amount, programme.currency), help=told, width="content")


def _table(programme: ProgrammeView, page: LinePage) -> None:
    said, first = programme.policy.words, (page.number - 1) * PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{first:,}–{first + len(page.rows) - 1:,} of {page.total:,} lines, the sums are of all of them ·"
                   f" click a line for its {said.session}", width="content")
        _turn(page)
    picked = st.dataframe(
        pd.DataFrame(_columns(programme, page.rows)), hide_index=True, height="content", key="ledger-lines",
        selection_mode="single-cell", on_select="rerun", placeholder="", alt=f"Ledger of {programme.name}",
        row_height=WHY_HIGH, column_config={
            "Day": st.column_config.DateColumn(format="D MMM YYYY", width=92),
            "No.": st.column_config.NumberColumn(format="%d", width=50, help=f"Number of the {said.session}"),
            "Amount": st.column_config.TextColumn(alignment="right", width=90),
            "Side": st.column_config.TextColumn(width=62), "Document": st.column_config.TextColumn(width=80),
            "Why this amount": st.column_config.TextColumn(width=WHY_WIDE),
            "Note": st.column_config.TextColumn(width=80),
            "Whom": st.column_config.TextColumn(width=105), "Payer": st.column_config.TextColumn(width=105),
            capital(said.course): st.column_config.TextColumn(width=80),
        },
    )
    for line, _ in picked.selection.cells:
        if line < len(page.rows):
            navigation.open_session(page.rows[line].session_id)


def _columns(programme: ProgrammeView, rows: Sequence[Line]) -> dict[str, list[Any]]:
    said = programme.policy.words
    found: dict[str, list[Any]] = {
        "Day": [each.day for each in rows], "No.": [each.number for each in rows],
        "Side": [side_words(each.kind) for each in rows],
        "Amount": [f"{_SIGNS[each.reverses]}{words(each.amount, each.currency)}" for each in rows],
        "Whom": [each.whom for each in rows],
        "Payer": [_payer(each) for each in rows],
        "Note": [note_of(each) for each in rows], "Why this amount": [each.why for each in rows],
        capital(said.course): [each.course for each in rows], "Document": [each.document for each in rows],
    }
    return {name: values for name, values in found.items()
            if name not in ("Note", "Document", capital(said.course)) or any(values)}


def _payer(line: Line) -> str:
    if line.kind is LineKind.PAYOUT:
        return ""
    return line.payer or "nobody yet"


def _turn(page: LinePage) -> None:
    if st.session_state.get(_TURNED) != page.number:
        st.session_state[_TURNED] = page.number
    if page.pages == 1:
        return

    def turned() -> None:
        filters.write(page=str(st.session_state[_TURNED]))

    st.pagination(page.pages, key=_TURNED, on_change=turned, width=400)

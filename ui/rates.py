"""Rates and the outcome matrix on screen: what holds, which one wins, and changing it from a day on."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.commands import NewRate, add_rate, change_rate, end_rate, remove_rate
from core.billing.listing import (
    PAGE,
    Winner,
    find_engagements,
    for_what,
    rates_narrowed,
    state_of,
    today_of,
    which_rate,
)
from core.billing.money import number_words, words
from core.billing.money import typed as amount_typed
from core.billing.queries import RateView
from core.billing.queries import rates as all_rates
from core.billing.trial import Trial
from core.clock import FIRST_DAY, LAST_DAY
from core.people.queries import pick_among_few
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.programmes.rules import Words
from core.sessions.address import listing, person_words
from core.structure.queries import options
from core.words import RateUnit, Role, Side
from core.work import Work
from ui import feedback, filters, matrix, panel, people_picker, runtime, simulation, typed
from ui.format import capital, plain
from ui.forms import Form
from ui.turning import Turned

_NEW_AMOUNT, _END, _REMOVE = "New amount", "End", "Remove"
_RATES, _OUTCOMES = "Rates", "Outcomes"
_ASKED = ("side", "rate_of", "rate_in", "on")
_TURNED = "rates:page"
FEW = 60
ANY_DAY = date.min
"""A rate that is tried begins whenever the days begin that it is tried on."""


def screen(programme: ProgrammeView) -> None:
    """Two tabs: the rates, and what of them each outcome is billed and paid."""
    with runtime.reading() as work:
        edits = may(work, Action.MONEY_EDIT, programme.id) and not programme.retired
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Rates", width="content")
        action = st.container(width="content")
    tabs = st.tabs([_RATES, _OUTCOMES], key="terms", bind="query-params")
    if tabs[1].open:
        with tabs[1]:
            matrix.show(programme, edits, action)
    else:
        with tabs[0]:
            _show(programme, edits, action)
    panel.show("rate-new", "Add a rate", _new)
    panel.show("rate-change", "New amount", _change)
    panel.show("rate-end", "End a rate", _end)
    panel.show("rate-which", "Which rate holds?", _which)
    matrix.panels()


def _show(programme: ProgrammeView, edits: bool, action: Any) -> None:
    said = programme.policy.words
    if edits:
        action.button("Add a rate", type="primary", icon=":material/add:", key="rate-add", on_click=panel.open_,
                      args=("rate-new", programme.id))
    with runtime.reading() as work:
        chosen = _filters(work, programme)
        today = today_of(work, programme.id)
        found = rates_narrowed(work, programme.id, **chosen)
        there = bool(found) or bool(all_rates(work, programme.id))
    if not there:
        way = " Add what an hour is billed and what it is paid." if edits else ""
        st.info(f"No rate is set yet, so nothing is billed or paid.{way}", icon=":material/sell:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Where several fit, the narrowest wins: engagement, then {said.practitioner}, {said.course}, type.",
                   width="content")
        st.button("Which rate holds?", icon=":material/help:", type="tertiary", key="rate-which",
                  on_click=panel.open_, args=("rate-which", programme.id))
    if found:
        _table(programme, found, today, edits)
        return
    with st.container(border=True):
        st.markdown("No rate matches.")
        st.button("Show all rates", icon=":material/filter_alt_off:", on_click=_clear)


def _filters(work: Work, programme: ProgrammeView) -> dict[str, Any]:
    """One row, kept in the address."""
    said = programme.policy.words
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        side = st.selectbox("Side", [capital(each) for each in Side], index=None, key="side", bind="query-params",
                            placeholder="Billed and paid", width=170, on_change=_first_page)
        leader = _leader(work, programme)
        courses = [each.name for each in options(work, programme.id).courses]
        course = st.selectbox(capital(said.course), courses, index=None, key="rate_in", bind="query-params",
                              placeholder="Any", width=180, on_change=_first_page) if courses else None
        on = st.date_input("In force on", value=None, key="on", bind="query-params", format="YYYY-MM-DD", width=150,
                           min_value=FIRST_DAY, max_value=LAST_DAY, on_change=_first_page)
    named = listing(work, programme.id, {
        "practitioner": [leader] if leader else [], "course": [course] if course else []}).filters
    return {
        "side": Side(side.lower()) if side else None, "on": on if isinstance(on, date) else None,
        "practitioner_id": next(iter(named.practitioners), None), "course_id": next(iter(named.courses), None)}


def _leader(work: Work, programme: ProgrammeView) -> str | None:
    """The practitioner as the address names them: out of a list where there are few, else typed for."""
    label = capital(programme.policy.words.practitioner)
    few = pick_among_few(work, programme.id, Role.PRACTITIONER, FEW)
    if few is not None:
        names = [one.name for one in few]
        chosen: str | None = st.selectbox(
            label, [one.name if names.count(one.name) == 1 else f"{one.name} ~{one.id}" for one in few], index=None,
            key="rate_of", bind="query-params", placeholder="Any", width=180, on_change=_first_page)
        return chosen
    said = st.query_params.get("rate_of")
    known = listing(work, programme.id, {"practitioner": [said] if said else []}).filters.practitioners
    key = filters.seeded("rate_of", known[0] if known and known[0] else None)

    def changed() -> None:
        id_ = st.session_state[key]
        with runtime.reading() as look:
            filters.write(rate_of=person_words(look, programme.id, [id_]).get(id_) if id_ else None)
        _first_page()

    with st.container(width=180, gap="xsmall"):
        people_picker.person(work, programme.id, Role.PRACTITIONER, label, key, most=8, on_change=changed)
    return said


def _first_page() -> None:
    st.session_state[_TURNED] = 1


def _clear() -> None:
    st.session_state.update(dict.fromkeys(_ASKED))
    filters.write(rate_of=None)
    _first_page()


def _table(programme: ProgrammeView, found: list[RateView], today: date, edits: bool) -> None:
    page, said = Turned(found, PAGE, _TURNED), programme.policy.words
    rows = page.shown
    page.turn()
    columns: dict[str, list[Any]] = {
        "For": [for_what(each, said) for each in rows], "Side": [str(each.side) for each in rows],
        "Amount": [price(each, programme) for each in rows], "State": [
            state_of(each.from_day, each.until_day, today) for each in rows],
        "From": [each.from_day for each in rows], "Until": [each.until_day for each in rows],
    }
    config: dict[str, Any] = {
        "For": st.column_config.TextColumn(width="medium"),
        "Amount": st.column_config.TextColumn(alignment="right"),
        **{name: st.column_config.DateColumn(format="D MMM YYYY") for name in ("From", "Until")},
    }
    if edits:
        columns["Change"] = [[_NEW_AMOUNT, _END] if each.used else [_NEW_AMOUNT, _END, _REMOVE] for each in rows]
        config["Change"] = st.column_config.ButtonColumn(
            "Change", key="rate-action", on_click=_clicked, args=(programme.id, [each.id for each in rows]))
    st.dataframe(pd.DataFrame(columns), hide_index=True, height="content", key="rates-table", placeholder="",
                 alt=f"Rates of {programme.name}", column_config=config)


def price(rate: RateView, programme: ProgrammeView) -> str:
    """'€50.00 an hour'."""
    unit = "an hour" if rate.unit is RateUnit.HOUR else programme.policy.words.a("session")
    return f"{words(rate.amount, programme.currency)} {unit}"


def days(rate: RateView) -> str:
    """'from 1 Mar 2026', 'from 1 Mar 2026 until 3 May 2026'."""
    until = f" until {rate.until_day:%-d %b %Y}" if rate.until_day else ""
    return f"from {rate.from_day:%-d %b %Y}{until}"


def _clicked(programme_id: int, ids: list[int]) -> None:
    click = st.session_state["rate-action"]
    id_ = ids[click["row"]]
    if click["label"] == _REMOVE:
        feedback.act(remove_rate, id_)
    else:
        panel.open_("rate-change" if click["label"] == _NEW_AMOUNT else "rate-end", programme_id, id_)


# Panels --------------------------------------------------------------------------------------------------------------


def _new(programme_id: int) -> None:
    form = Form(f"rate-new-{programme_id}")
    panel.finish(form)
    with runtime.reading() as work:
        if not may(work, Action.MONEY_EDIT, programme_id):
            return
        programme = programme_of(work, programme_id)
        said = programme.policy.words
        form.preset("side", Side.BILLED)
        form.preset("unit", RateUnit.HOUR)
        left, right = st.columns(2)
        with left:
            st.segmented_control("What is set", list(Side), format_func=_side_label, key=form.field("side"),
                                 required=True)
            form.problem("side")
        with right:
            st.segmented_control(
                "For", list(RateUnit), key=form.field("unit"), required=True,
                format_func=lambda unit: "An hour" if unit is RateUnit.HOUR else capital(said.a("session")))
        _amount(form, programme)
        st.caption("Narrow it down, or leave it open for everything else.")
        narrowed(work, programme, form)
    left, right = st.columns(2)
    with left:
        typed.day("From", form, "from_day", programme.zone)
    with right:
        typed.day("Until (optional)", form, "until_day", programme.zone, placeholder="Open")
    form.show_refusal()
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_new, args=(form, programme))
    simulation.under(form, programme, lambda now: _tried_new(now, programme))


def _side_label(side: Side) -> str:
    return "Billed to payers" if side is Side.BILLED else "Paid out"


def _amount(form: Form, programme: ProgrammeView) -> None:
    st.text_input(f"Amount ({programme.currency})", key=form.field("amount"), autocomplete="off")
    form.problem("amount")


def narrowed(work: Work, programme: ProgrammeView, form: Form) -> None:
    """What a rate, or a session that asks for one, is about; all of it optional."""
    said = programme.policy.words
    people_picker.person(work, programme.id, Role.PRACTITIONER, capital(said.practitioner), form.field("practitioner"))
    form.problem("practitioner")
    left, right = st.columns(2)
    with left:
        courses = {each.id: each.name for each in options(work, programme.id).open.courses}
        st.selectbox(capital(said.course), list(courses), index=None, key=form.field("course"), placeholder="Any",
                     format_func=lambda id_: courses.get(id_, ""))
        form.problem("course")
    with right:
        st.selectbox("Type", list(programme.policy.types), index=None, key=form.field("type"), placeholder="Any")
        form.problem("type")
    people_picker.choose(
        work, "Engagement", form.field("engagement"),
        lambda asked, text, n: find_engagements(asked, programme.id, text, n),
        lambda id_: next((one.name for one in find_engagements(work, programme.id, "", 10_000) if one.id == id_), None))
    form.problem("engagement")


def _send_new(form: Form, programme: ProgrammeView) -> None:
    wanted = _wanted_new(form, programme)
    problems = wanted if isinstance(wanted, dict) else {}
    found = {name: typed.day_of(form, name, programme.zone) for name in ("from_day", "until_day")}
    found["from_day"] = found["from_day"] or typed.NO_DAY
    problems |= {name: problem for name, problem in found.items() if isinstance(problem, str)}
    if problems or isinstance(wanted, dict):
        form.fail(problems)
    else:
        form.send(add_rate, programme.id, NewRate(**{**vars(wanted), **found}))


def _wanted_new(form: Form, programme: ProgrammeView) -> NewRate | dict[str, str]:
    """The rate without its days, or what is wrong with it."""
    amount = _amount_of(form, programme)
    if isinstance(amount, str):
        return {"amount": amount}
    return NewRate(
        form.value("side"), form.value("unit"), amount, ANY_DAY, None, form.value("course"), form.value("type"),
        form.value("practitioner"), form.value("engagement"))


def _tried_new(form: Form, programme: ProgrammeView) -> Trial | dict[str, str]:
    wanted = _wanted_new(form, programme)
    return wanted if isinstance(wanted, dict) else Trial(wanted)


def _amount_of(form: Form, programme: ProgrammeView) -> int | str:
    """The minor units typed, or the sentence about what keeps it from being an amount."""
    try:
        return amount_typed(form.value("amount") or "", programme.currency)
    except ValueError as problem:
        return str(problem)


def _known(programme_id: int, rate_id: int) -> tuple[ProgrammeView, RateView] | None:
    with runtime.reading() as work:
        programme = programme_of(work, programme_id)
        known = next((each for each in all_rates(work, programme_id) if each.id == rate_id), None)
    if known is None:
        st.info("This rate is not there any more.")
        return None
    st.markdown(f"**{plain(for_what(known, programme.policy.words))}** · {known.side} ·"
                f" {plain(price(known, programme))} · {days(known)}")
    return programme, known


def _change(programme_id: int, rate_id: int) -> None:
    form = Form(f"rate-change-{rate_id}")
    panel.finish(form)
    if (found := _known(programme_id, rate_id)) is None:
        return
    programme, known = found
    form.state.setdefault("version", known.version)
    form.preset("amount", number_words(known.amount, programme.currency))
    _amount(form, programme)
    typed.day("From", form, "from_day", programme.zone)
    st.caption("Until the day before, the present amount holds. What was worked out stays as it is.")
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_change, args=(form, programme, rate_id))
    simulation.under(form, programme, lambda now: _tried_change(now, programme, rate_id))


def _tried_change(form: Form, programme: ProgrammeView, rate_id: int) -> Trial | dict[str, str]:
    amount = _amount_of(form, programme)
    return {"amount": amount} if isinstance(amount, str) else Trial(rate_id=rate_id, amount=amount)


def _send_change(form: Form, programme: ProgrammeView, rate_id: int) -> None:
    amount = _amount_of(form, programme)
    day = typed.day_of(form, "from_day", programme.zone) or typed.NO_DAY
    if isinstance(amount, str) or isinstance(day, str):
        form.fail({name: said for name, said in (("amount", amount), ("from_day", day)) if isinstance(said, str)})
    else:
        form.send(change_rate, rate_id, amount, day, form.state["version"])


def _end(programme_id: int, rate_id: int) -> None:
    form = Form(f"rate-end-{rate_id}")
    panel.finish(form)
    if (found := _known(programme_id, rate_id)) is None:
        return
    programme, known = found
    form.state.setdefault("version", known.version)
    form.preset("until_day", known.until_day.isoformat() if known.until_day else "")
    typed.day("Last day", form, "until_day", programme.zone)
    st.caption("From the day after, the next narrowest rate holds; where there is none, nothing is"
               f" {known.side}.")
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_end, args=(form, programme, rate_id))
    simulation.under(form, programme, lambda _: Trial(rate_id=rate_id))


def _send_end(form: Form, programme: ProgrammeView, rate_id: int) -> None:
    day = typed.day_of(form, "until_day", programme.zone) or typed.NO_DAY
    if isinstance(day, str):
        form.fail({"until_day": day})
    else:
        form.send(end_rate, rate_id, day, form.state["version"])


def _which(programme_id: int) -> None:
    form = Form(f"rate-which-{programme_id}")
    with runtime.reading() as work:
        programme = programme_of(work, programme_id)
        said = programme.policy.words
        form.preset("day", today_of(work, programme_id).isoformat())
        st.caption(f"Describe {said.a('session')}, as far as it matters, to see which rates hold for it.")
        typed.day("Day", form, "day", programme.zone)
        narrowed(work, programme, form)
        day = typed.day_of(form, "day", programme.zone)
        if not isinstance(day, date):
            return
        course = form.value("course")
        found = which_rate(
            work, programme_id, day, practitioner_id=form.value("practitioner"), type=form.value("type") or "",
            course_ids=[course] if course else (), engagement_id=form.value("engagement"))
    for side, winner in found.items():
        with st.container(border=True, gap="xsmall", key=form.field(f"won-{side}")):
            _won(side, winner, programme, said)


def _won(side: Side, winner: Winner, programme: ProgrammeView, said: Words) -> None:
    """The rate that wins on one side, and those that it goes before."""
    if winner.rate is None:
        st.markdown(f"**{capital(side)}: nothing.** No rate fits on that day.")
        return
    st.markdown(f"**{capital(side)}: {plain(price(winner.rate, programme))}**, the rate for"
                f" {plain(for_what(winner.rate, said))}, {days(winner.rate)}.")
    if winner.others:
        listed = "; ".join(f"{price(one, programme)} for {for_what(one, said)}" for one in winner.others)
        st.caption(f"It is narrower than {plain(listed)}.")

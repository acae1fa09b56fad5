"""The outcome matrix on screen: what share of the rate each outcome is billed and paid, from which day on."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.commands import remove_matrix, set_matrix
from core.billing.listing import AHEAD, ENDED, today_of
from core.billing.money import share_typed, share_words
from core.billing.queries import matrices
from core.billing.rules import THE_PRESET, Matrix, matrix_of, read_shares
from core.billing.trial import Trial
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.words import Outcome, Side
from core.work import Work
from ui import feedback, panel, runtime, simulation, typed
from ui.format import capital
from ui.forms import Form

_WIDE = 340
Shares = dict[Outcome, tuple[Fraction, Fraction]]


def show(programme: ProgrammeView, edits: bool, action: Any) -> None:
    """The matrix in force, and under it those ahead and those of the past."""
    if edits:
        action.button("Set shares from a day on", type="primary", icon=":material/edit_calendar:", key="matrix-add",
                      on_click=panel.open_, args=("matrix", programme.id))
    with runtime.reading() as work:
        listed, today = [*_all(work, programme.id), THE_PRESET], today_of(work, programme.id)
    now = matrix_of(listed, today)
    place = listed.index(now)
    st.caption("What share of the rate is billed and paid for each outcome. No change reaches what was worked out.")
    since = "" if now is THE_PRESET else f" since {_day(now.from_day)}"
    st.header(f"In force{since}")
    _table(programme, now)
    if len(listed) > 1:
        st.header("Ahead and earlier")
        _others(programme, listed, place)
        for ahead in listed[:place] if edits else ():
            st.button(f"Remove what holds from {_day(ahead.from_day)} on", key=f"matrix-remove-{ahead.id}",
                      type="tertiary", icon=":material/delete:", on_click=feedback.act, args=(remove_matrix, ahead.id))


def _all(work: Work, programme_id: int) -> list[Matrix]:
    """The latest first."""
    return [Matrix(one.id, one.from_day, read_shares(one.shares), one.team_once)
            for one in matrices(work, programme_id)]


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _table(programme: ProgrammeView, matrix: Matrix) -> None:
    said = programme.policy.words
    st.table(
        {
            "Outcome": [capital(said.outcome(outcome)) for outcome in Outcome],
            **{capital(side): [share_words(matrix.share(outcome, side)) for outcome in Outcome] for side in Side},
        },
        border="horizontal", hide_index=True, width=_WIDE, alt="Shares by outcome",
    )
    st.caption(f"{capital(said.a('team'))} is charged once, at the dearest of its {said.many('learner')}."
               if matrix.team_once else f"In {said.a('team')}, each {said.learner} is charged.")


def _others(programme: ProgrammeView, listed: list[Matrix], place: int) -> None:
    """Those that are not in force, two lines each, the latest first."""
    said, rows = programme.policy.words, []
    for n, matrix in enumerate(listed):
        if n == place:
            continue
        since = "" if matrix is THE_PRESET else f"from {_day(matrix.from_day)} "
        until = f"until {_day(listed[n - 1].from_day - timedelta(days=1))}" if n else "on"
        rows += [{
            "Days": capital(f"{since}{until}"), "State": AHEAD if n < place else ENDED, "Side": str(side),
            **{capital(said.outcome(one)): share_words(matrix.share(one, side)) for one in Outcome},
            capital(said.team): "charged once" if matrix.team_once else f"each {said.learner}",
        } for side in Side]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key="matrices", alt="Shares ahead and earlier")


def panels() -> None:
    """Whatever is open over it."""
    panel.show("matrix", "Set shares from a day on", _edit)


def _edit(programme_id: int) -> None:
    form = Form(f"matrix-{programme_id}")
    panel.finish(form)
    with runtime.reading() as work:
        if not may(work, Action.MONEY_EDIT, programme_id):
            return
        programme = programme_of(work, programme_id)
        now = matrix_of([*_all(work, programme_id), THE_PRESET], today_of(work, programme_id))
    said = programme.policy.words
    st.caption("Shares of the rate, such as 100 %, 50 % or 1/3.")
    for outcome in Outcome:
        for column, side in zip(st.columns(2), Side, strict=True):
            form.preset(f"{outcome}-{side}", share_words(now.share(outcome, side)))
            with column:
                st.text_input(f"{capital(said.outcome(outcome))}: {side}", key=form.field(f"{outcome}-{side}"),
                              autocomplete="off")
                form.problem(f"{outcome}-{side}")
    form.problem("shares")
    form.preset("team_once", now.team_once)
    st.checkbox(f"{capital(said.a('team'))} is charged once, not each {said.learner} in it",
                key=form.field("team_once"))
    typed.day("From", form, "from_day", programme.zone)
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send, args=(form, programme))
    simulation.under(form, programme, _tried)


def _shares(form: Form) -> Shares | dict[str, str]:
    """What is typed, or what is wrong with it, field by field."""
    found: dict[Outcome, list[Fraction]] = {}
    problems: dict[str, str] = {}
    for outcome in Outcome:
        for side in Side:
            try:
                found.setdefault(outcome, []).append(share_typed(form.value(f"{outcome}-{side}") or ""))
            except ValueError as problem:
                problems[f"{outcome}-{side}"] = str(problem)
    return problems or {outcome: (pair[0], pair[1]) for outcome, pair in found.items()}


def _tried(form: Form) -> Trial | dict[str, str]:
    shares: Any = _shares(form)
    if not set(shares) <= {*Outcome}:
        return dict(shares)
    return Trial(shares=shares, team_once=bool(form.value("team_once")))


def _send(form: Form, programme: ProgrammeView) -> None:
    tried = _tried(form)
    day = typed.day_of(form, "from_day", programme.zone) or typed.NO_DAY
    problems = {**(tried if isinstance(tried, dict) else {}), **({"from_day": day} if isinstance(day, str) else {})}
    if problems or isinstance(tried, dict) or isinstance(day, str):
        form.fail(problems)
    else:
        form.send(set_matrix, programme.id, day, tried.shares, team_once=tried.team_once)

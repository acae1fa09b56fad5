"""Try other terms on days that are over, under the form in which they are set: what would differ, line by line."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from core.billing.export import side_words
from core.billing.listing import today_of
from core.billing.money import words
from core.billing.trial import InWords, Simulated, Trial, address, in_words, simulate
from core.errors import Refusal
from core.programmes.queries import ProgrammeView
from core.words import LineKind
from ui import exporting, runtime, typed
from ui.format import capital, plain
from ui.forms import Form
from ui.turning import Turned

PAGE = 25
"""Lines, since a panel is no long list."""
SOON = 1.0
"""Seconds; what takes longer shows how far it has come."""
Read = Callable[[Form], Trial | dict[str, str]]


def under(form: Form, programme: ProgrammeView, read: Read) -> None:
    """The days, *Simulate*, and what came of it. `read` takes what is tried from the form, or says what is wrong."""
    said = programme.policy.words
    with st.expander("Try it on days that are over", icon=":material/science:", key=form.field("trying")):
        with runtime.reading() as work:
            first, last = last_month(today_of(work, programme.id))
        form.preset("tried_from", first.isoformat())
        form.preset("tried_until", last.isoformat())
        st.caption(f"See what it would have made of {said.many('session')} that are recorded, as if it had held then."
                   " Nothing is saved.")
        left, right = st.columns(2)
        with left:
            typed.day("First day", form, "tried_from", programme.zone)
        with right:
            typed.day("Last day", form, "tried_until", programme.zone)
        st.button("Simulate", icon=":material/science:", key=form.field("simulate"), on_click=_ask,
                  args=(form, programme, read))
        if "wanted" in form.state:
            _run(form, programme)
        if "tried" in form.state:
            trial, found = form.state["tried"]
            if read(form) != trial:
                st.caption(":material/info: The form says something else by now. Simulate again to see what that would"
                           " change.")
            _show(form, programme, trial, found)


def last_month(today: date) -> tuple[date, date]:
    """Its first and last day."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _ask(form: Form, programme: ProgrammeView, read: Read) -> None:
    """Only days and terms that can be tried are."""
    form.state.pop("tried", None)
    form.state.pop("refusal", None)
    trial, problems = read(form), {}
    days = {name: typed.day_of(form, name, programme.zone) or typed.NO_DAY for name in ("tried_from", "tried_until")}
    problems = {name: found for name, found in days.items() if isinstance(found, str)}
    if isinstance(trial, dict):
        problems |= trial
    if problems:
        form.fail(problems)
    else:
        form.state.pop("problems", None)
        form.state["wanted"] = (trial, days["tried_from"], days["tried_until"])


def _run(form: Form, programme: ProgrammeView) -> None:
    trial, first, last = form.state.pop("wanted")
    bar, began = st.empty(), time.monotonic()

    def tell(part: float) -> None:
        if time.monotonic() - began > SOON:
            bar.progress(part, "Working it out anew…")

    try:
        with st.spinner("Working it out anew…"), runtime.reading() as work:
            form.state["tried"] = (trial, simulate(work, programme.id, trial, first, last, tell))
    except Refusal as refusal:
        st.error(plain(refusal.sentence), icon=":material/block:")
    bar.empty()


def _show(form: Form, programme: ProgrammeView, trial: Trial, found: Simulated) -> None:
    said = programme.policy.words
    days = f"{found.from_day:%-d %b %Y} to {found.until_day:%-d %b %Y}"
    if not found.looked_at:
        st.info(f"Nothing was recorded from {days}. Choose other days.", icon=":material/event_busy:")
        return
    what = said.session if found.looked_at == 1 else said.many("session")
    with st.container(horizontal=True, gap="medium"):
        for label, sign in (("Billed", {LineKind.CHARGE: 1}), ("Paid", {LineKind.PAYOUT: 1}),
                            ("Margin", {LineKind.CHARGE: 1, LineKind.PAYOUT: -1})):
            now, then = (sum(sums[kind] * way for kind, way in sign.items()) for sums in (found.now, found.then))
            st.metric(label, words(then, found.currency), _signed(then - now, found.currency), delta_color="off",
                      delta_arrow="off", width="content", help=f"{words(now, found.currency)} as it stands.")
    if not found.changed:
        st.info(f"Nothing would have been different in {found.looked_at:,} {what} from {days}.",
                icon=":material/equal:")
        return
    lines = "1 line" if len(found.changed) == 1 else f"{len(found.changed):,} lines"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{lines} would have been different, of {found.looked_at:,} {what} from {days}.", width="content")
        exporting.offer("simulation", {"programme": programme.name, **address(trial, found.from_day, found.until_day)},
                        key=form.field("export"))
    page = Turned(found.changed, PAGE, form.field("turned"))
    page.turn()
    with runtime.reading() as work:
        shown = in_words(work, page.shown)
    _table(form, programme, shown)


def _table(form: Form, programme: ProgrammeView, shown: list[InWords]) -> None:
    said, currency = programme.policy.words, programme.currency
    right = {name: st.column_config.TextColumn(alignment="right") for name in ("Now", "Then", "Difference")}
    st.dataframe(
        pd.DataFrame({
            capital(said.session): [f"worksheet?session={one.line.session_id}#{one.number}" for one in shown],
            "Whom": [f"{one.whom}, {side_words(one.line.kind)}" for one in shown],
            "Now": [words(one.line.now, currency) for one in shown],
            "Then": [words(one.line.then, currency) for one in shown],
            "Difference": [_signed(one.line.then - one.line.now, currency) for one in shown],
            "Outcome": [said.outcome(one.line.outcome) for one in shown],
            "Day": [one.line.day for one in shown],
        }), hide_index=True, height="content", key=form.field("changed"), alt="What would have been different",
        column_config={
            **right, capital(said.session): st.column_config.LinkColumn(display_text=r"#(\d+)$", width="small"),
            "Day": st.column_config.DateColumn(format="D MMM YYYY"),
        },
    )


def _signed(amount: int, currency: str) -> str:
    """'+€5.00', '-€5.00', 'as before'."""
    if not amount:
        return "as before"
    return f"{'+' if amount > 0 else ''}{words(amount, currency)}"

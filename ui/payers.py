"""Payers on screen: who is billed, for whom they pay, and who has nobody who pays; the invoice header beside them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.billing.commands import add_payer, edit_payer, name_payers, retire_payer, set_payer
from core.billing.listing import PAGE, PaidFor, PayerPage, Unpaid, paid_for, payer_page, today_of, without_payer
from core.billing.money import tax_typed, tax_words, words
from core.billing.queries import PayerView
from core.billing.queries import payers as all_payers
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView, programme_of
from core.words import Role
from ui import biller, feedback, panel, people_picker, runtime, stale, typed
from ui.format import capital, names, plain
from ui.forms import Form

_EDIT, _FOR, _RETIRE, _BACK = "Edit", "Pays for", "Retire", "Bring back"
_PAYERS, _HEADER = "Payers", "Invoice header"
_AT, _ASKED = "payers-page", "payers-asked"
SHOWN = 5
"""So many without a payer are shown at once; the rest once they are asked for."""
MOST = 100


def screen(programme: ProgrammeView) -> None:
    """Two tabs: the payers, and the legal header of what they are sent."""
    with runtime.reading() as work:
        edits = may(work, Action.MONEY_EDIT, programme.id) and not programme.retired
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Payers", width="content")
        action = st.container(width="content")
    tabs = st.tabs([_PAYERS, _HEADER], key="billing", bind="query-params")
    if tabs[1].open:
        with tabs[1]:
            biller.show(programme, edits)
    else:
        with tabs[0]:
            _show(programme, edits, action)
    panel.show("payer-new", "Add a payer", _new)
    panel.show("payer-edit", "Edit", _edit)
    panel.show("payer-for", "Pays for", _for)


def _show(programme: ProgrammeView, edits: bool, action: Any) -> None:
    if edits:
        action.button("Add a payer", type="primary", icon=":material/add:", key="payer-add", on_click=panel.open_,
                      args=("payer-new", programme.id))
    _without(programme, edits)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="payers-text", placeholder="A payer, or whom they pay for",
                             autocomplete="off", width=320)
        retired = st.toggle("Show retired", key="payers-retired")
    if st.session_state.get(_ASKED) != (programme.id, text, retired):  # another list begins at its first page
        st.session_state[_ASKED], st.session_state[_AT] = (programme.id, text, retired), 1
    with runtime.reading() as work:
        page = payer_page(work, programme.id, text=text, retired=retired, number=st.session_state[_AT])
    if page.rows:
        _table(programme, page, edits)
    elif text:
        st.info("No payer is called like that.", icon=":material/search_off:")
    else:
        st.info("There is no payer yet." + (" Add the first one." if edits else ""),
                icon=":material/account_balance_wallet:")


# Nobody pays ---------------------------------------------------------------------------------------------------------


def _without(programme: ProgrammeView, edits: bool) -> None:
    """Those for whom nobody pays, with the way to name a guardian, or themselves, in one click."""
    whole = bool(st.session_state.get("unpaid-all"))
    with runtime.reading() as work:
        listed, total = without_payer(work, programme.id, MOST if whole else SHOWN)
    if not listed:
        return
    said = programme.policy.words
    one = total == 1
    with st.container(border=True, gap="small", key="unpaid"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/warning: **{total:,} {said.learner if one else said.many('learner')}"
                        f" {'has' if one else 'have'} nobody who pays.** What they are charged is on no invoice.",
                        width="content")
            sure = [(each.learner_id, each.guardians[0][0]) for each in listed
                    if each.learner_id and len(each.guardians) == 1]
            if edits and len(sure) > 1:
                st.button(f"Let their guardians pay ({len(sure)})", key="unpaid-guardians", icon=":material/done_all:",
                          on_click=feedback.act, args=(name_payers, programme.id, sure),
                          help="For those listed here who have one guardian.")
        for each in listed:
            _lacking(programme, each, edits)
        if total > len(listed) or whole:
            st.button("Show fewer" if whole else "Show more", key="unpaid-more", type="tertiary", on_click=_toggle,
                      args=(not whole,))
        if whole and total > len(listed):
            st.caption(f"And {total - len(listed):,} more; they move up as others are named.")


def _toggle(whole: bool) -> None:
    st.session_state["unpaid-all"] = whole


def _lacking(programme: ProgrammeView, each: Unpaid, edits: bool) -> None:
    said = programme.policy.words
    owed = f" · {words(each.open, programme.currency)} charged already" if each.open else ""
    what = f" ({said.team})" if each.team_id else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"unpaid-{each.learner_id or 0}"
                      f"-{each.team_id or 0}"):
        st.markdown(f"{plain(each.name)}{what}{plain(owed)}", width="content")
        if not edits or each.learner_id is None:
            return
        for id_, name in each.guardians[:3]:
            st.button(f"{plain(name)} pays", key=f"pays-{each.learner_id}-{id_}", on_click=feedback.act,
                      args=(name_payers, programme.id, [(each.learner_id, id_)]), icon=":material/family_restroom:",
                      help=f"Guardian of {plain(each.name)}; becomes a payer.")
        if not each.guardians:
            st.button("Pays for themself", key=f"pays-{each.learner_id}-self", type="tertiary", on_click=feedback.act,
                      args=(name_payers, programme.id, [(each.learner_id, each.learner_id)]))


# The list ------------------------------------------------------------------------------------------------------------


def _table(programme: ProgrammeView, page: PayerPage, edits: bool) -> None:
    first = (page.number - 1) * PAGE + 1
    st.caption(f"{first}–{first + len(page.rows) - 1} of {page.total:,}. What was handed out stays as it was when a"
               " payer is changed.")
    if page.pages > 1:
        st.pagination(page.pages, key=_AT, width=400)
    columns: dict[str, list[Any]] = {
        "Name": [each.name for each in page.rows], "Pays for": [names(each.pays_for, 4) for each in page.rows],
        "E-mail": [each.email for each in page.rows],
        "Tax": [tax_words(each.tax_rate) if each.tax_rate is not None else "as the programme" for each in page.rows],
        "State": ["retired" if each.retired else "in use" for each in page.rows],
    }
    config: dict[str, Any] = {"Name": st.column_config.TextColumn(width="medium"),
                              "Pays for": st.column_config.TextColumn(width="medium")}
    if edits:
        columns["Change"] = [[_EDIT, _BACK] if each.retired else [_FOR, _EDIT, _RETIRE] for each in page.rows]
        config["Change"] = st.column_config.ButtonColumn(
            "Change", key="payer-action", on_click=_clicked, args=(programme.id, [each.id for each in page.rows]))
    st.dataframe(pd.DataFrame(columns), hide_index=True, height="content", key="payers-table",
                 alt=f"Payers of {programme.name}", column_config=config)


def _clicked(programme_id: int, ids: list[int]) -> None:
    click = st.session_state["payer-action"]
    id_ = ids[click["row"]]
    if click["label"] in (_EDIT, _FOR):
        panel.open_("payer-edit" if click["label"] == _EDIT else "payer-for", programme_id, id_)
    else:
        feedback.act(retire_payer, id_, back=click["label"] == _BACK)


# Panels --------------------------------------------------------------------------------------------------------------


def _new(programme_id: int) -> None:
    form = Form(f"payer-new-{programme_id}")
    panel.finish(form)
    with runtime.reading() as work:
        if not may(work, Action.MONEY_EDIT, programme_id):
            return
    _fields(form, programme_id)
    form.show_refusal()
    st.button("Add", type="primary", key=form.field("save"), on_click=_send_new, args=(form, programme_id))


def _edit(programme_id: int, payer_id: int) -> None:
    form = Form(f"payer-edit-{payer_id}")
    panel.finish(form)
    if (known := _known(programme_id, payer_id)) is None:
        return
    form.state.setdefault("version", known.version)
    for name in ("name", "address", "email", "tax_number"):
        form.preset(name, getattr(known, name))
    form.preset("tax_rate", tax_words(known.tax_rate) if known.tax_rate is not None else "")
    form.preset("person", known.person_id)
    _fields(form, programme_id)
    stale.both(form, {"name": form.value("name") or "", "address": form.value("address") or ""},
               mine_over_it=lambda: _send_edit(form, payer_id), take_theirs=form.clear)
    if form.stale is None:
        form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_edit, args=(form, payer_id))


def _known(programme_id: int, payer_id: int) -> PayerView | None:
    with runtime.reading() as work:
        known = next(iter(all_payers(work, programme_id, retired=True, ids=[payer_id])), None)
    if known is None:
        st.info("This payer is not there any more.")
    return known


def _fields(form: Form, programme_id: int) -> None:
    st.text_input("Name", key=form.field("name"), autocomplete="off", help="As it stands on the invoice.")
    form.problem("name")
    st.text_area("Address (optional)", key=form.field("address"), height=100)
    form.problem("address")
    st.text_input("E-mail (optional)", key=form.field("email"), autocomplete="off")
    form.problem("email")
    left, right = st.columns(2)
    with left:
        st.text_input("Tax number (optional)", key=form.field("tax_number"), autocomplete="off")
        form.problem("tax_number")
    with right:
        st.text_input("Tax rate (optional)", key=form.field("tax_rate"), autocomplete="off",
                      placeholder="As the programme", help="Only where it is another one than the programme's.")
        form.problem("tax_rate")
    with runtime.reading() as work:
        people_picker.person(work, programme_id, None, "Person (optional)", form.field("person"),
                             help="Where it is somebody here, such as a guardian: they see their own invoices.")
    form.problem("person")


def _said(form: Form) -> dict[str, Any] | str:
    """What the form says, or the sentence about its tax rate."""
    rate = (form.value("tax_rate") or "").strip()
    try:
        said = {"tax_rate": tax_typed(rate) if rate else None, "person_id": form.value("person")}
    except ValueError as problem:
        return str(problem)
    return {**said, **{name: form.value(name) or "" for name in ("name", "address", "email", "tax_number")}}


def _send_new(form: Form, programme_id: int) -> None:
    if isinstance(said := _said(form), str):
        form.fail({"tax_rate": said})
    else:
        form.send(add_payer, programme_id, said)


def _send_edit(form: Form, payer_id: int) -> None:
    if isinstance(said := _said(form), str):
        form.fail({"tax_rate": said})
    else:
        form.send(edit_payer, payer_id, said, form.state["version"])


def _for(programme_id: int, payer_id: int) -> None:
    form = Form(f"payer-for-{payer_id}")
    if saved := form.done():  # the panel stays for the next one
        feedback.tell(saved)
        st.rerun()
    if (known := _known(programme_id, payer_id)) is None:
        return
    with runtime.reading() as work:
        if not may(work, Action.MONEY_EDIT, programme_id):
            return
        programme, today = programme_of(work, programme_id), today_of(work, programme_id)
        said = programme.policy.words
        _listed(known, paid_for(work, programme_id, payer_id), today)
        st.markdown(f"**Add {said.a('learner')} or {said.team}**")
        form.preset("with", said.learner)
        way = st.segmented_control("Who", [said.learner, said.team], format_func=capital, key=form.field("with"),
                                   required=True)
        if way == said.team:
            people_picker.team(work, programme_id, capital(said.team), form.field("team"),
                               help="For where a team is charged once.")
            form.problem("team")
        else:
            people_picker.person(work, programme_id, Role.LEARNER, capital(said.learner), form.field("learner"))
        form.problem("who")
    form.preset("from_day", today.isoformat())
    typed.day("From", form, "from_day", programme.zone)
    st.caption("Whoever paid until then pays no more from that day on. What is on an invoice stays there.")
    form.show_refusal()
    st.button("Save", type="primary", key=form.field("save"), on_click=_send_for,
              args=(form, programme, payer_id, way == said.team))


def _listed(payer: PayerView, listed: Sequence[PaidFor], today: date) -> None:
    st.markdown(f"**{plain(payer.name)}** pays for:" if listed else f"**{plain(payer.name)}** pays for nobody yet.")
    lines = []
    for each in listed:
        until = f" until {each.until_day:%-d %b %Y}" if each.until_day else ""
        line = f"{plain(each.name)} · from {each.from_day:%-d %b %Y}{until}"
        lines.append(f"- :gray[{line}]" if each.until_day and each.until_day < today else f"- {line}")
    if lines:
        st.markdown("\n".join(lines))


def _send_for(form: Form, programme: ProgrammeView, payer_id: int, team: bool) -> None:
    day = typed.day_of(form, "from_day", programme.zone) or typed.NO_DAY
    chosen = form.value("team" if team else "learner")
    problems = {} if chosen else {"who": "Type a name and choose the one that is meant."}
    if isinstance(day, str):
        problems["from_day"] = day
    if problems or isinstance(day, str):
        form.fail(problems)
    else:
        form.send(set_payer, payer_id, day, [] if team else [chosen], [chosen] if team else [])

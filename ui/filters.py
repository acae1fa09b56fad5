"""The filter bar of the list of sessions, and of the calendar.

The address is what counts: it is read before the widgets are drawn and written when one of them changes, so that a list
can be bookmarked, sent, saved and exported as it stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlencode

import streamlit as st

from core.clock import FIRST_DAY, LAST_DAY
from core.people.queries import pick_among_few
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.sessions.address import LISTS, NARROWS, ORDER, PEOPLE, WORDS, Listing, listing, person_words
from core.sessions.queries import Filters, page_of_day, session_count
from core.structure.queries import Options
from core.words import Method, Role, Status
from core.work import Work
from ui import people_picker, runtime
from ui.format import capital, plain

FEW = 60
"""Up to so many people are offered as a list; more are typed for."""
WIDE = 155
LIST = "sessions"
"""The screen that lists; the other one is the calendar."""
SHOWN = ("view", "day")
"""Parameters of the calendar's address that say which stretch of time it shows, and how."""
_KEPT, _ON, _TURNS = "filters:kept", "filters:on", "filters:turns"
_ROLES = {"practitioner": Role.PRACTITIONER, "learner": Role.LEARNER}


def said() -> dict[str, list[str]]:
    """What the address says of the list or the calendar."""
    return {name: values for name in (*NARROWS, *ORDER, *SHOWN) if (values := st.query_params.get_all(name))}


def write(**changes: str | Sequence[str] | None) -> None:
    """Put something into the address, or take it out; another filter or order starts at the first page."""
    if "page" not in changes:
        changes["page"] = None
    for name, value in changes.items():
        if value:
            st.query_params[name] = value
        elif name in st.query_params:
            del st.query_params[name]


def clear() -> None:
    """Take all filters out of the address; the order stays."""
    write(**dict.fromkeys(NARROWS))


def address(programme: ProgrammeView, *, page: bool = False) -> str:
    """The list as the end of an address, to be kept or exported."""
    kept = {name: values for name, values in said().items() if page or name != "page"}
    return urlencode({"programme": [programme.name], **kept}, doseq=True)


def open_address(kept: str) -> None:
    """Show the list that an address was kept of."""
    found = parse_qs(kept)
    write(**{name: found.get(name) for name in (*NARROWS, *ORDER)})


def from_day(day: date) -> None:
    """Show what is from that day on, the earliest first; other filters stay."""
    write(**{"from": day.isoformat(), "to": None, "sort": None, "order": "up"})


def start_over(programme: ProgrammeView, today: date) -> None:
    """The list as it is found at first: from today on, where there is something; else all of it."""
    clear()
    write(sort=None, order=None)
    with runtime.reading() as look:
        ahead = session_count(look, programme.id, Filters(since=today))
    if ahead:
        from_day(today)


def turn_to(programme: ProgrammeView, asked: Listing, day: date) -> None:
    """Turn to the page where this day stands, sorted by time."""
    down = asked.down if asked.sort == "time" else True
    with runtime.reading() as look:
        number = page_of_day(look, programme.id, asked.filters, day, down=down)
    write(sort=None, order=None if down else "up", page=str(number) if number > 1 else None)


def _arrive(programme: ProgrammeView, screen: str, today: date) -> None:
    """Coming back finds the screen as it was left; another programme starts afresh, and a link says itself what it is.

    A list that starts afresh shows what is ahead from today on, if there is anything.
    """
    kept_as = f"{_KEPT}:{screen}"
    afresh = kept_as not in st.session_state
    left_in, kept = st.session_state.get(kept_as, (programme.id, {}))
    came = _key("text") not in st.session_state or st.session_state.get(_ON) != screen
    if left_in != programme.id:
        clear()
        afresh = True
    elif came and not said():
        for name, values in kept.items():
            st.query_params[name] = values
    if afresh and not said() and screen == LIST:
        start_over(programme, today)
    st.session_state[_ON] = screen
    st.session_state[kept_as] = (programme.id, said())


def bar(work: Work, programme: ProgrammeView, offered: Options, today: date, screen: str = LIST) -> Listing:
    """Draw the filters and return what they ask for. The calendar turns to days by itself, and has none for them."""
    _arrive(programme, screen, today)
    given = said()
    asked = listing(work, programme.id, given, offered)
    words = programme.policy.words
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        _text(given)
        _several("status", "Status", (*reversed(Status), *WORDS["status"][1][len(Status):]), given, width=WIDE)
        with st.container(width=WIDE, gap="xsmall"):
            _people(work, programme, "practitioner", capital(words.practitioner), given, asked)
        if screen == LIST:
            _day("from", "From", given)
            _day("to", "To", given)
        _more(work, programme, offered, given, asked)
        at_first = {"from": [today.isoformat()]} if screen == LIST else {}
        if {name: given[name] for name in NARROWS if name in given} not in ({}, at_first):
            st.button("Clear", type="tertiary", key="filter:clear", on_click=start_over if screen == LIST else clear,
                      args=(programme, today) if screen == LIST else ())
    _behind(programme, given)
    _unknown(asked)
    return asked


def _more(
    work: Work, programme: ProgrammeView, offered: Options, given: Mapping[str, list[str]], asked: Listing
) -> None:
    """The other filters, drawn when they are opened: a programme may have hundreds of rooms."""
    words = programme.policy.words
    more = st.popover("More filters", icon=":material/tune:", key="filter:more", width="content", on_change="rerun")
    if not more.open:
        return
    with more, st.container(width=270):
        _people(work, programme, "learner", capital(words.learner), given, asked)
        for name, label in (("team", words.team), ("timetable", "timetable"), ("course", words.course)):
            _several(name, capital(label), [one.name for one in getattr(offered, LISTS[name])], given)
        _several("type", "Type", dict.fromkeys((*offered.types, *given.get("type", ()))), given)
        if programme.policy.smart_rooms or "method" in given:
            _several("method", "Method", tuple(Method), given)
        _several("room", "Room", [one.name for one in offered.rooms], given)


def _behind(programme: ProgrammeView, given: Mapping[str, list[str]]) -> None:
    """What the filters that are not in sight narrow the list to."""
    words = programme.policy.words
    labels = {"learner": words.learner, "team": words.team, "timetable": "timetable", "course": words.course,
              "type": "type", "method": "method", "room": "room"}
    said = [
        f"{capital(label)}: {', '.join(map(plain, given[name]))}" for name, label in labels.items() if name in given
    ]
    if said:
        st.caption(f":material/tune: {' · '.join(said)}")


def _key(name: str) -> str:
    turn = st.session_state.get(f"{_TURNS}:{name}", 0)
    return f"filter:{name}:{turn}" if turn else f"filter:{name}"


def seeded(name: str, value: Any) -> str:
    """The key of the widget that shows what the address says.

    What something else than the widget has put there is shown by a fresh one: the browser sends the state of every
    widget with each click, and would take the new value back by the old one's if a click crossed it.
    """
    if st.session_state.get(_key(name), value) != value:
        st.session_state[f"{_TURNS}:{name}"] = st.session_state.get(f"{_TURNS}:{name}", 0) + 1
    key = _key(name)
    st.session_state.setdefault(key, value)
    return key


def _writes(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        if isinstance(value, str):
            value = st.session_state[key] = value.strip()
        write(**{name: [str(each) for each in value] if isinstance(value, list) else str(value or "")})

    return changed


def _text(given: Mapping[str, list[str]]) -> None:
    key = seeded("text", " ".join(given.get("text", ()))[:200].strip())
    st.text_input(
        "Find", key=key, on_change=_writes("text", key), width=WIDE, icon=":material/search:",
        placeholder="Name, number …", autocomplete="off",
    )


def _several(
    name: str, label: str, choices: Iterable[str], given: Mapping[str, list[str]], width: int | str = "stretch"
) -> None:
    choices = [str(choice) for choice in choices]
    if not choices:
        return
    key = seeded(name, [value for value in given.get(name, ()) if value in choices])
    st.multiselect(label, choices, key=key, on_change=_writes(name, key), placeholder="Any", width=width)  # type: ignore[arg-type]  # "stretch" or pixels


def _day(name: str, label: str, given: Mapping[str, list[str]]) -> None:
    days = [day for value in given.get(name, ())[:1] if (day := _as_day(value))]
    key = seeded(name, days[0] if days else None)
    st.date_input(
        label, key=key, value=None, on_change=_writes(name, key), width=WIDE, min_value=FIRST_DAY, max_value=LAST_DAY,
        format="YYYY-MM-DD",
    )


def _as_day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _people(
    work: Work, programme: ProgrammeView, name: str, label: str, given: Mapping[str, list[str]], asked: Listing
) -> None:
    """A list where there are few to choose among, else a field to type in; nothing where there is no choice."""
    role = _ROLES[name]
    few = pick_among_few(work, programme.id, role, FEW)
    if few is not None:
        names = [one.name for one in few]
        choices = [one.name if names.count(one.name) == 1 else f"{one.name} ~{one.id}" for one in few]
        chosen = [value for value in given.get(name, ()) if value not in asked.unknown]
        if len(choices) > 1 or chosen:
            _several(name, label, dict.fromkeys((*choices, *chosen)), given)
        return
    known = getattr(asked.filters, PEOPLE[name])
    key = seeded(name, known[0] if known and known[0] else None)

    def changed() -> None:
        id_ = st.session_state[key]
        with runtime.reading() as look:
            write(**{name: person_words(look, programme.id, [id_]).get(id_) if id_ else None})

    people_picker.person(work, programme.id, role, label, key, most=8, on_change=changed)


def for_figures(
    work: Work, programme: ProgrammeView, offered: Options, asked: Listing, more: Callable[[], None]
) -> None:
    """The filters of figures: whose (if others are seen), which weeks, of which sessions; `more` draws the rest."""
    given, words = said(), programme.policy.words
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
        if may(work, Action.INSIGHT_SEE, programme.id):
            with st.container(width=WIDE, gap="xsmall"):
                _people(work, programme, "practitioner", capital(words.practitioner), given, asked)
        _day("from", "From the week of", given)
        _day("to", "To the week of", given)
        more()
        rest = st.popover("More filters", icon=":material/tune:", key="filter:more", width="content", on_change="rerun")
        if rest.open:
            with rest, st.container(width=270):
                for name, label in (("timetable", "timetable"), ("course", words.course)):
                    _several(name, capital(label), [one.name for one in getattr(offered, LISTS[name])], given)
                _several("type", "Type", dict.fromkeys((*offered.types, *given.get("type", ()))), given)
        if any(name in given for name in NARROWS):
            st.button("Clear", type="tertiary", key="filter:clear", on_click=clear)
    _behind(programme, given)
    _unknown(asked)


def _unknown(asked: Listing) -> None:
    if asked.unknown:
        st.warning(f"Not known here: {', '.join(map(plain, asked.unknown))}. Clear that filter to see more.",
                   icon=":material/search_off:")

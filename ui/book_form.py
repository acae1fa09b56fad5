"""The booking form: what it starts from, what it asks for, and what it sends."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import NotFound
from core.history.queries import act_by_key
from core.people.queries import names
from core.permissions import Action, may, require
from core.programmes.queries import ProgrammeView
from core.programmes.rules import LONGEST, BookingField
from core.sessions.booking import book_sessions, next_number
from core.sessions.planning import copy_of, involved, next_of
from core.sessions.pool import any_records, people_in
from core.sessions.rules import MOST_LEARNERS, Booking, NoRoomFree
from core.structure.queries import Option, Options, options
from core.words import Method, Origin, Role, TimetableKind
from core.work import Work
from ui import booking, engagements, feedback, group, here, navigation, people_picker, repeat, runtime
from ui.format import capital, plain
from ui.format import names as listed_names
from ui.forms import Form

NAME = "book"
ASKED = ("copy", "next", "practitioner", "learner", "team", "timetable", "minutes")
"""What the address may say that the form starts from, beside the local time `at`."""
_KEY = re.compile(r"[\w-]{8,40}")
_WIDGETS = {"duration": "minutes"}
"""Where a problem's name is not its widget's."""
_TAKES_TIME = ("practitioner", "who", "date", "time", "duration", "room", "method", "records")


class With(StrEnum):
    """Whom a session is booked for."""

    LEARNER = "learner"
    TEAM = "team"
    SAME = "same"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Setting:
    """What the form of this viewer in this programme is about."""

    programme: ProgrammeView
    zone: ZoneInfo
    lists: Options
    for_self: bool
    """Only being a learner lets this viewer book: for oneself."""
    me: int
    my_name: str

    def label(self, field: BookingField, words: str) -> str:
        """The field's label, marked where policy requires it."""
        return f"{words} *" if field in self.programme.policy.required else words


def setting(work: Work) -> Setting:
    """Whose form it is, where. Raises NotAllowed."""
    programme = here.programme(work)
    require(work, Action.SESSION_BOOK, programme.id)
    return Setting(
        programme, runtime.zone(programme.zone_name, work), options(work, programme.id).open,
        not may(work, Action.SESSION_BOOK, programme.id, but=Role.LEARNER), work.me, work.actor.name,
    )


# What it starts from ------------------------------------------------------------------------------------------------


def begin(work: Work, about: Setting) -> Form:
    """The form as it was left, or as the address asks for it anew."""
    asked = {name: navigation.asked_id(name) for name in ASKED}
    signature = (about.programme.id, *asked.values(), st.query_params.get("at"))
    form = Form(NAME)
    if form.state.get("asked") not in (None, signature):
        form.clear()
        form = Form(NAME)
    if "asked" not in form.state:
        form.state["asked"] = signature
        _take_key(work, form)
        fill(work, form, about, asked)
    if st.query_params.get("form") != form.key:
        st.query_params["form"] = form.key
    if form.state.pop("told", False):
        st.rerun()  # what happened is told on top of the screen, which is drawn already
    return form


def _take_key(work: Work, form: Form) -> None:
    """A page loaded again goes on with the same form; once that has booked something, it is told and a new one begins.

    An old address, too, begins a new form: its key would only bring back what was booked then.
    """
    said = st.query_params.get("form", "")
    if not _KEY.fullmatch(said):
        return
    if done := act_by_key(work, said):
        before, lately = done
        if lately:
            feedback.tell(before)
            form.state["told"] = True
    else:
        form.state["key"] = said


def fill(work: Work, form: Form, about: Setting, asked: dict[str, int | None]) -> None:
    """Fill in what is known: from the session to copy, from the profile one comes from, from policy (C3)."""
    policy = about.programme.policy
    start = _starting_point(work, about, asked)
    people = names(work, about.programme.id, {
        each for each in (start.practitioner_id, asked["practitioner"], asked["learner"], *start.learner_ids) if each
    })
    leads = Role.PRACTITIONER in work.actor.roles.get(about.programme.id, frozenset())
    practitioner = asked["practitioner"] or start.practitioner_id or (about.me if leads else None)
    wanted = (asked["learner"],) if asked["learner"] else start.learner_ids
    learners = tuple(each for each in wanted if each in people)
    teams = {team.id for team in about.lists.teams}
    team = asked["team"] or start.team_id
    put = form.preset
    put("practitioner", practitioner if practitioner in people or practitioner == about.me else None)
    put("learner", learners[0] if len(learners) == 1 else None)
    put("places", 1)
    put("team", team if team in teams else None)
    form.state["same"] = {each: people[each] for each in learners} if len(learners) > 1 and not about.for_self else {}
    put("with", _with(about, learners, team if team in teams else None, bool(start.follows_id)))
    put("timetable", _among(asked["timetable"] or start.timetable_id, about.lists.timetables))
    smart = policy.smart_rooms and start.method == Method.SMART
    put("room", None if smart else _among(start.room_id, about.lists.rooms))
    put("method", start.method if policy.smart_rooms else Method.TRADITIONAL)
    put("records", start.records)
    put("location", start.location or "")
    minutes = asked["minutes"] or 0
    put("minutes", minutes if 0 < minutes <= LONGEST else start.minutes or policy.usual_minutes)
    put("courses", [each for each in start.course_ids if _among(each, about.lists.courses)])
    put("type", start.type if start.type in policy.types else (
        None if BookingField.TYPE in policy.required else policy.types[0]))
    put("planning_notes", start.planning_notes or "")
    put("description", start.description or "")
    put("number", None)
    put("reason", "")
    put("report", policy.report_required if start.report_required is None else start.report_required)
    form.state["follows"] = start.follows_id
    form.state["same_places"] = start.places
    if form.field("date") not in st.session_state:
        booking.put_time(form, navigation.asked_moment("at") or start.starts_at, about.zone)
        _put_wall_time(form)


def _put_wall_time(form: Form) -> None:
    """What was clicked in the calendar, a day or a time of it, as it stands there: a change of clocks is told."""
    said = st.query_params.get("at", "")
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return
    if at.tzinfo is None:
        booking.put_local(form, at.date(), at.time() if "T" in said else None)


def _starting_point(work: Work, about: Setting, asked: dict[str, int | None]) -> Booking:
    """The booking that is copied, or an empty one; what the viewer may not see is no starting point (X6)."""
    for name, made in (("copy", copy_of), ("next", next_of)):
        if (session_id := asked[name]) is not None:
            try:
                found = made(work, session_id)
            except NotFound:
                continue
            if found.programme_id == about.programme.id:
                return found
    return Booking(about.programme.id)


def _with(about: Setting, learners: tuple[int, ...], team: int | None, copied: bool) -> With:
    if team is not None:
        return With.TEAM
    if len(learners) > 1:
        return With.SAME
    return With.NOBODY if copied and not learners and _may_be_open(about) else With.LEARNER


def _may_be_open(about: Setting) -> bool:
    return BookingField.WHO not in about.programme.policy.required and not about.for_self


def _among(id_: int | None, listed: tuple[Option, ...]) -> int | None:
    return id_ if any(each.id == id_ for each in listed) else None


# What it asks for ---------------------------------------------------------------------------------------------------


def draw(work: Work, form: Form, about: Setting) -> None:
    """The whole form."""
    _forget_mended(form)
    with st.container(border=True):
        left, right = st.columns(2, gap="large")
        with left:
            people, beside = _who(work, form, about)
            booking.time_fields(form, about.programme, about.zone,
                                required=BookingField.WHEN in about.programme.policy.required)
            repeat.fields(form, about.zone)
            _engagement(work, form, about)
        room = form.value("room")
        looked = booking.look(
            form, work, about.programme, about.zone, people, [room] if room else [],
            practitioner_id=form.value("practitioner"), timetable_id=form.value("timetable"))
        with beside:
            booking.beside_practitioner(form, work, about.programme, looked, form.value("courses") or ())
        with right:
            booking.availability(form, work, about.programme, about.zone, looked)
    with st.container(border=True):
        _what(work, form, about, people)
    if form.busy is None:
        form.show_refusal()
    _said_elsewhere(form)


def _engagement(work: Work, form: Form, about: Setting) -> None:
    """How many agreed hours are left of what this would count towards."""
    asked = _read(form, about, booking.chosen(form, about.zone))
    day = (asked.starts_at or work.now).astimezone(about.programme.zone).date()
    engagements.before_booking(
        work, about.programme, asked.practitioner_id, asked.learner_ids, asked.team_id, day, asked.minutes)


def _who(work: Work, form: Form, about: Setting) -> tuple[frozenset[int], DeltaGenerator]:
    """Practitioner, and learner or team. Returns whose time it takes, and the place beside the practitioner."""
    words, programme = about.programme.policy.words, about.programme
    practitioner = people_picker.person(
        work, programme.id, Role.PRACTITIONER,
        about.label(BookingField.PRACTITIONER, capital(words.practitioner)), form.field("practitioner"),
    )
    form.problem("practitioner")
    beside = st.container()
    day = booking.day_chosen(form, about.zone) or work.now.astimezone(programme.zone).date()
    if about.for_self:
        st.markdown(f"{capital(words.learner)}: **{plain(about.my_name)}**")
        form.problem("who")
        return involved(work, programme.id, (practitioner, about.me), None, day), beside
    same: dict[int, str] = form.state.get("same", {})
    ways = {
        With.LEARNER: capital(words.learner), With.TEAM: capital(words.team),
        **({With.SAME: "The same as before"} if same else {}),
        **({With.NOBODY: "Nobody yet"} if _may_be_open(about) else {}),
    }
    chosen = st.segmented_control(
        about.label(BookingField.WHO, "For"), list(ways), format_func=lambda way: ways.get(way, ""),
        key=form.field("with"), required=True, persist_state="session",
    )
    learners: tuple[int | None, ...] = ()
    team = None
    if chosen == With.LEARNER:
        st.number_input(f"Number of {words.many('learner')}", value=None, step=1, key=form.field("places"),
                        persist_state="session", help="From two on, the next step asks who takes part.")
        form.problem("places")
        if is_group(form, about):
            learners = tuple(group.chosen(form)) or (form.value("learner"),)
            if ticked := group.chosen(form):
                st.caption(plain(listed_names(list(ticked.values()), 10)))
        else:
            learners = (people_picker.person(
                work, programme.id, Role.LEARNER, capital(words.learner), form.field("learner")),)
    elif chosen == With.TEAM:
        team = people_picker.team(work, programme.id, capital(words.team), form.field("team"))
    elif chosen == With.SAME:
        learners = tuple(same)
        st.caption(plain(listed_names(list(same.values()), 10)))
    else:
        st.caption(f"An open {words.session}: who takes part is chosen later.")
    form.problem("who")
    return involved(work, programme.id, (practitioner, *learners), team, day), beside


def is_group(form: Form, about: Setting) -> bool:
    """Whether several learners are to take part, chosen in a step of their own (C8)."""
    several = (form.value("places") or 1) != 1
    return several and form.value("with", With.LEARNER) == With.LEARNER and not about.for_self


def _where(work: Work, form: Form, about: Setting, people: frozenset[int]) -> None:
    policy = about.programme.policy
    if policy.smart_rooms:
        st.segmented_control(
            about.label(BookingField.METHOD, "Method"), list(Method), format_func=capital, key=form.field("method"),
            persist_state="session",
        )
    form.problem("method")
    smart = policy.smart_rooms and form.value("method") == Method.SMART
    rooms = tuple(room for room in about.lists.rooms if room.smart is smart)
    if form.value("room") not in {None, *(room.id for room in rooms)}:
        st.session_state[form.field("room")] = None
    if smart:
        _smart(work, form, about, _how_many(form, about, people))
    left, right = st.columns(2)
    with left:
        if rooms:
            _choice("Room", rooms, form.field("room"), "Allotted when you book" if smart else "No room")
        form.problem("room")
    with right:
        _text(form, "location", about.label(BookingField.LOCATION, "Location"))


def _how_many(form: Form, about: Setting, people: frozenset[int]) -> int:
    """Learners to reckon with: of a group as many as are to take part, though they are chosen later (C8)."""
    known = len(people - {form.value("practitioner")})
    return max(known, min(form.value("places") or 0, MOST_LEARNERS)) if is_group(form, about) else known


def _smart(work: Work, form: Form, about: Setting, learners: int) -> None:
    """How many people its room has to hold (C8), and whether it is recorded, where a room that records does so (C5)."""
    st.caption(f"For {people_in(learners)} people: a room is allotted when you book.")
    if any_records(work, about.programme.id, learners):
        st.checkbox("Record automatically", key=form.field("records"), persist_state="session",
                    help="Everybody who takes part is told.")
    form.problem("records")


def _what(work: Work, form: Form, about: Setting, people: frozenset[int]) -> None:
    policy, lists, words = about.programme.policy, about.lists, about.programme.policy.words
    left, right = st.columns(2, gap="large")
    with left:
        _where(work, form, about, people)
        st.selectbox(
            about.label(BookingField.TYPE, "Type"), policy.types, index=None, placeholder="Choose a type",
            format_func=capital, key=form.field("type"), persist_state="session",
        )
        form.problem("type")
        by_id = {course.id: course.name for course in lists.courses}
        st.multiselect(
            about.label(BookingField.COURSES, capital(words.many("course"))), list(by_id),
            format_func=lambda each: by_id.get(each, ""), placeholder=f"Choose {words.many('course')}",
            key=form.field("courses"), persist_state="session",
        )
        form.problem("courses")
        if lists.timetables or BookingField.TIMETABLE in policy.required:
            _choice(about.label(BookingField.TIMETABLE, "Timetable"), _timetables(form, about),
                    form.field("timetable"), "No timetable")
        form.problem("timetable")
        if not about.for_self:
            _number(work, form, about)
            st.checkbox("A report is required", key=form.field("report"), persist_state="session")
        form.problem("report_required")
    with right:
        _text(form, "description", about.label(BookingField.DESCRIPTION, "Description"))
        st.text_area(
            about.label(BookingField.PLANNING_NOTES, "Planning notes"), key=form.field("planning_notes"), height=170,
            persist_state="session", help=f"Everybody in the {words.session} reads them.",
        )
        form.problem("planning_notes")


def _timetables(form: Form, about: Setting) -> tuple[Option, ...]:
    """Those of the practitioner who is chosen, then those that everybody shares (B6)."""
    leads = form.value("practitioner")
    offered = [each for each in about.lists.timetables if leads is None or each.owner_id in (leads, None)]
    if form.value("timetable") not in {None, *(each.id for each in offered)}:
        st.session_state[form.field("timetable")] = None
    return tuple(sorted(offered, key=lambda each: each.owner_id is None))


def _number(work: Work, form: Form, about: Setting) -> None:
    free = next_number(work, about.programme.id)
    st.number_input(
        about.label(BookingField.NUMBER, "Number"), value=None, step=1, placeholder=f"{free}, the next free one",
        key=form.field("number"), persist_state="session",
        help="Leave it empty to take the next free number.",
    )
    form.problem("number")


def _text(form: Form, name: str, label: str) -> None:
    st.text_input(label, key=form.field(name), persist_state="session")
    form.problem(name)


def _choice(label: str, listed: tuple[Option, ...], key: str, nothing: str) -> None:
    by_id = {
        each.id: f"{each.name} ({each.owner})" if each.kind is TimetableKind.CUSTOM else each.name for each in listed
    }
    st.selectbox(label, list(by_id), index=None, format_func=lambda each: by_id.get(each, ""), key=key,
                 placeholder=nothing, persist_state="session")


def _forget_mended(form: Form) -> None:
    """A sentence stands beside a field until the field is changed."""
    held: dict[str, Any] = form.state.get("held", {})
    problems: dict[str, str] = form.state.get("problems", {})
    for name in [name for name in problems if name in held and held[name] != _holds(form, name)]:
        del problems[name]
    if form.busy and any(held.get(name) != _holds(form, name) for name in _TAKES_TIME):
        form.state.pop("refusal", None)


def _holds(form: Form, name: str) -> Any:
    if name == "who":
        return (*(form.value(each) for each in ("with", "learner", "team", "places")), tuple(group.chosen(form)))
    if name in ("date", "time"):
        return tuple(form.value(each) for each in ("date", "time"))
    return form.value(_WIDGETS.get(name, name))


def _said_elsewhere(form: Form) -> None:
    """After a refusal, one line near the button: the sentences stand beside the fields further up."""
    count = len(form.state.get("problems", {}))
    if count:
        fields = "one field needs" if count == 1 else f"{count} fields need"
        st.markdown(f":red[:material/error: Not booked yet: {fields} your attention above.]")
    elif isinstance(form.busy, NoRoomFree):
        st.markdown(":red[:material/event_busy: Not booked yet: no smart room is free at that time, see above.]")
    elif form.busy:
        st.markdown(":red[:material/event_busy: Not booked yet: somebody is taken at that time, see above.]")


# What it sends ------------------------------------------------------------------------------------------------------


def choose(form: Form, about: Setting) -> None:
    """On to who takes part, once nothing else stands against it; nothing is booked. For a button's `on_click`."""
    known = group.chosen(form)
    if not known and (first := form.value("learner")) is not None:
        with runtime.reading() as work:
            known.update(names(work, about.programme.id, [first]))
    when = booking.chosen(form, about.zone)
    _note_held(form)
    found = {**_read(form, about, when).problems(about.programme.policy), **when.problems}
    found.pop("who", None)
    if found:
        form.fail(found)
        return
    form.state.pop("problems", None)
    form.state.pop("refusal", None)
    form.state["step"] = "who"


def send(form: Form, about: Setting, stay: bool, without_busy: bool = False) -> None:
    """Book it, as one act however often it is pressed. For a button's `on_click`."""
    form.state["stay"] = stay
    if (wanted := told(form, about)) is not None:
        form.send(book_sessions, [wanted], without_busy=without_busy)


def told(form: Form, about: Setting) -> Booking | None:
    """What the form asks for; nothing where its time is none, and the sentences stand beside the fields then."""
    when = booking.chosen(form, about.zone)
    _note_held(form)
    if when.problems:
        form.fail({**_read(form, about, when).problems(about.programme.policy), **when.problems})
        return None
    return _read(form, about, when)


def _note_held(form: Form) -> None:
    """What the fields hold as the form is sent, so that a sentence goes once its field is changed."""
    form.state["held"] = {name: _holds(form, name) for name in (
        "practitioner", "who", "places", "timetable", "room", "method", "records", "location", "date", "time",
        "duration", "courses", "type", "planning_notes", "description", "number", "reason")}


def _read(form: Form, about: Setting, when: booking.Chosen) -> Booking:
    way = form.value("with", With.LEARNER)
    learner = about.me if about.for_self else form.value("learner")
    places = None
    if way == With.SAME:
        learners: tuple[int, ...] = tuple(form.state.get("same", {}))
        places = form.state.get("same_places")
    elif is_group(form, about):
        learners, places = tuple(group.chosen(form)), form.value("places")
    else:
        learners = (learner,) if learner is not None and (about.for_self or way == With.LEARNER) else ()
    follows = form.state.get("follows")
    return Booking(
        programme_id=about.programme.id, practitioner_id=form.value("practitioner"), learner_ids=learners,
        team_id=form.value("team") if way == With.TEAM and not about.for_self else None,
        timetable_id=form.value("timetable"), room_id=form.value("room"),
        method=form.value("method") or "", records=_records(form, about), location=_said(form, "location"),
        starts_at=when.starts_at, minutes=when.minutes, course_ids=tuple(form.value("courses") or ()),
        type=form.value("type"), planning_notes=_said(form, "planning_notes"),
        description=_said(form, "description"), number=form.value("number"), report_required=form.value("report"),
        places=places, follows_id=follows,
        origin=Origin.COPY if follows else Origin.BOOKING, reason=_said(form, "reason"),
    )


def _records(form: Form, about: Setting) -> bool:
    smart = about.programme.policy.smart_rooms and form.value("method") == Method.SMART
    return smart and bool(form.value("records"))


def _said(form: Form, name: str) -> str | None:
    return (form.value(name) or "").strip() or None


def finish(form: Form, about: Setting) -> None:
    """After a booking: on to the worksheet, or stay with everything kept but the time and the number."""
    stay = form.state.get("stay")
    kept = {
        name: form.value(name) for name in (
            "practitioner", "learner", "places", "team", "with", "timetable", "room", "method", "records", "location",
            "minutes", "courses", "type", "planning_notes", "description", "report")
    }
    state = {name: form.state.get(name) for name in ("asked", "same", "same_places", "follows")}
    saved = form.done()
    if saved is None:
        return
    feedback.tell(saved)
    if not stay:
        navigation.open_session(saved.result[0])
    again = Form(NAME)
    again.state.update(state)
    again.state["key"] = secrets.token_urlsafe(12)
    for name, value in kept.items():
        again.preset(name, value)
    booking.put_time(again, None, about.zone)
    st.rerun()


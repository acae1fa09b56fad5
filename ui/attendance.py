"""The attendance form: what came of a session, of one learner or a whole group in one go, with its note (E1–E3, D11).

Whoever led it is through with two clicks: what came of it, and *Record*. What follows is said before anything is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import streamlit as st

from core.attending.commands import Written, log_session, submit_note
from core.attending.queries import Afterwards, NoteView, afterwards
from core.attending.rules import FREED, Attendance, Meeting, problems_of
from core.billing.money import words as money
from core.billing.queries import Consequence, consequences
from core.clock import at_local
from core.learning.effects import asked_of
from core.learning.rules import ENDS
from core.permissions import Action, may
from core.programmes.rules import Policy, Words, minutes_words
from core.sessions.queries import Part
from core.sessions.rules import notice_outcome
from core.words import NoteKind, Outcome
from ui import runtime, typed
from ui.format import capital, names, plain
from ui.forms import Form
from ui.session_panel import About, both_versions

CANCELLED = "cancelled"
"""By the learner's side; late or in time is worked out from when notice was given."""
FEW = 3
"""Up to so many people are named one by one."""
WHAT = {NoteKind.SHARED: "note", NoteKind.REPORT: "report"}
_OTHER = {Outcome.CANCELLED_LATE: Outcome.CANCELLED_IN_TIME, Outcome.CANCELLED_IN_TIME: Outcome.CANCELLED_LATE}
_THEIRS = (Outcome.PRACTITIONER_ABSENT, Outcome.PRACTITIONER_CANCELLED)


@dataclass(frozen=True)
class _Asked:
    """What the form is about, kept for when it is sent."""

    parts: tuple[Part, ...]
    meeting: Meeting
    policy: Policy
    zone: ZoneInfo
    overrules: bool
    """Whether the viewer may record otherwise than the rules say."""
    endings: frozenset[int]
    after: Afterwards

    @property
    def alone(self) -> bool:
        """Whether there is one learner to say it of."""
        return len(self.parts) == 1


@dataclass(frozen=True)
class _Said:
    """What the form says by now, and what is wrong with it by field."""

    attendance: tuple[Attendance, ...]
    problems: Mapping[str, str]
    asks_reason: bool

    def with_outcome(self, outcome: Outcome) -> list[int]:
        """Those of whom it says so."""
        return [one.learner_id for one in self.attendance if one.outcome is outcome]


def draw(about: About) -> None:
    """The form inside the panel."""
    form, words, sheet = about.form, about.programme.policy.words, about.sheet
    parts = tuple(part for part in sheet.parts if part.outcome is None)
    if Action.OUTCOME_RECORD not in sheet.may or not parts:
        st.caption("There is nothing to record, or not by you.")
        return
    asked = _Asked(
        parts, Meeting(sheet.row.starts_at, sheet.minutes or 0, about.work.now), about.programme.policy,
        runtime.zone(about.programme.zone_name, about.work), Action.OUTCOME_OVERRULE in sheet.may,
        frozenset(asked_of(about.work, about.id)), afterwards(about.work, about.id))
    _what_came_of_it(form, asked, words)
    _rows(form, asked)
    said = _read(form, asked)
    attended = said.with_outcome(Outcome.ATTENDED)
    if attended:
        _minutes(form, asked, attended)
    if said.with_outcome(Outcome.MISSED) and asked.policy.missed_wait:
        _protocol(form, asked)
    if said.asks_reason:
        st.text_input("Reason, where it is recorded otherwise than the rules say", key=form.field("overruled"),
                      persist_state="session", on_change="ignore", autocomplete="off")
        form.problem("overruled")
    if attended:
        _endings(form, asked, attended)
        for kind in _offered(asked.after, report=sheet.report_required):
            _text(form, kind, asked.after, asked.policy)
    _follows(about, asked, said)
    form.problem("attendance", "ending", "body")

    def send() -> None:
        now = Form(form.name)
        found = _read(now, replace(asked, meeting=replace(asked.meeting, now=runtime.now())))
        if found.problems:
            now.fail(dict(found.problems))
        else:
            now.send(log_session, about.id, found.attendance, _written(now, asked.after, found), now.state["version"])

    both_versions(about, {}, send)
    st.button("Record", type="primary", key=form.field("send"), on_click=send)


# Outcomes ------------------------------------------------------------------------------------------------------------


def _what_came_of_it(form: Form, asked: _Asked, words: Words) -> None:
    """One choice for all of them; in a group each is then set alike, to be changed one by one."""
    every = "" if asked.alone else "All "
    ways: dict[str, str] = {
        Outcome.ATTENDED: f"{every}attended", Outcome.MISSED: f"{every}missed",
        **({CANCELLED: "Cancelled"} if asked.alone else {}),
        **{outcome: words.outcome(outcome) for outcome in _THEIRS},
    }

    def alike() -> None:
        now = Form(form.name)
        for part in asked.parts:
            st.session_state[now.field(f"row-{part.learner_id}")] = now.value("way")

    st.segmented_control("What came of it?", list(ways), format_func=lambda each: capital(ways.get(each, "")),
                         key=form.field("way"), wrap=True, on_change=alike)
    form.problem("way")


def _rows(form: Form, asked: _Asked) -> None:
    """A line for each learner of a group, and what is asked of those who cancelled."""
    if not asked.alone and form.value("way") in (Outcome.ATTENDED, Outcome.MISSED):
        st.markdown("**Except**")
        for part in asked.parts:
            _row(form, part)
            _asked_of_one(form, asked, part)
    elif asked.alone:
        _asked_of_one(form, asked, asked.parts[0])


def _row(form: Form, part: Part) -> None:
    ways = {Outcome.ATTENDED: "Attended", Outcome.MISSED: "Missed", CANCELLED: "Cancelled"}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small",
                      key=form.field(f"line-{part.learner_id}")):
        st.markdown(plain(part.name), width="content")
        st.segmented_control(part.name, list(ways), format_func=lambda each: ways.get(each, ""), required=True,
                             key=form.field(f"row-{part.learner_id}"), label_visibility="collapsed")
    form.problem(f"row-{part.learner_id}")


def _asked_of_one(form: Form, asked: _Asked, part: Part) -> None:
    """When notice was given, and how that counts."""
    if _way(form, part, asked) != CANCELLED:
        return
    id_ = part.learner_id
    with st.container(border=True, gap="small"):
        st.caption(f"When did {plain(part.name)} cancel, or somebody for them?")
        left, right = st.columns(2)
        with left:
            typed.day("Day of notice", form, f"notice-day-{id_}", asked.zone, past=True)
        with right:
            typed.clock("Time of notice", form, f"notice-time-{id_}")
        form.problem(f"notice-{id_}")
        notice = _notice(form, id_, asked.zone)
        if not isinstance(notice, datetime) or asked.meeting.starts_at is None or notice >= asked.meeting.starts_at:
            return
        right_one = notice_outcome(asked.meeting.starts_at, notice)
        late = right_one is Outcome.CANCELLED_LATE
        st.markdown(f":orange[:material/schedule: Under 24 hours ahead: **{right_one}**]" if late else
                    f":green[:material/check: 24 hours ahead or more: **{right_one}**]")
        if asked.overrules:
            st.checkbox(f"Count it as {_OTHER[right_one]} all the same", key=form.field(f"otherwise-{id_}"))


def _way(form: Form, part: Part, asked: _Asked) -> str | None:
    """What the form says of one learner."""
    way: str | None = form.value("way")
    if not asked.alone and way not in (None, *_THEIRS):
        way = form.value(f"row-{part.learner_id}")
    return way if way in (CANCELLED, Outcome.ATTENDED, Outcome.MISSED, *_THEIRS) else None


def _notice(form: Form, learner_id: int, zone: ZoneInfo) -> datetime | str | None:
    """When notice was given, None where that is not said, or what is wrong with what was typed."""
    day = typed.day_of(form, f"notice-day-{learner_id}", zone, past=True)
    clock = typed.clock_of(form, f"notice-time-{learner_id}")
    if isinstance(day, date) and isinstance(clock, time):
        return at_local(day, clock, zone).at
    return next((said for said in (day, clock) if isinstance(said, str)), None)


def _minutes(form: Form, asked: _Asked, attended: Sequence[int]) -> None:
    """How long it took: once for all, and for some differently."""
    form.preset("minutes", asked.meeting.planned)
    st.number_input("Actual minutes", value=None, step=5, key=form.field("minutes"), persist_state="session",
                    help=f"A multiple of 5, from 15 to {asked.meeting.longest}.")
    form.problem("minutes")
    if len(attended) < 2 or not st.toggle("Different for some", key=form.field("differs"), persist_state="session"):
        return
    for part in asked.parts:
        if part.learner_id in attended:
            st.number_input(f"Minutes of {plain(part.name)}", value=None, step=5, placeholder="As above",
                            key=form.field(f"minutes-{part.learner_id}"), persist_state="session")
            form.problem(f"minutes-{part.learner_id}")


def _protocol(form: Form, asked: _Asked) -> None:
    """That somebody waited for those who missed it, and tried to make contact."""
    left, right = st.columns([1, 2])
    with left:
        st.number_input("Minutes waited", value=None, step=5, key=form.field("waited"), persist_state="session",
                        on_change="ignore", help=f"At least {minutes_words(asked.policy.missed_wait)}.")
        form.problem("waited")
    with right:
        st.text_input("How you tried to make contact", key=form.field("contact"), persist_state="session",
                      on_change="ignore", autocomplete="off", placeholder="Rang twice, wrote a message")
        form.problem("contact")


def _endings(form: Form, asked: _Asked, attended: Iterable[int]) -> None:
    """How the enrolments of those who attended end, where the type of the session asks for that (C7)."""
    for part in asked.parts:
        if part.learner_id in asked.endings and part.learner_id in attended:
            st.segmented_control(f"{plain(part.name)} has", ENDS, key=form.field(f"ending-{part.learner_id}"))


def _read(form: Form, asked: _Asked) -> _Said:
    """What the fields say, each learner's part with what stands against it."""
    said: list[Attendance] = []
    problems: dict[str, str] = {}
    reason, asks_reason = (form.value("overruled") or "").strip(), False
    for part in asked.parts:
        one = _one(form, part, asked, problems)
        if one is None:
            continue
        breaks = problems_of(one, asked.meeting, asked.policy, overrules=False)
        if breaks and asked.overrules:
            one = replace(one, overruled=reason)
            mended = problems_of(replace(one, overruled="said"), asked.meeting, asked.policy, overrules=True)
            asks_reason = asks_reason or not mended
        said.append(one)
        for name, sentence in problems_of(one, asked.meeting, asked.policy, overrules=asked.overrules).items():
            problems.setdefault(_beside(form, name, part.learner_id), sentence)
    return _Said(tuple(said), problems, asks_reason)


def _one(form: Form, part: Part, asked: _Asked, problems: dict[str, str]) -> Attendance | None:
    """What the fields say of one learner; nothing where they do not say yet."""
    id_, way = part.learner_id, _way(form, part, asked)
    if way is None:
        problems["way" if form.value("way") is None else f"row-{id_}"] = "Choose what came of it."
        return None
    if way == CANCELLED:
        notice = _notice(form, id_, asked.zone)
        if not isinstance(notice, datetime) or asked.meeting.starts_at is None:
            problems[f"notice-{id_}"] = notice if isinstance(notice, str) else "Say when notice was given."
            return None
        outcome = notice_outcome(asked.meeting.starts_at, notice)
        if asked.overrules and form.value(f"otherwise-{id_}"):
            outcome = _OTHER[outcome]
        return Attendance(id_, outcome, notice_at=notice)
    if way == Outcome.MISSED:
        return Attendance(id_, Outcome.MISSED, waited=form.value("waited"), contact=form.value("contact") or "")
    if way != Outcome.ATTENDED:
        return Attendance(id_, Outcome(way))
    common = form.value("minutes", asked.meeting.planned)
    own = form.value(f"minutes-{id_}") if form.value("differs") else None
    minutes = own if own is not None else common
    if minutes is None:
        problems["minutes"] = "Say how many minutes it took."
    return Attendance(id_, Outcome.ATTENDED, minutes if minutes != asked.meeting.planned else None,
                      form.value(f"ending-{id_}"))


def _beside(form: Form, name: str, learner_id: int) -> str:
    """The field that a problem stands beside."""
    if name in ("notice_at", "outcome"):
        return f"notice-{learner_id}"
    own = name == "minutes" and form.value("differs") and form.value(f"minutes-{learner_id}") is not None
    return f"minutes-{learner_id}" if own else name


# What is written -----------------------------------------------------------------------------------------------------


def _offered(after: Afterwards, *, report: bool) -> list[NoteKind]:
    """What the viewer can write or correct: what somebody else wrote is theirs."""
    kinds = [NoteKind.SHARED, *([NoteKind.REPORT] if report else [])]
    return [kind for kind in kinds if after.may_write and ((note := after.note(kind)) is None or note.mine)]


def _text(form: Form, kind: NoteKind, after: Afterwards, policy: Policy) -> None:
    """The field for a note or a report."""
    owed = after.report_owed if kind is NoteKind.REPORT else after.note_owed
    note, words = after.note(kind), policy.words
    form.preset(kind, note.body if note else "")
    st.text_area(capital(WHAT[kind]) + ("" if owed or note else " (optional)"), key=form.field(kind), height=140,
                 persist_state="session", on_change="ignore",
                 help=f"The {words.learner} and their guardians read it from the moment it is submitted.")


def _written(form: Form, after: Afterwards, said: _Said) -> tuple[Written, ...]:
    """What was written, or written anew, of a session that somebody attended."""
    found = []
    for kind in NoteKind:
        body, before = (form.value(kind) or "").strip(), after.note(kind)
        if body and said.with_outcome(Outcome.ATTENDED) and body != (before.body if before else ""):
            found.append(Written(body, kind))
    return tuple(found)


def note(about: About) -> None:
    """The form for the note of a session that was recorded already."""
    _write(about, NoteKind.SHARED)


def report(about: About) -> None:
    """The form for its report."""
    _write(about, NoteKind.REPORT)


def _write(about: About, kind: NoteKind) -> None:
    form, after = about.form, afterwards(about.work, about.id)
    known: NoteView | None = after.note(kind)
    if kind not in _offered(after, report=True):
        st.caption(f"The {WHAT[kind]} is somebody else's to write.")
        return
    if "begun" not in form.state:
        form.state.update(begun=True, version=known.version if known else 0)
    _text(form, kind, after, about.programme.policy)
    form.problem("body")

    def send() -> None:
        now = Form(form.name)
        now.send(submit_note, about.id, Written(now.value(kind) or "", kind, now.state["version"]))

    both_versions(about, {"note": form.value(kind) or ""}, send)
    st.button("Submit" if known is None else "Correct", type="primary", key=form.field("send"), on_click=send)


# What follows --------------------------------------------------------------------------------------------------------


def _follows(about: About, asked: _Asked, said: _Said) -> None:
    """In words, what is billed and earned once this is recorded; amounts for those alone who may see them (E9)."""
    if not said.attendance:
        return
    found = consequences(
        about.work, about.id, {one.learner_id: (one.outcome, one.minutes) for one in said.attendance})
    told = []
    others = [part.outcome for part in about.sheet.parts if part.outcome is not None]
    if len(said.attendance) == len(asked.parts) and all(
            outcome in FREED for outcome in (*others, *(one.outcome for one in said.attendance))):
        told.append("Nobody is left in it, so it is cancelled.")
    whole = may(about.work, Action.MONEY_SEE, about.programme.id)
    if found.priced:
        told += billed(found, {part.learner_id: part.name for part in asked.parts}, asked.policy.words, amounts=whole)
        leads = about.sheet.row.practitioner_id == about.work.actor.person_id
        if leads or whole:
            told.append(_earned(found, "You" if leads else about.sheet.row.practitioner, asked))
    if told:
        st.info("  \n".join(told), icon=":material/payments:" if found.priced else ":material/info:")


def billed(found: Consequence, people: Mapping[int, str], words: Words, *, amounts: bool) -> list[str]:
    """Who is billed, who is not: a sentence for each amount, or with `amounts` withheld for each answer."""
    if 0 in found.charges:
        return [f"The {words.team} {_charged(found.charges[0], found.currency, 1, amounts=amounts)}."]
    alike: dict[int | None, list[str]] = {}
    for learner_id, amount in found.charges.items():
        alike.setdefault(amount if amounts else min(amount or 0, 1), []).append(people.get(learner_id, ""))
    return [f"{_people(sorted(those), words)} {_charged(amount, found.currency, len(those), amounts=amounts)}."
            for amount, those in sorted(alike.items(), key=lambda each: -(each[0] or 0))]


def _people(those: Sequence[str], words: Words) -> str:
    return plain(names(those, FEW)) if len(those) <= FEW else f"{len(those)} {words.many('learner')}"


def _charged(amount: int | None, currency: str, count: int, *, amounts: bool) -> str:
    verb = "is" if count == 1 else "are"
    if not amount:
        return f"{verb} not billed" + (": no rate fits" if amount is None and amounts else "")
    each = " each" if count > 1 else ""
    return f"{verb} billed {plain(money(amount, currency))}{each}" if amounts else f"{verb} billed"


def _earned(found: Consequence, who: str, asked: _Asked) -> str:
    verb = "earn" if who == "You" else "earns"
    if not found.payout:
        return f"{plain(who)} {verb} nothing for it" + (": no rate fits." if found.payout is None else ".")
    owed = [what for what, owes in (("note", asked.after.note_owed), ("report", asked.after.report_owed)) if owes]
    waits = f", on hold until the {' and the '.join(owed)} {'is' if len(owed) == 1 else 'are'} submitted"
    return f"{plain(who)} {verb} {plain(money(found.payout, found.currency))}{waits if found.on_hold else ''}."


__all__ = ["billed", "draw", "note", "report"]

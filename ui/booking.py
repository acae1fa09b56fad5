"""What the forms for a time share: date, time and duration, who is free when, and the nearest free times as buttons."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.offers import Mark, day_marks, free_then, hours_spans, open_spans
from core.availability.queries import Ask, free_times, nearest_free
from core.availability.rules import FreeTime, Problem
from core.clock import FIRST_DAY, LAST_DAY, at_local, day_start, day_typed, time_typed, when_words
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.programmes.rules import LONGEST, SHORTEST, STEP
from core.sessions.busy import Busy, busy_times
from core.sessions.rules import NoRoomFree
from core.work import Work
from ui import runtime
from ui.format import capital, plain, zone_words
from ui.forms import Form

Span = tuple[datetime, datetime]
DAYS_SHOWN = 14
ANYONE_SHOWN = 20
MARKS = {Mark.FREE: "○", Mark.PARTLY: "◐", Mark.FULL: "●", Mark.CLOSED: "–"}
DATE_PROBLEM = f"Choose a date from {FIRST_DAY.year} to {LAST_DAY.year}."
NO_TIME = "This is no time. Write it like 14:30 or 2:30 pm."
NO_DATE = "This is no date. Write it like 2026-12-03 or 3 Dec 2026."


@dataclass(frozen=True)
class Chosen:
    """The time that a form holds; `problems` say by field what keeps it from being one."""

    starts_at: datetime | None = None
    minutes: int | None = None
    remark: str | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ends_at(self) -> datetime | None:
        """When it would end, where the duration is one at all."""
        if self.starts_at is None or self.minutes is None or not 0 < self.minutes <= LONGEST:
            return None
        return self.starts_at + timedelta(minutes=self.minutes)


def chosen(form: Form, zone: ZoneInfo) -> Chosen:
    """Read date, time and duration; a local time that the clock change skips or doubles says so (X3)."""
    day, clock, minutes = day_or_problem(form, zone), clock_or_problem(form), form.value("minutes")
    if isinstance(day, str) or isinstance(clock, str):
        told = {name: found for name, found in (("date", day), ("time", clock)) if isinstance(found, str)}
        return Chosen(minutes=minutes, problems=told)
    if day is None and clock is None:
        return Chosen(minutes=minutes)
    if day is None:
        return Chosen(minutes=minutes, problems={"date": "Choose a date as well, or clear the time."})
    if clock is None:
        return Chosen(minutes=minutes, problems={"time": "Choose a time as well, or clear the date."})
    resolved = at_local(day, clock, zone)
    return Chosen(resolved.at, minutes, resolved.remark)


def day_or_problem(form: Form, zone: ZoneInfo, name: str = "date", *, past: bool = False) -> date | str | None:
    """The day in a field, None where it is empty, or the sentence about what keeps it from being a day."""
    typed = (form.value(name) or "").strip()
    if not typed:
        return None
    try:
        day = day_typed(typed, runtime.today(zone), past=past)
    except ValueError:
        return NO_DATE
    return day if FIRST_DAY <= day <= LAST_DAY else DATE_PROBLEM


def clock_or_problem(form: Form, name: str = "time") -> time | str | None:
    """The time of day in a field, None where it is empty, or the sentence about what keeps it from being one."""
    typed = (form.value(name) or "").strip()
    try:
        return time_typed(typed) if typed else None
    except ValueError:
        return NO_TIME


def day_chosen(form: Form, zone: ZoneInfo) -> date | None:
    """The day in the field, where it is one."""
    found = day_or_problem(form, zone)
    return found if isinstance(found, date) else None


def put_time(form: Form, starts_at: datetime | None, zone: ZoneInfo) -> None:
    """Fill date and time in; nothing else that was typed changes. For a button's `on_click`, too."""
    local = starts_at.astimezone(zone) if starts_at else None
    put_local(form, local.date() if local else None, local.time() if local else None)


def put_local(form: Form, day: date | None, clock: time | None) -> None:
    """As `put_time`, from what a clock on the wall says, even where the change of clocks skips or doubles it."""
    st.session_state[form.field("date")] = day.isoformat() if day else ""
    st.session_state[form.field("time")] = f"{clock:%H:%M}" if clock else ""


def time_fields(form: Form, programme: ProgrammeView, zone: ZoneInfo, *, required: bool) -> Chosen:
    """Date, time and duration side by side, each with its sentence."""
    star = " *" if required else ""
    left, middle, right = st.columns([10, 7, 9], gap="small")
    with left:
        st.text_input(f"Date{star}", key=form.field("date"), persist_state="session", autocomplete="off",
                      help="Like 2026-12-03, 3 Dec, Friday or tomorrow.", on_change=_settle, args=(form, "date", zone))
        form.problem("date")
    with middle:
        st.text_input(f"Time{star}", key=form.field("time"), persist_state="session", autocomplete="off",
                      help="Like 14:30, 9 or 2:30 pm.", on_change=_settle, args=(form, "time", zone))
        form.problem("time")
    with right:
        st.number_input("Minutes", value=None, step=STEP, key=form.field("minutes"), persist_state="session",
                        help=f"A multiple of {STEP}, from {SHORTEST} to {programme.policy.longest_minutes}.")
        form.problem("duration")
    now = chosen(form, zone)
    if now.remark:
        st.info(now.remark, icon=":material/schedule:")
    return now


def _settle(form: Form, name: str, zone: ZoneInfo) -> None:
    """Show a date or time as it was understood; what is none stays as typed, with its sentence."""
    problems: dict[str, str] = form.state.setdefault("problems", {})
    problems.pop(name, None)
    form.state.get("sent", {}).pop(form.field(name), None)
    found = day_or_problem(form, zone) if name == "date" else clock_or_problem(form)
    if isinstance(found, str):
        problems[name] = found
    elif found is not None:
        st.session_state[form.field(name)] = f"{found:%H:%M}" if isinstance(found, time) else found.isoformat()


@dataclass(frozen=True)
class Looked:
    """What was found about the time in a form and the days around it."""

    now: Chosen
    day: date | None
    days: list[date]
    asked: Ask
    """Who and what is wanted on those days."""
    free: FreeTime
    """On those days."""
    then: Problem | None
    """What stands against the time chosen, other sessions aside."""
    busy: list[Busy]
    but: int | None


def look(
    form: Form, work: Work, programme: ProgrammeView, zone: ZoneInfo, people: Collection[int], rooms: Collection[int],
    *, practitioner_id: int | None = None, timetable_id: int | None = None, but: int | None = None,
) -> Looked:
    """Find out when those involved are to be had, around the day in the form."""
    now, day = chosen(form, zone), day_chosen(form, zone)
    first = _first_shown(form, day, work.now.astimezone(zone).date())
    days = [first + timedelta(days=n) for n in range(DAYS_SHOWN)]
    since, until = day_start(first, zone), day_start(days[-1] + timedelta(days=1), zone)
    asked = Ask(since, until + timedelta(minutes=LONGEST), practitioner_id, frozenset(people),
                next(iter(rooms), None), timetable_id)
    asks = [asked]
    if now.starts_at and now.ends_at:
        asks.append(asked._replace(since=now.starts_at, until=now.ends_at))
    free = free_times(work, programme.id, asks, () if but is None else (but,))
    then = free[1].problem(now.starts_at, now.ends_at, overlaps=False) if now.starts_at and now.ends_at else None
    busy = [one for one in busy_times(work, programme.id, people, rooms, since, until)
            if but is None or one.session_id != but] if people or rooms else []
    return Looked(now, day, days, asked, free[0], then, busy, but)


def availability(form: Form, work: Work, programme: ProgrammeView, zone: ZoneInfo, looked: Looked) -> None:
    """Days and hours at which those involved are taken (C6), what is against the time chosen, and free ones (B9)."""
    minutes = looked.now.minutes
    if minutes is None or minutes % STEP or not 0 < minutes <= LONGEST:
        minutes = programme.policy.usual_minutes
    _strip(form, looked.days, day_marks(looked.free, looked.days, timedelta(minutes=minutes), zone), looked.day)
    if not looked.asked.people and looked.asked.room_id is None:
        st.caption("Choose who takes part to see when they are taken.")
    elif looked.day in looked.days:
        _hours(looked, zone, looked.day)
    _against(form, work, programme, zone, looked)
    _without_room(form, zone, looked.now)


def beside_practitioner(
    form: Form, work: Work, programme: ProgrammeView, looked: Looked, course_ids: Collection[int] = ()
) -> None:
    """That the practitioner has no hours, and whoever else is free at the time chosen, to be taken by one click."""
    if none := looked.free.without_hours:
        st.warning(plain(none), icon=":material/event_busy:")
    now, key = looked.now, form.field("anyone")
    if now.starts_at is None or now.ends_at is None:
        return
    if not st.toggle("Anyone free then", key=key, help="Who can be booked at the time chosen."):
        return
    skill = st.text_input("With the skill", key=form.field("skill"), max_chars=60, autocomplete="off",
                          placeholder="Any, or words of their profile")
    found = free_then(
        work, programme.id, now.starts_at, now.ends_at, skill=skill,
        people=looked.asked.people - {looked.asked.practitioner_id}, room_id=looked.asked.room_id,
        timetable_id=looked.asked.timetable_id, course_ids=course_ids, but=looked.but)
    words = programme.policy.words
    if not found:
        st.caption(f"No {words.practitioner} who is free then says so in their profile." if skill.strip() else
                   f"No {words.practitioner} is free then, or those who take part are not.")
        return
    shown = {one.id: one.name for one in found[:ANYONE_SHOWN]}
    picked = form.field("anyone-picked")

    def take() -> None:
        if (person := st.session_state.get(picked)) is not None:
            st.session_state[form.field("practitioner")] = person
            st.session_state[key] = False

    st.pills("Free then", list(shown), format_func=lambda id_: shown.get(id_, ""), key=picked, on_change=take)
    more = f"{len(shown)} of {len(found)}. " if len(found) > len(shown) else ""
    first = f"Who led the {words.course} before comes first." if any(one.led for one in found) else ""
    if more or first:
        st.caption(more + first)


def _strip(form: Form, days: list[date], marks: dict[date, Mark], day: date | None) -> None:
    key = form.field("day")
    st.session_state[key] = day if day in marks else None

    def pick() -> None:
        if st.session_state.get(key) is not None:
            st.session_state[form.field("date")] = st.session_state[key].isoformat()
            form.state.get("problems", {}).pop("date", None)

    def turn(days_on: int) -> None:
        form.state["turned"] = (day, days[0] + timedelta(days=days_on))

    st.pills(
        "Who is free", days, key=key, on_change=pick, wrap=True,
        format_func=lambda each: f"{each:%a} {each.day} {MARKS[marks[each]]}" if each in marks else str(each),
    )
    span = f"{days[0].day} {days[0]:%b} to {days[-1].day} {days[-1]:%b %Y}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for name, icon, on in (("earlier", "left", -DAYS_SHOWN), ("later", "right", DAYS_SHOWN)):
            beyond = not FIRST_DAY < days[0] + timedelta(days=on) < LAST_DAY - timedelta(days=DAYS_SHOWN)
            st.button("", icon=f":material/chevron_{icon}:", key=form.field(name), type="tertiary", disabled=beyond,
                      help=f"Two weeks {name}", on_click=turn, args=(on,))
        st.caption(f"{span} · " + " · ".join(f"{sign} {mark}" for mark, sign in MARKS.items()))


def _first_shown(form: Form, day: date | None, today: date) -> date:
    """The first of the days shown: where the viewer turned to, until another day is chosen, else those around it."""
    first: date | None
    turned_from, first = form.state.get("turned", (day, None))
    if turned_from != day or first is None:
        first = today + timedelta(days=DAYS_SHOWN * ((day - today).days // DAYS_SHOWN)) if day else today
    return max(FIRST_DAY + timedelta(days=1), min(first, LAST_DAY - timedelta(days=DAYS_SHOWN)))


def _on(one: Busy, day: date, zone: ZoneInfo) -> bool:
    return one.starts_at < day_start(day + timedelta(days=1), zone) and one.ends_at > day_start(day, zone)


def _hours(looked: Looked, zone: ZoneInfo, day: date) -> None:
    """The chosen day as a bar for each who is taken, and the same in words; the practitioner's hours among it."""
    since, until = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    spans, leader, way = _instants(open_spans(looked.free, day, zone)), looked.free.leader, looked.free.way
    title = f"**{day:%A} {day.day} {day:%B %Y}** · " + (f"open {_said(spans, zone)}" if spans else "closed")
    st.markdown(title + f" · {zone_words(zone, since)}")
    lines: dict[str, tuple[list[Span], list[Busy]]] = {}
    if leader is not None and not looked.free.without_hours:
        own = _instants(hours_spans(looked.free, day, zone))
        lines[leader.name] = (own, [])
        through = f" through {way.name}" if way is not None and (way.schedule or leader.own.get(way.id)) else ""
        st.caption(f"Hours of {plain(leader.name + through)}: {_said(own, zone) if own else 'none that day'}")
    for one in looked.busy:
        if _on(one, day, zone):
            lines.setdefault(one.who, (spans, []))[1].append(one)
    taken = [one for _, listed in lines.values() for one in listed]
    if not taken:
        st.caption("Nobody is taken that day.")
    now = looked.now
    mine = (now.starts_at, now.ends_at) if now.starts_at and now.ends_at and looked.day == day else None
    edges = [*spans, *(span for own, _ in lines.values() for span in own), *([mine] if mine else []),
             *((max(one.starts_at, since), min(one.ends_at, until)) for one in taken)]
    if not edges or not lines:
        return
    first = _whole_hour(min(a for a, _ in edges), zone, up=False)
    last = _whole_hour(max(b for _, b in edges), zone, up=True)
    st.html(_bars(lines, mine, first, last, zone))
    for name, (_, listed) in lines.items():
        if listed:
            said = ", ".join(f"{_clock(one.starts_at, zone)}–{_clock(one.ends_at, zone)} {plain(one.what or 'busy')}"
                             for one in listed)
            st.caption(f"{plain(name)}: {said}")


def _instants(spans: Iterable[tuple[int, int]]) -> list[Span]:
    return [(datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC)) for a, b in spans]


def _said(spans: Iterable[Span], zone: ZoneInfo) -> str:
    return ", ".join(f"{_clock(a, zone)}–{_clock(b, zone).replace('00:00', '24:00')}" for a, b in spans)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _whole_hour(at: datetime, zone: ZoneInfo, *, up: bool) -> datetime:
    whole = at.astimezone(zone).replace(minute=0, second=0).astimezone(at.tzinfo)
    return whole + timedelta(hours=1) if up and whole < at else whole


_NAME = "flex:0 0 7.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:.85rem"
_TRACK = "position:relative;flex:1;height:18px;border-radius:3px;overflow:hidden"
_OPEN = "rgba(128,128,128,.12)"
_TAKEN = "repeating-linear-gradient(45deg,rgba(190,110,20,.85) 0 4px,rgba(190,110,20,.6) 4px 8px)"


def _bars(
    lines: dict[str, tuple[list[Span], list[Busy]]], own: Span | None, first: datetime, last: datetime, zone: ZoneInfo
) -> str:
    """A line for each: hours, and what is taken. The words around it say the same, so screen readers pass over it."""
    whole = (last - first).total_seconds()

    def block(starts_at: datetime, ends_at: datetime, style: str) -> str:
        a, b = max(starts_at, first), min(ends_at, last)
        left, width = (100 * seconds.total_seconds() / whole for seconds in (a - first, b - a))
        return f'<div style="position:absolute;top:0;bottom:0;left:{left:.2f}%;width:{width:.2f}%;{style}"></div>'

    def line(name: str, blocks: str, style: str = "background:rgba(128,128,128,.28)") -> str:
        return (
            '<div style="display:flex;align-items:center;gap:.5rem;margin:3px 0">'
            f'<div style="{_NAME}">{escape(name)}</div>'
            f'<div style="{_TRACK};{style}">{blocks}</div>'
            "</div>"
        )

    mine = block(*own, "border:2px solid currentColor;border-radius:3px;box-sizing:border-box") if own else ""
    drawn = ""
    for name, (hours_of, listed) in lines.items():
        blocks = "".join(block(a, b, f"background:{_OPEN}") for a, b in hours_of)
        blocks += "".join(block(one.starts_at, one.ends_at, f"background:{_TAKEN}") for one in listed)
        drawn += line(name, blocks + mine)
    hours = int(whole // 3600)
    step = timedelta(hours=1 if hours <= 6 else 2 if hours <= 14 else 4)
    ticks, at = "", first
    while at < last:
        left = 100 * (at - first).total_seconds() / whole
        ticks += f'<span style="position:absolute;left:{left:.2f}%;font-size:.75rem">{_clock(at, zone)}</span>'
        at += step
    return f'<div aria-hidden="true">{drawn}{line("", ticks, "")}</div>'


def _against(form: Form, work: Work, programme: ProgrammeView, zone: ZoneInfo, looked: Looked) -> None:
    """Who is taken at the time chosen, or why it is out of hours; with free times to take instead."""
    now, asked, problem = looked.now, looked.asked, looked.then
    if now.starts_at is None or now.ends_at is None:
        return
    clashes = [one for one in looked.busy if one.starts_at < now.ends_at and one.ends_at > now.starts_at]
    if clashes:
        said = " ".join(
            f"{one.who} is busy {when_words(one.starts_at, zone, one.ends_at)}{f' ({one.what})' if one.what else ''}."
            for one in clashes[:4]
        )
        (st.error if form.busy else st.warning)(plain(said), icon=":material/event_busy:")
    if problem is not None:
        _out_of_hours(form, work, programme, problem)
    if not clashes and problem is None:
        return
    free = nearest_free(
        work, programme.id, asked.people, asked.room_id, now.starts_at, now.ends_at - now.starts_at,
        practitioner_id=asked.practitioner_id, timetable_id=asked.timetable_id, but=looked.but,
    ) if (now.minutes or 1) % STEP == 0 else []
    if free:
        _offer(form, free, "Nearest times at which everybody is free:", zone)
    else:
        st.caption("Nobody is free together within two weeks of that time; try another day.")


def _offer(form: Form, free: Iterable[datetime], title: str, zone: ZoneInfo) -> None:
    """Times to take by one click."""
    st.markdown(title)
    with st.container(horizontal=True, gap="xsmall"):
        for at in free:
            st.button(when_words(at, zone), key=form.field(f"free-{at.timestamp():.0f}"),
                      icon=":material/event_available:", on_click=put_time, args=(form, at, zone))


def _without_room(form: Form, zone: ZoneInfo, now: Chosen) -> None:
    """That no smart room was free at the time chosen, and when one is (C12)."""
    refusal = form.busy
    if not isinstance(refusal, NoRoomFree) or refusal.clashes[0].starts_at != now.starts_at:
        return
    st.error(plain(refusal.sentence), icon=":material/videocam_off:")
    if refusal.free:
        _offer(form, refusal.free, "Nearest times at which a room and everybody are free:", zone)


def _out_of_hours(form: Form, work: Work, programme: ProgrammeView, problem: Problem) -> None:
    """Why, and for those who may override it the field for a reason."""
    if may(work, Action.HOURS_OVERRIDE, programme.id):
        what = "outside opening hours" if problem.opening else "it all the same"
        st.warning(plain(f"{problem.sentence} Give a reason to book {what}."), icon=":material/schedule:")
        st.text_input(f"Reason to book {what} *", key=form.field("reason"), persist_state="session")
        form.problem("reason")
    elif form.state.get("problems", {}).get("time") != problem.sentence:
        st.warning(plain(capital(problem.sentence)), icon=":material/schedule:")

"""What the forms for a time share: date, time and duration, who is free when, and the nearest free times as buttons."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from core.availability.queries import nearest_free
from core.availability.rules import hours_problem
from core.clock import FIRST_DAY, LAST_DAY, at_local, day_start, day_typed, time_typed, when_words
from core.permissions import Action, may
from core.programmes.queries import ProgrammeView
from core.programmes.rules import LONGEST, SHORTEST, STEP
from core.sessions.busy import Busy, busy_times
from core.sessions.planning import Mark, day_marks, open_spans
from core.work import Work
from ui import runtime
from ui.format import capital, plain, zone_words
from ui.forms import Form

DAYS_SHOWN = 14
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


def day_or_problem(form: Form, zone: ZoneInfo) -> date | str | None:
    """The day in the field, None where it is empty, or the sentence about what keeps it from being a day."""
    typed = (form.value("date") or "").strip()
    if not typed:
        return None
    try:
        day = day_typed(typed, runtime.today(zone))
    except ValueError:
        return NO_DATE
    return day if FIRST_DAY <= day <= LAST_DAY else DATE_PROBLEM


def clock_or_problem(form: Form) -> time | str | None:
    """The time of day in the field, None where it is empty, or the sentence about what keeps it from being one."""
    typed = (form.value("time") or "").strip()
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
    st.session_state[form.field("date")] = local.date().isoformat() if local else ""
    st.session_state[form.field("time")] = f"{local:%H:%M}" if local else ""


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


def availability(
    form: Form, work: Work, programme: ProgrammeView, zone: ZoneInfo, people: Collection[int],
    rooms: Collection[int], *, but: int | None = None,
) -> None:
    """Days and hours at which those involved are taken (C6), what is against the time chosen, and free ones (B9)."""
    now = chosen(form, zone)
    today = work.now.astimezone(zone).date()
    day = day_chosen(form, zone)
    first = _first_shown(form, day, today)
    days = [first + timedelta(days=n) for n in range(DAYS_SHOWN)]
    busy = [
        one for one in busy_times(
            work, programme.id, people, rooms, day_start(first, zone), day_start(days[-1] + timedelta(days=1), zone))
        if but is None or one.session_id != but
    ] if people or rooms else []
    minutes = now.minutes if now.minutes and 0 < now.minutes <= LONGEST else programme.policy.usual_minutes
    marks = day_marks(busy, days, minutes, programme.policy, programme.zone, zone)
    _strip(form, days, marks, day)
    if not people and not rooms:
        st.caption("Choose who takes part to see when they are taken.")
    elif day is not None:
        _hours(programme, zone, day, now, [one for one in busy if _on(one, day, zone)])
    _against(form, work, programme, zone, now, people, rooms, but, busy)


def _strip(form: Form, days: list[date], marks: dict[date, Mark], day: date | None) -> None:
    key = form.field("day")
    st.session_state[key] = day if day in marks else None

    def pick() -> None:
        if st.session_state[key] is not None:
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


def _hours(programme: ProgrammeView, zone: ZoneInfo, day: date, now: Chosen, busy: list[Busy]) -> None:
    """The chosen day as a bar for each who is taken, and the same in words."""
    since, until = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    spans = open_spans(programme.policy, programme.zone, since, until)
    opened = ", ".join(f"{_clock(a, zone)}–{_clock(b, zone)}" for a, b in spans)
    title = f"**{day:%A} {day.day} {day:%B %Y}** · " + (f"open {opened}" if opened else "closed")
    st.markdown(title + f" · {zone_words(zone, since)}")
    by_whom: dict[str, list[Busy]] = {}
    for one in busy:
        by_whom.setdefault(one.who, []).append(one)
    if not busy:
        st.caption("Nobody is taken that day.")
        return
    own = [(now.starts_at, now.ends_at)] if now.starts_at and now.ends_at else []
    edges = [*spans, *own, *((max(one.starts_at, since), min(one.ends_at, until)) for one in busy)]
    first = _whole_hour(min(a for a, _ in edges), zone, up=False)
    last = _whole_hour(max(b for _, b in edges), zone, up=True)
    st.html(_bars(by_whom, spans, own[0] if own else None, first, last, zone))
    for name, listed in by_whom.items():
        taken = ", ".join(f"{_clock(one.starts_at, zone)}–{_clock(one.ends_at, zone)} {plain(one.what or 'busy')}"
                          for one in listed)
        st.caption(f"{plain(name)}: {taken}")


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _whole_hour(at: datetime, zone: ZoneInfo, *, up: bool) -> datetime:
    whole = at.astimezone(zone).replace(minute=0, second=0).astimezone(at.tzinfo)
    return whole + timedelta(hours=1) if up and whole < at else whole


_NAME = "flex:0 0 7.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:.85rem"
_TRACK = "position:relative;flex:1;height:18px;border-radius:3px;overflow:hidden"
_TAKEN = "repeating-linear-gradient(45deg,rgba(190,110,20,.85) 0 4px,rgba(190,110,20,.6) 4px 8px)"


def _bars(
    by_whom: dict[str, list[Busy]], spans: Iterable[tuple[datetime, datetime]],
    own: tuple[datetime, datetime] | None, first: datetime, last: datetime, zone: ZoneInfo,
) -> str:
    """A line for each who is taken; the words under it say the same, so it is hidden from screen readers."""
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

    opened = "".join(block(a, b, "background:rgba(128,128,128,.12)") for a, b in spans)
    mine = block(*own, "border:2px solid currentColor;border-radius:3px;box-sizing:border-box") if own else ""
    lines = "".join(
        line(name, opened + "".join(block(one.starts_at, one.ends_at, f"background:{_TAKEN}") for one in listed) + mine)
        for name, listed in by_whom.items()
    )
    hours = int(whole // 3600)
    step = timedelta(hours=1 if hours <= 6 else 2 if hours <= 14 else 4)
    ticks, at = "", first
    while at < last:
        left = 100 * (at - first).total_seconds() / whole
        ticks += f'<span style="position:absolute;left:{left:.2f}%;font-size:.75rem">{_clock(at, zone)}</span>'
        at += step
    return f'<div aria-hidden="true">{lines}{line("", ticks, "")}</div>'


def _against(
    form: Form, work: Work, programme: ProgrammeView, zone: ZoneInfo, now: Chosen, people: Collection[int],
    rooms: Collection[int], but: int | None, busy: Iterable[Busy],
) -> None:
    """Who is taken at the time chosen, with free ones to take instead; and whether the programme is open then."""
    if now.starts_at is None or now.ends_at is None:
        return
    clashes = [one for one in busy if one.starts_at < now.ends_at and one.ends_at > now.starts_at]
    if clashes:
        said = " ".join(
            f"{one.who} is busy {when_words(one.starts_at, zone, one.ends_at)}{f' ({one.what})' if one.what else ''}."
            for one in clashes[:4]
        )
        (st.error if form.busy else st.warning)(plain(said), icon=":material/event_busy:")
        free = nearest_free(work, programme.id, people, next(iter(rooms), None), now.starts_at,
                            now.ends_at - now.starts_at, but=but)
        if free:
            st.markdown("Nearest times at which everybody is free:")
            with st.container(horizontal=True, gap="xsmall"):
                for at in free:
                    st.button(when_words(at, zone), key=form.field(f"free-{at.timestamp():.0f}"),
                              icon=":material/event_available:", on_click=put_time, args=(form, at, zone))
        else:
            st.caption("Nobody is free together within two weeks of that time; try another day.")
    closed = hours_problem(now.starts_at, now.ends_at, programme.policy, programme.zone)
    if not closed:
        return
    if may(work, Action.HOURS_OVERRIDE, programme.id):
        st.warning(f"{closed} Give a reason to book outside opening hours.", icon=":material/schedule:")
        st.text_input("Reason to book outside opening hours *", key=form.field("reason"), persist_state="session")
        form.problem("reason")
    elif form.state.get("problems", {}).get("time") != closed:
        st.warning(capital(closed), icon=":material/schedule:")

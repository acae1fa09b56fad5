"""The frame that FullCalendar runs in: what it is given to draw, and what it says was done.

It knows no time zones: it is given local times as if they were UTC, and gives such times back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
import streamlit_calendar
from babel import Locale
from streamlit.components.v1 import declare_component

from core.availability.queries import bookable_hours
from core.clock import FIRST_DAY, LAST_DAY, day_start
from core.permissions import Action
from core.programmes.queries import ProgrammeView
from core.sessions.calendar import InView, gathered, hours_shown, wall_times
from core.sessions.queries import Row
from core.work import Work
from ui.format import STATUS, labels, who
from ui.table import SIGNS

MONTH, WEEK, DAY, LIST = "month", "week", "day", "list"
GRIDS = {MONTH: "dayGrid", WEEK: "timeGrid", DAY: "timeGrid"}
HEIGHT = {MONTH: 780, WEEK: 720, DAY: 720}
"""Pixels; the frame takes its size once, when it is drawn first."""
NO_RESOURCES = "CC-Attribution-NonCommercial-NoDerivatives"
"""What the package sends by itself; only resource views, which the portal does not use, ask for another licence."""

_BUILD = Path(streamlit_calendar.__file__).parent / "frontend" / "build"
_MEDIA = Path(st.__file__).parent / "static" / "static" / "media"
_FONT = next((file.name for file in _MEDIA.glob("SourceSansVF-Upright*.woff2")), "")
_STYLE = (Path(__file__).parent / "assets" / "calendar.css").read_text(encoding="utf-8").replace("FONT", _FONT)
_fullcalendar = declare_component("calendar", path=str(_BUILD))
# Declared here and not taken from the package, whose own function has no `on_change`: with it, what was done is acted
# upon before anything is drawn, once, and without a second run.


@dataclass(frozen=True)
class Shown:
    """A stretch of time: `begin` to `end` is what is asked for, `first` to `last` all days that are drawn for it."""

    view: str
    day: date
    begin: date
    end: date
    first: date
    last: date
    locale: Locale
    zone: ZoneInfo
    narrow: bool = False
    """A phone has no room for names in a month."""

    @property
    def days(self) -> set[date]:
        """All that are drawn."""
        return {self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)}


def draw(events: list[dict[str, Any]], options: dict[str, Any], key: str, acted: Callable[[], None]) -> None:
    """Draw the calendar; `acted` is called when something was done in it, the value then stands in the state."""
    _fullcalendar(
        events=events, options=options, custom_css=_STYLE, license_key=NO_RESOURCES, key=key, default=None,
        callbacks=["dateClick", "eventClick", "eventChange", "select"], on_change=acted,
    )


def settings(
    found: InView, programme: ProgrammeView, shown: Shown, work: Work, *, books: bool
) -> dict[str, Any]:
    """What FullCalendar is told. Another stretch of the same view changes it in place, without a new frame."""
    by_hours = shown.view != MONTH
    told: dict[str, Any] = {
        "initialView": GRIDS[shown.view], "visibleRange": _range(shown.begin, shown.end), "headerToolbar": False,
        "timeZone": "UTC", "now": f"{work.now.astimezone(shown.zone):%Y-%m-%dT%H:%M}:00", "nowIndicator": True,
        "locale": str(shown.locale).replace("_", "-"), "firstDay": (shown.locale.first_week_day + 1) % 7,
        "height": HEIGHT[shown.view], "expandRows": True, "fixedWeekCount": False, "allDaySlot": False,
        "eventDisplay": "block", "eventInteractive": True, "displayEventEnd": False, "eventTimeFormat": _CLOCK,
        "slotLabelFormat": _CLOCK, "slotEventOverlap": False, "eventShortHeight": 40, "dayMaxEvents": not found.crowded,
        "eventMaxStack": _side_by_side(shown), "snapDuration": "00:15", "longPressDelay": 400,
        "selectable": books and by_hours, "selectMinDistance": 5, "selectMirror": True,
    }
    if by_hours:
        first, last = hours_shown(
            [wall_times(*span, shown.zone) for span in _open(work, programme, shown)],
            [wall_times(row.starts_at, row.ends_at, shown.zone) for row in found.rows if row.starts_at and row.ends_at]
            + [(at, at + timedelta(minutes=59)) for at in gathered(found.counts, shown.zone, hourly=True)],
        )
        told |= {"slotMinTime": f"{first:02}:00:00", "slotMaxTime": f"{last:02}:00:00"}
    if shown.view == MONTH:
        told["dayHeaderFormat"] = {"weekday": "short"}
    elif shown.view == WEEK:
        told["dayHeaderFormat"] = {"weekday": "short", "day": "numeric", "omitCommas": True}
    else:
        told["dayHeaders"] = False  # the day stands above
    return told


def _side_by_side(shown: Shown) -> int:
    """How many sessions at one time have room beside each other."""
    if shown.view == DAY:
        return 3 if shown.narrow else 8
    return 1 if shown.narrow else 3


_CLOCK = {"hour": "2-digit", "minute": "2-digit", "hour12": False}


def _range(first: date, last: date) -> dict[str, str]:
    return {"start": first.isoformat(), "end": (last + timedelta(days=1)).isoformat()}


def events(found: InView, programme: ProgrammeView, shown: Shown, turn: int) -> list[dict[str, Any]]:
    """The sessions, or their counts. A new `turn` has them drawn anew, and tells one click from the next like it."""
    if found.crowded:
        return _counted(found, programme, shown, turn)
    return [_event(row, shown, turn) for row in found.rows if row.starts_at]


def _event(row: Row, shown: Shown, turn: int) -> dict[str, Any]:
    assert row.starts_at is not None  # what is in view has a time
    assert row.ends_at is not None
    start, end = wall_times(row.starts_at, row.ends_at, shown.zone)
    said = labels(row)
    people = [each for each in (who(row), row.practitioner) if each]
    signs = "".join(SIGNS[each] for each in said)
    words = [] if shown.view == MONTH else [", ".join(said)]
    between = "\n" if shown.view == WEEK else " · "  # a column of the week is narrow and high
    title = f"{signs} {between.join([*people, *words])}"
    return {
        "id": str(row.id), "title": title, "start": start.isoformat(), "end": end.isoformat(),
        "classNames": ["one", STATUS[said[-1]][0], str(row.status)],
        "editable": Action.SESSION_RESCHEDULE in row.may, "extendedProps": {"turn": turn},
    }


def legend(found: InView) -> str:
    """What the signs in view stand for, in words."""
    used = {each for row in found.rows for each in labels(row)}.union(*found.counts.values())
    return " · ".join(f"{sign}\u00a0{word}" for word, sign in SIGNS.items() if word in used)


def _counted(found: InView, programme: ProgrammeView, shown: Shown, turn: int) -> list[dict[str, Any]]:
    hourly, words = shown.view != MONTH, programme.policy.words
    many = words.many("session")
    listed = []
    for at, counts in gathered(found.counts, shown.zone, hourly=hourly).items():
        total = counts.total()
        kinds = " · ".join(f"{SIGNS[status]}\u00a0{counts[status]}" for status in SIGNS if counts[status])
        listed.append({
            "id": f"{_CROWD}{at.isoformat()}", "start": at.isoformat() if hourly else f"{at:%Y-%m-%d}",
            **({"end": (at + timedelta(hours=1)).isoformat()} if hourly else {"allDay": True}),
            "title": str(total) if shown.narrow else f"{total} {words.session if total == 1 else many}\n{kinds}",
            "classNames": ["one", "many", "blue"], "editable": False, "extendedProps": {"turn": turn},
        })
    return listed


_CROWD = "many "


def shades(
    work: Work, programme: ProgrammeView, shown: Shown, practitioner_id: int | None
) -> list[dict[str, Any]]:
    """What stands behind the sessions: hours that are shut, and when the one practitioner chosen can be booked.

    In a month it is whole days: those on which nothing is open, and those on which the practitioner has hours.
    """
    since, until = _instants(shown)
    free = [] if practitioner_id is None else bookable_hours(work, programme.id, practitioner_id, since, until)
    if shown.view == MONTH:
        return [*_days_behind(shown, "shut", shown.days - _days_of(_open(work, programme, shown), shown)),
                *_days_behind(shown, "free", _days_of(free, shown))]
    opened = _behind(
        _open(work, programme, shown), shown, groupId="open", display="inverse-background", classNames=["shut"])
    if not opened:
        opened = _behind([(since, until)], shown, display="background", classNames=["shut"])
    return [*opened, *_behind(free, shown, display="background", classNames=["free"])]


def _days_of(spans: Iterable[tuple[datetime, datetime]], shown: Shown) -> set[date]:
    """The days that some of this lies on."""
    found: set[date] = set()
    for start, end in (wall_times(*span, shown.zone) for span in spans):
        last = (end - timedelta(minutes=1)).date()
        found.update(start.date() + timedelta(days=n) for n in range((last - start.date()).days + 1))
    return found


def _days_behind(shown: Shown, which: str, days: set[date]) -> list[dict[str, Any]]:
    """Whole days of a month."""
    return [{"start": day.isoformat(), "allDay": True, "display": "background", "classNames": [which]}
            for day in sorted(days & shown.days)]


def _behind(spans: Iterable[tuple[datetime, datetime]], shown: Shown, **how: Any) -> list[dict[str, Any]]:
    return [
        {"start": start.isoformat(), "end": end.isoformat(), **how}
        for start, end in (wall_times(*span, shown.zone) for span in spans)
    ]


def _open(work: Work, programme: ProgrammeView, shown: Shown) -> list[tuple[datetime, datetime]]:
    return bookable_hours(work, programme.id, None, *_instants(shown))


def _instants(shown: Shown) -> tuple[datetime, datetime]:
    return day_start(shown.first, shown.zone), day_start(shown.last + timedelta(days=1), shown.zone)


# What was done ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """A session was clicked."""

    session_id: int


@dataclass(frozen=True)
class Crowd:
    """A count was clicked."""

    day: date


@dataclass(frozen=True)
class Empty:
    """Empty time was clicked, or so many minutes of it chosen."""

    at: datetime
    minutes: int | None = None


@dataclass(frozen=True)
class Moved:
    """A session was dragged to other local times, or stretched where it stands."""

    session_id: int
    start: datetime
    end: datetime
    stretched: bool


Said = Opened | Crowd | Empty | Moved


def said(value: Any) -> Said | None:
    """What the browser says was done; nothing where it says what no calendar says."""
    try:
        match value:
            case {"callback": "eventClick", "eventClick": {"event": {"id": str(id_)}}} if id_.startswith(_CROWD):
                return Crowd(_local(id_.removeprefix(_CROWD)).date())
            case {"callback": "eventClick", "eventClick": {"event": {"id": str(id_)}}}:
                return Opened(int(id_))
            case {"callback": "dateClick", "dateClick": {"date": str(at)}}:
                return Empty(_local(at))
            case {"callback": "select", "select": {"start": str(start), "end": str(end)}}:
                return Empty(_local(start), round((_local(end) - _local(start)).total_seconds() / 60))
            case {"callback": "eventChange", "eventChange": {
                "event": {"id": str(id_), "start": str(start), "end": str(end)}, "oldEvent": {"start": str(before)},
            }}:
                return Moved(int(id_), _local(start), _local(end), stretched=start == before)
    except ValueError:
        return None
    return None


def _local(at: str) -> datetime:
    local = datetime.fromisoformat(at).replace(tzinfo=None)
    if not FIRST_DAY.year - 1 <= local.year <= LAST_DAY.year + 1:  # a month at either end shows days of the next
        raise ValueError(at)
    return local

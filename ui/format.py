"""How values look: status with icon and word, times with day and zone, lists of names."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from core.clock import when_words
from core.sessions.queries import TO_LOG, TO_PLACE, Row

# Colour, icon and word: the word alone suffices.
STATUS: dict[str, tuple[str, str]] = {
    "cancelled": ("gray", ":material/cancel:"),
    "completed": ("green", ":material/task_alt:"),
    "held": ("green", ":material/check:"),
    "missed": ("red", ":material/person_off:"),
    "unassigned": ("orange", ":material/person_search:"),
    "pending": ("orange", ":material/hourglass_top:"),
    "live": ("violet", ":material/sensors:"),
    "submitted": ("blue", ":material/assignment_turned_in:"),
    "unscheduled": ("orange", ":material/event_busy:"),
    "scheduled": ("blue", ":material/event_available:"),
    TO_LOG: ("orange", ":material/edit_note:"),
    TO_PLACE: ("orange", ":material/group_add:"),
}


def plain(text: str) -> str:
    """Text of people, made safe to stand in Markdown."""
    for sign in "\\`*_{}[]()<>#+-.!|~$:":
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", " ")


def status_badge(status: str) -> str:
    """A status or label as a Markdown badge: icon and word."""
    colour, icon = STATUS.get(status, ("gray", ""))
    return f":{colour}-badge[{icon} {status}]"


def labels(row: Row) -> list[str]:
    """The status of a row, and the labels that hold besides."""
    return [row.status, *([TO_LOG] if row.to_log else []), *([TO_PLACE] if row.to_place else [])]


def when(starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
    """'Tue 3 Mar 2026, 10:00–11:00', or that there is no time."""
    return when_words(starts_at, zone, ends_at) if starts_at else "not on the calendar"


def zone_words(zone: ZoneInfo, at: datetime) -> str:
    """'Europe/Berlin (CET)' at that moment."""
    return f"{str(zone).replace('_', ' ')} ({at.astimezone(zone):%Z})"


def minutes_words(minutes: int | None) -> str:
    """'45 min', '1 h', '1 h 30 min'."""
    if not minutes:
        return ""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def names(listed: Sequence[str], most: int = 2) -> str:
    """'Ann Lee, Bo Day +3'."""
    more = f" +{len(listed) - most}" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def who(row: Row) -> str:
    """The team's name where there is one, else the learners' (A5)."""
    return row.team or names(row.learners)


def capital(word: str) -> str:
    """The word with a capital first letter, the rest as it is."""
    return word[:1].upper() + word[1:]


def day_words(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """'Today', 'Tomorrow' or 'Tue 3 March', in that zone."""
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get((day - today).days)
    return near or f"{day:%a} {day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def ago(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """'just now', '5 min ago', '3 h ago', else the day and time."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 12 * 60:
        return f"{minutes // 60} h ago"
    return f"{day_words(at, zone, now)}, {at.astimezone(zone):%H:%M}"

"""Book a series, book a day that it left out after all, and change many of its sessions at once (C10)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, delete, insert, select

from core.clock import at_local
from core.errors import Conflict, Invalid, NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.series.queries import in_scope, series_bookings, visible_series
from core.series.rules import Choice, Rule, Scope, What
from core.sessions.booking import book_sessions
from core.sessions.fixes import Fix, apply_fixes
from core.sessions.planning import copy_of
from core.sessions.rules import Booking, text_problems
from core.sessions.visible import visible_sessions
from core.work import Work
from db.bulk import insert_many
from db.models.series import Series, SeriesSkip
from db.models.sessions import Session
from db.words import Origin, Status

SKIPS = cast(Table, SeriesSkip.__table__)
LONGEST_WHY = 300
CHANGED = "The sessions have changed since this was shown. Nothing was saved; please look again."


def book_series(
    work: Work, booking: Booking, rule: Rule, choices: Mapping[date, Choice] | None = None
) -> list[int]:
    """Book every day of a rule that is not skipped, as `plan` shows them; all or none (C10, X1).

    Each is a session of its own, through the same checks as any booking. Returns their ids.
    Raises NotAllowed, NotFound, Invalid, PersonBusy.
    """
    listed = series_bookings(work, booking, rule, choices or {})
    for item, (_, choice, _) in enumerate(listed):
        if found := {**choice.problems(), **text_problems({"reason": choice.reason})}:
            raise Invalid(found, item)
    kept = [each for _, choice, each in listed if choice.what is not What.SKIP]
    skipped = {one.day: choice.reason.strip() for one, choice, _ in listed if choice.what is What.SKIP}
    if not kept:
        raise Invalid({"choices": "Every date is skipped, so there is nothing to book."})
    if any(len(reason) > LONGEST_WHY for reason in skipped.values()):
        raise Invalid({"reason": f"At most {LONGEST_WHY} characters to say why a date is skipped."})
    series_id = work.tx.scalar(insert(Series).returning(Series.id), {
        "programme_id": booking.programme_id, "every": rule.every, "weekdays": sorted(set(rule.weekdays)),
        "nth": rule.nth, "first_day": rule.first_day, "until_day": rule.until, "times": rule.times,
        "from_minute": rule.at.hour * 60 + rule.at.minute, "minutes": rule.minutes, "zone": rule.zone,
        "created_by": work.me, "created_at": work.now, "version": 1,
    })
    ids = book_sessions(work, [replace(each, series_id=series_id) for each in kept])
    insert_many(work.tx.connection(), SKIPS, [
        {"series_id": series_id, "day": day, "reason": reason} for day, reason in skipped.items()])
    words = programme_of(work, booking.programme_id).policy.words
    many = words.session if len(ids) == 1 else words.many("session")
    left_out = f", {len(skipped)} dates skipped" if len(skipped) > 1 else ", one date skipped" if skipped else ""
    work.say(f"Booked {len(ids)} {many}, {rule.words()}{left_out}.")
    return ids


def try_again(
    work: Work, series_id: int, day: date, *, starts_at: datetime | None = None, reason: str | None = None
) -> list[int]:
    """Book a day that the series left out, like its neighbour before it (or after), at that one's time on the wall.

    `reason` says why hours do not hold. Returns the new session's id.
    Raises NotFound, NotAllowed, Invalid, Conflict, PersonBusy.
    """
    series = visible_series(work, series_id)
    require(work, Action.SESSION_BOOK, series.programme_id)
    if work.tx.scalar(select(SeriesSkip.id).where(SeriesSkip.series_id == series_id, SeriesSkip.day == day)) is None:
        raise Conflict("This day is not left out of the series any more.")
    like = _neighbour(work, series, day)
    booking = copy_of(work, like.id)
    assert like.starts_at is not None  # chosen for having a time
    zone = ZoneInfo(series.zone)
    at = starts_at or at_local(day, like.starts_at.astimezone(zone).time(), zone).at
    work.tx.execute(delete(SeriesSkip).where(SeriesSkip.series_id == series_id, SeriesSkip.day == day))
    made = book_sessions(work, [replace(
        booking, starts_at=at, follows_id=None, origin=Origin.BOOKING, series_id=series_id, series_day=day,
        reason=reason)])
    if starts_at is not None:
        work.tx.get_one(Session, made[0]).moved_at = work.now
    return made


def _neighbour(work: Work, series: Series, day: date) -> Session:
    """The session that a day left out is to be like: one that still stands where the series put it."""
    there = list(work.tx.scalars(select(Session).where(
        visible_sessions(work, series.programme_id), Session.series_id == series.id, Session.starts_at.is_not(None),
    ).order_by(Session.series_day)))
    if not there:
        raise NotFound
    fit = [one for one in there if one.moved_at is None and one.status is not Status.CANCELLED] or there
    before = [one for one in fit if one.series_day is not None and one.series_day < day]
    return before[-1] if before else fit[0]


def change_series(
    work: Work, session_id: int, scope: Scope, fix: Fix, agreed: Mapping[int, int] | None = None
) -> list[int]:
    """Change this session of a series and those that follow, or all, as one act (C10); returns those changed.

    `agreed` holds the versions of those that the preview said would change: just these do, or none and a Conflict.
    The series keeps the rule that made it: its sessions say when they are. "This and following" goes by the days that
    the series gave them, and splits nothing. Raises NotFound, NotAllowed, Invalid, Conflict, PersonBusy.
    """
    ids, stays = in_scope(work, session_id, scope)
    if agreed is not None:
        if not agreed.keys() <= set(ids) - stays.keys():
            raise Conflict(CHANGED)
        stays = {**dict.fromkeys(set(ids) - agreed.keys(), "It was not to be changed."), **stays}
    done = apply_fixes(work, fix, ids, agreed, stays=stays, by_hand=scope is Scope.THIS)
    if agreed is not None and set(done) != agreed.keys():
        raise Conflict(CHANGED)
    return done


__all__ = ["book_series", "change_series", "try_again"]

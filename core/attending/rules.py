"""What may be recorded of a learner's part, and when (E2, E3, D11). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.programmes.rules import SHORTEST, STEP, Policy, minutes_words
from core.sessions.rules import NOTICE, notice_outcome, text_problems
from db.words import EnrolmentStatus, Outcome

OVERTIME = 30
"""Minutes over the planned duration that a session may have taken without an admin's word (E2)."""
LONGEST_ACTUAL = 24 * 60
RECORDABLE = frozenset(Outcome)
NOTICED = (Outcome.CANCELLED_LATE, Outcome.CANCELLED_IN_TIME)
FREED = (*NOTICED, Outcome.PRACTITIONER_CANCELLED)
"""Whoever has one of these takes no part any more; where all have, the session is cancelled."""


@dataclass(frozen=True)
class Attendance:
    """What came of one learner's part. `minutes` is the actual duration, where it differs from the planned one.

    `notice_at` is when the learner's side cancelled; `waited` (minutes) and `contact` are the protocol of a missed one;
    `overruled` says why it is recorded otherwise than the rules say. `ending` says how the enrolment ends, where the
    type of the session asks for it (C7).
    """

    learner_id: int
    outcome: Outcome
    minutes: int | None = None
    ending: EnrolmentStatus | None = None
    notice_at: datetime | None = None
    waited: int | None = None
    contact: str = ""
    overruled: str = ""


@dataclass(frozen=True)
class Meeting:
    """When the session was to be, and how long, in minutes."""

    starts_at: datetime | None
    planned: int
    now: datetime

    @property
    def longest(self) -> int:
        """Minutes that a practitioner may record."""
        return self.planned + OVERTIME


def problems_of(one: Attendance, meeting: Meeting, policy: Policy, *, overrules: bool) -> dict[str, str]:
    """What stands against recording this, a sentence for each field. `overrules`: whether a reason makes it good."""
    if type(one.outcome) is not Outcome or one.outcome not in RECORDABLE:
        return {"attendance": "Choose what came of it."}
    found = text_problems({"contact": one.contact, "overruled": one.overruled})
    needs = {**_minutes(one, meeting, overrules), **_notice(one, meeting), **_protocol(one, meeting, policy)}
    if found or not needs:
        return found
    if overrules and one.overruled.strip() and not needs.keys() & {"minutes_whole", "notice_at"}:
        return found
    if overrules and not needs.keys() & {"minutes_whole", "notice_at"}:
        needs = {field: f"{said} Otherwise give a reason." for field, said in needs.items()}
    return {("minutes" if field == "minutes_whole" else field): said for field, said in needs.items()}


def _minutes(one: Attendance, meeting: Meeting, overrules: bool) -> dict[str, str]:
    if one.minutes is None or one.outcome is not Outcome.ATTENDED:
        return {}
    said = f"Actual minutes are a multiple of {STEP}, from {SHORTEST} to {meeting.longest}."
    if type(one.minutes) is not int or not 1 <= one.minutes <= LONGEST_ACTUAL:
        return {"minutes_whole": f"Whole minutes, from 1 to {LONGEST_ACTUAL:,}." if overrules else said}
    if one.minutes % STEP == 0 and SHORTEST <= one.minutes <= meeting.longest:
        return {}
    return {"minutes": said}


def _notice(one: Attendance, meeting: Meeting) -> dict[str, str]:
    if one.outcome not in NOTICED:
        return {}
    if type(one.notice_at) is not datetime or one.notice_at.tzinfo is None or meeting.starts_at is None:
        return {"notice_at": "Say when notice was given."}
    if one.notice_at > meeting.now:
        return {"notice_at": "Notice cannot lie ahead."}
    if one.notice_at >= meeting.starts_at:
        return {"notice_at": "That is after the beginning, so it counts as missed."}
    if (right := notice_outcome(meeting.starts_at, one.notice_at)) is not one.outcome:
        ahead = meeting.starts_at - one.notice_at
        hours = ahead / timedelta(hours=1)
        return {"outcome": f"Notice was given {hours:.1f} hours ahead, so it is {right}; in time is from"
                           f" {NOTICE / timedelta(hours=1):.0f} hours on."}
    return {}


def _protocol(one: Attendance, meeting: Meeting, policy: Policy) -> dict[str, str]:
    """D11: who says that a learner missed it has waited, and tried to make contact."""
    wait = policy.missed_wait
    if one.outcome is not Outcome.MISSED or not wait:
        return {}
    found = {}
    if one.waited is not None and (type(one.waited) is not int or not 0 <= one.waited <= LONGEST_ACTUAL):
        return {"waited": "Whole minutes."}
    if (one.waited or 0) < wait:
        found["waited"] = f"Wait {minutes_words(wait)} first, and say how long you waited."
    elif meeting.starts_at is not None and meeting.now < meeting.starts_at + timedelta(minutes=wait):
        found["waited"] = f"It began less than {minutes_words(wait)} ago. Wait a little longer."
    if not one.contact.strip():
        found["contact"] = "Say how you tried to make contact."
    return found

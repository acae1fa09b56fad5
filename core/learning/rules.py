"""Session types with their effects on enrolments (C7), and off-the-job time against what is required. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from core.programmes.rules import Policy, Switchable
from db.words import EnrolmentStatus

S = EnrolmentStatus
ENDS = (S.COMPLETED, S.WITHDRAWN)
ORDER = {status: n for n, status in enumerate(EnrolmentStatus)}
LONGEST_OFF_JOB = 10_000 * 60
"""Minutes."""


@dataclass(frozen=True)
class Effect:
    """What a held session of a type does to the enrolments in its courses of those who attended."""

    type: str
    moves_to: tuple[EnrolmentStatus, ...] = ()
    """The status it leads to; of several, whoever records the session says which."""
    sets_first_day: bool = False
    off_job: bool = False
    switch: Switchable | None = None

    @property
    def asks(self) -> bool:
        """Whether whoever records it has to say what it leads to."""
        return len(self.moves_to) > 1


EFFECTS = (
    Effect("induction", moves_to=(S.IN_TRAINING,)),
    Effect("initial", sets_first_day=True),
    Effect("out of the workplace", off_job=True),
    Effect(Switchable.GATEWAY_READY, moves_to=(S.GATEWAY,), switch=Switchable.GATEWAY_READY),
    Effect(Switchable.EPA, moves_to=(S.ASSESSED,), switch=Switchable.EPA),
    Effect(Switchable.EXIT, moves_to=ENDS, switch=Switchable.EXIT),
)
_BY_TYPE = {effect.type.casefold(): effect for effect in EFFECTS}


def effect_of(type_: str, policy: Policy) -> Effect | None:
    """What sessions of this type do where the policy has not switched it off; nothing for types of other names."""
    effect = _BY_TYPE.get(type_.strip().casefold())
    return effect if effect and (effect.switch is None or effect.switch in policy.effects) else None


def moves_enrolments(type_: str, policy: Policy) -> bool:
    """Whether a session of this type changes enrolments when it is held."""
    effect = effect_of(type_, policy)
    return effect is not None and (bool(effect.moves_to) or effect.sets_first_day)


def is_off_job(type_: str) -> bool:
    """Whether the minutes of such a session count as off the job."""
    effect = _BY_TYPE.get(type_.strip().casefold())
    return effect is not None and effect.off_job


OFF_JOB_TYPES = tuple(effect.type for effect in EFFECTS if effect.off_job)


def moved(status: EnrolmentStatus, to: EnrolmentStatus) -> EnrolmentStatus:
    """The status after an effect: never backwards, and what has ended stays so."""
    return to if status not in ENDS and ORDER[to] > ORDER[status] else status


# Off the job --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tracker:
    """Off-the-job minutes of one enrolment; `required` is None where none are asked for."""

    required: int | None
    target: int
    """What should be done by today."""
    done: int
    planned: int
    forecast: int
    at_risk: bool
    why: str


def tracker(
    status: EnrolmentStatus, first_day: date | None, planned_end: date | None, required: int | None, done: int,
    planned: int, today: date,
) -> Tracker:
    """How off-the-job time stands against what is required, in minutes, and why that is well or not.

    Target to date = required × days passed / days from first day to planned end. Forecast at the end = done + the
    greater of what is booked ahead and what comes at the pace so far (done / days passed × days left). At risk: a
    learner still learning whose forecast is short and who is behind the target by more than a week's share of it, or
    whose planned end has passed with time missing.
    """
    passed = total = 0
    if first_day and planned_end:
        total = max(1, (planned_end - first_day).days)
        passed = min(max(0, (today - first_day).days), total)
    pace = round(done / passed * (total - passed)) if passed else 0
    forecast = done + max(planned, pace)

    def said(why: str, *, risk: bool = False, target: int = 0) -> Tracker:
        return Tracker(required, target, done, planned, forecast, risk, why)

    if not required:
        return said("No off-the-job hours are required.")
    target = round(required * passed / total) if total else 0
    if status in ENDS:
        return said(f"The enrolment is {status}.", target=target)
    if done >= required:
        return said("All required hours are done.", target=target)
    if first_day is None or planned_end is None:
        missing = "first day of learning" if first_day is None else "planned end"
        return said(f"There is no {missing} yet to measure against.")
    if today > planned_end:
        return said(f"The planned end has passed with {hours(required - done)} missing.", risk=True, target=target)
    if forecast < required and target - done > required * 7 / total:
        return said(f"{hours(target - done)} behind the target; {hours(forecast)} of {hours(required)} are to be"
                    " expected by the planned end.", risk=True, target=target)
    if done >= target:
        return said("On track.", target=target)
    return said(f"On track: {hours(target - done)} behind the target, which is within a week's share or booked ahead.",
                target=target)


def hours(minutes: int) -> str:
    """'1,234 h', '7.5 h'."""
    return f"{minutes / 60:,.1f}".removesuffix(".0") + " h"


# Time log -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spent:
    """Minutes of one session as the log counts them: planned, and actual where it was held."""

    day: date
    courses: tuple[str, ...]
    off_job: bool
    planned: int
    actual: int


@dataclass(frozen=True)
class Sum:
    """Minutes of some sessions; `on_job` and `off_job` share out the actual ones."""

    name: str
    planned: int
    actual: int
    on_job: int
    off_job: int


def by_week(spent: Iterable[Spent]) -> list[Sum]:
    """Totals by week, the latest first; a week is called after its Monday."""
    return _sums((each.day - timedelta(days=each.day.weekday()), each) for each in spent)


def by_month(spent: Iterable[Spent]) -> list[Sum]:
    """Totals by month, the latest first."""
    return _sums((each.day.replace(day=1), each) for each in spent)


def by_course(spent: Iterable[Spent]) -> list[Sum]:
    """Totals by course, by name; a session linked to several counts in each."""
    return sorted(_sums((name, each) for each in spent for name in each.courses or ("",)),
                  key=lambda each: each.name.casefold())


def _sums(keyed: Iterable[tuple[date | str, Spent]]) -> list[Sum]:
    groups: dict[str, list[Spent]] = {}
    for key, each in keyed:
        groups.setdefault(str(key), []).append(each)
    return [
        Sum(name, sum(each.planned for each in some), sum(each.actual for each in some),
            sum(each.actual for each in some if not each.off_job), sum(each.actual for each in some if each.off_job))
        for name, some in sorted(groups.items(), reverse=True)
    ]

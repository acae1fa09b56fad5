"""Which lines of the ledger are shown, as an address says it, so that they can be bookmarked, linked to and exported.

Pure; people, payers and courses stand there by their ids, which mean nothing to whoever may not see them.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from core.billing.queries import Filters
from core.clock import FIRST_DAY, LAST_DAY
from db.words import LineKind, Outcome

FROM, UNTIL, KIND, MONTH, OUTCOME = "from", "until", "kind", "month", "outcome"
PRACTITIONER, PAYER, LEARNER, COURSE = "practitioner", "payer", "learner", "course"
HELD, NOPAYER = "held", "nopayer"
NARROWS = (FROM, UNTIL, KIND, PRACTITIONER, PAYER, LEARNER, COURSE, OUTCOME, MONTH, HELD, NOPAYER)
"""Parameters of the address that narrow the ledger."""
YES = "yes"
MOST_CHOSEN = 200
Address = Mapping[str, Sequence[str]]


def address(filters: Filters) -> dict[str, list[str]]:
    """What is narrowed, as parameters; what is not asked for is left out."""
    found = {
        FROM: [filters.from_day.isoformat()] if filters.from_day else [],
        UNTIL: [filters.until_day.isoformat()] if filters.until_day else [],
        KIND: [str(filters.kind)] if filters.kind else [],
        PRACTITIONER: [str(id_) for id_ in filters.practitioner_ids], PAYER: [str(id_) for id_ in filters.payer_ids],
        LEARNER: [str(id_) for id_ in filters.learner_ids], COURSE: [str(id_) for id_ in filters.course_ids],
        OUTCOME: [str(outcome) for outcome in filters.outcomes],
        MONTH: [f"{month:%Y-%m}" for month in filters.months],
        HELD: [YES] if filters.only_held else [], NOPAYER: [YES] if filters.without_payer else [],
    }
    return {name: values for name, values in found.items() if values}


def read(said: Address) -> Filters:
    """The opposite; what is no day, no id and no word of ours narrows nothing."""
    given = {name: list(dict.fromkeys(said.get(name, ())))[:MOST_CHOSEN] for name in NARROWS}
    return Filters(
        _day(given[FROM]), _day(given[UNTIL]), next((kind for kind in LineKind if kind in given[KIND]), None),
        _ids(given[PRACTITIONER]), _ids(given[PAYER]), _ids(given[LEARNER]), _ids(given[COURSE]),
        tuple(outcome for outcome in Outcome if outcome in given[OUTCOME]),
        months=tuple(day for each in given[MONTH] if (day := _day([f"{each}-01"]))),
        only_held=YES in given[HELD], without_payer=YES in given[NOPAYER])


def _ids(said: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(word) for word in said if word.isascii() and word.isdecimal() and len(word) < 19)


def _day(said: Sequence[str]) -> date | None:
    try:
        day = date.fromisoformat(said[0]) if said else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None

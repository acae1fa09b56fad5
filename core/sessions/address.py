"""A list of sessions as an address says it: readable names, so that it can be bookmarked, sent, saved and exported."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from core.clock import FIRST_DAY, LAST_DAY
from core.people.visible import visible_people
from core.programmes.queries import programme_of
from core.sessions.order import SORTS
from core.sessions.queries import LABELS, Filters
from core.structure.queries import Options, options
from core.work import Work
from db.models.people import Person
from db.words import Method, Status

PEOPLE = {"practitioner": "practitioners", "learner": "learners"}
LISTS = {"timetable": "timetables", "team": "teams", "course": "courses", "room": "rooms"}
WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "status": ("statuses", (*Status, *LABELS)), "method": ("methods", tuple(Method)),
}
WHICH = ("text", "status", "practitioner", "learner", "team", "timetable", "course", "type", "method", "room")
NARROWS = (*WHICH, "from", "to")
"""Parameters of the address that narrow the list; a calendar has its own days."""
ORDER = ("sort", "order", "page")
NOBODY = 0
"""Stands for a name that the viewer knows nothing of: the list is empty then, and tells nothing (X6)."""
MOST_PAGES = 10_000_000
MOST_CHOSEN = 200
Address = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Listing:
    """What is listed, in which order, and which page of it. `unknown`: names that mean nothing to the viewer."""

    filters: Filters
    sort: str = "time"
    down: bool = True
    page: int = 1
    unknown: tuple[str, ...] = ()


def listing(work: Work, programme_id: int, said: Address, offered: Options | None = None) -> Listing:
    """What an address asks for, as far as the viewer may know of it. Raises NotFound for a foreign programme."""
    programme_of(work, programme_id)
    given = {name: tuple(dict.fromkeys(map(_clean, said.get(name, ()))))[:MOST_CHOSEN] for name in (*NARROWS, *ORDER)}
    found: dict[str, Any] = {"text": " ".join(given["text"])[:200]}
    unknown: list[str] = []
    people = _people(work, programme_id, {name for which in PEOPLE for name in given[which]})
    for which, field_ in PEOPLE.items():
        ids = [people.get(name, (NOBODY,)) for name in given[which]]
        unknown += [name for name in given[which] if name not in people]
        found[field_] = tuple(id_ for each in ids for id_ in each)
    if any(given[which] for which in LISTS):
        offered = offered or options(work, programme_id)
    for which, field_ in LISTS.items():
        by_name = {one.name: one.id for one in getattr(offered, field_)} if given[which] else {}
        found[field_] = tuple(by_name.get(name, NOBODY) for name in given[which])
        unknown += [name for name in given[which] if name not in by_name]
    for which, (field_, words) in WORDS.items():
        found[field_] = tuple(word for word in given[which] if word in words)
        unknown += [word for word in given[which] if word not in words]
    found["types"] = given["type"]
    for which, field_ in (("from", "since"), ("to", "until")):
        found[field_] = _day(given[which])
    page = given["page"][0] if given["page"] else ""
    sort = given["sort"][0] if given["sort"] else ""
    order = given["order"][0] if given["order"] else ""
    return Listing(
        Filters(**found), sort if sort in SORTS else "time", order != "up",
        min(int(page), MOST_PAGES) if page.isdecimal() and page.isascii() and len(page) < 9 else 1, tuple(unknown),
    )


def person_words(work: Work, programme_id: int, ids: Collection[int]) -> dict[int, str]:
    """People as the address names them: by name, and where several have it, with a number that tells them apart."""
    names = dict(work.tx.execute(
        select(Person.id, Person.name).where(Person.id.in_(ids), visible_people(work, programme_id))
    ).all())
    same: dict[str, int] = {}
    for name in work.tx.scalars(
        select(Person.name).where(Person.name.in_(set(names.values())), visible_people(work, programme_id))
    ) if names else ():
        same[name] = same.get(name, 0) + 1
    return {id_: name if same[name] == 1 else f"{name} ~{id_}" for id_, name in names.items()}


def _people(work: Work, programme_id: int, said: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Ids by what the address says; a bare name stands for everybody of that name."""
    if not said:
        return {}
    apart = {word: word.rpartition(" ~") for word in said}
    asked = {parts[0]: int(parts[2]) for parts in apart.values()
             if parts[1] and parts[2].isdecimal() and parts[2].isascii() and len(parts[2]) < 19}
    found: dict[str, tuple[int, ...]] = {}
    for id_, name in work.tx.execute(
        select(Person.id, Person.name).where(
            Person.name.in_({*said, *asked}), visible_people(work, programme_id)).order_by(Person.id)
    ):
        found[name] = (*found.get(name, ()), id_)
        found[f"{name} ~{id_}"] = (id_,)
    return {word: found[word] for word in said if word in found}


def _clean(word: str) -> str:
    """A word that every engine takes."""
    return word[:400].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _day(said: Sequence[str]) -> date | None:
    try:
        day = date.fromisoformat(said[0]) if said else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None

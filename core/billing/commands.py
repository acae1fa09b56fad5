"""Set what sessions cost and earn: rates, the outcome matrix, payers, and the legal header of documents.

Nothing here changes what was worked out: a change begins later, or fills a gap.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, cast

from sqlalchemy import Table, delete, func, insert, or_, select, update

from core.billing.money import MOST, words
from core.billing.rules import Matrix, RateRow, stored_shares
from core.billing.settle import Terms, charged_from, settle, terms_of
from core.billing.simulate import reaches, with_matrix, with_rate, without_matrix, without_rate
from core.clock import FIRST_DAY, LAST_DAY
from core.errors import Conflict, Invalid, NotFound
from core.fields import Checked
from core.permissions import Action, require
from core.programmes.queries import ProgrammeView, programme_of
from core.sessions.checks import holding
from core.sessions.rules import StaleForm
from core.work import Work
from db.among import among
from db.bulk import insert_many
from db.models.billing import Biller, LedgerLine, OutcomeMatrix, PaidBy, Payer, Rate
from db.models.learning import Engagement
from db.models.people import Person, Relation, Team
from db.models.programmes import Programme, RoleGrant
from db.models.structure import Course
from db.words import LineKind, Outcome, RateUnit, Role, Side, Tie

FULL_TAX = 10_000
"""Hundredths of a percent."""


@dataclass(frozen=True)
class NewRate:
    """A rate as it is asked for; the amount in minor units of the programme's currency."""

    side: Side
    unit: RateUnit
    amount: int
    from_day: date
    until_day: date | None = None
    course_id: int | None = None
    type: str | None = None
    practitioner_id: int | None = None
    engagement_id: int | None = None


def add_rate(work: Work, programme_id: int, new: NewRate) -> int:
    """Add a rate. It may begin in the past only where nothing was worked out yet that it would change (E3).

    Returns its id. Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.MONEY_EDIT, programme_id)
    programme = programme_of(work, programme_id)
    _one_at_a_time(work, programme_id)
    _check_rate(work, programme, new)
    terms = terms_of(work, programme_id)
    row = RateRow(0, **vars(new))
    _refuse_overlap(programme, terms, row)
    added = _reach(work, programme, terms, with_rate(terms, row), new.from_day)
    id_: int | None = work.tx.scalar(insert(Rate).returning(Rate.id), {
        **vars(new), "programme_id": programme_id, "version": 1})
    settle(work, added, "a rate was added")
    work.say(f"Added the rate of {words(new.amount, programme.currency)} {_per(new.unit)}.")
    return int(id_ or 0)


def change_rate(work: Work, rate_id: int, amount: int, from_day: date, version: int | None = None) -> int:
    """From a day on, the same rate with another amount; until then the old one. Returns the new rate's id.

    Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    old = _rate(work, rate_id, version)
    _check_days({"from_day": from_day})
    if from_day <= old.from_day:
        raise Invalid({"from_day": f"The present amount holds from {_on(old.from_day)}; choose a later day."})
    if old.until_day is not None and from_day > old.until_day:
        raise Invalid({"from_day": f"The rate ends on {_on(old.until_day)}; add a new one instead."})
    new = NewRate(old.side, old.unit, amount, from_day, old.until_day, old.course_id, old.type, old.practitioner_id,
                  old.engagement_id)
    programme = programme_of(work, old.programme_id)
    _check_amount(new)
    terms = terms_of(work, old.programme_id)
    ended = RateRow(rate_id, **{**vars(new), "amount": old.amount, "from_day": old.from_day,
                                "until_day": from_day - timedelta(days=1)})
    _reach(work, programme, terms, with_rate(with_rate(terms, ended, instead_of=rate_id), RateRow(0, **vars(new))),
           from_day)
    old.until_day, old.version = from_day - timedelta(days=1), old.version + 1
    work.tx.flush()
    id_: int | None = work.tx.scalar(insert(Rate).returning(Rate.id), {
        **vars(new), "programme_id": old.programme_id, "version": 1})
    work.say(f"From {_on(from_day)} on it is {words(amount, programme.currency)} {_per(new.unit)}.")
    return int(id_ or 0)


def end_rate(work: Work, rate_id: int, until_day: date, version: int | None = None) -> int:
    """Let a rate hold until a day and no longer. Raises NotFound, NotAllowed, Invalid, StaleForm."""
    old = _rate(work, rate_id, version)
    _check_days({"until_day": until_day})
    if until_day < old.from_day:
        raise Invalid({"until_day": f"It holds from {_on(old.from_day)}; choose that day or a later one."})
    programme, terms = programme_of(work, old.programme_id), terms_of(work, old.programme_id)
    row = next(one for one in terms.rates if one.id == rate_id)._replace(until_day=until_day)
    _refuse_overlap(programme, without_rate(terms, rate_id), row)
    since = min(until_day, old.until_day or until_day) + timedelta(days=1)
    added = _reach(work, programme, terms, with_rate(terms, row, instead_of=rate_id), since, "until_day")
    old.until_day, old.version = until_day, old.version + 1
    work.tx.flush()
    settle(work, added, "a rate was prolonged")
    work.say(f"The rate ends on {_on(until_day)}.")
    return rate_id


def remove_rate(work: Work, rate_id: int) -> int:
    """Take away a rate that nothing was worked out by. Raises NotFound, NotAllowed, Conflict."""
    old = _rate(work, rate_id, None)
    programme_id, terms = old.programme_id, terms_of(work, old.programme_id)
    used = work.tx.scalar(select(LedgerLine.id).where(LedgerLine.rate_id == rate_id).limit(1)) is not None
    if used or reaches(work, programme_id, terms, without_rate(terms, rate_id), old.from_day)[0]:
        raise Conflict("Amounts were worked out by this rate, so it stays. End it instead.")
    work.tx.execute(delete(Rate).where(Rate.id == rate_id))
    work.say("Removed the rate.")
    return programme_id


def set_matrix(
    work: Work, programme_id: int, from_day: date, shares: Mapping[Outcome, tuple[Fraction, Fraction]], *,
    team_once: bool = False,
) -> int:
    """Say what share of the rate each outcome is billed and paid, from a day on (E3, E9).

    Returns its id. Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.MONEY_EDIT, programme_id)
    programme = programme_of(work, programme_id)
    _one_at_a_time(work, programme_id)
    _check_days({"from_day": from_day})
    if set(shares) != {*Outcome} or not all(
            type(share) is Fraction and 0 <= share <= 1 for pair in shares.values() for share in pair):
        raise Invalid({"shares": "Each outcome has a share that is billed and one that is paid, from 0 to 100 %."})
    known = work.tx.scalar(select(OutcomeMatrix).where(
        OutcomeMatrix.programme_id == programme_id, OutcomeMatrix.from_day == from_day).with_for_update())
    matrix = Matrix(known.id if known else 0, from_day, dict(shares), team_once)
    terms = terms_of(work, programme_id)
    added = _reach(work, programme, terms, with_matrix(terms, matrix), from_day)
    if known is not None:
        known.shares, known.team_once, known.version = stored_shares(shares), team_once, known.version + 1
        work.tx.flush()
        id_: int | None = known.id
    else:
        id_ = work.tx.scalar(insert(OutcomeMatrix).returning(OutcomeMatrix.id), {
            "programme_id": programme_id, "from_day": from_day, "shares": stored_shares(shares),
            "team_once": team_once, "version": 1})
    settle(work, added, "the outcome matrix was changed")
    work.say(f"From {_on(from_day)} on, outcomes cost and earn as set.")
    return int(id_ or 0)


def remove_matrix(work: Work, matrix_id: int) -> int:
    """Take away shares that nothing was worked out by. Raises NotFound, NotAllowed, Conflict."""
    programme_id = work.tx.scalar(select(OutcomeMatrix.programme_id).where(OutcomeMatrix.id == matrix_id))
    if programme_id is None:
        raise NotFound
    require(work, Action.MONEY_EDIT, programme_id)
    _one_at_a_time(work, programme_id)
    one, terms = work.tx.get_one(OutcomeMatrix, matrix_id, populate_existing=True), terms_of(work, programme_id)
    used = work.tx.scalar(select(LedgerLine.id).where(LedgerLine.matrix_id == matrix_id).limit(1)) is not None
    if used or reaches(work, programme_id, terms, without_matrix(terms, matrix_id), one.from_day)[0]:
        raise Conflict("Amounts were worked out by these shares, so they stay. Set others from a later day on.")
    work.tx.execute(delete(OutcomeMatrix).where(OutcomeMatrix.id == matrix_id))
    work.say(f"Removed the shares from {_on(one.from_day)} on.")
    return int(programme_id)


def _on(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _per(unit: RateUnit) -> str:
    return "an hour" if unit is RateUnit.HOUR else "a session"


def _one_at_a_time(work: Work, programme_id: int) -> None:
    """Terms that change at once do so one after the other, and no session is settled meanwhile."""
    work.tx.execute(select(Programme.id).where(Programme.id == programme_id).with_for_update(key_share=True))


def _rate(work: Work, rate_id: int, version: int | None) -> Rate:
    programme_id = work.tx.scalar(select(Rate.programme_id).where(Rate.id == rate_id))
    if programme_id is None:
        raise NotFound
    require(work, Action.MONEY_EDIT, programme_id)
    _one_at_a_time(work, programme_id)
    one = work.tx.scalar(select(Rate).where(Rate.id == rate_id).with_for_update())
    if one is None:
        raise NotFound
    if version is not None and version != one.version:
        raise StaleForm("The rate was changed by somebody else while you had it open.", {}, one.version)
    return one


def _check_amount(new: NewRate) -> None:
    if type(new.amount) is not int or not 0 <= new.amount < MOST:
        raise Invalid({"amount": "Write an amount of 0 or more."})


def _check_days(said: Mapping[str, date | None]) -> None:
    found = {name: "Choose a day." for name, day in said.items()
             if type(day) is not date or not FIRST_DAY <= day <= LAST_DAY}
    if found:
        raise Invalid(found)


def _check_rate(work: Work, programme: ProgrammeView, new: NewRate) -> None:
    _check_days({"from_day": new.from_day, **({} if new.until_day is None else {"until_day": new.until_day})})
    found: dict[str, str] = {}
    said = programme.policy.words
    if new.side not in {*Side} or new.unit not in {*RateUnit}:
        found["side"] = "Say whether it is billed or paid, by the hour or by the session."
    if new.until_day is not None and new.until_day < new.from_day:
        found["until_day"] = "The last day lies before the first one."
    if new.type is not None and new.type not in programme.policy.types:
        found["type"] = "Choose one of the types of this programme."
    for name, model, id_ in (("course", Course, new.course_id), ("engagement", Engagement, new.engagement_id)):
        if id_ is not None and work.tx.scalar(select(model.id).where(
                model.id == id_, model.programme_id == programme.id)) is None:
            found[name] = f"Choose one of this programme's {said.many('course')}." if name == "course" \
                else "Choose one of this programme's engagements."
    if new.practitioner_id is not None and not holding(work, programme.id, Role.PRACTITIONER, [new.practitioner_id]):
        found["practitioner"] = f"Choose {said.a('practitioner')} of this programme."
    if found:
        raise Invalid(found)
    _check_amount(new)


def _refuse_overlap(programme: ProgrammeView, terms: Terms, new: RateRow) -> None:
    """Two rates for the same may not hold on one day. Raises Invalid."""
    for one in terms.rates:
        if new.overlaps(one):
            until = f"to {_on(one.until_day)}" if one.until_day else "on"
            raise Invalid({"from_day": f"{words(one.amount, programme.currency)} {_per(one.unit)} is set for the same"
                                       f" from {_on(one.from_day)} {until}. Change or end that one first."})


def _reach(
    work: Work, programme: ProgrammeView, before: Terms, after: Terms, from_day: date, field: str = "from_day"
) -> list[int]:
    """The sessions that get lines which had none. Raises Invalid where lines that stand would change (E3)."""
    changed, added = reaches(work, programme.id, before, after, from_day)
    if changed:
        said = programme.policy.words
        what = said.session if len(changed) == 1 else said.many("session")
        raise Invalid({field: f"This would change {len(changed):,} {what} that amounts were worked out for already."
                              " Choose a later day: the past stays as it is."})
    return added


# Payers --------------------------------------------------------------------------------------------------------------


def add_payer(work: Work, programme_id: int, said: Mapping[str, Any]) -> int:
    """Add somebody who is billed. `said`: name, address, email, tax_number, tax_rate, person_id. Returns the id.

    Raises NotFound, NotAllowed, Invalid.
    """
    require(work, Action.MONEY_EDIT, programme_id)
    values = _payer_values(work, programme_id, said)
    id_: int | None = work.tx.scalar(insert(Payer).returning(Payer.id), {
        **values, "programme_id": programme_id, "version": 1})
    work.say(f"Added the payer {values['name']}.")
    return int(id_ or 0)


def edit_payer(work: Work, payer_id: int, said: Mapping[str, Any], version: int | None = None) -> int:
    """Change a payer; documents that were handed out stay as they are.

    Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    one = _payer(work, payer_id, version)
    values = _payer_values(work, one.programme_id, said)
    for name, value in values.items():
        setattr(one, name, value)
    one.version += 1
    work.say(f"Changed the payer {one.name}.")
    return payer_id


def retire_payer(work: Work, payer_id: int, *, back: bool = False) -> int:
    """Offer a payer no more (or again); what they owe stays. Raises NotFound, NotAllowed."""
    one = _payer(work, payer_id, None)
    one.retired_at = None if back else one.retired_at or work.now
    work.say(f"{'Brought back' if back else 'Retired'} the payer {one.name}.")
    return payer_id


def set_payer(
    work: Work, payer_id: int, from_day: date, learner_ids: Sequence[int] = (), team_ids: Sequence[int] = ()
) -> int:
    """Say who pays for learners, or for teams that are charged once, from a day on. Returns how many were named.

    What is on an invoice stays where it is. Raises NotFound, NotAllowed, Invalid, Conflict for a retired payer.
    """
    if (programme_id := work.tx.scalar(select(Payer.programme_id).where(Payer.id == payer_id))) is None:
        raise NotFound
    _one_at_a_time(work, programme_id)  # so that no session is settled meanwhile by who paid until now
    one = _payer(work, payer_id, None)
    programme = programme_of(work, one.programme_id)
    _check_days({"from_day": from_day})
    if one.retired_at is not None:
        raise Conflict(f"{one.name} is retired. Bring the payer back first.")
    if not learner_ids and not team_ids:
        raise Invalid({"who": f"Choose at least one {programme.policy.words.learner}."})
    if set(learner_ids) - holding(work, programme.id, Role.LEARNER, learner_ids):
        raise Invalid({"who": f"Choose {programme.policy.words.many('learner')} of this programme."})
    known = set(work.tx.scalars(select(Team.id).where(among(Team.id, team_ids), Team.programme_id == programme.id)))
    if set(team_ids) - known:
        raise Invalid({"team": f"Choose {programme.policy.words.many('team')} of this programme."})
    there = {(row.learner_id, row.team_id): row.id for row in work.tx.execute(
        select(PaidBy.id, PaidBy.learner_id, PaidBy.team_id).where(
            PaidBy.programme_id == programme.id, PaidBy.from_day == from_day,
            or_(among(PaidBy.learner_id, learner_ids), among(PaidBy.team_id, team_ids))))}
    wanted = [*((id_, None) for id_ in dict.fromkeys(learner_ids)), *((None, id_) for id_ in dict.fromkeys(team_ids))]
    work.tx.execute(update(PaidBy).where(among(PaidBy.id, there.values())).values(
        payer_id=payer_id, version=PaidBy.version + 1).execution_options(synchronize_session=False))
    insert_many(work.tx.connection(), cast(Table, PaidBy.__table__), [
        {"programme_id": programme.id, "payer_id": payer_id, "learner_id": learner_id, "team_id": team_id,
         "from_day": from_day, "version": 1}
        for learner_id, team_id in wanted if (learner_id, team_id) not in there])
    settle(work, charged_from(work, programme.id, from_day, learner_ids, team_ids), "somebody else pays")
    work.say(f"{one.name} pays for {len(wanted)} from {_on(from_day)} on.")
    return len(wanted)


def name_payers(work: Work, programme_id: int, pairs: Sequence[tuple[int, int]]) -> int:
    """Let a guardian of theirs, or they themselves, pay for learners: (learner, who pays). Returns how many.

    They become payers where they are none yet, from the first day on for which nobody was named. Raises NotFound,
    NotAllowed, Invalid.
    """
    require(work, Action.MONEY_EDIT, programme_id)
    _one_at_a_time(work, programme_id)
    programme, said = programme_of(work, programme_id), dict(pairs)
    guardians = {(row.learner_id, row.adult_id) for row in work.tx.execute(
        select(Relation.learner_id, Relation.adult_id).where(
            Relation.programme_id == programme_id, Relation.tie == Tie.GUARDIAN, among(Relation.learner_id, said)))}
    if not said or any(learner != adult and (learner, adult) not in guardians for learner, adult in said.items()):
        words_ = programme.policy.words
        raise Invalid({"who": f"Choose a guardian of the {words_.learner}, or the {words_.learner}."})
    payers = _payers_of(work, programme_id, set(said.values()))
    unpaid: dict[int | None, date] = {row[0]: row[1] for row in work.tx.execute(
        select(LedgerLine.learner_id, func.min(LedgerLine.day)).where(
            LedgerLine.programme_id == programme_id, LedgerLine.payer_id.is_(None), LedgerLine.kind == LineKind.CHARGE,
            among(LedgerLine.learner_id, said)).group_by(LedgerLine.learner_id))}
    today = work.now.astimezone(programme.zone).date()
    together: dict[tuple[int, date], list[int]] = {}
    for learner, adult in said.items():
        together.setdefault((payers[adult], min(today, unpaid.get(learner, today))), []).append(learner)
    for (payer_id, day), learners in sorted(together.items()):
        set_payer(work, payer_id, day, learners)
    if len(said) > 1:
        work.say(f"Named who pays for {len(said)} {programme.policy.words.many('learner')}.")
    return len(said)


def _payers_of(work: Work, programme_id: int, people: Collection[int]) -> dict[int, int]:
    """The payer that each of these people is; made where they are none."""
    known: dict[int | None, int] = {row[0]: row[1] for row in work.tx.execute(
        select(Payer.person_id, func.min(Payer.id)).where(
            Payer.programme_id == programme_id, among(Payer.person_id, people), Payer.retired_at.is_(None))
        .group_by(Payer.person_id))}
    for one in work.tx.execute(select(Person.id, Person.name, Person.email).where(
            among(Person.id, set(people) - known.keys())).order_by(Person.id)).all():
        known[one.id] = add_payer(work, programme_id, {"name": one.name, "email": one.email, "person_id": one.id})
    return {id_: known[id_] for id_ in people}


def _payer(work: Work, payer_id: int, version: int | None) -> Payer:
    one = work.tx.scalar(select(Payer).where(Payer.id == payer_id).with_for_update())
    if one is None:
        raise NotFound
    require(work, Action.MONEY_EDIT, one.programme_id)
    if version is not None and version != one.version:
        raise StaleForm(f"{one.name} was changed by somebody else while you had it open.",
                        {"name": one.name, "address": one.address or ""}, one.version)
    return one


def _payer_values(work: Work, programme_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    checked = Checked()
    checked.line("name", said.get("name"), 120, "Write a name.")
    checked.lines("address", said.get("address"), 500)
    checked.email("email", said.get("email"))
    checked.line("tax_number", said.get("tax_number"), 40)
    rate, person = said.get("tax_rate"), said.get("person_id")
    if rate is not None and (type(rate) is not int or not 0 <= rate <= FULL_TAX):
        checked.problems["tax_rate"] = "A tax rate is from 0 to 100 %."
    if person is not None and work.tx.scalar(select(RoleGrant.id).where(
            RoleGrant.person_id == person, RoleGrant.programme_id == programme_id).limit(1)) is None:
        checked.problems["person"] = "Choose a person of this programme."
    if checked.problems:
        raise Invalid(checked.problems)
    return {**checked.values, "tax_rate": rate, "person_id": person}


# The legal header ----------------------------------------------------------------------------------------------------


def set_biller(work: Work, programme_id: int, said: Mapping[str, Any], version: int | None = None) -> int:
    """What stands on top of a programme's documents: name, address, tax_number, tax_rate, bank, terms_days, prefix.

    Raises NotFound, NotAllowed, Invalid, StaleForm.
    """
    require(work, Action.MONEY_EDIT, programme_id)
    checked = Checked()
    checked.line("name", said.get("name"), 120, "Write the name that stands on invoices.")
    checked.lines("address", said.get("address"), 500)
    checked.line("tax_number", said.get("tax_number"), 40)
    checked.lines("bank", said.get("bank"), 500)
    checked.line("prefix", said.get("prefix"), 12)
    rate, terms = said.get("tax_rate", 0), said.get("terms_days", 14)
    if type(rate) is not int or not 0 <= rate <= FULL_TAX:
        checked.problems["tax_rate"] = "A tax rate is from 0 to 100 %."
    if type(terms) is not int or not 0 <= terms <= 365:
        checked.problems["terms_days"] = "Whole days, from 0 to 365."
    if checked.problems:
        raise Invalid(checked.problems)
    values = {**checked.values, "prefix": checked.values["prefix"] or "", "tax_rate": rate, "terms_days": terms}
    one = work.tx.scalar(select(Biller).where(Biller.programme_id == programme_id).with_for_update())
    if version is not None and version != (one.version if one else 0):
        raise StaleForm("The header was changed by somebody else while you had it open.",
                        {"name": one.name if one else ""}, one.version if one else 0)
    if one is None:
        work.tx.execute(insert(Biller), {**values, "programme_id": programme_id, "version": 1})
    else:
        for name, value in values.items():
            setattr(one, name, value)
        one.version += 1
    work.say("Saved what stands on top of invoices.")
    return programme_id


__all__ = [
    "NewRate", "add_payer", "add_rate", "change_rate", "edit_payer", "end_rate", "name_payers", "remove_matrix",
    "remove_rate",
    "retire_payer", "set_biller", "set_matrix", "set_payer",
]

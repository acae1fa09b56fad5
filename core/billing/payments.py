"""Money that came in and went out: payments, what is given back, and what is set off between two documents (X4).

Each is an entry on its document. Nothing is changed or struck out: another entry takes one back.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import cast

from sqlalchemy import Table, exists, insert, select
from sqlalchemy.orm import aliased

from core.billing.documents import both_ways, left_to_pay, matches, set_against
from core.billing.money import MOST, words
from core.errors import Conflict, Invalid, NotFound
from core.permissions import Action, require
from core.programmes.queries import programme_of
from core.work import Work
from db.among import among
from db.bulk import insert_many
from db.models.billing import Biller, Document, Payment

PAYMENTS = cast(Table, Payment.__table__)


def hold(work: Work, programme_id: int) -> None:
    """One closing, one numbering, one payment at a time.

    The header of documents is what is held: whoever records sessions holds the programme, and need not wait.
    """
    work.tx.execute(select(Biller.programme_id).where(Biller.programme_id == programme_id).with_for_update())


def held_document(work: Work, document_id: int) -> Document:
    """A document that something is about to be done to. Raises NotFound, NotAllowed."""
    one = work.tx.get(Document, document_id)
    if one is None:
        raise NotFound
    require(work, Action.MONEY_CLOSE, one.programme_id)
    hold(work, one.programme_id)
    return one


# Entering ------------------------------------------------------------------------------------------------------------


def enter_payment(work: Work, document_id: int, day: date, amount: int, reference: str = "") -> int:
    """Money received for an invoice, or paid out on a statement, in minor units. Returns its id.

    Raises NotFound, NotAllowed, Invalid.
    """
    one = held_document(work, document_id)
    problem = ""
    if type(amount) is not int or not 0 < amount < MOST:
        problem = "Write an amount of more than 0."
    elif one.gross <= 0:
        problem = "Nothing is to be paid on it."
    elif _is_credited(work, document_id) and _left(work, [document_id]).get(document_id, 0) <= 0:
        problem = "This invoice was credited, so nothing is to be paid."
    id_ = _enter(work, one, day, amount, reference, problem)
    work.say("Entered the payment.")
    return id_


def give_back(work: Work, document_id: int, day: date, amount: int, reference: str = "") -> int:
    """Money that went back, of what is over on a document, in minor units. Returns its id.

    Raises NotFound, NotAllowed, Invalid.
    """
    one = held_document(work, document_id)
    over, problem = -_left(work, [document_id]).get(document_id, 0), ""
    if over <= 0:
        problem = "Nothing is to be given back on it."
    elif type(amount) is not int or not 0 < amount <= over:
        problem = f"Write an amount of more than 0 and at most {words(over, one.currency)}."
    id_ = _enter(work, one, day, 0 if problem else -amount, reference, problem)
    work.say("Entered what was given back.")
    return id_


def _enter(work: Work, one: Document, day: date, amount: int, reference: str, problem: str) -> int:
    found = {"amount": problem} if problem else {}
    if len(reference or "") > 200:
        found["reference"] = "At most 200 characters."
    found |= _day_problem(work, one.programme_id, day)
    if found:
        raise Invalid(found)
    return int(work.tx.execute(insert(Payment).returning(Payment.id), {
        "document_id": one.id, "day": day, "amount": amount, "reference": (reference or "").strip() or None,
        "at": work.now, "change_set_id": work.act_id}).scalar_one())


def _day_problem(work: Work, programme_id: int, day: date) -> dict[str, str]:
    if type(day) is date and day <= _today(work, programme_id):
        return {}
    return {"day": "Choose today or an earlier day."}


def _today(work: Work, programme_id: int) -> date:
    return work.now.astimezone(programme_of(work, programme_id).zone).date()


def _is_credited(work: Work, document_id: int) -> bool:
    return work.tx.scalar(select(Document.id).where(Document.cancels_id == document_id)) is not None


def _left(work: Work, ids: Collection[int]) -> dict[int, int]:
    """What is left on those of these documents on which something is: to pay, or below 0, to set off."""
    left = select(Document.id, left_to_pay().label("left")).where(among(Document.id, ids)).subquery()
    return {id_: int(amount) for id_, amount in work.tx.execute(
        select(left.c.id, left.c.left).where(left.c.left != 0).order_by(left.c.id)).all()}


def mark_paid(work: Work, document_ids: Sequence[int], day: date) -> int:
    """What is still open on these documents was paid on that day. Returns how many. Raises as `enter_payment`."""
    if not document_ids:
        raise Invalid({"document": "Choose at least one."})
    programmes = dict(work.tx.execute(
        select(Document.id, Document.programme_id).where(among(Document.id, document_ids))).all())
    if programmes.keys() != set(document_ids):
        raise NotFound
    for programme_id in sorted(set(programmes.values())):
        require(work, Action.MONEY_CLOSE, programme_id)
        hold(work, programme_id)
        if found := _day_problem(work, programme_id, day):
            raise Invalid(found)
    due = {id_: amount for id_, amount in _left(work, document_ids).items() if amount > 0}
    insert_many(work.tx.connection(), PAYMENTS, [
        {"document_id": id_, "day": day, "amount": amount, "at": work.now, "change_set_id": work.act_id}
        for id_, amount in due.items()])
    work.say(f"Marked {len(due):,} {'document' if len(due) == 1 else 'documents'} as paid.")
    return len(due)


def set_off(work: Work, document_id: int, against: Sequence[int], amount: int | None = None) -> int:
    """Use what is over on a document for others of theirs that are open, in this order.

    An entry on each of the two for every one of them, dated today. Returns how much, in minor units; it is refused
    where that is no longer the `amount` that was shown. Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    one = held_document(work, document_id)
    if not against:
        raise Invalid({"against": "Choose at least one."})
    others = {other.id: other for other in work.tx.scalars(select(Document).where(among(Document.id, against)))}
    left = _left(work, [document_id, *others])
    over = -left.get(document_id, 0)
    if over <= 0:
        raise Invalid({"against": "Nothing is left on it to set off."})
    if others.keys() != set(against) or any(_whose(other) != _whose(one) for other in others.values()):
        raise Invalid({"against": "Only documents of the same programme, currency and name are set off."})
    pairs = set_against([(document_id, over)], [(id_, left.get(id_, 0)) for id_ in dict.fromkeys(against)])
    if not pairs:
        raise Invalid({"against": "Nothing is open on what was chosen."})
    used = sum(part for *_, part in pairs)
    if amount is not None and amount != used:
        raise Conflict(f"It would be {words(used, one.currency)} by now. Look again.")
    _set_off(work, one.programme_id, pairs)
    work.say(f"Set off {words(used, one.currency)}.")
    return used


def set_off_all(work: Work, programme_id: int, shown: Sequence[tuple[int, int, int]]) -> int:
    """Use whatever is over in a programme for what is open of the same name.

    It is refused where that is no longer what was `shown`: the pairs of `matches`. Returns how many documents something
    was set off on. Raises NotFound, NotAllowed, Conflict.
    """
    require(work, Action.MONEY_CLOSE, programme_id)
    hold(work, programme_id)
    found = matches(work, programme_id)
    pairs = [each.pair for each in found]
    if not pairs or pairs != [tuple(pair) for pair in shown]:
        raise Conflict("What can be set off has changed meanwhile. Look again.")
    _set_off(work, programme_id, pairs)
    count = len({each.open.id for each in found})
    amounts = " and ".join(both_ways([(each.open, each.amount) for each in found]))
    work.say(f"Set off {amounts} on {count:,} {'document' if count == 1 else 'documents'}.")
    return count


def _set_off(work: Work, programme_id: int, pairs: Sequence[tuple[int, int, int]]) -> None:
    """An entry on each of the two documents of every pair."""
    today = _today(work, programme_id)
    insert_many(work.tx.connection(), PAYMENTS, [
        {"document_id": on, "against_id": other, "day": today, "amount": signed, "at": work.now,
         "change_set_id": work.act_id}
        for from_id, to_id, part in pairs for on, other, signed in ((to_id, from_id, part), (from_id, to_id, -part))])


def _whose(one: Document) -> tuple[int, str, int | None, int | None]:
    return one.programme_id, one.currency, one.payer_id, one.practitioner_id


# Taking back ---------------------------------------------------------------------------------------------------------


def take_back_payment(work: Work, payment_id: int) -> int:
    """Take back an entry that was made by mistake; what was set off, on both documents. Returns how many.

    Raises NotFound, NotAllowed, Conflict.
    """
    known = work.tx.get(Payment, payment_id)
    if known is None:
        raise NotFound
    held_document(work, known.document_id)
    both = [known]
    if known.against_id is not None:
        both += work.tx.scalars(select(Payment).where(
            Payment.change_set_id == known.change_set_id, Payment.document_id == known.against_id,
            Payment.against_id == known.document_id, Payment.reverses_id.is_(None)))
    if known.reverses_id is not None or _gone(work, [payment_id]):
        raise Conflict("This was taken back already.")
    _reverse(work, both)
    work.say(_taken_back(both))
    return len(both)


def take_back_entered(work: Work, act_id: int) -> int:
    """Take back every payment that an act entered and that still stands: its undo. Returns how many.

    Raises NotFound, NotAllowed, Conflict.
    """
    entered = work.tx.scalars(select(Payment).where(
        Payment.change_set_id == act_id, Payment.reverses_id.is_(None)).order_by(Payment.id)).all()
    if not entered:
        raise NotFound
    for programme_id in sorted(work.tx.scalars(select(Document.programme_id).where(
            among(Document.id, {one.document_id for one in entered})).distinct())):
        require(work, Action.MONEY_CLOSE, programme_id)
        hold(work, programme_id)
    gone = _gone(work, [one.id for one in entered])
    standing = [one for one in entered if one.id not in gone]
    if not standing:
        raise Conflict("This was taken back already.")
    _reverse(work, standing)
    work.say(_taken_back(standing))
    return len(standing)


def _taken_back(entries: Sequence[Payment]) -> str:
    if entries[0].against_id is not None:
        return "What was set off stands open again."
    if entries[0].amount < 0:
        return "Took back that it was given back."
    return "Took the payment back." if len(entries) == 1 else f"Took {len(entries):,} payments back."


def _gone(work: Work, ids: Sequence[int]) -> set[int | None]:
    """Which of these entries were taken back."""
    return set(work.tx.scalars(select(Payment.reverses_id).where(among(Payment.reverses_id, ids))))


def _reverse(work: Work, entries: Sequence[Payment]) -> None:
    """Write the opposites. Raises Conflict where what was used of a document since rests on one of these."""
    touched = {one.document_id for one in entries}
    left, later = _left(work, touched), aliased(Payment)
    used = set(work.tx.scalars(select(Payment.document_id).where(
        among(Payment.document_id, touched), Payment.amount < 0, Payment.reverses_id.is_(None),
        ~exists().where(later.reverses_id == Payment.id), Payment.id.not_in([one.id for one in entries]))))
    for document_id in sorted(used):
        if left.get(document_id, 0) + sum(one.amount for one in entries if one.document_id == document_id) > 0:
            raise Conflict("What was set off or given back since rests on it. Take that back first.")
    insert_many(work.tx.connection(), PAYMENTS, [
        {"document_id": one.document_id, "against_id": one.against_id, "day": one.day, "amount": -one.amount,
         "reference": one.reference, "reverses_id": one.id, "at": work.now, "change_set_id": work.act_id}
        for one in entries])

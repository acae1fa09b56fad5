"""Who may do what: one table. A role held in the session's programme allows an act where its condition holds.

`tests/golden/permissions.md` shows the whole table in words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select

from core.errors import NotAllowed, NotFound
from core.programmes.queries import policy_of
from core.programmes.rules import WhoBooks
from core.work import Actor, Work
from db.models.billing import Payer
from db.words import Role, Status


class Action(StrEnum):
    """What can be done, in the words of a refusal: 'You may not …'."""

    SESSION_SEE = "see this session"
    SESSION_DESCRIBE = "see what this session is about"
    SESSION_READ = "read the notes of this session"
    SESSION_BOOK = "book sessions"
    SESSION_EDIT = "edit this session"
    SESSION_FILL = "say who takes part in this session"
    SESSION_RESCHEDULE = "reschedule this session"
    SESSION_ASK_TIME = "ask for another time"
    SESSION_REASSIGN = "reassign this session"
    SESSION_CANCEL = "cancel this session"
    SESSION_DELETE = "delete this session"
    RECORDING_ADD = "add the recording of this session"
    OUTCOME_RECORD = "record what came of this session"
    OUTCOME_REOPEN = "reopen this session"
    OUTCOME_OVERRULE = "record otherwise than the rules say"
    OUTCOME_DISPUTE = "object to what was recorded"
    DISPUTE_ANSWER = "answer an objection"
    PART_CANCEL = "cancel taking part in this session"
    NOTE_WRITE = "write the note of this session"
    TASKS_SEE = "see what everybody still owes"
    MONEY_SEE = "see what sessions cost and earn"
    MONEY_EDIT = "change rates, payers and what outcomes cost"
    MONEY_CLOSE = "close periods and enter payments"
    EARNINGS_SEE = "see what you earn"
    INVOICES_OWN = "see invoices of your own"
    HOURS_OVERRIDE = "book outside opening hours"
    AVAILABILITY_EDIT = "say when others can be booked"
    AVAILABILITY_OWN = "say when you can be booked"
    MEMBERS_SEE = "see whom you work with"
    CONTACT = "contact those who lead sessions"
    HISTORY_SEE = "see what was changed"
    UNDO_ANY = "undo what somebody else did"
    PEOPLE_SEE = "see the people of this programme"
    PEOPLE_EDIT = "add and edit people"
    PERSON_INVITE = "invite people"
    PERSON_DISABLE = "switch accounts off and on"
    ROLES_GRANT = "grant roles"
    LISTS_EDIT = "edit courses, timetables, rooms and teams"
    PROGRAMME_EDIT = "change this programme's settings"
    LEARNING_SEE = "see how learners come along"
    LEARNING_OWN = "see how you come along"
    LEARNING_EDIT = "enrol learners and change enrolments"
    EVIDENCE_KEEP = "keep evidence of learning"
    INSIGHT_SEE = "see figures"
    INSIGHT_OWN = "see figures of your own work"


COMES_ALONG = (Action.SESSION_SEE, Action.SESSION_DESCRIBE, Action.SESSION_ASK_TIME)
TICKABLE = tuple(action for action in Action if action not in (
    *COMES_ALONG, Action.SESSION_FILL, Action.ROLES_GRANT, Action.PROGRAMME_EDIT, Action.AVAILABILITY_OWN,
    Action.MEMBERS_SEE, Action.CONTACT, Action.LEARNING_OWN, Action.INSIGHT_OWN, Action.OUTCOME_DISPUTE,
    Action.EARNINGS_SEE, Action.INVOICES_OWN))
"""What a master admin may tick for a custom manager; seeing the sessions comes with the role."""


class Case(NamedTuple):
    """What a condition looks at: how the actor stands to one session (or to none), and the policy."""

    programme_id: int
    who_books: WhoBooks
    status: Status | None = None
    leads: bool = False
    attends: bool = False
    waits: bool = False
    """On its waiting list."""
    created: bool = False
    guards: bool = False
    manages: bool = False
    shared: bool = False
    """Somebody in a common group has granted sight of it."""
    started: bool = False
    late: bool = False
    """It begins within the notice that a learner has to give, or has begun."""
    ticked: frozenset[str] = frozenset()
    pays: bool = False
    """Sessions of the programme are billed to the actor."""


@dataclass(frozen=True)
class Condition:
    """A named test, joined with others by & and |."""

    words: str
    test: Callable[[Case], bool]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.words}, and {other.words}", lambda case: self.test(case) and other.test(case))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.words}, or {other.words}", lambda case: self.test(case) or other.test(case))


OPEN = frozenset({Status.UNASSIGNED, Status.PENDING, Status.SUBMITTED, Status.UNSCHEDULED, Status.SCHEDULED})
"""Nothing has come of it yet, and nobody is in it now."""
RECORDED = frozenset({Status.HELD, Status.MISSED, Status.COMPLETED})

always = Condition("always", lambda _: True)
leads = Condition("leads it", lambda c: c.leads)
attends = Condition("attends it", lambda c: c.attends)
waits = Condition("waits for a place in it", lambda c: c.waits)
created = Condition("made it", lambda c: c.created)
guards = Condition("is guardian of somebody in it", lambda c: c.guards)
manages = Condition("is line manager of somebody in it", lambda c: c.manages)
shared = Condition("a group shares it and it is completed", lambda c: c.shared and c.status is Status.COMPLETED)
practitioners_book = Condition("practitioners may book", lambda c: c.who_books is not WhoBooks.STAFF)
clients_book = Condition("clients may book", lambda c: c.who_books is WhoBooks.CLIENTS_TOO)
is_open = Condition("nothing has come of it yet", lambda c: c.status in OPEN)
not_cancelled = Condition("it is not cancelled", lambda c: c.status is not Status.CANCELLED)
not_recorded = Condition("it is not held or missed", lambda c: c.status not in RECORDED)
recorded = Condition("something was recorded", lambda c: c.status in RECORDED)
ended = Condition("something was recorded or it was cancelled",
                  lambda c: c.status in RECORDED or c.status is Status.CANCELLED)
started = Condition("it has started", lambda c: c.started)
pays = Condition("sessions are billed to them", lambda c: c.pays)
not_started = Condition("it has not started", lambda c: not c.started)


def _ticked(action: Action) -> Condition:
    return Condition("where ticked", lambda c: action.name in c.ticked)


ADMINS = (Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.CURRICULUM_MANAGER)
STAFF = (*ADMINS, Role.CUSTOM_MANAGER)
"""Those who run a programme. A custom manager among them as far as ticked."""

SEE_FIGURES = (Role.MASTER_ADMIN, Role.CURRICULUM_MANAGER, Role.INSIGHT_VIEWER)

Rules = dict[Role, Condition]


def _admins(action: Action, condition: Condition = always, roles: Iterable[Role] = ADMINS) -> Rules:
    ticked = _ticked(action) if condition is always else _ticked(action) & condition
    return {**dict.fromkeys(roles, condition), Role.CUSTOM_MANAGER: ticked}


A = Action
RULES: dict[Action, Rules] = {
    A.SESSION_SEE: {
        **dict.fromkeys((*STAFF, Role.INSIGHT_VIEWER), always),
        Role.PRACTITIONER: leads | created | shared, Role.LEARNER: attends | waits | created | shared,
        Role.GUARDIAN: guards, Role.LINE_MANAGER: manages,
    },
    A.SESSION_DESCRIBE: {
        **dict.fromkeys((*STAFF, Role.INSIGHT_VIEWER), always),
        Role.PRACTITIONER: leads | created | shared, Role.LEARNER: attends | waits | created | shared,
        Role.GUARDIAN: guards,
    },
    A.SESSION_READ: {
        **_admins(A.SESSION_READ), Role.PRACTITIONER: leads | created, Role.LEARNER: attends | created,
        Role.GUARDIAN: guards,
    },
    A.SESSION_BOOK: {
        **_admins(A.SESSION_BOOK), Role.PRACTITIONER: practitioners_book, Role.LEARNER: clients_book,
    },
    A.SESSION_EDIT: {
        **_admins(A.SESSION_EDIT, not_cancelled),
        Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
        Role.LEARNER: clients_book & created & is_open,
    },
    A.SESSION_FILL: {
        **_admins(A.SESSION_EDIT, not_cancelled & not_recorded),
        Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
    },
    A.SESSION_RESCHEDULE: {
        **_admins(A.SESSION_RESCHEDULE, is_open),
        Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
        Role.LEARNER: clients_book & created & is_open & not_started,
    },
    A.SESSION_ASK_TIME: {
        Role.PRACTITIONER: leads & is_open, Role.LEARNER: attends & is_open, Role.GUARDIAN: guards & is_open,
    },
    A.SESSION_REASSIGN: {
        **_admins(A.SESSION_REASSIGN, is_open),
        Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
    },
    A.SESSION_CANCEL: {
        **_admins(A.SESSION_CANCEL, is_open),
        Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
        Role.LEARNER: clients_book & created & is_open & not_started,
    },
    A.SESSION_DELETE: {
        **_admins(A.SESSION_DELETE, not_recorded),
        Role.PRACTITIONER: practitioners_book & created & not_recorded,
        Role.LEARNER: clients_book & created & not_recorded & not_started,
    },
    A.RECORDING_ADD: {
        **_admins(A.RECORDING_ADD, not_cancelled),
        Role.PRACTITIONER: (leads & not_cancelled) | (practitioners_book & created & is_open),
        Role.LEARNER: clients_book & created & is_open,
    },
    A.OUTCOME_RECORD: {
        **_admins(A.OUTCOME_RECORD, started & not_cancelled),
        Role.PRACTITIONER: leads & started & not_cancelled,
    },
    A.OUTCOME_REOPEN: {**_admins(A.OUTCOME_REOPEN, recorded), Role.PRACTITIONER: leads & recorded},
    A.OUTCOME_OVERRULE: _admins(A.OUTCOME_OVERRULE),
    A.OUTCOME_DISPUTE: {Role.LEARNER: attends & ended, Role.GUARDIAN: guards & ended},
    A.DISPUTE_ANSWER: _admins(A.DISPUTE_ANSWER),
    A.PART_CANCEL: {
        **_admins(A.PART_CANCEL, is_open), Role.PRACTITIONER: practitioners_book & (leads | created) & is_open,
        Role.LEARNER: attends & is_open & not_started, Role.GUARDIAN: guards & is_open & not_started,
    },
    A.NOTE_WRITE: {
        **_admins(A.NOTE_WRITE, started & not_cancelled), Role.PRACTITIONER: leads & started & not_cancelled,
    },
    A.TASKS_SEE: _admins(A.TASKS_SEE),
    A.MONEY_SEE: _admins(A.MONEY_SEE, roles=SEE_FIGURES),
    A.MONEY_EDIT: _admins(A.MONEY_EDIT, roles=(Role.MASTER_ADMIN,)),
    A.MONEY_CLOSE: _admins(A.MONEY_CLOSE, roles=(Role.MASTER_ADMIN,)),
    A.EARNINGS_SEE: {Role.PRACTITIONER: always},
    A.INVOICES_OWN: dict.fromkeys((Role.LEARNER, Role.GUARDIAN, Role.LINE_MANAGER), pays),
    A.HOURS_OVERRIDE: _admins(A.HOURS_OVERRIDE),
    A.AVAILABILITY_EDIT: _admins(A.AVAILABILITY_EDIT),
    A.AVAILABILITY_OWN: {Role.PRACTITIONER: always},
    A.MEMBERS_SEE: {Role.PRACTITIONER: always},
    A.CONTACT: {Role.LEARNER: clients_book},
    A.HISTORY_SEE: {
        **_admins(A.HISTORY_SEE), Role.PRACTITIONER: leads | created, Role.LEARNER: attends | created,
        Role.GUARDIAN: guards, Role.LINE_MANAGER: manages,
    },
    A.UNDO_ANY: _admins(A.UNDO_ANY),
    A.PEOPLE_SEE: {
        **dict.fromkeys((*ADMINS, Role.INSIGHT_VIEWER), always), Role.CUSTOM_MANAGER: _ticked(A.PEOPLE_SEE),
        Role.PRACTITIONER: practitioners_book,
    },
    A.PEOPLE_EDIT: _admins(A.PEOPLE_EDIT),
    A.PERSON_INVITE: _admins(A.PERSON_INVITE),
    A.PERSON_DISABLE: _admins(A.PERSON_DISABLE),
    A.ROLES_GRANT: {Role.MASTER_ADMIN: always},
    A.LISTS_EDIT: _admins(A.LISTS_EDIT, roles=(Role.MASTER_ADMIN, Role.CURRICULUM_MANAGER)),
    A.PROGRAMME_EDIT: {Role.MASTER_ADMIN: always},
    A.LEARNING_SEE: {
        **_admins(A.LEARNING_SEE),
        **dict.fromkeys((Role.INSIGHT_VIEWER, Role.PRACTITIONER, Role.GUARDIAN, Role.LINE_MANAGER), always),
    },
    A.LEARNING_OWN: {Role.LEARNER: always},
    A.LEARNING_EDIT: _admins(A.LEARNING_EDIT),
    A.EVIDENCE_KEEP: {
        **_admins(A.EVIDENCE_KEEP), **dict.fromkeys((Role.PRACTITIONER, Role.LEARNER), always),
    },
    A.INSIGHT_SEE: _admins(A.INSIGHT_SEE, roles=SEE_FIGURES),
    A.INSIGHT_OWN: {**_admins(A.INSIGHT_SEE, roles=SEE_FIGURES), Role.PRACTITIONER: always},
}


def allows(actor: Actor, action: Action, case: Case, *, but: Role | None = None) -> bool:
    """Whether any role that the actor holds in the case's programme (one left aside, perhaps) allows the action."""
    return actor.everything or bool(_allowing(actor, action, case) - {but})


def _allowing(actor: Actor, action: Action, case: Case) -> set[Role]:
    """The roles of the actor that allow it."""
    rules = RULES[action]
    held = actor.roles.get(case.programme_id, frozenset())
    return {role for role in held if role in rules and rules[role].test(case)}


def as_learner(actor: Actor, action: Action, case: Case) -> bool:
    """Whether the actor does it from the learner's side, whatever else they may be elsewhere (E3).

    So does whoever attends, does not lead, and is allowed it by no role of staff.
    """
    by = _allowing(actor, action, case)
    return not (actor.everything or case.leads or by.intersection(STAFF)) and (case.attends or by <= {Role.LEARNER})


def as_staff(actor: Actor, action: Action, case: Case) -> bool:
    """Whether a role of staff, not merely held but allowing it, lets the actor do it."""
    return actor.everything or bool(_allowing(actor, action, case).intersection(STAFF))


def too_late(actor: Actor, action: Action, case: Case, name: str) -> str | None:
    """Why the learner's side may not do it any more: cancelling ends with the start, all else with the notice (E3)."""
    if not as_learner(actor, action, case):
        return None
    if case.started:
        return f"{name} has started, so you may not change it like this any more."
    if case.late and action is not Action.SESSION_CANCEL:
        way_out = "." if case.status is Status.CANCELLED else "; but you can cancel it."
        return f"{name} begins in less than 24 hours, so it stays{way_out}"
    return None


def may(work: Work, action: Action, programme_id: int, *, but: Role | None = None) -> bool:
    """Whether the actor may do this in a programme at large, no one session meant."""
    if not work.actor.everything and programme_id not in work.actor.roles:
        return False
    ticked = work.actor.ticked.get(programme_id, frozenset())
    billed = action is Action.INVOICES_OWN and _is_payer(work, programme_id)
    case = Case(programme_id, policy_of(work, programme_id).who_books, ticked=ticked, pays=billed)
    return allows(work.actor, action, case, but=but)


def _is_payer(work: Work, programme_id: int) -> bool:
    """Whether the actor is somebody who is billed there."""
    return work.tx.scalar(select(Payer.id).where(
        Payer.programme_id == programme_id, Payer.person_id == work.actor.person_id).limit(1)) is not None


def require(work: Work, action: Action, programme_id: int) -> None:
    """Raises NotFound for a programme that is foreign to the actor, NotAllowed where it is not."""
    if not work.actor.everything and programme_id not in work.actor.roles:
        raise NotFound
    if not may(work, action, programme_id):
        raise NotAllowed(f"You may not {action} in this programme.")


def require_all(actor: Actor, action: Action, cases: Sequence[Case], names: Sequence[str]) -> None:
    """Raises NotFound for a case that the actor may not see, NotAllowed (naming it) for one not allowed."""
    for case, name in zip(cases, names, strict=True):
        if not allows(actor, Action.SESSION_SEE, case):
            raise NotFound
        if not allows(actor, action, case):
            raise NotAllowed(why_not(actor, action, case, name))


def why_not(actor: Actor, action: Action, case: Case, name: str) -> str:
    """The refusal of an action on one session, saying whether its state or the actor's role stands against it."""
    before, after = (_allowing(actor, action, _as_open(case, action, started=on)) for on in (False, True))
    if case.started and before and not after:
        return f"{name} has started, so you may not change it like this any more."
    if before or after:
        if action is Action.OUTCOME_RECORD and not case.started and case.status is not Status.CANCELLED:
            return f"{name} has not started yet, so there is nothing to record."
        way_out = " Reopen it first." if case.status in RECORDED else ""
        return f"{name} is {case.status}, so it cannot be changed like this.{way_out}"
    verb = str(action).replace("this session", name[0].lower() + name[1:] if name else "it")
    return f"You may not {verb}."


def _as_open(case: Case, action: Action, *, started: bool) -> Case:
    """The same case as if its state stood in nobody's way."""
    status = Status.HELD if action is Action.OUTCOME_REOPEN else Status.SCHEDULED
    return case._replace(status=status, started=started)

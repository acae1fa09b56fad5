"""The vocabulary that columns hold. One word for one thing; see the glossary in the README."""

from enum import StrEnum


class Kind(StrEnum):
    """The five kinds of programme; each only presets a policy."""

    PEER_ADVICE = "peer advice"
    EVENT_MENTORING = "event mentoring"
    APPRENTICESHIP = "apprenticeship"
    COACHING = "coaching"
    TUTORING = "tutoring"


class Role(StrEnum):
    """What a person is in one programme."""

    MASTER_ADMIN = "master admin"
    BASIC_ADMIN = "basic admin"
    CURRICULUM_MANAGER = "curriculum manager"
    CUSTOM_MANAGER = "custom manager"
    INSIGHT_VIEWER = "insight viewer"
    PRACTITIONER = "practitioner"
    LEARNER = "learner"
    GUARDIAN = "guardian"
    LINE_MANAGER = "line manager"


class Status(StrEnum):
    """Status of a session, derived by the database; the first that holds, top down."""

    CANCELLED = "cancelled"
    COMPLETED = "completed"
    HELD = "held"
    MISSED = "missed"
    UNASSIGNED = "unassigned"
    PENDING = "pending"
    LIVE = "live"
    SUBMITTED = "submitted"
    UNSCHEDULED = "unscheduled"
    SCHEDULED = "scheduled"


class Outcome(StrEnum):
    """What came of one learner's part in a session; empty until recorded."""

    ATTENDED = "attended"
    MISSED = "missed"
    CANCELLED_LATE = "cancelled late"
    CANCELLED_IN_TIME = "cancelled in time"
    PRACTITIONER_CANCELLED = "practitioner cancelled"
    PRACTITIONER_ABSENT = "practitioner absent"


class Method(StrEnum):
    """How a session is held."""

    TRADITIONAL = "traditional"
    SMART = "smart"


class Origin(StrEnum):
    """Where a session came from."""

    BOOKING = "booking"
    REQUEST = "request"
    COPY = "copy"
    IMPORT = "import"


class TimetableKind(StrEnum):
    """A fixed weekly schedule with a roster, or one practitioner's own."""

    REGULAR = "regular"
    CUSTOM = "custom"


class EnrolmentStatus(StrEnum):
    """How far a learner is in a course, in order; the last two are its ends."""

    ENROLLED = "enrolled"
    IN_TRAINING = "in training"
    GATEWAY = "gateway"
    ASSESSED = "assessed"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What of an enrolment changed."""

    STATUS = "status"
    FIRST_DAY = "first day of learning"


class Every(StrEnum):
    """How often the sessions of a series come."""

    DAY = "daily"
    WEEK = "weekly"
    FORTNIGHT = "fortnightly"
    MONTH = "monthly"


class Tie(StrEnum):
    """How an adult is tied to a learner."""

    GUARDIAN = "guardian"
    LINE_MANAGER = "line manager"


class LinkPurpose(StrEnum):
    """What a single-use link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105  # a word, and no secret


class NoteKind(StrEnum):
    """What a note after a session is: for the other side, or the report that completes it."""

    SHARED = "shared"
    REPORT = "report"


class Wish(StrEnum):
    """Whose wish a change inside the notice was (E8)."""

    LEARNER = "learner"
    PRACTITIONER = "practitioner"


class Side(StrEnum):
    """Which way money goes: what a payer owes, or what a practitioner earns."""

    BILLED = "billed"
    PAID = "paid"


class RateUnit(StrEnum):
    """What a rate is for."""

    HOUR = "hour"
    SESSION = "session"


class LineKind(StrEnum):
    """A line of the ledger: what a payer owes, or what a practitioner earns."""

    CHARGE = "charge"
    PAYOUT = "payout"


class DocumentKind(StrEnum):
    """What is numbered and handed out."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit note"
    STATEMENT = "payout statement"


class TotalOf(StrEnum):
    """By what the ledger's totals are kept."""

    OUTCOME = "outcome"
    PRACTITIONER = "practitioner"
    COURSE = "course"
    PAYER = "payer"

"""What sessions cost and earn: rates, the dated outcome matrix, payers, the ledger, documents, payments.

Amounts are whole minor units of the programme's currency. Ledger, documents and payments are append-only.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Numbered
from db.types import Json, choice, words
from db.words import DocumentKind, LineKind, Outcome, RateUnit, Side, TotalOf


class Rate(Numbered, Base):
    """What an hour or a session costs or earns, from a day on; what it names narrows it, the narrowest wins."""

    __tablename__ = "rate"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"), CheckConstraint("until_day >= from_day", name="forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    side: Mapped[Side] = choice(Side)
    unit: Mapped[RateUnit] = choice(RateUnit)
    amount: Mapped[int]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("course.id"))
    type: Mapped[str | None] = words(60, 1)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    engagement_id: Mapped[int | None] = mapped_column(ForeignKey("engagement.id"))
    from_day: Mapped[date]
    until_day: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class OutcomeMatrix(Numbered, Base):
    """From a day on: what share each outcome is billed and paid, and whether a team is charged once (E3, E9)."""

    __tablename__ = "outcome_matrix"
    __table_args__ = (UniqueConstraint("programme_id", "from_day"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    from_day: Mapped[date]
    shares: Mapped[dict[str, Any]] = mapped_column(Json)
    team_once: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)


class Biller(Numbered, Base):
    """The legal header of a programme's documents."""

    __tablename__ = "biller"
    __table_args__ = (
        UniqueConstraint("programme_id"), CheckConstraint("terms_days BETWEEN 0 AND 365", name="terms_days"),
        CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="tax_rate"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    name: Mapped[str] = words(120, 1)
    address: Mapped[str | None] = words(500)
    tax_number: Mapped[str | None] = words(40)
    tax_rate: Mapped[int] = mapped_column(doc="in hundredths of a percent, for payers without one of their own")
    bank: Mapped[str | None] = words(500)
    terms_days: Mapped[int] = mapped_column(default=14)
    prefix: Mapped[str] = words(12)
    version: Mapped[int] = mapped_column(default=1)


class Payer(Numbered, Base):
    """Who is billed: a guardian, a learner, an employer, a school."""

    __tablename__ = "payer"
    __table_args__ = (CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="tax_rate"),)

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = words(120, 1)
    address: Mapped[str | None] = words(500)
    email: Mapped[str | None] = words(254)
    tax_number: Mapped[str | None] = words(40)
    tax_rate: Mapped[int | None] = mapped_column(doc="in hundredths of a percent; else the programme's")
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class PaidBy(Numbered, Base):
    """Who pays for a learner, or for a team that is charged once, from a day on."""

    __tablename__ = "paid_by"
    __table_args__ = (
        CheckConstraint("(learner_id IS NULL) <> (team_id IS NULL)", name="learner_or_team"),
        UniqueConstraint("programme_id", "learner_id", "from_day"), UniqueConstraint("team_id", "from_day"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    payer_id: Mapped[int] = mapped_column(ForeignKey("payer.id"), index=True)
    learner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    from_day: Mapped[date]
    version: Mapped[int] = mapped_column(default=1)


class LedgerLine(Numbered, Base):
    """What a payer owes or a practitioner earns for one part in one session, or the reversal of such a line.

    `part` is the learner or team that is charged (0 for a payout) and `forfeit_part` a meeting that was lost; `turn`
    counts the lines of that part, so that no two can be written side by side.
    """

    __tablename__ = "ledger_line"
    __table_args__ = (
        UniqueConstraint("session_id", "kind", "part", "forfeit_part", "turn"), UniqueConstraint("reverses_id"),
        CheckConstraint("minutes >= 0", name="minutes"), CheckConstraint("turn > 0", name="turn"),
    )

    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))
    at: Mapped[datetime]
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    kind: Mapped[LineKind] = choice(LineKind)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    part: Mapped[int]
    forfeit_part: Mapped[int] = mapped_column(doc="the forfeit's id, which may be undone since, or 0")
    turn: Mapped[int]
    learner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("payer.id"))
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("course.id"))
    day: Mapped[date] = mapped_column(doc="of the session, local to the programme")
    outcome: Mapped[Outcome] = choice(Outcome)
    minutes: Mapped[int]
    unit: Mapped[RateUnit] = choice(RateUnit)
    unit_amount: Mapped[int]
    share: Mapped[str] = words(20, 1)
    rate_id: Mapped[int] = mapped_column(ForeignKey("rate.id"))
    matrix_id: Mapped[int | None] = mapped_column(ForeignKey("outcome_matrix.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = words(3, 3)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_line.id"))
    reason: Mapped[str | None] = words(500)


class Period(Numbered, Base):
    """A closed span of days: what comes late goes into the next."""

    __tablename__ = "period"
    __table_args__ = (
        UniqueConstraint("programme_id", "until_day"), CheckConstraint("until_day >= from_day", name="forward"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    from_day: Mapped[date]
    until_day: Mapped[date]
    closed_at: Mapped[datetime]
    closed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))


class Document(Numbered, Base):
    """An invoice, a credit note or a payout statement, as it was handed out; `header` is what stands on top of it."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("programme_id", "kind", "number"), UniqueConstraint("cancels_id"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(payer_id IS NULL) <> (practitioner_id IS NULL)", name="one_side"),
        CheckConstraint("gross = net + tax", name="sums_up"),
    )

    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    period_id: Mapped[int | None] = mapped_column(ForeignKey("period.id"), index=True)
    kind: Mapped[DocumentKind] = choice(DocumentKind)
    number: Mapped[int]
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("payer.id"), index=True)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    issued_on: Mapped[date]
    due_on: Mapped[date]
    currency: Mapped[str] = words(3, 3)
    net: Mapped[int]
    tax_rate: Mapped[int]
    tax: Mapped[int]
    gross: Mapped[int]
    header: Mapped[dict[str, Any]] = mapped_column(Json)
    reason: Mapped[str | None] = words(500)
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))


class DocumentLine(Numbered, Base):
    """A ledger line on the one document that it stands on."""

    __tablename__ = "document_line"
    __table_args__ = (UniqueConstraint("line_id"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("ledger_line.id"))


class Payment(Numbered, Base):
    """Money received for an invoice or paid out on a statement, or below 0, given back; taken back by its opposite.

    With `against_id` no money moved: it was set off against that document, on which the opposite stands.
    """

    __tablename__ = "payment"
    __table_args__ = (UniqueConstraint("reverses_id"), CheckConstraint("amount <> 0", name="amount"),
                      CheckConstraint("against_id <> document_id", name="another"))

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    day: Mapped[date]
    amount: Mapped[int]
    reference: Mapped[str | None] = words(200)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    at: Mapped[datetime]
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_set.id"))
    against_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))


class LedgerTotal(Base):
    """Sums of ledger lines by month and one of several things, as far as they are folded."""

    __tablename__ = "ledger_total"

    programme_id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True, doc="its first day")
    kind: Mapped[LineKind] = choice(LineKind, primary_key=True)
    by: Mapped[TotalOf] = choice(TotalOf, primary_key=True)
    what: Mapped[str] = words(40, 1, primary_key=True)
    amount: Mapped[int]
    minutes: Mapped[int]
    lines: Mapped[int]


class LedgerFold(Base):
    """Up to which ledger line the totals go; one row."""

    __tablename__ = "ledger_fold"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_id: Mapped[int]


Index("ix_ledger_line_programme_id", LedgerLine.programme_id, LedgerLine.day, LedgerLine.id)
Index("ix_ledger_line_payer_id", LedgerLine.payer_id, LedgerLine.id)
Index("ix_ledger_line_practitioner_id", LedgerLine.practitioner_id, LedgerLine.day, LedgerLine.id)
Index("ix_ledger_line_learner_id", LedgerLine.learner_id, LedgerLine.day, LedgerLine.id)
Index("ix_ledger_line_team_id", LedgerLine.team_id, LedgerLine.day, LedgerLine.id)
Index("ix_ledger_line_rate_id", LedgerLine.rate_id)
Index("ix_ledger_total_by", LedgerTotal.by, LedgerTotal.programme_id, LedgerTotal.month, LedgerTotal.kind,
      LedgerTotal.what)
Index("ix_rate_engagement_id", Rate.engagement_id)
Index("ix_document_programme_id", Document.programme_id, Document.issued_on)

"""What the made-up programmes charge and pay, who pays them, and what practitioners write after a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from db.words import Kind, Outcome, RateUnit, Side

HALF, WHOLE, NONE = Fraction(1, 2), Fraction(1), Fraction(0)
BILLED, PAID, HOUR, EACH = Side.BILLED, Side.PAID, RateUnit.HOUR, RateUnit.SESSION


@dataclass(frozen=True)
class Price:
    """A rate in minor units; `before` is what it was until it was raised. Course and practitioner by their place."""

    side: Side
    unit: RateUnit
    amount: int
    before: int | None = None
    course: int | None = None
    type: str | None = None
    practitioner: int | None = None


@dataclass(frozen=True)
class Prices:
    """What one programme sets. `header`: name, address, tax number and rate, bank, days to pay, prefix."""

    prices: tuple[Price, ...]
    header: tuple[str, str, str, int, str, int, str]
    shares: Mapping[Outcome, tuple[Fraction, Fraction]] = field(default_factory=dict)
    """Where outcomes are billed and paid otherwise than preset."""
    team_once: bool = False


MONEY: dict[Kind, Prices] = {
    Kind.EVENT_MENTORING: Prices(
        (Price(BILLED, EACH, 9000), Price(PAID, EACH, 5500),
         Price(BILLED, EACH, 12000, type="pitch practice"), Price(PAID, EACH, 7000, type="pitch practice"),
         Price(PAID, EACH, 6500, practitioner=1)),
        ("Elbe Founders gGmbH", "Speicherstraße 14\n20457 Hamburg", "DE 318 204 117", 1900,
         "IBAN DE02 1203 0000 0000 2020 51", 30, "EFC-"),
        team_once=True,
    ),
    Kind.APPRENTICESHIP: Prices(
        (Price(BILLED, HOUR, 6200, before=5900), Price(PAID, HOUR, 3100),
         Price(BILLED, HOUR, 7400, course=5), Price(PAID, HOUR, 3800, course=5),
         Price(BILLED, EACH, 2400, type="telephone"), Price(PAID, EACH, 1200, type="telephone"),
         Price(BILLED, EACH, 18500, type="EPA"), Price(PAID, EACH, 9500, type="EPA")),
        ("Northfield Training Ltd", "7 Foundry Lane\nLeeds LS11 9AW", "GB 417 2290 61", 2000,
         "Sort code 20-00-00, account 55779911", 30, "NF-"),
    ),
    Kind.COACHING: Prices(
        (Price(BILLED, EACH, 18000), Price(PAID, EACH, 11000), Price(BILLED, EACH, 9500, type="kick-off"),
         Price(PAID, EACH, 6000, type="kick-off"), Price(PAID, EACH, 12500, practitioner=0)),
        ("Harbor Street Coaching LLC", "120 Harbor Street, 3rd floor\nNew York, NY 10004", "EIN 00-1234567", 0,
         "Routing 021000021, account 9002211", 14, "HS-"),
        shares={Outcome.MISSED: (WHOLE, HALF), Outcome.CANCELLED_LATE: (WHOLE, HALF)},
    ),
    Kind.TUTORING: Prices(
        (Price(BILLED, HOUR, 5000, before=4800), Price(PAID, HOUR, 3000, before=2900),
         Price(BILLED, HOUR, 5600, course=0), Price(PAID, HOUR, 3300, practitioner=0),
         Price(BILLED, EACH, 2500, type="trial lesson"), Price(PAID, EACH, 2000, type="trial lesson")),
        ("Liffey Tutors Ltd", "3 Ormond Quay\nDublin 1, D01 R9Y2", "IE 6388047V", 0,
         "IBAN IE29 AIBK 9311 5212 3456 78", 14, "LT-"),
    ),
}
"""Peer advice costs nothing and pays nothing."""

EMPLOYERS = (
    ("Aire Valley Care Group", "18 Canal Road, Bradford BD1 4AT"), ("Calder Plumbing & Heating", "Unit 4, Halifax HX1"),
    ("Kirkgate Logistics", "90 Kirkgate, Leeds LS2 7DJ"), ("Little Acorns Nurseries", "2 Park Row, York YO1 6DP"),
    ("Northern Tech Support", "Mill 3, Huddersfield HD1"), ("Pennine Foods", "Station Road, Skipton BD23"),
    ("Roundhay Council Services", "Civic Hall, Leeds LS1 1UR"), ("Swale Hotels", "11 Market Place, Ripon HG4"),
)
SPONSORS = (
    ("Hafenkredit Stiftung", "Am Sandtorkai 40, 20457 Hamburg"),
    ("Nordlicht Energie AG", "Großer Grasbrook 9, Hamburg"),
    ("Krankenkasse Elbe", "Holstenwall 2, 20355 Hamburg"),
    ("Kaufhaus Mönck", "Mönckebergstraße 1, Hamburg"),
)

NOTES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    Kind.PEER_ADVICE: (
        ("We read the letter together, line by line.", "We wrote down what happened, in order, with dates.",
         "We rang them together; they will write within two weeks."),
        ("It is less urgent than it looked: nothing is due before the end of the month.",
         "The one thing that counts is the date on the second page.",
         "You have a good case, and you said it clearly on the phone."),
        ("Next: send the copy by recorded post and keep the receipt.", "Next: come back once there is an answer.",
         "If it does not help, the students' union has a solicitor on Thursdays."),
    ),
    Kind.EVENT_MENTORING: (
        ("The team went through its five interviews.", "We looked at the prototype on a phone, without slides.",
         "First full run of the pitch, four minutes and a half."),
        ("Two of the three assumptions held; the price did not.", "The problem is clear now, the buyer is not.",
         "Strong opening. The middle explains too much."),
        ("Until next time: five more conversations, with people who would pay.",
         "To do: one page with costs per unit.", "Cut slide four, and say the number out loud."),
    ),
    Kind.APPRENTICESHIP: (
        ("We reviewed the evidence for units 2 and 4.", "Professional discussion, recorded in the portfolio.",
         "Observed at work for forty minutes, then talked it through."),
        ("Unit 2 is complete. Unit 4 still needs a witness statement.",
         "Good progress; explanations are more precise than in spring.",
         "Targets from last month: three of four reached."),
        ("Next target: write up the site visit by the 20th.", "Please log off-the-job hours weekly.",
         "Material: https://example.org/units/4"),
    ),
    Kind.COACHING: (
        ("You named what the week had been about, and it was not the deadline.",
         "We rehearsed the conversation twice, swapping sides.", "We looked back at the goal from the first session."),
        ("What worked: asking first and waiting for the answer.", "You noticed where you explain instead of asking.",
         "It is good enough, and you said so yourself."),
        ("Until next time: one conversation, no preparation beyond the first sentence.",
         "Try it on a Tuesday, when nothing hangs on it.", "Bring two lines about how it went."),
    ),
    Kind.TUTORING: (
        ("We went through the homework and found where it went wrong.",
         "We did two past paper questions, the second one against the clock.",
         "We started with what was still shaky from last week."),
        ("The method is clear now; careless slips cost most of the marks.",
         "Explained every step aloud and got four of five right.", "Much quicker than a month ago, and less guessing."),
        ("Homework: questions 3 to 8, and note down where it gets stuck.",
         "For practice: https://example.org/practice. Ten minutes a day are enough.",
         "Please sleep before the test rather than study late."),
    ),
}
"""By kind: what was done, how it went, and what comes next; a note takes one of each."""
CONTACTS = ("Rang twice, no answer", "Text and e-mail, no answer", "Rang; the mailbox was full")
CLAIMS = (
    ("I was there from ten past; we had agreed on that by message.", "You are right, the message is here. Corrected."),
    ("We told the office the evening before last.", "The call was logged the same morning, so it stays."),
    ("The link did not open, and nobody picked up.", None),
    ("She waited at the library for half an hour. Nobody came.", None),
    ("It was agreed that this one is not counted.", "That was the lesson in May; this one is counted."),
)
"""What a learner's side says against an outcome, and the answer, if there is one yet."""
CUT_SHORT = "Ended a quarter of an hour early, as the note says"
CREDITED = "Addressed to the wrong parent"

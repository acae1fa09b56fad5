"""Whom one click signs in as on a demo database: one account for each role."""

from dataclasses import dataclass

from db.words import Role

PASSWORD = "demo-portal-2026"  # noqa: S105 - printed wherever a demo starts; nothing real is behind it


@dataclass(frozen=True)
class DemoAccount:
    """Somebody made up, with the role that they show."""

    name: str
    role: Role
    about: str

    @property
    def email(self) -> str:
        """Their address, in a domain that can never exist."""
        return f"{self.name.split()[0].lower()}@demo.invalid"


ALICE = DemoAccount(
    "Alice Moran", Role.MASTER_ADMIN, "Runs all five programmes: every session, person, list, setting and role."
)
BEN = DemoAccount(
    "Ben Adler", Role.BASIC_ADMIN, "Books and mends sessions and looks after people in all five programmes."
)
CLEO = DemoAccount(
    "Cleo Hart", Role.CURRICULUM_MANAGER,
    "Looks after courses, timetables and sessions of the apprenticeships and of the tutoring.",
)
MAX = DemoAccount(
    "Max Lindner", Role.CUSTOM_MANAGER, "Books and moves mentoring sessions, just as far as a master admin has ticked."
)
MONA = DemoAccount(
    "Mona Reyes", Role.INSIGHT_VIEWER, "Sees figures and the lists behind them, and changes nothing."
)
TOM = DemoAccount(
    "Tom Brady", Role.PRACTITIONER,
    "Tutors, with lessons today, this week and some still to log; asks for peer advice himself.",
)
SARA = DemoAccount(
    "Sara Byrne", Role.LEARNER, "Is tutored by Tom every week, and works on an idea with her team in the challenge."
)
GUS = DemoAccount("Gus Byrne", Role.GUARDIAN, "Sees the lessons of his two children, Sara and Jonas.")
LENA = DemoAccount(
    "Lena Fox", Role.LINE_MANAGER,
    "Sees dates, status and outcomes of those she manages, in apprenticeships and coaching, and no words.",
)
DEMO_ACCOUNTS = (ALICE, BEN, CLEO, MAX, MONA, TOM, SARA, GUS, LENA)

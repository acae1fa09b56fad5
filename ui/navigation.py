"""The menu as data, and how screens lead to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from core.billing.address import NARROWS as LEDGER
from core.billing.documents import NARROWS as DOCUMENTS
from core.billing.figures import NARROWS as BILLING
from core.clock import FIRST_DAY, LAST_DAY
from core.insight.queries import NARROWS as FIGURES
from core.learning.export import NARROWS as PROGRESS
from core.permissions import Action
from core.programmes.rules import Words
from core.sessions.address import NARROWS, ORDER, WHICH

USUAL = Words()
LEAVING = (Path(__file__).parent / "assets" / "leaving.js").read_text("utf-8")
"""The script of the page; the gate allows it by its hash, taken as the portal starts."""


@dataclass(frozen=True)
class Screen:
    """One entry of the menu, shown to those who may do what it `needs` (or one of several); hidden ones are led to."""

    name: str
    path: str
    title: str
    icon: str
    section: str
    needs: Action | tuple[Action, ...] | None = None
    hidden: bool = False
    asks: tuple[str, ...] = ()
    """What its address says; parameters of other screens are taken out of it."""

    def open_to(self, may_do: Callable[[Action], bool]) -> bool:
        """Whether it is one of the viewer's screens."""
        if self.needs is None:
            return True
        return any(map(may_do, self.needs if isinstance(self.needs, tuple) else (self.needs,)))

    def called(self, words: Words = USUAL) -> str:
        """Its title in a programme's words."""
        return self.title.format(
            learners=words.many("learner"), a_practitioner=words.a("practitioner"),
            Courses=words.many("course").capitalize(), Teams=words.many("team").capitalize())

    def page(self, words: Words = USUAL) -> st.Page:
        """The page as Streamlit knows it."""
        return st.Page(
            f"../pages/{self.path}", title=self.called(words), icon=self.icon, url_path=self.name,
            default=self.name == "home", visibility="hidden" if self.hidden else "visible",
        )


SCREENS = (
    Screen("home", "work/home.py", "Home", ":material/home:", "Work"),
    Screen("sessions", "work/sessions.py", "Sessions", ":material/list_alt:", "Work", asks=(*NARROWS, *ORDER)),
    Screen("calendar", "planning/calendar.py", "Calendar", ":material/calendar_month:", "Work",
           asks=(*WHICH, "view", "day")),
    Screen("book", "work/book.py", "Book", ":material/event_available:", "Work", Action.SESSION_BOOK,
           asks=("copy", "next", "practitioner", "learner", "team", "timetable", "minutes", "at", "form")),
    Screen("timetables", "work/timetables.py", "Timetables", ":material/calendar_view_week:", "Work",
           asks=("timetable", "week", "whom")),
    Screen("availability", "work/availability.py", "Availability", ":material/schedule:", "Work",
           (Action.AVAILABILITY_EDIT, Action.AVAILABILITY_OWN), asks=("whose",)),
    Screen("queue", "work/queue.py", "Work queue", ":material/assignment_late:", "Work", Action.TASKS_SEE,
           asks=("whose", "overdue", "page")),
    Screen("worksheet", "work/worksheet.py", "Worksheet", ":material/description:", "Work", hidden=True,
           asks=("session",)),
    Screen("utilisation", "insight/utilisation.py", "Utilisation", ":material/monitoring:", "Insight",
           Action.INSIGHT_OWN, asks=(*FIGURES, "sort", "page")),
    Screen("billing", "insight/billing.py", "Billing", ":material/bar_chart:", "Insight", Action.MONEY_SEE,
           asks=BILLING),
    Screen("progress", "insight/progress.py", "Learning progress", ":material/school:", "Insight",
           Action.LEARNING_SEE, asks=PROGRESS),
    Screen("ledger", "money/ledger.py", "Ledger", ":material/receipt_long:", "Money", Action.MONEY_SEE,
           asks=(*LEDGER, "page")),
    Screen("rates", "money/rates.py", "Rates", ":material/sell:", "Money", Action.MONEY_SEE,
           asks=("terms", "side", "rate_of", "rate_in", "on")),
    Screen("payers", "money/payers.py", "Payers", ":material/account_balance_wallet:", "Money", Action.MONEY_SEE,
           asks=("billing",)),
    Screen("documents", "money/documents.py", "Invoices and payouts", ":material/request_quote:", "Money",
           Action.MONEY_SEE, asks=DOCUMENTS),
    Screen("periods", "money/periods.py", "Periods", ":material/event_repeat:", "Money", Action.MONEY_SEE),
    Screen("closing", "money/closing.py", "Close a period", ":material/lock:", "Money", Action.MONEY_CLOSE,
           hidden=True),
    Screen("document", "money/document.py", "Document", ":material/description:", "Money",
           (Action.MONEY_SEE, Action.EARNINGS_SEE, Action.INVOICES_OWN), hidden=True, asks=("document",)),
    Screen("earnings", "money/earnings.py", "My earnings", ":material/savings:", "Money", Action.EARNINGS_SEE,
           asks=("month", "page")),
    Screen("invoices", "money/invoices.py", "My invoices", ":material/receipt:", "Money", Action.INVOICES_OWN),
    Screen("people", "people/people.py", "People", ":material/group:", "People", Action.PEOPLE_SEE,
           asks=("sort", "order", "at")),
    Screen("learning", "people/learning.py", "My learning", ":material/local_library:", "People",
           Action.LEARNING_OWN),
    Screen("members", "people/members.py", "My {learners}", ":material/diversity_3:", "People", Action.MEMBERS_SEE,
           asks=("named",)),
    Screen("contacts", "people/contacts.py", "Find {a_practitioner}", ":material/person_search:", "People",
           Action.CONTACT, asks=("named",)),
    Screen("person", "people/person.py", "Profile", ":material/person:", "People", hidden=True, asks=("person",)),
    Screen("courses", "lists/courses.py", "{Courses}", ":material/school:", "Lists", Action.LISTS_EDIT),
    Screen("teams", "lists/teams.py", "{Teams}", ":material/groups:", "Lists", Action.LISTS_EDIT),
    Screen("groups", "lists/groups.py", "Groups", ":material/workspaces:", "Lists", Action.PEOPLE_EDIT),
    Screen("engagements", "lists/engagements.py", "Engagements", ":material/handshake:", "Lists", Action.LISTS_EDIT),
    Screen("rooms", "lists/rooms.py", "Rooms", ":material/meeting_room:", "Lists", Action.LISTS_EDIT),
    Screen("timetable-list", "lists/timetable_list.py", "All timetables", ":material/view_list:", "Lists",
           Action.LISTS_EDIT),
    Screen("programme", "settings/programme.py", "Programme settings", ":material/tune:", "Settings",
           Action.PROGRAMME_EDIT),
    Screen("account", "settings/account.py", "My account", ":material/account_circle:", "Settings"),
)
BY_NAME = {screen.name: screen for screen in SCREENS}
_ASKED = {name for screen in SCREENS for name in screen.asks}
_ABOUT = "navigation:about"


def go(name: str, **parameters: str | int | list[str]) -> None:
    """Open a screen, with what it is about in the address."""
    query = {key: value if isinstance(value, list) else str(value) for key, value in parameters.items()}
    st.switch_page(BY_NAME[name].page(), query_params=query)


def open_session(session_id: int, **parameters: str | int) -> None:
    """Open a session's worksheet."""
    go("worksheet", session=session_id, **parameters)


def open_person(person_id: int) -> None:
    """Open a person's profile."""
    go("person", person=person_id)


def tidy(page: st.Page) -> None:
    """Keep other screens' parameters out of the address, and what this screen is about in it.

    The browser's *Back* asks for the screen before with the address of the one that was left: nothing of it is meant.
    """
    own = BY_NAME[page.url_path or "home"].asks
    strays = [name for name in st.query_params if name in _ASKED and name not in own]
    about: dict[str, str] = st.session_state.setdefault(_ABOUT, {})
    for name in [*strays, *(name for name in own if strays and name in st.query_params)]:
        del st.query_params[name]
    for name in {"session", "person", "document"} & set(own):
        if strays and name in about and name not in st.query_params:
            st.query_params[name] = about[name]
        if name in st.query_params and about.get(name) != (asked := st.query_params[name]):
            about[name] = st.query_params[name] = asked  # a link within a screen leaves the browser's as is


def place(page: st.Page) -> str:
    """Where the viewer is: the screen, and the session, person or document that it is about."""
    return f"{page.url_path} {asked_id('session')} {asked_id('person')} {asked_id('document')}"


def open_document(document_id: int) -> None:
    """Open an invoice, a credit note or a payout statement."""
    go("document", document=document_id)


def asked_id(name: str) -> int | None:
    """The id that the address names, where it is a number."""
    said = st.query_params.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 19 else None


def asked_moment(name: str) -> datetime | None:
    """The instant that the address names, as `moment` writes it."""
    try:
        at = datetime.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None and FIRST_DAY < at.date() < LAST_DAY else None


def moment(at: datetime) -> str:
    """An instant as an address says it: 2026-03-03T10:00Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"

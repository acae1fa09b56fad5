"""Documents of one's own on screen: invoices for whoever pays, payout statements for whoever earns, each as PDF."""

from collections.abc import Sequence

import streamlit as st

from core.billing.documents import PAGE, Chosen, Entry, Left, State, documents
from core.billing.money import words
from core.programmes.queries import ProgrammeView
from core.words import DocumentKind
from core.work import Work
from ui import navigation
from ui.documents import badge, day_words
from ui.format import plain

_TURNED = "papers-page"
_MINE = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)


def screen(work: Work, programme: ProgrammeView) -> None:
    """What the viewer was sent, and what of it is open."""
    st.title("My invoices")
    listed, total = documents(work, programme.id, Chosen(_MINE, mine=True), number=turned())
    if not total:
        st.info("You have no invoices yet. They come at the end of a period.", icon=":material/receipt:")
        return
    owed, _ = documents(work, programme.id, Chosen(_MINE, mine=True, left=Left.OPEN), every=True)
    over, _ = documents(work, programme.id, Chosen(_MINE, mine=True, left=Left.TO_SET_OFF), every=True)
    today = work.now.astimezone(programme.zone).date()
    st.caption(f"Amounts in {programme.currency}. Click *Details* for what each is for.")
    late = [each for each in owed if each.state(today) is State.OVERDUE]
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, those, told in (("To pay", owed, "What is still to be paid, all invoices together."),
                                   ("Overdue", late, "What of it should have been paid by now.")):
            amount = sum(each.open for each in those)
            st.metric(label, words(amount, programme.currency), help=told, width="content")
        if over:
            st.metric("In your favour", words(sum(each.over for each in over), programme.currency), width="content",
                      help="What was paid too much, or taken back since. It is set off or given back.")
    papers(work, programme, listed, total)


def turned() -> int:
    """Which page of one's own documents is shown."""
    return int(st.session_state.get(_TURNED, 1))


def papers(work: Work, programme: ProgrammeView, listed: Sequence[Entry], total: int) -> None:
    """Documents as lines to be read on any screen, each with its PDF and the way to its lines."""
    today = work.now.astimezone(programme.zone).date()
    for each in listed:
        with st.container(border=True, horizontal=True, vertical_alignment="center",
                          horizontal_alignment="distribute", key=f"paper-{each.id}"):
            with st.container(width="content", gap="xsmall"):
                st.markdown(f"**{plain(each.label)}** · {plain(words(each.gross, each.currency))}"
                            f" {badge(each.state(today))}")
                st.caption(" · ".join(part for part in (_kind(each), plain(each.period), _due(each, today)) if part))
            with st.container(horizontal=True, width="content", gap="small"):
                st.link_button("PDF", f"/export/document/{each.id}.pdf", icon=":material/picture_as_pdf:")
                if st.button("Details", icon=":material/list:", type="tertiary", key=f"paper-open-{each.id}"):
                    navigation.open_document(each.id)
    if total > PAGE:
        st.pagination(-(-total // PAGE), key=_TURNED, width=400)


def _kind(each: Entry) -> str:
    return "Credit note" if each.kind is DocumentKind.CREDIT_NOTE else ""


def _due(each: Entry, today: object) -> str:
    if each.kind is DocumentKind.INVOICE and each.open:
        left = "" if each.open == each.gross else f"{plain(words(each.open, each.currency))} open, "
        return f"{left}due {day_words(each.due_on)}"
    return f"issued {day_words(each.issued_on)}"

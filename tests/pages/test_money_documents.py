"""Periods, closing, invoices and payouts, earnings on screen: for each role, and from the first look to the payment."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.attending.commands import record_outcome
from core.attending.rules import Attendance
from core.billing.closing import close_period
from core.billing.commands import NewRate, add_payer, add_rate, set_biller, set_payer
from core.billing.documents import Chosen, Entry, documents
from core.billing.payments import enter_payment, take_back_entered
from core.errors import Conflict
from core.permissions import Action
from db.models.billing import Document, Payment
from db.words import DocumentKind, Kind, Outcome, RateUnit, Side
from tests.factories import DAY, LONG_AGO, TEN, World, a_world
from tests.pages.conftest import Opener, in_portal, texts

LATER = TEN + 45 * DAY
MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)
SCREENS = ("documents", "periods", "closing", "earnings", "invoices", "document")


@pytest.fixture
def world(engine: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """Tutoring with money, in the middle of April: Sara was held in March, Vic has nobody who pays."""
    world = a_world(engine, Kind.TUTORING, notes_required=False)
    payer = world.do(world.alice, add_payer, world.programme, {"name": "Gus Grey", "person_id": world.gus}).result
    world.do(world.alice, set_payer, payer, LONG_AGO, [world.sara, world.sam])
    for side, amount in ((Side.BILLED, 5000), (Side.PAID, 3000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, LONG_AGO))
    for n, learner in enumerate((world.sara, world.vic)):
        session = world.book(practitioner=world.tom, learner=learner, starts_at=TEN + n * DAY)
        world.do(world.tom, record_outcome, session, [Attendance(learner, Outcome.ATTENDED)], now=LATER)
    world.now = LATER
    return in_portal(world, monkeypatch)


def header(world: World) -> None:
    world.do(world.alice, set_biller, world.programme, {
        "name": "Liffey Tutors Ltd", "address": "2 Quay", "tax_number": "IE1", "tax_rate": 2300, "prefix": "LT-"})


def closed(world: World) -> dict[DocumentKind, Entry]:
    """March is closed; its documents."""
    header(world)
    world.do(world.alice, close_period, world.programme, MARCH)
    with world.reading(world.alice) as work:
        return {one.kind: one for one in documents(work, world.programme, Chosen())[0]}


def figures(tab: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in tab.metric}


MAY_OPEN = {
    "alice": {"documents", "periods", "closing", "document"}, "cora": {"documents", "periods", "document"},
    "mona": {"documents", "periods", "document"}, "tom": {"earnings", "document"}, "gus": {"invoices", "document"},
}


@pytest.mark.parametrize("persona", ["alice", "ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena"])
def test_x6_each_finds_their_own_screens_of_money_and_no_other(
    world: World, open_screen: Opener, persona: str
) -> None:
    for screen in SCREENS:
        if screen in MAY_OPEN.get(persona, set()):
            assert not open_screen(world.people[persona], screen).exception, screen
        else:
            with pytest.raises(ValueError, match="Could not find a navigation page"):
                open_screen(world.people[persona], screen)


def test_a_custom_manager_does_where_ticked(world: World, open_screen: Opener) -> None:
    world.tick(Action.MONEY_SEE, Action.MONEY_CLOSE)
    for screen in ("documents", "periods", "closing"):
        assert not open_screen(world.cuno, screen).exception


def test_closing_says_what_is_missing_shows_what_comes_and_asks_before_it_is_done(
    world: World, open_screen: Opener
) -> None:
    tab = open_screen(world.alice, "closing")
    assert "Say first what stands on top of invoices" in texts(tab)
    header(world)
    tab = open_screen(world.alice, "closing")
    form = f"closing-{world.programme}"
    assert tab.date_input(f"{form}:until").value == MARCH, "the end of last month"
    tab.date_input(f"{form}:until").set_value(LATER.date()).run()
    tab.button("closing-look").click().run()
    assert "Choose a day that is over" in texts(tab)
    tab.date_input(f"{form}:until").set_value(MARCH).run()
    tab.button("closing-look").click().run()
    assert not tab.exception
    assert figures(tab) == {"Invoices": "1", "Billed": "£50.00", "Payout statements": "1", "To pay out": "£60.00",
                            "On hold": "£0.00"}
    assert "worksheet?session=2" in texts(tab), "nobody pays for Vic"
    assert tab.button(f"{form}:save").disabled
    assert not world.all(select(Document.id)), "looking makes nothing"
    tab.checkbox(f"{form}:sure").check().run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert tab.title[0].value == "Periods"
    assert "Closed 3 Mar 2026 to 31 Mar 2026: 1 invoice, 1 payout statement." in texts(tab).replace("\\", "")
    assert list(tab.dataframe[0].value["Total billed"]) == ["£61.50"]


def test_a_payment_is_entered_and_what_cannot_be_one_is_told_beside_its_field(
    world: World, open_screen: Opener
) -> None:
    invoice = closed(world)[DocumentKind.INVOICE]
    tab = open_screen(world.alice, "document", document=invoice.id)
    assert tab.title[0].value == "Invoice LT\\-1"
    assert figures(tab)["Open"] == "£61.50"
    tab.button("document-pay-open").click().run()
    form = f"document-pay-{invoice.id}"
    assert tab.text_input(f"{form}:amount").value == "61.50"
    tab.text_input(f"{form}:amount").set_value("a lot").run()
    tab.button(f"{form}:save").click().run()
    assert "Write an amount as a number" in texts(tab).replace("\\", "")
    tab.text_input(f"{form}:amount").set_value("20").run()
    tab.text_input(f"{form}:reference").set_value("RF 7").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert (figures(tab)["Paid"], figures(tab)["Open"]) == ("£20.00", "£41.50")
    (payment,) = world.all(select(Payment.id))
    tab.button(f"payment-back-{payment}").click().run()
    assert figures(tab)["Paid"] == "£0.00"
    assert "taken back" in texts(tab)


def test_x4_what_is_in_favour_of_a_payer_is_set_off_or_given_back(world: World, open_screen: Opener) -> None:
    invoice = closed(world)[DocumentKind.INVOICE]
    world.do(world.alice, enter_payment, invoice.id, MARCH, 10000)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 20 * DAY)
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)])
    world.now = LATER + 20 * DAY
    world.do(world.alice, close_period, world.programme, APRIL)
    (other,) = world.all(select(Document.id).where(Document.kind == DocumentKind.INVOICE, Document.id != invoice.id))
    tab = open_screen(world.gus, "invoices")
    assert figures(tab) == {"To pay": "£61.50", "Overdue": "£0.00", "In your favour": "£38.50"}
    tab = open_screen(world.gus, "document", document=other)
    assert not [each for each in tab.button if (each.key or "").startswith("document-off")]
    tab = open_screen(world.alice, "documents", open="over")
    assert (list(tab.dataframe[0].value["State"]), list(tab.dataframe[0].value["Left"])) == (
        ["⇄ to set off"], ["-£38.50"])
    assert figures(tab)["To set off"] == "£38.50"

    tab = open_screen(world.alice, "document", document=other)
    tab.button(f"document-off-{invoice.id}").click().run()
    form = f"document-off-{invoice.id}"
    assert tab.multiselect(f"{form}:against").value == [other]
    tab.multiselect(f"{form}:against").set_value([]).run()
    tab.button(f"{form}:save").click().run()
    assert "Choose at least one" in texts(tab)
    tab.multiselect(f"{form}:against").set_value([other]).run()
    assert tab.button(f"{form}:save").label == "Set off £38\\.50"
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert (figures(tab)["Paid"], figures(tab)["Open"]) == ("£38.50", "£23.00")
    assert f"set off against [LT\\-1](document?document={invoice.id})" in texts(tab)
    tab.button("feedback-undo").click().run()
    assert figures(tab)["Open"] == "£61.50"

    tab = open_screen(world.alice, "document", document=invoice.id)
    assert figures(tab)["To set off"] == "£38.50"
    tab.button("document-back-open").click().run()
    form = f"document-back-{invoice.id}"
    tab.text_input(f"{form}:amount").set_value("38.51").run()
    tab.button(f"{form}:save").click().run()
    assert "at most £38.50" in texts(tab).replace("\\", "")
    tab.text_input(f"{form}:amount").set_value("38.50").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert "given back" in texts(tab)
    assert figures(tab)["Open"] == "£0.00"


def test_x4_a_closing_leads_to_what_can_be_set_off_for_all_at_once(world: World, open_screen: Opener) -> None:
    invoice = closed(world)[DocumentKind.INVOICE]
    tab = open_screen(world.alice, "documents")
    assert "set-off" not in [each.key for each in tab.button]
    world.do(world.alice, enter_payment, invoice.id, MARCH, 10000)
    tab = open_screen(world.alice, "documents")
    tab.button("set-off").click().run()
    assert "Nothing is open of those" in texts(tab)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 20 * DAY)
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.ATTENDED)])
    world.now = LATER + 20 * DAY
    world.do(world.alice, close_period, world.programme, APRIL)
    protos = [each.proto for each in open_screen(world.alice, "periods").get("page_link")]
    links = {each.label: each.query_string for each in protos}
    assert links["£38\\.50 can be set off"] == "open=over"
    tab = open_screen(world.alice, "documents", open="yes", whom="tom")
    tab.button("set-off").click().run()
    assert "£38\\.50 from LT\\-1" in texts(tab)
    tab.button(f"set-off-{world.programme}:save").click().run()
    assert not tab.exception
    assert "Set off £38\\.50 on 1 document" in texts(tab)
    tab.button("feedback-undo").click().run()
    assert figures(open_screen(world.alice, "documents"))["To set off"] == "£38.50"


def test_an_invoice_is_credited_with_a_reason(world: World, open_screen: Opener) -> None:
    invoice = closed(world)[DocumentKind.INVOICE]
    tab = open_screen(world.alice, "document", document=invoice.id)
    tab.button("document-credit-open").click().run()
    form = f"document-credit-{invoice.id}"
    tab.button(f"{form}:save").click().run()
    assert "Say why" in texts(tab)
    tab.text_area(f"{form}:reason").set_value("wrong firm").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert "Credited by" in texts(tab)
    assert "credited" in texts(tab)
    note = world.one(select(Document.id).where(Document.cancels_id == invoice.id))
    assert "wrong firm" in texts(open_screen(world.gus, "document", document=note))


def test_the_list_is_filtered_by_its_address_and_several_are_marked_as_paid(
    world: World, open_screen: Opener
) -> None:
    made = closed(world)
    tab = open_screen(world.alice, "documents")
    assert list(tab.dataframe[0].value["Number"]) == ["LT-1", "LT-P1"]
    for address, numbers in (({"paper": "invoice"}, ["LT-1"]), ({"whom": "tom"}, ["LT-P1"]), ({"whom": "lt-1"}, [
            "LT-1", "LT-P1"]), ({"open": "yes"}, ["LT-1", "LT-P1"]), ({"period": "1", "paper": "payout statement"}, [
            "LT-P1"]), ({"paper": "<b>", "period": "²", "page": "9" * 30}, ["LT-1", "LT-P1"]), ({"page": "7"}, [
            "LT-1", "LT-P1"])):
        tab = open_screen(world.alice, "documents", **address)
        assert not tab.exception
        assert list(tab.dataframe[0].value["Number"]) == numbers, address
    assert "Nothing matches" in texts(open_screen(world.alice, "documents", whom="\0nobody"))
    tab = open_screen(world.alice, "documents")
    assert figures(tab) == {"Invoices": "£61.50", "Still to come in": "£61.50", "Payouts": "£60.00",
                            "Still to pay out": "£60.00"}
    assert figures(open_screen(world.alice, "documents", whom="tom")) == {
        "Payouts": "£60.00", "Still to pay out": "£60.00"}
    assert tab.button("mark-paid").disabled
    both = {"selection": {"rows": [0, 1], "columns": [], "cells": []}}
    tab.session_state["documents-list-1"] = both
    tab.run()
    assert tab.button("mark-paid").label == "Mark 2 as paid"
    tab.multiselect("filter:documents-paper").set_value(["payout statement"]).run()
    assert tab.button("mark-paid").disabled, "a tick is of a document, and not of a line of the table"
    tab.multiselect("filter:documents-paper").set_value([]).run()
    tab.session_state["documents-list-3"] = both
    tab.run()
    tab.button("mark-paid").click().run()
    form = f"mark-paid-{world.programme}"
    tab.date_input(f"{form}:day").set_value(LATER.date() + DAY).run()
    tab.button(f"{form}:save").click().run()
    assert "Choose today or an earlier day" in texts(tab)
    tab.date_input(f"{form}:day").set_value(MARCH).run()
    assert tab.button(f"{form}:save").label == "£61\\.50 came in and £60\\.00 went out"
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert "Marked 2 documents as paid" in texts(tab).replace("\\", "")
    assert world.all(select(Payment.amount).order_by(Payment.document_id)) == [
        one.gross for one in sorted(made.values(), key=lambda one: one.id)]
    tab.button("feedback-undo").click().run()
    assert "Took 2 payments back" in texts(tab)
    assert figures(tab)["Still to come in"] == "£61.50"
    with pytest.raises(Conflict, match="taken back already"):
        world.do(world.alice, take_back_entered, world.one(select(func.min(Payment.change_set_id))))


def test_a_practitioner_reads_what_they_earn_and_why_and_never_what_is_billed(
    world: World, open_screen: Opener
) -> None:
    world.policy(notes_required=True)
    tab = open_screen(world.tom, "earnings")
    assert list(tab.dataframe[1].value["With"]) == ["Vic", "Sara"]
    assert figures(tab) == {"Expected": "£0.00", "On hold": "£60.00", "Ready": "£0.00", "On a statement": "£0.00",
                            "Paid": "£0.00"}
    assert "worksheet?session=1" in texts(tab), "the way to what is owed"
    world.policy(notes_required=False)
    statement = closed(world)[DocumentKind.STATEMENT]
    tab = open_screen(world.tom, "earnings", month="2026-03")
    assert figures(tab)["On a statement"] == "£60.00"
    assert list(tab.dataframe[1].value["Amount"]) == ["£30.00", "£30.00"]
    assert any(f"/export/document/{statement.id}.pdf" in link.proto.url for link in tab.get("link_button"))
    for person, screen in ((world.tom, "earnings"), (world.tom, "document")):
        tab = open_screen(person, screen, document=statement.id)
        assert not tab.exception
        assert "50.00" not in texts(tab) + "".join(str(frame.value.to_dict()) for frame in tab.dataframe)
    for address in ({"month": "²"}, {"month": "2026-99", "page": "0"}, {"page": "9" * 30}):
        assert not open_screen(world.tom, "earnings", **address).exception


def test_whoever_pays_finds_their_invoices_and_what_is_open(world: World, open_screen: Opener) -> None:
    assert "You have no invoices yet" in texts(open_screen(world.gus, "invoices"))
    invoice = closed(world)[DocumentKind.INVOICE]
    tab = open_screen(world.gus, "invoices")
    assert figures(tab) == {"To pay": "£61.50", "Overdue": "£0.00"}
    assert any(f"/export/document/{invoice.id}.pdf" in link.proto.url for link in tab.get("link_button"))
    tab.button(f"paper-open-{invoice.id}").click().run()
    assert not tab.exception
    assert not [each for each in tab.button if each.key in ("document-pay-open", "document-credit-open")]
    for hidden in (closed_statement(world), 999, "x"):
        assert "does not exist" in texts(open_screen(world.gus, "document", document=hidden))


def closed_statement(world: World) -> int:
    return int(world.one(select(Document.id).where(Document.kind == DocumentKind.STATEMENT)))

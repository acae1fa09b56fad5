"""Rates, outcomes, payers and the ledger on screen: for each role, and what is typed is never lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.attending.commands import record_outcome, reopen_session
from core.attending.rules import Attendance
from core.billing.address import address, read
from core.billing.commands import NewRate, add_payer, add_rate, set_payer
from core.billing.queries import Filters
from core.permissions import Action
from db.models.billing import Biller, LedgerLine, OutcomeMatrix, PaidBy, Payer, Rate
from db.words import LineKind, Outcome, RateUnit, Role, Side
from tests.factories import DAY, HOUR, LONG_AGO, TEN, World, statements
from tests.pages.conftest import Opener
from tests.pages.conftest import texts as written

LATER = TEN + 3 * DAY
SCREENS = ("ledger", "rates", "payers")


def texts(tab: AppTest) -> str:
    """What the screen says, without what keeps it from being read as Markdown."""
    return written(tab).replace("\\", "")


def opened(tab: AppTest, panel: str, *about: int) -> AppTest:
    """The same tab with that panel over it."""
    tab.session_state["panel:open"], tab.session_state["panel:key"] = (panel, about), f"{panel}-key"
    return tab.run()


@pytest.fixture
def taught(world: World) -> World:
    """An hour is billed 50.00 and paid 30.00; Tom taught Sara for an hour and Vic for two, which was reopened."""
    for side, amount in ((Side.BILLED, 5000), (Side.PAID, 3000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, LONG_AGO))
    payer = world.do(world.alice, add_payer, world.programme, {"name": "Gus Grey"}).result
    world.do(world.alice, set_payer, payer, LONG_AGO, [world.sara])
    for learner, minutes, day in ((world.sara, 60, 0), (world.vic, 120, 1)):
        session = world.book(practitioner=world.tom, learner=learner, starts_at=TEN + day * DAY, minutes=minutes)
        world.do(world.tom, record_outcome, session, [Attendance(learner, Outcome.ATTENDED)], now=LATER)
    world.do(world.tom, reopen_session, session, "by mistake", now=LATER)
    return world


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("persona", ["alice", "ben", "cora", "cuno", "mona", "tom", "sara", "gus", "lena"])
def test_x6_those_who_see_money_find_the_screens(
    taught: World, open_screen: Opener, screen: str, persona: str
) -> None:
    if persona not in ("alice", "cora", "mona"):
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            open_screen(taught.people[persona], screen)
        return
    tab = open_screen(taught.people[persona], screen)
    assert not tab.exception
    primary = [each for each in tab.button if each.proto.type == "primary"]
    assert bool(primary) is (persona == "alice" and screen != "ledger"), "only who may change has what changes"


def test_a_custom_manager_sees_and_changes_as_ticked(taught: World, open_screen: Opener) -> None:
    taught.tick(Action.MONEY_SEE)
    assert not [each for each in open_screen(taught.cuno, "rates").button if each.key == "rate-add"]
    taught.tick(Action.MONEY_SEE, Action.MONEY_EDIT)
    assert [each for each in open_screen(taught.cuno, "rates").button if each.key == "rate-add"]


# Rates ---------------------------------------------------------------------------------------------------------------


def test_e3_a_rate_is_added_and_nothing_typed_is_lost(taught: World, open_screen: Opener) -> None:
    tab, form = open_screen(taught.alice, "rates"), f"rate-new-{taught.programme}"
    tab.button("rate-add").click().run()
    tab.text_input(f"{form}:amount").set_value("fifty")
    tab.button(f"{form}:save").click().run()
    assert "Write an amount as a number, such as 33.50." in texts(tab)
    assert "Choose a day." in texts(tab)
    tab.text_input(f"{form}:amount").set_value("45")
    tab.text_input(f"{form}:from_day").set_value("2026-03-01").run()
    tab.button(f"{form}:save").click().run()
    assert "£50.00 an hour is set for the same from 1 Jan 2020 on." in texts(tab)
    assert tab.text_input(f"{form}:amount").value == "45"
    tab.text_input(f"{form}:practitioner:text").set_value("Tom").run()
    tab.button(f"{form}:save").click().run()
    assert "This would change 1 session that amounts were worked out for already." in texts(tab)
    tab.text_input(f"{form}:from_day").set_value("2026-03-10").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert taught.one(select(Rate.amount).where(Rate.practitioner_id == taught.tom)) == 4500
    table = tab.dataframe[0].value
    assert dict(zip(table["For"], table["State"], strict=True)) == {"every session": "in force", "Tom": "ahead"}
    assert "Added the rate of £45.00 an hour." in texts(tab)


def test_e3_a_new_amount_is_tried_before_it_is_saved(taught: World, open_screen: Opener) -> None:
    rate = taught.one(select(Rate.id).where(Rate.side == Side.BILLED))
    tab, form = open_screen(taught.alice, "rates"), f"rate-change-{rate}"
    opened(tab, "rate-change", taught.programme, rate)
    tab.button(f"{form}:simulate").click().run()
    assert "Nothing was recorded from 1 Feb 2026 to 28 Feb 2026." in texts(tab)
    tab.text_input(f"{form}:tried_from").set_value("2026-03-01").run()
    tab.text_input(f"{form}:tried_until").set_value("2026-03-31").run()
    tab.text_input(f"{form}:amount").set_value("60").run()
    tab.button(f"{form}:simulate").click().run()
    assert not tab.exception
    assert {each.label: (each.value, each.delta) for each in tab.metric} == {
        "Billed": ("£60.00", "+£10.00"), "Paid": ("£30.00", "as before"), "Margin": ("£30.00", "+£10.00")}
    (line,) = tab.dataframe[-1].value.to_dict("records")
    assert (line["Whom"], line["Now"], line["Then"], line["Difference"]) == (
        "Sara, billed", "£50.00", "£60.00", "+£10.00")
    assert taught.one(select(Rate.until_day).where(Rate.id == rate)) is None, "nothing was saved"
    tab.text_input(f"{form}:amount").set_value("70").run()
    assert "The form says something else by now." in texts(tab)
    tab.text_input(f"{form}:from_day").set_value("2026-04-01").run()
    tab.button(f"{form}:save").click().run()
    assert taught.all(select(Rate.amount).where(Rate.side == Side.BILLED).order_by(Rate.id)) == [5000, 7000]


def test_ending_a_rate_and_the_days_tried_are_checked(taught: World, open_screen: Opener) -> None:
    rate = taught.one(select(Rate.id).where(Rate.side == Side.PAID))
    tab, form = open_screen(taught.alice, "rates"), f"rate-end-{rate}"
    opened(tab, "rate-end", taught.programme, rate)
    tab.text_input(f"{form}:tried_from").set_value("soon").run()
    tab.button(f"{form}:simulate").click().run()
    assert not tab.metric
    tab.text_input(f"{form}:until_day").set_value("2026-03-02").run()
    tab.button(f"{form}:save").click().run()
    assert "This would change 1 session" in texts(tab)
    tab.text_input(f"{form}:until_day").set_value("2026-03-31").run()
    tab.button(f"{form}:save").click().run()
    assert "The rate ends on 31 Mar 2026." in texts(tab)


def test_e3_which_rate_holds_is_answered(taught: World, open_screen: Opener) -> None:
    taught.do(taught.alice, add_rate, taught.programme, NewRate(
        Side.BILLED, RateUnit.SESSION, 9000, (TEN + DAY * 30).date(), practitioner_id=taught.tom))
    tab, form = open_screen(taught.mona, "rates"), f"rate-which-{taught.programme}"
    tab.button("rate-which").click().run()
    assert "Billed: £50.00 an hour, the rate for every session, from 1 Jan 2020." in texts(tab).replace("*", "")
    tab.text_input(f"{form}:day").set_value("2026-05-01").run()
    tab.text_input(f"{form}:practitioner:text").set_value("Tom").run()
    said = texts(tab).replace("*", "")
    assert "Billed: £90.00 a session, the rate for Tom, from 2 Apr 2026." in said
    assert "It is narrower than £50.00 an hour for every session." in said


@pytest.mark.parametrize(("address_", "shown"), [
    ({}, 2), ({"side": "Paid"}, 1), ({"rate_of": "Tom"}, 0), ({"rate_in": "Maths"}, 0), ({"on": "2019-01-01"}, 0),
    ({"on": "2026-01-01"}, 2), ({"side": "<b>"}, 2), ({"rate_of": "Nobody"}, 2),
])
def test_filters_stand_in_the_address(
    taught: World, open_screen: Opener, address_: dict[str, str], shown: int
) -> None:
    tab = open_screen(taught.mona, "rates", **address_)
    assert not tab.exception
    assert (len(tab.dataframe[0].value) if tab.dataframe else 0) == shown


def test_where_there_are_many_they_are_typed_for(
    taught: World, open_screen: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("rates", "ledger"):
        monkeypatch.setattr(f"ui.{module}.FEW", 0)
    taught.do(taught.alice, add_rate, taught.programme, NewRate(
        Side.BILLED, RateUnit.SESSION, 9000, (TEN + DAY * 30).date(), practitioner_id=taught.tom))
    tab = open_screen(taught.mona, "rates")
    tab.text_input("filter:rate_of:text").set_value("Tom").run()
    assert tab.query_params["rate_of"] in ("Tom", ["Tom"])
    assert list(tab.dataframe[0].value["For"]) == ["Tom"]
    tab = open_screen(taught.mona, "ledger")
    tab.text_input("filter:ledger-practitioner:text").set_value("Tess").run()
    assert tab.query_params["practitioner"] in (str(taught.tess), [str(taught.tess)])
    assert "No line matches." in texts(tab)


# Outcomes ------------------------------------------------------------------------------------------------------------


def test_e3_shares_are_set_from_a_day_on(taught: World, open_screen: Opener) -> None:
    tab, form = open_screen(taught.alice, "rates", terms="Outcomes"), f"matrix-{taught.programme}"
    assert [list(row) for row in tab.table[0].value.to_numpy()][1] == ["Missed", "100 %", "100 %"]
    assert "Coach cancelled" in list(tab.table[0].value["Outcome"])
    tab.button("matrix-add").click().run()
    tab.text_input(f"{form}:missed-paid").set_value("a third")
    tab.button(f"{form}:save").click().run()
    assert "Write a share such as 100 %, 50 % or 1/3; nothing is 0." in texts(tab)
    tab.text_input(f"{form}:missed-paid").set_value("1/3")
    tab.text_input(f"{form}:from_day").set_value("2026-03-03").run()
    tab.button(f"{form}:save").click().run()
    assert "This would change 1 session" in texts(tab)
    tab.text_input(f"{form}:from_day").set_value("2026-04-01").run()
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert taught.one(select(OutcomeMatrix.shares))["missed"] == ["1", "1/3"]
    assert [each.value for each in tab.header] == ["In force", "Ahead and earlier"]
    ahead = tab.dataframe[0].value
    assert list(ahead["Days"]) == ["From 1 Apr 2026 on"] * 2
    assert list(ahead["Missed"]) == ["100 %", "1/3"]
    remove = f"matrix-remove-{taught.one(select(OutcomeMatrix.id))}"
    assert not [each for each in open_screen(taught.mona, "rates", terms="Outcomes").button if each.key == remove]
    assert tab.button(remove).label == "Remove what holds from 1 Apr 2026 on"
    tab.button(remove).click().run()
    assert [each.value for each in tab.header] == ["In force"]
    tab.button("feedback-undo").click().run()
    assert [each.value for each in tab.header] == ["In force", "Ahead and earlier"]
    taught.now = LATER + 60 * DAY
    tab = open_screen(taught.mona, "rates", terms="Outcomes")
    assert tab.header[0].value == "In force since 1 Apr 2026"
    assert list(tab.dataframe[0].value["Days"]) == ["Until 31 Mar 2026"] * 2


# Payers --------------------------------------------------------------------------------------------------------------


def test_e9_those_without_a_payer_are_on_top_and_named_in_one_click(taught: World, open_screen: Opener) -> None:
    tab = open_screen(taught.alice, "payers")
    assert "2 members have nobody who pays." in texts(tab).replace("*", "")
    tab.button(f"pays-{taught.vic}-self").click().run()
    assert not tab.exception
    assert "1 member has nobody who pays." in texts(tab).replace("*", "")
    assert taught.one(select(Payer.name).where(Payer.person_id == taught.vic)) == "Vic"
    assert not [each for each in open_screen(taught.mona, "payers").button if str(each.key).startswith("pays-")]


def test_a_payer_is_added_edited_retired_and_named(taught: World, open_screen: Opener) -> None:
    tab, form = open_screen(taught.alice, "payers"), f"payer-new-{taught.programme}"
    tab.button("payer-add").click().run()
    tab.text_input(f"{form}:tax_rate").set_value("lots")
    tab.button(f"{form}:save").click().run()
    assert "Write a rate such as 20 % or 13.5 %; none is 0." in texts(tab)
    tab.text_input(f"{form}:tax_rate").set_value("13.5")
    tab.text_input(f"{form}:email").set_value("nowhere")
    tab.button(f"{form}:save").click().run()
    assert "Write a name." in texts(tab)
    assert "This is not an e-mail address" in texts(tab)
    tab.text_input(f"{form}:name").set_value("School")
    tab.text_input(f"{form}:email").set_value("school@example.org")
    tab.button(f"{form}:save").click().run()
    assert list(tab.dataframe[0].value["Tax"]) == ["as the programme", "13.5 %"]
    school = taught.one(select(Payer.id).where(Payer.name == "School"))
    form = f"payer-for-{school}"
    opened(tab, "payer-for", taught.programme, school)
    tab.button(f"{form}:save").click().run()
    assert "Type a name and choose the one that is meant." in texts(tab)
    tab.text_input(f"{form}:learner:text").set_value("Sam").run()
    tab.button(f"{form}:save").click().run()
    assert taught.one(select(PaidBy.payer_id).where(PaidBy.learner_id == taught.sam)) == school
    assert "Sam · from 2 Mar 2026" in texts(tab)
    form = f"payer-edit-{school}"
    opened(tab, "payer-edit", taught.programme, school)
    tab.text_input(f"{form}:name").set_value("The school")
    tab.button(f"{form}:save").click().run()
    assert "Changed the payer The school." in texts(tab)


def test_the_invoice_header_is_kept_in_its_own_tab(taught: World, open_screen: Opener) -> None:
    tab, form = open_screen(taught.alice, "payers", billing="Invoice header"), f"biller-{taught.programme}"
    tab.text_input(f"{form}:tax_rate").set_value("23 %")
    tab.button(f"{form}:save").click().run()
    assert "Write the name that stands on invoices." in texts(tab)
    tab.text_input(f"{form}:name").set_value("Liffey Tutors Ltd")
    tab.button(f"{form}:save").click().run()
    assert not tab.exception
    assert taught.one(select(Biller.tax_rate)) == 2300
    assert "Liffey Tutors Ltd" in texts(open_screen(taught.mona, "payers", billing="Invoice header"))


# Ledger --------------------------------------------------------------------------------------------------------------


def test_x4_the_ledger_says_why_and_sums_up(taught: World, open_screen: Opener) -> None:
    tab = open_screen(taught.mona, "ledger")
    assert not tab.exception
    assert {each.label: each.value for each in tab.metric} == {
        "Billed": "£50.00", "Paid": "£30.00", "Margin": "£20.00"}
    table = tab.dataframe[0].value
    assert list(table["Note"]).count("takes back an earlier line") == 2
    assert "↩ -£100.00" in list(table["Amount"])
    assert list(table["Why this amount"])[-1].startswith("Attended: 60 minutes at £50.00 an hour, by the programme's")
    assert "nobody yet" in list(table["Payer"])
    assert "1–6 of 6 lines" in texts(tab)


@pytest.mark.parametrize(("filters", "count"), [
    (Filters(), 6), (Filters(kind=LineKind.CHARGE), 3), (Filters(until_day=TEN.date()), 2),
    (Filters(only_held=True), 0),
    (Filters(from_day=(TEN + DAY).date(), kind=LineKind.PAYOUT), 2), (Filters(without_payer=True), 0),
    (Filters(outcomes=(Outcome.MISSED,)), 0), (Filters(months=(LONG_AGO, TEN.date().replace(day=1))), 6),
    (Filters(practitioner_ids=(10**9,)), 0), (Filters(payer_ids=(1,), learner_ids=(10**9,)), 0),
    (Filters(course_ids=(1,)), 0),
])
def test_its_filters_stand_in_the_address(taught: World, open_screen: Opener, filters: Filters, count: int) -> None:
    assert read(address(filters)) == filters
    tab = open_screen(taught.mona, "ledger")
    for name, values in address(filters).items():
        tab.query_params[name] = values
    tab.run()
    assert not tab.exception
    assert (len(tab.dataframe[0].value) if tab.dataframe else 0) == count


@pytest.mark.parametrize("strange", [
    {"from": "9999-99-99"}, {"kind": "<b>"}, {"payer": "9" * 30}, {"payer": "²"}, {"month": "2026-13"}, {"page": "-1"},
    {"learner": "\0"}, {"held": "maybe"}, {"page": "9" * 8},
])
def test_a_strange_address_is_no_mishap(taught: World, open_screen: Opener, strange: dict[str, str]) -> None:
    assert not open_screen(taught.mona, "ledger", **strange).exception


def test_choosing_puts_it_into_the_address_and_coming_back_finds_it(taught: World, open_screen: Opener) -> None:
    tab = open_screen(taught.mona, "ledger")
    tab.selectbox("filter:ledger-kind").set_value("payout").run()
    assert tab.query_params["kind"] in ("payout", ["payout"])
    assert set(tab.dataframe[0].value["Side"]) == {"paid"}
    tab.button("filter:clear").click().run()
    assert "kind" not in tab.query_params


def test_it_asks_the_same_number_of_questions_for_few_and_for_many(taught: World, open_screen: Opener) -> None:
    def asked() -> tuple[int, Any]:
        with statements(taught.engine) as sent:
            tab = open_screen(taught.mona, "ledger")
        assert not tab.exception
        return len(sent), tab

    few, _ = asked()
    for n in range(30):
        who = taught.person(f"Extra {n:02}", Role.LEARNER)
        session = taught.book(practitioner=taught.tom, learner=who, starts_at=TEN + timedelta(days=5) + n * HOUR,
                              reason="many")
        taught.do(taught.tom, record_outcome, session, [Attendance(who, Outcome.ATTENDED)], now=LATER + 9 * DAY)
    many, tab = asked()
    assert few == many
    assert len(tab.dataframe[0].value) == 50
    assert taught.one(select(LedgerLine.id).order_by(LedgerLine.id.desc()).limit(1)) == 66

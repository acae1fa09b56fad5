"""Billing on screen: for each role, its months and filters, its figures with their meaning, the way behind them."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete
from streamlit.testing.v1 import AppTest

from core.attending.commands import cancel_parts, record_outcome
from core.attending.rules import Attendance
from core.billing.address import read
from core.billing.commands import NewRate, add_payer, add_rate, set_payer
from core.billing.figures import MEANS
from core.billing.queries import lines
from core.permissions import Action
from db.models.billing import PaidBy
from db.words import Outcome, RateUnit, Role, Side
from tests.factories import DAY, HOUR, LONG_AGO, TEN, World, statements
from tests.pages.conftest import Opener, texts

LINK = re.compile(r'<a href="([^"]*)" title="([^"]*)">([^<]*)</a>')
LATER = TEN + 4 * DAY


def html(tab: AppTest) -> str:
    return "".join(str(each.value) for each in tab.get("html") if "figures-scroll\"" in str(each.value))


def whole(tab: AppTest) -> str:
    """The tables of all parts, one after the other: one is drawn at a time."""
    found = [html(tab)]
    for part in parts(tab)[1:]:
        found.append(html(opened(tab, part)))
    return "".join(found)


def parts(tab: AppTest) -> list[str]:
    return [each.label for each in tab.tabs]


def opened(tab: AppTest, part: str) -> AppTest:
    tab.session_state["billing-parts"] = part
    return tab.run()


def figures(tab: AppTest) -> dict[str, str]:
    return {each.label.partition(" (")[0]: each.value for each in tab.metric}


def taught(world: World, learner: int, outcome: Outcome = Outcome.ATTENDED, *, minutes: int = 60, hour: int = 0) -> int:
    session = world.book(practitioner=world.tom, learner=learner, starts_at=TEN + hour * HOUR, minutes=minutes,
                                   course_ids=(world.maths,), reason="asked for")
    world.do(world.tom, record_outcome, session, [Attendance(learner, outcome)], now=LATER)
    return session


@pytest.fixture
def priced(world: World) -> World:
    """An hour is billed 50.00 and paid 30.00; Gus pays for Sara, and nobody for the others."""
    for side, amount in ((Side.BILLED, 5000), (Side.PAID, 3000)):
        world.do(world.alice, add_rate, world.programme, NewRate(side, RateUnit.HOUR, amount, LONG_AGO))
    payer = world.do(world.alice, add_payer, world.programme, {"name": "Gus <Grey> & Co"}).result
    world.do(world.alice, set_payer, payer, LONG_AGO, [world.sara])
    return world


@pytest.mark.parametrize("persona", ["alice", "cora", "mona"])
def test_those_who_see_money_find_its_figures(priced: World, open_screen: Opener, persona: str) -> None:
    taught(priced, priced.sara)
    tab = open_screen(priced.people[persona], "billing")
    assert not tab.exception
    assert figures(tab) == {"Billed": "£50.00", "Paid": "£30.00", "Margin": "£20.00", "Outstanding": "£0.00",
                            "On hold": "£0.00"}
    assert {each.label.partition(" (")[0]: each.help for each in tab.metric} == MEANS
    assert "Sessions of Apr 2025 – Mar 2026, days in Europe/London (GMT) · amounts in GBP, without tax" in texts(tab)


@pytest.mark.parametrize("persona", ["ben", "cuno", "tom", "sara", "gus", "lena", "zed"])
def test_x6_nobody_else_does(priced: World, open_screen: Opener, persona: str) -> None:
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_screen(priced.people[persona], "billing")


def test_a_custom_manager_does_where_ticked(priced: World, open_screen: Opener) -> None:
    priced.tick(Action.MONEY_SEE)
    assert not open_screen(priced.cuno, "billing").exception


def test_without_any_money_it_says_so_and_shows_no_empty_charts(priced: World, open_screen: Opener) -> None:
    tab = open_screen(priced.mona, "billing")
    assert "Nothing was billed or paid in these months." in texts(tab)
    assert not tab.get("plotly_chart")
    assert not tab.metric
    taught(priced, priced.sara)
    tab = open_screen(priced.mona, "billing", first="2025-01", last="2025-03")
    assert "Choose other months" in texts(tab)


def test_every_link_leads_to_exactly_the_lines_that_it_sums_up(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    taught(priced, priced.vic, Outcome.MISSED, minutes=90, hour=2)
    late = priced.book(practitioner=priced.tom, learner=priced.sara, starts_at=TEN + 6 * HOUR)
    priced.do(priced.sara, cancel_parts, late, [priced.sara], "ill", now=TEN)
    tab = open_screen(priced.mona, "billing")
    found, tables = {}, whole(tab)
    for where, title, said in LINK.findall(tables):
        asked = parse_qs(urlsplit(where.replace("&amp;", "&")).query)
        assert urlsplit(where).path == "/ledger"
        assert asked["programme"] == ["Home"]
        with priced.reading(priced.mona) as work:
            page = lines(work, priced.programme, read(asked))
        found[title] = said
        side = title.rpartition(", ")[2]
        sums = {"billed": page.charged, "paid": page.paid, "margin": page.charged - page.paid}
        assert said == f"£{sums.get(side, page.charged) / 100:,.2f}"
    margins = {title.removesuffix(", margin"): said for title, said in found.items() if title.endswith("margin")}
    assert margins == {"Mar 2026": "£70.00", "Tom": "£70.00", "Maths": "£50.00", "attended": "£20.00",
                       "missed": "£30.00", "cancelled late": "£20.00"}
    assert {title: said for title, said in found.items() if not title.endswith("margin")} == {
        "Mar 2026, billed": "£175.00", "Mar 2026, paid": "£105.00", "Tom, billed": "£175.00", "Tom, paid": "£105.00",
        "Maths, billed": "£125.00", "Maths, paid": "£75.00", "Gus &lt;Grey&gt; &amp; Co, billed": "£100.00",
        "Nobody yet, billed": "£75.00", "attended, billed": "£50.00", "attended, paid": "£30.00",
        "missed, billed": "£75.00", "missed, paid": "£45.00", "cancelled late, billed": "£50.00",
        "cancelled late, paid": "£30.00",
    }
    assert "No theme" in tables, "what has no course leads nowhere, since no filter says so"
    assert ("Missed: 1 billed for £75.00, £45.00 paid, so they brought £30.00. Cancelled late: 1 billed for £50.00,"
            " £30.00 paid, so they brought £20.00.") in texts(opened(tab, "Outcomes"))
    assert "<Grey>" not in tables


def test_a_figure_leads_to_the_ledger(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    tab = open_screen(priced.mona, "billing")
    tab.button("behind-Paid").click().run()
    assert tab.title[0].value == "Ledger"
    assert {name: "".join(values) for name, values in tab.query_params.items() if name != "programme"} == {
        "from": "2025-04-01", "until": "2026-03-31", "kind": "payout"}


def test_e1_pay_on_hold_stands_by_age(priced: World, open_screen: Opener) -> None:
    priced.policy(notes_required=True)
    taught(priced, priced.sara)
    priced.now = TEN + 40 * DAY
    tab = open_screen(priced.mona, "billing")
    assert figures(tab)["On hold"] == "£30.00"
    (link,) = [where for where, title, _ in LINK.findall(whole(tab)) if title.startswith("31–60 days")]
    assert parse_qs(urlsplit(link.replace("&amp;", "&")).query)["held"] == ["yes"]


def test_choosing_puts_it_into_the_address(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    tab = open_screen(priced.mona, "billing")
    tab.selectbox("billing:span").set_value("3").run()
    assert "".join(tab.query_params["span"]) == "3"
    assert "Jan 2026 – Mar 2026" in texts(tab)
    tab.selectbox("filter:billing-practitioner").set_value(str(priced.tess)).run()
    assert "".join(tab.query_params["practitioner"]) == str(priced.tess)
    assert "Nothing was billed or paid in these months. Choose other months, or clear the filters." in texts(tab)
    tab.button("filter:clear").click().run()
    assert "span" not in tab.query_params
    assert figures(tab)["Billed"] == "£50.00"
    tab.selectbox("billing:span").set_value("own").run()
    tab.text_input("filter:billing-first").set_value("2026-03").run()
    tab.text_input("filter:billing-last").set_value("2026-03").run()
    assert not tab.exception
    assert "Sessions of Mar 2026, days" in texts(tab)


@pytest.mark.parametrize("address", [
    {"first": "9999-99"}, {"first": "2099-12"}, {"last": "2000-01"}, {"span": "<b>"}, {"practitioner": "\0"},
    {"course": "9" * 30}, {"first": "2026-05", "last": "2026-01"}, {"practitioner": "999"}, {"span": "all"},
])
def test_a_strange_address_is_no_mishap(priced: World, open_screen: Opener, address: dict[str, str]) -> None:
    taught(priced, priced.sara)
    assert not open_screen(priced.alice, "billing", **address).exception


def test_programmes_stand_side_by_side_for_whoever_sees_money_of_several(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    assert "Side by side" not in parts(open_screen(priced.mona, "billing"))
    priced.grant(priced.mona, Role.INSIGHT_VIEWER, programme=priced.elsewhere)
    priced.do(priced.zara, add_rate, priced.elsewhere, NewRate(Side.BILLED, RateUnit.SESSION, 7000, LONG_AGO))
    session = priced.elsewhere_session()
    priced.do(priced.zed, record_outcome, session, [Attendance(priced.zoe, Outcome.ATTENDED)], now=LATER)
    tab = open_screen(priced.mona, "billing")
    assert "£70.00" in html(opened(tab, "Side by side"))


def test_what_is_not_looked_at_is_not_added_up(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    tab = open_screen(priced.mona, "billing")
    with statements(priced.engine) as sent:
        tab.run()
    assert "By payer" in parts(tab)
    names = "SELECT payer.id, payer.name"
    assert not any(each.startswith(names) for each in sent), "its tab is there, and nothing in it yet"
    with statements(priced.engine) as sent:
        opened(tab, "By payer")
    assert any(each.startswith(names) for each in sent)


def test_it_asks_the_same_number_of_questions_for_few_and_for_many(priced: World, open_screen: Opener) -> None:
    def asked() -> tuple[int, AppTest]:
        with statements(priced.engine) as sent:
            tab = open_screen(priced.mona, "billing")
        assert not tab.exception
        return len(sent), tab

    taught(priced, priced.sara)
    few, _ = asked()
    priced.raw(lambda work: work.tx.execute(delete(PaidBy)) and None)
    for n in range(20):
        learner = priced.person(f"Extra {n:02}", Role.LEARNER)
        payer = priced.do(priced.alice, add_payer, priced.programme, {"name": f"Payer {n:02}"}).result
        priced.do(priced.alice, set_payer, payer, LONG_AGO, [learner])
        taught(priced, learner, minutes=15, hour=n + 2)
    many, tab = asked()
    assert few == many
    assert "6 others" in html(opened(tab, "By payer"))
    assert "the others together are in the table" in texts(tab)
    charts = [each.proto.spec for each in tab.get("plotly_chart")]
    assert any("Payer 1" in spec for spec in charts)
    assert not any("6 others" in spec for spec in charts), "all the others would dwarf each by name"


def test_coming_back_finds_it_as_it_was_left(priced: World, open_screen: Opener) -> None:
    taught(priced, priced.sara)
    tab = open_screen(priced.mona, "billing", span="3")
    tab.switch_page("../pages/money/ledger.py").run()
    tab.query_params = {}
    tab.switch_page("../pages/insight/billing.py").run()
    assert "Jan 2026 – Mar 2026" in texts(tab)
    assert "".join(tab.query_params["span"]) == "3"

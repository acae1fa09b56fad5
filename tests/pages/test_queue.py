"""The work queue of staff: who owes what, narrowed by the address, reminders, objections (E1, X6)."""

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.attending.commands import dispute_outcome, record_outcome
from core.attending.rules import Attendance
from core.sessions.queries import PAGE
from db.models.notices import Notice
from db.words import Outcome
from tests.factories import DAY, HOUR, TEN, World, statements
from tests.pages.conftest import Opener, texts


def listed(tab: AppTest) -> list[str]:
    """Whose the sessions of the table are."""
    assert not tab.exception, tab.exception
    return list(tab.dataframe[0].value["Coach"])


def reminders(world: World) -> list[int]:
    return world.all(select(Notice.person_id).where(Notice.text.contains("log")).order_by(Notice.person_id))


def test_it_lists_what_everybody_owes_and_narrows_it(world: World, open_screen: Opener) -> None:
    for who, days in ((world.tom, 0), (world.tom, 3), (world.tess, 1)):
        world.book(practitioner=who, learner=world.sara, starts_at=TEN + days * DAY)
    world.now = TEN + 3 * DAY + HOUR
    tab = open_screen(world.ben, "queue")
    assert listed(tab) == ["Tom", "Tess", "Tom"]
    assert "Pay that waits" not in tab.dataframe[0].value
    assert listed(open_screen(world.ben, "queue", whose=world.tess)) == ["Tess"]
    assert listed(open_screen(world.ben, "queue", overdue="yes")) == ["Tom"]
    for odd in ({"whose": "x"}, {"page": "99999"}, {"page": "0"}, {"page": "-1"}, {"overdue": "perhaps"}):
        assert len(listed(open_screen(world.ben, "queue", **odd))) == 3
    tab.toggle("queue-overdue").set_value(True).run()
    assert listed(tab) == ["Tom"]
    assert tab.query_params["overdue"] in ("yes", ["yes"])
    tab.button("queue-remind-late").click().run()
    assert reminders(world) == [world.tom]
    assert "Reminded 1 coach." in texts(tab).replace("\\", "")


def test_x6_it_is_for_those_alone_who_may_see_it(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.now = TEN + DAY
    for name in ("tom", "sara", "gus", "lena", "mona", "cuno"):
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            open_screen(getattr(world, name), "queue")


def test_nothing_owed_says_so(world: World, open_screen: Opener) -> None:
    assert "every session is logged" in texts(open_screen(world.ben, "queue"))


def test_fifty_on_a_page_with_the_same_number_of_questions(world: World, open_screen: Opener) -> None:
    counts = []
    for n in range(2):
        world.book_many([world.booking(practitioner=world.tom, learner=world.sara, starts_at=TEN + (n * 60 + k) * DAY,
                                       reason="so") for k in range(1 + (PAGE + 1) * n)])
        world.now = TEN + 200 * DAY
        with statements(world.engine) as sent:
            tab = open_screen(world.ben, "queue")
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert len(listed(tab)) == PAGE
    assert len(listed(open_screen(world.ben, "queue", page=2))) == 3


def test_objections_wait_there_to_be_answered(world: World, open_screen: Opener) -> None:
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.now = TEN + DAY
    world.do(world.tom, record_outcome, session, [Attendance(world.sara, Outcome.MISSED)])
    objection = world.do(world.sara, dispute_outcome, session, world.sara, "I was there.").result
    tab = open_screen(world.ben, "queue")
    assert "I was there" in texts(tab)
    tab.button(f"answer-{objection}").click().run()
    tab.text_area(f"answer-{session}:answer").set_value("So you were.").run()
    tab.button(f"answer-{session}:send").click().run()
    assert not tab.exception
    assert "I was there" not in texts(tab)

"""Home: what comes next, what waits, and notices; for everybody who may open it."""

import pytest
from sqlalchemy import select

from core.notifications.queries import my_notices
from core.people.commands import NewPerson, add_people
from core.work import THE_PORTAL
from db.models.notices import Notice
from db.words import Role
from tests.factories import DAY, NOW, TEN, World, statements
from tests.pages.conftest import Opener, texts


def _links(tab: object) -> list[str]:
    return [str(link.label) for link in tab.get("page_link")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("persona", "title"),
    [("alice", "Coming up in Home"), ("ben", "Coming up in Home"), ("cora", "Coming up in Home"),
     ("cuno", "Coming up in Home"), ("mona", "Coming up in Home"), ("tom", "Your next sessions"),
     ("sara", "Your next sessions"), ("gus", "Coming up for those you look after"),
     ("lena", "Coming up for those you manage")],
)
def test_everybody_sees_what_comes_next_for_them(
    world: World, open_screen: Opener, persona: str, title: str
) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="A first look")
    tab = open_screen(getattr(world, persona), "home")
    assert not tab.exception
    assert title in [each.value for each in tab.header]
    assert any("10:00" in label for label in _links(tab))


def test_d7_a_line_manager_reads_no_words_on_the_home_page(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN, description="Secret plans")
    assert "Secret plans" in texts(open_screen(world.gus, "home"))
    assert "Secret plans" not in texts(open_screen(world.lena, "home"))


def test_x6_nothing_of_others_is_there(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tess, learner=world.vic, starts_at=TEN)
    for somebody in (world.tom, world.sara, world.gus, world.lena, world.zed):
        assert not any("10:00" in label for label in _links(open_screen(somebody, "home")))


def test_what_waits_leads_to_the_list(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.book(learner=world.sara)
    world.now = NOW + 3 * DAY
    said = texts(open_screen(world.ben, "home"))
    assert "**1** :orange-badge[:material/edit_note: to log]" in said
    assert "unassigned" in said
    tab = open_screen(world.tom, "home")
    assert "To log" in [each.value for each in tab.header]
    assert "unassigned" not in texts(tab)
    for other in (world.sara, world.tess, world.lena):
        tab = open_screen(other, "home")
        assert "To log" not in [each.value for each in tab.header]
        assert "to log" not in texts(tab)


def test_notices_are_read_one_by_one_and_all_at_once(world: World, open_screen: Opener) -> None:
    for minute in range(2):
        world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + minute * DAY)
    tab = open_screen(world.tom, "home")
    unread = world.all(select(Notice.id).where(Notice.person_id == world.tom, Notice.read_at.is_(None)))
    assert len(unread) == 2
    tab.button(f"read-{unread[0]}").click().run()
    assert world.all(select(Notice.id).where(Notice.person_id == world.tom, Notice.read_at.is_(None))) == unread[1:]
    tab.button("read-all").click().run()
    assert not tab.exception
    assert not world.all(select(Notice.id).where(Notice.person_id == world.tom, Notice.read_at.is_(None)))


def test_what_a_notice_says_is_text(world: World, open_screen: Opener) -> None:
    world.add(Notice, person_id=world.tom, programme_id=world.programme, text="<b>*you*</b> [x](http://y)",
              created_at=NOW)
    assert "\\*you\\*" in texts(open_screen(world.tom, "home"))


def test_a_new_programme_says_what_to_do_first(world: World, open_screen: Opener) -> None:
    assert any("Book the first session" in label for label in _links(open_screen(world.alice, "home")))
    assert not any("Book the first" in label for label in _links(open_screen(world.tom, "home")))
    world.book(practitioner=world.tom, starts_at=TEN)
    assert not any("Book the first session" in label for label in _links(open_screen(world.alice, "home")))


def test_somebody_in_no_programme_is_told_so(world: World, open_screen: Opener) -> None:
    stray = world.person("Stray")
    tab = open_screen(stray, "home")
    assert not tab.exception
    assert "not in any programme" in texts(tab)


def test_sessions_of_every_programme_are_there(world: World, open_screen: Opener) -> None:
    world.grant(world.zed, Role.LEARNER)
    world.elsewhere_session()
    world.book(practitioner=world.tom, learner=world.zed, starts_at=TEN + DAY)
    assert len([label for label in _links(open_screen(world.zed, "home")) if "10:00" in label]) == 2


def test_the_page_asks_the_same_number_of_questions(world: World, open_screen: Opener) -> None:
    counts = []
    for number in range(2):
        for hour in range(3 * number + 1):
            world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + number * DAY + hour * DAY / 24)
        with statements(world.engine) as sent:
            open_screen(world.tom, "home")
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_password_request_reaches_an_admin(world: World, open_screen: Opener) -> None:
    from core.access.commands import request_password

    world.do(THE_PORTAL, request_password, "sara@example.org")
    assert "asks for a new password" in texts(open_screen(world.ben, "home"))


def test_people_added_twice_see_it(world: World, open_screen: Opener) -> None:
    world.do(world.alice, add_people, world.programme, [NewPerson("Zed", (Role.LEARNER,), "zed@example.org")])
    assert "You were added to Home" in texts(open_screen(world.zed, "home")).replace("\\", "")


def test_x6_a_notice_says_who_is_concerned_as_far_as_its_reader_sees(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    lesson = world.book(practitioner=world.tom, team=world.comet, starts_at=TEN + DAY)
    world.add(Notice, person_id=world.gus, programme_id=world.programme, session_id=lesson, text="Moved.",
              created_at=NOW)
    with world.reading(world.tom) as work:
        told = [notice.session for notice in my_notices(work)]
    assert [row and (row.practitioner, row.learners, row.team) for row in told] == [
        ("Tom", ("Sam", "Sara"), "Comet"), ("Tom", ("Sara",), "")]
    with world.reading(world.gus) as work:
        assert [notice.session and notice.session.learners for notice in my_notices(work)] == [("Sara",)]
    assert ":small[Sara]" in texts(open_screen(world.tom, "home"))
    assert ":small[Tom]" in texts(open_screen(world.sara, "home"))


def test_a_notice_names_its_programme_where_its_reader_is_in_several(world: World, open_screen: Opener) -> None:
    world.grant(world.zed, Role.LEARNER)
    world.book(practitioner=world.tom, learner=world.zed, starts_at=TEN + DAY)
    assert ":small[Tom · Home]" in texts(open_screen(world.zed, "home"))


def test_whoever_only_looks_on_is_not_asked_to_do_anything(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    world.now = NOW + 3 * DAY
    assert "See them" in _links(open_screen(world.mona, "home"))
    assert "Record what came of them" in _links(open_screen(world.ben, "home"))
    assert any(str(each.key).startswith("log-") for each in open_screen(world.tom, "home").button)

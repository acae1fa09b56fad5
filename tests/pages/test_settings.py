"""Programme settings and *My account*: who may open what, every form, and what a change brings about."""

from datetime import time
from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.access import commands as access
from core.people.commands import edit_own_profile
from core.permissions import Action
from core.programmes.commands import change_policy
from core.programmes.queries import policy_of
from core.programmes.rules import Policy, WhoBooks
from core.structure.commands import add_entries, edit_entry, retire_entries
from core.structure.rules import Entry, Which
from db.models.access import Account, SignIn
from db.models.people import Person, Team, TeamMember
from db.models.programmes import Programme, RoleGrant
from db.models.structure import Course, Room, Timetable
from db.words import Role
from tests.factories import HOUR, TEN, World
from tests.pages.conftest import Opener, texts
from tests.portal import PASSWORD, PASSWORD_HASH


def _said(tab: AppTest) -> str:
    tables = "\n".join(str(table.value.to_dict()) for table in tab.table)
    return f"{texts(tab)}\n{tables}".replace("\\", "")


def _policy(world: World) -> Policy:
    with world.reading(world.alice) as work:
        return policy_of(work, world.programme)


def _settings(open_screen: Opener, person: int) -> AppTest:
    tab = open_screen(person, "programme")
    assert not tab.exception
    return tab


def _press(tab: AppTest, key: str) -> AppTest:
    tab.button(key).click().run()
    assert not tab.exception
    return tab


def test_a_curriculum_manager_sees_the_lists_alone(world: World, open_screen: Opener) -> None:
    with pytest.raises(ValueError, match="programme"):
        _settings(open_screen, world.cora)
    assert "Maths" in str(open_screen(world.cora, "courses").dataframe[0].value.to_dict())
    assert [tab.label for tab in _settings(open_screen, world.alice).tabs] == [
        "Policy", "Words", "Closures", "Roles", "Programme", "New programme"]


def test_an_address_of_the_lists_kept_from_before_leads_to_them(world: World, open_screen: Opener) -> None:
    assert "Themes" in texts(open_screen(world.alice, "programme", tab="Lists"))


def test_a_list_is_searched_and_shows_what_is_retired_when_asked(world: World, open_screen: Opener) -> None:
    world.do(world.alice, retire_entries, Which.ROOM, [world.attic])

    def names(tab: AppTest) -> list[str]:
        return list(tab.dataframe[0].value["Name"]) if tab.dataframe else []

    tab = open_screen(world.cora, "rooms")
    assert names(tab) == ["Blue room"]
    assert names(tab.toggle("list-room-retired").set_value(True).run()) == ["Blue room", "Attic"]
    assert names(tab.text_input("list-room-text").set_value("ATT").run()) == ["Attic"]
    tab.text_input("list-room-text").set_value("100%").run()
    assert "No room is called like that" in texts(tab)


def test_a_long_list_comes_in_pages(world: World, open_screen: Opener) -> None:
    world.do(world.alice, add_entries, world.programme, Which.TEAM, [Entry(f"Team {n:03}") for n in range(60)])
    tab = open_screen(world.alice, "teams")
    assert "1–50 of 62" in texts(tab)
    tab.session_state["list-team-page"] = 2
    assert "51–62 of 62" in texts(tab.run())


def test_members_of_a_team_come_and_go(world: World, open_screen: Opener) -> None:
    form = f"entry-members-{world.comet}"
    tab = _entry(open_screen, world.alice, "entry-members", world.programme, world.comet)
    assert "**Sara** · from 1 Jan 2020" in texts(tab)
    _press(tab, f"{form}:save")
    assert "choose the one that is meant" in _said(tab)
    tab.text_input(f"{form}:learner:text").set_value("Vic").run()
    _press(tab, f"{form}:save")
    member = world.one(select(TeamMember.id).where(TeamMember.learner_id == world.vic))
    _press(tab, f"leave-{member}")
    assert world.one(select(TeamMember.until_day).where(TeamMember.id == member)) == world.now.date()


def test_c5_a_room_is_made_smart_and_a_course_has_its_hours(world: World, open_screen: Opener) -> None:
    form = f"entry-edit-room-{world.attic}"
    tab = _entry(open_screen, world.cora, "entry-edit", world.programme, Which.ROOM, world.attic)
    tab.checkbox(f"{form}:smart").set_value(True).run()
    tab.checkbox(f"{form}:records").set_value(True)
    _press(tab, f"{form}:save")
    assert world.all(select(Room.smart, Room.records).where(Room.id == world.attic)) == [(True, True)]
    tab = _entry(open_screen, world.cora, "entry-edit", world.programme, Which.COURSE, world.maths)
    tab.number_input(f"entry-edit-course-{world.maths}:hours").set_value(7.5)
    tab.number_input(f"entry-edit-course-{world.maths}:weeks").set_value(52)
    _press(tab, f"entry-edit-course-{world.maths}:save")
    assert world.all(select(Course.off_job_minutes, Course.weeks).where(Course.id == world.maths)) == [(450, 52)]


# Policy ------------------------------------------------------------------------------------------------------------


def test_the_effect_stands_there_before_saving(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"policy-{world.programme}"
    assert tab.button(f"{form}:save").disabled
    tab.radio(f"{form}:who_books").set_value(WhoBooks.STAFF).run()
    assert "Only staff book, move, cancel and delete." in _said(tab)
    assert "2 coaches can no longer book." in _said(tab)
    assert _policy(world).who_books is not WhoBooks.STAFF
    _press(tab, f"{form}:save")
    assert _policy(world).who_books is WhoBooks.STAFF
    _press(tab, "feedback-undo")
    assert _policy(world).who_books is not WhoBooks.STAFF


def test_b13_a_policy_shows_the_sessions_that_it_leaves_outside_before_saving(
    world: World, open_screen: Opener
) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    session = world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN + 3 * HOUR)
    tab, form = _settings(open_screen, world.alice), f"policy-{world.programme}"
    tab.number_input(f"{form}:most_a_day").set_value(1).run()
    assert "1 session ahead will lie outside these rules. It stays booked." in _said(tab)
    assert f"(worksheet?session={session}) · Tom with Sara" in _said(tab)
    tab.number_input(f"{form}:most_a_day").set_value(2).run()
    assert "will lie outside" not in _said(tab)


def test_every_field_of_the_policy_is_saved(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"policy-{world.programme}"
    tab.number_input(f"{form}:usual_minutes").set_value(45)
    tab.number_input(f"{form}:longest_minutes").set_value(120)
    tab.toggle(f"{form}:smart_rooms").set_value(True)
    tab.toggle(f"{form}:report_required").set_value(True)
    tab.toggle(f"{form}:notes_required").set_value(True)
    for name, value in (("log_hours", 24), ("missed_wait", 10), ("remind_every", 3)):
        tab.number_input(f"{form}:{name}").set_value(value)
    tab.time_input(f"{form}:from.0").set_value(time(7, 30))
    tab.time_input(f"{form}:to.0").set_value(time(0, 0))
    tab.checkbox(f"{form}:open.1").set_value(False)
    tab.run()
    _press(tab, f"{form}:save")
    now = _policy(world)
    assert (now.usual_minutes, now.longest_minutes, now.smart_rooms, now.report_required) == (45, 120, True, True)
    assert (now.notes_required, now.log_hours, now.missed_wait, now.remind_every) == (True, 24, 10, 3)
    assert now.open_hours[:2] == [(450, 1440), None]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [("usual_minutes", 0, "Minutes in steps of 5"), ("usual_minutes", -5, "Minutes in steps of 5"),
     ("usual_minutes", 7, "Minutes in steps of 5"), ("usual_minutes", 1800, "Minutes in steps of 5"),
     ("usual_minutes", None, "Minutes in steps of 5"), ("longest_minutes", 10, "Minutes in steps of 5"),
     ("longest_minutes", 30, "cannot be more than the longest")],
)
def test_bad_minutes_are_told_and_nothing_is_saved(
    world: World, open_screen: Opener, field: str, value: int | None, problem: str
) -> None:
    tab, form, before = _settings(open_screen, world.alice), f"policy-{world.programme}", _policy(world)
    tab.number_input(f"{form}:{field}").set_value(value).run()
    assert not tab.exception
    assert problem in _said(tab)
    assert tab.button(f"{form}:save").disabled
    assert tab.number_input(f"{form}:{field}").value == value
    assert _policy(world) == before


def test_hours_that_end_before_they_begin(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"policy-{world.programme}"
    tab.time_input(f"{form}:to.2").set_value(time(1, 0)).run()
    assert "The end has to be after the beginning." in _said(tab)
    assert tab.button(f"{form}:save").disabled


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_stale_policy_shows_both_versions_and_loses_neither(
    world: World, open_screen: Opener, choice: str
) -> None:
    tab, form = _settings(open_screen, world.alice), f"policy-{world.programme}"
    tab.number_input(f"{form}:usual_minutes").set_value(45).run()
    theirs = _policy(world).model_copy(update={"report_required": True, "usual_minutes": 30})
    world.do(world.alice, change_policy, world.programme, theirs)
    _press(tab, f"{form}:save")
    assert _policy(world).usual_minutes == 30
    assert "A new booking starts out with 45 minutes." in _said(tab)
    assert "A new booking starts out with 30 minutes." in _said(tab)
    _press(tab, f"{form}:{choice}")
    assert _policy(world).usual_minutes == (45 if choice == "mine" else 30)


def test_ones_own_change_makes_no_other_form_stale(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"words-{world.programme}"
    tab.text_input(f"{form}:words.learner").set_value("pupil").run()
    assert "All sessions of all coaches and pupils" in _said(tab)
    _press(tab, f"{form}:save")
    assert _policy(world).words.learner == "pupil"
    tab.number_input(f"policy-{world.programme}:usual_minutes").set_value(45).run()
    _press(tab, f"policy-{world.programme}:save")
    assert (_policy(world).usual_minutes, _policy(world).words.learner) == (45, "pupil")


@pytest.mark.parametrize(
    ("word", "problem"),
    [("", "Write a word."), ("  ", "Write a word."), ("x" * 41, "At most 40 characters")],
)
def test_words_are_words(world: World, open_screen: Opener, word: str, problem: str) -> None:
    tab, form = _settings(open_screen, world.alice), f"words-{world.programme}"
    tab.text_input(f"{form}:words.session").set_value(word).run()
    assert problem in _said(tab)
    assert tab.text_input(f"{form}:words.session").value == word
    assert tab.button(f"{form}:save").disabled


# Lists -------------------------------------------------------------------------------------------------------------

MODELS: dict[str, Any] = {"course": Course, "room": Room, "timetable": Timetable, "team": Team}


def _entry(open_screen: Opener, person: int, *opened: Any) -> AppTest:
    screens = {"course": "courses", "room": "rooms", "timetable": "timetable-list"}
    which = next((screens[each] for each in opened if isinstance(each, Which) and each in screens), "teams")
    tab = open_screen(person, which) if opened[0].startswith("entry") else _settings(open_screen, person)
    tab.session_state["panel:open"] = (opened[0], opened[1:])
    tab.session_state["panel:key"] = "entry-key"
    tab.run()
    assert not tab.exception
    return tab


@pytest.mark.parametrize("which", list(MODELS))
def test_entries_are_added_renamed_and_undone(world: World, open_screen: Opener, which: str) -> None:
    tab = _entry(open_screen, world.cora, "entry-new", world.programme, Which(which))
    form = f"entry-new-{which}-{world.programme}"
    tab.text_input(f"{form}:name").set_value("Brand <b>new</b>")
    if which == "room":
        tab.number_input(f"{form}:capacity").set_value(4)
    _press(tab, f"{form}:save")
    model = MODELS[which]
    made = world.one(select(model.id).where(model.name == "Brand <b>new</b>"))
    assert made
    tab = _entry(open_screen, world.cora, "entry-edit", world.programme, Which(which), made)
    tab.text_input(f"entry-edit-{which}-{made}:name").set_value("Renamed")
    _press(tab, f"entry-edit-{which}-{made}:save")
    assert world.one(select(model.name).where(model.id == made)) == "Renamed"
    _press(tab, "feedback-undo")
    assert world.one(select(model.name).where(model.id == made)) == "Brand <b>new</b>"


@pytest.mark.parametrize(
    ("which", "said", "problem"),
    [("course", {"name": ""}, "Give the theme a name."), ("course", {"name": "x" * 121}, "At most 120"),
     ("course", {"name": "MATHS"}, "has this name"), ("team", {"name": "New", "idea": "x" * 301}, "At most 300"),
     ("room", {"name": "New"}, "How many people fit in"), ("room", {"name": "New", "capacity": 0}, "from 1 to"),
     ("room", {"name": "New", "capacity": -3}, "from 1 to")],
)
def test_bad_entries_are_told_beside_their_field(
    world: World, open_screen: Opener, which: str, said: dict[str, Any], problem: str
) -> None:
    tab = _entry(open_screen, world.cora, "entry-new", world.programme, Which(which))
    form = f"entry-new-{which}-{world.programme}"
    before = world.one(select(func.count()).select_from(MODELS[which]))
    for name, value in said.items():
        (tab.number_input if name == "capacity" else tab.text_input)(f"{form}:{name}").set_value(value)
    _press(tab, f"{form}:save")
    assert problem in _said(tab)
    assert tab.text_input(f"{form}:name").value == said["name"]
    assert world.one(select(func.count()).select_from(MODELS[which])) == before


def test_b6_a_custom_timetable_needs_its_owner(world: World, open_screen: Opener) -> None:
    tab = _entry(open_screen, world.cora, "entry-new", world.programme, Which.TIMETABLE)
    form = f"entry-new-timetable-{world.programme}"
    tab.text_input(f"{form}:name").set_value("Tess alone")
    tab.radio(f"{form}:kind").set_value("custom").run()
    _press(tab, f"{form}:save")
    assert "Choose the coach whose timetable it is." in _said(tab)
    tab.text_input(f"{form}:owner_id:text").set_value("Tess").run()
    _press(tab, f"{form}:save")
    assert world.one(select(Timetable.owner_id).where(Timetable.name == "Tess alone")) == world.tess


def test_x6_a_foreign_list_is_not_reached(world: World, open_screen: Opener) -> None:
    tab = _entry(open_screen, world.cora, "entry-edit", world.programme, Which.COURSE, world.their_course)
    assert "not in the list any more" in _said(tab)


# Roles -------------------------------------------------------------------------------------------------------------


def test_roles_are_granted_and_revoked(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"role-new-{world.programme}"
    _press(tab, "role-grant")
    _press(tab, f"{form}:save")
    assert "choose who it is" in _said(tab)
    tab.text_input(f"{form}:person:text").set_value("Tess").run()
    _press(tab, f"{form}:save")
    grant = select(RoleGrant.id).where(RoleGrant.person_id == world.tess, RoleGrant.role == Role.BASIC_ADMIN)
    assert world.one(grant)
    _press(tab, f"revoke-{world.one(grant)}")
    assert not world.one(grant)


def test_a_custom_manager_is_ticked_in_plain_words(world: World, open_screen: Opener) -> None:
    tab = _entry(open_screen, world.alice, "role-ticks", world.programme, world.cuno)
    form = f"role-ticks-{world.programme}-{world.cuno}"
    assert "Book sessions" in [box.label for box in tab.checkbox]
    _press(tab, f"{form}:save")
    assert "Tick at least one thing" in _said(tab)
    tab.checkbox(f"{form}:SESSION_BOOK").set_value(True)
    _press(tab, f"{form}:save")
    assert world.one(select(RoleGrant.permissions).where(RoleGrant.person_id == world.cuno)) == ["SESSION_BOOK"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(world: World, open_screen: Opener) -> None:
    tab = _entry(open_screen, world.cora, "entry-edit", world.programme, Which.ROOM, world.room)
    world.do(world.alice, edit_entry, Which.ROOM, world.room, {"name": "Red room", "capacity": 5})
    tab.number_input(f"entry-edit-room-{world.room}:capacity").set_value(10)
    _press(tab, f"entry-edit-room-{world.room}:save")
    assert world.all(select(Room.name, Room.capacity).where(Room.id == world.room)) == [("Red room", 10)]

    tab = _entry(open_screen, world.alice, "role-ticks", world.programme, world.cuno)
    world.tick(Action.PEOPLE_SEE)
    tab.checkbox(f"role-ticks-{world.programme}-{world.cuno}:SESSION_BOOK").set_value(True)
    _press(tab, f"role-ticks-{world.programme}-{world.cuno}:save")
    assert "was changed by somebody else while you had it open" in _said(tab)
    assert world.one(select(RoleGrant.permissions).where(RoleGrant.person_id == world.cuno)) == ["PEOPLE_SEE"]


def test_the_last_master_admin_stays(world: World, open_screen: Opener) -> None:
    tab = _settings(open_screen, world.alice)
    grant = world.one(select(RoleGrant.id).where(RoleGrant.person_id == world.alice))
    _press(tab, f"revoke-{grant}")
    assert "would be left without a master admin" in _said(tab)
    assert world.one(select(RoleGrant.id).where(RoleGrant.id == grant))


# Programmes --------------------------------------------------------------------------------------------------------


def test_a_programme_is_renamed_retired_and_brought_back(world: World, open_screen: Opener) -> None:
    tab, form = _settings(open_screen, world.alice), f"programme-{world.programme}"
    tab.text_input(f"{form}:name").set_value("Renamed")
    _press(tab, f"{form}:save")
    assert world.one(select(Programme.name).where(Programme.id == world.programme)) == "Renamed"
    _press(tab, "programme-retire")
    _press(tab, f"programme-retire-{world.programme}:save")
    assert world.one(select(Programme.retired_at).where(Programme.id == world.programme)) is not None
    _press(tab, "programme-back")
    assert world.one(select(Programme.retired_at).where(Programme.id == world.programme)) is None


def test_zone_and_currency_stay_once_there_are_sessions(world: World, open_screen: Opener) -> None:
    world.book(practitioner=world.tom, learner=world.sara, starts_at=TEN)
    tab, form = _settings(open_screen, world.alice), f"programme-{world.programme}"
    tab.selectbox(f"{form}:zone").set_value("Asia/Tokyo")
    _press(tab, f"{form}:save")
    assert "There are sessions already" in _said(tab)
    assert tab.selectbox(f"{form}:zone").value == "Asia/Tokyo"
    _press(tab, "programme-retire")
    _press(tab, f"programme-retire-{world.programme}:save")
    assert "still ahead" in _said(tab)


@pytest.mark.parametrize(
    ("name", "problem"), [("", "Give the programme a name."), ("x" * 121, "At most 120"), ("home", "taken")])
def test_a_new_programme_needs_a_name_of_its_own(
    world: World, open_screen: Opener, name: str, problem: str
) -> None:
    tab = _settings(open_screen, world.alice)
    tab.text_input("programme-new:name").set_value(name)
    _press(tab, "programme-new:save")
    assert problem in _said(tab)
    assert world.one(select(func.count()).select_from(Programme)) == 2


def test_a_new_programme_is_made_once_and_worked_in(world: World, open_screen: Opener) -> None:
    tab = _settings(open_screen, world.alice)
    tab.text_input("programme-new:name").set_value("Peers *of* ours")
    tab.radio("programme-new:kind").set_value("peer advice").run()
    assert "peers and clients" in _said(tab)
    _press(tab, "programme-new:save")
    assert "Made the programme Peers *of* ours." in _said(tab)
    assert "For Peers *of* ours" in _said(tab)
    assert world.one(select(func.count()).select_from(Programme)) == 3


# My account --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", ["alice", "tom", "sara", "gus", "lena", "mona"])
def test_everybody_keeps_their_own_account(world: World, open_screen: Opener, persona: str) -> None:
    person = getattr(world, persona)
    tab = open_screen(person, "account")
    tab.text_input("account:name").set_value("Somebody Else")
    tab.selectbox("account:zone").set_value("America/New_York")
    _press(tab, "account:save")
    assert world.all(select(Person.name, Person.zone).where(Person.id == person)) == [
        ("Somebody Else", "America/New_York")]


def test_a_stale_account_form_loses_nothing(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.sara, "account")
    tab.text_input("account:phone").set_value("+44 1").run()
    world.do(world.sara, edit_own_profile, {"phone": "+44 222"})
    _press(tab, "account:save")
    assert "+44 222" in _said(tab)
    _press(tab, "account:mine")
    assert world.one(select(Person.phone).where(Person.id == world.sara)) == "+44 1"


def _with_password(world: World, person: int) -> None:
    world.raw(lambda work: work.tx.add(
        Account(person_id=person, password_hash=PASSWORD_HASH, changed_at=work.now)))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [("", "", "Choose at least 10 characters."), (PASSWORD, "short", "at least 10"),
     ("wrong password", "four green lamps here", "This is not your password."), (PASSWORD, "x" * 201, "at most 200"),
     (PASSWORD, "sara@example.org", "other than your name")],
)
def test_a_password_that_cannot_be_taken(
    world: World, open_screen: Opener, old: str, new: str, problem: str
) -> None:
    _with_password(world, world.sara)
    tab = open_screen(world.sara, "account")
    tab.text_input("password:old").set_value(old)
    tab.text_input("password:new").set_value(new)
    next(button for button in tab.button if button.label == "Change password").click().run()
    assert not tab.exception
    assert problem in _said(tab)
    assert world.one(select(Account.password_hash).where(Account.person_id == world.sara)) == PASSWORD_HASH


def test_a_new_password_ends_every_other_sign_in(world: World, open_screen: Opener) -> None:
    _with_password(world, world.sara)
    access.begin_sign_in(world.engine, world.sara, browser="Mozilla/5.0 (Windows) Firefox/1", now=world.now)
    tab = open_screen(world.sara, "account")
    assert "Firefox on Windows" in _said(tab)
    tab.text_input("password:old").set_value(PASSWORD)
    tab.text_input("password:new").set_value("four green lamps here")
    next(button for button in tab.button if button.label == "Change password").click().run()
    assert "Changed your password" in _said(tab)
    assert world.one(select(func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None))) == 1
    assert not tab.exception
    assert tab.title[0].value == "My account"


def test_guessing_the_old_password_is_slowed_down(world: World, open_screen: Opener) -> None:
    _with_password(world, world.sara)
    tab = open_screen(world.sara, "account")
    for _ in range(7):
        tab.text_input("password:old").set_value("guess number something")
        tab.text_input("password:new").set_value("four green lamps here")
        next(button for button in tab.button if button.label == "Change password").click().run()
    assert "Too many tries" in _said(tab)


def test_signing_out_everywhere(world: World, open_screen: Opener) -> None:
    tab = open_screen(world.sara, "account")
    tab.button("out-everywhere").click().run()
    assert not world.one(select(func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None)))

"""The pages by which people come in: what they say, what they set, and who may post to them."""

import re
import time

import pytest
import requests
from sqlalchemy import func, select

from core.access import commands, queries, rules
from core.work import THE_PORTAL, commit, now_utc
from db.engine import reading
from db.models.history import ChangeSet
from db.models.notices import Notice
from db.models.programmes import Programme
from db.words import Role
from tests.portal import PASSWORD, Portal


def post(portal: Portal, path: str, origin: str | None = "own", session: requests.Session | None = None,
         **typed: str) -> requests.Response:
    headers = {"Origin": portal.url if origin == "own" else origin} if origin else {}
    return (session or requests).post(
        portal.url + path, data=typed, headers=headers, allow_redirects=False, timeout=20
    )


def enter(portal: Portal, email: str, password: str = PASSWORD, **more: str) -> requests.Response:
    return post(portal, "/signin", email=email, password=password, **more)


def beside(page: str, name: str) -> str:
    """What is said beside a field."""
    found = re.search(rf'id="{name}-wrong">([^<]*)<', page)
    return found.group(1) if found else ""


def test_signing_in_sets_a_cookie_that_no_script_and_no_other_site_can_use(portal: Portal) -> None:
    portal.person("Nia New", "nia@example.test")
    answer = enter(portal, "Nia@example.test", next="/sessions?page=2")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sessions?page=2"
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    inside = requests.get(portal.url + "/", cookies=answer.cookies, allow_redirects=False, timeout=20)
    assert inside.status_code == 200
    assert "<script" in inside.text
    home = requests.get(portal.url + "/signin", cookies=answer.cookies, allow_redirects=False, timeout=20)
    assert home.headers["Location"] == "/"


def test_the_way_back_is_never_another_site(portal: Portal) -> None:
    portal.person("Ned Next", "ned@example.test")
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert enter(portal, "ned@example.test", next=wanted).headers["Location"] == "/"


def test_the_same_answer_whatever_was_wrong(portal: Portal) -> None:
    portal.person("Wim Wrong", "wim@example.test")
    portal.person("Nina None", "nina@example.test", password=None)
    off = portal.person("Dan Off", "dan@example.test")
    commit(portal.engine, THE_PORTAL, commands.disable, [off])
    pages = {
        email: enter(portal, email, password)
        for email, password in (("wim@example.test", "wrong wrong wrong"), ("nobody@example.test", PASSWORD),
                                ("nina@example.test", PASSWORD), ("dan@example.test", PASSWORD))
    }
    said = {(answer.status_code, answer.text.replace(email, "")) for email, answer in pages.items()}
    assert len(said) == 1
    assert beside(pages["wim@example.test"].text, "password") == rules.REFUSED
    assert 'value="wim@example.test"' in pages["wim@example.test"].text, "what was typed is still there"
    assert not any("Set-Cookie" in answer.headers for answer in pages.values())


def test_what_is_missing_is_named_beside_its_field(portal: Portal) -> None:
    page = enter(portal, "", "").text
    assert beside(page, "email") == "Enter your e-mail address."
    assert beside(page, "password") == "Enter your password."


def test_waiting_is_asked_for_in_words(portal: Portal) -> None:
    for _ in range(5):
        enter(portal, "guessed@example.test", "wrong wrong wrong")
    answer = enter(portal, "guessed@example.test")
    assert answer.status_code == 429
    assert "Too many tries. Please wait" in beside(answer.text, "password")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:9"])
@pytest.mark.parametrize("path", ["/signin", "/signout", "/forgotten", "/signin/demo", "/link/x"])
def test_no_other_site_posts_here(portal: Portal, path: str, origin: str | None) -> None:
    answer = post(portal, path, origin, email="a@example.test", password=PASSWORD)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


def test_typed_html_stays_text(portal: Portal) -> None:
    nasty = '"><script>alert(1)</script>'
    page = enter(portal, nasty, "x" * 20, next=f"/{nasty}").text
    assert "<script" not in page
    assert "<script" not in requests.get(portal.url + "/signin", params={"next": f"/{nasty}", "said": nasty}).text


def test_more_than_a_form_can_hold_is_refused(portal: Portal) -> None:
    assert enter(portal, "x" * 30_000).status_code == 413


def test_signing_out_is_asked_first_and_ends_the_token(portal: Portal) -> None:
    person = portal.person("Olga Out", "olga@example.test")
    with requests.Session() as browser:
        token = portal.token(person)
        browser.cookies.set("portal", token)
        assert "Sign out?" in browser.get(portal.url + "/signout", timeout=20).text
        assert queries.who_is(portal.engine, token, now_utc()) == person, "a link alone signs nobody out"
        answer = post(portal, "/signout", session=browser)
        assert answer.headers["Location"] == "/signin?said=out"
        assert 'portal=""' in answer.headers["Set-Cookie"]
    assert queries.who_is(portal.engine, token, now_utc()) is None


def test_a_link_asks_for_a_password_and_signs_in(portal: Portal) -> None:
    person, token = portal.person("Lia Link", "lia@example.test", password=None), rules.new_token()
    commit(portal.engine, THE_PORTAL, commands.invite, {person: token})
    page = requests.get(f"{portal.url}/link/{token}", timeout=20).text
    assert "Welcome, Lia Link. You sign in as lia@example.test." in page
    weak = post(portal, f"/link/{token}", password="password123", again="password123")
    assert "first that others would guess" in beside(weak.text, "password")
    other = post(portal, f"/link/{token}", password="eleven loud geese", again="eleven loud goose")
    assert "not the same" in beside(other.text, "again")
    good = post(portal, f"/link/{token}", password="eleven loud geese", again="eleven loud geese")
    assert good.status_code == 303
    assert requests.get(portal.url + "/", cookies=good.cookies, allow_redirects=False, timeout=20).status_code == 200
    again = post(portal, f"/link/{token}", password="twelve loud geese", again="twelve loud geese")
    assert again.status_code == 410
    assert rules.USED_UP in again.text


def acts_after_a_notice(portal: Portal) -> int:
    """How many acts there are, once a notice has been written."""
    with reading(portal.engine) as connection:
        told = connection.scalar(select(func.count()).select_from(Notice))
        return (connection.scalar(select(func.count()).select_from(ChangeSet)) or 0) if told else 0


def test_asking_for_a_password_gets_the_same_answer_always_and_tells_the_admins(portal: Portal) -> None:
    home = portal.programme("Home")
    admin = portal.person("Ada Admin", "ada@example.test", (home, Role.MASTER_ADMIN))
    portal.person("Flo Forgot", "flo@example.test", (home, Role.LEARNER))
    known = post(portal, "/forgotten", email="flo@example.test")
    while not (acts := acts_after_a_notice(portal)):  # the admins are told after the answer
        time.sleep(0.05)
    unknown = post(portal, "/forgotten", email="nobody@example.test")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    with reading(portal.engine) as connection:
        told = connection.execute(select(Notice.person_id, Notice.text, Programme.name)
                                  .join(Programme, Programme.id == Notice.programme_id)).all()
        assert connection.scalar(select(func.count()).select_from(ChangeSet)) == acts
    assert [(row.person_id, row.name) for row in told] == [(admin, "Home")]
    assert "Flo Forgot asks for a new password." in told[0].text
    assert "Enter the e-mail address" in post(portal, "/forgotten", email="no address").text

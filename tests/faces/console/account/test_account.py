"""The own account on the console: sessions that end, a warning before, a password of one's own, starting again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.support.pages import axe, foreign

AGE = "UPDATE staff_staffsession SET seen_at = seen_at - interval '{}' WHERE ended_at IS NULL AND staff_id ="
AGE += " (SELECT id FROM staff_staffmember WHERE login = '{}')"
PAGES = ("/account", "/account/password", "/account/sign-ins")


def in_by_code(surf, page, login, password=""):
    page.goto("/sign-in")
    surf.password(page, login, password)
    expect(page.locator("#demo-code")).to_be_visible(timeout=32_000)
    page.fill("#code", page.inner_text("#demo-code"))
    page.press("#code", "Enter")
    expect(page).to_have_url(f"{surf.town.address}/")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_the_account_are_accessible_and_in_one_language(surf, language):
    page = surf.signed_in("idler", language)
    for address in PAGES:
        page.goto(address)
        assert axe(page) == [], address
        assert list(foreign(page, language)) == [], address
    page = surf.stranger(language)
    page.goto("/enrol")
    assert axe(page) == []
    assert list(foreign(page, language)) == []


def test_a_warning_comes_before_the_session_ends_and_can_be_answered(surf, town_database):
    page = surf.stranger("en")
    page.clock.install()
    in_by_code(surf, page, "waiter")
    with town_database() as database:
        database.execute(AGE.format("14 minutes", "waiter"))
    page.clock.fast_forward("13:30")
    warning = page.get_by_role("dialog", name="Your session is about to end")
    expect(warning).to_be_visible()
    expect(warning.get_by_role("button", name="Stay signed in")).to_be_focused()
    with page.expect_response(re.compile("/account/session/stay")) as answer:
        page.keyboard.press("Enter")
    assert answer.value.json()["left"] > 800
    expect(warning).to_be_hidden()
    with town_database() as database:
        database.execute(AGE.format("16 minutes", "waiter"))
    page.goto("/cards?state=active")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/cards"))


def test_an_idle_page_leaves_by_itself_and_comes_back_to_where_it_was(surf, town_database):
    page = surf.stranger("zh")
    page.clock.install()
    in_by_code(surf, page, "sleeper")
    page.goto("/cards?state=active")
    with town_database() as database:
        database.execute(AGE.format("20 minutes", "sleeper"))
    page.clock.fast_forward("13:30")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fcards%3Fstate%3Dactive"))


def test_another_session_is_seen_and_ended(surf):
    page = surf.signed_in("idler", "en")
    other = surf.stranger("en")
    surf.password(other, "idler")
    expect(other.locator("#demo-code")).to_be_visible(timeout=32_000)
    other.fill("#code", other.inner_text("#demo-code"))
    other.press("#code", "Enter")
    expect(other).to_have_url(f"{surf.town.address}/")
    page.goto("/account")
    expect(page.locator("section[aria-labelledby=sessions] tbody tr")).to_have_count(2)
    page.get_by_role("button", name="End this one").click()
    expect(page.get_by_role("status")).to_contain_text("The session has ended.")
    other.goto("/account")
    expect(other).to_have_url(re.compile("/sign-in"))


def test_a_new_password_is_refused_for_a_reason_and_then_counts(surf):
    page = surf.signed_in("changer", "en")
    page.goto("/account/password")
    old, new = surf.town.facts["password"], "four unlike words here"
    for wanted, said in (("short", "12 to 128 characters"), ("changer of things", "your name or log-in name"),
                         (old, "one of your last 5")):  # fmt: skip
        page.fill("#current", old)
        page.fill("#new", wanted)
        page.fill("#again", wanted)
        page.locator("main").get_by_role("button", name="Change the password").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    page.fill("#current", old)
    page.fill("#new", new)
    page.fill("#again", "something else")
    page.locator("main").get_by_role("button", name="Change the password").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("The two passwords differ")
    page.fill("#current", old)
    page.fill("#new", new)
    page.fill("#again", new)
    page.locator("main").get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    page.goto("/account")
    expect(page.locator("h1")).to_have_text("My account")
    stranger = surf.stranger("en")
    surf.password(stranger, "changer", old)
    expect(stranger.get_by_role("alert")).to_contain_text("is not right")
    surf.password(stranger, "changer", new)
    expect(stranger).to_have_url(re.compile("/sign-in/code$"))

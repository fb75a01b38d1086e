"""Signing in: password, one-time code, lock, and the way out. What a stranger would gain if one of these gave way."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

THROTTLE_MILLISECONDS = 1_100
"""After a wrong code the next one is not looked at for a second."""


def code(page, text):
    page.fill("#code", text)
    with page.expect_navigation() as done:
        page.press("#code", "Enter")
    return done.value


def wrong(right):
    return f"{(int(right) + 1) % 1_000_000:06d}"


@pytest.mark.req("H1")
def test_password_and_code_lead_to_the_page_that_was_asked_for(surf):
    page = surf.stranger("en")
    page.goto("/cards?state=active")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/cards"))
    surf.password(page, "way-in")
    expect(page).to_have_url(f"{surf.town.address}/sign-in/code")
    right = page.inner_text("#demo-code")
    assert code(page, wrong(right)).status == 401
    expect(page.get_by_role("alert")).to_contain_text(
        "The log-in name, the password or the one-time code is not right."
    )
    expect(page.get_by_role("alert")).to_contain_text("(no. ")
    page.wait_for_timeout(THROTTLE_MILLISECONDS)
    code(page, page.inner_text("#demo-code"))
    expect(page).to_have_url(f"{surf.town.address}/cards?state=active")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{surf.town.address}/sign-in")
    page.goto("/cards")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/cards"))


@pytest.mark.parametrize("login", ["haikou-planner", "nobody-of-this-name"])
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(surf, login):
    page = surf.stranger("zh")
    surf.password(page, login, "wrong pass phrase")
    expect(page).to_have_url(f"{surf.town.address}/sign-in")
    expect(page.get_by_role("alert")).to_contain_text("登录名、密码或动态口令不正确。")
    assert page.input_value("#password") == ""


def test_a_password_alone_opens_nothing(surf):
    page = surf.stranger()
    surf.password(page, "haikou-keys")
    expect(page).to_have_url(re.compile("/sign-in/code$"))
    for address in ("/", "/cards", "/keys", "/audit"):
        page.goto(address)
        expect(page).to_have_url(re.compile(r"/sign-in\?next="))


def test_a_code_counts_once(surf):
    page = surf.stranger("en")
    surf.password(page, "once-only")
    used = page.inner_text("#demo-code")
    code(page, used)
    expect(page).to_have_url(f"{surf.town.address}/")
    other = surf.stranger("en")
    surf.password(other, "once-only")
    answer = code(other, used)
    assert answer.status == 401
    if other.locator("#demo-code").count() == 0:  # still the same half minute
        expect(other.locator("#demo")).to_contain_text("the present one was used already")
        expect(other.locator("#demo-code")).to_be_visible(timeout=32_000)
    assert other.inner_text("#demo-code") != used


def test_five_failures_lock_the_door_also_for_the_right_password(surf):
    page = surf.stranger("en")
    for _ in range(4):
        surf.password(page, "lock-me", "a guess")
        expect(page.get_by_role("alert")).to_contain_text("is not right")
    surf.password(page, "lock-me", "a guess")
    expect(page.get_by_role("alert")).to_contain_text("This account is locked after repeated failures.")
    surf.password(page, "lock-me")
    expect(page.get_by_role("alert")).to_contain_text("This account is locked after repeated failures.")
    expect(page).to_have_url(f"{surf.town.address}/sign-in")


def test_nobody_is_sent_elsewhere_after_signing_in(surf):
    page = surf.stranger()
    page.goto("/sign-in?next=https://example.org/")
    surf.password(page, "haikou-producer")
    code(page, page.inner_text("#demo-code"))
    expect(page).to_have_url(f"{surf.town.address}/")


def test_what_is_missing_is_said_beside_the_field_and_above(surf):
    page = surf.stranger("zh")
    page.goto("/sign-in")
    with page.expect_navigation():
        page.click("main button")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.locator(".govuk-error-summary").get_by_role("link", name="请输入密码").click()
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_accessible_description("有误： 请输入密码")
    assert page.title().startswith("有误：")


def test_the_language_is_chosen_before_and_after_signing_in(surf):
    page = surf.stranger("zh")
    page.goto("/sign-in")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    page = surf.signed_in("haikou-auditor", "en")
    page.goto("/audit?subject=cards")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("审计")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    expect(page).to_have_url(f"{surf.town.address}/audit?subject=cards")
    page.goto("/keys")
    expect(page.locator("h1")).to_have_text("密钥")

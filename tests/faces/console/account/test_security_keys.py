"""Security keys in a real browser: registered, signed in with, copied, and a decision signed."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def in_by_code(surf, page, address, login):
    """Sign in with password and the code that the demo shows."""
    page.goto(f"{address}/sign-in")
    surf.password(page, login)
    expect(page.locator("#demo-code")).to_be_visible(timeout=32_000)
    page.fill("#code", page.inner_text("#demo-code"))
    page.press("#code", "Enter")
    expect(page).to_have_url(f"{address}/")


def confirm_by_code(surf, page):
    """The page between: password, and the code when the next one has come."""
    page.fill("#confirm_password", surf.town.facts["password"])
    page.fill("#confirm_code", page.inner_text("#demo-code"))
    page.get_by_role("button", name="Confirm with password and code").click()


def test_a_key_is_registered_opens_decides_and_is_locked_when_its_counter_goes_back(surf, at_localhost, virtual_key):
    page = surf.stranger("en")
    key = virtual_key(page)
    in_by_code(surf, page, at_localhost, "key-holder")
    page.get_by_role("link", name="My account").click()
    page.fill("#key_label", "blue key")
    page.get_by_role("button", name="Add a security key").click()
    confirm_by_code(surf, page)
    page.get_by_role("button", name="Register the security key").click()
    expect(page.locator("tbody tr", has_text="blue key")).to_contain_text("Security key")
    assert [one["isResidentCredential"] for one in key.credentials()] == [False]

    page.get_by_role("button", name="Sign out").click()
    surf.password(page, "key-holder")
    page.get_by_role("button", name="Use the security key").click()
    expect(page).to_have_url(f"{at_localhost}/")

    page.goto(f"{at_localhost}/account")
    page.get_by_role("button", name="Make a new sheet").click()
    page.get_by_role("button", name="Confirm with the security key").click()
    expect(page.locator(".codes li")).to_have_count(10)
    sheet = page.locator(".codes li").all_inner_texts()

    page.get_by_role("button", name="Sign out").click()
    key.go_back_to(1)
    surf.password(page, "key-holder")
    page.get_by_role("button", name="Use the security key").click()
    expect(page.get_by_role("alert").first).to_contain_text("went backwards")
    expect(page.get_by_role("button", name="Use the security key")).to_have_count(0)

    page.get_by_role("link", name=re.compile("use a recovery code")).click()
    page.fill("#code", sheet[0].lower().replace("-", " "))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{at_localhost}/")
    page.goto(f"{at_localhost}/account")
    expect(page.locator("tbody tr", has_text="blue key")).to_contain_text("Locked")
    expect(page.locator("main")).to_contain_text("9 codes are left")


def test_a_key_without_its_pin_registers_nothing(surf, at_localhost, virtual_key):
    page = surf.stranger("en")
    key = virtual_key(page)
    in_by_code(surf, page, at_localhost, "pinless")
    page.goto(f"{at_localhost}/account")
    page.fill("#key_label", "no pin")
    page.get_by_role("button", name="Add a security key").click()
    confirm_by_code(surf, page)
    key.verify_nobody()
    page.get_by_role("button", name="Register the security key").click()
    expect(page.get_by_role("alert")).to_contain_text("The security key gave no answer")
    page.goto(f"{at_localhost}/account")
    expect(page.locator("tbody tr", has_text="no pin")).to_have_count(0)

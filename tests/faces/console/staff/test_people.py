"""People on the console: appointing somebody who then starts the account alone, roles with their days, leaving."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from django_otp.oath import totp
from playwright.sync_api import expect
from tests.support.pages import axe, foreign

from sheka.foundation.numbers.check_digits import person_check

PAGES = (
    "/people",
    "/people?role=clerk",
    "/people?text=0000",
    "/people/appoint",
    "/people/longhua-clerk",
    "/people/longhua-clerk/grant",
    "/people/longhua-clerk/start-again",
    "/people/longhua-clerk/leave",
    "/organisations",
    "/organisations/460100",
    "/organisations/460100-01",
)
PASSWORD = "four unlike words here"


def number():
    """A number that holds, of nobody."""
    body = f"460106{date(1991, 2, 3):%Y%m%d}004"
    return body + person_check(body)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_are_accessible_and_in_one_language(surf, language):
    page = surf.signed_in("haikou-security", language)
    for address in PAGES:
        assert page.goto(address).status == 200, address
        assert axe(page) == [], address
        assert list(foreign(page, language)) == [], address


def test_an_organisation_is_added_moved_and_closed_with_a_reason(surf):
    page = surf.signed_in("haikou-business", "en")
    page.goto("/organisations/460100")
    page.get_by_role("link", name="Add an organisation below").click()
    page.select_option("#kind", "outlet")
    for field, text in (("code", "460100-77"), ("name", "海口市秀英网点"), ("name_en", "Xiuying outlet"),
                        ("region", "460105")):  # fmt: skip
        page.fill(f"#{field}", text)
    page.locator("main").get_by_role("button", name="Add an organisation").click()
    expect(page.locator("h1")).to_have_text("Xiuying outlet")
    assert axe(page) == []
    page.get_by_role("link", name="Change the names").click()
    page.fill("#name_en", "Xiuying service outlet")
    page.get_by_role("button", name="Change the names").click()
    expect(page.locator("h1")).to_have_text("Xiuying service outlet")
    page.get_by_role("link", name="Move").click()
    page.select_option("#to", "460100-01")
    page.fill("#reason", "nearer to its people")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("alert")).to_contain_text("no. 30")
    page.goto("/organisations/460100-77/close")
    page.fill("#reason", "the lease has ended")
    page.fill("#on", f"{timezone.localdate() + timedelta(days=1):%Y-%m-%d}")
    page.locator("main").get_by_role("button", name="Close the organisation").click()
    expect(page.get_by_role("status")).to_contain_text("Done")


def test_somebody_is_appointed_and_starts_the_account_alone(surf):
    page = surf.signed_in("haikou-security", "en")
    page.goto("/people")
    page.get_by_role("link", name="Appoint somebody").click()
    page.fill("#login", "xin-ren")
    page.fill("#name", "辛仁")
    page.fill("#person", "460106199102030000")
    page.locator("main").get_by_role("button", name="Appoint").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("check")
    page.fill("#person", number())
    page.locator("main").get_by_role("button", name="Appoint").click()
    expect(page.locator("h1")).to_have_text("辛仁")
    expect(page.locator(".states")).to_contain_text("Waits for enrolment")
    page.get_by_role("link", name="Give an enrolment code").click()
    page.select_option("#lost", "all")
    page.fill("#text", "new colleague")
    page.get_by_role("button", name="Give an enrolment code").click()
    page.fill("#confirm_password", surf.town.facts["password"])
    page.fill("#confirm_code", page.inner_text("#demo-code"))
    page.get_by_role("button", name="Confirm with password and code").click()
    code = page.inner_text("#code")
    assert re.fullmatch(r"([A-Z2-9]{4}-){5}[A-Z2-9]{4}", code)

    own = surf.stranger("en")
    own.goto("/enrol")
    own.fill("#login", "xin-ren")
    own.fill("#code", "AAAA-" + code[5:])
    own.get_by_role("button", name="Continue").click()
    expect(own.get_by_role("alert")).to_contain_text("is not right")
    own.fill("#code", code.lower())
    own.get_by_role("button", name="Continue").click()
    own.fill("#new", PASSWORD)
    own.fill("#again", PASSWORD)
    own.get_by_role("button", name="Continue").click()
    expect(own.locator("h1")).to_have_text("Your second factor")
    assert axe(own) == []
    own.fill("#code", _code_of(own.inner_text("#secret")))
    own.get_by_role("button", name="Register the authenticator").click()
    expect(own.get_by_role("status")).to_contain_text("Your account is ready")
    surf.password(own, "xin-ren", PASSWORD)
    expect(own).to_have_url(re.compile("/sign-in/code$"))
    again = surf.stranger("en")
    again.goto("/enrol")
    again.fill("#login", "xin-ren")
    again.fill("#code", code)
    again.get_by_role("button", name="Continue").click()
    expect(again.get_by_role("alert")).to_contain_text("was used")


def test_a_role_is_granted_refused_beside_its_opposite_and_ended(surf):
    page = surf.signed_in("haikou-security", "en")
    page.goto("/people/way-in/grant")
    assert "card_producer" not in page.locator("#role option").evaluate_all("all => all.map(one => one.value)")
    page.select_option("#role", "key_officer")
    page.get_by_role("button", name="Grant a role").click()
    row = page.locator("tbody tr", has_text="Key officer")
    expect(row).to_contain_text("Counts today")
    row.get_by_role("link", name=re.compile("End")).click()
    page.fill("#text", "the task is done")
    page.get_by_role("button", name="End a role").click()
    expect(page.locator("tbody tr", has_text="Key officer")).to_contain_text("Has ended")


def test_whoever_leaves_is_out_at_the_next_click(surf):
    leaver = surf.stranger("en")
    surf.password(leaver, "mover")
    expect(leaver.locator("#demo-code")).to_be_visible(timeout=32_000)
    leaver.fill("#code", leaver.inner_text("#demo-code"))
    leaver.press("#code", "Enter")
    expect(leaver).to_have_url(f"{surf.town.address}/")
    page = surf.signed_in("haikou-security", "en")
    page.goto("/people/mover/leave")
    page.fill("#text", "moves to another town")
    page.locator("main").get_by_role("button", name="Leaves").click()
    expect(page.locator(".states")).to_contain_text("Has left")
    leaver.goto("/cards")
    expect(leaver).to_have_url(re.compile("/sign-in"))
    page.get_by_role("link", name="Returns").click()
    page.fill("#text", "came back after all")
    page.locator("main").get_by_role("button", name="Returns").click()
    expect(page.locator(".states")).to_contain_text("Waits for enrolment")


def test_sign_ins_of_others_ask_for_a_purpose(surf):
    page = surf.signed_in("haikou-security", "en")
    page.goto("/people/way-in")
    page.get_by_role("button", name="Show the sign-ins").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("Write a line first")
    page.fill("#text", "asked by the person")
    page.get_by_role("button", name="Show the sign-ins").click()
    expect(page.locator("main")).to_contain_text("That you looked, and what for, is recorded.")


def _code_of(secret):
    from base64 import b32decode

    plain = secret.replace(" ", "")
    return f"{totp(b32decode(plain + '=' * (-len(plain) % 8))):06d}"

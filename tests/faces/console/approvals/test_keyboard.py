"""The whole way of a request without a mouse: returned, completed, examined again, each with presence proved."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

FOCUS = """() => {
  const here = document.activeElement, shown = here.closest(".choice") || here, style = getComputedStyle(shown);
  const box = shown.getBoundingClientRect();
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0;
}"""


class Keys:
    """A reader with a keyboard and no mouse: whatever has the focus is seen to have it."""

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text):
        self.page.keyboard.insert_text(text)

    def to(self, selector, most=90):
        """Tab until this is reached."""
        for _ in range(most):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate(FOCUS), f"{selector} has the focus and does not show it"
                return
            self.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by the keyboard")

    def enter(self):
        """Enter, and the page that follows."""
        with self.page.expect_navigation():
            self.press("Enter")
        self.page.wait_for_selector("body.js-enabled")

    def reload_until(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text not in self.page.inner_text("main"):
            assert time.monotonic() < deadline, f"waited for {text}"
            self.page.wait_for_timeout(200)
            self.page.reload()
            self.page.wait_for_selector("body.js-enabled")

    def confirm(self, password):
        """Presence by password and code, on the page that asks for it."""
        self.to("#confirm_password")
        self.write(password)
        self.press("Tab")
        self.write(self.page.inner_text("#demo-code"))
        self.enter()


@pytest.fixture
def keys(surf, engine):
    """keys(login, language) → somebody signed in, on the first page."""

    def sit(login, language):
        page = surf.signed_in(login, language)
        page.goto("/")
        page.wait_for_selector("body.js-enabled")
        return Keys(page)

    return sit


@pytest.mark.req("H2")
def test_a_request_goes_its_way_by_keyboard_alone(keys, town, requests):
    examiner = keys("kb-examiner", "en")
    examiner.to("main a, .rail a[href='/approvals']")
    examiner.to(".rail a[href='/approvals']")
    examiner.enter()
    address = f"/approvals/{requests['travelling']}"
    row = examiner.page.locator(f"tbody a[href='{address}']")
    expect(row).to_be_visible()
    for _ in range(examiner.page.locator("tbody tr").count()):
        examiner.press("j")
        if examiner.page.evaluate("address => document.activeElement.getAttribute('href') === address", address):
            break
    assert examiner.page.evaluate(FOCUS)
    examiner.enter()
    examiner.press("d", "b")
    assert examiner.page.is_checked("[value=supplement]") and examiner.page.evaluate(FOCUS)
    examiner.to("#reason")
    examiner.write("The security plan lacks its annex")
    examiner.to(".decision button")
    examiner.enter()
    expect(examiner.page.locator("h1")).to_have_text("Confirm that it is you")
    examiner.confirm(town.facts["password"])
    expect(examiner.page.locator("[role=status]").first).to_contain_text("Your decision is recorded.")
    expect(examiner.page.locator(".states")).to_contain_text("Returned for completion")

    clerk = keys("kb-clerk", "zh")
    clerk.page.goto("/approvals")
    clerk.page.wait_for_selector("body.js-enabled")
    with clerk.page.expect_navigation():
        clerk.press("3")
    clerk.page.wait_for_selector("body.js-enabled")
    clerk.reload_until("退回补正")
    clerk.press("j")
    clerk.enter()
    expect(clerk.page.locator(".life")).to_contain_text("The security plan lacks its annex")
    with clerk.page.expect_navigation():
        clerk.press("c")
    clerk.page.wait_for_selector("body.js-enabled")
    clerk.to("[name=field_7]")
    clerk.press("Control+End")
    clerk.write("，附件一")
    clerk.to("[name=note]")
    clerk.write("补充附件一")
    clerk.to("main form button")
    clerk.enter()
    expect(clerk.page.locator(".states")).to_contain_text("第2版")

    examiner.reload_until("Version 2")
    expect(examiner.page.locator(".asked__changed")).to_contain_text("附件一")
    examiner.press("d", "a")
    assert examiner.page.is_checked("[value=approve]")
    examiner.to(".decision button")
    examiner.enter()
    examiner.confirm(town.facts["password"])
    expect(examiner.page.locator(".steps__now")).to_contain_text("Review")
    expect(examiner.page.locator(".decision")).to_contain_text("It is the turn of Ministry card office")
    clerk.page.goto(clerk.page.url)
    clerk.reload_until("初审：批准")
    expect(clerk.page.locator(".life")).to_contain_text("（第1版，已失效）")


def test_escape_keys_off_and_typing_are_left_alone(keys, requests):
    """A letter typed into the reason is a letter, not a verdict."""
    approver = keys("haikou-approver", "en")
    approver.page.goto(f"/approvals/{requests['keys']}")
    approver.page.wait_for_selector("body.js-enabled")
    approver.press("d")
    approver.to("#reason")
    approver.page.keyboard.type("bar")
    assert approver.page.input_value("#reason") == "bar"
    assert approver.page.locator("[name=verdict]:checked").count() == 0

"""What a clerk does from a card's page: by keyboard alone, with reasons, against identity cards, refused in place."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

RING = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    name: e.tagName + "#" + e.id + " " + (e.innerText || e.getAttribute("aria-label") || "").trim().slice(0, 40),
    ring: style.outlineStyle + " " + style.outlineWidth,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def tab_to(page, text, most=40):
    """Press Tab until the element with this text has the focus; every stop on the way shows it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(RING)
        assert stop["ring"] == "solid 3px", stop
        assert stop["seen"], stop
        if text in stop["name"]:
            return
    raise AssertionError(f"{text} was not reached")


@pytest.mark.req("H1")
def test_a_loss_is_reported_by_keyboard_alone(surf, cards):
    """A clerk with a customer on the telephone, and one who uses no mouse, stop a card in a few keys."""
    number = cards["keyboard"]["number"]
    page = surf.signed_in("keyboard", "zh")
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    assert page.input_value("#search") == ""
    page.keyboard.type(number)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(f"{surf.town.address}/cards/{number}")
    page.keyboard.press("Tab")
    assert "跳到主要内容" in page.evaluate(RING)["name"]
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "临时挂失", most=3)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    tab_to(page, "#text")
    page.keyboard.type("持卡人来电/手机丢失")
    expect(page.locator("#text")).to_have_value("持卡人来电/手机丢失")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(f"{surf.town.address}/cards/{number}")
    expect(page.get_by_role("status")).to_have_text("已办理：临时挂失")
    expect(page.locator(".states .seal").first).to_have_text("临时挂失")
    expect(page.locator(".life__bad").last).to_contain_text("持卡人来电/手机丢失")
    tab_to(page, "解挂")


def test_every_stop_of_the_keyboard_is_seen(surf, cards):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto(f"/cards/{cards['exchange']['number']}")
    tab_to(page, cards["exchange_new"]["number"])


def test_a_holder_who_is_not_the_holder_gets_no_card(surf, cards):
    card, other = cards["in_stock_2"], cards["plain"]
    page = surf.signed_in("longhua-clerk", "en")
    page.goto(f"/cards/{card['number']}")
    page.get_by_role("link", name="Hand out", exact=True).click()
    page.fill("#name", card["name"])
    page.fill("#number", other["person"])
    with page.expect_navigation() as answer:
        page.click("main button")
    assert answer.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text(
        "The number on the document is not the holder's social security number."
    )
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"\(no\. \d{4}\)"))
    expect(page.locator("#name")).to_have_value(card["name"])
    page.fill("#number", card["person"])
    with page.expect_navigation():
        page.click("main button")
    expect(page.get_by_role("status")).to_have_text("Done: Hand out")
    expect(page.locator(".states .seal").first).to_have_text("Handed out, not activated")
    assert card["person"] not in surf.town.accesses()
    assert card["person"] not in page.content()


def test_a_loss_is_reported_formally_and_released_against_the_identity_card(surf, cards):
    card = cards["reported"]
    page = surf.signed_in("longhua-clerk", "zh")
    for verb, state in (("挂失", "已挂失"), ("解挂", "正常")):
        page.goto(f"/cards/{card['number']}")
        page.locator(".actions").get_by_role("link", name=verb, exact=True).click()
        page.fill("#name", card["name"])
        page.fill("#number", card["person"])
        with page.expect_navigation():
            page.click("main button")
        expect(page.locator(".states .seal").first).to_have_text(state)


def test_the_whole_number_is_shown_once_for_a_purpose_that_is_recorded(surf, cards):
    card = cards["revealed"]
    page = surf.signed_in("haikou-desk", "en")
    page.goto(f"/cards/{card['number']}")
    page.get_by_role("link", name="Show the whole number").click()
    page.click("main button")
    expect(page.locator(".govuk-error-message")).to_contain_text("Write a line first")
    page.fill("#text", "核对银行账户")
    with page.expect_navigation() as answer:
        page.click("main button")
    assert "no-store" in answer.value.headers["cache-control"]
    expect(page.locator(".code")).to_have_text(card["person"])
    page.get_by_role("link", name="Back to the card").click()
    assert card["person"] not in page.content()
    assert not [cookie for cookie in page.context.cookies() if card["person"] in cookie["value"]]
    assert not [address for address in surf.requested if card["person"] in address]
    auditor = surf.signed_in("haikou-auditor", "en")
    auditor.goto(f"/audit?subject=card:{card['number']}")
    row = auditor.locator("tbody tr", has_text="Whole number shown")
    row.first.locator("a").first.click()
    expect(auditor.locator("main")).to_contain_text("核对银行账户")
    assert card["person"] not in auditor.content()


def test_a_verb_that_its_card_does_not_allow_now_says_so_instead_of_asking(surf, cards):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto(f"/cards/{cards['destroyed']['number']}/report_loss_temporarily")
    expect(page.locator("main .notice")).to_have_text("Not while the state is: Destroyed")
    expect(page.locator("main form")).to_have_count(0)


def test_a_verb_that_came_too_late_is_refused_with_its_number_and_changes_nothing(surf, cards):
    """Two clerks have the same form open; the second one is told."""
    card = cards["handed_out_2"]
    first, second = (surf.signed_in("longhua-clerk", "en") for _ in range(2))
    for page in (first, second):
        page.goto(f"/cards/{card['number']}/report_loss_temporarily")
        page.fill("#text", "by telephone")
    for page in (first, second):
        with page.expect_navigation() as answer:
            page.click("main button")
    assert answer.value.status == 409
    expect(second.get_by_role("alert")).to_contain_text(
        "The state is Temporary loss report: Temporary loss report cannot"
    )
    second.goto(f"/cards/{card['number']}")
    expect(second.locator(".life__bad")).to_have_count(1)

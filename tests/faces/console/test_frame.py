"""The frame in Chromium: lists that follow their address with and without script, keys, help, printing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.support.pages import axe, until


@pytest.fixture
def clerk(surf):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto("/")
    page.wait_for_selector("body.js-enabled")
    page.evaluate("localStorage.clear()")
    return page


def test_a_filter_stands_in_the_address_and_survives_reload_back_and_no_script(surf, clerk, cards):
    clerk.goto("/cards")
    everything = clerk.locator(".list__count").inner_text()
    clerk.focus("#filter-state")
    clerk.select_option("#filter-state", "in_stock")
    expect(clerk).to_have_url(re.compile(r"/cards\?state=in_stock$"))
    expect(clerk.locator(".chip")).to_contain_text("State: In stock")
    assert set(clerk.locator("tbody .seal").all_inner_texts()) == {"In stock"}
    expect(clerk.locator("#filter-state")).to_be_focused()
    assert clerk.locator("#list-count").inner_text() == clerk.locator(".list__count").inner_text() != everything
    clerk.reload()
    assert set(clerk.locator("tbody .seal").all_inner_texts()) == {"In stock"}
    clerk.go_back()
    expect(clerk.locator(".list__count")).to_have_text(everything)
    plain = surf.signed_in("longhua-clerk", "en", java_script_enabled=False)
    plain.goto("/cards")
    plain.select_option("#filter-state", "blocked")
    with plain.expect_navigation():
        plain.get_by_role("button", name="Filter", exact=True).click()
    assert plain.locator("tbody a").all_inner_texts() == [cards["blocked"]["number"]]
    with plain.expect_navigation():
        plain.locator(".chip").click()
    assert plain.locator("tbody a").count() > 1


def test_a_list_is_sorted_and_paged_by_its_links(clerk):
    clerk.goto("/cards?size=25")
    expect(clerk.locator("th[aria-sort=descending]")).to_contain_text("Issued on")
    clerk.click("#sort-number")
    expect(clerk.locator("th[aria-sort=ascending]")).to_contain_text("Card number")
    expect(clerk.locator("#sort-number")).to_be_focused()
    numbers = clerk.locator("tbody th a").all_inner_texts()
    assert numbers == sorted(numbers)
    clerk.get_by_role("link", name="Next").click()
    expect(clerk.locator(".pages")).to_contain_text("Page 2 of 2")
    expect(clerk).to_have_url(re.compile(r"size=25.*sort=number.*page=2|page=2"))
    assert min(clerk.locator("tbody th a").all_inner_texts()) > numbers[-1]


def test_rows_are_walked_and_systems_reached_by_single_keys_that_can_be_switched_off(clerk):
    """Somebody who speaks to the computer would set off keys with every word (WCAG 2.1.4)."""
    clerk.keyboard.press("g")
    clerk.keyboard.press("c")
    expect(clerk).to_have_url(re.compile("/cards$"))
    clerk.wait_for_selector("body.js-enabled")
    clerk.keyboard.press("j")
    rows = clerk.locator("tbody th a")
    expect(rows.nth(0)).to_be_focused()
    clerk.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    clerk.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    clerk.keyboard.press("/")
    expect(clerk.locator("#search")).to_be_focused()
    clerk.keyboard.type("j?g")
    expect(clerk.locator("#search")).to_have_value("j?g")
    expect(clerk.locator("#help")).to_be_hidden()
    clerk.evaluate("document.activeElement.blur()")
    clerk.keyboard.press("?")
    expect(clerk.locator("#help")).to_be_visible()
    assert axe(clerk) == []
    clerk.locator("#keys-on").uncheck()
    clerk.keyboard.press("Escape")
    clerk.keyboard.press("?")
    expect(clerk.locator("#help")).to_be_hidden()
    clerk.reload()
    clerk.wait_for_selector("body.js-enabled")
    clerk.keyboard.press("?")
    expect(clerk.locator("#help")).to_be_hidden()
    clerk.click("#help-link")
    expect(clerk.locator("#help")).to_be_visible()
    expect(clerk.locator("#keys-on")).not_to_be_checked()
    clerk.locator("#keys-on").check()


def test_help_is_in_one_place_and_works_without_script(surf, clerk):
    places = set()
    for address in ("/", "/cards", "/exchanges", "/help"):
        clerk.goto(address)
        places.add(tuple(clerk.locator(".top a, .top button").all_inner_texts()))
    assert len(places) == 1
    plain = surf.signed_in("longhua-clerk", "en", java_script_enabled=False)
    plain.goto("/cards")
    plain.click("#help-link")
    expect(plain.locator("h1")).to_have_text("Help")
    expect(plain.locator(".rights")).to_contain_text("Hand out cards")


@pytest.mark.parametrize("login", ["longhua-clerk", "no-role"])
def test_where_one_is_is_marked_once_on_top_and_once_at_the_side(surf, login):
    page = surf.signed_in(login, "zh")
    page.goto("/help" if login == "no-role" else "/exchanges")
    on_top = page.locator(".systems [aria-current]")
    if login == "no-role":
        assert on_top.count() <= 1
    else:
        expect(on_top).to_have_text("卡管理维护")
        expect(page.locator(".rail [aria-current=page]")).to_have_count(1)


def test_paper_says_who_printed_it_and_when_and_leaves_out_the_frame(clerk):
    clerk.goto("/cards")
    expect(clerk.locator(".printed")).to_be_hidden()
    clerk.emulate_media(media="print")
    expect(clerk.locator(".printed")).to_contain_text(re.compile(r"Printed by 王芳, Longhua.*20\d\d \d\d:\d\d"))
    expect(clerk.locator(".demo").first).to_be_visible()
    for gone in (".top", ".systems", ".rail", ".filters", ".list__bar a"):
        expect(clerk.locator(gone).first).to_be_hidden()
    assert "••••" in clerk.locator("tbody").inner_text()


def test_the_skip_link_leads_past_the_frame(clerk):
    clerk.goto("/cards")
    clerk.wait_for_selector("body.js-enabled")
    clerk.keyboard.press("Tab")
    expect(clerk.locator(".govuk-skip-link")).to_be_focused()
    clerk.keyboard.press("Enter")
    until(clerk, "() => document.activeElement.id === 'main'")


def test_what_has_the_focus_is_seen_and_not_covered(clerk):
    """A ring under a bar is no ring (WCAG 2.4.7, 2.4.11)."""
    clerk.set_viewport_size({"width": 683, "height": 384})
    clerk.goto("/cards")
    clerk.wait_for_selector("body.js-enabled")
    for _ in range(40):
        clerk.keyboard.press("Tab")
        hidden = clerk.evaluate("""() => {
            const e = document.activeElement, box = e.getBoundingClientRect(), look = getComputedStyle(e);
            const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
            const over = document.elementFromPoint(
                middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
            const seen = over && (over === e || e.contains(over) || over.contains(e));
            const ring = look.outlineStyle !== "none" || e.matches("select, input");
            return seen && ring ? "" : e.outerHTML.slice(0, 120);
        }""")
        assert not hidden

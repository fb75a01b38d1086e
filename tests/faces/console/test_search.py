"""Finding a card: by its number, its holder's name, the person's number, which no address and no log ever holds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


def search(page, text):
    page.fill("#search", text)
    with page.expect_navigation():
        page.press("#search", "Enter")


@pytest.fixture
def clerk(surf):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto("/")
    return page


def test_a_card_number_leads_to_its_card(surf, clerk, cards):
    search(clerk, f" {cards['plain']['number'].lower()} ")
    expect(clerk).to_have_url(f"{surf.town.address}/cards/{cards['plain']['number']}")
    expect(clerk.locator("h1")).to_have_text(cards["plain"]["name"])


def test_a_name_finds_the_cards_of_its_bearer(clerk, cards):
    search(clerk, cards["destroyed"]["name"])
    found = clerk.locator("tbody a").all_inner_texts()
    assert {cards["destroyed"]["number"], cards["new"]["number"]} <= set(found)
    assert set(clerk.locator("tbody td:nth-child(2)").all_inner_texts()) == {cards["destroyed"]["name"]}


@pytest.mark.req("H1")
def test_a_person_number_finds_its_cards_and_stands_in_no_address_log_page_or_store(surf, clerk, cards):
    person = cards["destroyed"]["person"]
    search(clerk, person)
    expect(clerk).to_have_url(f"{surf.town.address}/cards?found=1")
    assert sorted(clerk.locator("tbody a").all_inner_texts()) == [cards["destroyed"]["number"], cards["new"]["number"]]
    clerk.select_option("#state", "active")
    expect(clerk.locator("tbody tr")).to_have_count(1)
    clerk.click(f"text={cards['new']['number']}")
    expect(clerk.locator("h1")).to_have_text(cards["new"]["name"])
    assert person not in clerk.content()
    assert clerk.locator(".facts .number").first.inner_text() == f"{person[:3]} •••• {person[-4:]}"
    assert not [address for address in surf.requested if person in address]
    log = surf.town.accesses()
    assert '"POST /search HTTP/1.1" 302' in log
    assert person not in log
    kept = clerk.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert person not in kept
    assert cards["new"]["name"] not in kept
    assert not [cookie for cookie in clerk.context.cookies() if person in cookie["value"]]


def test_nothing_found_says_how_to_search(clerk):
    search(clerk, "查无此人")
    expect(clerk.locator(".empty h2")).to_have_text("No card found")
    clerk.get_by_role("link", name="Show all cards").click()
    expect(clerk.locator("tbody tr").first).to_be_visible()


def test_a_card_that_others_serve_is_as_unknown_as_one_that_is_not(surf, cards):
    page = surf.signed_in("sanya-desk", "en")
    page.goto("/")
    search(page, cards["plain"]["number"])
    expect(page.locator("h1")).to_have_text("Refused · no. 4201")
    theirs = page.locator("main").inner_text()
    search(page, "D99999991")
    expect(page.locator("h1")).to_be_visible()
    search(page, cards["plain"]["name"])
    expect(page.locator(".empty h2")).to_have_text("No card found")
    assert cards["plain"]["name"] not in theirs


def test_a_filter_stands_in_the_address_and_survives_reload_back_and_no_script(surf, clerk, cards):
    clerk.goto("/cards")
    all_of_them = clerk.locator("#count").inner_text()
    clerk.focus("#state")
    clerk.select_option("#state", "in_stock")
    expect(clerk).to_have_url(re.compile(r"/cards\?state=in_stock$"))
    expect(clerk.locator("tbody .seal").first).to_have_text("In stock")
    assert set(clerk.locator("tbody .seal").all_inner_texts()) == {"In stock"}
    expect(clerk.locator("#count")).not_to_have_text(all_of_them)
    expect(clerk.locator("#state")).to_be_focused()
    clerk.reload()
    assert set(clerk.locator("tbody .seal").all_inner_texts()) == {"In stock"}
    clerk.go_back()
    expect(clerk.locator("#count")).to_have_text(all_of_them)
    plain = surf.signed_in("longhua-clerk", "en", java_script_enabled=False)
    plain.goto("/cards")
    plain.select_option("#state", "blocked")
    with plain.expect_navigation():
        plain.get_by_role("button", name="Filter").click()
    assert plain.locator("tbody a").all_inner_texts() == [cards["blocked"]["number"]]


def test_pages_of_a_list_keep_its_filter(clerk):
    clerk.goto("/cards?state=")
    expect(clerk.locator(".pages span")).to_contain_text("Page 1 of")
    first = clerk.locator("tbody a").first.inner_text()
    clerk.get_by_role("link", name="Next").click()
    expect(clerk).to_have_url(re.compile(r"state=.*page=2"))
    assert clerk.locator("tbody a").first.inner_text() != first
    clerk.goto("/cards?page=9999&state=blocked")
    expect(clerk.locator("tbody tr")).to_have_count(1)
    clerk.goto("/cards?page=x")
    expect(clerk.locator(".pages span")).to_contain_text("Page 1 of")

"""Finding a card: by its number, its holder's name, the person's number, which no address and no log ever holds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sheka.office.work.names import search_terms


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
    found = clerk.locator("tbody .number").all_inner_texts()
    assert {cards["destroyed"]["number"], cards["new"]["number"]} <= set(found)
    assert {cards["destroyed"]["name"]} <= set(clerk.locator("tbody th").all_inner_texts())


def test_pinyin_and_initials_find_a_name_too(clerk, cards):
    _whole, spelt, *initials = search_terms(cards["plain"]["name"])
    for typed in (spelt, spelt.upper(), initials[-1], cards["plain"]["name"][0]):
        search(clerk, typed)
        expect(clerk.locator("main h2").first).to_have_text("Cards and their holders")
        assert cards["plain"]["name"] in clerk.locator("tbody th").all_inner_texts(), typed


@pytest.mark.req("H1")
def test_a_person_number_finds_its_cards_and_stands_in_no_address_log_page_or_store(surf, clerk, cards):
    person = cards["destroyed"]["person"]
    search(clerk, person)
    expect(clerk).to_have_url(re.compile(r"/search\?t=[\w-]{16}$"))
    assert set(clerk.locator("tbody .number").all_inner_texts()) == {
        cards["destroyed"]["number"],
        cards["new"]["number"],
    }
    assert person not in clerk.content()
    clerk.locator("tr", has_text=cards["new"]["number"]).get_by_role("link").click()
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


def test_a_scanned_confirmation_leads_to_its_exchange(surf, clerk, cards):
    clerk.goto("/exchanges")
    number = clerk.locator("tbody th a").first.inner_text()
    for typed in (number, number.lower(), f"https://card.example/receipts/{number}"):
        search(clerk, typed)
        expect(clerk).to_have_url(f"{surf.town.address}/exchanges/{number}")


def test_nothing_found_says_how_to_search(clerk):
    search(clerk, "查无此人")
    expect(clerk.locator(".empty h2")).to_have_text("Nothing found")
    clerk.goto("/search")
    expect(clerk.locator(".empty h2")).to_have_text("What do you look for?")
    clerk.goto("/search?t=forged")
    expect(clerk.locator("h1")).to_have_text("Refused · no. 3630")


def test_a_card_that_others_serve_is_as_unknown_as_one_that_is_not(surf, cards):
    page = surf.signed_in("sanya-desk", "en")
    page.goto("/")
    for text in (cards["plain"]["number"], "D99999991", cards["plain"]["name"], cards["plain"]["person"]):
        search(page, text)
        expect(page.locator(".empty h2")).to_have_text("Nothing found")
        assert cards["plain"]["name"] not in page.locator("main").inner_text()


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "<script>alert(1)</script>", "{{ 7*7 }}", "\\"])
def test_what_is_typed_is_only_looked_for(clerk, text):
    search(clerk, text)
    expect(clerk.locator(".empty h2")).to_have_text("Nothing found")

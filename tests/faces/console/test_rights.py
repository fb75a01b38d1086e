"""Who sees which page: a role without the permission has no link to it, and is refused with a number when it asks."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PAGES = {
    "/cards": "card.view",
    "/exchanges": "card.view",
    "/issuance": "issuance.view",
    "/clearing": "clearing.view",
    "/keys": "key.view",
    "/audit": "audit.read",
    "/people": "staff.view",
    "/organisations": "organisation.view",
}
FIRST = {address: PAGES[address] for address in ("/cards", "/issuance", "/keys", "/clearing", "/audit")}
"""Where the systems on top lead."""
LOGINS = (
    "longhua-clerk",
    "haikou-auditor",
    "hainan-keys",
    "ministry-reviewer",
    "haikou-settlement",
    "haikou-accounts",
    "centre-keeper",
    "no-role",
)


def permissions(login):
    """What the policy gives this log-in."""
    from sheka.faces.story.cast import CAST
    from sheka.office.staff.permissions import matrix

    roles = {member.login: member.role for member in CAST}
    return matrix()[roles[login]] if login in roles else frozenset()


@pytest.mark.req("K6")
@pytest.mark.parametrize("login", LOGINS)
def test_links_and_pages_follow_the_policy(surf, login):
    page = surf.signed_in(login, "en")
    page.goto("/")
    held = permissions(login)
    assert page.locator("#search").count() <= 1
    tops = {link.get_attribute("href") for link in page.locator(".systems a").all()}
    assert {address for address in FIRST if address in tops} == {
        address for address, needed in FIRST.items() if needed in held
    }
    for address, needed in PAGES.items():
        answer = page.request.get(address)
        assert answer.status == (200 if needed in held else 403), address
        assert ("3001 ·" in answer.text()) == (needed not in held)


def test_a_refusal_page_has_its_number_its_sentence_and_a_way_back(surf):
    page = surf.signed_in("longhua-clerk", "en")
    assert page.goto("/audit").status == 403
    expect(page.locator("h1")).to_have_text("Refused · no. 3001")
    expect(page.get_by_role("alert")).to_contain_text("“Read the audit” (audit.read)")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page).to_have_url(f"{surf.town.address}/")
    page = surf.signed_in("longhua-clerk", "zh")
    page.goto("/audit")
    expect(page.locator("h1")).to_have_text("不予办理 · 编号 3001")


@pytest.mark.parametrize("verb", ["block", "unblock", "cancel", "reveal"])
def test_a_verb_of_another_role_is_neither_offered_nor_served(surf, cards, verb):
    page = surf.signed_in("longhua-clerk", "en")
    address = f"/cards/{cards['plain']['number']}"
    page.goto(address)
    assert f"{address}/{verb}" not in page.content()
    answer = page.goto(f"{address}/{verb}")
    assert answer.status == 403
    expect(page.locator("h1")).to_have_text("Refused · no. 3001")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page).to_have_url(f"{surf.town.address}{address}")


def test_a_verb_that_is_none_is_not_found(surf, cards):
    page = surf.signed_in("longhua-clerk", "en")
    for verb in ("personalise", "destroy", "__class__"):
        assert page.goto(f"/cards/{cards['plain']['number']}/{verb}").status == 404


def test_what_is_late_stands_out_in_the_rail_and_the_list(surf, cards):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto("/exchanges")
    expect(page.locator(".rail__late")).to_have_text("3 waiting, some overdue")
    expect(page.locator("tbody tr", has_text=cards["late"]["number"])).to_contain_text("overdue")
    expect(page.locator("tbody .seal", has_text="overdue")).to_have_count(1)

"""Every page, in both languages: nothing for axe to find, nothing inline, one tongue, no wider than its screen."""

from __future__ import annotations

import pytest
from tests.support.pages import faults_of

VISITS = {
    "longhua-clerk": (
        "/cards?state=ordered&sort=-holder",
        "/cards?state=nonsense&until_from=2020-01-01&until_to=2020-01-02",
        "/cards/{exchange}",
        "/cards/{exchange}?tab=documents",
        "/cards/{exchange}?tab=finding",
        "/cards/{exchange_new}",
        "/cards/{paid}",
        "/cards/{destroyed}",
        "/cards/{lost}",
        "/cards/{in_stock}",
        "/cards/{plain}/report_loss_temporarily",
        "/cards/{in_stock}/hand_out",
        "/cards/{plain}/exchange?by=proxy&ground=data_changed",
        "/cards/{plain}/exchange",
        "/cards/D99999999",
        "/keys",
        "/nothing",
    ),
    "haikou-desk": (
        "/cards/{plain}?tab=transactions",
        "/cards/{frozen}",
        "/cards/{blocked}",
        "/cards/{plain}/reveal",
        "/cards/{plain}/block",
    ),
    "sanya-desk": ("/", "/cards", "/exchanges", "/issuance", "/issuance/numbers", "/clearing", "/keys"),
    "no-role": ("/", "/help"),
}
"""Pages in the states that a link alone does not lead to; test_crawl.py sees each page once."""


@pytest.mark.req("H1")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", VISITS)
def test_a_page_is_whole_for_everybody(surf, cards, login, language):
    """A reader with a screen reader, a keyboard, a telephone, or one of the two languages would be shut out."""
    page = surf.signed_in(login, language)
    numbers = {name: card["number"] for name, card in cards.items()}
    wrong = {}
    for template in VISITS[login]:
        answer = page.goto(template.format(**numbers))
        page.wait_for_selector("body.js-enabled")
        faults = [*faults_of(page, answer.text(), language)]
        if faults:
            wrong[template] = faults
    assert not wrong, "\n".join(f"{address}\n  " + "\n  ".join(found) for address, found in wrong.items())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_before_signing_in_are_whole(surf, language):
    page = surf.stranger(language)
    answer = page.goto("/sign-in")
    assert [*faults_of(page, answer.text(), language)] == []
    with page.expect_navigation() as errors:
        page.click("main button")
    assert [*faults_of(page, errors.value.text(), language)] == []
    surf.password(page, "haikou-planner", "not the password")
    assert [*faults_of(page, page.content(), language)] == []
    surf.password(page, "haikou-planner")
    page.wait_for_selector("#demo-code")
    assert [*faults_of(page, page.content(), language)] == []
    with page.expect_navigation() as errors:
        page.click("main button")
    assert [*faults_of(page, errors.value.text(), language)] == []

"""Every page, in both languages: nothing for axe to find, nothing inline, one tongue, no wider than its screen."""

from __future__ import annotations

import pytest
from tests.support.pages import axe, foreign, inline, until

WIDTHS = (1366, 683, 360)
"""A clerk's screen, the same at 200 %, a telephone."""
AXE_WIDTHS = {"zh": 1366, "en": 360}
SETTLED = """() => [...document.querySelectorAll(".scroll")].every(
    frame => frame.hasAttribute("tabindex") === frame.scrollWidth > frame.clientWidth)"""
VISITS = {
    "longhua-clerk": (
        "/",
        "/cards",
        "/cards?state=ordered",
        "/cards/{exchange}",
        "/cards/{exchange}?tab=documents",
        "/cards/{exchange}?tab=finding",
        "/cards/{paid}?tab=finding",
        "/cards/{exchange_new}",
        "/cards/{paid}",
        "/cards/{destroyed}",
        "/cards/{lost}",
        "/cards/{in_stock}",
        "/cards/{plain}/report_loss_temporarily",
        "/cards/{lost}/release",
        "/cards/{in_stock}/hand_out",
        "/cards/{destroyed}/report_loss",
        "/cards/D99999999",
        "/exchanges",
        "/keys",
        "/nothing",
    ),
    "haikou-desk": (
        "/",
        "/cards/{destroyed}?tab=transactions",
        "/cards/{plain}?tab=transactions",
        "/cards/{frozen}",
        "/cards/{blocked}",
        "/cards/{plain}/reveal",
        "/cards/{plain}/block",
    ),
    "haikou-auditor": (
        "/",
        "/audit",
        "/audit?verify=1",
        "/audit?subject=card:D00000013",
        "/audit?subject=nothing",
        "/issuance",
        "/keys",
        "/clearing",
    ),
    "ministry-reviewer": ("/", "/issuance"),
    "hainan-keys": ("/", "/keys"),
    "sanya-desk": ("/", "/cards", "/exchanges", "/issuance", "/clearing", "/keys"),
    "no-role": ("/",),
}


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


def faults_of(page, html, language):
    """Everything that is wrong with the page that stands in the browser; `html` as it came."""
    lang = page.get_attribute("html", "lang")
    if lang != {"zh": "zh-Hans", "en": "en"}[language]:
        yield f"lang is {lang}"
    yield from (f"inline: {found}" for found in inline(html))
    yield from (f"other language: {found}" for found in foreign(page, language))
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} first headings"
    if page.locator("main .button--primary").count() > 1:
        yield "more than one filled button"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 768})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{wide} px wide on a screen of {width}"
    page.set_viewport_size({"width": AXE_WIDTHS[language], "height": 768})
    until(page, SETTLED)
    yield from (f"axe: {found}" for found in axe(page))

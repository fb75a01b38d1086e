"""Pages for what goes wrong: they say what happened and that nothing was changed, and are as whole as the others."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.utils.translation import override
from django.views import defaults
from playwright.sync_api import expect
from tests.support.pages import axe, foreign, inline

from sheka.faces.console.headers import POLICY


def test_a_form_from_another_session_is_refused_and_changes_nothing(surf, cards):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto(f"/cards/{cards['plain']['number']}/report_loss_temporarily")
    page.fill("#text", "by telephone")
    page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').value = 'x'.repeat(64)")
    with page.expect_navigation() as answer:
        page.click("main button")
    assert answer.value.status == 403
    expect(page.locator("h1")).to_have_text("The form is out of date")
    assert axe(page) == []
    page.goto(f"/cards/{cards['plain']['number']}")
    expect(page.locator(".states .seal").first).to_have_text("Active")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("status", "view"),
    [
        (400, lambda request: defaults.bad_request(request, ValueError())),
        (403, lambda request: defaults.permission_denied(request, PermissionError())),
        (404, lambda request: defaults.page_not_found(request, KeyError())),
        (500, defaults.server_error),
    ],
)
def test_the_page_of_an_error_is_whole(surf, status, view, language):
    """The page as Django makes it, shown under the console's address and policy."""
    with override({"zh": "zh-hans", "en": "en"}[language]):
        made = view(RequestFactory().get("/gone"))
    assert made.status_code == status
    html = made.content.decode()
    page = surf.stranger(language)
    headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html; charset=utf-8"}
    page.route("**/gone", lambda route: route.fulfill(status=200, body=html, headers=headers))
    page.goto("/gone")
    assert inline(html) == []
    assert axe(page) == []
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("main a.button").get_attribute("href") == "/"
    if status in (403, 404):
        assert list(foreign(page, language)) == []
    else:
        expect(page.locator("[lang=en] h2")).to_be_visible()


def test_what_is_not_there_answers_404_with_a_way_home(surf):
    page = surf.signed_in("longhua-clerk", "zh")
    assert page.goto("/nothing/of/the/kind").status == 404
    expect(page.locator("h1")).to_have_text("页面不存在")
    page.get_by_role("link", name="前往概览").click()
    expect(page.locator("h1")).to_contain_text("您好")


HOSTILE = (
    "/cards/%00",
    "/cards/..%2f..%2fetc",
    "/cards/D1'--",
    "/cards/D99999999/%00",
    "/cards?page=" + "9" * 3900,
    "/cards?page=%D9%A1",
    "/cards?state=%00",
    "/cards?state='; drop table cards_card; --",
    "/cards/D99999999?tab=%00",
    "/exchanges?page=-1",
    "/exchanges?page=%00",
    "/sign-in?next=//example.org",
    "/search",
    "/language",
)


def test_no_address_brings_the_console_down(surf):
    page = surf.signed_in("longhua-clerk")
    answers = {address[:60]: page.request.get(address).status for address in HOSTILE}
    assert not [address for address, status in answers.items() if status >= 500]
    assert answers["/cards/%00"] == answers["/cards/D1'--"] == 404
    assert answers["/search"] == 200
    auditor = surf.signed_in("haikou-auditor")
    for query in ("subject=%00", "subject=card:%27%00", "page=x", "verify=%00", "subject=" + "x" * 3000):
        assert auditor.request.get(f"/audit?{query}").status == 200


@pytest.mark.parametrize("typed", ["\0", "a\0b", "'; --", "%", "\ud83d\ude00" * 100, "<script>", "𬭶𫖯"])
def test_nothing_that_is_typed_brings_the_search_down(surf, typed):
    page = surf.signed_in("longhua-clerk")
    page.goto("/")
    token = page.input_value(".top__search [name=csrfmiddlewaretoken]")
    answer = page.request.post(
        "/search", form={"text": typed, "csrfmiddlewaretoken": token}, headers={"Referer": page.url}
    )
    assert answer.status == 200
    assert "<script>" not in answer.text()


@pytest.mark.parametrize("address", ["/", "/cards", "/sign-in", "/nothing", "/static/console/nothing.css"])
def test_every_answer_has_the_policy_and_no_personal_page_is_kept(surf, address):
    page = surf.signed_in("longhua-clerk")
    headers = page.request.get(address).headers
    if not address.startswith("/static/"):
        assert headers["content-security-policy"] == POLICY
        assert headers["x-frame-options"] == "DENY"
    if address in ("/", "/cards", "/sign-in"):
        assert "no-store" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_files_are_served_for_long_under_addresses_of_their_content(surf):
    page = surf.stranger()
    page.goto("/sign-in")
    addresses = page.eval_on_selector_all("link[href], script[src]", "all => all.map(e => e.href || e.src)")
    assert len(addresses) >= 4
    for address in addresses:
        assert "?v=" in address
        answer = page.request.get(address)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "max-age=3600, public"
        assert "access-control-allow-origin" not in answer.headers
        again = page.request.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status == 304
    assert page.request.get("/static/console/build/govuk-frontend.min.js").status == 200

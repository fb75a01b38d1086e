"""The pages of jobs, audit, calendar and health: nothing is wrong with them in either language, at any width."""

from __future__ import annotations

import re

import pytest
from tests.support.pages import faults_of

PAGES = {
    "haikou-auditor": ("/audit?size=25", "/audit?only=reads", "/jobs"),
    "haikou-business": ("/calendar/2026", "/calendar/2027", "/calendar/import"),
    "haikou-system": ("/health", "/jobs"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", PAGES)
def test_every_list_and_form(surf, engine, login, language):
    page = surf.signed_in(login, language)
    for address in PAGES[login]:
        answer = page.goto(address)
        assert list(faults_of(page, answer.text(), language)) == [], address


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_event_a_job_and_its_result(surf, engine, language):
    page = surf.signed_in("haikou-auditor", language)
    page.goto("/audit")
    page.locator("tbody th a").first.click()
    page.wait_for_url(re.compile(r"/audit/\d+$"))
    addresses = [page.url]
    page.goto("/audit")
    page.locator("form.anchor button").click()
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    page.locator("main a.button").wait_for()
    addresses += [page.url, page.url.replace("/jobs/", "/audit/verifications/")]
    for address in addresses:
        answer = page.goto(address)
        assert list(faults_of(page, answer.text(), language)) == [], address

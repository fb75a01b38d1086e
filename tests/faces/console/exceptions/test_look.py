"""The pages of the exceptions desk in Chromium, in both languages: axe, tongue, nothing inline (S10, WCAG 2.2 AA)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import connections
from tests.support.desks import signed_in
from tests.support.pages import SIDEWAYS, faults_of

from sheka.office.staff.models import StaffMember

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
HERE = "http://desk.test"


@pytest.fixture(scope="module", autouse=True)
def beside_the_loop():
    """Playwright's loop runs in this thread, where the pages are answered and the database is put back too."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def look(chromium):
    """look(desk, address, language) → a page in Chromium whose answers come from this process."""
    opened = []

    def serve(desk):
        def answer(route):
            path = urlsplit(route.request.url).path
            if path.startswith("/static/"):
                name = path.removeprefix("/static/")
                file = finders.find(name) or finders.find(re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", name))
                route.fulfill(path=file) if file else route.fulfill(status=404)
                return
            found = desk.get(route.request.url.removeprefix(HERE))
            connections.close_all()  # of this answer: the next one runs in a context of its own
            headers = {name: value for name, value in found.headers.items() if name.lower() != "content-length"}
            route.fulfill(status=found.status_code, headers=headers, body=found.content)

        return answer

    def open_page(actor, address, language):
        context = chromium.new_context(
            locale={"zh": "zh-CN", "en": "en-GB"}[language], viewport={"width": 1366, "height": 900}
        )
        opened.append(context)
        page = context.new_page()
        code = {"zh": "zh-hans", "en": "en"}[language]
        page.route("**/*", serve(signed_in(StaffMember.objects.get(pk=actor.staff_id), code)))
        return page, page.goto(HERE + address).text()

    yield open_page
    for context in opened:
        context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_whole_in_both_languages(look, desks, cases, language):
    officer, approver, clerk = (desks[name].actor for name in ("officer", "approver", "clerk"))
    addresses = [
        (officer, "/exceptions"),
        (officer, f"/exceptions/{cases['amount'].number}"),
        (officer, f"/exceptions/{cases['only_theirs'].number}"),
        (officer, f"/exceptions/{cases['duplicate'].number}"),
        (officer, f"/exceptions/{cases['dispute'].number}"),
        (approver, "/exceptions/rules"),
        (officer, "/exceptions/rules/log"),
        (clerk, "/exceptions/dispute"),
        (clerk, "/exceptions/disputes"),
    ]
    faults = []
    for number, (actor, address) in enumerate(addresses):
        page, html = look(actor, address, language)
        if folder := os.environ.get("SHEKA_PICTURES"):
            page.screenshot(path=Path(folder) / f"exceptions-{language}-{number}.png", full_page=True)
        faults += [f"{address}: {fault}" for fault in faults_of(page, html, language)]
        for width in (1366, 390):
            page.set_viewport_size({"width": width, "height": 900})
            faults += [f"{address}: at {width} px {one} scrolls" for one in page.evaluate(SIDEWAYS)]
    assert faults == []

"""The pages of institutions and terminals in a real browser, in both languages: whole, accessible, in one tongue."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.utils import timezone
from tests.support.acquiring import TEST_NUMBER
from tests.support.desks import person_at, signed_in
from tests.support.pages import SCREEN, WATCH, faults_of
from tests.support.payments import CITY, HOSPITAL
from tests.systems.transactions.test_onboarding import certificate

from sheka.office.scope import whole_node
from sheka.office.staff.models import StaffMember
from sheka.systems.transactions.actions.keep_certificates import add_certificate
from sheka.systems.transactions.actions.onboard_institution import begin_testing
from sheka.systems.transactions.models import Institution, Terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
ONE = f"/acquiring/institutions/{HOSPITAL}"
PAGES = {
    "acquiring_officer": (
        "/acquiring",
        "/acquiring/new",
        ONE,
        f"{ONE}/tests",
        f"{ONE}/terminals",
        f"{ONE}/certificate",
        f"{ONE}/change",
        "/acquiring/terminals",
        "/acquiring/terminals/460100000001",
        "/acquiring/map",
    ),
    "acquiring_supervisor": ("/acquiring/test-cards", f"{ONE}/suspend", "/acquiring/terminals/460100000001"),
}


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module", autouse=True)
def beside_playwright():
    """Playwright's loop runs in this thread, and Django is asked in it to the end of the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def served(bank):
    """An institution with everything on it, and the console of this process at an address."""
    places = (("20.031", "110.329"), ("20.0311", "110.3291"), ("19.962", "110.301"))
    for number, (latitude, longitude) in enumerate(places, start=1):
        Terminal.objects.filter(number=f"46010000000{number}").update(
            latitude=latitude, longitude=longitude, place="门诊收费处", model="收单终端 P2", software="2.4.1"
        )
    Terminal.objects.filter(number="460100000003").update(state="suspended")
    Institution.objects.filter(code=HOSPITAL).update(
        contract="协议2026-9",
        contract_to=timezone.localdate(),
        address="海口市秀英区",
        contact="信息科",
        protocol="1.0",
    )
    begin_testing(bank.actor, code=HOSPITAL, protocol="1.1", software="3.0", terminals=[TEST_NUMBER])
    add_certificate(bank.actor, code=HOSPITAL, pem=certificate())
    application = get_wsgi_application()

    def closing(environ, start):
        try:
            yield from application(environ, start)
        finally:
            connections.close_all()

    with make_server("127.0.0.1", 0, closing, Server, Quiet) as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_whole_in_the_browser(served, chromium, language):
    faults, problems = [], []
    with whole_node("a test stands outside of every organisation"):
        desks = {}
        for role in PAGES:
            person = person_at(CITY, role)
            StaffMember.objects.filter(pk=person.pk).update(name="叶知远")
            desks[role] = signed_in(person, "zh-hans" if language == "zh" else "en")
    for role, addresses in PAGES.items():
        context = chromium.new_context(viewport=SCREEN, base_url=served)
        context.add_init_script(WATCH)
        cookies = {name: one.value for name, one in desks[role].requests.cookies.items()}
        cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans" if language == "zh" else "en"
        context.add_cookies([{"name": name, "value": value, "url": served} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
        for address in addresses:
            page.set_viewport_size(SCREEN)
            answer = page.goto(address)
            assert answer.status == 200, (address, answer.status, answer.text()[:500])
            if folder := os.environ.get("SHEKA_SHOTS"):
                name = f"{language}_{role[10:13]}_{address.strip('/').replace('/', '_')}.png"
                page.screenshot(path=Path(folder) / name, full_page=True)
            faults += [f"{address}: {fault}" for fault in faults_of(page, answer.text(), language)]
        context.close()
    assert not problems, problems
    assert not faults, "\n".join(faults)

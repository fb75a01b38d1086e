"""Fixtures of the tests of transactions' pages: a bank, its switch, desks, and a browser that looks at them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from tests.support.desks import person_at, signed_in
from tests.support.organisations import appoint, installer, tree
from tests.support.pages import LOCALES, NAVIGATION_FAILED, SCREEN, WATCH
from tests.support.payments import CITY, bank, haikou_machine, switch, terminal

__all__ = ["appoint", "bank", "haikou_machine", "installer", "switch", "terminal", "tree"]


@pytest.fixture
def desks(bank):
    """role → a desk of Haikou in English."""

    def desk(role: str, language: str = "en", place: str = CITY):
        return signed_in(person_at(place, role), language)

    return desk


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """The test says what it looks at."""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False
    block_on_close = True


class Closing(WSGIHandler):
    """Each request has its own thread here, so its connections end with it."""

    def __call__(self, environ, start_response):
        answer = super().__call__(environ, start_response)
        connections.close_all()
        return answer


@pytest.fixture
def browse(bank, chromium, settings) -> Iterator[object]:
    """browse(role, language) → a page of the console on the database of this test; what a browser complains about fails
    the test.
    """
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = make_server("127.0.0.1", 0, StaticFilesHandler(Closing()), Server, Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    contexts, problems = [], []

    def heard(message) -> None:
        if message.type in ("error", "warning") and not NAVIGATION_FAILED.match(message.text):
            problems.append(message.text)

    def open_page(role: str, language: str = "zh"):
        address = f"http://127.0.0.1:{server.server_port}"
        cookies = signed_in(person_at(CITY, role), {"zh": "zh-hans", "en": "en"}[language]).requests.cookies
        context = chromium.new_context(locale=LOCALES[language], viewport=SCREEN, base_url=address)
        context.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in cookies.values()])
        context.add_init_script(WATCH)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", heard)
        return page

    yield open_page
    for context in contexts:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert not problems, "\n".join(problems)

"""The web face against those who mean harm: headers, cookies, hosts, methods, limits, slow clients (ASVS 3, 4, 12)."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from sheka.config.web_worker import TimedSocket
from sheka.equipment.server.node import VARIABLE, NodeConfig
from sheka.faces.console.headers import ALWAYS
from sheka.faces.console.urls import urlpatterns

OFF_DEMO = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
plain = Client().get("/nothing", HTTP_HOST="console.example")
behind = {"HTTP_HOST": "console.example", "HTTP_X_FORWARDED_PROTO": "https"}
safe = Client().get("/nothing", **behind)
other = Client().get("/nothing", **behind | {"HTTP_HOST": "evil.example"})
names = [name for name in dir(settings) if name.isupper() and ("COOKIE" in name or "SECURE" in name)]
print(json.dumps({
    "settings": {name: getattr(settings, name) for name in names},
    "debug": settings.DEBUG,
    "plain": [plain.status_code, plain.headers.get("Location")],
    "safe": [safe.status_code, dict(safe.headers)],
    "other": other.status_code,
}))
"""


@pytest.fixture(scope="module")
def off_demo(tmp_path_factory):
    """What a node that is no demonstration answers behind its proxy."""
    node = NodeConfig.create_demo(tmp_path_factory.mktemp("node"))
    text = node.path.read_text().replace("demo = true\n", "")
    text = re.sub(r"(?m)^\[web\]$", '[web]\nname = "console.example"', text)
    assert text != node.path.read_text()
    node.path.write_text(text)
    environment = os.environ | {VARIABLE: str(node.path), "DJANGO_SETTINGS_MODULE": "sheka.config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", OFF_DEMO], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_off_demo_every_cookie_is_for_this_host_over_tls_alone(off_demo):
    """A session that travels in clear, or that another host can set, is somebody else's session."""
    found = off_demo["settings"]
    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert found[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
        assert found[f"{cookie}_COOKIE_SECURE"] is found[f"{cookie}_COOKIE_HTTPONLY"] is True
        assert found[f"{cookie}_COOKIE_SAMESITE"] == "Strict"
        assert found.get(f"{cookie}_COOKIE_DOMAIN") is None
        assert found.get(f"{cookie}_COOKIE_PATH", "/") == "/"
    assert off_demo["debug"] is False


def test_off_demo_plain_http_leads_to_tls_and_tls_says_to_stay(off_demo):
    assert off_demo["plain"] == [301, "https://console.example/nothing"]
    status, headers = off_demo["safe"]
    assert status == 404
    years, scope = headers["Strict-Transport-Security"].split("; ", 1)
    assert int(years.removeprefix("max-age=")) >= 365 * 24 * 3600
    assert scope == "includeSubDomains"


def test_a_host_that_is_not_ours_gets_nothing(off_demo):
    """A link in a mail would be built from what the attacker wrote into the request."""
    assert off_demo["other"] == 400
    answer = Client().get("/nothing", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content


@pytest.mark.parametrize("address", ["/nothing", "/static/console/console.js", "/static/console/nothing.js"])
def test_every_answer_limits_the_browser(address):
    answer = Client().get(address)
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "*" not in answer.headers["Content-Security-Policy"]
    for name in ("default-src", "script-src", "style-src", "connect-src", "form-action"):
        assert policy[name] == "'self'"
    for name in ("object-src", "base-uri", "frame-ancestors", "frame-src", "worker-src"):
        assert policy[name] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in answer.headers
    answer.close()


VALUES = {"int": 1, "str": "x", "slug": "x", "card": "D1", "exchange": "H1", "subject": "card:D1", "uuid": "x"}


def views():
    """Every view of the node with arguments that its address could carry."""
    found = []

    def walk(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns)
            elif hasattr(pattern.callback, "opens_for") or getattr(pattern.callback, "open_to_all", False):
                names = re.findall(r"<(?:(\w+):)?(\w+)>", str(pattern.pattern))
                found.append(
                    (str(pattern.pattern), pattern.callback, {name: VALUES.get(kind, "x") for kind, name in names})
                )

    walk(urlpatterns)
    return found


@pytest.mark.parametrize(
    ("address", "view", "arguments"), views(), ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("method", ["DELETE", "PUT", "TRACE", "PROPFIND"])
def test_a_view_answers_the_methods_it_knows_and_no_other(address, view, arguments, method):
    """A verb that a page never meant to have would go past whatever looks at POST."""
    if address == "language":
        return  # Django's own: it changes nothing unless the method is POST
    answer = view(RequestFactory().generic(method, "/"), **arguments)
    assert answer.status_code == 405
    assert method not in answer.headers["Allow"]


@pytest.mark.parametrize(
    "address", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_choosing_a_language_leads_nowhere_else(address):
    answer = Client().post("/language", {"language": "en", "next": address}, HTTP_REFERER="https://evil.example/")
    assert urlsplit(answer.headers["Location"]).netloc == ""
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\"))


def test_a_form_of_endless_fields_is_refused():
    many = {f"f{number}": "1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    answer = Client().post("/language", many)
    assert answer.status_code == 400
    body = "a=" + "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = "application/x-www-form-urlencoded"
    assert Client().post("/language", body, content_type=form).status_code in (400, 413)


def test_a_slow_client_is_cut_and_a_steady_one_is_not(monkeypatch):
    monkeypatch.setattr("sheka.config.web_worker.GRACE_SECONDS", 0.3)
    monkeypatch.setattr("sheka.config.web_worker.SLOWEST_BYTES", 1_000)
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        timed = TimedSocket(ours)
        theirs.send(b"x" * 2_000)
        assert len(timed.recv(4_000)) == 2_000  # which buys two seconds more
        time.sleep(0.4)
        theirs.send(b"y")
        assert timed.recv(10) == b"y"
        timed.begin()
        with pytest.raises(ConnectionResetError):
            timed.recv(10)
        with pytest.raises(ConnectionResetError):
            timed.recv(10)


def test_nobody_waits_for_those_who_send_slowly(town):
    """Fifteen half requests are open: a clerk would see nothing happen."""
    host, port = urlsplit(town.address).netloc.split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(15)]
    try:
        for one in slow:
            one.send(b"GET / HTTP/1.1\r\nHost: ")
        time.sleep(0.2)
        began = time.monotonic()
        with socket.create_connection((host, int(port))) as quick:
            quick.send(f"GET /sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            quick.settimeout(8)
            assert quick.recv(20).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 5
    finally:
        for one in slow:
            one.close()


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /" + "x" * 5_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\n" + "X-A: 1\r\n" * 80 + "\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nX-A: " + "y" * 9_000 + "\r\n\r\n",
        "POST /language HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: {host}\r\n\r\n",
    ],
    ids=["long line", "many headers", "long header", "two lengths", "version"],
)
def test_what_is_no_request_of_a_browser_is_refused_at_the_door(town, request_line):
    host, port = urlsplit(town.address).netloc.split(":")
    with socket.create_connection((host, int(port))) as line:
        line.settimeout(8)
        line.sendall(request_line.format(host=host).encode())
        answer = line.recv(4_000)
    assert re.match(rb"HTTP/1.1 4\d\d", answer)
    assert b"Traceback" not in answer

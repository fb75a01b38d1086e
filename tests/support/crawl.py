"""Walking the console as each role without a browser: every link that a page shows, until there is nothing new.

A page is known by the name of its address; three pages of a name and set of parameters are enough. What one process
of a run has walked the others read from the run's folder.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.test import RequestFactory
from django.urls import Resolver404, resolve
from tests.support.console_world import Town, Web
from tests.support.world import World

from sheka.faces.console.urls import urlpatterns

LINK = re.compile(r'<a\b[^>]*?\shref="([^"]+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
CODE = re.compile(r'id="demo-code"[^>]*>\s*(\d{6})')
ENOUGH = 3
TOGETHER = 3
"""So many walk at once: while one waits for the database, another's page is made. Who needs a walk waits for all."""
NOT_WALKED = re.compile(r"[?&]export=|^/static/|^/language|^/api/")
LOGINS = (
    "ministry-reviewer",
    "ministry-keys",
    "ministry-keys-2",
    "ministry-custodian",
    "hainan-examiner",
    "haikou-issuance",
    "haikou-custodian",
    "haikou-planner",
    "haikou-producer",
    "haikou-supervisor",
    "haikou-accounts",
    "haikou-accounts-2",
    "haikou-acquiring",
    "haikou-acquiring-2",
    "haikou-clearing",
    "haikou-exceptions",
    "haikou-exceptions-2",
    "haikou-settlement",
    "haikou-auditor",
    "haikou-security",
    "haikou-business",
    "haikou-system",
    "longhua-clerk",
    "centre-keeper",
    "centre-witness-1",
    "no-role",
)
"""Somebody of every role that the town has, and somebody without one."""


@dataclass
class Answer:
    """What an address answered: its name in the urlconf, where a link to it stood, what it was."""

    address: str
    name: str
    status: int
    kind: str
    title: str
    came_from: str


@dataclass
class Walk:
    """What one person found."""

    login: str
    answers: list[Answer] = field(default_factory=list)


class Walker:
    """One person at the console, over plain HTTP."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookies: dict[str, str] = {}
        where = urlsplit(town.address)
        self.line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)

    def ask(self, address: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of an answer; no redirect is followed."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept-Language": "en",
        }
        body = None
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.town.address + address}
            body = urlencode(form)
        method = "GET" if form is None else "POST"
        try:
            self.line.request(method, address, body, headers)
            answer = self.line.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):  # it was kept open too long
            self.line.close()
            self.line.request(method, address, body, headers)
            answer = self.line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def close(self) -> None:
        self.line.close()

    def sign_in(self, login: str) -> None:
        """Password and one-time code, as the demo shows it."""
        _, _, page = self.ask("/sign-in")
        given = {"login": login, "password": self.town.facts["password"], "csrfmiddlewaretoken": _token(page)}
        _, headers, _ = self.ask("/sign-in", given)
        _, _, page = self.ask(headers["location"])
        code = CODE.search(page)
        assert code, f"{login}: no code on the page"
        status, _, page = self.ask(headers["location"], {"code": code[1], "csrfmiddlewaretoken": _token(page)})
        assert status == 302, f"{login}: not signed in"

    def walk(self, login: str) -> Walk:
        """Everything that links lead to from the first page."""
        found, seen, counted = Walk(login), {"/"}, {}
        ahead = deque([("/", "")])
        while ahead:
            address, came_from = ahead.popleft()
            name = name_of(address)
            key = (name, *sorted(dict(parse_qsl(urlsplit(address).query))))
            counted[key] = counted.get(key, 0) + 1
            if counted[key] > ENOUGH:
                continue
            status, headers, text = self.ask(address)
            kind = headers.get("content-type", "").partition(";")[0]
            html = text if kind == "text/html" else ""
            title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
            found.answers.append(
                Answer(address, name, status, kind, unescape(title[1]).strip() if title else "", came_from)
            )
            onward = [headers["location"]] if status == 302 else []
            for link in (*onward, *map(unescape, LINK.findall(html))):
                target = urljoin(address, link).partition("#")[0]
                if target.startswith("/") and not NOT_WALKED.search(target) and target not in seen:
                    seen.add(target)
                    ahead.append((target, address))
        return found


def _token(page: str) -> str:
    found = TOKEN.search(page)
    assert found, page[:500]
    return found[1]


def name_of(address: str) -> str:
    """The name of an address in the urlconf; "" for one that is none."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


VALUES = {"int": 1, "card": "D1", "exchange": "H1", "subject": "card:D1"}


@dataclass(frozen=True)
class Page:
    """An address of the urlconf with the methods that its view answers."""

    name: str
    pattern: str
    view: Any
    arguments: dict[str, Any]

    @property
    def methods(self) -> set[str]:
        """What the view says that it answers; it is asked without a person and without a database."""
        answer = self.view(RequestFactory().generic("PROPFIND", "/"), **self.arguments)
        return set(answer.headers.get("Allow", "GET, POST").split(", "))


def pages() -> list[Page]:
    """Every address of the console."""
    found: list[Page] = []

    def walk(patterns: list[Any]) -> None:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns)
            else:
                names = re.findall(r"<(?:(\w+):)?(\w+)>", str(pattern.pattern))
                arguments = {name: VALUES.get(kind, "x") for kind, name in names}
                found.append(Page(f"console:{pattern.name}", str(pattern.pattern), pattern.callback, arguments))

    walk(urlpatterns)
    return found


def walks(world: World) -> list[Walk]:
    """What every role finds in a town to which no test has done anything; walked by the first process that asks."""
    note = world.folder / "walks.json"
    with (world.folder / "walks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            web = Web(world, "crawl_")
            try:
                with ThreadPoolExecutor(TOGETHER) as people:
                    found = list(people.map(partial(_walked, web.town), LOGINS))
                note.write_text(json.dumps([asdict(walk) for walk in found]), "utf-8")
            finally:
                web.stop()
    told: list[dict[str, Any]] = json.loads(note.read_text("utf-8"))
    return [Walk(walk["login"], [Answer(**answer) for answer in walk["answers"]]) for walk in told]


def _walked(town: Town, login: str) -> Walk:
    with closing(Walker(town)) as walker:
        walker.sign_in(login)
        return walker.walk(login)

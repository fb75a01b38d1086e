"""Looking at pages of the console in Chromium: who is signed in, what went wrong, what axe finds, its tongue."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Response
from tests.support.console_world import Town
from tests.support.crawl import Walker

FRONTEND = Path(__file__).resolve().parents[2] / "src" / "sheka" / "faces" / "console" / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FEATURES = (
    "SpareRendererForSitePerProcess",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
"""What Chromium does without. The first is a process for a page that may come, started after every page; the others are
those that Playwright turns off, since the last list counts.
"""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(FEATURES)}",
)
SCREEN = {"width": 1366, "height": 768}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
STILL = "/static/console/seal.svg"
LEAVE = """() => {
  localStorage.clear();
  for (let timer = setTimeout(() => {}); timer > 0; timer -= 1) clearTimeout(timer);
  document.documentElement.replaceChildren();
}"""
"""A page waits for whoever comes next: it keeps nothing and asks for nothing."""
LONG_TEST = 240
"""Seconds that a session has to have left: no test of pages takes so long, and a code of the last sign-in is spent."""
NAVIGATION_FAILED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
WATCH = "document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"


class Surfer:
    """Opens pages, signs people in once each, and gathers what a browser complains about.

    A page of somebody who is signed in is one of a few that lie ready by language; it takes the cookies of whoever
    sits down at it. A browser context of its own for each person would be a process or two each, and every style sheet
    and script fetched and compiled again.
    """

    def __init__(self, browser: Browser, town: Town, states: dict[str, Any]) -> None:
        self.town = town
        self.problems: list[str] = []
        self.requested: list[str] = []
        self._browser, self._states = browser, states
        self._passing: list[BrowserContext] = []
        self._ready: dict[str, list[Page]] = {language: [] for language in LOCALES}
        self._busy: list[tuple[str, Page]] = []

    def stranger(self, language: str = "zh", **options: Any) -> Page:
        """A page of somebody who is not signed in."""
        page = self._open(language, **options)
        self._passing.append(page.context)
        return page

    def signed_in(self, login: str, language: str = "zh", **options: Any) -> Page:
        """A page of a member of staff; with options it is a page of its own."""
        if not self._stands(login):
            with closing(Walker(self.town)) as visitor:
                visitor.sign_in(login)
            as_set = {"url": self.town.address, "httpOnly": True, "sameSite": "Strict"}
            self._states[login] = [{"name": name, "value": value, **as_set} for name, value in visitor.cookies.items()]
        page = self.stranger(language, **options) if options else self._sit_down(language)
        page.context.add_cookies(self._states[login])
        return page

    def _sit_down(self, language: str) -> Page:
        ready = self._ready[language]
        page = ready.pop() if ready else self._open(language)
        self._busy.append((language, page))
        return page

    def _stands(self, login: str) -> bool:
        """Their session lasts this test: nobody ended it, and it did not idle while other tests ran (15 minutes)."""
        if login not in self._states:
            return False
        where = urlsplit(self.town.address)
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in self._states[login])
        line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        try:
            line.request("GET", "/account/session", headers={"Cookie": cookies})
            answer = line.getresponse()
            return answer.status == 200 and json.loads(answer.read())["left"] > LONG_TEST
        finally:
            line.close()

    def password(self, page: Page, login: str, password: str = "") -> None:
        """The first step of signing in, up to the page that follows."""
        if "/sign-in" not in page.url:
            page.goto("/sign-in")
        page.fill("#login", login)
        page.fill("#password", password or self.town.facts["password"])
        with page.expect_navigation():
            page.press("#password", "Enter")

    def rest(self) -> None:
        """The test is over: strangers leave. Raises AssertionError when the browser complained about anything."""
        for context in self._passing:
            context.close()
        for language, page in self._busy:
            page.set_viewport_size(SCREEN)
            page.emulate_media(media="null")
            try:
                page.evaluate(LEAVE)
            except Error:  # it was just then moving on, or is no page of the console
                page.goto(STILL)
                page.evaluate(LEAVE)
            page.context.clear_cookies()
            self._ready[language].append(page)
        problems, self.problems, self.requested = self.problems, [], []
        self._passing, self._busy = [], []
        assert not problems, "\n".join(problems)

    def _open(self, language: str, **options: Any) -> Page:
        context = self._browser.new_context(
            locale=LOCALES[language], viewport=SCREEN, base_url=self.town.address, **options
        )
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("response", self._answered)
        page.on("request", lambda request: self.requested.append(request.url))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not NAVIGATION_FAILED.match(message.text):
            self.problems.append(f"{message.location.get('url')}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and ("/static/" in response.url or response.status >= 500):
            self.problems.append(f"{response.url}: {response.status}")


RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})"


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands, one line a place."""
    page.evaluate(AXE.read_text("utf-8"))
    answer = page.evaluate(RUN, TAGS)
    return [f"{row['id']}: {node['html']}" for row in answer["violations"] for node in row["nodes"]]


def until(page: Page, condition: str, seconds: float = 10.0) -> None:
    """Wait until a function of the page answers true. Playwright's own waiting would evaluate a string in the page,
    which the content policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


_TEXTS = """() => {
  const found = [["title", document.title, document.documentElement.lang, ""]];
  const lang = e => (e.closest("[lang]") || document.documentElement).getAttribute("lang");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (["SCRIPT", "STYLE"].includes(e.tagName)) continue;
    const code = e.closest(".number, .code");
    found.push([e.tagName, walker.currentNode.data, lang(e), code ? "code" : ""]);
  }
  for (const e of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")) {
    for (const name of ["aria-label", "placeholder", "title", "alt"]) {
      const code = e.closest(".number") ? "code" : "";
      if (e.hasAttribute(name)) found.push([e.tagName + " " + name, e.getAttribute(name), lang(e), code]);
    }
  }
  return found;
}"""
HAN = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]*[a-z]{3,}")
LOGIN = re.compile(r"\b[a-z]+(-[a-z0-9]+)+\b")
"""A log-in name, which a title cannot mark as a code."""
COMMAND = re.compile(r"\bsheka(?: [a-z]+(?:-[a-z]+)*)+")
"""What is typed at a node's machine: it is of no language."""
NAMES_OF_OURS = frozenset(("Sheka", "Excel", "drawer", "process"))
"""The product, and what the story calls its readers."""


def foreign(page: Page, language: str) -> Iterator[str]:
    """Text that is in the other language and not marked so: Chinese on an English page, English words on a Chinese."""
    for where, text, lang, code in page.evaluate(_TEXTS):
        if language == "en" and not lang.startswith("zh") and HAN.search(text):
            yield f"{where}: {text.strip()}"
        elif language == "zh" and lang.startswith("zh") and not code:
            said = LOGIN.sub(" ", text) if where == "title" else text
            words = [word for word in ENGLISH.findall(COMMAND.sub(" ", said)) if word not in NAMES_OF_OURS]
            if words and not re.search(r"\w+[:.]\w+", text):
                yield f"{where}: {text.strip()}"


INLINE = re.compile(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


def inline(html: str) -> list[str]:
    """Styles and scripts inside a page, which the content policy would block."""
    return [html[max(0, found.start() - 40) : found.end() + 40] for found in INLINE.finditer(html)]


WIDTHS = (1366, 683, 320)
"""A clerk's screen, the same at 200 %, 1280 at 400 % (WCAG 1.4.10)."""
AXE_WIDTHS = {"zh": 1366, "en": 360}
SETTLED = """() => [...document.querySelectorAll(".scroll")].every(
    frame => frame.hasAttribute("tabindex") === frame.scrollWidth > frame.clientWidth)"""
SIDEWAYS = """() => [...document.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth + 1).map(
    e => e.querySelector("caption, title")?.textContent ?? e.className)"""
"""Frames that scroll sideways at this width, by what they show."""
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")].filter(e => {
    const box = e.getBoundingClientRect();
    const inline = e.tagName === "A" && getComputedStyle(e).display === "inline";
    const seen = box.width && e.checkVisibility({visibilityProperty: true}) && !e.closest(".govuk-visually-hidden");
    return seen && !inline && (box.width < 23.5 || box.height < 23.5) && getComputedStyle(e).clipPath === "none";
}).map(e => e.outerHTML.slice(0, 120))"""
"""What is smaller than 24 by 24 pixels and no link inside a text (WCAG 2.5.8)."""


def faults_of(page: Page, html: str, language: str) -> Iterator[str]:
    """Everything that is wrong with the page that stands in the browser; `html` as it came."""
    lang = page.get_attribute("html", "lang")
    if lang != {"zh": "zh-Hans", "en": "en"}[language]:
        yield f"lang is {lang}"
    yield from (f"inline: {found}" for found in inline(html))
    yield from (f"other language: {found}" for found in foreign(page, language))
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} first headings"
    if page.locator("main .button--primary:visible").count() > 1:
        yield "more than one filled button"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 768})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{wide} px wide on a screen of {width}"
    page.set_viewport_size({"width": AXE_WIDTHS[language], "height": 768})
    until(page, SETTLED)
    yield from (f"small: {found}" for found in page.evaluate(SMALL))
    yield from (f"axe: {found}" for found in axe(page))

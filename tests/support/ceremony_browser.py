"""People who sit at browsers of their own, for ceremonies and hand-overs: each signs in, acts and proves presence."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, Error, Page

ANSWERED = ".notice--good, #confirm_code, .notice--stop"
TURN = ".ceremony-turn"
ASK = """() => {
  const ledger = document.querySelector("#ledger[hx-get]");
  if (ledger) htmx.ajax("GET", ledger.getAttribute("hx-get"), {source: ledger, target: ledger, swap: "outerHTML"});
}"""
"""What the page of a ceremony does every three seconds."""


class Person:
    """Somebody at a browser of the own; what the browser complains about is gathered in `problems`."""

    def __init__(self, browser: Browser, address: str, login: str, password: str, language: str = "zh") -> None:
        self.login, self.password, self.problems = login, password, []
        locale = {"zh": "zh-CN", "en": "en-GB"}[language]
        self.context = browser.new_context(base_url=address, locale=locale, viewport={"width": 1366, "height": 900})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)  # the machine may be busy with other tests
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.page.press("#password", "Enter")
        self.page.wait_for_selector("#demo-code")
        self.page.fill("#code", self.page.inner_text("#demo-code"))
        self.page.press("#code", "Enter")
        self.page.wait_for_url(f"{address}/")

    def go(self, number: str) -> None:
        """To the page of a ceremony. One that is moved on by what the others did just then is asked for again."""
        with suppress(Error):
            self.page.goto(f"/keys/ceremonies/{number}")
            return
        self.page.wait_for_load_state()
        self.page.goto(f"/keys/ceremonies/{number}")

    def source(self) -> str:
        """The whole page as it stands; one that is just then moved on by what the others did is asked again."""
        for _ in range(20):
            with suppress(Error):
                self.page.wait_for_load_state()
                return self.page.content()
            self.page.wait_for_timeout(100)
        return self.page.content()

    def in_turn(self, number: str) -> bool:
        """Whether the page of a ceremony would ask this person to act; it is not opened for that."""
        return 'class="panel ceremony-turn"' in self.page.request.get(f"/keys/ceremonies/{number}").text()

    def wait_for_turn(self, selector: str = TURN) -> None:
        """Until the page that stands asks this person to act: it asks by itself, but here not in three seconds."""
        if not self.page.locator(selector).count():
            with suppress(Error):  # it may be moving on just then
                self.page.evaluate(ASK)
        self.page.wait_for_selector(selector)

    def act(self, **typed: str) -> None:
        """Wait for one's turn, type, press the button; where it is asked for, prove presence by password and code."""
        page = self.page
        self.wait_for_turn()
        before = page.locator(f"{TURN} h2").inner_text()
        for name, value in typed.items():
            page.fill(f"#{name}", value)
        page.click(f"{TURN} form .button--primary")
        self.prove_presence(before)

    def send(self, button: str = "main form .button--primary") -> None:
        """Press the button of a form, and prove presence where it is asked for."""
        title = self.page.locator("h1").first.inner_text()
        self.page.click(button)
        self.prove_presence(title)

    def prove_presence(self, what: str) -> None:
        """Password and one-time code, if the console wants them; a refusal fails the test."""
        page = self.page
        page.wait_for_selector(ANSWERED)
        if page.locator("#confirm_code").count():
            page.fill("#confirm_password", self.password)
            page.fill("#confirm_code", page.inner_text("#demo-code"))
            page.press("#confirm_code", "Enter")
            page.wait_for_selector(".notice--good, .notice--stop")
        assert not page.locator(".notice--stop").count(), (what, page.locator(".notice--stop").inner_text())

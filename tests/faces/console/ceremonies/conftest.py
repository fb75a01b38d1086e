"""A key office with its web process and machine, and people who sit at browsers of their own."""

from __future__ import annotations

import pytest
from tests.support.ceremony_world import PASSWORD, key_office
from tests.support.world import World

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def office(test_cluster):
    """The ministry's key office."""
    with key_office(World()) as made:
        yield made


class Person:
    """Somebody of the office at a browser of the own; what the browser complains about is gathered."""

    def __init__(self, browser, office, login, language):
        self.login, self.office, self.problems = login, office, []
        locale = {"zh": "zh-CN", "en": "en-GB"}[language]
        self.context = browser.new_context(
            base_url=office.address, locale=locale, viewport={"width": 1366, "height": 900}
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        self.page.wait_for_selector("#demo-code")
        self.page.fill("#code", self.page.inner_text("#demo-code"))
        self.page.press("#code", "Enter")
        self.page.wait_for_url(f"{office.address}/")

    def go(self, number):
        """To the page of a ceremony."""
        self.page.goto(f"/keys/ceremonies/{number}")

    def act(self, **typed):
        """Wait for one's turn, type, press the button; where it is asked for, prove presence by password and code."""
        page = self.page
        page.wait_for_selector(".ceremony-turn")
        before = page.locator(".ceremony-turn h2").inner_text()
        for name, value in typed.items():
            page.fill(f"#{name}", value)
        page.click(".ceremony-turn form .button--primary")
        page.wait_for_selector(".notice--good, #confirm_code, .notice--stop")
        if page.locator("#confirm_code").count():
            page.fill("#confirm_password", PASSWORD)
            page.fill("#confirm_code", page.inner_text("#demo-code"))
            page.press("#confirm_code", "Enter")
            page.wait_for_selector(".notice--good, .notice--stop")
        assert not page.locator(".notice--stop").count(), (before, page.locator(".notice--stop").inner_text())


@pytest.fixture
def sit(chromium, office):
    """sit(login) → a person, signed in. A complaint of a browser fails the test at its end."""
    people = []

    def take_a_seat(login, language="zh"):
        people.append(Person(chromium, office, login, language))
        return people[-1]

    yield take_a_seat
    problems = [problem for person in people for problem in person.problems]
    for person in people:
        person.context.close()
    assert not problems, problems

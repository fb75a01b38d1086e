"""The life of a clearing day in Chromium, by keyboard, in both languages, at every width (S8, WCAG 2.2 AA)."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from tests.faces.console.accounts.conftest import web
from tests.support.desks import person_at, signed_in
from tests.support.exceptions import only_theirs, opened
from tests.support.pages import LOCALES, SCREEN, SIDEWAYS, faults_of
from tests.support.payments import CITY, HOSPITAL

from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.models import Day
from sheka.systems.clearing.queries import our_lines
from sheka.systems.exceptions.models import ExceptionCase
from sheka.systems.transactions.queries import open_window

__all__ = ["web"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8"), pytest.mark.req("H1")]
TONGUES = {"zh": "zh-hans", "en": "en"}
PICTURES = os.environ.get("SHEKA_SHOTS", "")
"""A folder: the pages are pictured there."""


class Reader:
    """Somebody at a browser, in one language, who notes what is wrong with each page."""

    def __init__(self, chromium, web, role, language) -> None:
        desk = signed_in(person_at(CITY, role), TONGUES[language])
        self.context = chromium.new_context(base_url=web, locale=LOCALES[language])
        cookies = {name: morsel.value for name, morsel in desk.requests.cookies.items()}
        self.context.add_cookies([{"name": name, "value": value, "url": web} for name, value in cookies.items()])
        self.page, self.language = self.context.new_page(), language
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def looks(self, name: str, address: str = "") -> None:
        """The page that is open, or another, is whole at every width."""
        answer = self.page.goto(address or self.page.url)
        self.pictured(name)
        found = faults_of(self.page, answer.text(), self.language)
        self.faults += [f"{self.language} {name}: {one}" for one in found if "gen-" not in one]
        for width in (1366, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.faults += [f"{name}: at {width} px {one} scrolls" for one in self.page.evaluate(SIDEWAYS)]
        self.page.set_viewport_size(SCREEN)

    def pictured(self, name: str, address: str = "") -> None:
        """A picture for whoever asked for pictures."""
        if not PICTURES:
            return
        if address:
            self.page.goto(address)
        for width in (1366, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            path = Path(PICTURES) / f"clearing-{name}-{self.language}-{width}.png"
            self.page.screenshot(path=str(path), full_page=True)
        self.page.set_viewport_size(SCREEN)

    def press_on(self) -> None:
        """`d` is what is to be done next; Enter on the button of its page does it."""
        with self.page.expect_navigation():
            self.page.keyboard.press("d")
        button = self.page.locator("main form .button--primary")
        button.focus()
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def says(self, text: str) -> None:
        assert text in self.page.locator("main").inner_text(), text


def test_the_life_of_a_day_by_keyboard(terminal, bank, web, chromium, tmp_path):
    for amount in (100, 200, 300):
        assert terminal.purchase(bank.cards[0].number, amount).approved
    back = terminal.new_purchase(bank.cards[1].number, 500)
    terminal.send_purchase(back)
    terminal.reversal(back)
    opened(only_theirs(bank))
    today = f"/clearing/{CITY}/{open_window().settlement_date:%Y%m%d}"
    faults = []
    english = Reader(chromium, web, "clearing_officer", "en")
    chinese = Reader(chromium, web, "clearing_officer", "zh")
    chinese.pictured("open", today)
    chinese.pictured("seal", f"{today}/seal")
    chinese.pictured("days-before", "/clearing")
    english.pictured("open", today)
    english.page.goto(today)
    english.press_on()
    english.says("Sealed with 5 transactions.")
    chinese.looks("sealed", today)
    chinese.pictured("import", f"{today}/import")
    day = Day.objects.get()
    ours = our_lines(day, HOSPITAL)
    theirs = [dataclasses.replace(ours[0], amount=101), *ours[1:2], dataclasses.replace(ours[2], stan=777), *ours[3:]]
    path = tmp_path / "day.txt"
    path.write_bytes(render(HOSPITAL, day.settlement_date, theirs))
    with english.page.expect_navigation():
        english.page.keyboard.press("d")
    english.looks("import")
    english.page.set_input_files("#file", str(path))
    with english.page.expect_navigation():
        english.page.locator("main form .button--primary").press("Enter")
    english.says(f"The file of {HOSPITAL} is here, 5 lines.")
    english.press_on()
    english.says("Reconciled: 3 differences, each of them a case of the exceptions desk.")
    english.looks("different")
    chinese.pictured("different", today)
    chinese.looks("differences", "/clearing/differences")
    english.pictured("differences", "/clearing/differences")
    ExceptionCase.objects.filter(reason__in=("amount", "only_ours", "only_theirs")).update(
        state="closed", closing="other_side", resolution="对方更正"
    )
    english.page.goto(today)
    english.press_on()
    english.says("the day is flat")
    english.pictured("flat")
    settlement = Reader(chromium, web, "settlement_officer", "zh")
    settlement.looks("net", f"{today}/net")
    settlement.page.goto(today)
    settlement.press_on()
    settlement.pictured("netted")
    english.pictured("netted", today)
    english.pictured("nets", "/clearing/nets")
    chinese.pictured("nets", "/clearing/nets")
    chinese.pictured("days", "/clearing")
    english.pictured("days", "/clearing")
    for reader in (english, chinese, settlement):
        faults += reader.faults
        reader.context.close()
    assert Day.objects.get().state == "netted"
    assert not faults, "\n".join(faults)

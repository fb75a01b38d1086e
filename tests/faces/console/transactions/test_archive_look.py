"""A day that left the database, in Chromium: its page, its verb, what is found in its files (S4, WCAG 2.2 AA)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.faces.console.transactions.test_archive_pages import PAGE, done
from tests.support.approvals import decided
from tests.support.organisations import appoint
from tests.support.pages import SCREEN, faults_of
from tests.systems.transactions.test_archive import booked, officers, short

from sheka.office.approvals.models import Proposal

__all__ = ["appoint", "booked", "officers", "short"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("H1")]
PICTURES = os.environ.get("SHEKA_SHOTS", "")
"""A folder: the pages are pictured there."""


@pytest.fixture(autouse=True)
def beside_the_loop(monkeypatch):
    """Playwright's loop runs in this thread, where the day is archived too."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def test_a_day_that_left_is_whole_in_both_languages(booked, desks, officers, browse, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    clearing, (_clearing, settlement), faults = desks("clearing_officer"), officers, []

    def look(name, language, address, **given):
        page = browse("clearing_officer", language)
        html = page.goto(address).text()
        for field, text in given.items():
            page.fill(f"#{field}", text)
        if given:
            with page.expect_navigation():
                page.click("main form .button--primary")
        for width in (1366, 390) if PICTURES else ():
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{language}-{width}.png"), full_page=True)
        page.set_viewport_size(SCREEN)
        faults.extend(f"{name} {language}: {one}" for one in faults_of(page, html, language) if "gen-" not in one)

    done(clearing.ask("POST", f"{PAGE}/write", {}))
    look("archive-detach", "zh", f"{PAGE}/detach")
    clearing.ask("POST", f"{PAGE}/detach", {})
    decided(settlement, Proposal.objects.get())
    look("archive-detached", "en", PAGE)
    card = booked.cards[0].number
    look("archive-found", "zh", "/transactions/archived", purpose="参保人查询", card_number=card)
    if PICTURES:
        look("archive-detached", "zh", PAGE)
        look("archive-found", "en", "/transactions/archived", purpose="参保人查询", card_number=card)
    assert not faults, "\n".join(faults)

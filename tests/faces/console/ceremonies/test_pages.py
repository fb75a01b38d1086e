"""The page of a ceremony while it runs: right in both languages, by keyboard, on every width.

The list, the choice and the form of a plan are walked with the rest of the console (test_crawl.py).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.support.pages import faults_of

SHOTS = os.environ.get("SHEKA_SHOTS")


def looked_at(person, name, language):
    """What is wrong with the page that stands in the person's browser."""
    page = person.page
    if SHOTS:
        page.set_viewport_size({"width": 1366, "height": 900})
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{language}.png"), full_page=True)
    html = page.request.get(page.url).text()
    return [f"{name} {language}: {fault}" for fault in faults_of(page, html, language)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_without_a_fault_while_it_runs(office, sit, language):
    planner = sit("officer", language)
    page, found = planner.page, []
    page.goto("/keys/ceremonies/plan/keys.components")
    for field, name in (
        ("leader", "温如玉"),
        ("custodian_1", "白景初"),
        ("custodian_2", "司马澄"),
        ("witness", "莫言白"),
    ):
        page.select_option(f"#{field}", label=name)
    page.focus("main form .button--primary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ceremony-ledger")
    number = page.url.rpartition("/")[2]
    roster = [sit(login, language) for login in ("leader", "custodian-a", "custodian-b", "witness")]
    for person in roster:
        person.go(number)
        person.act()
    leader, first, *others = roster
    leader.act()
    first.wait_for_turn("#fingerprint")
    first.page.fill("#fingerprint", "0000 0000")
    first.page.keyboard.press("Enter")
    expect(first.page.locator(".notice--stop")).to_contain_text("4052")
    found += looked_at(first, "refused", language)
    expect(leader.page.locator(".ceremony-act--refused")).to_contain_text("4052")
    print_of = next(text for text in leader.page.locator(".ceremony-act dd").all_inner_texts() if len(text) == 32)
    for person in (first, *others):
        person.act(fingerprint=print_of[-8:])
    leader.act()
    first.wait_for_turn(".ceremony-turn [data-generate]")
    found += looked_at(first, "component", language)
    first.page.set_viewport_size({"width": 1366, "height": 900})
    first.page.fill("#reason", "读卡器故障")
    first.page.focus("form[action$='/abort'] button")
    first.page.keyboard.press("Enter")
    expect(first.page.locator("#lasting-title")).to_be_visible()
    found += looked_at(first, "aborted", language)
    expect(page.locator(".states")).to_contain_text({"zh": "已中止", "en": "Aborted"}[language])
    assert not found, "\n".join(found)

"""The work queue in the browser: next case, one item's verbs, many items to one person by keyboard, the bell, axe."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.support.pages import axe, foreign

PAGES = ("/queue", "/queue/unassigned", "/queue/waiting", "/queue/overdue", "/queue/returned", "/queue/recent")


def first_case(page):
    return page.locator("tbody th a").first


def choose(page, name):
    option = page.locator("#to option", has_text=name)
    page.select_option("#to", option.get_attribute("value"))


def test_a_producer_takes_puts_off_and_gives_back(surf):
    page = surf.signed_in("haikou-producer", "en")
    page.goto("/queue/unassigned")
    number = first_case(page).inner_text()
    expect(page.locator(".queues [aria-current]")).to_contain_text("Not taken yet")
    page.get_by_role("button", name="Next case").press("Enter")
    expect(page.locator(".facts")).to_contain_text(number)
    expect(page.locator(".facts")).to_contain_text("••••")
    page.fill("#until", (timezone.localdate() + timedelta(days=90)).isoformat())
    page.fill("#reason", "waits for blank chips")
    page.press("#reason", "Enter")
    expect(page.locator("[role=alert]")).to_contain_text("no. 3608")
    page.fill("#until", (timezone.localdate() + timedelta(days=2)).isoformat())
    page.fill("#reason", "waits for blank chips")
    page.press("#reason", "Enter")
    page.goto("/queue/waiting")
    expect(page.locator("tbody tr")).to_contain_text("waits for blank chips")
    first_case(page).click()
    page.get_by_role("button", name="Take up again").click()
    expect(page.get_by_role("link", name="Open", exact=True)).to_be_visible()
    page.get_by_role("button", name="Give back").click()
    expect(page.locator(".notice--good")).to_contain_text(number)
    page.goto("/queue/unassigned")
    page.locator("tr", has_text=number).get_by_role("button", name=re.compile("Take")).click()
    expect(page).to_have_url(re.compile(r"/queue/case/\d+$"))
    page.get_by_role("button", name="Give back").click()


def test_a_supervisor_assigns_by_keyboard_and_the_person_is_told(surf):
    page = surf.signed_in("haikou-supervisor", "en")
    page.goto("/queue/office?kind=exchange.make")
    boxes = page.locator("tbody input[type=checkbox]")
    for place in range(2):
        boxes.nth(place).focus()
        page.keyboard.press("Space")
    choose(page, "邢云起")
    page.get_by_role("button", name="Assign").press("Enter")
    expect(page.locator(".notice--good")).to_contain_text("2 cases are with 邢云起")
    expect(page.locator("tbody tr", has_text="邢云起")).to_have_count(2)
    producer = surf.signed_in("haikou-producer", "en")
    producer.goto("/notices")
    expect(producer.locator("#bell")).to_contain_text("1")
    expect(producer.locator(".notices__new")).to_contain_text("冯立 has assigned")
    assert axe(producer) == []
    producer.get_by_role("button", name=re.compile("Read and open")).click()
    expect(producer).to_have_url(re.compile(r"/queue/mine$"))
    expect(producer.locator("tbody tr")).to_have_count(2)
    expect(producer.locator("#bell b")).to_have_count(0)
    for _each in range(2):
        producer.goto("/queue/mine")
        first_case(producer).click()
        producer.get_by_role("button", name="Give back").click()


def test_what_cannot_be_assigned_is_refused_whole(surf):
    page = surf.signed_in("haikou-supervisor", "en")
    page.goto("/queue/office")
    page.get_by_role("button", name="Assign").click()
    expect(page.locator(".notice--stop")).to_contain_text("Choose a person")
    for box in page.locator("tbody input[type=checkbox]").all():
        box.check()
    choose(page, "邢云起")
    page.get_by_role("button", name="Assign").click()
    expect(page.locator("h1")).to_contain_text("Refused")
    page.goto("/queue/office?with=somebody")
    expect(page.locator("tbody tr", has_text="邢云起")).to_have_count(0)


def test_an_item_of_others_is_not_there(surf):
    page = surf.signed_in("haikou-supervisor", "en")
    page.goto("/queue/office?kind=exchange.make")
    address = first_case(page).get_attribute("href")
    stranger = surf.signed_in("sanya-desk", "en")
    for path in (address, f"{address}/open"):
        assert stranger.goto(path).status == 404
        expect(stranger.locator("h1")).to_have_text("Refused · no. 3601")
    assert stranger.goto("/queue/office").status == 404
    assert stranger.goto("/queue/nothing").status == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_accessible_and_in_one_language(surf, language):
    producer = surf.signed_in("haikou-producer", language)
    supervisor = surf.signed_in("haikou-supervisor", language)
    wrong = []
    for page, paths in ((producer, (*PAGES, "/notices", "/search")), (supervisor, ("/queue/office",))):
        for path in paths:
            page.goto(path)
            wrong += [f"{path}: {found}" for found in (*axe(page), *foreign(page, language))]
    first_case(supervisor).click()
    wrong += [f"item: {found}" for found in (*axe(supervisor), *foreign(supervisor, language))]
    assert not wrong, "\n".join(wrong)


def test_the_bell_does_not_keep_a_session_alive(surf):
    page = surf.signed_in("haikou-producer", "en")
    page.goto("/notices")
    answer = page.evaluate("fetch('/notices/bell').then(answer => answer.text())")
    assert 'id="bell"' in answer and "<html" not in answer
    assert 'hx-trigger="every 30s"' in answer

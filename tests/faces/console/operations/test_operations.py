"""The calendar and the system's health as people and machines see them."""

from __future__ import annotations

import urllib.error
import urllib.request

from playwright.sync_api import expect
from tests.support.notices import NOTICE_2027


def answer(town, path):
    try:
        with urllib.request.urlopen(f"{town.address}{path}", timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_machines_hear_a_word_and_no_more(town):
    assert answer(town, "/healthz") == (200, "ok\n")
    assert answer(town, "/readyz") == (200, "ready\n")


def test_health_names_what_is_down_first_and_what_to_do(surf, engine):
    page = surf.signed_in("haikou-system", "en")
    page.goto("/health")
    rows = page.locator("tbody tr")
    expect(rows.first).to_contain_text("Act now")
    expect(page.get_by_role("row", name="Switch Act now")).to_contain_text("Start the switch")
    expect(page.locator("tbody tr", has_text="Encryption machine ministry")).to_contain_text("In order")
    expect(page.locator("tbody tr", has_text="Worker")).to_contain_text("1 running")
    expect(page.locator("tbody tr", has_text="PostgreSQL")).to_contain_text("connections")


def test_a_year_without_its_notice_is_provisional_and_days_are_told_in_words(surf):
    page = surf.signed_in("longhua-clerk", "en")
    page.goto("/calendar/2026")
    october = page.locator("table.month", has_text="October")
    expect(october.locator("td", has_text="10").first).to_contain_text("weekend day worked")
    assert page.locator(".day--provisional").count() <= 1 + 3, "the legend, and the last days of December at most"
    page.goto("/calendar/2028")
    expect(page.locator(".notice--info")).to_contain_text("The notice of 2028 is not in force here.")
    assert page.locator("td.day--provisional").count() == 366
    assert not page.get_by_role("link", name="Enter a notice").count()


def test_a_notice_is_entered_refused_with_its_line_and_waits_for_a_second_person(surf):
    page = surf.signed_in("haikou-business", "zh")
    page.goto("/calendar/import")
    page.fill("#title", NOTICE_2027["title"])
    page.fill("#document", NOTICE_2027["document"])
    page.fill("#issued", NOTICE_2027["issued"])
    page.fill("#holidays", "春节 2027-02-05")
    page.get_by_role("button", name="提交复核").click()
    expect(page.get_by_role("alert")).to_contain_text("第 1 行")
    lines = [f"{row['name']['zh']}, {row['name']['en']}, {', '.join(row['days'])}" for row in NOTICE_2027["holidays"]]
    page.fill("#holidays", "\n".join(lines))
    page.fill("#working_weekends", "\n".join(NOTICE_2027["working_weekends"]))
    page.get_by_role("button", name="提交复核").click()
    expect(page.locator(".notice--good")).to_contain_text("等待另一人复核")
    card = page.locator(".notice-card")
    expect(card).to_contain_text("待复核")
    expect(card).to_contain_text("不能由您复核")
    assert card.get_by_role("button", name="生效").count() == 0
    card.get_by_role("button", name="撤回该安排").click()
    expect(page.locator(".notice-card")).to_contain_text("已撤回")

"""The audit as an auditor reads it: every event by a word, filters, one event in the chain, the chain verified."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from sheka.faces.console.events import word_of


def test_every_event_of_the_town_has_a_word_in_both_languages(surf, town):
    """An auditor would otherwise read codes of a program."""
    from django.utils.translation import override

    page = surf.signed_in("haikou-auditor", "en")
    address, words = "/audit?size=100", set()
    while address:
        page.goto(address)
        words |= set(page.locator("tbody td:nth-child(5)").all_inner_texts())
        following = page.locator("a[rel=next]")
        address = "/audit" + following.get_attribute("href") if following.count() else None
    assert len(words) > 20
    assert not [word for word in words if re.fullmatch(r"[a-z_]+\.[a-z_]+", word)]
    with override("zh-hans"):
        assert re.search(r"[\u4e00-\u9fff]", str(word_of("access.refused")))


def test_one_subject_is_followed_by_its_link_and_one_event_shows_its_place_in_the_chain(surf, cards):
    page = surf.signed_in("haikou-auditor", "en")
    number = cards["lost"]["number"]
    page.goto(f"/audit?subject=card:{number}")
    assert set(page.locator("tbody td:nth-child(6)").all_inner_texts()) == {f"card:{number}"}
    expect(page.locator("tbody")).to_contain_text("Temporary loss report")
    page.locator("tbody th a").first.click()
    expect(page).to_have_url(re.compile(r"/audit/\d+$"))
    expect(page.locator("main")).to_contain_text("Hash is right")
    assert len(page.locator("dl.chain .number").first.inner_text()) == 64
    page.get_by_role("link", name=f"card:{number}").click()
    expect(page).to_have_url(re.compile(r"/audit\?subject=card"))


def test_reads_alone_and_a_file_of_them(surf):
    page = surf.signed_in("haikou-auditor", "en")
    page.goto("/audit?only=reads")
    words = set(page.locator("tbody td:nth-child(5)").all_inner_texts())
    reads = {"Card page read", "Cards searched", "Exchange looked at", "List read", "Notices read", "Person looked up"}
    reads |= {"Transaction page read", "Page of an account looked at", "Transactions searched", "Archive searched"}
    reads |= {"Messages of a transaction read", "Whole numbers of messages shown", "List exported"}
    reads |= {"Document looked at", "Account looked at", "Order of payment out read"}  # whatever tests came before
    assert words <= reads | {"Searched", "Whole number shown", "Statement of an account read"}
    page.goto("/audit?event=approval.decided")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export to Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")


def test_a_refused_page_is_recorded_and_found_by_the_filter(surf):
    planner = surf.signed_in("haikou-planner", "en")
    planner.goto("/health")
    expect(planner.locator("h1")).to_contain_text("3001")
    page = surf.signed_in("haikou-auditor", "en")
    page.goto("/audit?only=refusals")
    row = page.locator("tbody tr", has_text="page:console:operations_health").first
    expect(row).to_contain_text("Attempt refused")
    row.locator("th a").click()
    expect(page.locator("main")).to_contain_text("system.view")


def test_the_chain_is_verified_by_a_job_that_shows_how_far_it_is(surf, engine):
    page = surf.signed_in("haikou-auditor", "zh")
    page.goto("/audit")
    page.get_by_role("button", name="校验审计链").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+$"))
    expect(page.locator("#job-progress")).to_contain_text("已完成")  # the page asks by itself
    page.get_by_role("link", name="查看结果").click()
    expect(page.get_by_role("status")).to_contain_text("审计链自首行至末行完整。")
    expect(page.locator("main")).to_contain_text("签名链头")


def test_an_auditor_of_one_city_sees_nothing_of_another(surf):
    page = surf.signed_in("haikou-auditor", "en")
    page.goto("/audit?subject=organisation:460200")
    expect(page.locator(".empty h2")).to_have_text("Nothing fits the filters")
    page.goto("/audit/1")
    expect(page.locator("h1")).to_contain_text("3205")

"""The audit as an auditor reads it: every event by a word, one subject's events alone, the chain recomputed."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def test_every_event_of_the_town_has_a_word_in_both_languages(surf):
    """An auditor would otherwise read codes of a program."""
    from django.utils.translation import override

    from sheka.faces.console.events import word_of

    page = surf.signed_in("haikou-auditor", "en")
    address, codes = "/audit", set()
    while address:
        page.goto(address)
        codes |= set(page.locator("tbody [lang=en] > summary, tbody span[lang=en]").all_inner_texts())
        following = page.locator("a[rel=next]")
        address = following.get_attribute("href") if following.count() else None
        address = address and "/audit" + address
    assert len(codes) > 25
    for code in codes:
        with override("en"):
            english = str(word_of(code))
        with override("zh-hans"):
            chinese = str(word_of(code))
        assert english != code
        assert re.search(r"[\u4e00-\u9fff]", chinese), code


def test_one_subject_is_followed_by_its_link(surf, cards):
    page = surf.signed_in("haikou-auditor", "en")
    number = cards["lost"]["number"]
    page.goto(f"/audit?subject=card:{number}")
    expect(page.locator("#subject")).to_have_value(f"card:{number}")
    assert set(page.locator("tbody td:nth-child(5)").all_inner_texts()) == {f"card:{number}"}
    expect(page.locator("tbody")).to_contain_text("Temporary loss report")
    page.goto("/audit")
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile(r"/audit\?subject="))
    expect(page.locator("tbody tr").first).to_be_visible()


def test_the_chain_is_verified_on_request(surf):
    page = surf.signed_in("haikou-auditor", "zh")
    page.goto("/audit")
    assert page.get_by_role("status").count() == 0
    page.get_by_role("button", name="校验审计链").click()
    expect(page.get_by_role("status")).to_have_text("审计链自首行至末行完整。")


def test_an_auditor_of_one_city_sees_nothing_of_another(surf):
    page = surf.signed_in("haikou-auditor", "en")
    page.goto("/audit?subject=organisation:460200")
    expect(page.locator(".empty h2")).to_have_text("No events")

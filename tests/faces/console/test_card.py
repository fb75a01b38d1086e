"""The page of one card: who holds it, where it stands in its life, what decided its exchange."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

KEPT = re.compile(r"\d{15,}")


@pytest.fixture
def open_card(surf, cards):
    """open_card(which, language, tab, login) → its page."""

    def go(which, language="en", tab="", login="longhua-clerk"):
        page = surf.signed_in(login, language)
        page.goto(f"/cards/{cards[which]['number']}" + (f"?tab={tab}" if tab else ""))
        return page

    return go


def titles(page):
    return page.locator(".life strong").all_inner_texts()


def kinds(page):
    return [
        name.removeprefix("life__")
        for name in page.eval_on_selector_all(".life li", "all => all.map(e => e.className)")
    ]


@pytest.mark.req("R2")
@pytest.mark.req("R5")
def test_a_card_in_exchange_shows_its_line_its_days_and_its_fee(open_card, cards):
    page = open_card("exchange", "zh")
    assert titles(page)[-4:] == ["读卡器检测：芯片不能读写", "已申请换卡", "新卡制作中", "待领取新卡并交回旧卡"]
    assert kinds(page)[-4:] == ["bad", "done", "now", "next"]
    halo = page.locator(".life__now")
    assert halo.evaluate("e => getComputedStyle(e, '::after').boxShadow") != "none"
    dashed = page.locator(".life__next").last
    assert dashed.evaluate("e => getComputedStyle(e, '::after').borderTopStyle") == "dashed"
    expect(dashed.locator("time")).to_have_text(re.compile(r"\d+月\d+日"))
    days = page.locator(".days li")
    assert page.locator(".days__on").count() == 6
    expect(page.locator(".days__due")).to_have_count(1)
    assert days.count() == 7 + page.locator(".days__off").count()
    due = page.locator(".days__due > .govuk-visually-hidden").text_content().split("(")[0].split("（")[0].strip()
    expect(page.locator(".panel h2").first).to_contain_text(due)
    fee = page.locator(".panel", has_text="费用：免费")
    expect(fee).to_contain_text("质量问题")
    expect(page.locator(".facts")).to_contain_text("免费 · 质量问题")
    expect(page.locator(".facts")).to_contain_text("代办人")
    expect(page.locator(".states")).to_contain_text("换卡：制卡中")
    expect(page.locator(".states")).to_contain_text("临时凭证有效至")
    assert not KEPT.search(page.locator(".identity").inner_text())


@pytest.mark.req("R5")
def test_an_exchange_that_is_not_free_shows_the_amount_and_that_it_is_unpaid(open_card):
    page = open_card("paid")
    fee = page.locator(".panel", has_text="Fee: ¥16.00")
    expect(fee).to_contain_text("Paid: not a quality defect")
    expect(fee.locator(".seal")).to_have_text("not yet")
    expect(page.locator(".facts")).to_contain_text("The holder in person")


@pytest.mark.req("R7")
def test_the_readers_own_finding_is_shown_step_by_step(open_card, cards):
    page = open_card("exchange", "en", "finding")
    expect(page.locator("main .notice")).to_contain_text("The chip cannot be read and written in the equipment")
    expect(page.locator("tbody tr")).to_have_text([re.compile(r"power up\s*—\s*no")])
    expect(page.locator("main")).to_contain_text("The chip gave no answer to reset.")
    worn = open_card("paid", "zh", "finding")
    expect(worn.locator("main .notice")).to_have_text("卡面污损 · 卡面磨损")
    expect(worn.locator("main table")).to_have_count(0)
    new = open_card("exchange_new", "zh")
    assert "读卡器检测：芯片不能读写" not in titles(new)
    expect(open_card("plain", "zh").locator(".tabs a")).to_have_text(["经过", "材料"])


@pytest.mark.req("R1")
@pytest.mark.req("R3")
def test_the_documents_are_listed_with_what_the_collection_will_ask_for(open_card):
    page = open_card("exchange", "zh", "documents")
    rows = [" ".join(text.split()) for text in page.locator("tbody tr").all_inner_texts()]
    assert rows[:3] == ["持卡人身份证 受理时 已核 已存", "原社会保障卡 受理时 已核 —", "代办人身份证 受理时 已核 已存"]
    assert {"换卡确认单 领取时 待交验 —", "原社会保障卡 领取时 待交验 —"} <= set(rows[3:])
    shown = open_card("destroyed", "zh", "documents")
    assert "待交验" not in shown.locator("main").inner_text()
    expect(shown.locator("tbody")).to_contain_text("换卡确认单")


@pytest.mark.req("R4")
def test_a_destroyed_card_tells_its_whole_life_and_offers_nothing(open_card, cards):
    page = open_card("destroyed")
    told = titles(page)
    assert told[0] == "Ordered"
    assert told[-1] == "Destroyed with two witnesses"
    assert kinds(page)[-1] == "now"
    assert "next" not in kinds(page)
    expect(page.locator(".actions .button")).to_have_count(0)
    page.get_by_role("link", name=cards["new"]["number"]).click()
    expect(page.locator("h1")).to_have_text(cards["new"]["name"])
    expect(page.locator("h1 [lang=zh-Hans]")).to_have_count(1)


def test_a_loss_report_stands_out_with_what_was_said_and_nothing_of_it_is_markup(open_card):
    page = open_card("lost", "zh")
    bad = page.locator(".life__bad").last
    expect(bad).to_contain_text("持卡人来电 <b>&</b> '口述'")
    assert page.locator(".life b").count() == 0
    expect(page.locator(".states .seal--stop")).to_have_text("临时挂失")


def test_the_money_is_shown_to_who_may_see_it_only(open_card):
    page = open_card("frozen", login="haikou-desk")
    expect(page.locator(".states")).to_contain_text("Account frozen")
    expect(page.locator(".facts")).to_contain_text("¥286.50")
    page.get_by_role("link", name="Transactions").click()
    expect(page.locator(".empty h3")).to_have_text("No transactions")
    clerk = open_card("frozen", tab="transactions")
    assert "¥" not in clerk.locator("main").inner_text()
    expect(clerk.locator(".tabs a")).to_have_text(["Life line", "Documents"])
    expect(clerk.locator(".life")).to_be_visible()


@pytest.mark.req("S4")
def test_transactions_are_told_with_their_refusals_in_words(open_card):
    page = open_card("destroyed", tab="transactions", login="haikou-desk")
    rows = page.locator("tbody tr")
    approved, refused = (rows.filter(has_text=word).count() for word in ("Approved", "Refused"))
    assert approved >= 3
    assert rows.count() == approved + refused, "every transaction says what became of it"
    expect(rows.filter(has_text="Refused 4421")).to_contain_text("The personal account does not hold enough.")
    expect(rows.filter(has_text="Refused 4421").locator(".amount")).to_have_text("¥286.50")
    right = rows.first.locator(".amount").evaluate(
        "e => [getComputedStyle(e).textAlign, getComputedStyle(e).fontVariantNumeric]"
    )
    assert right == ["right", "tabular-nums"]


def test_organisations_are_called_in_the_readers_language(open_card):
    english = open_card("plain").locator("main").inner_text()
    assert "Haikou card centre" in english
    assert "Longhua replacement outlet, Haikou" in english
    chinese = open_card("plain", "zh").locator("main").inner_text()
    assert "海口市社会保障卡管理中心" in chinese
    assert "海口市龙华换卡网点" in chinese


def test_one_button_is_filled_and_what_cannot_be_done_says_why(open_card):
    page = open_card("in_stock", "en")
    expect(page.locator("main .button--primary")).to_have_text("Hand out")
    page = open_card("lost", "zh")
    expect(page.locator("main .button--primary")).to_have_text("解挂")
    expect(page.locator(".button--danger")).to_have_text(["挂失"])
    page.locator(".actions summary").click()
    expect(page.locator(".actions details")).to_contain_text("当前状态下不能办理：临时挂失")


@pytest.mark.req("K4")
def test_a_printed_card_has_no_frame_but_says_that_it_is_a_demonstration(open_card):
    page = open_card("exchange", "zh")
    page.emulate_media(media="print")
    for gone in (".top", ".rail", ".tabs", ".actions"):
        expect(page.locator(gone)).to_be_hidden()
    for kept in (".life", ".demo"):
        expect(page.locator(kept)).to_be_visible()

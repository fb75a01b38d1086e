"""Transactions on the console: the search, one with its messages, the live board; with traffic of a real switch."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.support.pages import axe, foreign, until
from tests.support.payments import HOSPITAL

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.watch_models import SwitchMessage

pytestmark = pytest.mark.django_db(transaction=True)
PICTURES = os.environ.get("SHEKA_PICTURES")


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def address(row: Transaction) -> str:
    return f"/transactions/{row.business_date:%Y%m%d}/{row.id}"


def kept(number: int) -> None:
    """Wait until the journal has written so many messages."""
    deadline = time.monotonic() + 20
    while SwitchMessage.objects.count() < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def strange(page, language: str) -> list[str]:
    """Words of the other language inside the page itself; the frame around it is tested elsewhere."""
    shown = page.inner_text("main")
    return [found for found in foreign(page, language) if found.split(": ", 1)[1] in shown]


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_transactions_are_found_opened_and_their_messages_read(desks, bank, terminal):
    card = bank.cards[0].number
    paid = terminal.new_purchase(card, 12_345)
    assert terminal.send_purchase(paid).approved
    terminal.reversal(paid)
    assert not terminal.purchase(card, 9_000_000).approved
    for amount in range(1, 31):
        assert terminal.purchase(bank.cards[1].number, amount).approved
    kept(33)
    desk = desks("exceptions_officer")
    page = text_of(desk.get("/transactions"))
    assert "Purchase" in page and card not in page and f"P*****{card[-3:]}" in page
    rows = {row.kind: row for row in Transaction.objects.filter(stan=paid.stan)}
    for query, number in (
        ("?outcome=refused", 1),
        ("?response=51", 1),
        (f"?response={Code.BALANCE_INSUFFICIENT.value}", 1),
        ("?kind=2", 1),
        (f"?stan={paid.stan}", 2),
        (f"?card={card}", 3),
        ("?card=D9999999X", 0),
        ("?amount_from=123.45&amount_to=123.45", 2),
        (f"?institution={HOSPITAL}&terminal=460100000001", 33),
        ("?institution=H99", 0),
        (f"?rrn={rows[1].rrn}", 2),
        ("?day_from=2020-01-01&day_to=2020-01-02", 0),
        ("?stan=abc", 0),
    ):
        found = re.search(r"(\d+) transactions? on this page", text_of(desk.get(f"/transactions{query}&size=50")))
        assert int(found[1] if found else 0) == number, query

    # By key through all of them and back: nothing twice, nothing left out.
    seen, where = [], "/transactions?size=25"
    while where:
        page = text_of(desk.get(where))
        seen.append(re.findall(r'href="/transactions/\d+/(\d+)"', page))
        link = re.search(r'id="page-older" href="([^"]+)"', page)
        where = f"/transactions{link[1].replace('&amp;', '&')}" if link else ""
    numbers = [int(one) for page_ in seen for one in page_]
    assert numbers == sorted(Transaction.objects.values_list("id", flat=True), reverse=True)
    assert [len(one) for one in seen] == [25, 8]
    back = re.search(r'id="page-newer" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert re.findall(r'href="/transactions/\d+/(\d+)"', text_of(desk.get(f"/transactions{back}"))) == seen[0]
    assert desk.get("/transactions?export=xlsx").headers["Content-Disposition"].endswith('.xlsx"')
    assert Event.objects.filter(event="list.exported", subject="list:transactions").exists()

    page = text_of(desk.get(address(rows[1])))
    assert "What belongs together" in page and address(rows[2]) in page
    assert "systems trace audit number" in page and "123.45 yuan" in page and "0410" in page
    assert card not in re.sub(r'href="[^"]*"', "", page)
    assert "持卡" not in page
    assert "Not anchored yet" in text_of(desk.get(address(rows[1]) + "?proof=1"))
    assert desk.ask("POST", address(rows[1]) + "/whole", {"text": ""}).status_code == 422
    assert card in text_of(desk.ask("POST", address(rows[1]) + "/whole", {"text": "争议核对"}))
    assert Event.objects.filter(event="message.revealed").count() == 1
    chinese = text_of(desks("exceptions_officer", "zh-hans").get(address(rows[2])))
    assert "冲正" in chinese and "终端流水号" in chinese and "原报文 0200" in chinese

    clerk = desks("account_officer")
    page = text_of(clerk.get(address(rows[1])))
    assert "systems trace audit number" not in page and "Show whole numbers" not in page
    assert clerk.get(address(rows[1]) + "/whole").status_code == 403
    assert clerk.get("/transactions/board").status_code == 403
    elsewhere = desks("exceptions_officer", place="460200")
    assert elsewhere.get(address(rows[1])).status_code == 404
    assert "No transactions" in text_of(elsewhere.get("/transactions"))
    assert desk.get("/transactions/20261399/1").status_code == 404


@pytest.mark.req("S4")
def test_the_board_moves_stops_and_says_what_is_alarming(browse, bank, terminal):
    card = bank.cards[0].number
    page = browse("exceptions_officer", "zh")
    page.goto("/transactions/board")
    for _ in range(40):
        terminal.purchase(card, 1)
    for _ in range(20):
        terminal.purchase(card, 90_000_000)
    expect(page.locator("#board table").first).to_contain_text("51")
    until(page, "() => document.querySelectorAll('.board-chart rect').length > 1")
    expect(page.locator("[data-alarm=refusals]")).to_be_visible()
    assert strange(page, "zh") == []
    assert axe(page) == []
    picture(page, "board-zh")
    page.keyboard.press("p")
    page.wait_for_url("**paused=1**")
    assert page.locator("#board[hx-get]").count() == 0
    before = page.inner_text("#board")
    terminal.purchase(card, 1)
    page.wait_for_timeout(2500)
    assert page.inner_text("#board") == before
    page.click("#board-turn")
    expect(page.locator("#board table").first).to_contain_text("p99")
    picture(page, "board-table-zh")

    english = browse("system_administrator", "en")
    english.goto("/transactions/board?span=24h")
    expect(english.locator("h1")).to_have_text("Live board of the switch")
    expect(english.locator("#board table").first).to_contain_text("approved")
    assert strange(english, "en") == []
    assert axe(english) == []
    picture(english, "board-en")
    english.set_viewport_size({"width": 360, "height": 740})
    assert english.evaluate("() => document.documentElement.scrollWidth") <= 360
    picture(english, "board-small")


@pytest.mark.req("S10")
def test_a_transaction_is_read_in_a_browser_in_both_languages(browse, bank, terminal):
    card = bank.cards[0].number
    paid = terminal.new_purchase(card, 5_000)
    terminal.send_purchase(paid)
    terminal.reversal(paid)
    kept(2)
    row = Transaction.objects.get(stan=paid.stan, kind=1)
    for language in ("zh", "en"):
        page = browse("exceptions_officer", language)
        page.goto("/transactions")
        page.locator(".list tbody th a").last.click()
        page.wait_for_url(f"**{address(row)}")
        expect(page.locator(".message")).to_have_count(2)
        assert strange(page, language) == []
        assert axe(page) == []
        picture(page, f"transaction-{language}")
        page.goto(f"/transactions?day_from={timezone.localdate()}")
        assert strange(page, language) == []
        assert axe(page) == []
        picture(page, f"search-{language}")

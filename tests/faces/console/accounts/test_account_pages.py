"""The pages of accounts: list, page, verbs, statements, files of deposits, interest, payments out (S6)."""

from __future__ import annotations

import io
import os
import re
import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.support.account_files import deposit_file
from tests.support.approvals import decided
from tests.support.desks import person_at
from tests.support.pages import faults_of
from tests.support.payments import CITY

from sheka.foundation.refusals import Code
from sheka.office.approvals.models import Proposal
from sheka.office.audit.models import Event
from sheka.office.messages.delivery import carry_all
from sheka.office.staff.actors import Actor
from sheka.office.staff.queries import actor_of
from sheka.systems.accounts.actions.book_deposit_file import book_deposit_file
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.keep_late_money import look_for_late_money
from sheka.systems.accounts.actions.receive_deposit_file import check_deposit_file
from sheka.systems.accounts.models import Account, DepositFile, Entry, InterestRun, Kind, LateMoney, Payout
from sheka.systems.accounts.queries import balance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6")]
ORDER = {"reason": "法院裁定", "document": "（2026）琼01执7号"}
PAYEE = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216 6100 0000 1234"}


def text_of(answer) -> str:
    assert answer.status_code == 200, (answer.status_code, answer.content.decode()[-3000:])
    return answer.content.decode()


def approve() -> None:
    """The one open request is decided by a supervisor who is present."""
    decided(actor_of(person_at(CITY, "account_supervisor")), Proposal.objects.get(state="open"))


def test_an_account_shows_what_it_has_and_what_happened_to_it(city):
    officer, supervisor, auditor = (city.desk(role) for role in ("account_officer", "account_supervisor", "auditor"))
    number = city.accounts[0].number
    listed = text_of(officer.get("/accounts"))
    assert number in listed and "•••" in listed and "T00000000000000001" not in listed
    assert number in text_of(officer.get(f"/accounts?number={number[:12]}&kind=personal"))
    page = text_of(officer.get(f"/accounts/{number}"))
    assert "¥1,000.00" in page and "Correct" in page and "Freeze an amount" not in page
    assert "Freeze an amount" in text_of(supervisor.get(f"/accounts/{number}"))
    assert "Freeze" not in text_of(auditor.get(f"/accounts/{number}"))
    assert Event.objects.filter(event="account.viewed", subject=f"account:{number}").count() == 3
    assert officer.get("/accounts/310999").status_code == 404
    assert officer.get(f"/accounts/{number}/explode").status_code == 404
    assert officer.get(f"/accounts/{number}/freeze").status_code == 403
    fund = text_of(officer.get(f"/accounts/{city.fund.number}"))
    assert "-¥4,000.00" in fund and number in fund
    assert "可用余额" in text_of(city.desk("account_officer", "zh-hans").get(f"/accounts/{number}"))


def test_money_is_frozen_and_released_from_the_page(city):
    supervisor, number = city.desk("account_supervisor"), city.accounts[0].number
    form = {"amount": "600", **ORDER}
    assert supervisor.ask("POST", f"/accounts/{number}/freeze-amount", {"amount": "6,00"}).status_code == 422
    too_much = supervisor.ask("POST", f"/accounts/{number}/freeze-amount", {**form, "amount": "1000.01"})
    assert too_much.status_code == 409 and str(Code.ACCOUNT_INSUFFICIENT.value) in too_much.content.decode()
    assert supervisor.ask("POST", f"/accounts/{number}/freeze-amount", form).status_code == 302
    page = text_of(supervisor.get(f"/accounts/{number}"))
    assert "¥400.00" in page and "¥600.00 frozen" in page and ORDER["document"] in re.sub(r"<[^>]+>", "", page)
    (release,) = re.findall(rf"/accounts/{number}/freezes/\d+/release", page)
    assert supervisor.ask("POST", release, {"reason": ""}).status_code == 422
    assert city.desk("account_officer").ask("POST", release, ORDER).status_code == 403
    assert supervisor.ask("POST", release, ORDER).status_code == 302
    assert supervisor.ask("POST", release, ORDER).status_code == 404
    assert "¥600.00 released" in text_of(supervisor.get(f"/accounts/{number}"))
    for verb, word in (("freeze", "frozen"), ("release", "open")):
        assert supervisor.ask("POST", f"/accounts/{number}/{verb}", ORDER).status_code == 302
        assert word in text_of(supervisor.get(f"/accounts/{number}"))


def test_a_correction_is_asked_for_and_decided_by_another(city):
    officer, number = city.desk("account_officer"), city.accounts[0].number
    posting = Entry.objects.get(account=city.accounts[0]).posting_id
    address = f"/accounts/{number}/entries/{posting}/correct"
    assert "¥1,000.00" in text_of(officer.get(address))
    assert officer.ask("POST", address, {"amount": "1000.01", **ORDER}).status_code == 422
    assert city.desk("account_supervisor").get(address).status_code == 403
    assert officer.ask("POST", address, {"amount": "250", **ORDER}).status_code == 302
    assert "Waiting for a second person" in text_of(officer.get(f"/accounts/{number}"))
    request = Proposal.objects.get()
    shown = text_of(city.desk("account_supervisor").get(f"/approvals/{request.pk}"))
    assert "¥250.00" in shown and str(posting) in shown and "Deposit" in shown
    approve()
    page = text_of(officer.get(f"/accounts/{number}"))
    assert "¥750.00" in page and f"takes back {posting}" in page and "¥250.00 of it taken back" in page
    assert officer.get(f"/accounts/{number}/entries/999999/correct").status_code == 404


@pytest.mark.parametrize("verb", ["move", "move-outside", "pay-out"])
def test_an_account_ends_by_request_and_approval(city, verb):
    officer, number = city.desk("account_officer"), city.accounts[0].number
    form = {"to": "460200", "area": "广东省广州市", **PAYEE, **ORDER}
    assert "second person" in text_of(officer.get(f"/accounts/{number}/{verb}"))
    assert officer.ask("POST", f"/accounts/{number}/{verb}", {}).status_code == 422
    assert officer.ask("POST", f"/accounts/{number}/{verb}", form).status_code == 302
    shown = text_of(city.desk("account_supervisor").get(f"/approvals/{Proposal.objects.get().pk}"))
    assert "6216610000001234" not in shown
    approve()
    page = text_of(officer.get(f"/accounts/{number}"))
    assert "closed" in page and "Ended: " in page
    if verb == "move":
        assert "on its way" in page
        carry_all()
        page = text_of(officer.get(f"/accounts/{number}"))
        assert "settled" in page and "Paid out" in page, "the order of payment to the other city"
        assert Account.objects.get(kind=Kind.PERSONAL, organisation_id="460200").balance == 100_000
        return
    row = Payout.objects.get()
    paid = text_of(officer.get(f"/accounts/payouts/{row.number}"))
    assert "•••• 1234" in paid and "6216610000001234" not in paid and "Make the order" in paid
    assert officer.ask("POST", f"/documents/payout:{row.number}/paper/payout_order").status_code == 302
    assert officer.get("/accounts/payouts/Z999").status_code == 404


def test_heirs_are_asked_for_after_their_papers(city):
    officer, number = city.desk("account_officer"), city.accounts[0].number
    page = text_of(officer.get(f"/accounts/{number}/inherit"))
    assert "Heir 4" in page and "Documents kept" in page
    form = {"rule": "equal", "name_1": "参保人2", "account_1": city.accounts[1].number, **ORDER}
    assert "Heir 8" in text_of(officer.get(f"/accounts/{number}/inherit?heirs=8"))
    apart = {**form, "rule": "given", "parts_1": "1/3"}
    refused = officer.ask("POST", f"/accounts/{number}/inherit", form)
    assert officer.ask("POST", f"/accounts/{number}/inherit", apart).status_code in (409, 422)
    assert refused.status_code == 409 and "Death certificate" in refused.content.decode()
    empty = officer.ask("POST", f"/accounts/{number}/close", {"text": "搬迁"})
    assert empty.status_code == 409, "money is left"


def late_money(account, fen: int) -> LateMoney:
    """What a reversal after the end leaves on the account, taken to suspense by the turn of the worker."""
    node = Actor.process("test", CITY)
    Account.objects.filter(pk=account.pk).update(state="open")
    fund = Account.objects.get(kind=Kind.FUND, organisation_id=CITY)
    deposit(node, fund=fund, deposits=[Deposit(uuid.uuid4(), account, fen, "2026年11月冲正")], total=fen)
    Account.objects.filter(pk=account.pk).update(state="closed")
    assert look_for_late_money() == 1
    return LateMoney.objects.get()


def test_money_after_the_end_stands_in_the_queue_and_is_paid_by_two(city):
    officer, number = city.desk("account_officer"), city.accounts[0].number
    officer.ask("POST", f"/accounts/{number}/pay-out", {**PAYEE, **ORDER})
    approve()
    row = late_money(city.accounts[0], 4_200)
    assert f"/accounts/late/{row.pk}" in text_of(officer.get(f"/accounts/{number}"))
    page = text_of(officer.get(f"/accounts/late/{row.pk}"))
    assert "¥42.00" in page and "•••• 1234" in page and "6216610000001234" not in page
    assert 'name="reason"' not in text_of(city.desk("account_supervisor").get(f"/accounts/late/{row.pk}"))
    assert city.desk("account_supervisor").ask("POST", f"/accounts/late/{row.pk}", ORDER).status_code == 403
    assert officer.ask("POST", f"/accounts/late/{row.pk}", {}).status_code == 422
    assert officer.ask("POST", f"/accounts/late/{row.pk}", ORDER).status_code == 302
    approve()
    assert "paid out" in text_of(officer.get(f"/accounts/late/{row.pk}"))
    assert Payout.objects.get(reason="late").amount == 4_200
    assert officer.get("/accounts/late/999999").status_code == 404


def test_a_statement_is_read_taken_away_and_made_a_paper(city):
    officer, number = city.desk("account_officer"), city.accounts[0].number
    today = timezone.localdate()
    page = text_of(officer.get(f"/accounts/{number}/statement?on={today}"))
    assert "Opening balance" in page and page.count("¥1,000.00") >= 4
    period = f"since={today - timedelta(days=30)}&until={today}"
    sheet = officer.get(f"/accounts/{number}/statement?{period}&export=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    assert rows[1][4:7] == [1000.0, 1000.0, "2026年11月划拨"]
    assert officer.get(f"/accounts/{number}/statement?since={today}&until={date(2020, 1, 1)}").status_code == 422
    (paper,) = re.findall(r'action="(/documents/statement:[^"]+)"', page)
    assert officer.ask("POST", paper).status_code == 302
    forms = set(Event.objects.filter(event="statement.read").values_list("facts", flat=True))
    assert len(forms) == 3


def test_a_file_is_sent_checked_released_and_booked(city, settings):
    officer, supervisor = city.desk("account_officer"), city.desk("account_supervisor")
    lines = [(account.number, 2_600_000, "202611") for account in city.accounts]
    content = deposit_file(lines)
    assert "Send and check" in text_of(officer.get("/accounts/files/new"))
    assert officer.ask("POST", "/accounts/files/new", {}).status_code == 422
    wrong = officer.ask("POST", "/accounts/files/new", {"file": SimpleUploadedFile("a.txt", b"nothing")})
    assert wrong.status_code == 422 and "4330" in wrong.content.decode()
    sent = officer.ask("POST", "/accounts/files/new", {"file": SimpleUploadedFile("a.txt", content)})
    assert sent.status_code == 302
    row = DepositFile.objects.get()
    address = f"/accounts/files/{row.number}"
    assert "being checked" in text_of(officer.get(address))
    check_deposit_file(actor_of(person_at(CITY, "account_officer")), number=row.number)
    assert officer.get(f"{address}/state").headers["HX-Refresh"] == "true"
    assert "¥104,000.00" in text_of(officer.get(f"{address}/release"))
    alone = officer.ask("POST", f"{address}/release")
    assert alone.status_code == 403 and "4339" in alone.content.decode()
    assert supervisor.ask("POST", f"{address}/release").status_code == 302
    assert "HX-Refresh" not in officer.get(f"{address}/state").headers
    book_deposit_file(Actor.process("test", CITY), row.number)
    assert "booked" in text_of(officer.get(address))
    assert balance(city.accounts[0]) == 2_700_000
    again = officer.ask("POST", "/accounts/files/new", {"file": SimpleUploadedFile("b.txt", content)})
    assert again.headers["Location"] == address
    assert row.number in text_of(officer.get("/accounts/files?state=booked"))
    assert city.desk("auditor").get("/accounts/files/new").status_code == 403
    assert officer.get(f"{address}/explode").status_code == 404
    assert officer.ask("POST", f"{address}/withdraw", {"text": "发错文件"}).status_code == 409


def test_refused_lines_are_shown_with_their_reasons(city):
    officer = city.desk("account_officer")
    wrong = deposit_file([("310460100000009999999", 5, "a"), (city.accounts[0].number, 0, "b")])
    officer.ask("POST", "/accounts/files/new", {"file": SimpleUploadedFile("a.txt", wrong)})
    row = DepositFile.objects.get()
    check_deposit_file(actor_of(person_at(CITY, "account_officer")), number=row.number)
    page = text_of(officer.get(f"/accounts/files/{row.number}"))
    assert "cannot be booked: 2." in page and "There is no such account." in page and "9999" in page
    assert "没有该账户" in text_of(city.desk("account_officer", "zh-hans").get(f"/accounts/files/{row.number}"))
    answer = officer.get(f"/accounts/files/refused?file={row.number}&export=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    told = [line for line in rows if row.number in line]
    assert [line[0] for line in told] == [2, 3] and "There is no such account." in told[0]
    assert told[0][-1] == str(Code.ACCOUNT_UNKNOWN.value), "a number of a refusal, no amount"
    shown = text_of(officer.get(f"/accounts/files/refused?file={row.number}"))
    assert "310460100000009999999" not in shown and "9999" in shown
    assert "9999" not in text_of(officer.get("/accounts/files/refused?file=other"))
    assert Event.objects.filter(event="list.read", subject="list:deposit-refusals").exists()


def interest_of(city) -> InterestRun:
    """A run as its action leaves it; entries of the past are a matter of the tests of interest."""
    fund = Account.objects.get(pk=city.fund.pk)
    run = InterestRun.objects.create(
        number=f"L{CITY}3102025",
        organisation_id=CITY,
        fund=fund,
        scheme="310",
        year=2025,
        terms=[
            {"first": "2025-01-01", "last": "2025-12-31", "annual": "0.0035", "day_count": 365, "source": "Guofa 1998"}
        ],
        accounts=1,
        total=350,
        digest="",
        made_by="试算人",
        made_at=timezone.now(),
    )
    run.rows.create(account=city.accounts[0], base=36_500_000, amount=350)
    from sheka.systems.accounts.interest import lines_digest

    run.digest = lines_digest(run)
    run.save()
    return run


def test_interest_is_put_before_a_second_person(city):
    officer, supervisor = city.desk("account_officer"), city.desk("account_supervisor")
    last = timezone.localdate().year - 1
    nothing = officer.ask("POST", "/accounts/interest/new", {"year": str(last)})
    assert nothing.status_code == 409 and str(Code.INTEREST_NOTHING.value) in nothing.content.decode()
    assert supervisor.get("/accounts/interest/new").status_code == 403
    run = interest_of(city)
    address = f"/accounts/interest/{run.number}"
    assert run.number in text_of(officer.get("/accounts/interest"))
    page = text_of(officer.get(address))
    assert "¥3.50" in page and "Put before a second person" in page
    assert "Put before a second person" not in text_of(supervisor.get(address))
    assert supervisor.ask("POST", f"{address}/propose").status_code == 403
    assert officer.ask("POST", f"{address}/propose").status_code == 302
    assert officer.ask("POST", f"{address}/withdraw").status_code == 409
    assert officer.ask("POST", f"{address}/explode").status_code == 404
    approve()
    run.refresh_from_db()
    assert run.state == "booking"
    assert "See the request" in text_of(officer.get(address))


LOGIN = "gen-account-"
"""Who looks is called by a log-in name here, which is Latin on every page."""
SHOTS = os.environ.get("SHEKA_SHOTS", "")
"""A folder: the pages are pictured there."""


def test_every_page_is_whole_in_both_languages(city, web, chromium):
    """Real Chromium: axe, no sideways scrolling, every word in its language, keyboard targets."""
    supervisor, officer = city.desk("account_supervisor"), city.desk("account_officer")
    number = city.accounts[0].number
    supervisor.ask("POST", f"/accounts/{number}/freeze-amount", {"amount": "100", **ORDER})
    posting = Entry.objects.get(account=city.accounts[0]).posting_id
    officer.ask("POST", f"/accounts/{number}/entries/{posting}/correct", {"amount": "250", **ORDER})
    approve()
    paid = city.accounts[1].number
    officer.ask("POST", f"/accounts/{paid}/pay-out", {**PAYEE, **ORDER})
    approve()
    late = late_money(city.accounts[1], 4_200)
    gone = city.accounts[3].number
    officer.ask("POST", f"/accounts/{gone}/move", {"to": "460200", **ORDER})
    approve()
    carry_all()
    third = city.accounts[2].number
    wrong = deposit_file([("310460100000009999999", 5, "a"), (third, 7, "b")], "M9")
    right = deposit_file([(third, 7, "b")], "M8")
    for content in (wrong, right):
        officer.ask("POST", "/accounts/files/new", {"file": SimpleUploadedFile("a.txt", content)})
    bad, good = DepositFile.objects.order_by("pk")
    for row in (bad, good):
        check_deposit_file(actor_of(person_at(CITY, "account_officer")), number=row.number)
    run = interest_of(city)
    officer.ask("POST", f"/accounts/{third}/move", {"to": "460200", **ORDER})
    request = Proposal.objects.get(state="open")
    (freeze,) = re.findall(rf"/accounts/{number}/freezes/\d+/release", text_of(supervisor.get(f"/accounts/{number}")))
    at = {
        "officer": [
            "/accounts",
            f"/accounts/{number}",
            f"/accounts/{third}",
            f"/accounts/{gone}",
            f"/accounts/{paid}",
            f"/accounts/late/{late.pk}",
            f"/accounts/{city.fund.number}",
            f"/accounts/{number}/statement",
            f"/accounts/{third}/move",
            f"/accounts/{third}/move-outside",
            f"/accounts/{third}/pay-out",
            f"/accounts/{third}/inherit",
            f"/accounts/{number}/entries/{posting}/correct",
            f"/accounts/payouts/{Payout.objects.get(reason='closing').number}",
            "/accounts/files",
            "/accounts/files/new",
            f"/accounts/files/{bad.number}",
            f"/accounts/files/{good.number}",
            f"/accounts/files/{good.number}/release",
            f"/accounts/files/{good.number}/withdraw",
            "/accounts/interest",
            "/accounts/interest/new",
            f"/accounts/interest/{run.number}",
        ],
        "supervisor": [
            f"/accounts/{number}/freeze",
            f"/accounts/{number}/freeze-amount",
            freeze,
            f"/approvals/{request.pk}",
        ],
    }
    faults = []
    for language, locale in (("zh", "zh-hans"), ("en", "en")):
        for role, addresses in at.items():
            desk = city.desk(f"account_{role}", locale)
            context = chromium.new_context(base_url=web, locale={"zh": "zh-CN", "en": "en-GB"}[language])
            cookies = {name: morsel.value for name, morsel in desk.requests.cookies.items()}
            context.add_cookies([{"name": name, "value": value, "url": web} for name, value in cookies.items()])
            page = context.new_page()
            heard: list[str] = []
            page.on("pageerror", lambda error, heard=heard: heard.append(str(error)))
            for address in addresses:
                answer = page.goto(address)
                assert answer is not None and answer.status == 200, (address, answer and answer.status)
                if SHOTS:
                    name = re.sub(r"\W+", "-", address.strip("/"))[:60]
                    page.set_viewport_size({"width": 1366, "height": 900})
                    page.screenshot(path=str(Path(SHOTS) / f"{language}-{name}.png"), full_page=True)
                    page.set_viewport_size({"width": 390, "height": 844})
                    page.screenshot(path=str(Path(SHOTS) / f"{language}-{name}-390.png"), full_page=True)
                    page.set_viewport_size({"width": 1366, "height": 900})
                found = faults_of(page, answer.text(), language)
                faults += [f"{language} {address}: {one}" for one in found if LOGIN not in one]
            faults += heard
            context.close()
    assert not faults, "\n".join(faults)

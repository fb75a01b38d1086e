"""Corrections, frozen amounts, moving, closing with a payment out, inheritance: two people, all or nothing (S6)."""

from __future__ import annotations

import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support.approvals import decided
from tests.support.payments import CITY, make_cards

from sheka.equipment.server.node import NodeConfig
from sheka.foundation.refusals import Code, Refused
from sheka.office.approvals.models import Proposal
from sheka.office.audit.models import Event
from sheka.office.documents.actions.keep_document import keep_document
from sheka.office.documents.models import Document, Paper
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.change_state import (
    close_account,
    freeze_account,
    freeze_amount,
    release_account,
    release_amount,
)
from sheka.systems.accounts.actions.correct_posting import propose_correction
from sheka.systems.accounts.actions.deposit import Deposit, deposit, deposit_by_number
from sheka.systems.accounts.actions.issue_papers import issue_payout_order, issue_statement
from sheka.systems.accounts.actions.open_account import open_account, open_accounts, open_party_account
from sheka.systems.accounts.actions.propose_ending import (
    propose_closing,
    propose_inheritance,
    propose_move,
    propose_move_outside,
)
from sheka.systems.accounts.models import Account, Correction, Entry, Freeze, Kind, Payout, Succession
from sheka.systems.accounts.payees import heirs, heirs_told, masked_account, payee, shares, whole_parts
from sheka.systems.accounts.queries import balance, verify_ledger
from sheka.systems.accounts.queries_of_pages import (
    balance_on,
    find_accounts,
    held_on,
    lines_of,
    start_of,
    statement_read,
)

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6")]
ORDER = {"reason": "法院裁定", "document": "（2026）琼01执7号"}
PAYEE = {"name": "王小明", "bank": "中国银行海口分行", "bank_account": "6216 6100 0000 1234"}


@pytest.fixture(autouse=True)
def node_folder(settings, tmp_path):
    """Where the documents of a test lie."""
    settings.NODE = NodeConfig.create_demo(tmp_path / "node", document_keys="file")


@pytest.fixture
def officer(appoint):
    return appoint("accounts", CITY, "account_officer")


@pytest.fixture
def supervisor(appoint):
    return appoint("supervisor", CITY, "account_supervisor")


@pytest.fixture
def node(tree):
    return Actor.process("test", CITY)


@pytest.fixture
def fund(node):
    return open_party_account(node, kind=Kind.FUND, party="310")


@pytest.fixture
def accounts(tree, node, fund):
    """Four accounts with 1,000.00 yuan each."""
    found = open_accounts(node, person_ids=[card.person_id for card in make_cards(tree[CITY], 4)])
    items = [Deposit(uuid.uuid4(), account, 100_000, "2026-11") for account in found]
    deposit(node, fund=fund, deposits=items, total=400_000)
    for one in found:
        one.refresh_from_db()
    return found


def refused(code, call, *args, **kwargs):
    with pytest.raises(Refused) as refusal, transaction.atomic():
        call(*args, **kwargs)
    assert refusal.value.code is code, refusal.value
    assert "?" not in refusal.value.text("en")
    return refusal.value


def first_posting(account) -> int:
    return Entry.objects.filter(account=account).order_by("posting_id").first().posting_id


# --- corrections ---


def test_a_posting_is_taken_back_by_a_contra_entry_that_another_approves(officer, supervisor, accounts, fund):
    account, posting = accounts[0], first_posting(accounts[0])
    asked = {"account": account.number, "posting": posting, "reason": "重复入账", "document": "更正单7号"}
    request = propose_correction(officer, amount=40_000, **asked)
    assert balance(account) == 100_000, "nothing before the approval"
    refused(Code.APPROVAL_OWN, decided, officer, request)
    decided(supervisor, request)
    assert (balance(account), balance(fund)) == (60_000, -360_000)
    row = Correction.objects.get()
    assert (row.original, row.amount, row.organisation_id) == (posting, 40_000, CITY)
    refused(Code.CORRECTION_AMOUNT, propose_correction, officer, amount=60_001, **asked)
    two = [propose_correction(officer, amount=40_000, **asked) for _ in range(2)]
    decided(supervisor, two[0])
    refused(Code.CORRECTION_AMOUNT, decided, supervisor, two[1])
    contra = {**asked, "posting": row.contra}
    refused(Code.CORRECTION_ORIGINAL, propose_correction, officer, amount=1, **contra)
    refused(Code.CORRECTION_ORIGINAL, propose_correction, officer, amount=1, **{**asked, "posting": 10**9})
    refused(Code.ACCOUNT_REASON, propose_correction, officer, amount=1, **{**asked, "reason": " "})
    refused(Code.CORRECTION_AMOUNT, propose_correction, officer, amount=0, **asked)
    refused(Code.PERMISSION_MISSING, propose_correction, supervisor, amount=1, **asked)
    shown = {line.entry.posting_id: line for line in lines_of(account, list(Entry.objects.filter(account=account)))}
    assert shown[row.contra].corrects == posting
    assert shown[posting].taken_back == 80_000
    assert verify_ledger() == []


def test_the_same_person_with_both_rights_does_not_decide_the_own_request(appoint, accounts):
    both = appoint("both", CITY, "account_officer", "account_supervisor")
    posting = first_posting(accounts[0])
    request = propose_correction(
        both, account=accounts[0].number, posting=posting, amount=1, reason="重复", document="更正单8号"
    )
    refused(Code.APPROVAL_OWN, decided, both, request)


def test_a_correction_never_overdraws(officer, supervisor, accounts, node):
    account = accounts[0]
    freeze_amount(node, number=account.number, amount=90_000, **ORDER)
    request = propose_correction(
        officer,
        account=account.number,
        posting=first_posting(account),
        amount=50_000,
        reason="多付",
        document="更正单9号",
    )
    refused(Code.ACCOUNT_INSUFFICIENT, decided, supervisor, request)
    assert balance(account) == 100_000
    assert not Correction.objects.exists()


@pytest.mark.parametrize("table", ["accounts_correction", "accounts_payout", "accounts_succession"])
def test_what_was_ordered_is_written_once(officer, supervisor, accounts, table):
    for words in (f"UPDATE {table} SET amount = 1", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(words)


# --- freezes ---


def test_an_amount_is_frozen_and_released_with_reason_and_document(supervisor, officer, accounts, appoint):
    account = accounts[0]
    row = freeze_amount(supervisor, number=account.number, amount=70_000, **ORDER)
    assert freeze_amount(supervisor, number=account.number, amount=70_000, **ORDER).pk == row.pk
    account.refresh_from_db()
    assert (account.balance, account.held, account.available) == (100_000, 70_000, 30_000)
    assert [one.amount for one in held_on(account)] == [70_000]
    refused(Code.ACCOUNT_INSUFFICIENT, freeze_amount, supervisor, number=account.number, amount=30_001, **ORDER)
    refused(Code.ACCOUNT_REASON, freeze_amount, supervisor, number=account.number, amount=1, reason="x", document="")
    refused(Code.PERMISSION_MISSING, freeze_amount, officer, number=account.number, amount=1, **ORDER)
    sanya = appoint("sanya", "460200", "account_supervisor")
    refused(Code.ACCOUNT_UNKNOWN, freeze_amount, sanya, number=account.number, amount=1, **ORDER)
    refused(Code.FREEZE_UNKNOWN, release_amount, sanya, freeze=row.pk, **ORDER)
    refused(Code.ACCOUNT_NOT_EMPTY, close_account, officer, number=account.number, reason="搬迁")
    release_amount(supervisor, freeze=row.pk, **ORDER)
    account.refresh_from_db()
    assert (account.held, Freeze.objects.get(pk=row.pk).released_by) == (0, "supervisor 员")
    refused(Code.FREEZE_UNKNOWN, release_amount, supervisor, freeze=row.pk, **ORDER)
    again = freeze_amount(supervisor, number=account.number, amount=70_000, **ORDER)
    assert again.pk != row.pk, "a new freeze after the release"
    assert verify_ledger() == []


def test_a_person_names_the_document_that_freezes_an_account(supervisor, accounts):
    number = accounts[0].number
    refused(Code.ACCOUNT_REASON, freeze_account, supervisor, number=number, reason="法院裁定")
    freeze_account(supervisor, number=number, **ORDER)
    assert Freeze.objects.get().document == ORDER["document"]
    release_account(supervisor, number=number, **ORDER)
    assert Freeze.objects.get().released_at is not None
    events = Event.objects.filter(subject=f"account:{number}").order_by("sequence").values_list("event", flat=True)
    assert list(events)[-2:] == ["account.freeze", "account.release"]


# --- moving, closing, inheritance ---


def test_moving_outside_and_closing_pay_out_with_a_paper(officer, supervisor, accounts, appoint):
    first, second = accounts[:2]
    refused(
        Code.PAYEE_INVALID, propose_closing, officer, number=first.number, **ORDER, **{**PAYEE, "bank_account": "12"}
    )
    decided(supervisor, propose_closing(officer, number=first.number, **PAYEE, **ORDER))
    decided(supervisor, propose_move_outside(officer, number=second.number, area="广东省广州市", **PAYEE, **ORDER))
    rows = list(Payout.objects.order_by("pk"))
    assert [(one.reason, one.amount, one.bank_account) for one in rows] == [
        ("closing", 100_000, "6216610000001234"),
        ("moving", 100_000, "6216610000001234"),
    ]
    assert balance(Account.objects.get(kind=Kind.BANK)) == 200_000
    for account in (first, second):
        account.refresh_from_db()
        assert (account.state, account.balance) == ("closed", 0)
        refused(Code.STATE_FORBIDS, propose_closing, officer, number=account.number, **PAYEE, **ORDER)
    paper = issue_payout_order(officer, number=rows[0].number)
    assert issue_payout_order(officer, number=rows[0].number).pk == paper.pk
    assert Paper.objects.get().shown[1][2] != PAYEE["name"], "strangers see it masked"
    sanya = appoint("sanya", "460200", "account_officer")
    refused(Code.PAYOUT_UNKNOWN, issue_payout_order, sanya, number=rows[0].number)
    refused(Code.ACCOUNT_UNKNOWN, propose_move, sanya, number=accounts[2].number, to=CITY, **ORDER)
    assert verify_ledger() == []


def test_what_is_held_lets_no_account_end(officer, supervisor, accounts, node):
    request = propose_closing(officer, number=accounts[0].number, **PAYEE, **ORDER)
    freeze_amount(node, number=accounts[0].number, amount=1, **ORDER)
    refused(Code.ACCOUNT_HELD, propose_closing, officer, number=accounts[0].number, **PAYEE, **ORDER)
    refused(Code.ACCOUNT_HELD, decided, supervisor, request)
    freeze_account(node, number=accounts[1].number, reason="court order")
    refused(Code.STATE_FORBIDS, propose_closing, officer, number=accounts[1].number, **PAYEE, **ORDER)


def keep_papers(officer, account):
    from tests.support.files import pdf

    for kind in ("death_certificate", "inheritance_certificate"):
        keep_document(officer, kind=kind, subject=f"account:{account.number}", filename=f"{kind}.pdf", content=pdf())


def test_a_balance_is_inherited_by_shares_once_the_papers_are_there(officer, supervisor, accounts):
    account, heir = accounts[0], accounts[1]
    three = [
        {"name": "参保人2", "relation": "配偶", "account": heir.number},
        {"relation": "子女", **PAYEE},
        {"relation": "子女", **PAYEE, "name": "王小红", "bank_account": "62166100000099"},
    ]
    asked = {"number": account.number, "rule": "equal", "shares_of": three, **ORDER}
    missing = refused(Code.INHERITANCE_DOCUMENT, propose_inheritance, officer, **asked)
    assert "死亡证明" in missing.text("zh-Hans") and "Death certificate" in missing.text("en")
    keep_papers(officer, account)
    for wrong in (
        {"shares_of": []},
        {"rule": "eldest"},
        {"shares_of": [three[1], three[1]]},
        {"rule": "given"},
        {"rule": "given", "shares_of": [{**one, "parts": "1/4"} for one in three]},
        {"shares_of": [{**three[0], "account": account.number}]},
    ):
        refused(Code.INHERITANCE_HEIRS, propose_inheritance, officer, **{**asked, **wrong})
    decided(supervisor, propose_inheritance(officer, **asked))
    account.refresh_from_db()
    assert (account.state, account.balance) == ("closed", 0)
    assert balance(heir) == 100_000 + 33_334
    assert sorted(Payout.objects.values_list("amount", flat=True)) == [33_333, 33_333]
    assert verify_ledger() == []


def test_four_heirs_share_as_the_court_said_and_the_parts_add_up(officer, supervisor, accounts):
    """1/2, 1/4, 1/6 and 1/12 of 1,000.01 yuan: no fen is lost; the request shows each share before it is decided."""
    account, heir = accounts[0], accounts[1]
    deposit_by_number(officer, fund="310", deposits=[(uuid.uuid4(), account.number, 1, "")], total=1)
    keep_papers(officer, account)
    four = [
        {"name": "参保人2", "relation": "配偶", "account": heir.number, "parts": "1/2"},
        {"relation": "子女", **PAYEE, "parts": "1/4"},
        {"relation": "母亲", **PAYEE, "name": "王秀英", "bank_account": "62166100000099", "parts": "1/6"},
        {"relation": "父亲", **PAYEE, "name": "王大山", "bank_account": "62166100000088", "parts": " 1／12 "},
    ]
    request = propose_inheritance(officer, number=account.number, rule="given", shares_of=four, **ORDER)
    shown = heirs_told(request.payload["heirs"])
    assert "6/12，500.01元" in shown.zh and "1/12, ¥83.33" in shown.en, shown
    decided(supervisor, request)
    assert balance(heir) == 100_000 + 50_001
    paid = dict(Payout.objects.values_list("payee", "amount"))
    assert paid == {"王小明": 25_000, "王秀英": 16_667, "王大山": 8_333} and sum(paid.values()) + 50_001 == 100_001
    assert Succession.objects.get().to["accounts"] == [{"account": heir.number, "amount": 50_001}]
    assert verify_ledger() == []


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (["2", "1", "1"], [2, 1, 1]),
        (["1/3", "2/3"], [1, 2]),
        (["12.5%", "87.5％"], [1, 7]),
        (["50%", "1/2"], [1, 1]),
        (["4", "6"], [2, 3]),
    ],
)
def test_shares_are_written_as_people_write_them(given, parts):
    assert whole_parts(given) == parts


@pytest.mark.parametrize("given", [["1/3", "1/3"], ["60%", "50%"], ["0", "1"], ["1/0"], ["-1"], ["x"], [""], ["1.5"]])
def test_shares_that_do_not_add_up_are_refused(given):
    refused(Code.INHERITANCE_HEIRS, whole_parts, given)


@examples(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 10**12), st.lists(st.integers(1, 10_000), min_size=1, max_size=20))
def test_shares_lose_and_make_nothing(amount, parts):
    found = shares(amount, [{"parts": one} for one in parts])
    assert sum(found) == amount and len(found) == len(parts) and min(found) >= 0
    assert all(abs(got - amount * one / sum(parts)) < 1 + amount * 1e-12 for got, one in zip(found, parts, strict=True))


def test_payees_are_read_and_masked():
    assert payee(" 王小明 ", "中国银行", "6216-6100 00001234")["bank_account"] == "6216610000001234"
    assert masked_account("6216610000001234") == "•••• 1234"
    assert (
        heirs([{"name": "王小明", "bank": "银行", "bank_account": "12345678", "parts": "3"}], "given", ["given"])[0][
            "parts"
        ]
        == 1
    )


# --- any sequence ---


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 120_000)), min_size=1, max_size=6))
def test_any_sequence_of_verbs_leaves_the_sum_of_all_at_zero(officer, supervisor, accounts, fund, wishes):
    """Whatever is asked, approved or refused: nothing is lost, nothing is made, nobody is overdrawn."""

    def correct(account, amount):
        posting = first_posting(account)
        words = {"reason": "重复入账", "document": "更正单1号"}
        return propose_correction(officer, account=account.number, posting=posting, amount=amount, **words)

    verbs = (
        lambda account, amount: decided(supervisor, correct(account, amount)),
        lambda account, amount: freeze_amount(supervisor, number=account.number, amount=amount, **ORDER),
        lambda account, amount: release_amount(supervisor, freeze=account.freezes.first().pk, **ORDER),
        lambda account, amount: decided(supervisor, propose_closing(officer, number=account.number, **PAYEE, **ORDER)),
        lambda account, amount: decided(supervisor, propose_move(officer, number=account.number, to="460200", **ORDER)),
        lambda account, amount: freeze_account(supervisor, number=account.number, **ORDER),
        lambda account, amount: deposit_by_number(
            officer, fund="310", deposits=[(uuid.uuid4(), account.number, amount, "")], total=amount
        ),
    )
    with transaction.atomic():
        for verb, place, amount in wishes:
            account = Account.objects.get(pk=accounts[place].pk)
            try:
                with transaction.atomic():
                    verbs[verb](account, amount)
            except (Refused, AttributeError):  # no freeze to release
                continue
        assert sum(balance(account) for account in Account.objects.all()) == 0
        assert verify_ledger() == []
        transaction.set_rollback(True)


# --- statements, search, deposits by number ---


def test_a_statement_leads_from_its_opening_to_its_closing_balance(officer, accounts, fund, supervisor, appoint):
    from django.utils import timezone

    today = timezone.localdate()
    found = statement_read(officer, number=accounts[0].number, since=today, until=today, form="page")
    assert (found.opening, found.paid_in, found.paid_out, found.closing, found.count) == (0, 100_000, 0, 100_000, 1)
    whole = statement_read(officer, number=fund.number, since=today, until=today, form="page")
    assert (whole.opening, whole.closing, whole.count) == (0, -400_000, 4)
    assert balance_on(accounts[0], today) == 100_000
    assert balance_on(accounts[0], today.replace(year=today.year - 1)) == 0
    assert start_of(today).hour == 0
    name = f"{accounts[0].number}.{today:%Y%m%d}.{today:%Y%m%d}"
    paper = issue_statement(officer, name=name)
    assert isinstance(paper, Document) and paper.subject == f"statement:{name}"
    fund_paper = issue_statement(officer, name=f"{fund.number}.{today:%Y%m%d}.{today:%Y%m%d}")
    assert fund_paper.pages == 1
    for since, until in ((today, today.replace(year=today.year - 1)), (today.replace(year=today.year - 9), today)):
        refused(
            Code.STATEMENT_PERIOD, statement_read, officer, number=fund.number, since=since, until=until, form="page"
        )
    refused(Code.STATEMENT_PERIOD, issue_statement, officer, name=f"{fund.number}.x.y")
    sanya = appoint("sanya", "460200", "account_officer")
    refused(Code.ACCOUNT_UNKNOWN, statement_read, sanya, number=fund.number, since=today, until=today, form="page")
    assert Event.objects.filter(event="statement.read").exists()


def test_accounts_are_found_by_number_and_by_their_holder(officer, accounts, appoint):
    from sheka.office.work.search import Asked, keep_name

    keep_name("person", accounts[0].person_id, CITY, "欧阳明月")
    for text in (accounts[0].number, accounts[0].person.social_security_number, "欧阳", "ouyang"):
        found = find_accounts(officer, Asked.of(text))
        if text.startswith("T"):
            continue  # the town's numbers are no real ones
        assert [one.number for one in found] == [accounts[0].number], text
        assert "T0000" not in found[0].note
    sanya = appoint("sanya", "460200", "account_officer")
    assert find_accounts(sanya, Asked.of(accounts[0].number)) == []


def test_a_batch_by_account_numbers_names_what_it_does_not_know(officer, accounts, fund):
    keys = [uuid.uuid4() for _ in range(3)]
    rows = [
        (keys[0], accounts[0].number, 5, "x"),
        (keys[1], "310000", 7, "x"),
        (keys[2], accounts[1].number, 6, "x"),
    ]
    for _ in range(2):
        answers = deposit_by_number(officer, fund="310", deposits=rows, total=18)
        assert [(one.client_id, one.refusal) for one in answers] == [(keys[0], 0), (keys[1], 4301), (keys[2], 0)]
    assert (balance(accounts[0]), balance(fund)) == (100_005, -400_011)
    refused(Code.DEPOSIT_TOTAL, deposit_by_number, officer, fund="310", deposits=rows, total=17)
    refused(Code.ACCOUNT_UNKNOWN, deposit_by_number, officer, fund="999", deposits=rows, total=18)
    refused(Code.DEPOSIT_TOO_MANY, deposit_by_number, officer, fund="310", deposits=rows * 334, total=1)
    assert deposit_by_number(officer, fund="310", deposits=rows[1:2], total=7)[0].refusal == 4301


def test_accounts_of_every_kind_are_opened_once(officer, node, accounts):
    for kind in (Kind.INSTITUTION, Kind.FUND, Kind.SUSPENSE, Kind.BANK, Kind.FEE, Kind.TRANSIT):
        made = open_party_account(officer, kind=kind, party="X1")
        assert open_party_account(officer, kind=kind, party="X1").pk == made.pk
        assert (made.balance, made.never_negative) == (None, False)
    for kind in (Kind.PERSONAL, Kind.FORMER):
        with pytest.raises(ValueError):
            open_party_account(officer, kind=kind, party="X1")
    refused(Code.ACCOUNT_EXISTS, open_account, officer, person_id=accounts[0].person_id)
    with pytest.raises(DatabaseError), transaction.atomic():
        Account.objects.filter(pk=accounts[0].pk).update(kind="fund")
    assert Proposal.objects.count() == 0

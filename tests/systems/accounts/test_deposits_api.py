"""POST /deposits (S6): a partner pays up to a thousand amounts in; twice is once, wrong totals book nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.support.api import partner_of
from tests.support.payments import CITY, make_cards

from sheka.foundation.refusals import Code
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.change_state import freeze_account
from sheka.systems.accounts.actions.deposit import MOST
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Kind, Transfer
from sheka.systems.accounts.queries import balance, verify_ledger

pytestmark = [pytest.mark.django_db, pytest.mark.req("S6")]


@pytest.fixture
def fund(tree):
    return open_party_account(Actor.process("test", CITY), kind=Kind.FUND, party="310")


@pytest.fixture
def accounts(tree, fund):
    people = [card.person_id for card in make_cards(tree[CITY], 3)]
    return open_accounts(Actor.process("test", CITY), person_ids=people)


@pytest.fixture
def partner(installer, tree):
    return partner_of(installer, CITY, [Permission.ACCOUNT_DEPOSIT])


def batch(accounts, amounts=(500, 700, 900), **changes):
    rows = [
        {"client_id": str(uuid4()), "account": one.number, "amount_fen": fen, "reference": "2026-11"}
        for one, fen in zip(accounts, amounts, strict=False)
    ]
    return {"fund": "310", "total_fen": sum(row["amount_fen"] for row in rows), "deposits": rows, **changes}


def number_of(answer) -> int:
    return answer.json()["code"]


def test_a_batch_is_booked_and_each_line_is_answered(partner, accounts, fund):
    answer = partner.post("/deposits", batch(accounts))
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["booked"] == 3 and [row["refusal"] for row in told["items"]] == [0, 0, 0]
    assert [balance(one) for one in (*accounts, fund)] == [500, 700, 900, -2100]
    assert Event.objects.filter(event="account.deposited", actor=f"client:{partner.code}").exists() or (
        Event.objects.filter(event="account.deposited").count() == 1
    )
    assert verify_ledger() == []


def test_the_same_numbers_book_once_whatever_the_key_of_the_request(partner, accounts):
    sent = batch(accounts)
    key = str(uuid4())
    first = partner.post("/deposits", sent, key=key)
    for again in (partner.post("/deposits", sent, key=key), partner.post("/deposits", sent)):
        assert (again.status_code, again.json()["items"]) == (201, first.json()["items"])
    other = {**sent, "deposits": [{**row, "amount_fen": row["amount_fen"] + 1} for row in sent["deposits"]]}
    other["total_fen"] += 3
    told = partner.post("/deposits", other).json()
    assert told["booked"] == 0
    assert {(row["refusal"], row["differs"]) for row in told["items"]} == {(Code.TRANSFER_DIFFERS.value, "amount")}
    assert Transfer.objects.count() == 3 and balance(accounts[0]) == 500


def test_wrong_totals_and_wrong_forms_book_nothing(partner, accounts):
    right = batch(accounts)
    wrong = (
        ({**right, "total_fen": 2099}, 422, Code.DEPOSIT_TOTAL),
        ({**right, "fund": "999"}, None, Code.ACCOUNT_UNKNOWN),
        ({**right, "deposits": []}, 422, None),
        ({**right, "deposits": right["deposits"] * (MOST // 3 + 1)}, 422, None),
        (batch(accounts, (0, 1, 2)), 422, None),
        (batch(accounts, (-5, 5, 1)), 422, None),
        ({**right, "total_fen": "2100.5"}, 422, None),
        ({**right, "deposits": [{**right["deposits"][0], "client_id": "1"}], "total_fen": 500}, 422, None),
    )
    for body, status, code in wrong:
        answer = partner.post("/deposits", body)
        assert 400 <= answer.status_code < 500, (body, answer.content)
        assert status is None or answer.status_code == status, (body, answer.status_code, answer.content)
        assert code is None or number_of(answer) == code.value, answer.content
    assert not Transfer.objects.exists()


def test_a_line_that_cannot_be_booked_stops_no_other(partner, accounts):
    freeze_account(Actor.process("test", CITY), number=accounts[1].number, reason="court order")
    sent = batch(accounts)
    sent["deposits"].append({"client_id": str(uuid4()), "account": "310999", "amount_fen": 1, "reference": ""})
    sent["total_fen"] += 1
    told = partner.post("/deposits", sent).json()
    assert [row["refusal"] for row in told["items"]] == [0, Code.ACCOUNT_NOT_OPEN.value, 0, Code.ACCOUNT_UNKNOWN.value]
    assert told["booked"] == 2 and [balance(one) for one in accounts] == [500, 0, 900]


def test_who_has_no_right_or_another_citys_books_pays_nothing_in(partner, installer, accounts):
    reader = partner_of(installer, CITY, [Permission.ACCOUNT_VIEW])
    refused = reader.post("/deposits", batch(accounts))
    assert refused.status_code == 403
    partner.token = ""
    assert partner.post("/deposits", batch(accounts)).status_code == 401
    sanya = partner_of(installer, "460200", [Permission.ACCOUNT_DEPOSIT])
    open_party_account(Actor.process("test", "460200"), kind=Kind.FUND, party="310")
    told = sanya.post("/deposits", batch(accounts))
    assert told.status_code == 201
    assert {row["refusal"] for row in told.json()["items"]} == {Code.ACCOUNT_UNKNOWN.value}
    assert not Transfer.objects.exists() and [balance(one) for one in accounts] == [0, 0, 0]

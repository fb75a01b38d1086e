"""Partners speak to the switch over REST (S4): the same books and refusals, and the truth when an answer is lost."""

from __future__ import annotations

import socket
import threading
from uuid import uuid4

import pytest
from tests.support.acquiring import SHOP, until
from tests.support.api import partner_of
from tests.support.payments import CITY, HOSPITAL, SwitchProcess

from sheka.foundation.refusals import Code
from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions import partner_line
from sheka.systems.transactions.acquiring_models import PartnerRequest
from sheka.systems.transactions.actions.blocks import block
from sheka.systems.transactions.actions.register_institution import register_terminals
from sheka.systems.transactions.models import Institution, Terminal, Transaction

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
REST = "460100000077"
YUAN = 100


@pytest.fixture
def hospital(bank, tree, installer):
    """The hospital as an organisation with a client, and a terminal of its own for REST."""
    for code in (HOSPITAL, SHOP):
        add_organisation(
            installer,
            code=code,
            name="海口市人民医院",
            name_en="Hospital",
            kind="hospital",
            region="460106",
            parent=CITY,
            valid_from=tree[CITY].valid_from,
        )
    register_terminals(bank.actor, institution_code=HOSPITAL, numbers=[REST], channel="rest")
    Terminal.objects.filter(number=REST).update(state="active")
    return partner_of(installer, HOSPITAL)


@pytest.fixture
def online(switch, monkeypatch):
    """The REST face finds the test's switch."""
    monkeypatch.setattr(partner_line, "address", lambda: (switch.host, switch.port))
    return switch


def purchase(bank, amount=YUAN, **other):
    return {"terminal": REST, "card_number": bank.cards[0].number, "amount_fen": amount, **other}


def key():
    return str(uuid4())


def code_of(answer):
    return answer.status_code, answer.json().get("code")


def test_a_purchase_over_rest_is_a_purchase_of_the_switch_once(bank, hospital, online):
    mine = key()
    first = hospital.post("/partner/purchases", purchase(bank), key=mine)
    assert first.status_code == 201, first.content
    told = first.json()
    assert (told["state"], told["balance_fen"], told["verb"]) == ("approved", 100_000 - YUAN, "purchase")
    assert bank.cards[0].number not in first.content.decode()
    again = hospital.post("/partner/purchases", purchase(bank), key=mine)
    assert again.json() == told and again["Idempotency-Replayed"] == "true"
    other = hospital.post("/partner/purchases", purchase(bank, 2 * YUAN), key=mine)
    assert code_of(other) == (422, Code.API_KEY_REUSED.value)
    assert bank.balance() == 100_000 - YUAN
    row = Transaction.objects.get(terminal__number=REST)
    assert (row.amount, row.refusal, row.rrn) == (YUAN, 0, told["reference"])
    assert hospital.get(f"/partner/requests/{mine}").json() == told
    bank.assert_ledger_holds()


def test_what_the_switch_refuses_is_refused_with_its_number(bank, hospital, online):
    much = hospital.post("/partner/purchases", purchase(bank, 10_000_000))
    assert code_of(much) == (409, Code.BALANCE_INSUFFICIENT.value)
    assert much["Content-Type"] == "application/problem+json"
    assert code_of(hospital.post("/partner/purchases", purchase(bank, currency="840"))) == (
        422,
        Code.CURRENCY_FOREIGN.value,
    )
    assert code_of(hospital.post("/partner/purchases", purchase(bank, country="840"))) == (
        403,
        Code.ACQUIRER_FOREIGN.value,
    )
    block(bank.actor, kind="card", subject=bank.cards[0].number, reason="被盗")

    def barred():
        answer = hospital.post("/partner/purchases", purchase(bank, 1))
        return code_of(answer) == (409, Code.CARD_ON_BLOCK_LIST.value)

    until(barred)
    bank.assert_ledger_holds()


def test_what_the_switch_cannot_judge_now_is_no_refusal_for_ever(bank, hospital, monkeypatch):
    """91/4458: nothing was kept of it, and the same request is taken a moment later; its key was spent."""
    mine = key()
    for limits, expected in (("known_for=0",), (409, 503)), (("known_for=4",), (201,)):
        process = SwitchProcess(None, "--limit", *limits)
        monkeypatch.setattr(partner_line, "address", lambda process=process: (process.host, process.port))
        answer = hospital.post("/partner/purchases", purchase(bank), key=mine)
        process.stop()
        assert answer.status_code in expected, answer.content
        if expected != (201,):
            assert answer.json()["code"] == Code.BLOCK_LIST_NOT_KNOWN.value
            assert hospital.get(f"/partner/requests/{mine}").json()["state"] == "not_sent"
    assert bank.balance() == 100_000 - YUAN


def test_a_refusal_stays_what_it_was_and_is_told_by_status(bank, hospital, online):
    mine = key()
    for _ in range(2):
        answer = hospital.post("/partner/purchases", purchase(bank, 10_000_000), key=mine)
        assert code_of(answer) == (409, Code.BALANCE_INSUFFICIENT.value)
    told = hospital.get(f"/partner/requests/{mine}").json()
    assert (told["state"], told["refusal"]) == ("refused", Code.BALANCE_INSUFFICIENT.value)
    assert Transaction.objects.filter(terminal__number=REST).count() == 1


def test_a_balance_is_asked_at_the_switch(bank, hospital, online):
    asked = {"terminal": REST, "card_number": bank.cards[0].number}
    assert hospital.post("/partner/inquiries", asked).json()["balance_fen"] == 100_000
    unknown = hospital.post("/partner/inquiries", {**asked, "card_number": "P99999999"})
    assert code_of(unknown) == (404, Code.CARD_NOT_KNOWN_HERE.value)


def test_a_reversal_takes_back_once_whatever_is_known(bank, hospital, online):
    paid, back = key(), key()
    hospital.post("/partner/purchases", purchase(bank), key=paid)
    for _ in range(2):
        answer = hospital.post("/partner/reversals", {"original": paid}, key=back)
        assert (answer.status_code, answer.json()["original"]) == (201, paid), answer.content
    assert bank.balance() == 100_000
    assert hospital.get(f"/partner/requests/{paid}").json()["reversed"] is True
    assert hospital.get(f"/partner/requests/{back}").json()["state"] == "approved"
    assert code_of(hospital.post("/partner/reversals", {"original": back})) == (409, Code.PARTNER_ORIGINAL_UNFIT.value)
    assert code_of(hospital.post("/partner/reversals", {"original": key()})) == (
        404,
        Code.PARTNER_REQUEST_UNKNOWN.value,
    )
    bank.assert_ledger_holds()


class Deaf:
    """Between REST face and switch: passes the question on and cuts the line before the answer."""

    def __init__(self, target) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.target = target
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return self.server.getsockname()[:2]

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            with line, socket.create_connection(self.target, timeout=10) as beyond:
                beyond.sendall(line.recv(4096))
                beyond.recv(4096)

    def close(self) -> None:
        self.server.close()
        self.thread.join(timeout=5)


def test_a_lost_answer_is_unknown_until_the_switch_says_what_it_wrote(bank, hospital, online, monkeypatch):
    deaf, mine, never = Deaf((online.host, online.port)), key(), key()
    monkeypatch.setattr(partner_line, "address", lambda: deaf.address)
    lost = hospital.post("/partner/purchases", purchase(bank), key=mine)
    assert code_of(lost) == (503, Code.SWITCH_OUTCOME_UNKNOWN.value)
    assert PartnerRequest.objects.get(key=mine).state == "sent"
    told = hospital.get(f"/partner/requests/{mine}").json()
    assert (told["state"], told["balance_fen"]) == ("approved", 100_000 - YUAN), "booked; only the answer was lost"
    lost = hospital.post("/partner/purchases", purchase(bank, 5), key=never)
    deaf.close()
    monkeypatch.setattr(partner_line, "address", lambda: (online.host, online.port))
    again = hospital.post("/partner/purchases", purchase(bank, 5), key=never)
    assert (again.status_code, again.json()["state"]) == (201, "approved"), "asked again, it is a repeat"
    assert bank.balance() == 100_000 - YUAN - 5
    bank.assert_ledger_holds()


def test_a_request_that_never_reached_the_switch_is_not_sent_and_may_be_sent_again(bank, hospital, online, monkeypatch):
    mine = key()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = nobody.getsockname()[:2]
    monkeypatch.setattr(partner_line, "address", lambda: dead)
    answer = hospital.post("/partner/purchases", purchase(bank), key=mine)
    assert code_of(answer) == (503, Code.SWITCH_UNREACHABLE.value)
    assert hospital.get(f"/partner/requests/{mine}").json()["state"] == "not_sent"
    monkeypatch.setattr(partner_line, "address", lambda: (online.host, online.port))
    assert hospital.post("/partner/purchases", purchase(bank), key=mine).status_code == 201
    assert bank.balance() == 100_000 - YUAN


def test_a_reversal_before_its_purchase_leaves_nothing_to_take(bank, hospital, online, monkeypatch):
    mine = key()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = nobody.getsockname()[:2]
    monkeypatch.setattr(partner_line, "address", lambda: dead)
    hospital.post("/partner/purchases", purchase(bank), key=mine)
    monkeypatch.setattr(partner_line, "address", lambda: (online.host, online.port))
    answer = hospital.post("/partner/reversals", {"original": mine})
    assert code_of(answer) == (404, Code.ORIGINAL_UNKNOWN.value)
    late = hospital.post("/partner/purchases", purchase(bank), key=mine)
    assert code_of(late) == (409, Code.TRANSACTION_REVERSED_BEFORE.value)
    assert bank.balance() == 100_000


def test_the_same_key_on_two_connections_at_once_debits_once(bank, hospital, online, installer):
    mine, body, answers = key(), purchase(bank), []

    def send():
        from django.db import connections

        answers.append(hospital.post("/partner/purchases", body, key=mine))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["stan"] for answer in answers}) == 1
    assert bank.balance() == 100_000 - YUAN


def test_a_client_speaks_for_its_own_rest_terminals_only(bank, hospital, online, installer):
    foreign = hospital.post("/partner/purchases", purchase(bank, terminal="460100999999"))
    assert code_of(foreign) == (404, Code.TERMINAL_NOT_YOURS.value)
    classic = hospital.post("/partner/purchases", purchase(bank, terminal="460100000001"))
    assert code_of(classic) == (409, Code.TERMINAL_OTHER_CHANNEL.value)
    unregistered = partner_of(installer, SHOP)
    assert code_of(unregistered.post("/partner/purchases", purchase(bank))) == (
        403,
        Code.PARTNER_WITHOUT_INSTITUTION.value,
    )
    reader = partner_of(installer, HOSPITAL, [Permission.TRANSACTION_VIEW])
    assert code_of(reader.post("/partner/purchases", purchase(bank))) == (403, Code.PERMISSION_MISSING.value)
    mine = key()
    hospital.post("/partner/purchases", purchase(bank), key=mine)
    other = Institution.objects.get(code=HOSPITAL)
    Institution.objects.create(
        code=SHOP,
        name="另一家",
        organisation_id=CITY,
        account=other.account,
        mac_key=other.mac_key,
        mac_check_value="",
        registered_at=other.registered_at,
    )
    assert code_of(unregistered.get(f"/partner/requests/{mine}")) == (404, Code.PARTNER_REQUEST_UNKNOWN.value)
    stranger = unregistered.post("/partner/purchases", purchase(bank))
    assert code_of(stranger) == (404, Code.TERMINAL_NOT_YOURS.value)


def test_trace_numbers_rise_and_a_key_is_needed(bank, hospital, online):
    stans = [hospital.post("/partner/purchases", purchase(bank, 1)).json()["stan"] for _ in range(3)]
    assert stans == sorted(set(stans))
    assert code_of(hospital.post("/partner/purchases", purchase(bank), key=None)) == (400, Code.API_KEY_MISSING.value)


def test_what_is_held_is_completed_voided_and_refunded_over_rest(bank, hospital, online):
    held, taken, part, gone, bought = key(), key(), key(), key(), key()
    assert hospital.post("/partner/preauthorisations", purchase(bank, 500), key=held).status_code == 201
    first = hospital.post("/partner/completions", {"original": held, "amount_fen": 300}, key=taken)
    again = hospital.post("/partner/completions", {"original": held, "amount_fen": 300}, key=taken)
    assert (first.status_code, first.json()) == (201, again.json()), first.content
    assert bank.balance() == 100_000 - 300
    assert code_of(hospital.post("/partner/completions", {"original": bought, "amount_fen": 1}))[0] == 404
    back = hospital.post("/partner/refunds", {"original": taken, "amount_fen": 100}, key=part)
    assert (back.status_code, bank.balance()) == (201, 100_000 - 200), back.content
    hospital.post("/partner/purchases", purchase(bank, 50), key=bought)
    assert hospital.post("/partner/voids", {"original": bought}, key=gone).status_code == 201
    assert bank.balance() == 100_000 - 200
    wrong = hospital.post("/partner/completions", {"original": bought, "amount_fen": 1})
    assert code_of(wrong) == (409, Code.PARTNER_ORIGINAL_UNFIT.value)
    loose = key()
    hospital.post("/partner/preauthorisations", purchase(bank, 500), key=loose)
    assert hospital.post("/partner/voids", {"original": loose}).status_code == 201
    assert {hospital.get(f"/partner/requests/{one}").json()["state"] for one in (held, taken, part, gone)} == {
        "approved"
    }
    bank.assert_ledger_holds()


def test_a_batch_gives_every_request_its_own_outcome_and_books_nothing_twice(bank, hospital, online):
    one, two, three, four = key(), key(), key(), key()
    items = [
        {"id": one, "verb": "purchase", **purchase(bank, 300)},
        {"id": two, "verb": "purchase", **purchase(bank, 10_000_000)},
        {"id": three, "verb": "refund", "original": one, "amount_fen": 100},
        {"id": four, "verb": "purchase", **purchase(bank, 1, terminal="460100999999")},
    ]
    first = hospital.post("/partner/batches", {"items": items})
    assert first.status_code == 201, first.content
    told = [(item["id"], item["state"], item["refusal"]) for item in first.json()["items"]]
    insufficient, foreign = Code.BALANCE_INSUFFICIENT.value, Code.TERMINAL_NOT_YOURS.value
    assert told == [
        (one, "approved", 0),
        (two, "refused", insufficient),
        (three, "approved", 0),
        (four, "refused", foreign),
    ]
    assert hospital.post("/partner/batches", {"items": items}).json() == first.json()
    assert bank.balance() == 100_000 - 200
    bank.assert_ledger_holds()

"""The switch over real TCP, on real PostgreSQL, with a real encryption machine (S4, C2, C3)."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from sheka.foundation.iso8583 import decode
from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.actions.change_state import freeze_account, release_account
from sheka.systems.cards.models import Card
from sheka.systems.cards.states import CARD
from sheka.systems.transactions.actions.register_institution import (
    change_institution,
    change_terminals,
    register_terminals,
)
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import outcome_of, transactions_of_card, transactions_of_person
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.req("S4")
def test_a_purchase_debits_once_however_often_it_is_sent(terminal, bank):
    card = bank.cards[0].number
    assert terminal.sign_on().approved
    assert terminal.echo().approved
    purchase = terminal.new_purchase(card, 12_345)
    first = terminal.send_purchase(purchase)
    assert (first.response_code, first.balance, len(first.authorisation)) == ("00", 87_655, 6)
    again, repeat = terminal.send_purchase(purchase), terminal.send_purchase(purchase, repeat=True)
    assert first.sent == again.sent
    assert first.received == again.received == repeat.received
    assert bank.balance() == 87_655
    assert terminal.balance(card).balance == 87_655
    other = terminal.send_purchase(type(purchase)(purchase.stan, card, 1, purchase.at))
    assert (other.response_code, other.refusal, other.differs) == ("94", Code.TRANSACTION_DIFFERS.value, "4")
    assert bank.balance() == 87_655
    found = outcome_of("H46010000001", "460100000001", purchase.at.date(), purchase.stan)
    assert (found.approved, found.effect, found.balance_after) == (True, -12_345, 87_655)
    assert list(transactions_of_card(card)) == list(transactions_of_person(bank.cards[0].person_id)) == [found]
    bank.assert_ledger_holds()


@pytest.mark.req("C2")
@pytest.mark.req("S6")
def test_there_is_no_overdraft_and_a_decline_stays_declined(terminal, bank):
    card = bank.cards[0].number
    purchase = terminal.new_purchase(card, 100_001)
    declined = terminal.send_purchase(purchase)
    assert (declined.response_code, declined.refusal) == ("51", Code.BALANCE_INSUFFICIENT.value)
    assert terminal.purchase(card, 100_000).balance == 0
    assert terminal.purchase(card, 1).response_code == "51"
    bank.pay_in(500_000, bank.accounts[0])
    assert terminal.send_purchase(purchase).received == declined.received
    assert bank.balance() == 500_000
    assert terminal.purchase(card, 0).response_code == "13"
    bank.assert_ledger_holds()


@pytest.mark.req("C3")
def test_foreign_money_and_foreign_acceptors_are_refused(terminal, switch, bank):
    card = bank.cards[0].number
    for currency in ("840", "344"):
        answer = terminal.purchase(card, 100, currency=currency)
        assert (answer.response_code, answer.refusal) == ("93", Code.CURRENCY_FOREIGN.value)
    with Terminal(
        switch.host, switch.port, "460100000001", "H46010000001", bank.mac, country="840", first_stan=500
    ) as abroad:
        assert abroad.purchase(card, 100).refusal == Code.ACQUIRER_FOREIGN.value
        assert abroad.balance(card).refusal == Code.ACQUIRER_FOREIGN.value
    assert bank.balance() == 100_000
    assert Transaction.objects.filter(refusal=0).count() == 0
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_only_an_active_card_pays(terminal, bank):
    expected = {
        **dict.fromkeys(
            ("ordered", "numbered", "personalised", "in_stock", "handed_out"), ("78", Code.CARD_NOT_YET_ACTIVE)
        ),
        **dict.fromkeys(("temporarily_lost", "lost"), ("41", Code.CARD_REPORTED_LOST)),
        **dict.fromkeys(("replaced", "cancelled", "handed_in", "destroyed"), ("54", Code.CARD_IS_RETIRED)),
        "blocked": ("62", Code.CARD_IS_BLOCKED),
        "active": ("00", None),
    }
    card = bank.cards[0]
    assert set(expected) == set(CARD.states)
    for state, (answer_code, refusal) in expected.items():
        Card.objects.filter(pk=card.pk).update(state=state)
        answer = terminal.purchase(card.number, 100)
        assert (answer.response_code, answer.refusal) == (answer_code, refusal.value if refusal else 0), state
    assert terminal.purchase("X00000019", 100).refusal == Code.CARD_NOT_KNOWN_HERE.value
    assert terminal.purchase(card.number, 100, scheme="390").refusal == Code.CARD_WITHOUT_ACCOUNT.value
    freeze_account(bank.actor, number=bank.accounts[0].number, reason="court order")
    assert terminal.purchase(card.number, 100).refusal == Code.ACCOUNT_IS_FROZEN.value
    release_account(bank.actor, number=bank.accounts[0].number, reason="court order lifted")
    assert terminal.purchase(card.number, 100).balance == 99_800
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_a_terminal_or_institution_out_of_service_is_refused_at_once(terminal, switch, bank):
    card = bank.cards[0].number
    numbers = ["460100000001"]
    change_terminals(bank.actor, numbers=numbers, verb="suspend", reason="lost")
    assert terminal.purchase(card, 100).refusal == Code.TERMINAL_NOT_ACTIVE.value
    change_terminals(bank.actor, numbers=numbers, verb="resume")
    change_institution(bank.actor, code="H46010000001", verb="suspend", reason="agreement ended")
    assert terminal.purchase(card, 100).refusal == Code.INSTITUTION_NOT_ACTIVE.value
    change_institution(bank.actor, code="H46010000001", verb="resume")
    assert terminal.purchase(card, 100).approved
    with (
        Terminal(switch.host, switch.port, "460100999999", "H46010000001", bank.mac) as unknown,
        pytest.raises(Refused, match="39=97 63=4410"),
    ):
        unknown.purchase(card, 100)


@pytest.mark.req("S4")
def test_a_terminal_that_is_registered_now_works_now(terminal, switch, bank):
    assert terminal.echo().approved
    register_terminals(bank.actor, institution_code="H46010000001", numbers=["460100000777"])
    change_terminals(bank.actor, numbers=["460100000777"], verb="activate")
    deadline = time.monotonic() + 5
    answer = None
    while answer is None and time.monotonic() < deadline:
        with Terminal(switch.host, switch.port, "460100000777", "H46010000001", bank.mac) as fresh, suppress(Refused):
            answer = fresh.purchase(bank.cards[0].number, 100)
    assert answer.approved
    bank.assert_ledger_holds()


@pytest.mark.req("C1")
@pytest.mark.req("S4")
def test_a_wrong_mac_books_nothing_and_is_counted(terminal, switch, bank):
    purchase = terminal.new_purchase(bank.cards[0].number, 100)
    good = terminal.encoded("0200", terminal._purchase_fields(purchase))
    for bad in (
        good[:-8] + bytes(8),
        good.replace(b"000000000100", b"000000000900"),
        good[:-1] + b"\x01",
        good[:-8][:11] + bytes([good[11] & 0xFE]) + good[12:-8],
    ):
        message = decode(terminal.exchange(bad))
        assert (message.fields[39], message.fields[63]) == ("A0", "4408")
    assert bank.balance() == 100_000
    assert not Transaction.objects.exists()
    assert terminal.send_purchase(purchase).approved
    terminal.close()
    assert "'A0': 4" in switch.stop()


@pytest.mark.req("S4")
def test_what_is_not_complete_is_answered_with_the_field_that_is_wrong(terminal, bank, later, switch):
    purchase = terminal.new_purchase(bank.cards[0].number, 100)
    fields = terminal._purchase_fields(purchase)
    answer = terminal._ask("0200", {number: value for number, value in fields.items() if number != 49})
    assert (answer.response_code, answer.refusal, answer.differs) == ("30", Code.FIELD_MISSING.value, "49")
    assert terminal._ask("0200", fields | {3: "900000"}).refusal == Code.MESSAGE_KIND_UNKNOWN.value
    assert terminal._ask("0100", fields).response_code == "12"
    garbled = decode(terminal.exchange(good_frame(terminal, fields).replace(b"000000000100", b"0000000001x0")))
    assert (garbled.type, garbled.fields[39], garbled.fields[44]) == ("0210", "30", "4")
    for minutes in (-3 * 24 * 60, 3 * 24 * 60):
        with Terminal(
            switch.host, switch.port, "460100000002", "H46010000001", bank.mac, clock=later(minutes)
        ) as wrong_clock:
            assert wrong_clock.purchase(bank.cards[0].number, 1).refusal == Code.BUSINESS_DATE_OUT_OF_RANGE.value
    assert not Transaction.objects.exists()


def good_frame(terminal, fields) -> bytes:
    return terminal.encoded("0200", fields)

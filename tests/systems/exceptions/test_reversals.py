"""Money that went the wrong way goes back, exactly once, however the messages come (S10)."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.support.payments import HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.systems.accounts.actions.change_state import freeze_account
from sheka.systems.cards.models import Card
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.queries import open_window, outcome_of, reversal_of
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def forgetful_line(switch, swallow: int):
    """A way to the switch on which requests arrive and the first `swallow` answers get lost."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = [swallow]

    def carry(client):
        with client, socket.create_connection((switch.host, switch.port)) as server:
            while request := client.recv(65536):
                server.sendall(request)
                answer = server.recv(65536)
                if left[0]:
                    left[0] -= 1
                    return
                client.sendall(answer)

    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=carry, args=(client,))
            thread.start()
            threads.append(thread)

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(10)


@pytest.mark.req("S10")
def test_a_reversal_gives_the_money_back_once_whatever_the_card_has_become(terminal, bank):
    card = bank.cards[0]
    purchase = terminal.new_purchase(card.number, 30_000)
    assert terminal.send_purchase(purchase).balance == 70_000
    Card.objects.filter(pk=card.pk).update(state="lost")
    freeze_account(bank.actor, number=bank.accounts[0].number, reason="court order")
    first = terminal.reversal(purchase)
    assert (first.response_code, first.balance) == ("00", 100_000)
    assert terminal.reversal(purchase).received == first.received
    assert terminal.reversal(purchase, repeat=True).received == first.received
    for kind in ({"advice": True}, {"advice": True, "repeat": True}):
        assert terminal.reversal(purchase, **kind).response_code == "00"
    assert terminal.send_purchase(purchase).approved, "the stored answer of the purchase does not change"
    assert bank.balance() == 100_000
    original = outcome_of(HOSPITAL, "460100000001", purchase.at.date(), purchase.stan)
    assert reversal_of(original).original == original.id
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_a_reversal_that_comes_first_keeps_the_purchase_out_for_ever(terminal, bank):
    purchase = terminal.new_purchase(bank.cards[0].number, 30_000)
    first = terminal.reversal(purchase, advice=True)
    assert (first.response_code, first.refusal) == ("25", Code.ORIGINAL_UNKNOWN.value)
    late = terminal.send_purchase(purchase)
    assert (late.response_code, late.refusal) == ("22", Code.TRANSACTION_REVERSED_BEFORE.value)
    assert terminal.send_purchase(purchase, repeat=True).received == late.received
    assert terminal.reversal(purchase, advice=True).received == first.received
    assert bank.balance() == 100_000
    assert terminal.purchase(bank.cards[0].number, 30_000).approved
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_a_reversal_must_name_what_was_bought(terminal, bank):
    card, other = bank.cards[0].number, bank.cards[1].number
    purchase = terminal.new_purchase(card, 30_000)
    terminal.send_purchase(purchase)
    wrong_amount = terminal.reversal(type(purchase)(purchase.stan, card, 20_000, purchase.at))
    assert (wrong_amount.response_code, wrong_amount.refusal, wrong_amount.differs) == ("64", 4428, "4")
    wrong_card = terminal.reversal(type(purchase)(purchase.stan, other, 30_000, purchase.at))
    assert (wrong_card.response_code, wrong_card.differs) == ("94", "62")
    assert bank.balance() == 70_000
    fields = terminal._purchase_fields(purchase) | {90: "0100" + "0" * 38}
    assert terminal._ask("0400", fields).refusal == Code.ORIGINAL_INVALID.value
    assert terminal.reversal(purchase).balance == 100_000, "a wrong attempt does not bar the right one"
    declined = terminal.new_purchase(card, 999_999)
    assert terminal.send_purchase(declined).response_code == "51"
    assert terminal.reversal(declined).response_code == "00"
    assert bank.balance() == 100_000
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
@pytest.mark.req("S8")
def test_a_late_reversal_belongs_to_the_day_that_is_open(terminal, bank):
    purchase = terminal.new_purchase(bank.cards[0].number, 30_000)
    day = open_window().settlement_date
    assert terminal.send_purchase(purchase).settlement_day == f"{day:%m%d}"
    sealed = seal_day(bank.actor, settlement_date=day)
    answer = terminal.reversal(purchase)
    assert (answer.response_code, answer.settlement_day) == ("00", f"{day + timedelta(days=1):%m%d}")
    following = seal_day(bank.actor, settlement_date=day + timedelta(days=1))
    assert (sealed.purchases, sealed.reversals, following.purchases, following.reversals) == (30_000, 0, 0, 30_000)
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_an_answer_that_got_lost_is_cleared_up_by_the_terminal(switch, bank):
    card = bank.cards[0].number
    with forgetful_line(switch, swallow=3) as (host, port):
        with Terminal(host, port, "460100000001", HOSPITAL, bank.mac, timeout=5) as terminal:
            assert terminal.purchase_safely(card, 30_000) is None
            assert bank.balance() == 100_000
            assert terminal.purchase_safely(card, 30_000).balance == 70_000
        kinds = Transaction.objects.order_by("id").values_list("kind", "refusal")
        assert list(kinds) == [(1, 0), (2, 0), (1, 0)]
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_without_any_answer_the_outcome_stays_unknown(switch, bank):
    with (
        forgetful_line(switch, swallow=100) as (host, port),
        Terminal(host, port, "460100000001", HOSPITAL, bank.mac, timeout=5) as terminal,
        pytest.raises(Refused) as refusal,
    ):
        terminal.purchase_safely(bank.cards[0].number, 30_000, attempts=2)
    assert refusal.value.code is Code.SWITCH_OUTCOME_UNKNOWN
    assert bank.balance() == 100_000
    bank.assert_ledger_holds()

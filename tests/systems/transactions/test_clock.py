"""The clock of a switch jumps (S10): what was answered stays answered, nothing new is taken, nothing is left behind."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from django.db import connection
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.foundation.refusals import Code
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S10")]
DAY = 86_400
ASKED_EVERY = 1.2
"""Seconds after which the switch has asked its clock again."""


@pytest.fixture
def clock(tmp_path):
    """clock(seconds): how far off the switch's clock is from now on."""
    file = tmp_path / "clock"
    file.write_text("0")

    def set_to(seconds: int) -> None:
        file.write_text(str(seconds))
        time.sleep(ASKED_EVERY)

    set_to.file = file
    return set_to


@pytest.fixture
def till(bank, clock):
    """A terminal whose clock is right, on a switch whose clock jumps."""
    switch = SwitchProcess(program=("bench.clocked_switch", str(clock.file)))
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as found:
        yield found
    switch.stop()


def test_an_answer_stays_when_the_clock_jumps_and_nothing_new_is_taken(till, bank, clock):
    card = bank.cards[0].number
    bought, poor = till.new_purchase(card, 3_000), till.new_purchase(card, 9_000_000)
    undone = till.new_purchase(card, 500)
    answers = {one: till.send_purchase(one) for one in (bought, poor, undone)}
    taken_back = till.reversal(undone)
    held, answers[held] = till.pre_authorise(card, 2_000)
    completed, answers[completed] = till.complete(held, 1_500)
    returned, answers[returned] = till.refund(bought, 1_000)
    told, answers[told] = till.advise(card, 700)
    new = till.new_purchase(card, 100)
    before, days = Transaction.objects.count(), _days()
    balance = bank.balance()
    for jump in (2 * DAY, -2 * DAY, 40 * DAY):
        clock(jump)
        for asked, answer in answers.items():
            again = till.send_purchase(asked, repeat=True)
            assert (again.response_code, again.refusal, again.authorisation, again.balance) == (
                answer.response_code,
                answer.refusal,
                answer.authorisation,
                answer.balance,
            ), (jump, asked)
        assert till.reversal(undone, repeat=True).response_code == taken_back.response_code == "00"
        assert till.send_purchase(replace(bought, amount=1)).refusal == Code.TRANSACTION_DIFFERS.value
        late = till.send_purchase(new)
        assert (late.response_code, late.refusal) == ("12", Code.BUSINESS_DATE_OUT_OF_RANGE.value)
        assert till.refund(bought, 1)[1].refusal == Code.BUSINESS_DATE_OUT_OF_RANGE.value
    assert (Transaction.objects.count(), _days(), bank.balance()) == (before, days, balance)
    clock(0)
    assert till.send_purchase(new).approved
    bank.assert_ledger_holds()


def _days() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'transactions_transaction'::regclass")
        return cursor.fetchone()[0]

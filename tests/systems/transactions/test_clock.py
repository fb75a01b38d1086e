"""The clock of a switch jumps (S10): what was answered stays answered, nothing new is taken, nothing is left behind."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import pytest
from django.db import connection
from tests.support.payments import HOSPITAL, ZONE, SwitchProcess

from sheka.foundation.refusals import Code
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Asked, Terminal, Totals
from sheka.systems.transactions.terminal_queue import TerminalQueue
from sheka.systems.transactions.verb_models import Batch, BatchLine

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


def test_a_batch_keeps_its_answers_when_the_clock_jumps(till, bank, clock):
    bought = till.new_purchase(bank.cards[0].number, 700)
    assert till.send_purchase(bought).approved
    now = datetime.now(ZONE)
    day, totals = f"{now:%m%d}", Totals(debits=1, debits_sum=700)
    settled = till.settle(day, totals, sent=(50, now))
    wrong = till.settle(day, Totals(), sent=(51, now))
    line = till.upload(day, bought, 700, sent=(52, now))
    assert (settled.response_code, wrong.response_code, line.response_code) == ("00", "95", "00")
    for jump in (2 * DAY, -2 * DAY, 100 * DAY):
        clock(jump)
        again = till.settle(day, totals, sent=(50, now), repeat=True)
        assert (again.response_code, again.totals) == ("00", settled.totals), jump
        assert till.settle(day, Totals(), sent=(51, now), repeat=True).refusal == Code.BATCH_OUT_OF_BALANCE.value
        assert till.upload(day, bought, 700, sent=(52, now), repeat=True).response_code == "00"
        assert till.upload(day, bought, 1, sent=(52, now)).refusal == Code.TRANSACTION_DIFFERS.value
        for new in (till.settle(day, totals), till.upload(day, bought, 700)):
            assert (new.response_code, new.refusal) == ("12", Code.BUSINESS_DATE_OUT_OF_RANGE.value)
    assert (Batch.objects.count(), BatchLine.objects.count()) == (2, 1)


def test_a_reversal_is_taken_though_the_clock_of_the_switch_is_off(till, bank, clock):
    """The till took the money back and gave nothing for it: the database says that the day is in time."""
    card = bank.cards[0].number
    bought, never = till.new_purchase(card, 3_000), till.new_purchase(card, 400)
    assert till.send_purchase(bought).approved
    days = _days()
    clock(40 * DAY)
    assert till.reversal(bought).approved
    assert till.reversal(never).refusal == Code.ORIGINAL_UNKNOWN.value
    assert (bank.balance(), _days()) == (100_000, days)
    clock(0)
    assert till.send_purchase(never).refusal == Code.TRANSACTION_REVERSED_BEFORE.value, "it kept the late one out"
    bank.assert_ledger_holds()


def test_what_the_queue_must_tell_waits_until_the_clock_is_right(till, bank, clock, tmp_path):
    """An advice that is refused for its date is no answer for good: it was done, and nobody else will tell of it."""
    seconds = [1_000_000.0]
    queue = TerminalQueue(tmp_path / "queue.db", clock=lambda: seconds[0])
    number = queue.put(till.new_request(Asked.PURCHASE_ADVICE, bank.cards[0].number, 700))
    clock(2 * DAY)
    assert queue.forward(till) == []
    assert [one.id for one in queue.waiting()] == [number]
    clock(0)
    seconds[0] += 60
    assert queue.forward(till) == []
    assert (queue.find(number).code, queue.waiting(), bank.balance()) == ("00", [], 99_300)


def _days() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'transactions_transaction'::regclass")
        return cursor.fetchone()[0]

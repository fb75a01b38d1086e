"""A terminal's batch (S4, S8): totals that agree, totals that do not, and the upload that says which line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sheka.foundation.refusals import Code
from sheka.systems.transactions.models import Window
from sheka.systems.transactions.terminal import Totals
from sheka.systems.transactions.verb_models import Abnormal, Batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S8")]


def test_a_batch_is_in_balance_or_its_lines_say_where_it_is_not(terminal, bank):
    card = bank.cards[0].number
    day = f"{Window.objects.get(closed_at=None).settlement_date:%m%d}"
    bought = [terminal.new_purchase(card, amount) for amount in (5_000, 3_000, 700)]
    for one in bought:
        assert terminal.send_purchase(one).settlement_day == day
    refunded, _ = terminal.refund(bought[0], 1_500)
    pre, _ = terminal.pre_authorise(card, 4_000)  # held money has not moved
    completed, _ = terminal.complete(pre, 3_500)
    terminal.reversal(bought[2])
    voided, _ = terminal.void(bought[1])
    terminal.purchase(card, 900_000)  # declined
    right = Totals(
        credits=1, debits=4, debits_reversed=2, credits_sum=1_500, debits_sum=12_200, debits_reversed_sum=3_700
    )
    answer = terminal.settle(day, right)
    assert (answer.response_code, answer.totals) == ("00", right)
    wrong = Totals(
        credits=1, debits=4, debits_reversed=1, credits_sum=1_500, debits_sum=12_200, debits_reversed_sum=700
    )
    answer = terminal.settle(day, wrong)
    assert (answer.response_code, answer.refusal, answer.totals) == ("95", Code.BATCH_OUT_OF_BALANCE.value, right)
    never = terminal.new_purchase(card, 77)
    for about, amount, code in (
        (bought[0], 5_000, None),
        (bought[1], 3_000, None),
        (bought[2], 705, Code.BATCH_LINE_DIFFERS),
        (bought[2], 700, None),  # corrected at the terminal: the last line counts
        (refunded, 1_500, None),
        (completed, 3_500, None),
        (never, 77, Code.ORIGINAL_NOT_FOUND),
    ):
        said = terminal.upload(day, about, amount)
        assert said.refusal == (0 if code is None else code.value), about
    assert terminal.upload(day, bought[2], 700, reversal=True).approved
    answer = terminal.settle(day, wrong, after_upload=True)
    assert (answer.response_code, answer.refusal) == ("95", Code.BATCH_OUT_OF_BALANCE.value)
    found = sorted(Abnormal.objects.values_list("kind", "stan"))
    assert found == [
        ("batch_differs", bought[2].stan),
        ("batch_only_ours", voided.stan),
        ("batch_only_theirs", never.stan),
    ]
    assert [one.refusal for one in Batch.objects.order_by("id")] == [0, 4485, 4485]
    long_ago = f"{bought[0].at - timedelta(days=100):%m%d}"
    assert terminal.settle(long_ago, right).refusal == Code.SETTLEMENT_DAY_UNKNOWN.value
    bank.assert_ledger_holds()

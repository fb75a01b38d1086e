"""What is undone, and done again by a reversal that comes late: nobody gets back more than was paid, and nobody pays
twice for what was held once (S4, S10).
"""

from __future__ import annotations

import pytest

from sheka.foundation.refusals import Code
from sheka.systems.accounts.actions.expire_pending import expire_pending
from sheka.systems.accounts.models import Account
from sheka.systems.transactions.verb_models import Abnormal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4"), pytest.mark.req("S10")]


def held() -> int:
    return sum(Account.objects.values_list("held", flat=True))


def abnormal() -> list[str]:
    return list(Abnormal.objects.order_by("id").values_list("kind", flat=True))


@pytest.fixture
def thirty_days_go_by(bank, superuser):
    def go_by() -> None:
        with superuser() as administrator:
            administrator.execute("UPDATE accounts_pending_open SET expires_at = now()")
        expire_pending(bank.actor)

    return go_by


def test_a_refund_is_not_given_again_when_its_void_is_taken_back_after_another(terminal, bank):
    """Purchase, refund, void of the refund, refund anew; then the answer to the void turns out to be lost."""
    bought = terminal.new_purchase(bank.cards[0].number, 10_000)
    assert terminal.send_purchase(bought).balance == 90_000
    first, _ = terminal.refund(bought, 10_000)
    voided, answer = terminal.void(first)
    assert answer.balance == 90_000
    assert terminal.refund(bought, 6_000)[1].balance == 96_000
    answer = terminal.reversal(voided)
    assert answer.refusal == Code.ORIGINAL_FOLLOWED.value
    assert terminal.reversal(voided, repeat=True).received == answer.received
    assert (bank.balance(), abnormal()) == (96_000, ["reversal_of_followed"])
    assert terminal.refund(bought, 4_000)[1].balance == 100_000  # what is left of it, and no more
    assert terminal.refund(bought, 1)[1].refusal == Code.ORIGINAL_FOLLOWED.value
    bank.assert_ledger_holds()


def test_a_refund_in_part_is_given_again_as_far_as_the_original_has_it(terminal, bank):
    bought = terminal.new_purchase(bank.cards[0].number, 10_000)
    terminal.send_purchase(bought)
    first, _ = terminal.refund(bought, 4_000)
    voided, _ = terminal.void(first)
    terminal.refund(bought, 6_000)
    assert terminal.reversal(voided).balance == 100_000
    assert terminal.refund(bought, 1)[1].refusal == Code.ORIGINAL_FOLLOWED.value
    bank.assert_ledger_holds()


def test_the_refund_of_a_completion_that_was_taken_back_is_not_given_again(terminal, bank):
    pre, _ = terminal.pre_authorise(bank.cards[0].number, 10_000)
    done, _ = terminal.complete(pre, 10_000)
    back, _ = terminal.refund(done, 10_000)
    voided, _ = terminal.void(back)
    assert terminal.reversal(done).balance == 90_000  # held again
    assert terminal.reversal(voided).refusal == Code.ORIGINAL_FOLLOWED.value
    assert (bank.balance(), held()) == (100_000, 10_000)
    bank.assert_ledger_holds()


def test_a_completion_is_not_taken_twice_when_the_first_ones_void_is_taken_back(terminal, bank, thirty_days_go_by):
    pre, _ = terminal.pre_authorise(bank.cards[0].number, 10_000)
    done, _ = terminal.complete(pre, 8_000)
    voided, _ = terminal.void(done)
    thirty_days_go_by()
    assert terminal.complete(pre, 7_000, advice=True)[1].balance == 93_000
    assert terminal.reversal(voided).refusal == Code.PRE_AUTHORISATION_COMPLETED.value
    assert (bank.balance(), held()) == (93_000, 0)
    bank.assert_ledger_holds()


def test_what_was_taken_back_after_it_had_lapsed_is_not_completed(terminal, bank, thirty_days_go_by):
    pre, _ = terminal.pre_authorise(bank.cards[0].number, 10_000)
    thirty_days_go_by()
    assert terminal.reversal(pre).approved
    _, answer = terminal.complete(pre, 7_000, advice=True)
    assert answer.refusal == Code.PRE_AUTHORISATION_RELEASED.value
    assert bank.balance() == 100_000
    bank.assert_ledger_holds()

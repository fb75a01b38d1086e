"""The financial verbs over real TCP (S4, S10): held money is completed once, what is taken back is taken back once, and
nobody gets more back than was paid.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from tests.support.payments import HOSPITAL

from sheka.foundation.refusals import Code
from sheka.systems.accounts.actions.expire_pending import expire_pending
from sheka.systems.accounts.models import Account, Entry, EntryKind, Pending
from sheka.systems.cards.models import Card
from sheka.systems.transactions.actions.close_window import close_window
from sheka.systems.transactions.models import Transaction, TransactionKind, Window
from sheka.systems.transactions.queries import outcome_of, window_totals
from sheka.systems.transactions.terminal import Asked, Terminal
from sheka.systems.transactions.verb_models import Abnormal

pytestmark = pytest.mark.django_db(transaction=True)


def close_the_day(bank) -> None:
    window = Window.objects.get(closed_at=None)
    close_window(bank.actor, settlement_date=window.settlement_date)


def abnormal() -> list[str]:
    return list(Abnormal.objects.values_list("kind", flat=True))


def held() -> int:
    return sum(Account.objects.values_list("held", flat=True))


@pytest.mark.req("S4")
@pytest.mark.req("C2")
def test_held_money_is_nobodys_and_is_completed_once_in_part(terminal, switch, bank):
    card = bank.cards[0].number
    pre, answer = terminal.pre_authorise(card, 60_000)
    assert (answer.response_code, answer.balance) == ("00", 40_000)
    assert (bank.balance(), held()) == (100_000, 60_000)
    assert terminal.balance(card).balance == 40_000
    assert terminal.purchase(card, 40_001).refusal == Code.BALANCE_INSUFFICIENT.value
    assert terminal.purchase(card, 10_000).balance == 30_000
    assert terminal.send_purchase(pre, repeat=True).received == answer.received
    assert terminal.complete(pre, 60_001)[1].refusal == Code.COMPLETION_ABOVE_HELD.value
    with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac, first_stan=700) as discharge:
        done, said = discharge.complete(pre, 45_000)  # at another desk of the same hospital
        assert (said.response_code, said.balance) == ("00", 45_000)
        assert discharge.send_purchase(done, repeat=True).received == said.received
        assert discharge.complete(pre, 1)[1].refusal == Code.PRE_AUTHORISATION_COMPLETED.value
    assert terminal.void(pre)[1].refusal == Code.PRE_AUTHORISATION_COMPLETED.value
    assert (bank.balance(), held()) == (45_000, 0)
    row = Transaction.objects.get(kind=TransactionKind.COMPLETION, refusal=0)
    assert (row.effect, row.original, row.advice) == (-45_000, Pending.objects.get().id, False)
    assert Entry.objects.filter(posting_id=row.id, kind=EntryKind.COMPLETION).count() == 2
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_a_pre_authorisation_is_voided_or_taken_back_and_another_institution_cannot_touch_it(terminal, bank):
    card = bank.cards[0].number
    first, _ = terminal.pre_authorise(card, 30_000)
    voided, answer = terminal.void(first)
    assert (answer.response_code, answer.balance, held()) == ("00", 100_000, 0)
    assert terminal.complete(first, 1)[1].refusal == Code.PRE_AUTHORISATION_RELEASED.value
    assert terminal.reversal(voided).approved  # the answer to the void was lost: it is held again
    assert held() == 30_000
    assert terminal.complete(first, 20_000)[1].balance == 80_000
    second, _ = terminal.pre_authorise(card, 50_000)
    assert terminal.reversal(second, advice=True).balance == 80_000
    assert terminal.reversal(second, repeat=True, advice=True).approved
    assert terminal.complete(second, 10)[1].refusal == Code.PRE_AUTHORISATION_RELEASED.value
    assert (bank.balance(), held()) == (80_000, 0)
    assert terminal.pre_authorise(card, 80_001)[1].response_code == "51"
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_a_completion_that_is_taken_back_is_held_again(terminal, bank):
    card = bank.cards[0].number
    pre, _ = terminal.pre_authorise(card, 50_000)
    done, _ = terminal.complete(pre, 20_000)
    assert terminal.reversal(done).balance == 80_000
    assert (bank.balance(), held()) == (100_000, 20_000)
    again, answer = terminal.complete(pre, 15_000)
    assert (answer.balance, held()) == (85_000, 0)
    voided, answer = terminal.void(again)
    assert (answer.balance, held()) == (85_000, 15_000)
    assert terminal.reversal(voided).balance == 85_000  # the void was lost: completed as before
    assert (bank.balance(), held()) == (85_000, 0)
    assert terminal.refund(again, 15_000)[1].balance == 100_000
    assert terminal.reversal(pre).refusal == Code.ORIGINAL_FOLLOWED.value
    assert abnormal() == ["reversal_of_followed"]
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_refunds_add_up_to_the_original_and_never_above_it(terminal, bank):
    card = bank.cards[0].number
    bought = terminal.new_purchase(card, 10_000)
    terminal.send_purchase(bought)
    close_the_day(bank)
    one, first = terminal.refund(bought, 4_000)
    two, second = terminal.refund(bought, 4_000)  # the same amount again is another refund
    assert (first.balance, second.balance) == (94_000, 98_000)
    assert terminal.send_purchase(one, repeat=True).received == first.received
    assert terminal.refund(bought, 2_001)[1].refusal == Code.REFUND_ABOVE_ORIGINAL.value
    assert terminal.reversal(two).balance == 94_000
    assert terminal.void(one)[1].balance == 90_000
    assert terminal.refund(bought, 10_000)[1].balance == 100_000
    assert terminal.refund(bought, 1)[1].refusal == Code.ORIGINAL_FOLLOWED.value
    assert terminal.reversal(bought).refusal == Code.ORIGINAL_FOLLOWED.value
    Card.objects.filter(pk=bank.cards[0].pk).update(state="replaced")  # money comes back whatever became of the card
    other = terminal.new_purchase(bank.cards[1].number, 500)
    terminal.send_purchase(other)
    assert terminal.refund(other, 500)[1].approved
    stolen = type(other)(**{**_fields(other), "card_number": bank.cards[2].number})
    assert terminal.refund(stolen, 100)[1].refusal == Code.ORIGINAL_OF_ANOTHER_ACCOUNT.value
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S8")
def test_a_void_is_for_the_open_day_and_the_totals_know_what_moved(terminal, bank):
    card = bank.cards[0].number
    bought = terminal.new_purchase(card, 10_000)
    terminal.send_purchase(bought)
    voided, answer = terminal.void(bought)
    assert (answer.response_code, answer.balance) == ("00", 100_000)
    assert terminal.void(bought)[1].refusal == Code.ORIGINAL_FOLLOWED.value
    assert terminal.void(voided)[1].refusal == Code.ORIGINAL_OF_ANOTHER_KIND.value
    late = terminal.new_purchase(card, 3_000)
    terminal.send_purchase(late)
    back, _ = terminal.refund(late, 1_000)
    assert terminal.void(late)[1].refusal == Code.ORIGINAL_FOLLOWED.value
    assert terminal.reversal(back).balance == 97_000
    window = Window.objects.get(closed_at=None)
    (total,) = window_totals(window, "460100")
    assert (total.count, total.purchases, total.reversals) == (5, 14_000, 11_000)
    close_the_day(bank)
    assert terminal.void(late)[1].refusal == Code.VOID_TOO_LATE.value
    assert terminal.reversal(late).approved
    assert abnormal() == ["late_reversal"]
    reversal = Transaction.objects.get(kind=2, stan=late.stan)
    assert reversal.window_id != window.pk
    assert outcome_of(HOSPITAL, "460100000001", voided.at.date(), voided.stan).effect == 10_000
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_a_partial_reversal_keeps_what_was_really_taken(terminal, bank):
    card = bank.cards[0].number
    bought = terminal.new_purchase(card, 10_000)
    terminal.send_purchase(bought)
    assert terminal.reversal(bought, kept=10_000).refusal == Code.REPLACEMENT_INVALID.value
    first = terminal.reversal(bought, kept=2_500)
    assert first.balance == 97_500
    assert terminal.reversal(bought, kept=2_500, repeat=True).received == first.received
    other = terminal.reversal(bought)
    assert (other.refusal, other.differs) == (Code.TRANSACTION_DIFFERS.value, "4")
    assert terminal.refund(bought, 2_501)[1].refusal == Code.REFUND_ABOVE_ORIGINAL.value
    assert terminal.refund(bought, 2_500)[1].balance == 100_000
    assert abnormal() == ["duplicate_differs"]
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_what_was_done_without_us_is_booked_or_told(terminal, bank):
    card = bank.cards[0].number
    request, answer = terminal.advise(card, 5_000)
    assert (answer.response_code, answer.balance) == ("00", 95_000)
    assert terminal.send_purchase(request, repeat=True).received == answer.received
    assert Transaction.objects.get(stan=request.stan).advice
    pre, _ = terminal.pre_authorise(card, 20_000)
    Card.objects.filter(pk=bank.cards[0].pk).update(state="lost")
    assert terminal.complete(pre, 100)[1].refusal == Code.CARD_REPORTED_LOST.value
    assert terminal.complete(pre, 8_000, advice=True)[1].balance == 87_000  # it was held for this
    assert abnormal() == []
    refused, answer = terminal.advise(card, 100)
    assert answer.refusal == Code.CARD_REPORTED_LOST.value
    terminal.send_purchase(refused, repeat=True)
    assert abnormal() == ["advice_refused"]
    facts = Abnormal.objects.get().facts
    assert (facts["amount"], facts["refusal"]) == (100, Code.CARD_REPORTED_LOST.value)
    bank.assert_ledger_holds()


@pytest.mark.req("S10")
def test_money_that_was_spent_is_not_taken_back_below_zero(terminal, bank):
    card = bank.cards[0].number
    bought = terminal.new_purchase(card, 90_000)
    terminal.send_purchase(bought)
    refunded, answer = terminal.refund(bought, 90_000)
    assert answer.balance == 100_000
    assert terminal.purchase(card, 100_000).balance == 0
    answer = terminal.reversal(refunded)  # and the refund's answer had been lost
    assert answer.refusal == Code.BALANCE_INSUFFICIENT.value
    assert terminal.reversal(refunded, repeat=True).received == answer.received
    assert abnormal() == ["reversal_uncovered"]
    assert bank.balance() == 0
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S10")
def test_a_trace_number_is_one_request_whatever_its_kind(terminal, bank):
    card = bank.cards[0].number
    bought = terminal.new_purchase(card, 1_000)
    first = terminal.send_purchase(bought)
    for asked in (Asked.PRE_AUTHORISATION, Asked.REFUND, Asked.VOID):
        other = type(bought)(**{**_fields(bought), "asked": asked, "original": bought})
        answer = terminal.send_purchase(other)
        assert (answer.response_code, answer.differs) == ("94", "3"), asked
    held_one, _ = terminal.pre_authorise(card, 500)
    other = type(bought)(**{**_fields(held_one), "asked": Asked.PURCHASE})
    assert terminal.send_purchase(other).differs == "3"
    never = terminal.new_request(Asked.PRE_AUTHORISATION, card, 700)
    assert terminal.reversal(never).response_code == "25"
    assert terminal.send_purchase(never).refusal == Code.TRANSACTION_REVERSED_BEFORE.value
    advice = type(bought)(**{**_fields(bought), "asked": Asked.PURCHASE_ADVICE})
    assert terminal.send_purchase(advice).balance == first.balance  # the same purchase, told once more
    assert (bank.balance(), held()) == (99_000, 500)
    assert sorted(set(abnormal())) == ["duplicate_differs", "late_original"]
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
@pytest.mark.req("S6")
def test_a_pre_authorisation_lapses_and_a_late_completion_is_told(terminal, bank):
    card = bank.cards[0].number
    pre, _ = terminal.pre_authorise(card, 40_000)
    other, _ = terminal.pre_authorise(card, 20_000)
    until = Pending.objects.order_by("id").first()
    assert timedelta(days=29) < until.expires_at - until.made_at < timedelta(days=31)
    cluster, name = settings.NODE.cluster, settings.NODE.file.database.name
    with psycopg.connect(cluster.dsn(name, "postgres"), autocommit=True) as administrator:
        administrator.execute("UPDATE accounts_pending_open SET expires_at = now()")  # thirty days go by
    expire_pending(bank.actor)
    assert held() == 0
    assert terminal.complete(pre, 10)[1].refusal == Code.PRE_AUTHORISATION_RELEASED.value
    assert terminal.reversal(other).approved
    terminal.complete(pre, 30_000, advice=True)  # done already, and the account has it
    assert bank.balance() == 70_000
    assert terminal.purchase(card, 65_000).approved
    assert terminal.complete(pre, 5_000, advice=True)[1].refusal == Code.PRE_AUTHORISATION_COMPLETED.value
    assert abnormal() == ["advice_refused"]
    bank.assert_ledger_holds()


def _fields(request) -> dict[str, object]:
    return {name: getattr(request, name) for name in request.__slots__}

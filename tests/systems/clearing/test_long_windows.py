"""A window that nobody sealed over a holiday, and the days after it: every purchase is in one net (S8)."""

from __future__ import annotations

import pytest
from tests.support.payments import HOSPITAL

from sheka.systems.accounts.proofs import proved
from sheka.systems.accounts.queries import balance
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.queries import our_lines
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.queries import open_window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8")]


def netted(bank) -> int:
    """Seal what is open, reconcile it with a file that agrees, net it; what the hospital is owed."""
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    import_file(bank.actor, data=render(HOSPITAL, day.settlement_date, our_lines(day, HOSPITAL)))
    assert reconcile_day(bank.actor, day=day).flat
    return sum(net.amount for net in net_day(bank.actor, day=day))


def of_nets() -> list[str]:
    """What the proof of the books says of the nets."""
    (check,) = (one for one in proved() if one.name.en == "the nets of each institution")
    return [fault.subject for fault in check.faults]


def test_a_window_left_open_over_a_holiday_loses_no_purchase_of_its_last_days(terminal, bank, superuser):
    """The National Day week: nobody seals for eight days, and the officer catches up on the first working day."""
    with superuser() as administrator:
        administrator.execute(
            "UPDATE transactions_window SET settlement_date = settlement_date - 8,"
            " opened_at = opened_at - interval '8 days'"
        )
    card, account = bank.cards[0].number, Institution.objects.get(code=HOSPITAL).account
    assert terminal.purchase(card, 700).approved
    first = netted(bank)
    assert terminal.purchase(card, 30).approved
    second = netted(bank)
    assert (first, second) == (700, 30)
    assert first + second == balance(account)
    assert terminal.purchase(card, 4).approved
    assert of_nets() == []
    with superuser() as administrator:
        administrator.execute("UPDATE clearing_net SET amount = amount - 30 WHERE amount = 700")
    assert of_nets() == [f"institution:{HOSPITAL}"]
    bank.assert_ledger_holds()

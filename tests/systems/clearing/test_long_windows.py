"""A window that nobody sealed over a holiday, and the days after it: every purchase is in one net (S8)."""

from __future__ import annotations

import re
import threading
import time

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.support.payments import HOSPITAL

from sheka.office.operations.health.checks import GOOD, WAIT
from sheka.systems.accounts.models import Account
from sheka.systems.accounts.proofs import proved
from sheka.systems.accounts.queries import balance
from sheka.systems.clearing.acquirer_file import render
from sheka.systems.clearing.actions.import_file import import_file
from sheka.systems.clearing.actions.net_day import net_day
from sheka.systems.clearing.actions.reconcile_day import reconcile_day
from sheka.systems.clearing.actions.seal_day import seal_day
from sheka.systems.clearing.health import clearing
from sheka.systems.clearing.queries import our_lines
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.queries import booked_lines, open_window
from sheka.systems.transactions.terminal import Totals

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S8")]


def netted(bank) -> int:
    """Seal what is open, reconcile it with a file that agrees, net it; what the hospital is owed."""
    day = seal_day(bank.actor, settlement_date=open_window().settlement_date)
    import_file(bank.actor, data=render(HOSPITAL, day.settlement_date, our_lines(day, HOSPITAL)))
    assert reconcile_day(bank.actor, day=day).flat
    return sum(net.amount for net in net_day(bank.actor, day=day))


WAITING = (
    "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()"
    " WHERE l.locktype = %s AND NOT l.granted)"
)


def watched() -> list[tuple[str, str]]:
    """What the page of health says of clearing, the end of its English text."""
    return [(check.state, re.sub(r".*\d{4}-\d\d-\d\d ", "", check.text.en)) for check in clearing()]


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
    assert watched() == [(WAIT, "is not sealed")]
    card, account = bank.cards[0].number, Institution.objects.get(code=HOSPITAL).account
    assert terminal.purchase(card, 700).approved
    batch = terminal.settle(f"{open_window().settlement_date:%m%d}", Totals(debits=1, debits_sum=700))
    assert batch.approved, "the till counts what stands in its day as we do"
    first = netted(bank)
    assert terminal.purchase(card, 30).approved
    second = netted(bank)
    assert (first, second) == (700, 30)
    assert first + second == balance(account)
    with CaptureQueriesContext(connection) as asked:
        list(booked_lines(open_window().pk, HOSPITAL))
    assert "business_date" in asked[-1]["sql"].partition("WHERE")[2], "partitions of other years are not read"
    assert terminal.purchase(card, 4).approved
    assert of_nets() == []
    with superuser() as administrator:
        administrator.execute("UPDATE clearing_net SET amount = amount - 30 WHERE amount = 700")
        assert of_nets() == [f"institution:{HOSPITAL}"]
        assert watched() == [(GOOD, "Sealed and netted in time")]
        seal_day(bank.actor, settlement_date=open_window().settlement_date)
        administrator.execute(
            "UPDATE transactions_window SET closed_at = closed_at - interval '11 days' WHERE settlement_date ="
            " (SELECT max(settlement_date) - 1 FROM transactions_window)"
        )
        administrator.execute("UPDATE transactions_institution SET registered_at = now() - interval '1 year'")
        assert watched()[0][0] == WAIT


def test_a_window_is_not_sealed_while_a_purchase_of_it_is_not_committed(terminal, bank, superuser):
    """The purchase has joined the window and waits for its account; the seal waits for it, and counts it."""
    answers, days = [], []

    def of_its_own(verb):
        def run():
            try:
                verb()
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def waits(administrator, kind):
        for _ in range(500):
            if administrator.execute(WAITING, [kind]).fetchone() == (True,):
                return
            time.sleep(0.02)

    settled = open_window().settlement_date
    with superuser() as administrator, transaction.atomic():
        Account.objects.select_for_update().get(pk=bank.accounts[0].pk)
        paying = of_its_own(lambda: answers.append(terminal.purchase(bank.cards[0].number, 900)))
        waits(administrator, "transactionid")
        sealing = of_its_own(lambda: days.append(seal_day(bank.actor, settlement_date=settled)))
        waits(administrator, "advisory")
        assert days == []
    paying.join()
    sealing.join()
    assert (answers[0].approved, days[0].purchases, days[0].count) == (True, 900, 1)
    bank.assert_ledger_holds()

"""Statements follow each other: each begins with what the one before ended with, whatever waited for whom (S6)."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import date, timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone
from tests.support.payments import ZONE

from sheka.systems.accounts import queries_of_pages
from sheka.systems.accounts.models import Account, Entry, EntryKind
from sheka.systems.accounts.posting import Item, post
from sheka.systems.accounts.queries import balance, balance_at, verify_ledger
from sheka.systems.accounts.queries_of_pages import statement_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S6")]
EVE, MORROW = date(2026, 1, 1), date(2026, 1, 2)


WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


def test_a_purchase_that_waited_over_midnight_stands_in_one_statement(terminal, bank, monkeypatch, superuser):
    """It took its time before midnight and its number after a deposit that was booked after midnight."""
    account, answers = bank.accounts[0], []

    def purchase_of_700():
        try:
            answers.append(terminal.purchase(bank.cards[0].number, 700))
        finally:
            connections.close_all()

    pay = threading.Thread(target=purchase_of_700)
    with superuser() as administrator, transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        pay.start()
        for _ in range(500):
            if administrator.execute(WAITS).fetchone() == (True,):
                break
            time.sleep(0.02)
        post(bank.actor, [Item(uuid.uuid4(), EntryKind.DEPOSIT, bank.fund, account, 50, "after midnight")])
    pay.join()
    assert answers[0].approved
    _first, deposit, purchase = Entry.objects.filter(account=account).order_by("posting_id")
    assert purchase.booked_at < deposit.booked_at
    midnight = purchase.booked_at + (deposit.booked_at - purchase.booked_at) / 2
    ends = {EVE: midnight - timedelta(days=1), MORROW: midnight, MORROW + timedelta(days=1): timezone.now()}
    monkeypatch.setattr(queries_of_pages, "start_of", lambda day: ends[day].astimezone(ZONE))
    eve, morrow = statement_of(account, EVE, EVE), statement_of(account, MORROW, MORROW)
    assert (eve.opening, eve.closing, morrow.closing) == (0, balance_at(account, midnight), balance(account))
    assert eve.closing == morrow.opening
    assert eve.count + morrow.count == 3
    whole = statement_of(bank.fund, EVE, MORROW)
    assert (whole.opening, whole.closing) == (0, balance(bank.fund))
    assert verify_ledger() == []

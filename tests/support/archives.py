"""A business day of 65 days ago that may leave the database by the policy of the tests, and who takes it out (S4)."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import pytest
from tests.support.approvals import POLICY, decided
from tests.support.payments import CITY, HOSPITAL, ZONE, SwitchProcess

from sheka.systems.transactions import retention
from sheka.systems.transactions.actions.archive_day import propose_detaching, write_archive
from sheka.systems.transactions.actions.close_window import close_window
from sheka.systems.transactions.archive import folder_of_archive
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Terminal

DAY = (datetime.now(ZONE) - timedelta(days=65)).date()


@pytest.fixture
def short(tmp_path, monkeypatch):
    """A policy by which days leave after 60 days, and no hold of another system."""
    made = tmp_path / "policy"
    shutil.copytree(POLICY, made)
    path = made / "retention.toml"
    path.write_text(path.read_text("utf-8").replace("online_days = 400", "online_days = 60"), "utf-8")
    limits = made / "limits.toml"
    limits.write_text(limits.read_text("utf-8").replace("[original]\ndays = 180", "[original]\ndays = 60"), "utf-8")
    monkeypatch.setenv("SHEKA_POLICY", str(made))
    monkeypatch.setattr(retention, "_holds", {})
    return path


@pytest.fixture
def booked(bank, short):
    """Purchases, a refusal, a reversal, a tombstone 65 days ago; two purchases of today in a window now closed."""
    switch = SwitchProcess(None, "--limit", "days_back=90", "--limit", "reversal_days_back=90")
    old = lambda: datetime.now(ZONE) - timedelta(days=65)  # noqa: E731
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac, clock=old) as terminal:
        for card in bank.cards:
            assert terminal.purchase(card.number, 1_000).approved
        assert not terminal.purchase(bank.cards[0].number, 10_000_000).approved
        taken = terminal.new_purchase(bank.cards[1].number, 500)
        terminal.send_purchase(taken)
        assert terminal.reversal(taken).approved
        terminal.reversal(terminal.new_purchase(bank.cards[2].number, 700))
    with Terminal(switch.host, switch.port, "460100000002", HOSPITAL, bank.mac) as terminal:
        terminal.purchase(bank.cards[0].number, 2_000)
        terminal.purchase(bank.cards[3].number, 2_000)
    switch.stop()
    close_window(bank.actor, settlement_date=datetime.now(ZONE).date())
    folder = folder_of_archive()
    shutil.rmtree(folder, ignore_errors=True)
    yield bank
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def officers(appoint):
    """Who archives and who decides: two roles that one person never holds together."""
    return appoint("a-clearing", CITY, "clearing_officer"), appoint("a-settlement", CITY, "settlement_officer")


@pytest.fixture
def detached(booked, officers):
    clearing, settlement = officers
    write_archive(clearing, day=DAY)
    decided(settlement, propose_detaching(clearing, day=DAY))
    return booked


def rows_of(day):
    """The rows of a day that are in the database."""
    return list(Transaction.objects.filter(business_date=day).order_by("id").values())

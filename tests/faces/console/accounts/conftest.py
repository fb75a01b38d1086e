"""A city with accounts, seen through every layer of the console, and by a real web process on the same database."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.support.console_world import PATH, SETTINGS
from tests.support.desks import person_at, signed_in
from tests.support.organisations import appoint, installer, tree
from tests.support.pages import AXE_WIDTHS, LOCALES
from tests.support.payments import CITY, make_cards

from sheka.equipment.server.processes import spawn
from sheka.faces.cli import node_processes
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Account, Kind

__all__ = ["AXE_WIDTHS", "LOCALES", "appoint", "installer", "tree"]


@dataclass
class City:
    """Accounts with 1,000.00 yuan each, and desks of its people."""

    accounts: list[Account]
    fund: Account

    def desk(self, role: str, language: str = "en") -> Any:
        return signed_in(person_at(CITY, role), language)


@pytest.fixture
def city(tree) -> City:
    node = Actor.process("test", CITY)
    fund = open_party_account(node, kind=Kind.FUND, party="310")
    cards = make_cards(tree[CITY], 4)
    accounts = open_accounts(node, person_ids=[card.person_id for card in cards])
    items = [Deposit(uuid.uuid4(), account, 100_000, "2026年11月划拨") for account in accounts]
    deposit(node, fund=fund, deposits=items, total=400_000)
    return City(accounts, fund)


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a web process on the database of this test."""
    node = django_settings.NODE
    spec = node_processes.web(node)
    environment = {**os.environ, **spec.env, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": PATH}
    process = spawn(spec.argv, env=environment, log=subprocess.DEVNULL, cwd=Path.cwd())
    deadline = time.monotonic() + 40
    while not spec.ready():
        assert process.poll() is None and time.monotonic() < deadline, "the console does not answer"
        time.sleep(0.05)
    yield f"http://{node.web.host}:{node.web.port}"
    process.terminate()
    process.wait(timeout=20)

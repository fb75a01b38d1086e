"""A city that pays: people with active cards and personal accounts, an institution with terminals, an encryption
machine, and a switch process on the database of this test process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.server.files import make_socket_folder
from sheka.equipment.server.node import node_environment
from sheka.foundation.numbers import card_number
from sheka.office.staff.actors import Actor
from sheka.systems.accounts.actions.deposit import Deposit, deposit
from sheka.systems.accounts.actions.open_account import open_accounts, open_party_account
from sheka.systems.accounts.models import Kind
from sheka.systems.accounts.queries import verify_ledger
from sheka.systems.cards.models import Card, IssuingRight, Person, ProductionBatch
from sheka.systems.keys.machines import close_machines, machine_of
from sheka.systems.transactions.actions.close_window import open_first_window
from sheka.systems.transactions.actions.register_institution import (
    change_terminals,
    register_institution,
    register_terminals,
)
from sheka.systems.transactions.models import Institution
from sheka.systems.transactions.queries import verify_seals, verify_transactions
from sheka.systems.transactions.terminal import Terminal

CITY = "460100"
HOSPITAL = "H46010000001"
ZONE = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).resolve().parents[2]


def make_cards(city, count: int, first: int = 1) -> list[Card]:
    """People of Haikou with a card in state active each."""
    now = timezone.now()
    right, _ = IssuingRight.objects.get_or_create(
        organisation=city,
        number="test",
        defaults={
            "quantity": 10_000_000,
            "layout_digest": "ab" * 32,
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2036, 1, 1),
            "taken_at": now,
        },
    )
    batch = ProductionBatch.objects.create(
        organisation=city,
        right=right,
        outlet=city,
        algorithm=3,
        specification="3.00",
        quantity=count,
        reason="order",
        by="test",
        at=now,
    )
    people = Person.objects.bulk_create(
        Person(
            organisation=city,
            social_security_number=f"T{number:017d}",
            name=f"参保人{number}",
            sex=1,
            birth=date(1990, 1, 1),
            ethnic_group="01",
            registered_at=now,
        )
        for number in range(first, first + count)
    )
    return Card.objects.bulk_create(
        Card(
            number=card_number(f"P{number:07d}").text,
            identification_code=f"{number:032X}",
            person=person,
            organisation=city,
            outlet=city,
            batch=batch,
            right=right,
            state="active",
            algorithm=3,
            specification="3.00",
            card_class="3",
        )
        for number, person in enumerate(people, start=first)
    )


@dataclass
class Bank:
    """Verbs of the tests: everything acts for Haikou."""

    actor: Actor
    cards: list[Card]
    accounts: list
    fund: object
    mac_key: str

    def pay_in(self, amount: int, account=None) -> None:
        """The same amount for one account, or for all."""
        accounts = self.accounts if account is None else [account]
        items = [Deposit(uuid.uuid4(), one, amount, "test") for one in accounts]
        booked = deposit(self.actor, fund=self.fund, deposits=items, total=amount * len(items))
        assert [one.refusal for one in booked] == [0] * len(items)

    def balance(self, index: int = 0) -> int:
        self.accounts[index].refresh_from_db()
        return self.accounts[index].balance

    def mac(self, message: bytes) -> bytes:
        return machine_of(CITY).macs(self.mac_key, None, [message])[0]

    def assert_ledger_holds(self) -> None:
        assert verify_ledger() == []
        assert verify_transactions() == []
        assert verify_seals() == []


class SwitchProcess:
    """The real process, on the database of this test process."""

    def __init__(
        self, node=None, *arguments: str, program: Sequence[str] = ("sheka.systems.transactions.switch",)
    ) -> None:
        environment = {**os.environ, **node_environment(node or settings.NODE)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program, "--port", "0", *arguments],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("listening on"):
            self.process.kill()
            raise RuntimeError(f"the switch did not start: {line}{self.process.communicate()[1]}")
        self.host, port = line.split()[-1].split(":")
        self.port = int(port)

    def kill(self) -> None:
        """kill -9, as a crash does."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> str:
        """SIGTERM; what it had to say."""
        if self.process.poll() is not None:
            return ""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, said
        return said


@pytest.fixture(scope="module")
def haikou_machine():
    """Haikou's encryption machine at the node's address, as long as the module: the next may want another there."""
    node = settings.NODE
    name = node.machine(CITY).name
    folder = Path(tempfile.mkdtemp(prefix="sheka-money-"))
    make_socket_folder(node.sockets)
    handle = start_machine(folder, callers=node.machine_callers(name), address=node.machine_address(name))
    close_machines()
    yield machine_of(CITY)
    close_machines()
    handle.stop()
    shutil.rmtree(folder)


@pytest.fixture
def bank(tree, haikou_machine) -> Bank:
    """Four people with 1,000.00 yuan each, an institution with three terminals, a window that is open."""
    actor = Actor.process("test", CITY)
    institution = register_institution(actor, code=HOSPITAL, name="海口市人民医院")
    numbers = [f"460100{number:06d}" for number in (1, 2, 3)]
    register_terminals(actor, institution_code=HOSPITAL, numbers=numbers)
    Institution.objects.filter(pk=institution.pk).update(state="active")  # as after its tests (test_onboarding)
    change_terminals(actor, numbers=numbers, verb="activate")
    open_first_window(actor, settlement_date=datetime.now(ZONE).date())
    cards = make_cards(tree[CITY], 4)
    accounts = open_accounts(actor, person_ids=[card.person_id for card in cards])
    fund = open_party_account(actor, kind=Kind.FUND, party="310")
    found = Bank(actor, cards, accounts, fund, institution.mac_key)
    found.pay_in(100_000)
    return found


@pytest.fixture
def switch(bank):
    """A running switch. It is asked to stop at the end and must do so in order."""
    process = SwitchProcess()
    yield process
    print(process.stop())  # shown when the test fails


@pytest.fixture
def terminal(switch, bank):
    """The first terminal, connected."""
    with Terminal(switch.host, switch.port, "460100000001", HOSPITAL, bank.mac) as found:
        yield found


@pytest.fixture
def later():
    """later(minutes) → a clock that many minutes from now."""
    return lambda minutes: lambda: datetime.now(ZONE) + timedelta(minutes=minutes)

"""Several switches on one port (S4): what one knows all know, and a request at two of them is booked once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.lines import plain_mac
from tests.support.payments import HOSPITAL, SwitchProcess

from sheka.equipment.server.ports import free_port
from sheka.faces.cli import node_processes
from sheka.foundation.refusals import Code, Refused
from sheka.systems.transactions.actions.blocks import block
from sheka.systems.transactions.models import Transaction
from sheka.systems.transactions.terminal import Terminal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(bank):
    """Three switches on one port; who is asked is the kernel's choice."""
    port = free_port()
    found = [SwitchProcess(None, "--port", str(port), "--share-port") for _ in range(3)]
    yield found
    for process in found:
        print(process.stop())


@pytest.mark.req("S4")
def test_the_same_request_at_several_switches_is_one_booking_with_equal_answers(three, bank):
    assert {process.port for process in three} == {three[0].port}
    with plain_mac(bank) as mac, ThreadPoolExecutor(24) as pool:
        lines = [Terminal(three[0].host, three[0].port, "460100000001", HOSPITAL, mac) for _ in range(24)]
        for round_ in range(8):
            purchase = lines[0].new_purchase(bank.cards[round_ % 4].number, 100 + round_)
            answers = list(pool.map(Terminal.send_purchase, lines, [purchase] * len(lines)))
            assert len({answer.received for answer in answers}) == 1, "two answers to one request"
        for line in lines:
            line.close()
    assert Transaction.objects.filter(refusal=0).count() == 8
    said = [process.stop() for process in three]
    assert sum("'00'" in one for one in said) >= 2, "one switch did everything: the port was not shared"
    bank.assert_ledger_holds()


@pytest.mark.req("S4")
def test_a_block_holds_at_every_switch_and_one_that_dies_is_not_missed(three, bank):
    card = bank.cards[0].number
    block(bank.actor, kind="card", subject=card, reason="found in the street")
    refusals: Counter[int] = Counter()
    for number in range(30):
        with Terminal(
            three[0].host, three[0].port, "460100000001", HOSPITAL, bank.mac, first_stan=100 + number
        ) as terminal:
            refusals[terminal.purchase(card, 1).refusal] += 1
    assert refusals[Code.CARD_ON_BLOCK_LIST.value] >= 29, refusals
    os.kill(three[1].process.pid, signal.SIGKILL)
    three[1].process.communicate()
    paid = 0
    for number in range(20):
        with Terminal(
            three[0].host, three[0].port, "460100000002", HOSPITAL, bank.mac, first_stan=200 + number
        ) as terminal:
            try:
                paid += terminal.purchase(bank.cards[1].number, 1).approved
            except Refused:
                continue
    assert paid >= 18
    bank.assert_ledger_holds()


@pytest.mark.req("H1")
def test_the_supervisor_runs_as_many_as_the_node_says(settings, tmp_path):
    node = settings.NODE
    (tmp_path / "secrets.toml").write_text((node.folder / "secrets.toml").read_text())
    (tmp_path / "secrets.toml").chmod(0o600)
    text = node.path.read_text().replace("[switch]", "[switch]\nprocesses = 3")
    (tmp_path / "node.toml").write_text(text + "\n[switch.tls]\nown = true\n")
    three = type(node).load(tmp_path / "node.toml")
    specs = node_processes.switch(three)
    assert [spec.name for spec in specs] == ["switch", "switch-2", "switch-3"]
    assert [bool(spec.ports) for spec in specs] == [True, False, False]
    assert all(path.exists() for path in three.line_files), "the node's own certificates were not made"
    assert (three.line_files[1].stat().st_mode & 0o077) == 0

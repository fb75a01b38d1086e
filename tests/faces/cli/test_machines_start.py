"""A node's machines under its supervisor: a demonstration opens by itself, any other node waits for its custodians."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.custodians import present, share_out

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage
from sheka.equipment.server.node import NodeConfig
from sheka.equipment.server.supervisor import Supervisor
from sheka.faces.cli.node_processes import encryption_machine
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

CODES = {"haikou": "460100"}


@pytest.fixture
def node(tmp_path: Path) -> Callable[[bool], NodeConfig]:
    def make(demo: bool) -> NodeConfig:
        return NodeConfig.create(tmp_path / "node", name="test", level="city", machines=CODES, demo=demo)

    return make


@contextmanager
def running(node: NodeConfig) -> Iterator[tuple[Supervisor, EncryptionMachine]]:
    """The node's machine under a supervisor, and a client of it."""
    with Supervisor(folder=node.folder, handle_signals=False) as supervisor:
        supervisor.start(encryption_machine(node, "haikou"))
        with EncryptionMachine(node.machine_address("haikou"), "systems", node.machine_secret("haikou")) as machine:
            yield supervisor, machine


@pytest.mark.req("H5")
def test_a_demonstration_opens_its_machine_at_every_start_and_after_a_crash(
    node: Callable[[bool], NodeConfig],
) -> None:
    demo = node(True)
    with running(demo) as (_, machine):
        info = machine.describe()
        assert (info.sealed, info.threshold, info.holders) == (False, 2, 3)
        made = machine.generate("key", Algorithm.SM4, Usage.MAC)
    assert not (demo.machine_folder("haikou") / "secrets" / "sealing.secret").exists()
    shares = demo.machine_folder("haikou") / "secrets" / "demo.shares"
    assert shares.stat().st_mode & 0o077 == 0
    with running(demo) as (supervisor, machine):
        assert machine.list_keys() == [made]
        machine.seal()
        (child,) = supervisor._children
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while True:
            try:
                if machine.list_keys() == [made]:
                    break
            except Refused:
                assert time.monotonic() < until
                time.sleep(0.1)


@pytest.mark.req("H5")
def test_a_demonstration_of_an_earlier_version_starts_and_its_secret_becomes_shares(
    node: Callable[[bool], NodeConfig],
) -> None:
    demo = node(True)
    folder = demo.machine_folder("haikou")
    handle = start_machine(folder, callers=demo.machine_callers("haikou"))
    with handle.client("systems") as machine:
        made = machine.generate("key of the old world", Algorithm.SM4, Usage.MAC)
    assert handle.stop() == 0
    secret = folder / "secrets" / "sealing.secret"
    assert secret.exists()
    for _ in range(2):
        with running(demo) as (_, machine):
            assert machine.list_keys() == [made]
            assert machine.describe().threshold == 2
        assert not secret.exists()


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_any_other_node_waits_sealed_until_its_custodians_come(node: Callable[[bool], NodeConfig]) -> None:
    real = node(False)
    with running(real) as (_, machine):
        assert machine.describe().sealed
        with pytest.raises(Refused) as refusal:
            machine.public_key()
        assert refusal.value.code is Code.MACHINE_SEALED
        custodians = share_out(machine, 2, 3)
        assert machine.public_key()
    with running(real) as (_, machine):
        assert machine.describe().sealed
        for holder in (1, 3):
            present(machine, holder, custodians[holder - 1].text)
        assert machine.public_key()
    assert sorted(path.name for path in (real.machine_folder("haikou") / "secrets").iterdir()) == [
        "initialisation.secret",
        "switch.secret",
        "systems.secret",
    ]


@pytest.mark.req("K6")
def test_a_demonstration_whose_shares_people_hold_waits_for_them(node: Callable[[bool], NodeConfig]) -> None:
    demo = node(True)
    with running(demo) as (_, machine):
        custodians = share_out(machine, 2, 2)
    with running(demo) as (_, machine):
        assert machine.describe().sealed
        for holder in (1, 2):
            present(machine, holder, custodians[holder - 1].text)
        assert not machine.describe().sealed


@pytest.mark.req("K6")
def test_each_caller_of_a_node_has_its_own_rights(node: Callable[[bool], NodeConfig]) -> None:
    """The switch and the initialisation equipment can neither open the machine nor make or destroy a key."""
    demo = node(True)
    with running(demo):
        for caller in ("switch", "initialisation"):
            secret = demo.machine_secret("haikou", caller)
            with EncryptionMachine(demo.machine_address("haikou"), caller, secret) as machine:
                assert not machine.describe().sealed
                for verb in (
                    machine.entry_key,
                    machine.seal,
                    machine.list_keys,
                    lambda: machine.generate("key", Algorithm.SM4, Usage.MAC),
                    lambda: machine.destroy("0" * 32),
                    lambda: machine.share_out(2, []),
                ):
                    with pytest.raises(Refused) as refusal:
                        verb()
                    assert refusal.value.code is Code.MACHINE_VERB_DENIED

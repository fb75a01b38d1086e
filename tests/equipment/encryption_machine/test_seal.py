"""The seal on the disk: changed, exchanged, half written, and work while it closes (K6)."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.custodians import Custodian, Local, present, share_out

from sheka.equipment.encryption_machine import vault
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."


def refused(code: Code, work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.code is code
    return refusal.value


@pytest.mark.req("K6")
def test_an_older_seal_put_back_by_hand_opens_nothing(local: Callable[..., Local], tmp_path: Path) -> None:
    """A dismissed custodian with the old share and an old copy of the seal's file."""
    machine = local(b"s" * 32)
    first = (machine.folder / "seal.json").read_bytes()
    old = share_out(machine, 2, 2)
    second = (machine.folder / "seal.json").read_bytes()
    share_out(machine, 2, 2)
    machine.machine.close()
    (machine.folder / "seal.json").write_bytes(first)
    refused(Code.MACHINE_STORE_DAMAGED, lambda: SoftwareMachine(machine.folder, b"s" * 32))
    (machine.folder / "seal.json").write_bytes(second)
    machine.restart()
    present(machine, 1, old[0].text)
    refused(Code.MACHINE_STORE_DAMAGED, lambda: present(machine, 2, old[1].text))
    assert machine.info.sealed
    assert machine.info.came == ()


@pytest.mark.parametrize(
    "change",
    [
        {"form": 3},
        {"threshold": 1},
        {"threshold": "x"},
        {"holders": []},
        {"set": "00"},
        {"root": "00" * 48},
        {"nonce": "zz"},
    ],
    ids=str,
)
def test_a_seal_that_was_changed_opens_nothing(local: Callable[..., Local], change: dict[str, Any]) -> None:
    machine = local()
    custodians = share_out(machine, 2, 2)
    machine.machine.close()
    path = machine.folder / "seal.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    def unseal() -> None:
        machine.restart()
        present(machine, 1, custodians[0].text)
        present(machine, 2, custodians[1].text)

    refused(Code.MACHINE_STORE_DAMAGED, unseal)


def test_a_store_under_a_secret_does_not_open_without_it(local: Callable[..., Local]) -> None:
    machine = local(b"s" * 32)
    machine.machine.close()
    refused(Code.MACHINE_SECRET_MISSING, lambda: SoftwareMachine(machine.folder, None))
    for content in ("[]", "no json"):
        (machine.folder / "seal.json").write_text(content)
        refused(Code.MACHINE_STORE_DAMAGED, lambda: SoftwareMachine(machine.folder, None))


class PowerCut(BaseException):
    """What follows did not happen."""


@pytest.mark.req("K6")
@pytest.mark.parametrize("function", ["write_durable", "overwrite", "put_in_place"])
@pytest.mark.parametrize("new", [True, False], ids=["a new store", "an open store"])
def test_a_power_cut_while_sharing_leaves_the_old_seal_or_the_new(
    local: Callable[..., Local], monkeypatch: pytest.MonkeyPatch, function: str, new: bool
) -> None:
    machine = local(None if new else b"s" * 32)
    custodians = [Custodian() for _ in range(2)]
    offered = machine.offer_shares(2, [one.public for one in custodians])

    def cut(*given: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(vault, function, cut)
        if function == "write_durable" and new:
            patch.setattr(vault.Vault, "_clear", cut)  # nor was it cleared away
        with pytest.raises(PowerCut):
            machine.confirm_shares(offered.set)
    machine.restart(None if new else b"s" * 32) if function == "write_durable" else machine.restart()
    if function == "write_durable" or new:
        assert machine.info.threshold == 0
        share_out(machine, 2, 2)
        return
    for holder, sealed in enumerate(offered.sealed, 1):
        present(machine, holder, custodians[holder - 1].receive(sealed))
    assert machine.ask(Verb.VERIFY_LOG).ok


def test_a_store_that_was_half_made_is_cleared_away(local: Callable[..., Local]) -> None:
    machine = local()
    share_out(machine, 2, 2)
    machine.machine.close()
    (machine.folder / "making").touch()
    (machine.folder / "seal.json").rename(machine.folder / "seal.json.new")
    machine.restart()
    assert machine.info.threshold == 2  # the log knew the new seal: it was finished
    machine.machine.close()
    (machine.folder / "making").touch()
    (machine.folder / "seal.json").unlink()
    machine.restart()
    assert machine.info.threshold == 0
    assert sorted(path.name for path in machine.folder.iterdir()) == ["lock"]


def test_sealing_waits_for_the_work_under_way_and_refuses_what_comes_after(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"console": SECRET}, custodians=True)
    found: list[Code | None] = []

    def work(ref: str) -> None:
        with handle.client("console") as machine:
            try:
                while True:
                    assert len(machine.check_values_raw(ref, bytes(range(8)) * 5000)) == 20000
            except Refused as refusal:
                found.append(refusal.code)

    with handle.client("console") as machine:
        share_out(machine, 2, 2)
        ref = machine.generate("root", Algorithm.SM4, Usage.DIVERSIFY).ref
        threads = [threading.Thread(target=work, args=(ref,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert machine.seal().sealed
        for thread in threads:
            thread.join(20)
    assert found == [Code.MACHINE_SEALED] * 3
    assert handle.stop() == 0


def test_a_folder_brought_from_elsewhere_without_its_seal_does_not_start(
    local: Callable[..., Local], tmp_path: Path
) -> None:
    machine = local()
    share_out(machine, 2, 2)
    machine.machine.close()
    shutil.copytree(machine.folder, tmp_path / "copy")
    (tmp_path / "copy" / "log.jsonl").unlink()
    (tmp_path / "copy" / "seal.json").unlink()
    refused(Code.MACHINE_STORE_DAMAGED, lambda: SoftwareMachine(tmp_path / "copy", None))

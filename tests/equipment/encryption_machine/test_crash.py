"""kill -9 while keys come in: what was acknowledged is there, nothing is there twice, the log holds (K6, design
§2.8).
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.support.custodians import present, share_out

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

SECRET = b"the caller's secret of 32 bytes."
ROUNDS = 6


def keep_importing(machine: EncryptionMachine, envelopes: list[bytes], sender: bytes, done: list[KeyInfo]) -> None:
    """Import until the machine dies; `done` holds what it acknowledged."""
    for envelope in envelopes:
        try:
            done.append(machine.import_envelope(envelope, sender))
        except Refused as refusal:
            assert refusal.code is Code.MACHINE_UNREACHABLE
            return


@pytest.mark.req("K6")
def test_a_kill_during_imports_loses_and_doubles_nothing(tmp_path: Path) -> None:
    maker = sm2.generate_private()
    sender = sm2.public_of(maker)
    draw = random.Random(7)
    values: dict[str, bytes] = {}
    acknowledged: dict[str, KeyInfo] = {}
    interrupted = 0
    for turn in range(ROUNDS):
        handle = start_machine(tmp_path, callers={"officer": SECRET})
        with handle.client("officer") as machine:
            if not turn:
                machine.register_peer("maker", sender)
            envelopes = []
            for number in range(60):
                key, name = secrets.token_bytes(16), f"key {turn}.{number}"
                values[name] = key
                info = KeyInfo("", name, Algorithm.SM4, Usage.MAC, 1, "460100", "")
                envelopes.append(seal_envelope(maker, machine.public_key(), key, info))
            done: list[KeyInfo] = []
            worker = threading.Thread(target=keep_importing, args=(machine, envelopes, sender, done))
            worker.start()
            time.sleep(draw.uniform(0.005, 0.08))
            os.kill(handle.process.pid, signal.SIGKILL)
            worker.join(20)
        assert handle.stop() == -signal.SIGKILL
        acknowledged |= {info.name: info for info in done}
        interrupted += len(done) < len(envelopes)

        handle = start_machine(tmp_path, callers={"officer": SECRET})
        with handle.client("officer") as machine:
            assert machine.verify_log().ok
            found = machine.list_keys()
            by_name = {info.name: info for info in found}
            assert len(by_name) == len(found)
            assert acknowledged.items() <= by_name.items()
            assert len(found) <= len(acknowledged) + 1 + turn  # at most one unanswered import a turn
            for name, info in by_name.items():
                assert machine.macs(info.ref, None, [b"m"]) == [command_mac(Algorithm.SM4, values[name], b"m")]
            acknowledged = by_name
            for envelope, number in zip(envelopes, range(60), strict=True):
                if f"key {turn}.{number}" in by_name:
                    with pytest.raises(Refused) as again:
                        machine.import_envelope(envelope, sender)
                    assert again.value.code is Code.MACHINE_ENVELOPE_REPLAYED
                else:
                    acknowledged[f"key {turn}.{number}"] = machine.import_envelope(envelope, sender)
                    break
        assert handle.stop() == 0
    assert interrupted >= ROUNDS // 2, "the kills came too late to prove anything"


@pytest.mark.req("H5")
def test_a_killed_machine_can_start_again_on_the_same_socket_and_clients_come_back(tmp_path: Path) -> None:
    handle = start_machine(tmp_path, callers={"officer": SECRET})
    with handle.client("officer") as machine:
        before = machine.describe()
        os.kill(handle.process.pid, signal.SIGKILL)
        handle.process.wait(10)
        with pytest.raises(Refused) as refusal:
            machine.describe()
        assert refusal.value.code is Code.MACHINE_UNREACHABLE
        again = start_machine(tmp_path, callers={"officer": SECRET})
        assert again.address == handle.address
        assert machine.describe().fingerprint == before.fingerprint
        os.kill(again.process.pid, signal.SIGKILL)
        again.process.wait(10)
        third = start_machine(tmp_path, callers={"officer": SECRET})
        assert machine.public_key()  # the line broke unseen: a verb that changes nothing is sent again
        os.kill(third.process.pid, signal.SIGKILL)
        third.process.wait(10)
        last = start_machine(tmp_path, callers={"officer": SECRET})
        with pytest.raises(Refused) as changed:
            machine.generate("key", Algorithm.SM4, Usage.MAC)  # a change is never sent twice
        assert changed.value.code is Code.MACHINE_UNREACHABLE
        assert machine.list_keys() == []
        for each in (handle, again, third):
            each.stop()
        assert last.stop() == 0


def keep_changing(machine: EncryptionMachine, prefix: str, made: list[KeyInfo], gone: list[KeyInfo]) -> None:
    """Generate two keys and destroy the first, again and again until the machine dies; the lists hold what it said."""
    try:
        for number in range(60):
            for which in ("a", "b"):
                made.append(machine.generate(f"{prefix}.{number}.{which}", Algorithm.SM4, Usage.MAC))
            gone.append(machine.destroy(made[-2].ref))
    except Refused as refusal:
        assert refusal.code is Code.MACHINE_UNREACHABLE


@pytest.mark.req("K6")
def test_a_kill_while_keys_are_made_and_destroyed_loses_doubles_and_revives_nothing(tmp_path: Path) -> None:
    draw = random.Random(11)
    alive: dict[str, str] = {}
    dead: set[str] = set()
    interrupted = 0
    handle = start_machine(tmp_path, callers={"officer": SECRET}, custodians=True)
    with handle.client("officer") as machine:
        custodians = share_out(machine, 2, 2)
    for turn in range(ROUNDS):
        made: list[KeyInfo] = []
        gone: list[KeyInfo] = []
        with handle.client("officer") as machine:
            worker = threading.Thread(target=keep_changing, args=(machine, str(turn), made, gone))
            worker.start()
            time.sleep(draw.uniform(0.01, 0.12))
            os.kill(handle.process.pid, signal.SIGKILL)
            worker.join(20)
        handle.stop()
        interrupted += len(gone) < 60
        handle = start_machine(tmp_path, callers={"officer": SECRET}, custodians=True)
        with handle.client("officer") as machine:
            assert machine.describe().sealed
            for holder in (1, 2):
                present(machine, holder, custodians[holder - 1].text)
            assert machine.verify_log().ok
            found = machine.list_keys()
            by_ref = {info.ref: info for info in found}
            assert len(by_ref) == len(found) == len({info.name for info in found})
            assert {info.ref for info in made} <= by_ref.keys()
            assert len(found) <= len(alive) + len(dead) + len(made) + 1
            for info in gone:
                assert by_ref[info.ref].destroyed == info.destroyed
            assert all(by_ref[ref].destroyed for ref in dead)
            for ref, check_value in alive.items():
                assert not by_ref[ref].destroyed
                assert machine.key(ref).check_value == check_value
            unsaid = [info for info in found if info.destroyed and info.ref not in dead | {one.ref for one in gone}]
            assert len(unsaid) <= 1  # the destruction that was under way
            assert machine.macs_of([(info.ref, b"m") for info in found if not info.destroyed])
            alive = {info.ref: info.check_value for info in found if not info.destroyed}
            dead = {info.ref for info in found if info.destroyed}
    assert handle.stop() == 0
    assert interrupted >= ROUNDS // 2, "the kills came too late to prove anything"

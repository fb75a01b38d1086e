"""A power cut between the token and the records, at every step, and kill -9 in the middle (K6)."""

from __future__ import annotations

import os
import random
import secrets
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.softhsm import SoftToken

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.pool import Worker
from sheka.equipment.encryption_machine.records import Records
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

ROUNDS = 3
IMPORTS = 25
PARTS = 3
"""Objects of a MAC key that came in an envelope: the key, its left half, its cradle."""


class PowerCut(BaseException):
    """The process ends here; nothing after it runs."""


@pytest.mark.req("K6")
@pytest.mark.parametrize("step", ["generate", "derive", "check_value", "record"])
def test_a_cut_before_the_record_leaves_no_key_in_the_token(
    start: Any, token: SoftToken, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    machine = start()
    kept = machine.generate("kept")
    before = machine.mac(kept.ref), len(token.objects())
    call, commit = Worker.call, Records.commit

    def cut_call(self: Worker, name: str, *arguments: Any, **named: Any) -> Any:
        found = call(self, name, *arguments, **named)
        if name == step:
            raise PowerCut  # done in the token, and nobody knows
        return found

    def cut_commit(self: Records, target: str, *arguments: Any, **named: Any) -> Any:
        if step == "record":
            raise PowerCut
        return commit(self, target, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "call", cut_call)
        patch.setattr(Records, "commit", cut_commit)
        with pytest.raises(PowerCut):
            machine.generate("new")
    assert len(token.objects()) > before[1]
    machine.again()
    assert len(token.objects()) == before[1]
    assert machine.mac(kept.ref) == before[0]
    assert [info.name for info in machine(Verb.LIST_KEYS)] == ["kept"]
    assert machine.mac(machine.generate("new").ref)


@pytest.mark.req("K6")
def test_a_cut_after_the_record_of_a_destroyed_key_removes_it_from_the_token_at_the_start(
    start: Any, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = start()
    kept, victim = machine.generate("kept"), machine.generate("victim")
    call = Worker.call

    def cut(self: Worker, name: str, *arguments: Any, **named: Any) -> Any:
        if name == "remove":
            raise PowerCut
        return call(self, name, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "call", cut)
        with pytest.raises(PowerCut):
            machine(Verb.DESTROY, victim.ref)
    assert {each["ID"][:32] for each in token.objects()} == {kept.ref, victim.ref}
    machine.again()
    assert {each["ID"][:32] for each in token.objects()} == {kept.ref}
    with pytest.raises(Refused) as refusal:
        machine.mac(victim.ref)
    assert refusal.value.code is Code.MACHINE_KEY_DESTROYED


def test_a_record_that_cannot_be_written_takes_the_key_back_out_of_the_token(
    start: Any, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = start()

    def full(*arguments: Any, **named: Any) -> Any:
        raise Refused(Code.MACHINE_FOLDER_UNUSABLE, folder="x", reason="No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Records, "commit", full)
        with pytest.raises(Refused) as refusal:
            machine.generate("new")
    assert refusal.value.code is Code.MACHINE_FOLDER_UNUSABLE
    assert token.objects() == []
    assert list((machine.folder / "store" / "token-changes").iterdir()) == []


def test_objects_of_others_are_left_alone(start: Any, token: SoftToken) -> None:
    machine = start()
    machine.generate("ours")
    token.tool("--keygen", "--key-type", "AES:16", "--label", "theirs", "--id", "ab" * 17)
    machine.again()
    assert "theirs" in {each["label"] for each in token.objects()}


def keep_importing(machine: EncryptionMachine, envelopes: list[bytes], sender: bytes, done: list[KeyInfo]) -> None:
    for envelope in envelopes:
        try:
            done.append(machine.import_envelope(envelope, sender))
        except Refused as refusal:
            assert refusal.code is Code.MACHINE_UNREACHABLE
            return


@pytest.mark.req("K6")
def test_a_kill_during_imports_loses_and_doubles_nothing_in_the_token(tmp_path: Path, token: SoftToken) -> None:
    maker, draw = sm2.generate_private(), random.Random(11)
    sender = sm2.public_of(maker)
    values: dict[str, bytes] = {}
    known: dict[str, KeyInfo] = {}
    interrupted = 0
    for turn in range(ROUNDS):
        handle = start_machine(tmp_path / "machine", callers={"officer": b"s" * 32}, pkcs11=token.settings)
        with handle.client("officer") as machine:
            if not turn:
                machine.register_peer("maker", sender)
            envelopes = []
            for number in range(IMPORTS):
                key, name = secrets.token_bytes(16), f"key {turn}.{number}"
                values[name] = key
                info = KeyInfo("", name, Algorithm.TDES, Usage.MAC, 1, "460100", "")
                envelopes.append(seal_envelope(maker, machine.public_key(), key, info))
            done: list[KeyInfo] = []
            worker = threading.Thread(target=keep_importing, args=(machine, envelopes, sender, done))
            worker.start()
            time.sleep(draw.uniform(0.02, 0.25))
            os.kill(handle.process.pid, signal.SIGKILL)
            worker.join(20)
        handle.stop()
        known |= {info.name: info for info in done}
        interrupted += len(done) < IMPORTS

        handle = start_machine(tmp_path / "machine", callers={"officer": b"s" * 32}, pkcs11=token.settings)
        with handle.client("officer") as machine:
            assert machine.verify_log().ok
            listed = machine.list_keys()
            found = {info.name: info for info in listed}
            assert len(found) == len(listed)
            assert known.items() <= found.items()
            assert len(found) <= len(known) + 1
            for name, info in found.items():
                assert machine.macs(info.ref, None, [b"m"]) == [command_mac(Algorithm.TDES, values[name], b"m")]
            known = found
            objects = [each["ID"] for each in token.objects()]
            assert len(set(objects)) == len(objects)
            assert sorted(objects) == sorted(f"{info.ref}0{part}" for info in listed for part in range(PARTS))
        assert handle.stop() == 0
    assert interrupted >= 2, "the kills came too late to prove anything"

"""Tokens that are not there, go away, come back or are another one: each a clear refusal, nobody restarts (H5)."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.softhsm import SoftToken, make_token

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.pool import Pool
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

pytestmark = pytest.mark.req("H5")

SECRET = b"the caller's secret of 32 bytes."


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheka.equipment.encryption_machine.pkcs11.pool._PAUSE_SECONDS", 0.0)


def code_of(machine: Any, ref: str) -> Code | None:
    try:
        machine.mac(ref)
    except Refused as refusal:
        return refusal.code
    return None


def workers(machine: Any) -> list[int]:
    """The worker processes that stand ready."""
    pool: Pool = machine.driver._token[0]
    return [worker.process.pid for worker in list(pool._places.queue) if worker is not None]


def test_a_missing_module_is_one_sentence_at_the_start(tmp_path: Path, token: SoftToken) -> None:
    with pytest.raises(Refused) as refusal:
        start_machine(tmp_path, callers={"x": SECRET}, pkcs11=replace(token.settings, module=Path("/no/module.so")))
    assert refusal.value.code is Code.MACHINE_TOKEN_MODULE
    assert "/no/module.so" in str(refusal.value)


def test_a_file_that_is_no_module(start: Any, tmp_path: Path) -> None:
    (tmp_path / "module.so").write_text("not a library")
    with pytest.raises(Refused) as refusal:
        start(module=tmp_path / "module.so").generate("key")
    assert refusal.value.code is Code.MACHINE_TOKEN_MODULE


def test_a_token_that_comes_later_needs_no_restart_of_machine_or_callers(tmp_path: Path, token: SoftToken) -> None:
    away = token.folder / "away"
    token.tokens.rename(away)
    token.tokens.mkdir()
    handle = start_machine(tmp_path / "machine", callers={"x": SECRET}, pkcs11=token.settings)
    with handle.client("x") as machine:
        with pytest.raises(Refused) as absent:
            machine.generate("key", Algorithm.TDES, Usage.MAC)
        assert absent.value.code is Code.MACHINE_TOKEN_ABSENT
        info = machine.describe()
        assert "not reachable" in info.product and info.algorithms == ()
        assert machine.list_keys() == []
        token.tokens.rmdir()
        away.rename(token.tokens)
        for _ in range(50):
            try:
                assert machine.generate("key", Algorithm.TDES, Usage.MAC)
                break
            except Refused as refusal:
                assert refusal.code is Code.MACHINE_TOKEN_ABSENT
                threading.Event().wait(0.1)
        assert machine.describe().algorithms == ("TDES",)
    assert handle.stop() == 0


def test_a_token_pulled_from_under_a_session_and_put_back(start: Any, token: SoftToken) -> None:
    machine = start()
    key = machine.generate("key")
    mac, away = machine.mac(key.ref), token.folder / "away"
    token.tokens.rename(away)
    token.tokens.mkdir()
    for pid in workers(machine):
        os.kill(pid, signal.SIGKILL)
    assert code_of(machine, key.ref) is Code.MACHINE_TOKEN_ABSENT
    with pytest.raises(Refused) as destroying:
        machine(Verb.DESTROY, key.ref)
    assert destroying.value.code is Code.MACHINE_TOKEN_ABSENT
    assert "not reachable" in machine(Verb.DESCRIBE).product
    token.tokens.rmdir()
    away.rename(token.tokens)
    assert machine.mac(key.ref) == mac
    assert not machine(Verb.KEY, key.ref).destroyed


def test_a_session_that_no_longer_sees_its_token_is_not_taken_for_lost_keys(
    start: Any, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a pulled device would have every key reported as lost."""
    machine = start()
    key = machine.generate("key")
    mac, away = machine.mac(key.ref), token.folder / "away"
    token.tokens.rename(away)
    token.tokens.mkdir()
    monkeypatch.setattr("sheka.equipment.encryption_machine.pkcs11.pool._DOUBT_SECONDS", 0.0)
    assert code_of(machine, key.ref) is Code.MACHINE_TOKEN_ABSENT
    token.tokens.rmdir()
    away.rename(token.tokens)
    assert machine.mac(key.ref) == mac


@pytest.mark.req("K6")
def test_a_key_destroyed_while_its_token_is_away_unseen_is_removed_when_it_is_back(
    start: Any, token: SoftToken
) -> None:
    machine = start()
    key = machine.generate("key")
    away = token.folder / "away"
    token.tokens.rename(away)
    token.tokens.mkdir()
    assert machine(Verb.DESTROY, key.ref).destroyed  # the session still stands and shows nothing
    token.tokens.rmdir()
    away.rename(token.tokens)
    assert len(token.objects()) == 3
    machine.again()
    assert token.objects() == []
    assert list((machine.folder / "store" / "token-changes").iterdir()) == []


def test_a_worker_that_dies_is_replaced_and_no_caller_notices(start: Any) -> None:
    machine = start(workers=2)
    key = machine.generate("key")
    mac = machine.mac(key.ref)
    (first,) = workers(machine)
    os.kill(first, signal.SIGKILL)
    assert machine.mac(key.ref) == mac
    assert first not in workers(machine)


def test_a_module_that_hangs_is_given_up(start: Any) -> None:
    machine = start(call_seconds=1)
    key = machine.generate("key")
    mac = machine.mac(key.ref)
    (stuck,) = workers(machine)
    os.kill(stuck, signal.SIGSTOP)
    assert machine.mac(key.ref) == mac
    assert stuck not in workers(machine)


def test_another_token_of_the_same_name_is_refused(start: Any, token: SoftToken, tmp_path: Path) -> None:
    machine = start()
    key = machine.generate("key")
    other = make_token(tmp_path / "other", token.settings.token)
    machine.again(environment=other.settings.environment)
    assert code_of(machine, key.ref) is Code.MACHINE_TOKEN_OTHER
    assert other.objects() == []
    machine.again(environment=token.settings.environment)
    assert machine.mac(key.ref)


def test_two_tokens_of_one_name_are_told_apart_by_the_serial_number(
    start: Any, token: SoftToken, tmp_path: Path
) -> None:
    machine = start()
    serial = machine(Verb.DESCRIBE).product.split("serial ")[1].split(",")[0]
    for folder in make_token(tmp_path / "other", token.settings.token).tokens.iterdir():
        shutil.copytree(folder, token.tokens / folder.name)
    machine.again()
    with pytest.raises(Refused) as refusal:
        machine.generate("key")
    assert refusal.value.code is Code.MACHINE_CONFIG_BAD
    machine.again(serial=serial)
    assert machine.generate("key")


def test_a_key_removed_behind_the_machines_back_is_named(start: Any, token: SoftToken) -> None:
    machine = start()
    gone, kept = machine.generate("gone"), machine.generate("kept")
    machine.mac(gone.ref)
    token.tool("--delete-object", "--type", "secrkey", "--id", f"{gone.ref}00")
    machine.again()
    with pytest.raises(Refused) as refusal:
        machine.mac(gone.ref)
    assert refusal.value.code is Code.MACHINE_TOKEN_KEY_MISSING
    assert refusal.value.facts["ref"] == gone.ref
    assert machine.mac(kept.ref)
    assert machine(Verb.DESTROY, gone.ref).destroyed
    assert {each["ID"][:32] for each in token.objects()} == {kept.ref}


def test_many_callers_share_two_workers(start: Any, plant: Any) -> None:
    from sheka.foundation.crypto.mac import command_mac

    machine = start(workers=2)
    keys = [plant(machine, Algorithm.TDES, Usage.MAC) for _ in range(3)]
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(20):
            known, message = keys[turn % 3], f"{number}.{turn}".encode() * 4
            if machine.mac(known.ref, message) != command_mac(Algorithm.TDES, known.key, message):
                wrong.append(f"{number}.{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert wrong == []
    assert len(workers(machine)) == 2

"""The token's PIN: from a tight file or from under the seal, tried once, never twice (K6)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.softhsm import PIN, SoftToken

from sheka.equipment.encryption_machine.launch import start_machine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.access import TokenAccess
from sheka.equipment.encryption_machine.pkcs11.objects import TokenFacts
from sheka.equipment.encryption_machine.pkcs11.pool import Pool, Worker
from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, open_with, seal_for
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The PINs that were offered to the token; nobody waits between two attempts to reach it."""
    offered: list[str] = []
    call = Worker.call

    def count(self: Worker, name: str, *arguments: Any, **named: Any) -> Any:
        if name == "log_in":
            offered.append(arguments[0])
        return call(self, name, *arguments, **named)

    monkeypatch.setattr(Worker, "call", count)
    monkeypatch.setattr("sheka.equipment.encryption_machine.pkcs11.pool._PAUSE_SECONDS", 0.0)
    return offered


def code_of(machine: Any, name: str = "key") -> Code | None:
    try:
        machine.generate(name)
    except Refused as refusal:
        return refusal.code
    return None


@pytest.mark.req("K6")
def test_a_wrong_pin_is_offered_once_and_not_again_after_a_restart(
    start: Any, token: SoftToken, attempts: list[str]
) -> None:
    token.pin_file.write_text("99999999\n")
    machine = start()
    assert [code_of(machine) for _ in range(4)] == [Code.MACHINE_TOKEN_PIN_WRONG] * 4
    machine.again()
    assert code_of(machine) is Code.MACHINE_TOKEN_PIN_WRONG
    assert attempts == ["99999999"]
    token.pin_file.write_text(f"{PIN}\n")
    assert code_of(machine) is None  # no restart: it looks into the file
    assert attempts == ["99999999", PIN]
    events = "".join(machine(Verb.LOG, 1, 50))
    assert "TOKEN_PIN_REFUSED" in events and "TOKEN_PIN_ACCEPTED" in events
    assert PIN not in events and "99999999" not in events


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_pin_file_that_others_can_read_is_not_used(
    start: Any, token: SoftToken, attempts: list[str], mode: int
) -> None:
    token.pin_file.chmod(mode)
    machine = start()
    with pytest.raises(Refused) as refusal:
        machine.generate("key")
    assert refusal.value.code is Code.MACHINE_SECRET_EXPOSED
    assert refusal.value.facts["mode"] == f"{mode:04o}"
    assert attempts == []
    token.pin_file.chmod(0o600)
    assert code_of(machine) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"1" * 65])
def test_a_pin_file_without_a_pin_is_not_used(start: Any, token: SoftToken, content: bytes) -> None:
    token.pin_file.write_bytes(content)
    assert code_of(start()) is Code.MACHINE_SECRET_MISSING


def test_no_pin_at_all(start: Any, attempts: list[str]) -> None:
    assert code_of(start(pin_file=None)) is Code.MACHINE_TOKEN_PIN_MISSING
    assert attempts == []


FACTS = TokenFacts("sheka", "0001", "maker", "model", "1.0", ("TDES",), pin_locked=False, pin_last_try=False)


@pytest.mark.parametrize(
    ("flag", "code"),
    [("pin_locked", Code.MACHINE_TOKEN_PIN_LOCKED), ("pin_last_try", Code.MACHINE_TOKEN_PIN_LAST_TRY)],
)
def test_a_locked_pin_and_a_last_attempt_are_left_to_people(start: Any, flag: str, code: Code) -> None:
    """SoftHSM2 never locks; the flags are a device's (PKCS#11 v3.0, CKF_USER_PIN_LOCKED and _FINAL_TRY)."""
    machine = start()
    access: TokenAccess = machine.driver._token[1]
    serial = access._records.get("token").attributes["serial"]  # type: ignore[union-attr]
    with pytest.raises(Refused) as refusal:
        access.pin(replace(FACTS, serial=serial, **{flag: True}))
    assert refusal.value.code is code
    assert access.pin(replace(FACTS, serial=serial)) == PIN


@pytest.mark.req("K6")
def test_a_first_pin_goes_under_the_seal_and_its_file_away(
    start: Any, token: SoftToken, tmp_path: Path, attempts: list[str]
) -> None:
    first = tmp_path / "first"
    first.touch(mode=0o600)
    first.write_text(PIN)
    machine = start(pin_file=None, first_pin_file=first)
    assert code_of(machine) is None
    assert not first.exists()
    machine.again()
    assert code_of(machine, "another") is None
    assert attempts == [PIN, PIN]
    for path in machine.folder.rglob("*"):
        assert not path.is_file() or PIN.encode() not in path.read_bytes(), path
    first.touch(mode=0o600)
    first.write_text("wrong")
    machine.again()
    assert code_of(machine, "third") is Code.MACHINE_TOKEN_PIN_WRONG
    assert first.exists()  # what did not open the token is not taken
    first.unlink()
    assert code_of(machine, "third") is None


@pytest.mark.req("K6")
def test_sealed_is_logged_out_and_the_custodians_shares_log_in(
    start: Any, token: SoftToken, tmp_path: Path, attempts: list[str]
) -> None:
    first = tmp_path / "first"
    first.touch(mode=0o600)
    first.write_text(PIN)
    machine = start(pin_file=None, first_pin_file=first)
    key = machine.generate("key")
    mac = machine.mac(key.ref)
    browsers = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    publics = [point(each) for each in browsers]
    offered = machine(Verb.SHARE_OUT, 2, publics)
    shares = [
        open_with(private, entry_id_of(public), sealed)
        for private, public, sealed in zip(browsers, publics, offered.sealed, strict=True)
    ]
    machine(Verb.CONFIRM_SHARES, offered.set)
    pool: Pool = machine.driver._token[0]
    machine(Verb.SEAL)
    assert machine.driver._token is None
    assert pool._closed
    with pytest.raises(Refused) as sealed:
        machine.mac(key.ref)
    assert sealed.value.code is Code.MACHINE_SEALED
    assert machine(Verb.DESCRIBE).algorithms == ()
    for holder in (1, 3):
        entry = machine(Verb.ENTRY_KEY)
        machine(Verb.UNSEAL, holder, entry.id, seal_for(entry.public_key, entry.id, shares[holder - 1]))
    assert machine.mac(key.ref) == mac
    assert attempts == [PIN, PIN]


@pytest.mark.req("K6")
def test_a_new_machine_begins_sealed_and_comes_back_by_its_custodians(token: SoftToken, tmp_path: Path) -> None:
    """Over the socket, as a node starts it: no sealing secret, no PIN file after the first log-in."""
    first = tmp_path / "first"
    first.touch(mode=0o600)
    first.write_text(PIN)
    settings = replace(token.settings, pin_file=None, first_pin_file=first)
    arguments: dict[str, Any] = {"callers": {"x": b"s" * 32}, "custodians": True, "pkcs11": settings}
    browsers = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    publics = [point(each) for each in browsers]
    handle = start_machine(tmp_path / "machine", **arguments)
    with handle.client("x") as machine:
        assert machine.describe().sealed
        assert first.exists()  # nobody has logged in
        sealed = machine.share_out(2, publics)
        info = machine.generate("key", Algorithm.TDES, Usage.MAC)
        mac = machine.macs(info.ref, None, [b"m"])
    assert handle.stop() == 0
    assert not first.exists()
    handle = start_machine(tmp_path / "machine", **arguments)
    with handle.client("x") as machine:
        with pytest.raises(Refused) as refusal:
            machine.macs(info.ref, None, [b"m"])
        assert refusal.value.code is Code.MACHINE_SEALED
        for holder, (private, public, share) in enumerate(zip(browsers, publics, sealed, strict=True), 1):
            entry = machine.entry_key()
            opened = open_with(private, entry_id_of(public), share)
            machine.unseal(holder, entry.id, seal_for(entry.public_key, entry.id, opened))
        assert machine.describe().driver == "pkcs11"
        assert machine.macs(info.ref, None, [b"m"]) == mac
    assert handle.stop() == 0


def point(private: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as a browser sends it: 04 ‖ x ‖ y."""
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

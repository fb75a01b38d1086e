"""What may leave a token, and what may not any more (K1, K2, K6, K8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.softhsm import SoftToken

from sheka.equipment.encryption_machine.envelopes import read_envelope
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage, Verb
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.sealed_entry import seal_for
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.chip.authentication import unwrap_key_in_chip
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.refusals import Code, Refused

FACTOR = b"46010017"
CHALLENGE = b"8 bytes!"


@pytest.fixture
def province(tmp_path: Path) -> Any:
    machine = SoftwareMachine(tmp_path / "province", b"p" * 32)
    yield machine
    machine.close()


def send(machine: Any, province: SoftwareMachine, everyone: Caller, ref: str) -> KeyInfo:
    """Export from the token, import in the province's software machine."""
    theirs: bytes = province.call(everyone, Verb.PUBLIC_KEY, [])
    if not machine.peers():
        machine.register_peer("province", theirs)
        province.call(everyone, Verb.REGISTER_PEER, ["ministry", machine.public_key(), ""])
    envelope = machine(Verb.EXPORT_ENVELOPE, ref, theirs)
    assert read_envelope(envelope).recipient == theirs
    taken: KeyInfo = province.call(everyone, Verb.IMPORT_ENVELOPE, [envelope, machine.public_key(), "", ""])
    return taken


@pytest.mark.req("K2")
def test_sub_keys_leave_the_token_in_envelopes_and_are_the_same_there(
    start: Any, province: SoftwareMachine, everyone: Caller
) -> None:
    machine = start()
    root = machine.generate("root", Usage.DIVERSIFY)
    with pytest.raises(Refused) as refusal:
        send(machine, province, everyone, root.ref)
    assert refusal.value.code is Code.MACHINE_KEY_STAYS
    child = machine.derive(root.ref, FACTOR, Usage.MAC)
    working = machine.generate("transport", Usage.MAC)
    movable = machine.generate("movable", Usage.DIVERSIFY, movable=1)
    for mine in (child, working, movable):
        theirs = send(machine, province, everyone, mine.ref)
        assert theirs.check_value == mine.check_value
    message = Batch.of([b"one and the same message"])
    listed = {info.name: info.ref for info in province.call(everyone, Verb.LIST_KEYS, [])}
    for mine in (child, working):
        found = province.call(everyone, Verb.MACS, [listed[mine.name], None, message, None])
        assert found.raw == machine.mac(mine.ref, b"one and the same message")


@pytest.mark.req("K6")
def test_a_sub_key_stays_once_its_parent_is_destroyed(start: Any, province: SoftwareMachine, everyone: Caller) -> None:
    machine = start()
    root = machine.generate("root", Usage.DIVERSIFY)
    child = machine.derive(root.ref, FACTOR, Usage.MAC)
    before = machine.mac(child.ref)
    machine(Verb.DESTROY, root.ref)
    with pytest.raises(Refused) as refusal:
        send(machine, province, everyone, child.ref)
    assert refusal.value.code is Code.MACHINE_TOKEN_KEY_STAYS
    assert machine.mac(child.ref) == before


@pytest.mark.req("K8")
def test_a_movable_root_goes_into_a_psam_and_a_common_one_does_not(start: Any, plant: Any) -> None:
    machine = start()
    transport = plant(machine, Algorithm.TDES, Usage.WRAP)
    common = machine.generate("root", Usage.DIVERSIFY)
    movable = machine.generate("national read", Usage.DIVERSIFY, movable=1)

    def write(ref: str) -> bytes:
        arguments = ([ref], b"\x07", b"\x01", b"", transport.ref, b"", CHALLENGE)
        found: Batch = machine(Verb.WRAP_FOR_CHIP, *arguments)
        return found.items()[0]

    with pytest.raises(Refused) as refusal:
        write(common.ref)
    assert refusal.value.code is Code.MACHINE_KEY_STAYS
    opened = unwrap_key_in_chip(Algorithm.TDES, transport.key, CHALLENGE, write(movable.ref))
    assert opened is not None and opened[:2] == (7, 1)
    assert check_value(Algorithm.TDES, opened[2]).hex().upper() == movable.check_value


@pytest.mark.req("K6")
def test_a_root_entered_in_parts_is_put_into_the_token_and_stays(start: Any, token: SoftToken) -> None:
    machine = start()
    parts = [bytes(range(16)), bytes(range(100, 116))]
    joint = bytes(a ^ b for a, b in zip(*parts, strict=True))
    ref = machine(Verb.BEGIN_COMPONENTS, "entered", 1, "DIVERSIFY", 1, "", 0, 0, "xor", 2, 0)
    for number, part in enumerate(parts, 1):
        entry = machine(Verb.ENTRY_KEY)
        machine(Verb.ENTER_COMPONENT, ref, number, entry.id, seal_for(entry.public_key, entry.id, part))
    info = machine(Verb.FINISH_COMPONENTS, ref, "")
    assert info.check_value == check_value(Algorithm.TDES, joint).hex().upper()
    assert [(each["label"], each["Usage"]) for each in token.objects()] == [("entered v1", "derive")]
    child = machine.derive(info.ref, FACTOR)
    assert machine.check_values(info.ref, FACTOR) == [child.check_value]

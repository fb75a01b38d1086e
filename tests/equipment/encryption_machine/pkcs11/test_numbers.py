"""Algorithms by their numbers: SM4 refused where it is not, a vendor's numbers honoured, a wrong one noticed (H5, K6).

SoftHSM2 has no SM4. AES has SM4's sizes, so AES's numbers under SM4's name show that a device's numbers are used, and
that the 16-byte block takes the same way through the token.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from tests.support.softhsm import SoftToken

from pkcs11 import KeyType, Mechanism
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.settings import TDES, Suite
from sheka.equipment.encryption_machine.pkcs11.token import _member
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto import tdes
from sheka.foundation.crypto.algorithms import ECB, Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.refusals import Code, Refused

FACTOR = bytes.fromhex("4601004601004601")
PAIR = FACTOR + bytes(value ^ 0xFF for value in FACTOR)
STAND_IN = Suite(key_type=0x1F, generate=0x1080, ecb=0x1081, cbc=0x1082, derive=0x1104)
"""CKK_AES, CKM_AES_KEY_GEN, CKM_AES_ECB, CKM_AES_CBC, CKM_AES_ECB_ENCRYPT_DATA."""
UNKNOWN = Suite(key_type=0x80000102, generate=0x80000101, ecb=0x80000103, cbc=None, derive=0x80000110)


def aes(key: bytes, blocks: bytes) -> bytes:
    return Cipher(AES(key), ECB).encryptor().update(blocks)


@pytest.mark.req("H5")
@pytest.mark.parametrize("suites", [{}, {Algorithm.SM4: UNKNOWN}], ids=["no numbers", "numbers it does not know"])
def test_sm4_is_refused_by_its_number_and_leaves_nothing(
    start: Any, token: SoftToken, plant: Any, suites: dict[Algorithm, Suite]
) -> None:
    machine = start(suites={Algorithm.TDES: TDES, **suites})
    assert machine(Verb.DESCRIBE).algorithms == ("TDES",)
    for attempt in (
        lambda: machine.generate("key", algorithm=Algorithm.SM4),
        lambda: machine.generate("root", Usage.DIVERSIFY, algorithm=Algorithm.SM4),
        lambda: plant(machine, Algorithm.SM4, Usage.MAC),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code is Code.MACHINE_TOKEN_ALGORITHM
        assert refusal.value.facts == {"algorithm": "SM4", "known": "TDES"}
    assert token.objects() == []
    assert machine(Verb.LIST_KEYS) == []


@pytest.mark.req("H5")
@pytest.mark.parametrize("derive", [STAND_IN.derive, None], ids=["derived inside", "by encryption"])
def test_numbers_from_the_configuration_are_the_ones_used(
    start: Any, token: SoftToken, monkeypatch: pytest.MonkeyPatch, derive: int | None
) -> None:
    suite = replace(STAND_IN, derive=derive)
    machine = start(suites={Algorithm.SM4: suite})
    assert machine(Verb.DESCRIBE).algorithms == ("SM4",)
    root = machine.generate("root", Usage.DIVERSIFY, algorithm=Algorithm.SM4, movable=1)
    keys = machine.driver._inside._keys
    with keys.opened(keys._keys[root.ref]) as value:
        known = bytes(value[:1]) + bytes(value[1:])
    assert root.check_value == aes(known, bytes(16))[:4].hex().upper()
    child = machine.derive(root.ref, FACTOR, Usage.ENCRYPT)
    city = aes(known, PAIR)
    assert child.check_value == aes(city, bytes(16))[:4].hex().upper()
    blocks = bytes(range(48))
    found = machine(Verb.CRYPTOGRAMS, child.ref, None, Batch(blocks, 48))
    assert found.raw == aes(city, blocks)
    mac = machine.derive(root.ref, FACTOR[::-1], Usage.MAC)
    under = aes(known, FACTOR[::-1] + bytes(value ^ 0xFF for value in FACTOR[::-1]))
    text = b"x" * 17 + b"\x80" + bytes(14)
    first = aes(under, text[:16])
    last = aes(under, bytes(a ^ b for a, b in zip(first, text[16:], strict=True)))
    assert machine.mac(mac.ref, b"x" * 17) == last[:4]
    begets = "derive" if derive else "encrypt"
    assert {each["label"]: each["Usage"] for each in token.objects()}["root v1"] == begets


@pytest.mark.req("H5")
@pytest.mark.parametrize("cbc", [TDES.cbc, None], ids=["cbc", "ecb only"])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_macs_are_the_same_by_either_way_of_chaining(start: Any, plant: Any, cbc: int | None, count: int) -> None:
    machine = start(suites={Algorithm.TDES: replace(TDES, cbc=cbc)})
    known = plant(machine, Algorithm.TDES, Usage.MAC)
    for length in (0, 7, 8, 17, 120):
        messages, ivs = ([bytes([n]) * size for n in range(count)] for size in (length, 8))
        found = machine(Verb.MACS, known.ref, None, Batch.of(messages), Batch.of(ivs))
        each = zip(messages, ivs, strict=True)
        assert found.items() == [command_mac(Algorithm.TDES, known.key, *of) for of in each]


def test_a_vendors_number_becomes_one_that_the_library_takes() -> None:
    mechanism, kind = _member(Mechanism, UNKNOWN.ecb), _member(KeyType, UNKNOWN.key_type)
    assert (int(mechanism), int(kind)) == (UNKNOWN.ecb, UNKNOWN.key_type)
    assert isinstance(mechanism, Mechanism) and isinstance(kind, KeyType)
    assert Mechanism(UNKNOWN.ecb) is mechanism is _member(Mechanism, UNKNOWN.ecb)
    assert _member(Mechanism, TDES.ecb) is Mechanism.DES3_ECB


def test_a_device_that_takes_little_at_a_time_gets_little_at_a_time(start: Any, plant: Any) -> None:
    machine = start(call_bytes=16)
    known = plant(machine, Algorithm.TDES, Usage.ENCRYPT)
    found = machine(Verb.CRYPTOGRAMS, known.ref, None, Batch(bytes(range(200)), 200))
    assert found.raw == tdes.encrypt_ecb(known.key, bytes(range(200)))


@pytest.mark.req("K6")
def test_a_number_of_another_algorithm_shows_in_the_check_value(start: Any, token: SoftToken, plant: Any) -> None:
    machine = start(suites={Algorithm.TDES: TDES, Algorithm.SM4: STAND_IN})
    with pytest.raises(Refused) as refusal:
        plant(machine, Algorithm.SM4, Usage.MAC)
    assert refusal.value.code is Code.MACHINE_TOKEN_CHECK_VALUE
    assert token.objects() == []
    assert machine(Verb.LIST_KEYS) == []


@pytest.mark.req("K2")
@pytest.mark.parametrize("derive", [TDES.derive, None], ids=["derived inside", "by encryption"])
def test_3des_levels_are_the_ones_that_everybody_computes_parity_or_not(
    start: Any, plant: Any, derive: int | None
) -> None:
    """SoftHSM2 sets odd parity in what it derives; neither ciphers nor check values, nor what leaves, show it."""
    machine = start(suites={Algorithm.TDES: replace(TDES, derive=derive)})
    root = plant(machine, Algorithm.TDES, Usage.DIVERSIFY)
    for number in range(8):
        factor = bytes([number]) * 4 + FACTOR[:4]
        child = machine.derive(root.ref, factor, Usage.MAC)
        expected = diversify(Algorithm.TDES, root.key, factor)
        assert child.check_value == check_value(Algorithm.TDES, expected).hex().upper()
        assert machine.check_values(root.ref, factor) == [child.check_value]
        assert machine.mac(child.ref, b"m" * 30) == command_mac(Algorithm.TDES, expected, b"m" * 30)
        keys = machine.driver._inside._keys
        with keys.opened(keys._keys[child.ref]) as value:
            assert value == expected  # bit by bit: this is what an envelope carries

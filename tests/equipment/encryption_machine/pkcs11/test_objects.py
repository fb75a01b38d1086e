"""What lies in the token, as another program sees it: nothing can be taken out, nothing does two things (H5, K6)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.softhsm import PIN, SoftToken

from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.machine import TokenMachine
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.tdes import adjust_parity
from sheka.foundation.refusals import Code, Refused

FACTOR = b"46010017"

THIEF = """
import sys
import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
session = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2]).open(rw=True, user_pin=sys.argv[3])
wrapping = session.generate_key(KeyType.AES, 256, capabilities=MechanismFlag.WRAP)
tricks = {
    "read": lambda key: key[Attribute.VALUE],
    "wrap": lambda key: wrapping.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP),
    "expose": lambda key: key.__setitem__(Attribute.EXTRACTABLE, True),
    "decrypt": lambda key: key.__setitem__(Attribute.DECRYPT, True),
    "copy": lambda key: key.copy({Attribute.DECRYPT: True, Attribute.ENCRYPT: True}),
}
tried = 0
for key in list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.TOKEN: True})):
    for name, trick in tricks.items():
        tried += 1
        try:
            trick(key)
        except pkcs11.PKCS11Error:
            continue
        print(name, key.label)
print(tried)
"""


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_no_key_is_extractable_and_each_object_has_one_right(start: Any, token: SoftToken, plant: Any) -> None:
    machine = start()
    root = machine.generate("root", Usage.DIVERSIFY)
    machine.generate("movable root", Usage.DIVERSIFY, movable=1)
    city = machine.derive(root.ref, FACTOR)
    machine.derive(city.ref, b"46010018", Usage.AUTHENTICATE)
    for usage in Usage:
        plant(machine, Algorithm.TDES, usage)
        machine.generate(f"own {usage}", usage)
    objects, keys = token.objects(), 4 + 2 * len(Usage)
    assert len(objects) > keys
    for each in objects:
        assert "never extractable" in each["Access"] or "extractable" not in each["Access"], each
        assert each["Access"].startswith("sensitive"), each
        assert each["Usage"] in ("encrypt", "derive"), each
    rights = {each["label"]: each["Usage"] for each in objects}
    assert rights["root v1"] == rights["movable root v1"] == "derive"
    assert rights["own MAC v1"] == rights["own AUTHENTICATE v1"] == rights["own WRAP v1"] == "encrypt"
    assert {usage for label, usage in rights.items() if label.endswith("cradle")} == {"derive"}
    local = [each["label"] for each in objects if "local" in each["Access"]]
    assert "root v1" in local  # made by the token itself, never outside it
    assert machine(Verb.DESCRIBE).keys == keys


@pytest.mark.req("K6")
def test_whoever_has_the_pin_can_neither_read_nor_widen_a_key(start: Any, token: SoftToken, plant: Any) -> None:
    machine = start()
    machine.generate("root", Usage.DIVERSIFY)
    machine.generate("working", Usage.MAC)
    plant(machine, Algorithm.TDES, Usage.WRAP)
    environment = {"PATH": "/usr/bin", **token.settings.environment}
    arguments = [str(token.settings.module), token.settings.token, PIN]
    done = subprocess.run(
        [sys.executable, "-c", THIEF, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(5 * len(token.objects()))]


@pytest.mark.req("K6")
def test_a_destroyed_key_leaves_nothing_in_the_token(start: Any, token: SoftToken, plant: Any) -> None:
    machine = start()
    for ref in (machine.generate("own").ref, plant(machine, Algorithm.TDES, Usage.WRAP).ref):
        assert any(each["ID"].startswith(ref) for each in token.objects())
        machine(Verb.DESTROY, ref)
    assert token.objects() == []


@pytest.mark.req("K4")
def test_it_says_which_device_it_is_and_claims_no_certificate(start: Any, token: SoftToken) -> None:
    info = start()(Verb.DESCRIBE)
    assert info.driver == "pkcs11"
    assert info.algorithms == ("TDES",)
    assert info.product.startswith("SoftHSM project SoftHSM v2, serial ")
    assert info.product.endswith("firmware 2.6")
    assert info.certificate == ""


@pytest.mark.req("K6")
def test_a_store_is_opened_only_by_the_driver_that_keeps_its_keys(
    start: Any, token: SoftToken, everyone: Caller, tmp_path: Path
) -> None:
    """Else: a mask in a record would be taken for the key itself, and MACs be wrong without a word."""
    machine = start()
    machine.generate("key")
    machine.driver.close()
    with pytest.raises(Refused) as refusal:
        SoftwareMachine(machine.folder / "store", b"s" * 32)
    assert refusal.value.code is Code.MACHINE_OTHER_DRIVER
    software = SoftwareMachine(tmp_path / "software", b"s" * 32)
    software.call(everyone, Verb.GENERATE, ["key", 1, "MAC", 1, "", 0, 0])
    software.close()
    with pytest.raises(Refused) as reverse:
        TokenMachine(tmp_path / "software", b"s" * 32, token.settings)
    assert reverse.value.code is Code.MACHINE_OTHER_DRIVER


@pytest.mark.req("K6")
def test_planted_derived_and_card_keys_are_in_no_file(start: Any, token: SoftToken, plant: Any, tmp_path: Path) -> None:
    machine = start()
    root, kek = plant(machine, Algorithm.TDES, Usage.DIVERSIFY), plant(machine, Algorithm.TDES, Usage.WRAP)
    city = machine.derive(root.ref, FACTOR, Usage.AUTHENTICATE)
    child = diversify(Algorithm.TDES, root.key, FACTOR)
    card = diversify(Algorithm.TDES, child, FACTOR)
    machine(Verb.WRAP_FOR_CHIPS, [city.ref], Batch.of([FACTOR]), kek.ref, Batch.of([FACTOR]))
    machine.driver.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for key in (root.key, kek.key, child, adjust_parity(child), card):
        for value in (key, key[:8], key[8:], key.hex().encode(), key.hex().upper().encode()):
            assert not [path for path in files if value in path.read_bytes()]

"""What lies in the token, as another program sees it: nothing can be taken out, nothing does two things (H5, K6)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.support.softhsm import PIN, SoftToken

from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.foundation.crypto.algorithms import Algorithm

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
    objects = token.objects()
    assert len(objects) > 14
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
    assert machine(Verb.DESCRIBE).keys == 14


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

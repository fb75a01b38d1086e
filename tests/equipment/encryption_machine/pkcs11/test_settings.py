"""The `[pkcs11]` table: what was configured is what is read, anything else is one sentence (H5)."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sheka.equipment.encryption_machine.configuration import Configuration
from sheka.equipment.encryption_machine.launch import prepare
from sheka.equipment.encryption_machine.pkcs11.settings import FILE, TDES, Suite, TokenSettings
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

BASE = Path("/etc/sheka")
MODULE = 'module = "hsm.so"\ntoken = "sheka"\n'
SM4 = Suite(key_type=0x80000102, generate=0x80000101, ecb=0x80000103, cbc=0x80000104, derive=None)


def read(text: str) -> TokenSettings:
    found = TokenSettings.read(BASE, tomllib.loads(text))
    assert found is not None
    return found


def test_the_least_is_a_module_and_a_token() -> None:
    found = read(MODULE)
    assert found.module == BASE / "hsm.so"
    assert (found.token, found.serial, found.pin_file, found.workers) == ("sheka", "", None, 1)
    assert found.suites == {Algorithm.TDES: TDES}
    assert TokenSettings.read(BASE, None) is None


@pytest.mark.req("H5")
def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    settings = TokenSettings(
        module=Path("/usr/lib/hsm.so"),
        token='the city\'s "first" token',
        serial="0A0B",
        pin_file=tmp_path / "pin",
        first_pin_file=tmp_path / "first",
        workers=3,
        call_bytes=4096,
        call_seconds=5,
        environment={"HSM_CONF": "/etc/hsm.conf"},
        suites={Algorithm.TDES: replace(TDES, cbc=None, derive=None), Algorithm.SM4: SM4},
    )
    path = prepare(tmp_path, callers={"tester": b"s" * 32}, pkcs11=settings)
    assert Configuration.load(path).pkcs11 == settings
    assert Configuration.load(prepare(tmp_path, callers={"tester": b"s" * 32})).pkcs11 is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('token = "sheka"', "pkcs11.module"),
        ('module = "hsm.so"', "pkcs11.token"),
        (MODULE + "slot = 1", "pkcs11"),
        (MODULE + "serial = 17", "pkcs11.serial"),
        (MODULE + 'pin_file = ""', "pkcs11.pin_file"),
        (MODULE + "workers = 0", "pkcs11.workers"),
        (MODULE + "workers = true", "pkcs11.workers"),
        (MODULE + "call_seconds = 601", "pkcs11.call_seconds"),
        (MODULE + "environment = { A = 1 }", "pkcs11.environment"),
        (MODULE + "sm4 = 1", "pkcs11.sm4"),
        (MODULE + "[sm4]\nmode = 1", "pkcs11.sm4"),
        (MODULE + "[sm4]\necb = 1\nkey_type = 2", "key_type, generate and ecb"),
        (MODULE + "[sm4]\necb = -1", "pkcs11.sm4.ecb"),
        (MODULE + "[sm4]\necb = false", "pkcs11.sm4.ecb"),
        (MODULE + '[tdes]\nderive = "no"', "pkcs11.tdes.derive"),
    ],
)
def test_a_wrong_table_is_one_sentence(text: str, word: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(text)
    assert refusal.value.code is Code.MACHINE_CONFIG_BAD
    assert word in str(refusal.value)


@pytest.mark.req("H5")
def test_a_nodes_machine_takes_its_token_from_a_file_beside_it(tmp_path: Path) -> None:
    callers = {"tester": b"s" * 32}
    (tmp_path / FILE).write_text("[pkcs11]\n" + MODULE)
    for _ in range(2):  # the node writes the configuration anew at every start
        found = Configuration.load(prepare(tmp_path, callers=callers)).pkcs11
        assert found is not None
        assert found.module == tmp_path / "hsm.so"
    for wrong in ("[pkcs11", MODULE, "[pkcs11]\n" + MODULE + "[callers]\n"):
        (tmp_path / FILE).write_text(wrong)
        with pytest.raises(Refused) as refusal:
            prepare(tmp_path, callers=callers)
        assert refusal.value.code is Code.MACHINE_CONFIG_BAD


def test_a_table_that_is_no_table(tmp_path: Path) -> None:
    content: Any = ["module"]
    with pytest.raises(Refused) as refusal:
        TokenSettings.read(tmp_path, content)
    assert refusal.value.code is Code.MACHINE_CONFIG_BAD

"""The page for whoever brings a device in says what the program does (H5)."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "operations" / "pkcs11.md").read_text("utf-8")


def test_its_example_is_a_configuration() -> None:
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])
    found = TokenSettings.read(Path("/etc/sheka"), example["pkcs11"])
    assert found is not None
    assert set(found.suites) == set(Algorithm)


def test_it_lists_every_refusal_of_the_driver() -> None:
    numbers = [code.value for code in Code if 2370 <= code.value <= 2399]
    assert numbers == [int(line[2:6]) for line in PAGE.splitlines() if line.startswith("| 23")]

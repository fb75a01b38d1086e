"""A protected line: an institution's transport key, policies of the line for one test, certificates."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from tests.support.payments import CITY, HOSPITAL

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.keep_line import set_transport_key
from sheka.systems.transactions.line_client import WorkingKeys

POLICY = Path(__file__).resolve().parents[2] / "policy"


def plant(
    usage: Usage, algorithm: Algorithm, key: bytes, *, diversified: bool = False, owner: str = CITY, at: str = CITY
) -> str:
    """Put a known key into Haikou's machine (or that of `at`), as another machine's envelope would; its reference."""
    machine, maker = machine_of(at), sm2.generate_private()
    public = sm2.public_of(maker)
    name = f"planted {secrets.token_hex(6)}"
    machine.register_peer(name, public)
    info = KeyInfo("", name, algorithm, usage, 1, owner, "", diversified=diversified)
    return machine.import_envelope(seal_envelope(maker, machine.public_key(), key, info), public).ref


def transport(actor, algorithm: Algorithm = Algorithm.SM4, code: str = HOSPITAL) -> WorkingKeys:
    """Register a transport key for an institution; what the institution makes of it."""
    key = secrets.token_bytes(16)
    set_transport_key(actor, code=code, reference=plant(Usage.WRAP, algorithm, key))
    return WorkingKeys(algorithm, key)


@contextmanager
def plain_mac(bank) -> Iterator[Callable[[bytes], bytes]]:
    """MACs for terminals in threads: `bank.mac` asks the database first, over a connection of the thread."""
    node = settings.NODE
    name = node.machine(CITY).name
    with EncryptionMachine(node.machine_address(name), "systems", node.machine_secret(name)) as machine:
        yield lambda message: machine.macs(bank.mac_key, None, [message])[0]


@pytest.fixture
def line_policy(tmp_path, monkeypatch) -> Callable[..., None]:
    """line_policy(("a", "b"), …): policy/lines.toml with a replaced by b, for switches started after it."""

    def change(*pairs: tuple[str, str]) -> None:
        folder = tmp_path / "policy"
        shutil.copytree(POLICY, folder, dirs_exist_ok=True)
        text = (POLICY / "lines.toml").read_text("utf-8")
        for old, new in pairs:
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        (folder / "lines.toml").write_text(text, "utf-8")
        monkeypatch.setenv("SHEKA_POLICY", str(folder))

    return change

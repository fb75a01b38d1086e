"""Machines over SoftHSM2 tokens of their own, in this process, so that a test can cut in anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.softhsm import SoftToken, make_token

from sheka.equipment.encryption_machine.model import KeyInfo, Peer, Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.machine import TokenMachine
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.wire import Batch
from sheka.foundation.crypto.algorithms import Algorithm


@pytest.fixture
def token(tmp_path: Path) -> SoftToken:
    return make_token(tmp_path / "token")


class Machine:
    """A machine's door for a caller with every right; `again` closes it and opens its folder anew."""

    def __init__(self, folder: Path, token: SoftToken, caller: Caller, **changes: Any) -> None:
        self.folder, self.token, self.caller = folder, token, caller
        self.settings = replace(token.settings, **changes)
        self.driver = self._open()

    def __call__(self, verb: Verb, *arguments: Any) -> Any:
        return self.driver.call(self.caller, verb, list(arguments))

    def again(self, **changes: Any) -> None:
        self.driver.close()
        self.settings = replace(self.settings, **changes)
        self.driver = self._open()

    def _open(self) -> TokenMachine:
        return TokenMachine(self.folder / "store", b"s" * 32, self.settings)

    def generate(self, name: str, usage: Usage = Usage.MAC, **more: int) -> KeyInfo:
        diversified, movable = more.get("diversified", 0), more.get("movable", 0)
        algorithm = int(more.get("algorithm", Algorithm.TDES))
        made: KeyInfo = self(Verb.GENERATE, name, algorithm, str(usage), 1, "", diversified, movable)
        return made

    def derive(self, parent: str, factor: bytes, usage: Usage = Usage.DIVERSIFY, **more: int) -> KeyInfo:
        name = f"from {factor.hex()}"
        made: KeyInfo = self(Verb.DERIVE, parent, factor, name, "", str(usage), 0, more.get("diversified", 0))
        return made

    def mac(self, ref: str, message: bytes = b"a message of more than one block") -> bytes:
        found: Batch = self(Verb.MACS, ref, None, Batch.of([message]), None)
        return found.raw

    def check_values(self, ref: str, *factors: bytes) -> list[str]:
        found: Batch = self(Verb.CHECK_VALUES, ref, Batch.of(factors))
        return [value.hex().upper() for value in found.items()]

    # what the test helper `plant` asks for

    def peers(self) -> list[Peer]:
        found: list[Peer] = self(Verb.PEERS)
        return found

    def register_peer(self, name: str, public: bytes) -> Any:
        return self(Verb.REGISTER_PEER, name, public, "")

    def public_key(self) -> bytes:
        found: bytes = self(Verb.PUBLIC_KEY)
        return found

    def import_envelope(self, envelope: bytes, sender: bytes) -> KeyInfo:
        found: KeyInfo = self(Verb.IMPORT_ENVELOPE, envelope, sender, "", "")
        return found


Start = Callable[..., Machine]


@pytest.fixture
def start(tmp_path: Path, token: SoftToken, everyone: Caller) -> Iterator[Start]:
    """start(workers=2, …): a machine over the test's token, its settings changed."""
    opened: list[Machine] = []

    def begin(**changes: Any) -> Machine:
        opened.append(Machine(tmp_path / f"machine{len(opened)}", token, everyone, **changes))
        return opened[-1]

    yield begin
    for machine in opened:
        machine.driver.close()

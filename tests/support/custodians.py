"""Custodians at their browsers, for tests: keys that receive shares, and hands that enter them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine.custodian_verbs import CustodianVerbs
from sheka.equipment.encryption_machine.machine import SoftwareMachine
from sheka.equipment.encryption_machine.model import Progress, Verb
from sheka.equipment.encryption_machine.requests import Request
from sheka.equipment.encryption_machine.rights import Caller, Rights
from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, new_key, open_with, seal_for


class Custodian:
    """One person's browser: a key of its own, and what it received (as text)."""

    def __init__(self) -> None:
        self.private, self.public = new_key()
        self.text = b""

    def receive(self, sealed: bytes) -> bytes:
        self.text = open_with(self.private, entry_id_of(self.public), sealed)
        return self.text


def share_out(machine: Any, threshold: int, holders: int) -> list[Custodian]:
    """Share a machine's seal out to new custodians, who keep their shares."""
    custodians = [Custodian() for _ in range(holders)]
    for custodian, sealed in zip(
        custodians, machine.share_out(threshold, [one.public for one in custodians]), strict=True
    ):
        custodian.receive(sealed)
    return custodians


def present(machine: Any, holder: int, text: bytes) -> Progress:
    """A holder enters a share in the browser."""
    key = machine.entry_key()
    found: Progress = machine.unseal(holder, key.id, seal_for(key.public_key, key.id, text))
    return found


def enter(machine: Any, ref: str, part: int, text: bytes) -> str:
    """A custodian enters a component in the browser; its check value."""
    key = machine.entry_key()
    found: str = machine.enter_component(ref, part, key.id, seal_for(key.public_key, key.id, text))
    return found


class Local(CustodianVerbs):
    """The client's verbs on a machine of this process."""

    def __init__(self, folder: Path, secret: bytes | None = None) -> None:
        self.folder = folder / "store"
        self.caller = Caller("console", Rights.everything())
        self.machine = SoftwareMachine(self.folder, secret)

    def _do(self, request: Request[Any]) -> Any:
        return request.finish(self.machine.call(self.caller, request.verb, list(request.arguments)))

    def ask(self, verb: Verb, *arguments: Any) -> Any:
        return self.machine.call(self.caller, verb, list(arguments))

    def restart(self, secret: bytes | None = None) -> None:
        self.machine.close()
        self.machine = SoftwareMachine(self.folder, secret)

    @property
    def info(self) -> Any:
        return self.ask(Verb.DESCRIBE)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ask(Verb.LOG, 1, 1000)]

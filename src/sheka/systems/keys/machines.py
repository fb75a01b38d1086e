"""The encryption machines that this node can reach, one for each organisation that it hosts."""

from __future__ import annotations

from threading import Lock

from django.conf import settings

from sheka.equipment.encryption_machine.client import EncryptionMachine

CALLER = "systems"
_lines: dict[str, EncryptionMachine] = {}
_lock = Lock()


def machine_of(organisation_code: str) -> EncryptionMachine:
    """The client of an organisation's machine, one for the process. Raises Refused(NODE_MACHINE_UNKNOWN)."""
    with _lock:
        if organisation_code not in _lines:
            node = settings.NODE
            name = node.machine(organisation_code).name
            address, secret = node.machine_address(name), node.machine_secret(name, CALLER)
            _lines[organisation_code] = EncryptionMachine(address, CALLER, secret)
        return _lines[organisation_code]


def close_machines() -> None:
    """Close every line; the next verb opens a new one, where the settings then say."""
    with _lock:
        while _lines:
            _lines.popitem()[1].close()

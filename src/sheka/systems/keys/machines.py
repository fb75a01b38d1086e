"""The encryption machines that this node can reach, one for each organisation that it hosts."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from sheka.equipment.encryption_machine.client import EncryptionMachine

CALLER = "systems"


@cache
def machine_of(organisation_code: str) -> EncryptionMachine:
    """The client of an organisation's machine. Raises Refused(NODE_MACHINE_UNKNOWN)."""
    node = settings.NODE
    name = node.machine(organisation_code).name
    return EncryptionMachine(node.machine_address(name), CALLER, node.machine_secret(name, CALLER))

"""The encryption machines that this node can reach, one for each organisation that it hosts."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.foundation.refusals import Code, Refused

CALLER = "web"


@cache
def machine_of(organisation_code: str) -> EncryptionMachine:
    """The client of an organisation's machine. Raises Refused(KEY_NO_MACHINE)."""
    for machine in settings.NODE.machines:
        if machine.organisation == organisation_code:
            return EncryptionMachine(machine.address, CALLER, settings.NODE.secrets.machine_callers[CALLER])
    raise Refused(Code.KEY_NO_MACHINE, organisation=organisation_code)

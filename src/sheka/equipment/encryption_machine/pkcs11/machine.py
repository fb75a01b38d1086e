"""The encryption machine over a PKCS#11 token (H5, K4, K6): the software machine's doors, rights, seal and log; keys in
the device.

"Sealed" is here: not logged in. The PIN stands in a file of mode 0600 or, with `first_pin_file`, under the machine's
seal, so that the custodians' shares give it. A token that cannot be had at the start or goes later refuses the verbs
that need it, each with its number; the machine answers the others, and goes on when the token is back.

What stays outside the token: names, rights and the log (sealed records); the machine's SM2 key for envelopes and
signatures, for which PKCS#11 has no mechanism (sealed record).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sheka.equipment.encryption_machine.machine import Inside, SoftwareMachine
from sheka.equipment.encryption_machine.model import MachineInfo
from sheka.equipment.encryption_machine.pkcs11.access import TokenAccess
from sheka.equipment.encryption_machine.pkcs11.keystore import TokenKeyStore
from sheka.equipment.encryption_machine.pkcs11.objects import BOUND, TokenFacts
from sheka.equipment.encryption_machine.pkcs11.pool import Pool
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.equipment.encryption_machine.pkcs11.work import TokenWork
from sheka.equipment.encryption_machine.records import Records
from sheka.foundation.refusals import Code, Refused


class TokenMachine(SoftwareMachine):
    """`SoftwareMachine` whose keys are in a token; `MACHINE_TOKEN_MODULE` when the module's file is not there."""

    driver = "pkcs11"
    product = "PKCS#11 token"

    def __init__(self, folder: Path, sealing_secret: bytes | None, settings: TokenSettings) -> None:
        if not settings.module.is_file():
            raise Refused(Code.MACHINE_TOKEN_MODULE, module=settings.module, reason="no such file")
        self._folder, self._settings = folder, settings
        self._token: tuple[Pool, TokenAccess] | None = None
        super().__init__(folder, sealing_secret)

    def _opened(self, records: Records) -> Inside:
        if records.get(BOUND) is None and any(record.target.startswith("key-") for record in records.all()):
            raise Refused(Code.MACHINE_OTHER_DRIVER, expected="software", got=self.driver)
        access = TokenAccess(self._settings, records)
        pool = Pool(self._settings, access)
        keys = TokenKeyStore(records, pool, self._folder / "token-changes")
        pool.connected = keys.tidy
        self._token = pool, access
        try:
            pool.call("about")
        except Refused as refusal:  # it may come yet; until then the verbs that need it say this
            print(f"{refusal} {refusal.todo('en')}", file=sys.stderr)  # noqa: T201
        return Inside(records, self._entries, self._vault, keys, TokenWork(keys))

    def _leave(self) -> None:
        super()._leave()
        if self._token is not None:
            self._token[0].close()
            self._token = None

    def _describe(self) -> MachineInfo:
        info = super()._describe()
        if self._token is None:
            return replace(info, algorithms=())
        pool, access = self._token
        facts: TokenFacts | None = pool.facts
        with suppress(Refused):
            facts = facts or pool.call("about")
        if facts is None:
            return replace(info, product=f"{access.known or self.product} (not reachable)", algorithms=())
        product = f"{facts.manufacturer} {facts.model}, serial {facts.serial}, firmware {facts.firmware}"
        return replace(info, product=product, algorithms=facts.algorithms)

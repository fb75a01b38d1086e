"""The PIN and the identity of the machine's token (K6): read from a tight file or from under the machine's seal.

A wrong PIN is tried once. The token counts wrong attempts and locks at the last; so the refused PIN is kept, sealed,
and not offered again until another one stands in its place, not even after a restart. The first token that a store
meets is written into it: another one, with other keys, is refused.
"""

from __future__ import annotations

import hmac
import stat
from pathlib import Path

from sheka.equipment.encryption_machine.files import overwrite
from sheka.equipment.encryption_machine.pkcs11.objects import BOUND, TokenFacts
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.equipment.encryption_machine.records import Records
from sheka.foundation.refusals import Code, Refused

PIN, REFUSED = "token-pin", "token-refused"
"""Records: the token's PIN, when it is kept under the seal; the PIN that it refused."""

_LONGEST_PIN = 64


class TokenAccess:
    """What `pool.Access` asks for, over a machine's sealed records."""

    def __init__(self, settings: TokenSettings, records: Records) -> None:
        self._settings, self._records = settings, records

    @property
    def known(self) -> str:
        """The token that belongs to this store, in words; empty before the first log-in."""
        found = self._records.get(BOUND)
        return "" if found is None else f"{found.attributes['model']}, serial {found.attributes['serial']}"

    def pin(self, facts: TokenFacts) -> str:
        """The PIN for this token, or the refusal that says why it is not tried."""
        mine = self._records.get(BOUND)
        if mine is not None and mine.attributes["serial"] != facts.serial:
            raise Refused(Code.MACHINE_TOKEN_OTHER, got=facts.serial, expected=mine.attributes["serial"])
        if facts.pin_locked:
            raise Refused(Code.MACHINE_TOKEN_PIN_LOCKED, token=facts.label, reason="CKF_USER_PIN_LOCKED")
        if facts.pin_last_try:
            raise Refused(Code.MACHINE_TOKEN_PIN_LAST_TRY, token=facts.label)
        pin = self._from_files() or self._sealed(PIN)
        if not pin:
            raise Refused(Code.MACHINE_TOKEN_PIN_MISSING, token=facts.label)
        if hmac.compare_digest(pin.encode(), self._sealed(REFUSED).encode()):
            raise Refused(Code.MACHINE_TOKEN_PIN_WRONG, token=facts.label)
        return pin

    def refused(self, pin: str) -> None:
        self._commit(REFUSED, {}, pin, "TOKEN_PIN_REFUSED")

    def accepted(self, facts: TokenFacts, pin: str) -> None:
        """Remember the token, forget an earlier refusal, take a PIN that came in `first_pin_file` under the seal."""
        if self._records.get(BOUND) is None:
            told = {"serial": facts.serial, "manufacturer": facts.manufacturer, "model": facts.model}
            self._commit(BOUND, told, "", "TOKEN_BOUND")
        if self._sealed(REFUSED):
            self._commit(REFUSED, {}, "", "TOKEN_PIN_ACCEPTED")
        first = self._settings.first_pin_file
        if first is not None and first.exists():
            if self._sealed(PIN) != pin:
                self._commit(PIN, {}, pin, "TOKEN_PIN_KEPT")
            overwrite(first)
            first.unlink()

    def _from_files(self) -> str:
        first = self._settings.first_pin_file
        if first is not None and first.exists():
            return read_pin(first)
        return "" if self._settings.pin_file is None else read_pin(self._settings.pin_file)

    def _sealed(self, target: str) -> str:
        found = self._records.get(target)
        if found is None:
            return ""
        with self._records.revealed(found) as secret:
            return secret.decode()

    def _commit(self, target: str, attributes: dict[str, str], secret: str, verb: str) -> None:
        with self._records.lock:
            facts = dict(attributes)
            self._records.commit(target, attributes, secret.encode(), caller="", verb=verb, facts=facts)


def read_pin(path: Path) -> str:
    """A PIN from an owner-only file, as text; line breaks at its end do not count.

    `MACHINE_SECRET_EXPOSED` when group or others may touch the file, `MACHINE_SECRET_MISSING` when it is absent, empty
    or no text.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        pin = path.read_bytes().decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Refused(Code.MACHINE_SECRET_MISSING, what=path, least=1) from None
    if mode & 0o077:
        raise Refused(Code.MACHINE_SECRET_EXPOSED, path=path, mode=f"{mode:04o}")
    if not 1 <= len(pin) <= _LONGEST_PIN:
        raise Refused(Code.MACHINE_SECRET_MISSING, what=path, least=1)
    return pin
